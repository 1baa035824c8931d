/*
 * tls_stream.c - TLS over a socket, as a stream.
 *
 * OpenSSL reaches the socket through a BIO of our own, so that what common/net/socket.c promises (no SIGPIPE, no wait)
 * holds here too. OpenSSL's queue of errors belongs to the thread; it is emptied before each call whose failure is
 * asked about.
 * (1) after a failure nothing of the SSL object is called but its end.
 * (2) a write that said ZK_AGAIN has one record in the air, `record_size` bytes long, which the next write gives again.
 * (3) what pending() counts can be read: once a read said ZK_AGAIN, only the socket has more.
 */
#include "common/net/tls_stream.h"

#include <assert.h>
#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>

#include "common/base/memory.h"
#include "common/base/strings.h"
#include "common/net/address.h"
#include "common/net/distinguished_name.h"
#include "common/net/socket.h"
#include "common/net/tls_context_internal.h"
#include "common/net/tls_store.h"

#define RECORD_SIZE 16384
#define REASON_SIZE 512

enum tls_state { TLS_HANDSHAKING, TLS_OPEN, TLS_CLOSED_BY_PEER, TLS_FAILED };

struct tls_stream {
    struct stream base;
    struct tls_context *context;
    SSL *ssl;
    char *host;
    enum tls_state state;
    uint32_t read_wants, write_wants;    /* POLLER_* bits that the last read or write waits for */
    size_t record_size;                  /* of a write that must be repeated; 0: none */
    bool is_drained;                     /* the last read found no whole record */
    bool is_cut;                         /* the socket ended */
    char reason[REASON_SIZE];            /* of the failure */
};

/* ---- the socket as a BIO ---- */

static int bio_read(BIO *bio, char *bytes, int size)
{
    struct tls_stream *stream = BIO_get_data(bio);
    size_t received = 0;
    BIO_clear_retry_flags(bio);
    int err = socket_receive(stream->base.fd, bytes, (size_t)size, &received);
    if (err == ZK_OK)
        return (int)received;
    if (err == ZK_AGAIN)
        BIO_set_retry_read(bio);
    stream->is_cut = stream->is_cut || err == ZK_EOF;
    return err == ZK_EOF ? 0 : -1;
}

static int bio_write(BIO *bio, const char *bytes, int size)
{
    struct tls_stream *stream = BIO_get_data(bio);
    struct iovec part = { .iov_base = (void *)(uintptr_t)bytes, .iov_len = (size_t)size };
    size_t sent = 0;
    BIO_clear_retry_flags(bio);
    int err = socket_send(stream->base.fd, &part, 1, &sent);
    if (err == ZK_OK)
        return (int)sent;
    if (err == ZK_AGAIN)
        BIO_set_retry_write(bio);
    return -1;
}

static long bio_control(BIO *bio, int command, long number, void *pointer)
{
    (void)number, (void)pointer;
    const struct tls_stream *stream = BIO_get_data(bio);
    switch (command) {
    case BIO_CTRL_FLUSH: return 1;    /* nothing is kept back */
    case BIO_CTRL_EOF: return stream->is_cut;
    default: return 0;
    }
}

BIO_METHOD *tls_stream_socket_method(void)
{
    BIO_METHOD *method = BIO_meth_new(BIO_TYPE_SOURCE_SINK, "socket of zkc");
    if (method == NULL)
        return NULL;
    BIO_meth_set_read(method, bio_read);
    BIO_meth_set_write(method, bio_write);
    BIO_meth_set_ctrl(method, bio_control);
    return method;
}

/* ---- failures ---- */

/* Why the peer's certificate was refused; NULL: it was not. */
static const char *why_not_trusted(const struct tls_stream *stream)
{
    long result = SSL_get_verify_result(stream->ssl);
    return result != X509_V_OK ? X509_verify_cert_error_string(result) : NULL;
}

