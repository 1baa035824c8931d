/* The end of the chain: what is applied, what is answered, and over which connection it is heard. */
#include "server/request/final_request_processor.h"

#include <string.h>

#include "common/base/memory.h"
#include "server/request/prep_multi.h"
#include "tests/unit/server/cnxn/cnxn_test.h"
#include "tests/unit/server/request/core_test.h"

static struct raw_client client;
static struct server_cnxn *cnxn;
static struct request_processor *final;

static void set_up(void)
{
    core_set_up();
    cnxn_set_up();
    cnxn_start(0);
    raw_client_init(&client);
    cnxn_join(&client);
    cnxn = cnxn_only();
    server_cnxn_set_session_id(cnxn, CORE_SESSION);
    final = final_request_processor_new(&core);
    core_make("/a", "data", NULL, 0);
}

static void tear_down(void)
{
    final->shutdown(final);
    final->free(final);
    server_cnxn_unref(cnxn);
    raw_client_release(&client);
    cnxn_tear_down();
    core_tear_down();
}

/* Gives the request to final, its connection's outstanding count and the core's as the door would have them. */
static void process(struct request *request)
{
    if (request->cnxn != NULL) {
        server_cnxn_request_received(request->cnxn, request->cxid);
        atomic_fetch_add(&core.requests_in_process, 1);
    }
    request_processor_process(final, request);
    request_processor_flush(final);
    server_cnxn_factory_flush(cnxn_factory);
    ck_assert_int_eq(atomic_load(&core.requests_in_process), 0);
    ck_assert_int_eq(atomic_load(&cnxn->outstanding), 0);
}

/* A transaction of this type and body, as prep would have made it. */
static struct request *write_request(int32_t xid, int32_t type, int32_t txn_type, const struct txn_body *body)
{
    struct request *request = core_request_from(cnxn, xid, type, NULL);
    struct prep_context context = core_context(request);
    context.header.type = txn_type;
    core_finish(&context, body);
    request->zxid = context.header.zxid;
    return request;
}

static struct txn_body create_body(const char *path)
{
    struct txn_body body = {.is_present = true};
    body.record.create = (struct create_txn){ustring_of(path), core_bytes("x"), acl_open_unsafe, false, -1};
    return body;
}

static void assert_reply(int32_t xid, int32_t err, size_t body_size)
{
    ck_assert_int_eq(raw_client_receive(&client, xid), err);
    ck_assert_int_eq(client.header.zxid, atomic_load(&core.zxid));
    ck_assert_uint_eq(jute_left(&client.body), body_size);
}

enum { STAT_SIZE = 68 };

/* ---- writes ---- */

static const struct {
    int32_t type;
    size_t body_size;    /* behind the path "/n" */
} creates[] = {{OP_CREATE, 6}, {OP_CREATE2, 6 + STAT_SIZE}};
START_TEST(a_create_is_applied_and_answered)
{
    struct txn_body body = create_body("/n");
    process(write_request(5, creates[_i].type, creates[_i].type, &body));
    assert_reply(5, ZK_OK, creates[_i].body_size);
    ck_assert(ustring_is(jute_read_ustring(&client.body), "/n"));
    ck_assert(core_exists("/n"));
    ck_assert_int_eq(data_tree_last_processed_zxid(zk_database_tree(core.database)), client.header.zxid);
}
END_TEST

START_TEST(set_data_set_acl_and_delete_are_answered)
{
    struct txn_body set = {.is_present = true}, set_acl = {.is_present = true}, remove = {.is_present = true};
    struct zk_stat stat;
    set.record.set_data = (struct set_data_txn){ustring_of("/a"), core_bytes("longer"), 1};
    process(write_request(1, OP_SET_DATA, OP_SET_DATA, &set));
    assert_reply(1, ZK_OK, STAT_SIZE);
    jute_read_zk_stat(&client.body, &stat);
    ck_assert_int_eq(stat.version, 1);
    ck_assert_int_eq(stat.data_length, 6);
    set_acl.record.set_acl = (struct set_acl_txn){ustring_of("/a"), *core_acl(PERM_READ), 1};
    process(write_request(2, OP_SET_ACL, OP_SET_ACL, &set_acl));
    assert_reply(2, ZK_OK, STAT_SIZE);
    jute_read_zk_stat(&client.body, &stat);
    ck_assert_int_eq(stat.aversion, 1);
    remove.record.remove.path = ustring_of("/a");
    process(write_request(3, OP_DELETE, OP_DELETE, &remove));
    assert_reply(3, ZK_OK, 0);
    ck_assert(!core_exists("/a"));
}
END_TEST

START_TEST(an_event_comes_before_the_reply_of_its_cause)
{
    struct txn_body body = create_body("/n");
    data_tree_add_watch(zk_database_tree(core.database), ustring_of("/n"), &cnxn->watcher, WATCHER_PERSISTENT);
    process(write_request(5, OP_CREATE, OP_CREATE, &body));
    ck_assert_int_eq(raw_client_receive(&client, 5), ZK_OK);
    ck_assert_uint_eq(client.event_count, 1);
    ck_assert_int_eq(client.events[0].type, EVENT_NODE_CREATED);
    ck_assert_int_eq(client.events[0].zxid, client.header.zxid);
}
END_TEST

