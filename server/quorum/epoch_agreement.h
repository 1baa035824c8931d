/*
 * The agreements of a new leader (epoch_decision.h) with the waiting: who comes early sleeps until a quorum is there.
 * Own lock; any thread. Every wait ends after initLimit ticks, and at epoch_agreement_close().
 */
#ifndef ZKC_SERVER_QUORUM_EPOCH_AGREEMENT_H
#define ZKC_SERVER_QUORUM_EPOCH_AGREEMENT_H

#include "server/quorum/epoch_decision.h"
#include "server/quorum/quorum_self.h"

struct epoch_agreement;
struct epoch_agreement *epoch_agreement_new(struct quorum_self *self);
void epoch_agreement_free(struct epoch_agreement *agreement);    /* NULL is accepted */
/* Whoever waits, or comes later, returns ZK_CLOSED, even where there was agreement. */
void epoch_agreement_close(struct epoch_agreement *agreement);

/*
 * getEpochToPropose: *ret_epoch once a quorum came. Whoever completes it makes acceptedEpoch durable before anybody
 * hears of the epoch. ZK_OK; ZK_TIMED_OUT; ZK_CLOSED; ZK_TOO_LARGE as epoch_decision_propose; ZK_IO when acceptedEpoch
 * could not be written: for all of them, and from then on.
 */
int epoch_agreement_get_epoch(struct epoch_agreement *agreement, int64_t sid, int64_t last_accepted_epoch,
                              int64_t *ret_epoch, struct error *error);
/* What this server had when it began to lead; before anybody is accepted. */
void epoch_agreement_set_leader_summary(struct epoch_agreement *agreement, const struct state_summary *summary);
/* waitForEpochAck: ZK_OK once a quorum accepted the epoch; ZK_TIMED_OUT; ZK_CLOSED; ZK_INVALID_STATE for one that is
 * ahead. */
int epoch_agreement_wait_for_epoch_ack(struct epoch_agreement *agreement, int64_t sid,
                                       const struct state_summary *summary, struct error *error);
/* NEWLEADER's zxid, and the configurations that must ack it (`next` may be NULL); before the epoch is acked by this
 * server. */
void epoch_agreement_set_new_leader(struct epoch_agreement *agreement, int64_t zxid, struct quorum_verifier *verifier,
                                    struct quorum_verifier *next);
/* waitForNewLeaderAck: ZK_OK once a quorum has acked NEWLEADER; ZK_TIMED_OUT; ZK_CLOSED. */
int epoch_agreement_wait_for_new_leader_ack(struct epoch_agreement *agreement, int64_t sid, struct error *error);
/* The ids that acked NEWLEADER, as ackSetsToString. */
void epoch_agreement_print_new_leader_acks(struct epoch_agreement *agreement, struct buffer *out);
/* Has `servers` a quorum of all that must ack NEWLEADER (so that more time would have helped)? */
bool epoch_agreement_would_form(struct epoch_agreement *agreement, const struct sid_set *servers);
/* The ids that acked NEWLEADER in the last of its configurations, copied into `ret_acks`. */
void epoch_agreement_new_leader_acks(struct epoch_agreement *agreement, struct sid_set *ret_acks);

/* The voters that elected this server; a reference of its own to each verifier, ids copied. */
void epoch_agreement_set_vote_set(struct epoch_agreement *agreement, const struct synced_learner_tracker *vote_set);
/* reportLookingSid: one of them looks for a leader again. True when this server waited for the epoch for longer than
 * maxTimeToWaitForEpoch and now gives up: all waits for the epoch end with ZK_TIMED_OUT. */
bool epoch_agreement_report_looking(struct epoch_agreement *agreement, int64_t sid);

#endif
