/*
 * epoch_agreement.c - the waiting around epoch_decision.c.
 *
 * Mirrors connectingFollowers, electingFollowers, newLeaderProposal.qvAcksetPairs and voteSet of Leader. Java waits at
 * three monitors; here one lock and one condition serve all three, as each is waited for once in a life.
 * (1) Nobody hears of the epoch before this server's acceptedEpoch is durable. It is written by whoever completed the
 *     quorum, without the lock; the others wait until `is_epoch_durable`.
 */
#include "server/quorum/epoch_agreement.h"

#include <inttypes.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/memory.h"

struct epoch_agreement {
    struct quorum_self *self;
    struct mutex lock;
    struct condition changed;
    struct epoch_decision decision GUARDED_BY(lock);
    bool is_epoch_durable GUARDED_BY(lock);
    bool has_quit GUARDED_BY(lock);             /* quitWaitForEpoch */
    bool is_closed GUARDED_BY(lock);
    bool has_write_error GUARDED_BY(lock);      /* acceptedEpoch is not written */
    int64_t waiting_since_ms GUARDED_BY(lock);  /* timeStartWaitForEpoch; -1 before this server waits */
    struct synced_learner_tracker vote_set GUARDED_BY(lock);
    bool has_vote_set GUARDED_BY(lock);
};

/* Waits until *is_reached; `what` is what did not come in time. */
static int wait_for(struct epoch_agreement *agreement, const bool *is_reached, const char *what, struct error *error)
    REQUIRES(agreement->lock)
{
    int64_t deadline_ms = clock_elapsed_ms() + quorum_self_init_limit_ms(agreement->self);
    bool is_in_time = true;
    for (;;) {
        if (agreement->is_closed)
            return error_set(error, ZK_CLOSED, "leadership ended while waiting for %s", what);
        if (*is_reached)
            return ZK_OK;
        if (agreement->has_write_error)
            return error_set(error, ZK_IO, "acceptedEpoch could not be written");
        if (agreement->has_quit)
            return error_set(error, ZK_TIMED_OUT, "gave up waiting for %s, a voter looks for a leader again", what);
        if (!is_in_time)
            return error_set(error, ZK_TIMED_OUT, "Timeout while waiting for %s", what);
        is_in_time = condition_wait_until(&agreement->changed, &agreement->lock, deadline_ms);
    }
}

static int make_epoch_durable(struct epoch_agreement *agreement, struct error *error) REQUIRES(agreement->lock)
{
    int64_t epoch = agreement->decision.epoch;
    mutex_unlock(&agreement->lock);
    struct error why = { 0 };
    int err = quorum_self_set_accepted_epoch(agreement->self, epoch, &why);
    mutex_lock(&agreement->lock);
    if (err == ZK_OK)
        agreement->is_epoch_durable = true;
    else
        agreement->has_write_error = true;
    condition_broadcast(&agreement->changed);
    return err == ZK_OK ? ZK_OK : error_set(error, ZK_IO, "%s", why.text);
}

struct epoch_agreement *epoch_agreement_new(struct quorum_self *self)
{
    struct epoch_agreement *agreement = MEMORY_NEW(struct epoch_agreement);
    agreement->self = self;
    mutex_init(&agreement->lock);
    condition_init(&agreement->changed);
    epoch_decision_init(&agreement->decision, self->id);
    agreement->waiting_since_ms = -1;
    return agreement;
}

void epoch_agreement_free(struct epoch_agreement *agreement)
{
    if (agreement == NULL)
        return;
    epoch_decision_release(&agreement->decision);
    synced_learner_tracker_release(&agreement->vote_set);
    condition_release(&agreement->changed);
    mutex_release(&agreement->lock);
    memory_free(agreement);
}

void epoch_agreement_close(struct epoch_agreement *agreement)
{
    mutex_lock(&agreement->lock);
    agreement->is_closed = true;
    condition_broadcast(&agreement->changed);
    mutex_unlock(&agreement->lock);
}

int epoch_agreement_get_epoch(struct epoch_agreement *agreement, int64_t sid, int64_t last_accepted_epoch,
                              int64_t *ret_epoch, struct error *error)
{
    struct quorum_verifier *verifier = quorum_self_verifier(agreement->self);
    mutex_lock(&agreement->lock);
    bool was_decided = agreement->decision.is_epoch_decided;
    int err = epoch_decision_propose(&agreement->decision, verifier, sid, last_accepted_epoch, error);
    if (err == ZK_OK && sid == agreement->self->id && agreement->waiting_since_ms < 0)
        agreement->waiting_since_ms = clock_elapsed_ms();
    bool has_ended = agreement->is_closed || agreement->has_quit;
    if (err == ZK_OK && agreement->decision.is_epoch_decided && !was_decided && !has_ended)
        err = make_epoch_durable(agreement, error);
    if (err == ZK_OK)
        err = wait_for(agreement, &agreement->is_epoch_durable, "epoch from quorum", error);
    if (err == ZK_OK)
        *ret_epoch = agreement->decision.epoch;
    mutex_unlock(&agreement->lock);
    quorum_verifier_unref(verifier);
    return err;
}

