/*
 * server_cnxn.c - one client connection: cuts the input into frames, queues the output, counts.
 *
 * Mirrors org.apache.zookeeper.server.ServerCnxn and NIOServerCnxn. Input belongs to the selector, or to the worker the
 * connection is lent to; everything else may be called by any thread. Without TLS the bytes are written by whoever
 * flushes; what the socket does not take, and with TLS all, is left in `sending` or `out` to the selector.
 *
 *   socket --> chunk --> frames --> packet_sink          replies, events --> out --(flush)--> sending --> socket
 *
 * Frames are parsed where they were received. A frame that is not whole moves into `partial`, which grows as its bytes
 * come, so that an announced length costs nothing; what follows while the connection is throttled waits in `backlog`.
 * A client that does not read its answers is not read either beyond UNSENT_TO_STOP_READING bytes; one that does not
 * read UNSENT_EVENTS_TO_CLOSE bytes of watch events, which nothing else would bound, is cut off.
 * Departs from Java: several packets are taken from one read, and replies leave in one gathered write.
 */
#include "server/cnxn/server_cnxn.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/memory.h"
#include "server/cnxn/cnxn_handshake.h"
#include "server/cnxn/selector_thread.h"
#include "server/cnxn/server_cnxn_factory.h"

#define CHUNK_SIZE (64 * 1024)
#define CHUNK_LEAST_FREE (4 * 1024)
#define PARTIAL_FIRST_SIZE (4 * 1024)
#define LENGTH_SIZE 4
#define READS_A_TURN 16
#define UNSENT_TO_STOP_READING (1024 * 1024)
#define UNSENT_EVENTS_TO_CLOSE (64 * 1024 * 1024)
#define REPLY_HEADER_SIZE 16

const char *disconnect_reason_text(enum disconnect_reason reason)
{
    static const char *const texts[] = {
        [DISCONNECT_UNKNOWN] = "unknown",
        [DISCONNECT_SERVER_SHUTDOWN] = "server_shutdown",
        [DISCONNECT_CONNECTION_EXPIRED] = "connection_expired",
        [DISCONNECT_CLIENT_CLOSED_CONNECTION] = "client_closed_connection",
        [DISCONNECT_CLIENT_CLOSED_SESSION] = "client_closed_session",
        [DISCONNECT_UNABLE_TO_READ_FROM_CLIENT] = "unable_to_read_from_client",
        [DISCONNECT_NOT_READ_ONLY_CLIENT] = "not_read_only_client",
        [DISCONNECT_CLIENT_ZXID_AHEAD] = "client_zxid_ahead",
        [DISCONNECT_INFO_PROBE] = "info_probe",
        [DISCONNECT_CLIENT_RECONNECT] = "client_reconnect",
        [DISCONNECT_IO_EXCEPTION] = "io_exception",
        [DISCONNECT_RESET_COMMAND] = "reset_command",
        [DISCONNECT_CLIENT_CNX_LIMIT] = "Client hits connection limiting threshold",
        [DISCONNECT_SASL_AUTH_FAILURE] = "sasl_auth_failure",
        [DISCONNECT_FAILED_HANDSHAKE] = "Unsuccessful handshake",
        [DISCONNECT_RENEW_GLOBAL_SESSION_IN_RO_MODE] = "renew a global session in readonly mode",
    };
    return texts[reason];
}

/* ---- as a watcher ---- */

static struct server_cnxn *cnxn_of(struct watcher *watcher)
{
    return container_of(watcher, struct server_cnxn, watcher);
}

static void watcher_process(struct watcher *watcher, const struct watch_event *event)
{
    struct server_cnxn *cnxn = cnxn_of(watcher);
    if (!cnxn->sink->ops->may_see_event(cnxn->sink, cnxn, event))
        return;
    struct buffer body = {0};
    struct watcher_event record = {event->type, event->state, event->path};
    jute_write_watcher_event(&body, &record);
    struct reply_header header = {XID_NOTIFICATION, event->zxid, ZK_OK};
    struct packet_part part = {.bytes = body.bytes, .size = body.size};
    int32_t size = server_cnxn_send_reply(cnxn, &header, &part, 1);
    server_metrics_count(server_cnxn_factory_parts(cnxn->factory)->metrics, METRIC_WATCH_BYTES, size);
    buffer_release(&body);
    if (atomic_fetch_add(&cnxn->unsent_events, size) > UNSENT_EVENTS_TO_CLOSE && !atomic_load(&cnxn->close_now)) {
        log_warn("Closing the connection of session 0x%" PRIx64 ", which does not read its events",
                 (uint64_t)atomic_load(&cnxn->session_id));
        server_cnxn_close(cnxn, DISCONNECT_IO_EXCEPTION);
    }
}

