/*
 * fed_stream.c - bytes in place of a peer. At their end the peer has closed the connection.
 *
 * Whoever waits for it waits for an eventfd that is always ready, and so for nothing.
 */
#include "tests/fuzz/fed_stream.h"

#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "common/base/memory.h"

static struct fed_stream *fed_of(struct stream *stream)
{
    return container_of(stream, struct fed_stream, stream);
}

static size_t next_piece(struct fed_stream *fed, size_t most)
{
    if (fed->pieces == 0)
        return most;
    fed->state = fed->state * 1103515245 + 12345;
    size_t piece = 1 + (fed->state >> 16) % fed->pieces;
    return piece < most ? piece : most;
}

static int fed_read(struct stream *stream, void *bytes, size_t size, size_t *ret_size)
{
    struct fed_stream *fed = fed_of(stream);
    atomic_fetch_add(&fed->reads, 1);
    if (fed->at == fed->end)
        return ZK_EOF;
    fed->is_dry = !fed->is_dry && fed->pieces % 2 == 1;
    if (fed->is_dry)
        return ZK_AGAIN;
    size_t left = (size_t)(fed->end - fed->at);
    size_t piece = next_piece(fed, size < left ? size : left);
    memcpy(bytes, fed->at, piece);
    fed->at += piece;
    *ret_size = piece;
    return ZK_OK;
}

static int fed_write(struct stream *stream, const struct iovec *parts, int count, size_t *ret_size)
{
    struct fed_stream *fed = fed_of(stream);
    *ret_size = 0;
    for (int i = 0; i < count; i++) {
        if (fed->written != NULL)
            buffer_append(fed->written, parts[i].iov_base, parts[i].iov_len);
        *ret_size += parts[i].iov_len;
    }
    return ZK_OK;
}

static uint32_t fed_wants(struct stream *stream)
{
    (void)stream;
    return 0;
}

static size_t fed_pending(struct stream *stream)
{
    (void)stream;
    return 0;
}

static void fed_close(struct stream *stream)
{
    if (stream->fd >= 0)
        close(stream->fd);
}

static const struct stream_ops fed_ops = {fed_read, fed_write, fed_wants, fed_pending, fed_close};

void fed_stream_init(struct fed_stream *fed, const uint8_t *bytes, size_t size, uint8_t pieces, struct buffer *written)
{
    *fed = (struct fed_stream){.stream = {&fed_ops, -1},
                               .at = bytes, .end = size > 0 ? bytes + size : bytes, .pieces = pieces,
                               .state = pieces, .written = written};
    if (pieces % 2 == 1 && (fed->stream.fd = eventfd(1, EFD_CLOEXEC)) < 0)
        abort();
}
