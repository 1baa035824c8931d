/*
 * file_txn_snap_restore.c - the state of a server from its snapshots and logs.
 *
 *   newest good snapshot --> every record behind it, each following the one before --> torn tail cut
 *
 * Mirrors FileTxnSnapLog.restore and fastForwardFromEdits, FileSnap.deserialize. Departs from Java in what it refuses:
 * (1) the first record behind the snapshot must follow it, each later one the one before it;
 * (2) an older snapshot takes the place of damaged newer ones only if the logs lead on at least to the newest of them;
 * (3) where every snapshot is damaged there is no empty database, except for snapshot.0, which holds nothing.
 * Damaged snapshots that were replaced by an older one are set aside as damaged.<name>, where neither the next start
 * nor a purge counts on them.
 * A record that is not newer than what the tree has is left out, where Java would apply it again.
 */
#include "server/persistence/file_txn_snap_log.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/file.h"
#include "common/base/log.h"
#include "common/base/memory.h"
#include "common/base/strings.h"
#include "server/persistence/file_txn_log_repair.h"
#include "server/persistence/file_txn_snap_internal.h"

#define MOST_SNAPSHOTS 100    /* tried, as in Java */
#define INITIALIZE_FILE "initialize"
#define EMPTY_SNAPSHOT_WARNING "No snapshot found, but there are log entries. "

/* Bytes in memory, written once and read once. */
struct memory_tree {
    struct byte_sink sink;
    struct byte_source source;
    struct buffer bytes;
    size_t at;
};

/* The last records replayed, as bytes in buffers that are used again and again. */
struct history {
    struct buffer *ring;
    size_t most, count;
    int64_t loaded;
};

struct restore {
    struct file_txn_snap_log *log;
    struct data_tree *tree;
    struct session_table *sessions;
    struct playback_listener *listener;
    struct error *error;
    int64_t snapshot_zxid;       /* where replay begins; -1 without a snapshot */
    int64_t damaged_zxid;        /* of the newest damaged snapshot, -1 when there is none */
    struct buffer complaints;    /* what is wrong with the damaged ones */
    char **damaged;              /* their paths */
    size_t damaged_count;
    int64_t *unmet;              /* zxids of those that were passed over, which the logs have not come to yet */
    size_t unmet_count;
};

static int memory_write(struct byte_sink *self, const void *bytes, size_t size, struct error *error)
{
    (void)error;
    buffer_append(&container_of(self, struct memory_tree, sink)->bytes, bytes, size);
    return ZK_OK;
}

static int memory_read(struct byte_source *self, void *bytes, size_t size, struct error *error)
{
    struct memory_tree *memory = container_of(self, struct memory_tree, source);
    if (size > memory->bytes.size - memory->at)
        return error_set(error, ZK_EOF, "an empty tree ends too early");
    memcpy(bytes, memory->bytes.bytes + memory->at, size);
    memory->at += size;
    return ZK_OK;
}

/* After a snapshot failed halfway: the tree is again as it came. */
static int reset_tree(struct restore *restore, struct memory_tree *pristine)
{
    session_table_clear(restore->sessions);
    int err = tree_snapshot_read(restore->tree, &pristine->source, INT32_MAX, restore->error);
    data_tree_set_last_processed_zxid(restore->tree, 0);
    return err;
}

/* A disk that does not give it proves nothing: that one stays where it is. */
static void complain(struct restore *restore, const struct zxid_file *snapshot, const char *reason, bool is_damaged)
{
    log_warn("snapshot %s %s: %s", snapshot->path, is_damaged ? "is damaged" : "is passed over", reason);
    if (restore->damaged_zxid < snapshot->zxid)
        restore->damaged_zxid = snapshot->zxid;
    restore->unmet = memory_realloc(restore->unmet, (restore->unmet_count + 1) * sizeof(restore->unmet[0]));
    restore->unmet[restore->unmet_count++] = snapshot->zxid;
    buffer_printf(&restore->complaints, "%s%s: %s", restore->complaints.size > 0 ? "; " : "", snapshot->path, reason);
    if (!is_damaged)
        return;
    restore->damaged = memory_realloc(restore->damaged, (restore->damaged_count + 1) * sizeof(restore->damaged[0]));
    restore->damaged[restore->damaged_count++] = string_copy(snapshot->path);
}

