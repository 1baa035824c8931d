/*
 * java_tree_bin.c - the red-black tree of a crowded bucket, kept for the order that it gives.
 *
 * Mirrors HashMap.TreeNode of JDK 17. The shape of the tree decides where the next element goes, so insertion, removal
 * and both balancings take Java's cases in Java's order:
 * (1) elements are compared by spread hash, then as strings;
 * (2) a removed element with two children changes places with the next larger one first;
 * (3) after every change the root is moved to the front of the order, its neighbours closing up behind it.
 */
#include "server/tree/java_tree_bin.h"

#include <assert.h>

#include "common/base/memory.h"

struct tree_node {
    struct java_hash_link *link;
    struct tree_node *parent, *child[2];
    struct tree_node *prev, *next;
    bool is_red;
};
enum { LEFT, RIGHT };

struct java_tree_bin {
    struct tree_node *first, *root;
};

static int32_t spread(int32_t hash)
{
    return (int32_t)((uint32_t)hash ^ (uint32_t)hash >> 16);
}

/* Which child of `at` to go to for the element. */
static int direction(const struct java_hash_link *link, const struct tree_node *at, java_hash_compare *compare)
{
    int32_t hash = spread(link->hash), other = spread(at->link->hash);
    if (hash != other)
        return hash < other ? LEFT : RIGHT;
    return compare(link, at->link) <= 0 ? LEFT : RIGHT;
}

static int side_of(const struct tree_node *node)
{
    return node->parent->child[RIGHT] == node ? RIGHT : LEFT;
}

static bool is_red(const struct tree_node *node)
{
    return node != NULL && node->is_red;
}

/* Puts `next` behind `node` in the order; NULL for `node`: at its front. */
static void follow(struct java_tree_bin *bin, struct tree_node *node, struct tree_node *next)
{
    if (next != NULL)
        next->prev = node;
    if (node == NULL) {
        bin->first = next;
        return;
    }
    node->next = next;
    node->link->next = next != NULL ? next->link : NULL;
}

static void move_root_to_front(struct java_tree_bin *bin)
{
    struct tree_node *root = bin->root, *first = bin->first;
    if (root == first)
        return;
    follow(bin, root->prev, root->next);
    follow(bin, root, first);
    follow(bin, NULL, root);
}

/* `node` takes the place of `old` under old's parent; NULL leaves it empty. */
static void replace(struct java_tree_bin *bin, struct tree_node *old, struct tree_node *node)
{
    struct tree_node *parent = old->parent;
    if (parent == NULL)
        bin->root = node;
    else
        parent->child[side_of(old)] = node;
    if (node != NULL)
        node->parent = parent;
}

/* The node goes down to the given side, its child of the other side comes up; nothing without such a child. */
static void rotate(struct java_tree_bin *bin, struct tree_node *node, int side)
{
    struct tree_node *up = node != NULL ? node->child[!side] : NULL;
    if (up == NULL)
        return;
    node->child[!side] = up->child[side];
    if (up->child[side] != NULL)
        up->child[side]->parent = node;
    replace(bin, node, up);
    if (up->parent == NULL)
        up->is_red = false;
    up->child[side] = node;
    node->parent = up;
}

static void balance_insertion(struct java_tree_bin *bin, struct tree_node *node)
{
    node->is_red = true;
    for (;;) {
        struct tree_node *parent = node->parent;
        if (parent == NULL) {
            node->is_red = false;
            return;
        }
        struct tree_node *grand = parent->parent;
        if (!parent->is_red || grand == NULL)
            return;
        int side = side_of(parent);
        struct tree_node *uncle = grand->child[!side];
        if (is_red(uncle)) {
            uncle->is_red = false;
            parent->is_red = false;
            grand->is_red = true;
            node = grand;
            continue;
        }
        if (side_of(node) != side) {
            node = parent;
            rotate(bin, node, side);
            parent = node->parent;
            grand = parent != NULL ? parent->parent : NULL;
        }
        if (parent != NULL) {
            parent->is_red = false;
            if (grand != NULL) {
                grand->is_red = true;
                rotate(bin, grand, !side);
            }
        }
    }
}

static void balance_deletion(struct java_tree_bin *bin, struct tree_node *node)
{
    while (node != NULL && node != bin->root) {
        struct tree_node *parent = node->parent;
        if (node->is_red) {
            node->is_red = false;
            return;
        }
        int side = parent->child[LEFT] == node ? LEFT : RIGHT;
        struct tree_node *sibling = parent->child[!side];
        if (is_red(sibling)) {
            sibling->is_red = false;
            parent->is_red = true;
            rotate(bin, parent, side);
            parent = node->parent;
            sibling = parent != NULL ? parent->child[!side] : NULL;
        }
        if (sibling == NULL) {
            node = parent;
            continue;
        }
        struct tree_node *near = sibling->child[side], *far = sibling->child[!side];
        if (!is_red(near) && !is_red(far)) {
            sibling->is_red = true;
            node = parent;
            continue;
        }
        if (!is_red(far)) {
            near->is_red = false;
            sibling->is_red = true;
            rotate(bin, sibling, !side);
            parent = node->parent;
            sibling = parent != NULL ? parent->child[!side] : NULL;
        }
        if (sibling != NULL) {
            sibling->is_red = parent->is_red;
            if (sibling->child[!side] != NULL)
                sibling->child[!side]->is_red = false;
        }
        if (parent != NULL) {
            parent->is_red = false;
            rotate(bin, parent, side);
        }
        return;
    }
}

