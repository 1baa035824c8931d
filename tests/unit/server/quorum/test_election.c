/* Each of the four algorithms elects, elects again when the leader is gone, is joined late, and ends when it is told
 * to. */
#include "server/quorum/election.h"

#include <inttypes.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/memory.h"
#include "common/net/datagram.h"
#include "common/net/poller.h"
#include "common/net/socket.h"
#include "common/thread/thread.h"
#include "server/quorum/auth_election_message.h"
#include "server/quorum/big_endian.h"
#include "server/quorum/leader_election.h"
#include "server/quorum/responder_thread.h"
#include "tests/lib/check_main.h"
#include "tests/unit/server/quorum/election_peers.h"

enum { GIVE_UP_MS = 3000 };

struct server {
    struct server_options options;
    struct quorum_self self;
    struct election *election;
    struct thread *thread;
    int64_t zxid;
    _Atomic bool has_found;
    struct vote found;
    int result;
};
static struct server servers[MOST_PEERS + 1];    /* by id */
static uint16_t learner_ports[MOST_PEERS + 1], election_ports[MOST_PEERS + 1];

static int64_t last_logged_zxid(void *owner)
{
    return ((struct server *)owner)->zxid;
}

static const struct quorum_self_ops ops = {.last_logged_zxid = last_logged_zxid};

static void init_ensemble(size_t count, size_t observer, int algorithm)
{
    struct buffer text = {0};
    for (size_t id = 1; id <= count; id++) {
        learner_ports[id] = free_port();
        election_ports[id] = free_port();
        buffer_printf(&text, "server.%zu=127.0.0.1:%u:%u:%s\n", id, learner_ports[id], election_ports[id],
                      id == observer ? "observer" : "participant");
    }
    for (size_t id = 1; id <= count; id++) {
        struct server *server = &servers[id];
        struct quorum_verifier *verifier = NULL;
        memset(server, 0, sizeof(*server));
        ck_assert_int_eq(quorum_verifier_parse_text((const char *)text.bytes, text.size,
                                                    &(struct quorum_parse_options){0}, &verifier, NULL), ZK_OK);
        server_options_init(&server->options);
        server->options.election_alg = algorithm;
        server->options.tick_time = 500;
        server->options.sync_limit = 4;
        quorum_self_init(&server->self, &server->options, (int64_t)id, verifier, NULL, NULL, &ops, server);
        quorum_self_set_current_vote(&server->self, &(struct vote){.id = (int64_t)id});
        quorum_verifier_unref(verifier);
    }
    buffer_release(&text);
}

static void look(void *arg)
{
    struct server *server = arg;
    server->result = election_look_for_leader(server->election, &server->found);
    if (server->result == ZK_OK)
        quorum_self_set_current_vote(&server->self, &server->found);
    atomic_store(&server->has_found, true);
}

static void start(size_t id)
{
    struct error error = {0};
    ck_assert_msg(election_start(&servers[id].self, &servers[id].election, &error) == ZK_OK, "%s", error.text);
}

static void begin_to_look(size_t id)
{
    atomic_store(&servers[id].has_found, false);
    quorum_self_set_state(&servers[id].self, PEER_LOOKING);
    servers[id].thread = thread_start("QuorumPeer", look, &servers[id]);
}

static bool has_found(void *arg)
{
    return atomic_load(&((struct server *)arg)->has_found);
}

static void join(size_t id)
{
    thread_join(servers[id].thread);
    servers[id].thread = NULL;
}

static int64_t leader_of(size_t id)
{
    wait_until(has_found, &servers[id], "a leader is found");
    join(id);
    ck_assert_int_eq(servers[id].result, ZK_OK);
    return servers[id].found.id;
}

static void end(size_t id)
{
    election_free(servers[id].election);
    quorum_self_release(&servers[id].self);
    server_options_release(&servers[id].options);
}

