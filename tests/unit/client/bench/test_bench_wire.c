/* test_bench_wire.c - requests as common/wire reads them, and answers as common/wire writes them, right and wrong. */
#include <string.h>

#include "client/bench/bench_reply.h"
#include "client/bench/bench_request.h"
#include "client/bench/bench_value.h"
#include "common/base/memory.h"
#include "common/wire/acl.h"
#include "common/wire/multi.h"
#include "common/wire/op_code.h"
#include "tests/lib/check_main.h"

static struct bench_plan plan = {.root = "/b", .root_size = 2, .token = 1, .nodes = 1003, .sessions = 1,
                                 .size_least = 10, .size_most = 20};
static uint8_t *pattern;
static const struct bench_subject subject = {.node = 1001, .session = 0, .number = 5, .stamp = 9, .size = 15};
static struct buffer frame;
static struct arena arena;
static struct jute_reader in;
static struct request_header header;

static void set_up(void)
{
    plan.pattern = pattern = bench_value_pattern_new(20);
}

static void tear_down(void)
{
    memory_free(pattern);
    buffer_release(&frame);
    arena_release(&arena);
}

static void ask(enum bench_op op, int32_t type)
{
    buffer_clear(&frame);
    buffer_append_string(&frame, "before");
    bench_request_write(&plan, op, 77, &subject, &frame);
    ck_assert_uint_eq(load_be32(frame.bytes + 6), frame.size - 10);
    jute_reader_init(&in, frame.bytes + 10, frame.size - 10, &arena);
    jute_read_request_header(&in, &header);
    ck_assert_int_eq(header.xid, 77);
    ck_assert_int_eq(header.type, type);
}

static void ask_end(void)
{
    ck_assert_int_eq(jute_error(&in), ZK_OK);
    ck_assert_uint_eq(jute_left(&in), 0);
}

START_TEST(reads_name_the_node)
{
    struct get_data_request read;
    struct exists_request exists;
    struct get_children2_request children;
    struct sync_request sync;
    ask(BENCH_OP_READ, OP_GET_DATA);
    jute_read_get_data_request(&in, &read);
    ask_end();
    ck_assert(ustring_is(read.path, "/b/00001/001") && !read.watch);
    ask(BENCH_OP_EXISTS, OP_EXISTS);
    jute_read_exists_request(&in, &exists);
    ask_end();
    ck_assert(ustring_is(exists.path, "/b/00001/001") && !exists.watch);
    ask(BENCH_OP_CHILDREN, OP_GET_CHILDREN2);
    jute_read_get_children2_request(&in, &children);
    ask_end();
    ck_assert(ustring_is(children.path, "/b/00001"));
    ask(BENCH_OP_SYNC, OP_SYNC);
    jute_read_sync_request(&in, &sync);
    ask_end();
    ck_assert(ustring_is(sync.path, "/b/00001/001"));
}
END_TEST

START_TEST(writes_bring_the_value)
{
    struct set_data_request write;
    struct create_request create;
    struct delete_request drop;
    ask(BENCH_OP_WRITE, OP_SET_DATA);
    jute_read_set_data_request(&in, &write);
    ask_end();
    ck_assert(ustring_is(write.path, "/b/00001/001"));
    ck_assert_int_eq(write.version, -1);
    ck_assert(write.data.size == 15 && bench_value_is_right(pattern, 1001, write.data.bytes, 15));
    ask(BENCH_OP_CREATE, OP_CREATE);
    jute_read_create_request(&in, &create);
    ask_end();
    ck_assert(ustring_is(create.path, "/b/s00000100000/0000000005") && create.data.size == 15 && create.flags == 0);
    ck_assert(acl_vector_equal(&create.acl, &acl_open_unsafe));
    ask(BENCH_OP_DELETE, OP_DELETE);
    jute_read_delete_request(&in, &drop);
    ask_end();
    ck_assert(ustring_is(drop.path, "/b/s00000100000/0000000005") && drop.version == -1);
}
END_TEST

START_TEST(a_multi_leaves_nothing_behind_but_a_value)
{
    struct multi_ops ops;
    ask(BENCH_OP_MULTI, OP_MULTI);
    multi_read_ops(&in, &ops);
    ask_end();
    ck_assert_int_eq(ops.count, 4);
    ck_assert_int_eq(ops.items[0].type, OP_CHECK);
    ck_assert_int_eq(ops.items[1].type, OP_SET_DATA);
    ck_assert_int_eq(ops.items[2].type, OP_CREATE);
    ck_assert_int_eq(ops.items[3].type, OP_DELETE);
    ck_assert(ustring_equal(multi_op_path(&ops.items[2]), multi_op_path(&ops.items[3])));
}
END_TEST

