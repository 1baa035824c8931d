/* tree_walk.c - pre-order with a stack of its own: one frame a level, holding some of the names still to be visited. */
#include "server/tree/tree_walk.h"

#include <assert.h>

static void push(struct tree_walk *walk, const struct walk_frame *frame)
{
    if (walk->depth == walk->capacity) {
        walk->capacity = walk->capacity > 0 ? 2 * walk->capacity : 16;
        walk->frames = memory_realloc(walk->frames, walk->capacity * sizeof(walk->frames[0]));
    }
    walk->frames[walk->depth++] = *frame;
}

static struct ustring path_of(const struct tree_walk *walk)
{
    assert(walk->path.size <= INT32_MAX);
    return (struct ustring){(const char *)walk->path.bytes, (int32_t)walk->path.size};
}

/* Makes the walk's path that of the child whose name stands at `at`; returns what the name takes there. */
static size_t put_name(struct tree_walk *walk, const struct walk_frame *frame, size_t at)
{
    uint32_t size = load_be32(frame->names.bytes + at);
    walk->path.size = frame->path_size;
    buffer_append_byte(&walk->path, '/');
    buffer_append(&walk->path, frame->names.bytes + at + sizeof(int32_t), size);
    return sizeof(int32_t) + size;
}

static void copy_names(const struct data_node *node, struct walk_frame *frame)
{
    buffer_clear(&frame->names);
    frame->at = 0;
    frame->has_more = data_node_copy_child_names(node, &frame->cursor, &frame->names);
}

/*
 * The frame's nodes will be asked for one after the other, and in a large tree each stands at a place of its own far
 * away: asked for together their places come together.
 */
static void prefetch_names(struct tree_walk *walk, const struct walk_frame *frame)
{
    struct node_table *nodes = &walk->tree->nodes;
    for (size_t at = 0; at < frame->names.size;) {
        at += put_name(walk, frame, at);
        struct node_key key = node_table_key(nodes, path_of(walk));
        node_table_lock(nodes, key);
        node_table_prefetch(nodes, key);
        node_table_unlock(nodes, key);
    }
    walk->path.size = frame->path_size;
}

/* More names of the node at the walk's path; none when it is gone. */
static void refill(struct tree_walk *walk, struct walk_frame *frame)
{
    struct data_tree *tree = walk->tree;
    struct ustring path = path_of(walk);
    struct node_key key = node_table_key(&tree->nodes, path);
    node_table_lock(&tree->nodes, key);
    struct data_node *node = node_table_find(&tree->nodes, key, path);
    frame->has_more = false;
    if (node != NULL)
        copy_names(node, frame);
    node_table_unlock(&tree->nodes, key);
}

/* Goes to the next child that is still to be visited; false when there is none. */
static bool step(struct tree_walk *walk)
{
    while (walk->depth > 0) {
        struct walk_frame *frame = &walk->frames[walk->depth - 1];
        walk->path.size = frame->path_size;
        if (frame->at < frame->names.size) {
            if (frame->at == 0)
                prefetch_names(walk, frame);
            frame->at += put_name(walk, frame, frame->at);
            return true;
        }
        if (frame->has_more) {
            refill(walk, frame);
            continue;
        }
        buffer_release(&frame->names);
        walk->depth--;
    }
    return false;
}

/* The node at the walk's path, with its children on the stack; false if it is gone. */
static bool visit(struct tree_walk *walk, struct node_copy *ret_copy)
{
    struct data_tree *tree = walk->tree;
    struct ustring path = path_of(walk);
    struct node_key key = node_table_key(&tree->nodes, path);
    struct walk_frame children = {.path_size = walk->path.size};
    node_table_lock(&tree->nodes, key);
    struct data_node *node = node_table_find(&tree->nodes, key, path);
    if (node != NULL) {
        *ret_copy = (struct node_copy){path, data_node_stat(node), node->data, node->acl->id};
        if (node->data != NULL)
            blob_ref(node->data);
        if (data_node_child_count(node) > 0)
            copy_names(node, &children);
    }
    node_table_unlock(&tree->nodes, key);
    if (children.names.size > 0 || children.has_more)
        push(walk, &children);
    return node != NULL;
}

void tree_walk_init(struct tree_walk *walk, struct data_tree *tree, struct ustring top)
{
    *walk = (struct tree_walk){.tree = tree};
    struct ustring path = node_table_path(top);
    buffer_append(&walk->path, path.bytes, path.size > 0 ? (size_t)path.size : 0);
}

void tree_walk_release(struct tree_walk *walk)
{
    while (walk->depth > 0)
        buffer_release(&walk->frames[--walk->depth].names);
    memory_free(walk->frames);
    buffer_release(&walk->path);
}

bool tree_walk_next(struct tree_walk *walk, struct node_copy *ret_copy)
{
    if (!walk->has_started) {
        walk->has_started = true;
        return visit(walk, ret_copy);
    }
    while (step(walk))
        if (visit(walk, ret_copy))
            return true;
    return false;
}

void node_copy_release(struct node_copy *copy)
{
    blob_unref(copy->data);
    copy->data = NULL;
}
