/*
 * A whole server, or two of them in this process, each with a directory of its own and used by clients over loopback.
 * Where time counts the clock stands and is moved.
 */
#include "server/zookeeper_server.h"

#include <stdio.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/memory.h"
#include "common/base/process.h"
#include "common/base/strings.h"
#include "common/thread/thread.h"
#include "common/wire/acl.h"
#include "server/container_manager.h"
#include "tests/lib/check_main.h"
#include "tests/lib/raw_client.h"
#include "tests/lib/test_directory.h"

enum { TICK_MS = 2000, TIMEOUT_MS = 10000 };

/* ---- servers ---- */

struct instance {
    char directory[TEST_DIRECTORY_SIZE];
    struct properties settings;
    struct server_options options;
    struct zookeeper_server *server;
};

static struct instance first, second;

static void configure(struct instance *instance)
{
    struct error error = {0};
    server_options_init(&instance->options);
    ck_assert_msg(server_options_load(&instance->options, NULL, &instance->settings, &error) == ZK_OK, "%s",
                  error.text);
}

static int try_start(struct instance *instance, int *ret_exit_code, struct error *error)
{
    configure(instance);
    instance->server = NULL;
    int err = zookeeper_server_new(&instance->options, 0, NULL, NULL, &instance->server, ret_exit_code, error);
    return err != ZK_OK ? err : zookeeper_server_start(instance->server, ret_exit_code, error);
}

static void start(struct instance *instance)
{
    struct error error = {0};
    int exit_code;
    ck_assert_msg(try_start(instance, &exit_code, &error) == ZK_OK, "%s", error.text);
}

static void stop(struct instance *instance)
{
    if (instance->server == NULL)
        return;
    zookeeper_server_shutdown(instance->server);
    zookeeper_server_free(instance->server);
    instance->server = NULL;
    server_options_release(&instance->options);
}

static void set(struct instance *instance, const char *key, const char *value)
{
    properties_set(&instance->settings, key, value, 0);
}

static void make(struct instance *instance)
{
    test_directory_make(instance->directory);
    set(instance, "dataDir", instance->directory);
    set(instance, "clientPort", "0");
    set(instance, "clientPortAddress", "127.0.0.1");
    set(instance, "tickTime", "2000");
    set(instance, "preAllocSize", "64");
    set(instance, "nio.numSelectorThreads", "2");
}

static void destroy(struct instance *instance)
{
    stop(instance);
    test_directory_remove(instance->directory);
    properties_release(&instance->settings);
}

static int port(const struct instance *instance)
{
    return zookeeper_server_client_port(instance->server);
}

/* ---- clients ---- */

static struct raw_client alice, bob;

static void set_up(void)
{
    log_set_level(NULL, LOG_ERROR);
    make(&first);
    make(&second);
    raw_client_init(&alice);
    raw_client_init(&bob);
}

static void tear_down(void)
{
    raw_client_release(&alice);
    raw_client_release(&bob);
    destroy(&first);
    destroy(&second);
    clock_thaw();
}

static void join(struct raw_client *client, const struct instance *instance)
{
    ck_assert_int_eq(raw_client_connect(client, port(instance), TIMEOUT_MS), ZK_OK);
}

static void assert_event(struct raw_client *client, int32_t type, const char *path)
{
    struct raw_event event;
    ck_assert_int_eq(raw_client_wait_event(client, &event), ZK_OK);
    ck_assert_int_eq(event.type, type);
    ck_assert_str_eq(event.path, path);
}

static void assert_data(struct raw_client *client, const char *path, const char *data)
{
    char text[256];
    ck_assert_int_eq(raw_client_get(client, path, false, text, sizeof text), ZK_OK);
    ck_assert_str_eq(text, data);
}

static void assert_same_stat(const struct zk_stat *a, const struct zk_stat *b)
{
    struct buffer text_a = {0}, text_b = {0};
    jute_print_zk_stat(&text_a, a);
    jute_print_zk_stat(&text_b, b);
    ck_assert_str_eq(buffer_string(&text_a), buffer_string(&text_b));
    buffer_release(&text_a);
    buffer_release(&text_b);
}

/* A multi that sets `path`, whose version it checks first. */
static int check_and_set(struct raw_client *client, const char *path, int32_t version, const char *data)
{
    struct multi_op items[] = {
        {.type = OP_CHECK, .request.check = {ustring_of(path), version}},
        {.type = OP_SET_DATA,
         .request.set_data = {ustring_of(path), {(const uint8_t *)data, (int32_t)strlen(data)}, -1}},
    };
    struct multi_ops ops = {.items = items, .count = 2};
    struct buffer record = {0};
    multi_write_ops(&record, &ops);
    int err = raw_client_call(client, OP_MULTI, &record);
    struct multi_header header;
    jute_read_multi_header(&client->body, &header);
    return err != ZK_OK ? err : header.err;
}