static bool watcher_is_stale(struct watcher *watcher)
{
    return atomic_load(&cnxn_of(watcher)->is_stale);
}

static int64_t watcher_session_id(struct watcher *watcher)
{
    return atomic_load(&cnxn_of(watcher)->session_id);
}

static void watcher_ref(struct watcher *watcher)
{
    server_cnxn_ref(cnxn_of(watcher));
}

static void watcher_unref(struct watcher *watcher)
{
    server_cnxn_unref(cnxn_of(watcher));
}

static const struct watcher_ops cnxn_watcher_ops = {
    .process = watcher_process,
    .is_stale = watcher_is_stale,
    .session_id = watcher_session_id,
    .ref = watcher_ref,
    .unref = watcher_unref,
};

/* ---- life ---- */

static void clear_stats(struct server_cnxn *cnxn) REQUIRES(cnxn->lock)
{
    atomic_store(&cnxn->packets_received, 0);
    cnxn->packets_sent = 0;
    cnxn->min_latency = INT64_MAX;
    cnxn->max_latency = cnxn->total_latency = cnxn->latency_count = cnxn->last_latency = 0;
    cnxn->last_cxid = cnxn->last_zxid = -1;
    cnxn->last_response_ms = 0;
    cnxn->last_op = "NA";
}

struct server_cnxn *server_cnxn_new(struct server_cnxn_factory *factory, struct selector_thread *selector,
                                    struct packet_sink *sink, struct stream *stream, const struct address *peer,
                                    int32_t session_timeout_ms)
{
    struct server_cnxn *cnxn = MEMORY_NEW(struct server_cnxn);
    cnxn->watcher.ops = &cnxn_watcher_ops;
    atomic_init(&cnxn->references, 1);
    cnxn->factory = factory;
    cnxn->selector = selector;
    cnxn->sink = sink;
    cnxn->peer = *peer;
    cnxn->established_ms = clock_wall_ms();
    cnxn->stream = stream;
    cnxn->writes_directly = server_cnxn_factory_parts(factory)->tls == NULL;
    atomic_init(&cnxn->session_timeout_ms, session_timeout_ms);
    atomic_init(&cnxn->certificate_verdict, ZK_AGAIN);
    mutex_init(&cnxn->write_lock);
    mutex_init(&cnxn->lock);
    list_init(&cnxn->factory_link);
    list_init(&cnxn->flush_link);
    list_init(&cnxn->handshake_link);

    char ip[ADDRESS_TEXT_SIZE];
    address_format_ip(peer, ip);
    struct zk_id id = {ustring_of("ip"), ustring_of(ip)};
    mutex_lock(&cnxn->lock);
    clear_stats(cnxn);
    cnxn->last_op = NULL;
    cnxn->min_latency = 0;
    cnxn->last_cxid = cnxn->last_zxid = 0;
    cnxn->auth_info = auth_info_add(auth_info_new_empty(), &id);
    mutex_unlock(&cnxn->lock);
    return cnxn;
}

struct server_cnxn *server_cnxn_ref(struct server_cnxn *cnxn)
{
    atomic_fetch_add_explicit(&cnxn->references, 1, memory_order_relaxed);
    return cnxn;
}

static void release_locked_parts(struct server_cnxn *cnxn) NO_THREAD_SAFETY_ANALYSIS
{
    out_buffer_release(&cnxn->out);
    auth_info_unref(cnxn->auth_info);
}

void server_cnxn_unref(struct server_cnxn *cnxn)
{
    if (cnxn == NULL || atomic_fetch_sub_explicit(&cnxn->references, 1, memory_order_acq_rel) != 1)
        return;
    assert(cnxn->stream == NULL && list_is_empty(&cnxn->flush_link) && list_is_empty(&cnxn->factory_link));
    release_locked_parts(cnxn);
    memory_free(cnxn->certificate_name);
    mutex_release(&cnxn->lock);
    mutex_release(&cnxn->write_lock);
    memory_free(cnxn);
}

/* ---- output, any thread ---- */

