/*
 * tree_txn.c - applies transactions.
 *
 * Mirrors the writing half of DataTree. One thread runs this; it is the only one that changes the tree, and so it may
 * read the tree's shape without a lock. What readers can see it changes under the stripes of the paths concerned, and
 * watches fire when none is held.
 *
 * (1) A transaction that a fuzzy snapshot already holds, in whole or in part, changes nothing that matters when it is
 *     applied again: zxids and versions only grow, and a node that is there keeps what it has.
 * (2) A deletion takes along what is below the node. Live there is nothing below; in replay there may be children whose
 *     creation comes later in the log, and they are made again then. (Java leaves them in its table, in nobody's list.)
 * (3) last_processed_zxid moves when all of a transaction is in the tree, of a multi too (ZOOKEEPER-3127).
 * (4) A list of permissions is counted for a node exactly while the node has it (ZOOKEEPER-4689).
 * (5) Between txns_begun and txns_done a snapshot may see a transaction whose digest is not kept yet; who writes the
 *     digest behind a snapshot waits for it, or the two would not belong together (as they may not in Java).
 */
#include <assert.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/strings.h"
#include "common/wire/path.h"
#include "server/tree/digest.h"
#include "server/tree/tree_internal.h"

/* What a create needs, whichever kind it is. */
struct new_node {
    struct ustring path;
    struct jute_buffer data;
    const struct zk_acl_vector *acl;
    int64_t owner;
    int32_t parent_cversion;
};

/* A path taken apart, with where it and its parent are kept. */
struct place {
    struct ustring path, parent_path, name;
    struct node_key key, parent_key;
};

static bool place_init(struct data_tree *tree, struct ustring path, struct place *ret_place)
{
    struct place place = {.path = path};
    if (path.size < 2 || !path_split(path, &place.parent_path, &place.name))
        return false;
    place.key = node_table_key(&tree->nodes, path);
    place.parent_key = node_table_key(&tree->nodes, place.parent_path);
    *ret_place = place;
    return true;
}

static struct ustring shown_parent(const struct place *place)
{
    return place->parent_path.size == 0 ? ustring_of("/") : place->parent_path;
}

static void update_write_stat(struct data_tree *tree, struct ustring path, int64_t bytes)
{
    struct ustring name = tree_top_namespace(path);
    if (tree->metrics == NULL || name.size < 0)
        return;
    int64_t chars = (int64_t)string_java_length(path.bytes, (size_t)path.size);
    server_metrics_sample_key(tree->metrics, METRIC_WRITE_PER_NAMESPACE, name, chars + bytes);
}

/* ---- one node ---- */

/* What a creation does to the parent: a later one than its own may have been there already. */
static void count_creation(struct data_tree *tree, struct data_node *parent, struct ustring parent_path,
                           int32_t parent_cversion, int64_t zxid)
{
    struct stat_persisted stat = data_node_stat(parent);
    if (parent_cversion == -1)
        parent_cversion = (int32_t)((uint32_t)stat.cversion + 1);
    if (parent_cversion <= stat.cversion)
        return;
    stat.cversion = parent_cversion;
    stat.pzxid = zxid;
    tree_digest_drop(tree, parent);
    data_node_set_stat(parent, &stat);
    tree_digest_add(tree, parent, parent_path);
}

/* The node is gone from table and parent: what is left is to forget it. */
static void dispose(struct data_tree *tree, struct data_node *node, struct ustring path)
{
    tree_owners_remove(tree->owners, node, path, data_node_stat(node).ephemeral_owner);
    acl_cache_remove_usage(tree->acls, node->acl);
    data_node_free(node);
}

static void unlink_node(struct data_tree *tree, struct data_node *node, const struct place *place)
{
    tree_remove(tree, place->key, node);
    atomic_fetch_sub(&tree->data_size, tree_node_size(place->path, data_node_data(node)));
}

/* The first of a subtree in post-order. */
static struct data_node *deepest(struct data_node *node)
{
    for (struct data_node *child; (child = data_node_first_child(node)) != NULL;)
        node = child;
    return node;
}

/* The one that follows in post-order, `top` last; to be asked before the node goes. */
static struct data_node *after_in_post_order(struct data_node *top, struct data_node *node)
{
    if (node == top)
        return NULL;
    struct data_node *sibling = data_node_next_sibling(node);
    return sibling != NULL ? deepest(sibling) : node->parent;
}

