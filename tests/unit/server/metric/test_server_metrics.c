/*
 * test_server_metrics.c - a dump like Java's line for line, after the samples of tests/golden/metric/MakeDump.java.
 *
 * The orders of Java's maps are tested by it too: 40 keys of a set, 51 counters.
 */
#include "server/metric/server_metrics.h"

#include <float.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/base/buffer.h"
#include "common/base/memory.h"
#include "common/thread/thread.h"
#include "server/metric/histogram.h"
#include "server/metric/java_map_order.h"
#include "tests/lib/check_main.h"

static void append_row(void *context, const char *name, const char *text)
{
    buffer_printf(context, "%s=%s\n", name, text);
}

static void read_golden(struct buffer *ret_text)
{
    const char *top = getenv("ZKC_SOURCE");
    struct buffer path = {0};
    buffer_printf(&path, "%s/tests/golden/metric/dump.txt", top != NULL ? top : ".");
    FILE *file = fopen(buffer_string(&path), "rb");
    ck_assert_msg(file != NULL, "cannot open %s", buffer_string(&path));
    size_t count;
    while ((count = fread(buffer_reserve(ret_text, 65536), 1, 65536, file)) > 0)
        ret_text->size += count;
    fclose(file);
    buffer_release(&path);
}

static void sample(struct server_metrics *metrics)
{
    char key[32];
    server_metrics_count(metrics, METRIC_SNAP_COUNT, 3);
    server_metrics_count(metrics, METRIC_BYTES_RECEIVED_COUNT, INT64_C(1) << 40);
    for (int i = 1; i <= 7; i++) {
        server_metrics_sample(metrics, METRIC_FSYNC_TIME, i * i);
        server_metrics_sample(metrics, METRIC_READ_LATENCY, i * 9);
        snprintf(key, sizeof(key), "a%d", i % 3);
        server_metrics_sample_key(metrics, METRIC_WRITE_PER_NAMESPACE, ustring_of(key), i);
    }
    for (int i = 0; i < 1000; i++)
        server_metrics_sample(metrics, METRIC_UPDATE_LATENCY, i % 60);
    server_metrics_sample(metrics, METRIC_PREP_PROCESS_TIME, -5);
    for (int i = 0; i < 40; i++) {
        snprintf(key, sizeof(key), "name%d", i);
        server_metrics_count_key(metrics, METRIC_QUOTA_EXCEEDED_ERROR_PER_NAMESPACE, ustring_of(key), i);
        snprintf(key, sizeof(key), "%d", i * 7);
        server_metrics_sample_key(metrics, METRIC_ACK_LATENCY, ustring_of(key), i);
    }
}

START_TEST(dump_is_that_of_java)
{
    struct server_metrics *metrics = server_metrics_new();
    struct buffer actual = {0};
    struct buffer expected = {0};
    sample(metrics);
    server_metrics_dump(metrics, append_row, &actual);
    read_golden(&expected);
    ck_assert_str_eq(buffer_string(&actual), buffer_string(&expected));
    buffer_release(&actual);
    buffer_release(&expected);
    server_metrics_free(metrics);
}
END_TEST

START_TEST(a_run_counts_as_its_samples_do)
{
    static const int64_t values[] = {0, 0, 0, 3, 3, 0, -1, -1, 7, 7, 7, 7};
    struct server_metrics *one_by_one = server_metrics_new(), *in_runs = server_metrics_new();
    struct metric_run latency = {0}, size = {0};
    for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
        server_metrics_sample(one_by_one, METRIC_READ_LATENCY, values[i]);
        server_metrics_sample(one_by_one, METRIC_FSYNC_TIME, values[i]);
        server_metrics_sample_run(in_runs, METRIC_READ_LATENCY, &latency, values[i]);
        server_metrics_sample_run(in_runs, METRIC_FSYNC_TIME, &size, values[i]);
    }
    server_metrics_end_run(in_runs, METRIC_READ_LATENCY, &latency);
    server_metrics_end_run(in_runs, METRIC_FSYNC_TIME, &size);
    server_metrics_end_run(in_runs, METRIC_FSYNC_TIME, &size);    /* an empty one */
    struct buffer expected = {0}, text = {0};
    server_metrics_dump(one_by_one, append_row, &expected);
    server_metrics_dump(in_runs, append_row, &text);
    ck_assert_str_eq(buffer_string(&text), buffer_string(&expected));
    server_metrics_sample_run(NULL, METRIC_FSYNC_TIME, &size, 1);
    server_metrics_end_run(NULL, METRIC_FSYNC_TIME, &size);
    buffer_release(&expected);
    buffer_release(&text);
    server_metrics_free(one_by_one);
    server_metrics_free(in_runs);
}
END_TEST

