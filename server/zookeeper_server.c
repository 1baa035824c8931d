/*
 * zookeeper_server.c - a server's life: opening its data, starting chain and threads, coming down.
 *
 * Mirrors ZooKeeperServer (startdata, startup, shutdown, expire) and ZooKeeperServerMain.runFromConfig for a server that
 * stands alone.
 *
 *   new: data directories -> start: load, bind, chain, tracker, timers, connections -> shutdown: the same backwards
 * Departs from Java: connections are accepted once the data is loaded (until then they wait in the backlog), and no
 * snapshot is written at the start when there was nothing to replay.
 */
#include "server/zookeeper_server.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/memory.h"
#include "server/request/final_request_processor.h"
#include "server/request/prep_request_processor.h"
#include "server/request/sync_request_processor.h"
#include "server/zookeeper_server_parts.h"

static const struct role_ops standalone_role = {
    .state_name = "standalone",
    .is_read_only = false,
    .has_reconfig = false,
};

static struct zookeeper_server *server_of_core(struct server_core *core)
{
    return container_of(core, struct zookeeper_server, core);
}

/* ---- upcalls ---- */

static void core_finish_session_init(struct server_core *core, struct server_cnxn *cnxn, bool is_valid)
{
    session_connect_finish(server_of_core(core), cnxn, is_valid);
}

static bool core_close_session(struct server_core *core, int64_t session_id, enum disconnect_reason reason)
{
    struct zookeeper_server *server = server_of_core(core);
    if (server->factory != NULL && server_cnxn_factory_close_session(server->factory, session_id, reason))
        return true;
    return server->secure_factory != NULL &&
           server_cnxn_factory_close_session(server->secure_factory, session_id, reason);
}

static void core_flush_connections(struct server_core *core)
{
    struct zookeeper_server *server = server_of_core(core);
    if (server->factory != NULL)
        server_cnxn_factory_flush(server->factory);
    if (server->secure_factory != NULL)
        server_cnxn_factory_flush(server->secure_factory);
}

static void core_fail(struct server_core *core, int exit_code, const struct error *error)
{
    struct zookeeper_server *server = server_of_core(core);
    if (atomic_exchange(&core->has_failed, true))
        return;
    log_error("Severe unrecoverable error, exiting: %s", error->text);
    server_metrics_count(core->metrics, METRIC_UNRECOVERABLE_ERROR_COUNT, 1);
    atomic_store(&server->state, SERVER_ERROR);
    if (server->failure != NULL)
        server->failure->failed(server->failure, exit_code);
}

static const struct core_callbacks callbacks = {
    .finish_session_init = core_finish_session_init,
    .close_session = core_close_session,
    .flush_connections = core_flush_connections,
    .fail = core_fail,
};

static void expire(struct session_expirer *self, int64_t session_id, int32_t timeout_ms)
{
    struct zookeeper_server *server = container_of(self, struct zookeeper_server, expirer);
    log_info("Expiring session 0x%" PRIx64 ", timeout of %dms exceeded", (uint64_t)session_id, timeout_ms);
    zookeeper_server_submit(server, request_new_internal(session_id, OP_CLOSE_SESSION, (struct slice){NULL, 0}));
    request_processor_flush(server->first);
}

/* For ContainerManager, which knows the core only. */
struct container_intake {
    struct container_sink sink;
    struct zookeeper_server *server;
};

static void submit_container_request(struct container_sink *self, struct request *request)
{
    struct zookeeper_server *server = container_of(self, struct container_intake, sink)->server;
    zookeeper_server_submit(server, request);
    request_processor_flush(server->first);
}

/* ---- making ---- */

