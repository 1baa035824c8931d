/* What file_txn_snap_log.c and file_txn_snap_restore.c share. Internal to persistence. */
#ifndef ZKC_SERVER_PERSISTENCE_FILE_TXN_SNAP_INTERNAL_H
#define ZKC_SERVER_PERSISTENCE_FILE_TXN_SNAP_INTERNAL_H

#include "common/base/file.h"
#include "common/thread/mutex.h"
#include "server/persistence/file_txn_snap_log.h"
#include "server/persistence/txn_iterator.h"

struct file_txn_snap_log {
    struct file_txn_snap_log_options options;
    struct server_metrics *metrics;
    struct server_stats *stats;
    char *log_parent;    /* data_log_dir as it was given */
    char *log_dir, *snap_dir;
    struct file *log_lock, *snap_lock;    /* snap_lock: NULL when the directories are one */
    struct file_txn_log *log;
    struct mutex save_lock;    /* one snapshot at a time; outside of `lock` */
    struct mutex lock;
    int64_t last_zxid GUARDED_BY(lock);    /* of the last snapshot written or read */
    int64_t last_wall_ms GUARDED_BY(lock);
};

void file_txn_snap_log_set_last(struct file_txn_snap_log *log, int64_t zxid, int64_t wall_ms)
    EXCLUDES(log->lock);

#endif
