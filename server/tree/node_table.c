/*
 * node_table.c - buckets of nodes, found by 32 bits of their path's hash and then by their names from the end.
 *
 * Six bits of the hash choose the stripe, 32 others are the tag a node keeps; the bucket is its lower bits.
 */
#include "server/tree/node_table.h"

#include <assert.h>
#include <stdatomic.h>

#include "common/base/hash_map.h"
#include "common/base/memory.h"
#include "common/base/random.h"

#define FIRST_BUCKETS 4
#define LARGEST_BUCKETS (1u << 30)

static void put_in_bucket(struct node_stripe *stripe, struct data_node *node)
{
    struct data_node **bucket = &stripe->buckets[node->tag & (stripe->bucket_count - 1)];
    node->next = *bucket;
    *bucket = node;
}

static void grow(struct node_stripe *stripe)
{
    struct data_node **old = stripe->buckets;
    uint32_t old_count = stripe->bucket_count;
    stripe->bucket_count = old_count > 0 ? 2 * old_count : FIRST_BUCKETS;
    stripe->buckets = MEMORY_NEW_ARRAY(stripe->bucket_count, struct data_node *);
    for (uint32_t i = 0; i < old_count; i++) {
        struct data_node *next;
        for (struct data_node *node = old[i]; node != NULL; node = next) {
            next = node->next;
            put_in_bucket(stripe, node);
        }
    }
    memory_free(old);
}

void node_table_init(struct node_table *table)
{
    for (size_t i = 0; i < NODE_STRIPES; i++) {
        struct node_stripe *stripe = &table->stripes[i];
        mutex_init(&stripe->lock);
        stripe->buckets = NULL;
        stripe->bucket_count = 0;
        stripe->count = 0;
    }
    table->seed = random_uint64();
    atomic_init(&table->count, 0);
}

void node_table_clear(struct node_table *table)
{
    for (size_t i = 0; i < NODE_STRIPES; i++) {
        struct node_stripe *stripe = &table->stripes[i];
        for (uint32_t bucket = 0; bucket < stripe->bucket_count; bucket++) {
            struct data_node *next;
            for (struct data_node *node = stripe->buckets[bucket]; node != NULL; node = next) {
                next = node->next;
                data_node_free(node);
            }
        }
        memory_free(stripe->buckets);
        stripe->buckets = NULL;
        stripe->bucket_count = 0;
        stripe->count = 0;
    }
    atomic_store(&table->count, 0);
}

void node_table_release(struct node_table *table)
{
    for (size_t i = 0; i < NODE_STRIPES; i++) {
        assert(table->stripes[i].count == 0);
        memory_free(table->stripes[i].buckets);
        mutex_release(&table->stripes[i].lock);
    }
}

struct ustring node_table_path(struct ustring path)
{
    return path.size == 1 && path.bytes[0] == '/' ? (struct ustring){path.bytes, 0} : path;
}

struct node_key node_table_key(const struct node_table *table, struct ustring path)
{
    uint64_t hash = hash_bytes_continue(table->seed, path.bytes, path.size > 0 ? (size_t)path.size : 0);
    hash = (hash ^ hash >> 32) * UINT64_C(0x9e3779b97f4a7c15);
    return (struct node_key){(uint32_t)(hash >> 58), (uint32_t)(hash >> 26)};
}

void node_table_lock(struct node_table *table, struct node_key key) NO_THREAD_SAFETY_ANALYSIS
{
    mutex_lock(&table->stripes[key.stripe].lock);
}

void node_table_unlock(struct node_table *table, struct node_key key) NO_THREAD_SAFETY_ANALYSIS
{
    mutex_unlock(&table->stripes[key.stripe].lock);
}

void node_table_lock_both(struct node_table *table, struct node_key a, struct node_key b)
{
    struct node_key first = a.stripe <= b.stripe ? a : b;
    struct node_key second = a.stripe <= b.stripe ? b : a;
    node_table_lock(table, first);
    if (first.stripe != second.stripe)
        node_table_lock(table, second);
}

void node_table_unlock_both(struct node_table *table, struct node_key a, struct node_key b)
{
    node_table_unlock(table, a);
    if (a.stripe != b.stripe)
        node_table_unlock(table, b);
}

struct data_node *node_table_find(const struct node_table *table, struct node_key key, struct ustring path)
{
    const struct node_stripe *stripe = &table->stripes[key.stripe];
    if (stripe->count == 0 || path.size < 0)
        return NULL;
    struct data_node *node = stripe->buckets[key.tag & (stripe->bucket_count - 1)];
    while (node != NULL && (node->tag != key.tag || !data_node_has_path(node, path)))
        node = node->next;
    return node;
}

void node_table_insert(struct node_table *table, struct node_key key, struct data_node *node)
{
    struct node_stripe *stripe = &table->stripes[key.stripe];
    if (stripe->count >= stripe->bucket_count && stripe->bucket_count < LARGEST_BUCKETS)
        grow(stripe);
    node->tag = key.tag;
    put_in_bucket(stripe, node);
    stripe->count++;
    atomic_fetch_add_explicit(&table->count, 1, memory_order_relaxed);
}

void node_table_remove(struct node_table *table, struct node_key key, struct data_node *node)
{
    struct node_stripe *stripe = &table->stripes[key.stripe];
    assert(stripe->count > 0);
    struct data_node **at = &stripe->buckets[key.tag & (stripe->bucket_count - 1)];
    while (*at != node) {
        assert(*at != NULL);
        at = &(*at)->next;
    }
    *at = node->next;
    node->next = NULL;
    stripe->count--;
    atomic_fetch_sub_explicit(&table->count, 1, memory_order_relaxed);
}

size_t node_table_count(const struct node_table *table)
{
    return atomic_load_explicit(&table->count, memory_order_relaxed);
}
