/*
 * One server of an ensemble, over its whole life: LOOKING, then FOLLOWING, LEADING or OBSERVING, and again. Mirrors
 * QuorumPeer and QuorumPeerMain.runFromConfig; thread "QuorumPeer[myid=N]". Many may run in one process.
 */
#ifndef ZKC_SERVER_QUORUM_QUORUM_PEER_H
#define ZKC_SERVER_QUORUM_QUORUM_PEER_H

#include "server/quorum/quorum_peer_config.h"
#include "server/quorum/quorum_self.h"
#include "server/zookeeper_server.h"

struct quorum_peer;

/* Opens the data directories. All arguments are borrowed (hooks may be NULL). *ret_exit_code as
 * zookeeper_server_new(). */
int quorum_peer_new(const struct server_options *options, const struct quorum_peer_config *config,
                    struct four_letter_hook *four_letter, struct failure_hook *failure, struct quorum_peer **ret_peer,
                    int *ret_exit_code, struct error *error);
/* Loads data and epochs, opens the client port, starts the election and the loop. Serving comes with a quorum. After a
 * failure only free it. */
int quorum_peer_start(struct quorum_peer *peer, int *ret_exit_code, struct error *error);
/* In the order of ARCHITECTURE.md, "Coming down". Everything is joined when it returns. */
void quorum_peer_shutdown(struct quorum_peer *peer);
void quorum_peer_free(struct quorum_peer *peer);    /* NULL is accepted */

/* For words and tests; any thread. */
struct zookeeper_server *quorum_peer_server(struct quorum_peer *peer);
struct quorum_self *quorum_peer_self(struct quorum_peer *peer);

#endif
