/* Servers that elect over loopback: who wins, again after the leader is gone, joining late, coming down. */
#include "server/quorum/fast_leader_election.h"

#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/memory.h"
#include "common/net/socket.h"
#include "server/quorum/election_message.h"
#include "tests/lib/check_main.h"
#include "tests/unit/server/quorum/election_peers.h"

static struct election_peer peers[MOST_PEERS + 1];    /* by id */

static char *make_ensemble(size_t count, int64_t observer, const int64_t *zxids)
{
    uint16_t ports[MOST_PEERS + 1];
    char *config = election_config(count, observer, ports);
    for (size_t id = 1; id <= count; id++)
        election_peer_init(&peers[id], (int64_t)id, config, zxids != NULL ? zxids[id - 1] : 0);
    return config;
}

static void start(size_t first, size_t last)
{
    for (size_t id = first; id <= last; id++)
        election_peer_start(&peers[id]);
    for (size_t id = first; id <= last; id++)
        election_peer_look(&peers[id]);
}

static void stop(size_t first, size_t last)
{
    for (size_t id = first; id <= last; id++)
        election_peer_stop(&peers[id]);
}

static void all_follow(size_t first, size_t last, int64_t leader)
{
    for (size_t id = first; id <= last; id++) {
        struct vote vote = election_peer_leader(&peers[id]);
        ck_assert_int_eq(vote.id, leader);
        enum peer_state expected = (int64_t)id == leader                                       ? PEER_LEADING
                                   : quorum_self_learner_type(&peers[id].self) == LEARNER_OBSERVER ? PEER_OBSERVING
                                                                                               : PEER_FOLLOWING;
        ck_assert_int_eq(quorum_self_state(&peers[id].self), expected);
    }
}

START_TEST(three_equal_servers_elect_the_largest_id)
{
    memory_free(make_ensemble(3, 0, NULL));
    start(1, 3);
    all_follow(1, 3, 3);
    stop(1, 3);
}
END_TEST

START_TEST(the_longest_log_wins)
{
    memory_free(make_ensemble(5, 0, (int64_t[]){0x100000005, 0x100000009, 0x100000007, 0x100000001, 0x100000002}));
    start(1, 5);
    all_follow(1, 5, 2);
    stop(1, 5);
}
END_TEST

START_TEST(when_the_leader_is_gone_the_others_elect_again)
{
    memory_free(make_ensemble(5, 0, NULL));
    start(1, 5);
    all_follow(1, 5, 5);
    election_peer_stop(&peers[5]);
    for (size_t id = 1; id <= 4; id++)
        election_peer_look(&peers[id]);
    all_follow(1, 4, 4);
    stop(1, 4);
}
END_TEST

START_TEST(an_ensemble_elects_while_one_is_down)
{
    memory_free(make_ensemble(3, 0, NULL));
    start(1, 2);
    all_follow(1, 2, 2);
    stop(1, 2);
    quorum_self_release(&peers[3].self);
    server_options_release(&peers[3].options);
}
END_TEST

START_TEST(who_comes_late_follows_the_leader_that_is)
{
    memory_free(make_ensemble(3, 0, NULL));
    start(1, 2);
    all_follow(1, 2, 2);
    start(3, 3);
    all_follow(3, 3, 2);
    stop(1, 3);
}
END_TEST

START_TEST(an_observer_learns_who_leads_and_does_not_count)
{
    memory_free(make_ensemble(4, 4, NULL));
    start(1, 4);
    all_follow(1, 4, 3);
    stop(1, 4);
}
END_TEST

START_TEST(an_ensemble_of_one_elects_itself)
{
    memory_free(make_ensemble(1, 0, NULL));
    start(1, 1);
    all_follow(1, 1, 1);
    stop(1, 1);
}
END_TEST

START_TEST(a_search_without_a_quorum_ends_by_shutdown)
{
    memory_free(make_ensemble(3, 0, NULL));
    start(1, 1);
    fast_leader_election_shutdown(peers[1].election);
    thread_join(peers[1].thread);
    peers[1].thread = NULL;
    ck_assert_int_eq(peers[1].result, ZK_CLOSED);
    stop(1, 1);
    for (size_t id = 2; id <= 3; id++) {
        quorum_self_release(&peers[id].self);
        server_options_release(&peers[id].options);
    }
}
END_TEST

