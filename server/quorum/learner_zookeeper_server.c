/*
 * learner_zookeeper_server.c - the part of follower and observer that does not ask which of them it is.
 *
 * Mirrors org.apache.zookeeper.server.quorum.LearnerZooKeeperServer.
 */
#include "server/quorum/learner_zookeeper_server.h"

#include "common/base/log.h"
#include "server/quorum/learner_session_tracker.h"

static struct learner_zookeeper_server *zks_of(struct server_role *role)
{
    return container_of(role, struct learner_zookeeper_server, quorum.role);
}

void learner_zookeeper_server_init(struct learner_zookeeper_server *zks, const struct role_ops *ops,
                                   struct quorum_self *self, struct zookeeper_server *server, struct learner *learner)
{
    quorum_zookeeper_server_init(&zks->quorum, ops, self, server);
    zks->learner = learner;
    pending_syncs_init(&zks->pending_syncs);
}

void learner_zookeeper_server_release(struct learner_zookeeper_server *zks)
{
    pending_syncs_release(&zks->pending_syncs);
}

void learner_zookeeper_server_revalidate(struct server_role *role, struct server_cnxn *cnxn, int64_t session_id,
                                         int32_t timeout_ms)
{
    struct learner_zookeeper_server *zks = zks_of(role);
    struct session_tracker *tracker = zks->quorum.core->session_tracker;
    if (tracker->ops->is_local_session(tracker, session_id))
        zookeeper_server_finish_session_init(zks->quorum.server, cnxn,
                                             tracker->ops->touch_session(tracker, session_id, timeout_ms));
    else
        learner_validate_session(zks->learner, cnxn, session_id, timeout_ms);
}

struct session_tracker *learner_zookeeper_server_make_tracker(struct server_role *role,
                                                              struct zookeeper_server *server)
{
    (void)server;
    struct quorum_tracker_options options = quorum_zookeeper_server_tracker_options(&zks_of(role)->quorum);
    return learner_session_tracker_new(&options);
}

void learner_zookeeper_server_shutdown_processors(struct server_role *role)
{
    struct learner_zookeeper_server *zks = zks_of(role);
    zks->first->shutdown(zks->first);
    if (zks->sync != NULL)
        zks->sync->shutdown(zks->sync);
}

static void free_processor(struct request_processor **processor)
{
    if (*processor != NULL)
        (*processor)->free(*processor);
    *processor = NULL;
}

void learner_zookeeper_server_free_processors(struct server_role *role)
{
    struct learner_zookeeper_server *zks = zks_of(role);
    struct request_processor *commit = commit_processor_base(zks->commit);
    free_processor(&zks->first);
    free_processor(&commit);
    zks->commit = NULL;
    free_processor(&zks->final);
    free_processor(&zks->sync);
    free_processor(&zks->behind_sync);
}

const void *learner_zookeeper_server_sync(struct learner_zookeeper_server *zks)
{
    struct request *request = pending_syncs_take(&zks->pending_syncs);
    if (request == NULL) {
        log_warn("Not expecting a sync.");
        return NULL;
    }
    const void *learner_handler = request->learner_handler;
    commit_processor_commit(zks->commit, request);
    return learner_handler;
}

void learner_zookeeper_server_flush(struct learner_zookeeper_server *zks)
{
    if (zks->sync != NULL)
        request_processor_flush(zks->sync);
    commit_processor_wake(zks->commit);
}

void learner_zookeeper_server_touch_snapshot(struct learner_zookeeper_server *zks, struct buffer *out)
{
    struct session_tracker *tracker = zks->quorum.core->session_tracker;
    if (tracker != NULL)
        learner_session_tracker_snapshot(tracker, out);
}
