/* test_tree_snapshot.c - damaged bytes, lying lengths, and what a fuzzy snapshot may lack. */
#include "server/tree/tree_snapshot.h"

#include "tests/lib/check_main.h"
#include "tests/unit/server/tree/golden.h"
#include "tests/unit/server/tree/tree_driver.h"

#define LIMIT 4096

static void put_node(struct buffer *out, const char *path, const char *data, int64_t acl_id)
{
    static const struct stat_persisted stat = {.czxid = 1, .mzxid = 2, .cversion = 3};
    jute_write_string(out, path);
    jute_write_buffer(out, bytes_of(data));
    jute_write_int64(out, acl_id);
    jute_write_stat_persisted(out, &stat);
}

static int load(const struct buffer *bytes)
{
    struct data_tree *tree = data_tree_new(&golden_options, NULL);
    int err = golden_load(tree, bytes->bytes, bytes->size, LIMIT);
    if (err == ZK_OK)
        ck_assert(data_tree_digest_is_consistent(tree));
    data_tree_free(tree);
    return err;
}

static const struct {
    const char *fact;
    const char *paths[6];
    int err;
} trees[] = {
    {"a root alone", {"", "/"}, ZK_EOF},    /* no digest follows */
    {"parents before children", {"", "/a", "/a/b", "/c", "/"}, ZK_EOF},
    {"any order of the others", {"", "/c", "/a", "/c/d", "/a/b", "/"}, ZK_EOF},
    {"no end", {"", "/a"}, ZK_EOF},
    {"no root", {"/"}, ZK_CORRUPT},
    {"a child before its parent", {"", "/a/b", "/a", "/"}, ZK_CORRUPT},
    {"a node before the root", {"/a", "", "/"}, ZK_CORRUPT},
    {"a node twice", {"", "/a", "/a", "/"}, ZK_CORRUPT},
    {"a root twice", {"", "/a", "", "/"}, ZK_CORRUPT},
    {"a path without a slash", {"", "a", "/"}, ZK_CORRUPT},
};

START_TEST(nodes_must_make_a_tree)
{
    struct buffer bytes = {0};
    jute_write_int32(&bytes, 0);
    for (size_t i = 0; i < 6 && trees[_i].paths[i] != NULL; i++) {
        if (strcmp(trees[_i].paths[i], "/") == 0)
            jute_write_string(&bytes, "/");
        else
            put_node(&bytes, trees[_i].paths[i], "data", -1);
    }
    ck_assert_msg(load(&bytes) == trees[_i].err, "%s", trees[_i].fact);
    buffer_release(&bytes);
}
END_TEST

START_TEST(lengths_that_lie_are_refused)
{
    static const int32_t lengths[] = {-2, LIMIT + 1, INT32_MAX, INT32_MIN};
    for (size_t i = 0; i < ARRAY_SIZE(lengths); i++) {
        struct buffer bytes = {0};
        jute_write_int32(&bytes, 0);
        jute_write_int32(&bytes, lengths[i]);    /* of the path */
        ck_assert_int_eq(load(&bytes), ZK_CORRUPT);
        bytes.size = 4;
        jute_write_string(&bytes, "");
        jute_write_int32(&bytes, lengths[i]);    /* of the data */
        ck_assert_int_eq(load(&bytes), ZK_CORRUPT);
        buffer_release(&bytes);
    }
}
END_TEST

START_TEST(memory_grows_only_with_what_comes)
{
    struct buffer bytes = {0};
    struct data_tree *tree = data_tree_new(&golden_options, NULL);
    jute_write_int32(&bytes, 0);
    jute_write_string(&bytes, "");
    jute_write_int32(&bytes, INT32_MAX);
    ck_assert_int_eq(golden_load(tree, bytes.bytes, bytes.size, INT32_MAX), ZK_EOF);
    data_tree_free(tree);
    tree = data_tree_new(&golden_options, NULL);
    bytes.size = 0;
    jute_write_int32(&bytes, INT32_MAX);    /* lists of permissions */
    ck_assert_int_eq(golden_load(tree, bytes.bytes, bytes.size, INT32_MAX), ZK_EOF);
    data_tree_free(tree);
    tree = data_tree_new(&golden_options, NULL);
    jute_write_int64(&bytes, 1);
    jute_write_int32(&bytes, INT32_MAX);    /* entries of one */
    ck_assert_int_eq(golden_load(tree, bytes.bytes, bytes.size, INT32_MAX), ZK_EOF);
    data_tree_free(tree);
    buffer_release(&bytes);
}
END_TEST

