/* The syncs a learner sent to its leader, by age. Mirrors pendingSyncs of FollowerZooKeeperServer. Own lock; any
 * thread. */
#ifndef ZKC_SERVER_QUORUM_PENDING_SYNCS_H
#define ZKC_SERVER_QUORUM_PENDING_SYNCS_H

#include "common/thread/mutex.h"
#include "server/quorum/request_fifo.h"

struct pending_syncs {
    struct mutex lock;
    struct request_fifo requests GUARDED_BY(lock);
};
void pending_syncs_init(struct pending_syncs *syncs);
void pending_syncs_release(struct pending_syncs *syncs);
/* Takes the reference. */
void pending_syncs_add(struct pending_syncs *syncs, struct request *request);
/* The oldest, its reference the caller's; NULL: there is none. */
struct request *pending_syncs_take(struct pending_syncs *syncs);
size_t pending_syncs_count(struct pending_syncs *syncs);

#endif
