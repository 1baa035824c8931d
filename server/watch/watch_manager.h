/*
 * Who watches which path, in which mode. Mirrors IWatchManager, WatchManager, WatcherMode, WatchStats and
 * PathParentIterator. A tree has two: data watches and child watches. Any thread; own lock, never held in a callback.
 */
#ifndef ZKC_SERVER_WATCH_WATCH_MANAGER_H
#define ZKC_SERVER_WATCH_WATCH_MANAGER_H

#include <stdbool.h>
#include <stddef.h>

#include "common/base/buffer.h"
#include "server/metric/server_metrics.h"
#include "server/watch/watcher.h"

struct watch_manager;

enum watcher_mode { WATCHER_STANDARD, WATCHER_PERSISTENT, WATCHER_PERSISTENT_RECURSIVE, WATCHER_ANY };

/* Watchers an event went to, so that the other manager can leave them out (an event once per connection). */
struct watcher_set {
    struct watcher **items;    /* sorted by address */
    size_t count;
};
void watcher_set_release(struct watcher_set *set);    /* drops the references; {0} is accepted */

struct watch_manager *watch_manager_new(struct server_metrics *metrics);
void watch_manager_free(struct watch_manager *manager);

/* True if that mode is new for path and watcher. Any text is a path here, also a null one. */
bool watch_manager_add(struct watch_manager *manager, struct ustring path, struct watcher *watcher,
                       enum watcher_mode mode);
/* WATCHER_ANY asks for, or removes, every mode. True if there was one. */
bool watch_manager_contains(struct watch_manager *manager, struct ustring path, struct watcher *watcher,
                            enum watcher_mode mode);
bool watch_manager_remove(struct watch_manager *manager, struct ustring path, struct watcher *watcher,
                          enum watcher_mode mode);
/* All of its watches: the connection closed. Costs its own watches only. */
void watch_manager_remove_watcher(struct watch_manager *manager, struct watcher *watcher);

/*
 * Fires: standard watches of the path go, persistent ones stay, recursive ones of its parents hear it too; except that
 * whoever is in `suppress` (may be NULL) hears nothing. With ret_fired (may be NULL) the watchers are handed out, to be
 * released by the caller. Costs nothing when nobody watches. Calls process() with no lock held.
 */
void watch_manager_trigger(struct watch_manager *manager, struct ustring path, int32_t event_type, int64_t zxid,
                           const struct acl_list *acl, const struct watcher_set *suppress,
                           struct watcher_set *ret_fired);

/* Number of (path, watcher) pairs. */
size_t watch_manager_size(struct watch_manager *manager);
/* As WatchManager.toString (wchs), and dumpWatches by path (wchp) or by session (wchc). */
void watch_manager_print_summary(struct watch_manager *manager, struct buffer *out);
void watch_manager_print(struct watch_manager *manager, bool by_path, struct buffer *out);

#endif