START_TEST(reset_leaves_zeros)
{
    struct server_metrics *metrics = server_metrics_new();
    sample(metrics);
    ck_assert_int_eq(server_metrics_value(metrics, METRIC_FSYNC_TIME), 140);
    ck_assert_int_eq(server_metrics_value(metrics, METRIC_SNAP_COUNT), 3);
    server_metrics_reset(metrics);
    struct buffer text = {0};
    server_metrics_dump(metrics, append_row, &text);
    for (char *line = strtok(buffer_string(&text), "\n"); line != NULL; line = strtok(NULL, "\n"))
        ck_assert_msg(strcmp(strchr(line, '='), strncmp(line, "avg_", 4) == 0 ? "=0.0" : "=0") == 0, "%s", line);
    buffer_release(&text);
    server_metrics_free(metrics);
}
END_TEST

START_TEST(a_room_without_a_server_has_no_metrics)
{
    server_metrics_count(NULL, METRIC_SNAP_COUNT, 1);
    server_metrics_sample(NULL, METRIC_FSYNC_TIME, 1);
    server_metrics_count_key(NULL, METRIC_QUOTA_EXCEEDED_ERROR_PER_NAMESPACE, ustring_of("a"), 1);
    server_metrics_sample_key(NULL, METRIC_ACK_LATENCY, ustring_of("a"), 1);
    server_metrics_free(NULL);
}
END_TEST

START_TEST(keys_of_a_set_are_bounded)
{
    struct server_metrics *metrics = server_metrics_new();
    struct buffer text = {0};
    for (int i = 0; i < 6000; i++) {
        char key[32];
        snprintf(key, sizeof(key), "%d", i);
        server_metrics_count_key(metrics, METRIC_QUOTA_EXCEEDED_ERROR_PER_NAMESPACE, ustring_of(key), 1);
    }
    server_metrics_dump(metrics, append_row, &text);
    size_t rows = 0;
    for (char *at = buffer_string(&text); (at = strstr(at, "_quota_exceeded_error_per_namespace=1\n")) != NULL; at++)
        rows++;
    ck_assert_uint_eq(rows, 4096);
    buffer_release(&text);
    server_metrics_free(metrics);
}
END_TEST

#define ROUNDS 20000

static void count_much(void *arg)
{
    struct server_metrics *metrics = arg;
    for (int i = 0; i < ROUNDS; i++) {
        char key[2] = {(char)('a' + i % 20), '\0'};
        server_metrics_count(metrics, METRIC_SNAP_COUNT, 1);
        server_metrics_sample(metrics, METRIC_READ_LATENCY, i);
        server_metrics_sample_key(metrics, METRIC_ACK_LATENCY, ustring_of(key), 1);
    }
}

START_TEST(no_count_is_lost_between_threads)
{
    struct server_metrics *metrics = server_metrics_new();
    struct thread *first = thread_start("first", count_much, metrics);
    struct thread *second = thread_start("second", count_much, metrics);
    struct buffer text = {0};
    server_metrics_dump(metrics, append_row, &text);
    thread_join(first);
    thread_join(second);
    ck_assert_int_eq(server_metrics_value(metrics, METRIC_SNAP_COUNT), 2 * ROUNDS);
    buffer_clear(&text);
    server_metrics_dump(metrics, append_row, &text);
    char line[64];
    snprintf(line, sizeof(line), "\nsum_a_ack_latency=%d\n", 2 * ROUNDS / 20);
    ck_assert_ptr_nonnull(strstr(buffer_string(&text), line));
    snprintf(line, sizeof(line), "\ncnt_readlatency=%d\n", 2 * ROUNDS);
    ck_assert_ptr_nonnull(strstr(buffer_string(&text), line));
    buffer_release(&text);
    server_metrics_free(metrics);
}
END_TEST

