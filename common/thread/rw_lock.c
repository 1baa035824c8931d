/* rw_lock.c - the lock of pthreads, writers first, with its misuse turned into the end of the process. */
#include "common/thread/rw_lock.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/log.h"

static void check(int error_number, const char *call)
{
    if (__builtin_expect(error_number == 0, 1))
        return;
    log_error("%s: %s", call, strerrordesc_np(error_number));
    abort();
}

void rw_lock_init(struct rw_lock *lock)
{
    pthread_rwlockattr_t attributes;
    check(pthread_rwlockattr_init(&attributes), "pthread_rwlockattr_init");
    check(pthread_rwlockattr_setkind_np(&attributes, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP),
          "pthread_rwlockattr_setkind_np");
    check(pthread_rwlock_init(&lock->pthread, &attributes), "pthread_rwlock_init");
    pthread_rwlockattr_destroy(&attributes);
}

void rw_lock_release(struct rw_lock *lock)
{
    check(pthread_rwlock_destroy(&lock->pthread), "pthread_rwlock_destroy");
}

void rw_lock_read(struct rw_lock *lock) NO_THREAD_SAFETY_ANALYSIS
{
    check(pthread_rwlock_rdlock(&lock->pthread), "pthread_rwlock_rdlock");
}

void rw_lock_unlock_read(struct rw_lock *lock) NO_THREAD_SAFETY_ANALYSIS
{
    check(pthread_rwlock_unlock(&lock->pthread), "pthread_rwlock_unlock");
}

void rw_lock_write(struct rw_lock *lock) NO_THREAD_SAFETY_ANALYSIS
{
    check(pthread_rwlock_wrlock(&lock->pthread), "pthread_rwlock_wrlock");
}

void rw_lock_unlock_write(struct rw_lock *lock) NO_THREAD_SAFETY_ANALYSIS
{
    check(pthread_rwlock_unlock(&lock->pthread), "pthread_rwlock_unlock");
}
