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

/* The leader's end of the link. */
static struct {
    char directory[TEST_DIRECTORY_SIZE];
    struct quorum_channel *channel;
    struct received_packet packet;    /* the last one that the learner sent */
    struct error error;
} led;

static void led_set_up(void)
{
    int ends[2];
    set_up();
    led.error = (struct error){0};
    led.packet = (struct received_packet){0};
    test_directory_make(led.directory);
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
    led.channel = quorum_channel_new(stream_new_plain(ends[0]), ROLE_TIMEOUT_MS);
    learner.channel = quorum_channel_new(stream_new_plain(ends[1]), ROLE_TIMEOUT_MS);
}

static void led_tear_down(void)
{
    received_packet_release(&led.packet);
    quorum_channel_free(led.channel);
    epoch_files_close(role_self.epochs);
    role_self.epochs = NULL;
    tear_down();
    test_directory_remove(led.directory);
}

static void lived(int64_t current, int64_t accepted)
{
    ck_assert_int_eq(epoch_files_open(led.directory, current << 32, &role_self.epochs, &led.error), ZK_OK);
    ck_assert_int_eq(epoch_files_set_accepted(role_self.epochs, accepted, &led.error), ZK_OK);
}

/* The leader's packet is there before the learner waits for it. */
static int register_in(int64_t epoch, int64_t *ret_new_leader_zxid)
{
    uint8_t version[4] = {0, 1, 0, 0};
    struct slice data = {version, sizeof(version)};
    ck_assert_int_eq(quorum_channel_write_packet(led.channel, QP_LEADERINFO, epoch << 32, &data, NULL, &led.error),
                     ZK_OK);
    ck_assert_int_eq(quorum_channel_flush(led.channel, &led.error), ZK_OK);
    return learner_register(&learner, learner.is_observer ? QP_OBSERVERINFO : QP_FOLLOWERINFO, ret_new_leader_zxid,
                            &led.error);
}

static void led_expect(int32_t type)
{
    ck_assert_int_eq(quorum_channel_read_packet(led.channel, &led.packet, &led.error), ZK_OK);
    ck_assert_int_eq(led.packet.type, type);
}

START_TEST(a_learner_follows_into_an_epoch_it_may)
{
    int64_t new_leader_zxid = 0;
    bool follows = epochs[_i].acked != 0;
    lived(epochs[_i].current, epochs[_i].accepted);
    learner.is_observer = epochs[_i].is_observer;
    int err = register_in(epochs[_i].led, &new_leader_zxid);
    ck_assert_msg(err == (follows ? ZK_OK : ZK_INVALID_STATE), "not so: %s", epochs[_i].fact);
    led_expect(epochs[_i].is_observer ? QP_OBSERVERINFO : QP_FOLLOWERINFO);
    ck_assert_int_eq(led.packet.zxid, epochs[_i].accepted << 32);
    if (follows) {
        ck_assert_int_eq(new_leader_zxid, epochs[_i].led << 32);
        led_expect(QP_ACKEPOCH);
        ck_assert_int_eq(led.packet.zxid, 0);
        ck_assert_msg((int32_t)load_be32(led.packet.data.bytes) == epochs[_i].acked, "not so: %s", epochs[_i].fact);
    }
    int64_t promised = follows && epochs[_i].led > epochs[_i].accepted ? epochs[_i].led : epochs[_i].accepted;
    ck_assert_int_eq(quorum_self_accepted_epoch(&role_self), promised);
}
END_TEST

START_TEST(who_needs_all_says_once_that_it_has_nothing)
{
    int64_t new_leader_zxid, told[] = {-1, 0, 0};
    lived(3, 4);
    atomic_store(&role_self.snapshot_epoch, 4);
    for (size_t i = 0; i < ARRAY_SIZE(told); i++) {
        ck_assert_int_eq(register_in(i < 2 ? 4 : 5, &new_leader_zxid), ZK_OK);
        led_expect(QP_FOLLOWERINFO);
        led_expect(QP_ACKEPOCH);
        ck_assert_int_eq(led.packet.zxid, told[i]);
        if (i == 1)
            atomic_store(&role_self.snapshot_epoch, 4);    /* it does not matter to the next leader */
    }
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
    tcase_add_test(tcase, a_configuration_that_may_come_to_nothing_is_not_lived_by);
    tcase_add_loop_test(tcase, a_learner_takes_what_follows, 0, ARRAY_SIZE(orders));
    tcase = tcase_create("registration");
    suite_add_tcase(suite, tcase);
    tcase_add_checked_fixture(tcase, led_set_up, led_tear_down);
    tcase_add_loop_test(tcase, a_learner_follows_into_an_epoch_it_may, 0, ARRAY_SIZE(epochs));
    tcase_add_test(tcase, who_needs_all_says_once_that_it_has_nothing);
    return suite;
}

CHECK_MAIN(learner_suite)
