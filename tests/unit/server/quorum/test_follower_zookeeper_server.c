/* A follower's chain with clients: reads here, writes through the leader, what is logged is acknowledged. */
#include "server/quorum/follower_zookeeper_server.h"

#include <string.h>

#include "common/base/memory.h"
#include "common/wire/acl.h"
#include "tests/unit/server/quorum/fake_learner.h"
#include "tests/unit/server/quorum/role_test.h"

static struct follower_zookeeper_server *zks;

static void set_up(void)
{
    role_set_up();
    fake_learner_set_up();
    zks = follower_zookeeper_server_new(&role_self, role_server, &fake_learner);
    fake_learner.follower = zks;
}

static void start(void)
{
    follower_zookeeper_server_create_session_tracker(zks);
    follower_zookeeper_server_startup(zks);
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
    follower_zookeeper_server_free(zks);
    fake_learner_tear_down();
    role_tear_down();
}

static void write_path(struct buffer *record, const char *path)
{
    jute_write_string(record, path);
}

/* ---- clients ---- */

START_TEST(writes_go_through_the_leader_and_are_answered_here)
{
    start();
    role_connect(&alice);
    ck_assert_int_eq(fake_learner.last_type, OP_CREATE_SESSION);
    ck_assert_int_eq(raw_client_create(&alice, "/a", "1", 0), ZK_OK);
    role_assert_data(&alice, "/a", "1");
    ck_assert_uint_eq(fake_learner.requested, 2);
    ck_assert_int_eq(raw_client_set(&alice, "/a", "2", -1), ZK_OK);
    ck_assert_int_eq(raw_client_delete(&alice, "/b", -1), ZK_NO_NODE);
    ck_assert_int_eq(alice.header.zxid, fake_learner.zxid);
    ck_assert_int_eq(raw_client_close_session(&alice), ZK_OK);
    shut_down();
    ck_assert_uint_eq(fake_learner.acked, 5);    /* all that was logged, nothing else */
    ck_assert_int_eq(fake_learner.last_ack, fake_learner.zxid);
}
END_TEST

START_TEST(a_read_passes_anothers_write_but_not_its_own)
{
    start();
    role_connect(&alice);
    role_connect(&bob);
    ck_assert_int_eq(raw_client_create(&alice, "/a", "1", 0), ZK_OK);
    fake_learner_hold(true);
    struct buffer set = {0}, get = {0};
    struct set_data_request set_record = {ustring_of("/a"), {(const uint8_t *)"2", 1}, -1};
    struct get_data_request get_record = {ustring_of("/a"), false};
    jute_write_set_data_request(&set, &set_record);
    jute_write_get_data_request(&get, &get_record);
    int32_t set_xid = raw_client_send(&alice, OP_SET_DATA, &set);
    int32_t get_xid = raw_client_send(&alice, OP_GET_DATA, &get);
    role_wait_count(&fake_learner.requested, 4);
    role_assert_data(&bob, "/a", "1");
    fake_learner_hold(false);
    ck_assert_int_eq(raw_client_receive(&alice, set_xid), ZK_OK);
    ck_assert_int_eq(raw_client_receive(&alice, get_xid), ZK_OK);
    struct jute_buffer data = jute_read_buffer(&alice.body);
    ck_assert(data.size == 1 && data.bytes[0] == '2');
}
END_TEST

START_TEST(a_sync_waits_for_the_leaders_word)
{
    start();
    role_connect(&alice);
    fake_learner_hold(true);
    struct buffer record = {0};
    write_path(&record, "/x");
    int32_t xid = raw_client_send(&alice, OP_SYNC, &record);
    role_wait_count(&fake_learner.requested, 2);
    ck_assert_uint_eq(follower_zookeeper_server_pending_sync_count(zks), 1);
    fake_learner_hold(false);
    ck_assert_int_eq(raw_client_receive(&alice, xid), ZK_OK);
    ck_assert(ustring_is(jute_read_ustring(&alice.body), "/x"));
    ck_assert_uint_eq(follower_zookeeper_server_pending_sync_count(zks), 0);
}
END_TEST

