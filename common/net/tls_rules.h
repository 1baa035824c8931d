/* Versions and cipher suites of TLS, by the names people write into a configuration. Any thread. For tls_context.c. */
#ifndef ZKC_COMMON_NET_TLS_RULES_H
#define ZKC_COMMON_NET_TLS_RULES_H

#include <openssl/ssl.h>

#include "common/base/error.h"

/* "TLSv1.2,TLSv1.3"; NULL: both. ZK_BAD_ARGUMENTS names what is neither. */
int tls_rules_set_protocols(SSL_CTX *ssl_context, const char *list, struct error *error);
/*
 * Names of Java, which are IANA's, or of OpenSSL, with commas or colons; NULL: ECDHE with AEAD. A version for which the
 * list has no suite is not spoken. After tls_rules_set_protocols(). ZK_BAD_ARGUMENTS names what is no suite, or says
 * that none is left.
 */
int tls_rules_set_cipher_suites(SSL_CTX *ssl_context, const char *list, struct error *error);

#endif
