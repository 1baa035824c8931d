/*
 * quorum_peer.c - the loop over what a server of an ensemble can be.
 *
 * Mirrors org.apache.zookeeper.server.quorum.QuorumPeer (start, run, shutdown).
 *
 *              .--------------------- the role ended: database settled (1) ---------------------.
 *              v                                                                                |
 *   load --> LOOKING --look_for_leader()--> FOLLOWING, LEADING, OBSERVING --> role's call -------'
 * (1) Before the next vote the tree is what the disk has: what was logged but not committed is applied (2845), what was
 *     received but not logged is thrown away (3642, 4712).
 * (2) A role, or an election, that is told to end cannot come after the telling: both happen under `lock`.
 */
#include "server/quorum/quorum_peer.h"

#include <assert.h>
#include <inttypes.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/memory.h"
#include "common/base/random.h"
#include "common/base/strings.h"
#include "common/thread/thread.h"
#include "server/quorum/config_node.h"
#include "server/quorum/election.h"
#include "server/quorum/follower.h"
#include "server/quorum/leader.h"
#include "server/quorum/observer.h"
#include "server/quorum/read_only_zookeeper_server.h"

#define LEAST_READ_ONLY_GRACE_MS 2000

struct quorum_peer {
    struct quorum_self self;
    const struct server_options *options;
    const struct quorum_peer_config *config;
    struct zookeeper_server *server;
    struct epoch_files *epochs;
    struct learner_masters learner_masters;
    struct thread *thread;
    bool is_self_ready;

    struct mutex lock;
    struct condition changed;                            /* told to end; looking is over */
    bool is_ending GUARDED_BY(lock);
    bool is_looking GUARDED_BY(lock);
    struct election *election GUARDED_BY(lock);    /* changed by QuorumPeer, or a thread it waits for */
    struct leader *leader GUARDED_BY(lock);
    struct follower *follower GUARDED_BY(lock);
    struct observer *observer GUARDED_BY(lock);
};

/* ---- upcalls ---- */

static struct zk_database *database_of(struct quorum_peer *peer)
{
    return zookeeper_server_core(peer->server)->database;
}

static int64_t last_logged_zxid(void *owner)
{
    return data_tree_last_processed_zxid(zk_database_tree(database_of(owner)));
}

static void fail(void *owner, int exit_code, const struct error *error)
{
    struct server_core *core = zookeeper_server_core(((struct quorum_peer *)owner)->server);
    core->callbacks->fail(core, exit_code, error);
}

/* The disk failed us, and the process is about to end: what memory holds may be on no disk, so it must speak for nobody
 * any more. */
static bool has_failed(struct quorum_peer *peer)
{
    return atomic_load(&zookeeper_server_core(peer->server)->has_failed);
}

/* ---- election ---- */

static void start_election(struct quorum_peer *peer)
{
    struct quorum_self *self = &peer->self;
    struct error error = {0};
    struct election *election;
    if (quorum_self_state(self) == PEER_LOOKING) {
        struct vote vote = {.id = self->id, .zxid = quorum_self_last_logged_zxid(self), .election_epoch = -1,
                            .peer_epoch = quorum_self_current_epoch(self), .state = PEER_LOOKING};
        quorum_self_set_current_vote(self, &vote);
    }
    if (election_start(self, &election, &error) != ZK_OK) {
        fail(peer, EXIT_CODE_UNABLE_TO_BIND_QUORUM_PORT, &error);
        return;
    }
    mutex_lock(&peer->lock);
    peer->election = election;
    if (peer->is_ending)    /* (2) */
        election_shutdown(election);
    mutex_unlock(&peer->lock);
}

static void stop_election(struct quorum_peer *peer)
{
    mutex_lock(&peer->lock);
    struct election *election = peer->election;
    peer->election = NULL;
    mutex_unlock(&peer->lock);
    election_free(election);
}

/* ---- what the configuration and the election tell ---- */

