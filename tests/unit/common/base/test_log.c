/* test_log.c - what a line looks like, which lines are written, and where to. */
#include "common/base/log.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/buffer.h"
#include "common/base/clock.h"
#include "common/base/file.h"
#include "common/base/memory.h"
#include "common/base/strings.h"
#include "tests/lib/check_main.h"

static char directory[160];
static char *path;
static struct buffer content;

static void set_up(void)
{
    const char *parent = getenv("TMPDIR");
    snprintf(directory, sizeof(directory), "%s/test_log.XXXXXX", parent != NULL ? parent : "/tmp");
    ck_assert_ptr_nonnull(mkdtemp(directory));
    path = path_join(directory, "log");
    setenv("TZ", "UTC", 1);
    clock_freeze(0, INT64_C(1769829127512));
    ck_assert_int_eq(log_open(path, NULL), ZK_OK);
}

static void tear_down(void)
{
    log_open(NULL, NULL);
    unlink(path);
    rmdir(directory);
    memory_free(path);
    buffer_release(&content);
}

static const char *lines(void)
{
    buffer_clear(&content);
    ck_assert_int_eq(file_read_all(path, 1 << 20, &content, NULL), ZK_OK);
    return buffer_string(&content);
}

START_TEST(a_line_is_laid_out_as_in_java)
{
    log_set_myid("1");
    log_set_thread_name("SyncThread:1");
    log_write(LOG_WARN, "server/persistence/file_txn_log.c", 214, "fsync took %d ms", 1870);
    ck_assert_str_eq(lines(), "2026-01-31 03:12:07,512 [myid:1] - WARN  [SyncThread:1:FileTxnLog@214] - "
                              "fsync took 1870 ms\n");
}
END_TEST

static const struct { const char *file, *component; } components[] = {
    { "server/persistence/file_txn_log.c", "FileTxnLog" },
    { "zookeeper_server.c", "ZooKeeperServer" },
    { "server/persistence/zk_database.c", "ZKDatabase" },
    { "x/leader.c", "Leader" },
};
START_TEST(the_component_is_the_java_class)
{
    log_write(LOG_INFO, components[_i].file, 1, "x");
    char *expected = string_format("2026-01-31 03:12:07,512 [myid:] - INFO  [main:%s@1] - x\n",
                                   components[_i].component);
    ck_assert_str_eq(lines(), expected);
    memory_free(expected);
}
END_TEST

static const struct { const char *text, *written; } texts[] = {
    { "two\nlines", "two\\x0alines" },
    { "\x1b[31mred\x7f\r\t", "\\x1b[31mred\\x7f\\x0d\\x09" },
    { "gr\xc3\xbc\xc3\x9f \xe2\x82\xac", "gr\xc3\xbc\xc3\x9f \xe2\x82\xac" },
    { "\xc2\x9b" "31m", "\\xc2\\x9b31m" },           /* a control character beyond ASCII */
    { "\xc2\xa0\xc3\x9b", "\xc2\xa0\xc3\x9b" },
    { "a\xff\x9b" "b\xc3\xbc", "a\\xff\\x9bb\\xc3\\xbc" },    /* not UTF-8 */
    { "", "" },
};
START_TEST(no_text_can_forge_a_line)
{
    log_write(LOG_INFO, "a.c", 1, "%s", texts[_i].text);
    char *expected = string_format("2026-01-31 03:12:07,512 [myid:] - INFO  [main:A@1] - %s\n", texts[_i].written);
    ck_assert_str_eq(lines(), expected);
    memory_free(expected);
}
END_TEST

START_TEST(a_long_text_is_whole)
{
    enum { SIZE = 100000 };
    char *text = memory_alloc(SIZE + 1);
    memset(text, '\n', SIZE);
    text[SIZE] = '\0';
    log_info("%s", text);
    ck_assert_uint_eq(string_ends_with(lines(), "\\x0a\\x0a\n"), true);
    ck_assert_uint_gt(content.size, 4 * SIZE);
    memory_free(text);
}
END_TEST

START_TEST(levels_choose_what_is_written)
{
    log_debug("no");
    ck_assert_str_eq(lines(), "");
    log_set_level(NULL, LOG_WARN);
    log_info("no");
    ck_assert_str_eq(lines(), "");
    log_set_level("TestLog", LOG_TRACE);
    ck_assert(log_enabled(LOG_TRACE, __FILE__));
    ck_assert(!log_enabled(LOG_INFO, "other.c"));
    ck_assert(log_enabled(LOG_WARN, "other.c"));
    log_set_level("TestLog", LOG_OFF);
    ck_assert(!log_enabled(LOG_ERROR, __FILE__));
    ck_assert(log_enabled(LOG_WARN, "other.c"));
    log_reset_levels();
    ck_assert(log_enabled(LOG_WARN, __FILE__));
    ck_assert(!log_enabled(LOG_INFO, __FILE__));
    log_set_level(NULL, LOG_OFF);
    ck_assert(!log_enabled(LOG_ERROR, __FILE__));
    log_set_level(NULL, LOG_INFO);
}
END_TEST

