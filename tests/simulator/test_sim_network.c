/*
 * test_sim_network.c - what programs of simulated machines see of their sockets, pollers and datagrams.
 *
 * A test has two machines, `near` and `far`, with a program each, and a driver, which cuts links and machines off. What
 * they share are variables of this file: only one of them runs at a time.
 */
#include "tests/simulator/network.h"

#include <errno.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/net/datagram.h"
#include "common/net/poller.h"
#include "common/net/socket.h"
#include "common/thread/thread.h"
#include "tests/lib/check_main.h"

#define PORT 2181
#define BUFFER (128 << 10)
#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))
#define PATTERN_PRIME 65521

static struct sim_node *near, *far;

/* ---- what tests have in common ---- */

static void make_machines(void)
{
    near = sim_node_new("near");
    far = sim_node_new("far");
}

static void both_ways(void (*change)(struct sim_link *link, uint64_t value), uint64_t value)
{
    change(sim_link(near, far), value);
    change(sim_link(far, near), value);
}

static void run_both(int (*near_main)(void *arg), int (*far_main)(void *arg))
{
    sim_node_start(far, far_main, NULL);
    sim_sleep_until(sim_now_ns() + 10 * SIM_MS);    /* it listens by then */
    sim_node_start(near, near_main, NULL);
}

static void join_both(void)
{
    ck_assert(sim_node_join(near, sim_now_ns() + 3600 * SIM_S));
    ck_assert(sim_node_join(far, sim_now_ns() + 3600 * SIM_S));
    ck_assert_msg(sim_verdict() == NULL, "%s", sim_verdict());
}

static void run_to_the_end(int (*near_main)(void *arg), int (*far_main)(void *arg))
{
    make_machines();
    run_both(near_main, far_main);
    join_both();
}

static struct address address_of(const char *ip, uint16_t port)
{
    struct address address;
    ck_assert(address_from_ip(ip, port, &address));
    return address;
}

static struct address far_address(void)
{
    return address_of("10.0.0.2", PORT);
}

static int64_t soon_ms(void)
{
    return clock_elapsed_ms() + 10000;
}

static int listen_at(const char *ip, uint16_t port, int backlog)
{
    struct address address = address_of(ip, port);
    struct error error = {0};
    int fd = -1;
    ck_assert_msg(socket_listen(&address, backlog, &fd, &error) == ZK_OK, "%s", error.text);
    return fd;
}

static int accept_from(int listener)
{
    struct address peer;
    struct error error = {0};
    int fd = -1;
    ck_assert_int_eq(socket_wait(listener, POLLER_READ, INT64_MAX), ZK_OK);
    ck_assert_msg(socket_accept(listener, &fd, &peer, &error) == ZK_OK, "%s", error.text);
    return fd;
}

/* The one connection that most programs here have. */
static int accept_one(void)
{
    int listener = listen_at("0.0.0.0", PORT, 0);
    int fd = accept_from(listener);
    socket_close(listener);
    return fd;
}

static int connect_to_far(void)
{
    struct address address = far_address();
    struct error error = {0};
    int fd = -1;
    ck_assert_msg(socket_connect(&address, soon_ms(), &fd, &error) == ZK_OK, "%s", error.text);
    return fd;
}

static int send_some(int fd, const void *bytes, size_t size, size_t *ret_sent)
{
    struct iovec part = {.iov_base = (void *)(uintptr_t)bytes, .iov_len = size};
    return socket_send(fd, &part, 1, ret_sent);
}

static void sleep_ms(int64_t ms)
{
    clock_sleep_ms(ms);
}

static int idle_main(void *arg)
{
    (void)arg;
    sleep_ms(100);
    return 0;
}

/* ---- bytes ---- */

static size_t stream_size;
static int64_t reads_after_ms;
static uint64_t pieces_read;

static uint8_t pattern_at(uint64_t at)
{
    return (uint8_t)(at % PATTERN_PRIME * 31 + at / PATTERN_PRIME);
}

static int send_pattern_main(void *arg)
{
    (void)arg;
    static uint8_t bytes[100000];
    int fd = connect_to_far();
    for (uint64_t at = 0; at < stream_size;) {
        size_t size = 1 + sim_below(sizeof(bytes));
        if (size > stream_size - at)
            size = stream_size - at;
        for (size_t i = 0; i < size; i++)
            bytes[i] = pattern_at(at + i);
        ck_assert_int_eq(socket_send_all(fd, bytes, size, INT64_MAX), ZK_OK);
        at += size;
    }
    socket_close(fd);
    return 0;
}

static int check_pattern_main(void *arg)
{
    (void)arg;
    static uint8_t bytes[100000];
    int fd = accept_one();
    uint64_t at = 0;
    size_t got;
    sleep_ms(reads_after_ms);
    for (;;) {
        int err = socket_receive(fd, bytes, 1 + sim_below(sizeof(bytes)), &got);
        if (err == ZK_AGAIN) {
            ck_assert_int_eq(socket_wait(fd, POLLER_READ, INT64_MAX), ZK_OK);
            continue;
        }
        if (err == ZK_EOF)
            break;
        ck_assert_int_eq(err, ZK_OK);
        pieces_read++;
        for (size_t i = 0; i < got; i++)
            if (bytes[i] != pattern_at(at + i))
                ck_abort_msg("byte %llu is another", (unsigned long long)(at + i));
        at += got;
    }
    ck_assert_uint_eq(at, stream_size);
    ck_assert_int_eq(socket_receive(fd, bytes, 1, &got), ZK_EOF);
    socket_close(fd);
    return 0;
}

static void set_piece(struct sim_link *link, uint64_t value)
{
    link->largest_piece = (uint32_t)value;
}

static const struct {
    const char *fact;
    size_t size;
    uint32_t largest_piece;
    int64_t bytes_per_s, reads_after_ms;
} streams[] = {
    {"megabytes arrive as they were sent, whole", 4000000, 0, 0, 0},
    {"byte by byte, too", 100000, 1, 0, 0},
    {"in small pieces", 1000000, 7, 0, 0},
    {"in large pieces", 4000000, 30000, 0, 0},
    {"over a slow link", 1000000, 1000, 1000000, 0},
    {"and to one who begins late to read", 1000000, 0, 0, 3000},
};
static size_t stream_number;

