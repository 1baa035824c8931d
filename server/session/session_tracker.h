/*
 * Which sessions there are, who owns them, when they end. Mirrors SessionTracker and, behind
 * session_tracker_impl_new(), SessionTrackerImpl. Other trackers (leader, learner, local) fill in the same operations.
 * Any thread.
 */
#ifndef ZKC_SERVER_SESSION_SESSION_TRACKER_H
#define ZKC_SERVER_SESSION_SESSION_TRACKER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/buffer.h"
#include "common/base/error.h"
#include "server/metric/server_metrics.h"
#include "server/persistence/file_snap.h"

struct session_tracker;

/* Who is told that a session's time is over. Mirrors SessionTracker.SessionExpirer. */
struct session_expirer {
    void (*expire)(struct session_expirer *self, int64_t session_id, int32_t timeout_ms);
};

struct session_tracker_ops {
    /* A new id, never one that is known; tracked. */
    int64_t (*create_session)(struct session_tracker *self, int32_t timeout_ms);
    /* Adds it if it is unknown and (re)starts its time; true if it was unknown. */
    bool (*track_session)(struct session_tracker *self, int64_t id, int32_t timeout_ms);
    /* Puts it into the database's table; true if it was not there. */
    bool (*commit_session)(struct session_tracker *self, int64_t id, int32_t timeout_ms);
    /* Restarts its time; false when it is unknown or closing. */
    bool (*touch_session)(struct session_tracker *self, int64_t id, int32_t timeout_ms);
    void (*set_session_closing)(struct session_tracker *self, int64_t id);
    void (*remove_session)(struct session_tracker *self, int64_t id);
    bool (*is_tracking_session)(struct session_tracker *self, int64_t id);
    /* ZK_OK, ZK_UNKNOWN_SESSION, ZK_SESSION_EXPIRED (closing), ZK_SESSION_MOVED (another owner). The first owner that
     * asks becomes the owner; owners are compared by address. */
    int (*check_session)(struct session_tracker *self, int64_t id, const void *owner);
    int (*check_global_session)(struct session_tracker *self, int64_t id, const void *owner);    /* unknown: expired */
    int (*set_owner)(struct session_tracker *self, int64_t id, const void *owner);    /* ZK_OK, ZK_SESSION_EXPIRED */
    bool (*is_local_session)(struct session_tracker *self, int64_t id);
    bool (*is_local_sessions_enabled)(struct session_tracker *self);
    size_t (*global_session_count)(struct session_tracker *self);
    size_t (*local_session_count)(struct session_tracker *self);
    void (*print_sessions)(struct session_tracker *self, struct buffer *out);    /* dumpSessions (dump) */
    void (*start)(struct session_tracker *self);      /* its thread */
    void (*shutdown)(struct session_tracker *self);   /* joined when it returns */
    void (*free)(struct session_tracker *self);
};
struct session_tracker {
    const struct session_tracker_ops *ops;
};

/*
 * SessionTrackerImpl: thread "SessionTracker", not yet started. Tracks what is in `sessions` (borrowed). Ids are seeded
 * from server id (high byte) and wall clock, above every id in the table (RELIABILITY 2b, owner reuse).
 */
struct session_tracker *session_tracker_impl_new(struct session_expirer *expirer, struct session_table *sessions,
                                                 int32_t tick_time_ms, int64_t server_id,
                                                 struct server_metrics *metrics);

/* initializeNextSessionId as a function: bits 56-63 server id, 16-55 time in ms, 0-15 counter. */
int64_t session_initial_id(int64_t server_id, int64_t time_ms);
/* The one behind it, of the same server. */
int64_t session_next_id(int64_t id);
/* The initial id, or one above all those of this server in the table. */
int64_t session_first_id(struct session_table *known, int64_t server_id, int64_t time_ms);
/* It may be an ephemeralOwner, and nobody in the table has it. */
bool session_id_may_be_given_out(struct session_table *known, int64_t id);

/* generatePasswd: 16 bytes of java.util.Random seeded with id ^ 0xB3415C00. */
void session_password(int64_t session_id, uint8_t password[16]);
/* Constant time; false for id 0 or a size other than 16. */
bool session_password_is_valid(int64_t session_id, const uint8_t *password, int32_t size);

#endif
