/* test_bench_options.c - the command line. */
#include "client/bench/bench_options.h"

#include <string.h>

#include "common/base/memory.h"
#include "common/base/strings.h"
#include "tests/lib/check_main.h"

#define WORDS 12
static int parse(const char *line, struct bench_options *ret_options, struct error *error)
{
    char *copy = string_copy(line), *rest = copy, *words[WORDS] = {(char *)"zkbench"};
    int count = 1;
    for (char *word; (word = strsep(&rest, " ")) != NULL && count < WORDS;)
        if (*word != '\0')
            words[count++] = word;
    int err = bench_options_parse(count, words, ret_options, error);
    memory_free(copy);
    return err;
}

START_TEST(without_any_it_reads)
{
    struct bench_options options;
    ck_assert_int_eq(parse("", &options, NULL), ZK_OK);
    ck_assert_str_eq(options.server, "localhost:2181");
    ck_assert_int_eq(options.sessions, 16);
    ck_assert_int_eq(options.depth, 1);
    ck_assert_int_eq(options.size_least, 100);
    ck_assert_int_eq(options.size_most, 100);
    ck_assert_int_eq(options.duration_ms, 10000);
    ck_assert_uint_eq(options.mix.weights[BENCH_OP_READ], options.mix.total);
    bench_options_release(&options);
}
END_TEST

START_TEST(each_goes_where_it_belongs)
{
    struct bench_options options;
    ck_assert_int_eq(parse("-server a:1/b --size 10-1000 --duration 0.25 --warmup 2 -Dkey=value", &options, NULL),
                     ZK_OK);
    ck_assert_str_eq(options.server, "a:1/b");
    ck_assert_int_eq(options.size_least, 10);
    ck_assert_int_eq(options.size_most, 1000);
    ck_assert_int_eq(options.duration_ms, 250);
    ck_assert_int_eq(options.warm_up_ms, 2000);
    ck_assert_str_eq(properties_get(&options.properties, "key"), "value");
    bench_options_release(&options);
    ck_assert_int_eq(parse("--json --rate 5000 --requests 7 --path /a/b --keep", &options, NULL), ZK_OK);
    ck_assert(options.is_json && options.keeps && !options.is_quiet);
    ck_assert_int_eq(options.rate, 5000);
    ck_assert_int_eq(options.requests, 7);
    ck_assert_str_eq(options.path, "/a/b");
    bench_options_release(&options);
}
END_TEST

static const struct { const char *line, *complaint; } wrong[] = {
    { "--dpth 3", "there is no option \"--dpth\"; is it --depth?" },
    { "what", "there is no option \"what\"" },
    { "--depth", "--depth takes an argument" },
    { "--depth 0", "--depth takes a number from 1 to 65536, not \"0\"" },
    { "--depth 3x", "not \"3x\"" },
    { "--sessions 100000", "--sessions takes a number from 1 to 99999, not \"100000\"" },
    { "--size 10-", "--size takes a number of bytes" },
    { "--size 20-10", "not \"20-10\"" },
    { "--size 1000001", "not \"1000001\"" },
    { "--duration 0", "more than 0" },
    { "--duration 1.2345", "--duration takes seconds up to 604800, with up to three decimals" },
    { "--duration 1s", "not \"1s\"" },
    { "--warmup .", "not \".\"" },
    { "--workload reed", "\"reed\"" },
    { "--threads 17", "17 threads cannot share 16 sessions" },
    { "--workload connect --rate 5", "--rate goes with requests only, not with connect" },
    { "--workload fan-out --threads 2", "fan-out takes one thread" },
    { "--workload fan-out --sessions 1", "two sessions or more" },
    { "--workload idle --requests 5", "--requests does not go with idle" },
    { "--path a", "--path takes a path" },
    { "--path /", "--path takes a path" },
    { "--path /a/", "--path takes a path" },
};

START_TEST(nonsense_is_refused_and_named)
{
    struct error error = {0};
    struct bench_options options = {.depth = 77};
    ck_assert_int_eq(parse(wrong[_i].line, &options, &error), ZK_BAD_ARGUMENTS);
    ck_assert_msg(strstr(error.text, wrong[_i].complaint) != NULL, "%s", error.text);
    ck_assert_int_eq(options.depth, 77);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("bench_options");
    TCase *tcase = tcase_create("bench_options");
    tcase_add_test(tcase, without_any_it_reads);
    tcase_add_test(tcase, each_goes_where_it_belongs);
    tcase_add_loop_test(tcase, nonsense_is_refused_and_named, 0, ARRAY_SIZE(wrong));
    suite_add_tcase(suite, tcase);
    return suite;
}

CHECK_MAIN(make_suite)
