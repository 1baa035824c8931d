/* bench_target.c - servers out of a line of text, certificates out of properties. */
#include "client/bench/bench_target.h"

#include "client/connect_string.h"
#include "common/base/memory.h"
#include "common/base/strings.h"

#define ADDRESSES_OF_HOST 1    /* the first: sessions are spread over servers, not over addresses of one */

static bool is_true(const struct properties *properties, const char *key, bool otherwise)
{
    const char *value = properties_get(properties, key);
    return value == NULL ? otherwise : string_equals_ignore_case(value, "true");
}

/* A store of Java's configuration holds both certificate and key. */
static int init_tls(struct bench_target *target, const struct properties *properties, struct error *error)
{
    if (!is_true(properties, "zookeeper.client.secure", false))
        return ZK_OK;
    struct tls_client_options options = {
        .trust_path = properties_get(properties, "zookeeper.ssl.trustStore.location"),
        .trust_password = properties_get(properties, "zookeeper.ssl.trustStore.password"),
        .certificate_path = properties_get(properties, "zookeeper.ssl.keyStore.location"),
        .key_password = properties_get(properties, "zookeeper.ssl.keyStore.password"),
        .verifies_host = is_true(properties, "zookeeper.ssl.hostnameVerification", true),
    };
    return tls_context_new_client(&options, &target->tls, error);
}

static int resolve(struct bench_target *target, const struct connect_string *parsed, struct error *error)
{
    target->servers = MEMORY_NEW_ARRAY(parsed->count, struct bench_server);
    for (size_t i = 0; i < parsed->count; i++) {
        size_t count;
        int err = address_resolve(parsed->hosts[i].host, parsed->hosts[i].port, &target->servers[i].address,
                                  ADDRESSES_OF_HOST, &count, error);
        if (err != ZK_OK)
            return err;
        target->servers[i].host = string_copy(parsed->hosts[i].host);
        target->count++;
    }
    return ZK_OK;
}

int bench_target_init(struct bench_target *target, const char *servers, int32_t timeout_ms,
                      const struct properties *properties, struct error *error)
{
    struct connect_string parsed;
    *target = (struct bench_target){.timeout_ms = timeout_ms};
    int err = connect_string_parse(servers, &parsed, error);
    if (err != ZK_OK)
        return err;
    err = resolve(target, &parsed, error);
    if (err == ZK_OK)
        err = init_tls(target, properties, error);
    if (parsed.chroot != NULL)
        target->chroot = string_copy(parsed.chroot);
    connect_string_release(&parsed);
    if (err != ZK_OK)
        bench_target_release(target);
    return err;
}

void bench_target_release(struct bench_target *target)
{
    for (size_t i = 0; i < target->count; i++)
        memory_free(target->servers[i].host);
    memory_free(target->servers);
    memory_free(target->chroot);
    tls_context_unref(target->tls);
    *target = (struct bench_target){0};
}
