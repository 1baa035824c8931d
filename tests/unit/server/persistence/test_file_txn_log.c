/* test_file_txn_log.c - what is appended and committed is in the files, byte for byte as from Java. */
#include "server/persistence/file_txn_log.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/file.h"
#include "common/base/memory.h"
#include "server/persistence/file_names.h"
#include "tests/unit/server/persistence/persistence_test.h"

static struct error error;

static struct file_txn_log *new_log(void)
{
    const struct file_txn_log_options options = log_options();
    return file_txn_log_new(directory(), &options, NULL, NULL);
}

static void append(struct file_txn_log *log, struct txn *txn)
{
    ck_assert_msg(file_txn_log_append(log, txn, &error) == ZK_OK, "%s", error.text);
    txn_unref(txn);
}

static void commit(struct file_txn_log *log)
{
    ck_assert_msg(file_txn_log_commit(log, &error) == ZK_OK, "%s", error.text);
}

static int try_append(struct file_txn_log *log, struct txn *txn)
{
    int err = file_txn_log_append(log, txn, &error);
    txn_unref(txn);
    return err;
}

static void assert_zxids(const char *expected)
{
    char *zxids = zxids_from("", 0, false);
    ck_assert_str_eq(zxids, expected);
    memory_free(zxids);
}

static size_t count_logs(void)
{
    struct zxid_file_list list;
    ck_assert_int_eq(zxid_file_list_read(directory(), "log", true, &list, NULL), ZK_OK);
    size_t count = list.count;
    zxid_file_list_release(&list);
    return count;
}

START_TEST(the_same_transactions_make_the_file_java_made)
{
    struct file_txn_log_options options = log_options();
    ck_assert_int_eq(mkdir(in_directory("java"), 0700), 0);
    copy_file(golden("log.1"), in_directory("java/log.1"));
    struct txn_iterator *iterator;
    ck_assert_int_eq(txn_iterator_open(in_directory("java"), 0, false, &options, &iterator, &error), ZK_OK);
    struct file_txn_log *log = new_log();
    struct txn *txn;
    int count = 0;
    while (txn_iterator_next(iterator, &txn, &error) == ZK_OK) {
        struct txn *again = txn_new(&txn->header, &txn->body, txn->has_digest ? &txn->digest : NULL);
        bool is_failed_multi = txn->header.zxid == 0x11;    /* decoded as a row of errors, as Java applies it */
        if (!is_failed_multi) {
            ck_assert_uint_eq(again->bytes->size, txn->bytes->size);
            ck_assert_mem_eq(again->bytes->bytes, txn->bytes->bytes, txn->bytes->size);
        }
        append(log, is_failed_multi ? txn_ref(txn) : txn_ref(again));
        txn_unref(again);
        txn_unref(txn);
        if (++count % 5 == 0)
            commit(log);
    }
    ck_assert_int_eq(count, 32);
    commit(log);
    txn_iterator_close(iterator);
    struct buffer expected = {0}, actual = {0};
    read_file(golden("log.1"), &expected);
    read_file(in_directory("log.1"), &actual);
    ck_assert_uint_eq(actual.size, expected.size);
    ck_assert_mem_eq(actual.bytes, expected.bytes, expected.size);
    file_txn_log_free(log);
    buffer_release(&expected);
    buffer_release(&actual);
}
END_TEST

START_TEST(nothing_is_there_before_the_commit)
{
    struct file_txn_log *log = new_log();
    ck_assert_int_eq(file_txn_log_last_sync_ms(log), -1);
    commit(log);
    append(log, create_txn(1));
    ck_assert_uint_eq(count_logs(), 0);
    commit(log);
    ck_assert_int_ge(file_txn_log_last_sync_ms(log), 0);
    assert_zxids("1 ");
    append(log, create_txn(2));
    assert_zxids("1 ");
    file_txn_log_free(log);    /* writes out nothing */
    assert_zxids("1 ");
}
END_TEST

START_TEST(a_roll_begins_a_file_at_the_next_append)
{
    struct file_txn_log *log = new_log();
    append(log, create_txn(1));
    append(log, create_txn(2));
    file_txn_log_roll(log);
    append(log, create_txn(3));
    file_txn_log_roll(log);
    file_txn_log_roll(log);
    append(log, create_txn(4));
    ck_assert_uint_eq(count_logs(), 0);
    commit(log);
    ck_assert_uint_eq(count_logs(), 3);
    ck_assert(exists("log.1") && exists("log.3") && exists("log.4"));
    assert_zxids("1 2 3 4 ");
    file_txn_log_roll(log);
    commit(log);
    append(log, create_txn(5));
    commit(log);
    ck_assert(exists("log.5"));
    assert_zxids("1 2 3 4 5 ");
    file_txn_log_free(log);
}
END_TEST

