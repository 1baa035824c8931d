/*
 * learner_sync.c - from where this server stands to where its leader stands, before it serves.
 *
 * Mirrors Learner.syncWithLeader of 3.9.5.
 *
 *   DIFF --------> proposals, commits ----+
 *   TRUNC z -----> cut off behind z ------+--> NEWLEADER --> all of it durable --> currentEpoch --> ACK --> UPTODATE
 *   SNAP --------> the whole state -------+
 * (1) When NEWLEADER is acked everything that came before it is durable, and the current epoch behind it, in that order
 *     (3911, 4643, 4646, 4785): by the log after a DIFF, by a snapshot after SNAP and TRUNC.
 * (2) Proposals follow one another, and what this server has, without a gap: learner_take_order().
 * (3) What was proposed but not committed by NEWLEADER stays in order and is logged by the chain once it runs (4394);
 *     the first ACK is that of NEWLEADER (4685).
 * (4) While a SNAP or TRUNC is under way memory is not what the disk has: sync_mode says so, and whoever ends the role
 *     before it is done throws memory away (3642, 2845).
 * (5) What this server has already is passed over when a DIFF brings it again, up to the last that is here; a leader
 *     that skips that one has another history.
 * (6) What this server had logged behind the zxid of a SNAP was never committed, as the leader knows what was. It goes
 *     before the snapshot is saved: a start would replay it over that. Snapshots behind it go when it is saved.
 * (7) A leader that serves sends with NEWLEADER the last configuration it proposed, which may come to nothing. One that
 *     is not committed yet waits for its commit; Java activates it with UPTODATE, and stays outside if it is lost.
 * (8) A TRUNC to where no log leads, as the state is a leader's snapshot from behind it, leaves all in place; the
 *     leader is asked for its state instead. (Java ends, and does so again at each start.)
 * Departs from Java: a snapshot is always synced before the ACK (Java does so after SNAP only); observers that log do
 * as followers; a commit that fits no proposal breaks the link; a gap breaks it behind what this server has, too, and
 * at the begin of an epoch, where enforceContinuousProposal does not look.
 */
#include <inttypes.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/wire/op_code.h"
#include "common/wire/zxid.h"
#include "server/persistence/txn_iterator.h"
#include "server/quorum/config_node.h"
#include "server/quorum/known_txns.h"
#include "server/quorum/learner_parts.h"
#include "server/tree/tree_snapshot.h"

#define SIGNATURE "BenWasHere"
#define CONFIG_NODE_HEAD 8    /* the suggested leader in front of a transaction, or alone */

/* A proposal taken in but not yet handed on; PacketInFlight. */
struct in_flight {
    struct txn *txn;
    bool is_committed;
};
struct learner_sync {
    struct learner *learner;
    struct zk_database *database;
    int64_t new_leader_zxid;
    bool is_snapshot_needed;
    bool is_new_leader_acked;
    struct known_txns known;
    bool writes_to_log;                  /* proposals wait for the log; before NEWLEADER of a SNAP they go to memory */
    struct quorum_verifier *new_config;  /* of NEWLEADER */
    struct in_flight *queued;            /* packetsNotLogged, oldest first; its first ones, marked: packetsCommitted */
    size_t first, count, capacity;       /* queued[first .. count - 1] */
};

/* ---- what waits ---- */

static void queue_txn(struct learner_sync *sync, struct txn *txn, bool is_committed)
{
    if (sync->count == sync->capacity) {
        sync->capacity = sync->capacity == 0 ? 64 : sync->capacity * 2;
        sync->queued = memory_realloc(sync->queued, sync->capacity * sizeof sync->queued[0]);
    }
    sync->queued[sync->count++] = (struct in_flight){txn, is_committed};
}

static void drop_queued(struct learner_sync *sync)
{
    for (size_t i = sync->first; i < sync->count; i++)
        txn_unref(sync->queued[i].txn);
    memory_free(sync->queued);
    quorum_verifier_unref(sync->new_config);
}

