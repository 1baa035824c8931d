/* The leader's chain with clients, over a leader that is alone: its own ack commits, unless it is told to hold back. */
#include "server/quorum/leader_zookeeper_server.h"

#include <stdio.h>
#include <string.h>

#include "common/base/memory.h"
#include "common/thread/thread.h"
#include "common/wire/acl.h"
#include "tests/unit/server/quorum/fake_leader.h"
#include "tests/unit/server/quorum/role_test.h"

static struct leader_zookeeper_server *zks;
static const char handler[] = "a learner's handler";

static void set_up(void)
{
    role_set_up();
    fake_leader_set_up();
    zks = leader_zookeeper_server_new(&role_self, role_server, &fake_leader);
    fake_leader.zks = zks;
}

static void start(void)
{
    leader_zookeeper_server_create_session_tracker(zks);
    leader_zookeeper_server_startup(zks);
}

static void tear_down(void)
{
    zookeeper_server_shutdown_role(role_server);
    leader_zookeeper_server_free(zks);
    fake_leader_tear_down();
    role_tear_down();
}

/* ---- a client's requests ---- */

START_TEST(every_write_is_proposed_committed_and_answered)
{
    start();
    role_connect(&alice);
    ck_assert_int_eq(fake_leader.last_type, OP_CREATE_SESSION);
    ck_assert_int_eq(raw_client_create(&alice, "/a", "1", 0), ZK_OK);
    ck_assert_int_eq(raw_client_set(&alice, "/a", "2", 0), ZK_OK);
    ck_assert_int_eq(raw_client_set(&alice, "/a", "3", 0), ZK_BAD_VERSION);    /* its error is proposed too */
    role_assert_data(&alice, "/a", "2");
    ck_assert_int_eq(raw_client_delete(&alice, "/a", -1), ZK_OK);
    ck_assert_int_eq(raw_client_close_session(&alice), ZK_OK);
    ck_assert_int_eq(fake_leader.last_type, OP_CLOSE_SESSION);
    role_wait_count(&fake_leader.applied, 6);
    ck_assert_uint_eq(fake_leader.proposed, 6);
    ck_assert_int_eq(fake_leader.last_applied, INT64_C(0x100000006));
}
END_TEST

START_TEST(a_read_passes_anothers_write_but_not_its_own)
{
    start();
    role_connect(&alice);
    role_connect(&bob);
    ck_assert_int_eq(raw_client_create(&alice, "/a", "1", 0), ZK_OK);
    fake_leader_hold_commits(true);
    struct buffer set = {0}, get = {0};
    struct set_data_request set_record = {ustring_of("/a"), {(const uint8_t *)"2", 1}, -1};
    struct get_data_request get_record = {ustring_of("/a"), false};
    jute_write_set_data_request(&set, &set_record);
    jute_write_get_data_request(&get, &get_record);
    int32_t set_xid = raw_client_send(&alice, OP_SET_DATA, &set);
    int32_t get_xid = raw_client_send(&alice, OP_GET_DATA, &get);
    role_wait_count(&fake_leader.proposed, 4);
    role_assert_data(&bob, "/a", "1");
    fake_leader_hold_commits(false);
    ck_assert_int_eq(raw_client_receive(&alice, set_xid), ZK_OK);
    ck_assert_int_eq(raw_client_receive(&alice, get_xid), ZK_OK);
    struct jute_buffer data = jute_read_buffer(&alice.body);
    ck_assert_int_eq(data.size, 1);
    ck_assert_int_eq(data.bytes[0], '2');
}
END_TEST

struct busy_client {
    struct raw_client *client;
    const char *path;
    struct thread *thread;
    bool did_fail;
};

static void busy_run(void *arg)
{
    struct busy_client *busy = arg;
    char wanted[16], text[16];
    for (int i = 0; i < 200 && !busy->did_fail; i++) {
        snprintf(wanted, sizeof wanted, "%d", i);
        busy->did_fail = raw_client_set(busy->client, busy->path, wanted, i) != ZK_OK;
        for (int k = 0; k < 5 && !busy->did_fail; k++)
            busy->did_fail = raw_client_get(busy->client, busy->path, false, text, sizeof text) != ZK_OK ||
                             strcmp(text, wanted) != 0;
    }
}

