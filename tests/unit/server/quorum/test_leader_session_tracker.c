/* The leader's sessions: all global ones with their time, its own local ones, and which of both a session is. */
#include "server/quorum/leader_session_tracker.h"

#include <string.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "tests/lib/check_main.h"

#define SERVER_ID 200    /* its ids are negative numbers */
#define TIMEOUT_MS 10000
#define GLOBAL INT64_C(0x1234)
#define OF_ANOTHER INT64_C(0x0500000000000001)

static const char me[] = "me", other[] = "other";
static struct session_table *table;
static struct session_tracker *tracker;
static struct mutex lock;
static struct condition called;
static int64_t expired GUARDED_BY(lock);    /* the last one, 0: none */

static void expire(struct session_expirer *self, int64_t session_id, int32_t timeout_ms)
{
    (void)self;
    (void)timeout_ms;
    mutex_lock(&lock);
    expired = session_id;
    condition_broadcast(&called);
    mutex_unlock(&lock);
}

static void wait_expired(int64_t session_id)
{
    mutex_lock(&lock);
    while (expired != session_id)
        condition_wait(&called, &lock);
    mutex_unlock(&lock);
}
static struct session_expirer expirer = {expire};

static void make(bool local_sessions_enabled)
{
    struct quorum_tracker_options options = {&expirer, table, 1000, SERVER_ID, local_sessions_enabled, NULL};
    tracker = leader_session_tracker_new(&options);
}

static void set_up(void)
{
    log_set_level(NULL, LOG_OFF);
    clock_freeze(500, 1000000);
    mutex_init(&lock);
    condition_init(&called);
    table = session_table_new();
    session_table_put(table, GLOBAL, TIMEOUT_MS);
}

static void tear_down(void)
{
    tracker->ops->free(tracker);
    session_table_free(table);
    condition_release(&called);
    mutex_release(&lock);
    clock_thaw();
}

START_TEST(without_local_sessions_an_unknown_one_is_expired)
{
    make(false);
    ck_assert_int_eq(tracker->ops->check_session(tracker, GLOBAL, me), ZK_OK);
    ck_assert_int_eq(tracker->ops->check_session(tracker, GLOBAL, other), ZK_SESSION_MOVED);
    ck_assert_int_eq(tracker->ops->check_session(tracker, OF_ANOTHER, me), ZK_SESSION_EXPIRED);
    ck_assert(!tracker->ops->touch_session(tracker, OF_ANOTHER, TIMEOUT_MS));
    int64_t id = tracker->ops->create_session(tracker, TIMEOUT_MS);
    ck_assert_int_eq(id, session_initial_id(SERVER_ID, 1000000));
    ck_assert(upgradeable_session_tracker_is_global(tracker, id));
    ck_assert(!tracker->ops->is_local_session(tracker, id));
}
END_TEST

START_TEST(with_them_it_may_be_anothers_local_session_unless_it_was_ours)
{
    make(true);
    ck_assert_int_eq(tracker->ops->check_session(tracker, OF_ANOTHER, me), ZK_OK);
    ck_assert_int_eq(tracker->ops->check_global_session(tracker, OF_ANOTHER, me), ZK_SESSION_EXPIRED);
    int64_t gone = session_initial_id(SERVER_ID, 5);
    ck_assert_int_lt(gone, 0);
    ck_assert_int_eq(tracker->ops->check_session(tracker, gone, me), ZK_SESSION_EXPIRED);
}
END_TEST

