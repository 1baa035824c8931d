/* test_txn_iterator.c - many log files as one sequence, and holes in it. */
#include "server/persistence/txn_iterator.h"

#include <string.h>
#include <sys/stat.h>

#include "common/base/file.h"
#include "common/base/memory.h"
#include "tests/unit/server/persistence/persistence_test.h"

static void assert_zxids(int64_t from, bool fast_forward, const char *expected)
{
    char *zxids = zxids_from("", from, fast_forward);
    ck_assert_str_eq(zxids, expected);
    memory_free(zxids);
}

/* Takes bytes from the end of a file. */
static void shorten(const char *name, int64_t by)
{
    struct file *file;
    int64_t size;
    ck_assert_int_eq(file_open(in_directory(name), FILE_WRITE, &file, NULL), ZK_OK);
    ck_assert_int_eq(file_size(file, &size, NULL), ZK_OK);
    ck_assert_int_eq(file_truncate(file, size - by, NULL), ZK_OK);
    ck_assert_int_eq(file_close(file, NULL), ZK_OK);
}

START_TEST(the_log_of_a_java_server_is_read)
{
    copy_file(golden("log.1"), in_directory("log.1"));
    assert_zxids(0, false, "1 2 3 4 5 6 7 8 9 a b c d e f 10 11 12 13 14 15 16 17 18 19 1a 1b 1c 1d 1e 1f 20 ");
}
END_TEST

START_TEST(it_begins_where_it_is_asked_to)
{
    write_log("", 1, 3, 0);
    write_log("", 4, 6, 8192);
    write_log("", 7, 9, 0);
    assert_zxids(5, true, "5 6 7 8 9 ");
    assert_zxids(5, false, "4 5 6 7 8 9 ");
    assert_zxids(4, true, "4 5 6 7 8 9 ");
    assert_zxids(9, true, "9 ");
    assert_zxids(10, true, "");
    assert_zxids(10, false, "7 8 9 ");
    assert_zxids(0, true, "1 2 3 4 5 6 7 8 9 ");
}
END_TEST

START_TEST(an_empty_directory_has_nothing)
{
    assert_zxids(0, true, "");
    char *zxids = zxids_from("none", 0, true);
    ck_assert_str_eq(zxids, "| NOTFOUND");
    memory_free(zxids);
}
END_TEST

START_TEST(it_says_where_it_is)
{
    write_log("", 1, 3, 0);
    write_log("", 4, 6, 0);
    const struct file_txn_log_options options = log_options();
    struct txn_iterator *iterator;
    ck_assert_int_eq(txn_iterator_open(directory(), 2, true, &options, &iterator, NULL), ZK_OK);
    struct txn *txn;
    int64_t sizes = 0, size;
    ck_assert_int_eq(file_size_of(in_directory("log.1"), &size, NULL), ZK_OK);
    sizes += size;
    int64_t record = (size - 16) / 3;
    ck_assert_int_eq(file_size_of(in_directory("log.4"), &size, NULL), ZK_OK);
    sizes += size;
    ck_assert_int_eq(txn_iterator_storage_size(iterator), sizes);
    ck_assert_int_eq(txn_iterator_next(iterator, &txn, NULL), ZK_OK);
    ck_assert_int_eq(txn->header.zxid, 2);
    txn_unref(txn);
    ck_assert_str_eq(txn_iterator_path(iterator), in_directory("log.1"));
    ck_assert_int_eq(txn_iterator_offset(iterator), 16 + record);
    txn_iterator_close(iterator);
}
END_TEST

START_TEST(a_missing_file_is_a_hole)
{
    write_log("", 1, 3, 0);
    write_log("", 7, 9, 0);
    assert_zxids(0, false, "1 2 3 | CORRUPT");
    assert_zxids(4, true, "| CORRUPT");
    assert_zxids(5, true, "| CORRUPT");
    /* A learner that was sent a snapshot at 6 goes on like this. */
    assert_zxids(7, true, "7 8 9 ");
    assert_zxids(7, false, "1 2 3 7 8 9 ");
}
END_TEST

