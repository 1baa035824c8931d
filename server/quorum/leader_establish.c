/*
 * leader_establish.c - from an election that was won to a quorum that follows.
 *
 * Mirrors the first half of Leader.lead, and startZkServer.
 *
 *   epoch: larger than any that a quorum accepted ==> acceptedEpoch
 *   NEWLEADER: zxid (epoch, 0), the configuration that was last proposed
 *   a quorum accepted the epoch, none of it knows more ==> currentEpoch
 *   a quorum has acked NEWLEADER ==> serving
 * (1) A promise is durable before it counts: acceptedEpoch before LEADERINFO leaves, currentEpoch before this server's
 *     own ack of NEWLEADER.
 * (2) The session tracker is there before the first learner comes in, the zxid of the new epoch in the tree before the
 *     first request.
 * Departs from Java: ephemerals of sessions that are over are not taken out of this tree alone; a closeSession goes
 * through the chain, so that they vanish on every server (5010).
 */
#include <inttypes.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/wire/zxid.h"
#include "server/quorum/leader_parts.h"

/* ---- configuration ---- */

struct quorum_verifier *leader_next_verifier(struct leader *leader, const struct quorum_verifier *present)
{
    struct quorum_verifier *last_seen = quorum_self_last_seen_verifier(leader->self);
    if (last_seen != NULL && quorum_verifier_version(last_seen) > quorum_verifier_version(present))
        return last_seen;
    quorum_verifier_unref(last_seen);
    return NULL;
}

static bool has_address(const struct quorum_server *server, const struct quorum_address *address)
{
    for (size_t i = 0; i < server->address_count; i++) {
        if (server->addresses[i].port == address->port && strcmp(server->addresses[i].host, address->host) == 0)
            return true;
    }
    return false;
}

static bool has_same_addresses(const struct quorum_server *a, const struct quorum_server *b)
{
    if (a->address_count != b->address_count)
        return false;
    for (size_t i = 0; i < a->address_count; i++) {
        if (!has_address(b, &a->addresses[i]))
            return false;
    }
    return true;
}

bool leader_is_fit_for(struct leader *leader, struct quorum_verifier *verifier)
{
    struct quorum_self *self = leader->self;
    struct quorum_verifier *holder;
    const struct quorum_server *now, *then = quorum_verifier_find(verifier, self->id);
    if (then == NULL || !quorum_verifier_is_voter(verifier, self->id)
        || !quorum_self_find_server(self, self->id, &holder, &now))
        return false;
    bool is_same = has_same_addresses(then, now);
    quorum_verifier_unref(holder);
    return is_same;
}

/*
 * A configuration of version 0 was never agreed upon. The first leader proposes it, with NEWLEADER, under its own zxid
 * as version, so that it wins over those that other servers began with (1783).
 */
static int propose_first_config(struct leader *leader, int64_t zxid, struct error *error)
{
    struct quorum_verifier *present = quorum_self_verifier(leader->self);
    struct quorum_verifier *last_seen = quorum_self_last_seen_verifier(leader->self);
    int err = ZK_OK;
    if (quorum_verifier_version(present) == 0 && (last_seen == NULL || quorum_verifier_version(last_seen) == 0)) {
        struct quorum_verifier *first = quorum_verifier_with_version(present, zxid);
        err = quorum_self_set_last_seen_verifier(leader->self, first, true, error);
        quorum_verifier_unref(first);
    }
    quorum_verifier_unref(last_seen);
    quorum_verifier_unref(present);
    return err;
}

static void set_new_leader(struct leader *leader, int64_t zxid)
{
    struct quorum_verifier *present = quorum_self_verifier(leader->self);
    struct quorum_verifier *next = leader_next_verifier(leader, present);
    epoch_agreement_set_new_leader(leader->agreement, zxid, present, next);
    quorum_verifier_unref(next);
    quorum_verifier_unref(present);
}

/* The configuration that came with NEWLEADER has its quorum: it is the present one. */
static void activate_config(struct leader *leader, int64_t zxid)
{
    struct quorum_self *self = leader->self;
    struct quorum_verifier *verifier = quorum_self_last_seen_verifier(self);
    if (verifier == NULL)
        verifier = quorum_self_verifier(self);
    struct sid_set acks = { 0 };
    epoch_agreement_new_leader_acks(leader->agreement, &acks);
    int64_t designated = leader_proposals_designate(&leader->proposals, &acks, leader_is_fit_for(leader, verifier));
    quorum_self_process_reconfig(self, verifier, designated, zxid, true);
    if (designated != self->id) {
        log_warn("This leader is not the designated leader, %" PRId64 " is; nothing is committed here", designated);
        mutex_lock(&leader->lock);
        leader_proposals_end_commits(&leader->proposals);
        mutex_unlock(&leader->lock);
    }
    sid_set_release(&acks);
    quorum_verifier_unref(verifier);
}

/* ---- serving ---- */

