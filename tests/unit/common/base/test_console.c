/* Standard input line by line; what it holds comes through a pipe. */
#include "common/base/console.h"

#include <string.h>
#include <unistd.h>

#include "common/base/memory.h"
#include "tests/lib/check_main.h"

/* From now on standard input holds these bytes and no more. */
static void feed(const char *bytes, size_t size)
{
    int ends[2];
    ck_assert_int_eq(pipe(ends), 0);
    ck_assert_int_eq(write(ends[1], bytes, size), (ssize_t)size);
    close(ends[1]);
    ck_assert_int_eq(dup2(ends[0], STDIN_FILENO), STDIN_FILENO);
    close(ends[0]);
}

static const struct { const char *input, *lines; } inputs[] = {
    { "", "" },
    { "a\nb\n", "[a][b]" },
    { "a\nb", "[a][b]" },
    { "\n\na", "[][][a]" },
    { "a\r\nb\rc", "[a][b][c]" },
    { "a\r", "[a]" },
};

START_TEST(lines_end_as_in_java)
{
    struct console_lines lines = {0};
    struct buffer shown = {0};
    const char *line;
    feed(inputs[_i].input, strlen(inputs[_i].input));
    while (console_read_line(&lines, &line, NULL) == ZK_OK)
        buffer_printf(&shown, "[%s]", line);
    ck_assert_str_eq(buffer_string(&shown), inputs[_i].lines);
    console_lines_release(&lines);
    buffer_release(&shown);
}
END_TEST

START_TEST(all_of_it_may_be_read_at_once)
{
    struct buffer bytes = {0};
    feed("a\0b", 3);
    ck_assert_int_eq(console_read_all(10, &bytes, NULL), ZK_OK);
    ck_assert_uint_eq(bytes.size, 3);
    feed("abcd", 4);
    ck_assert_int_eq(console_read_all(6, &bytes, NULL), ZK_TOO_LARGE);
    buffer_release(&bytes);
}
END_TEST

START_TEST(a_pipe_is_no_terminal)
{
    feed("", 0);
    ck_assert(!console_is_terminal(CONSOLE_INPUT));
    ck_assert_int_gt(console_width(), 0);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("console");
    TCase *tcase = tcase_create("console");
    tcase_add_loop_test(tcase, lines_end_as_in_java, 0, ARRAY_SIZE(inputs));
    tcase_add_test(tcase, all_of_it_may_be_read_at_once);
    tcase_add_test(tcase, a_pipe_is_no_terminal);
    suite_add_tcase(suite, tcase);
    return suite;
}
CHECK_MAIN(make_suite)
