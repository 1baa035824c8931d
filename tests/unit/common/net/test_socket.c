/* test_socket.c - listening, connecting, and bytes in and out, on loopback. */
#include "common/net/socket.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/memory.h"
#include "tests/lib/check_main.h"

static int listener = -1, client = -1, server = -1;
static struct address listening, peer;

static int64_t soon_ms(void)
{
    return clock_elapsed_ms() + 10000;
}

/* On loopback a connection is there before connect() returns. */
static void set_up(void)
{
    struct address address;
    ck_assert(address_from_ip("127.0.0.1", 0, &address));
    ck_assert_int_eq(socket_listen(&address, 0, &listener, NULL), ZK_OK);
    ck_assert_int_eq(socket_local_address(listener, &listening), ZK_OK);
    ck_assert_int_eq(socket_connect(&listening, soon_ms(), &client, NULL), ZK_OK);
    ck_assert_int_eq(socket_accept(listener, &server, &peer, NULL), ZK_OK);
}

static void tear_down(void)
{
    socket_close(listener);
    socket_close(client);
    socket_close(server);
    socket_close(-1);
}

START_TEST(both_ends_know_each_other)
{
    struct address client_address, address;
    ck_assert_int_eq(socket_local_address(client, &client_address), ZK_OK);
    ck_assert(address_equal_ip(&client_address, &peer));
    ck_assert_uint_eq(address_port(&client_address), address_port(&peer));
    ck_assert_int_eq(socket_peer_address(client, &address), ZK_OK);
    ck_assert_uint_eq(address_port(&address), address_port(&listening));
    ck_assert(fcntl(server, F_GETFL) & O_NONBLOCK);
    ck_assert(fcntl(server, F_GETFD) & FD_CLOEXEC);
    ck_assert(fcntl(client, F_GETFD) & FD_CLOEXEC);
    ck_assert_int_eq(socket_peer_address(listener, &address), ZK_IO);
}
END_TEST

START_TEST(bytes_go_both_ways)
{
    char bytes[16];
    size_t size;
    ck_assert_int_eq(socket_receive(server, bytes, sizeof(bytes), &size), ZK_AGAIN);
    char ru[] = "ru", ok[] = "ok";
    struct iovec parts[] = { { .iov_base = ru, .iov_len = 2 }, { .iov_base = ok, .iov_len = 2 } };
    ck_assert_int_eq(socket_send(client, parts, 2, &size), ZK_OK);
    ck_assert_uint_eq(size, 4);
    ck_assert_int_eq(socket_receive_all(server, bytes, 4, soon_ms()), ZK_OK);
    ck_assert_mem_eq(bytes, "ruok", 4);
    ck_assert_int_eq(socket_send_all(server, "imok", 4, soon_ms()), ZK_OK);
    ck_assert_int_eq(socket_receive_all(client, bytes, 4, soon_ms()), ZK_OK);
    ck_assert_mem_eq(bytes, "imok", 4);
}
END_TEST

START_TEST(a_deadline_ends_what_does_not_go_on)
{
    enum { SIZE = 64 << 20 };
    char byte;
    ck_assert_int_eq(socket_receive_all(server, &byte, 1, clock_elapsed_ms() + 3), ZK_TIMED_OUT);
    ck_assert_int_eq(socket_receive_all(server, &byte, 1, 0), ZK_TIMED_OUT);
    char *large = memory_alloc_zero(SIZE, 1);
    ck_assert_int_eq(socket_send_all(client, large, SIZE, clock_elapsed_ms() + 3), ZK_TIMED_OUT);
    memory_free(large);
}
END_TEST

START_TEST(the_end_of_a_peer_is_seen)
{
    char bytes[4];
    size_t size;
    ck_assert_int_eq(socket_send_all(client, "ab", 2, soon_ms()), ZK_OK);
    socket_shutdown_send(client);
    ck_assert_int_eq(socket_receive_all(server, bytes, 4, soon_ms()), ZK_EOF);
    ck_assert_int_eq(socket_send_all(server, "cd", 2, soon_ms()), ZK_OK);
    ck_assert_int_eq(socket_receive_all(client, bytes, 2, soon_ms()), ZK_OK);
    socket_shutdown(server);
    ck_assert_int_eq(socket_receive_all(client, bytes, 1, soon_ms()), ZK_EOF);
    ck_assert_int_eq(socket_receive(server, bytes, 1, &size), ZK_EOF);
    struct iovec part = { .iov_base = bytes, .iov_len = 1 };
    ck_assert_int_eq(socket_send(server, &part, 1, &size), ZK_IO);    /* and no SIGPIPE */
    ck_assert_int_eq(errno, EPIPE);
}
END_TEST

