/*
 * client_cnxn.c - a client's connection, from the first attempt to the last answer.
 *
 * Mirrors ClientCnxn.SendThread, and zookeeper_interest() and check_events() of the old binding.
 *
 *   CLOSED --next server--> CONNECTING --> (HANDSHAKE of TLS) --> ASSOCIATING --connect response--> OPEN
 *     ^------------- whatever fails: all who wait are told, one after the other --------------------'
 * (1) Behind a connect response credentials go first, then watches, then what waited.
 * (2) Answers come in the order of requests; one that does not ends the connection.
 * (3) A watcher is there before the completion of its request is called, and gone before it is called itself.
 * (4) Events are handed on in the order they came in.
 */
#include "client/client_cnxn.h"

#include <errno.h>
#include <string.h>

#include "client/adaptor.h"
#include "client/auth_entry.h"
#include "client/client_socket.h"
#include "common/base/clock.h"
#include "common/base/memory.h"
#include "common/base/strings.h"
#include "common/net/socket.h"
#include "common/wire/jute.h"

#define XID_EVENT (-1)
#define XID_PING (-2)
#define XID_AUTH (-4)
#define XID_SET_WATCHES (-8)
#define REPLY_HEADER_SIZE 16
#define LEAST_PROBE_MS 200        /* between two questions for a read-write server */
#define MOST_PROBE_MS 60000
#define PROBE_STEP_MS 10
#define RESOLVE_AGAIN_MS 1000     /* names are looked up before connecting, unless they just were */
#define KEPT_SIZE ((size_t)1 << 20)    /* a buffer that was larger is not kept once it is empty */
#define QUICK_MS 1000             /* a connection that lasted no longer was lost at once */
#define FIRST_PAUSE_MS 4
#define MOST_PAUSES 9             /* the last of them is a second */
#define READS_IN_TURN 16          /* chunks read before time-outs are looked at again */

struct client_socket *client_socket_new(void)
{
    struct client_socket *socket = MEMORY_NEW(struct client_socket);
    socket->fd = -1;
    socket->resolved_ms = clock_elapsed_ms();
    return socket;
}

void client_socket_free(struct client_socket *socket)
{
    if (socket == NULL)
        return;
    client_socket_close(socket);
    buffer_release(&socket->writing);
    memory_free(socket->host);
    memory_free(socket);
}

/* ---- events ---- */

static void put_session_event(zhandle_t *zh, int state)
{
    struct client_event event = { .type = ZOO_SESSION_EVENT, .state = state };
    mutex_lock(&zh->lock);
    watch_callbacks_add(&event.callbacks, zh->watcher, zh->context);
    watch_registry_collect_all(zh->watches, &event.callbacks);
    mutex_unlock(&zh->lock);
    adaptor_put_event(zh, &event);
}

static void put_answer(zhandle_t *zh, struct pending_request *request)
{
    if (request->sync != NULL) {
        sync_call_finish(request);
        return;
    }
    struct client_event event = { .request = request };
    adaptor_put_event(zh, &event);
}

static void put_auth_event(zhandle_t *zh, void_completion_t completion, const void *data, int rc)
{
    struct client_event event = { .auth_completion = completion, .auth_data = data, .auth_rc = rc };
    if (completion != NULL)
        adaptor_put_event(zh, &event);
}

/* Everybody who waits is told so; also those who wait for an addauth. */
static void fail_all(zhandle_t *zh, int rc)
{
    mutex_lock(&zh->lock);
    struct pending_list failed = zh->sent;
    zh->sent = (struct pending_list){ 0 };
    buffer_clear(&zh->out);
    condition_broadcast(&zh->changed);
    mutex_unlock(&zh->lock);
    struct pending_request *request;
    while ((request = pending_list_take(&failed)) != NULL) {
        request->rc = rc;
        put_answer(zh, request);
    }
    for (;;) {
        void_completion_t completion = NULL;
        const void *data = NULL;
        mutex_lock(&zh->lock);
        LIST_EACH (link, &zh->auths) {
            struct auth_entry *entry = LIST_ENTRY(link, struct auth_entry, link);
            if (entry->completion == NULL)
                continue;
            completion = entry->completion;
            data = entry->data;
            entry->completion = NULL;
            break;
        }
        mutex_unlock(&zh->lock);
        if (completion == NULL)
            return;
        put_auth_event(zh, completion, data, rc);
    }
}

/* ---- losing the connection ---- */

