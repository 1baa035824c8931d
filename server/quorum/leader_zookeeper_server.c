/*
 * leader_zookeeper_server.c - the server as a leader.
 *
 * Mirrors org.apache.zookeeper.server.quorum.LeaderZooKeeperServer.
 *
 *   clients --> leader_request --> PREP --> proposal --> COMMIT --> to_be_applied --> final
 *   learners --------------------'              '------> SYNC --> ack --> leader
 * (1) Handlers of learners outlive the chain: what they call holds `gate` for reading and finds it shut once the chain
 *     is about to be freed.
 */
#include "server/quorum/leader_zookeeper_server.h"

#include "common/base/log.h"
#include "common/base/memory.h"
#include "common/thread/rw_lock.h"
#include "server/quorum/ack_request_processor.h"
#include "server/quorum/commit_processor.h"
#include "server/quorum/leader_request_processor.h"
#include "server/quorum/leader_session_tracker.h"
#include "server/quorum/proposal_request_processor.h"
#include "server/quorum/quorum_reconfig.h"
#include "server/quorum/quorum_zookeeper_server.h"
#include "server/quorum/to_be_applied_request_processor.h"
#include "server/request/final_request_processor.h"
#include "server/request/prep_request_processor.h"
#include "server/request/sync_request_processor.h"

struct leader_zookeeper_server {
    struct quorum_zookeeper_server quorum;    /* first */
    struct leader *leader;
    struct rw_lock gate;
    bool is_open GUARDED_BY(gate);            /* from startup until the processors are freed */
    struct request_processor *first, *prep, *proposal, *to_be_applied, *final, *sync, *ack;
    struct commit_processor *commit;
};

static struct leader_zookeeper_server *zks_of(struct server_role *role)
{
    return container_of(role, struct leader_zookeeper_server, quorum.role);
}

/* ---- as role ---- */

/* Of a client of this server. It owns the session, unless a learner's handler takes it over again. */
static void revalidate_session(struct server_role *role, struct server_cnxn *cnxn, int64_t session_id,
                               int32_t timeout_ms)
{
    struct leader_zookeeper_server *zks = zks_of(role);
    struct session_tracker *tracker = zks->quorum.core->session_tracker;
    bool is_valid = tracker->ops->touch_session(tracker, session_id, timeout_ms) &&
                    tracker->ops->set_owner(tracker, session_id, server_core_me) == ZK_OK;
    zookeeper_server_finish_session_init(zks->quorum.server, cnxn, is_valid);
}

static bool is_quorum_synced(void *owner, struct quorum_verifier *next)
{
    return leader_is_quorum_synced(owner, next);
}

static int prepare_reconfig(struct server_role *role, const struct reconfig_request *record, int64_t zxid,
                            struct buffer *ret_config)
{
    struct leader_zookeeper_server *zks = zks_of(role);
    struct quorum_verifier *current = quorum_self_verifier(zks->quorum.self);
    struct quorum_verifier *last_seen = quorum_self_last_seen_verifier(zks->quorum.self), *next;
    const struct server_options *options = zks->quorum.core->options;
    struct reconfig_state state = {
        .current = current,
        .last_seen = last_seen == NULL ? current : last_seen,
        .is_standalone_enabled = options->standalone_enabled,
        .is_multi_address_enabled = options->multi_address_enabled,
        .is_quorum_synced = is_quorum_synced,
        .owner = zks->leader,
    };
    struct error error = {0};
    int err = quorum_reconfig_prepare(&state, record, zxid, &next, &error);
    if (err == ZK_OK) {
        quorum_verifier_print(next, ret_config);
        quorum_verifier_unref(next);
    } else {
        log_warn("Reconfiguration refused: %s", error.text);
    }
    quorum_verifier_unref(current);
    quorum_verifier_unref(last_seen);
    return err;
}

/* ---- words ---- */

