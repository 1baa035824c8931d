/*
 * learner_handler_sync.c - brings one learner up to date.
 *
 * Mirrors LearnerHandler.syncFollower and the part of run() behind it.
 *
 *   unlocked:                       log on disk ==> DIFF, PROPOSAL, COMMIT, ... ==> channel
 *   committed log, leader held:     window, to be applied, outstanding ==> Q8, forwarding begins
 *   unlocked:                       tree ==> SNAP, its bytes, "BenWasHere" ==> channel
 *                                   NEWLEADER ==> Q8, whose sender starts now
 * (1) From the moment the window was read until forwarding begins nothing is committed into it, so that nothing is left
 *     out between what was queued and what is forwarded.
 * (2) What is on the channel is before what is in Q8: its sender starts last.
 * (3) NEWLEADER is behind everything that was committed when it was queued (3104).
 * Departs from Java: old history is streamed, not queued, and no lock is held meanwhile; the part of it that was
 * committed in that time follows until the window has the rest.
 */
#include <assert.h>
#include <inttypes.h>

#include "common/base/log.h"
#include "server/quorum/learner_handler_parts.h"
#include "server/quorum/learner_history.h"

static const char signature[] = "BenWasHere";

static struct zk_database *database_of(struct learner_handler *handler)
{
    return handler->master->core->database;
}

/* With the committed log held. */
static void take_view(struct learner_handler *handler, int64_t peer_zxid, struct sync_view *ret_view)
{
    const struct server_options *options = handler->master->self->options;
    struct committed_log *log = zk_database_committed_log(database_of(handler));
    size_t count = committed_log_held(log);
    *ret_view = (struct sync_view){
        .peer_zxid = peer_zxid,
        .last_processed_zxid = data_tree_last_processed_zxid(zk_database_tree(database_of(handler))),
        .window_count = count,
        .window_min = count > 0 ? committed_log_held_at(log, 0)->header.zxid : 0,
        .window_max = count > 0 ? committed_log_held_at(log, count - 1)->header.zxid : 0,
        .is_log_sync_enabled = options->snapshot_size_factor >= 0,
        .is_snap_forced = options->force_snapshot_sync,
    };
}

static void log_plan(struct learner_handler *handler, const struct sync_view *view, const struct sync_plan *plan)
{
    log_info("Synchronizing with Learner sid: %" PRId64 " maxCommittedLog=0x%" PRIx64 " minCommittedLog=0x%" PRIx64
             " lastProcessedZxid=0x%" PRIx64 " peerLastZxid=0x%" PRIx64 " by %s",
             atomic_load(&handler->sid), (uint64_t)view->window_max, (uint64_t)view->window_min,
             (uint64_t)view->last_processed_zxid, (uint64_t)view->peer_zxid, sync_way_name(plan->way));
}

static void put_op(struct learner_handler *handler, int32_t type, int64_t zxid)
{
    log_info("Sending %s zxid=0x%" PRIx64 " for peer sid: %" PRId64, quorum_packet_name(type), (uint64_t)zxid,
             atomic_load(&handler->sid));
    learner_handler_put(handler, type, zxid, NULL);
}

static void start_forwarding(struct learner_handler *handler, int64_t last_seen_zxid)
{
    handler->master->ops->start_forwarding(handler->master, handler, last_seen_zxid);
}

/* queueCommittedProposals over the window, which is held. False when only SNAP helps; nothing is queued then. */
static bool queue_window(struct learner_handler *handler, struct sync_walk *walk)
{
    struct committed_log *log = zk_database_committed_log(database_of(handler));
    for (size_t i = 0; i < committed_log_held(log); i++) {
        struct txn *txn = committed_log_held_at(log, i);
        bool had_op = walk->op != SYNC_OP_NONE;
        enum sync_step step = sync_walk_next(walk, txn->header.zxid);
        if (step == SYNC_STEP_REFUSE)
            return false;
        if (!had_op && walk->op != SYNC_OP_NONE)
            put_op(handler, walk->op == SYNC_OP_TRUNC ? QP_TRUNC : QP_DIFF, walk->op_zxid);
        if (step == SYNC_STEP_SEND) {
            learner_handler_put(handler, QP_PROPOSAL, txn->header.zxid, txn->bytes);
            learner_handler_put(handler, QP_COMMIT, txn->header.zxid, NULL);
        }
    }
    bool had_op = walk->op != SYNC_OP_NONE;
    if (!sync_walk_end(walk))
        return false;
    if (!had_op)
        put_op(handler, QP_DIFF, walk->op_zxid);
    return true;
}

