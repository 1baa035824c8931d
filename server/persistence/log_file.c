/*
 * log_file.c - reads one log file and says how it ends.
 *
 *   "ZKLG" 2 0 | checksum length bytes 'B' | checksum length bytes 'B' | zeros ...
 *
 * Mirrors FileTxnLog.FileTxnIterator and Util.readTxnBytes, which take any record that is not whole for the end. Here
 * the end must prove itself, since what a crash leaves and what a bad disk leaves call for opposite answers. A record
 * is torn, and no more than a promise nobody has got, if all of this holds:
 * (1) bytes of it are missing: the file ends, its end mark is zero, or a whole page in it is;
 * (2) nothing but zeros stands behind it;
 * (3) neither it, taken with another length, nor anything inside it is a whole record: no length was falsified.
 * Everything else that does not fit is damage, of what may have been acknowledged, unless it stands behind the mark of
 * what is known to be durable (durable_mark.h): there the sectors of what was being written may have come to the disk
 * in any order, and whatever is not whole ends the log.
 */
#include "server/persistence/log_file.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include "common/base/adler32.h"
#include "common/base/file.h"
#include "common/base/memory.h"
#include "common/wire/jute.h"
#include "server/persistence/durable_mark.h"
#include "server/persistence/file_names.h"
#include "server/persistence/file_txn_log.h"

#define WINDOW ((size_t)256 * 1024)
#define RECORD_HEAD ((size_t)12)         /* checksum and length */
#define LEAST_TXN ((size_t)32)           /* a txn header */
#define ZXID_AT 12                       /* in a txn header: client id, cxid, zxid, time, type */
#define TYPE_AT 28
#define END_MARK 'B'
#define PAGE ((int64_t)4096)
#define LOOK_AHEAD ((int64_t)2 * 1024 * 1024)
#define STRETCH ((int64_t)256 * 1024)
#define ATTEMPTS 3    /* at a record that does not fit, while somebody else may be writing it */

static const uint8_t file_header[LOG_FILE_HEADER_SIZE] = {'Z', 'K', 'L', 'G', 0, 0, 0, TXN_LOG_VERSION};

struct log_file {
    struct file *file;
    int64_t name_zxid;
    int64_t size;
    int32_t max_record_size;
    int64_t offset;    /* of the next record */
    bool has_record;
    enum log_file_end end;
    int64_t torn_end;
    uint8_t *window;    /* bytes from window_start on */
    size_t window_capacity, window_size;
    int64_t window_start;
};

struct damage {
    const char *reason;
    int64_t at;
};

/* *ret_bytes are the `size` bytes at `offset`, all of them before the end, until the next call. */
static int look(struct log_file *file, int64_t offset, size_t size, const uint8_t **ret_bytes, struct error *error)
{
    assert(offset >= 0 && (int64_t)size <= file->size - offset);
    if (offset < file->window_start || offset + (int64_t)size > file->window_start + (int64_t)file->window_size) {
        size_t capacity = size > WINDOW ? size : WINDOW;
        if (capacity > file->window_capacity) {
            memory_free(file->window);
            file->window = memory_alloc(capacity);
            file->window_capacity = capacity;
        }
        int64_t left = file->size - offset;
        size_t wanted = left < (int64_t)file->window_capacity ? (size_t)left : file->window_capacity;
        file->window_size = 0;
        file->window_start = offset;
        int err = file_pread(file->file, file->window, wanted, offset, &file->window_size, error);
        if (err != ZK_OK)
            return err;
        if (file->window_size < wanted)
            return error_set(error, ZK_IO, "%s became shorter while it was read", file_path(file->file));
    }
    *ret_bytes = file->window + (offset - file->window_start);
    return ZK_OK;
}

/* Forgets what was read. */
static void drop_window(struct log_file *file)
{
    file->window_size = 0;
}

static bool all_zero(const uint8_t *bytes, size_t size)
{
    return size == 0 || (bytes[0] == 0 && memcmp(bytes, bytes + 1, size - 1) == 0);
}

/* Where the last byte that is not zero ends; `size` bytes, not all zero. */
static size_t used_size(const uint8_t *bytes, size_t size)
{
    while (bytes[size - 1] == 0)
        size--;
    return size;
}

