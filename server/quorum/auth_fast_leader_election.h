/* The fast election before the one of today, over UDP at the election ports: electionAlg 1, and 2 with challenges.
 * Mirrors AuthFastLeaderElection of release 3.5. */
#ifndef ZKC_SERVER_QUORUM_AUTH_FAST_LEADER_ELECTION_H
#define ZKC_SERVER_QUORUM_AUTH_FAST_LEADER_ELECTION_H

#include "server/quorum/election.h"

/* ZK_IO: the port cannot be bound. */
int auth_fast_leader_election_start(struct quorum_self *self, bool is_challenged, struct election **ret_election,
                                    struct error *error);

#endif
