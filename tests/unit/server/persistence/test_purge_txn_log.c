/* test_purge_txn_log.c - old files go, what is needed stays. */
#include "server/persistence/purge_txn_log.h"

#include <string.h>
#include <sys/stat.h>

#include "common/base/file.h"
#include "common/base/memory.h"
#include "server/persistence/file_names.h"
#include "tests/unit/server/persistence/persistence_test.h"

static struct error error;

static void set_up(void)
{
    make_directory();
    ck_assert_int_eq(mkdir(in_directory("version-2"), 0700), 0);
}

static void snapshot(const char *name)
{
    char *path = path_join("version-2", name);
    write_file(in_directory(path), "ZKSN......\0\0\0\1/", 15);
    memory_free(path);
}

static void other(const char *name)
{
    char *path = path_join("version-2", name);
    write_file(in_directory(path), "x", 1);
    memory_free(path);
}

static void note(void *context, const char *path)
{
    buffer_printf(context, "%s ", strrchr(path, '/') + 1);
}

static void purge(size_t keep, const char *removed, const char *left)
{
    struct buffer told = {0}, names = {0};
    ck_assert_msg(purge_txn_log(directory(), directory(), keep, note, &told, &error) == ZK_OK, "%s", error.text);
    ck_assert_str_eq(buffer_string(&told), removed);
    struct name_list list;
    ck_assert_int_eq(directory_list(in_directory("version-2"), &list, NULL), ZK_OK);
    for (size_t i = 0; i < list.count; i++)
        buffer_printf(&names, "%s ", list.names[i]);
    name_list_release(&list);
    ck_assert_str_eq(buffer_string(&names), left);
    buffer_release(&told);
    buffer_release(&names);
}

START_TEST(the_newest_snapshots_stay_with_their_logs)
{
    static const char *const snaps[] = {"snapshot.0", "snapshot.10", "snapshot.20", "snapshot.30", "snapshot.40"};
    static const char *const logs[] = {"log.1", "log.11", "log.1f", "log.21", "log.31", "log.41"};
    for (size_t i = 0; i < ARRAY_SIZE(snaps); i++)
        snapshot(snaps[i]);
    for (size_t i = 0; i < ARRAY_SIZE(logs); i++)
        other(logs[i]);
    purge(5, "",
          "log.1 log.11 log.1f log.21 log.31 log.41 snapshot.0 snapshot.10 snapshot.20 snapshot.30 snapshot.40 ");
    /* log.1f begins before snapshot.20 and may hold what follows it */
    purge(3, "snapshot.0 snapshot.10 log.1 log.11 ",
          "log.1f log.21 log.31 log.41 snapshot.20 snapshot.30 snapshot.40 ");
    purge(3, "", "log.1f log.21 log.31 log.41 snapshot.20 snapshot.30 snapshot.40 ");
}
END_TEST

START_TEST(damaged_snapshots_do_not_count)
{
    snapshot("snapshot.10");
    snapshot("snapshot.20");
    snapshot("snapshot.30");
    snapshot("snapshot.40");
    other("snapshot.50");
    other("snapshot.5");
    other("log.1");
    other("log.11");
    purge(3, "snapshot.5 snapshot.10 log.1 ", "log.11 snapshot.20 snapshot.30 snapshot.40 snapshot.50 ");
}
END_TEST

START_TEST(without_a_valid_snapshot_nothing_goes)
{
    other("snapshot.50");
    other("log.1");
    other("log.11");
    purge(3, "", "log.1 log.11 snapshot.50 ");
}
END_TEST

START_TEST(fewer_snapshots_than_asked_for_all_stay)
{
    snapshot("snapshot.10");
    snapshot("snapshot.20");
    other("log.1");
    other("log.11");
    other("log.5");
    purge(3, "log.1 ", "log.11 log.5 snapshot.10 snapshot.20 ");
}
END_TEST

START_TEST(strangers_are_left_alone)
{
    static const char *const strangers[] = {"log.5.bak", "mine", "snapshot.5.tmp", "torn.log.1.100", "zkc.lock"};
    for (size_t i = 0; i < ARRAY_SIZE(strangers); i++)
        other(strangers[i]);
    snapshot("snapshot.10");
    snapshot("snapshot.20.gz");    /* does not look like gzip */
    snapshot("snapshot.30");
    snapshot("snapshot.40");
    purge(3, "",
          "log.5.bak mine snapshot.10 snapshot.20.gz snapshot.30 snapshot.40 snapshot.5.tmp torn.log.1.100 zkc.lock ");
}
END_TEST

START_TEST(too_few_to_keep_is_refused)
{
    snapshot("snapshot.10");
    ck_assert_int_eq(purge_txn_log(directory(), directory(), 2, NULL, NULL, &error), ZK_BAD_ARGUMENTS);
    ck_assert_int_eq(purge_txn_log(directory(), directory(), 0, NULL, NULL, &error), ZK_BAD_ARGUMENTS);
    ck_assert_int_eq(purge_txn_log(in_directory("none"), in_directory("none"), 3, NULL, NULL, &error), ZK_OK);
}
END_TEST

START_TEST(logs_may_be_elsewhere)
{
    ck_assert_int_eq(mkdir(in_directory("logs"), 0700), 0);
    ck_assert_int_eq(mkdir(in_directory("logs/version-2"), 0700), 0);
    write_file(in_directory("logs/version-2/log.1"), "x", 1);
    write_file(in_directory("logs/version-2/log.9"), "x", 1);
    snapshot("snapshot.10");
    ck_assert_int_eq(purge_txn_log(in_directory("logs"), directory(), 3, NULL, NULL, &error), ZK_OK);
    ck_assert(!exists("logs/version-2/log.1") && exists("logs/version-2/log.9") && exists("version-2/snapshot.10"));
}
END_TEST

static Suite *purge_txn_log_suite(void)
{
    Suite *suite = suite_create("purge_txn_log");
    TCase *tcase = tcase_create("purge_txn_log");
    tcase_add_checked_fixture(tcase, set_up, remove_directory);
    tcase_add_test(tcase, the_newest_snapshots_stay_with_their_logs);
    tcase_add_test(tcase, damaged_snapshots_do_not_count);
    tcase_add_test(tcase, without_a_valid_snapshot_nothing_goes);
    tcase_add_test(tcase, fewer_snapshots_than_asked_for_all_stay);
    tcase_add_test(tcase, strangers_are_left_alone);
    tcase_add_test(tcase, too_few_to_keep_is_refused);
    tcase_add_test(tcase, logs_may_be_elsewhere);
    tcase_set_timeout(tcase, 60);
    suite_add_tcase(suite, tcase);
    return suite;
}

CHECK_MAIN(purge_txn_log_suite)
