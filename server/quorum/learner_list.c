/*
 * learner_list.c - from handlers that serve to threads that are joined.
 *
 *   start --> [ handlers ] --remove--> (stops its sender) --end--> [ ended ] --reap, join--> freed
 * (1) A handler is freed only by who joined its thread, and found only in `handlers` and under the lock.
 */
#include "server/quorum/learner_list.h"

#include <assert.h>

#include "server/quorum/learner_handler_parts.h"

static struct learner_handler *handler_of(struct list *link)
{
    return LIST_ENTRY(link, struct learner_handler, link);
}

void learner_list_init(struct learner_list *list)
{
    *list = (struct learner_list){ 0 };
    mutex_init(&list->lock);
    condition_init(&list->handler_ended);
    list_init(&list->handlers);
    list_init(&list->ended);
}

void learner_list_release(struct learner_list *list)
{
    assert(list->running == 0 && list_is_empty(&list->ended));
    condition_release(&list->handler_ended);
    mutex_release(&list->lock);
}

void learner_list_shutdown(struct learner_list *list)
{
    mutex_lock(&list->lock);
    list->is_shut_down = true;
    LIST_EACH (link, &list->handlers)
        quorum_channel_shutdown(handler_of(link)->channel);
    mutex_unlock(&list->lock);
}

void learner_list_join(struct learner_list *list)
{
    mutex_lock(&list->lock);
    assert(list->is_shut_down);
    while (list->running > 0)
        condition_wait(&list->handler_ended, &list->lock);
    mutex_unlock(&list->lock);
    learner_list_reap(list);
}

void learner_list_reap(struct learner_list *list)
{
    for (;;) {
        mutex_lock(&list->lock);
        bool is_empty = list_is_empty(&list->ended);
        struct learner_handler *handler = is_empty ? NULL : handler_of(list->ended.next);
        if (handler != NULL)
            list_remove(&handler->link);
        mutex_unlock(&list->lock);
        if (handler == NULL)
            return;
        thread_join(handler->thread);    /* (1) */
        learner_handler_free(handler);
    }
}

bool learner_list_start(struct learner_list *list, struct learner_handler *handler, const char *name,
                        void (*run)(void *arg))
{
    mutex_lock(&list->lock);
    bool may_start = !list->is_shut_down && list->running < LEARNER_LIST_MOST;
    if (may_start) {
        list->running++;
        handler->id = ++list->last_id;
        list_add_last(&list->handlers, &handler->link);
        handler->thread = thread_start(name, run, handler);
    }
    mutex_unlock(&list->lock);
    return may_start;
}

void learner_list_remove(struct learner_list *list, struct learner_handler *handler)
{
    mutex_lock(&list->lock);
    list_remove(&handler->link);
    handler->is_forwarding = handler->is_observing = false;
    mutex_unlock(&list->lock);
}

void learner_list_end(struct learner_list *list, struct learner_handler *handler)
{
    mutex_lock(&list->lock);
    list->running--;
    list_add_last(&list->ended, &handler->link);
    condition_broadcast(&list->handler_ended);
    mutex_unlock(&list->lock);
}
