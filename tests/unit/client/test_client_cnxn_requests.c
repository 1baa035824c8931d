/* test_client_cnxn_requests.c - what a client sends for each request, and what comes of the answers. */
#include "tests/unit/client/client_story.h"

#include <string.h>

#include "client/zhandle.h"
#include "common/base/memory.h"
#include "common/thread/thread.h"
#include "common/wire/jute.h"
#include "common/wire/op_code.h"
#include "tests/lib/check_main.h"

START_TEST(completions_are_called_in_the_order_of_requests)
{
    struct buffer body = { 0 };
    start_session();
    ck_assert_int_eq(zoo_acreate(zh, "/a", "v", 1, &ZOO_OPEN_ACL_UNSAFE, 0, string_done, "create"), ZOK);
    ck_assert_int_eq(zoo_aget(zh, "/a", 0, data_done, "get"), ZOK);
    ck_assert_int_eq(zoo_aget_children(zh, "/", 0, strings_done, "children"), ZOK);
    ck_assert_int_eq(zoo_adelete(zh, "/none", 3, void_done, "delete"), ZOK);
    fake_server_expect(&server, OP_CREATE);
    static const uint8_t create[] = { 0, 0, 0, 2, '/', 'a', 0, 0, 0, 1, 'v', 0, 0, 0, 1, 0, 0, 0, 31, 0, 0, 0, 5, 'w',
                                      'o', 'r', 'l', 'd', 0, 0, 0, 6, 'a', 'n', 'y', 'o', 'n', 'e', 0, 0, 0, 0 };
    ck_assert_uint_eq(server.body_size, sizeof(create));
    ck_assert_mem_eq(server.body, create, sizeof(create));
    int32_t first = server.xid;
    jute_write_string(&body, "/a");
    fake_server_answer(&server, 1, 0, &body);
    fake_server_expect(&server, OP_GET_DATA);
    ck_assert_int_eq(server.xid, first + 1);
    buffer_clear(&body);
    jute_write_string(&body, "value");
    fake_server_write_stat(&body, 3);
    fake_server_answer(&server, 1, 0, &body);
    fake_server_expect(&server, OP_GET_CHILDREN);
    buffer_clear(&body);
    jute_write_int32(&body, 2);
    jute_write_string(&body, "a");
    jute_write_string(&body, "zookeeper");
    fake_server_answer(&server, 1, 0, &body);
    fake_server_expect(&server, OP_DELETE);
    fake_server_answer(&server, 2, ZNONODE, NULL);
    expect_story("create rc 0 '/a'\nget rc 0 'value' version 3\nchildren rc 0 count 2\ndelete rc -101\n");
    buffer_release(&body);
    close_session();
}
END_TEST

START_TEST(behind_the_largest_xid_they_begin_again)
{
    start_session();
    mutex_lock(&zh->lock);
    zh->next_xid = INT32_MAX;
    mutex_unlock(&zh->lock);
    ck_assert_int_eq(zoo_adelete(zh, "/a", -1, void_done, "largest"), ZOK);
    ck_assert_int_eq(zoo_adelete(zh, "/b", -1, void_done, "next"), ZOK);
    fake_server_expect(&server, OP_DELETE);
    ck_assert_int_eq(server.xid, INT32_MAX);
    fake_server_answer(&server, 1, 0, NULL);
    fake_server_expect(&server, OP_DELETE);
    ck_assert_int_eq(server.xid, 1);
    fake_server_answer(&server, 2, 0, NULL);
    expect_story("largest rc 0\nnext rc 0\n");
    close_session();
}
END_TEST

