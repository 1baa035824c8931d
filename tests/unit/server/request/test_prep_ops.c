/*
 * What each write may do and what it will have done. The tables give a request that breaks one rule and, where it can,
 * those that are looked at later: so they hold the order of the checks, which is Java's.
 */
#include "server/request/prep_ops.h"

#include <string.h>

#include "common/base/memory.h"
#include "server/tree/digest.h"
#include "tests/unit/server/request/core_test.h"

static const struct zk_acl_vector no_acl = {NULL, 0};

static void make_quota(const char *limits)
{
    core_make("/q", "12345", NULL, 0);
    core_make("/zookeeper/quota/q", "", NULL, 0);
    core_make("/zookeeper/quota/q/zookeeper_stats", "count=1,bytes=5", NULL, 0);
    core_make("/zookeeper/quota/q/zookeeper_limits", limits, NULL, 0);
    core.enforce_quota = true;
}

static void set_up(void)
{
    core_set_up();
    core_make("/open", "data", NULL, 0);
    core_make("/open/child", "", NULL, 0);
    core_make("/locked", "", core_acl(PERM_READ), 0);
    core_make("/locked/child", "", NULL, 0);
    core_make("/locked/parent", "", NULL, 0);
    core_make("/locked/parent/child", "", NULL, 0);
    core_make("/secret", "", core_acl(PERM_WRITE), 0);
    core_make("/e", "", NULL, CORE_SESSION);
    make_quota("count=1,bytes=-1=;byteHardLimit=5;countHardLimit=1");
}

/* ---- create ---- */

enum which_acl { OPEN, NONE, UNKNOWN_SCHEME };

static struct zk_acl_vector acl_of(enum which_acl which)
{
    static struct zk_acl unknown = {PERM_ALL, {{"nobody", 6}, {"knows", 5}}};
    if (which == OPEN)
        return acl_open_unsafe;
    return which == NONE ? no_acl : (struct zk_acl_vector){&unknown, 1};
}

static const struct {
    const char *fact;
    int32_t type, flags;
    int64_t ttl, session;
    const char *path;
    enum which_acl acl;
    int err;
    bool no_extended_types;
} creates[] = {
    {"flags that are no mode", OP_CREATE, 99, 0, CORE_NOBODY, "x", NONE, ZK_BAD_ARGUMENTS, false},
    {"negative flags", OP_CREATE, -1, 0, CORE_NOBODY, "x", NONE, ZK_BAD_ARGUMENTS, false},
    {"times to live that are not switched on", OP_CREATE_TTL, 5, -1, CORE_NOBODY, "x", NONE, ZK_UNIMPLEMENTED, true},
    {"a time to live of 0", OP_CREATE_TTL, 5, 0, CORE_NOBODY, "x", NONE, ZK_BAD_ARGUMENTS, false},
    {"a negative time to live", OP_CREATE_TTL, 6, -1, CORE_NOBODY, "x", NONE, ZK_BAD_ARGUMENTS, false},
    {"one that is too long", OP_CREATE_TTL, 5, INT64_MAX, CORE_NOBODY, "x", NONE, ZK_BAD_ARGUMENTS, false},
    {"flags with a time to live and none given", OP_CREATE, 5, 0, CORE_NOBODY, "x", NONE, ZK_BAD_ARGUMENTS, false},
    {"a time to live and flags without", OP_CREATE_TTL, 0, 1, CORE_NOBODY, "x", NONE, ZK_BAD_ARGUMENTS, false},
    {"a session nobody knows", OP_CREATE, 0, 0, CORE_NOBODY, "x", NONE, ZK_UNKNOWN_SESSION, false},
    {"the same for an ephemeral", OP_CREATE, 1, 0, CORE_NOBODY, "x", NONE, ZK_SESSION_EXPIRED, false},
    {"a path without a slash", OP_CREATE, 0, 0, CORE_SESSION, "x", NONE, ZK_BAD_ARGUMENTS, false},
    {"an empty path", OP_CREATE, 0, 0, CORE_SESSION, "", NONE, ZK_BAD_ARGUMENTS, false},
    {"no path", OP_CREATE, 0, 0, CORE_SESSION, NULL, NONE, ZK_MARSHALLING_ERROR, false},
    {"an empty list", OP_CREATE, 0, 0, CORE_SESSION, "/missing/x", NONE, ZK_INVALID_ACL, false},
    {"a list of an unknown scheme", OP_CREATE, 0, 0, CORE_SESSION, "/missing/x", UNKNOWN_SCHEME, ZK_INVALID_ACL, false},
    {"a parent that is not there", OP_CREATE, 0, 0, CORE_SESSION, "/missing//x", OPEN, ZK_NO_NODE, false},
    {"a parent that may not be changed", OP_CREATE, 0, 0, CORE_SESSION, "/locked/.", OPEN, ZK_NO_AUTH, false},
    {"the same for a node that is there", OP_CREATE, 0, 0, CORE_SESSION, "/locked/child", OPEN, ZK_NO_AUTH, false},
    {"a name of one dot", OP_CREATE, 0, 0, CORE_SESSION, "/open/.", OPEN, ZK_BAD_ARGUMENTS, false},
    {"an empty name", OP_CREATE, 0, 0, CORE_SESSION, "/open/", OPEN, ZK_BAD_ARGUMENTS, false},
    {"the root", OP_CREATE, 0, 0, CORE_SESSION, "/", OPEN, ZK_NODE_EXISTS, false},
    {"a node that is there", OP_CREATE, 0, 0, CORE_SESSION, "/open/child", OPEN, ZK_NODE_EXISTS, false},
    {"a child of an ephemeral", OP_CREATE, 0, 0, CORE_SESSION, "/e/child", OPEN, ZK_NO_CHILDREN_FOR_EPHEMERALS, false},
    {"one more than the quota", OP_CREATE, 0, 0, CORE_SESSION, "/q/x", OPEN, ZK_QUOTA_EXCEEDED, false},
    {"a name from digits alone", OP_CREATE, 2, 0, CORE_SESSION, "/open/", OPEN, ZK_OK, false},
    {"a good one", OP_CREATE, 0, 0, CORE_SESSION, "/open/x", OPEN, ZK_OK, false},
    {"a good container", OP_CREATE_CONTAINER, 4, 0, CORE_SESSION, "/open/x", OPEN, ZK_OK, false},
    {"a good one with a time to live", OP_CREATE_TTL, 5, 1, CORE_SESSION, "/open/x", OPEN, ZK_OK, false},
};

