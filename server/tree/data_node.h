/*
 * One node, in one block of memory with its name. Mirrors DataNode. Internal to server/tree.
 *
 * A node knows its parent and its name, not its path. Locks: the set of children and all fields that change are guarded
 * by the stripe of the node's own path (node_table.h), so that a node's link among its siblings belongs to the stripe of
 * its parent; parent and name never change. A parent outlives its children.
 */
#ifndef ZKC_SERVER_TREE_DATA_NODE_H
#define ZKC_SERVER_TREE_DATA_NODE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/blob.h"
#include "common/base/buffer.h"
#include "common/base/memory.h"
#include "common/wire/records.h"
#include "server/tree/acl_cache.h"
#include "server/tree/ephemeral_type.h"
#include "server/tree/java_hash_set.h"

/* Of a node that has or had children. */
struct child_set {
    struct java_hash_set names;    /* links are data_node.sibling */
    struct blob *wire;             /* the names as a jute vector; NULL until asked for, and after a change */
    int64_t wire_chars;            /* sum of the names' lengths in UTF-16 units */
};

struct data_node {
    struct data_node *next;              /* in the table's bucket */
    uint32_t tag;                        /* 32 bits of the hash of the path */
    uint32_t name_size : 31;
    uint32_t has_full_stat : 1;
    struct java_hash_link sibling;       /* in the parent's child_set; its spare is the digest (data_node_digest) */
    struct data_node *parent;            /* NULL: the root */
    struct blob *data;                   /* NULL is null data */
    struct acl_list *acl;                /* counted in the cache's usage, not in its references */
    struct child_set *children;          /* NULL: never had one */
    union {
        struct {
            int64_t zxid, time_ms;       /* a node nothing happened to since it was made, and no ephemeral one */
        } birth;
        struct stat_persisted *full;
    } stat;
    char name[];                         /* not terminated */
};

/* A node that is in no table and no set; takes over the reference to `data`. Never fails. */
struct data_node *data_node_new(struct data_node *parent, struct ustring name, struct blob *data, struct acl_list *acl,
                                const struct stat_persisted *stat);
/* It must have left its table and its parent's set, unless they go too; so must its children. Leaves the usage of its
 * ACL to the caller. */
void data_node_free(struct data_node *node);

struct stat_persisted data_node_stat(const struct data_node *node);
void data_node_set_stat(struct data_node *node, const struct stat_persisted *stat);
/* copyStat: what clients see of it. */
void data_node_client_stat(const struct data_node *node, const struct ephemeral_rules *rules, struct zk_stat *ret_stat);

static inline uint32_t data_node_digest(const struct data_node *node) { return node->sibling.spare; }
static inline void data_node_set_digest(struct data_node *node, uint64_t digest)
{
    node->sibling.spare = (uint32_t)digest;    /* a CRC-32 */
}
static inline struct slice data_node_data(const struct data_node *node)
{
    return node->data == NULL ? (struct slice){NULL, 0} : (struct slice){node->data->bytes, node->data->size};
}
static inline uint32_t data_node_child_count(const struct data_node *node)
{
    return node->children == NULL ? 0 : node->children->names.count;
}
static inline struct data_node *data_node_of_sibling(struct java_hash_link *link)
{
    return link == NULL ? NULL : container_of(link, struct data_node, sibling);
}
static inline struct data_node *data_node_first_child(const struct data_node *node)
{
    return node->children == NULL ? NULL : data_node_of_sibling(java_hash_set_first(&node->children->names));
}

void data_node_add_child(struct data_node *parent, struct data_node *child);
void data_node_remove_child(struct data_node *parent, struct data_node *child);
/* A reference to the names as a jute vector, in Java's order; made, and kept, unless it is there. NULL when they are
 * more than 2 GiB. The node must have a child_set. */
struct blob *data_node_child_names(struct data_node *node, int64_t *ret_chars);
/* The same vector appended, of any size, and not kept. */
void data_node_copy_child_names(const struct data_node *node, struct buffer *out);

/* Whether this is its path; the root's is "". */
bool data_node_has_path(const struct data_node *node, struct ustring path);
void data_node_append_path(const struct data_node *node, struct buffer *out);

/* For the one thread that writes: pre-order below `top`, itself first. NULL at the end. */
struct data_node *data_node_walk(const struct data_node *top, const struct data_node *node);

#endif
