/* client_event.c - what EventThread runs. */
#include "client/client_event.h"

#include "client/chroot.h"
#include "client/completion.h"
#include "client/zhandle.h"
#include "common/base/memory.h"

static void tell_watchers(zhandle_t *zh, const struct client_event *event)
{
    const char *path = event->path != NULL ? chroot_strip(zh->chroot, event->path) : "";
    for (size_t i = 0; i < event->callbacks.count; i++)
        event->callbacks.items[i].watcher(zh, event->type, event->state, path, event->callbacks.items[i].context);
}

void client_event_run(zhandle_t *zh, struct client_event *event)
{
    if (event->request != NULL)
        completion_call(zh, event->request);
    else if (event->auth_completion != NULL)
        event->auth_completion(event->auth_rc, event->auth_data);
    else
        tell_watchers(zh, event);
    client_event_release(event);
}

void client_event_list_add(struct client_event_list *list, const struct client_event *event)
{
    struct client_event *copy = memory_copy(event, sizeof(*event));
    copy->next = NULL;
    if (list->last != NULL)
        list->last->next = copy;
    else
        list->first = copy;
    list->last = copy;
    list->count++;
}

void client_event_list_move(struct client_event_list *to, struct client_event_list *from)
{
    if (from->first == NULL)
        return;
    if (to->last != NULL)
        to->last->next = from->first;
    else
        to->first = from->first;
    to->last = from->last;
    to->count += from->count;
    *from = (struct client_event_list){ 0 };
}

bool client_event_list_run_first(zhandle_t *zh, struct client_event_list *list)
{
    struct client_event *event = list->first;
    if (event == NULL)
        return false;
    list->first = event->next;
    if (list->first == NULL)
        list->last = NULL;
    list->count--;
    client_event_run(zh, event);
    memory_free(event);
    return true;
}

void client_event_release(struct client_event *event)
{
    pending_request_free(event->request);
    watch_callbacks_release(&event->callbacks);
    memory_free(event->path);
}
