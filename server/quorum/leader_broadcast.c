/*
 * leader_broadcast.c - proposals out, acks in, commits out.
 *
 * Mirrors Leader.propose, processAck, tryToCommit, commit, inform, commitAndActivate, informAndActivate, processSync,
 * startForwarding and sendPacket. What is decided stands in leader_proposals.c.
 * (1) Under the leader's lock a proposal enters the ring and every follower's Q8, a commit every Q8 and Q6: all of them
 *     have the order of zxids.
 * (2) A reconfiguration is taken over, files included, before its commit is sent, and without the lock; nothing is
 *     committed meanwhile.
 * (3) Nobody sleeps on what was put here: leader_flush() wakes senders and the commit processor, at the end of a batch.
 */
#include <inttypes.h>
#include <stdio.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/wire/zxid.h"
#include "server/quorum/leader_parts.h"

#define COUNTER_AT_END INT64_C(0xffffffff)

/* ---- to learners; under the leader's lock ---- */

static void mark_to_be_flushed(struct leader *leader)
{
    atomic_store_explicit(&leader->is_to_be_flushed, true, memory_order_release);
}

/* sendPacket */
static void send_to_followers(struct leader *leader, int32_t type, int64_t zxid, struct blob *data)
{
    struct learner_list *list = &leader->master.learners;
    mutex_lock(&list->lock);
    LEARNER_LIST_EACH (link, list) {
        if (learner_handler_is_forwarding(learner_handler_of(link)))
            learner_handler_put(learner_handler_of(link), type, zxid, data);
    }
    mutex_unlock(&list->lock);
    mark_to_be_flushed(leader);
}

static void send_commit(struct leader *leader, const struct proposal *proposal)
{
    struct learner_list *list = &leader->master.learners;
    mutex_lock(&list->lock);
    LEARNER_LIST_EACH (link, list) {
        struct learner_handler *handler = learner_handler_of(link);
        if (learner_handler_is_forwarding(handler))
            learner_handler_put(handler, QP_COMMIT, proposal->zxid, NULL);
        else if (learner_handler_is_observing(handler))
            learner_handler_put(handler, QP_INFORM, proposal->zxid, proposal->request->txn->bytes);
    }
    mutex_unlock(&list->lock);
    mark_to_be_flushed(leader);
}

static void send_activation(struct leader *leader, const struct proposal *proposal, int64_t designated_leader)
{
    struct learner_list *list = &leader->master.learners;
    mutex_lock(&list->lock);
    LEARNER_LIST_EACH (link, list) {
        struct learner_handler *handler = learner_handler_of(link);
        if (learner_handler_is_forwarding(handler))
            learner_handler_put_prefixed(handler, QP_COMMITANDACTIVATE, proposal->zxid, designated_leader, NULL);
        else if (learner_handler_is_observing(handler))
            learner_handler_put_prefixed(handler, QP_INFORMANDACTIVATE, proposal->zxid, designated_leader,
                                         proposal->request->txn->bytes);
    }
    mutex_unlock(&list->lock);
    mark_to_be_flushed(leader);
}

/* Takes the reference. The learner may be gone. */
static void send_sync(struct leader *leader, struct request *request)
{
    struct learner_list *list = &leader->master.learners;
    mutex_lock(&list->lock);
    struct learner_handler *handler = learner_handler_find(list, request->learner_handler);
    if (handler != NULL)
        learner_handler_put(handler, QP_SYNC, 0, NULL);
    mutex_unlock(&list->lock);
    request_unref(request);
    mark_to_be_flushed(leader);
}

/* ---- commits ---- */

/* To the commit processor, and who waited for this one is answered. */
static void hand_on(struct leader *leader, struct proposal *proposal) REQUIRES(leader->lock)
{
    leader_zookeeper_server_commit(leader->zks, proposal->request);
    struct request *sync;
    while ((sync = proposal_take_sync(proposal)) != NULL)
        send_sync(leader, sync);
}

