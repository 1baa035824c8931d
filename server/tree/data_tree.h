/*
 * The tree of nodes, all of it in memory, with its watches. Mirrors DataTree, DataNode and NodeHashMap.
 *
 * One thread writes (whoever applies transactions); any thread reads. A read locks one of 64 stripes, takes a reference
 * to what it needs and leaves; nothing is serialised under a lock. Paths: "" and "/" are both the root.
 */
#ifndef ZKC_SERVER_TREE_DATA_TREE_H
#define ZKC_SERVER_TREE_DATA_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/blob.h"
#include "common/base/buffer.h"
#include "common/base/error.h"
#include "common/wire/records.h"
#include "server/metric/server_metrics.h"
#include "server/tree/acl_cache.h"
#include "server/tree/ephemeral_type.h"
#include "server/tree/txn_body.h"
#include "server/watch/watch_manager.h"

struct data_tree;
struct data_tree_options {
    struct ephemeral_rules ephemeral_rules;
    bool digest_enabled;
};

/* A new tree has /, /zookeeper, /zookeeper/quota and /zookeeper/config. `metrics` is borrowed and may be NULL. */
struct data_tree *data_tree_new(const struct data_tree_options *options, struct server_metrics *metrics);
void data_tree_free(struct data_tree *tree);

/* ---- reading; any thread ---- */

/*
 * Asked with the node's list before anything is given out or watched; ZK_OK permits. Runs under a stripe lock: must not
 * block, lock or call the tree. NULL permits everything.
 */
struct access_check {
    int (*check)(const struct access_check *self, const struct acl_list *acl);
};

/* ZK_NO_NODE, or what the check says. *ret_data is a reference, NULL for null data. A watcher (may be NULL) is added as
 * a standard watch when the call succeeds. */
int data_tree_get_data(struct data_tree *tree, struct ustring path, const struct access_check *check,
                       struct watcher *watcher, struct zk_stat *ret_stat, struct blob **ret_data);
/* exists: the watcher is added also when there is no node. */
int data_tree_stat_node(struct data_tree *tree, struct ustring path, const struct access_check *check,
                        struct watcher *watcher, struct zk_stat *ret_stat);
/* *ret_children: reference to the names as a jute vector of ustrings in Java's order, made once and kept by the node
 * until its children change. */
int data_tree_get_children(struct data_tree *tree, struct ustring path, const struct access_check *check,
                           struct watcher *watcher, struct zk_stat *ret_stat, struct blob **ret_children);
/* *ret_acl is a reference. */
int data_tree_get_acl(struct data_tree *tree, struct ustring path, const struct access_check *check,
                      struct zk_stat *ret_stat, struct acl_list **ret_acl);
/* Number of nodes below it; as Java, for "/" all nodes but the root. The node need not exist. */
int32_t data_tree_all_children_number(struct data_tree *tree, struct ustring path);

/* All that prep needs to know of a node, taken at once. */
struct node_view {
    struct stat_persisted stat;
    int32_t child_count;
    struct acl_list *acl;     /* reference */
    struct blob *data;        /* reference, NULL for null */
    uint64_t digest;          /* 0 when digests are off */
};
bool data_tree_view(struct data_tree *tree, struct ustring path, struct node_view *ret_view);
void node_view_release(struct node_view *view);

/* Paths of a session's ephemerals in the order of Java's clone of its set, copied; a count of 0 when it has none. */
struct path_list {
    char **paths;    /* each terminated; memory_free each and the array: path_list_release */
    size_t count;
};
void path_list_release(struct path_list *list);
void data_tree_get_ephemerals(struct data_tree *tree, int64_t session_id, struct path_list *ret_paths);
void data_tree_get_containers(struct data_tree *tree, struct path_list *ret_paths);
void data_tree_get_ttls(struct data_tree *tree, struct path_list *ret_paths);
/* Sessions that own ephemerals; memory_free. */
int64_t *data_tree_get_sessions(struct data_tree *tree, size_t *ret_count);