START_TEST(touched_sessions_are_told_once)
{
    start();
    role_connect(&alice);
    struct buffer out = {0};
    follower_zookeeper_server_touch_snapshot(zks, &out);
    ck_assert_uint_eq(out.size, 12);
    ck_assert_uint_eq(load_be64(out.bytes), (uint64_t)alice.session_id);
    ck_assert_uint_eq(load_be32(out.bytes + 8), ROLE_TIMEOUT_MS);
    buffer_clear(&out);
    follower_zookeeper_server_touch_snapshot(zks, &out);
    ck_assert_uint_eq(out.size, 0);
    ck_assert_int_eq(raw_client_ping(&alice), ZK_OK);
    follower_zookeeper_server_touch_snapshot(zks, &out);
    ck_assert_uint_eq(out.size, 12);
    buffer_release(&out);
}
END_TEST

START_TEST(a_session_that_comes_back_is_the_leaders_to_know)
{
    start();
    role_connect(&alice);
    raw_client_hang_up(&alice);
    ck_assert_int_eq(role_reconnect(&alice), ZK_OK);
    ck_assert_uint_eq(fake_learner.validated, 1);
    raw_client_hang_up(&alice);
    atomic_store(&fake_learner.is_session_valid, false);
    ck_assert_int_eq(role_reconnect(&alice), ZK_SESSION_EXPIRED);
}
END_TEST

START_TEST(with_the_early_check_a_forbidden_write_does_not_leave)
{
    role_options.enable_eager_acl_check = true;
    start();
    role_connect(&alice);
    struct buffer record = {0};
    struct zk_acl read_only = {PERM_READ, {ustring_of("world"), ustring_of("anyone")}};
    struct create_request create = {ustring_of("/a"), {NULL, -1}, {&read_only, 1}, 0};
    jute_write_create_request(&record, &create);
    ck_assert_int_eq(raw_client_call(&alice, OP_CREATE, &record), ZK_OK);
    ck_assert_int_eq(raw_client_set(&alice, "/a", "x", -1), ZK_NO_AUTH);
    ck_assert_uint_eq(fake_learner.requested, 2);
}
END_TEST

/* ---- local sessions ---- */

START_TEST(a_local_session_is_not_the_leaders_until_it_makes_an_ephemeral_node)
{
    role_options.local_sessions_enabled = true;
    role_options.local_sessions_upgrading_enabled = _i == 1;
    start();
    role_connect(&alice);
    ck_assert_uint_eq(fake_learner.requested, 0);
    raw_client_hang_up(&alice);
    ck_assert_int_eq(role_reconnect(&alice), ZK_OK);
    ck_assert_uint_eq(fake_learner.validated, 0);
    ck_assert_int_eq(raw_client_create(&alice, "/a", "1", 0), ZK_OK);
    ck_assert_uint_eq(fake_learner.requested, 1);
    if (_i == 1) {
        ck_assert_int_eq(raw_client_create(&alice, "/a/e", "1", CREATE_EPHEMERAL), ZK_OK);
        ck_assert_uint_eq(fake_learner.requested, 3);    /* createSession, create */
        int32_t timeout_ms;
        ck_assert(session_table_get(zk_database_sessions(role_core->database), alice.session_id, &timeout_ms));
        ck_assert_int_eq(raw_client_close_session(&alice), ZK_OK);
        ck_assert_uint_eq(fake_learner.requested, 4);
    } else {
        ck_assert_int_eq(raw_client_close_session(&alice), ZK_OK);
        ck_assert_uint_eq(fake_learner.requested, 1);
    }
}
END_TEST

/* ---- packets ---- */

static struct request *make_proposal(int64_t session_id, int32_t cxid, int32_t type, const struct txn_body *body)
{
    struct txn *txn = fake_learner_make_txn(session_id, cxid, type, body);
    struct request *request = request_new_from_txn(txn);
    txn_unref(txn);
    return request;
}

static struct request *make_create(const char *path)
{
    struct txn_body body = {.is_present = true};
    body.record.create = (struct create_txn){ustring_of(path), {NULL, -1}, acl_open_unsafe, false, -1};
    return make_proposal(0x99, 1, OP_CREATE, &body);
}

START_TEST(what_is_logged_is_not_applied_before_its_commit)
{
    start();
    fake_learner_stop();
    follower_zookeeper_server_log_request(zks, make_create("/a"));
    follower_zookeeper_server_log_request(zks, make_create("/b"));
    follower_zookeeper_server_flush(zks);
    role_wait_count(&fake_learner.acked, 2);
    ck_assert(!role_tree_has("/a"));
    ck_assert_int_eq(follower_zookeeper_server_pending_head(zks)->zxid, fake_learner.zxid - 1);
    ck_assert_int_eq(follower_zookeeper_server_commit(zks, fake_learner.zxid - 1, NULL), ZK_OK);
    follower_zookeeper_server_flush(zks);
    shut_down();
    ck_assert(role_tree_has("/a"));
    ck_assert(!role_tree_has("/b"));
}
END_TEST

