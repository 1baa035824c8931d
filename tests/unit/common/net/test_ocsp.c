/*
 * What a responder says, and what is believed of it. The responder is a thread of the test; the peer has shaken hands
 * over a socket pair before.
 */
#include "common/net/ocsp.h"

#include <openssl/ocsp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "common/base/buffer.h"
#include "common/base/clock.h"
#include "common/base/memory.h"
#include "common/base/strings.h"
#include "common/net/socket.h"
#include "common/net/tls_stream.h"
#include "common/thread/thread.h"
#include "tests/lib/check_main.h"
#include "tests/lib/test_certificates.h"
#include "tests/lib/test_directory.h"

#define PATIENCE_MS 20000

/* How the responder answers. */
enum answer {
    ANSWER_SIGNED,        /* by the issuer */
    ANSWER_FORGED,        /* by a stranger */
    ANSWER_TO_OTHER,      /* about another certificate */
    ANSWER_OLD,           /* of yesterday */
    ANSWER_NONCE,         /* with a nonce that is not ours */
    ANSWER_REFUSED,       /* "try later" */
    ANSWER_GARBAGE,
    ANSWER_404,
    ANSWER_NOTHING        /* closes */
};
static const struct {
    const char *fact;
    enum answer answer;
    int status, err;
    const char *says;
} rows[] = {
    { "good is good", ANSWER_SIGNED, V_OCSP_CERTSTATUS_GOOD, ZK_OK, "" },
    { "what was taken back is refused", ANSWER_SIGNED, V_OCSP_CERTSTATUS_REVOKED, ZK_AUTH_FAILED, "revoked" },
    { "what is not known too", ANSWER_SIGNED, V_OCSP_CERTSTATUS_UNKNOWN, ZK_AUTH_FAILED, "unknown" },
    { "a stranger is not believed", ANSWER_FORGED, V_OCSP_CERTSTATUS_GOOD, ZK_AUTH_FAILED, "not signed" },
    { "nor an answer about another", ANSWER_TO_OTHER, V_OCSP_CERTSTATUS_GOOD, ZK_AUTH_FAILED, "another certificate" },
    { "nor one of yesterday", ANSWER_OLD, V_OCSP_CERTSTATUS_GOOD, ZK_AUTH_FAILED, "not of now" },
    { "nor one to another question", ANSWER_NONCE, V_OCSP_CERTSTATUS_GOOD, ZK_AUTH_FAILED, "another question" },
    { "who puts off says nothing", ANSWER_REFUSED, 0, ZK_AUTH_FAILED, "trylater" },
    { "bytes are no answer", ANSWER_GARBAGE, 0, ZK_AUTH_FAILED, "not one of OCSP" },
    { "nor is a page that is not there", ANSWER_404, 0, ZK_AUTH_FAILED, "200" },
    { "nor is silence", ANSWER_NOTHING, 0, ZK_AUTH_FAILED, "200" },
};

static char directory[TEST_DIRECTORY_SIZE], server_path[512], client_path[512], trust_path[512], url[128];
static struct test_identity authority, stranger, client, other;
static int listener;
static size_t row;

/* ---- the responder ---- */

static OCSP_REQUEST *read_request(int fd)
{
    struct buffer bytes = { 0 };
    OCSP_REQUEST *request = NULL;
    while (request == NULL) {
        uint8_t byte;
        ck_assert_int_eq(socket_receive_all(fd, &byte, 1, clock_elapsed_ms() + PATIENCE_MS), ZK_OK);
        buffer_append_byte(&bytes, byte);
        const char *text = buffer_string(&bytes), *body = strstr(text, "\r\n\r\n");
        const unsigned char *at = body == NULL ? NULL : (const unsigned char *)body + 4;
        if (at != NULL && bytes.size > (size_t)(body + 4 - text))
            request = d2i_OCSP_REQUEST(NULL, &at, (long)(bytes.size - (size_t)(body + 4 - text)));
    }
    ck_assert_int_eq(strncmp(buffer_string(&bytes), "POST /status HTTP/1.0\r\n", 23), 0);
    buffer_release(&bytes);
    return request;
}

