/*
 * observer_zookeeper_server.c - the server as an observer.
 *
 * Mirrors org.apache.zookeeper.server.quorum.ObserverZooKeeperServer.
 *
 *   clients --> OBSERVER_REQUEST --> COMMIT --> final
 *   INFORM --> SYNC, if observer.syncEnabled; and to COMMIT at once: others have it on their disks
 */
#include "server/quorum/observer_zookeeper_server.h"

#include <inttypes.h>
#include <stdio.h>

#include "common/base/log.h"
#include "common/base/memory.h"
#include "server/quorum/learner_zookeeper_server.h"
#include "server/quorum/observer_request_processor.h"
#include "server/request/final_request_processor.h"
#include "server/request/sync_request_processor.h"

struct observer_zookeeper_server {
    struct learner_zookeeper_server learner;    /* first */
};

/* ---- words ---- */

static void list_values(struct server_role *role, void (*value)(void *context, const char *name, const char *text),
                        void *context)
{
    struct observer_zookeeper_server *zks = container_of(role, struct observer_zookeeper_server, learner.quorum.role);
    char text[32];
    quorum_zookeeper_server_list_values(role, value, context);
    snprintf(text, sizeof text, "%" PRId64, learner_master_id(zks->learner.learner));
    value(context, "observer_master_id", text);
}

static const struct role_ops observer_ops = {
    .state_name = "observer",
    .revalidate_session = learner_zookeeper_server_revalidate,
    .set_local_session_flag = quorum_zookeeper_server_set_local_session_flag,
    .print_config = quorum_zookeeper_server_print_config,
    .list_values = list_values,
    .list_gauges = quorum_zookeeper_server_list_gauges,
    .print_conf = quorum_zookeeper_server_print_conf,
};

static struct request_processor *setup_request_processors(struct server_role *role, struct zookeeper_server *server)
{
    (void)server;
    struct observer_zookeeper_server *zks = container_of(role, struct observer_zookeeper_server, learner.quorum.role);
    struct learner_zookeeper_server *base = &zks->learner;
    struct server_core *core = base->quorum.core;
    base->final = final_request_processor_new(core);
    base->commit = commit_processor_start(core, true, base->final);
    base->first = observer_request_processor_start(core, base->learner, &base->pending_syncs,
                                                   commit_processor_base(base->commit));
    log_info("syncEnabled =%s", core->options->sync_enabled ? "true" : "false");
    if (core->options->sync_enabled)
        base->sync = sync_request_processor_start(core, NULL, false);
    return base->first;
}

static const struct role_life observer_life = {
    .create_session_tracker = learner_zookeeper_server_make_tracker,
    .setup_request_processors = setup_request_processors,
    .shutdown_processors = learner_zookeeper_server_shutdown_processors,
    .free_processors = learner_zookeeper_server_free_processors,
    .has_session_tracker_thread = true,    /* of its local sessions, if it has any */
};

struct observer_zookeeper_server *observer_zookeeper_server_new(struct quorum_self *self,
                                                                struct zookeeper_server *server,
                                                                struct learner *learner)
{
    struct observer_zookeeper_server *zks = MEMORY_NEW(struct observer_zookeeper_server);
    learner_zookeeper_server_init(&zks->learner, &observer_ops, self, server, learner);
    return zks;
}

void observer_zookeeper_server_free(struct observer_zookeeper_server *zks)
{
    if (zks == NULL)
        return;
    learner_zookeeper_server_release(&zks->learner);
    memory_free(zks);
}

void observer_zookeeper_server_create_session_tracker(struct observer_zookeeper_server *zks)
{
    struct quorum_zookeeper_server *quorum = &zks->learner.quorum;
    zookeeper_server_create_session_tracker(quorum->server, &quorum->role, &observer_life);
}

void observer_zookeeper_server_startup(struct observer_zookeeper_server *zks)
{
    struct quorum_zookeeper_server *quorum = &zks->learner.quorum;
    zookeeper_server_startup(quorum->server, &quorum->role, &observer_life);
}

void observer_zookeeper_server_commit_request(struct observer_zookeeper_server *zks, struct request *request)
{
    if (zks->learner.sync != NULL)
        request_processor_process(zks->learner.sync, request_ref(request));
    commit_processor_commit(zks->learner.commit, request);
}

void observer_zookeeper_server_sync(struct observer_zookeeper_server *zks)
{
    learner_zookeeper_server_sync(&zks->learner);
}

void observer_zookeeper_server_flush(struct observer_zookeeper_server *zks)
{
    learner_zookeeper_server_flush(&zks->learner);
}

void observer_zookeeper_server_touch_snapshot(struct observer_zookeeper_server *zks, struct buffer *out)
{
    learner_zookeeper_server_touch_snapshot(&zks->learner, out);
}

size_t observer_zookeeper_server_pending_sync_count(struct observer_zookeeper_server *zks)
{
    return pending_syncs_count(&zks->learner.pending_syncs);
}
