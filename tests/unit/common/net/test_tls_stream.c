/*
 * test_tls_stream.c - a client's TLS against a server end of OpenSSL on the other side of a socket pair.
 *
 * Both ends are driven in turns by one thread, so nothing waits. The certificates live for the run of this program.
 */
#include "common/net/tls_stream.h"

#include <fcntl.h>
#include <openssl/err.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/base/memory.h"
#include "common/net/out_buffer.h"
#include "common/net/socket.h"
#include "tests/lib/check_main.h"
#include "tests/lib/test_certificates.h"
#include "tests/lib/test_directory.h"

#define MOST_TURNS 100000
#define HOST "zoo.example"

static char directory[TEST_DIRECTORY_SIZE];
static char ca_path[512], client_path[512], client_key_path[512], encrypted_key_path[512], both_path[512];
static char stranger_key_path[512], empty_path[512], garbage_path[512];
static char branch_path[512], cut_off_path[512];    /* a client of an authority between, which may be taken back */
static char listed_path[512], revoked_path[512], half_listed_path[512], guest_path[512];
static char server_path[512], server_p12_path[512], trust_p12_path[512], stranger_both_path[512], jks_path[512];
static struct test_identity authority, stranger, server, server_elsewhere, server_expired, server_of_tomorrow;
static struct test_identity server_own, server_of_stranger, server_by_ip, server_by_cn, client_of_authority, guest;

static void name_file(char path[512], const char *name)
{
    snprintf(path, 512, "%s/%s", directory, name);
}

static void write_text(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    ck_assert_ptr_nonnull(file);
    fputs(text, file);
    fclose(file);
}

static struct test_identity server_with(const char *alternatives, const struct test_identity *issuer, int from, int to)
{
    return test_identity_make(&(struct test_identity_rules){ .name = HOST, .subject_alternatives = alternatives,
                                                             .issuer = issuer, .from_days = from, .to_days = to });
}

static void make_files(void)
{
    test_directory_make(directory);
    name_file(ca_path, "ca.pem");
    name_file(client_path, "client.pem");
    name_file(client_key_path, "client.key");
    name_file(encrypted_key_path, "encrypted.key");
    name_file(both_path, "both.pem");
    name_file(stranger_key_path, "stranger.key");
    name_file(empty_path, "empty.pem");
    name_file(garbage_path, "garbage.pem");
    name_file(server_path, "server.pem");
    name_file(server_p12_path, "server.p12");
    name_file(trust_p12_path, "trust.p12");
    name_file(stranger_both_path, "stranger.pem");
    name_file(jks_path, "store.jks");
    name_file(listed_path, "listed.pem");
    name_file(revoked_path, "revoked.pem");
    name_file(half_listed_path, "half_listed.pem");
    name_file(guest_path, "guest.pem");
    name_file(branch_path, "branch.pem");
    name_file(cut_off_path, "cut_off.pem");
    authority = test_identity_make(&(struct test_identity_rules){ .name = "authority", .is_authority = true });
    stranger = test_identity_make(&(struct test_identity_rules){ .name = "stranger", .is_authority = true });
    server = server_with("DNS:" HOST ",DNS:*.wild.example", &authority, 0, 0);
    server_elsewhere = server_with("DNS:elsewhere.example", &authority, 0, 0);
    server_expired = server_with("DNS:" HOST, &authority, -2, -1);
    server_of_tomorrow = server_with("DNS:" HOST, &authority, 1, 2);
    server_own = server_with("DNS:" HOST, NULL, 0, 0);
    server_of_stranger = server_with("DNS:" HOST, &stranger, 0, 0);
    server_by_ip = server_with("IP:127.0.0.1,IP:::1", &authority, 0, 0);
    server_by_cn = server_with(NULL, &authority, 0, 0);
    client_of_authority =
        test_identity_make(&(struct test_identity_rules){ .name = "client", .issuer = &authority });
    guest = test_identity_make(&(struct test_identity_rules){ .name = "guest", .issuer = &stranger,
                                                              .subject_alternatives = "IP:127.0.0.1" });
    test_identity_write_key(&guest, NULL, guest_path);
    test_identity_write_certificate(&guest, guest_path);
    struct test_identity branch = test_identity_make(
        &(struct test_identity_rules){ .name = "branch", .is_authority = true, .issuer = &authority });
    struct test_identity of_branch =
        test_identity_make(&(struct test_identity_rules){ .name = "leaf", .issuer = &branch });
    test_identity_write_key(&of_branch, NULL, branch_path);
    test_identity_write_certificate(&of_branch, branch_path);
    test_identity_write_certificate(&branch, branch_path);
    test_identity_write_certificate(&authority, cut_off_path);
    test_identity_write_revocations(&authority, &branch, cut_off_path);
    test_identity_write_certificate(&authority, listed_path);
    test_identity_write_revocations(&branch, NULL, listed_path);
    test_identity_release(&branch);
    test_identity_release(&of_branch);
    test_identity_write_revocations(&authority, &server, listed_path);
    test_identity_write_certificate(&authority, revoked_path);
    test_identity_write_revocations(&authority, &client_of_authority, revoked_path);
    test_identity_write_certificate(&authority, half_listed_path);
    test_identity_write_revocations(&authority, NULL, half_listed_path);
    test_identity_write_certificate(&stranger, half_listed_path);
    test_identity_write_certificate(&authority, ca_path);
    test_identity_write_certificate(&client_of_authority, client_path);
    test_identity_write_certificate(&authority, client_path);
    test_identity_write_key(&client_of_authority, NULL, client_key_path);
    test_identity_write_key(&client_of_authority, "sesame", encrypted_key_path);
    test_identity_write_key(&client_of_authority, NULL, both_path);
    test_identity_write_certificate(&client_of_authority, both_path);
    test_identity_write_key(&stranger, NULL, stranger_key_path);
    test_identity_write_certificate(&stranger, stranger_both_path);
    test_identity_write_key(&stranger, NULL, stranger_both_path);
    test_identity_write_certificate(&server, server_path);
    test_identity_write_key(&server, "sesame", server_path);
    test_identity_write_pkcs12(&server, &authority, "sesame", server_p12_path);
    test_identity_write_pkcs12_trust(&authority, "sesame", trust_p12_path);
    write_text(jks_path, "\xfe\xed\xfe\xed whatever");
    write_text(empty_path, "");
    write_text(garbage_path, "-----BEGIN CERTIFICATE-----\nbm90IGEgY2VydGlmaWNhdGU=\n-----END CERTIFICATE-----\n");
}

