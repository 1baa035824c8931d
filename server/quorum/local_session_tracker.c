/*
 * local_session_tracker.c - sessions that are nobody else's business. Mirrors
 * org.apache.zookeeper.server.quorum.LocalSessionTracker.
 *
 * Departs from Java: no id is given out that a global session has (RELIABILITY 2b, owner reuse).
 */
#include "server/quorum/local_session_tracker.h"

struct session_tracker *local_session_tracker_new(struct session_expirer *expirer,
                                                  struct session_table *local_sessions, int32_t tick_time_ms,
                                                  int64_t server_id, struct server_metrics *metrics)
{
    return session_tracker_impl_new(expirer, local_sessions, tick_time_ms, server_id, metrics);
}

int64_t local_session_tracker_create_session(struct session_tracker *tracker, struct session_table *global_sessions,
                                             int32_t timeout_ms)
{
    int32_t global_timeout_ms;
    int64_t id = tracker->ops->create_session(tracker, timeout_ms);
    while (session_table_get(global_sessions, id, &global_timeout_ms)) {
        tracker->ops->remove_session(tracker, id);
        id = tracker->ops->create_session(tracker, timeout_ms);
    }
    tracker->ops->commit_session(tracker, id, timeout_ms);
    return id;
}
