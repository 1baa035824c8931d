/*
 * endurance.c - a client that is put through hardships by endurance.py and keeps count of what it hears.
 *
 *     endurance HOSTS OTHER_HOSTS TIMEOUT_MS
 *
 * One session at HOSTS, behind proxies, is looked at; another one, at OTHER_HOSTS, changes nodes for it. Commands come
 * by standard input, each is answered with a line that begins with "ok" or with "FAILED":
 *   watch N            makes the nodes and sets N watches: data, exists and children in turn
 *   connected K        until there were K connections and the last one stands; says how many there were, and where to
 *   fire A B           makes the changes that the watches from A up to B wait for
 *   fired A B          until these have fired; each below B once, none from B on, which heard of every session event
 *   load W             asks without end, W requests on their way; stop ends it, and says how it went
 *   quit
 * What must hold of the load: a completion is called once for each call, in the order of calls; no node is seen older
 * than it was before; a node has as many versions as sets were acknowledged, and at most those besides whose connection
 * was lost.
 */
#include "client/public.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/memory.h"
#include "common/thread/mutex.h"
#include "common/thread/thread.h"

#define DEADLINE_MS 60000
#define PATH_SIZE 32
#define BATCH 1000       /* requests of one kind on their way */
#define NODES 16         /* of the load */
#define VALUE_SIZE 100

static zhandle_t *zh, *other;

static void answer(const char *format, ...) __attribute__((format(printf, 1, 2)));
static void answer(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vprintf(format, args);
    va_end(args);
    printf("\n");
    fflush(stdout);
}

/* ---- the session ---- */

static struct mutex lock;
static struct condition changed;
static int connections GUARDED_BY(lock);
static bool is_connected GUARDED_BY(lock);
static int session_events GUARDED_BY(lock);
static int batched GUARDED_BY(lock), batch_errors GUARDED_BY(lock);    /* of requests in batches */

static void session_watcher(zhandle_t *handle, int type, int state, const char *path, void *context)
{
    (void)handle, (void)path, (void)context;
    if (type != ZOO_SESSION_EVENT)
        return;
    mutex_lock(&lock);
    session_events++;
    is_connected = state == ZOO_CONNECTED_STATE;
    connections += is_connected;
    condition_broadcast(&changed);
    mutex_unlock(&lock);
}

static void other_watcher(zhandle_t *handle, int type, int state, const char *path, void *context)
{
    (void)handle, (void)type, (void)state, (void)path, (void)context;
}

static void wait_connected(int wanted)
{
    int64_t deadline_ms = clock_elapsed_ms() + DEADLINE_MS;
    mutex_lock(&lock);
    while ((connections < wanted || !is_connected) && condition_wait_until(&changed, &lock, deadline_ms))
        continue;
    bool is_there = connections >= wanted && is_connected;
    int count = connections;
    mutex_unlock(&lock);
    answer("%s %d %s", is_there ? "ok" : "FAILED connections:", count, zoo_get_current_server(zh));
}

/* ---- many requests of one kind ---- */

static void batch_done(int rc)
{
    mutex_lock(&lock);
    batched--;
    batch_errors += rc != ZOK;
    condition_broadcast(&changed);
    mutex_unlock(&lock);
}

static void batch_begin(void)
{
    mutex_lock(&lock);
    while (batched >= BATCH)
        condition_wait(&changed, &lock);
    batched++;
    mutex_unlock(&lock);
}

static int batch_end(void)
{
    mutex_lock(&lock);
    while (batched > 0)
        condition_wait(&changed, &lock);
    int errors = batch_errors;
    batch_errors = 0;
    mutex_unlock(&lock);
    return errors;
}

static void string_done(int rc, const char *value, const void *data)
{
    (void)value, (void)data;
    batch_done(rc);
}

static void stat_done(int rc, const struct Stat *stat, const void *data)
{
    (void)stat, (void)data;
    batch_done(rc);
}

static void none_done(int rc, const struct Stat *stat, const void *data)
{
    (void)stat, (void)data;
    batch_done(rc == ZNONODE ? ZOK : rc);
}

static void data_done(int rc, const char *value, int size, const struct Stat *stat, const void *data)
{
    (void)value, (void)size, (void)stat, (void)data;
    batch_done(rc);
}

