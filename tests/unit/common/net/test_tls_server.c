/* test_tls_server.c - a server's TLS: which certificates, versions and sessions of clients it takes. */
#include "common/net/tls_stream.h"

#include <openssl/err.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/base/memory.h"
#include "common/net/socket.h"
#include "tests/lib/check_main.h"
#include "tests/unit/common/net/tls_ends.h"

/* Both ends are ours. */
struct both_ends {
    struct stream *client, *server;
};

static struct both_ends both_ends_over(const int pair[2], const struct tls_client_options *client_options,
                                       const struct tls_server_options *server_options)
{
    struct tls_context *context;
    struct error error = { 0 };
    struct both_ends ends;
    ck_assert_msg(tls_context_new_server(server_options, &context, &error) == ZK_OK, "%s", error.text);
    ends.server = stream_new_tls_server(pair[1], context, "/10.1.2.3:4567");
    tls_context_unref(context);
    context = new_context(client_options);
    ends.client = stream_new_tls_client(pair[0], context, HOST);
    tls_context_unref(context);
    return ends;
}

static struct both_ends both_ends_new(const struct tls_client_options *client_options,
                                      const struct tls_server_options *server_options)
{
    int pair[2];
    make_pair(pair);
    return both_ends_over(pair, client_options, server_options);
}

static void both_ends_release(struct both_ends *ends)
{
    stream_close(ends->client);
    stream_close(ends->server);
}

/* What the server comes to. */
static int shake_both_hands(struct both_ends *ends, struct error *at_client, struct error *at_server)
{
    int client = ZK_AGAIN, result = ZK_AGAIN;
    for (int turn = 0; turn < MOST_TURNS && (client == ZK_AGAIN || result == ZK_AGAIN); turn++) {
        if (client == ZK_AGAIN)
            client = stream_tls_handshake(ends->client, at_client);
        if (client == ZK_IO)
            shutdown(ends->client->fd, SHUT_RDWR);
        if (result == ZK_AGAIN)
            result = stream_tls_handshake(ends->server, at_server);
        if (result == ZK_IO)
            shutdown(ends->server->fd, SHUT_WR);
    }
    return result;
}

static void assert_both_talk(struct both_ends *ends)
{
    char text[] = "ping", bytes[8];
    struct iovec part = { text, 4 };
    size_t size;
    struct stream *from[] = { ends->client, ends->server }, *to[] = { ends->server, ends->client };
    for (int way = 0; way < 2; way++) {
        ck_assert_int_eq(stream_write(from[way], &part, 1, &size), ZK_OK);
        int err = ZK_AGAIN;
        for (int turn = 0; turn < 10 && err == ZK_AGAIN; turn++)
            err = stream_read(to[way], bytes, sizeof(bytes), &size);
        ck_assert_int_eq(err, ZK_OK);
        ck_assert_uint_eq(size, 4);
        ck_assert_mem_eq(bytes, "ping", 4);
    }
}