static void append_parts(struct out_buffer *out, const struct packet_part *parts, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (parts[i].blob != NULL)
            out_buffer_append_blob(out, parts[i].blob, parts[i].blob_offset, parts[i].size);
        else
            out_buffer_append(out, parts[i].bytes, parts[i].size);
    }
}

static void count_packet_sent(struct server_cnxn *cnxn) REQUIRES(cnxn->lock)
{
    cnxn->packets_sent++;
    atomic_fetch_add_explicit(&server_cnxn_factory_parts(cnxn->factory)->stats->packets_sent, 1, memory_order_relaxed);
}

/* decrOutstandingAndCheckThrottle */
static void request_answered(struct server_cnxn *cnxn, int32_t xid)
{
    if (xid <= 0)
        return;
    int64_t left = atomic_fetch_sub(&cnxn->outstanding, 1) - 1;
    if (atomic_load_explicit(&cnxn->is_throttled, memory_order_relaxed) &&
        !cnxn->sink->ops->should_throttle(cnxn->sink, left))
        server_cnxn_enable_receive(cnxn);
}

static void keep_stats(struct server_cnxn *cnxn, const struct request_stats *stats) REQUIRES(cnxn->lock)
{
    int64_t latency = stats->now_ms - stats->create_ms;
    if (stats->cxid >= 0)
        cnxn->last_cxid = stats->cxid;
    cnxn->last_zxid = stats->zxid;
    cnxn->last_op = stats->op;
    cnxn->last_response_ms = stats->now_ms;
    cnxn->last_latency = latency;
    if (latency < cnxn->min_latency)
        cnxn->min_latency = latency;
    if (latency > cnxn->max_latency)
        cnxn->max_latency = latency;
    cnxn->latency_count++;
    cnxn->total_latency += latency;
}

int32_t server_cnxn_send_reply(struct server_cnxn *cnxn, const struct reply_header *header,
                               const struct packet_part *parts, size_t count)
{
    return server_cnxn_send_answer(cnxn, header, parts, count, NULL);
}

int32_t server_cnxn_send_answer(struct server_cnxn *cnxn, const struct reply_header *header,
                                const struct packet_part *parts, size_t count, const struct request_stats *stats)
{
    size_t size = REPLY_HEADER_SIZE;
    for (size_t i = 0; i < count; i++)
        size += parts[i].size;
    uint8_t head[LENGTH_SIZE + REPLY_HEADER_SIZE];
    store_be32(head, (uint32_t)size);
    store_be32(head + 4, (uint32_t)header->xid);
    store_be64(head + 8, (uint64_t)header->zxid);
    store_be32(head + 16, (uint32_t)header->err);

    mutex_lock(&cnxn->lock);
    if (stats != NULL)
        keep_stats(cnxn, stats);
    bool is_open = !cnxn->close_when_sent && !atomic_load(&cnxn->is_stale);
    if (is_open) {
        out_buffer_append(&cnxn->out, head, sizeof head);
        append_parts(&cnxn->out, parts, count);
        count_packet_sent(cnxn);
    }
    mutex_unlock(&cnxn->lock);
    if (is_open)
        selector_thread_queue_output(cnxn->selector, cnxn);
    server_stats_update_client_response_size(server_cnxn_factory_parts(cnxn->factory)->stats, (int32_t)size);
    request_answered(cnxn, header->xid);
    return (int32_t)size;
}

void server_cnxn_send_raw(struct server_cnxn *cnxn, const void *bytes, size_t size)
{
    mutex_lock(&cnxn->lock);
    bool is_open = !cnxn->close_when_sent && !atomic_load(&cnxn->is_stale);
    if (is_open) {
        out_buffer_append(&cnxn->out, bytes, size);
        count_packet_sent(cnxn);
    }
    mutex_unlock(&cnxn->lock);
    if (is_open)
        selector_thread_queue_output(cnxn->selector, cnxn);
}

void server_cnxn_send_close(struct server_cnxn *cnxn)
{
    mutex_lock(&cnxn->lock);
    cnxn->close_when_sent = true;
    mutex_unlock(&cnxn->lock);
    selector_thread_queue(cnxn->selector, cnxn);
}

void server_cnxn_set_invalid(struct server_cnxn *cnxn)
{
    if (!atomic_exchange(&cnxn->is_invalid, true) && !atomic_load(&cnxn->is_stale))
        server_cnxn_send_close(cnxn);
}