/* Goes from *at, over a hole, to where something was written; file->size when nothing was. */
static int skip_hole(struct log_file *file, int64_t *at, struct error *error)
{
    int err = file_next_data(file->file, *at, at, error);
    if (err == ZK_EOF || (err == ZK_OK && *at > file->size)) {
        *at = file->size;
        return ZK_OK;
    }
    return err;
}

/*
 * Where zeros were written as far as preAllocSize, or the file system does not tell holes from zeros, reading all of
 * them would take longer than all else at a start: one page of each stretch is looked at. Adds to *end what is found.
 */
static int probe_zeros(struct log_file *file, int64_t from, int64_t *end, struct error *error)
{
    uint8_t page[PAGE];
    for (int64_t at = from; at < file->size; at += STRETCH) {
        size_t got;
        int err = skip_hole(file, &at, error);
        if (err == ZK_OK)
            err = file_pread(file->file, page, sizeof(page), at, &got, error);
        if (err != ZK_OK)
            return err;
        if (!all_zero(page, got))
            *end = at + (int64_t)used_size(page, got);
    }
    return ZK_OK;
}

/* The end of the last byte at or behind `from` that is not zero; `from` when there is none. */
static int find_data_end(struct log_file *file, int64_t from, int64_t *ret_end, struct error *error)
{
    int64_t end = from, at = from, zeros = 0;
    while (at < file->size && zeros < LOOK_AHEAD) {
        int err = skip_hole(file, &at, error);
        if (err != ZK_OK)
            return err;
        size_t size = file->size - at < (int64_t)WINDOW ? (size_t)(file->size - at) : WINDOW;
        const uint8_t *bytes;
        err = look(file, at, size, &bytes, error);
        if (err != ZK_OK)
            return err;
        zeros += (int64_t)size;
        if (!all_zero(bytes, size)) {
            end = at + (int64_t)used_size(bytes, size);
            zeros = 0;
        }
        at += (int64_t)size;
    }
    int err = probe_zeros(file, at, &end, error);
    if (err == ZK_OK)
        *ret_end = end;
    return err;
}

static bool is_whole_record(const uint8_t *bytes, size_t available)
{
    if (available < RECORD_HEAD + LEAST_TXN + 1 || load_be32(bytes) != 0)
        return false;
    size_t length = load_be32(bytes + 8);
    if (length < LEAST_TXN || length > available - LOG_RECORD_OVERHEAD || bytes[RECORD_HEAD + length] != END_MARK)
        return false;
    return adler32_update(ADLER32_START, bytes + RECORD_HEAD, length) == load_be32(bytes + 4);
}

/* (3): whether the bytes are a whole record if their length is not believed, or hold one. */
static bool hides_record(const uint8_t *bytes, size_t size)
{
    uint32_t sum = ADLER32_START;
    for (size_t at = RECORD_HEAD; at < size;) {
        const uint8_t *mark = memchr(bytes + at, END_MARK, size - at);
        if (mark == NULL)
            break;
        size_t next = (size_t)(mark - bytes);
        sum = adler32_update(sum, bytes + at, next - at);
        if (next > RECORD_HEAD && sum == load_be32(bytes + 4))
            return true;
        sum = adler32_update(sum, mark, 1);
        at = next + 1;
    }
    for (size_t at = 1; at < size; at++) {
        if (bytes[at] == 0 && is_whole_record(bytes + at, size - at))
            return true;
    }
    return false;
}

/* Whether a page of the file that lies in [from, to) is all zeros. */
static bool has_zero_page(const uint8_t *bytes, int64_t from, int64_t to)
{
    for (int64_t page = (from + PAGE - 1) / PAGE * PAGE; page + PAGE <= to; page += PAGE) {
        if (all_zero(bytes + (page - from), (size_t)PAGE))
            return true;
    }
    return false;
}

static int finish(struct log_file *file, enum log_file_end end, int64_t torn_end)
{
    file->end = end;
    file->torn_end = torn_end;
    return ZK_EOF;
}

static bool is_behind_durable(const struct log_file *file, int64_t offset)
{
    char *directory = path_directory(file_path(file->file));
    int64_t durable = durable_mark_of(directory, file->name_zxid);
    memory_free(directory);
    return durable >= 0 && offset >= durable;
}