/* (2) */
static void delete_below(struct data_tree *tree, struct data_node *top, struct ustring top_path)
{
    log_warn_limited(&tree->odd_lines, "deletion of %.*s takes along %" PRIu32 " children, which the log makes again",
                     (int)top_path.size, top_path.bytes, data_node_child_count(top));
    struct buffer text = {0};
    struct data_node *next;
    for (struct data_node *node = deepest(top); node != top; node = next) {
        next = after_in_post_order(top, node);
        buffer_clear(&text);
        data_node_append_path(node, &text);
        struct ustring path = {(const char *)text.bytes, (int32_t)text.size};
        struct place place;
        bool is_below_root = place_init(tree, path, &place);
        assert(is_below_root);
        node_table_lock_both(&tree->nodes, place.parent_key, place.key);
        unlink_node(tree, node, &place);
        node_table_unlock_both(&tree->nodes, place.parent_key, place.key);
        dispose(tree, node, path);
    }
    buffer_release(&text);
}

static void trigger(struct watch_manager *manager, struct ustring path, int32_t type, int64_t zxid,
                    const struct acl_list *acl)
{
    watch_manager_trigger(manager, path, type, zxid, acl, NULL, NULL);
}

/* It is there already, so we are replaying: it gets the permissions of the log, which the snapshot may not know. */
static int meet_existing(struct data_tree *tree, struct data_node *node, const struct place *place,
                         const struct new_node *new_node)
{
    struct acl_list *acl = acl_cache_intern(tree->acls, new_node->acl);
    node_table_lock(&tree->nodes, place->key);
    struct acl_list *before = node->acl;
    node->acl = acl;
    node_table_unlock(&tree->nodes, place->key);
    acl_cache_remove_usage(tree->acls, before);
    return ZK_NODE_EXISTS;
}

static struct data_node *make_node(struct data_tree *tree, const struct new_node *new_node, const struct place *place,
                                   struct data_node *parent, const struct txn_header *header)
{
    struct stat_persisted stat = {
        .czxid = header->zxid,
        .mzxid = header->zxid,
        .pzxid = header->zxid,
        .ctime = header->time,
        .mtime = header->time,
        .ephemeral_owner = new_node->owner,
    };
    return data_node_new(parent, place->name, tree_new_data(tree, new_node->data),
                         acl_cache_intern(tree->acls, new_node->acl), &stat);
}

static int create_node(struct data_tree *tree, const struct txn_header *header, const struct new_node *new_node,
                       struct zk_stat *ret_stat)
{
    struct place place;
    if (!place_init(tree, new_node->path, &place))
        return ustring_is(new_node->path, "/") ? ZK_NODE_EXISTS : ZK_NO_NODE;
    struct data_node *parent = node_table_find(&tree->nodes, place.parent_key, place.parent_path);
    if (parent == NULL)
        return ZK_NO_NODE;
    struct data_node *existing = node_table_find(&tree->nodes, place.key, place.path);
    if (existing != NULL)
        return meet_existing(tree, existing, &place, new_node);
    struct data_node *node = make_node(tree, new_node, &place, parent, header);
    int64_t bytes = (int64_t)data_node_data(node).size;
    atomic_fetch_add(&tree->data_size, tree_node_size(place.path, data_node_data(node)));

    node_table_lock_both(&tree->nodes, place.parent_key, place.key);
    struct acl_list *acl = acl_list_ref(node->acl);
    struct acl_list *parent_acl = acl_list_ref(parent->acl);
    count_creation(tree, parent, place.parent_path, new_node->parent_cversion, header->zxid);
    tree_insert(tree, place.key, node, place.path);
    if (ret_stat != NULL)
        data_node_client_stat(node, &tree->options.ephemeral_rules, ret_stat);
    node_table_unlock_both(&tree->nodes, place.parent_key, place.key);

