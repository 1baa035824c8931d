/* A vote, and which of two wins. Mirrors quorum.Vote and QuorumPeer.ServerState. Values; any thread. */
#ifndef ZKC_SERVER_QUORUM_VOTE_H
#define ZKC_SERVER_QUORUM_VOTE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/buffer.h"

enum peer_state { PEER_LOOKING, PEER_FOLLOWING, PEER_LEADING, PEER_OBSERVING };    /* the values on the wire */
const char *peer_state_name(enum peer_state state);    /* "LOOKING" */

struct vote {
    int32_t version;
    int64_t id;
    int64_t zxid;
    int64_t election_epoch;    /* -1 where there is none */
    int64_t peer_epoch;
    enum peer_state state;
};
#define VOTE_NONE_ID INT64_MIN    /* Long.MIN_VALUE: what an observer proposes */

/* totalOrderPredicate without weights: later peer epoch, then zxid, then id. */
bool vote_supersedes(const struct vote *newer, const struct vote *older);
/* Vote.equals(): the old-version rules of ZOOKEEPER-1805 included. */
bool vote_equal(const struct vote *a, const struct vote *b);
void vote_print(const struct vote *vote, struct buffer *out);    /* "(id, zxid, peerEpoch)" as Vote.toString() */

#endif
