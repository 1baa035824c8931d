/* learner_sync_throttler.c - a counter with a bound that voters need not heed. Mirrors LearnerSyncThrottler. */
#include "server/quorum/learner_sync_throttler.h"

#include <assert.h>
#include <inttypes.h>

void learner_sync_throttler_init(struct learner_sync_throttler *throttler, const char *kind, int64_t most)
{
    assert(most > 0);
    *throttler = (struct learner_sync_throttler){ .kind = kind, .most = most };
    mutex_init(&throttler->lock);
}

void learner_sync_throttler_release(struct learner_sync_throttler *throttler)
{
    assert(throttler->in_progress == 0);
    mutex_release(&throttler->lock);
}

int learner_sync_throttler_begin(struct learner_sync_throttler *throttler, bool is_essential, struct error *error)
{
    mutex_lock(&throttler->lock);
    int64_t count = throttler->in_progress;
    bool is_permitted = is_essential || count < throttler->most;
    if (is_permitted)
        throttler->in_progress++;
    mutex_unlock(&throttler->lock);
    if (is_permitted)
        return ZK_OK;
    return error_set(error, ZK_FULL, "%" PRId64 " learners are being sent a %s, no more than %" PRId64 " may be", count,
                     throttler->kind, throttler->most);
}

void learner_sync_throttler_end(struct learner_sync_throttler *throttler)
{
    mutex_lock(&throttler->lock);
    assert(throttler->in_progress > 0);
    throttler->in_progress--;
    mutex_unlock(&throttler->lock);
}

int64_t learner_sync_throttler_in_progress(struct learner_sync_throttler *throttler)
{
    mutex_lock(&throttler->lock);
    int64_t count = throttler->in_progress;
    mutex_unlock(&throttler->lock);
    return count;
}
