/* What the tree at hand forbids is refused at once; everything else is the leader's to judge. */
#include "server/request/eager_acl_check.h"

#include "tests/unit/server/cnxn/cnxn_test.h"
#include "tests/unit/server/request/core_test.h"

static struct raw_client client;
static struct server_cnxn *cnxn;

static void set_up(void)
{
    core_set_up();
    cnxn_set_up();
    cnxn_start(0);
    raw_client_init(&client);
    cnxn_join(&client);
    cnxn = cnxn_only();
    core_options.enable_eager_acl_check = true;
    core_make("/open", "x", NULL, 0);
    core_make("/read", "x", core_acl(PERM_READ), 0);
    core_make("/read/child", "x", NULL, 0);
}

static void tear_down(void)
{
    server_cnxn_unref(cnxn);
    raw_client_release(&client);
    cnxn_tear_down();
    core_tear_down();
}

static void write_create(struct buffer *out, const char *path, const struct zk_acl_vector *acl)
{
    struct create_request record = {ustring_of(path), core_bytes("x"), *acl, 0};
    jute_write_create_request(out, &record);
}

static void write_delete(struct buffer *out, const char *path)
{
    struct delete_request record = {ustring_of(path), -1};
    jute_write_delete_request(out, &record);
}

static void write_set_data(struct buffer *out, const char *path)
{
    struct set_data_request record = {ustring_of(path), core_bytes("x"), -1};
    jute_write_set_data_request(out, &record);
}

static void write_set_acl(struct buffer *out, const char *path, const struct zk_acl_vector *acl)
{
    struct set_acl_request record = {ustring_of(path), *acl, -1};
    jute_write_set_acl_request(out, &record);
}

/* Asks; a refusal is answered, with the error that is returned, and counted as finished. */
static int ask(int32_t type, struct buffer *record)
{
    struct request *request = core_request_from(cnxn, 7, type, record);
    server_cnxn_request_received(cnxn, 7);
    atomic_store(&core.requests_in_process, 1);
    bool passes = eager_acl_check_passes(&core, request);
    ck_assert_int_eq(atomic_load(&core.requests_in_process), passes);
    request_unref(request);
    if (passes)
        return ZK_OK;
    server_cnxn_factory_flush(cnxn_factory);
    int err = raw_client_receive(&client, 7);
    ck_assert_int_eq(client.header.zxid, 0);
    return err;
}

static int ask_path(int32_t type, const char *path)
{
    struct buffer record = {0};
    if (type == OP_DELETE)
        write_delete(&record, path);
    else if (type == OP_SET_DATA)
        write_set_data(&record, path);
    else if (type == OP_SET_ACL)
        write_set_acl(&record, path, core_acl(PERM_ALL));
    else
        write_create(&record, path, core_acl(PERM_ALL));
    return ask(type, &record);
}

static const struct {
    const char *fact;
    int32_t type;
    const char *path;
    int err;
} checks[] = {
    {"create asks the parent", OP_CREATE, "/read/a", ZK_NO_AUTH},
    {"so does create2", OP_CREATE2, "/read/a", ZK_NO_AUTH},
    {"a parent that permits", OP_CREATE, "/open/a", ZK_OK},
    {"at the root", OP_CREATE, "/a", ZK_OK},
    {"createTTL is not looked at, as in Java", OP_CREATE_TTL, "/read/a", ZK_OK},
    {"delete asks the parent", OP_DELETE, "/read/child", ZK_NO_AUTH},
    {"and not the node", OP_DELETE, "/read", ZK_OK},
    {"setData asks the node", OP_SET_DATA, "/read", ZK_NO_AUTH},
    {"one that permits", OP_SET_DATA, "/read/child", ZK_OK},
    {"setACL asks the node", OP_SET_ACL, "/read", ZK_NO_AUTH},
    {"what is not there is the leader's to say", OP_SET_DATA, "/nothing", ZK_OK},
    {"so is a parent that is not there", OP_CREATE, "/nothing/a", ZK_OK},
    {"and a path that is none", OP_CREATE, "nonsense", ZK_OK},
    {"special nodes are refused by the leader in its own words", OP_DELETE, "/zookeeper/config", ZK_OK},
    {"reads are none of its business", OP_GET_DATA, "/read", ZK_OK},
};

START_TEST(it_is_as_told)
{
    ck_assert_msg(ask_path(checks[_i].type, checks[_i].path) == checks[_i].err, "%s", checks[_i].fact);
}
END_TEST

START_TEST(an_acl_that_is_none_is_refused)
{
    static struct zk_acl nonsense = {PERM_ALL, {{"nobody", 6}, {"knows", 5}}};
    static const struct zk_acl_vector acl = {&nonsense, 1}, none = {NULL, 0};
    struct buffer record = {0};
    write_create(&record, "/open/a", &acl);
    ck_assert_int_eq(ask(OP_CREATE, &record), ZK_INVALID_ACL);
    write_create(&record, "/open/a", &none);
    ck_assert_int_eq(ask(OP_CREATE, &record), ZK_INVALID_ACL);
    write_set_acl(&record, "/open", &acl);
    ck_assert_int_eq(ask(OP_SET_ACL, &record), ZK_INVALID_ACL);
}
END_TEST

START_TEST(what_cannot_be_read_passes)
{
    struct buffer record = {0};
    jute_write_int32(&record, 1000);
    ck_assert_int_eq(ask(OP_SET_DATA, &record), ZK_OK);
}
END_TEST

START_TEST(without_the_option_or_a_client_everything_passes)
{
    struct buffer record = {0};
    write_set_data(&record, "/read");
    struct request *request = core_request(OP_SET_DATA, &record);    /* of an observer behind this server */
    ck_assert(eager_acl_check_passes(&core, request));
    request_unref(request);
    core_options.enable_eager_acl_check = false;
    ck_assert_int_eq(ask_path(OP_SET_DATA, "/read"), ZK_OK);
}
END_TEST

START_TEST(skip_acl_skips_it)
{
    core.skip_acl = true;
    ck_assert_int_eq(ask_path(OP_SET_DATA, "/read"), ZK_OK);
}
END_TEST

static Suite *eager_acl_check_suite(void)
{
    Suite *suite = suite_create("eager_acl_check");
    TCase *tcase = tcase_create("eager_acl_check");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_loop_test(tcase, it_is_as_told, 0, (int)(sizeof checks / sizeof checks[0]));
    tcase_add_test(tcase, an_acl_that_is_none_is_refused);
    tcase_add_test(tcase, what_cannot_be_read_passes);
    tcase_add_test(tcase, without_the_option_or_a_client_everything_passes);
    tcase_add_test(tcase, skip_acl_skips_it);
    suite_add_tcase(suite, tcase);
    return suite;
}

CHECK_MAIN(eager_acl_check_suite)