void epoch_agreement_set_leader_summary(struct epoch_agreement *agreement, const struct state_summary *summary)
{
    mutex_lock(&agreement->lock);
    agreement->decision.leader_summary = *summary;
    mutex_unlock(&agreement->lock);
}

int epoch_agreement_wait_for_epoch_ack(struct epoch_agreement *agreement, int64_t sid,
                                       const struct state_summary *summary, struct error *error)
{
    struct quorum_verifier *verifier = quorum_self_verifier(agreement->self);
    mutex_lock(&agreement->lock);
    int err = epoch_decision_accept(&agreement->decision, verifier, sid, summary, error);
    if (err == ZK_OK && agreement->decision.is_election_finished)
        condition_broadcast(&agreement->changed);
    if (err == ZK_OK)
        err = wait_for(agreement, &agreement->decision.is_election_finished, "epoch to be acked by quorum", error);
    mutex_unlock(&agreement->lock);
    quorum_verifier_unref(verifier);
    return err;
}

void epoch_agreement_set_new_leader(struct epoch_agreement *agreement, int64_t zxid, struct quorum_verifier *verifier,
                                    struct quorum_verifier *next)
{
    mutex_lock(&agreement->lock);
    agreement->decision.new_leader_zxid = zxid;
    synced_learner_tracker_add_verifier(&agreement->decision.new_leader, verifier);
    if (next != NULL)
        synced_learner_tracker_add_verifier(&agreement->decision.new_leader, next);
    mutex_unlock(&agreement->lock);
}

int epoch_agreement_wait_for_new_leader_ack(struct epoch_agreement *agreement, int64_t sid, struct error *error)
{
    mutex_lock(&agreement->lock);
    epoch_decision_ack_new_leader(&agreement->decision, sid);
    if (agreement->decision.is_quorum_formed)
        condition_broadcast(&agreement->changed);
    int err = wait_for(agreement, &agreement->decision.is_quorum_formed, "NEWLEADER to be acked by quorum", error);
    mutex_unlock(&agreement->lock);
    return err;
}

void epoch_agreement_print_new_leader_acks(struct epoch_agreement *agreement, struct buffer *out)
{
    mutex_lock(&agreement->lock);
    synced_learner_tracker_print(&agreement->decision.new_leader, out);
    mutex_unlock(&agreement->lock);
}

bool epoch_agreement_would_form(struct epoch_agreement *agreement, const struct sid_set *servers)
{
    mutex_lock(&agreement->lock);
    bool would = agreement->decision.new_leader.count > 0;
    for (size_t i = 0; would && i < agreement->decision.new_leader.count; i++)
        would = quorum_verifier_contains_quorum(agreement->decision.new_leader.pairs[i].verifier, servers);
    mutex_unlock(&agreement->lock);
    return would;
}

void epoch_agreement_new_leader_acks(struct epoch_agreement *agreement, struct sid_set *ret_acks)
{
    mutex_lock(&agreement->lock);
    const struct synced_learner_tracker *tracker = &agreement->decision.new_leader;
    sid_set_clear(ret_acks);
    if (tracker->count > 0) {
        const struct sid_set *acks = &tracker->pairs[tracker->count - 1].acks;
        for (size_t i = 0; i < acks->count; i++)
            sid_set_add(ret_acks, acks->ids[i]);
    }
    mutex_unlock(&agreement->lock);
}

void epoch_agreement_set_vote_set(struct epoch_agreement *agreement, const struct synced_learner_tracker *vote_set)
{
    mutex_lock(&agreement->lock);
    synced_learner_tracker_release(&agreement->vote_set);
    agreement->vote_set = (struct synced_learner_tracker){ 0 };
    for (size_t i = 0; i < vote_set->count; i++)
        synced_learner_tracker_add_verifier(&agreement->vote_set, vote_set->pairs[i].verifier);
    for (size_t i = 0; i < vote_set->count; i++) {
        for (size_t j = 0; j < vote_set->pairs[i].acks.count; j++)
            sid_set_add(&agreement->vote_set.pairs[i].acks, vote_set->pairs[i].acks.ids[j]);
    }
    agreement->has_vote_set = true;
    mutex_unlock(&agreement->lock);
}

bool epoch_agreement_report_looking(struct epoch_agreement *agreement, int64_t sid)
{
    int64_t most_ms = agreement->self->options->max_time_to_wait_for_epoch;
    mutex_lock(&agreement->lock);
    bool gives_up = most_ms >= 0 && agreement->waiting_since_ms >= 0 && !agreement->decision.is_epoch_decided
                    && !agreement->has_quit && agreement->has_vote_set
                    && synced_learner_tracker_has_sid(&agreement->vote_set, sid)
                    && clock_elapsed_ms() - agreement->waiting_since_ms > most_ms;
    if (gives_up) {
        agreement->has_quit = true;
        condition_broadcast(&agreement->changed);
    }
    mutex_unlock(&agreement->lock);
    if (gives_up) {
        server_metrics_count(agreement->self->metrics, METRIC_QUIT_LEADING_DUE_TO_DISLOYAL_VOTER, 1);
        log_info("Server %" PRId64 " voted for this one and looks for a leader again, giving up to lead", sid);
    }
    return gives_up;
}
