/*
 * What a follower's server and an observer's share: a request processor, the commit processor and final for clients;
 * the log beside them. Mirrors LearnerZooKeeperServer. Thread: QuorumPeer's, where nothing else is said.
 */
#ifndef ZKC_SERVER_QUORUM_LEARNER_ZOOKEEPER_SERVER_H
#define ZKC_SERVER_QUORUM_LEARNER_ZOOKEEPER_SERVER_H

#include "server/quorum/commit_processor.h"
#include "server/quorum/learner.h"
#include "server/quorum/pending_syncs.h"
#include "server/quorum/quorum_zookeeper_server.h"

struct learner_zookeeper_server {
    struct quorum_zookeeper_server quorum;    /* first */
    struct learner *learner;                  /* borrowed */
    struct pending_syncs pending_syncs;

    /* The chain, from startup to shutdown. */
    struct request_processor *first, *final;
    struct commit_processor *commit;
    struct request_processor *sync;           /* NULL: nothing is logged */
    struct request_processor *behind_sync;    /* NULL: nothing comes behind the log */
};
void learner_zookeeper_server_init(struct learner_zookeeper_server *zks, const struct role_ops *ops,
                                   struct quorum_self *self, struct zookeeper_server *server, struct learner *learner);
void learner_zookeeper_server_release(struct learner_zookeeper_server *zks);

/* ---- for role_ops and role_life ---- */
/* A local session is this server's to know, a global one the leader's. Any thread. */
void learner_zookeeper_server_revalidate(struct server_role *role, struct server_cnxn *cnxn, int64_t session_id,
                                         int32_t timeout_ms);
struct session_tracker *learner_zookeeper_server_make_tracker(struct server_role *role,
                                                              struct zookeeper_server *server);
/* The head and what it hands to, then the log. */
void learner_zookeeper_server_shutdown_processors(struct server_role *role);
void learner_zookeeper_server_free_processors(struct server_role *role);

/* ---- packets ---- */
/* The oldest pending sync goes on; if none is pending that is logged. */
const void *learner_zookeeper_server_sync(struct learner_zookeeper_server *zks);
void learner_zookeeper_server_flush(struct learner_zookeeper_server *zks);
void learner_zookeeper_server_touch_snapshot(struct learner_zookeeper_server *zks, struct buffer *out);

#endif