/* The client port where the list now has it; connections stay. */
static void follow_client_address(struct quorum_peer *peer, const struct quorum_server *before,
                                  const struct quorum_server *now)
{
    if (now->client_address.host == NULL ||
        (before != NULL && before->client_address.host != NULL &&
         quorum_addresses_equal(&before->client_address, 1, &now->client_address, 1)))
        return;
    struct error error = {0};
    struct address address;
    size_t count;
    int err = quorum_addresses_resolve(&now->client_address, 1, &address, 1, &count, &error);
    if (err == ZK_OK)
        err = zookeeper_server_rebind(peer->server, &address, &error);
    if (err != ZK_OK)
        log_error("Cannot listen for clients at the address of the new configuration: %s", error.text);
}

/* Links and votes go by the present configuration anyway; only an address of our own that changed asks for more. */
static void config_changed(void *owner, struct quorum_verifier *before, struct quorum_verifier *now,
                           bool restart_election)
{
    struct quorum_peer *peer = owner;
    const struct quorum_server *old_me = quorum_verifier_find(before, peer->self.id);
    const struct quorum_server *me = quorum_verifier_find(now, peer->self.id);
    if (me == NULL)
        return;
    follow_client_address(peer, old_me, me);
    if (restart_election && old_me != NULL &&
        !quorum_addresses_equal(old_me->election_addresses, old_me->election_address_count, me->election_addresses,
                                me->election_address_count)) {
        log_warn("Restarting Leader Election");
        stop_election(peer);
        start_election(peer);
    }
}

/* While a chain runs the transaction itself writes the node; between roles the next one that begins does. */
static void store_config(void *owner, struct quorum_verifier *verifier)
{
    struct quorum_peer *peer = owner;
    (void)verifier;
    mutex_lock(&peer->lock);
    bool is_between_roles = thread_is_current(peer->thread) && !zookeeper_server_is_running(peer->server);
    mutex_unlock(&peer->lock);
    if (is_between_roles)
        config_node_init(&peer->self, database_of(peer));
}

static void new_peers(void *owner)
{
    struct quorum_peer *peer = owner;
    mutex_lock(&peer->lock);
    if (peer->election != NULL)
        election_connect_new_peers(peer->election);
    mutex_unlock(&peer->lock);
}

static void looking_peer(void *owner, int64_t sid)
{
    struct quorum_peer *peer = owner;
    struct synced_learner_tracker vote_set;
    mutex_lock(&peer->lock);
    if (peer->leader != NULL && peer->election != NULL &&
        election_take_vote_set(peer->election, &vote_set)) {
        leader_set_vote_set(peer->leader, &vote_set);
        synced_learner_tracker_release(&vote_set);
    }
    if (peer->leader != NULL)
        leader_report_looking_sid(peer->leader, sid);
    mutex_unlock(&peer->lock);
}

static const struct quorum_self_ops self_ops = {
    .last_logged_zxid = last_logged_zxid,
    .config_changed = config_changed,
    .store_config = store_config,
    .new_peers = new_peers,
    .looking_peer = looking_peer,
    .fail = fail,
};

/* ---- a server without a quorum ---- */

/* Started when looking has taken a while; serves until looking is over. */
struct read_only_starter {
    struct quorum_peer *peer;
    struct read_only_zookeeper_server *zks;
    struct thread *thread;
};

static void read_only_run(void *arg)
{
    struct read_only_starter *starter = arg;
    struct quorum_peer *peer = starter->peer;
    int64_t grace_ms = quorum_self_tick_time(&peer->self);
    if (grace_ms < LEAST_READ_ONLY_GRACE_MS)
        grace_ms = LEAST_READ_ONLY_GRACE_MS;
    int64_t deadline_ms = clock_elapsed_ms() + grace_ms;
    mutex_lock(&peer->lock);
    while (peer->is_looking && !peer->is_ending && condition_wait_until(&peer->changed, &peer->lock, deadline_ms))
        ;
    bool starts = peer->is_looking && !peer->is_ending;
    mutex_unlock(&peer->lock);
    if (starts)
        read_only_zookeeper_server_startup(starter->zks);
}

