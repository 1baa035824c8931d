/*
 * request_throttler.c - lets requests into the chain while less than a limit of them are in it.
 *
 * Mirrors RequestThrottler. Thread "RequestThrottler".
 *
 *   connections ==Q2==> [ stale: drop; too many in process: stall; waited too long: mark ] --> next
 * (1) Behind a request that was dropped nothing of its connection goes on, so that order holds: the connection is
 *     invalid from then on, and closes.
 * (2) It never stalls with something handed on but not flushed: those are what it waits for.
 */
#include "server/request/request_throttler.h"

#include <assert.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/memory.h"
#include "common/thread/blocking_queue.h"
#include "common/thread/thread.h"

#define SUBMITTED_BOUND 8192
#define BATCH_SIZE 64

BLOCKING_QUEUE_OF(request_queue, struct request *);

struct request_throttler {
    struct server_core *core;
    struct request_processor *next;
    struct request_queue *submitted;    /* Q2 */
    struct thread *thread;

    struct mutex lock;
    struct condition changed;           /* one left the chain, or it is killed, or over */
    bool is_killed GUARDED_BY(lock), is_over GUARDED_BY(lock);
    _Atomic bool is_stalling;
};

bool request_throttler_is_wanted(const struct server_options *options)
{
    return options->request_throttle_limit > 0 || options->throttled_op_wait_time > 0;
}

static void drop(struct request_throttler *throttler, struct request *request)
{
    if (request->cnxn != NULL)
        server_cnxn_set_invalid(request->cnxn);    /* (1) */
    atomic_fetch_sub(&throttler->core->requests_waiting, 1);
    request_unref(request);
}

static bool is_killed(struct request_throttler *throttler)
{
    mutex_lock(&throttler->lock);
    bool is_killed = throttler->is_killed;
    mutex_unlock(&throttler->lock);
    return is_killed;
}

/* throttleSleep */
static void stall(struct request_throttler *throttler)
{
    struct server_core *core = throttler->core;
    int64_t deadline_ms = clock_elapsed_ms() + core->options->request_throttle_stall_time;
    server_metrics_count(core->metrics, METRIC_REQUEST_THROTTLE_WAIT_COUNT, 1);
    request_processor_flush(throttler->next);    /* (2) */
    core->callbacks->flush_connections(core);
    mutex_lock(&throttler->lock);
    atomic_store(&throttler->is_stalling, true);
    if (!throttler->is_killed && atomic_load(&core->requests_in_process) >= core->options->request_throttle_limit)
        condition_wait_until(&throttler->changed, &throttler->lock, deadline_ms);
    atomic_store(&throttler->is_stalling, false);
    mutex_unlock(&throttler->lock);
}

/* Until it is the request's turn; false when it is to be dropped. */
static bool wait_for_turn(struct request_throttler *throttler, struct request *request)
{
    struct server_core *core = throttler->core;
    int64_t limit = core->options->request_throttle_limit;
    while (!is_killed(throttler)) {
        if (limit > 0 && core->options->request_throttle_drop_stale && server_core_is_stale(core, request)) {
            server_metrics_count(core->metrics, METRIC_STALE_REQUESTS_DROPPED, 1);
            return false;
        }
        if (limit == 0 || atomic_load(&core->requests_in_process) < limit)
            return true;
        stall(throttler);
    }
    return false;
}

/* shouldThrottleOp */
static bool waited_too_long(const struct server_core *core, const struct request *request, int64_t waited_ms)
{
    bool is_throttlable =
        request->type != OP_PING && request->type != OP_CLOSE_SESSION && request->type != OP_CREATE_SESSION;
    int64_t most_ms = core->options->throttled_op_wait_time;
    return is_throttlable && most_ms > 0 && waited_ms > most_ms;
}

static void pass_on(struct request_throttler *throttler, struct request *request)
{
    struct server_core *core = throttler->core;
    int64_t waited_ms = clock_elapsed_ms() - request->queue_start_ms;
    if (server_core_is_stale(core, request))
        server_metrics_count(core->metrics, METRIC_STALE_REQUESTS, 1);
    server_metrics_sample(core->metrics, METRIC_REQUEST_THROTTLE_QUEUE_TIME, waited_ms);
    if (waited_too_long(core, request, waited_ms)) {
        request->is_throttled = true;
        server_metrics_count(core->metrics, METRIC_THROTTLED_OPS, 1);
    }
    request_processor_process(throttler->next, request);
    atomic_fetch_sub(&throttler->core->requests_waiting, 1);
}

static void throttler_run(void *arg)
{
    struct request_throttler *throttler = arg;
    struct request *batch[BATCH_SIZE];
    size_t count, dropped = 0;
    while ((count = request_queue_take(throttler->submitted, batch, BATCH_SIZE)) > 0) {
        for (size_t i = 0; i < count; i++) {
            bool must_drop = batch[i]->cnxn != NULL && atomic_load(&batch[i]->cnxn->is_invalid);
            if (!must_drop && wait_for_turn(throttler, batch[i])) {
                pass_on(throttler, batch[i]);
                continue;
            }
            dropped++;
            drop(throttler, batch[i]);
        }
        request_processor_flush(throttler->next);
        throttler->core->callbacks->flush_connections(throttler->core);
    }
    log_info("RequestThrottler shutdown. Dropped %zu requests", dropped);
    mutex_lock(&throttler->lock);
    throttler->is_over = true;
    condition_broadcast(&throttler->changed);
    mutex_unlock(&throttler->lock);
}

struct request_throttler *request_throttler_start(struct server_core *core, struct request_processor *next)
{
    struct request_throttler *throttler = MEMORY_NEW(struct request_throttler);
    throttler->core = core;
    throttler->next = next;
    throttler->submitted = request_queue_new(SUBMITTED_BOUND);
    mutex_init(&throttler->lock);
    condition_init(&throttler->changed);
    throttler->thread = thread_start("RequestThrottler", throttler_run, throttler);
    return throttler;
}

void request_throttler_submit(struct request_throttler *throttler, struct request *request)
{
    request->queue_start_ms = clock_elapsed_ms();
    atomic_fetch_add(&throttler->core->requests_waiting, 1);
    if (request_queue_put_quiet(throttler->submitted, request) != ZK_OK)
        drop(throttler, request);
}

void request_throttler_flush(struct request_throttler *throttler)
{
    request_queue_wake(throttler->submitted);
}

void request_throttler_wake(struct request_throttler *throttler)
{
    if (!atomic_load(&throttler->is_stalling))
        return;
    mutex_lock(&throttler->lock);
    condition_broadcast(&throttler->changed);
    mutex_unlock(&throttler->lock);
}

void request_throttler_shutdown(struct request_throttler *throttler, int64_t grace_ms)
{
    int64_t deadline_ms = clock_elapsed_ms() + grace_ms;
    request_queue_close(throttler->submitted);
    mutex_lock(&throttler->lock);
    while (!throttler->is_over && clock_elapsed_ms() < deadline_ms)
        condition_wait_until(&throttler->changed, &throttler->lock, deadline_ms);
    throttler->is_killed = true;
    condition_broadcast(&throttler->changed);
    mutex_unlock(&throttler->lock);
    thread_join(throttler->thread);
    throttler->thread = NULL;
}

void request_throttler_free(struct request_throttler *throttler)
{
    if (throttler == NULL)
        return;
    assert(throttler->thread == NULL);
    request_queue_free(throttler->submitted);
    condition_release(&throttler->changed);
    mutex_release(&throttler->lock);
    memory_free(throttler);
}
