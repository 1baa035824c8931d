/* tls_rules.c - versions and cipher suites by their names. */
#include "common/net/tls_rules.h"

#include <openssl/err.h>
#include <string.h>

#include "common/base/buffer.h"
#include "common/base/memory.h"
#include "common/base/strings.h"
#include "common/net/tls_store.h"

#define SUITES_BY_DEFAULT "ECDHE+AESGCM:ECDHE+CHACHA20"

/* The next name of the list, without spaces; NULL behind the last. Eats *rest. */
static char *next_name(char **rest)
{
    char *name;
    while ((name = strsep(rest, ",:")) != NULL) {
        name = string_trim(name);
        if (*name != '\0')
            return name;
    }
    return NULL;
}

static int version_of(const char *name)
{
    static const struct {
        const char *name;
        int version;
    } versions[] = { { "TLSv1.2", TLS1_2_VERSION }, { "TLSv1.3", TLS1_3_VERSION } };
    for (size_t i = 0; i < ARRAY_SIZE(versions); i++)
        if (string_equals_ignore_case(name, versions[i].name))
            return versions[i].version;
    return 0;
}

int tls_rules_set_protocols(SSL_CTX *ssl_context, const char *list, struct error *error)
{
    int least = list == NULL ? TLS1_2_VERSION : 0, most = list == NULL ? TLS1_3_VERSION : 0, err = ZK_OK;
    char *copy = list == NULL ? NULL : string_copy(list), *rest = copy, *name;
    while (err == ZK_OK && (name = next_name(&rest)) != NULL) {
        int version = version_of(name);
        if (version == 0)
            err = error_set(error, ZK_BAD_ARGUMENTS, "%s is not spoken here, only TLSv1.2 and TLSv1.3 are", name);
        least = least == 0 || version < least ? version : least;
        most = version > most ? version : most;
    }
    if (err == ZK_OK && least == 0)
        err = error_set(error, ZK_BAD_ARGUMENTS, "no version of TLS is named, neither TLSv1.2 nor TLSv1.3");
    memory_free(copy);
    if (err != ZK_OK)
        return err;
    SSL_CTX_set_min_proto_version(ssl_context, least);
    SSL_CTX_set_max_proto_version(ssl_context, most);
    return ZK_OK;
}

/* ---- cipher suites ---- */

/* Lists of OpenSSL, which keeps those of TLS 1.3 apart. */
struct suites {
    struct buffer up_to_1_2, of_1_3;
};

static void append(struct buffer *list, const char *name)
{
    buffer_printf(list, "%s%s", list->size > 0 ? ":" : "", name);
}

/* By both kinds of name; what OpenSSL knows, but only for versions before TLS 1.2, is told when it is set. */
static const SSL_CIPHER *find_suite(const STACK_OF(SSL_CIPHER) *all, const char *name)
{
    for (int i = 0; i < sk_SSL_CIPHER_num(all); i++) {
        const SSL_CIPHER *suite = sk_SSL_CIPHER_value(all, i);
        const char *standard = SSL_CIPHER_standard_name(suite);
        if (strcmp(SSL_CIPHER_get_name(suite), name) == 0 || (standard != NULL && strcmp(standard, name) == 0))
            return suite;
    }
    return NULL;
}

static int sort_suites(const char *list, struct suites *suites, struct error *error)
{
    SSL_CTX *any = SSL_CTX_new(TLS_server_method());
    if (any == NULL || SSL_CTX_set_cipher_list(any, "ALL") != 1) {
        SSL_CTX_free(any);
        return error_set(error, ZK_UNSUPPORTED, "OpenSSL offers no cipher suites");
    }
    int err = ZK_OK;
    char *copy = string_copy(list), *rest = copy, *name;
    while (err == ZK_OK && (name = next_name(&rest)) != NULL) {
        const SSL_CIPHER *suite = find_suite(SSL_CTX_get_ciphers(any), name);
        if (suite == NULL)
            err = error_set(error, ZK_BAD_ARGUMENTS, "%s is no cipher suite that OpenSSL offers", name);
        else if (strcmp(SSL_CIPHER_get_version(suite), "TLSv1.3") == 0)
            append(&suites->of_1_3, SSL_CIPHER_get_name(suite));
        else
            append(&suites->up_to_1_2, SSL_CIPHER_get_name(suite));
    }
    memory_free(copy);
    SSL_CTX_free(any);
    return err;
}

static int use_suites(SSL_CTX *ssl_context, struct suites *suites, struct error *error)
{
    char text[TLS_CAUSE_SIZE];
    bool has_1_2 = suites->up_to_1_2.size > 0 && SSL_CTX_get_min_proto_version(ssl_context) <= TLS1_2_VERSION;
    bool has_1_3 = suites->of_1_3.size > 0 && SSL_CTX_get_max_proto_version(ssl_context) >= TLS1_3_VERSION;
    if (!has_1_2 && !has_1_3)
        return error_set(error, ZK_BAD_ARGUMENTS,
                         "none of the cipher suites is one of the versions of TLS that are spoken");
    if (SSL_CTX_set_ciphersuites(ssl_context, has_1_3 ? buffer_string(&suites->of_1_3) : "") != 1 ||
        (has_1_2 && SSL_CTX_set_cipher_list(ssl_context, buffer_string(&suites->up_to_1_2)) != 1))
        return error_set(error, ZK_BAD_ARGUMENTS, "the cipher suites cannot be used: %s", tls_cause(text));
    if (!has_1_2)
        SSL_CTX_set_min_proto_version(ssl_context, TLS1_3_VERSION);
    if (!has_1_3)
        SSL_CTX_set_max_proto_version(ssl_context, TLS1_2_VERSION);
    return ZK_OK;
}

int tls_rules_set_cipher_suites(SSL_CTX *ssl_context, const char *list, struct error *error)
{
    char text[TLS_CAUSE_SIZE];
    ERR_clear_error();
    if (list == NULL) {
        if (SSL_CTX_set_cipher_list(ssl_context, SUITES_BY_DEFAULT) == 1)
            return ZK_OK;
        return error_set(error, ZK_UNSUPPORTED, "OpenSSL offers no suite of ECDHE with AEAD: %s", tls_cause(text));
    }
    struct suites suites = { .up_to_1_2 = { 0 } };
    int err = sort_suites(list, &suites, error);
    if (err == ZK_OK)
        err = use_suites(ssl_context, &suites, error);
    buffer_release(&suites.up_to_1_2);
    buffer_release(&suites.of_1_3);
    return err;
}