static void apply(struct learner_sync *sync, struct txn *txn)
{
    struct process_txn_result result;
    struct arena arena = {0};
    zk_database_process_txn(sync->database, txn, &arena, &result);
    arena_release(&arena);
}

/* As in the chain, it ends the process: what the disk has is not known any more, and memory may be ahead of it. */
static int disk_failed(struct learner_sync *sync, int err, struct error *error)
{
    struct quorum_self *self = sync->learner->self;
    self->ops->fail(self->owner, EXIT_CODE_UNEXPECTED_ERROR, error);
    return err;
}

/* ---- the first packet ---- */

static int receive_snapshot(struct learner_sync *sync, struct error *error)
{
    struct learner *learner = sync->learner;
    log_info("Getting a snapshot from leader 0x%" PRIx64, (uint64_t)learner->packet.zxid);
    struct byte_source *source = quorum_channel_source(learner->channel);
    int err = zk_database_deserialize_snapshot(sync->database, source, error);
    uint8_t signature[4 + sizeof(SIGNATURE) - 1];
    if (err == ZK_OK)
        err = source->read(source, signature, sizeof signature, error);
    if (err != ZK_OK)
        return error_prefix(error, "the leader's snapshot");
    if (load_be32(signature) != sizeof(SIGNATURE) - 1 || memcmp(signature + 4, SIGNATURE, sizeof(SIGNATURE) - 1) != 0)
        return error_set(error, ZK_CORRUPT, "Missing signature behind the leader's snapshot");
    data_tree_set_last_processed_zxid(zk_database_tree(sync->database), learner->packet.zxid);
    err = zk_database_drop_log_behind(sync->database, learner->packet.zxid, error);    /* (6) */
    return err == ZK_OK ? ZK_OK : disk_failed(sync, err, error);
}

/* A truncation that cannot be done leaves the quorum: the process ends, as Java's (3701). */
static int truncate_log(struct learner_sync *sync, struct error *error)
{
    struct quorum_self *self = sync->learner->self;
    int64_t zxid = sync->learner->packet.zxid;
    log_warn("Truncating log to get in sync with the leader 0x%" PRIx64, (uint64_t)zxid);
    if (zxid > quorum_self_last_logged_zxid(self))
        return error_set(error, ZK_MARSHALLING_ERROR, "TRUNC to 0x%" PRIx64 ", which this server has not reached",
                         (uint64_t)zxid);
    int err = zk_database_truncate_log(sync->database, zxid, error);
    if (err == ZK_OK)
        return ZK_OK;
    error_prefix(error, "Not able to truncate the log to 0x%" PRIx64, (uint64_t)zxid);
    if (err == ZK_NOT_FOUND) {    /* (8) */
        atomic_store(&self->snapshot_epoch, zxid_epoch(sync->new_leader_zxid));
        return err;
    }
    self->ops->fail(self->owner, EXIT_CODE_QUORUM_PACKET_ERROR, error);
    return err;
}

/* A server that was upgraded from one that left no snapshot gets its first here. */
static bool has_snapshot(struct learner_sync *sync)
{
    int64_t zxid, wall_ms;
    file_txn_snap_log_last_snapshot(zk_database_snap_log(sync->database), &zxid, &wall_ms);
    return zxid >= 0;
}

