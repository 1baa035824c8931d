/* Options of a command. Sentences and corner cases are those of commons-cli 1.5. */
#include "client/cli/cli_arguments.h"

#include <string.h>

#include "common/base/memory.h"
#include "tests/lib/check_main.h"

static const struct option_spec set_options[] = {
    { "s", NULL, "Print znode stats additionally" },
    { "v", "version", "Set with an expected version" },
    { "b", NULL, "Supply data in base64 format" },
    { "--file", "file", "Data from a file" },
};
static const struct arguments_spec set_spec = { set_options, ARRAY_SIZE(set_options), false, false };
static const struct option_spec reconfig_options[] = {
    { "s", NULL, "stats" }, { "v", "version", "version" }, { "members", "list", "list" }, { "add", "list", "list" },
};
static const struct arguments_spec reconfig_spec = { reconfig_options, ARRAY_SIZE(reconfig_options), false, false };
static const struct option_spec quota_options[] = {
    { "n", "val", "num soft quota" }, { "b", "val", "bytes soft quota" }, { "B", "val", "bytes hard quota" },
};
static const struct arguments_spec quota_spec = { quota_options, ARRAY_SIZE(quota_options), true, true };

/* The line, and what becomes of it: operands, options in order, or the complaint behind "! ". */
static const struct { const char *fact; const struct arguments_spec *spec; const char *line, *expected; } cases[] = {
    { "an option may stand before the operands", &set_spec, "set -s /a x", "set /a x; s" },
    { "and behind them", &set_spec, "set /a x -v 3", "set /a x; v=3" },
    { "letters may stand together, the last with its value", &set_spec, "set -sv3 /a x", "set /a x; s v=3" },
    { "or take the next word", &set_spec, "set -sv 3 /a x", "set /a x; s v=3" },
    { "a value may stand behind =", &set_spec, "set -v=3 /a x", "set /a x; v=3" },
    { "a number below zero is a value", &set_spec, "set -v -1 /a x", "set /a x; v=-1" },
    { "but no operand", &set_spec, "set /a -1", "! Unrecognized option: -1" },
    { "an option is no value", &set_spec, "set /a x -v -s", "! Missing argument for option: v" },
    { "nor is the end", &set_spec, "set /a x -v", "! Missing argument for option: v" },
    { "two hyphens end the options", &set_spec, "set -- /a -1", "set /a -1; " },
    { "one hyphen is an operand", &set_spec, "set /a -", "set /a -; " },
    { "an unknown letter", &set_spec, "set -z /a x", "! Unrecognized option: -z" },
    { "an unknown letter among known ones", &set_spec, "set -sz /a x", "! Unrecognized option: -sz" },
    { "an unknown long one", &set_spec, "set --zz /a x", "! Unrecognized option: --zz" },
    { "a switch takes no value", &set_spec, "set -s=1 /a x", "! Unrecognized option: -s=1" },
    { "ours take the next word", &set_spec, "set /a --file f", "set /a; --file=f" },
    { "or what stands behind =", &set_spec, "set /a --file=f=g", "set /a; --file=f=g" },
    { "ours is no value", &set_spec, "set /a -v --file f", "! Missing argument for option: v" },
    { "every command knows --json", &set_spec, "set /a x --json", "set /a x; --json" },
    { "the first of two values counts", &set_spec, "set /a x -v 1 -v 2", "set /a x; v=1 v=2" },
    { "a long name of Java's takes one hyphen", &reconfig_spec, "reconfig -add 1=a,2=b -s", "reconfig; add=1=a,2=b s" },
    { "and no =", &reconfig_spec, "reconfig -add=x", "! Unrecognized option: -add=x" },
    { "quotes around a value go", &reconfig_spec, "reconfig -add \"x\"", "reconfig; add=x" },
    { "one of a group is enough", &quota_spec, "setquota -n 5 /a", "setquota /a; n=5" },
    { "two of a group are too many", &quota_spec, "setquota -n 5 -b 6 /a",
      "! The option 'b' was specified but an option from this group has already been selected: 'n'" },
    { "none of a group that is required", &quota_spec, "setquota /a",
      "! Missing required option: [-n num soft quota, -b bytes soft quota, -B bytes hard quota]" },
};

/* Words at single spaces, so that quotes reach the parser. */
static void split(const char *line, struct words *words)
{
    while (*line != '\0') {
        size_t size = strcspn(line, " ");
        words_add(words, line, size);
        line += size + (line[size] == ' ');
    }
}

static void show(const struct arguments *arguments, struct buffer *out)
{
    for (size_t i = 0; i < arguments->operands.count; i++)
        buffer_printf(out, "%s%s", i == 0 ? "" : " ", arguments->operands.items[i]);
    buffer_append_string(out, "; ");
    for (size_t i = 0; i < arguments->option_count; i++) {
        const struct argument *option = &arguments->options[i];
        buffer_printf(out, "%s%s%s%s", i == 0 ? "" : " ", option->option->name, option->value == NULL ? "" : "=",
                      option->value == NULL ? "" : option->value);
    }
}

START_TEST(options_are_told_from_operands)
{
    struct words words = {0};
    struct arguments arguments = {0};
    struct buffer shown = {0};
    struct error error = {0};
    split(cases[_i].line, &words);
    if (arguments_parse(cases[_i].spec, &words, &arguments, &error) == ZK_OK)
        show(&arguments, &shown);
    else
        buffer_printf(&shown, "! %s", error.text);
    ck_assert_msg(strcmp(buffer_string(&shown), cases[_i].expected) == 0, "%s: %s", cases[_i].fact,
                  buffer_string(&shown));
    arguments_release(&arguments);
    buffer_release(&shown);
    words_release(&words);
}
END_TEST

START_TEST(values_are_found_by_name)
{
    struct words words = {0};
    struct arguments arguments = {0};
    split("set /a x -v 1 -v 2 --raw", &words);
    ck_assert_int_eq(arguments_parse(&set_spec, &words, &arguments, NULL), ZK_OK);
    ck_assert_str_eq(arguments_value(&arguments, "v"), "1");
    ck_assert_ptr_null(arguments_value(&arguments, "s"));
    ck_assert(arguments_has(&arguments, "v") && !arguments_has(&arguments, "s"));
    ck_assert(arguments.is_raw && !arguments.is_json);
    arguments_release(&arguments);
    words_release(&words);
}
END_TEST

START_TEST(the_description_is_javas)
{
    struct buffer out = {0};
    arguments_describe(&set_spec, &out);
    ck_assert_str_eq(buffer_string(&out), " -b         Supply data in base64 format\n"
                                          " -s         Print znode stats additionally\n"
                                          " -v <arg>   Set with an expected version\n");
    buffer_release(&out);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("cli_arguments");
    TCase *tcase = tcase_create("cli_arguments");
    tcase_add_loop_test(tcase, options_are_told_from_operands, 0, ARRAY_SIZE(cases));
    tcase_add_test(tcase, values_are_found_by_name);
    tcase_add_test(tcase, the_description_is_javas);
    suite_add_tcase(suite, tcase);
    return suite;
}
CHECK_MAIN(make_suite)