/* ---- answers ---- */

static const struct zk_stat good_stat = {.version = 3, .data_length = 15};

static enum bench_verdict check(enum bench_op op, int32_t *ret_version)
{
    return bench_reply_check(&plan, op, &subject, frame.bytes, frame.size, ret_version);
}

static void answer_data(uint32_t node, size_t size, int32_t length, int flip)
{
    uint8_t value[64];
    struct get_data_response response = {.data = {value, (int32_t)size}, .stat = {.version = 3, .data_length = length}};
    bench_value_write(pattern, node, 9, value, size);
    if (flip >= 0)
        value[flip] ^= 4;
    buffer_clear(&frame);
    jute_write_get_data_response(&frame, &response);
}

START_TEST(a_read_is_right_only_with_the_value_of_its_node)
{
    int32_t version;
    answer_data(1001, 15, 15, -1);
    ck_assert_int_eq(check(BENCH_OP_READ, &version), BENCH_VERDICT_RIGHT);
    ck_assert_int_eq(version, 3);
    answer_data(1002, 15, 15, -1);
    ck_assert_int_eq(check(BENCH_OP_READ, &version), BENCH_VERDICT_DATA);
    answer_data(1001, 15, 15, 12);
    ck_assert_int_eq(check(BENCH_OP_READ, &version), BENCH_VERDICT_DATA);
    answer_data(1001, 15, 16, -1);
    ck_assert_int_eq(check(BENCH_OP_READ, &version), BENCH_VERDICT_DATA);
    answer_data(1001, 9, 9, -1);
    ck_assert_int_eq(check(BENCH_OP_READ, &version), BENCH_VERDICT_DATA);
    for (answer_data(1001, 15, 15, -1); frame.size > 0; ) {
        frame.size--;
        ck_assert_int_eq(check(BENCH_OP_READ, &version), BENCH_VERDICT_SHAPE);
    }
}
END_TEST

START_TEST(a_stat_tells_version_and_length)
{
    static const enum bench_op ops[] = {BENCH_OP_WRITE, BENCH_OP_EXISTS};
    int32_t version;
    struct zk_stat stat = good_stat;
    for (size_t i = 0; i < ARRAY_SIZE(ops); i++) {
        buffer_clear(&frame);
        stat.data_length = 15;
        jute_write_zk_stat(&frame, &stat);
        ck_assert_int_eq(check(ops[i], &version), BENCH_VERDICT_RIGHT);
        ck_assert_int_eq(version, 3);
        frame.size--;
        ck_assert_int_eq(check(ops[i], &version), BENCH_VERDICT_SHAPE);
        buffer_clear(&frame);
        stat.data_length = 21;
        jute_write_zk_stat(&frame, &stat);
        ck_assert_int_eq(check(ops[i], &version), BENCH_VERDICT_DATA);
    }
}
END_TEST

/* The second directory has three nodes. */
static void answer_children(const char *const *names, int32_t count)
{
    struct ustring items[4];
    struct get_children2_response response = {.children = {items, count}, .stat = {.num_children = count}};
    for (int32_t i = 0; i < count; i++)
        items[i] = ustring_of(names[i]);
    buffer_clear(&frame);
    jute_write_get_children2_response(&frame, &response);
}

START_TEST(all_children_are_there_in_any_order)
{
    int32_t version;
    answer_children((const char *[]){"002", "000", "001"}, 3);
    ck_assert_int_eq(check(BENCH_OP_CHILDREN, &version), BENCH_VERDICT_RIGHT);
    frame.size--;
    ck_assert_int_eq(check(BENCH_OP_CHILDREN, &version), BENCH_VERDICT_SHAPE);
    answer_children((const char *[]){"002", "001"}, 2);
    ck_assert_int_eq(check(BENCH_OP_CHILDREN, &version), BENCH_VERDICT_DATA);
    answer_children((const char *[]){"002", "000", "003"}, 3);
    ck_assert_int_eq(check(BENCH_OP_CHILDREN, &version), BENCH_VERDICT_DATA);
    answer_children((const char *[]){"002", "000", "1"}, 3);
    ck_assert_int_eq(check(BENCH_OP_CHILDREN, &version), BENCH_VERDICT_SHAPE);
}
END_TEST

