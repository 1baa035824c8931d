/*
 * ocsp.c - asking the responder of an authority about its certificates.
 *
 * One request a certificate, over HTTP/1.0. The answer must be signed by the issuer of the certificate or by somebody
 * whom that issuer made its responder, be about this certificate, and be of now; a nonce that comes back must be ours.
 */
#include "common/net/ocsp.h"

#include <assert.h>
#include <openssl/err.h>
#include <openssl/ocsp.h>
#include <openssl/ssl.h>
#include <string.h>

#include "common/base/buffer.h"
#include "common/base/memory.h"
#include "common/base/strings.h"
#include "common/net/address.h"
#include "common/net/distinguished_name.h"
#include "common/net/socket.h"
#include "common/net/tls_context_internal.h"
#include "common/net/tls_store.h"

#define ANSWER_LIMIT 65536
#define CLOCKS_MAY_DIFFER_S 300

struct ocsp_question {
    STACK_OF(X509) *chain;         /* verified; the last is the authority that is trusted */
    bool may_name_no_responder;
};

struct ocsp_question *ocsp_question_new(struct stream *tls_stream)
{
    STACK_OF(X509) *chain = stream_tls_verified_chain(tls_stream);
    if (chain == NULL)
        return NULL;
    struct ocsp_question *question = MEMORY_NEW(struct ocsp_question);
    question->chain = chain;
    question->may_name_no_responder = stream_tls_needs_revocation_lists(tls_stream);
    return question;
}

void ocsp_question_free(struct ocsp_question *question)
{
    if (question == NULL)
        return;
    sk_X509_pop_free(question->chain, X509_free);
    memory_free(question);
}

/* ---- HTTP ---- */

/* Has all come that the head of the answer announces. */
static bool is_whole(struct buffer *answer)
{
    const char *text = buffer_string(answer), *body = strstr(text, "\r\n\r\n");
    const char *length = body == NULL ? NULL : strcasestr(text, "\r\ncontent-length:");
    int64_t size;
    if (length == NULL || length > body)
        return false;
    length += strlen("\r\ncontent-length:");
    char *digits = string_copy_n(length, strcspn(length, "\r"));
    bool is_number = string_to_int64(string_trim(digits), 10, &size);
    memory_free(digits);
    return is_number && size >= 0 && (int64_t)answer->size - (body + 4 - text) >= size;
}

static int receive_answer(int fd, struct buffer *answer, int64_t deadline_ms)
{
    char bytes[4096];
    size_t size;
    while (answer->size < ANSWER_LIMIT) {
        int err = socket_receive(fd, bytes, sizeof(bytes), &size);
        if (err == ZK_OK)
            buffer_append(answer, bytes, size);
        else if (err == ZK_AGAIN)
            err = socket_wait(fd, POLLER_READ, deadline_ms);
        if (err == ZK_EOF || (err == ZK_OK && is_whole(answer)))
            return ZK_OK;
        if (err != ZK_OK)
            return err;
    }
    return ZK_TOO_LARGE;
}

static int connect_to(const char *host, const char *port_text, int64_t deadline_ms, int *ret_fd, struct error *error)
{
    struct address addresses[4];
    size_t count = 0;
    int64_t port;
    if (!string_to_int64(port_text, 10, &port) || port < 1 || port > 65535)
        return error_set(error, ZK_AUTH_FAILED, "%s is no port", port_text);
    int err = address_resolve(host, (uint16_t)port, addresses, ARRAY_SIZE(addresses), &count, error);
    for (size_t i = 0; err == ZK_OK && i < count; i++) {
        int again = socket_connect(&addresses[i], deadline_ms, ret_fd, error);
        if (again == ZK_OK || i + 1 == count)
            return again;
    }
    return err == ZK_OK ? error_set(error, ZK_IO, "%s has no address", host) : err;
}

