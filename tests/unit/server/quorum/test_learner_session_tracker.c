/* What a learner knows of sessions: the global ones it was told of, its own local ones, and who was touched. */
#include "server/quorum/learner_session_tracker.h"

#include <string.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/memory.h"
#include "common/wire/jute.h"
#include "server/tree/ephemeral_type.h"
#include "tests/lib/check_main.h"

#define TIMEOUT_MS 10000
#define GLOBAL INT64_C(0x1234)
#define NOBODY INT64_C(0x9999)

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
    struct quorum_tracker_options options = {&expirer, table, 1000, 2, local_sessions_enabled, NULL};
    tracker = learner_session_tracker_new(&options);
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

/* The ids of a snapshot; 0 behind them. */
static size_t snapshot(int64_t *ids, size_t most)
{
    struct buffer out = {0};
    struct arena arena = {0};
    struct jute_reader reader;
    size_t count = 0;
    learner_session_tracker_snapshot(tracker, &out);
    jute_reader_init(&reader, out.bytes, out.size, &arena);
    while (jute_left(&reader) > 0) {
        ck_assert_uint_lt(count, most);
        ids[count++] = jute_read_int64(&reader);
        ck_assert_int_eq(jute_read_int32(&reader), TIMEOUT_MS);
    }
    ck_assert_int_eq(jute_error(&reader), ZK_OK);
    arena_release(&arena);
    buffer_release(&out);
    return count;
}

START_TEST(touches_are_kept_until_the_leader_asks)
{
    make(false);
    int64_t ids[8];
    ck_assert(tracker->ops->touch_session(tracker, GLOBAL, TIMEOUT_MS));
    ck_assert(tracker->ops->touch_session(tracker, GLOBAL, TIMEOUT_MS));
    ck_assert(tracker->ops->touch_session(tracker, 0x77, TIMEOUT_MS));    /* the leader will know */
    ck_assert_uint_eq(snapshot(ids, 8), 2);
    ck_assert_int_eq(ids[0], 0x77);
    ck_assert_int_eq(ids[1], GLOBAL);
    ck_assert_uint_eq(snapshot(ids, 8), 0);
    tracker->ops->touch_session(tracker, GLOBAL, TIMEOUT_MS);
    tracker->ops->remove_session(tracker, GLOBAL);
    ck_assert_uint_eq(snapshot(ids, 8), 0);
    ck_assert(!tracker->ops->is_tracking_session(tracker, GLOBAL));
}
END_TEST

START_TEST(a_committed_session_is_in_the_table_and_touched)
{
    make(false);
    int64_t ids[8];
    ck_assert(!tracker->ops->track_session(tracker, 0x88, TIMEOUT_MS));
    ck_assert(!tracker->ops->is_tracking_session(tracker, 0x88));
    ck_assert(tracker->ops->commit_session(tracker, 0x88, TIMEOUT_MS));
    ck_assert(!tracker->ops->commit_session(tracker, 0x88, TIMEOUT_MS));
    ck_assert(tracker->ops->is_tracking_session(tracker, 0x88));
    ck_assert_uint_eq(tracker->ops->global_session_count(tracker), 2);
    ck_assert_uint_eq(snapshot(ids, 8), 1);
}
END_TEST

START_TEST(without_local_sessions_nothing_is_checked_here)
{
    make(false);
    ck_assert_int_eq(tracker->ops->check_session(tracker, NOBODY, me), ZK_OK);
    ck_assert_int_eq(tracker->ops->set_owner(tracker, GLOBAL, me), ZK_OK);
    ck_assert(!tracker->ops->is_local_sessions_enabled(tracker));
    ck_assert_uint_eq(tracker->ops->local_session_count(tracker), 0);
}
END_TEST

START_TEST(ids_are_of_this_server_and_never_given_out_twice)
{
    int64_t first = session_initial_id(2, 1000000);
    session_table_put(table, first + 5, TIMEOUT_MS);    /* the clock went back */
    make(_i == 1);
    int64_t a = tracker->ops->create_session(tracker, TIMEOUT_MS);
    if (_i == 0) {
        ck_assert_int_eq(a, first + 6);
        session_table_put(table, a + 1, TIMEOUT_MS);
        ck_assert_int_eq(tracker->ops->create_session(tracker, TIMEOUT_MS), a + 2);
    } else {
        ck_assert_int_eq(a, first);
        for (int64_t id = a + 1; id < first + 5; id++)
            ck_assert_int_eq(tracker->ops->create_session(tracker, TIMEOUT_MS), id);
        ck_assert_int_eq(tracker->ops->create_session(tracker, TIMEOUT_MS), first + 6);
        ck_assert(!tracker->ops->is_local_session(tracker, first + 5));
    }
}
END_TEST

