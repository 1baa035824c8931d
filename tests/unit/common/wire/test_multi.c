/* test_multi.c - multi framing against Java's bytes, and what Java refuses while it reads one. */
#include "common/wire/multi.h"

#include <stdio.h>

#include "common/base/memory.h"
#include "common/wire/acl.h"
#include "tests/lib/check_main.h"

static const char writes_hex[] =
    "0000000100ffffffff000000022f610000000178000000010000001f00000005776f726c6400000006616e796f6e65000000000000001300"
    "ffffffff000000022f63ffffffff000000010000001f00000005776f726c6400000006616e796f6e65000000040000001500ffffffff0000"
    "00022f7400000000000000010000001f00000005776f726c6400000006616e796f6e650000000500000000000000050000000200ffffffff"
    "000000022f64000000030000000500ffffffff000000022f7300000002797affffffff0000000d00ffffffff000000022f6b00000007ffff"
    "ffff01ffffffff";
static const char reads_hex[] =
    "0000000400ffffffff000000022f61000000000800ffffffff000000022f6200ffffffff01ffffffff";
static const char none_hex[] = "ffffffff01ffffffff";
static const char response_hex[] =
    "000000010000000000000000022f610000000200000000000000000d0000000000ffffffff00ffffff9bffffff9bffffffff01ffffffff";

static struct arena arena;

static void set_up(void)
{
    arena_init(&arena, NULL, 0);
}

static void tear_down(void)
{
    arena_release(&arena);
}

static char *hex_of(const struct buffer *bytes)
{
    char *hex = arena_alloc(&arena, bytes->size * 2 + 1);
    hex[0] = '\0';
    for (size_t i = 0; i < bytes->size; i++)
        snprintf(hex + 2 * i, 3, "%02x", bytes->bytes[i]);
    return hex;
}

static struct buffer unhex(const char *hex)
{
    struct buffer bytes = {0};
    unsigned value;
    for (; *hex != '\0'; hex += 2) {
        ck_assert_int_eq(sscanf(hex, "%2x", &value), 1);
        buffer_append_byte(&bytes, (uint8_t)value);
    }
    return bytes;
}

/* Reads, and returns the reader's error. */
static int read_ops(const struct buffer *bytes, struct multi_ops *ret_ops)
{
    struct jute_reader reader;
    jute_reader_init(&reader, bytes->bytes, bytes->size, &arena);
    multi_read_ops(&reader, ret_ops);
    return jute_error(&reader);
}

static const char *const javas[] = {writes_hex, reads_hex, none_hex};
START_TEST(what_java_wrote_is_read_and_written_again)
{
    struct multi_ops ops;
    struct buffer bytes = unhex(javas[_i]), again = {0};
    ck_assert_int_eq(read_ops(&bytes, &ops), ZK_OK);
    multi_write_ops(&again, &ops);
    ck_assert_str_eq(hex_of(&again), javas[_i]);
    buffer_release(&bytes);
    buffer_release(&again);
}
END_TEST

START_TEST(operations_have_type_and_path)
{
    static const struct {
        int32_t type;
        const char *path;
    } expected[] = {{OP_CREATE, "/a"}, {OP_CREATE_CONTAINER, "/c"}, {OP_CREATE_TTL, "/t"},
                    {OP_DELETE, "/d"}, {OP_SET_DATA, "/s"},         {OP_CHECK, "/k"}};
    struct multi_ops ops;
    struct buffer bytes = unhex(writes_hex);
    ck_assert_int_eq(read_ops(&bytes, &ops), ZK_OK);
    ck_assert_int_eq(ops.count, (int)ARRAY_SIZE(expected));
    for (int32_t i = 0; i < ops.count; i++) {
        ck_assert_int_eq(ops.items[i].type, expected[i].type);
        ck_assert(ustring_is(multi_op_path(&ops.items[i]), expected[i].path));
    }
    ck_assert_int_eq(ops.items[2].request.create_ttl.ttl, 5);
    ck_assert_int_eq(ops.items[1].request.create.data.size, -1);
    buffer_release(&bytes);
}
END_TEST

