/*
 * Refuses what changes anything. Mirrors ReadOnlyRequestProcessor; thread "ReadOnlyRequestProcessor:<sid>", queue Q3.
 */
#ifndef ZKC_SERVER_QUORUM_READ_ONLY_REQUEST_PROCESSOR_H
#define ZKC_SERVER_QUORUM_READ_ONLY_REQUEST_PROCESSOR_H

#include "server/request/server_core.h"

/* Starts its thread; both are borrowed. process() and flush() may be called by any thread. */
struct request_processor *read_only_request_processor_start(struct server_core *core, struct request_processor *next);

#endif
