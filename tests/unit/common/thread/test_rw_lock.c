/* test_rw_lock.c - readers together, writers alone and first. */
#include "common/thread/rw_lock.h"

#include <stdatomic.h>

#include "common/base/clock.h"
#include "common/thread/thread.h"
#include "tests/lib/check_main.h"

#define WAIT_MS 20000

static struct rw_lock lock;
static struct mutex meeting;
static struct condition met;
static int here;
static int64_t guarded;
static _Atomic bool is_writing;
static _Atomic bool has_overlapped;

static void set_up(void)
{
    rw_lock_init(&lock);
    mutex_init(&meeting);
    condition_init(&met);
    here = 0;
    guarded = 0;
}

static void tear_down(void)
{
    condition_release(&met);
    mutex_release(&meeting);
    rw_lock_release(&lock);
}

/* Stays inside until two are. */
static void meet_inside(void *arg)
{
    bool *has_met = arg;
    int64_t deadline_ms = clock_elapsed_ms() + WAIT_MS;
    rw_lock_read(&lock);
    mutex_lock(&meeting);
    here++;
    condition_broadcast(&met);
    while (here < 2 && condition_wait_until(&met, &meeting, deadline_ms))
        ;
    *has_met = here == 2;
    mutex_unlock(&meeting);
    rw_lock_unlock_read(&lock);
}

START_TEST(readers_are_in_together)
{
    bool has_met[2];
    struct thread *a = thread_start("a", meet_inside, &has_met[0]), *b = thread_start("b", meet_inside, &has_met[1]);
    thread_join(a);
    thread_join(b);
    ck_assert(has_met[0] && has_met[1]);
}
END_TEST

static void write_often(void *arg)
{
    (void)arg;
    for (int i = 0; i < 5000; i++) {
        rw_lock_write(&lock);
        if (atomic_exchange(&is_writing, true))
            atomic_store(&has_overlapped, true);
        guarded++;
        atomic_store(&is_writing, false);
        rw_lock_unlock_write(&lock);
    }
}

static void read_often(void *arg)
{
    (void)arg;
    for (int i = 0; i < 5000; i++) {
        rw_lock_read(&lock);
        if (atomic_load(&is_writing))
            atomic_store(&has_overlapped, true);
        rw_lock_unlock_read(&lock);
    }
}

START_TEST(a_writer_is_alone)
{
    struct thread *threads[4];
    for (int i = 0; i < 4; i++)
        threads[i] = thread_start("t", i < 2 ? write_often : read_often, NULL);
    for (int i = 0; i < 4; i++)
        thread_join(threads[i]);
    ck_assert_int_eq(guarded, 10000);
    ck_assert(!atomic_load(&has_overlapped));
}
END_TEST

static Suite *rw_lock_suite(void)
{
    Suite *suite = suite_create("rw_lock");
    TCase *tcase = tcase_create("rw_lock");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, readers_are_in_together);
    tcase_add_test(tcase, a_writer_is_alone);
    suite_add_tcase(suite, tcase);
    return suite;
}

CHECK_MAIN(rw_lock_suite)