START_TEST(a_commit_that_does_not_fit_is_reported)
{
    start();
    fake_learner_stop();
    struct error error = {0};
    ck_assert_int_eq(follower_zookeeper_server_commit(zks, 5, &error), ZK_NOT_FOUND);
    ck_assert_ptr_null(follower_zookeeper_server_pending_head(zks));
    follower_zookeeper_server_log_request(zks, make_create("/a"));
    ck_assert_int_eq(follower_zookeeper_server_commit(zks, fake_learner.zxid + 1, &error), ZK_CORRUPT);
    ck_assert(strstr(error.text, "0x100000001") != NULL);
    follower_zookeeper_server_sync(zks);    /* nothing pending: a line in the log */
}
END_TEST

START_TEST(the_last_one_of_an_epoch_is_logged_and_never_committed)
{
    start();
    fake_learner_stop();
    fake_learner.zxid = INT64_C(0x1ffffffff);
    follower_zookeeper_server_log_request(zks, make_create("/a"));    /* 0x200000000: counter 0 */
    ck_assert_ptr_null(follower_zookeeper_server_pending_head(zks));
}
END_TEST

START_TEST(the_end_of_a_session_closes_its_connection_here)
{
    start();
    role_connect(&alice);
    role_connect(&bob);
    fake_learner_stop();
    struct txn_body body = {.is_present = true};
    body.record.close_session.paths2_delete = (struct ustring_vector){NULL, 0};
    follower_zookeeper_server_log_request(zks, make_proposal(alice.session_id, 0, OP_CLOSE_SESSION, &body));
    follower_zookeeper_server_commit(zks, fake_learner.zxid, NULL);
    follower_zookeeper_server_flush(zks);
    ck_assert(raw_client_sees_end(&alice));
    ck_assert_int_eq(raw_client_ping(&bob), ZK_OK);
}
END_TEST

START_TEST(it_comes_down_with_writes_that_nobody_commits)
{
    start();
    role_connect(&alice);
    fake_learner_hold(true);
    struct buffer record = {0}, sync = {0};
    struct create_request create = {ustring_of("/a"), {NULL, -1}, acl_open_unsafe, 0};
    jute_write_create_request(&record, &create);
    write_path(&sync, "/");
    raw_client_send(&alice, OP_CREATE, &record);
    raw_client_send(&alice, OP_SYNC, &sync);
    role_wait_count(&fake_learner.requested, 3);
    shut_down();
    ck_assert(raw_client_sees_end(&alice));
}
END_TEST

static Suite *follower_zookeeper_server_suite(void)
{
    Suite *suite = suite_create("follower_zookeeper_server");
    TCase *tcase = tcase_create("follower_zookeeper_server");
    tcase_set_timeout(tcase, 60);
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, writes_go_through_the_leader_and_are_answered_here);
    tcase_add_test(tcase, a_read_passes_anothers_write_but_not_its_own);
    tcase_add_test(tcase, a_sync_waits_for_the_leaders_word);
    tcase_add_test(tcase, touched_sessions_are_told_once);
    tcase_add_test(tcase, a_session_that_comes_back_is_the_leaders_to_know);
    tcase_add_test(tcase, with_the_early_check_a_forbidden_write_does_not_leave);
    tcase_add_loop_test(tcase, a_local_session_is_not_the_leaders_until_it_makes_an_ephemeral_node, 0, 2);
    tcase_add_test(tcase, what_is_logged_is_not_applied_before_its_commit);
    tcase_add_test(tcase, a_commit_that_does_not_fit_is_reported);
    tcase_add_test(tcase, the_last_one_of_an_epoch_is_logged_and_never_committed);
    tcase_add_test(tcase, the_end_of_a_session_closes_its_connection_here);
    tcase_add_test(tcase, it_comes_down_with_writes_that_nobody_commits);
    suite_add_tcase(suite, tcase);
    return suite;
}

CHECK_MAIN(follower_zookeeper_server_suite)
