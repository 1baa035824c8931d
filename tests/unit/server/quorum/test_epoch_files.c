/* test_epoch_files.c - the two promises: Java's bytes, first values, and what a crash may leave. */
#include "server/quorum/epoch_files.h"

#include <inttypes.h>
#include <string.h>

#include "common/base/file.h"
#include "common/base/memory.h"
#include "common/wire/zxid.h"
#include "tests/lib/check_main.h"
#include "tests/lib/test_directory.h"

static char directory[TEST_DIRECTORY_SIZE];
static struct epoch_files *files;
static struct error error;

static void set_up(void)
{
    test_directory_make(directory);
    files = NULL;
    error = (struct error){0};
}

static void tear_down(void)
{
    epoch_files_close(files);
    test_directory_remove(directory);
}

static void write_file(const char *name, const char *content)
{
    char *path = path_join(directory, name);
    ck_assert_int_eq(file_write_atomic(path, content, strlen(content), NULL), ZK_OK);
    memory_free(path);
}

static void check_file(const char *name, const char *content)
{
    char *path = path_join(directory, name);
    struct buffer bytes = {0};
    ck_assert_int_eq(file_read_all(path, 100, &bytes, NULL), ZK_OK);
    ck_assert_str_eq(buffer_string(&bytes), content);
    buffer_release(&bytes);
    memory_free(path);
}

/* NULL: the file is not there. */
static int open_with(const char *current, const char *accepted, int64_t last_zxid)
{
    if (current != NULL)
        write_file("currentEpoch", current);
    if (accepted != NULL)
        write_file("acceptedEpoch", accepted);
    return epoch_files_open(directory, last_zxid, &files, &error);
}

START_TEST(a_new_server_is_in_the_epoch_of_its_last_transaction)
{
    ck_assert_int_eq(open_with(NULL, NULL, zxid_make(7, 12)), ZK_OK);
    ck_assert_int_eq(epoch_files_current(files), 7);
    ck_assert_int_eq(epoch_files_accepted(files), 7);
    check_file("currentEpoch", "7");
    check_file("acceptedEpoch", "7");
}
END_TEST

START_TEST(a_database_that_may_not_be_trusted_is_in_epoch_0)
{
    ck_assert_int_eq(open_with(NULL, NULL, -1), ZK_OK);
    ck_assert_int_eq(epoch_files_current(files), 0);
}
END_TEST

START_TEST(what_is_set_is_on_the_disk)
{
    ck_assert_int_eq(open_with("3", "3", zxid_make(3, 1)), ZK_OK);
    ck_assert_int_eq(epoch_files_set_accepted(files, 5, &error), ZK_OK);
    ck_assert_int_eq(epoch_files_set_current(files, 5, &error), ZK_OK);
    check_file("currentEpoch", "5");
    check_file("acceptedEpoch", "5");
    epoch_files_close(files);
    ck_assert_int_eq(epoch_files_open(directory, zxid_make(3, 1), &files, &error), ZK_OK);
    ck_assert_int_eq(epoch_files_current(files), 5);
    ck_assert_int_eq(epoch_files_accepted(files), 5);
}
END_TEST

START_TEST(a_value_that_could_not_be_written_is_as_before)
{
    ck_assert_int_eq(open_with("3", "3", 0), ZK_OK);
    char *path = path_join(directory, "acceptedEpoch.tmp");
    ck_assert_int_eq(directory_make(path, NULL), ZK_OK);    /* where the new file would be written */
    ck_assert_int_ne(epoch_files_set_accepted(files, 4, &error), ZK_OK);
    ck_assert_int_eq(epoch_files_accepted(files), 3);
    check_file("acceptedEpoch", "3");
    memory_free(path);
}
END_TEST

/* Between the transactions of a sync and the current epoch (1653, 2307, 4269). */
static const struct {
    const char *fact, *current, *accepted, *left_over;
    int64_t last_zxid, expected;    /* -1: refused */
} crashes[] = {
    {"all is well", "4", "6", NULL, 0x400000009, 4},
    {"logged, not yet in the epoch", "4", "6", NULL, 0x500000009, 5},
    {"logged from the new epoch itself", "4", "6", NULL, 0x600000001, 6},
    {"the new current epoch was written but not renamed", "4", "6", "6", 0x500000009, 6},
    {"a left-over that is no number does not help or hurt", "4", "6", "x", 0x500000009, 5},
    {"a left-over beyond what was accepted does not count", "4", "5", "9", 0x500000009, 5},
    {"transactions of an epoch that nobody accepted", "4", "4", NULL, 0x500000009, -1},
    {"accepted behind current", "6", "5", NULL, 0x500000009, -1},
    {"no number", "abc", "5", NULL, 0, -1},
    {"nothing in it", "", "5", NULL, 0, -1},
    {"negative", "-2", "5", NULL, 0, -1},
    {"beyond 64 bits", "99999999999999999999", "5", NULL, 0, -1},
    {"beyond what a zxid can hold", "2147483648", "2147483648", NULL, 0, -1},
    {"accepted beyond it", "5", "2147483648", NULL, 0, -1},
    {"a line, as people write it", "4\n", "6\r\n", NULL, 0x400000009, 4},
};

START_TEST(what_a_crash_leaves_is_mended_or_refused)
{
    write_file("currentEpoch", crashes[_i].current);
    write_file("acceptedEpoch", crashes[_i].accepted);
    if (crashes[_i].left_over != NULL)
        write_file("currentEpoch.tmp", crashes[_i].left_over);
    int err = open_with(NULL, NULL, crashes[_i].last_zxid);
    ck_assert_msg((err == ZK_OK) == (crashes[_i].expected >= 0), "%s: %s", crashes[_i].fact, error.text);
    if (err != ZK_OK) {
        ck_assert_int_eq(err, ZK_CORRUPT);
        return;
    }
    ck_assert_msg(epoch_files_current(files) == crashes[_i].expected, "%s: %" PRId64, crashes[_i].fact,
                  epoch_files_current(files));
    epoch_files_close(files);    /* and it is so the next time */
    ck_assert_int_eq(epoch_files_open(directory, crashes[_i].last_zxid, &files, &error), ZK_OK);
    ck_assert_int_eq(epoch_files_current(files), crashes[_i].expected);
}
END_TEST

static Suite *epoch_files_suite(void)
{
    Suite *suite = suite_create("epoch_files");
    TCase *tcase = tcase_create("epoch_files");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, a_new_server_is_in_the_epoch_of_its_last_transaction);
    tcase_add_test(tcase, a_database_that_may_not_be_trusted_is_in_epoch_0);
    tcase_add_test(tcase, what_is_set_is_on_the_disk);
    tcase_add_test(tcase, a_value_that_could_not_be_written_is_as_before);
    tcase_add_loop_test(tcase, what_a_crash_leaves_is_mended_or_refused, 0, (int)ARRAY_SIZE(crashes));
    suite_add_tcase(suite, tcase);
    return suite;
}

CHECK_MAIN(epoch_files_suite)
