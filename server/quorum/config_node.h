/* /zookeeper/config as this server's configuration has it. Mirrors ZKDatabase.initConfigInZKDatabase. */
#ifndef ZKC_SERVER_QUORUM_CONFIG_NODE_H
#define ZKC_SERVER_QUORUM_CONFIG_NODE_H

#include "server/persistence/zk_database.h"
#include "server/quorum/quorum_self.h"

/* There is no transaction behind the first configuration, or one that came with an election: it is written into the
 * tree when a role begins. The thread that writes the tree, while no chain runs. */
void config_node_init(struct quorum_self *self, struct zk_database *database);

#endif
