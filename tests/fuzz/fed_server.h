/* A server of an ensemble for fuzz targets, of five, the fourth of which observes, on files made anew for each
 * input. */
#ifndef ZKC_TESTS_FUZZ_FED_SERVER_H
#define ZKC_TESTS_FUZZ_FED_SERVER_H

#include "server/quorum/quorum_self.h"
#include "server/zookeeper_server.h"

/* What it has logged: nothing, the first of epoch 1, or many of that epoch. */
enum fed_base { FED_NOTHING, FED_LITTLE, FED_MUCH, FED_BASE_COUNT };
enum { FED_LITTLE_TXNS = 3, FED_MUCH_TXNS = 100, FED_LEADER = 3, FED_FOLLOWER = 1, FED_OBSERVER = 4 };

struct fed_server {
    struct server_options options;
    struct zookeeper_server *server;
    struct server_core *core;
    struct quorum_self self;
    struct epoch_files *epochs;
    _Atomic bool has_failed;    /* its process would have ended */
};
/* Makes server and self, loaded; no role yet. */
void fed_server_make(struct fed_server *fed, enum fed_base base, int64_t id, bool reconfig_enabled, bool sync_enabled);
void fed_server_release(struct fed_server *fed);

#endif
