/*
 * data_tree.c - the tree as readers see it, its watches, and how it begins and ends.
 *
 * Invariants, which tree_txn.c keeps:
 * (1) every node but the root is in the table and in its parent's set, or in neither, as seen under both stripes;
 * (2) `digest` is the sum of the nodes' digests, whenever no transaction is being applied;
 * (3) a node's list of permissions has one usage in the cache for each node that has it;
 * (4) a watch is set under the stripe of its path, together with the answer it belongs to, so that no change falls
 *     between the two.
 */
#include "server/tree/data_tree.h"

#include <assert.h>
#include <stdatomic.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/strings.h"
#include "common/wire/path.h"
#include "server/tree/digest.h"
#include "server/tree/tree_internal.h"
#include "server/tree/tree_walk.h"

#define STAT_OVERHEAD_BYTES (6 * 8 + 5 * 4)    /* DataTree.STAT_OVERHEAD_BYTES, for the metrics of reading */

enum watcher_type { WATCHES_CHILDREN = 1, WATCHES_DATA, WATCHES_ANY, WATCHES_PERSISTENT, WATCHES_RECURSIVE };

/* A node that was looked up and the lock that keeps it as it is. */
struct lookup {
    struct node_key key;
    struct data_node *node;    /* NULL: none, but the stripe is locked all the same */
};

static struct lookup lock_path(struct data_tree *tree, struct ustring path)
{
    struct ustring plain = node_table_path(path);
    struct lookup lookup = {.key = node_table_key(&tree->nodes, plain)};
    node_table_lock(&tree->nodes, lookup.key);
    lookup.node = node_table_find(&tree->nodes, lookup.key, plain);
    return lookup;
}

static void unlock_path(struct data_tree *tree, const struct lookup *lookup)
{
    node_table_unlock(&tree->nodes, lookup->key);
}

static int check_access(const struct access_check *check, const struct data_node *node)
{
    return check == NULL ? ZK_OK : check->check(check, node->acl);
}

static void copy_stat(const struct data_tree *tree, const struct data_node *node, struct zk_stat *ret_stat)
{
    if (ret_stat != NULL)
        data_node_client_stat(node, &tree->options.ephemeral_rules, ret_stat);
}

static void update_read_stat(struct data_tree *tree, struct ustring path, int64_t bytes)
{
    struct ustring name = tree_top_namespace(path);
    if (tree->metrics == NULL || name.size < 0)
        return;
    int64_t chars = (int64_t)string_java_length(path.bytes, (size_t)path.size);
    server_metrics_sample_key(tree->metrics, METRIC_READ_PER_NAMESPACE, name, chars + bytes + STAT_OVERHEAD_BYTES);
}

/* One of the nodes that every tree has. */
static struct data_node *add_system_node(struct data_tree *tree, const char *text, struct acl_list *acl,
                                         const struct stat_persisted *stat)
{
    struct ustring path = ustring_of(text);
    struct ustring parent_path;
    struct ustring name;
    bool has_parent = path_split(path, &parent_path, &name);
    assert(has_parent);
    struct data_node *parent =
        node_table_find(&tree->nodes, node_table_key(&tree->nodes, parent_path), parent_path);
    assert(parent != NULL);
    struct data_node *node = data_node_new(parent, name, blob_ref(tree->no_data), acl, stat);
    struct node_key parent_key = node_table_key(&tree->nodes, parent_path);
    struct node_key key = node_table_key(&tree->nodes, path);
    node_table_lock_both(&tree->nodes, parent_key, key);
    tree_insert(tree, key, node, path);
    node_table_unlock_both(&tree->nodes, parent_key, key);
    atomic_fetch_add(&tree->data_size, tree_node_size(path, data_node_data(node)));
    return node;
}

