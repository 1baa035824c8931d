/* Groups of servers, weighted: a quorum is a majority of groups, each with a majority of its weight. Mirrors the part
 * of QuorumHierarchical that is not the list of members. Immutable once complete; any thread. */
#ifndef ZKC_SERVER_QUORUM_FLEXIBLE_QUORUM_HIERARCHICAL_H
#define ZKC_SERVER_QUORUM_FLEXIBLE_QUORUM_HIERARCHICAL_H

#include "common/config/properties.h"
#include "server/quorum/flexible/sid_set.h"

struct id_pair {
    int64_t key, value;
};
struct id_map {
    struct id_pair *items;    /* by rising key */
    size_t count, capacity;
};
/* {0} is an empty one. */
struct quorum_hierarchical {
    struct id_map server_weight;    /* sid to weight; every participant is there */
    struct id_map server_group;     /* sid to group */
    struct id_map group_weight;     /* group to the sum of its servers */
    int64_t group_count;            /* groups without weight are not counted */
};
void quorum_hierarchical_release(struct quorum_hierarchical *groups);
/* From the group.N and weight.N lines among `lines`; ids of `participants` without a weight get 1. ZK_BAD_CONFIG:
 * what is no number, a server in two groups, a participant in none, a server in a group that neither takes part nor
 * has a weight (at which Java fails with a null pointer). */
int quorum_hierarchical_parse(struct quorum_hierarchical *groups, const struct properties *lines,
                              const struct sid_set *participants, struct error *error);
void quorum_hierarchical_copy(const struct quorum_hierarchical *groups, struct quorum_hierarchical *ret_copy);
int64_t quorum_hierarchical_weight(const struct quorum_hierarchical *groups, int64_t sid);    /* 0: not known */
bool quorum_hierarchical_contains_quorum(const struct quorum_hierarchical *groups, const struct sid_set *acks);
bool quorum_hierarchical_equal(const struct quorum_hierarchical *a, const struct quorum_hierarchical *b);
/* "group.1=1:2:3\n" and "weight.1=1\n" lines in Java's order. */
void quorum_hierarchical_print(const struct quorum_hierarchical *groups, struct buffer *out);

#endif
