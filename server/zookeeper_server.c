/*
 * zookeeper_server.c - a server's life: opening its data, taking on a role and laying it down, coming down.
 *
 * Mirrors ZooKeeperServer (startdata, startup, shutdown, expire). Which chain and tracker a role has is the role's; see
 * standalone_server.c and server/quorum.
 * (1) No request enters a chain unless the state is RUNNING, and none is in one when it is freed: connections hold
 *     role_lock for reading while they hand something in, and freeing takes it for writing.
 * (2) Between two roles no connection has a session, so no watch is left from the one before.
 */
#include "server/zookeeper_server.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/memory.h"
#include "server/request/response_cache.h"
#include "server/zookeeper_server_parts.h"

static const struct role_ops idle_role = {.state_name = "none"};

struct zookeeper_server *zookeeper_server_of(struct server_core *core)
{
    return container_of(core, struct zookeeper_server, core);
}

/* ---- upcalls ---- */

static void core_finish_session_init(struct server_core *core, struct server_cnxn *cnxn, bool is_valid)
{
    session_connect_finish(zookeeper_server_of(core), cnxn, is_valid);
}

static bool core_close_session(struct server_core *core, int64_t session_id, enum disconnect_reason reason)
{
    struct zookeeper_server *server = zookeeper_server_of(core);
    if (server->factory != NULL && server_cnxn_factory_close_session(server->factory, session_id, reason))
        return true;
    return server->secure_factory != NULL &&
           server_cnxn_factory_close_session(server->secure_factory, session_id, reason);
}

static void core_flush_connections(struct server_core *core)
{
    struct zookeeper_server *server = zookeeper_server_of(core);
    if (server->factory != NULL)
        server_cnxn_factory_flush(server->factory);
    if (server->secure_factory != NULL)
        server_cnxn_factory_flush(server->secure_factory);
}

static void core_fail(struct server_core *core, int exit_code, const struct error *error)
{
    struct zookeeper_server *server = zookeeper_server_of(core);
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
    zookeeper_server_flush(server);
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
    zookeeper_server_flush(server);
}

/* ---- making ---- */

