/*
 * leader_request_processor.c - what only requests of the leader's own clients go through.
 *
 * Mirrors org.apache.zookeeper.server.quorum.LeaderRequestProcessor.
 */
#include "server/quorum/leader_request_processor.h"

#include "common/base/log.h"
#include "common/base/memory.h"
#include "server/quorum/session_upgrade.h"
#include "server/request/eager_acl_check.h"

struct leader_request_processor {
    struct request_processor base;
    struct server_core *core;
    struct request_processor *next;
};

static struct leader_request_processor *processor_of(struct request_processor *self)
{
    return container_of(self, struct leader_request_processor, base);
}

static void processor_process(struct request_processor *self, struct request *request)
{
    struct leader_request_processor *processor = processor_of(self);
    struct request *upgrade;
    if (!eager_acl_check_passes(processor->core, request)) {
        request_unref(request);
        return;
    }
    session_upgrade_check(processor->core, request, &upgrade);
    if (upgrade != NULL)
        request_processor_process(processor->next, upgrade);
    request_processor_process(processor->next, request);
}

static void processor_flush(struct request_processor *self)
{
    request_processor_flush(processor_of(self)->next);
}

static void processor_shutdown(struct request_processor *self)
{
    struct leader_request_processor *processor = processor_of(self);
    log_info("Shutting down");
    processor->next->shutdown(processor->next);
}

static void processor_free(struct request_processor *self)
{
    memory_free(processor_of(self));
}

struct request_processor *leader_request_processor_new(struct server_core *core, struct request_processor *next)
{
    struct leader_request_processor *processor = MEMORY_NEW(struct leader_request_processor);
    processor->base = (struct request_processor){processor_process, processor_flush, processor_shutdown,
                                                 processor_free};
    processor->core = core;
    processor->next = next;
    return &processor->base;
}
