/*
 * fuzz_quorum_packet.c - libFuzzer target: the stream of packets of a quorum port, and what their data is parsed as.
 *
 * The first byte says in what pieces the stream comes. Oracles: the same packets come whatever the pieces are; where a
 * packet is said to be there already, no byte is asked for; what was read, written, reads back as the same. Touched
 * sessions, REVALIDATE, requests and what learners say of themselves are parsed as by a leader in fuzz_learner_handler.
 */
#include <assert.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "common/base/log.h"
#include "common/base/memory.h"
#include "common/wire/multi.h"
#include "common/wire/op_code.h"
#include "server/persistence/txn.h"
#include "server/quorum/flexible/quorum_verifier.h"
#include "server/quorum/quorum_packet.h"
#include "tests/fuzz/fed_stream.h"

#define SUGGESTED_LEADER_SIZE 8
#define REQUEST_HEAD_SIZE 16

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void parse_config(struct slice text)
{
    struct quorum_parse_options options = {.is_multi_address_enabled = true, .is_standalone_enabled = true};
    struct quorum_verifier *verifier;
    struct error error = {0};
    if (quorum_verifier_parse_text((const char *)text.bytes, text.size, &options, &verifier, &error) == ZK_OK)
        quorum_verifier_unref(verifier);
    else
        assert(error.text[0] != '\0');
}

static void parse_txn(const struct received_packet *packet, size_t offset)
{
    if (packet->bytes == NULL || packet->data.size < offset)
        return;
    struct txn_rules rules = {.digest_enabled = true};
    struct blob *bytes = blob_new_copy(packet->data.bytes + offset, packet->data.size - offset);
    struct txn *txn;
    struct error error = {0};
    if (txn_new_from_bytes(bytes, &rules, &txn, &error) == ZK_OK) {
        struct buffer text = {0};
        txn_body_print(&txn->header, &txn->body, &text);
        buffer_release(&text);
        if (txn->header.type == OP_RECONFIG && txn->body.is_present && txn->body.record.set_data.data.size >= 0)
            parse_config((struct slice){txn->body.record.set_data.data.bytes,
                                        (size_t)txn->body.record.set_data.data.size});
        txn_unref(txn);
    } else {
        assert(error.text[0] != '\0');
    }
    blob_unref(bytes);
}

static void parse_request(const struct received_packet *packet)
{
    if (packet->data.size < REQUEST_HEAD_SIZE)
        return;
    struct jute_reader reader;
    struct arena arena = {0};
    union {
        struct create_request create;
        struct create_ttl_request create_ttl;
        struct delete_request remove;
        struct set_data_request set_data;
        struct set_acl_request set_acl;
        struct reconfig_request reconfig;
        struct sync_request sync;
        struct multi_ops multi;
    } record;
    jute_reader_init(&reader, packet->data.bytes + REQUEST_HEAD_SIZE, packet->data.size - REQUEST_HEAD_SIZE, &arena);
    switch ((int32_t)load_be32(packet->data.bytes + 12)) {
    case OP_CREATE: case OP_CREATE2: case OP_CREATE_CONTAINER: jute_read_create_request(&reader, &record.create); break;
    case OP_CREATE_TTL: jute_read_create_ttl_request(&reader, &record.create_ttl); break;
    case OP_DELETE: jute_read_delete_request(&reader, &record.remove); break;
    case OP_SET_DATA: jute_read_set_data_request(&reader, &record.set_data); break;
    case OP_SET_ACL: jute_read_set_acl_request(&reader, &record.set_acl); break;
    case OP_RECONFIG: jute_read_reconfig_request(&reader, &record.reconfig); break;
    case OP_SYNC: jute_read_sync_request(&reader, &record.sync); break;
    case OP_MULTI: multi_read_ops(&reader, &record.multi); break;
    default: break;
    }
    arena_release(&arena);
}

static void parse_info(const struct received_packet *packet)
{
    struct jute_reader reader;
    struct learner_info info;
    jute_reader_init(&reader, packet->data.bytes, packet->data.size, NULL);
    jute_read_learner_info(&reader, &info);
}

static void parse_data(const struct received_packet *packet)
{
    switch (packet->type) {
    case QP_REQUEST: parse_request(packet); break;
    case QP_PROPOSAL: case QP_INFORM: parse_txn(packet, 0); break;
    case QP_INFORMANDACTIVATE: parse_txn(packet, SUGGESTED_LEADER_SIZE); break;
    case QP_NEWLEADER: parse_config(packet->data); break;
    case QP_FOLLOWERINFO: case QP_OBSERVERINFO: parse_info(packet); break;
    default: break;
    }
}

/* Reads to the end, and writes what came; how many packets. */
static size_t run(const uint8_t *bytes, size_t size, uint8_t pieces, struct buffer *out)
{
    struct fed_stream from, to;
    fed_stream_init(&from, bytes, size, pieces, NULL);
    fed_stream_init(&to, NULL, 0, 0, out);
    struct quorum_channel *in = quorum_channel_new(&from.stream, 0), *back = quorum_channel_new(&to.stream, 0);
    struct received_packet packet = {0};
    struct error error = {0};
    size_t count = 0;
    for (;;) {
        bool is_here = quorum_channel_has_packet(in);
        size_t reads = from.reads;
        int err = quorum_channel_read_packet(in, &packet, &error);
        assert(!is_here || from.reads == reads);
        (void)is_here, (void)reads;
        if (err != ZK_OK) {
            assert((err == ZK_EOF || err == ZK_MARSHALLING_ERROR) && error.text[0] != '\0');
            assert(packet.bytes == NULL && packet.data.bytes == NULL && !packet.has_authinfo);
            break;
        }
        count++;
        struct buffer text = {0};
        received_packet_print(&packet, &text);
        buffer_release(&text);
        parse_data(&packet);
        err = quorum_channel_write_packet(back, packet.type, packet.zxid, packet.bytes != NULL ? &packet.data : NULL,
                                          packet.has_authinfo ? &packet.authinfo : NULL, &error);
        assert(err == ZK_OK);
    }
    int err = quorum_channel_flush(back, &error);
    assert(err == ZK_OK && quorum_channel_buffered(back) == 0);
    (void)err;
    quorum_channel_free(in);
    quorum_channel_free(back);
    return count;
}

static void assert_same(const struct buffer *a, const struct buffer *b)
{
    assert(a->size == b->size && (a->size == 0 || memcmp(a->bytes, b->bytes, a->size) == 0));
    (void)a, (void)b;
}

/* A surrogate of three bytes may stand in it: such text does not read as it was written, in Java neither. */
static bool has_surrogate(const struct buffer *bytes)
{
    for (size_t i = 0; i + 1 < bytes->size; i++)
        if (bytes->bytes[i] == 0xed && bytes->bytes[i + 1] >= 0xa0)
            return true;
    return false;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    log_set_level(NULL, LOG_OFF);
    struct buffer whole = {0}, cut = {0}, again = {0};
    size_t count = run(data + 1, size - 1, 0, &whole);
    if (data[0] != 0) {
        size_t cut_count = run(data + 1, size - 1, data[0], &cut);
        assert(cut_count == count);
        (void)cut_count;
        assert_same(&whole, &cut);
    }
    size_t again_count = run(whole.bytes, whole.size, 0, &again);
    assert(again_count == count);
    (void)again_count;
    if (!has_surrogate(&whole))
        assert_same(&whole, &again);
    buffer_release(&whole);
    buffer_release(&cut);
    buffer_release(&again);
    return 0;
}
