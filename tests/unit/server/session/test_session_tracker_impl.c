/* Sessions: their ids, owners and ends. The clock stands and is moved; nothing here sleeps. */
#include <inttypes.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/memory.h"
#include "common/thread/mutex.h"
#include "server/session/session_tracker.h"
#include "server/tree/ephemeral_type.h"
#include "tests/lib/check_main.h"

enum { TICK_MS = 1000, WALL_MS = 1000000 };

static const char me[] = "me", other[] = "other";

struct recorder {    /* an expirer that remembers what it was told */
    struct session_expirer base;
    struct mutex lock;
    struct condition called;
    int count;
    int64_t last_id;
    int32_t last_timeout_ms;
};

static void record(struct session_expirer *self, int64_t session_id, int32_t timeout_ms)
{
    struct recorder *recorder = container_of(self, struct recorder, base);
    mutex_lock(&recorder->lock);
    recorder->count++;
    recorder->last_id = session_id;
    recorder->last_timeout_ms = timeout_ms;
    condition_broadcast(&recorder->called);
    mutex_unlock(&recorder->lock);
}

static int wait_for_calls(struct recorder *recorder, int count)
{
    mutex_lock(&recorder->lock);
    while (recorder->count < count)
        condition_wait(&recorder->called, &recorder->lock);
    int seen = recorder->count;
    mutex_unlock(&recorder->lock);
    return seen;
}

static struct recorder recorder;
static struct session_table *table;
static struct session_tracker *tracker;

static void set_up(void)
{
    clock_freeze(500, WALL_MS);
    recorder = (struct recorder){.base = {record}};
    mutex_init(&recorder.lock);
    condition_init(&recorder.called);
    table = session_table_new();
    tracker = session_tracker_impl_new(&recorder.base, table, TICK_MS, 1, NULL);
}

static void tear_down(void)
{
    tracker->ops->free(tracker);
    session_table_free(table);
    condition_release(&recorder.called);
    mutex_release(&recorder.lock);
    clock_thaw();
}

static const struct {
    int64_t server_id, time_ms;
    uint64_t id;
} initial_ids[] = {
    {1, 0x123456789a, UINT64_C(0x01123456789a0000)},
    {1, 0xff123456789a, UINT64_C(0x01123456789a0000)},    /* 40 bits of the time */
    {255, 0xffffffffff, UINT64_C(0xffffffffffff0000)},
    {128, 0, UINT64_C(0x8000000000000001)},                /* not the owner of containers */
};
START_TEST(first_id_has_the_layout_of_java)
{
    int64_t id = session_initial_id(initial_ids[_i].server_id, initial_ids[_i].time_ms);
    ck_assert_msg((uint64_t)id == initial_ids[_i].id, "0x%" PRIx64, (uint64_t)id);
}
END_TEST

START_TEST(ids_go_up_from_the_wall_clock)
{
    int64_t first = tracker->ops->create_session(tracker, 4000);
    ck_assert_int_eq(first, session_initial_id(1, WALL_MS));
    ck_assert_int_eq(tracker->ops->create_session(tracker, 4000), first + 1);
    ck_assert(tracker->ops->is_tracking_session(tracker, first));
    ck_assert_uint_eq(tracker->ops->global_session_count(tracker), 2);
    ck_assert_uint_eq(session_table_count(table), 0);
}
END_TEST

START_TEST(an_id_in_use_is_not_given_out_again)
{
    int64_t first = session_initial_id(1, WALL_MS);
    tracker->ops->track_session(tracker, first, 4000);    /* tracked, and known to the table only */
    session_table_put(table, first + 1, 4000);
    ck_assert_int_eq(tracker->ops->create_session(tracker, 4000), first + 2);
}
END_TEST

START_TEST(ids_start_above_those_in_the_table)
{
    int64_t own = session_initial_id(1, WALL_MS + 3600000);    /* the clock went back an hour */
    int64_t foreign = session_initial_id(2, WALL_MS + 7200000);
    session_table_put(table, own, 4000);
    session_table_put(table, foreign, 4000);
    tracker->ops->free(tracker);
    tracker = session_tracker_impl_new(&recorder.base, table, TICK_MS, 1, NULL);
    ck_assert_int_eq(tracker->ops->create_session(tracker, 4000), own + 1);
    ck_assert_msg(tracker->ops->is_tracking_session(tracker, own), "sessions of the table are tracked");
    ck_assert_msg(tracker->ops->is_tracking_session(tracker, foreign), "those of other servers too");
}
END_TEST

