/*
 * test_client_cnxn.c - a client and its connection, with a server that does as the test says: the handshake, what time
 * does to both, and other servers.
 */
#include "tests/unit/client/client_story.h"

#include <stdio.h>

#include "common/base/memory.h"
#include "common/wire/jute.h"
#include "common/wire/op_code.h"
#include "tests/lib/check_main.h"

/* ---- the handshake ---- */

START_TEST(a_session_is_asked_for)
{
    static const uint8_t expected[45] = { [14] = TIMEOUT_MS >> 8, [15] = TIMEOUT_MS & 0xff, [27] = 16 };
    start_client("");
    ck_assert_int_eq(zoo_state(zh) == ZOO_NOTCONNECTED_STATE || zoo_state(zh) == ZOO_CONNECTING_STATE
                     || zoo_state(zh) == ZOO_ASSOCIATING_STATE, true);
    fake_server_accept(&server);
    fake_server_read_frame(&server);
    ck_assert_uint_eq(server.size, sizeof(expected));
    ck_assert_mem_eq(server.frame, expected, sizeof(expected));
    fake_server_answer_connect(&server, 4000, FAKE_SESSION, false);
    expect_story("main type -1 state 3 path ''\n");
    ck_assert_int_eq(zoo_state(zh), ZOO_CONNECTED_STATE);
    ck_assert_int_eq(zoo_client_id(zh)->client_id, FAKE_SESSION);
    ck_assert_mem_eq(zoo_client_id(zh)->passwd, "0123456789abcde", 16);
    ck_assert_int_eq(zoo_recv_timeout(zh), 4000);
    char endpoint[32];
    snprintf(endpoint, sizeof(endpoint), "127.0.0.1:%d", server.port);
    ck_assert_str_eq(zoo_get_current_server(zh), endpoint);
    close_session();
}
END_TEST

START_TEST(a_lost_session_is_asked_for_again_with_its_id_and_zxid)
{
    start_session();
    ck_assert_int_eq(zoo_aset(zh, "/a", "x", 1, -1, stat_done, "set"), ZOK);
    fake_server_expect(&server, OP_SET_DATA);
    struct buffer stat = { 0 };
    fake_server_write_stat(&stat, 7);
    fake_server_answer(&server, 0x77, 0, &stat);
    buffer_release(&stat);
    expect_story("set rc 0 version 7\n");
    fake_server_hang_up(&server);
    expect_story("main type -1 state 1 path ''\n");
    fake_server_accept(&server);
    fake_server_read_frame(&server);
    ck_assert_int_eq((int64_t)load_be64(server.frame + 4), 0x77);
    ck_assert_int_eq((int64_t)load_be64(server.frame + 16), FAKE_SESSION);
    ck_assert_mem_eq(server.frame + 28, "0123456789abcde", 16);
    fake_server_answer_connect(&server, TIMEOUT_MS, FAKE_SESSION, false);
    expect_story("main type -1 state 3 path ''\n");
    close_session();
}
END_TEST

START_TEST(a_session_that_is_over_stays_over)
{
    start_session();
    fake_server_hang_up(&server);
    expect_story("main type -1 state 1 path ''\n");
    ck_assert_int_eq(zoo_adelete(zh, "/a", -1, void_done, "delete"), ZOK);
    fake_server_accept(&server);
    fake_server_read_frame(&server);
    fake_server_answer_connect(&server, 0, 0, false);
    expect_story("main type -1 state -112 path ''\ndelete rc -112\n");
    ck_assert_int_eq(is_unrecoverable(zh), ZINVALIDSTATE);
    ck_assert_int_eq(zoo_adelete(zh, "/a", -1, void_done, "delete"), ZINVALIDSTATE);
    ck_assert_int_eq(zoo_delete(zh, "/a", -1), ZINVALIDSTATE);
    close_alone();
}
END_TEST

static const struct { int32_t timeout_ms; int64_t session_id; } nonsense[] = {
    { 0, FAKE_SESSION }, { -5, FAKE_SESSION }, { TIMEOUT_MS, 0 },
};

START_TEST(an_answer_to_the_connect_request_that_makes_no_sense_is_none)
{
    start_client("");
    fake_server_accept(&server);
    fake_server_read_frame(&server);
    fake_server_answer_connect(&server, nonsense[_i].timeout_ms, nonsense[_i].session_id, false);
    fake_server_wait_hang_up(&server);
    fake_server_begin_session(&server, TIMEOUT_MS);
    expect_story("main type -1 state 3 path ''\n");
    close_session();
}
END_TEST

START_TEST(a_short_answer_to_the_connect_request_is_none)
{
    start_client("");
    fake_server_accept(&server);
    fake_server_read_frame(&server);
    fake_server_send_raw(&server, "\0\0\0\4abcd", 8);
    fake_server_wait_hang_up(&server);
    fake_server_begin_session(&server, TIMEOUT_MS);
    expect_story("main type -1 state 3 path ''\n");
    close_session();
}
END_TEST

/* ---- time ---- */

START_TEST(an_idle_client_pings)
{
    start_client("");
    fake_server_begin_session(&server, 1500);    /* so that a busy machine answers in time */
    expect_story("main type -1 state 3 path ''\n");
    for (int i = 0; i < 2; i++) {
        fake_server_read_frame(&server);
        ck_assert_int_eq(server.xid, -2);
        ck_assert_int_eq(server.type, OP_PING);
        ck_assert_uint_eq(server.size, 8);
        fake_server_answer(&server, 0, 0, NULL);
    }
    close_session();
}
END_TEST

