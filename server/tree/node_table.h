/*
 * From a path to its node, in 64 parts that are locked one by one. Mirrors NodeHashMapImpl. Internal to server/tree.
 *
 * A table of its own and not a hash_map: it compares hashes without touching nodes, so that a path that is not there
 * costs one cache miss, and growing touches no node at all. The hash is seeded: nobody can choose names that collide.
 */
#ifndef ZKC_SERVER_TREE_NODE_TABLE_H
#define ZKC_SERVER_TREE_NODE_TABLE_H

#include <stddef.h>
#include <stdint.h>

#include "common/thread/mutex.h"
#include "common/wire/jute.h"
#include "server/tree/data_node.h"

#define NODE_STRIPES 64

struct node_stripe {
    struct mutex lock;
    uint32_t *tags;                /* of the nodes, 0 for none; NULL while the table is empty */
    struct data_node **nodes;
    uint32_t capacity;
    uint32_t count;
};

struct node_table {
    struct node_stripe stripes[NODE_STRIPES];
    uint64_t seed;
    _Atomic size_t count;
};

/* Where a path belongs. */
struct node_key {
    uint32_t stripe;
    uint32_t tag;    /* never 0 */
};

void node_table_init(struct node_table *table);
/* Frees all nodes; nobody else may use the table then. */
void node_table_clear(struct node_table *table);
void node_table_release(struct node_table *table);    /* must be empty */

/* "/" is "". */
struct ustring node_table_path(struct ustring path);
struct node_key node_table_key(const struct node_table *table, struct ustring path);

/* The stripe of one path, or of two in the order of their numbers. */
void node_table_lock(struct node_table *table, struct node_key key);
void node_table_unlock(struct node_table *table, struct node_key key);
void node_table_lock_both(struct node_table *table, struct node_key a, struct node_key b);
void node_table_unlock_both(struct node_table *table, struct node_key a, struct node_key b);

/* Under the stripe's lock, or by the thread that writes. The path is one of node_table_path(). */
/* The key's place will soon be asked for. Under the stripe's lock, or on the thread that changes the table. */
void node_table_prefetch(const struct node_table *table, struct node_key key);
struct data_node *node_table_find(const struct node_table *table, struct node_key key, struct ustring path);
/* Under the stripe's lock. */
void node_table_insert(struct node_table *table, struct node_key key, struct data_node *node);
void node_table_remove(struct node_table *table, struct node_key key, struct data_node *node);
size_t node_table_count(const struct node_table *table);

#endif