static void close_socket(zhandle_t *zh)
{
    mutex_lock(&zh->lock);
    while (zh->socket->is_writing)
        condition_wait(&zh->changed, &zh->lock);
    client_socket_close(zh->socket);
    mutex_unlock(&zh->lock);
}

/* A server that gives sessions and drops them is not asked without a pause, a longer one each time. */
static void pause_after_quick_loss(struct client_socket *socket, bool was_connected)
{
    int64_t now_ms = clock_elapsed_ms();
    if (!was_connected || now_ms - socket->connected_ms > QUICK_MS) {
        socket->quick_losses = was_connected ? 0 : socket->quick_losses;
        return;
    }
    int64_t pause_ms = socket->quick_losses == 0 ? 0 : FIRST_PAUSE_MS << (socket->quick_losses - 1);
    if (socket->quick_losses < MOST_PAUSES)
        socket->quick_losses++;
    socket->delay_until_ms = now_ms + pause_ms;
}

/* Returns rc. The next server is tried at the next interest. */
static int lose(zhandle_t *zh, int rc)
{
    bool was_connected = zhandle_is_connected(zh);
    pause_after_quick_loss(zh->socket, was_connected);
    close_socket(zh);
    if (is_unrecoverable(zh)) {
        put_session_event(zh, zoo_state(zh));
    } else {
        atomic_store(&zh->state, 0);
        if (was_connected)
            put_session_event(zh, ZOO_CONNECTING_STATE);
    }
    fail_all(zh, rc);
    adaptor_flush(zh);
    return rc;
}

#define lose_and_say(zh, rc, ...) (zh_error(zh, __VA_ARGS__), lose((zh), (rc)))

static const char *endpoint(zhandle_t *zh, char text[ENDPOINT_SIZE])
{
    mutex_lock(&zh->lock);
    endpoint_format(&zh->current, text);
    mutex_unlock(&zh->lock);
    return text;
}

static int lose_for(zhandle_t *zh, int rc, const char *why)
{
    char text[ENDPOINT_SIZE];
    return lose_and_say(zh, rc, "Socket %s zk retcode=%d: %s", endpoint(zh, text), rc, why);
}

/* ---- out ---- */

/* What is next to be written, if anything; the handle's lock. */
static bool has_bytes(zhandle_t *zh) REQUIRES(zh->lock)
{
    struct client_socket *socket = zh->socket;
    if (socket->written < socket->writing.size)
        return true;
    if (socket->writing.capacity > KEPT_SIZE)
        buffer_release(&socket->writing);
    buffer_clear(&socket->writing);
    socket->written = 0;
    if (zh->out.size == 0 || socket->phase != SOCKET_OPEN)
        return false;
    struct buffer empty = socket->writing;
    socket->writing = zh->out;
    zh->out = empty;
    condition_broadcast(&zh->changed);    /* there is room */
    return true;
}

/* Without the lock; whoever set is_writing. *ret_size is 0 on failure. */
static int write_some(struct client_socket *socket, size_t *ret_size)
{
    struct iovec part = { .iov_base = socket->writing.bytes + socket->written,
                          .iov_len = socket->writing.size - socket->written };
    *ret_size = 0;
    int err = stream_write(socket->stream, &part, 1, ret_size);
    if (err == ZK_OK)
        atomic_store_explicit(&socket->last_send_ms, clock_elapsed_ms(), memory_order_relaxed);
    return err;
}

/* One thread writes, the lock is free while it does. */
static void write_all(zhandle_t *zh)
{
    struct client_socket *socket = zh->socket;
    mutex_lock(&zh->lock);
    if (socket->is_writing || socket->has_failed || socket->stream == NULL || socket->phase < SOCKET_ASSOCIATING) {
        mutex_unlock(&zh->lock);
        return;
    }
    int err = ZK_OK;
    size_t size;
    socket->is_writing = true;
    while (err == ZK_OK && has_bytes(zh)) {
        mutex_unlock(&zh->lock);
        err = write_some(socket, &size);
        mutex_lock(&zh->lock);
        socket->written += size;
    }
    socket->is_writing = false;
    socket->is_blocked = err == ZK_AGAIN;
    socket->has_failed = err != ZK_OK && err != ZK_AGAIN;
    condition_broadcast(&zh->changed);
    mutex_unlock(&zh->lock);
}

static bool has_failed(zhandle_t *zh)
{
    mutex_lock(&zh->lock);
    bool has_failed = zh->socket->has_failed;
    mutex_unlock(&zh->lock);
    return has_failed;
}

