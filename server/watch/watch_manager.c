/*
 * watch_manager.c - two indexes over the same watches: by path and by watcher.
 *
 *   path entry ----- watch ----- watch        a watch is one pair of path and watcher, with its modes; it hangs in the
 *                      |           |          list of its path and in that of its watcher, and is found by both in one
 *   watcher entry -----+     watcher entry    table
 *
 * (1) A path entry has a watch; it goes with its last one.
 * (2) A watcher entry holds one reference to its watcher. As in Java it stays when the last of its watches has fired,
 *     and goes when that is removed or the watcher itself is.
 * (3) Parents of a path are looked at only while there are recursive watches.
 * Mirrors WatchManager and WatchStats. Nothing of a watcher is called under the lock that could come back here: only
 * is_stale(), ref() and session_id(). The last reference is dropped and events are delivered when it is released.
 */
#include "server/watch/watch_manager.h"

#include <assert.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/hash_map.h"
#include "common/base/list.h"
#include "common/base/memory.h"
#include "common/base/random.h"
#include "common/base/strings.h"
#include "common/thread/mutex.h"
#include "common/wire/path.h"

#define FIRST_JAVA_CAPACITY 16    /* new HashMap<>() */

struct path_entry {
    struct hash_link link;
    struct list watches;          /* watch.of_path */
    uint32_t watch_count;
    int32_t size;                 /* -1: Java's null */
    char path[];
};

struct watcher_entry {
    struct hash_link link;
    struct list watches;          /* watch.of_watcher */
    struct watcher *watcher;
    uint32_t watch_count;
    uint32_t java_capacity;       /* of the table of paths that Java has for it */
};

struct watch {
    struct hash_link link;        /* by both entries */
    struct list of_path, of_watcher;
    struct path_entry *path;
    struct watcher_entry *watcher;
    unsigned modes;               /* bits of watcher_mode */
};

struct watch_manager {
    struct mutex lock;
    struct server_metrics *metrics;
    struct hash_map paths GUARDED_BY(lock);
    struct hash_map watchers GUARDED_BY(lock);
    struct hash_map watches GUARDED_BY(lock);
    size_t recursive_count GUARDED_BY(lock);
    uint32_t java_capacity GUARDED_BY(lock);    /* of Java's watchTable */
    _Atomic size_t size;                        /* watches; read without the lock too */
    uint64_t seed;                              /* nobody can choose paths that collide */
};

/* Watchers that an event goes to, each with a reference. */
struct recipients {
    struct watcher **items;
    size_t count, capacity;
    bool may_repeat;    /* one may be in it twice */
};

static unsigned mode_bits(enum watcher_mode mode)
{
    return mode == WATCHER_ANY ? ~0u : 1u << mode;
}

static uint64_t hash_of_path(const struct watch_manager *manager, struct ustring path)
{
    return hash_bytes_whole(manager->seed, path.bytes, path.size > 0 ? (size_t)path.size : 0);
}

static uint64_t hash_of_pointer(const void *pointer)
{
    return hash_int64((int64_t)(uintptr_t)pointer);
}

static uint64_t hash_of_pair(const struct path_entry *path, const struct watcher_entry *watcher)
{
    return hash_int64((int64_t)((uintptr_t)path * 31 + (uintptr_t)watcher));
}

static struct ustring path_text(const struct path_entry *entry)
{
    return (struct ustring){entry->path, entry->size};
}

/* A HashMap that now holds so many doubles when it must; it never shrinks. */
static void count_in_java_table(uint32_t *capacity, size_t count)
{
    if (count > *capacity / 4 * 3)
        *capacity *= 2;
}

/* ---- the indexes ---- */

static struct path_entry *find_path(struct watch_manager *manager, struct ustring path) REQUIRES(manager->lock)
{
    struct hash_link *link = hash_map_find(&manager->paths, hash_of_path(manager, path));
    for (; link != NULL; link = hash_map_find_next(link)) {
        struct path_entry *entry = container_of(link, struct path_entry, link);
        if (ustring_equal(path_text(entry), path))
            return entry;
    }
    return NULL;
}

