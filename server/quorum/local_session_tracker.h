/*
 * Sessions that one server alone knows of: an id, a time-out, no transaction. Mirrors LocalSessionTracker: a
 * SessionTrackerImpl over a table of its own. Any thread.
 */
#ifndef ZKC_SERVER_QUORUM_LOCAL_SESSION_TRACKER_H
#define ZKC_SERVER_QUORUM_LOCAL_SESSION_TRACKER_H

#include "server/session/session_tracker.h"

/* `local_sessions` is borrowed and empty. Its ops are SessionTrackerImpl's. */
struct session_tracker *local_session_tracker_new(struct session_expirer *expirer,
                                                  struct session_table *local_sessions, int32_t tick_time_ms,
                                                  int64_t server_id, struct server_metrics *metrics);
/* createSession: tracked, in the table, and an id that is not in `global_sessions` either. */
int64_t local_session_tracker_create_session(struct session_tracker *tracker, struct session_table *global_sessions,
                                             int32_t timeout_ms);

#endif
