/*
 * The server as a leader: leader_request - PREP - proposal - COMMIT - to_be_applied - final, and beside it proposal -
 * SYNC - ack. Mirrors LeaderZooKeeperServer and, for what roles of an ensemble share, QuorumZooKeeperServer.
 */
#ifndef ZKC_SERVER_QUORUM_LEADER_ZOOKEEPER_SERVER_H
#define ZKC_SERVER_QUORUM_LEADER_ZOOKEEPER_SERVER_H

#include "server/quorum/leader.h"

struct leader_zookeeper_server;
struct leader_zookeeper_server *leader_zookeeper_server_new(struct quorum_self *self, struct zookeeper_server *server,
                                                            struct leader *leader);
void leader_zookeeper_server_free(struct leader_zookeeper_server *zks);    /* after zookeeper_server_shutdown_role() */
/* createSessionTracker, before learners come in; startup once a quorum acked NEWLEADER. */
void leader_zookeeper_server_create_session_tracker(struct leader_zookeeper_server *zks);
void leader_zookeeper_server_startup(struct leader_zookeeper_server *zks);

/* A committed proposal -> Q6; takes a reference of its own, the caller's stays. Leader lock. This call and those below
 * may come at any time: before startup and after the role was taken down they do nothing. */
void leader_zookeeper_server_commit(struct leader_zookeeper_server *zks, struct request *request);
void leader_zookeeper_server_wake_commit(struct leader_zookeeper_server *zks);
/* A learner's request, straight to prep; takes the reference. Handlers. Wakes. */
void leader_zookeeper_server_submit_learner_request(struct leader_zookeeper_server *zks, struct request *request);
/* touch and revalidation for handlers: false when the session is not alive. */
bool leader_zookeeper_server_touch(struct leader_zookeeper_server *zks, int64_t session_id, int32_t timeout_ms);
bool leader_zookeeper_server_revalidate(struct leader_zookeeper_server *zks, int64_t session_id, int32_t timeout_ms,
                                        const void *owner);

#endif
