/*
 * expiry_queue.c - what expires, in buckets of one tick. Mirrors org.apache.zookeeper.server.ExpiryQueue.
 *
 * (1) a bucket is named by the time it ends, a multiple of the interval; `next_expiry_ms` is the one that ends next;
 * (2) nothing stands in a bucket before `next_expiry_ms`, so that walking on tick by tick meets every element;
 * (3) an element's own expiry_ms is written under the lock only, and read without it to see that nothing changes.
 * Departs from Java: an element that is polled is forgotten at once, a late update goes into the next bucket where
 * Java leaves it in one that has passed, and the time the process stood still does not count.
 */
#include "server/session/expiry_queue.h"

#include <assert.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

#include "common/base/clock.h"
#include "common/base/hash_map.h"
#include "common/base/memory.h"
#include "common/thread/mutex.h"

#define TO_BE_HEARD_MS 1000    /* after a stall */

struct bucket {
    struct hash_link link;
    struct list elements;
    size_t count;
    int64_t expiry_ms;
};

struct expiry_queue {
    int64_t interval_ms;
    struct mutex lock;
    struct hash_map buckets GUARDED_BY(lock);
    size_t count GUARDED_BY(lock);
    int64_t next_expiry_ms GUARDED_BY(lock);
};

static int64_t round_to_next_interval(const struct expiry_queue *queue, int64_t time_ms)
{
    return (time_ms / queue->interval_ms + 1) * queue->interval_ms;
}

static struct bucket *find_bucket(const struct expiry_queue *queue, int64_t expiry_ms)
{
    for (struct hash_link *link = hash_map_find(&queue->buckets, hash_int64(expiry_ms)); link != NULL;
         link = hash_map_find_next(link)) {
        struct bucket *bucket = container_of(link, struct bucket, link);
        if (bucket->expiry_ms == expiry_ms)
            return bucket;
    }
    return NULL;
}

static struct bucket *find_or_add_bucket(struct expiry_queue *queue, int64_t expiry_ms)
{
    struct bucket *bucket = find_bucket(queue, expiry_ms);
    if (bucket == NULL) {
        bucket = MEMORY_NEW(struct bucket);
        list_init(&bucket->elements);
        bucket->expiry_ms = expiry_ms;
        hash_map_insert(&queue->buckets, &bucket->link, hash_int64(expiry_ms));
    }
    return bucket;
}

/* Out of the bucket it is in; false when it is in none. An empty bucket stays until its time, as in Java. */
static bool take_out(struct expiry_queue *queue, struct expiry_link *link)
{
    int64_t expiry_ms = atomic_load_explicit(&link->expiry_ms, memory_order_relaxed);
    if (expiry_ms == 0)
        return false;
    struct bucket *bucket = find_bucket(queue, expiry_ms);
    assert(bucket != NULL && bucket->count > 0);
    list_remove(&link->link);
    bucket->count--;
    queue->count--;
    atomic_store_explicit(&link->expiry_ms, 0, memory_order_relaxed);
    return true;
}

static int compare_buckets(const void *a, const void *b)
{
    int64_t left = (*(struct bucket *const *)a)->expiry_ms, right = (*(struct bucket *const *)b)->expiry_ms;
    return (left > right) - (left < right);
}

struct expiry_queue *expiry_queue_new(int64_t interval_ms, int64_t now_ms)
{
    assert(interval_ms > 0 && now_ms >= 0);
    struct expiry_queue *queue = MEMORY_NEW(struct expiry_queue);
    queue->interval_ms = interval_ms;
    queue->next_expiry_ms = round_to_next_interval(queue, now_ms);
    mutex_init(&queue->lock);
    return queue;
}

void expiry_queue_free(struct expiry_queue *queue)
{
    if (queue == NULL)
        return;
    for (struct hash_link *link = hash_map_first(&queue->buckets), *after; link != NULL; link = after) {
        after = hash_map_after(&queue->buckets, link);
        memory_free(container_of(link, struct bucket, link));
    }
    hash_map_release(&queue->buckets);
    mutex_release(&queue->lock);
    memory_free(queue);
}

bool expiry_queue_update(struct expiry_queue *queue, struct expiry_link *link, int64_t timeout_ms, int64_t now_ms)
{
    int64_t expiry_ms = round_to_next_interval(queue, now_ms + timeout_ms);
    if (atomic_load_explicit(&link->expiry_ms, memory_order_relaxed) == expiry_ms)
        return false;

    mutex_lock(&queue->lock);
    if (expiry_ms < queue->next_expiry_ms)
        expiry_ms = queue->next_expiry_ms;    /* (2) */
    bool moves = atomic_load_explicit(&link->expiry_ms, memory_order_relaxed) != expiry_ms;
    if (moves) {
        take_out(queue, link);
        struct bucket *bucket = find_or_add_bucket(queue, expiry_ms);
        list_add_last(&bucket->elements, &link->link);
        bucket->count++;
        queue->count++;
        atomic_store_explicit(&link->expiry_ms, expiry_ms, memory_order_relaxed);
    }
    mutex_unlock(&queue->lock);
    return moves;
}

