/*
 * upgradeable_session_tracker.c - local sessions, and how they become global ones.
 *
 * Mirrors org.apache.zookeeper.server.quorum.UpgradeableSessionTracker.
 *
 *   local --(upgrade: createSession is asked for)--> upgrading --(createSession is committed)--> global
 * (1) an upgrade happens once: whoever takes the session out of the local table has it.
 * Departs from Java: an upgrading session that ends is forgotten (Java keeps it until the next leader).
 */
#include "server/quorum/upgradeable_session_tracker.h"

#include <inttypes.h>

#include "common/base/log.h"
#include "server/quorum/local_session_tracker.h"

void upgradeable_session_tracker_init(struct upgradeable_session_tracker *tracker,
                                      const struct session_tracker_ops *ops,
                                      bool (*is_global_session)(struct upgradeable_session_tracker *self, int64_t id),
                                      const struct quorum_tracker_options *options)
{
    *tracker = (struct upgradeable_session_tracker){
        .base = {ops},
        .is_global_session = is_global_session,
        .sessions = options->sessions,
    };
    mutex_init(&tracker->lock);
    if (!options->local_sessions_enabled)
        return;
    tracker->local_sessions = session_table_new();
    tracker->upgrading_sessions = session_table_new();
    tracker->local = local_session_tracker_new(options->expirer, tracker->local_sessions, options->tick_time_ms,
                                               options->server_id, options->metrics);
}

void upgradeable_session_tracker_release(struct upgradeable_session_tracker *tracker)
{
    if (tracker->local != NULL) {
        tracker->local->ops->free(tracker->local);
        session_table_free(tracker->local_sessions);
        session_table_free(tracker->upgrading_sessions);
    }
    mutex_release(&tracker->lock);
}

bool upgradeable_session_tracker_is_global(struct session_tracker *tracker, int64_t id)
{
    struct upgradeable_session_tracker *upgradeable = upgradeable_session_tracker_of(tracker);
    return upgradeable->is_global_session(upgradeable, id);
}

bool upgradeable_session_tracker_is_upgrading(struct session_tracker *tracker, int64_t id)
{
    struct upgradeable_session_tracker *upgradeable = upgradeable_session_tracker_of(tracker);
    int32_t timeout_ms;
    return upgradeable->local != NULL && session_table_get(upgradeable->upgrading_sessions, id, &timeout_ms);
}

int32_t upgradeable_session_tracker_upgrade(struct session_tracker *tracker, int64_t id)
{
    struct upgradeable_session_tracker *upgradeable = upgradeable_session_tracker_of(tracker);
    int32_t timeout_ms;
    if (upgradeable->local == NULL)
        return -1;
    mutex_lock(&upgradeable->lock);
    bool is_ours = session_table_get(upgradeable->local_sessions, id, &timeout_ms);    /* (1) */
    if (is_ours) {
        session_table_put(upgradeable->upgrading_sessions, id, timeout_ms);
        /* On a leader it is tracked from here on, so that it does not go untouched until its transaction is made. */
        tracker->ops->track_session(tracker, id, timeout_ms);
        upgradeable->local->ops->remove_session(upgradeable->local, id);    /* from the table too */
    }
    mutex_unlock(&upgradeable->lock);
    if (!is_ours)
        return -1;
    log_info("Upgrading session 0x%" PRIx64, (uint64_t)id);
    return timeout_ms;
}

void upgradeable_session_tracker_end_upgrade(struct upgradeable_session_tracker *tracker, int64_t id)
{
    if (tracker->local == NULL)
        return;
    /* It may have been added here again if it moved before its upgrade was through. */
    tracker->local->ops->remove_session(tracker->local, id);
    session_table_remove(tracker->upgrading_sessions, id);
}

bool upgradeable_session_tracker_is_tracking(struct session_tracker *self, int64_t id)
{
    return upgradeable_session_tracker_is_local(self, id) || upgradeable_session_tracker_is_global(self, id);
}

bool upgradeable_session_tracker_is_local(struct session_tracker *self, int64_t id)
{
    struct session_tracker *local = upgradeable_session_tracker_of(self)->local;
    return local != NULL && local->ops->is_tracking_session(local, id);
}

bool upgradeable_session_tracker_is_local_enabled(struct session_tracker *self)
{
    return upgradeable_session_tracker_of(self)->local != NULL;
}

size_t upgradeable_session_tracker_local_count(struct session_tracker *self)
{
    struct upgradeable_session_tracker *tracker = upgradeable_session_tracker_of(self);
    return tracker->local == NULL ? 0 : session_table_count(tracker->local_sessions);
}