void client_cnxn_write(zhandle_t *zh)
{
    if (zh->tls == NULL)    /* a TLS stream is the I/O thread's alone */
        write_all(zh);
    mutex_lock(&zh->lock);
    struct client_socket *socket = zh->socket;
    bool is_left = zh->out.size > 0 || socket->written < socket->writing.size || socket->has_failed;
    mutex_unlock(&zh->lock);
    if (is_left)
        adaptor_wake(zh);
}

/* ---- connecting ---- */

static void write_connect_request(zhandle_t *zh) REQUIRES(zh->lock)
{
    struct buffer *out = &zh->socket->writing;
    jute_write_int32(out, 0);
    jute_write_int32(out, 0);    /* protocol version */
    jute_write_int64(out, zh->last_zxid);
    jute_write_int32(out, zh->recv_timeout_ms);
    jute_write_int64(out, zh->has_seen_read_write ? zh->client_id.client_id : 0);
    jute_write_buffer(out, (struct jute_buffer){ (const uint8_t *)zh->client_id.passwd, PASSWORD_SIZE });
    jute_write_boolean(out, zh->allows_read_only);
    store_be32(out->bytes, (uint32_t)(out->size - 4));
}

static void set_phase(zhandle_t *zh, enum socket_phase phase)
{
    mutex_lock(&zh->lock);
    zh->socket->phase = phase;
    mutex_unlock(&zh->lock);
}

static int associate(zhandle_t *zh)
{
    char text[ENDPOINT_SIZE];
    mutex_lock(&zh->lock);
    zh->socket->phase = SOCKET_ASSOCIATING;
    write_connect_request(zh);
    mutex_unlock(&zh->lock);
    atomic_store(&zh->state, ZOO_ASSOCIATING_STATE);
    write_all(zh);
    if (has_failed(zh))
        return lose_for(zh, ZCONNECTIONLOSS, "failed to send a handshake packet");
    zh_info(zh, "initiated connection to server %s", endpoint(zh, text));
    return ZOK;
}

static int shake_hands(zhandle_t *zh)
{
    struct error error = { 0 };
    int err = stream_tls_handshake(zh->socket->stream, &error);
    if (err == ZK_AGAIN)
        return ZOK;
    if (err != ZK_OK)
        return lose_for(zh, ZSSLCONNECTIONERROR, error.text);
    return associate(zh);
}

/* The TCP connection is there. */
static int begin_stream(zhandle_t *zh)
{
    struct client_socket *socket = zh->socket;
    socket_set_no_delay(socket->fd);
    struct stream *stream;
    if (zh->tls != NULL) {
        stream = stream_new_tls_client(socket->fd, zh->tls, socket->host);
    } else {
        stream = stream_new_plain(socket->fd);
    }
    mutex_lock(&zh->lock);
    socket->stream = stream;
    mutex_unlock(&zh->lock);
    if (zh->tls == NULL)
        return associate(zh);
    set_phase(zh, SOCKET_HANDSHAKE);
    return shake_hands(zh);
}

static int finish_connect(zhandle_t *zh)
{
    struct client_socket *socket = zh->socket;
    struct error error = { 0 };
    mutex_lock(&zh->lock);
    struct address address = zh->current;
    mutex_unlock(&zh->lock);
    int err = socket_connect_wait(socket->fd, &address, clock_elapsed_ms(), &error);
    if (err == ZK_TIMED_OUT)
        return ZOK;
    if (err != ZK_OK)
        return lose_for(zh, ZCONNECTIONLOSS, error.text);
    return begin_stream(zh);
}

/* Names may have other addresses by now. Without the lock, as it may take its time: only this thread changes the
 * list. */
static void resolve_again(zhandle_t *zh)
{
    struct host_list *list;
    int err = host_list_resolve(host_provider_list(zh->hosts), &list, NULL);
    zh->socket->resolved_ms = clock_elapsed_ms();
    if (err != ZK_OK)
        return;    /* those of before may still be right */
    mutex_lock(&zh->lock);
    host_provider_refresh(zh->hosts, list);
    mutex_unlock(&zh->lock);
}

static bool is_time_to_resolve(zhandle_t *zh, int64_t now_ms)
{
    int64_t since_ms = now_ms - zh->socket->resolved_ms;
    mutex_lock(&zh->lock);
    int delay_ms = zh->resolution_delay_ms;
    mutex_unlock(&zh->lock);
    if (zh->socket->phase == SOCKET_CLOSED)
        return since_ms >= RESOLVE_AGAIN_MS;
    return delay_ms >= 0 && since_ms > delay_ms;
}