static bool have_found(size_t first, size_t last, int64_t deadline_ms)
{
    for (size_t id = first; id <= last; id++)
        while (!has_found(&servers[id]))
            if (clock_elapsed_ms() < deadline_ms)
                clock_sleep_ms(2);
            else
                return false;
    return true;
}

/* Followers of a leader that is gone name it once more, and who follows one that does not lead yet gives it up: they
 * look again, as QuorumPeer makes them. */
static void elect(size_t first, size_t last, int64_t expected)
{
    bool agree = false;
    for (int attempt = 0; attempt < 20 && !agree; attempt++) {
        for (size_t id = first; id <= last; id++)
            if (servers[id].thread == NULL)
                begin_to_look(id);
        agree = have_found(first, last, clock_elapsed_ms() + GIVE_UP_MS);
        for (size_t id = first; id <= last; id++)
            if (has_found(&servers[id]))
                agree = leader_of(id) == expected && agree;
    }
    ck_assert(agree);
    for (size_t id = first; id <= last; id++)
        ck_assert_int_eq(quorum_self_state(&servers[id].self), (int64_t)id == expected ? PEER_LEADING
                         : quorum_self_learner_type(&servers[id].self) == LEARNER_OBSERVER ? PEER_OBSERVING
                                                                                           : PEER_FOLLOWING);
}

START_TEST(the_largest_id_of_equal_servers_leads)
{
    init_ensemble(3, 0, _i);
    for (size_t id = 1; id <= 3; id++)
        start(id);
    elect(1, 3, 3);
    for (size_t id = 1; id <= 3; id++)
        end(id);
}
END_TEST

START_TEST(the_longest_log_leads_and_when_it_is_gone_the_next)
{
    init_ensemble(3, 0, _i);
    servers[1].zxid = 0x100000005;
    servers[2].zxid = 0x100000003;
    servers[3].zxid = 0x100000001;
    for (size_t id = 1; id <= 3; id++)
        start(id);
    elect(1, 3, 1);
    end(1);
    elect(2, 3, 2);
    end(2);
    end(3);
}
END_TEST

START_TEST(who_comes_late_follows)
{
    init_ensemble(3, 0, _i);
    start(1);
    start(2);
    elect(1, 2, 2);
    start(3);
    begin_to_look(3);
    ck_assert_int_eq(leader_of(3), 2);
    for (size_t id = 1; id <= 3; id++)
        end(id);
}
END_TEST

START_TEST(an_observer_learns_who_leads)
{
    init_ensemble(4, 4, _i);
    for (size_t id = 1; id <= 4; id++)
        start(id);
    elect(1, 3, 3);
    begin_to_look(4);
    ck_assert_int_eq(leader_of(4), 3);
    ck_assert_int_eq(quorum_self_state(&servers[4].self), PEER_OBSERVING);
    for (size_t id = 1; id <= 4; id++)
        end(id);
}
END_TEST

START_TEST(a_search_without_a_quorum_ends_when_told_to)
{
    init_ensemble(3, 0, _i);
    start(1);
    begin_to_look(1);
    election_shutdown(servers[1].election);
    election_shutdown(servers[1].election);
    join(1);
    ck_assert_int_eq(servers[1].result, ZK_CLOSED);
    for (size_t id = 1; id <= 3; id++)
        end(id);
}
END_TEST

START_TEST(a_port_that_is_taken_is_said)
{
    struct address address;
    struct error error = {0};
    int learner = -1, voter = -1;
    init_ensemble(1, 0, _i);
    address_any(learner_ports[1], &address);
    ck_assert_int_eq(datagram_open(&address, &learner, NULL), ZK_OK);
    address_any(election_ports[1], &address);
    ck_assert_int_eq(datagram_open(&address, &voter, NULL), ZK_OK);
    ck_assert_int_eq(election_start(&servers[1].self, &servers[1].election, &error), ZK_IO);
    socket_close(learner);
    socket_close(voter);
    servers[1].election = NULL;
    end(1);
}
END_TEST

/* ---- bytes ---- */

