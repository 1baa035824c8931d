/*
 * test_client_cnxn.c - a client and its connection, with a server that does as the test says: what is sent, what comes
 * of the answers, and what of a server that lies.
 */
#include "client/public.h"

#include <check.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "client/zhandle.h"
#include "common/base/clock.h"
#include "common/base/memory.h"
#include "common/base/strings.h"
#include "common/thread/mutex.h"
#include "common/thread/thread.h"
#include "common/wire/jute.h"
#include "common/wire/op_code.h"
#include "tests/lib/check_main.h"
#include "tests/unit/client/fake_server.h"

#define TIMEOUT_MS 10000
#define DEADLINE_MS 20000

static struct fake_server server, other;
static zhandle_t *zh;

/* ---- what came back: lines, in their order ---- */

static struct mutex lock;
static struct buffer story;

static void tell(const char *format, ...) __attribute__((format(printf, 1, 2)));
static void tell(const char *format, ...)
{
    va_list args;
    mutex_lock(&lock);
    va_start(args, format);
    buffer_vprintf(&story, format, args);
    va_end(args);
    buffer_append_string(&story, "\n");
    mutex_unlock(&lock);
}

/* Until the story is that; it is forgotten then. */
static void expect_story(const char *expected)
{
    int64_t deadline_ms = clock_elapsed_ms() + DEADLINE_MS;
    char *text;
    for (;;) {
        mutex_lock(&lock);
        text = string_copy(buffer_string(&story));
        bool is_told = strcmp(text, expected) == 0;
        bool is_over = story.size >= strlen(expected) || clock_elapsed_ms() >= deadline_ms;
        if (is_told)
            buffer_clear(&story);
        mutex_unlock(&lock);
        if (is_told)
            break;
        ck_assert_msg(!is_over, "told: %s, expected: %s", text, expected);
        memory_free(text);
        clock_sleep_ms(1);
    }
    memory_free(text);
}

static char main_watch[] = "main", one[] = "one", two[] = "two", all[] = "all";    /* contexts */

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
    tell("%s rc %d '%.*s' version %d", (const char *)data, rc, size > 0 ? size : 0, value != NULL ? value : "",
         stat != NULL ? stat->version : -1);
}

static void strings_done(int rc, const struct String_vector *strings, const void *data)
{
    tell("%s rc %d count %d", (const char *)data, rc, strings != NULL ? strings->count : -1);
}

static void string_done(int rc, const char *value, const void *data)
{
    tell("%s rc %d '%s'", (const char *)data, rc, value != NULL ? value : "(none)");
}

static void stat_done(int rc, const struct Stat *stat, const void *data)
{
    tell("%s rc %d version %d", (const char *)data, rc, stat != NULL ? stat->version : -1);
}

/* ---- beginning and end ---- */

static void start_at(const char *hosts, int flags)
{
    zh = zookeeper_init(hosts, watcher, TIMEOUT_MS, NULL, main_watch, flags | ZOO_NO_LOG_CLIENTENV);
    ck_assert_ptr_nonnull(zh);
}

static void start(const char *chroot)
{
    char hosts[64];
    snprintf(hosts, sizeof(hosts), "127.0.0.1:%d%s", server.port, chroot);
    start_at(hosts, 0);
}

static void start_session(void)
{
    start("");
    fake_server_begin_session(&server, TIMEOUT_MS);
    expect_story("main type -1 state 3 path ''\n");
}

static void close_run(void *arg)
{
    int rc = zookeeper_close(arg);
    tell("closed %d", rc);
}

/* With a server that answers. */
static void close_session(void)
{
    struct thread *closer = thread_start("closer", close_run, zh);
    fake_server_expect(&server, OP_CLOSE_SESSION);
    fake_server_answer(&server, 100, 0, NULL);
    thread_join(closer);
    expect_story("closed 0\n");
    zh = NULL;
}

/* Without one: nobody is connected. */
static void close_alone(void)
{
    fake_server_hang_up(&server);
    zookeeper_close(zh);
    zh = NULL;
}

static void set_up(void)
{
    zoo_set_debug_level(0);
    mutex_init(&lock);
    story = (struct buffer){ 0 };
    fake_server_open(&server);
    fake_server_open(&other);
    zh = NULL;
}

static void tear_down(void)
{
    fake_server_close(&server);
    fake_server_close(&other);
    buffer_release(&story);
}

/* ---- the handshake ---- */

