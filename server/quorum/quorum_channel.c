/*
 * quorum_channel.c - a connection between leader and learner: packets and raw bytes, buffered both ways. Mirrors
 * BinaryInputArchive and BinaryOutputArchive over buffered streams of a socket, with its SO_TIMEOUT.
 *
 *   reader <-- [ input, 8-64 KiB ] <-+                    +--> [ out_buffer: chunks and blobs ] <-- writer
 *                                   +-- stream, socket --+
 * (1) Reader and writer share the stream only for calls that never wait, under `stream_lock`; they wait without it.
 * (2) No more than GROWTH bytes are allocated ahead of bytes that have come, whatever length a peer announces.
 * (3) quorum_channel_shutdown() shuts the socket down, which ends every wait, and sets the mark first, so that whoever
 *     wakes up sees why.
 */
#include <assert.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/memory.h"
#include "common/net/out_buffer.h"
#include "common/net/socket.h"
#include "common/thread/mutex.h"
#include "server/quorum/message_tracker.h"
#include "server/quorum/quorum_packet.h"

#define FIRST_INPUT_SIZE ((size_t)8192)
#define INPUT_SIZE ((size_t)65536)
#define FLUSH_SIZE ((size_t)65536)
#define GROWTH ((size_t)65536)
#define LARGEST_AUTHINFO ((size_t)JUTE_LIMIT_DEFAULT)

struct quorum_channel {
    struct stream *stream;
    struct mutex stream_lock;
    _Atomic int64_t timeout_ms;    /* 0: none */
    _Atomic bool is_shut_down;
    struct message_tracker *tracker;    /* NULL: nobody wants to know */

    /* The reader's. */
    struct byte_source source;
    int32_t limit;
    size_t from, to;    /* of `input`: came, but was not read yet */
    size_t input_size;
    uint8_t *input;

    /* The writer's. */
    struct byte_sink sink;
    struct out_buffer out;
};

static int set_closed(struct error *error)
{
    return error_set(error, ZK_CLOSED, "the connection was closed here");
}

/* Waits until the socket is ready for one of `events`. */
static int wait_ready(struct quorum_channel *channel, uint32_t events, struct error *error)
{
    int64_t timeout_ms = atomic_load(&channel->timeout_ms);
    int64_t deadline_ms = timeout_ms > 0 ? clock_elapsed_ms() + timeout_ms : INT64_MAX;
    int err = socket_wait(channel->stream->fd, events, deadline_ms);
    if (atomic_load(&channel->is_shut_down))
        return set_closed(error);
    if (err == ZK_TIMED_OUT)
        return error_set(error, err,
                         events & POLLER_WRITE ? "the peer took nothing for %" PRId64 " ms"
                                               : "nothing came from the peer for %" PRId64 " ms",
                         timeout_ms);
    return err == ZK_OK ? ZK_OK : error_set_errno(error, "cannot wait for the connection");
}

/* At least one byte, at most `size`. */
static int read_some(struct quorum_channel *channel, uint8_t *bytes, size_t size, size_t *ret_size, struct error *error)
{
    for (;;) {
        if (atomic_load(&channel->is_shut_down))
            return set_closed(error);
        mutex_lock(&channel->stream_lock);
        int err = stream_read(channel->stream, bytes, size, ret_size);
        uint32_t wanted = stream_wants(channel->stream);
        mutex_unlock(&channel->stream_lock);
        if (err == ZK_AGAIN)
            err = wait_ready(channel, wanted | POLLER_READ, error);
        else if (err == ZK_OK)
            return ZK_OK;
        else if (atomic_load(&channel->is_shut_down))
            return set_closed(error);
        else if (err == ZK_EOF)
            return error_set(error, err, "the peer closed the connection");
        else
            return error_set_errno(error, "cannot read from the peer");
        if (err != ZK_OK)
            return err;
    }
}

static size_t take_input(struct quorum_channel *channel, uint8_t *bytes, size_t size)
{
    size_t there = channel->to - channel->from;
    size_t step = size < there ? size : there;
    memcpy(bytes, channel->input + channel->from, step);
    channel->from += step;
    return step;
}

