/* test_certificates.c - certificates for tests, made with OpenSSL when they are needed. */
#include "tests/lib/test_certificates.h"

#include <check.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>

#include "common/base/random.h"

#define SECONDS_A_DAY (24L * 60 * 60)

static EVP_PKEY *new_key(void)
{
    EVP_PKEY *key = NULL;
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_id(EVP_PKEY_EC, NULL);
    ck_assert(context != NULL && EVP_PKEY_keygen_init(context) == 1);
    ck_assert_int_eq(EVP_PKEY_CTX_set_ec_paramgen_curve_nid(context, NID_X9_62_prime256v1), 1);
    ck_assert_int_eq(EVP_PKEY_CTX_set_ec_param_enc(context, OPENSSL_EC_NAMED_CURVE), 1);
    ck_assert_int_eq(EVP_PKEY_keygen(context, &key), 1);
    EVP_PKEY_CTX_free(context);
    return key;
}

static void add_extension(X509 *certificate, X509 *issuer, int nid, const char *value)
{
    X509V3_CTX context;
    X509V3_set_ctx_nodb(&context);
    X509V3_set_ctx(&context, issuer, certificate, NULL, NULL, 0);
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
    ck_assert_ptr_nonnull(extension);
    ck_assert_int_eq(X509_add_ext(certificate, extension, -1), 1);
    X509_EXTENSION_free(extension);
}

struct test_identity test_identity_make(const struct test_identity_rules *rules)
{
    struct test_identity made = { X509_new(), new_key() };
    X509 *certificate = made.certificate;
    bool has_days = rules->from_days != 0 || rules->to_days != 0;
    X509_set_version(certificate, 2);
    ASN1_INTEGER_set_uint64(X509_get_serialNumber(certificate), random_uint64() >> 1);
    X509_gmtime_adj(X509_getm_notBefore(certificate), (has_days ? rules->from_days : -1) * SECONDS_A_DAY);
    X509_gmtime_adj(X509_getm_notAfter(certificate), (has_days ? rules->to_days : 1) * SECONDS_A_DAY);
    X509_set_pubkey(certificate, made.key);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_UTF8,
                               (const unsigned char *)rules->name, -1, -1, 0);
    const struct test_identity *issuer = rules->issuer != NULL ? rules->issuer : &made;
    X509_set_issuer_name(certificate, X509_get_subject_name(issuer->certificate));
    add_extension(certificate, issuer->certificate, NID_basic_constraints,
                  rules->is_authority ? "critical,CA:TRUE" : "CA:FALSE");
    if (rules->subject_alternatives != NULL)
        add_extension(certificate, issuer->certificate, NID_subject_alt_name, rules->subject_alternatives);
    if (rules->responder != NULL) {
        char access[256];
        snprintf(access, sizeof(access), "OCSP;URI:%s", rules->responder);
        add_extension(certificate, issuer->certificate, NID_info_access, access);
    }
    ck_assert_int_gt(X509_sign(certificate, issuer->key, EVP_sha256()), 0);
    return made;
}

void test_identity_release(struct test_identity *identity)
{
    X509_free(identity->certificate);
    EVP_PKEY_free(identity->key);
    *identity = (struct test_identity){ NULL, NULL };
}

static FILE *open_to_append(const char *path)
{
    FILE *file = fopen(path, "a");
    ck_assert_msg(file != NULL, "cannot write %s", path);
    return file;
}

void test_identity_write_certificate(const struct test_identity *identity, const char *path)
{
    FILE *file = open_to_append(path);
    ck_assert_int_eq(PEM_write_X509(file, identity->certificate), 1);
    fclose(file);
}

void test_identity_write_key(const struct test_identity *identity, const char *password, const char *path)
{
    FILE *file = open_to_append(path);
    const EVP_CIPHER *cipher = password != NULL ? EVP_aes_128_cbc() : NULL;
    ck_assert_int_eq(PEM_write_PKCS8PrivateKey(file, identity->key, cipher, password,
                                               password != NULL ? (int)strlen(password) : 0, NULL, NULL), 1);
    fclose(file);
}

static ASN1_TIME *days_from_now(int days)
{
    ASN1_TIME *when = X509_gmtime_adj(NULL, days * SECONDS_A_DAY);
    ck_assert_ptr_nonnull(when);
    return when;
}

void test_identity_write_revocations(const struct test_identity *authority, const struct test_identity *revoked,
                                     const char *path)
{
    X509_CRL *list = X509_CRL_new();
    ASN1_TIME *yesterday = days_from_now(-1), *tomorrow = days_from_now(1);
    X509_CRL_set_version(list, 1);
    X509_CRL_set_issuer_name(list, X509_get_subject_name(authority->certificate));
    X509_CRL_set1_lastUpdate(list, yesterday);
    X509_CRL_set1_nextUpdate(list, tomorrow);
    if (revoked != NULL) {
        X509_REVOKED *entry = X509_REVOKED_new();
        X509_REVOKED_set_serialNumber(entry, X509_get_serialNumber(revoked->certificate));
        X509_REVOKED_set_revocationDate(entry, yesterday);
        ck_assert_int_eq(X509_CRL_add0_revoked(list, entry), 1);
    }
    X509_CRL_sort(list);
    ck_assert_int_gt(X509_CRL_sign(list, authority->key, EVP_sha256()), 0);
    FILE *file = open_to_append(path);
    ck_assert_int_eq(PEM_write_X509_CRL(file, list), 1);
    fclose(file);
    X509_CRL_free(list);
    ASN1_TIME_free(yesterday);
    ASN1_TIME_free(tomorrow);
}

static void write_pkcs12(X509 *certificate, EVP_PKEY *key, X509 *other, const char *password, const char *path)
{
    STACK_OF(X509) *others = sk_X509_new_null();
    if (other != NULL)
        sk_X509_push(others, other);
    PKCS12 *store = PKCS12_create(password, "test", key, certificate, others, 0, 0, 0, 0, 0);
    ck_assert_ptr_nonnull(store);
    FILE *file = fopen(path, "w");
    ck_assert_msg(file != NULL, "cannot write %s", path);
    ck_assert_int_eq(i2d_PKCS12_fp(file, store), 1);
    fclose(file);
    PKCS12_free(store);
    sk_X509_free(others);
}

void test_identity_write_pkcs12(const struct test_identity *identity, const struct test_identity *above,
                                const char *password, const char *path)
{
    write_pkcs12(identity->certificate, identity->key, above != NULL ? above->certificate : NULL, password, path);
}

void test_identity_write_pkcs12_trust(const struct test_identity *identity, const char *password, const char *path)
{
    write_pkcs12(NULL, NULL, identity->certificate, password, path);
}