START_TEST(workers_answer_as_well)
{
    role_options.commit_processor_num_worker_threads = 3;
    start();
    role_connect(&alice);
    role_connect(&bob);
    ck_assert_int_eq(raw_client_create(&alice, "/a", "x", 0), ZK_OK);
    ck_assert_int_eq(raw_client_create(&alice, "/b", "x", 0), ZK_OK);
    struct busy_client busy[] = {{&alice, "/a", NULL, false}, {&bob, "/b", NULL, false}};
    for (size_t i = 0; i < ARRAY_SIZE(busy); i++)
        busy[i].thread = thread_start("client", busy_run, &busy[i]);
    for (size_t i = 0; i < ARRAY_SIZE(busy); i++) {
        thread_join(busy[i].thread);
        ck_assert(!busy[i].did_fail);
    }
}
END_TEST

START_TEST(what_cannot_be_read_is_answered_all_the_same)
{
    start();
    role_connect(&alice);
    struct buffer record = {0};
    jute_write_int32(&record, 1000);
    ck_assert_int_eq(raw_client_call(&alice, OP_SET_DATA, &record), ZK_MARSHALLING_ERROR);
    ck_assert_int_eq(fake_leader.last_type, OP_ERROR);
    ck_assert_int_eq(raw_client_create(&alice, "/a", "1", 0), ZK_OK);
}
END_TEST

START_TEST(a_sync_of_its_own_client_is_a_read)
{
    start();
    role_connect(&alice);
    struct buffer record = {0};
    jute_write_string(&record, "/");
    ck_assert_int_eq(raw_client_call(&alice, OP_SYNC, &record), ZK_OK);
    ck_assert_uint_eq(fake_leader.synced, 0);
    ck_assert_uint_eq(fake_leader.proposed, 1);
}
END_TEST

START_TEST(what_may_not_be_proposed_is_not_logged)
{
    start();
    role_connect(&alice);
    fake_leader.is_over = true;
    struct buffer record = {0};
    struct create_request create = {ustring_of("/a"), {NULL, -1}, acl_open_unsafe, 0};
    jute_write_create_request(&record, &create);
    raw_client_send(&alice, OP_CREATE, &record);
    zookeeper_server_shutdown_role(role_server);    /* the queues are empty then */
    ck_assert_uint_eq(fake_leader.proposed, 1);
    ck_assert_int_eq(fake_leader.acked, fake_leader.last_zxid);
    ck_assert(!role_tree_has("/a"));
}
END_TEST

START_TEST(with_the_early_check_a_forbidden_write_does_not_come_to_the_leader)
{
    role_options.enable_eager_acl_check = true;
    start();
    role_connect(&alice);
    struct buffer record = {0};
    struct zk_acl read_only = {PERM_READ, {ustring_of("world"), ustring_of("anyone")}};
    struct create_request create = {ustring_of("/a"), {NULL, -1}, {&read_only, 1}, 0};
    jute_write_create_request(&record, &create);
    ck_assert_int_eq(raw_client_call(&alice, OP_CREATE, &record), ZK_OK);
    ck_assert_uint_eq(fake_leader.proposed, 2);
    ck_assert_int_eq(raw_client_set(&alice, "/a", "x", -1), ZK_NO_AUTH);
    ck_assert_int_eq(raw_client_create(&alice, "/a/b", "x", 0), ZK_NO_AUTH);
    ck_assert_uint_eq(fake_leader.proposed, 2);
    ck_assert_int_eq(raw_client_set(&alice, "/nothing", "x", -1), ZK_NO_NODE);    /* the leader says so */
    ck_assert_uint_eq(fake_leader.proposed, 3);
    ck_assert_int_eq(atomic_load(&role_core->requests_in_process), 0);
}
END_TEST

/* ---- reconfiguration ---- */

