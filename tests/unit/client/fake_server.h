/*
 * The server's end of a client's connection, played by the test itself, call by call; each fails the test when it does
 * not come about within 20 s.
 */
#ifndef ZKC_TESTS_UNIT_CLIENT_FAKE_SERVER_H
#define ZKC_TESTS_UNIT_CLIENT_FAKE_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/buffer.h"

#define FAKE_SESSION INT64_C(0x1234567890)

struct fake_server {
    int listener, fd;    /* -1: none */
    int port;
    uint8_t frame[1 << 20];    /* the last one received, without its length */
    size_t size;
    int32_t xid, type;         /* of it */
    const uint8_t *body;       /* behind both */
    size_t body_size;
};

void fake_server_open(struct fake_server *server);
void fake_server_close(struct fake_server *server);
/* The next connection takes the place of the present one. */
void fake_server_accept(struct fake_server *server);
bool fake_server_is_asked(struct fake_server *server, int within_ms);    /* does somebody connect? */
void fake_server_hang_up(struct fake_server *server);
/* Until the client hangs up; what it sends until then is thrown away. */
void fake_server_wait_hang_up(struct fake_server *server);
void fake_server_send_raw(struct fake_server *server, const void *bytes, size_t size);
/* Like the one before, but nobody minds if the client is gone. */
bool fake_server_try_send(struct fake_server *server, const void *bytes, size_t size);

/* Any frame; its xid and type if it has them. */
void fake_server_read_frame(struct fake_server *server);
/* The next one that is no ping, which must be of this type; pings are answered. */
void fake_server_expect(struct fake_server *server, int32_t type);
bool fake_server_has_frame(struct fake_server *server, int within_ms);
void fake_server_send_frame(struct fake_server *server, const struct buffer *content);

/* The whole handshake: accept, read, answer. */
void fake_server_begin_session(struct fake_server *server, int32_t timeout_ms);
void fake_server_answer_connect(struct fake_server *server, int32_t timeout_ms, int64_t session_id, bool is_read_only);
/* The answer to the last frame received: header and body. */
void fake_server_answer(struct fake_server *server, int64_t zxid, int32_t err, const struct buffer *body);
void fake_server_send_reply(struct fake_server *server, int32_t xid, int64_t zxid, int32_t err,
                            const struct buffer *body);
void fake_server_send_event(struct fake_server *server, int32_t type, int32_t state, const char *path);
/* 68 bytes, version as given. */
void fake_server_write_stat(struct buffer *out, int32_t version);

#endif