static struct file_txn_snap_log_options snap_log_options(const struct server_options *options)
{
    struct txn_rules rules = {options->close_session_txn_enabled, options->digest_enabled};
    int32_t limit = (int32_t)(options->jute_maxbuffer + options->jute_maxbuffer_extrasize);
    enum snap_compression compression = SNAP_PLAIN;
    if (options->snapshot_compression_method != NULL)
        snap_compression_parse(options->snapshot_compression_method, &compression);
    return (struct file_txn_snap_log_options){
        .data_dir_autocreate = options->datadir_autocreate,
        .db_autocreate = options->db_autocreate,
        .trust_empty_snapshot = options->snapshot_trust_empty,
        .log = {.pre_alloc_size = options->pre_alloc_size * 1024,
                .size_limit = options->txn_log_size_limit_in_kb <= 0 ? -1 : options->txn_log_size_limit_in_kb * 1024,
                .force_sync = options->force_sync,
                .fsync_warning_threshold_ms = options->fsync_warningthresholdms,
                .max_record_size = INT32_MAX,
                .rules = rules},
        .snap = {.compression = compression,
                 .serialize_last_processed_zxid = options->serialize_last_processed_zxid_enabled,
                 .limit = limit},
    };
}

/* enforce.auth.schemes, each of which must be there. */
static int read_enforced_schemes(struct zookeeper_server *server, struct error *error)
{
    const struct server_options *options = server->options;
    if (!options->enforce_auth_enabled)
        return ZK_OK;
    if (options->enforce_auth_schemes == NULL || options->enforce_auth_schemes[0] == '\0')
        return error_set(error, ZK_BAD_CONFIG,
                         "enforce.auth.enabled is true, so enforce.auth.schemes must name at least one scheme");
    char *text = string_copy(options->enforce_auth_schemes), *rest = text, *item;
    int err = ZK_OK;
    while (err == ZK_OK && (item = strsep(&rest, ",")) != NULL) {
        char *scheme = string_trim(item);
        if (provider_registry_find(server->core.providers, ustring_of(scheme)) == NULL) {
            err = error_set(error, ZK_BAD_CONFIG, "enforce.auth.schemes: scheme %s is not available", scheme);
            break;
        }
        server->enforced_schemes = memory_realloc(
            server->enforced_schemes, (server->enforced_scheme_count + 1) * sizeof server->enforced_schemes[0]);
        server->enforced_schemes[server->enforced_scheme_count++] = string_copy(scheme);
    }
    memory_free(text);
    return err;
}

static void fill_core(struct zookeeper_server *server)
{
    const struct server_options *options = server->options;
    struct server_core *core = &server->core;
    core->options = options;
    core->role = &standalone_role;
    core->callbacks = &callbacks;
    core->server_id = 0;
    core->metrics = server_metrics_new();
    server_stats_init(&core->stats);
    core->outstanding_changes = outstanding_changes_new(core->metrics);
    core->jute_limit = (int32_t)(options->jute_maxbuffer + options->jute_maxbuffer_extrasize);
    core->ephemeral_rules = (struct ephemeral_rules){options->extended_types_enabled, options->emulate353_ttl_nodes};
    core->digest_enabled = options->digest_enabled;
    core->close_session_txn_enabled = options->close_session_txn_enabled;
    core->skip_acl = options->skip_acl;
    core->enforce_quota = options->enforce_quota;
    core->quota_limiter = &server->quota;
    if (core->skip_acl)
        log_info("skipACL==\"yes\", ACL checks will be skipped");
}

static int open_data(struct zookeeper_server *server, struct error *error)
{
    const struct server_options *options = server->options;
    struct server_core *core = &server->core;
    struct file_txn_snap_log_options log_options = snap_log_options(options);
    struct file_txn_snap_log *snap_log;
    int err = file_txn_snap_log_open(options->data_dir, options->data_log_dir, &log_options, core->metrics,
                                     &core->stats, &snap_log, error);
    if (err != ZK_OK)
        return err;
    struct data_tree_options tree_options = {core->ephemeral_rules, core->digest_enabled};
    core->database = zk_database_new(snap_log, &tree_options, (size_t)options->commit_log_count, core->metrics);
    return ZK_OK;
}

int zookeeper_server_new(const struct server_options *options, struct four_letter_hook *four_letter,
                         struct failure_hook *failure, struct zookeeper_server **ret_server, int *ret_exit_code,
                         struct error *error)
{
    struct zookeeper_server *server = MEMORY_NEW(struct zookeeper_server);
    server->sink.ops = &client_packets_ops;
    server->expirer.expire = expire;
    server->options = options;
    server->four_letter = four_letter;
    server->failure = failure;
    zookeeper_server_reload(server);
    fill_core(server);
    *ret_exit_code = EXIT_CODE_INVALID_INVOCATION;
    int err = provider_registry_new(options, &server->core.providers, error);
    if (err == ZK_OK)
        err = read_enforced_schemes(server, error);
    if (err == ZK_OK) {
        *ret_exit_code = EXIT_CODE_UNABLE_TO_ACCESS_DATADIR;
        err = open_data(server, error);
    }
    if (err != ZK_OK) {
        zookeeper_server_free(server);
        return err;
    }
    *ret_server = server;
    return ZK_OK;
}

