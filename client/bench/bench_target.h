/* Whom sessions are with: addresses, certificates, time-out. Fixed once made; any thread. */
#ifndef ZKC_CLIENT_BENCH_TARGET_H
#define ZKC_CLIENT_BENCH_TARGET_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/error.h"
#include "common/config/properties.h"
#include "common/net/address.h"
#include "common/net/tls_context.h"

struct bench_server {
    struct address address;
    char *host;    /* as it was given, for TLS */
};
struct bench_target {
    struct bench_server *servers;
    size_t count;
    char *chroot;               /* NULL: none */
    struct tls_context *tls;    /* NULL: plain */
    int32_t timeout_ms;         /* that sessions ask for */
};

/* Looks the hosts up. `properties` as those of zkcli: zookeeper.client.secure, zookeeper.ssl.*. */
int bench_target_init(struct bench_target *target, const char *servers, int32_t timeout_ms,
                      const struct properties *properties, struct error *error);
void bench_target_release(struct bench_target *target);

#endif