/* Reads into the empty buffer, which is enlarged for a peer that filled it last time. */
static int fill_input(struct quorum_channel *channel, struct error *error)
{
    if (channel->to == channel->input_size && channel->input_size < INPUT_SIZE) {
        memory_free(channel->input);
        channel->input_size = INPUT_SIZE;
        channel->input = memory_alloc(INPUT_SIZE);
    }
    channel->from = channel->to = 0;
    return read_some(channel, channel->input, channel->input_size, &channel->to, error);
}

/* All of `size`; what is large goes past the buffer. */
static int read_all(struct quorum_channel *channel, uint8_t *bytes, size_t size, struct error *error)
{
    size_t got = take_input(channel, bytes, size);
    while (got < size) {
        size_t step;
        int err;
        if (size - got >= channel->input_size) {
            err = read_some(channel, bytes + got, size - got, &step, error);
        } else {
            err = fill_input(channel, error);
            step = err == ZK_OK ? take_input(channel, bytes + got, size - got) : 0;
        }
        if (err != ZK_OK)
            return err;
        got += step;
    }
    return ZK_OK;
}

/* A blob of `size` bytes that grows as they come (2). */
static int read_blob(struct quorum_channel *channel, size_t size, struct blob **ret_blob, struct error *error)
{
    struct blob *blob = blob_new(size < GROWTH ? size : GROWTH);
    int err = read_all(channel, blob->bytes, blob->size, error);
    while (err == ZK_OK && blob->size < size) {
        size_t got = blob->size;
        struct blob *larger = blob_new(size - got < got ? size : 2 * got);
        memcpy(larger->bytes, blob->bytes, got);
        blob_unref(blob);
        blob = larger;
        err = read_all(channel, blob->bytes + got, blob->size - got, error);
    }
    if (err != ZK_OK) {
        blob_unref(blob);
        return err;
    }
    *ret_blob = blob;
    return ZK_OK;
}

static int append_bytes(struct quorum_channel *channel, struct buffer *to, size_t size, struct error *error)
{
    while (size > 0) {
        size_t step = size < GROWTH ? size : GROWTH;
        int err = read_all(channel, buffer_extend(to, step), step, error);
        if (err != ZK_OK)
            return err;
        size -= step;
    }
    return ZK_OK;
}

static int append_int32(struct quorum_channel *channel, struct buffer *to, int32_t *ret_value, struct error *error)
{
    int err = append_bytes(channel, to, sizeof(*ret_value), error);
    if (err == ZK_OK)
        *ret_value = (int32_t)load_be32(to->bytes + to->size - sizeof(*ret_value));
    return err;
}

/* The bytes of a vector of ids, as they are on the wire. */
static int read_ids(struct quorum_channel *channel, struct buffer *ids, struct error *error)
{
    int32_t count, size;
    int err = append_int32(channel, ids, &count, error);
    for (int64_t strings = 2 * (int64_t)count; err == ZK_OK && strings > 0; strings--) {
        err = append_int32(channel, ids, &size, error);
        if (err == ZK_OK && size > 0) {
            if ((size_t)size > LARGEST_AUTHINFO - ids->size)
                return error_set(error, ZK_MARSHALLING_ERROR, "a packet carries a string of %" PRId32 " bytes", size);
            err = append_bytes(channel, ids, (size_t)size, error);
        }
        if (err == ZK_OK && ids->size > LARGEST_AUTHINFO - sizeof(size))
            return error_set(error, ZK_MARSHALLING_ERROR, "a packet carries %" PRId32 " ids", count);
    }
    return err;
}

static int read_authinfo(struct quorum_channel *channel, struct received_packet *packet, struct error *error)
{
    struct buffer ids = { 0 };
    int err = read_ids(channel, &ids, error);
    if (err == ZK_OK && ids.size > sizeof(int32_t)) {
        const void *kept = arena_copy(&packet->arena, ids.bytes, ids.size);
        struct jute_reader reader;
        jute_reader_init(&reader, kept, ids.size, &packet->arena);
        packet->authinfo = jute_read_zk_id_vector(&reader);
        if (jute_error(&reader) != ZK_OK)
            err = error_set(error, ZK_MARSHALLING_ERROR, "the ids of a packet are malformed");
    } else if (err == ZK_OK) {
        packet->authinfo = (struct zk_id_vector){ .count = (int32_t)load_be32(ids.bytes) == -1 ? -1 : 0 };
    }
    packet->has_authinfo = packet->authinfo.count >= 0;
    buffer_release(&ids);
    return err;
}

