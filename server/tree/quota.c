/*
 * quota.c - the names of quota nodes, the text in them, and the trie of paths that have one.
 *
 * Mirrors Quotas, StatsTrack and common.PathTrie. In the trie a path is a chain of names; a node of it is marked when a
 * quota stands there. A deleted path loses its mark, and its node only if nothing hangs below it, as in Java. Most
 * servers have no quota at all, and then a search costs one load.
 */
#include "server/tree/quota.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <string.h>

#include "common/base/hash_map.h"
#include "common/base/memory.h"
#include "common/base/strings.h"
#include "common/thread/mutex.h"

/* ---- StatsTrack ---- */

struct text {
    const char *at;
    size_t size;
};

static bool is_separator(char c)
{
    return c == ',' || c == ';';
}

static struct text trim_separators(struct text text)
{
    while (text.size > 0 && is_separator(text.at[text.size - 1]))
        text.size--;
    return text;
}

/* Up to a run of separators, which is taken too. */
static struct text next_pair(struct text *rest)
{
    struct text pair = {rest->at, 0};
    while (pair.size < rest->size && !is_separator(pair.at[pair.size]))
        pair.size++;
    size_t taken = pair.size;
    while (taken < rest->size && is_separator(rest->at[taken]))
        taken++;
    *rest = (struct text){rest->at + taken, rest->size - taken};
    return pair;
}

/* Long.parseLong(). */
static bool parse_long(struct text text, int64_t *ret_value)
{
    char digits[32];
    if (text.size == 0 || text.size >= sizeof(digits))
        return false;
    memcpy(digits, text.at, text.size);
    digits[text.size] = '\0';
    return string_to_int64(digits, 10, ret_value);
}

static bool text_is(struct text text, const char *string)
{
    return text.size == strlen(string) && memcmp(text.at, string, text.size) == 0;
}

/* "key=value", where what follows a second '=' is ignored and an empty value is -1 if something follows it. */
static bool parse_pair(struct text pair, struct stats_track *track)
{
    while (pair.size > 0 && pair.at[pair.size - 1] == '=')
        pair.size--;
    const char *equals = pair.size > 0 ? memchr(pair.at, '=', pair.size) : NULL;
    if (equals == NULL)
        return false;
    struct text key = {pair.at, (size_t)(equals - pair.at)};
    struct text value = {equals + 1, pair.size - key.size - 1};
    const char *end = memchr(value.at, '=', value.size);
    if (end != NULL)
        value.size = (size_t)(end - value.at);
    int64_t number = -1;
    if (value.size > 0 && !parse_long(value, &number))
        return false;
    if (text_is(key, "count"))
        track->count = number;
    else if (text_is(key, "bytes"))
        track->bytes = number;
    else if (text_is(key, "countHardLimit"))
        track->count_hard_limit = number;
    else if (text_is(key, "byteHardLimit"))
        track->byte_hard_limit = number;
    return true;
}

/* ---- PathTrie ---- */

struct trie_node {
    struct hash_link link;    /* in the parent's children, by name */
    struct trie_node *parent;
    struct hash_map children;
    bool has_quota;
    size_t name_size;
    char name[];
};

struct path_trie {
    struct mutex lock;
    struct trie_node *root GUARDED_BY(lock);    /* never marked */
    _Atomic size_t marked;
};

static struct trie_node *trie_node_new(struct trie_node *parent, struct text name)
{
    struct trie_node *node = memory_alloc_zero(1, sizeof(*node) + name.size);
    node->parent = parent;
    node->name_size = name.size;
    if (name.size > 0)
        memcpy(node->name, name.at, name.size);
    if (parent != NULL)
        hash_map_insert(&parent->children, &node->link, hash_bytes(name.at, name.size));
    return node;
}

static struct trie_node *find_child(const struct trie_node *node, struct text name)
{
    struct hash_link *link = hash_map_find(&node->children, hash_bytes(name.at, name.size));
    for (; link != NULL; link = hash_map_find_next(link)) {
        struct trie_node *child = container_of(link, struct trie_node, link);
        if (child->name_size == name.size && memcmp(child->name, name.at, name.size) == 0)
            return child;
    }
    return NULL;
}

/* The next name that is not empty; false at the end. */
static bool next_name(struct text *rest, struct text *ret_name)
{
    while (rest->size > 0 && *rest->at == '/')
        *rest = (struct text){rest->at + 1, rest->size - 1};
    if (rest->size == 0)
        return false;
    const char *slash = memchr(rest->at, '/', rest->size);
    size_t size = slash == NULL ? rest->size : (size_t)(slash - rest->at);
    *ret_name = (struct text){rest->at, size};
    *rest = (struct text){rest->at + size, rest->size - size};
    return true;
}

static struct text text_of(struct ustring path)
{
    return (struct text){path.bytes, path.size > 0 ? (size_t)path.size : 0};
}

static struct trie_node *find_node(struct trie_node *root, struct ustring path)
{
    struct text rest = text_of(path);
    struct text name;
    struct trie_node *node = root;
    while (node != NULL && next_name(&rest, &name))
        node = find_child(node, name);
    return node;
}

