/*
 * One node, in one block of memory with its name. Mirrors DataNode. Internal to server/tree.
 *
 * A node knows its parent and its name, not its path. In the block stands what never changes; what may change stands
 * in a second one, made by the first change, and so most nodes have none. Locks: data, ACL, digest and that second
 * block are guarded by the stripe of the node's own path (node_table.h), and so a node's link among its siblings
 * belongs to the stripe of its parent. A parent outlives its children.
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

/* Of a node that has or had children, was changed, is somebody's, or fits no other way. */
struct node_changes {
    int64_t mzxid, pzxid, ctime, mtime, ephemeral_owner;
    int32_t version, cversion, aversion;
    uint32_t name_size;                  /* never changes */
    struct java_hash_set children;       /* links are data_node.sibling */
    struct blob *wire;                   /* children's names as a jute vector; NULL until asked for, after a change */
    int64_t wire_chars;                  /* sum of these names' lengths in UTF-16 units */
};

#define NAME_IS_LONG UINT16_MAX    /* as the size of a name: see changes */

struct data_node {
    struct java_hash_link sibling;       /* in the parent's children; its spare is our digest (data_node_digest) */
    struct data_node *parent;            /* NULL: the root; never changes */
    struct blob *data;                   /* NULL is null data */
    struct acl_list *acl;                /* counted in the cache's usage, not in its references */
    struct node_changes *changes;        /* NULL: all zxids are czxid, all times ctime, the rest is 0; no children */
    int64_t czxid;                       /* never changes */
    uint64_t ctime_and_name_size;        /* never changes: 48 bits, while there are no changes, and 16 of the size */
    char name[];                         /* not terminated; never changes */
};

/* A node that is in no table and no set; takes over the reference to `data`. Never fails. */
struct data_node *data_node_new(struct data_node *parent, struct ustring name, struct blob *data, struct acl_list *acl,
                                const struct stat_persisted *stat);
/* It must have left its table and its parent's set, unless they go too; so must its children. Leaves the usage of its
 * ACL to the caller. */
void data_node_free(struct data_node *node);

struct stat_persisted data_node_stat(const struct data_node *node);
/* czxid and ctime must be what they were. */
void data_node_set_stat(struct data_node *node, const struct stat_persisted *stat);
/* copyStat: what clients see of it. */
void data_node_client_stat(const struct data_node *node, const struct ephemeral_rules *rules, struct zk_stat *ret_stat);

static inline uint32_t data_node_name_size(const struct data_node *node)
{
    uint16_t size = (uint16_t)node->ctime_and_name_size;
    return size != NAME_IS_LONG ? size : node->changes->name_size;
}
static inline struct ustring data_node_name(const struct data_node *node)
{
    return (struct ustring){node->name, (int32_t)data_node_name_size(node)};
}
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
    return node->changes == NULL ? 0 : node->changes->children.count;
}
static inline struct data_node *data_node_of_sibling(struct java_hash_link *link)
{
    return link == NULL ? NULL : container_of(link, struct data_node, sibling);
}
static inline struct data_node *data_node_first_child(const struct data_node *node)
{
    return node->changes == NULL ? NULL : data_node_of_sibling(java_hash_set_first(&node->changes->children));
}
static inline struct data_node *data_node_next_sibling(const struct data_node *node)
{
    return data_node_of_sibling(java_hash_set_after(&node->parent->changes->children, &node->sibling));
}

void data_node_add_child(struct data_node *parent, struct data_node *child);
void data_node_remove_child(struct data_node *parent, struct data_node *child);
/* A reference to the names as a jute vector, in Java's order; made, and kept, unless it is there. NULL when they are
 * more than 2 GiB. The node must have changes. */
struct blob *data_node_child_names(struct data_node *node, int64_t *ret_chars);
/* The names in parts, between which the children may change: each with its length before it, some hundred a part.
 * False when that was the last part. */
bool data_node_copy_child_names(const struct data_node *node, struct java_hash_cursor *cursor, struct buffer *out);

/* Whether this is its path; the root's is "". */
bool data_node_has_path(const struct data_node *node, struct ustring path);
void data_node_append_path(const struct data_node *node, struct buffer *out);

/* For the one thread that writes: pre-order below `top`, itself first. NULL at the end. */
struct data_node *data_node_walk(const struct data_node *top, const struct data_node *node);

#endif
