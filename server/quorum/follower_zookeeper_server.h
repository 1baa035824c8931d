/*
 * The server as a follower: FOLLOWER_REQUEST - COMMIT - final, and beside it packets - SYNC - send_ack. Mirrors
 * FollowerZooKeeperServer and LearnerZooKeeperServer. The calls below are QuorumPeer's thread's, one batch of packets
 * at a time: what they handed on is woken by _flush().
 */
#ifndef ZKC_SERVER_QUORUM_FOLLOWER_ZOOKEEPER_SERVER_H
#define ZKC_SERVER_QUORUM_FOLLOWER_ZOOKEEPER_SERVER_H

#include "server/quorum/learner.h"

struct follower_zookeeper_server;
struct follower_zookeeper_server *follower_zookeeper_server_new(struct quorum_self *self,
                                                                struct zookeeper_server *server,
                                                                struct learner *learner);
void follower_zookeeper_server_free(struct follower_zookeeper_server *zks);    /* after the role was shut down */
void follower_zookeeper_server_create_session_tracker(struct follower_zookeeper_server *zks);
void follower_zookeeper_server_startup(struct follower_zookeeper_server *zks);

/* logRequest: pending_txns (unless its counter is 0) and Q4; acked once durable. Takes the request's reference. */
void follower_zookeeper_server_log_request(struct follower_zookeeper_server *zks, struct request *request);
/* commit: the head of pending_txns -> Q6. ZK_OK; ZK_NOT_FOUND when nothing is pending (logged, as Java), ZK_CORRUPT
 * when the head is another (Java exits 12: the caller leaves the quorum). */
int follower_zookeeper_server_commit(struct follower_zookeeper_server *zks, int64_t zxid, struct error *error);
/* The next one to be committed, borrowed; NULL: none is pending. For COMMITANDACTIVATE, whose configuration stands in
 * it. */
const struct request *follower_zookeeper_server_pending_head(struct follower_zookeeper_server *zks);
/* SYNC: the oldest pending sync goes on. Whose observer asked for it (request->learner_handler); NULL for a client. */
const void *follower_zookeeper_server_sync(struct follower_zookeeper_server *zks);
void follower_zookeeper_server_flush(struct follower_zookeeper_server *zks);
/* PING: (session, timeout) of every session touched since the last one, as the data of the answer. */
void follower_zookeeper_server_touch_snapshot(struct follower_zookeeper_server *zks, struct buffer *out);
/* ---- for an observer master; any thread, while the chain runs ---- */
/* processObserverRequest: into the chain as it is; takes the reference. */
void follower_zookeeper_server_submit_observer_request(struct follower_zookeeper_server *zks, struct request *request);
void follower_zookeeper_server_touch(struct follower_zookeeper_server *zks, int64_t session_id, int32_t timeout_ms);
/* How many observers there are, for mntr. */
void follower_zookeeper_server_set_observer_count(struct follower_zookeeper_server *zks, size_t count);

size_t follower_zookeeper_server_pending_sync_count(struct follower_zookeeper_server *zks);

#endif
