/* auth_election_message.c - 48 bytes there and back. */
#include "server/quorum/auth_election_message.h"

#include <string.h>

#include "server/quorum/big_endian.h"

void auth_election_message_write(const struct auth_election_message *message, uint8_t bytes[AUTH_ELECTION_MESSAGE_SIZE])
{
    memset(bytes, 0, AUTH_ELECTION_MESSAGE_SIZE);
    uint8_t *at = put_int32(bytes, (int32_t)message->type);
    at = put_int64(at, message->tag);
    at = put_int32(at, (int32_t)message->vote.state);
    if (message->type == AUTH_ELECTION_CHALLENGE)
        put_int64(at, message->challenge);
    if (message->type != AUTH_ELECTION_NOTIFICATION && message->type != AUTH_ELECTION_ACK)
        return;
    at = put_int64(at, message->vote.id);
    at = put_int64(at, message->vote.zxid);
    at = put_int64(at, message->vote.election_epoch);
    if (message->type == AUTH_ELECTION_NOTIFICATION)
        put_int64(at, message->challenge);
}

bool auth_election_message_read(const uint8_t *bytes, size_t size, struct auth_election_message *ret_message)
{
    if (size != AUTH_ELECTION_MESSAGE_SIZE)
        return false;
    int32_t type = get_int32(bytes), state = get_int32(bytes + 12);
    if (type < AUTH_ELECTION_REQUEST || type > AUTH_ELECTION_ACK || state < PEER_LOOKING || state > PEER_OBSERVING)
        return false;
    *ret_message = (struct auth_election_message){.type = (enum auth_election_type)type, .tag = get_int64(bytes + 4)};
    ret_message->vote.state = (enum peer_state)state;
    if (type == AUTH_ELECTION_CHALLENGE)
        ret_message->challenge = get_int64(bytes + 16);
    if (type == AUTH_ELECTION_NOTIFICATION || type == AUTH_ELECTION_ACK) {
        ret_message->vote.id = get_int64(bytes + 16);
        ret_message->vote.zxid = get_int64(bytes + 24);
        ret_message->vote.election_epoch = get_int64(bytes + 32);
        ret_message->vote.peer_epoch = -1;
        ret_message->challenge = get_int64(bytes + 40);
    }
    return true;
}
