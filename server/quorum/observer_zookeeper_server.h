/*
 * The server as an observer: OBSERVER_REQUEST - COMMIT - final, and beside it packets - SYNC, if observer.syncEnabled.
 * Mirrors ObserverZooKeeperServer. As follower_zookeeper_server.h where nothing else is said.
 */
#ifndef ZKC_SERVER_QUORUM_OBSERVER_ZOOKEEPER_SERVER_H
#define ZKC_SERVER_QUORUM_OBSERVER_ZOOKEEPER_SERVER_H

#include "server/quorum/learner.h"

struct observer_zookeeper_server;
struct observer_zookeeper_server *observer_zookeeper_server_new(struct quorum_self *self,
                                                                struct zookeeper_server *server,
                                                                struct learner *learner);
void observer_zookeeper_server_free(struct observer_zookeeper_server *zks);
void observer_zookeeper_server_create_session_tracker(struct observer_zookeeper_server *zks);
void observer_zookeeper_server_startup(struct observer_zookeeper_server *zks);
/* commitRequest: Q4 (if syncEnabled) and Q6. Takes the reference. */
void observer_zookeeper_server_commit_request(struct observer_zookeeper_server *zks, struct request *request);
void observer_zookeeper_server_sync(struct observer_zookeeper_server *zks);
void observer_zookeeper_server_flush(struct observer_zookeeper_server *zks);
void observer_zookeeper_server_touch_snapshot(struct observer_zookeeper_server *zks, struct buffer *out);
size_t observer_zookeeper_server_pending_sync_count(struct observer_zookeeper_server *zks);

#endif