void server_cnxn_close(struct server_cnxn *cnxn, enum disconnect_reason reason)
{
    atomic_store(&cnxn->close_reason, (int)reason);
    atomic_store(&cnxn->is_stale, true);
    atomic_store(&cnxn->close_now, true);
    selector_thread_queue(cnxn->selector, cnxn);
    selector_thread_wake(cnxn->selector);
}

/* ---- writing ---- */

/* Moves what waits behind what is being sent, and writes. ZK_OK: all is out; else as the stream. */
static int write_out(struct server_cnxn *cnxn, bool *ret_is_last) REQUIRES(cnxn->write_lock)
{
    mutex_lock(&cnxn->lock);
    out_buffer_move(&cnxn->sending, &cnxn->out);
    *ret_is_last = cnxn->close_when_sent;
    mutex_unlock(&cnxn->lock);
    if (cnxn->sending.size > 0) {
        uint64_t written = 0;
        int err = out_buffer_write(&cnxn->sending, cnxn->stream, &written);
        atomic_store_explicit(&cnxn->unsent, cnxn->sending.size, memory_order_relaxed);
        if (err != ZK_OK)
            return err;
    }
    atomic_store(&cnxn->unsent_events, 0);
    return ZK_OK;
}

/* One that is closed, or about to be, is the selector's already; what is being sent waits for the poller's word. */
bool server_cnxn_write_directly(struct server_cnxn *cnxn)
{
    bool is_last = false;
    int err = ZK_OK;
    mutex_lock(&cnxn->write_lock);
    if (cnxn->sending.size > 0)
        err = ZK_AGAIN;
    else if (cnxn->stream != NULL && !atomic_load(&cnxn->close_now))
        err = write_out(cnxn, &is_last);
    mutex_unlock(&cnxn->write_lock);
    return err == ZK_OK && !is_last;
}

static bool write_some(struct server_cnxn *cnxn)
{
    bool is_last;
    mutex_lock(&cnxn->write_lock);
    int err = write_out(cnxn, &is_last);
    mutex_unlock(&cnxn->write_lock);
    if (err == ZK_AGAIN)
        return true;
    if (err != ZK_OK) {
        atomic_store(&cnxn->close_reason, DISCONNECT_IO_EXCEPTION);
        return false;
    }
    if (is_last)
        atomic_store(&cnxn->close_reason,
                     cnxn->is_initialized ? DISCONNECT_CLIENT_CLOSED_CONNECTION : DISCONNECT_INFO_PROBE);
    return !is_last;
}

void server_cnxn_disable_receive(struct server_cnxn *cnxn)
{
    atomic_store(&cnxn->is_throttled, true);
}

void server_cnxn_enable_receive(struct server_cnxn *cnxn)
{
    if (atomic_exchange(&cnxn->is_throttled, false))
        selector_thread_queue(cnxn->selector, cnxn);
}

/* ---- session, ids, counts; any thread ---- */

void server_cnxn_set_session_id(struct server_cnxn *cnxn, int64_t session_id)
{
    atomic_store(&cnxn->session_id, session_id);
    server_cnxn_factory_set_session(cnxn->factory, cnxn, session_id);
}

void server_cnxn_set_session_timeout(struct server_cnxn *cnxn, int32_t timeout_ms)
{
    atomic_store(&cnxn->session_timeout_ms, timeout_ms);
    server_cnxn_factory_touch(cnxn->factory, cnxn);
}

struct auth_info *server_cnxn_auth_info(struct server_cnxn *cnxn)
{
    mutex_lock(&cnxn->lock);
    struct auth_info *info = auth_info_ref(cnxn->auth_info);
    mutex_unlock(&cnxn->lock);
    return info;
}

struct auth_info *server_cnxn_own_auth_info(struct server_cnxn *cnxn) NO_THREAD_SAFETY_ANALYSIS
{
    return cnxn->auth_info;
}

void server_cnxn_set_auth_info(struct server_cnxn *cnxn, struct auth_info *info)
{
    mutex_lock(&cnxn->lock);
    struct auth_info *old = cnxn->auth_info;
    cnxn->auth_info = info;
    mutex_unlock(&cnxn->lock);
    auth_info_unref(old);
}

void server_cnxn_request_received(struct server_cnxn *cnxn, int32_t xid)
{
    if (xid <= 0)
        return;
    int64_t outstanding = atomic_fetch_add(&cnxn->outstanding, 1) + 1;
    if (cnxn->sink->ops->should_throttle(cnxn->sink, outstanding))
        server_cnxn_disable_receive(cnxn);
}

