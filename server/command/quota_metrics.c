/*
 * quota_metrics.c - walks the leaves below /zookeeper/quota and sums them up by namespace. Mirrors
 * org.apache.zookeeper.server.util.QuotaMetricsUtils.
 *
 * The nodes are copied as a snapshot copies them, so that asking counts as no read.
 */
#include "server/command/quota_metrics.h"

#include <string.h>

#include "common/base/hash_map.h"
#include "common/base/memory.h"
#include "common/base/strings.h"
#include "server/metric/java_map_order.h"
#include "server/tree/quota.h"
#include "server/tree/tree_walk.h"

enum quota_set { COUNT_LIMIT, BYTES_LIMIT, COUNT_USAGE, BYTES_USAGE, SET_COUNT };

static const char *const set_names[SET_COUNT] = {
    [COUNT_LIMIT] = "quota_count_limit_per_namespace",
    [BYTES_LIMIT] = "quota_bytes_limit_per_namespace",
    [COUNT_USAGE] = "quota_count_usage_per_namespace",
    [BYTES_USAGE] = "quota_bytes_usage_per_namespace",
};

struct quota_value {
    struct hash_link link;
    char *namespace;
    int64_t value;
};
struct quota_values {    /* of one set */
    struct hash_map by_namespace;
    struct buffer items;    /* struct quota_value *, in order of arrival */
};

static struct quota_value **items_of(const struct quota_values *values, size_t *ret_count)
{
    *ret_count = values->items.size / sizeof(struct quota_value *);
    return (struct quota_value **)(void *)values->items.bytes;
}

static void add_value(struct quota_values *values, const char *namespace, size_t size, int64_t value)
{
    uint64_t hash = hash_bytes(namespace, size);
    struct hash_link *link = hash_map_find(&values->by_namespace, hash);
    for (; link != NULL; link = hash_map_find_next(link)) {
        struct quota_value *known = container_of(link, struct quota_value, link);
        if (strlen(known->namespace) == size && memcmp(known->namespace, namespace, size) == 0) {
            known->value += value;
            return;
        }
    }
    struct quota_value *added = MEMORY_NEW(struct quota_value);
    added->namespace = string_copy_n(namespace, size);
    added->value = value;
    hash_map_insert(&values->by_namespace, &added->link, hash);
    buffer_append(&values->items, &added, sizeof(added));
}

static int64_t limit_of(int64_t hard_limit, int64_t limit)
{
    return hard_limit > -1 ? hard_limit : limit;
}

/* Adds up what a leaf of the quota tree says: a limit, or a usage, or nothing. */
static void collect(struct quota_values sets[SET_COUNT], const char *path, const struct blob *data)
{
    bool is_limit = string_ends_with(path, "/" QUOTA_LIMIT_NODE);
    bool is_usage = string_ends_with(path, "/" QUOTA_STAT_NODE);
    struct ustring quota_path = quota_trim_path(ustring_of(path));
    struct stats_track track;
    if ((!is_limit && !is_usage) || quota_path.size < 2 || data == NULL
        || !stats_track_parse(data->bytes, data->size, &track))
        return;
    const char *namespace = quota_path.bytes + 1;    /* behind the first '/', up to the next */
    size_t size = strcspn(namespace, "/");
    add_value(&sets[is_limit ? COUNT_LIMIT : COUNT_USAGE], namespace, size,
              is_limit ? limit_of(track.count_hard_limit, track.count) : track.count);
    add_value(&sets[is_limit ? BYTES_LIMIT : BYTES_USAGE], namespace, size,
              is_limit ? limit_of(track.byte_hard_limit, track.bytes) : track.bytes);
}

static bool is_parent_of(const char *path, struct ustring other)
{
    size_t size = strlen(path);
    return (size_t)other.size > size && other.bytes[size] == '/' && memcmp(path, other.bytes, size) == 0;
}

/* Pre-order: a node is a leaf when the next one is no child of it. */
static void collect_all(struct quota_values sets[SET_COUNT], struct data_tree *tree)
{
    struct tree_walk walk;
    struct node_copy node;
    char *last_path = NULL;
    struct blob *last_data = NULL;
    tree_walk_init(&walk, tree, ustring_of(QUOTA_ROOT));
    for (bool more = true; more;) {
        more = tree_walk_next(&walk, &node);
        if (last_path != NULL && !(more && is_parent_of(last_path, node.path)))
            collect(sets, last_path, last_data);
        memory_free(last_path);
        blob_unref(last_data);
        last_path = NULL;
        last_data = NULL;
        if (more) {
            last_path = string_copy_n(node.path.bytes, (size_t)node.path.size);
            last_data = node.data == NULL ? NULL : blob_ref(node.data);
            node_copy_release(&node);
        }
    }
    tree_walk_release(&walk);
}

static void list_set(const struct quota_values *values, const char *name,
                     void (*row)(void *context, const char *name, int64_t value), void *context)
{
    size_t count;
    struct quota_value **items = items_of(values, &count);
    int32_t *hashes = MEMORY_NEW_ARRAY(count, int32_t);
    size_t *order = MEMORY_NEW_ARRAY(count, size_t);
    for (size_t i = 0; i < count; i++)
        hashes[i] = string_java_hash(items[i]->namespace, strlen(items[i]->namespace));
    java_map_order(hashes, count, order);
    for (size_t i = 0; i < count; i++) {
        char *full_name = string_format("%s_%s", items[order[i]]->namespace, name);
        row(context, full_name, items[order[i]]->value);
        memory_free(full_name);
    }
    memory_free(order);
    memory_free(hashes);
}

static void release_set(struct quota_values *values)
{
    size_t count;
    struct quota_value **items = items_of(values, &count);
    for (size_t i = 0; i < count; i++) {
        memory_free(items[i]->namespace);
        memory_free(items[i]);
    }
    buffer_release(&values->items);
    hash_map_release(&values->by_namespace);
}

void quota_metrics_list(struct data_tree *tree, void (*row)(void *context, const char *name, int64_t value),
                        void *context)
{
    struct quota_values sets[SET_COUNT] = {0};
    collect_all(sets, tree);

    int32_t hashes[SET_COUNT];
    size_t order[SET_COUNT];
    for (int set = 0; set < SET_COUNT; set++)
        hashes[set] = string_java_hash(set_names[set], strlen(set_names[set]));
    java_map_order(hashes, SET_COUNT, order);
    for (int i = 0; i < SET_COUNT; i++)
        list_set(&sets[order[i]], set_names[order[i]], row, context);
    for (int set = 0; set < SET_COUNT; set++)
        release_set(&sets[set]);
}
