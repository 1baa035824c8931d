/* The leader's log acknowledges to the leader itself. Mirrors AckRequestProcessor. SyncThread only. */
#ifndef ZKC_SERVER_QUORUM_ACK_REQUEST_PROCESSOR_H
#define ZKC_SERVER_QUORUM_ACK_REQUEST_PROCESSOR_H

#include "server/quorum/leader.h"

/* All are borrowed. `commit`, which an ack may have given something to do, is woken at the end of a batch. */
struct request_processor *ack_request_processor_new(struct server_core *core, struct leader *leader,
                                                    struct request_processor *commit);

#endif
