/* Connections for elections: who keeps them, what is repeated, and what hostile or silent peers cannot do. */
#include "server/quorum/quorum_cnx_manager.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/memory.h"
#include "common/net/socket.h"
#include "server/quorum/election_message.h"
#include "server/request/exit_code.h"
#include "tests/lib/check_main.h"
#include "tests/unit/server/quorum/election_peers.h"

static struct election_peer peers[MOST_PEERS + 1];
static uint16_t ports[MOST_PEERS + 1];
static struct thread *helper;
static _Atomic bool is_over;

static void setup(void)
{
    char *config = election_config(3, 0, ports);
    for (int64_t id = 1; id <= 3; id++) {
        election_peer_init(&peers[id], id, config, 0);
        peers[id].manager = quorum_cnx_manager_new(&peers[id].self);
    }
    memory_free(config);
}

static void teardown(void)
{
    for (int id = 1; id <= 3; id++)
        election_peer_stop(&peers[id]);
}

static void send_text(int from, int to, const char *text)
{
    quorum_cnx_manager_send(peers[from].manager, to, blob_new_copy(text, strlen(text)));
}

/* The next packet is this one. */
static void receives(int at, int from, const char *text)
{
    struct election_packet packet;
    ck_assert(quorum_cnx_manager_receive(peers[at].manager, &packet));
    ck_assert_int_eq(packet.sid, from);
    ck_assert_uint_eq(packet.message->size, strlen(text));
    ck_assert_mem_eq(packet.message->bytes, text, packet.message->size);
    blob_unref(packet.message);
}

static void connect_again(void *arg)
{
    (void)arg;
    while (!atomic_load(&is_over)) {
        quorum_cnx_manager_connect_all(peers[1].manager);
        quorum_cnx_manager_connect_all(peers[2].manager);
        clock_sleep_ms(5);
    }
}

/* What an election does when it hears nothing: a listener may not have been there yet, and of two connections that
 * cross each other both may be gone. */
static void keep_connecting(void)
{
    atomic_store(&is_over, false);
    helper = thread_start("election", connect_again, NULL);
}

static void stop_connecting(void)
{
    atomic_store(&is_over, true);
    thread_join(helper);
}

/* Skips what comes before. */
static void awaits(int at, int from, const char *text)
{
    struct election_packet packet;
    bool is_it = false;
    while (!is_it) {
        ck_assert(quorum_cnx_manager_receive(peers[at].manager, &packet));
        is_it = packet.sid == from && packet.message->size == strlen(text) &&
                memcmp(packet.message->bytes, text, strlen(text)) == 0;
        blob_unref(packet.message);
    }
}

START_TEST(what_goes_to_oneself_comes_back)
{
    send_text(1, 1, "hello");
    receives(1, 1, "hello");
}
END_TEST

START_TEST(the_smaller_server_is_connected_back_to)
{
    quorum_cnx_manager_start(peers[1].manager);
    quorum_cnx_manager_start(peers[2].manager);
    keep_connecting();
    send_text(1, 2, "from one");
    awaits(2, 1, "from one");
    send_text(2, 1, "from two");
    awaits(1, 2, "from two");
    stop_connecting();
}
END_TEST

START_TEST(a_newer_message_takes_the_place_of_one_that_waits)
{
    send_text(2, 1, "old");
    send_text(2, 1, "new");
    ck_assert(!quorum_cnx_manager_have_delivered(peers[2].manager));
    quorum_cnx_manager_start(peers[1].manager);
    quorum_cnx_manager_start(peers[2].manager);
    keep_connecting();
    receives(1, 2, "new");
    stop_connecting();
    ck_assert(quorum_cnx_manager_have_delivered(peers[2].manager));
}
END_TEST

static void restart_manager(int id)
{
    quorum_cnx_manager_free(peers[id].manager);
    peers[id].manager = quorum_cnx_manager_new(&peers[id].self);
    quorum_cnx_manager_start(peers[id].manager);
}

/* The peer restarted and asks; nothing new waits for it. */
START_TEST(the_last_message_is_repeated_when_a_connection_comes_up)
{
    quorum_cnx_manager_start(peers[1].manager);
    quorum_cnx_manager_start(peers[2].manager);
    keep_connecting();
    send_text(2, 1, "vote");
    receives(1, 2, "vote");
    stop_connecting();
    restart_manager(1);
    keep_connecting();
    send_text(1, 2, "who leads?");
    receives(1, 2, "vote");
    awaits(2, 1, "who leads?");
    stop_connecting();
}
END_TEST

static int connect_to(int id)
{
    return raw_connect(ports[id]);
}

static void is_closed_on(int fd, const char *fact)
{
    uint8_t byte;
    int err = socket_receive_all(fd, &byte, 1, clock_elapsed_ms() + DEADLINE_MS);
    ck_assert_msg(err == ZK_EOF || err == ZK_IO, "%s: %d", fact, err);
    socket_close(fd);
}

/* Servers 1 and 2 reach each other. */
static void all_is_well(void)
{
    static int count;
    char text[32];
    keep_connecting();
    for (int from = 1; from <= 2; from++) {
        snprintf(text, sizeof(text), "still here %d", ++count);
        send_text(from, 3 - from, text);
        awaits(3 - from, from, text);
    }
    stop_connecting();
}

