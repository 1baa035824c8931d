/* tls_store.c - keys, certificates and revocation lists out of a file, PEM or PKCS12. */
#include "common/net/tls_store.h"

#include <assert.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <stdio.h>
#include <string.h>

#include "common/base/buffer.h"
#include "common/base/file.h"

#define MOST_IN_FILE ((size_t)16 << 20)

const char *tls_cause(char text[TLS_CAUSE_SIZE])
{
    unsigned long code = ERR_peek_error();
    const char *reason = code != 0 ? ERR_reason_error_string(code) : NULL;
    if (reason != NULL)
        snprintf(text, TLS_CAUSE_SIZE, "%s", reason);
    else if (code != 0)
        ERR_error_string_n(code, text, TLS_CAUSE_SIZE);
    else
        snprintf(text, TLS_CAUSE_SIZE, "OpenSSL does not say why");
    ERR_clear_error();
    return text;
}

static int refuse(struct error *error, const char *path, const char *what)
{
    char text[TLS_CAUSE_SIZE];
    return error_set(error, ZK_BAD_ARGUMENTS, "%s in %s cannot be read: %s", what, path, tls_cause(text));
}

/* ---- PEM ---- */

/* Never asks: a key without its password is a failure. */
static int give_password(char *text, int size, int is_for_writing, void *password)
{
    (void)is_for_writing;
    size_t length = password != NULL ? strlen(password) : 0;
    if (password == NULL || length > (size_t)size)
        return -1;
    memcpy(text, password, length);
    return (int)length;
}

/* Takes certificates and revocation lists over from what was read. */
static void move_infos(STACK_OF(X509_INFO) *infos, struct tls_store *store)
{
    for (int i = 0; i < sk_X509_INFO_num(infos); i++) {
        X509_INFO *info = sk_X509_INFO_value(infos, i);
        if (info->x509 != NULL && sk_X509_push(store->certificates, info->x509) > 0)
            info->x509 = NULL;
        if (info->crl != NULL && sk_X509_CRL_push(store->revocations, info->crl) > 0)
            info->crl = NULL;
    }
}

static int read_pem_certificates(BIO *bytes, const char *path, struct tls_store *store, struct error *error)
{
    STACK_OF(X509_INFO) *infos = PEM_X509_INFO_read_bio(bytes, NULL, give_password, NULL);
    if (infos == NULL)
        return refuse(error, path, "a certificate");
    move_infos(infos, store);
    sk_X509_INFO_pop_free(infos, X509_INFO_free);
    return ZK_OK;
}

static int read_pem_key(BIO *bytes, const char *path, const char *password, struct tls_store *store,
                        struct error *error)
{
    store->key = PEM_read_bio_PrivateKey(bytes, NULL, give_password, (void *)(uintptr_t)password);
    if (store->key != NULL)
        return ZK_OK;
    return refuse(error, path, password == NULL ? "a private key, for which no password was given,"
                                                : "a private key, with the password given,");
}

static int read_pem(struct buffer *content, const char *path, const char *password, int wanted,
                    struct tls_store *store, struct error *error)
{
    const char *text = buffer_string(content);
    BIO *bytes = BIO_new_mem_buf(text, (int)content->size);
    assert(bytes != NULL);
    int err = ZK_OK;
    if ((wanted & TLS_STORE_CERTIFICATES) != 0)
        err = read_pem_certificates(bytes, path, store, error);
    BIO_free(bytes);
    if (err != ZK_OK || (wanted & TLS_STORE_KEY) == 0 || strstr(text, "PRIVATE KEY-----") == NULL)
        return err;
    bytes = BIO_new_mem_buf(text, (int)content->size);
    assert(bytes != NULL);
    err = read_pem_key(bytes, path, password, store, error);
    BIO_free(bytes);
    return err;
}

/* ---- PKCS12 ---- */

