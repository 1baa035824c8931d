/* tls_context.c - certificates and rules that streams of TLS share. */
#include "common/net/tls_context.h"

#include <openssl/err.h>

#include "common/base/memory.h"
#include "common/net/tls_context_internal.h"
#include "common/net/tls_rules.h"
#include "common/net/tls_store.h"

/* ---- certificates ---- */

static int refuse(struct error *error, const char *path)
{
    char text[TLS_CAUSE_SIZE];
    return error_set(error, ZK_BAD_ARGUMENTS, "what %s holds cannot be used: %s", path, tls_cause(text));
}

static bool trust(SSL_CTX *ssl_context, const struct tls_store *store)
{
    X509_STORE *trusted = SSL_CTX_get_cert_store(ssl_context);
    int is_good = 1;
    for (int i = 0; i < sk_X509_num(store->certificates) && is_good == 1; i++)
        is_good = X509_STORE_add_cert(trusted, sk_X509_value(store->certificates, i));
    for (int i = 0; i < sk_X509_CRL_num(store->revocations) && is_good == 1; i++)
        is_good = X509_STORE_add_crl(trusted, sk_X509_CRL_value(store->revocations, i));
    if (sk_X509_CRL_num(store->revocations) > 0)
        X509_STORE_set_flags(trusted, X509_V_FLAG_CRL_CHECK);
    return is_good == 1;
}

/* So that a client that has several certificates knows which one to show. */
static bool name_authorities(SSL_CTX *ssl_context, const struct tls_store *store)
{
    int is_good = 1;
    for (int i = 0; i < sk_X509_num(store->certificates) && is_good == 1; i++)
        is_good = SSL_CTX_add_client_CA(ssl_context, sk_X509_value(store->certificates, i));
    return is_good == 1;
}

static int use_trust(struct tls_context *context, const char *path, const char *password, bool needs_lists,
                     struct error *error)
{
    char text[TLS_CAUSE_SIZE];
    struct tls_store store;
    if (path == NULL) {
        if (SSL_CTX_set_default_verify_paths(context->ssl_context) == 1)
            return ZK_OK;
        return error_set(error, ZK_BAD_ARGUMENTS, "the authorities that the system trusts cannot be found: %s",
                         tls_cause(text));
    }
    int err = tls_store_read(path, password, TLS_STORE_CERTIFICATES, &store, error);
    if (err != ZK_OK)
        return err;
    if (!trust(context->ssl_context, &store) || (context->is_server && !name_authorities(context->ssl_context, &store)))
        err = refuse(error, path);
    else if (needs_lists && sk_X509_CRL_num(store.revocations) == 0)
        err = error_set(error, ZK_BAD_ARGUMENTS,
                        "revocation lists are to be looked at, but %s holds none; append them to it, in PEM", path);
    tls_store_release(&store);
    return err;
}

/* The first is our own, the others lead from it to an authority. */
static bool show(SSL_CTX *ssl_context, const struct tls_store *store)
{
    int is_good = SSL_CTX_use_certificate(ssl_context, sk_X509_value(store->certificates, 0));
    for (int i = 1; i < sk_X509_num(store->certificates) && is_good == 1; i++)
        is_good = SSL_CTX_add1_chain_cert(ssl_context, sk_X509_value(store->certificates, i)) > 0;
    return is_good == 1;
}

/* `key_path` may be the same file. */
static int use_own(SSL_CTX *ssl_context, const char *path, const char *key_path, const char *password,
                   struct error *error)
{
    struct tls_store store;
    int err = tls_store_read(path, password, TLS_STORE_CERTIFICATES, &store, error);
    if (err != ZK_OK)
        return err;
    if (!show(ssl_context, &store))
        err = refuse(error, path);
    tls_store_release(&store);
    if (err == ZK_OK)
        err = tls_store_read(key_path, password, TLS_STORE_KEY, &store, error);
    if (err != ZK_OK)
        return err;
    if (SSL_CTX_use_PrivateKey(ssl_context, store.key) != 1)
        err = refuse(error, key_path);
    tls_store_release(&store);
    return err;
}

/* ---- contexts ---- */

