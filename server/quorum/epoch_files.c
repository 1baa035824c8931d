/*
 * epoch_files.c - the two promises of a voter, on disk before they are made.
 *
 * Mirrors QuorumPeer.loadDataBase (its second half), readLongFromFile, writeLongToFile. Invariant:
 * (1) accepted >= current >= epoch of the last transaction, at every moment a crash may come.
 * Departs from Java: where a crash came between the transactions of a sync and the current epoch, which is written
 * behind them, (1) is restored instead of refusing to start. What was logged by then is a prefix of the history of the
 * epoch it belongs to, as a leader has it who has all that was committed, so this server is as if it had been in that
 * epoch up to its last transaction; it has accepted that epoch or a later one.
 */
#include "server/quorum/epoch_files.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include "common/base/file.h"
#include "common/base/log.h"
#include "common/base/memory.h"
#include "common/base/strings.h"
#include "common/thread/mutex.h"
#include "common/wire/zxid.h"

#define CURRENT_EPOCH_FILE "currentEpoch"
#define ACCEPTED_EPOCH_FILE "acceptedEpoch"
#define LEFT_OVER_FILE CURRENT_EPOCH_FILE ".tmp"
#define MOST_BYTES 64    /* of a number and the end of its line */
#define LAST_EPOCH INT32_MAX    /* a zxid holds no later one */

struct epoch_files {
    char *directory;
    struct mutex lock;
    int64_t current GUARDED_BY(lock), accepted GUARDED_BY(lock);
};

static int write_epoch(const struct epoch_files *files, const char *name, int64_t epoch, struct error *error)
{
    char *path = path_join(files->directory, name), *text = string_format("%" PRId64, epoch);
    int err = file_write_atomic(path, text, strlen(text), error);
    memory_free(text);
    memory_free(path);
    return err;
}

/* ZK_NOT_FOUND; ZK_CORRUPT when its first line is no number. */
static int read_epoch(const struct epoch_files *files, const char *name, int64_t *ret_epoch, struct error *error)
{
    char *path = path_join(files->directory, name);
    struct buffer content = {0};
    int err = file_read_all(path, MOST_BYTES, &content, error);
    if (err == ZK_OK) {
        const char *text = content.size == 0 ? "" : buffer_string(&content);
        char *line = string_copy_n(text, strcspn(text, "\r\n"));
        bool is_text = strlen(text) == content.size;    /* zeros are what a disk leaves, not a number's end */
        if (!is_text || !string_to_int64(line, 10, ret_epoch) || *ret_epoch < 0 || *ret_epoch > LAST_EPOCH)
            err = error_set(error, ZK_CORRUPT, "Found %s in %s", line, path);
        memory_free(line);
    } else if (err == ZK_TOO_LARGE) {
        err = error_set(error, ZK_CORRUPT, "%s holds more than a number", path);
    }
    buffer_release(&content);
    memory_free(path);
    return err;
}

/* One that is not there yet, as before 3.4, follows from the last transaction. */
static int read_or_make(const struct epoch_files *files, const char *name, int64_t default_epoch, int64_t *ret_epoch,
                        struct error *error)
{
    int err = read_epoch(files, name, ret_epoch, error);
    if (err != ZK_NOT_FOUND)
        return err;
    log_info("%s not found! Creating with a reasonable default of %" PRId64
             ". This should only happen when you are upgrading your installation",
             name, default_epoch);
    *ret_epoch = default_epoch;
    return write_epoch(files, name, default_epoch, error);
}

/* (1) where a crash left the current epoch behind the last transaction. */
static int catch_up(struct epoch_files *files, int64_t last_zxid, int64_t *current, int64_t accepted,
                    struct error *error)
{
    int64_t epoch = zxid_epoch(last_zxid), left_over;
    struct error ignored = {0};
    if (read_epoch(files, LEFT_OVER_FILE, &left_over, &ignored) == ZK_OK && left_over >= epoch &&
        left_over <= accepted) {
        log_info("%s/%s found. Setting current epoch to %" PRId64, files->directory, LEFT_OVER_FILE, left_over);
        *current = left_over;
    } else if (accepted >= epoch) {
        log_info("The current epoch, %" PRId64 ", is behind that of the last zxid, 0x%" PRIx64
                 ", whose epoch was accepted. Setting it to %" PRId64,
                 *current, (uint64_t)last_zxid, epoch);
        *current = epoch;
    } else {
        return error_set(error, ZK_CORRUPT, "The current epoch, %" PRIx64 ", is older than the last zxid, %" PRId64,
                         (uint64_t)*current, last_zxid);
    }
    return write_epoch(files, CURRENT_EPOCH_FILE, *current, error);
}

static int load(struct epoch_files *files, int64_t last_zxid, struct error *error)
{
    int64_t epoch = last_zxid < 0 ? 0 : zxid_epoch(last_zxid), current, accepted;
    int err = read_or_make(files, CURRENT_EPOCH_FILE, epoch, &current, error);
    if (err == ZK_OK)
        err = read_or_make(files, ACCEPTED_EPOCH_FILE, epoch > current ? epoch : current, &accepted, error);
    if (err == ZK_OK && epoch > current)
        err = catch_up(files, last_zxid, &current, accepted, error);
    if (err == ZK_OK && accepted < current)
        err = error_set(error, ZK_CORRUPT,
                        "The accepted epoch, %" PRIx64 " is less than the current epoch, %" PRIx64, (uint64_t)accepted,
                        (uint64_t)current);
    if (err != ZK_OK)
        return err;
    mutex_lock(&files->lock);
    files->current = current;
    files->accepted = accepted;
    mutex_unlock(&files->lock);
    return ZK_OK;
}

int epoch_files_open(const char *directory, int64_t last_zxid, struct epoch_files **ret_files, struct error *error)
{
    struct epoch_files *files = MEMORY_NEW(struct epoch_files);
    files->directory = string_copy(directory);
    mutex_init(&files->lock);
    int err = load(files, last_zxid, error);
    if (err != ZK_OK) {
        epoch_files_close(files);
        return err;
    }
    *ret_files = files;
    return ZK_OK;
}

void epoch_files_close(struct epoch_files *files)
{
    if (files == NULL)
        return;
    mutex_release(&files->lock);
    memory_free(files->directory);
    memory_free(files);
}

int64_t epoch_files_current(struct epoch_files *files)
{
    mutex_lock(&files->lock);
    int64_t epoch = files->current;
    mutex_unlock(&files->lock);
    return epoch;
}

int64_t epoch_files_accepted(struct epoch_files *files)
{
    mutex_lock(&files->lock);
    int64_t epoch = files->accepted;
    mutex_unlock(&files->lock);
    return epoch;
}

int epoch_files_set_current(struct epoch_files *files, int64_t epoch, struct error *error)
{
    mutex_lock(&files->lock);
    assert(epoch <= files->accepted);    /* (1) */
    int err = write_epoch(files, CURRENT_EPOCH_FILE, epoch, error);
    if (err == ZK_OK)
        files->current = epoch;
    mutex_unlock(&files->lock);
    return err;
}

int epoch_files_set_accepted(struct epoch_files *files, int64_t epoch, struct error *error)
{
    mutex_lock(&files->lock);
    int err = write_epoch(files, ACCEPTED_EPOCH_FILE, epoch, error);
    if (err == ZK_OK)
        files->accepted = epoch;
    mutex_unlock(&files->lock);
    return err;
}
