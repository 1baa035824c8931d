/* core_test.c - a server_core of its own for each test. */
#include "tests/unit/server/request/core_test.h"

#include <assert.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/memory.h"

struct server_core core;
struct server_options core_options;
struct core_events core_events;
char core_directory[TEST_DIRECTORY_SIZE];

static struct session_expirer expirer;
static struct log_limiter limiter;

/* ---- callbacks ---- */

static void finish_session_init(struct server_core *self, struct server_cnxn *cnxn, bool is_valid)
{
    (void)self;
    (void)cnxn;
    if (is_valid)
        atomic_fetch_add(&core_events.finished_sessions, 1);
}

static bool close_session(struct server_core *self, int64_t session_id, enum disconnect_reason reason)
{
    (void)self;
    (void)reason;
    atomic_store(&core_events.closed_session, session_id);
    return false;
}

static void flush_connections(struct server_core *self)
{
    (void)self;
    atomic_fetch_add(&core_events.flushes, 1);
}

static void note_failure(struct server_core *self, int exit_code, const struct error *error)
{
    (void)self;
    assert(error->text[0] != '\0');    /* Check's own are for the thread of the test */
    atomic_store(&core_events.last_exit_code, exit_code);
    atomic_fetch_add(&core_events.failures, 1);
}

static const struct core_callbacks callbacks = {
    .finish_session_init = finish_session_init,
    .close_session = close_session,
    .flush_connections = flush_connections,
    .fail = note_failure,
};
static const struct role_ops role_ops = {.state_name = "standalone"};
static struct server_role role = {&role_ops};

/* ---- life ---- */

static void load_options(void)
{
    struct properties settings = {0};
    struct error error = {0};
    server_options_init(&core_options);
    properties_set(&settings, "dataDir", core_directory, 0);
    properties_set(&settings, "clientPort", "2181", 0);
    properties_set(&settings, "preAllocSize", "64", 0);
    ck_assert_msg(server_options_load(&core_options, NULL, &settings, &error) == ZK_OK, "%s", error.text);
    properties_release(&settings);
}

static void open_database(void)
{
    struct error error = {0};
    struct txn_rules rules = {.digest_enabled = true};
    struct file_txn_snap_log_options options = {
        .data_dir_autocreate = true,
        .db_autocreate = true,
        .log = {.pre_alloc_size = core_options.pre_alloc_size * 1024, .size_limit = -1, .force_sync = true,
                .fsync_warning_threshold_ms = 1000, .max_record_size = INT32_MAX, .rules = rules},
        .snap = {.compression = SNAP_PLAIN, .serialize_last_processed_zxid = true, .limit = INT32_MAX},
    };
    struct data_tree_options tree_options = {core.ephemeral_rules, core.digest_enabled};
    struct file_txn_snap_log *files;
    ck_assert_msg(file_txn_snap_log_open(core_directory, core_directory, &options, core.metrics, &core.stats, &files,
                                         &error) == ZK_OK,
                  "%s", error.text);
    core.database = zk_database_new(files, &tree_options, 500, core.metrics);
    int64_t zxid;
    ck_assert_msg(zk_database_load(core.database, &zxid, &error) == ZK_OK, "%s", error.text);
    atomic_store(&core.zxid, zxid);
}

void core_set_up(void)
{
    log_set_level(NULL, LOG_OFF);    /* what is refused, or fails on purpose, is told of */
    test_directory_make(core_directory);
    load_options();
    core = (struct server_core){
        .options = &core_options,
        .role = &role,
        .callbacks = &callbacks,
        .metrics = server_metrics_new(),
        .jute_limit = (int32_t)(core_options.jute_maxbuffer + core_options.jute_maxbuffer_extrasize),
        .ephemeral_rules = {true, false},
        .digest_enabled = true,
        .close_session_txn_enabled = true,
        .quota_limiter = &limiter,
    };
    server_stats_init(&core.stats);
    core.outstanding_changes = outstanding_changes_new(core.metrics);
    ck_assert_int_eq(provider_registry_new(&core_options, &core.providers, NULL), ZK_OK);
    open_database();
    core.session_tracker =
        session_tracker_impl_new(&expirer, zk_database_sessions(core.database), 2000, 0, core.metrics);
    core.session_tracker->ops->track_session(core.session_tracker, CORE_SESSION, 30000);
    core.session_tracker->ops->set_owner(core.session_tracker, CORE_SESSION, server_core_me);
    core.session_tracker->ops->track_session(core.session_tracker, CORE_OTHER, 30000);
}