static void set_rules(SSL_CTX *ssl_context)
{
    SSL_CTX_set_min_proto_version(ssl_context, TLS1_2_VERSION);
    SSL_CTX_set_options(ssl_context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
    SSL_CTX_set_mode(ssl_context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                      SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_read_ahead(ssl_context, 1);
}

static int new_context(const SSL_METHOD *method, bool is_server, struct tls_context **ret_context,
                       struct error *error)
{
    char text[TLS_CAUSE_SIZE];
    ERR_clear_error();
    struct tls_context *context = MEMORY_NEW(struct tls_context);
    atomic_init(&context->references, 1);
    context->is_server = is_server;
    context->socket_method = tls_stream_socket_method();
    context->ssl_context = SSL_CTX_new(method);
    if (context->ssl_context == NULL || context->socket_method == NULL) {
        tls_context_unref(context);
        return error_set(error, ZK_UNSUPPORTED, "OpenSSL offers no TLS: %s", tls_cause(text));
    }
    set_rules(context->ssl_context);
    *ret_context = context;
    return ZK_OK;
}

/* Hands the context out, or drops it after a failure. */
static int finish(struct tls_context *context, int err, struct tls_context **ret_context)
{
    if (err != ZK_OK)
        tls_context_unref(context);
    else
        *ret_context = context;
    return err;
}

int tls_context_new_client(const struct tls_client_options *options, struct tls_context **ret_context,
                           struct error *error)
{
    struct tls_context *context;
    int err = new_context(TLS_client_method(), false, &context, error);
    if (err != ZK_OK)
        return err;
    context->verifies_host = options->verifies_host;
    SSL_CTX_set_verify(context->ssl_context, SSL_VERIFY_PEER, NULL);
    err = use_trust(context, options->trust_path, options->trust_password, false, error);
    if (err == ZK_OK && options->certificate_path != NULL) {
        const char *key_path = options->key_path != NULL ? options->key_path : options->certificate_path;
        err = use_own(context->ssl_context, options->certificate_path, key_path, options->key_password, error);
    }
    return finish(context, err, ret_context);
}

/* A list that is there counts; one that is not there is missed only where it must be. */
static int miss_no_list(int is_good, X509_STORE_CTX *verification)
{
    if (is_good != 1 && X509_STORE_CTX_get_error(verification) == X509_V_ERR_UNABLE_TO_GET_CRL) {
        X509_STORE_CTX_set_error(verification, X509_V_OK);
        return 1;
    }
    return is_good;
}

/* All of a client's chain is looked for in the lists. */
static void judge_clients(SSL_CTX *ssl_context, const struct tls_server_options *options)
{
    static const int verify_modes[] = {
        [TLS_CLIENT_AUTH_NONE] = SSL_VERIFY_NONE,
        [TLS_CLIENT_AUTH_WANT] = SSL_VERIFY_PEER,
        [TLS_CLIENT_AUTH_NEED] = SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT,
    };
    X509_STORE_set_flags(SSL_CTX_get_cert_store(ssl_context), X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL);
    SSL_CTX_set_verify(ssl_context, verify_modes[options->client_auth],
                       options->needs_revocation_lists ? NULL : miss_no_list);
}

/* A resumed session would not be held against what is trusted now. */
static void resume_nothing(SSL_CTX *ssl_context)
{
    SSL_CTX_set_options(ssl_context, SSL_OP_NO_TICKET);
    SSL_CTX_set_num_tickets(ssl_context, 0);
    SSL_CTX_set_session_cache_mode(ssl_context, SSL_SESS_CACHE_OFF);
}

int tls_context_new_server(const struct tls_server_options *options, struct tls_context **ret_context,
                           struct error *error)
{
    struct tls_context *context;
    int err = new_context(TLS_server_method(), true, &context, error);
    if (err != ZK_OK)
        return err;
    context->needs_revocation_lists = options->needs_revocation_lists;
    context->verifies_host = options->verifies_client_host && options->client_auth != TLS_CLIENT_AUTH_NONE;
    SSL_CTX_set_options(context->ssl_context, SSL_OP_CIPHER_SERVER_PREFERENCE);
    resume_nothing(context->ssl_context);
    judge_clients(context->ssl_context, options);
    err = tls_rules_set_protocols(context->ssl_context, options->protocols, error);
    if (err == ZK_OK)
        err = tls_rules_set_cipher_suites(context->ssl_context, options->cipher_suites, error);
    if (err == ZK_OK)
        err = use_own(context->ssl_context, options->key_store_path, options->key_store_path,
                      options->key_store_password, error);
    if (err == ZK_OK && options->client_auth != TLS_CLIENT_AUTH_NONE)
        err = use_trust(context, options->trust_path, options->trust_password, options->needs_revocation_lists,
                        error);
    return finish(context, err, ret_context);
}

struct tls_context *tls_context_ref(struct tls_context *context)
{
    atomic_fetch_add_explicit(&context->references, 1, memory_order_relaxed);
    return context;
}

void tls_context_unref(struct tls_context *context)
{
    if (context == NULL || atomic_fetch_sub_explicit(&context->references, 1, memory_order_acq_rel) != 1)
        return;
    SSL_CTX_free(context->ssl_context);
    BIO_meth_free(context->socket_method);
    memory_free(context);
}