static int run_create(struct prep_context *context, int32_t type, int32_t flags, int64_t ttl, const char *path,
                      struct zk_acl_vector acl, const char *data, struct txn_body *body)
{
    if (type == OP_CREATE_TTL) {
        struct create_ttl_request record = {ustring_of(path), core_bytes(data), acl, flags, ttl};
        return prep_create_ttl(context, &record, body);
    }
    struct create_request record = {ustring_of(path), core_bytes(data), acl, flags};
    return prep_create(context, type, &record, body);
}

START_TEST(create_checks_in_order)
{
    struct request *request = core_request(creates[_i].type, NULL);
    struct txn_body body = {.is_present = true};
    request->session_id = creates[_i].session;
    core.ephemeral_rules.extended_types_enabled = !creates[_i].no_extended_types;
    struct prep_context context = core_context(request);
    int err = run_create(&context, creates[_i].type, creates[_i].flags, creates[_i].ttl, creates[_i].path,
                         acl_of(creates[_i].acl), "x", &body);
    ck_assert_msg(err == creates[_i].err, "%s: %s", creates[_i].fact, error_name(err));
    ck_assert_uint_eq(outstanding_changes_count(core.outstanding_changes), err == ZK_OK ? 2 : 0);
    ck_assert(context.has_digest == (err == ZK_OK));
    request_unref(request);
}
END_TEST

START_TEST(a_path_with_a_null_character_is_bad)
{
    struct request *request = core_request(OP_CREATE, NULL);
    struct prep_context context = core_context(request);
    struct txn_body body = {.is_present = true};
    struct create_request record = {{"/open/\0x", 8}, core_bytes(""), no_acl, 0};
    ck_assert_int_eq(prep_create(&context, OP_CREATE, &record, &body), ZK_BAD_ARGUMENTS);
    request_unref(request);
}
END_TEST

START_TEST(an_owner_that_is_not_the_sessions_has_lost_it)
{
    static const char another[] = "another";
    struct request *request = core_request(OP_CREATE, NULL);
    struct prep_context context = core_context(request);
    struct txn_body body = {.is_present = true};
    request->owner = another;
    ck_assert_int_eq(run_create(&context, OP_CREATE, 0, 0, "x", no_acl, "", &body), ZK_SESSION_MOVED);
    ck_assert_int_eq(run_create(&context, OP_CREATE, 1, 0, "x", no_acl, "", &body), ZK_SESSION_MOVED);
    core.session_tracker->ops->set_session_closing(core.session_tracker, CORE_SESSION);
    ck_assert_int_eq(run_create(&context, OP_CREATE, 0, 0, "x", no_acl, "", &body), ZK_SESSION_EXPIRED);
    request_unref(request);
}
END_TEST

static struct change_record *pending(const char *path)
{
    struct change_record *record = outstanding_changes_find(core.outstanding_changes, ustring_of(path));
    ck_assert_msg(record != NULL, "%s is not pending", path);
    return record;
}

/* What a record says of a node is what the tree says when it has applied the transaction. */
static void assert_foretold(const struct change_record *record, const char *path)
{
    struct node_view view;
    ck_assert(data_tree_view(zk_database_tree(core.database), ustring_of(path), &view));
    ck_assert_int_eq(record->stat.czxid, view.stat.czxid);
    ck_assert_int_eq(record->stat.mzxid, view.stat.mzxid);
    ck_assert_int_eq(record->stat.pzxid, view.stat.pzxid);
    ck_assert_int_eq(record->stat.ctime, view.stat.ctime);
    ck_assert_int_eq(record->stat.mtime, view.stat.mtime);
    ck_assert_int_eq(record->stat.version, view.stat.version);
    ck_assert_int_eq(record->stat.cversion, view.stat.cversion);
    ck_assert_int_eq(record->stat.aversion, view.stat.aversion);
    ck_assert_int_eq(record->stat.ephemeral_owner, view.stat.ephemeral_owner);
    ck_assert_int_eq(record->child_count, view.child_count);
    ck_assert_uint_eq(record->node_digest, view.digest);
    node_view_release(&view);
}