START_TEST(a_session_is_asked_for)
{
    static const uint8_t expected[45] = { [14] = TIMEOUT_MS >> 8, [15] = TIMEOUT_MS & 0xff, [27] = 16 };
    start("");
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
    start("");
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
    start("");
    fake_server_accept(&server);
    fake_server_read_frame(&server);
    fake_server_send_raw(&server, "\0\0\0\4abcd", 8);
    fake_server_wait_hang_up(&server);
    fake_server_begin_session(&server, TIMEOUT_MS);
    expect_story("main type -1 state 3 path ''\n");
    close_session();
}
END_TEST

/* ---- requests and answers ---- */

START_TEST(completions_are_called_in_the_order_of_requests)
{
    struct buffer body = { 0 };
    start_session();
    ck_assert_int_eq(zoo_acreate(zh, "/a", "v", 1, &ZOO_OPEN_ACL_UNSAFE, 0, string_done, "create"), ZOK);
    ck_assert_int_eq(zoo_aget(zh, "/a", 0, data_done, "get"), ZOK);
    ck_assert_int_eq(zoo_aget_children(zh, "/", 0, strings_done, "children"), ZOK);
    ck_assert_int_eq(zoo_adelete(zh, "/none", 3, void_done, "delete"), ZOK);
    fake_server_expect(&server, OP_CREATE);
    static const uint8_t create[] = { 0, 0, 0, 2, '/', 'a', 0, 0, 0, 1, 'v', 0, 0, 0, 1, 0, 0, 0, 31, 0, 0, 0, 5, 'w', 'o',
                                      'r', 'l', 'd', 0, 0, 0, 6, 'a', 'n', 'y', 'o', 'n', 'e', 0, 0, 0, 0 };
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
        buffer_printf(&expected, "children rc -101 count -1\n rc 0 '%.*s' version %d\ndelete rc 0\n", (int)LARGE, value, i);
        expect_story(buffer_string(&expected));
        buffer_release(&expected);
    }
    memory_free(value);
    buffer_release(&body);
    close_session();
}
END_TEST

static void sync_run(void *arg)
{
    char value[8];
    struct Stat stat;
    int size = sizeof(value), rc = zoo_get(arg, "/a", 0, value, &size, &stat);
    if (rc == ZOK)
        tell("sync rc %d '%.*s' version %d", rc, size, value, stat.version);
    else
        tell("sync rc %d size %d", rc, size);
}

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
    start("");
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
    start("/app");
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
    ck_assert_int_eq(zoo_acreate_ttl(zh, "/a", "", 0, NULL, ZOO_PERSISTENT_WITH_TTL, 0, string_done, ""), ZBADARGUMENTS);
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

/* ---- watches ---- */

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
    static const uint8_t expected[] = { 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 2, '/', 'a', 0, 0, 0, 0, 0, 0, 0, 0 };
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

/* ---- multi ---- */

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

/* ---- time ---- */

