/* Certificates for tests, made when they are needed; whatever goes wrong in here ends the test. */
#ifndef ZKC_TESTS_LIB_TEST_CERTIFICATES_H
#define ZKC_TESTS_LIB_TEST_CERTIFICATES_H

#include <openssl/ssl.h>
#include <stdbool.h>

struct test_identity {
    X509 *certificate;
    EVP_PKEY *key;    /* P-256 */
};
struct test_identity_rules {
    const char *name;                       /* CN */
    const char *subject_alternatives;       /* "DNS:a,IP:127.0.0.1"; NULL: none */
    const char *responder;                  /* URL to ask by OCSP; NULL: none */
    const struct test_identity *issuer;     /* NULL: signed by itself */
    bool is_authority;
    int from_days, to_days;                 /* from now on; both 0: from yesterday to tomorrow */
};
struct test_identity test_identity_make(const struct test_identity_rules *rules);
void test_identity_release(struct test_identity *identity);

/* PEM, appended to the file at `path`, which is made when it is not there. `password` NULL: not encrypted. */
void test_identity_write_certificate(const struct test_identity *identity, const char *path);
void test_identity_write_key(const struct test_identity *identity, const char *password, const char *path);
/* A PKCS12 store, made anew: certificate and key, `above` (may be NULL) in its chain. */
void test_identity_write_pkcs12(const struct test_identity *identity, const struct test_identity *above,
                                const char *password, const char *path);
/* PEM, appended: the list of what `authority` has revoked, which is `revoked` (NULL: nothing), good until tomorrow. */
void test_identity_write_revocations(const struct test_identity *authority, const struct test_identity *revoked,
                                     const char *path);
/* One with a certificate to trust and no key. */
void test_identity_write_pkcs12_trust(const struct test_identity *identity, const char *password, const char *path);

#endif
