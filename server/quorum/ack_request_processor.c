/*
 * ack_request_processor.c - what is durable here counts as an ack of this server.
 *
 * Mirrors org.apache.zookeeper.server.quorum.AckRequestProcessor.
 */
#include "server/quorum/ack_request_processor.h"

#include "common/base/memory.h"

struct ack_request_processor {
    struct request_processor base;
    struct server_core *core;
    struct leader *leader;
    struct request_processor *commit;
};

static struct ack_request_processor *processor_of(struct request_processor *self)
{
    return container_of(self, struct ack_request_processor, base);
}

static void processor_process(struct request_processor *self, struct request *request)
{
    struct ack_request_processor *processor = processor_of(self);
    server_core_sample_since_txn(processor->core, METRIC_PROPOSAL_ACK_CREATION_LATENCY, request);
    leader_process_ack(processor->leader, processor->core->server_id, request->zxid);
    request_unref(request);
}

static void processor_flush(struct request_processor *self)
{
    struct ack_request_processor *processor = processor_of(self);
    leader_flush(processor->leader);
    request_processor_flush(processor->commit);
}

static void processor_shutdown(struct request_processor *self)
{
    (void)self;    /* neither leader nor commit processor is its to take down */
}

static void processor_free(struct request_processor *self)
{
    memory_free(processor_of(self));
}

struct request_processor *ack_request_processor_new(struct server_core *core, struct leader *leader,
                                                    struct request_processor *commit)
{
    struct ack_request_processor *processor = MEMORY_NEW(struct ack_request_processor);
    processor->base = (struct request_processor){processor_process, processor_flush, processor_shutdown,
                                                 processor_free};
    processor->core = core;
    processor->leader = leader;
    processor->commit = commit;
    return &processor->base;
}
