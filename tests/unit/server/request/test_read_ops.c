/* Everything that is answered from the tree: what each operation replies, and how it fails. */
#include "server/request/read_ops.h"

#include <string.h>

#include "common/base/memory.h"
#include "server/watch/watch_manager.h"
#include "tests/unit/server/cnxn/cnxn_test.h"
#include "tests/unit/server/request/core_test.h"

static struct raw_client client;
static struct server_cnxn *cnxn;
static struct reply reply;
static struct buffer record;

static void set_up(void)
{
    core_set_up();
    cnxn_set_up();
    cnxn_start(0);
    raw_client_init(&client);
    cnxn_join(&client);
    cnxn = cnxn_only();
    server_cnxn_set_session_id(cnxn, CORE_SESSION);
    core_make("/a", "data", NULL, 0);
    core_make("/a/x", "", NULL, 0);
    core_make("/a/y", "", NULL, 0);
    core_make("/a/x/z", NULL, NULL, 0);
    core_make("/secret", "hidden", core_acl(PERM_WRITE), 0);
    core_make("/secret/child", "", NULL, 0);
    core_make("/e", "", NULL, CORE_SESSION);
    core_make("/a/e", "", NULL, CORE_SESSION);
}

static void tear_down(void)
{
    reply_release(&reply);
    buffer_release(&record);
    server_cnxn_unref(cnxn);
    raw_client_release(&client);
    cnxn_tear_down();
    core_tear_down();
}

/* Runs the operation on what stands in `record`; the body, as one piece, is in `body`. */
static struct buffer body;
static int run(int32_t type)
{
    struct request *request = core_request_from(cnxn, 1, type, &record);
    const struct read_op_row *row = read_op_find(type);
    ck_assert_ptr_nonnull(row);
    reply_clear(&reply);
    int err = row->run(&core, request, &reply);
    buffer_clear(&body);
    buffer_append(&body, reply.head.bytes, reply.head.size);
    if (reply.blob != NULL)
        buffer_append(&body, reply.blob->bytes, reply.blob->size);
    buffer_append(&body, reply.tail.bytes, reply.tail.size);
    request_unref(request);
    return err;
}

static int run_path(int32_t type, const char *path)
{
    jute_write_string(&record, path);
    return run(type);
}

static int run_watch(int32_t type, const char *path, bool watch)
{
    jute_write_string(&record, path);
    jute_write_boolean(&record, watch);
    return run(type);
}

static int run_typed(int32_t type, const char *path, int32_t number)
{
    jute_write_string(&record, path);
    jute_write_int32(&record, number);
    return run(type);
}

static struct arena arena;
static struct jute_reader reader(void)
{
    struct jute_reader in;
    jute_reader_init(&in, body.bytes, body.size, &arena);
    return in;
}

static void assert_read(const struct jute_reader *in)
{
    ck_assert_int_eq(jute_error(in), ZK_OK);
    ck_assert_uint_eq(jute_left(in), 0);
    arena_release(&arena);
    arena = (struct arena){0};
}

/* ---- failures ---- */

