/*
 * The connection of a client: connecting, the handshake, pings and time-outs, frames out, answers and events in, and
 * what a lost connection means for all of these. Mirrors ClientCnxn.SendThread without the thread: the I/O thread asks
 * what to wait for and says what came.
 */
#ifndef ZKC_CLIENT_CLIENT_CNXN_H
#define ZKC_CLIENT_CLIENT_CNXN_H

#include "client/zhandle.h"

/* What is waited for: a socket (-1: none) for POLLER_* events, until a deadline (elapsed ms). */
struct client_interest {
    int fd;
    uint64_t connection;    /* changes with each, the number of a socket may come again */
    uint32_t events;
    int64_t deadline_ms;
};

struct client_socket *client_socket_new(void);
void client_socket_free(struct client_socket *socket);    /* NULL is accepted */

/*
 * The I/O thread's, in turns. ZOK; ZINVALIDSTATE when the session is over for good; the code of what ended the
 * connection, which is then given up and made anew at the next interest.
 */
int client_cnxn_interest(zhandle_t *zh, struct client_interest *ret_interest);
int client_cnxn_process(zhandle_t *zh, uint32_t events);    /* ZNOTHING: nothing was there to read */

/* Writes what waits, if the calling thread may: another one that writes will see to it as well. Any thread. */
void client_cnxn_write(zhandle_t *zh);

/* Closing: a close request goes out behind all others; then the I/O thread goes on until the server hung up. */
void client_cnxn_send_close(zhandle_t *zh);
bool client_cnxn_is_open(zhandle_t *zh);
/* All who wait get `rc`, and the connection is given up; the last thing the I/O thread does. */
void client_cnxn_finish(zhandle_t *zh, int rc);

#endif
