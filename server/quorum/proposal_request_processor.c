/*
 * proposal_request_processor.c - queues a request for its commit, proposes its transaction, logs it.
 *
 * Mirrors org.apache.zookeeper.server.quorum.ProposalRequestProcessor.
 *
 *   prep --> [ sync of a learner ] --> leader: answered when what was proposed is committed
 *        --> next (Q5) --> propose (Q8 of each follower) --> sync (Q4)
 * (1) A request is in Q5 before it is proposed, so that its commit finds it.
 * (2) What was not proposed is not logged.
 */
#include "server/quorum/proposal_request_processor.h"

#include "common/base/log.h"
#include "common/base/memory.h"

struct proposal_request_processor {
    struct request_processor base;
    struct server_core *core;
    struct leader *leader;
    struct request_processor *next, *sync;
};

static struct proposal_request_processor *processor_of(struct request_processor *self)
{
    return container_of(self, struct proposal_request_processor, base);
}

static bool should_forward(struct proposal_request_processor *processor, const struct request *request)
{
    if (!processor->core->options->forward_learner_requests_to_commit_processor_disabled ||
        !server_core_is_from_learner(request))
        return true;
    server_metrics_count(processor->core->metrics, METRIC_REQUESTS_NOT_FORWARDED_TO_COMMIT_PROCESSOR, 1);
    return false;
}

static void processor_process(struct request_processor *self, struct request *request)
{
    struct proposal_request_processor *processor = processor_of(self);
    if (request->learner_handler != NULL) {
        leader_process_sync(processor->leader, request);
        return;
    }
    if (should_forward(processor, request))
        request_processor_process(processor->next, request_ref(request));    /* (1) */
    if (request->txn != NULL && leader_propose(processor->leader, request))
        request_processor_process(processor->sync, request);    /* (2) */
    else
        request_unref(request);
}

static void processor_flush(struct request_processor *self)
{
    struct proposal_request_processor *processor = processor_of(self);
    request_processor_flush(processor->next);
    leader_flush(processor->leader);
    request_processor_flush(processor->sync);
}

static void processor_shutdown(struct request_processor *self)
{
    struct proposal_request_processor *processor = processor_of(self);
    log_info("Shutting down");
    processor->next->shutdown(processor->next);
    processor->sync->shutdown(processor->sync);
}

static void processor_free(struct request_processor *self)
{
    memory_free(processor_of(self));
}

struct request_processor *proposal_request_processor_new(struct server_core *core, struct leader *leader,
                                                         struct request_processor *next,
                                                         struct request_processor *sync)
{
    struct proposal_request_processor *processor = MEMORY_NEW(struct proposal_request_processor);
    processor->base = (struct request_processor){processor_process, processor_flush, processor_shutdown,
                                                 processor_free};
    processor->core = core;
    processor->leader = leader;
    processor->next = next;
    processor->sync = sync;
    log_info("zookeeper.forward_learner_requests_to_commit_processor_disabled = %s",
             core->options->forward_learner_requests_to_commit_processor_disabled ? "true" : "false");
    return &processor->base;
}
