/*
 * Who watches: what a watch manager knows of a connection. Mirrors Watcher, ServerWatcher and WatchedEvent. Declared
 * here, filled in by server_cnxn above.
 */
#ifndef ZKC_SERVER_WATCH_WATCHER_H
#define ZKC_SERVER_WATCH_WATCHER_H

#include <stdbool.h>
#include <stdint.h>

#include "common/wire/jute.h"
#include "common/wire/op_code.h"

struct acl_list;    /* tree/acl_cache.h; only passed through here */

struct watch_event {
    int32_t type;                    /* EVENT_* */
    int32_t state;                   /* STATE_* */
    struct ustring path;
    int64_t zxid;                    /* -1: none */
    const struct acl_list *acl;      /* of the node, checked at delivery; NULL: nothing to check */
};

struct watcher;
struct watcher_ops {
    /* Delivers; called with no lock held, from any thread, in the order of the events. Must not block. */
    void (*process)(struct watcher *watcher, const struct watch_event *event);
    /* The connection is closing: no watch is added for it any more. */
    bool (*is_stale)(struct watcher *watcher);
    int64_t (*session_id)(struct watcher *watcher);
    void (*ref)(struct watcher *watcher);
    void (*unref)(struct watcher *watcher);
};
struct watcher {    /* stands inside what watches */
    const struct watcher_ops *ops;
};

#endif