START_TEST(a_response_is_written_as_java_writes_it)
{
    struct buffer out = {0};
    const struct create_response create = {ustring_of("/a")};
    multi_write_result_header(&out, OP_CREATE, 0);
    jute_write_create_response(&out, &create);
    multi_write_result_header(&out, OP_DELETE, 0);
    multi_write_result_header(&out, OP_CHECK, 0);
    multi_write_error_result(&out, ZK_NO_NODE);
    multi_write_end(&out);
    ck_assert_str_eq(hex_of(&out), response_hex);
    buffer_release(&out);
}
END_TEST

static void write_create(struct buffer *out, int32_t type, int32_t flags, struct zk_acl_vector acl)
{
    const struct multi_header header = {type, false, -1};
    jute_write_multi_header(out, &header);
    if (type == OP_CREATE_TTL) {
        const struct create_ttl_request request = {ustring_of("/n"), {NULL, -1}, acl, flags, 7};
        jute_write_create_ttl_request(out, &request);
    } else {
        const struct create_request request = {ustring_of("/n"), {NULL, -1}, acl, flags};
        jute_write_create_request(out, &request);
    }
}

static const struct {
    const char *fact;
    int32_t type, flags;
    int error;
    int32_t becomes;
} creates[] = {
    {"a create stays one", OP_CREATE, CREATE_EPHEMERAL_SEQUENTIAL, ZK_OK, OP_CREATE},
    {"a create2 stays one", OP_CREATE2, CREATE_PERSISTENT, ZK_OK, OP_CREATE2},
    {"a create of a container is a createContainer", OP_CREATE, CREATE_CONTAINER, ZK_OK, OP_CREATE_CONTAINER},
    {"a create2 of a container too", OP_CREATE2, CREATE_CONTAINER, ZK_OK, OP_CREATE_CONTAINER},
    {"a createContainer of a plain node stays one", OP_CREATE_CONTAINER, CREATE_PERSISTENT, ZK_OK, OP_CREATE_CONTAINER},
    {"a create has no mode 7", OP_CREATE, 7, ZK_MARSHALLING_ERROR, 0},
    {"a create has no mode -1", OP_CREATE2, -1, ZK_MARSHALLING_ERROR, 0},
    {"a create knows no time to live", OP_CREATE, CREATE_PERSISTENT_WITH_TTL, ZK_MARSHALLING_ERROR, 0},
    {"a createTTL stays one", OP_CREATE_TTL, CREATE_PERSISTENT_SEQUENTIAL_WITH_TTL, ZK_OK, OP_CREATE_TTL},
    {"a createTTL without one is a create", OP_CREATE_TTL, CREATE_EPHEMERAL, ZK_OK, OP_CREATE},
    {"a createTTL of a container is a createContainer", OP_CREATE_TTL, CREATE_CONTAINER, ZK_OK, OP_CREATE_CONTAINER},
    {"a createTTL of no mode is a create", OP_CREATE_TTL, 99, ZK_OK, OP_CREATE},
};
START_TEST(a_create_becomes_what_java_makes_of_it)
{
    struct buffer bytes = {0};
    struct multi_ops ops;
    write_create(&bytes, creates[_i].type, creates[_i].flags, acl_open_unsafe);
    multi_write_end(&bytes);
    ck_assert_msg(read_ops(&bytes, &ops) == creates[_i].error, "%s", creates[_i].fact);
    ck_assert(!ops.null_acl);
    if (creates[_i].error == ZK_OK) {
        ck_assert_msg(ops.items[0].type == creates[_i].becomes, "%s", creates[_i].fact);
        ck_assert(ustring_is(multi_op_path(&ops.items[0]), "/n"));
        if (creates[_i].becomes != OP_CREATE_TTL)
            ck_assert_int_eq(ops.items[0].request.create.flags, creates[_i].flags);
    }
    buffer_release(&bytes);
}
END_TEST

START_TEST(a_null_acl_is_an_error_of_its_own)
{
    const struct zk_acl_vector null_acl = {NULL, -1};
    struct buffer bytes = {0};
    struct multi_ops ops;
    write_create(&bytes, OP_CREATE, CREATE_PERSISTENT, null_acl);
    multi_write_end(&bytes);
    ck_assert_int_eq(read_ops(&bytes, &ops), ZK_MARSHALLING_ERROR);
    ck_assert(ops.null_acl);
    buffer_clear(&bytes);
    write_create(&bytes, OP_CREATE_TTL, CREATE_PERSISTENT_WITH_TTL, null_acl);
    multi_write_end(&bytes);
    ck_assert_int_eq(read_ops(&bytes, &ops), ZK_OK);
    buffer_release(&bytes);
}
END_TEST

