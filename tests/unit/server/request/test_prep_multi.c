/* All or nothing: what a multi prepares, and that a failed one leaves everything as it found it. */
#include "server/request/prep_multi.h"

#include <string.h>

#include "common/base/memory.h"
#include "tests/unit/server/request/core_test.h"

static void set_up(void)
{
    core_set_up();
    core_make("/a", "", NULL, 0);
    core_make("/b", "", NULL, 0);
}

static struct multi_op create(const char *path, int32_t flags)
{
    return (struct multi_op){.type = OP_CREATE,
                             .request.create = {ustring_of(path), core_bytes("data"), acl_open_unsafe, flags}};
}

static struct multi_op set(const char *path, int32_t version)
{
    return (struct multi_op){.type = OP_SET_DATA, .request.set_data = {ustring_of(path), core_bytes("new"), version}};
}

static struct multi_op check(const char *path, int32_t version)
{
    return (struct multi_op){.type = OP_CHECK, .request.check = {ustring_of(path), version}};
}

static struct multi_op delete(const char *path)
{
    return (struct multi_op){.type = OP_DELETE, .request.remove = {ustring_of(path), -1}};
}

/* Prepares one; its request, with the transaction in it, is the caller's. */
static struct request *prepare(struct multi_op *items, size_t count, int32_t *ret_error)
{
    struct multi_ops ops = {.items = items, .count = (int32_t)count};
    struct request *request = core_request(OP_MULTI, NULL);
    struct txn_body body = {.is_present = true};
    struct prep_context context = core_context(request);
    *ret_error = ZK_OK;
    prep_multi(&context, &ops, &body, ret_error);
    if (*ret_error == ZK_MARSHALLING_ERROR)
        return request;
    context.has_digest = true;
    context.tree_digest = prep_current_tree_digest(&core);
    core_finish(&context, &body);
    return request;
}

static void apply(struct request *request, struct process_txn_result *ret_result)
{
    struct data_tree *tree = zk_database_tree(core.database);
    server_core_process_txn(&core, request, ret_result);
    ck_assert_uint_eq((uint64_t)request->txn->digest.tree_digest, data_tree_digest(tree));
    ck_assert(!data_tree_digest_mismatch(tree));
}

static int64_t newest(const char *path)
{
    struct change_record *record = outstanding_changes_find(core.outstanding_changes, ustring_of(path));
    int64_t zxid = record == NULL ? 0 : record->zxid;
    change_record_unref(record);
    return zxid;
}

START_TEST(each_operation_sees_those_before_it)
{
    struct multi_op ops[] = {create("/a/x", 0), create("/a/x/y", 0), set("/a/x", 0), check("/a/x", 1), delete("/a/x/y"),
                             create("/a/s-", 2), create("/a/s-", 2)};
    struct process_txn_result result;
    int32_t error;
    struct request *request = prepare(ops, ARRAY_SIZE(ops), &error);
    ck_assert_int_eq(error, ZK_OK);
    apply(request, &result);
    ck_assert_int_eq(result.multi_count, ARRAY_SIZE(ops));
    for (size_t i = 0; i < ARRAY_SIZE(ops); i++)
        ck_assert_int_eq(result.multi[i].err, ZK_OK);
    ck_assert(core_exists("/a/x") && !core_exists("/a/x/y"));
    ck_assert_int_eq(core_stat("/a/x").version, 1);
    ck_assert_msg(ustring_is(result.multi[5].path, "/a/s-0000000001"), "%s", result.multi[5].path.bytes);
    ck_assert(ustring_is(result.multi[6].path, "/a/s-0000000002"));
    ck_assert_int_eq(core_stat("/a").cversion, 3);
    ck_assert_int_eq(core_stat("/a").pzxid, result.zxid);
    ck_assert_uint_eq(outstanding_changes_count(core.outstanding_changes), 0);
    request_unref(request);
}
END_TEST

START_TEST(one_failure_fails_them_all)
{
    struct multi_op ops[] = {create("/a/x", 0), set("/a", 0), check("/missing", 0), set("/b", 0)};
    struct process_txn_result result;
    int32_t error;
    uint64_t digest = data_tree_digest(zk_database_tree(core.database));
    struct request *request = prepare(ops, ARRAY_SIZE(ops), &error);
    ck_assert_int_eq(error, ZK_NO_NODE);
    ck_assert_uint_eq(outstanding_changes_count(core.outstanding_changes), 0);
    apply(request, &result);
    static const int32_t expected[] = {ZK_OK, ZK_OK, ZK_NO_NODE, ZK_RUNTIME_INCONSISTENCY};
    ck_assert_int_eq(result.multi_count, ARRAY_SIZE(ops));
    for (size_t i = 0; i < ARRAY_SIZE(ops); i++) {
        ck_assert_int_eq(result.multi[i].type, OP_ERROR);
        ck_assert_int_eq(result.multi[i].err, expected[i]);
    }
    ck_assert(!core_exists("/a/x"));
    ck_assert_int_eq(core_stat("/a").version, 0);
    ck_assert_int_eq(core_stat("/b").version, 0);
    ck_assert_uint_eq(data_tree_digest(zk_database_tree(core.database)), digest);
    request_unref(request);
}
END_TEST

