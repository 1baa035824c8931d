/* What expires when: buckets of a tick, moved by touches, met one after the other. Time is a parameter. */
#include "server/session/expiry_queue.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/base/memory.h"
#include "tests/lib/check_main.h"

enum { TICK_MS = 2000 };

struct element {
    struct expiry_link link;
    int number;
};

static void print_element(const struct expiry_link *link, struct buffer *out)
{
    buffer_printf(out, "<%d>", container_of(link, const struct element, link)->number);
}

static const struct {
    const char *fact;
    int64_t timeout_ms, now_ms, expiry_ms;
} rounding[] = {
    {"a time within a tick ends with it", 1500, 100, 2000},
    {"a time at the end of a tick gets the whole next one", 2000, 0, 4000},
    {"a multiple of ticks gets one more", 10000, 4000, 16000},
    {"no time at all ends with this tick", 0, 4001, 6000},
};
START_TEST(expiry_is_rounded_up_to_the_end_of_a_tick)
{
    struct expiry_queue *queue = expiry_queue_new(TICK_MS, 0);
    struct element element = {0};
    ck_assert_msg(expiry_queue_update(queue, &element.link, rounding[_i].timeout_ms, rounding[_i].now_ms), "%s",
                  rounding[_i].fact);
    ck_assert_msg(element.link.expiry_ms == rounding[_i].expiry_ms, "%s, not %" PRId64, rounding[_i].fact,
                  (int64_t)element.link.expiry_ms);
    expiry_queue_free(queue);
}
END_TEST

START_TEST(an_update_within_the_same_tick_changes_nothing)
{
    struct expiry_queue *queue = expiry_queue_new(TICK_MS, 0);
    struct element element = {0};
    ck_assert(expiry_queue_update(queue, &element.link, 5000, 0));
    ck_assert(!expiry_queue_update(queue, &element.link, 5000, 999));
    ck_assert(expiry_queue_update(queue, &element.link, 5000, 1000));
    ck_assert_uint_eq(expiry_queue_size(queue), 1);
    expiry_queue_free(queue);
}
END_TEST

START_TEST(poll_gives_what_is_due_and_nothing_else)
{
    struct expiry_queue *queue = expiry_queue_new(TICK_MS, 0);
    struct element early = {.number = 1}, late = {.number = 2}, touched = {.number = 3};
    expiry_queue_update(queue, &early.link, 1000, 0);
    expiry_queue_update(queue, &touched.link, 1000, 0);
    expiry_queue_update(queue, &late.link, 3000, 0);
    expiry_queue_update(queue, &touched.link, 3000, 500);

    ck_assert_int_eq(expiry_queue_wait_time(queue, 500), 1500);
    ck_assert_ptr_null(expiry_queue_poll(queue, 1999));
    ck_assert_int_eq(expiry_queue_wait_time(queue, 2000), 0);
    ck_assert_ptr_eq(expiry_queue_poll(queue, 2000), &early.link);
    ck_assert_ptr_null(expiry_queue_poll(queue, 2000));
    ck_assert_int_eq(expiry_queue_wait_time(queue, 2000), 2000);
    ck_assert_int_eq(early.link.expiry_ms, 0);
    ck_assert_uint_eq(expiry_queue_size(queue), 2);

    ck_assert_ptr_eq(expiry_queue_poll(queue, 4000), &late.link);
    ck_assert_ptr_eq(expiry_queue_poll(queue, 4000), &touched.link);
    ck_assert_ptr_null(expiry_queue_poll(queue, 4000));
    expiry_queue_free(queue);
}
END_TEST

START_TEST(a_long_stall_loses_nobody)
{
    enum { COUNT = 100 };
    struct expiry_queue *queue = expiry_queue_new(TICK_MS, 0);
    static struct element elements[COUNT];
    for (int i = 0; i < COUNT; i++)
        expiry_queue_update(queue, &elements[i].link, i * 777, 0);
    int64_t last_ms = 0;
    int polled = 0;
    struct expiry_link *link;
    while ((link = expiry_queue_poll(queue, 10 * 60 * 1000)) != NULL) {
        int64_t due_ms = ((int64_t)(container_of(link, struct element, link) - elements) * 777 / TICK_MS + 1) * TICK_MS;
        ck_assert_int_ge(due_ms, last_ms);
        last_ms = due_ms;
        polled++;
    }
    ck_assert_int_eq(polled, COUNT);
    ck_assert_uint_eq(expiry_queue_size(queue), 0);
    expiry_queue_free(queue);
}
END_TEST

