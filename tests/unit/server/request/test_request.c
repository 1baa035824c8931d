/* What travels through the chain: references, records, and what a log line shows of it. */
#include "server/request/request.h"

#include <string.h>

#include "common/base/clock.h"
#include "common/base/memory.h"
#include "common/wire/op_code.h"
#include "tests/lib/check_main.h"

static struct request *request_with_path(int32_t type, const char *path)
{
    struct buffer record = {0};
    jute_write_string(&record, path);
    struct request *request = request_new_internal(0x1f, type, (struct slice){record.bytes, record.size});
    request->cxid = 0x2a;
    buffer_release(&record);
    return request;
}

START_TEST(a_new_request_has_made_nothing_yet)
{
    clock_freeze(5000, 0);
    struct blob *chunk = blob_new_copy("chunk", 5);
    struct auth_info *info = auth_info_new_empty();
    struct request *request = request_new(NULL, 1, 2, OP_EXISTS, chunk, (struct slice){chunk->bytes + 1, 3}, info);
    ck_assert_uint_eq(atomic_load(&chunk->references), 2);
    ck_assert_uint_eq(atomic_load(&info->references), 2);
    ck_assert_int_eq(request->session_id, 1);
    ck_assert_int_eq(request->cxid, 2);
    ck_assert_int_eq(request->create_time_ms, 5000);
    ck_assert_int_eq(request->zxid, -1);
    ck_assert_int_eq(request->error, ZK_OK);
    ck_assert_ptr_null(request->txn);
    ck_assert_ptr_null(request->owner);
    ck_assert(!request->is_throttled && !request->is_local_session);
    request_ref(request);
    request_unref(request);
    ck_assert_mem_eq(request->payload.bytes, "hun", 3);
    request_unref(request);
    ck_assert_uint_eq(atomic_load(&chunk->references), 1);
    ck_assert_uint_eq(atomic_load(&info->references), 1);
    blob_unref(chunk);
    auth_info_unref(info);
    request_unref(NULL);
}
END_TEST

START_TEST(the_record_of_one_made_here_is_copied)
{
    char bytes[] = "record";
    struct request *request = request_new_internal(9, OP_CREATE_SESSION, (struct slice){(uint8_t *)bytes, 6});
    memset(bytes, 'x', 6);
    ck_assert_mem_eq(request->payload.bytes, "record", 6);
    ck_assert_ptr_null(request->cnxn);
    ck_assert_ptr_null(request->auth_info);
    request_unref(request);
    request = request_new_internal(9, OP_CLOSE_SESSION, (struct slice){NULL, 0});
    ck_assert_uint_eq(request->payload.size, 0);
    request_unref(request);
}
END_TEST

START_TEST(its_reader_stops_at_the_limit)
{
    struct request *request = request_with_path(OP_EXISTS, "/abc");
    struct jute_reader reader;
    request_reader(request, 4, &reader);
    ck_assert(ustring_is(jute_read_ustring(&reader), "/abc"));
    ck_assert_int_eq(jute_error(&reader), ZK_OK);
    request_reader(request, 3, &reader);
    jute_read_ustring(&reader);
    ck_assert_int_eq(jute_error(&reader), ZK_MARSHALLING_ERROR);
    request_unref(request);
}
END_TEST

START_TEST(its_arena_goes_with_it)
{
    struct request *request = request_with_path(OP_EXISTS, "/abc");
    char *large = arena_alloc(&request->arena, 100000), *small = arena_alloc(&request->arena, 16);
    memset(large, 1, 100000);
    memset(small, 2, 16);
    request_unref(request);
}
END_TEST