static struct path_entry *add_path(struct watch_manager *manager, struct ustring path) REQUIRES(manager->lock)
{
    size_t size = path.size > 0 ? (size_t)path.size : 0;
    struct path_entry *entry = memory_alloc(sizeof(*entry) + size);
    list_init(&entry->watches);
    entry->watch_count = 0;
    entry->size = path.size;
    if (size > 0)
        memcpy(entry->path, path.bytes, size);
    hash_map_insert(&manager->paths, &entry->link, hash_of_path(manager, path));
    count_in_java_table(&manager->java_capacity, manager->paths.count);
    return entry;
}

static struct watcher_entry *find_watcher(struct watch_manager *manager, const struct watcher *watcher)
    REQUIRES(manager->lock)
{
    struct hash_link *link = hash_map_find(&manager->watchers, hash_of_pointer(watcher));
    while (link != NULL && container_of(link, struct watcher_entry, link)->watcher != watcher)
        link = hash_map_find_next(link);
    return link == NULL ? NULL : container_of(link, struct watcher_entry, link);
}

static struct watcher_entry *add_watcher(struct watch_manager *manager, struct watcher *watcher)
    REQUIRES(manager->lock)
{
    struct watcher_entry *entry = MEMORY_NEW(struct watcher_entry);
    list_init(&entry->watches);
    watcher->ops->ref(watcher);    /* (2) */
    entry->watcher = watcher;
    entry->java_capacity = FIRST_JAVA_CAPACITY;
    hash_map_insert(&manager->watchers, &entry->link, hash_of_pointer(watcher));
    return entry;
}

/* It has no watches any more; the reference is the caller's to drop when the lock is released. */
static struct watcher *take_out_watcher(struct watch_manager *manager, struct watcher_entry *entry)
    REQUIRES(manager->lock)
{
    struct watcher *watcher = entry->watcher;
    hash_map_remove(&manager->watchers, &entry->link);
    memory_free(entry);
    return watcher;
}

static struct watch *find_watch(struct watch_manager *manager, const struct path_entry *path,
                                const struct watcher_entry *watcher) REQUIRES(manager->lock)
{
    if (path == NULL || watcher == NULL)
        return NULL;
    struct hash_link *link = hash_map_find(&manager->watches, hash_of_pair(path, watcher));
    for (; link != NULL; link = hash_map_find_next(link)) {
        struct watch *watch = container_of(link, struct watch, link);
        if (watch->path == path && watch->watcher == watcher)
            return watch;
    }
    return NULL;
}

static struct watch *add_watch(struct watch_manager *manager, struct path_entry *path, struct watcher_entry *watcher)
    REQUIRES(manager->lock)
{
    struct watch *watch = MEMORY_NEW(struct watch);
    watch->path = path;
    watch->watcher = watcher;
    list_add_last(&path->watches, &watch->of_path);
    list_add_last(&watcher->watches, &watch->of_watcher);
    path->watch_count++;
    watcher->watch_count++;
    count_in_java_table(&watcher->java_capacity, watcher->watch_count);
    hash_map_insert(&manager->watches, &watch->link, hash_of_pair(path, watcher));
    atomic_fetch_add(&manager->size, 1);
    return watch;
}

static void remove_watch(struct watch_manager *manager, struct watch *watch) REQUIRES(manager->lock)
{
    struct path_entry *path = watch->path;
    list_remove(&watch->of_path);
    list_remove(&watch->of_watcher);
    watch->watcher->watch_count--;
    hash_map_remove(&manager->watches, &watch->link);
    atomic_fetch_sub(&manager->size, 1);
    memory_free(watch);
    if (--path->watch_count == 0) {    /* (1) */
        hash_map_remove(&manager->paths, &path->link);
        memory_free(path);
    }
}

/* The modes a watch has from now on; it goes with its last one. */
static void set_modes(struct watch_manager *manager, struct watch *watch, unsigned modes) REQUIRES(manager->lock)
{
    unsigned recursive = mode_bits(WATCHER_PERSISTENT_RECURSIVE);
    if ((watch->modes & recursive) == 0 && (modes & recursive) != 0)
        manager->recursive_count++;
    if ((watch->modes & recursive) != 0 && (modes & recursive) == 0)
        manager->recursive_count--;
    watch->modes = modes;
    if (modes == 0)
        remove_watch(manager, watch);
}

/* ---- firing ---- */

