/*
 * session_tracker_impl.c - sessions by id, and the thread that ends those whose time is over. Mirrors
 * org.apache.zookeeper.server.SessionTrackerImpl.
 *
 * Thread: "SessionTracker", which wakes once a tick and within it, or at shutdown.
 * (1) a session is found, changed and freed under the lock, and in the expiry queue only while it is in the map;
 * (2) the expirer is called with no lock held: it may wait for room in the pipeline;
 * (3) no id is given out that the map or the database's table knows.
 * Lock order: this lock, then the expiry queue's, or the session table's.
 * Departs from Java: ids start from the wall clock, not from the time since the machine started, and lie above those of
 * this server in the table, so that no id comes back while its old session lives (RELIABILITY 2b, owner reuse).
 */
#include <assert.h>
#include <inttypes.h>

#include "common/base/clock.h"
#include "common/base/hash_map.h"
#include "common/base/log.h"
#include "common/base/memory.h"
#include "common/thread/mutex.h"
#include "common/thread/thread.h"
#include "server/session/expiry_queue.h"
#include "server/session/expiry_wait.h"
#include "server/session/session_tracker.h"
#include "server/tree/ephemeral_type.h"

#define SERVER_ID_SHIFT 56
#define SERVER_ID_MASK (UINT64_C(0xff) << SERVER_ID_SHIFT)

struct session {    /* SessionImpl */
    struct hash_link link;
    struct expiry_link expiry;
    int64_t id;
    int32_t timeout_ms;    /* of its creation: what the expirer is told; touches bring their own */
    bool is_closing;
    const void *owner;
};

struct session_tracker_impl {
    struct session_tracker base;
    struct session_expirer *expirer;
    struct session_table *sessions_with_timeout;
    struct server_metrics *metrics;
    struct expiry_queue *session_expiry_queue;
    struct thread *thread;

    struct mutex lock;
    struct condition stopped;
    struct hash_map sessions_by_id GUARDED_BY(lock);
    int64_t next_session_id GUARDED_BY(lock);
    bool is_running GUARDED_BY(lock);
};

static struct session_tracker_impl *impl_of(struct session_tracker *self)
{
    return container_of(self, struct session_tracker_impl, base);
}

static struct session *find_session(struct session_tracker_impl *tracker, int64_t id) REQUIRES(tracker->lock)
{
    for (struct hash_link *link = hash_map_find(&tracker->sessions_by_id, hash_int64(id)); link != NULL;
         link = hash_map_find_next(link)) {
        struct session *session = container_of(link, struct session, link);
        if (session->id == id)
            return session;
    }
    return NULL;
}

static bool add_or_touch(struct session_tracker_impl *tracker, int64_t id, int32_t timeout_ms) REQUIRES(tracker->lock)
{
    struct session *session = find_session(tracker, id);
    bool added = session == NULL;
    if (added) {
        session = MEMORY_NEW(struct session);
        session->id = id;
        session->timeout_ms = timeout_ms;
        hash_map_insert(&tracker->sessions_by_id, &session->link, hash_int64(id));
    }
    expiry_queue_update(tracker->session_expiry_queue, &session->expiry, timeout_ms, clock_elapsed_ms());
    return added;
}

/* Takes in the sessions of the database. */
static void track_known_sessions(struct session_tracker_impl *tracker) REQUIRES(tracker->lock)
{
    size_t count;
    struct session_timeout *known = session_table_list(tracker->sessions_with_timeout, &count);
    for (size_t i = 0; i < count; i++)
        add_or_touch(tracker, known[i].id, known[i].timeout_ms);
    memory_free(known);
}

static void expire_due_sessions(struct session_tracker_impl *tracker) REQUIRES(tracker->lock)
{
    struct expiry_link *expired;
    while (tracker->is_running
           && (expired = expiry_queue_poll(tracker->session_expiry_queue, clock_elapsed_ms())) != NULL) {
        struct session *session = container_of(expired, struct session, expiry);
        int64_t id = session->id;
        int32_t timeout_ms = session->timeout_ms;
        session->is_closing = true;

        mutex_unlock(&tracker->lock);
        server_metrics_count(tracker->metrics, METRIC_STALE_SESSIONS_EXPIRED, 1);
        tracker->expirer->expire(tracker->expirer, id, timeout_ms);    /* (2) */
        mutex_lock(&tracker->lock);
    }
}

