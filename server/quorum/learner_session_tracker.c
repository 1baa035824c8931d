/*
 * learner_session_tracker.c - remembers touches for the leader, who keeps the time.
 *
 * Mirrors org.apache.zookeeper.server.quorum.LearnerSessionTracker.
 * Lock order: the tracker's (upgrades), then touch_lock, then a table's.
 * Departs from Java: ids start from the wall clock and none is given out that is known (RELIABILITY 2b, owner reuse).
 */
#include "server/quorum/learner_session_tracker.h"

#include <inttypes.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/memory.h"
#include "common/wire/jute.h"
#include "server/quorum/local_session_tracker.h"

struct learner_session_tracker {
    struct upgradeable_session_tracker upgradeable;    /* first */
    struct mutex touch_lock;
    struct session_table *touch_table GUARDED_BY(touch_lock);
    int64_t next_session_id GUARDED_BY(touch_lock);
};

static struct learner_session_tracker *learner_of(struct session_tracker *self)
{
    return container_of(self, struct learner_session_tracker, upgradeable.base);
}

static struct session_tracker *local_of(struct session_tracker *self)
{
    return learner_of(self)->upgradeable.local;
}

static bool is_global_session(struct upgradeable_session_tracker *self, int64_t id)
{
    int32_t timeout_ms;
    return session_table_get(self->sessions, id, &timeout_ms);
}

static void note_touch(struct learner_session_tracker *tracker, int64_t id, int32_t timeout_ms)
{
    mutex_lock(&tracker->touch_lock);
    session_table_put(tracker->touch_table, id, timeout_ms);
    mutex_unlock(&tracker->touch_lock);
}

static int64_t create_session(struct session_tracker *self, int32_t timeout_ms)
{
    struct learner_session_tracker *tracker = learner_of(self);
    struct session_table *sessions = tracker->upgradeable.sessions;
    if (local_of(self) != NULL)
        return local_session_tracker_create_session(local_of(self), sessions, timeout_ms);
    mutex_lock(&tracker->touch_lock);
    while (!session_id_may_be_given_out(sessions, tracker->next_session_id))
        tracker->next_session_id = session_next_id(tracker->next_session_id);
    int64_t id = tracker->next_session_id;
    tracker->next_session_id = session_next_id(id);
    mutex_unlock(&tracker->touch_lock);
    return id;
}

/* The leader tracks global sessions. */
static bool track_session(struct session_tracker *self, int64_t id, int32_t timeout_ms)
{
    (void)self;
    (void)id;
    (void)timeout_ms;
    return false;
}

static bool commit_session(struct session_tracker *self, int64_t id, int32_t timeout_ms)
{
    struct learner_session_tracker *tracker = learner_of(self);
    mutex_lock(&tracker->upgradeable.lock);
    bool is_new = !is_global_session(&tracker->upgradeable, id);
    session_table_put(tracker->upgradeable.sessions, id, timeout_ms);
    upgradeable_session_tracker_end_upgrade(&tracker->upgradeable, id);
    mutex_unlock(&tracker->upgradeable.lock);
    note_touch(tracker, id, timeout_ms);
    if (is_new)
        log_info("Committing global session 0x%" PRIx64, (uint64_t)id);
    return is_new;
}

static bool touch_session(struct session_tracker *self, int64_t id, int32_t timeout_ms)
{
    struct learner_session_tracker *tracker = learner_of(self);
    struct session_tracker *local = local_of(self);
    if (local != NULL) {
        if (local->ops->touch_session(local, id, timeout_ms))
            return true;
        if (!is_global_session(&tracker->upgradeable, id) && !upgradeable_session_tracker_is_upgrading(self, id))
            return false;
    }
    note_touch(tracker, id, timeout_ms);
    return true;
}

static void set_session_closing(struct session_tracker *self, int64_t id)
{
    struct session_tracker *local = local_of(self);
    if (local != NULL)
        local->ops->set_session_closing(local, id);
}