/* ---- two servers ---- */

static void use(struct raw_client *client, const char *data)
{
    struct raw_event event;
    char text[64];
    ck_assert_int_eq(raw_client_create(client, "/a", data, CREATE_PERSISTENT), ZK_OK);
    ck_assert_int_eq(raw_client_create(client, "/a/e", "", CREATE_EPHEMERAL), ZK_OK);
    ck_assert_int_eq(raw_client_get(client, "/a", true, text, sizeof text), ZK_OK);
    ck_assert_str_eq(text, data);
    ck_assert_int_eq(check_and_set(client, "/a", 0, "by a multi"), ZK_OK);
    ck_assert_uint_eq(client->event_count, 1);    /* before the reply */
    ck_assert_int_eq(raw_client_wait_event(client, &event), ZK_OK);
    ck_assert_int_eq(event.type, EVENT_NODE_DATA_CHANGED);
    ck_assert(event.zxid == client->header.zxid);    /* of the write that fired it */
    assert_data(client, "/a", "by a multi");
    ck_assert_int_ne(check_and_set(client, "/a", 0, "too late"), ZK_OK);
    assert_data(client, "/a", "by a multi");
    ck_assert_int_eq(raw_client_ping(client), ZK_OK);
}

START_TEST(two_servers_in_one_process_are_two_worlds)
{
    start(&first);
    start(&second);
    ck_assert_int_ne(port(&first), port(&second));
    join(&alice, &first);
    join(&bob, &second);
    use(&alice, "first");
    ck_assert_int_eq(raw_client_exists(&bob, "/a", false, NULL), ZK_NO_NODE);
    use(&bob, "second");
    ck_assert_int_eq(raw_client_create(&bob, "/only-here", "", CREATE_PERSISTENT), ZK_OK);
    int64_t zxid = bob.header.zxid;
    ck_assert_int_eq(raw_client_exists(&alice, "/only-here", false, NULL), ZK_NO_NODE);
    ck_assert_int_lt(alice.header.zxid, zxid);
    ck_assert_int_eq(raw_client_close_session(&alice), ZK_OK);
    stop(&first);
    assert_data(&bob, "/a", "by a multi");
    ck_assert_int_eq(raw_client_exists(&bob, "/a/e", false, NULL), ZK_OK);
    ck_assert_int_eq(raw_client_close_session(&bob), ZK_OK);
}
END_TEST

START_TEST(a_second_server_on_the_same_directory_is_refused)
{
    struct error error = {0};
    int exit_code;
    start(&first);
    set(&second, "dataDir", first.directory);
    ck_assert_int_ne(try_start(&second, &exit_code, &error), ZK_OK);
    ck_assert_int_eq(exit_code, EXIT_CODE_UNABLE_TO_ACCESS_DATADIR);
    ck_assert_msg(strstr(error.text, first.directory) != NULL, "%s", error.text);
    server_options_release(&second.options);
    join(&alice, &first);
    ck_assert_int_eq(raw_client_ping(&alice), ZK_OK);
}
END_TEST

START_TEST(a_second_server_on_the_same_port_is_refused)
{
    struct error error = {0};
    int exit_code;
    char text[16];
    start(&first);
    snprintf(text, sizeof text, "%d", port(&first));
    set(&second, "clientPort", text);
    ck_assert_int_ne(try_start(&second, &exit_code, &error), ZK_OK);
    ck_assert_int_eq(exit_code, EXIT_CODE_UNEXPECTED_ERROR);
    ck_assert_msg(strstr(error.text, text) != NULL, "%s", error.text);
    zookeeper_server_free(second.server);
    second.server = NULL;
    server_options_release(&second.options);
}
END_TEST

/* ---- what lasts ---- */

START_TEST(what_was_written_is_there_after_a_restart)
{
    struct zk_stat before, after;
    start(&first);
    join(&alice, &first);
    ck_assert_int_eq(raw_client_create(&alice, "/a", "one", CREATE_PERSISTENT), ZK_OK);
    ck_assert_int_eq(raw_client_create(&alice, "/a/s-", "", CREATE_PERSISTENT_SEQUENTIAL), ZK_OK);
    ck_assert_int_eq(raw_client_set(&alice, "/a", "two", 0), ZK_OK);
    ck_assert_int_eq(raw_client_exists(&alice, "/a", false, &before), ZK_OK);
    int64_t zxid = alice.header.zxid;
    ck_assert_int_eq(raw_client_close_session(&alice), ZK_OK);
    uint64_t digest = data_tree_digest(zk_database_tree(zookeeper_server_core(first.server)->database));
    stop(&first);

    start(&first);
    ck_assert_uint_eq(data_tree_digest(zk_database_tree(zookeeper_server_core(first.server)->database)), digest);
    join(&alice, &first);
    assert_data(&alice, "/a", "two");
    ck_assert_int_eq(raw_client_exists(&alice, "/a", false, &after), ZK_OK);
    assert_same_stat(&before, &after);
    ck_assert_int_eq(raw_client_exists(&alice, "/a/s-0000000000", false, NULL), ZK_OK);
    ck_assert_int_gt(alice.header.zxid, zxid);
}
END_TEST

