/*
 * How a server finds a leader: one of four algorithms (electionAlg), with its threads and connections. Mirrors
 * Election and QuorumPeer.createElectionAlgorithm. 3 is fast leader election; 0, 1 and 2 speak UDP, are those of
 * release 3.5 and serve ensembles that have not moved on.
 */
#ifndef ZKC_SERVER_QUORUM_ELECTION_H
#define ZKC_SERVER_QUORUM_ELECTION_H

#include "server/quorum/flexible/synced_learner_tracker.h"
#include "server/quorum/quorum_self.h"

struct election;
struct election_ops {
    int (*look_for_leader)(struct election *election, struct vote *ret_vote);
    void (*connect_new_peers)(struct election *election);    /* NULL: it keeps no connections */
    bool (*take_vote_set)(struct election *election, struct synced_learner_tracker *ret_set);    /* NULL: never any */
    void (*shutdown)(struct election *election);
    void (*free)(struct election *election);
};
struct election {    /* the first member of what implements it */
    const struct election_ops *ops;
};

/* Makes and starts the algorithm that the options name: others are answered from now on. ZK_OK, or ZK_IO when its port
 * cannot be bound (algorithm 3 retries that on a thread of its own, and fails then). */
int election_start(struct quorum_self *self, struct election **ret_election, struct error *error);
/*
 * Until a leader is found; this server's state is LEADING, FOLLOWING or OBSERVING then. QuorumPeer's thread only.
 * Blocks without limit; election_shutdown() ends it. ZK_OK with *ret_vote set; ZK_CLOSED after a shutdown, or when
 * the state is not LOOKING.
 */
static inline int election_look_for_leader(struct election *election, struct vote *ret_vote)
{
    return election->ops->look_for_leader(election, ret_vote);
}
/* A configuration with servers that the present one has not was proposed. Any thread. */
static inline void election_connect_new_peers(struct election *election)
{
    if (election->ops->connect_new_peers != NULL)
        election->ops->connect_new_peers(election);
}
/* leadingVoteSet: who made this server the leader; the caller's to release. Once an election; false: none, or taken.
 * Any thread. */
static inline bool election_take_vote_set(struct election *election, struct synced_learner_tracker *ret_set)
{
    return election->ops->take_vote_set != NULL && election->ops->take_vote_set(election, ret_set);
}
/* Ends it for good; any number of times, any thread but those of the election's own. */
static inline void election_shutdown(struct election *election) { election->ops->shutdown(election); }
/* Shuts down and joins; nobody may be in look_for_leader() any more. NULL is accepted. */
static inline void election_free(struct election *election)
{
    if (election != NULL)
        election->ops->free(election);
}

#endif