START_TEST(a_path_comes_back_as_it_went)
{
    int32_t version;
    buffer_clear(&frame);
    jute_write_string(&frame, "/b/s00000100000/0000000005");
    ck_assert_int_eq(check(BENCH_OP_CREATE, &version), BENCH_VERDICT_RIGHT);
    ck_assert_int_eq(check(BENCH_OP_SYNC, &version), BENCH_VERDICT_DATA);
    ck_assert_int_eq(check(BENCH_OP_DELETE, &version), BENCH_VERDICT_SHAPE);
    buffer_clear(&frame);
    ck_assert_int_eq(check(BENCH_OP_DELETE, &version), BENCH_VERDICT_RIGHT);
    ck_assert_int_eq(check(BENCH_OP_CREATE, &version), BENCH_VERDICT_SHAPE);
}
END_TEST

static void answer_multi(int32_t second, const char *path)
{
    buffer_clear(&frame);
    multi_write_result_header(&frame, OP_CHECK, 0);
    multi_write_result_header(&frame, second, 0);
    jute_write_zk_stat(&frame, &good_stat);
    multi_write_result_header(&frame, OP_CREATE, 0);
    jute_write_string(&frame, path);
    multi_write_result_header(&frame, OP_DELETE, 0);
    multi_write_end(&frame);
}

START_TEST(a_multi_answers_each_of_its_operations)
{
    int32_t version;
    answer_multi(OP_SET_DATA, "/b/s00000100000/0000000005");
    ck_assert_int_eq(check(BENCH_OP_MULTI, &version), BENCH_VERDICT_RIGHT);
    ck_assert_int_eq(version, 3);
    while (frame.size > 0) {
        frame.size--;
        ck_assert_int_eq(check(BENCH_OP_MULTI, &version), BENCH_VERDICT_SHAPE);
    }
    answer_multi(OP_SET_DATA, "/b/s00000100000/0000000006");
    ck_assert_int_eq(check(BENCH_OP_MULTI, &version), BENCH_VERDICT_DATA);
    answer_multi(OP_CHECK, "/b/s00000100000/0000000005");
    ck_assert_int_eq(check(BENCH_OP_MULTI, &version), BENCH_VERDICT_SHAPE);
}
END_TEST

static const struct { int32_t type, state; const char *path; enum bench_verdict verdict; } events[] = {
    { EVENT_NODE_DATA_CHANGED, STATE_SYNC_CONNECTED, "/b/00001/001", BENCH_VERDICT_RIGHT },
    { EVENT_NODE_DELETED, STATE_SYNC_CONNECTED, "/b/00001/001", BENCH_VERDICT_EVENT },
    { EVENT_NODE_DATA_CHANGED, 0, "/b/00001/001", BENCH_VERDICT_EVENT },
    { EVENT_NODE_DATA_CHANGED, STATE_SYNC_CONNECTED, "/b/00001/002", BENCH_VERDICT_EVENT },
};

START_TEST(an_event_is_of_the_node_and_of_its_data)
{
    struct watcher_event event = {.type = events[_i].type, .state = events[_i].state,
                                  .path = ustring_of(events[_i].path)};
    buffer_clear(&frame);
    jute_write_watcher_event(&frame, &event);
    ck_assert_int_eq(bench_reply_check_event(&plan, 1001, frame.bytes, frame.size), events[_i].verdict);
    ck_assert_int_eq(bench_reply_check_event(&plan, 1001, frame.bytes, 7), BENCH_VERDICT_SHAPE);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("bench_wire");
    TCase *tcase = tcase_create("bench_wire");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, reads_name_the_node);
    tcase_add_test(tcase, writes_bring_the_value);
    tcase_add_test(tcase, a_multi_leaves_nothing_behind_but_a_value);
    tcase_add_test(tcase, a_read_is_right_only_with_the_value_of_its_node);
    tcase_add_test(tcase, a_stat_tells_version_and_length);
    tcase_add_test(tcase, all_children_are_there_in_any_order);
    tcase_add_test(tcase, a_path_comes_back_as_it_went);
    tcase_add_test(tcase, a_multi_answers_each_of_its_operations);
    tcase_add_loop_test(tcase, an_event_is_of_the_node_and_of_its_data, 0, ARRAY_SIZE(events));
    suite_add_tcase(suite, tcase);
    return suite;
}

CHECK_MAIN(make_suite)