void core_tear_down(void)
{
    core.session_tracker->ops->free(core.session_tracker);
    outstanding_changes_free(core.outstanding_changes);
    zk_database_free(core.database);
    provider_registry_free(core.providers);
    server_metrics_free(core.metrics);
    server_options_release(&core_options);
    test_directory_remove(core_directory);
}

/* ---- for the tests ---- */

struct request *core_request_from(struct server_cnxn *cnxn, int32_t xid, int32_t type, struct buffer *record)
{
    struct blob *payload = blob_new_copy(record == NULL ? NULL : record->bytes, record == NULL ? 0 : record->size);
    struct zk_id id = {ustring_of("ip"), ustring_of("127.0.0.1")};
    struct auth_info *info = auth_info_add(auth_info_new_empty(), &id);
    struct request *request = request_new(cnxn, CORE_SESSION, xid, type, payload,
                                          (struct slice){payload->bytes, payload->size}, info);
    request->owner = server_core_me;
    auth_info_unref(info);
    blob_unref(payload);
    if (record != NULL)
        buffer_release(record);
    return request;
}

struct request *core_request(int32_t type, struct buffer *record)
{
    return core_request_from(NULL, 7, type, record);
}

const struct zk_acl_vector *core_acl(int32_t permissions)
{
    static struct zk_acl items[PERM_ALL + 1];
    static struct zk_acl_vector vectors[PERM_ALL + 1];
    items[permissions] = (struct zk_acl){permissions, {ustring_of("world"), ustring_of("anyone")}};
    vectors[permissions] = (struct zk_acl_vector){&items[permissions], 1};
    return &vectors[permissions];
}

struct jute_buffer core_bytes(const char *text)
{
    return (struct jute_buffer){(const uint8_t *)text, text == NULL ? -1 : (int32_t)strlen(text)};
}

static void apply(struct txn *txn, struct process_txn_result *ret_result)
{
    struct arena arena = {0};
    zk_database_process_txn(core.database, txn, &arena, ret_result);
    arena_release(&arena);
}

void core_make(const char *path, const char *data, const struct zk_acl_vector *acl, int64_t owner)
{
    struct txn_header header = {owner == 0 ? CORE_SESSION : owner, 1, server_core_next_zxid(&core), CORE_TIME - 1000,
                                OP_CREATE};
    struct txn_body body = {.is_present = true};
    struct process_txn_result result;
    body.record.create = (struct create_txn){ustring_of(path), core_bytes(data), acl == NULL ? acl_open_unsafe : *acl,
                                             owner != 0, -1};
    struct txn *txn = txn_new(&header, &body, NULL);
    apply(txn, &result);
    ck_assert_int_eq(result.err, ZK_OK);
    txn_unref(txn);
}

struct zk_stat core_stat(const char *path)
{
    struct zk_stat stat;
    ck_assert_int_eq(data_tree_stat_node(zk_database_tree(core.database), ustring_of(path), NULL, NULL, &stat), ZK_OK);
    return stat;
}

bool core_exists(const char *path)
{
    struct zk_stat stat;
    return data_tree_stat_node(zk_database_tree(core.database), ustring_of(path), NULL, NULL, &stat) == ZK_OK;
}

struct prep_context core_context(struct request *request)
{
    return (struct prep_context){
        .core = &core,
        .request = request,
        .header = {request->session_id, request->cxid, server_core_next_zxid(&core), CORE_TIME, request->type},
    };
}

void core_finish(struct prep_context *context, const struct txn_body *body)
{
    struct txn_digest digest = {2, (int64_t)context->tree_digest};
    context->request->txn = txn_new(&context->header, body, context->has_digest ? &digest : NULL);
}

void core_apply(struct request *request)
{
    struct process_txn_result result;
    server_core_process_txn(&core, request, &result);
    ck_assert_int_eq(result.err, ZK_OK);
}