static void note_snapshot(struct restore *restore, const struct zxid_file *snapshot)
{
    int64_t wall_ms = 0;
    file_modified_ms(snapshot->path, &wall_ms, NULL);
    file_txn_snap_log_set_last(restore->log, snapshot->zxid, wall_ms);
    restore->snapshot_zxid = snapshot->zxid;
}

static int check_readable(const char *path, struct error *error)
{
    struct file *file;
    uint8_t byte;
    size_t got;
    int err = file_open(path, FILE_READ, &file, error);
    if (err != ZK_OK)
        return err;
    err = file_pread(file, &byte, 1, 0, &got, error);
    file_close(file, NULL);
    return err;
}

static bool load_snapshot(struct restore *restore, const struct zxid_file *snapshot)
{
    struct error cause = {0};
    int err = check_readable(snapshot->path, &cause);
    if (err != ZK_OK) {
        complain(restore, snapshot, cause.text, err != ZK_IO);
        return false;
    }
    if (!snap_is_probably_valid(snapshot->path)) {
        complain(restore, snapshot, "it has no beginning or no end of a snapshot", true);
        return false;
    }
    log_info("reading snapshot %s", snapshot->path);
    session_table_clear(restore->sessions);
    err =
        file_snap_deserialize(restore->tree, restore->sessions, snapshot->path, &restore->log->options.snap, &cause);
    if (err != ZK_OK) {
        complain(restore, snapshot, cause.text, err != ZK_IO);
        return false;
    }
    return true;
}

/* The newest good snapshot into the tree. *ret_has_any: whether there is one, good or not. */
static int load_newest_snapshot(struct restore *restore, bool *ret_has_any)
{
    struct zxid_file_list snaps;
    int err = file_snap_find_recent(restore->log->snap_dir, MOST_SNAPSHOTS, &snaps, restore->error);
    if (err != ZK_OK)
        return err;
    struct memory_tree pristine = {.sink = {memory_write}, .source = {memory_read}};
    err = tree_snapshot_write(restore->tree, &pristine.sink, restore->error);
    bool is_loaded = false, has_first = false;
    for (size_t i = 0; err == ZK_OK && i < snaps.count && !is_loaded; i++) {
        is_loaded = load_snapshot(restore, &snaps.items[i]);
        if (is_loaded)
            note_snapshot(restore, &snaps.items[i]);
        has_first |= snaps.items[i].zxid == 0;
    }
    *ret_has_any = snaps.count > 0;
    if (err == ZK_OK && *ret_has_any && !is_loaded)
        err = reset_tree(restore, &pristine);
    buffer_release(&pristine.bytes);
    zxid_file_list_release(&snaps);
    if (err != ZK_OK || is_loaded || !*ret_has_any || has_first || restore->log->options.trust_empty_snapshot)
        return err;
    return error_set(restore->error, ZK_CORRUPT, "Not able to find valid snapshots in %s (%s)", restore->log->snap_dir,
                     buffer_string(&restore->complaints));
}

/* What is applied of a record, and where its vectors are. Made anew for each record in the same memory. */
struct decoded {
    struct txn_header header;
    struct txn_body body;
    bool has_digest;
    struct txn_digest digest;
    struct arena arena;
    char scratch[4096];
};

static int decode(struct decoded *decoded, const struct log_record *record, const struct txn_rules *rules,
                  struct error *error)
{
    struct jute_reader reader;
    arena_release(&decoded->arena);
    arena_init(&decoded->arena, decoded->scratch, sizeof(decoded->scratch));
    jute_reader_init(&reader, record->bytes, record->size, &decoded->arena);
    reader.limit = INT32_MAX;
    return txn_body_decode(&reader, rules, &decoded->header, &decoded->body, &decoded->has_digest, &decoded->digest,
                           error);
}

/* To sessions and tree, as zk_database_process_txn(). */
static void apply(struct restore *restore, struct decoded *txn)
{
    struct process_txn_result result;
    session_table_apply(restore->sessions, &txn->header, &txn->body);
    data_tree_process_txn(restore->tree, &txn->header, &txn->body, txn->has_digest ? &txn->digest : NULL, &txn->arena,
                          &result);
    if (result.err != ZK_OK)    /* a fuzzy snapshot has seen it already */
        log_debug("transaction 0x%" PRIx64 " of type %" PRId32 " did not fit the tree: %" PRId32,
                  (uint64_t)txn->header.zxid, txn->header.type, result.err);
}

