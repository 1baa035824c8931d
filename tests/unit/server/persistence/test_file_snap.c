/* test_file_snap.c - snapshots of Java and ours are the same files, and damage in them is seen. */
#include "server/persistence/file_snap.h"

#include <string.h>

#include "common/base/file.h"
#include "common/base/memory.h"
#include "server/tree/tree_snapshot.h"
#include "tests/unit/server/persistence/persistence_test.h"

static const char *const snapshots[] = {"snapshot.20", "snapshot.20.gz", "snapshot.20.snappy"};

static struct data_tree *tree;
static struct session_table *sessions;

static void set_up(void)
{
    make_directory();
    tree = new_tree();
    sessions = session_table_new();
}

static void tear_down(void)
{
    data_tree_free(tree);
    session_table_free(sessions);
    remove_directory();
}

static int load(const char *path, struct error *error)
{
    const struct file_snap_options options = snap_options();
    session_table_clear(sessions);
    return file_snap_deserialize(tree, sessions, path, &options, error);
}

static void assert_is_golden_tree(void)
{
    struct buffer expected = {0}, actual = {0};
    read_file(golden("tree.txt"), &expected);
    print_tree(tree, sessions, data_tree_last_processed_zxid(tree), &actual);
    ck_assert_str_eq(buffer_string(&actual), buffer_string(&expected));
    ck_assert(data_tree_digest_is_consistent(tree));
    buffer_release(&expected);
    buffer_release(&actual);
}

START_TEST(a_snapshot_from_java_is_read)
{
    ck_assert_int_eq(load(golden(snapshots[_i]), NULL), ZK_OK);
    assert_is_golden_tree();
    ck_assert(!data_tree_digest_mismatch(tree));
}
END_TEST

START_TEST(a_snapshot_is_written_as_java_writes_it)
{
    struct file_snap_options options = snap_options();
    options.serialize_last_processed_zxid = false;    /* which came with 3.9 */
    ck_assert_int_eq(load(golden("snapshot.20"), NULL), ZK_OK);
    struct buffer expected = {0}, actual = {0};
    ck_assert_int_eq(file_snap_serialize(tree, sessions, in_directory("snapshot.20"), &options, NULL), ZK_OK);
    read_file(golden("snapshot.20"), &expected);
    read_file(in_directory("snapshot.20"), &actual);
    ck_assert_uint_ge(actual.size, expected.size - 33);
    ck_assert_mem_eq(actual.bytes, expected.bytes, expected.size - 33);    /* up to the digest, which has its zxid */
    buffer_release(&expected);
    buffer_release(&actual);
}
END_TEST

START_TEST(what_was_written_is_read)
{
    struct file_snap_options options = snap_options();
    options.compression = (enum snap_compression)_i;
    ck_assert_int_eq(load(golden("snapshot.20"), NULL), ZK_OK);
    ck_assert_int_eq(file_snap_serialize(tree, sessions, in_directory(snapshots[_i]), &options, NULL), ZK_OK);
    data_tree_free(tree);
    tree = new_tree();
    ck_assert_int_eq(load(in_directory(snapshots[_i]), NULL), ZK_OK);
    assert_is_golden_tree();
}
END_TEST

START_TEST(parts_may_be_missing)
{
    static const struct {
        bool writes_digest, writes_zxid, reads_digest;
    } cases[] = { { true, true, false },
                  { true, false, false },
                  { false, true, true },
                  { false, false, true },
                  { true, true, true } };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct file_snap_options options = snap_options();
        options.serialize_last_processed_zxid = cases[i].writes_zxid;
        struct data_tree_options tree_options = {.ephemeral_rules = {.extended_types_enabled = true},
                                                 .digest_enabled = cases[i].writes_digest};
        struct data_tree *writer = data_tree_new(&tree_options, NULL);
        ck_assert_int_eq(file_snap_serialize(writer, sessions, in_directory("snapshot.0"), &options, NULL), ZK_OK);
        tree_options.digest_enabled = cases[i].reads_digest;
        struct data_tree *reader = data_tree_new(&tree_options, NULL);
        struct error error = {0};
        ck_assert_msg(file_snap_deserialize(reader, sessions, in_directory("snapshot.0"), &options, &error) == ZK_OK,
                      "%zu: %s", i, error.text);
        data_tree_free(writer);
        data_tree_free(reader);
    }
}
END_TEST