START_TEST(levels_are_parsed_in_any_case)
{
    enum log_level level = LOG_OFF;
    ck_assert(log_level_parse("debug", &level));
    ck_assert_int_eq(level, LOG_DEBUG);
    ck_assert(log_level_parse("Off", &level));
    ck_assert_int_eq(level, LOG_OFF);
    ck_assert(!log_level_parse("LOUD", &level));
    ck_assert_int_eq(level, LOG_OFF);
}
END_TEST

START_TEST(a_rotated_log_is_opened_anew)
{
    char *old = path_join(directory, "old");
    log_info("one");
    ck_assert_int_eq(rename(path, old), 0);
    log_info("two");
    ck_assert_int_eq(log_reopen(NULL), ZK_OK);
    log_info("three");
    ck_assert_ptr_nonnull(strstr(lines(), "three"));
    ck_assert_ptr_null(strstr(lines(), "two"));
    buffer_clear(&content);
    ck_assert_int_eq(file_read_all(old, 1 << 20, &content, NULL), ZK_OK);
    ck_assert_ptr_nonnull(strstr(buffer_string(&content), "two"));
    unlink(old);
    memory_free(old);
}
END_TEST

START_TEST(a_failed_open_keeps_the_old_log)
{
    struct error error = { 0 };
    ck_assert_int_eq(log_open("/nonexistent/log", &error), ZK_IO);
    ck_assert_str_eq(error.text, "cannot open log file /nonexistent/log: No such file or directory");
    log_info("still here");
    ck_assert_ptr_nonnull(strstr(lines(), "still here"));
}
END_TEST

START_TEST(errno_survives_a_line)
{
    errno = EDOM;
    log_info("x");
    ck_assert_int_eq(errno, EDOM);
}
END_TEST

START_TEST(myid_is_cut)
{
    log_set_myid("0123456789012345678901234567890123456789");
    ck_assert_str_eq(log_myid(), "0123456789012345678901234567890");
    log_set_myid(log_myid());
    ck_assert_uint_eq(strlen(log_myid()), 31);
    log_set_myid(NULL);
    ck_assert_str_eq(log_myid(), "");
}
END_TEST

START_TEST(a_peer_cannot_fill_the_log)
{
    struct log_limiter limiter = { 0 };
    uint32_t left_out = 99;
    clock_advance_ms(20000);
    for (int i = 0; i < 10; i++) {
        ck_assert(log_limiter_pass(&limiter, &left_out));
        ck_assert_uint_eq(left_out, 0);
    }
    for (int i = 0; i < 7; i++)
        ck_assert(!log_limiter_pass(&limiter, &left_out));
    clock_advance_ms(9999);
    ck_assert(!log_limiter_pass(&limiter, &left_out));
    clock_advance_ms(1);
    ck_assert(log_limiter_pass(&limiter, &left_out));
    ck_assert_uint_eq(left_out, 8);
    ck_assert(log_limiter_pass(&limiter, &left_out));
    ck_assert_uint_eq(left_out, 0);
}
END_TEST

START_TEST(the_limited_macro_counts_what_it_left_out)
{
    struct log_limiter limiter = { 0 };
    clock_advance_ms(20000);
    for (int i = 0; i < 15; i++)
        log_warn_limited(&limiter, "bad packet %d", i);
    ck_assert_ptr_nonnull(strstr(lines(), "bad packet 9"));
    ck_assert_ptr_null(strstr(lines(), "bad packet 10"));
    clock_advance_ms(10000);
    log_warn_limited(&limiter, "bad packet again");
    ck_assert_ptr_nonnull(strstr(lines(), "5 more lines like this were left out"));
}
END_TEST

static Suite *log_suite(void)
{
    Suite *suite = suite_create("log");
    TCase *tcase = tcase_create("log");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, a_line_is_laid_out_as_in_java);
    tcase_add_loop_test(tcase, the_component_is_the_java_class, 0, ARRAY_SIZE(components));
    tcase_add_loop_test(tcase, no_text_can_forge_a_line, 0, ARRAY_SIZE(texts));
    tcase_add_test(tcase, a_long_text_is_whole);
    tcase_add_test(tcase, levels_choose_what_is_written);
    tcase_add_test(tcase, levels_are_parsed_in_any_case);
    tcase_add_test(tcase, a_rotated_log_is_opened_anew);
    tcase_add_test(tcase, a_failed_open_keeps_the_old_log);
    tcase_add_test(tcase, errno_survives_a_line);
    tcase_add_test(tcase, myid_is_cut);
    tcase_add_test(tcase, a_peer_cannot_fill_the_log);
    tcase_add_test(tcase, the_limited_macro_counts_what_it_left_out);
    suite_add_tcase(suite, tcase);
    return suite;
}

CHECK_MAIN(log_suite)