START_TEST(large_data_comes_through)
{
    size_t size = 3 * 1024 * 1024 + 5;
    char *text = memory_alloc(size + 1);
    memset(text, 'x', size);
    text[size] = '\0';
    struct data_tree *tree = data_tree_new(&golden_options, NULL);
    create_acl(tree, 1, "/large", text, &acl_open_unsafe);
    struct buffer bytes = {0};
    golden_write(tree, &bytes);
    struct data_tree *loaded = data_tree_new(&golden_options, NULL);
    ck_assert_int_eq(golden_load(loaded, bytes.bytes, bytes.size, GOLDEN_LIMIT), ZK_OK);
    assert_data(loaded, "/large", text);
    ck_assert_int_eq(data_tree_approximate_data_size(loaded), data_tree_approximate_data_size(tree));
    data_tree_free(loaded);
    data_tree_free(tree);
    buffer_release(&bytes);
    memory_free(text);
}
END_TEST

/* ZOOKEEPER-3306: the table was saved before the list was made. */
START_TEST(a_node_with_an_unknown_acl_is_closed_until_the_log_tells)
{
    struct buffer bytes = {0};
    jute_write_int32(&bytes, 0);
    put_node(&bytes, "", "", -1);
    put_node(&bytes, "/a", "data", 7);
    jute_write_string(&bytes, "/");
    struct data_tree *tree = data_tree_new(&golden_options, NULL);
    ck_assert_int_eq(golden_load(tree, bytes.bytes, bytes.size, LIMIT), ZK_EOF);
    struct acl_list *acl;
    ck_assert_int_eq(data_tree_get_acl(tree, ustring_of("/a"), NULL, NULL, &acl), ZK_OK);
    ck_assert(acl->is_unknown);
    acl_list_unref(acl);
    create(tree, 1, "/b");
    ck_assert_int_eq(data_tree_get_acl(tree, ustring_of("/b"), NULL, NULL, &acl), ZK_OK);
    ck_assert_int_gt(acl->id, 7);
    acl_list_unref(acl);
    ck_assert_int_eq(create(tree, 1, "/a"), ZK_NODE_EXISTS);
    ck_assert_int_eq(data_tree_get_acl(tree, ustring_of("/a"), NULL, NULL, &acl), ZK_OK);
    ck_assert(acl->is_open && !acl->is_unknown);
    acl_list_unref(acl);
    data_tree_free(tree);
    buffer_release(&bytes);
}
END_TEST

START_TEST(no_acl_takes_the_last_id)
{
    struct buffer bytes = {0};
    jute_write_int32(&bytes, 0);
    put_node(&bytes, "", "", INT64_MAX);    /* of a node */
    jute_write_string(&bytes, "/");
    ck_assert_int_eq(load(&bytes), ZK_CORRUPT);
    buffer_clear(&bytes);
    jute_write_int32(&bytes, 1);            /* of the table */
    jute_write_int64(&bytes, INT64_MAX);
    jute_write_int32(&bytes, 0);
    put_node(&bytes, "", "", -1);
    jute_write_string(&bytes, "/");
    ck_assert_int_eq(load(&bytes), ZK_CORRUPT);
    buffer_release(&bytes);
}
END_TEST

START_TEST(a_path_that_is_no_utf8_is_repaired_as_java_does)
{
    struct buffer bytes = {0};
    jute_write_int32(&bytes, 0);
    put_node(&bytes, "", "", -1);
    put_node(&bytes, "/a\xff", "data", -1);
    jute_write_string(&bytes, "/");
    struct data_tree *tree = data_tree_new(&golden_options, NULL);
    ck_assert_int_eq(golden_load(tree, bytes.bytes, bytes.size, LIMIT), ZK_EOF);
    ck_assert(exists(tree, "/a\xef\xbf\xbd"));
    data_tree_free(tree);
    buffer_release(&bytes);
}
END_TEST

START_TEST(digests_of_all_versions)
{
    static const struct {
        const char *fact;
        int64_t zxid, snapshot_zxid;
        int32_t version;
        const char *text;    /* of version 1 */
        int err;
        bool is_pending;
    } digests[] = {
        {"of today", 5, 5, 2, NULL, ZK_OK, true},
        {"of before", 5, 5, 1, "1f", ZK_OK, true},
        {"of before and damaged", 5, 5, 1, "xyz", ZK_CORRUPT, false},
        {"empty", 0, 0, 2, NULL, ZK_OK, false},
        {"older than the snapshot", 4, 5, 2, NULL, ZK_OK, false},
    };
    for (size_t i = 0; i < ARRAY_SIZE(digests); i++) {
        struct buffer bytes = {0};
        jute_write_int64(&bytes, digests[i].zxid);
        jute_write_int32(&bytes, digests[i].version);
        if (digests[i].text != NULL)
            jute_write_string(&bytes, digests[i].text);
        else
            jute_write_int64(&bytes, 77);
        struct data_tree *tree = data_tree_new(&golden_options, NULL);
        struct memory_source source = {{memory_source_read}, bytes.bytes, bytes.size};
        ck_assert_int_eq(tree_snapshot_read_digest(tree, &source.base, digests[i].snapshot_zxid, NULL),
                         digests[i].err);
        struct zxid_digest pending;
        ck_assert_msg(tree_snapshot_pending_digest(tree, &pending) == digests[i].is_pending, "%s", digests[i].fact);
        if (digests[i].is_pending)
            ck_assert_uint_eq(pending.digest, digests[i].text != NULL ? 0x1f : 77);
        tree_snapshot_compare_digest(tree, 5);
        ck_assert(!tree_snapshot_pending_digest(tree, &pending));
        ck_assert(data_tree_digest_mismatch(tree) == (digests[i].is_pending && digests[i].version == 2));
        data_tree_free(tree);
        buffer_release(&bytes);
    }
}
END_TEST

