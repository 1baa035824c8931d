/*
 * The commit processor with its threads: nothing stalls, and what leaves it keeps the three promises of its file
 * whatever the schedule: (1) a session's requests in order, (2) writes in the order of zxids, (3) no read beside a
 * write.
 */
#include "server/quorum/commit_processor.h"

#include <assert.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/memory.h"
#include "common/base/random.h"
#include "common/thread/blocking_queue.h"
#include "common/thread/thread.h"
#include "common/wire/op_code.h"
#include "tests/lib/check_main.h"

#define SESSIONS 8
#define REMOTE_SESSION 100
#define DEADLINE_MS 100000

BLOCKING_QUEUE_OF(request_queue, struct request *);

/* ---- what comes next ---- */

struct next_processor {
    struct request_processor base;
    _Atomic int reading, writing;         /* in process() at this moment */
    _Atomic size_t flushes;
    size_t spin;                          /* work of a request */
    struct mutex lock;
    struct condition changed;
    int32_t last_cxid[SESSIONS + 1] GUARDED_BY(lock);
    int64_t last_zxid GUARDED_BY(lock);
    size_t count GUARDED_BY(lock), shutdowns GUARDED_BY(lock);
};
static struct next_processor next;
static struct server_core core;
static struct server_options options;
static struct commit_processor *commit;

static void check_alone(bool is_write)
{
    if (is_write) {
        assert(atomic_fetch_add(&next.writing, 1) == 0 && atomic_load(&next.reading) == 0);
    } else {
        atomic_fetch_add(&next.reading, 1);
        assert(atomic_load(&next.writing) == 0);    /* (3) */
    }
    for (volatile size_t i = 0; i < next.spin; i++)
        ;
    atomic_fetch_sub(is_write ? &next.writing : &next.reading, 1);
}

static void next_process(struct request_processor *self, struct request *request)
{
    (void)self;
    check_alone(request->txn != NULL);
    mutex_lock(&next.lock);
    if (request->session_id <= SESSIONS) {
        assert(request->cxid == next.last_cxid[request->session_id] + 1);    /* (1) */
        next.last_cxid[request->session_id] = request->cxid;
    }
    if (request->txn != NULL) {
        assert(request->txn->header.zxid == next.last_zxid + 1);    /* (2) */
        assert(request->zxid == request->txn->header.zxid && request->txn->header.client_id == request->session_id &&
               request->txn->header.cxid == request->cxid);
        next.last_zxid = request->txn->header.zxid;
    }
    next.count++;
    condition_broadcast(&next.changed);
    mutex_unlock(&next.lock);
    request_unref(request);
}

static void next_flush(struct request_processor *self)
{
    (void)self;
    atomic_fetch_add(&next.flushes, 1);
}

static void next_shutdown(struct request_processor *self)
{
    (void)self;
    mutex_lock(&next.lock);
    next.shutdowns++;
    mutex_unlock(&next.lock);
}

static void wait_for(size_t count)
{
    int64_t deadline_ms = clock_elapsed_ms() + DEADLINE_MS;
    mutex_lock(&next.lock);
    while (next.count < count && condition_wait_until(&next.changed, &next.lock, deadline_ms))
        ;
    size_t have = next.count;
    mutex_unlock(&next.lock);
    ck_assert_msg(have >= count, "stalled: %zu of %zu requests came through", have, count);
}

/* ---- life ---- */

static void set_up(void)
{
    log_set_level(NULL, LOG_OFF);
    memset(&next, 0, sizeof next);
    next.base = (struct request_processor){next_process, next_flush, next_shutdown, NULL};
    mutex_init(&next.lock);
    condition_init(&next.changed);
    server_options_init(&options);
    options.commit_processor_num_worker_threads = 0;
    core = (struct server_core){.options = &options, .metrics = server_metrics_new(), .server_id = 1};
}

static void start(bool match_syncs, int64_t workers)
{
    options.commit_processor_num_worker_threads = workers;
    commit = commit_processor_start(&core, match_syncs, &next.base);
}