START_TEST(a_session_outlives_connection_and_server)
{
    start(&first);
    join(&alice, &first);
    int64_t id = alice.session_id;
    ck_assert_int_eq(alice.timeout_ms, TIMEOUT_MS);
    ck_assert_int_eq(raw_client_create(&alice, "/e", "", CREATE_EPHEMERAL), ZK_OK);
    ck_assert_int_eq(raw_client_dial(&alice, port(&first)), ZK_OK);
    ck_assert_int_eq(raw_client_handshake(&alice, TIMEOUT_MS), ZK_OK);
    ck_assert(alice.session_id == id);
    ck_assert_int_eq(raw_client_exists(&alice, "/e", false, NULL), ZK_OK);
    stop(&first);
    start(&first);
    ck_assert_int_eq(raw_client_dial(&alice, port(&first)), ZK_OK);
    ck_assert_int_eq(raw_client_handshake(&alice, TIMEOUT_MS), ZK_OK);
    ck_assert(alice.session_id == id);
    ck_assert_int_eq(raw_client_exists(&alice, "/e", false, NULL), ZK_OK);
    ck_assert_int_eq(raw_client_close_session(&alice), ZK_OK);
    join(&bob, &first);
    ck_assert_int_eq(raw_client_exists(&bob, "/e", false, NULL), ZK_NO_NODE);
}
END_TEST

/* ---- the handshake ---- */

START_TEST(a_wrong_password_gets_no_session)
{
    start(&first);
    join(&alice, &first);
    ck_assert_int_eq(raw_client_create(&alice, "/e", "", CREATE_EPHEMERAL), ZK_OK);
    bob.session_id = alice.session_id;
    memcpy(bob.password, alice.password, sizeof bob.password);
    bob.password[15] ^= 1;
    ck_assert_int_eq(raw_client_dial(&bob, port(&first)), ZK_OK);
    ck_assert_int_eq(raw_client_handshake(&bob, TIMEOUT_MS), ZK_SESSION_EXPIRED);
    ck_assert_int_eq(bob.timeout_ms, 0);
    static const uint8_t zeros[16];
    ck_assert_mem_eq(bob.password, zeros, sizeof zeros);
    ck_assert(raw_client_sees_end(&bob));
    ck_assert_int_eq(raw_client_dial(&alice, port(&first)), ZK_OK);
    ck_assert_int_eq(raw_client_handshake(&alice, TIMEOUT_MS), ZK_OK);
    ck_assert_int_eq(raw_client_exists(&alice, "/e", false, NULL), ZK_OK);
}
END_TEST

START_TEST(a_session_nobody_knows_is_expired)
{
    start(&first);
    alice.session_id = 0x1234;
    session_password(alice.session_id, alice.password);
    ck_assert_int_eq(raw_client_dial(&alice, port(&first)), ZK_OK);
    ck_assert_int_eq(raw_client_handshake(&alice, TIMEOUT_MS), ZK_SESSION_EXPIRED);
    ck_assert(raw_client_sees_end(&alice));
}
END_TEST

static const struct {
    int32_t wanted, given;
} timeouts[] = {
    {TIMEOUT_MS, TIMEOUT_MS}, {1, 2 * TICK_MS}, {0, 2 * TICK_MS}, {-1, 2 * TICK_MS}, {INT32_MAX, 20 * TICK_MS},
};
START_TEST(timeouts_are_negotiated_between_2_and_20_ticks)
{
    start(&first);
    ck_assert_int_eq(raw_client_connect(&alice, port(&first), timeouts[_i].wanted), ZK_OK);
    ck_assert_int_eq(alice.timeout_ms, timeouts[_i].given);
}
END_TEST

START_TEST(a_client_from_before_the_read_only_byte_is_not_sent_one)
{
    start(&first);
    alice.old_handshake = true;
    join(&alice, &first);    /* which fails when there is a byte too many */
    ck_assert_int_eq(raw_client_create(&alice, "/a", "", CREATE_PERSISTENT), ZK_OK);
    ck_assert_int_eq(raw_client_close_session(&alice), ZK_OK);
}
END_TEST

