/* test_list.c - the intrusive list. */
#include "common/base/list.h"

#include "tests/lib/check_main.h"

struct element {
    int number;
    struct list link;
};

START_TEST(keeps_the_order_of_both_ends)
{
    struct element elements[4] = { { .number = 0 }, { .number = 1 }, { .number = 2 }, { .number = 3 } };
    struct list list;
    list_init(&list);
    ck_assert(list_is_empty(&list));
    list_add_last(&list, &elements[1].link);
    list_add_last(&list, &elements[2].link);
    list_add_first(&list, &elements[0].link);
    list_add_last(&list, &elements[3].link);
    int expected = 0;
    LIST_EACH(link, &list)
        ck_assert_int_eq(LIST_ENTRY(link, struct element, link)->number, expected++);
    ck_assert_int_eq(expected, 4);
}
END_TEST

START_TEST(an_element_may_leave_during_the_walk)
{
    struct element elements[3];
    struct list list;
    list_init(&list);
    for (int i = 0; i < 3; i++)
        list_add_last(&list, &elements[i].link);
    LIST_EACH_SAFE(link, &list)
        list_remove(link);
    ck_assert(list_is_empty(&list));
    list_remove(&elements[0].link);    /* a second time does nothing */
    ck_assert(list_is_empty(&elements[0].link));
}
END_TEST

static Suite *list_suite(void)
{
    Suite *suite = suite_create("list");
    TCase *tcase = tcase_create("list");
    tcase_add_test(tcase, keeps_the_order_of_both_ends);
    tcase_add_test(tcase, an_element_may_leave_during_the_walk);
    suite_add_tcase(suite, tcase);
    return suite;
}

CHECK_MAIN(list_suite)