static void stream_driver(void *arg)
{
    (void)arg;
    make_machines();
    stream_size = streams[stream_number].size;
    reads_after_ms = streams[stream_number].reads_after_ms;
    pieces_read = 0;
    both_ways(set_piece, streams[stream_number].largest_piece);
    sim_link(near, far)->bytes_per_s = streams[stream_number].bytes_per_s;
    run_both(send_pattern_main, check_pattern_main);
    join_both();
}

START_TEST(bytes_arrive_in_order)
{
    stream_number = (size_t)_i % ARRAY_SIZE(streams);
    sim_run((uint64_t)_i + 1, stream_driver, NULL);
    ck_assert_msg(streams[stream_number].largest_piece != 1 || pieces_read > 1000, "%llu pieces",
                  (unsigned long long)pieces_read);
}
END_TEST

static void slow_link_driver(void *arg)
{
    stream_number = 4;
    stream_driver(arg);
    ck_assert_int_ge(sim_now_ns(), SIM_S);    /* a megabyte, a megabyte a second */
    ck_assert_int_le(sim_now_ns(), 3 * SIM_S);
}

START_TEST(a_link_carries_no_more_than_it_can)
{
    sim_run(3, slow_link_driver, NULL);
}
END_TEST

/* ---- the end of a connection ---- */

static int half_close_near(void *arg)
{
    (void)arg;
    char bytes[8];
    size_t size;
    int fd = connect_to_far();
    ck_assert_int_eq(socket_send_all(fd, "ab", 2, soon_ms()), ZK_OK);
    socket_shutdown_send(fd);
    ck_assert_int_eq(send_some(fd, "c", 1, &size), ZK_IO);
    ck_assert_int_eq(errno, EPIPE);
    ck_assert_int_eq(socket_receive_all(fd, bytes, 2, soon_ms()), ZK_OK);
    ck_assert_mem_eq(bytes, "cd", 2);
    ck_assert_int_eq(socket_receive_all(fd, bytes, 1, soon_ms()), ZK_EOF);
    socket_close(fd);
    return 0;
}

static int half_close_far(void *arg)
{
    (void)arg;
    char bytes[8];
    int fd = accept_one();
    ck_assert_int_eq(socket_receive_all(fd, bytes, 4, soon_ms()), ZK_EOF);
    ck_assert_int_eq(socket_send_all(fd, "cd", 2, soon_ms()), ZK_OK);
    socket_close(fd);
    return 0;
}

static void half_close_driver(void *arg)
{
    (void)arg;
    run_to_the_end(half_close_near, half_close_far);
}

START_TEST(one_half_can_be_closed)
{
    sim_run((uint64_t)_i, half_close_driver, NULL);
}
END_TEST

static int unread_near(void *arg)
{
    (void)arg;
    char bytes[8];
    size_t size;
    int fd = connect_to_far();
    struct address address;
    ck_assert_int_eq(socket_send_all(fd, "question", 8, soon_ms()), ZK_OK);
    sleep_ms(1000);
    ck_assert_int_eq(socket_receive_all(fd, bytes, 2, soon_ms()), ZK_OK);    /* what came before it is there */
    ck_assert_mem_eq(bytes, "an", 2);
    ck_assert_int_eq(socket_receive(fd, bytes, 1, &size), ZK_IO);
    ck_assert_int_eq(errno, ECONNRESET);
    ck_assert_msg(socket_receive(fd, bytes, 1, &size) == ZK_EOF, "told once");
    ck_assert_int_eq(send_some(fd, "x", 1, &size), ZK_IO);
    ck_assert_int_eq(errno, EPIPE);
    ck_assert_int_eq(socket_peer_address(fd, &address), ZK_IO);
    ck_assert_int_eq(errno, ENOTCONN);
    ck_assert_int_eq(socket_local_address(fd, &address), ZK_OK);
    socket_close(fd);
    return 0;
}

static int unread_far(void *arg)
{
    (void)arg;
    char bytes[8];
    int fd = accept_one();
    ck_assert_int_eq(socket_receive_all(fd, bytes, 4, soon_ms()), ZK_OK);
    ck_assert_int_eq(socket_send_all(fd, "an", 2, soon_ms()), ZK_OK);
    sleep_ms(100);
    socket_close(fd);
    return 0;
}

static void unread_driver(void *arg)
{
    (void)arg;
    run_to_the_end(unread_near, unread_far);
}

START_TEST(a_close_with_unread_bytes_is_a_reset)
{
    sim_run((uint64_t)_i, unread_driver, NULL);
}
END_TEST

static int late_near(void *arg)
{
    (void)arg;
    char byte;
    size_t size;
    int fd = connect_to_far();
    ck_assert_int_eq(socket_receive_all(fd, &byte, 1, soon_ms()), ZK_EOF);
    ck_assert_msg(send_some(fd, "x", 1, &size) == ZK_OK, "it may still have been listening");
    sleep_ms(100);
    ck_assert_int_eq(send_some(fd, "x", 1, &size), ZK_IO);
    ck_assert_int_eq(errno, EPIPE);
    socket_close(fd);
    return 0;
}

static int late_far(void *arg)
{
    (void)arg;
    socket_close(accept_one());
    return 0;
}

static void late_driver(void *arg)
{
    (void)arg;
    run_to_the_end(late_near, late_far);
}

START_TEST(who_closed_answers_bytes_with_a_reset)
{
    sim_run((uint64_t)_i, late_driver, NULL);
}
END_TEST

static int shared_fd, reader_result;

static void read_shared(void *arg)
{
    (void)arg;
    char byte;
    reader_result = socket_receive_all(shared_fd, &byte, 1, INT64_MAX);
}

static int shutdown_near(void *arg)
{
    (void)arg;
    shared_fd = connect_to_far();
    reader_result = 1;
    struct thread *reader = thread_start("reader", read_shared, NULL);
    sleep_ms(50);
    ck_assert_int_eq(reader_result, 1);
    socket_shutdown(shared_fd);
    thread_join(reader);
    ck_assert_int_eq(reader_result, ZK_EOF);
    socket_close(shared_fd);
    return 0;
}

