/* test_acl_cache.c - ids, usage, and lists that a snapshot does not know. */
#include "server/tree/acl_cache.h"

#include "common/base/memory.h"
#include "tests/lib/check_main.h"

static struct zk_acl one_item[] = {{.perms = 1, .id = {{"ip", 2}, {"10.0.0.1", 8}}}};
static struct zk_acl other_item[] = {{.perms = 2, .id = {{"ip", 2}, {"10.0.0.1", 8}}}};
static const struct zk_acl_vector one = {one_item, 1};
static const struct zk_acl_vector other = {other_item, 1};

START_TEST(a_list_is_held_once)
{
    struct acl_cache *cache = acl_cache_new();
    struct acl_list *first = acl_cache_intern(cache, &one);
    struct acl_list *second = acl_cache_intern(cache, &other);
    ck_assert_int_eq(first->id, 1);
    ck_assert_int_eq(second->id, 2);
    ck_assert_ptr_eq(acl_cache_intern(cache, &one), first);
    ck_assert_ptr_eq(acl_cache_by_id(cache, 1), first);
    ck_assert_int_eq(first->usage, 3);
    ck_assert(acl_vector_equal(&first->acl, &one) && !first->is_open && !first->is_unknown);
    ck_assert_uint_eq(acl_cache_size(cache), 2);
    acl_cache_free(cache);
}
END_TEST

START_TEST(no_list_is_the_open_one)
{
    struct acl_cache *cache = acl_cache_new();
    struct zk_acl_vector null = {NULL, -1};
    struct acl_list *open = acl_cache_intern(cache, &null);
    ck_assert_int_eq(open->id, ACL_ID_OPEN_UNSAFE);
    ck_assert(open->is_open);
    ck_assert_ptr_eq(acl_cache_by_id(cache, ACL_ID_OPEN_UNSAFE), open);
    ck_assert_ptr_eq(acl_cache_intern(cache, NULL), open);
    struct acl_list *named = acl_cache_intern(cache, &acl_open_unsafe);
    ck_assert_ptr_ne(named, open);    /* written out it has an id of its own, as in Java */
    ck_assert_int_eq(named->id, 1);
    ck_assert(named->is_open);
    acl_cache_remove_usage(cache, open);
    acl_cache_free(cache);
}
END_TEST

START_TEST(the_last_usage_takes_it_out_and_readers_keep_it)
{
    struct acl_cache *cache = acl_cache_new();
    struct acl_list *list = acl_list_ref(acl_cache_intern(cache, &one));
    acl_cache_add_usage(cache, list);
    acl_cache_remove_usage(cache, list);
    ck_assert_uint_eq(acl_cache_size(cache), 1);
    acl_cache_remove_usage(cache, list);
    ck_assert_uint_eq(acl_cache_size(cache), 0);
    ck_assert(acl_vector_equal(&list->acl, &one));
    struct acl_list *again = acl_cache_intern(cache, &one);
    ck_assert_ptr_ne(again, list);
    ck_assert_int_eq(again->id, 2);    /* an id is never given twice */
    acl_list_unref(list);
    acl_cache_free(cache);
}
END_TEST

/* ZOOKEEPER-4846, ZOOKEEPER-4689: a node names a list that was made after the table was saved. */
START_TEST(an_unknown_id_is_closed_and_never_given_to_another)
{
    struct acl_cache *cache = acl_cache_new();
    acl_cache_put(cache, 3, &one);
    struct acl_list *unknown = acl_cache_by_id(cache, 7);
    ck_assert(unknown->is_unknown && !unknown->is_open);
    ck_assert_int_eq(unknown->acl.count, 0);
    ck_assert_int_eq(unknown->id, 7);
    ck_assert_ptr_eq(acl_cache_by_id(cache, 7), unknown);
    ck_assert_int_eq(acl_cache_intern(cache, &other)->id, 8);
    size_t count;
    struct acl_list **lists = acl_cache_list(cache, &count);
    ck_assert_uint_eq(count, 2);    /* the unknown one is not written */
    for (size_t i = 0; i < count; i++) {
        ck_assert(!lists[i]->is_unknown);
        acl_list_unref(lists[i]);
    }
    memory_free(lists);
    acl_cache_free(cache);
}
END_TEST

START_TEST(unused_lists_go_after_loading)
{
    struct acl_cache *cache = acl_cache_new();
    acl_cache_put(cache, 1, &one);
    acl_cache_put(cache, 2, &other);
    acl_cache_by_id(cache, 2);
    acl_cache_purge_unused(cache);
    ck_assert_uint_eq(acl_cache_size(cache), 1);
    ck_assert_ptr_eq(acl_cache_intern(cache, &other), acl_cache_by_id(cache, 2));
    acl_cache_free(cache);
}
END_TEST

static Suite *acl_cache_suite(void)
{
    Suite *suite = suite_create("acl_cache");
    TCase *tcase = tcase_create("acl_cache");
    tcase_add_test(tcase, a_list_is_held_once);
    tcase_add_test(tcase, no_list_is_the_open_one);
    tcase_add_test(tcase, the_last_usage_takes_it_out_and_readers_keep_it);
    tcase_add_test(tcase, an_unknown_id_is_closed_and_never_given_to_another);
    tcase_add_test(tcase, unused_lists_go_after_loading);
    suite_add_tcase(suite, tcase);
    return suite;
}

CHECK_MAIN(acl_cache_suite)
