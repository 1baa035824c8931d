/* test_expiry_wait.c - a stall is seen wherever in a wait it falls. */
#include "server/session/expiry_wait.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "server/session/expiry_queue.h"
#include "tests/lib/check_main.h"

#define LONG_MS 60000
#define STALL_MS (EXPIRY_STALL_MS + 700)
#define BEFORE_MS 200    /* until it waits */

static struct mutex lock;
static struct condition woken;

/* Somebody stops this process in a while, for STALL_MS, and lets it go on. */
static pid_t start_stall(void)
{
    pid_t tested = getpid(), child = fork();
    ck_assert_int_ge(child, 0);
    if (child > 0)
        return child;
    clock_sleep_ms(BEFORE_MS);
    kill(tested, SIGSTOP);
    clock_sleep_ms(STALL_MS);
    kill(tested, SIGCONT);
    _exit(0);
}

static int64_t wait_once(int64_t ms)
{
    mutex_lock(&lock);
    int64_t now_ms = clock_elapsed_ms();
    int64_t late_ms = expiry_wait_step(&woken, &lock, now_ms, now_ms + ms);
    mutex_unlock(&lock);
    return late_ms;
}

static void set_up(void)
{
    mutex_init(&lock);
    condition_init(&woken);
}

static void tear_down(void)
{
    condition_release(&woken);
    mutex_release(&lock);
}

/* What is seen of one; 0 where it fell between two waits, or before the first. */
static int64_t see_one(void)
{
    int64_t late_ms = 0;
    pid_t child = start_stall();
    while (waitpid(child, NULL, WNOHANG) == 0)
        late_ms += wait_once(LONG_MS);
    return late_ms;
}

START_TEST(a_stall_within_a_long_wait_is_seen)
{
    int64_t late_ms = 0;
    for (int i = 0; i < 5 && late_ms == 0; i++)
        late_ms = see_one();
    ck_assert_int_ge(late_ms, EXPIRY_STALL_MS);
}
END_TEST

START_TEST(a_step_ends_without_a_stall_and_says_so)
{
    int64_t begin_ms = clock_elapsed_ms(), late_ms = wait_once(LONG_MS), took_ms = clock_elapsed_ms() - begin_ms;
    ck_assert(late_ms == 0 || took_ms >= EXPIRY_STALL_MS);    /* a machine that stands still is right to say so */
    ck_assert_int_lt(took_ms, LONG_MS);
    begin_ms = clock_elapsed_ms();
    wait_once(20);
    ck_assert_int_ge(clock_elapsed_ms() - begin_ms, 20);
}
END_TEST

static Suite *expiry_wait_suite(void)
{
    Suite *suite = suite_create("expiry_wait");
    TCase *tcase = tcase_create("expiry_wait");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, a_stall_within_a_long_wait_is_seen);
    tcase_add_test(tcase, a_step_ends_without_a_stall_and_says_so);
    suite_add_tcase(suite, tcase);
    return suite;
}

CHECK_MAIN(expiry_wait_suite)