static void shutdown_driver(void *arg)
{
    (void)arg;
    run_to_the_end(shutdown_near, half_close_far);
}

START_TEST(a_shutdown_wakes_a_reader)
{
    sim_run((uint64_t)_i, shutdown_driver, NULL);
}
END_TEST

static struct error attempt_error;

static void connect_shared(void *arg)
{
    (void)arg;
    struct address address = far_address();
    reader_result = socket_connect_wait(shared_fd, &address, INT64_MAX, &attempt_error);
}

static int attempt_near(void *arg)
{
    (void)arg;
    struct address address = far_address();
    ck_assert_int_eq(socket_connect_start(&address, &shared_fd, NULL), ZK_OK);
    reader_result = 1;
    struct thread *waiter = thread_start("waiter", connect_shared, NULL);
    sleep_ms(50);
    ck_assert_int_eq(reader_result, 1);
    socket_shutdown(shared_fd);
    thread_join(waiter);
    ck_assert_int_eq(reader_result, ZK_IO);
    ck_assert_str_eq(attempt_error.text, "cannot connect to 10.0.0.2:2181: Connection reset by peer");
    socket_close(shared_fd);
    return 0;
}

static void attempt_driver(void *arg)
{
    (void)arg;
    make_machines();
    sim_link_cut(near, far, true);
    run_both(attempt_near, idle_main);
    join_both();
}

START_TEST(a_shutdown_ends_an_attempt_to_connect)
{
    sim_run(1, attempt_driver, NULL);
}
END_TEST

/* ---- connecting ---- */

static int refused_near(void *arg)
{
    (void)arg;
    struct address address = far_address(), own = address_of("127.0.0.1", 1), nowhere = address_of("10.1.2.3", 1);
    struct error error = {0};
    int fd = -1;
    int64_t before_ns = sim_now_ns();
    ck_assert_int_eq(socket_connect(&address, soon_ms(), &fd, &error), ZK_IO);
    ck_assert_str_eq(error.text, "cannot connect to 10.0.0.2:2181: Connection refused");
    ck_assert_int_eq(errno, ECONNREFUSED);
    ck_assert_msg(sim_now_ns() - before_ns >= 100 * SIM_US, "a way there and back");
    ck_assert_int_eq(socket_connect(&own, soon_ms(), &fd, &error), ZK_IO);
    ck_assert_str_eq(error.text, "cannot connect to 127.0.0.1:1: Connection refused");
    ck_assert_int_eq(socket_connect(&nowhere, soon_ms(), &fd, &error), ZK_IO);
    ck_assert_str_eq(error.text, "cannot connect to 10.1.2.3:1: Network is unreachable");
    ck_assert_int_eq(fd, -1);
    return 0;
}

static void refused_driver(void *arg)
{
    (void)arg;
    run_to_the_end(refused_near, idle_main);
}

START_TEST(nobody_listening_is_refused)
{
    sim_run((uint64_t)_i, refused_driver, NULL);
}
END_TEST

static int silent_near(void *arg)
{
    (void)arg;
    struct address address = far_address();
    struct error error = {0};
    int fd = -1;
    int64_t deadline_ms = clock_elapsed_ms() + 5000;
    ck_assert_int_eq(socket_connect(&address, deadline_ms, &fd, &error), ZK_TIMED_OUT);
    ck_assert_str_eq(error.text, "cannot connect to 10.0.0.2:2181 in time");
    ck_assert_int_ge(clock_elapsed_ms(), deadline_ms);
    ck_assert_int_le(clock_elapsed_ms(), deadline_ms + 1);
    ck_assert_int_eq(socket_connect(&address, INT64_MAX, &fd, &error), ZK_IO);
    ck_assert_str_eq(error.text, "cannot connect to 10.0.0.2:2181: Connection timed out");
    return 0;
}

static int listen_only_far(void *arg)
{
    (void)arg;
    int fd = listen_at("0.0.0.0", PORT, 0);
    sleep_ms(200000);
    socket_close(fd);
    return 0;
}

static bool cut_the_way_back;

static void silent_driver(void *arg)
{
    (void)arg;
    make_machines();
    near->drift_ppm = 300;
    near->elapsed_offset_ns = 12345 * SIM_MS + 678;
    sim_link_cut(cut_the_way_back ? far : near, cut_the_way_back ? near : far, true);
    run_both(silent_near, listen_only_far);
    join_both();
}

START_TEST(over_a_cut_link_connecting_is_silence)
{
    cut_the_way_back = _i == 1;
    sim_run(1, silent_driver, NULL);
}
END_TEST

static int mended_near(void *arg)
{
    (void)arg;
    struct address address = far_address();
    int fd = -1;
    ck_assert_int_eq(socket_connect(&address, soon_ms(), &fd, NULL), ZK_OK);
    socket_close(fd);
    return 0;
}

static void mended_driver(void *arg)
{
    (void)arg;
    make_machines();
    sim_link_cut(near, far, true);
    run_both(mended_near, late_far);
    sim_sleep_until(sim_now_ns() + 2 * SIM_S);
    sim_link_cut(near, far, false);
    join_both();
    ck_assert_msg(sim_now_ns() < 5 * SIM_S, "the third attempt, after three seconds, gets through");
}

START_TEST(an_attempt_outlives_a_cut)
{
    sim_run(1, mended_driver, NULL);
}
END_TEST

static int backlog_near(void *arg)
{
    (void)arg;
    struct address address = far_address();
    int fds[8], count = 0, err;
    while ((err = socket_connect(&address, clock_elapsed_ms() + 200, &fds[count], NULL)) == ZK_OK) {
        count++;
        sleep_ms(1);    /* or the next one may overtake it */
    }
    ck_assert_int_eq(err, ZK_TIMED_OUT);
    ck_assert_int_eq(count, 3);    /* one more than it says, as in Linux */
    while (count > 0)
        socket_close(fds[--count]);
    return 0;
}