void server_cnxn_update_stats(struct server_cnxn *cnxn, const struct request_stats *stats)
{
    mutex_lock(&cnxn->lock);
    keep_stats(cnxn, stats);
    mutex_unlock(&cnxn->lock);
}

void server_cnxn_reset_stats(struct server_cnxn *cnxn)
{
    atomic_store(&cnxn->close_reason, DISCONNECT_RESET_COMMAND);
    mutex_lock(&cnxn->lock);
    clear_stats(cnxn);
    mutex_unlock(&cnxn->lock);
}

static void print_session(struct server_cnxn *cnxn, struct buffer *out) REQUIRES(cnxn->lock)
{
    buffer_printf(out, ",sid=0x%" PRIx64 ",lop=%s,est=%" PRId64 ",to=%d", (uint64_t)atomic_load(&cnxn->session_id),
                  cnxn->last_op == NULL ? "null" : cnxn->last_op, cnxn->established_ms,
                  atomic_load(&cnxn->session_timeout_ms));
    if (cnxn->last_cxid >= 0)
        buffer_printf(out, ",lcxid=0x%" PRIx64, (uint64_t)cnxn->last_cxid);
    buffer_printf(out,
                  ",lzxid=0x%" PRIx64 ",lresp=%" PRId64 ",llat=%" PRId64 ",minlat=%" PRId64 ",avglat=%" PRId64
                  ",maxlat=%" PRId64,
                  (uint64_t)cnxn->last_zxid, cnxn->last_response_ms, cnxn->last_latency,
                  cnxn->min_latency == INT64_MAX ? 0 : cnxn->min_latency,
                  cnxn->latency_count == 0 ? 0 : cnxn->total_latency / cnxn->latency_count, cnxn->max_latency);
}

void server_cnxn_print(struct server_cnxn *cnxn, bool brief, struct buffer *out)
{
    char peer[ADDRESS_TEXT_SIZE];
    address_format(&cnxn->peer, peer);
    mutex_lock(&cnxn->lock);
    /* OP_READ is 1, OP_WRITE is 4 */
    unsigned interest = (atomic_load(&cnxn->is_throttled) ? 0u : 1u) | (cnxn->out.size > 0 ? 4u : 0u);
    buffer_printf(out, " %s[%x](queued=%" PRId64 ",recved=%" PRId64 ",sent=%" PRId64, peer, interest,
                  atomic_load(&cnxn->outstanding), atomic_load(&cnxn->packets_received), cnxn->packets_sent);
    if (!brief && atomic_load(&cnxn->session_id) != 0)
        print_session(cnxn, out);
    mutex_unlock(&cnxn->lock);
    buffer_append_byte(out, ')');
}

/* ---- input, selector or worker ---- */

void input_chunk_release(struct input_chunk *chunk)
{
    blob_unref(chunk->blob);
    *chunk = (struct input_chunk){0};
}

/* Room for a read: the rest of the chunk, all of it again if nobody references it, else a new one. */
static void chunk_make_room(struct input_chunk *chunk)
{
    if (chunk->blob != NULL && atomic_load_explicit(&chunk->blob->references, memory_order_acquire) == 1)
        chunk->used = 0;
    if (chunk->blob != NULL && CHUNK_SIZE - chunk->used >= CHUNK_LEAST_FREE)
        return;
    blob_unref(chunk->blob);
    chunk->blob = blob_new(CHUNK_SIZE);
    chunk->used = 0;
}

/* CloseRequestException: nothing is wrong with the client, it is to ask another server. */
static bool is_sent_elsewhere(enum disconnect_reason reason)
{
    return reason == DISCONNECT_NOT_READ_ONLY_CLIENT || reason == DISCONNECT_CLIENT_ZXID_AHEAD;
}

static bool refuse(struct server_cnxn *cnxn, enum disconnect_reason reason, const struct error *error)
{
    char peer[ADDRESS_TEXT_SIZE];
    address_format(&cnxn->peer, peer);
    LOG_AT(is_sent_elsewhere(reason) ? LOG_INFO : LOG_WARN,
           "Close of session 0x%" PRIx64 " of %s: %s", (uint64_t)atomic_load(&cnxn->session_id), peer, error->text);
    atomic_store(&cnxn->close_reason, (int)reason);
    return false;
}

