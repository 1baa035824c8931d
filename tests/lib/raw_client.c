/* raw_client.c - frames out, frames in, and the few requests that most tests need. */
#include "tests/lib/raw_client.h"

#include <stdio.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/memory.h"
#include "common/net/socket.h"
#include "common/wire/acl.h"

#define MOST_FRAME (64 * 1024 * 1024)

static int64_t deadline(void)
{
    return clock_elapsed_ms() + RAW_CLIENT_WAIT_MS;
}

/* ---- bytes and frames ---- */

void raw_client_init(struct raw_client *client)
{
    memset(client, 0, sizeof *client);
    client->fd = -1;
    client->next_xid = 1;
}

int raw_client_dial(struct raw_client *client, int port)
{
    struct address address;
    raw_client_hang_up(client);
    if (!address_from_ip("127.0.0.1", (uint16_t)port, &address))
        return ZK_IO;
    return socket_connect(&address, deadline(), &client->fd, NULL);
}

int raw_client_send_bytes(struct raw_client *client, const void *bytes, size_t size)
{
    return socket_send_all(client->fd, bytes, size, deadline());
}

int raw_client_send_frame(struct raw_client *client, const void *bytes, size_t size)
{
    struct buffer frame = {0};
    jute_write_int32(&frame, (int32_t)size);
    buffer_append(&frame, bytes, size);
    int err = raw_client_send_bytes(client, frame.bytes, frame.size);
    buffer_release(&frame);
    return err;
}

int raw_client_receive_frame(struct raw_client *client)
{
    uint8_t length[4];
    arena_release(&client->arena);
    arena_init(&client->arena, NULL, 0);
    buffer_clear(&client->frame);
    int err = socket_receive_all(client->fd, length, sizeof length, deadline());
    if (err != ZK_OK)
        return err;
    uint32_t size = load_be32(length);
    if (size > MOST_FRAME)
        return ZK_TOO_LARGE;
    return socket_receive_all(client->fd, buffer_extend(&client->frame, size), size, deadline());
}

bool raw_client_sees_end(struct raw_client *client)
{
    int err;
    while ((err = raw_client_receive_frame(client)) == ZK_OK)
        ;
    return err == ZK_EOF || err == ZK_IO;    /* a reset is an end too */
}

void raw_client_hang_up(struct raw_client *client)
{
    socket_close(client->fd);
    client->fd = -1;
}

void raw_client_release(struct raw_client *client)
{
    raw_client_hang_up(client);
    buffer_release(&client->frame);
    arena_release(&client->arena);
}

/* ---- sessions ---- */

int raw_client_handshake(struct raw_client *client, int32_t timeout_ms)
{
    struct buffer record = {0};
    struct connect_request request = {
        .last_zxid_seen = client->last_zxid_seen,
        .time_out = timeout_ms,
        .session_id = client->session_id,
        .passwd = {client->password, sizeof client->password},
    };
    jute_write_connect_request(&record, &request);
    int err = raw_client_send_frame(client, record.bytes, client->old_handshake ? record.size - 1 : record.size);
    buffer_release(&record);
    if (err == ZK_OK)
        err = raw_client_receive_frame(client);
    if (err != ZK_OK)
        return err;
    jute_reader_init(&client->body, client->frame.bytes, client->frame.size, &client->arena);
    jute_read_int32(&client->body);    /* protocol version */
    client->timeout_ms = jute_read_int32(&client->body);
    client->session_id = jute_read_int64(&client->body);
    struct jute_buffer password = jute_read_buffer(&client->body);
    if (!client->old_handshake)
        jute_read_boolean(&client->body);
    if (jute_error(&client->body) != ZK_OK || jute_left(&client->body) != 0 ||
        password.size != (int32_t)sizeof client->password)
        return ZK_MARSHALLING_ERROR;
    memcpy(client->password, password.bytes, sizeof client->password);
    return client->session_id == 0 ? ZK_SESSION_EXPIRED : ZK_OK;
}

int raw_client_connect(struct raw_client *client, int port, int32_t timeout_ms)
{
    client->session_id = 0;
    int err = raw_client_dial(client, port);
    return err != ZK_OK ? err : raw_client_handshake(client, timeout_ms);
}

int raw_client_close_session(struct raw_client *client)
{
    int err = raw_client_call(client, OP_CLOSE_SESSION, NULL);
    if (err == ZK_OK && !raw_client_sees_end(client))
        err = ZK_TIMED_OUT;
    raw_client_hang_up(client);
    return err;
}

/* ---- requests ---- */

int32_t raw_client_send(struct raw_client *client, int32_t type, struct buffer *record)
{
    struct buffer frame = {0};
    int32_t xid = client->next_xid++;
    jute_write_int32(&frame, xid);
    jute_write_int32(&frame, type);
    if (record != NULL) {
        buffer_append(&frame, record->bytes, record->size);
        buffer_release(record);
    }
    raw_client_send_frame(client, frame.bytes, frame.size);    /* the missing reply tells of a failure */
    buffer_release(&frame);
    return xid;
}