static void add_root(struct data_tree *tree)
{
    static const struct stat_persisted no_stat;
    struct ustring path = {"", 0};
    tree->root = data_node_new(NULL, path, blob_ref(tree->no_data), acl_cache_intern(tree->acls, NULL), &no_stat);
    tree_insert(tree, node_table_key(&tree->nodes, path), tree->root, path);
    atomic_store(&tree->data_size, tree_node_size(ustring_of("/"), data_node_data(tree->root)));
}

/* What setWatches finds out about one watch, under the stripe; 0 when there is nothing to tell. */
static int32_t missed_data_event(const struct data_node *node, int64_t relative_zxid)
{
    if (node == NULL)
        return EVENT_NODE_DELETED;
    return data_node_stat(node).mzxid > relative_zxid ? EVENT_NODE_DATA_CHANGED : 0;
}

static int32_t missed_exist_event(const struct data_node *node, int64_t relative_zxid)
{
    (void)relative_zxid;
    return node != NULL ? EVENT_NODE_CREATED : 0;
}

static int32_t missed_child_event(const struct data_node *node, int64_t relative_zxid)
{
    if (node == NULL)
        return EVENT_NODE_DELETED;
    return data_node_stat(node).pzxid > relative_zxid ? EVENT_NODE_CHILDREN_CHANGED : 0;
}

/* Tells the watcher what it missed, or else sets the watch. */
static void set_again(struct data_tree *tree, struct ustring_vector paths, int64_t relative_zxid,
                      int32_t (*missed)(const struct data_node *, int64_t), struct watch_manager *manager,
                      struct watcher *watcher)
{
    for (int32_t i = 0; i < paths.count; i++) {
        struct ustring path = paths.items[i];
        struct lookup lookup = lock_path(tree, path);
        int32_t type = missed(lookup.node, relative_zxid);
        if (type == 0)
            watch_manager_add(manager, path, watcher, WATCHER_STANDARD);
        unlock_path(tree, &lookup);
        if (type == 0)
            continue;
        struct watch_event event = {.type = type, .state = STATE_SYNC_CONNECTED, .path = path, .zxid = -1};
        watcher->ops->process(watcher, &event);
    }
}

/* ---- shared with the other files of the room ---- */

int64_t tree_node_size(struct ustring path, struct slice data)
{
    return (int64_t)string_java_length(path.bytes, (size_t)path.size) + (int64_t)data.size;
}

struct blob *tree_new_data(struct data_tree *tree, struct jute_buffer data)
{
    if (data.size < 0)
        return NULL;
    return data.size == 0 ? blob_ref(tree->no_data) : blob_new_copy(data.bytes, (size_t)data.size);
}

void tree_insert(struct data_tree *tree, struct node_key key, struct data_node *node, struct ustring path)
{
    if (node->parent != NULL)
        data_node_add_child(node->parent, node);
    node_table_insert(&tree->nodes, key, node);
    tree_digest_add(tree, node, path);
}

void tree_remove(struct data_tree *tree, struct node_key key, struct data_node *node)
{
    data_node_remove_child(node->parent, node);
    node_table_remove(&tree->nodes, key, node);
    tree_digest_drop(tree, node);
}

void tree_digest_drop(struct data_tree *tree, const struct data_node *node)
{
    if (tree->options.digest_enabled)
        atomic_fetch_sub(&tree->digest, data_node_digest(node));
}

void tree_digest_add(struct data_tree *tree, struct data_node *node, struct ustring path)
{
    if (!tree->options.digest_enabled)
        return;
    struct stat_persisted stat = data_node_stat(node);
    data_node_set_digest(node, digest_calculate(path, data_node_data(node), &stat));
    atomic_fetch_add(&tree->digest, data_node_digest(node));
}

void tree_clear(struct data_tree *tree)
{
    path_trie_clear(tree->quotas);
    tree_owners_clear(tree->owners);
    node_table_clear(&tree->nodes);
    acl_cache_clear(tree->acls);
    tree->root = NULL;
    atomic_store(&tree->data_size, 0);
    atomic_store(&tree->digest, 0);
}