/* Own certificate first, then the others in their order, which PKCS12_parse() turns round in some releases. */
static void move_certificates(X509 *own, STACK_OF(X509) *others, struct tls_store *store)
{
    if (own != NULL)
        sk_X509_push(store->certificates, own);
    while (others != NULL && sk_X509_num(others) > 0)
        sk_X509_push(store->certificates, sk_X509_shift(others));
    sk_X509_free(others);
}

static int read_pkcs12(const struct buffer *content, const char *path, const char *password, int wanted,
                       struct tls_store *store, struct error *error)
{
    const unsigned char *at = content->bytes;
    EVP_PKEY *key = NULL;
    X509 *own = NULL;
    STACK_OF(X509) *others = NULL;
    PKCS12 *parsed = d2i_PKCS12(NULL, &at, (long)content->size);
    if (parsed == NULL)
        return refuse(error, path, "a PKCS12 store");
    int is_read = PKCS12_parse(parsed, password != NULL ? password : "", &key, &own, &others);
    PKCS12_free(parsed);
    if (is_read != 1)
        return refuse(error, path, password == NULL ? "a PKCS12 store, for which no password was given,"
                                                    : "a PKCS12 store, with the password given,");
    move_certificates(own, others, store);
    if ((wanted & TLS_STORE_KEY) != 0)
        store->key = key;
    else
        EVP_PKEY_free(key);
    return ZK_OK;
}

/* ---- any of them ---- */

static bool is_jks(const struct buffer *content)
{
    static const uint8_t jks[] = { 0xfe, 0xed, 0xfe, 0xed }, jceks[] = { 0xce, 0xce, 0xce, 0xce };
    return content->size >= sizeof(jks) && (memcmp(content->bytes, jks, sizeof(jks)) == 0 ||
                                            memcmp(content->bytes, jceks, sizeof(jceks)) == 0);
}

static int read_content(struct buffer *content, const char *path, const char *password, int wanted,
                        struct tls_store *store, struct error *error)
{
    if (is_jks(content))
        return error_set(error, ZK_BAD_ARGUMENTS,
                         "%s is a JKS store, which only Java reads; convert it with keytool -importkeystore "
                         "-srckeystore %s -destkeystore %s.p12 -deststoretype PKCS12", path, path, path);
    bool is_pkcs12 = content->size > 0 && content->bytes[0] == 0x30;    /* a sequence, in ASN.1 */
    int err = is_pkcs12 ? read_pkcs12(content, path, password, wanted, store, error)
                        : read_pem(content, path, password, wanted, store, error);
    if (err != ZK_OK)
        return err;
    if ((wanted & TLS_STORE_CERTIFICATES) != 0 && sk_X509_num(store->certificates) == 0)
        return error_set(error, ZK_BAD_ARGUMENTS, "%s holds no certificate in PEM or PKCS12", path);
    if ((wanted & TLS_STORE_KEY) != 0 && store->key == NULL)
        return error_set(error, ZK_BAD_ARGUMENTS, "%s holds no private key in PEM or PKCS12", path);
    return ZK_OK;
}

int tls_store_read(const char *path, const char *password, int wanted, struct tls_store *ret_store,
                   struct error *error)
{
    struct buffer content = { 0 };
    struct tls_store store = { NULL, sk_X509_new_null(), sk_X509_CRL_new_null() };
    assert(store.certificates != NULL && store.revocations != NULL);
    ERR_clear_error();
    int err = file_read_all(path, MOST_IN_FILE, &content, error);
    if (err == ZK_OK)
        err = read_content(&content, path, password, wanted, &store, error);
    if (content.bytes != NULL)
        OPENSSL_cleanse(content.bytes, content.capacity);
    buffer_release(&content);
    if (err != ZK_OK)
        tls_store_release(&store);
    else
        *ret_store = store;
    return err;
}

void tls_store_release(struct tls_store *store)
{
    EVP_PKEY_free(store->key);
    sk_X509_pop_free(store->certificates, X509_free);
    sk_X509_CRL_pop_free(store->revocations, X509_CRL_free);
    *store = (struct tls_store){ NULL, NULL, NULL };
}
