/*
 * Appends a batch to the log, syncs it once, passes it on; starts snapshots. Mirrors SyncRequestProcessor; thread
 * "SyncThread:<id>", queue Q4, and "Snapshot Thread".
 */
#ifndef ZKC_SERVER_REQUEST_SYNC_REQUEST_PROCESSOR_H
#define ZKC_SERVER_REQUEST_SYNC_REQUEST_PROCESSOR_H

#include "server/request/server_core.h"

/*
 * Starts its thread, and with `snapshot_is_due` a snapshot beside it. Nothing is passed on before it is durable; after
 * a failed write or sync nothing is passed on any more and core->callbacks->fail is called. process() and flush() are
 * for one thread: what makes no transaction, and finds nothing in front of it, is passed on by that thread itself.
 */
struct request_processor *sync_request_processor_start(struct server_core *core, struct request_processor *next,
                                                       bool snapshot_is_due);

#endif
