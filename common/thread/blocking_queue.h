/*
 * Bounded ring by value, many producers, one or more takers. Mirrors LinkedBlockingQueue and, with _displace,
 * CircularBlockingQueue. The bound is fixed; memory grows up to it. The queue's lock is innermost.
 *
 * Hand-over is cheap in batches: put_quiet() does not wake a sleeping taker unless the queue is full, wake() does, once
 * for all that was put. put() is both. Whoever puts quietly must wake before it sleeps itself.
 */
#ifndef ZKC_COMMON_THREAD_BLOCKING_QUEUE_H
#define ZKC_COMMON_THREAD_BLOCKING_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/error.h"

struct blocking_queue;

struct blocking_queue *blocking_queue_new(size_t element_size, size_t bound);
/* Must be closed or unused by others. Elements still inside are the caller's to have taken. */
void blocking_queue_free(struct blocking_queue *queue);

/* Waits for room. ZK_OK, or ZK_CLOSED and the element stays the caller's. */
int blocking_queue_put(struct blocking_queue *queue, const void *element);
int blocking_queue_put_quiet(struct blocking_queue *queue, const void *element);
/* Never waits: ZK_FULL when there is no room. Wakes. */
int blocking_queue_offer(struct blocking_queue *queue, const void *element);
/* Never waits: when full the oldest goes, into *ret_displaced, and *ret_did is true. Wakes. */
int blocking_queue_displace(struct blocking_queue *queue, const void *element, void *ret_displaced, bool *ret_did);
void blocking_queue_wake(struct blocking_queue *queue);

/* Waits for at least one element and takes up to `most`, in order. 0: closed and empty. */
size_t blocking_queue_take(struct blocking_queue *queue, void *elements, size_t most);
/* As take, but 0 also when clock_elapsed_ms() reaches the deadline (a past one polls). */
size_t blocking_queue_poll(struct blocking_queue *queue, void *elements, size_t most, int64_t deadline_ms);

/* Puts return ZK_CLOSED from now on, also those that wait; what is inside can still be taken. */
void blocking_queue_close(struct blocking_queue *queue);
bool blocking_queue_is_closed(struct blocking_queue *queue);
size_t blocking_queue_size(struct blocking_queue *queue);

/* BLOCKING_QUEUE_OF(request_queue, struct request *) makes `struct request_queue` and typed request_queue_put() ... */
#define BLOCKING_QUEUE_OF(name, type) \
    struct name; \
    __attribute__((unused)) static inline struct name *name##_new(size_t bound) \
    { \
        return (struct name *)blocking_queue_new(sizeof(type), bound); \
    } \
    __attribute__((unused)) static inline void name##_free(struct name *queue) \
    { \
        blocking_queue_free((struct blocking_queue *)queue); \
    } \
    __attribute__((unused)) static inline int name##_put(struct name *queue, type element) \
    { \
        return blocking_queue_put((struct blocking_queue *)queue, &element); \
    } \
    __attribute__((unused)) static inline int name##_put_quiet(struct name *queue, type element) \
    { \
        return blocking_queue_put_quiet((struct blocking_queue *)queue, &element); \
    } \
    __attribute__((unused)) static inline int name##_offer(struct name *queue, type element) \
    { \
        return blocking_queue_offer((struct blocking_queue *)queue, &element); \
    } \
    __attribute__((unused)) static inline int name##_displace(struct name *queue, type element, type *ret, \
                                                              bool *ret_did) \
    { \
        return blocking_queue_displace((struct blocking_queue *)queue, &element, ret, ret_did); \
    } \
    __attribute__((unused)) static inline void name##_wake(struct name *queue) \
    { \
        blocking_queue_wake((struct blocking_queue *)queue); \
    } \
    __attribute__((unused)) static inline size_t name##_take(struct name *queue, type *elements, size_t most) \
    { \
        return blocking_queue_take((struct blocking_queue *)queue, elements, most); \
    } \
    __attribute__((unused)) static inline size_t name##_poll(struct name *queue, type *elements, size_t most, \
                                                             int64_t deadline_ms) \
    { \
        return blocking_queue_poll((struct blocking_queue *)queue, elements, most, deadline_ms); \
    } \
    __attribute__((unused)) static inline void name##_close(struct name *queue) \
    { \
        blocking_queue_close((struct blocking_queue *)queue); \
    } \
    __attribute__((unused)) static inline bool name##_is_closed(struct name *queue) \
    { \
        return blocking_queue_is_closed((struct blocking_queue *)queue); \
    } \
    __attribute__((unused)) static inline size_t name##_size(struct name *queue) \
    { \
        return blocking_queue_size((struct blocking_queue *)queue); \
    } \
    struct name

#endif