static const struct {
    int32_t type;
    const char *path;
    int err;
} failures[] = {
    {OP_EXISTS, NULL, ZK_MARSHALLING_ERROR},
    {OP_EXISTS, "/missing", ZK_NO_NODE},
    {OP_EXISTS, "/secret", ZK_NO_AUTH},
    {OP_GET_DATA, NULL, ZK_MARSHALLING_ERROR},
    {OP_GET_DATA, "/missing", ZK_NO_NODE},
    {OP_GET_DATA, "/secret", ZK_NO_AUTH},
    {OP_GET_DATA, "no path", ZK_NO_NODE},
    {OP_GET_CHILDREN, NULL, ZK_MARSHALLING_ERROR},
    {OP_GET_CHILDREN, "/missing", ZK_NO_NODE},
    {OP_GET_CHILDREN, "/secret", ZK_NO_AUTH},
    {OP_GET_CHILDREN2, NULL, ZK_MARSHALLING_ERROR},
    {OP_GET_CHILDREN2, "/missing", ZK_NO_NODE},
    {OP_GET_CHILDREN2, "/secret", ZK_NO_AUTH},
    {OP_GET_ACL, NULL, ZK_MARSHALLING_ERROR},
    {OP_GET_ACL, "/missing", ZK_NO_NODE},
    {OP_GET_ACL, "/secret", ZK_NO_AUTH},
    {OP_GET_ALL_CHILDREN_NUMBER, NULL, ZK_MARSHALLING_ERROR},
    {OP_GET_ALL_CHILDREN_NUMBER, "/missing", ZK_NO_NODE},
    {OP_GET_ALL_CHILDREN_NUMBER, "/secret", ZK_NO_AUTH},
};
START_TEST(reads_fail_as_java_s)
{
    bool has_watch = failures[_i].type != OP_GET_ACL && failures[_i].type != OP_GET_ALL_CHILDREN_NUMBER;
    int err = has_watch ? run_watch(failures[_i].type, failures[_i].path, false)
                        : run_path(failures[_i].type, failures[_i].path);
    ck_assert_msg(err == failures[_i].err, "%s %s: %s", op_code_name(failures[_i].type), failures[_i].path,
                  error_name(err));
}
END_TEST

static const int32_t with_record[] = {
    OP_EXISTS, OP_GET_DATA, OP_GET_CHILDREN, OP_GET_CHILDREN2, OP_GET_ACL, OP_GET_ALL_CHILDREN_NUMBER,
    OP_GET_EPHEMERALS, OP_MULTI_READ, OP_SYNC, OP_SET_WATCHES, OP_SET_WATCHES2, OP_ADD_WATCH, OP_CHECK_WATCHES,
    OP_REMOVE_WATCHES,
};
START_TEST(a_record_cut_short_is_told_of)
{
    ck_assert_int_eq(run(with_record[_i]), ZK_MARSHALLING_ERROR);
    buffer_append(&record, "\0\0\0\11/a", 6);
    ck_assert_int_eq(run(with_record[_i]), ZK_MARSHALLING_ERROR);
    buffer_append(&record, "\177\377\377\377", 4);
    ck_assert_int_eq(run(with_record[_i]), ZK_MARSHALLING_ERROR);
}
END_TEST

START_TEST(exists_refuses_a_null_character)
{
    jute_write_ustring(&record, (struct ustring){"/\0", 2});
    jute_write_boolean(&record, false);
    ck_assert_int_eq(run(OP_EXISTS), ZK_BAD_ARGUMENTS);
}
END_TEST

/* ---- nodes ---- */

START_TEST(exists_gives_the_stat)
{
    struct zk_stat stat;
    ck_assert_int_eq(run_watch(OP_EXISTS, "/a", false), ZK_OK);
    struct jute_reader in = reader();
    jute_read_zk_stat(&in, &stat);
    assert_read(&in);
    ck_assert_int_eq(stat.data_length, 4);
    ck_assert_int_eq(stat.num_children, 3);
}
END_TEST

START_TEST(get_data_gives_data_and_stat)
{
    struct get_data_response response;
    ck_assert_int_eq(run_watch(OP_GET_DATA, "/a", false), ZK_OK);
    struct jute_reader in = reader();
    jute_read_get_data_response(&in, &response);
    ck_assert_int_eq(response.data.size, 4);
    ck_assert_mem_eq(response.data.bytes, "data", 4);
    ck_assert_int_eq(response.stat.num_children, 3);
    assert_read(&in);
    ck_assert_int_eq(run_watch(OP_GET_DATA, "/a/x/z", false), ZK_OK);
    in = reader();
    jute_read_get_data_response(&in, &response);
    ck_assert_int_eq(response.data.size, -1);
    assert_read(&in);
}
END_TEST

