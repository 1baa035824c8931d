/*
 * What the request processors of a follower and of an observer share: each request goes to the commit processor first,
 * so that the answer finds it, and then, if it needs the ensemble, to the leader. Queue Q3.
 */
#ifndef ZKC_SERVER_QUORUM_LEARNER_REQUEST_PROCESSOR_H
#define ZKC_SERVER_QUORUM_LEARNER_REQUEST_PROCESSOR_H

#include "server/quorum/learner.h"
#include "server/quorum/pending_syncs.h"

struct learner_request_processor_options {
    const char *name;               /* "FollowerRequestProcessor": of the thread, with ":<sid>" behind it */
    bool skips_learner_requests;    /* what other learners sent through this one does not go to `next` */
};
/* Starts its thread; all are borrowed. process() and flush() may be called by any thread. */
struct request_processor *learner_request_processor_start(struct server_core *core, struct learner *learner,
                                                          struct pending_syncs *syncs, struct request_processor *next,
                                                          const struct learner_request_processor_options *options);

#endif