/* What the server asks, what the client shows (NULL: nothing), and whom the server sees; says: why it refuses. */
static const struct {
    enum tls_client_auth auth;
    const char *shown, *seen, *says;
} client_auths[] = {
    { TLS_CLIENT_AUTH_NONE, NULL, NULL, NULL },
    { TLS_CLIENT_AUTH_NONE, files.both, NULL, NULL },
    { TLS_CLIENT_AUTH_WANT, NULL, NULL, NULL },
    { TLS_CLIENT_AUTH_WANT, files.both, "CN=client", NULL },
    { TLS_CLIENT_AUTH_WANT, files.stranger_both, NULL, "self" },
    { TLS_CLIENT_AUTH_NEED, files.both, "CN=client", NULL },
    { TLS_CLIENT_AUTH_NEED, NULL, NULL, "did not return a certificate" },
    { TLS_CLIENT_AUTH_NEED, files.stranger_both, NULL, "self" },
};
START_TEST(a_server_asks_for_certificates_as_it_is_told)    /* _i: a row, with PEM and with PKCS12 */
{
    size_t row = (size_t)_i / 2;
    bool is_pem = _i % 2 == 0;
    struct tls_client_options client_options = { .trust_path = files.ca, .verifies_host = true,
                                                 .certificate_path = client_auths[row].shown };
    struct tls_server_options server_options = {
        .key_store_path = is_pem ? files.server : files.server_p12, .key_store_password = "sesame",
        .trust_path = is_pem ? files.ca : files.trust_p12, .trust_password = is_pem ? NULL : "sesame",
        .client_auth = client_auths[row].auth,
    };
    struct both_ends ends = both_ends_new(&client_options, &server_options);
    struct error at_client = { 0 }, at_server = { 0 };
    int err = shake_both_hands(&ends, &at_client, &at_server);
    if (client_auths[row].says == NULL) {
        ck_assert_msg(err == ZK_OK, "row %zu: client: %s; server: %s", row, at_client.text, at_server.text);
        assert_both_talk(&ends);
        char *subject = stream_tls_peer_subject(ends.server);
        ck_assert_pstr_eq(subject, client_auths[row].seen);
        memory_free(subject);
        subject = stream_tls_peer_subject(ends.client);
        ck_assert_pstr_eq(subject, "CN=" HOST);
        memory_free(subject);
    } else {
        ck_assert_msg(err == ZK_IO, "row %zu", row);
        ck_assert_msg(strstr(at_server.text, client_auths[row].says) != NULL, "row %zu: %s", row, at_server.text);
        ck_assert_msg(strstr(at_server.text, "10.1.2.3") != NULL, "row %zu: %s", row, at_server.text);
    }
    both_ends_release(&ends);
}
END_TEST

/* A client of OpenSSL that speaks one version only. */
static SSL *new_raw_client(SSL_CTX **ret_context, int version, int fd)
{
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    SSL_CTX_set_security_level(context, 0);
    SSL_CTX_set_min_proto_version(context, version);
    SSL_CTX_set_max_proto_version(context, version);
    SSL *ssl = SSL_new(context);
    SSL_set_fd(ssl, fd);
    SSL_set_connect_state(ssl);
    *ret_context = context;
    return ssl;
}

START_TEST(a_server_refuses_older_versions_and_renegotiation)    /* _i: TLS 1.0, 1.1, and 1.2 that begins again */
{
    static const int spoken[] = { TLS1_VERSION, TLS1_1_VERSION, TLS1_2_VERSION };
    struct tls_server_options options = { .key_store_path = files.server, .key_store_password = "sesame" };
    struct tls_context *context;
    struct error error = { 0 };
    SSL_CTX *raw_context;
    int pair[2], err = ZK_AGAIN, result = 0;
    char byte;
    size_t size;
    make_pair(pair);
    ck_assert_int_eq(tls_context_new_server(&options, &context, &error), ZK_OK);
    struct stream *at_server = stream_new_tls_server(pair[1], context, "peer");
    tls_context_unref(context);
    SSL *raw = new_raw_client(&raw_context, spoken[_i], pair[0]);
    for (int turn = 0; turn < 100 && (err == ZK_AGAIN || (err == ZK_OK && result != 1)); turn++) {
        result = SSL_do_handshake(raw);
        err = stream_tls_handshake(at_server, &error);
    }
    ck_assert_int_eq(err, spoken[_i] == TLS1_2_VERSION ? ZK_OK : ZK_IO);
    if (err == ZK_OK) {
        uint8_t before[64], after[64];
        size_t before_size = SSL_get_finished(raw, before, sizeof(before));
        SSL_renegotiate(raw);
        SSL_do_handshake(raw);
        for (int turn = 0; turn < 10; turn++) {
            err = stream_read(at_server, &byte, 1, &size);
            ERR_clear_error();
            (void)SSL_read(raw, &byte, 1);
        }
        ck_assert(err == ZK_AGAIN || err == ZK_IO);
        ck_assert_uint_eq(SSL_get_finished(raw, after, sizeof(after)), before_size);
        ck_assert_mem_eq(before, after, before_size);
    }
    stream_close(at_server);
    SSL_free(raw);
    SSL_CTX_free(raw_context);
    close(pair[0]);
}
END_TEST