static int talk(int fd, const char *host, const char *path, const struct buffer *request, struct buffer *answer,
                int64_t deadline_ms, struct error *error)
{
    struct buffer out = { 0 };
    buffer_printf(&out, "POST %s HTTP/1.0\r\nHost: %s\r\nContent-Type: application/ocsp-request\r\n"
                  "Content-Length: %zu\r\n\r\n", path, host, request->size);
    buffer_append(&out, request->bytes, request->size);
    int err = socket_send_all(fd, out.bytes, out.size, deadline_ms);
    buffer_release(&out);
    if (err == ZK_OK)
        err = receive_answer(fd, answer, deadline_ms);
    return err == ZK_OK ? ZK_OK : error_set(error, err, "no answer comes");
}

static int post(const char *url, const struct buffer *request, struct buffer *answer, int64_t deadline_ms,
                struct error *error)
{
    char *host = NULL, *port = NULL, *path = NULL;
    int is_https = 0, fd = -1;
    if (OCSP_parse_url(url, &host, &port, &path, &is_https) != 1 || is_https) {
        ERR_clear_error();
        OPENSSL_free(host), OPENSSL_free(port), OPENSSL_free(path);
        return error_set(error, ZK_AUTH_FAILED, "only http is spoken with a responder");
    }
    int err = connect_to(host, port, deadline_ms, &fd, error);
    if (err == ZK_OK)
        err = talk(fd, host, path, request, answer, deadline_ms, error);
    socket_close(fd);
    OPENSSL_free(host), OPENSSL_free(port), OPENSSL_free(path);
    return err;
}

/* ---- what is asked, and what the answer is worth ---- */

static OCSP_REQUEST *make_request(const OCSP_CERTID *id, struct buffer *bytes)
{
    OCSP_REQUEST *request = OCSP_REQUEST_new();
    unsigned char *der = NULL;
    OCSP_CERTID *copy = OCSP_CERTID_dup(id);
    assert(request != NULL && copy != NULL);
    OCSP_request_add0_id(request, copy);
    OCSP_request_add1_nonce(request, NULL, -1);
    int size = i2d_OCSP_REQUEST(request, &der);
    if (size > 0)
        buffer_append(bytes, der, (size_t)size);
    OPENSSL_free(der);
    return request;
}

/* The part behind the head of HTTP; NULL: there is no good one. */
static OCSP_BASICRESP *parse_answer(struct buffer *answer, struct error *error)
{
    const char *text = buffer_string(answer), *body = strstr(text, "\r\n\r\n");
    if (body == NULL || strncmp(text, "HTTP/1.", 7) != 0 || strncmp(text + 8, " 200", 4) != 0) {
        error_set(error, ZK_AUTH_FAILED, "it does not answer with 200");
        return NULL;
    }
    const unsigned char *at = (const unsigned char *)body + 4;
    OCSP_RESPONSE *response = d2i_OCSP_RESPONSE(NULL, &at, (long)(answer->size - (size_t)(body + 4 - text)));
    OCSP_BASICRESP *basic = NULL;
    if (response == NULL)
        error_set(error, ZK_AUTH_FAILED, "its answer is not one of OCSP");
    else if (OCSP_response_status(response) != OCSP_RESPONSE_STATUS_SUCCESSFUL)
        error_set(error, ZK_AUTH_FAILED, "it answers: %s", OCSP_response_status_str(OCSP_response_status(response)));
    else if ((basic = OCSP_response_get1_basic(response)) == NULL)
        error_set(error, ZK_AUTH_FAILED, "its answer is of an unknown kind");
    OCSP_RESPONSE_free(response);
    return basic;
}

