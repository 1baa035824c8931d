/*
 * test_leader_loopback.c - a whole leader, its server behind it, over loopback: learners that the test plays register,
 * ack and forward, and leadership ends.
 */
#include "tests/unit/server/quorum/leader_loopback.h"

#include "common/base/clock.h"
#include "tests/lib/check_main.h"

START_TEST(a_quorum_registers_and_writes)
{
    loopback_start();
    form_quorum();
    ck_assert_int_eq(two.epoch_zxid, E1(0));
    ck_assert_int_eq(quorum_self_accepted_epoch(&loopback.self), 1);
    ck_assert_int_eq(quorum_self_current_epoch(&loopback.self), 1);
    write_history(3);
    ck_assert_int_eq(leader_last_committed(loopback.leader), E1(3));
    ck_assert_uint_eq(leader_proposal_count(loopback.leader), 0);
    ck_assert_uint_eq(leader_synced_follower_count(loopback.leader), 1);
    ck_assert(leader_is_quorum_synced(loopback.leader, loopback.verifier));
    wire_learner_close(&two);
}
END_TEST

START_TEST(new_leader_carries_the_configuration)
{
    struct buffer text = { 0 };
    loopback_start();
    loopback_join(&two, 2, 0, 0);
    wire_learner_expect(&two, QP_DIFF);
    wire_learner_expect(&two, QP_NEWLEADER);
    quorum_verifier_print(loopback.verifier, &text);
    ck_assert_uint_eq(two.packet.data.size, text.size);
    ck_assert_mem_eq(two.packet.data.bytes, text.bytes, text.size);
    buffer_release(&text);
    wire_learner_close(&two);
}
END_TEST

START_TEST(the_epoch_is_above_what_a_quorum_accepted)
{
    loopback_start();
    wire_learner_connect(&two, loopback.port, 2);
    wire_learner_register(&two, QP_FOLLOWERINFO, 41, 0, 0);
    ck_assert_int_eq(two.epoch_zxid, (int64_t)42 << 32);
    wire_learner_close(&two);
}
END_TEST

START_TEST(a_learner_of_old_times_speaks_of_no_epochs)
{
    uint8_t sid[8];
    loopback_start();
    form_quorum();
    write_history(3);
    wire_learner_connect(&three, loopback.port, 3);
    store_be64(sid, 3);
    wire_learner_send(&three, QP_FOLLOWERINFO, E1(3), sid, sizeof(sid));
    ck_assert_int_eq(wire_learner_expect(&three, QP_NEWLEADER), E1(0));    /* its protocol has it before DIFF */
    ck_assert_ptr_null(three.packet.data.bytes);
    ck_assert_int_eq(wire_learner_expect(&three, QP_DIFF), E1(3));
    wire_learner_send(&three, QP_ACK, E1(0), NULL, 0);
    wire_learner_expect(&three, QP_UPTODATE);
    wire_learner_close(&three);
    wire_learner_close(&two);
}
END_TEST

START_TEST(a_sync_waits_for_what_was_proposed)
{
    struct buffer payload = { 0 };
    loopback_start();
    form_quorum();
    write_history(2);
    jute_write_string(&payload, "/");
    wire_learner_request(&two, SESSION, 7, OP_SYNC, &payload);
    ck_assert_int_eq(wire_learner_expect(&two, QP_SYNC), 0);
    request_create(&two, "/a", 0);
    int64_t zxid = wire_learner_expect(&two, QP_PROPOSAL);
    jute_write_string(&payload, "/");
    wire_learner_request(&two, SESSION, 8, OP_SYNC, &payload);
    while (leader_pending_sync_count(loopback.leader) == 0)
        clock_sleep_ms(1);
    wire_learner_send(&two, QP_ACK, zxid, NULL, 0);
    ck_assert_int_eq(wire_learner_expect(&two, QP_COMMIT), zxid);
    wire_learner_expect(&two, QP_SYNC);
    buffer_release(&payload);
    wire_learner_close(&two);
}
END_TEST

