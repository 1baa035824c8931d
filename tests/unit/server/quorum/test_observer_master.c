/* test_observer_master.c - a follower's observers: caught up without a gap, informed, asked for, cut off. */
#include "server/quorum/observer_master.h"

#include <stdio.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/memory.h"
#include "server/zookeeper_server.h"
#include "tests/lib/check_main.h"
#include "tests/lib/test_directory.h"
#include "tests/unit/server/quorum/wire_learner.h"

#define E1(n) (0x100000000 + (n))
#define SESSION INT64_C(0x77)

static char directory[TEST_DIRECTORY_SIZE];
static struct properties settings;
static struct server_options options;
static struct zookeeper_server *server;
static struct zk_database *database;
static struct quorum_verifier *verifier;
static struct epoch_files *epochs;
static struct quorum_self self;
static struct observer_master *om;
static struct wire_learner observer;

/* ---- the follower behind it ---- */

static _Atomic int64_t asked_session, touched_session, submitted_type;
static _Atomic(const void *) submitted_sync;

static void revalidate(struct observer_master_hook *hook, int64_t session_id, int32_t timeout_ms)
{
    (void)hook;
    (void)timeout_ms;
    atomic_store(&asked_session, session_id);
}

static void touch(struct observer_master_hook *hook, int64_t session_id, int32_t timeout_ms)
{
    (void)hook;
    (void)timeout_ms;
    atomic_store(&touched_session, session_id);
}

static void submit(struct observer_master_hook *hook, struct request *request)
{
    (void)hook;
    atomic_store(&submitted_sync, request->learner_handler);
    atomic_store(&submitted_type, request->type);
    request_unref(request);
}

static void failed(struct observer_master_hook *hook, const char *reason)
{
    (void)hook;
    ck_abort_msg("%s", reason);
}

static struct observer_master_hook hook = { revalidate, touch, submit, failed };

static void wait_for(const _Atomic int64_t *value, int64_t wanted)
{
    int64_t deadline_ms = clock_elapsed_ms() + 20000;
    while (atomic_load(value) != wanted && clock_elapsed_ms() < deadline_ms)
        clock_sleep_ms(1);
    ck_assert_int_eq(atomic_load(value), wanted);
}

static struct txn *txn_of(int64_t zxid)
{
    char path[32];
    snprintf(path, sizeof(path), "/n%d", (int)(zxid & 0xffff));
    struct zk_acl open = { .perms = 31, .id = { ustring_of("world"), ustring_of("anyone") } };
    struct txn_header header = { .client_id = 1, .cxid = 1, .zxid = zxid, .time = 1, .type = OP_CREATE };
    struct txn_body body = { .is_present = true };
    body.record.create = (struct create_txn){
        .path = ustring_of(path), .data = { (const uint8_t *)"data", 4 }, .acl = { &open, 1 }, .parent_c_version = -1 };
    return txn_new(&header, &body, NULL);
}

/* In the tree, as the chain leaves it there. */
static void apply(int64_t zxid)
{
    struct txn *txn = txn_of(zxid);
    struct arena arena = { 0 };
    struct process_txn_result result;
    zk_database_process_txn(database, txn, &arena, &result);
    arena_release(&arena);
    txn_unref(txn);
}

static void inform(int64_t zxid)
{
    struct txn *txn = txn_of(zxid);
    observer_master_inform(om, zxid, txn->bytes);
    observer_master_flush(om);
    txn_unref(txn);
}

static void start(int64_t committed_zxid)
{
    struct error error = { 0 };
    ck_assert_msg(observer_master_start(&self, zookeeper_server_core(server), 0, committed_zxid, &hook, &om, &error)
                  == ZK_OK, "%s", error.text);
    wire_learner_connect(&observer, observer_master_port(om), 4);
}

