/* test_blocking_queue.c - order, bounds, batches and the ways to wake who sleeps. */
#include "common/thread/blocking_queue.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "common/base/clock.h"
#include "common/base/memory.h"
#include "common/thread/thread.h"
#include "tests/lib/check_main.h"

BLOCKING_QUEUE_OF(int_queue, int);
struct wide {
    int64_t a, b, c;
};
BLOCKING_QUEUE_OF(wide_queue, struct wide);

START_TEST(elements_leave_in_the_order_they_came)
{
    struct int_queue *queue = int_queue_new(1000);
    int batch[64], next_in = 0, next_out = 0;
    for (int round = 0; round < 200; round++) {    /* round and round the ring, while it grows */
        for (int i = 0; i < round % 37 + 1 && next_in - next_out < 1000; i++)
            ck_assert_int_eq(int_queue_put(queue, next_in++), ZK_OK);
        size_t count = int_queue_poll(queue, batch, (size_t)(round % 29 + 1), 0);
        for (size_t i = 0; i < count; i++)
            ck_assert_int_eq(batch[i], next_out++);
        ck_assert_uint_eq(int_queue_size(queue), (size_t)(next_in - next_out));
    }
    int_queue_close(queue);
    size_t count;
    while ((count = int_queue_take(queue, batch, 64)) > 0) {
        for (size_t i = 0; i < count; i++)
            ck_assert_int_eq(batch[i], next_out++);
    }
    ck_assert_int_eq(next_out, next_in);
    int_queue_free(queue);
    int_queue_free(NULL);
}
END_TEST

START_TEST(elements_may_be_structs)
{
    struct wide_queue *queue = wide_queue_new(3);
    for (int64_t i = 0; i < 3; i++)
        ck_assert_int_eq(wide_queue_offer(queue, (struct wide){ i, 10 * i, 100 * i }), ZK_OK);
    struct wide out[3];
    ck_assert_uint_eq(wide_queue_take(queue, out, 3), 3);
    ck_assert_int_eq(out[2].c, 200);
    wide_queue_free(queue);
}
END_TEST

START_TEST(the_bound_is_exact)
{
    struct int_queue *queue = int_queue_new(21);
    for (int i = 0; i < 21; i++)
        ck_assert_int_eq(int_queue_offer(queue, i), ZK_OK);
    ck_assert_int_eq(int_queue_offer(queue, 21), ZK_FULL);
    ck_assert_uint_eq(int_queue_size(queue), 21);
    int_queue_free(queue);
}
END_TEST

START_TEST(the_oldest_is_displaced)
{
    struct int_queue *queue = int_queue_new(2);
    int displaced = -1, out[2];
    bool did = true;
    ck_assert_int_eq(int_queue_displace(queue, 1, &displaced, &did), ZK_OK);
    ck_assert(!did);
    ck_assert_int_eq(int_queue_displace(queue, 2, &displaced, &did), ZK_OK);
    ck_assert_int_eq(int_queue_displace(queue, 3, &displaced, &did), ZK_OK);
    ck_assert(did);
    ck_assert_int_eq(displaced, 1);
    ck_assert_uint_eq(int_queue_take(queue, out, 2), 2);
    ck_assert_int_eq(out[0], 2);
    ck_assert_int_eq(out[1], 3);
    int_queue_free(queue);
}
END_TEST

START_TEST(closing_refuses_puts_but_not_takes)
{
    struct int_queue *queue = int_queue_new(4);
    int out, displaced;
    bool did = false;
    int_queue_put(queue, 7);
    ck_assert(!int_queue_is_closed(queue));
    int_queue_close(queue);
    ck_assert(int_queue_is_closed(queue));
    ck_assert_int_eq(int_queue_put(queue, 8), ZK_CLOSED);
    ck_assert_int_eq(int_queue_put_quiet(queue, 8), ZK_CLOSED);
    ck_assert_int_eq(int_queue_offer(queue, 8), ZK_CLOSED);
    ck_assert_int_eq(int_queue_displace(queue, 8, &displaced, &did), ZK_CLOSED);
    ck_assert(!did);
    ck_assert_uint_eq(int_queue_take(queue, &out, 1), 1);
    ck_assert_int_eq(out, 7);
    ck_assert_uint_eq(int_queue_take(queue, &out, 1), 0);
    ck_assert_uint_eq(int_queue_poll(queue, &out, 1, INT64_MAX), 0);
    int_queue_free(queue);
}
END_TEST

/* A thread that waits in one call, and what came of it. */
struct sleeper {
    struct int_queue *queue;
    int64_t deadline_ms;
    size_t count;
    int value;
    int err;
};