/* The next frame, its header read. */
static int receive_header(struct raw_client *client)
{
    int err = raw_client_receive_frame(client);
    if (err != ZK_OK)
        return err;
    jute_reader_init(&client->body, client->frame.bytes, client->frame.size, &client->arena);
    client->body.limit = MOST_FRAME;
    jute_read_reply_header(&client->body, &client->header);
    return jute_error(&client->body) != ZK_OK ? ZK_MARSHALLING_ERROR : ZK_OK;
}

static int keep_event(struct raw_client *client)
{
    struct watcher_event event;
    jute_read_watcher_event(&client->body, &event);
    if (jute_error(&client->body) != ZK_OK || client->event_count == ARRAY_SIZE(client->events))
        return ZK_MARSHALLING_ERROR;
    struct raw_event *kept = &client->events[client->event_count++];
    kept->type = event.type;
    kept->zxid = client->header.zxid;
    snprintf(kept->path, sizeof kept->path, "%.*s", event.path.size, event.path.bytes);
    return ZK_OK;
}

int raw_client_receive(struct raw_client *client, int32_t xid)
{
    for (;;) {
        int err = receive_header(client);
        if (err == ZK_OK && client->header.xid == xid)
            return client->header.err;
        if (err == ZK_OK)
            err = client->header.xid == XID_NOTIFICATION ? keep_event(client) : ZK_MARSHALLING_ERROR;
        if (err != ZK_OK)
            return err;
    }
}

int raw_client_call(struct raw_client *client, int32_t type, struct buffer *record)
{
    return raw_client_receive(client, raw_client_send(client, type, record));
}

int raw_client_wait_event(struct raw_client *client, struct raw_event *ret_event)
{
    if (client->event_count == 0) {
        int err = receive_header(client);
        if (err == ZK_OK)
            err = client->header.xid == XID_NOTIFICATION ? keep_event(client) : ZK_MARSHALLING_ERROR;
        if (err != ZK_OK)
            return err;
    }
    *ret_event = client->events[0];
    memmove(client->events, client->events + 1, --client->event_count * sizeof client->events[0]);
    return ZK_OK;
}

static struct jute_buffer data_of(const char *text)
{
    return (struct jute_buffer){(const uint8_t *)text, text == NULL ? -1 : (int32_t)strlen(text)};
}

int raw_client_create(struct raw_client *client, const char *path, const char *data, int32_t flags)
{
    struct buffer record = {0};
    struct create_request request = {ustring_of(path), data_of(data), acl_open_unsafe, flags};
    jute_write_create_request(&record, &request);
    return raw_client_call(client, create_mode_is_container(flags) ? OP_CREATE_CONTAINER : OP_CREATE, &record);
}

int raw_client_create_ttl(struct raw_client *client, const char *path, int64_t ttl_ms)
{
    struct buffer record = {0};
    struct create_ttl_request request = {ustring_of(path), data_of(""), acl_open_unsafe, CREATE_PERSISTENT_WITH_TTL,
                                         ttl_ms};
    jute_write_create_ttl_request(&record, &request);
    return raw_client_call(client, OP_CREATE_TTL, &record);
}

int raw_client_delete(struct raw_client *client, const char *path, int32_t version)
{
    struct buffer record = {0};
    struct delete_request request = {ustring_of(path), version};
    jute_write_delete_request(&record, &request);
    return raw_client_call(client, OP_DELETE, &record);
}

int raw_client_set(struct raw_client *client, const char *path, const char *data, int32_t version)
{
    struct buffer record = {0};
    struct set_data_request request = {ustring_of(path), data_of(data), version};
    jute_write_set_data_request(&record, &request);
    return raw_client_call(client, OP_SET_DATA, &record);
}

int raw_client_exists(struct raw_client *client, const char *path, bool watch, struct zk_stat *ret_stat)
{
    struct buffer record = {0};
    struct exists_request request = {ustring_of(path), watch};
    struct zk_stat stat;
    jute_write_exists_request(&record, &request);
    int err = raw_client_call(client, OP_EXISTS, &record);
    if (err != ZK_OK)
        return err;
    jute_read_zk_stat(&client->body, &stat);
    if (jute_error(&client->body) != ZK_OK)
        return ZK_MARSHALLING_ERROR;
    if (ret_stat != NULL)
        *ret_stat = stat;
    return ZK_OK;
}

int raw_client_get(struct raw_client *client, const char *path, bool watch, char *text, size_t size)
{
    struct buffer record = {0};
    struct get_data_request request = {ustring_of(path), watch};
    jute_write_get_data_request(&record, &request);
    int err = raw_client_call(client, OP_GET_DATA, &record);
    if (err != ZK_OK)
        return err;
    struct jute_buffer data = jute_read_buffer(&client->body);
    if (jute_error(&client->body) != ZK_OK)
        return ZK_MARSHALLING_ERROR;
    snprintf(text, size, "%.*s", data.size < 0 ? 4 : data.size, data.size < 0 ? "null" : (const char *)data.bytes);
    return ZK_OK;
}

int raw_client_ping(struct raw_client *client)
{
    uint8_t frame[8];
    store_be32(frame, (uint32_t)XID_PING);
    store_be32(frame + 4, OP_PING);
    int err = raw_client_send_frame(client, frame, sizeof frame);
    return err != ZK_OK ? err : raw_client_receive(client, XID_PING);
}