static void remove_session(struct session_tracker *self, int64_t id)
{
    struct learner_session_tracker *tracker = learner_of(self);
    mutex_lock(&tracker->upgradeable.lock);
    upgradeable_session_tracker_end_upgrade(&tracker->upgradeable, id);
    session_table_remove(tracker->upgradeable.sessions, id);
    mutex_unlock(&tracker->upgradeable.lock);
    mutex_lock(&tracker->touch_lock);
    session_table_remove(tracker->touch_table, id);
    mutex_unlock(&tracker->touch_lock);
}

/* Global sessions are checked by the leader. */
static int check_session(struct session_tracker *self, int64_t id, const void *owner)
{
    struct session_tracker *local = local_of(self);
    if (local == NULL)
        return ZK_OK;
    int err = local->ops->check_session(local, id, owner);    /* first, for it may become a global one meanwhile */
    if (err != ZK_UNKNOWN_SESSION)
        return err;
    return upgradeable_session_tracker_is_global(self, id) ? ZK_OK : ZK_SESSION_EXPIRED;
}

static int check_global_session(struct session_tracker *self, int64_t id, const void *owner)
{
    (void)owner;
    return upgradeable_session_tracker_is_global(self, id) ? ZK_OK : ZK_SESSION_EXPIRED;
}

static int set_owner(struct session_tracker *self, int64_t id, const void *owner)
{
    struct session_tracker *local = local_of(self);
    if (local == NULL || local->ops->set_owner(local, id, owner) == ZK_OK)
        return ZK_OK;
    return upgradeable_session_tracker_is_global(self, id) ? ZK_OK : ZK_SESSION_EXPIRED;
}

static size_t global_session_count(struct session_tracker *self)
{
    return session_table_count(learner_of(self)->upgradeable.sessions);
}

static void print_sessions(struct session_tracker *self, struct buffer *out)
{
    struct session_tracker *local = local_of(self);
    if (local != NULL) {
        buffer_append_string(out, "Local ");
        local->ops->print_sessions(local, out);
    }
    size_t count;
    struct session_timeout *sessions = session_table_list(learner_of(self)->upgradeable.sessions, &count);
    buffer_printf(out, "Global Sessions(%zu):\n", count);
    for (size_t i = 0; i < count; i++)
        buffer_printf(out, "0x%" PRIx64 "\t%dms\n", (uint64_t)sessions[i].id, sessions[i].timeout_ms);
    memory_free(sessions);
}

static void start(struct session_tracker *self)
{
    struct session_tracker *local = local_of(self);
    if (local != NULL)
        local->ops->start(local);
}

static void shutdown(struct session_tracker *self)
{
    struct session_tracker *local = local_of(self);
    if (local != NULL)
        local->ops->shutdown(local);
}

static void free_tracker(struct session_tracker *self)
{
    struct learner_session_tracker *tracker = learner_of(self);
    session_table_free(tracker->touch_table);
    mutex_release(&tracker->touch_lock);
    upgradeable_session_tracker_release(&tracker->upgradeable);
    memory_free(tracker);
}

static const struct session_tracker_ops learner_ops = {
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

struct session_tracker *learner_session_tracker_new(const struct quorum_tracker_options *options)
{
    struct learner_session_tracker *tracker = MEMORY_NEW(struct learner_session_tracker);
    upgradeable_session_tracker_init(&tracker->upgradeable, &learner_ops, is_global_session, options);
    mutex_init(&tracker->touch_lock);
    mutex_lock(&tracker->touch_lock);
    tracker->touch_table = session_table_new();
    tracker->next_session_id =
        session_first_id(options->sessions, options->server_id, clock_wall_ms());
    mutex_unlock(&tracker->touch_lock);
    return &tracker->upgradeable.base;
}

void learner_session_tracker_snapshot(struct session_tracker *self, struct buffer *out)
{
    struct learner_session_tracker *tracker = learner_of(self);
    struct session_table *empty = session_table_new();
    mutex_lock(&tracker->touch_lock);
    struct session_table *touched = tracker->touch_table;
    tracker->touch_table = empty;
    mutex_unlock(&tracker->touch_lock);
    size_t count;
    struct session_timeout *sessions = session_table_list(touched, &count);
    for (size_t i = 0; i < count; i++) {
        jute_write_int64(out, sessions[i].id);
        jute_write_int32(out, sessions[i].timeout_ms);
    }
    memory_free(sessions);
    session_table_free(touched);
}
