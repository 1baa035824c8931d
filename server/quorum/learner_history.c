/*
 * learner_history.c - the log on disk as a learner is to get it.
 *
 * It is read twice: once to see that all is there, for what was begun with DIFF cannot be ended with SNAP; then to send
 * it, the second time from the page cache. Bytes go from file to packet as they are.
 * (1) A leader's snapshot that a learner took over leaves no gap in its log that epochs would show: what stands before
 *     it there may never have been committed, and what was committed meanwhile is missing. Such a snapshot has a zxid
 *     that no transaction of the log has, where one of our own making bears the zxid of the last that was logged and
 *     applied. So a log leads over a snapshot only if it holds that very zxid (RELIABILITY 2846).
 */
#include "server/quorum/learner_history.h"

#include <inttypes.h>

#include "common/base/log.h"
#include "common/base/memory.h"
#include "common/wire/zxid.h"

struct survey {
    struct sync_log_facts facts;
    struct sync_walk walk;
    bool is_refused;
    const int64_t *snapshots;    /* zxids of those behind the learner that the walk has not come to, ascending */
    size_t snapshot_count;
    int64_t alien_zxid;          /* of a snapshot the log does not hold; -1 */
};

/* (1) The walk comes to this record. */
static bool passes_snapshots(struct survey *survey, int64_t zxid)
{
    for (; survey->snapshot_count > 0 && survey->snapshots[0] <= zxid; survey->snapshots++, survey->snapshot_count--) {
        if (survey->snapshots[0] > survey->walk.peer_zxid && survey->snapshots[0] != zxid) {
            survey->alien_zxid = survey->snapshots[0];
            return false;
        }
    }
    return true;
}

/* One record; false when enough was seen. */
static bool survey_record(struct survey *survey, int64_t zxid, size_t size, int64_t window_max, int64_t size_limit)
{
    struct sync_log_facts *facts = &survey->facts;
    if (zxid > window_max || !passes_snapshots(survey, zxid))
        return false;
    if (!facts->has_record)
        facts->first_zxid = zxid;
    facts->has_record = true;
    facts->last_zxid = zxid;
    enum sync_step step = sync_walk_next(&survey->walk, zxid);
    survey->is_refused = step == SYNC_STEP_REFUSE;
    if (step == SYNC_STEP_SEND)
        facts->size_to_send += (int64_t)size;
    return !survey->is_refused && facts->first_zxid <= survey->walk.peer_zxid
           && (size_limit <= 0 || facts->size_to_send <= size_limit);
}

static int survey_log(struct zk_database *database, struct survey *survey, int64_t window_max, int64_t size_limit,
                      struct error *error)
{
    struct txn_iterator *iterator;
    int err = file_txn_snap_log_read(zk_database_snap_log(database), survey->walk.peer_zxid, &iterator, error);
    if (err != ZK_OK)
        return err;
    int64_t zxid = -1;
    struct slice bytes;
    while ((err = txn_iterator_next_bytes(iterator, &zxid, &bytes, error)) == ZK_OK) {
        if (!survey_record(survey, zxid, bytes.size, window_max, size_limit))
            break;
    }
    txn_iterator_close(iterator);
    bool is_at_end = err == ZK_EOF || (err == ZK_OK && zxid > window_max);
    for (size_t i = 0; is_at_end && i < survey->snapshot_count; i++) {    /* the log ends before them */
        int64_t snapshot = survey->snapshots[i];
        if (snapshot > survey->walk.peer_zxid && (snapshot <= window_max || zxid_counter(snapshot) == 0))
            survey->alien_zxid = snapshot;
    }
    return err == ZK_EOF ? ZK_OK : err;
}