static void list_gauges(struct server_role *role, void (*gauge)(void *context, const char *name, int64_t value),
                        void *context)
{
    struct leader *leader = zks_of(role)->leader;
    int32_t last, least, most;
    quorum_zookeeper_server_list_gauges(role, gauge, context);
    gauge(context, "learners", (int64_t)leader_learner_count(leader));
    gauge(context, "synced_followers", (int64_t)leader_synced_follower_count(leader));
    gauge(context, "synced_non_voting_followers", (int64_t)leader_synced_non_voting_follower_count(leader));
    gauge(context, "synced_observers", (int64_t)leader_synced_observer_count(leader));
    gauge(context, "pending_syncs", (int64_t)leader_pending_sync_count(leader));
    gauge(context, "leader_uptime", leader_uptime_ms(leader));
    leader_proposal_sizes(leader, &last, &least, &most);
    gauge(context, "last_proposal_size", last);
    gauge(context, "max_proposal_size", most);
    gauge(context, "min_proposal_size", least);
}

static void print_stats(struct server_role *role, struct buffer *out)
{
    int32_t last, least, most;
    leader_proposal_sizes(zks_of(role)->leader, &last, &least, &most);
    buffer_printf(out, "Proposal sizes last/min/max: %d/%d/%d\n", last, least, most);
}

static void reset_stats(struct server_role *role)
{
    leader_reset_proposal_sizes(zks_of(role)->leader);
}

static bool refuses_clients(struct server_role *role)
{
    return !zks_of(role)->quorum.core->options->leader_serves;
}

static const struct role_ops leader_ops = {
    .state_name = "leader",
    .refuses_clients = refuses_clients,
    .has_consensus = true,
    .revalidate_session = revalidate_session,
    .set_local_session_flag = quorum_zookeeper_server_set_local_session_flag,
    .global_outstanding_limit = quorum_zookeeper_server_outstanding_limit,
    .prepare_reconfig = prepare_reconfig,
    .print_config = quorum_zookeeper_server_print_config,
    .list_values = quorum_zookeeper_server_list_values,
    .list_gauges = list_gauges,
    .print_conf = quorum_zookeeper_server_print_conf,
    .print_stats = print_stats,
    .reset_stats = reset_stats,
};

/* ---- life ---- */

static struct session_tracker *create_session_tracker(struct server_role *role, struct zookeeper_server *server)
{
    (void)server;
    struct quorum_tracker_options options = quorum_zookeeper_server_tracker_options(&zks_of(role)->quorum);
    return leader_session_tracker_new(&options);
}

static void set_gate(struct leader_zookeeper_server *zks, bool is_open)
{
    rw_lock_write(&zks->gate);
    zks->is_open = is_open;
    rw_lock_unlock_write(&zks->gate);
}

static struct request_processor *setup_request_processors(struct server_role *role, struct zookeeper_server *server)
{
    struct leader_zookeeper_server *zks = zks_of(role);
    struct server_core *core = zks->quorum.core;
    zks->final = final_request_processor_new(core);
    zks->to_be_applied = to_be_applied_request_processor_new(zks->leader, zks->final);
    zks->commit = commit_processor_start(core, false, zks->to_be_applied);
    struct request_processor *commit = commit_processor_base(zks->commit);
    zks->ack = ack_request_processor_new(core, zks->leader, commit);
    zks->sync = sync_request_processor_start(core, zks->ack, false);
    zks->proposal = proposal_request_processor_new(core, zks->leader, commit, zks->sync);
    zks->prep = prep_request_processor_start(core, zookeeper_server_client_port(server), zks->proposal);
    zks->first = leader_request_processor_new(core, zks->prep);
    set_gate(zks, true);
    return zks->first;
}

static void shutdown_processors(struct server_role *role)
{
    struct leader_zookeeper_server *zks = zks_of(role);
    zks->first->shutdown(zks->first);
}

static void free_processors(struct server_role *role)
{
    struct leader_zookeeper_server *zks = zks_of(role);
    set_gate(zks, false);    /* (1) */
    struct request_processor *all[] = {zks->first, zks->prep, zks->proposal, zks->sync, zks->ack,
                                       commit_processor_base(zks->commit), zks->to_be_applied, zks->final};
    for (size_t i = 0; i < ARRAY_SIZE(all); i++)
        all[i]->free(all[i]);
}

