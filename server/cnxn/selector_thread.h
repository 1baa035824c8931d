/*
 * Readiness of many connections, and their I/O, done here or lent to workers. Mirrors
 * NIOServerCnxnFactory.SelectorThread. Thread "NIOServerCxnFactory.SelectorThread-<n>"; Q1 brings sockets, Q7
 * connections that want something of it, and those that have something to be written, which whoever flushes does
 * himself if they are few.
 */
#ifndef ZKC_SERVER_CNXN_SELECTOR_THREAD_H
#define ZKC_SERVER_CNXN_SELECTOR_THREAD_H

#include "common/net/address.h"
#include "server/cnxn/server_cnxn.h"

struct selector_thread;
struct selector_thread *selector_thread_start(struct server_cnxn_factory *factory, int index);
/* Closes Q1 and, once workers have handed them back, all its connections after a last try to write; joins. */
void selector_thread_stop(struct selector_thread *selector);
/* When nobody can name its connections any more: the other selectors and the workers are joined. */
void selector_thread_free(struct selector_thread *selector);

/* AcceptThread: hands a socket over; waits while Q1 is full. ZK_OK or ZK_CLOSED (the socket stays the caller's). */
int selector_thread_add(struct selector_thread *selector, int fd, const struct address *peer);
/* Puts the connection on Q7, once; does not wake. */
void selector_thread_queue(struct selector_thread *selector, struct server_cnxn *cnxn);
/* The same for one that has something to be written and nothing else to be done. */
void selector_thread_queue_output(struct selector_thread *selector, struct server_cnxn *cnxn);
/* Wakes it if Q7 got something for it since it last looked. Waits for nobody. */
void selector_thread_wake(struct selector_thread *selector);
/* Writes what Q7 has to be written, if that is for a few connections, as far as their sockets take it at once; wakes
 * the selector for the rest. */
void selector_thread_flush(struct selector_thread *selector);

#endif
