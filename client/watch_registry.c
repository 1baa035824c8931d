/*
 * watch_registry.c - who watches which path, a table for each kind of watch.
 *
 * Mirrors ZKWatchManager; the watches that go out again after a reconnect, ClientCnxn.SendThread.primeConnection().
 * (1) an entry has at least one callback: the last one to go takes it along.
 * (2) whatever a server sends, an event costs time in proportion to the length of its path: the ancestors of a path are
 *     hashed in one pass from its start.
 * Departs from Java: no default watcher lives here, it is the handle's.
 */
#include "client/watch_registry.h"

#include <assert.h>
#include <string.h>

#include "client/watch_callbacks.h"
#include "common/base/hash_map.h"
#include "common/base/memory.h"
#include "common/wire/jute.h"
#include "common/wire/op_code.h"

enum { EVENT_CREATED = 1, EVENT_DELETED, EVENT_CHANGED, EVENT_CHILD };    /* as they travel */

struct watch_entry {
    struct hash_link link;
    struct watch_callbacks callbacks;
    uint32_t path_size;
    char path[];
};
struct watch_registry {
    struct hash_map entries[WATCH_KINDS];
};

struct watch_registry *watch_registry_new(void)
{
    return MEMORY_NEW(struct watch_registry);
}

static struct watch_entry *entry_of(struct hash_link *link)
{
    return container_of(link, struct watch_entry, link);
}

static void entry_free(struct watch_entry *entry)
{
    watch_callbacks_release(&entry->callbacks);
    memory_free(entry);
}

void watch_registry_free(struct watch_registry *registry)
{
    if (registry == NULL)
        return;
    for (int kind = 0; kind < WATCH_KINDS; kind++) {
        struct hash_map *entries = &registry->entries[kind];
        for (struct hash_link *link = hash_map_first(entries), *next; link != NULL; link = next) {
            next = hash_map_after(entries, link);
            entry_free(entry_of(link));
        }
        hash_map_release(entries);
    }
    memory_free(registry);
}

static struct watch_entry *find_hashed(const struct hash_map *entries, const char *path, size_t size, uint64_t hash)
{
    for (struct hash_link *link = hash_map_find(entries, hash); link != NULL; link = hash_map_find_next(link)) {
        struct watch_entry *entry = entry_of(link);
        if (entry->path_size == size && memcmp(entry->path, path, size) == 0)
            return entry;
    }
    return NULL;
}

static struct watch_entry *find(const struct watch_registry *registry, enum watch_kind kind, const char *path)
{
    size_t size = strlen(path);
    return find_hashed(&registry->entries[kind], path, size, hash_bytes(path, size));
}

static void drop(struct watch_registry *registry, enum watch_kind kind, struct watch_entry *entry)
{
    hash_map_remove(&registry->entries[kind], &entry->link);
    entry_free(entry);
}

void watch_registry_add(struct watch_registry *registry, enum watch_kind kind, const char *path, watcher_fn watcher,
                        void *context)
{
    struct watch_entry *entry = find(registry, kind, path);
    if (entry == NULL) {
        size_t size = strlen(path);
        assert(size < INT32_MAX);
        entry = memory_alloc(sizeof(*entry) + size + 1);
        *entry = (struct watch_entry){ .path_size = (uint32_t)size };
        memcpy(entry->path, path, size + 1);
        hash_map_insert(&registry->entries[kind], &entry->link, hash_bytes(path, size));
    }
    watch_callbacks_add(&entry->callbacks, watcher, context);
}

/* Tells the watchers of exactly this path. */
static void tell(struct watch_registry *registry, enum watch_kind kind, const char *path,
                 struct watch_callbacks *callbacks)
{
    struct watch_entry *entry = find(registry, kind, path);
    if (entry == NULL)
        return;
    watch_callbacks_add_all(callbacks, &entry->callbacks);
    if (kind != WATCH_PERSISTENT)
        drop(registry, kind, entry);
}

static void tell_recursive_at(const struct hash_map *entries, const char *path, size_t size, uint64_t hash,
                              struct watch_callbacks *callbacks)
{
    const struct watch_entry *entry = find_hashed(entries, path, size, hash);
    if (entry != NULL)
        watch_callbacks_add_all(callbacks, &entry->callbacks);
}

