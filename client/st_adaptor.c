/*
 * st_adaptor.c - a handle without threads: the user's loop asks zookeeper_interest() what to wait for and tells
 * zookeeper_process(); callbacks run in there.
 *
 * Callbacks run when all else of a call is done, so that one of them may close the handle: the last deed of the call.
 */
#include "client/adaptor.h"

#include "client/client_cnxn.h"
#include "client/zhandle.h"
#include "common/base/clock.h"
#include "common/base/memory.h"
#include "common/net/socket.h"

#define CLOSE_TIMEOUT_MS 3000    /* for what was sent before, and the answer to the close request */
#define EVENT_LIMIT 16384        /* events that wait, before answers are left in the socket */

struct adaptor {
    struct client_event_list events;
    int depth;              /* of calls of the user's loop */
    bool must_free;         /* by the outermost of them */
};

void adaptor_start(zhandle_t *zh)
{
    zh->adaptor = MEMORY_NEW(struct adaptor);
}

void adaptor_wake(zhandle_t *zh)
{
    (void)zh;    /* the loop will ask again */
}

void adaptor_put_event(zhandle_t *zh, struct client_event *event)
{
    client_event_list_add(&zh->adaptor->events, event);
}

void adaptor_flush(zhandle_t *zh)
{
    (void)zh;
}

bool adaptor_is_full(zhandle_t *zh)
{
    return zh->adaptor->events.count >= EVENT_LIMIT;
}

/* There are no synchronous calls. */
void adaptor_begin_wait(zhandle_t *zh)
{
    (void)zh;
}

void adaptor_end_wait(zhandle_t *zh)
{
    (void)zh;
}

bool adaptor_must_not_wait(zhandle_t *zh)
{
    (void)zh;
    return true;
}

static void free_all(zhandle_t *zh)
{
    memory_free(zh->adaptor);
    zh->adaptor = NULL;
    zhandle_free(zh);
}

/* Every call of the loop ends here. */
static int leave(zhandle_t *zh, int rc)
{
    while (zh->adaptor->depth == 1 && client_event_list_run_first(zh, &zh->adaptor->events))
        continue;
    if (--zh->adaptor->depth == 0 && zh->adaptor->must_free)
        free_all(zh);
    return rc;
}

/* What was sent is answered, the session closed, as far as that goes within the time. */
static void finish_session(zhandle_t *zh)
{
    int64_t deadline_ms = clock_elapsed_ms() + CLOSE_TIMEOUT_MS;
    while (client_cnxn_is_open(zh) && clock_elapsed_ms() < deadline_ms) {
        struct client_interest interest;
        if (client_cnxn_interest(zh, &interest) != ZOK || interest.fd == -1)
            break;
        int64_t until_ms = interest.deadline_ms < deadline_ms ? interest.deadline_ms : deadline_ms;
        if (socket_wait(interest.fd, interest.events, until_ms) == ZK_OK)
            client_cnxn_process(zh, interest.events);
    }
    client_cnxn_finish(zh, ZCLOSING);
}

int adaptor_close(zhandle_t *zh)
{
    bool is_callback = zh->adaptor->depth > 0;
    client_cnxn_send_close(zh);
    finish_session(zh);
    if (is_callback) {
        zh->adaptor->must_free = true;
        return ZOK;
    }
    while (client_event_list_run_first(zh, &zh->adaptor->events))
        continue;
    free_all(zh);
    return ZOK;
}

void adaptor_abandon(zhandle_t *zh)
{
    (void)zh;
}

int zookeeper_interest(zhandle_t *zh, int *fd, int *interest, struct timeval *tv)
{
    struct client_interest wanted;
    if (zh == NULL || fd == NULL || interest == NULL || tv == NULL)
        return ZBADARGUMENTS;
    if (zhandle_is_forked(zh) || is_unrecoverable(zh))
        return ZINVALIDSTATE;
    zh->adaptor->depth++;
    int rc = client_cnxn_interest(zh, &wanted);
    int64_t left_ms = rc == ZOK ? wanted.deadline_ms - clock_elapsed_ms() : 0;
    if (left_ms < 0)
        left_ms = 0;
    if (left_ms > INT32_MAX)
        left_ms = INT32_MAX;
    *fd = wanted.fd;
    *interest =
        (wanted.events & POLLER_READ ? ZOOKEEPER_READ : 0) | (wanted.events & POLLER_WRITE ? ZOOKEEPER_WRITE : 0);
    tv->tv_sec = left_ms / 1000;
    tv->tv_usec = left_ms % 1000 * 1000;
    return leave(zh, rc);
}

int zookeeper_process(zhandle_t *zh, int events)
{
    if (zh == NULL)
        return ZBADARGUMENTS;
    if (zhandle_is_forked(zh) || is_unrecoverable(zh))
        return ZINVALIDSTATE;
    zh->adaptor->depth++;
    uint32_t came = (events & ZOOKEEPER_READ ? POLLER_READ : 0) | (events & ZOOKEEPER_WRITE ? POLLER_WRITE : 0);
    return leave(zh, client_cnxn_process(zh, came));
}