static void stop(void)
{
    if (commit == NULL)
        return;
    struct request_processor *base = commit_processor_base(commit);
    base->shutdown(base);
    ck_assert_uint_eq(next.shutdowns, 1);
    base->free(base);
    commit = NULL;
}

static void tear_down(void)
{
    stop();
    server_options_release(&options);
    server_metrics_free(core.metrics);
    condition_release(&next.changed);
    mutex_release(&next.lock);
}

/* ---- requests ---- */

static struct request *make_request(int32_t type, int64_t session_id, int32_t cxid)
{
    return request_new(NULL, session_id, cxid, type, NULL, (struct slice){NULL, 0}, NULL);
}

static struct txn *make_txn(int64_t session_id, int32_t cxid, int64_t zxid)
{
    struct txn_header header = {session_id, cxid, zxid, 0, OP_ERROR};
    struct txn_body body = {.is_present = true};
    return txn_new(&header, &body, NULL);
}

static struct request *make_commit(int64_t session_id, int32_t cxid, int64_t zxid)
{
    struct txn *txn = make_txn(session_id, cxid, zxid);
    struct request *request = request_new_from_txn(txn);
    txn_unref(txn);
    return request;
}

static void queue(struct request *request)
{
    request_processor_process(commit_processor_base(commit), request);
}

static void flush(void)
{
    request_processor_flush(commit_processor_base(commit));
}

/* ---- one client, one request at a time (ZOOKEEPER-4537) ---- */

struct log_thread {    /* as SYNC of a leader: commits the very request, one by one */
    struct request_queue *queue;
    struct thread *thread;
};

static void log_run(void *arg)
{
    struct log_thread *log = arg;
    struct request *request;
    while (request_queue_take(log->queue, &request, 1) > 0) {
        commit_processor_commit(commit, request);
        commit_processor_wake(commit);
    }
}

START_TEST(a_single_client_never_waits_for_a_wake_up)
{
    enum { ROUNDS = 100000 };
    struct log_thread log = {request_queue_new(16), NULL};
    start(false, _i);
    log.thread = thread_start("SyncThread", log_run, &log);
    for (int32_t i = 1; i <= ROUNDS; i++) {
        struct request *request = make_request(OP_SET_DATA, 1, i);
        request->txn = make_txn(1, i, i);
        request->zxid = i;
        queue(request_ref(request));
        if (i % 3 != 0)
            flush();    /* else the commit wakes both */
        request_queue_put(log.queue, request);
        wait_for((size_t)i);
    }
    request_queue_close(log.queue);
    thread_join(log.thread);
    request_queue_free(log.queue);
}
END_TEST

/* ---- many clients, through a learner ---- */

struct ensemble {
    struct request_queue *submitted, *proposed;
    struct thread *request_processor, *leader;
    _Atomic size_t remote_commits;
};

/* FollowerRequestProcessor: to the commit processor, then to the leader. */
static void request_processor_run(void *arg)
{
    struct ensemble *ensemble = arg;
    struct request *batch[32];
    size_t count;
    while ((count = request_queue_take(ensemble->submitted, batch, ARRAY_SIZE(batch))) > 0) {
        for (size_t i = 0; i < count; i++) {
            bool is_write = request_is_quorum(batch[i]) || batch[i]->type == OP_SYNC;
            queue(is_write ? request_ref(batch[i]) : batch[i]);
            if (is_write)
                request_queue_put(ensemble->proposed, batch[i]);
        }
        flush();
    }
}