static void add_recipient(struct recipients *recipients, struct watcher *watcher)
{
    if (recipients->count == recipients->capacity) {
        recipients->capacity = recipients->capacity > 0 ? 2 * recipients->capacity : 8;
        recipients->items = memory_realloc(recipients->items, recipients->capacity * sizeof(recipients->items[0]));
    }
    watcher->ops->ref(watcher);
    recipients->items[recipients->count++] = watcher;
}

/* Everybody who watches the path itself; standard watches are over. */
static void collect_at_path(struct watch_manager *manager, struct path_entry *path, struct recipients *recipients)
    REQUIRES(manager->lock)
{
    size_t left = path->watch_count;    /* the entry goes with its last watch, so the list's head is not asked */
    struct list *link = path->watches.next;
    for (; left > 0; left--) {
        struct watch *watch = LIST_ENTRY(link, struct watch, of_path);
        link = link->next;
        add_recipient(recipients, watch->watcher->watcher);
        set_modes(manager, watch, watch->modes & ~mode_bits(WATCHER_STANDARD));
    }
}

static void collect_recursive(const struct path_entry *path, struct recipients *recipients)
{
    LIST_EACH(link, &path->watches) {
        struct watch *watch = LIST_ENTRY(link, struct watch, of_path);
        if ((watch->modes & mode_bits(WATCHER_PERSISTENT_RECURSIVE)) != 0)
            add_recipient(recipients, watch->watcher->watcher);
    }
}

static void collect(struct watch_manager *manager, struct ustring path, struct recipients *recipients)
    REQUIRES(manager->lock)
{
    bool ask_parents = manager->recursive_count > 0;    /* (3); asked first, as in Java */
    struct path_entry *entry = find_path(manager, path);
    if (entry != NULL)
        collect_at_path(manager, entry, recipients);
    struct ustring at = path;
    while (ask_parents && path_parent(at, &at)) {
        entry = find_path(manager, at);
        if (entry == NULL)
            continue;
        recipients->may_repeat = true;
        collect_recursive(entry, recipients);
    }
}

static int compare_pointers(const void *a, const void *b)
{
    uintptr_t left = (uintptr_t)*(struct watcher *const *)a;
    uintptr_t right = (uintptr_t)*(struct watcher *const *)b;
    return left < right ? -1 : left > right;
}

/* Sorted by address, each once. */
static void sort_recipients(struct recipients *recipients)
{
    if (recipients->count < 2)
        return;
    qsort(recipients->items, recipients->count, sizeof(recipients->items[0]), compare_pointers);
    size_t kept = 1;
    for (size_t i = 1; i < recipients->count; i++) {
        struct watcher *watcher = recipients->items[i];
        if (watcher == recipients->items[kept - 1])
            watcher->ops->unref(watcher);
        else
            recipients->items[kept++] = watcher;
    }
    recipients->count = kept;
}

static bool is_in(const struct watcher_set *set, struct watcher *watcher)
{
    return set != NULL && set->count > 0 &&
           bsearch(&watcher, set->items, set->count, sizeof(set->items[0]), compare_pointers) != NULL;
}

static void count_fired(struct watch_manager *manager, int32_t event_type, size_t count)
{
    switch (event_type) {
    case EVENT_NODE_CREATED:
        server_metrics_sample(manager->metrics, METRIC_NODE_CREATED_WATCHER, (int64_t)count);
        break;
    case EVENT_NODE_DELETED:
        server_metrics_sample(manager->metrics, METRIC_NODE_DELETED_WATCHER, (int64_t)count);
        break;
    case EVENT_NODE_DATA_CHANGED:
        server_metrics_sample(manager->metrics, METRIC_NODE_CHANGED_WATCHER, (int64_t)count);
        break;
    case EVENT_NODE_CHILDREN_CHANGED:
        server_metrics_sample(manager->metrics, METRIC_NODE_CHILDREN_WATCHER, (int64_t)count);
        break;
    default:
        break;
    }
}

/* ---- printing ---- */

struct sorted {
    uint32_t bucket;
    const struct path_entry *path;
};

static int compare_buckets(const void *a, const void *b)
{
    uint32_t left = ((const struct sorted *)a)->bucket;
    uint32_t right = ((const struct sorted *)b)->bucket;
    return left < right ? -1 : left > right;
}