static void mark(struct path_trie *trie, struct trie_node *node, bool has_quota)
{
    if (node->has_quota == has_quota)
        return;
    node->has_quota = has_quota;
    if (has_quota)
        atomic_fetch_add(&trie->marked, 1);
    else
        atomic_fetch_sub(&trie->marked, 1);
}

static void trie_node_free(struct trie_node *node)
{
    hash_map_release(&node->children);
    memory_free(node);
}

/* All below the root, leaves first. */
static void free_below(struct trie_node *root)
{
    struct trie_node *node = root;
    for (;;) {
        struct hash_link *link = hash_map_first(&node->children);
        if (link != NULL) {
            node = container_of(link, struct trie_node, link);
            continue;
        }
        if (node == root)
            return;
        struct trie_node *parent = node->parent;
        hash_map_remove(&parent->children, &node->link);
        trie_node_free(node);
        node = parent;
    }
}

/* ---- public ---- */

static void append_path(struct buffer *out, struct ustring path, const char *name)
{
    buffer_append_string(out, QUOTA_ROOT);
    if (path.size > 0)
        buffer_append(out, path.bytes, (size_t)path.size);
    buffer_append_byte(out, '/');
    buffer_append_string(out, name);
}

void quota_limit_path(struct ustring path, struct buffer *out)
{
    append_path(out, path, QUOTA_LIMIT_NODE);
}

void quota_stat_path(struct ustring path, struct buffer *out)
{
    append_path(out, path, QUOTA_STAT_NODE);
}

struct ustring quota_trim_path(struct ustring quota_path)
{
    int32_t prefix = (int32_t)strlen(QUOTA_ROOT);
    if (quota_path.size < prefix)
        return (struct ustring){quota_path.bytes, 0};
    return (struct ustring){quota_path.bytes + prefix, quota_path.size - prefix};
}

bool stats_track_parse(const uint8_t *bytes, size_t size, struct stats_track *ret_track)
{
    struct stats_track track = {-1, -1, -1, -1};
    struct text rest = trim_separators((struct text){(const char *)bytes, size});
    while (rest.size > 0) {
        struct text pair = next_pair(&rest);
        if (!parse_pair(pair, &track))
            return false;
    }
    *ret_track = track;
    return true;
}

void stats_track_print(const struct stats_track *track, struct buffer *out)
{
    buffer_printf(out, "count=%" PRId64 ",bytes=%" PRId64, track->count, track->bytes);
    if (track->byte_hard_limit == -1 && track->count_hard_limit == -1)
        return;
    buffer_append_byte(out, '=');
    if (track->byte_hard_limit != -1)
        buffer_printf(out, ";byteHardLimit=%" PRId64, track->byte_hard_limit);
    if (track->count_hard_limit != -1)
        buffer_printf(out, ";countHardLimit=%" PRId64, track->count_hard_limit);
}

struct path_trie *path_trie_new(void)
{
    struct path_trie *trie = MEMORY_NEW(struct path_trie);
    mutex_init(&trie->lock);
    trie->root = trie_node_new(NULL, (struct text){NULL, 0});
    return trie;
}

void path_trie_free(struct path_trie *trie)
{
    if (trie == NULL)
        return;
    path_trie_clear(trie);
    mutex_lock(&trie->lock);
    trie_node_free(trie->root);
    mutex_unlock(&trie->lock);
    mutex_release(&trie->lock);
    memory_free(trie);
}

void path_trie_add(struct path_trie *trie, struct ustring path)
{
    mutex_lock(&trie->lock);
    struct text rest = text_of(path);
    struct text name;
    struct trie_node *node = trie->root;
    while (next_name(&rest, &name)) {
        struct trie_node *child = find_child(node, name);
        node = child != NULL ? child : trie_node_new(node, name);
    }
    if (node != trie->root)
        mark(trie, node, true);
    mutex_unlock(&trie->lock);
}

void path_trie_delete(struct path_trie *trie, struct ustring path)
{
    mutex_lock(&trie->lock);
    struct trie_node *node = find_node(trie->root, path);
    if (node != NULL && node != trie->root) {
        mark(trie, node, false);
        if (node->children.count == 0) {
            hash_map_remove(&node->parent->children, &node->link);
            trie_node_free(node);
        }
    }
    mutex_unlock(&trie->lock);
}

bool path_trie_exists(struct path_trie *trie, struct ustring path)
{
    mutex_lock(&trie->lock);
    bool exists = find_node(trie->root, path) != NULL;
    mutex_unlock(&trie->lock);
    return exists;
}

size_t path_trie_find_max_prefix(struct path_trie *trie, struct ustring path)
{
    if (atomic_load(&trie->marked) == 0)
        return 0;
    mutex_lock(&trie->lock);
    size_t longest = 0;
    struct text rest = text_of(path);
    struct text name;
    struct trie_node *node = trie->root;
    while (next_name(&rest, &name) && (node = find_child(node, name)) != NULL)
        if (node->has_quota)
            longest = (size_t)(name.at + name.size - path.bytes);
    mutex_unlock(&trie->lock);
    return longest;
}

void path_trie_clear(struct path_trie *trie)
{
    mutex_lock(&trie->lock);
    free_below(trie->root);
    atomic_store(&trie->marked, 0);
    mutex_unlock(&trie->lock);
}