static void start_read_only(struct read_only_starter *starter)
{
    if (!starter->peer->options->readonlymode_enabled)
        return;
    log_info("Attempting to start ReadOnlyZooKeeperServer");
    starter->zks = read_only_zookeeper_server_new(&starter->peer->self, starter->peer->server);
    starter->thread = thread_start("ReadOnlyStarter", read_only_run, starter);
}

static void stop_read_only(struct read_only_starter *starter)
{
    if (starter->zks == NULL)
        return;
    thread_join(starter->thread);
    zookeeper_server_shutdown_role(starter->peer->server);
    read_only_zookeeper_server_free(starter->zks);
}

static void set_looking(struct quorum_peer *peer, bool is_looking)
{
    mutex_lock(&peer->lock);
    peer->is_looking = is_looking;
    condition_broadcast(&peer->changed);
    mutex_unlock(&peer->lock);
}

static void restart_election_if_asked(struct quorum_peer *peer)
{
    if (!atomic_exchange(&peer->self.is_shutting_down_election, false))
        return;
    stop_election(peer);
    start_election(peer);
}

static void wait_for_end(struct quorum_peer *peer)
{
    mutex_lock(&peer->lock);
    while (!peer->is_ending)
        condition_wait(&peer->changed, &peer->lock);
    mutex_unlock(&peer->lock);
}

static void look(struct quorum_peer *peer)
{
    struct quorum_self *self = &peer->self;
    struct read_only_starter starter = {.peer = peer};
    log_info("LOOKING");
    server_metrics_count(self->metrics, METRIC_LOOKING_COUNT, 1);
    set_looking(peer, true);
    start_read_only(&starter);
    atomic_store(&self->is_reconfig_flag, false);
    struct vote vote;
    if (peer->election == NULL)
        wait_for_end(peer);    /* it could not start, and said so */
    else if (election_look_for_leader(peer->election, &vote) == ZK_OK)
        quorum_self_set_current_vote(self, &vote);
    set_looking(peer, false);
    stop_read_only(&starter);
}

/* ---- the end of a role ---- */

/* (1) */
static void settle_database(struct quorum_peer *peer)
{
    struct quorum_self *self = &peer->self;
    struct zk_database *database = database_of(peer);
    int mode = atomic_exchange(&self->sync_mode, SYNC_NONE);
    bool is_on_disk = zk_database_is_initialized(database) && mode != SYNC_SNAP && mode != SYNC_TRUNC;
    struct error error = {0};
    int64_t zxid;
    int err = ZK_OK;
    if (is_on_disk) {
        err = zk_database_fast_forward(database, &zxid, &error);
        if (err != ZK_OK)
            log_error("The database is loaded anew: %s", error.text);
    }
    if (!is_on_disk || err != ZK_OK)
        err = zk_database_reload(database, &zxid, &error);
    if (err != ZK_OK)
        fail(peer, EXIT_CODE_UNEXPECTED_ERROR, &error);
}

/* updateServerState: after a reconfiguration the next state may be known without an election. */
static void update_server_state(struct quorum_peer *peer)
{
    struct quorum_self *self = &peer->self;
    struct vote vote;
    if (!atomic_exchange(&self->is_reconfig_flag, false) || !quorum_self_current_vote(self, &vote))
        quorum_self_set_state(self, PEER_LOOKING);
    else if (vote.id == self->id)
        quorum_self_set_state(self, PEER_LEADING);
    else
        quorum_self_set_state(self, quorum_self_learner_type(self) == LEARNER_OBSERVER ? PEER_OBSERVING
                                                                                       : PEER_FOLLOWING);
}

/* True if the role may begin; it is told to end from then on. */
#define ENTER(peer, member, role) enter((peer), (void **)&(peer)->member, (role))
static bool enter(struct quorum_peer *peer, void **place, void *role)
{
    mutex_lock(&peer->lock);
    bool may_begin = !peer->is_ending;    /* (2) */
    if (may_begin)
        *place = role;
    mutex_unlock(&peer->lock);
    return may_begin;
}

static void leave(struct quorum_peer *peer, void **place)
{
    mutex_lock(&peer->lock);
    *place = NULL;
    mutex_unlock(&peer->lock);
}

