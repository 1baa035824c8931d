/*
 * test_leader_sync.c - a leader brings learners up to date with DIFF, TRUNC or SNAP, from its window, its log or a
 * snapshot, and misses nothing that is written meanwhile.
 */
#include "tests/unit/server/quorum/leader_loopback.h"

#include <stdio.h>

#include "server/tree/tree_snapshot.h"
#include "tests/lib/check_main.h"
#include "tests/lib/test_directory.h"

/* What one who catches up is sent: PROPOSAL and COMMIT of each from `first` to `last`. */
static void expect_history(struct wire_learner *learner, int64_t first, int64_t last)
{
    for (int64_t zxid = first; zxid <= last; zxid++) {
        ck_assert_int_eq(wire_learner_expect(learner, QP_PROPOSAL), zxid);
        ck_assert_int_eq((int64_t)load_be64(learner->packet.data.bytes + 12), zxid);
        ck_assert_int_eq(wire_learner_expect(learner, QP_COMMIT), zxid);
    }
}

/* The tree of a snapshot sent: it has /n<last> and no more. */
static void expect_snapshot_content(struct wire_learner *learner, int64_t last)
{
    struct data_tree *tree = data_tree_new(&(struct data_tree_options){ .digest_enabled = true }, NULL);
    struct session_table *sessions = session_table_new();
    struct byte_source *source = quorum_channel_source(learner->channel);
    struct error error = { 0 };
    ck_assert_msg(file_snap_read_state(tree, sessions, source, 1 << 20, &error) == ZK_OK, "%s", error.text);
    uint8_t signature[14];
    ck_assert_int_eq(source->read(source, signature, sizeof(signature), &error), ZK_OK);
    ck_assert_mem_eq(signature, "\0\0\0\x0a" "BenWasHere", sizeof(signature));
    struct zk_stat stat;
    char path[32];
    snprintf(path, sizeof(path), "/n%d", (int)last);
    ck_assert_int_eq(data_tree_stat_node(tree, ustring_of(path), NULL, NULL, &stat), ZK_OK);
    ck_assert_uint_eq(session_table_count(sessions), 1);
    session_table_free(sessions);
    data_tree_free(tree);
}

static void expect_snapshot(struct wire_learner *learner, int64_t last)
{
    int64_t zxid = wire_learner_expect(learner, QP_SNAP);
    ck_assert_int_ge(zxid, E1(last));
    expect_snapshot_content(learner, last);
}

static int64_t await_proposal(struct wire_learner *learner)
{
    do {
        wire_learner_read(learner);
    } while (learner->packet.type != QP_PROPOSAL);
    return learner->packet.zxid;
}

/* A node with nearly as much data as it may have. */
static void request_large_and_ack(struct wire_learner *learner, int64_t zxid)
{
    static uint8_t bytes[900000];
    char path[32];
    snprintf(path, sizeof(path), "/large%d", (int)(zxid - E1(0)));
    request_create_with(learner, path, 0, (struct jute_buffer){ bytes, sizeof(bytes) });
    ck_assert_int_eq(await_proposal(learner), zxid);
    wire_learner_send(learner, QP_ACK, zxid, NULL, 0);
}

START_TEST(one_within_the_window_gets_a_diff)
{
    loopback_start();
    form_quorum();
    write_history(9);
    loopback_join(&three, 3, 1, E1(4));
    ck_assert_int_eq(wire_learner_expect(&three, QP_DIFF), E1(9));
    expect_history(&three, E1(5), E1(9));
    wire_learner_finish(&three);
    request_create(&three, "/by3", 0);
    ck_assert_int_eq(ack_next(&three), E1(10));
    wire_learner_close(&three);
    wire_learner_close(&two);
}
END_TEST

START_TEST(one_that_is_ahead_is_cut_back)
{
    loopback_start();
    form_quorum();
    write_history(9);
    loopback_join(&three, 3, 1, E1(12));
    ck_assert_int_eq(wire_learner_expect(&three, QP_TRUNC), E1(9));
    wire_learner_finish(&three);
    wire_learner_close(&three);
    wire_learner_close(&two);
}
END_TEST

START_TEST(a_new_one_gets_a_snapshot)
{
    loopback_start();
    form_quorum();
    write_history(9);
    loopback_join(&three, 3, 0, 0);
    expect_snapshot(&three, 9);
    wire_learner_finish(&three);
    wire_learner_close(&three);
    loopback_join(&three, 3, 1, -1);    /* what it has is of no use to it */
    expect_snapshot(&three, 9);
    wire_learner_close(&three);
    wire_learner_close(&two);
}
END_TEST