    tree_owners_add(tree->owners, node, place.path, new_node->owner);
    tree_quota_node_created(tree, place.parent_path, place.name);
    tree_quota_add(tree, place.path, bytes, 1);
    update_write_stat(tree, place.path, bytes);
    trigger(tree->data_watches, place.path, EVENT_NODE_CREATED, header->zxid, acl);
    trigger(tree->child_watches, shown_parent(&place), EVENT_NODE_CHILDREN_CHANGED, header->zxid, parent_acl);
    acl_list_unref(acl);
    acl_list_unref(parent_acl);
    return ZK_OK;
}

static void fire_deletion(struct data_tree *tree, const struct place *place, int64_t zxid, const struct acl_list *acl,
                          const struct acl_list *parent_acl)
{
    struct watcher_set told = {0};
    watch_manager_trigger(tree->data_watches, place->path, EVENT_NODE_DELETED, zxid, acl, NULL, &told);
    watch_manager_trigger(tree->child_watches, place->path, EVENT_NODE_DELETED, zxid, acl, &told, NULL);
    watcher_set_release(&told);
    trigger(tree->child_watches, shown_parent(place), EVENT_NODE_CHILDREN_CHANGED, zxid, parent_acl);
}

static int delete_node(struct data_tree *tree, struct ustring path, int64_t zxid)
{
    struct place place;
    if (!place_init(tree, path, &place))
        return ustring_is(path, "/") ? ZK_BAD_ARGUMENTS : ZK_NO_NODE;
    struct data_node *parent = node_table_find(&tree->nodes, place.parent_key, place.parent_path);
    if (parent == NULL)
        return ZK_NO_NODE;
    struct data_node *node = node_table_find(&tree->nodes, place.key, place.path);
    if (node != NULL && data_node_child_count(node) > 0)
        delete_below(tree, node, path);

    node_table_lock_both(&tree->nodes, place.parent_key, place.key);
    struct acl_list *parent_acl = acl_list_ref(parent->acl);
    struct acl_list *acl = node == NULL ? NULL : acl_list_ref(node->acl);
    if (node != NULL)
        unlink_node(tree, node, &place);
    struct stat_persisted stat = data_node_stat(parent);
    if (zxid > stat.pzxid) {    /* also when the child is gone already: the parent may be older than that */
        stat.pzxid = zxid;
        tree_digest_drop(tree, parent);
        data_node_set_stat(parent, &stat);
        tree_digest_add(tree, parent, place.parent_path);
    }
    node_table_unlock_both(&tree->nodes, place.parent_key, place.key);

    if (node != NULL) {
        int64_t bytes = (int64_t)data_node_data(node).size;
        dispose(tree, node, path);
        tree_quota_node_deleted(tree, place.parent_path, place.name);
        tree_quota_add(tree, path, -bytes, -1);
        update_write_stat(tree, path, 0);
        fire_deletion(tree, &place, zxid, acl, parent_acl);
    }
    acl_list_unref(acl);
    acl_list_unref(parent_acl);
    return node == NULL ? ZK_NO_NODE : ZK_OK;
}

static int set_data(struct data_tree *tree, struct ustring path, struct jute_buffer bytes, int32_t version,
                    int64_t zxid, int64_t time_ms, struct zk_stat *ret_stat)
{
    struct ustring plain = node_table_path(path);
    struct node_key key = node_table_key(&tree->nodes, plain);
    struct data_node *node = node_table_find(&tree->nodes, key, plain);
    if (node == NULL)
        return ZK_NO_NODE;
    struct blob *data = tree_new_data(tree, bytes);

    node_table_lock(&tree->nodes, key);
    struct acl_list *acl = acl_list_ref(node->acl);
    struct blob *before = node->data;
    int64_t grown = -(int64_t)data_node_data(node).size;
    struct stat_persisted stat = data_node_stat(node);
    stat.mtime = time_ms;
    stat.mzxid = zxid;
    stat.version = version;
    tree_digest_drop(tree, node);
    node->data = data;
    data_node_set_stat(node, &stat);
    data_node_client_stat(node, &tree->options.ephemeral_rules, ret_stat);
    tree_digest_add(tree, node, plain);
    int64_t size = (int64_t)data_node_data(node).size;
    node_table_unlock(&tree->nodes, key);

    blob_unref(before);
    grown += size;
    tree_quota_add(tree, path, grown, 0);
    atomic_fetch_add(&tree->data_size, grown);
    update_write_stat(tree, path, size);
    trigger(tree->data_watches, path, EVENT_NODE_DATA_CHANGED, zxid, acl);
    acl_list_unref(acl);
    return ZK_OK;
}