static const struct role_life leader_life = {
    .create_session_tracker = create_session_tracker,
    .setup_request_processors = setup_request_processors,
    .shutdown_processors = shutdown_processors,
    .free_processors = free_processors,
    .has_session_tracker_thread = true,
    .has_container_manager = true,
};

/* ---- public ---- */

struct leader_zookeeper_server *leader_zookeeper_server_new(struct quorum_self *self, struct zookeeper_server *server,
                                                            struct leader *leader)
{
    struct leader_zookeeper_server *zks = MEMORY_NEW(struct leader_zookeeper_server);
    quorum_zookeeper_server_init(&zks->quorum, &leader_ops, self, server);
    zks->leader = leader;
    rw_lock_init(&zks->gate);
    return zks;
}

void leader_zookeeper_server_free(struct leader_zookeeper_server *zks)
{
    if (zks == NULL)
        return;
    rw_lock_release(&zks->gate);
    memory_free(zks);
}

void leader_zookeeper_server_create_session_tracker(struct leader_zookeeper_server *zks)
{
    zookeeper_server_create_session_tracker(zks->quorum.server, &zks->quorum.role, &leader_life);
}

void leader_zookeeper_server_startup(struct leader_zookeeper_server *zks)
{
    zookeeper_server_startup(zks->quorum.server, &zks->quorum.role, &leader_life);
}

void leader_zookeeper_server_commit(struct leader_zookeeper_server *zks, struct request *request)
{
    rw_lock_read(&zks->gate);
    if (zks->is_open)
        commit_processor_commit(zks->commit, request_ref(request));
    rw_lock_unlock_read(&zks->gate);
}

void leader_zookeeper_server_wake_commit(struct leader_zookeeper_server *zks)
{
    rw_lock_read(&zks->gate);
    if (zks->is_open)
        commit_processor_wake(zks->commit);
    rw_lock_unlock_read(&zks->gate);
}

void leader_zookeeper_server_submit_learner_request(struct leader_zookeeper_server *zks, struct request *request)
{
    rw_lock_read(&zks->gate);
    if (zks->is_open) {
        request_processor_process(zks->prep, request);
        request_processor_flush(zks->prep);
    } else {
        request_unref(request);
    }
    rw_lock_unlock_read(&zks->gate);
}

bool leader_zookeeper_server_touch(struct leader_zookeeper_server *zks, int64_t session_id, int32_t timeout_ms)
{
    bool is_alive = false;
    rw_lock_read(&zks->gate);
    if (zks->is_open) {
        struct session_tracker *tracker = zks->quorum.core->session_tracker;
        is_alive = tracker->ops->touch_session(tracker, session_id, timeout_ms);
    }
    rw_lock_unlock_read(&zks->gate);
    return is_alive;
}

/* checkIfValidGlobalSession, and setOwner: a local session is its own server's to know. */
static bool revalidate_for(struct leader_zookeeper_server *zks, int64_t session_id, int32_t timeout_ms,
                           const void *owner)
{
    struct session_tracker *tracker = zks->quorum.core->session_tracker;
    if (tracker->ops->is_local_sessions_enabled(tracker) &&
        !upgradeable_session_tracker_is_global(tracker, session_id))
        return false;
    return tracker->ops->touch_session(tracker, session_id, timeout_ms) &&
           tracker->ops->set_owner(tracker, session_id, owner) == ZK_OK;
}

bool leader_zookeeper_server_revalidate(struct leader_zookeeper_server *zks, int64_t session_id, int32_t timeout_ms,
                                        const void *owner)
{
    rw_lock_read(&zks->gate);
    bool is_valid = zks->is_open && revalidate_for(zks, session_id, timeout_ms, owner);
    rw_lock_unlock_read(&zks->gate);
    return is_valid;
}
