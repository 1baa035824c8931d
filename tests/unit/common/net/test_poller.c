/* test_poller.c - who is ready, and wake-ups. */
#include "common/net/poller.h"

#include <stdatomic.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/thread/thread.h"
#include "tests/lib/check_main.h"

static struct poller *poller;
static int pair[2];
static struct poller_event events[4];

static void set_up(void)
{
    poller = poller_new();
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair), 0);
}

static void tear_down(void)
{
    poller_free(poller);
    poller_free(NULL);
    close(pair[0]);
    close(pair[1]);
}

START_TEST(only_what_was_asked_for_is_reported)
{
    struct error error = { 0 };
    int data;
    ck_assert_int_eq(poller_add(poller, pair[0], POLLER_READ, &data, NULL), ZK_OK);
    ck_assert_int_eq(poller_add(poller, pair[0], POLLER_READ, &data, &error), ZK_IO);
    ck_assert_uint_eq(poller_wait(poller, events, 4, 0), 0);
    ck_assert_int_eq(write(pair[1], "x", 1), 1);
    for (int i = 0; i < 2; i++) {    /* as long as it is ready */
        ck_assert_uint_eq(poller_wait(poller, events, 4, INT64_MAX), 1);
        ck_assert_ptr_eq(events[0].data, &data);
        ck_assert_uint_eq(events[0].events, POLLER_READ);
    }
    poller_modify(poller, pair[0], POLLER_READ | POLLER_WRITE, &data);
    ck_assert_uint_eq(poller_wait(poller, events, 4, INT64_MAX), 1);
    ck_assert_uint_eq(events[0].events, POLLER_READ | POLLER_WRITE);
    poller_modify(poller, pair[0], 0, &data);
    ck_assert_uint_eq(poller_wait(poller, events, 4, 0), 0);
    close(pair[1]);
    ck_assert_uint_eq(poller_wait(poller, events, 4, INT64_MAX), 1);
    ck_assert_uint_eq(events[0].events, POLLER_HANGUP);
    poller_remove(poller, pair[0]);
    ck_assert_uint_eq(poller_wait(poller, events, 4, 0), 0);
    poller_remove(poller, pair[0]);
    poller_modify(poller, pair[0], POLLER_READ, &data);
    pair[1] = -1;
}
END_TEST

START_TEST(a_deadline_in_nanoseconds_is_kept)
{
    int data;
    int64_t before_ns = clock_elapsed_ns();
    ck_assert_uint_eq(poller_wait_ns(poller, events, 4, before_ns + 300000), 0);
    ck_assert_int_ge(clock_elapsed_ns() - before_ns, 300000);
    ck_assert_int_eq(poller_add(poller, pair[0], POLLER_READ, &data, NULL), ZK_OK);
    ck_assert_uint_eq(poller_wait_ns(poller, events, 4, 0), 0);
    ck_assert_int_eq(write(pair[1], "x", 1), 1);
    ck_assert_uint_eq(poller_wait_ns(poller, events, 4, INT64_MAX), 1);
    ck_assert_ptr_eq(events[0].data, &data);
    poller_remove(poller, pair[0]);
    poller_wake(poller);
    ck_assert_uint_eq(poller_wait_ns(poller, events, 4, INT64_MAX), 1);
    ck_assert_ptr_null(events[0].data);
}
END_TEST

START_TEST(several_wake_ups_count_once)
{
    for (int i = 0; i < 3; i++)
        poller_wake(poller);
    ck_assert_uint_eq(poller_wait(poller, events, 4, INT64_MAX), 1);
    ck_assert_ptr_null(events[0].data);
    ck_assert_uint_eq(poller_wait(poller, events, 4, 0), 0);
    poller_wake(poller);
    ck_assert_uint_eq(poller_wait(poller, events, 4, INT64_MAX), 1);
}
END_TEST

START_TEST(a_wait_ends_at_its_deadline)
{
    int64_t deadline_ms = clock_elapsed_ms() + 5;
    ck_assert_uint_eq(poller_wait(poller, events, 4, deadline_ms), 0);
    ck_assert_int_ge(clock_elapsed_ms(), deadline_ms);
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
    struct thread *thread = thread_start("clock", advance_clock, NULL);
    ck_assert_uint_eq(poller_wait(poller, events, 4, 100000), 0);
    ck_assert_int_eq(clock_elapsed_ms(), 100000);
    thread_join(thread);
}
END_TEST

enum { WAKE_UPS = 20000 };
static _Atomic int produced;

static void produce(void *arg)
{
    (void)arg;
    for (int i = 0; i < WAKE_UPS; i++) {
        produced++;
        poller_wake(poller);
    }
}

START_TEST(no_wake_up_is_lost)
{
    struct thread *a = thread_start("a", produce, NULL), *b = thread_start("b", produce, NULL);
    int seen = 0;
    while (seen < 2 * WAKE_UPS) {    /* hangs if the last one is lost */
        ck_assert_uint_eq(poller_wait(poller, events, 4, INT64_MAX), 1);
        seen = produced;
    }
    thread_join(a);
    thread_join(b);
}
END_TEST

static Suite *poller_suite(void)
{
    Suite *suite = suite_create("poller");
    TCase *tcase = tcase_create("poller");
    tcase_set_timeout(tcase, 60);
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, only_what_was_asked_for_is_reported);
    tcase_add_test(tcase, a_deadline_in_nanoseconds_is_kept);
    tcase_add_test(tcase, several_wake_ups_count_once);
    tcase_add_test(tcase, a_wait_ends_at_its_deadline);
    tcase_add_test(tcase, a_wait_follows_the_frozen_clock);
    tcase_add_test(tcase, no_wake_up_is_lost);
    suite_add_tcase(suite, tcase);
    return suite;
}

CHECK_MAIN(poller_suite)
