/* Snapshots and log of one server as one: restore, save, append, truncate. Mirrors FileTxnSnapLog. */
#ifndef ZKC_SERVER_PERSISTENCE_FILE_TXN_SNAP_LOG_H
#define ZKC_SERVER_PERSISTENCE_FILE_TXN_SNAP_LOG_H

#include "server/persistence/file_snap.h"
#include "server/persistence/file_txn_log.h"

struct file_txn_snap_log_options {
    bool data_dir_autocreate, db_autocreate, trust_empty_snapshot;
    struct file_txn_log_options log;
    struct file_snap_options snap;
};
struct file_txn_snap_log;
/*
 * Opens (makes, if permitted) <data_dir>/version-2 for snapshots and <data_log_dir>/version-2 for logs, checks that
 * they are writable and not mixed up, and locks them (zkc.lock) so that no second zkc uses them. Java's messages.
 */
int file_txn_snap_log_open(const char *data_dir, const char *data_log_dir,
                           const struct file_txn_snap_log_options *options, struct server_metrics *metrics,
                           struct server_stats *stats, struct file_txn_snap_log **ret_log, struct error *error);
void file_txn_snap_log_close(struct file_txn_snap_log *log);

/* Told of the last transactions replayed, `most` of them, oldest first, when all are applied. */
struct playback_listener {
    void (*on_txn_loaded)(struct playback_listener *self, struct txn *txn);
    size_t most;
};
/*
 * Newest good snapshot (of at most 100), then every record after it; a torn tail is cut. An older snapshot is taken
 * when the newest is damaged, provided the logs reach back to it and on to the newest, which is then set aside as
 * damaged.<name>. Empty directories give zxid 0 and a first snapshot (db_autocreate, or the file "initialize", which is
 * removed), else zxid -1. ZK_CORRUPT names what is damaged or missing; tree and sessions are then in no state to be
 * used. Before anything is appended; again after the tree was cleared.
 */
int file_txn_snap_log_restore(struct file_txn_snap_log *log, struct data_tree *tree, struct session_table *sessions,
                              struct playback_listener *listener, int64_t *ret_zxid, struct error *error);
/* fastForwardFromEdits on a tree in use: what is in the logs behind its last zxid is applied, the tail is left alone.
 * For the thread that writes, while nothing is appended. The listener as above. *ret_zxid is the last one. */
int file_txn_snap_log_fast_forward(struct file_txn_snap_log *log, struct data_tree *tree,
                                   struct session_table *sessions, struct playback_listener *listener,
                                   int64_t *ret_zxid, struct error *error);
/* A snapshot of now, named after the tree's last zxid. *ret_path (may be NULL) is the caller's. */
int file_txn_snap_log_save(struct file_txn_snap_log *log, struct data_tree *tree, struct session_table *sessions,
                           char **ret_path, struct error *error);
struct file_txn_log *file_txn_snap_log_log(struct file_txn_snap_log *log);
/* Snapshots and transactions behind `zxid` go. ZK_NOT_FOUND, with all in place, when neither a log nor a snapshot is of
 * that zxid. */
int file_txn_snap_log_truncate(struct file_txn_snap_log *log, int64_t zxid, struct error *error);
/* Transactions behind `zxid` go from the logs, whether one holds it or not: before a leader's state at `zxid` is saved.
 * Snapshots behind it go by the second, once it is: until then they are what this server has, and votes with. */
int file_txn_snap_log_drop_log_behind(struct file_txn_snap_log *log, int64_t zxid, struct error *error);
int file_txn_snap_log_drop_snapshots_behind(struct file_txn_snap_log *log, int64_t zxid, struct error *error);
/* readTxnLog: an iterator that stands before the first record of the file that may hold `zxid`, while others go on
 * appending. Any thread. */
int file_txn_snap_log_read(const struct file_txn_snap_log *log, int64_t zxid, struct txn_iterator **ret_iterator,
                           struct error *error);
/* The snapshots on disk as a leader asks of them: the size of the newest (0: none), and the zxids of all, ascending, to
 * be memory_free()d. Any thread. */
int file_txn_snap_log_survey_snapshots(const struct file_txn_snap_log *log, int64_t *ret_newest_size,
                                       int64_t **ret_zxids, size_t *ret_count, struct error *error);
/* zxid and wall time of the last snapshot written or read; zxid -1 when there is none. */
void file_txn_snap_log_last_snapshot(struct file_txn_snap_log *log, int64_t *ret_zxid, int64_t *ret_wall_ms);
const char *file_txn_snap_log_data_log_dir(const struct file_txn_snap_log *log);    /* with version-2 */
const char *file_txn_snap_log_snap_dir(const struct file_txn_snap_log *log);

#endif
