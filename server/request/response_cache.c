/*
 * response_cache.c - stats in wire form by path, in the order of their last use.
 *
 * Mirrors org.apache.zookeeper.server.ResponseCache, which removes its eldest entry as soon as there are as many as its
 * size, so that it holds one less. Departs from Java: looking and keeping are one step under the lock.
 */
#include "server/request/response_cache.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include "common/base/hash_map.h"
#include "common/base/list.h"
#include "common/base/log.h"
#include "common/base/memory.h"
#include "common/thread/mutex.h"

#define QUOTA_STAT_NODE "zookeeper_stats"
enum { STAT_BYTES = 68 };

struct entry {
    struct hash_link by_path;
    struct list by_use;
    struct zk_stat stat;
    uint8_t bytes[STAT_BYTES];    /* the stat, written */
    struct ustring path;          /* in the same block */
};

struct response_cache {
    struct server_metrics *metrics;
    enum metric hits, misses;
    size_t most;
    struct mutex lock;
    struct hash_map entries GUARDED_BY(lock);
    struct list by_use GUARDED_BY(lock);    /* least recently used first */
};

static bool stat_equal(const struct zk_stat *a, const struct zk_stat *b)
{
#define IS_EQUAL(type, name) &&a->name == b->name
#define NO_VECTOR(type, name)
    return true ZK_STAT_FIELDS(IS_EQUAL, NO_VECTOR);
}

static bool counts_for_quota(struct ustring path)
{
    const int32_t size = sizeof(QUOTA_STAT_NODE) - 1;
    return path.size >= size && memcmp(path.bytes + path.size - size, QUOTA_STAT_NODE, (size_t)size) == 0;
}

static struct entry *find(struct response_cache *cache, struct ustring path, uint64_t hash) REQUIRES(cache->lock)
{
    for (struct hash_link *link = hash_map_find(&cache->entries, hash); link != NULL; link = hash_map_find_next(link)) {
        struct entry *entry = container_of(link, struct entry, by_path);
        if (ustring_equal(entry->path, path))
            return entry;
    }
    return NULL;
}

static void remove_entry(struct response_cache *cache, struct entry *entry) REQUIRES(cache->lock)
{
    hash_map_remove(&cache->entries, &entry->by_path);
    list_remove(&entry->by_use);
    memory_free(entry);
}

static void keep(struct response_cache *cache, struct ustring path, uint64_t hash, const struct zk_stat *stat,
                 const uint8_t *bytes) REQUIRES(cache->lock)
{
    if (cache->most == 0)
        return;
    if (cache->entries.count == cache->most)
        remove_entry(cache, LIST_ENTRY(cache->by_use.next, struct entry, by_use));
    struct entry *entry = memory_alloc(sizeof(struct entry) + (size_t)path.size);
    char *copy = (char *)(entry + 1);
    memcpy(copy, path.bytes, (size_t)path.size);
    entry->path = (struct ustring){copy, path.size};
    entry->stat = *stat;
    memcpy(entry->bytes, bytes, STAT_BYTES);
    hash_map_insert(&cache->entries, &entry->by_path, hash);
    list_add_last(&cache->by_use, &entry->by_use);
}

/* A copy of what is kept for this very stat; an entry for another goes. */
static bool get(struct response_cache *cache, struct ustring path, uint64_t hash, const struct zk_stat *stat,
                struct buffer *out) REQUIRES(cache->lock)
{
    struct entry *entry = find(cache, path, hash);
    if (entry == NULL)
        return false;
    if (!stat_equal(&entry->stat, stat)) {
        remove_entry(cache, entry);
        return false;
    }
    list_remove(&entry->by_use);
    list_add_last(&cache->by_use, &entry->by_use);
    buffer_append(out, entry->bytes, STAT_BYTES);
    return true;
}

struct response_cache *response_cache_new(const char *request_name, int64_t size, struct server_metrics *metrics,
                                          enum metric hits, enum metric misses)
{
    struct response_cache *cache = MEMORY_NEW(struct response_cache);
    cache->metrics = metrics;
    cache->hits = hits;
    cache->misses = misses;
    cache->most = size > 1 ? (size_t)size - 1 : 0;
    mutex_init(&cache->lock);
    list_init(&cache->by_use);
    log_info("%s response cache size is initialized with value %" PRId64 ".", request_name, size);
    return cache;
}

void response_cache_free(struct response_cache *cache) NO_THREAD_SAFETY_ANALYSIS
{
    if (cache == NULL)
        return;
    LIST_EACH_SAFE(link, &cache->by_use)
        memory_free(LIST_ENTRY(link, struct entry, by_use));
    hash_map_release(&cache->entries);
    mutex_release(&cache->lock);
    memory_free(cache);
}

void response_cache_write_stat(struct response_cache *cache, struct ustring path, const struct zk_stat *stat,
                               struct buffer *out)
{
    if (cache == NULL || counts_for_quota(path)) {
        jute_write_zk_stat(out, stat);
        return;
    }
    uint64_t hash = hash_bytes(path.bytes, (size_t)path.size);
    mutex_lock(&cache->lock);
    bool is_hit = get(cache, path, hash, stat, out);
    if (!is_hit) {
        size_t start = out->size;
        jute_write_zk_stat(out, stat);
        assert(out->size - start == STAT_BYTES);
        keep(cache, path, hash, stat, out->bytes + start);
    }
    mutex_unlock(&cache->lock);
    server_metrics_count(cache->metrics, is_hit ? cache->hits : cache->misses, 1);
}
