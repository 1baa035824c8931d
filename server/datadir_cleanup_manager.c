/* datadir_cleanup_manager.c - the timer of the purge task. Mirrors DatadirCleanupManager and its PurgeTask. */
#include "server/datadir_cleanup_manager.h"

#include <inttypes.h>

#include "common/base/log.h"
#include "common/base/memory.h"
#include "common/thread/periodic_task.h"
#include "server/persistence/purge_txn_log.h"

#define HOUR_MS (60 * 60 * 1000)

struct datadir_cleanup_manager {
    const struct server_options *options;
    struct periodic_task *task;
};

static void tell(void *context, const char *path)
{
    (void)context;
    log_info("Removing file: %s", path);
}

static void purge_run(void *arg)
{
    const struct server_options *options = ((struct datadir_cleanup_manager *)arg)->options;
    struct error error = {0};
    log_info("Purge task started.");
    if (purge_txn_log(options->data_log_dir, options->data_dir, (size_t)options->autopurge_snap_retain_count, tell,
                      NULL, &error) != ZK_OK)
        log_error("Error occurred while purging: %s", error.text);
    log_info("Purge task completed.");
}

struct datadir_cleanup_manager *datadir_cleanup_manager_start(const struct server_options *options)
{
    log_info("autopurge.snapRetainCount set to %" PRId64 ", autopurge.purgeInterval set to %" PRId64,
             options->autopurge_snap_retain_count, options->autopurge_purge_interval);
    if (options->autopurge_purge_interval <= 0) {
        log_info("Purge task is not scheduled.");
        return NULL;
    }
    struct datadir_cleanup_manager *manager = MEMORY_NEW(struct datadir_cleanup_manager);
    manager->options = options;
    manager->task =
        periodic_task_start("PurgeTask", 0, options->autopurge_purge_interval * HOUR_MS, purge_run, manager);
    return manager;
}

void datadir_cleanup_manager_stop(struct datadir_cleanup_manager *manager)
{
    if (manager == NULL)
        return;
    log_info("Shutting down purge task.");
    periodic_task_stop(manager->task);
    memory_free(manager);
}
