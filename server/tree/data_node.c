/*
 * data_node.c - a node as it was made, what changed since, and its children.
 *
 * Most nodes are made and then only read: two numbers hold their stat. The first change that does not fit makes the
 * second block, which then stays.
 */
#include "server/tree/data_node.h"

#include <assert.h>
#include <string.h>

#include "common/base/strings.h"

#define FIRST_CHILDREN 8      /* new HashSet<>(8) */
#define BUCKETS_A_PART 128    /* with less than an element each in a table that has only grown */
#define LARGEST_CTIME (INT64_C(1) << 46)

/* Whether the first block alone can say it. */
static bool is_as_at_birth(const struct stat_persisted *stat)
{
    return stat->mzxid == stat->czxid && stat->pzxid == stat->czxid && stat->mtime == stat->ctime &&
           (stat->version | stat->cversion | stat->aversion) == 0 && stat->ephemeral_owner == 0 && stat->ctime >= 0 &&
           stat->ctime <= LARGEST_CTIME;
}

static void make_changes(struct data_node *node, uint32_t name_size)
{
    struct stat_persisted stat = data_node_stat(node);
    node->changes = MEMORY_NEW(struct node_changes);
    *node->changes = (struct node_changes){
        .mzxid = stat.mzxid,
        .pzxid = stat.pzxid,
        .ctime = stat.ctime,
        .mtime = stat.mtime,
        .name_size = name_size,
    };
    java_hash_set_init(&node->changes->children, FIRST_CHILDREN);
}

static void drop_wire(struct data_node *node)
{
    blob_unref(node->changes->wire);
    node->changes->wire = NULL;
}

/* A name as jute has it: its size before it. */
static size_t name_wire_size(const struct data_node *node)
{
    return sizeof(int32_t) + data_node_name_size(node);
}

/* Returns where the next one goes. */
static uint8_t *write_name(const struct data_node *node, uint8_t *out)
{
    uint32_t size = data_node_name_size(node);
    store_be32(out, size);
    memcpy(out + sizeof(int32_t), node->name, size);
    return out + sizeof(int32_t) + size;
}

static size_t wire_size(const struct data_node *node)
{
    size_t size = sizeof(int32_t);
    for (struct data_node *at = data_node_first_child(node); at != NULL; at = data_node_next_sibling(at))
        size += name_wire_size(at);
    return size;
}

static void write_wire(const struct data_node *node, uint8_t *out)
{
    store_be32(out, data_node_child_count(node));
    out += sizeof(int32_t);
    for (struct data_node *at = data_node_first_child(node); at != NULL; at = data_node_next_sibling(at))
        out = write_name(at, out);
}

static int64_t count_chars(const struct data_node *node)
{
    int64_t chars = 0;
    for (struct data_node *at = data_node_first_child(node); at != NULL; at = data_node_next_sibling(at))
        chars += (int64_t)string_java_length(at->name, data_node_name_size(at));
    return chars;
}

struct data_node *data_node_new(struct data_node *parent, struct ustring name, struct blob *data, struct acl_list *acl,
                                const struct stat_persisted *stat)
{
    size_t size = (size_t)name.size;
    struct data_node *node = memory_alloc_zero(1, sizeof(*node) + size);
    node->sibling.hash = string_java_hash(name.bytes, size);
    node->parent = parent;
    node->data = data;
    node->acl = acl;
    node->czxid = stat->czxid;
    /* In one store, or the next read of the word would wait until both halves are in the cache. */
    uint64_t ctime = stat->ctime >= 0 && stat->ctime <= LARGEST_CTIME ? (uint64_t)stat->ctime : 0;
    node->ctime_and_name_size = ctime << 16 | (size < NAME_IS_LONG ? size : NAME_IS_LONG);
    if (size > 0)
        memcpy(node->name, name.bytes, size);
    if (size >= NAME_IS_LONG || !is_as_at_birth(stat)) {
        make_changes(node, (uint32_t)size);
        node->changes->ctime = stat->ctime;
        data_node_set_stat(node, stat);
    }
    return node;
}

void data_node_free(struct data_node *node)
{
    if (node == NULL)
        return;
    if (node->changes != NULL) {
        java_hash_set_release(&node->changes->children);
        drop_wire(node);
        memory_free(node->changes);
    }
    blob_unref(node->data);
    memory_free(node);
}

struct stat_persisted data_node_stat(const struct data_node *node)
{
    const struct node_changes *changes = node->changes;
    int64_t zxid = node->czxid;
    int64_t time_ms = (int64_t)(node->ctime_and_name_size >> 16);
    if (changes == NULL)
        return (struct stat_persisted){.czxid = zxid, .mzxid = zxid, .pzxid = zxid, .ctime = time_ms, .mtime = time_ms};
    return (struct stat_persisted){
        .czxid = zxid,
        .mzxid = changes->mzxid,
        .ctime = changes->ctime,
        .mtime = changes->mtime,
        .version = changes->version,
        .cversion = changes->cversion,
        .aversion = changes->aversion,
        .ephemeral_owner = changes->ephemeral_owner,
        .pzxid = changes->pzxid,
    };
}

