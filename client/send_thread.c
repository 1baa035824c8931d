/*
 * send_thread.c - asks the connection what to wait for, waits, says what came; until the session is over.
 *
 * (1) `is_asleep` is set before the connection is asked for the last time what there is to do: whoever adds something
 *     afterwards sees it and wakes.
 */
#include "client/send_thread.h"

#include <stdatomic.h>

#include "client/client_cnxn.h"
#include "common/base/clock.h"
#include "common/base/memory.h"
#include "common/net/poller.h"
#include "common/thread/thread.h"

#define CLOSE_TIMEOUT_MS 3000    /* for what was sent before, and the answer to the close request */

struct send_thread {
    zhandle_t *zh;
    struct thread *thread;
    struct poller *poller;
    _Atomic bool is_asleep;
    int fd;              /* in the poller; -1: none */
    uint64_t connection;
    uint32_t events;
    int64_t close_by_ms;
};

/* The poller watches that socket for those events and no other. One that was closed it has forgotten by itself. */
static void watch(struct send_thread *thread, const struct client_interest *interest)
{
    if (interest->fd != -1 && (thread->fd == -1 || thread->connection != interest->connection))
        poller_add(thread->poller, interest->fd, interest->events, thread, NULL);
    else if (interest->fd != -1 && thread->events != interest->events)
        poller_modify(thread->poller, interest->fd, interest->events, thread);
    thread->fd = interest->fd;
    thread->connection = interest->connection;
    thread->events = interest->events;
}

static bool must_end(struct send_thread *thread)
{
    zhandle_t *zh = thread->zh;
    mutex_lock(&zh->lock);
    bool is_closing = zh->is_closing;
    mutex_unlock(&zh->lock);
    if (!is_closing)
        return is_unrecoverable(zh);
    if (thread->close_by_ms == 0)
        thread->close_by_ms = clock_elapsed_ms() + CLOSE_TIMEOUT_MS;
    if (client_cnxn_is_open(zh) && clock_elapsed_ms() < thread->close_by_ms)
        return false;
    if (client_cnxn_is_open(zh))
        zh_warn(zh, "Timed out (%dms) during waiting for server's reply after sending a close request",
                CLOSE_TIMEOUT_MS);
    return true;
}

static void wait_for(struct send_thread *thread, const struct client_interest *interest)
{
    struct poller_event events[2];
    uint32_t came = 0;
    bool is_socket = false;
    int64_t deadline_ms = interest->deadline_ms;
    if (thread->close_by_ms != 0 && thread->close_by_ms < deadline_ms)
        deadline_ms = thread->close_by_ms;
    size_t count = poller_wait(thread->poller, events, ARRAY_SIZE(events), deadline_ms);
    atomic_store(&thread->is_asleep, false);
    for (size_t i = 0; i < count; i++) {
        if (events[i].data == NULL)
            continue;
        is_socket = true;
        came |= events[i].events;
    }
    if (is_socket || deadline_ms <= clock_elapsed_ms())
        client_cnxn_process(thread->zh, came);
}

static void send_thread_run(void *arg)
{
    struct send_thread *thread = arg;
    zhandle_t *zh = thread->zh;
    while (!must_end(thread)) {
        struct client_interest interest;
        atomic_store(&thread->is_asleep, true);    /* (1) */
        if (client_cnxn_interest(zh, &interest) != ZOK)
            continue;    /* the connection was given up, there will be another */
        watch(thread, &interest);
        wait_for(thread, &interest);
    }
    client_cnxn_finish(zh, is_unrecoverable(zh) ? ZSESSIONEXPIRED : ZCLOSING);
}

struct send_thread *send_thread_start(zhandle_t *zh)
{
    struct send_thread *thread = MEMORY_NEW(struct send_thread);
    thread->zh = zh;
    thread->fd = -1;
    thread->poller = poller_new();
    thread->thread = thread_start("SendThread", send_thread_run, thread);
    return thread;
}

void send_thread_wake(struct send_thread *thread)
{
    if (atomic_exchange(&thread->is_asleep, false))
        poller_wake(thread->poller);
}

void send_thread_join(struct send_thread *thread)
{
    poller_wake(thread->poller);
    thread_join(thread->thread);
}

void send_thread_free(struct send_thread *thread)
{
    poller_free(thread->poller);
    memory_free(thread);
}
