/* test_txn.c - a transaction and its bytes. */
#include "server/persistence/txn.h"

#include <string.h>

#include "common/base/memory.h"
#include "tests/unit/server/persistence/persistence_test.h"

START_TEST(a_txn_stands_on_its_own_bytes)
{
    char path[] = "/a";
    struct txn *txn = create_path_txn(7, path, "xyz", 3);
    memset(path, 0, sizeof(path));    /* what it was made from may go */
    ck_assert_int_eq(txn->header.zxid, 7);
    ck_assert_int_eq(txn->header.type, OP_CREATE);
    ck_assert(ustring_is(txn->body.record.create.path, "/a"));
    ck_assert_int_eq(txn->body.record.create.data.size, 3);
    const uint8_t *data = txn->body.record.create.data.bytes;
    ck_assert(data >= txn->bytes->bytes && data < txn->bytes->bytes + txn->bytes->size);
    ck_assert_int_eq(txn->body.record.create.acl.count, 1);
    ck_assert(!txn->has_digest);
    txn_unref(txn);
    txn_unref(NULL);
}
END_TEST

START_TEST(bytes_make_the_same_txn_again)
{
    const struct txn_header header = {.client_id = 5, .cxid = 6, .zxid = 8, .time = 9, .type = OP_CLOSE_SESSION};
    struct ustring paths[] = {{"/a", 2}, {"/b", 2}};
    const struct txn_body body = {.is_present = true, .record.close_session = {.paths2_delete = {paths, 2}}};
    const struct txn_digest digest = {.version = 2, .tree_digest = 0x1234567890};
    struct txn *txn = txn_new(&header, &body, &digest), *again = NULL;
    ck_assert(txn->has_digest);
    const struct txn_rules rules = {.digest_enabled = true};
    ck_assert_int_eq(txn_new_from_bytes(txn->bytes, &rules, &again, NULL), ZK_OK);
    ck_assert_ptr_eq(again->bytes, txn->bytes);
    ck_assert_int_eq(again->body.record.close_session.paths2_delete.count, 2);
    ck_assert(again->has_digest);
    ck_assert_int_eq(again->digest.tree_digest, 0x1234567890);
    txn_unref(txn);
    ck_assert(ustring_is(again->body.record.close_session.paths2_delete.items[1], "/b"));
    txn_unref(again);
}
END_TEST

START_TEST(an_old_close_session_has_no_record)
{
    const struct txn_header header = {.client_id = 5, .zxid = 8, .type = OP_CLOSE_SESSION};
    const struct txn_digest digest = {.version = 2, .tree_digest = 77};
    struct txn *plain = txn_new(&header, &(struct txn_body){.is_present = false}, NULL);
    ck_assert(!plain->body.is_present);
    ck_assert_uint_eq(plain->bytes->size, 32);
    struct txn *with_digest = txn_new(&header, &(struct txn_body){.is_present = false}, &digest);
    ck_assert(!with_digest->body.is_present);
    ck_assert_int_eq(with_digest->digest.tree_digest, 77);
    txn_unref(plain);
    txn_unref(with_digest);
}
END_TEST

START_TEST(every_shorter_size_is_refused)
{
    struct txn *txn = create_txn(7), *cut = NULL;
    const struct txn_rules rules = {.digest_enabled = true};
    for (size_t size = 0; size < txn->bytes->size; size++) {
        struct blob *bytes = blob_new_copy(txn->bytes->bytes, size);
        struct error error = {0};
        int err = txn_new_from_bytes(bytes, &rules, &cut, &error);
        if (err == ZK_OK) {    /* without all of its last field it is a create of before 3.4 */
            ck_assert_uint_ge(size, txn->bytes->size - 4);
            ck_assert_int_eq(cut->body.record.create.parent_c_version, -1);
            txn_unref(cut);
        } else if (size < txn->bytes->size - 4) {
            ck_assert_int_eq(err, ZK_CORRUPT);
            ck_assert_str_ne(error.text, "");
        }
        blob_unref(bytes);
    }
    txn_unref(txn);
}
END_TEST

START_TEST(references_are_counted)
{
    struct txn *txn = create_txn(7);
    ck_assert_ptr_eq(txn_ref(txn), txn);
    txn_unref(txn);
    ck_assert_int_eq(txn->header.zxid, 7);
    txn_unref(txn);
}
END_TEST

START_TEST(large_vectors_leave_the_inline_arena)
{
    struct ustring paths[1000];
    for (size_t i = 0; i < ARRAY_SIZE(paths); i++)
        paths[i] = ustring_of("/some/path");
    const struct txn_header header = {.client_id = 5, .zxid = 8, .type = OP_CLOSE_SESSION};
    const struct txn_body body = {.is_present = true, .record.close_session = {.paths2_delete = {paths, 1000}}};
    struct txn *txn = txn_new(&header, &body, NULL);
    ck_assert(ustring_is(txn->body.record.close_session.paths2_delete.items[999], "/some/path"));
    txn_unref(txn);
}
END_TEST

START_TEST(a_maker_may_go_before_what_it_made)
{
    char data[2000];
    memset(data, 'd', sizeof(data));
    struct txn_maker *maker = txn_maker_new();
    struct txn *txns[4];
    for (size_t i = 0; i < ARRAY_SIZE(txns); i++) {
        const struct txn_header header = {.zxid = (int64_t)i, .type = OP_SET_DATA};
        struct txn_body body = {.is_present = true, .record.set_data = {.path = ustring_of("/a")}};
        body.record.set_data.data = (struct jute_buffer){(const uint8_t *)data, i % 2 == 0 ? 5 : (int32_t)sizeof(data)};
        txns[i] = txn_maker_make(maker, &header, &body, NULL);
        struct txn *alone = txn_new(&header, &body, NULL);
        ck_assert_uint_eq(txns[i]->bytes->size, alone->bytes->size);
        ck_assert_mem_eq(txns[i]->bytes->bytes, alone->bytes->bytes, alone->bytes->size);
        txn_unref(alone);
    }
    struct blob *bytes = blob_ref(txns[0]->bytes);
    txn_unref(txns[0]);
    txn_maker_free(maker);
    for (size_t i = 1; i < ARRAY_SIZE(txns); i++) {
        ck_assert_int_eq(txns[i]->header.zxid, (int64_t)i);
        ck_assert_int_eq(txns[i]->body.record.set_data.data.bytes[4], 'd');
        txn_unref(txns[i]);
    }
    ck_assert_int_eq(bytes->bytes[bytes->size - 5], 'd');    /* before the version */
    blob_unref(bytes);
    txn_maker_free(NULL);
}
END_TEST

static Suite *txn_suite(void)
{
    Suite *suite = suite_create("txn");
    TCase *tcase = tcase_create("txn");
    tcase_add_test(tcase, a_txn_stands_on_its_own_bytes);
    tcase_add_test(tcase, bytes_make_the_same_txn_again);
    tcase_add_test(tcase, an_old_close_session_has_no_record);
    tcase_add_test(tcase, every_shorter_size_is_refused);
    tcase_add_test(tcase, references_are_counted);
    tcase_add_test(tcase, large_vectors_leave_the_inline_arena);
    tcase_add_test(tcase, a_maker_may_go_before_what_it_made);
    tcase_set_timeout(tcase, 60);
    suite_add_tcase(suite, tcase);
    return suite;
}

CHECK_MAIN(txn_suite)
