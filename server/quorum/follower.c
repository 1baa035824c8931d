/*
 * follower.c - finds the leader, catches up, then does what the leader's packets say.
 *
 * Mirrors org.apache.zookeeper.server.quorum.Follower. Packets are taken in as long as there are any; then what they
 * handed to SYNC and COMMIT is woken, once for all of them.
 */
#include "server/quorum/follower.h"

#include <inttypes.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/wire/op_code.h"
#include "server/quorum/learner_parts.h"
#include "server/quorum/observer_master.h"

struct follower {
    struct learner learner;
    struct observer_master_hook hook;
    struct observer_master *observer_master;    /* NULL unless observerMasterPort is set, and it follows */
    int64_t connected_ms;    /* elapsed, 0 before */
    bool has_synced;
};

/* ---- packets ---- */

static int take_config(struct learner *learner, const struct txn *txn, struct error *error)
{
    struct quorum_verifier *verifier;
    int err = learner_config_of(learner, txn, &verifier, error);
    if (err != ZK_OK)
        return err;
    err = quorum_self_set_last_seen_verifier(learner->self, verifier, true, error);
    quorum_verifier_unref(verifier);
    return err;
}

static int proposal(struct learner *learner, struct error *error)
{
    struct server_metrics *metrics = learner->self->metrics;
    server_metrics_count(metrics, METRIC_LEARNER_PROPOSAL_RECEIVED_COUNT, 1);
    struct txn *txn;
    int err = learner_read_txn(learner, 0, &txn, error);
    if (err != ZK_OK)
        return err;
    err = learner_take_order(learner, txn->header.zxid, error);
    if (err == ZK_OK && txn->header.type == OP_RECONFIG)
        err = take_config(learner, txn, error);
    if (err == ZK_OK) {
        int64_t latency_ms = clock_wall_ms_since(txn->header.time);
        if (latency_ms >= 0)
            server_metrics_sample(metrics, METRIC_PROPOSAL_LATENCY, latency_ms);
        follower_zookeeper_server_log_request(learner->follower, request_new_from_txn(txn));
    }
    txn_unref(txn);
    return err;
}

static struct observer_master *observer_master_of(struct learner *learner)
{
    return container_of(learner, struct follower, learner)->observer_master;
}

/* Observers hear of it before this server's tree has it. */
static void inform_observers(struct learner *learner)
{
    struct observer_master *master = observer_master_of(learner);
    const struct request *head = follower_zookeeper_server_pending_head(learner->follower);
    const struct received_packet *packet = &learner->packet;
    if (master == NULL || head == NULL || head->zxid != packet->zxid)
        return;
    int64_t start_ms = clock_elapsed_ms();
    if (packet->type == QP_COMMITANDACTIVATE)
        observer_master_inform_and_activate(master, head->zxid, (int64_t)load_be64(packet->data.bytes),
                                            head->txn->bytes);
    else
        observer_master_inform(master, head->zxid, head->txn->bytes);
    server_metrics_sample(learner->self->metrics, METRIC_OM_COMMIT_PROCESS_TIME, clock_elapsed_ms() - start_ms);
}

/* A commit that is not the next one: memory would run ahead of the leader's order. Java's process ends here. */
static int commit(struct learner *learner, struct error *error)
{
    inform_observers(learner);
    server_metrics_count(learner->self->metrics, METRIC_LEARNER_COMMIT_RECEIVED_COUNT, 1);
    int err = follower_zookeeper_server_commit(learner->follower, learner->packet.zxid, error);
    return err == ZK_NOT_FOUND ? ZK_OK : err;
}