/* The leader and the thread that reads its packets: numbers, and puts writes of others between. */
static void leader_run(void *arg)
{
    struct ensemble *ensemble = arg;
    struct request *batch[16];
    int64_t zxid = 0;
    size_t count;
    while ((count = request_queue_take(ensemble->proposed, batch, ARRAY_SIZE(batch))) > 0) {
        for (size_t i = 0; i < count; i++) {
            while (random_below(3) == 0) {
                zxid++;
                commit_processor_commit(commit, make_commit(REMOTE_SESSION, (int32_t)zxid, zxid));
                atomic_fetch_add(&ensemble->remote_commits, 1);
            }
            if (batch[i]->type == OP_SYNC) {    /* the very request comes back, without a txn */
                commit_processor_commit(commit, batch[i]);
                continue;
            }
            zxid++;
            commit_processor_commit(commit, make_commit(batch[i]->session_id, batch[i]->cxid, zxid));
            request_unref(batch[i]);
        }
        commit_processor_wake(commit);
    }
}

struct client {
    struct ensemble *ensemble;
    int64_t session_id;
    int32_t count;
    struct thread *thread;
};

static void client_run(void *arg)
{
    struct client *client = arg;
    for (int32_t cxid = 1; cxid <= client->count; cxid++) {
        uint64_t dice = random_below(10);
        int32_t type = dice < 3 ? OP_SET_DATA : dice < 4 ? OP_SYNC : OP_GET_DATA;
        request_queue_put(client->ensemble->submitted, make_request(type, client->session_id, cxid));
    }
}

static const struct schedule {
    const char *what;
    int64_t workers, max_reads, max_commits;
} schedules[] = {
    {"as by default, few processors", 0, -1, 1},
    {"with workers", 3, -1, 1},
    {"with workers, commits in batches", 3, -1, 50},
    {"reads in batches", 0, 5, 20},
    {"one worker, reads in batches of one", 1, 0, 1},
};

START_TEST(the_promises_hold_in_every_schedule)
{
    enum { EACH = 1000 };
    const struct schedule *schedule = &schedules[_i];
    random_seed((uint64_t)_i + 1);
    options.commit_processor_max_read_batch_size = schedule->max_reads;
    options.commit_processor_max_commit_batch_size = schedule->max_commits;
    next.spin = 20;
    start(true, schedule->workers);
    struct ensemble ensemble = {.submitted = request_queue_new(64), .proposed = request_queue_new(64)};
    struct client clients[SESSIONS];
    ensemble.request_processor = thread_start("FollowerRequestProcessor", request_processor_run, &ensemble);
    ensemble.leader = thread_start("QuorumPeer", leader_run, &ensemble);
    for (int64_t i = 0; i < SESSIONS; i++) {
        clients[i] = (struct client){&ensemble, i + 1, EACH, NULL};
        clients[i].thread = thread_start("client", client_run, &clients[i]);
    }
    for (size_t i = 0; i < SESSIONS; i++)
        thread_join(clients[i].thread);
    request_queue_close(ensemble.submitted);
    thread_join(ensemble.request_processor);
    request_queue_close(ensemble.proposed);
    thread_join(ensemble.leader);
    wait_for((size_t)SESSIONS * EACH + atomic_load(&ensemble.remote_commits));
    request_queue_free(ensemble.submitted);
    request_queue_free(ensemble.proposed);
    stop();
    ck_assert_msg(next.count == (size_t)SESSIONS * EACH + atomic_load(&ensemble.remote_commits), "%s", schedule->what);
}
END_TEST

/* ---- waking, flushing, coming down ---- */

START_TEST(replies_are_flushed_before_it_sleeps)
{
    start(true, 0);
    for (int32_t i = 1; i <= 10; i++)
        queue(make_request(OP_GET_DATA, 1, i));
    flush();
    wait_for(10);
    stop();
    ck_assert_uint_ge(atomic_load(&next.flushes), 1);
    ck_assert_uint_le(atomic_load(&next.flushes), 10);
}
END_TEST