/* While the tree is fuzzy no digest of the log is compared; at the snapshot's zxid its own is. */
START_TEST(comparing_waits_for_the_end_of_the_fuzzy_range)
{
    struct buffer bytes = {0};
    struct data_tree *tree = data_tree_new(&golden_options, NULL);
    create(tree, 1, "/a");
    create(tree, 2, "/b");
    golden_write(tree, &bytes);
    struct data_tree *loaded = data_tree_new(&golden_options, NULL);
    ck_assert_int_eq(golden_load(loaded, bytes.bytes, bytes.size, LIMIT), ZK_OK);
    struct arena arena = {0};
    struct txn_body body = {.is_present = true};
    struct txn_digest wrong = {2, 1};
    struct process_txn_result result;
    for (int64_t zxid = 1; zxid <= 3; zxid++) {
        struct txn_header header = {.zxid = zxid, .type = OP_ERROR};
        struct zxid_digest pending;
        ck_assert_int_eq(tree_snapshot_pending_digest(loaded, &pending), zxid <= 2);
        data_tree_process_txn(loaded, &header, &body, zxid == 1 ? &wrong : NULL, &arena, &result);
        ck_assert(!data_tree_digest_mismatch(loaded));
    }
    data_tree_free(loaded);
    data_tree_free(tree);
    buffer_release(&bytes);
}
END_TEST

struct failing_sink {
    struct byte_sink base;
    size_t left;
};

static int failing_write(struct byte_sink *self, const void *bytes, size_t size, struct error *error)
{
    struct failing_sink *sink = container_of(self, struct failing_sink, base);
    (void)bytes;
    if (size > sink->left)
        return error_set(error, ZK_IO, "no room");
    sink->left -= size;
    return ZK_OK;
}

START_TEST(a_failing_disk_ends_the_dump)
{
    struct data_tree *tree = data_tree_new(&golden_options, NULL);
    struct buffer path = {0};
    for (int i = 0; i < 3000; i++) {
        buffer_clear(&path);
        buffer_printf(&path, "/node-%d", i);
        create(tree, i + 1, buffer_string(&path));
    }
    for (size_t room = 0; room < 300000; room += 60000) {
        struct failing_sink sink = {{failing_write}, room};
        struct error error = {0};
        ck_assert_int_eq(tree_snapshot_write(tree, &sink.base, &error), ZK_IO);
        ck_assert_str_eq(error.text, "no room");
    }
    buffer_release(&path);
    data_tree_free(tree);
}
END_TEST

/* Every byte of the first 4 KiB of Java's snapshot changed in turn: an error or a tree, and nothing else. */
START_TEST(no_flipped_byte_harms)
{
    struct buffer bytes = {0};
    golden_read("tree.snapshot", &bytes);
    static const uint8_t masks[] = {0x01, 0x80, 0xff};
    for (size_t at = 0; at < 4096; at++) {
        bytes.bytes[at] ^= masks[at % 3];
        load(&bytes);
        bytes.bytes[at] ^= masks[at % 3];
    }
    for (size_t size = 0; size < bytes.size; size += 97) {
        struct buffer cut = {bytes.bytes, size, 0};
        ck_assert_int_ne(load(&cut), ZK_OK);
    }
    buffer_release(&bytes);
}
END_TEST

static Suite *tree_snapshot_suite(void)
{
    Suite *suite = suite_create("tree_snapshot");
    TCase *tcase = tcase_create("tree_snapshot");
    tcase_set_timeout(tcase, 120);
    tcase_add_loop_test(tcase, nodes_must_make_a_tree, 0, ARRAY_SIZE(trees));
    tcase_add_test(tcase, lengths_that_lie_are_refused);
    tcase_add_test(tcase, memory_grows_only_with_what_comes);
    tcase_add_test(tcase, large_data_comes_through);
    tcase_add_test(tcase, a_node_with_an_unknown_acl_is_closed_until_the_log_tells);
    tcase_add_test(tcase, no_acl_takes_the_last_id);
    tcase_add_test(tcase, a_path_that_is_no_utf8_is_repaired_as_java_does);
    tcase_add_test(tcase, digests_of_all_versions);
    tcase_add_test(tcase, comparing_waits_for_the_end_of_the_fuzzy_range);
    tcase_add_test(tcase, a_failing_disk_ends_the_dump);
    tcase_add_test(tcase, no_flipped_byte_harms);
    suite_add_tcase(suite, tcase);
    return suite;
}

CHECK_MAIN(tree_snapshot_suite)
