/*
 * file_txn_log.c - the writing half of the transaction log.
 *
 *   append: record --> segment.pending --+               roll: a new segment begins
 *   commit: for each segment, in order   '--> pwrite, zeros ahead, fdatasync; then a directory sync if a file is new
 *
 * Mirrors FileTxnLog.append, commit and rollLog. Invariants:
 * (1) a file comes into being only when the one before it is written and synced, so only the last one can be torn;
 * (2) what commit() returned ZK_OK for is on the disk under a name that is on the disk;
 * (3) within a file no zxid is left out and none goes back, as a restart would refuse the gap; only the error of a
 *     request nobody could read is logged under the zxid before it, as Java does;
 * (4) after an error every call returns that error;
 * (5) what a failed sync left unwritten is cut off, as far as that goes: the kernel takes it for written from then on,
 *     so the next start would read it, and count on it.
 * Departs from Java: sizes count bytes written, not the padding.
 */
#include "server/persistence/file_txn_log.h"

#include <assert.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <string.h>

#include "common/base/adler32.h"
#include "common/base/clock.h"
#include "common/base/file.h"
#include "common/base/log.h"
#include "common/base/memory.h"
#include "common/base/strings.h"
#include "common/wire/jute.h"
#include "common/wire/zxid.h"
#include "server/persistence/durable_mark.h"
#include "server/persistence/file_names.h"
#include "server/persistence/file_padding.h"
#include "server/persistence/log_file.h"

#define WRITE_AT ((size_t)1024 * 1024)         /* bytes gathered that are written without waiting for the commit */
#define KEPT_CAPACITY ((size_t)256 * 1024)    /* of a buffer that is kept from commit to commit */

struct segment {    /* one file, made or to be made */
    struct segment *next;
    char *path;
    struct file *file;    /* NULL while it is not made */
    struct file_padding padding;
    int64_t position;    /* bytes written */
    int64_t durable;     /* of them, bytes that were synced */
    bool is_rolled;      /* nothing more comes in */
    int64_t first_zxid;  /* which its name has */
    int64_t last_zxid;
    struct buffer pending;    /* whole records, not written */
};

struct file_txn_log {
    char *directory;
    struct file_txn_log_options options;
    struct server_metrics *metrics;
    struct server_stats *stats;
    struct segment *first, *last;    /* oldest first; NULL when no file is open */
    bool has_new_name;               /* a file was made since the directory was synced */
    struct durable_mark *mark;       /* NULL until a file is made, and without force_sync */
    struct error failure;            /* code 0 while all is well */
    _Atomic int64_t last_sync_ms;
    _Atomic int64_t total_size;
};

static int fail(struct file_txn_log *log, const struct error *cause, struct error *error)
{
    log->failure = *cause;
    return error_set(error, cause->code, "%s", cause->text);
}

static int past_failure(const struct file_txn_log *log, struct error *error)
{
    return log->failure.code == ZK_OK ? ZK_OK : error_set(error, log->failure.code, "%s", log->failure.text);
}

static struct segment *add_segment(struct file_txn_log *log, int64_t zxid)
{
    struct segment *segment = MEMORY_NEW(struct segment);
    char *name = log_file_name(zxid);
    segment->path = path_join(log->directory, name);
    memory_free(name);
    segment->first_zxid = zxid;
    segment->last_zxid = -1;
    segment->padding.pre_alloc_size = log->options.pre_alloc_size;
    if (log->last != NULL)
        log->last->next = segment;
    else
        log->first = segment;
    log->last = segment;
    return segment;
}

static void free_segment(struct segment *segment)
{
    file_close(segment->file, NULL);
    buffer_release(&segment->pending);
    memory_free(segment->path);
    memory_free(segment);
}

