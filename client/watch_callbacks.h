/* A set of callbacks, as watch_registry.h declares it for its users: what only the registry does with one. */
#ifndef ZKC_CLIENT_WATCH_CALLBACKS_H
#define ZKC_CLIENT_WATCH_CALLBACKS_H

#include "client/watch_registry.h"

/* Its place among the items; `count` when it is not there. */
size_t watch_callbacks_find(const struct watch_callbacks *callbacks, watcher_fn watcher, void *context);
void watch_callbacks_add_all(struct watch_callbacks *callbacks, const struct watch_callbacks *from);
/* False: it was not there. The last item takes its place. */
bool watch_callbacks_remove(struct watch_callbacks *callbacks, watcher_fn watcher, void *context);

#endif
