/* test_server_stats.c - averages as Java rounds them, and the rest of what srvr tells. */
#include "server/metric/server_stats.h"

#include "common/base/memory.h"
#include "tests/lib/check_main.h"

static const struct {
    int64_t total, count;
    double average;
} averages[] = {
    {0, 1, 0},          {1, 3, 0.3333},      {2, 3, 0.6667},  {1, 32, 0.0313},
    {3, 32, 0.0938},    {5, 32, 0.1563},     {-1, 32, -0.0313}, {7, 8, 0.875},
    {1, 20000, 0.0001}, {22, 7, 3.1429},     {-7, 3, -2.3333}, {33, 160000, 0.0002},
    {1000000007, 32, 31250000.2188},
    {INT64_MAX, 1, 9223372036854775807.0},
};

START_TEST(average_is_rounded_as_java_does)
{
    struct latency_stats stats;
    latency_stats_init(&stats);
    atomic_store(&stats.total, averages[_i].total);
    atomic_store(&stats.count, averages[_i].count);
    ck_assert_msg(latency_stats_avg(&stats) == averages[_i].average, "%g, not %g", latency_stats_avg(&stats),
                  averages[_i].average);
}
END_TEST

START_TEST(nothing_counted_is_zero)
{
    struct latency_stats stats;
    latency_stats_init(&stats);
    ck_assert_int_eq(latency_stats_min(&stats), 0);
    ck_assert_int_eq(latency_stats_max(&stats), 0);
    ck_assert(latency_stats_avg(&stats) == 0);
    latency_stats_add(&stats, 5);
    latency_stats_add(&stats, -2);
    ck_assert_int_eq(latency_stats_min(&stats), -2);
    ck_assert_int_eq(latency_stats_max(&stats), 5);
    ck_assert(latency_stats_avg(&stats) == 1.5);
    latency_stats_reset(&stats);
    ck_assert_int_eq(latency_stats_min(&stats), 0);
    ck_assert_int_eq(latency_stats_max(&stats), 0);
}
END_TEST

START_TEST(response_sizes)
{
    struct server_stats stats;
    server_stats_init(&stats);
    ck_assert_int_eq(stats.client_response_last, -1);
    static const int32_t sizes[] = {20, 7, 90};
    for (size_t i = 0; i < ARRAY_SIZE(sizes); i++)
        server_stats_update_client_response_size(&stats, sizes[i]);
    ck_assert_int_eq(stats.client_response_last, 90);
    ck_assert_int_eq(stats.client_response_min, 7);
    ck_assert_int_eq(stats.client_response_max, 90);
    atomic_store(&stats.packets_sent, 4);
    atomic_store(&stats.auth_failed_count, 3);
    server_stats_reset(&stats);
    ck_assert_int_eq(stats.client_response_min, -1);
    ck_assert_int_eq(stats.packets_sent, 0);
    ck_assert_int_eq(stats.auth_failed_count, 3);    /* srst leaves that */
}
END_TEST

static Suite *server_stats_suite(void)
{
    Suite *suite = suite_create("server_stats");
    TCase *tcase = tcase_create("server_stats");
    tcase_add_loop_test(tcase, average_is_rounded_as_java_does, 0, ARRAY_SIZE(averages));
    tcase_add_test(tcase, nothing_counted_is_zero);
    tcase_add_test(tcase, response_sizes);
    suite_add_tcase(suite, tcase);
    return suite;
}

CHECK_MAIN(server_stats_suite)
