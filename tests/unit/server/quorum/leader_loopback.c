/* leader_loopback.c - see leader_loopback.h. */
#include "tests/unit/server/quorum/leader_loopback.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/thread/thread.h"
#include "common/wire/acl.h"
#include "tests/lib/test_directory.h"

struct leader_loopback loopback;
struct wire_learner two, three, four;

static char directory[TEST_DIRECTORY_SIZE];
static struct properties settings;
static struct server_options options;
static struct epoch_files *epochs;
static struct thread *thread;

/* Port 0: the system chooses. */
static const char three_and_an_observer[] =
    "server.1=127.0.0.1:0:3888:participant\nserver.2=127.0.0.1:2889:3889:participant\n"
    "server.3=127.0.0.1:2890:3890:participant\nserver.4=127.0.0.1:2891:3891:observer\nversion=0";

static void lead_run(void *arg)
{
    (void)arg;
    leader_lead(loopback.leader, &loopback.ending);
}

void loopback_start(void)
{
    struct error error = { 0 };
    int exit_code;
    int64_t zxid;
    ck_assert_msg(server_options_load(&options, NULL, &settings, &error) == ZK_OK, "%s", error.text);
    ck_assert_msg(zookeeper_server_new(&options, 1, NULL, NULL, &loopback.server, &exit_code, &error) == ZK_OK, "%s",
                  error.text);
    ck_assert_msg(zookeeper_server_load(loopback.server, &zxid, &error) == ZK_OK, "%s", error.text);
    ck_assert_msg(zookeeper_server_bind(loopback.server, NULL, &error) == ZK_OK, "%s", error.text);
    zookeeper_server_open(loopback.server);
    ck_assert_msg(quorum_verifier_parse_text(loopback.members, strlen(loopback.members),
                                             &(struct quorum_parse_options){ 0 }, &loopback.verifier, &error) == ZK_OK,
                  "%s", error.text);
    struct server_core *core = zookeeper_server_core(loopback.server);
    const char *snap_dir = file_txn_snap_log_snap_dir(zk_database_snap_log(core->database));
    ck_assert_msg(epoch_files_open(snap_dir, zxid, &epochs, &error) == ZK_OK, "%s", error.text);
    quorum_self_init(&loopback.self, &options, 1, loopback.verifier, epochs, core->metrics, NULL, NULL);
    ck_assert_msg(leader_new(&loopback.self, loopback.server, &loopback.leader, &error) == ZK_OK, "%s", error.text);
    loopback.port = learner_cnx_acceptor_port(loopback.leader->acceptor);
    loopback.ending = (struct error){ 0 };
    thread = thread_start("QuorumPeer", lead_run, NULL);
}

void loopback_wait_end(void)
{
    thread_join(thread);
    thread = NULL;
}

void loopback_stop(void)
{
    if (loopback.leader == NULL)
        return;
    leader_shutdown(loopback.leader, "end of test");
    if (thread != NULL)
        loopback_wait_end();
    leader_close(loopback.leader);
    leader_free(loopback.leader);
    loopback.leader = NULL;
    quorum_self_release(&loopback.self);
    epoch_files_close(epochs);
    quorum_verifier_unref(loopback.verifier);
    zookeeper_server_close(loopback.server);
    zookeeper_server_free(loopback.server);
    server_options_release(&options);
    server_options_init(&options);
}

void loopback_set(const char *key, const char *value)
{
    properties_set(&settings, key, value, 0);
}

void loopback_set_up(void)
{
    log_set_level(NULL, LOG_OFF);
    loopback.members = three_and_an_observer;
    test_directory_make(directory);
    server_options_init(&options);
    loopback_set("dataDir", directory);
    loopback_set("clientPort", "0");
    loopback_set("clientPortAddress", "127.0.0.1");
    loopback_set("tickTime", "1000");
    loopback_set("initLimit", "20");
    loopback_set("syncLimit", "10");
    loopback_set("preAllocSize", "64");
    loopback_set("nio.numSelectorThreads", "1");
    loopback_set("zookeeper.snapshotSizeFactor", "1000000");
    loopback_set("zookeeper.snapCount", "100000");
}

void loopback_tear_down(void)
{
    loopback_stop();
    server_options_release(&options);
    properties_release(&settings);
    test_directory_remove(directory);
}

/* ---- learners ---- */

void loopback_join(struct wire_learner *learner, int64_t sid, int32_t epoch, int64_t last_zxid)
{
    wire_learner_connect(learner, loopback.port, sid);
    wire_learner_register(learner, sid == 4 ? QP_OBSERVERINFO : QP_FOLLOWERINFO, epoch, epoch, last_zxid);
}

void form_quorum(void)
{
    loopback_join(&two, 2, 0, 0);
    ck_assert_int_eq(wire_learner_expect(&two, QP_DIFF), 0);
    wire_learner_finish(&two);
}

int64_t ack_next(struct wire_learner *learner)
{
    int64_t zxid = wire_learner_expect(learner, QP_PROPOSAL);
    wire_learner_send(learner, QP_ACK, zxid, NULL, 0);
    ck_assert_int_eq(wire_learner_expect(learner, QP_COMMIT), zxid);
    return zxid;
}

void request_session(struct wire_learner *learner)
{
    struct buffer payload = { 0 };
    jute_write_int32(&payload, 30000);
    wire_learner_request(learner, SESSION, 0, OP_CREATE_SESSION, &payload);
    buffer_release(&payload);
}

void request_create_with(struct wire_learner *learner, const char *path, int32_t flags, struct jute_buffer data)
{
    struct zk_acl open = { .perms = 31, .id = { ustring_of("world"), ustring_of("anyone") } };
    struct create_request request = {
        .path = ustring_of(path), .data = data, .acl = { &open, 1 }, .flags = flags };
    struct buffer payload = { 0 };
    jute_write_create_request(&payload, &request);
    wire_learner_request(learner, SESSION, 1, OP_CREATE, &payload);
    buffer_release(&payload);
}

void request_create(struct wire_learner *learner, const char *path, int32_t flags)
{
    request_create_with(learner, path, flags, (struct jute_buffer){ (const uint8_t *)"data", 4 });
}

void wait_applied(int64_t zxid)
{
    struct data_tree *tree = zk_database_tree(zookeeper_server_core(loopback.server)->database);
    int64_t deadline_ms = clock_elapsed_ms() + 20000;
    while (data_tree_last_processed_zxid(tree) < zxid && clock_elapsed_ms() < deadline_ms)
        clock_sleep_ms(1);
    ck_assert_int_ge(data_tree_last_processed_zxid(tree), zxid);
}

void write_history(int64_t last)
{
    request_session(&two);
    ck_assert_int_eq(ack_next(&two), E1(1));
    for (int64_t i = 2; i <= last; i++) {
        char path[32];
        snprintf(path, sizeof(path), "/n%d", (int)i);
        request_create(&two, path, 0);
    }
    for (int64_t i = 2; i <= last; i++) {
        int64_t zxid;
        do {
            wire_learner_read(&two);
            zxid = two.packet.zxid;
            if (two.packet.type == QP_PROPOSAL)
                wire_learner_send(&two, QP_ACK, zxid, NULL, 0);
        } while (two.packet.type != QP_COMMIT);
        ck_assert_int_eq(zxid, E1(i));
    }
    wait_applied(E1(last));    /* for the leader's window, which decides how one who comes is brought up to date */
}
