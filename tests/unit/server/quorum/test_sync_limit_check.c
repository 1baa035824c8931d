/* test_sync_limit_check.c - how long an ack has been owed. */
#include "server/quorum/sync_limit_check.h"

#include "tests/lib/check_main.h"

START_TEST(one_proposal_at_a_time_is_followed)
{
    struct sync_limit_check check;
    sync_limit_check_init(&check);
    sync_limit_check_sent(&check, 1, 0);
    ck_assert(sync_limit_check_is_in_time(&check, 1000, 10));    /* before the start nothing is owed */
    sync_limit_check_start(&check);
    sync_limit_check_sent(&check, 2, 100);
    sync_limit_check_sent(&check, 3, 104);
    sync_limit_check_sent(&check, 4, 108);
    ck_assert(sync_limit_check_is_in_time(&check, 109, 10));
    ck_assert(!sync_limit_check_is_in_time(&check, 110, 10));
    sync_limit_check_acked(&check, 3);    /* neither the oldest nor the newest */
    ck_assert(!sync_limit_check_is_in_time(&check, 110, 10));
    sync_limit_check_acked(&check, 2);
    ck_assert(sync_limit_check_is_in_time(&check, 117, 10));
    ck_assert(!sync_limit_check_is_in_time(&check, 118, 10));
    sync_limit_check_acked(&check, 4);
    ck_assert(sync_limit_check_is_in_time(&check, 1000, 10));
    sync_limit_check_release(&check);
}
END_TEST

START_TEST(an_early_ack_settles_the_newest)
{
    struct sync_limit_check check;
    sync_limit_check_init(&check);
    sync_limit_check_start(&check);
    sync_limit_check_sent(&check, 1, 0);
    sync_limit_check_sent(&check, 2, 5);
    sync_limit_check_acked(&check, 2);
    ck_assert(!sync_limit_check_is_in_time(&check, 10, 10));
    sync_limit_check_acked(&check, 1);
    ck_assert(sync_limit_check_is_in_time(&check, 1000, 10));
    sync_limit_check_release(&check);
}
END_TEST

static Suite *sync_limit_check_suite(void)
{
    Suite *suite = suite_create("sync_limit_check");
    TCase *tcase = tcase_create("sync_limit_check");
    tcase_add_test(tcase, one_proposal_at_a_time_is_followed);
    tcase_add_test(tcase, an_early_ack_settles_the_newest);
    suite_add_tcase(suite, tcase);
    return suite;
}

CHECK_MAIN(sync_limit_check_suite)
