/* The thread that moves a client's bytes. Mirrors ClientCnxn.SendThread. */
#ifndef ZKC_CLIENT_SEND_THREAD_H
#define ZKC_CLIENT_SEND_THREAD_H

#include "client/zhandle.h"

struct send_thread;
struct send_thread *send_thread_start(zhandle_t *zh);
/* Looks again at what is to do; costs nothing while it is awake. Any thread. */
void send_thread_wake(struct send_thread *thread);
/* The handle is closing: waits until the session was closed, or could not be within the time. */
void send_thread_join(struct send_thread *thread);
void send_thread_free(struct send_thread *thread);    /* when nobody can wake it any more */

#endif