static const struct {
    double value;
    const char *text;
} doubles[] = {
    {0, "0.0"},
    {-0.0, "-0.0"},
    {1, "1.0"},
    {0.3333, "0.3333"},
    {12.5, "12.5"},
    {1e10, "1.0E10"},
    {1e-5, "1.0E-5"},
    {1234567, "1234567.0"},
    {12345678, "1.2345678E7"},
    {9999999, "9999999.0"},
    {1e7, "1.0E7"},
    {0.001, "0.001"},
    {0.00099, "9.9E-4"},
    {123456.7891, "123456.7891"},
    {-2.5, "-2.5"},
    {1.0 / 3, "0.3333333333333333"},
    {1e21, "1.0E21"},
    {DBL_MAX, "1.7976931348623157E308"},
    {9007199254740993.0, "9.007199254740992E15"},
};

START_TEST(double_is_printed_as_java_does)
{
    char text[32];
    format_java_double(doubles[_i].value, text);
    ck_assert_str_eq(text, doubles[_i].text);
}
END_TEST

START_TEST(percentiles_are_exact_for_few_and_near_for_many)
{
    struct histogram *histogram = histogram_new();
    ck_assert_int_eq(histogram_percentile(histogram, 0.5), 0);
    histogram_add(histogram, 10);
    histogram_add(histogram, 20);
    ck_assert_int_eq(histogram_percentile(histogram, 0.5), 15);    /* between the two, as Java does */
    ck_assert_int_eq(histogram_percentile(histogram, 0.999), 20);
    ck_assert_int_eq(histogram_percentile(histogram, 0.1), 10);
    histogram_reset(histogram);
    for (int64_t value = 1; value <= 100000; value++)
        histogram_add(histogram, value);
    static const double quantiles[] = {0.5, 0.95, 0.99, 0.999};
    for (size_t i = 0; i < ARRAY_SIZE(quantiles); i++) {
        double exact = quantiles[i] * 100000;
        double error = (double)histogram_percentile(histogram, quantiles[i]) / exact - 1;
        ck_assert(error > -0.03 && error < 0.03);
    }
    histogram_reset(histogram);
    static const int64_t extremes[] = {INT64_MIN, INT64_MAX, INT64_C(1) << 40, (INT64_C(1) << 40) - 1, 63, 64, 65};
    for (size_t i = 0; i < ARRAY_SIZE(extremes); i++)
        histogram_add(histogram, extremes[i]);
    ck_assert_int_eq(histogram_percentile(histogram, 0.5), 64);    /* 65, of a cell two wide */
    histogram_free(histogram);
}
END_TEST

START_TEST(sessions_in_the_order_of_a_concurrent_map)
{
    static const size_t expected[] = {12, 2, 13, 0, 11, 1, 4, 5, 3, 7, 6, 10, 8, 9};
    int32_t hashes[ARRAY_SIZE(expected)];
    size_t order[ARRAY_SIZE(expected)];
    for (size_t i = 0; i < ARRAY_SIZE(expected); i++)
        hashes[i] = java_long_hash(INT64_C(0x100001234560000) + (int64_t)i * 3);
    java_map_order(hashes, ARRAY_SIZE(expected), order);
    for (size_t i = 0; i < ARRAY_SIZE(expected); i++)
        ck_assert_uint_eq(order[i], expected[i]);
    java_map_order(hashes, 0, order);
}
END_TEST

static Suite *server_metrics_suite(void)
{
    Suite *suite = suite_create("server_metrics");
    TCase *tcase = tcase_create("server_metrics");
    tcase_add_test(tcase, dump_is_that_of_java);
    tcase_add_test(tcase, a_run_counts_as_its_samples_do);
    tcase_add_test(tcase, reset_leaves_zeros);
    tcase_add_test(tcase, a_room_without_a_server_has_no_metrics);
    tcase_add_test(tcase, keys_of_a_set_are_bounded);
    tcase_add_test(tcase, no_count_is_lost_between_threads);
    tcase_add_loop_test(tcase, double_is_printed_as_java_does, 0, ARRAY_SIZE(doubles));
    tcase_add_test(tcase, percentiles_are_exact_for_few_and_near_for_many);
    tcase_add_test(tcase, sessions_in_the_order_of_a_concurrent_map);
    suite_add_tcase(suite, tcase);
    return suite;
}

CHECK_MAIN(server_metrics_suite)
