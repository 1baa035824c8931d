/*
 * The bytes of one connection: frames in, bytes out. Mirrors ClientCnxnSocket. The I/O thread's, except what says
 * otherwise.
 */
#ifndef ZKC_CLIENT_CLIENT_SOCKET_H
#define ZKC_CLIENT_CLIENT_SOCKET_H

#include <stdatomic.h>
#include <stdbool.h>

#include "client/read_write_probe.h"
#include "common/base/blob.h"
#include "common/base/buffer.h"
#include "common/net/stream.h"

#define FRAME_LIMIT ((size_t)256 << 20)    /* bytes of an answer; beyond it the server is not believed */

enum socket_phase {
    SOCKET_CLOSED,
    SOCKET_CONNECTING,     /* TCP */
    SOCKET_HANDSHAKE,      /* TLS */
    SOCKET_ASSOCIATING,    /* the connect request is out */
    SOCKET_OPEN            /* the session is there */
};

struct client_socket {
    enum socket_phase phase;       /* written under the handle's lock too */
    int fd;                        /* -1: none */
    uint64_t connection;           /* how many there were */
    char *host;                    /* the name it was chosen by; NULL: it has none */
    struct stream *stream;         /* from SOCKET_HANDSHAKE on; written under the handle's lock too */

    /* Out; the handle's lock, or whoever set is_writing. */
    bool is_writing;
    bool is_blocked;               /* the socket takes no more for now */
    bool has_failed;
    struct buffer writing;
    size_t written;
    _Atomic int64_t last_send_ms;

    /* In. */
    struct blob *chunk;            /* NULL before the first byte */
    size_t parsed, filled;         /* of the chunk */
    int64_t last_recv_ms;

    int64_t connected_ms;          /* when connecting began */
    int64_t delay_until_ms;        /* no attempt to connect before */
    bool was_delayed;              /* the attempt that comes now */
    int quick_losses;              /* sessions in a row that were lost as soon as they were there */
    int64_t resolved_ms;           /* when names were looked up */
    bool was_closed_by_request;    /* the close request was answered */
    size_t auth_replies;           /* on this connection */
    struct read_write_probe probe;
    int probe_timeout_ms;
    int64_t last_probe_ms;
};

/* Reads what is there, once. ZK_OK, ZK_AGAIN, ZK_EOF, ZK_IO. */
int client_socket_read(struct client_socket *socket);
/* The next whole frame, without its length, in the chunk: ZK_OK, ZK_AGAIN (not all of it is here),
 * ZK_MARSHALLING_ERROR. */
int client_socket_next_frame(struct client_socket *socket, struct slice *ret_frame);
/* Everything of this connection is given up; the writer must be gone. */
void client_socket_close(struct client_socket *socket);

#endif