START_TEST(an_observer_is_informed)
{
    loopback_start();
    form_quorum();
    write_history(3);
    loopback_join(&four, 4, 1, E1(3));
    ck_assert_int_eq(wire_learner_expect(&four, QP_DIFF), E1(3));
    wire_learner_finish(&four);
    ck_assert_uint_eq(leader_synced_observer_count(loopback.leader), 1);
    request_create(&four, "/o", 0);
    ck_assert_int_eq(wire_learner_expect(&two, QP_PROPOSAL), E1(4));
    wire_learner_send(&four, QP_ACK, E1(4), NULL, 0);    /* of no account */
    struct buffer proposal = { 0 };
    buffer_append(&proposal, two.packet.data.bytes, two.packet.data.size);
    wire_learner_send(&two, QP_ACK, E1(4), NULL, 0);
    ck_assert_int_eq(wire_learner_expect(&four, QP_INFORM), E1(4));
    ck_assert_uint_eq(four.packet.data.size, proposal.size);
    ck_assert_mem_eq(four.packet.data.bytes, proposal.bytes, proposal.size);
    buffer_release(&proposal);
    wire_learner_close(&four);
    wire_learner_close(&two);
}
END_TEST

START_TEST(sessions_are_revalidated)
{
    uint8_t data[12];
    loopback_start();
    form_quorum();
    write_history(2);
    store_be64(data, SESSION);
    store_be32(data + 8, 30000);
    wire_learner_send(&two, QP_REVALIDATE, -1, data, sizeof(data));
    ck_assert_int_eq(wire_learner_expect(&two, QP_REVALIDATE), -1);
    ck_assert_uint_eq(two.packet.data.size, 9);
    ck_assert_int_eq((int64_t)load_be64(two.packet.data.bytes), SESSION);
    ck_assert_uint_eq(two.packet.data.bytes[8], 1);
    store_be64(data, SESSION + 1);
    wire_learner_send(&two, QP_REVALIDATE, -1, data, sizeof(data));
    wire_learner_expect(&two, QP_REVALIDATE);
    ck_assert_int_eq((int64_t)load_be64(two.packet.data.bytes), SESSION + 1);
    ck_assert_uint_eq(two.packet.data.bytes[8], 0);
    wire_learner_send(&two, QP_PING, 0, data, sizeof(data));    /* a touch of a session nobody knows */
    wire_learner_close(&two);
}
END_TEST

START_TEST(ephemerals_of_sessions_that_are_over_are_closed_for_all)    /* 5010 */
{
    loopback_start();
    form_quorum();
    request_session(&two);
    ck_assert_int_eq(ack_next(&two), E1(1));
    request_create(&two, "/e", CREATE_EPHEMERAL);
    ck_assert_int_eq(ack_next(&two), E1(2));
    wait_applied(E1(2));
    wire_learner_close(&two);
    loopback_stop();
    loopback_start();
    /* Its session is not in the table, by whatever mishap. */
    session_table_remove(zk_database_sessions(zookeeper_server_core(loopback.server)->database), SESSION);
    loopback_join(&two, 2, 1, E1(2));
    ck_assert_int_eq(wire_learner_expect(&two, QP_DIFF), E1(2));
    wire_learner_expect(&two, QP_NEWLEADER);
    wire_learner_send(&two, QP_ACK, two.epoch_zxid, NULL, 0);
    do {
        wire_learner_read(&two);
        if (two.packet.type == QP_PROPOSAL) {    /* before UPTODATE or after it */
            ck_assert_int_eq(two.packet.zxid, 0x200000001);
            ck_assert_int_eq((int64_t)load_be64(two.packet.data.bytes), SESSION);
            ck_assert_int_eq((int32_t)load_be32(two.packet.data.bytes + 28), OP_CLOSE_SESSION);
            wire_learner_send(&two, QP_ACK, two.packet.zxid, NULL, 0);
        }
    } while (two.packet.type != QP_COMMIT);
    wait_applied(0x200000001);
    struct zk_stat stat;
    ck_assert_int_eq(data_tree_stat_node(zk_database_tree(zookeeper_server_core(loopback.server)->database),
                                         ustring_of("/e"), NULL, NULL, &stat),
                     ZK_NO_NODE);
    wire_learner_close(&two);
}
END_TEST