static void start_two(void)
{
    quorum_cnx_manager_start(peers[1].manager);
    quorum_cnx_manager_start(peers[2].manager);
    all_is_well();
}

static const struct {
    const char *fact;
    uint8_t bytes[32];
    size_t size;
} strangers[] = {
    {"an unknown protocol", {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 9}, 8},
    {"no addresses", {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 0}, 20},
    {"too many addresses", {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0, 0, 0, 0, 0, 3, 0, 0, 8, 1}, 20},
    {"a negative length", {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0, 0, 0, 0, 0, 3, 0xff, 0, 0, 1}, 20},
    {"an address without a port",
     {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 1, 'a'}, 21},
    {"a sid that cannot be",
     {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 3,
      'a', ':', '1'}, 23},
    {"our own sid", {0, 0, 0, 0, 0, 0, 0, 2}, 8},
};

START_TEST(who_says_nonsense_is_sent_away)
{
    start_two();
    int fd = connect_to(2);
    raw_send(fd, strangers[_i].bytes, strangers[_i].size);
    is_closed_on(fd, strangers[_i].fact);
    all_is_well();
}
END_TEST

START_TEST(a_frame_too_large_ends_its_connection_only)
{
    start_two();
    static const uint32_t lengths[] = {ELECTION_MESSAGE_LIMIT + 1, 0, 0x80000000, 0xffffffff};
    for (size_t i = 0; i < ARRAY_SIZE(lengths); i++) {
        int fd = connect_to(2);
        raw_introduce(fd, 3);
        raw_send_frame(fd, lengths[i], "", 0);
        is_closed_on(fd, "a frame of a length that is none");
        all_is_well();
    }
    int fd = connect_to(2);
    raw_introduce(fd, 3);
    raw_send_frame(fd, 5, "hello", 5);
    awaits(2, 3, "hello");
    socket_close(fd);
    all_is_well();
}
END_TEST

/* 2930, 3756: connections that say nothing, or a byte now and then, keep nobody waiting. */
START_TEST(silent_visitors_do_not_keep_others_waiting)
{
    int fds[80];
    quorum_cnx_manager_start(peers[1].manager);
    quorum_cnx_manager_start(peers[2].manager);
    for (size_t i = 0; i < ARRAY_SIZE(fds); i++) {
        fds[i] = connect_to(1);
        raw_send(fds[i], "\xff", 1);
    }
    all_is_well();
    is_closed_on(fds[0], "of too many that say nothing the oldest goes");
    for (size_t i = 1; i < ARRAY_SIZE(fds); i++)
        is_closed_on(fds[i], "all have a deadline");
}
END_TEST

/* Listens, takes nobody, and has its line full: who connects waits. */
static int listen_without_answer(uint16_t *ret_port, int *fillers, size_t count)
{
    struct address address;
    int fd = -1;
    ck_assert(address_from_ip("127.0.0.1", 0, &address));
    ck_assert_int_eq(socket_listen(&address, 1, &fd, NULL), ZK_OK);
    ck_assert_int_eq(socket_local_address(fd, &address), ZK_OK);
    *ret_port = address_port(&address);
    for (size_t i = 0; i < count; i++)
        ck_assert_int_eq(socket_connect_start(&address, &fillers[i], NULL), ZK_OK);
    return fd;
}

START_TEST(a_peer_that_does_not_answer_holds_up_nobody)
{
    char config[256];
    int fillers[8];
    uint16_t port;
    int listener = listen_without_answer(&port, fillers, ARRAY_SIZE(fillers));
    snprintf(config, sizeof(config), "server.1=127.0.0.1:1:%u\nserver.2=127.0.0.1:1:%u\nserver.3=127.0.0.1:1:%u\n",
             ports[1], ports[2], port);
    for (int id = 1; id <= 2; id++) {
        election_peer_stop(&peers[id]);
        election_peer_init(&peers[id], id, config, 0);
        peers[id].options.cnx_timeout = 600000;
        peers[id].manager = quorum_cnx_manager_new(&peers[id].self);
        quorum_cnx_manager_start(peers[id].manager);
        for (int i = 0; i < 50; i++)
            send_text(id, 3, "is there anybody?");
    }
    all_is_well();
    int64_t before_ms = clock_elapsed_ms();
    quorum_cnx_manager_halt(peers[1].manager);
    ck_assert_msg(clock_elapsed_ms() - before_ms < DEADLINE_MS, "coming down does not wait for it either");
    for (size_t i = 0; i < ARRAY_SIZE(fillers); i++)
        socket_close(fillers[i]);
    socket_close(listener);
}
END_TEST

START_TEST(a_storm_of_connections_leaves_one)
{
    start_two();
    for (int i = 0; i < 200; i++) {
        int fd = connect_to(2);
        raw_introduce(fd, 3);
        raw_send_frame(fd, 4, "vote", 4);
        socket_close(fd);
    }
    all_is_well();
}
END_TEST

