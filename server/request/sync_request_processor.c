/*
 * sync_request_processor.c - makes a batch of transactions durable with one write and one sync, then passes it on.
 *
 * Mirrors SyncRequestProcessor; thread "SyncThread:<id>", and "Snapshot Thread" now and then.
 *
 *   queued (Q4) --> [ append ] --> to_flush --(commit: write, fdatasync)--> next
 * (1) Nothing that follows an append in the queue is passed on before the append is durable.
 * (2) After a write or a sync failed nothing is passed on any more, and the process ends.
 * (3) The next processor gets one request at a time from here: on SyncThread, or, while that has none in hand, on the
 *     thread that brings one.
 * A read goes straight on when nothing waits to be flushed. Departs from Java: when nothing is in hand at all, it does
 * so without crossing the queue.
 */
#include "server/request/sync_request_processor.h"

#include <assert.h>
#include <inttypes.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/memory.h"
#include "common/base/random.h"
#include "common/base/strings.h"
#include "common/thread/blocking_queue.h"
#include "common/thread/thread.h"
#include "server/request/exit_code.h"

#define QUEUED_BOUND 8192
#define BATCH_SIZE 256

BLOCKING_QUEUE_OF(request_queue, struct request *);

struct sync_request_processor {
    struct request_processor base;
    struct server_core *core;
    struct request_processor *next;
    struct request_queue *queued;    /* Q4 */
    struct thread *thread;
    _Atomic int64_t in_hand;         /* put into Q4 and not passed on yet; after a failure never 0 again */
    bool has_crossed;                /* reads went on past Q4 since the last flush; whoever brings requests */

    /* SyncThread's */
    struct request **to_flush;
    size_t to_flush_count, to_flush_capacity;
    int64_t last_flush_ms;
    bool has_failed;
    bool has_unflushed;              /* reads went straight on */
    int64_t snap_count_threshold;    /* transactions after which a snapshot is due, this time */
    int64_t snap_size_threshold;     /* bytes likewise; 0 is none */
    struct thread *snapshot_thread;
    _Atomic bool is_snapshotting;
};

/* ---- snapshots ---- */

/* Between half and all of the limit, so that the servers of an ensemble do not all write theirs at once. */
static void roll_snapshot_dice(struct sync_request_processor *sync)
{
    int64_t count = sync->core->options->snap_count;
    int64_t size = sync->core->options->snap_size_limit_in_kb * 1024;
    sync->snap_count_threshold = count / 2 + (int64_t)random_below((uint64_t)(count / 2) + 1);
    sync->snap_size_threshold = size <= 0 ? 0 : size / 2 + (int64_t)random_below((uint64_t)(size / 2) + 1);
}

static bool should_snapshot(const struct sync_request_processor *sync)
{
    struct zk_database *database = sync->core->database;
    return zk_database_txn_count(database) > sync->snap_count_threshold ||
           (sync->snap_size_threshold > 0 && zk_database_txn_size(database) > sync->snap_size_threshold);
}

static void snapshot_run(void *arg)
{
    struct sync_request_processor *sync = arg;
    struct error error = {0};
    int64_t start_ms = clock_elapsed_ms();
    thread_give_way();
    if (zk_database_take_snapshot(sync->core->database, &error) != ZK_OK)
        log_error("Cannot write a snapshot, the log goes on without: %s", error.text);
    else
        log_info("Snapshot taken in %" PRId64 " ms", clock_elapsed_ms() - start_ms);
    atomic_store(&sync->is_snapshotting, false);
}

static void snapshot_aside(struct sync_request_processor *sync)
{
    if (atomic_exchange(&sync->is_snapshotting, true)) {
        log_warn("Too busy to snap, skipping");
        return;
    }
    thread_join(sync->snapshot_thread);    /* it has ended, or is about to return */
    sync->snapshot_thread = thread_start("Snapshot Thread", snapshot_run, sync);
}

static void start_snapshot(struct sync_request_processor *sync)
{
    roll_snapshot_dice(sync);
    zk_database_roll_log(sync->core->database);
    zk_database_reset_txn_stats(sync->core->database);
    snapshot_aside(sync);
}

/* ---- batches ---- */

static void fail(struct sync_request_processor *sync, const struct error *error)
{
    sync->has_failed = true;
    sync->core->callbacks->fail(sync->core, EXIT_CODE_UNEXPECTED_ERROR, error);
}