START_TEST(a_client_that_has_seen_more_must_go_elsewhere)
{
    start(&first);
    join(&bob, &first);
    ck_assert_int_eq(raw_client_create(&bob, "/a", "", CREATE_PERSISTENT), ZK_OK);
    alice.last_zxid_seen = bob.header.zxid + 1;
    ck_assert_int_eq(raw_client_dial(&alice, port(&first)), ZK_OK);
    ck_assert_int_eq(raw_client_handshake(&alice, TIMEOUT_MS), ZK_EOF);
    alice.last_zxid_seen = bob.header.zxid;
    ck_assert_int_eq(raw_client_dial(&alice, port(&first)), ZK_OK);
    ck_assert_int_eq(raw_client_handshake(&alice, TIMEOUT_MS), ZK_OK);
}
END_TEST

START_TEST(a_first_packet_that_is_no_connect_request_ends_the_connection)
{
    start(&first);
    ck_assert_int_eq(raw_client_dial(&alice, port(&first)), ZK_OK);
    ck_assert_int_eq(raw_client_send_frame(&alice, "abc", 3), ZK_OK);
    ck_assert_int_eq(raw_client_receive_frame(&alice), ZK_EOF);
}
END_TEST

START_TEST(a_session_moves_to_its_new_connection)
{
    start(&first);
    join(&alice, &first);
    bob.session_id = alice.session_id;
    memcpy(bob.password, alice.password, sizeof bob.password);
    ck_assert_int_eq(raw_client_dial(&bob, port(&first)), ZK_OK);
    ck_assert_int_eq(raw_client_handshake(&bob, TIMEOUT_MS), ZK_OK);
    ck_assert_msg(raw_client_sees_end(&alice), "the old connection is closed");
    ck_assert_int_eq(raw_client_create(&bob, "/a", "", CREATE_EPHEMERAL), ZK_OK);
    ck_assert_int_eq(raw_client_ping(&bob), ZK_OK);
}
END_TEST

START_TEST(an_unknown_operation_is_answered_and_ends_the_connection)
{
    start(&first);
    join(&alice, &first);
    ck_assert_int_eq(raw_client_call(&alice, 999, NULL), ZK_UNIMPLEMENTED);
    ck_assert(raw_client_sees_end(&alice));
}
END_TEST

/* ---- expiry ---- */

START_TEST(an_expired_session_loses_its_nodes_and_others_hear_of_it)
{
    clock_freeze(1000000, 1700000000000);
    start(&first);
    ck_assert_int_eq(raw_client_connect(&alice, port(&first), 2 * TICK_MS), ZK_OK);
    ck_assert_int_eq(raw_client_connect(&bob, port(&first), 20 * TICK_MS), ZK_OK);
    ck_assert_int_eq(raw_client_create(&alice, "/e", "", CREATE_EPHEMERAL), ZK_OK);
    ck_assert_int_eq(raw_client_exists(&bob, "/e", true, NULL), ZK_OK);
    clock_advance_ms(2 * TICK_MS - 1000);
    ck_assert_int_eq(raw_client_ping(&alice), ZK_OK);
    clock_advance_ms(2 * TICK_MS - 1000);
    ck_assert_int_eq(raw_client_exists(&bob, "/e", false, NULL), ZK_OK);
    ck_assert_uint_eq(bob.event_count, 0);
    clock_advance_ms(2 * TICK_MS);
    assert_event(&bob, EVENT_NODE_DELETED, "/e");
    ck_assert_msg(raw_client_sees_end(&alice), "its connection is closed");
    ck_assert_int_eq(raw_client_dial(&alice, port(&first)), ZK_OK);
    ck_assert_int_eq(raw_client_handshake(&alice, TIMEOUT_MS), ZK_SESSION_EXPIRED);
}
END_TEST

START_TEST(a_session_lives_as_long_as_its_client_is_heard)
{
    clock_freeze(1000000, 1700000000000);
    start(&first);
    ck_assert_int_eq(raw_client_connect(&alice, port(&first), 2 * TICK_MS), ZK_OK);
    for (int i = 0; i < 20; i++) {
        ck_assert_int_eq(raw_client_ping(&alice), ZK_OK);
        ck_assert_int_eq(raw_client_ping(&alice), ZK_OK);    /* in the same millisecond */
        clock_advance_ms(2 * TICK_MS - 1000);
        thread_yield();
    }
    ck_assert_int_eq(raw_client_ping(&alice), ZK_OK);
}
END_TEST