/* ---- roles ---- */

static void lead(struct quorum_peer *peer)
{
    struct error error = {0};
    struct leader *leader;
    log_info("LEADING");
    config_node_init(&peer->self, database_of(peer));
    if (leader_new(&peer->self, peer->server, &leader, &error) != ZK_OK) {
        log_error("Cannot lead: %s", error.text);
        return;
    }
    if (ENTER(peer, leader, leader))
        leader_lead(leader, &error);
    leave(peer, (void **)&peer->leader);
    leader_shutdown(leader, "Forcing shutdown");
    leader_close(leader);
    leader_free(leader);
}

/* Until then, or the end of this server. */
static void rest(struct quorum_peer *peer, int64_t deadline_ms)
{
    mutex_lock(&peer->lock);
    while (!peer->is_ending && condition_wait_until(&peer->changed, &peer->lock, deadline_ms))
        ;
    mutex_unlock(&peer->lock);
}

static void follow(struct quorum_peer *peer)
{
    struct error error = {0};
    log_info("FOLLOWING");
    struct follower *follower = follower_new(&peer->self, peer->server);
    if (ENTER(peer, follower, follower))
        follower_follow_leader(follower, &error);
    leave(peer, (void **)&peer->follower);
    follower_free(follower);
    if (error.code == ZK_INVALID_STATE)    /* not to be followed, and the next moment it will be the same */
        rest(peer, clock_elapsed_ms() + peer->options->tick_time);
}

/* waitForObserverElectionDelay: not all observers at once. */
static void wait_for_observer_election_delay(struct quorum_peer *peer)
{
    int64_t most_ms = peer->options->observer_election_delay_ms;
    if (most_ms <= 0)
        return;
    rest(peer, clock_elapsed_ms() + (int64_t)random_below((uint64_t)most_ms));
}

static void observe(struct quorum_peer *peer)
{
    struct error error = {0};
    log_info("OBSERVING");
    struct observer *observer = observer_new(&peer->self, peer->server);
    if (ENTER(peer, observer, observer))
        observer_observe_leader(observer, &peer->learner_masters, &error);
    leave(peer, (void **)&peer->observer);
    observer_free(observer);
    wait_for_observer_election_delay(peer);
}

static void play_role(struct quorum_peer *peer, enum peer_state state)
{
    struct quorum_self *self = &peer->self;
    if (state == PEER_FOLLOWING || state == PEER_LEADING) {
        int64_t took_ms = clock_elapsed_ms() - atomic_load(&self->start_fle_ms);
        server_metrics_sample(self->metrics, METRIC_ELECTION_TIME, took_ms);
        log_info("%s - LEADER ELECTION TOOK - %" PRId64 " MS", peer_state_name(state), took_ms);
    }
    if (state == PEER_LEADING)
        lead(peer);
    else if (state == PEER_FOLLOWING)
        follow(peer);
    else
        observe(peer);
    if (has_failed(peer))
        return;
    settle_database(peer);
    update_server_state(peer);
}

static void peer_run(void *arg)
{
    struct quorum_peer *peer = arg;
    while (quorum_self_is_running(&peer->self) && !has_failed(peer)) {
        enum peer_state state = quorum_self_state(&peer->self);
        int64_t serving = 0;
        atomic_compare_exchange_strong(&peer->self.unavailable_since_ms, &serving, clock_elapsed_ms());
        restart_election_if_asked(peer);
        if (state == PEER_LOOKING)
            look(peer);
        else
            play_role(peer, state);
    }
    log_warn("QuorumPeer main thread exited");
}

/* ---- life ---- */

int quorum_peer_new(const struct server_options *options, const struct quorum_peer_config *config,
                    struct four_letter_hook *four_letter, struct failure_hook *failure, struct quorum_peer **ret_peer,
                    int *ret_exit_code, struct error *error)
{
    struct zookeeper_server *server;
    int err = zookeeper_server_new(options, config->myid, four_letter, failure, &server, ret_exit_code, error);
    if (err != ZK_OK)
        return err;
    struct quorum_peer *peer = MEMORY_NEW(struct quorum_peer);
    peer->options = options;
    peer->config = config;
    peer->server = server;
    mutex_init(&peer->lock);
    condition_init(&peer->changed);
    *ret_peer = peer;
    return ZK_OK;
}

