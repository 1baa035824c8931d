/* test_sim_network.c - connections, ports, addresses and descriptors of machines, and datagrams between them. */
#include "tests/simulator/test_sim_network.h"

#include "common/net/datagram.h"
#include "common/thread/thread.h"

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
    uint16_t port = address_port(&any);
    struct address back = address_of("127.0.0.1", port), front = address_of("10.0.0.1", port);
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

static int mistake, shared_fd;

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
    static const char *const words[] = {"socket_close of descriptor 3", "socket_receive of descriptor 3",
                                        "sleeps on it", "1 sockets"};
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
    struct poller *poller = poller_new();
    struct poller_event event;
    ck_assert_int_eq(poller_add(poller, fd, POLLER_READ, bytes, NULL), ZK_OK);
    ck_assert_uint_eq(poller_wait(poller, &event, 1, soon_ms()), 1);
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

static Suite *network_suite(void)
{
    Suite *suite = suite_create("sim_network");
    TCase *tcase = tcase_create("sim_network");
    tcase_set_timeout(tcase, 60);
    tcase_add_loop_test(tcase, nobody_listening_is_refused, 0, 10);
    tcase_add_loop_test(tcase, a_full_backlog_is_silence, 0, 10);
    tcase_add_loop_test(tcase, ports_and_addresses_are_those_of_the_machine, 0, 10);
    tcase_add_test(tcase, descriptors_are_the_lowest_free_numbers);
    tcase_add_loop_test(tcase, mistakes_are_violations, 0, 4);
    tcase_add_loop_test(tcase, datagrams_arrive_whole_or_not_at_all, 0, 10);
    suite_add_tcase(suite, tcase);
    return suite;
}

CHECK_MAIN(network_suite)
