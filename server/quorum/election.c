/* election.c - chooses the algorithm; fast leader election with its connections as one of them. */
#include "server/quorum/election.h"

#include <inttypes.h>

#include "common/base/log.h"
#include "common/base/memory.h"
#include "server/quorum/auth_fast_leader_election.h"
#include "server/quorum/fast_leader_election.h"
#include "server/quorum/leader_election.h"

struct fast_election {
    struct election base;
    struct quorum_cnx_manager *manager;
    struct fast_leader_election *election;
};

static struct fast_election *fast(struct election *election)
{
    return container_of(election, struct fast_election, base);
}

static int fast_look_for_leader(struct election *election, struct vote *ret_vote)
{
    return fast_leader_election_look_for_leader(fast(election)->election, ret_vote);
}

static void fast_connect_new_peers(struct election *election)
{
    quorum_cnx_manager_connect_new_peers(fast(election)->manager);
}

static bool fast_take_vote_set(struct election *election, struct synced_learner_tracker *ret_set)
{
    return fast_leader_election_take_vote_set(fast(election)->election, ret_set);
}

static void fast_shutdown(struct election *election)
{
    fast_leader_election_shutdown(fast(election)->election);
}

static void fast_free(struct election *election)
{
    fast_leader_election_free(fast(election)->election);
    quorum_cnx_manager_free(fast(election)->manager);
    memory_free(fast(election));
}

static const struct election_ops fast_ops = {
    .look_for_leader = fast_look_for_leader,
    .connect_new_peers = fast_connect_new_peers,
    .take_vote_set = fast_take_vote_set,
    .shutdown = fast_shutdown,
    .free = fast_free,
};

static struct election *start_fast(struct quorum_self *self)
{
    struct fast_election *election = MEMORY_NEW(struct fast_election);
    election->base.ops = &fast_ops;
    election->manager = quorum_cnx_manager_new(self);
    election->election = fast_leader_election_new(self, election->manager);
    quorum_cnx_manager_start(election->manager);
    fast_leader_election_start(election->election);
    return &election->base;
}

int election_start(struct quorum_self *self, struct election **ret_election, struct error *error)
{
    int64_t algorithm = self->options->election_alg;
    if (algorithm == 3) {
        *ret_election = start_fast(self);
        return ZK_OK;
    }
    log_warn("electionAlg=%" PRId64 " is deprecated since release 3.4.0 and not in later ones than 3.5; every server "
             "of the ensemble has to have the same, 3 is recommended", algorithm);
    if (algorithm == 0)
        return leader_election_start(self, ret_election, error);
    return auth_fast_leader_election_start(self, algorithm == 2, ret_election, error);
}
