/*
 * file_txn_log_repair.c - where the log of a directory ends, and giving it another end.
 *
 * Mirrors FileTxnLog.getLastLoggedZxid, getLogFiles and truncate. Departs from Java:
 * (1) a torn record is cut off before anything is logged again, and its bytes are kept in torn.<log file>.<offset>
 *     (a name that no Java server takes for a log);
 * (2) truncate finds the very zxid or changes nothing, removes later files first and from the end, so that a crash
 *     leaves a log that is too long but whole, and syncs directory and file;
 * (3) a cut is a shorter copy under the old name: after a failed sync the whole file is there, before and behind a
 *     restart and a loss of power;
 * (4) what is read at the start is written again, where it is not known to be durable, and synced before anybody counts
 *     on it.
 */
#include "server/persistence/file_txn_log_repair.h"

#include <inttypes.h>
#include <string.h>

#include "common/base/file.h"
#include "common/base/log.h"
#include "common/base/memory.h"
#include "common/base/strings.h"
#include "server/persistence/durable_mark.h"

#define COPY_STEP ((size_t)1 << 20)

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash != NULL ? slash + 1 : path;
}

/* The bytes [from, to) of a file into another one, durable. */
static int keep_bytes(const char *path, int64_t from, int64_t to, const char *kept_path, struct error *error)
{
    struct file *file = NULL;
    int err = file_open(path, FILE_READ, &file, error);
    if (err != ZK_OK)
        return err;
    size_t size = (size_t)(to - from), got = 0;
    uint8_t *bytes = memory_alloc(size);
    err = file_pread(file, bytes, size, from, &got, error);
    if (err == ZK_OK)
        err = file_write_atomic(kept_path, bytes, got, error);
    memory_free(bytes);
    file_close(file, NULL);
    return err;
}

static int keep_torn_bytes(const char *directory, const struct log_ending *ending, struct error *error)
{
    char *name = string_format("torn.%s.%" PRId64, base_name(ending->path), ending->whole_end);
    char *kept_path = path_join(directory, name);
    int err = keep_bytes(ending->path, ending->whole_end, ending->torn_end, kept_path, error);
    if (err == ZK_OK)
        log_warn("the last record of %s, at %" PRId64 ", was never written to its end and is cut off; its %" PRId64
                 " bytes are kept in %s",
                 ending->path, ending->whole_end, ending->torn_end - ending->whole_end, kept_path);
    memory_free(name);
    memory_free(kept_path);
    return err;
}

/* The bytes [at, end) of a file to the same place of another one, or of itself. */
static int copy_bytes(struct file *from, int64_t at, int64_t end, struct file *to, struct error *error)
{
    uint8_t *bytes = memory_alloc(COPY_STEP);
    int err = ZK_OK;
    while (err == ZK_OK && at < end) {
        size_t step = end - at < (int64_t)COPY_STEP ? (size_t)(end - at) : COPY_STEP, got = 0;
        err = file_pread(from, bytes, step, at, &got, error);
        if (err == ZK_OK && got < step)
            err = error_set(error, ZK_IO, "%s has become shorter than %" PRId64 " bytes", file_path(from), end);
        if (err == ZK_OK)
            err = file_pwrite(to, bytes, step, at, error);
        at += (int64_t)step;
    }
    memory_free(bytes);
    return err;
}

/* The first `size` bytes of an open file into a new one beside it, durable but for its name. */
static int copy_beginning(struct file *from, int64_t size, const char *to_path, struct error *error)
{
    struct file *to = NULL;
    int err = file_open(to_path, FILE_CREATE, &to, error);
    if (err != ZK_OK)
        return err;
    err = copy_bytes(from, 0, size, to, error);
    if (err == ZK_OK)
        err = file_sync(to, error);
    int close_err = file_close(to, err == ZK_OK ? error : NULL);
    return err != ZK_OK ? err : close_err;
}

/* The file itself becomes shorter. */
static int cut_in_place(struct file *file, int64_t size, struct error *error)
{
    int err = file_truncate(file, size, error);
    return err == ZK_OK ? file_sync(file, error) : err;
}

/*
 * (3) A shorter copy takes the place of the file, so that the cut is there whole or not at all. Where there is no room
 * for a copy the file itself is cut.
 */
static int cut_file(const char *directory, const char *path, int64_t size, struct error *error)
{
    char *copy_path = string_format("%s.tmp", path);
    struct error cause = {0};
    struct file *file = NULL;
    int err = file_open(path, FILE_WRITE, &file, error);
    if (err == ZK_OK && copy_beginning(file, size, copy_path, &cause) == ZK_OK) {
        err = file_rename(copy_path, path, error);
        if (err == ZK_OK)
            err = directory_sync(directory, error);
    } else if (err == ZK_OK) {
        log_warn("%s is cut in its place: %s", path, cause.text);
        file_unlink(copy_path, NULL);
        err = cut_in_place(file, size, error);
    }
    int close_err = file_close(file, err == ZK_OK ? error : NULL);
    memory_free(copy_path);
    return err != ZK_OK ? err : close_err;
}

