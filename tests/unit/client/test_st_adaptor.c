/*
 * test_st_adaptor.c - a handle without threads, driven by zookeeper_interest() and zookeeper_process() in the one
 * thread there is, which plays the server as well. Linked with the objects of libzookeeper_st.
 */
#include "client/public.h"

#include <check.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "client/flavour.h"
#include "common/base/clock.h"
#include "common/base/memory.h"
#include "common/base/strings.h"
#include "common/wire/jute.h"
#include "common/wire/op_code.h"
#include "tests/lib/check_main.h"
#include "tests/unit/client/fake_server.h"

#define TIMEOUT_MS 9000
#define TURNS 1000
#define SETTLE_MS 20000

static struct fake_server server;
static zhandle_t *zh;
static bool is_inside;    /* of a call that may call back */
static char main_watch[] = "main", node_watch[] = "watch";    /* contexts */

/* ---- what came back: lines, in their order ---- */

static struct buffer story;

static void tell(const char *format, ...) __attribute__((format(printf, 1, 2)));
static void tell(const char *format, ...)
{
    va_list args;
    ck_assert_msg(is_inside, "called back out of turn");
    va_start(args, format);
    buffer_vprintf(&story, format, args);
    va_end(args);
    buffer_append_string(&story, "\n");
}

/* That was told, and is forgotten now. */
static void expect_story(const char *expected)
{
    char *text = string_copy(buffer_string(&story));
    buffer_clear(&story);
    ck_assert_msg(strcmp(text, expected) == 0, "told: %s, expected: %s", text, expected);
    memory_free(text);
}

static void watcher(zhandle_t *handle, int type, int state, const char *path, void *context)
{
    (void)handle;
    tell("%s type %d state %d path '%s'", (const char *)context, type, state, path);
}

static void void_done(int rc, const void *data)
{
    tell("%s rc %d", (const char *)data, rc);
}

static void data_done(int rc, const char *value, int size, const struct Stat *stat, const void *data)
{
    (void)value, (void)stat;
    tell("%s rc %d size %d", (const char *)data, rc, size);
}

/* ---- the loop of the program ---- */

struct wish {
    int fd, interest, wait_ms;
};

static int interest(struct wish *wish)
{
    struct timeval tv = { 0 };
    is_inside = true;
    int rc = zookeeper_interest(zh, &wish->fd, &wish->interest, &tv);
    is_inside = false;
    wish->wait_ms = (int)(tv.tv_sec * 1000 + tv.tv_usec / 1000);
    return rc;
}

static int process(int events)
{
    is_inside = true;
    int rc = zookeeper_process(zh, events);
    is_inside = false;
    return rc;
}

/* What poll() finds of what is wished, within so many ms of real time. */
static int ready(const struct wish *wish, int within_ms)
{
    struct pollfd fd = { .fd = wish->fd, .events = (short)((wish->interest & ZOOKEEPER_READ ? POLLIN : 0) |
                                                           (wish->interest & ZOOKEEPER_WRITE ? POLLOUT : 0)) };
    if (poll(&fd, 1, within_ms) <= 0)
        return 0;
    return (fd.revents & (POLLIN | POLLHUP | POLLERR) ? ZOOKEEPER_READ : 0) |
           (fd.revents & POLLOUT ? ZOOKEEPER_WRITE : 0);
}

/* The loop asks, and so what was asked for goes out. */
static void go_out(void)
{
    struct wish wish;
    ck_assert_int_eq(interest(&wish), ZOK);
}

/* One turn that ends when something is ready; what process() returns. */
static int turn(void)
{
    struct wish wish;
    ck_assert_int_eq(interest(&wish), ZOK);
    ck_assert_int_ge(wish.fd, 0);
    int events = ready(&wish, SETTLE_MS);
    ck_assert_int_ne(events, 0);
    return process(events);
}

/* Turns until something is told; what the last one returned. A frame may come in two pieces. */
static int hear(void)
{
    int rc = ZOK;
    while (story.size == 0)
        rc = turn();
    return rc;
}

