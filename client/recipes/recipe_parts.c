/* recipe_parts.c - paths, children by number, and contexts of watches that cannot dangle. */
#include "client/recipes/recipe_parts.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- memory and paths ---- */

void *recipe_resize(void *memory, size_t size)
{
    void *resized = realloc(memory, size > 0 ? size : 1);
    if (resized == NULL) {
        fprintf(stderr, "libzkrecipes: out of memory, %zu bytes were wanted\n", size);
        abort();
    }
    return resized;
}

void *recipe_alloc(size_t size)
{
    return memset(recipe_resize(NULL, size), 0, size);
}

char *recipe_copy(const char *text)
{
    size_t size = strlen(text) + 1;
    return memcpy(recipe_resize(NULL, size), text, size);
}

char *recipe_join(const char *path, const char *name)
{
    const char *above = strcmp(path, "/") == 0 ? "" : path;
    size_t size = strlen(above) + 1 + strlen(name) + 1;
    char *joined = recipe_resize(NULL, size);
    snprintf(joined, size, "%s/%s", above, name);
    return joined;
}

int recipe_make_path(zhandle_t *zh, const char *path, const struct ACL_vector *acl)
{
    int rc = zoo_create(zh, path, NULL, 0, acl, 0, NULL, 0);
    if (rc == ZNODEEXISTS)
        return ZOK;
    const char *slash = strrchr(path, '/');
    if (rc != ZNONODE || slash == NULL || slash == path)
        return rc;
    char *above = recipe_copy(path);
    above[slash - path] = '\0';
    rc = recipe_make_path(zh, above, acl);
    free(above);
    if (rc != ZOK)
        return rc;
    rc = zoo_create(zh, path, NULL, 0, acl, 0, NULL, 0);
    return rc == ZNODEEXISTS ? ZOK : rc;
}

/* ---- children ---- */

/* A number that ran over is negative, and has a '-' of its own in front. */
static bool number_of(const char *name, int64_t *ret_number)
{
    const char *last = strrchr(name, '-');
    if (last == NULL)
        return false;
    if (last > name && last[-1] == '-')
        last--;
    char *end;
    errno = 0;
    long long number = strtoll(last + 1, &end, 10);
    *ret_number = number;
    return end != last + 1 && *end == '\0' && errno == 0;
}

static int by_number(const void *a, const void *b)
{
    const struct recipe_child *x = a, *y = b;
    if (x->number != y->number)
        return x->number < y->number ? -1 : 1;
    return strcmp(x->name, y->name);
}

void recipe_children_init(struct recipe_children *children, struct String_vector *names, const char *prefix)
{
    size_t most = names->count > 0 ? (size_t)names->count : 0;
    children->count = 0;
    children->items = recipe_alloc((most + 1) * sizeof(*children->items));
    for (size_t i = 0; i < most; i++) {
        struct recipe_child child = { names->data[i], 0 };
        if (strncmp(child.name, prefix, strlen(prefix)) != 0 || !number_of(child.name, &child.number))
            continue;
        names->data[i] = NULL;
        children->items[children->count++] = child;
    }
    deallocate_String_vector(names);
    qsort(children->items, children->count, sizeof(*children->items), by_number);
}

void recipe_children_release(struct recipe_children *children)
{
    for (size_t i = 0; i < children->count; i++)
        free(children->items[i].name);
    free(children->items);
    *children = (struct recipe_children){ NULL, 0 };
}

/* ---- codes ---- */

bool recipe_is_transient(int rc)
{
    return rc == ZCONNECTIONLOSS || rc == ZOPERATIONTIMEOUT;
}

bool recipe_is_end_of_session(int event_type, int state)
{
    return event_type == ZOO_SESSION_EVENT && (state == ZOO_EXPIRED_SESSION_STATE || state == ZOO_AUTH_FAILED_STATE);
}

/* ---- handles ---- */

#define BUCKETS 64

struct recipe_handle {
    uint64_t number;
    void *owner;
    struct recipe_visit *visits;
    bool is_over;
    struct recipe_handle *next;    /* in its bucket, until it is over */
};

/* All that can still be found, of all sessions of this process. A number is given once. */
static struct {
    pthread_mutex_t lock;
    pthread_cond_t visit_ended;
    uint64_t last_number;
    struct recipe_handle *buckets[BUCKETS];
} all = { .lock = PTHREAD_MUTEX_INITIALIZER, .visit_ended = PTHREAD_COND_INITIALIZER };

struct recipe_handle *recipe_handle_new(void *owner)
{
    struct recipe_handle *handle = recipe_alloc(sizeof(*handle));
    handle->owner = owner;
    pthread_mutex_lock(&all.lock);
    handle->number = ++all.last_number;
    handle->next = all.buckets[handle->number % BUCKETS];
    all.buckets[handle->number % BUCKETS] = handle;
    pthread_mutex_unlock(&all.lock);
    return handle;
}

uint64_t recipe_handle_number(const struct recipe_handle *handle)
{
    return handle->number;
}

void *recipe_handle_context(const struct recipe_handle *handle)
{
    return (void *)(uintptr_t)handle->number;
}

/* With the lock held. */
static void begin_visit(struct recipe_visit *visit, struct recipe_handle *handle)
{
    *visit = (struct recipe_visit){ handle, pthread_self(), handle->visits };
    handle->visits = visit;
}

void *recipe_visit_context(struct recipe_visit *visit, const void *context)
{
    uint64_t number = (uintptr_t)context;
    void *owner = NULL;
    pthread_mutex_lock(&all.lock);
    struct recipe_handle *handle = all.buckets[number % BUCKETS];
    while (handle != NULL && handle->number != number)
        handle = handle->next;
    if (handle != NULL) {
        begin_visit(visit, handle);
        owner = handle->owner;
    }
    pthread_mutex_unlock(&all.lock);
    return owner;
}

void recipe_visit_handle(struct recipe_visit *visit, struct recipe_handle *handle)
{
    pthread_mutex_lock(&all.lock);
    begin_visit(visit, handle);
    pthread_mutex_unlock(&all.lock);
}

void recipe_visit_end(struct recipe_visit *visit)
{
    struct recipe_handle *handle = visit->handle;
    pthread_mutex_lock(&all.lock);
    struct recipe_visit **at = &handle->visits;
    while (*at != visit)
        at = &(*at)->next;
    *at = visit->next;
    pthread_cond_broadcast(&all.visit_ended);
    bool is_last = handle->is_over && handle->visits == NULL;
    pthread_mutex_unlock(&all.lock);
    if (is_last)
        free(handle);
}

bool recipe_visit_is_void(const struct recipe_visit *visit)
{
    pthread_mutex_lock(&all.lock);
    bool is_over = visit->handle->is_over;
    pthread_mutex_unlock(&all.lock);
    return is_over;
}

static bool has_visit_of_another(const struct recipe_handle *handle)
{
    for (const struct recipe_visit *visit = handle->visits; visit != NULL; visit = visit->next) {
        if (!pthread_equal(visit->thread, pthread_self()))
            return true;
    }
    return false;
}

void recipe_handle_end(struct recipe_handle *handle)
{
    struct recipe_visit own;
    pthread_mutex_lock(&all.lock);
    struct recipe_handle **at = &all.buckets[handle->number % BUCKETS];
    while (*at != handle)
        at = &(*at)->next;
    *at = handle->next;
    begin_visit(&own, handle);    /* so that nobody else frees it */
    handle->is_over = true;
    while (has_visit_of_another(handle))
        pthread_cond_wait(&all.visit_ended, &all.lock);
    pthread_mutex_unlock(&all.lock);
    recipe_visit_end(&own);
}