START_TEST(sessions_of_a_dead_server_expire_on_the_next)
{
    clock_freeze(1000000, 1700000000000);
    start(&first);
    ck_assert_int_eq(raw_client_connect(&alice, port(&first), 2 * TICK_MS), ZK_OK);
    ck_assert_int_eq(raw_client_create(&alice, "/e", "", CREATE_EPHEMERAL), ZK_OK);
    raw_client_hang_up(&alice);
    stop(&first);
    start(&first);
    ck_assert_int_eq(raw_client_connect(&bob, port(&first), 20 * TICK_MS), ZK_OK);
    ck_assert_int_eq(raw_client_exists(&bob, "/e", true, NULL), ZK_OK);
    clock_advance_ms(4 * TICK_MS);
    assert_event(&bob, EVENT_NODE_DELETED, "/e");
}
END_TEST

/* ---- containers and times to live ---- */

static void assert_candidates(const char *expected)
{
    struct path_list due;
    struct buffer text = {0};
    container_manager_candidates(zookeeper_server_core(first.server), clock_wall_ms(), &due);
    for (size_t i = 0; i < due.count; i++)
        buffer_printf(&text, "%s%s", i == 0 ? "" : " ", due.paths[i]);
    ck_assert_str_eq(buffer_string(&text), expected);
    buffer_release(&text);
    path_list_release(&due);
}

START_TEST(candidates_are_empty_containers_that_were_used_and_overdue_nodes)
{
    clock_freeze(1000000, 1700000000000);
    set(&first, "extendedTypesEnabled", "true");
    start(&first);
    join(&alice, &first);
    ck_assert_int_eq(raw_client_create(&alice, "/c", "", CREATE_CONTAINER), ZK_OK);
    ck_assert_int_eq(raw_client_create(&alice, "/plain", "", CREATE_PERSISTENT), ZK_OK);
    ck_assert_int_eq(raw_client_create_ttl(&alice, "/t", 5000), ZK_OK);
    assert_candidates("");
    ck_assert_int_eq(raw_client_create(&alice, "/c/child", "", CREATE_PERSISTENT), ZK_OK);
    assert_candidates("");
    ck_assert_int_eq(raw_client_delete(&alice, "/c/child", -1), ZK_OK);
    assert_candidates("/c");
    clock_set_wall_ms(1700000005000);
    assert_candidates("/c");
    clock_set_wall_ms(1700000005001);
    assert_candidates("/c /t");
    ck_assert_int_eq(raw_client_set(&alice, "/t", "", -1), ZK_OK);    /* it begins anew */
    assert_candidates("/c");
    clock_set_wall_ms(1700000010002);
    assert_candidates("/c /t");
    ck_assert_int_eq(raw_client_create(&alice, "/t/child", "", CREATE_PERSISTENT), ZK_OK);
    assert_candidates("/c");
}
END_TEST

START_TEST(a_container_never_used_goes_after_its_interval_if_there_is_one)
{
    clock_freeze(1000000, 1700000000000);
    set(&first, "znode.container.maxNeverUsedIntervalMs", "1000");
    start(&first);
    join(&alice, &first);
    ck_assert_int_eq(raw_client_create(&alice, "/c", "", CREATE_CONTAINER), ZK_OK);
    clock_set_wall_ms(1700000001000);
    assert_candidates("");
    clock_set_wall_ms(1700000001001);
    assert_candidates("/c");
}
END_TEST

START_TEST(the_collector_deletes_what_is_due)
{
    set(&first, "extendedTypesEnabled", "true");
    set(&first, "znode.container.checkIntervalMs", "50");
    set(&first, "znode.container.maxPerMinute", "60000");
    start(&first);
    join(&alice, &first);
    ck_assert_int_eq(raw_client_create(&alice, "/c", "", CREATE_CONTAINER), ZK_OK);
    ck_assert_int_eq(raw_client_exists(&alice, "/c", true, NULL), ZK_OK);
    ck_assert_int_eq(raw_client_create(&alice, "/c/child", "", CREATE_PERSISTENT), ZK_OK);
    ck_assert_int_eq(raw_client_delete(&alice, "/c/child", -1), ZK_OK);
    assert_event(&alice, EVENT_NODE_DELETED, "/c");
    ck_assert_int_eq(raw_client_create_ttl(&alice, "/t", 1), ZK_OK);
    int err = raw_client_exists(&alice, "/t", true, NULL);
    ck_assert(err == ZK_OK || err == ZK_NO_NODE);    /* it may be gone by then */
    if (err == ZK_OK)
        assert_event(&alice, EVENT_NODE_DELETED, "/t");
}
END_TEST

/* ---- many requests ---- */

static int32_t send_set(struct raw_client *client, const char *path)
{
    struct buffer record = {0};
    struct set_data_request request = {ustring_of(path), {(const uint8_t *)"x", 1}, -1};
    jute_write_set_data_request(&record, &request);
    return raw_client_send(client, OP_SET_DATA, &record);
}

