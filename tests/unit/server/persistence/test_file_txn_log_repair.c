/*
 * test_file_txn_log_repair.c - what a crash leaves is cut off, what a bad disk leaves is refused.
 *
 * The tables go through every length a log can be cut to and every bit of it that can turn over. What must never happen
 * is that a record that was whole on the disk is not there afterwards and nobody says so.
 */
#include "server/persistence/file_txn_log.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "common/base/file.h"
#include "common/base/memory.h"
#include "server/persistence/file_names.h"
#include "tests/unit/server/persistence/persistence_test.h"

#define RECORD_COUNT 5
#define HEADER_SIZE 16

static struct buffer whole;    /* a log of five records, without padding */
static size_t record_size;

static void set_up(void)
{
    make_directory();
    write_log("", 1, RECORD_COUNT, 0);
    whole = (struct buffer){0};
    read_file(in_directory("log.1"), &whole);
    record_size = (whole.size - HEADER_SIZE) / RECORD_COUNT;
    ck_assert_uint_eq(HEADER_SIZE + RECORD_COUNT * record_size, whole.size);
}

static void tear_down(void)
{
    buffer_release(&whole);
    remove_directory();
}

static void clear_directory(void)
{
    struct name_list names;
    ck_assert_int_eq(directory_list(directory(), &names, NULL), ZK_OK);
    for (size_t i = 0; i < names.count; i++) {
        char *path = path_join(directory(), names.names[i]);
        ck_assert_int_eq(file_unlink(path, NULL), ZK_OK);
        memory_free(path);
    }
    name_list_release(&names);
}

static int repair(struct error *error)
{
    const struct file_txn_log_options options = log_options();
    return file_txn_log_repair_tail(directory(), 0, &options, error);
}

static void assert_zxids(const char *expected)
{
    char *zxids = zxids_from("", 0, false);
    ck_assert_str_eq(zxids, expected);
    memory_free(zxids);
}

/* How many of the five records an iterator gives; -1 for an error. */
static int count_records(void)
{
    char *zxids = zxids_from("", 0, false);
    static const char all[] = "1 2 3 4 5 ";
    size_t size = strlen(zxids);
    bool is_prefix = strncmp(zxids, all, size) == 0;
    memory_free(zxids);
    return is_prefix ? (int)size / 2 : -1;
}

/* A name that begins so, in the directory. */
static bool has_name(const char *prefix)
{
    struct name_list names;
    bool found = false;
    ck_assert_int_eq(directory_list(directory(), &names, NULL), ZK_OK);
    for (size_t i = 0; i < names.count; i++)
        found |= strncmp(names.names[i], prefix, strlen(prefix)) == 0;
    name_list_release(&names);
    return found;
}

static void cut_to(size_t size, size_t zeros)
{
    clear_directory();
    struct buffer bytes = {0};
    buffer_append(&bytes, whole.bytes, size);
    memset(buffer_extend(&bytes, zeros), 0, zeros);
    write_file(in_directory("log.1"), bytes.bytes, bytes.size);
    buffer_release(&bytes);
}

/* Whether such a log ends in anything but zeros behind its header and its whole records. */
static bool is_torn(size_t size, size_t zeros)
{
    size_t start = 0;
    if (size >= HEADER_SIZE)
        start = size - (size - HEADER_SIZE) % record_size;
    else if (size >= 8 && size + zeros >= HEADER_SIZE)    /* a header ends in zeros anyway */
        return false;
    for (size_t at = start; at < size; at++) {
        if (whole.bytes[at] != 0)
            return true;
    }
    return false;
}

static const size_t paddings[] = {0, 1, 7, 100, 8192};

START_TEST(every_length_is_cut_to_whole_records)
{
    size_t zeros = paddings[_i];
    for (size_t size = 0; size <= whole.size; size++) {
        cut_to(size, zeros);
        int records = size < HEADER_SIZE ? 0 : (int)((size - HEADER_SIZE) / record_size);
        ck_assert_int_eq(count_records(), records);
        struct error error = {0};
        ck_assert_msg(repair(&error) == ZK_OK, "cut to %zu: %s", size, error.text);
        ck_assert_int_eq(count_records(), records);
        ck_assert_msg(exists("log.1") == (records > 0), "cut to %zu", size);
        ck_assert_msg(has_name("torn.log.1.") == is_torn(size, zeros), "cut to %zu", size);
        /* Repaired means repaired. */
        ck_assert_int_eq(repair(&error), ZK_OK);
        ck_assert_int_eq(count_records(), records);
    }
}
END_TEST

