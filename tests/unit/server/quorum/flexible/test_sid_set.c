/* Sets of server ids, and the order of Java's maps over them. */
#include "server/quorum/flexible/sid_set.h"

#include "common/base/memory.h"
#include "server/quorum/flexible/java_id_order.h"
#include "tests/lib/check_main.h"

START_TEST(ids_stand_by_rising_value_once_each)
{
    static const int64_t ids[] = {5, -1, 3, INT64_MAX, 5, 0, INT64_MIN, 7, 8, 9, 10};
    struct sid_set set = {0};
    struct buffer text = {0};
    for (size_t i = 0; i < ARRAY_SIZE(ids); i++)
        ck_assert(sid_set_add(&set, ids[i]) == (i != 4));
    sid_set_print(&set, &text);
    ck_assert_str_eq(buffer_string(&text),
                     "[-9223372036854775808, -1, 0, 3, 5, 7, 8, 9, 10, 9223372036854775807]");
    buffer_release(&text);
    sid_set_release(&set);
}
END_TEST

START_TEST(what_is_removed_is_gone)
{
    struct sid_set set = {0};
    struct buffer text = {0};
    sid_set_add(&set, 1);
    sid_set_add(&set, 2);
    ck_assert(sid_set_remove(&set, 1));
    ck_assert(!sid_set_remove(&set, 1));
    ck_assert(!sid_set_contains(&set, 1));
    ck_assert(sid_set_contains(&set, 2));
    sid_set_clear(&set);
    ck_assert(!sid_set_contains(&set, 2));
    sid_set_print(&set, &text);
    ck_assert_str_eq(buffer_string(&text), "[]");
    buffer_release(&text);
    sid_set_release(&set);
}
END_TEST

/* As a Java machine of release 17 printed these keys of a HashMap. */
START_TEST(a_java_map_of_more_than_twelve_ids_has_thirty_two_buckets)
{
    static const int64_t expected[] = {98, 35, 70, 7, 42, 77, 14, 49, 84, 21, 56, 91, 28, 63};
    int64_t ids[14];
    size_t order[14];
    for (int i = 0; i < 14; i++)
        ids[i] = 7 * (i + 1);
    java_id_order(ids, 14, order);
    for (int i = 0; i < 14; i++)
        ck_assert_int_eq(ids[order[i]], expected[i]);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("sid_set");
    TCase *tcase = tcase_create("ids");
    suite_add_tcase(suite, tcase);
    tcase_add_test(tcase, ids_stand_by_rising_value_once_each);
    tcase_add_test(tcase, what_is_removed_is_gone);
    tcase_add_test(tcase, a_java_map_of_more_than_twelve_ids_has_thirty_two_buckets);
    return suite;
}

CHECK_MAIN(make_suite)
