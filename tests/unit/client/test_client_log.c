/* test_client_log.c - what a line of the library looks like, which are written, and where to. */
#include "client/client_log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/flavour.h"
#include "common/base/clock.h"
#include "common/base/memory.h"
#include "common/base/process.h"
#include "common/base/strings.h"
#include "common/thread/thread.h"
#include "tests/lib/check_main.h"

static char *written;
static size_t written_size;
static FILE *stream;
static char called_back[8192];

static void take_line(const char *message)
{
    snprintf(called_back, sizeof(called_back), "%s", message);
}

static void set_up(void)
{
    setenv("TZ", "UTC", 1);
    clock_freeze(0, INT64_C(1769829127512));
    stream = open_memstream(&written, &written_size);
    ck_assert_ptr_nonnull(stream);
    zoo_set_log_stream(stream);
    zoo_set_debug_level(ZOO_LOG_LEVEL_INFO);
}

static void tear_down(void)
{
    zoo_set_log_stream(NULL);
    fclose(stream);
    free(written);
}

/* The line of zookeeper_interest@214, with its newline when it is one of the stream; the caller's. */
static char *line_of(const char *level, const char *text)
{
    char *thread = string_format("(0x%lx)", (unsigned long)thread_current_id());
    char *line = string_format("2026-01-31 03:12:07,512:%ld%s:%s@zookeeper_interest@214: %s", (long)process_id(),
                               flavour_has_threads ? thread : "", level, text);
    memory_free(thread);
    return line;
}

static const struct {
    ZooLogLevel level;
    const char *name;
} levels[] = {
    { ZOO_LOG_LEVEL_ERROR, "ZOO_ERROR" },
    { ZOO_LOG_LEVEL_WARN, "ZOO_WARN" },
    { ZOO_LOG_LEVEL_INFO, "ZOO_INFO" },
    { ZOO_LOG_LEVEL_DEBUG, "ZOO_DEBUG" },
    { (ZooLogLevel)0, "ZOO_INVALID" },
    { (ZooLogLevel)7, "ZOO_INVALID" },
};
START_TEST(a_line_is_laid_out_as_in_the_old_binding)
{
    char *expected = line_of(levels[_i].name, "7 of 8\n");
    log_message(NULL, levels[_i].level, 214, "zookeeper_interest", "%d of %s", 7, "8");
    ck_assert_str_eq(written, expected);
    memory_free(expected);
}
END_TEST

START_TEST(a_callback_gets_the_line_without_newline)
{
    char *expected = line_of("ZOO_WARN", "x");
    log_message(take_line, ZOO_LOG_LEVEL_WARN, 214, "zookeeper_interest", "x");
    ck_assert_str_eq(called_back, expected);
    ck_assert_uint_eq(written_size, 0);
    memory_free(expected);
}
END_TEST

START_TEST(a_long_line_is_cut)
{
    char *text = memory_alloc_zero(1, 10001);
    memset(text, 'x', 10000);
    log_message(take_line, ZOO_LOG_LEVEL_WARN, 214, "zookeeper_interest", "%s", text);
    ck_assert_uint_eq(strlen(called_back), 4095);
    log_message(take_line, ZOO_LOG_LEVEL_WARN, 214, text, "%s", "behind its end");
    ck_assert_uint_eq(strlen(called_back), 4095);
    memory_free(text);
}
END_TEST

static int evaluated;
static const char *evaluate(void)
{
    evaluated++;
    return "x";
}

static const struct {
    const char *fact;
    int level;
    int lines;
} in_force[] = {
    { "nothing is logged at 0", 0, 0 },
    { "errors only", ZOO_LOG_LEVEL_ERROR, 1 },
    { "warnings too", ZOO_LOG_LEVEL_WARN, 2 },
    { "information too", ZOO_LOG_LEVEL_INFO, 3 },
    { "all", ZOO_LOG_LEVEL_DEBUG, 4 },
    { "a level beyond the last is the last", 99, 4 },
};
START_TEST(a_line_is_made_only_if_its_level_is_in_force)
{
    zoo_set_debug_level((ZooLogLevel)in_force[_i].level);
    evaluated = 0;
    LOG_ERROR(LOGSTREAM, "%s", evaluate());
    LOG_WARN(LOGSTREAM, "%s", evaluate());
    LOG_INFO(LOGSTREAM, "%s", evaluate());
    LOG_DEBUG(LOGSTREAM, "%s", evaluate());
    ck_assert_msg(evaluated == in_force[_i].lines, "%s: %d lines", in_force[_i].fact, evaluated);
}
END_TEST

START_TEST(a_macro_is_one_statement)
{
    if (evaluated > 1000)
        LOG_ERROR(LOGSTREAM, "never");
    else
        LOG_ERROR(take_line, "%s", "once");
    ck_assert_ptr_nonnull(strstr(called_back, ":ZOO_ERROR@a_macro_is_one_statement"));
}
END_TEST

START_TEST(lines_go_to_standard_error_at_first)
{
    ck_assert_ptr_eq(zoo_get_log_stream(), stream);
    zoo_set_log_stream(NULL);
    ck_assert_ptr_eq(zoo_get_log_stream(), stderr);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("client/client_log");
    TCase *tcase = tcase_create("log");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_loop_test(tcase, a_line_is_laid_out_as_in_the_old_binding, 0, ARRAY_SIZE(levels));
    tcase_add_test(tcase, a_callback_gets_the_line_without_newline);
    tcase_add_test(tcase, a_long_line_is_cut);
    tcase_add_loop_test(tcase, a_line_is_made_only_if_its_level_is_in_force, 0, ARRAY_SIZE(in_force));
    tcase_add_test(tcase, a_macro_is_one_statement);
    tcase_add_test(tcase, lines_go_to_standard_error_at_first);
    suite_add_tcase(suite, tcase);
    return suite;
}
CHECK_MAIN(make_suite)