static OCSP_RESPONSE *make_response(OCSP_REQUEST *request)
{
    enum answer answer = rows[row].answer;
    if (answer == ANSWER_REFUSED)
        return OCSP_response_create(OCSP_RESPONSE_STATUS_TRYLATER, NULL);
    OCSP_BASICRESP *basic = OCSP_BASICRESP_new();
    OCSP_CERTID *other_id = OCSP_cert_to_id(NULL, other.certificate, authority.certificate);
    OCSP_CERTID *id = OCSP_onereq_get0_id(OCSP_request_onereq_get0(request, 0));
    long shift = answer == ANSWER_OLD ? -86400 : 0;
    ASN1_TIME *from = X509_gmtime_adj(NULL, shift - 60), *to = X509_gmtime_adj(NULL, shift + 3600);
    OCSP_basic_add1_status(basic, answer == ANSWER_TO_OTHER ? other_id : id, rows[row].status, 0,
                           rows[row].status == V_OCSP_CERTSTATUS_REVOKED ? from : NULL, from, to);
    if (answer == ANSWER_NONCE)
        OCSP_basic_add1_nonce(basic, NULL, -1);
    else
        OCSP_copy_nonce(basic, request);
    const struct test_identity *signer = answer == ANSWER_FORGED ? &stranger : &authority;
    ck_assert_int_eq(OCSP_basic_sign(basic, signer->certificate, signer->key, EVP_sha256(), NULL, 0), 1);
    OCSP_RESPONSE *response = OCSP_response_create(OCSP_RESPONSE_STATUS_SUCCESSFUL, basic);
    OCSP_BASICRESP_free(basic);
    OCSP_CERTID_free(other_id);
    ASN1_TIME_free(from);
    ASN1_TIME_free(to);
    return response;
}

static void say(int fd, const void *bytes, size_t size)
{
    ck_assert_int_eq(socket_send_all(fd, bytes, size, clock_elapsed_ms() + PATIENCE_MS), ZK_OK);
}

static void respond(void *arg)
{
    struct address peer;
    int fd;
    (void)arg;
    ck_assert_int_eq(socket_wait(listener, POLLER_READ, clock_elapsed_ms() + PATIENCE_MS), ZK_OK);
    ck_assert_int_eq(socket_accept(listener, &fd, &peer, NULL), ZK_OK);
    OCSP_REQUEST *request = read_request(fd);
    static const char ok[] = "HTTP/1.0 200 OK\r\nContent-Type: application/ocsp-response\r\n\r\n";
    static const char no[] = "HTTP/1.0 404 Not Found\r\n\r\n";
    if (rows[row].answer == ANSWER_404) {
        say(fd, no, strlen(no));
    } else if (rows[row].answer == ANSWER_GARBAGE) {
        say(fd, ok, strlen(ok));
        say(fd, "whatever", 8);
    } else if (rows[row].answer != ANSWER_NOTHING) {
        unsigned char *der = NULL;
        OCSP_RESPONSE *response = make_response(request);
        int size = i2d_OCSP_RESPONSE(response, &der);
        say(fd, ok, strlen(ok));
        say(fd, der, (size_t)size);
        OPENSSL_free(der);
        OCSP_RESPONSE_free(response);
    }
    OCSP_REQUEST_free(request);
    socket_close(fd);
}

/* ---- the peer ---- */

static void write_pair(const struct test_identity *identity, const char *path)
{
    test_identity_write_key(identity, NULL, path);
    test_identity_write_certificate(identity, path);
}

static void set_up(void)
{
    struct address address;
    test_directory_make(directory);
    snprintf(server_path, sizeof(server_path), "%s/server.pem", directory);
    snprintf(client_path, sizeof(client_path), "%s/client.pem", directory);
    snprintf(trust_path, sizeof(trust_path), "%s/trust.pem", directory);
    ck_assert(address_from_ip("127.0.0.1", 0, &address));
    ck_assert_int_eq(socket_listen(&address, 1, &listener, NULL), ZK_OK);
    ck_assert_int_eq(socket_local_address(listener, &address), ZK_OK);
    snprintf(url, sizeof(url), "http://127.0.0.1:%d/status", address_port(&address));
    authority = test_identity_make(&(struct test_identity_rules){ .name = "authority", .is_authority = true });
    stranger = test_identity_make(&(struct test_identity_rules){ .name = "authority", .is_authority = true });
    other = test_identity_make(&(struct test_identity_rules){ .name = "client", .issuer = &authority });
    test_identity_write_certificate(&authority, trust_path);
}

static void tear_down(void)
{
    test_identity_release(&authority);
    test_identity_release(&stranger);
    test_identity_release(&other);
    test_identity_release(&client);
    socket_close(listener);
    test_directory_remove(directory);
}

