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

/* ---- for a server of an ensemble; the writer thread, while no chain runs ---- */
/* Tree and sessions as a leader's SNAP has them, in place of what is here; the committed log begins anew. The caller
 * sets the zxid, and says by tree_snapshot_set_fuzzy() when the tree is whole. After a failure there is no state to be
 * used until zk_database_reload(). */
int zk_database_deserialize_snapshot(struct zk_database *database, struct byte_source *source, struct error *error);
/* The other side of it; any thread, the tree goes on changing. */
int zk_database_serialize_snapshot(struct zk_database *database, struct byte_sink *sink, struct error *error);
/* clear() and loadDataBase(): what is on the disk, and nothing else. */
int zk_database_reload(struct zk_database *database, int64_t *ret_zxid, struct error *error);
/* truncateLog: everything behind `zxid` is gone from the disk, for good, and from memory. ZK_NOT_FOUND, with nothing
 * changed, when neither a log nor a snapshot is of it. After any other failure this server must not vote. */
int zk_database_truncate_log(struct zk_database *database, int64_t zxid, struct error *error);
/* What was logged behind `zxid` goes from the disk: the state at `zxid` comes from a leader, which does not know of it
 * (Java leaves it, and replays it over that state at the next start). After a failure this server must not vote. */
int zk_database_drop_log_behind(struct zk_database *database, int64_t zxid, struct error *error);
/* Snapshots behind what the tree has, which was saved, likewise. */
int zk_database_drop_snapshots_behind(struct zk_database *database, struct error *error);
/* fastForwardDataBase: what is logged is applied, so that a vote speaks of what the disk has (2845). */
int zk_database_fast_forward(struct zk_database *database, int64_t *ret_zxid, struct error *error);

#endif
