/*
 * observer.c - finds whom to learn from, catches up, then takes over what was committed.
 *
 * Mirrors org.apache.zookeeper.server.quorum.Observer, and what QuorumPeer has for it: findLearnerMaster,
 * nextObserverMaster, updateObserverMasterList. Departs from Java: what does not follow what came before ends the link.
 */
#include "server/quorum/observer.h"

#include <inttypes.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/random.h"
#include "server/quorum/learner_parts.h"

#define INFORM_HEAD 8    /* the suggested leader in front of the transaction */

struct observer {
    struct learner learner;
    int64_t connected_ms;
    bool has_synced;
};

/* ---- whom to learn from ---- */

void learner_masters_release(struct learner_masters *masters)
{
    quorum_verifier_unref(masters->verifier);
    memory_free(masters->ids);
    *masters = (struct learner_masters){0};
}

static void list_masters(struct learner_masters *masters, struct quorum_verifier *verifier)
{
    learner_masters_release(masters);
    masters->verifier = quorum_verifier_ref(verifier);
    masters->ids = MEMORY_NEW_ARRAY(quorum_verifier_count(verifier), int64_t);
    for (size_t i = 0; i < quorum_verifier_count(verifier); i++) {
        int64_t id = quorum_verifier_at(verifier, i)->id;
        if (quorum_verifier_is_voter(verifier, id))
            masters->ids[masters->count++] = id;
    }
    for (size_t i = masters->count; i > 1; i--) {    /* so that not all observers fall upon the same one */
        size_t other = (size_t)random_below(i);
        int64_t id = masters->ids[i - 1];
        masters->ids[i - 1] = masters->ids[other];
        masters->ids[other] = id;
    }
}

/* waitForReconnectDelay: some time up to observer.reconnectDelayMs. */
static bool wait_for_reconnect_delay(struct learner *learner)
{
    int64_t most_ms = learner->self->options->observer_reconnect_delay_ms;
    return most_ms <= 0 || learner_pause(learner, (int64_t)random_below((uint64_t)most_ms));
}

/* The id of the next master where there are such, else of the leader; VOTE_NONE_ID when there is none. */
static int64_t find_learner_master(struct learner *learner, struct learner_masters *masters,
                                   struct quorum_verifier *verifier)
{
    bool uses_masters = learner->self->options->observer_master_port > 0;
    if (uses_masters && (masters->verifier == NULL || !quorum_verifier_equal(masters->verifier, verifier)))
        list_masters(masters, verifier);
    if (uses_masters && masters->count > 0) {
        if (masters->next >= masters->count) {
            masters->next = 0;
            wait_for_reconnect_delay(learner);    /* all of them were tried */
        }
        return masters->ids[masters->next++];
    }
    struct vote vote;
    wait_for_reconnect_delay(learner);
    return quorum_self_current_vote(learner->self, &vote) ? vote.id : VOTE_NONE_ID;
}

static int connect_to_master(struct observer *observer, struct learner_masters *masters, struct error *error)
{
    struct learner *learner = &observer->learner;
    struct quorum_verifier *verifier = quorum_self_verifier(learner->self);
    int64_t id = find_learner_master(learner, masters, verifier);
    quorum_verifier_unref(verifier);
    struct quorum_verifier *holder;
    const struct quorum_server *master;
    if (!quorum_self_find_server(learner->self, id, &holder, &master))
        return error_set(error, ZK_NOT_FOUND, "No learner master found");
    log_info("Observing new leader sid=%" PRId64, id);
    atomic_store(&learner->master_id, id);
    int err;
    if (learner->self->options->observer_master_port > 0) {
        struct quorum_address address = master->addresses[0];    /* its host is the holder's */
        address.port = (uint16_t)learner->self->options->observer_master_port;
        err = learner_connect(learner, &address, 1, error);
    } else {
        err = learner_connect(learner, master->addresses, master->address_count, error);
    }
    quorum_verifier_unref(holder);
    return err;
}

/* ---- packets ---- */

static int inform(struct learner *learner, struct error *error)
{
    server_metrics_count(learner->self->metrics, METRIC_LEARNER_COMMIT_RECEIVED_COUNT, 1);
    struct txn *txn;
    int err = learner_read_txn(learner, 0, &txn, error);
    if (err != ZK_OK)
        return err;
    err = learner_take_order(learner, txn->header.zxid, error);
    if (err == ZK_OK) {
        int64_t latency_ms = clock_wall_ms_since(txn->header.time);
        if (latency_ms >= 0)
            server_metrics_sample(learner->self->metrics, METRIC_COMMIT_PROPAGATION_LATENCY, latency_ms);
        observer_zookeeper_server_commit_request(learner->observer, request_new_from_txn(txn));
    }
    txn_unref(txn);
    return err;
}

