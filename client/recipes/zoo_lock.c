/* zoo_lock.c - the lock recipe: a place in a line, and a struct that shows where we stand. */
#include "client/recipes/zoo_lock.h"

#include <stdlib.h>
#include <string.h>

#include "client/recipes/place_in_line.h"
#include "client/recipes/recipe_parts.h"

struct zkr_lock_private {
    struct place *place;
};

static void publish(void *owner, char *id, char *first, bool is_first)
{
    zkr_lock_mutex_t *mutex = owner;
    mutex->id = id;
    mutex->ownerid = first;
    mutex->isOwner = is_first;
}

static void notify(void *owner, int rc)
{
    zkr_lock_mutex_t *mutex = owner;
    zkr_lock_completion completion = mutex->completion;
    if (completion != NULL)
        completion(rc, mutex->cbdata);
}

ZOOAPI int zkr_lock_init_cb(zkr_lock_mutex_t *mutex, zhandle_t *zh, const char *path, struct ACL_vector *acl,
                            zkr_lock_completion completion, void *cbdata)
{
    if (mutex == NULL || zh == NULL || path == NULL || path[0] != '/')
        return ZBADARGUMENTS;
    const struct place_rules rules = { .zh = zh, .path = path, .acl = acl, .prefix = "x-", .owner = mutex,
                                       .publish = publish, .notify = notify };
    memset(mutex, 0, sizeof(*mutex));
    mutex->zh = zh;
    mutex->path = (char *)(uintptr_t)path;    /* the member is older than const */
    mutex->acl = acl;
    mutex->completion = completion;
    mutex->cbdata = cbdata;
    pthread_mutex_init(&mutex->pmutex, NULL);
    mutex->priv = recipe_alloc(sizeof(*mutex->priv));
    mutex->priv->place = place_new(&rules);
    return ZOK;
}

ZOOAPI int zkr_lock_init(zkr_lock_mutex_t *mutex, zhandle_t *zh, const char *path, struct ACL_vector *acl)
{
    return zkr_lock_init_cb(mutex, zh, path, acl, NULL, NULL);
}

ZOOAPI int zkr_lock_lock(zkr_lock_mutex_t *mutex)
{
    return place_join(mutex->priv->place);
}

ZOOAPI int zkr_lock_unlock(zkr_lock_mutex_t *mutex)
{
    return place_leave(mutex->priv->place);
}

ZOOAPI void zkr_lock_setcallback(zkr_lock_mutex_t *mutex, zkr_lock_completion completion)
{
    mutex->completion = completion;
}

ZOOAPI zkr_lock_completion zkr_lock_getcallback(zkr_lock_mutex_t *mutex)
{
    return mutex->completion;
}

ZOOAPI int zkr_lock_destroy(zkr_lock_mutex_t *mutex)
{
    struct zkr_lock_private *priv = mutex->priv;
    if (priv == NULL)
        return ZOK;
    place_free(priv->place);
    free(priv);
    pthread_mutex_destroy(&mutex->pmutex);
    mutex->priv = NULL;
    mutex->path = mutex->id = mutex->ownerid = NULL;
    mutex->acl = NULL;
    mutex->completion = NULL;
    mutex->isOwner = 0;
    return ZOK;
}

ZOOAPI char *zkr_lock_getpath(zkr_lock_mutex_t *mutex)
{
    return mutex->path;
}

ZOOAPI int zkr_lock_isowner(zkr_lock_mutex_t *mutex)
{
    return mutex->priv != NULL && place_is_first(mutex->priv->place);
}

ZOOAPI char *zkr_lock_getid(zkr_lock_mutex_t *mutex)
{
    return mutex->ownerid;
}
