/* Listens at the election port, one thread an address, and reads the first message of each connection. Mirrors
 * QuorumCnxManager.Listener and ListenerHandler. */
#ifndef ZKC_SERVER_QUORUM_ELECTION_LISTENER_H
#define ZKC_SERVER_QUORUM_ELECTION_LISTENER_H

#include "common/net/address.h"
#include "server/quorum/election_message.h"
#include "server/quorum/quorum_self.h"

struct election_listener;
struct election_listener_events {
    /* A peer has said who it is. Socket and addresses of the message are the owner's now. Must not wait. */
    void (*connected)(void *owner, int fd, const struct address *peer, struct initial_message *message);
};
/*
 * Threads "QuorumPeerListener" and "ListenerHandler-<address>". A peer has timeout_ms to say who it is. An address that
 * cannot be bound is tried again each second, electionPortBindRetry times; when all have given up
 * quorum_self_fail(EXIT_CODE_UNABLE_TO_BIND_QUORUM_PORT) is called.
 */
struct election_listener *election_listener_start(struct quorum_self *self, int64_t timeout_ms,
                                                  const struct election_listener_events *events, void *owner);
/* Closes the sockets and joins all; may be called twice, by one thread at a time. */
void election_listener_halt(struct election_listener *listener);
void election_listener_free(struct election_listener *listener);    /* halts; NULL is accepted */

#endif
