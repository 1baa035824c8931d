/* Lines as words. What is expected is what Java's pattern finds in these lines. */
#include "client/cli/cli_line.h"

#include <string.h>

#include "common/base/buffer.h"
#include "common/base/memory.h"
#include "tests/lib/check_main.h"

static const struct { const char *fact, *line, *words; } lines[] = {
    { "words stand between white space", "create /a data", "[create][/a][data]" },
    { "white space around and between does not count", " \tget   /a\t ", "[get][/a]" },
    { "double quotes hold a word together", "set /a \"x y\"", "[set][/a][x y]" },
    { "single quotes do too, with double ones inside", "set /a '{\"k\": 1}'", "[set][/a][{\"k\": 1}]" },
    { "quotes around nothing are an empty word", "set /a \"\"", "[set][/a][]" },
    { "a quote within a word opens nothing", "set /a b\"c d\"", "[set][/a][b\"c][d\"]" },
    { "a quote closes its word", "set /a \"b c\"d", "[set][/a][b c][d]" },
    { "quoted words may touch", "'a''b'", "[a][b]" },
    { "a quote that is never closed is left out", "set /a \"b c", "[set][/a][b][c]" },
    { "an escape is none", "set /a \\\"b", "[set][/a][\\\"b]" },
    { "an open quote behind white space at the start takes the last of that along", "  \"b c", "[ \"b][c]" },
    { "white space alone is one word, its last character", "   ", "[ ]" },
    { "a lone quote is nothing", "\"", "" },
    { "nothing is nothing", "", "" },
    { "a quoted word may begin and end with spaces", "'  a '", "[  a ]" },
    { "letters beyond ASCII are letters", "create /\xc3\xa4 \xe2\x82\xac", "[create][/\xc3\xa4][\xe2\x82\xac]" },
};

START_TEST(lines_are_split_as_java_does)
{
    struct words words = {0};
    struct buffer shown = {0};
    line_split(lines[_i].line, &words);
    for (size_t i = 0; i < words.count; i++)
        buffer_printf(&shown, "[%s]", words.items[i]);
    ck_assert_msg(strcmp(buffer_string(&shown), lines[_i].words) == 0, "%s: %s", lines[_i].fact, buffer_string(&shown));
    buffer_release(&shown);
    words_release(&words);
}
END_TEST

START_TEST(a_line_of_a_mebibyte_is_split)
{
    struct buffer line = {0};
    struct words words = {0};
    for (int i = 0; i < 1 << 19; i++)
        buffer_append_string(&line, "a ");
    line_split(buffer_string(&line), &words);
    ck_assert_uint_eq(words.count, 1 << 19);
    words_release(&words);
    buffer_release(&line);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("cli_line");
    TCase *tcase = tcase_create("cli_line");
    tcase_add_loop_test(tcase, lines_are_split_as_java_does, 0, ARRAY_SIZE(lines));
    tcase_add_test(tcase, a_line_of_a_mebibyte_is_split);
    suite_add_tcase(suite, tcase);
    return suite;
}
CHECK_MAIN(make_suite)