static void set_up(void)
{
    struct error error = { 0 };
    int exit_code;
    int64_t zxid;
    log_set_level(NULL, LOG_OFF);
    test_directory_make(directory);
    server_options_init(&options);
    properties_set(&settings, "dataDir", directory, 0);
    properties_set(&settings, "clientPort", "0", 0);
    properties_set(&settings, "clientPortAddress", "127.0.0.1", 0);
    properties_set(&settings, "tickTime", "200", 0);
    properties_set(&settings, "initLimit", "50", 0);
    properties_set(&settings, "syncLimit", "50", 0);
    properties_set(&settings, "preAllocSize", "64", 0);
    properties_set(&settings, "zookeeper.observerMaster.sizeLimit", "2000", 0);
    ck_assert_msg(server_options_load(&options, NULL, &settings, &error) == ZK_OK, "%s", error.text);
    ck_assert_msg(zookeeper_server_new(&options, 1, NULL, NULL, &server, &exit_code, &error) == ZK_OK, "%s",
                  error.text);
    ck_assert_msg(zookeeper_server_load(server, &zxid, &error) == ZK_OK, "%s", error.text);
    database = zookeeper_server_core(server)->database;
    static const char text[] = "server.1=127.0.0.1:0:3888:participant\nserver.2=127.0.0.1:2889:3889:participant\n"
                               "server.4=127.0.0.1:2891:3891:observer\nversion=0";
    ck_assert_int_eq(
        quorum_verifier_parse_text(text, strlen(text), &(struct quorum_parse_options){ 0 }, &verifier, &error), ZK_OK);
    ck_assert_int_eq(
        epoch_files_open(file_txn_snap_log_snap_dir(zk_database_snap_log(database)), E1(0), &epochs, &error), ZK_OK);
    quorum_self_init(&self, &options, 1, verifier, epochs, NULL, NULL, NULL);
    for (int64_t next = E1(1); next <= E1(5); next++)
        apply(next);
    om = NULL;
}

static void tear_down(void)
{
    wire_learner_close(&observer);
    observer_master_stop(om);
    quorum_self_release(&self);
    epoch_files_close(epochs);
    quorum_verifier_unref(verifier);
    zookeeper_server_close(server);
    zookeeper_server_free(server);
    server_options_release(&options);
    properties_release(&settings);
    test_directory_remove(directory);
}

/* The observer joins at this zxid, and is brought to E1(5) by the tree. */
static void join(int64_t zxid)
{
    wire_learner_register(&observer, QP_OBSERVERINFO, 1, 1, zxid);
    ck_assert_int_eq(observer.epoch_zxid, E1(0));
    ck_assert_int_eq(wire_learner_expect(&observer, QP_DIFF), E1(5));
    for (int64_t next = zxid + 1; next <= E1(5); next++) {
        ck_assert_int_eq(wire_learner_expect(&observer, QP_PROPOSAL), next);
        ck_assert_int_eq(wire_learner_expect(&observer, QP_COMMIT), next);
    }
}

START_TEST(an_observer_is_caught_up_and_informed)
{
    start(E1(5));
    join(E1(3));
    wire_learner_finish(&observer);
    ck_assert_uint_eq(observer_master_observer_count(om), 1);
    inform(E1(6));
    ck_assert_int_eq(wire_learner_expect(&observer, QP_INFORM), E1(6));
    struct txn *txn = txn_of(E1(7));
    observer_master_inform_and_activate(om, E1(7), 2, txn->bytes);
    observer_master_flush(om);
    ck_assert_int_eq(wire_learner_expect(&observer, QP_INFORMANDACTIVATE), E1(7));
    ck_assert_uint_eq(observer.packet.data.size, 8 + txn->bytes->size);
    ck_assert_uint_eq(load_be64(observer.packet.data.bytes), 2);
    txn_unref(txn);
}
END_TEST

START_TEST(what_is_committed_but_not_yet_applied_is_sent_behind)
{
    start(E1(5));
    inform(E1(6));
    inform(E1(7));
    join(E1(5));
    ck_assert_int_eq(wire_learner_expect(&observer, QP_INFORM), E1(6));
    ck_assert_int_eq(wire_learner_expect(&observer, QP_INFORM), E1(7));
    wire_learner_finish(&observer);
}
END_TEST

START_TEST(what_is_applied_already_is_not_sent_twice)
{
    start(E1(3));    /* it began when 4 and 5 were still to come */
    inform(E1(4));
    inform(E1(5));
    inform(E1(6));
    join(E1(2));
    ck_assert_int_eq(wire_learner_expect(&observer, QP_INFORM), E1(6));
    wire_learner_finish(&observer);
}
END_TEST

START_TEST(one_who_would_have_a_gap_is_cut_off)
{
    start(E1(6));    /* 6 is on its way through the chain, and not kept here */
    wire_learner_register(&observer, QP_OBSERVERINFO, 1, 1, E1(3));
    wire_learner_expect_end(&observer);
}
END_TEST

START_TEST(what_is_kept_is_bounded)
{
    start(E1(5));
    for (int64_t zxid = E1(6); zxid < E1(100); zxid++)
        inform(zxid);
    wire_learner_register(&observer, QP_OBSERVERINFO, 1, 1, E1(3));
    wire_learner_expect_end(&observer);
    wire_learner_close(&observer);
    for (int64_t zxid = E1(6); zxid < E1(98); zxid++)
        apply(zxid);
    wire_learner_connect(&observer, observer_master_port(om), 4);
    wire_learner_register(&observer, QP_OBSERVERINFO, 1, 1, E1(97));
    wire_learner_expect(&observer, QP_DIFF);
    ck_assert_int_eq(wire_learner_expect(&observer, QP_INFORM), E1(98));
    ck_assert_int_eq(wire_learner_expect(&observer, QP_INFORM), E1(99));
    wire_learner_finish(&observer);
}
END_TEST

