/*
 * event_thread.c - callbacks of the user, one after the other.
 *
 * (1) No lock is held while one runs; it may call whatever it likes, close the handle too.
 * (2) The bound is on what waits here; who fills it stops reading answers and goes on with pings.
 */
#include "client/event_thread.h"

#include <stdatomic.h>

#include "common/base/memory.h"
#include "common/thread/mutex.h"
#include "common/thread/thread.h"

#define EVENT_LIMIT 16384    /* events that wait, before answers are left in the socket */
#define BATCH_SIZE 64

struct event_thread {
    zhandle_t *zh;
    void (*made_room)(zhandle_t *zh);
    struct thread *thread;
    struct mutex lock;
    struct condition came;
    struct client_event_list events GUARDED_BY(lock);
    bool is_closed GUARDED_BY(lock), is_asleep GUARDED_BY(lock), was_full GUARDED_BY(lock);
    void (*then)(zhandle_t *zh) GUARDED_BY(lock);
    _Atomic size_t waiting;
    _Atomic bool waits_for_answer;
    /* Of who puts: */
    struct client_event_list new_events;
};

/* All there are; none: it is closed. */
static void take_all(struct event_thread *thread, struct client_event_list *events)
{
    mutex_lock(&thread->lock);
    while (thread->events.first == NULL && !thread->is_closed) {
        thread->is_asleep = true;
        condition_wait(&thread->came, &thread->lock);
    }
    thread->is_asleep = false;
    client_event_list_move(events, &thread->events);
    mutex_unlock(&thread->lock);
}

static void note_room(struct event_thread *thread)
{
    mutex_lock(&thread->lock);
    bool was_full = thread->was_full;
    thread->was_full = false;
    mutex_unlock(&thread->lock);
    if (was_full)
        thread->made_room(thread->zh);
}

static void run_all(struct event_thread *thread, struct client_event_list *events)
{
    size_t count = 0;
    while (client_event_list_run_first(thread->zh, events)) {
        if (++count < BATCH_SIZE && events->first != NULL)
            continue;
        if (atomic_fetch_sub(&thread->waiting, count) >= EVENT_LIMIT)
            note_room(thread);
        count = 0;
    }
}

static void event_thread_free(struct event_thread *thread)
{
    condition_release(&thread->came);
    mutex_release(&thread->lock);
    memory_free(thread);
}

static void event_thread_run(void *arg)
{
    struct event_thread *thread = arg;
    struct client_event_list events = { 0 };
    for (;;) {
        take_all(thread, &events);
        if (events.first == NULL)
            break;
        run_all(thread, &events);
    }
    mutex_lock(&thread->lock);
    void (*then)(zhandle_t *zh) = thread->then;
    mutex_unlock(&thread->lock);
    if (then == NULL)
        return;
    then(thread->zh);
    thread_detach(thread->thread);
    event_thread_free(thread);
}

struct event_thread *event_thread_start(zhandle_t *zh, void (*made_room)(zhandle_t *zh))
{
    struct event_thread *thread = MEMORY_NEW(struct event_thread);
    thread->zh = zh;
    thread->made_room = made_room;
    mutex_init(&thread->lock);
    condition_init(&thread->came);
    thread->thread = thread_start_roomy("EventThread", event_thread_run, thread);
    return thread;
}

void event_thread_put(struct event_thread *thread, struct client_event *event)
{
    client_event_list_add(&thread->new_events, event);
}

void event_thread_flush(struct event_thread *thread)
{
    if (thread->new_events.first == NULL)
        return;
    atomic_fetch_add(&thread->waiting, thread->new_events.count);
    mutex_lock(&thread->lock);
    client_event_list_move(&thread->events, &thread->new_events);
    bool is_asleep = thread->is_asleep;
    thread->is_asleep = false;
    mutex_unlock(&thread->lock);
    if (is_asleep)
        condition_signal(&thread->came);
}

bool event_thread_is_full(struct event_thread *thread)
{
    if (atomic_load_explicit(&thread->waiting, memory_order_relaxed) < EVENT_LIMIT
        || atomic_load(&thread->waits_for_answer))
        return false;
    mutex_lock(&thread->lock);
    thread->was_full = atomic_load(&thread->waiting) >= EVENT_LIMIT;
    bool is_full = thread->was_full;
    mutex_unlock(&thread->lock);
    return is_full;
}

void event_thread_set_waiting(struct event_thread *thread, bool waits)
{
    atomic_store(&thread->waits_for_answer, waits);
}

bool event_thread_is_current(const struct event_thread *thread)
{
    return thread_is_current(thread->thread);
}

void event_thread_close(struct event_thread *thread)
{
    event_thread_flush(thread);
    mutex_lock(&thread->lock);
    thread->is_closed = true;
    condition_signal(&thread->came);
    mutex_unlock(&thread->lock);
}

void event_thread_join(struct event_thread *thread)
{
    thread_join(thread->thread);
    event_thread_free(thread);
}

void event_thread_end_with(struct event_thread *thread, void (*then)(zhandle_t *zh))
{
    mutex_lock(&thread->lock);
    thread->then = then;
    mutex_unlock(&thread->lock);
}
