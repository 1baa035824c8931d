/* Removes old snapshots and the logs nobody needs after that. Mirrors PurgeTxnLog. */
#ifndef ZKC_SERVER_PERSISTENCE_PURGE_TXN_LOG_H
#define ZKC_SERVER_PERSISTENCE_PURGE_TXN_LOG_H

#include <stddef.h>

#include "common/base/error.h"

#define PURGE_LEAST_SNAPSHOTS 3

/*
 * Keeps the newest `keep` snapshots that look valid (RELIABILITY 3231: damaged ones do not count), and every log that
 * may hold a transaction after the oldest of them. Directories as in zoo.cfg, without version-2. Tells `removed` (may
 * be NULL) of each file that went. ZK_BAD_ARGUMENTS for keep < 3.
 */
int purge_txn_log(const char *data_log_dir, const char *data_dir, size_t keep,
                  void (*removed)(void *context, const char *path), void *context, struct error *error);

#endif