/* A client that is in no list, in its authority's, or whose authority has none; says: why it is refused. */
static const struct {
    const char *trust, *shown, *says;
    bool needs_lists;
} revocations[] = {
    { files.ca, files.both, NULL, false },
    { files.listed, files.both, NULL, false },
    { files.listed, files.both, NULL, true },
    { files.revoked, files.both, "revoked", false },
    { files.revoked, files.both, "revoked", true },
    { files.listed, files.branch, NULL, true },
    { files.cut_off, files.branch, "revoked", false },
    { files.half_listed, files.guest, NULL, false },
    { files.half_listed, files.guest, "unable to get certificate CRL", true },
};
START_TEST(what_an_authority_took_back_is_refused)    /* _i: a row */
{
    struct tls_client_options client_options = { .trust_path = files.ca,
                                                 .certificate_path = revocations[_i].shown };
    struct tls_server_options server_options = {
        .key_store_path = files.server, .key_store_password = "sesame", .trust_path = revocations[_i].trust,
        .client_auth = TLS_CLIENT_AUTH_NEED, .needs_revocation_lists = revocations[_i].needs_lists,
    };
    struct both_ends ends = both_ends_new(&client_options, &server_options);
    struct error at_client = { 0 }, at_server = { 0 };
    int err = shake_both_hands(&ends, &at_client, &at_server);
    if (revocations[_i].says == NULL) {
        ck_assert_msg(err == ZK_OK, "%s", at_server.text);
    } else {
        ck_assert_int_eq(err, ZK_IO);
        ck_assert_msg(strstr(at_server.text, revocations[_i].says) != NULL, "%s", at_server.text);
    }
    both_ends_release(&ends);
}
END_TEST

/* Over TCP, as who verifies an address needs one. */
static void make_tcp_pair(int pair[2])
{
    struct address address;
    int listener;
    ck_assert(address_from_ip("127.0.0.1", 0, &address));
    ck_assert_int_eq(socket_listen(&address, 1, &listener, NULL), ZK_OK);
    ck_assert_int_eq(socket_local_address(listener, &address), ZK_OK);
    ck_assert_int_eq(socket_connect(&address, INT64_MAX, &pair[0], NULL), ZK_OK);
    ck_assert_int_eq(socket_wait(listener, POLLER_READ, INT64_MAX), ZK_OK);
    ck_assert_int_eq(socket_accept(listener, &pair[1], &address, NULL), ZK_OK);
    socket_close(listener);
}

START_TEST(a_client_may_have_to_come_from_where_its_certificate_says)    /* _i: a row */
{
    static const struct {
        const char *shown, *says;
        bool is_tcp;
    } rows[] = {
        { files.guest, NULL, true },
        { files.both, "IP address mismatch", true },
        { files.guest, "not known", false },
    };
    struct tls_client_options client_options = { .trust_path = files.ca, .certificate_path = rows[_i].shown };
    struct tls_server_options server_options = { .key_store_path = files.server, .key_store_password = "sesame",
                                                 .trust_path = files.half_listed, .client_auth = TLS_CLIENT_AUTH_WANT,
                                                 .verifies_client_host = true };
    int pair[2];
    if (rows[_i].is_tcp)
        make_tcp_pair(pair);
    else
        make_pair(pair);
    struct both_ends ends = both_ends_over(pair, &client_options, &server_options);
    struct error at_client = { 0 }, at_server = { 0 };
    int err = shake_both_hands(&ends, &at_client, &at_server);
    ck_assert_msg((err == ZK_OK) == (rows[_i].says == NULL), "%s", at_server.text);
    if (rows[_i].says != NULL)
        ck_assert_msg(strstr(at_server.text, rows[_i].says) != NULL, "%s", at_server.text);
    both_ends_release(&ends);
}
END_TEST