START_TEST(a_full_file_rolls_at_a_commit)
{
    struct file_txn_log_options options = log_options();
    options.size_limit = 150;
    struct file_txn_log *log = file_txn_log_new(directory(), &options, NULL, NULL);
    for (int64_t zxid = 1; zxid <= 6; zxid++) {
        append(log, create_txn(zxid));
        if (zxid % 2 == 0)
            commit(log);
    }
    ck_assert(exists("log.1") && exists("log.3") && exists("log.5"));
    ck_assert_uint_eq(count_logs(), 3);
    file_txn_log_free(log);
    assert_zxids("1 2 3 4 5 6 ");
}
END_TEST

START_TEST(much_is_written_before_the_commit)
{
    struct file_txn_log_options options = log_options();
    options.pre_alloc_size = 1024 * 1024;
    struct file_txn_log *log = file_txn_log_new(directory(), &options, NULL, NULL);
    static char data[300000];
    for (int64_t zxid = 1; zxid <= 20; zxid++) {
        append(log, create_path_txn(zxid, "/large", data, sizeof(data)));
        if (zxid == 10)
            file_txn_log_roll(log);
    }
    ck_assert_uint_eq(count_logs(), 2);
    commit(log);
    int64_t total = file_txn_log_total_size(log);
    ck_assert_int_gt(total, 20 * 300000);
    ck_assert_int_lt(total, 20 * 300200);
    file_txn_log_set_total_size(log, 0);
    append(log, create_txn(21));
    ck_assert_int_lt(file_txn_log_total_size(log), 200);
    commit(log);
    file_txn_log_free(log);
    assert_zxids("1 2 3 4 5 6 7 8 9 a b c d e f 10 11 12 13 14 15 ");
}
END_TEST

static const struct {
    const char *fact;
    int64_t first, second;
    bool is_error;    /* the second is the error of a request */
    bool is_fine;
} orders[] = {
    {"the next zxid", 5, 6, false, true},
    {"the first of a new epoch", 0x100000005, 0x200000001, false, true},
    {"an error under the zxid before it", 5, 5, true, true},
    {"a gap", 5, 7, false, false},
    {"the same zxid again", 5, 5, false, false},
    {"an older zxid", 5, 4, false, false},
    {"an older epoch", 0x200000001, 0x100000006, false, false},
    {"the counter runs over into the next epoch", 0x1ffffffff, 0x200000000, false, true},
};

START_TEST(zxids_of_a_file_follow_each_other)
{
    struct file_txn_log *log = new_log();
    append(log, create_txn(orders[_i].first));
    int64_t second = orders[_i].second;
    int err = try_append(log, orders[_i].is_error ? error_txn(second) : create_txn(second));
    ck_assert_msg((err == ZK_OK) == orders[_i].is_fine, "%s: %s", orders[_i].fact, error.text);
    if (!orders[_i].is_fine)
        ck_assert_int_eq(err, ZK_RUNTIME_INCONSISTENCY);
    file_txn_log_free(log);
}
END_TEST

START_TEST(the_error_of_a_request_stays_with_its_zxid_over_a_roll)
{
    struct file_txn_log *log = new_log();
    append(log, create_txn(1));
    file_txn_log_roll(log);
    append(log, error_txn(1));
    append(log, create_txn(2));
    commit(log);
    ck_assert(exists("log.1") && exists("log.2"));
    assert_zxids("1 1 2 ");
    file_txn_log_free(log);
}
END_TEST

START_TEST(after_a_failure_nothing_works)
{
    struct file_txn_log *log = new_log();
    append(log, create_txn(1));
    commit(log);
    file_txn_log_roll(log);
    ck_assert_int_eq(mkdir(in_directory("log.2"), 0700), 0);    /* where the next file should come */
    append(log, create_txn(2));
    ck_assert_int_eq(file_txn_log_commit(log, &error), ZK_EXISTS);
    ck_assert_ptr_nonnull(strstr(error.text, "log.2"));
    ck_assert_int_eq(rmdir(in_directory("log.2")), 0);
    error = (struct error){0};
    ck_assert_int_eq(file_txn_log_commit(log, &error), ZK_EXISTS);
    ck_assert_ptr_nonnull(strstr(error.text, "log.2"));
    ck_assert_int_eq(try_append(log, create_txn(3)), ZK_EXISTS);
    file_txn_log_free(log);
    assert_zxids("1 ");
}
END_TEST

