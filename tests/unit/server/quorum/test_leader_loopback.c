/*
 * test_leader_loopback.c - a whole leader, its server behind it, over loopback: learners that the test plays register,
 * are brought up to date on every way, ack, forward, misbehave and go.
 */
#include "server/quorum/leader.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/memory.h"
#include "common/net/socket.h"
#include "common/thread/thread.h"
#include "common/wire/acl.h"
#include "server/quorum/leader_parts.h"
#include "server/tree/tree_snapshot.h"
#include "tests/lib/check_main.h"
#include "tests/lib/test_directory.h"
#include "tests/unit/server/quorum/wire_learner.h"

#define SESSION INT64_C(0x200000000001)
#define E1(n) (0x100000000 + (n))

/* ---- the leader ---- */

static char directory[TEST_DIRECTORY_SIZE];
static struct properties settings;
static struct server_options options;
static struct zookeeper_server *server;
static struct quorum_verifier *verifier;
static struct epoch_files *epochs;
static struct quorum_self self;
static struct leader *leader;
static struct thread *thread;
static struct error ending;
static uint16_t port;
static const char *members;

/* Port 0: the system chooses. */
static const char three_and_an_observer[] =
    "server.1=127.0.0.1:0:3888:participant\nserver.2=127.0.0.1:2889:3889:participant\n"
    "server.3=127.0.0.1:2890:3890:participant\nserver.4=127.0.0.1:2891:3891:observer\nversion=0";

static void lead_run(void *arg)
{
    (void)arg;
    leader_lead(leader, &ending);
}

/* Loads what is in the directory, as server 1 of three voters and an observer, and begins to lead. */
static void start(void)
{
    struct error error = { 0 };
    int exit_code;
    int64_t zxid;
    ck_assert_msg(server_options_load(&options, NULL, &settings, &error) == ZK_OK, "%s", error.text);
    ck_assert_msg(zookeeper_server_new(&options, 1, NULL, NULL, &server, &exit_code, &error) == ZK_OK, "%s",
                  error.text);
    ck_assert_msg(zookeeper_server_load(server, &zxid, &error) == ZK_OK, "%s", error.text);
    ck_assert_msg(zookeeper_server_bind(server, NULL, &error) == ZK_OK, "%s", error.text);
    zookeeper_server_open(server);
    ck_assert_msg(quorum_verifier_parse_text(members, strlen(members), &(struct quorum_parse_options){ 0 }, &verifier,
                                             &error) == ZK_OK,
                  "%s", error.text);
    struct zk_database *database = zookeeper_server_core(server)->database;
    const char *snap_dir = file_txn_snap_log_snap_dir(zk_database_snap_log(database));
    ck_assert_msg(epoch_files_open(snap_dir, zxid, &epochs, &error) == ZK_OK, "%s", error.text);
    quorum_self_init(&self, &options, 1, verifier, epochs, zookeeper_server_core(server)->metrics, NULL, NULL);
    ck_assert_msg(leader_new(&self, server, &leader, &error) == ZK_OK, "%s", error.text);
    port = learner_cnx_acceptor_port(leader->acceptor);
    ending = (struct error){ 0 };
    thread = thread_start("QuorumPeer", lead_run, NULL);
}

/* Waits until it leads no more. */
static void wait_end(void)
{
    thread_join(thread);
    thread = NULL;
}

static void stop(void)
{
    if (leader == NULL)
        return;
    leader_shutdown(leader, "end of test");
    if (thread != NULL)
        wait_end();
    leader_close(leader);
    leader_free(leader);
    leader = NULL;
    quorum_self_release(&self);
    epoch_files_close(epochs);
    quorum_verifier_unref(verifier);
    zookeeper_server_close(server);
    zookeeper_server_free(server);
    server_options_release(&options);
    server_options_init(&options);
}

static void set(const char *key, const char *value)
{
    properties_set(&settings, key, value, 0);
}

static void set_up(void)
{
    log_set_level(NULL, LOG_OFF);
    members = three_and_an_observer;
    test_directory_make(directory);
    server_options_init(&options);
    set("dataDir", directory);
    set("clientPort", "0");
    set("clientPortAddress", "127.0.0.1");
    set("tickTime", "1000");
    set("initLimit", "20");
    set("syncLimit", "10");
    set("preAllocSize", "64");
    set("nio.numSelectorThreads", "1");
    set("zookeeper.snapshotSizeFactor", "1000000");
    set("zookeeper.snapCount", "100000");
}

static void tear_down(void)
{
    stop();
    server_options_release(&options);
    properties_release(&settings);
    test_directory_remove(directory);
}