/* Those of the path and of every node above it, up to the root. */
static void tell_recursive(const struct watch_registry *registry, const char *path, struct watch_callbacks *callbacks)
{
    const struct hash_map *entries = &registry->entries[WATCH_PERSISTENT_RECURSIVE];
    if (entries->count == 0 || path[0] != '/')
        return;
    tell_recursive_at(entries, "/", 1, hash_bytes("/", 1), callbacks);
    uint64_t hash = 0;
    for (size_t end = 0; path[end] == '/' && path[1] != '\0';) {
        size_t next = end + 1 + strcspn(path + end + 1, "/");
        hash = end == 0 ? hash_bytes(path, next) : hash_bytes_continue(hash, path + end, next - end);
        tell_recursive_at(entries, path, next, hash, callbacks);
        end = next;
    }
}

void watch_registry_materialize(struct watch_registry *registry, int event_type, const char *path,
                                struct watch_callbacks *callbacks)
{
    static const struct {
        int event_type;
        bool told[WATCH_KINDS];
        bool is_told_above;
    } rules[] = {
        { EVENT_CREATED, { [WATCH_DATA] = true, [WATCH_EXIST] = true, [WATCH_PERSISTENT] = true }, true },
        { EVENT_CHANGED, { [WATCH_DATA] = true, [WATCH_EXIST] = true, [WATCH_PERSISTENT] = true }, true },
        { EVENT_DELETED,
          { [WATCH_DATA] = true, [WATCH_EXIST] = true, [WATCH_CHILD] = true, [WATCH_PERSISTENT] = true }, true },
        { EVENT_CHILD, { [WATCH_CHILD] = true, [WATCH_PERSISTENT] = true }, false },
    };
    for (size_t i = 0; i < ARRAY_SIZE(rules); i++) {
        if (rules[i].event_type != event_type)
            continue;
        for (int kind = 0; kind < WATCH_KINDS; kind++) {
            if (rules[i].told[kind])
                tell(registry, (enum watch_kind)kind, path, callbacks);
        }
        if (rules[i].is_told_above)
            tell_recursive(registry, path, callbacks);
    }
}

void watch_registry_collect_all(const struct watch_registry *registry, struct watch_callbacks *callbacks)
{
    for (int kind = 0; kind < WATCH_KINDS; kind++) {
        const struct hash_map *entries = &registry->entries[kind];
        for (struct hash_link *link = hash_map_first(entries); link != NULL; link = hash_map_after(entries, link))
            watch_callbacks_add_all(callbacks, &entry_of(link)->callbacks);
    }
}

static bool is_of_type(enum watch_kind kind, enum watcher_type type)
{
    switch (kind) {
    case WATCH_DATA:
    case WATCH_EXIST: return type == WATCHER_DATA || type == WATCHER_ANY;
    case WATCH_CHILD: return type == WATCHER_CHILDREN || type == WATCHER_ANY;
    case WATCH_PERSISTENT: return type == WATCHER_PERSISTENT || type == WATCHER_ANY;
    case WATCH_PERSISTENT_RECURSIVE: return type == WATCHER_PERSISTENT_RECURSIVE || type == WATCHER_ANY;
    default: return false;
    }
}

/* The entry of this kind when the type is about it and there is one. */
static struct watch_entry *find_of_type(const struct watch_registry *registry, int kind, enum watcher_type type,
                                        const char *path)
{
    return is_of_type((enum watch_kind)kind, type) ? find(registry, (enum watch_kind)kind, path) : NULL;
}

bool watch_registry_contains(const struct watch_registry *registry, enum watcher_type type, const char *path,
                             watcher_fn watcher, void *context)
{
    for (int kind = 0; kind < WATCH_KINDS; kind++) {
        const struct watch_entry *entry = find_of_type(registry, kind, type, path);
        if (entry == NULL)
            continue;
        if (watcher == NULL || watch_callbacks_find(&entry->callbacks, watcher, context) < entry->callbacks.count)
            return true;
    }
    return false;
}

