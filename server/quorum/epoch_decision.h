/*
 * The three agreements of a new leader as decisions: which epoch it will be, that a quorum has accepted it and none of
 * them knows more, that a quorum has all of the leader's history. Mirrors getEpochToPropose, waitForEpochAck,
 * waitForNewLeaderAck of Leader, without their waiting, and StateSummary. Not locked.
 */
#ifndef ZKC_SERVER_QUORUM_EPOCH_DECISION_H
#define ZKC_SERVER_QUORUM_EPOCH_DECISION_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/error.h"
#include "server/quorum/flexible/sid_set.h"
#include "server/quorum/flexible/synced_learner_tracker.h"

/* An epoch is the upper half of a zxid, which must stay positive (RELIABILITY 4883). */
#define LARGEST_EPOCH INT64_C(0x7fffffff)

/* StateSummary: what a server has seen. */
struct state_summary {
    int64_t current_epoch;
    int64_t last_zxid;
};

struct epoch_decision {
    int64_t self_id;

    int64_t epoch;                          /* one above the largest accepted one; -1 before anybody came */
    struct sid_set connecting;              /* who votes and told its accepted epoch */
    bool is_epoch_decided;

    struct state_summary leader_summary;    /* of this server, before it led */
    struct sid_set electing;                /* who votes and accepted the epoch */
    bool is_election_finished;

    int64_t new_leader_zxid;
    struct synced_learner_tracker new_leader;    /* who has what NEWLEADER closes */
    bool is_quorum_formed;
};
void epoch_decision_init(struct epoch_decision *decision, int64_t self_id);
void epoch_decision_release(struct epoch_decision *decision);

/* isMoreRecentThan */
bool state_summary_is_more_recent(const struct state_summary *summary, const struct state_summary *than);

/*
 * Each of these three counts one server in, and leaves its mark (is_epoch_decided ...) set once this server and a
 * quorum of `verifier` are in. Who does not vote is heard, but not counted. After the mark nothing changes any more.
 */
/* ZK_TOO_LARGE: there is no epoch after the one this server has accepted; it is not counted. ZK_INVALID_STATE, after
 * the mark: a voter has accepted a later epoch, of a leader that came to nothing, and may never follow in this one; a
 * leader that stays would lock it out for good, and at full speed (Java's does). */
int epoch_decision_propose(struct epoch_decision *decision, struct quorum_verifier *verifier, int64_t sid,
                           int64_t last_accepted_epoch, struct error *error);
/* ZK_INVALID_STATE: this one has seen more than the leader, and is not counted; nor is one whose epoch is -1. */
int epoch_decision_accept(struct epoch_decision *decision, struct quorum_verifier *verifier, int64_t sid,
                          const struct state_summary *summary, struct error *error);
void epoch_decision_ack_new_leader(struct epoch_decision *decision, int64_t sid);

#endif
