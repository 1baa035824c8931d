/* Asks every voter whom it votes for until most name the same: electionAlg 0, over UDP at the ports for learners.
 * Mirrors LeaderElection of release 3.5. */
#ifndef ZKC_SERVER_QUORUM_LEADER_ELECTION_H
#define ZKC_SERVER_QUORUM_LEADER_ELECTION_H

#include "server/quorum/election.h"

/* With its ResponderThread. ZK_IO: the port cannot be bound. */
int leader_election_start(struct quorum_self *self, struct election **ret_election, struct error *error);

/* ---- the tally, pure ---- */
/* What a voter answered. */
struct polled_vote {
    int64_t sid;
    int64_t leader, zxid;
};
struct leader_election_tally {
    size_t valid_count;        /* votes for somebody who was heard from */
    int64_t leader, zxid;      /* the best of these: what to vote for next */
    int64_t winner, winner_zxid;
    size_t winning_count;      /* votes for the one most vote for */
};
/* countVotes: for one candidate the largest zxid counts that anybody gave it. Changes the zxids of `votes`. Without a
 * valid vote leader and winner are VOTE_NONE_ID. */
void leader_election_count(struct polled_vote *votes, size_t count, struct leader_election_tally *ret_tally);

#endif
