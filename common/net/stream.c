/* stream.c - the plain byte stream: a socket as it is. */
#include "common/net/stream.h"

#include "common/base/memory.h"
#include "common/net/socket.h"

static int plain_read(struct stream *stream, void *bytes, size_t size, size_t *ret_size)
{
    return socket_receive(stream->fd, bytes, size, ret_size);
}

static int plain_write(struct stream *stream, const struct iovec *parts, int count, size_t *ret_size)
{
    return socket_send(stream->fd, parts, count, ret_size);
}

static uint32_t plain_wants(struct stream *stream)
{
    (void)stream;
    return 0;
}

static size_t plain_pending(struct stream *stream)
{
    (void)stream;
    return 0;
}

static void plain_close(struct stream *stream)
{
    socket_close(stream->fd);
    memory_free(stream);
}

static const struct stream_ops plain_ops = {
    .read = plain_read,
    .write = plain_write,
    .wants = plain_wants,
    .pending = plain_pending,
    .close = plain_close,
};

struct stream *stream_new_plain(int fd)
{
    struct stream *stream = MEMORY_NEW(struct stream);
    stream->ops = &plain_ops;
    stream->fd = fd;
    return stream;
}