void data_node_set_stat(struct data_node *node, const struct stat_persisted *stat)
{
    assert(stat->czxid == node->czxid);
    if (node->changes == NULL) {
        if (is_as_at_birth(stat))
            return;
        make_changes(node, data_node_name_size(node));
    }
    struct node_changes *changes = node->changes;
    assert(stat->ctime == changes->ctime);
    changes->mzxid = stat->mzxid;
    changes->pzxid = stat->pzxid;
    changes->mtime = stat->mtime;
    changes->ephemeral_owner = stat->ephemeral_owner;
    changes->version = stat->version;
    changes->cversion = stat->cversion;
    changes->aversion = stat->aversion;
}

void data_node_client_stat(const struct data_node *node, const struct ephemeral_rules *rules, struct zk_stat *ret_stat)
{
    struct stat_persisted stat = data_node_stat(node);
    uint32_t children = data_node_child_count(node);
    bool is_session = ephemeral_type_get(rules, stat.ephemeral_owner, NULL) == EPHEMERAL_NORMAL;
    *ret_stat = (struct zk_stat){
        .czxid = stat.czxid,
        .mzxid = stat.mzxid,
        .ctime = stat.ctime,
        .mtime = stat.mtime,
        .version = stat.version,
        /* Every create counted once; shown is every change, and all children but those left were deleted too. */
        .cversion = (int32_t)((uint32_t)stat.cversion * 2 - children),
        .aversion = stat.aversion,
        .ephemeral_owner = is_session ? stat.ephemeral_owner : 0,
        .data_length = (int32_t)data_node_data(node).size,
        .num_children = (int32_t)children,
        .pzxid = stat.pzxid,
    };
}

static int compare_names(const struct java_hash_link *a, const struct java_hash_link *b)
{
    const struct data_node *node = container_of(a, const struct data_node, sibling);
    const struct data_node *other = container_of(b, const struct data_node, sibling);
    return string_java_compare(node->name, data_node_name_size(node), other->name, data_node_name_size(other));
}

void data_node_add_child(struct data_node *parent, struct data_node *child)
{
    if (parent->changes == NULL)
        make_changes(parent, data_node_name_size(parent));
    java_hash_set_add(&parent->changes->children, &child->sibling, compare_names);
    drop_wire(parent);
}

void data_node_remove_child(struct data_node *parent, struct data_node *child)
{
    assert(parent->changes != NULL);
    java_hash_set_remove(&parent->changes->children, &child->sibling);
    drop_wire(parent);
}

struct blob *data_node_child_names(struct data_node *node, int64_t *ret_chars)
{
    struct node_changes *changes = node->changes;
    if (changes->wire == NULL) {
        size_t size = wire_size(node);
        if (size > INT32_MAX)
            return NULL;
        changes->wire = blob_new(size);
        write_wire(node, changes->wire->bytes);
        changes->wire_chars = count_chars(node);
    }
    *ret_chars = changes->wire_chars;
    return blob_ref(changes->wire);
}

static void copy_name(struct java_hash_link *link, void *arg)
{
    const struct data_node *child = data_node_of_sibling(link);
    write_name(child, buffer_extend(arg, name_wire_size(child)));
}

bool data_node_copy_child_names(const struct data_node *node, struct java_hash_cursor *cursor, struct buffer *out)
{
    if (node->changes == NULL)
        return false;
    for (int i = 0; i < BUCKETS_A_PART; i++)
        if (!java_hash_set_visit_next(&node->changes->children, cursor, copy_name, out))
            return false;
    return true;
}

bool data_node_has_path(const struct data_node *node, struct ustring path)
{
    size_t left = (size_t)path.size;
    for (; node->parent != NULL; node = node->parent) {
        size_t size = data_node_name_size(node);
        if (left < size + 1 || memcmp(path.bytes + left - size, node->name, size) != 0 ||
            path.bytes[left - size - 1] != '/')
            return false;
        left -= size + 1;
    }
    return left == 0;
}

void data_node_append_path(const struct data_node *node, struct buffer *out)
{
    size_t size = 0;
    for (const struct data_node *at = node; at->parent != NULL; at = at->parent)
        size += data_node_name_size(at) + 1;
    uint8_t *end = buffer_extend(out, size) + size;
    for (const struct data_node *at = node; at->parent != NULL; at = at->parent) {
        size_t name_size = data_node_name_size(at);
        end -= name_size;
        memcpy(end, at->name, name_size);
        *--end = '/';
    }
}

struct data_node *data_node_walk(const struct data_node *top, const struct data_node *node)
{
    struct data_node *child = data_node_first_child(node);
    if (child != NULL)
        return child;
    for (; node != top; node = node->parent) {
        struct data_node *sibling = data_node_next_sibling(node);
        if (sibling != NULL)
            return sibling;
    }
    return NULL;
}
