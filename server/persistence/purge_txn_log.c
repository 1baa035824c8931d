/*
 * purge_txn_log.c - which files nobody needs any more, and removing them.
 *
 * Mirrors PurgeTxnLog. What is kept can always be restored: the newest snapshots, every log that begins at or behind
 * the oldest of them, and the one that begins just before it. Files go from the oldest on, snapshots first, so that a
 * purge cut short leaves whole history behind.
 */
#include "server/persistence/purge_txn_log.h"

#include "common/base/file.h"
#include "common/base/memory.h"
#include "server/persistence/file_names.h"
#include "server/persistence/file_snap.h"
#include "server/persistence/file_txn_log.h"

struct purge {
    void (*removed)(void *context, const char *path);
    void *context;
};

/* Zxid of the oldest snapshot to keep; -1 when there is none to go by. */
static int least_zxid(const char *snap_dir, size_t keep, int64_t *ret_zxid, struct error *error)
{
    struct zxid_file_list snaps;
    int err = file_snap_find_valid(snap_dir, keep, &snaps, error);
    if (err == ZK_NOT_FOUND) {    /* no directory, nothing to purge */
        *ret_zxid = -1;
        return ZK_OK;
    }
    if (err != ZK_OK)
        return err;
    *ret_zxid = snaps.count > 0 ? snaps.items[snaps.count - 1].zxid : -1;
    zxid_file_list_release(&snaps);
    return ZK_OK;
}

/* Removes the files of a prefix that begin below `zxid`. */
static int remove_below(const struct purge *purge, const char *directory, const char *prefix, int64_t zxid,
                        struct error *error)
{
    struct zxid_file_list files;
    int err = zxid_file_list_read(directory, prefix, true, &files, error);
    if (err != ZK_OK)
        return err == ZK_NOT_FOUND ? ZK_OK : err;
    bool has_removed = false;
    for (size_t i = 0; err == ZK_OK && i < files.count && files.items[i].zxid < zxid; i++) {
        err = file_unlink(files.items[i].path, error);
        if (err == ZK_NOT_FOUND) {    /* somebody else purges too */
            err = ZK_OK;
            continue;
        }
        if (err != ZK_OK)
            break;
        has_removed = true;
        if (purge->removed != NULL)
            purge->removed(purge->context, files.items[i].path);
    }
    zxid_file_list_release(&files);
    return err == ZK_OK && has_removed ? directory_sync(directory, error) : err;
}

/* Where the log begins that holds what follows the oldest snapshot. */
static int least_log_zxid(const char *log_dir, int64_t snapshot_zxid, int64_t *ret_zxid, struct error *error)
{
    struct zxid_file_list logs;
    int err = file_txn_log_files(log_dir, snapshot_zxid, &logs, error);
    if (err != ZK_OK && err != ZK_NOT_FOUND)
        return err;
    *ret_zxid = err == ZK_OK && logs.count > 0 && logs.items[0].zxid < snapshot_zxid ? logs.items[0].zxid
                                                                                      : snapshot_zxid;
    if (err == ZK_OK)
        zxid_file_list_release(&logs);
    return ZK_OK;
}

int purge_txn_log(const char *data_log_dir, const char *data_dir, size_t keep,
                  void (*removed)(void *context, const char *path), void *context, struct error *error)
{
    if (keep < PURGE_LEAST_SNAPSHOTS)
        return error_set(error, ZK_BAD_ARGUMENTS, "at least %d snapshots must be kept", PURGE_LEAST_SNAPSHOTS);
    const struct purge purge = {removed, context};
    char *log_dir = path_join(data_log_dir, DATA_VERSION_DIRECTORY);
    char *snap_dir = path_join(data_dir, DATA_VERSION_DIRECTORY);
    int64_t snapshot_zxid, log_zxid;
    int err = least_zxid(snap_dir, keep, &snapshot_zxid, error);
    if (err != ZK_OK || snapshot_zxid < 0)
        goto out;
    err = least_log_zxid(log_dir, snapshot_zxid, &log_zxid, error);
    if (err == ZK_OK)
        err = remove_below(&purge, snap_dir, SNAPSHOT_FILE_PREFIX, snapshot_zxid, error);
    if (err == ZK_OK)
        err = remove_below(&purge, log_dir, LOG_FILE_PREFIX, log_zxid, error);
out:
    memory_free(log_dir);
    memory_free(snap_dir);
    return err;
}
