/* test_op_code.c - names and kinds of operations, and the create modes. */
#include "common/wire/op_code.h"

#include "common/base/memory.h"
#include "tests/lib/check_main.h"

START_TEST(thirty_operations_come_from_clients)
{
    int valid = 0, named = 0;
    for (int32_t code = -1000; code <= 1000; code++) {
        valid += op_code_is_valid(code);
        named += op_code_name(code) != NULL;
        ck_assert_msg(op_code_name(code) != NULL || (!op_code_is_valid(code) && !op_code_is_write(code)), "%d", code);
    }
    ck_assert_int_eq(named, 33);
    ck_assert_int_eq(valid, 28);    /* auth and sasl come too, but never into the chain */
    ck_assert(!op_code_is_valid(OP_AUTH) && !op_code_is_valid(OP_SASL));
    ck_assert(!op_code_is_valid(OP_CHECK) && !op_code_is_valid(OP_ERROR) && !op_code_is_valid(OP_NOTIFICATION));
}
END_TEST

static const int32_t writes[] = {OP_CREATE, OP_CREATE2, OP_CREATE_TTL, OP_CREATE_CONTAINER, OP_DELETE, OP_ERROR,
                                 OP_DELETE_CONTAINER, OP_SET_ACL, OP_SET_DATA, OP_CHECK, OP_MULTI, OP_RECONFIG,
                                 OP_CREATE_SESSION, OP_CLOSE_SESSION};
START_TEST(what_changes_something_is_a_write)
{
    size_t count = 0;
    for (int32_t code = -1000; code <= 1000; code++)
        count += op_code_is_write(code);
    ck_assert_uint_eq(count, ARRAY_SIZE(writes));
    for (size_t i = 0; i < ARRAY_SIZE(writes); i++)
        ck_assert(op_code_is_write(writes[i]));
}
END_TEST

START_TEST(names_are_javas)
{
    ck_assert_str_eq(op_code_name(OP_GET_DATA), "getData");
    ck_assert_str_eq(op_code_name(OP_GET_ALL_CHILDREN_NUMBER), "getAllChildrenNumber");
    ck_assert_str_eq(op_code_name(OP_CREATE_TTL), "createTTL");
    ck_assert_str_eq(op_code_name(OP_CLOSE_SESSION), "closeSession");
    ck_assert_ptr_null(op_code_name(10));
}
END_TEST

START_TEST(create_modes)
{
    static const struct {
        int32_t flags;
        bool is_ephemeral, is_sequential, is_container, is_ttl;
    } modes[] = {{0, 0, 0, 0, 0}, {1, 1, 0, 0, 0}, {2, 0, 1, 0, 0}, {3, 1, 1, 0, 0},
                 {4, 0, 0, 1, 0}, {5, 0, 0, 0, 1}, {6, 0, 1, 0, 1}};
    for (int32_t i = 0; i < (int32_t)ARRAY_SIZE(modes); i++) {
        ck_assert(create_mode_is_valid(i));
        ck_assert_int_eq(create_mode_is_ephemeral(i), modes[i].is_ephemeral);
        ck_assert_int_eq(create_mode_is_sequential(i), modes[i].is_sequential);
        ck_assert_int_eq(create_mode_is_container(i), modes[i].is_container);
        ck_assert_int_eq(create_mode_is_ttl(i), modes[i].is_ttl);
    }
    ck_assert(!create_mode_is_valid(-1) && !create_mode_is_valid(7) && !create_mode_is_valid(INT32_MIN));
}
END_TEST

static Suite *op_code_suite(void)
{
    Suite *suite = suite_create("op_code");
    TCase *tcase = tcase_create("op_code");
    suite_add_tcase(suite, tcase);
    tcase_add_test(tcase, thirty_operations_come_from_clients);
    tcase_add_test(tcase, what_changes_something_is_a_write);
    tcase_add_test(tcase, names_are_javas);
    tcase_add_test(tcase, create_modes);
    return suite;
}

CHECK_MAIN(op_code_suite)
