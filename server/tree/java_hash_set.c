/*
 * java_hash_set.c - a table of chains that grows when java.util.HashMap would, and never otherwise.
 *
 * Mirrors HashMap.putVal, resize and removeNode of JDK 17:
 * (1) a bucket is the hash, its upper half folded into the lower, modulo the size of the table;
 * (2) an element goes to the end of its chain; the ninth of a chain doubles a table of less than 64 buckets;
 * (3) in a table of 64 buckets or more that ninth makes a tree of the chain;
 * (4) the table doubles when it holds more than three quarters of its size; chains keep their order in both halves, a
 *     tree that falls in two is made anew on either side, or a chain of up to six.
 */
#include "server/tree/java_hash_set.h"

#include <assert.h>

#include "common/base/memory.h"
#include "server/tree/java_tree_bin.h"

#define LONGEST_CHAIN 8        /* TREEIFY_THRESHOLD */
#define SMALLEST_TREE 7        /* UNTREEIFY_THRESHOLD + 1 */
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

static void make_tree(struct java_hash_set *set, uint32_t bucket, java_hash_compare *compare)
{
    if (set->trees == NULL)
        set->trees = MEMORY_NEW_ARRAY(set->capacity, struct java_tree_bin *);
    set->trees[bucket] = java_tree_bin_new(set->table[bucket], compare);
    set->table[bucket] = java_tree_bin_first(set->trees[bucket]);
}

/* One half of a tree that the table's growth has divided; `tree` is the whole, where nothing went to the other half. */
static void settle_half(struct java_hash_set *set, uint32_t bucket, struct java_tree_bin *tree,
                        java_hash_compare *compare)
{
    uint32_t count = 0;
    for (const struct java_hash_link *link = set->table[bucket]; link != NULL; link = link->next)
        count++;
    if (count < SMALLEST_TREE)
        java_tree_bin_free(tree);
    else if (tree != NULL)
        set->trees[bucket] = tree;
    else
        make_tree(set, bucket, compare);
}

static void divide_trees(struct java_hash_set *set, struct java_tree_bin **old, uint32_t old_capacity,
                         java_hash_compare *compare)
{
    set->trees = MEMORY_NEW_ARRAY(set->capacity, struct java_tree_bin *);
    for (uint32_t low = 0; low < old_capacity; low++) {
        uint32_t high = low + old_capacity;
        if (old[low] == NULL)
            continue;
        bool is_whole = set->table[low] == NULL || set->table[high] == NULL;
        if (!is_whole)
            java_tree_bin_free(old[low]);
        if (set->table[low] != NULL)
            settle_half(set, low, is_whole ? old[low] : NULL, compare);
        if (set->table[high] != NULL)
            settle_half(set, high, is_whole ? old[low] : NULL, compare);
    }
    memory_free(old);
}

static void grow(struct java_hash_set *set, java_hash_compare *compare)
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
    if (set->trees != NULL)
        divide_trees(set, set->trees, old_capacity, compare);
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
    *set = (struct java_hash_set){.capacity = power_of_two(initial_capacity)};
}

void java_hash_set_release(struct java_hash_set *set)
{
    for (uint32_t i = 0; set->trees != NULL && i < set->capacity; i++)
        java_tree_bin_free(set->trees[i]);
    memory_free(set->trees);
    memory_free(set->table);
    *set = (struct java_hash_set){.capacity = set->capacity};
}

static void add_to_chain(struct java_hash_set *set, uint32_t bucket, struct java_hash_link *link,
                         java_hash_compare *compare)
{
    struct java_hash_link **at = &set->table[bucket];
    uint32_t chain = 0;
    for (; *at != NULL; at = &(*at)->next)
        chain++;
    link->next = NULL;
    *at = link;
    if (chain < LONGEST_CHAIN)
        return;
    if (set->capacity < TREE_CAPACITY)
        grow(set, compare);
    else if (compare != NULL)
        make_tree(set, bucket, compare);
}