static void count_packet_received(struct server_cnxn *cnxn, size_t size)
{
    atomic_fetch_add_explicit(&cnxn->packets_received, 1, memory_order_relaxed);
    cnxn->new_packets++;
    cnxn->new_bytes += (int64_t)size;
}

/* For the server, all that came in one go at once. */
static void sum_up_received(struct server_cnxn *cnxn)
{
    struct factory_parts *parts = server_cnxn_factory_parts(cnxn->factory);
    if (cnxn->new_packets == 0)
        return;
    atomic_fetch_add_explicit(&parts->stats->packets_received, cnxn->new_packets, memory_order_relaxed);
    server_metrics_count(parts->metrics, METRIC_BYTES_RECEIVED_COUNT, cnxn->new_bytes);
    cnxn->new_packets = cnxn->new_bytes = 0;
}

void server_cnxn_word_received(struct server_cnxn *cnxn)
{
    count_packet_received(cnxn, LENGTH_SIZE);
    sum_up_received(cnxn);
    server_cnxn_disable_receive(cnxn);
}

/* One whole frame. False: close. */
static bool take_frame(struct server_cnxn *cnxn, struct blob *blob, const uint8_t *bytes, uint32_t size)
{
    struct error error LEFT_AS_IT_IS;
    error_init(&error);
    count_packet_received(cnxn, LENGTH_SIZE + (size_t)size);
    if (!cnxn->is_initialized) {
        if (cnxn->sink->ops->process_connect(cnxn->sink, cnxn, (struct slice){bytes, size}, &error) != ZK_OK)
            return refuse(cnxn, (enum disconnect_reason)atomic_load(&cnxn->close_reason), &error);
        cnxn->is_initialized = true;
        return true;
    }
    if (size < 8) {
        error_set(&error, ZK_MARSHALLING_ERROR, "a packet of %u bytes has no request header", size);
        return refuse(cnxn, DISCONNECT_IO_EXCEPTION, &error);
    }
    struct request_header header = {(int32_t)load_be32(bytes), (int32_t)load_be32(bytes + 4)};
    struct slice payload = {bytes + 8, size - 8};
    if (cnxn->sink->ops->process_packet(cnxn->sink, cnxn, &header, blob, payload, &error) != ZK_OK)
        return refuse(cnxn, DISCONNECT_IO_EXCEPTION, &error);
    return true;
}

/* A length that was read: a word, a frame to come, or a reason to close. */
enum length_verdict { LENGTH_FRAME, LENGTH_WORD, LENGTH_BAD };
static enum length_verdict judge_length(struct server_cnxn *cnxn, uint32_t length, struct slice rest)
{
    struct error error LEFT_AS_IT_IS;
    error_init(&error);
    if (!cnxn->is_initialized && cnxn->sink->ops->four_letter_word(cnxn->sink, cnxn, length, rest))
        return LENGTH_WORD;
    if (cnxn->sink->ops->check_frame_size(cnxn->sink, (int32_t)length, &error) != ZK_OK) {
        refuse(cnxn, DISCONNECT_IO_EXCEPTION, &error);
        return LENGTH_BAD;
    }
    if (!cnxn->sink->ops->is_running(cnxn->sink)) {
        error_set(&error, ZK_CLOSED, "ZooKeeperServer not running");
        refuse(cnxn, DISCONNECT_IO_EXCEPTION, &error);
        return LENGTH_BAD;
    }
    return LENGTH_FRAME;
}

static void keep_backlog(struct server_cnxn *cnxn, struct blob *blob, uint32_t at, uint32_t end)
{
    assert(cnxn->backlog == NULL);
    cnxn->backlog = blob_ref(blob);
    cnxn->backlog_at = at;
    cnxn->backlog_end = end;
}

static void start_partial(struct server_cnxn *cnxn, uint32_t size, const uint8_t *bytes, uint32_t have)
{
    uint32_t room = have > PARTIAL_FIRST_SIZE ? have : PARTIAL_FIRST_SIZE;
    cnxn->partial = blob_new(room < size ? room : size);
    memcpy(cnxn->partial->bytes, bytes, have);
    cnxn->partial_have = have;
    cnxn->partial_size = size;
}

