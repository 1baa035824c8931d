/* Accepts and hands out round-robin. Mirrors NIOServerCnxnFactory.AcceptThread; thread of the same name. */
#ifndef ZKC_SERVER_CNXN_ACCEPT_THREAD_H
#define ZKC_SERVER_CNXN_ACCEPT_THREAD_H

#include "server/cnxn/server_cnxn_factory.h"

struct accept_thread;
/* Takes the listening socket over. */
struct accept_thread *accept_thread_start(struct server_cnxn_factory *factory, int listener, const char *address_text);
void accept_thread_stop(struct accept_thread *thread);    /* closes the socket, joins, frees; NULL is accepted */

#endif
