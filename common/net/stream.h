/*
 * One byte stream over a socket: plain here, TLS in tls_stream.h, either in unified_stream.h; whoever reads and writes
 * does not know which. One thread at a time.
 */
#ifndef ZKC_COMMON_NET_STREAM_H
#define ZKC_COMMON_NET_STREAM_H

#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "common/base/error.h"
#include "common/net/poller.h"

/* Of wants(), beside POLLER_* bits: reading goes on when the socket can be written, so do not poll it for reading. */
enum { STREAM_READ_NEEDS_WRITE = 1 << 8 };

struct stream;
struct stream_ops {
    /* ZK_OK with *ret_size > 0; ZK_AGAIN; ZK_EOF; ZK_IO. */
    int (*read)(struct stream *stream, void *bytes, size_t size, size_t *ret_size);
    int (*write)(struct stream *stream, const struct iovec *parts, int count, size_t *ret_size);
    /* What the socket must be polled for beside what the caller wants: POLLER_* bits, STREAM_READ_NEEDS_WRITE. */
    uint32_t (*wants)(struct stream *stream);
    /* Bytes that were received but not read yet, which no poller tells of. */
    size_t (*pending)(struct stream *stream);
    void (*close)(struct stream *stream);    /* closes the socket and frees the stream */
};
struct stream {
    const struct stream_ops *ops;
    int fd;
};

/* Takes the socket over. */
struct stream *stream_new_plain(int fd);

static inline int stream_read(struct stream *s, void *bytes, size_t size, size_t *ret_size)
{
    return s->ops->read(s, bytes, size, ret_size);
}
static inline int stream_write(struct stream *s, const struct iovec *parts, int count, size_t *ret_size)
{
    return s->ops->write(s, parts, count, ret_size);
}
static inline uint32_t stream_wants(struct stream *s) { return s->ops->wants(s); }
static inline size_t stream_pending(struct stream *s) { return s->ops->pending(s); }
static inline void stream_close(struct stream *s) { s->ops->close(s); }

#endif
