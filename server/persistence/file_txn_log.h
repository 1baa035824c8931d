/*
 * The transaction log: log.<first zxid>, "ZKLG" header, records of Adler-32, length, bytes and 'B', zeros behind.
 * Mirrors FileTxnLog, FilePadding and FileTxnIterator.
 *
 * Writing is one thread's (SyncThread); the sizes and times may be asked by any. A record counts as durable when
 * file_txn_log_commit() has returned ZK_OK after it. After any error the log is unusable: the process must end.
 */
#ifndef ZKC_SERVER_PERSISTENCE_FILE_TXN_LOG_H
#define ZKC_SERVER_PERSISTENCE_FILE_TXN_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/error.h"
#include "server/metric/server_metrics.h"
#include "server/metric/server_stats.h"
#include "server/persistence/txn.h"

#define TXN_LOG_MAGIC 0x5a4b4c47    /* "ZKLG" */
#define TXN_LOG_VERSION 2

struct file_txn_log_options {
    int64_t pre_alloc_size;              /* bytes; zookeeper.preAllocSize is in KB */
    int64_t size_limit;                  /* bytes after which the log rolls at a commit; <= 0 is none */
    bool force_sync;
    int64_t fsync_warning_threshold_ms;
    int32_t max_record_size;             /* bytes; a longer length in a file is damage */
    struct txn_rules rules;
};

struct file_txn_log;
/* Creates no file. `metrics` and `stats` are borrowed and may be NULL. */
struct file_txn_log *file_txn_log_new(const char *directory, const struct file_txn_log_options *options,
                                      struct server_metrics *metrics, struct server_stats *stats);
/* Writes out nothing: what was not committed is lost, on purpose. */
void file_txn_log_free(struct file_txn_log *log);

/*
 * Appends to memory, and writes on when much has gathered; the first record after a start or a roll opens a new file.
 * In one file each zxid must follow the one before, or be the first of a later epoch (after a gap: roll first); only an
 * error may come under the zxid of the record before it.
 */
int file_txn_log_append(struct file_txn_log *log, struct txn *txn, struct error *error);
/* One write of all that was appended, one fdatasync, and a directory sync after a file was made. Rolls past the limit.
 * Files are finished in order: what was rolled is on the disk before the next one is made. */
int file_txn_log_commit(struct file_txn_log *log, struct error *error);
/* The next append opens a new file; what was appended so far goes to the old one at the next commit. */
void file_txn_log_roll(struct file_txn_log *log);

int64_t file_txn_log_last_sync_ms(struct file_txn_log *log);      /* time the last sync took, -1 before the first */
int64_t file_txn_log_total_size(struct file_txn_log *log); /* bytes since set_total_size, for snapSizeLimitInKb */
void file_txn_log_set_total_size(struct file_txn_log *log, int64_t size);

/*
 * Where the log of a directory ends, and whether it is whole: reads every file from the one that holds `from_zxid`.
 * A record that was being written when the server died (bytes missing, or zeros where its bytes should be, and nothing
 * behind it) is a torn tail: it was never acknowledged, is cut off here, its bytes kept beside the log as
 * torn.<name>.<offset> (which Java takes for no log), and a warning says so. Anything else that does not fit is damage:
 * ZK_CORRUPT names file, offset and reason, and nothing is changed. An empty or header-only last file is removed. Syncs
 * what it changes.
 */
int file_txn_log_repair_tail(const char *directory, int64_t from_zxid, const struct file_txn_log_options *options,
                             struct error *error);

/* -1 when there is no log. */
int file_txn_log_last_logged_zxid(const char *directory, const struct file_txn_log_options *options,
                                  int64_t *ret_zxid, struct error *error);
/* Removes every record after `zxid`, later files too, and syncs. ZK_NOT_FOUND when no log holds it. After any error the
 * directory must not be used as a voter's (RELIABILITY 3701). */
int file_txn_log_truncate(const char *directory, int64_t zxid, const struct file_txn_log_options *options,
                          struct error *error);

/* The same where no log need hold `zxid`: what is behind it goes, what is not stays. For who takes over the state at
 * `zxid` and is not to replay what it had logged behind it. */
int file_txn_log_drop_behind(const char *directory, int64_t zxid, const struct file_txn_log_options *options,
                             struct error *error);

/* ---- reading ---- */
struct txn_iterator;
/* Stands before the first record with a zxid >= `zxid` (with fast_forward), else at the start of the file that may
 * hold it. An iterator reads past the end into the next file. From `zxid` on each record must follow the one before:
 * its successor, or the first of a later epoch; else ZK_CORRUPT. (Java logs every zxid it gives out; gaps before `zxid`
 * may stem from a snapshot sent by a leader.) A zxid not above the one before is given out as it stands. */
int txn_iterator_open(const char *directory, int64_t zxid, bool fast_forward,
                      const struct file_txn_log_options *options, struct txn_iterator **ret_iterator,
                      struct error *error);
/* ZK_OK with a reference; ZK_EOF at the end of all files; ZK_CORRUPT, ZK_IO. */
int txn_iterator_next(struct txn_iterator *iterator, struct txn **ret_txn, struct error *error);
/* The same without decoding: the bytes last until the next call. */
int txn_iterator_next_bytes(struct txn_iterator *iterator, int64_t *ret_zxid, struct slice *ret_bytes,
                            struct error *error);
/* File, and offset of the record that next() gave last; for tools and messages. */
const char *txn_iterator_path(const struct txn_iterator *iterator);
int64_t txn_iterator_offset(const struct txn_iterator *iterator);
/* Bytes of all files it will read: for the choice between DIFF and SNAP. */
int64_t txn_iterator_storage_size(const struct txn_iterator *iterator);
void txn_iterator_close(struct txn_iterator *iterator);

/* FileTxnLog.getLogFiles: the files that hold everything after a snapshot at this zxid, ascending. */
struct zxid_file_list;
int file_txn_log_files(const char *directory, int64_t snapshot_zxid, struct zxid_file_list *ret_list,
                       struct error *error);

#endif
