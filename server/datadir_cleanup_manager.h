/* Purges old snapshots and logs every so many hours. Mirrors DatadirCleanupManager; thread "PurgeTask". */
#ifndef ZKC_SERVER_DATADIR_CLEANUP_MANAGER_H
#define ZKC_SERVER_DATADIR_CLEANUP_MANAGER_H

#include "server/config/server_options.h"

struct datadir_cleanup_manager;
/* NULL when autopurge.purgeInterval is 0. Options are borrowed. */
struct datadir_cleanup_manager *datadir_cleanup_manager_start(const struct server_options *options);
void datadir_cleanup_manager_stop(struct datadir_cleanup_manager *manager);    /* NULL is accepted */

#endif
