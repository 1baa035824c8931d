/*
 * recipe_trials.c - the recipes under load and in odd situations, for recipes.py. Written as a program of a user.
 *
 *     recipe_trials HOSTS lockers SECONDS    threads that take and leave one lock, each time with another struct
 *     recipe_trials HOSTS takers             each element of a queue goes to one of several takers
 *     recipe_trials HOSTS callbacks          locks that are left and destroyed in their own callbacks
 *     recipe_trials HOSTS lost               what a lock does whose node somebody else deletes
 *     recipe_trials HOSTS refused            a lock where nothing may be created
 *
 * Says what happened on standard output, and exits with 0 when all was well.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <zookeeper/zoo_lock.h>
#include <zookeeper/zoo_queue.h>

#define SESSIONS 4
#define THREADS 16
#define ELEMENTS 1200
#define TAKERS 6
#define SESSION_TIMEOUT_MS 15000
#define PATIENCE_S 60

static zhandle_t *sessions[SESSIONS];

/* ---- lockers ---- */

static _Atomic int inside, rounds, intruders, impatient;
static _Atomic bool is_over;

struct news {
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    int rc;    /* of the callback; -1: it was not called yet */
};

static void on_lock(int rc, void *data)
{
    struct news *news = data;
    pthread_mutex_lock(&news->mutex);
    news->rc = rc;
    pthread_cond_signal(&news->changed);
    pthread_mutex_unlock(&news->mutex);
}

/* What the callback was told; -1: nothing in all that time. */
static int wait_for_news(struct news *news)
{
    struct timespec end;
    int failure = 0;
    clock_gettime(CLOCK_REALTIME, &end);
    end.tv_sec += PATIENCE_S;
    pthread_mutex_lock(&news->mutex);
    while (news->rc == -1 && failure == 0)
        failure = pthread_cond_timedwait(&news->changed, &news->mutex, &end);
    int rc = news->rc;
    pthread_mutex_unlock(&news->mutex);
    return rc;
}

static void *lock_and_leave(void *session)
{
    unsigned seed = (unsigned)pthread_self();
    while (!is_over) {
        struct news news = { PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, -1 };
        zkr_lock_mutex_t lock;
        zkr_lock_init_cb(&lock, session, "/trials/lock", &ZOO_OPEN_ACL_UNSAFE, on_lock, &news);
        zkr_lock_lock(&lock);
        int rc = rand_r(&seed) % 4 == 0 ? -2 : wait_for_news(&news);    /* some leave before it is their turn */
        if (rc == 0) {
            intruders += inside++ != 0;
            usleep((useconds_t)rand_r(&seed) % 500);
            inside--;
            rounds++;
        }
        impatient += rc == -1;
        zkr_lock_unlock(&lock);    /* without a connection that is done later, */
        zkr_lock_destroy(&lock);   /* and nobody has to wait for it */
    }
    return NULL;
}

static int count_children(const char *path)
{
    struct String_vector names = { 0, NULL };
    int rc = zoo_get_children(sessions[0], path, 0, &names);
    int count = rc == ZOK ? names.count : -1;
    deallocate_String_vector(&names);
    return count;
}

static int try_lockers(int seconds)
{
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++)
        pthread_create(&threads[i], NULL, lock_and_leave, sessions[i % SESSIONS]);
    sleep((unsigned)seconds);
    is_over = true;
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    int left = count_children("/trials/lock");
    for (int i = 0; i < 100 && left != 0; i++) {
        usleep(100000);
        left = count_children("/trials/lock");
    }
    printf("%d times the lock was held, %d at the same time, %d got no answer, %d nodes left\n", rounds, intruders,
           impatient, left);
    return rounds == 0 || intruders > 0 || impatient > 0 || left != 0;
}

/* ---- takers ---- */

static _Atomic int times_taken[ELEMENTS + 1];    /* the last one says that there are no more */

static void *take_all(void *session)
{
    zkr_queue_t queue;
    zkr_queue_init(&queue, session, "/trials/queue", &ZOO_OPEN_ACL_UNSAFE);
    for (int number = 0; number != ELEMENTS;) {
        char text[32];
        int size = sizeof(text) - 1;
        int rc = zkr_queue_take(session, &queue, text, &size);
        if (rc != ZOK || size < 0) {
            printf("take: %s\n", zerror(rc));
            break;
        }
        text[size] = '\0';
        number = atoi(text);
        times_taken[number]++;
    }
    zkr_queue_destroy(&queue);
    return NULL;
}