/* The list of zoo_set_servers(): ZOK, or the connection was given up for another. */
static int take_new_hosts(zhandle_t *zh)
{
    bool is_open = zh->socket->phase != SOCKET_CLOSED;
    bool must_leave = false;
    mutex_lock(&zh->lock);
    if (zh->new_hosts != NULL)
        must_leave = host_provider_update(zh->hosts, zh->new_hosts, is_open ? &zh->current : NULL) && is_open;
    zh->new_hosts = NULL;
    mutex_unlock(&zh->lock);
    if (!must_leave)
        return ZOK;
    zh_info(zh, "the list of servers changed, the session goes on with another one");
    return lose(zh, ZCONNECTIONLOSS);
}

static int connect_next(zhandle_t *zh, int64_t now_ms)
{
    struct client_socket *socket = zh->socket;
    struct address address;
    struct error error = { 0 };
    bool is_round_over;
    char text[ENDPOINT_SIZE];
    mutex_lock(&zh->lock);
    bool was_asked_for = zh->has_chosen_server;
    if (was_asked_for)
        address = zh->chosen_server;
    else
        host_provider_next(zh->hosts, &address, &is_round_over);
    zh->has_chosen_server = false;
    int timeout_ms = zh->recv_timeout_ms;
    if (!was_asked_for && is_round_over && !socket->was_delayed) {
        socket->was_delayed = true;
        zh->has_chosen_server = true;    /* this one, after a while */
        zh->chosen_server = address;
        mutex_unlock(&zh->lock);
        socket->delay_until_ms = now_ms + timeout_ms / 60;
        zh_warn(zh, "Delaying connection after exhaustively trying all servers");
        return ZOK;
    }
    socket->was_delayed = false;
    zh->current = address;
    const char *host = host_list_name(host_provider_list(zh->hosts), &address);    /* the list may change */
    memory_free(socket->host);
    socket->host = host != NULL ? string_copy(host) : NULL;
    mutex_unlock(&zh->lock);
    socket->connected_ms = socket->last_recv_ms = socket->last_probe_ms = now_ms;
    socket->probe_timeout_ms = LEAST_PROBE_MS;
    atomic_store(&socket->last_send_ms, now_ms);
    atomic_store(&zh->state, zh->tls != NULL ? ZOO_SSL_CONNECTING_STATE : ZOO_CONNECTING_STATE);
    int fd;
    int err = socket_connect_start(&address, &fd, &error);
    if (err != ZK_OK)
        return lose_for(zh, ZCONNECTIONLOSS, error.text);
    mutex_lock(&zh->lock);
    socket->fd = fd;
    socket->connection++;
    socket->phase = SOCKET_CONNECTING;
    mutex_unlock(&zh->lock);
    zh_debug(zh, "connecting to %s", endpoint(zh, text));
    return ZOK;
}

/* ---- the session ---- */

/* (1) */
static void write_first(zhandle_t *zh) REQUIRES(zh->lock)
{
    struct buffer first = { 0 };
    LIST_EACH (link, &zh->auths)
        auth_entry_write(LIST_ENTRY(link, struct auth_entry, link), &first);
    watch_registry_write_set_watches(zh->watches, zh->last_zxid, &first);
    buffer_append(&first, zh->out.bytes, zh->out.size);
    buffer_release(&zh->out);
    zh->out = first;
}

static int process_connect_response(zhandle_t *zh, struct slice frame)
{
    struct jute_reader reader;
    char text[ENDPOINT_SIZE];
    jute_reader_init(&reader, frame.bytes, frame.size, NULL);
    jute_read_int32(&reader);    /* protocol version */
    int32_t timeout_ms = jute_read_int32(&reader);
    int64_t session_id = jute_read_int64(&reader);
    struct jute_buffer password = jute_read_buffer(&reader);
    bool is_read_only = jute_error(&reader) == ZK_OK && jute_left(&reader) > 0 && jute_read_boolean(&reader);
    if (jute_error(&reader) != ZK_OK)
        return lose_for(zh, ZCONNECTIONLOSS, "the answer to the connect request cannot be read");
    mutex_lock(&zh->lock);
    int64_t old_id = zh->has_seen_read_write ? zh->client_id.client_id : 0;
    bool is_expired = old_id != 0 && old_id != session_id;
    bool is_possible = timeout_ms > 0 && session_id != 0 && password.size == PASSWORD_SIZE;
    if (!is_expired && is_possible) {
        zh->has_seen_read_write = zh->has_seen_read_write || !is_read_only;
        zh->client_id.client_id = session_id;
        memcpy(zh->client_id.passwd, password.bytes, PASSWORD_SIZE);
        zh->recv_timeout_ms = timeout_ms;
        zh->socket->phase = SOCKET_OPEN;
        host_provider_connected(zh->hosts);
        write_first(zh);
    }
    mutex_unlock(&zh->lock);
    if (is_expired) {
        atomic_store(&zh->state, ZOO_EXPIRED_SESSION_STATE);
        errno = ESTALE;
        return lose_and_say(zh, ZSESSIONEXPIRED, "Socket %s: sessionId=%#llx has expired.", endpoint(zh, text),
                            (unsigned long long)old_id);
    }
    if (!is_possible)
        return lose_for(zh, ZCONNECTIONLOSS, "the answer to the connect request makes no sense");
    atomic_store(&zh->state, is_read_only ? ZOO_READONLY_STATE : ZOO_CONNECTED_STATE);
    zh_info(zh, "session establishment complete on server %s, sessionId=%#llx, negotiated timeout=%d %s",
            endpoint(zh, text), (unsigned long long)session_id, timeout_ms, is_read_only ? "(READ-ONLY mode)" : "");
    put_session_event(zh, zoo_state(zh));
    return ZOK;
}