/* Waits for the end of a tick, or for a part of it. While the process stood still nobody was silent. */
static void wait_for_tick(struct session_tracker_impl *tracker, int64_t now_ms, int64_t wait_ms)
    REQUIRES(tracker->lock)
{
    int64_t late_ms = expiry_wait_step(&tracker->stopped, &tracker->lock, now_ms, now_ms + wait_ms);
    int64_t put_off_ms = expiry_queue_put_off(tracker->session_expiry_queue, late_ms);
    if (put_off_ms > 0)
        log_warn("The process stood still for %" PRId64 " ms, sessions expire %" PRId64 " ms later", late_ms,
                 put_off_ms);
}

static void tracker_run(void *arg)
{
    struct session_tracker_impl *tracker = arg;
    mutex_lock(&tracker->lock);
    while (tracker->is_running) {
        int64_t now_ms = clock_elapsed_ms();
        int64_t wait_ms = expiry_queue_wait_time(tracker->session_expiry_queue, now_ms);
        if (wait_ms > 0)
            wait_for_tick(tracker, now_ms, wait_ms);
        else
            expire_due_sessions(tracker);
    }
    mutex_unlock(&tracker->lock);
    log_info("SessionTrackerImpl exited loop!");
}

static void print_session(const struct expiry_link *link, struct buffer *out)
{
    buffer_printf(out, "0x%" PRIx64, (uint64_t)container_of(link, const struct session, expiry)->id);
}

static int64_t impl_create_session(struct session_tracker *self, int32_t timeout_ms)
{
    struct session_tracker_impl *tracker = impl_of(self);
    mutex_lock(&tracker->lock);
    while (find_session(tracker, tracker->next_session_id) != NULL ||
           !session_id_may_be_given_out(tracker->sessions_with_timeout, tracker->next_session_id))    /* (3) */
        tracker->next_session_id = session_next_id(tracker->next_session_id);
    int64_t id = tracker->next_session_id;
    tracker->next_session_id = session_next_id(id);
    add_or_touch(tracker, id, timeout_ms);
    mutex_unlock(&tracker->lock);
    log_debug("Adding session 0x%" PRIx64, (uint64_t)id);
    return id;
}

static bool impl_track_session(struct session_tracker *self, int64_t id, int32_t timeout_ms)
{
    struct session_tracker_impl *tracker = impl_of(self);
    mutex_lock(&tracker->lock);
    bool added = add_or_touch(tracker, id, timeout_ms);
    mutex_unlock(&tracker->lock);
    if (added)
        log_debug("Adding session 0x%" PRIx64, (uint64_t)id);
    return added;
}

static bool impl_commit_session(struct session_tracker *self, int64_t id, int32_t timeout_ms)
{
    struct session_tracker_impl *tracker = impl_of(self);
    int32_t before_ms;
    mutex_lock(&tracker->lock);
    bool added = !session_table_get(tracker->sessions_with_timeout, id, &before_ms);
    session_table_put(tracker->sessions_with_timeout, id, timeout_ms);
    mutex_unlock(&tracker->lock);
    return added;
}

static bool impl_touch_session(struct session_tracker *self, int64_t id, int32_t timeout_ms)
{
    struct session_tracker_impl *tracker = impl_of(self);
    int64_t now_ms = clock_coarse_ms();
    mutex_lock(&tracker->lock);
    struct session *session = find_session(tracker, id);
    bool is_alive = session != NULL && !session->is_closing;
    if (is_alive)
        expiry_queue_update(tracker->session_expiry_queue, &session->expiry, timeout_ms, now_ms);
    mutex_unlock(&tracker->lock);
    if (!is_alive)
        log_trace("Touch of unknown or closing session 0x%" PRIx64, (uint64_t)id);
    return is_alive;
}

