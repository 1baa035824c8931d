/*
 * The watchers of one client, by path. Mirrors ZKWatchManager. Paths are as the server knows them (with the chroot).
 * Not locked: SendThread's, or under the lock of the handle.
 */
#ifndef ZKC_CLIENT_WATCH_REGISTRY_H
#define ZKC_CLIENT_WATCH_REGISTRY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "client/public.h"
#include "common/base/buffer.h"

enum watch_kind {
    WATCH_DATA,                    /* getData, and exists on a node that is there */
    WATCH_EXIST,                   /* exists on one that is not */
    WATCH_CHILD,
    WATCH_PERSISTENT,
    WATCH_PERSISTENT_RECURSIVE,
    WATCH_KINDS
};

/* Whom to call; the same function and context stand in a set once. */
struct watch_callback {
    watcher_fn watcher;
    void *context;
};
struct watch_callbacks {    /* {0} is an empty one; items in the order they were added */
    struct watch_callback *items;
    size_t count, capacity;
    uint32_t *slots;        /* finds items once there are many; private */
    size_t slot_count;
};
void watch_callbacks_add(struct watch_callbacks *callbacks, watcher_fn watcher, void *context);
void watch_callbacks_release(struct watch_callbacks *callbacks);

struct watch_registry;
struct watch_registry *watch_registry_new(void);
void watch_registry_free(struct watch_registry *registry);

/* The same watcher with the same context on one path and kind is there once. */
void watch_registry_add(struct watch_registry *registry, enum watch_kind kind, const char *path, watcher_fn watcher,
                        void *context);
/*
 * Who is to be told of an event of the server (ZOO_CREATED_EVENT ... as in zookeeper.h; of any other type nobody),
 * added to *callbacks. One-shot watchers are gone afterwards; persistent ones stay; recursive ones hear of the nodes
 * below them, and not of ZOO_CHILD_EVENT. Whoever would be called twice is called once.
 */
void watch_registry_materialize(struct watch_registry *registry, int event_type, const char *path,
                                struct watch_callbacks *callbacks);
/* Every watcher there is, each once, for ZOO_SESSION_EVENT; nothing is removed. */
void watch_registry_collect_all(const struct watch_registry *registry, struct watch_callbacks *callbacks);

/* What removing watches means: one-shot and persistent children's, data's, or all of them. */
enum watcher_type { WATCHER_CHILDREN = 1, WATCHER_DATA, WATCHER_ANY, WATCHER_PERSISTENT, WATCHER_PERSISTENT_RECURSIVE };
/* Is there one? `watcher` NULL here and below: any watcher, with any context. */
bool watch_registry_contains(const struct watch_registry *registry, enum watcher_type type, const char *path,
                             watcher_fn watcher, void *context);
/* The server's watch is no more needed once this watcher goes: nobody else on this path has one of these kinds. */
bool watch_registry_is_last(const struct watch_registry *registry, enum watcher_type type, const char *path,
                            watcher_fn watcher, void *context);
/* Those removed are added to *callbacks (may be NULL). The last of a set takes the place of one that is removed. */
void watch_registry_remove(struct watch_registry *registry, enum watcher_type type, const char *path,
                           watcher_fn watcher, void *context, struct watch_callbacks *callbacks);
size_t watch_registry_count(const struct watch_registry *registry);    /* pairs of path and kind */

#define SET_WATCHES_CHUNK (128 << 10)    /* bytes of paths */
/*
 * After a reconnect: appends a frame (length, header with xid -8, setWatches, or setWatches2 when there are persistent
 * watches in it) for every chunk of paths; the path that fills a chunk still belongs to it. Returns the number of
 * frames; 0 when there is no watch.
 */
size_t watch_registry_write_set_watches(const struct watch_registry *registry, int64_t last_zxid, struct buffer *out);

#endif
