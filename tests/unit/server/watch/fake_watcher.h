/* A watcher that remembers what it heard; for tests. Not locked: one thread at a time. */
#ifndef ZKC_TESTS_UNIT_SERVER_WATCH_FAKE_WATCHER_H
#define ZKC_TESTS_UNIT_SERVER_WATCH_FAKE_WATCHER_H

#include "common/base/memory.h"
#include "common/base/strings.h"
#include "server/watch/watcher.h"

struct fake_event {
    int32_t type;
    int64_t zxid;
    char *path;
    const struct acl_list *acl;
};
struct fake_watcher {
    struct watcher base;
    int64_t session_id;
    bool is_stale;
    int references;    /* of the watch managers */
    struct fake_event events[4096];
    size_t count;
};

static struct fake_watcher *fake_watcher_of(struct watcher *watcher)
{
    return container_of(watcher, struct fake_watcher, base);
}

static void fake_watcher_process(struct watcher *watcher, const struct watch_event *event)
{
    struct fake_watcher *fake = fake_watcher_of(watcher);
    ck_assert_uint_lt(fake->count, ARRAY_SIZE(fake->events));
    ck_assert_int_eq(event->state, STATE_SYNC_CONNECTED);
    fake->events[fake->count++] = (struct fake_event){
        event->type, event->zxid, string_copy_n(event->path.bytes, (size_t)event->path.size), event->acl};
}

static bool fake_watcher_is_stale(struct watcher *watcher)
{
    return fake_watcher_of(watcher)->is_stale;
}

static int64_t fake_watcher_session_id(struct watcher *watcher)
{
    return fake_watcher_of(watcher)->session_id;
}

static void fake_watcher_ref(struct watcher *watcher)
{
    fake_watcher_of(watcher)->references++;
}

static void fake_watcher_unref(struct watcher *watcher)
{
    fake_watcher_of(watcher)->references--;
}

static const struct watcher_ops fake_watcher_ops = {fake_watcher_process, fake_watcher_is_stale,
                                                    fake_watcher_session_id, fake_watcher_ref, fake_watcher_unref};

static void fake_watcher_init(struct fake_watcher *fake, int64_t session_id)
{
    fake->base.ops = &fake_watcher_ops;
    fake->session_id = session_id;
    fake->is_stale = false;
    fake->references = 0;
    fake->count = 0;
}

static void fake_watcher_forget(struct fake_watcher *fake)
{
    for (size_t i = 0; i < fake->count; i++)
        memory_free(fake->events[i].path);
    fake->count = 0;
}

#endif
