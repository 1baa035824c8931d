/* cnxn_test.c - the recorder and its factory. */
#include "tests/unit/server/cnxn/cnxn_test.h"

#include <assert.h>
#include <string.h>

#include "common/base/log.h"
#include "common/base/memory.h"

#define RUOK 0x72756f6b

struct recorder recorder;
struct server_options cnxn_options;
struct server_metrics *cnxn_metrics;
struct server_cnxn_factory *cnxn_factory;
struct server_tls *cnxn_tls;
bool cnxn_is_unified;
static struct server_stats stats;

/* ---- the sink ---- */

static bool is_running(struct packet_sink *sink)
{
    (void)sink;
    return atomic_load(&recorder.is_running);
}

static int process_certificate(struct packet_sink *sink, struct server_cnxn *cnxn)
{
    (void)sink;
    mutex_lock(&recorder.lock);
    strncpy(recorder.certificate_name, cnxn->certificate_name, sizeof(recorder.certificate_name) - 1);
    mutex_unlock(&recorder.lock);
    return atomic_load(&recorder.certificate_verdict);
}

/* "no" is no connect request. */
static int process_connect(struct packet_sink *sink, struct server_cnxn *cnxn, struct slice frame, struct error *error)
{
    (void)sink;
    if (frame.size == 2 && memcmp(frame.bytes, "no", 2) == 0)
        return error_set(error, ZK_MARSHALLING_ERROR, "no connect request");
    server_cnxn_set_session_timeout(cnxn, SESSION_TIMEOUT_MS);
    mutex_lock(&recorder.lock);
    recorder.connect_count++;
    condition_broadcast(&recorder.changed);
    mutex_unlock(&recorder.lock);
    return ZK_OK;
}

static int process_packet(struct packet_sink *sink, struct server_cnxn *cnxn, const struct request_header *header,
                          struct blob *chunk, struct slice payload, struct error *error)
{
    (void)sink;
    (void)error;
    assert(payload.bytes >= chunk->bytes && payload.bytes + payload.size <= chunk->bytes + chunk->size);
    server_cnxn_request_received(cnxn, header->xid);
    if (atomic_load(&recorder.echoes)) {
        struct reply_header reply = {header->xid, 1, ZK_OK};
        struct packet_part part = {.blob = chunk, .blob_offset = (size_t)(payload.bytes - chunk->bytes),
                                   .size = payload.size};
        server_cnxn_send_reply(cnxn, &reply, &part, 1);
    }
    mutex_lock(&recorder.lock);
    assert(recorder.packet_count < RECEIVED_MOST);    /* Check's own are for the thread of the test */
    struct received *packet = &recorder.packets[recorder.packet_count++];
    *packet = (struct received){.cnxn = server_cnxn_ref(cnxn), .xid = header->xid, .type = header->type};
    buffer_append(&packet->payload, payload.bytes, payload.size);
    condition_broadcast(&recorder.changed);
    while (recorder.holds)
        condition_wait(&recorder.changed, &recorder.lock);
    mutex_unlock(&recorder.lock);
    return ZK_OK;
}

static bool four_letter_word(struct packet_sink *sink, struct server_cnxn *cnxn, uint32_t word, struct slice rest)
{
    (void)sink;
    (void)rest;
    if (word != RUOK)
        return false;
    server_cnxn_word_received(cnxn);
    server_cnxn_send_raw(cnxn, "imok", 4);
    server_cnxn_send_close(cnxn);
    return true;
}

static int check_frame_size(struct packet_sink *sink, int32_t length, struct error *error)
{
    (void)sink;
    if (length >= 0 && length <= atomic_load(&recorder.frame_limit))
        return ZK_OK;
    return error_set(error, ZK_TOO_LARGE, "a length of %d", length);
}

static bool should_throttle(struct packet_sink *sink, int64_t outstanding)
{
    (void)sink;
    return outstanding > atomic_load(&recorder.throttle_above);
}

static bool may_see_event(struct packet_sink *sink, struct server_cnxn *cnxn, const struct watch_event *event)
{
    (void)sink;
    (void)cnxn;
    (void)event;
    return !atomic_load(&recorder.hides_events);
}

static void remove_cnxn(struct packet_sink *sink, struct server_cnxn *cnxn)
{
    (void)sink;
    (void)cnxn;
    mutex_lock(&recorder.lock);
    recorder.removed_count++;
    condition_broadcast(&recorder.changed);
    mutex_unlock(&recorder.lock);
}

static void flush(struct packet_sink *sink)
{
    (void)sink;
    if (atomic_load(&recorder.echoes))
        server_cnxn_factory_flush(cnxn_factory);
}

static const struct packet_sink_ops recorder_ops = {
    .is_running = is_running,
    .process_certificate = process_certificate,
    .process_connect = process_connect,
    .process_packet = process_packet,
    .four_letter_word = four_letter_word,
    .check_frame_size = check_frame_size,
    .should_throttle = should_throttle,
    .may_see_event = may_see_event,
    .remove_cnxn = remove_cnxn,
    .flush = flush,
};

/* ---- life ---- */

