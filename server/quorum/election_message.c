/* election_message.c - bytes of the election port. */
#include "server/quorum/election_message.h"

#include <inttypes.h>
#include <string.h>

#include "common/base/memory.h"
#include "common/base/strings.h"
#include "common/net/address.h"
#include "common/wire/zxid.h"
#include "server/quorum/big_endian.h"
#include "server/quorum/flexible/host_and_port.h"

enum { SIZE_28 = 28, SIZE_40 = 40, SIZE_44 = 44 };

static void append_address(struct initial_message *message, const char *host, uint16_t port)
{
    size_t size = (message->address_count + 1) * sizeof(*message->addresses);
    message->addresses = memory_realloc(message->addresses, size);
    message->addresses[message->address_count++] = (struct quorum_address){.host = host_canonical(host), .port = port};
}

static bool is_wildcard(const char *host)
{
    struct address address;
    return address_from_ip(host, 0, &address) && address_is_any(&address);
}

static int read_address(struct initial_message *message, const char *text, struct error *error)
{
    struct text_pieces pieces = {0};
    uint16_t port;
    int err = ZK_OK;
    if (host_and_port_split(text, &pieces, NULL) != ZK_OK || pieces.count != 2)
        err = error_set(error, ZK_MARSHALLING_ERROR, "Badly formed address: %s", text);
    else if (port_parse(pieces.items[0], pieces.items[1], &port, NULL) != ZK_OK)
        err = error_set(error, ZK_MARSHALLING_ERROR, "Bad port number: %s", pieces.items[1]);
    else if (!is_wildcard(pieces.items[0]))
        append_address(message, pieces.items[0], port);
    text_pieces_release(&pieces);
    return err;
}

void initial_message_release(struct initial_message *message)
{
    for (size_t i = 0; i < message->address_count; i++)
        memory_free(message->addresses[i].host);
    memory_free(message->addresses);
    *message = (struct initial_message){0};
}

void initial_message_write(int64_t sid, const struct quorum_address *addresses, size_t count, bool is_multi_address,
                           struct buffer *out)
{
    struct buffer text = {0};
    quorum_addresses_print(addresses, is_multi_address || count == 0 ? count : 1, &text);
    uint8_t *at = buffer_extend(out, INITIAL_VERSION_SIZE + INITIAL_HEAD_SIZE);
    at = put_int64(at, is_multi_address ? ELECTION_PROTOCOL_V2 : ELECTION_PROTOCOL_V1);
    at = put_int64(at, sid);
    put_int32(at, (int32_t)text.size);
    buffer_append(out, text.bytes, text.size);
    buffer_release(&text);
}

int initial_message_read_version(const uint8_t bytes[INITIAL_VERSION_SIZE], int64_t *ret_sid, struct error *error)
{
    int64_t version = get_int64(bytes);
    if (version >= 0) {
        *ret_sid = version;
        return ZK_OK;
    }
    if (version == ELECTION_PROTOCOL_V1 || version == ELECTION_PROTOCOL_V2)
        return ZK_AGAIN;
    return error_set(error, ZK_MARSHALLING_ERROR, "Got unrecognized protocol version %" PRId64, version);
}

int initial_message_read_head(const uint8_t bytes[INITIAL_HEAD_SIZE], int64_t *ret_sid, size_t *ret_size,
                              struct error *error)
{
    int32_t size = get_int32(bytes + 8);
    if (size <= 0 || size > INITIAL_ADDRESSES_LIMIT)
        return error_set(error, ZK_MARSHALLING_ERROR, "Unreasonable buffer length: %" PRId32, size);
    *ret_sid = get_int64(bytes);
    *ret_size = (size_t)size;
    return ZK_OK;
}

int initial_message_read_addresses(int64_t sid, const char *text, size_t size, struct initial_message *ret_message,
                                   struct error *error)
{
    struct initial_message message = {.sid = sid};
    struct text_pieces pieces;
    char *copy = string_copy_n(text, strnlen(text, size));
    text_split(copy, '|', &pieces);
    int err = ZK_OK;
    for (size_t i = 0; err == ZK_OK && i < pieces.count; i++)
        err = read_address(&message, pieces.items[i], error);
    text_pieces_release(&pieces);
    memory_free(copy);
    if (err == ZK_OK)
        *ret_message = message;
    else
        initial_message_release(&message);
    return err;
}

struct blob *notification_write(const struct vote *vote, const void *config, size_t config_size)
{
    struct blob *blob = blob_new(SIZE_44 + config_size);
    uint8_t *at = blob->bytes;
    at = put_int32(at, (int32_t)vote->state);
    at = put_int64(at, vote->id);
    at = put_int64(at, vote->zxid);
    at = put_int64(at, vote->election_epoch);
    at = put_int64(at, vote->peer_epoch);
    at = put_int32(at, NOTIFICATION_VERSION);
    at = put_int32(at, (int32_t)config_size);
    if (config_size > 0)
        memcpy(at, config, config_size);
    return blob;
}

int notification_read(const uint8_t *bytes, size_t size, struct notification *ret_notification,
                      struct slice *ret_config, struct error *error)
{
    if (size < SIZE_28)
        return error_set(error, ZK_MARSHALLING_ERROR, "a message of %zu bytes is too short", size);
    if (size > SIZE_28 && size < SIZE_40)
        return error_set(error, ZK_MARSHALLING_ERROR, "a message of %zu bytes ends in the middle", size);
    struct vote vote = {
        .id = get_int64(bytes + 4), .zxid = get_int64(bytes + 12), .election_epoch = get_int64(bytes + 20)};
    vote.state = (enum peer_state)get_int32(bytes);
    vote.peer_epoch = size > SIZE_28 ? get_int64(bytes + 28) : zxid_epoch(vote.zxid);
    vote.version = size > SIZE_40 ? get_int32(bytes + 36) : 0;
    struct slice config = {0};
    if (vote.version > 1) {
        if (size < SIZE_44)
            return error_set(error, ZK_MARSHALLING_ERROR, "a message of %zu bytes has no length of its config", size);
        int32_t config_size = get_int32(bytes + SIZE_40);
        if (config_size < 0 || (size_t)config_size > size - SIZE_44)
            return error_set(error, ZK_MARSHALLING_ERROR, "a config of %" PRId32 " bytes in a message of %zu",
                             config_size, size);
        config = (struct slice){.bytes = bytes + SIZE_44, .size = (size_t)config_size};
    }
    *ret_notification = (struct notification){.vote = vote};
    *ret_config = config;
    return ZK_OK;
}