static int begin(struct learner_sync *sync, struct error *error)
{
    struct learner *learner = sync->learner;
    struct quorum_self *self = learner->self;
    int err = learner_read_packet(learner, error);
    if (err != ZK_OK)
        return err;
    switch (learner->packet.type) {
    case QP_DIFF:
        log_info("Getting a diff from the leader 0x%" PRIx64, (uint64_t)learner->packet.zxid);
        atomic_store(&self->sync_mode, SYNC_DIFF);
        sync->is_snapshot_needed = !has_snapshot(sync);
        break;
    case QP_SNAP:
        atomic_store(&self->sync_mode, SYNC_SNAP);    /* (4) */
        err = receive_snapshot(sync, error);
        break;
    case QP_TRUNC:
        atomic_store(&self->sync_mode, SYNC_TRUNC);
        err = truncate_log(sync, error);
        break;
    default: {
        struct buffer text = {0};
        received_packet_print(&learner->packet, &text);
        err = error_set(error, ZK_MARSHALLING_ERROR, "Got unexpected packet from leader: %s", buffer_string(&text));
        buffer_release(&text);
    }
    }
    sync->writes_to_log = !sync->is_snapshot_needed;
    return err;
}

/* ---- proposals and commits ---- */

static int note_config(struct learner_sync *sync, const struct txn *txn, struct error *error)
{
    struct quorum_verifier *verifier;
    int err = learner_config_of(sync->learner, txn, &verifier, error);
    if (err != ZK_OK)
        return err;
    err = quorum_self_set_last_seen_verifier(sync->learner->self, verifier, true, error);
    quorum_verifier_unref(verifier);
    return err;
}

/* Takes a configuration over; an error where the role has to end for it. */
static int activate_config(struct learner_sync *sync, struct quorum_verifier *verifier, int64_t suggested_leader,
                           int64_t zxid, struct error *error)
{
    bool is_major = quorum_self_process_reconfig(sync->learner->self, verifier, suggested_leader, zxid, true);
    return is_major ? error_set(error, ZK_CLOSED, "changes proposed in reconfig") : ZK_OK;
}

static int activate_config_of(struct learner_sync *sync, const struct txn *txn, struct error *error)
{
    const struct received_packet *packet = &sync->learner->packet;
    if (packet->data.size < CONFIG_NODE_HEAD)
        return error_set(error, ZK_MARSHALLING_ERROR, "%s without a suggested leader",
                         quorum_packet_name(packet->type));
    struct quorum_verifier *verifier;
    int err = learner_config_of(sync->learner, txn, &verifier, error);
    if (err != ZK_OK)
        return err;
    err = activate_config(sync, verifier, (int64_t)load_be64(packet->data.bytes), packet->zxid, error);
    quorum_verifier_unref(verifier);
    return err;
}

/* (5) *ret_is_known: there is nothing to do about it. */
static int look_for_known(struct learner_sync *sync, int64_t zxid, bool *ret_is_known, struct error *error)
{
    *ret_is_known = false;
    if (atomic_load(&sync->learner->self->sync_mode) != SYNC_DIFF || sync->learner->last_queued != 0)
        return ZK_OK;
    struct known_txns *known = &sync->known;
    known->last_here = data_tree_last_processed_zxid(zk_database_tree(sync->database));
    switch (known_txns_take(known, zxid)) {
    case TXN_IS_NEW:
        return ZK_OK;
    case TXN_IS_KNOWN:
        *ret_is_known = true;
        return ZK_OK;
    case TXN_IS_OUT_OF_ORDER:
        return error_set(error, ZK_CORRUPT, "Got zxid 0x%" PRIx64 " after 0x%" PRIx64, (uint64_t)zxid,
                         (uint64_t)known->last_seen);
    case TXN_LEAVES_OUT_OURS:
        break;
    }
    return error_set(error, ZK_CORRUPT,
                     "Got zxid 0x%" PRIx64 " after 0x%" PRIx64 ", the leader does not know 0x%" PRIx64
                     ", which is here",
                     (uint64_t)zxid, (uint64_t)known->last_seen, (uint64_t)known->last_here);
}