static void start(void)
{
    char hosts[64];
    snprintf(hosts, sizeof(hosts), "127.0.0.1:%d", server.port);
    zh = zookeeper_init(hosts, watcher, TIMEOUT_MS, NULL, main_watch, ZOO_NO_LOG_CLIENTENV);
    ck_assert_ptr_nonnull(zh);
}

/* Until the connect request is out. */
static void connect_client(void)
{
    for (int i = 0; i < TURNS && zoo_state(zh) != ZOO_ASSOCIATING_STATE; i++)
        turn();
    ck_assert_int_eq(zoo_state(zh), ZOO_ASSOCIATING_STATE);
    fake_server_accept(&server);
    fake_server_read_frame(&server);
}

static void start_session(void)
{
    start();
    connect_client();
    fake_server_answer_connect(&server, TIMEOUT_MS, FAKE_SESSION, false);
    ck_assert_int_eq(hear(), ZOK);
    expect_story("main type -1 state 3 path ''\n");
}

static void close_client(void)
{
    is_inside = true;
    ck_assert_int_eq(zookeeper_close(zh), ZOK);
    is_inside = false;
    zh = NULL;
}

/* Nobody waits for a server that hung up. */
static void close_alone(void)
{
    fake_server_hang_up(&server);
    close_client();
}

static void set_up(void)
{
    zoo_set_debug_level(0);
    story = (struct buffer){ 0 };
    fake_server_open(&server);
    clock_freeze(1000, 1000);
}

static void tear_down(void)
{
    clock_thaw();
    fake_server_close(&server);
    buffer_release(&story);
}

/* ---- facts ---- */

START_TEST(this_is_the_library_without_threads)
{
    ck_assert(!flavour_has_threads);
}
END_TEST

START_TEST(what_must_be_there_is_looked_for)
{
    int fd, wanted;
    struct timeval tv;
    start();
    ck_assert_int_eq(zookeeper_interest(NULL, &fd, &wanted, &tv), ZBADARGUMENTS);
    ck_assert_int_eq(zookeeper_interest(zh, NULL, &wanted, &tv), ZBADARGUMENTS);
    ck_assert_int_eq(zookeeper_interest(zh, &fd, NULL, &tv), ZBADARGUMENTS);
    ck_assert_int_eq(zookeeper_interest(zh, &fd, &wanted, NULL), ZBADARGUMENTS);
    ck_assert_int_eq(zookeeper_process(NULL, 0), ZBADARGUMENTS);
    ck_assert_int_eq(zookeeper_process(zh, ZOOKEEPER_READ), ZINVALIDSTATE);    /* there is no connection */
    close_client();
}
END_TEST

START_TEST(a_loop_is_told_what_to_wait_for)
{
    struct wish wish;
    start();
    ck_assert_int_eq(interest(&wish), ZOK);
    ck_assert_int_ge(wish.fd, 0);
    ck_assert_int_eq(wish.interest, ZOOKEEPER_WRITE);    /* the connection to come */
    ck_assert_int_eq(wish.wait_ms, TIMEOUT_MS * 2 / 3);
    connect_client();
    ck_assert_int_eq(interest(&wish), ZOK);
    ck_assert_int_eq(wish.interest, ZOOKEEPER_READ);     /* the answer to the connect request */
    fake_server_answer_connect(&server, TIMEOUT_MS, FAKE_SESSION, false);
    expect_story("");
    ck_assert_int_eq(hear(), ZOK);
    expect_story("main type -1 state 3 path ''\n");
    ck_assert_int_eq(interest(&wish), ZOK);
    ck_assert_int_eq(wish.interest, ZOOKEEPER_READ);
    ck_assert_int_eq(wish.wait_ms, TIMEOUT_MS / 3);      /* the next ping */
    clock_advance_ms(1000);
    ck_assert_int_eq(interest(&wish), ZOK);
    ck_assert_int_eq(wish.wait_ms, TIMEOUT_MS / 3 - 1000);
    ck_assert_int_eq(process(ZOOKEEPER_READ), ZNOTHING);
    ck_assert_int_eq(process(0), ZOK);
    close_alone();
}
END_TEST