static void write_delete(struct buffer *out, int32_t type)
{
    const struct multi_header header = {type, false, -1};
    const struct delete_request request = {ustring_of("/d"), -1};
    jute_write_multi_header(out, &header);
    jute_write_delete_request(out, &request);
}

static void write_get(struct buffer *out, bool watch)
{
    const struct multi_header header = {OP_GET_DATA, false, -1};
    const struct get_data_request request = {ustring_of("/g"), watch};
    jute_write_multi_header(out, &header);
    jute_write_get_data_request(out, &request);
}

START_TEST(reads_and_writes_do_not_mix)
{
    struct buffer bytes = {0};
    struct multi_ops ops;
    write_delete(&bytes, OP_DELETE);
    write_get(&bytes, false);
    multi_write_end(&bytes);
    ck_assert_int_eq(read_ops(&bytes, &ops), ZK_MARSHALLING_ERROR);
    buffer_clear(&bytes);
    write_get(&bytes, false);
    write_delete(&bytes, OP_DELETE);
    multi_write_end(&bytes);
    ck_assert_int_eq(read_ops(&bytes, &ops), ZK_MARSHALLING_ERROR);
    buffer_release(&bytes);
}
END_TEST

static const int32_t not_in_a_multi[] = {OP_EXISTS, OP_MULTI, OP_SET_ACL, OP_SYNC, OP_CLOSE_SESSION, OP_ERROR, 0,
                                         12345};
START_TEST(other_types_cannot_stand_in_a_multi)
{
    struct buffer bytes = {0};
    struct multi_ops ops;
    write_delete(&bytes, not_in_a_multi[_i]);
    multi_write_end(&bytes);
    ck_assert_int_eq(read_ops(&bytes, &ops), ZK_MARSHALLING_ERROR);
    buffer_release(&bytes);
}
END_TEST

START_TEST(a_watch_is_dropped_and_what_follows_the_end_ignored)
{
    struct buffer bytes = {0};
    struct multi_ops ops;
    write_get(&bytes, true);
    multi_write_end(&bytes);
    buffer_append_string(&bytes, "more");
    ck_assert_int_eq(read_ops(&bytes, &ops), ZK_OK);
    ck_assert_int_eq(ops.count, 1);
    ck_assert(!ops.items[0].request.get_data.watch);
    buffer_release(&bytes);
}
END_TEST

START_TEST(an_end_that_is_missing_is_an_error)
{
    struct buffer bytes = {0};
    struct multi_ops ops;
    for (int i = 0; i < 20; i++)
        write_delete(&bytes, OP_DELETE);
    ck_assert_int_eq(read_ops(&bytes, &ops), ZK_EOF);
    ck_assert_int_eq(ops.count, 20);
    buffer_clear(&bytes);
    ck_assert_int_eq(read_ops(&bytes, &ops), ZK_EOF);
    buffer_release(&bytes);
}
END_TEST

static Suite *multi_suite(void)
{
    Suite *suite = suite_create("multi");
    TCase *tcase = tcase_create("multi");
    suite_add_tcase(suite, tcase);
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_loop_test(tcase, what_java_wrote_is_read_and_written_again, 0, (int)ARRAY_SIZE(javas));
    tcase_add_test(tcase, operations_have_type_and_path);
    tcase_add_test(tcase, a_response_is_written_as_java_writes_it);
    tcase_add_loop_test(tcase, a_create_becomes_what_java_makes_of_it, 0, (int)ARRAY_SIZE(creates));
    tcase_add_test(tcase, a_null_acl_is_an_error_of_its_own);
    tcase_add_test(tcase, reads_and_writes_do_not_mix);
    tcase_add_loop_test(tcase, other_types_cannot_stand_in_a_multi, 0, (int)ARRAY_SIZE(not_in_a_multi));
    tcase_add_test(tcase, a_watch_is_dropped_and_what_follows_the_end_ignored);
    tcase_add_test(tcase, an_end_that_is_missing_is_an_error);
    return suite;
}

CHECK_MAIN(multi_suite)
