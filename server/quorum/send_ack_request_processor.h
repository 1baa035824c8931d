/* A follower's log acknowledges to the leader. Mirrors SendAckRequestProcessor. SyncThread only. */
#ifndef ZKC_SERVER_QUORUM_SEND_ACK_REQUEST_PROCESSOR_H
#define ZKC_SERVER_QUORUM_SEND_ACK_REQUEST_PROCESSOR_H

#include "server/quorum/learner.h"

/* Both are borrowed. ACKs are written together at the end of a batch. */
struct request_processor *send_ack_request_processor_new(struct server_core *core, struct learner *learner);

#endif
