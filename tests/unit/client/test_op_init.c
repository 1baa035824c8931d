/* test_op_init.c - steps of a multi, as programs fill them in. */
#include <string.h>

#include "client/public.h"
#include "common/base/memory.h"
#include "tests/lib/check_main.h"

static zoo_op_t op;
static char buffer[10];

static void set_up(void)
{
    memset(&op, 0xa5, sizeof(op));
}

enum { PERSISTENT = 0, EPHEMERAL_SEQUENTIAL = 3, CONTAINER = 4, TTL = 5, SEQUENTIAL_TTL = 6 };
static const struct {
    int mode;
    int type, type2;
} modes[] = {
    { PERSISTENT, ZOO_CREATE_OP, ZOO_CREATE2_OP },
    { EPHEMERAL_SEQUENTIAL, ZOO_CREATE_OP, ZOO_CREATE2_OP },
    { CONTAINER, ZOO_CREATE_CONTAINER_OP, ZOO_CREATE_CONTAINER_OP },
    { TTL, ZOO_CREATE_TTL_OP, ZOO_CREATE_TTL_OP },
    { SEQUENTIAL_TTL, ZOO_CREATE_TTL_OP, ZOO_CREATE_TTL_OP },
};
START_TEST(the_mode_decides_how_to_create)
{
    zoo_create_op_init(&op, "/a", "value", 5, &ZOO_OPEN_ACL_UNSAFE, modes[_i].mode, buffer, sizeof(buffer));
    ck_assert_int_eq(op.type, modes[_i].type);
    zoo_create2_op_init(&op, "/a", "value", 5, &ZOO_OPEN_ACL_UNSAFE, modes[_i].mode, buffer, sizeof(buffer));
    ck_assert_int_eq(op.type, modes[_i].type2);
    ck_assert_str_eq(op.create_op.path, "/a");
    ck_assert_str_eq(op.create_op.data, "value");
    ck_assert_int_eq(op.create_op.datalen, 5);
    ck_assert_ptr_eq(op.create_op.acl, &ZOO_OPEN_ACL_UNSAFE);
    ck_assert_int_eq(op.create_op.flags, modes[_i].mode);
    ck_assert_ptr_eq(op.create_op.buf, buffer);
    ck_assert_int_eq(op.create_op.buflen, sizeof(buffer));
    ck_assert_int_eq(op.create_op.ttl, 0);
}
END_TEST

START_TEST(delete_set_and_check_keep_what_they_are_given)
{
    struct Stat stat;
    zoo_delete_op_init(&op, "/a", 7);
    ck_assert_int_eq(op.type, ZOO_DELETE_OP);
    ck_assert_str_eq(op.delete_op.path, "/a");
    ck_assert_int_eq(op.delete_op.version, 7);
    zoo_set_op_init(&op, "/b", "x", 1, -1, &stat);
    ck_assert_int_eq(op.type, ZOO_SETDATA_OP);
    ck_assert_str_eq(op.set_op.path, "/b");
    ck_assert_str_eq(op.set_op.data, "x");
    ck_assert_int_eq(op.set_op.datalen, 1);
    ck_assert_int_eq(op.set_op.version, -1);
    ck_assert_ptr_eq(op.set_op.stat, &stat);
    zoo_check_op_init(&op, "/c", 3);
    ck_assert_int_eq(op.type, ZOO_CHECK_OP);
    ck_assert_str_eq(op.check_op.path, "/c");
    ck_assert_int_eq(op.check_op.version, 3);
}
END_TEST

START_TEST(reads_keep_path_and_type)
{
    zoo_read_op_t read;
    zoo_get_op_init(&read, "/a");
    ck_assert_int_eq(read.type, ZOO_GETDATA_OP);
    ck_assert_str_eq(read.path, "/a");
    zoo_get_children_op_init(&read, "/b");
    ck_assert_int_eq(read.type, ZOO_GETCHILDREN_OP);
    ck_assert_str_eq(read.path, "/b");
}
END_TEST

START_TEST(results_are_freed_once)
{
    zoo_read_result_t results[2] = { { .type = ZOO_GETDATA_OP }, { .type = ZOO_GETCHILDREN_OP } };
    results[0].value = strdup("x");
    allocate_String_vector(&results[1].strings, 2);
    results[1].strings.data[0] = strdup("child");
    zoo_free_read_results(2, results);
    zoo_free_read_results(2, results);
    zoo_free_read_results(0, NULL);
    ck_assert_ptr_null(results[0].value);
    ck_assert_int_eq(results[1].strings.count, 0);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("client/op_init");
    TCase *tcase = tcase_create("ops");
    tcase_add_checked_fixture(tcase, set_up, NULL);
    tcase_add_loop_test(tcase, the_mode_decides_how_to_create, 0, ARRAY_SIZE(modes));
    tcase_add_test(tcase, delete_set_and_check_keep_what_they_are_given);
    tcase_add_test(tcase, reads_keep_path_and_type);
    tcase_add_test(tcase, results_are_freed_once);
    suite_add_tcase(suite, tcase);
    return suite;
}
CHECK_MAIN(make_suite)
