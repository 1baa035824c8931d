/*
 * zoo_queue.c - the queue recipe: a node for each element, in the order of their numbers.
 *
 * Takers that find nothing sleep until the watch on the list fires, which wakes all of them; who is late finds nothing
 * again. An element goes to the one whose delete succeeds.
 */
#include "client/recipes/zoo_queue.h"

#include <stdlib.h>
#include <string.h>

#include "client/recipes/recipe_parts.h"

#define PREFIX "qn-"

struct zkr_queue_private {
    struct recipe_handle *handle;
    pthread_cond_t changed;
    unsigned long changes;    /* watches that fired; under pmutex */
};

static void on_watch(zhandle_t *zh, int type, int state, const char *path, void *context)
{
    (void)zh, (void)path;
    struct recipe_visit visit;
    if (type == ZOO_SESSION_EVENT && !recipe_is_end_of_session(type, state))
        return;
    zkr_queue_t *queue = recipe_visit_context(&visit, context);
    if (queue == NULL)
        return;
    pthread_mutex_lock(&queue->pmutex);
    queue->priv->changes++;
    pthread_cond_broadcast(&queue->priv->changed);
    pthread_mutex_unlock(&queue->pmutex);
    recipe_visit_end(&visit);
}

ZOOAPI int zkr_queue_init(zkr_queue_t *queue, zhandle_t *zh, const char *path, struct ACL_vector *acl)
{
    if (queue == NULL || zh == NULL || path == NULL || path[0] != '/')
        return ZBADARGUMENTS;
    static char node_name[] = PREFIX;
    *queue = (zkr_queue_t){ .zh = zh, .path = (char *)(uintptr_t)path, .acl = acl, .node_name = node_name,
                            .node_name_length = (int)strlen(PREFIX),
                            .cached_create_path = recipe_join(path, PREFIX) };
    pthread_mutex_init(&queue->pmutex, NULL);
    queue->priv = recipe_alloc(sizeof(*queue->priv));
    pthread_cond_init(&queue->priv->changed, NULL);
    queue->priv->handle = recipe_handle_new(queue);
    return ZOK;
}

ZOOAPI int zkr_queue_offer(zkr_queue_t *queue, const char *data, int buffer_len)
{
    for (;;) {
        int rc = zoo_create(queue->zh, queue->cached_create_path, data, buffer_len, queue->acl, ZOO_SEQUENCE, NULL, 0);
        if (rc != ZNONODE)
            return rc;
        rc = recipe_make_path(queue->zh, queue->path, queue->acl);
        if (rc != ZOK)
            return rc;
    }
}

/* Reads one element, and deletes it if asked to. ZNONODE: somebody else took it. */
static int get_element(zkr_queue_t *queue, const char *name, bool is_taken, char *buffer, int *size)
{
    struct Stat stat = { 0 };
    int most = *size;
    char *path = recipe_join(queue->path, name);
    int rc = zoo_get(queue->zh, path, 0, buffer, size, &stat);
    if (rc == ZOK && stat.dataLength > most)
        rc = ZBADARGUMENTS;
    if (rc == ZOK && is_taken)
        rc = zoo_delete(queue->zh, path, -1);
    if (rc == ZOK && *size < 0)
        *size = 0;    /* an element without data is one */
    free(path);
    return rc;
}

/* All elements. With a watcher a queue that is missing is made, so that it can be watched. */
static int list(zkr_queue_t *queue, watcher_fn watcher, struct recipe_children *ret_children)
{
    struct String_vector names = { 0, NULL };
    void *context = recipe_handle_context(queue->priv->handle);
    int rc;
    while ((rc = zoo_wget_children(queue->zh, queue->path, watcher, context, &names)) == ZNONODE && watcher != NULL) {
        rc = recipe_make_path(queue->zh, queue->path, queue->acl);
        if (rc != ZOK)
            return rc;
    }
    if (rc == ZOK)
        recipe_children_init(ret_children, &names, PREFIX);
    return rc;
}

/* The first element that is still there. ZNONODE: there is none, and *ret_is_empty that there was none to try. */
static int get_first(zkr_queue_t *queue, watcher_fn watcher, bool is_taken, char *buffer, int *size,
                     bool *ret_is_empty)
{
    struct recipe_children children;
    int rc = list(queue, watcher, &children);
    *ret_is_empty = true;
    if (rc != ZOK)
        return rc;
    *ret_is_empty = children.count == 0;
    rc = ZNONODE;
    for (size_t i = 0; i < children.count && rc == ZNONODE; i++) {
        int left = *size;
        rc = get_element(queue, children.items[i].name, is_taken, buffer, &left);
        if (rc == ZOK)
            *size = left;
    }
    recipe_children_release(&children);
    return rc;
}

static int get_without_waiting(zkr_queue_t *queue, bool is_taken, char *buffer, int *buffer_len)
{
    bool is_empty = false;
    int rc = ZNONODE;
    while (rc == ZNONODE && !is_empty)
        rc = get_first(queue, NULL, is_taken, buffer, buffer_len, &is_empty);
    if (rc == ZOK)
        return ZOK;
    *buffer_len = -1;
    return rc == ZNONODE ? ZOK : rc;
}

ZOOAPI int zkr_queue_element(zkr_queue_t *queue, char *buffer, int *buffer_len)
{
    return get_without_waiting(queue, false, buffer, buffer_len);
}

ZOOAPI int zkr_queue_remove(zkr_queue_t *queue, char *buffer, int *buffer_len)
{
    return get_without_waiting(queue, true, buffer, buffer_len);
}

static unsigned long count_changes(zkr_queue_t *queue)
{
    pthread_mutex_lock(&queue->pmutex);
    unsigned long changes = queue->priv->changes;
    pthread_mutex_unlock(&queue->pmutex);
    return changes;
}

static void wait_for_change(zkr_queue_t *queue, unsigned long seen)
{
    pthread_mutex_lock(&queue->pmutex);
    while (queue->priv->changes == seen)
        pthread_cond_wait(&queue->priv->changed, &queue->pmutex);
    pthread_mutex_unlock(&queue->pmutex);
}

ZOOAPI int zkr_queue_take(zhandle_t *zh, zkr_queue_t *queue, char *buffer, int *buffer_len)
{
    (void)zh;
    for (;;) {
        bool is_empty;
        unsigned long seen = count_changes(queue);
        int rc = get_first(queue, on_watch, true, buffer, buffer_len, &is_empty);
        if (rc == ZOK)
            return ZOK;
        if (rc != ZNONODE) {
            *buffer_len = -1;
            return rc;
        }
        if (is_empty)
            wait_for_change(queue, seen);
    }
}

ZOOAPI void zkr_queue_destroy(zkr_queue_t *queue)
{
    struct zkr_queue_private *priv = queue->priv;
    if (priv == NULL)
        return;
    recipe_handle_end(priv->handle);
    pthread_cond_destroy(&priv->changed);
    pthread_mutex_destroy(&queue->pmutex);
    free(queue->cached_create_path);
    free(priv);
    queue->cached_create_path = NULL;
    queue->priv = NULL;
}
