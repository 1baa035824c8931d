/* Makes connections to election ports on threads of its own, so that a peer that does not answer keeps nobody waiting.
 * Mirrors initiateConnectionAsync, QuorumConnectionReqThread and startConnection of QuorumCnxManager. Any thread. */
#ifndef ZKC_SERVER_QUORUM_QUORUM_CONNECTOR_H
#define ZKC_SERVER_QUORUM_QUORUM_CONNECTOR_H

#include "common/net/address.h"
#include "server/quorum/quorum_self.h"

struct quorum_connector;
struct quorum_connector_events {
    /* Connected, and our first message is on its way; the socket is the owner's. */
    void (*connected)(void *owner, int64_t sid, int fd);
    /* The address that check() was to look at does not answer. */
    void (*unreachable)(void *owner, int64_t sid, int fd);
};
/* Threads "QuorumConnectionThread-[myid=<id>]-<n>", at most quorum.cnxn.threads.size. */
struct quorum_connector *quorum_connector_new(struct quorum_self *self, const struct quorum_connector_events *events,
                                              void *owner);
/* One attempt at each of the addresses, in order, their names looked up anew. True: it is under way, or one to this
 * server was already; false: all threads are at work. Addresses are copied. */
bool quorum_connector_connect(struct quorum_connector *connector, int64_t sid, const struct quorum_address *addresses,
                              size_t count);
/* Whether the host at `address` still answers; for a connection over socket `fd` to a peer of several addresses. */
void quorum_connector_check(struct quorum_connector *connector, int64_t sid, int fd, const struct address *address);
/* Ends the attempts and joins the threads; no event comes afterwards. */
void quorum_connector_stop(struct quorum_connector *connector);
void quorum_connector_free(struct quorum_connector *connector);    /* stops; NULL is accepted */

#endif
