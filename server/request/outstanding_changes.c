/*
 * outstanding_changes.c - the state the tree will be in once the pipeline has run dry.
 *
 * Mirrors ZooKeeperServer.outstandingChanges, outstandingChangesForPath and ChangeRecord, and the rollback of
 * PrepRequestProcessor. One lock; prep adds, final removes.
 * (1) A change leaves only after the tree has it, so whoever finds none here finds the tree up to date.
 */
#include "server/request/outstanding_changes.h"

#include <assert.h>
#include <string.h>

#include "common/base/memory.h"
#include "common/base/strings.h"
#include "common/thread/mutex.h"
#include "common/wire/acl.h"
#include "server/tree/java_hash_set.h"

#define USUAL_PATH 64    /* bytes, or fewer, of most paths */

struct outstanding_changes {
    struct server_metrics *metrics;
    struct block_pool *pool;
    struct mutex lock;
    struct list records GUARDED_BY(lock);         /* by zxid, oldest first */
    struct hash_map newest GUARDED_BY(lock);      /* by path */
    size_t count GUARDED_BY(lock);
};

/* ---- one record ---- */

struct change_record *change_record_new(struct block_pool *pool, struct ustring path)
{
    size_t size = path.size > 0 ? (size_t)path.size : 0;
    struct change_record *record = block_pool_take(pool, sizeof *record + size);
    memset(record, 0, sizeof *record);
    record->pool = pool;
    atomic_init(&record->references, 1);
    record->zxid = -1;
    list_init(&record->link);
    record->path_size = (uint32_t)size;
    if (size > 0)
        memcpy(record->path, path.bytes, size);
    return record;
}

struct change_record *change_record_duplicate(const struct change_record *from, int64_t zxid)
{
    struct change_record *copy = change_record_new(from->pool, (struct ustring){from->path, (int32_t)from->path_size});
    copy->zxid = zxid;
    copy->exists = from->exists;
    copy->stat = from->stat;
    copy->claimed_owner = from->claimed_owner;
    copy->child_count = from->child_count;
    copy->acl_list = from->acl_list == NULL ? NULL : acl_list_ref(from->acl_list);
    copy->acl = from->acl == NULL ? NULL : acl_vector_copy(from->acl);
    change_record_set_data(copy, from->data, from->data_owner);
    copy->node_digest = from->node_digest;
    copy->tree_digest = from->tree_digest;
    return copy;
}

struct change_record *change_record_ref(struct change_record *record)
{
    atomic_fetch_add_explicit(&record->references, 1, memory_order_relaxed);
    return record;
}

void change_record_unref(struct change_record *record)
{
    if (record == NULL || atomic_fetch_sub_explicit(&record->references, 1, memory_order_acq_rel) != 1)
        return;
    if (record->acl_list != NULL)
        acl_list_unref(record->acl_list);
    memory_free(record->acl);
    blob_unref(record->data_owner);
    block_pool_give_back(record);
}

struct change_record *change_record_own(struct change_record *record, int64_t zxid)
{
    if (atomic_load_explicit(&record->references, memory_order_acquire) == 1) {    /* nor is it listed, then */
        record->zxid = zxid;
        return record;
    }
    struct change_record *copy = change_record_duplicate(record, zxid);
    change_record_unref(record);
    return copy;
}

const struct zk_acl_vector *change_record_acl(const struct change_record *record)
{
    return record->acl_list != NULL ? &record->acl_list->acl : record->acl;
}

void change_record_set_data(struct change_record *record, struct slice data, struct blob *owner)
{
    struct blob *before = record->data_owner;
    record->data = data;
    record->data_owner = owner == NULL ? NULL : blob_ref(owner);
    blob_unref(before);
}

/* ---- the list ---- */

struct outstanding_changes *outstanding_changes_new(struct server_metrics *metrics)
{
    struct outstanding_changes *changes = MEMORY_NEW(struct outstanding_changes);
    changes->metrics = metrics;
    changes->pool = block_pool_new(sizeof(struct change_record) + USUAL_PATH);
    mutex_init(&changes->lock);
    mutex_lock(&changes->lock);
    list_init(&changes->records);
    mutex_unlock(&changes->lock);
    return changes;
}

