/*
 * node_table.c - open addressing: a node stands at the place its hash says, or at the next free one behind it.
 *
 * Six bits of the hash choose the stripe, 32 others are the tag, and the tag is scaled to a place. A search goes on
 * from there over the tags until an empty one. Removal closes the gap: whoever stands behind it and may move up, moves
 * up. A table grows by half when it is four fifths full, so that at a million nodes the empty places take few MB.
 */
#include "server/tree/node_table.h"

#include <assert.h>
#include <stdatomic.h>

#include "common/base/hash_map.h"
#include "common/base/memory.h"
#include "common/base/random.h"

#define FIRST_CAPACITY 4
#define LARGEST_CAPACITY (1u << 31)

static uint32_t first_place(const struct node_stripe *stripe, uint32_t tag)
{
    return (uint32_t)((uint64_t)tag * stripe->capacity >> 32);
}

static uint32_t next_place(const struct node_stripe *stripe, uint32_t place)
{
    return place + 1 < stripe->capacity ? place + 1 : 0;
}

/* How far `to` stands behind `from`, going round. */
static uint32_t distance(const struct node_stripe *stripe, uint32_t from, uint32_t to)
{
    return to >= from ? to - from : to + stripe->capacity - from;
}

static void put(struct node_stripe *stripe, uint32_t tag, struct data_node *node)
{
    uint32_t place = first_place(stripe, tag);
    while (stripe->tags[place] != 0)
        place = next_place(stripe, place);
    stripe->tags[place] = tag;
    stripe->nodes[place] = node;
}

static void grow(struct node_stripe *stripe)
{
    struct node_stripe old = *stripe;
    assert(old.capacity < LARGEST_CAPACITY);
    stripe->capacity = old.capacity > 0 ? old.capacity + old.capacity / 2 : FIRST_CAPACITY;
    stripe->tags = MEMORY_NEW_ARRAY(stripe->capacity, uint32_t);
    stripe->nodes = MEMORY_NEW_ARRAY(stripe->capacity, struct data_node *);
    for (uint32_t i = 0; i < old.capacity; i++)
        if (old.tags[i] != 0)
            put(stripe, old.tags[i], old.nodes[i]);
    memory_free(old.tags);
    memory_free(old.nodes);
}

static void stripe_clear(struct node_stripe *stripe)
{
    memory_free(stripe->tags);
    memory_free(stripe->nodes);
    stripe->tags = NULL;
    stripe->nodes = NULL;
    stripe->capacity = 0;
    stripe->count = 0;
}

void node_table_init(struct node_table *table)
{
    for (size_t i = 0; i < NODE_STRIPES; i++) {
        struct node_stripe *stripe = &table->stripes[i];
        mutex_init(&stripe->lock);
        stripe->tags = NULL;
        stripe->nodes = NULL;
        stripe->capacity = 0;
        stripe->count = 0;
    }
    table->seed = random_uint64();
    atomic_init(&table->count, 0);
}

void node_table_clear(struct node_table *table)
{
    for (size_t i = 0; i < NODE_STRIPES; i++) {
        struct node_stripe *stripe = &table->stripes[i];
        for (uint32_t place = 0; place < stripe->capacity; place++)
            if (stripe->tags[place] != 0)
                data_node_free(stripe->nodes[place]);
        stripe_clear(stripe);
    }
    atomic_store(&table->count, 0);
}

void node_table_release(struct node_table *table)
{
    for (size_t i = 0; i < NODE_STRIPES; i++) {
        assert(table->stripes[i].count == 0);
        stripe_clear(&table->stripes[i]);
        mutex_release(&table->stripes[i].lock);
    }
}

struct ustring node_table_path(struct ustring path)
{
    return path.size == 1 && path.bytes[0] == '/' ? (struct ustring){path.bytes, 0} : path;
}

struct node_key node_table_key(const struct node_table *table, struct ustring path)
{
    uint64_t hash = hash_bytes_whole(table->seed, path.bytes, path.size > 0 ? (size_t)path.size : 0);
    uint32_t tag = (uint32_t)(hash >> 26);
    return (struct node_key){(uint32_t)(hash >> 58), tag != 0 ? tag : 1};
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

void node_table_prefetch(const struct node_table *table, struct node_key key)
{
    const struct node_stripe *stripe = &table->stripes[key.stripe];
    uint32_t place = first_place(stripe, key.tag);
    if (stripe->capacity == 0)
        return;
    __builtin_prefetch(&stripe->tags[place], 1);
    __builtin_prefetch(&stripe->nodes[place], 1);
}

struct data_node *node_table_find(const struct node_table *table, struct node_key key, struct ustring path)
{
    const struct node_stripe *stripe = &table->stripes[key.stripe];
    if (stripe->count == 0 || path.size < 0)
        return NULL;
    uint32_t place = first_place(stripe, key.tag);
    for (; stripe->tags[place] != 0; place = next_place(stripe, place))
        if (stripe->tags[place] == key.tag && data_node_has_path(stripe->nodes[place], path))
            return stripe->nodes[place];
    return NULL;
}

void node_table_insert(struct node_table *table, struct node_key key, struct data_node *node)
{
    struct node_stripe *stripe = &table->stripes[key.stripe];
    if (stripe->count >= stripe->capacity - stripe->capacity / 5 - 1 || stripe->capacity == 0)
        grow(stripe);
    put(stripe, key.tag, node);
    stripe->count++;
    atomic_fetch_add_explicit(&table->count, 1, memory_order_relaxed);
}

void node_table_remove(struct node_table *table, struct node_key key, struct data_node *node)
{
    struct node_stripe *stripe = &table->stripes[key.stripe];
    assert(stripe->count > 0);
    uint32_t gap = first_place(stripe, key.tag);
    while (stripe->nodes[gap] != node) {
        assert(stripe->tags[gap] != 0);
        gap = next_place(stripe, gap);
    }
    for (uint32_t at = next_place(stripe, gap); stripe->tags[at] != 0; at = next_place(stripe, at)) {
        uint32_t home = first_place(stripe, stripe->tags[at]);
        if (distance(stripe, home, at) < distance(stripe, gap, at))
            continue;    /* would stand before its place */
        stripe->tags[gap] = stripe->tags[at];
        stripe->nodes[gap] = stripe->nodes[at];
        gap = at;
    }
    stripe->tags[gap] = 0;
    stripe->nodes[gap] = NULL;
    stripe->count--;
    atomic_fetch_sub_explicit(&table->count, 1, memory_order_relaxed);
}

size_t node_table_count(const struct node_table *table)
{
    return atomic_load_explicit(&table->count, memory_order_relaxed);
}
