/*
 * read_only_zookeeper_server.c - the server while it has no quorum.
 *
 * Mirrors org.apache.zookeeper.server.quorum.ReadOnlyZooKeeperServer.
 */
#include "server/quorum/read_only_zookeeper_server.h"

#include <inttypes.h>

#include "common/base/log.h"
#include "common/base/memory.h"
#include "server/quorum/learner_session_tracker.h"
#include "server/quorum/quorum_zookeeper_server.h"
#include "server/quorum/read_only_request_processor.h"
#include "server/request/final_request_processor.h"
#include "server/request/prep_request_processor.h"

struct read_only_zookeeper_server {
    struct quorum_zookeeper_server quorum;    /* first */
    struct request_processor *first, *prep, *final;
};

static struct read_only_zookeeper_server *zks_of(struct server_role *role)
{
    return container_of(role, struct read_only_zookeeper_server, quorum.role);
}

/* ---- as role ---- */

/* Nobody could end a global session here, or hear that it ended elsewhere. */
static int validate_session(struct server_role *role, struct server_cnxn *cnxn, int64_t session_id, struct error *error)
{
    struct session_tracker *tracker = zks_of(role)->quorum.core->session_tracker;
    if (!upgradeable_session_tracker_is_global(tracker, session_id))
        return ZK_OK;
    char peer[ADDRESS_TEXT_SIZE];
    address_format(&cnxn->peer, peer);
    atomic_store(&cnxn->close_reason, DISCONNECT_RENEW_GLOBAL_SESSION_IN_RO_MODE);
    return error_set(error, ZK_NOT_READ_ONLY, "Refusing global session reconnection in RO mode %s", peer);
}

static const struct role_ops read_only_ops = {
    .state_name = "read-only",
    .is_read_only = true,
    .validate_session = validate_session,
    .set_local_session_flag = quorum_zookeeper_server_set_local_session_flag,
    .print_config = quorum_zookeeper_server_print_config,
    .list_values = quorum_zookeeper_server_list_values,
    .list_gauges = quorum_zookeeper_server_list_gauges,
    .print_conf = quorum_zookeeper_server_print_conf,
};

/* ---- life ---- */

static struct session_tracker *create_session_tracker(struct server_role *role, struct zookeeper_server *server)
{
    (void)server;
    struct quorum_tracker_options options = quorum_zookeeper_server_tracker_options(&zks_of(role)->quorum);
    return learner_session_tracker_new(&options);
}

static struct request_processor *setup_request_processors(struct server_role *role, struct zookeeper_server *server)
{
    struct read_only_zookeeper_server *zks = zks_of(role);
    struct server_core *core = zks->quorum.core;
    zks->final = final_request_processor_new(core);
    zks->prep = prep_request_processor_start(core, zookeeper_server_client_port(server), zks->final);
    zks->first = read_only_request_processor_start(core, zks->prep);
    return zks->first;
}

static void shutdown_processors(struct server_role *role)
{
    struct read_only_zookeeper_server *zks = zks_of(role);
    zks->first->shutdown(zks->first);
}

static void free_processors(struct server_role *role)
{
    struct read_only_zookeeper_server *zks = zks_of(role);
    zks->first->free(zks->first);
    zks->prep->free(zks->prep);
    zks->final->free(zks->final);
}

static const struct role_life read_only_life = {
    .create_session_tracker = create_session_tracker,
    .setup_request_processors = setup_request_processors,
    .shutdown_processors = shutdown_processors,
    .free_processors = free_processors,
    .has_session_tracker_thread = true,    /* of its local sessions, if it has any */
};

struct read_only_zookeeper_server *read_only_zookeeper_server_new(struct quorum_self *self,
                                                                  struct zookeeper_server *server)
{
    struct read_only_zookeeper_server *zks = MEMORY_NEW(struct read_only_zookeeper_server);
    quorum_zookeeper_server_init(&zks->quorum, &read_only_ops, self, server);
    return zks;
}

void read_only_zookeeper_server_startup(struct read_only_zookeeper_server *zks)
{
    zookeeper_server_startup(zks->quorum.server, &zks->quorum.role, &read_only_life);
    log_info("Read-only server started");
}

void read_only_zookeeper_server_free(struct read_only_zookeeper_server *zks)
{
    memory_free(zks);
}