/* ---- answers ---- */

/* (3) */
static void apply_watch(zhandle_t *zh, const struct pending_request *request) REQUIRES(zh->lock)
{
    const struct watch_request *watch = &request->watch;
    if (watch->change == WATCH_CHANGE_REMOVE && request->rc == ZOK)
        watch_registry_remove(zh->watches, watch->type, watch->path, watch->watcher, watch->context, NULL);
    if (watch->change != WATCH_CHANGE_ADD)
        return;
    enum watch_kind kind = watch->kind;
    if (watch->is_exists && request->rc == ZNONODE)
        kind = WATCH_EXIST;
    else if (request->rc != ZOK)
        return;
    watch_registry_add(zh->watches, kind, watch->path, watch->watcher, watch->context);
}

static int process_event(zhandle_t *zh, struct jute_reader *reader)
{
    struct client_event event = { 0 };
    event.type = jute_read_int32(reader);
    event.state = jute_read_int32(reader);
    struct jute_buffer path = jute_read_buffer(reader);
    if (jute_error(reader) != ZK_OK || path.size < 0)
        return ZMARSHALLINGERROR;
    event.path = memory_alloc((size_t)path.size + 1);
    memcpy(event.path, path.bytes, (size_t)path.size);
    event.path[path.size] = '\0';
    mutex_lock(&zh->lock);
    watch_registry_materialize(zh->watches, event.type, event.path, &event.callbacks);
    mutex_unlock(&zh->lock);
    if (event.callbacks.count > 0)
        adaptor_put_event(zh, &event);
    else
        client_event_release(&event);
    return ZOK;
}

/* The n-th answer belongs to the n-th credentials. */
static int process_auth(zhandle_t *zh, int32_t err)
{
    void_completion_t completion = NULL;
    const void *data = NULL;
    size_t number = 0;
    char *scheme = NULL;
    mutex_lock(&zh->lock);
    LIST_EACH (link, &zh->auths) {
        struct auth_entry *entry = LIST_ENTRY(link, struct auth_entry, link);
        if (number++ != zh->socket->auth_replies)
            continue;
        completion = entry->completion;
        data = entry->data;
        entry->completion = NULL;
        scheme = string_copy(entry->scheme);
        break;
    }
    zh->socket->auth_replies++;
    mutex_unlock(&zh->lock);
    if (scheme == NULL)
        return ZOK;    /* unasked */
    if (err != 0) {
        zh_error(zh, "Authentication scheme %s failed. Connection closed.", scheme);
        atomic_store(&zh->state, ZOO_AUTH_FAILED_STATE);
    } else {
        zh_info(zh, "Authentication scheme %s succeeded", scheme);
    }
    put_auth_event(zh, completion, data, err);
    memory_free(scheme);
    return err != 0 ? ZAUTHFAILED : ZOK;
}

static int process_answer(zhandle_t *zh, int32_t xid, int64_t zxid, int32_t err, struct slice body)
{
    mutex_lock(&zh->lock);
    struct pending_request *request = zh->sent.first;
    bool is_expected = request != NULL && request->xid == xid;    /* (2) */
    if (is_expected) {
        pending_list_take(&zh->sent);
        request->rc = err;
        if (zxid > 0)
            zh->last_zxid = zxid;
        apply_watch(zh, request);
        if (zh->waiters_for_room > 0)
            condition_broadcast(&zh->changed);
    }
    int32_t expected = request != NULL ? request->xid : 0;
    mutex_unlock(&zh->lock);
    if (!is_expected) {
        zh_error(zh, "unexpected server response: expected %#x, but received %#x", (unsigned)expected, (unsigned)xid);
        return ZRUNTIMEINCONSISTENCY;
    }
    if (request->is_close) {
        zh->socket->was_closed_by_request = true;
        pending_request_free(request);
        return ZOK;
    }
    request->reply = blob_ref(zh->socket->chunk);
    request->body = body;
    put_answer(zh, request);
    return ZOK;
}