static size_t exchange(uint16_t port, const void *request, size_t size, uint8_t *answer, size_t most)
{
    struct address any, to, from;
    struct poller_event event;
    size_t got = 0;
    int fd = -1;
    address_any(0, &any);
    ck_assert(address_from_ip("127.0.0.1", port, &to));
    ck_assert_int_eq(datagram_open(&any, &fd, NULL), ZK_OK);
    struct poller *poller = poller_new();
    ck_assert_int_eq(poller_add(poller, fd, POLLER_READ, poller, NULL), ZK_OK);
    ck_assert_int_eq(datagram_send(fd, &to, request, size), ZK_OK);
    if (poller_wait(poller, &event, 1, clock_elapsed_ms() + (most > 0 ? DEADLINE_MS : 50)) > 0)
        ck_assert_int_eq(datagram_receive(fd, answer, most, &got, &from), ZK_OK);
    poller_free(poller);
    socket_close(fd);
    return got;
}

START_TEST(the_responder_answers_as_java_does)
{
    static const uint8_t looking[RESPONDER_RESPONSE_SIZE] = {1, 2, 3, 4, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 2,
                                                             0, 0, 0, 0, 0, 0, 0, 9};
    uint8_t answer[64];
    init_ensemble(1, 0, 0);
    servers[1].zxid = 0x77;
    start(1);
    quorum_self_set_current_vote(&servers[1].self, &(struct vote){.id = 2, .zxid = 9});
    ck_assert_uint_eq(exchange(learner_ports[1], "\1\2\3\4", 4, answer, sizeof(answer)), RESPONDER_PACKET_SIZE);
    ck_assert_mem_eq(answer, looking, sizeof(looking));
    quorum_self_set_state(&servers[1].self, PEER_FOLLOWING);
    exchange(learner_ports[1], "\1\2\3\4", 4, answer, sizeof(answer));
    ck_assert_int_eq(get_int64(answer + 12), 2);
    ck_assert_int_eq(get_int64(answer + 20), 0x77);
    quorum_self_set_state(&servers[1].self, PEER_LEADING);
    exchange(learner_ports[1], "\1\2\3\4", 4, answer, sizeof(answer));
    ck_assert_int_eq(get_int64(answer + 12), 1);
    ck_assert_msg(exchange(learner_ports[1], "\1\2\3\4\5", 5, answer, 0) == 0, "what is no xid is not answered");
    end(1);
}
END_TEST

START_TEST(a_stranger_gets_no_answer_and_no_vote)
{
    uint8_t bytes[AUTH_ELECTION_MESSAGE_SIZE], answer[64];
    struct auth_election_message message = {.tag = 5, .vote = {.id = 1, .zxid = INT64_MAX, .election_epoch = 99}};
    init_ensemble(3, 0, _i);
    for (size_t id = 1; id <= 2; id++)
        start(id);
    for (int type = AUTH_ELECTION_REQUEST; type <= AUTH_ELECTION_ACK; type++) {
        message.type = (enum auth_election_type)type;
        auth_election_message_write(&message, bytes);
        ck_assert_uint_eq(exchange(election_ports[1], bytes, sizeof(bytes), answer, 0), 0);
        ck_assert_uint_eq(exchange(election_ports[1], bytes, 20, answer, 0), 0);
    }
    elect(1, 2, 2);
    for (size_t id = 1; id <= 3; id++)
        end(id);
}
END_TEST

