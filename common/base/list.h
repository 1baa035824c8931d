/* Intrusive doubly linked list. Not locked. */
#ifndef ZKC_COMMON_BASE_LIST_H
#define ZKC_COMMON_BASE_LIST_H

#include <stdbool.h>
#include <stddef.h>

#include "common/base/memory.h"

struct list {    /* a head, or a link in an element */
    struct list *next, *previous;
};

static inline void list_init(struct list *list) { list->next = list->previous = list; }
static inline bool list_is_empty(const struct list *list) { return list->next == list; }
static inline void list_insert_between(struct list *link, struct list *previous, struct list *next)
{
    link->previous = previous;
    link->next = next;
    previous->next = link;
    next->previous = link;
}
static inline void list_add_last(struct list *list, struct list *link)
{
    list_insert_between(link, list->previous, list);
}
static inline void list_add_first(struct list *list, struct list *link) { list_insert_between(link, list, list->next); }
/* Takes it out and leaves it empty, so that a second call does nothing. */
static inline void list_remove(struct list *link)
{
    link->previous->next = link->next;
    link->next->previous = link->previous;
    list_init(link);
}

#define LIST_ENTRY(link, type, member) container_of((link), type, member)
#define LIST_EACH(link, head) for (struct list *link = (head)->next; link != (head); link = link->next)
#define LIST_EACH_SAFE(link, head) \
    for (struct list *link = (head)->next, *link##_next = link->next; link != (head); \
         link = link##_next, link##_next = link->next)

#endif
