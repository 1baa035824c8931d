/* fake_server.c - the server's end, call by call. */
#include "tests/unit/client/fake_server.h"

#include <check.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/net/socket.h"
#include "common/wire/jute.h"
#include "common/wire/op_code.h"

#define DEADLINE_MS 20000

static int64_t deadline(void)
{
    return clock_elapsed_ms() + DEADLINE_MS;
}

void fake_server_open(struct fake_server *server)
{
    struct address address;
    struct error error = { 0 };
    ck_assert(address_from_ip("127.0.0.1", 0, &address));
    ck_assert_msg(socket_listen(&address, 0, &server->listener, &error) == ZK_OK, "%s", error.text);
    ck_assert_int_eq(socket_local_address(server->listener, &address), ZK_OK);
    server->port = address_port(&address);
    server->fd = -1;
}

void fake_server_close(struct fake_server *server)
{
    fake_server_hang_up(server);
    socket_close(server->listener);
    server->listener = -1;
}

void fake_server_accept(struct fake_server *server)
{
    struct address peer;
    fake_server_hang_up(server);
    ck_assert_int_eq(socket_wait(server->listener, POLLER_READ, deadline()), ZK_OK);
    ck_assert_int_eq(socket_accept(server->listener, &server->fd, &peer, NULL), ZK_OK);
}

bool fake_server_is_asked(struct fake_server *server, int within_ms)
{
    return socket_wait(server->listener, POLLER_READ, clock_elapsed_ms() + within_ms) == ZK_OK;
}

void fake_server_hang_up(struct fake_server *server)
{
    socket_close(server->fd);
    server->fd = -1;
}

void fake_server_wait_hang_up(struct fake_server *server)
{
    uint8_t bytes[4096];
    size_t size;
    int64_t until_ms = deadline();
    for (;;) {
        ck_assert_msg(socket_wait(server->fd, POLLER_READ, until_ms) == ZK_OK, "the client does not hang up");
        int err = socket_receive(server->fd, bytes, sizeof(bytes), &size);
        if (err == ZK_EOF || err == ZK_IO)
            break;
    }
    fake_server_hang_up(server);
}

void fake_server_send_raw(struct fake_server *server, const void *bytes, size_t size)
{
    ck_assert_int_eq(socket_send_all(server->fd, bytes, size, deadline()), ZK_OK);
}

bool fake_server_try_send(struct fake_server *server, const void *bytes, size_t size)
{
    return socket_send_all(server->fd, bytes, size, deadline()) == ZK_OK;
}

void fake_server_read_frame(struct fake_server *server)
{
    uint8_t length[4];
    ck_assert_msg(socket_receive_all(server->fd, length, sizeof(length), deadline()) == ZK_OK, "no frame comes");
    server->size = load_be32(length);
    ck_assert_uint_le(server->size, sizeof(server->frame));
    ck_assert_int_eq(socket_receive_all(server->fd, server->frame, server->size, deadline()), ZK_OK);
    server->xid = server->size >= 4 ? (int32_t)load_be32(server->frame) : 0;
    server->type = server->size >= 8 ? (int32_t)load_be32(server->frame + 4) : 0;
    server->body = server->frame + 8;
    server->body_size = server->size >= 8 ? server->size - 8 : 0;
}

void fake_server_expect(struct fake_server *server, int32_t type)
{
    for (;;) {
        fake_server_read_frame(server);
        if (server->type != OP_PING || type == OP_PING)
            break;
        fake_server_answer(server, 0, 0, NULL);
    }
    ck_assert_int_eq(server->type, type);
}

bool fake_server_has_frame(struct fake_server *server, int within_ms)
{
    return socket_wait(server->fd, POLLER_READ, clock_elapsed_ms() + within_ms) == ZK_OK;
}

void fake_server_send_frame(struct fake_server *server, const struct buffer *content)
{
    uint8_t length[4];
    store_be32(length, (uint32_t)content->size);
    fake_server_send_raw(server, length, sizeof(length));
    fake_server_send_raw(server, content->bytes, content->size);
}

void fake_server_answer_connect(struct fake_server *server, int32_t timeout_ms, int64_t session_id, bool is_read_only)
{
    static const uint8_t password[16] = "0123456789abcde";
    struct buffer out = { 0 };
    jute_write_int32(&out, 0);
    jute_write_int32(&out, timeout_ms);
    jute_write_int64(&out, session_id);
    jute_write_buffer(&out, (struct jute_buffer){ password, sizeof(password) });
    jute_write_boolean(&out, is_read_only);
    fake_server_send_frame(server, &out);
    buffer_release(&out);
}

void fake_server_begin_session(struct fake_server *server, int32_t timeout_ms)
{
    fake_server_accept(server);
    fake_server_read_frame(server);
    fake_server_answer_connect(server, timeout_ms, FAKE_SESSION, false);
}

void fake_server_send_reply(struct fake_server *server, int32_t xid, int64_t zxid, int32_t err,
                            const struct buffer *body)
{
    struct buffer out = { 0 };
    jute_write_int32(&out, xid);
    jute_write_int64(&out, zxid);
    jute_write_int32(&out, err);
    if (body != NULL)
        buffer_append(&out, body->bytes, body->size);
    fake_server_send_frame(server, &out);
    buffer_release(&out);
}

void fake_server_answer(struct fake_server *server, int64_t zxid, int32_t err, const struct buffer *body)
{
    fake_server_send_reply(server, server->xid, zxid, err, body);
}

void fake_server_send_event(struct fake_server *server, int32_t type, int32_t state, const char *path)
{
    struct buffer body = { 0 };
    jute_write_int32(&body, type);
    jute_write_int32(&body, state);
    jute_write_string(&body, path);
    fake_server_send_reply(server, -1, -1, 0, &body);
    buffer_release(&body);
}

void fake_server_write_stat(struct buffer *out, int32_t version)
{
    for (int i = 0; i < 4; i++)
        jute_write_int64(out, i);
    jute_write_int32(out, version);
    jute_write_int32(out, 0);
    jute_write_int32(out, 0);
    jute_write_int64(out, 0);
    jute_write_int32(out, 0);
    jute_write_int32(out, 0);
    jute_write_int64(out, 9);
}