/*
 * (4) What can be read is not yet what is on the disk: the process before us may have been killed between its write and
 * its sync. Whoever votes with these transactions, or lets them be counted as acknowledged, makes them durable first.
 * After a failed sync the kernel takes what it could not write for written, and tells nobody again: so what lies behind
 * the mark is written once more. A log without a mark, as of a Java server, is synced as it is.
 */
static int settle(const char *directory, const struct log_ending *last, struct error *error)
{
    int64_t durable = durable_mark_of(directory, file_name_zxid(base_name(last->path), LOG_FILE_PREFIX));
    struct file *file = NULL;
    int err = file_open(last->path, FILE_WRITE, &file, error);
    if (err == ZK_OK && durable >= 0)
        err = copy_bytes(file, durable, last->whole_end, file, error);
    if (err == ZK_OK)
        err = file_sync(file, error);
    int close_err = file_close(file, err == ZK_OK ? error : NULL);
    return err == ZK_OK ? close_err : err;
}

/* Removes files[first ...] from the last to the first; durable. */
static int remove_files(const char *directory, const struct zxid_file_list *files, size_t first, struct error *error)
{
    int err = first < files->count ? durable_mark_forget(directory, error) : ZK_OK;
    for (size_t i = files->count; err == ZK_OK && i > first; i--) {
        log_info("removing %s", files->items[i - 1].path);
        err = file_unlink(files->items[i - 1].path, error);
    }
    return err == ZK_OK && first < files->count ? directory_sync(directory, error) : err;
}

/* Where the record of `zxid` ends, in which file; ZK_NOT_FOUND. */
static int find_record_end(const char *directory, int64_t zxid, const struct file_txn_log_options *options,
                           char **ret_path, int64_t *ret_end, struct error *error)
{
    struct txn_iterator *iterator;
    int err = txn_iterator_open(directory, zxid, true, options, &iterator, error);
    if (err != ZK_OK)
        return err;
    struct log_record record;
    bool is_found = false;
    while (err == ZK_OK) {    /* the last record of this zxid: an unreadable request is logged under the one before */
        err = txn_iterator_next_record(iterator, &record, error);
        if (err != ZK_OK || record.zxid != zxid)
            break;
        if (is_found)
            memory_free(*ret_path);
        *ret_path = string_copy(txn_iterator_path(iterator));
        *ret_end = record.offset + LOG_RECORD_OVERHEAD + (int64_t)record.size;
        is_found = true;
    }
    txn_iterator_close(iterator);
    if (is_found)    /* what is damaged behind it goes anyway */
        return ZK_OK;
    if (err == ZK_OK || err == ZK_EOF)
        return error_set(error, ZK_NOT_FOUND, "no log in %s holds zxid 0x%" PRIx64, directory, (uint64_t)zxid);
    return err;
}

/* The last zxid of one file; -1 when it holds none. */
static int last_zxid_of_file(const char *path, int32_t max_record_size, int64_t *ret_zxid, struct error *error)
{
    struct log_file *file;
    int err = log_file_open(path, max_record_size, &file, error);
    if (err != ZK_OK)
        return err;
    struct log_record record = {.zxid = -1};
    int64_t zxid = -1;
    while ((err = log_file_next(file, &record, error)) == ZK_OK)
        zxid = record.zxid > zxid ? record.zxid : zxid;
    log_file_close(file);
    if (err != ZK_EOF)
        return err;
    *ret_zxid = zxid;
    return ZK_OK;
}

int file_txn_log_repair_after(const char *directory, const struct txn_iterator *iterator, struct error *error)
{
    size_t count;
    const struct log_ending *endings = txn_iterator_endings(iterator, &count);
    int err = ZK_OK;
    for (; err == ZK_OK && count > 0 && !endings[count - 1].has_record; count--) {
        const struct log_ending *ending = &endings[count - 1];
        if (ending->end == LOG_FILE_ENDS_TORN)
            err = keep_torn_bytes(directory, ending, error);
        if (err != ZK_OK)
            break;
        log_warn("%s holds no transaction and is removed", ending->path);
        err = file_unlink(ending->path, error);
    }
    const struct log_ending *last = count > 0 ? &endings[count - 1] : NULL;
    if (err == ZK_OK && last != NULL && last->end == LOG_FILE_ENDS_TORN) {
        err = keep_torn_bytes(directory, last, error);
        if (err == ZK_OK)
            err = cut_file(directory, last->path, last->whole_end, error);
    }
    if (err == ZK_OK && last != NULL)
        err = settle(directory, last, error);
    return err == ZK_OK ? directory_sync(directory, error) : err;
}