static void remember(struct history *history, const struct log_record *record)
{
    if (history->most == 0)
        return;
    struct buffer *bytes = &history->ring[history->count++ % history->most];
    buffer_clear(bytes);
    buffer_append(bytes, record->bytes, record->size);
}

/* The transactions remembered, oldest first, to the listener. */
static void tell_history(struct restore *restore, struct history *history)
{
    size_t kept = history->count < history->most ? history->count : history->most;
    for (size_t i = history->count - kept; i < history->count; i++) {
        const struct buffer *raw = &history->ring[i % history->most];
        struct blob *bytes = blob_new_copy(raw->bytes, raw->size);
        struct txn *txn = NULL;
        int err = txn_new_from_bytes(bytes, &restore->log->options.log.rules, &txn, NULL);
        assert(err == ZK_OK);    /* it was decoded and applied */
        (void)err;
        restore->listener->on_txn_loaded(restore->listener, txn);
        txn_unref(txn);
        blob_unref(bytes);
    }
}

static void history_init(struct history *history, const struct playback_listener *listener)
{
    *history = (struct history){.most = listener != NULL ? listener->most : 0};
    history->ring = MEMORY_NEW_ARRAY(history->most, struct buffer);
}

static void history_release(struct history *history)
{
    for (size_t i = 0; i < history->most; i++)
        buffer_release(&history->ring[i]);
    memory_free(history->ring);
}

/* Whether a record is to be applied behind `last_zxid`. */
static int check_record(struct restore *restore, const struct txn_iterator *iterator, const struct log_record *record,
                        int64_t last_zxid, bool *ret_is_new)
{
    *ret_is_new = record->zxid > last_zxid;
    if (!*ret_is_new && record->type != OP_ERROR)
        log_warn("0x%" PRIx64 " at %" PRId64 " of %s stands behind 0x%" PRIx64 " and is left out",
                 (uint64_t)record->zxid, record->offset, txn_iterator_path(iterator), (uint64_t)last_zxid);
    if (!*ret_is_new || zxid_follows(last_zxid, record->zxid))
        return ZK_OK;
    return error_set(restore->error, ZK_CORRUPT,
                     "transactions are missing between 0x%" PRIx64 ", up to which the snapshot reaches, and 0x%" PRIx64
                     " at %" PRId64 " of %s",
                     (uint64_t)last_zxid, (uint64_t)record->zxid, record->offset, txn_iterator_path(iterator));
}

/*
 * The logs stand in for a snapshot only if they hold the very transaction after which it was taken: one that came from
 * a leader stands where the log has nothing, and an epoch that ends hides it (RELIABILITY 2c).
 */
static void meet(struct restore *restore, int64_t zxid)
{
    for (size_t i = 0; i < restore->unmet_count; i++)
        if (restore->unmet[i] == zxid)
            restore->unmet[i--] = restore->unmet[--restore->unmet_count];
}

static int check_all_met(struct restore *restore)
{
    for (size_t i = 0; i < restore->unmet_count; i++)
        if (restore->unmet[i] > 0 && restore->unmet[i] > restore->snapshot_zxid)
            return error_set(restore->error, ZK_CORRUPT,
                             "transactions are missing: the logs in %s do not hold 0x%" PRIx64
                             ", at which a damaged snapshot was "
                             "taken (%s)",
                             restore->log->log_dir, (uint64_t)restore->unmet[i], buffer_string(&restore->complaints));
    return ZK_OK;
}

/* Every record behind *last_zxid; ZK_OK at the end of the logs. */
static int replay_records(struct restore *restore, struct txn_iterator *iterator, struct history *history,
                          int64_t *last_zxid)
{
    struct decoded *txn = MEMORY_NEW(struct decoded);
    struct log_record record;
    int err;
    while ((err = txn_iterator_next_record(iterator, &record, restore->error)) == ZK_OK) {
        bool is_new;
        err = check_record(restore, iterator, &record, *last_zxid, &is_new);
        if (err != ZK_OK)
            break;
        if (!is_new)
            continue;
        err = decode(txn, &record, &restore->log->options.log.rules, restore->error);
        if (err != ZK_OK) {
            error_prefix(restore->error, "%s cannot be read at %" PRId64 ", zxid 0x%" PRIx64,
                         txn_iterator_path(iterator), record.offset, (uint64_t)record.zxid);
            break;
        }
        apply(restore, txn);
        remember(history, &record);
        *last_zxid = record.zxid;
        meet(restore, record.zxid);
        history->loaded++;
    }
    arena_release(&txn->arena);
    memory_free(txn);
    return err == ZK_EOF ? ZK_OK : err;
}