static int backlog_far(void *arg)
{
    (void)arg;
    int listener = listen_at("0.0.0.0", PORT, 2), fd = -1;
    struct address peer;
    sleep_ms(2000);
    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(socket_accept(listener, &fd, &peer, NULL), ZK_OK);
        ck_assert_msg(address_port(&peer) == 32768 + i, "in the order in which they came");
        socket_close(fd);
    }
    ck_assert_int_eq(socket_accept(listener, &fd, &peer, NULL), ZK_AGAIN);
    socket_close(listener);
    return 0;
}

static void backlog_driver(void *arg)
{
    (void)arg;
    run_to_the_end(backlog_near, backlog_far);
}

START_TEST(a_full_backlog_is_silence)
{
    sim_run((uint64_t)_i, backlog_driver, NULL);
}
END_TEST

static int ports_near(void *arg)
{
    (void)arg;
    struct error error = {0};
    struct address any, address, peer, own = address_of("10.0.0.1", PORT), others = address_of("10.0.0.2", PORT);
    int listener, fd = -1, accepted = -1;
    address_any(0, &any);
    ck_assert_int_eq(socket_listen(&any, 0, &listener, NULL), ZK_OK);
    ck_assert_int_eq(socket_local_address(listener, &any), ZK_OK);
    ck_assert(address_is_any(&any) && address_port(&any) != 0);
    ck_assert_int_eq(socket_peer_address(listener, &address), ZK_IO);
    struct address back = address_of("127.0.0.1", address_port(&any)), front = address_of("10.0.0.1", address_port(&any));
    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(socket_connect(i == 0 ? &back : &front, soon_ms(), &fd, NULL), ZK_OK);
        accepted = accept_from(listener);
        ck_assert_int_eq(socket_local_address(fd, &address), ZK_OK);
        ck_assert_int_eq(socket_peer_address(accepted, &peer), ZK_OK);
        ck_assert(address_equal_ip(&address, &peer) && address_port(&address) == address_port(&peer));
        ck_assert(address_equal_ip(&address, i == 0 ? &back : &front));
        ck_assert_int_eq(socket_peer_address(fd, &peer), ZK_OK);
        ck_assert_uint_eq(address_port(&peer), address_port(&any));
        socket_close(fd);
        socket_close(accepted);
    }
    ck_assert_int_eq(socket_listen(&any, 0, &fd, &error), ZK_IO);
    ck_assert_ptr_nonnull(strstr(error.text, "Address already in use"));
    ck_assert_int_eq(socket_listen(&others, 0, &fd, &error), ZK_IO);
    ck_assert_str_eq(error.text, "cannot bind to 10.0.0.2:2181: Cannot assign requested address");
    int one = listen_at("10.0.0.1", PORT, 0), other = listen_at("127.0.0.1", PORT, 0);
    ck_assert_int_eq(socket_listen(&own, 0, &fd, &error), ZK_IO);
    socket_close(one);
    ck_assert_int_eq(socket_connect(&own, soon_ms(), &fd, &error), ZK_IO);
    ck_assert_int_eq(errno, ECONNREFUSED);
    socket_shutdown(other);
    ck_assert_int_eq(socket_accept(other, &fd, &peer, &error), ZK_IO);
    ck_assert_int_eq(socket_wait(other, POLLER_READ, INT64_MAX), ZK_OK);
    socket_close(other);
    socket_close(listener);
    return 0;
}

static void ports_driver(void *arg)
{
    (void)arg;
    run_to_the_end(ports_near, idle_main);
}

START_TEST(ports_and_addresses_are_those_of_the_machine)
{
    sim_run((uint64_t)_i, ports_driver, NULL);
}
END_TEST

/* ---- cut links ---- */

enum { EARLY = 3, EARLY_SIZE = 1000 };
static size_t accepted_by_send;
static int64_t user_timeout_ms;
static int last_errno;

static int send_more(int fd, size_t size)
{
    static uint8_t bytes[10000];
    size_t sent;
    for (size_t i = 0; i < size; i++)
        bytes[i] = pattern_at(accepted_by_send + i);
    int err = send_some(fd, bytes, size, &sent);
    if (err == ZK_OK)
        accepted_by_send += sent;
    return err;
}

static int fill_near(void *arg)
{
    (void)arg;
    int fd = connect_to_far(), err;
    size_t sent;
    accepted_by_send = 0;
    for (int i = 0; i < EARLY; i++)
        ck_assert_int_eq(send_more(fd, EARLY_SIZE), ZK_OK);
    sleep_ms(1000);    /* they arrive, are acknowledged, and take no room any more; then the link is cut */
    if (user_timeout_ms > 0)
        socket_set_user_timeout(fd, user_timeout_ms);
    while ((err = send_more(fd, 10000)) == ZK_OK)
        continue;
    ck_assert_int_eq(err, ZK_AGAIN);
    ck_assert_int_eq(socket_wait(fd, POLLER_WRITE, clock_elapsed_ms() + 4000), ZK_TIMED_OUT);
    int64_t before_ms = clock_elapsed_ms();
    ck_assert_int_eq(socket_wait(fd, POLLER_WRITE, INT64_MAX), ZK_OK);
    err = send_some(fd, "x", 1, &sent);
    last_errno = err == ZK_IO ? errno : 0;
    int64_t expected_ms = user_timeout_ms > 0 ? user_timeout_ms : 900000;
    if (last_errno != 0)
        ck_assert_int_le(llabs(clock_elapsed_ms() - before_ms + 4000 - expected_ms), 2);
    socket_close(fd);
    return 0;
}

static int drain_far(void *arg)
{
    (void)arg;
    static uint8_t bytes[70000];
    int fd = accept_one(), err;
    size_t at = 0, got;
    while ((err = socket_receive(fd, bytes, sizeof(bytes), &got)) != ZK_EOF && err != ZK_IO) {
        if (err == ZK_AGAIN) {
            if (socket_wait(fd, POLLER_READ, clock_elapsed_ms() + 1200000) != ZK_OK)
                break;
            continue;
        }
        for (size_t i = 0; i < got; i++, at++)
            ck_assert_msg(at >= accepted_by_send || bytes[i] == pattern_at(at), "byte %zu is another", at);
    }
    if (last_errno == 0)
        ck_assert_uint_eq(at, accepted_by_send + 1);
    socket_close(fd);
    return 0;
}