static void impl_set_session_closing(struct session_tracker *self, int64_t id)
{
    struct session_tracker_impl *tracker = impl_of(self);
    log_trace("Session closing: 0x%" PRIx64, (uint64_t)id);
    mutex_lock(&tracker->lock);
    struct session *session = find_session(tracker, id);
    if (session != NULL)
        session->is_closing = true;
    mutex_unlock(&tracker->lock);
}

static void impl_remove_session(struct session_tracker *self, int64_t id)
{
    struct session_tracker_impl *tracker = impl_of(self);
    log_debug("Removing session 0x%" PRIx64, (uint64_t)id);
    mutex_lock(&tracker->lock);
    struct session *session = find_session(tracker, id);
    session_table_remove(tracker->sessions_with_timeout, id);
    if (session != NULL) {
        hash_map_remove(&tracker->sessions_by_id, &session->link);
        expiry_queue_remove(tracker->session_expiry_queue, &session->expiry);
    }
    mutex_unlock(&tracker->lock);
    memory_free(session);
}

static bool impl_is_tracking_session(struct session_tracker *self, int64_t id)
{
    struct session_tracker_impl *tracker = impl_of(self);
    mutex_lock(&tracker->lock);
    bool is_known = find_session(tracker, id) != NULL;
    mutex_unlock(&tracker->lock);
    return is_known;
}

static int impl_check_session(struct session_tracker *self, int64_t id, const void *owner)
{
    struct session_tracker_impl *tracker = impl_of(self);
    int err = ZK_OK;
    mutex_lock(&tracker->lock);
    struct session *session = find_session(tracker, id);
    if (session == NULL)
        err = ZK_UNKNOWN_SESSION;
    else if (session->is_closing)
        err = ZK_SESSION_EXPIRED;
    else if (session->owner == NULL)
        session->owner = owner;
    else if (session->owner != owner)
        err = ZK_SESSION_MOVED;
    mutex_unlock(&tracker->lock);
    return err;
}

static int impl_check_global_session(struct session_tracker *self, int64_t id, const void *owner)
{
    int err = impl_check_session(self, id, owner);
    return err == ZK_UNKNOWN_SESSION ? ZK_SESSION_EXPIRED : err;
}

static int impl_set_owner(struct session_tracker *self, int64_t id, const void *owner)
{
    struct session_tracker_impl *tracker = impl_of(self);
    mutex_lock(&tracker->lock);
    struct session *session = find_session(tracker, id);
    bool is_alive = session != NULL && !session->is_closing;
    if (is_alive)
        session->owner = owner;
    mutex_unlock(&tracker->lock);
    return is_alive ? ZK_OK : ZK_SESSION_EXPIRED;
}

static bool impl_is_local_session(struct session_tracker *self, int64_t id)
{
    (void)self;
    (void)id;
    return false;
}

static bool impl_is_local_sessions_enabled(struct session_tracker *self)
{
    (void)self;
    return false;
}

static size_t impl_global_session_count(struct session_tracker *self)
{
    struct session_tracker_impl *tracker = impl_of(self);
    mutex_lock(&tracker->lock);
    size_t count = tracker->sessions_by_id.count;
    mutex_unlock(&tracker->lock);
    return count;
}

static size_t impl_local_session_count(struct session_tracker *self)
{
    (void)self;
    return 0;
}

static void impl_print_sessions(struct session_tracker *self, struct buffer *out)
{
    struct session_tracker_impl *tracker = impl_of(self);
    buffer_append_string(out, "Session ");
    mutex_lock(&tracker->lock);    /* (1): no session is freed while it is printed */
    expiry_queue_print(tracker->session_expiry_queue, clock_wall_ms() - clock_elapsed_ms(), print_session, out);
    mutex_unlock(&tracker->lock);
}

static void impl_start(struct session_tracker *self)
{
    struct session_tracker_impl *tracker = impl_of(self);
    assert(tracker->thread == NULL);
    mutex_lock(&tracker->lock);
    tracker->is_running = true;
    mutex_unlock(&tracker->lock);
    tracker->thread = thread_start("SessionTracker", tracker_run, tracker);
}