START_TEST(completions_are_called_while_processing)
{
    start_session();
    ck_assert_int_eq(zoo_adelete(zh, "/a", -1, void_done, "first"), ZOK);
    ck_assert_int_eq(zoo_adelete(zh, "/b", -1, void_done, "second"), ZOK);
    go_out();
    fake_server_expect(&server, OP_DELETE);
    fake_server_answer(&server, 1, 0, NULL);
    fake_server_expect(&server, OP_DELETE);
    fake_server_answer(&server, 2, ZNONODE, NULL);
    expect_story("");
    while (story.size < strlen("first rc 0\nsecond rc -101\n"))
        ck_assert_int_eq(hear(), ZOK);
    expect_story("first rc 0\nsecond rc -101\n");
    close_alone();
}
END_TEST

START_TEST(an_idle_loop_pings)
{
    struct wish wish;
    start_session();
    clock_advance_ms(TIMEOUT_MS / 3);
    ck_assert_int_eq(interest(&wish), ZOK);
    fake_server_expect(&server, OP_PING);
    fake_server_send_reply(&server, -2, 0, 0, NULL);
    ck_assert_int_eq(turn(), ZOK);
    expect_story("");
    close_alone();
}
END_TEST

START_TEST(a_server_that_is_silent_is_left_for_another)
{
    struct wish wish;
    start_session();
    ck_assert_int_eq(zoo_adelete(zh, "/a", -1, void_done, "delete"), ZOK);
    clock_advance_ms(TIMEOUT_MS * 2 / 3);
    ck_assert_int_eq(interest(&wish), ZOPERATIONTIMEOUT);
    ck_assert_int_eq(wish.fd, -1);
    expect_story("main type -1 state 1 path ''\ndelete rc -7\n");
    clock_advance_ms(TIMEOUT_MS);    /* it waits a little before it asks the same one again */
    fake_server_hang_up(&server);
    for (int i = 0; i < TURNS && interest(&wish) == ZOK && wish.fd == -1; i++)
        clock_advance_ms(wish.wait_ms);
    connect_client();
    fake_server_answer_connect(&server, TIMEOUT_MS, FAKE_SESSION, false);
    ck_assert_int_eq(hear(), ZOK);
    expect_story("main type -1 state 3 path ''\n");
    close_alone();
}
END_TEST

START_TEST(a_lost_connection_is_told_while_processing)
{
    start_session();
    ck_assert_int_eq(zoo_awget(zh, "/a", watcher, node_watch, data_done, "get"), ZOK);
    ck_assert_int_eq(zoo_adelete(zh, "/a", -1, void_done, "delete"), ZOK);
    go_out();
    fake_server_expect(&server, OP_GET_DATA);
    fake_server_hang_up(&server);
    ck_assert_int_eq(hear(), ZCONNECTIONLOSS);
    expect_story("main type -1 state 1 path ''\nget rc -4 size 0\ndelete rc -4\n");
    ck_assert_int_eq(process(ZOOKEEPER_READ), ZINVALIDSTATE);
    close_client();
}
END_TEST

START_TEST(a_session_that_is_over_stays_over)
{
    struct wish wish;
    start_session();
    fake_server_hang_up(&server);
    ck_assert_int_eq(hear(), ZCONNECTIONLOSS);
    expect_story("main type -1 state 1 path ''\n");
    for (int i = 0; i < TURNS && interest(&wish) == ZOK && wish.fd == -1; i++)
        clock_advance_ms(wish.wait_ms);
    connect_client();
    fake_server_answer_connect(&server, 0, 0, false);
    ck_assert_int_eq(hear(), ZSESSIONEXPIRED);
    expect_story("main type -1 state -112 path ''\n");
    ck_assert_int_eq(interest(&wish), ZINVALIDSTATE);
    ck_assert_int_eq(process(0), ZINVALIDSTATE);
    close_client();
}
END_TEST

