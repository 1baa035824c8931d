/*
 * How long a learner has owed the ack of a proposal. Mirrors LearnerHandler.SyncLimitCheck. Own lock; any thread.
 * Follows one proposal at a time, and then the last that was sent meanwhile.
 */
#ifndef ZKC_SERVER_QUORUM_SYNC_LIMIT_CHECK_H
#define ZKC_SERVER_QUORUM_SYNC_LIMIT_CHECK_H

#include "common/thread/mutex.h"

struct sync_limit_check {
    struct mutex lock;
    bool is_started GUARDED_BY(lock), has_current GUARDED_BY(lock), has_next GUARDED_BY(lock);
    int64_t current_zxid GUARDED_BY(lock), current_ms GUARDED_BY(lock);
    int64_t next_zxid GUARDED_BY(lock), next_ms GUARDED_BY(lock);
};
void sync_limit_check_init(struct sync_limit_check *check);
void sync_limit_check_release(struct sync_limit_check *check);
void sync_limit_check_start(struct sync_limit_check *check);    /* what was sent before does not count */
void sync_limit_check_sent(struct sync_limit_check *check, int64_t zxid, int64_t now_ms);
void sync_limit_check_acked(struct sync_limit_check *check, int64_t zxid);
/* False when the ack has been owed for `limit_ms`. */
bool sync_limit_check_is_in_time(struct sync_limit_check *check, int64_t now_ms, int64_t limit_ms);

#endif
