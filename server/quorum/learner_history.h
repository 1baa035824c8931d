/*
 * The history on disk for a learner that is behind the window of committed transactions: can it be used, and sending
 * what is needed of it. Mirrors ZKDatabase.getProposalsFromTxnLog and calculateTxnLogSizeLimit. No lock is held; the
 * log goes on being written meanwhile.
 */
#ifndef ZKC_SERVER_QUORUM_LEARNER_HISTORY_H
#define ZKC_SERVER_QUORUM_LEARNER_HISTORY_H

#include "server/persistence/zk_database.h"
#include "server/quorum/learner_sync_plan.h"
#include "server/quorum/quorum_packet.h"

/*
 * Reads the log from the learner's zxid to `window_max` without sending anything. True if a DIFF (or TRUNC) can be made
 * of it that reaches `window_min`: nothing is missing, all of it is history of the tree, and what would be sent is not
 * larger than snapshot_size_factor times the newest snapshot. Says in the log why not.
 */
bool learner_history_is_usable(struct zk_database *database, int64_t peer_zxid, int64_t window_min, int64_t window_max,
                               double snapshot_size_factor);
/*
 * Writes the walk's op (once) and what comes after walk->queued_zxid, up to `limit_zxid` or the end of the log, as
 * PROPOSAL and COMMIT. ZK_OK; ZK_INVALID_STATE when the walk refuses; what reading and writing fail with.
 */
int learner_history_send(struct zk_database *database, struct sync_walk *walk, int64_t limit_zxid,
                         struct quorum_channel *channel, struct error *error);

#endif
