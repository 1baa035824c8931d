/*
 * follower_request_processor.c - learner_request_processor.c under the name of
 * org.apache.zookeeper.server.quorum.FollowerRequestProcessor.
 */
#include "server/quorum/follower_request_processor.h"

#include "common/base/log.h"
#include "server/quorum/learner_request_processor.h"

struct request_processor *follower_request_processor_start(struct server_core *core, struct learner *learner,
                                                           struct pending_syncs *syncs, struct request_processor *next)
{
    struct learner_request_processor_options options = {
        .name = "FollowerRequestProcessor",
        .skips_learner_requests = core->options->follower_skip_learner_request_to_next_processor,
    };
    log_info("Initialized FollowerRequestProcessor with zookeeper.follower.skipLearnerRequestToNextProcessor as %s",
             options.skips_learner_requests ? "true" : "false");
    return learner_request_processor_start(core, learner, syncs, next, &options);
}
