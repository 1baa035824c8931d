/*
 * to_be_applied_request_processor.c - keeps toBeApplied short.
 *
 * Mirrors org.apache.zookeeper.server.quorum.Leader.ToBeAppliedRequestProcessor.
 */
#include "server/quorum/to_be_applied_request_processor.h"

#include "common/base/log.h"
#include "common/base/memory.h"

struct to_be_applied_request_processor {
    struct request_processor base;
    struct leader *leader;
    struct request_processor *next;
};

static struct to_be_applied_request_processor *processor_of(struct request_processor *self)
{
    return container_of(self, struct to_be_applied_request_processor, base);
}

static void processor_process(struct request_processor *self, struct request *request)
{
    struct to_be_applied_request_processor *processor = processor_of(self);
    bool is_write = request->txn != NULL;
    int64_t zxid = is_write ? request->txn->header.zxid : 0;
    request_processor_process(processor->next, request);
    if (is_write)
        leader_request_applied(processor->leader, zxid);
}

static void processor_flush(struct request_processor *self)
{
    request_processor_flush(processor_of(self)->next);
}

static void processor_shutdown(struct request_processor *self)
{
    struct to_be_applied_request_processor *processor = processor_of(self);
    log_info("Shutting down");
    processor->next->shutdown(processor->next);
}

static void processor_free(struct request_processor *self)
{
    memory_free(processor_of(self));
}

struct request_processor *to_be_applied_request_processor_new(struct leader *leader, struct request_processor *next)
{
    struct to_be_applied_request_processor *processor = MEMORY_NEW(struct to_be_applied_request_processor);
    processor->base = (struct request_processor){processor_process, processor_flush, processor_shutdown,
                                                 processor_free};
    processor->leader = leader;
    processor->next = next;
    return &processor->base;
}