START_TEST(an_error_prep_found_is_the_answer)
{
    struct txn_body body = {.is_present = true};
    body.record.error.err = ZK_NO_NODE;
    struct request *request = write_request(5, OP_SET_DATA, OP_ERROR, &body);
    request->error = ZK_NO_NODE;
    process(request);
    assert_reply(5, ZK_NO_NODE, 0);
    request = write_request(6, OP_SET_DATA, OP_ERROR, &body);    /* one that came from elsewhere tells it by its txn */
    process(request);
    assert_reply(6, ZK_NO_NODE, 0);
}
END_TEST

START_TEST(a_multi_is_answered_part_by_part)
{
    struct txn_part parts[2] = {{.type = OP_CREATE, .body = create_body("/n")}, {.type = OP_DELETE}};
    parts[1].body.is_present = true;
    parts[1].body.record.remove.path = ustring_of("/a");
    struct txn_body body = {.is_present = true};
    body.record.multi.items = parts;
    body.record.multi.count = 2;
    process(write_request(5, OP_MULTI, OP_MULTI, &body));
    assert_reply(5, ZK_OK, 9 + 6 + 9 + 9);
    parts[0] = (struct txn_part){.type = OP_ERROR};
    parts[0].body.is_present = true;
    parts[0].body.record.error.err = ZK_NODE_EXISTS;
    body.record.multi.count = 1;
    struct request *failed = write_request(6, OP_MULTI, OP_MULTI, &body);
    failed->error = ZK_NODE_EXISTS;
    process(failed);
    assert_reply(6, ZK_OK, 9 + 4 + 9);    /* the errors stand in the parts */
    struct multi_header header;
    jute_read_multi_header(&client.body, &header);
    ck_assert_int_eq(header.type, OP_ERROR);
    ck_assert_int_eq(header.err, ZK_NODE_EXISTS);
    ck_assert_int_eq(jute_read_int32(&client.body), ZK_NODE_EXISTS);
}
END_TEST

START_TEST(what_was_applied_is_pending_no_more)
{
    struct txn_body body = create_body("/n");
    struct request *request = write_request(5, OP_CREATE, OP_CREATE, &body);
    struct change_record *record = change_record_new(NULL, ustring_of("/n"));
    record->zxid = request->txn->header.zxid;
    outstanding_changes_add(core.outstanding_changes, record);
    process(request);
    assert_reply(5, ZK_OK, 6);
    ck_assert_uint_eq(outstanding_changes_count(core.outstanding_changes), 0);
}
END_TEST

/* ---- reads ---- */

START_TEST(a_read_is_answered_with_the_last_zxid)
{
    struct buffer record = {0};
    jute_write_string(&record, "/a");
    jute_write_boolean(&record, false);
    process(core_request_from(cnxn, 5, OP_GET_DATA, &record));
    assert_reply(5, ZK_OK, 8 + STAT_SIZE);
    ck_assert_mem_eq(client.body.at + 4, "data", 4);
}
END_TEST

START_TEST(a_ping_is_answered_with_its_own_xid)
{
    process(core_request_from(cnxn, XID_PING, OP_PING, NULL));
    assert_reply(XID_PING, ZK_OK, 0);
}
END_TEST

START_TEST(a_throttled_request_is_told_so)
{
    struct request *request = core_request_from(cnxn, 5, OP_GET_DATA, NULL);
    request->is_throttled = true;
    process(request);
    assert_reply(5, ZK_THROTTLED_OP, 0);
}
END_TEST

START_TEST(a_session_that_is_gone_is_told_so)
{
    struct request *request = core_request_from(cnxn, 5, OP_GET_DATA, NULL);
    request->error = ZK_SESSION_EXPIRED;
    process(request);
    assert_reply(5, ZK_SESSION_EXPIRED, 0);
}
END_TEST

START_TEST(an_unreadable_record_is_a_marshalling_error)
{
    process(core_request_from(cnxn, 5, OP_GET_DATA, NULL));
    assert_reply(5, ZK_MARSHALLING_ERROR, 0);
}
END_TEST

/* ---- sessions ---- */

START_TEST(a_new_session_is_finished_and_not_replied_to)
{
    struct txn_body body = {.is_present = true};
    body.record.create_session.time_out = 12345;
    process(write_request(0, OP_CREATE_SESSION, OP_CREATE_SESSION, &body));
    ck_assert_int_eq(atomic_load(&core_events.finished_sessions), 1);
    int32_t timeout_ms;
    ck_assert(session_table_get(zk_database_sessions(core.database), CORE_SESSION, &timeout_ms));
    ck_assert_int_eq(timeout_ms, 12345);
}
END_TEST