static int inform_and_activate(struct learner *learner, struct error *error)
{
    struct txn *txn;
    int err = learner_read_txn(learner, INFORM_HEAD, &txn, error);
    if (err != ZK_OK)
        return err;
    struct quorum_verifier *verifier;
    bool is_major = false;
    err = learner_take_order(learner, txn->header.zxid, error);
    if (err == ZK_OK)
        err = learner_config_of(learner, txn, &verifier, error);
    if (err == ZK_OK) {
        is_major = quorum_self_process_reconfig(learner->self, verifier,
                                                (int64_t)load_be64(learner->packet.data.bytes), learner->packet.zxid,
                                                true);
        quorum_verifier_unref(verifier);
        observer_zookeeper_server_commit_request(learner->observer, request_new_from_txn(txn));
    }
    txn_unref(txn);
    return err == ZK_OK && is_major ? error_set(error, ZK_CLOSED, "changes proposed in reconfig") : err;
}

static int process_packet(struct learner *learner, struct error *error)
{
    switch (learner->packet.type) {
    case QP_PING:
        learner_answer_ping(learner);
        return ZK_OK;
    case QP_PROPOSAL:
        log_warn("Ignoring proposal");
        return ZK_OK;
    case QP_COMMIT:
        log_warn("Ignoring commit");
        return ZK_OK;
    case QP_UPTODATE:
        log_error("Received an UPTODATE message after Observer started");
        return ZK_OK;
    case QP_REVALIDATE:
        return learner_revalidate(learner, error);
    case QP_SYNC:
        observer_zookeeper_server_sync(learner->observer);
        return ZK_OK;
    case QP_INFORM:
        return inform(learner, error);
    case QP_INFORMANDACTIVATE:
        return inform_and_activate(learner, error);
    default:
        log_warn("Unknown packet type: %d", learner->packet.type);
        return ZK_OK;
    }
}

/* ---- observeLeader ---- */

static int synchronize(struct observer *observer, struct learner_masters *masters, struct error *error)
{
    struct learner *learner = &observer->learner;
    struct quorum_self *self = learner->self;
    int64_t new_leader_zxid;
    quorum_self_set_zab_state(self, ZAB_DISCOVERY);
    int err = connect_to_master(observer, masters, error);
    if (err != ZK_OK)
        return err;
    observer->connected_ms = clock_elapsed_ms();
    err = learner_register(learner, QP_OBSERVERINFO, &new_leader_zxid, error);
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
    observer->has_synced = true;
    server_metrics_sample(self->metrics, METRIC_OBSERVER_SYNC_TIME, clock_elapsed_ms() - start_ms);
    return ZK_OK;
}

int observer_observe_leader(struct observer *observer, struct learner_masters *masters, struct error *error)
{
    struct learner *learner = &observer->learner;
    int err = synchronize(observer, masters, error);
    while (err == ZK_OK) {
        err = learner_read_packet(learner, error);
        if (err == ZK_OK)
            err = process_packet(learner, error);
    }
    learner_end_batch(learner);
    atomic_store(&learner->master_id, -1);
    log_warn("Exception when observing the leader: %s", error->text);
    if (observer->connected_ms != 0)
        log_info("Disconnected from leader (with address: %s). Was connected for %" PRId64 "ms. Sync state: %s",
                 learner->leader_name, clock_elapsed_ms() - observer->connected_ms,
                 observer->has_synced ? "true" : "false");
    return err;
}

struct observer *observer_new(struct quorum_self *self, struct zookeeper_server *server)
{
    struct observer *observer = MEMORY_NEW(struct observer);
    learner_init(&observer->learner, self, server, true);
    return observer;
}

void observer_shutdown(struct observer *observer, const char *reason)
{
    learner_shutdown(&observer->learner, reason);
}

void observer_free(struct observer *observer)
{
    if (observer == NULL)
        return;
    learner_close(&observer->learner);
    learner_release(&observer->learner);
    memory_free(observer);
}

struct learner *observer_learner(struct observer *observer)
{
    return &observer->learner;
}