/* What a client of OpenSSL keeps of its session, to come back with; with TLS 1.3 it has none. */
START_TEST(a_server_resumes_nothing)    /* _i: a version */
{
    struct tls_server_options options = { .key_store_path = files.server, .key_store_password = "sesame" };
    struct tls_context *context;
    SSL_SESSION *kept = NULL;
    SSL_CTX *raw_context;
    ck_assert_int_eq(tls_context_new_server(&options, &context, NULL), ZK_OK);
    for (int visit = 0; visit < 2; visit++) {
        int pair[2], err = ZK_AGAIN, result = 0;
        char byte;
        make_pair(pair);
        struct stream *at_server = stream_new_tls_server(pair[1], context, "peer");
        SSL *raw = new_raw_client(&raw_context, versions[_i], pair[0]);
        if (kept != NULL)
            SSL_set_session(raw, kept);
        for (int turn = 0; turn < 100 && (err == ZK_AGAIN || result != 1); turn++) {
            result = SSL_do_handshake(raw);
            err = stream_tls_handshake(at_server, NULL);
        }
        ck_assert_int_eq(result, 1);
        ck_assert_int_eq(SSL_read(raw, &byte, 1), -1);    /* a ticket of TLS 1.3 would come now */
        ck_assert_int_eq(SSL_session_reused(raw), 0);
        SSL_SESSION_free(kept);
        kept = SSL_get1_session(raw);
        if (versions[_i] == TLS1_3_VERSION)
            ck_assert(!SSL_SESSION_is_resumable(kept));
        stream_close(at_server);
        SSL_free(raw);
        SSL_CTX_free(raw_context);
        close(pair[0]);
    }
    SSL_SESSION_free(kept);
    tls_context_unref(context);
}
END_TEST

START_TEST(streams_keep_their_context_when_another_is_made)
{
    struct tls_client_options client_options = { .trust_path = files.ca };
    struct tls_server_options server_options = { .key_store_path = files.server_p12, .key_store_password = "sesame" };
    struct both_ends old = both_ends_new(&client_options, &server_options);
    struct error at_client = { 0 }, at_server = { 0 };
    struct tls_context *context = NULL;
    ck_assert_int_eq(shake_both_hands(&old, &at_client, &at_server), ZK_OK);
    server_options.key_store_path = files.garbage;    /* the bad one is refused, and nothing is lost */
    ck_assert_int_eq(tls_context_new_server(&server_options, &context, &at_server), ZK_BAD_ARGUMENTS);
    ck_assert_ptr_null(context);
    server_options.key_store_path = files.server;
    struct both_ends new = both_ends_new(&client_options, &server_options);
    ck_assert_int_eq(shake_both_hands(&new, &at_client, &at_server), ZK_OK);
    assert_both_talk(&old);
    assert_both_talk(&new);
    both_ends_release(&old);
    both_ends_release(&new);
}
END_TEST

static Suite *tls_server_suite(void)
{
    Suite *suite = suite_create("tls_server");
    TCase *tcase = tcase_create("tls_server");
    tcase_set_timeout(tcase, 60);
    tcase_add_unchecked_fixture(tcase, tls_files_make, tls_files_remove);
    tcase_add_loop_test(tcase, a_server_asks_for_certificates_as_it_is_told, 0, 2 * ARRAY_SIZE(client_auths));
    tcase_add_loop_test(tcase, a_server_refuses_older_versions_and_renegotiation, 0, 3);
    tcase_add_loop_test(tcase, what_an_authority_took_back_is_refused, 0, ARRAY_SIZE(revocations));
    tcase_add_loop_test(tcase, a_client_may_have_to_come_from_where_its_certificate_says, 0, 3);
    tcase_add_loop_test(tcase, a_server_resumes_nothing, 0, 2);
    tcase_add_test(tcase, streams_keep_their_context_when_another_is_made);
    suite_add_tcase(suite, tcase);
    return suite;
}

CHECK_MAIN(tls_server_suite)
