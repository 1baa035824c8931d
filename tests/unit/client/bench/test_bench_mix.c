/* test_bench_mix.c - workloads by name and by weight. */
#include "client/bench/bench_mix.h"

#include <string.h>

#include "common/base/memory.h"
#include "tests/lib/check_main.h"

START_TEST(a_named_workload_is_known)
{
    struct bench_mix mix;
    for (size_t i = 0; bench_workload_name(i) != NULL; i++) {
        ck_assert_int_eq(bench_mix_parse(bench_workload_name(i), &mix, NULL), ZK_OK);
        ck_assert((mix.total > 0) == (mix.shape == BENCH_SHAPE_REQUESTS));
        ck_assert_uint_gt(strlen(bench_workload_sentence(i)), 0);
    }
    for (int op = 0; op < BENCH_OP_COUNT; op++) {
        ck_assert_int_eq(bench_mix_parse(bench_op_name((enum bench_op)op), &mix, NULL), ZK_OK);
        ck_assert_uint_eq(mix.weights[op], mix.total);
        ck_assert(bench_mix_writes(&mix) == bench_op_is_write((enum bench_op)op));
    }
}
END_TEST

START_TEST(weights_share_the_numbers)
{
    struct bench_mix mix;
    uint32_t counts[BENCH_OP_COUNT] = {0};
    ck_assert_int_eq(bench_mix_parse("write:3,read:90,multi", &mix, NULL), ZK_OK);
    ck_assert_uint_eq(mix.total, 94);
    for (uint32_t number = 0; number < mix.total; number++)
        counts[bench_mix_pick(&mix, number)]++;
    for (int op = 0; op < BENCH_OP_COUNT; op++)
        ck_assert_uint_eq(counts[op], mix.weights[op]);
    ck_assert(bench_mix_writes(&mix));
}
END_TEST

START_TEST(a_weight_of_nought_never_comes)
{
    struct bench_mix mix;
    ck_assert_int_eq(bench_mix_parse("write:0,read:1", &mix, NULL), ZK_OK);
    ck_assert(!bench_mix_writes(&mix));
    ck_assert_int_eq(bench_mix_pick(&mix, 0), BENCH_OP_READ);
}
END_TEST

static const struct { const char *text, *complaint; } wrong[] = {
    { "", "there is no workload or operation \"\"" },
    { "reed", "\"reed\"" },
    { "read,", "\"\"" },
    { "read:90,fan-out:10", "\"fan-out\"" },
    { "read:", "the weight of read is a number from 0 to 1000000, not \"\"" },
    { "read:-1", "not \"-1\"" },
    { "read:1000001", "not \"1000001\"" },
    { "read:0,write:0", "are all 0" },
};

START_TEST(nonsense_is_refused_and_named)
{
    struct error error = {0};
    struct bench_mix mix = {.total = 77};
    ck_assert_int_eq(bench_mix_parse(wrong[_i].text, &mix, &error), ZK_BAD_ARGUMENTS);
    ck_assert_msg(strstr(error.text, wrong[_i].complaint) != NULL, "%s", error.text);
    ck_assert_uint_eq(mix.total, 77);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("bench_mix");
    TCase *tcase = tcase_create("bench_mix");
    tcase_add_test(tcase, a_named_workload_is_known);
    tcase_add_test(tcase, weights_share_the_numbers);
    tcase_add_test(tcase, a_weight_of_nought_never_comes);
    tcase_add_loop_test(tcase, nonsense_is_refused_and_named, 0, ARRAY_SIZE(wrong));
    suite_add_tcase(suite, tcase);
    return suite;
}

CHECK_MAIN(make_suite)