static int take_proposal(struct learner_sync *sync, struct error *error)
{
    struct txn *txn;
    bool is_known;
    int err = learner_read_txn(sync->learner, 0, &txn, error);
    if (err != ZK_OK)
        return err;
    err = look_for_known(sync, txn->header.zxid, &is_known, error);
    if (err != ZK_OK || is_known) {
        txn_unref(txn);
        return err;
    }
    err = learner_take_order(sync->learner, txn->header.zxid, error);    /* (2) */
    if (err == ZK_OK && txn->header.type == OP_RECONFIG)
        err = note_config(sync, txn, error);
    if (err == ZK_OK)
        queue_txn(sync, txn, false);
    else
        txn_unref(txn);
    return err;
}

/* The oldest proposal that is not committed yet; NULL when there is none. */
static struct in_flight *next_uncommitted(struct learner_sync *sync)
{
    for (size_t i = sync->first; i < sync->count; i++)
        if (!sync->queued[i].is_committed)
            return &sync->queued[i];
    return NULL;
}

static int take_commit(struct learner_sync *sync, struct error *error)
{
    const struct received_packet *packet = &sync->learner->packet;
    struct in_flight *next = next_uncommitted(sync);
    if (packet->zxid <= sync->known.last_seen)
        return ZK_OK;    /* (5) */
    if (next == NULL || next->txn->header.zxid != packet->zxid)
        return error_set(error, ZK_CORRUPT, "Committing 0x%" PRIx64 ", but next proposal is 0x%" PRIx64,
                         (uint64_t)packet->zxid, next == NULL ? 0 : (uint64_t)next->txn->header.zxid);
    if (packet->type == QP_COMMITANDACTIVATE) {
        int err = activate_config_of(sync, next->txn, error);
        if (err != ZK_OK)
            return err;
    }
    next->is_committed = true;
    if (!sync->writes_to_log) {
        apply(sync, next->txn);
        txn_unref(next->txn);
        sync->first++;
    }
    return ZK_OK;
}

static int take_inform(struct learner_sync *sync, struct error *error)
{
    bool is_activation = sync->learner->packet.type == QP_INFORMANDACTIVATE;
    struct txn *txn;
    bool is_known;
    int err = learner_read_txn(sync->learner, is_activation ? CONFIG_NODE_HEAD : 0, &txn, error);
    if (err != ZK_OK)
        return err;
    err = look_for_known(sync, txn->header.zxid, &is_known, error);
    if (err != ZK_OK || is_known) {
        txn_unref(txn);
        return err;
    }
    err = learner_take_order(sync->learner, txn->header.zxid, error);    /* (2) */
    if (err == ZK_OK && is_activation)
        err = activate_config_of(sync, txn, error);
    if (err == ZK_OK && sync->writes_to_log) {
        queue_txn(sync, txn, true);
        return ZK_OK;
    }
    if (err == ZK_OK)
        apply(sync, txn);
    txn_unref(txn);
    return err;
}

/* ---- NEWLEADER ---- */

static bool logs(const struct learner *learner)
{
    return !learner->is_observer || learner->self->options->sync_enabled;
}

/* What was committed so far goes to the log and to the tree, and is durable. */
static int persist_committed(struct learner_sync *sync, struct error *error)
{
    int64_t start_ms = clock_elapsed_ms();
    size_t before = sync->first;
    bool is_logged = logs(sync->learner);
    int err = ZK_OK;
    while (err == ZK_OK && sync->first < sync->count && sync->queued[sync->first].is_committed) {
        struct txn *txn = sync->queued[sync->first].txn;
        if (is_logged)
            err = zk_database_append(sync->database, txn, error);
        if (err == ZK_OK) {
            apply(sync, txn);
            txn_unref(txn);
            sync->first++;
        }
    }
    if (err == ZK_OK && is_logged && sync->first != before)
        err = zk_database_commit(sync->database, error);
    if (err == ZK_OK && sync->first != before)
        log_info("It took %" PRId64 "ms to persist and commit %zu txns, %zu outstanding", clock_elapsed_ms() - start_ms,
                 sync->first - before, sync->count - sync->first);
    return err;
}

