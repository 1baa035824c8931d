/* test_session_table.c - sessions and their time-outs. */
#include "common/base/memory.h"
#include "server/persistence/file_snap.h"
#include "tests/unit/server/persistence/persistence_test.h"

START_TEST(sessions_come_and_go)
{
    struct session_table *table = session_table_new();
    int32_t timeout_ms = 0;
    ck_assert(!session_table_get(table, 5, &timeout_ms));
    session_table_put(table, 5, 1000);
    session_table_put(table, -7, 2000);
    session_table_put(table, 5, 3000);
    ck_assert_uint_eq(session_table_count(table), 2);
    ck_assert(session_table_get(table, 5, &timeout_ms));
    ck_assert_int_eq(timeout_ms, 3000);
    session_table_remove(table, 6);
    session_table_remove(table, 5);
    ck_assert(!session_table_get(table, 5, &timeout_ms));
    session_table_clear(table);
    ck_assert_uint_eq(session_table_count(table), 0);
    session_table_free(table);
    session_table_free(NULL);
}
END_TEST

START_TEST(the_list_is_sorted)
{
    struct session_table *table = session_table_new();
    for (int64_t id = 1000; id > 0; id--)
        session_table_put(table, id * 7919 % 1009, (int32_t)id);
    size_t count;
    struct session_timeout *list = session_table_list(table, &count);
    ck_assert_uint_eq(count, session_table_count(table));
    for (size_t i = 1; i < count; i++)
        ck_assert_int_lt(list[i - 1].id, list[i].id);
    memory_free(list);
    session_table_free(table);
}
END_TEST

START_TEST(transactions_change_it)
{
    struct session_table *table = session_table_new();
    int32_t timeout_ms = 0;
    struct txn *open = session_txn(1, 0x55, 4000), *other = create_txn(2), *close = session_txn(3, 0x55, -1);
    session_table_apply(table, &open->header, &open->body);
    session_table_apply(table, &other->header, &other->body);
    ck_assert(session_table_get(table, 0x55, &timeout_ms));
    ck_assert_int_eq(timeout_ms, 4000);
    ck_assert_uint_eq(session_table_count(table), 1);
    session_table_apply(table, &close->header, &close->body);
    ck_assert_uint_eq(session_table_count(table), 0);
    txn_unref(open);
    txn_unref(other);
    txn_unref(close);
    session_table_free(table);
}
END_TEST

static Suite *session_table_suite(void)
{
    Suite *suite = suite_create("session_table");
    TCase *tcase = tcase_create("session_table");
    tcase_add_test(tcase, sessions_come_and_go);
    tcase_add_test(tcase, the_list_is_sorted);
    tcase_add_test(tcase, transactions_change_it);
    tcase_set_timeout(tcase, 60);
    suite_add_tcase(suite, tcase);
    return suite;
}

CHECK_MAIN(session_table_suite)
