/* What EventThread runs: an answer with its completion, watchers that are to be told, an answered addauth. */
#ifndef ZKC_CLIENT_CLIENT_EVENT_H
#define ZKC_CLIENT_CLIENT_EVENT_H

#include "client/pending_request.h"

struct client_event {
    struct client_event *next;             /* in a list */
    struct pending_request *request;       /* or NULL, then: */
    struct watch_callbacks callbacks;
    int type, state;                       /* of a watch event */
    char *path;                            /* the server's, owned; NULL for an event of the session */
    void_completion_t auth_completion;     /* if not NULL: an addauth, with: */
    const void *auth_data;
    int auth_rc;
};

struct client_event_list {    /* {0} is an empty one */
    struct client_event *first, *last;
    size_t count;
};
/* A copy of the event, with what it holds, at the end. */
void client_event_list_add(struct client_event_list *list, const struct client_event *event);
/* All of `from`, behind what is in `to`. */
void client_event_list_move(struct client_event_list *to, struct client_event_list *from);
/* Runs the first one and frees it; false when there is none. */
bool client_event_list_run_first(zhandle_t *zh, struct client_event_list *list);

/* Calls back and releases what the event holds. No lock may be held. */
void client_event_run(zhandle_t *zh, struct client_event *event);
/* Releases it without calling anybody. */
void client_event_release(struct client_event *event);

#endif
