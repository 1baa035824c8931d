/* test_client_cnxn_lies.c - what comes of a server that lies, refuses, or says what means nothing. */
#include "tests/unit/client/client_story.h"

#include <stdio.h>

#include "common/base/memory.h"
#include "common/wire/jute.h"
#include "common/wire/op_code.h"
#include "tests/lib/check_main.h"

static void lie_unknown_xid(void)
{
    fake_server_send_reply(&server, server.xid + 1, 1, 0, NULL);
}

static void lie_swapped(void)
{
    int32_t first = server.xid;
    fake_server_expect(&server, OP_DELETE);
    fake_server_answer(&server, 1, 0, NULL);
    (void)first;
}

static void lie_negative_length(void)
{
    fake_server_send_raw(&server, "\377\377\377\377", 4);
}

static void lie_huge_length(void)
{
    fake_server_send_raw(&server, "\177\377\377\377", 4);
}

static void lie_short_header(void)
{
    fake_server_send_raw(&server, "\0\0\0\5abcde", 9);
}

static void lie_cut(void)
{
    fake_server_send_raw(&server, "\0\0\1\0abcde", 9);
    fake_server_hang_up(&server);
}

static void lie_event_cut(void)
{
    struct buffer body = { 0 };
    jute_write_int32(&body, 1);
    fake_server_send_reply(&server, -1, -1, 0, &body);
    buffer_release(&body);
}

static void lie_event_without_path(void)
{
    fake_server_send_event(&server, 1, 3, NULL);
}

static const struct { const char *what; void (*lie)(void); int rc; } lies[] = {
    { "an xid nobody used", lie_unknown_xid, ZRUNTIMEINCONSISTENCY },
    { "the second answer first", lie_swapped, ZRUNTIMEINCONSISTENCY },
    { "a negative length", lie_negative_length, ZCONNECTIONLOSS },
    { "a length of 2 GiB", lie_huge_length, ZCONNECTIONLOSS },
    { "less than a header", lie_short_header, ZMARSHALLINGERROR },
    { "the end amid a frame", lie_cut, ZCONNECTIONLOSS },
    { "an event that is cut", lie_event_cut, ZMARSHALLINGERROR },
    { "an event without path", lie_event_without_path, ZMARSHALLINGERROR },
};

START_TEST(a_lie_ends_the_connection_and_not_the_session)
{
    char expected[128];
    start_session();
    ck_assert_int_eq(zoo_adelete(zh, "/a", -1, void_done, "a"), ZOK);
    ck_assert_int_eq(zoo_adelete(zh, "/b", -1, void_done, "b"), ZOK);
    fake_server_expect(&server, OP_DELETE);
    lies[_i].lie();
    snprintf(expected, sizeof(expected), "main type -1 state 1 path ''\na rc %d\nb rc %d\n", lies[_i].rc, lies[_i].rc);
    expect_story(expected);
    fake_server_begin_session(&server, TIMEOUT_MS);
    expect_story("main type -1 state 3 path ''\n");
    close_session();
}
END_TEST

START_TEST(an_answer_with_a_lie_in_it_is_an_error_of_its_request)
{
    struct buffer body = { 0 };
    start_session();
    ck_assert_int_eq(zoo_aget_children(zh, "/", 0, strings_done, "children"), ZOK);
    fake_server_expect(&server, OP_GET_CHILDREN);
    jute_write_int32(&body, INT32_MAX);
    fake_server_answer(&server, 1, 0, &body);
    ck_assert_int_eq(zoo_aget(zh, "/", 0, data_done, "get"), ZOK);
    fake_server_expect(&server, OP_GET_DATA);
    buffer_clear(&body);
    jute_write_int32(&body, 1000);
    fake_server_answer(&server, 1, 0, &body);
    ck_assert_int_eq(zoo_aexists(zh, "/", 0, stat_done, "exists"), ZOK);
    fake_server_expect(&server, OP_EXISTS);
    fake_server_answer(&server, 1, 0, NULL);
    ck_assert_int_eq(zoo_aget_children(zh, "/", 0, strings_done, "negative"), ZOK);
    fake_server_expect(&server, OP_GET_CHILDREN);
    buffer_clear(&body);
    jute_write_int32(&body, -7);
    fake_server_answer(&server, 1, 0, &body);
    expect_story("children rc -5 count -1\nget rc -5 '' version -1\nexists rc -5 version -1\nnegative rc 0 count 0\n");
    buffer_release(&body);
    close_session();
}
END_TEST

