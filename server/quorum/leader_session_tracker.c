/*
 * leader_session_tracker.c - who is asked whether a session lives.
 *
 * Mirrors org.apache.zookeeper.server.quorum.LeaderSessionTracker. A session may be a local and a global one while it
 * is upgraded; the local tracker is asked first.
 * Departs from Java: the server id in a session id is compared without its sign (RELIABILITY 2b, 2901), and sessions
 * get their whole time when the leader starts, not when it was made.
 */
#include "server/quorum/leader_session_tracker.h"

#include <inttypes.h>

#include "common/base/log.h"
#include "common/base/memory.h"
#include "server/quorum/local_session_tracker.h"

struct leader_session_tracker {
    struct upgradeable_session_tracker upgradeable;    /* first */
    struct session_tracker *global;                    /* SessionTrackerImpl */
    int64_t server_id;
};

static struct leader_session_tracker *leader_of(struct session_tracker *self)
{
    return container_of(self, struct leader_session_tracker, upgradeable.base);
}

static struct session_tracker *local_of(struct session_tracker *self)
{
    return leader_of(self)->upgradeable.local;
}

static bool is_global_session(struct upgradeable_session_tracker *self, int64_t id)
{
    struct session_tracker *global = leader_of(&self->base)->global;
    return global->ops->is_tracking_session(global, id);
}

static int64_t create_session(struct session_tracker *self, int32_t timeout_ms)
{
    struct leader_session_tracker *tracker = leader_of(self);
    struct session_tracker *local = local_of(self), *global = tracker->global;
    if (local != NULL)
        return local_session_tracker_create_session(local, tracker->upgradeable.sessions, timeout_ms);
    return global->ops->create_session(global, timeout_ms);
}

static bool track_session(struct session_tracker *self, int64_t id, int32_t timeout_ms)
{
    struct session_tracker *global = leader_of(self)->global;
    bool is_new = global->ops->track_session(global, id, timeout_ms);
    if (is_new && local_of(self) != NULL)
        log_info("Tracking global session 0x%" PRIx64, (uint64_t)id);
    return is_new;
}

static bool commit_session(struct session_tracker *self, int64_t id, int32_t timeout_ms)
{
    struct leader_session_tracker *tracker = leader_of(self);
    mutex_lock(&tracker->upgradeable.lock);
    bool is_new = tracker->global->ops->commit_session(tracker->global, id, timeout_ms);
    upgradeable_session_tracker_end_upgrade(&tracker->upgradeable, id);
    mutex_unlock(&tracker->upgradeable.lock);
    if (is_new)
        log_info("Committing global session 0x%" PRIx64, (uint64_t)id);
    return is_new;
}

static bool touch_session(struct session_tracker *self, int64_t id, int32_t timeout_ms)
{
    struct session_tracker *local = local_of(self), *global = leader_of(self)->global;
    if (local != NULL && local->ops->touch_session(local, id, timeout_ms))
        return true;
    return global->ops->touch_session(global, id, timeout_ms);
}

static void set_session_closing(struct session_tracker *self, int64_t id)
{
    struct session_tracker *local = local_of(self), *global = leader_of(self)->global;
    if (local != NULL)
        local->ops->set_session_closing(local, id);
    global->ops->set_session_closing(global, id);
}

static void remove_session(struct session_tracker *self, int64_t id)
{
    struct leader_session_tracker *tracker = leader_of(self);
    mutex_lock(&tracker->upgradeable.lock);
    upgradeable_session_tracker_end_upgrade(&tracker->upgradeable, id);
    tracker->global->ops->remove_session(tracker->global, id);
    mutex_unlock(&tracker->upgradeable.lock);
}

/* getServerIdFromSessionId: was the session made here. */
static bool is_of_this_server(const struct leader_session_tracker *tracker, int64_t id)
{
    return (uint64_t)id >> 56 == ((uint64_t)tracker->server_id & 0xff);
}