START_TEST(a_voter_alone_leads_itself)
{
    loopback.members = "server.1=127.0.0.1:0:3888:participant\nversion=0";
    loopback_set("tickTime", "100");
    loopback_start();
    int64_t deadline_ms = clock_elapsed_ms() + 20000;
    while (!zookeeper_server_is_running(loopback.server) && clock_elapsed_ms() < deadline_ms)
        clock_sleep_ms(1);
    clock_sleep_ms(300);    /* of three ticks */
    ck_assert(zookeeper_server_is_running(loopback.server));
    ck_assert(zookeeper_server_takes_clients(loopback.server));
    ck_assert_int_eq(leader_last_committed(loopback.leader), E1(0));
    ck_assert_int_gt(leader_uptime_ms(loopback.leader), 0);
}
END_TEST

START_TEST(a_leader_may_keep_itself_for_its_learners)
{
    loopback_set("leaderServes", "no");
    loopback_start();
    form_quorum();
    write_history(2);
    ck_assert(zookeeper_server_is_running(loopback.server));
    ck_assert(!zookeeper_server_takes_clients(loopback.server));
    wire_learner_close(&two);
}
END_TEST

START_TEST(one_that_owes_an_ack_for_too_long_is_cut_off)
{
    loopback_set("tickTime", "100");
    loopback_start();
    form_quorum();
    write_history(2);
    loopback_join(&three, 3, 1, E1(2));
    wire_learner_expect(&three, QP_DIFF);
    wire_learner_finish(&three);
    request_create(&two, "/x", 0);
    ck_assert_int_eq(ack_next(&two), E1(3));
    wire_learner_expect(&three, QP_PROPOSAL);
    wire_learner_expect(&three, QP_COMMIT);
    /* It answers pings, but never acks. */
    struct error error = { 0 };
    int err;
    while ((err = quorum_channel_read_packet(three.channel, &three.packet, &error)) == ZK_OK) {
        wire_learner_send(&three, QP_PING, 0, "", 0);
        if (quorum_channel_has_packet(two.channel))
            wire_learner_read(&two);
        wire_learner_send(&two, QP_PING, 0, "", 0);
    }
    ck_assert_int_eq(err, ZK_EOF);
    wire_learner_close(&three);
    wire_learner_close(&two);
}
END_TEST

/* ---- ends of leadership ---- */

START_TEST(a_quorum_that_goes_ends_leadership)
{
    loopback_start();
    form_quorum();
    int64_t start_ms = clock_elapsed_ms();
    wire_learner_close(&two);
    loopback_wait_end();
    ck_assert_int_le(clock_elapsed_ms() - start_ms, 2500);    /* of two ticks */
    ck_assert_str_eq(loopback.ending.text, "Not sufficient followers synced, only synced with sids: [ [1] ]");
}
END_TEST

/* Server 4 is to vote, and is sent no proposal while it observes: nothing can be committed with it. */
START_TEST(who_observes_does_not_count_for_a_configuration_that_is_proposed)
{
    static const char all_vote[] =
        "server.1=127.0.0.1:2888:3888:participant\nserver.2=127.0.0.1:2889:3889:participant\n"
        "server.3=127.0.0.1:2890:3890:participant\nserver.4=127.0.0.1:2891:3891:participant\nversion=100000001";
    struct quorum_verifier *next;
    loopback_set("reconfigEnabled", "true");
    loopback_start();
    form_quorum();
    write_history(2);
    loopback_join(&four, 4, 1, E1(2));
    wire_learner_expect(&four, QP_DIFF);
    wire_learner_finish(&four);
    ck_assert_uint_eq(leader_synced_observer_count(loopback.leader), 1);
    ck_assert_int_eq(
        quorum_verifier_parse_text(all_vote, strlen(all_vote), &(struct quorum_parse_options){ 0 }, &next, NULL),
        ZK_OK);
    ck_assert_int_eq(quorum_self_set_last_seen_verifier(&loopback.self, next, false, NULL), ZK_OK);
    quorum_verifier_unref(next);
    loopback_wait_end();
    ck_assert_str_eq(loopback.ending.text,
                     "Not sufficient followers synced, only synced with sids: [ [1, 2],[1, 2] ]");
    wire_learner_close(&four);
    wire_learner_close(&two);
}
END_TEST

