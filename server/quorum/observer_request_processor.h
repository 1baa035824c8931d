/* The first of an observer's chain. Mirrors ObserverRequestProcessor; thread "ObserverRequestProcessor:<sid>", queue
 * Q3. */
#ifndef ZKC_SERVER_QUORUM_OBSERVER_REQUEST_PROCESSOR_H
#define ZKC_SERVER_QUORUM_OBSERVER_REQUEST_PROCESSOR_H

#include "server/quorum/learner.h"
#include "server/quorum/pending_syncs.h"

/* Starts its thread; all are borrowed. process() and flush() may be called by any thread. */
struct request_processor *observer_request_processor_start(struct server_core *core, struct learner *learner,
                                                           struct pending_syncs *syncs, struct request_processor *next);

#endif