bool expiry_queue_remove(struct expiry_queue *queue, struct expiry_link *link)
{
    mutex_lock(&queue->lock);
    bool was_in = take_out(queue, link);
    mutex_unlock(&queue->lock);
    return was_in;
}

int64_t expiry_queue_wait_time(struct expiry_queue *queue, int64_t now_ms)
{
    mutex_lock(&queue->lock);
    int64_t left_ms = queue->next_expiry_ms - now_ms;
    mutex_unlock(&queue->lock);
    return left_ms > 0 ? left_ms : 0;
}

struct expiry_link *expiry_queue_poll(struct expiry_queue *queue, int64_t now_ms)
{
    struct expiry_link *expired = NULL;
    mutex_lock(&queue->lock);
    while (expired == NULL && queue->next_expiry_ms <= now_ms) {
        struct bucket *bucket = find_bucket(queue, queue->next_expiry_ms);
        if (bucket != NULL && bucket->count > 0) {
            expired = LIST_ENTRY(bucket->elements.next, struct expiry_link, link);
            take_out(queue, expired);
            continue;
        }
        if (bucket != NULL) {
            hash_map_remove(&queue->buckets, &bucket->link);
            memory_free(bucket);
        }
        queue->next_expiry_ms += queue->interval_ms;
    }
    mutex_unlock(&queue->lock);
    return expired;
}

int64_t expiry_queue_put_off(struct expiry_queue *queue, int64_t late_ms)
{
    if (late_ms < EXPIRY_STALL_MS)
        return 0;
    int64_t ms = round_to_next_interval(queue, late_ms + TO_BE_HEARD_MS);
    mutex_lock(&queue->lock);
    struct hash_map moved = {0};
    for (struct hash_link *link = hash_map_first(&queue->buckets), *after; link != NULL; link = after) {
        after = hash_map_after(&queue->buckets, link);
        struct bucket *bucket = container_of(link, struct bucket, link);
        hash_map_remove(&queue->buckets, link);
        bucket->expiry_ms += ms;
        LIST_EACH (element, &bucket->elements)
            atomic_store_explicit(&LIST_ENTRY(element, struct expiry_link, link)->expiry_ms, bucket->expiry_ms,
                                  memory_order_relaxed);
        hash_map_insert(&moved, &bucket->link, hash_int64(bucket->expiry_ms));
    }
    hash_map_release(&queue->buckets);
    queue->buckets = moved;
    queue->next_expiry_ms += ms;    /* (1), (2) */
    mutex_unlock(&queue->lock);
    return ms;
}

size_t expiry_queue_size(struct expiry_queue *queue)
{
    mutex_lock(&queue->lock);
    size_t count = queue->count;
    mutex_unlock(&queue->lock);
    return count;
}

void expiry_queue_print(struct expiry_queue *queue, int64_t wall_offset_ms,
                        void (*print)(const struct expiry_link *link, struct buffer *out), struct buffer *out)
{
    mutex_lock(&queue->lock);
    size_t bucket_count = 0;
    struct bucket **buckets = MEMORY_NEW_ARRAY(queue->buckets.count, struct bucket *);
    for (struct hash_link *link = hash_map_first(&queue->buckets); link != NULL;
         link = hash_map_after(&queue->buckets, link))
        buckets[bucket_count++] = container_of(link, struct bucket, link);
    qsort(buckets, bucket_count, sizeof(buckets[0]), compare_buckets);

    expiry_queue_print_head(bucket_count, queue->count, out);
    for (size_t i = 0; i < bucket_count; i++) {
        expiry_queue_print_bucket(buckets[i]->count, buckets[i]->expiry_ms, wall_offset_ms, out);
        LIST_EACH(link, &buckets[i]->elements) {
            buffer_append_string(out, "\t");
            print(LIST_ENTRY(link, struct expiry_link, link), out);
            buffer_append_string(out, "\n");
        }
    }
    mutex_unlock(&queue->lock);
    memory_free(buckets);
}

void expiry_queue_print_head(size_t bucket_count, size_t element_count, struct buffer *out)
{
    buffer_printf(out, "Sets (%zu)/(%zu):\n", bucket_count, element_count);
}

void expiry_queue_print_bucket(size_t count, int64_t expiry_ms, int64_t wall_offset_ms, struct buffer *out)
{
    struct tm date;
    char text[64] = "";
    clock_local_time(expiry_ms + wall_offset_ms, &date);
    strftime(text, sizeof(text), "%a %b %d %H:%M:%S %Z %Y", &date);    /* Date.toString() */
    buffer_printf(out, "%zu expire at %s:\n", count, text);
}
