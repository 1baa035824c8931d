/*
 * An intrusive hash table: what is in it carries a hash_link, so that an entry costs no allocation. Not locked.
 * Several entries may have the same hash; the caller compares keys.
 */
#ifndef ZKC_COMMON_BASE_HASH_MAP_H
#define ZKC_COMMON_BASE_HASH_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct hash_link {
    struct hash_link *next;
    uint64_t hash;
};
struct hash_map {
    struct hash_link **buckets;    /* NULL while empty */
    size_t bucket_count;           /* a power of two */
    size_t count;
};

/* {0} is an empty map. Release frees the table, not the entries. */
void hash_map_release(struct hash_map *map);
void hash_map_insert(struct hash_map *map, struct hash_link *link, uint64_t hash);
void hash_map_remove(struct hash_map *map, struct hash_link *link);    /* must be in the map */

/* First entry with this hash, and the next one after `link` with the same hash; NULL when there is none. */
struct hash_link *hash_map_find(const struct hash_map *map, uint64_t hash);
struct hash_link *hash_map_find_next(const struct hash_link *link);

/* All entries, in no order: for (l = hash_map_first(m); l; l = hash_map_after(m, l)). Removing `l` itself before asking
 * for the one after it is not permitted; ask first. */
struct hash_link *hash_map_first(const struct hash_map *map);
struct hash_link *hash_map_after(const struct hash_map *map, const struct hash_link *link);

uint64_t hash_bytes(const void *bytes, size_t size);
uint64_t hash_bytes_continue(uint64_t hash, const void *bytes, size_t size);
uint64_t hash_string(const char *string);
/* Eight bytes at a step, so faster, but that of a whole cannot be made of those of its parts. */
uint64_t hash_bytes_whole(uint64_t seed, const void *bytes, size_t size);
uint64_t hash_int64(int64_t value);

#endif
