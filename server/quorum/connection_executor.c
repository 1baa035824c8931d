/*
 * connection_executor.c - starts a thread when all others are busy, and keeps it.
 *
 * Departs from Java: an idle thread stays, in place of leaving after a minute; there are about as many as peers.
 */
#include "server/quorum/connection_executor.h"

#include <stdbool.h>

#include "common/base/memory.h"
#include "common/base/strings.h"
#include "common/thread/mutex.h"
#include "common/thread/thread.h"

struct work {
    void (*run)(void *arg);
    void *arg;
};
struct connection_executor {
    char *name;
    size_t most;
    struct mutex lock;
    struct condition changed;
    struct work *waiting GUARDED_BY(lock);    /* each for one of the idle threads; room for `most` */
    size_t waiting_count GUARDED_BY(lock);
    size_t idle_count GUARDED_BY(lock);
    struct thread **threads GUARDED_BY(lock);
    size_t thread_count GUARDED_BY(lock);
    bool is_stopped GUARDED_BY(lock);
};

static void run_thread(void *arg)
{
    struct connection_executor *executor = arg;
    mutex_lock(&executor->lock);
    for (;;) {
        while (executor->waiting_count == 0 && !executor->is_stopped)
            condition_wait(&executor->changed, &executor->lock);
        if (executor->waiting_count == 0)
            break;
        struct work work = executor->waiting[--executor->waiting_count];
        executor->idle_count--;
        mutex_unlock(&executor->lock);
        work.run(work.arg);
        mutex_lock(&executor->lock);
        executor->idle_count++;
    }
    mutex_unlock(&executor->lock);
}

static void start_thread(struct connection_executor *executor) REQUIRES(executor->lock)
{
    char *name = string_format("%s-%zu", executor->name, executor->thread_count + 1);
    executor->threads[executor->thread_count++] = thread_start(name, run_thread, executor);
    executor->idle_count++;
    memory_free(name);
}

struct connection_executor *connection_executor_new(const char *name, size_t most)
{
    struct connection_executor *executor = MEMORY_NEW(struct connection_executor);
    executor->name = string_copy(name);
    executor->most = most;
    executor->waiting = MEMORY_NEW_ARRAY(most, struct work);
    executor->threads = MEMORY_NEW_ARRAY(most, struct thread *);
    mutex_init(&executor->lock);
    condition_init(&executor->changed);
    return executor;
}

int connection_executor_execute(struct connection_executor *executor, void (*run)(void *arg), void *arg)
{
    int err = ZK_OK;
    mutex_lock(&executor->lock);
    bool is_busy = executor->idle_count == executor->waiting_count;
    if (executor->is_stopped) {
        err = ZK_CLOSED;
    } else if (is_busy && executor->thread_count == executor->most) {
        err = ZK_FULL;
    } else {
        if (is_busy)
            start_thread(executor);
        executor->waiting[executor->waiting_count++] = (struct work){run, arg};
        condition_signal(&executor->changed);
    }
    mutex_unlock(&executor->lock);
    return err;
}

void connection_executor_stop(struct connection_executor *executor)
{
    mutex_lock(&executor->lock);
    executor->is_stopped = true;
    size_t count = executor->thread_count;
    executor->thread_count = 0;
    condition_broadcast(&executor->changed);
    mutex_unlock(&executor->lock);
    for (size_t i = 0; i < count; i++)
        thread_join(executor->threads[i]);
}

void connection_executor_free(struct connection_executor *executor)
{
    if (executor == NULL)
        return;
    connection_executor_stop(executor);
    condition_release(&executor->changed);
    mutex_release(&executor->lock);
    memory_free(executor->waiting);
    memory_free(executor->threads);
    memory_free(executor->name);
    memory_free(executor);
}