/* Hangs the node where it belongs; its place in the order is the caller's. Returns the parent. */
static struct tree_node *hang(struct java_tree_bin *bin, struct tree_node *node, java_hash_compare *compare)
{
    struct tree_node *parent = NULL;
    int side = LEFT;
    for (struct tree_node *at = bin->root; at != NULL; at = at->child[side]) {
        parent = at;
        side = direction(node->link, at, compare);
    }
    node->parent = parent;
    if (parent == NULL)
        bin->root = node;
    else
        parent->child[side] = node;
    return parent;
}

static struct tree_node *node_new(struct java_hash_link *link)
{
    struct tree_node *node = MEMORY_NEW(struct tree_node);
    node->link = link;
    return node;
}

/* The node and the next larger one of its subtree, which has no left child, change places and colours. */
static void change_places(struct java_tree_bin *bin, struct tree_node *node, struct tree_node *larger)
{
    struct tree_node *left = node->child[LEFT], *right = node->child[RIGHT];
    struct tree_node *below = larger->child[RIGHT], *above = larger->parent;
    bool colour = larger->is_red;
    larger->is_red = node->is_red;
    node->is_red = colour;
    replace(bin, node, larger);
    if (above == node) {
        larger->child[RIGHT] = node;
        node->parent = larger;
    } else {
        above->child[LEFT] = node;
        node->parent = above;
        larger->child[RIGHT] = right;
        right->parent = larger;
    }
    larger->child[LEFT] = left;
    left->parent = larger;
    node->child[LEFT] = NULL;
    node->child[RIGHT] = below;
    if (below != NULL)
        below->parent = node;
}

static void take_out(struct java_tree_bin *bin, struct tree_node *node)
{
    if (node->child[LEFT] != NULL && node->child[RIGHT] != NULL) {
        struct tree_node *larger = node->child[RIGHT];
        while (larger->child[LEFT] != NULL)
            larger = larger->child[LEFT];
        change_places(bin, node, larger);
    }
    struct tree_node *only = node->child[LEFT] != NULL ? node->child[LEFT] : node->child[RIGHT];
    if (only != NULL) {
        replace(bin, node, only);
        if (bin->root == only)
            only->is_red = false;
        else if (!node->is_red)
            balance_deletion(bin, only);
        return;
    }
    if (!node->is_red)
        balance_deletion(bin, node);
    replace(bin, node, NULL);
}

struct java_tree_bin *java_tree_bin_new(struct java_hash_link *chain, java_hash_compare *compare)
{
    assert(chain != NULL);
    struct java_tree_bin *bin = MEMORY_NEW(struct java_tree_bin);
    struct tree_node *last = NULL;
    struct java_hash_link *next;
    for (struct java_hash_link *link = chain; link != NULL; link = next) {
        next = link->next;
        struct tree_node *node = node_new(link);
        follow(bin, last, node);
        last = node;
        hang(bin, node, compare);
        balance_insertion(bin, node);
    }
    move_root_to_front(bin);
    return bin;
}

void java_tree_bin_free(struct java_tree_bin *bin)
{
    if (bin == NULL)
        return;
    struct tree_node *next;
    for (struct tree_node *node = bin->first; node != NULL; node = next) {
        next = node->next;
        memory_free(node);
    }
    memory_free(bin);
}

struct java_hash_link *java_tree_bin_first(const struct java_tree_bin *bin)
{
    return bin->first != NULL ? bin->first->link : NULL;
}

void java_tree_bin_add(struct java_tree_bin *bin, struct java_hash_link *link, java_hash_compare *compare)
{
    struct tree_node *node = node_new(link);
    struct tree_node *parent = hang(bin, node, compare);
    follow(bin, node, parent->next);
    follow(bin, parent, node);
    balance_insertion(bin, node);
    move_root_to_front(bin);
}

bool java_tree_bin_remove(struct java_tree_bin *bin, struct java_hash_link *link)
{
    struct tree_node *node = bin->first;
    while (node->link != link) {
        node = node->next;
        assert(node != NULL);
    }
    const struct tree_node *root = bin->root;
    bool is_small = root->child[RIGHT] == NULL || root->child[LEFT] == NULL || root->child[LEFT]->child[LEFT] == NULL;
    follow(bin, node->prev, node->next);
    link->next = NULL;
    if (!is_small) {
        take_out(bin, node);
        move_root_to_front(bin);
    }
    memory_free(node);
    return !is_small;
}
