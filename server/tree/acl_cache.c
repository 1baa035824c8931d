/*
 * acl_cache.c - the table of ACL lists, by id and by content.
 *
 * (1) An entry in the table holds one reference to its list; nodes are counted in `usage`, readers in `references`.
 * (2) An id once seen is never given to another list, also when the table of a snapshot lacks it: Java saves the table
 *     before the nodes, so a node may name a list that was made in between. Replay of the log gives it its list; until
 *     then nobody may use it (ZOOKEEPER-3306, ZOOKEEPER-4689, ZOOKEEPER-4846).
 * (3) Lists of unknown ids are not in the table that is written.
 */
#include "server/tree/acl_cache.h"

#include <assert.h>
#include <stdatomic.h>

#include "common/base/hash_map.h"
#include "common/base/log.h"
#include "common/base/memory.h"
#include "common/thread/mutex.h"
#include "server/metric/java_map_order.h"
#include "server/tree/java_hash_set.h"

#define FIRST_CAPACITY 16    /* new HashMap<>() */

struct entry {
    struct acl_list list;
    struct zk_acl_vector *copy;       /* owns what list.acl points to; NULL for an unknown one */
    struct java_hash_link by_id;
    struct hash_link by_content;      /* not for an unknown one */
};

struct acl_cache {
    struct mutex lock;
    struct entry *open;                                 /* id -1; for ever */
    struct java_hash_set known GUARDED_BY(lock);
    struct java_hash_set unknown GUARDED_BY(lock);      /* (3) */
    struct hash_map contents GUARDED_BY(lock);
    int64_t last_id GUARDED_BY(lock);
};

static struct entry *entry_of(struct acl_list *list)
{
    return container_of(list, struct entry, list);
}

static uint64_t hash_text(uint64_t hash, struct ustring text)
{
    hash = hash_bytes_continue(hash, &text.size, sizeof(text.size));
    return text.size > 0 ? hash_bytes_continue(hash, text.bytes, (size_t)text.size) : hash;
}

static uint64_t hash_of_content(const struct zk_acl_vector *acl)
{
    uint64_t hash = hash_int64(acl->count);
    for (int32_t i = 0; i < acl->count; i++) {
        hash = hash_bytes_continue(hash, &acl->items[i].perms, sizeof(acl->items[i].perms));
        hash = hash_text(hash, acl->items[i].id.scheme);
        hash = hash_text(hash, acl->items[i].id.id);
    }
    return hash;
}

static struct entry *entry_new(int64_t id, const struct zk_acl_vector *acl)
{
    struct entry *entry = MEMORY_NEW(struct entry);
    atomic_init(&entry->list.references, 1);
    entry->list.id = id;
    entry->list.is_unknown = acl == NULL;
    entry->by_id.hash = java_long_hash(id);
    if (acl != NULL) {
        entry->copy = acl_vector_copy(acl);
        entry->list.acl = *entry->copy;
        entry->list.is_open = acl_vector_equal(acl, &acl_open_unsafe);
    }
    return entry;
}

static struct entry *find_by_id(const struct java_hash_set *set, int64_t id)
{
    struct java_hash_link *link = java_hash_set_chain(set, java_long_hash(id));
    while (link != NULL && container_of(link, struct entry, by_id)->list.id != id)
        link = link->next;
    return link == NULL ? NULL : container_of(link, struct entry, by_id);
}

static struct entry *find_by_content(struct acl_cache *cache, const struct zk_acl_vector *acl, uint64_t hash)
    REQUIRES(cache->lock)
{
    struct hash_link *link = hash_map_find(&cache->contents, hash);
    for (; link != NULL; link = hash_map_find_next(link)) {
        struct entry *entry = container_of(link, struct entry, by_content);
        if (acl_vector_equal(&entry->list.acl, acl))
            return entry;
    }
    return NULL;
}

static void insert(struct acl_cache *cache, struct entry *entry) REQUIRES(cache->lock)
{
    if (entry->list.is_unknown) {
        java_hash_set_add(&cache->unknown, &entry->by_id, NULL);
    } else {
        java_hash_set_add(&cache->known, &entry->by_id, NULL);
        hash_map_insert(&cache->contents, &entry->by_content, hash_of_content(&entry->list.acl));
    }
    if (cache->last_id < entry->list.id)    /* (2) */
        cache->last_id = entry->list.id;
}

/* Drops the table's reference. */
static void evict(struct acl_cache *cache, struct entry *entry) REQUIRES(cache->lock)
{
    if (entry->list.is_unknown) {
        java_hash_set_remove(&cache->unknown, &entry->by_id);
    } else {
        java_hash_set_remove(&cache->known, &entry->by_id);
        hash_map_remove(&cache->contents, &entry->by_content);
    }
    acl_list_unref(&entry->list);
}

static void evict_where(struct acl_cache *cache, struct java_hash_set *set, bool only_unused) REQUIRES(cache->lock)
{
    struct java_hash_link *next;
    for (struct java_hash_link *link = java_hash_set_first(set); link != NULL; link = next) {
        next = java_hash_set_after(set, link);
        struct entry *entry = container_of(link, struct entry, by_id);
        if (!only_unused || entry->list.usage <= 0)
            evict(cache, entry);
    }
}

