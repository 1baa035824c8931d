/*
 * test_leader_hostile.c - learners that lie, make noise or mean nothing, and a system that has no descriptors: the
 * leader goes on with all others.
 */
#include "tests/unit/server/quorum/leader_loopback.h"

#include <stdlib.h>
#include <sys/resource.h>

#include "common/base/clock.h"
#include "common/base/memory.h"
#include "common/net/socket.h"
#include "tests/lib/check_main.h"

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
    loopback_start();
    form_quorum();
    write_history(3);
    wire_learner_connect(&three, loopback.port, 3);
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
    loopback_start();
    form_quorum();
    write_history(1);
    loopback_join(&three, 3, 1, E1(1));
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
    loopback_start();
    form_quorum();
    write_history(3);
    for (int round = 0; round < 20; round++) {
        wire_learner_connect(&three, loopback.port, 3);
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
    struct data_tree *tree = zk_database_tree(zookeeper_server_core(loopback.server)->database);
    while (data_tree_stat_node(tree, ustring_of("/after"), NULL, NULL, &stat) != ZK_OK) {
        if (!quorum_channel_has_packet(two.channel))
            clock_sleep_ms(1);
        wire_learner_read(&two);
        if (two.packet.type == QP_PROPOSAL)
            wire_learner_send(&two, QP_ACK, two.packet.zxid, NULL, 0);
        else if (two.packet.type == QP_COMMIT && leader_proposal_count(loopback.leader) == 0)
            wait_applied(two.packet.zxid);
    }
    wire_learner_close(&two);
}
END_TEST

START_TEST(what_means_nothing_is_passed_over)
{
    loopback_start();
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
    loopback_start();
    form_quorum();
    write_history(3);
    loopback_join(&foreign, 9, 1, E1(3));
    wire_learner_expect(&foreign, QP_DIFF);
    wire_learner_finish(&foreign);
    ck_assert_uint_eq(leader_synced_non_voting_follower_count(loopback.leader), 1);
    request_create(&foreign, "/x", 0);
    ck_assert_int_eq(wire_learner_expect(&foreign, QP_PROPOSAL), E1(4));
    wire_learner_send(&foreign, QP_ACK, E1(4), NULL, 0);
    clock_sleep_ms(20);
    ck_assert_int_eq(leader_last_committed(loopback.leader), E1(3));
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
    loopback_start();
    form_quorum();
    ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &before), 0);
    for (size_t i = 0; i < ARRAY_SIZE(waiting); i++) {
        tight = before;
        struct address address;
        int fd;
        ck_assert(address_from_ip("127.0.0.1", loopback.port, &address));
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

static Suite *leader_hostile_suite(void)
{
    Suite *suite = suite_create("leader_hostile");
    TCase *tcase = tcase_create("leader_hostile");
    tcase_add_checked_fixture(tcase, loopback_set_up, loopback_tear_down);
    tcase_set_timeout(tcase, 120);
    tcase_add_loop_test(tcase, a_hostile_learner_is_cut_off_and_nobody_else, 0, ARRAY_SIZE(attacks));
    tcase_add_loop_test(tcase, a_request_in_the_name_of_nobody_is_refused, 0, 2);
    tcase_add_loop_test(tcase, noise_hurts_nobody_else, 1, 21);
    tcase_add_test(tcase, what_means_nothing_is_passed_over);
    tcase_add_test(tcase, a_foreign_server_is_served_but_does_not_count);
    tcase_add_test(tcase, descriptors_that_run_out_are_waited_for);
    suite_add_tcase(suite, tcase);
    return suite;
}

CHECK_MAIN(leader_hostile_suite)
