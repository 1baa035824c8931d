/* test_committed_log.c - the last transactions, without a gap. */
#include "server/persistence/committed_log.h"

#include "common/base/log.h"
#include "common/base/memory.h"
#include "tests/unit/server/persistence/persistence_test.h"

static void add(struct committed_log *log, int64_t zxid)
{
    struct txn *txn = create_txn(zxid);
    committed_log_add(log, txn);
    txn_unref(txn);
}

static void assert_holds(struct committed_log *log, int64_t min, int64_t max, size_t count)
{
    ck_assert_int_eq(committed_log_min_zxid(log), min);
    ck_assert_int_eq(committed_log_max_zxid(log), max);
    ck_assert_uint_eq(committed_log_count(log), count);
    size_t listed;
    struct txn **list = committed_log_list(log, &listed);
    ck_assert_uint_eq(listed, count);
    for (size_t i = 0; i < listed; i++) {
        if (i > 0)
            ck_assert_int_lt(list[i - 1]->header.zxid, list[i]->header.zxid);
        txn_unref(list[i]);
    }
    memory_free(list);
}

START_TEST(the_oldest_goes_first)
{
    struct committed_log *log = committed_log_new(3);
    assert_holds(log, 0, 0, 0);
    for (int64_t zxid = 5; zxid < 12; zxid++)
        add(log, zxid);
    assert_holds(log, 9, 11, 3);
    committed_log_clear(log);
    assert_holds(log, 0, 0, 0);
    add(log, 1);
    assert_holds(log, 1, 1, 1);
    committed_log_free(log);
    committed_log_free(NULL);
}
END_TEST

START_TEST(a_gap_begins_it_anew)
{
    log_set_level(NULL, LOG_OFF);
    struct committed_log *log = committed_log_new(10);
    add(log, 1);
    add(log, 2);
    add(log, 4);
    assert_holds(log, 4, 4, 1);
    add(log, 0x100000003);    /* the beginning of its epoch is not here */
    assert_holds(log, 0x100000003, 0x100000003, 1);
    committed_log_free(log);
}
END_TEST

START_TEST(a_new_epoch_is_no_gap)
{
    struct committed_log *log = committed_log_new(10);
    add(log, 0x100000007);
    add(log, 0x200000001);
    assert_holds(log, 0x100000007, 0x200000001, 2);
    committed_log_free(log);
}
END_TEST

START_TEST(what_was_there_is_not_added_again)
{
    struct committed_log *log = committed_log_new(10);
    add(log, 1);
    add(log, 2);
    add(log, 2);
    add(log, 1);
    assert_holds(log, 1, 2, 2);
    committed_log_free(log);
}
END_TEST

static Suite *committed_log_suite(void)
{
    Suite *suite = suite_create("committed_log");
    TCase *tcase = tcase_create("committed_log");
    tcase_add_test(tcase, the_oldest_goes_first);
    tcase_add_test(tcase, a_gap_begins_it_anew);
    tcase_add_test(tcase, a_new_epoch_is_no_gap);
    tcase_add_test(tcase, what_was_there_is_not_added_again);
    tcase_set_timeout(tcase, 60);
    suite_add_tcase(suite, tcase);
    return suite;
}

CHECK_MAIN(committed_log_suite)
