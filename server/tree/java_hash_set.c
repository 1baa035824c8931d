/*
 * java_hash_set.c - a table of chains that grows when java.util.HashMap would, and never otherwise.
 *
 * Mirrors HashMap.putVal, resize and removeNode of JDK 17:
 * (1) a bucket is the hash, its upper half folded into the lower, modulo the size of the table;
 * (2) an element goes to the end of its chain; the ninth of a chain doubles a table of less than 64 buckets;
 * (3) the table doubles when it holds more than three quarters of its size; chains keep their order in both halves.
 * Departs from Java: in a table of 64 buckets or more a chain of nine stays a chain, where Java makes a tree of it.
 * That takes names made for it, and tells only in the order within that bucket.
 */
#include "server/tree/java_hash_set.h"

#include <assert.h>

#include "common/base/memory.h"

#define LONGEST_CHAIN 8        /* TREEIFY_THRESHOLD */
#define TREE_CAPACITY 64       /* MIN_TREEIFY_CAPACITY */
#define LARGEST_CAPACITY (1u << 30)

static uint32_t bucket_of(uint32_t capacity, int32_t hash)
{
    uint32_t bits = (uint32_t)hash;
    return (bits ^ bits >> 16) & (capacity - 1);
}

/* tableSizeFor(). */
static uint32_t power_of_two(uint32_t least)
{
    uint32_t capacity = 1;
    while (capacity < least && capacity < LARGEST_CAPACITY)
        capacity *= 2;
    return capacity;
}

static void grow(struct java_hash_set *set)
{
    uint32_t old_capacity = set->capacity;
    if (old_capacity >= LARGEST_CAPACITY)
        return;
    struct java_hash_link **table = MEMORY_NEW_ARRAY((size_t)old_capacity * 2, struct java_hash_link *);
    for (uint32_t i = 0; i < old_capacity; i++) {
        struct java_hash_link **low = &table[i];
        struct java_hash_link **high = &table[i + old_capacity];
        struct java_hash_link *next;
        for (struct java_hash_link *link = set->table[i]; link != NULL; link = next) {
            next = link->next;
            struct java_hash_link ***end = bucket_of(old_capacity * 2, link->hash) == i ? &low : &high;
            link->next = NULL;
            **end = link;
            *end = &link->next;
        }
    }
    memory_free(set->table);
    set->table = table;
    set->capacity = old_capacity * 2;
}

static struct java_hash_link *first_from(const struct java_hash_set *set, uint32_t bucket)
{
    for (; bucket < set->capacity; bucket++)
        if (set->table[bucket] != NULL)
            return set->table[bucket];
    return NULL;
}

void java_hash_set_init(struct java_hash_set *set, uint32_t initial_capacity)
{
    *set = (struct java_hash_set){NULL, power_of_two(initial_capacity), 0};
}

void java_hash_set_release(struct java_hash_set *set)
{
    memory_free(set->table);
    *set = (struct java_hash_set){NULL, set->capacity, 0};
}

void java_hash_set_add(struct java_hash_set *set, struct java_hash_link *link)
{
    if (set->table == NULL)
        set->table = MEMORY_NEW_ARRAY(set->capacity, struct java_hash_link *);
    struct java_hash_link **at = &set->table[bucket_of(set->capacity, link->hash)];
    uint32_t chain = 0;
    for (; *at != NULL; at = &(*at)->next)
        chain++;
    link->next = NULL;
    *at = link;
    if (chain >= LONGEST_CHAIN && set->capacity < TREE_CAPACITY)
        grow(set);
    set->count++;
    if (set->count > set->capacity / 4 * 3 + set->capacity % 4 * 3 / 4)
        grow(set);
}

void java_hash_set_remove(struct java_hash_set *set, struct java_hash_link *link)
{
    assert(set->count > 0);
    struct java_hash_link **at = &set->table[bucket_of(set->capacity, link->hash)];
    while (*at != link) {
        assert(*at != NULL);
        at = &(*at)->next;
    }
    *at = link->next;
    link->next = NULL;
    set->count--;
}

struct java_hash_link *java_hash_set_first(const struct java_hash_set *set)
{
    return set->count > 0 ? first_from(set, 0) : NULL;
}

struct java_hash_link *java_hash_set_after(const struct java_hash_set *set, const struct java_hash_link *link)
{
    return link->next != NULL ? link->next : first_from(set, bucket_of(set->capacity, link->hash) + 1);
}

struct java_hash_link *java_hash_set_chain(const struct java_hash_set *set, int32_t hash)
{
    return set->count > 0 ? set->table[bucket_of(set->capacity, hash)] : NULL;
}

struct java_hash_link **java_hash_set_copy_order(const struct java_hash_set *set, uint32_t capacity)
{
    struct copy {
        struct java_hash_link link;
        struct java_hash_link *original;
    };
    struct copy *copies = MEMORY_NEW_ARRAY(set->count, struct copy);
    struct java_hash_link **order = MEMORY_NEW_ARRAY(set->count, struct java_hash_link *);
    struct java_hash_set copied;
    java_hash_set_init(&copied, capacity);
    size_t count = 0;
    for (struct java_hash_link *at = java_hash_set_first(set); at != NULL; at = java_hash_set_after(set, at)) {
        copies[count] = (struct copy){{.hash = at->hash}, at};
        java_hash_set_add(&copied, &copies[count].link);
        count++;
    }
    assert(count == set->count);
    count = 0;
    for (struct java_hash_link *at = java_hash_set_first(&copied); at != NULL; at = java_hash_set_after(&copied, at))
        order[count++] = container_of(at, struct copy, link)->original;
    java_hash_set_release(&copied);
    memory_free(copies);
    return order;
}

uint32_t java_hash_clone_capacity(uint32_t count)
{
    return power_of_two((uint32_t)((float)count / 0.75f + 1.0f));
}

uint32_t java_hash_copy_capacity(uint32_t count)
{
    uint32_t wanted = (uint32_t)((float)count / 0.75f) + 1;
    return power_of_two(wanted > 16 ? wanted : 16);
}