/* ---- learners ---- */

static struct wire_learner two, three, four;

/* Server 2, which has nothing yet, joins; with it the leader serves. */
static void form_quorum(void)
{
    wire_learner_connect(&two, port, 2);
    wire_learner_register(&two, QP_FOLLOWERINFO, 0, 0, 0);
    ck_assert_int_eq(wire_learner_expect(&two, QP_DIFF), 0);
    wire_learner_finish(&two);
}

/* The follower acks the next proposal and sees it committed; its zxid. */
static int64_t ack_next(struct wire_learner *learner)
{
    int64_t zxid = wire_learner_expect(learner, QP_PROPOSAL);
    wire_learner_send(learner, QP_ACK, zxid, NULL, 0);
    ck_assert_int_eq(wire_learner_expect(learner, QP_COMMIT), zxid);
    return zxid;
}

static void request_session(struct wire_learner *learner)
{
    struct buffer payload = { 0 };
    jute_write_int32(&payload, 30000);
    wire_learner_request(learner, SESSION, 0, OP_CREATE_SESSION, &payload);
    buffer_release(&payload);
}

static void request_create_with(struct wire_learner *learner, const char *path, int32_t flags, struct jute_buffer data)
{
    struct zk_acl open = { .perms = 31, .id = { ustring_of("world"), ustring_of("anyone") } };
    struct create_request request = {
        .path = ustring_of(path), .data = data, .acl = { &open, 1 }, .flags = flags };
    struct buffer payload = { 0 };
    jute_write_create_request(&payload, &request);
    wire_learner_request(learner, SESSION, 1, OP_CREATE, &payload);
    buffer_release(&payload);
}

static void request_create(struct wire_learner *learner, const char *path, int32_t flags)
{
    request_create_with(learner, path, flags, (struct jute_buffer){ (const uint8_t *)"data", 4 });
}

static void wait_applied(int64_t zxid)
{
    struct data_tree *tree = zk_database_tree(zookeeper_server_core(server)->database);
    int64_t deadline_ms = clock_elapsed_ms() + 20000;
    while (data_tree_last_processed_zxid(tree) < zxid && clock_elapsed_ms() < deadline_ms)
        clock_sleep_ms(1);
    ck_assert_int_ge(data_tree_last_processed_zxid(tree), zxid);
}

/* A session, and nodes under E1(2) to E1(last), which the leader has applied too. */
static void write_history(int64_t last)
{
    request_session(&two);
    ck_assert_int_eq(ack_next(&two), E1(1));
    for (int64_t i = 2; i <= last; i++) {
        char path[32];
        snprintf(path, sizeof(path), "/n%d", (int)i);
        request_create(&two, path, 0);
    }
    for (int64_t i = 2; i <= last; i++) {
        int64_t zxid;
        do {
            wire_learner_read(&two);
            zxid = two.packet.zxid;
            if (two.packet.type == QP_PROPOSAL)
                wire_learner_send(&two, QP_ACK, zxid, NULL, 0);
        } while (two.packet.type != QP_COMMIT);
        ck_assert_int_eq(zxid, E1(i));
    }
    wait_applied(E1(last));    /* for the leader's window, which decides how one who comes is brought up to date */
}

/* What one who catches up is sent: PROPOSAL and COMMIT of each from `first` to `last`. */
static void expect_history(struct wire_learner *learner, int64_t first, int64_t last)
{
    for (int64_t zxid = first; zxid <= last; zxid++) {
        ck_assert_int_eq(wire_learner_expect(learner, QP_PROPOSAL), zxid);
        ck_assert_int_eq((int64_t)load_be64(learner->packet.data.bytes + 12), zxid);
        ck_assert_int_eq(wire_learner_expect(learner, QP_COMMIT), zxid);
    }
}

/* The tree of a snapshot sent: it has /n<last> and no more; *ret_zxid is what SNAP said. */
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

/* ---- tests ---- */

START_TEST(a_quorum_registers_and_writes)
{
    start();
    form_quorum();
    ck_assert_int_eq(two.epoch_zxid, E1(0));
    ck_assert_int_eq(quorum_self_accepted_epoch(&self), 1);
    ck_assert_int_eq(quorum_self_current_epoch(&self), 1);
    write_history(3);
    wait_applied(E1(3));
    ck_assert_int_eq(leader_last_committed(leader), E1(3));
    ck_assert_uint_eq(leader_proposal_count(leader), 0);
    ck_assert_uint_eq(leader_synced_follower_count(leader), 1);
    ck_assert(leader_is_quorum_synced(leader, verifier));
    wire_learner_close(&two);
}
END_TEST