static void sleep_in_take(void *arg)
{
    struct sleeper *sleeper = arg;
    sleeper->count = int_queue_take(sleeper->queue, &sleeper->value, 1);
}

static void sleep_in_poll(void *arg)
{
    struct sleeper *sleeper = arg;
    sleeper->count = int_queue_poll(sleeper->queue, &sleeper->value, 1, sleeper->deadline_ms);
}

static void sleep_in_put(void *arg)
{
    struct sleeper *sleeper = arg;
    sleeper->err = int_queue_put(sleeper->queue, sleeper->value);
}

START_TEST(an_element_wakes_a_taker)
{
    struct sleeper sleeper = { .queue = int_queue_new(4) };
    struct thread *thread = thread_start("taker", sleep_in_take, &sleeper);
    int_queue_put(sleeper.queue, 5);
    thread_join(thread);
    ck_assert_uint_eq(sleeper.count, 1);
    ck_assert_int_eq(sleeper.value, 5);
    int_queue_free(sleeper.queue);
}
END_TEST

START_TEST(closing_wakes_everybody)
{
    struct sleeper takers[3], putter = { .queue = int_queue_new(1), .value = 9 };
    struct int_queue *empty = int_queue_new(1);
    struct thread *threads[4];
    for (int i = 0; i < 3; i++) {
        takers[i] = (struct sleeper){ .queue = empty, .count = 99 };
        threads[i] = thread_start("taker", sleep_in_take, &takers[i]);
    }
    int_queue_put(putter.queue, 1);
    threads[3] = thread_start("putter", sleep_in_put, &putter);
    int_queue_close(empty);
    int_queue_close(putter.queue);
    for (int i = 0; i < 4; i++)
        thread_join(threads[i]);
    for (int i = 0; i < 3; i++)
        ck_assert_uint_eq(takers[i].count, 0);
    ck_assert_int_eq(putter.err, ZK_CLOSED);
    int_queue_free(empty);
    int_queue_free(putter.queue);
}
END_TEST

START_TEST(room_wakes_a_producer)
{
    struct sleeper putter = { .queue = int_queue_new(1), .value = 2 };
    int out;
    int_queue_put(putter.queue, 1);
    struct thread *thread = thread_start("putter", sleep_in_put, &putter);
    ck_assert_uint_eq(int_queue_take(putter.queue, &out, 1), 1);
    ck_assert_int_eq(out, 1);
    ck_assert_uint_eq(int_queue_take(putter.queue, &out, 1), 1);
    ck_assert_int_eq(out, 2);
    thread_join(thread);
    ck_assert_int_eq(putter.err, ZK_OK);
    int_queue_free(putter.queue);
}
END_TEST

START_TEST(quiet_elements_are_handed_over_by_wake_and_by_a_full_queue)
{
    struct sleeper sleeper = { .queue = int_queue_new(2) };
    struct thread *thread = thread_start("taker", sleep_in_take, &sleeper);
    int_queue_put_quiet(sleeper.queue, 5);
    int_queue_wake(sleeper.queue);
    thread_join(thread);
    ck_assert_int_eq(sleeper.value, 5);
    int_queue_wake(sleeper.queue);

    thread = thread_start("taker", sleep_in_take, &sleeper);
    int_queue_put_quiet(sleeper.queue, 6);
    int_queue_put_quiet(sleeper.queue, 7);    /* full */
    thread_join(thread);
    ck_assert_int_eq(sleeper.value, 6);
    int_queue_free(sleeper.queue);
}
END_TEST

START_TEST(a_poll_ends_at_its_deadline)
{
    struct int_queue *queue = int_queue_new(2);
    int out;
    ck_assert_uint_eq(int_queue_poll(queue, &out, 1, INT64_MIN), 0);
    int64_t deadline_ms = clock_elapsed_ms() + 5;
    ck_assert_uint_eq(int_queue_poll(queue, &out, 1, deadline_ms), 0);
    ck_assert_int_ge(clock_elapsed_ms(), deadline_ms);
    int_queue_put(queue, 3);
    ck_assert_uint_eq(int_queue_poll(queue, &out, 1, 0), 1);
    int_queue_free(queue);
}
END_TEST

START_TEST(a_poll_follows_the_frozen_clock)
{
    clock_freeze(0, 0);
    struct sleeper sleeper = { .queue = int_queue_new(2), .deadline_ms = 60000, .count = 99 };
    struct thread *thread = thread_start("taker", sleep_in_poll, &sleeper);
    clock_advance_ms(60000);
    thread_join(thread);
    ck_assert_uint_eq(sleeper.count, 0);
    int_queue_free(sleeper.queue);
}
END_TEST