static int set_acl(struct data_tree *tree, const struct set_acl_txn *txn, struct zk_stat *ret_stat)
{
    struct ustring plain = node_table_path(txn->path);
    struct node_key key = node_table_key(&tree->nodes, plain);
    struct data_node *node = node_table_find(&tree->nodes, key, plain);
    if (node == NULL)
        return ZK_NO_NODE;
    node_table_lock(&tree->nodes, key);
    struct stat_persisted stat = data_node_stat(node);
    stat.aversion = txn->version;
    tree_digest_drop(tree, node);
    data_node_set_stat(node, &stat);
    acl_cache_remove_usage(tree->acls, node->acl);    /* first, so that ids are given as Java gives them */
    node->acl = acl_cache_intern(tree->acls, &txn->acl);
    data_node_client_stat(node, &tree->options.ephemeral_rules, ret_stat);
    tree_digest_add(tree, node, plain);
    node_table_unlock(&tree->nodes, key);
    return ZK_OK;
}

/* ---- a session ---- */

static void delete_of_session(struct data_tree *tree, struct ustring path, int64_t session_id, int64_t zxid)
{
    if (delete_node(tree, path, zxid) != ZK_OK)
        log_warn_limited(&tree->odd_lines, "%.*s, an ephemeral of closed session 0x%" PRIx64 ", is not there",
                         (int)path.size, path.bytes, (uint64_t)session_id);
}

/* killSession: the paths that the transaction names, then what we know of besides. */
static void close_session(struct data_tree *tree, const struct txn_header *header, const struct txn_body *body)
{
    int64_t session_id = header->client_id;
    if (body->is_present) {
        const struct ustring_vector *paths = &body->record.close_session.paths2_delete;
        for (int32_t i = 0; i < paths->count; i++)
            delete_of_session(tree, paths->items[i], session_id, header->zxid);
    }
    struct path_list left;
    tree_owners_list_session(tree->owners, session_id, false, &left);
    if (body->is_present && left.count > 0)
        log_warn("session 0x%" PRIx64 " has %zu ephemerals that transaction 0x%" PRIx64 ", its last, does not name",
                 (uint64_t)session_id, left.count, (uint64_t)header->zxid);
    for (size_t i = 0; i < left.count; i++)
        delete_of_session(tree, ustring_of(left.paths[i]), session_id, header->zxid);
    path_list_release(&left);
    tree_owners_remove_session(tree->owners, session_id);
}

/* ---- a transaction ---- */

/* The parent of a node that was there already counts the creation all the same: setCversionPzxid. */
static int count_repeated_creation(struct data_tree *tree, const struct new_node *new_node, int64_t zxid)
{
    struct place place;
    if (!place_init(tree, new_node->path, &place))
        return ZK_NODE_EXISTS;
    struct data_node *parent = node_table_find(&tree->nodes, place.parent_key, place.parent_path);
    assert(parent != NULL);
    node_table_lock(&tree->nodes, place.parent_key);
    count_creation(tree, parent, place.parent_path, new_node->parent_cversion, zxid);
    node_table_unlock(&tree->nodes, place.parent_key);
    return ZK_NODE_EXISTS;
}

static void apply_create(struct data_tree *tree, const struct txn_header *header, const struct new_node *new_node,
                         struct process_txn_result *result)
{
    result->path = new_node->path;
    bool wants_stat = header->type != OP_CREATE;
    result->err = create_node(tree, header, new_node, wants_stat ? &result->stat : NULL);
    result->has_stat = wants_stat && result->err == ZK_OK;
    if (result->err == ZK_NODE_EXISTS)
        result->err = count_repeated_creation(tree, new_node, header->zxid);
}

static void apply_plain_create(struct data_tree *tree, const struct txn_header *header, const struct create_txn *txn,
                               struct process_txn_result *result)
{
    struct new_node new_node = {txn->path, txn->data, &txn->acl, txn->ephemeral ? header->client_id : 0,
                                txn->parent_c_version};
    apply_create(tree, header, &new_node, result);
}