/* (2) */
static void commit_reconfig(struct leader *leader, struct proposal *proposal) REQUIRES(leader->lock)
{
    struct quorum_verifier *verifier = quorum_verifier_ref(proposal_new_verifier(proposal));
    int64_t designated = leader_proposals_designate(&leader->proposals, proposal_new_acks(proposal),
                                                    leader_is_fit_for(leader, verifier));
    leader->is_activating = true;
    mutex_unlock(&leader->lock);
    log_debug("Committing a reconfiguration 0x%" PRIx64, (uint64_t)proposal->zxid);
    quorum_self_process_reconfig(leader->self, verifier, designated, atomic_load(&leader->core->zxid), true);
    quorum_verifier_unref(verifier);
    mutex_lock(&leader->lock);
    leader->is_activating = false;
    leader_proposals_commit(&leader->proposals);
    if (designated != leader->self->id) {
        log_info("Committing a reconfiguration; this leader is not the designated leader anymore, %" PRId64
                 " is, nothing is committed here after it", designated);
        leader_proposals_end_commits(&leader->proposals);
    }
    send_activation(leader, proposal, designated);
    hand_on(leader, proposal);
}

static void commit_ready(struct leader *leader) REQUIRES(leader->lock)
{
    struct proposal *proposal;
    while (!leader->is_activating && !leader->is_shut_down
           && (proposal = leader_proposals_ready(&leader->proposals)) != NULL) {
        if (proposal_is_reconfig(proposal)) {
            commit_reconfig(leader, proposal);
            continue;
        }
        server_core_sample_since_txn(leader->core, METRIC_QUORUM_ACK_LATENCY, proposal->request);
        leader_proposals_commit(&leader->proposals);
        send_commit(leader, proposal);
        server_metrics_count(leader->core->metrics, METRIC_COMMIT_COUNT, 1);
        hand_on(leader, proposal);
    }
}

void leader_commit_ready(struct leader *leader)
{
    mutex_lock(&leader->lock);
    commit_ready(leader);
    mutex_unlock(&leader->lock);
    leader_flush(leader);
}

/* ---- proposals ---- */

static void count_size(struct leader *leader, int32_t size)
{
    atomic_store(&leader->last_size, size);
    int32_t min = atomic_load(&leader->min_size);
    if (min < 0 || size < min)
        atomic_store(&leader->min_size, size);
    if (size > atomic_load(&leader->max_size))
        atomic_store(&leader->max_size, size);
}

/* The configuration a reconfiguration proposes is on disk before it is proposed to anybody. */
static int take_proposed_config(struct leader *leader, const struct request *request, struct error *error)
{
    struct jute_buffer text = request->txn->body.record.set_data.data;
    struct quorum_verifier *present = quorum_self_verifier(leader->self), *verifier;
    struct quorum_parse_options options = quorum_self_parse_options(leader->self, present);
    int err = quorum_verifier_parse_text((const char *)text.bytes, text.size > 0 ? (size_t)text.size : 0, &options,
                                         &verifier, error);
    quorum_verifier_unref(present);
    if (err != ZK_OK)
        return err;
    err = quorum_self_set_last_seen_verifier(leader->self, verifier, true, error);
    quorum_verifier_unref(verifier);
    return err;
}

static bool propose(struct leader *leader, struct request *request)
{
    struct quorum_verifier *verifier = quorum_self_verifier(leader->self);
    struct quorum_verifier *next = leader_next_verifier(leader, verifier);
    mutex_lock(&leader->lock);
    bool may_propose = !leader->is_shut_down;
    if (may_propose) {
        leader_proposals_propose(&leader->proposals, request, verifier, next);
        send_to_followers(leader, QP_PROPOSAL, request->zxid, request->txn->bytes);
    }
    mutex_unlock(&leader->lock);
    quorum_verifier_unref(next);
    quorum_verifier_unref(verifier);
    return may_propose;
}

bool leader_propose(struct leader *leader, struct request *request)
{
    if (zxid_counter(request->zxid) == COUNTER_AT_END) {    /* 1277 */
        leader_shutdown(leader,
                        "zxid lower 32 bits have rolled over, forcing re-election, and therefore new epoch start");
        return false;
    }
    struct error error = { 0 };
    if (request->txn->header.type == OP_RECONFIG && take_proposed_config(leader, request, &error) != ZK_OK) {
        error_prefix(&error, "a reconfiguration cannot be proposed");
        leader_shutdown(leader, error.text);
        return false;
    }
    if (!propose(leader, request))
        return false;
    count_size(leader, (int32_t)request->txn->bytes->size);
    server_metrics_count(leader->core->metrics, METRIC_PROPOSAL_COUNT, 1);
    return true;
}