START_TEST(get_children_gives_names)
{
    struct get_children_response names;
    struct get_children2_response names_and_stat;
    ck_assert_int_eq(run_watch(OP_GET_CHILDREN, "/a", false), ZK_OK);
    struct jute_reader in = reader();
    jute_read_get_children_response(&in, &names);
    ck_assert_int_eq(names.children.count, 3);
    assert_read(&in);
    ck_assert_int_eq(run_watch(OP_GET_CHILDREN2, "/a/x", false), ZK_OK);
    in = reader();
    jute_read_get_children2_response(&in, &names_and_stat);
    ck_assert_int_eq(names_and_stat.children.count, 1);
    ck_assert(ustring_is(names_and_stat.children.items[0], "z"));
    ck_assert_int_eq(names_and_stat.stat.num_children, 1);
    assert_read(&in);
    ck_assert_int_eq(run_watch(OP_GET_CHILDREN, "/e", false), ZK_OK);
    in = reader();
    ck_assert_int_eq(jute_read_int32(&in), 0);
    assert_read(&in);
}
END_TEST

START_TEST(get_acl_masks_digests_unless_one_administers_the_node)
{
    struct zk_acl items[] = {{PERM_READ, {ustring_of("world"), ustring_of("anyone")}},
                             {PERM_ALL, {ustring_of("digest"), ustring_of("me:c2VjcmV0")}}};
    struct zk_acl_vector acl = {items, 2};
    core_make("/digest", "", &acl, 0);
    struct get_acl_response response;
    ck_assert_int_eq(run_path(OP_GET_ACL, "/digest"), ZK_OK);
    struct jute_reader in = reader();
    jute_read_get_acl_response(&in, &response);
    ck_assert_int_eq(response.acl.count, 2);
    ck_assert(ustring_is(response.acl.items[1].id.id, "me:x"));
    assert_read(&in);
    items[0].perms = PERM_ADMIN;
    core_make("/admin", "", &acl, 0);
    ck_assert_int_eq(run_path(OP_GET_ACL, "/admin"), ZK_OK);
    in = reader();
    jute_read_get_acl_response(&in, &response);
    ck_assert(ustring_is(response.acl.items[1].id.id, "me:c2VjcmV0"));
    assert_read(&in);
}
END_TEST

START_TEST(all_children_are_counted)
{
    ck_assert_int_eq(run_path(OP_GET_ALL_CHILDREN_NUMBER, "/a"), ZK_OK);
    struct jute_reader in = reader();
    ck_assert_int_eq(jute_read_int32(&in), 4);
    assert_read(&in);
}
END_TEST

static const struct {
    const char *prefix;
    int32_t count;
} prefixes[] = {{"/", 2}, {"", 2}, {"  ", 2}, {" / ", 2}, {NULL, 2}, {"/a", 1}, {"/a/e", 1}, {"/b", 0}, {"e", 0}};
START_TEST(ephemerals_of_the_session_are_those_with_the_prefix)
{
    struct get_ephemerals_response response;
    ck_assert_int_eq(run_path(OP_GET_EPHEMERALS, prefixes[_i].prefix), ZK_OK);
    struct jute_reader in = reader();
    jute_read_get_ephemerals_response(&in, &response);
    ck_assert_int_eq(response.ephemerals.count, prefixes[_i].count);
    assert_read(&in);
}
END_TEST

/* ---- multiRead ---- */

static struct multi_op get_data(const char *path)
{
    return (struct multi_op){.type = OP_GET_DATA, .request.get_data = {ustring_of(path), false}};
}

static struct multi_op get_children(const char *path)
{
    return (struct multi_op){.type = OP_GET_CHILDREN, .request.get_children = {ustring_of(path), false}};
}

static int run_multi_read(struct multi_op *items, int32_t count)
{
    struct multi_ops ops = {.items = items, .count = count};
    multi_write_ops(&record, &ops);
    return run(OP_MULTI_READ);
}

static void assert_header(struct jute_reader *in, int32_t type, int32_t err, bool done)
{
    struct multi_header header;
    jute_read_multi_header(in, &header);
    ck_assert_int_eq(header.type, type);
    ck_assert_int_eq(header.err, err);
    ck_assert(header.done == done);
}

