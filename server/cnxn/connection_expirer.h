/*
 * Closes connections that stay silent longer than their session's time-out, or that never made a session. Mirrors
 * NIOServerCnxnFactory.ConnectionExpirerThread; thread "ConnnectionExpirer" as Java spells it.
 */
#ifndef ZKC_SERVER_CNXN_CONNECTION_EXPIRER_H
#define ZKC_SERVER_CNXN_CONNECTION_EXPIRER_H

#include <stdint.h>

struct connection_expirer;
/* `expire` closes what has expired by now and returns the ms until it should look again; it is told how many ms
 * of these the process stood still. */
struct connection_expirer *connection_expirer_start(int64_t (*expire)(void *context, int64_t late_ms), void *context);
void connection_expirer_stop(struct connection_expirer *expirer);    /* NULL is accepted */

#endif