void leader_flush(struct leader *leader)
{
    if (!atomic_exchange_explicit(&leader->is_to_be_flushed, false, memory_order_acq_rel))
        return;
    struct learner_list *list = &leader->master.learners;
    mutex_lock(&list->lock);
    LEARNER_LIST_EACH (link, list)
        learner_handler_wake(learner_handler_of(link));
    mutex_unlock(&list->lock);
    leader_zookeeper_server_wake_commit(leader->zks);
}

static void sample_ack_latency(struct leader *leader, const struct request *request, int64_t sid)
{
    int64_t one_of = leader->self->options->leader_ack_logging_frequency;
    if (one_of <= 0 || request->zxid % one_of != 0)
        return;
    char key[24];
    snprintf(key, sizeof(key), "%" PRId64, sid);
    server_metrics_sample_key(leader->core->metrics, METRIC_ACK_LATENCY, ustring_of(key),
                              clock_wall_ms_since(request->txn->header.time));
}

bool leader_process_ack(struct leader *leader, int64_t sid, int64_t zxid)
{
    mutex_lock(&leader->lock);
    enum proposal_ack ack = leader_proposals_ack(&leader->proposals, sid, zxid);
    if (ack == PROPOSAL_ACK_COUNTED) {
        sample_ack_latency(leader, leader_proposals_find(&leader->proposals, zxid)->request, sid);
        commit_ready(leader);
    }
    mutex_unlock(&leader->lock);
    if (ack == PROPOSAL_ACK_UNKNOWN)
        log_warn_limited(&leader->limiter, "Trying to commit future proposal: zxid 0x%" PRIx64 " from server %" PRId64,
                         (uint64_t)zxid, sid);
    return ack != PROPOSAL_ACK_UNKNOWN;
}

void leader_process_sync(struct leader *leader, struct request *request)
{
    mutex_lock(&leader->lock);
    if (!leader_proposals_sync(&leader->proposals, request))
        send_sync(leader, request);
    mutex_unlock(&leader->lock);
}

void leader_request_applied(struct leader *leader, int64_t zxid)
{
    mutex_lock(&leader->lock);
    leader_proposals_applied(&leader->proposals, zxid);
    mutex_unlock(&leader->lock);
}

/* ---- learners that caught up ---- */

void leader_forwarding_sids(struct leader *leader, struct sid_set *ret_sids)
{
    struct learner_list *list = &leader->master.learners;
    int64_t sid;
    mutex_lock(&list->lock);
    LEARNER_LIST_EACH (link, list) {
        struct learner_handler *handler = learner_handler_of(link);
        if (learner_handler_is_forwarding(handler) && learner_handler_sid(handler, &sid))
            sid_set_add(ret_sids, sid);
    }
    mutex_unlock(&list->lock);
}

static void queue_proposals(struct leader *leader, struct learner_handler *handler, int64_t last_seen_zxid)
    REQUIRES(leader->lock)
{
    const struct leader_proposals *proposals = &leader->proposals;
    size_t committed = leader_proposals_to_be_applied_count(proposals);
    size_t count = committed;
    if (learner_handler_type(handler) == LEARNER_PARTICIPANT)    /* only participants need what is not committed */
        count += leader_proposals_outstanding_count(proposals);
    for (size_t i = 0; i < count; i++) {
        const struct proposal *proposal = leader_proposals_at(proposals, i);
        if (proposal->zxid <= last_seen_zxid)
            continue;
        learner_handler_put(handler, QP_PROPOSAL, proposal->zxid, proposal->request->txn->bytes);
        if (i < committed)
            learner_handler_put(handler, QP_COMMIT, proposal->zxid, NULL);
    }
}

int64_t leader_start_forwarding(struct leader *leader, struct learner_handler *handler, int64_t last_seen_zxid)
{
    struct quorum_verifier *verifier = quorum_self_verifier(leader->self);
    struct sid_set forwarding = { 0 };
    mutex_lock(&leader->lock);
    queue_proposals(leader, handler, last_seen_zxid);
    mutex_lock(&leader->master.learners.lock);
    learner_handler_begin_forwarding(handler);
    mutex_unlock(&leader->master.learners.lock);
    int64_t last_proposed = leader->proposals.last_proposed;
    mutex_unlock(&leader->lock);
    leader_forwarding_sids(leader, &forwarding);
    quorum_verifier_update_need_oracle(verifier, &forwarding);
    sid_set_release(&forwarding);
    quorum_verifier_unref(verifier);
    return last_proposed;
}