enum { PRODUCERS = 3, TAKERS = 2, EACH = 20000 };
struct crowd {
    struct int_queue *queue;
    _Atomic int64_t sum;
    _Atomic int64_t taken;
    _Atomic int next_producer;
    _Atomic int disorders;
};

static void produce(void *arg)
{
    struct crowd *crowd = arg;
    int first = EACH * crowd->next_producer++;
    for (int i = 0; i < EACH; i++) {
        if (i % 3 == 0) {
            int_queue_put(crowd->queue, first + i);
        } else {
            int_queue_put_quiet(crowd->queue, first + i);
            if (i % 7 == 0)
                int_queue_wake(crowd->queue);
        }
    }
    int_queue_wake(crowd->queue);
}

static void consume(void *arg)
{
    struct crowd *crowd = arg;
    int batch[16], last[PRODUCERS] = { -1, -1, -1 };
    size_t count;
    while ((count = int_queue_take(crowd->queue, batch, 16)) > 0) {
        for (size_t i = 0; i < count; i++) {
            int producer = batch[i] / EACH;
            crowd->disorders += batch[i] <= last[producer];    /* what one producer puts stays in order */
            last[producer] = batch[i];
            crowd->sum += batch[i];
        }
        crowd->taken += (int64_t)count;
    }
}

START_TEST(nothing_is_lost_in_a_crowd)
{
    struct crowd crowd = { .queue = int_queue_new(50) };
    struct thread *producers[PRODUCERS], *takers[TAKERS];
    for (int i = 0; i < TAKERS; i++)
        takers[i] = thread_start("taker", consume, &crowd);
    for (int i = 0; i < PRODUCERS; i++)
        producers[i] = thread_start("producer", produce, &crowd);
    for (int i = 0; i < PRODUCERS; i++)
        thread_join(producers[i]);
    int_queue_close(crowd.queue);
    for (int i = 0; i < TAKERS; i++)
        thread_join(takers[i]);
    const int64_t all = PRODUCERS * EACH;
    ck_assert_int_eq(crowd.disorders, 0);
    ck_assert_int_eq(crowd.taken, all);
    ck_assert_int_eq(crowd.sum, all * (all - 1) / 2);
    int_queue_free(crowd.queue);
}
END_TEST

static struct int_queue *_Atomic brief;

static void put_into_brief(void *arg)
{
    (void)arg;
    for (int i = 0; i < 3000; i++) {
        struct int_queue *queue;
        while ((queue = atomic_exchange(&brief, NULL)) == NULL)
            thread_yield();
        if (int_queue_put(queue, i) != ZK_OK)
            abort();    /* Check's own are for the thread of the test */
    }
}

/* Who puts an element may be about to wake the taker, who is up already and has it. */
START_TEST(who_took_the_last_element_may_free_the_queue)
{
    struct thread *thread = thread_start("putter", put_into_brief, NULL);
    for (int i = 0; i < 3000; i++) {
        struct int_queue *queue = int_queue_new(4);
        int element;
        atomic_store(&brief, queue);
        ck_assert_uint_eq(int_queue_take(queue, &element, 1), 1);
        ck_assert_int_eq(element, i);
        int_queue_free(queue);
    }
    thread_join(thread);
}
END_TEST

static Suite *blocking_queue_suite(void)
{
    Suite *suite = suite_create("blocking_queue");
    TCase *tcase = tcase_create("blocking_queue");
    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, elements_leave_in_the_order_they_came);
    tcase_add_test(tcase, elements_may_be_structs);
    tcase_add_test(tcase, the_bound_is_exact);
    tcase_add_test(tcase, the_oldest_is_displaced);
    tcase_add_test(tcase, closing_refuses_puts_but_not_takes);
    tcase_add_test(tcase, an_element_wakes_a_taker);
    tcase_add_test(tcase, closing_wakes_everybody);
    tcase_add_test(tcase, room_wakes_a_producer);
    tcase_add_test(tcase, quiet_elements_are_handed_over_by_wake_and_by_a_full_queue);
    tcase_add_test(tcase, a_poll_ends_at_its_deadline);
    tcase_add_test(tcase, a_poll_follows_the_frozen_clock);
    tcase_add_test(tcase, nothing_is_lost_in_a_crowd);
    tcase_add_test(tcase, who_took_the_last_element_may_free_the_queue);
    suite_add_tcase(suite, tcase);
    return suite;
}

CHECK_MAIN(blocking_queue_suite)