void cnxn_set_up(void)
{
    log_set_level(NULL, LOG_ERROR);
    recorder.sink.ops = &recorder_ops;
    mutex_init(&recorder.lock);
    condition_init(&recorder.changed);
    atomic_store(&recorder.is_running, true);
    atomic_store(&recorder.throttle_above, INT64_MAX);
    atomic_store(&recorder.frame_limit, 4 * 1024 * 1024);
    server_options_init(&cnxn_options);
    cnxn_options.nio_num_selector_threads = 2;
    cnxn_metrics = server_metrics_new();
    server_stats_init(&stats);
}

void cnxn_start(int workers)
{
    struct address address;
    struct error error = {0};
    cnxn_options.nio_num_worker_threads = workers;
    ck_assert(address_from_ip("127.0.0.1", 0, &address));
    ck_assert_msg(server_cnxn_factory_new(&cnxn_options, &address, &recorder.sink, cnxn_metrics, &stats, &cnxn_factory,
                                          &error) == ZK_OK,
                  "%s", error.text);
    if (cnxn_tls != NULL)
        server_cnxn_factory_use_tls(cnxn_factory, cnxn_tls, cnxn_is_unified);
    server_cnxn_factory_start(cnxn_factory);
}

void cnxn_tear_down(void)
{
    server_cnxn_factory_shutdown(cnxn_factory);
    ck_assert_uint_eq(server_cnxn_factory_connection_count(cnxn_factory), 0);
    mutex_lock(&recorder.lock);
    for (size_t i = 0; i < recorder.packet_count; i++) {
        server_cnxn_unref(recorder.packets[i].cnxn);
        buffer_release(&recorder.packets[i].payload);
    }
    mutex_unlock(&recorder.lock);
    server_cnxn_factory_free(cnxn_factory);
    server_metrics_free(cnxn_metrics);
    server_options_release(&cnxn_options);
    condition_release(&recorder.changed);
    mutex_release(&recorder.lock);
}

/* ---- for the tests ---- */

void cnxn_join(struct raw_client *client)
{
    ck_assert_int_eq(raw_client_dial(client, server_cnxn_factory_local_port(cnxn_factory)), ZK_OK);
    mutex_lock(&recorder.lock);
    size_t before = recorder.connect_count;
    mutex_unlock(&recorder.lock);
    ck_assert_int_eq(raw_client_send_frame(client, "hello", 5), ZK_OK);
    mutex_lock(&recorder.lock);
    while (recorder.connect_count == before)
        condition_wait(&recorder.changed, &recorder.lock);
    mutex_unlock(&recorder.lock);
}

size_t cnxn_wait_packets(size_t least)
{
    mutex_lock(&recorder.lock);
    while (recorder.packet_count < least)
        condition_wait(&recorder.changed, &recorder.lock);
    size_t count = recorder.packet_count;
    mutex_unlock(&recorder.lock);
    return count;
}

size_t cnxn_wait_removed(size_t least)
{
    mutex_lock(&recorder.lock);
    while (recorder.removed_count < least)
        condition_wait(&recorder.changed, &recorder.lock);
    size_t count = recorder.removed_count;
    mutex_unlock(&recorder.lock);
    return count;
}

size_t cnxn_packet_count(void)
{
    return cnxn_wait_packets(0);
}

void cnxn_hold(bool holds)
{
    mutex_lock(&recorder.lock);
    recorder.holds = holds;
    condition_broadcast(&recorder.changed);
    mutex_unlock(&recorder.lock);
}

const struct received *cnxn_packet(size_t index)
{
    mutex_lock(&recorder.lock);
    ck_assert_uint_lt(index, recorder.packet_count);
    const struct received *packet = &recorder.packets[index];
    mutex_unlock(&recorder.lock);
    return packet;
}

void cnxn_answer(size_t index, const char *body)
{
    const struct received *packet = cnxn_packet(index);
    struct reply_header header = {packet->xid, 1, ZK_OK};
    struct packet_part part = {.bytes = body, .size = body == NULL ? 0 : strlen(body)};
    server_cnxn_send_reply(packet->cnxn, &header, &part, 1);
    server_cnxn_factory_flush(cnxn_factory);
}

struct server_cnxn *cnxn_only(void)
{
    size_t count;
    struct server_cnxn **cnxns = server_cnxn_factory_list(cnxn_factory, &count);
    ck_assert_uint_eq(count, 1);
    struct server_cnxn *cnxn = cnxns[0];
    memory_free(cnxns);
    return cnxn;
}

static uint8_t byte_of(int32_t xid, size_t at)
{
    return (uint8_t)((size_t)xid * 131 + at * 7 + (at >> 8));
}

void cnxn_append_request(struct buffer *out, int32_t xid, size_t size)
{
    jute_write_int32(out, (int32_t)size);
    jute_write_int32(out, xid);
    jute_write_int32(out, OP_EXISTS);
    for (size_t i = 0; i < size - 8; i++)
        buffer_append_byte(out, byte_of(xid, i));
}

bool cnxn_is_request(const struct received *packet, int32_t xid, size_t size)
{
    if (packet->xid != xid || packet->type != OP_EXISTS || packet->payload.size != size - 8)
        return false;
    for (size_t i = 0; i < size - 8; i++)
        if (packet->payload.bytes[i] != byte_of(xid, i))
            return false;
    return true;
}