START_TEST(a_quorum_that_never_comes_ends_it_too)
{
    loopback_set("initLimit", "1");
    loopback_start();
    loopback_wait_end();
    ck_assert_str_eq(loopback.ending.text, "Timeout while waiting for epoch from quorum");
}
END_TEST

START_TEST(a_counter_at_its_end_ends_leadership)    /* 1277 */
{
    loopback_start();
    form_quorum();
    struct txn_header header = { .client_id = 1, .zxid = 0x1ffffffff, .type = OP_CREATE_SESSION };
    struct txn_body body = { .is_present = true };
    struct txn *txn = txn_new(&header, &body, NULL);
    struct request *request = request_new_from_txn(txn);
    ck_assert(!leader_propose(loopback.leader, request));
    request_unref(request);
    txn_unref(txn);
    loopback_wait_end();
    ck_assert_str_eq(loopback.ending.text,
                     "zxid lower 32 bits have rolled over, forcing re-election, and therefore new epoch start");
    wire_learner_expect_end(&two);
    wire_learner_close(&two);
}
END_TEST

START_TEST(the_end_may_come_at_any_time)
{
    loopback_start();
    if (_i > 0) {
        wire_learner_connect(&two, loopback.port, 2);
        wire_learner_info(&two, QP_FOLLOWERINFO, 0);
    }
    if (_i > 1) {
        loopback_join(&three, 3, 0, 0);
    }
    clock_sleep_ms(_i % 5);
    loopback_stop();
    if (_i > 0)
        wire_learner_close(&two);
    if (_i > 1)
        wire_learner_close(&three);
}
END_TEST

static Suite *leader_loopback_suite(void)
{
    Suite *suite = suite_create("leader_loopback");
    TCase *tcase = tcase_create("leader_loopback");
    tcase_add_checked_fixture(tcase, loopback_set_up, loopback_tear_down);
    tcase_set_timeout(tcase, 120);
    tcase_add_test(tcase, a_quorum_registers_and_writes);
    tcase_add_test(tcase, new_leader_carries_the_configuration);
    tcase_add_test(tcase, the_epoch_is_above_what_a_quorum_accepted);
    tcase_add_test(tcase, a_learner_of_old_times_speaks_of_no_epochs);
    tcase_add_test(tcase, a_sync_waits_for_what_was_proposed);
    tcase_add_test(tcase, an_observer_is_informed);
    tcase_add_test(tcase, sessions_are_revalidated);
    tcase_add_test(tcase, ephemerals_of_sessions_that_are_over_are_closed_for_all);
    tcase_add_test(tcase, a_voter_alone_leads_itself);
    tcase_add_test(tcase, a_leader_may_keep_itself_for_its_learners);
    tcase_add_test(tcase, one_that_owes_an_ack_for_too_long_is_cut_off);
    tcase_add_test(tcase, a_quorum_that_goes_ends_leadership);
    tcase_add_test(tcase, who_observes_does_not_count_for_a_configuration_that_is_proposed);
    tcase_add_test(tcase, a_quorum_that_never_comes_ends_it_too);
    tcase_add_test(tcase, a_counter_at_its_end_ends_leadership);
    tcase_add_loop_test(tcase, the_end_may_come_at_any_time, 0, 12);
    suite_add_tcase(suite, tcase);
    return suite;
}

CHECK_MAIN(leader_loopback_suite)
