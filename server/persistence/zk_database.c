/*
 * zk_database.c - tree, sessions, committed log and files of one server, as one.
 *
 * Mirrors ZKDatabase, with what ZooKeeperServer.processTxn does for sessions and takeSnapshot for snapshots. A session
 * is in the table before the tree's last zxid names its transaction, so that a snapshot never lacks it.
 */
#include "server/persistence/zk_database.h"

#include <assert.h>
#include <inttypes.h>
#include <stdatomic.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/memory.h"
#include "server/tree/tree_snapshot.h"

struct zk_database {
    struct file_txn_snap_log *snap_log;
    struct data_tree *tree;
    struct session_table *sessions;
    struct committed_log *committed;
    struct server_metrics *metrics;
    struct playback_listener listener;
    _Atomic bool is_initialized;
    _Atomic int64_t txn_count;    /* since the last roll */
};

static void add_committed(struct playback_listener *self, struct txn *txn)
{
    committed_log_add(container_of(self, struct zk_database, listener)->committed, txn);
}

struct zk_database *zk_database_new(struct file_txn_snap_log *snap_log, const struct data_tree_options *tree_options,
                                    size_t commit_log_count, struct server_metrics *metrics)
{
    struct zk_database *database = MEMORY_NEW(struct zk_database);
    database->snap_log = snap_log;
    database->tree = data_tree_new(tree_options, metrics);
    database->sessions = session_table_new();
    database->committed = committed_log_new(commit_log_count);
    database->metrics = metrics;
    database->listener = (struct playback_listener){add_committed, commit_log_count};
    return database;
}

void zk_database_free(struct zk_database *database)
{
    if (database == NULL)
        return;
    committed_log_free(database->committed);
    session_table_free(database->sessions);
    data_tree_free(database->tree);
    file_txn_snap_log_close(database->snap_log);
    memory_free(database);
}

int zk_database_load(struct zk_database *database, int64_t *ret_zxid, struct error *error)
{
    int64_t start_ms = clock_elapsed_ms(), zxid;
    int err = file_txn_snap_log_restore(database->snap_log, database->tree, database->sessions, &database->listener,
                                        &zxid, error);
    if (err != ZK_OK)
        return err;
    atomic_store(&database->is_initialized, true);
    int64_t elapsed_ms = clock_elapsed_ms() - start_ms;
    server_metrics_sample(database->metrics, METRIC_DB_INIT_TIME, elapsed_ms);
    log_info("Snapshot loaded in %" PRId64 " ms, highest zxid is 0x%" PRIx64 ", digest is %" PRIu64, elapsed_ms,
             (uint64_t)zxid, data_tree_digest(database->tree));
    *ret_zxid = zxid;
    return ZK_OK;
}

bool zk_database_is_initialized(const struct zk_database *database)
{
    return atomic_load(&database->is_initialized);
}

struct data_tree *zk_database_tree(struct zk_database *database)
{
    return database->tree;
}

struct session_table *zk_database_sessions(struct zk_database *database)
{
    return database->sessions;
}

struct committed_log *zk_database_committed_log(struct zk_database *database)
{
    return database->committed;
}

struct file_txn_snap_log *zk_database_snap_log(struct zk_database *database)
{
    return database->snap_log;
}

void zk_database_process_txn(struct zk_database *database, struct txn *txn, struct arena *arena,
                             struct process_txn_result *ret_result)
{
    session_table_apply(database->sessions, &txn->header, &txn->body);
    data_tree_process_txn(database->tree, &txn->header, &txn->body, txn->has_digest ? &txn->digest : NULL, arena,
                          ret_result);
    committed_log_add(database->committed, txn);
}

int zk_database_append(struct zk_database *database, struct txn *txn, struct error *error)
{
    int err = file_txn_log_append(file_txn_snap_log_log(database->snap_log), txn, error);
    if (err == ZK_OK)
        atomic_fetch_add_explicit(&database->txn_count, 1, memory_order_relaxed);
    return err;
}

