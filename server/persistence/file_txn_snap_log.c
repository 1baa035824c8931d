/*
 * file_txn_snap_log.c - the two directories of one server: opening, locking, saving, truncating.
 *
 *   <dataDir>/version-2     snapshot.<zxid>   zkc.lock
 *   <dataLogDir>/version-2  log.<zxid>        zkc.lock    (may be the same directory)
 *
 * Mirrors FileTxnSnapLog; its restore() stands in file_txn_snap_restore.c. Departs from Java: the directories are
 * locked, and truncating removes the snapshots that hold what is cut off (ZOOKEEPER-4837).
 */
#include "server/persistence/file_txn_snap_log.h"

#include <inttypes.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/file.h"
#include "common/base/log.h"
#include "common/base/memory.h"
#include "common/base/strings.h"
#include "common/thread/mutex.h"
#include "server/persistence/file_txn_snap_internal.h"

#define LOCK_NAME "zkc.lock"
#define TEMPORARY ".tmp"

/* Makes a version-2 directory where that is permitted, and checks that it can be written. */
static int prepare_directory(const char *path, const char *kind, bool autocreate, struct error *error)
{
    enum file_kind found = file_kind(path);
    if (found == FILE_KIND_NONE) {
        if (!autocreate)
            return error_set(error, ZK_NOT_FOUND,
                             "Missing %s directory %s, automatic data directory creation is disabled "
                             "(zookeeper.datadir.autocreate is false). Please create this directory manually",
                             kind, path);
        int err = directory_make(path, error);
        if (err != ZK_OK)
            return error_prefix(error, "Unable to create %s directory %s", kind, path);
    } else if (found != FILE_KIND_DIRECTORY) {
        return error_set(error, ZK_IO, "Unable to create %s directory %s: a file of that name is there", kind, path);
    }
    if (!file_is_writable(path))
        return error_set(error, ZK_IO, "Cannot write to %s directory %s", kind, path);
    return ZK_OK;
}

static int lock_directory(const char *directory, struct file **ret_lock, struct error *error)
{
    char *path = path_join(directory, LOCK_NAME);
    struct file *file;
    int err = file_open(path, FILE_APPEND, &file, error);
    memory_free(path);
    if (err != ZK_OK)
        return err;
    err = file_lock(file, error);
    if (err != ZK_OK) {
        file_close(file, NULL);
        return err == ZK_EXISTS ? error_set(error, ZK_EXISTS, "another zkc server uses the directory %s", directory)
                                : err;
    }
    *ret_lock = file;
    return ZK_OK;
}

/* checkLogDir and checkSnapDir: no files of the other kind. */
static int check_content(const char *directory, bool (*is_foreign)(const char *), const char *complaint,
                         struct error *error)
{
    struct name_list names;
    int err = directory_list(directory, &names, error);
    if (err != ZK_OK)
        return err;
    for (size_t i = 0; err == ZK_OK && i < names.count; i++) {
        if (is_foreign(names.names[i]))
            err = error_set(error, ZK_BAD_CONFIG,
                            "%s. Check if dataLogDir and dataDir configuration is correct (%s holds %s)", complaint,
                            directory, names.names[i]);
    }
    name_list_release(&names);
    return err;
}

/* What a crash left of a snapshot that was being written. */
static bool is_leftover(const char *name)
{
    if (!string_ends_with(name, TEMPORARY))
        return false;
    char *target = string_copy_n(name, strlen(name) - strlen(TEMPORARY));
    bool is_snapshot = file_name_is_snapshot(target);
    memory_free(target);
    return is_snapshot;
}

