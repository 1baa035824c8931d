/*
 * An accepted socket of which nobody knows yet whether it brings TLS: the first byte says. Mirrors
 * OptionalSslHandler of NettyServerCnxnFactory, and UnifiedServerSocket. One thread at a time.
 */
#ifndef ZKC_COMMON_NET_UNIFIED_STREAM_H
#define ZKC_COMMON_NET_UNIFIED_STREAM_H

#include <stdbool.h>

#include "common/net/stream.h"
#include "common/net/tls_context.h"

/* Takes the socket over, and a reference to the context. Until it is settled nothing can be read or written (ZK_AGAIN)
 * and it wants POLLER_READ. `peer` as for stream_new_tls_server(). */
struct stream *stream_new_unified(int fd, struct tls_context *context, const char *peer);
/*
 * ZK_OK: a stream of TLS, or a plain one, stands in *stream in the place of this one, which is gone, and no byte is
 * lost. ZK_AGAIN: nothing came so far. ZK_EOF, ZK_IO: nothing will.
 */
int stream_unified_settle(struct stream **stream, bool *ret_is_tls);

#endif