int file_txn_log_repair_tail(const char *directory, int64_t from_zxid, const struct file_txn_log_options *options,
                             struct error *error)
{
    struct txn_iterator *iterator;
    int err = txn_iterator_open(directory, from_zxid, false, options, &iterator, error);
    if (err != ZK_OK)
        return err;
    struct log_record record;
    while (err == ZK_OK)
        err = txn_iterator_next_record(iterator, &record, error);
    if (err == ZK_EOF)
        err = file_txn_log_repair_after(directory, iterator, error);
    txn_iterator_close(iterator);
    return err;
}

int file_txn_log_last_logged_zxid(const char *directory, const struct file_txn_log_options *options,
                                  int64_t *ret_zxid, struct error *error)
{
    struct zxid_file_list files;
    int err = zxid_file_list_read(directory, LOG_FILE_PREFIX, false, &files, error);
    if (err != ZK_OK)
        return err;
    int64_t zxid = -1;
    for (size_t i = 0; err == ZK_OK && zxid < 0 && i < files.count; i++)
        err = last_zxid_of_file(files.items[i].path, options->max_record_size, &zxid, error);
    zxid_file_list_release(&files);
    if (err == ZK_OK)
        *ret_zxid = zxid;
    return err;
}

int file_txn_log_truncate(const char *directory, int64_t zxid, const struct file_txn_log_options *options,
                          struct error *error)
{
    char *path = NULL;
    int64_t end = 0;
    int err = find_record_end(directory, zxid, options, &path, &end, error);
    if (err != ZK_OK)
        return err;
    struct zxid_file_list files;
    err = zxid_file_list_read(directory, LOG_FILE_PREFIX, true, &files, error);
    if (err == ZK_OK) {
        size_t first = 0;
        while (first < files.count && strcmp(files.items[first].path, path) != 0)
            first++;
        err = remove_files(directory, &files, first < files.count ? first + 1 : first, error);
        zxid_file_list_release(&files);
    }
    if (err == ZK_OK) {
        log_info("cutting %s to %" PRId64 " bytes, behind zxid 0x%" PRIx64, path, end, (uint64_t)zxid);
        err = cut_file(directory, path, end, error);
    }
    memory_free(path);
    return err;
}

/* Where the last record of a file that is not behind `zxid` ends, and whether there are others behind it. */
static int find_end_up_to(const char *path, int64_t zxid, int32_t max_record_size, int64_t *ret_end, bool *ret_goes_on,
                          struct error *error)
{
    struct log_file *file;
    int err = log_file_open(path, max_record_size, &file, error);
    if (err != ZK_OK)
        return err;
    struct log_record record;
    int64_t end = LOG_FILE_HEADER_SIZE;
    while ((err = log_file_next(file, &record, error)) == ZK_OK && record.zxid <= zxid)
        end = record.offset + LOG_RECORD_OVERHEAD + (int64_t)record.size;
    log_file_close(file);
    *ret_goes_on = err == ZK_OK;
    *ret_end = end;
    return err == ZK_EOF ? ZK_OK : err;
}

int file_txn_log_drop_behind(const char *directory, int64_t zxid, const struct file_txn_log_options *options,
                             struct error *error)
{
    struct zxid_file_list files;
    int err = zxid_file_list_read(directory, LOG_FILE_PREFIX, true, &files, error);
    if (err != ZK_OK)
        return err;
    size_t kept = files.count;
    while (kept > 0 && files.items[kept - 1].zxid > zxid)
        kept--;
    err = remove_files(directory, &files, kept, error);
    if (err == ZK_OK && kept > 0) {
        const char *path = files.items[kept - 1].path;
        int64_t end;
        bool goes_on;
        err = find_end_up_to(path, zxid, options->max_record_size, &end, &goes_on, error);
        if (err == ZK_OK && goes_on) {
            log_info("cutting %s to %" PRId64 " bytes, what is behind zxid 0x%" PRIx64 " goes", path, end,
                     (uint64_t)zxid);
            err = cut_file(directory, path, end, error);
        }
    }
    zxid_file_list_release(&files);
    return err;
}

int file_txn_log_files(const char *directory, int64_t snapshot_zxid, struct zxid_file_list *ret_list,
                       struct error *error)
{
    struct zxid_file_list files;
    int err = zxid_file_list_read(directory, LOG_FILE_PREFIX, true, &files, error);
    if (err != ZK_OK)
        return err;
    size_t first = 0;    /* the last that begins at or before the snapshot */
    for (size_t i = 0; i < files.count && files.items[i].zxid <= snapshot_zxid; i++)
        first = i;
    for (size_t i = 0; i < first; i++)
        memory_free(files.items[i].path);
    for (size_t i = first; i < files.count; i++)
        files.items[i - first] = files.items[i];
    files.count -= first;
    *ret_list = files;
    return ZK_OK;
}
