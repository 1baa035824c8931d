/* test_learner.c - into which epoch a learner follows its leader, and which transaction it takes. */
#include <sys/socket.h>

#include "server/quorum/learner_parts.h"
#include "tests/unit/server/quorum/role_test.h"

static struct learner learner;

static void set_up(void)
{
    role_set_up();
    learner_init(&learner, &role_self, role_server, false);
}

static void tear_down(void)
{
    learner_close(&learner);
    learner_release(&learner);
    role_tear_down();
}

static const struct {
    const char *fact;
    int64_t has, first, second;    /* what the tree ends with, what comes */
    enum sync_mode mode;
    bool takes_first, takes_second;
} orders[] = {
    { "one follows another", 0x100000005, 0x100000006, 0x100000007, SYNC_DIFF, true, true },
    { "a later epoch begins with its first", 0x100000005, 0x300000001, 0x500000001, SYNC_DIFF, true, true },
    { "a server that has nothing begins an epoch", 0, 0x100000001, 0x100000002, SYNC_DIFF, true, true },
    { "nothing is left out", 0x100000005, 0x100000006, 0x100000008, SYNC_DIFF, true, false },
    { "nothing is left out behind what it has", 0x100000005, 0x100000007, 0x100000008, SYNC_DIFF, false, false },
    { "nothing is left out once it serves", 0x100000005, 0x100000007, 0x100000008, SYNC_NONE, false, false },
    { "nor at the begin of an epoch", 0x100000005, 0x200000002, 0x200000003, SYNC_DIFF, false, false },
    { "nor before a server that has nothing", 0, 0x100000002, 0x100000003, SYNC_DIFF, false, false },
    { "no epoch is negative", 0, INT64_MIN + 1, INT64_MIN + 2, SYNC_DIFF, false, false },
    { "nothing follows the last zxid of all", INT64_MAX, 0x100000001, 0x100000002, SYNC_DIFF, false, false },
    { "what it has does not come again", 0x100000005, 0x100000005, 0x100000004, SYNC_DIFF, false, false },
    { "unless it stands in a tree", 0x100000005, 0x100000004, 0x100000005, SYNC_SNAP, true, true },
    { "and then in order", 0x100000005, 0x100000003, 0x100000005, SYNC_SNAP, true, false },
    { "a snapshot covers a hole of old", 0x100000005, 0x100000007, 0x100000008, SYNC_TRUNC, true, true },
    { "but only one", 0x100000005, 0x100000007, 0x100000009, SYNC_TRUNC, true, false },
    { "and no zxid below zero", 0x100000005, -1, 0, SYNC_TRUNC, false, false },
};

START_TEST(a_learner_takes_what_follows)
{
    struct error error = {0};
    data_tree_set_last_processed_zxid(zk_database_tree(role_core->database), orders[_i].has);
    atomic_store(&role_self.sync_mode, orders[_i].mode);
    int first = learner_take_order(&learner, orders[_i].first, &error);
    ck_assert_msg(first == (orders[_i].takes_first ? ZK_OK : ZK_CORRUPT), "not so: %s", orders[_i].fact);
    if (first == ZK_OK) {
        int second = learner_take_order(&learner, orders[_i].second, &error);
        ck_assert_msg(second == (orders[_i].takes_second ? ZK_OK : ZK_CORRUPT), "not so: %s", orders[_i].fact);
    }
}
END_TEST

static const struct {
    const char *fact;
    int64_t accepted, current, led;    /* epochs: of this server, of the leader */
    int32_t acked;                     /* beside the last zxid: the current epoch, or -1; 0: it does not follow */
    bool is_observer;
} epochs[] = {
    { "a later epoch is accepted", 3, 3, 4, 3, false },
    { "an epoch that was accepted before is acked without a vote", 4, 3, 4, -1, false },
    { "a voter keeps its word", 5, 3, 4, 0, false },
    { "an observer accepts as a voter does", 3, 3, 4, 3, true },
    { "an observer that gave its word as a voter has no vote any more", 5, 3, 4, -1, true },
    { "an observer does not go back before what it lived in", 5, 5, 4, 0, true },
};