/* What can be queued at once is queued, and forwarding begins; else, for SYNC_WAY_LOG, nothing was done. */
static enum sync_way queue_recent(struct learner_handler *handler, const struct sync_view *view,
                                  const struct sync_plan *plan)
{
    struct sync_walk walk;
    enum sync_way way = plan->way;
    switch (plan->way) {
    case SYNC_WAY_DIFF_EMPTY:
        put_op(handler, QP_DIFF, plan->zxid);
        start_forwarding(handler, plan->zxid);
        break;
    case SYNC_WAY_TRUNC:
        put_op(handler, QP_TRUNC, plan->zxid);
        start_forwarding(handler, plan->zxid);
        break;
    case SYNC_WAY_WINDOW:
        sync_walk_begin(&walk, view->peer_zxid, plan->window_max);
        if (queue_window(handler, &walk)) {
            start_forwarding(handler, walk.queued_zxid);
            break;
        }
        way = SYNC_WAY_SNAP;
        start_forwarding(handler, view->last_processed_zxid);
        break;
    case SYNC_WAY_SNAP:
        start_forwarding(handler, view->last_processed_zxid);
        break;
    case SYNC_WAY_LOG:
        break;
    }
    return way;
}

/* Streams the log on disk until the window has the rest, then queues that. */
static int sync_by_log(struct learner_handler *handler, const struct sync_view *first_view, struct error *error)
{
    struct committed_log *log = zk_database_committed_log(database_of(handler));
    struct sync_view view = *first_view;
    struct sync_plan plan;
    struct sync_walk walk;
    sync_plan_make(&view, &plan);
    sync_walk_begin(&walk, view.peer_zxid, plan.window_max);
    for (;;) {
        int64_t before = walk.queued_zxid;
        int err = learner_history_send(database_of(handler), &walk, plan.window_max, handler->channel, error);
        if (err != ZK_OK)
            return err;
        committed_log_hold(log);
        take_view(handler, view.peer_zxid, &view);
        sync_plan_make(&view, &plan);
        bool has_arrived = walk.queued_zxid >= plan.window_min;
        if (has_arrived) {
            bool is_queued = queue_window(handler, &walk);
            assert(is_queued);    /* DIFF or TRUNC was sent already */
            start_forwarding(handler, walk.queued_zxid);
        }
        committed_log_let_go(log);
        if (has_arrived)
            return ZK_OK;
        if (walk.queued_zxid == before)
            return error_set(error, ZK_INVALID_STATE,
                             "the log on disk ends at 0x%" PRIx64 ", transactions in memory begin"
                             " at 0x%" PRIx64,
                             (uint64_t)walk.queued_zxid, (uint64_t)plan.window_min);
    }
}

static int begin_throttled(struct learner_handler *handler, struct learner_sync_throttler *throttler,
                           enum metric inflight, struct error *error)
{
    bool is_essential = learner_handler_type(handler) != LEARNER_OBSERVER;
    int err = learner_sync_throttler_begin(throttler, is_essential, error);
    if (err != ZK_OK)
        return err;
    handler->throttler = throttler;
    server_metrics_sample(handler->master->core->metrics, inflight, learner_sync_throttler_in_progress(throttler));
    return ZK_OK;
}

static int send_snapshot(struct learner_handler *handler, int64_t peer_zxid, struct error *error)
{
    struct learner_master *master = handler->master;
    int64_t zxid = data_tree_last_processed_zxid(zk_database_tree(database_of(handler)));
    log_info("Sending snapshot last zxid of peer is 0x%" PRIx64 ", zxid of leader is 0x%" PRIx64
             ", send zxid of db as 0x%" PRIx64 ", %" PRId64 " concurrent snapshot sync",
             (uint64_t)peer_zxid, (uint64_t)master->ops->last_proposed(master), (uint64_t)zxid,
             learner_sync_throttler_in_progress(&master->snap_throttler));
    struct byte_sink *sink = quorum_channel_sink(handler->channel);
    struct buffer end = { 0 };
    jute_write_string(&end, signature);
    int err = quorum_channel_write_packet(handler->channel, QP_SNAP, zxid, NULL, NULL, error);
    if (err == ZK_OK)
        err = quorum_channel_flush(handler->channel, error);
    if (err == ZK_OK)
        err = zk_database_serialize_snapshot(database_of(handler), sink, error);
    if (err == ZK_OK)
        err = sink->write(sink, end.bytes, end.size, error);
    if (err == ZK_OK)
        err = quorum_channel_flush(handler->channel, error);
    buffer_release(&end);
    server_metrics_count(master->core->metrics, METRIC_SNAP_COUNT, 1);
    return err;
}

