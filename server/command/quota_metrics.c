/*
 * quota_metrics.c - walks the leaves below /zookeeper/quota and sums them up by namespace. Mirrors
 * org.apache.zookeeper.server.util.QuotaMetricsUtils.
 *
 * The walk keeps its own stack, as the tree may be as deep as clients like.
 */
#include "server/command/quota_metrics.h"

#include <string.h>

#include "common/base/hash_map.h"
#include "common/base/memory.h"
#include "common/base/strings.h"
#include "server/metric/java_map_order.h"
#include "server/tree/quota.h"

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

struct walk {
    struct data_tree *tree;
    struct buffer paths;    /* char *, still to be visited, the next one last */
    struct quota_values sets[SET_COUNT];
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

/* A leaf of the quota tree: a limit, or a usage, or neither. */
static void collect(struct walk *walk, const char *path)
{
    bool is_limit = string_ends_with(path, "/" QUOTA_LIMIT_NODE), is_usage = string_ends_with(path, "/" QUOTA_STAT_NODE);
    struct ustring quota_path = quota_trim_path(ustring_of(path));
    struct zk_stat stat;
    struct blob *data = NULL;
    struct stats_track track;
    if ((!is_limit && !is_usage) || quota_path.size < 2
        || data_tree_get_data(walk->tree, ustring_of(path), NULL, NULL, &stat, &data) != ZK_OK || data == NULL)
        return;
    const char *namespace = quota_path.bytes + 1;    /* behind the first '/', up to the next */
    size_t size = strcspn(namespace, "/");
    if (stats_track_parse(data->bytes, data->size, &track)) {
        add_value(&walk->sets[is_limit ? COUNT_LIMIT : COUNT_USAGE], namespace, size,
                  is_limit ? limit_of(track.count_hard_limit, track.count) : track.count);
        add_value(&walk->sets[is_limit ? BYTES_LIMIT : BYTES_USAGE], namespace, size,
                  is_limit ? limit_of(track.byte_hard_limit, track.bytes) : track.bytes);
    }
    blob_unref(data);
}

static void push(struct walk *walk, char *path)
{
    buffer_append(&walk->paths, &path, sizeof(path));
}

static char *pop(struct walk *walk)
{
    char *path;
    walk->paths.size -= sizeof(path);
    memcpy(&path, walk->paths.bytes + walk->paths.size, sizeof(path));
    return path;
}

/* Its children are to be visited next, the first one first; a node without any is a leaf. */
static void visit(struct walk *walk, const char *path)
{
    struct zk_stat stat;
    struct blob *children = NULL;
    if (data_tree_get_children(walk->tree, ustring_of(path), NULL, NULL, &stat, &children) != ZK_OK)
        return;
    struct arena arena;
    struct jute_reader reader;
    arena_init(&arena, NULL, 0);
    jute_reader_init(&reader, children->bytes, children->size, &arena);
    struct ustring_vector names = jute_read_ustring_vector(&reader);
    if (names.count <= 0)
        collect(walk, path);
    for (int32_t i = names.count; i-- > 0;)
        push(walk, string_format("%s/%.*s", path, (int)names.items[i].size, names.items[i].bytes));
    arena_release(&arena);
    blob_unref(children);
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
    struct walk walk = {.tree = tree};
    push(&walk, string_copy(QUOTA_ROOT));
    while (walk.paths.size > 0) {
        char *path = pop(&walk);
        visit(&walk, path);
        memory_free(path);
    }

    int32_t hashes[SET_COUNT];
    size_t order[SET_COUNT];
    for (int set = 0; set < SET_COUNT; set++)
        hashes[set] = string_java_hash(set_names[set], strlen(set_names[set]));
    java_map_order(hashes, SET_COUNT, order);
    for (int i = 0; i < SET_COUNT; i++)
        list_set(&walk.sets[order[i]], set_names[order[i]], row, context);
    for (int set = 0; set < SET_COUNT; set++)
        release_set(&walk.sets[set]);
    buffer_release(&walk.paths);
}
