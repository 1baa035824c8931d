/* Transactions in short, for the tests of this room. */
#ifndef ZKC_TESTS_UNIT_SERVER_TREE_TREE_DRIVER_H
#define ZKC_TESTS_UNIT_SERVER_TREE_TREE_DRIVER_H

#include "common/wire/acl.h"
#include "server/tree/data_tree.h"

#define UNUSED __attribute__((unused))

UNUSED static struct jute_buffer bytes_of(const char *text)
{
    return (struct jute_buffer){(const uint8_t *)text, text == NULL ? -1 : (int32_t)strlen(text)};
}

UNUSED static int apply_txn(struct data_tree *tree, int32_t type, int64_t zxid, int64_t session, struct txn_body body,
                            struct process_txn_result *ret_result)
{
    struct arena arena = {0};
    struct process_txn_result result;
    struct txn_header header = {.client_id = session, .cxid = 1, .zxid = zxid, .time = 1000 + zxid, .type = type};
    body.is_present = true;
    data_tree_process_txn(tree, &header, &body, NULL, &arena, &result);
    if (ret_result != NULL)
        *ret_result = result;
    arena_release(&arena);
    return result.err;
}

UNUSED static int create_acl(struct data_tree *tree, int64_t zxid, const char *path, const char *data,
                             const struct zk_acl_vector *acl)
{
    struct txn_body body = {.record.create = {ustring_of(path), bytes_of(data), *acl, false, -1}};
    return apply_txn(tree, OP_CREATE, zxid, 0, body, NULL);
}

UNUSED static int create(struct data_tree *tree, int64_t zxid, const char *path)
{
    return create_acl(tree, zxid, path, "x", &acl_open_unsafe);
}

UNUSED static int create_cversion(struct data_tree *tree, int64_t zxid, const char *path, int32_t cversion)
{
    struct txn_body body = {
        .record.create = {ustring_of(path), bytes_of("x"), acl_open_unsafe, false, cversion}};
    return apply_txn(tree, OP_CREATE2, zxid, 0, body, NULL);
}

UNUSED static int create_ephemeral(struct data_tree *tree, int64_t zxid, const char *path, int64_t session)
{
    struct txn_body body = {.record.create = {ustring_of(path), bytes_of("x"), acl_open_unsafe, true, -1}};
    return apply_txn(tree, OP_CREATE, zxid, session, body, NULL);
}

UNUSED static int delete_path(struct data_tree *tree, int64_t zxid, const char *path)
{
    struct txn_body body = {.record.remove = {ustring_of(path)}};
    return apply_txn(tree, OP_DELETE, zxid, 0, body, NULL);
}

UNUSED static int set_data_of(struct data_tree *tree, int64_t zxid, const char *path, const char *data, int32_t version)
{
    struct txn_body body = {.record.set_data = {ustring_of(path), bytes_of(data), version}};
    return apply_txn(tree, OP_SET_DATA, zxid, 0, body, NULL);
}

UNUSED static int set_acl_of(struct data_tree *tree, int64_t zxid, const char *path, const struct zk_acl_vector *acl,
                             int32_t version)
{
    struct txn_body body = {.record.set_acl = {ustring_of(path), *acl, version}};
    return apply_txn(tree, OP_SET_ACL, zxid, 0, body, NULL);
}

UNUSED static int close_session(struct data_tree *tree, int64_t zxid, int64_t session, struct ustring *paths,
                                int32_t count)
{
    struct txn_body body = {.record.close_session = {{paths, count}}};
    return apply_txn(tree, OP_CLOSE_SESSION, zxid, session, body, NULL);
}

UNUSED static struct zk_stat stat_of(struct data_tree *tree, const char *path)
{
    struct zk_stat stat = {0};
    ck_assert_msg(data_tree_stat_node(tree, ustring_of(path), NULL, NULL, &stat) == ZK_OK, "no %s", path);
    return stat;
}

UNUSED static void assert_data(struct data_tree *tree, const char *path, const char *expected)
{
    struct blob *data = NULL;
    ck_assert_int_eq(data_tree_get_data(tree, ustring_of(path), NULL, NULL, NULL, &data), ZK_OK);
    if (expected == NULL) {
        ck_assert_ptr_null(data);
        return;
    }
    ck_assert_ptr_nonnull(data);
    ck_assert_uint_eq(data->size, strlen(expected));
    ck_assert(memcmp(data->bytes, expected, data->size) == 0);
    blob_unref(data);
}

UNUSED static bool exists(struct data_tree *tree, const char *path)
{
    return data_tree_stat_node(tree, ustring_of(path), NULL, NULL, NULL) == ZK_OK;
}

#endif