/* Applies; the digest in the transaction is the tree's afterwards. */
static void finish_and_apply(struct prep_context *context, const struct txn_body *body)
{
    core_finish(context, body);
    core_apply(context->request);
    struct data_tree *tree = zk_database_tree(core.database);
    ck_assert(context->has_digest);
    ck_assert_uint_eq(context->tree_digest, data_tree_digest(tree));
    ck_assert(data_tree_digest_is_consistent(tree));
    ck_assert(!data_tree_digest_mismatch(tree));
    ck_assert_uint_eq(outstanding_changes_count(core.outstanding_changes), 0);
}

static const struct {
    int32_t type, flags;
    int64_t ttl, owner;
    const char *path, *made;
} makes[] = {
    {OP_CREATE, 0, 0, 0, "/open/x", "/open/x"},
    {OP_CREATE2, 0, 0, 0, "/x", "/x"},
    {OP_CREATE, 1, 0, CORE_SESSION, "/open/x", "/open/x"},
    {OP_CREATE, 2, 0, 0, "/open/x-", "/open/x-0000000001"},
    {OP_CREATE2, 3, 0, CORE_SESSION, "/open/", "/open/0000000001"},
    {OP_CREATE_CONTAINER, 4, 0, INT64_MIN, "/open/c", "/open/c"},
    {OP_CREATE_TTL, 5, 1000, (int64_t)(UINT64_C(0xff) << 56 | 1000), "/open/t", "/open/t"},
    {OP_CREATE_TTL, 6, 7, (int64_t)(UINT64_C(0xff) << 56 | 7), "/open/t", "/open/t0000000001"},
};
START_TEST(create_foretells_node_and_parent)
{
    struct request *request = core_request(makes[_i].type, NULL);
    struct txn_body body = {.is_present = true};
    struct prep_context context = core_context(request);
    ck_assert_int_eq(run_create(&context, makes[_i].type, makes[_i].flags, makes[_i].ttl, makes[_i].path,
                                acl_open_unsafe, "data", &body),
                     ZK_OK);
    bool is_top = strcmp(makes[_i].path, "/x") == 0;
    struct change_record *node = pending(makes[_i].made), *parent = pending(is_top ? "" : "/open");
    ck_assert_int_eq(node->stat.czxid, context.header.zxid);
    ck_assert_int_eq(node->stat.ctime, CORE_TIME);
    ck_assert_int_eq(node->stat.version, 0);
    ck_assert_int_eq(node->stat.ephemeral_owner, makes[_i].owner);
    ck_assert_int_eq(node->claimed_owner, makes[_i].owner);
    ck_assert_uint_eq(node->data.size, 4);
    ck_assert_mem_eq(node->data.bytes, "data", 4);
    ck_assert(acl_vector_equal(change_record_acl(node), &acl_open_unsafe));
    ck_assert_int_eq(parent->stat.pzxid, context.header.zxid);
    ck_assert_int_ne(parent->stat.mzxid, context.header.zxid);
    finish_and_apply(&context, &body);
    assert_foretold(node, makes[_i].made);
    assert_foretold(parent, is_top ? "/" : "/open");
    change_record_unref(node);
    change_record_unref(parent);
    request_unref(request);
}
END_TEST

START_TEST(the_transaction_of_a_create_has_these_bytes)
{
    struct request *request = core_request(OP_CREATE, NULL);
    struct txn_body body = {.is_present = true};
    struct prep_context context = core_context(request);
    struct buffer expected = {0};
    ck_assert_int_eq(run_create(&context, OP_CREATE, 3, 0, "/open/s-", acl_open_unsafe, NULL, &body), ZK_OK);
    core_finish(&context, &body);
    jute_write_int64(&expected, CORE_SESSION);
    jute_write_int32(&expected, 7);
    jute_write_int64(&expected, context.header.zxid);
    jute_write_int64(&expected, CORE_TIME);
    jute_write_int32(&expected, OP_CREATE);
    jute_write_string(&expected, "/open/s-0000000001");
    jute_write_int32(&expected, -1);    /* null data */
    jute_write_int32(&expected, 1);
    jute_write_int32(&expected, PERM_ALL);
    jute_write_string(&expected, "world");
    jute_write_string(&expected, "anyone");
    jute_write_boolean(&expected, true);
    jute_write_int32(&expected, 2);     /* the parent's cversion */
    jute_write_int32(&expected, DIGEST_VERSION);
    jute_write_int64(&expected, (int64_t)context.tree_digest);
    ck_assert_uint_eq(request->txn->bytes->size, expected.size);
    ck_assert_mem_eq(request->txn->bytes->bytes, expected.bytes, expected.size);
    buffer_release(&expected);
    request_unref(request);
}
END_TEST

