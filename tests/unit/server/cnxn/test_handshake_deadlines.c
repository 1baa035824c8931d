/* Until when a handshake must be over, in a time that is given. */
#include "server/cnxn/handshake_deadlines.h"

#include "tests/lib/check_main.h"

enum { DETECTION_MS = 50, HANDSHAKE_MS = 100 };

static struct handshake_deadlines deadlines;
static struct server_cnxn cnxns[4];

static void set_up(void)
{
    handshake_deadlines_init(&deadlines, DETECTION_MS, HANDSHAKE_MS);
    for (size_t i = 0; i < ARRAY_SIZE(cnxns); i++) {
        cnxns[i] = (struct server_cnxn){.handshake = HANDSHAKE_OVER};
        list_init(&cnxns[i].handshake_link);
    }
}

static void follow(size_t i, enum handshake_state state, int64_t now_ms)
{
    cnxns[i].handshake = state;
    handshake_deadlines_follow(&deadlines, &cnxns[i], now_ms);
}

START_TEST(nobody_is_due_when_nobody_shakes_hands)
{
    follow(0, HANDSHAKE_OVER, 0);
    ck_assert(handshake_deadlines_next(&deadlines) == INT64_MAX);
    ck_assert_ptr_null(handshake_deadlines_take_due(&deadlines, INT64_MAX));
}
END_TEST

START_TEST(bytes_that_come_do_not_move_a_deadline)
{
    follow(0, HANDSHAKE_STARTED, 1000);
    for (int64_t now_ms = 1000; now_ms < 1100; now_ms += 10)
        follow(0, HANDSHAKE_STARTED, now_ms);
    ck_assert_int_eq(handshake_deadlines_next(&deadlines), 1100);
    ck_assert_ptr_null(handshake_deadlines_take_due(&deadlines, 1099));
    ck_assert_ptr_eq(handshake_deadlines_take_due(&deadlines, 1100), &cnxns[0]);
    ck_assert_ptr_null(handshake_deadlines_take_due(&deadlines, INT64_MAX));
}
END_TEST

START_TEST(one_that_cannot_be_closed_at_once_is_due_when_it_is_back)
{
    follow(0, HANDSHAKE_STARTED, 0);
    follow(1, HANDSHAKE_STARTED, 5);
    follow(2, HANDSHAKE_STARTED, 6);
    ck_assert_ptr_eq(handshake_deadlines_take_due(&deadlines, 100), &cnxns[0]);
    ck_assert_ptr_null(handshake_deadlines_take_due(&deadlines, 100));
    follow(0, HANDSHAKE_STARTED, 101);
    ck_assert_int_eq(handshake_deadlines_next(&deadlines), HANDSHAKE_MS);
    ck_assert_ptr_eq(handshake_deadlines_take_due(&deadlines, 101), &cnxns[0]);
    ck_assert_ptr_eq(handshake_deadlines_take_due(&deadlines, 105), &cnxns[1]);
    follow(1, HANDSHAKE_OVER, 106);    /* it was through after all */
    ck_assert_int_eq(handshake_deadlines_next(&deadlines), 6 + HANDSHAKE_MS);
}
END_TEST

START_TEST(finding_out_is_a_time_of_its_own)
{
    follow(0, HANDSHAKE_DETECTING, 0);
    ck_assert_int_eq(handshake_deadlines_next(&deadlines), DETECTION_MS);
    follow(0, HANDSHAKE_STARTED, 40);
    ck_assert_int_eq(handshake_deadlines_next(&deadlines), 40 + HANDSHAKE_MS);
    follow(0, HANDSHAKE_OVER, 60);
    ck_assert(handshake_deadlines_next(&deadlines) == INT64_MAX);
}
END_TEST

START_TEST(the_check_of_a_certificate_has_no_time_of_its_own)
{
    follow(0, HANDSHAKE_STARTED, 0);
    follow(0, HANDSHAKE_CHECKING, 60);
    ck_assert_int_eq(handshake_deadlines_next(&deadlines), HANDSHAKE_MS);
    follow(0, HANDSHAKE_OVER, 70);
    ck_assert(handshake_deadlines_next(&deadlines) == INT64_MAX);
    follow(1, HANDSHAKE_DETECTING, 0);
    follow(1, HANDSHAKE_CHECKING, 10);    /* all of it came at once */
    ck_assert_int_eq(handshake_deadlines_next(&deadlines), 10 + HANDSHAKE_MS);
}
END_TEST

START_TEST(they_are_due_in_the_order_of_their_deadlines)
{
    follow(0, HANDSHAKE_STARTED, 0);       /* 100 */
    follow(1, HANDSHAKE_DETECTING, 20);    /* 70 */
    follow(2, HANDSHAKE_STARTED, 10);      /* 110 */
    follow(3, HANDSHAKE_DETECTING, 55);    /* 105 */
    static const size_t order[] = {1, 0, 3, 2};
    static const int64_t due_ms[] = {70, 100, 105, 110};
    for (size_t i = 0; i < ARRAY_SIZE(order); i++) {
        ck_assert_int_eq(handshake_deadlines_next(&deadlines), due_ms[i]);
        ck_assert_ptr_eq(handshake_deadlines_take_due(&deadlines, 1000), &cnxns[order[i]]);
    }
}
END_TEST

START_TEST(one_that_is_closed_is_forgotten)
{
    follow(0, HANDSHAKE_STARTED, 0);
    follow(1, HANDSHAKE_STARTED, 5);
    handshake_deadlines_remove(&cnxns[0]);
    handshake_deadlines_remove(&cnxns[0]);
    ck_assert_int_eq(handshake_deadlines_next(&deadlines), 5 + HANDSHAKE_MS);
}
END_TEST

static Suite *handshake_deadlines_suite(void)
{
    Suite *suite = suite_create("handshake_deadlines");
    TCase *tcase = tcase_create("handshake_deadlines");
    tcase_add_checked_fixture(tcase, set_up, NULL);
    tcase_add_test(tcase, nobody_is_due_when_nobody_shakes_hands);
    tcase_add_test(tcase, bytes_that_come_do_not_move_a_deadline);
    tcase_add_test(tcase, one_that_cannot_be_closed_at_once_is_due_when_it_is_back);
    tcase_add_test(tcase, finding_out_is_a_time_of_its_own);
    tcase_add_test(tcase, the_check_of_a_certificate_has_no_time_of_its_own);
    tcase_add_test(tcase, they_are_due_in_the_order_of_their_deadlines);
    tcase_add_test(tcase, one_that_is_closed_is_forgotten);
    suite_add_tcase(suite, tcase);
    return suite;
}

CHECK_MAIN(handshake_deadlines_suite)