static bool parse_frames(struct server_cnxn *cnxn, struct blob *blob, uint32_t at, uint32_t end)
{
    while (at < end) {
        if (atomic_load(&cnxn->is_stale))
            return true;    /* its close is on the way */
        if (atomic_load(&cnxn->is_throttled)) {
            keep_backlog(cnxn, blob, at, end);
            return true;
        }
        uint32_t left = end - at;
        if (left < LENGTH_SIZE) {
            memcpy(cnxn->length_bytes, blob->bytes + at, left);
            cnxn->length_have = (uint8_t)left;
            return true;
        }
        uint32_t length = load_be32(blob->bytes + at);
        struct slice rest = {blob->bytes + at + LENGTH_SIZE, left - LENGTH_SIZE};
        enum length_verdict verdict = judge_length(cnxn, length, rest);
        if (verdict != LENGTH_FRAME)
            return verdict == LENGTH_WORD;
        at += LENGTH_SIZE;
        left -= LENGTH_SIZE;
        if (left < length) {
            start_partial(cnxn, length, blob->bytes + at, left);
            return true;
        }
        if (!take_frame(cnxn, blob, blob->bytes + at, length))
            return false;
        at += length;
    }
    return true;
}

/* Frames in blob[at, end). False: close. Nothing of the stretch is needed afterwards but what was referenced. */
static bool parse(struct server_cnxn *cnxn, struct blob *blob, uint32_t at, uint32_t end)
{
    cnxn->read_ms = clock_elapsed_ms();
    bool goes_on = parse_frames(cnxn, blob, at, end);
    sum_up_received(cnxn);
    return goes_on;
}

static bool read_failed(struct server_cnxn *cnxn, int err)
{
    if (err == ZK_AGAIN)
        return true;
    struct factory_parts *parts = server_cnxn_factory_parts(cnxn->factory);
    server_metrics_count(parts->metrics, METRIC_CONNECTION_DROP_COUNT, 1);
    atomic_store(&cnxn->close_reason, DISCONNECT_UNABLE_TO_READ_FROM_CLIENT);
    char peer[ADDRESS_TEXT_SIZE];
    address_format(&cnxn->peer, peer);
    log_info(
        "Unable to read additional data from client, it probably closed the socket: address = %s, session = 0x%" PRIx64,
        peer, (uint64_t)atomic_load(&cnxn->session_id));
    return false;
}

/* More of a frame of which the length is known. */
static bool read_partial(struct server_cnxn *cnxn)
{
    if (cnxn->partial_have == cnxn->partial->size) {
        uint64_t room = (uint64_t)cnxn->partial->size * 2;
        struct blob *larger = blob_new(room < cnxn->partial_size ? room : cnxn->partial_size);
        memcpy(larger->bytes, cnxn->partial->bytes, cnxn->partial_have);
        blob_unref(cnxn->partial);
        cnxn->partial = larger;
    }
    size_t got = 0;
    int err = stream_read(cnxn->stream, cnxn->partial->bytes + cnxn->partial_have,
                          cnxn->partial->size - cnxn->partial_have, &got);
    if (err != ZK_OK)
        return read_failed(cnxn, err);
    cnxn->partial_have += (uint32_t)got;
    if (cnxn->partial_have < cnxn->partial_size)
        return true;
    struct blob *frame = cnxn->partial;
    cnxn->partial = NULL;
    cnxn->read_ms = clock_elapsed_ms();
    bool goes_on = take_frame(cnxn, frame, frame->bytes, cnxn->partial_size);
    sum_up_received(cnxn);
    blob_unref(frame);
    return goes_on;
}

static bool read_frames(struct server_cnxn *cnxn, struct input_chunk *chunk)
{
    chunk_make_room(chunk);
    struct blob *blob = chunk->blob;
    uint32_t at = chunk->used, head = cnxn->length_have;
    memcpy(blob->bytes + at, cnxn->length_bytes, head);
    size_t got = 0;
    int err = stream_read(cnxn->stream, blob->bytes + at + head, CHUNK_SIZE - at - head, &got);
    if (err != ZK_OK)
        return read_failed(cnxn, err);
    cnxn->length_have = 0;
    chunk->used = at + head + (uint32_t)got;
    return parse(cnxn, blob, at, chunk->used);
}

static bool may_read(struct server_cnxn *cnxn)
{
    return cnxn->backlog == NULL &&
           atomic_load_explicit(&cnxn->unsent, memory_order_relaxed) <= UNSENT_TO_STOP_READING &&
           !atomic_load(&cnxn->is_throttled) && !atomic_load(&cnxn->is_stale);
}

