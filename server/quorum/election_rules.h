/*
 * The rules of fast leader election: which vote wins, when it is over, what a notification changes. Mirrors
 * totalOrderPredicate, getVoteTracker, checkLeader and the inside of lookForLeader. No thread, queue or clock; the same
 * sequence of calls gives the same result. Not locked.
 */
#ifndef ZKC_SERVER_QUORUM_ELECTION_RULES_H
#define ZKC_SERVER_QUORUM_ELECTION_RULES_H

#include "server/quorum/election_message.h"
#include "server/quorum/flexible/synced_learner_tracker.h"

/* Who voted what: Map<Long, Vote>. {0} is an empty one. */
struct ballots {
    struct ballot {
        int64_t sid;
        struct vote vote;
    } *items;
    size_t count, capacity;
};
void ballots_release(struct ballots *ballots);
void ballots_clear(struct ballots *ballots);
void ballots_put(struct ballots *ballots, int64_t sid, const struct vote *vote);
const struct vote *ballots_find(const struct ballots *ballots, int64_t sid);    /* or NULL */

/* What does not depend on the round: the configurations, and who this server is. Borrowed. */
struct election_context {
    int64_t my_id;
    struct quorum_verifier *verifier, *last_seen;
    struct vote mine;    /* what this server would propose: its id, last zxid and epoch, or VOTE_NONE_ID for each */
};

/* totalOrderPredicate: a leader of weight 0 never wins, nor does this server if it does not propose itself. */
bool election_supersedes(const struct election_context *context, const struct vote *newer, const struct vote *older);
/* getVoteTracker: who of the ballots agrees with `vote`, in this configuration and, if it is newer, the next one. */
void election_count_votes(const struct election_context *context, const struct ballots *ballots,
                          const struct vote *vote, struct synced_learner_tracker *ret_tracker);
/* checkLeader: somebody else must itself have said that it leads; this server is believed in its own round only. */
bool election_leader_is_there(const struct election_context *context, const struct ballots *ballots, int64_t leader,
                              int64_t election_epoch, int64_t logical_clock);

/* ---- one round, from LOOKING until there is a leader ---- */
struct election_round {
    int64_t logical_clock;
    struct vote proposal;                     /* id, zxid and peer_epoch */
    struct ballots received;                  /* recvset: votes of this round */
    struct ballots out_of_election;           /* votes of servers that follow or lead */
    struct synced_learner_tracker vote_set;   /* of the proposal, as last counted */
    bool has_vote_set;
    bool has_quorum;          /* the proposal has one: the end vote, unless a better one comes within finalizeWait */
};
/* What to do about a notification. */
struct election_step {
    bool is_ignored;          /* it changed nothing; for the log */
    bool sends_proposal;      /* the proposal or the round is a new one: tell everybody */
    bool answers_sender;      /* its vote of this round is worse: tell it ours, it may not have looked when we did */
    bool asks_oracle;         /* one of two leads: followed if the oracle does not want us to lead */
    bool is_decided;          /* leader is it */
    struct vote leader;       /* also where the oracle is to be asked */
};
/* {0} is the round before the first. Starts the next one with this server's own vote. */
void election_round_begin(struct election_round *round, const struct election_context *context);
struct election_step election_round_receive(struct election_round *round, const struct election_context *context,
                                            const struct notification *notification);
/* Nothing came for a while (`again`: not for the first time): true if the oracle's consent, which may have come late,
 * makes the proposal the end vote (revalidateVoteset). */
bool election_round_recheck(const struct election_round *round, const struct election_context *context, bool again);
/* The proposal as the vote that the round ends with. */
struct vote election_round_end_vote(const struct election_round *round);
void election_round_release(struct election_round *round);

#endif