START_TEST(new_leader_carries_the_configuration)
{
    struct buffer text = { 0 };
    start();
    wire_learner_connect(&two, port, 2);
    wire_learner_register(&two, QP_FOLLOWERINFO, 0, 0, 0);
    wire_learner_expect(&two, QP_DIFF);
    wire_learner_expect(&two, QP_NEWLEADER);
    quorum_verifier_print(verifier, &text);
    ck_assert_uint_eq(two.packet.data.size, text.size);
    ck_assert_mem_eq(two.packet.data.bytes, text.bytes, text.size);
    buffer_release(&text);
    wire_learner_close(&two);
}
END_TEST

START_TEST(the_epoch_is_above_what_a_quorum_accepted)
{
    start();
    wire_learner_connect(&two, port, 2);
    wire_learner_register(&two, QP_FOLLOWERINFO, 41, 0, 0);
    ck_assert_int_eq(two.epoch_zxid, (int64_t)42 << 32);
    wire_learner_close(&two);
}
END_TEST

START_TEST(a_sync_waits_for_what_was_proposed)
{
    struct buffer payload = { 0 };
    start();
    form_quorum();
    write_history(2);
    jute_write_string(&payload, "/");
    wire_learner_request(&two, SESSION, 7, OP_SYNC, &payload);
    ck_assert_int_eq(wire_learner_expect(&two, QP_SYNC), 0);
    request_create(&two, "/a", 0);
    int64_t zxid = wire_learner_expect(&two, QP_PROPOSAL);
    jute_write_string(&payload, "/");
    wire_learner_request(&two, SESSION, 8, OP_SYNC, &payload);
    while (leader_pending_sync_count(leader) == 0)
        clock_sleep_ms(1);
    wire_learner_send(&two, QP_ACK, zxid, NULL, 0);
    ck_assert_int_eq(wire_learner_expect(&two, QP_COMMIT), zxid);
    wire_learner_expect(&two, QP_SYNC);
    buffer_release(&payload);
    wire_learner_close(&two);
}
END_TEST

START_TEST(one_within_the_window_gets_a_diff)
{
    start();
    form_quorum();
    write_history(9);
    wait_applied(E1(9));
    wire_learner_connect(&three, port, 3);
    wire_learner_register(&three, QP_FOLLOWERINFO, 1, 1, E1(4));
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
    start();
    form_quorum();
    write_history(9);
    wait_applied(E1(9));
    wire_learner_connect(&three, port, 3);
    wire_learner_register(&three, QP_FOLLOWERINFO, 1, 1, E1(12));
    ck_assert_int_eq(wire_learner_expect(&three, QP_TRUNC), E1(9));
    wire_learner_finish(&three);
    wire_learner_close(&three);
    wire_learner_close(&two);
}
END_TEST

START_TEST(a_new_one_gets_a_snapshot)
{
    start();
    form_quorum();
    write_history(9);
    wait_applied(E1(9));
    wire_learner_connect(&three, port, 3);
    wire_learner_register(&three, QP_FOLLOWERINFO, 0, 0, 0);
    expect_snapshot(&three, 9);
    wire_learner_finish(&three);
    wire_learner_close(&three);
    wire_learner_close(&two);
}
END_TEST

/* A snapshot that does not fit into the sockets' buffers is not sent to its end while the learner does not read. Others go
 * on meanwhile (3531), and the learner hears of it before NEWLEADER (3104). */
START_TEST(what_is_proposed_while_a_snapshot_is_sent_comes_before_new_leader)
{
    start();
    form_quorum();
    write_history(9);
    for (int64_t zxid = E1(10); zxid <= E1(33); zxid++)
        request_large_and_ack(&two, zxid);
    wait_applied(E1(33));
    wire_learner_connect(&three, port, 3);
    wire_learner_register(&three, QP_FOLLOWERINFO, 0, 0, 0);
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
    start();
    form_quorum();
    write_history(700);
    wait_applied(E1(700));
    wire_learner_connect(&three, port, 3);
    wire_learner_register(&three, QP_FOLLOWERINFO, 1, 1, E1(20));
    ck_assert_int_eq(wire_learner_expect(&three, QP_DIFF), E1(700));
    expect_history(&three, E1(21), E1(700));
    wire_learner_finish(&three);
    wire_learner_close(&three);

    /* One whose log has a tail in the place of ours cannot be told apart; one beyond the window's hole can. */
    wire_learner_connect(&three, port, 3);
    wire_learner_register(&three, QP_FOLLOWERINFO, 1, 1, 0);
    expect_snapshot(&three, 700);
    wire_learner_finish(&three);
    wire_learner_close(&three);
    wire_learner_close(&two);
}
END_TEST

