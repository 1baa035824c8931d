/* The main() of every unit test: runs one suite and speaks TAP on standard output. */
#ifndef ZKC_TESTS_LIB_CHECK_MAIN_H
#define ZKC_TESTS_LIB_CHECK_MAIN_H

#include <check.h>
#include <stdlib.h>

#define CHECK_MAIN(make_suite) \
    int main(void) \
    { \
        SRunner *runner = srunner_create(make_suite()); \
        srunner_set_tap(runner, "-"); \
        srunner_run_all(runner, CK_SILENT); \
        int failed = srunner_ntests_failed(runner); \
        srunner_free(runner); \
        return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE; \
    }

#endif
