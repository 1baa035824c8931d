/*
 * hash_map.c - buckets of singly linked entries, as many buckets as entries or more.
 *
 * The hash of bytes is FNV-1a, so hash_bytes_continue(hash_bytes(a), b) is the hash of a followed by b. Buckets are
 * chosen by the upper half of a product, because the low bits of FNV-1a see only the low bits of the bytes.
 */
#include "common/base/hash_map.h"

#include <assert.h>
#include <string.h>

#include "common/base/memory.h"

#define FIRST_BUCKETS ((size_t)16)
#define FNV_START UINT64_C(0xcbf29ce484222325)
#define FNV_PRIME UINT64_C(0x100000001b3)
#define GOLDEN UINT64_C(0x9e3779b97f4a7c15)

static size_t bucket_index(const struct hash_map *map, uint64_t hash)
{
    return (size_t)((hash * GOLDEN) >> 32) & (map->bucket_count - 1);
}

static void put_in_bucket(struct hash_map *map, struct hash_link *link)
{
    struct hash_link **bucket = &map->buckets[bucket_index(map, link->hash)];
    link->next = *bucket;
    *bucket = link;
}

static void grow(struct hash_map *map)
{
    struct hash_map old = *map;
    map->bucket_count = old.bucket_count > 0 ? 2 * old.bucket_count : FIRST_BUCKETS;
    map->buckets = MEMORY_NEW_ARRAY(map->bucket_count, struct hash_link *);
    for (size_t i = 0; i < old.bucket_count; i++) {
        struct hash_link *link = old.buckets[i];
        while (link != NULL) {
            struct hash_link *next = link->next;
            put_in_bucket(map, link);
            link = next;
        }
    }
    memory_free(old.buckets);
}

static struct hash_link *first_from_bucket(const struct hash_map *map, size_t bucket)
{
    for (; bucket < map->bucket_count; bucket++) {
        if (map->buckets[bucket] != NULL)
            return map->buckets[bucket];
    }
    return NULL;
}

static struct hash_link *first_with_hash(struct hash_link *link, uint64_t hash)
{
    while (link != NULL && link->hash != hash)
        link = link->next;
    return link;
}

void hash_map_release(struct hash_map *map)
{
    memory_free(map->buckets);
    *map = (struct hash_map){ 0 };
}

void hash_map_insert(struct hash_map *map, struct hash_link *link, uint64_t hash)
{
    if (map->count >= map->bucket_count)
        grow(map);
    link->hash = hash;
    put_in_bucket(map, link);
    map->count++;
}

void hash_map_remove(struct hash_map *map, struct hash_link *link)
{
    assert(map->count > 0);
    struct hash_link **at = &map->buckets[bucket_index(map, link->hash)];
    while (*at != link) {
        assert(*at != NULL);
        at = &(*at)->next;
    }
    *at = link->next;
    link->next = NULL;
    map->count--;
}

struct hash_link *hash_map_find(const struct hash_map *map, uint64_t hash)
{
    return map->count > 0 ? first_with_hash(map->buckets[bucket_index(map, hash)], hash) : NULL;
}

struct hash_link *hash_map_find_next(const struct hash_link *link)
{
    return first_with_hash(link->next, link->hash);
}

struct hash_link *hash_map_first(const struct hash_map *map)
{
    return map->count > 0 ? first_from_bucket(map, 0) : NULL;
}

struct hash_link *hash_map_after(const struct hash_map *map, const struct hash_link *link)
{
    return link->next != NULL ? link->next : first_from_bucket(map, bucket_index(map, link->hash) + 1);
}

uint64_t hash_bytes(const void *bytes, size_t size)
{
    return hash_bytes_continue(FNV_START, bytes, size);
}

uint64_t hash_bytes_continue(uint64_t hash, const void *bytes, size_t size)
{
    const uint8_t *at = bytes;
    for (size_t i = 0; i < size; i++)
        hash = (hash ^ at[i]) * FNV_PRIME;
    return hash;
}

static uint64_t load_word(const uint8_t *at)
{
    uint64_t word;
    memcpy(&word, at, sizeof(word));
    return word;
}

/* The whole product, both halves of it. */
static uint64_t hash_step(uint64_t hash, uint64_t word)
{
    unsigned __int128 product = (unsigned __int128)(hash ^ word) * GOLDEN;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

uint64_t hash_bytes_whole(uint64_t seed, const void *bytes, size_t size)
{
    const uint8_t *at = bytes;
    uint64_t hash = hash_step(seed, size), rest = 0;
    if (size >= sizeof(rest)) {
        const uint8_t *last = at + size - sizeof(rest);    /* which may cover bytes of the step before */
        for (; at < last; at += sizeof(rest))
            hash = hash_step(hash, load_word(at));
        return hash_step(hash, load_word(last));
    }
    for (size_t i = 0; i < size; i++)
        rest = rest << 8 | at[i];
    return hash_step(hash, rest);
}

uint64_t hash_string(const char *string)
{
    return hash_bytes(string, strlen(string));
}

uint64_t hash_int64(int64_t value)
{
    uint64_t mixed = (uint64_t)value;
    mixed = (mixed ^ (mixed >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    mixed = (mixed ^ (mixed >> 27)) * UINT64_C(0x94d049bb133111eb);
    return mixed ^ (mixed >> 31);
}
