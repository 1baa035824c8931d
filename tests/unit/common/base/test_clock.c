/* test_clock.c - a clock that goes, and one that a test moves. */
#include "common/base/clock.h"

#include <stdlib.h>

#include "tests/lib/check_main.h"

START_TEST(elapsed_time_never_goes_back)
{
    int64_t before = clock_elapsed_ns();
    for (int i = 0; i < 1000; i++) {
        int64_t now = clock_elapsed_ns();
        ck_assert_int_ge(now, before);
        before = now;
    }
    int64_t coarse_ms = clock_coarse_ms();
    ck_assert_int_le(coarse_ms, clock_elapsed_ms());
    ck_assert_int_lt(clock_elapsed_ms() - coarse_ms, 60000);
    ck_assert_int_gt(clock_wall_ms(), INT64_C(1600000000000));
}
END_TEST

START_TEST(a_sleep_lasts_at_least_as_long_as_asked)
{
    int64_t start_ms = clock_elapsed_ms();
    clock_sleep_ms(5);
    ck_assert_int_ge(clock_elapsed_ms() - start_ms, 5);
    clock_sleep_ms(-1);
}
END_TEST

START_TEST(a_frozen_clock_goes_only_by_advance)
{
    clock_freeze(1000, 5000);
    ck_assert_int_eq(clock_elapsed_ms(), 1000);
    ck_assert_int_eq(clock_elapsed_ns(), 1000000000);
    ck_assert_int_eq(clock_wall_ms(), 5000);
    clock_advance_ms(250);
    ck_assert_int_eq(clock_elapsed_ms(), 1250);
    ck_assert_int_eq(clock_coarse_ms(), 1250);
    ck_assert_int_eq(clock_wall_ms(), 5250);
    clock_set_wall_ms(10);
    ck_assert_int_eq(clock_wall_ms(), 10);
    ck_assert_int_eq(clock_elapsed_ms(), 1250);
    clock_thaw();
    ck_assert_int_gt(clock_wall_ms(), INT64_C(1600000000000));
}
END_TEST

START_TEST(a_sleep_that_became_too_long_is_seen_where_time_is_real)
{
    int64_t begin_ms = clock_sleep_begins_ms();
    clock_sleep_ms(20);
    ck_assert_int_ge(clock_overslept_ms(begin_ms, 5), 15);
    clock_freeze(1000, 5000);
    ck_assert_int_eq(clock_overslept_ms(begin_ms, 5), 0);
    begin_ms = clock_sleep_begins_ms();
    clock_advance_ms(1000);
    ck_assert_int_eq(clock_overslept_ms(begin_ms, 5), 0);
    clock_thaw();
    ck_assert_int_eq(clock_overslept_ms(begin_ms, 5), 0);
}
END_TEST

START_TEST(a_nap_ends_at_the_deadline)
{
    clock_freeze(1000, 0);
    ck_assert_int_eq(clock_nap_ns(999), 0);
    ck_assert_int_eq(clock_nap_ns(1000), 0);
    ck_assert_int_eq(clock_nap_ns(INT64_MIN), 0);
    ck_assert_int_eq(clock_nap_ns(1001), 1000000);
    ck_assert_int_eq(clock_nap_ns(1100), 2000000);
    ck_assert_int_eq(clock_nap_ns(INT64_MAX), 2000000);
    clock_thaw();
    ck_assert_int_eq(clock_nap_ns(INT64_MAX), INT64_C(3600000000000));
    ck_assert_int_le(clock_nap_ns(clock_elapsed_ms() + 50), 50000000);
}
END_TEST

START_TEST(a_time_that_cannot_be_is_no_time_ago)
{
    clock_freeze(1000, 5000);
    ck_assert_int_eq(clock_wall_ms_since(3000), 2000);
    ck_assert_int_eq(clock_wall_ms_since(6000), -1000);
    ck_assert_int_eq(clock_wall_ms_since(INT64_MIN), 0);
    clock_thaw();
}
END_TEST

START_TEST(local_time_is_for_people)
{
    setenv("TZ", "UTC", 1);
    struct tm time;
    clock_local_time(INT64_C(1769829127512), &time);
    ck_assert_int_eq(time.tm_year, 126);
    ck_assert_int_eq(time.tm_mon, 0);
    ck_assert_int_eq(time.tm_mday, 31);
    ck_assert_int_eq(time.tm_hour, 3);
    ck_assert_int_eq(time.tm_min, 12);
    ck_assert_int_eq(time.tm_sec, 7);
    clock_local_time(-1, &time);
    ck_assert_int_eq(time.tm_year, 69);
    ck_assert_int_eq(time.tm_sec, 59);
}
END_TEST

static Suite *clock_suite(void)
{
    Suite *suite = suite_create("clock");
    TCase *tcase = tcase_create("clock");
    tcase_add_test(tcase, elapsed_time_never_goes_back);
    tcase_add_test(tcase, a_sleep_lasts_at_least_as_long_as_asked);
    tcase_add_test(tcase, a_frozen_clock_goes_only_by_advance);
    tcase_add_test(tcase, a_sleep_that_became_too_long_is_seen_where_time_is_real);
    tcase_add_test(tcase, a_nap_ends_at_the_deadline);
    tcase_add_test(tcase, a_time_that_cannot_be_is_no_time_ago);
    tcase_add_test(tcase, local_time_is_for_people);
    suite_add_tcase(suite, tcase);
    return suite;
}

CHECK_MAIN(clock_suite)