static int32_t send_exists(struct raw_client *client, const char *path)
{
    struct buffer record = {0};
    struct exists_request request = {ustring_of(path), false};
    jute_write_exists_request(&record, &request);
    return raw_client_send(client, OP_EXISTS, &record);
}

/* Reads and writes sent without waiting come back in order, each read seeing the write before it. */
static void pipeline(int rounds)
{
    start(&first);
    join(&alice, &first);
    join(&bob, &first);
    ck_assert_int_eq(raw_client_create(&alice, "/a", "", CREATE_PERSISTENT), ZK_OK);
    ck_assert_int_eq(raw_client_create(&bob, "/b", "", CREATE_PERSISTENT), ZK_OK);
    int32_t xid_a = alice.next_xid, xid_b = bob.next_xid;
    for (int i = 0; i < rounds; i++) {
        send_set(&alice, "/a");
        send_set(&bob, "/b");
        send_exists(&alice, "/a");
        send_exists(&bob, "/b");
    }
    for (int32_t i = 0; i < rounds; i++) {
        struct zk_stat stat;
        ck_assert_int_eq(raw_client_receive(&alice, xid_a + 2 * i), ZK_OK);
        ck_assert_int_eq(raw_client_receive(&alice, xid_a + 2 * i + 1), ZK_OK);
        jute_read_zk_stat(&alice.body, &stat);
        ck_assert_int_eq(stat.version, i + 1);
        ck_assert_int_eq(raw_client_receive(&bob, xid_b + 2 * i), ZK_OK);
        ck_assert_int_eq(raw_client_receive(&bob, xid_b + 2 * i + 1), ZK_OK);
        jute_read_zk_stat(&bob.body, &stat);
        ck_assert_int_eq(stat.version, i + 1);
    }
}

START_TEST(pipelined_requests_are_answered_in_order)
{
    pipeline(300);
}
END_TEST

START_TEST(a_ping_keeps_its_place_behind_requests)
{
    enum { ROUNDS = 200 };
    uint8_t ping[8];
    store_be32(ping, (uint32_t)XID_PING);
    store_be32(ping + 4, OP_PING);
    start(&first);
    join(&alice, &first);
    ck_assert_int_eq(raw_client_create(&alice, "/a", "", CREATE_PERSISTENT), ZK_OK);
    int32_t xid = alice.next_xid;
    for (int i = 0; i < ROUNDS; i++) {
        send_set(&alice, "/a");
        ck_assert_int_eq(raw_client_send_frame(&alice, ping, sizeof ping), ZK_OK);
    }
    for (int i = 0; i < ROUNDS; i++) {
        ck_assert_int_eq(raw_client_receive(&alice, xid + i), ZK_OK);
        ck_assert_int_eq(raw_client_receive(&alice, XID_PING), ZK_OK);
    }
    ck_assert_int_eq(raw_client_ping(&alice), ZK_OK);    /* and where nothing is before it */
}
END_TEST

START_TEST(past_the_outstanding_limit_connections_wait_and_go_on)
{
    set(&first, "globalOutstandingLimit", "1");
    pipeline(300);
}
END_TEST

START_TEST(with_workers_it_is_the_same)
{
    set(&first, "nio.numWorkerThreads", "2");
    set(&first, "globalOutstandingLimit", "3");
    pipeline(300);
}
END_TEST

START_TEST(snapshots_are_taken_while_it_works)
{
    set(&first, "snapCount", "20");
    pipeline(100);
    stop(&first);
    start(&first);
    join(&alice, &first);
    struct zk_stat stat;
    ck_assert_int_eq(raw_client_exists(&alice, "/a", false, &stat), ZK_OK);
    ck_assert_int_eq(stat.version, 100);
    ck_assert_int_eq(raw_client_exists(&alice, "/b", false, &stat), ZK_OK);
    ck_assert_int_eq(stat.version, 100);
}
END_TEST

/* ---- coming down ---- */

START_TEST(shutdown_answers_or_drops_what_is_in_flight)
{
    if (_i > 0)
        set(&first, "nio.numWorkerThreads", "2");
    start(&first);
    join(&alice, &first);
    join(&bob, &first);
    ck_assert_int_eq(raw_client_create(&alice, "/a", "", CREATE_PERSISTENT), ZK_OK);
    int32_t xid = alice.next_xid;
    for (int i = 0; i < 200; i++) {
        send_set(&alice, "/a");
        send_exists(&bob, "/a");
    }
    stop(&first);
    int acknowledged = 0;
    while (raw_client_receive(&alice, xid + acknowledged) == ZK_OK)
        acknowledged++;
    ck_assert(raw_client_sees_end(&alice));
    ck_assert(raw_client_sees_end(&bob));
    start(&first);
    join(&alice, &first);
    struct zk_stat stat;
    ck_assert_int_eq(raw_client_exists(&alice, "/a", false, &stat), ZK_OK);
    ck_assert_msg(stat.version >= acknowledged, "%d writes of %d acknowledged ones are there", stat.version,
                  acknowledged);
}
END_TEST

