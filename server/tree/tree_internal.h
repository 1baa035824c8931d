/*
 * What data_tree.c (reads), tree_txn.c and tree_quota.c (writes), tree_walk.c and tree_snapshot.c share. Internal to
 * server/tree.
 *
 * Locks, from the outer to the inner: node stripe (two in the order of their numbers) -> watch managers, owners, ACL
 * cache, quota trie, digest_lock; none of the latter is held while another is taken.
 */
#ifndef ZKC_SERVER_TREE_TREE_INTERNAL_H
#define ZKC_SERVER_TREE_TREE_INTERNAL_H

#include "common/base/log.h"
#include "common/thread/mutex.h"
#include "server/tree/data_tree.h"
#include "server/tree/node_table.h"
#include "server/tree/quota.h"
#include "server/tree/tree_owners.h"

#define DIGEST_LOG_LIMIT 1024
#define DIGEST_LOG_INTERVAL 128

struct digest_history {
    struct zxid_digest last;                         /* after the last transaction */
    bool has_last;
    struct zxid_digest loaded;                       /* of the snapshot; see has_loaded_digest */
    struct zxid_digest log[DIGEST_LOG_LIMIT];        /* a ring: the oldest is at log_start */
    size_t log_start, log_count;
};

struct data_tree {
    struct data_tree_options options;
    struct server_metrics *metrics;
    struct node_table nodes;
    struct data_node *root;
    struct acl_cache *acls;
    struct path_trie *quotas;
    struct tree_owners *owners;
    struct watch_manager *data_watches, *child_watches;
    struct blob *no_data;                            /* shared by all nodes with data of no bytes */
    struct blob *no_children;                        /* an empty jute vector */
    _Atomic int64_t data_size;                       /* paths in UTF-16 units, and data; the root twice */
    _Atomic uint64_t digest;                         /* sum of the nodes' */
    _Atomic int64_t last_processed_zxid;
    _Atomic bool digest_mismatch;
    _Atomic bool has_loaded_digest;                  /* no transaction reached its zxid yet: the tree may be fuzzy */
    struct log_limiter digest_lines, odd_lines;
    _Atomic uint64_t txns_begun;
    struct mutex digest_lock;
    struct condition txn_done;
    uint64_t txns_done GUARDED_BY(digest_lock);
    struct digest_history *history GUARDED_BY(digest_lock);
};

/* getNodeSize(). */
int64_t tree_node_size(struct ustring path, struct slice data);
/* The bytes as a node holds them: NULL for null, a shared blob for none. */
struct blob *tree_new_data(struct data_tree *tree, struct jute_buffer data);

/* The node of path `path` enters table, parent's set and digest. Under both stripes, or with a tree of one's own. */
void tree_insert(struct data_tree *tree, struct node_key key, struct data_node *node, struct ustring path);
/* It leaves them; what else knows of it is the caller's to tell, and so is the usage of its ACL. */
void tree_remove(struct data_tree *tree, struct node_key key, struct data_node *node);
/* Around a change of a node that its digest sees: preChange, postChange. */
void tree_digest_drop(struct data_tree *tree, const struct data_node *node);
void tree_digest_add(struct data_tree *tree, struct data_node *node, struct ustring path);

/* Everything goes but the watches; for a tree of one's own. */
void tree_clear(struct data_tree *tree);
/* /zookeeper/config as a new tree has it; for the thread that writes. */
void tree_add_config_node(struct data_tree *tree);

/* For the thread that writes: the node of a path, NULL if there is none. Locks nothing. */
struct data_node *tree_find(struct data_tree *tree, struct ustring path);

/* Quotas; for the thread that writes. A node was made or deleted; a path has so many bytes and nodes more. */
void tree_quota_node_created(struct data_tree *tree, struct ustring parent_path, struct ustring name);
void tree_quota_node_deleted(struct data_tree *tree, struct ustring parent_path, struct ustring name);
void tree_quota_add(struct data_tree *tree, struct ustring path, int64_t bytes, int64_t count);
/* After loading: the trie and the statistics of all quotas. */
void tree_quota_set_up(struct data_tree *tree);

void tree_report_digest_mismatch(struct data_tree *tree, int64_t zxid);
/* compareSnapshotDigests. */
void tree_compare_loaded_digest(struct data_tree *tree, int64_t zxid);

/* "/a" of "/a/b" gives "a"; null for the root. */
struct ustring tree_top_namespace(struct ustring path);

#endif
