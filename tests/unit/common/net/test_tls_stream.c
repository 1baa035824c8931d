/* test_tls_stream.c - a client's TLS against a server of OpenSSL: who is let in, and how it ends. */
#include "common/net/tls_stream.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>

#include "common/base/memory.h"
#include "tests/lib/check_main.h"
#include "tests/unit/common/net/tls_ends.h"

/* ---- who is let in ---- */

START_TEST(both_versions_shake_hands_and_talk)    /* _i: a version */
{
    struct server_rules rules = { .identity = &identities.server, .version = versions[_i] };
    struct tls_client_options options = { .trust_path = files.ca, .verifies_host = true };
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
    { &identities.server, HOST, true, NULL },
    { &identities.server, "ZOO.example", true, NULL },
    { &identities.server, "a.wild.example", true, NULL },
    { &identities.server, "a.b.wild.example", true, "mismatch" },
    { &identities.server, "wild.example", true, "mismatch" },
    { &identities.server, "127.0.0.1", true, "mismatch" },
    { &identities.server, "127.0.0.1", false, NULL },
    { &identities.server_elsewhere, HOST, true, "mismatch" },
    { &identities.server_elsewhere, HOST, false, NULL },
    { &identities.server_by_ip, "127.0.0.1", true, NULL },
    { &identities.server_by_ip, "::1", true, NULL },
    { &identities.server_by_ip, "0:0:0:0:0:0:0:1", true, NULL },
    { &identities.server_by_ip, "127.0.0.2", true, "mismatch" },
    { &identities.server_by_cn, HOST, true, NULL },
    { &identities.server_by_cn, "other.example", true, "mismatch" },
    { &identities.server_expired, HOST, true, "expired" },
    { &identities.server_expired, HOST, false, "expired" },
    { &identities.server_of_tomorrow, HOST, false, "not yet valid" },
    { &identities.server_own, HOST, true, "self" },
    { &identities.server_of_stranger, HOST, true, "unable to get local issuer" },
};
START_TEST(a_certificate_is_judged)    /* _i: a row with each version */
{
    size_t row = (size_t)_i / 2;
    struct server_rules rules = { .identity = shown[row].identity, .version = versions[_i % 2] };
    struct tls_client_options options = { .trust_path = files.ca, .verifies_host = shown[row].verifies_host };
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
    struct server_rules rules = { .identity = &identities.server, .version = versions[_i],
                                  .verify_mode = SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT };
    struct tls_client_options options = { .trust_path = files.ca, .certificate_path = files.client,
                                          .key_path = files.encrypted_key, .key_password = "sesame" };
    struct ends ends = ends_new(&rules, &options, HOST);
    assert_hands_shaken(&ends);
    X509 *seen = SSL_get_peer_certificate(ends.server);
    ck_assert_ptr_nonnull(seen);
    ck_assert_int_eq(X509_cmp(seen, identities.client_of_authority.certificate), 0);
    X509_free(seen);
    assert_talk(&ends);
    ends_release(&ends);

    options = (struct tls_client_options){ .trust_path = files.ca };
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
    struct server_rules rules = { .identity = &identities.server, .version = _i == 0 ? TLS1_VERSION : TLS1_1_VERSION };
    struct tls_client_options options = { .trust_path = files.ca };
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
    struct server_rules rules = { .identity = &identities.server };
    struct tls_client_options options = { .trust_path = files.ca, .verifies_host = true };
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
    struct server_rules rules = { .identity = &identities.server };
    struct tls_client_options options = { .trust_path = files.ca };
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

/* ---- how it ends ---- */

START_TEST(a_farewell_is_an_end)    /* _i: a version */
{
    struct server_rules rules = { .identity = &identities.server, .version = versions[_i] };
    struct tls_client_options options = { .trust_path = files.ca };
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
    struct server_rules rules = { .identity = &identities.server, .version = versions[_i] };
    struct tls_client_options options = { .trust_path = files.ca };
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
    struct server_rules rules = { .identity = &identities.server, .version = versions[_i % 2] };
    struct tls_client_options options = { .trust_path = files.ca };
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
    struct server_rules rules = { .identity = &identities.server };
    struct tls_client_options options = { .trust_path = files.ca };
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
    struct server_rules rules = { .identity = &identities.server, .version = TLS1_2_VERSION };
    struct tls_client_options options = { .trust_path = files.ca };
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

static Suite *tls_stream_suite(void)
{
    Suite *suite = suite_create("tls_stream");
    TCase *tcase = tcase_create("tls_stream");
    tcase_set_timeout(tcase, 60);
    tcase_add_unchecked_fixture(tcase, tls_files_make, tls_files_remove);
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
    suite_add_tcase(suite, tcase);
    return suite;
}

CHECK_MAIN(tls_stream_suite)