static struct sorted sorted_of(const struct path_entry *path, uint32_t capacity)
{
    uint32_t hash = path->size > 0 ? (uint32_t)string_java_hash(path->path, (size_t)path->size) : 0;
    return (struct sorted){(hash ^ hash >> 16) & (capacity - 1), path};
}

static void print_path(const struct path_entry *path, struct buffer *out)
{
    if (path->size < 0)
        buffer_append_string(out, "null");
    else
        buffer_append(out, path->path, (size_t)path->size);
    buffer_append_byte(out, '\n');
}

static void print_session(struct watcher *watcher, struct buffer *out)
{
    buffer_printf(out, "0x%" PRIx64 "\n", (uint64_t)watcher->ops->session_id(watcher));
}

/* In the order of the buckets of Java's table of that size. */
static void print_by_path(struct watch_manager *manager, struct buffer *out) REQUIRES(manager->lock)
{
    struct sorted *paths = MEMORY_NEW_ARRAY(manager->paths.count, struct sorted);
    size_t count = 0;
    struct hash_link *link = hash_map_first(&manager->paths);
    for (; link != NULL; link = hash_map_after(&manager->paths, link))
        paths[count++] = sorted_of(container_of(link, struct path_entry, link), manager->java_capacity);
    qsort(paths, count, sizeof(paths[0]), compare_buckets);
    for (size_t i = 0; i < count; i++) {
        print_path(paths[i].path, out);
        LIST_EACH(at, &paths[i].path->watches) {
            buffer_append_byte(out, '\t');
            print_session(LIST_ENTRY(at, struct watch, of_path)->watcher->watcher, out);
        }
    }
    memory_free(paths);
}

static void print_watcher(const struct watcher_entry *entry, struct buffer *out)
{
    struct sorted *paths = MEMORY_NEW_ARRAY(entry->watch_count, struct sorted);
    size_t count = 0;
    LIST_EACH(at, &entry->watches)
        paths[count++] = sorted_of(LIST_ENTRY(at, struct watch, of_watcher)->path, entry->java_capacity);
    qsort(paths, count, sizeof(paths[0]), compare_buckets);
    print_session(entry->watcher, out);
    for (size_t i = 0; i < count; i++) {
        buffer_append_byte(out, '\t');
        print_path(paths[i].path, out);
    }
    memory_free(paths);
}

/* ---- public ---- */

void watcher_set_release(struct watcher_set *set)
{
    for (size_t i = 0; i < set->count; i++)
        set->items[i]->ops->unref(set->items[i]);
    memory_free(set->items);
    *set = (struct watcher_set){0};
}

struct watch_manager *watch_manager_new(struct server_metrics *metrics)
{
    struct watch_manager *manager = MEMORY_NEW(struct watch_manager);
    mutex_init(&manager->lock);
    manager->metrics = metrics;
    manager->java_capacity = FIRST_JAVA_CAPACITY;
    manager->seed = random_uint64();
    return manager;
}

void watch_manager_free(struct watch_manager *manager)
{
    if (manager == NULL)
        return;
    mutex_lock(&manager->lock);
    struct hash_link *link = hash_map_first(&manager->watchers);
    while (link != NULL) {
        struct watcher *watcher = container_of(link, struct watcher_entry, link)->watcher;
        link = hash_map_after(&manager->watchers, link);
        mutex_unlock(&manager->lock);
        watch_manager_remove_watcher(manager, watcher);
        mutex_lock(&manager->lock);
    }
    hash_map_release(&manager->paths);
    hash_map_release(&manager->watchers);
    hash_map_release(&manager->watches);
    mutex_unlock(&manager->lock);
    mutex_release(&manager->lock);
    memory_free(manager);
}

bool watch_manager_add(struct watch_manager *manager, struct ustring path, struct watcher *watcher,
                       enum watcher_mode mode)
{
    assert(mode != WATCHER_ANY);
    mutex_lock(&manager->lock);
    bool is_new = false;
    if (!watcher->ops->is_stale(watcher)) {    /* under the lock: who closes sets it before he removes his watches */
        struct path_entry *path_entry = find_path(manager, path);
        struct watcher_entry *watcher_entry = find_watcher(manager, watcher);
        struct watch *watch = find_watch(manager, path_entry, watcher_entry);
        if (watcher_entry == NULL)
            watcher_entry = add_watcher(manager, watcher);
        if (path_entry == NULL)
            path_entry = add_path(manager, path);
        if (watch == NULL)
            watch = add_watch(manager, path_entry, watcher_entry);
        is_new = (watch->modes & mode_bits(mode)) == 0;
        set_modes(manager, watch, watch->modes | mode_bits(mode));
    }
    mutex_unlock(&manager->lock);
    return is_new;
}

