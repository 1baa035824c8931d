/* Nodes as lines of JSON and back. */
#include "client/cli/cli_record.h"

#include <string.h>

#include "client/cli/cli_acl.h"
#include "client/cli/cli_json.h"
#include "common/base/memory.h"
#include "common/base/strings.h"
#include "tests/lib/check_main.h"

static const struct {
    const char *fact, *path, *data;
    int32_t size;
    enum node_kind kind;
    int64_t ttl_ms, owner;
} nodes[] = {
    { "a text", "/a", "one\ntwo", 7, NODE_PERSISTENT, 0, 0 },
    { "no data", "/", NULL, -1, NODE_PERSISTENT, 0, 0 },
    { "data of no bytes", "/", "", 0, NODE_CONTAINER, 0, 0 },
    { "a zero in a text", "/a/b", "a\0b", 3, NODE_PERSISTENT, 0, 0 },
    { "bytes that are no text", "/a", "\xff\x00\xfe", 3, NODE_PERSISTENT, 0, 0 },
    { "one byte that is no text", "/a", "\x80", 1, NODE_PERSISTENT, 0, 0 },
    { "letters beyond ASCII", "/\xc3\xa4", "\xf0\x9f\x98\x80", 4, NODE_PERSISTENT, 0, 0 },
    { "control characters", "/a", "\x1b[2J\"\\", 6, NODE_PERSISTENT, 0, 0 },
    { "a TTL", "/t", "x", 1, NODE_TTL, 60000, 0 },
    { "an ephemeral node", "/e", "x", 1, NODE_EPHEMERAL, 0, 0x100000abcdef },
};

START_TEST(a_node_comes_back_as_it_was)
{
    struct record out = {.path = string_copy(nodes[_i].path), .data_size = nodes[_i].size, .kind = nodes[_i].kind,
                         .ttl_ms = nodes[_i].ttl_ms, .owner = nodes[_i].owner, .sequence = 42}, in = {0};
    const struct Stat stat = {.czxid = 1};
    struct buffer line = {0};
    struct error error = {0};
    enum record_line what;
    if (nodes[_i].size > 0)
        buffer_append(&out.data, nodes[_i].data, (size_t)nodes[_i].size);
    acl_list_add(&out.acl, "digest", "user:\xc3\xa4", 31);
    acl_list_add(&out.acl, "world", "anyone", 1);
    record_print(&out, &stat, &line);
    ck_assert_ptr_null(memchr(line.bytes, '\n', line.size));
    ck_assert_msg(record_parse((char *)line.bytes, line.size, &what, NULL, &in, &error) == ZK_OK, "%s: %s",
                  nodes[_i].fact, error.text);
    ck_assert_int_eq(what, RECORD_NODE);
    ck_assert_str_eq(in.path, out.path);
    ck_assert_int_eq(in.data_size, out.data_size);
    ck_assert_uint_eq(in.data.size, out.data.size);
    ck_assert_msg(in.data.size == 0 || memcmp(in.data.bytes, out.data.bytes, in.data.size) == 0, "%s", nodes[_i].fact);
    ck_assert_int_eq(in.kind, out.kind);
    ck_assert_int_eq(in.ttl_ms, out.ttl_ms);
    ck_assert_int_eq(in.owner, out.owner);
    ck_assert_int_eq(in.sequence, 42);
    ck_assert_int_eq(in.acl.count, 2);
    ck_assert_str_eq(in.acl.data[0].id.id, "user:\xc3\xa4");
    ck_assert_int_eq(in.acl.data[0].perms, 31);
    ck_assert_int_eq(in.acl.data[1].perms, 1);
    record_release(&in);
    record_release(&out);
    buffer_release(&line);
}
END_TEST

START_TEST(the_head_comes_back)
{
    struct buffer line = {0};
    enum record_line what;
    char *root = NULL;
    record_print_head("/app", 1767225600000, &line);
    ck_assert_str_eq(buffer_string(&line), "{\"zkc-export\":1,\"root\":\"/app\",\"time\":1767225600000}");
    ck_assert_int_eq(record_parse((char *)line.bytes, line.size, &what, &root, NULL, NULL), ZK_OK);
    ck_assert_int_eq(what, RECORD_HEAD);
    ck_assert_str_eq(root, "/app");
    memory_free(root);
    buffer_release(&line);
}
END_TEST

#define ACL "\"acl\":[{\"scheme\":\"world\",\"id\":\"anyone\",\"perms\":\"r\"}]"
static const struct { const char *line, *complaint; } bad_lines[] = {
    { "nonsense", "this is no JSON" },
    { "[1]", "this is no object" },
    { "{}", "path is missing" },
    { "{\"zkc-export\":2,\"root\":\"/\"}", "another format" },
    { "{\"zkc-export\":1}", "root is missing" },
    { "{\"path\":\"a\"}", "does not begin with /" },
    { "{\"path\":\"/a\\u0000b\"}", "does not begin with /" },
    { "{\"path\":\"/\",\"kind\":\"odd\"}", "kind is none of" },
    { "{\"path\":\"/\",\"kind\":\"ttl\",\"ttl\":0," ACL "}", "ttl is no number" },
    { "{\"path\":\"/\",\"kind\":\"persistent\"}", "acl is no list" },
    { "{\"path\":\"/\",\"kind\":\"persistent\",\"acl\":[]}", "acl is no list" },
    { "{\"path\":\"/\",\"kind\":\"persistent\",\"acl\":[{}]}", "an entry of acl" },
    { "{\"path\":\"/\",\"kind\":\"persistent\",\"data\":7," ACL "}", "neither a text nor null" },
    { "{\"path\":\"/\",\"kind\":\"persistent\",\"data64\":\"*\"," ACL "}", "data64" },
    { "{\"path\":\"/\",\"path\":\"/\"}", "this is no JSON" },
};

START_TEST(a_bad_line_is_told)
{
    struct record record = {0};
    struct error error = {0};
    enum record_line what;
    char *root = NULL;
    int err = record_parse(bad_lines[_i].line, strlen(bad_lines[_i].line), &what, &root, &record, &error);
    ck_assert_int_eq(err, ZK_BAD_ARGUMENTS);
    ck_assert_msg(strstr(error.text, bad_lines[_i].complaint) != NULL, "%s: %s", bad_lines[_i].line, error.text);
    ck_assert_ptr_null(root);
    ck_assert_ptr_null(record.path);
}
END_TEST

START_TEST(keys_of_a_later_release_are_passed_over)
{
    static const char line[] = "{\"path\":\"/a\",\"kind\":\"persistent\",\"data\":null,\"colour\":{\"red\":1}," ACL "}";
    struct record record = {0};
    enum record_line what;
    ck_assert_int_eq(record_parse(line, strlen(line), &what, NULL, &record, NULL), ZK_OK);
    ck_assert_int_eq(record.data_size, -1);
    record_release(&record);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("cli_record");
    TCase *tcase = tcase_create("cli_record");
    tcase_add_checked_fixture(tcase, json_use_our_memory, NULL);
    tcase_add_loop_test(tcase, a_node_comes_back_as_it_was, 0, ARRAY_SIZE(nodes));
    tcase_add_test(tcase, the_head_comes_back);
    tcase_add_loop_test(tcase, a_bad_line_is_told, 0, ARRAY_SIZE(bad_lines));
    tcase_add_test(tcase, keys_of_a_later_release_are_passed_over);
    suite_add_tcase(suite, tcase);
    return suite;
}
CHECK_MAIN(make_suite)
