/*
 * send_ack_request_processor.c - what is durable here is acknowledged, a batch at a time.
 *
 * Mirrors org.apache.zookeeper.server.quorum.SendAckRequestProcessor.
 */
#include "server/quorum/send_ack_request_processor.h"

#include "common/base/memory.h"

struct send_ack_request_processor {
    struct request_processor base;
    struct server_core *core;
    struct learner *learner;
};

static struct send_ack_request_processor *processor_of(struct request_processor *self)
{
    return container_of(self, struct send_ack_request_processor, base);
}

static void processor_process(struct request_processor *self, struct request *request)
{
    struct send_ack_request_processor *processor = processor_of(self);
    if (request->txn != NULL) {    /* a sync has none */
        server_core_sample_since_txn(processor->core, METRIC_PROPOSAL_ACK_CREATION_LATENCY, request);
        learner_send_ack(processor->learner, request->txn->header.zxid);
    }
    request_unref(request);
}

static void processor_flush(struct request_processor *self)
{
    learner_flush(processor_of(self)->learner);
}

static void processor_shutdown(struct request_processor *self)
{
    (void)self;    /* the learner is not its to take down */
}

static void processor_free(struct request_processor *self)
{
    memory_free(processor_of(self));
}

struct request_processor *send_ack_request_processor_new(struct server_core *core, struct learner *learner)
{
    struct send_ack_request_processor *processor = MEMORY_NEW(struct send_ack_request_processor);
    processor->base = (struct request_processor){processor_process, processor_flush, processor_shutdown,
                                                 processor_free};
    processor->core = core;
    processor->learner = learner;
    return &processor->base;
}
