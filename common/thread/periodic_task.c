/* periodic_task.c - a thread that sleeps on a condition between the runs of one function. Mirrors java.util.Timer. */
#include "common/thread/periodic_task.h"

#include <assert.h>
#include <stdbool.h>

#include "common/base/clock.h"
#include "common/base/memory.h"
#include "common/thread/mutex.h"
#include "common/thread/thread.h"

struct periodic_task {
    void (*run)(void *arg);
    void *arg;
    int64_t first_ms;    /* elapsed time of the first run */
    int64_t period_ms;
    struct thread *thread;
    struct mutex lock;
    struct condition stopped;
    bool is_stopped GUARDED_BY(lock);
};

/* False: it was stopped before. */
static bool sleep_until(struct periodic_task *task, int64_t deadline_ms)
{
    mutex_lock(&task->lock);
    while (!task->is_stopped && condition_wait_until(&task->stopped, &task->lock, deadline_ms)) {
        /* woken early: for the stop, or for nothing */
    }
    bool go_on = !task->is_stopped;
    mutex_unlock(&task->lock);
    return go_on;
}

static void task_run(void *arg)
{
    struct periodic_task *task = arg;
    int64_t next_ms = task->first_ms;
    while (sleep_until(task, next_ms)) {
        next_ms = clock_elapsed_ms() + task->period_ms;
        task->run(task->arg);
    }
}

struct periodic_task *periodic_task_start(const char *name, int64_t delay_ms, int64_t period_ms,
                                          void (*run)(void *arg), void *arg)
{
    assert(delay_ms >= 0 && period_ms > 0);
    struct periodic_task *task = MEMORY_NEW(struct periodic_task);
    task->run = run;
    task->arg = arg;
    task->first_ms = clock_elapsed_ms() + delay_ms;
    task->period_ms = period_ms;
    mutex_init(&task->lock);
    condition_init(&task->stopped);
    task->thread = thread_start(name, task_run, task);
    return task;
}

void periodic_task_stop(struct periodic_task *task)
{
    if (task == NULL)
        return;
    mutex_lock(&task->lock);
    task->is_stopped = true;
    condition_signal(&task->stopped);
    mutex_unlock(&task->lock);
    thread_join(task->thread);
    condition_release(&task->stopped);
    mutex_release(&task->lock);
    memory_free(task);
}