static int read_packet(struct quorum_channel *channel, struct received_packet *packet, struct error *error)
{
    uint8_t head[QUORUM_PACKET_HEAD_SIZE];
    int err = read_all(channel, head, sizeof(head), error);
    if (err != ZK_OK)
        return err;
    packet->type = (int32_t)load_be32(head);
    packet->zxid = (int64_t)load_be64(head + 4);
    int32_t size = (int32_t)load_be32(head + 12);
    if (size < -1 || size > channel->limit)
        return error_set(error, ZK_MARSHALLING_ERROR, "a packet of type %" PRId32 " announces %" PRId32
                         " bytes, at most %" PRId32 " are permitted", packet->type, size, channel->limit);
    if (size >= 0) {
        err = read_blob(channel, (size_t)size, &packet->bytes, error);
        if (err != ZK_OK)
            return err;
        packet->data = (struct slice){ .bytes = packet->bytes->bytes, .size = packet->bytes->size };
    }
    return read_authinfo(channel, packet, error);
}

static int write_out(struct quorum_channel *channel, struct error *error)
{
    for (;;) {
        if (atomic_load(&channel->is_shut_down))
            return set_closed(error);
        uint64_t written;
        mutex_lock(&channel->stream_lock);
        int err = out_buffer_write(&channel->out, channel->stream, &written);
        uint32_t wanted = stream_wants(channel->stream);
        mutex_unlock(&channel->stream_lock);
        if (err == ZK_OK)
            return ZK_OK;
        if (err == ZK_AGAIN)
            err = wait_ready(channel, wanted | POLLER_WRITE, error);
        else if (atomic_load(&channel->is_shut_down))
            return set_closed(error);
        else
            return error_set_errno(error, "cannot write to the peer");
        if (err != ZK_OK)
            return err;
    }
}

static int flush_if_full(struct quorum_channel *channel, struct error *error)
{
    return channel->out.size >= FLUSH_SIZE ? write_out(channel, error) : ZK_OK;
}

static void append_head(struct quorum_channel *channel, int32_t type, int64_t zxid, int32_t size)
{
    if (channel->tracker != NULL)
        message_tracker_sent(channel->tracker, type);
    uint8_t head[QUORUM_PACKET_HEAD_SIZE];
    store_be32(head, (uint32_t)type);
    store_be64(head + 4, (uint64_t)zxid);
    store_be32(head + 12, (uint32_t)size);
    out_buffer_append(&channel->out, head, sizeof(head));
}

static void append_authinfo(struct quorum_channel *channel, const struct zk_id_vector *authinfo)
{
    struct buffer ids = { 0 };
    jute_write_zk_id_vector(&ids, authinfo != NULL ? *authinfo : (struct zk_id_vector){ .count = -1 });
    out_buffer_append(&channel->out, ids.bytes, ids.size);
    buffer_release(&ids);
}

static int source_read(struct byte_source *self, void *bytes, size_t size, struct error *error)
{
    return read_all(container_of(self, struct quorum_channel, source), bytes, size, error);
}

static int sink_write(struct byte_sink *self, const void *bytes, size_t size, struct error *error)
{
    struct quorum_channel *channel = container_of(self, struct quorum_channel, sink);
    out_buffer_append(&channel->out, bytes, size);
    return flush_if_full(channel, error);
}

struct quorum_channel *quorum_channel_new(struct stream *stream, int64_t timeout_ms)
{
    struct quorum_channel *channel = MEMORY_NEW(struct quorum_channel);
    channel->stream = stream;
    mutex_init(&channel->stream_lock);
    atomic_init(&channel->timeout_ms, timeout_ms);
    channel->limit = INT32_MAX;
    channel->input_size = FIRST_INPUT_SIZE;
    channel->input = memory_alloc(FIRST_INPUT_SIZE);
    channel->source.read = source_read;
    channel->sink.write = sink_write;
    return channel;
}