START_TEST(a_local_session_is_known_here_alone)
{
    make(true);
    int64_t ids[8], id = tracker->ops->create_session(tracker, TIMEOUT_MS);
    ck_assert(tracker->ops->is_local_session(tracker, id));
    ck_assert(tracker->ops->is_tracking_session(tracker, id));
    ck_assert_uint_eq(tracker->ops->local_session_count(tracker), 1);
    ck_assert_uint_eq(tracker->ops->global_session_count(tracker), 1);
    ck_assert_int_eq(tracker->ops->check_session(tracker, id, me), ZK_OK);
    ck_assert_int_eq(tracker->ops->check_session(tracker, id, other), ZK_SESSION_MOVED);
    ck_assert_int_eq(tracker->ops->check_session(tracker, GLOBAL, me), ZK_OK);
    ck_assert_int_eq(tracker->ops->check_session(tracker, NOBODY, me), ZK_SESSION_EXPIRED);
    ck_assert_int_eq(tracker->ops->check_global_session(tracker, id, me), ZK_SESSION_EXPIRED);
    ck_assert(tracker->ops->touch_session(tracker, id, TIMEOUT_MS));
    ck_assert(tracker->ops->touch_session(tracker, GLOBAL, TIMEOUT_MS));
    ck_assert(!tracker->ops->touch_session(tracker, NOBODY, TIMEOUT_MS));
    ck_assert_uint_eq(snapshot(ids, 8), 1);    /* the leader hears of global ones */
    ck_assert_int_eq(ids[0], GLOBAL);
    ck_assert_int_eq(tracker->ops->set_owner(tracker, id, other), ZK_OK);
    ck_assert_int_eq(tracker->ops->set_owner(tracker, NOBODY, other), ZK_SESSION_EXPIRED);
    tracker->ops->set_session_closing(tracker, id);
    ck_assert_int_eq(tracker->ops->check_session(tracker, id, other), ZK_SESSION_EXPIRED);
    tracker->ops->remove_session(tracker, id);
    ck_assert(!tracker->ops->is_tracking_session(tracker, id));
}
END_TEST

START_TEST(an_upgrade_happens_once_and_ends_with_the_commit)
{
    make(true);
    int64_t ids[8], id = tracker->ops->create_session(tracker, TIMEOUT_MS);
    ck_assert_int_eq(upgradeable_session_tracker_upgrade(tracker, id), TIMEOUT_MS);
    ck_assert_int_eq(upgradeable_session_tracker_upgrade(tracker, id), -1);
    ck_assert_int_eq(upgradeable_session_tracker_upgrade(tracker, GLOBAL), -1);
    ck_assert(!tracker->ops->is_local_session(tracker, id));
    ck_assert(upgradeable_session_tracker_is_upgrading(tracker, id));
    ck_assert(tracker->ops->touch_session(tracker, id, TIMEOUT_MS));    /* neither local nor global yet */
    ck_assert(tracker->ops->commit_session(tracker, id, TIMEOUT_MS));
    ck_assert(!upgradeable_session_tracker_is_upgrading(tracker, id));
    ck_assert(upgradeable_session_tracker_is_global(tracker, id));
    ck_assert_uint_eq(snapshot(ids, 8), 1);
}
END_TEST

START_TEST(a_session_that_ends_while_it_is_upgraded_is_forgotten)
{
    make(true);
    int64_t id = tracker->ops->create_session(tracker, TIMEOUT_MS);
    upgradeable_session_tracker_upgrade(tracker, id);
    tracker->ops->remove_session(tracker, id);
    ck_assert(!upgradeable_session_tracker_is_upgrading(tracker, id));
    ck_assert(!tracker->ops->touch_session(tracker, id, TIMEOUT_MS));
}
END_TEST

START_TEST(without_local_sessions_there_is_no_upgrade)
{
    make(false);
    ck_assert_int_eq(upgradeable_session_tracker_upgrade(tracker, GLOBAL), -1);
    ck_assert(!upgradeable_session_tracker_is_upgrading(tracker, GLOBAL));
}
END_TEST

START_TEST(a_local_session_expires_here)
{
    make(true);
    int64_t id = tracker->ops->create_session(tracker, TIMEOUT_MS);
    tracker->ops->start(tracker);
    clock_advance_ms(TIMEOUT_MS + 1000);
    wait_expired(id);
    tracker->ops->shutdown(tracker);
}
END_TEST

START_TEST(its_dump_is_javas)
{
    make(_i == 1);
    struct buffer out = {0};
    session_table_put(table, 0x10, 4000);
    tracker->ops->print_sessions(tracker, &out);
    const char *global = "Global Sessions(2):\n0x10\t4000ms\n0x1234\t10000ms\n";
    if (_i == 0)
        ck_assert_str_eq(buffer_string(&out), global);
    else
        ck_assert(strncmp(buffer_string(&out), "Local Session ", 14) == 0 &&
                  strstr(buffer_string(&out), global) != NULL);
    buffer_release(&out);
}
END_TEST

static Suite *learner_session_tracker_suite(void)
{
    Suite *suite = suite_create("learner_session_tracker");
    TCase *tcase = tcase_create("learner_session_tracker");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, touches_are_kept_until_the_leader_asks);
    tcase_add_test(tcase, a_committed_session_is_in_the_table_and_touched);
    tcase_add_test(tcase, without_local_sessions_nothing_is_checked_here);
    tcase_add_loop_test(tcase, ids_are_of_this_server_and_never_given_out_twice, 0, 2);
    tcase_add_test(tcase, a_local_session_is_known_here_alone);
    tcase_add_test(tcase, an_upgrade_happens_once_and_ends_with_the_commit);
    tcase_add_test(tcase, a_session_that_ends_while_it_is_upgraded_is_forgotten);
    tcase_add_test(tcase, without_local_sessions_there_is_no_upgrade);
    tcase_add_test(tcase, a_local_session_expires_here);
    tcase_add_loop_test(tcase, its_dump_is_javas, 0, 2);
    suite_add_tcase(suite, tcase);
    return suite;
}

CHECK_MAIN(learner_session_tracker_suite)