START_TEST(every_length_is_refused)
{
    struct buffer bytes = {0};
    read_file(golden(snapshots[_i]), &bytes);
    const char *path = in_directory(snapshots[_i]);
    size_t tree_end = bytes.size - 33;    /* a plain one that ends here is an older one, without a digest */
    for (size_t size = 0; size < bytes.size; size++) {
        write_file(path, bytes.bytes, size);
        struct error error = {0};
        int err = load(path, &error);
        ck_assert_msg(err == (_i == 0 && size == tree_end ? ZK_OK : ZK_CORRUPT), "cut to %zu: %d %s", size, err,
                      error.text);
        ck_assert_int_eq(error.code, err);
    }
    buffer_release(&bytes);
    ck_assert_int_eq(load(golden(snapshots[_i]), NULL), ZK_OK);    /* a tree that failed can be used again */
    assert_is_golden_tree();
}
END_TEST

START_TEST(no_bit_turns_over_unnoticed)
{
    struct buffer bytes = {0};
    read_file(golden(snapshots[_i]), &bytes);
    const char *path = in_directory(snapshots[_i]);
    for (size_t bit = 0; bit < 8 * bytes.size; bit++) {
        bytes.bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
        write_file(path, bytes.bytes, bytes.size);
        struct error error = {0};
        int err = load(path, &error);
        if (err == ZK_OK)    /* a gzip header has bits that mean nothing here */
            assert_is_golden_tree();
        else
            ck_assert_msg(err == ZK_CORRUPT, "bit %zu: %d %s", bit, err, error.text);
        if (_i == 0)
            ck_assert_msg(err == ZK_CORRUPT, "bit %zu", bit);
        bytes.bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    buffer_release(&bytes);
}
END_TEST

START_TEST(bytes_behind_the_end_are_refused)
{
    struct buffer bytes = {0};
    read_file(golden("snapshot.20"), &bytes);
    for (int i = 0; i < 40; i++) {
        buffer_append_byte(&bytes, 0);
        write_file(in_directory("snapshot.20"), bytes.bytes, bytes.size);
        ck_assert_int_eq(load(in_directory("snapshot.20"), NULL), ZK_CORRUPT);
    }
    buffer_release(&bytes);
}
END_TEST

START_TEST(a_failed_write_leaves_the_old_file)
{
    const struct file_snap_options options = snap_options();
    struct error error = {0};
    ck_assert_int_eq(file_snap_serialize(tree, sessions, in_directory("none/snapshot.0"), &options, &error),
                     ZK_NOT_FOUND);
    ck_assert_ptr_nonnull(strstr(error.text, "none/snapshot.0"));
}
END_TEST

START_TEST(the_newest_come_first)
{
    static const char *const names[] = {"snapshot.1", "snapshot.5.gz", "snapshot.20", "snapshot.3", "log.9"};
    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        write_file(in_directory(names[i]), "ZKSN......\0\0\0\1/", i == 3 ? 14 : 15);
    struct zxid_file_list list;
    ck_assert_int_eq(file_snap_find_recent(directory(), 10, &list, NULL), ZK_OK);
    ck_assert_uint_eq(list.count, 4);
    ck_assert_int_eq(list.items[0].zxid, 0x20);
    ck_assert_int_eq(list.items[3].zxid, 1);
    zxid_file_list_release(&list);
    ck_assert_int_eq(file_snap_find_recent(directory(), 2, &list, NULL), ZK_OK);
    ck_assert_uint_eq(list.count, 2);
    zxid_file_list_release(&list);
    ck_assert_int_eq(file_snap_find_valid(directory(), 10, &list, NULL), ZK_OK);
    ck_assert_uint_eq(list.count, 2);    /* one is cut, one is not gzip */
    ck_assert_int_eq(list.items[1].zxid, 1);
    zxid_file_list_release(&list);
}
END_TEST

static Suite *file_snap_suite(void)
{
    Suite *suite = suite_create("file_snap");
    TCase *tcase = tcase_create("file_snap");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_set_timeout(tcase, 120);
    tcase_add_loop_test(tcase, a_snapshot_from_java_is_read, 0, ARRAY_SIZE(snapshots));
    tcase_add_test(tcase, a_snapshot_is_written_as_java_writes_it);
    tcase_add_loop_test(tcase, what_was_written_is_read, 0, ARRAY_SIZE(snapshots));
    tcase_add_test(tcase, parts_may_be_missing);
    tcase_add_loop_test(tcase, every_length_is_refused, 0, ARRAY_SIZE(snapshots));
    tcase_add_loop_test(tcase, no_bit_turns_over_unnoticed, 0, ARRAY_SIZE(snapshots));
    tcase_add_test(tcase, bytes_behind_the_end_are_refused);
    tcase_add_test(tcase, a_failed_write_leaves_the_old_file);
    tcase_add_test(tcase, the_newest_come_first);
    suite_add_tcase(suite, tcase);
    return suite;
}

CHECK_MAIN(file_snap_suite)