static const struct {
    const char *fact;
    bool cuts_back, mends;
    int64_t user_timeout_ms;
    int last_errno;
} cuts[] = {
    {"bytes wait while the way there is cut", false, true, 0, 0},
    {"and while the way back is", true, true, 0, 0},
    {"no longer than the user timeout", false, false, 10000, ETIMEDOUT},
    {"nor when they arrived and nobody could say so", true, false, 10000, ETIMEDOUT},
    {"and a quarter of an hour at most", false, false, 0, ETIMEDOUT},
};
static size_t cut_number;

static void cut_driver(void *arg)
{
    (void)arg;
    make_machines();
    user_timeout_ms = cuts[cut_number].user_timeout_ms;
    run_both(fill_near, drain_far);
    sim_sleep_until(500 * SIM_MS);
    struct sim_node *from = cuts[cut_number].cuts_back ? far : near, *to = cuts[cut_number].cuts_back ? near : far;
    sim_link_cut(from, to, true);
    if (cuts[cut_number].mends) {
        sim_sleep_until(8 * SIM_S);
        sim_link_cut(from, to, false);
    }
    ck_assert(sim_node_join(near, 2000 * SIM_S));
    ck_assert_uint_eq(accepted_by_send, EARLY * EARLY_SIZE + BUFFER);
    ck_assert_int_eq(last_errno, cuts[cut_number].last_errno);
    sim_link_cut(from, to, false);
    join_both();
}

START_TEST(a_cut_link_fills_the_buffer)
{
    cut_number = (size_t)_i;
    sim_run((uint64_t)_i, cut_driver, NULL);
}
END_TEST

static int unread_far_for_long(void *arg)
{
    (void)arg;
    int fd = accept_one();
    sleep_ms(20000);
    socket_close(fd);
    return 0;
}

static int window_near(void *arg)
{
    (void)arg;
    static uint8_t bytes[2 * BUFFER];
    size_t sent, sum = 0;
    int fd = connect_to_far();
    while (socket_wait(fd, POLLER_WRITE, clock_elapsed_ms() + 1000) == ZK_OK) {
        ck_assert_int_eq(send_some(fd, bytes, sizeof(bytes), &sent), ZK_OK);
        sum += sent;
    }
    ck_assert_msg(sum == 2 * BUFFER, "a buffer full at each end: %zu", sum);
    socket_set_user_timeout(fd, user_timeout_ms);
    int64_t before_ms = clock_elapsed_ms();
    ck_assert_int_eq(socket_wait(fd, POLLER_WRITE, INT64_MAX), ZK_OK);
    ck_assert_int_eq(send_some(fd, bytes, 1, &sent), ZK_IO);
    last_errno = errno;
    ck_assert_msg((clock_elapsed_ms() - before_ms < 10000) == (user_timeout_ms > 0), "the timeout holds here, too");
    socket_close(fd);
    return 0;
}

static void window_driver(void *arg)
{
    (void)arg;
    run_to_the_end(window_near, unread_far_for_long);
}

START_TEST(who_does_not_read_stops_who_writes)
{
    user_timeout_ms = _i % 2 == 0 ? 0 : 5000;
    sim_run((uint64_t)_i, window_driver, NULL);
    ck_assert_msg(last_errno == (_i % 2 == 0 ? ECONNRESET : ETIMEDOUT), "closed with unread bytes, or given up");
}
END_TEST

/* ---- machines that die ---- */

static int talk_far(void *arg)
{
    (void)arg;
    char byte;
    int fd = accept_one();
    while (socket_receive_all(fd, &byte, 1, INT64_MAX) == ZK_OK)
        ck_assert_int_eq(socket_send_all(fd, &byte, 1, INT64_MAX), ZK_OK);
    socket_close(fd);
    return 0;
}

static int64_t noticed_ns;
static int noticed_err, noticed_errno;

static int talk_near(void *arg)
{
    (void)arg;
    char byte = 'x';
    int fd = connect_to_far(), err = ZK_OK;
    while (err == ZK_OK) {
        sleep_ms(100);
        err = socket_send_all(fd, "x", 1, INT64_MAX);
        if (err == ZK_OK)
            err = socket_receive_all(fd, &byte, 1, INT64_MAX);
    }
    noticed_errno = errno;
    noticed_err = err;
    noticed_ns = sim_now_ns();
    socket_close(fd);
    return 0;
}

static void kill_driver(void *arg)
{
    (void)arg;
    make_machines();
    run_both(talk_near, talk_far);
    sim_sleep_until(SIM_S + sim_between(0, 100 * SIM_MS));
    int64_t killed_ns = sim_now_ns();
    sim_node_kill(far, false);
    ck_assert(sim_node_join(near, SIM_FOREVER));
    ck_assert_msg(noticed_ns - killed_ns < 200 * SIM_MS, "at once");
    ck_assert(noticed_err == ZK_EOF || (noticed_err == ZK_IO && noticed_errno == ECONNRESET)
              || (noticed_err == ZK_IO && noticed_errno == EPIPE));
    ck_assert_uint_eq(sim_network_open_count(far), 0);
}

START_TEST(a_kernel_closes_for_a_program_that_was_killed)
{
    sim_run((uint64_t)_i, kill_driver, NULL);
}
END_TEST

static void power_driver(void *arg)
{
    (void)arg;
    make_machines();
    run_both(talk_near, talk_far);
    sim_sleep_until(SIM_S + sim_between(0, 100 * SIM_MS));
    sim_node_kill(far, true);
    ck_assert_msg(!sim_node_join(near, 60 * SIM_S), "nothing is heard of it");
    sim_node_start(far, idle_main, NULL);    /* runs and ends; then its kernel answers */
    ck_assert(sim_node_join(near, 500 * SIM_S));
    ck_assert_int_eq(noticed_err, ZK_IO);
    ck_assert_int_eq(noticed_errno, ECONNRESET);
    ck_assert_int_ge(noticed_ns, 60 * SIM_S);
}