static uint64_t hash_of_path(const char *path, size_t size)
{
    return hash_bytes_whole(0, path, size);
}

static struct change_record *newest_of(struct outstanding_changes *changes, uint64_t hash, const char *path,
                                       size_t size) REQUIRES(changes->lock)
{
    struct hash_link *link = hash_map_find(&changes->newest, hash);
    while (link != NULL) {
        struct change_record *record = container_of(link, struct change_record, path_link);
        if (record->path_size == size && memcmp(record->path, path, size) == 0)
            return record;
        link = hash_map_find_next(link);
    }
    return NULL;
}

static void make_newest(struct outstanding_changes *changes, struct change_record *record) REQUIRES(changes->lock)
{
    uint64_t hash = hash_of_path(record->path, record->path_size);
    struct change_record *older = newest_of(changes, hash, record->path, record->path_size);
    if (older != NULL) {
        hash_map_remove(&changes->newest, &older->path_link);
        older->is_newest = false;
    }
    hash_map_insert(&changes->newest, &record->path_link, hash);
    record->is_newest = true;
}

static void drop(struct outstanding_changes *changes, struct change_record *record) REQUIRES(changes->lock)
{
    if (record->is_newest)
        hash_map_remove(&changes->newest, &record->path_link);
    record->is_newest = false;
    list_remove(&record->link);
    record->is_listed = false;
    changes->count--;
    change_record_unref(record);
}

void outstanding_changes_free(struct outstanding_changes *changes)
{
    if (changes == NULL)
        return;
    mutex_lock(&changes->lock);
    LIST_EACH_SAFE (link, &changes->records)
        drop(changes, LIST_ENTRY(link, struct change_record, link));
    hash_map_release(&changes->newest);
    mutex_unlock(&changes->lock);
    mutex_release(&changes->lock);
    block_pool_close(changes->pool);
    memory_free(changes);
}

struct block_pool *outstanding_changes_pool(struct outstanding_changes *changes)
{
    return changes->pool;
}

struct change_record *outstanding_changes_find(struct outstanding_changes *changes, struct ustring path)
{
    size_t size = path.size > 0 ? (size_t)path.size : 0;
    uint64_t hash = hash_of_path(path.bytes, size);
    mutex_lock(&changes->lock);
    struct change_record *record = changes->count == 0 ? NULL : newest_of(changes, hash, path.bytes, size);
    if (record != NULL)
        change_record_ref(record);
    mutex_unlock(&changes->lock);
    return record;
}

void outstanding_changes_add(struct outstanding_changes *changes, struct change_record *record)
{
    mutex_lock(&changes->lock);
    list_add_last(&changes->records, &record->link);
    record->is_listed = true;
    changes->count++;
    make_newest(changes, record);
    mutex_unlock(&changes->lock);
    server_metrics_count(changes->metrics, METRIC_OUTSTANDING_CHANGES_QUEUED, 1);
}

void outstanding_changes_remove_up_to(struct outstanding_changes *changes, int64_t zxid)
{
    int64_t removed = 0;
    mutex_lock(&changes->lock);
    while (!list_is_empty(&changes->records)) {
        struct change_record *oldest = LIST_ENTRY(changes->records.next, struct change_record, link);
        if (oldest->zxid > zxid)
            break;
        drop(changes, oldest);
        removed++;
    }
    mutex_unlock(&changes->lock);
    if (removed > 0)
        server_metrics_count(changes->metrics, METRIC_OUTSTANDING_CHANGES_REMOVED, removed);
}

bool outstanding_changes_tree_digest(struct outstanding_changes *changes, uint64_t *ret_digest)
{
    mutex_lock(&changes->lock);
    bool is_there = !list_is_empty(&changes->records);
    if (is_there)
        *ret_digest = LIST_ENTRY(changes->records.previous, struct change_record, link)->tree_digest;
    mutex_unlock(&changes->lock);
    return is_there;
}

