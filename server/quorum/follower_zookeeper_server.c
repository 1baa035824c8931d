/*
 * follower_zookeeper_server.c - the server as a follower.
 *
 * Mirrors org.apache.zookeeper.server.quorum.FollowerZooKeeperServer.
 *
 *   clients --> FOLLOWER_REQUEST --> COMMIT --> final
 *   PROPOSAL --> SYNC --> send_ack --> leader
 *           '--> pending_txns --(COMMIT)--> COMMIT
 * (1) What is committed is the head of pending_txns: proposals and commits come in one order.
 */
#include "server/quorum/follower_zookeeper_server.h"

#include <inttypes.h>

#include "common/base/log.h"
#include "common/base/memory.h"
#include "common/wire/zxid.h"
#include "server/quorum/follower_request_processor.h"
#include "server/quorum/learner_zookeeper_server.h"
#include "server/quorum/send_ack_request_processor.h"
#include "server/request/final_request_processor.h"
#include "server/request/sync_request_processor.h"

struct follower_zookeeper_server {
    struct learner_zookeeper_server learner;    /* first */
    struct request_fifo pending_txns;
    _Atomic int64_t observer_count;             /* of an observer master */
};

/* ---- words ---- */

static void list_gauges(struct server_role *role, void (*gauge)(void *context, const char *name, int64_t value),
                        void *context)
{
    quorum_zookeeper_server_list_gauges(role, gauge, context);
    struct follower_zookeeper_server *zks = container_of(role, struct follower_zookeeper_server, learner.quorum.role);
    gauge(context, "synced_observers", atomic_load(&zks->observer_count));
}

static const struct role_ops follower_ops = {
    .state_name = "follower",
    .revalidate_session = learner_zookeeper_server_revalidate,
    .set_local_session_flag = quorum_zookeeper_server_set_local_session_flag,
    .global_outstanding_limit = quorum_zookeeper_server_outstanding_limit,
    .print_config = quorum_zookeeper_server_print_config,
    .list_values = quorum_zookeeper_server_list_values,
    .list_gauges = list_gauges,
    .print_conf = quorum_zookeeper_server_print_conf,
};

static struct request_processor *setup_request_processors(struct server_role *role, struct zookeeper_server *server)
{
    (void)server;
    struct follower_zookeeper_server *zks = container_of(role, struct follower_zookeeper_server, learner.quorum.role);
    struct learner_zookeeper_server *base = &zks->learner;
    struct server_core *core = base->quorum.core;
    base->final = final_request_processor_new(core);
    base->commit = commit_processor_start(core, true, base->final);
    base->first = follower_request_processor_start(core, base->learner, &base->pending_syncs,
                                                   commit_processor_base(base->commit));
    base->behind_sync = send_ack_request_processor_new(core, base->learner);
    base->sync = sync_request_processor_start(core, base->behind_sync, false);
    return base->first;
}

static const struct role_life follower_life = {
    .create_session_tracker = learner_zookeeper_server_make_tracker,
    .setup_request_processors = setup_request_processors,
    .shutdown_processors = learner_zookeeper_server_shutdown_processors,
    .free_processors = learner_zookeeper_server_free_processors,
    .has_session_tracker_thread = true,    /* of its local sessions, if it has any */
};

struct follower_zookeeper_server *follower_zookeeper_server_new(struct quorum_self *self,
                                                                struct zookeeper_server *server,
                                                                struct learner *learner)
{
    struct follower_zookeeper_server *zks = MEMORY_NEW(struct follower_zookeeper_server);
    learner_zookeeper_server_init(&zks->learner, &follower_ops, self, server, learner);
    return zks;
}

void follower_zookeeper_server_free(struct follower_zookeeper_server *zks)
{
    if (zks == NULL)
        return;
    request_fifo_release(&zks->pending_txns);
    learner_zookeeper_server_release(&zks->learner);
    memory_free(zks);
}

void follower_zookeeper_server_create_session_tracker(struct follower_zookeeper_server *zks)
{
    struct quorum_zookeeper_server *quorum = &zks->learner.quorum;
    zookeeper_server_create_session_tracker(quorum->server, &quorum->role, &follower_life);
}

void follower_zookeeper_server_startup(struct follower_zookeeper_server *zks)
{
    struct quorum_zookeeper_server *quorum = &zks->learner.quorum;
    zookeeper_server_startup(quorum->server, &quorum->role, &follower_life);
}

void follower_zookeeper_server_log_request(struct follower_zookeeper_server *zks, struct request *request)
{
    if (zxid_counter(request->zxid) != 0)
        request_fifo_put(&zks->pending_txns, request_ref(request));
    request_processor_process(zks->learner.sync, request);
}

const struct request *follower_zookeeper_server_pending_head(struct follower_zookeeper_server *zks)
{
    return request_fifo_first(&zks->pending_txns);
}

int follower_zookeeper_server_commit(struct follower_zookeeper_server *zks, int64_t zxid, struct error *error)
{
    struct request *head = request_fifo_first(&zks->pending_txns);
    if (head == NULL) {
        log_warn("Committing 0x%" PRIx64 " without seeing txn", (uint64_t)zxid);
        return error_set(error, ZK_NOT_FOUND, "a commit of 0x%" PRIx64 " came, which was not proposed", (uint64_t)zxid);
    }
    if (head->zxid != zxid)    /* (1) */
        return error_set(error, ZK_CORRUPT, "Committing zxid 0x%" PRIx64 " but next pending txn 0x%" PRIx64,
                         (uint64_t)zxid, (uint64_t)head->zxid);
    request_fifo_take(&zks->pending_txns);
    server_core_sample_since_txn(zks->learner.quorum.core, METRIC_COMMIT_PROPAGATION_LATENCY, head);
    commit_processor_commit(zks->learner.commit, head);
    return ZK_OK;
}

const void *follower_zookeeper_server_sync(struct follower_zookeeper_server *zks)
{
    return learner_zookeeper_server_sync(&zks->learner);
}

void follower_zookeeper_server_flush(struct follower_zookeeper_server *zks)
{
    learner_zookeeper_server_flush(&zks->learner);
}

void follower_zookeeper_server_touch_snapshot(struct follower_zookeeper_server *zks, struct buffer *out)
{
    learner_zookeeper_server_touch_snapshot(&zks->learner, out);
}

void follower_zookeeper_server_submit_observer_request(struct follower_zookeeper_server *zks, struct request *request)
{
    struct request_processor *first = zks->learner.first;
    request_processor_process(first, request);
    request_processor_flush(first);
}

void follower_zookeeper_server_touch(struct follower_zookeeper_server *zks, int64_t session_id, int32_t timeout_ms)
{
    struct session_tracker *tracker = zks->learner.quorum.core->session_tracker;
    tracker->ops->touch_session(tracker, session_id, timeout_ms);
}

void follower_zookeeper_server_set_observer_count(struct follower_zookeeper_server *zks, size_t count)
{
    atomic_store(&zks->observer_count, (int64_t)count);
}

size_t follower_zookeeper_server_pending_sync_count(struct follower_zookeeper_server *zks)
{
    return pending_syncs_count(&zks->learner.pending_syncs);
}
