/*
 * lock.c - runs a command while holding a lock that machines share, as flock(1) does on one machine.
 *
 *     lock 127.0.0.1:2181 /locks/backup tar cf backup.tar /home
 *
 * Start it twice: the second one waits. Kill the first one: the second goes on when the first one's session is over.
 * Built with: cc lock.c -lzkrecipes -lzookeeper_mt
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>
#include <zookeeper/zoo_lock.h>

#define SESSION_TIMEOUT_MS 10000

/* What the callbacks know, and how main() waits for it. */
struct status {
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    int is_held;
    int is_lost;
};

/* Called when the lock becomes ours (0) and when it is ours no more (1), in the library's thread. */
static void on_lock(int rc, void *data)
{
    struct status *status = data;
    pthread_mutex_lock(&status->mutex);
    status->is_held = rc == 0;
    status->is_lost = rc != 0;
    pthread_cond_signal(&status->changed);
    pthread_mutex_unlock(&status->mutex);
}

/* True when we have the lock, false when we will not get it. */
static int wait_for_lock(struct status *status)
{
    pthread_mutex_lock(&status->mutex);
    while (!status->is_held && !status->is_lost)
        pthread_cond_wait(&status->changed, &status->mutex);
    int is_held = status->is_held;
    pthread_mutex_unlock(&status->mutex);
    return is_held;
}

static int run(char *const *command)
{
    pid_t child = fork();
    if (child == 0) {
        execvp(command[0], command);
        perror(command[0]);
        _exit(127);
    }
    int how = 0;
    if (child < 0 || waitpid(child, &how, 0) < 0) {
        perror("cannot run the command");
        return 1;
    }
    return WIFEXITED(how) ? WEXITSTATUS(how) : 128 + WTERMSIG(how);
}

int main(int argc, char **argv)
{
    if (argc < 4) {
        fprintf(stderr, "usage: %s HOSTS PATH COMMAND [ARGUMENT ...]\n", argv[0]);
        return 2;
    }
    zoo_set_debug_level(ZOO_LOG_LEVEL_WARN);
    zhandle_t *zh = zookeeper_init(argv[1], NULL, SESSION_TIMEOUT_MS, NULL, NULL, 0);
    if (zh == NULL) {
        perror("zookeeper_init");
        return 1;
    }
    struct status status = { PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0, 0 };
    zkr_lock_mutex_t lock;
    zkr_lock_init_cb(&lock, zh, argv[2], &ZOO_OPEN_ACL_UNSAFE, on_lock, &status);

    /* This only gets in line. Should the connection be gone, the library goes on when it is back, and so do we. */
    int rc = zkr_lock_lock(&lock);
    if (rc != ZOK)
        fprintf(stderr, "%s: %s\n", argv[2], zerror(rc));

    int result = 1;
    if (wait_for_lock(&status)) {
        result = run(argv + 3);
        zkr_lock_unlock(&lock);
    }
    zkr_lock_destroy(&lock);
    zookeeper_close(zh);
    return result;
}