void tree_add_config_node(struct data_tree *tree)
{
    static const struct stat_persisted stat = {.aversion = -1};    /* as setACL with version -1 leaves it */
    add_system_node(tree, QUOTA_CONFIG_NODE, acl_cache_intern(tree->acls, &acl_read_unsafe), &stat);
}

struct data_node *tree_find(struct data_tree *tree, struct ustring path)
{
    struct ustring plain = node_table_path(path);
    return node_table_find(&tree->nodes, node_table_key(&tree->nodes, plain), plain);
}

struct ustring tree_top_namespace(struct ustring path)
{
    if (path.size < 2 || path.bytes[0] != '/')
        return USTRING_NULL;
    const char *end = memchr(path.bytes + 1, '/', (size_t)path.size - 1);
    return (struct ustring){path.bytes + 1, end == NULL ? path.size - 1 : (int32_t)(end - path.bytes) - 1};
}

/* ---- public ---- */

/* What every tree has before a client made anything. */
static void add_first_nodes(struct data_tree *tree)
{
    static const struct stat_persisted no_stat;
    add_root(tree);
    struct acl_list *open = acl_cache_intern(tree->acls, NULL);
    add_system_node(tree, QUOTA_PROC, open, &no_stat);
    add_system_node(tree, QUOTA_ROOT, open, &no_stat);
    tree_add_config_node(tree);
}

struct data_tree *data_tree_new(const struct data_tree_options *options, struct server_metrics *metrics)
{
    struct data_tree *tree = MEMORY_NEW(struct data_tree);
    tree->options = *options;
    tree->metrics = metrics;
    node_table_init(&tree->nodes);
    tree->acls = acl_cache_new();
    tree->quotas = path_trie_new();
    tree->owners = tree_owners_new(&options->ephemeral_rules);
    tree->data_watches = watch_manager_new(metrics);
    tree->child_watches = watch_manager_new(metrics);
    tree->no_data = blob_new(0);
    static const uint8_t empty_vector[sizeof(int32_t)];
    tree->no_children = blob_new_copy(empty_vector, sizeof(empty_vector));
    mutex_init(&tree->digest_lock);
    condition_init(&tree->txn_done);
    tree->history = MEMORY_NEW(struct digest_history);
    add_first_nodes(tree);
    return tree;
}

void data_tree_reset(struct data_tree *tree)
{
    tree_clear(tree);
    add_first_nodes(tree);
    mutex_lock(&tree->digest_lock);
    memset(tree->history, 0, sizeof(*tree->history));
    mutex_unlock(&tree->digest_lock);
    atomic_store(&tree->has_loaded_digest, false);
    atomic_store(&tree->digest_mismatch, false);
    atomic_store(&tree->last_processed_zxid, 0);
}

void data_tree_free(struct data_tree *tree)
{
    if (tree == NULL)
        return;
    tree_clear(tree);
    node_table_release(&tree->nodes);
    watch_manager_free(tree->data_watches);
    watch_manager_free(tree->child_watches);
    tree_owners_free(tree->owners);
    path_trie_free(tree->quotas);
    acl_cache_free(tree->acls);
    blob_unref(tree->no_data);
    blob_unref(tree->no_children);
    mutex_lock(&tree->digest_lock);
    memory_free(tree->history);
    mutex_unlock(&tree->digest_lock);
    condition_release(&tree->txn_done);
    mutex_release(&tree->digest_lock);
    memory_free(tree);
}

int data_tree_get_data(struct data_tree *tree, struct ustring path, const struct access_check *check,
                       struct watcher *watcher, struct zk_stat *ret_stat, struct blob **ret_data)
{
    struct lookup lookup = lock_path(tree, path);
    int err = lookup.node == NULL ? ZK_NO_NODE : check_access(check, lookup.node);
    if (err == ZK_OK) {
        copy_stat(tree, lookup.node, ret_stat);
        if (watcher != NULL)
            watch_manager_add(tree->data_watches, path, watcher, WATCHER_STANDARD);    /* (4) */
        *ret_data = lookup.node->data == NULL ? NULL : blob_ref(lookup.node->data);
    }
    unlock_path(tree, &lookup);
    if (err == ZK_OK)
        update_read_stat(tree, path, *ret_data == NULL ? 0 : (*ret_data)->size);
    return err;
}