START_TEST(ids_wrap_within_their_server)
{
    int64_t last = (int64_t)UINT64_C(0x01ffffffffffffff);
    tracker->ops->free(tracker);
    session_table_put(table, last, 4000);
    tracker = session_tracker_impl_new(&recorder.base, table, TICK_MS, 1, NULL);
    ck_assert_int_eq(tracker->ops->create_session(tracker, 4000), INT64_C(0x0100000000000000));
}
END_TEST

START_TEST(zero_is_no_id_of_a_session)
{
    tracker->ops->free(tracker);
    tracker = session_tracker_impl_new(&recorder.base, table, TICK_MS, 0, NULL);
    int64_t last = INT64_C(0x00ffffffffffffff);
    session_table_put(table, last, 4000);
    tracker->ops->free(tracker);
    tracker = session_tracker_impl_new(&recorder.base, table, TICK_MS, 0, NULL);
    ck_assert_int_eq(tracker->ops->create_session(tracker, 4000), 1);
}
END_TEST

START_TEST(first_owner_that_asks_owns_the_session)
{
    ck_assert_int_eq(tracker->ops->check_session(tracker, 9, me), ZK_UNKNOWN_SESSION);
    ck_assert_int_eq(tracker->ops->check_global_session(tracker, 9, me), ZK_SESSION_EXPIRED);
    ck_assert_int_eq(tracker->ops->set_owner(tracker, 9, me), ZK_SESSION_EXPIRED);

    ck_assert(tracker->ops->track_session(tracker, 9, 4000));
    ck_assert(!tracker->ops->track_session(tracker, 9, 4000));
    ck_assert_int_eq(tracker->ops->check_session(tracker, 9, me), ZK_OK);
    ck_assert_int_eq(tracker->ops->check_session(tracker, 9, me), ZK_OK);
    ck_assert_int_eq(tracker->ops->check_session(tracker, 9, other), ZK_SESSION_MOVED);
    ck_assert_int_eq(tracker->ops->check_global_session(tracker, 9, other), ZK_SESSION_MOVED);
    ck_assert_int_eq(tracker->ops->set_owner(tracker, 9, other), ZK_OK);
    ck_assert_int_eq(tracker->ops->check_session(tracker, 9, other), ZK_OK);
    ck_assert_int_eq(tracker->ops->check_session(tracker, 9, me), ZK_SESSION_MOVED);
}
END_TEST

START_TEST(a_closing_session_is_expired_to_everyone)
{
    tracker->ops->track_session(tracker, 9, 4000);
    tracker->ops->check_session(tracker, 9, me);
    tracker->ops->set_session_closing(tracker, 9);
    tracker->ops->set_session_closing(tracker, 10);
    ck_assert_int_eq(tracker->ops->check_session(tracker, 9, me), ZK_SESSION_EXPIRED);
    ck_assert_msg(tracker->ops->check_session(tracker, 9, other) == ZK_SESSION_EXPIRED, "closing before owner");
    ck_assert_int_eq(tracker->ops->set_owner(tracker, 9, other), ZK_SESSION_EXPIRED);
    ck_assert(!tracker->ops->touch_session(tracker, 9, 4000));
    ck_assert(tracker->ops->is_tracking_session(tracker, 9));
}
END_TEST

START_TEST(commit_puts_it_into_the_table_and_remove_takes_it_out)
{
    int32_t timeout_ms;
    int64_t id = tracker->ops->create_session(tracker, 4000);
    ck_assert(tracker->ops->commit_session(tracker, id, 4000));
    ck_assert(!tracker->ops->commit_session(tracker, id, 5000));
    ck_assert(session_table_get(table, id, &timeout_ms));
    ck_assert_int_eq(timeout_ms, 5000);
    tracker->ops->remove_session(tracker, id);
    tracker->ops->remove_session(tracker, id);
    ck_assert(!session_table_get(table, id, &timeout_ms));
    ck_assert(!tracker->ops->is_tracking_session(tracker, id));
    ck_assert(!tracker->ops->touch_session(tracker, id, 4000));
}
END_TEST

START_TEST(no_session_is_local)
{
    int64_t id = tracker->ops->create_session(tracker, 4000);
    ck_assert(!tracker->ops->is_local_session(tracker, id));
    ck_assert(!tracker->ops->is_local_sessions_enabled(tracker));
    ck_assert_uint_eq(tracker->ops->local_session_count(tracker), 0);
}
END_TEST

