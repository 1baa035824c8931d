/* Servers of an ensemble that do nothing but elect, many in one process, on free ports of 127.0.0.1. */
#ifndef ZKC_TESTS_UNIT_SERVER_QUORUM_ELECTION_PEERS_H
#define ZKC_TESTS_UNIT_SERVER_QUORUM_ELECTION_PEERS_H

#include "common/thread/thread.h"
#include "server/quorum/fast_leader_election.h"

enum { MOST_PEERS = 6, DEADLINE_MS = 20000 };

uint16_t free_port(void);    /* of 127.0.0.1, for TCP and UDP */
/* Waits until `is_so` holds; the test fails after DEADLINE_MS. */
void wait_until(bool (*is_so)(void *arg), void *arg, const char *fact);

struct election_peer {
    struct server_options options;
    struct quorum_self self;
    struct quorum_cnx_manager *manager;
    struct fast_leader_election *election;
    struct thread *thread;    /* looks for a leader, like QuorumPeer */
    _Atomic int64_t zxid;
    _Atomic bool has_found;
    _Atomic int failed_with;    /* exit code; -1: none */
    struct vote found;
    int result;
};
/* Lines "server.N=127.0.0.1:P:Q:participant" for ids 1 to count, and version=0; the caller's. `observer`: id or 0. */
char *election_config(size_t count, int64_t observer, uint16_t ports[MOST_PEERS + 1]);
/* `peer` must stay where it is until the peer is stopped. */
void election_peer_init(struct election_peer *peer, int64_t id, const char *config, int64_t zxid);
void election_peer_start(struct election_peer *peer);    /* listener and messenger */
void election_peer_look(struct election_peer *peer);     /* begins to look for a leader, on its own thread */
/* Waits for the end of that; the vote it found. */
struct vote election_peer_leader(struct election_peer *peer);
void election_peer_stop(struct election_peer *peer);     /* as a server that ends */

/* ---- a peer that is none, at an election port ---- */
int raw_connect(uint16_t port);    /* tries until somebody listens */
void raw_send(int fd, const void *bytes, size_t size);
void raw_introduce(int fd, int64_t sid);
void raw_send_frame(int fd, uint32_t length, const void *bytes, size_t size);    /* length as it says */

#endif
