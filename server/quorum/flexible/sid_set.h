/* A set of server ids, small and sorted. Mirrors HashSet<Long>. Not locked. */
#ifndef ZKC_SERVER_QUORUM_FLEXIBLE_SID_SET_H
#define ZKC_SERVER_QUORUM_FLEXIBLE_SID_SET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/buffer.h"

/* {0} is an empty one. */
struct sid_set {
    int64_t *ids;    /* rising */
    size_t count, capacity;
};
void sid_set_release(struct sid_set *set);
bool sid_set_add(struct sid_set *set, int64_t id);    /* false: it was there */
bool sid_set_remove(struct sid_set *set, int64_t id);
bool sid_set_contains(const struct sid_set *set, int64_t id);
void sid_set_clear(struct sid_set *set);
void sid_set_print(const struct sid_set *set, struct buffer *out);    /* "[1, 2, 3]" as Set.toString() */

#endif
