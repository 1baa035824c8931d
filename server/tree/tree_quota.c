/*
 * tree_quota.c - keeps the statistics of quotas while the tree changes.
 *
 * Mirrors updateQuotaStat, updateQuotaForPath and setupQuota of DataTree. A quota on /a is two nodes, limits and
 * statistics, below /zookeeper/quota/a; the trie knows which paths have limits. What clients put there is theirs: text
 * that is no statistics is left as it is, and a quota on the root is none. (Both end a Java server.)
 */
#include "common/wire/path.h"
#include "server/tree/tree_internal.h"

static struct ustring text_of(const struct buffer *buffer)
{
    return (struct ustring){(const char *)buffer->bytes, (int32_t)buffer->size};
}

/* The node is in no digest, and its stat stays. */
static void store_stats(struct data_tree *tree, struct data_node *node, struct ustring path,
                        const struct stats_track *track)
{
    struct buffer text = {0};
    stats_track_print(track, &text);
    struct blob *data = blob_new_copy(text.bytes, text.size);
    buffer_release(&text);
    struct node_key key = node_table_key(&tree->nodes, path);
    node_table_lock(&tree->nodes, key);
    struct blob *before = node->data;
    tree_digest_drop(tree, node);
    node->data = data;
    tree_digest_add(tree, node, path);
    node_table_unlock(&tree->nodes, key);
    blob_unref(before);
}

/* updateQuotaStat. */
static void add_to_stats(struct data_tree *tree, struct ustring prefix, int64_t bytes, int64_t count)
{
    struct buffer text = {0};
    quota_stat_path(prefix, &text);
    struct ustring path = text_of(&text);
    struct data_node *node = tree_find(tree, path);
    struct stats_track track;
    if (node == NULL) {
        log_warn_limited(&tree->odd_lines, "no node %.*s for the statistics of a quota", (int)path.size, path.bytes);
    } else if (!stats_track_parse(data_node_data(node).bytes, data_node_data(node).size, &track)) {
        log_warn_limited(&tree->odd_lines, "the statistics in %.*s are not legible, and not kept", (int)path.size,
                         path.bytes);
    } else {
        track.count = (int64_t)((uint64_t)track.count + (uint64_t)count);
        track.bytes = (int64_t)((uint64_t)track.bytes + (uint64_t)bytes);
        store_stats(tree, node, path, &track);
    }
    buffer_release(&text);
}

/* updateQuotaForPath: counts the subtree anew. */
static void count_anew(struct data_tree *tree, struct ustring path)
{
    struct buffer text = {0};
    quota_stat_path(path, &text);
    struct ustring stat_path = text_of(&text);
    struct data_node *stat_node = tree_find(tree, stat_path);
    if (stat_node != NULL) {
        struct stats_track track = {0, 0, -1, -1};
        struct data_node *top = tree_find(tree, path);
        for (struct data_node *node = top; node != NULL; node = data_node_walk(top, node)) {
            track.count++;
            track.bytes += (int64_t)data_node_data(node).size;
        }
        store_stats(tree, stat_node, stat_path, &track);
    } else {
        log_warn_limited(&tree->odd_lines, "no node %.*s for the statistics of a quota", (int)stat_path.size,
                         stat_path.bytes);
    }
    buffer_release(&text);
}

void tree_quota_node_created(struct data_tree *tree, struct ustring parent_path, struct ustring name)
{
    if (!path_starts_with(parent_path, QUOTA_ROOT))
        return;
    struct ustring path = quota_trim_path(parent_path);
    if (ustring_is(name, QUOTA_LIMIT_NODE))
        path_trie_add(tree->quotas, path);
    if (ustring_is(name, QUOTA_STAT_NODE))
        count_anew(tree, path);
}

void tree_quota_node_deleted(struct data_tree *tree, struct ustring parent_path, struct ustring name)
{
    if (path_starts_with(parent_path, QUOTA_ROOT) && ustring_is(name, QUOTA_LIMIT_NODE))
        path_trie_delete(tree->quotas, quota_trim_path(parent_path));
}

void tree_quota_add(struct data_tree *tree, struct ustring path, int64_t bytes, int64_t count)
{
    size_t size = path_trie_find_max_prefix(tree->quotas, path);
    if (size > 0)
        add_to_stats(tree, (struct ustring){path.bytes, (int32_t)size}, bytes, count);
}

void tree_quota_set_up(struct data_tree *tree)
{
    struct data_node *top = tree_find(tree, ustring_of(QUOTA_ROOT));
    struct buffer text = {0};
    for (struct data_node *node = top; node != NULL; node = data_node_walk(top, node)) {
        if (data_node_child_count(node) > 0 || node == top || !ustring_is(data_node_name(node), QUOTA_LIMIT_NODE))
            continue;
        buffer_clear(&text);
        data_node_append_path(node->parent, &text);
        struct ustring path = quota_trim_path(text_of(&text));
        count_anew(tree, path);
        path_trie_add(tree->quotas, path);
    }
    buffer_release(&text);
}
