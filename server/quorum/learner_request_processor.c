/*
 * learner_request_processor.c - to the commit processor, and then to the leader.
 *
 * Mirrors org.apache.zookeeper.server.quorum.FollowerRequestProcessor and ObserverRequestProcessor, which differ in
 * name alone.
 *
 *   submitted (Q3) --> [ ACL, if it is checked early ] --+--> next (Q5)
 *                                                        +--> REQUEST to the leader
 * (1) A request is in Q5 before the leader hears of it.
 * (2) A sync is in pending_syncs before the leader hears of it.
 */
#include "server/quorum/learner_request_processor.h"

#include <assert.h>
#include <inttypes.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/memory.h"
#include "common/base/strings.h"
#include "common/thread/blocking_queue.h"
#include "common/thread/thread.h"
#include "common/wire/op_code.h"
#include "server/quorum/session_upgrade.h"
#include "server/request/eager_acl_check.h"

#define SUBMITTED_BOUND 8192
#define BATCH_SIZE 256

BLOCKING_QUEUE_OF(request_queue, struct request *);

struct learner_request_processor {
    struct request_processor base;
    struct server_core *core;
    struct learner *learner;
    struct pending_syncs *syncs;
    struct request_processor *next;
    bool skips_learner_requests;
    struct request_queue *submitted;    /* Q3 */
    struct thread *thread;
};

/* ---- the thread ---- */

static void pass_on(struct learner_request_processor *processor, struct request *request)
{
    if (processor->skips_learner_requests && server_core_is_from_learner(request))
        server_metrics_count(processor->core->metrics, METRIC_SKIP_LEARNER_REQUEST_TO_NEXT_PROCESSOR_COUNT, 1);
    else
        request_processor_process(processor->next, request_ref(request));
}

/* Does it need the ensemble. */
static bool is_for_leader(const struct request *request)
{
    return !request->is_throttled && (request->type == OP_SYNC || request_is_quorum(request));
}

/* What a batch leaves to be flushed. */
struct unflushed {
    bool to_leader, to_client;
};

static void handle(struct learner_request_processor *processor, struct request *request, struct unflushed *unflushed)
{
    if (!eager_acl_check_passes(processor->core, request)) {
        unflushed->to_client = true;
        return;
    }
    pass_on(processor, request);    /* (1) */
    if (!is_for_leader(request))
        return;
    if (request->type == OP_SYNC)
        pending_syncs_add(processor->syncs, request_ref(request));    /* (2) */
    learner_request(processor->learner, request);
    unflushed->to_leader = true;
}

static void processor_run(void *arg)
{
    struct learner_request_processor *processor = arg;
    struct request *batch[BATCH_SIZE];
    size_t count;
    while ((count = request_queue_take(processor->submitted, batch, BATCH_SIZE)) > 0) {
        server_metrics_sample(processor->core->metrics, METRIC_LEARNER_REQUEST_PROCESSOR_QUEUE_SIZE, (int64_t)count);
        struct unflushed unflushed = {0};
        for (size_t i = 0; i < count; i++) {
            handle(processor, batch[i], &unflushed);
            request_unref(batch[i]);
        }
        request_processor_flush(processor->next);
        if (unflushed.to_leader)
            learner_flush(processor->learner);
        if (unflushed.to_client)
            processor->core->callbacks->flush_connections(processor->core);
    }
    log_info("%s exited loop!", thread_current_name());
}

/* ---- as a processor ---- */

static struct learner_request_processor *processor_of(struct request_processor *self)
{
    return container_of(self, struct learner_request_processor, base);
}

static void submit(struct learner_request_processor *processor, struct request *request)
{
    request->queue_start_ms = clock_coarse_ms();
    if (request_queue_put_quiet(processor->submitted, request) != ZK_OK)
        request_unref(request);    /* coming down: nobody will answer any more */
}

static void processor_process(struct request_processor *self, struct request *request)
{
    struct learner_request_processor *processor = processor_of(self);
    struct request *upgrade = NULL;
    if (!server_core_is_from_learner(request))    /* the learner it came from has seen to that */
        session_upgrade_check(processor->core, request, &upgrade);
    if (upgrade != NULL)
        submit(processor, upgrade);
    submit(processor, request);
}

static void processor_flush(struct request_processor *self)
{
    request_queue_wake(processor_of(self)->submitted);
}

static void processor_shutdown(struct request_processor *self)
{
    struct learner_request_processor *processor = processor_of(self);
    log_info("Shutting down");
    request_queue_close(processor->submitted);
    thread_join(processor->thread);
    processor->thread = NULL;
    processor->next->shutdown(processor->next);
}

static void processor_free(struct request_processor *self)
{
    struct learner_request_processor *processor = processor_of(self);
    assert(processor->thread == NULL);
    request_queue_free(processor->submitted);
    memory_free(processor);
}

struct request_processor *learner_request_processor_start(struct server_core *core, struct learner *learner,
                                                          struct pending_syncs *syncs, struct request_processor *next,
                                                          const struct learner_request_processor_options *options)
{
    struct learner_request_processor *processor = MEMORY_NEW(struct learner_request_processor);
    processor->base = (struct request_processor){processor_process, processor_flush, processor_shutdown,
                                                 processor_free};
    processor->core = core;
    processor->learner = learner;
    processor->syncs = syncs;
    processor->next = next;
    processor->skips_learner_requests = options->skips_learner_requests;
    processor->submitted = request_queue_new(SUBMITTED_BOUND);
    char *name = string_format("%s:%" PRId64, options->name, core->server_id);
    processor->thread = thread_start(name, processor_run, processor);
    memory_free(name);
    return &processor->base;
}
