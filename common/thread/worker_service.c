/*
 * worker_service.c - workers chosen by key, each behind a queue of its own. Mirrors server.WorkerService.
 *
 * Work of one key runs in the order it was scheduled in, because it waits in one queue with one taker. Departs from
 * Java: with no workers the work runs in the thread that schedules it.
 */
#include "common/thread/worker_service.h"

#include <assert.h>

#include "common/base/error.h"
#include "common/base/memory.h"
#include "common/base/strings.h"
#include "common/thread/blocking_queue.h"
#include "common/thread/thread.h"

#define BATCH_SIZE 64

struct work {
    void (*run)(void *arg);
    void *arg;
};
BLOCKING_QUEUE_OF(work_queue, struct work);

struct worker {
    struct work_queue *queue;
    struct thread *thread;
};
struct worker_service {
    int count;
    struct worker workers[];
};

static void worker_run(void *arg)
{
    struct worker *worker = arg;
    struct work batch[BATCH_SIZE];
    size_t count;
    while ((count = work_queue_take(worker->queue, batch, BATCH_SIZE)) > 0) {
        for (size_t i = 0; i < count; i++)
            batch[i].run(batch[i].arg);
    }
}

struct worker_service *worker_service_start(const char *name, int count, size_t bound)
{
    assert(count >= 0);
    struct worker_service *service =
        memory_alloc_zero(1, sizeof(struct worker_service) + (size_t)count * sizeof(struct worker));
    service->count = count;
    for (int i = 0; i < count; i++) {
        char *thread_name = string_format("%s-%d", name, i);
        service->workers[i].queue = work_queue_new(bound);
        service->workers[i].thread = thread_start(thread_name, worker_run, &service->workers[i]);
        memory_free(thread_name);
    }
    return service;
}

int worker_service_schedule(struct worker_service *service, void (*work)(void *arg), void *arg, uint64_t key)
{
    if (service->count == 0) {
        work(arg);
        return ZK_OK;
    }
    struct worker *worker = &service->workers[key % (uint64_t)service->count];
    return work_queue_put(worker->queue, (struct work){ .run = work, .arg = arg });
}

void worker_service_stop(struct worker_service *service)
{
    if (service == NULL)
        return;
    for (int i = 0; i < service->count; i++)
        work_queue_close(service->workers[i].queue);
    for (int i = 0; i < service->count; i++)
        thread_join(service->workers[i].thread);
    for (int i = 0; i < service->count; i++)
        work_queue_free(service->workers[i].queue);
    memory_free(service);
}