/*
 * A snapshot that does not fit into the sockets' buffers is not sent to its end while the learner does not read. Others
 * go on meanwhile (3531), and the learner hears of it before NEWLEADER (3104).
 */
START_TEST(what_is_proposed_while_a_snapshot_is_sent_comes_before_new_leader)
{
    loopback_start();
    form_quorum();
    write_history(9);
    for (int64_t zxid = E1(10); zxid <= E1(33); zxid++)
        request_large_and_ack(&two, zxid);
    wait_applied(E1(33));
    loopback_join(&three, 3, 0, 0);
    wire_learner_expect(&three, QP_SNAP);
    for (int64_t zxid = E1(34); zxid <= E1(36); zxid++) {
        char path[32];
        snprintf(path, sizeof(path), "/p%d", (int)(zxid - E1(0)));
        request_create(&two, path, 0);
        ck_assert_int_eq(await_proposal(&two), zxid);
    }
    wire_learner_send(&two, QP_ACK, E1(34), NULL, 0);
    wire_learner_send(&two, QP_ACK, E1(35), NULL, 0);
    wait_applied(E1(35));
    expect_snapshot_content(&three, 9);
    for (int64_t zxid = E1(34); zxid <= E1(36); zxid++)
        ck_assert_int_eq(wire_learner_expect(&three, QP_PROPOSAL), zxid);
    ck_assert_int_eq(wire_learner_expect(&three, QP_COMMIT), E1(34));
    ck_assert_int_eq(wire_learner_expect(&three, QP_COMMIT), E1(35));
    wire_learner_finish(&three);
    wire_learner_close(&three);
    wire_learner_close(&two);
}
END_TEST

START_TEST(one_behind_the_window_gets_the_log)
{
    loopback_start();
    form_quorum();
    write_history(700);
    loopback_join(&three, 3, 1, E1(20));
    ck_assert_int_eq(wire_learner_expect(&three, QP_DIFF), E1(700));
    expect_history(&three, E1(21), E1(700));
    wire_learner_finish(&three);
    wire_learner_close(&three);

    /* One whose log has a tail in the place of ours cannot be told apart; one beyond the window's hole can. */
    loopback_join(&three, 3, 1, 0);
    expect_snapshot(&three, 700);
    wire_learner_finish(&three);
    wire_learner_close(&three);
    wire_learner_close(&two);
}
END_TEST

START_TEST(a_log_dearer_than_a_snapshot_is_not_sent)
{
    loopback_set("zookeeper.snapshotSizeFactor", "0.1");
    loopback_start();
    form_quorum();
    write_history(700);
    loopback_join(&three, 3, 1, E1(20));
    expect_snapshot(&three, 700);
    wire_learner_finish(&three);
    wire_learner_close(&three);
    wire_learner_close(&two);
}
END_TEST

START_TEST(history_before_a_snapshot_that_began_an_epoch_is_not_sent)    /* 2846 */
{
    loopback_start();
    form_quorum();
    write_history(700);
    /* As if this server had taken over a leader's snapshot at the beginning of epoch 1. */
    const char *snap_dir =
        file_txn_snap_log_snap_dir(zk_database_snap_log(zookeeper_server_core(loopback.server)->database));
    char path[TEST_DIRECTORY_SIZE + 64];
    snprintf(path, sizeof(path), "%s/snapshot.100000000", snap_dir);
    FILE *file = fopen(path, "w");
    ck_assert_ptr_nonnull(file);
    fputs("ZKSN and the rest", file);
    fclose(file);
    loopback_join(&three, 3, 1, E1(20));
    ck_assert_int_eq(wire_learner_expect(&three, QP_DIFF), E1(700));    /* behind it */
    wire_learner_close(&three);
    ck_assert_int_eq(rename(path, test_directory_entry(snap_dir, "snapshot.200000000")), 0);
    loopback_join(&three, 3, 1, E1(20));
    expect_snapshot(&three, 700);
    wire_learner_close(&three);
    wire_learner_close(&two);
}
END_TEST

