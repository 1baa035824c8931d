/*
 * A scheme of authentication, and the registry of those a server has. Mirrors AuthenticationProvider and
 * ProviderRegistry. The registry is built at start and never changes; any thread.
 */
#ifndef ZKC_SERVER_AUTH_AUTH_PROVIDER_H
#define ZKC_SERVER_AUTH_AUTH_PROVIDER_H

#include <stdbool.h>
#include <stddef.h>

#include "common/base/blob.h"
#include "common/base/buffer.h"
#include "common/base/error.h"
#include "common/net/address.h"
#include "server/auth/auth_info.h"
#include "server/config/server_options.h"

/* Whom an auth packet, or the end of a TLS handshake, is about. */
struct auth_peer {
    const struct address *address;
    const char *certificate_name;    /* subject of the certificate it showed and we trust, as in Java; NULL: none */
};

struct auth_provider {
    const char *scheme;
    bool is_authenticated;    /* isAuthenticated(): its ids may stand for "auth" */
    /* What an auth packet of this scheme proves of the peer: ids are added to *info. ZK_OK or ZK_AUTH_FAILED. Auth data
     * whose bytes are NULL is Java's null, which "digest" fails on, and "ip" and "x509" do not look at. */
    int (*handle_authentication)(struct auth_provider *self, const struct auth_peer *peer, struct slice auth_data,
                                 struct auth_info **info);
    /* Does `id` of a peer fit `acl_expression` of a node. A null fits nothing. */
    bool (*matches)(struct auth_provider *self, struct ustring id, struct ustring acl_expression);
    /* May it stand in an ACL. A null may not. */
    bool (*is_valid)(struct auth_provider *self, struct ustring id);
    /* getUserName: the part of an id that may be shown. */
    struct ustring (*user_name)(struct auth_provider *self, struct ustring id);
    void (*free)(struct auth_provider *self);
};

struct provider_registry;
/* ip, digest unless switched off, and x509 where clients may speak TLS; an authProvider.N line names a class: those
 * this server has are taken by their Java class name, those of Java it has not yet are warned of, another is
 * ZK_BAD_CONFIG naming it. So is an ssl.authProvider that no provider of certificates has as its scheme. */
int provider_registry_new(const struct server_options *options, struct provider_registry **ret_registry,
                          struct error *error);
void provider_registry_free(struct provider_registry *registry);
/* NULL when there is none. */
struct auth_provider *provider_registry_find(struct provider_registry *registry, struct ustring scheme);
/* "digest ip " as listProviders(). */
void provider_registry_list(struct provider_registry *registry, struct buffer *out);

/* One file each. */
struct auth_provider *ip_authentication_provider_new(void);
/* ZK_BAD_CONFIG for a digest algorithm that is not there. super_digest may be NULL. */
int digest_authentication_provider_new(const char *digest_algorithm, const char *super_digest,
                                       struct auth_provider **ret_provider, struct error *error);
/* `super_user`, may be NULL: the name in a certificate that no ACL stops. */
struct auth_provider *x509_authentication_provider_new(const char *super_user);
/* "user:base64(digest)" of "user:password", the caller's; NULL for an unknown algorithm. */
char *digest_authentication_generate(const char *digest_algorithm, const void *id_password, size_t size);

#endif
