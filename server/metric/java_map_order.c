/*
 * java_map_order.c - plays the insertions into a ConcurrentHashMap and reads the table from its start.
 *
 * When the table doubles, Java keeps the longest tail of a chain that goes to one half as it is and puts the others in
 * front of it one by one, which turns their order round; so does this. Chains that Java would make trees of (eight of
 * one bucket, in a table of 64 or more) stay chains here.
 */
#include "server/metric/java_map_order.h"

#include "common/base/memory.h"

#define FIRST_CAPACITY 16

struct item {
    struct item *next;
    uint32_t hash;    /* spread */
};

static struct item **end_of(struct item **chain)
{
    while (*chain != NULL)
        chain = &(*chain)->next;
    return chain;
}

/* One chain to the two buckets it is shared out to; `bit` is the old size of the table. */
static void split(struct item *chain, uint32_t bit, struct item **ret_low, struct item **ret_high)
{
    struct item *tail = chain;
    for (struct item *at = chain->next; at != NULL; at = at->next)
        if (((at->hash ^ tail->hash) & bit) != 0)
            tail = at;
    *ret_low = (tail->hash & bit) == 0 ? tail : NULL;
    *ret_high = (tail->hash & bit) != 0 ? tail : NULL;
    struct item *next;
    for (struct item *at = chain; at != tail; at = next) {
        next = at->next;
        struct item **half = (at->hash & bit) == 0 ? ret_low : ret_high;
        at->next = *half;
        *half = at;
    }
}

static struct item **grow(struct item **table, size_t capacity)
{
    struct item **doubled = MEMORY_NEW_ARRAY(2 * capacity, struct item *);
    for (size_t i = 0; i < capacity; i++)
        if (table[i] != NULL)
            split(table[i], (uint32_t)capacity, &doubled[i], &doubled[i + capacity]);
    memory_free(table);
    return doubled;
}

void java_map_order(const int32_t *hashes, size_t count, size_t *ret_order)
{
    size_t capacity = FIRST_CAPACITY;
    struct item **table = MEMORY_NEW_ARRAY(capacity, struct item *);
    struct item *items = MEMORY_NEW_ARRAY(count, struct item);
    for (size_t i = 0; i < count; i++) {
        uint32_t bits = (uint32_t)hashes[i];
        items[i].hash = (bits ^ bits >> 16) & INT32_MAX;
        *end_of(&table[items[i].hash & (capacity - 1)]) = &items[i];
        if (i + 1 >= capacity - capacity / 4) {
            table = grow(table, capacity);
            capacity *= 2;
        }
    }
    size_t n = 0;
    for (size_t i = 0; i < capacity; i++)
        for (struct item *at = table[i]; at != NULL; at = at->next)
            ret_order[n++] = (size_t)(at - items);
    memory_free(items);
    memory_free(table);
}
