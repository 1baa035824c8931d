/*
 * TLS over a socket, as a stream. Mirrors what X509Util and the SSLEngine of ClientCnxnSocketNetty do. OpenSSL, TLS 1.2
 * and 1.3, no renegotiation, no compression. No call blocks: the handshake goes on within read and write, which say
 * ZK_AGAIN, and wants() tells what to poll for.
 *
 * What a stream of TLS asks of its user beyond a plain one:
 * - after a write that said ZK_AGAIN, the next one begins with the same bytes (an out_buffer does so by itself);
 * - as long as stream_pending() is not 0, read before polling;
 * - stream_wants() may change with each call, and say STREAM_READ_NEEDS_WRITE;
 * - a peer that ends the connection without saying so is ZK_IO and not ZK_EOF, as somebody may have cut it.
 */
#ifndef ZKC_COMMON_NET_TLS_STREAM_H
#define ZKC_COMMON_NET_TLS_STREAM_H

#include "common/net/stream.h"
#include "common/net/tls_context.h"

/* Takes the connected socket over, and a reference to the context. `host` is whom we mean to talk to, a name or an IP:
 * SNI, and what is verified; NULL: not known, which fails when the context verifies it. */
struct stream *stream_new_tls_client(int fd, struct tls_context *context, const char *host);
/* The same with an accepted socket; `peer` is how messages call who is at the other end, its address say. */
struct stream *stream_new_tls_server(int fd, struct tls_context *context, const char *peer);
/*
 * ZK_OK: the handshake is done; ZK_AGAIN; ZK_IO: it failed, or the stream did later, *error says why (certificate,
 * protocol, what the peer complains of). With TLS 1.3 a server refuses a client's certificate only after the handshake:
 * then the first read fails.
 */
int stream_tls_handshake(struct stream *stream, struct error *error);
/* After the handshake: whose certificate the peer showed, "CN=client,O=zkc" as Java's X500Principal.getName(); NULL
 * when it showed none. memory_free. */
char *stream_tls_peer_subject(struct stream *stream);

#endif
