/*
 * Many readers or one writer; whoever waits to write goes first. Mirrors ReentrantReadWriteLock, without the
 * reentrance: a thread that reads must not ask again before it has let go.
 */
#ifndef ZKC_COMMON_THREAD_RW_LOCK_H
#define ZKC_COMMON_THREAD_RW_LOCK_H

#include <pthread.h>

#include "common/thread/mutex.h"

struct CAPABILITY("rw_lock") rw_lock {
    pthread_rwlock_t pthread;
};

/* None fails; misuse that pthreads notices ends the process. */
void rw_lock_init(struct rw_lock *lock);
void rw_lock_release(struct rw_lock *lock);
void rw_lock_read(struct rw_lock *lock) THREAD_ANNOTATION(acquire_shared_capability(*lock));
void rw_lock_unlock_read(struct rw_lock *lock) THREAD_ANNOTATION(release_shared_capability(*lock));
void rw_lock_write(struct rw_lock *lock) ACQUIRE(*lock);
void rw_lock_unlock_write(struct rw_lock *lock) RELEASE(*lock);

#endif