START_TEST(a_sequence_goes_on_over_what_is_pending)
{
    static const char *const names[] = {"/open/s-0000000001", "/open/s-0000000002", "/open/s-0000000003"};
    struct request *requests[ARRAY_SIZE(names)];
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        struct txn_body body = {.is_present = true};
        requests[i] = core_request(OP_CREATE, NULL);
        struct prep_context context = core_context(requests[i]);
        ck_assert_int_eq(run_create(&context, OP_CREATE, 2, 0, "/open/s-", acl_open_unsafe, "", &body), ZK_OK);
        core_finish(&context, &body);
        struct change_record *node = pending(names[i]);
        change_record_unref(node);
    }
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        core_apply(requests[i]);
        ck_assert(core_exists(names[i]));
        ck_assert_uint_eq((uint64_t)requests[i]->txn->digest.tree_digest,
                          data_tree_digest(zk_database_tree(core.database)));
        request_unref(requests[i]);
    }
    ck_assert_int_eq(core_stat("/open").cversion, 4);
}
END_TEST

/* ---- delete ---- */

static const struct {
    const char *fact, *path;
    int64_t session;
    int32_t version;
    int err;
} deletes[] = {
    {"a session nobody knows", "/", CORE_NOBODY, 5, ZK_UNKNOWN_SESSION},
    {"the root", "/", CORE_SESSION, 5, ZK_BAD_ARGUMENTS},
    {"a node that must stay", "/zookeeper", CORE_SESSION, 5, ZK_BAD_ARGUMENTS},
    {"another", "/zookeeper/quota", CORE_SESSION, 5, ZK_BAD_ARGUMENTS},
    {"one more", "/zookeeper/config", CORE_SESSION, 5, ZK_BAD_ARGUMENTS},
    {"a path without a slash", "x", CORE_SESSION, 5, ZK_BAD_ARGUMENTS},
    {"no path", NULL, CORE_SESSION, 5, ZK_MARSHALLING_ERROR},
    {"a parent that is not there", "/missing/x", CORE_SESSION, 5, ZK_NO_NODE},
    {"a parent that may not be changed", "/locked/missing", CORE_SESSION, 5, ZK_NO_AUTH},
    {"a node that is not there", "/open/missing", CORE_SESSION, 5, ZK_NO_NODE},
    {"another version", "/open", CORE_SESSION, 5, ZK_BAD_VERSION},
    {"a node with children", "/open", CORE_SESSION, 0, ZK_NOT_EMPTY},
    {"the same for any version", "/open", CORE_SESSION, -1, ZK_NOT_EMPTY},
    {"a good one", "/open/child", CORE_SESSION, 0, ZK_OK},
    {"the parent's list counts, not the node's", "/secret", CORE_SESSION, -1, ZK_OK},
};
START_TEST(delete_checks_in_order)
{
    struct request *request = core_request(OP_DELETE, NULL);
    struct txn_body body = {.is_present = true};
    request->session_id = deletes[_i].session;
    struct prep_context context = core_context(request);
    struct delete_request record = {ustring_of(deletes[_i].path), deletes[_i].version};
    int err = prep_delete(&context, &record, &body);
    ck_assert_msg(err == deletes[_i].err, "%s: %s", deletes[_i].fact, error_name(err));
    ck_assert_uint_eq(outstanding_changes_count(core.outstanding_changes), err == ZK_OK ? 2 : 0);
    request_unref(request);
}
END_TEST

START_TEST(delete_foretells_the_parent)
{
    struct request *request = core_request(OP_DELETE, NULL);
    struct txn_body body = {.is_present = true};
    struct prep_context context = core_context(request);
    struct delete_request record = {ustring_of("/open/child"), 0};
    ck_assert_int_eq(prep_delete(&context, &record, &body), ZK_OK);
    struct change_record *node = pending("/open/child"), *parent = pending("/open");
    ck_assert(!node->exists);
    ck_assert_int_eq(parent->child_count, 0);
    ck_assert_int_eq(parent->stat.pzxid, context.header.zxid);
    finish_and_apply(&context, &body);
    ck_assert(!core_exists("/open/child"));
    struct zk_stat stat = core_stat("/open");
    ck_assert_int_eq(stat.num_children, 0);
    ck_assert_int_eq(stat.pzxid, context.header.zxid);
    change_record_unref(node);
    change_record_unref(parent);
    request_unref(request);
}
END_TEST

