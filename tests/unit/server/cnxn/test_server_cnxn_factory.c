/* Who is let in, who is shown out: limits, sessions, silence. Where time counts the clock stands and is moved. */
#include "server/cnxn/server_cnxn_factory.h"

#include <string.h>

#include "common/base/clock.h"
#include "common/base/memory.h"
#include "common/net/socket.h"
#include "common/thread/thread.h"
#include "tests/unit/server/cnxn/cnxn_test.h"

static struct raw_client clients[8];

static void set_up(void)
{
    cnxn_set_up();
    for (size_t i = 0; i < ARRAY_SIZE(clients); i++)
        raw_client_init(&clients[i]);
}

static void tear_down(void)
{
    for (size_t i = 0; i < ARRAY_SIZE(clients); i++)
        raw_client_release(&clients[i]);
    cnxn_tear_down();
    clock_thaw();
}

static void dial(struct raw_client *client)
{
    ck_assert_int_eq(raw_client_dial(client, server_cnxn_factory_local_port(cnxn_factory)), ZK_OK);
}

/* ---- limits ---- */

START_TEST(an_address_may_have_so_many_connections)
{
    cnxn_options.max_client_cnxns = 3;
    cnxn_start(0);
    for (size_t i = 0; i < 3; i++)
        cnxn_join(&clients[i]);
    dial(&clients[3]);
    ck_assert(raw_client_sees_end(&clients[3]));
    ck_assert_int_eq(server_metrics_value(cnxn_metrics, METRIC_CONNECTION_REJECTED), 1);
    raw_client_hang_up(&clients[0]);
    cnxn_wait_removed(1);
    cnxn_join(&clients[3]);
    dial(&clients[0]);
    ck_assert(raw_client_sees_end(&clients[0]));
    cnxn_options.max_client_cnxns = 4;
    server_cnxn_factory_reload(cnxn_factory);
    ck_assert_int_eq(server_cnxn_factory_max_client_cnxns(cnxn_factory), 4);
    cnxn_join(&clients[0]);
}
END_TEST

START_TEST(all_addresses_together_may_have_so_many)
{
    cnxn_options.max_client_cnxns = 0;    /* as many as it likes */
    cnxn_options.max_cnxns = 2;
    cnxn_start(0);
    cnxn_join(&clients[0]);
    cnxn_join(&clients[1]);
    dial(&clients[2]);
    ck_assert(raw_client_sees_end(&clients[2]));
    raw_client_hang_up(&clients[1]);
    cnxn_wait_removed(1);
    cnxn_join(&clients[2]);
    ck_assert_uint_eq(server_cnxn_factory_connection_count(cnxn_factory), 2);
}
END_TEST

START_TEST(a_limit_names_the_address_and_itself)
{
    struct address peer;
    struct error error = {0};
    cnxn_options.max_client_cnxns = 1;
    cnxn_start(0);
    ck_assert(address_from_ip("10.0.0.1", 1234, &peer));
    ck_assert_int_eq(server_cnxn_factory_admit(cnxn_factory, &peer, &error), ZK_OK);
    ck_assert_int_eq(server_cnxn_factory_admit(cnxn_factory, &peer, &error), ZK_FULL);
    ck_assert_str_eq(error.text, "Too many connections from /10.0.0.1 - max is 1");
    server_cnxn_factory_dismiss(cnxn_factory, &peer);
    ck_assert_int_eq(server_cnxn_factory_admit(cnxn_factory, &peer, &error), ZK_OK);
    server_cnxn_factory_dismiss(cnxn_factory, &peer);
}
END_TEST

START_TEST(a_port_that_is_taken_is_named)
{
    struct server_cnxn_factory *other;
    struct server_stats stats;
    struct error error = {0};
    char text[ADDRESS_TEXT_SIZE];
    cnxn_start(0);
    struct address address = server_cnxn_factory_address(cnxn_factory);
    address_format(&address, text);
    server_stats_init(&stats);
    ck_assert_int_eq(server_cnxn_factory_new(&cnxn_options, &address, &recorder.sink, cnxn_metrics, &stats, &other,
                                             &error),
                     ZK_IO);
    ck_assert_msg(strstr(error.text, text) != NULL, "%s", error.text);
}
END_TEST

/* ---- sessions ---- */

static struct server_cnxn *cnxn_of(size_t packet)
{
    cnxn_wait_packets(packet + 1);
    return cnxn_packet(packet)->cnxn;
}