static void strings_done(int rc, const struct String_vector *strings, const void *data)
{
    (void)strings, (void)data;
    batch_done(rc);
}

static void batch(int rc)
{
    if (rc != ZOK)
        batch_done(rc);
}

static void create(zhandle_t *handle, const char *path)
{
    batch_begin();
    batch(zoo_acreate(handle, path, "", 0, &ZOO_OPEN_ACL_UNSAFE, ZOO_PERSISTENT, string_done, NULL));
}

/* ---- watches ---- */

enum kind { DATA, EXISTS, CHILDREN, KINDS };

struct watch {
    _Atomic int fired, heard;    /* of its node, of the session */
};
static struct watch *watches;
static int watch_count;
static int events_before;    /* of the session, when they were set */

static void watcher(zhandle_t *handle, int type, int state, const char *path, void *context)
{
    static const int expected[] = { 3, 1, 4 };    /* changed, created, children */
    struct watch *watch = context;
    (void)handle, (void)state, (void)path;
    if (type == ZOO_SESSION_EVENT)
        atomic_fetch_add(&watch->heard, 1);
    else
        atomic_fetch_add(&watch->fired, type == expected[(watch - watches) % KINDS] ? 1 : 1000);
}

static void path_of(int i, char path[PATH_SIZE])
{
    snprintf(path, PATH_SIZE, i % KINDS == EXISTS ? "/e/x%d" : "/e/w%d", i);
}

static void set_watches(int count)
{
    char path[PATH_SIZE];
    watches = MEMORY_NEW_ARRAY((size_t)count, struct watch);
    watch_count = count;
    create(other, "/e");
    for (int i = 0; i < count; i++) {
        path_of(i, path);
        if (i % KINDS != EXISTS)
            create(other, path);
    }
    int errors = batch_end();
    zoo_async(zh, "/e", NULL, NULL);
    for (int i = 0; i < count; i++) {
        path_of(i, path);
        batch_begin();
        if (i % KINDS == DATA)
            batch(zoo_awget(zh, path, watcher, &watches[i], data_done, NULL));
        else if (i % KINDS == EXISTS)
            batch(zoo_awexists(zh, path, watcher, &watches[i], none_done, NULL));
        else
            batch(zoo_awget_children(zh, path, watcher, &watches[i], strings_done, NULL));
    }
    errors += batch_end();
    mutex_lock(&lock);
    events_before = session_events;
    mutex_unlock(&lock);
    answer("%s %d errors", errors == 0 ? "ok" : "FAILED", errors);
}

static void fire(int from, int to)
{
    char path[PATH_SIZE], child[PATH_SIZE + 2];
    while (zoo_exists(other, "/e", 0, NULL) != ZOK)    /* its server may have been killed */
        clock_sleep_ms(10);
    for (int i = from; i < to; i++) {
        path_of(i, path);
        snprintf(child, sizeof(child), "%s/c", path);
        if (i % KINDS != DATA) {
            create(other, i % KINDS == EXISTS ? path : child);
            continue;
        }
        batch_begin();
        batch(zoo_aset(other, path, "1", 1, -1, stat_done, NULL));
    }
    int errors = batch_end();
    answer("%s %d errors", errors == 0 ? "ok" : "FAILED", errors);
}

/* Behind all that was handed to EventThread before. */
static void wait_for_events(void)
{
    batch_begin();
    batch(zoo_aexists(zh, "/", 0, stat_done, NULL));
    if (batch_end() != 0)
        answer("FAILED: the connection is lost");
}

static void check_fired(int from, int to)
{
    int64_t deadline_ms = clock_elapsed_ms() + DEADLINE_MS;
    int wrong = 0, first = -1, events;
    for (int i = from; i < to; i++)
        while (atomic_load(&watches[i].fired) == 0 && clock_elapsed_ms() < deadline_ms)
            clock_sleep_ms(1);
    wait_for_events();
    mutex_lock(&lock);
    events = session_events - events_before;
    mutex_unlock(&lock);
    for (int i = 0; i < watch_count; i++) {
        int fired = atomic_load(&watches[i].fired), heard = atomic_load(&watches[i].heard);
        bool is_right = i < to ? fired == 1 && heard <= events : fired == 0 && heard == events;
        if (!is_right && wrong++ == 0)
            first = i;
    }
    if (wrong == 0)
        answer("ok %d once, %d waiting, %d session events", to, watch_count - to, events);
    else
        answer("FAILED %d watches, %d is the first: fired %d times, heard of %d of %d session events", wrong, first,
               atomic_load(&watches[first].fired), atomic_load(&watches[first].heard), events);
}

