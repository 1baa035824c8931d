/* test_client_cnxn_close.c - how a client ends, and what its callbacks may do. */
#include "tests/unit/client/client_story.h"

#include <stdatomic.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/thread/thread.h"
#include "common/wire/op_code.h"
#include "tests/lib/check_main.h"

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
    mutex_lock(&story.lock);
    const char *text = buffer_string(&story.text);
    ck_assert_ptr_nonnull(strstr(text, "delete rc -116\n"));
    ck_assert_ptr_nonnull(strstr(text, "sync rc -116 size 8\n"));
    ck_assert_ptr_nonnull(strstr(text, "closed 0\n"));
    buffer_clear(&story.text);
    mutex_unlock(&story.lock);
}
END_TEST

START_TEST(without_a_connection_the_end_is_at_once)
{
    start_client("");
    int64_t begin_ms = clock_elapsed_ms();
    close_run(zh);
    ck_assert_int_lt(clock_elapsed_ms() - begin_ms, 1000);
    expect_story("closed 0\n");
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

/* ---- callbacks ---- */

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
    start_client("");
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

static Suite *client_cnxn_close_suite(void)
{
    Suite *suite = suite_create("client_cnxn_close");
    TCase *tcase = tcase_create("client_cnxn_close");
    tcase_add_checked_fixture(tcase, story_set_up, story_tear_down);
    tcase_set_timeout(tcase, 120);
    tcase_add_test(tcase, what_was_sent_before_the_end_is_answered);
    tcase_add_test(tcase, a_server_that_does_not_answer_the_end_is_not_waited_for_long);
    tcase_add_test(tcase, without_a_connection_the_end_is_at_once);
    tcase_add_test(tcase, a_child_may_only_close_and_says_nothing);
    tcase_add_test(tcase, a_callback_may_close_the_handle);
    tcase_add_test(tcase, a_callback_may_call_synchronously);
    tcase_add_test(tcase, a_slow_callback_does_not_cost_the_connection);
    tcase_add_test(tcase, a_callback_may_call_although_many_wait_behind_it);
    suite_add_tcase(suite, tcase);
    return suite;
}

CHECK_MAIN(client_cnxn_close_suite)