START_TEST(closing_waits_for_the_answers_that_are_on_their_way)
{
    start_session();
    ck_assert_int_eq(zoo_adelete(zh, "/a", -1, void_done, "delete"), ZOK);
    go_out();
    fake_server_expect(&server, OP_DELETE);
    fake_server_answer(&server, 1, 0, NULL);
    fake_server_send_reply(&server, server.xid + 1, 2, 0, NULL);    /* to the close request that comes */
    close_client();
    expect_story("delete rc 0\n");
    fake_server_expect(&server, OP_CLOSE_SESSION);
}
END_TEST

static void closing_done(int rc, const void *data)
{
    tell("%s rc %d", (const char *)data, rc);
    fake_server_expect(&server, OP_DELETE);
    fake_server_answer(&server, 2, 0, NULL);
    fake_server_send_reply(&server, server.xid + 1, 3, 0, NULL);    /* to the close request that comes */
    tell("closed %d", zookeeper_close(zh));
}

START_TEST(a_completion_may_close_the_handle)
{
    start_session();
    ck_assert_int_eq(zoo_adelete(zh, "/a", -1, closing_done, "delete"), ZOK);
    ck_assert_int_eq(zoo_adelete(zh, "/b", -1, void_done, "waits"), ZOK);
    go_out();
    fake_server_expect(&server, OP_DELETE);
    fake_server_answer(&server, 1, 0, NULL);
    hear();
    expect_story("delete rc 0\nclosed 0\nwaits rc 0\n");
}
END_TEST

static void turning_done(int rc, const void *data)
{
    int fd, wanted;
    struct timeval tv;
    tell("%s rc %d", (const char *)data, rc);
    tell("inner %d %d", zookeeper_interest(zh, &fd, &wanted, &tv), zookeeper_process(zh, ZOOKEEPER_READ));
    tell("asked %d", zoo_adelete(zh, "/c", -1, void_done, "third"));
}

START_TEST(a_completion_that_turns_the_loop_is_not_overtaken)
{
    start_session();
    ck_assert_int_eq(zoo_adelete(zh, "/a", -1, turning_done, "first"), ZOK);
    ck_assert_int_eq(zoo_adelete(zh, "/b", -1, void_done, "second"), ZOK);
    go_out();
    fake_server_expect(&server, OP_DELETE);
    int32_t first = server.xid;
    fake_server_expect(&server, OP_DELETE);
    struct buffer both = { 0 };
    for (int32_t xid = first; xid <= server.xid; xid++) {    /* in one piece */
        jute_write_int32(&both, 16);
        jute_write_int32(&both, xid);
        jute_write_int64(&both, xid);
        jute_write_int32(&both, 0);
    }
    fake_server_send_raw(&server, both.bytes, both.size);
    buffer_release(&both);
    ck_assert_int_eq(hear(), ZOK);
    expect_story("first rc 0\ninner 0 -117\nasked 0\nsecond rc 0\n");
    go_out();
    fake_server_expect(&server, OP_DELETE);
    fake_server_answer(&server, 3, 0, NULL);
    ck_assert_int_eq(hear(), ZOK);
    expect_story("third rc 0\n");
    close_alone();
}
END_TEST

static Suite *st_adaptor_suite(void)
{
    Suite *suite = suite_create("client/st_adaptor");
    TCase *tcase = tcase_create("loop");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, this_is_the_library_without_threads);
    tcase_add_test(tcase, what_must_be_there_is_looked_for);
    tcase_add_test(tcase, a_loop_is_told_what_to_wait_for);
    tcase_add_test(tcase, completions_are_called_while_processing);
    tcase_add_test(tcase, an_idle_loop_pings);
    tcase_add_test(tcase, a_server_that_is_silent_is_left_for_another);
    tcase_add_test(tcase, a_lost_connection_is_told_while_processing);
    tcase_add_test(tcase, a_session_that_is_over_stays_over);
    tcase_add_test(tcase, closing_waits_for_the_answers_that_are_on_their_way);
    tcase_add_test(tcase, a_completion_may_close_the_handle);
    tcase_add_test(tcase, a_completion_that_turns_the_loop_is_not_overtaken);
    suite_add_tcase(suite, tcase);
    return suite;
}

CHECK_MAIN(st_adaptor_suite)
