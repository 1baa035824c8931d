/* sim_server.c - the server as a program of a simulated machine, and its inspector. Mirrors QuorumPeerMain.main. */
#include "tests/simulator/sim_server.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/process.h"
#include "common/thread/thread.h"
#include "server/command/four_letter_commands.h"
#include "server/quorum/quorum_peer_main.h"
#include "tests/simulator/disk.h"
#include "tests/simulator/history.h"

#define CONFIG_PATH "/etc/zoo.cfg"
#define DATA_DIRECTORY "/data"
#define LOOKS_EVERY_MS 50
#define QUORUM_PORT 2888
#define ELECTION_PORT 3888

struct program {
    struct sim_server *server;
    struct quorum_peer_main main;
    struct failure_hook failure;
    _Atomic int exit_code;
    _Atomic bool ends;
    int64_t seen_zxid;    /* the inspector looked at everything up to this */
};

static uint64_t hash_of(const struct blob *bytes)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (size_t i = 0; i < bytes->size; i++)
        hash = (hash ^ bytes->bytes[i]) * UINT64_C(0x100000001b3);
    return hash;
}

static bool follows(int64_t zxid, int64_t previous)
{
    if (zxid >> 32 == previous >> 32)
        return zxid == previous + 1;
    return zxid > previous && (zxid & UINT32_MAX) == 1;
}

/* What came into the window of committed transactions since the last look: without a gap, and the same as elsewhere. */
static void look_at_window(struct program *program, struct committed_log *window)
{
    const char *who = program->server->node->name;
    committed_log_hold(window);
    size_t count = committed_log_held(window), at = count;
    int64_t newest = count > 0 ? committed_log_held_at(window, count - 1)->header.zxid : 0;
    if (newest < program->seen_zxid)
        program->seen_zxid = 0;    /* another history, or none: a SNAP, a TRUNC */
    while (at > 0 && committed_log_held_at(window, at - 1)->header.zxid > program->seen_zxid)
        at--;
    for (; at < count; at++) {
        struct txn *txn = committed_log_held_at(window, at);
        int64_t zxid = txn->header.zxid;
        if (at > 0 && !follows(zxid, committed_log_held_at(window, at - 1)->header.zxid))
            sim_violation("%s: in its window 0x%" PRIx64 " follows 0x%" PRIx64, who, (uint64_t)zxid,
                          (uint64_t)committed_log_held_at(window, at - 1)->header.zxid);
        history_applied(who, zxid, hash_of(txn->bytes));
        if (at > 0)
            history_followed(who, zxid, committed_log_held_at(window, at - 1)->header.zxid);
        program->server->facts.applied++;
        program->seen_zxid = zxid;
    }
    committed_log_let_go(window);
}

static void look(struct program *program)
{
    struct sim_server_facts *facts = &program->server->facts;
    struct zookeeper_server *server = program->main.server;
    struct server_core *core = zookeeper_server_core(server);
    facts->serves = zookeeper_server_is_running(server);
    facts->takes_snapshot = program->main.peer != NULL &&
                            atomic_load(&quorum_peer_self(program->main.peer)->sync_mode) == SYNC_SNAP;
    if (!facts->serves || !zk_database_is_initialized(core->database)) {
        facts->leads = false;
        return;
    }
    const char *state = core->role->ops->state_name;
    facts->leads = strcmp(state, "leader") == 0 || strcmp(state, "standalone") == 0;
    if (facts->leads && program->main.peer != NULL)
        history_led(program->server->node->name, program->server->sid,
                    quorum_self_current_epoch(quorum_peer_self(program->main.peer)));
    look_at_window(program, zk_database_committed_log(core->database));
    struct data_tree *tree = zk_database_tree(core->database);
    facts->zxid = data_tree_last_processed_zxid(tree);
    if (data_tree_digest_mismatch(tree))
        sim_violation("%s: the digest of its tree is not the leader's", program->server->node->name);
    if (program->server->asks_for_digest) {
        facts->digest = data_tree_digest(tree);
        facts->digest_is_consistent = data_tree_digest_is_consistent(tree);
        program->server->asks_for_digest = false;
    }
}

static void inspect(void *arg)
{
    struct program *program = arg;
    while (!program->ends) {
        look(program);
        clock_sleep_ms(LOOKS_EVERY_MS);
    }
}

static void failed(struct failure_hook *self, int exit_code)
{
    struct program *program = container_of(self, struct program, failure);
    program->exit_code = exit_code;
    process_terminate_self();
}

static void run_until_told(struct program *program)
{
    static const int waited[] = {SIGTERM, SIGINT};
    struct thread *inspector = thread_start("Inspector", inspect, program);
    thread_wait_signal(waited, ARRAY_SIZE(waited), -1);
    program->ends = true;
    thread_join(inspector);
    quorum_peer_main_shutdown(&program->main);
}

static int run(struct program *program)
{
    struct error error = {0};
    struct server_options options;
    server_options_init(&options);
    int exit_code = EXIT_CODE_INVALID_INVOCATION;
    int err = server_options_load(&options, CONFIG_PATH, NULL, &error);
    if (err == ZK_OK)
        err = server_options_validate(&options, &error);
    if (program->server->window > 0)
        options.commit_log_count = program->server->window;
    if (err == ZK_OK) {
        struct four_letter_commands *commands = four_letter_commands_new(&options);
        if (quorum_peer_main_start(&program->main, &options, four_letter_commands_hook(commands), &program->failure,
                                   &exit_code, &error) == ZK_OK) {
            run_until_told(program);
            exit_code = program->exit_code;
        } else {
            log_error("Cannot start, exiting: %s", error.text);
        }
        quorum_peer_main_release(&program->main);
        four_letter_commands_free(commands);
    } else {
        sim_violation("%s: %s", program->server->node->name, error.text);
    }
    server_options_release(&options);
    return exit_code;
}

static int server_main(void *arg)
{
    struct sim_server *server = arg;
    struct program program = {.server = server, .failure.failed = failed};
    int exit_code = run(&program);
    server->facts.serves = server->facts.leads = false;
    return exit_code;
}

int sim_server_line(int sid, bool is_observer, char ret_line[SIM_SERVER_LINE_SIZE])
{
    return snprintf(ret_line, SIM_SERVER_LINE_SIZE, "server.%d=10.0.0.%d:%d:%d:%s;%d", sid, sid, QUORUM_PORT,
                    ELECTION_PORT, is_observer ? "observer" : "participant", SIM_CLIENT_PORT);
}

void sim_server_configure(struct sim_server *server, const char *lines)
{
    char text[4096];
    int size = snprintf(text, sizeof(text), "dataDir=%s\n%s", DATA_DIRECTORY, lines);
    sim_disk_put(server->node, CONFIG_PATH, text, (size_t)size);
    size = snprintf(text, sizeof(text), "%d\n", server->sid);
    sim_disk_put(server->node, DATA_DIRECTORY "/myid", text, (size_t)size);
}

void sim_server_initialize(struct sim_server *server)
{
    sim_disk_put(server->node, DATA_DIRECTORY "/initialize", "", 0);
}

void sim_server_wipe(struct sim_server *server)
{
    sim_disk_wipe(server->node, DATA_DIRECTORY);
}

void sim_server_rot(struct sim_server *server)
{
    sim_disk_rot(server->node, DATA_DIRECTORY "/version-2", sim_one_in(2) ? "log." : "snapshot.");
}

void sim_server_start(struct sim_server *server)
{
    server->facts = (struct sim_server_facts){0};
    server->asks_for_digest = false;
    sim_node_start(server->node, server_main, server);
}