void quorum_channel_free(struct quorum_channel *channel)
{
    if (channel == NULL)
        return;
    stream_close(channel->stream);
    if (channel->tracker != NULL)
        message_tracker_dump(channel->tracker);
    message_tracker_free(channel->tracker);
    out_buffer_release(&channel->out);
    mutex_release(&channel->stream_lock);
    memory_free(channel->input);
    memory_free(channel);
}

void quorum_channel_free_sampled(struct quorum_channel *channel, struct server_metrics *metrics)
{
    if (channel == NULL)
        return;
    int64_t start_ms = clock_elapsed_ms();
    quorum_channel_free(channel);
    server_metrics_sample(metrics, METRIC_SOCKET_CLOSING_TIME, clock_elapsed_ms() - start_ms);
}

void quorum_channel_track(struct quorum_channel *channel, size_t size, const char *peer)
{
    channel->tracker = message_tracker_new(size, peer);
}

void quorum_channel_set_timeout(struct quorum_channel *channel, int64_t timeout_ms)
{
    atomic_store(&channel->timeout_ms, timeout_ms);
}

void quorum_channel_shutdown(struct quorum_channel *channel)
{
    atomic_store(&channel->is_shut_down, true);
    socket_shutdown(channel->stream->fd);
}

bool quorum_channel_is_shut_down(const struct quorum_channel *channel)
{
    return atomic_load(&channel->is_shut_down);
}

bool quorum_channel_peer(const struct quorum_channel *channel, struct address *ret_address)
{
    return socket_peer_address(channel->stream->fd, ret_address) == ZK_OK;
}

int quorum_channel_read_packet(struct quorum_channel *channel, struct received_packet *ret_packet, struct error *error)
{
    received_packet_release(ret_packet);
    int err = read_packet(channel, ret_packet, error);
    if (err == ZK_OK && channel->tracker != NULL)
        message_tracker_received(channel->tracker, ret_packet->type);
    if (err != ZK_OK)
        received_packet_release(ret_packet);
    return err;
}

bool quorum_channel_has_packet(const struct quorum_channel *channel)
{
    const uint8_t *at = channel->input + channel->from;
    size_t there = channel->to - channel->from;
    if (there < QUORUM_PACKET_HEAD_SIZE + QUORUM_PACKET_TAIL_SIZE)
        return false;
    int32_t size = (int32_t)load_be32(at + 12);
    size_t data_size = size > 0 ? (size_t)size : 0;
    if (data_size > there - QUORUM_PACKET_HEAD_SIZE - QUORUM_PACKET_TAIL_SIZE)
        return false;
    return (int32_t)load_be32(at + QUORUM_PACKET_HEAD_SIZE + data_size) <= 0;
}

void quorum_channel_set_limit(struct quorum_channel *channel, int32_t limit)
{
    assert(limit >= 0);
    channel->limit = limit;
}

struct byte_source *quorum_channel_source(struct quorum_channel *channel)
{
    return &channel->source;
}

struct byte_sink *quorum_channel_sink(struct quorum_channel *channel)
{
    return &channel->sink;
}

int quorum_channel_write_packet(struct quorum_channel *channel, int32_t type, int64_t zxid, const struct slice *data,
                                const struct zk_id_vector *authinfo, struct error *error)
{
    assert(data == NULL || data->size <= INT32_MAX);
    append_head(channel, type, zxid, data != NULL ? (int32_t)data->size : -1);
    if (data != NULL)
        out_buffer_append(&channel->out, data->bytes, data->size);
    append_authinfo(channel, authinfo);
    return flush_if_full(channel, error);
}

int quorum_channel_write_packet_blob(struct quorum_channel *channel, int32_t type, int64_t zxid, struct slice prefix,
                                     struct blob *data, struct error *error)
{
    assert(prefix.size <= INT32_MAX && data->size <= INT32_MAX - prefix.size);
    append_head(channel, type, zxid, (int32_t)(prefix.size + data->size));
    out_buffer_append(&channel->out, prefix.bytes, prefix.size);
    out_buffer_append_blob(&channel->out, data, 0, data->size);
    append_authinfo(channel, NULL);
    return flush_if_full(channel, error);
}

int quorum_channel_flush(struct quorum_channel *channel, struct error *error)
{
    return write_out(channel, error);
}

int64_t quorum_channel_buffered(const struct quorum_channel *channel)
{
    return (int64_t)channel->out.size;
}
