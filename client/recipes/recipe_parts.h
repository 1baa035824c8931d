/*
 * What the recipes have in common. They are written as a program of a user would be, on zookeeper.h and threads of
 * POSIX alone; nothing of common/ is in here.
 */
#ifndef ZKC_CLIENT_RECIPES_RECIPE_PARTS_H
#define ZKC_CLIENT_RECIPES_RECIPE_PARTS_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "client/zookeeper.h"

/* Memory that is never missing: the process ends when it is. */
void *recipe_alloc(size_t size);
void *recipe_resize(void *memory, size_t size);
char *recipe_copy(const char *text);
/* "path/name", and "/name" below "/"; free(). */
char *recipe_join(const char *path, const char *name);

/* Makes the node and what is missing above it, plain and empty. ZOK when it is there. */
int recipe_make_path(zhandle_t *zh, const char *path, const struct ACL_vector *acl);

/* The children whose names start with `prefix` and end in a number, which stands behind the last '-'. */
struct recipe_child {
    char *name;
    int64_t number;
};
struct recipe_children {
    struct recipe_child *items;    /* by number, then by name */
    size_t count;
};
/* Takes the names over; *names is empty afterwards. */
void recipe_children_init(struct recipe_children *children, struct String_vector *names, const char *prefix);
void recipe_children_release(struct recipe_children *children);

/* The connection may come back, and another attempt succeed. */
bool recipe_is_transient(int rc);
/* What a watch tells is that the session is over. */
bool recipe_is_end_of_session(int event_type, int state);

/*
 * A watch can fire when what it was for has long been freed. So its context is no pointer but a number, under which
 * there is something, or nothing any more.
 */
struct recipe_handle;
struct recipe_visit {    /* somebody is inside; on the stack */
    struct recipe_handle *handle;
    pthread_t thread;
    struct recipe_visit *next;
};
struct recipe_handle *recipe_handle_new(void *owner);
uint64_t recipe_handle_number(const struct recipe_handle *handle);
/* For watches and completions. */
void *recipe_handle_context(const struct recipe_handle *handle);
/* The owner, which lives until the visit ends; NULL: it is gone, and there is no visit. */
void *recipe_visit_context(struct recipe_visit *visit, const void *context);
/* By a call of a user, while the owner is known to live. */
void recipe_visit_handle(struct recipe_visit *visit, struct recipe_handle *handle);
void recipe_visit_end(struct recipe_visit *visit);
/* In a visit, after somebody else's code ran: the owner is gone, and must not be touched. */
bool recipe_visit_is_void(const struct recipe_visit *visit);
/* No visit begins any more; waits for those of other threads. */
void recipe_handle_end(struct recipe_handle *handle);

#endif
