/*
 * What of an answer is kept from one read of a node to the next, by path, the least used going first. Mirrors
 * ResponseCache and the part of ServerCnxn.serialize that asks it.
 *
 * In Java an entry is the whole answer. Here a node holds its data and the names of its children as they are sent, so
 * that an entry has the rest, the stat in wire form, and what it answered for: 0.2 KB and the path, whatever the node
 * holds. That saves no time: a stat is written with 370 instructions, a hit takes 490, a miss 820. It is for its
 * counts, by which one sees how often the same nodes are read unchanged, and small reads do without (read_ops.c).
 * Any thread; a lock of its own, innermost. Who may read the node was decided before the cache is asked.
 */
#ifndef ZKC_SERVER_REQUEST_RESPONSE_CACHE_H
#define ZKC_SERVER_REQUEST_RESPONSE_CACHE_H

#include <stdint.h>

#include "common/base/buffer.h"
#include "common/wire/records.h"
#include "server/metric/server_metrics.h"

struct response_cache;    /* opaque */

/* For answers to `request_name`, which the log says. Holds one entry less than `size`, as Java's: 0 and 1 keep nothing,
 * and every read is a miss. `metrics`, borrowed, has the two counters. Never fails. */
struct response_cache *response_cache_new(const char *request_name, int64_t size, struct server_metrics *metrics,
                                          enum metric hits, enum metric misses);
void response_cache_free(struct response_cache *cache);

/*
 * Appends the stat of an answer about `path`, in wire form. A hit when the last answer about it had the same stat;
 * otherwise a miss, and this one is kept. Nodes named zookeeper_stats, which change with every write below a quota, are
 * neither. NULL cache: the stat is written.
 */
void response_cache_write_stat(struct response_cache *cache, struct ustring path, const struct zk_stat *stat,
                               struct buffer *out);

#endif
