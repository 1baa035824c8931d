/* test_learner_sync_throttler.c - observers wait their turn, voters do not. */
#include "server/quorum/learner_sync_throttler.h"

#include "tests/lib/check_main.h"

START_TEST(only_voters_go_beyond_the_bound)
{
    struct learner_sync_throttler throttler;
    struct error error = { 0 };
    learner_sync_throttler_init(&throttler, "SNAP", 2);
    ck_assert_int_eq(learner_sync_throttler_begin(&throttler, false, &error), ZK_OK);
    ck_assert_int_eq(learner_sync_throttler_begin(&throttler, true, &error), ZK_OK);
    ck_assert_int_eq(learner_sync_throttler_begin(&throttler, false, &error), ZK_FULL);
    ck_assert_str_eq(error.text, "2 learners are being sent a SNAP, no more than 2 may be");
    ck_assert_int_eq(learner_sync_throttler_begin(&throttler, true, &error), ZK_OK);
    ck_assert_int_eq(learner_sync_throttler_in_progress(&throttler), 3);
    learner_sync_throttler_end(&throttler);
    learner_sync_throttler_end(&throttler);
    ck_assert_int_eq(learner_sync_throttler_begin(&throttler, false, &error), ZK_OK);
    learner_sync_throttler_end(&throttler);
    learner_sync_throttler_end(&throttler);
    learner_sync_throttler_release(&throttler);
}
END_TEST

static Suite *learner_sync_throttler_suite(void)
{
    Suite *suite = suite_create("learner_sync_throttler");
    TCase *tcase = tcase_create("learner_sync_throttler");
    tcase_add_test(tcase, only_voters_go_beyond_the_bound);
    suite_add_tcase(suite, tcase);
    return suite;
}

CHECK_MAIN(learner_sync_throttler_suite)