static void drop_all(struct sync_request_processor *sync)
{
    for (size_t i = 0; i < sync->to_flush_count; i++)
        request_unref(sync->to_flush[i]);
    sync->to_flush_count = 0;
}

/* On an observer nothing comes behind the log. */
static void pass_on(struct sync_request_processor *sync, struct request *request)
{
    if (sync->next != NULL)
        request_processor_process(sync->next, request);
    else
        request_unref(request);
}

/* They were passed on: whoever finds nothing in hand finds all that they did. */
static void out_of_hand(struct sync_request_processor *sync, size_t count)
{
    atomic_fetch_sub_explicit(&sync->in_hand, (int64_t)count, memory_order_release);
}

static void flush_next(struct sync_request_processor *sync)
{
    if (sync->next != NULL)
        request_processor_flush(sync->next);
}

static void sync_flush_batch(struct sync_request_processor *sync)
{
    if (sync->to_flush_count == 0)
        return;
    struct server_core *core = sync->core;
    struct error error = {0};
    int64_t start_ms = clock_elapsed_ms();
    server_metrics_sample(core->metrics, METRIC_BATCH_SIZE, (int64_t)sync->to_flush_count);
    if (zk_database_commit(core->database, &error) != ZK_OK) {
        fail(sync, &error);
        drop_all(sync);
        return;
    }
    int64_t now_ms = clock_elapsed_ms(), coarse_ms = clock_coarse_ms();
    struct metric_run waited = {0};
    server_metrics_sample(core->metrics, METRIC_SYNC_PROCESSOR_FLUSH_TIME, now_ms - start_ms);
    for (size_t i = 0; i < sync->to_flush_count; i++) {
        int64_t waited_ms = coarse_ms - sync->to_flush[i]->queue_start_ms;
        server_metrics_sample_run(core->metrics, METRIC_SYNC_PROCESSOR_QUEUE_AND_FLUSH_TIME, &waited, waited_ms);
        pass_on(sync, sync->to_flush[i]);
    }
    server_metrics_end_run(core->metrics, METRIC_SYNC_PROCESSOR_QUEUE_AND_FLUSH_TIME, &waited);
    out_of_hand(sync, sync->to_flush_count);
    sync->to_flush_count = 0;
    flush_next(sync);
    sync->last_flush_ms = now_ms;
}

static void keep_for_flush(struct sync_request_processor *sync, struct request *request)
{
    if (sync->to_flush_count == sync->to_flush_capacity) {
        sync->to_flush_capacity = sync->to_flush_capacity == 0 ? 64 : sync->to_flush_capacity * 2;
        sync->to_flush = memory_realloc(sync->to_flush, sync->to_flush_capacity * sizeof sync->to_flush[0]);
    }
    sync->to_flush[sync->to_flush_count++] = request;
}

static int64_t remaining_delay(const struct sync_request_processor *sync)
{
    int64_t delay = sync->core->options->flush_delay, passed = clock_elapsed_ms() - sync->last_flush_ms;
    return passed < delay ? delay - passed : 0;
}

static bool should_flush(const struct sync_request_processor *sync)
{
    const struct server_options *options = sync->core->options;
    if (options->flush_delay > 0 && remaining_delay(sync) == 0)
        return true;
    return options->max_batch_size > 0 && (int64_t)sync->to_flush_count >= options->max_batch_size;
}

static void sync_request(struct sync_request_processor *sync, struct request *request)
{
    if (sync->has_failed) {
        request_unref(request);
        return;
    }
    struct error error LEFT_AS_IT_IS;
    error_init(&error);
    if (request->txn != NULL && !request->is_throttled) {
        if (zk_database_append(sync->core->database, request->txn, &error) != ZK_OK) {
            fail(sync, &error);
            request_unref(request);
            drop_all(sync);
            return;
        }
        if (should_snapshot(sync))
            start_snapshot(sync);
    } else if (sync->to_flush_count == 0) {
        pass_on(sync, request);
        out_of_hand(sync, 1);
        sync->has_unflushed = true;
        return;
    }
    keep_for_flush(sync, request);
    if (should_flush(sync))
        sync_flush_batch(sync);
}