START_TEST(a_failed_write_names_file_and_reason)
{
    const struct file_txn_log_options options = log_options();
    struct file_txn_log *log = file_txn_log_new(in_directory("none"), &options, NULL, NULL);
    append(log, create_txn(1));
    ck_assert_int_eq(file_txn_log_commit(log, &error), ZK_NOT_FOUND);
    ck_assert_ptr_nonnull(strstr(error.text, "log.1"));
    ck_assert_ptr_nonnull(strstr(error.text, "No such file or directory"));
    file_txn_log_free(log);
}
END_TEST

START_TEST(a_file_that_is_there_is_not_overwritten)
{
    write_log("", 1, 3, 0);
    struct file_txn_log *log = new_log();
    append(log, create_txn(1));
    ck_assert_int_eq(file_txn_log_commit(log, &error), ZK_EXISTS);
    file_txn_log_free(log);
    assert_zxids("1 2 3 ");
}
END_TEST

START_TEST(what_could_not_be_read_again_is_not_written)
{
    struct file_txn_log_options options = log_options();
    options.max_record_size = 1000;
    struct file_txn_log *log = file_txn_log_new(directory(), &options, NULL, NULL);
    static char data[1000];
    ck_assert_int_eq(try_append(log, create_path_txn(1, "/large", data, sizeof(data))), ZK_TOO_LARGE);
    file_txn_log_free(log);
}
END_TEST

START_TEST(a_slow_sync_is_counted)
{
    struct file_txn_log_options options = log_options();
    options.fsync_warning_threshold_ms = -1;
    struct server_stats stats;
    server_stats_init(&stats);
    struct server_metrics *metrics = server_metrics_new();
    struct file_txn_log *log = file_txn_log_new(directory(), &options, metrics, &stats);
    append(log, create_txn(1));
    commit(log);
    append(log, create_txn(2));
    commit(log);
    ck_assert_int_eq(stats.fsync_threshold_exceed_count, 2);
    file_txn_log_free(log);
    server_metrics_free(metrics);
}
END_TEST

START_TEST(without_force_sync_nothing_is_synced)
{
    struct file_txn_log_options options = log_options();
    options.force_sync = false;
    struct file_txn_log *log = file_txn_log_new(directory(), &options, NULL, NULL);
    append(log, create_txn(1));
    commit(log);
    ck_assert_int_eq(file_txn_log_last_sync_ms(log), -1);
    file_txn_log_free(log);
    assert_zxids("1 ");
}
END_TEST

static Suite *file_txn_log_suite(void)
{
    Suite *suite = suite_create("file_txn_log");
    TCase *tcase = tcase_create("file_txn_log");
    tcase_add_checked_fixture(tcase, make_directory, remove_directory);
    tcase_add_test(tcase, the_same_transactions_make_the_file_java_made);
    tcase_add_test(tcase, nothing_is_there_before_the_commit);
    tcase_add_test(tcase, a_roll_begins_a_file_at_the_next_append);
    tcase_add_test(tcase, a_full_file_rolls_at_a_commit);
    tcase_add_test(tcase, much_is_written_before_the_commit);
    tcase_add_loop_test(tcase, zxids_of_a_file_follow_each_other, 0, ARRAY_SIZE(orders));
    tcase_add_test(tcase, the_error_of_a_request_stays_with_its_zxid_over_a_roll);
    tcase_add_test(tcase, after_a_failure_nothing_works);
    tcase_add_test(tcase, a_failed_write_names_file_and_reason);
    tcase_add_test(tcase, a_file_that_is_there_is_not_overwritten);
    tcase_add_test(tcase, what_could_not_be_read_again_is_not_written);
    tcase_add_test(tcase, a_slow_sync_is_counted);
    tcase_add_test(tcase, without_force_sync_nothing_is_synced);
    tcase_set_timeout(tcase, 60);
    suite_add_tcase(suite, tcase);
    return suite;
}

CHECK_MAIN(file_txn_log_suite)