static int check_session(struct session_tracker *self, int64_t id, const void *owner)
{
    struct leader_session_tracker *tracker = leader_of(self);
    struct session_tracker *local = local_of(self), *global = tracker->global;
    if (local != NULL) {
        int err = local->ops->check_session(local, id, owner);
        if (err != ZK_OK && err != ZK_UNKNOWN_SESSION)
            return err;
        if (err == ZK_OK && !global->ops->is_tracking_session(global, id))    /* else it is being upgraded */
            return ZK_OK;
    }
    int err = global->ops->check_session(global, id, owner);
    if (err != ZK_UNKNOWN_SESSION)
        return err;
    /* A local session of another server is not known here; one of ours that is gone is over. */
    return local == NULL || is_of_this_server(tracker, id) ? ZK_SESSION_EXPIRED : ZK_OK;
}

static int check_global_session(struct session_tracker *self, int64_t id, const void *owner)
{
    struct session_tracker *global = leader_of(self)->global;
    return global->ops->check_global_session(global, id, owner);
}

static int set_owner(struct session_tracker *self, int64_t id, const void *owner)
{
    struct session_tracker *local = local_of(self), *global = leader_of(self)->global;
    if (local != NULL && local->ops->set_owner(local, id, owner) == ZK_OK)
        return ZK_OK;
    return global->ops->set_owner(global, id, owner);
}

static size_t global_session_count(struct session_tracker *self)
{
    struct session_tracker *global = leader_of(self)->global;
    return global->ops->global_session_count(global);
}

static void print_sessions(struct session_tracker *self, struct buffer *out)
{
    struct session_tracker *local = local_of(self), *global = leader_of(self)->global;
    if (local != NULL) {
        buffer_append_string(out, "Local ");
        local->ops->print_sessions(local, out);
        buffer_append_string(out, "Global ");
    }
    global->ops->print_sessions(global, out);
}

static void start(struct session_tracker *self)
{
    struct leader_session_tracker *tracker = leader_of(self);
    struct session_tracker *local = local_of(self), *global = tracker->global;
    size_t count;
    struct session_timeout *known = session_table_list(tracker->upgradeable.sessions, &count);
    for (size_t i = 0; i < count; i++)
        global->ops->touch_session(global, known[i].id, known[i].timeout_ms);
    memory_free(known);
    global->ops->start(global);
    if (local != NULL)
        local->ops->start(local);
}

static void shutdown(struct session_tracker *self)
{
    struct session_tracker *local = local_of(self), *global = leader_of(self)->global;
    if (local != NULL)
        local->ops->shutdown(local);
    global->ops->shutdown(global);
}

static void free_tracker(struct session_tracker *self)
{
    struct leader_session_tracker *tracker = leader_of(self);
    tracker->global->ops->free(tracker->global);
    upgradeable_session_tracker_release(&tracker->upgradeable);
    memory_free(tracker);
}

static const struct session_tracker_ops leader_ops = {
    .create_session = create_session,
    .track_session = track_session,
    .commit_session = commit_session,
    .touch_session = touch_session,
    .set_session_closing = set_session_closing,
    .remove_session = remove_session,
    .is_tracking_session = upgradeable_session_tracker_is_tracking,
    .check_session = check_session,
    .check_global_session = check_global_session,
    .set_owner = set_owner,
    .is_local_session = upgradeable_session_tracker_is_local,
    .is_local_sessions_enabled = upgradeable_session_tracker_is_local_enabled,
    .global_session_count = global_session_count,
    .local_session_count = upgradeable_session_tracker_local_count,
    .print_sessions = print_sessions,
    .start = start,
    .shutdown = shutdown,
    .free = free_tracker,
};

struct session_tracker *leader_session_tracker_new(const struct quorum_tracker_options *options)
{
    struct leader_session_tracker *tracker = MEMORY_NEW(struct leader_session_tracker);
    upgradeable_session_tracker_init(&tracker->upgradeable, &leader_ops, is_global_session, options);
    tracker->server_id = options->server_id;
    tracker->global = session_tracker_impl_new(options->expirer, options->sessions, options->tick_time_ms,
                                               options->server_id, options->metrics);
    return &tracker->upgradeable.base;
}