static int reconfig(const char *leaving, int64_t config_id)
{
    struct buffer record = {0};
    struct reconfig_request request = {USTRING_NULL, ustring_of(leaving), USTRING_NULL, config_id};
    jute_write_reconfig_request(&record, &request);
    return raw_client_call(&alice, OP_RECONFIG, &record);
}

START_TEST(a_reconfiguration_is_proposed_as_data_of_the_config_node)
{
    role_options.reconfig_enabled = true;
    role_core->skip_acl = true;
    fake_leader.has_quorum_synced = true;
    start();
    role_connect(&alice);
    ck_assert_int_eq(reconfig("3", 0), ZK_OK);
    ck_assert_int_eq(fake_leader.last_type, OP_RECONFIG);
    struct jute_buffer data = jute_read_buffer(&alice.body);    /* the one of now: nobody took the next one over */
    struct zk_stat stat;
    jute_read_zk_stat(&alice.body, &stat);
    ck_assert_int_eq(jute_error(&alice.body), ZK_OK);
    ck_assert(memmem(data.bytes, (size_t)data.size, "server.3=", 9) != NULL);
    ck_assert_int_eq(stat.mzxid, alice.header.zxid);
    ck_assert_int_eq(stat.version, -1);
    char text[512];
    ck_assert_int_eq(raw_client_get(&alice, "/zookeeper/config", false, text, sizeof text), ZK_OK);
    ck_assert_str_eq(text, "server.1=127.0.0.1:1:2:participant;0.0.0.0:3\n"
                           "server.2=127.0.0.1:4:5:participant;0.0.0.0:6\nversion=100000002");
}
END_TEST

START_TEST(and_refused_in_javas_order)
{
    start();
    role_connect(&alice);
    ck_assert_int_eq(reconfig("3", 5), ZK_RECONFIG_DISABLED);
    role_options.reconfig_enabled = true;
    ck_assert_int_eq(reconfig("3", 5), ZK_BAD_VERSION);
    ck_assert_int_eq(reconfig("2,3", 0), ZK_BAD_ARGUMENTS);
    ck_assert_int_eq(reconfig("x", 0), ZK_MARSHALLING_ERROR);
    ck_assert_int_eq(reconfig("3", 0), ZK_NEW_CONFIG_NO_QUORUM);
    fake_leader.has_quorum_synced = true;
    ck_assert_int_eq(reconfig("3", 0), ZK_NO_AUTH);
    ck_assert_int_eq(fake_leader.last_type, OP_ERROR);
    ck_assert_int_eq(alice.header.zxid, fake_leader.last_zxid);
}
END_TEST

/* ---- learners ---- */

static struct request *learner_request(int64_t session_id, int32_t cxid, int32_t type, struct buffer *record)
{
    struct blob *payload = blob_new_copy(record->bytes, record->size);
    struct auth_info *info = auth_info_new_empty();
    struct request *request =
        request_new(NULL, session_id, cxid, type, payload, (struct slice){payload->bytes, payload->size}, info);
    request->owner = handler;
    blob_unref(payload);
    auth_info_unref(info);
    buffer_release(record);
    return request;
}

static void submit_create_session(int64_t id)
{
    struct buffer record = {0};
    jute_write_int32(&record, ROLE_TIMEOUT_MS);
    leader_zookeeper_server_submit_learner_request(zks, learner_request(id, 0, OP_CREATE_SESSION, &record));
}

static void submit_create(int64_t id, const char *path)
{
    struct buffer record = {0};
    struct create_request create = {ustring_of(path), {NULL, -1}, acl_open_unsafe, CREATE_EPHEMERAL};
    jute_write_create_request(&record, &create);
    leader_zookeeper_server_submit_learner_request(zks, learner_request(id, 1, OP_CREATE, &record));
}

