/*
 * Certificates, keys and stores for tests of TLS. They live for the run of a program: an unchecked fixture makes and
 * removes them.
 */
#ifndef ZKC_TESTS_UNIT_COMMON_NET_TLS_FILES_H
#define ZKC_TESTS_UNIT_COMMON_NET_TLS_FILES_H

#include "tests/lib/test_certificates.h"

#define HOST "zoo.example"    /* what servers are called */

/* Those of which nothing is said here are good, called HOST and signed by the authority. */
extern struct tls_identities {
    struct test_identity authority, stranger;    /* of clients and servers; nobody trusts the stranger */
    struct test_identity server, server_elsewhere, server_expired, server_of_tomorrow;
    struct test_identity server_own, server_of_stranger, server_by_ip, server_by_cn;
    struct test_identity client_of_authority, guest;    /* the guest is a client of the stranger, at 127.0.0.1 */
} identities;

/* Paths. Keys have no password where none is said. */
extern struct tls_files {
    char ca[512];               /* the authority */
    char client[512];           /* a client of it, without its key, and the authority */
    char client_key[512];
    char encrypted_key[512];    /* the same one; "sesame" */
    char both[512];             /* the client and its key */
    char guest[512];            /* with its key */
    char branch[512];           /* a client, with its key, of an authority between, which may be taken back */
    char stranger_key[512], stranger_both[512];
    char server[512];           /* with its key; "sesame" */
    char server_p12[512];       /* the same and the authority; "sesame" */
    char trust_p12[512];        /* the authority; "sesame" */
    char listed[512];           /* the authority, and lists of it and the one between; neither names a client */
    char revoked[512];          /* the authority, and a list that names its client */
    char cut_off[512];          /* the authority, and a list that names the one between */
    char half_listed[512];      /* the authority and an empty list, the stranger and none */
    char empty[512], garbage[512];
    char jks[512];              /* begins like a store of Java */
} files;

void tls_files_make(void);
void tls_files_remove(void);

#endif
