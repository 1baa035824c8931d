/*
 * The order in which Java's ConcurrentHashMap gives its keys, for words whose lines stand in that order (mntr, dump).
 * Mirrors java.util.concurrent.ConcurrentHashMap, table of 16 at first, doubled at three quarters. No state.
 */
#ifndef ZKC_SERVER_METRIC_JAVA_MAP_ORDER_H
#define ZKC_SERVER_METRIC_JAVA_MAP_ORDER_H

#include <stddef.h>
#include <stdint.h>

/* ret_order[n] is the index of the key that comes at n, when keys with these hashCode()s were put one after another. */
void java_map_order(const int32_t *hashes, size_t count, size_t *ret_order);
/* Long.hashCode(). */
static inline int32_t java_long_hash(int64_t value)
{
    return (int32_t)(uint32_t)((uint64_t)value ^ (uint64_t)value >> 32);
}

#endif
