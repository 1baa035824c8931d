/* test_durable_mark.c - what the mark says of which log, and what it makes of a log whose sectors came in any order. */
#include "server/persistence/durable_mark.h"

#include <stdio.h>
#include <string.h>

#include "common/base/file.h"
#include "common/base/memory.h"
#include "server/persistence/file_txn_log.h"
#include "tests/lib/check_main.h"
#include "tests/lib/test_directory.h"

static char directory[TEST_DIRECTORY_SIZE];

static void set_up(void)
{
    test_directory_make(directory);
}

static void tear_down(void)
{
    test_directory_remove(directory);
}

static void mark(int64_t zxid, int64_t offset)
{
    struct durable_mark *mark;
    ck_assert_int_eq(durable_mark_open(directory, &mark, NULL), ZK_OK);
    durable_mark_set(mark, zxid, offset);
    durable_mark_close(mark);
}

START_TEST(without_a_mark_nothing_is_known)
{
    ck_assert_int_eq(durable_mark_of(directory, 1), -1);
    struct error error = {0};
    char *path = path_join(directory, DURABLE_MARK_NAME);
    ck_assert_int_eq(file_write_atomic(path, "0000000000000001 0000000000000010 00000000\n", 43, &error), ZK_OK);
    ck_assert_int_eq(durable_mark_of(directory, 1), -1);    /* another sum */
    memory_free(path);
}
END_TEST

START_TEST(a_mark_is_of_one_log_and_tells_of_older_and_newer_ones)
{
    mark(0x100000005, 4711);
    ck_assert_int_eq(durable_mark_of(directory, 0x100000005), 4711);
    ck_assert_int_eq(durable_mark_of(directory, 0x100000004), INT64_MAX);
    ck_assert_int_eq(durable_mark_of(directory, 0x200000001), 0);
    mark(0x200000001, 16);
    ck_assert_int_eq(durable_mark_of(directory, 0x200000001), 16);
    ck_assert_int_eq(durable_mark_of(directory, 0x100000005), INT64_MAX);
}
END_TEST

START_TEST(a_log_before_another_is_durable_whatever_the_mark_says)
{
    mark(0x100000005, 16);
    char *path = path_join(directory, "log.200000001");
    ck_assert_int_eq(file_write_atomic(path, "", 0, NULL), ZK_OK);
    memory_free(path);
    ck_assert_int_eq(durable_mark_of(directory, 0x100000005), INT64_MAX);
    ck_assert_int_eq(durable_mark_of(directory, 0x100000009), INT64_MAX);
    ck_assert_int_eq(durable_mark_of(directory, 0x200000001), 0);
}
END_TEST

START_TEST(a_first_mark_says_nothing_yet)
{
    struct durable_mark *first;
    ck_assert_int_eq(durable_mark_open(directory, &first, NULL), ZK_OK);
    durable_mark_close(first);
    ck_assert_int_eq(durable_mark_of(directory, 1), 0);
}
END_TEST

/* Else a log made again under an old name would meet a mark that is too high for it. */
START_TEST(logs_that_are_removed_take_the_mark_along)
{
    const struct file_txn_log_options options = {.max_record_size = 1 << 20};
    char *path = path_join(directory, "log.2");
    ck_assert_int_eq(file_write_atomic(path, "", 0, NULL), ZK_OK);
    mark(2, 4711);
    ck_assert_int_eq(file_txn_log_drop_behind(directory, 2, &options, NULL), ZK_OK);    /* nothing is behind it */
    ck_assert_int_eq(durable_mark_of(directory, 2), 4711);
    ck_assert_int_eq(file_txn_log_drop_behind(directory, 1, &options, NULL), ZK_OK);
    ck_assert_int_eq(file_kind(path), FILE_KIND_NONE);
    ck_assert_int_eq(durable_mark_of(directory, 2), -1);
    ck_assert_int_eq(durable_mark_forget(directory, NULL), ZK_OK);
    memory_free(path);
}
END_TEST

/* A log with one record lost as a whole sector is, and bytes behind it; the mark stands at `durable`. */
static int repair_with_hole(int64_t durable)
{
    uint8_t bytes[2048] = {'Z', 'K', 'L', 'G', 0, 0, 0, TXN_LOG_VERSION};
    memset(bytes + 1024, 0x5a, 512);
    char *path = path_join(directory, "log.1");
    ck_assert_int_eq(file_write_atomic(path, bytes, sizeof(bytes), NULL), ZK_OK);
    memory_free(path);
    mark(1, durable);
    struct file_txn_log_options options = {.max_record_size = 1 << 20};
    return file_txn_log_repair_tail(directory, 0, &options, NULL);
}

START_TEST(behind_the_mark_a_hole_is_the_end)
{
    ck_assert_int_eq(repair_with_hole(16), ZK_OK);
}
END_TEST

START_TEST(before_the_mark_it_is_damage)
{
    ck_assert_int_eq(repair_with_hole(1600), ZK_CORRUPT);
}
END_TEST

static Suite *durable_mark_suite(void)
{
    Suite *suite = suite_create("durable_mark");
    TCase *tcase = tcase_create("all");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, without_a_mark_nothing_is_known);
    tcase_add_test(tcase, a_mark_is_of_one_log_and_tells_of_older_and_newer_ones);
    tcase_add_test(tcase, a_log_before_another_is_durable_whatever_the_mark_says);
    tcase_add_test(tcase, a_first_mark_says_nothing_yet);
    tcase_add_test(tcase, logs_that_are_removed_take_the_mark_along);
    tcase_add_test(tcase, behind_the_mark_a_hole_is_the_end);
    tcase_add_test(tcase, before_the_mark_it_is_damage);
    suite_add_tcase(suite, tcase);
    return suite;
}

CHECK_MAIN(durable_mark_suite)
