/*
 * Keys, certificates and revocation lists out of a file: PEM or PKCS12, found out from its bytes. Mirrors
 * FileKeyStoreLoader and its subclasses. No state; any thread. For tls_context.c.
 */
#ifndef ZKC_COMMON_NET_TLS_STORE_H
#define ZKC_COMMON_NET_TLS_STORE_H

#include <openssl/ssl.h>
#include <stdbool.h>

#include "common/base/error.h"

struct tls_store {
    EVP_PKEY *key;                      /* NULL: none was read */
    STACK_OF(X509) *certificates;       /* in the order of the file; with a key in PKCS12 its own comes first */
    STACK_OF(X509_CRL) *revocations;
};

enum { TLS_STORE_CERTIFICATES = 1, TLS_STORE_KEY = 2 };
/*
 * `wanted`: what must be in there, TLS_STORE_* bits; a key of PEM that is not wanted is not read and needs no password.
 * `password` NULL: none, and nobody is asked for one. ZK_NOT_FOUND, ZK_IO: the file cannot be read; ZK_BAD_ARGUMENTS:
 * it does not hold what is wanted, or is a JKS store; all name it and say why.
 */
int tls_store_read(const char *path, const char *password, int wanted, struct tls_store *ret_store,
                   struct error *error);
void tls_store_release(struct tls_store *store);

#define TLS_CAUSE_SIZE 512
/* What OpenSSL said first since its queue of errors was emptied, which it is afterwards. Returns `text`. */
const char *tls_cause(char text[TLS_CAUSE_SIZE]);

#endif
