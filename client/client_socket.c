/*
 * client_socket.c - frames come in in chunks that answers are lent from.
 *
 * (1) Memory for a frame is taken as its bytes arrive, not as its length says.
 * (2) A chunk that an answer is lent from is not written again, but behind what was filled.
 */
#include "client/client_socket.h"

#include <string.h>

#include "common/base/memory.h"
#include "common/net/socket.h"
#include "common/wire/jute.h"

#define LENGTH_SIZE 4
#define CHUNK_SIZE ((size_t)64 << 10)
#define CHUNK_LEAST_FREE ((size_t)4 << 10)
#define TRUSTED_SIZE ((size_t)1 << 20)    /* a frame up to this gets its memory at once */

/* Bytes the chunk must hold from `parsed` on for the frame that is coming in. */
static size_t wanted(const struct client_socket *socket)
{
    size_t have = socket->filled - socket->parsed;
    if (have < LENGTH_SIZE)
        return CHUNK_LEAST_FREE;
    size_t frame = LENGTH_SIZE + (size_t)load_be32(socket->chunk->bytes + socket->parsed);
    size_t trusted = have < TRUSTED_SIZE / 2 ? TRUSTED_SIZE : 2 * have;    /* (1) */
    return frame < trusted ? frame : trusted;
}

static void make_room(struct client_socket *socket)
{
    if (socket->chunk == NULL) {
        socket->chunk = blob_new(CHUNK_SIZE);
        socket->parsed = socket->filled = 0;
        return;
    }
    size_t have = socket->filled - socket->parsed, size = wanted(socket);
    if (socket->parsed + size <= socket->chunk->size && socket->filled < socket->chunk->size)
        return;
    bool is_ours = atomic_load_explicit(&socket->chunk->references, memory_order_acquire) == 1;    /* (2) */
    if (is_ours && size < socket->chunk->size && socket->chunk->size <= TRUSTED_SIZE) {
        memmove(socket->chunk->bytes, socket->chunk->bytes + socket->parsed, have);
    } else {
        struct blob *chunk = blob_new(size > CHUNK_SIZE ? size : CHUNK_SIZE);
        memcpy(chunk->bytes, socket->chunk->bytes + socket->parsed, have);
        blob_unref(socket->chunk);
        socket->chunk = chunk;
    }
    socket->parsed = 0;
    socket->filled = have;
}

int client_socket_read(struct client_socket *socket)
{
    size_t size;
    make_room(socket);
    int err = stream_read(socket->stream, socket->chunk->bytes + socket->filled, socket->chunk->size - socket->filled,
                          &size);
    if (err == ZK_OK)
        socket->filled += size;
    return err;
}

int client_socket_next_frame(struct client_socket *socket, struct slice *ret_frame)
{
    size_t have = socket->filled - socket->parsed;
    if (have < LENGTH_SIZE)
        return ZK_AGAIN;
    const uint8_t *at = socket->chunk->bytes + socket->parsed;
    size_t size = load_be32(at);
    if (size > FRAME_LIMIT)    /* a negative length too */
        return ZK_MARSHALLING_ERROR;
    if (have < LENGTH_SIZE + size)
        return ZK_AGAIN;
    *ret_frame = (struct slice){ .bytes = at + LENGTH_SIZE, .size = size };
    socket->parsed += LENGTH_SIZE + size;
    return ZK_OK;
}

void client_socket_close(struct client_socket *socket)
{
    if (socket->stream != NULL)
        stream_close(socket->stream);
    else
        socket_close(socket->fd);
    socket->stream = NULL;
    socket->fd = -1;
    socket->phase = SOCKET_CLOSED;
    socket->is_blocked = socket->has_failed = false;
    buffer_clear(&socket->writing);
    socket->written = 0;
    blob_unref(socket->chunk);
    socket->chunk = NULL;
    socket->parsed = socket->filled = 0;
    socket->auth_replies = 0;
    read_write_probe_end(&socket->probe);
}