START_TEST(a_server_leaves_no_descriptor_behind)
{
    set(&first, "nio.numWorkerThreads", _i == 0 ? "0" : "2");
    start(&first);    /* what stays open for good is open by now */
    stop(&first);
    int64_t before = process_open_descriptors();
    for (int round = 0; round < 25; round++) {
        start(&first);
        join(&alice, &first);
        join(&bob, &first);
        ck_assert_int_eq(raw_client_exists(&bob, "/a", true, NULL), ZK_NO_NODE);
        ck_assert_int_eq(raw_client_create(&alice, "/a", "", CREATE_EPHEMERAL), ZK_OK);
        if (round % 2 == 0)
            ck_assert_int_eq(raw_client_close_session(&alice), ZK_OK);
        else
            ck_assert_int_eq(raw_client_delete(&alice, "/a", -1), ZK_OK);
        stop(&first);
        raw_client_hang_up(&alice);
        raw_client_hang_up(&bob);
        ck_assert_int_eq(process_open_descriptors(), before);
    }
}
END_TEST

/* Clients come and go, and move each other's session, while the server is stopped under them. */
struct visitor {
    struct thread *thread;
    int port;
    int32_t seed;
    _Atomic bool *is_over;
};

static void visit(void *arg)
{
    struct visitor *visitor = arg;
    struct raw_client client;
    raw_client_init(&client);
    for (int round = 0; !atomic_load(visitor->is_over); round++) {
        if (raw_client_connect(&client, visitor->port, TIMEOUT_MS) != ZK_OK)
            continue;
        char path[64];
        snprintf(path, sizeof path, "/%d-%d", visitor->seed, round);
        raw_client_create(&client, path, "x", round % 3 == 0 ? CREATE_PERSISTENT : CREATE_EPHEMERAL);
        raw_client_exists(&client, path, true, NULL);
        if (round % 4 == 1 && raw_client_dial(&client, visitor->port) == ZK_OK)    /* as a lost connection */
            raw_client_handshake(&client, TIMEOUT_MS);
        if (round % 4 == 2)
            raw_client_close_session(&client);
        raw_client_hang_up(&client);
    }
    raw_client_release(&client);
}

START_TEST(it_comes_down_under_clients_that_come_and_go)
{
    static _Atomic bool is_over;
    struct visitor visitors[4];
    char text[16];
    set(&first, "nio.numWorkerThreads", _i == 0 ? "0" : "2");
    start(&first);
    snprintf(text, sizeof text, "%d", port(&first));
    set(&first, "clientPort", text);
    atomic_store(&is_over, false);
    for (size_t i = 0; i < ARRAY_SIZE(visitors); i++) {
        visitors[i] = (struct visitor){.port = port(&first), .seed = (int32_t)i, .is_over = &is_over};
        visitors[i].thread = thread_start("visitor", visit, &visitors[i]);
    }
    for (int round = 0; round < 10; round++) {
        join(&alice, &first);
        ck_assert_int_eq(raw_client_ping(&alice), ZK_OK);
        stop(&first);
        start(&first);
    }
    atomic_store(&is_over, true);
    for (size_t i = 0; i < ARRAY_SIZE(visitors); i++)
        thread_join(visitors[i].thread);
}
END_TEST

/* Sends pings and never looks at an answer, until it is cut off. */
static void flood(void *arg)
{
    struct visitor *visitor = arg;
    struct raw_client client;
    uint8_t pings[100 * 12];
    for (size_t i = 0; i < sizeof pings; i += 12) {
        store_be32(pings + i, 8);
        store_be32(pings + i + 4, (uint32_t)XID_PING);
        store_be32(pings + i + 8, OP_PING);
    }
    raw_client_init(&client);
    if (raw_client_connect(&client, visitor->port, TIMEOUT_MS) == ZK_OK)
        while (raw_client_send_bytes(&client, pings, sizeof pings) == ZK_OK)
            ;
    raw_client_release(&client);
}

START_TEST(it_comes_down_under_a_flood)
{
    struct visitor visitors[3];
    set(&first, "nio.numWorkerThreads", _i == 0 ? "0" : "2");
    start(&first);
    for (size_t i = 0; i < ARRAY_SIZE(visitors); i++) {
        visitors[i] = (struct visitor){.port = port(&first)};
        visitors[i].thread = thread_start("visitor", flood, &visitors[i]);
    }
    join(&alice, &first);
    ck_assert_int_eq(raw_client_ping(&alice), ZK_OK);
    stop(&first);
    for (size_t i = 0; i < ARRAY_SIZE(visitors); i++)
        thread_join(visitors[i].thread);
}
END_TEST