/* ---- load ---- */

enum request { SET, GET, STAT, LIST, SYNC, REQUESTS };

struct call {
    int64_t number;
    enum request type;
    int node;
    bool is_open;
};
static struct {
    struct mutex lock;
    struct condition changed;
    struct thread *thread;
    int window;
    struct call *ring GUARDED_BY(lock);    /* one for each that may be on its way */
    int64_t asked GUARDED_BY(lock), answered GUARDED_BY(lock), lost GUARDED_BY(lock);
    int64_t out_of_order GUARDED_BY(lock), gone_back GUARDED_BY(lock), odd GUARDED_BY(lock);
    int odd_code GUARDED_BY(lock);
    bool must_stop GUARDED_BY(lock);
    struct {
        int64_t mzxid;
        int version, acknowledged, lost;
    } nodes[NODES] GUARDED_BY(lock);
} load;

static void see_node(const struct call *call, const struct Stat *stat) REQUIRES(load.lock)
{
    bool is_newer = stat->mzxid > load.nodes[call->node].mzxid && stat->version > load.nodes[call->node].version;
    bool is_same = stat->mzxid == load.nodes[call->node].mzxid && stat->version == load.nodes[call->node].version;
    load.gone_back += !(is_newer || (is_same && call->type != SET));
    load.nodes[call->node].mzxid = stat->mzxid;
    load.nodes[call->node].version = stat->version;
}

static void load_answered(int rc, const struct Stat *stat, const void *data)
{
    mutex_lock(&load.lock);
    struct call *call = &load.ring[(const struct call *)data - load.ring];
    load.out_of_order += !call->is_open || call->number != load.answered;
    call->is_open = false;
    load.answered++;
    if (rc == ZCONNECTIONLOSS || rc == ZOPERATIONTIMEOUT) {
        load.lost++;
        load.nodes[call->node].lost += call->type == SET;
    } else if (rc != ZOK) {
        load.odd++;
        load.odd_code = rc;
    } else {
        load.nodes[call->node].acknowledged += call->type == SET;
        if (stat != NULL)
            see_node(call, stat);
    }
    condition_broadcast(&load.changed);
    mutex_unlock(&load.lock);
}

static void load_data(int rc, const char *value, int size, const struct Stat *stat, const void *data)
{
    (void)value, (void)size;
    load_answered(rc, stat, data);
}

static void load_strings(int rc, const struct String_vector *strings, const void *data)
{
    (void)strings;
    load_answered(rc, NULL, data);
}

static void load_string(int rc, const char *value, const void *data)
{
    (void)value;
    load_answered(rc, NULL, data);
}

static int ask(const struct call *call)
{
    static const char value[VALUE_SIZE] = "v";
    char path[PATH_SIZE];
    snprintf(path, sizeof(path), "/load/%d", call->node);
    switch (call->type) {
    case SET:
        return zoo_aset(zh, path, value, VALUE_SIZE, -1, load_answered, call);
    case GET:
        return zoo_aget(zh, path, 0, load_data, call);
    case STAT:
        return zoo_aexists(zh, path, 0, load_answered, call);
    case LIST:
        return zoo_aget_children(zh, "/load", 0, load_strings, call);
    default:
        return zoo_async(zh, path, load_string, call);
    }
}

static void load_run(void *arg)
{
    uint32_t random = 1;
    (void)arg;
    for (;;) {
        mutex_lock(&load.lock);
        while (load.asked - load.answered >= load.window && !load.must_stop)
            condition_wait(&load.changed, &load.lock);
        bool must_stop = load.must_stop;
        random = random * 1103515245 + 12345;
        struct call *call = &load.ring[load.asked % load.window];
        if (!must_stop)
            *call = (struct call){ load.asked++, (random >> 16) % REQUESTS, (int)(random >> 24) % NODES, true };
        mutex_unlock(&load.lock);
        if (must_stop)
            return;
        int rc = ask(call);
        if (rc != ZOK) {
            answer("FAILED to ask: %s", zerror(rc));
            return;
        }
    }
}