static void send_request(struct raw_client *client)
{
    struct buffer out = {0};
    cnxn_append_request(&out, 1, 8);
    ck_assert_int_eq(raw_client_send_bytes(client, out.bytes, out.size), ZK_OK);
    buffer_release(&out);
}

START_TEST(a_session_is_its_last_connections)
{
    cnxn_start(0);
    cnxn_join(&clients[0]);
    cnxn_join(&clients[1]);
    send_request(&clients[0]);
    struct server_cnxn *first = cnxn_of(0);
    send_request(&clients[1]);
    struct server_cnxn *second = cnxn_of(1);
    server_cnxn_set_session_id(first, 0x100);
    server_cnxn_set_session_id(second, 0x100);
    ck_assert(server_cnxn_factory_close_session(cnxn_factory, 0x100, DISCONNECT_CLIENT_RECONNECT));
    ck_assert(raw_client_sees_end(&clients[1]));
    ck_assert_msg(!server_cnxn_factory_close_session(cnxn_factory, 0x100, DISCONNECT_CLIENT_RECONNECT),
                  "it has none now");
    ck_assert(!server_cnxn_factory_close_session(cnxn_factory, 0x101, DISCONNECT_CLIENT_RECONNECT));
    send_request(&clients[0]);
    ck_assert_ptr_eq(cnxn_of(2), first);
}
END_TEST

START_TEST(all_connections_may_be_closed_at_once)
{
    cnxn_start(_i);
    for (size_t i = 0; i < ARRAY_SIZE(clients); i++)
        cnxn_join(&clients[i]);
    server_cnxn_factory_close_all(cnxn_factory, DISCONNECT_SERVER_SHUTDOWN);
    for (size_t i = 0; i < ARRAY_SIZE(clients); i++)
        ck_assert(raw_client_sees_end(&clients[i]));
    cnxn_wait_removed(ARRAY_SIZE(clients));
    ck_assert_uint_eq(server_cnxn_factory_connection_count(cnxn_factory), 0);
}
END_TEST

START_TEST(shutdown_writes_what_was_answered)
{
    cnxn_start(_i);
    cnxn_join(&clients[0]);
    send_request(&clients[0]);
    struct reply_header header = {1, 1, ZK_OK};
    server_cnxn_send_reply(cnxn_of(0), &header, NULL, 0);    /* not flushed */
    server_cnxn_factory_shutdown(cnxn_factory);
    ck_assert_int_eq(raw_client_receive(&clients[0], 1), ZK_OK);
    ck_assert_int_eq(raw_client_receive_frame(&clients[0]), ZK_EOF);
    header.xid = 2;
    server_cnxn_send_reply(cnxn_of(0), &header, NULL, 0);    /* closed long since */
}
END_TEST

static void shut_down(void *arg)
{
    (void)arg;
    server_cnxn_factory_shutdown(cnxn_factory);
}

START_TEST(shutdown_waits_for_workers_that_are_at_work)
{
    cnxn_start(2);
    for (size_t i = 0; i < ARRAY_SIZE(clients); i++)
        cnxn_join(&clients[i]);
    cnxn_hold(true);
    send_request(&clients[0]);
    cnxn_wait_packets(1);
    struct thread *thread = thread_start("stopper", shut_down, NULL);
    struct buffer out = {0};
    cnxn_append_request(&out, 1, 8);
    for (size_t i = 0; i < 50 * ARRAY_SIZE(clients); i++)    /* its selectors go on until they are told */
        raw_client_send_bytes(&clients[i % ARRAY_SIZE(clients)], out.bytes, out.size);
    cnxn_hold(false);
    thread_join(thread);
    for (size_t i = 0; i < ARRAY_SIZE(clients); i++)
        ck_assert(raw_client_sees_end(&clients[i]));
    ck_assert_uint_eq(cnxn_wait_removed(ARRAY_SIZE(clients)), ARRAY_SIZE(clients));
    buffer_release(&out);
}
END_TEST

START_TEST(once_it_stops_accepting_those_who_are_in_stay)
{
    cnxn_start(0);
    cnxn_join(&clients[0]);
    server_cnxn_factory_stop_accepting(cnxn_factory);
    int fd = -1;
    int64_t deadline_ms = clock_elapsed_ms() + 10000;
    struct address address = server_cnxn_factory_address(cnxn_factory);
    ck_assert_int_ne(socket_connect(&address, deadline_ms, &fd, NULL), ZK_OK);
    send_request(&clients[0]);
    cnxn_wait_packets(1);
    cnxn_answer(0, NULL);
    ck_assert_int_eq(raw_client_receive(&clients[0], 1), ZK_OK);
}
END_TEST

