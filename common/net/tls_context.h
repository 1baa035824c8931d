/* What streams of TLS share: certificates and rules, of a client or of a server. Mirrors X509Util. Any thread. */
#ifndef ZKC_COMMON_NET_TLS_CONTEXT_H
#define ZKC_COMMON_NET_TLS_CONTEXT_H

#include <stdbool.h>

#include "common/base/error.h"

/*
 * Counted, and never changed: who reads certificates anew makes another context and gives that to new streams, while
 * those that are there keep theirs. A server resumes no session of TLS, so each client is judged by the context of its
 * connection, whatever an earlier one thought of it.
 */
struct tls_context;

/* Files are PEM or PKCS12. Where a password is NULL there is none; nobody is asked for one. */
struct tls_client_options {
    const char *trust_path;          /* authorities to trust, and their CRLs; NULL: those of the system */
    const char *trust_password;
    const char *certificate_path;    /* with its chain; NULL: none is shown */
    const char *key_path;            /* NULL: it stands in the file of the certificate */
    const char *key_password;        /* of the key, and of a PKCS12 file with the certificate */
    bool verifies_host;              /* by SAN, or by CN where there is no SAN, as in Java; never by reverse look-up */
};

enum tls_client_auth { TLS_CLIENT_AUTH_NONE, TLS_CLIENT_AUTH_WANT, TLS_CLIENT_AUTH_NEED };
struct tls_server_options {
    const char *key_store_path;      /* certificate with its chain, and key */
    const char *key_store_password;
    const char *trust_path;          /* authorities of clients, and their CRLs; NULL: those of the system */
    const char *trust_password;
    enum tls_client_auth client_auth;    /* want: a client may show none, but not a bad one */
    const char *protocols;           /* "TLSv1.2,TLSv1.3"; NULL: both */
    const char *cipher_suites;       /* with commas, named as in Java or in OpenSSL; NULL: ECDHE with AEAD */
    bool verifies_client_host;       /* the address it comes from is an IP of its SAN; never by look-up */
    bool needs_revocation_lists;     /* each authority of a client's chain must have a list in the trust file */
};

/* ZK_NOT_FOUND, ZK_IO: a file cannot be read; ZK_BAD_ARGUMENTS: it does not hold what it should, or a protocol or
 * cipher suite is none. All name it and say why. */
int tls_context_new_client(const struct tls_client_options *options, struct tls_context **ret_context,
                           struct error *error);
int tls_context_new_server(const struct tls_server_options *options, struct tls_context **ret_context,
                           struct error *error);
struct tls_context *tls_context_ref(struct tls_context *context);
void tls_context_unref(struct tls_context *context);    /* NULL is accepted */

#endif
