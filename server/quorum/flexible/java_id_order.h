/* The order in which Java's HashMap<Long, ...> gives its keys: that of the lines of a configuration. No state. */
#ifndef ZKC_SERVER_QUORUM_FLEXIBLE_JAVA_ID_ORDER_H
#define ZKC_SERVER_QUORUM_FLEXIBLE_JAVA_ID_ORDER_H

#include <stddef.h>
#include <stdint.h>

/* ret_order[n] is the index of the id that comes at n. Ids that meet in one bucket come as they stand in `ids`; in Java
 * that depends on its release. */
void java_id_order(const int64_t *ids, size_t count, size_t *ret_order);

#endif
