/*
 * Tree, sessions, committed log and files of one server. Mirrors ZKDatabase.
 */
#ifndef ZKC_SERVER_PERSISTENCE_ZK_DATABASE_H
#define ZKC_SERVER_PERSISTENCE_ZK_DATABASE_H

#include "server/persistence/committed_log.h"
#include "server/persistence/file_txn_snap_log.h"

struct zk_database;
/* Takes the files over. commit_log_count: zookeeper.commitLogCount. */
struct zk_database *zk_database_new(struct file_txn_snap_log *snap_log, const struct data_tree_options *tree_options,
                                    size_t commit_log_count, struct server_metrics *metrics);
void zk_database_free(struct zk_database *database);

/* loadDataBase: restores; *ret_zxid is the last one. */
int zk_database_load(struct zk_database *database, int64_t *ret_zxid, struct error *error);
bool zk_database_is_initialized(const struct zk_database *database);
/* The pointers are good until zk_database_free or _clear. */
struct data_tree *zk_database_tree(struct zk_database *database);
struct session_table *zk_database_sessions(struct zk_database *database);
struct committed_log *zk_database_committed_log(struct zk_database *database);
struct file_txn_snap_log *zk_database_snap_log(struct zk_database *database);

/*
 * Applies one committed transaction: sessions, tree, committed log. The one apply function for live commit, sync and
 * replay. Writer thread only.
 */
void zk_database_process_txn(struct zk_database *database, struct txn *txn, struct arena *arena,
                             struct process_txn_result *ret_result);

/* SyncThread: append, commit, roll. Counts transactions and bytes since the last snapshot for shouldSnapshot. */
int zk_database_append(struct zk_database *database, struct txn *txn, struct error *error);
int zk_database_commit(struct zk_database *database, struct error *error);
void zk_database_roll_log(struct zk_database *database);
int64_t zk_database_txn_count(struct zk_database *database);
int64_t zk_database_txn_size(struct zk_database *database);    /* bytes */
void zk_database_reset_txn_stats(struct zk_database *database);
int zk_database_take_snapshot(struct zk_database *database, struct error *error);

#endif
