/*
 * A client's stream of TLS and a server end of OpenSSL on the other side of a socket pair. Both are driven in turns by
 * one thread, so nothing waits.
 */
#ifndef ZKC_TESTS_UNIT_COMMON_NET_TLS_ENDS_H
#define ZKC_TESTS_UNIT_COMMON_NET_TLS_ENDS_H

#include "common/net/tls_stream.h"
#include "tests/unit/common/net/tls_files.h"

#define MOST_TURNS 100000

extern const int versions[2];    /* 1.2, 1.3 */

struct ends {
    struct stream *client;
    SSL *server;
    int client_fd, server_fd;
    SSL_CTX *server_context;
};
struct server_rules {
    const struct test_identity *identity;
    int version;         /* the only one it speaks; 0: any */
    int verify_mode;
};

struct ends ends_new(const struct server_rules *rules, const struct tls_client_options *options, const char *host);
void ends_release(struct ends *ends);
/* Until both are done or one fails: what the client comes to. The server's result goes to *ret_server: 1, or less. */
int shake_hands(struct ends *ends, struct error *error, int *ret_server);
void assert_hands_shaken(struct ends *ends);
int read_client(struct ends *ends, void *bytes, size_t size, size_t *ret_size);
void assert_talk(struct ends *ends);

/* ---- what ends are made of ---- */

void make_pair(int pair[2]);
SSL *new_server(SSL_CTX **ret_context, const struct server_rules *rules, int fd);
struct tls_context *new_context(const struct tls_client_options *options);    /* of a client */

#endif
