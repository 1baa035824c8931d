/* test_acl.c - comparing, copying and printing of ACLs; and the halves of a zxid. */
#include "common/wire/acl.h"

#include "common/base/memory.h"
#include "common/wire/zxid.h"
#include "tests/lib/check_main.h"

START_TEST(a_copy_is_equal_and_its_own)
{
    char scheme[] = "digest", id[] = "user:hash";
    struct zk_acl items[] = {{PERM_READ | PERM_ADMIN, {ustring_of(scheme), ustring_of(id)}},
                             {PERM_ALL, {USTRING_NULL, ustring_of("")}}};
    const struct zk_acl_vector vector = {items, 2};
    struct zk_acl_vector *copy = acl_vector_copy(&vector);
    ck_assert(acl_vector_equal(copy, &vector));
    scheme[0] = 'D';
    ck_assert(!acl_vector_equal(copy, &vector));
    ck_assert(ustring_is(copy->items[0].id.scheme, "digest"));
    ck_assert_int_eq(copy->items[1].id.scheme.size, -1);
    memory_free(copy);
}
END_TEST

START_TEST(null_and_empty_are_kept_apart)
{
    const struct zk_acl_vector null_vector = {NULL, -1}, empty = {NULL, 0};
    struct zk_acl_vector *copy = acl_vector_copy(&null_vector);
    ck_assert_int_eq(copy->count, -1);
    ck_assert(acl_vector_equal(copy, &null_vector));
    ck_assert(!acl_vector_equal(copy, &empty));
    memory_free(copy);
}
END_TEST

START_TEST(every_part_counts)
{
    const struct zk_acl base = acl_open_unsafe.items[0];
    struct zk_acl other = base;
    ck_assert(acl_equal(&base, &other));
    other.perms = PERM_READ;
    ck_assert(!acl_equal(&base, &other));
    ck_assert(acl_equal(&other, &acl_read_unsafe.items[0]));
    other = base;
    other.id.id = ustring_of("anyon");
    ck_assert(!acl_equal(&base, &other));
    other = base;
    other.id.scheme = ustring_of("auth");
    ck_assert(!acl_equal(&base, &other));
    ck_assert(!acl_vector_equal(&acl_open_unsafe, &acl_read_unsafe));
}
END_TEST

START_TEST(permissions_have_letters)
{
    char text[8];
    acl_format_permissions(PERM_ALL, text);
    ck_assert_str_eq(text, "rwcda");
    acl_format_permissions(PERM_READ | PERM_DELETE, text);
    ck_assert_str_eq(text, "rd");
    acl_format_permissions(0, text);
    ck_assert_str_eq(text, "");
    acl_format_permissions(-1, text);
    ck_assert_str_eq(text, "rwcda");
}
END_TEST

START_TEST(a_zxid_is_epoch_and_counter)
{
    ck_assert_int_eq(zxid_make(5, 7), 0x500000007);
    ck_assert_int_eq(zxid_epoch(0x500000007), 5);
    ck_assert_int_eq(zxid_counter(0x500000007), 7);
    ck_assert_int_eq(zxid_epoch(-1), 0xffffffff);
    ck_assert_int_eq(zxid_make(zxid_epoch(-2), zxid_counter(-2)), -2);
}
END_TEST

static Suite *acl_suite(void)
{
    Suite *suite = suite_create("acl");
    TCase *tcase = tcase_create("acl");
    suite_add_tcase(suite, tcase);
    tcase_add_test(tcase, a_copy_is_equal_and_its_own);
    tcase_add_test(tcase, null_and_empty_are_kept_apart);
    tcase_add_test(tcase, every_part_counts);
    tcase_add_test(tcase, permissions_have_letters);
    tcase_add_test(tcase, a_zxid_is_epoch_and_counter);
    return suite;
}

CHECK_MAIN(acl_suite)
