/* test_bench_plan.c - paths of nodes, directories, sessions. */
#include "client/bench/bench_plan.h"

#include "tests/lib/check_main.h"

static const struct bench_plan plan = {.root = "/app/bench", .root_size = 10, .token = 0xab12f, .nodes = 2001,
                                       .sessions = 3};

START_TEST(paths_are_of_one_length)
{
    char path[BENCH_PATH_SIZE];
    ck_assert_uint_eq(bench_plan_node_path(&plan, 0, path), 20);
    ck_assert_str_eq(path, "/app/bench/00000/000");
    ck_assert_uint_eq(bench_plan_node_path(&plan, 99999999, path), 20);
    ck_assert_str_eq(path, "/app/bench/99999/999");
    bench_plan_directory_path(&plan, 42, path);
    ck_assert_str_eq(path, "/app/bench/00042");
    bench_plan_session_path(&plan, 7, path);
    ck_assert_str_eq(path, "/app/bench/s0ab12f00007");
    bench_plan_made_path(&plan, 99999, UINT32_MAX, path);
    ck_assert_str_eq(path, "/app/bench/s0ab12f99999/4294967295");
}
END_TEST

START_TEST(the_last_directory_has_what_is_left)
{
    ck_assert_uint_eq(bench_plan_directories(&plan), 3);
    ck_assert_uint_eq(bench_plan_directory_count(&plan, 0), 1000);
    ck_assert_uint_eq(bench_plan_directory_count(&plan, 1), 1000);
    ck_assert_uint_eq(bench_plan_directory_count(&plan, 2), 1);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("bench_plan");
    TCase *tcase = tcase_create("bench_plan");
    tcase_add_test(tcase, paths_are_of_one_length);
    tcase_add_test(tcase, the_last_directory_has_what_is_left);
    suite_add_tcase(suite, tcase);
    return suite;
}

CHECK_MAIN(make_suite)
