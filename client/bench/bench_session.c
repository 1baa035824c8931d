/*
 * bench_session.c - the state of a connection, and frames in and out.
 *
 * What was read is taken apart where it lies, in memory that all sessions of a thread share; only the beginning of a
 * frame is kept with its session until the rest comes, so that ten thousand idle ones cost little.
 */
#include "client/bench/bench_session.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "client/bench/bench_request.h"
#include "common/base/clock.h"
#include "common/base/memory.h"
#include "common/net/socket.h"
#include "common/net/tls_stream.h"
#include "common/wire/op_code.h"
#include "common/wire/records.h"

#define READ_SIZE ((size_t)128 * 1024)
#define FRAME_MOST (64 * 1024 * 1024)
#define KEPT_SIZE 4096    /* of buffers that are empty */
#define HEADER_SIZE 16    /* of a reply: xid, zxid, err */

enum { KIND_CLOSE = UINT8_MAX };

void bench_session_init(struct bench_session *session, uint32_t number, uint32_t depth,
                        const struct bench_target *target, struct poller *poller)
{
    uint32_t room = 1;
    while (room < depth + 1)    /* and closeSession */
        room *= 2;
    *session = (struct bench_session){
        .number = number, .target = target, .poller = poller, .fd = -1, .room = room,
        .server = (uint32_t)(number % target->count),
        .ring = MEMORY_NEW_ARRAY(room, struct bench_pending),
    };
}

static void shut(struct bench_session *session)
{
    if (session->fd >= 0)
        poller_remove(session->poller, session->fd);
    if (session->stream != NULL)
        stream_close(session->stream);
    else
        socket_close(session->fd);
    session->stream = NULL;
    session->fd = -1;
    session->state = BENCH_SESSION_DOWN;
}

void bench_session_release(struct bench_session *session)
{
    shut(session);
    buffer_release(&session->out);
    buffer_release(&session->partial);
    memory_free(session->ring);
    session->ring = NULL;
}

void bench_session_drop(struct bench_session *session, const char *why)
{
    uint32_t lost = session->count;
    shut(session);
    session->count = 0;
    buffer_clear(&session->out);
    session->out_at = 0;
    buffer_clear(&session->partial);
    session->downs++;
    if (why != NULL && why != session->why)
        snprintf(session->why, sizeof(session->why), "%s", why);
    session->server = (uint32_t)((session->server + 1) % session->target->count);
    session->owner->on_down(session->context, session, lost, why);
}

static void poll_for(struct bench_session *session, uint32_t events)
{
    if (session->polled == events)
        return;
    session->polled = events;
    poller_modify(session->poller, session->fd, events, session);
}

void bench_session_open(struct bench_session *session)
{
    struct error error = {0};
    assert(session->state == BENCH_SESSION_DOWN);
    session->began_ms = session->heard_ms = clock_elapsed_ms();
    session->timeout_ms = session->target->timeout_ms;
    session->last_zxid = 0;
    session->next_xid = 1;
    int err = socket_connect_start(&session->target->servers[session->server].address, &session->fd, &error);
    session->polled = POLLER_WRITE;
    if (err == ZK_OK) {
        session->state = BENCH_SESSION_CONNECTING;
        err = poller_add(session->poller, session->fd, session->polled, session, &error);
    }
    if (err != ZK_OK)
        bench_session_drop(session, error.text);
}

int32_t bench_session_expect(struct bench_session *session, uint8_t kind, uint32_t node, uint32_t number,
                             int64_t since_ns)
{
    assert(session->count < session->room);
    struct bench_pending *pending = &session->ring[(session->first + session->count++) & (session->room - 1)];
    *pending = (struct bench_pending){ .since_ns = since_ns, .xid = session->next_xid, .node = node, .number = number,
                                       .kind = kind };
    session->next_xid = session->next_xid == INT32_MAX ? 1 : session->next_xid + 1;
    return pending->xid;
}