START_TEST(what_will_be_gone_is_gone_and_what_will_be_there_is_there)
{
    struct request *request = core_request(OP_DELETE, NULL);
    struct txn_body body = {.is_present = true};
    struct prep_context context = core_context(request);
    struct delete_request of_child = {ustring_of("/open/child"), -1}, of_node = {ustring_of("/open"), -1};
    struct set_data_request set = {ustring_of("/open/child"), core_bytes("x"), -1};
    ck_assert_int_eq(prep_delete(&context, &of_child, &body), ZK_OK);
    ck_assert_int_eq(prep_delete(&context, &of_child, &body), ZK_NO_NODE);
    ck_assert_int_eq(prep_set_data(&context, &set, &body), ZK_NO_NODE);
    ck_assert_int_eq(run_create(&context, OP_CREATE, 0, 0, "/open/child", acl_open_unsafe, "", &body), ZK_OK);
    ck_assert_int_eq(prep_delete(&context, &of_node, &body), ZK_NOT_EMPTY);
    ck_assert_int_eq(prep_set_data(&context, &set, &body), ZK_OK);
    ck_assert_int_eq(prep_delete(&context, &of_child, &body), ZK_OK);
    ck_assert_int_eq(prep_delete(&context, &of_node, &body), ZK_OK);
    request_unref(request);
}
END_TEST

static const struct {
    const char *fact, *path;
    int err;
} container_deletes[] = {
    {"a node that must stay", "/zookeeper", ZK_BAD_ARGUMENTS},
    {"a node that is not there", "/missing/x", ZK_NO_NODE},
    {"one with children", "/open", ZK_NOT_EMPTY},
    {"an ephemeral", "/e", ZK_BAD_VERSION},
    {"a container", "/c", ZK_OK},
    {"a node that is none, as in Java", "/open/child", ZK_OK},
    {"no list is asked", "/locked/child", ZK_OK},
};
START_TEST(delete_container_checks_in_order)
{
    struct request *make = core_request(OP_CREATE_CONTAINER, NULL), *request = core_request(OP_DELETE_CONTAINER, NULL);
    struct txn_body body = {.is_present = true};
    struct prep_context context = core_context(make);
    ck_assert_int_eq(run_create(&context, OP_CREATE_CONTAINER, 4, 0, "/c", acl_open_unsafe, "", &body), ZK_OK);
    finish_and_apply(&context, &body);
    request->session_id = 0;
    context = core_context(request);
    int err = prep_delete_container(&context, ustring_of(container_deletes[_i].path), &body);
    ck_assert_msg(err == container_deletes[_i].err, "%s: %s", container_deletes[_i].fact, error_name(err));
    if (err == ZK_OK) {
        finish_and_apply(&context, &body);
        ck_assert(!core_exists(container_deletes[_i].path));
    }
    request_unref(make);
    request_unref(request);
}
END_TEST

/* ---- setData ---- */

static const struct {
    const char *fact, *path, *data;
    int64_t session;
    int32_t version;
    int err;
} sets[] = {
    {"a session nobody knows", "x", "", CORE_NOBODY, 5, ZK_UNKNOWN_SESSION},
    {"a path that is none", "x", "", CORE_SESSION, 5, ZK_BAD_ARGUMENTS},
    {"no path", NULL, "", CORE_SESSION, 5, ZK_BAD_ARGUMENTS},
    {"a path that ends in a slash", "/open/", "", CORE_SESSION, 5, ZK_BAD_ARGUMENTS},
    {"a node that is not there", "/missing", "", CORE_SESSION, 5, ZK_NO_NODE},
    {"a node that may not be written", "/locked", "", CORE_SESSION, 5, ZK_NO_AUTH},
    {"more bytes than the quota", "/q", "123456", CORE_SESSION, 5, ZK_QUOTA_EXCEEDED},
    {"another version", "/open", "", CORE_SESSION, 5, ZK_BAD_VERSION},
    {"as many bytes as before", "/q", "54321", CORE_SESSION, 0, ZK_OK},
    {"a good one", "/open", "new", CORE_SESSION, 0, ZK_OK},
    {"null", "/open", NULL, CORE_SESSION, -1, ZK_OK},
    {"the root", "/", "x", CORE_SESSION, 0, ZK_OK},
};
START_TEST(a_pending_node_has_its_data_where_the_request_brought_it)
{
    struct buffer payload = {0};
    buffer_append_string(&payload, "some data");
    struct request *request = core_request(OP_SET_DATA, &payload);
    struct blob *chunk = blob_ref(request->chunk);
    struct prep_context context = core_context(request);
    struct txn_body body = {.is_present = true};
    struct set_data_request record = {ustring_of("/open"), {chunk->bytes + 5, 4}, -1};
    ck_assert_int_eq(prep_set_data(&context, &record, &body), ZK_OK);
    request_unref(request);
    struct change_record *node = pending("/open");
    ck_assert_ptr_eq(node->data.bytes, chunk->bytes + 5);
    ck_assert_uint_eq(node->data.size, 4);
    ck_assert_uint_eq(atomic_load(&chunk->references), 2);
    outstanding_changes_remove_up_to(core.outstanding_changes, context.header.zxid);
    change_record_unref(node);
    ck_assert_uint_eq(atomic_load(&chunk->references), 1);
    blob_unref(chunk);
}
END_TEST

