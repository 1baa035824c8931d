/*
 * One connection for elections per pair of servers: the server with the larger id keeps the one that it made. Mirrors
 * QuorumCnxManager. Sending never waits; every call may be made from any thread but where it says otherwise.
 */
#ifndef ZKC_SERVER_QUORUM_QUORUM_CNX_MANAGER_H
#define ZKC_SERVER_QUORUM_QUORUM_CNX_MANAGER_H

#include "common/base/blob.h"
#include "server/quorum/quorum_self.h"

struct quorum_cnx_manager;
/* A notification as it arrived; the reference is whose takes it. */
struct election_packet {
    int64_t sid;
    struct blob *message;
};
/* Starts nothing; never fails. `self` is borrowed and must outlive it. */
struct quorum_cnx_manager *quorum_cnx_manager_new(struct quorum_self *self);
/* Begins to listen. */
void quorum_cnx_manager_start(struct quorum_cnx_manager *manager);

/* toSend: into Q9 of the peer, or Q10 for this server itself; takes the reference. Connects if there is no
 * connection. */
void quorum_cnx_manager_send(struct quorum_cnx_manager *manager, int64_t sid, struct blob *message);
/* Q10. Waits for a packet; false: the manager is halted and all packets are taken. One thread at a time. */
bool quorum_cnx_manager_receive(struct quorum_cnx_manager *manager, struct election_packet *ret_packet);
/* Asks for a connection to a member, unless there is one or one is being made. Does not wait for it. */
void quorum_cnx_manager_connect_one(struct quorum_cnx_manager *manager, int64_t sid);
/* To everybody to whom something was ever sent. */
void quorum_cnx_manager_connect_all(struct quorum_cnx_manager *manager);
/* To the members of the last seen configuration that the present one has not (connectNewPeers). */
void quorum_cnx_manager_connect_new_peers(struct quorum_cnx_manager *manager);
/* True unless there is a message left for each of the peers. */
bool quorum_cnx_manager_have_delivered(struct quorum_cnx_manager *manager);
bool quorum_cnx_manager_is_connected(struct quorum_cnx_manager *manager, int64_t sid);

/* Ends the connections; new ones may be made. */
void quorum_cnx_manager_soft_halt(struct quorum_cnx_manager *manager);
/* Ends all for good: port closed, threads joined, receive() returns. Bounded by what a look-up of a name takes. Any
 * number of times, but not from a thread of the manager's own. */
void quorum_cnx_manager_halt(struct quorum_cnx_manager *manager);
void quorum_cnx_manager_free(struct quorum_cnx_manager *manager);    /* halts; NULL is accepted */

#endif