START_TEST(a_machine_without_power_is_silent_until_it_runs)
{
    sim_run((uint64_t)_i, power_driver, NULL);
}
END_TEST

static void dark_driver(void *arg)
{
    (void)arg;
    make_machines();
    sim_node_start(far, idle_main, NULL);
    sim_node_kill(far, true);
    sim_node_start(near, silent_near, NULL);
    ck_assert(sim_node_join(near, SIM_FOREVER));
}

START_TEST(connecting_to_a_machine_without_power_is_silence)
{
    sim_run(1, dark_driver, NULL);
}
END_TEST

/* Both ends, as no way is cut. */
static int reset_near(void *arg)
{
    (void)arg;
    char byte;
    int fd = connect_to_far();
    ck_assert_int_eq(socket_receive_all(fd, &byte, 1, INT64_MAX), ZK_IO);
    ck_assert_int_eq(errno, ECONNRESET);
    socket_close(fd);
    return 0;
}

static int reset_far(void *arg)
{
    (void)arg;
    char byte;
    int fd = accept_one();
    ck_assert_int_eq(socket_receive_all(fd, &byte, 1, INT64_MAX), ZK_IO);
    ck_assert_int_eq(errno, ECONNRESET);
    socket_close(fd);
    return 0;
}

static void reset_driver(void *arg)
{
    (void)arg;
    make_machines();
    run_both(reset_near, reset_far);
    sim_sleep_until(SIM_S);
    sim_network_reset(near, NULL, 0);
    ck_assert(!sim_node_join(near, 2 * SIM_S));
    sim_network_reset(far, near, 1);
    join_both();
}

START_TEST(a_test_resets_connections)
{
    sim_run(1, reset_driver, NULL);
}
END_TEST

/* ---- pollers ---- */

static struct poller *poller;
static struct poller_event events[4];

static size_t poll_now(void)
{
    return poller_wait(poller, events, 4, 0);
}

static size_t poll_soon(void)
{
    return poller_wait(poller, events, 4, soon_ms());
}

static int poller_near(void *arg)
{
    (void)arg;
    struct error error = {0};
    int data, other, fd = connect_to_far();
    char bytes[8];
    poller_free(NULL);
    poller = poller_new();
    ck_assert_int_eq(poller_add(poller, fd, POLLER_READ, &data, NULL), ZK_OK);
    ck_assert_int_eq(poller_add(poller, fd, POLLER_READ, &data, &error), ZK_IO);
    ck_assert_ptr_nonnull(strstr(error.text, "cannot poll descriptor"));
    ck_assert_uint_eq(poll_now(), 0);
    for (int i = 0; i < 2; i++) {    /* as long as it is ready */
        ck_assert_uint_eq(poll_soon(), 1);
        ck_assert(events[0].data == &data && events[0].events == POLLER_READ);
    }
    poller_modify(poller, fd, POLLER_READ | POLLER_WRITE, &other);
    ck_assert_uint_eq(poll_soon(), 1);
    ck_assert(events[0].data == &other && events[0].events == (POLLER_READ | POLLER_WRITE));
    ck_assert_int_eq(socket_receive_all(fd, bytes, 2, 0), ZK_OK);
    ck_assert_uint_eq(poll_now(), 1);
    ck_assert_uint_eq(events[0].events, POLLER_WRITE);
    poller_modify(poller, fd, 0, &data);
    ck_assert_uint_eq(poll_now(), 0);
    ck_assert_int_eq(socket_send_all(fd, "go", 2, 0), ZK_OK);
    sleep_ms(100);
    ck_assert_msg(poll_now() == 0, "only what was asked for");
    socket_shutdown_send(fd);
    for (int i = 0; i < 2; i++) {
        ck_assert_uint_eq(poll_soon(), 1);
        ck_assert_msg(events[0].events == POLLER_HANGUP, "asked for or not");
    }
    poller_remove(poller, fd);
    ck_assert_uint_eq(poll_now(), 0);
    poller_remove(poller, fd);
    poller_modify(poller, fd, POLLER_READ, &data);
    ck_assert_int_eq(poller_add(poller, fd, POLLER_READ, &data, NULL), ZK_OK);
    socket_close(fd);
    ck_assert_msg(poll_now() == 0, "a closed one is out of it");
    poller_modify(poller, fd, POLLER_READ, &data);
    poller_remove(poller, fd);
    poller_free(poller);
    return 0;
}

static int poller_far(void *arg)
{
    (void)arg;
    char bytes[4];
    int fd = accept_one();
    sleep_ms(50);
    ck_assert_int_eq(socket_send_all(fd, "ab", 2, 0), ZK_OK);
    ck_assert_int_eq(socket_receive_all(fd, bytes, 2, soon_ms()), ZK_OK);
    socket_close(fd);
    return 0;
}

static void poller_driver(void *arg)
{
    (void)arg;
    run_to_the_end(poller_near, poller_far);
}

START_TEST(a_poller_tells_who_is_ready_as_long_as_it_is)
{
    sim_run((uint64_t)_i, poller_driver, NULL);
}
END_TEST

static void wake_three_times(void *arg)
{
    (void)arg;
    sleep_ms(30);
    for (int i = 0; i < 3; i++)
        poller_wake(poller);
}

static int wake_main(void *arg)
{
    (void)arg;
    poller = poller_new();
    for (int i = 0; i < 3; i++)
        poller_wake(poller);
    ck_assert_uint_eq(poll_soon(), 1);
    ck_assert_ptr_null(events[0].data);
    ck_assert_msg(poll_now() == 0, "several count once");
    int64_t deadline_ns = clock_elapsed_ns() + 300 * SIM_US;
    ck_assert_uint_eq(poller_wait_ns(poller, events, 4, deadline_ns), 0);
    ck_assert_int_ge(clock_elapsed_ns(), deadline_ns);
    ck_assert_int_le(clock_elapsed_ns(), deadline_ns + 20 * SIM_US);
    struct thread *waker = thread_start("waker", wake_three_times, NULL);
    ck_assert_uint_eq(poller_wait(poller, events, 4, INT64_MAX), 1);
    ck_assert_ptr_null(events[0].data);
    thread_join(waker);
    poll_now();
    ck_assert_uint_eq(poll_now(), 0);
    poller_free(poller);
    return 0;
}