START_TEST(a_log_dearer_than_a_snapshot_is_not_sent)
{
    set("zookeeper.snapshotSizeFactor", "0.1");
    start();
    form_quorum();
    write_history(700);
    wait_applied(E1(700));
    wire_learner_connect(&three, port, 3);
    wire_learner_register(&three, QP_FOLLOWERINFO, 1, 1, E1(20));
    expect_snapshot(&three, 700);
    wire_learner_finish(&three);
    wire_learner_close(&three);
    wire_learner_close(&two);
}
END_TEST

START_TEST(history_before_a_snapshot_that_began_an_epoch_is_not_sent)    /* 2846 */
{
    start();
    form_quorum();
    write_history(700);
    wait_applied(E1(700));
    /* As if this server had taken over a leader's snapshot at the beginning of epoch 1. */
    const char *snap_dir = file_txn_snap_log_snap_dir(zk_database_snap_log(zookeeper_server_core(server)->database));
    char path[TEST_DIRECTORY_SIZE + 64];
    snprintf(path, sizeof(path), "%s/snapshot.100000000", snap_dir);
    FILE *file = fopen(path, "w");
    ck_assert_ptr_nonnull(file);
    fputs("ZKSN and the rest", file);
    fclose(file);
    wire_learner_connect(&three, port, 3);
    wire_learner_register(&three, QP_FOLLOWERINFO, 1, 1, E1(20));
    ck_assert_int_eq(wire_learner_expect(&three, QP_DIFF), E1(700));    /* behind it */
    wire_learner_close(&three);
    ck_assert_int_eq(rename(path, test_directory_entry(snap_dir, "snapshot.200000000")), 0);
    wire_learner_connect(&three, port, 3);
    wire_learner_register(&three, QP_FOLLOWERINFO, 1, 1, E1(20));
    expect_snapshot(&three, 700);
    wire_learner_close(&three);
    wire_learner_close(&two);
}
END_TEST