START_TEST(a_server_that_is_silent_is_left)
{
    start_client("");
    fake_server_begin_session(&server, 300);
    ck_assert_int_eq(zoo_adelete(zh, "/a", -1, void_done, "delete"), ZOK);
    expect_story("main type -1 state 3 path ''\nmain type -1 state 1 path ''\ndelete rc -7\n");
    fake_server_begin_session(&server, TIMEOUT_MS);
    expect_story("main type -1 state 3 path ''\n");
    close_session();
}
END_TEST

START_TEST(a_request_may_time_out_alone)
{
    start_session();
    ck_assert_int_eq(zoo_set_request_timeout(zh, 30), ZOK);
    ck_assert_int_eq(zoo_adelete(zh, "/late", -1, void_done, "late"), ZOK);
    fake_server_expect(&server, OP_DELETE);
    int32_t late = server.xid;
    expect_story("late rc -7\n");
    ck_assert_int_eq(zoo_set_request_timeout(zh, 0), ZOK);
    ck_assert_int_eq(zoo_adelete(zh, "/next", -1, void_done, "next"), ZOK);
    fake_server_expect(&server, OP_DELETE);
    fake_server_send_reply(&server, late, 1, 0, NULL);
    fake_server_answer(&server, 2, 0, NULL);
    expect_story("next rc 0\n");
    close_session();
}
END_TEST

/* ---- servers ---- */

START_TEST(the_session_goes_on_with_a_server_of_the_new_list)
{
    char hosts[64];
    start_session();
    snprintf(hosts, sizeof(hosts), "127.0.0.1:%d", other.port);
    ck_assert_int_eq(zoo_set_servers(zh, hosts), ZOK);
    fake_server_wait_hang_up(&server);
    fake_server_accept(&other);
    fake_server_read_frame(&other);
    ck_assert_int_eq((int64_t)load_be64(other.frame + 16), FAKE_SESSION);
    fake_server_answer_connect(&other, TIMEOUT_MS, FAKE_SESSION, false);
    expect_story("main type -1 state 1 path ''\nmain type -1 state 3 path ''\n");
    fake_server_close(&server);
    server = other;
    fake_server_open(&other);
    close_session();
}
END_TEST

START_TEST(a_read_only_client_looks_for_a_read_write_server)
{
    char hosts[64];
    zoo_deterministic_conn_order(1);
    snprintf(hosts, sizeof(hosts), "127.0.0.1:%d,127.0.0.1:%d", server.port, other.port);
    start_client_at(hosts, ZOO_READONLY);
    zoo_deterministic_conn_order(0);
    fake_server_accept(&server);
    fake_server_read_frame(&server);
    ck_assert_int_eq(server.frame[server.size - 1], 1);
    fake_server_answer_connect(&server, TIMEOUT_MS, FAKE_SESSION, true);
    expect_story("main type -1 state 5 path ''\n");
    ck_assert_int_eq(zoo_state(zh), ZOO_READONLY_STATE);
    for (;;) {    /* whoever is asked first: this one says no */
        if (fake_server_is_asked(&other, 20))
            break;
        if (!fake_server_is_asked(&server, 20))
            continue;
        struct fake_server asked = { .listener = server.listener, .fd = -1 };
        fake_server_accept(&asked);
        fake_server_send_raw(&asked, "ro", 2);
        fake_server_hang_up(&asked);
    }
    fake_server_accept(&other);
    fake_server_send_raw(&other, "rw", 2);
    fake_server_wait_hang_up(&server);
    fake_server_accept(&other);
    fake_server_read_frame(&other);
    ck_assert_int_eq((int64_t)load_be64(other.frame + 16), 0);    /* no quorum knows the session of before */
    fake_server_answer_connect(&other, TIMEOUT_MS, FAKE_SESSION + 1, false);
    expect_story("main type -1 state 1 path ''\nmain type -1 state 3 path ''\n");
    struct fake_server first = server;
    server = other;
    other = first;
    close_session();
}
END_TEST

static Suite *client_cnxn_suite(void)
{
    Suite *suite = suite_create("client_cnxn");
    TCase *tcase = tcase_create("client_cnxn");
    tcase_add_checked_fixture(tcase, story_set_up, story_tear_down);
    tcase_set_timeout(tcase, 120);
    tcase_add_test(tcase, a_session_is_asked_for);
    tcase_add_test(tcase, a_lost_session_is_asked_for_again_with_its_id_and_zxid);
    tcase_add_test(tcase, a_session_that_is_over_stays_over);
    tcase_add_loop_test(tcase, an_answer_to_the_connect_request_that_makes_no_sense_is_none, 0, ARRAY_SIZE(nonsense));
    tcase_add_test(tcase, a_short_answer_to_the_connect_request_is_none);
    tcase_add_test(tcase, an_idle_client_pings);
    tcase_add_test(tcase, a_server_that_is_silent_is_left);
    tcase_add_test(tcase, a_request_may_time_out_alone);
    tcase_add_test(tcase, the_session_goes_on_with_a_server_of_the_new_list);
    tcase_add_test(tcase, a_read_only_client_looks_for_a_read_write_server);
    suite_add_tcase(suite, tcase);
    return suite;
}

CHECK_MAIN(client_cnxn_suite)