static const struct {
    int32_t type;
    bool is_local, is_quorum;
} quorums[] = {
    {OP_CREATE, false, true},          {OP_MULTI, false, true},        {OP_CREATE_SESSION, false, true},
    {OP_CREATE_SESSION, true, false},  {OP_CLOSE_SESSION, true, false}, {OP_CLOSE_SESSION, false, true},
    {OP_EXISTS, false, false},         {OP_SYNC, false, false},        {OP_PING, false, false},
    {OP_DELETE_CONTAINER, false, true}, {OP_MULTI_READ, false, false}, {OP_SET_ACL, true, true},
};
START_TEST(writes_and_sessions_that_are_not_local_go_through_consensus)
{
    struct request *request = request_with_path(quorums[_i].type, "/");
    request->is_local_session = quorums[_i].is_local;
    ck_assert_msg(request_is_quorum(request) == quorums[_i].is_quorum, "%s", op_code_name(quorums[_i].type));
    request_unref(request);
}
END_TEST

static const struct {
    int32_t type;
    const char *path, *line;
} lines[] = {
    {OP_CREATE, "/a", "sessionid:0x1f type:create cxid:0x2a zxid:0xffffffffffffffff txntype:unknown reqpath:/a"},
    {OP_GET_DATA, "", "sessionid:0x1f type:getData cxid:0x2a zxid:0xffffffffffffffff txntype:unknown reqpath:n/a"},
    {OP_PING, "/a", "sessionid:0x1f type:ping cxid:0x2a zxid:0xffffffffffffffff txntype:unknown reqpath:n/a"},
    {OP_MULTI, "/a", "sessionid:0x1f type:multi cxid:0x2a zxid:0xffffffffffffffff txntype:unknown reqpath:n/a"},
    {OP_GET_DATA, NULL, "sessionid:0x1f type:getData cxid:0x2a zxid:0xffffffffffffffff txntype:unknown reqpath:n/a"},
    {77, "/a", "sessionid:0x1f type:unknown 77 cxid:0x2a zxid:0xffffffffffffffff txntype:unknown reqpath:/a"},
};
START_TEST(a_line_tells_what_was_asked)
{
    struct buffer text = {0};
    struct request *request = request_with_path(lines[_i].type, lines[_i].path);
    request_print(request, &text);
    ck_assert_str_eq(buffer_string(&text), lines[_i].line);
    buffer_release(&text);
    request_unref(request);
}
END_TEST

START_TEST(a_line_tells_of_the_transaction)
{
    struct buffer text = {0};
    struct request *request = request_with_path(OP_DELETE, "/a");
    struct txn_header header = {0x1f, 0x2a, 0x77, 0, OP_ERROR};
    struct txn_body body = {.is_present = true};
    body.record.error.err = ZK_NO_NODE;
    request->txn = txn_new(&header, &body, NULL);
    request_print(request, &text);
    ck_assert_str_eq(buffer_string(&text), "sessionid:0x1f type:delete cxid:0x2a zxid:0x77 txntype:-1 reqpath:/a");
    buffer_release(&text);
    request_unref(request);
}
END_TEST

START_TEST(a_record_cut_short_can_be_printed)
{
    struct buffer text = {0};
    struct request *request = request_new_internal(1, OP_CREATE, (struct slice){(const uint8_t *)"\0\0\1\0/a", 6});
    request_print(request, &text);
    ck_assert_msg(strstr(buffer_string(&text), "reqpath:n/a") != NULL, "%s", buffer_string(&text));
    buffer_release(&text);
    request_unref(request);
}
END_TEST

static Suite *request_suite(void)
{
    Suite *suite = suite_create("request");
    TCase *tcase = tcase_create("request");
    tcase_add_test(tcase, a_new_request_has_made_nothing_yet);
    tcase_add_test(tcase, the_record_of_one_made_here_is_copied);
    tcase_add_test(tcase, its_reader_stops_at_the_limit);
    tcase_add_test(tcase, its_arena_goes_with_it);
    tcase_add_loop_test(tcase, writes_and_sessions_that_are_not_local_go_through_consensus, 0, ARRAY_SIZE(quorums));
    tcase_add_loop_test(tcase, a_line_tells_what_was_asked, 0, ARRAY_SIZE(lines));
    tcase_add_test(tcase, a_line_tells_of_the_transaction);
    tcase_add_test(tcase, a_record_cut_short_can_be_printed);
    suite_add_tcase(suite, tcase);
    return suite;
}

CHECK_MAIN(request_suite)
