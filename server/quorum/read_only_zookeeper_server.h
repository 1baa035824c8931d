/*
 * The server while it has no quorum and readonlymode.enabled: READ_ONLY_REQUEST - PREP - final. Mirrors
 * ReadOnlyZooKeeperServer. QuorumPeer's thread, or the one that waits for the grace period.
 */
#ifndef ZKC_SERVER_QUORUM_READ_ONLY_ZOOKEEPER_SERVER_H
#define ZKC_SERVER_QUORUM_READ_ONLY_ZOOKEEPER_SERVER_H

#include "server/quorum/quorum_self.h"
#include "server/zookeeper_server.h"

struct read_only_zookeeper_server;
struct read_only_zookeeper_server *read_only_zookeeper_server_new(struct quorum_self *self,
                                                                  struct zookeeper_server *server);
void read_only_zookeeper_server_startup(struct read_only_zookeeper_server *zks);
void read_only_zookeeper_server_free(struct read_only_zookeeper_server *zks);    /* after the role was shut down */

#endif