/* fastForwardFromEdits, and the tail repaired by what was seen on the way. */
static int replay(struct restore *restore, int64_t *ret_zxid)
{
    int64_t start_ms = clock_elapsed_ms(), last_zxid = restore->snapshot_zxid > 0 ? restore->snapshot_zxid : 0;
    struct txn_iterator *iterator;
    int err = txn_iterator_open(restore->log->log_dir, last_zxid + 1, true, &restore->log->options.log, &iterator,
                                restore->error);
    if (err != ZK_OK)
        return err;
    struct history history;
    history_init(&history, restore->listener);
    err = replay_records(restore, iterator, &history, &last_zxid);
    if (err == ZK_OK && restore->damaged_zxid > last_zxid)
        err = error_set(restore->error, ZK_CORRUPT,
                        "the logs in %s end with zxid 0x%" PRIx64 " and cannot stand in for damaged snapshots (%s)",
                        restore->log->log_dir, (uint64_t)last_zxid, buffer_string(&restore->complaints));
    if (err == ZK_OK)
        err = check_all_met(restore);
    if (err == ZK_OK)
        err = file_txn_log_repair_after(restore->log->log_dir, iterator, restore->error);
    txn_iterator_close(iterator);
    if (err == ZK_OK)
        tell_history(restore, &history);
    history_release(&history);
    if (err != ZK_OK)
        return err;
    int64_t elapsed_ms = clock_elapsed_ms() - start_ms;
    log_info("%" PRId64 " txns loaded in %" PRId64 " ms", history.loaded, elapsed_ms);
    server_metrics_sample(restore->log->metrics, METRIC_STARTUP_TXNS_LOADED, history.loaded);
    server_metrics_sample(restore->log->metrics, METRIC_STARTUP_TXNS_LOAD_TIME, elapsed_ms);
    struct zxid_digest digest;
    if (tree_snapshot_pending_digest(restore->tree, &digest))
        log_warn("the last transaction, 0x%" PRIx64 ", does not reach the digest of the snapshot at 0x%" PRIx64
                 ", the tree may be inconsistent",
                 (uint64_t)last_zxid, (uint64_t)digest.zxid);
    *ret_zxid = last_zxid;
    return ZK_OK;
}

/* Neither snapshot nor log: an empty database, if it may be trusted to be one. */
static int begin_empty(struct restore *restore, bool may_begin, int64_t *ret_zxid)
{
    if (!may_begin) {
        log_warn("unexpected empty data tree, setting zxid to -1");
        data_tree_set_last_processed_zxid(restore->tree, -1);
        *ret_zxid = -1;
        return ZK_OK;
    }
    int err = file_txn_snap_log_save(restore->log, restore->tree, restore->sessions, NULL, restore->error);
    if (err == ZK_OK)
        *ret_zxid = 0;
    return err;
}

static int restore_without_snapshot(struct restore *restore, bool may_begin, int64_t *ret_zxid)
{
    struct file_txn_snap_log *log = restore->log;
    int64_t last_logged;
    int err = file_txn_log_last_logged_zxid(log->log_dir, &log->options.log, &last_logged, restore->error);
    if (err != ZK_OK)
        return err;
    if (last_logged < 0) {
        err = file_txn_log_repair_tail(log->log_dir, 0, &log->options.log, restore->error);
        return err == ZK_OK ? begin_empty(restore, may_begin, ret_zxid) : err;
    }
    if (!log->options.trust_empty_snapshot)
        return error_set(restore->error, ZK_CORRUPT,
                         EMPTY_SNAPSHOT_WARNING "Something is broken! (%s has none, the logs "
                                                "in %s reach to 0x%" PRIx64 ")",
                         log->snap_dir, log->log_dir, (uint64_t)last_logged);
    log_warn(EMPTY_SNAPSHOT_WARNING "This should only be allowed during upgrading.");
    return replay(restore, ret_zxid);
}