static int make_file(struct file_txn_log *log, struct segment *segment, struct error *error)
{
    log_info("creating new log file %s", segment->path);
    int err = file_open(segment->path, FILE_CREATE_NEW, &segment->file, error);
    if (err == ZK_OK && log->mark == NULL && log->options.force_sync)
        err = durable_mark_open(log->directory, &log->mark, error);
    if (err != ZK_OK)
        return err;
    log->has_new_name = true;
    uint8_t header[LOG_FILE_HEADER_SIZE] = {0};
    store_be32(header, TXN_LOG_MAGIC);
    store_be32(header + 4, TXN_LOG_VERSION);
    err = file_pwrite(segment->file, header, sizeof(header), 0, error);
    if (err != ZK_OK)
        return err;
    segment->position = sizeof(header);
    segment->padding.size = segment->position;
    return ZK_OK;
}

static int write_segment(struct file_txn_log *log, struct segment *segment, struct error *error)
{
    if (segment->pending.size == 0)
        return ZK_OK;
    int err = segment->file == NULL ? make_file(log, segment, error) : ZK_OK;
    if (err == ZK_OK)
        err = file_padding_extend(&segment->padding, segment->file, segment->position, error);
    if (err == ZK_OK)
        err = file_pwrite(segment->file, segment->pending.bytes, segment->pending.size, segment->position, error);
    if (err != ZK_OK)
        return err;
    segment->position += (int64_t)segment->pending.size;
    buffer_clear(&segment->pending);
    if (segment->pending.capacity > KEPT_CAPACITY)
        buffer_release(&segment->pending);
    return segment->is_rolled ? ZK_OK : file_padding_fill(&segment->padding, segment->file, segment->position, error);
}

static int sync_segment(struct file_txn_log *log, struct segment *segment, struct error *error)
{
    if (!log->options.force_sync || segment->file == NULL)
        return ZK_OK;
    int64_t start_ns = clock_elapsed_ns();
    int err = file_sync(segment->file, error);
    if (err != ZK_OK) {
        file_truncate(segment->file, segment->durable, NULL);    /* (5) */
        return err;
    }
    segment->durable = segment->position;
    durable_mark_set(log->mark, segment->first_zxid, segment->durable);
    int64_t elapsed_ms = (clock_elapsed_ns() - start_ns) / 1000000;
    atomic_store_explicit(&log->last_sync_ms, elapsed_ms, memory_order_relaxed);
    server_metrics_sample(log->metrics, METRIC_FSYNC_TIME, elapsed_ms);
    if (elapsed_ms <= log->options.fsync_warning_threshold_ms)
        return ZK_OK;
    if (log->stats != NULL)
        atomic_fetch_add_explicit(&log->stats->fsync_threshold_exceed_count, 1, memory_order_relaxed);
    log_warn("fsync of %s took %" PRId64 " ms, writes wait for it; %" PRId64 " bytes long", segment->path, elapsed_ms,
             segment->position);
    return ZK_OK;
}

/* Everything before the last segment: written, synced, closed (1). */
static int finish_rolled(struct file_txn_log *log, struct error *error)
{
    while (log->first != log->last) {
        struct segment *segment = log->first;
        int err = write_segment(log, segment, error);
        if (err == ZK_OK)
            err = sync_segment(log, segment, error);
        struct file *file = segment->file;
        segment->file = NULL;
        int close_err = file_close(file, err == ZK_OK ? error : NULL);
        if (err == ZK_OK)
            err = close_err;
        if (err != ZK_OK)
            return err;
        log->first = segment->next;
        free_segment(segment);
    }
    return ZK_OK;
}

static int write_out(struct file_txn_log *log, struct error *error)
{
    int err = finish_rolled(log, error);
    return err == ZK_OK && log->last != NULL ? write_segment(log, log->last, error) : err;
}

/* (3) */
static int check_order(const struct segment *segment, const struct txn_header *header, struct error *error)
{
    int64_t last = segment->last_zxid, zxid = header->zxid;
    bool is_next = last < 0 || zxid == last + 1 || (zxid > last && zxid_epoch(zxid) != zxid_epoch(last));
    if (is_next || (zxid == last && header->type == OP_ERROR))
        return ZK_OK;
    return error_set(error, ZK_RUNTIME_INCONSISTENCY,
                     "transaction 0x%" PRIx64 " does not follow 0x%" PRIx64 ", the last one of %s", (uint64_t)zxid,
                     (uint64_t)last, segment->path);
}

