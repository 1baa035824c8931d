/* The ids of a peer stand in the order of Java's set. */
#include "server/auth/auth_info.h"

#include <stdio.h>
#include <string.h>

#include "common/base/buffer.h"
#include "common/base/memory.h"
#include "tests/lib/check_main.h"

static struct auth_info *add(struct auth_info *info, const char *scheme, const char *id)
{
    struct zk_id added = {ustring_of(scheme), ustring_of(id)};
    return auth_info_add(info, &added);
}

static bool holds(const struct auth_info *info, int32_t at, const char *scheme, const char *id)
{
    return at < info->ids.count && ustring_is(info->ids.items[at].scheme, scheme)
           && ustring_is(info->ids.items[at].id, id);
}

/* ip:127.0.0.1, then the first so many of digest:u<7919 i>:h<i>, as newSetFromMap(new ConcurrentHashMap<>()) of Java 17
 * walks through them; the numbers below are i, -1 is the ip. */
static const struct {
    int count;
    int order[64];
} orders[] = {
    {1, {-1, 0}},
    {2, {1, -1, 0}},
    {5, {1, 2, -1, 4, 0, 3}},
    {11, {9, -1, 0, 7, 1, 5, 8, 2, 10, 4, 6, 3}},    /* the table has just been doubled, to 32 */
    {12, {9, -1, 0, 7, 11, 1, 5, 8, 2, 10, 4, 6, 3}},
    {24, {21, 13, 22, 9, 16, 14, -1, 23, 17, 7, 11, 5, 3, 20, 12, 0, 18, 1, 19, 8, 2, 10, 4, 6, 15}},
    {30, {21, 13, 22, 9, 16, 14, -1, 23, 17, 7, 11, 5, 3, 20, 12, 26, 0, 18, 27, 29, 25, 1, 24, 19, 8, 28, 2, 10, 4,
          6, 15}},
    {60, {21, 13, 22, 17, 57, 7, 59, 20, 58, 49, 54, 36, 45, 48, 0, 41, 29, 24, 33, 19, 28, 50, 2, 34, 6, 37, 9, 16,
          40, 14, -1, 23, 32, 11, 5, 56, 47, 52, 3, 46, 55, 38, 42, 51, 39, 12, 26, 18, 27, 25, 44, 53, 35, 1, 31, 8,
          10, 4, 30, 15, 43}},
};
START_TEST(order_is_that_of_javas_concurrent_hash_map)
{
    struct auth_info *info = add(auth_info_new_empty(), "ip", "127.0.0.1");
    char id[64];
    for (int i = 0; i < orders[_i].count; i++) {
        snprintf(id, sizeof(id), "u%d:h%d", i * 7919, i);
        info = add(info, "digest", id);
    }
    ck_assert_int_eq(info->ids.count, orders[_i].count + 1);
    for (int at = 0; at <= orders[_i].count; at++) {
        int i = orders[_i].order[at];
        snprintf(id, sizeof(id), "u%d:h%d", i * 7919, i);
        ck_assert_msg(i < 0 ? holds(info, at, "ip", "127.0.0.1") : holds(info, at, "digest", id), "of %d at %d: %.*s",
                      orders[_i].count, at, (int)info->ids.items[at].id.size, info->ids.items[at].id.bytes);
    }
    auth_info_unref(info);
}
END_TEST

START_TEST(an_id_stands_once)
{
    struct auth_info *info = add(auth_info_new_empty(), "digest", "a:b");
    ck_assert_ptr_eq(add(info, "digest", "a:b"), info);
    ck_assert_int_eq(info->ids.count, 1);
    info = add(info, "ip", "a:b");
    ck_assert_int_eq(info->ids.count, 2);
    auth_info_unref(info);
}
END_TEST

START_TEST(what_was_referenced_stays_as_it_was)
{
    struct auth_info *born = add(auth_info_new_empty(), "ip", "::1");
    struct auth_info *now = add(auth_info_ref(born), "digest", "a:b");
    ck_assert_ptr_ne(born, now);
    ck_assert_int_eq(born->ids.count, 1);
    ck_assert(holds(born, 0, "ip", "::1"));
    ck_assert_int_eq(now->ids.count, 2);
    auth_info_unref(now);
    auth_info_unref(born);
    auth_info_unref(NULL);
}
END_TEST

START_TEST(only_the_scheme_super_makes_a_super_user)
{
    struct auth_info *info = add(auth_info_new_empty(), "digest", "super");
    ck_assert(!info->is_super);
    info = add(info, "super", "");
    ck_assert(info->is_super);
    info = add(info, "ip", "::1");
    ck_assert(info->is_super);
    auth_info_unref(info);
}
END_TEST

START_TEST(there_is_a_bound)
{
    struct auth_info *info = auth_info_new_empty();
    ck_assert(auth_info_has_room(info, AUTH_INFO_MOST_IDS, AUTH_INFO_MOST_BYTES));
    ck_assert(!auth_info_has_room(info, 1, AUTH_INFO_MOST_BYTES + 1));
    ck_assert(!auth_info_has_room(info, AUTH_INFO_MOST_IDS + 1, 0));
    info = add(info, "ip", "::1");
    ck_assert(!auth_info_has_room(info, AUTH_INFO_MOST_IDS, 0));
    ck_assert(auth_info_has_room(info, 1, AUTH_INFO_MOST_BYTES - 5));
    ck_assert(!auth_info_has_room(info, 1, AUTH_INFO_MOST_BYTES - 4));
    auth_info_unref(info);
}
END_TEST

static Suite *auth_info_suite(void)
{
    Suite *suite = suite_create("auth_info");
    TCase *tcase = tcase_create("auth_info");
    tcase_add_loop_test(tcase, order_is_that_of_javas_concurrent_hash_map, 0, ARRAY_SIZE(orders));
    tcase_add_test(tcase, an_id_stands_once);
    tcase_add_test(tcase, what_was_referenced_stays_as_it_was);
    tcase_add_test(tcase, only_the_scheme_super_makes_a_super_user);
    tcase_add_test(tcase, there_is_a_bound);
    suite_add_tcase(suite, tcase);
    return suite;
}

CHECK_MAIN(auth_info_suite)