void bench_session_flush(struct bench_session *session)
{
    if (session->stream == NULL || session->state == BENCH_SESSION_SECURING)
        return;
    int err = ZK_OK;
    bool has_sent = false;
    while (session->out_at < session->out.size && err == ZK_OK) {
        struct iovec part = { .iov_base = session->out.bytes + session->out_at,
                              .iov_len = session->out.size - session->out_at };
        size_t sent = 0;
        err = stream_write(session->stream, &part, 1, &sent);
        if (err == ZK_OK) {
            session->out_at += sent;
            has_sent = true;
        }
    }
    if (has_sent)
        session->sent_ms = clock_elapsed_ms();
    if (err != ZK_OK && err != ZK_AGAIN) {
        bench_session_drop(session, "the server closed the connection");
        return;
    }
    if (session->out_at == session->out.size) {
        session->out_at = 0;
        buffer_clear(&session->out);
    }
    poll_for(session, POLLER_READ | stream_wants(session->stream) | (err == ZK_AGAIN ? (uint32_t)POLLER_WRITE : 0));
}

static void greet(struct bench_session *session)
{
    session->state = BENCH_SESSION_GREETING;
    bench_request_connect(session->target->timeout_ms, &session->out);
    bench_session_flush(session);
}

static void secure(struct bench_session *session)
{
    struct error error = {0};
    int err = stream_tls_handshake(session->stream, &error);
    if (err == ZK_OK) {
        greet(session);
    } else if (err == ZK_AGAIN) {
        uint32_t wants = stream_wants(session->stream);
        poll_for(session, wants != 0 ? wants : (uint32_t)POLLER_READ);
    } else {
        bench_session_drop(session, error.text);
    }
}

static void finish_connect(struct bench_session *session)
{
    struct error error = {0};
    const struct bench_server *server = &session->target->servers[session->server];
    int err = socket_connect_wait(session->fd, &server->address, clock_elapsed_ms(), &error);
    if (err == ZK_TIMED_OUT)
        return;
    if (err != ZK_OK) {
        bench_session_drop(session, error.text);
        return;
    }
    socket_set_no_delay(session->fd);
    if (session->target->tls == NULL) {
        session->stream = stream_new_plain(session->fd);
        greet(session);
        return;
    }
    session->stream = stream_new_tls_client(session->fd, session->target->tls, server->host);
    session->state = BENCH_SESSION_SECURING;
    secure(session);
}

/* These take a frame, and say why the connection must not go on; NULL: it does. */
static const char *take_greeting(struct bench_session *session, const uint8_t *frame, size_t size)
{
    struct jute_reader in;
    struct connect_response response;
    struct buffer whole = {0};
    buffer_append(&whole, frame, size);
    buffer_append_byte(&whole, 0);    /* readOnly, which old servers leave out */
    jute_reader_init(&in, whole.bytes, whole.size, NULL);
    jute_read_connect_response(&in, &response);
    bool is_shaped = jute_error(&in) == ZK_OK;
    buffer_release(&whole);
    if (!is_shaped)
        return "the server does not answer as ZooKeeper";
    if (response.session_id == 0 || response.time_out <= 0)
        return "the server gave no session";
    session->timeout_ms = response.time_out;
    session->state = BENCH_SESSION_READY;
    session->owner->on_ready(session->context, session);
    return NULL;
}

static const char *take_reply(struct bench_session *session, int32_t xid, const uint8_t *frame, size_t size)
{
    if (session->count == 0 || session->ring[session->first].xid != xid) {
        snprintf(session->why, sizeof(session->why), "answer %d came where %d was due", xid,
                 session->count == 0 ? 0 : session->ring[session->first].xid);
        session->owner->on_out_of_order(session->context, session, session->why);
        return session->why;
    }
    struct bench_pending pending = session->ring[session->first];
    session->first = (session->first + 1) & (session->room - 1);
    session->count--;
    int64_t zxid = (int64_t)load_be64(frame + 4);
    if (zxid < session->last_zxid)
        session->owner->on_zxid_back(session->context, session);
    else
        session->last_zxid = zxid;
    if (pending.kind == KIND_CLOSE)
        return "";
    session->owner->on_reply(session->context, session, &pending, (int32_t)load_be32(frame + 12), frame + HEADER_SIZE,
                             size - HEADER_SIZE);
    return NULL;
}