START_TEST(what_may_go_goes_before_the_end_and_the_rest_is_dropped)
{
    start(true, _i);
    for (int32_t i = 1; i <= 100; i++)
        queue(make_request(OP_GET_DATA, 1, i));
    struct request *dropped = make_request(OP_SET_DATA, 2, 1), *behind = make_request(OP_GET_DATA, 2, 2);
    queue(request_ref(dropped));
    queue(request_ref(behind));
    commit_processor_commit(commit, make_commit(REMOTE_SESSION, 1, 1));
    stop();
    ck_assert_uint_eq(next.count, 101);
    ck_assert_int_eq(dropped->references, 1);
    ck_assert_int_eq(behind->references, 1);
    request_unref(dropped);
    request_unref(behind);
}
END_TEST

START_TEST(nothing_enters_once_it_is_down)
{
    start(true, 0);
    struct request_processor *base = commit_processor_base(commit);
    base->shutdown(base);
    struct request *late = make_request(OP_GET_DATA, 1, 1), *commit_of_nobody = make_commit(1, 1, 1);
    queue(request_ref(late));
    commit_processor_commit(commit, request_ref(commit_of_nobody));
    flush();
    ck_assert_int_eq(late->references, 1);
    ck_assert_int_eq(commit_of_nobody->references, 1);
    request_unref(late);
    request_unref(commit_of_nobody);
    base->free(base);
    commit = NULL;
}
END_TEST

/* A producer that waits for room. */
static void fill_run(void *arg)
{
    (void)arg;
    for (int32_t i = 2; i <= 20001; i++)
        queue(make_request(OP_GET_DATA, 1, i));
    flush();
}

START_TEST(a_full_queue_makes_its_producer_wait_and_nobody_else)
{
    start(true, 0);
    queue(make_request(OP_SET_DATA, 1, 1));    /* all that follow wait behind it, in the session's list */
    struct thread *producer = thread_start("producer", fill_run, NULL);
    thread_join(producer);                     /* although nothing was answered */
    commit_processor_commit(commit, make_commit(1, 1, 1));
    commit_processor_wake(commit);
    wait_for(20001);
}
END_TEST

START_TEST(its_metrics_tell_what_it_did)
{
    start(true, 0);
    queue(make_request(OP_SET_DATA, 1, 1));
    queue(make_request(OP_GET_DATA, 1, 2));
    queue(make_request(OP_GET_DATA, 2, 1));
    flush();
    wait_for(1);
    commit_processor_commit(commit, make_commit(1, 1, 1));
    commit_processor_wake(commit);
    wait_for(3);
    stop();
    ck_assert_int_eq(server_metrics_value(core.metrics, METRIC_COMMITS_QUEUED), 1);
    ck_assert_int_eq(server_metrics_value(core.metrics, METRIC_READS_ISSUED_IN_COMMIT_PROC), 1);
    ck_assert_int_eq(server_metrics_value(core.metrics, METRIC_WRITES_ISSUED_IN_COMMIT_PROC), 1);
    ck_assert_int_eq(server_metrics_value(core.metrics, METRIC_READ_ISSUED_FROM_SESSION_QUEUE), 1);
    ck_assert_int_eq(server_metrics_value(core.metrics, METRIC_SESSION_QUEUES_DRAINED), 1);
}
END_TEST

static Suite *commit_processor_suite(void)
{
    Suite *suite = suite_create("commit_processor");
    TCase *tcase = tcase_create("commit_processor");
    tcase_set_timeout(tcase, 120);
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_loop_test(tcase, a_single_client_never_waits_for_a_wake_up, 0, 2);
    tcase_add_loop_test(tcase, the_promises_hold_in_every_schedule, 0, (int)ARRAY_SIZE(schedules));
    tcase_add_test(tcase, replies_are_flushed_before_it_sleeps);
    tcase_add_loop_test(tcase, what_may_go_goes_before_the_end_and_the_rest_is_dropped, 0, 2);
    tcase_add_test(tcase, nothing_enters_once_it_is_down);
    tcase_add_test(tcase, a_full_queue_makes_its_producer_wait_and_nobody_else);
    tcase_add_test(tcase, its_metrics_tell_what_it_did);
    suite_add_tcase(suite, tcase);
    return suite;
}

CHECK_MAIN(commit_processor_suite)