static void wake_driver(void *arg)
{
    (void)arg;
    make_machines();
    near->drift_ppm = -200;
    run_both(wake_main, idle_main);
    join_both();
}

START_TEST(a_poller_can_be_woken)
{
    sim_run((uint64_t)_i, wake_driver, NULL);
}
END_TEST

enum { CROWD = 6 };

static int crowd_near(void *arg)
{
    (void)arg;
    int fds[CROWD], seen[CROWD] = {0};
    poller = poller_new();
    for (int i = 0; i < CROWD; i++) {
        fds[i] = connect_to_far();
        ck_assert_int_eq(poller_add(poller, fds[i], POLLER_WRITE, &seen[i], NULL), ZK_OK);
    }
    for (int round = 0; round < 4 * CROWD; round++) {
        ck_assert_uint_eq(poller_wait(poller, events, 2, 0), 2);
        for (int i = 0; i < 2; i++)
            ++*(int *)events[i].data;
    }
    for (int i = 0; i < CROWD; i++) {
        ck_assert_msg(seen[i] == 8, "each has its turn: %d had %d", i, seen[i]);
        socket_close(fds[i]);
    }
    poller_free(poller);
    return 0;
}

static int crowd_far(void *arg)
{
    (void)arg;
    int fds[CROWD], listener = listen_at("0.0.0.0", PORT, 0);
    for (int i = 0; i < CROWD; i++)
        fds[i] = accept_from(listener);
    sleep_ms(100);
    for (int i = 0; i < CROWD; i++)
        socket_close(fds[i]);
    socket_close(listener);
    return 0;
}

static void crowd_driver(void *arg)
{
    (void)arg;
    run_to_the_end(crowd_near, crowd_far);
}

START_TEST(a_poller_leaves_nobody_out)
{
    sim_run((uint64_t)_i, crowd_driver, NULL);
}
END_TEST

/* ---- descriptors ---- */

static int numbers_main(void *arg)
{
    (void)arg;
    struct address address = address_of("0.0.0.0", 0), peer;
    struct error error = {0};
    int fds[4], fd = -1;
    ck_assert_int_eq(sim_descriptors_open(), 3);
    for (int i = 0; i < 4; i++) {
        ck_assert_int_eq(sim_descriptor_next(), 3 + i);
        fds[i] = i == 2 ? sim_descriptor_take() : listen_at("0.0.0.0", 0, 0);
        ck_assert_int_eq(fds[i], 3 + i);
    }
    ck_assert_int_eq(sim_descriptors_open(), 7);
    ck_assert_uint_eq(sim_network_open_count(near), 3);
    socket_close(4);
    sim_descriptor_give(5);
    ck_assert_int_eq(listen_at("0.0.0.0", 0, 0), 4);
    ck_assert_int_eq(sim_descriptor_take(), 5);
    sim_descriptor_limit(near, 7);
    ck_assert_int_eq(sim_descriptor_next(), INT64_MAX);
    ck_assert_int_eq(sim_descriptors_most(), 7);
    ck_assert_int_eq(sim_descriptor_take(), -1);
    ck_assert_int_eq(errno, EMFILE);
    ck_assert_int_eq(socket_listen(&address, 0, &fd, &error), ZK_IO);
    ck_assert_str_eq(error.text, "cannot make a socket: Too many open files");
    ck_assert_int_eq(socket_accept(3, &fd, &peer, &error), ZK_FULL);
    ck_assert_int_eq(error.code, ZK_FULL);
    ck_assert_int_eq(fd, -1);
    sim_descriptor_give(5);
    ck_assert_int_eq(socket_accept(3, &fd, &peer, &error), ZK_AGAIN);
    for (int i = 0; i < 4; i++)
        if (i != 2)
            socket_close(fds[i]);
    socket_close(-1);
    ck_assert_int_eq(sim_descriptors_open(), 3);
    return 0;
}

static void numbers_driver(void *arg)
{
    (void)arg;
    run_to_the_end(numbers_main, idle_main);
}

START_TEST(descriptors_are_the_lowest_free_numbers)
{
    sim_run(1, numbers_driver, NULL);
}
END_TEST

static int mistake;

static void sleep_on_shared(void *arg)
{
    (void)arg;
    ck_assert_int_eq(socket_wait(shared_fd, POLLER_READ, INT64_MAX), ZK_IO);
    ck_assert_int_eq(errno, EBADF);
}

static int mistaken_main(void *arg)
{
    (void)arg;
    char byte;
    size_t size;
    shared_fd = listen_at("0.0.0.0", PORT, 0);
    if (mistake == 2) {
        struct thread *sleeper = thread_start("sleeper", sleep_on_shared, NULL);
        sleep_ms(10);
        socket_close(shared_fd);
        thread_join(sleeper);
        return 0;
    }
    if (mistake == 3)
        return 0;    /* it leaves it open */
    socket_close(shared_fd);
    if (mistake == 0)
        socket_close(shared_fd);
    else
        ck_assert_int_eq(socket_receive(shared_fd, &byte, 1, &size), ZK_IO);
    return 0;
}

static void mistaken_driver(void *arg)
{
    (void)arg;
    make_machines();
    sim_node_start(near, mistaken_main, NULL);
    ck_assert(sim_node_join(near, SIM_FOREVER));
    ck_assert_ptr_nonnull(sim_verdict());
    ck_assert_uint_eq(sim_network_open_count(near), 0);
}

START_TEST(mistakes_are_violations)
{
    static const char *const words[] = {"socket_close of descriptor 3", "socket_receive of descriptor 3", "sleeps on it",
                                        "1 sockets"};
    mistake = _i;
    sim_run(1, mistaken_driver, NULL);
    ck_assert_msg(strstr(sim_verdict(), words[_i]) != NULL, "%s", sim_verdict());
}
END_TEST

/* ---- datagrams ---- */

static int open_datagrams(const char *ip, uint16_t port)
{
    struct address address = address_of(ip, port);
    struct error error = {0};
    int fd = -1;
    ck_assert_msg(datagram_open(&address, &fd, &error) == ZK_OK, "%s", error.text);
    return fd;
}

