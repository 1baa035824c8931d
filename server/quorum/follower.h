/* Following: a voter that is not the leader. Mirrors quorum.Follower. QuorumPeer's thread where nothing else is
 * said. */
#ifndef ZKC_SERVER_QUORUM_FOLLOWER_H
#define ZKC_SERVER_QUORUM_FOLLOWER_H

#include "server/quorum/learner.h"

struct follower;
struct follower *follower_new(struct quorum_self *self, struct zookeeper_server *server);
/* followLeader(): until the link to the leader, or the role, ends; `error` says why. */
int follower_follow_leader(struct follower *follower, struct error *error);
void follower_shutdown(struct follower *follower, const char *reason);    /* any thread: followLeader() returns */
void follower_free(struct follower *follower);    /* takes the server's role down first */
struct learner *follower_learner(struct follower *follower);

#endif
