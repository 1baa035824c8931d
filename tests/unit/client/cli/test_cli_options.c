/* The command line of the shell. */
#include "client/cli/cli_options.h"

#include <string.h>

#include "common/base/memory.h"
#include "tests/lib/check_main.h"

#define MOST_WORDS 32

static int parse(const char *line, struct cli_options *options, struct error *error)
{
    char copy[256], *state = NULL;
    char name[] = "zkcli", *words[MOST_WORDS] = { name };
    int count = 1;
    strncpy(copy, line, sizeof(copy) - 1);
    copy[sizeof(copy) - 1] = '\0';
    for (char *word = strtok_r(copy, " ", &state); word != NULL; word = strtok_r(NULL, " ", &state))
        words[count++] = word;
    return cli_options_parse(count, words, options, error);
}

START_TEST(what_is_not_given_is_javas_default)
{
    struct cli_options options;
    ck_assert_int_eq(parse("", &options, NULL), ZK_OK);
    ck_assert_str_eq(options.server, "localhost:2181");
    ck_assert_int_eq(options.timeout_ms, 30000);
    ck_assert(!options.read_only && !options.wait_for_connection && !options.is_json);
    ck_assert_uint_eq(options.command.count, 0);
    cli_options_release(&options);
}
END_TEST

START_TEST(every_option_is_taken)
{
    struct cli_options options;
    ck_assert_int_eq(
        parse("-server a:1/c -timeout 500 -r -client-configuration f -waitforconnection -Dk=v=w --json --quiet "
              "--raw --strict ls -s -server /",
              &options, NULL),
        ZK_OK);
    ck_assert_str_eq(options.server, "a:1/c");
    ck_assert_int_eq(options.timeout_ms, 500);
    ck_assert_str_eq(options.client_configuration, "f");
    ck_assert_str_eq(properties_get(&options.properties, "k"), "v=w");
    ck_assert(options.read_only && options.wait_for_connection && options.is_json && options.is_quiet);
    ck_assert(options.is_raw && options.is_strict);
    ck_assert_uint_eq(options.command.count, 4);
    ck_assert_str_eq(options.command.items[2], "-server");
    ck_assert_uint_eq(options.warnings.size, 0);
    cli_options_release(&options);
}
END_TEST

START_TEST(the_last_of_two_counts)
{
    struct cli_options options;
    ck_assert_int_eq(parse("-server a -server b", &options, NULL), ZK_OK);
    ck_assert_str_eq(options.server, "b");
    cli_options_release(&options);
}
END_TEST

START_TEST(an_unknown_option_is_passed_over_with_a_warning)
{
    struct cli_options options;
    ck_assert_int_eq(parse("-nonsense ls /", &options, NULL), ZK_OK);
    ck_assert_str_eq(options.command.items[0], "ls");
    ck_assert_ptr_nonnull(strstr(buffer_string(&options.warnings), "-nonsense"));
    cli_options_release(&options);
}
END_TEST

static const struct { const char *line, *complaint; } bad_lines[] = {
    { "-server", "Error: no argument found for option -server" },
    { "-r -timeout", "Error: no argument found for option -timeout" },
    { "-client-configuration", "Error: no argument found for option -client-configuration" },
    { "-timeout soon ls /", "-timeout takes a number" },
    { "-timeout 99999999999", "-timeout takes a number" },
};

START_TEST(what_is_missing_or_no_number_is_told)
{
    struct cli_options options;
    struct error error = {0};
    ck_assert_int_eq(parse(bad_lines[_i].line, &options, &error), ZK_BAD_ARGUMENTS);
    ck_assert_msg(strstr(error.text, bad_lines[_i].complaint) != NULL, "%s", error.text);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("cli_options");
    TCase *tcase = tcase_create("cli_options");
    tcase_add_test(tcase, what_is_not_given_is_javas_default);
    tcase_add_test(tcase, every_option_is_taken);
    tcase_add_test(tcase, the_last_of_two_counts);
    tcase_add_test(tcase, an_unknown_option_is_passed_over_with_a_warning);
    tcase_add_loop_test(tcase, what_is_missing_or_no_number_is_told, 0, ARRAY_SIZE(bad_lines));
    suite_add_tcase(suite, tcase);
    return suite;
}
CHECK_MAIN(make_suite)