static void remove_files(void)
{
    struct test_identity *all[] = { &authority, &stranger, &server, &server_elsewhere, &server_expired,
                                    &server_of_tomorrow, &server_own, &server_of_stranger, &server_by_ip,
                                    &server_by_cn, &client_of_authority, &guest };
    for (size_t i = 0; i < ARRAY_SIZE(all); i++)
        test_identity_release(all[i]);
    test_directory_remove(directory);
}

/* --- two ends ----------------------------------------------------------------------------------------------------- */

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

static void make_pair(int pair[2])
{
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair), 0);
}

static SSL *new_server(SSL_CTX **ret_context, const struct server_rules *rules, int fd)
{
    SSL_CTX *context = SSL_CTX_new(TLS_server_method());
    ck_assert_int_eq(SSL_CTX_use_certificate(context, rules->identity->certificate), 1);
    ck_assert_int_eq(SSL_CTX_use_PrivateKey(context, rules->identity->key), 1);
    ck_assert_int_eq(SSL_CTX_load_verify_locations(context, ca_path, NULL), 1);
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

static struct tls_context *new_context(const struct tls_client_options *options)
{
    struct tls_context *context;
    struct error error = { 0 };
    ck_assert_msg(tls_context_new_client(options, &context, &error) == ZK_OK, "%s", error.text);
    return context;
}

static struct ends ends_new(const struct server_rules *rules, const struct tls_client_options *options,
                            const char *host)
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

static void ends_release(struct ends *ends)
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

/* Until both are done or one fails: what the client comes to. The server's result goes to *ret_server: 1, or less. */
static int shake_hands(struct ends *ends, struct error *error, int *ret_server)
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

static void assert_hands_shaken(struct ends *ends)
{
    struct error error = { 0 };
    int at_server;
    ck_assert_msg(shake_hands(ends, &error, &at_server) == ZK_OK, "%s", error.text);
    ck_assert_int_eq(at_server, 1);
    ck_assert_uint_eq(stream_wants(ends->client), 0);
    ck_assert_int_eq(stream_tls_handshake(ends->client, NULL), ZK_OK);
}

static int read_client(struct ends *ends, void *bytes, size_t size, size_t *ret_size)
{
    int err;
    int turn = 0;
    do
        err = stream_read(ends->client, bytes, size, ret_size);
    while (err == ZK_AGAIN && ++turn < 10);
    return err;
}

static void assert_talk(struct ends *ends)
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

/* --- who is let in ------------------------------------------------------------------------------------------------ */

static const int versions[] = { TLS1_2_VERSION, TLS1_3_VERSION };

START_TEST(both_versions_shake_hands_and_talk)    /* _i: a version */
{
    struct server_rules rules = { .identity = &server, .version = versions[_i] };
    struct tls_client_options options = { .trust_path = ca_path, .verifies_host = true };
    struct ends ends = ends_new(&rules, &options, HOST);
    ck_assert_int_eq(ends.client->fd, ends.client_fd);
    assert_hands_shaken(&ends);
    ck_assert_int_eq(SSL_version(ends.server), versions[_i]);
    ck_assert_str_eq(SSL_get_servername(ends.server, TLSEXT_NAMETYPE_host_name), HOST);
    assert_talk(&ends);
    ends_release(&ends);
}
END_TEST

/* The certificate the server shows, whom we meant to talk to, and what we say of it; NULL: welcome. */
static const struct {
    const struct test_identity *identity;
    const char *host;
    bool verifies_host;
    const char *says;
} shown[] = {
    { &server, HOST, true, NULL },
    { &server, "ZOO.example", true, NULL },
    { &server, "a.wild.example", true, NULL },
    { &server, "a.b.wild.example", true, "mismatch" },
    { &server, "wild.example", true, "mismatch" },
    { &server, "127.0.0.1", true, "mismatch" },
    { &server, "127.0.0.1", false, NULL },
    { &server_elsewhere, HOST, true, "mismatch" },
    { &server_elsewhere, HOST, false, NULL },
    { &server_by_ip, "127.0.0.1", true, NULL },
    { &server_by_ip, "::1", true, NULL },
    { &server_by_ip, "0:0:0:0:0:0:0:1", true, NULL },
    { &server_by_ip, "127.0.0.2", true, "mismatch" },
    { &server_by_cn, HOST, true, NULL },
    { &server_by_cn, "other.example", true, "mismatch" },
    { &server_expired, HOST, true, "expired" },
    { &server_expired, HOST, false, "expired" },
    { &server_of_tomorrow, HOST, false, "not yet valid" },
    { &server_own, HOST, true, "self" },
    { &server_of_stranger, HOST, true, "unable to get local issuer" },
};
START_TEST(a_certificate_is_judged)    /* _i: a row with each version */
{
    size_t row = (size_t)_i / 2;
    struct server_rules rules = { .identity = shown[row].identity, .version = versions[_i % 2] };
    struct tls_client_options options = { .trust_path = ca_path, .verifies_host = shown[row].verifies_host };
    struct ends ends = ends_new(&rules, &options, shown[row].host);
    struct error error = { 0 };
    int at_server, err = shake_hands(&ends, &error, &at_server);
    if (shown[row].says == NULL) {
        ck_assert_msg(err == ZK_OK, "row %zu: %s", row, error.text);
        assert_talk(&ends);
    } else {
        char byte = 'x';
        size_t size;
        struct iovec part = { &byte, 1 };
        ck_assert_msg(err == ZK_IO, "row %zu", row);
        ck_assert_msg(strstr(error.text, shown[row].says) != NULL, "row %zu: %s", row, error.text);
        ck_assert_msg(strstr(error.text, shown[row].host) != NULL, "row %zu: %s", row, error.text);
        ck_assert_int_eq(stream_read(ends.client, &byte, 1, &size), ZK_IO);
        ck_assert_int_eq(stream_write(ends.client, &part, 1, &size), ZK_IO);
        ck_assert_uint_eq(stream_pending(ends.client), 0);
    }
    ends_release(&ends);
}
END_TEST

START_TEST(a_server_may_ask_for_a_certificate)    /* _i: a version */
{
    struct server_rules rules = { .identity = &server, .version = versions[_i],
                                  .verify_mode = SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT };
    struct tls_client_options options = { .trust_path = ca_path, .certificate_path = client_path,
                                          .key_path = encrypted_key_path, .key_password = "sesame" };
    struct ends ends = ends_new(&rules, &options, HOST);
    assert_hands_shaken(&ends);
    X509 *seen = SSL_get_peer_certificate(ends.server);
    ck_assert_ptr_nonnull(seen);
    ck_assert_int_eq(X509_cmp(seen, client_of_authority.certificate), 0);
    X509_free(seen);
    assert_talk(&ends);
    ends_release(&ends);

    options = (struct tls_client_options){ .trust_path = ca_path };
    ends = ends_new(&rules, &options, HOST);
    struct error error = { 0 };
    int at_server, err = shake_hands(&ends, &error, &at_server);
    ck_assert_int_ne(at_server, 1);
    if (versions[_i] == TLS1_3_VERSION) {    /* the client is through before the server sees that nothing came */
        char byte;
        size_t size;
        ck_assert_int_eq(err, ZK_OK);
        ck_assert_int_eq(read_client(&ends, &byte, 1, &size), ZK_IO);
        err = stream_tls_handshake(ends.client, &error);
    }
    ck_assert_int_eq(err, ZK_IO);
    ck_assert_msg(strstr(error.text, "alert") != NULL, "%s", error.text);
    ends_release(&ends);
}
END_TEST

START_TEST(older_versions_are_refused)    /* _i: TLS 1.0, 1.1 */
{
    struct server_rules rules = { .identity = &server, .version = _i == 0 ? TLS1_VERSION : TLS1_1_VERSION };
    struct tls_client_options options = { .trust_path = ca_path };
    struct ends ends = ends_new(&rules, &options, HOST);
    struct error error = { 0 };
    int at_server;
    ck_assert_int_eq(shake_hands(&ends, &error, &at_server), ZK_IO);
    ck_assert_int_ne(at_server, 1);
    ck_assert_msg(strstr(error.text, "version") != NULL, "%s", error.text);
    ends_release(&ends);
}
END_TEST

START_TEST(a_name_that_cannot_be_one_is_refused)
{
    struct server_rules rules = { .identity = &server };
    struct tls_client_options options = { .trust_path = ca_path, .verifies_host = true };
    char host[400];
    memset(host, 'a', sizeof(host) - 1);
    host[sizeof(host) - 1] = '\0';
    struct ends ends = ends_new(&rules, &options, host);
    struct error error = { 0 };
    ck_assert_int_eq(stream_tls_handshake(ends.client, &error), ZK_IO);
    ck_assert_msg(strstr(error.text, "aaa") != NULL, "%s", error.text);
    ends_release(&ends);

    ends = ends_new(&rules, &options, NULL);
    ck_assert_int_eq(stream_tls_handshake(ends.client, &error), ZK_IO);
    ends_release(&ends);
    options.verifies_host = false;
    ends = ends_new(&rules, &options, NULL);
    assert_hands_shaken(&ends);
    ck_assert_ptr_null(SSL_get_servername(ends.server, TLSEXT_NAMETYPE_host_name));
    ends_release(&ends);
}
END_TEST

START_TEST(what_is_no_tls_ends_the_stream)
{
    struct server_rules rules = { .identity = &server };
    struct tls_client_options options = { .trust_path = ca_path };
    struct ends ends = ends_new(&rules, &options, HOST);
    struct error error = { 0 };
    const char answer[] = "HTTP/1.1 400 Bad Request\r\n\r\n";
    ck_assert_int_eq(stream_tls_handshake(ends.client, &error), ZK_AGAIN);
    ck_assert_int_eq(send(ends.server_fd, answer, strlen(answer), 0), (ssize_t)strlen(answer));
    ck_assert_int_eq(stream_tls_handshake(ends.client, &error), ZK_IO);
    ck_assert_msg(strstr(error.text, HOST) != NULL, "%s", error.text);
    ck_assert_int_eq(stream_tls_handshake(ends.client, &error), ZK_IO);
    ends_release(&ends);
}
END_TEST

/* --- how it ends -------------------------------------------------------------------------------------------------- */

START_TEST(a_farewell_is_an_end)    /* _i: a version */
{
    struct server_rules rules = { .identity = &server, .version = versions[_i] };
    struct tls_client_options options = { .trust_path = ca_path };
    struct ends ends = ends_new(&rules, &options, HOST);
    char byte;
    size_t size;
    assert_hands_shaken(&ends);
    ck_assert_int_eq(SSL_write(ends.server, "x", 1), 1);
    ck_assert_int_ge(SSL_shutdown(ends.server), 0);
    ck_assert_int_eq(read_client(&ends, &byte, 1, &size), ZK_OK);
    ck_assert_int_eq(read_client(&ends, &byte, 1, &size), ZK_EOF);
    ck_assert_int_eq(read_client(&ends, &byte, 1, &size), ZK_EOF);
    ends_release(&ends);
}
END_TEST

START_TEST(a_close_takes_leave)    /* _i: a version */
{
    struct server_rules rules = { .identity = &server, .version = versions[_i] };
    struct tls_client_options options = { .trust_path = ca_path };
    struct ends ends = ends_new(&rules, &options, HOST);
    char byte;
    assert_hands_shaken(&ends);
    stream_close(ends.client);
    ends.client = NULL;
    ck_assert_int_eq(fcntl(ends.client_fd, F_GETFD), -1);
    ck_assert_int_le(SSL_read(ends.server, &byte, 1), 0);
    ck_assert_int_eq(SSL_get_error(ends.server, 0), SSL_ERROR_ZERO_RETURN);
    ends_release(&ends);
}
END_TEST

START_TEST(a_cut_connection_is_no_end)    /* _i: a version; then during the handshake */
{
    struct server_rules rules = { .identity = &server, .version = versions[_i % 2] };
    struct tls_client_options options = { .trust_path = ca_path };
    struct ends ends = ends_new(&rules, &options, HOST);
    struct error error = { 0 };
    char byte;
    size_t size;
    if (_i < 2)
        assert_hands_shaken(&ends);
    else
        ck_assert_int_eq(stream_tls_handshake(ends.client, &error), ZK_AGAIN);
    shutdown(ends.server_fd, SHUT_RDWR);
    ck_assert_int_eq(read_client(&ends, &byte, 1, &size), ZK_IO);
    ck_assert_int_eq(stream_tls_handshake(ends.client, &error), ZK_IO);
    ck_assert_msg(strstr(error.text, "farewell") != NULL, "%s", error.text);
    ends_release(&ends);
}
END_TEST

START_TEST(nothing_raises_sigpipe)    /* SIGPIPE has its default, and would end this test */
{
    struct server_rules rules = { .identity = &server };
    struct tls_client_options options = { .trust_path = ca_path };
    char byte = 'x';
    struct iovec part = { &byte, 1 };
    size_t size;
    signal(SIGPIPE, SIG_DFL);
    struct ends ends = ends_new(&rules, &options, HOST);
    assert_hands_shaken(&ends);
    shutdown(ends.server_fd, SHUT_RDWR);
    stream_close(ends.client);
    ends.client = NULL;
    ends_release(&ends);

    ends = ends_new(&rules, &options, HOST);
    assert_hands_shaken(&ends);
    shutdown(ends.server_fd, SHUT_RDWR);
    ck_assert_int_eq(stream_write(ends.client, &part, 1, &size), ZK_IO);
    ck_assert_int_eq(stream_write(ends.client, &part, 1, &size), ZK_IO);
    ends_release(&ends);
}
END_TEST

START_TEST(nobody_negotiates_again)
{
    struct server_rules rules = { .identity = &server, .version = TLS1_2_VERSION };
    struct tls_client_options options = { .trust_path = ca_path };
    struct ends ends = ends_new(&rules, &options, HOST);
    uint8_t before[64], after[64];
    char byte;
    size_t size;
    assert_hands_shaken(&ends);
    size_t before_size = SSL_get_finished(ends.server, before, sizeof(before));
    ck_assert_int_eq(SSL_renegotiate(ends.server), 1);
    SSL_do_handshake(ends.server);
    for (int turn = 0; turn < 10; turn++) {
        (void)stream_read(ends.client, &byte, 1, &size);
        (void)SSL_read(ends.server, &byte, 1);
    }
    size_t after_size = SSL_get_finished(ends.server, after, sizeof(after));
    ck_assert_uint_eq(before_size, after_size);
    ck_assert_mem_eq(before, after, before_size);
    ends_release(&ends);
}
END_TEST

/* --- how bytes come and go ---------------------------------------------------------------------------------------- */

/* One byte from one socket to the other; false: there was none. */
static bool carry_a_byte(int from, int to)
{
    char byte;
    if (recv(from, &byte, 1, MSG_DONTWAIT) != 1)
        return false;
    ck_assert_int_eq(send(to, &byte, 1, 0), 1);
    return true;
}

START_TEST(a_handshake_may_come_byte_by_byte)    /* _i: a version */
{
    int near[2], far[2];
    make_pair(near);
    make_pair(far);
    struct server_rules rules = { .identity = &server, .version = versions[_i] };
    struct tls_client_options options = { .trust_path = ca_path, .verifies_host = true };
    struct tls_context *context = new_context(&options);
    struct stream *client = stream_new_tls_client(near[0], context, HOST);
    SSL_CTX *server_context;
    SSL *at_server = new_server(&server_context, &rules, far[1]);
    int err = ZK_AGAIN, server_result = 0;
    for (int turn = 0; turn < MOST_TURNS && (err != ZK_OK || server_result != 1); turn++) {
        if (err == ZK_AGAIN)
            err = stream_tls_handshake(client, NULL);
        ck_assert_int_ne(err, ZK_IO);
        if (server_result != 1)
            server_result = SSL_do_handshake(at_server);
        carry_a_byte(near[1], far[0]);
        carry_a_byte(far[0], near[1]);
    }
    ck_assert_int_eq(err, ZK_OK);
    ck_assert_int_eq(server_result, 1);

    char bytes[8];
    size_t size = 0;
    ck_assert_int_eq(SSL_write(at_server, "trickle", 7), 7);
    int turn = 0;
    while ((err = stream_read(client, bytes, sizeof(bytes), &size)) == ZK_AGAIN) {
        ck_assert_uint_eq(stream_pending(client), 0);    /* a part of a record is nothing to read */
        ck_assert(carry_a_byte(far[0], near[1]));
        ck_assert_int_lt(turn++, MOST_TURNS);
    }
    ck_assert_int_eq(err, ZK_OK);
    ck_assert_uint_eq(size, 7);
    stream_close(client);
    tls_context_unref(context);
    SSL_free(at_server);
    SSL_CTX_free(server_context);
    close(near[1]);
    close(far[0]);
    close(far[1]);
}
END_TEST

START_TEST(what_was_received_is_pending_until_read)    /* _i: a version */
{
    struct server_rules rules = { .identity = &server, .version = versions[_i] };
    struct tls_client_options options = { .trust_path = ca_path };
    struct ends ends = ends_new(&rules, &options, HOST);
    char bytes[4];
    size_t size;
    assert_hands_shaken(&ends);
    ck_assert_int_eq(SSL_write(ends.server, "abcdef", 6), 6);
    ck_assert_int_eq(SSL_write(ends.server, "ghi", 3), 3);
    ck_assert_int_eq(read_client(&ends, bytes, 4, &size), ZK_OK);
    ck_assert_uint_eq(stream_pending(ends.client), 2);
    struct pollfd polled = { .fd = ends.client_fd, .events = POLLIN };
    ck_assert_int_eq(poll(&polled, 1, 0), 0);    /* the poller would sleep on it */
    ck_assert_int_eq(stream_read(ends.client, bytes, 4, &size), ZK_OK);
    ck_assert_uint_eq(size, 2);
    ck_assert_uint_gt(stream_pending(ends.client), 0);    /* the second record, still as it came */
    ck_assert_int_eq(stream_read(ends.client, bytes, 4, &size), ZK_OK);
    ck_assert_mem_eq(bytes, "ghi", 3);
    ck_assert_int_eq(stream_read(ends.client, bytes, 4, &size), ZK_AGAIN);
    ck_assert_uint_eq(stream_pending(ends.client), 0);
    ends_release(&ends);
}
END_TEST

static uint8_t byte_at(size_t offset, unsigned salt)
{
    return (uint8_t)((offset * 2654435761u + salt) >> 13);
}

/* One assertion for all, as Check takes note of each. */
static void assert_bytes(const uint8_t *bytes, size_t size, size_t offset, unsigned salt)
{
    size_t i = 0;
    while (i < size && bytes[i] == byte_at(offset + i, salt))
        i++;
    ck_assert_uint_eq(i, size);
}

/* What the client has to say, in an out_buffer: parts of many sizes, some by reference. */
static void fill(struct out_buffer *out, size_t size)
{
    size_t offset = 0;
    for (size_t part = 1; offset < size; part = part * 7 % 100003 + 1) {
        size_t step = part < size - offset ? part : size - offset;
        struct blob *blob = blob_new(step);
        for (size_t i = 0; i < step; i++)
            blob->bytes[i] = byte_at(offset + i, 1);
        out_buffer_append_blob(out, blob, 0, step);
        blob_unref(blob);
        offset += step;
    }
}

/* All the server can take now, held against what was said. */
static void take_at_server(SSL *ssl, size_t *at, size_t most)
{
    static uint8_t bytes[20000];
    int got;
    ERR_clear_error();
    for (size_t taken = 0; taken < most && (got = SSL_read(ssl, bytes, sizeof(bytes))) > 0; taken += (size_t)got) {
        assert_bytes(bytes, (size_t)got, *at, 1);
        *at += (size_t)got;
    }
}

static void say_at_server(SSL *ssl, size_t *at, size_t size)
{
    static uint8_t bytes[16384];
    ERR_clear_error();
    while (*at < size) {
        size_t step = size - *at < sizeof(bytes) ? size - *at : sizeof(bytes);
        for (size_t i = 0; i < step; i++)
            bytes[i] = byte_at(*at + i, 2);
        int written = SSL_write(ssl, bytes, (int)step);
        if (written <= 0)
            return;
        *at += (size_t)written;
    }
}

START_TEST(much_goes_both_ways_at_once)    /* _i: a version */
{
    enum { SIZE = 8 << 20 };
    struct server_rules rules = { .identity = &server, .version = versions[_i] };
    struct tls_client_options options = { .trust_path = ca_path };
    struct ends ends = ends_new(&rules, &options, HOST);
    struct out_buffer out = { 0 };
    static uint8_t bytes[5000];
    size_t taken = 0, said = 0, heard = 0;
    int full = 0, empty = 0, size_of_socket = 8192;
    setsockopt(ends.client_fd, SOL_SOCKET, SO_SNDBUF, &size_of_socket, sizeof(size_of_socket));
    setsockopt(ends.server_fd, SOL_SOCKET, SO_SNDBUF, &size_of_socket, sizeof(size_of_socket));
    assert_hands_shaken(&ends);
    fill(&out, SIZE);
    for (int turn = 0; taken < SIZE || heard < SIZE; turn++) {
        uint64_t written;
        size_t size;
        int err;
        ck_assert_int_lt(turn, MOST_TURNS);
        if (out.size > 0) {
            err = out_buffer_write(&out, ends.client, &written);
            ck_assert(err == ZK_OK || err == ZK_AGAIN);
            if (err == ZK_AGAIN) {
                full++;
                ck_assert_uint_eq(stream_wants(ends.client) & POLLER_WRITE, POLLER_WRITE);
            }
        }
        say_at_server(ends.server, &said, SIZE);
        while ((err = stream_read(ends.client, bytes, sizeof(bytes), &size)) == ZK_OK) {
            assert_bytes(bytes, size, heard, 2);
            heard += size;
        }
        ck_assert_int_eq(err, ZK_AGAIN);
        empty++;
        take_at_server(ends.server, &taken, turn % 3 == 0 ? SIZE : 1);
    }
    ck_assert_uint_eq(out.size, 0);
    ck_assert_uint_eq(taken, SIZE);
    ck_assert_uint_eq(heard, SIZE);
    ck_assert_int_gt(full, 10);
    ck_assert_int_gt(empty, 10);
    assert_talk(&ends);
    ends_release(&ends);
}
END_TEST

/* A close in the middle of a record must not wait, crash or say farewell. */
START_TEST(a_close_may_come_while_much_is_unsent)
{
    struct server_rules rules = { .identity = &server };
    struct tls_client_options options = { .trust_path = ca_path };
    struct ends ends = ends_new(&rules, &options, HOST);
    static char much[4 << 20];
    struct iovec part = { much, sizeof(much) };
    size_t size;
    assert_hands_shaken(&ends);
    int err, turn = 0;
    while ((err = stream_write(ends.client, &part, 1, &size)) == ZK_OK)
        ck_assert_int_lt(turn++, MOST_TURNS);
    ck_assert_int_eq(err, ZK_AGAIN);
    ends_release(&ends);
}
END_TEST

/* --- the server's side -------------------------------------------------------------------------------------------- */

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
    { TLS_CLIENT_AUTH_NONE, both_path, NULL, NULL },
    { TLS_CLIENT_AUTH_WANT, NULL, NULL, NULL },
    { TLS_CLIENT_AUTH_WANT, both_path, "CN=client", NULL },
    { TLS_CLIENT_AUTH_WANT, stranger_both_path, NULL, "self" },
    { TLS_CLIENT_AUTH_NEED, both_path, "CN=client", NULL },
    { TLS_CLIENT_AUTH_NEED, NULL, NULL, "did not return a certificate" },
    { TLS_CLIENT_AUTH_NEED, stranger_both_path, NULL, "self" },
};
START_TEST(a_server_asks_for_certificates_as_it_is_told)    /* _i: a row, with PEM and with PKCS12 */
{
    size_t row = (size_t)_i / 2;
    bool is_pem = _i % 2 == 0;
    struct tls_client_options client_options = { .trust_path = ca_path, .verifies_host = true,
                                                 .certificate_path = client_auths[row].shown };
    struct tls_server_options server_options = {
        .key_store_path = is_pem ? server_path : server_p12_path, .key_store_password = "sesame",
        .trust_path = is_pem ? ca_path : trust_p12_path, .trust_password = is_pem ? NULL : "sesame",
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
    struct tls_server_options options = { .key_store_path = server_path, .key_store_password = "sesame" };
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
    { ca_path, both_path, NULL, false },
    { listed_path, both_path, NULL, false },
    { listed_path, both_path, NULL, true },
    { revoked_path, both_path, "revoked", false },
    { revoked_path, both_path, "revoked", true },
    { listed_path, branch_path, NULL, true },
    { cut_off_path, branch_path, "revoked", false },
    { half_listed_path, guest_path, NULL, false },
    { half_listed_path, guest_path, "unable to get certificate CRL", true },
};
START_TEST(what_an_authority_took_back_is_refused)    /* _i: a row */
{
    struct tls_client_options client_options = { .trust_path = ca_path,
                                                 .certificate_path = revocations[_i].shown };
    struct tls_server_options server_options = {
        .key_store_path = server_path, .key_store_password = "sesame", .trust_path = revocations[_i].trust,
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

START_TEST(lists_that_are_asked_for_must_be_there)
{
    struct tls_server_options options = { .key_store_path = server_path, .key_store_password = "sesame",
                                          .trust_path = ca_path, .client_auth = TLS_CLIENT_AUTH_NEED,
                                          .needs_revocation_lists = true };
    struct tls_context *context;
    struct error error = { 0 };
    ck_assert_int_eq(tls_context_new_server(&options, &context, &error), ZK_BAD_ARGUMENTS);
    ck_assert_msg(strstr(error.text, ca_path) != NULL, "%s", error.text);
    options.client_auth = TLS_CLIENT_AUTH_NONE;    /* nobody is looked at */
    ck_assert_int_eq(tls_context_new_server(&options, &context, &error), ZK_OK);
    tls_context_unref(context);
}
END_TEST

START_TEST(a_client_may_have_to_come_from_where_its_certificate_says)    /* _i: a row */
{
    static const struct {
        const char *shown, *says;
        bool is_tcp;
    } rows[] = {
        { guest_path, NULL, true },
        { both_path, "IP address mismatch", true },
        { guest_path, "not known", false },
    };
    struct tls_client_options client_options = { .trust_path = ca_path, .certificate_path = rows[_i].shown };
    struct tls_server_options server_options = { .key_store_path = server_path, .key_store_password = "sesame",
                                                 .trust_path = half_listed_path, .client_auth = TLS_CLIENT_AUTH_WANT,
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
    struct tls_server_options options = { .key_store_path = server_path, .key_store_password = "sesame" };
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
    struct tls_client_options client_options = { .trust_path = ca_path };
    struct tls_server_options server_options = { .key_store_path = server_p12_path, .key_store_password = "sesame" };
    struct both_ends old = both_ends_new(&client_options, &server_options);
    struct error at_client = { 0 }, at_server = { 0 };
    struct tls_context *context = NULL;
    ck_assert_int_eq(shake_both_hands(&old, &at_client, &at_server), ZK_OK);
    server_options.key_store_path = garbage_path;    /* the bad one is refused, and nothing is lost */
    ck_assert_int_eq(tls_context_new_server(&server_options, &context, &at_server), ZK_BAD_ARGUMENTS);
    ck_assert_ptr_null(context);
    server_options.key_store_path = server_path;
    struct both_ends new = both_ends_new(&client_options, &server_options);
    ck_assert_int_eq(shake_both_hands(&new, &at_client, &at_server), ZK_OK);
    assert_both_talk(&old);
    assert_both_talk(&new);
    both_ends_release(&old);
    both_ends_release(&new);
}
END_TEST

/* --- contexts ----------------------------------------------------------------------------------------------------- */

static const struct {
    struct tls_client_options options;
    int err;
    const char *says, *path;
} contexts[] = {
    { { .trust_path = ca_path }, ZK_OK, NULL, NULL },
    { { .trust_path = NULL }, ZK_OK, NULL, NULL },
    { { .trust_path = ca_path, .certificate_path = both_path }, ZK_OK, NULL, NULL },
    { { .trust_path = ca_path, .certificate_path = client_path, .key_path = client_key_path }, ZK_OK, NULL, NULL },
    { { .trust_path = client_path }, ZK_OK, NULL, NULL },
    { { .trust_path = trust_p12_path, .trust_password = "sesame" }, ZK_OK, NULL, NULL },
    { { .trust_path = ca_path, .certificate_path = server_p12_path, .key_password = "sesame" }, ZK_OK, NULL, NULL },
    { { .trust_path = trust_p12_path, .trust_password = "open" }, ZK_BAD_ARGUMENTS, "password given", trust_p12_path },
    { { .trust_path = trust_p12_path }, ZK_BAD_ARGUMENTS, "no password was given", trust_p12_path },
    { { .trust_path = jks_path }, ZK_BAD_ARGUMENTS, "keytool -importkeystore", jks_path },
    { { .trust_path = ca_path, .certificate_path = trust_p12_path, .key_password = "sesame" }, ZK_BAD_ARGUMENTS,
      "no private key", trust_p12_path },
    { { .trust_path = "/no/such/file" }, ZK_NOT_FOUND, "No such file", "/no/such/file" },
    { { .trust_path = empty_path }, ZK_BAD_ARGUMENTS, "no certificate", empty_path },
    { { .trust_path = client_key_path }, ZK_BAD_ARGUMENTS, "no certificate", client_key_path },
    { { .trust_path = garbage_path }, ZK_BAD_ARGUMENTS, "", garbage_path },
    { { .trust_path = ca_path, .certificate_path = "/no/such/file" }, ZK_NOT_FOUND, "", "/no/such/file" },
    { { .trust_path = ca_path, .certificate_path = empty_path }, ZK_BAD_ARGUMENTS, "no certificate", empty_path },
    { { .trust_path = ca_path, .certificate_path = garbage_path }, ZK_BAD_ARGUMENTS, "", garbage_path },
    { { .trust_path = ca_path, .certificate_path = client_path }, ZK_BAD_ARGUMENTS, "no private key", client_path },
    { { .trust_path = ca_path, .certificate_path = client_path, .key_path = empty_path }, ZK_BAD_ARGUMENTS,
      "no private key", empty_path },
    { { .trust_path = ca_path, .certificate_path = client_path, .key_path = stranger_key_path }, ZK_BAD_ARGUMENTS,
      "mismatch", stranger_key_path },
    { { .trust_path = ca_path, .certificate_path = client_path, .key_path = encrypted_key_path }, ZK_BAD_ARGUMENTS,
      "no password was given", encrypted_key_path },
    { { .trust_path = ca_path, .certificate_path = client_path, .key_path = encrypted_key_path,
        .key_password = "open" }, ZK_BAD_ARGUMENTS, "password given", encrypted_key_path },
};
START_TEST(files_are_judged_when_they_are_read)
{
    struct tls_context *context = NULL;
    struct error error = { 0 };
    int err = tls_context_new_client(&contexts[_i].options, &context, &error);
    ck_assert_msg(err == contexts[_i].err, "row %d: %d, %s", _i, err, error.text);
    ck_assert_int_eq(context != NULL, err == ZK_OK);
    if (contexts[_i].says != NULL) {
        ck_assert_msg(strstr(error.text, contexts[_i].says) != NULL, "row %d: %s", _i, error.text);
        ck_assert_msg(strstr(error.text, contexts[_i].path) != NULL, "row %d: %s", _i, error.text);
    }
    tls_context_unref(context);
}
END_TEST

START_TEST(contexts_are_as_many_as_one_likes)
{
    struct tls_client_options options = { .trust_path = ca_path };
    for (int i = 0; i < 400; i++) {
        struct tls_context *context = new_context(&options);
        tls_context_unref(tls_context_ref(context));
        tls_context_unref(context);
    }
    struct server_rules rules = { .identity = &server };
    struct ends ends = ends_new(&rules, &options, HOST);
    assert_hands_shaken(&ends);
    ends_release(&ends);
}
END_TEST

static Suite *tls_stream_suite(void)
{
    Suite *suite = suite_create("tls_stream");
    TCase *tcase = tcase_create("tls_stream");
    tcase_set_timeout(tcase, 60);
    tcase_add_unchecked_fixture(tcase, make_files, remove_files);
    tcase_add_loop_test(tcase, both_versions_shake_hands_and_talk, 0, 2);
    tcase_add_loop_test(tcase, a_certificate_is_judged, 0, 2 * ARRAY_SIZE(shown));
    tcase_add_loop_test(tcase, a_server_may_ask_for_a_certificate, 0, 2);
    tcase_add_loop_test(tcase, older_versions_are_refused, 0, 2);
    tcase_add_test(tcase, a_name_that_cannot_be_one_is_refused);
    tcase_add_test(tcase, what_is_no_tls_ends_the_stream);
    tcase_add_loop_test(tcase, a_farewell_is_an_end, 0, 2);
    tcase_add_loop_test(tcase, a_close_takes_leave, 0, 2);
    tcase_add_loop_test(tcase, a_cut_connection_is_no_end, 0, 3);
    tcase_add_test(tcase, nothing_raises_sigpipe);
    tcase_add_test(tcase, nobody_negotiates_again);
    tcase_add_loop_test(tcase, a_handshake_may_come_byte_by_byte, 0, 2);
    tcase_add_loop_test(tcase, what_was_received_is_pending_until_read, 0, 2);
    tcase_add_loop_test(tcase, much_goes_both_ways_at_once, 0, 2);
    tcase_add_test(tcase, a_close_may_come_while_much_is_unsent);
    tcase_add_loop_test(tcase, a_server_asks_for_certificates_as_it_is_told, 0, 2 * ARRAY_SIZE(client_auths));
    tcase_add_loop_test(tcase, a_server_refuses_older_versions_and_renegotiation, 0, 3);
    tcase_add_loop_test(tcase, what_an_authority_took_back_is_refused, 0, ARRAY_SIZE(revocations));
    tcase_add_test(tcase, lists_that_are_asked_for_must_be_there);
    tcase_add_loop_test(tcase, a_client_may_have_to_come_from_where_its_certificate_says, 0, 3);
    tcase_add_loop_test(tcase, a_server_resumes_nothing, 0, 2);
    tcase_add_test(tcase, streams_keep_their_context_when_another_is_made);
    tcase_add_loop_test(tcase, files_are_judged_when_they_are_read, 0, ARRAY_SIZE(contexts));
    tcase_add_test(tcase, contexts_are_as_many_as_one_likes);
    suite_add_tcase(suite, tcase);
    return suite;
}

CHECK_MAIN(tls_stream_suite)