/* What is to be asked of a client with a certificate that names this responder; NULL in `path`: it shows none. */
static struct ocsp_question *question_of(const char *responder, bool shows_it, bool needs_lists)
{
    struct test_identity server = test_identity_make(&(struct test_identity_rules){ .name = "server",
                                                                                    .issuer = &authority });
    client = test_identity_make(&(struct test_identity_rules){ .name = "client", .issuer = &authority,
                                                               .responder = responder });
    write_pair(&server, server_path);
    write_pair(&client, client_path);
    test_identity_release(&server);
    struct tls_server_options server_options = { .key_store_path = server_path, .trust_path = trust_path,
                                                 .client_auth = TLS_CLIENT_AUTH_WANT,
                                                 .needs_revocation_lists = needs_lists };
    struct tls_client_options client_options = { .trust_path = trust_path,
                                                 .certificate_path = shows_it ? client_path : NULL };
    struct tls_context *server_context, *client_context;
    struct error error = { 0 };
    int pair[2], at_client = ZK_AGAIN, at_server = ZK_AGAIN;
    ck_assert_int_eq(tls_context_new_server(&server_options, &server_context, &error), ZK_OK);
    ck_assert_int_eq(tls_context_new_client(&client_options, &client_context, &error), ZK_OK);
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair), 0);
    struct stream *from = stream_new_tls_client(pair[0], client_context, "server");
    struct stream *to = stream_new_tls_server(pair[1], server_context, "client");
    for (int turn = 0; turn < 100 && (at_client == ZK_AGAIN || at_server == ZK_AGAIN); turn++) {
        at_client = at_client == ZK_AGAIN ? stream_tls_handshake(from, &error) : at_client;
        at_server = at_server == ZK_AGAIN ? stream_tls_handshake(to, &error) : at_server;
    }
    ck_assert_msg(at_client == ZK_OK && at_server == ZK_OK, "%s", error.text);
    struct ocsp_question *question = ocsp_question_new(to);
    stream_close(from);
    stream_close(to);
    tls_context_unref(server_context);
    tls_context_unref(client_context);
    return question;
}

START_TEST(only_a_good_answer_is_good)    /* _i: a row */
{
    struct error error = { 0 };
    row = (size_t)_i;
    struct ocsp_question *question = question_of(url, true, false);
    struct thread *responder = thread_start("responder", respond, NULL);
    int err = ocsp_question_ask(question, clock_elapsed_ms() + PATIENCE_MS, &error);
    thread_join(responder);
    ck_assert_msg(err == rows[_i].err, "%s: %s", rows[_i].fact, error.text);
    ck_assert_msg(strstr(error.text, rows[_i].says) != NULL, "%s: %s", rows[_i].fact, error.text);
    ocsp_question_free(question);
}
END_TEST

START_TEST(a_responder_that_does_not_answer_is_given_up)
{
    struct error error = { 0 };
    struct ocsp_question *question = question_of(url, true, false);    /* connected, but never accepted */
    ck_assert_int_eq(ocsp_question_ask(question, clock_elapsed_ms() + 20, &error), ZK_TIMED_OUT);
    ck_assert_msg(strstr(error.text, "CN=client") != NULL && strstr(error.text, url) != NULL, "%s", error.text);
    ocsp_question_free(question);
}
END_TEST

START_TEST(a_certificate_must_name_one)    /* _i: none; none, with lists; one that is not http */
{
    static const int wanted[] = { ZK_AUTH_FAILED, ZK_OK, ZK_AUTH_FAILED };
    struct error error = { 0 };
    if (_i == 1)
        test_identity_write_revocations(&authority, NULL, trust_path);
    struct ocsp_question *question = question_of(_i == 2 ? "https://127.0.0.1/" : NULL, true, _i == 1);
    ck_assert_int_eq(ocsp_question_ask(question, clock_elapsed_ms() + PATIENCE_MS, &error), wanted[_i]);
    ocsp_question_free(question);
}
END_TEST

START_TEST(there_is_no_question_about_nobody)
{
    ck_assert_ptr_null(question_of(url, false, false));
}
END_TEST

static Suite *ocsp_suite(void)
{
    Suite *suite = suite_create("ocsp");
    TCase *tcase = tcase_create("ocsp");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_loop_test(tcase, only_a_good_answer_is_good, 0, ARRAY_SIZE(rows));
    tcase_add_test(tcase, a_responder_that_does_not_answer_is_given_up);
    tcase_add_loop_test(tcase, a_certificate_must_name_one, 0, 3);
    tcase_add_test(tcase, there_is_no_question_about_nobody);
    suite_add_tcase(suite, tcase);
    return suite;
}

CHECK_MAIN(ocsp_suite)