static int load(struct quorum_peer *peer, struct error *error)
{
    struct zk_database *database = database_of(peer);
    int64_t zxid;
    int err = zookeeper_server_load(peer->server, &zxid, error);
    if (err != ZK_OK)
        return err;
    err = epoch_files_open(file_txn_snap_log_snap_dir(zk_database_snap_log(database)), zxid, &peer->epochs, error);
    if (err != ZK_OK)
        return err;
    struct quorum_self *self = &peer->self;
    quorum_self_init(self, peer->options, peer->config->myid, peer->config->verifier, peer->epochs,
                     zookeeper_server_core(peer->server)->metrics, &self_ops, peer);
    peer->is_self_ready = true;
    if (peer->config->last_seen_verifier != NULL)
        err = quorum_self_set_last_seen_verifier(self, peer->config->last_seen_verifier, false, error);
    config_node_init(self, database);
    return err;
}

int quorum_peer_start(struct quorum_peer *peer, int *ret_exit_code, struct error *error)
{
    *ret_exit_code = EXIT_CODE_UNEXPECTED_ERROR;
    if (quorum_verifier_find(peer->config->verifier, peer->config->myid) == NULL)
        return error_set(error, ZK_BAD_CONFIG, "My id %" PRId64 " not in the peer list", peer->config->myid);
    bool has_port = peer->options->client_port >= 0;
    int err = zookeeper_server_bind(peer->server, has_port ? &peer->config->client_address : NULL, error);
    if (err == ZK_BAD_CONFIG)
        *ret_exit_code = EXIT_CODE_INVALID_INVOCATION;
    if (err == ZK_OK)
        err = load(peer, error);
    if (err != ZK_OK)
        return err;
    start_election(peer);
    zookeeper_server_open(peer->server);
    char *name = string_format("QuorumPeer[myid=%" PRId64 "]", peer->self.id);
    mutex_lock(&peer->lock);    /* it may ask at once whether it is this */
    peer->thread = thread_start(name, peer_run, peer);
    mutex_unlock(&peer->lock);
    memory_free(name);
    return ZK_OK;
}

void quorum_peer_shutdown(struct quorum_peer *peer)
{
    atomic_store(&peer->self.is_running, false);
    mutex_lock(&peer->lock);
    peer->is_ending = true;
    if (peer->leader != NULL)
        leader_shutdown(peer->leader, "quorum Peer shutdown");
    if (peer->follower != NULL)
        follower_shutdown(peer->follower, "quorum Peer shutdown");
    if (peer->observer != NULL)
        observer_shutdown(peer->observer, "quorum Peer shutdown");
    if (peer->election != NULL)
        election_shutdown(peer->election);
    condition_broadcast(&peer->changed);
    mutex_unlock(&peer->lock);
    thread_join(peer->thread);
    mutex_lock(&peer->lock);
    peer->thread = NULL;
    mutex_unlock(&peer->lock);
    stop_election(peer);                       /* (6) */
    zookeeper_server_close(peer->server);      /* (7), (8) */
}

void quorum_peer_free(struct quorum_peer *peer)
{
    if (peer == NULL)
        return;
    assert(peer->thread == NULL);
    stop_election(peer);    /* of a start that failed */
    learner_masters_release(&peer->learner_masters);
    if (peer->is_self_ready)
        quorum_self_release(&peer->self);
    epoch_files_close(peer->epochs);
    zookeeper_server_free(peer->server);
    condition_release(&peer->changed);
    mutex_release(&peer->lock);
    memory_free(peer);
}

struct zookeeper_server *quorum_peer_server(struct quorum_peer *peer)
{
    return peer->server;
}

struct quorum_self *quorum_peer_self(struct quorum_peer *peer)
{
    return &peer->self;
}
