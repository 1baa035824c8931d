/* test_packet_sender.c - packets leave in their order, flushed when there is no more; who does not keep up is cut
 * off. */
#include "server/quorum/packet_sender.h"

#include <string.h>
#include <sys/socket.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/net/socket.h"
#include "tests/lib/check_main.h"

static struct quorum_channel *channel, *peer;
static struct packet_sender *sender;
static struct sync_limit_check check;

static void set_up(void)
{
    int pair[2];
    log_set_level(NULL, LOG_OFF);
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair), 0);
    channel = quorum_channel_new(stream_new_plain(pair[0]), 0);
    peer = quorum_channel_new(stream_new_plain(pair[1]), 20000);
    sync_limit_check_init(&check);
    sender = packet_sender_new(channel, "/127.0.0.1:1", &check, NULL);
}

static void tear_down(void)
{
    quorum_channel_shutdown(channel);
    packet_sender_stop(sender);
    quorum_channel_free(channel);
    quorum_channel_free(peer);
    sync_limit_check_release(&check);
}

static void expect(int32_t type, int64_t zxid, const char *data, size_t size)
{
    struct received_packet packet = { 0 };
    struct error error = { 0 };
    ck_assert_msg(quorum_channel_read_packet(peer, &packet, &error) == ZK_OK, "%s", error.text);
    ck_assert_int_eq(packet.type, type);
    ck_assert_int_eq(packet.zxid, zxid);
    ck_assert_uint_eq(packet.data.size, size);
    ck_assert(data != NULL ? memcmp(packet.data.bytes, data, size) == 0 : packet.data.bytes == NULL);
    received_packet_release(&packet);
}

START_TEST(packets_leave_in_their_order)
{
    struct blob *data = blob_new_copy("txn", 3);
    packet_sender_put(sender, QP_PROPOSAL, 5, data);
    packet_sender_put(sender, QP_COMMIT, 5, NULL);
    packet_sender_put_prefixed(sender, QP_COMMITANDACTIVATE, 6, 2, NULL);
    packet_sender_put_prefixed(sender, QP_INFORMANDACTIVATE, 7, 3, data);
    ck_assert_uint_eq(packet_sender_queued(sender), 4);
    ck_assert_int_gt(packet_sender_queued_size(sender), 6);
    ck_assert(!packet_sender_is_started(sender));
    packet_sender_start(sender, 2);
    expect(QP_PROPOSAL, 5, "txn", 3);
    expect(QP_COMMIT, 5, NULL, 0);
    expect(QP_COMMITANDACTIVATE, 6, "\0\0\0\0\0\0\0\2", 8);
    expect(QP_INFORMANDACTIVATE, 7, "\0\0\0\0\0\0\0\3txn", 11);
    packet_sender_put(sender, QP_UPTODATE, -1, NULL);
    packet_sender_wake(sender);
    expect(QP_UPTODATE, -1, NULL, 0);
    ck_assert_int_eq(packet_sender_sent(sender), 5);
    ck_assert_int_eq(packet_sender_last_zxid(sender), 7);
    ck_assert_uint_eq(data->references, 1);
    blob_unref(data);
}
END_TEST

START_TEST(a_proposal_that_left_is_owed_an_ack)
{
    sync_limit_check_start(&check);
    packet_sender_put(sender, QP_PROPOSAL, 5, NULL);
    ck_assert(sync_limit_check_is_in_time(&check, clock_elapsed_ms() + 1000, 10));
    packet_sender_start(sender, 2);
    expect(QP_PROPOSAL, 5, NULL, 0);
    ck_assert(!sync_limit_check_is_in_time(&check, clock_elapsed_ms() + 1000, 10));
}
END_TEST

START_TEST(commits_can_be_held_back)
{
    packet_sender_hold_commits(sender);
    packet_sender_put(sender, QP_NEWLEADER, 4, NULL);
    packet_sender_put(sender, QP_COMMIT, 5, NULL);
    packet_sender_put(sender, QP_PROPOSAL, 7, NULL);
    packet_sender_put_prefixed(sender, QP_COMMITANDACTIVATE, 6, 2, NULL);
    packet_sender_put(sender, QP_PING, 7, NULL);
    packet_sender_start(sender, 2);
    expect(QP_NEWLEADER, 4, NULL, 0);
    expect(QP_PROPOSAL, 7, NULL, 0);
    expect(QP_PING, 7, NULL, 0);
    packet_sender_put(sender, QP_UPTODATE, -1, NULL);
    packet_sender_let_commits_go(sender);
    packet_sender_put(sender, QP_COMMIT, 7, NULL);
    packet_sender_wake(sender);
    expect(QP_UPTODATE, -1, NULL, 0);
    expect(QP_COMMIT, 5, NULL, 0);
    expect(QP_COMMITANDACTIVATE, 6, "\0\0\0\0\0\0\0\2", 8);
    expect(QP_COMMIT, 7, NULL, 0);
}
END_TEST

START_TEST(what_is_still_held_goes_with_it)
{
    packet_sender_hold_commits(sender);
    for (int i = 0; i < 1000; i++)
        packet_sender_put(sender, QP_COMMIT, i, NULL);
    ck_assert_uint_eq(packet_sender_queued(sender), 0);
    ck_assert_int_gt(packet_sender_queued_size(sender), 1000);
}
END_TEST

#define LARGE (1 << 20)

START_TEST(who_is_too_far_behind_is_cut_off)
{
    struct blob *data = blob_new(LARGE);
    memset(data->bytes, 'x', LARGE);
    for (int i = 0; i < 100; i++)
        packet_sender_put(sender, QP_PROPOSAL, i, data);
    ck_assert(!quorum_channel_is_shut_down(channel));    /* it catches up */
    ck_assert_uint_eq(packet_sender_queued(sender), 100);
    packet_sender_caught_up(sender);
    packet_sender_put(sender, QP_PROPOSAL, 100, data);
    ck_assert(quorum_channel_is_shut_down(channel));
    ck_assert_uint_eq(packet_sender_queued(sender), 100);
    packet_sender_put(sender, QP_PROPOSAL, 101, data);    /* nowhere */
    ck_assert_uint_eq(packet_sender_queued(sender), 100);
    packet_sender_stop(sender);
    ck_assert_uint_eq(data->references, 1);
    blob_unref(data);
    sender = packet_sender_new(channel, "/127.0.0.1:1", &check, NULL);
}
END_TEST

START_TEST(a_failure_closes_the_connection)
{
    packet_sender_start(sender, 2);
    quorum_channel_free(peer);
    peer = NULL;
    int64_t deadline_ms = clock_elapsed_ms() + 20000;
    while (!quorum_channel_is_shut_down(channel) && clock_elapsed_ms() < deadline_ms) {
        packet_sender_put(sender, QP_PING, 0, NULL);
        packet_sender_wake(sender);
        clock_sleep_ms(1);
    }
    ck_assert(quorum_channel_is_shut_down(channel));
}
END_TEST

static Suite *packet_sender_suite(void)
{
    Suite *suite = suite_create("packet_sender");
    TCase *tcase = tcase_create("packet_sender");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, packets_leave_in_their_order);
    tcase_add_test(tcase, a_proposal_that_left_is_owed_an_ack);
    tcase_add_test(tcase, commits_can_be_held_back);
    tcase_add_test(tcase, what_is_still_held_goes_with_it);
    tcase_add_test(tcase, who_is_too_far_behind_is_cut_off);
    tcase_add_test(tcase, a_failure_closes_the_connection);
    suite_add_tcase(suite, tcase);
    return suite;
}

CHECK_MAIN(packet_sender_suite)