/* By the issuer, or by whom the issuer made its responder. */
static bool is_signed(OCSP_BASICRESP *basic, X509 *issuer)
{
    X509_STORE *store = X509_STORE_new();
    STACK_OF(X509) *issuers = sk_X509_new_null();
    assert(store != NULL && issuers != NULL);
    sk_X509_push(issuers, issuer);
    X509_STORE_add_cert(store, issuer);
    X509_STORE_set_flags(store, X509_V_FLAG_PARTIAL_CHAIN);
    bool is_good = OCSP_basic_verify(basic, issuers, store, OCSP_TRUSTOTHER) == 1;
    sk_X509_free(issuers);
    X509_STORE_free(store);
    return is_good;
}

static int judge(OCSP_BASICRESP *basic, OCSP_REQUEST *request, OCSP_CERTID *id, X509 *issuer, struct error *error)
{
    char text[TLS_CAUSE_SIZE];
    int status, reason;
    ASN1_GENERALIZEDTIME *revoked, *from, *to;
    if (!is_signed(basic, issuer))
        return error_set(error, ZK_AUTH_FAILED, "its answer is not signed as it must be: %s", tls_cause(text));
    if (OCSP_check_nonce(request, basic) == 0)
        return error_set(error, ZK_AUTH_FAILED, "its answer is to another question");
    if (OCSP_resp_find_status(basic, id, &status, &reason, &revoked, &from, &to) != 1)
        return error_set(error, ZK_AUTH_FAILED, "its answer is about another certificate");
    if (OCSP_check_validity(from, to, CLOCKS_MAY_DIFFER_S, -1) != 1)
        return error_set(error, ZK_AUTH_FAILED, "its answer is not of now: %s", tls_cause(text));
    if (status != V_OCSP_CERTSTATUS_GOOD)
        return error_set(error, ZK_AUTH_FAILED, "it says: %s", OCSP_cert_status_str(status));
    return ZK_OK;
}

static int ask_responder(const char *url, X509 *certificate, X509 *issuer, int64_t deadline_ms, struct error *error)
{
    struct buffer bytes = { 0 }, answer = { 0 };
    OCSP_CERTID *id = OCSP_cert_to_id(NULL, certificate, issuer);
    assert(id != NULL);
    OCSP_REQUEST *request = make_request(id, &bytes);
    OCSP_BASICRESP *basic = NULL;
    int err = post(url, &bytes, &answer, deadline_ms, error);
    if (err == ZK_OK && (basic = parse_answer(&answer, error)) == NULL)
        err = ZK_AUTH_FAILED;
    if (err == ZK_OK)
        err = judge(basic, request, id, issuer, error);
    OCSP_BASICRESP_free(basic);
    OCSP_REQUEST_free(request);
    OCSP_CERTID_free(id);
    buffer_release(&bytes);
    buffer_release(&answer);
    ERR_clear_error();
    return err;
}

static int ask(const struct ocsp_question *question, int index, int64_t deadline_ms, struct error *error)
{
    X509 *certificate = sk_X509_value(question->chain, index);
    STACK_OF(OPENSSL_STRING) *urls = X509_get1_ocsp(certificate);
    char *name = distinguished_name_format(X509_get_subject_name(certificate));
    const char *url = urls != NULL && sk_OPENSSL_STRING_num(urls) > 0 ? sk_OPENSSL_STRING_value(urls, 0) : NULL;
    int err = ZK_OK;
    if (url != NULL)
        err = ask_responder(url, certificate, sk_X509_value(question->chain, index + 1), deadline_ms, error);
    else if (!question->may_name_no_responder)
        err = error_set(error, ZK_AUTH_FAILED, "it names no responder of OCSP");
    if (err != ZK_OK)
        error_prefix(error, "certificate of %.200s is not accepted, asked %.200s", name, url != NULL ? url : "nobody");
    X509_email_free(urls);
    memory_free(name);
    return err;
}

int ocsp_question_ask(const struct ocsp_question *question, int64_t deadline_ms, struct error *error)
{
    int err = ZK_OK;
    for (int i = 0; err == ZK_OK && i + 1 < sk_X509_num(question->chain); i++)
        err = ask(question, i, deadline_ms, error);
    return err;
}