int data_tree_stat_node(struct data_tree *tree, struct ustring path, const struct access_check *check,
                        struct watcher *watcher, struct zk_stat *ret_stat)
{
    struct lookup lookup = lock_path(tree, path);
    int err = lookup.node == NULL ? ZK_NO_NODE : check_access(check, lookup.node);
    if (watcher != NULL && (err == ZK_OK || lookup.node == NULL))
        watch_manager_add(tree->data_watches, path, watcher, WATCHER_STANDARD);
    if (err == ZK_OK)
        copy_stat(tree, lookup.node, ret_stat);
    unlock_path(tree, &lookup);
    if (err == ZK_OK)
        update_read_stat(tree, path, 0);
    return err;
}

int data_tree_get_children(struct data_tree *tree, struct ustring path, const struct access_check *check,
                           struct watcher *watcher, struct zk_stat *ret_stat, struct blob **ret_children)
{
    struct lookup lookup = lock_path(tree, path);
    int err = lookup.node == NULL ? ZK_NO_NODE : check_access(check, lookup.node);
    struct blob *names = NULL;
    int64_t chars = 0;
    if (err == ZK_OK) {
        bool has_children = data_node_child_count(lookup.node) > 0;
        names = has_children ? data_node_child_names(lookup.node, &chars) : blob_ref(tree->no_children);
        if (names == NULL)
            err = ZK_MARSHALLING_ERROR;    /* more than a frame can hold */
    }
    if (err == ZK_OK) {
        copy_stat(tree, lookup.node, ret_stat);
        if (watcher != NULL)
            watch_manager_add(tree->child_watches, path, watcher, WATCHER_STANDARD);
        *ret_children = names;
    }
    unlock_path(tree, &lookup);
    if (err == ZK_OK)
        update_read_stat(tree, path, chars);
    return err;
}

int data_tree_get_acl(struct data_tree *tree, struct ustring path, const struct access_check *check,
                      struct zk_stat *ret_stat, struct acl_list **ret_acl)
{
    struct lookup lookup = lock_path(tree, path);
    int err = lookup.node == NULL ? ZK_NO_NODE : check_access(check, lookup.node);
    if (err == ZK_OK) {
        copy_stat(tree, lookup.node, ret_stat);
        *ret_acl = acl_list_ref(lookup.node->acl);
    }
    unlock_path(tree, &lookup);
    return err;
}

int32_t data_tree_all_children_number(struct data_tree *tree, struct ustring path)
{
    size_t count = node_table_count(&tree->nodes);
    if (ustring_is(path, "/"))
        return (int32_t)(count - 1);
    if (path.size <= 0)
        return (int32_t)count;    /* Java's "/" counts as one more below "" */
    count = 0;
    struct tree_walk walk;
    struct node_copy copy;
    tree_walk_init(&walk, tree, path);
    while (tree_walk_next(&walk, &copy)) {
        node_copy_release(&copy);
        count++;
    }
    tree_walk_release(&walk);
    return count > 0 ? (int32_t)(count - 1) : 0;
}

bool data_tree_view(struct data_tree *tree, struct ustring path, struct node_view *ret_view)
{
    struct lookup lookup = lock_path(tree, path);
    struct data_node *node = lookup.node;
    if (node != NULL) {
        *ret_view = (struct node_view){
            .stat = data_node_stat(node),
            .child_count = (int32_t)data_node_child_count(node),
            .acl = acl_list_ref(node->acl),
            .data = node->data == NULL ? NULL : blob_ref(node->data),
            .digest = tree->options.digest_enabled ? data_node_digest(node) : 0,
        };
    }
    unlock_path(tree, &lookup);
    return node != NULL;
}