static const char *take_frame(struct bench_session *session, const uint8_t *frame, size_t size)
{
    if (session->state == BENCH_SESSION_GREETING)
        return take_greeting(session, frame, size);
    if (size < HEADER_SIZE)
        return "the server does not answer as ZooKeeper";
    int32_t xid = (int32_t)load_be32(frame);
    if (xid == XID_NOTIFICATION)
        session->owner->on_event(session->context, session, frame + HEADER_SIZE, size - HEADER_SIZE);
    else if (xid != XID_PING)
        return take_reply(session, xid, frame, size);
    return NULL;
}

/* All frames that are whole; the rest, if any, stays in `in`, which is the session's own or the thread's. */
static const char *take_frames(struct bench_session *session, struct buffer *in)
{
    size_t at = 0;
    const char *why = NULL;
    while (why == NULL && in->size - at >= 4) {
        uint32_t size = load_be32(in->bytes + at);
        if (size > FRAME_MOST)
            return "the server does not answer as ZooKeeper";
        if (in->size - at - 4 < size)
            break;
        why = take_frame(session, in->bytes + at + 4, size);
        if (session->stream == NULL)    /* the owner wrote, and that failed: `in` may be gone */
            return NULL;
        at += 4 + (size_t)size;
    }
    if (in != &session->partial)
        buffer_append(&session->partial, in->bytes + at, in->size - at);
    else
        buffer_consume(in, at);
    if (session->partial.size == 0 && session->partial.capacity > KEPT_SIZE)
        buffer_release(&session->partial);
    return why;
}

/* The bytes that are there; no more than once, unless the stream keeps some. */
static void receive(struct bench_session *session, struct buffer *scratch)
{
    do {
        struct buffer *in = session->partial.size > 0 ? &session->partial : scratch;
        buffer_clear(scratch);
        buffer_reserve(in, READ_SIZE);
        size_t got;
        int err = stream_read(session->stream, in->bytes + in->size, READ_SIZE, &got);
        if (err == ZK_AGAIN)
            return;
        if (err != ZK_OK) {
            bench_session_drop(session, session->state == BENCH_SESSION_GREETING
                                            ? "the server closed the connection before it gave a session"
                                            : "the server closed the connection");
            return;
        }
        in->size += got;
        session->heard_ms = clock_elapsed_ms();
        const char *why = take_frames(session, in);
        if (why != NULL) {
            bench_session_drop(session, *why == '\0' ? NULL : why);
            return;
        }
    } while (session->stream != NULL && stream_pending(session->stream) > 0);
}

void bench_session_handle(struct bench_session *session, uint32_t events, struct buffer *scratch)
{
    switch (session->state) {
    case BENCH_SESSION_DOWN:
        return;
    case BENCH_SESSION_CONNECTING:
        finish_connect(session);
        return;
    case BENCH_SESSION_SECURING:
        secure(session);
        return;
    default:
        if (events & (POLLER_READ | POLLER_HANGUP) || session->target->tls != NULL)
            receive(session, scratch);
        if (session->stream != NULL && events & POLLER_WRITE)
            bench_session_flush(session);
    }
}

void bench_session_close(struct bench_session *session)
{
    if (session->state != BENCH_SESSION_READY)
        return;
    int32_t xid = bench_session_expect(session, KIND_CLOSE, 0, 0, 0);
    bench_request_header(xid, OP_CLOSE_SESSION, &session->out);
    session->state = BENCH_SESSION_CLOSING;
    bench_session_flush(session);
}

void bench_session_tick(struct bench_session *session, int64_t now_ms)
{
    if (session->state == BENCH_SESSION_DOWN)
        return;
    bool is_ready = session->state == BENCH_SESSION_READY;
    if (now_ms - session->heard_ms > session->timeout_ms) {
        bench_session_drop(session, is_ready ? "the server was silent for the time-out of the session"
                                             : "no session within the time-out");
        return;
    }
    if (is_ready && now_ms - session->sent_ms > session->timeout_ms / 3) {
        bench_request_header(XID_PING, OP_PING, &session->out);
        bench_session_flush(session);
    }
}