/* getMaxPrefixWithQuota: size of the prefix of `path` that has a quota, 0 for none. */
size_t data_tree_max_prefix_with_quota(struct data_tree *tree, struct ustring path);

size_t data_tree_node_count(struct data_tree *tree);           /* as Java counts: the root twice */
size_t data_tree_watch_count(struct data_tree *tree);
size_t data_tree_ephemerals_count(struct data_tree *tree);
int64_t data_tree_approximate_data_size(struct data_tree *tree);
size_t data_tree_acl_cache_size(struct data_tree *tree);
int64_t data_tree_last_processed_zxid(struct data_tree *tree);
uint64_t data_tree_digest(struct data_tree *tree);
void data_tree_print_ephemerals(struct data_tree *tree, struct buffer *out);    /* as dumpEphemerals (dump) */

/* The digests after every 128th transaction, newest last (hash). */
struct zxid_digest {
    int64_t zxid;
    int32_t version;
    uint64_t digest;
};
size_t data_tree_digest_log(struct data_tree *tree, struct zxid_digest *ret_items, size_t most);    /* most: 1024 */

/* ---- watches; any thread ---- */
struct watch_manager *data_tree_data_watches(struct data_tree *tree);
struct watch_manager *data_tree_child_watches(struct data_tree *tree);
/* mode: 0 persistent, 1 persistent recursive (ZooDefs.AddWatchModes). */
void data_tree_add_watch(struct data_tree *tree, struct ustring path, struct watcher *watcher, enum watcher_mode mode);
/* Watcher.WatcherType: 1 children, 2 data, 3 any, 4 persistent, 5 persistent recursive. */
bool data_tree_contains_watch(struct data_tree *tree, struct ustring path, int32_t type, struct watcher *watcher);
bool data_tree_remove_watch(struct data_tree *tree, struct ustring path, int32_t type, struct watcher *watcher);
void data_tree_remove_watcher(struct data_tree *tree, struct watcher *watcher);
/* setWatches(2): adds them again, and tells what happened since relative_zxid. */
void data_tree_set_watches(struct data_tree *tree, const struct set_watches2 *watches, struct watcher *watcher);

/* ---- writing; one thread ---- */

struct process_txn_result {
    int64_t client_id;
    int32_t cxid;
    int64_t zxid;
    int32_t err;
    int32_t type;
    struct ustring path;      /* into the txn; null when it has none */
    bool has_stat;
    struct zk_stat stat;
    struct process_txn_result *multi;    /* in the arena; NULL unless it was a multi */
    int32_t multi_count;
};
/*
 * Applies: live, on a learner, in replay and in restore alike; firing watches, keeping quotas, ephemerals, containers
 * and digest. Applying twice what a fuzzy snapshot already holds changes nothing that matters. Never fails: what does
 * not fit the tree is in ret_result->err. With `digest` (may be NULL) the tree's own is held against it afterwards.
 */
void data_tree_process_txn(struct data_tree *tree, const struct txn_header *header, const struct txn_body *body,
                           const struct txn_digest *digest, struct arena *arena,
                           struct process_txn_result *ret_result);
/* Sets the data of /zookeeper/config, version and zxids of a reconfiguration included; used by QuorumPeer. */
void data_tree_set_config(struct data_tree *tree, struct slice config, int64_t zxid);
/* As data_tree_new() made it; watches stay. For a tree that nobody reads meanwhile. */
void data_tree_reset(struct data_tree *tree);
void data_tree_set_last_processed_zxid(struct data_tree *tree, int64_t zxid);
/* True once a digest did not match; the count is in the metrics. */
bool data_tree_digest_mismatch(struct data_tree *tree);
/* For tests and tools: true if the sum over all nodes, walked, is the digest kept. */
bool data_tree_digest_is_consistent(struct data_tree *tree);

#endif