static int datagram_near(void *arg)
{
    (void)arg;
    struct address to = far_address(), from;
    char bytes[8];
    size_t size;
    int fd = open_datagrams("0.0.0.0", 0);
    ck_assert_int_eq(datagram_receive(fd, bytes, sizeof(bytes), &size, &from), ZK_AGAIN);
    ck_assert_int_eq(datagram_send(fd, &to, "hello", 5), ZK_OK);
    poller = poller_new();
    ck_assert_int_eq(poller_add(poller, fd, POLLER_READ, bytes, NULL), ZK_OK);
    ck_assert_uint_eq(poll_soon(), 1);
    ck_assert_int_eq(datagram_receive(fd, bytes, 4, &size, &from), ZK_OK);
    ck_assert_uint_eq(size, 6);
    ck_assert_mem_eq(bytes, "answ", 4);
    ck_assert(address_equal_ip(&from, &to) && address_port(&from) == PORT);
    sim_link_cut(near, far, true);
    ck_assert_int_eq(datagram_send(fd, &to, "lost", 4), ZK_OK);
    sim_link_cut(near, far, false);
    struct address nobody = address_of("10.0.0.2", 9);
    ck_assert_int_eq(datagram_send(fd, &nobody, "x", 1), ZK_OK);
    ck_assert_int_eq(datagram_send(fd, &to, "last", 4), ZK_OK);
    poller_free(poller);
    socket_close(fd);
    return 0;
}

static int datagram_far(void *arg)
{
    (void)arg;
    struct address from;
    char bytes[8];
    size_t size;
    int fd = open_datagrams("10.0.0.2", PORT);
    ck_assert_int_eq(socket_wait(fd, POLLER_READ, soon_ms()), ZK_OK);
    ck_assert_int_eq(datagram_receive(fd, bytes, sizeof(bytes), &size, &from), ZK_OK);
    ck_assert_uint_eq(size, 5);
    ck_assert_mem_eq(bytes, "hello", 5);
    struct address near_ip = address_of("10.0.0.1", 0);
    ck_assert(address_equal_ip(&from, &near_ip));
    ck_assert_int_eq(datagram_send(fd, &from, "answer", 6), ZK_OK);
    ck_assert_int_eq(socket_wait(fd, POLLER_READ, soon_ms()), ZK_OK);
    ck_assert_int_eq(datagram_receive(fd, bytes, sizeof(bytes), &size, &from), ZK_OK);
    ck_assert_uint_eq(size, 4);
    ck_assert_mem_eq(bytes, "last", 4);
    socket_close(fd);
    return 0;
}

static void datagram_driver(void *arg)
{
    (void)arg;
    run_to_the_end(datagram_near, datagram_far);
}

START_TEST(datagrams_arrive_whole_or_not_at_all)
{
    sim_run((uint64_t)_i, datagram_driver, NULL);
}
END_TEST

/* ---- one seed, one run ---- */

static uint64_t hash_of(uint64_t seed, size_t number)
{
    stream_number = number;
    sim_run(seed, stream_driver, NULL);
    return sim_trace_hash();
}

START_TEST(a_seed_is_a_run)
{
    for (size_t number = 0; number < ARRAY_SIZE(streams); number++) {
        uint64_t first = hash_of(7, number);
        ck_assert_uint_eq(hash_of(7, number), first);
        ck_assert_uint_ne(hash_of(8, number), first);
    }
}
END_TEST

static Suite *network_suite(void)
{
    Suite *suite = suite_create("sim_network");
    TCase *tcase = tcase_create("sim_network");
    tcase_set_timeout(tcase, 5);
    tcase_add_loop_test(tcase, bytes_arrive_in_order, 0, 2 * (int)ARRAY_SIZE(streams));
    tcase_add_test(tcase, a_link_carries_no_more_than_it_can);
    tcase_add_loop_test(tcase, one_half_can_be_closed, 0, 10);
    tcase_add_loop_test(tcase, a_close_with_unread_bytes_is_a_reset, 0, 10);
    tcase_add_loop_test(tcase, who_closed_answers_bytes_with_a_reset, 0, 10);
    tcase_add_loop_test(tcase, a_shutdown_wakes_a_reader, 0, 10);
    tcase_add_test(tcase, a_shutdown_ends_an_attempt_to_connect);
    tcase_add_loop_test(tcase, nobody_listening_is_refused, 0, 10);
    tcase_add_loop_test(tcase, over_a_cut_link_connecting_is_silence, 0, 2);
    tcase_add_test(tcase, an_attempt_outlives_a_cut);
    tcase_add_loop_test(tcase, a_full_backlog_is_silence, 0, 10);
    tcase_add_loop_test(tcase, ports_and_addresses_are_those_of_the_machine, 0, 10);
    tcase_add_loop_test(tcase, a_cut_link_fills_the_buffer, 0, (int)ARRAY_SIZE(cuts));
    tcase_add_loop_test(tcase, who_does_not_read_stops_who_writes, 0, 4);
    tcase_add_loop_test(tcase, a_kernel_closes_for_a_program_that_was_killed, 0, 20);
    tcase_add_loop_test(tcase, a_machine_without_power_is_silent_until_it_runs, 0, 20);
    tcase_add_test(tcase, connecting_to_a_machine_without_power_is_silence);
    tcase_add_test(tcase, a_test_resets_connections);
    tcase_add_loop_test(tcase, a_poller_tells_who_is_ready_as_long_as_it_is, 0, 10);
    tcase_add_loop_test(tcase, a_poller_can_be_woken, 0, 10);
    tcase_add_loop_test(tcase, a_poller_leaves_nobody_out, 0, 10);
    tcase_add_test(tcase, descriptors_are_the_lowest_free_numbers);
    tcase_add_loop_test(tcase, mistakes_are_violations, 0, 4);
    tcase_add_loop_test(tcase, datagrams_arrive_whole_or_not_at_all, 0, 10);
    tcase_add_test(tcase, a_seed_is_a_run);
    suite_add_tcase(suite, tcase);
    return suite;
}

CHECK_MAIN(network_suite)
