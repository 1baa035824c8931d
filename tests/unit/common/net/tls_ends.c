/* tls_ends.c - see tls_ends.h. */
#include "tests/unit/common/net/tls_ends.h"

#include <check.h>
#include <openssl/err.h>
#include <sys/socket.h>
#include <unistd.h>

const int versions[] = { TLS1_2_VERSION, TLS1_3_VERSION };

void make_pair(int pair[2])
{
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair), 0);
}

SSL *new_server(SSL_CTX **ret_context, const struct server_rules *rules, int fd)
{
    SSL_CTX *context = SSL_CTX_new(TLS_server_method());
    ck_assert_int_eq(SSL_CTX_use_certificate(context, rules->identity->certificate), 1);
    ck_assert_int_eq(SSL_CTX_use_PrivateKey(context, rules->identity->key), 1);
    ck_assert_int_eq(SSL_CTX_load_verify_locations(context, files.ca, NULL), 1);
    SSL_CTX_set_verify(context, rules->verify_mode, NULL);
    SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    if (rules->version != 0) {
        SSL_CTX_set_security_level(context, 0);
        SSL_CTX_set_min_proto_version(context, rules->version);
        SSL_CTX_set_max_proto_version(context, rules->version);
    }
    SSL *ssl = SSL_new(context);
    SSL_set_fd(ssl, fd);
    SSL_set_accept_state(ssl);
    *ret_context = context;
    return ssl;
}

struct tls_context *new_context(const struct tls_client_options *options)
{
    struct tls_context *context;
    struct error error = { 0 };
    ck_assert_msg(tls_context_new_client(options, &context, &error) == ZK_OK, "%s", error.text);
    return context;
}

struct ends ends_new(const struct server_rules *rules, const struct tls_client_options *options, const char *host)
{
    int pair[2];
    make_pair(pair);
    struct ends ends = { .client_fd = pair[0], .server_fd = pair[1] };
    struct tls_context *context = new_context(options);
    ends.client = stream_new_tls_client(pair[0], context, host);
    tls_context_unref(context);    /* the stream has its own reference */
    ends.server = new_server(&ends.server_context, rules, pair[1]);
    return ends;
}

void ends_release(struct ends *ends)
{
    if (ends->client != NULL)
        stream_close(ends->client);
    SSL_free(ends->server);
    SSL_CTX_free(ends->server_context);
    close(ends->server_fd);
}

static bool is_server_waiting(SSL *ssl, int result)
{
    int error = SSL_get_error(ssl, result);
    return error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE;
}

int shake_hands(struct ends *ends, struct error *error, int *ret_server)
{
    int client = ZK_AGAIN, at_server = 0;
    bool is_server_over = false;
    for (int turn = 0; turn < MOST_TURNS && (client == ZK_AGAIN || !is_server_over); turn++) {
        if (client == ZK_AGAIN) {
            client = stream_tls_handshake(ends->client, error);
            if (client == ZK_AGAIN)
                ck_assert_uint_ne(stream_wants(ends->client), 0);
        }
        if (!is_server_over) {
            ERR_clear_error();
            at_server = SSL_do_handshake(ends->server);
            is_server_over = at_server == 1 || !is_server_waiting(ends->server, at_server);
        }
        if (client == ZK_IO && !is_server_over) {    /* it has nobody to talk to any more */
            shutdown(ends->client_fd, SHUT_RDWR);
        }
    }
    *ret_server = at_server;
    return client;
}

void assert_hands_shaken(struct ends *ends)
{
    struct error error = { 0 };
    int at_server;
    ck_assert_msg(shake_hands(ends, &error, &at_server) == ZK_OK, "%s", error.text);
    ck_assert_int_eq(at_server, 1);
    ck_assert_uint_eq(stream_wants(ends->client), 0);
    ck_assert_int_eq(stream_tls_handshake(ends->client, NULL), ZK_OK);
}

int read_client(struct ends *ends, void *bytes, size_t size, size_t *ret_size)
{
    int err;
    int turn = 0;
    do
        err = stream_read(ends->client, bytes, size, ret_size);
    while (err == ZK_AGAIN && ++turn < 10);
    return err;
}

void assert_talk(struct ends *ends)
{
    char bytes[32];
    size_t size;
    char hello[] = "hel", lo[] = "lo";
    struct iovec parts[] = { { hello, 3 }, { NULL, 0 }, { lo, 2 } };
    ck_assert_int_eq(stream_write(ends->client, parts, 3, &size), ZK_OK);
    ck_assert_uint_eq(size, 5);
    ck_assert_int_eq(SSL_read(ends->server, bytes, sizeof(bytes)), 5);    /* one record for all parts */
    ck_assert_mem_eq(bytes, "hello", 5);
    ck_assert_int_eq(SSL_write(ends->server, "world", 5), 5);
    ck_assert_int_eq(read_client(ends, bytes, sizeof(bytes), &size), ZK_OK);
    ck_assert_uint_eq(size, 5);
    ck_assert_mem_eq(bytes, "world", 5);
    ck_assert_int_eq(stream_read(ends->client, bytes, sizeof(bytes), &size), ZK_AGAIN);
    ck_assert_uint_eq(stream_pending(ends->client), 0);
}
