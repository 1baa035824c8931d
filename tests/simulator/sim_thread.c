/* sim_thread.c - common/thread/thread.h over fibres. */
#include "common/thread/thread.h"

#include <assert.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/memory.h"
#include "tests/simulator/world.h"

struct thread {
    struct sim_fibre *fibre;
    void (*run)(void *arg);
    void *arg;
    bool has_ended;
    struct sim_waiters joiners;
};

static void thread_main(void *arg)
{
    struct thread *thread = arg;
    thread->run(thread->arg);
    if (sim_current()->thread == NULL)    /* detached, and freed */
        return;
    thread->has_ended = true;
    sim_wake_all(&thread->joiners);
}

struct thread *thread_start(const char *name, void (*run)(void *arg), void *arg)
{
    struct thread *thread = MEMORY_NEW(struct thread);
    thread->run = run;
    thread->arg = arg;
    thread->fibre = sim_spawn(name, thread_main, thread);
    thread->fibre->thread = thread;
    sim_switch_point();
    return thread;
}

struct thread *thread_start_roomy(const char *name, void (*run)(void *arg), void *arg)
{
    return thread_start(name, run, arg);
}

void thread_detach(struct thread *thread)
{
    assert(thread_is_current(thread));
    sim_current()->thread = NULL;
    memory_free(thread);
}

void thread_join(struct thread *thread)
{
    if (thread == NULL)
        return;
    assert(!thread_is_current(thread));
    sim_switch_point();
    while (!thread->has_ended)
        sim_wait(&thread->joiners, SIM_FOREVER);
    memory_free(thread);
}

bool thread_is_current(const struct thread *thread)
{
    return thread != NULL && sim_current() != NULL && sim_current()->thread == thread;
}

const char *thread_current_name(void)
{
    return log_thread_name();
}

uintptr_t thread_current_id(void)
{
    return sim_fibre_id(sim_current());
}

void thread_yield(void)
{
    sim_yield();
}

void thread_give_way(void)
{
}

int thread_processors(void)
{
    return 2;
}

void thread_block_signals(const int *signals, int count)
{
    (void)signals;
    (void)count;
}

/* Signals come so seldom that looking for them from time to time is good enough, and needs no list of waiters. */
#define LOOKS_EVERY_NS (10 * SIM_MS)

int thread_wait_signal(const int *signals, int count, int64_t timeout_ms)
{
    struct sim_node *node = sim_current_node();
    int64_t deadline_ms = timeout_ms < 0 ? INT64_MAX : clock_elapsed_ms() + timeout_ms;
    for (;;) {
        for (int i = 0; i < count; i++) {
            uint32_t bit = UINT32_C(1) << signals[i];
            if ((node->pending_signals & bit) != 0) {
                node->pending_signals &= ~bit;
                return signals[i];
            }
        }
        if (clock_elapsed_ms() >= deadline_ms)
            return 0;
        sim_sleep_until(sim_now_ns() + LOOKS_EVERY_NS);
    }
}

void sim_node_signal(struct sim_node *node, int number)
{
    node->pending_signals |= UINT32_C(1) << number;
}
