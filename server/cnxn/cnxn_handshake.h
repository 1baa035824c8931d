/*
 * From an accepted socket to a peer that is known: TLS or not, the handshake, the ids by the certificate. Mirrors
 * NettyServerCnxnFactory.DualModeSslHandler and CertificateVerifier. Called by the connection's selector, or the worker
 * it is lent to; none of it blocks.
 */
#ifndef ZKC_SERVER_CNXN_CNXN_HANDSHAKE_H
#define ZKC_SERVER_CNXN_CNXN_HANDSHAKE_H

#include "server/cnxn/server_cnxn.h"

/* The stream of an accepted socket, as the port has it, and what its connection begins with. */
struct stream *cnxn_handshake_new_stream(struct server_cnxn_factory *factory, int fd, const struct address *peer,
                                         enum handshake_state *ret_state);
/* Goes on with what the socket has; over when cnxn->handshake says so. False: the connection must be closed. */
bool cnxn_handshake_go_on(struct server_cnxn *cnxn);
/* Its time is over: counts and says so. The caller closes the connection. */
void cnxn_handshake_time_out(struct server_cnxn *cnxn);
/* The connection is being closed: it is not in progress any more. */
void cnxn_handshake_abandon(struct server_cnxn *cnxn);

#endif
