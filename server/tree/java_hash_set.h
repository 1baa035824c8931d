/*
 * The order in which Java's HashSet<String> gives its elements, so that lists of children and of ephemerals leave in
 * the same order as from a Java server. Mirrors java.util.HashMap: spread hash, table doubled at three quarters and
 * never shrunk, chains in order of arrival, crowded ones in that of a tree (java_tree_bin). Intrusive: an element
 * carries a java_hash_link. Not locked.
 */
#ifndef ZKC_SERVER_TREE_JAVA_HASH_SET_H
#define ZKC_SERVER_TREE_JAVA_HASH_SET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct java_hash_link {
    struct java_hash_link *next;
    int32_t hash;       /* String.hashCode(), not spread */
    uint32_t spare;     /* the element's own, where there would be a gap */
};
struct java_tree_bin;
struct java_hash_set {
    struct java_hash_link **table;    /* NULL while nothing was added */
    struct java_tree_bin **trees;     /* of each bucket, NULL for a chain; all NULL while no chain was crowded */
    uint32_t capacity;                /* a power of two; what the table has, or will be made with */
    uint32_t count;
};

/* As String.compareTo(). */
typedef int java_hash_compare(const struct java_hash_link *a, const struct java_hash_link *b);

/* As new HashSet<>(initial_capacity). */
void java_hash_set_init(struct java_hash_set *set, uint32_t initial_capacity);
void java_hash_set_release(struct java_hash_set *set);    /* the table, not the elements */
/* Not in it yet. The same `compare` in every call; NULL for elements that never crowd a bucket, such as numbers. */
void java_hash_set_add(struct java_hash_set *set, struct java_hash_link *link, java_hash_compare *compare);
void java_hash_set_remove(struct java_hash_set *set, struct java_hash_link *link);    /* in it */
/* In Java's order: for (l = first(s); l; l = after(s, l)). */
struct java_hash_link *java_hash_set_first(const struct java_hash_set *set);
struct java_hash_link *java_hash_set_after(const struct java_hash_set *set, const struct java_hash_link *link);
/*
 * An iteration in parts, between which the set may change: {0} at first. Whatever is in the set from the first part to
 * the last is seen once; in Java's order unless the table grows meanwhile.
 */
struct java_hash_cursor {
    uint32_t capacity, bucket;    /* of the table as it was at the first part: the next of its buckets */
};
/* The part that comes next, one bucket of the first table, however many buckets it is now. False at the end. */
bool java_hash_set_visit_next(const struct java_hash_set *set, struct java_hash_cursor *cursor,
                              void (*visit)(struct java_hash_link *link, void *arg), void *arg);
/* Chain that an element of this hash would stand in, for a search by the caller; NULL when there is none. */
struct java_hash_link *java_hash_set_chain(const struct java_hash_set *set, int32_t hash);
/* The elements in the order in which a copy of the set gives them whose table is made with `capacity` (see below); one
 * link an element, memory_free. */
struct java_hash_link **java_hash_set_copy_order(const struct java_hash_set *set, uint32_t capacity,
                                                 java_hash_compare *compare);
/* Capacity of the table that HashSet.clone(), or new HashSet<>(set), makes for `count` elements. */
uint32_t java_hash_clone_capacity(uint32_t count);
uint32_t java_hash_copy_capacity(uint32_t count);

#endif