void node_view_release(struct node_view *view)
{
    acl_list_unref(view->acl);
    blob_unref(view->data);
    view->acl = NULL;
    view->data = NULL;
}

void path_list_release(struct path_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        memory_free(list->paths[i]);
    memory_free(list->paths);
    *list = (struct path_list){0};
}

void data_tree_get_ephemerals(struct data_tree *tree, int64_t session_id, struct path_list *ret_paths)
{
    tree_owners_list_session(tree->owners, session_id, true, ret_paths);
}

void data_tree_get_containers(struct data_tree *tree, struct path_list *ret_paths)
{
    tree_owners_list(tree->owners, EPHEMERAL_CONTAINER, ret_paths);
}

void data_tree_get_ttls(struct data_tree *tree, struct path_list *ret_paths)
{
    tree_owners_list(tree->owners, EPHEMERAL_TTL, ret_paths);
}

int64_t *data_tree_get_sessions(struct data_tree *tree, size_t *ret_count)
{
    return tree_owners_sessions(tree->owners, ret_count);
}

size_t data_tree_max_prefix_with_quota(struct data_tree *tree, struct ustring path)
{
    return path_trie_find_max_prefix(tree->quotas, path);
}

size_t data_tree_node_count(struct data_tree *tree)
{
    return node_table_count(&tree->nodes) + 1;
}

size_t data_tree_watch_count(struct data_tree *tree)
{
    return watch_manager_size(tree->data_watches) + watch_manager_size(tree->child_watches);
}

size_t data_tree_ephemerals_count(struct data_tree *tree)
{
    return tree_owners_ephemerals_count(tree->owners);
}

int64_t data_tree_approximate_data_size(struct data_tree *tree)
{
    return atomic_load(&tree->data_size);
}

size_t data_tree_acl_cache_size(struct data_tree *tree)
{
    return acl_cache_size(tree->acls);
}

int64_t data_tree_last_processed_zxid(struct data_tree *tree)
{
    return atomic_load(&tree->last_processed_zxid);
}

uint64_t data_tree_digest(struct data_tree *tree)
{
    return atomic_load(&tree->digest);
}

void data_tree_print_ephemerals(struct data_tree *tree, struct buffer *out)
{
    tree_owners_print(tree->owners, out);
}

size_t data_tree_digest_log(struct data_tree *tree, struct zxid_digest *ret_items, size_t most)
{
    mutex_lock(&tree->digest_lock);
    const struct digest_history *history = tree->history;
    size_t count = history->log_count < most ? history->log_count : most;
    size_t skipped = history->log_count - count;
    for (size_t i = 0; i < count; i++)
        ret_items[i] = history->log[(history->log_start + skipped + i) % DIGEST_LOG_LIMIT];
    mutex_unlock(&tree->digest_lock);
    return count;
}

struct watch_manager *data_tree_data_watches(struct data_tree *tree)
{
    return tree->data_watches;
}

struct watch_manager *data_tree_child_watches(struct data_tree *tree)
{
    return tree->child_watches;
}

void data_tree_add_watch(struct data_tree *tree, struct ustring path, struct watcher *watcher, enum watcher_mode mode)
{
    watch_manager_add(tree->data_watches, path, watcher, mode);
    if (mode != WATCHER_PERSISTENT_RECURSIVE)
        watch_manager_add(tree->child_watches, path, watcher, mode);
}