START_TEST(multi_read_gives_each_its_result_or_its_error)
{
    struct multi_op ops[] = {get_data("/a"), get_data("/missing"), get_children("/a/x"), get_data("/secret"),
                             get_data("/a/x/z")};
    struct zk_stat stat;
    ck_assert_int_eq(run_multi_read(ops, ARRAY_SIZE(ops)), ZK_OK);
    struct jute_reader in = reader();
    assert_header(&in, OP_GET_DATA, ZK_OK, false);
    ck_assert_int_eq(jute_read_buffer(&in).size, 4);
    jute_read_zk_stat(&in, &stat);
    assert_header(&in, OP_ERROR, ZK_NO_NODE, false);
    ck_assert_int_eq(jute_read_int32(&in), ZK_NO_NODE);
    assert_header(&in, OP_GET_CHILDREN, ZK_OK, false);
    ck_assert_int_eq(jute_read_ustring_vector(&in).count, 1);
    assert_header(&in, OP_ERROR, ZK_NO_AUTH, false);
    ck_assert_int_eq(jute_read_int32(&in), ZK_NO_AUTH);
    assert_header(&in, OP_GET_DATA, ZK_OK, false);
    ck_assert_int_eq(jute_read_buffer(&in).size, -1);
    jute_read_zk_stat(&in, &stat);
    assert_header(&in, -1, -1, true);
    assert_read(&in);
}
END_TEST

START_TEST(multi_read_takes_no_writes)
{
    struct multi_op write[] = {{.type = OP_DELETE, .request.remove = {ustring_of("/a"), -1}}};
    ck_assert_int_eq(run_multi_read(write, 1), ZK_MARSHALLING_ERROR);
    struct multi_op null_path[] = {get_data("/a"), get_data(NULL)};
    ck_assert_int_eq(run_multi_read(null_path, 2), ZK_MARSHALLING_ERROR);
    ck_assert_int_eq(run_multi_read(NULL, 0), ZK_OK);
}
END_TEST

/* ---- watches ---- */

static size_t watch_count(void)
{
    return data_tree_watch_count(zk_database_tree(core.database));
}

START_TEST(reads_leave_watches_if_they_succeed)
{
    ck_assert_int_eq(run_watch(OP_GET_DATA, "/missing", true), ZK_NO_NODE);
    ck_assert_int_eq(run_watch(OP_GET_DATA, "/secret", true), ZK_NO_AUTH);
    ck_assert_uint_eq(watch_count(), 0);
    ck_assert_int_eq(run_watch(OP_EXISTS, "/missing", true), ZK_NO_NODE);    /* it waits for the node */
    ck_assert_int_eq(run_watch(OP_GET_DATA, "/a", true), ZK_OK);
    ck_assert_int_eq(run_watch(OP_GET_CHILDREN, "/a", true), ZK_OK);
    ck_assert_uint_eq(watch_count(), 3);
    core_make("/a/new", "", NULL, 0);
    core_make("/missing", "", NULL, 0);
    server_cnxn_factory_flush(cnxn_factory);
    struct raw_event event;
    ck_assert_int_eq(raw_client_wait_event(&client, &event), ZK_OK);
    ck_assert_int_eq(event.type, EVENT_NODE_CHILDREN_CHANGED);
    ck_assert_str_eq(event.path, "/a");
    ck_assert_int_eq(raw_client_wait_event(&client, &event), ZK_OK);
    ck_assert_int_eq(event.type, EVENT_NODE_CREATED);
    ck_assert_str_eq(event.path, "/missing");
    ck_assert_uint_eq(watch_count(), 1);
}
END_TEST

