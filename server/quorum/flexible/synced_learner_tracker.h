/*
 * Who has acked, held against one configuration, or two while one takes over from the other. Mirrors
 * SyncedLearnerTracker. Not locked.
 */
#ifndef ZKC_SERVER_QUORUM_FLEXIBLE_SYNCED_LEARNER_TRACKER_H
#define ZKC_SERVER_QUORUM_FLEXIBLE_SYNCED_LEARNER_TRACKER_H

#include "server/quorum/flexible/quorum_verifier.h"

struct quorum_acks {    /* QuorumVerifierAcksetPair */
    struct quorum_verifier *verifier;
    struct sid_set acks;
};
/* {0} is an empty one. */
struct synced_learner_tracker {
    struct quorum_acks *pairs;
    size_t count;
};
void synced_learner_tracker_release(struct synced_learner_tracker *tracker);
/* Takes a reference of its own. */
void synced_learner_tracker_add_verifier(struct synced_learner_tracker *tracker, struct quorum_verifier *verifier);
/* Counts where the server votes; true if it does in one of them. */
bool synced_learner_tracker_add_ack(struct synced_learner_tracker *tracker, int64_t sid);
bool synced_learner_tracker_has_sid(const struct synced_learner_tracker *tracker, int64_t sid);    /* in all of them */
bool synced_learner_tracker_has_all_quorums(const struct synced_learner_tracker *tracker);
/* ackSetsToString */
void synced_learner_tracker_print(const struct synced_learner_tracker *tracker, struct buffer *out);

#endif