/* What stands at file->offset, where no whole record does: ZK_EOF, or ZK_CORRUPT with the damage. */
static int classify_end(struct log_file *file, struct damage *ret_damage, struct error *error)
{
    int64_t start = file->offset, data_end;
    int err = find_data_end(file, start, &data_end, error);
    if (err != ZK_OK)
        return err;
    if (data_end == start)
        return finish(file, LOG_FILE_ENDS_CLEAN, start);
    if (file->size - start < (int64_t)RECORD_HEAD || data_end <= start + (int64_t)RECORD_HEAD
        || is_behind_durable(file, start))
        return finish(file, LOG_FILE_ENDS_TORN, data_end);

    const uint8_t *bytes;
    err = look(file, start, RECORD_HEAD, &bytes, error);
    if (err != ZK_OK)
        return err;
    int32_t length = (int32_t)load_be32(bytes + 8);
    int64_t end = start + LOG_RECORD_OVERHEAD + length;
    *ret_damage = (struct damage){NULL, start};
    if (all_zero(bytes, RECORD_HEAD))
        *ret_damage = (struct damage){"the log ends there, but there are bytes behind it", data_end - 1};
    else if (load_be32(bytes) != 0)
        ret_damage->reason = "its checksum cannot be";
    else if (length < (int32_t)LEAST_TXN || length > file->max_record_size)
        ret_damage->reason = "its length cannot be";
    else if (data_end > end)
        ret_damage->reason = "its checksum or its end mark is wrong, and there are bytes behind it";
    if (ret_damage->reason != NULL)
        return ZK_CORRUPT;

    size_t available = (size_t)((end < file->size ? end : file->size) - start);
    err = look(file, start, available, &bytes, error);
    if (err != ZK_OK)
        return err;
    bool is_cut = end > file->size || bytes[available - 1] == 0;
    if (!is_cut && bytes[available - 1] != END_MARK)
        ret_damage->reason = "its end mark is wrong";
    else if (!is_cut && !has_zero_page(bytes, start, end))
        ret_damage->reason = "its checksum is wrong";
    else if (hides_record(bytes, available))
        ret_damage->reason = "its length is wrong";
    return ret_damage->reason != NULL ? ZK_CORRUPT : finish(file, LOG_FILE_ENDS_TORN, data_end);
}

/* The record at file->offset; ZK_EOF when there is no whole one. */
static int read_record(struct log_file *file, struct log_record *ret_record, struct error *error)
{
    int64_t left = file->size - file->offset;
    if (left < (int64_t)(RECORD_HEAD + LEAST_TXN + 1))
        return ZK_EOF;
    const uint8_t *bytes;
    int err = look(file, file->offset, RECORD_HEAD, &bytes, error);
    if (err != ZK_OK)
        return err;
    int64_t length = (int32_t)load_be32(bytes + 8);
    if (length < (int64_t)LEAST_TXN || length > file->max_record_size || length > left - LOG_RECORD_OVERHEAD)
        return ZK_EOF;
    size_t size = LOG_RECORD_OVERHEAD + (size_t)length;
    err = look(file, file->offset, size, &bytes, error);
    if (err != ZK_OK)
        return err;
    if (!is_whole_record(bytes, size))
        return ZK_EOF;
    const uint8_t *txn = bytes + RECORD_HEAD;
    *ret_record = (struct log_record){.zxid = (int64_t)load_be64(txn + ZXID_AT),
                                      .type = (int32_t)load_be32(txn + TYPE_AT),
                                      .bytes = txn,
                                      .size = (size_t)length,
                                      .offset = file->offset};
    return ZK_OK;
}