struct acl_list *acl_list_ref(struct acl_list *list)
{
    uint32_t before = atomic_fetch_add_explicit(&list->references, 1, memory_order_relaxed);
    assert(before > 0 && before < UINT32_MAX);
    return list;
}

void acl_list_unref(struct acl_list *list)
{
    if (list == NULL)
        return;
    uint32_t before = atomic_fetch_sub_explicit(&list->references, 1, memory_order_acq_rel);
    assert(before > 0);
    if (before > 1)
        return;
    struct entry *entry = entry_of(list);
    memory_free(entry->copy);
    memory_free(entry);
}

struct acl_cache *acl_cache_new(void)
{
    struct acl_cache *cache = MEMORY_NEW(struct acl_cache);
    mutex_init(&cache->lock);
    cache->open = entry_new(ACL_ID_OPEN_UNSAFE, &acl_open_unsafe);
    java_hash_set_init(&cache->known, FIRST_CAPACITY);
    java_hash_set_init(&cache->unknown, FIRST_CAPACITY);
    return cache;
}

void acl_cache_free(struct acl_cache *cache)
{
    if (cache == NULL)
        return;
    acl_cache_clear(cache);
    java_hash_set_release(&cache->known);
    java_hash_set_release(&cache->unknown);
    hash_map_release(&cache->contents);
    acl_list_unref(&cache->open->list);
    mutex_release(&cache->lock);
    memory_free(cache);
}

struct acl_list *acl_cache_intern(struct acl_cache *cache, const struct zk_acl_vector *acl)
{
    if (acl == NULL || acl->count < 0)
        return &cache->open->list;
    uint64_t hash = hash_of_content(acl);
    mutex_lock(&cache->lock);
    struct entry *entry = find_by_content(cache, acl, hash);
    if (entry == NULL) {
        entry = entry_new(cache->last_id + 1, acl);
        insert(cache, entry);
    }
    entry->list.usage++;
    mutex_unlock(&cache->lock);
    return &entry->list;
}

struct acl_list *acl_cache_by_id(struct acl_cache *cache, int64_t id)
{
    if (id == ACL_ID_OPEN_UNSAFE)
        return &cache->open->list;
    mutex_lock(&cache->lock);
    struct entry *entry = find_by_id(&cache->known, id);
    if (entry == NULL)
        entry = find_by_id(&cache->unknown, id);
    if (entry == NULL) {
        log_warn("the snapshot has no ACL for id %lld; its nodes are closed until the log tells it", (long long)id);
        entry = entry_new(id, NULL);
        insert(cache, entry);
    }
    entry->list.usage++;
    mutex_unlock(&cache->lock);
    return &entry->list;
}

void acl_cache_add_usage(struct acl_cache *cache, struct acl_list *list)
{
    if (list == &cache->open->list)
        return;
    mutex_lock(&cache->lock);
    list->usage++;
    mutex_unlock(&cache->lock);
}

void acl_cache_remove_usage(struct acl_cache *cache, struct acl_list *list)
{
    if (list == &cache->open->list)
        return;
    mutex_lock(&cache->lock);
    assert(list->usage > 0);
    if (--list->usage == 0)
        evict(cache, entry_of(list));
    mutex_unlock(&cache->lock);
}

size_t acl_cache_size(struct acl_cache *cache)
{
    mutex_lock(&cache->lock);
    size_t size = cache->known.count;
    mutex_unlock(&cache->lock);
    return size;
}

void acl_cache_clear(struct acl_cache *cache)
{
    mutex_lock(&cache->lock);
    evict_where(cache, &cache->known, false);
    evict_where(cache, &cache->unknown, false);
    mutex_unlock(&cache->lock);
}

void acl_cache_purge_unused(struct acl_cache *cache)
{
    mutex_lock(&cache->lock);
    evict_where(cache, &cache->known, true);
    evict_where(cache, &cache->unknown, true);
    mutex_unlock(&cache->lock);
}

struct acl_list **acl_cache_list(struct acl_cache *cache, size_t *ret_count)
{
    mutex_lock(&cache->lock);
    size_t count = cache->known.count;
    struct acl_list **lists = MEMORY_NEW_ARRAY(count, struct acl_list *);
    struct java_hash_link **order =
        java_hash_set_copy_order(&cache->known, java_hash_clone_capacity(cache->known.count), NULL);
    for (size_t i = 0; i < count; i++)
        lists[i] = acl_list_ref(&container_of(order[i], struct entry, by_id)->list);
    mutex_unlock(&cache->lock);
    memory_free(order);
    *ret_count = count;
    return lists;
}

void acl_cache_put(struct acl_cache *cache, int64_t id, const struct zk_acl_vector *acl)
{
    if (id == ACL_ID_OPEN_UNSAFE)
        return;
    mutex_lock(&cache->lock);
    struct entry *before = find_by_id(&cache->known, id);
    assert(before == NULL || before->list.usage == 0);    /* the table comes before its nodes */
    if (before != NULL)
        evict(cache, before);
    insert(cache, entry_new(id, acl));
    mutex_unlock(&cache->lock);
}