static int process_frame(zhandle_t *zh, struct slice frame)
{
    struct jute_reader reader;
    if (zh->socket->phase == SOCKET_ASSOCIATING)
        return process_connect_response(zh, frame);
    jute_reader_init(&reader, frame.bytes, frame.size, NULL);
    reader.limit = INT32_MAX;
    int32_t xid = jute_read_int32(&reader);
    int64_t zxid = jute_read_int64(&reader);
    int32_t err = jute_read_int32(&reader);
    if (jute_error(&reader) != ZK_OK)
        return ZMARSHALLINGERROR;
    switch (xid) {
    case XID_PING:
    case XID_SET_WATCHES:
        return ZOK;
    case XID_EVENT:
        return process_event(zh, &reader);
    case XID_AUTH:
        return process_auth(zh, err);
    default:
        return process_answer(zh, xid, zxid, err, (struct slice){
            .bytes = frame.bytes + REPLY_HEADER_SIZE, .size = frame.size - REPLY_HEADER_SIZE });
    }
}

/* All frames that are in the chunk. A code other than ZOK: the connection was given up, or must be. */
static int process_frames(zhandle_t *zh)
{
    struct slice frame;
    int err;
    while ((err = client_socket_next_frame(zh->socket, &frame)) == ZK_OK) {
        int rc = process_frame(zh, frame);
        if (rc == ZOK)
            continue;
        if (zh->socket->phase == SOCKET_CLOSED)
            return rc;    /* it was given up already */
        return lose_for(zh, rc, rc == ZAUTHFAILED ? "the server does not accept the credentials"
                                                  : "an answer cannot be understood");
    }
    if (err == ZK_AGAIN)
        return ZOK;
    return lose_for(zh, ZCONNECTIONLOSS, "an answer has a length that cannot be");
}

static int read_answers(zhandle_t *zh)
{
    struct client_socket *socket = zh->socket;
    int rc = ZNOTHING;
    for (int i = 0; i < READS_IN_TURN && !adaptor_is_full(zh); i++) {
        int err = client_socket_read(socket);
        if (err == ZK_AGAIN)
            break;
        if (err != ZK_OK)
            return lose_for(zh, ZCONNECTIONLOSS, err == ZK_EOF ? "the server closed the connection"
                                                               : "failed while receiving a server response");
        bool may_be_more = socket->filled == socket->chunk->size;
        socket->last_recv_ms = clock_elapsed_ms();
        rc = process_frames(zh);
        if (rc != ZOK || (!may_be_more && stream_pending(socket->stream) == 0))
            break;
    }
    adaptor_flush(zh);
    return rc;
}

/* ---- time ---- */

static void put_ping(zhandle_t *zh) REQUIRES(zh->lock)
{
    jute_write_int32(&zh->out, 8);
    jute_write_int32(&zh->out, XID_PING);
    jute_write_int32(&zh->out, ZOO_PING_OP);
}

/* Takes a late request out; another one keeps its place in the order for the server's answer. */
static struct pending_request *take_late_request(zhandle_t *zh, int64_t now_ms) REQUIRES(zh->lock)
{
    struct pending_request **place = &zh->sent.first;
    while (*place != NULL && (*place)->deadline_ms > now_ms)
        place = &(*place)->next;
    struct pending_request *late = *place;
    if (late == NULL)
        return NULL;
    struct pending_request *stands_in = pending_request_new(COMPLETION_VOID, (union completion){ NULL }, NULL);
    stands_in->xid = late->xid;
    stands_in->next = late->next;
    *place = stands_in;
    if (zh->sent.last == late)
        zh->sent.last = stands_in;
    return late;
}

/* What the next of them is due at. */
static int64_t earliest_deadline(zhandle_t *zh) REQUIRES(zh->lock)
{
    int64_t earliest_ms = INT64_MAX;
    for (const struct pending_request *request = zh->sent.first; request != NULL; request = request->next)
        if (request->deadline_ms < earliest_ms)
            earliest_ms = request->deadline_ms;
    return earliest_ms;
}