START_TEST(torn_bytes_are_kept)
{
    size_t cut = HEADER_SIZE + 2 * record_size + 50, from = HEADER_SIZE + 2 * record_size;
    cut_to(cut, 100);
    ck_assert_int_eq(repair(NULL), ZK_OK);
    char name[64];
    snprintf(name, sizeof(name), "torn.log.1.%zu", from);
    struct buffer kept = {0};
    read_file(in_directory(name), &kept);
    ck_assert_uint_le(kept.size, 50);
    ck_assert_mem_eq(kept.bytes, whole.bytes + from, kept.size);
    while (kept.size < 50)    /* zeros at its end cannot be told from zeros behind it */
        ck_assert_uint_eq(whole.bytes[from + kept.size++], 0);
    int64_t size;
    ck_assert_int_eq(file_size_of(in_directory("log.1"), &size, NULL), ZK_OK);
    ck_assert_uint_eq((size_t)size, from);
    buffer_release(&kept);
}
END_TEST

START_TEST(no_bit_takes_a_record_away_unnoticed)
{
    size_t zeros = paddings[_i];
    struct buffer bytes = {0};
    buffer_append(&bytes, whole.bytes, whole.size);
    memset(buffer_extend(&bytes, zeros), 0, zeros);
    size_t refused = 0, step = zeros > 1000 ? 3 : 1;
    for (size_t bit = 0; bit < 8 * bytes.size; bit += bit < 8 * whole.size + 1000 ? 1 : 97 * step) {
        clear_directory();
        bytes.bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
        write_file(in_directory("log.1"), bytes.bytes, bytes.size);
        struct error error = {0};
        int err = repair(&error);
        if (err == ZK_OK) {
            ck_assert_msg(bit / 8 >= whole.size, "bit %zu was not seen", bit);
            ck_assert_int_eq(count_records(), RECORD_COUNT);
        } else {
            ck_assert_int_eq(err, ZK_CORRUPT);
            ck_assert_ptr_nonnull(strstr(error.text, "log.1"));
            ck_assert(!has_name("torn."));
            struct buffer after = {0};
            read_file(in_directory("log.1"), &after);    /* nothing is changed */
            ck_assert_uint_eq(after.size, bytes.size);
            ck_assert_mem_eq(after.bytes, bytes.bytes, bytes.size);
            buffer_release(&after);
            refused++;
        }
        bytes.bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    ck_assert_uint_ge(refused, 8 * whole.size);
    buffer_release(&bytes);
}
END_TEST

START_TEST(a_byte_in_a_padded_log_from_java_is_seen)
{
    clear_directory();
    struct buffer bytes = {0};
    read_file(golden("log.1"), &bytes);
    size_t used = bytes.size;
    while (bytes.bytes[used - 1] == 0)
        used--;
    for (size_t at = 0; at < used; at++) {
        bytes.bytes[at] ^= 0x55;
        write_file(in_directory("log.1"), bytes.bytes, bytes.size);
        ck_assert_msg(repair(NULL) == ZK_CORRUPT, "byte %zu", at);
        bytes.bytes[at] ^= 0x55;
    }
    buffer_release(&bytes);
}
END_TEST

START_TEST(zeros_in_the_middle_are_damage)
{
    for (size_t record = 0; record < RECORD_COUNT - 1; record++) {
        clear_directory();
        struct buffer bytes = {0};
        buffer_append(&bytes, whole.bytes, whole.size);
        memset(bytes.bytes + HEADER_SIZE + record * record_size, 0, record_size);
        write_file(in_directory("log.1"), bytes.bytes, bytes.size);
        struct error error = {0};
        ck_assert_int_eq(repair(&error), ZK_CORRUPT);
        buffer_release(&bytes);
    }
}
END_TEST

START_TEST(zeros_at_the_end_are_its_end)
{
    struct buffer bytes = {0};
    buffer_append(&bytes, whole.bytes, whole.size);
    memset(bytes.bytes + HEADER_SIZE + 3 * record_size, 0, 2 * record_size);
    write_file(in_directory("log.1"), bytes.bytes, bytes.size);
    ck_assert_int_eq(repair(NULL), ZK_OK);
    assert_zxids("1 2 3 ");
    ck_assert(!has_name("torn."));
    buffer_release(&bytes);
}
END_TEST

/* Reading all of a hole as long as preAllocSize would take too long, but a byte in it is no less damage for that. */
START_TEST(a_byte_behind_a_long_hole_is_seen)
{
    const int64_t size = 64 * 1024 * 1024;
    for (int64_t at = 5000; at < size; at += 7 * 1024 * 1024 + 12345) {
        cut_to(whole.size, 0);
        struct file *file;
        ck_assert_int_eq(file_open(in_directory("log.1"), FILE_WRITE, &file, NULL), ZK_OK);
        ck_assert_int_eq(file_truncate(file, size, NULL), ZK_OK);
        int64_t data;
        int err = file_next_data(file, size / 2, &data, NULL);
        ck_assert_int_eq(file_pwrite(file, "x", 1, at, NULL), ZK_OK);
        ck_assert_int_eq(file_close(file, NULL), ZK_OK);
        if (err == ZK_EOF)    /* a file system that tells holes from zeros */
            ck_assert_msg(repair(NULL) == ZK_CORRUPT, "byte %d", (int)at);
        cut_to(whole.size, 0);
        ck_assert_int_eq(repair(NULL), ZK_OK);
    }
}
END_TEST

/* A last record of several pages, with one page of it or its end not written. */
START_TEST(a_page_that_was_not_written_is_torn)
{
    static char data[20000];
    memset(data, 'x', sizeof(data));
    const struct file_txn_log_options options = log_options();
    clear_directory();
    struct file_txn_log *log = file_txn_log_new(directory(), &options, NULL, NULL);
    for (int64_t zxid = 1; zxid <= 2; zxid++) {
        struct txn *txn = create_path_txn(zxid, "/large", data, sizeof(data));
        ck_assert_int_eq(file_txn_log_append(log, txn, NULL), ZK_OK);
        txn_unref(txn);
    }
    ck_assert_int_eq(file_txn_log_commit(log, NULL), ZK_OK);
    file_txn_log_free(log);
    struct buffer bytes = {0};
    read_file(in_directory("log.1"), &bytes);
    for (size_t page = 0; page + 4096 <= bytes.size; page += 4096) {
        clear_directory();
        struct buffer holed = {0};
        buffer_append(&holed, bytes.bytes, bytes.size);
        memset(holed.bytes + page, 0, 4096);
        write_file(in_directory("log.1"), holed.bytes, holed.size);
        bool is_in_second = page > HEADER_SIZE + 20100 && page < HEADER_SIZE + 2 * 20084;
        int err = repair(NULL);
        ck_assert_msg(err == (is_in_second || page > 40200 ? ZK_OK : ZK_CORRUPT), "page at %zu: %d", page, err);
        if (err == ZK_OK)
            assert_zxids(is_in_second ? "1 " : "1 2 ");
        buffer_release(&holed);
    }
    buffer_release(&bytes);
}
END_TEST

START_TEST(empty_files_at_the_end_go)
{
    write_file(in_directory("log.6"), whole.bytes, HEADER_SIZE);
    write_file(in_directory("log.7"), whole.bytes, 3);
    write_file(in_directory("log.8"), "", 0);
    static const uint8_t zeros[8192];
    write_file(in_directory("log.9"), zeros, sizeof(zeros));
    ck_assert_int_eq(repair(NULL), ZK_OK);
    ck_assert(exists("log.1"));
    ck_assert(!exists("log.6") && !exists("log.7") && !exists("log.8") && !exists("log.9"));
    assert_zxids("1 2 3 4 5 ");
}
END_TEST

START_TEST(a_torn_file_before_an_empty_one_is_cut)
{
    cut_to(whole.size - 1, 0);
    write_file(in_directory("log.5"), whole.bytes, HEADER_SIZE);
    ck_assert_int_eq(repair(NULL), ZK_OK);
    ck_assert(!exists("log.5"));
    assert_zxids("1 2 3 4 ");
    int64_t size;
    ck_assert_int_eq(file_size_of(in_directory("log.1"), &size, NULL), ZK_OK);
    ck_assert_uint_eq((size_t)size, HEADER_SIZE + 4 * record_size);
}
END_TEST

START_TEST(what_is_no_log_is_refused)
{
    static const char *const contents[] = { "ZKSN\0\0\0\2", "hello, this is no log at all",
                                            "ZKLG\0\0\0\3\0\0\0\0\0\0\0\0", "ZKLG\0\0\0\2\0\0\0\0\0\0\0\1" };
    static const size_t sizes[] = {8, 28, 16, 16};
    for (size_t i = 0; i < ARRAY_SIZE(contents); i++) {
        write_file(in_directory("log.6"), contents[i], sizes[i]);
        struct error error = {0};
        ck_assert_int_eq(repair(&error), ZK_CORRUPT);
        ck_assert_ptr_nonnull(strstr(error.text, "log.6"));
    }
}
END_TEST

START_TEST(damage_before_the_files_asked_for_does_not_matter)
{
    write_log("", 6, 8, 0);
    write_log("", 9, 10, 0);
    struct buffer bytes = {0};
    read_file(in_directory("log.6"), &bytes);
    whole.bytes[60] ^= 1;
    write_file(in_directory("log.1"), whole.bytes, whole.size);
    const struct file_txn_log_options options = log_options();
    ck_assert_int_eq(file_txn_log_repair_tail(directory(), 7, &options, NULL), ZK_OK);
    ck_assert_int_eq(file_txn_log_repair_tail(directory(), 5, &options, NULL), ZK_CORRUPT);
    buffer_release(&bytes);
}
END_TEST

START_TEST(the_last_zxid_is_found)
{
    const struct file_txn_log_options options = log_options();
    int64_t zxid = 0;
    ck_assert_int_eq(file_txn_log_last_logged_zxid(directory(), &options, &zxid, NULL), ZK_OK);
    ck_assert_int_eq(zxid, 5);
    write_file(in_directory("log.6"), whole.bytes, HEADER_SIZE);
    ck_assert_int_eq(file_txn_log_last_logged_zxid(directory(), &options, &zxid, NULL), ZK_OK);
    ck_assert_int_eq(zxid, 5);
    clear_directory();
    ck_assert_int_eq(file_txn_log_last_logged_zxid(directory(), &options, &zxid, NULL), ZK_OK);
    ck_assert_int_eq(zxid, -1);
}
END_TEST

static const struct {
    int64_t zxid;
    int err;
    const char *left;
} truncations[] = {
    {1, ZK_OK, "1 "},
    {3, ZK_OK, "1 2 3 "},
    {5, ZK_OK, "1 2 3 4 5 "},
    {6, ZK_OK, "1 2 3 4 5 6 "},
    {9, ZK_OK, "1 2 3 4 5 6 7 8 9 "},
    {10, ZK_NOT_FOUND, "1 2 3 4 5 6 7 8 9 "},
    {0, ZK_NOT_FOUND, "1 2 3 4 5 6 7 8 9 "},
    {0x100000001, ZK_NOT_FOUND, "1 2 3 4 5 6 7 8 9 "},
};

START_TEST(truncating_keeps_what_stands_before)
{
    write_log("", 6, 7, 8192);
    write_log("", 8, 9, 8192);
    const struct file_txn_log_options options = log_options();
    ck_assert_int_eq(file_txn_log_truncate(directory(), truncations[_i].zxid, &options, NULL), truncations[_i].err);
    assert_zxids(truncations[_i].left);
    ck_assert_int_eq(repair(NULL), ZK_OK);
    assert_zxids(truncations[_i].left);
}
END_TEST

static const struct {
    int64_t zxid;
    const char *left;
} drops[] = {
    {0, ""},
    {1, "1 "},
    {5, "1 2 3 4 5 "},
    {6, "1 2 3 4 5 6 "},
    {7, "1 2 3 4 5 6 7 "},
    {9, "1 2 3 4 5 6 7 8 9 "},
    {0x100000001, "1 2 3 4 5 6 7 8 9 "},
};

START_TEST(what_is_behind_a_zxid_goes_whether_it_is_there_or_not)
{
    write_log("", 6, 7, 8192);
    write_log("", 8, 9, 8192);
    const struct file_txn_log_options options = log_options();
    ck_assert_int_eq(file_txn_log_drop_behind(directory(), drops[_i].zxid, &options, NULL), ZK_OK);
    assert_zxids(drops[_i].left);
    ck_assert_int_eq(repair(NULL), ZK_OK);
    assert_zxids(drops[_i].left);
}
END_TEST

START_TEST(truncating_does_not_mind_damage_behind)
{
    write_log("", 6, 7, 0);
    whole.bytes[whole.size - 20] ^= 1;    /* in 5 */
    write_file(in_directory("log.1"), whole.bytes, whole.size);
    const struct file_txn_log_options options = log_options();
    ck_assert_int_eq(file_txn_log_truncate(directory(), 5, &options, NULL), ZK_CORRUPT);
    ck_assert(exists("log.6"));
    ck_assert_int_eq(file_txn_log_truncate(directory(), 3, &options, NULL), ZK_OK);
    assert_zxids("1 2 3 ");
    ck_assert(!exists("log.6"));
}
END_TEST

START_TEST(files_behind_a_snapshot_are_found)
{
    write_log("", 6, 7, 0);
    write_log("", 8, 9, 0);
    static const struct {
        int64_t snapshot, first;
        size_t count;
    } cases[] = {{0, 1, 3}, {1, 1, 3}, {5, 1, 3}, {6, 6, 2}, {7, 6, 2}, {8, 8, 1}, {100, 8, 1}};
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct zxid_file_list files;
        ck_assert_int_eq(file_txn_log_files(directory(), cases[i].snapshot, &files, NULL), ZK_OK);
        ck_assert_uint_eq(files.count, cases[i].count);
        ck_assert_int_eq(files.items[0].zxid, cases[i].first);
        zxid_file_list_release(&files);
    }
}
END_TEST