START_TEST(the_first_failure_may_be_the_last_operation)
{
    struct multi_op ops[] = {delete("/a"), delete("/b"), delete("/missing")};
    int32_t error;
    struct request *request = prepare(ops, ARRAY_SIZE(ops), &error);
    ck_assert_int_eq(error, ZK_NO_NODE);
    ck_assert_int_eq(newest("/a"), 0);
    ck_assert_int_eq(newest(""), 0);
    request_unref(request);
}
END_TEST

/* ZOOKEEPER-1624: the parent's pending record must come back too, or the next sequence number is wrong. */
START_TEST(a_failed_multi_gives_the_parents_cversion_back)
{
    struct multi_op first[] = {create("/a/s-", 2)}, failing[] = {create("/a/s-", 2), check("/missing", 0)};
    struct multi_op next[] = {create("/a/s-", 2)};
    struct process_txn_result result;
    int32_t error;
    struct request *requests[3];
    requests[0] = prepare(first, 1, &error);
    ck_assert_int_eq(error, ZK_OK);
    int64_t zxid = newest("/a");
    requests[1] = prepare(failing, 2, &error);
    ck_assert_int_eq(error, ZK_NO_NODE);
    ck_assert_int_eq(newest("/a"), zxid);
    ck_assert_int_eq(newest("/a/s-0000000001"), 0);
    requests[2] = prepare(next, 1, &error);
    ck_assert_int_eq(error, ZK_OK);
    apply(requests[0], &result);
    ck_assert(ustring_is(result.multi[0].path, "/a/s-0000000000"));
    apply(requests[1], &result);
    apply(requests[2], &result);
    ck_assert(ustring_is(result.multi[0].path, "/a/s-0000000001"));
    ck_assert_int_eq(core_stat("/a").cversion, 2);
    for (size_t i = 0; i < ARRAY_SIZE(requests); i++)
        request_unref(requests[i]);
}
END_TEST

START_TEST(what_was_pending_for_its_paths_counts_again_after_a_failure)
{
    struct multi_op pending[] = {delete("/b"), set("/a", 0)};
    struct multi_op failing[] = {create("/b", 0), set("/a", 1), set("/a", 9)};
    struct multi_op next[] = {check("/a", 1), create("/b", 0)};
    struct process_txn_result result;
    int32_t error;
    struct request *requests[3];
    requests[0] = prepare(pending, ARRAY_SIZE(pending), &error);
    ck_assert_int_eq(error, ZK_OK);
    requests[1] = prepare(failing, ARRAY_SIZE(failing), &error);
    ck_assert_int_eq(error, ZK_BAD_VERSION);
    requests[2] = prepare(next, ARRAY_SIZE(next), &error);
    ck_assert_int_eq(error, ZK_OK);
    for (size_t i = 0; i < ARRAY_SIZE(requests); i++) {
        apply(requests[i], &result);
        request_unref(requests[i]);
    }
    ck_assert_int_eq(core_stat("/a").version, 1);
    ck_assert(core_exists("/b"));
}
END_TEST

START_TEST(an_empty_multi_is_one)
{
    struct process_txn_result result;
    int32_t error;
    struct request *request = prepare(NULL, 0, &error);
    ck_assert_int_eq(error, ZK_OK);
    apply(request, &result);
    ck_assert_int_eq(result.multi_count, 0);
    request_unref(request);
}
END_TEST

START_TEST(a_null_path_fails_the_request_before_anything_is_prepared)
{
    struct multi_op ops[] = {create("/a/x", 0), delete(NULL)};
    int32_t error;
    struct request *request = prepare(ops, ARRAY_SIZE(ops), &error);
    ck_assert_int_eq(error, ZK_MARSHALLING_ERROR);
    ck_assert_uint_eq(outstanding_changes_count(core.outstanding_changes), 0);
    request_unref(request);
}
END_TEST

static Suite *prep_multi_suite(void)
{
    Suite *suite = suite_create("prep_multi");
    TCase *tcase = tcase_create("prep_multi");
    tcase_add_checked_fixture(tcase, set_up, core_tear_down);
    tcase_add_test(tcase, each_operation_sees_those_before_it);
    tcase_add_test(tcase, one_failure_fails_them_all);
    tcase_add_test(tcase, the_first_failure_may_be_the_last_operation);
    tcase_add_test(tcase, a_failed_multi_gives_the_parents_cversion_back);
    tcase_add_test(tcase, what_was_pending_for_its_paths_counts_again_after_a_failure);
    tcase_add_test(tcase, an_empty_multi_is_one);
    tcase_add_test(tcase, a_null_path_fails_the_request_before_anything_is_prepared);
    suite_add_tcase(suite, tcase);
    return suite;
}

CHECK_MAIN(prep_multi_suite)