/* The clock goes only when it is told to. */
START_TEST(a_quorum_waits_for_a_better_vote_before_it_is_the_end)
{
    uint16_t ports[MOST_PEERS + 1];
    char *config = election_config(3, 0, ports);
    for (int id = 1; id <= 3; id++) {
        election_peer_init(&peers[id], id, config, 0);
        election_peer_start(&peers[id]);
        socket_close(raw_connect(ports[id]));    /* it listens */
    }
    int64_t begin_ms = clock_elapsed_ms(), now_ms = begin_ms;
    clock_freeze(begin_ms, clock_wall_ms());
    for (size_t id = 1; id <= 3; id++)
        election_peer_look(&peers[id]);
    for (; !atomic_load(&peers[1].has_found) && now_ms < begin_ms + 60000; now_ms += 10) {
        clock_advance_ms(10);
        usleep(5000);    /* others run meanwhile */
    }
    ck_assert_int_ge(now_ms - begin_ms, 200);
    clock_thaw();
    all_follow(1, 3, 3);
    stop(1, 3);
    memory_free(config);
}
END_TEST

/* Whether a message comes within so many ms of real time, as the clock stands still; what comes is thrown away. */
static bool has_message(int fd, int ms)
{
    uint8_t bytes[4096];
    struct pollfd readable = {.fd = fd, .events = POLLIN};
    if (poll(&readable, 1, ms) <= 0)
        return false;
    while (recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT) > 0)
        ;
    return true;
}

/* Moves the clock until a message comes; by how many ms. */
static int64_t ms_to_message(int fd)
{
    int64_t ms = 0;
    for (; !has_message(fd, 2) && ms < DEADLINE_MS; ms += 10)
        clock_advance_ms(10);
    return ms;
}

/* When it has asked five times more, and would wait for 6.4 s now, it hears of a round that has gone on. */
START_TEST(a_later_round_is_asked_about_as_soon_as_the_first)
{
    uint16_t ports[MOST_PEERS + 1];
    char *config = election_config(5, 0, ports);
    election_peer_init(&peers[1], 1, config, 0);
    election_peer_start(&peers[1]);
    int two = raw_connect(ports[1]);
    raw_introduce(two, 2);
    clock_freeze(clock_elapsed_ms(), clock_wall_ms());
    election_peer_look(&peers[1]);
    ck_assert_msg(has_message(two, DEADLINE_MS), "it asks");
    for (int i = 0; i < 5; i++)
        ck_assert_msg(ms_to_message(two) < DEADLINE_MS, "and again");
    struct vote vote = {.id = 2, .election_epoch = 9};
    struct blob *later = notification_write(&vote, "version=0", 9);
    raw_send_frame(two, later->size, later->bytes, later->size);
    ck_assert_msg(has_message(two, DEADLINE_MS), "it votes in the later round");
    ck_assert_int_lt(ms_to_message(two), 6000);
    clock_thaw();
    blob_unref(later);
    stop(1, 1);
    socket_close(two);
    memory_free(config);
}
END_TEST

/* 3109, 3769: what a message says wrong ends no thread, and what a stranger votes does not count. */
START_TEST(malformed_messages_and_storms_do_not_stop_an_election)
{
    uint16_t ports[MOST_PEERS + 1];
    char *config = election_config(3, 0, ports);
    for (int id = 1; id <= 2; id++) {
        election_peer_init(&peers[id], id, config, 0);
        election_peer_start(&peers[id]);
    }
    struct vote vote = {.id = 3, .zxid = INT64_MAX, .election_epoch = INT64_MAX, .peer_epoch = INT64_MAX};
    struct blob *good = notification_write(&vote, "version=0", 9);
    int as_stranger = raw_connect(ports[2]), as_three = raw_connect(ports[1]);
    raw_introduce(as_stranger, 77);
    for (int i = 0; i < 500; i++)
        raw_send_frame(as_stranger, good->size, good->bytes, good->size);
    raw_introduce(as_three, 3);
    for (uint32_t size = 1; size < good->size; size++)
        if (size != 28 && size != 40)    /* these two are forms of their own */
            raw_send_frame(as_three, size, good->bytes, size);
    good->bytes[3] = 4;    /* a state that is none */
    raw_send_frame(as_three, good->size, good->bytes, good->size);
    blob_unref(good);
    good = notification_write(&(struct vote){.id = 99, .peer_epoch = 7}, "server.1=nonsense", 17);
    raw_send_frame(as_three, good->size, good->bytes, good->size);
    blob_unref(good);
    election_peer_look(&peers[1]);
    election_peer_look(&peers[2]);
    all_follow(1, 2, 2);
    socket_close(as_stranger);
    socket_close(as_three);
    stop(1, 2);
    memory_free(config);
}
END_TEST

static bool is_restarting(void *arg)
{
    return atomic_load(&((struct election_peer *)arg)->self.is_shutting_down_election);
}

