/*
 * cli_walk.c - a walk through a subtree that keeps the server busy.
 *
 * A stack holds what is still to be visited, the next on top. Of the top of it up to WINDOW nodes are asked for ahead;
 * the library's thread files the answers, and the main thread waits only when that of the very next node is missing.
 */
#include "client/cli/cli_walk.h"

#include <stdlib.h>
#include <string.h>

#include "client/cli/cli_acl.h"
#include "client/cli/cli_path.h"
#include "common/base/memory.h"
#include "common/base/strings.h"

#define WINDOW ((size_t)64)

struct walk;
struct pending_node {
    struct walk *walk;
    char *path;
    size_t name_at;
    int depth;
    bool is_last, is_asked;
    int missing;                 /* GUARDED_BY(walk->lock) answers that did not come yet */
    int rc;
    struct Stat stat;
    struct words children;
    struct buffer data;
    int32_t data_size;
    struct ACL_vector acl;
};
struct walk {
    struct cli *cli;
    int flags;
    struct pending_node **stack;
    size_t count, capacity;
    struct mutex lock;
    struct condition answered;
    size_t outstanding;          /* GUARDED_BY(lock) answers that are still to come, of all nodes */
};

static int compare_names(const void *a, const void *b)
{
    const char *left = *(const char *const *)a, *right = *(const char *const *)b;
    return string_java_compare(left, strlen(left), right, strlen(right));
}

void walk_sort_names(char **names, size_t count)
{
    if (count > 1)
        qsort(names, count, sizeof(*names), compare_names);
}

static void node_free(struct pending_node *node)
{
    memory_free(node->path);
    words_release(&node->children);
    buffer_release(&node->data);
    acl_list_release(&node->acl);
    memory_free(node);
}

static void push(struct walk *walk, char *path, size_t name_at, int depth, bool is_last)
{
    if (walk->count == walk->capacity) {
        walk->capacity = walk->capacity == 0 ? WINDOW : walk->capacity * 2;
        walk->stack = memory_realloc(walk->stack, walk->capacity * sizeof(*walk->stack));
    }
    struct pending_node *node = MEMORY_NEW(struct pending_node);
    *node = (struct pending_node){.walk = walk, .path = path, .name_at = name_at, .depth = depth, .is_last = is_last,
                                  .data_size = -1};
    walk->stack[walk->count++] = node;
}

/* ---- thread: the library's ---- */

static void answered(struct pending_node *node, int rc)
{
    struct walk *walk = node->walk;
    mutex_lock(&walk->lock);
    if (rc != ZOK && node->rc == ZOK)
        node->rc = rc;
    node->missing--;
    walk->outstanding--;
    condition_signal(&walk->answered);
    mutex_unlock(&walk->lock);
}

static void children_came(int rc, const struct String_vector *strings, const struct Stat *stat, const void *data)
{
    struct pending_node *node = (struct pending_node *)data;
    if (rc == ZOK) {
        node->stat = *stat;
        for (int32_t i = 0; i < strings->count; i++)
            words_add(&node->children, strings->data[i], strlen(strings->data[i]));
        walk_sort_names(node->children.items, node->children.count);
    }
    answered(node, rc);
}

static void data_came(int rc, const char *value, int size, const struct Stat *stat, const void *data)
{
    struct pending_node *node = (struct pending_node *)data;
    (void)stat;
    if (rc == ZOK) {
        node->data_size = size;
        if (size > 0)
            buffer_append(&node->data, value, (size_t)size);
    }
    answered(node, rc);
}

static void acl_came(int rc, struct ACL_vector *acl, struct Stat *stat, const void *data)
{
    struct pending_node *node = (struct pending_node *)data;
    (void)stat;
    for (int32_t i = 0; rc == ZOK && i < acl->count; i++)
        acl_list_add(&node->acl, acl->data[i].id.scheme, acl->data[i].id.id, acl->data[i].perms);
    answered(node, rc);
}

/* ---- main thread ---- */

static void expect_answer(struct pending_node *node)
{
    mutex_lock(&node->walk->lock);
    node->missing++;
    node->walk->outstanding++;
    mutex_unlock(&node->walk->lock);
}

static void ask(struct walk *walk, struct pending_node *node)
{
    zhandle_t *handle = walk->cli->session.handle;
    node->is_asked = true;
    expect_answer(node);
    int rc = zoo_aget_children2(handle, node->path, (walk->flags & WALK_WATCH) != 0, children_came, node);
    if (rc != ZOK)
        answered(node, rc);
    if ((walk->flags & WALK_DATA) != 0) {
        expect_answer(node);
        rc = zoo_aget(handle, node->path, 0, data_came, node);
        if (rc != ZOK)
            answered(node, rc);
    }
    if ((walk->flags & WALK_ACL) != 0) {
        expect_answer(node);
        rc = zoo_aget_acl(handle, node->path, acl_came, node);
        if (rc != ZOK)
            answered(node, rc);
    }
}

static struct pending_node *take_next(struct walk *walk)
{
    for (size_t i = 0; i < walk->count && i < WINDOW; i++) {
        struct pending_node *node = walk->stack[walk->count - 1 - i];
        if (!node->is_asked)
            ask(walk, node);
    }
    struct pending_node *next = walk->stack[--walk->count];
    mutex_lock(&walk->lock);
    while (next->missing > 0)
        condition_wait(&walk->answered, &walk->lock);
    mutex_unlock(&walk->lock);
    return next;
}

static int visit_node(struct walk *walk, const struct pending_node *node, walk_visit visit, void *context)
{
    (void)walk;
    struct walk_node shown = {
        .path = node->path, .name = node->path + node->name_at, .depth = node->depth, .is_last = node->is_last,
        .rc = node->rc, .stat = node->stat, .children = (const char *const *)node->children.items,
        .child_count = node->children.count, .data = (const char *)node->data.bytes, .data_size = node->data_size,
        .acl = &node->acl,
    };
    return visit(context, &shown);
}

static void push_children(struct walk *walk, const struct pending_node *node)
{
    for (size_t i = node->children.count; i > 0; i--) {
        char *path = cli_path_join(node->path, node->children.items[i - 1]);
        push(walk, path, strlen(path) - strlen(node->children.items[i - 1]), node->depth + 1,
             i == node->children.count);
    }
}

int walk_subtree(struct cli *cli, const char *path, int flags, walk_visit visit, void *context)
{
    struct walk walk = {.cli = cli, .flags = flags};
    mutex_init(&walk.lock);
    condition_init(&walk.answered);
    push(&walk, string_copy(path), 0, 0, true);
    int rc = ZOK;
    while (walk.count > 0 && rc == ZOK) {
        struct pending_node *node = take_next(&walk);
        rc = interrupt_was_asked(&cli->interrupt) ? ZCLOSING : visit_node(&walk, node, visit, context);
        if (rc == ZOK && node->rc == ZOK)
            push_children(&walk, node);
        if (rc == WALK_SKIP)
            rc = ZOK;
        node_free(node);
    }
    mutex_lock(&walk.lock);
    while (walk.outstanding > 0)
        condition_wait(&walk.answered, &walk.lock);
    mutex_unlock(&walk.lock);
    while (walk.count > 0)
        node_free(walk.stack[--walk.count]);
    memory_free(walk.stack);
    condition_release(&walk.answered);
    mutex_release(&walk.lock);
    return rc;
}
