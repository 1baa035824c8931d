/* test_mutex.c - locks, conditions, and the end of who misuses them. */
#include "common/thread/mutex.h"

#include <signal.h>
#include <time.h>

#include "common/base/clock.h"
#include "common/thread/thread.h"
#include "tests/lib/check_main.h"

#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define HAS_THREAD_SANITIZER 1
#endif
#endif
#if defined(__SANITIZE_THREAD__)
#define HAS_THREAD_SANITIZER 1
#endif

static struct mutex lock;
static struct condition changed;
static int counter;

static void set_up(void)
{
    mutex_init(&lock);
    condition_init(&changed);
    counter = 0;
}

static void tear_down(void)
{
    condition_release(&changed);
    mutex_release(&lock);
}

static void count_up(void *arg)
{
    (void)arg;
    for (int i = 0; i < 10000; i++) {
        mutex_lock(&lock);
        counter++;
        mutex_unlock(&lock);
    }
}

START_TEST(one_at_a_time)
{
    struct thread *a = thread_start("a", count_up, NULL), *b = thread_start("b", count_up, NULL);
    thread_join(a);
    thread_join(b);
    ck_assert_int_eq(counter, 20000);
}
END_TEST

START_TEST(locking_twice_ends_the_process) NO_THREAD_SAFETY_ANALYSIS    /* SIGABRT */
{
    mutex_lock(&lock);
    mutex_lock(&lock);
}
END_TEST

START_TEST(unlocking_what_is_not_held_ends_the_process) NO_THREAD_SAFETY_ANALYSIS    /* SIGABRT */
{
    mutex_unlock(&lock);
}
END_TEST

static void signal_when_waited_for(void *arg)
{
    (void)arg;
    mutex_lock(&lock);
    counter = 1;
    condition_signal(&changed);
    while (counter != 2)
        condition_wait(&changed, &lock);
    counter = 3;
    condition_broadcast(&changed);
    mutex_unlock(&lock);
}

START_TEST(conditions_hand_over)
{
    mutex_lock(&lock);
    struct thread *other = thread_start("other", signal_when_waited_for, NULL);
    while (counter != 1)
        condition_wait(&changed, &lock);
    counter = 2;
    condition_signal(&changed);
    while (counter != 3)
        ck_assert(condition_wait_until(&changed, &lock, INT64_MAX));
    mutex_unlock(&lock);
    thread_join(other);
}
END_TEST

START_TEST(a_wait_ends_at_its_deadline)
{
    mutex_lock(&lock);
    int64_t deadline_ms = clock_elapsed_ms() + 10;
    while (condition_wait_until(&changed, &lock, deadline_ms)) {
        /* woken for nothing */
    }
    ck_assert_int_ge(clock_elapsed_ms(), deadline_ms);
    ck_assert(!condition_wait_until(&changed, &lock, deadline_ms));
    ck_assert(!condition_wait_until(&changed, &lock, INT64_MIN));
    mutex_unlock(&lock);
}
END_TEST

static void advance_clock(void *arg)
{
    (void)arg;
    clock_advance_ms(100000);
}

START_TEST(a_wait_follows_the_frozen_clock)
{
    clock_freeze(0, 0);
    mutex_lock(&lock);
    struct thread *other = thread_start("clock", advance_clock, NULL);
    while (condition_wait_until(&changed, &lock, 100000)) {
        /* woken for nothing */
    }
    ck_assert_int_eq(clock_elapsed_ms(), 100000);
    mutex_unlock(&lock);
    thread_join(other);
}
END_TEST

static void wait_for_a_two(void *arg)
{
    (void)arg;
    mutex_lock(&lock);
    counter = 1;
    condition_signal(&changed);
    while (counter != 2 && condition_wait_until(&changed, &lock, INT64_MAX)) {
        /* woken for nothing */
    }
    mutex_unlock(&lock);
}

/* Who waits has napped long enough, and wants the lock to nap again, when what it waits for comes true. */
START_TEST(what_comes_true_between_two_naps_is_seen)
{
    const struct timespec many_naps = { .tv_nsec = 20 * 1000 * 1000 };
    clock_freeze(0, 0);
    mutex_lock(&lock);
    struct thread *other = thread_start("other", wait_for_a_two, NULL);
    while (counter != 1)
        condition_wait(&changed, &lock);
    nanosleep(&many_naps, NULL);
    counter = 2;
    condition_signal(&changed);
    mutex_unlock(&lock);
    thread_join(other);
}
END_TEST

static Suite *mutex_suite(void)
{
    Suite *suite = suite_create("mutex");
    TCase *tcase = tcase_create("mutex");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, one_at_a_time);
    tcase_add_test_raise_signal(tcase, locking_twice_ends_the_process, SIGABRT);
#if !defined(HAS_THREAD_SANITIZER)    /* it ends the process before we do */
    tcase_add_test_raise_signal(tcase, unlocking_what_is_not_held_ends_the_process, SIGABRT);
#else
    (void)unlocking_what_is_not_held_ends_the_process;
#endif
    tcase_add_test(tcase, conditions_hand_over);
    tcase_add_test(tcase, a_wait_ends_at_its_deadline);
    tcase_add_test(tcase, a_wait_follows_the_frozen_clock);
    tcase_add_test(tcase, what_comes_true_between_two_naps_is_seen);
    suite_add_tcase(suite, tcase);
    return suite;
}

CHECK_MAIN(mutex_suite)
