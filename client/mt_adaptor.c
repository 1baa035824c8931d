/*
 * mt_adaptor.c - a handle with threads of its own: SendThread and EventThread.
 *
 * Mirrors ClientCnxn.start and close. Closing, in this order: the close request behind all others, SendThread until the
 * server answered it, EventThread until all events were run, callers until they left, the handle.
 */
#include "client/adaptor.h"

#include "client/client_cnxn.h"
#include "client/event_thread.h"
#include "client/send_thread.h"
#include "client/zhandle.h"
#include "common/base/memory.h"

struct adaptor {
    struct send_thread *send;
    struct event_thread *events;
};

static void made_room(zhandle_t *zh)
{
    adaptor_wake(zh);
}

void adaptor_start(zhandle_t *zh)
{
    struct adaptor *adaptor = MEMORY_NEW(struct adaptor);
    zh->adaptor = adaptor;
    adaptor->events = event_thread_start(zh, made_room);
    adaptor->send = send_thread_start(zh);
}

void adaptor_wake(zhandle_t *zh)
{
    send_thread_wake(zh->adaptor->send);
}

void adaptor_put_event(zhandle_t *zh, struct client_event *event)
{
    event_thread_put(zh->adaptor->events, event);
}

void adaptor_flush(zhandle_t *zh)
{
    event_thread_flush(zh->adaptor->events);
}

bool adaptor_is_full(zhandle_t *zh)
{
    return event_thread_is_full(zh->adaptor->events);
}

void adaptor_begin_wait(zhandle_t *zh)
{
    if (!event_thread_is_current(zh->adaptor->events))
        return;
    event_thread_set_waiting(zh->adaptor->events, true);
    adaptor_wake(zh);
}

void adaptor_end_wait(zhandle_t *zh)
{
    if (event_thread_is_current(zh->adaptor->events))
        event_thread_set_waiting(zh->adaptor->events, false);
}

bool adaptor_must_not_wait(zhandle_t *zh)
{
    return event_thread_is_current(zh->adaptor->events);
}

static void free_all(zhandle_t *zh)
{
    send_thread_free(zh->adaptor->send);
    memory_free(zh->adaptor);
    zh->adaptor = NULL;
    zhandle_free(zh);
}

int adaptor_close(zhandle_t *zh)
{
    struct event_thread *events = zh->adaptor->events;
    bool is_callback = event_thread_is_current(events);
    client_cnxn_send_close(zh);
    send_thread_join(zh->adaptor->send);
    event_thread_close(events);
    zhandle_wait_for_calls(zh);
    if (is_callback) {
        event_thread_end_with(events, free_all);
        return ZOK;
    }
    event_thread_join(events);
    free_all(zh);
    return ZOK;
}

void adaptor_abandon(zhandle_t *zh)
{
    (void)zh;    /* the threads are the parent's */
}

/* The handle has its threads. */
int zookeeper_interest(zhandle_t *zh, int *fd, int *interest, struct timeval *tv)
{
    return zh == NULL || fd == NULL || interest == NULL || tv == NULL ? ZBADARGUMENTS : ZINVALIDSTATE;
}

int zookeeper_process(zhandle_t *zh, int events)
{
    (void)events;
    return zh == NULL ? ZBADARGUMENTS : ZINVALIDSTATE;
}
