/*
 * Who drives a handle: its own threads (mt_adaptor.c), or the loop of the user (st_adaptor.c). Mirrors zk_adaptor.
 */
#ifndef ZKC_CLIENT_ADAPTOR_H
#define ZKC_CLIENT_ADAPTOR_H

#include "client/client_event.h"
#include "common/thread/mutex.h"

/* The handle is complete; from now on it is driven. */
void adaptor_start(zhandle_t *zh);
/* There is something to write, or the list of servers changed: the I/O thread looks again. Any thread, lock held or
 * not. */
void adaptor_wake(zhandle_t *zh);
/* From the I/O thread: hands an event on, in order; taken over. adaptor_flush() wakes whoever runs them. */
void adaptor_put_event(zhandle_t *zh, struct client_event *event);
void adaptor_flush(zhandle_t *zh);
/* So many events wait that the I/O thread should not read more answers for now. */
bool adaptor_is_full(zhandle_t *zh);
/* A synchronous call waits from now on, or does not any more: one of EventThread needs answers to be read meanwhile,
 * however many events wait. */
void adaptor_begin_wait(zhandle_t *zh);
void adaptor_end_wait(zhandle_t *zh);
/* Is this a thread that may not wait for room: EventThread, or there is no other thread. */
bool adaptor_must_not_wait(zhandle_t *zh);
/*
 * The handle is closing. Sees to it that the session is closed by the server, within a bound of time, that all events
 * were run, and frees the handle with adaptor_free(); at once, or, when called from a callback, after that returned.
 */
int adaptor_close(zhandle_t *zh);
/* After a fork, in the child: what there is is given up without a word to anybody. */
void adaptor_abandon(zhandle_t *zh);

/* A call that waits for its answer, on the stack of the caller. */
struct sync_call {
    struct mutex lock;
    struct condition done_condition;
    bool is_done;
    struct pending_request *request;    /* with the answer; the caller's once it is done */
};
void sync_call_init(struct sync_call *call);
void sync_call_wait(struct sync_call *call);
void sync_call_release(struct sync_call *call);
void sync_call_finish(struct pending_request *request);    /* by the I/O thread */

#endif
