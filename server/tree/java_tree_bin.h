/*
 * A bucket that java.util.HashMap has made a red-black tree of (HashMap.TreeNode). What counts here is the order: an
 * element comes right behind the one it was hung under, and the root comes first. The elements' own next links always
 * say that order, so that a reader need not know of the tree. Not locked.
 */
#ifndef ZKC_SERVER_TREE_JAVA_TREE_BIN_H
#define ZKC_SERVER_TREE_JAVA_TREE_BIN_H

#include <stdbool.h>

#include "server/tree/java_hash_set.h"

struct java_tree_bin;

/* treeifyBin(): of a chain of at least one, which is put into the tree's order. */
struct java_tree_bin *java_tree_bin_new(struct java_hash_link *chain, java_hash_compare *compare);
void java_tree_bin_free(struct java_tree_bin *bin);    /* the elements stay, chained as they were */
struct java_hash_link *java_tree_bin_first(const struct java_tree_bin *bin);
/* putTreeVal(); not in it yet. */
void java_tree_bin_add(struct java_tree_bin *bin, struct java_hash_link *link, java_hash_compare *compare);
/* removeTreeNode(); in it. False when what is left is too small for a tree: free it and go on with the chain. */
bool java_tree_bin_remove(struct java_tree_bin *bin, struct java_hash_link *link);

#endif
