/*
 * Until when connections must be through with their handshake: those of one selector, which alone calls this. Time is
 * given, not read. Mirrors the handshake time-out of Netty's SslHandler, and ssl.handshakeDetectionTimeoutMillis.
 */
#ifndef ZKC_SERVER_CNXN_HANDSHAKE_DEADLINES_H
#define ZKC_SERVER_CNXN_HANDSHAKE_DEADLINES_H

#include "server/cnxn/server_cnxn.h"

struct handshake_deadlines {
    int64_t detection_ms, handshake_ms;
    struct list detecting, shaking;    /* the first is due first */
};
/* `detection_ms`: to find out whether it is TLS; `handshake_ms`: for the handshake from then on. */
void handshake_deadlines_init(struct handshake_deadlines *deadlines, int64_t detection_ms, int64_t handshake_ms);
/* Holds the connection to the deadline of the state it is in, from when it was first seen in it; to none when it is
 * over. Takes no reference: it must be removed before it is freed. */
void handshake_deadlines_follow(struct handshake_deadlines *deadlines, struct server_cnxn *cnxn, int64_t now_ms);
void handshake_deadlines_remove(struct server_cnxn *cnxn);
/* When the next one is due; INT64_MAX: none. */
int64_t handshake_deadlines_next(const struct handshake_deadlines *deadlines);
/* Takes one that is due out; NULL when there is none. Call until NULL. One that cannot be closed now is due again when
 * it is followed next, if it is not through by then. */
struct server_cnxn *handshake_deadlines_take_due(struct handshake_deadlines *deadlines, int64_t now_ms);

#endif