static struct file_txn_snap_log_options snap_log_options(const struct server_options *options)
{
    struct txn_rules rules = {.digest_enabled = options->digest_enabled};
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

static void fill_core(struct zookeeper_server *server, int64_t server_id)
{
    const struct server_options *options = server->options;
    struct server_core *core = &server->core;
    core->options = options;
    server->idle.ops = &idle_role;
    core->role = &server->idle;
    core->callbacks = &callbacks;
    core->server_id = server_id;
    core->metrics = server_metrics_new();
    server_stats_init(&core->stats);
    core->jute_limit = (int32_t)(options->jute_maxbuffer + options->jute_maxbuffer_extrasize);
    core->ephemeral_rules = (struct ephemeral_rules){options->extended_types_enabled, options->emulate353_ttl_nodes};
    core->digest_enabled = options->digest_enabled;
    core->close_session_txn_enabled = options->close_session_txn_enabled;
    if (!core->close_session_txn_enabled)
        log_warn("closeSessionTxn.enabled is false: after a start from a snapshot the parents of ephemerals may differ "
                 "between servers (ZOOKEEPER-3145)");
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

int zookeeper_server_new(const struct server_options *options, int64_t server_id, struct four_letter_hook *four_letter,
                         struct failure_hook *failure, struct zookeeper_server **ret_server, int *ret_exit_code,
                         struct error *error)
{
    struct zookeeper_server *server = MEMORY_NEW(struct zookeeper_server);
    server->sink.ops = &client_packets_ops;
    server->expirer.expire = expire;
    server->options = options;
    server->four_letter = four_letter;
    server->failure = failure;
    client_packets_init_intake(&server->intake);
    server->requests = block_pool_new(sizeof(struct request));
    rw_lock_init(&server->role_lock);
    blue_throttle_init(&server->connection_throttle, options, clock_elapsed_ms());
    fill_core(server, server_id);
    zookeeper_server_reload(server);
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

/* ---- opening ---- */

int zookeeper_server_load(struct zookeeper_server *server, int64_t *ret_zxid, struct error *error)
{
    struct server_core *core = &server->core;
    int64_t zxid, start_ms = clock_elapsed_ms();
    int err = zk_database_load(core->database, &zxid, error);
    if (err != ZK_OK)
        return err;
    atomic_store(&core->zxid, zxid < 0 ? 0 : zxid);
    log_info("Data loaded in %" PRId64 " ms: %zu nodes, %zu sessions, last zxid 0x%" PRIx64,
             clock_elapsed_ms() - start_ms, data_tree_node_count(zk_database_tree(core->database)),
             session_table_count(zk_database_sessions(core->database)), (uint64_t)zxid);
    *ret_zxid = zxid;
    return ZK_OK;
}

/* All addresses where no host is named. */
static int configured_address(const char *host, int64_t port, struct address *ret_address, struct error *error)
{
    size_t count;
    if (host != NULL)
        return address_resolve(host, (uint16_t)port, ret_address, 1, &count, error);
    address_any((uint16_t)port, ret_address);
    return ZK_OK;
}

static int bind_port(struct zookeeper_server *server, const struct address *address, bool is_secure,
                     struct server_cnxn_factory **ret_factory, struct error *error)
{
    int err = server_cnxn_factory_new(server->options, address, &server->sink, server->core.metrics,
                                      &server->core.stats, ret_factory, error);
    bool is_unified = !is_secure && server->options->client_port_unification;
    if (err == ZK_OK && (is_secure || is_unified))
        server_cnxn_factory_use_tls(*ret_factory, server->tls, is_unified);
    return err;
}

static int bind_plain(struct zookeeper_server *server, const struct address *address, struct error *error)
{
    const struct server_options *options = server->options;
    struct address configured;
    int err = ZK_OK;
    if (address == NULL && options->client_port < 0)
        return ZK_OK;
    if (address == NULL)
        err = configured_address(options->client_port_address, options->client_port, &configured, error);
    return err == ZK_OK ? bind_port(server, address == NULL ? &configured : address, false, &server->factory, error)
                        : err;
}

static int bind_secure(struct zookeeper_server *server, struct error *error)
{
    const struct server_options *options = server->options;
    struct address address;
    if (options->secure_client_port < 0)
        return ZK_OK;
    int err = configured_address(options->secure_client_port_address, options->secure_client_port, &address, error);
    return err == ZK_OK ? bind_port(server, &address, true, &server->secure_factory, error) : err;
}

int zookeeper_server_bind(struct zookeeper_server *server, const struct address *address, struct error *error)
{
    int err = server_tls_is_wanted(server->options) ? server_tls_new(server->options, &server->tls, error) : ZK_OK;
    if (err == ZK_OK)
        err = bind_plain(server, address, error);
    return err == ZK_OK ? bind_secure(server, error) : err;
}

int zookeeper_server_rebind(struct zookeeper_server *server, const struct address *address, struct error *error)
{
    return server->factory == NULL ? ZK_OK : server_cnxn_factory_rebind(server->factory, address, error);
}

void zookeeper_server_open(struct zookeeper_server *server)
{
    server->cleanup_manager = datadir_cleanup_manager_start(server->options);
    server->is_open = true;
    if (server->tls != NULL && server->options->client_cert_reload)
        server_tls_watch_files(server->tls);
    if (server->factory != NULL)
        server_cnxn_factory_start(server->factory);
    if (server->secure_factory != NULL)
        server_cnxn_factory_start(server->secure_factory);
}

void zookeeper_server_stop_accepting(struct zookeeper_server *server)
{
    if (server->factory != NULL)
        server_cnxn_factory_stop_accepting(server->factory);
    if (server->secure_factory != NULL)
        server_cnxn_factory_stop_accepting(server->secure_factory);
}

/* ---- a role comes ---- */

/* Under the role lock. */
static void set_outstanding_limit(struct zookeeper_server *server)
{
    struct server_role *role = server->core.role;
    int64_t limit = server->options->global_outstanding_limit;
    if (role->ops->global_outstanding_limit != NULL)
        limit = role->ops->global_outstanding_limit(role, limit);
    atomic_store(&server->global_outstanding_limit, limit);
}

static void start_container_manager(struct zookeeper_server *server)
{
    struct container_intake *intake = MEMORY_NEW(struct container_intake);
    intake->sink.submit = submit_container_request;
    intake->server = server;
    server->container_sink = &intake->sink;
    server->container_manager = container_manager_start(&server->core, server->container_sink);
}

void zookeeper_server_create_session_tracker(struct zookeeper_server *server, struct server_role *role,
                                             const struct role_life *life)
{
    struct server_core *core = &server->core;
    assert(core->session_tracker == NULL && server->life == NULL);
    struct session_tracker *tracker = life->create_session_tracker(role, server);
    rw_lock_write(&server->role_lock);
    core->session_tracker = tracker;
    rw_lock_unlock_write(&server->role_lock);
}

void zookeeper_server_startup(struct zookeeper_server *server, struct server_role *role, const struct role_life *life)
{
    struct server_core *core = &server->core;
    assert(server->life == NULL && atomic_load(&server->state) != SERVER_RUNNING);
    if (core->session_tracker == NULL)
        zookeeper_server_create_session_tracker(server, role, life);
    server_stats_restart(&core->stats);
    rw_lock_write(&server->role_lock);
    server->life = life;
    core->role = role;
    core->outstanding_changes = outstanding_changes_new(core->metrics);
    core->data_responses =
        response_cache_new("getData", server->options->max_response_cache_size, core->metrics,
                           METRIC_RESPONSE_PACKET_CACHE_HITS, METRIC_RESPONSE_PACKET_CACHE_MISSING);
    core->children_responses =
        response_cache_new("getChildren", server->options->max_get_children_response_cache_size, core->metrics,
                           METRIC_RESPONSE_PACKET_GET_CHILDREN_CACHE_HITS,
                           METRIC_RESPONSE_PACKET_GET_CHILDREN_CACHE_MISSING);
    atomic_store(&core->requests_in_process, 0);
    server->first = life->setup_request_processors(role, server);
    if (request_throttler_is_wanted(server->options))
        core->throttler = request_throttler_start(core, &server->intake);
    set_outstanding_limit(server);
    atomic_store(&server->refuses_clients, role->ops->refuses_clients != NULL && role->ops->refuses_clients(role));
    if (!atomic_load(&core->has_failed))
        atomic_store(&server->state, SERVER_RUNNING);
    rw_lock_unlock_write(&server->role_lock);
    if (life->has_session_tracker_thread)
        core->session_tracker->ops->start(core->session_tracker);
    if (life->has_container_manager)
        start_container_manager(server);
    log_info("Serving clients on port %d, mode: %s", zookeeper_server_client_port(server), role->ops->state_name);
    if (server->secure_factory != NULL)
        log_info("Serving clients with TLS on port %d", zookeeper_server_secure_client_port(server));
}

/* ---- and goes ---- */

static void close_connections(struct zookeeper_server *server)
{
    if (server->factory != NULL)
        server_cnxn_factory_close_all(server->factory, DISCONNECT_SERVER_SHUTDOWN);
    if (server->secure_factory != NULL)
        server_cnxn_factory_close_all(server->secure_factory, DISCONNECT_SERVER_SHUTDOWN);
}

static void wait_for_sessions(struct zookeeper_server *server)
{
    if (!server->is_open)
        return;
    if (server->factory != NULL)
        server_cnxn_factory_wait_for_sessions(server->factory);
    if (server->secure_factory != NULL)
        server_cnxn_factory_wait_for_sessions(server->secure_factory);
}

/* Nobody is in the chain, and nobody can come in. */
static void free_role(struct zookeeper_server *server, struct server_role *role)
{
    struct server_core *core = &server->core;
    rw_lock_write(&server->role_lock);
    const struct role_life *life = server->life;
    server->life = NULL;
    server->first = server->pings = NULL;
    core->role = &server->idle;
    if (life != NULL)
        life->free_processors(role);
    request_throttler_free(core->throttler);
    core->throttler = NULL;
    outstanding_changes_free(core->outstanding_changes);
    core->outstanding_changes = NULL;
    response_cache_free(core->data_responses);
    response_cache_free(core->children_responses);
    core->data_responses = core->children_responses = NULL;
    if (core->session_tracker != NULL)
        core->session_tracker->ops->free(core->session_tracker);
    core->session_tracker = NULL;
    rw_lock_unlock_write(&server->role_lock);
}

/* What waits in front of the chain goes on first, where that can still come to something: alone, with nothing
 * broken. */
static void stop_throttler(struct zookeeper_server *server)
{
    struct server_core *core = &server->core;
    bool is_hopeless = core->role->ops->has_consensus || atomic_load(&core->has_failed);
    if (core->throttler != NULL)
        request_throttler_shutdown(core->throttler,
                                   is_hopeless ? 0 : server->options->request_throttler_shutdown_timeout);
}

void zookeeper_server_shutdown_role(struct zookeeper_server *server)
{
    struct server_core *core = &server->core;
    const struct role_life *life = server->life;
    struct server_role *role = core->role;
    int running = SERVER_RUNNING;
    stop_throttler(server);
    atomic_compare_exchange_strong(&server->state, &running, SERVER_SHUTDOWN);    /* (1) */
    if (life == NULL) {
        free_role(server, role);    /* a tracker may have been made for a role that never served */
        return;
    }
    log_info("Shutting down");
    close_connections(server);
    container_manager_stop(server->container_manager);
    server->container_manager = NULL;
    memory_free(server->container_sink);
    server->container_sink = NULL;
    if (life->has_session_tracker_thread)
        core->session_tracker->ops->shutdown(core->session_tracker);
    life->shutdown_processors(role);
    rw_lock_write(&server->role_lock);      /* whoever was handing something in is out again */
    rw_lock_unlock_write(&server->role_lock);
    close_connections(server);              /* those that came to a session just before the end */
    wait_for_sessions(server);              /* (2) */
    free_role(server, role);
    log_info("Shut down, last zxid 0x%" PRIx64,
             (uint64_t)data_tree_last_processed_zxid(zk_database_tree(core->database)));
}

void zookeeper_server_close(struct zookeeper_server *server)
{
    if (server->is_open && server->factory != NULL)
        server_cnxn_factory_shutdown(server->factory);
    if (server->is_open && server->secure_factory != NULL)
        server_cnxn_factory_shutdown(server->secure_factory);
    server->is_open = false;
    datadir_cleanup_manager_stop(server->cleanup_manager);
    server->cleanup_manager = NULL;
}

void zookeeper_server_reload(struct zookeeper_server *server)
{
    const struct server_options *options = server->options;
    atomic_store(&server->min_session_timeout_ms, (int32_t)options->min_session_timeout);
    atomic_store(&server->max_session_timeout_ms, (int32_t)options->max_session_timeout);
    rw_lock_read(&server->role_lock);
    set_outstanding_limit(server);
    rw_lock_unlock_read(&server->role_lock);
    if (server->factory != NULL)
        server_cnxn_factory_reload(server->factory);
    if (server->secure_factory != NULL)
        server_cnxn_factory_reload(server->secure_factory);
    if (server->tls != NULL)
        server_tls_reload(server->tls, options);
}

void zookeeper_server_free(struct zookeeper_server *server)
{
    if (server == NULL)
        return;
    struct server_core *core = &server->core;
    assert(atomic_load(&server->state) != SERVER_RUNNING && server->life == NULL && !server->is_open);
    server_cnxn_factory_free(server->factory);
    server_cnxn_factory_free(server->secure_factory);
    server_tls_free(server->tls);
    zk_database_free(core->database);
    provider_registry_free(core->providers);
    server_metrics_free(core->metrics);
    for (size_t i = 0; i < server->enforced_scheme_count; i++)
        memory_free(server->enforced_schemes[i]);
    memory_free(server->enforced_schemes);
    blue_throttle_release(&server->connection_throttle);
    block_pool_close(server->requests);
    rw_lock_release(&server->role_lock);
    memory_free(server);
}

/* ---- questions ---- */

double zookeeper_server_connection_drop_chance(struct zookeeper_server *server)
{
    return blue_throttle_drop_chance(&server->connection_throttle);
}

enum server_state zookeeper_server_state(struct zookeeper_server *server)
{
    return (enum server_state)atomic_load(&server->state);
}

bool zookeeper_server_is_running(struct zookeeper_server *server)
{
    return atomic_load(&server->state) == SERVER_RUNNING;
}

bool zookeeper_server_takes_clients(struct zookeeper_server *server)
{
    return zookeeper_server_is_running(server) && !atomic_load(&server->refuses_clients);
}

struct server_core *zookeeper_server_core(struct zookeeper_server *server)
{
    return &server->core;
}

struct session_expirer *zookeeper_server_expirer(struct zookeeper_server *server)
{
    return &server->expirer;
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

int64_t zookeeper_server_outstanding_handshakes(struct zookeeper_server *server)
{
    int64_t count = server->factory == NULL ? 0 : server_cnxn_factory_outstanding_handshakes(server->factory);
    return server->secure_factory == NULL ? count
                                          : count + server_cnxn_factory_outstanding_handshakes(server->secure_factory);
}

int64_t zookeeper_server_data_dir_size(struct zookeeper_server *server)
{
    return directory_size(file_txn_snap_log_snap_dir(zk_database_snap_log(server->core.database)));
}

int64_t zookeeper_server_log_dir_size(struct zookeeper_server *server)
{
    return directory_size(file_txn_snap_log_data_log_dir(zk_database_snap_log(server->core.database)));
}
