/* test_client_cnxn_watches.c - watches of a client: who is called, when they are set again, and when they go. */
#include "tests/unit/client/client_story.h"

#include "common/wire/op_code.h"
#include "tests/lib/check_main.h"

static void answer_stat(int32_t err)
{
    struct buffer body = { 0 };
    fake_server_write_stat(&body, 1);
    fake_server_answer(&server, 1, err, err == 0 ? &body : NULL);
    buffer_release(&body);
}

START_TEST(a_watcher_is_called_once_and_behind_its_completion)
{
    start_session();
    ck_assert_int_eq(zoo_awexists(zh, "/a", watcher, one, stat_done, "exists"), ZOK);
    fake_server_expect(&server, OP_EXISTS);
    answer_stat(0);
    fake_server_send_event(&server, ZOO_CHANGED_EVENT, ZOO_CONNECTED_STATE, "/a");
    fake_server_send_event(&server, ZOO_CHANGED_EVENT, ZOO_CONNECTED_STATE, "/a");
    ck_assert_int_eq(zoo_awexists(zh, "/b", watcher, two, stat_done, "exists"), ZOK);
    fake_server_expect(&server, OP_EXISTS);
    answer_stat(ZNONODE);
    fake_server_send_event(&server, ZOO_CREATED_EVENT, ZOO_CONNECTED_STATE, "/b");
    expect_story("exists rc 0 version 1\none type 3 state 3 path '/a'\n"
                 "exists rc -101 version -1\ntwo type 1 state 3 path '/b'\n");
    close_session();
}
END_TEST

START_TEST(watches_are_set_again_with_each_connection_credentials_first)
{
    start_session();
    ck_assert_int_eq(zoo_add_auth(zh, "digest", "a:b", 3, void_done, "auth"), ZOK);
    fake_server_expect(&server, OP_AUTH);
    ck_assert_int_eq(server.xid, -4);
    fake_server_answer(&server, 0, 0, NULL);
    ck_assert_int_eq(zoo_awexists(zh, "/a", watcher, one, stat_done, "exists"), ZOK);
    fake_server_expect(&server, OP_EXISTS);
    answer_stat(0);
    expect_story("auth rc 0\nexists rc 0 version 1\n");
    fake_server_hang_up(&server);
    expect_story("main type -1 state 1 path ''\none type -1 state 1 path ''\n");
    fake_server_begin_session(&server, TIMEOUT_MS);
    fake_server_expect(&server, OP_AUTH);
    fake_server_answer(&server, 0, 0, NULL);
    fake_server_expect(&server, OP_SET_WATCHES);
    ck_assert_int_eq(server.xid, -8);
    static const uint8_t expected[] = { 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1, 0,
                                        0, 0, 2, '/', 'a', 0, 0, 0, 0, 0, 0, 0, 0 };
    ck_assert_uint_eq(server.body_size, sizeof(expected));
    ck_assert_mem_eq(server.body, expected, sizeof(expected));
    fake_server_answer(&server, 0, 0, NULL);
    expect_story("main type -1 state 3 path ''\none type -1 state 3 path ''\n");
    close_session();
}
END_TEST

START_TEST(a_recursive_watch_stays_and_hears_of_nodes_below)
{
    start_session();
    ck_assert_int_eq(zoo_aadd_watch(zh, "/a", ZOO_WATCH_PERSISTENT_RECURSIVE, watcher, all, void_done, "add"), ZOK);
    fake_server_expect(&server, OP_ADD_WATCH);
    ck_assert_mem_eq(server.body, "\0\0\0\2/a\0\0\0\1", 10);
    fake_server_answer(&server, 1, 0, NULL);
    fake_server_send_event(&server, ZOO_CREATED_EVENT, ZOO_CONNECTED_STATE, "/a/b/c");
    fake_server_send_event(&server, ZOO_CHANGED_EVENT, ZOO_CONNECTED_STATE, "/a/b/c");
    fake_server_send_event(&server, ZOO_CHANGED_EVENT, ZOO_CONNECTED_STATE, "/ab");
    fake_server_send_event(&server, ZOO_DELETED_EVENT, ZOO_CONNECTED_STATE, "/a");
    expect_story("add rc 0\nall type 1 state 3 path '/a/b/c'\nall type 3 state 3 path '/a/b/c'\n"
                 "all type 2 state 3 path '/a'\n");
    fake_server_hang_up(&server);
    expect_story("main type -1 state 1 path ''\nall type -1 state 1 path ''\n");
    fake_server_begin_session(&server, TIMEOUT_MS);
    fake_server_expect(&server, OP_SET_WATCHES2);
    expect_story("main type -1 state 3 path ''\nall type -1 state 3 path ''\n");
    close_session();
}
END_TEST

START_TEST(only_the_last_watcher_takes_the_servers_watch_with_it)
{
    start_session();
    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(zoo_awexists(zh, "/a", watcher, i == 0 ? one : two, stat_done, "exists"), ZOK);
        fake_server_expect(&server, OP_EXISTS);
        answer_stat(0);
    }
    expect_story("exists rc 0 version 1\nexists rc 0 version 1\n");
    ck_assert_int_eq(zoo_aremove_watches(zh, "/b", ZWATCHTYPE_DATA, watcher, one, 0,
                                         (void_completion_t *)(uintptr_t)void_done, "remove"), ZNOWATCHER);
    ck_assert_int_eq(zoo_aremove_watches(zh, "/a", ZWATCHTYPE_DATA, watcher, one, 0,
                                         (void_completion_t *)(uintptr_t)void_done, "remove"), ZOK);
    fake_server_expect(&server, OP_CHECK_WATCHES);
    ck_assert_mem_eq(server.body, "\0\0\0\2/a\0\0\0\2", 10);
    fake_server_answer(&server, 1, 0, NULL);
    expect_story("remove rc 0\n");
    ck_assert_int_eq(zoo_aremove_watches(zh, "/a", ZWATCHTYPE_DATA, watcher, two, 0,
                                         (void_completion_t *)(uintptr_t)void_done, "remove"), ZOK);
    fake_server_expect(&server, OP_REMOVE_WATCHES);
    fake_server_answer(&server, 1, 0, NULL);
    fake_server_send_event(&server, ZOO_CHANGED_EVENT, ZOO_CONNECTED_STATE, "/a");
    ck_assert_int_eq(zoo_adelete(zh, "/a", -1, void_done, "delete"), ZOK);
    fake_server_expect(&server, OP_DELETE);
    fake_server_answer(&server, 1, 0, NULL);
    expect_story("remove rc 0\ndelete rc 0\n");
    close_session();
}
END_TEST

static Suite *client_cnxn_watches_suite(void)
{
    Suite *suite = suite_create("client_cnxn_watches");
    TCase *tcase = tcase_create("client_cnxn_watches");
    tcase_add_checked_fixture(tcase, story_set_up, story_tear_down);
    tcase_set_timeout(tcase, 120);
    tcase_add_test(tcase, a_watcher_is_called_once_and_behind_its_completion);
    tcase_add_test(tcase, watches_are_set_again_with_each_connection_credentials_first);
    tcase_add_test(tcase, a_recursive_watch_stays_and_hears_of_nodes_below);
    tcase_add_test(tcase, only_the_last_watcher_takes_the_servers_watch_with_it);
    suite_add_tcase(suite, tcase);
    return suite;
}

CHECK_MAIN(client_cnxn_watches_suite)