/* ---- limits ---- */

START_TEST(the_61st_connection_of_an_address_is_closed)
{
    struct raw_client clients[61];
    start(&first);
    for (size_t i = 0; i < ARRAY_SIZE(clients); i++) {
        raw_client_init(&clients[i]);
        ck_assert_int_eq(raw_client_dial(&clients[i], port(&first)), ZK_OK);
        int err = raw_client_handshake(&clients[i], TIMEOUT_MS);
        ck_assert_msg(i < 60 ? err == ZK_OK : err != ZK_OK, "connection %zu: %d", i + 1, err);
    }
    ck_assert_int_eq(raw_client_close_session(&clients[0]), ZK_OK);
    ck_assert_int_eq(raw_client_close_session(&clients[1]), ZK_OK);
    ck_assert_msg(raw_client_connect(&clients[0], port(&first), TIMEOUT_MS) == ZK_OK, "a place is free again");
    first.options.max_client_cnxns = 100;
    zookeeper_server_reload(first.server);
    ck_assert_int_eq(raw_client_connect(&clients[1], port(&first), TIMEOUT_MS), ZK_OK);
    ck_assert_msg(raw_client_connect(&clients[60], port(&first), TIMEOUT_MS) == ZK_OK, "after a reload");
    for (size_t i = 0; i < ARRAY_SIZE(clients); i++)
        raw_client_release(&clients[i]);
}
END_TEST

static TCase *add_case(Suite *suite, const char *name)
{
    TCase *tcase = tcase_create(name);
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    suite_add_tcase(suite, tcase);
    return tcase;
}

static Suite *zookeeper_server_suite(void)
{
    Suite *suite = suite_create("zookeeper_server");
    TCase *data = add_case(suite, "data");
    tcase_add_test(data, two_servers_in_one_process_are_two_worlds);
    tcase_add_test(data, a_second_server_on_the_same_directory_is_refused);
    tcase_add_test(data, a_second_server_on_the_same_port_is_refused);
    tcase_add_test(data, what_was_written_is_there_after_a_restart);
    tcase_add_test(data, a_session_outlives_connection_and_server);
    TCase *handshake = add_case(suite, "handshake");
    tcase_add_test(handshake, a_wrong_password_gets_no_session);
    tcase_add_test(handshake, a_session_nobody_knows_is_expired);
    tcase_add_loop_test(handshake, timeouts_are_negotiated_between_2_and_20_ticks, 0, ARRAY_SIZE(timeouts));
    tcase_add_test(handshake, a_client_from_before_the_read_only_byte_is_not_sent_one);
    tcase_add_test(handshake, a_client_that_has_seen_more_must_go_elsewhere);
    tcase_add_test(handshake, a_first_packet_that_is_no_connect_request_ends_the_connection);
    tcase_add_test(handshake, a_session_moves_to_its_new_connection);
    tcase_add_test(handshake, an_unknown_operation_is_answered_and_ends_the_connection);
    tcase_add_test(handshake, the_61st_connection_of_an_address_is_closed);
    TCase *time = add_case(suite, "time");
    tcase_add_test(time, an_expired_session_loses_its_nodes_and_others_hear_of_it);
    tcase_add_test(time, a_session_lives_as_long_as_its_client_is_heard);
    tcase_add_test(time, sessions_of_a_dead_server_expire_on_the_next);
    tcase_add_test(time, candidates_are_empty_containers_that_were_used_and_overdue_nodes);
    tcase_add_test(time, a_container_never_used_goes_after_its_interval_if_there_is_one);
    tcase_add_test(time, the_collector_deletes_what_is_due);
    TCase *load = add_case(suite, "load");
    tcase_add_test(load, pipelined_requests_are_answered_in_order);
    tcase_add_test(load, a_ping_keeps_its_place_behind_requests);
    tcase_add_test(load, past_the_outstanding_limit_connections_wait_and_go_on);
    tcase_add_test(load, with_workers_it_is_the_same);
    tcase_add_test(load, snapshots_are_taken_while_it_works);
    TCase *end = add_case(suite, "end");
    tcase_add_loop_test(end, shutdown_answers_or_drops_what_is_in_flight, 0, 2);
    tcase_add_loop_test(end, a_server_leaves_no_descriptor_behind, 0, 2);
    tcase_add_loop_test(end, it_comes_down_under_clients_that_come_and_go, 0, 2);
    tcase_add_loop_test(end, it_comes_down_under_a_flood, 0, 2);
    return suite;
}

CHECK_MAIN(zookeeper_server_suite)