static int remove_leftovers(const char *directory, struct error *error)
{
    struct name_list names;
    int err = directory_list(directory, &names, error);
    if (err != ZK_OK)
        return err;
    for (size_t i = 0; err == ZK_OK && i < names.count; i++) {
        if (!is_leftover(names.names[i]))
            continue;
        char *path = path_join(directory, names.names[i]);
        if (file_kind(path) == FILE_KIND_REGULAR) {
            log_info("removing %s, a snapshot that was not written to its end", path);
            err = file_unlink(path, error);
        }
        memory_free(path);
    }
    name_list_release(&names);
    return err;
}

static bool is_same_path(const char *a, const char *b)
{
    char *left = path_absolute(a), *right = path_absolute(b);
    bool is_same = strcmp(left, right) == 0;
    memory_free(left);
    memory_free(right);
    return is_same;
}

static int open_directories(struct file_txn_snap_log *log, struct error *error)
{
    bool autocreate = log->options.data_dir_autocreate;
    bool is_shared = is_same_path(log->log_dir, log->snap_dir);
    int err = prepare_directory(log->log_dir, "data", autocreate, error);
    if (err == ZK_OK)
        err = prepare_directory(log->snap_dir, "snap", autocreate, error);
    if (err == ZK_OK && !is_shared)
        err = check_content(log->log_dir, file_name_is_snapshot, "Log directory has snapshot files", error);
    if (err == ZK_OK && !is_shared)
        err = check_content(log->snap_dir, file_name_is_log, "Snapshot directory has log files", error);
    if (err == ZK_OK)
        err = lock_directory(log->log_dir, &log->log_lock, error);
    if (err == ZK_OK && !is_shared)
        err = lock_directory(log->snap_dir, &log->snap_lock, error);
    return err == ZK_OK ? remove_leftovers(log->snap_dir, error) : err;
}

static int save(struct file_txn_snap_log *log, struct data_tree *tree, struct session_table *sessions, int64_t zxid,
                const char *path, struct error *error)
{
    log_info("snapshot of zxid 0x%" PRIx64 " to %s", (uint64_t)zxid, path);
    mutex_lock(&log->save_lock);
    int err = file_snap_serialize(tree, sessions, path, &log->options.snap, error);
    mutex_unlock(&log->save_lock);
    if (err == ZK_OK)
        file_txn_snap_log_set_last(log, zxid, clock_wall_ms());
    return err;
}

/* The snapshots, newest first: `newer` of them hold transactions after the zxid asked for; of the others the one at
 * `usable` is the first that can be loaded, unless that is the end of the list. */
struct snapshots {
    struct zxid_file_list list;
    size_t newer, usable;
};

static int find_snapshots(struct file_txn_snap_log *log, int64_t zxid, struct snapshots *ret_snapshots,
                          struct error *error)
{
    *ret_snapshots = (struct snapshots){.newer = 0};
    struct zxid_file_list *list = &ret_snapshots->list;
    int err = file_snap_find_recent(log->snap_dir, SIZE_MAX, list, error);
    if (err != ZK_OK)
        return err;
    size_t i = 0;
    while (i < list->count && list->items[i].zxid > zxid)
        i++;
    ret_snapshots->newer = i;
    while (i < list->count && !snap_is_probably_valid(list->items[i].path))
        i++;
    ret_snapshots->usable = i;
    return ZK_OK;
}

/* A snapshot that came from a leader bears a zxid that no log here has; cut back to it, that state is what is left. */
static bool has_snapshot_of(const struct snapshots *snapshots, int64_t zxid)
{
    const struct zxid_file_list *list = &snapshots->list;
    return snapshots->usable < list->count && list->items[snapshots->usable].zxid == zxid;
}

/* ZK_NOT_FOUND, with all in place, if none would be left. */
static int remove_newer(struct file_txn_snap_log *log, const struct snapshots *snapshots, int64_t zxid,
                        struct error *error)
{
    const struct zxid_file_list *list = &snapshots->list;
    if (snapshots->newer == 0)
        return ZK_OK;
    if (snapshots->usable == list->count)
        return error_set(error, ZK_NOT_FOUND, "%s holds no snapshot up to zxid 0x%" PRIx64, log->snap_dir,
                         (uint64_t)zxid);
    for (size_t i = 0; i < snapshots->newer; i++) {
        log_warn("removing %s, it holds transactions after 0x%" PRIx64 ", which are undone", list->items[i].path,
                 (uint64_t)zxid);
        int err = file_unlink(list->items[i].path, error);
        if (err != ZK_OK)
            return err;
    }
    return directory_sync(log->snap_dir, error);
}