/* Looks at all of them only when one may be due. */
static void time_out_requests(zhandle_t *zh, int64_t now_ms)
{
    struct pending_list late = { 0 };
    struct pending_request *request;
    mutex_lock(&zh->lock);
    if (zh->next_deadline_ms <= now_ms) {
        while ((request = take_late_request(zh, now_ms)) != NULL)
            pending_list_add(&late, request);
        zh->next_deadline_ms = earliest_deadline(zh);
    }
    mutex_unlock(&zh->lock);
    while ((request = pending_list_take(&late)) != NULL) {
        request->rc = ZOPERATIONTIMEOUT;
        put_answer(zh, request);
    }
}

static int64_t next_request_deadline(zhandle_t *zh)
{
    mutex_lock(&zh->lock);
    int64_t deadline_ms = zh->next_deadline_ms;
    mutex_unlock(&zh->lock);
    return deadline_ms;
}

/* On a read-only server: asks the others, one by one, until one of them is more than that. */
static int look_for_read_write(zhandle_t *zh, int64_t now_ms, int64_t *deadline_ms)
{
    struct client_socket *socket = zh->socket;
    struct address address;
    bool is_round_over;
    char text[ENDPOINT_SIZE];
    if (socket->probe.is_active) {
        enum probe_answer answer = read_write_probe_go_on(&socket->probe);
        if (answer == PROBE_READ_WRITE) {
            mutex_lock(&zh->lock);
            zh->has_chosen_server = true;
            zh->chosen_server = socket->probe.address;
            endpoint_format(&socket->probe.address, text);
            mutex_unlock(&zh->lock);
            zh_info(zh, "r/w server found at %s", text);
            return lose(zh, ZCONNECTIONLOSS);
        }
        if (answer == PROBE_WAITS && *deadline_ms > now_ms + PROBE_STEP_MS)
            *deadline_ms = now_ms + PROBE_STEP_MS;
    } else if (now_ms - socket->last_probe_ms >= socket->probe_timeout_ms) {
        mutex_lock(&zh->lock);
        host_provider_next(zh->hosts, &address, &is_round_over);
        mutex_unlock(&zh->lock);
        socket->last_probe_ms = now_ms;
        socket->probe_timeout_ms = socket->probe_timeout_ms * 2 < MOST_PROBE_MS ? socket->probe_timeout_ms * 2
                                                                                : MOST_PROBE_MS;
        read_write_probe_begin(&socket->probe, &address);
        *deadline_ms = now_ms + PROBE_STEP_MS;
    } else if (*deadline_ms > socket->last_probe_ms + socket->probe_timeout_ms) {
        *deadline_ms = socket->last_probe_ms + socket->probe_timeout_ms;
    }
    return ZOK;
}

/* ---- what the I/O thread asks and says ---- */

/* Time-outs and pings of a connection that is there, or on its way. */
static int keep_time(zhandle_t *zh, int64_t now_ms, int64_t *ret_deadline_ms)
{
    struct client_socket *socket = zh->socket;
    char text[ENDPOINT_SIZE];
    if (adaptor_is_full(zh))
        socket->last_recv_ms = now_ms;    /* it is us who do not read */
    mutex_lock(&zh->lock);
    int64_t timeout_ms = zh->recv_timeout_ms;
    int64_t receive_by_ms = socket->last_recv_ms + timeout_ms * 2 / 3;
    int64_t send_by_ms = atomic_load(&socket->last_send_ms) + timeout_ms / 3;
    if (zhandle_is_connected(zh) && now_ms >= send_by_ms && zh->out.size == 0 && !socket->is_blocked) {
        put_ping(zh);
        send_by_ms = now_ms + timeout_ms / 3;
    }
    mutex_unlock(&zh->lock);
    if (now_ms >= receive_by_ms)
        return lose_and_say(zh, ZOPERATIONTIMEOUT, "connection to %s timed out (exceeded timeout by %dms)",
                            endpoint(zh, text), (int)(now_ms - receive_by_ms));
    *ret_deadline_ms = receive_by_ms;
    if (zhandle_is_connected(zh) && send_by_ms > now_ms && send_by_ms < receive_by_ms)
        *ret_deadline_ms = send_by_ms;
    time_out_requests(zh, now_ms);
    int64_t request_by_ms = next_request_deadline(zh);
    if (request_by_ms < *ret_deadline_ms)
        *ret_deadline_ms = request_by_ms;
    return zoo_state(zh) == ZOO_READONLY_STATE ? look_for_read_write(zh, now_ms, ret_deadline_ms) : ZOK;
}

