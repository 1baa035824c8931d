/*
 * data_node.c - a node, its stat in short or in full, and its children.
 *
 * Most nodes are made and then only read: their zxids are one, their times are one, all else in the stat is zero, and so
 * two numbers hold it. The first change that does not fit allocates the full one, which then stays.
 */
#include "server/tree/data_node.h"

#include <assert.h>
#include <string.h>

#include "common/base/strings.h"

#define FIRST_CHILDREN 8    /* new HashSet<>(8) */

static bool is_as_at_birth(const struct stat_persisted *stat)
{
    return stat->mzxid == stat->czxid && stat->pzxid == stat->czxid && stat->mtime == stat->ctime &&
           (stat->version | stat->cversion | stat->aversion) == 0 && stat->ephemeral_owner == 0;
}

static void drop_wire(struct child_set *children)
{
    blob_unref(children->wire);
    children->wire = NULL;
}

static size_t wire_size(const struct java_hash_set *names)
{
    size_t size = sizeof(int32_t);
    for (struct java_hash_link *at = java_hash_set_first(names); at != NULL; at = java_hash_set_after(names, at))
        size += sizeof(int32_t) + data_node_of_sibling(at)->name_size;
    return size;
}

static void write_wire(const struct java_hash_set *names, uint8_t *out)
{
    store_be32(out, names->count);
    out += sizeof(int32_t);
    for (struct java_hash_link *at = java_hash_set_first(names); at != NULL; at = java_hash_set_after(names, at)) {
        const struct data_node *child = data_node_of_sibling(at);
        store_be32(out, child->name_size);
        memcpy(out + sizeof(int32_t), child->name, child->name_size);
        out += sizeof(int32_t) + child->name_size;
    }
}

static int64_t count_chars(const struct java_hash_set *names)
{
    int64_t chars = 0;
    for (struct java_hash_link *at = java_hash_set_first(names); at != NULL; at = java_hash_set_after(names, at)) {
        const struct data_node *child = data_node_of_sibling(at);
        chars += (int64_t)string_java_length(child->name, child->name_size);
    }
    return chars;
}

struct data_node *data_node_new(struct data_node *parent, struct ustring name, struct blob *data, struct acl_list *acl,
                                const struct stat_persisted *stat)
{
    struct data_node *node = memory_alloc(sizeof(*node) + (size_t)name.size);
    *node = (struct data_node){
        .name_size = (uint32_t)name.size & INT32_MAX,
        .sibling.hash = string_java_hash(name.bytes, (size_t)name.size),
        .parent = parent,
        .data = data,
        .acl = acl,
    };
    if (name.size > 0)
        memcpy(node->name, name.bytes, (size_t)name.size);
    data_node_set_stat(node, stat);
    return node;
}

void data_node_free(struct data_node *node)
{
    if (node == NULL)
        return;
    if (node->children != NULL) {
        java_hash_set_release(&node->children->names);
        drop_wire(node->children);
        memory_free(node->children);
    }
    if (node->has_full_stat)
        memory_free(node->stat.full);
    blob_unref(node->data);
    memory_free(node);
}

struct stat_persisted data_node_stat(const struct data_node *node)
{
    if (node->has_full_stat)
        return *node->stat.full;
    int64_t zxid = node->stat.birth.zxid;
    int64_t time_ms = node->stat.birth.time_ms;
    return (struct stat_persisted){.czxid = zxid, .mzxid = zxid, .pzxid = zxid, .ctime = time_ms, .mtime = time_ms};
}

void data_node_set_stat(struct data_node *node, const struct stat_persisted *stat)
{
    if (!node->has_full_stat && is_as_at_birth(stat)) {
        node->stat.birth.zxid = stat->czxid;
        node->stat.birth.time_ms = stat->ctime;
        return;
    }
    if (!node->has_full_stat) {
        node->stat.full = MEMORY_NEW(struct stat_persisted);
        node->has_full_stat = 1;
    }
    *node->stat.full = *stat;
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

void data_node_add_child(struct data_node *parent, struct data_node *child)
{
    if (parent->children == NULL) {
        parent->children = MEMORY_NEW(struct child_set);
        java_hash_set_init(&parent->children->names, FIRST_CHILDREN);
    }
    java_hash_set_add(&parent->children->names, &child->sibling);
    drop_wire(parent->children);
}

void data_node_remove_child(struct data_node *parent, struct data_node *child)
{
    assert(parent->children != NULL);
    java_hash_set_remove(&parent->children->names, &child->sibling);
    drop_wire(parent->children);
}

struct blob *data_node_child_names(struct data_node *node, int64_t *ret_chars)
{
    struct child_set *children = node->children;
    if (children->wire == NULL) {
        size_t size = wire_size(&children->names);
        if (size > INT32_MAX)
            return NULL;
        children->wire = blob_new(size);
        write_wire(&children->names, children->wire->bytes);
        children->wire_chars = count_chars(&children->names);
    }
    *ret_chars = children->wire_chars;
    return blob_ref(children->wire);
}

void data_node_copy_child_names(const struct data_node *node, struct buffer *out)
{
    const struct child_set *children = node->children;
    if (children->wire != NULL)
        buffer_append(out, children->wire->bytes, children->wire->size);
    else
        write_wire(&children->names, buffer_extend(out, wire_size(&children->names)));
}

bool data_node_has_path(const struct data_node *node, struct ustring path)
{
    size_t left = (size_t)path.size;
    for (; node->parent != NULL; node = node->parent) {
        size_t size = node->name_size;
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
        size += at->name_size + 1;
    uint8_t *end = buffer_extend(out, size) + size;
    for (const struct data_node *at = node; at->parent != NULL; at = at->parent) {
        end -= at->name_size;
        memcpy(end, at->name, at->name_size);
        *--end = '/';
    }
}

struct data_node *data_node_walk(const struct data_node *top, const struct data_node *node)
{
    struct data_node *child = data_node_first_child(node);
    if (child != NULL)
        return child;
    for (; node != top; node = node->parent) {
        struct java_hash_link *after = java_hash_set_after(&node->parent->children->names, &node->sibling);
        if (after != NULL)
            return data_node_of_sibling(after);
    }
    return NULL;
}
