/*
 * committed_log.c - a ring of the last transactions committed.
 *
 * Mirrors ZKDatabase.committedLog and addCommittedProposal. Invariant: zxids rise, none is left out within an
 * epoch, and another epoch begins with its first; where Java throws on a gap, this log begins anew behind it.
 */
#include "server/persistence/committed_log.h"

#include <assert.h>
#include <inttypes.h>

#include "common/base/log.h"
#include "common/base/memory.h"
#include "common/thread/mutex.h"
#include "server/persistence/txn_iterator.h"

struct committed_log {
    struct mutex lock;
    size_t most;
    struct txn **ring GUARDED_BY(lock);    /* of `most` places */
    size_t first GUARDED_BY(lock), count GUARDED_BY(lock);
};

static struct txn *at(struct committed_log *log, size_t index) REQUIRES(log->lock)
{
    return log->ring[(log->first + index) % log->most];
}

static void drop_first(struct committed_log *log) REQUIRES(log->lock)
{
    txn_unref(at(log, 0));
    log->first = (log->first + 1) % log->most;
    log->count--;
}

static void drop_all(struct committed_log *log) REQUIRES(log->lock)
{
    while (log->count > 0)
        drop_first(log);
}

struct committed_log *committed_log_new(size_t most)
{
    assert(most > 0);
    struct committed_log *log = MEMORY_NEW(struct committed_log);
    mutex_init(&log->lock);
    log->most = most;
    log->ring = MEMORY_NEW_ARRAY(most, struct txn *);
    return log;
}

void committed_log_free(struct committed_log *log)
{
    if (log == NULL)
        return;
    committed_log_clear(log);
    mutex_release(&log->lock);
    memory_free(log->ring);
    memory_free(log);
}

void committed_log_add(struct committed_log *log, struct txn *txn)
{
    int64_t zxid = txn->header.zxid;
    mutex_lock(&log->lock);
    int64_t last = log->count > 0 ? at(log, log->count - 1)->header.zxid : 0;
    if (log->count == 0 || zxid > last) {
        if (log->count > 0 && !zxid_follows(last, zxid)) {
            log_warn("0x%" PRIx64 " was committed behind 0x%" PRIx64 ", the log of committed transactions begins anew",
                     (uint64_t)zxid, (uint64_t)last);
            drop_all(log);
        }
        if (log->count == log->most)
            drop_first(log);
        log->ring[(log->first + log->count++) % log->most] = txn_ref(txn);
    }
    mutex_unlock(&log->lock);
}

void committed_log_clear(struct committed_log *log)
{
    mutex_lock(&log->lock);
    drop_all(log);
    mutex_unlock(&log->lock);
}

int64_t committed_log_min_zxid(struct committed_log *log)
{
    mutex_lock(&log->lock);
    int64_t zxid = log->count > 0 ? at(log, 0)->header.zxid : 0;
    mutex_unlock(&log->lock);
    return zxid;
}

int64_t committed_log_max_zxid(struct committed_log *log)
{
    mutex_lock(&log->lock);
    int64_t zxid = log->count > 0 ? at(log, log->count - 1)->header.zxid : 0;
    mutex_unlock(&log->lock);
    return zxid;
}

size_t committed_log_count(struct committed_log *log)
{
    mutex_lock(&log->lock);
    size_t count = log->count;
    mutex_unlock(&log->lock);
    return count;
}

void committed_log_hold(struct committed_log *log) NO_THREAD_SAFETY_ANALYSIS
{
    mutex_lock(&log->lock);
}

size_t committed_log_held(struct committed_log *log) NO_THREAD_SAFETY_ANALYSIS
{
    return log->count;
}

struct txn *committed_log_held_at(struct committed_log *log, size_t index) NO_THREAD_SAFETY_ANALYSIS
{
    assert(index < log->count);
    return at(log, index);
}

void committed_log_let_go(struct committed_log *log) NO_THREAD_SAFETY_ANALYSIS
{
    mutex_unlock(&log->lock);
}

struct txn **committed_log_list(struct committed_log *log, size_t *ret_count)
{
    mutex_lock(&log->lock);
    struct txn **list = MEMORY_NEW_ARRAY(log->count, struct txn *);
    for (size_t i = 0; i < log->count; i++)
        list[i] = txn_ref(at(log, i));
    *ret_count = log->count;
    mutex_unlock(&log->lock);
    return list;
}