static void load_start(int window)
{
    char path[PATH_SIZE];
    create(zh, "/load");
    for (int i = 0; i < NODES; i++) {
        snprintf(path, sizeof(path), "/load/%d", i);
        create(zh, path);
    }
    int errors = batch_end();
    mutex_init(&load.lock);
    condition_init(&load.changed);
    mutex_lock(&load.lock);
    load.window = window;
    load.ring = MEMORY_NEW_ARRAY((size_t)window, struct call);
    for (int i = 0; i < NODES; i++)
        load.nodes[i].version = -1;
    mutex_unlock(&load.lock);
    load.thread = thread_start("load", load_run, NULL);
    answer("%s %d errors", errors == 0 ? "ok" : "FAILED", errors);
}

/* Nodes that have fewer versions than were acknowledged, or more than could be. */
static int count_wrong_nodes(void)
{
    int wrong = 0;
    for (int i = 0; i < NODES; i++) {
        char path[PATH_SIZE];
        struct Stat stat = { .version = -1 };
        snprintf(path, sizeof(path), "/load/%d", i);
        int rc = zoo_exists(zh, path, 0, &stat);
        mutex_lock(&load.lock);
        int least = load.nodes[i].acknowledged, most = least + load.nodes[i].lost;
        mutex_unlock(&load.lock);
        wrong += rc != ZOK || stat.version < least || stat.version > most;
    }
    return wrong;
}

static void load_stop(void)
{
    int64_t deadline_ms = clock_elapsed_ms() + DEADLINE_MS;
    mutex_lock(&load.lock);
    load.must_stop = true;
    condition_broadcast(&load.changed);
    while (load.answered < load.asked && condition_wait_until(&load.changed, &load.lock, deadline_ms))
        continue;
    mutex_unlock(&load.lock);
    thread_join(load.thread);
    int wrong = count_wrong_nodes();
    mutex_lock(&load.lock);
    bool is_right = load.answered == load.asked && load.out_of_order == 0 && load.gone_back == 0 && load.odd == 0 &&
                    wrong == 0;
    answer("%s %" PRId64 " asked, %" PRId64 " answered, %" PRId64 " of them lost; %" PRId64 " out of order, %" PRId64
           " gone back, %d nodes wrong, %" PRId64 " other errors (%d)", is_right ? "ok" : "FAILED", load.asked,
           load.answered, load.lost, load.out_of_order, load.gone_back, wrong, load.odd, load.odd_code);
    memory_free(load.ring);
    mutex_unlock(&load.lock);
}

/* ---- commands ---- */

static bool obey(char *line)
{
    char word[16];
    int a = 0, b = 0;
    if (sscanf(line, "%15s %d %d", word, &a, &b) < 1)
        return true;
    if (strcmp(word, "watch") == 0)
        set_watches(a);
    else if (strcmp(word, "connected") == 0)
        wait_connected(a);
    else if (strcmp(word, "fire") == 0)
        fire(a, b);
    else if (strcmp(word, "fired") == 0)
        check_fired(a, b);
    else if (strcmp(word, "load") == 0)
        load_start(a);
    else if (strcmp(word, "stop") == 0)
        load_stop();
    else
        return false;
    return true;
}

int main(int argc, char **argv)
{
    char line[64];
    if (argc != 4)
        return 2;
    zoo_set_debug_level(0);
    mutex_init(&lock);
    condition_init(&changed);
    zh = zookeeper_init(argv[1], session_watcher, atoi(argv[3]), NULL, NULL, ZOO_NO_LOG_CLIENTENV);
    other = zookeeper_init(argv[2], other_watcher, atoi(argv[3]), NULL, NULL, ZOO_NO_LOG_CLIENTENV);
    if (zh == NULL || other == NULL)
        return 2;
    while (fgets(line, sizeof(line), stdin) != NULL && obey(line))
        continue;
    int rc = zookeeper_close(zh), other_rc = zookeeper_close(other);
    memory_free(watches);
    answer("%s closed %d %d", rc == ZOK && other_rc == ZOK ? "ok" : "FAILED", rc, other_rc);
    return 0;
}
