/*
 * Distinguished names, written and read as Java's X500Principal does, so that an ACL fits the same certificates on
 * either server. No state; any thread.
 */
#ifndef ZKC_COMMON_NET_DISTINGUISHED_NAME_H
#define ZKC_COMMON_NET_DISTINGUISHED_NAME_H

#include <openssl/x509.h>
#include <stdbool.h>
#include <stddef.h>

/*
 * X500Principal.getName(), which is RFC 2253: "CN=client,O=zkc", the last part first; attributes that the RFC has no
 * name for as their OID and the hexadecimal DER of their value. UTF-8. memory_free.
 */
char *distinguished_name_format(const X509_NAME *name);
/* Would new X500Principal() take the text: RFC 1779, RFC 2253, or what Java's keytool prints. */
bool distinguished_name_is_valid(const char *text, size_t size);

#endif