int zk_database_commit(struct zk_database *database, struct error *error)
{
    return file_txn_log_commit(file_txn_snap_log_log(database->snap_log), error);
}

void zk_database_roll_log(struct zk_database *database)
{
    file_txn_log_roll(file_txn_snap_log_log(database->snap_log));
    zk_database_reset_txn_stats(database);
}

int64_t zk_database_txn_count(struct zk_database *database)
{
    return atomic_load_explicit(&database->txn_count, memory_order_relaxed);
}

int64_t zk_database_txn_size(struct zk_database *database)
{
    return file_txn_log_total_size(file_txn_snap_log_log(database->snap_log));
}

void zk_database_reset_txn_stats(struct zk_database *database)
{
    atomic_store_explicit(&database->txn_count, 0, memory_order_relaxed);
    file_txn_log_set_total_size(file_txn_snap_log_log(database->snap_log), 0);
}

int zk_database_take_snapshot(struct zk_database *database, struct error *error)
{
    int64_t start_ms = clock_elapsed_ms();
    int err = file_txn_snap_log_save(database->snap_log, database->tree, database->sessions, NULL, error);
    if (err != ZK_OK)
        return err;
    int64_t elapsed_ms = clock_elapsed_ms() - start_ms;
    log_info("Snapshot taken in %" PRId64 " ms", elapsed_ms);
    server_metrics_sample(database->metrics, METRIC_SNAPSHOT_TIME, elapsed_ms);
    return ZK_OK;
}

int zk_database_deserialize_snapshot(struct zk_database *database, struct byte_source *source, struct error *error)
{
    atomic_store(&database->is_initialized, false);
    committed_log_clear(database->committed);
    session_table_clear(database->sessions);
    data_tree_reset(database->tree);
    int err = file_snap_read_state(database->tree, database->sessions, source, INT32_MAX, error);
    tree_snapshot_set_fuzzy(database->tree, true);
    if (err == ZK_OK)
        atomic_store(&database->is_initialized, true);
    return err;
}

int zk_database_serialize_snapshot(struct zk_database *database, struct byte_sink *sink, struct error *error)
{
    return file_snap_write_state(database->tree, database->sessions, sink, error);
}

int zk_database_reload(struct zk_database *database, int64_t *ret_zxid, struct error *error)
{
    atomic_store(&database->is_initialized, false);
    committed_log_clear(database->committed);
    session_table_clear(database->sessions);
    data_tree_reset(database->tree);
    return zk_database_load(database, ret_zxid, error);
}

int zk_database_truncate_log(struct zk_database *database, int64_t zxid, struct error *error)
{
    int64_t last_zxid;
    int err = file_txn_snap_log_truncate(database->snap_log, zxid, error);
    if (err == ZK_OK)
        err = zk_database_reload(database, &last_zxid, error);
    if (err == ZK_OK && last_zxid != zxid)    /* 4837 */
        err = error_set(error, ZK_CORRUPT, "the logs were truncated to 0x%" PRIx64 " but the state ends at 0x%" PRIx64,
                        (uint64_t)zxid, (uint64_t)last_zxid);
    return err;
}

int zk_database_drop_log_behind(struct zk_database *database, int64_t zxid, struct error *error)
{
    return file_txn_snap_log_drop_log_behind(database->snap_log, zxid, error);
}

int zk_database_drop_snapshots_behind(struct zk_database *database, struct error *error)
{
    return file_txn_snap_log_drop_snapshots_behind(database->snap_log, data_tree_last_processed_zxid(database->tree),
                                                   error);
}

int zk_database_fast_forward(struct zk_database *database, int64_t *ret_zxid, struct error *error)
{
    return file_txn_snap_log_fast_forward(database->snap_log, database->tree, database->sessions, &database->listener,
                                          ret_zxid, error);
}