static void impl_shutdown(struct session_tracker *self)
{
    struct session_tracker_impl *tracker = impl_of(self);
    log_info("Shutting down");
    mutex_lock(&tracker->lock);
    tracker->is_running = false;
    condition_signal(&tracker->stopped);
    mutex_unlock(&tracker->lock);
    thread_join(tracker->thread);
    tracker->thread = NULL;
}

static void impl_free(struct session_tracker *self)
{
    if (self == NULL)
        return;
    struct session_tracker_impl *tracker = impl_of(self);
    assert(tracker->thread == NULL);
    for (struct hash_link *link = hash_map_first(&tracker->sessions_by_id), *after; link != NULL; link = after) {
        after = hash_map_after(&tracker->sessions_by_id, link);
        memory_free(container_of(link, struct session, link));
    }
    hash_map_release(&tracker->sessions_by_id);
    expiry_queue_free(tracker->session_expiry_queue);
    condition_release(&tracker->stopped);
    mutex_release(&tracker->lock);
    memory_free(tracker);
}

static const struct session_tracker_ops impl_ops = {
    .create_session = impl_create_session,
    .track_session = impl_track_session,
    .commit_session = impl_commit_session,
    .touch_session = impl_touch_session,
    .set_session_closing = impl_set_session_closing,
    .remove_session = impl_remove_session,
    .is_tracking_session = impl_is_tracking_session,
    .check_session = impl_check_session,
    .check_global_session = impl_check_global_session,
    .set_owner = impl_set_owner,
    .is_local_session = impl_is_local_session,
    .is_local_sessions_enabled = impl_is_local_sessions_enabled,
    .global_session_count = impl_global_session_count,
    .local_session_count = impl_local_session_count,
    .print_sessions = impl_print_sessions,
    .start = impl_start,
    .shutdown = impl_shutdown,
    .free = impl_free,
};

struct session_tracker *session_tracker_impl_new(struct session_expirer *expirer, struct session_table *sessions,
                                                 int32_t tick_time_ms, int64_t server_id,
                                                 struct server_metrics *metrics)
{
    struct session_tracker_impl *tracker = MEMORY_NEW(struct session_tracker_impl);
    tracker->base.ops = &impl_ops;
    tracker->expirer = expirer;
    tracker->sessions_with_timeout = sessions;
    tracker->metrics = metrics;
    tracker->session_expiry_queue = expiry_queue_new(tick_time_ms, clock_elapsed_ms());
    tracker->next_session_id = session_first_id(sessions, server_id, clock_wall_ms());
    mutex_init(&tracker->lock);
    condition_init(&tracker->stopped);

    mutex_lock(&tracker->lock);
    track_known_sessions(tracker);
    mutex_unlock(&tracker->lock);
    return &tracker->base;
}

int64_t session_initial_id(int64_t server_id, int64_t time_ms)
{
    uint64_t id = ((uint64_t)time_ms << 24 >> 8) | (uint64_t)server_id << SERVER_ID_SHIFT;
    if ((int64_t)id == EPHEMERAL_CONTAINER_OWNER)
        id++;    /* not an owner of a session's nodes */
    return (int64_t)id;
}

int64_t session_next_id(int64_t id)
{
    uint64_t bits = (uint64_t)id;
    return (int64_t)((bits & SERVER_ID_MASK) | ((bits + 1) & ~SERVER_ID_MASK));
}

int64_t session_first_id(struct session_table *known, int64_t server_id, int64_t time_ms)
{
    uint64_t first = (uint64_t)session_initial_id(server_id, time_ms);
    size_t count;
    struct session_timeout *sessions = session_table_list(known, &count);
    for (size_t i = 0; i < count; i++) {
        uint64_t id = (uint64_t)sessions[i].id;
        if ((id & SERVER_ID_MASK) == (first & SERVER_ID_MASK) && id >= first)
            first = (uint64_t)session_next_id(sessions[i].id);
    }
    memory_free(sessions);
    return (int64_t)first;
}

bool session_id_may_be_given_out(struct session_table *known, int64_t id)
{
    int32_t timeout_ms;
    return id != 0 && id != EPHEMERAL_CONTAINER_OWNER && !session_table_get(known, id, &timeout_ms);
}
