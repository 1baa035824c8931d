/* Tokens and odds: who may come in, on a clock that is a parameter. */
#include "server/session/blue_throttle.h"

#include <string.h>

#include "common/base/log.h"
#include "common/base/random.h"
#include "tests/lib/check_main.h"

static struct blue_throttle throttle;
static struct server_options options;

static void make(int64_t tokens, int64_t fill_time_ms, int64_t fill_count)
{
    options.connection_max_tokens = tokens;
    options.connection_token_fill_time = fill_time_ms;
    options.connection_token_fill_count = fill_count;
    blue_throttle_init(&throttle, &options, 0);
}

static void set_up(void)
{
    log_set_level(NULL, LOG_OFF);
    memset(&options, 0, sizeof options);
    options.connection_freeze_time = -1;
    options.connection_throttle_global_session_weight = 3;
    options.connection_throttle_renew_session_weight = 2;
    options.connection_throttle_local_session_weight = 1;
}

static void tear_down(void)
{
    blue_throttle_release(&throttle);
}

static int admitted(enum session_kind kind, int tries, int64_t now_ms)
{
    int count = 0;
    for (int i = 0; i < tries; i++)
        count += blue_throttle_check_limit(&throttle, kind, now_ms);
    return count;
}

START_TEST(without_tokens_nothing_is_throttled)
{
    make(0, 1, 1);
    ck_assert_int_eq(admitted(SESSION_GLOBAL, 1000, 0), 1000);
    ck_assert_int_eq(blue_throttle_deficit(&throttle), 0);
}
END_TEST

START_TEST(a_bucket_empties_and_fills_with_time)
{
    make(10, 100, 2);
    ck_assert_int_eq(admitted(SESSION_GLOBAL, 20, 0), 10);
    ck_assert_int_eq(blue_throttle_deficit(&throttle), 10);
    ck_assert_int_eq(admitted(SESSION_RENEWED, 20, 100), 0);    /* more than the time must have passed */
    ck_assert_int_eq(admitted(SESSION_LOCAL, 20, 250), 5);      /* 250 * 2 / 100 */
    ck_assert_int_eq(admitted(SESSION_LOCAL, 20, 1000000), 10);
}
END_TEST

START_TEST(no_configuration_overflows)
{
    options.connection_throttle_weight_enabled = true;
    options.connection_throttle_global_session_weight = INT32_MAX;
    make(INT32_MAX, 1, INT32_MAX);
    ck_assert_int_eq(admitted(SESSION_GLOBAL, 5, INT64_C(1) << 40), 5);
    ck_assert_int_eq(blue_throttle_deficit(&throttle), INT64_C(5) * INT32_MAX);
    ck_assert_int_eq(admitted(SESSION_GLOBAL, 1, INT64_C(1) << 41), 1);
    ck_assert_int_eq(blue_throttle_deficit(&throttle), INT32_MAX);
}
END_TEST

START_TEST(kinds_of_sessions_weigh_what_they_are_told_to)
{
    options.connection_throttle_weight_enabled = true;
    make(10, 1000, 1);    /* ten global ones: 30 tokens */
    ck_assert_int_eq(admitted(SESSION_GLOBAL, 4, 0), 4);
    ck_assert_int_eq(admitted(SESSION_RENEWED, 4, 0), 4);
    ck_assert_int_eq(admitted(SESSION_LOCAL, 4, 0), 4);
    ck_assert_int_eq(blue_throttle_deficit(&throttle), 4 * (3 + 2 + 1));
    blue_throttle_release(&throttle);

    options.connection_throttle_local_session_weight = 5;    /* nothing weighs less than a local one */
    make(10, 1000, 1);
    ck_assert_int_eq(admitted(SESSION_GLOBAL, 1, 0) + admitted(SESSION_RENEWED, 1, 0), 2);
    ck_assert_int_eq(blue_throttle_deficit(&throttle), 10);
}
END_TEST

START_TEST(odds_rise_while_it_is_empty_and_fall_when_it_is_full)
{
    random_seed(1);
    options.connection_freeze_time = 10;
    options.connection_drop_increase = 0.25;
    options.connection_drop_decrease = 0.5;
    make(1, 1000000, 1);
    ck_assert_int_eq(admitted(SESSION_GLOBAL, 1, 0), 1);
    ck_assert_double_eq(blue_throttle_drop_chance(&throttle), 0);
    for (int i = 1; i <= 6; i++) {
        blue_throttle_check_limit(&throttle, SESSION_GLOBAL, 11 * i);
        blue_throttle_check_limit(&throttle, SESSION_GLOBAL, 11 * i);    /* frozen: once each time */
        ck_assert_double_eq(blue_throttle_drop_chance(&throttle), i < 4 ? 0.25 * i : 1);
    }
    ck_assert_int_eq(admitted(SESSION_GLOBAL, 100, 66), 0);
    int64_t full_ms = 3000000;
    ck_assert(!blue_throttle_check_limit(&throttle, SESSION_GLOBAL, full_ms) ||
              blue_throttle_drop_chance(&throttle) == 0.5);
    ck_assert_double_eq(blue_throttle_drop_chance(&throttle), 0.5);
    int seen = 0;
    for (int i = 0; i < 1000; i++) {
        make(1, 1000000, 1);
        throttle.drop = 0.5;
        seen += admitted(SESSION_GLOBAL, 1, 1);
        blue_throttle_release(&throttle);
    }
    make(1, 1, 1);
    ck_assert_int_gt(seen, 400);
    ck_assert_int_lt(seen, 600);
}
END_TEST

static Suite *blue_throttle_suite(void)
{
    Suite *suite = suite_create("blue_throttle");
    TCase *tcase = tcase_create("blue_throttle");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, without_tokens_nothing_is_throttled);
    tcase_add_test(tcase, a_bucket_empties_and_fills_with_time);
    tcase_add_test(tcase, no_configuration_overflows);
    tcase_add_test(tcase, kinds_of_sessions_weigh_what_they_are_told_to);
    tcase_add_test(tcase, odds_rise_while_it_is_empty_and_fall_when_it_is_full);
    suite_add_tcase(suite, tcase);
    return suite;
}

CHECK_MAIN(blue_throttle_suite)
