/*
 * What the trackers of an ensemble share: local sessions beside the global ones, and the way from one to the other.
 * Mirrors UpgradeableSessionTracker. Any thread.
 */
#ifndef ZKC_SERVER_QUORUM_UPGRADEABLE_SESSION_TRACKER_H
#define ZKC_SERVER_QUORUM_UPGRADEABLE_SESSION_TRACKER_H

#include "common/thread/mutex.h"
#include "server/session/session_tracker.h"

/* What a tracker of an ensemble is made with. */
struct quorum_tracker_options {
    struct session_expirer *expirer;       /* borrowed */
    struct session_table *sessions;        /* the database's; borrowed */
    int32_t tick_time_ms;
    int64_t server_id;
    bool local_sessions_enabled;
    struct server_metrics *metrics;        /* borrowed */
};

/* The beginning of leader_session_tracker and learner_session_tracker. */
struct upgradeable_session_tracker {
    struct session_tracker base;
    bool (*is_global_session)(struct upgradeable_session_tracker *self, int64_t id);
    struct session_table *sessions;        /* global ones, the database's */
    struct session_tracker *local;         /* NULL: local sessions are not enabled */
    struct session_table *local_sessions, *upgrading_sessions;
    /* `synchronized` on the tracker: an upgrade is one step, and so is the commit that ends it. Before any other
     * lock. */
    struct mutex lock;
};

void upgradeable_session_tracker_init(struct upgradeable_session_tracker *tracker,
                                      const struct session_tracker_ops *ops,
                                      bool (*is_global_session)(struct upgradeable_session_tracker *self, int64_t id),
                                      const struct quorum_tracker_options *options);
void upgradeable_session_tracker_release(struct upgradeable_session_tracker *tracker);

static inline struct upgradeable_session_tracker *upgradeable_session_tracker_of(struct session_tracker *tracker)
{
    return (struct upgradeable_session_tracker *)(void *)tracker;    /* base is first */
}

bool upgradeable_session_tracker_is_global(struct session_tracker *tracker, int64_t id);
/* Asked to become a global one, not yet committed. */
bool upgradeable_session_tracker_is_upgrading(struct session_tracker *tracker, int64_t id);
/*
 * upgradeSession: no local session any more, but tracked as a global one; the caller makes the createSession of it. The
 * time-out in ms, or -1: it is no local session. Only one of two that ask gets the time-out.
 */
int32_t upgradeable_session_tracker_upgrade(struct session_tracker *tracker, int64_t id);

/* ---- operations that both kinds share ---- */
/* The rest of commitSession: it is a global session now, and nothing else. Under the lock. */
void upgradeable_session_tracker_end_upgrade(struct upgradeable_session_tracker *tracker, int64_t id)
    REQUIRES(tracker->lock);
bool upgradeable_session_tracker_is_tracking(struct session_tracker *self, int64_t id);
bool upgradeable_session_tracker_is_local(struct session_tracker *self, int64_t id);
bool upgradeable_session_tracker_is_local_enabled(struct session_tracker *self);
size_t upgradeable_session_tracker_local_count(struct session_tracker *self);

#endif