static void close_dead_sessions(struct leader *leader)
{
    size_t count;
    int64_t *owners = data_tree_get_sessions(zk_database_tree(leader->core->database), &count);
    for (size_t i = 0; i < count; i++) {
        int32_t timeout_ms;
        if (session_table_get(zk_database_sessions(leader->core->database), owners[i], &timeout_ms))
            continue;
        log_info("Session 0x%" PRIx64 " is over but owns ephemeral nodes, it is closed", (uint64_t)owners[i]);
        leader_zookeeper_server_submit_learner_request(
            leader->zks, request_new_internal(owners[i], OP_CLOSE_SESSION, (struct slice){ 0 }));
    }
    memory_free(owners);
}

/* startZkServer */
static void start_server(struct leader *leader, int64_t zxid)
{
    struct buffer acks = { 0 };
    epoch_agreement_print_new_leader_acks(leader->agreement, &acks);
    log_info("Have quorum of supporters, sids: [%s]; starting up and setting last processed zxid: 0x%" PRIx64,
             buffer_string(&acks), (uint64_t)zxid);
    buffer_release(&acks);
    mutex_lock(&leader->lock);
    leader->proposals.last_committed = zxid;
    mutex_unlock(&leader->lock);
    if (leader->self->options->reconfig_enabled)
        activate_config(leader, zxid);
    else
        log_info("Dynamic reconfig feature is disabled, skip designatedLeader calculation and reconfig processing");
    data_tree_set_last_processed_zxid(zk_database_tree(leader->core->database), zxid);    /* (2) */
    atomic_store(&leader->start_ms, clock_elapsed_ms());
    leader_zookeeper_server_startup(leader->zks);
    quorum_self_update_election_vote(leader->self, zxid_epoch(zxid));
    mutex_lock(&leader->lock);
    leader->is_serving = true;
    condition_broadcast(&leader->changed);
    mutex_unlock(&leader->lock);
    close_dead_sessions(leader);
}

/* ---- agreement ---- */

/* Says who was there in vain. */
static void log_missing_acks(struct leader *leader, struct error *error)
{
    struct buffer acks = { 0 };
    struct sid_set present = { 0 };
    int64_t sid;
    epoch_agreement_print_new_leader_acks(leader->agreement, &acks);
    error_set(error, ZK_TIMED_OUT, "Waiting for a quorum of followers, only synced with sids: [ %s ]",
              buffer_string(&acks));
    mutex_lock(&leader->master.learners.lock);
    LEARNER_LIST_EACH (link, &leader->master.learners) {
        if (learner_handler_sid(learner_handler_of(link), &sid))
            sid_set_add(&present, sid);
    }
    mutex_unlock(&leader->master.learners.lock);
    if (epoch_agreement_would_form(leader->agreement, &present))
        log_warn("Enough followers present. Perhaps the initTicks need to be increased.");
    sid_set_release(&present);
    buffer_release(&acks);
}

static int agree_on_epoch(struct leader *leader, int64_t *ret_zxid, struct error *error)
{
    struct quorum_self *self = leader->self;
    int64_t epoch;
    int err = epoch_agreement_get_epoch(leader->agreement, self->id, quorum_self_accepted_epoch(self), &epoch, error);
    if (err != ZK_OK)
        return err;
    int64_t zxid = zxid_make(epoch, 0);
    atomic_store(&leader->core->zxid, zxid);
    mutex_lock(&leader->lock);
    leader_proposals_begin(&leader->proposals, zxid);
    mutex_unlock(&leader->lock);
    err = propose_first_config(leader, zxid, error);
    if (err == ZK_OK)
        set_new_leader(leader, zxid);    /* before any handler can get beyond waitForEpochAck */
    *ret_zxid = zxid;
    return err;
}

int leader_establish(struct leader *leader, struct error *error)
{
    struct quorum_self *self = leader->self;
    struct state_summary summary = {
        .current_epoch = quorum_self_current_epoch(self),
        .last_zxid = data_tree_last_processed_zxid(zk_database_tree(leader->core->database)),
    };
    quorum_self_set_zab_state(self, ZAB_DISCOVERY);
    atomic_store(&leader->tick, 0);
    atomic_store(&leader->core->zxid, summary.last_zxid);
    epoch_agreement_set_leader_summary(leader->agreement, &summary);
    leader_zookeeper_server_create_session_tracker(leader->zks);    /* (2) */
    learner_cnx_acceptor_start(leader->acceptor);
    int64_t zxid;
    int err = agree_on_epoch(leader, &zxid, error);
    if (err == ZK_OK)
        err = epoch_agreement_wait_for_epoch_ack(leader->agreement, self->id, &summary, error);
    if (err == ZK_OK)
        err = quorum_self_set_current_epoch(self, zxid_epoch(zxid), error);    /* (1) */
    if (err != ZK_OK)
        return err;
    quorum_self_set_zab_state(self, ZAB_SYNCHRONIZATION);
    err = epoch_agreement_wait_for_new_leader_ack(leader->agreement, self->id, error);
    if (err == ZK_TIMED_OUT)
        log_missing_acks(leader, error);
    if (err != ZK_OK)
        return err;
    start_server(leader, zxid);
    quorum_self_set_zab_state(self, ZAB_BROADCAST);
    return ZK_OK;
}
