/* What is in a context, for tls_context.c and tls_stream.c; what of a stream is OpenSSL's, for ocsp.c. */
#ifndef ZKC_COMMON_NET_TLS_CONTEXT_INTERNAL_H
#define ZKC_COMMON_NET_TLS_CONTEXT_INTERNAL_H

#include <openssl/ssl.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct tls_context {
    _Atomic uint32_t references;
    bool is_server;
    bool verifies_host;    /* of a server: that of clients, by their address */
    bool needs_revocation_lists;
    SSL_CTX *ssl_context;
    BIO_METHOD *socket_method;
};

struct stream;
/* After the handshake: from the peer's certificate to the authority that is trusted, the caller's; NULL: it showed
 * none. */
STACK_OF(X509) *stream_tls_verified_chain(struct stream *stream);
bool stream_tls_needs_revocation_lists(struct stream *stream);

/* How OpenSSL reaches the socket of a stream. NULL: no memory. */
BIO_METHOD *tls_stream_socket_method(void);

#endif
