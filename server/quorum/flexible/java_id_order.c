/* java_id_order.c - fills a java_hash_set with the hashes of ids and reads it. */
#include "server/quorum/flexible/java_id_order.h"

#include "common/base/memory.h"
#include "server/metric/java_map_order.h"
#include "server/tree/java_hash_set.h"

#define FIRST_CAPACITY 16

void java_id_order(const int64_t *ids, size_t count, size_t *ret_order)
{
    struct java_hash_set set;
    struct java_hash_link *links = MEMORY_NEW_ARRAY(count, struct java_hash_link);
    java_hash_set_init(&set, FIRST_CAPACITY);
    for (size_t i = 0; i < count; i++) {
        links[i].hash = java_long_hash(ids[i]);
        java_hash_set_add(&set, &links[i], NULL);
    }
    size_t n = 0;
    for (struct java_hash_link *link = java_hash_set_first(&set); link != NULL; link = java_hash_set_after(&set, link))
        ret_order[n++] = (size_t)(link - links);
    java_hash_set_release(&set);
    memory_free(links);
}