/* Whether a log holds the very zxid, so that it can be truncated there. */
static int check_truncation(struct file_txn_snap_log *log, int64_t zxid, struct error *error)
{
    struct txn_iterator *iterator;
    int err = txn_iterator_open(log->log_dir, zxid, true, &log->options.log, &iterator, error);
    if (err != ZK_OK)
        return err;
    struct log_record record;
    err = txn_iterator_next_record(iterator, &record, error);
    txn_iterator_close(iterator);
    if (err == ZK_EOF || (err == ZK_OK && record.zxid != zxid))
        return error_set(error, ZK_NOT_FOUND, "no log in %s holds zxid 0x%" PRIx64, log->log_dir, (uint64_t)zxid);
    return err;
}

void file_txn_snap_log_set_last(struct file_txn_snap_log *log, int64_t zxid, int64_t wall_ms)
{
    mutex_lock(&log->lock);
    log->last_zxid = zxid;
    log->last_wall_ms = wall_ms;
    mutex_unlock(&log->lock);
}

int file_txn_snap_log_open(const char *data_dir, const char *data_log_dir,
                           const struct file_txn_snap_log_options *options, struct server_metrics *metrics,
                           struct server_stats *stats, struct file_txn_snap_log **ret_log, struct error *error)
{
    struct file_txn_snap_log *log = MEMORY_NEW(struct file_txn_snap_log);
    mutex_init(&log->lock);
    mutex_init(&log->save_lock);
    log->options = *options;
    log->metrics = metrics;
    log->stats = stats;
    log->log_parent = string_copy(data_log_dir);
    log->log_dir = path_join(data_log_dir, DATA_VERSION_DIRECTORY);
    log->snap_dir = path_join(data_dir, DATA_VERSION_DIRECTORY);
    file_txn_snap_log_set_last(log, -1, 0);
    log_info("zookeeper.snapshot.trust.empty : %s", options->trust_empty_snapshot ? "true" : "false");
    int err = open_directories(log, error);
    if (err != ZK_OK) {
        file_txn_snap_log_close(log);
        return err;
    }
    log->log = file_txn_log_new(log->log_dir, &options->log, metrics, stats);
    *ret_log = log;
    return ZK_OK;
}

void file_txn_snap_log_close(struct file_txn_snap_log *log)
{
    if (log == NULL)
        return;
    file_txn_log_free(log->log);
    file_close(log->log_lock, NULL);
    file_close(log->snap_lock, NULL);
    mutex_release(&log->lock);
    mutex_release(&log->save_lock);
    memory_free(log->log_parent);
    memory_free(log->log_dir);
    memory_free(log->snap_dir);
    memory_free(log);
}

int file_txn_snap_log_save(struct file_txn_snap_log *log, struct data_tree *tree, struct session_table *sessions,
                           char **ret_path, struct error *error)
{
    /* Before anything is read of sessions and tree: what changes meanwhile is in the log behind this zxid. */
    int64_t zxid = data_tree_last_processed_zxid(tree);
    char *name = snapshot_file_name(zxid, snap_compression_extension(log->options.snap.compression));
    char *path = path_join(log->snap_dir, name);
    memory_free(name);
    int err = save(log, tree, sessions, zxid, path, error);
    if (err == ZK_OK && ret_path != NULL)
        *ret_path = path;
    else
        memory_free(path);
    return err;
}

struct file_txn_log *file_txn_snap_log_log(struct file_txn_snap_log *log)
{
    return log->log;
}