/* No poller tells of bytes that the stream has already: who leaves some comes again, after the others. */
static bool read_some(struct server_cnxn *cnxn, struct input_chunk *chunk)
{
    int left = READS_A_TURN;
    do {
        if (!(cnxn->partial != NULL ? read_partial(cnxn) : read_frames(cnxn, chunk)))
            return false;
    } while (may_read(cnxn) && stream_pending(cnxn->stream) > 0 && --left > 0);
    if (left == 0) {
        selector_thread_queue(cnxn->selector, cnxn);
        selector_thread_wake(cnxn->selector);
    }
    return true;
}

bool server_cnxn_do_io(struct server_cnxn *cnxn, uint32_t events, struct input_chunk *chunk)
{
    if (atomic_load(&cnxn->close_now))
        return false;
    if (cnxn->handshake == HANDSHAKE_CHECKING && (events & POLLER_HANGUP) != 0)
        return read_failed(cnxn, ZK_EOF);
    if (cnxn->handshake != HANDSHAKE_OVER) {
        if (!cnxn_handshake_go_on(cnxn))
            return false;
        if (cnxn->handshake != HANDSHAKE_OVER)
            return true;
        events |= POLLER_READ;    /* more may have come with its last bytes */
    }
    if ((stream_wants(cnxn->stream) & STREAM_READ_NEEDS_WRITE) != 0 && (events & POLLER_WRITE) != 0)
        events |= POLLER_READ;
    if ((events & POLLER_READ) != 0 && may_read(cnxn)) {
        server_cnxn_factory_touch(cnxn->factory, cnxn);
        if (!read_some(cnxn, chunk))
            return false;
    } else if ((events & POLLER_HANGUP) != 0) {
        return read_failed(cnxn, ZK_EOF);
    }
    bool is_others_to_write = cnxn->writes_directly && (events & POLLER_WRITE) == 0 && cnxn->backlog == NULL;
    return is_others_to_write || server_cnxn_pump(cnxn, chunk);
}

bool server_cnxn_pump(struct server_cnxn *cnxn, struct input_chunk *chunk)
{
    if (atomic_load(&cnxn->close_now))
        return false;
    if (cnxn->handshake == HANDSHAKE_CHECKING && !cnxn_handshake_go_on(cnxn))
        return false;
    if (cnxn->handshake != HANDSHAKE_OVER)
        return true;    /* nothing to write yet, and nobody to read */
    while (cnxn->backlog != NULL && !atomic_load(&cnxn->is_throttled)) {
        struct blob *blob = cnxn->backlog;
        cnxn->backlog = NULL;
        bool goes_on = parse(cnxn, blob, cnxn->backlog_at, cnxn->backlog_end);
        blob_unref(blob);
        if (!goes_on)
            return false;
    }
    if (!write_some(cnxn))
        return false;
    if (stream_pending(cnxn->stream) == 0 || !may_read(cnxn))
        return true;
    server_cnxn_factory_touch(cnxn->factory, cnxn);    /* it was not read for a while, with bytes that are there */
    return read_some(cnxn, chunk) && write_some(cnxn);
}

uint32_t server_cnxn_wanted_interest(struct server_cnxn *cnxn)
{
    uint32_t wants = stream_wants(cnxn->stream), wanted = wants & (POLLER_READ | POLLER_WRITE);
    if (cnxn->handshake == HANDSHAKE_CHECKING)
        return 0;
    if (cnxn->handshake != HANDSHAKE_OVER)
        return wanted == 0 ? POLLER_READ : wanted;
    if (may_read(cnxn) && (wants & STREAM_READ_NEEDS_WRITE) == 0)
        wanted |= POLLER_READ;
    if (atomic_load_explicit(&cnxn->unsent, memory_order_relaxed) > 0)
        wanted |= POLLER_WRITE;
    return wanted;
}

void server_cnxn_take_down(struct server_cnxn *cnxn)
{
    atomic_store(&cnxn->is_stale, true);
    blob_unref(cnxn->partial);
    blob_unref(cnxn->backlog);
    cnxn->partial = cnxn->backlog = NULL;
    mutex_lock(&cnxn->write_lock);
    stream_close(cnxn->stream);
    cnxn->stream = NULL;
    out_buffer_release(&cnxn->sending);
    mutex_lock(&cnxn->lock);
    out_buffer_release(&cnxn->out);
    mutex_unlock(&cnxn->lock);
    mutex_unlock(&cnxn->write_lock);
}