START_TEST(a_learners_requests_go_straight_to_prep)
{
    role_options.forward_learner_requests_to_commit_processor_disabled = _i == 1;
    start();
    submit_create_session(0x77);
    submit_create(0x77, "/of_a_learner");
    role_wait_count(&fake_leader.applied, 2);
    ck_assert(role_tree_has("/of_a_learner"));
    ck_assert_int_eq(server_metrics_value(role_core->metrics, METRIC_REQUESTS_NOT_FORWARDED_TO_COMMIT_PROCESSOR),
                     _i == 1 ? 2 : 0);
    ck_assert(leader_zookeeper_server_touch(zks, 0x77, ROLE_TIMEOUT_MS));
    ck_assert(!leader_zookeeper_server_touch(zks, 0x78, ROLE_TIMEOUT_MS));
    struct buffer empty = {0};
    leader_zookeeper_server_submit_learner_request(zks, learner_request(0x77, 2, OP_CLOSE_SESSION, &empty));
    role_wait_count(&fake_leader.applied, 3);
    ck_assert(!role_tree_has("/of_a_learner"));
}
END_TEST

START_TEST(a_learners_sync_goes_to_the_leader)
{
    start();
    struct buffer record = {0};
    jute_write_string(&record, "/");
    struct request *sync = learner_request(0x77, 1, OP_SYNC, &record);
    sync->learner_handler = (void *)(uintptr_t)handler;
    leader_zookeeper_server_submit_learner_request(zks, sync);
    role_wait_count(&fake_leader.synced, 1);
    ck_assert_uint_eq(fake_leader.proposed, 0);
}
END_TEST

START_TEST(a_session_that_moves_has_one_owner)
{
    start();
    role_connect(&alice);
    ck_assert_int_eq(raw_client_create(&alice, "/a", "1", 0), ZK_OK);
    ck_assert(leader_zookeeper_server_revalidate(zks, alice.session_id, ROLE_TIMEOUT_MS, handler));
    ck_assert(!leader_zookeeper_server_revalidate(zks, 0x4711, ROLE_TIMEOUT_MS, handler));
    struct buffer record = {0};
    struct get_data_request get = {ustring_of("/a"), false};
    jute_write_get_data_request(&record, &get);
    raw_client_send(&alice, OP_GET_DATA, &record);
    ck_assert(raw_client_sees_end(&alice));
    ck_assert_int_eq(role_reconnect(&alice), ZK_OK);    /* and back */
    role_assert_data(&alice, "/a", "1");
}
END_TEST

/* ---- local sessions ---- */

START_TEST(a_local_session_is_not_proposed_until_it_makes_an_ephemeral_node)
{
    role_options.local_sessions_enabled = true;
    role_options.local_sessions_upgrading_enabled = _i == 1;
    start();
    role_connect(&alice);
    ck_assert_uint_eq(fake_leader.proposed, 0);
    ck_assert(!leader_zookeeper_server_revalidate(zks, alice.session_id, ROLE_TIMEOUT_MS, handler));
    ck_assert_int_eq(raw_client_create(&alice, "/a", "1", 0), ZK_OK);
    ck_assert_uint_eq(fake_leader.proposed, 1);
    if (_i == 1) {
        ck_assert_int_eq(raw_client_create(&alice, "/a/e", "1", CREATE_EPHEMERAL), ZK_OK);
        ck_assert_uint_eq(fake_leader.proposed, 3);    /* createSession before it */
        ck_assert_int_eq(raw_client_create(&alice, "/a/f", "1", CREATE_EPHEMERAL), ZK_OK);
        ck_assert_uint_eq(fake_leader.proposed, 4);
        ck_assert_int_eq(raw_client_close_session(&alice), ZK_OK);
        ck_assert_int_eq(fake_leader.last_type, OP_CLOSE_SESSION);
        ck_assert(!role_tree_has("/a/e"));
    } else {
        ck_assert_int_eq(raw_client_create(&alice, "/a/e", "1", CREATE_EPHEMERAL), ZK_EPHEMERAL_ON_LOCAL_SESSION);
        size_t proposed = fake_leader.proposed;
        ck_assert_int_eq(raw_client_close_session(&alice), ZK_OK);
        ck_assert_uint_eq(fake_leader.proposed, proposed);
    }
}
END_TEST

/* ---- coming down ---- */

