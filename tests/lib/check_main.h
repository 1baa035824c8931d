/*
 * The main() of every unit test: runs one suite and speaks TAP on standard output. CHECK_MAIN gives each test a process
 * of its own. CHECK_MAIN_IN_PLACE runs all of them in one, for long tables of facts about functions that leave nothing
 * behind: there the processes would take most of the time, sanitizers above all.
 */
#ifndef ZKC_TESTS_LIB_CHECK_MAIN_H
#define ZKC_TESTS_LIB_CHECK_MAIN_H

#include <check.h>
#include <stdlib.h>

#define CHECK_MAIN(make_suite) CHECK_MAIN_WITH(make_suite, CK_FORK_GETENV)
#define CHECK_MAIN_IN_PLACE(make_suite) CHECK_MAIN_WITH(make_suite, CK_NOFORK)

#define CHECK_MAIN_WITH(make_suite, fork_status) \
    int main(void) \
    { \
        SRunner *runner = srunner_create(make_suite()); \
        srunner_set_fork_status(runner, fork_status); \
        srunner_set_tap(runner, "-"); \
        srunner_run_all(runner, CK_SILENT); \
        int failed = srunner_ntests_failed(runner); \
        srunner_free(runner); \
        return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE; \
    }

#endif