START_TEST(what_means_nothing_is_passed_over)
{
    start_session();
    fake_server_send_reply(&server, -4, 0, 0, NULL);    /* nobody gave credentials */
    fake_server_send_reply(&server, -4, 0, ZAUTHFAILED, NULL);
    fake_server_send_reply(&server, -8, 0, 0, NULL);
    fake_server_send_reply(&server, -2, 0, 0, NULL);
    fake_server_send_event(&server, 99, 3, "/a");
    fake_server_send_event(&server, -1, 77, "/a");
    fake_server_send_event(&server, ZOO_CHANGED_EVENT, 3, "no path at all");
    ck_assert_int_eq(zoo_adelete(zh, "/a", -1, void_done, "delete"), ZOK);
    fake_server_expect(&server, OP_DELETE);
    fake_server_answer(&server, 1, 0, NULL);
    expect_story("delete rc 0\n");
    close_session();
}
END_TEST

START_TEST(credentials_that_are_refused_end_the_session)
{
    start_session();
    ck_assert_int_eq(zoo_add_auth(zh, "bad", "x", 1, void_done, "auth"), ZOK);
    ck_assert_int_eq(zoo_adelete(zh, "/a", -1, void_done, "delete"), ZOK);
    fake_server_expect(&server, OP_AUTH);
    fake_server_answer(&server, 0, ZAUTHFAILED, NULL);
    expect_story("auth rc -115\nmain type -1 state -113 path ''\ndelete rc -115\n");
    ck_assert_int_eq(zoo_adelete(zh, "/a", -1, void_done, "delete"), ZINVALIDSTATE);
    close_alone();
}
END_TEST

#define ENDLESS ((size_t)300 << 20)

START_TEST(an_answer_without_end_takes_no_memory_without_end)
{
    static uint8_t bytes[1 << 20];
    start_session();
    fake_server_send_raw(&server, "\020\0\0\0", 4);    /* 256 MiB, the most that is believed */
    size_t sent = 0;
    while (sent < ENDLESS && fake_server_try_send(&server, bytes, sizeof(bytes)))
        sent += sizeof(bytes);
    ck_assert_uint_lt(sent, ENDLESS);
    fake_server_begin_session(&server, TIMEOUT_MS);
    expect_story("main type -1 state 1 path ''\nmain type -1 state 3 path ''\n");
    close_session();
}
END_TEST

static Suite *client_cnxn_lies_suite(void)
{
    Suite *suite = suite_create("client_cnxn_lies");
    TCase *tcase = tcase_create("client_cnxn_lies");
    tcase_add_checked_fixture(tcase, story_set_up, story_tear_down);
    tcase_set_timeout(tcase, 120);
    tcase_add_loop_test(tcase, a_lie_ends_the_connection_and_not_the_session, 0, ARRAY_SIZE(lies));
    tcase_add_test(tcase, an_answer_with_a_lie_in_it_is_an_error_of_its_request);
    tcase_add_test(tcase, what_means_nothing_is_passed_over);
    tcase_add_test(tcase, credentials_that_are_refused_end_the_session);
    tcase_add_test(tcase, an_answer_without_end_takes_no_memory_without_end);
    suite_add_tcase(suite, tcase);
    return suite;
}

CHECK_MAIN(client_cnxn_lies_suite)