static const struct {
    const char *fact;
    int64_t late_ms, put_off_ms;
} stalls[] = {
    {"who wakes early is no reason", -5, 0},
    {"nor is a busy machine", EXPIRY_STALL_MS - 1, 0},
    {"a second more than was missed, in whole ticks", 1000, 4000},
    {"so after a long one", 61000, 64000},
};
START_TEST(the_time_a_process_stood_still_does_not_count)
{
    struct expiry_queue *queue = expiry_queue_new(TICK_MS, 0);
    static struct element elements[3];
    for (int i = 0; i < 3; i++)
        expiry_queue_update(queue, &elements[i].link, 3000 + i * 2000, 0);    /* 4, 6, 8 s */
    int64_t put_off_ms = stalls[_i].put_off_ms, first_ms = 4000 + put_off_ms;
    ck_assert_msg(expiry_queue_put_off(queue, stalls[_i].late_ms) == put_off_ms, "%s", stalls[_i].fact);
    ck_assert_int_eq(expiry_queue_wait_time(queue, 0), 2000 + put_off_ms);
    ck_assert_ptr_null(expiry_queue_poll(queue, first_ms - 1));
    ck_assert_msg(!expiry_queue_update(queue, &elements[1].link, 5000, put_off_ms), "it is where a touch would put it");
    for (int i = 0; i < 3; i++)
        ck_assert_ptr_eq(expiry_queue_poll(queue, first_ms + i * 2000), &elements[i].link);
    ck_assert_uint_eq(expiry_queue_size(queue), 0);
    expiry_queue_free(queue);
}
END_TEST

START_TEST(an_update_from_the_past_is_met_at_the_next_tick)
{
    struct expiry_queue *queue = expiry_queue_new(TICK_MS, 0);
    struct element element = {0};
    ck_assert_ptr_null(expiry_queue_poll(queue, 9000));
    ck_assert(expiry_queue_update(queue, &element.link, 100, 0));
    ck_assert_int_eq(element.link.expiry_ms, 10000);
    ck_assert_ptr_eq(expiry_queue_poll(queue, 10000), &element.link);
    expiry_queue_free(queue);
}
END_TEST

START_TEST(a_removed_one_does_not_expire)
{
    struct expiry_queue *queue = expiry_queue_new(TICK_MS, 0);
    struct element element = {0};
    ck_assert(!expiry_queue_remove(queue, &element.link));
    expiry_queue_update(queue, &element.link, 100, 0);
    ck_assert(expiry_queue_remove(queue, &element.link));
    ck_assert(!expiry_queue_remove(queue, &element.link));
    ck_assert_ptr_null(expiry_queue_poll(queue, 100000));
    ck_assert(expiry_queue_update(queue, &element.link, 100, 100000));
    expiry_queue_free(queue);
}
END_TEST

START_TEST(print_has_the_lines_of_java)
{
    setenv("TZ", "UTC", 1);
    tzset();
    struct expiry_queue *queue = expiry_queue_new(TICK_MS, 0);
    struct element elements[] = {{.number = 1}, {.number = 2}, {.number = 3}};
    struct buffer out = {0};
    expiry_queue_update(queue, &elements[0].link, 100, 0);
    expiry_queue_update(queue, &elements[0].link, 5000, 0);
    expiry_queue_update(queue, &elements[1].link, 3000, 0);
    expiry_queue_update(queue, &elements[2].link, 3000, 0);
    expiry_queue_print(queue, INT64_C(1700000000000), print_element, &out);
    ck_assert_str_eq(buffer_string(&out), "Sets (3)/(3):\n"
                                          "0 expire at Tue Nov 14 22:13:22 UTC 2023:\n"
                                          "2 expire at Tue Nov 14 22:13:24 UTC 2023:\n"
                                          "\t<2>\n"
                                          "\t<3>\n"
                                          "1 expire at Tue Nov 14 22:13:26 UTC 2023:\n"
                                          "\t<1>\n");
    buffer_release(&out);
    expiry_queue_free(queue);
}
END_TEST

static Suite *expiry_queue_suite(void)
{
    Suite *suite = suite_create("expiry_queue");
    TCase *tcase = tcase_create("expiry_queue");
    tcase_add_loop_test(tcase, expiry_is_rounded_up_to_the_end_of_a_tick, 0, ARRAY_SIZE(rounding));
    tcase_add_test(tcase, an_update_within_the_same_tick_changes_nothing);
    tcase_add_test(tcase, poll_gives_what_is_due_and_nothing_else);
    tcase_add_test(tcase, a_long_stall_loses_nobody);
    tcase_add_loop_test(tcase, the_time_a_process_stood_still_does_not_count, 0, ARRAY_SIZE(stalls));
    tcase_add_test(tcase, an_update_from_the_past_is_met_at_the_next_tick);
    tcase_add_test(tcase, a_removed_one_does_not_expire);
    tcase_add_test(tcase, print_has_the_lines_of_java);
    suite_add_tcase(suite, tcase);
    return suite;
}

CHECK_MAIN(expiry_queue_suite)