static void append_record(struct buffer *pending, const struct blob *bytes)
{
    uint8_t *record = buffer_extend(pending, LOG_RECORD_OVERHEAD + bytes->size);
    store_be64(record, adler32_update(ADLER32_START, bytes->bytes, bytes->size));
    store_be32(record + 8, bytes->size);
    memcpy(record + 12, bytes->bytes, bytes->size);
    record[12 + bytes->size] = 'B';
}

struct file_txn_log *file_txn_log_new(const char *directory, const struct file_txn_log_options *options,
                                      struct server_metrics *metrics, struct server_stats *stats)
{
    struct file_txn_log *log = MEMORY_NEW(struct file_txn_log);
    log->directory = string_copy(directory);
    log->options = *options;
    log->metrics = metrics;
    log->stats = stats;
    atomic_init(&log->last_sync_ms, -1);
    return log;
}

void file_txn_log_free(struct file_txn_log *log)
{
    if (log == NULL)
        return;
    while (log->first != NULL) {
        struct segment *next = log->first->next;
        free_segment(log->first);
        log->first = next;
    }
    durable_mark_close(log->mark);
    memory_free(log->directory);
    memory_free(log);
}

int file_txn_log_append(struct file_txn_log *log, struct txn *txn, struct error *error)
{
    int err = past_failure(log, error);
    if (err != ZK_OK)
        return err;
    struct error cause LEFT_AS_IT_IS;
    error_init(&cause);
    struct segment *segment = log->last;
    if (segment == NULL || (segment->is_rolled && txn->header.zxid != segment->last_zxid))
        segment = add_segment(log, txn->header.zxid);
    err = check_order(segment, &txn->header, &cause);
    if (err == ZK_OK && (int64_t)txn->bytes->size > log->options.max_record_size)
        err =
            error_set(&cause, ZK_TOO_LARGE, "transaction 0x%" PRIx64 " has %" PRIu32 " bytes, a log may hold %" PRId32,
                      (uint64_t)txn->header.zxid, txn->bytes->size, log->options.max_record_size);
    if (err != ZK_OK)
        return fail(log, &cause, error);
    append_record(&segment->pending, txn->bytes);
    segment->last_zxid = txn->header.zxid;
    atomic_fetch_add_explicit(&log->total_size, LOG_RECORD_OVERHEAD + (int64_t)txn->bytes->size, memory_order_relaxed);
    if (segment->pending.size < WRITE_AT)
        return ZK_OK;
    err = write_out(log, &cause);
    return err == ZK_OK ? ZK_OK : fail(log, &cause, error);
}

int file_txn_log_commit(struct file_txn_log *log, struct error *error)
{
    int err = past_failure(log, error);
    if (err != ZK_OK || log->last == NULL)
        return err;
    struct error cause = {0};
    err = write_out(log, &cause);
    if (err == ZK_OK)
        err = sync_segment(log, log->last, &cause);
    if (err == ZK_OK && log->has_new_name && log->options.force_sync)
        err = directory_sync(log->directory, &cause);
    if (err != ZK_OK)
        return fail(log, &cause, error);
    log->has_new_name = false;
    if (log->options.size_limit > 0 && log->last->position > log->options.size_limit) {
        log_debug("%s has reached %" PRId64 " bytes, the next transaction opens a new log", log->last->path,
                  log->last->position);
        file_txn_log_roll(log);
    }
    return ZK_OK;
}

void file_txn_log_roll(struct file_txn_log *log)
{
    if (log->last != NULL)
        log->last->is_rolled = true;
}

int64_t file_txn_log_last_sync_ms(struct file_txn_log *log)
{
    return atomic_load_explicit(&log->last_sync_ms, memory_order_relaxed);
}

int64_t file_txn_log_total_size(struct file_txn_log *log)
{
    return atomic_load_explicit(&log->total_size, memory_order_relaxed);
}

void file_txn_log_set_total_size(struct file_txn_log *log, int64_t size)
{
    atomic_store_explicit(&log->total_size, size, memory_order_relaxed);
}
