/* A server without a quorum: reads for those who asked for no more, over sessions of its own. */
#include "server/quorum/read_only_zookeeper_server.h"

#include <string.h>

#include "common/base/memory.h"
#include "common/wire/acl.h"
#include "tests/unit/server/quorum/role_test.h"

static struct read_only_zookeeper_server *zks;

static void make_node(const char *path)
{
    struct txn_header header = {1, 1, 0x100000001, 1, OP_CREATE};
    struct txn_body body = {.is_present = true};
    struct process_txn_result result;
    struct arena arena = {0};
    body.record.create = (struct create_txn){ustring_of(path), {(const uint8_t *)"1", 1}, acl_open_unsafe, false, -1};
    struct txn *txn = txn_new(&header, &body, NULL);
    zk_database_process_txn(role_core->database, txn, &arena, &result);
    txn_unref(txn);
    arena_release(&arena);
}

static void set_up(void)
{
    role_set_up();
    role_options.local_sessions_enabled = true;
    make_node("/a");
    zks = read_only_zookeeper_server_new(&role_self, role_server);
}

static void tear_down(void)
{
    zookeeper_server_shutdown_role(role_server);
    read_only_zookeeper_server_free(zks);
    role_tear_down();
}

/* The handshake of a client that may be served so; the answer says that it is. */
static int connect_read_only(struct raw_client *client)
{
    struct buffer out = {0};
    ck_assert_int_eq(raw_client_dial(client, zookeeper_server_client_port(role_server)), ZK_OK);
    jute_write_int32(&out, 0);
    jute_write_int64(&out, 0);
    jute_write_int32(&out, ROLE_TIMEOUT_MS);
    jute_write_int64(&out, client->session_id);
    jute_write_buffer(&out, (struct jute_buffer){client->password, sizeof client->password});
    jute_write_boolean(&out, true);
    ck_assert_int_eq(raw_client_send_frame(client, out.bytes, out.size), ZK_OK);
    buffer_release(&out);
    int err = raw_client_receive_frame(client);
    if (err != ZK_OK)
        return err;
    ck_assert_uint_eq(client->frame.size, 37);
    client->session_id = (int64_t)load_be64(client->frame.bytes + 8);
    memcpy(client->password, client->frame.bytes + 20, 16);
    ck_assert_uint_eq(client->frame.bytes[36], 1);
    return client->session_id == 0 ? ZK_SESSION_EXPIRED : ZK_OK;
}

START_TEST(reads_are_answered_and_writes_refused)
{
    read_only_zookeeper_server_startup(zks);
    ck_assert_int_eq(connect_read_only(&alice), ZK_OK);
    role_assert_data(&alice, "/a", "1");
    ck_assert_int_eq(raw_client_set(&alice, "/a", "2", -1), ZK_NOT_READ_ONLY);
    ck_assert_int_eq(raw_client_create(&alice, "/b", "2", 0), ZK_NOT_READ_ONLY);
    ck_assert_int_eq(raw_client_delete(&alice, "/a", -1), ZK_NOT_READ_ONLY);
    ck_assert_int_eq(alice.header.zxid, 0x100000001);
    struct buffer record = {0};
    jute_write_string(&record, "/a");
    ck_assert_int_eq(raw_client_call(&alice, OP_SYNC, &record), ZK_NOT_READ_ONLY);
    role_assert_data(&alice, "/a", "1");
    ck_assert_int_eq(atomic_load(&role_core->requests_in_process), 0);
    ck_assert_int_eq(raw_client_close_session(&alice), ZK_OK);
    ck_assert_int_eq(atomic_load(&role_core->zxid), INT64_C(0x100000000));    /* 3526 */
}
END_TEST

START_TEST(a_local_session_may_come_back)
{
    read_only_zookeeper_server_startup(zks);
    ck_assert_int_eq(connect_read_only(&alice), ZK_OK);
    raw_client_hang_up(&alice);
    ck_assert_int_eq(connect_read_only(&alice), ZK_OK);
    role_assert_data(&alice, "/a", "1");
}
END_TEST

START_TEST(a_global_one_may_not)
{
    session_table_put(zk_database_sessions(role_core->database), 0x77, ROLE_TIMEOUT_MS);
    read_only_zookeeper_server_startup(zks);
    alice.session_id = 0x77;
    session_password(0x77, alice.password);
    ck_assert_int_eq(connect_read_only(&alice), ZK_EOF);
    alice.session_id = 0x78;    /* one that nobody knows */
    session_password(0x78, alice.password);
    ck_assert_int_eq(connect_read_only(&alice), ZK_SESSION_EXPIRED);
}
END_TEST

START_TEST(who_did_not_ask_for_it_is_not_served)
{
    read_only_zookeeper_server_startup(zks);
    ck_assert_int_eq(raw_client_connect(&bob, zookeeper_server_client_port(role_server), ROLE_TIMEOUT_MS), ZK_EOF);
}
END_TEST

static Suite *read_only_zookeeper_server_suite(void)
{
    Suite *suite = suite_create("read_only_zookeeper_server");
    TCase *tcase = tcase_create("read_only_zookeeper_server");
    tcase_set_timeout(tcase, 60);
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, reads_are_answered_and_writes_refused);
    tcase_add_test(tcase, a_local_session_may_come_back);
    tcase_add_test(tcase, a_global_one_may_not);
    tcase_add_test(tcase, who_did_not_ask_for_it_is_not_served);
    suite_add_tcase(suite, tcase);
    return suite;
}

CHECK_MAIN(read_only_zookeeper_server_suite)
