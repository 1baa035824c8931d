/* wire_learner.c - a learner played by a test. */
#include "tests/unit/server/quorum/wire_learner.h"

#include "common/base/clock.h"
#include "common/net/socket.h"
#include "tests/lib/check_main.h"

#define TIMEOUT_MS 20000

void wire_learner_connect(struct wire_learner *learner, uint16_t port, int64_t sid)
{
    struct address address;
    struct error error = { 0 };
    int fd;
    ck_assert(address_from_ip("127.0.0.1", port, &address));
    int err = socket_connect(&address, clock_elapsed_ms() + TIMEOUT_MS, &fd, &error);
    ck_assert_msg(err == ZK_OK, "%s", error.text);
    socket_set_no_delay(fd);
    *learner = (struct wire_learner){
        .sid = sid, .channel = quorum_channel_new(stream_new_plain(fd), TIMEOUT_MS) };
}

void wire_learner_close(struct wire_learner *learner)
{
    received_packet_release(&learner->packet);
    quorum_channel_free(learner->channel);
    learner->channel = NULL;
}

void wire_learner_send(struct wire_learner *learner, int32_t type, int64_t zxid, const void *data, size_t size)
{
    struct slice slice = { .bytes = data, .size = size };
    ck_assert_int_eq(
        quorum_channel_write_packet(learner->channel, type, zxid, data != NULL ? &slice : NULL, NULL, NULL), ZK_OK);
    quorum_channel_flush(learner->channel, NULL);    /* a connection that was closed shows when it is read */
}

void wire_learner_read(struct wire_learner *learner)
{
    struct error error = { 0 };
    int64_t deadline_ms = clock_elapsed_ms() + TIMEOUT_MS;
    do {
        int err = quorum_channel_read_packet(learner->channel, &learner->packet, &error);
        ck_assert_msg(clock_elapsed_ms() < deadline_ms, "server %d got only PINGs", (int)learner->sid);
        ck_assert_msg(err == ZK_OK, "server %d: %s", (int)learner->sid, error.text);
        if (learner->packet.type == QP_PING)
            wire_learner_send(learner, QP_PING, learner->packet.zxid, "", 0);
    } while (learner->packet.type == QP_PING);
}

int64_t wire_learner_expect(struct wire_learner *learner, int32_t type)
{
    wire_learner_read(learner);
    ck_assert_msg(learner->packet.type == type, "server %d got %s 0x%lx, not %s", (int)learner->sid,
                  quorum_packet_name(learner->packet.type), (long)learner->packet.zxid, quorum_packet_name(type));
    return learner->packet.zxid;
}

void wire_learner_expect_end(struct wire_learner *learner)
{
    struct error error = { 0 };
    int err;
    do {
        err = quorum_channel_read_packet(learner->channel, &learner->packet, &error);
    } while (err == ZK_OK && learner->packet.type == QP_PING);
    ck_assert_msg(err == ZK_EOF || err == ZK_IO, "%d, %s", err, error.text);
}

void wire_learner_info(struct wire_learner *learner, int32_t type, int64_t accepted_epoch)
{
    uint8_t info[20];
    store_be64(info, (uint64_t)learner->sid);
    store_be32(info + 8, 0x10000);
    store_be64(info + 12, 0);
    wire_learner_send(learner, type, (int64_t)((uint64_t)accepted_epoch << 32), info, sizeof(info));
}

void wire_learner_register(struct wire_learner *learner, int32_t type, int64_t accepted_epoch, int32_t current_epoch,
                           int64_t last_zxid)
{
    uint8_t epoch[4];
    wire_learner_info(learner, type, accepted_epoch);
    learner->epoch_zxid = wire_learner_expect(learner, QP_LEADERINFO);
    ck_assert_uint_eq(learner->packet.data.size, 4);
    ck_assert_uint_eq(load_be32(learner->packet.data.bytes), 0x10000);
    store_be32(epoch, (uint32_t)current_epoch);
    wire_learner_send(learner, QP_ACKEPOCH, last_zxid, epoch, sizeof(epoch));
}

void wire_learner_finish(struct wire_learner *learner)
{
    ck_assert_int_eq(wire_learner_expect(learner, QP_NEWLEADER), learner->epoch_zxid);
    wire_learner_send(learner, QP_ACK, learner->epoch_zxid, NULL, 0);
    ck_assert_int_eq(wire_learner_expect(learner, QP_UPTODATE), -1);
    wire_learner_send(learner, QP_ACK, learner->epoch_zxid, NULL, 0);
}

void wire_learner_request(struct wire_learner *learner, int64_t session_id, int32_t cxid, int32_t type,
                          struct buffer *payload)
{
    struct buffer data = { 0 };
    jute_write_int64(&data, session_id);
    jute_write_int32(&data, cxid);
    jute_write_int32(&data, type);
    buffer_append(&data, payload->bytes, payload->size);
    wire_learner_send(learner, QP_REQUEST, -1, data.bytes, data.size);
    buffer_release(&data);
    buffer_clear(payload);
}