START_TEST(sessions_are_asked_for_at_the_leader)
{
    uint8_t data[12];
    start(E1(5));
    join(E1(5));
    wire_learner_finish(&observer);
    store_be64(data, SESSION);
    store_be32(data + 8, 30000);
    wire_learner_send(&observer, QP_REVALIDATE, -1, data, sizeof(data));
    wait_for(&asked_session, SESSION);
    ck_assert(!observer_master_revalidated(om, SESSION + 1, true));    /* of a client of the follower */
    ck_assert(observer_master_revalidated(om, SESSION, true));
    ck_assert(!observer_master_revalidated(om, SESSION, true));
    wire_learner_expect(&observer, QP_REVALIDATE);
    ck_assert_int_eq((int64_t)load_be64(observer.packet.data.bytes), SESSION);
    ck_assert_uint_eq(observer.packet.data.bytes[8], 1);
    wait_for(&touched_session, SESSION);
    store_be64(data, SESSION + 2);
    wire_learner_send(&observer, QP_PING, 0, data, sizeof(data));
    wait_for(&touched_session, SESSION + 2);
}
END_TEST

START_TEST(requests_go_through_the_follower)
{
    struct buffer payload = { 0 };
    start(E1(5));
    join(E1(5));
    wire_learner_finish(&observer);
    wire_learner_request(&observer, SESSION, 1, OP_SET_DATA, &payload);
    wait_for(&submitted_type, OP_SET_DATA);
    ck_assert_ptr_null(submitted_sync);
    wire_learner_request(&observer, SESSION, 2, OP_SYNC, &payload);
    wait_for(&submitted_type, OP_SYNC);
    ck_assert_ptr_nonnull(submitted_sync);
    observer_master_send_sync(om, submitted_sync);
    wire_learner_expect(&observer, QP_SYNC);
    observer_master_send_sync(om, (const void *)(uintptr_t)999);    /* it is gone */
    buffer_release(&payload);
}
END_TEST

START_TEST(a_follower_is_not_fed)
{
    start(E1(5));
    wire_learner_info(&observer, QP_FOLLOWERINFO, 1);
    wire_learner_expect_end(&observer);
}
END_TEST

START_TEST(an_observer_acks_nothing)
{
    start(E1(5));
    join(E1(5));
    wire_learner_finish(&observer);
    wire_learner_send(&observer, QP_ACK, E1(6), NULL, 0);
    wire_learner_expect_end(&observer);
}
END_TEST

START_TEST(an_observer_that_goes_takes_its_questions_along)
{
    uint8_t data[12];
    start(E1(5));
    join(E1(5));
    wire_learner_finish(&observer);
    store_be64(data, SESSION);
    store_be32(data + 8, 30000);
    wire_learner_send(&observer, QP_REVALIDATE, -1, data, sizeof(data));
    wait_for(&asked_session, SESSION);
    wire_learner_close(&observer);
    int64_t deadline_ms = clock_elapsed_ms() + 20000;
    while (observer_master_observer_count(om) > 0 && clock_elapsed_ms() < deadline_ms)
        clock_sleep_ms(1);
    clock_sleep_ms(20);
    observer_master_revalidated(om, SESSION, true);    /* to nobody */
    wire_learner_connect(&observer, observer_master_port(om), 4);
}
END_TEST

static Suite *observer_master_suite(void)
{
    Suite *suite = suite_create("observer_master");
    TCase *tcase = tcase_create("observer_master");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, an_observer_is_caught_up_and_informed);
    tcase_add_test(tcase, what_is_committed_but_not_yet_applied_is_sent_behind);
    tcase_add_test(tcase, what_is_applied_already_is_not_sent_twice);
    tcase_add_test(tcase, one_who_would_have_a_gap_is_cut_off);
    tcase_add_test(tcase, what_is_kept_is_bounded);
    tcase_add_test(tcase, sessions_are_asked_for_at_the_leader);
    tcase_add_test(tcase, requests_go_through_the_follower);
    tcase_add_test(tcase, a_follower_is_not_fed);
    tcase_add_test(tcase, an_observer_acks_nothing);
    tcase_add_test(tcase, an_observer_that_goes_takes_its_questions_along);
    suite_add_tcase(suite, tcase);
    return suite;
}

CHECK_MAIN(observer_master_suite)
