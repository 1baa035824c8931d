/*
 * Visits a subtree in pre-order while the tree goes on changing: what a fuzzy snapshot needs. Internal to server/tree.
 *
 * Holds one stripe lock at a time, for as long as a node or some hundred names are copied. Visited is what is there
 * from the start to the end; what comes or goes meanwhile may be. Any thread.
 */
#ifndef ZKC_SERVER_TREE_TREE_WALK_H
#define ZKC_SERVER_TREE_TREE_WALK_H

#include "server/tree/tree_internal.h"

struct walk_frame {
    struct buffer names;    /* of some children of the node at path[0, path_size), each with its length before it */
    size_t at;              /* the next one */
    size_t path_size;
    struct java_hash_cursor cursor;    /* the children after those */
    bool has_more;
};
struct tree_walk {
    struct data_tree *tree;
    struct buffer path;          /* of the node last visited */
    struct walk_frame *frames;
    size_t depth, capacity;
    bool has_started;
};
struct node_copy {
    struct ustring path;         /* until the next step */
    struct stat_persisted stat;
    struct blob *data;           /* a reference: node_copy_release */
    int64_t acl_id;
};

void tree_walk_init(struct tree_walk *walk, struct data_tree *tree, struct ustring top);
void tree_walk_release(struct tree_walk *walk);
/* False at the end. */
bool tree_walk_next(struct tree_walk *walk, struct node_copy *ret_copy);
void node_copy_release(struct node_copy *copy);

#endif