static void describe_failure(struct tls_stream *stream, int ssl_error, int saved_errno)
{
    char text[TLS_CAUSE_SIZE];
    unsigned long code = ERR_peek_error();
    bool is_about_certificate = ERR_GET_LIB(code) == ERR_LIB_SSL &&
                                ERR_GET_REASON(code) == SSL_R_CERTIFICATE_VERIFY_FAILED;
    if (is_about_certificate && why_not_trusted(stream) != NULL)
        snprintf(stream->reason, REASON_SIZE, "certificate of %.200s is not accepted: %s", stream->host,
                 why_not_trusted(stream));
    else if (stream->is_cut)
        snprintf(stream->reason, REASON_SIZE, "%.200s ended the connection without a farewell of TLS", stream->host);
    else if (ssl_error == SSL_ERROR_SYSCALL && saved_errno != 0)
        snprintf(stream->reason, REASON_SIZE, "connection with %.200s failed: %s", stream->host,
                 strerrordesc_np(saved_errno));
    else
        snprintf(stream->reason, REASON_SIZE, "TLS with %.200s failed: %.250s", stream->host, tls_cause(text));
    ERR_clear_error();
}

/* What a call of OpenSSL that did not succeed comes to. Keeps errno. */
static int outcome(struct tls_stream *stream, int result, uint32_t *ret_wants)
{
    int saved_errno = errno;
    int ssl_error = SSL_get_error(stream->ssl, result);
    switch (ssl_error) {
    case SSL_ERROR_WANT_READ: *ret_wants = POLLER_READ; return ZK_AGAIN;
    case SSL_ERROR_WANT_WRITE: *ret_wants = POLLER_WRITE; return ZK_AGAIN;
    case SSL_ERROR_ZERO_RETURN: stream->state = TLS_CLOSED_BY_PEER; return ZK_EOF;
    default:
        describe_failure(stream, ssl_error, saved_errno);
        stream->state = TLS_FAILED;
        errno = saved_errno;
        return ZK_IO;
    }
}

/* ---- the stream ---- */

static struct tls_stream *tls_stream_of(struct stream *stream)
{
    return container_of(stream, struct tls_stream, base);
}

static int go_on_with_handshake(struct tls_stream *stream)
{
    if (stream->state == TLS_FAILED)
        return ZK_IO;
    if (stream->state != TLS_HANDSHAKING)
        return ZK_OK;
    stream->read_wants = stream->write_wants = 0;
    ERR_clear_error();
    errno = 0;
    int result = SSL_do_handshake(stream->ssl);
    if (result == 1) {
        stream->state = TLS_OPEN;
        return ZK_OK;
    }
    int err = outcome(stream, result, &stream->read_wants);
    if (err == ZK_EOF) {
        snprintf(stream->reason, REASON_SIZE, "%.200s took leave during the handshake", stream->host);
        stream->state = TLS_FAILED;
        err = ZK_IO;
    }
    return err;
}

static int tls_read(struct stream *base, void *bytes, size_t size, size_t *ret_size)
{
    struct tls_stream *stream = tls_stream_of(base);
    int err = go_on_with_handshake(stream);
    if (err != ZK_OK)
        return err;
    if (stream->state == TLS_CLOSED_BY_PEER)
        return ZK_EOF;
    ERR_clear_error();
    errno = 0;
    stream->read_wants = 0;
    int result = SSL_read_ex(stream->ssl, bytes, size, ret_size);
    stream->is_drained = result != 1;
    return result == 1 ? ZK_OK : outcome(stream, result, &stream->read_wants);
}

/* Copies up to `most` bytes behind the first `from` together; returns how many. */
static size_t gather(const struct iovec *parts, int count, size_t from, uint8_t *bytes, size_t most)
{
    size_t size = 0;
    for (int i = 0; i < count && size < most; i++) {
        if (from >= parts[i].iov_len) {
            from -= parts[i].iov_len;
            continue;
        }
        size_t left = parts[i].iov_len - from, step = left < most - size ? left : most - size;
        memcpy(bytes + size, (const uint8_t *)parts[i].iov_base + from, step);
        size += step;
        from = 0;
    }
    return size;
}

