/*
 * fuzz_learner_sync.c - libFuzzer target: a follower or observer whose leader says whatever the input has.
 *
 * The whole way of follower.c and observer.c: LEADERINFO, DIFF, TRUNC or SNAP and what follows them, NEWLEADER,
 * UPTODATE, and then packets until the stream ends; on files, with threads. Only the connection is not made:
 * learner_connect() is wrapped by the linker. The first byte says who it is and what it has; the second in what pieces
 * the stream comes. Oracle: the role ends with a sentence, it can be taken down, and unless the process was to end for
 * what it found, memory can be settled with the disk as after any role, and is then the same as what is loaded from it.
 * That is not asked where the log is not in order, because the leader was not, or where an observer does not log.
 */
#include <assert.h>
#include <string.h>

#include "server/quorum/config_node.h"
#include "server/quorum/follower.h"
#include "server/quorum/learner_parts.h"
#include "server/quorum/observer.h"
#include "tests/fuzz/fed_server.h"
#include "tests/fuzz/fed_stream.h"

enum { IS_OBSERVER = 1, NO_RECONFIG = 2, NO_SYNC = 4, BASE_SHIFT = 3 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int __wrap_learner_connect(struct learner *learner, const struct quorum_address *addresses, size_t count,
                           struct error *error);

static struct fed_stream stream;

int __wrap_learner_connect(struct learner *learner, const struct quorum_address *addresses, size_t count,
                           struct error *error)
{
    (void)addresses, (void)count, (void)error;
    mutex_lock(&learner->lock);
    learner->channel = quorum_channel_new(&stream.stream, quorum_self_init_limit_ms(learner->self));
    mutex_unlock(&learner->lock);
    return ZK_OK;
}

static void follow(struct fed_server *fed)
{
    struct error error = {0};
    struct follower *follower = follower_new(&fed->self, fed->server);
    int err = follower_follow_leader(follower, &error);
    assert(err != ZK_OK && error.text[0] != '\0');
    (void)err;
    follower_free(follower);
}

static void observe(struct fed_server *fed)
{
    struct error error = {0};
    struct learner_masters masters = {0};
    struct observer *observer = observer_new(&fed->self, fed->server);
    int err = observer_observe_leader(observer, &masters, &error);
    assert(err != ZK_OK && error.text[0] != '\0');
    (void)err;
    observer_free(observer);
    learner_masters_release(&masters);
}

/* As quorum_peer does at the end of a role. */
static int settle(struct fed_server *fed, struct error *error)
{
    struct zk_database *database = fed->core->database;
    int mode = atomic_exchange(&fed->self.sync_mode, SYNC_NONE);
    int64_t zxid;
    if (zk_database_is_initialized(database) && mode != SYNC_SNAP && mode != SYNC_TRUNC &&
        zk_database_fast_forward(database, &zxid, error) == ZK_OK)
        return ZK_OK;
    return zk_database_reload(database, &zxid, error);
}

/* Zxids only rise in its logs, all of which can be read. */
static bool is_in_order(struct zk_database *database)
{
    struct txn_iterator *iterator;
    struct txn *txn;
    int64_t last = 0;
    if (file_txn_snap_log_read(zk_database_snap_log(database), 0, &iterator, NULL) != ZK_OK)
        return false;
    int err;
    while ((err = txn_iterator_next(iterator, &txn, NULL)) == ZK_OK && txn->header.zxid > last) {
        last = txn->header.zxid;
        txn_unref(txn);
    }
    if (err == ZK_OK)
        txn_unref(txn);
    txn_iterator_close(iterator);
    return err == ZK_EOF;
}

/* Nothing a leader says may leave a hole in what is on the disk. */
static void assert_no_hole(int err, const struct error *error)
{
    assert(err == ZK_OK || (error->text[0] != '\0' && strstr(error->text, "missing") == NULL));
    (void)err, (void)error;
}

struct state {
    int64_t zxid;
    uint64_t digest;
    size_t nodes, sessions;
};

static struct state state_of(struct fed_server *fed)
{
    struct data_tree *tree = zk_database_tree(fed->core->database);
    config_node_init(&fed->self, fed->core->database);    /* no log has the first one */
    return (struct state){data_tree_last_processed_zxid(tree), data_tree_digest(tree), data_tree_node_count(tree),
                          session_table_count(zk_database_sessions(fed->core->database))};
}

static void check_disk(struct fed_server *fed, bool is_logged)
{
    struct error error = {0};
    struct zk_database *database = fed->core->database;
    int64_t zxid;
    int err = settle(fed, &error);
    assert_no_hole(err, &error);
    if (err != ZK_OK)
        return;
    struct state memory = state_of(fed);
    zk_database_roll_log(database);
    is_logged = is_logged && is_in_order(database);
    err = zk_database_reload(database, &zxid, &error);
    assert_no_hole(err, &error);
    assert(err == ZK_OK || !is_logged);
    if (!is_logged)
        return;
    struct state disk = state_of(fed);
    assert(disk.zxid == memory.zxid && disk.digest == memory.digest);
    assert(disk.nodes == memory.nodes && disk.sessions == memory.sessions);
    (void)memory, (void)disk;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2)
        return 0;
    bool is_observer = (data[0] & IS_OBSERVER) != 0;
    enum fed_base base = (enum fed_base)((data[0] >> BASE_SHIFT) % FED_BASE_COUNT);
    struct fed_server fed;
    fed_server_make(&fed, base, is_observer ? FED_OBSERVER : FED_FOLLOWER, (data[0] & NO_RECONFIG) == 0,
                    (data[0] & NO_SYNC) == 0);
    fed_stream_init(&stream, data + 2, size - 2, data[1], NULL);
    if (is_observer)
        observe(&fed);
    else
        follow(&fed);
    if (!atomic_load(&fed.has_failed) && !atomic_load(&fed.core->has_failed))
        check_disk(&fed, !is_observer || (data[0] & NO_SYNC) == 0);
    fed_server_release(&fed);
    return 0;
}
