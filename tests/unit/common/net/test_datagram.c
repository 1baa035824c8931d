/* Datagrams over loopback. */
#include "common/net/datagram.h"

#include <string.h>

#include "common/base/clock.h"
#include "common/net/poller.h"
#include "common/net/socket.h"
#include "tests/lib/check_main.h"

static int open_at(const char *ip, struct address *ret_address)
{
    struct error error = {0};
    int fd = -1;
    ck_assert(address_from_ip(ip, 0, ret_address));
    ck_assert_msg(datagram_open(ret_address, &fd, &error) == ZK_OK, "%s", error.text);
    uint16_t port;
    struct address bound;
    ck_assert_int_eq(socket_local_address(fd, &bound), ZK_OK);
    port = address_port(&bound);
    ck_assert(address_from_ip(ip, port, ret_address));
    return fd;
}

static void await(int fd)
{
    struct poller *poller = poller_new();
    struct poller_event event;
    ck_assert_int_eq(poller_add(poller, fd, POLLER_READ, poller, NULL), ZK_OK);
    ck_assert_uint_eq(poller_wait(poller, &event, 1, clock_elapsed_ms() + 10000), 1);
    poller_free(poller);
}

START_TEST(a_datagram_arrives_whole_and_tells_where_it_came_from)
{
    struct address a, b, from;
    char bytes[8];
    size_t size;
    int one = open_at("127.0.0.1", &a), two = open_at("127.0.0.1", &b);
    ck_assert_int_eq(datagram_receive(two, bytes, sizeof(bytes), &size, &from), ZK_AGAIN);
    ck_assert_int_eq(datagram_send(one, &b, "hello", 5), ZK_OK);
    await(two);
    ck_assert_int_eq(datagram_receive(two, bytes, sizeof(bytes), &size, &from), ZK_OK);
    ck_assert_uint_eq(size, 5);
    ck_assert_mem_eq(bytes, "hello", 5);
    ck_assert(address_equal_ip(&from, &a) && address_port(&from) == address_port(&a));
    ck_assert_int_eq(datagram_send(one, &b, "more than fits", 14), ZK_OK);
    await(two);
    ck_assert_int_eq(datagram_receive(two, bytes, sizeof(bytes), &size, &from), ZK_OK);
    ck_assert_msg(size == 14, "its size is told though it did not fit");
    socket_close(one);
    socket_close(two);
}
END_TEST

START_TEST(a_socket_of_all_addresses_sends_to_ipv4_too)
{
    struct address any, b, from;
    char byte;
    size_t size;
    int fd = -1, two = open_at("127.0.0.1", &b);
    address_any(0, &any);
    ck_assert_int_eq(datagram_open(&any, &fd, NULL), ZK_OK);
    ck_assert_int_eq(datagram_send(fd, &b, "x", 1), ZK_OK);
    await(two);
    ck_assert_int_eq(datagram_receive(two, &byte, 1, &size, &from), ZK_OK);
    ck_assert_int_eq(byte, 'x');
    socket_close(fd);
    socket_close(two);
}
END_TEST

START_TEST(that_nobody_listens_is_no_error)
{
    struct address a, b, from;
    char byte;
    size_t size;
    int one = open_at("127.0.0.1", &a), two = open_at("127.0.0.1", &b);
    socket_close(two);
    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(datagram_send(one, &b, "x", 1), ZK_OK);
        ck_assert_int_eq(datagram_receive(one, &byte, 1, &size, &from), ZK_AGAIN);
    }
    socket_close(one);
}
END_TEST

START_TEST(a_port_that_is_taken_is_said)
{
    struct address a;
    struct error error = {0};
    int other = -1, fd = open_at("127.0.0.1", &a);
    ck_assert_int_eq(datagram_open(&a, &other, &error), ZK_IO);
    ck_assert_ptr_nonnull(strstr(error.text, "cannot bind to UDP 127.0.0.1:"));
    socket_close(fd);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("datagram");
    TCase *tcase = tcase_create("loopback");
    suite_add_tcase(suite, tcase);
    tcase_add_test(tcase, a_datagram_arrives_whole_and_tells_where_it_came_from);
    tcase_add_test(tcase, a_socket_of_all_addresses_sends_to_ipv4_too);
    tcase_add_test(tcase, that_nobody_listens_is_no_error);
    tcase_add_test(tcase, a_port_that_is_taken_is_said);
    return suite;
}

CHECK_MAIN(make_suite)
