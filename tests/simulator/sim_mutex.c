/*
 * sim_mutex.c - common/thread/mutex.h over fibres: who holds a lock and who waits for it stand where pthreads would
 * keep theirs. Misuse ends the process, as in the shipped one. Conditions may wake somebody for nothing, as pthreads
 * may.
 */
#include "common/thread/mutex.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/simulator/world.h"

#define WAKES_FOR_NOTHING_ONE_IN 512

struct lock {
    struct sim_fibre *owner;
    struct sim_waiters waiters;
};
_Static_assert(sizeof(struct lock) <= sizeof(struct mutex), "a lock of ours stands in one of pthreads");
_Static_assert(sizeof(struct sim_waiters) <= sizeof(struct condition), "a condition of ours stands in one of pthreads");

static struct lock *of(struct mutex *mutex)
{
    return (struct lock *)(void *)mutex;
}

static struct sim_waiters *waiters_of(struct condition *condition)
{
    return (struct sim_waiters *)(void *)condition;
}

static void check(bool holds, const char *what)
{
    if (holds)
        return;
    fprintf(stderr, "%s: %s\n", sim_fibre_name(sim_current()), what);
    abort();
}

void mutex_init(struct mutex *mutex)
{
    memset(mutex, 0, sizeof(*mutex));
}

void mutex_release(struct mutex *mutex)
{
    check(of(mutex)->owner == NULL && of(mutex)->waiters.first == NULL, "a lock that is held is released");
}

static void take(struct lock *lock)
{
    while (lock->owner != NULL)
        sim_wait(&lock->waiters, SIM_FOREVER);
    lock->owner = sim_current();
}

static void give(struct lock *lock)
{
    check(lock->owner == sim_current(), "unlocks what is not its own");
    lock->owner = NULL;
    if (lock->waiters.first != NULL)
        sim_wake_one(&lock->waiters);
}

void mutex_lock(struct mutex *mutex) NO_THREAD_SAFETY_ANALYSIS
{
    sim_switch_point();
    check(of(mutex)->owner != sim_current(), "locks twice");
    take(of(mutex));
}

void mutex_unlock(struct mutex *mutex) NO_THREAD_SAFETY_ANALYSIS
{
    give(of(mutex));
    sim_switch_point();
}

void condition_init(struct condition *condition)
{
    memset(condition, 0, sizeof(*condition));
}

void condition_release(struct condition *condition)
{
    check(waiters_of(condition)->first == NULL, "a condition somebody waits for is released");
}

static bool wait_until(struct condition *condition, struct mutex *mutex, int64_t deadline_ns)
{
    bool for_nothing = sim_one_in(WAKES_FOR_NOTHING_ONE_IN);
    int64_t until_ns = for_nothing && deadline_ns > sim_now_ns() + SIM_MS ? sim_now_ns() + SIM_MS : deadline_ns;
    give(of(mutex));
    bool woken = sim_wait(waiters_of(condition), until_ns);
    take(of(mutex));
    return woken || until_ns != deadline_ns;
}

void condition_wait(struct condition *condition, struct mutex *mutex)
{
    wait_until(condition, mutex, SIM_FOREVER);
}

bool condition_wait_until(struct condition *condition, struct mutex *mutex, int64_t deadline_ms)
{
    struct sim_node *node = sim_current_node();
    if (deadline_ms > INT64_MAX / SIM_MS)
        return wait_until(condition, mutex, SIM_FOREVER);
    int64_t deadline_ns = sim_node_true_ns(node, deadline_ms * SIM_MS);
    if (sim_node_elapsed_ns(node) >= deadline_ms * SIM_MS)
        return false;
    return wait_until(condition, mutex, deadline_ns);
}

void condition_signal(struct condition *condition)
{
    sim_wake_one(waiters_of(condition));
    sim_switch_point();
}

void condition_broadcast(struct condition *condition)
{
    sim_wake_all(waiters_of(condition));
    sim_switch_point();
}