START_TEST(sessions_are_printed_as_java_dumps_them)
{
    static const char head[] = "Session Sets (1)/(1):\n1 expire at ";
    struct buffer out = {0};
    tracker->ops->track_session(tracker, INT64_C(0x100000abc0000), 4000);
    tracker->ops->print_sessions(tracker, &out);
    const char *text = buffer_string(&out);
    ck_assert_msg(strncmp(text, head, strlen(head)) == 0, "%s", text);
    ck_assert_msg(strstr(text, ":\n\t0x100000abc0000\n") != NULL, "%s", text);
    buffer_release(&out);
}
END_TEST

START_TEST(a_silent_session_expires_and_a_touched_one_does_not)
{
    tracker->ops->track_session(tracker, 1, 4000);
    tracker->ops->track_session(tracker, 2, 4000);
    tracker->ops->start(tracker);
    clock_advance_ms(3000);
    ck_assert(tracker->ops->touch_session(tracker, 2, 4000));
    clock_advance_ms(2000);
    ck_assert_int_eq(wait_for_calls(&recorder, 1), 1);
    ck_assert_int_eq(recorder.last_id, 1);
    ck_assert_int_eq(recorder.last_timeout_ms, 4000);
    ck_assert_int_eq(tracker->ops->check_session(tracker, 1, me), ZK_SESSION_EXPIRED);
    ck_assert_int_eq(tracker->ops->check_session(tracker, 2, me), ZK_OK);

    clock_advance_ms(4000);
    ck_assert_int_eq(wait_for_calls(&recorder, 2), 2);
    ck_assert_int_eq(recorder.last_id, 2);
    tracker->ops->shutdown(tracker);
    ck_assert_int_eq(recorder.count, 2);
}
END_TEST

static void remove_when_expired(struct session_expirer *self, int64_t session_id, int32_t timeout_ms)
{
    tracker->ops->remove_session(tracker, session_id);    /* would never return if the tracker held its lock */
    record(self, session_id, timeout_ms);
}

START_TEST(expirer_is_called_without_the_lock)
{
    recorder.base.expire = remove_when_expired;
    for (int64_t id = 1; id <= 100; id++)
        tracker->ops->track_session(tracker, id, 4000);
    tracker->ops->start(tracker);
    clock_advance_ms(10000);
    ck_assert_int_eq(wait_for_calls(&recorder, 100), 100);
    tracker->ops->shutdown(tracker);
    ck_assert_uint_eq(tracker->ops->global_session_count(tracker), 0);
}
END_TEST

START_TEST(shutdown_ends_the_wait_at_once)
{
    tracker->ops->free(tracker);
    clock_thaw();
    tracker = session_tracker_impl_new(&recorder.base, table, 60 * 60 * 1000, 1, NULL);    /* a tick of an hour */
    tracker->ops->start(tracker);
    tracker->ops->shutdown(tracker);    /* the test's own time-out would tell */
}
END_TEST

static Suite *session_tracker_suite(void)
{
    Suite *suite = suite_create("session_tracker_impl");
    TCase *tcase = tcase_create("session_tracker_impl");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_loop_test(tcase, first_id_has_the_layout_of_java, 0, ARRAY_SIZE(initial_ids));
    tcase_add_test(tcase, ids_go_up_from_the_wall_clock);
    tcase_add_test(tcase, an_id_in_use_is_not_given_out_again);
    tcase_add_test(tcase, ids_start_above_those_in_the_table);
    tcase_add_test(tcase, ids_wrap_within_their_server);
    tcase_add_test(tcase, zero_is_no_id_of_a_session);
    tcase_add_test(tcase, first_owner_that_asks_owns_the_session);
    tcase_add_test(tcase, a_closing_session_is_expired_to_everyone);
    tcase_add_test(tcase, commit_puts_it_into_the_table_and_remove_takes_it_out);
    tcase_add_test(tcase, no_session_is_local);
    tcase_add_test(tcase, sessions_are_printed_as_java_dumps_them);
    tcase_add_test(tcase, a_silent_session_expires_and_a_touched_one_does_not);
    tcase_add_test(tcase, expirer_is_called_without_the_lock);
    tcase_add_test(tcase, shutdown_ends_the_wait_at_once);
    suite_add_tcase(suite, tcase);
    return suite;
}

CHECK_MAIN(session_tracker_suite)