START_TEST(answers_may_come_byte_by_byte)
{
    uint8_t bytes[4 + 16 + 68];
    struct buffer stat = { 0 };
    start_session();
    ck_assert_int_eq(zoo_aexists(zh, "/a", 0, stat_done, "exists"), ZOK);
    fake_server_expect(&server, OP_EXISTS);
    fake_server_write_stat(&stat, 4);
    store_be32(bytes, sizeof(bytes) - 4);
    store_be32(bytes + 4, (uint32_t)server.xid);
    store_be64(bytes + 8, 5);
    store_be32(bytes + 16, 0);
    memcpy(bytes + 20, stat.bytes, stat.size);
    for (size_t i = 0; i < sizeof(bytes); i++)
        fake_server_send_raw(&server, bytes + i, 1);
    expect_story("exists rc 0 version 4\n");
    buffer_release(&stat);
    close_session();
}
END_TEST

#define LARGE ((size_t)5 << 20)

START_TEST(an_answer_may_be_large)
{
    struct buffer body = { 0 };
    char *value = memory_alloc(LARGE);
    start_session();
    for (int i = 0; i < 3; i++) {
        memset(value, 'a' + i, LARGE);
        buffer_clear(&body);
        jute_write_buffer(&body, (struct jute_buffer){ (uint8_t *)value, (int32_t)LARGE });
        fake_server_write_stat(&body, i);
        ck_assert_int_eq(zoo_aget_children(zh, "/", 0, strings_done, "children"), ZOK);
        ck_assert_int_eq(zoo_aget(zh, "/a", 0, data_done, ""), ZOK);
        ck_assert_int_eq(zoo_adelete(zh, "/a", -1, void_done, "delete"), ZOK);
        fake_server_expect(&server, OP_GET_CHILDREN);
        fake_server_answer(&server, 1, ZNONODE, NULL);
        fake_server_expect(&server, OP_GET_DATA);
        fake_server_answer(&server, 1, 0, &body);
        fake_server_expect(&server, OP_DELETE);
        fake_server_answer(&server, 1, 0, NULL);
        struct buffer expected = { 0 };
        buffer_printf(&expected, "children rc -101 count -1\n rc 0 '%.*s' version %d\ndelete rc 0\n", (int)LARGE, value,
                      i);
        expect_story(buffer_string(&expected));
        buffer_release(&expected);
    }
    memory_free(value);
    buffer_release(&body);
    close_session();
}
END_TEST

START_TEST(a_synchronous_call_waits_for_its_answer)
{
    struct buffer body = { 0 };
    start_session();
    struct thread *caller = thread_start("caller", sync_run, zh);
    fake_server_expect(&server, OP_GET_DATA);
    jute_write_string(&body, "longer than there is room for");
    fake_server_write_stat(&body, 8);
    fake_server_answer(&server, 1, 0, &body);
    thread_join(caller);
    expect_story("sync rc 0 'longer t' version 8\n");
    caller = thread_start("caller", sync_run, zh);
    fake_server_expect(&server, OP_GET_DATA);
    fake_server_answer(&server, 1, ZNOAUTH, NULL);
    thread_join(caller);
    expect_story("sync rc -102 size 8\n");
    buffer_release(&body);
    close_session();
}
END_TEST

START_TEST(a_lost_connection_is_told_to_all_who_wait_and_to_watchers_first)
{
    start_session();
    ck_assert_int_eq(zoo_aget(zh, "/a", 0, data_done, "get"), ZOK);
    ck_assert_int_eq(zoo_adelete(zh, "/a", -1, void_done, "delete"), ZOK);
    fake_server_expect(&server, OP_GET_DATA);
    fake_server_hang_up(&server);
    expect_story("main type -1 state 1 path ''\nget rc -4 '' version -1\ndelete rc -4\n");
    fake_server_begin_session(&server, TIMEOUT_MS);
    expect_story("main type -1 state 3 path ''\n");
    close_session();
}
END_TEST

START_TEST(what_is_asked_before_there_is_a_connection_goes_out_with_it)
{
    start_client("");
    ck_assert_int_eq(zoo_adelete(zh, "/a", -1, void_done, "delete"), ZOK);
    fake_server_begin_session(&server, TIMEOUT_MS);
    fake_server_expect(&server, OP_DELETE);
    fake_server_answer(&server, 1, 0, NULL);
    expect_story("main type -1 state 3 path ''\ndelete rc 0\n");
    close_session();
}
END_TEST

