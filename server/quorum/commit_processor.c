/*
 * commit_processor.c - lets reads through and holds each write until its commit arrives.
 *
 * Mirrors org.apache.zookeeper.server.quorum.CommitProcessor. Thread: "CommitProcessor:<sid>", which deals reads to
 * workers by session id where there are any, and otherwise runs the rest of the chain itself. Which request goes on is
 * decided in commit_pairing.c.
 *
 *   queued (Q5) ----+                           +--> next processor --> reply
 *                   +--> [ commit_pairing ] ----+
 *   committed (Q6) -+
 * (1) requests of one session leave in the order they came;
 * (2) writes leave in zxid order, from this thread;
 * (3) no read runs beside a write, so no watch can miss the change it was set for;
 * (4) one lock covers both queues and the sleep of the thread, so that no wake-up is lost between them
 *     (ZOOKEEPER-4537);
 * (5) what was handed on is flushed before the thread sleeps, and after FLUSH_AFTER requests at the latest.
 */
#include "server/quorum/commit_processor.h"

#include <assert.h>
#include <inttypes.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/memory.h"
#include "common/base/strings.h"
#include "common/thread/mutex.h"
#include "common/thread/thread.h"
#include "common/thread/worker_service.h"
#include "server/quorum/commit_pairing.h"

#define QUEUED_BOUND 8192
#define WORKER_BOUND 8192
#define BATCH_SIZE 64
#define FLUSH_AFTER 256
#define FEW_PROCESSORS 4

struct commit_processor {
    struct request_processor base;
    struct server_core *core;
    struct request_processor *next;
    struct thread *thread;
    struct worker_service *workers;    /* NULL: none */

    struct mutex lock;
    struct condition work_there, room_there, pool_empty;
    struct commit_pairing pairing GUARDED_BY(lock);
    bool is_sleeping GUARDED_BY(lock);
    bool is_closed GUARDED_BY(lock);
    size_t producers_waiting GUARDED_BY(lock);
    size_t processing GUARDED_BY(lock);    /* requests workers have (numRequestsProcessing) */

    size_t unflushed;                      /* the thread's */
};

/* ---- running one request ---- */

static void count_time(struct commit_processor *processor, enum metric metric, int64_t since_ms, int64_t now_ms)
{
    server_metrics_sample(processor->core->metrics, metric, now_ms - since_ms);
}

/* processCommitMetrics */
static void count_waiting(struct commit_processor *processor, const struct request *request, bool is_write)
{
    int64_t now_ms = clock_elapsed_ms();
    if (!is_write) {
        count_time(processor, METRIC_READ_COMMITPROC_TIME, request->commit_queue_start_ms, now_ms);
    } else if (request->commit_queue_start_ms != -1) {    /* came through this server */
        count_time(processor, METRIC_WRITE_COMMITPROC_TIME, request->commit_queue_start_ms, now_ms);
        count_time(processor, METRIC_LOCAL_WRITE_COMMITTED_TIME, request->commit_receive_ms, now_ms);
    } else {
        count_time(processor, METRIC_SERVER_WRITE_COMMITTED_TIME, request->commit_receive_ms, now_ms);
    }
}

static void run_next(struct commit_processor *processor, struct request *request, bool is_write)
{
    count_waiting(processor, request, is_write);
    int64_t start_ms = clock_elapsed_ms();
    request_processor_process(processor->next, request);
    count_time(processor, is_write ? METRIC_WRITE_FINAL_PROC_TIME : METRIC_READ_FINAL_PROC_TIME, start_ms,
               clock_elapsed_ms());
}

/* CommitWorkRequest; stands in the request's arena. */
struct commit_work {
    struct commit_processor *processor;
    struct request *request;
};

static void work_run(void *arg)
{
    struct commit_work *work = arg;
    struct commit_processor *processor = work->processor;
    run_next(processor, work->request, false);    /* `work` is gone */
    request_processor_flush(processor->next);
    mutex_lock(&processor->lock);
    if (--processor->processing == 0)
        condition_signal(&processor->pool_empty);
    mutex_unlock(&processor->lock);
}

static void flush_next(struct commit_processor *processor)
{
    if (processor->unflushed > 0)
        request_processor_flush(processor->next);
    processor->unflushed = 0;
}

static void ran(struct commit_processor *processor)
{
    if (++processor->unflushed >= FLUSH_AFTER)    /* (5) */
        flush_next(processor);
}

