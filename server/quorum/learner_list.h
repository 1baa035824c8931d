/*
 * The handlers of all learners of one master, and their threads' ends. Mirrors Leader.learners, forwardingFollowers and
 * observingLearners. Own lock, "learner list" of the lock order: behind the leader's, before Q8.
 */
#ifndef ZKC_SERVER_QUORUM_LEARNER_LIST_H
#define ZKC_SERVER_QUORUM_LEARNER_LIST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/list.h"
#include "common/thread/mutex.h"
#include "server/quorum/flexible/sid_set.h"

/* Connections at a time; more than any ensemble has. */
#define LEARNER_LIST_MOST 1024

struct learner_handler;
struct learner_list {
    struct mutex lock;
    struct condition handler_ended;
    struct list handlers GUARDED_BY(lock);    /* who may be sent to */
    struct list ended GUARDED_BY(lock);       /* whose threads are to be joined */
    size_t running GUARDED_BY(lock);          /* handlers, and those on their way from one list to the other */
    int64_t last_id GUARDED_BY(lock);
    bool is_shut_down GUARDED_BY(lock);
};
void learner_list_init(struct learner_list *list);
void learner_list_release(struct learner_list *list);    /* after learner_list_join() */

/* Any thread: no more handlers, and those that are there end. */
void learner_list_shutdown(struct learner_list *list);
/* Waits until all have ended, and joins them; after learner_list_shutdown(). */
void learner_list_join(struct learner_list *list);
/* Joins those that have ended; does not wait for others. */
void learner_list_reap(struct learner_list *list);

/* ---- for learner_handler.c ---- */
/* Gives it an id, 1 and up, never used again, and starts its thread. False, and nothing done: shut down, or too
 * many. */
bool learner_list_start(struct learner_list *list, struct learner_handler *handler, const char *name,
                        void (*run)(void *arg));
/* Nobody finds it any more. Its own thread. */
void learner_list_remove(struct learner_list *list, struct learner_handler *handler);
/* The last act of its thread. */
void learner_list_end(struct learner_list *list, struct learner_handler *handler);

#define LEARNER_LIST_EACH(link, list) LIST_EACH (link, &(list)->handlers)

#endif
