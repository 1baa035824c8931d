/*
 * What expires, in buckets of one tick. Mirrors ExpiryQueue. Time is given, not read, so that it can be tested as a
 * function. Own lock; any thread.
 */
#ifndef ZKC_SERVER_SESSION_EXPIRY_QUEUE_H
#define ZKC_SERVER_SESSION_EXPIRY_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/buffer.h"
#include "common/base/list.h"

struct expiry_link {    /* stands in what expires; {0} before the first update */
    struct list link;
    _Atomic int64_t expiry_ms;    /* of its bucket; 0 when it is in none */
};

struct expiry_queue;
/* Buckets end at multiples of the interval (ms). */
struct expiry_queue *expiry_queue_new(int64_t interval_ms, int64_t now_ms);
void expiry_queue_free(struct expiry_queue *queue);

/* Moves it to the bucket of now + timeout; false, and no lock taken, when that is where it is. */
bool expiry_queue_update(struct expiry_queue *queue, struct expiry_link *link, int64_t timeout_ms, int64_t now_ms);
/* False when it was in none. */
bool expiry_queue_remove(struct expiry_queue *queue, struct expiry_link *link);

/* ms until the next bucket ends, 0 when one has. */
int64_t expiry_queue_wait_time(struct expiry_queue *queue, int64_t now_ms);
/* Takes one element of a bucket that has ended, NULL when there is none now. Call until NULL. */
struct expiry_link *expiry_queue_poll(struct expiry_queue *queue, int64_t now_ms);

/*
 * For its one waiter, who slept `late_ms` longer than he wanted. From EXPIRY_STALL_MS on the process stood still, or
 * the machine did: nobody could be heard, so that time does not count, and a second more is given for what came
 * meanwhile. Returns the ms by which everything is put off.
 */
int64_t expiry_queue_put_off(struct expiry_queue *queue, int64_t late_ms);
#define EXPIRY_STALL_MS 1000

size_t expiry_queue_size(struct expiry_queue *queue);
/* As ExpiryQueue.dump; `print` writes one element. wall_offset_ms: wall minus elapsed time, for the dates. */
void expiry_queue_print(struct expiry_queue *queue, int64_t wall_offset_ms,
                        void (*print)(const struct expiry_link *link, struct buffer *out), struct buffer *out);
/* The two lines of that by themselves, for who sorts into buckets what stands in a queue that it cannot see. */
void expiry_queue_print_head(size_t bucket_count, size_t element_count, struct buffer *out);
void expiry_queue_print_bucket(size_t count, int64_t expiry_ms, int64_t wall_offset_ms, struct buffer *out);

#endif