/* ---- start ---- */

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

/* loadData */
static int load_data(struct zookeeper_server *server, struct error *error)
{
    struct server_core *core = &server->core;
    int64_t zxid, snapshot_zxid, snapshot_wall_ms, start_ms = clock_elapsed_ms();
    int err = zk_database_load(core->database, &zxid, error);
    if (err != ZK_OK)
        return err;
    bool has_changed = kill_dead_sessions(core);
    atomic_store(&core->zxid, zxid < 0 ? 0 : zxid);
    file_txn_snap_log_last_snapshot(zk_database_snap_log(core->database), &snapshot_zxid, &snapshot_wall_ms);
    if (has_changed || snapshot_zxid != zxid)
        err = zk_database_take_snapshot(core->database, error);
    int64_t elapsed_ms = clock_elapsed_ms() - start_ms;
    log_info("Data loaded in %" PRId64 " ms: %zu nodes, %zu sessions, last zxid 0x%" PRIx64, elapsed_ms,
             data_tree_node_count(zk_database_tree(core->database)),
             session_table_count(zk_database_sessions(core->database)), (uint64_t)atomic_load(&core->zxid));
    return err;
}

static int client_address(const struct server_options *options, struct address *ret_address, struct error *error)
{
    uint16_t port = (uint16_t)options->client_port;
    if (options->client_port_address == NULL) {
        address_any(port, ret_address);
        return ZK_OK;
    }
    size_t count;
    return address_resolve(options->client_port_address, port, ret_address, 1, &count, error);
}

static int bind_client_port(struct zookeeper_server *server, struct error *error)
{
    struct address address;
    int err = client_address(server->options, &address, error);
    if (err != ZK_OK)
        return err;
    return server_cnxn_factory_new(server->options, &address, &server->sink, server->core.metrics,
                                   &server->core.stats, &server->factory, error);
}

/* setupRequestProcessors: PREP - SYNC - final */
static void compose_chain(struct zookeeper_server *server)
{
    struct server_core *core = &server->core;
    server->final = final_request_processor_new(core);
    server->sync = sync_request_processor_start(core, server->final);
    server->first = prep_request_processor_start(core, zookeeper_server_client_port(server), server->sync);
}

static void start_timers(struct zookeeper_server *server)
{
    struct container_intake *intake = MEMORY_NEW(struct container_intake);
    intake->sink.submit = submit_container_request;
    intake->server = server;
    server->container_sink = &intake->sink;
    server->container_manager = container_manager_start(&server->core, server->container_sink);
    server->cleanup_manager = datadir_cleanup_manager_start(server->options);
}

int zookeeper_server_start(struct zookeeper_server *server, int *ret_exit_code, struct error *error)
{
    struct server_core *core = &server->core;
    *ret_exit_code = EXIT_CODE_UNEXPECTED_ERROR;
    int err = bind_client_port(server, error);
    if (err == ZK_OK)
        err = load_data(server, error);
    if (err != ZK_OK)
        return err;
    core->session_tracker =
        session_tracker_impl_new(&server->expirer, zk_database_sessions(core->database),
                                 (int32_t)server->options->tick_time, core->server_id, core->metrics);
    compose_chain(server);
    atomic_store(&server->state, SERVER_RUNNING);
    core->session_tracker->ops->start(core->session_tracker);
    start_timers(server);
    log_info("Serving clients on port %d, mode: %s", zookeeper_server_client_port(server), core->role->state_name);
    server_cnxn_factory_start(server->factory);
    return ZK_OK;
}

/* ---- coming down ---- */

