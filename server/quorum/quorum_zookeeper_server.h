/*
 * What the roles of an ensemble share. Mirrors QuorumZooKeeperServer: each role's struct begins with this one. The
 * functions have the signatures of role_ops.
 */
#ifndef ZKC_SERVER_QUORUM_QUORUM_ZOOKEEPER_SERVER_H
#define ZKC_SERVER_QUORUM_QUORUM_ZOOKEEPER_SERVER_H

#include "server/quorum/quorum_self.h"
#include "server/quorum/upgradeable_session_tracker.h"
#include "server/zookeeper_server.h"

struct quorum_zookeeper_server {
    struct server_role role;         /* first */
    struct quorum_self *self;        /* borrowed, like the others */
    struct zookeeper_server *server;
    struct server_core *core;        /* the server's */
};
void quorum_zookeeper_server_init(struct quorum_zookeeper_server *zks, const struct role_ops *ops,
                                  struct quorum_self *self, struct zookeeper_server *server);

struct quorum_tracker_options quorum_zookeeper_server_tracker_options(const struct quorum_zookeeper_server *zks);
/* getGlobalOutstandingLimit of those that vote: divided by their number less one. */
int64_t quorum_zookeeper_server_outstanding_limit(struct server_role *role, int64_t configured);
void quorum_zookeeper_server_set_local_session_flag(struct server_role *role, struct request *request);
/* The text of the present configuration. */
void quorum_zookeeper_server_print_config(struct server_role *role, struct buffer *out);
/* Words: the lines of dumpConf behind those of every server, peer_state, and the gauge quorum_size. */
void quorum_zookeeper_server_list_values(struct server_role *role,
                                         void (*value)(void *context, const char *name, const char *text),
                                         void *context);
void quorum_zookeeper_server_print_conf(struct server_role *role, struct buffer *out);
void quorum_zookeeper_server_list_gauges(struct server_role *role,
                                         void (*gauge)(void *context, const char *name, int64_t value), void *context);

#endif
