/*
 * epoch_decision.c - what a new leader has to know before it may lead.
 *
 * Mirrors Leader.getEpochToPropose, waitForEpochAck, waitForNewLeaderAck and StateSummary.
 * (1) The epoch is larger than every accepted one that was told before it was decided.
 * (2) It is decided, and the election is over, only with this server among the quorum.
 * (3) Nobody in that quorum has a later (epoch, zxid) than this server.
 * Departs from Java: an epoch that would make zxids negative is refused, and with it whoever told of it.
 */
#include "server/quorum/epoch_decision.h"

#include <inttypes.h>

static bool has_self_and_quorum(const struct epoch_decision *decision, struct quorum_verifier *verifier,
                                const struct sid_set *servers)
{
    return sid_set_contains(servers, decision->self_id) && quorum_verifier_contains_quorum(verifier, servers);
}

void epoch_decision_init(struct epoch_decision *decision, int64_t self_id)
{
    *decision = (struct epoch_decision){ .self_id = self_id, .epoch = -1 };
}

void epoch_decision_release(struct epoch_decision *decision)
{
    sid_set_release(&decision->connecting);
    sid_set_release(&decision->electing);
    synced_learner_tracker_release(&decision->new_leader);
}

bool state_summary_is_more_recent(const struct state_summary *summary, const struct state_summary *than)
{
    return summary->current_epoch > than->current_epoch
           || (summary->current_epoch == than->current_epoch && summary->last_zxid > than->last_zxid);
}

int epoch_decision_propose(struct epoch_decision *decision, struct quorum_verifier *verifier, int64_t sid,
                           int64_t last_accepted_epoch, struct error *error)
{
    if (decision->is_epoch_decided && last_accepted_epoch > decision->epoch && last_accepted_epoch < LARGEST_EPOCH
        && quorum_verifier_is_voter(verifier, sid))
        return error_set(error, ZK_INVALID_STATE,
                         "server %" PRId64 " has accepted epoch %" PRId64 " and cannot follow in epoch %" PRId64
                         ": it takes another election",
                         sid, last_accepted_epoch, decision->epoch);
    if (decision->is_epoch_decided)
        return ZK_OK;
    if (last_accepted_epoch >= LARGEST_EPOCH)
        return error_set(error, ZK_TOO_LARGE, "server %" PRId64 " has accepted epoch 0x%" PRIx64
                         ", after which there can be no other", sid, (uint64_t)last_accepted_epoch);
    if (last_accepted_epoch >= decision->epoch)
        decision->epoch = last_accepted_epoch + 1;
    if (quorum_verifier_is_voter(verifier, sid))
        sid_set_add(&decision->connecting, sid);
    decision->is_epoch_decided = has_self_and_quorum(decision, verifier, &decision->connecting);
    return ZK_OK;
}

int epoch_decision_accept(struct epoch_decision *decision, struct quorum_verifier *verifier, int64_t sid,
                          const struct state_summary *summary, struct error *error)
{
    if (decision->is_election_finished)
        return ZK_OK;
    if (summary->current_epoch != -1) {
        if (state_summary_is_more_recent(summary, &decision->leader_summary))
            return error_set(error, ZK_INVALID_STATE,
                             "server %" PRId64 " is ahead of the leader: epoch %" PRId64 ", zxid 0x%" PRIx64
                             " against epoch %" PRId64 ", zxid 0x%" PRIx64,
                             sid, summary->current_epoch, (uint64_t)summary->last_zxid,
                             decision->leader_summary.current_epoch, (uint64_t)decision->leader_summary.last_zxid);
        if (summary->last_zxid != -1 && quorum_verifier_is_voter(verifier, sid))
            sid_set_add(&decision->electing, sid);
    }
    decision->is_election_finished = has_self_and_quorum(decision, verifier, &decision->electing);
    return ZK_OK;
}

void epoch_decision_ack_new_leader(struct epoch_decision *decision, int64_t sid)
{
    if (decision->is_quorum_formed)
        return;
    synced_learner_tracker_add_ack(&decision->new_leader, sid);
    decision->is_quorum_formed = synced_learner_tracker_has_all_quorums(&decision->new_leader);
}
