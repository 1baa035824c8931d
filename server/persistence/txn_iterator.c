/*
 * txn_iterator.c - the records of all log files as one sequence.
 *
 *   log.1 [ 1 ... 50 ]   log.33 [ 51 ... 80, torn 81 ]   log.51 [ 81 ... ]
 *
 * Mirrors FileTxnLog.FileTxnIterator. Departs from Java, which takes whatever comes for the continuation:
 * (1) from the zxid asked for on, each record follows the one before: zxid + 1, or the first (0 or 1) of a later epoch.
 *     Java logs every zxid that it gives out, failed transactions too, so anything else is a hole. What lies before the
 *     zxid asked for may have holes: a learner that was sent a snapshot goes on behind it.
 * (2) a torn record may end any file, as a Java server leaves it there; (1) tells whether something is missing;
 * (3) a file without records is fine at the end only.
 * A zxid that comes again, or an older one, is given out as it stands: to skip it is the caller's (Java logs a request
 * it could not read under the zxid of the one before).
 */
#include "server/persistence/txn_iterator.h"

#include <inttypes.h>

#include "common/base/log.h"
#include "common/base/memory.h"
#include "common/base/strings.h"
#include "common/wire/zxid.h"

struct txn_iterator {
    struct file_txn_log_options options;
    int64_t from;
    struct zxid_file_list files;
    struct log_ending *endings;    /* of files[0 .. ended - 1] */
    size_t opened, ended;
    struct log_file *file;    /* files[opened - 1], NULL before the first and behind the last */
    int64_t last_zxid;        /* -1 before the first record */
    size_t last_file;         /* whose record that was */
    int64_t offset;
    bool has_pending;    /* a record that open() went forward to */
    struct log_record pending;
};

/* Drops the files that hold nothing at or behind `zxid`: all before the last that begins below it. */
static void drop_older_files(struct zxid_file_list *files, int64_t zxid)
{
    size_t first = 0;
    for (size_t i = 0; i < files->count && files->items[i].zxid < zxid; i++)
        first = i;
    for (size_t i = 0; i < first; i++)
        memory_free(files->items[i].path);
    for (size_t i = first; i < files->count; i++)
        files->items[i - first] = files->items[i];
    files->count -= first;
}

static int open_next_file(struct txn_iterator *iterator, struct error *error)
{
    if (iterator->opened == iterator->files.count)
        return ZK_EOF;
    const char *path = iterator->files.items[iterator->opened].path;
    int err = log_file_open(path, iterator->options.max_record_size, &iterator->file, error);
    if (err == ZK_NOT_FOUND)
        return error_set(error, ZK_IO, "%s was removed while the logs were read", path);
    if (err != ZK_OK)
        return err;
    log_debug("reading log file %s", path);
    iterator->opened++;
    return ZK_OK;
}

static void close_file(struct txn_iterator *iterator)
{
    size_t index = iterator->ended++;
    struct log_ending *ending = &iterator->endings[index];
    ending->path = iterator->files.items[index].path;
    ending->has_record = iterator->last_zxid >= 0 && iterator->last_file == index;
    ending->end = log_file_end(iterator->file, &ending->whole_end, &ending->torn_end);
    log_file_close(iterator->file);
    iterator->file = NULL;
}

/* Holds a record against the one before and the files in between (1, 3). */
static int check_continuity(const struct txn_iterator *iterator, const struct log_record *record, struct error *error)
{
    size_t first_between = iterator->last_zxid >= 0 ? iterator->last_file + 1 : 0;
    for (size_t i = first_between; i < iterator->ended; i++) {
        int64_t missing = iterator->files.items[i].zxid;
        if (missing >= iterator->from && missing > iterator->last_zxid && missing < record->zxid)
            return error_set(error, ZK_CORRUPT,
                             "%s should hold transactions from 0x%" PRIx64
                             " on but is empty, and there is a later log %s",
                             iterator->files.items[i].path, (uint64_t)missing, log_file_path(iterator->file));
    }
    int64_t last = iterator->last_zxid;
    if (last < 0 || record->zxid <= last || record->zxid <= iterator->from || zxid_follows(last, record->zxid))
        return ZK_OK;
    return error_set(error, ZK_CORRUPT,
                     "transactions are missing: 0x%" PRIx64 " at the end of %s is followed by 0x%" PRIx64 " at %" PRId64
                     " of %s",
                     (uint64_t)last, iterator->files.items[iterator->last_file].path, (uint64_t)record->zxid,
                     record->offset, log_file_path(iterator->file));
}