void zookeeper_server_shutdown(struct zookeeper_server *server)
{
    int state = atomic_load(&server->state);
    if (state != SERVER_RUNNING && state != SERVER_ERROR)
        return;
    log_info("Shutting down");
    struct server_core *core = &server->core;
    server_cnxn_factory_stop_accepting(server->factory);                        /* (1) */
    container_manager_stop(server->container_manager);
    server->container_manager = NULL;
    core->session_tracker->ops->shutdown(core->session_tracker);                /* (2) */
    atomic_store(&server->state, SERVER_SHUTDOWN);                              /* connections bring nothing more */
    server->first->shutdown(server->first);                                     /* (4) */
    server_cnxn_factory_shutdown(server->factory);                              /* (7) */
    datadir_cleanup_manager_stop(server->cleanup_manager);                      /* (8) */
    server->cleanup_manager = NULL;
    log_info("Shut down, last zxid 0x%" PRIx64, (uint64_t)atomic_load(&core->zxid));
}

void zookeeper_server_reload(struct zookeeper_server *server)
{
    const struct server_options *options = server->options;
    atomic_store(&server->min_session_timeout_ms, (int32_t)options->min_session_timeout);
    atomic_store(&server->max_session_timeout_ms, (int32_t)options->max_session_timeout);
    atomic_store(&server->global_outstanding_limit, options->global_outstanding_limit);
    if (server->factory != NULL)
        server_cnxn_factory_reload(server->factory);
}

static void free_processor(struct request_processor *processor)
{
    if (processor != NULL)
        processor->free(processor);
}

void zookeeper_server_free(struct zookeeper_server *server)
{
    if (server == NULL)
        return;
    struct server_core *core = &server->core;
    assert(atomic_load(&server->state) != SERVER_RUNNING);
    free_processor(server->first);
    free_processor(server->sync);
    free_processor(server->final);
    server_cnxn_factory_free(server->factory);
    server_cnxn_factory_free(server->secure_factory);
    if (core->session_tracker != NULL)
        core->session_tracker->ops->free(core->session_tracker);
    outstanding_changes_free(core->outstanding_changes);
    zk_database_free(core->database);
    provider_registry_free(core->providers);
    server_metrics_free(core->metrics);
    for (size_t i = 0; i < server->enforced_scheme_count; i++)
        memory_free(server->enforced_schemes[i]);
    memory_free(server->enforced_schemes);
    memory_free(server->container_sink);
    memory_free(server);
}

/* ---- questions ---- */

enum server_state zookeeper_server_state(struct zookeeper_server *server)
{
    return (enum server_state)atomic_load(&server->state);
}

bool zookeeper_server_is_running(struct zookeeper_server *server)
{
    return atomic_load(&server->state) == SERVER_RUNNING;
}

struct server_core *zookeeper_server_core(struct zookeeper_server *server)
{
    return &server->core;
}

struct server_cnxn_factory *zookeeper_server_factory(struct zookeeper_server *server)
{
    return server->factory;
}

struct server_cnxn_factory *zookeeper_server_secure_factory(struct zookeeper_server *server)
{
    return server->secure_factory;
}

int zookeeper_server_client_port(struct zookeeper_server *server)
{
    return server->factory == NULL ? -1 : server_cnxn_factory_local_port(server->factory);
}

int zookeeper_server_secure_client_port(struct zookeeper_server *server)
{
    return server->secure_factory == NULL ? -1 : server_cnxn_factory_local_port(server->secure_factory);
}

int32_t zookeeper_server_min_session_timeout(struct zookeeper_server *server)
{
    return atomic_load(&server->min_session_timeout_ms);
}

int32_t zookeeper_server_max_session_timeout(struct zookeeper_server *server)
{
    return atomic_load(&server->max_session_timeout_ms);
}

size_t zookeeper_server_connection_count(struct zookeeper_server *server)
{
    size_t count = server->factory == NULL ? 0 : server_cnxn_factory_connection_count(server->factory);
    return count + (server->secure_factory == NULL ? 0 : server_cnxn_factory_connection_count(server->secure_factory));
}

int64_t zookeeper_server_data_dir_size(struct zookeeper_server *server)
{
    return directory_size(file_txn_snap_log_snap_dir(zk_database_snap_log(server->core.database)));
}

int64_t zookeeper_server_log_dir_size(struct zookeeper_server *server)
{
    return directory_size(file_txn_snap_log_data_log_dir(zk_database_snap_log(server->core.database)));
}
