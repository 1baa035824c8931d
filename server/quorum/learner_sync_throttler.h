/*
 * How many learners may catch up at a time, of one kind (by snapshot, by transactions). Mirrors LearnerSyncThrottler.
 * Own lock; any thread; nobody waits.
 */
#ifndef ZKC_SERVER_QUORUM_LEARNER_SYNC_THROTTLER_H
#define ZKC_SERVER_QUORUM_LEARNER_SYNC_THROTTLER_H

#include "common/base/error.h"
#include "common/thread/mutex.h"

struct learner_sync_throttler {
    const char *kind;
    int64_t most;
    struct mutex lock;
    int64_t in_progress GUARDED_BY(lock);
};
/* `kind`: "SNAP" or "DIFF", for the sentence. */
void learner_sync_throttler_init(struct learner_sync_throttler *throttler, const char *kind, int64_t most);
void learner_sync_throttler_release(struct learner_sync_throttler *throttler);
/* ZK_OK, to be ended by _end(); ZK_FULL when there are too many and this one is not essential (not a voter's). */
int learner_sync_throttler_begin(struct learner_sync_throttler *throttler, bool is_essential, struct error *error);
void learner_sync_throttler_end(struct learner_sync_throttler *throttler);
int64_t learner_sync_throttler_in_progress(struct learner_sync_throttler *throttler);

#endif
