/*
 * The other end of a leader's connection: finding it, registering, catching up, then packets in a loop. Mirrors
 * quorum.Learner and what Follower and Observer share. QuorumPeer's thread reads; any thread writes.
 */
#ifndef ZKC_SERVER_QUORUM_LEARNER_H
#define ZKC_SERVER_QUORUM_LEARNER_H

#include "server/quorum/quorum_packet.h"
#include "server/quorum/quorum_self.h"
#include "server/zookeeper_server.h"

struct learner;

/* ---- for processors of its chain; any thread ---- */
/* REQUEST: session, cxid, type, payload, ids. Keeps nothing of the request; written by
 * learner_flush(). A broken link is noticed by the reader. */
void learner_request(struct learner *learner, const struct request *request);
/* ACK of a proposal that is durable here; written by learner_flush() too. SyncThread. */
void learner_send_ack(struct learner *learner, int64_t zxid);
void learner_flush(struct learner *learner);
/* REVALIDATE: the answer finishes the session of this connection (a reference is kept). */
void learner_validate_session(struct learner *learner, struct server_cnxn *cnxn, int64_t session_id,
                              int32_t timeout_ms);
/* Whom an observer learns from; -1 before it knows. */
int64_t learner_master_id(struct learner *learner);
size_t learner_pending_revalidation_count(struct learner *learner);
/* Ends the role from any thread: the reader returns. */
void learner_shutdown(struct learner *learner, const char *reason);

#endif