static int take_new_config(struct learner_sync *sync, struct error *error)
{
    struct slice data = sync->learner->packet.data;
    if (data.size <= 1)
        return ZK_OK;
    struct error cause = {0};
    quorum_verifier_unref(sync->new_config);    /* of a NEWLEADER before this one */
    if (learner_parse_config(sync->learner, data, &sync->new_config, &cause) != ZK_OK) {
        sync->new_config = NULL;
        return error_set(error, ZK_MARSHALLING_ERROR, "the configuration of NEWLEADER: %s", cause.text);
    }
    return quorum_self_set_last_seen_verifier(sync->learner->self, sync->new_config, true, error);
}

/* (2) What is in flight will be logged behind what is durable. */
static int check_in_flight(struct learner_sync *sync, struct error *error)
{
    int64_t last = data_tree_last_processed_zxid(zk_database_tree(sync->database));
    if (sync->first == sync->count || zxid_follows(last, sync->queued[sync->first].txn->header.zxid))
        return ZK_OK;
    return error_set(error, ZK_CORRUPT, "Proposal 0x%" PRIx64 " is not committed, and does not follow 0x%" PRIx64,
                     (uint64_t)sync->queued[sync->first].txn->header.zxid, (uint64_t)last);
}

/* (1) */
static int make_durable(struct learner_sync *sync, struct error *error)
{
    struct quorum_self *self = sync->learner->self;
    int err = ZK_OK;
    if (sync->is_snapshot_needed) {
        tree_snapshot_set_fuzzy(zk_database_tree(sync->database), false);
        err = zk_database_take_snapshot(sync->database, error);
        if (err == ZK_OK)
            err = zk_database_drop_snapshots_behind(sync->database, error);
        zk_database_roll_log(sync->database);
        sync->is_snapshot_needed = false;
    }
    if (err == ZK_OK)
        err = persist_committed(sync, error);
    if (err != ZK_OK)
        return disk_failed(sync, err, error);
    err = check_in_flight(sync, error);
    return err == ZK_OK ? quorum_self_set_current_epoch(self, zxid_epoch(sync->new_leader_zxid), error) : err;
}

static int take_new_leader(struct learner_sync *sync, struct error *error)
{
    struct learner *learner = sync->learner;
    log_info("Learner received NEWLEADER message");
    int err = take_new_config(sync, error);
    if (err == ZK_OK)
        err = make_durable(sync, error);
    if (err != ZK_OK)
        return err;
    sync->writes_to_log = true;
    sync->is_new_leader_acked = true;
    quorum_channel_set_timeout(learner->channel, quorum_self_sync_limit_ms(learner->self));
    atomic_store(&learner->self->sync_mode, SYNC_NONE);
    log_info("Set the current epoch to %" PRId64 ", acking 0x%" PRIx64, zxid_epoch(sync->new_leader_zxid),
             (uint64_t)sync->new_leader_zxid);
    return learner_write_packet(learner, QP_ACK, sync->new_leader_zxid, NULL, true);
}

/* ---- UPTODATE ---- */

/* The last transaction here that is committed, whether it is applied or still waits. */
static int64_t last_committed(struct learner_sync *sync)
{
    int64_t zxid = data_tree_last_processed_zxid(zk_database_tree(sync->database));
    for (size_t i = sync->first; i < sync->count && sync->queued[i].is_committed; i++)
        zxid = sync->queued[i].txn->header.zxid;
    return zxid;
}

bool learner_config_is_committed(int64_t version, int64_t new_leader_zxid, int64_t committed_zxid)
{
    bool is_of_this_epoch = zxid_epoch(version) == zxid_epoch(new_leader_zxid);
    return !is_of_this_epoch || version <= new_leader_zxid || version <= committed_zxid;
}