static uint32_t wanted_events(zhandle_t *zh)
{
    struct client_socket *socket = zh->socket;
    uint32_t wants = socket->stream != NULL ? stream_wants(socket->stream) : 0;
    uint32_t events = wants & (POLLER_READ | POLLER_WRITE);
    mutex_lock(&zh->lock);
    bool is_left = socket->written < socket->writing.size || (zh->out.size > 0 && socket->phase == SOCKET_OPEN);
    mutex_unlock(&zh->lock);
    if (socket->phase == SOCKET_CONNECTING || (is_left && socket->phase >= SOCKET_ASSOCIATING))
        events |= POLLER_WRITE;
    if (!adaptor_is_full(zh) && socket->phase != SOCKET_CONNECTING && !(wants & STREAM_READ_NEEDS_WRITE))
        events |= POLLER_READ;
    return events;
}

int client_cnxn_interest(zhandle_t *zh, struct client_interest *ret_interest)
{
    struct client_socket *socket = zh->socket;
    int64_t now_ms = clock_elapsed_ms();
    *ret_interest = (struct client_interest){ .fd = -1, .deadline_ms = now_ms };
    if (is_unrecoverable(zh))
        return ZINVALIDSTATE;
    mutex_lock(&zh->lock);
    bool is_closing = zh->is_closing;
    mutex_unlock(&zh->lock);
    if (is_closing && socket->phase == SOCKET_CLOSED)
        return ZCLOSING;
    int rc = take_new_hosts(zh);
    if (rc != ZOK)
        return rc;
    if (is_time_to_resolve(zh, now_ms))
        resolve_again(zh);
    if (socket->phase == SOCKET_CLOSED) {
        if (now_ms >= socket->delay_until_ms)
            rc = connect_next(zh, now_ms);
        if (rc != ZOK)
            return rc;
        if (socket->phase == SOCKET_CLOSED) {
            time_out_requests(zh, now_ms);
            ret_interest->deadline_ms = socket->delay_until_ms;
            return ZOK;
        }
    }
    if (has_failed(zh))
        return lose_for(zh, ZCONNECTIONLOSS, "failed while flushing send queue");
    rc = keep_time(zh, now_ms, &ret_interest->deadline_ms);
    if (rc != ZOK)
        return rc;
    write_all(zh);
    adaptor_flush(zh);
    ret_interest->fd = socket->fd;
    ret_interest->connection = socket->connection;
    ret_interest->events = wanted_events(zh);
    if (socket->stream != NULL && stream_pending(socket->stream) > 0 && !adaptor_is_full(zh))
        ret_interest->deadline_ms = now_ms;
    return ZOK;
}

int client_cnxn_process(zhandle_t *zh, uint32_t events)
{
    struct client_socket *socket = zh->socket;
    if (is_unrecoverable(zh))
        return ZINVALIDSTATE;
    if (socket->phase == SOCKET_CLOSED)
        return ZINVALIDSTATE;
    if (socket->phase == SOCKET_CONNECTING)
        return finish_connect(zh);
    if (socket->phase == SOCKET_HANDSHAKE)
        return shake_hands(zh);
    if (events & POLLER_WRITE)
        write_all(zh);
    if (!(events & (POLLER_READ | POLLER_HANGUP)) && stream_pending(socket->stream) == 0)
        return ZOK;
    int rc = read_answers(zh);
    if (rc == ZOK && socket->phase == SOCKET_OPEN)
        write_all(zh);
    return rc;
}

void client_cnxn_send_close(zhandle_t *zh)
{
    mutex_lock(&zh->lock);
    if (zhandle_is_connected(zh)) {
        struct pending_request *request = pending_request_new(COMPLETION_VOID, (union completion){ NULL }, NULL);
        request->is_close = true;
        request->xid = zh->next_xid;    /* the last one */
        pending_list_add(&zh->sent, request);
        jute_write_int32(&zh->out, 8);
        jute_write_int32(&zh->out, request->xid);
        jute_write_int32(&zh->out, ZOO_CLOSE_OP);
    }
    zh->is_closing = true;
    condition_broadcast(&zh->changed);
    mutex_unlock(&zh->lock);
}

bool client_cnxn_is_open(zhandle_t *zh)
{
    return zh->socket->phase == SOCKET_OPEN && !zh->socket->was_closed_by_request && !is_unrecoverable(zh);
}

void client_cnxn_finish(zhandle_t *zh, int rc)
{
    close_socket(zh);
    fail_all(zh, rc);
    adaptor_flush(zh);
}
