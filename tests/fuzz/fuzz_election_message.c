/*
 * fuzz_election_message.c - libFuzzer target: what comes to an election port.
 *
 * The first byte says whether it is the first message of a connection (even) or a notification. Oracle: what was read,
 * written, reads back as the same; of an address with a bracket in its name, which nothing resolves, that is not asked.
 */
#include <assert.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "common/base/log.h"
#include "server/quorum/election_message.h"
#include "server/quorum/flexible/quorum_verifier.h"

#define HEAD_SIZE (INITIAL_VERSION_SIZE + INITIAL_HEAD_SIZE)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* As the listener reads it. ZK_EOF where more would have to come; ZK_AGAIN for one that is a bare id. */
static int read_initial(const uint8_t *bytes, size_t size, struct initial_message *ret_message, struct error *error)
{
    int64_t sid;
    size_t text_size;
    if (size < INITIAL_VERSION_SIZE)
        return ZK_EOF;
    int err = initial_message_read_version(bytes, &sid, error);
    if (err == ZK_OK) {
        assert(sid >= 0);
        return ZK_AGAIN;
    }
    if (err != ZK_AGAIN)
        return err;
    if (size < HEAD_SIZE)
        return ZK_EOF;
    err = initial_message_read_head(bytes + INITIAL_VERSION_SIZE, &sid, &text_size, error);
    if (err != ZK_OK)
        return err;
    assert(text_size > 0 && text_size <= INITIAL_ADDRESSES_LIMIT);
    if (size - HEAD_SIZE < text_size)
        return ZK_EOF;
    return initial_message_read_addresses(sid, (const char *)bytes + HEAD_SIZE, text_size, ret_message, error);
}

static bool can_be_written(const struct initial_message *message)
{
    for (size_t i = 0; i < message->address_count; i++)
        if (strpbrk(message->addresses[i].host, "[]") != NULL)
            return false;
    return message->address_count > 0;
}

static void check_initial(const struct initial_message *message)
{
    struct buffer out = {0};
    struct initial_message again = {0};
    struct error error = {0};
    initial_message_write(message->sid, message->addresses, message->address_count, true, &out);
    if (out.size <= HEAD_SIZE + INITIAL_ADDRESSES_LIMIT) {    /* names are longer when they are complete */
        int err = read_initial(out.bytes, out.size, &again, &error);
        assert(err == ZK_OK && again.sid == message->sid && again.address_count == message->address_count);
        (void)err;
        for (size_t i = 0; i < again.address_count; i++)
            assert(quorum_address_equal(&again.addresses[i], &message->addresses[i]));
    }
    initial_message_release(&again);
    buffer_release(&out);
}

static void initial(const uint8_t *bytes, size_t size)
{
    struct initial_message message = {0};
    struct error error = {0};
    int err = read_initial(bytes, size, &message, &error);
    assert(err == ZK_OK || err == ZK_AGAIN || err == ZK_EOF || (err == ZK_MARSHALLING_ERROR && error.text[0] != '\0'));
    if (err == ZK_OK && can_be_written(&message))
        check_initial(&message);
    initial_message_release(&message);
}

static void parse_config(struct slice text)
{
    struct quorum_parse_options options = {.is_standalone_enabled = true};
    struct quorum_verifier *verifier;
    if (quorum_verifier_parse_text((const char *)text.bytes, text.size, &options, &verifier, NULL) == ZK_OK)
        quorum_verifier_unref(verifier);
}

static void assert_same_vote(const struct vote *a, const struct vote *b)
{
    assert(a->state == b->state && a->id == b->id && a->zxid == b->zxid);
    assert(a->election_epoch == b->election_epoch && a->peer_epoch == b->peer_epoch);
    (void)a, (void)b;
}

static void notification(const uint8_t *bytes, size_t size)
{
    struct notification one, again;
    struct slice config, config_again;
    struct error error = {0};
    int err = notification_read(bytes, size, &one, &config, &error);
    assert(err == ZK_OK || (err == ZK_MARSHALLING_ERROR && error.text[0] != '\0'));
    if (err != ZK_OK)
        return;
    assert(config.bytes == NULL || (config.bytes >= bytes && config.size <= size - (size_t)(config.bytes - bytes)));
    parse_config(config);
    struct blob *blob = notification_write(&one.vote, config.bytes, config.size);
    err = notification_read(blob->bytes, blob->size, &again, &config_again, &error);
    assert(err == ZK_OK && again.vote.version == NOTIFICATION_VERSION);
    assert_same_vote(&again.vote, &one.vote);
    assert(notification_state_is_known(&again) == notification_state_is_known(&one));
    assert(config_again.size == config.size);
    assert(config.size == 0 || memcmp(config_again.bytes, config.bytes, config.size) == 0);
    blob_unref(blob);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    log_set_level(NULL, LOG_OFF);
    if (data[0] % 2 == 0)
        initial(data + 1, size - 1);
    else
        notification(data + 1, size - 1);
    return 0;
}
