/* sync_limit_check.c - the oldest ack that is owed. Mirrors LearnerHandler.SyncLimitCheck. */
#include "server/quorum/sync_limit_check.h"

#include <inttypes.h>

#include "common/base/log.h"

void sync_limit_check_init(struct sync_limit_check *check)
{
    *check = (struct sync_limit_check){ 0 };
    mutex_init(&check->lock);
}

void sync_limit_check_release(struct sync_limit_check *check)
{
    mutex_release(&check->lock);
}

void sync_limit_check_start(struct sync_limit_check *check)
{
    mutex_lock(&check->lock);
    check->is_started = true;
    mutex_unlock(&check->lock);
}

void sync_limit_check_sent(struct sync_limit_check *check, int64_t zxid, int64_t now_ms)
{
    mutex_lock(&check->lock);
    if (check->is_started && !check->has_current) {
        check->has_current = true;
        check->current_zxid = zxid;
        check->current_ms = now_ms;
    } else if (check->is_started) {
        check->has_next = true;
        check->next_zxid = zxid;
        check->next_ms = now_ms;
    }
    mutex_unlock(&check->lock);
}

void sync_limit_check_acked(struct sync_limit_check *check, int64_t zxid)
{
    mutex_lock(&check->lock);
    int64_t owed_zxid = check->current_zxid;
    bool is_early = false;
    if (check->has_current && check->current_zxid == zxid) {
        check->has_current = check->has_next;
        check->current_zxid = check->next_zxid;
        check->current_ms = check->next_ms;
        check->has_next = false;
    } else if (check->has_next && check->next_zxid == zxid) {
        is_early = true;
        check->has_next = false;
    }
    mutex_unlock(&check->lock);
    if (is_early)
        log_warn("ACK for 0x%" PRIx64 " received before ACK for 0x%" PRIx64, (uint64_t)zxid, (uint64_t)owed_zxid);
}

bool sync_limit_check_is_in_time(struct sync_limit_check *check, int64_t now_ms, int64_t limit_ms)
{
    mutex_lock(&check->lock);
    bool is_in_time = !check->has_current || now_ms - check->current_ms < limit_ms;
    mutex_unlock(&check->lock);
    return is_in_time;
}