bool data_tree_contains_watch(struct data_tree *tree, struct ustring path, int32_t type, struct watcher *watcher)
{
    switch (type) {
    case WATCHES_CHILDREN:
        return watch_manager_contains(tree->child_watches, path, watcher, WATCHER_STANDARD);
    case WATCHES_DATA:
        return watch_manager_contains(tree->data_watches, path, watcher, WATCHER_STANDARD);
    case WATCHES_PERSISTENT:
        return watch_manager_contains(tree->data_watches, path, watcher, WATCHER_PERSISTENT);
    case WATCHES_RECURSIVE:
        return watch_manager_contains(tree->data_watches, path, watcher, WATCHER_PERSISTENT_RECURSIVE);
    case WATCHES_ANY:
        return watch_manager_contains(tree->child_watches, path, watcher, WATCHER_ANY) ||
               watch_manager_contains(tree->data_watches, path, watcher, WATCHER_ANY);
    default:
        return false;
    }
}

bool data_tree_remove_watch(struct data_tree *tree, struct ustring path, int32_t type, struct watcher *watcher)
{
    bool from_children;
    bool from_data;
    switch (type) {
    case WATCHES_CHILDREN:
        return watch_manager_remove(tree->child_watches, path, watcher, WATCHER_STANDARD);
    case WATCHES_DATA:
        return watch_manager_remove(tree->data_watches, path, watcher, WATCHER_STANDARD);
    case WATCHES_PERSISTENT:
        from_children = watch_manager_remove(tree->child_watches, path, watcher, WATCHER_PERSISTENT);
        from_data = watch_manager_remove(tree->data_watches, path, watcher, WATCHER_PERSISTENT);
        return from_children || from_data;
    case WATCHES_RECURSIVE:
        return watch_manager_remove(tree->data_watches, path, watcher, WATCHER_PERSISTENT_RECURSIVE);
    case WATCHES_ANY:
        from_children = watch_manager_remove(tree->child_watches, path, watcher, WATCHER_ANY);
        from_data = watch_manager_remove(tree->data_watches, path, watcher, WATCHER_ANY);
        return from_children || from_data;
    default:
        return false;
    }
}

void data_tree_remove_watcher(struct data_tree *tree, struct watcher *watcher)
{
    watch_manager_remove_watcher(tree->data_watches, watcher);
    watch_manager_remove_watcher(tree->child_watches, watcher);
}

void data_tree_set_watches(struct data_tree *tree, const struct set_watches2 *watches, struct watcher *watcher)
{
    int64_t zxid = watches->relative_zxid;
    set_again(tree, watches->data_watches, zxid, missed_data_event, tree->data_watches, watcher);
    set_again(tree, watches->exist_watches, zxid, missed_exist_event, tree->data_watches, watcher);
    set_again(tree, watches->child_watches, zxid, missed_child_event, tree->child_watches, watcher);
    for (int32_t i = 0; i < watches->persistent_watches.count; i++)
        data_tree_add_watch(tree, watches->persistent_watches.items[i], watcher, WATCHER_PERSISTENT);
    for (int32_t i = 0; i < watches->persistent_recursive_watches.count; i++)
        data_tree_add_watch(tree, watches->persistent_recursive_watches.items[i], watcher,
                            WATCHER_PERSISTENT_RECURSIVE);
}

void data_tree_set_last_processed_zxid(struct data_tree *tree, int64_t zxid)
{
    atomic_store(&tree->last_processed_zxid, zxid);
}

bool data_tree_digest_mismatch(struct data_tree *tree)
{
    return atomic_load(&tree->digest_mismatch);
}

bool data_tree_digest_is_consistent(struct data_tree *tree)
{
    if (!tree->options.digest_enabled)
        return true;
    uint64_t sum = 0;
    struct buffer path = {0};
    for (struct data_node *node = tree->root; node != NULL; node = data_node_walk(tree->root, node)) {
        buffer_clear(&path);
        data_node_append_path(node, &path);
        struct stat_persisted stat = data_node_stat(node);
        struct ustring text = {buffer_string(&path), (int32_t)path.size};
        sum += digest_calculate(text, data_node_data(node), &stat);
    }
    buffer_release(&path);
    return sum == data_tree_digest(tree);
}