/* Takes what is there, waiting no longer than a started batch permits; 0: closed and empty. */
static size_t take_batch(struct sync_request_processor *sync, struct request **batch)
{
    if (sync->to_flush_count > 0) {
        int64_t wait_ms = remaining_delay(sync);
        if (wait_ms > sync->core->options->max_write_queue_poll_time)
            wait_ms = sync->core->options->max_write_queue_poll_time;
        int64_t deadline_ms = wait_ms <= 0 ? 0 : clock_elapsed_ms() + wait_ms;
        size_t count = request_queue_poll(sync->queued, batch, BATCH_SIZE, deadline_ms);
        if (count > 0)
            return count;
        sync_flush_batch(sync);
    }
    return request_queue_take(sync->queued, batch, BATCH_SIZE);
}

static void sync_run(void *arg)
{
    struct sync_request_processor *sync = arg;
    struct request *batch[BATCH_SIZE];
    size_t count;
    struct server_metrics *metrics = sync->core->metrics;
    struct metric_run waited = {0};
    while ((count = take_batch(sync, batch)) > 0) {
        int64_t start_ms = clock_coarse_ms();
        server_metrics_sample(metrics, METRIC_SYNC_PROCESSOR_QUEUE_SIZE, (int64_t)count);
        server_metrics_count(metrics, METRIC_SYNC_PROCESSOR_QUEUED, (int64_t)count);
        for (size_t i = 0; i < count; i++) {
            int64_t waited_ms = start_ms - batch[i]->queue_start_ms;
            server_metrics_sample_run(metrics, METRIC_SYNC_PROCESSOR_QUEUE_TIME, &waited, waited_ms);
            sync_request(sync, batch[i]);
        }
        server_metrics_end_run(metrics, METRIC_SYNC_PROCESSOR_QUEUE_TIME, &waited);
        if (sync->has_unflushed)
            flush_next(sync);
        sync->has_unflushed = false;
        server_metrics_sample(metrics, METRIC_SYNC_PROCESS_TIME, clock_coarse_ms() - start_ms);
    }
    sync_flush_batch(sync);
    log_info("SyncRequestProcessor exited!");
}

/* ---- as a processor ---- */

static struct sync_request_processor *sync_of(struct request_processor *self)
{
    return container_of(self, struct sync_request_processor, base);
}

static bool may_cross(struct sync_request_processor *sync, const struct request *request)
{
    return request->txn == NULL && sync->next != NULL &&
           atomic_load_explicit(&sync->in_hand, memory_order_acquire) == 0;
}

static void sync_process(struct request_processor *self, struct request *request)
{
    struct sync_request_processor *sync = sync_of(self);
    if (may_cross(sync, request)) {
        request_processor_process(sync->next, request);    /* (3) */
        sync->has_crossed = true;
        return;
    }
    request->queue_start_ms = clock_coarse_ms();
    atomic_fetch_add_explicit(&sync->in_hand, 1, memory_order_relaxed);
    if (request_queue_put_quiet(sync->queued, request) != ZK_OK)
        request_unref(request);
}

static void sync_flush(struct request_processor *self)
{
    struct sync_request_processor *sync = sync_of(self);
    request_queue_wake(sync->queued);
    if (!sync->has_crossed)
        return;
    sync->has_crossed = false;
    flush_next(sync);
}

static void sync_shutdown(struct request_processor *self)
{
    struct sync_request_processor *sync = sync_of(self);
    request_queue_close(sync->queued);
    thread_join(sync->thread);
    sync->thread = NULL;
    thread_join(sync->snapshot_thread);
    sync->snapshot_thread = NULL;
    if (sync->next != NULL)
        sync->next->shutdown(sync->next);
}

static void sync_free(struct request_processor *self)
{
    struct sync_request_processor *sync = sync_of(self);
    assert(sync->thread == NULL && sync->to_flush_count == 0);
    request_queue_free(sync->queued);
    memory_free(sync->to_flush);
    memory_free(sync);
}

struct request_processor *sync_request_processor_start(struct server_core *core, struct request_processor *next,
                                                       bool snapshot_is_due)
{
    struct sync_request_processor *sync = MEMORY_NEW(struct sync_request_processor);
    sync->base = (struct request_processor){sync_process, sync_flush, sync_shutdown, sync_free};
    sync->core = core;
    sync->next = next;
    sync->queued = request_queue_new(QUEUED_BOUND);
    sync->last_flush_ms = clock_elapsed_ms();
    roll_snapshot_dice(sync);
    if (snapshot_is_due)
        snapshot_aside(sync);
    char *name = string_format("SyncThread:%" PRId64, core->server_id);
    sync->thread = thread_start(name, sync_run, sync);
    memory_free(name);
    return &sync->base;
}