/* sendToNextProcessor */
static void send_reads(struct commit_processor *processor, struct request **reads, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (processor->workers == NULL) {
            run_next(processor, reads[i], false);
            ran(processor);
            continue;
        }
        struct commit_work *work = arena_alloc(&reads[i]->arena, sizeof *work);
        *work = (struct commit_work){processor, reads[i]};
        int err = worker_service_schedule(processor->workers, work_run, work, (uint64_t)reads[i]->session_id);
        assert(err == ZK_OK);    /* they are stopped after this thread */
        (void)err;
    }
}

static void send_writes(struct commit_processor *processor, struct request **writes, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        run_next(processor, writes[i], true);
        ran(processor);
    }
}

/* ---- the thread ---- */

typedef size_t (*take_function)(struct commit_pairing *pairing, struct request **requests, size_t most);
typedef void (*send_function)(struct commit_processor *processor, struct request **requests, size_t count);

/* Even if nothing may go on there is room now: what was looked at waits with its session. */
static size_t take_batch(struct commit_processor *processor, take_function take, struct request **batch)
    REQUIRES(processor->lock)
{
    size_t count = take(&processor->pairing, batch, BATCH_SIZE);
    if (processor->producers_waiting > 0)
        condition_broadcast(&processor->room_there);
    return count;
}

/* Takes what the pairing lets go and sends it on, unlocked, until there is no more of it this round. */
static void run_phase(struct commit_processor *processor, take_function take, send_function send)
    REQUIRES(processor->lock)
{
    struct request *batch[BATCH_SIZE];
    size_t count;
    while ((count = take_batch(processor, take, batch)) > 0) {
        if (send == send_reads && processor->workers != NULL)
            processor->processing += count;
        mutex_unlock(&processor->lock);
        send(processor, batch, count);
        mutex_lock(&processor->lock);
    }
}

/* waitForEmptyPool */
static void wait_for_empty_pool(struct commit_processor *processor) REQUIRES(processor->lock)
{
    struct server_metrics *metrics = processor->core->metrics;
    int64_t start_ms = clock_elapsed_ms();
    if (processor->processing > 0)
        server_metrics_sample(metrics, METRIC_CONCURRENT_REQUEST_PROCESSING_IN_COMMIT_PROCESSOR,
                              (int64_t)processor->processing);
    while (processor->processing > 0)
        condition_wait(&processor->pool_empty, &processor->lock);
    server_metrics_sample(metrics, METRIC_TIME_WAITING_EMPTY_POOL_IN_COMMIT_PROCESSOR_READ,
                          clock_elapsed_ms() - start_ms);
}

static void run_round(struct commit_processor *processor) REQUIRES(processor->lock)
{
    struct server_metrics *metrics = processor->core->metrics;
    int64_t start_ms = clock_elapsed_ms();
    commit_pairing_begin(&processor->pairing);
    run_phase(processor, commit_pairing_take_reads, send_reads);
    if (processor->pairing.committed.count > 0) {
        wait_for_empty_pool(processor);    /* (3) */
        int64_t write_start_ms = clock_elapsed_ms();
        run_phase(processor, commit_pairing_take_writes, send_writes);
        server_metrics_sample(metrics, METRIC_WRITE_BATCH_TIME_IN_COMMIT_PROCESSOR,
                              clock_elapsed_ms() - write_start_ms);
        run_phase(processor, commit_pairing_take_freed_reads, send_reads);
    }
    server_metrics_sample(metrics, METRIC_COMMIT_PROCESS_TIME, clock_elapsed_ms() - start_ms);
}

/* False: closed, and nothing more may go. */
static bool wait_for_work(struct commit_processor *processor) REQUIRES(processor->lock)
{
    while (!commit_pairing_has_work(&processor->pairing)) {
        if (processor->unflushed > 0) {
            mutex_unlock(&processor->lock);
            flush_next(processor);    /* (5) */
            mutex_lock(&processor->lock);
            continue;
        }
        if (processor->is_closed)
            return false;
        processor->is_sleeping = true;
        condition_wait(&processor->work_there, &processor->lock);
        processor->is_sleeping = false;
    }
    return true;
}

static void commit_run(void *arg)
{
    struct commit_processor *processor = arg;
    mutex_lock(&processor->lock);
    while (wait_for_work(processor))
        run_round(processor);
    mutex_unlock(&processor->lock);
    log_info("CommitProcessor exited loop!");
}

/* ---- as a processor ---- */

static struct commit_processor *commit_of(struct request_processor *self)
{
    return container_of(self, struct commit_processor, base);
}

