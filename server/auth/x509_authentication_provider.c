/*
 * x509_authentication_provider.c - the scheme "x509": a peer is the name in the certificate it showed. Mirrors
 * org.apache.zookeeper.server.auth.X509AuthenticationProvider.
 *
 * Whether a certificate is good was found out in the handshake, by the same rules for all; here is only who it is for.
 * So no provider can switch off what is verified there.
 */
#include "server/auth/auth_provider.h"

#include <string.h>

#include "common/base/log.h"
#include "common/base/memory.h"
#include "common/base/strings.h"
#include "common/net/distinguished_name.h"

struct x509_authentication_provider {
    struct auth_provider base;
    char *super_user;    /* NULL: there is none */
};

static bool is_super_user(struct auth_provider *self, struct ustring id)
{
    const char *super_user = container_of(self, struct x509_authentication_provider, base)->super_user;
    return super_user != NULL && ustring_is(id, super_user);
}

static int x509_handle_authentication(struct auth_provider *self, const struct auth_peer *peer, struct slice auth_data,
                                      struct auth_info **info)
{
    (void)auth_data;
    if (peer->certificate_name == NULL) {
        log_warn("No certificate chain available to authenticate");
        return ZK_AUTH_FAILED;
    }
    struct zk_id super = {ustring_of("super"), ustring_of(peer->certificate_name)};
    struct zk_id id = {ustring_of(self->scheme), super.id};
    size_t size = (size_t)(super.scheme.size + super.id.size + id.scheme.size + id.id.size);
    if (!auth_info_has_room(*info, 2, size))
        return ZK_AUTH_FAILED;
    if (is_super_user(self, id.id)) {
        *info = auth_info_add(*info, &super);
        log_info("Authenticated Id '%s' as super user", peer->certificate_name);
    }
    *info = auth_info_add(*info, &id);
    log_debug("Authenticated Id '%s' for scheme '%s'", peer->certificate_name, self->scheme);
    return ZK_OK;
}

static bool x509_matches(struct auth_provider *self, struct ustring id, struct ustring acl_expression)
{
    if (id.size < 0)
        return false;
    return is_super_user(self, id) || (id.size == acl_expression.size &&
                                       memcmp(id.bytes, acl_expression.bytes, (size_t)id.size) == 0);
}

static bool x509_is_valid(struct auth_provider *self, struct ustring id)
{
    (void)self;
    return id.size >= 0 && distinguished_name_is_valid(id.bytes, (size_t)id.size);
}

static struct ustring x509_user_name(struct auth_provider *self, struct ustring id)
{
    (void)self;
    return id;
}

static void x509_free(struct auth_provider *self)
{
    struct x509_authentication_provider *provider = container_of(self, struct x509_authentication_provider, base);
    memory_free(provider->super_user);
    memory_free(provider);
}

struct auth_provider *x509_authentication_provider_new(const char *super_user)
{
    struct x509_authentication_provider *provider = MEMORY_NEW(struct x509_authentication_provider);
    provider->super_user = super_user == NULL ? NULL : string_copy(super_user);
    provider->base = (struct auth_provider){
        .scheme = "x509",
        .is_authenticated = true,
        .handle_authentication = x509_handle_authentication,
        .matches = x509_matches,
        .is_valid = x509_is_valid,
        .user_name = x509_user_name,
        .free = x509_free,
    };
    return &provider->base;
}