START_TEST(set_data_checks_in_order_and_foretells_the_node)
{
    struct request *request = core_request(OP_SET_DATA, NULL);
    struct txn_body body = {.is_present = true};
    request->session_id = sets[_i].session;
    struct prep_context context = core_context(request);
    struct set_data_request record = {ustring_of(sets[_i].path), core_bytes(sets[_i].data), sets[_i].version};
    int err = prep_set_data(&context, &record, &body);
    ck_assert_msg(err == sets[_i].err, "%s: %s", sets[_i].fact, error_name(err));
    if (err == ZK_OK) {
        struct change_record *node = pending(sets[_i].path);
        ck_assert_int_eq(node->stat.version, 1);
        ck_assert_int_eq(node->stat.mzxid, context.header.zxid);
        ck_assert_int_eq(node->stat.mtime, CORE_TIME);
        ck_assert_int_eq(body.record.set_data.version, 1);
        finish_and_apply(&context, &body);
        assert_foretold(node, sets[_i].path);
        change_record_unref(node);
    } else {
        ck_assert_uint_eq(outstanding_changes_count(core.outstanding_changes), 0);
    }
    request_unref(request);
}
END_TEST

START_TEST(a_version_after_the_last_is_the_first)
{
    struct request *request = core_request(OP_SET_DATA, NULL);
    struct txn_body body = {.is_present = true};
    struct prep_context context = core_context(request);
    struct change_record *record = change_record_new(NULL, ustring_of("/open"));
    record->exists = true;
    record->zxid = context.header.zxid - 1;
    record->stat.version = INT32_MAX;
    outstanding_changes_add(core.outstanding_changes, record);
    struct set_data_request set = {ustring_of("/open"), core_bytes(""), INT32_MAX};
    ck_assert_int_eq(prep_set_data(&context, &set, &body), ZK_OK);
    ck_assert_int_eq(body.record.set_data.version, INT32_MIN);
    request_unref(request);
}
END_TEST

/* ---- setACL ---- */

static const struct {
    const char *fact, *path;
    int64_t session;
    int32_t version;
    enum which_acl acl;
    int err;
} set_acls[] = {
    {"a session nobody knows", "x", CORE_NOBODY, 5, NONE, ZK_UNKNOWN_SESSION},
    {"a path that is none", "x", CORE_SESSION, 5, NONE, ZK_BAD_ARGUMENTS},
    {"an empty list", "/missing", CORE_SESSION, 5, NONE, ZK_INVALID_ACL},
    {"a list of an unknown scheme", "/missing", CORE_SESSION, 5, UNKNOWN_SCHEME, ZK_INVALID_ACL},
    {"a node that is not there", "/missing", CORE_SESSION, 5, OPEN, ZK_NO_NODE},
    {"a node one does not administer", "/locked", CORE_SESSION, 5, OPEN, ZK_NO_AUTH},
    {"another version", "/open", CORE_SESSION, 5, OPEN, ZK_BAD_VERSION},
    {"a good one", "/open", CORE_SESSION, 0, OPEN, ZK_OK},
};
START_TEST(set_acl_checks_in_order)
{
    struct request *request = core_request(OP_SET_ACL, NULL);
    struct txn_body body = {.is_present = true};
    request->session_id = set_acls[_i].session;
    struct prep_context context = core_context(request);
    struct set_acl_request record = {ustring_of(set_acls[_i].path), acl_of(set_acls[_i].acl), set_acls[_i].version};
    int err = prep_set_acl(&context, &record, &body);
    ck_assert_msg(err == set_acls[_i].err, "%s: %s", set_acls[_i].fact, error_name(err));
    request_unref(request);
}
END_TEST

START_TEST(a_new_list_counts_at_once)
{
    struct request *request = core_request(OP_SET_ACL, NULL);
    struct txn_body body = {.is_present = true}, ignored = {.is_present = true};
    struct prep_context context = core_context(request);
    struct set_acl_request record = {ustring_of("/open"), *core_acl(PERM_READ), -1};
    struct set_data_request set = {ustring_of("/open"), core_bytes("x"), -1};
    ck_assert_int_eq(prep_set_acl(&context, &record, &body), ZK_OK);
    struct change_record *node = pending("/open");
    ck_assert_int_eq(node->stat.aversion, 1);
    ck_assert_int_eq(node->stat.version, 0);
    ck_assert_int_eq(prep_set_data(&context, &set, &ignored), ZK_NO_AUTH);
    ck_assert_int_eq(prep_set_acl(&context, &record, &ignored), ZK_NO_AUTH);
    finish_and_apply(&context, &body);
    assert_foretold(node, "/open");
    change_record_unref(node);
    request_unref(request);
}
END_TEST

/* ---- check ---- */