void outstanding_changes_roll_back(struct outstanding_changes *changes, int64_t zxid,
                                   struct change_record **previous, size_t count)
{
    mutex_lock(&changes->lock);
    while (!list_is_empty(&changes->records)) {
        struct change_record *latest = LIST_ENTRY(changes->records.previous, struct change_record, link);
        if (latest->zxid != zxid)
            break;
        drop(changes, latest);
    }
    for (size_t i = 0; i < count; i++)
        if (previous[i]->is_listed && !previous[i]->is_newest)
            make_newest(changes, previous[i]);
    mutex_unlock(&changes->lock);
}

size_t outstanding_changes_count(struct outstanding_changes *changes)
{
    mutex_lock(&changes->lock);
    size_t count = changes->count;
    mutex_unlock(&changes->lock);
    return count;
}

/* ---- ephemerals of a session, present and to come ---- */

struct path_entry {
    struct java_hash_link link;    /* first */
    size_t size;
    char path[];
};

static struct path_entry *entry_of(struct java_hash_link *link)
{
    return container_of(link, struct path_entry, link);
}

static struct path_entry *find_path(const struct java_hash_set *set, int32_t hash, const char *path, size_t size)
{
    for (struct java_hash_link *link = java_hash_set_chain(set, hash); link != NULL; link = link->next) {
        struct path_entry *entry = entry_of(link);
        if (entry->size == size && memcmp(entry->path, path, size) == 0)
            return entry;
    }
    return NULL;
}

static int compare_paths(const struct java_hash_link *a, const struct java_hash_link *b)
{
    const struct path_entry *entry = container_of(a, const struct path_entry, link);
    const struct path_entry *other = container_of(b, const struct path_entry, link);
    return string_java_compare(entry->path, entry->size, other->path, other->size);
}

static void set_add(struct java_hash_set *set, const char *path, size_t size)
{
    int32_t hash = string_java_hash(path, size);
    if (find_path(set, hash, path, size) != NULL)
        return;
    struct path_entry *entry = memory_alloc(sizeof *entry + size);
    entry->link = (struct java_hash_link){.hash = hash};
    entry->size = size;
    memcpy(entry->path, path, size);
    java_hash_set_add(set, &entry->link, compare_paths);
}

static void set_remove(struct java_hash_set *set, const char *path, size_t size)
{
    struct path_entry *entry = find_path(set, string_java_hash(path, size), path, size);
    if (entry == NULL)
        return;
    java_hash_set_remove(set, &entry->link);
    memory_free(entry);
}

/* Empties the set into a list, in its order. */
static void set_to_list(struct java_hash_set *set, struct path_list *ret_paths)
{
    ret_paths->count = 0;
    ret_paths->paths = MEMORY_NEW_ARRAY((size_t)set->count + 1, char *);
    struct java_hash_link *link = java_hash_set_first(set);
    while (link != NULL) {
        struct java_hash_link *after = java_hash_set_after(set, link);
        struct path_entry *entry = entry_of(link);
        ret_paths->paths[ret_paths->count++] = string_copy_n(entry->path, entry->size);
        memory_free(entry);
        link = after;
    }
    java_hash_set_release(set);
}

void outstanding_changes_ephemerals(struct outstanding_changes *changes, struct data_tree *tree, int64_t session_id,
                                    struct path_list *ret_paths)
{
    mutex_lock(&changes->lock);
    struct path_list present = {0};
    data_tree_get_ephemerals(tree, session_id, &present);
    struct java_hash_set set;
    java_hash_set_init(&set, present.count == 0 ? 16 : java_hash_clone_capacity((uint32_t)present.count));
    for (size_t i = 0; i < present.count; i++)
        set_add(&set, present.paths[i], strlen(present.paths[i]));
    path_list_release(&present);
    LIST_EACH (link, &changes->records) {
        struct change_record *record = LIST_ENTRY(link, struct change_record, link);
        if (!record->exists)
            set_remove(&set, record->path, record->path_size);
        else if (record->stat.ephemeral_owner == session_id)
            set_add(&set, record->path, record->path_size);
    }
    mutex_unlock(&changes->lock);
    set_to_list(&set, ret_paths);
}