/* One record of several parts; a function of its own, so that only these pay for its room. */
static __attribute__((noinline)) int write_gathered(struct tls_stream *stream, const struct iovec *parts, int count,
                                                    size_t from, size_t most, size_t *ret_size, size_t *ret_written)
{
    uint8_t room[RECORD_SIZE];
    *ret_size = gather(parts, count, from, room, most);
    return SSL_write_ex(stream->ssl, room, *ret_size, ret_written);
}

/* One record of the bytes behind the first `from`, of which there are some. *ret_size: how long it is. */
static int write_record(struct tls_stream *stream, const struct iovec *parts, int count, size_t from,
                        size_t *ret_size, size_t *ret_written)
{
    size_t most = stream->record_size > 0 ? stream->record_size : RECORD_SIZE, skipped = 0;
    int first = 0;
    while (from - skipped >= parts[first].iov_len)
        skipped += parts[first++].iov_len;
    size_t offset = from - skipped, left = parts[first].iov_len - offset;
    if (left < most && first + 1 < count)
        return write_gathered(stream, parts, count, from, most, ret_size, ret_written);
    *ret_size = left < most ? left : most;
    return SSL_write_ex(stream->ssl, (const uint8_t *)parts[first].iov_base + offset, *ret_size, ret_written);
}

static int tls_write(struct stream *base, const struct iovec *parts, int count, size_t *ret_size)
{
    struct tls_stream *stream = tls_stream_of(base);
    size_t total = 0, written = 0;
    int err = go_on_with_handshake(stream);
    if (err != ZK_OK)
        return err;
    for (int i = 0; i < count; i++)
        total += parts[i].iov_len;
    stream->write_wants = 0;
    while (written < total) {
        size_t size, step = 0;
        ERR_clear_error();
        errno = 0;
        int result = write_record(stream, parts, count, written, &size, &step);
        if (result != 1) {
            err = outcome(stream, result, &stream->write_wants);
            stream->record_size = size;
            break;
        }
        stream->record_size = 0;
        written += step;
    }
    if (written == 0)
        return err == ZK_EOF ? ZK_IO : err;
    *ret_size = written;
    return ZK_OK;
}

static uint32_t tls_wants(struct stream *base)
{
    const struct tls_stream *stream = tls_stream_of(base);
    uint32_t wants = stream->read_wants | stream->write_wants;
    return stream->read_wants == POLLER_WRITE ? wants | STREAM_READ_NEEDS_WRITE : wants;
}

static size_t tls_pending(struct stream *base)
{
    const struct tls_stream *stream = tls_stream_of(base);
    if (stream->state != TLS_OPEN || stream->is_drained)
        return 0;
    size_t decrypted = (size_t)SSL_pending(stream->ssl);
    return decrypted > 0 ? decrypted : (size_t)SSL_has_pending(stream->ssl);
}

static void tls_close(struct stream *base)
{
    struct tls_stream *stream = tls_stream_of(base);
    bool may_take_leave = stream->state == TLS_OPEN || stream->state == TLS_CLOSED_BY_PEER;
    ERR_clear_error();
    if (may_take_leave && stream->record_size == 0)
        (void)SSL_shutdown(stream->ssl);    /* as far as the socket takes it; nobody waits for an answer */
    ERR_clear_error();
    SSL_free(stream->ssl);
    socket_close(base->fd);
    tls_context_unref(stream->context);
    memory_free(stream->host);
    memory_free(stream);
}

static const struct stream_ops tls_ops = {
    .read = tls_read,
    .write = tls_write,
    .wants = tls_wants,
    .pending = tls_pending,
    .close = tls_close,
};

static struct tls_stream *new_stream(int fd, struct tls_context *context, const char *host)
{
    struct tls_stream *stream = MEMORY_NEW(struct tls_stream);
    stream->base = (struct stream){ .ops = &tls_ops, .fd = fd };
    stream->context = tls_context_ref(context);
    stream->host = string_copy(host);
    stream->ssl = SSL_new(context->ssl_context);
    BIO *bio = BIO_new(context->socket_method);
    assert(stream->ssl != NULL && bio != NULL);    /* nothing but memory can be missing */
    BIO_set_data(bio, stream);
    BIO_set_init(bio, 1);
    SSL_set_bio(stream->ssl, bio, bio);
    return stream;
}