static int try_takers(void)
{
    pthread_t takers[TAKERS];
    zkr_queue_t queue;
    for (int i = 0; i < TAKERS; i++)
        pthread_create(&takers[i], NULL, take_all, sessions[i % SESSIONS]);
    zkr_queue_init(&queue, sessions[0], "/trials/queue", &ZOO_OPEN_ACL_UNSAFE);
    int failed = 0;
    for (int i = 0; i < ELEMENTS + TAKERS; i++) {
        char text[32];
        int size = snprintf(text, sizeof(text), "%d", i < ELEMENTS ? i : ELEMENTS);
        failed += zkr_queue_offer(&queue, text, size) != ZOK;
        if (i % 50 == 0)
            usleep(20000);    /* so that the takers find the queue empty at times */
    }
    zkr_queue_destroy(&queue);
    for (int i = 0; i < TAKERS; i++)
        pthread_join(takers[i], NULL);
    int wrong = 0;
    for (int i = 0; i < ELEMENTS; i++)
        wrong += times_taken[i] != 1;
    printf("%d elements, %d not offered, %d not taken once\n", ELEMENTS, failed, wrong);
    return failed > 0 || wrong > 0;
}

/* ---- callbacks ---- */

static _Atomic int locked, destroyed;

static void leave_and_destroy(int rc, void *data)
{
    zkr_lock_mutex_t *lock = data;
    if (rc == 0) {
        locked++;
        zkr_lock_unlock(lock);
        return;
    }
    zkr_lock_destroy(lock);
    free(lock);
    destroyed++;
}

static int try_callbacks(void)
{
    enum { LOCKS = 60 };
    for (int i = 0; i < LOCKS; i++) {
        zkr_lock_mutex_t *lock = malloc(sizeof(*lock));
        zkr_lock_init_cb(lock, sessions[i % SESSIONS], "/trials/callbacks", &ZOO_OPEN_ACL_UNSAFE, leave_and_destroy,
                         lock);
        zkr_lock_lock(lock);
    }
    for (int i = 0; i < 10 * PATIENCE_S && destroyed < LOCKS; i++)
        usleep(100000);
    printf("%d locked and %d destroyed of %d\n", locked, destroyed, LOCKS);
    return locked != LOCKS || destroyed != LOCKS;
}

/* ---- odd situations ---- */

static int try_lost(void)
{
    zkr_lock_mutex_t lock;
    char before[300];
    zkr_lock_init(&lock, sessions[0], "/trials/lost", &ZOO_OPEN_ACL_UNSAFE);
    int rc = zkr_lock_lock(&lock);
    bool was_owner = zkr_lock_isowner(&lock);
    snprintf(before, sizeof(before), "/trials/lost/%s", lock.id);
    zoo_delete(sessions[1], before, -1);
    for (int i = 0; i < 10 * PATIENCE_S && (lock.id == NULL || strstr(before, lock.id) != NULL); i++)
        usleep(100000);
    bool is_owner = zkr_lock_isowner(&lock), has_another = lock.id != NULL && strstr(before, lock.id) == NULL;
    int unlocked = zkr_lock_unlock(&lock), unlocked_again = zkr_lock_unlock(&lock);
    zkr_lock_destroy(&lock);
    printf("lock %d %d, again %d with another node %d, unlock %d and %d\n", rc, was_owner, is_owner, has_another,
           unlocked, unlocked_again);
    return rc != ZOK || !was_owner || !is_owner || !has_another || unlocked != ZOK || unlocked_again != ZSYSTEMERROR;
}

static int try_refused(void)
{
    struct ACL may_read = { ZOO_PERM_READ, { (char[]){ "world" }, (char[]){ "anyone" } } };
    struct ACL_vector acl = { 1, &may_read };
    zkr_lock_mutex_t lock;
    zoo_create(sessions[0], "/refused", NULL, 0, &acl, 0, NULL, 0);
    zkr_lock_init(&lock, sessions[0], "/refused", &ZOO_OPEN_ACL_UNSAFE);
    int rc = zkr_lock_lock(&lock), unlocked = zkr_lock_unlock(&lock);
    zkr_lock_destroy(&lock);
    int bad = zkr_lock_init(&lock, sessions[0], "no/path", &ZOO_OPEN_ACL_UNSAFE);
    printf("lock %d, unlock %d, init %d\n", rc, unlocked, bad);
    return rc != ZNOAUTH || unlocked != ZSYSTEMERROR || bad != ZBADARGUMENTS;
}

int main(int argc, char **argv)
{
    if (argc < 3)
        return 2;
    const char *trial = argv[2];
    int result = 2;
    zoo_set_debug_level(ZOO_LOG_LEVEL_ERROR);
    for (int i = 0; i < SESSIONS; i++)
        sessions[i] = zookeeper_init(argv[1], NULL, SESSION_TIMEOUT_MS, NULL, NULL, 0);
    if (strcmp(trial, "lockers") == 0)
        result = try_lockers(atoi(argv[3]));
    else if (strcmp(trial, "takers") == 0)
        result = try_takers();
    else if (strcmp(trial, "callbacks") == 0)
        result = try_callbacks();
    else if (strcmp(trial, "lost") == 0)
        result = try_lost();
    else if (strcmp(trial, "refused") == 0)
        result = try_refused();
    for (int i = 0; i < SESSIONS; i++)
        zookeeper_close(sessions[i]);
    return result;
}