static int commit_and_activate(struct learner *learner, struct error *error)
{
    const struct received_packet *packet = &learner->packet;
    if (packet->data.size < 8)
        return error_set(error, ZK_MARSHALLING_ERROR, "COMMITANDACTIVATE without a suggested leader");
    const struct request *head = follower_zookeeper_server_pending_head(learner->follower);
    if (head == NULL || head->zxid != packet->zxid)
        return error_set(error, ZK_CORRUPT, "COMMITANDACTIVATE of 0x%" PRIx64 ", which is not the next proposal",
                         (uint64_t)packet->zxid);
    struct quorum_verifier *verifier;
    int err = learner_config_of(learner, head->txn, &verifier, error);
    if (err != ZK_OK)
        return err;
    bool is_major = quorum_self_process_reconfig(learner->self, verifier, (int64_t)load_be64(packet->data.bytes),
                                                 packet->zxid, true);
    quorum_verifier_unref(verifier);
    err = commit(learner, error);
    return err == ZK_OK && is_major ? error_set(error, ZK_CLOSED, "changes proposed in reconfig") : err;
}

static void warn_of_packet(struct learner *learner)
{
    struct buffer text = {0};
    received_packet_print(&learner->packet, &text);
    log_warn("Unknown packet type: %s", buffer_string(&text));
    buffer_release(&text);
}

static void sync(struct learner *learner)
{
    const void *learner_handler = follower_zookeeper_server_sync(learner->follower);
    if (learner_handler != NULL && observer_master_of(learner) != NULL)
        observer_master_send_sync(observer_master_of(learner), learner_handler);
}

static int revalidate(struct learner *learner, struct error *error)
{
    struct slice data = learner->packet.data;
    if (observer_master_of(learner) != NULL && data.size >= 9 &&
        observer_master_revalidated(observer_master_of(learner), (int64_t)load_be64(data.bytes), data.bytes[8] != 0))
        return ZK_OK;
    return learner_revalidate(learner, error);
}

static int process_packet(struct learner *learner, struct error *error)
{
    switch (learner->packet.type) {
    case QP_PING:
        learner_answer_ping(learner);
        return ZK_OK;
    case QP_PROPOSAL:
        return proposal(learner, error);
    case QP_COMMIT:
        return commit(learner, error);
    case QP_COMMITANDACTIVATE:
        return commit_and_activate(learner, error);
    case QP_UPTODATE:
        log_error("Received an UPTODATE message after Follower started");
        return ZK_OK;
    case QP_REVALIDATE:
        return revalidate(learner, error);
    case QP_SYNC:
        sync(learner);
        return ZK_OK;
    default:
        warn_of_packet(learner);
        return ZK_OK;
    }
}

/* ---- observers ---- */

static struct follower *of_hook(struct observer_master_hook *hook)
{
    return container_of(hook, struct follower, hook);
}

static void ask_leader(struct observer_master_hook *self, int64_t session_id, int32_t timeout_ms)
{
    uint8_t bytes[12];
    store_be64(bytes, (uint64_t)session_id);
    store_be32(bytes + 8, (uint32_t)timeout_ms);
    struct slice data = {bytes, sizeof bytes};
    learner_write_packet(&of_hook(self)->learner, QP_REVALIDATE, -1, &data, true);
}

static void touch(struct observer_master_hook *self, int64_t session_id, int32_t timeout_ms)
{
    follower_zookeeper_server_touch(of_hook(self)->learner.follower, session_id, timeout_ms);
}

static void submit(struct observer_master_hook *self, struct request *request)
{
    follower_zookeeper_server_submit_observer_request(of_hook(self)->learner.follower, request);
}

static void observers_failed(struct observer_master_hook *self, const char *reason)
{
    learner_shutdown(&of_hook(self)->learner, reason);
}

/* The last zxid that was handed to the chain as committed. */
static int64_t last_committed(struct learner *learner)
{
    const struct request *head = follower_zookeeper_server_pending_head(learner->follower);
    if (head != NULL)
        return head->zxid - 1;
    if (learner->last_queued != 0)
        return learner->last_queued;
    return data_tree_last_processed_zxid(zk_database_tree(zookeeper_server_core(learner->server)->database));
}

static int start_observer_master(struct follower *follower, struct error *error)
{
    struct learner *learner = &follower->learner;
    int64_t port = learner->self->options->observer_master_port;
    if (port <= 0)
        return ZK_OK;
    log_info("Starting ObserverMaster");
    follower->hook = (struct observer_master_hook){ask_leader, touch, submit, observers_failed};
    return observer_master_start(learner->self, zookeeper_server_core(learner->server), (uint16_t)port,
                                 last_committed(learner), &follower->hook, &follower->observer_master, error);
}