static void log_why_not(const struct survey *survey, int64_t window_min, int64_t size_limit, const struct error *error)
{
    const struct sync_log_facts *facts = &survey->facts;
    int64_t peer_zxid = survey->walk.peer_zxid;
    if (!facts->is_whole)
        log_warn("The log on disk is of no use for a learner at 0x%" PRIx64 ": %s", (uint64_t)peer_zxid, error->text);
    else if (survey->alien_zxid >= 0)
        log_info("A learner at 0x%" PRIx64 " is before the snapshot at 0x%" PRIx64 ", which came from a leader",
                 (uint64_t)peer_zxid, (uint64_t)survey->alien_zxid);
    else if (!facts->has_record || facts->first_zxid > peer_zxid)
        log_info("Unable to find proposals from txnlog for zxid: 0x%" PRIx64, (uint64_t)peer_zxid);
    else if (size_limit > 0 && facts->size_to_send > size_limit)
        log_info("Txnlog size: %" PRId64 " exceeds sizeLimit: %" PRId64, facts->size_to_send, size_limit);
    else if (survey->is_refused)
        log_warn("Cannot send TRUNC, the tail of a learner at 0x%" PRIx64 " is from a different epoch",
                 (uint64_t)peer_zxid);
    else
        log_info("Detected gap between end of txnlog: 0x%" PRIx64 " and start of committedLog: 0x%" PRIx64,
                 (uint64_t)facts->last_zxid, (uint64_t)window_min);
}

bool learner_history_is_usable(struct zk_database *database, int64_t peer_zxid, int64_t window_min, int64_t window_max,
                               double snapshot_size_factor)
{
    struct survey survey = { .facts.is_whole = true, .alien_zxid = -1 };
    struct error error = { 0 };
    int64_t snapshot_size, size_limit = 0, *zxids = NULL;
    int err = file_txn_snap_log_survey_snapshots(zk_database_snap_log(database), &snapshot_size, &zxids,
                                                 &survey.snapshot_count, &error);
    if (err == ZK_OK) {
        size_limit = (int64_t)((double)snapshot_size * snapshot_size_factor);
        survey.snapshots = zxids;
        sync_walk_begin(&survey.walk, peer_zxid, window_max);
        err = survey_log(database, &survey, window_max, size_limit, &error);
    }
    survey.facts.is_whole = err == ZK_OK;
    bool is_usable = survey.alien_zxid < 0 && !survey.is_refused
                     && sync_log_is_usable(&survey.facts, peer_zxid, window_min, size_limit);
    if (!is_usable)
        log_why_not(&survey, window_min, size_limit, &error);
    memory_free(zxids);
    return is_usable;
}

static int send_op(const struct sync_walk *walk, struct quorum_channel *channel, struct error *error)
{
    int32_t type = walk->op == SYNC_OP_TRUNC ? QP_TRUNC : QP_DIFF;
    return quorum_channel_write_packet(channel, type, walk->op_zxid, NULL, NULL, error);
}

static int send_record(struct sync_walk *walk, int64_t zxid, struct slice bytes, struct quorum_channel *channel,
                       struct error *error)
{
    bool had_op = walk->op != SYNC_OP_NONE;
    enum sync_step step = sync_walk_next(walk, zxid);
    if (step == SYNC_STEP_REFUSE)
        return error_set(error, ZK_INVALID_STATE, "the log on disk has changed, it does not lead from 0x%" PRIx64
                         " to 0x%" PRIx64, (uint64_t)walk->peer_zxid, (uint64_t)zxid);
    int err = !had_op && walk->op != SYNC_OP_NONE ? send_op(walk, channel, error) : ZK_OK;
    if (err == ZK_OK && step == SYNC_STEP_SEND)
        err = quorum_channel_write_packet(channel, QP_PROPOSAL, zxid, &bytes, NULL, error);
    if (err == ZK_OK && step == SYNC_STEP_SEND)
        err = quorum_channel_write_packet(channel, QP_COMMIT, zxid, NULL, NULL, error);
    return err;
}

int learner_history_send(struct zk_database *database, struct sync_walk *walk, int64_t limit_zxid,
                         struct quorum_channel *channel, struct error *error)
{
    struct txn_iterator *iterator;
    int err = file_txn_snap_log_read(zk_database_snap_log(database), walk->queued_zxid, &iterator, error);
    if (err != ZK_OK)
        return err;
    int64_t zxid;
    struct slice bytes;
    while ((err = txn_iterator_next_bytes(iterator, &zxid, &bytes, error)) == ZK_OK && zxid <= limit_zxid) {
        err = send_record(walk, zxid, bytes, channel, error);
        if (err != ZK_OK)
            break;
    }
    txn_iterator_close(iterator);
    return err == ZK_EOF ? ZK_OK : err;
}