static Suite *file_txn_log_repair_suite(void)
{
    Suite *suite = suite_create("file_txn_log_repair");
    TCase *tcase = tcase_create("file_txn_log_repair");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_set_timeout(tcase, 120);
    tcase_add_loop_test(tcase, every_length_is_cut_to_whole_records, 0, ARRAY_SIZE(paddings));
    tcase_add_test(tcase, torn_bytes_are_kept);
    tcase_add_loop_test(tcase, no_bit_takes_a_record_away_unnoticed, 0, ARRAY_SIZE(paddings));
    tcase_add_test(tcase, a_byte_in_a_padded_log_from_java_is_seen);
    tcase_add_test(tcase, zeros_in_the_middle_are_damage);
    tcase_add_test(tcase, zeros_at_the_end_are_its_end);
    tcase_add_test(tcase, a_byte_behind_a_long_hole_is_seen);
    tcase_add_test(tcase, a_page_that_was_not_written_is_torn);
    tcase_add_test(tcase, empty_files_at_the_end_go);
    tcase_add_test(tcase, a_torn_file_before_an_empty_one_is_cut);
    tcase_add_test(tcase, what_is_no_log_is_refused);
    tcase_add_test(tcase, damage_before_the_files_asked_for_does_not_matter);
    tcase_add_test(tcase, the_last_zxid_is_found);
    tcase_add_loop_test(tcase, truncating_keeps_what_stands_before, 0, ARRAY_SIZE(truncations));
    tcase_add_loop_test(tcase, what_is_behind_a_zxid_goes_whether_it_is_there_or_not, 0, ARRAY_SIZE(drops));
    tcase_add_test(tcase, truncating_does_not_mind_damage_behind);
    tcase_add_test(tcase, files_behind_a_snapshot_are_found);
    suite_add_tcase(suite, tcase);
    return suite;
}

CHECK_MAIN(file_txn_log_repair_suite)