START_TEST(new_sessions_are_local_ones)
{
    make(true);
    int64_t id = tracker->ops->create_session(tracker, TIMEOUT_MS);
    ck_assert(tracker->ops->is_local_session(tracker, id));
    ck_assert(!upgradeable_session_tracker_is_global(tracker, id));
    ck_assert_int_eq(tracker->ops->check_session(tracker, id, me), ZK_OK);
    ck_assert_int_eq(tracker->ops->check_session(tracker, id, other), ZK_SESSION_MOVED);
    ck_assert_int_eq(tracker->ops->set_owner(tracker, id, other), ZK_OK);
    ck_assert_int_eq(tracker->ops->check_session(tracker, id, other), ZK_OK);
    ck_assert_int_eq(tracker->ops->set_owner(tracker, GLOBAL, other), ZK_OK);
    ck_assert_int_eq(tracker->ops->check_session(tracker, GLOBAL, me), ZK_SESSION_MOVED);
    ck_assert_uint_eq(tracker->ops->local_session_count(tracker), 1);
    ck_assert_uint_eq(tracker->ops->global_session_count(tracker), 1);
    tracker->ops->set_session_closing(tracker, id);
    ck_assert(!tracker->ops->touch_session(tracker, id, TIMEOUT_MS));
    ck_assert_int_eq(tracker->ops->check_session(tracker, id, other), ZK_SESSION_EXPIRED);
    tracker->ops->remove_session(tracker, id);
    ck_assert(!tracker->ops->is_tracking_session(tracker, id));
}
END_TEST

START_TEST(an_upgraded_session_is_tracked_at_once_and_has_no_owner_yet)
{
    make(true);
    int64_t id = tracker->ops->create_session(tracker, TIMEOUT_MS);
    tracker->ops->check_session(tracker, id, me);
    ck_assert_int_eq(upgradeable_session_tracker_upgrade(tracker, id), TIMEOUT_MS);
    ck_assert(upgradeable_session_tracker_is_global(tracker, id));
    ck_assert(tracker->ops->touch_session(tracker, id, TIMEOUT_MS));
    ck_assert_int_eq(tracker->ops->check_global_session(tracker, id, other), ZK_OK);
    ck_assert(tracker->ops->commit_session(tracker, id, TIMEOUT_MS));
    ck_assert(!upgradeable_session_tracker_is_upgrading(tracker, id));
    int32_t timeout_ms;
    ck_assert(session_table_get(table, id, &timeout_ms));
    tracker->ops->remove_session(tracker, id);
    ck_assert(!session_table_get(table, id, &timeout_ms));
}
END_TEST

START_TEST(the_time_of_sessions_begins_when_it_starts)
{
    make(false);
    clock_advance_ms(TIMEOUT_MS * 5);    /* learners were waited for */
    tracker->ops->start(tracker);
    tracker->ops->track_session(tracker, 0x77, TIMEOUT_MS - 5000);
    clock_advance_ms(TIMEOUT_MS - 2000);
    wait_expired(0x77);    /* what was due before it would have gone before it */
    ck_assert(tracker->ops->touch_session(tracker, GLOBAL, TIMEOUT_MS));
    clock_advance_ms(TIMEOUT_MS + 2000);
    wait_expired(GLOBAL);
    tracker->ops->shutdown(tracker);
}
END_TEST

START_TEST(its_dump_tells_local_from_global_ones)
{
    make(true);
    struct buffer out = {0};
    tracker->ops->print_sessions(tracker, &out);
    ck_assert(strncmp(buffer_string(&out), "Local Session ", 14) == 0 &&
              strstr(buffer_string(&out), "Global Session ") != NULL);
    buffer_release(&out);
}
END_TEST

static Suite *leader_session_tracker_suite(void)
{
    Suite *suite = suite_create("leader_session_tracker");
    TCase *tcase = tcase_create("leader_session_tracker");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, without_local_sessions_an_unknown_one_is_expired);
    tcase_add_test(tcase, with_them_it_may_be_anothers_local_session_unless_it_was_ours);
    tcase_add_test(tcase, new_sessions_are_local_ones);
    tcase_add_test(tcase, an_upgraded_session_is_tracked_at_once_and_has_no_owner_yet);
    tcase_add_test(tcase, the_time_of_sessions_begins_when_it_starts);
    tcase_add_test(tcase, its_dump_tells_local_from_global_ones);
    suite_add_tcase(suite, tcase);
    return suite;
}

CHECK_MAIN(leader_session_tracker_suite)