/* Takes the damaged snapshots out of the way, now that an older one has done. */
static int set_damaged_aside(struct restore *restore)
{
    int err = ZK_OK;
    for (size_t i = 0; err == ZK_OK && i < restore->damaged_count; i++) {
        const char *path = restore->damaged[i];
        char *name = string_format("damaged.%s", strrchr(path, '/') + 1);
        char *aside = path_join(restore->log->snap_dir, name);
        log_warn("%s is kept as %s and not used again", path, aside);
        err = file_rename(path, aside, restore->error);
        memory_free(name);
        memory_free(aside);
    }
    return err;
}

static int run(struct restore *restore, bool may_begin, int64_t *ret_zxid)
{
    int64_t start_ms = clock_elapsed_ms();
    bool has_any = false;
    int err = load_newest_snapshot(restore, &has_any);
    if (err != ZK_OK)
        return err;
    server_metrics_sample(restore->log->metrics, METRIC_STARTUP_SNAP_LOAD_TIME, clock_elapsed_ms() - start_ms);
    if (!has_any)
        return restore_without_snapshot(restore, may_begin, ret_zxid);
    err = replay(restore, ret_zxid);
    bool sets_aside = restore->snapshot_zxid >= 0 && restore->damaged_count > 0;
    if (err == ZK_OK && sets_aside)
        err = set_damaged_aside(restore);
    /* The snapshot's name, like the log's end, may be younger than the last sync of whoever was here before us.
     * Replaying has synced the directory of the logs. */
    bool is_synced = strcmp(restore->log->log_dir, restore->log->snap_dir) == 0 && !sets_aside;
    return err == ZK_OK && !is_synced ? directory_sync(restore->log->snap_dir, restore->error) : err;
}

int file_txn_snap_log_restore(struct file_txn_snap_log *log, struct data_tree *tree, struct session_table *sessions,
                              struct playback_listener *listener, int64_t *ret_zxid, struct error *error)
{
    struct error own_error = {0};
    struct restore restore = {.log = log,
                              .tree = tree,
                              .sessions = sessions,
                              .listener = listener,
                              .error = error != NULL ? error : &own_error,
                              .snapshot_zxid = -1,
                              .damaged_zxid = -1};
    char *initialize = path_join(log->log_parent, INITIALIZE_FILE);
    bool is_initialized_by_hand = file_kind(initialize) == FILE_KIND_REGULAR;
    if (is_initialized_by_hand)
        log_info("Initialize file found, an empty database will not block voting participation");
    int err = run(&restore, is_initialized_by_hand || log->options.db_autocreate, ret_zxid);
    if (err == ZK_OK && is_initialized_by_hand) {    /* only now, that a crash does not leave it undone */
        err = file_unlink(initialize, error);
        if (err == ZK_OK)
            err = directory_sync(log->log_parent, error);
    }
    memory_free(initialize);
    buffer_release(&restore.complaints);
    for (size_t i = 0; i < restore.damaged_count; i++)
        memory_free(restore.damaged[i]);
    memory_free(restore.damaged);
    memory_free(restore.unmet);
    return err;
}

int file_txn_snap_log_fast_forward(struct file_txn_snap_log *log, struct data_tree *tree,
                                   struct session_table *sessions, struct playback_listener *listener,
                                   int64_t *ret_zxid, struct error *error)
{
    struct error own_error = {0};
    struct restore restore = {.log = log,
                              .tree = tree,
                              .sessions = sessions,
                              .listener = listener,
                              .error = error != NULL ? error : &own_error};
    int64_t last_zxid = data_tree_last_processed_zxid(tree), first_zxid = last_zxid;
    struct txn_iterator *iterator;
    int err = txn_iterator_open(log->log_dir, last_zxid + 1, true, &log->options.log, &iterator, restore.error);
    if (err != ZK_OK)
        return err;
    struct history history;
    history_init(&history, listener);
    err = replay_records(&restore, iterator, &history, &last_zxid);
    txn_iterator_close(iterator);
    if (err == ZK_OK)
        tell_history(&restore, &history);
    history_release(&history);
    if (err == ZK_OK && last_zxid != first_zxid)
        log_info("%" PRId64 " logged transactions behind 0x%" PRIx64 " applied, up to 0x%" PRIx64, history.loaded,
                 (uint64_t)first_zxid, (uint64_t)last_zxid);
    *ret_zxid = last_zxid;
    return err;
}
