/*
 * blocking_queue.c - a bounded ring by value under one lock. Mirrors LinkedBlockingQueue and CircularBlockingQueue.
 *
 *   head --+            +-- head + count
 *          v            v
 *   [ . . . A B C D E F . . . ]    capacity doubles up to the bound
 *
 * (1) A taker that sleeps while there is an element has been signalled, or whoever put it has yet to call wake();
 * (2) a producer that sleeps while there is room has been signalled;
 * (3) a wake-up with nobody asleep is no system call: `sleeping` counts takers in their wait, `signalled` those among
 *     them that were told to get up and have not yet. A taker that wakes by itself may use up the signal of another
 *     one, which makes `signalled` too small and costs a signal too many, never one too few;
 * (4) who wakes a taker lets go of the lock first, or the taker may get up only to wait for it. `leaving` counts those
 *     who still have the signal to give, for free() to wait for.
 */
#include "common/thread/blocking_queue.h"

#include <assert.h>
#include <stdatomic.h>
#include <string.h>

#include "common/base/memory.h"
#include "common/thread/mutex.h"
#include "common/thread/thread.h"

#define FIRST_CAPACITY ((size_t)16)

struct blocking_queue {
    struct mutex lock;
    struct condition element_there;
    struct condition room_there;
    size_t element_size, bound;    /* never change */
    uint8_t *ring GUARDED_BY(lock);
    size_t capacity GUARDED_BY(lock);
    size_t head GUARDED_BY(lock);
    size_t count GUARDED_BY(lock);
    size_t sleeping GUARDED_BY(lock);
    size_t signalled GUARDED_BY(lock);
    size_t producers_waiting GUARDED_BY(lock);
    _Atomic size_t leaving;    /* raised under the lock */
    bool is_closed GUARDED_BY(lock);
};

static uint8_t *slot(struct blocking_queue *queue, size_t index) REQUIRES(queue->lock)
{
    return queue->ring + index * queue->element_size;
}

/* Copies the oldest `count` elements; they stay. */
static void copy_oldest(struct blocking_queue *queue, uint8_t *to, size_t count) REQUIRES(queue->lock)
{
    size_t to_end = queue->capacity - queue->head;
    size_t first = count < to_end ? count : to_end;
    memcpy(to, slot(queue, queue->head), first * queue->element_size);
    if (count > first)
        memcpy(to + first * queue->element_size, queue->ring, (count - first) * queue->element_size);
}

static void drop_oldest(struct blocking_queue *queue, size_t count) REQUIRES(queue->lock)
{
    queue->count -= count;
    queue->head += count;
    if (queue->head >= queue->capacity)
        queue->head -= queue->capacity;
    if (queue->count == 0)
        queue->head = 0;    /* what is used stays in the cache */
}

static void grow(struct blocking_queue *queue) REQUIRES(queue->lock)
{
    size_t capacity = queue->capacity > 0 ? queue->capacity : FIRST_CAPACITY / 2;
    capacity = capacity < queue->bound / 2 ? 2 * capacity : queue->bound;
    assert(capacity <= SIZE_MAX / queue->element_size);
    uint8_t *ring = memory_alloc(capacity * queue->element_size);
    if (queue->count > 0)
        copy_oldest(queue, ring, queue->count);
    memory_free(queue->ring);
    queue->ring = ring;
    queue->capacity = capacity;
    queue->head = 0;
}

static void append(struct blocking_queue *queue, const void *element) REQUIRES(queue->lock)
{
    if (queue->count == queue->capacity)
        grow(queue);
    size_t index = queue->head + queue->count;
    if (index >= queue->capacity)
        index -= queue->capacity;
    memcpy(slot(queue, index), element, queue->element_size);
    queue->count++;
}

/* Is there one to be woken? It counts as told from now on: unlock() with the answer. */
static bool must_wake_taker(struct blocking_queue *queue) REQUIRES(queue->lock)
{
    if (queue->sleeping <= queue->signalled)
        return false;
    queue->signalled++;
    atomic_fetch_add_explicit(&queue->leaving, 1, memory_order_relaxed);
    return true;
}

static void wake_taker(struct blocking_queue *queue)
{
    condition_signal(&queue->element_there);
    atomic_fetch_sub_explicit(&queue->leaving, 1, memory_order_release);    /* the last that is seen of us */
}

static void unlock(struct blocking_queue *queue, bool wakes_taker) RELEASE(queue->lock)
{
    mutex_unlock(&queue->lock);
    if (wakes_taker)
        wake_taker(queue);    /* (4) */
}

/* Waits for room. False: the queue is closed. */
static bool wait_for_room(struct blocking_queue *queue) REQUIRES(queue->lock)
{
    while (queue->count == queue->bound && !queue->is_closed) {
        if (must_wake_taker(queue))
            wake_taker(queue);
        queue->producers_waiting++;
        condition_wait(&queue->room_there, &queue->lock);
        queue->producers_waiting--;
    }
    return !queue->is_closed;
}