START_TEST(a_learner_that_joins_under_load_misses_nothing)
{
    loopback_start();
    form_quorum();
    write_history(50);
    for (int i = 0; i < 100; i++) {
        char path[32];
        snprintf(path, sizeof(path), "/m%d", i);
        request_create(&two, path, 0);
    }
    loopback_join(&three, 3, 1, E1(20));
    wire_learner_expect(&three, QP_DIFF);
    /* Server 2 acks all of them meanwhile; server 3 must see each proposal once, in order, and each commit after it. */
    int64_t committed = E1(20), proposed = E1(20), acked = E1(50);
    bool has_new_leader = false;
    while (committed < E1(150)) {
        while (acked < E1(150)) {
            wire_learner_read(&two);
            if (two.packet.type == QP_PROPOSAL)
                wire_learner_send(&two, QP_ACK, acked = two.packet.zxid, NULL, 0);
        }
        wire_learner_read(&three);
        int64_t zxid = three.packet.zxid;
        if (three.packet.type == QP_PROPOSAL) {
            ck_assert_int_eq(zxid, ++proposed);
        } else if (three.packet.type == QP_COMMIT) {
            ck_assert_int_eq(zxid, ++committed);
            ck_assert_int_le(committed, proposed);
        } else if (three.packet.type == QP_NEWLEADER) {
            has_new_leader = true;
            wire_learner_send(&three, QP_ACK, three.epoch_zxid, NULL, 0);
        } else {
            ck_assert_int_eq(three.packet.type, QP_UPTODATE);
            ck_assert(has_new_leader);
        }
    }
    wire_learner_close(&three);
    wire_learner_close(&two);
}
END_TEST

START_TEST(an_early_ack_of_a_proposal_counts)    /* 4685; and the learner's commit waits for UPTODATE, 4394 */
{
    loopback_start();
    form_quorum();
    write_history(3);
    request_create(&two, "/x", 0);
    ck_assert_int_eq(wire_learner_expect(&two, QP_PROPOSAL), E1(4));
    loopback_join(&three, 3, 1, E1(3));
    wire_learner_expect(&three, QP_DIFF);
    ck_assert_int_eq(wire_learner_expect(&three, QP_PROPOSAL), E1(4));
    wire_learner_send(&three, QP_ACK, E1(4), NULL, 0);
    ck_assert_int_eq(wire_learner_expect(&two, QP_COMMIT), E1(4));
    ck_assert_int_eq(wire_learner_expect(&three, QP_NEWLEADER), E1(0));
    wire_learner_send(&three, QP_ACK, E1(0), NULL, 0);
    wire_learner_expect(&three, QP_UPTODATE);
    ck_assert_int_eq(wire_learner_expect(&three, QP_COMMIT), E1(4));
    wire_learner_close(&three);
    wire_learner_close(&two);
}
END_TEST

START_TEST(acks_of_what_a_diff_brought_may_come_first)    /* 4685, 4643 */
{
    loopback_start();
    form_quorum();
    write_history(3);
    loopback_join(&three, 3, 1, E1(1));
    wire_learner_expect(&three, QP_DIFF);
    while (wire_learner_read(&three), three.packet.type != QP_NEWLEADER)
        ;
    wire_learner_send(&three, QP_ACK, 0x5, NULL, 0);
    wire_learner_send(&three, QP_ACK, 0x6, NULL, 0);
    wire_learner_send(&three, QP_ACK, E1(0), NULL, 0);
    wire_learner_expect(&three, QP_UPTODATE);
    wire_learner_close(&three);
    wire_learner_close(&two);
}
END_TEST

static Suite *leader_sync_suite(void)
{
    Suite *suite = suite_create("leader_sync");
    TCase *tcase = tcase_create("leader_sync");
    tcase_add_checked_fixture(tcase, loopback_set_up, loopback_tear_down);
    tcase_set_timeout(tcase, 120);
    tcase_add_test(tcase, one_within_the_window_gets_a_diff);
    tcase_add_test(tcase, one_that_is_ahead_is_cut_back);
    tcase_add_test(tcase, a_new_one_gets_a_snapshot);
    tcase_add_test(tcase, what_is_proposed_while_a_snapshot_is_sent_comes_before_new_leader);
    tcase_add_test(tcase, one_behind_the_window_gets_the_log);
    tcase_add_test(tcase, a_log_dearer_than_a_snapshot_is_not_sent);
    tcase_add_test(tcase, history_before_a_snapshot_that_began_an_epoch_is_not_sent);
    tcase_add_test(tcase, a_learner_that_joins_under_load_misses_nothing);
    tcase_add_test(tcase, an_early_ack_of_a_proposal_counts);
    tcase_add_test(tcase, acks_of_what_a_diff_brought_may_come_first);
    suite_add_tcase(suite, tcase);
    return suite;
}

CHECK_MAIN(leader_sync_suite)