bool watch_manager_contains(struct watch_manager *manager, struct ustring path, struct watcher *watcher,
                            enum watcher_mode mode)
{
    mutex_lock(&manager->lock);
    struct watch *watch = find_watch(manager, find_path(manager, path), find_watcher(manager, watcher));
    bool contains = watch != NULL && (watch->modes & mode_bits(mode)) != 0;
    mutex_unlock(&manager->lock);
    return contains;
}

bool watch_manager_remove(struct watch_manager *manager, struct ustring path, struct watcher *watcher,
                          enum watcher_mode mode)
{
    struct watcher *released = NULL;
    mutex_lock(&manager->lock);
    struct watcher_entry *entry = find_watcher(manager, watcher);
    struct watch *watch = find_watch(manager, find_path(manager, path), entry);
    bool had = watch != NULL && (watch->modes & mode_bits(mode)) != 0;
    if (had) {
        set_modes(manager, watch, watch->modes & ~mode_bits(mode));
        if (entry->watch_count == 0)
            released = take_out_watcher(manager, entry);
    }
    mutex_unlock(&manager->lock);
    if (released != NULL)
        released->ops->unref(released);
    return had;
}

void watch_manager_remove_watcher(struct watch_manager *manager, struct watcher *watcher)
{
    struct watcher *released = NULL;
    mutex_lock(&manager->lock);
    struct watcher_entry *entry = find_watcher(manager, watcher);
    if (entry != NULL) {
        LIST_EACH_SAFE(link, &entry->watches)
            set_modes(manager, LIST_ENTRY(link, struct watch, of_watcher), 0);
        released = take_out_watcher(manager, entry);
    }
    mutex_unlock(&manager->lock);
    if (released != NULL)
        released->ops->unref(released);
}

void watch_manager_trigger(struct watch_manager *manager, struct ustring path, int32_t event_type, int64_t zxid,
                           const struct acl_list *acl, const struct watcher_set *suppress,
                           struct watcher_set *ret_fired)
{
    if (ret_fired != NULL)
        *ret_fired = (struct watcher_set){0};
    if (path.size <= 0 || atomic_load(&manager->size) == 0)
        return;
    struct recipients recipients = {0};
    mutex_lock(&manager->lock);
    collect(manager, path, &recipients);
    mutex_unlock(&manager->lock);
    if (recipients.count == 0)
        return;
    if (recipients.may_repeat || ret_fired != NULL)
        sort_recipients(&recipients);
    struct watch_event event = {event_type, STATE_SYNC_CONNECTED, path, zxid, acl};
    for (size_t i = 0; i < recipients.count; i++) {
        struct watcher *watcher = recipients.items[i];
        if (!is_in(suppress, watcher))
            watcher->ops->process(watcher, &event);
    }
    count_fired(manager, event_type, recipients.count);
    struct watcher_set fired = {recipients.items, recipients.count};
    if (ret_fired != NULL)
        *ret_fired = fired;
    else
        watcher_set_release(&fired);
}

size_t watch_manager_size(struct watch_manager *manager)
{
    return atomic_load(&manager->size);
}

void watch_manager_print_summary(struct watch_manager *manager, struct buffer *out)
{
    mutex_lock(&manager->lock);
    buffer_printf(out, "%zu connections watching %zu paths\nTotal watches:%zu", manager->watchers.count,
                  manager->paths.count, manager->watches.count);
    mutex_unlock(&manager->lock);
}

void watch_manager_print(struct watch_manager *manager, bool by_path, struct buffer *out)
{
    mutex_lock(&manager->lock);
    if (by_path) {
        print_by_path(manager, out);
    } else {
        struct hash_link *link = hash_map_first(&manager->watchers);
        for (; link != NULL; link = hash_map_after(&manager->watchers, link))
            print_watcher(container_of(link, struct watcher_entry, link), out);
    }
    mutex_unlock(&manager->lock);
}