START_TEST(the_end_of_a_session_is_answered_and_closes_the_connection)
{
    struct txn_body body = {.is_present = true};
    body.record.close_session.paths2_delete = (struct ustring_vector){NULL, 0};
    process(write_request(5, OP_CLOSE_SESSION, OP_CLOSE_SESSION, &body));
    assert_reply(5, ZK_OK, 0);
    ck_assert(raw_client_sees_end(&client));
    ck_assert(!core.session_tracker->ops->is_tracking_session(core.session_tracker, CORE_SESSION));
}
END_TEST

START_TEST(an_expired_session_closes_the_connection_it_has)
{
    struct request *request = request_new_internal(CORE_SESSION, OP_CLOSE_SESSION, (struct slice){NULL, 0});
    struct prep_context context = core_context(request);
    struct txn_body body = {.is_present = false};
    core_make("/e", "", NULL, CORE_SESSION);
    context.header.zxid = server_core_next_zxid(&core);
    core_finish(&context, &body);
    process(request);
    ck_assert_int_eq(atomic_load(&core_events.closed_session), CORE_SESSION);
    ck_assert(!core_exists("/e"));
}
END_TEST

START_TEST(a_moved_session_closes_the_connection_without_a_reply)
{
    struct request *request = core_request_from(cnxn, 5, OP_GET_DATA, NULL);
    request->error = ZK_SESSION_MOVED;
    atomic_fetch_add(&core.requests_in_process, 1);
    request_processor_process(final, request);
    server_cnxn_factory_flush(cnxn_factory);
    ck_assert_int_eq(raw_client_receive_frame(&client), ZK_EOF);
    ck_assert_int_eq(atomic_load(&core.requests_in_process), 0);
}
END_TEST

START_TEST(who_left_is_applied_all_the_same)
{
    struct txn_body body = create_body("/n");
    struct request *request = write_request(5, OP_CREATE, OP_CREATE, &body);
    raw_client_hang_up(&client);
    cnxn_wait_removed(1);
    process(request);
    ck_assert(core_exists("/n"));
    ck_assert_int_eq(server_metrics_value(core.metrics, METRIC_STALE_REPLIES), 1);
}
END_TEST

/* ---- counting ---- */

START_TEST(cons_shows_what_was_answered_last)
{
    struct txn_body body = create_body("/n");
    struct buffer text = {0};
    process(write_request(0x2a, OP_CREATE, OP_CREATE, &body));
    assert_reply(0x2a, ZK_OK, 6);
    server_cnxn_print(cnxn, false, &text);
    ck_assert_msg(strstr(buffer_string(&text), "lop=CREA,") != NULL, "%s", buffer_string(&text));
    ck_assert_msg(strstr(buffer_string(&text), "lcxid=0x2a,") != NULL, "%s", buffer_string(&text));
    process(core_request_from(cnxn, XID_PING, OP_PING, NULL));
    assert_reply(XID_PING, ZK_OK, 0);
    buffer_clear(&text);
    server_cnxn_print(cnxn, false, &text);
    ck_assert_msg(strstr(buffer_string(&text), "lop=PING,") != NULL, "%s", buffer_string(&text));
    ck_assert_msg(strstr(buffer_string(&text), "lcxid=0x2a,") != NULL, "%s", buffer_string(&text));
    buffer_release(&text);
}
END_TEST

START_TEST(flush_wakes_the_connections)
{
    request_processor_flush(final);
    ck_assert_int_eq(atomic_load(&core_events.flushes), 1);
}
END_TEST

static Suite *final_request_processor_suite(void)
{
    Suite *suite = suite_create("final_request_processor");
    TCase *tcase = tcase_create("final_request_processor");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_loop_test(tcase, a_create_is_applied_and_answered, 0, ARRAY_SIZE(creates));
    tcase_add_test(tcase, set_data_set_acl_and_delete_are_answered);
    tcase_add_test(tcase, an_event_comes_before_the_reply_of_its_cause);
    tcase_add_test(tcase, an_error_prep_found_is_the_answer);
    tcase_add_test(tcase, a_multi_is_answered_part_by_part);
    tcase_add_test(tcase, what_was_applied_is_pending_no_more);
    tcase_add_test(tcase, a_read_is_answered_with_the_last_zxid);
    tcase_add_test(tcase, a_ping_is_answered_with_its_own_xid);
    tcase_add_test(tcase, a_throttled_request_is_told_so);
    tcase_add_test(tcase, a_session_that_is_gone_is_told_so);
    tcase_add_test(tcase, an_unreadable_record_is_a_marshalling_error);
    tcase_add_test(tcase, a_new_session_is_finished_and_not_replied_to);
    tcase_add_test(tcase, the_end_of_a_session_is_answered_and_closes_the_connection);
    tcase_add_test(tcase, an_expired_session_closes_the_connection_it_has);
    tcase_add_test(tcase, a_moved_session_closes_the_connection_without_a_reply);
    tcase_add_test(tcase, who_left_is_applied_all_the_same);
    tcase_add_test(tcase, cons_shows_what_was_answered_last);
    tcase_add_test(tcase, flush_wakes_the_connections);
    suite_add_tcase(suite, tcase);
    return suite;
}

CHECK_MAIN(final_request_processor_suite)