START_TEST(every_kind_of_message_there_and_back)
{
    static const uint8_t golden[AUTH_ELECTION_MESSAGE_SIZE] = {
        0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 3,
        0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0, 8};
    struct auth_election_message message = {
        .type = AUTH_ELECTION_NOTIFICATION, .tag = 7, .challenge = 8,
        .vote = {.id = 3, .zxid = 0x100000002, .election_epoch = 4, .peer_epoch = -1}}, again;
    uint8_t bytes[AUTH_ELECTION_MESSAGE_SIZE];
    auth_election_message_write(&message, bytes);
    ck_assert_mem_eq(bytes, golden, sizeof(golden));
    ck_assert(auth_election_message_read(bytes, sizeof(bytes), &again));
    ck_assert(again.tag == 7 && again.challenge == 8 && vote_equal(&again.vote, &message.vote));
    message.type = AUTH_ELECTION_CHALLENGE;
    auth_election_message_write(&message, bytes);
    ck_assert_int_eq(get_int64(bytes + 16), 8);
    ck_assert(auth_election_message_read(bytes, sizeof(bytes), &again) && again.challenge == 8);
    ck_assert_msg(!auth_election_message_read(bytes, sizeof(bytes) - 1, &again), "of another size");
    bytes[3] = 4;
    ck_assert_msg(!auth_election_message_read(bytes, sizeof(bytes), &again), "of no type");
    bytes[3] = 1;
    bytes[15] = 4;
    ck_assert_msg(!auth_election_message_read(bytes, sizeof(bytes), &again), "of no state");
}
END_TEST

/* ---- the tally of algorithm 0 ---- */

static const struct {
    const char *fact;
    struct polled_vote votes[4];
    size_t count, valid;
    int64_t leader, zxid, winner;
    size_t winning;
} tallies[] = {
    {"nobody answers", {{0}}, 0, 0, VOTE_NONE_ID, VOTE_NONE_ID, VOTE_NONE_ID, 0},
    {"votes for a server that is silent do not count (569)", {{1, 3, 9}, {2, 3, 9}}, 2, 0, VOTE_NONE_ID, VOTE_NONE_ID,
     VOTE_NONE_ID, 0},
    {"each for itself: the longest log is voted for next", {{1, 1, 5}, {2, 2, 7}, {3, 3, 6}}, 3, 3, 2, 7, 1, 1},
    {"of equal logs the larger id", {{1, 1, 5}, {2, 2, 5}}, 2, 2, 2, 5, 1, 1},
    {"zxids of one candidate are made equal, so that its votes count together",
     {{1, 2, 5}, {2, 2, 7}, {3, 3, 6}}, 3, 3, 2, 7, 2, 2},
};

START_TEST(votes_are_counted)
{
    struct polled_vote votes[4];
    struct leader_election_tally tally;
    memcpy(votes, tallies[_i].votes, sizeof(votes));
    leader_election_count(votes, tallies[_i].count, &tally);
    ck_assert_msg(tally.valid_count == tallies[_i].valid && tally.leader == tallies[_i].leader &&
                  tally.zxid == tallies[_i].zxid && tally.winner == tallies[_i].winner &&
                  tally.winning_count == tallies[_i].winning,
                  "%s: %zu valid, leader %" PRId64 " zxid %" PRId64 ", winner %" PRId64 " with %zu", tallies[_i].fact,
                  tally.valid_count, tally.leader, tally.zxid, tally.winner, tally.winning_count);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("election");
    TCase *tcase = tcase_create("electionAlg 0 to 3");
    tcase_set_timeout(tcase, 120);
    suite_add_tcase(suite, tcase);
    tcase_add_loop_test(tcase, the_largest_id_of_equal_servers_leads, 0, 4);
    tcase_add_loop_test(tcase, the_longest_log_leads_and_when_it_is_gone_the_next, 0, 4);
    tcase_add_loop_test(tcase, who_comes_late_follows, 0, 4);
    tcase_add_loop_test(tcase, an_observer_learns_who_leads, 0, 4);
    tcase_add_loop_test(tcase, a_search_without_a_quorum_ends_when_told_to, 0, 4);
    tcase_add_loop_test(tcase, a_port_that_is_taken_is_said, 0, 3);
    tcase_add_test(tcase, the_responder_answers_as_java_does);
    tcase_add_loop_test(tcase, a_stranger_gets_no_answer_and_no_vote, 1, 3);
    tcase_add_test(tcase, every_kind_of_message_there_and_back);
    tcase_add_loop_test(tcase, votes_are_counted, 0, ARRAY_SIZE(tallies));
    return suite;
}

CHECK_MAIN(make_suite)