/* (3) */
static int put_new_leader(struct learner_handler *handler, int64_t new_leader_zxid, struct error *error)
{
    struct learner_master *master = handler->master;
    if (handler->version < EPOCH_PROTOCOL_VERSION) {
        int err = quorum_channel_write_packet(handler->channel, QP_NEWLEADER, new_leader_zxid, NULL, NULL, error);
        return err == ZK_OK ? quorum_channel_flush(handler->channel, error) : err;
    }
    struct quorum_verifier *verifier = master->ops->new_leader_verifier(master);
    struct buffer text = { 0 };
    quorum_verifier_print(verifier, &text);
    struct blob *data = blob_new_copy(text.bytes, text.size);
    packet_sender_hold_commits(handler->sender);    /* until UPTODATE */
    learner_handler_put(handler, QP_NEWLEADER, new_leader_zxid, data);
    blob_unref(data);
    buffer_release(&text);
    quorum_verifier_unref(verifier);
    return quorum_channel_flush(handler->channel, error);
}

/* Everything up to NEWLEADER, by whatever way it takes; *ret_way is the one it took. */
static int bring_up_to_date(struct learner_handler *handler, int64_t peer_zxid, enum sync_way *ret_way,
                            struct error *error)
{
    struct committed_log *log = zk_database_committed_log(database_of(handler));
    double factor = handler->master->self->options->snapshot_size_factor;
    struct sync_view view;
    struct sync_plan plan;
    committed_log_hold(log);    /* (1) */
    take_view(handler, peer_zxid, &view);
    sync_plan_make(&view, &plan);
    *ret_way = queue_recent(handler, &view, &plan);
    committed_log_let_go(log);
    log_plan(handler, &view, &plan);
    if (*ret_way != SYNC_WAY_LOG)
        return ZK_OK;
    if (learner_history_is_usable(database_of(handler), peer_zxid, plan.window_min, plan.window_max, factor))
        return sync_by_log(handler, &view, error);
    committed_log_hold(log);
    take_view(handler, peer_zxid, &view);
    start_forwarding(handler, view.last_processed_zxid);
    committed_log_let_go(log);
    *ret_way = SYNC_WAY_SNAP;
    return ZK_OK;
}

int learner_handler_sync(struct learner_handler *handler, int64_t peer_zxid, int64_t new_leader_zxid,
                         struct error *error)
{
    struct learner_master *master = handler->master;
    enum sync_way way;
    int err = bring_up_to_date(handler, peer_zxid, &way, error);
    if (err == ZK_OK && way == SYNC_WAY_SNAP) {
        err = begin_throttled(handler, &master->snap_throttler, METRIC_INFLIGHT_SNAP_COUNT, error);
        if (err == ZK_OK)
            err = send_snapshot(handler, peer_zxid, error);
    } else if (err == ZK_OK) {
        err = begin_throttled(handler, &master->diff_throttler, METRIC_INFLIGHT_DIFF_COUNT, error);
        if (err == ZK_OK)
            server_metrics_count(master->core->metrics, METRIC_DIFF_COUNT, 1);
    }
    if (err == ZK_OK)
        err = put_new_leader(handler, new_leader_zxid, error);
    if (err == ZK_OK)
        packet_sender_start(handler->sender, atomic_load(&handler->sid));    /* (2) */
    return err;
}

void learner_handler_end_sync(struct learner_handler *handler)
{
    struct learner_sync_throttler *throttler = handler->throttler;
    if (throttler == NULL)
        return;
    handler->throttler = NULL;
    learner_sync_throttler_end(throttler);
    enum metric inflight = throttler == &handler->master->snap_throttler ? METRIC_INFLIGHT_SNAP_COUNT
                                                                         : METRIC_INFLIGHT_DIFF_COUNT;
    server_metrics_sample(handler->master->core->metrics, inflight, learner_sync_throttler_in_progress(throttler));
}