/* A header that was never written to its end is the file's end; anything else that is no header is damage. */
static int read_header(struct log_file *file, struct error *error)
{
    const char *path = file_path(file->file);
    const uint8_t *bytes = NULL;
    size_t available = file->size < LOG_FILE_HEADER_SIZE ? (size_t)file->size : LOG_FILE_HEADER_SIZE;
    int err = look(file, 0, available, &bytes, error);
    if (err != ZK_OK)
        return err;
    if (available == LOG_FILE_HEADER_SIZE && memcmp(bytes, file_header, LOG_FILE_HEADER_SIZE) == 0) {
        file->offset = LOG_FILE_HEADER_SIZE;
        return ZK_OK;
    }
    size_t same = 0;
    while (same < available && bytes[same] == file_header[same])
        same++;
    int64_t data_end;
    err = find_data_end(file, 0, &data_end, error);
    if (err != ZK_OK)
        return err;
    if (data_end <= (int64_t)same || (all_zero(bytes + same, available - same) && is_behind_durable(file, 0))) {
        finish(file, data_end == 0 ? LOG_FILE_ENDS_CLEAN : LOG_FILE_ENDS_TORN, data_end);
        return ZK_OK;
    }
    if (same < 4)
        return error_set(error, ZK_CORRUPT, "%s is not a transaction log: it does not begin with ZKLG", path);
    if (same < 8)
        return error_set(error, ZK_CORRUPT, "%s is not a transaction log of version %d", path, TXN_LOG_VERSION);
    return error_set(error, ZK_CORRUPT, "%s belongs to another database: its header has an id that is not 0", path);
}

/* What a record must be in its place, beyond being whole. */
static int check_record(struct log_file *file, const struct log_record *record, struct error *error)
{
    if (record->zxid < 0)
        return error_set(error, ZK_CORRUPT, "%s is damaged at %" PRId64 ": a record has the zxid 0x%" PRIx64,
                         file_path(file->file), record->offset, (uint64_t)record->zxid);
    if (!file->has_record && file->name_zxid >= 0 && record->zxid != file->name_zxid)
        return error_set(error, ZK_CORRUPT, "%s begins with zxid 0x%" PRIx64 ", which is not that of its name",
                         file_path(file->file), (uint64_t)record->zxid);
    return ZK_OK;
}

int log_file_open(const char *path, int32_t max_record_size, struct log_file **ret_file, struct error *error)
{
    struct log_file *file = MEMORY_NEW(struct log_file);
    file->max_record_size = max_record_size;
    file->window = memory_alloc(WINDOW);
    file->window_capacity = WINDOW;
    const char *slash = strrchr(path, '/');
    file->name_zxid = file_name_zxid(slash != NULL ? slash + 1 : path, LOG_FILE_PREFIX);
    int err = file_open(path, FILE_READ, &file->file, error);
    if (err == ZK_OK)
        err = file_size(file->file, &file->size, error);
    if (err == ZK_OK)
        err = read_header(file, error);
    if (err != ZK_OK) {
        log_file_close(file);
        return err;
    }
    *ret_file = file;
    return ZK_OK;
}

void log_file_close(struct log_file *file)
{
    if (file == NULL)
        return;
    file_close(file->file, NULL);
    memory_free(file->window);
    memory_free(file);
}

const char *log_file_path(const struct log_file *file)
{
    return file_path(file->file);
}

int log_file_next(struct log_file *file, struct log_record *ret_record, struct error *error)
{
    if (file->end != LOG_FILE_GOES_ON)
        return ZK_EOF;
    struct damage damage = {0};
    int err = ZK_CORRUPT;
    for (int attempt = 0; err == ZK_CORRUPT && attempt < ATTEMPTS; attempt++) {
        if (attempt > 0)
            drop_window(file);
        err = read_record(file, ret_record, error);
        if (err == ZK_EOF)
            err = classify_end(file, &damage, error);
    }
    if (err == ZK_CORRUPT)
        return error_set(error, ZK_CORRUPT,
                         "%s is damaged at %" PRId64 ", in the record that begins at %" PRId64 ": %s",
                         file_path(file->file), damage.at, file->offset, damage.reason);
    if (err != ZK_OK)
        return err;
    err = check_record(file, ret_record, error);
    if (err != ZK_OK)
        return err;
    file->has_record = true;
    file->offset += LOG_RECORD_OVERHEAD + (int64_t)ret_record->size;
    return ZK_OK;
}

enum log_file_end log_file_end(const struct log_file *file, int64_t *ret_end, int64_t *ret_torn_end)
{
    *ret_end = file->offset;
    *ret_torn_end = file->torn_end;
    return file->end;
}
