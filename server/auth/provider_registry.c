/*
 * provider_registry.c - the schemes a server has, by name. Mirrors org.apache.zookeeper.server.auth.ProviderRegistry.
 *
 * Java loads any class that an authProvider.N line names. Here a line names one of the classes below, for the sake of
 * files that were written for Java. One of Java's own that is not here yet is warned of: nobody can prove an id of its
 * scheme, so nodes guarded by it stay closed. Any other class ends the start.
 */
#include <string.h>

#include "common/base/log.h"
#include "common/base/memory.h"
#include "common/base/strings.h"
#include "server/auth/auth_provider.h"
#include "server/tree/java_hash_set.h"

#define X509_SCHEME "x509"

struct registered {
    struct java_hash_link link;    /* listed in the order of Java's HashMap */
    struct auth_provider *provider;
};

struct provider_registry {
    struct java_hash_set providers;
};

static struct registered *find_registered(struct provider_registry *registry, struct ustring scheme)
{
    for (struct java_hash_link *link = java_hash_set_first(&registry->providers); link != NULL;
         link = java_hash_set_after(&registry->providers, link)) {
        struct registered *registered = container_of(link, struct registered, link);
        if (ustring_is(scheme, registered->provider->scheme))
            return registered;
    }
    return NULL;
}

/* In the place of the one with the same scheme, if there is one. */
static void add_provider(struct provider_registry *registry, struct auth_provider *provider)
{
    struct registered *registered = find_registered(registry, ustring_of(provider->scheme));
    if (registered != NULL) {
        registered->provider->free(registered->provider);
        registered->provider = provider;
        return;
    }
    registered = MEMORY_NEW(struct registered);
    registered->provider = provider;
    registered->link.hash = string_java_hash(provider->scheme, strlen(provider->scheme));
    java_hash_set_add(&registry->providers, &registered->link, NULL);
}

static int add_ip(struct provider_registry *registry, const struct server_options *options, struct error *error)
{
    (void)options;
    (void)error;
    add_provider(registry, ip_authentication_provider_new());
    return ZK_OK;
}

static int add_digest(struct provider_registry *registry, const struct server_options *options, struct error *error)
{
    struct auth_provider *provider;
    int err = digest_authentication_provider_new(options->digest_authentication_provider_digest_alg,
                                                 options->digest_authentication_provider_super_digest, &provider,
                                                 error);
    if (err == ZK_OK)
        add_provider(registry, provider);
    return err;
}

static int add_x509(struct provider_registry *registry, const struct server_options *options, struct error *error)
{
    (void)error;
    add_provider(registry, x509_authentication_provider_new(options->x509_authentication_provider_super_user));
    return ZK_OK;
}

/* A provider that comes with a Java server but not with this one. */
static int add_missing(struct provider_registry *registry, const struct server_options *options, struct error *error)
{
    (void)registry;
    (void)options;
    (void)error;
    return ZK_UNSUPPORTED;
}

static const struct {
    const char *class_name;
    int (*add)(struct provider_registry *registry, const struct server_options *options, struct error *error);
} classes[] = {
    {"org.apache.zookeeper.server.auth.IPAuthenticationProvider", add_ip},
    {"org.apache.zookeeper.server.auth.DigestAuthenticationProvider", add_digest},
    {"org.apache.zookeeper.server.auth.SASLAuthenticationProvider", add_missing},
    {"org.apache.zookeeper.server.auth.X509AuthenticationProvider", add_x509},
    {"org.apache.zookeeper.server.auth.EnsembleAuthenticationProvider", add_missing},
};

static int add_class(struct provider_registry *registry, const struct server_options *options,
                     const struct property *line, struct error *error)
{
    for (size_t i = 0; i < ARRAY_SIZE(classes); i++) {
        if (strcmp(line->value, classes[i].class_name) != 0)
            continue;
        int err = classes[i].add(registry, options, error);
        if (err != ZK_UNSUPPORTED)
            return err;
        log_warn("%s=%s: this release has no such provider yet; nobody can authenticate by its scheme", line->key,
                 line->value);
        return ZK_OK;
    }
    return error_set(error, ZK_BAD_CONFIG,
                     "%s=%s: there is no such authentication provider here; those of the schemes ip and digest are "
                     "there without being named, that of x509 with TLS",
                     line->key, line->value);
}

/* configureSSLAuth */
static int add_for_certificates(struct provider_registry *registry, const struct server_options *options,
                                struct error *error)
{
    if (options->secure_client_port < 0 && !options->client_port_unification)
        return ZK_OK;
    if (strcmp(options->ssl_auth_provider, X509_SCHEME) != 0)
        return error_set(error, ZK_BAD_CONFIG,
                         "ssl.authProvider=%s: no provider of that scheme judges certificates, only " X509_SCHEME
                         " does", options->ssl_auth_provider);
    bool is_there = provider_registry_find(registry, ustring_of(X509_SCHEME)) != NULL;
    return is_there ? ZK_OK : add_x509(registry, options, error);
}

static int add_all(struct provider_registry *registry, const struct server_options *options, struct error *error)
{
    int err = add_ip(registry, options, error);
    log_info("zookeeper.DigestAuthenticationProvider.enabled = %s",
             options->digest_authentication_provider_enabled ? "true" : "false");
    if (err == ZK_OK && options->digest_authentication_provider_enabled)
        err = add_digest(registry, options, error);
    for (size_t i = 0; err == ZK_OK && i < options->auth_providers.count; i++)
        err = add_class(registry, options, &options->auth_providers.items[i], error);
    return err == ZK_OK ? add_for_certificates(registry, options, error) : err;
}

int provider_registry_new(const struct server_options *options, struct provider_registry **ret_registry,
                          struct error *error)
{
    struct provider_registry *registry = MEMORY_NEW(struct provider_registry);
    java_hash_set_init(&registry->providers, 16);
    int err = add_all(registry, options, error);
    if (err == ZK_OK)
        *ret_registry = registry;
    else
        provider_registry_free(registry);
    return err;
}

void provider_registry_free(struct provider_registry *registry)
{
    if (registry == NULL)
        return;
    for (struct java_hash_link *link = java_hash_set_first(&registry->providers), *after; link != NULL; link = after) {
        after = java_hash_set_after(&registry->providers, link);
        struct registered *registered = container_of(link, struct registered, link);
        registered->provider->free(registered->provider);
        memory_free(registered);
    }
    java_hash_set_release(&registry->providers);
    memory_free(registry);
}

struct auth_provider *provider_registry_find(struct provider_registry *registry, struct ustring scheme)
{
    struct registered *registered = find_registered(registry, scheme);
    return registered == NULL ? NULL : registered->provider;
}

void provider_registry_list(struct provider_registry *registry, struct buffer *out)
{
    for (struct java_hash_link *link = java_hash_set_first(&registry->providers); link != NULL;
         link = java_hash_set_after(&registry->providers, link))
        buffer_printf(out, "%s ", container_of(link, struct registered, link)->provider->scheme);
}