START_TEST(a_gap_in_a_file_counts_from_where_it_is_asked)
{
    write_log("", 1, 3, 0);
    write_log("", 7, 9, 0);
    struct buffer first = {0}, second = {0};
    read_file(in_directory("log.1"), &first);
    read_file(in_directory("log.7"), &second);
    buffer_append(&first, second.bytes + 16, second.size - 16);
    write_file(in_directory("log.1"), first.bytes, first.size);
    ck_assert_int_eq(file_unlink(in_directory("log.7"), NULL), ZK_OK);
    assert_zxids(0, false, "1 2 3 | CORRUPT");
    assert_zxids(7, true, "7 8 9 ");
    assert_zxids(7, false, "1 2 3 7 8 9 ");
    buffer_release(&first);
    buffer_release(&second);
}
END_TEST

START_TEST(an_epoch_begins_at_its_beginning)
{
    write_log("", 0x100000001, 0x100000002, 0);
    write_log("", 0x200000001, 0x200000002, 0);
    assert_zxids(0, false, "100000001 100000002 200000001 200000002 ");
    write_log("", 0x300000005, 0x300000005, 0);    /* 300000001 to 4 are not there */
    assert_zxids(0, false, "100000001 100000002 200000001 200000002 | CORRUPT");
    assert_zxids(0x300000005, true, "300000005 ");
}
END_TEST

START_TEST(overlaps_are_given_out_as_they_stand)
{
    write_log("", 1, 5, 0);
    write_log("", 4, 7, 0);
    assert_zxids(0, false, "1 2 3 4 5 4 5 6 7 ");
    assert_zxids(6, true, "6 7 ");
}
END_TEST

START_TEST(a_torn_record_may_end_any_file_if_nothing_is_missing)
{
    write_log("", 1, 4, 0);
    shorten("log.1", 5);    /* a Java server died while it wrote 4, and began a new file after its restart */
    write_log("", 4, 5, 0);
    assert_zxids(0, false, "1 2 3 4 5 ");
}
END_TEST

START_TEST(a_file_cut_short_in_the_middle_is_a_hole)
{
    write_log("", 1, 4, 0);
    shorten("log.1", 5);
    write_log("", 5, 6, 0);
    assert_zxids(0, false, "1 2 3 | CORRUPT");
}
END_TEST

static const struct {
    const char *fact;
    size_t size;
} empties[] = {{"no bytes", 0}, {"half a header", 7}, {"a header only", 16}};

START_TEST(an_empty_file_is_fine_at_the_end_only)
{
    struct buffer header = {0};
    write_log("", 1, 2, 0);
    read_file(in_directory("log.1"), &header);
    write_file(in_directory("log.3"), header.bytes, empties[_i].size);
    assert_zxids(0, false, "1 2 ");
    write_log("", 0x100000001, 0x100000001, 0);
    assert_zxids(0, false, "1 2 | CORRUPT");
    assert_zxids(0x100000001, true, "100000001 ");
    buffer_release(&header);
}
END_TEST

START_TEST(a_name_must_be_that_of_the_first_record)
{
    write_log("", 1, 3, 0);
    ck_assert_int_eq(file_rename(in_directory("log.1"), in_directory("log.2"), NULL), ZK_OK);
    assert_zxids(0, false, "| CORRUPT");
}
END_TEST

START_TEST(a_record_that_makes_no_sense_is_damage)
{
    struct txn_header header = {.zxid = 1, .type = 4711};
    struct buffer bytes = {0};
    jute_write_txn_header(&bytes, &header);
    struct txn *txn = create_txn(1);    /* a carrier for bytes that no server would write */
    struct blob *other = txn->bytes;
    txn->bytes = blob_new_copy(bytes.bytes, bytes.size);
    const struct file_txn_log_options options = log_options();
    struct file_txn_log *log = file_txn_log_new(directory(), &options, NULL, NULL);
    ck_assert_int_eq(file_txn_log_append(log, txn, NULL), ZK_OK);
    ck_assert_int_eq(file_txn_log_commit(log, NULL), ZK_OK);
    file_txn_log_free(log);
    struct txn_iterator *iterator;
    struct txn *read;
    struct error error = {0};
    ck_assert_int_eq(txn_iterator_open(directory(), 0, false, &options, &iterator, NULL), ZK_OK);
    ck_assert_int_eq(txn_iterator_next(iterator, &read, &error), ZK_CORRUPT);
    ck_assert_ptr_nonnull(strstr(error.text, "log.1"));
    ck_assert_ptr_nonnull(strstr(error.text, "4711"));
    txn_iterator_close(iterator);
    txn_unref(txn);
    blob_unref(other);
    buffer_release(&bytes);
}
END_TEST

