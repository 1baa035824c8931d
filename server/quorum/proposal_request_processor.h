/*
 * Where the leader's chain forks: to the commit processor, to the followers, to the log. Mirrors
 * ProposalRequestProcessor. ProcessThread only.
 */
#ifndef ZKC_SERVER_QUORUM_PROPOSAL_REQUEST_PROCESSOR_H
#define ZKC_SERVER_QUORUM_PROPOSAL_REQUEST_PROCESSOR_H

#include "server/quorum/leader.h"

/* All are borrowed. `next` is the commit processor, `sync` the log; it takes both down, in this order. */
struct request_processor *proposal_request_processor_new(struct server_core *core, struct leader *leader,
                                                         struct request_processor *next,
                                                         struct request_processor *sync);

#endif
