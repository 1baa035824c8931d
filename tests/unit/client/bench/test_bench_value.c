/* test_bench_value.c - what is written is right, and what is not is seen. */
#include "client/bench/bench_value.h"

#include "common/base/memory.h"
#include "tests/lib/check_main.h"

static const size_t sizes[] = {0, 1, 3, 4, 5, 8, 9, 100, 4096};

START_TEST(what_was_written_is_right)
{
    uint8_t *pattern = bench_value_pattern_new(4096), bytes[4096];
    for (uint32_t stamp = 0; stamp < 1000; stamp += 37) {
        bench_value_write(pattern, 17, stamp, bytes, sizes[_i]);
        ck_assert(bench_value_is_right(pattern, 17, bytes, sizes[_i]));
    }
    memory_free(pattern);
}
END_TEST

START_TEST(a_byte_that_is_another_is_seen)
{
    uint8_t *pattern = bench_value_pattern_new(4096), bytes[4096];
    for (size_t i = 0; i < sizes[_i]; i++) {
        if (i >= 4 && i < 7)
            continue;    /* a stamp may be any, but for its last byte, which shifts the pattern */
        bench_value_write(pattern, 17, 5, bytes, sizes[_i]);
        bytes[i] ^= 1;
        ck_assert_msg(!bench_value_is_right(pattern, 17, bytes, sizes[_i]) || (i == 7 && sizes[_i] <= 9), "byte %zu",
                      i);
    }
    memory_free(pattern);
}
END_TEST

START_TEST(the_value_of_another_node_is_seen)
{
    uint8_t *pattern = bench_value_pattern_new(100), bytes[100];
    bench_value_write(pattern, 17, 5, bytes, 100);
    ck_assert(!bench_value_is_right(pattern, 18, bytes, 100));
    memory_free(pattern);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("bench_value");
    TCase *tcase = tcase_create("bench_value");
    tcase_add_loop_test(tcase, what_was_written_is_right, 0, ARRAY_SIZE(sizes));
    tcase_add_loop_test(tcase, a_byte_that_is_another_is_seen, 0, ARRAY_SIZE(sizes));
    tcase_add_test(tcase, the_value_of_another_node_is_seen);
    suite_add_tcase(suite, tcase);
    return suite;
}

CHECK_MAIN(make_suite)