static void wake_thread(struct commit_processor *processor) REQUIRES(processor->lock)
{
    if (processor->is_sleeping)
        condition_signal(&processor->work_there);
    processor->is_sleeping = false;    /* once is enough */
}

static void commit_process(struct request_processor *self, struct request *request)
{
    struct commit_processor *processor = commit_of(self);
    request->commit_queue_start_ms = clock_elapsed_ms();
    mutex_lock(&processor->lock);
    while (processor->pairing.queued.count >= QUEUED_BOUND && !processor->is_closed) {
        wake_thread(processor);
        processor->producers_waiting++;
        condition_wait(&processor->room_there, &processor->lock);
        processor->producers_waiting--;
    }
    bool is_closed = processor->is_closed;
    if (!is_closed)
        commit_pairing_add_request(&processor->pairing, request);
    mutex_unlock(&processor->lock);
    if (is_closed)
        request_unref(request);    /* coming down: nobody will answer any more */
}

void commit_processor_wake(struct commit_processor *processor)
{
    mutex_lock(&processor->lock);
    if (commit_pairing_has_work(&processor->pairing))
        wake_thread(processor);
    mutex_unlock(&processor->lock);
}

static void commit_flush(struct request_processor *self)
{
    commit_processor_wake(commit_of(self));
}

static void commit_shutdown(struct request_processor *self)
{
    struct commit_processor *processor = commit_of(self);
    log_info("Shutting down");
    mutex_lock(&processor->lock);
    processor->is_closed = true;
    condition_signal(&processor->work_there);
    condition_broadcast(&processor->room_there);
    mutex_unlock(&processor->lock);
    thread_join(processor->thread);
    processor->thread = NULL;
    worker_service_stop(processor->workers);
    processor->workers = NULL;
    mutex_lock(&processor->lock);
    size_t dropped = commit_pairing_release(&processor->pairing);
    mutex_unlock(&processor->lock);
    if (dropped > 0)
        log_info("%zu requests were dropped that wait for a commit which will not come", dropped);
    processor->next->shutdown(processor->next);
}

static void commit_free(struct request_processor *self)
{
    struct commit_processor *processor = commit_of(self);
    assert(processor->thread == NULL);
    condition_release(&processor->work_there);
    condition_release(&processor->room_there);
    condition_release(&processor->pool_empty);
    mutex_release(&processor->lock);
    memory_free(processor);
}

/* ---- public ---- */

static int worker_count(const struct server_options *options)
{
    if (options->commit_processor_num_worker_threads >= 0)
        return (int)options->commit_processor_num_worker_threads;
    int processors = thread_processors();
    return processors <= FEW_PROCESSORS ? 0 : processors;
}

struct commit_processor *commit_processor_start(struct server_core *core, bool match_syncs,
                                                struct request_processor *next)
{
    const struct server_options *options = core->options;
    struct commit_processor *processor = MEMORY_NEW(struct commit_processor);
    processor->base = (struct request_processor){commit_process, commit_flush, commit_shutdown, commit_free};
    processor->core = core;
    processor->next = next;
    mutex_init(&processor->lock);
    condition_init(&processor->work_there);
    condition_init(&processor->room_there);
    condition_init(&processor->pool_empty);
    mutex_lock(&processor->lock);
    commit_pairing_init(&processor->pairing, match_syncs, options->commit_processor_max_read_batch_size,
                        options->commit_processor_max_commit_batch_size, core->metrics);
    mutex_unlock(&processor->lock);
    int workers = worker_count(options);
    log_info("Configuring CommitProcessor with %d worker threads, readBatchSize %" PRId64 " commitBatchSize %" PRId64,
             workers, options->commit_processor_max_read_batch_size, options->commit_processor_max_commit_batch_size);
    if (workers > 0)
        processor->workers = worker_service_start("CommitProcWork", workers, WORKER_BOUND);
    char *name = string_format("CommitProcessor:%" PRId64, core->server_id);
    processor->thread = thread_start(name, commit_run, processor);
    memory_free(name);
    return processor;
}

struct request_processor *commit_processor_base(struct commit_processor *processor)
{
    return &processor->base;
}

void commit_processor_commit(struct commit_processor *processor, struct request *request)
{
    request->commit_receive_ms = clock_elapsed_ms();
    mutex_lock(&processor->lock);
    bool is_closed = processor->is_closed;
    if (!is_closed)
        commit_pairing_add_commit(&processor->pairing, request);
    mutex_unlock(&processor->lock);
    if (is_closed)
        request_unref(request);
    else
        server_metrics_count(processor->core->metrics, METRIC_COMMITS_QUEUED, 1);
}
