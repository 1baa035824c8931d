/*
 * mutex.c - locks and conditions of pthreads, with their misuse turned into the end of the process.
 *
 * The kind that checks its owner costs a comparison more than the plain one, and it is the comparison that finds who
 * locks twice or unlocks what is not his.
 */
#include "common/thread/mutex.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/base/clock.h"
#include "common/base/log.h"

#define NS_PER_S INT64_C(1000000000)

static void check(int error_number, const char *call)
{
    if (__builtin_expect(error_number == 0, 1))
        return;
    log_error("%s: %s", call, strerrordesc_np(error_number));
    abort();
}

void mutex_init(struct mutex *mutex)
{
    pthread_mutexattr_t attributes;
    check(pthread_mutexattr_init(&attributes), "pthread_mutexattr_init");
    check(pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_ERRORCHECK), "pthread_mutexattr_settype");
    check(pthread_mutex_init(&mutex->pthread, &attributes), "pthread_mutex_init");
    pthread_mutexattr_destroy(&attributes);
}

void mutex_release(struct mutex *mutex)
{
    check(pthread_mutex_destroy(&mutex->pthread), "pthread_mutex_destroy");
}

void mutex_lock(struct mutex *mutex) NO_THREAD_SAFETY_ANALYSIS
{
    check(pthread_mutex_lock(&mutex->pthread), "pthread_mutex_lock");
}

void mutex_unlock(struct mutex *mutex) NO_THREAD_SAFETY_ANALYSIS
{
    check(pthread_mutex_unlock(&mutex->pthread), "pthread_mutex_unlock");
}

void condition_init(struct condition *condition)
{
    pthread_condattr_t attributes;
    check(pthread_condattr_init(&attributes), "pthread_condattr_init");
    check(pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC), "pthread_condattr_setclock");
    check(pthread_cond_init(&condition->pthread, &attributes), "pthread_cond_init");
    pthread_condattr_destroy(&attributes);
}

void condition_release(struct condition *condition)
{
    check(pthread_cond_destroy(&condition->pthread), "pthread_cond_destroy");
}

void condition_wait(struct condition *condition, struct mutex *mutex)
{
    check(pthread_cond_wait(&condition->pthread, &mutex->pthread), "pthread_cond_wait");
}

bool condition_wait_until(struct condition *condition, struct mutex *mutex, int64_t deadline_ms)
{
    int64_t nap = clock_nap_ns(deadline_ms);
    if (nap <= 0)
        return false;
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);    /* the real one, also while ours is frozen */
    int64_t ns = until.tv_nsec + nap % NS_PER_S;
    until.tv_sec += nap / NS_PER_S + ns / NS_PER_S;
    until.tv_nsec = ns % NS_PER_S;
    int error_number = pthread_cond_timedwait(&condition->pthread, &mutex->pthread, &until);
    if (error_number != ETIMEDOUT)
        check(error_number, "pthread_cond_timedwait");
    /* No second nap here: what the caller waits for may have come true while this thread wanted the lock back. */
    return error_number != ETIMEDOUT || clock_nap_ns(deadline_ms) > 0;
}

void condition_signal(struct condition *condition)
{
    check(pthread_cond_signal(&condition->pthread), "pthread_cond_signal");
}

void condition_broadcast(struct condition *condition)
{
    check(pthread_cond_broadcast(&condition->pthread), "pthread_cond_broadcast");
}
