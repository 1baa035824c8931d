/* An observer's chain with clients: what it is informed of is applied at once, and logged if it logs. */
#include "server/quorum/observer_zookeeper_server.h"

#include "common/base/memory.h"
#include "tests/unit/server/quorum/fake_learner.h"
#include "tests/unit/server/quorum/role_test.h"

static struct observer_zookeeper_server *zks;

static void set_up(void)
{
    role_set_up();
    fake_learner_set_up();
    zks = observer_zookeeper_server_new(&role_self, role_server, &fake_learner);
    fake_learner.observer = zks;
}

static void start(void)
{
    observer_zookeeper_server_create_session_tracker(zks);
    observer_zookeeper_server_startup(zks);
    fake_learner_start();
}

static void shut_down(void)
{
    if (fake_learner.quorum_peer != NULL)
        fake_learner_stop();
    zookeeper_server_shutdown_role(role_server);
}

static void tear_down(void)
{
    shut_down();
    observer_zookeeper_server_free(zks);
    fake_learner_tear_down();
    role_tear_down();
}

START_TEST(writes_are_answered_and_logged_if_it_logs)
{
    role_options.sync_enabled = _i == 1;
    start();
    role_connect(&alice);
    ck_assert_int_eq(raw_client_create(&alice, "/a", "1", 0), ZK_OK);
    ck_assert_int_eq(raw_client_set(&alice, "/a", "2", -1), ZK_OK);
    role_assert_data(&alice, "/a", "2");
    ck_assert_int_eq(raw_client_delete(&alice, "/b", -1), ZK_NO_NODE);
    shut_down();
    ck_assert_uint_eq(fake_learner.requested, 4);
    ck_assert_uint_eq(fake_learner.acked, 0);    /* an observer acknowledges nothing */
    ck_assert_int_eq(zk_database_txn_count(role_core->database), _i == 1 ? 4 : 0);
}
END_TEST

START_TEST(a_sync_waits_for_the_leaders_word)
{
    start();
    role_connect(&alice);
    fake_learner_hold(true);
    struct buffer record = {0};
    jute_write_string(&record, "/");
    int32_t xid = raw_client_send(&alice, OP_SYNC, &record);
    role_wait_count(&fake_learner.requested, 2);
    ck_assert_uint_eq(observer_zookeeper_server_pending_sync_count(zks), 1);
    fake_learner_hold(false);
    ck_assert_int_eq(raw_client_receive(&alice, xid), ZK_OK);
}
END_TEST

START_TEST(touched_sessions_are_told_once)
{
    start();
    role_connect(&alice);
    struct buffer out = {0};
    observer_zookeeper_server_touch_snapshot(zks, &out);
    ck_assert_uint_eq(out.size, 12);
    buffer_clear(&out);
    observer_zookeeper_server_touch_snapshot(zks, &out);
    ck_assert_uint_eq(out.size, 0);
    buffer_release(&out);
}
END_TEST

static Suite *observer_zookeeper_server_suite(void)
{
    Suite *suite = suite_create("observer_zookeeper_server");
    TCase *tcase = tcase_create("observer_zookeeper_server");
    tcase_set_timeout(tcase, 60);
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_loop_test(tcase, writes_are_answered_and_logged_if_it_logs, 0, 2);
    tcase_add_test(tcase, a_sync_waits_for_the_leaders_word);
    tcase_add_test(tcase, touched_sessions_are_told_once);
    suite_add_tcase(suite, tcase);
    return suite;
}

CHECK_MAIN(observer_zookeeper_server_suite)