/* Of a port that nobody has, for a moment at least. */
static struct address free_address(void)
{
    struct address address;
    int fd;
    ck_assert(address_from_ip("127.0.0.1", 0, &address));
    ck_assert_int_eq(socket_listen(&address, 0, &fd, NULL), ZK_OK);
    socket_local_address(fd, &address);
    socket_close(fd);
    return address;
}

START_TEST(at_another_port_those_who_are_in_stay_and_new_ones_come)
{
    cnxn_start(0);
    cnxn_join(&clients[0]);
    struct address before = server_cnxn_factory_address(cnxn_factory), address = free_address();
    ck_assert_int_eq(server_cnxn_factory_rebind(cnxn_factory, &address, NULL), ZK_OK);
    ck_assert_int_eq(server_cnxn_factory_local_port(cnxn_factory), address_port(&address));
    int fd = -1;
    ck_assert_int_ne(socket_connect(&before, clock_elapsed_ms() + 10000, &fd, NULL), ZK_OK);
    send_request(&clients[0]);
    cnxn_wait_packets(1);
    cnxn_join(&clients[1]);
}
END_TEST

START_TEST(a_port_that_cannot_be_had_leaves_the_old_one)
{
    struct address taken, before;
    int fd;
    cnxn_start(0);
    before = server_cnxn_factory_address(cnxn_factory);
    ck_assert(address_from_ip("127.0.0.1", 0, &taken));
    ck_assert_int_eq(socket_listen(&taken, 0, &fd, NULL), ZK_OK);
    socket_local_address(fd, &taken);
    ck_assert_int_eq(server_cnxn_factory_rebind(cnxn_factory, &taken, NULL), ZK_IO);
    ck_assert_int_eq(server_cnxn_factory_local_port(cnxn_factory), address_port(&before));
    cnxn_join(&clients[0]);
    socket_close(fd);
}
END_TEST

/* ---- silence ---- */

START_TEST(who_never_makes_a_session_is_closed)
{
    clock_freeze(1000000, 1700000000000);
    cnxn_options.nio_sessionless_cnxn_timeout = 10000;
    cnxn_start(0);
    dial(&clients[0]);
    cnxn_join(&clients[1]);    /* 30 s from now on */
    cnxn_join(&clients[2]);
    clock_advance_ms(20000);
    ck_assert(raw_client_sees_end(&clients[0]));
    ck_assert_uint_eq(cnxn_wait_removed(1), 1);
    ck_assert_int_eq(server_metrics_value(cnxn_metrics, METRIC_SESSIONLESS_CONNECTIONS_EXPIRED), 1);
    send_request(&clients[2]);    /* not silent */
    cnxn_wait_packets(1);
    clock_advance_ms(20000);
    ck_assert(raw_client_sees_end(&clients[1]));
    ck_assert_uint_eq(cnxn_wait_removed(2), 2);
    cnxn_answer(0, NULL);
    ck_assert_int_eq(raw_client_receive(&clients[2], 1), ZK_OK);
}
END_TEST

static Suite *server_cnxn_factory_suite(void)
{
    Suite *suite = suite_create("server_cnxn_factory");
    TCase *tcase = tcase_create("server_cnxn_factory");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, an_address_may_have_so_many_connections);
    tcase_add_test(tcase, all_addresses_together_may_have_so_many);
    tcase_add_test(tcase, a_limit_names_the_address_and_itself);
    tcase_add_test(tcase, a_port_that_is_taken_is_named);
    tcase_add_test(tcase, a_session_is_its_last_connections);
    tcase_add_loop_test(tcase, all_connections_may_be_closed_at_once, 0, 3);    /* so many workers */
    tcase_add_loop_test(tcase, shutdown_writes_what_was_answered, 0, 3);
    tcase_add_test(tcase, shutdown_waits_for_workers_that_are_at_work);
    tcase_add_test(tcase, once_it_stops_accepting_those_who_are_in_stay);
    tcase_add_test(tcase, at_another_port_those_who_are_in_stay_and_new_ones_come);
    tcase_add_test(tcase, a_port_that_cannot_be_had_leaves_the_old_one);
    tcase_add_test(tcase, who_never_makes_a_session_is_closed);
    suite_add_tcase(suite, tcase);
    return suite;
}

CHECK_MAIN(server_cnxn_factory_suite)
