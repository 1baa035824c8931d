/* role_test.c - a server without a role, and clients for it. */
#include "tests/unit/server/quorum/role_test.h"

#include "common/base/clock.h"
#include "common/base/log.h"

struct zookeeper_server *role_server;
struct server_core *role_core;
struct server_options role_options;
struct quorum_self role_self;
struct raw_client alice, bob;

static char directory[TEST_DIRECTORY_SIZE];

static void load_options(void)
{
    struct properties settings = {0};
    struct error error = {0};
    properties_set(&settings, "dataDir", directory, 0);
    properties_set(&settings, "clientPort", "0", 0);
    properties_set(&settings, "clientPortAddress", "127.0.0.1", 0);
    properties_set(&settings, "tickTime", "2000", 0);
    properties_set(&settings, "preAllocSize", "64", 0);
    properties_set(&settings, "nio.numSelectorThreads", "2", 0);
    server_options_init(&role_options);
    ck_assert_msg(server_options_load(&role_options, NULL, &settings, &error) == ZK_OK, "%s", error.text);
    properties_release(&settings);
}

static void make_self(void)
{
    static const char text[] = "server.1=127.0.0.1:1:2:participant;3\nserver.2=127.0.0.1:4:5:participant;6\n"
                               "server.3=127.0.0.1:7:8:participant;9\nversion=0";
    struct quorum_parse_options options = {0};
    struct quorum_verifier *verifier;
    struct error error = {0};
    ck_assert_msg(quorum_verifier_parse_text(text, sizeof text - 1, &options, &verifier, &error) == ZK_OK, "%s",
                  error.text);
    quorum_self_init(&role_self, &role_options, ROLE_SERVER_ID, verifier, NULL, NULL, NULL, NULL);
    quorum_verifier_unref(verifier);
}

void role_set_up(void)
{
    struct error error = {0};
    int exit_code;
    int64_t zxid;
    log_set_level(NULL, LOG_ERROR);
    test_directory_make(directory);
    load_options();
    make_self();
    ck_assert_msg(zookeeper_server_new(&role_options, ROLE_SERVER_ID, NULL, NULL, &role_server, &exit_code, &error) ==
                          ZK_OK &&
                      zookeeper_server_load(role_server, &zxid, &error) == ZK_OK &&
                      zookeeper_server_bind(role_server, NULL, &error) == ZK_OK,
                  "%s", error.text);
    role_core = zookeeper_server_core(role_server);
    atomic_store(&role_core->zxid, INT64_C(0x100000000));
    zookeeper_server_open(role_server);
    raw_client_init(&alice);
    raw_client_init(&bob);
}

void role_tear_down(void)
{
    raw_client_release(&alice);
    raw_client_release(&bob);
    zookeeper_server_close(role_server);
    zookeeper_server_free(role_server);
    quorum_self_release(&role_self);
    server_options_release(&role_options);
    test_directory_remove(directory);
}

void role_connect(struct raw_client *client)
{
    ck_assert_int_eq(raw_client_connect(client, zookeeper_server_client_port(role_server), ROLE_TIMEOUT_MS), ZK_OK);
}

int role_reconnect(struct raw_client *client)
{
    ck_assert_int_eq(raw_client_dial(client, zookeeper_server_client_port(role_server)), ZK_OK);
    return raw_client_handshake(client, ROLE_TIMEOUT_MS);
}

bool role_tree_has(const char *path)
{
    struct zk_stat stat;
    return data_tree_stat_node(zk_database_tree(role_core->database), ustring_of(path), NULL, NULL, &stat) == ZK_OK;
}

void role_assert_data(struct raw_client *client, const char *path, const char *data)
{
    char text[256];
    ck_assert_int_eq(raw_client_get(client, path, false, text, sizeof text), ZK_OK);
    ck_assert_str_eq(text, data);
}

void role_wait_count(_Atomic size_t *counter, size_t least)
{
    int64_t deadline_ms = clock_elapsed_ms() + RAW_CLIENT_WAIT_MS;
    while (atomic_load(counter) < least && clock_elapsed_ms() < deadline_ms)
        clock_sleep_ms(1);
    ck_assert_uint_ge(atomic_load(counter), least);
}
