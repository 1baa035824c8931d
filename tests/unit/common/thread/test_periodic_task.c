/* test_periodic_task.c - runs again and again, on a clock that the test moves. */
#include "common/thread/periodic_task.h"

#include "common/base/clock.h"
#include "common/thread/mutex.h"
#include "tests/lib/check_main.h"

static struct mutex lock;
static struct condition changed;
static int runs;

static void set_up(void)
{
    mutex_init(&lock);
    condition_init(&changed);
    runs = 0;
    clock_freeze(1000, 0);
}

static void tear_down(void)
{
    condition_release(&changed);
    mutex_release(&lock);
}

static void count_run(void *arg)
{
    (void)arg;
    mutex_lock(&lock);
    runs++;
    condition_signal(&changed);
    mutex_unlock(&lock);
}

static void await_runs(int wanted)
{
    mutex_lock(&lock);
    while (runs < wanted)
        condition_wait(&changed, &lock);
    ck_assert_int_eq(runs, wanted);
    mutex_unlock(&lock);
}

START_TEST(runs_after_the_delay_and_each_period)
{
    struct periodic_task *task = periodic_task_start("PurgeTask", 50, 100, count_run, NULL);
    for (int i = 0; i < 3; i++) {
        clock_advance_ms(i == 0 ? 50 : 100);
        await_runs(i + 1);
    }
    clock_advance_ms(99);
    periodic_task_stop(task);
    ck_assert_int_eq(runs, 3);
}
END_TEST

START_TEST(a_stop_ends_a_long_sleep)
{
    clock_thaw();
    struct periodic_task *task = periodic_task_start("PurgeTask", INT64_C(86400000), 1, count_run, NULL);
    periodic_task_stop(task);
    ck_assert_int_eq(runs, 0);
    periodic_task_stop(NULL);
}
END_TEST

static Suite *periodic_task_suite(void)
{
    Suite *suite = suite_create("periodic_task");
    TCase *tcase = tcase_create("periodic_task");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, runs_after_the_delay_and_each_period);
    tcase_add_test(tcase, a_stop_ends_a_long_sleep);
    suite_add_tcase(suite, tcase);
    return suite;
}

CHECK_MAIN(periodic_task_suite)