static bool has_stranger(void *arg)
{
    return quorum_cnx_manager_is_connected(peers[2].manager, *(int64_t *)arg);
}

/* One after the other: of those that have not said who they are yet there are fewer at a time. */
START_TEST(strangers_are_no_more_than_a_hundred)
{
    int fds[120];
    start_two();
    for (int i = 0; i < 120; i++) {
        int64_t sid = 1000 + i;
        fds[i] = connect_to(2);
        raw_introduce(fds[i], sid);
        if (i < 100)
            wait_until(has_stranger, &sid, "it is let in");
    }
    int refused = 0;
    for (int64_t deadline_ms = clock_elapsed_ms() + DEADLINE_MS; refused < 20; clock_sleep_ms(2)) {
        ck_assert_msg(clock_elapsed_ms() < deadline_ms, "%d are refused", refused);
        for (int i = 0; i < 120; i++) {
            uint8_t byte;
            int err = fds[i] < 0 ? ZK_AGAIN : socket_receive_all(fds[i], &byte, 1, clock_elapsed_ms());
            if (err != ZK_EOF && err != ZK_IO)
                continue;
            socket_close(fds[i]);
            fds[i] = -1;
            refused++;
        }
    }
    for (int i = 0; i < 120; i++)
        socket_close(fds[i]);
    ck_assert_int_eq(refused, 20);
    all_is_well();
}
END_TEST

static bool has_failed(void *arg)
{
    return atomic_load(&((struct election_peer *)arg)->failed_with) >= 0;
}

START_TEST(a_port_that_is_taken_ends_the_server_with_14)
{
    struct address address;
    int fd = -1;
    ck_assert(address_from_ip("127.0.0.1", ports[1], &address));
    ck_assert_int_eq(socket_listen(&address, 1, &fd, NULL), ZK_OK);
    peers[1].options.election_port_bind_retry = 1;
    quorum_cnx_manager_start(peers[1].manager);
    wait_until(has_failed, &peers[1], "the listener gives up");
    ck_assert_int_eq(atomic_load(&peers[1].failed_with), EXIT_CODE_UNABLE_TO_BIND_QUORUM_PORT);
    socket_close(fd);
}
END_TEST

START_TEST(a_port_that_becomes_free_is_taken)
{
    struct address address;
    int fd = -1;
    ck_assert(address_from_ip("127.0.0.1", ports[1], &address));
    ck_assert_int_eq(socket_listen(&address, 1, &fd, NULL), ZK_OK);
    peers[1].options.election_port_bind_retry = 0;
    quorum_cnx_manager_start(peers[1].manager);
    quorum_cnx_manager_start(peers[2].manager);
    socket_close(fd);
    keep_connecting();
    send_text(2, 1, "hello");
    awaits(1, 2, "hello");
    stop_connecting();
}
END_TEST

START_TEST(all_addresses_of_this_machine_may_be_listened_at)
{
    peers[1].options.quorum_listen_on_all_ips = true;
    start_two();
}
END_TEST

START_TEST(after_a_halt_nothing_begins)
{
    struct election_packet packet;
    start_two();
    quorum_cnx_manager_halt(peers[1].manager);
    quorum_cnx_manager_halt(peers[1].manager);
    send_text(1, 2, "too late");
    send_text(1, 1, "too late");
    ck_assert(!quorum_cnx_manager_receive(peers[1].manager, &packet));
    ck_assert(!quorum_cnx_manager_is_connected(peers[1].manager, 2));
}
END_TEST

START_TEST(a_soft_halt_ends_connections_and_no_more)
{
    start_two();
    quorum_cnx_manager_soft_halt(peers[1].manager);
    all_is_well();
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("quorum_cnx_manager");
    TCase *tcase = tcase_create("connections");
    suite_add_tcase(suite, tcase);
    tcase_set_timeout(tcase, 60);
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, what_goes_to_oneself_comes_back);
    tcase_add_test(tcase, the_smaller_server_is_connected_back_to);
    tcase_add_test(tcase, a_newer_message_takes_the_place_of_one_that_waits);
    tcase_add_test(tcase, the_last_message_is_repeated_when_a_connection_comes_up);
    tcase_add_loop_test(tcase, who_says_nonsense_is_sent_away, 0, ARRAY_SIZE(strangers));
    tcase_add_test(tcase, a_frame_too_large_ends_its_connection_only);
    tcase_add_test(tcase, silent_visitors_do_not_keep_others_waiting);
    tcase_add_test(tcase, a_peer_that_does_not_answer_holds_up_nobody);
    tcase_add_test(tcase, a_storm_of_connections_leaves_one);
    tcase_add_test(tcase, strangers_are_no_more_than_a_hundred);
    tcase_add_test(tcase, a_port_that_is_taken_ends_the_server_with_14);
    tcase_add_test(tcase, a_port_that_becomes_free_is_taken);
    tcase_add_test(tcase, all_addresses_of_this_machine_may_be_listened_at);
    tcase_add_test(tcase, after_a_halt_nothing_begins);
    tcase_add_test(tcase, a_soft_halt_ends_connections_and_no_more);
    return suite;
}

CHECK_MAIN(make_suite)
