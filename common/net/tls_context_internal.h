/* What is in a context, for tls_context.c and tls_stream.c. */
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
    SSL_CTX *ssl_context;
    BIO_METHOD *socket_method;
};

/* How OpenSSL reaches the socket of a stream. NULL: no memory. */
BIO_METHOD *tls_stream_socket_method(void);

#endif
