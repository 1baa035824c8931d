/*
 * learner_sync_plan.c - DIFF, TRUNC or SNAP.
 *
 * Mirrors LearnerHandler.syncFollower, queueCommittedProposals and ZKDatabase.getProposalsFromTxnLog.
 * (1) A DIFF is sent only over a history without a gap between the learner's zxid and the window (2418).
 * (2) The zxid of a new epoch stands in no log: a learner that has it gets a DIFF if our history is old enough, and
 *     never a TRUNC, for it has no record of its own behind it.
 * (3) An empty window has no ends: the last processed zxid stands for both (4352).
 * (4) TRUNC never crosses an epoch, and never goes back to nothing.
 * Departs from Java: it sums the sizes of whole files, with the 64 MiB that they are grown ahead, against the limit for
 * the log on disk; here counts what would be sent.
 */
#include "server/quorum/learner_sync_plan.h"

#include "common/wire/zxid.h"

const char *sync_way_name(enum sync_way way)
{
    switch (way) {
    case SYNC_WAY_DIFF_EMPTY: return "an empty DIFF";
    case SYNC_WAY_TRUNC: return "TRUNC";
    case SYNC_WAY_WINDOW: return "committed transactions in memory";
    case SYNC_WAY_LOG: return "the log on disk and committed transactions in memory";
    case SYNC_WAY_SNAP: break;
    }
    return "a snapshot";
}

static enum sync_way choose(const struct sync_view *view, int64_t min, int64_t max)
{
    int64_t peer = view->peer_zxid;
    if (view->is_snap_forced)
        return SYNC_WAY_SNAP;
    if (view->last_processed_zxid == peer)
        return SYNC_WAY_DIFF_EMPTY;
    if (peer > max && !sync_is_new_epoch_zxid(peer))
        return max > 0 && zxid_counter(max) > 0 && zxid_epoch(max) == zxid_epoch(peer) ? SYNC_WAY_TRUNC : SYNC_WAY_SNAP;
    if (view->window_count > 0 && min <= peer && peer <= max)
        return SYNC_WAY_WINDOW;
    if (peer < min && view->is_log_sync_enabled)
        return SYNC_WAY_LOG;
    return SYNC_WAY_SNAP;
}

void sync_plan_make(const struct sync_view *view, struct sync_plan *ret_plan)
{
    bool is_empty = view->window_count == 0;
    struct sync_plan plan = {
        .window_min = is_empty ? view->last_processed_zxid : view->window_min,
        .window_max = is_empty ? view->last_processed_zxid : view->window_max,
    };
    plan.way = choose(view, plan.window_min, plan.window_max);
    plan.zxid = plan.way == SYNC_WAY_TRUNC ? plan.window_max : view->peer_zxid;
    *ret_plan = plan;
}

void sync_walk_begin(struct sync_walk *walk, int64_t peer_zxid, int64_t diff_zxid)
{
    *walk = (struct sync_walk){
        .peer_zxid = peer_zxid,
        .diff_zxid = diff_zxid,
        .queued_zxid = peer_zxid,
        .previous_zxid = -1,
    };
}

static void settle(struct sync_walk *walk, enum sync_op op, int64_t zxid)
{
    walk->op = op;
    walk->op_zxid = zxid;
}

enum sync_step sync_walk_next(struct sync_walk *walk, int64_t zxid)
{
    if (zxid < walk->peer_zxid) {
        walk->previous_zxid = zxid;
        return SYNC_STEP_SKIP;
    }
    if (walk->op == SYNC_OP_NONE) {
        if (zxid == walk->peer_zxid || sync_is_new_epoch_zxid(walk->peer_zxid)) {
            settle(walk, SYNC_OP_DIFF, walk->diff_zxid);
        } else {
            /* The learner has what we do not: its tail goes, as far as that stays within its epoch. */
            if (walk->previous_zxid <= 0 || zxid_epoch(zxid) != zxid_epoch(walk->peer_zxid)
                || zxid_epoch(walk->previous_zxid) != zxid_epoch(walk->peer_zxid))
                return SYNC_STEP_REFUSE;
            settle(walk, SYNC_OP_TRUNC, walk->previous_zxid);
        }
    }
    if (zxid <= walk->queued_zxid)
        return SYNC_STEP_SKIP;
    walk->queued_zxid = zxid;
    return SYNC_STEP_SEND;
}

bool sync_walk_end(struct sync_walk *walk)
{
    if (walk->op == SYNC_OP_NONE && sync_is_new_epoch_zxid(walk->peer_zxid))
        settle(walk, SYNC_OP_DIFF, walk->diff_zxid);
    return walk->op != SYNC_OP_NONE;
}

bool sync_is_new_epoch_zxid(int64_t zxid)
{
    return zxid_counter(zxid) == 0;
}

bool sync_log_is_usable(const struct sync_log_facts *facts, int64_t peer_zxid, int64_t window_min, int64_t size_limit)
{
    if (!facts->is_whole || !facts->has_record || facts->first_zxid > peer_zxid || facts->last_zxid < window_min)
        return false;
    return size_limit <= 0 || facts->size_to_send <= size_limit;
}