static void apply_create_ttl(struct data_tree *tree, const struct txn_header *header, const struct create_ttl_txn *txn,
                             struct process_txn_result *result)
{
    result->path = txn->path;
    if (txn->ttl <= 0 || txn->ttl > EPHEMERAL_MAX_TTL_MS) {
        result->err = ZK_BAD_ARGUMENTS;
        return;
    }
    struct new_node new_node = {txn->path, txn->data, &txn->acl, ephemeral_ttl_to_owner(txn->ttl),
                                txn->parent_c_version};
    apply_create(tree, header, &new_node, result);
}

static void apply_create_container(struct data_tree *tree, const struct txn_header *header,
                                   const struct create_container_txn *txn, struct process_txn_result *result)
{
    struct new_node new_node = {txn->path, txn->data, &txn->acl, EPHEMERAL_CONTAINER_OWNER, txn->parent_c_version};
    apply_create(tree, header, &new_node, result);
}

static void apply_set_data(struct data_tree *tree, const struct txn_header *header, const struct set_data_txn *txn,
                           struct process_txn_result *result)
{
    result->path = txn->path;
    result->err = set_data(tree, txn->path, txn->data, txn->version, header->zxid, header->time, &result->stat);
    result->has_stat = result->err == ZK_OK;
}

static void result_init(const struct txn_header *header, struct process_txn_result *ret_result)
{
    *ret_result = (struct process_txn_result){
        .client_id = header->client_id,
        .cxid = header->cxid,
        .zxid = header->zxid,
        .type = header->type,
        .path = USTRING_NULL,
    };
}

/* Anything but a multi. */
static void apply_single(struct data_tree *tree, const struct txn_header *header, const struct txn_body *body,
                         struct process_txn_result *result)
{
    result_init(header, result);
    switch (header->type) {
    case OP_CREATE:
    case OP_CREATE2:
        apply_plain_create(tree, header, &body->record.create, result);
        break;
    case OP_CREATE_TTL:
        apply_create_ttl(tree, header, &body->record.create_ttl, result);
        break;
    case OP_CREATE_CONTAINER:
        apply_create_container(tree, header, &body->record.create_container, result);
        break;
    case OP_DELETE:
    case OP_DELETE_CONTAINER:
        result->path = body->record.remove.path;
        result->err = delete_node(tree, result->path, header->zxid);
        break;
    case OP_SET_DATA:
    case OP_RECONFIG:
        apply_set_data(tree, header, &body->record.set_data, result);
        break;
    case OP_SET_ACL:
        result->path = body->record.set_acl.path;
        result->err = set_acl(tree, &body->record.set_acl, &result->stat);
        result->has_stat = result->err == ZK_OK;
        break;
    case OP_CHECK:
        result->path = body->record.check.path;
        break;
    case OP_CLOSE_SESSION:
        close_session(tree, header, body);
        break;
    case OP_ERROR:
        result->err = body->record.error.err;
        break;
    default:
        break;
    }
}

static void apply_multi(struct data_tree *tree, const struct txn_header *header, const struct txn_body *body,
                        struct arena *arena, struct process_txn_result *result)
{
    result_init(header, result);
    int32_t count = body->record.multi.count;
    /* Not NULL for an empty one either: who reads the result tells a multi by it. */
    result->multi = arena_alloc(arena, (count > 0 ? (size_t)count : 1) * sizeof(result->multi[0]));
    result->multi_count = count;
    for (int32_t i = 0; i < count; i++) {
        const struct txn_part *part = &body->record.multi.items[i];
        struct txn_header part_header = *header;
        part_header.type = part->type;
        apply_single(tree, &part_header, &part->body, &result->multi[i]);
        if (result->err == ZK_OK)
            result->err = result->multi[i].err;
    }
}

/* logZxidDigest. */
static void log_digest(struct data_tree *tree, int64_t zxid) REQUIRES(tree->digest_lock)
{
    struct digest_history *history = tree->history;
    history->last = (struct zxid_digest){zxid, DIGEST_VERSION, data_tree_digest(tree)};
    history->has_last = true;
    if (zxid % DIGEST_LOG_INTERVAL != 0)
        return;
    history->log[(history->log_start + history->log_count) % DIGEST_LOG_LIMIT] = history->last;
    if (history->log_count < DIGEST_LOG_LIMIT)
        history->log_count++;
    else
        history->log_start = (history->log_start + 1) % DIGEST_LOG_LIMIT;
}