START_TEST(nobody_listening_is_named)
{
    struct error error = { 0 };
    int fd = -1;
    struct address address;
    ck_assert(address_from_ip("127.0.0.1", 1, &address));
    ck_assert_int_eq(socket_connect(&address, soon_ms(), &fd, &error), ZK_IO);
    ck_assert_str_eq(error.text, "cannot connect to 127.0.0.1:1: Connection refused");
    ck_assert_int_eq(fd, -1);
    ck_assert_int_eq(socket_listen(&listening, 0, &fd, &error), ZK_IO);
    ck_assert_ptr_nonnull(strstr(error.text, "Address already in use"));
    ck_assert_int_eq(fd, -1);
}
END_TEST

START_TEST(a_connect_ends_at_its_deadline)
{
    struct error error = { 0 };
    struct address address;
    int full, fd = -1, fds[32], count = 0, err = ZK_OK;
    ck_assert(address_from_ip("127.0.0.1", 0, &address));
    ck_assert_int_eq(socket_listen(&address, 1, &full, NULL), ZK_OK);
    ck_assert_int_eq(socket_local_address(full, &address), ZK_OK);
    /* Nobody accepts: a few get into the backlog, then the kernel stops answering. */
    while (count < 32 && (err = socket_connect(&address, clock_elapsed_ms() + 20, &fd, &error)) == ZK_OK)
        fds[count++] = fd;
    ck_assert_int_eq(err, ZK_TIMED_OUT);
    ck_assert_ptr_nonnull(strstr(error.text, "in time"));
    while (count > 0)
        socket_close(fds[--count]);
    socket_close(full);
}
END_TEST

START_TEST(accept_has_nobody_or_no_descriptor)
{
    struct error error = { 0 };
    struct address address;
    int fd = -1, other = -1;
    ck_assert_int_eq(socket_accept(listener, &fd, &address, &error), ZK_AGAIN);
    ck_assert_int_eq(socket_connect(&listening, soon_ms(), &other, NULL), ZK_OK);
    struct rlimit before, none;
    ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &before), 0);
    none = (struct rlimit){ .rlim_cur = 3, .rlim_max = before.rlim_max };
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &none), 0);
    ck_assert_int_eq(socket_accept(listener, &fd, &address, &error), ZK_FULL);
    ck_assert_int_eq(error.code, ZK_FULL);
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &before), 0);
    ck_assert_int_eq(socket_accept(listener, &fd, &address, &error), ZK_OK);
    socket_close(fd);
    socket_close(other);
    socket_shutdown(listener);
    ck_assert_int_eq(socket_accept(listener, &fd, &address, &error), ZK_IO);
}
END_TEST

START_TEST(one_listener_takes_both_families)
{
    struct address any, address;
    int both, from, to;
    address_any(0, &any);
    ck_assert_int_eq(socket_listen(&any, 0, &both, NULL), ZK_OK);
    ck_assert_int_eq(socket_local_address(both, &any), ZK_OK);
    ck_assert(address_from_ip("127.0.0.1", address_port(&any), &address));
    ck_assert_int_eq(socket_connect(&address, soon_ms(), &from, NULL), ZK_OK);
    ck_assert_int_eq(socket_accept(both, &to, &peer, NULL), ZK_OK);
    char text[ADDRESS_TEXT_SIZE];
    address_format_ip(&peer, text);
    ck_assert_str_eq(text, "127.0.0.1");
    socket_close(from);
    socket_close(to);
    socket_close(both);
}
END_TEST

START_TEST(options_are_set)
{
    socket_set_no_delay(client);
    socket_set_keep_alive(client);
    socket_set_no_linger(client);
    socket_set_user_timeout(client, INT64_MAX);
    int on = 0;
    socklen_t size = sizeof(on);
    ck_assert_int_eq(getsockopt(client, SOL_SOCKET, SO_KEEPALIVE, &on, &size), 0);
    ck_assert_int_ne(on, 0);
}
END_TEST

static Suite *socket_suite(void)
{
    Suite *suite = suite_create("socket");
    TCase *tcase = tcase_create("socket");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, both_ends_know_each_other);
    tcase_add_test(tcase, bytes_go_both_ways);
    tcase_add_test(tcase, a_deadline_ends_what_does_not_go_on);
    tcase_add_test(tcase, the_end_of_a_peer_is_seen);
    tcase_add_test(tcase, nobody_listening_is_named);
    tcase_add_test(tcase, a_connect_ends_at_its_deadline);
    tcase_add_test(tcase, accept_has_nobody_or_no_descriptor);
    tcase_add_test(tcase, one_listener_takes_both_families);
    tcase_add_test(tcase, options_are_set);
    suite_add_tcase(suite, tcase);
    return suite;
}

CHECK_MAIN(socket_suite)