START_TEST(paths_have_the_chroot_in_front_and_lose_it_again)
{
    struct buffer body = { 0 };
    start_client("/app");
    fake_server_begin_session(&server, TIMEOUT_MS);
    expect_story("main type -1 state 3 path ''\n");
    ck_assert_int_eq(zoo_acreate(zh, "/a", NULL, -1, &ZOO_OPEN_ACL_UNSAFE, 0, string_done, "create"), ZOK);
    fake_server_expect(&server, OP_CREATE);
    ck_assert_mem_eq(server.body, "\0\0\0\6/app/a\377\377\377\377", 14);
    jute_write_string(&body, "/app/a");
    fake_server_answer(&server, 1, 0, &body);
    expect_story("create rc 0 '/a'\n");
    ck_assert_int_eq(zoo_awget(zh, "/a", watcher, one, data_done, "get"), ZOK);
    fake_server_expect(&server, OP_GET_DATA);
    buffer_clear(&body);
    jute_write_int32(&body, -1);
    fake_server_write_stat(&body, 0);
    fake_server_answer(&server, 1, 0, &body);
    fake_server_send_event(&server, ZOO_CHANGED_EVENT, ZOO_CONNECTED_STATE, "/app/a");
    expect_story("get rc 0 '' version 0\none type 3 state 3 path '/a'\n");
    buffer_clear(&body);
    jute_write_string(&body, "/elsewhere");
    ck_assert_int_eq(zoo_acreate(zh, "/b", NULL, -1, &ZOO_OPEN_ACL_UNSAFE, 0, string_done, "create"), ZOK);
    fake_server_expect(&server, OP_CREATE);
    fake_server_answer(&server, 1, 0, &body);
    expect_story("create rc 0 '/elsewhere'\n");
    buffer_release(&body);
    close_session();
}
END_TEST

START_TEST(arguments_are_looked_at_before_anything_is_sent)
{
    start_session();
    ck_assert_int_eq(zoo_aget(NULL, "/a", 0, data_done, ""), ZBADARGUMENTS);
    ck_assert_int_eq(zoo_aget(zh, NULL, 0, data_done, ""), ZBADARGUMENTS);
    ck_assert_int_eq(zoo_aget(zh, "a", 0, data_done, ""), ZBADARGUMENTS);
    ck_assert_int_eq(zoo_aget(zh, "/a/", 0, data_done, ""), ZBADARGUMENTS);
    ck_assert_int_eq(zoo_acreate(zh, "/a//b", "", 0, NULL, 0, string_done, ""), ZBADARGUMENTS);
    ck_assert_int_eq(zoo_acreate_ttl(zh, "/a", "", 0, NULL, 0, 5, string_done, ""), ZBADARGUMENTS);
    ck_assert_int_eq(zoo_acreate_ttl(zh, "/a", "", 0, NULL, ZOO_PERSISTENT_WITH_TTL, 0, string_done, ""),
                     ZBADARGUMENTS);
    ck_assert_int_eq(zoo_get(zh, "/a", 0, NULL, NULL, NULL), ZBADARGUMENTS);
    ck_assert_int_eq(zoo_set_servers(zh, NULL), ZBADARGUMENTS);
    ck_assert_int_eq(zoo_set_servers(zh, "host:99999"), ZBADARGUMENTS);
    ck_assert_int_eq(zoo_add_auth(zh, NULL, "", 0, NULL, NULL), ZBADARGUMENTS);
    ck_assert_int_eq(zoo_add_watch(zh, "/a", ZOO_WATCH_PERSISTENT, NULL, NULL), ZBADARGUMENTS);
    ck_assert_int_eq(zookeeper_close(NULL), ZBADARGUMENTS);
    zoo_op_t op = { .type = 77 };
    zoo_op_result_t result;
    ck_assert_int_eq(zoo_amulti(zh, 1, &op, &result, void_done, ""), ZUNIMPLEMENTED);
    ck_assert_ptr_null(zookeeper_init("", watcher, 1000, NULL, NULL, 0));
    ck_assert_ptr_null(zookeeper_init(NULL, watcher, 1000, NULL, NULL, 0));
    ck_assert_ptr_null(zookeeper_init("127.0.0.1:1/a//b", watcher, 1000, NULL, NULL, 0));
    ck_assert(!fake_server_has_frame(&server, 50));
    close_session();
}
END_TEST