static const struct {
    const char *fact, *path;
    int64_t session;
    int32_t version;
    int err;
} checks[] = {
    {"a session nobody knows", "x", CORE_NOBODY, 5, ZK_UNKNOWN_SESSION},
    {"a path that is none", "x", CORE_SESSION, 5, ZK_BAD_ARGUMENTS},
    {"a node that is not there", "/missing", CORE_SESSION, 5, ZK_NO_NODE},
    {"a node that may not be read", "/secret", CORE_SESSION, 5, ZK_NO_AUTH},
    {"another version", "/open", CORE_SESSION, 5, ZK_BAD_VERSION},
    {"the version it has", "/open", CORE_SESSION, 0, ZK_OK},
    {"any version", "/locked", CORE_SESSION, -1, ZK_OK},
};
START_TEST(check_checks_in_order_and_changes_nothing)
{
    struct request *request = core_request(OP_CHECK, NULL);
    struct txn_body body = {.is_present = true};
    request->session_id = checks[_i].session;
    struct prep_context context = core_context(request);
    struct check_version_request record = {ustring_of(checks[_i].path), checks[_i].version};
    int err = prep_check(&context, &record, &body);
    ck_assert_msg(err == checks[_i].err, "%s: %s", checks[_i].fact, error_name(err));
    if (err == ZK_OK)
        ck_assert_int_eq(body.record.check.version, 1);
    ck_assert_uint_eq(outstanding_changes_count(core.outstanding_changes), 0);
    ck_assert(!context.has_digest);
    request_unref(request);
}
END_TEST

/* ---- reconfig and sessions ---- */

START_TEST(reconfig_is_disabled_and_else_not_there)
{
    struct request *request = core_request(OP_RECONFIG, NULL);
    struct txn_body body = {.is_present = true};
    struct prep_context context = core_context(request);
    struct reconfig_request record = {USTRING_NULL, USTRING_NULL, USTRING_NULL, -1};
    request->session_id = CORE_NOBODY;
    ck_assert_int_eq(prep_reconfig(&context, &record, &body), ZK_RECONFIG_DISABLED);
    core_options.reconfig_enabled = true;
    ck_assert_int_eq(prep_reconfig(&context, &record, &body), ZK_UNKNOWN_SESSION);
    request->session_id = CORE_SESSION;
    ck_assert_int_eq(prep_reconfig(&context, &record, &body), ZK_UNIMPLEMENTED);
    request_unref(request);
}
END_TEST

START_TEST(a_new_session_is_tracked_and_owned)
{
    struct request *request = core_request(OP_CREATE_SESSION, NULL);
    struct txn_body body = {.is_present = true};
    request->session_id = CORE_NOBODY;
    struct prep_context context = core_context(request);
    struct create_session_txn record = {12345};
    ck_assert_int_eq(prep_create_session(&context, &record, &body), ZK_OK);
    ck_assert_int_eq(body.record.create_session.time_out, 12345);
    struct session_tracker *tracker = core.session_tracker;
    ck_assert_int_eq(tracker->ops->check_session(tracker, CORE_NOBODY, server_core_me), ZK_OK);
    ck_assert_int_eq(tracker->ops->check_session(tracker, CORE_NOBODY, "other"), ZK_SESSION_MOVED);
    int32_t timeout_ms;
    ck_assert_msg(!session_table_get(zk_database_sessions(core.database), CORE_NOBODY, &timeout_ms),
                  "it is in the database only once it is applied");
    request_unref(request);
}
END_TEST

START_TEST(a_session_that_ends_takes_its_nodes_along)
{
    struct request *create = core_request(OP_CREATE, NULL), *close = core_request(OP_CLOSE_SESSION, NULL);
    struct txn_body created = {.is_present = true}, closed = {.is_present = true};
    struct prep_context creating = core_context(create);
    ck_assert_int_eq(run_create(&creating, OP_CREATE, 1, 0, "/open/e", acl_open_unsafe, "", &created), ZK_OK);
    core_finish(&creating, &created);
    struct prep_context closing = core_context(close);
    ck_assert_int_eq(prep_close_session(&closing, &closed), ZK_OK);
    ck_assert(closed.is_present);
    ck_assert_int_eq(closed.record.close_session.paths2_delete.count, 2);    /* one in the tree, one to come */
    ck_assert(!closing.has_digest);
    struct change_record *node = pending("/open/e"), *parent = pending("/open");
    ck_assert(!node->exists);
    ck_assert_int_eq(parent->stat.pzxid, closing.header.zxid);
    closing.has_digest = true;
    closing.tree_digest = prep_current_tree_digest(&core);
    struct session_tracker *tracker = core.session_tracker;
    ck_assert_int_eq(tracker->ops->check_session(tracker, CORE_SESSION, server_core_me), ZK_SESSION_EXPIRED);
    core_apply(create);
    ck_assert(core_exists("/open/e"));
    finish_and_apply(&closing, &closed);
    ck_assert(!core_exists("/open/e") && !core_exists("/e"));
    ck_assert(!tracker->ops->is_tracking_session(tracker, CORE_SESSION));
    change_record_unref(node);
    change_record_unref(parent);
    request_unref(create);
    request_unref(close);
}
END_TEST

START_TEST(without_its_transaction_the_end_of_a_session_has_no_record)
{
    struct request *request = core_request(OP_CLOSE_SESSION, NULL);
    struct txn_body body = {.is_present = true};
    core.close_session_txn_enabled = false;
    struct prep_context context = core_context(request);
    ck_assert_int_eq(prep_close_session(&context, &body), ZK_OK);
    ck_assert(!body.is_present);
    request_unref(request);
}
END_TEST

