/* learner_master.c - what the leader and a follower that feeds observers have in common. Mirrors LearnerMaster. */
#include "server/quorum/learner_master.h"

void learner_master_init(struct learner_master *master, const struct learner_master_ops *ops, struct quorum_self *self,
                         struct server_core *core)
{
    master->ops = ops;
    master->self = self;
    master->core = core;
    learner_list_init(&master->learners);
    learner_sync_throttler_init(&master->snap_throttler, "SNAP", self->options->max_concurrent_snap_syncs);
    learner_sync_throttler_init(&master->diff_throttler, "DIFF", self->options->max_concurrent_diff_syncs);
}

void learner_master_release(struct learner_master *master)
{
    learner_list_release(&master->learners);
    learner_sync_throttler_release(&master->snap_throttler);
    learner_sync_throttler_release(&master->diff_throttler);
}
