/*
 * observer_request_processor.c - learner_request_processor.c under the name of
 * org.apache.zookeeper.server.quorum.ObserverRequestProcessor.
 */
#include "server/quorum/observer_request_processor.h"

#include "server/quorum/learner_request_processor.h"

struct request_processor *observer_request_processor_start(struct server_core *core, struct learner *learner,
                                                           struct pending_syncs *syncs, struct request_processor *next)
{
    struct learner_request_processor_options options = {.name = "ObserverRequestProcessor"};
    return learner_request_processor_start(core, learner, syncs, next, &options);
}
