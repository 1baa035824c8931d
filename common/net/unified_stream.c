/*
 * unified_stream.c - TLS or not: the first byte of a connection.
 *
 * A record of a handshake begins with 0x16. No first packet of ZooKeeper does, as that would be one of more than 352
 * MiB, nor does a four-letter word. So one byte is enough, and it is only looked at: whoever comes next reads it again.
 */
#include "common/net/unified_stream.h"

#include <assert.h>

#include "common/base/memory.h"
#include "common/base/strings.h"
#include "common/net/socket.h"
#include "common/net/tls_stream.h"

#define TLS_HANDSHAKE_RECORD 0x16

struct unified_stream {
    struct stream base;
    struct tls_context *context;
    char *peer;
};

static struct unified_stream *unified_stream_of(struct stream *stream)
{
    return container_of(stream, struct unified_stream, base);
}

static int unified_read(struct stream *stream, void *bytes, size_t size, size_t *ret_size)
{
    (void)stream, (void)bytes, (void)size, (void)ret_size;
    return ZK_AGAIN;
}

static int unified_write(struct stream *stream, const struct iovec *parts, int count, size_t *ret_size)
{
    (void)stream, (void)parts, (void)count, (void)ret_size;
    return ZK_AGAIN;
}

static uint32_t unified_wants(struct stream *stream)
{
    (void)stream;
    return POLLER_READ;
}

static size_t unified_pending(struct stream *stream)
{
    (void)stream;
    return 0;
}

static void free_without_socket(struct unified_stream *stream)
{
    tls_context_unref(stream->context);
    memory_free(stream->peer);
    memory_free(stream);
}

static void unified_close(struct stream *stream)
{
    socket_close(stream->fd);
    free_without_socket(unified_stream_of(stream));
}

static const struct stream_ops unified_ops = {
    .read = unified_read,
    .write = unified_write,
    .wants = unified_wants,
    .pending = unified_pending,
    .close = unified_close,
};

struct stream *stream_new_unified(int fd, struct tls_context *context, const char *peer)
{
    struct unified_stream *stream = MEMORY_NEW(struct unified_stream);
    stream->base = (struct stream){ .ops = &unified_ops, .fd = fd };
    stream->context = tls_context_ref(context);
    stream->peer = string_copy(peer);
    return &stream->base;
}

int stream_unified_settle(struct stream **stream, bool *ret_is_tls)
{
    assert((*stream)->ops == &unified_ops);
    struct unified_stream *unified = unified_stream_of(*stream);
    uint8_t first;
    size_t size;
    int err = socket_peek(unified->base.fd, &first, 1, &size);
    if (err != ZK_OK)
        return err;
    *ret_is_tls = first == TLS_HANDSHAKE_RECORD;
    *stream = *ret_is_tls ? stream_new_tls_server(unified->base.fd, unified->context, unified->peer)
                          : stream_new_plain(unified->base.fd);
    free_without_socket(unified);
    return ZK_OK;
}