static int read_next(struct txn_iterator *iterator, struct log_record *ret_record, struct error *error)
{
    for (;;) {
        int err = iterator->file == NULL ? open_next_file(iterator, error) : ZK_OK;
        if (err != ZK_OK)
            return err;
        err = log_file_next(iterator->file, ret_record, error);
        if (err == ZK_OK)
            err = check_continuity(iterator, ret_record, error);
        if (err == ZK_OK) {
            iterator->last_zxid = ret_record->zxid;
            iterator->last_file = iterator->opened - 1;
            return ZK_OK;
        }
        if (err != ZK_EOF)
            return err;
        close_file(iterator);
    }
}

bool zxid_follows(int64_t previous, int64_t next)
{
    return next > previous &&
           (next - 1 == previous || (zxid_epoch(next) > zxid_epoch(previous) && zxid_counter(next) <= 1));
}

int txn_iterator_open(const char *directory, int64_t zxid, bool fast_forward,
                      const struct file_txn_log_options *options, struct txn_iterator **ret_iterator,
                      struct error *error)
{
    struct txn_iterator *iterator = MEMORY_NEW(struct txn_iterator);
    iterator->options = *options;
    iterator->from = zxid;
    iterator->last_zxid = -1;
    int err = zxid_file_list_read(directory, LOG_FILE_PREFIX, true, &iterator->files, error);
    if (err == ZK_OK) {
        drop_older_files(&iterator->files, zxid);
        iterator->endings = MEMORY_NEW_ARRAY(iterator->files.count, struct log_ending);
    }
    while (err == ZK_OK && fast_forward && !iterator->has_pending) {
        err = read_next(iterator, &iterator->pending, error);
        iterator->has_pending = err == ZK_OK && iterator->pending.zxid >= zxid;
    }
    if (err != ZK_OK && err != ZK_EOF) {
        txn_iterator_close(iterator);
        return err;
    }
    *ret_iterator = iterator;
    return ZK_OK;
}

int txn_iterator_next_record(struct txn_iterator *iterator, struct log_record *ret_record, struct error *error)
{
    if (iterator->has_pending) {
        *ret_record = iterator->pending;
        iterator->has_pending = false;
    } else {
        int err = read_next(iterator, ret_record, error);
        if (err != ZK_OK)
            return err;
    }
    iterator->offset = ret_record->offset;
    return ZK_OK;
}

const struct log_ending *txn_iterator_endings(const struct txn_iterator *iterator, size_t *ret_count)
{
    *ret_count = iterator->ended;
    return iterator->endings;
}

int txn_iterator_next(struct txn_iterator *iterator, struct txn **ret_txn, struct error *error)
{
    struct log_record record;
    int err = txn_iterator_next_record(iterator, &record, error);
    if (err != ZK_OK)
        return err;
    struct blob *bytes = blob_new_copy(record.bytes, record.size);
    err = txn_new_from_bytes(bytes, &iterator->options.rules, ret_txn, error);
    blob_unref(bytes);
    if (err != ZK_OK)
        error_prefix(error, "%s cannot be read at %" PRId64 ", zxid 0x%" PRIx64, txn_iterator_path(iterator),
                     record.offset, (uint64_t)record.zxid);
    return err;
}

int txn_iterator_next_bytes(struct txn_iterator *iterator, int64_t *ret_zxid, struct slice *ret_bytes,
                            struct error *error)
{
    struct log_record record;
    int err = txn_iterator_next_record(iterator, &record, error);
    if (err != ZK_OK)
        return err;
    *ret_zxid = record.zxid;
    *ret_bytes = (struct slice){ .bytes = record.bytes, .size = record.size };
    return ZK_OK;
}

const char *txn_iterator_path(const struct txn_iterator *iterator)
{
    return iterator->last_zxid >= 0 ? iterator->files.items[iterator->last_file].path : "";
}

int64_t txn_iterator_offset(const struct txn_iterator *iterator)
{
    return iterator->offset;
}

int64_t txn_iterator_storage_size(const struct txn_iterator *iterator)
{
    int64_t total = 0, size;
    for (size_t i = 0; i < iterator->files.count; i++) {
        if (file_size_of(iterator->files.items[i].path, &size, NULL) == ZK_OK)
            total += size;
    }
    return total;
}

void txn_iterator_close(struct txn_iterator *iterator)
{
    if (iterator == NULL)
        return;
    log_file_close(iterator->file);
    zxid_file_list_release(&iterator->files);
    memory_free(iterator->endings);
    memory_free(iterator);
}