void java_hash_set_add(struct java_hash_set *set, struct java_hash_link *link, java_hash_compare *compare)
{
    if (set->table == NULL)
        set->table = MEMORY_NEW_ARRAY(set->capacity, struct java_hash_link *);
    uint32_t bucket = bucket_of(set->capacity, link->hash);
    if (set->trees != NULL && set->trees[bucket] != NULL) {
        java_tree_bin_add(set->trees[bucket], link, compare);
        set->table[bucket] = java_tree_bin_first(set->trees[bucket]);
    } else {
        add_to_chain(set, bucket, link, compare);
    }
    set->count++;
    if (set->count > set->capacity / 4 * 3 + set->capacity % 4 * 3 / 4)
        grow(set, compare);
}

static void remove_from_tree(struct java_hash_set *set, uint32_t bucket, struct java_hash_link *link)
{
    bool is_tree = java_tree_bin_remove(set->trees[bucket], link);
    set->table[bucket] = java_tree_bin_first(set->trees[bucket]);
    if (!is_tree) {
        java_tree_bin_free(set->trees[bucket]);
        set->trees[bucket] = NULL;
    }
}

void java_hash_set_remove(struct java_hash_set *set, struct java_hash_link *link)
{
    assert(set->count > 0);
    uint32_t bucket = bucket_of(set->capacity, link->hash);
    set->count--;
    if (set->trees != NULL && set->trees[bucket] != NULL) {
        remove_from_tree(set, bucket, link);
        return;
    }
    struct java_hash_link **at = &set->table[bucket];
    while (*at != link) {
        assert(*at != NULL);
        at = &(*at)->next;
    }
    *at = link->next;
    link->next = NULL;
}

struct java_hash_link *java_hash_set_first(const struct java_hash_set *set)
{
    return set->count > 0 ? first_from(set, 0) : NULL;
}

struct java_hash_link *java_hash_set_after(const struct java_hash_set *set, const struct java_hash_link *link)
{
    return link->next != NULL ? link->next : first_from(set, bucket_of(set->capacity, link->hash) + 1);
}

bool java_hash_set_visit_next(const struct java_hash_set *set, struct java_hash_cursor *cursor,
                              void (*visit)(struct java_hash_link *link, void *arg), void *arg)
{
    if (set->table == NULL)
        return false;
    if (cursor->capacity == 0)
        cursor->capacity = set->capacity;
    if (cursor->bucket == cursor->capacity)
        return false;
    /* By (4) a bucket's elements are now in the buckets that are the same modulo the first capacity. */
    for (uint64_t bucket = cursor->bucket; bucket < set->capacity; bucket += cursor->capacity)
        for (struct java_hash_link *link = set->table[bucket]; link != NULL; link = link->next)
            visit(link, arg);
    cursor->bucket++;
    return true;
}

struct java_hash_link *java_hash_set_chain(const struct java_hash_set *set, int32_t hash)
{
    return set->count > 0 ? set->table[bucket_of(set->capacity, hash)] : NULL;
}

struct copy {
    struct java_hash_link link;
    struct java_hash_link *original;
    java_hash_compare *compare;    /* of originals */
};

static int compare_copies(const struct java_hash_link *a, const struct java_hash_link *b)
{
    const struct copy *first = container_of(a, const struct copy, link);
    return first->compare(first->original, container_of(b, const struct copy, link)->original);
}

struct java_hash_link **java_hash_set_copy_order(const struct java_hash_set *set, uint32_t capacity,
                                                 java_hash_compare *compare)
{
    struct copy *copies = MEMORY_NEW_ARRAY(set->count, struct copy);
    struct java_hash_link **order = MEMORY_NEW_ARRAY(set->count, struct java_hash_link *);
    struct java_hash_set copied;
    java_hash_set_init(&copied, capacity);
    size_t count = 0;
    for (struct java_hash_link *at = java_hash_set_first(set); at != NULL; at = java_hash_set_after(set, at)) {
        copies[count] = (struct copy){{.hash = at->hash}, at, compare};
        java_hash_set_add(&copied, &copies[count].link, compare != NULL ? compare_copies : NULL);
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