START_TEST(an_idle_client_pings)
{
    start("");
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
    start("");
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
    start_at(hosts, ZOO_READONLY);
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

/* ---- a server that lies ---- */

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

/* ---- closing ---- */

START_TEST(what_was_sent_before_the_end_is_answered)
{
    start_session();
    ck_assert_int_eq(zoo_adelete(zh, "/a", -1, void_done, "delete"), ZOK);
    struct thread *closer = thread_start("closer", close_run, zh);
    fake_server_expect(&server, OP_DELETE);
    fake_server_answer(&server, 1, 0, NULL);
    fake_server_expect(&server, OP_CLOSE_SESSION);
    fake_server_answer(&server, 2, 0, NULL);
    thread_join(closer);
    expect_story("delete rc 0\nclosed 0\n");
}
END_TEST

START_TEST(a_server_that_does_not_answer_the_end_is_not_waited_for_long)
{
    start_session();
    ck_assert_int_eq(zoo_adelete(zh, "/a", -1, void_done, "delete"), ZOK);
    struct thread *caller = thread_start("caller", sync_run, zh);
    fake_server_expect(&server, OP_DELETE);
    fake_server_expect(&server, OP_GET_DATA);
    int64_t begin_ms = clock_elapsed_ms();
    struct thread *closer = thread_start("closer", close_run, zh);
    thread_join(closer);
    thread_join(caller);
    ck_assert_int_lt(clock_elapsed_ms() - begin_ms, DEADLINE_MS / 2);
    mutex_lock(&lock);
    const char *text = buffer_string(&story);
    ck_assert_ptr_nonnull(strstr(text, "delete rc -116\n"));
    ck_assert_ptr_nonnull(strstr(text, "sync rc -116 size 8\n"));
    ck_assert_ptr_nonnull(strstr(text, "closed 0\n"));
    buffer_clear(&story);
    mutex_unlock(&lock);
}
END_TEST

START_TEST(without_a_connection_the_end_is_at_once)
{
    start("");
    int64_t begin_ms = clock_elapsed_ms();
    close_run(zh);
    ck_assert_int_lt(clock_elapsed_ms() - begin_ms, 1000);
    expect_story("closed 0\n");
}
END_TEST

static void close_in_callback(int rc, const void *data)
{
    tell("in callback rc %d", rc);
    tell("closed %d", zookeeper_close((zhandle_t *)(uintptr_t)data));
    tell("left");
}

START_TEST(a_callback_may_close_the_handle)
{
    start_session();
    ck_assert_int_eq(zoo_adelete(zh, "/a", -1, close_in_callback, zh), ZOK);
    fake_server_expect(&server, OP_DELETE);
    fake_server_answer(&server, 1, 0, NULL);
    fake_server_expect(&server, OP_CLOSE_SESSION);
    fake_server_answer(&server, 2, 0, NULL);
    fake_server_wait_hang_up(&server);
    expect_story("in callback rc 0\nclosed 0\nleft\n");
    clock_sleep_ms(20);    /* for the sanitizers: the handle goes now */
}
END_TEST

static void call_in_callback(int rc, const void *data)
{
    tell("in callback rc %d", rc);
    sync_run((zhandle_t *)(uintptr_t)data);
    tell("again %d", zoo_adelete((zhandle_t *)(uintptr_t)data, "/b", -1, void_done, "second"));
}

START_TEST(a_callback_may_call_synchronously)
{
    start_session();
    ck_assert_int_eq(zoo_adelete(zh, "/a", -1, call_in_callback, zh), ZOK);
    fake_server_expect(&server, OP_DELETE);
    fake_server_answer(&server, 1, 0, NULL);
    fake_server_expect(&server, OP_GET_DATA);
    fake_server_answer(&server, 1, ZNONODE, NULL);
    fake_server_expect(&server, OP_DELETE);
    fake_server_answer(&server, 1, 0, NULL);
    expect_story("in callback rc 0\nsync rc -101 size 8\nagain 0\nsecond rc 0\n");
    close_session();
}
END_TEST

#define MANY 20000    /* more events than may wait */

static atomic_int many_done;
static atomic_bool must_go_on;

static void count_done(int rc, const void *data)
{
    (void)data;
    while (!atomic_load(&must_go_on))
        clock_sleep_ms(1);
    if (rc == ZOK)
        atomic_fetch_add(&many_done, 1);
}

static void answer_many(int count)
{
    for (int i = 0; i < count; i++) {
        fake_server_expect(&server, OP_DELETE);
        fake_server_answer(&server, 1, 0, NULL);
    }
}

static void wait_many(int count)
{
    int64_t deadline_ms = clock_elapsed_ms() + DEADLINE_MS;
    while (atomic_load(&many_done) < count && clock_elapsed_ms() < deadline_ms)
        clock_sleep_ms(1);
    ck_assert_int_eq(atomic_load(&many_done), count);
}

START_TEST(a_slow_callback_does_not_cost_the_connection)
{
    start("");
    fake_server_begin_session(&server, 4000);
    expect_story("main type -1 state 3 path ''\n");
    for (int i = 0; i < MANY; i++)
        ck_assert_int_eq(zoo_adelete(zh, "/a", -1, count_done, NULL), ZOK);
    answer_many(MANY);
    clock_sleep_ms(3000);    /* more than what the client would wait for a server that is silent */
    atomic_store(&must_go_on, true);
    wait_many(MANY);
    ck_assert_int_eq(zoo_adelete(zh, "/a", -1, void_done, "delete"), ZOK);
    fake_server_expect(&server, OP_DELETE);
    fake_server_answer(&server, 1, 0, NULL);
    expect_story("delete rc 0\n");
    close_session();
}
END_TEST

static void call_when_full(int rc, const void *data)
{
    while (!atomic_load(&must_go_on))
        clock_sleep_ms(1);
    tell("in callback rc %d", rc);
    sync_run((zhandle_t *)(uintptr_t)data);
}

START_TEST(a_callback_may_call_although_many_wait_behind_it)
{
    start_session();
    ck_assert_int_eq(zoo_adelete(zh, "/a", -1, call_when_full, zh), ZOK);
    for (int i = 0; i < MANY; i++)
        ck_assert_int_eq(zoo_adelete(zh, "/a", -1, count_done, NULL), ZOK);
    answer_many(MANY + 1);
    atomic_store(&must_go_on, true);
    fake_server_expect(&server, OP_GET_DATA);
    fake_server_answer(&server, 1, ZNONODE, NULL);
    expect_story("in callback rc 0\nsync rc -101 size 8\n");
    wait_many(MANY);
    close_session();
}
END_TEST

START_TEST(a_child_may_only_close_and_says_nothing)
{
    start_session();
    pid_t child = fork();
    ck_assert_int_ge(child, 0);
    if (child == 0) {
        bool is_right = zoo_adelete(zh, "/a", -1, void_done, "child") == ZINVALIDSTATE
                        && zoo_delete(zh, "/a", -1) == ZINVALIDSTATE && zookeeper_close(zh) == ZOK;
        _exit(is_right ? 0 : 1);
    }
    int status = 0;
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    ck_assert_int_eq(zoo_adelete(zh, "/a", -1, void_done, "parent"), ZOK);
    fake_server_expect(&server, OP_DELETE);
    fake_server_answer(&server, 1, 0, NULL);
    expect_story("parent rc 0\n");
    close_session();
}
END_TEST

static Suite *client_cnxn_suite(void)
{
    Suite *suite = suite_create("client_cnxn");
    TCase *tcase = tcase_create("client_cnxn");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_set_timeout(tcase, 120);
    tcase_add_test(tcase, a_session_is_asked_for);
    tcase_add_test(tcase, a_lost_session_is_asked_for_again_with_its_id_and_zxid);
    tcase_add_test(tcase, a_session_that_is_over_stays_over);
    tcase_add_loop_test(tcase, an_answer_to_the_connect_request_that_makes_no_sense_is_none, 0, ARRAY_SIZE(nonsense));
    tcase_add_test(tcase, a_short_answer_to_the_connect_request_is_none);
    tcase_add_test(tcase, completions_are_called_in_the_order_of_requests);
    tcase_add_test(tcase, behind_the_largest_xid_they_begin_again);
    tcase_add_test(tcase, answers_may_come_byte_by_byte);
    tcase_add_test(tcase, an_answer_may_be_large);
    tcase_add_test(tcase, a_synchronous_call_waits_for_its_answer);
    tcase_add_test(tcase, a_lost_connection_is_told_to_all_who_wait_and_to_watchers_first);
    tcase_add_test(tcase, what_is_asked_before_there_is_a_connection_goes_out_with_it);
    tcase_add_test(tcase, paths_have_the_chroot_in_front_and_lose_it_again);
    tcase_add_test(tcase, arguments_are_looked_at_before_anything_is_sent);
    tcase_add_test(tcase, a_watcher_is_called_once_and_behind_its_completion);
    tcase_add_test(tcase, watches_are_set_again_with_each_connection_credentials_first);
    tcase_add_test(tcase, a_recursive_watch_stays_and_hears_of_nodes_below);
    tcase_add_test(tcase, only_the_last_watcher_takes_the_servers_watch_with_it);
    tcase_add_test(tcase, results_of_a_multi_go_where_they_belong);
    tcase_add_test(tcase, an_idle_client_pings);
    tcase_add_test(tcase, a_server_that_is_silent_is_left);
    tcase_add_test(tcase, a_request_may_time_out_alone);
    tcase_add_test(tcase, the_session_goes_on_with_a_server_of_the_new_list);
    tcase_add_test(tcase, a_read_only_client_looks_for_a_read_write_server);
    tcase_add_loop_test(tcase, a_lie_ends_the_connection_and_not_the_session, 0, ARRAY_SIZE(lies));
    tcase_add_test(tcase, an_answer_with_a_lie_in_it_is_an_error_of_its_request);
    tcase_add_test(tcase, what_means_nothing_is_passed_over);
    tcase_add_test(tcase, credentials_that_are_refused_end_the_session);
    tcase_add_test(tcase, an_answer_without_end_takes_no_memory_without_end);
    tcase_add_test(tcase, what_was_sent_before_the_end_is_answered);
    tcase_add_test(tcase, a_server_that_does_not_answer_the_end_is_not_waited_for_long);
    tcase_add_test(tcase, without_a_connection_the_end_is_at_once);
    tcase_add_test(tcase, a_callback_may_close_the_handle);
    tcase_add_test(tcase, a_callback_may_call_synchronously);
    tcase_add_test(tcase, a_slow_callback_does_not_cost_the_connection);
    tcase_add_test(tcase, a_callback_may_call_although_many_wait_behind_it);
    tcase_add_test(tcase, a_child_may_only_close_and_says_nothing);
    suite_add_tcase(suite, tcase);
    return suite;
}

CHECK_MAIN(client_cnxn_suite)