START_TEST(records_over_many_windows_are_whole)
{
    static char data[700000];
    for (size_t i = 0; i < sizeof(data); i++)
        data[i] = (char)(i * 7 + i / 251);
    const struct file_txn_log_options options = log_options();
    struct file_txn_log *log = file_txn_log_new(directory(), &options, NULL, NULL);
    for (int64_t zxid = 1; zxid <= 40; zxid++) {
        struct txn *txn = create_path_txn(zxid, "/n", data, (size_t)(zxid * zxid * 437));
        ck_assert_int_eq(file_txn_log_append(log, txn, NULL), ZK_OK);
        txn_unref(txn);
    }
    ck_assert_int_eq(file_txn_log_commit(log, NULL), ZK_OK);
    file_txn_log_free(log);
    struct txn_iterator *iterator;
    struct txn *txn;
    ck_assert_int_eq(txn_iterator_open(directory(), 0, true, &options, &iterator, NULL), ZK_OK);
    for (int64_t zxid = 1; zxid <= 40; zxid++) {
        ck_assert_int_eq(txn_iterator_next(iterator, &txn, NULL), ZK_OK);
        ck_assert_int_eq(txn->body.record.create.data.size, zxid * zxid * 437);
        ck_assert_mem_eq(txn->body.record.create.data.bytes, data, (size_t)(zxid * zxid * 437));
        txn_unref(txn);
    }
    ck_assert_int_eq(txn_iterator_next(iterator, &txn, NULL), ZK_EOF);
    ck_assert_int_eq(txn_iterator_next(iterator, &txn, NULL), ZK_EOF);
    txn_iterator_close(iterator);
}
END_TEST

START_TEST(successors_are_told_from_gaps)
{
    ck_assert(zxid_follows(0, 1));
    ck_assert(!zxid_follows(0, 2));
    ck_assert(zxid_follows(0, 0x100000001));
    ck_assert(zxid_follows(0x1ffffffff, 0x200000000));
    ck_assert(zxid_follows(0x100000007, 0x300000001));
    ck_assert(!zxid_follows(0x100000007, 0x300000002));
    ck_assert(!zxid_follows(0x100000007, 0x100000007));
    ck_assert(!zxid_follows(0x300000001, 0x100000001));
    ck_assert(!zxid_follows(0, INT64_MIN + 1));
    ck_assert(!zxid_follows(INT64_MAX, INT64_MIN));
}
END_TEST

static Suite *txn_iterator_suite(void)
{
    Suite *suite = suite_create("txn_iterator");
    TCase *tcase = tcase_create("txn_iterator");
    tcase_add_checked_fixture(tcase, make_directory, remove_directory);
    tcase_add_test(tcase, the_log_of_a_java_server_is_read);
    tcase_add_test(tcase, it_begins_where_it_is_asked_to);
    tcase_add_test(tcase, an_empty_directory_has_nothing);
    tcase_add_test(tcase, it_says_where_it_is);
    tcase_add_test(tcase, a_missing_file_is_a_hole);
    tcase_add_test(tcase, a_gap_in_a_file_counts_from_where_it_is_asked);
    tcase_add_test(tcase, an_epoch_begins_at_its_beginning);
    tcase_add_test(tcase, overlaps_are_given_out_as_they_stand);
    tcase_add_test(tcase, a_torn_record_may_end_any_file_if_nothing_is_missing);
    tcase_add_test(tcase, a_file_cut_short_in_the_middle_is_a_hole);
    tcase_add_loop_test(tcase, an_empty_file_is_fine_at_the_end_only, 0, ARRAY_SIZE(empties));
    tcase_add_test(tcase, a_name_must_be_that_of_the_first_record);
    tcase_add_test(tcase, a_record_that_makes_no_sense_is_damage);
    tcase_add_test(tcase, records_over_many_windows_are_whole);
    tcase_add_test(tcase, successors_are_told_from_gaps);
    tcase_set_timeout(tcase, 60);
    suite_add_tcase(suite, tcase);
    return suite;
}

CHECK_MAIN(txn_iterator_suite)
