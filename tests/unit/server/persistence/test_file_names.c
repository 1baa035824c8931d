/* test_file_names.c - which names in a data directory mean something. */
#include "server/persistence/file_names.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/memory.h"
#include "tests/unit/server/persistence/persistence_test.h"

static const struct {
    const char *name, *prefix;
    int64_t zxid;
} names[] = {
    {"log.1", "log", 1},
    {"log.100000001", "log", 0x100000001},
    {"log.7fffffffffffffff", "log", INT64_MAX},
    {"log.ABC", "log", 0xabc},
    {"snapshot.0", "snapshot", 0},
    {"snapshot.20.gz", "snapshot", 0x20},
    {"snapshot.20.snappy", "snapshot", 0x20},
    {"snapshot.20.GZ", "snapshot", 0x20},
    {"log.ffffffffffffffff", "log", -1},
    {"log.10000000000000000", "log", -1},
    {"log.", "log", -1},
    {"log", "log", -1},
    {"log.5.gz", "log", -1},
    {"log.5.bak", "log", -1},
    {"log.-5", "log", -1},
    {"log.0x5", "log", -1},
    {"snapshot.5.tmp", "snapshot", -1},
    {"snapshot.5.gz.tmp", "snapshot", -1},
    {"snapshots.5", "snapshot", -1},
    {"torn.log.5.100", "log", -1},
    {"zkc.lock", "log", -1},
    {"", "log", -1},
};

START_TEST(a_name_says_its_zxid)
{
    ck_assert_msg(file_name_zxid(names[_i].name, names[_i].prefix) == names[_i].zxid, "%s", names[_i].name);
}
END_TEST

START_TEST(names_are_made_as_java_makes_them)
{
    char *log = log_file_name(0x10000000a), *snapshot = snapshot_file_name(0x20, ".gz");
    ck_assert_str_eq(log, "log.10000000a");
    ck_assert_str_eq(snapshot, "snapshot.20.gz");
    memory_free(log);
    memory_free(snapshot);
    ck_assert(file_name_is_log("log.5") && !file_name_is_log("snapshot.5"));
    ck_assert(file_name_is_snapshot("snapshot.5") && !file_name_is_snapshot("log.5"));
}
END_TEST

START_TEST(files_are_listed_by_number)
{
    const char *made[] = {"log.9", "log.10", "log.a", "log.a.bak", "snapshot.1", "zkc.lock"};
    for (size_t i = 0; i < ARRAY_SIZE(made); i++)
        write_file(in_directory(made[i]), "x", 1);
    struct zxid_file_list list;
    ck_assert_int_eq(zxid_file_list_read(directory(), "log", true, &list, NULL), ZK_OK);
    ck_assert_uint_eq(list.count, 3);
    ck_assert_int_eq(list.items[0].zxid, 9);
    ck_assert_int_eq(list.items[1].zxid, 10);
    ck_assert_int_eq(list.items[2].zxid, 16);
    ck_assert_str_eq(list.items[2].path, in_directory("log.10"));
    zxid_file_list_release(&list);
    ck_assert_int_eq(zxid_file_list_read(directory(), "log", false, &list, NULL), ZK_OK);
    ck_assert_int_eq(list.items[0].zxid, 16);
    zxid_file_list_release(&list);
    ck_assert_int_eq(zxid_file_list_read(in_directory("none"), "log", true, &list, NULL), ZK_NOT_FOUND);
}
END_TEST

START_TEST(a_log_that_is_no_file_is_refused)
{
    struct zxid_file_list list;
    struct error error = {0};
    ck_assert_int_eq(mkfifo(in_directory("log.5"), 0600), 0);
    ck_assert_int_eq(zxid_file_list_read(directory(), "log", true, &list, &error), ZK_CORRUPT);
    ck_assert_ptr_nonnull(strstr(error.text, "log.5"));
    ck_assert_int_eq(unlink(in_directory("log.5")), 0);
    ck_assert_int_eq(mkdir(in_directory("log.5"), 0700), 0);
    ck_assert_int_eq(zxid_file_list_read(directory(), "log", true, &list, &error), ZK_CORRUPT);
}
END_TEST

START_TEST(a_snapshot_that_is_no_file_is_left_out)
{
    struct zxid_file_list list;
    ck_assert_int_eq(mkfifo(in_directory("snapshot.5"), 0600), 0);
    ck_assert_int_eq(mkdir(in_directory("snapshot.6"), 0700), 0);
    ck_assert_int_eq(symlink("nowhere", in_directory("snapshot.7")), 0);
    write_file(in_directory("snapshot.8"), "x", 1);
    ck_assert_int_eq(zxid_file_list_read(directory(), "snapshot", true, &list, NULL), ZK_OK);
    ck_assert_uint_eq(list.count, 1);
    ck_assert_int_eq(list.items[0].zxid, 8);
    zxid_file_list_release(&list);
}
END_TEST

static Suite *file_names_suite(void)
{
    Suite *suite = suite_create("file_names");
    TCase *tcase = tcase_create("file_names");
    tcase_add_checked_fixture(tcase, make_directory, remove_directory);
    tcase_add_loop_test(tcase, a_name_says_its_zxid, 0, ARRAY_SIZE(names));
    tcase_add_test(tcase, names_are_made_as_java_makes_them);
    tcase_add_test(tcase, files_are_listed_by_number);
    tcase_add_test(tcase, a_log_that_is_no_file_is_refused);
    tcase_add_test(tcase, a_snapshot_that_is_no_file_is_left_out);
    tcase_set_timeout(tcase, 60);
    suite_add_tcase(suite, tcase);
    return suite;
}

CHECK_MAIN(file_names_suite)