/* Sleeps until it is woken or the deadline passes; false when it has. */
static bool sleep_as_taker(struct blocking_queue *queue, const int64_t *deadline_ms) REQUIRES(queue->lock)
{
    bool in_time = true;
    queue->sleeping++;
    if (deadline_ms == NULL)
        condition_wait(&queue->element_there, &queue->lock);
    else
        in_time = condition_wait_until(&queue->element_there, &queue->lock, *deadline_ms);
    queue->sleeping--;
    if (queue->signalled > 0)
        queue->signalled--;
    return in_time;
}

static size_t take(struct blocking_queue *queue, void *elements, size_t most, const int64_t *deadline_ms)
{
    assert(most > 0);
    mutex_lock(&queue->lock);
    bool in_time = true;
    while (queue->count == 0 && !queue->is_closed && in_time)
        in_time = sleep_as_taker(queue, deadline_ms);
    size_t count = queue->count < most ? queue->count : most;
    bool wakes = false;
    if (count > 0) {
        copy_oldest(queue, elements, count);
        drop_oldest(queue, count);
        if (queue->count > 0)
            wakes = must_wake_taker(queue);    /* many elements may have been put under one wake-up */
        if (queue->producers_waiting > 0 && count == 1)
            condition_signal(&queue->room_there);
        else if (queue->producers_waiting > 0)
            condition_broadcast(&queue->room_there);
    }
    unlock(queue, wakes);
    return count;
}

static int put(struct blocking_queue *queue, const void *element, bool quiet)
{
    int err = ZK_CLOSED;
    bool wakes = false;
    mutex_lock(&queue->lock);
    if (wait_for_room(queue)) {
        append(queue, element);
        wakes = (!quiet || queue->count == queue->bound) && must_wake_taker(queue);
        err = ZK_OK;
    }
    unlock(queue, wakes);
    return err;
}

struct blocking_queue *blocking_queue_new(size_t element_size, size_t bound)
{
    assert(element_size > 0 && bound > 0);
    struct blocking_queue *queue = MEMORY_NEW(struct blocking_queue);
    mutex_init(&queue->lock);
    condition_init(&queue->element_there);
    condition_init(&queue->room_there);
    queue->element_size = element_size;
    queue->bound = bound;
    return queue;
}

void blocking_queue_free(struct blocking_queue *queue)
{
    if (queue == NULL)
        return;
    mutex_lock(&queue->lock);    /* behind whoever is about to leave his last call */
    uint8_t *ring = queue->ring;
    mutex_unlock(&queue->lock);
    while (atomic_load_explicit(&queue->leaving, memory_order_acquire) > 0)
        thread_yield();
    condition_release(&queue->element_there);
    condition_release(&queue->room_there);
    mutex_release(&queue->lock);
    memory_free(ring);
    memory_free(queue);
}

int blocking_queue_put(struct blocking_queue *queue, const void *element)
{
    return put(queue, element, false);
}

int blocking_queue_put_quiet(struct blocking_queue *queue, const void *element)
{
    return put(queue, element, true);
}

int blocking_queue_offer(struct blocking_queue *queue, const void *element)
{
    int err = ZK_OK;
    mutex_lock(&queue->lock);
    if (queue->is_closed)
        err = ZK_CLOSED;
    else if (queue->count == queue->bound)
        err = ZK_FULL;
    else
        append(queue, element);
    unlock(queue, must_wake_taker(queue));
    return err;
}

int blocking_queue_displace(struct blocking_queue *queue, const void *element, void *ret_displaced, bool *ret_did)
{
    mutex_lock(&queue->lock);
    if (queue->is_closed) {
        mutex_unlock(&queue->lock);
        return ZK_CLOSED;
    }
    bool full = queue->count == queue->bound;
    if (full) {
        copy_oldest(queue, ret_displaced, 1);
        drop_oldest(queue, 1);
    }
    append(queue, element);
    unlock(queue, must_wake_taker(queue));
    *ret_did = full;
    return ZK_OK;
}

void blocking_queue_wake(struct blocking_queue *queue)
{
    mutex_lock(&queue->lock);
    unlock(queue, queue->count > 0 && must_wake_taker(queue));
}

size_t blocking_queue_take(struct blocking_queue *queue, void *elements, size_t most)
{
    return take(queue, elements, most, NULL);
}

size_t blocking_queue_poll(struct blocking_queue *queue, void *elements, size_t most, int64_t deadline_ms)
{
    return take(queue, elements, most, &deadline_ms);
}

void blocking_queue_close(struct blocking_queue *queue)
{
    mutex_lock(&queue->lock);
    queue->is_closed = true;
    queue->signalled = queue->sleeping;
    condition_broadcast(&queue->element_there);
    condition_broadcast(&queue->room_there);
    mutex_unlock(&queue->lock);
}

bool blocking_queue_is_closed(struct blocking_queue *queue)
{
    mutex_lock(&queue->lock);
    bool is_closed = queue->is_closed;
    mutex_unlock(&queue->lock);
    return is_closed;
}

size_t blocking_queue_size(struct blocking_queue *queue)
{
    mutex_lock(&queue->lock);
    size_t count = queue->count;
    mutex_unlock(&queue->lock);
    return count;
}