bool watch_registry_is_last(const struct watch_registry *registry, enum watcher_type type, const char *path,
                            watcher_fn watcher, void *context)
{
    for (int kind = 0; watcher != NULL && kind < WATCH_KINDS; kind++) {
        const struct watch_entry *entry = find_of_type(registry, kind, type, path);
        if (entry == NULL)
            continue;
        if (entry->callbacks.count > 1 || watch_callbacks_find(&entry->callbacks, watcher, context) > 0)
            return false;
    }
    return true;
}

void watch_registry_remove(struct watch_registry *registry, enum watcher_type type, const char *path,
                           watcher_fn watcher, void *context, struct watch_callbacks *callbacks)
{
    for (int kind = 0; kind < WATCH_KINDS; kind++) {
        struct watch_entry *entry = find_of_type(registry, kind, type, path);
        if (entry == NULL)
            continue;
        if (watcher == NULL) {
            if (callbacks != NULL)
                watch_callbacks_add_all(callbacks, &entry->callbacks);
            drop(registry, (enum watch_kind)kind, entry);
            continue;
        }
        if (!watch_callbacks_remove(&entry->callbacks, watcher, context))
            continue;
        if (callbacks != NULL)
            watch_callbacks_add(callbacks, watcher, context);
        if (entry->callbacks.count == 0)
            drop(registry, (enum watch_kind)kind, entry);
    }
}

size_t watch_registry_count(const struct watch_registry *registry)
{
    size_t count = 0;
    for (int kind = 0; kind < WATCH_KINDS; kind++)
        count += registry->entries[kind].count;
    return count;
}

/* Where the writing of paths stands: the next one, and the kind it is of. */
struct path_cursor {
    const struct watch_registry *registry;
    int kind;
    const struct hash_link *next;
};

static void cursor_settle(struct path_cursor *cursor)
{
    while (cursor->next == NULL && ++cursor->kind < WATCH_KINDS)
        cursor->next = hash_map_first(&cursor->registry->entries[cursor->kind]);
}

/* The paths of one kind that still fit, as a counted vector. */
static void write_paths(struct path_cursor *cursor, int kind, size_t *chunk, struct buffer *out)
{
    size_t count_at = out->size;
    uint32_t count = 0;
    jute_write_int32(out, 0);
    while (cursor->kind == kind && *chunk < SET_WATCHES_CHUNK) {
        const struct watch_entry *entry = container_of(cursor->next, struct watch_entry, link);
        jute_write_int32(out, (int32_t)entry->path_size);
        buffer_append(out, entry->path, entry->path_size);    /* as the server has it, byte for byte */
        *chunk += entry->path_size;
        count++;
        cursor->next = hash_map_after(&cursor->registry->entries[kind], cursor->next);
        cursor_settle(cursor);
    }
    store_be32(out->bytes + count_at, count);
}

static void write_frame(struct path_cursor *cursor, int64_t last_zxid, struct buffer *out)
{
    size_t start = out->size, type_at = start + 8, chunk = 0;
    jute_write_int32(out, 0);
    jute_write_int32(out, XID_SET_WATCHES);
    jute_write_int32(out, OP_SET_WATCHES);
    jute_write_int64(out, last_zxid);
    for (int kind = WATCH_DATA; kind <= WATCH_CHILD; kind++)
        write_paths(cursor, kind, &chunk, out);
    if (cursor->kind < WATCH_KINDS && chunk < SET_WATCHES_CHUNK) {
        for (int kind = WATCH_PERSISTENT; kind < WATCH_KINDS; kind++)
            write_paths(cursor, kind, &chunk, out);
        store_be32(out->bytes + type_at, OP_SET_WATCHES2);
    }
    store_be32(out->bytes + start, (uint32_t)(out->size - start - 4));
}

size_t watch_registry_write_set_watches(const struct watch_registry *registry, int64_t last_zxid, struct buffer *out)
{
    struct path_cursor cursor = { .registry = registry, .kind = -1 };
    size_t frames = 0;
    for (cursor_settle(&cursor); cursor.kind < WATCH_KINDS; frames++)
        write_frame(&cursor, last_zxid, out);
    return frames;
}
