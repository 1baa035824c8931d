/*
 * Tells the leader that the tree has a transaction, so that a learner which comes in now finds it there. Mirrors
 * Leader.ToBeAppliedRequestProcessor. Writes on the commit processor's thread, reads on any.
 */
#ifndef ZKC_SERVER_QUORUM_TO_BE_APPLIED_REQUEST_PROCESSOR_H
#define ZKC_SERVER_QUORUM_TO_BE_APPLIED_REQUEST_PROCESSOR_H

#include "server/quorum/leader.h"

/* Both are borrowed. `next` must have applied a request when its process() returns: final. */
struct request_processor *to_be_applied_request_processor_new(struct leader *leader, struct request_processor *next);

#endif