START_TEST(results_of_a_multi_go_where_they_belong)
{
    zoo_op_t ops[3];
    zoo_op_result_t results[3];
    char path[8] = "";
    struct Stat stat = { 0 };
    struct buffer body = { 0 };
    start_session();
    zoo_create_op_init(&ops[0], "/a-", "v", 1, &ZOO_OPEN_ACL_UNSAFE, ZOO_PERSISTENT_SEQUENTIAL, path, sizeof(path));
    zoo_set_op_init(&ops[1], "/b", "w", 1, 4, &stat);
    zoo_check_op_init(&ops[2], "/c", 5);
    for (int round = 0; round < 2; round++) {
        ck_assert_int_eq(zoo_amulti(zh, 3, ops, results, void_done, "multi"), ZOK);
        fake_server_expect(&server, OP_MULTI);
        buffer_clear(&body);
        for (int i = 0; i < 3; i++) {
            static const int32_t types[] = { OP_CREATE, OP_SET_DATA, OP_CHECK };
            jute_write_int32(&body, round == 0 ? types[i] : OP_ERROR);
            jute_write_boolean(&body, false);
            jute_write_int32(&body, 0);
            if (round == 1)
                jute_write_int32(&body, i == 0 ? 0 : i == 1 ? ZBADVERSION : ZRUNTIMEINCONSISTENCY);
            else if (i == 0)
                jute_write_string(&body, "/a-0000000001");
            else if (i == 1)
                fake_server_write_stat(&body, 5);
        }
        jute_write_int32(&body, -1);
        jute_write_boolean(&body, true);
        jute_write_int32(&body, -1);
        fake_server_answer(&server, 1, 0, &body);
        expect_story(round == 0 ? "multi rc 0\n" : "multi rc -103\n");
        if (round == 0) {
            ck_assert_str_eq(results[0].value, "/a-0000");
            ck_assert_int_eq(results[1].stat->version, 5);
            ck_assert_int_eq(results[2].err, 0);
        } else {
            ck_assert_int_eq(results[0].err, 0);
            ck_assert_int_eq(results[1].err, ZBADVERSION);
            ck_assert_int_eq(results[2].err, ZRUNTIMEINCONSISTENCY);
        }
    }
    buffer_release(&body);
    close_session();
}
END_TEST

static Suite *client_cnxn_requests_suite(void)
{
    Suite *suite = suite_create("client_cnxn_requests");
    TCase *tcase = tcase_create("client_cnxn_requests");
    tcase_add_checked_fixture(tcase, story_set_up, story_tear_down);
    tcase_set_timeout(tcase, 120);
    tcase_add_test(tcase, completions_are_called_in_the_order_of_requests);
    tcase_add_test(tcase, behind_the_largest_xid_they_begin_again);
    tcase_add_test(tcase, answers_may_come_byte_by_byte);
    tcase_add_test(tcase, an_answer_may_be_large);
    tcase_add_test(tcase, a_synchronous_call_waits_for_its_answer);
    tcase_add_test(tcase, a_lost_connection_is_told_to_all_who_wait_and_to_watchers_first);
    tcase_add_test(tcase, what_is_asked_before_there_is_a_connection_goes_out_with_it);
    tcase_add_test(tcase, paths_have_the_chroot_in_front_and_lose_it_again);
    tcase_add_test(tcase, arguments_are_looked_at_before_anything_is_sent);
    tcase_add_test(tcase, results_of_a_multi_go_where_they_belong);
    suite_add_tcase(suite, tcase);
    return suite;
}

CHECK_MAIN(client_cnxn_requests_suite)
