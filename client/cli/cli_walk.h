/*
 * Visits a subtree: a node before its children, these in the order of their names. The answers about the next nodes are
 * asked for while one is looked at, so a walk takes a round trip for many nodes and not for each. Main thread.
 */
#ifndef ZKC_CLIENT_CLI_WALK_H
#define ZKC_CLIENT_CLI_WALK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "client/cli/cli.h"

enum { WALK_WATCH = 1, WALK_DATA = 2, WALK_ACL = 4 };    /* watch children; fetch data, fetch ACL too */

struct walk_node {
    const char *path, *name;    /* the name of the first node is its path */
    int depth;                  /* 0 for the first node */
    bool is_last;               /* among its siblings */
    int rc;                     /* not ZOK: what could not be read; then nothing below holds */
    struct Stat stat;
    const char *const *children;    /* names, sorted as Java sorts */
    size_t child_count;
    const char *data;               /* WALK_DATA; data_size is -1 where there is none */
    int32_t data_size;
    const struct ACL_vector *acl;   /* WALK_ACL */
};
/* Returns ZOK to go on, WALK_SKIP not to go below this node, or any other code, which ends the walk. */
enum { WALK_SKIP = 1 };
typedef int (*walk_visit)(void *context, const struct walk_node *node);

/*
 * ZOK, what visit() said, or ZCLOSING when the user asked to stop. It is no snapshot: nodes that go while it runs are
 * visited with ZNONODE, or not at all.
 */
int walk_subtree(struct cli *cli, const char *path, int flags, walk_visit visit, void *context);

/* Sorts names as Java does. */
void walk_sort_names(char **names, size_t count);

#endif
