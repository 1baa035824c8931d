/* sim_rw_lock.c - common/thread/rw_lock.h over fibres: readers together, writers alone and first. */
#include "common/thread/rw_lock.h"

#include <assert.h>
#include <string.h>

#include "tests/simulator/world.h"

struct lock {
    struct sim_fibre *writer;
    uint32_t readers, writers_waiting;
    struct sim_waiters readers_wait, writers_wait;
};
_Static_assert(sizeof(struct lock) <= sizeof(struct rw_lock), "a lock of ours stands in one of pthreads");

static struct lock *of(struct rw_lock *lock)
{
    return (struct lock *)(void *)lock;
}

void rw_lock_init(struct rw_lock *lock)
{
    memset(lock, 0, sizeof(*lock));
}

void rw_lock_release(struct rw_lock *lock)
{
    assert(of(lock)->writer == NULL && of(lock)->readers == 0);
}

void rw_lock_read(struct rw_lock *rw_lock) NO_THREAD_SAFETY_ANALYSIS
{
    struct lock *lock = of(rw_lock);
    sim_switch_point();
    assert(lock->writer != sim_current());
    while (lock->writer != NULL || lock->writers_waiting > 0)
        sim_wait(&lock->readers_wait, SIM_FOREVER);
    lock->readers++;
}

static void let_go(struct lock *lock)
{
    if (lock->writers_waiting > 0)
        sim_wake_one(&lock->writers_wait);
    else
        sim_wake_all(&lock->readers_wait);
    sim_switch_point();
}

void rw_lock_unlock_read(struct rw_lock *rw_lock) NO_THREAD_SAFETY_ANALYSIS
{
    assert(of(rw_lock)->readers > 0);
    if (--of(rw_lock)->readers == 0)
        let_go(of(rw_lock));
}

void rw_lock_write(struct rw_lock *rw_lock) NO_THREAD_SAFETY_ANALYSIS
{
    struct lock *lock = of(rw_lock);
    sim_switch_point();
    assert(lock->writer != sim_current());
    lock->writers_waiting++;
    while (lock->writer != NULL || lock->readers > 0)
        sim_wait(&lock->writers_wait, SIM_FOREVER);
    lock->writers_waiting--;
    lock->writer = sim_current();
}

void rw_lock_unlock_write(struct rw_lock *rw_lock) NO_THREAD_SAFETY_ANALYSIS
{
    assert(of(rw_lock)->writer == sim_current());
    of(rw_lock)->writer = NULL;
    let_go(of(rw_lock));
}
