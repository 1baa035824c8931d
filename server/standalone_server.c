/*
 * standalone_server.c - the role of a server without others: PREP - SYNC - final.
 *
 * Mirrors ZooKeeperServer.loadData and setupRequestProcessors, and ZooKeeperServerMain.runFromConfig.
 *
 *   bind -> load, end what died sessions left -> chain, tracker, timers -> connections; shutdown: the same backwards
 * Departs from Java: connections are accepted once the data is loaded (until then they wait in the backlog), and no
 * snapshot is written at the start when there was nothing to replay.
 */
#include <assert.h>
#include <inttypes.h>

#include "common/base/clock.h"
#include "common/base/memory.h"
#include "server/request/final_request_processor.h"
#include "server/request/prep_request_processor.h"
#include "server/request/sync_request_processor.h"
#include "server/zookeeper_server_parts.h"

static const struct role_ops standalone_ops = {.state_name = "standalone"};

/* createSessionTracker */
static struct session_tracker *create_session_tracker(struct server_role *role, struct zookeeper_server *server)
{
    (void)role;
    struct server_core *core = &server->core;
    return session_tracker_impl_new(&server->expirer, zk_database_sessions(core->database),
                                    (int32_t)server->options->tick_time, core->server_id, core->metrics);
}

/* Pings do not go through the chain, so that nobody takes a slow disk or a huge transaction for a dead server. */
static struct request_processor *setup_request_processors(struct server_role *role, struct zookeeper_server *server)
{
    struct standalone_role *standalone = container_of(role, struct standalone_role, role);
    struct server_core *core = &server->core;
    standalone->final = final_request_processor_new(core);
    server->pings = standalone->final;
    standalone->sync = sync_request_processor_start(core, standalone->final, standalone->snapshot_is_due);
    standalone->prep = prep_request_processor_start(core, zookeeper_server_client_port(server), standalone->sync);
    return standalone->prep;
}

static void shutdown_processors(struct server_role *role)
{
    struct standalone_role *standalone = container_of(role, struct standalone_role, role);
    standalone->prep->shutdown(standalone->prep);
}

static void free_processors(struct server_role *role)
{
    struct standalone_role *standalone = container_of(role, struct standalone_role, role);
    standalone->prep->free(standalone->prep);
    standalone->sync->free(standalone->sync);
    standalone->final->free(standalone->final);
}

static const struct role_life standalone_life = {
    .create_session_tracker = create_session_tracker,
    .setup_request_processors = setup_request_processors,
    .shutdown_processors = shutdown_processors,
    .free_processors = free_processors,
    .has_session_tracker_thread = true,
    .has_container_manager = true,
};

/* Ephemerals whose session is in no table: their owner died with the server. */
static bool kill_dead_sessions(struct server_core *core)
{
    struct data_tree *tree = zk_database_tree(core->database);
    size_t count;
    int64_t *owners = data_tree_get_sessions(tree, &count);
    bool did = false;
    for (size_t i = 0; i < count; i++) {
        int32_t timeout_ms;
        if (session_table_get(zk_database_sessions(core->database), owners[i], &timeout_ms))
            continue;
        log_info("Removing the ephemeral nodes of session 0x%" PRIx64 ", which is not there any more",
                 (uint64_t)owners[i]);
        struct txn_header header = {owners[i], 0, data_tree_last_processed_zxid(tree), clock_wall_ms(),
                                    OP_CLOSE_SESSION};
        struct txn_body body = {.is_present = false};
        struct process_txn_result result;
        struct arena arena = {0};
        data_tree_process_txn(tree, &header, &body, NULL, &arena, &result);
        arena_release(&arena);
        did = true;
    }
    memory_free(owners);
    return did;
}

/* loadData. A first snapshot must be there before anything is logged, and who removed nodes without a transaction says
 * so at once. Departs from Java: any other, of what was read from the log, is written when clients are served
 * already. */
static int load_data(struct zookeeper_server *server, struct error *error)
{
    struct server_core *core = &server->core;
    int64_t zxid, snapshot_zxid, snapshot_wall_ms;
    int err = zookeeper_server_load(server, &zxid, error);
    if (err != ZK_OK)
        return err;
    bool has_changed = kill_dead_sessions(core);
    file_txn_snap_log_last_snapshot(zk_database_snap_log(core->database), &snapshot_zxid, &snapshot_wall_ms);
    bool is_needed_now = has_changed || (snapshot_zxid < 0 && zxid >= 0);
    server->standalone.snapshot_is_due = !is_needed_now && snapshot_zxid != zxid;
    return is_needed_now ? zk_database_take_snapshot(core->database, error) : ZK_OK;
}

int zookeeper_server_start(struct zookeeper_server *server, int *ret_exit_code, struct error *error)
{
    *ret_exit_code = EXIT_CODE_UNEXPECTED_ERROR;
    int err = zookeeper_server_bind(server, NULL, error);
    if (err == ZK_BAD_CONFIG)
        *ret_exit_code = EXIT_CODE_INVALID_INVOCATION;
    if (err == ZK_OK)
        err = load_data(server, error);
    if (err != ZK_OK)
        return err;
    server->standalone.role.ops = &standalone_ops;
    zookeeper_server_startup(server, &server->standalone.role, &standalone_life);
    zookeeper_server_open(server);
    return ZK_OK;
}

void zookeeper_server_shutdown(struct zookeeper_server *server)
{
    if (server->life == NULL)
        return;
    zookeeper_server_stop_accepting(server);
    zookeeper_server_shutdown_role(server);
    zookeeper_server_close(server);
}
