/* The events of one client and the thread that runs them, in their order. Mirrors ClientCnxn.EventThread; Q14. */
#ifndef ZKC_CLIENT_EVENT_THREAD_H
#define ZKC_CLIENT_EVENT_THREAD_H

#include "client/client_event.h"

struct event_thread;
/* `made_room`: called by the thread when the queue, once full, has room again. */
struct event_thread *event_thread_start(zhandle_t *zh, void (*made_room)(zhandle_t *zh));
/* One thread at a time puts. Never waits: beyond the bound events are kept, and event_thread_is_full() says so. */
void event_thread_put(struct event_thread *thread, struct client_event *event);
void event_thread_flush(struct event_thread *thread);
bool event_thread_is_full(struct event_thread *thread);
/* A callback waits for an answer: the thread is not full as long as it does. By itself. */
void event_thread_set_waiting(struct event_thread *thread, bool waits);
bool event_thread_is_current(const struct event_thread *thread);
/* No more is put. What is there is still run. */
void event_thread_close(struct event_thread *thread);
/* From another thread, after _close(): waits for its end and frees it. */
void event_thread_join(struct event_thread *thread);
/* From a callback, after _close(): `then` is called by the thread when all was run, as its last deed. */
void event_thread_end_with(struct event_thread *thread, void (*then)(zhandle_t *zh));

#endif