/* compareDigest: none while the tree is still fuzzy. */
static void compare_digest(struct data_tree *tree, const struct txn_header *header, const struct txn_digest *digest)
{
    if (!tree->options.digest_enabled || digest == NULL || digest->version != DIGEST_VERSION ||
        atomic_load(&tree->has_loaded_digest))
        return;
    uint64_t actual = data_tree_digest(tree);
    if ((uint64_t)digest->tree_digest == actual)
        return;
    if (!data_tree_digest_mismatch(tree))
        log_error("first transaction after which the tree differs: zxid 0x%" PRIx64 ", type %" PRId32
                  ", expected digest 0x%" PRIx64 ", actual 0x%" PRIx64,
                  (uint64_t)header->zxid, header->type, (uint64_t)digest->tree_digest, actual);
    tree_report_digest_mismatch(tree, header->zxid);
}

/* ---- shared with the other files of the room ---- */

void tree_report_digest_mismatch(struct data_tree *tree, int64_t zxid)
{
    atomic_store(&tree->digest_mismatch, true);
    server_metrics_count(tree->metrics, METRIC_DIGEST_MISMATCHES_COUNT, 1);
    log_warn_limited(&tree->digest_lines, "digests do not match at zxid 0x%" PRIx64, (uint64_t)zxid);
}

void tree_compare_loaded_digest(struct data_tree *tree, int64_t zxid)
{
    if (!atomic_load(&tree->has_loaded_digest))
        return;
    mutex_lock(&tree->digest_lock);
    struct digest_history *history = tree->history;
    bool is_mismatch = false;
    bool is_passed = false;
    if (zxid == history->loaded.zxid) {
        if (history->loaded.version != DIGEST_VERSION)
            log_info("the snapshot has a digest of version %" PRId32 ", ours is %d: not compared",
                     history->loaded.version, DIGEST_VERSION);
        else
            is_mismatch = history->loaded.digest != data_tree_digest(tree);
        atomic_store(&tree->has_loaded_digest, false);
    } else if (history->loaded.zxid != 0 && zxid > history->loaded.zxid) {
        is_passed = true;
    }
    int64_t loaded_zxid = history->loaded.zxid;
    mutex_unlock(&tree->digest_lock);
    if (is_mismatch)
        tree_report_digest_mismatch(tree, zxid);
    if (is_passed)
        log_warn_limited(&tree->digest_lines, "the log has no transaction 0x%" PRIx64 ", that of the snapshot's digest",
                         (uint64_t)loaded_zxid);
}

/* ---- public ---- */

void data_tree_process_txn(struct data_tree *tree, const struct txn_header *header, const struct txn_body *body,
                           const struct txn_digest *digest, struct arena *arena,
                           struct process_txn_result *ret_result)
{
    atomic_fetch_add(&tree->txns_begun, 1);    /* (5) */
    if (header->type == OP_MULTI)
        apply_multi(tree, header, body, arena, ret_result);
    else
        apply_single(tree, header, body, ret_result);

    if (header->zxid > data_tree_last_processed_zxid(tree))
        atomic_store(&tree->last_processed_zxid, header->zxid);    /* (3) */
    bool is_fuzzy = atomic_load(&tree->has_loaded_digest);
    if (is_fuzzy)
        tree_compare_loaded_digest(tree, header->zxid);
    mutex_lock(&tree->digest_lock);
    if (!is_fuzzy)
        log_digest(tree, header->zxid);
    tree->txns_done++;
    condition_broadcast(&tree->txn_done);
    mutex_unlock(&tree->digest_lock);
    compare_digest(tree, header, digest);
}

void data_tree_set_config(struct data_tree *tree, struct slice config, int64_t zxid)
{
    struct ustring path = ustring_of(QUOTA_CONFIG_NODE);
    if (tree_find(tree, path) == NULL) {
        log_warn("%s is missing, as after an upgrade from before 3.5; it is made", QUOTA_CONFIG_NODE);
        tree_add_config_node(tree);
    }
    assert(config.size <= INT32_MAX);
    struct jute_buffer data = {config.bytes, (int32_t)config.size};
    struct zk_stat stat;
    set_data(tree, path, data, -1, zxid, clock_wall_ms(), &stat);
}