static int activate_new_config(struct learner_sync *sync, struct error *error)
{
    struct quorum_verifier *config = sync->new_config;
    if (config == NULL)
        return ZK_OK;
    int64_t version = quorum_verifier_version(config);
    if (learner_config_is_committed(version, sync->new_leader_zxid, last_committed(sync)))
        return activate_config(sync, config, -1, -1, error);
    log_info("config %" PRIx64 " came with NEWLEADER and is not committed yet", (uint64_t)version);    /* (7) */
    return ZK_OK;
}

static int take_up_to_date(struct learner_sync *sync, struct error *error)
{
    log_info("Learner received UPTODATE message");
    if (!sync->is_new_leader_acked) {    /* a leader from before 3.4 sent NEWLEADER first of all */
        int err = make_durable(sync, error);
        if (err != ZK_OK)
            return err;
        atomic_store(&sync->learner->self->sync_mode, SYNC_NONE);
    }
    return activate_new_config(sync, error);
}

static int catch_up(struct learner_sync *sync, struct error *error)
{
    struct learner *learner = sync->learner;
    int err = ZK_OK;
    while (err == ZK_OK) {
        err = learner_read_packet(learner, error);
        if (err != ZK_OK)
            return err;
        switch (learner->packet.type) {
        case QP_PROPOSAL:
            err = take_proposal(sync, error);
            break;
        case QP_COMMIT:
        case QP_COMMITANDACTIVATE:
            err = take_commit(sync, error);
            break;
        case QP_INFORM:
        case QP_INFORMANDACTIVATE:
            err = take_inform(sync, error);
            break;
        case QP_NEWLEADER:
            err = take_new_leader(sync, error);
            break;
        case QP_UPTODATE:
            return take_up_to_date(sync, error);
        default:    /* as Java, which has no word for the others here */
            break;
        }
    }
    return err;
}

/* The chain runs: what is in flight goes where it would have gone (3). */
static void hand_over(struct learner_sync *sync)
{
    struct learner *learner = sync->learner;
    size_t logged = sync->count - sync->first, committed = 0;
    for (size_t i = sync->first; i < sync->count; i++) {
        struct txn *txn = sync->queued[i].txn;
        if (learner->follower != NULL)
            follower_zookeeper_server_log_request(learner->follower, request_new_from_txn(txn));
        else if (sync->queued[i].is_committed)
            observer_zookeeper_server_commit_request(learner->observer, request_new_from_txn(txn));
    }
    for (size_t i = sync->first; i < sync->count && sync->queued[i].is_committed; i++, committed++)
        if (learner->follower != NULL)
            follower_zookeeper_server_commit(learner->follower, sync->queued[i].txn->header.zxid, NULL);
    learner_end_batch(learner);
    log_info("%zu txns have been logged asynchronously, %zu of them are committed", logged, committed);
}

static void start_serving(struct learner_sync *sync)
{
    struct learner *learner = sync->learner;
    int64_t new_epoch = zxid_epoch(sync->new_leader_zxid);
    learner_write_packet(learner, QP_ACK, zxid_make(new_epoch, 0), NULL, true);
    if (learner->follower != NULL)
        follower_zookeeper_server_startup(learner->follower);
    else
        observer_zookeeper_server_startup(learner->observer);
    learner->is_serving = true;
    quorum_self_update_election_vote(learner->self, new_epoch);
    hand_over(sync);
}

int learner_sync_with_leader(struct learner *learner, int64_t new_leader_zxid, struct error *error)
{
    struct learner_sync sync = {
        .learner = learner,
        .database = zookeeper_server_core(learner->server)->database,
        .new_leader_zxid = new_leader_zxid,
        .is_snapshot_needed = true,
    };
    int err = begin(&sync, error);
    if (err == ZK_OK) {
        config_node_init(learner->self, sync.database);
        if (learner->follower != NULL)
            follower_zookeeper_server_create_session_tracker(learner->follower);
        else
            observer_zookeeper_server_create_session_tracker(learner->observer);
        err = catch_up(&sync, error);
    }
    if (err == ZK_OK)
        start_serving(&sync);
    drop_queued(&sync);
    return err;
}