START_TEST(watches_are_added_checked_and_removed)
{
    ck_assert_int_eq(run_typed(OP_ADD_WATCH, "/a", 2), ZK_MARSHALLING_ERROR);
    ck_assert_int_eq(run_typed(OP_ADD_WATCH, "/a", -1), ZK_MARSHALLING_ERROR);
    ck_assert_int_eq(run_typed(OP_ADD_WATCH, "/a", 0), ZK_OK);
    ck_assert_uint_eq(body.size, 4);
    ck_assert_int_eq(run_typed(OP_ADD_WATCH, "/r", 1), ZK_OK);
    ck_assert_int_eq(run_typed(OP_CHECK_WATCHES, "/a", 0), ZK_MARSHALLING_ERROR);
    ck_assert_int_eq(run_typed(OP_CHECK_WATCHES, "/a", 6), ZK_MARSHALLING_ERROR);
    ck_assert_int_eq(run_typed(OP_CHECK_WATCHES, "/a", 4), ZK_OK);
    ck_assert(!reply.has_body);
    ck_assert_int_eq(run_typed(OP_CHECK_WATCHES, "/a", 5), ZK_NO_WATCHER);
    ck_assert_int_eq(run_typed(OP_CHECK_WATCHES, "/r", 5), ZK_OK);
    ck_assert_int_eq(run_typed(OP_REMOVE_WATCHES, "/a", 0), ZK_MARSHALLING_ERROR);
    ck_assert_int_eq(run_typed(OP_REMOVE_WATCHES, "/a", 5), ZK_NO_WATCHER);
    ck_assert_int_eq(run_typed(OP_REMOVE_WATCHES, "/a", 4), ZK_OK);
    ck_assert_int_eq(run_typed(OP_REMOVE_WATCHES, "/a", 3), ZK_NO_WATCHER);
    ck_assert_int_eq(run_typed(OP_REMOVE_WATCHES, "/r", 3), ZK_OK);
    ck_assert_uint_eq(watch_count(), 0);
}
END_TEST

static void write_paths(const char *const *paths, int32_t count)
{
    jute_write_int32(&record, count);
    for (int32_t i = 0; i < count; i++)
        jute_write_string(&record, paths[i]);
}

START_TEST(set_watches_adds_again_and_tells_what_happened)
{
    static const char *const gone[] = {"/gone", "/a"};
    int64_t zxid = atomic_load(&core.zxid);
    jute_write_int64(&record, zxid);
    write_paths(gone, 2);
    write_paths(NULL, 0);
    write_paths(NULL, 0);
    ck_assert_int_eq(run(OP_SET_WATCHES), ZK_OK);
    ck_assert(!reply.has_body);
    server_cnxn_factory_flush(cnxn_factory);
    struct raw_event event;
    ck_assert_int_eq(raw_client_wait_event(&client, &event), ZK_OK);
    ck_assert_int_eq(event.type, EVENT_NODE_DELETED);
    ck_assert_str_eq(event.path, "/gone");
    ck_assert_uint_eq(watch_count(), 1);
}
END_TEST

START_TEST(set_watches2_goes_on_until_a_list_is_null)
{
    static const char *const paths[] = {"/a"};
    jute_write_int64(&record, atomic_load(&core.zxid));
    write_paths(NULL, 0);
    write_paths(NULL, 0);
    write_paths(NULL, 0);
    write_paths(paths, 1);
    write_paths(paths, 1);
    ck_assert_int_eq(run(OP_SET_WATCHES2), ZK_OK);
    ck_assert_int_eq(run_typed(OP_REMOVE_WATCHES, "/a", 3), ZK_OK);
    jute_write_int64(&record, atomic_load(&core.zxid));
    write_paths(paths, 1);
    jute_write_int32(&record, -1);
    write_paths(NULL, 0);
    write_paths(paths, 1);
    write_paths(NULL, 0);
    ck_assert_int_eq(run(OP_SET_WATCHES2), ZK_MARSHALLING_ERROR);
    ck_assert_int_eq(run_typed(OP_CHECK_WATCHES, "/a", 2), ZK_OK);
    ck_assert_int_eq(run_typed(OP_CHECK_WATCHES, "/a", 4), ZK_NO_WATCHER);
}
END_TEST

/* ---- the rest ---- */