/* What stands behind the zxid goes, whether the log holds that one (which then is the last) or not. */
static int shorten_log(struct file_txn_snap_log *log, int64_t zxid, bool has_zxid, struct error *error)
{
    const struct file_txn_log_options *options = &log->options.log;
    file_txn_log_free(log->log);
    int err = has_zxid ? file_txn_log_truncate(log->log_dir, zxid, options, error)
                       : file_txn_log_drop_behind(log->log_dir, zxid, options, error);
    log->log = file_txn_log_new(log->log_dir, options, log->metrics, log->stats);
    return err;
}

int file_txn_snap_log_truncate(struct file_txn_snap_log *log, int64_t zxid, struct error *error)
{
    struct snapshots snapshots;
    int in_log = check_truncation(log, zxid, error);
    if (in_log != ZK_OK && in_log != ZK_NOT_FOUND && in_log != ZK_CORRUPT)
        return in_log;
    int err = find_snapshots(log, zxid, &snapshots, error);
    if (err == ZK_OK && in_log != ZK_OK && !has_snapshot_of(&snapshots, zxid))
        err = in_log;
    if (err == ZK_OK)
        err = remove_newer(log, &snapshots, zxid, error);
    if (err == ZK_OK)
        err = shorten_log(log, zxid, in_log == ZK_OK, error);
    zxid_file_list_release(&snapshots.list);
    return err;
}

int file_txn_snap_log_drop_snapshots_behind(struct file_txn_snap_log *log, int64_t zxid, struct error *error)
{
    struct snapshots snapshots;
    int err = find_snapshots(log, zxid, &snapshots, error);
    if (err == ZK_OK)
        err = remove_newer(log, &snapshots, zxid, error);
    zxid_file_list_release(&snapshots.list);
    return err == ZK_NOT_FOUND ? ZK_OK : err;
}

int file_txn_snap_log_drop_log_behind(struct file_txn_snap_log *log, int64_t zxid, struct error *error)
{
    return shorten_log(log, zxid, false, error);
}

void file_txn_snap_log_last_snapshot(struct file_txn_snap_log *log, int64_t *ret_zxid, int64_t *ret_wall_ms)
{
    mutex_lock(&log->lock);
    *ret_zxid = log->last_zxid;
    *ret_wall_ms = log->last_wall_ms;
    mutex_unlock(&log->lock);
}

int file_txn_snap_log_read(const struct file_txn_snap_log *log, int64_t zxid, struct txn_iterator **ret_iterator,
                           struct error *error)
{
    return txn_iterator_open(log->log_dir, zxid, false, &log->options.log, ret_iterator, error);
}

int file_txn_snap_log_survey_snapshots(const struct file_txn_snap_log *log, int64_t *ret_newest_size,
                                       int64_t **ret_zxids, size_t *ret_count, struct error *error)
{
    struct zxid_file_list snapshots;
    int err = zxid_file_list_read(log->snap_dir, SNAPSHOT_FILE_PREFIX, true, &snapshots, error);
    if (err != ZK_OK)
        return err;
    int64_t size = 0;
    if (snapshots.count > 0)
        err = file_size_of(snapshots.items[snapshots.count - 1].path, &size, error);
    if (err == ZK_OK) {
        *ret_zxids = MEMORY_NEW_ARRAY(snapshots.count, int64_t);
        for (size_t i = 0; i < snapshots.count; i++)
            (*ret_zxids)[i] = snapshots.items[i].zxid;
        *ret_count = snapshots.count;
        *ret_newest_size = size;
    }
    zxid_file_list_release(&snapshots);
    return err;
}

const char *file_txn_snap_log_data_log_dir(const struct file_txn_snap_log *log)
{
    return log->log_dir;
}

const char *file_txn_snap_log_snap_dir(const struct file_txn_snap_log *log)
{
    return log->snap_dir;
}
