/*
 * Which nodes are whose: the ephemerals of each session, the containers, the TTL nodes. Mirrors DataTree's ephemerals,
 * containers and ttls. Internal to server/tree.
 *
 * Any thread; own lock, innermost. An entry is a pointer to its node and leaves before the node is freed, so that under
 * the lock paths may be read off the nodes.
 */
#ifndef ZKC_SERVER_TREE_TREE_OWNERS_H
#define ZKC_SERVER_TREE_TREE_OWNERS_H

#include "server/tree/data_node.h"
#include "server/tree/data_tree.h"

struct tree_owners;

struct tree_owners *tree_owners_new(const struct ephemeral_rules *rules);
void tree_owners_free(struct tree_owners *owners);
void tree_owners_clear(struct tree_owners *owners);

/* Enters a node under what its owner says, or takes it out; nothing for a node without owner. */
void tree_owners_add(struct tree_owners *owners, struct data_node *node, struct ustring path, int64_t owner);
void tree_owners_remove(struct tree_owners *owners, struct data_node *node, struct ustring path, int64_t owner);
/* The session is over; what is left of its nodes is forgotten. */
void tree_owners_remove_session(struct tree_owners *owners, int64_t session_id);

/* In the order of the set itself, or of a copy of it. */
void tree_owners_list_session(struct tree_owners *owners, int64_t session_id, bool copied, struct path_list *ret_paths);
void tree_owners_list(struct tree_owners *owners, enum ephemeral_type type, struct path_list *ret_paths);
int64_t *tree_owners_sessions(struct tree_owners *owners, size_t *ret_count);
size_t tree_owners_ephemerals_count(struct tree_owners *owners);
void tree_owners_print(struct tree_owners *owners, struct buffer *out);

#endif
