/* Observing: a learner without a vote. Mirrors quorum.Observer. As follower.h. */
#ifndef ZKC_SERVER_QUORUM_OBSERVER_H
#define ZKC_SERVER_QUORUM_OBSERVER_H

#include "server/quorum/learner.h"

/* Whom an observer connects to next, over many attempts: the leader, or the observer masters in turn. Mirrors
 * QuorumPeer.observerMasters. QuorumPeer's thread. */
struct learner_masters {
    struct quorum_verifier *verifier;    /* whose voters they are; NULL before the first attempt */
    int64_t *ids;                        /* shuffled */
    size_t count, next;
};
void learner_masters_release(struct learner_masters *masters);

struct observer;
struct observer *observer_new(struct quorum_self *self, struct zookeeper_server *server);
/* observeLeader(): until the link, or the role, ends. */
int observer_observe_leader(struct observer *observer, struct learner_masters *masters, struct error *error);
void observer_shutdown(struct observer *observer, const char *reason);    /* any thread */
void observer_free(struct observer *observer);
struct learner *observer_learner(struct observer *observer);

#endif
