/*
 * The datagram of electionAlg 1 and 2, always 48 bytes, numbers big-endian. Mirrors the packets of
 * AuthFastLeaderElection. Pure; any thread.
 *
 *   type 4, tag 8, state 4, then: of a request nothing; of a challenge, challenge 8; of a notification and of an ack
 *   leader 8, zxid 8, round 8, challenge 8 (or nothing); zeros up to the end
 */
#ifndef ZKC_SERVER_QUORUM_AUTH_ELECTION_MESSAGE_H
#define ZKC_SERVER_QUORUM_AUTH_ELECTION_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>

#include "server/quorum/vote.h"

#define AUTH_ELECTION_MESSAGE_SIZE 48

enum auth_election_type {
    AUTH_ELECTION_REQUEST, AUTH_ELECTION_CHALLENGE, AUTH_ELECTION_NOTIFICATION, AUTH_ELECTION_ACK
};
struct auth_election_message {
    enum auth_election_type type;
    int64_t tag;             /* of the notification that it is about */
    struct vote vote;        /* state; id, zxid and election_epoch of notification and ack */
    int64_t challenge;       /* of challenge and notification */
};
void auth_election_message_write(const struct auth_election_message *message,
                                 uint8_t bytes[AUTH_ELECTION_MESSAGE_SIZE]);
/* False: another size, type or state. */
bool auth_election_message_read(const uint8_t *bytes, size_t size, struct auth_election_message *ret_message);

#endif
