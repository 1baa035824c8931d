/* test_bench_histogram.c - percentiles, held against all values sorted. */
#include "client/bench/bench_histogram.h"

#include <stdlib.h>

#include "common/base/memory.h"
#include "common/base/random.h"
#include "tests/lib/check_main.h"

static struct bench_histogram *histogram;

static void set_up(void)
{
    histogram = MEMORY_NEW(struct bench_histogram);
}

static void tear_down(void)
{
    memory_free(histogram);
}

START_TEST(an_empty_one_has_zeros)
{
    ck_assert_int_eq(bench_histogram_percentile(histogram, 50), 0);
    ck_assert_int_eq(bench_histogram_percentile(histogram, 100), 0);
    ck_assert_double_eq(bench_histogram_mean(histogram), 0);
}
END_TEST

/* A value alone, with a greater one beside it so that the greatest does not hide what the cell says. */
START_TEST(the_error_is_bounded_at_each_edge)
{
    for (int bit = 0; bit < BENCH_HISTOGRAM_TOP_BIT; bit++)
        for (int64_t near = -2; near <= 2; near++) {
            int64_t value = (INT64_C(1) << bit) + near;
            if (value < 0 || value >= (INT64_C(1) << BENCH_HISTOGRAM_TOP_BIT) - 1)
                continue;
            struct bench_histogram *one = MEMORY_NEW(struct bench_histogram);
            bench_histogram_add(one, value);
            bench_histogram_add(one, INT64_MAX / 2);
            int64_t shown = bench_histogram_percentile(one, 50);
            ck_assert_int_ge(shown, value);
            ck_assert_int_le(shown - value, value / 128);
            memory_free(one);
        }
}
END_TEST

START_TEST(small_values_are_exact)
{
    for (int64_t value = 0; value < 256; value++)
        bench_histogram_add(histogram, value);
    for (int percent = 0; percent <= 100; percent++)
        ck_assert_int_eq(bench_histogram_percentile(histogram, percent),
                         percent == 0 ? 0 : (256 * percent + 99) / 100 - 1);
    ck_assert_double_eq_tol(bench_histogram_mean(histogram), 127.5, 1e-9);
}
END_TEST

START_TEST(what_is_out_of_range_is_at_its_ends)
{
    bench_histogram_add(histogram, -5);
    ck_assert_int_eq(bench_histogram_percentile(histogram, 100), 0);
    bench_histogram_add(histogram, INT64_MAX);
    ck_assert_int_eq(histogram->most, INT64_MAX);
    ck_assert_int_eq(bench_histogram_percentile(histogram, 100), INT64_MAX);
}
END_TEST

static int compare(const void *a, const void *b)
{
    const int64_t *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

START_TEST(percentiles_are_those_of_the_sorted_values)
{
    enum { COUNT = 20000 };
    static const double percents[] = {0, 1, 50, 90, 99, 99.9, 99.99, 100};
    int64_t *values = MEMORY_NEW_ARRAY(COUNT, int64_t);
    random_seed(7);
    for (int i = 0; i < COUNT; i++) {
        values[i] = (int64_t)(random_uint64() >> (20 + random_below(43)));
        bench_histogram_add(histogram, values[i]);
    }
    qsort(values, COUNT, sizeof(values[0]), compare);
    for (size_t i = 0; i < ARRAY_SIZE(percents); i++) {
        size_t rank = (size_t)(percents[i] * COUNT / 100 + 0.999999);
        int64_t exact = values[rank == 0 ? 0 : rank - 1];
        if (exact >= INT64_C(1) << BENCH_HISTOGRAM_TOP_BIT)
            continue;
        int64_t shown = bench_histogram_percentile(histogram, percents[i]);
        ck_assert_int_ge(shown, exact);
        ck_assert_int_le(shown - exact, exact / 128);
    }
    memory_free(values);
}
END_TEST

START_TEST(merged_ones_are_as_one)
{
    struct bench_histogram *other = MEMORY_NEW(struct bench_histogram), *whole = MEMORY_NEW(struct bench_histogram);
    for (int64_t i = 0; i < 1000; i++) {
        bench_histogram_add(i % 3 == 0 ? histogram : other, i * i);
        bench_histogram_add(whole, i * i);
    }
    bench_histogram_merge(histogram, other);
    for (int percent = 0; percent <= 100; percent++)
        ck_assert_int_eq(bench_histogram_percentile(histogram, percent), bench_histogram_percentile(whole, percent));
    ck_assert_uint_eq(histogram->count, 1000);
    ck_assert_int_eq(histogram->least, 0);
    ck_assert_int_eq(histogram->most, 999 * 999);
    memory_free(other);
    memory_free(whole);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("bench_histogram");
    TCase *tcase = tcase_create("bench_histogram");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, an_empty_one_has_zeros);
    tcase_add_test(tcase, the_error_is_bounded_at_each_edge);
    tcase_add_test(tcase, small_values_are_exact);
    tcase_add_test(tcase, what_is_out_of_range_is_at_its_ends);
    tcase_add_test(tcase, percentiles_are_those_of_the_sorted_values);
    tcase_add_test(tcase, merged_ones_are_as_one);
    suite_add_tcase(suite, tcase);
    return suite;
}

CHECK_MAIN(make_suite)
