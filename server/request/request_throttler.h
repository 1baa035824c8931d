/*
 * A stall in front of the chain, for servers that are told to have one. Mirrors RequestThrottler; thread of the same
 * name, Q2. How many wait is core->requests_waiting.
 */
#ifndef ZKC_SERVER_REQUEST_REQUEST_THROTTLER_H
#define ZKC_SERVER_REQUEST_REQUEST_THROTTLER_H

#include "server/request/server_core.h"

/* Does this configuration want one: requestThrottleLimit or throttledOpWaitTime is set. */
bool request_throttler_is_wanted(const struct server_options *options);
/* `next` is what takes requests when it is their turn (submitRequestNow), on the throttler's thread. */
struct request_throttler *request_throttler_start(struct server_core *core, struct request_processor *next);

/* submitRequest: takes the reference; waits while Q2 is full. One that comes too late loses its connection. Any
 * thread. */
void request_throttler_submit(struct request_throttler *throttler, struct request *request);
/* End of a batch of submits. */
void request_throttler_flush(struct request_throttler *throttler);
/* throttleWake: a request left the chain. Any thread. */
void request_throttler_wake(struct request_throttler *throttler);

/* Takes no more; what waits has `grace_ms` to go on, then it loses its connections. Joins. */
void request_throttler_shutdown(struct request_throttler *throttler, int64_t grace_ms);
void request_throttler_free(struct request_throttler *throttler);    /* NULL is accepted */

#endif
