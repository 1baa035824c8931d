/* Fast leader election: agrees with the other voters on who leads. Mirrors FastLeaderElection. */
#ifndef ZKC_SERVER_QUORUM_FAST_LEADER_ELECTION_H
#define ZKC_SERVER_QUORUM_FAST_LEADER_ELECTION_H

#include "server/quorum/flexible/synced_learner_tracker.h"
#include "server/quorum/quorum_cnx_manager.h"

struct fast_leader_election;
/* Creates an election that talks through `manager`, borrowed, which must outlive it. Starts no thread; never fails. */
struct fast_leader_election *fast_leader_election_new(struct quorum_self *self, struct quorum_cnx_manager *manager);
/* Starts the messenger, which answers others from now on. The manager is its owner's to start. */
void fast_leader_election_start(struct fast_leader_election *election);
/*
 * Takes part in rounds until a leader has a quorum; notifications are repeated after 200 ms, doubling up to 60 s. This
 * server's state is LEADING, FOLLOWING or OBSERVING then.
 * Thread: QuorumPeer only. Blocks without limit; fast_leader_election_shutdown(), from any thread, ends it.
 * Returns ZK_OK with *ret_vote set, or ZK_CLOSED after shutdown or when the state is not LOOKING, *ret_vote untouched.
 */
int fast_leader_election_look_for_leader(struct fast_leader_election *election, struct vote *ret_vote);
/*
 * Halts the manager too, as in Java; whoever wants another election makes both anew. The election shuts itself down,
 * and sets self->is_shutting_down_election, when a newer configuration reached it. Any number of times, any thread
 * but those of the manager.
 */
void fast_leader_election_shutdown(struct fast_leader_election *election);
/* leadingVoteSet: who made this server the leader; the caller's to release. Once an election; false: none, or taken.
 * Any thread. */
bool fast_leader_election_take_vote_set(struct fast_leader_election *election, struct synced_learner_tracker *ret_set);
int64_t fast_leader_election_logical_clock(struct fast_leader_election *election);
/* Joins its threads; nobody may be in look_for_leader() any more. NULL is accepted. */
void fast_leader_election_free(struct fast_leader_election *election);

#endif