/* While the chain still takes what its observers sent; it is not to wait for the leader then. */
static void stop_observer_master(struct follower *follower, const char *reason)
{
    if (follower->observer_master == NULL)
        return;
    learner_shutdown(&follower->learner, reason);
    observer_master_stop(follower->observer_master);
    follower->observer_master = NULL;
}

static void end_observers_batch(struct follower *follower)
{
    if (follower->observer_master == NULL || learner_has_packet(&follower->learner))
        return;
    observer_master_flush(follower->observer_master);
    follower_zookeeper_server_set_observer_count(follower->learner.follower,
                                                 observer_master_observer_count(follower->observer_master));
}

/* ---- followLeader ---- */

static int connect_to_leader(struct learner *learner, struct error *error)
{
    struct vote vote;
    struct quorum_verifier *holder;
    const struct quorum_server *leader;
    if (!quorum_self_current_vote(learner->self, &vote) ||
        !quorum_self_find_server(learner->self, vote.id, &holder, &leader))
        return error_set(error, ZK_NOT_FOUND, "Couldn't find the leader");
    int err = learner_connect(learner, leader->addresses, leader->address_count, error);
    quorum_verifier_unref(holder);
    return err;
}

static int synchronize(struct follower *follower, struct error *error)
{
    struct learner *learner = &follower->learner;
    struct quorum_self *self = learner->self;
    int64_t new_leader_zxid;
    quorum_self_set_zab_state(self, ZAB_DISCOVERY);
    int err = connect_to_leader(learner, error);
    if (err != ZK_OK)
        return err;
    follower->connected_ms = clock_elapsed_ms();
    err = learner_register(learner, QP_FOLLOWERINFO, &new_leader_zxid, error);
    if (err == ZK_OK && atomic_load(&self->is_reconfig_flag))
        err = error_set(error, ZK_CLOSED, "learned about role change");
    if (err != ZK_OK)
        return err;
    int64_t start_ms = clock_elapsed_ms();
    quorum_self_set_zab_state(self, ZAB_SYNCHRONIZATION);
    err = learner_sync_with_leader(learner, new_leader_zxid, error);
    if (err != ZK_OK)
        return err;
    quorum_self_set_zab_state(self, ZAB_BROADCAST);
    follower->has_synced = true;
    server_metrics_sample(self->metrics, METRIC_FOLLOWER_SYNC_TIME, clock_elapsed_ms() - start_ms);
    return ZK_OK;
}

int follower_follow_leader(struct follower *follower, struct error *error)
{
    struct learner *learner = &follower->learner;
    int err = synchronize(follower, error);
    if (err == ZK_OK)
        err = start_observer_master(follower, error);
    while (err == ZK_OK) {
        end_observers_batch(follower);
        err = learner_read_packet(learner, error);
        if (err == ZK_OK)
            err = process_packet(learner, error);
    }
    learner_end_batch(learner);
    stop_observer_master(follower, error->text);
    log_warn("Exception when following the leader: %s", error->text);
    if (follower->connected_ms != 0)
        log_info("Disconnected from leader (with address: %s). Was connected for %" PRId64 "ms. Sync state: %s",
                 learner->leader_name, clock_elapsed_ms() - follower->connected_ms,
                 follower->has_synced ? "true" : "false");
    return err;
}

struct follower *follower_new(struct quorum_self *self, struct zookeeper_server *server)
{
    struct follower *follower = MEMORY_NEW(struct follower);
    learner_init(&follower->learner, self, server, false);
    return follower;
}

void follower_shutdown(struct follower *follower, const char *reason)
{
    learner_shutdown(&follower->learner, reason);
}

void follower_free(struct follower *follower)
{
    if (follower == NULL)
        return;
    learner_close(&follower->learner);
    learner_release(&follower->learner);
    memory_free(follower);
}

struct learner *follower_learner(struct follower *follower)
{
    return &follower->learner;
}
