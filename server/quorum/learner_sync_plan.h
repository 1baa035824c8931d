/*
 * What brings a learner up to date: DIFF, TRUNC or SNAP, as a decision over numbers. Mirrors
 * LearnerHandler.syncFollower and queueCommittedProposals, without reading or sending anything.
 *
 *              history:  ... 3 4 5 6 7 8 9 | 10 11 12 13 14 |        on disk | in the window of committed transactions
 *   learner at 14: DIFF of nothing            at 11: DIFF, 12-14
 *   learner at 16: TRUNC to 14                at 11 of which we have no record: TRUNC to 10, then 12-14
 *   learner at 5: DIFF, 6-9 from the disk, then 10-14; or SNAP if that is not to be had
 */
#ifndef ZKC_SERVER_QUORUM_LEARNER_SYNC_PLAN_H
#define ZKC_SERVER_QUORUM_LEARNER_SYNC_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum sync_way {
    SYNC_WAY_DIFF_EMPTY,    /* it has everything */
    SYNC_WAY_TRUNC,         /* it has more: back to plan.zxid */
    SYNC_WAY_WINDOW,        /* walk the window */
    SYNC_WAY_LOG,           /* walk the log on disk, then the window */
    SYNC_WAY_SNAP
};
const char *sync_way_name(enum sync_way way);

/* What the leader has, taken at one moment, under the lock of the window. */
struct sync_view {
    int64_t peer_zxid;              /* the learner's last */
    int64_t last_processed_zxid;    /* the tree's last; the zxid of a new epoch as long as nothing came after it */
    size_t window_count;            /* 0: min and max say nothing */
    int64_t window_min, window_max;
    bool is_log_sync_enabled;       /* snapshotSizeFactor is not negative */
    bool is_snap_forced;            /* zookeeper.forceSnapshotSync */
};
struct sync_plan {
    enum sync_way way;
    int64_t zxid;          /* of DIFF or TRUNC, where the way has one */
    int64_t window_min; /* as the walk has to reach it: that of the view, or the last processed for an empty window */
    int64_t window_max;
};
void sync_plan_make(const struct sync_view *view, struct sync_plan *ret_plan);

/* ---- walking over transactions by rising zxid ---- */

enum sync_step {
    SYNC_STEP_SKIP,     /* the learner has it */
    SYNC_STEP_SEND,     /* PROPOSAL and COMMIT; walk.op first, if it is new */
    SYNC_STEP_REFUSE    /* only SNAP helps: the learner's tail belongs to another epoch, or to an unknown place */
};
enum sync_op { SYNC_OP_NONE, SYNC_OP_DIFF, SYNC_OP_TRUNC };
struct sync_walk {
    int64_t peer_zxid;
    int64_t diff_zxid;        /* what DIFF carries: the last committed */
    int64_t queued_zxid;      /* the learner has everything up to here, once all that was to be sent has arrived */
    int64_t previous_zxid;    /* the last one it has too; -1 when none was seen */
    enum sync_op op;          /* what the walk turned out to be; NONE while it is open */
    int64_t op_zxid;
};
void sync_walk_begin(struct sync_walk *walk, int64_t peer_zxid, int64_t diff_zxid);
enum sync_step sync_walk_next(struct sync_walk *walk, int64_t zxid);
/* After the last one: true if there is an op (now), false if only SNAP helps. */
bool sync_walk_end(struct sync_walk *walk);

/* A learner whose last zxid is that of a new epoch, which stands in no log (isPeerNewEpochZxid). */
bool sync_is_new_epoch_zxid(int64_t zxid);
/*
 * May the log on disk be used: it begins at or before the learner's zxid, what is to be sent is not larger than the
 * limit (bytes; 0 is none), and it reaches into the window without a gap (2418).
 */
struct sync_log_facts {
    bool is_whole;           /* nothing was unreadable or missing on the way */
    bool has_record;
    int64_t first_zxid;      /* of the first record, at or before the learner's if it can be told */
    int64_t last_zxid;
    int64_t size_to_send;    /* bytes behind the learner's zxid */
};
bool sync_log_is_usable(const struct sync_log_facts *facts, int64_t peer_zxid, int64_t window_min, int64_t size_limit);

#endif