/* A later version of the configuration, with another port for a member that is not there. */
START_TEST(a_newer_config_from_a_peer_ends_an_election)
{
    uint16_t ports[MOST_PEERS + 1];
    char *old = election_config(3, 0, ports);
    struct buffer newer = {0};
    for (int id = 1; id <= 3; id++)
        buffer_printf(&newer, "server.%d=127.0.0.1:1:%u:participant\n", id, id == 3 ? 3 : ports[id]);
    buffer_append_string(&newer, "version=5");
    election_peer_init(&peers[1], 1, old, 0);
    election_peer_init(&peers[2], 2, buffer_string(&newer), 0);
    for (int id = 1; id <= 2; id++) {
        peers[id].options.reconfig_enabled = true;
        election_peer_start(&peers[id]);
    }
    election_peer_look(&peers[1]);
    election_peer_look(&peers[2]);
    wait_until(is_restarting, &peers[1], "the newer configuration is taken over");
    struct quorum_verifier *verifier = quorum_self_verifier(&peers[1].self);
    ck_assert_int_eq(quorum_verifier_version(verifier), 5);
    quorum_verifier_unref(verifier);
    thread_join(peers[1].thread);
    peers[1].thread = NULL;
    ck_assert_int_eq(peers[1].result, ZK_CLOSED);
    fast_leader_election_free(peers[1].election);
    quorum_cnx_manager_free(peers[1].manager);
    election_peer_start(&peers[1]);    /* what QuorumPeer does then */
    election_peer_look(&peers[1]);
    all_follow(1, 2, 2);
    stop(1, 2);
    buffer_release(&newer);
    memory_free(old);
}
END_TEST

/* QuorumPeer decides in the very moment in which WorkerReceiver takes a configuration over. */
static void begin_role(void *owner, struct quorum_verifier *before, struct quorum_verifier *now, bool restart_election)
{
    (void)before, (void)now, (void)restart_election;
    quorum_self_set_state(&((struct election_peer *)owner)->self, PEER_FOLLOWING);
}

/* Server 3 leads, server 1 begins to follow it when it learns of the newer configuration; server 2 looks. */
START_TEST(a_newer_config_that_meets_a_role_leaves_the_election_as_it_is)
{
    static const struct quorum_self_ops deciding = {.config_changed = begin_role};
    uint16_t ports[MOST_PEERS + 1];
    char *old = election_config(3, 0, ports);
    struct buffer newer = {0};
    for (int id = 1; id <= 3; id++)
        buffer_printf(&newer, "server.%d=127.0.0.1:2:%u:participant\n", id, ports[id]);
    buffer_append_string(&newer, "version=5");
    for (int id = 1; id <= 3; id++) {
        election_peer_init(&peers[id], id, id == 1 ? old : buffer_string(&newer), 0);
        peers[id].options.reconfig_enabled = true;
    }
    peers[1].self.ops = &deciding;
    quorum_self_set_state(&peers[3].self, PEER_LEADING);
    for (int id = 1; id <= 3; id++) {
        quorum_self_set_current_vote(&peers[id].self, &(struct vote){.id = 3});
        election_peer_start(&peers[id]);
    }
    election_peer_look(&peers[2]);
    all_follow(2, 2, 3);    /* by the word of both others */
    struct quorum_verifier *verifier = quorum_self_verifier(&peers[1].self);
    ck_assert_int_eq(quorum_verifier_version(verifier), 5);
    quorum_verifier_unref(verifier);
    ck_assert_int_eq(quorum_self_state(&peers[1].self), PEER_FOLLOWING);
    ck_assert(!is_restarting(&peers[1]));
    stop(1, 3);
    buffer_release(&newer);
    memory_free(old);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("fast_leader_election");
    TCase *tcase = tcase_create("over loopback");
    tcase_set_timeout(tcase, 60);
    suite_add_tcase(suite, tcase);
    tcase_add_test(tcase, three_equal_servers_elect_the_largest_id);
    tcase_add_test(tcase, the_longest_log_wins);
    tcase_add_test(tcase, when_the_leader_is_gone_the_others_elect_again);
    tcase_add_test(tcase, an_ensemble_elects_while_one_is_down);
    tcase_add_test(tcase, who_comes_late_follows_the_leader_that_is);
    tcase_add_test(tcase, an_observer_learns_who_leads_and_does_not_count);
    tcase_add_test(tcase, an_ensemble_of_one_elects_itself);
    tcase_add_test(tcase, a_search_without_a_quorum_ends_by_shutdown);
    tcase_add_test(tcase, a_quorum_waits_for_a_better_vote_before_it_is_the_end);
    tcase_add_test(tcase, a_later_round_is_asked_about_as_soon_as_the_first);
    tcase_add_test(tcase, malformed_messages_and_storms_do_not_stop_an_election);
    tcase_add_test(tcase, a_newer_config_from_a_peer_ends_an_election);
    tcase_add_test(tcase, a_newer_config_that_meets_a_role_leaves_the_election_as_it_is);
    return suite;
}

CHECK_MAIN(make_suite)
