/* test_file_padding.c - the size a log file has ahead of its records. */
#include "server/persistence/file_padding.h"

#include <sys/stat.h>

#include "common/base/memory.h"
#include "tests/unit/server/persistence/persistence_test.h"

static const struct {
    const char *fact;
    int64_t position, size, pre_alloc_size, expected;
} sizes[] = {    /* as FilePadding.calculateFileSizeWithPadding answers */
    {"a new file grows by one step", 16, 16, 8192, 8208},
    {"far from the end nothing happens", 4000, 8208, 8192, 8208},
    {"4 KiB from the end is far enough", 4111, 8208, 8192, 8208},
    {"less is not", 4112, 8208, 8192, 16400},
    {"at the end it grows", 8208, 8208, 8192, 16400},
    {"beyond the end the size becomes a multiple", 9000, 8208, 8192, 16384},
    {"a multiple far beyond the end", 10 * 8192 + 1, 8208, 8192, 11 * 8192},
    {"no padding asked for", 8208, 8208, 0, 8208},
    {"nor with a negative size", 8208, 8208, -1, 8208},
};

START_TEST(size_is_as_in_java)
{
    int64_t size = file_padding_calculate(sizes[_i].position, sizes[_i].size, sizes[_i].pre_alloc_size);
    ck_assert_msg(size == sizes[_i].expected, "%s: %lld", sizes[_i].fact, (long long)size);
}
END_TEST

START_TEST(blocks_are_written_ahead_of_the_records)
{
    struct file *file;
    ck_assert_int_eq(file_open(in_directory("log.1"), FILE_CREATE, &file, NULL), ZK_OK);
    struct file_padding padding = {.pre_alloc_size = 64 * 1024 * 1024, .size = 16};
    char bytes[1000] = "record";
    int64_t position = 16, size;
    while (position < 4 * 1024 * 1024) {
        ck_assert_int_eq(file_padding_extend(&padding, file, position, NULL), ZK_OK);
        ck_assert_int_eq(file_pwrite(file, bytes, sizeof(bytes), position, NULL), ZK_OK);
        position += (int64_t)sizeof(bytes);
        ck_assert_int_eq(file_padding_fill(&padding, file, position, NULL), ZK_OK);
        ck_assert_int_gt(padding.zeros_to, position);
        ck_assert_int_le(padding.zeros_to, 3 * position + 128 * 1024);
        ck_assert_int_le(padding.zeros_to, position + 2 * 1024 * 1024);
    }
    ck_assert_int_eq(file_size(file, &size, NULL), ZK_OK);
    ck_assert_int_eq(size, 64 * 1024 * 1024 + 16);
    struct stat status;
    ck_assert_int_eq(stat(in_directory("log.1"), &status), 0);
    ck_assert_int_lt(status.st_blocks * 512, 8 * 1024 * 1024);    /* the rest is a hole */
    size_t got;
    ck_assert_int_eq(file_pread(file, bytes, 6, 16, &got, NULL), ZK_OK);
    ck_assert_mem_eq(bytes, "record", 6);
    ck_assert_int_eq(file_close(file, NULL), ZK_OK);
}
END_TEST

START_TEST(zeros_never_pass_the_size)
{
    struct file *file;
    ck_assert_int_eq(file_open(in_directory("log.1"), FILE_CREATE, &file, NULL), ZK_OK);
    struct file_padding padding = {.pre_alloc_size = 8192, .size = 16};
    ck_assert_int_eq(file_padding_extend(&padding, file, 16, NULL), ZK_OK);
    ck_assert_int_eq(file_padding_fill(&padding, file, 100, NULL), ZK_OK);
    int64_t size;
    ck_assert_int_eq(file_size(file, &size, NULL), ZK_OK);
    ck_assert_int_eq(size, 8208);
    ck_assert_int_eq(padding.zeros_to, 8208);
    ck_assert_int_eq(file_close(file, NULL), ZK_OK);
}
END_TEST

static Suite *file_padding_suite(void)
{
    Suite *suite = suite_create("file_padding");
    TCase *tcase = tcase_create("file_padding");
    tcase_add_checked_fixture(tcase, make_directory, remove_directory);
    tcase_add_loop_test(tcase, size_is_as_in_java, 0, ARRAY_SIZE(sizes));
    tcase_add_test(tcase, blocks_are_written_ahead_of_the_records);
    tcase_add_test(tcase, zeros_never_pass_the_size);
    tcase_set_timeout(tcase, 60);
    suite_add_tcase(suite, tcase);
    return suite;
}

CHECK_MAIN(file_padding_suite)