START_TEST(sync_gives_the_path_back_and_ping_nothing)
{
    ck_assert_int_eq(run_path(OP_SYNC, "/any"), ZK_OK);
    ck_assert_uint_eq(body.size, 8);
    ck_assert_mem_eq(body.bytes, "\0\0\0\4/any", 8);
    ck_assert_int_eq(run(OP_PING), ZK_OK);
    ck_assert(!reply.has_body);
}
END_TEST

START_TEST(who_am_i_names_scheme_and_user)
{
    struct who_am_i_response response;
    ck_assert_int_eq(run(OP_WHO_AM_I), ZK_OK);
    struct jute_reader in = reader();
    jute_read_who_am_i_response(&in, &response);
    ck_assert_int_eq(response.client_info.count, 1);
    ck_assert(ustring_is(response.client_info.items[0].auth_scheme, "ip"));
    ck_assert(ustring_is(response.client_info.items[0].user, "127.0.0.1"));
    assert_read(&in);
}
END_TEST

static const struct {
    int32_t type;
    const char *last_op;
} names[] = {
    {OP_PING, "PING"},           {OP_EXISTS, "EXIS"},       {OP_GET_DATA, "GETD"},  {OP_GET_CHILDREN, "GETC"},
    {OP_GET_CHILDREN2, "GETC"},  {OP_GET_ACL, "GETA"},      {OP_SYNC, "SYNC"},      {OP_SET_WATCHES, "SETW"},
    {OP_SET_WATCHES2, "STW2"},   {OP_ADD_WATCH, "ADDW"},    {OP_MULTI_READ, "MLTR"}, {OP_WHO_AM_I, "HOMI"},
    {OP_GET_EPHEMERALS, "GETE"}, {OP_CHECK_WATCHES, "CHKW"}, {OP_REMOVE_WATCHES, "REMW"},
    {OP_GET_ALL_CHILDREN_NUMBER, "GETACN"},
};
START_TEST(cons_shows_javas_names)
{
    ck_assert_str_eq(read_op_find(names[_i].type)->last_op, names[_i].last_op);
    ck_assert_ptr_null(read_op_find(OP_CREATE));
    ck_assert_ptr_null(read_op_find(12345));
}
END_TEST

static void tear_down_buffers(void)
{
    buffer_release(&body);
    arena_release(&arena);
    tear_down();
}

static Suite *read_ops_suite(void)
{
    Suite *suite = suite_create("read_ops");
    TCase *tcase = tcase_create("read_ops");
    tcase_add_checked_fixture(tcase, set_up, tear_down_buffers);
    tcase_add_loop_test(tcase, reads_fail_as_java_s, 0, ARRAY_SIZE(failures));
    tcase_add_loop_test(tcase, a_record_cut_short_is_told_of, 0, ARRAY_SIZE(with_record));
    tcase_add_test(tcase, exists_refuses_a_null_character);
    tcase_add_test(tcase, exists_gives_the_stat);
    tcase_add_test(tcase, get_data_gives_data_and_stat);
    tcase_add_test(tcase, get_children_gives_names);
    tcase_add_test(tcase, get_acl_masks_digests_unless_one_administers_the_node);
    tcase_add_test(tcase, all_children_are_counted);
    tcase_add_loop_test(tcase, ephemerals_of_the_session_are_those_with_the_prefix, 0, ARRAY_SIZE(prefixes));
    tcase_add_test(tcase, multi_read_gives_each_its_result_or_its_error);
    tcase_add_test(tcase, multi_read_takes_no_writes);
    tcase_add_test(tcase, reads_leave_watches_if_they_succeed);
    tcase_add_test(tcase, watches_are_added_checked_and_removed);
    tcase_add_test(tcase, set_watches_adds_again_and_tells_what_happened);
    tcase_add_test(tcase, set_watches2_goes_on_until_a_list_is_null);
    tcase_add_test(tcase, sync_gives_the_path_back_and_ping_nothing);
    tcase_add_test(tcase, who_am_i_names_scheme_and_user);
    tcase_add_loop_test(tcase, cons_shows_javas_names, 0, ARRAY_SIZE(names));
    suite_add_tcase(suite, tcase);
    return suite;
}

CHECK_MAIN(read_ops_suite)