START_TEST(it_comes_down_with_a_write_that_nobody_commits)
{
    start();
    role_connect(&alice);
    fake_leader_hold_commits(true);
    struct buffer record = {0};
    struct create_request create = {ustring_of("/a"), {NULL, -1}, acl_open_unsafe, 0};
    jute_write_create_request(&record, &create);
    raw_client_send(&alice, OP_CREATE, &record);
    role_wait_count(&fake_leader.proposed, 2);
    zookeeper_server_shutdown_role(role_server);
    ck_assert(!role_tree_has("/a"));
    /* Handlers are still there. */
    ck_assert(!leader_zookeeper_server_touch(zks, alice.session_id, ROLE_TIMEOUT_MS));
    ck_assert(!leader_zookeeper_server_revalidate(zks, alice.session_id, ROLE_TIMEOUT_MS, handler));
    submit_create_session(0x77);
    fake_leader_hold_commits(false);
}
END_TEST

struct learner_thread {
    struct thread *thread;
    _Atomic bool is_over;
};

static void learner_run(void *arg)
{
    struct learner_thread *learner = arg;
    int64_t id = 0x1000;
    while (!atomic_load(&learner->is_over)) {
        submit_create_session(id);
        leader_zookeeper_server_touch(zks, id, ROLE_TIMEOUT_MS);
        leader_zookeeper_server_revalidate(zks, id++, ROLE_TIMEOUT_MS, handler);
    }
}

START_TEST(handlers_may_go_on_while_it_comes_down)
{
    struct learner_thread learner = {0};
    start();
    learner.thread = thread_start("LearnerHandler", learner_run, &learner);
    role_wait_count(&fake_leader.applied, 100);
    zookeeper_server_shutdown_role(role_server);
    atomic_store(&learner.is_over, true);
    thread_join(learner.thread);
}
END_TEST

START_TEST(a_role_may_come_again)
{
    start();
    role_connect(&alice);
    ck_assert_int_eq(raw_client_create(&alice, "/a", "1", CREATE_EPHEMERAL), ZK_OK);
    zookeeper_server_shutdown_role(role_server);
    ck_assert(raw_client_sees_end(&alice));
    leader_zookeeper_server_free(zks);
    zks = leader_zookeeper_server_new(&role_self, role_server, &fake_leader);
    fake_leader.zks = zks;
    start();
    ck_assert_int_eq(role_reconnect(&alice), ZK_OK);
    role_assert_data(&alice, "/a", "1");
    ck_assert_int_eq(raw_client_set(&alice, "/a", "2", -1), ZK_OK);
}
END_TEST

static Suite *leader_zookeeper_server_suite(void)
{
    Suite *suite = suite_create("leader_zookeeper_server");
    TCase *tcase = tcase_create("leader_zookeeper_server");
    tcase_set_timeout(tcase, 60);
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, every_write_is_proposed_committed_and_answered);
    tcase_add_test(tcase, a_read_passes_anothers_write_but_not_its_own);
    tcase_add_test(tcase, workers_answer_as_well);
    tcase_add_test(tcase, what_cannot_be_read_is_answered_all_the_same);
    tcase_add_test(tcase, a_sync_of_its_own_client_is_a_read);
    tcase_add_test(tcase, what_may_not_be_proposed_is_not_logged);
    tcase_add_test(tcase, with_the_early_check_a_forbidden_write_does_not_come_to_the_leader);
    tcase_add_test(tcase, a_reconfiguration_is_proposed_as_data_of_the_config_node);
    tcase_add_test(tcase, and_refused_in_javas_order);
    tcase_add_loop_test(tcase, a_learners_requests_go_straight_to_prep, 0, 2);
    tcase_add_test(tcase, a_learners_sync_goes_to_the_leader);
    tcase_add_test(tcase, a_session_that_moves_has_one_owner);
    tcase_add_loop_test(tcase, a_local_session_is_not_proposed_until_it_makes_an_ephemeral_node, 0, 2);
    tcase_add_test(tcase, it_comes_down_with_a_write_that_nobody_commits);
    tcase_add_test(tcase, handlers_may_go_on_while_it_comes_down);
    tcase_add_test(tcase, a_role_may_come_again);
    suite_add_tcase(suite, tcase);
    return suite;
}

CHECK_MAIN(leader_zookeeper_server_suite)