START_TEST(a_learner_that_joins_under_load_misses_nothing)
{
    start();
    form_quorum();
    write_history(50);
    for (int i = 0; i < 100; i++) {
        char path[32];
        snprintf(path, sizeof(path), "/m%d", i);
        request_create(&two, path, 0);
    }
    wire_learner_connect(&three, port, 3);
    wire_learner_register(&three, QP_FOLLOWERINFO, 1, 1, E1(20));
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

START_TEST(an_observer_is_informed)
{
    start();
    form_quorum();
    write_history(3);
    wait_applied(E1(3));
    wire_learner_connect(&four, port, 4);
    wire_learner_register(&four, QP_OBSERVERINFO, 1, 1, E1(3));
    ck_assert_int_eq(wire_learner_expect(&four, QP_DIFF), E1(3));
    wire_learner_finish(&four);
    ck_assert_uint_eq(leader_synced_observer_count(leader), 1);
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
    start();
    form_quorum();
    write_history(2);
    wait_applied(E1(2));
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

START_TEST(an_early_ack_of_a_proposal_counts)    /* 4685; and the learner's commit waits for UPTODATE, 4394 */
{
    start();
    form_quorum();
    write_history(3);
    wait_applied(E1(3));
    request_create(&two, "/x", 0);
    ck_assert_int_eq(wire_learner_expect(&two, QP_PROPOSAL), E1(4));
    wire_learner_connect(&three, port, 3);
    wire_learner_register(&three, QP_FOLLOWERINFO, 1, 1, E1(3));
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
    start();
    form_quorum();
    write_history(3);
    wait_applied(E1(3));
    wire_learner_connect(&three, port, 3);
    wire_learner_register(&three, QP_FOLLOWERINFO, 1, 1, E1(1));
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

START_TEST(a_learner_of_old_times_speaks_of_no_epochs)
{
    uint8_t sid[8];
    start();
    form_quorum();
    write_history(3);
    wait_applied(E1(3));
    wire_learner_connect(&three, port, 3);
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

START_TEST(ephemerals_of_sessions_that_are_over_are_closed_for_all)    /* 5010 */
{
    start();
    form_quorum();
    request_session(&two);
    ck_assert_int_eq(ack_next(&two), E1(1));
    request_create(&two, "/e", CREATE_EPHEMERAL);
    ck_assert_int_eq(ack_next(&two), E1(2));
    wait_applied(E1(2));
    wire_learner_close(&two);
    stop();
    start();
    /* Its session is not in the table, by whatever mishap. */
    session_table_remove(zk_database_sessions(zookeeper_server_core(server)->database), SESSION);
    wire_learner_connect(&two, port, 2);
    wire_learner_register(&two, QP_FOLLOWERINFO, 1, 1, E1(2));
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
    ck_assert_int_eq(data_tree_stat_node(zk_database_tree(zookeeper_server_core(server)->database), ustring_of("/e"),
                                         NULL, NULL, &stat),
                     ZK_NO_NODE);
    wire_learner_close(&two);
}
END_TEST

START_TEST(a_quorum_that_goes_ends_leadership)
{
    start();
    form_quorum();
    int64_t start_ms = clock_elapsed_ms();
    wire_learner_close(&two);
    wait_end();
    ck_assert_int_le(clock_elapsed_ms() - start_ms, 2500);    /* of two ticks */
    ck_assert_str_eq(ending.text, "Not sufficient followers synced, only synced with sids: [ [1] ]");
}
END_TEST

START_TEST(a_quorum_that_never_comes_ends_it_too)
{
    set("initLimit", "1");
    start();
    wait_end();
    ck_assert_str_eq(ending.text, "Timeout while waiting for epoch from quorum");
}
END_TEST

START_TEST(one_that_owes_an_ack_for_too_long_is_cut_off)
{
    set("tickTime", "100");
    start();
    form_quorum();
    write_history(2);
    wire_learner_connect(&three, port, 3);
    wire_learner_register(&three, QP_FOLLOWERINFO, 1, 1, E1(2));
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

START_TEST(a_voter_alone_leads_itself)
{
    members = "server.1=127.0.0.1:0:3888:participant\nversion=0";
    set("tickTime", "100");
    start();
    int64_t deadline_ms = clock_elapsed_ms() + 20000;
    while (!zookeeper_server_is_running(server) && clock_elapsed_ms() < deadline_ms)
        clock_sleep_ms(1);
    clock_sleep_ms(300);    /* of three ticks */
    ck_assert(zookeeper_server_is_running(server));
    ck_assert(zookeeper_server_takes_clients(server));
    ck_assert_int_eq(leader_last_committed(leader), E1(0));
    ck_assert_int_gt(leader_uptime_ms(leader), 0);
}
END_TEST

START_TEST(a_leader_may_keep_itself_for_its_learners)
{
    set("leaderServes", "no");
    start();
    form_quorum();
    write_history(2);
    ck_assert(zookeeper_server_is_running(server));
    ck_assert(!zookeeper_server_takes_clients(server));
    wire_learner_close(&two);
}
END_TEST

START_TEST(a_counter_at_its_end_ends_leadership)    /* 1277 */
{
    start();
    form_quorum();
    struct txn_header header = { .client_id = 1, .zxid = 0x1ffffffff, .type = OP_CREATE_SESSION };
    struct txn_body body = { .is_present = true };
    struct txn *txn = txn_new(&header, &body, NULL);
    struct request *request = request_new_from_txn(txn);
    ck_assert(!leader_propose(leader, request));
    request_unref(request);
    txn_unref(txn);
    wait_end();
    ck_assert_str_eq(ending.text,
                     "zxid lower 32 bits have rolled over, forcing re-election, and therefore new epoch start");
    wire_learner_expect_end(&two);
    wire_learner_close(&two);
}
END_TEST

/* ---- hostile learners ---- */

enum stage { FIRST, AFTER_LEADERINFO, BEFORE_ACK, SERVED };
static const struct {
    const char *fact;
    enum stage stage;
    int32_t type;
    int64_t zxid;
    size_t size;    /* of zeros, unless `data`; SIZE_MAX: null */
    const char *data;
} attacks[] = {
    { "an ACK before anything else", FIRST, QP_ACK, 0, SIZE_MAX, NULL },
    { "a type that is none", FIRST, 77, 0, SIZE_MAX, NULL },
    { "this server's own id", FIRST, QP_FOLLOWERINFO, 0, 20, "\0\0\0\0\0\0\0\x01\0\x01\0\0\0\0\0\0\0\0\0\0" },
    { "a later configuration", FIRST, QP_FOLLOWERINFO, 0, 20, "\0\0\0\0\0\0\0\x03\0\x01\0\0\0\0\0\0\0\0\0\x01" },
    { "data without end", FIRST, QP_FOLLOWERINFO, 0, 5000, NULL },
    { "ACK in the place of ACKEPOCH", AFTER_LEADERINFO, QP_ACK, 0, 4, NULL },
    { "ACKEPOCH without an epoch", AFTER_LEADERINFO, QP_ACKEPOCH, 0, SIZE_MAX, NULL },
    { "ACKEPOCH with half of one", AFTER_LEADERINFO, QP_ACKEPOCH, 0, 3, NULL },
    { "REQUEST in the place of NEWLEADER's ACK", BEFORE_ACK, QP_REQUEST, 0, 16, NULL },
    { "ACK of another epoch's NEWLEADER", BEFORE_ACK, QP_ACK, 0x900000000, SIZE_MAX, NULL },
    { "ACK of what was never proposed, early", BEFORE_ACK, QP_ACK, E1(99), SIZE_MAX, NULL },
    { "ACK of what was never proposed", SERVED, QP_ACK, E1(99), SIZE_MAX, NULL },
    { "ACK of the end of time", SERVED, QP_ACK, INT64_MAX, SIZE_MAX, NULL },
    { "PING that ends within an entry", SERVED, QP_PING, 0, 13, NULL },
    { "REVALIDATE without a session", SERVED, QP_REVALIDATE, 0, SIZE_MAX, NULL },
    { "REVALIDATE with half of one", SERVED, QP_REVALIDATE, 0, 11, NULL },
    { "REQUEST without a head", SERVED, QP_REQUEST, 0, 15, NULL },
    { "REQUEST of null", SERVED, QP_REQUEST, 0, SIZE_MAX, NULL },
    { "REQUEST that is a read", SERVED, QP_REQUEST, 0, 16, "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x04" },
    { "REQUEST that is an error", SERVED, QP_REQUEST, 0, 16, "\0\0\0\0\0\0\0\0\0\0\0\0\xff\xff\xff\xff" },
    { "REQUEST of no type", SERVED, QP_REQUEST, 0, 16, "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x07\x07" },
};

START_TEST(a_hostile_learner_is_cut_off_and_nobody_else)
{
    static const uint8_t zeros[5000];
    start();
    form_quorum();
    write_history(3);
    wait_applied(E1(3));
    wire_learner_connect(&three, port, 3);
    if (attacks[_i].stage == AFTER_LEADERINFO) {
        wire_learner_info(&three, QP_FOLLOWERINFO, 1);
        wire_learner_expect(&three, QP_LEADERINFO);
    } else if (attacks[_i].stage >= BEFORE_ACK) {
        wire_learner_register(&three, QP_FOLLOWERINFO, 1, 1, E1(3));
        wire_learner_expect(&three, QP_DIFF);
        if (attacks[_i].stage == SERVED)
            wire_learner_finish(&three);
        else
            wire_learner_expect(&three, QP_NEWLEADER);
    }
    const void *data = attacks[_i].data != NULL ? (const void *)attacks[_i].data : zeros;
    wire_learner_send(&three, attacks[_i].type, attacks[_i].zxid, attacks[_i].size == SIZE_MAX ? NULL : data,
                      attacks[_i].size);
    wire_learner_expect_end(&three);
    wire_learner_close(&three);
    request_create(&two, "/after", 0);
    ck_assert_int_eq(ack_next(&two), E1(4));
    wire_learner_close(&two);
}
END_TEST

START_TEST(a_request_in_the_name_of_nobody_is_refused)
{
    struct zk_id id = { ustring_of("digest"), ustring_of("a:b") };
    struct zk_id_vector ids = { &id, 1 };
    uint8_t create[16] = { [15] = OP_CREATE };
    struct slice data = { create, sizeof(create) };
    *(_i == 0 ? &id.scheme : &id.id) = (struct ustring){ NULL, -1 };
    start();
    form_quorum();
    write_history(1);
    wait_applied(E1(1));
    wire_learner_connect(&three, port, 3);
    wire_learner_register(&three, QP_FOLLOWERINFO, 1, 1, E1(1));
    wire_learner_expect(&three, QP_DIFF);
    wire_learner_finish(&three);
    quorum_channel_write_packet(three.channel, QP_REQUEST, -1, &data, &ids, NULL);
    quorum_channel_flush(three.channel, NULL);
    wire_learner_expect_end(&three);
    wire_learner_close(&three);
    request_create(&two, "/after", 0);
    ck_assert_int_eq(ack_next(&two), E1(2));
    wire_learner_close(&two);
}
END_TEST

/* Bytes that are mostly a packet, of whatever type and size, sometimes cut, sometimes longer than they say. */
static void send_noise(struct wire_learner *learner, unsigned *seed)
{
    uint8_t data[64];
    size_t size = (size_t)rand_r(seed) % sizeof(data);
    for (size_t i = 0; i < size; i++)
        data[i] = (uint8_t)(rand_r(seed) % 3 == 0 ? rand_r(seed) : 0);
    struct buffer bytes = { 0 };
    jute_write_int32(&bytes, rand_r(seed) % 22);
    jute_write_int64(&bytes, rand_r(seed) % 2 == 0 ? E1(rand_r(seed) % 8)
                                                   : (int64_t)((uint64_t)rand_r(seed) << (rand_r(seed) % 40)));
    jute_write_int32(&bytes, rand_r(seed) % 8 == 0 ? rand_r(seed) : (int32_t)size);
    buffer_append(&bytes, data, size);
    jute_write_int32(&bytes, rand_r(seed) % 4 == 0 ? rand_r(seed) % 5 - 1 : -1);
    struct byte_sink *sink = quorum_channel_sink(learner->channel);
    sink->write(sink, bytes.bytes, rand_r(seed) % 8 == 0 ? bytes.size / 2 : bytes.size, NULL);
    quorum_channel_flush(learner->channel, NULL);
    buffer_release(&bytes);
}

START_TEST(noise_hurts_nobody_else)
{
    unsigned seed = (unsigned)_i;
    start();
    form_quorum();
    write_history(3);
    wait_applied(E1(3));
    for (int round = 0; round < 20; round++) {
        wire_learner_connect(&three, port, 3);
        if (rand_r(&seed) % 4 != 0)
            wire_learner_register(&three, rand_r(&seed) % 2 == 0 ? QP_FOLLOWERINFO : QP_OBSERVERINFO, 1, 1, E1(3));
        if (rand_r(&seed) % 2 == 0)
            wire_learner_send(&three, QP_ACK, E1(0), NULL, 0);
        for (int i = rand_r(&seed) % 10; i >= 0; i--)
            send_noise(&three, &seed);
        wire_learner_close(&three);
        clock_sleep_ms(rand_r(&seed) % 3);
    }
    /* Server 3 may have made proposals (and acked some in its name); server 2 goes on. */
    request_create(&two, "/after", 0);
    struct zk_stat stat;
    struct data_tree *tree = zk_database_tree(zookeeper_server_core(server)->database);
    while (data_tree_stat_node(tree, ustring_of("/after"), NULL, NULL, &stat) != ZK_OK) {
        if (!quorum_channel_has_packet(two.channel))
            clock_sleep_ms(1);
        wire_learner_read(&two);
        if (two.packet.type == QP_PROPOSAL)
            wire_learner_send(&two, QP_ACK, two.packet.zxid, NULL, 0);
        else if (two.packet.type == QP_COMMIT && leader_proposal_count(leader) == 0)
            wait_applied(two.packet.zxid);
    }
    wire_learner_close(&two);
}
END_TEST

START_TEST(what_means_nothing_is_passed_over)
{
    start();
    form_quorum();
    write_history(3);
    wire_learner_send(&two, QP_ACK, E1(2), NULL, 0);    /* once more */
    wire_learner_send(&two, QP_ACK, 5, NULL, 0);        /* of an epoch long ago */
    wire_learner_send(&two, QP_COMMIT, E1(9), NULL, 0);
    wire_learner_send(&two, QP_SNAP, E1(9), NULL, 0);
    request_create(&two, "/after", 0);
    ck_assert_int_eq(ack_next(&two), E1(4));
    wire_learner_close(&two);
}
END_TEST

START_TEST(a_foreign_server_is_served_but_does_not_count)
{
    struct wire_learner foreign;
    start();
    form_quorum();
    write_history(3);
    wait_applied(E1(3));
    wire_learner_connect(&foreign, port, 9);
    wire_learner_register(&foreign, QP_FOLLOWERINFO, 1, 1, E1(3));
    wire_learner_expect(&foreign, QP_DIFF);
    wire_learner_finish(&foreign);
    ck_assert_uint_eq(leader_synced_non_voting_follower_count(leader), 1);
    request_create(&foreign, "/x", 0);
    ck_assert_int_eq(wire_learner_expect(&foreign, QP_PROPOSAL), E1(4));
    wire_learner_send(&foreign, QP_ACK, E1(4), NULL, 0);
    clock_sleep_ms(20);
    ck_assert_int_eq(leader_last_committed(leader), E1(3));
    ck_assert_int_eq(ack_next(&two), E1(4));
    ck_assert_int_eq(wire_learner_expect(&foreign, QP_COMMIT), E1(4));
    wire_learner_close(&foreign);
    wire_learner_close(&two);
}
END_TEST

START_TEST(descriptors_that_run_out_are_waited_for)    /* 4203 */
{
    struct rlimit before, tight;
    struct wire_learner waiting[4];
    start();
    form_quorum();
    ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &before), 0);
    for (size_t i = 0; i < ARRAY_SIZE(waiting); i++) {
        tight = before;
        struct address address;
        int fd;
        ck_assert(address_from_ip("127.0.0.1", port, &address));
        ck_assert_int_eq(socket_connect(&address, clock_elapsed_ms() + 1000, &fd, NULL), ZK_OK);
        waiting[i] = (struct wire_learner){ .sid = 3, .channel = quorum_channel_new(stream_new_plain(fd), 20000) };
        tight.rlim_cur = (rlim_t)fd + 1;    /* whoever is accepted would have a larger one */
        ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &tight), 0);
        clock_sleep_ms(50);
        ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &before), 0);
    }
    for (size_t i = 0; i < ARRAY_SIZE(waiting); i++) {
        wire_learner_info(&waiting[i], QP_FOLLOWERINFO, 1);
        wire_learner_expect(&waiting[i], QP_LEADERINFO);
        wire_learner_close(&waiting[i]);
    }
    write_history(2);
    wire_learner_close(&two);
}
END_TEST

