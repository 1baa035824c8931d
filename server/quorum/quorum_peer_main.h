/*
 * A server that stands alone, or one of an ensemble, as its configuration says: what a program runs. Mirrors
 * QuorumPeerMain and ZooKeeperServerMain. Main thread.
 */
#ifndef ZKC_SERVER_QUORUM_QUORUM_PEER_MAIN_H
#define ZKC_SERVER_QUORUM_QUORUM_PEER_MAIN_H

#include "server/quorum/quorum_peer.h"

/* {0} is ready to be started. */
struct quorum_peer_main {
    struct quorum_peer_config config;
    struct quorum_peer *peer;            /* NULL when it stands alone */
    struct zookeeper_server *server;
};

/* Arguments are borrowed (hooks may be NULL). Serving comes with a quorum. After a failure, with *ret_exit_code set,
 * only release it. */
int quorum_peer_main_start(struct quorum_peer_main *self, struct server_options *options,
                           struct four_letter_hook *four_letter, struct failure_hook *failure, int *ret_exit_code,
                           struct error *error);
/* Everything is joined when it returns. */
void quorum_peer_main_shutdown(struct quorum_peer_main *self);
void quorum_peer_main_release(struct quorum_peer_main *self);

#endif