/* The leader's end of the link; its packet is there before the learner waits for it. */
START_TEST(a_learner_follows_into_an_epoch_it_may)
{
    char directory[TEST_DIRECTORY_SIZE];
    struct error error = {0};
    int ends[2];
    test_directory_make(directory);
    ck_assert_int_eq(epoch_files_open(directory, epochs[_i].current << 32, &role_self.epochs, &error), ZK_OK);
    ck_assert_int_eq(epoch_files_set_accepted(role_self.epochs, epochs[_i].accepted, &error), ZK_OK);
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
    struct quorum_channel *leader = quorum_channel_new(stream_new_plain(ends[0]), ROLE_TIMEOUT_MS);
    learner.channel = quorum_channel_new(stream_new_plain(ends[1]), ROLE_TIMEOUT_MS);
    learner.is_observer = epochs[_i].is_observer;

    uint8_t version[4] = {0, 1, 0, 0};
    struct slice data = {version, sizeof(version)};
    int64_t begin = epochs[_i].led << 32, new_leader_zxid = 0;
    ck_assert_int_eq(quorum_channel_write_packet(leader, QP_LEADERINFO, begin, &data, NULL, &error), ZK_OK);
    ck_assert_int_eq(quorum_channel_flush(leader, &error), ZK_OK);
    int err = learner_register(&learner, epochs[_i].is_observer ? QP_OBSERVERINFO : QP_FOLLOWERINFO, &new_leader_zxid,
                               &error);
    bool follows = epochs[_i].acked != 0;
    ck_assert_msg(err == (follows ? ZK_OK : ZK_INVALID_STATE), "not so: %s", epochs[_i].fact);

    struct received_packet packet = {0};
    ck_assert_int_eq(quorum_channel_read_packet(leader, &packet, &error), ZK_OK);
    ck_assert_int_eq(packet.zxid, epochs[_i].accepted << 32);
    if (follows) {
        ck_assert_int_eq(new_leader_zxid, begin);
        ck_assert_int_eq(quorum_channel_read_packet(leader, &packet, &error), ZK_OK);
        ck_assert_int_eq(packet.type, QP_ACKEPOCH);
        ck_assert_msg((int32_t)load_be32(packet.data.bytes) == epochs[_i].acked, "not so: %s", epochs[_i].fact);
    }
    int64_t promised = follows && epochs[_i].led > epochs[_i].accepted ? epochs[_i].led : epochs[_i].accepted;
    ck_assert_int_eq(quorum_self_accepted_epoch(&role_self), promised);
    received_packet_release(&packet);
    quorum_channel_free(leader);
    epoch_files_close(role_self.epochs);
    role_self.epochs = NULL;
    test_directory_remove(directory);
}
END_TEST

START_TEST(a_configuration_that_may_come_to_nothing_is_not_lived_by)
{
    ck_assert_msg(learner_config_is_committed(0x400000003, 0x500000000, 0x400000009), "it is older than the epoch");
    ck_assert_msg(learner_config_is_committed(0x500000000, 0x500000000, 0x400000009), "the epoch began with it");
    ck_assert_msg(learner_config_is_committed(0x500000007, 0x500000000, 0x500000007), "its transaction is committed");
    ck_assert_msg(learner_config_is_committed(0x900000000, 0x500000000, 0x500000007), "a person has numbered it");
    ck_assert_msg(!learner_config_is_committed(0x500000008, 0x500000000, 0x500000007), "it is proposed, no more");
}
END_TEST

static Suite *learner_suite(void)
{
    Suite *suite = suite_create("learner");
    TCase *tcase = tcase_create("learner");
    suite_add_tcase(suite, tcase);
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_loop_test(tcase, a_learner_follows_into_an_epoch_it_may, 0, ARRAY_SIZE(epochs));
    tcase_add_test(tcase, a_configuration_that_may_come_to_nothing_is_not_lived_by);
    tcase_add_loop_test(tcase, a_learner_takes_what_follows, 0, ARRAY_SIZE(orders));
    return suite;
}

CHECK_MAIN(learner_suite)