/* ---- digests ---- */

START_TEST(without_digests_none_is_made)
{
    struct request *request = core_request(OP_CREATE, NULL);
    struct txn_body body = {.is_present = true};
    core.digest_enabled = false;
    struct prep_context context = core_context(request);
    ck_assert_int_eq(run_create(&context, OP_CREATE, 0, 0, "/x", acl_open_unsafe, "", &body), ZK_OK);
    ck_assert(!context.has_digest);
    request_unref(request);
}
END_TEST

START_TEST(nodes_below_zookeeper_do_not_count_in_the_digest)
{
    struct request *request = core_request(OP_CREATE, NULL);
    struct txn_body body = {.is_present = true};
    uint64_t before = prep_current_tree_digest(&core);
    struct prep_context context = core_context(request);
    ck_assert_int_eq(run_create(&context, OP_CREATE, 0, 0, "/zookeeper/quota/x", acl_open_unsafe, "", &body), ZK_OK);
    ck_assert_uint_eq(context.tree_digest, before);
    finish_and_apply(&context, &body);
    request_unref(request);
}
END_TEST

/* ---- quotas ---- */

START_TEST(soft_limits_refuse_nothing)
{
    struct request *request = core_request(OP_CREATE, NULL);
    struct txn_body body = {.is_present = true};
    core_make("/soft", "", NULL, 0);
    core_make("/zookeeper/quota/soft", "", NULL, 0);
    core_make("/zookeeper/quota/soft/zookeeper_stats", "count=1,bytes=0", NULL, 0);
    core_make("/zookeeper/quota/soft/zookeeper_limits", "count=1,bytes=1", NULL, 0);
    struct prep_context context = core_context(request);
    ck_assert_int_eq(run_create(&context, OP_CREATE, 0, 0, "/soft/x", acl_open_unsafe, "123", &body), ZK_OK);
    request_unref(request);
}
END_TEST

START_TEST(hard_limits_refuse_only_when_they_are_enforced)
{
    struct request *request = core_request(OP_CREATE, NULL);
    struct txn_body body = {.is_present = true};
    core.enforce_quota = false;
    struct prep_context context = core_context(request);
    ck_assert_int_eq(run_create(&context, OP_CREATE, 0, 0, "/q/x", acl_open_unsafe, "123", &body), ZK_OK);
    request_unref(request);
}
END_TEST

static Suite *prep_ops_suite(void)
{
    Suite *suite = suite_create("prep_ops");
    TCase *tcase = tcase_create("prep_ops");
    tcase_add_checked_fixture(tcase, set_up, core_tear_down);
    tcase_add_loop_test(tcase, create_checks_in_order, 0, ARRAY_SIZE(creates));
    tcase_add_test(tcase, a_path_with_a_null_character_is_bad);
    tcase_add_test(tcase, an_owner_that_is_not_the_sessions_has_lost_it);
    tcase_add_loop_test(tcase, create_foretells_node_and_parent, 0, ARRAY_SIZE(makes));
    tcase_add_test(tcase, the_transaction_of_a_create_has_these_bytes);
    tcase_add_test(tcase, a_sequence_goes_on_over_what_is_pending);
    tcase_add_loop_test(tcase, delete_checks_in_order, 0, ARRAY_SIZE(deletes));
    tcase_add_test(tcase, delete_foretells_the_parent);
    tcase_add_test(tcase, what_will_be_gone_is_gone_and_what_will_be_there_is_there);
    tcase_add_loop_test(tcase, delete_container_checks_in_order, 0, ARRAY_SIZE(container_deletes));
    tcase_add_test(tcase, a_pending_node_has_its_data_where_the_request_brought_it);
    tcase_add_loop_test(tcase, set_data_checks_in_order_and_foretells_the_node, 0, ARRAY_SIZE(sets));
    tcase_add_test(tcase, a_version_after_the_last_is_the_first);
    tcase_add_loop_test(tcase, set_acl_checks_in_order, 0, ARRAY_SIZE(set_acls));
    tcase_add_test(tcase, a_new_list_counts_at_once);
    tcase_add_loop_test(tcase, check_checks_in_order_and_changes_nothing, 0, ARRAY_SIZE(checks));
    tcase_add_test(tcase, reconfig_is_disabled_and_else_not_there);
    tcase_add_test(tcase, a_new_session_is_tracked_and_owned);
    tcase_add_test(tcase, a_session_that_ends_takes_its_nodes_along);
    tcase_add_test(tcase, without_its_transaction_the_end_of_a_session_has_no_record);
    tcase_add_test(tcase, without_digests_none_is_made);
    tcase_add_test(tcase, nodes_below_zookeeper_do_not_count_in_the_digest);
    tcase_add_test(tcase, soft_limits_refuse_nothing);
    tcase_add_test(tcase, hard_limits_refuse_only_when_they_are_enforced);
    suite_add_tcase(suite, tcase);
    return suite;
}

CHECK_MAIN(prep_ops_suite)