/* SNI is for names only, and an IP is verified as one. */
static void set_host(struct tls_stream *stream, const char *host)
{
    struct address unused;
    bool is_ip = address_from_ip(host, 1, &unused);
    X509_VERIFY_PARAM *rules = SSL_get0_param(stream->ssl);
    int is_set = is_ip || (host[0] != '\0' && SSL_set_tlsext_host_name(stream->ssl, host) == 1);
    if (stream->context->verifies_host) {
        X509_VERIFY_PARAM_set_hostflags(rules, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
        is_set = is_set && (is_ip ? X509_VERIFY_PARAM_set1_ip_asc(rules, host) == 1
                                  : X509_VERIFY_PARAM_set1_host(rules, host, 0) == 1);
    }
    if (!is_set) {
        snprintf(stream->reason, REASON_SIZE, "no certificate can be for a host of the name \"%.200s\"", host);
        stream->state = TLS_FAILED;
    }
}

struct stream *stream_new_tls_client(int fd, struct tls_context *context, const char *host)
{
    assert(!context->is_server);
    struct tls_stream *stream = new_stream(fd, context, host != NULL ? host : "a server of unknown name");
    ERR_clear_error();
    SSL_set_connect_state(stream->ssl);
    if (host != NULL || context->verifies_host)
        set_host(stream, host != NULL ? host : "");
    return &stream->base;
}

static bool is_ip(const struct address *address)
{
    return address->socket.base.sa_family == AF_INET || address->socket.base.sa_family == AF_INET6;
}

/* The certificate must be for where the client comes from. */
static void set_client_address(struct tls_stream *stream)
{
    struct address peer;
    uint8_t ip[16];
    if (socket_peer_address(stream->base.fd, &peer) == ZK_OK && is_ip(&peer) &&
        X509_VERIFY_PARAM_set1_ip(SSL_get0_param(stream->ssl), ip, address_ip_bytes(&peer, ip)) == 1)
        return;
    snprintf(stream->reason, REASON_SIZE, "the address of %.200s is not known, no certificate can be for it",
             stream->host);
    stream->state = TLS_FAILED;
}

struct stream *stream_new_tls_server(int fd, struct tls_context *context, const char *peer)
{
    assert(context->is_server);
    struct tls_stream *stream = new_stream(fd, context, peer);
    SSL_set_accept_state(stream->ssl);
    if (context->verifies_host)
        set_client_address(stream);
    return &stream->base;
}

int stream_tls_handshake(struct stream *base, struct error *error)
{
    assert(base->ops == &tls_ops);
    struct tls_stream *stream = tls_stream_of(base);
    int err = go_on_with_handshake(stream);
    if (err == ZK_IO)
        error_set(error, err, "%s", stream->reason);
    return err;
}

char *stream_tls_peer_subject(struct stream *base)
{
    assert(base->ops == &tls_ops);
    X509 *certificate = SSL_get_peer_certificate(tls_stream_of(base)->ssl);
    char *subject = certificate != NULL ? distinguished_name_format(X509_get_subject_name(certificate)) : NULL;
    X509_free(certificate);
    return subject;
}

STACK_OF(X509) *stream_tls_verified_chain(struct stream *base)
{
    assert(base->ops == &tls_ops);
    STACK_OF(X509) *chain = SSL_get0_verified_chain(tls_stream_of(base)->ssl);
    return chain != NULL && sk_X509_num(chain) > 0 ? X509_chain_up_ref(chain) : NULL;
}

bool stream_tls_needs_revocation_lists(struct stream *base)
{
    assert(base->ops == &tls_ops);
    return tls_stream_of(base)->context->needs_revocation_lists;
}
