/*
 * The first of the leader's chain: early ACL check, local sessions upgraded. Mirrors LeaderRequestProcessor. On the
 * thread of its caller: any.
 */
#ifndef ZKC_SERVER_QUORUM_LEADER_REQUEST_PROCESSOR_H
#define ZKC_SERVER_QUORUM_LEADER_REQUEST_PROCESSOR_H

#include "server/request/server_core.h"

/* Both are borrowed. */
struct request_processor *leader_request_processor_new(struct server_core *core, struct request_processor *next);

#endif