START_TEST(the_end_may_come_at_any_time)
{
    start();
    if (_i > 0) {
        wire_learner_connect(&two, port, 2);
        wire_learner_info(&two, QP_FOLLOWERINFO, 0);
    }
    if (_i > 1) {
        wire_learner_connect(&three, port, 3);
        wire_learner_register(&three, QP_FOLLOWERINFO, 0, 0, 0);
    }
    clock_sleep_ms(_i % 5);
    stop();
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
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_set_timeout(tcase, 120);
    tcase_add_test(tcase, a_quorum_registers_and_writes);
    tcase_add_test(tcase, new_leader_carries_the_configuration);
    tcase_add_test(tcase, the_epoch_is_above_what_a_quorum_accepted);
    tcase_add_test(tcase, a_sync_waits_for_what_was_proposed);
    tcase_add_test(tcase, one_within_the_window_gets_a_diff);
    tcase_add_test(tcase, one_that_is_ahead_is_cut_back);
    tcase_add_test(tcase, a_new_one_gets_a_snapshot);
    tcase_add_test(tcase, what_is_proposed_while_a_snapshot_is_sent_comes_before_new_leader);
    tcase_add_test(tcase, one_behind_the_window_gets_the_log);
    tcase_add_test(tcase, a_log_dearer_than_a_snapshot_is_not_sent);
    tcase_add_test(tcase, history_before_a_snapshot_that_began_an_epoch_is_not_sent);
    tcase_add_test(tcase, a_learner_that_joins_under_load_misses_nothing);
    tcase_add_test(tcase, an_observer_is_informed);
    tcase_add_test(tcase, sessions_are_revalidated);
    tcase_add_test(tcase, an_early_ack_of_a_proposal_counts);
    tcase_add_test(tcase, acks_of_what_a_diff_brought_may_come_first);
    tcase_add_test(tcase, a_learner_of_old_times_speaks_of_no_epochs);
    tcase_add_test(tcase, ephemerals_of_sessions_that_are_over_are_closed_for_all);
    tcase_add_test(tcase, a_quorum_that_goes_ends_leadership);
    tcase_add_test(tcase, a_quorum_that_never_comes_ends_it_too);
    tcase_add_test(tcase, one_that_owes_an_ack_for_too_long_is_cut_off);
    tcase_add_test(tcase, a_voter_alone_leads_itself);
    tcase_add_test(tcase, a_leader_may_keep_itself_for_its_learners);
    tcase_add_test(tcase, a_counter_at_its_end_ends_leadership);
    tcase_add_loop_test(tcase, a_hostile_learner_is_cut_off_and_nobody_else, 0, ARRAY_SIZE(attacks));
    tcase_add_loop_test(tcase, a_request_in_the_name_of_nobody_is_refused, 0, 2);
    tcase_add_loop_test(tcase, noise_hurts_nobody_else, 1, 21);
    tcase_add_test(tcase, what_means_nothing_is_passed_over);
    tcase_add_test(tcase, a_foreign_server_is_served_but_does_not_count);
    tcase_add_test(tcase, descriptors_that_run_out_are_waited_for);
    tcase_add_loop_test(tcase, the_end_may_come_at_any_time, 0, 12);
    suite_add_tcase(suite, tcase);
    return suite;
}

CHECK_MAIN(leader_loopback_suite)
