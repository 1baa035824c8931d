/* zoo_election.c - the election recipe: a place in a line whose nodes tell who stands there. */
#include "client/recipes/zoo_election.h"

#include <stdlib.h>

#include "client/recipes/place_in_line.h"
#include "client/recipes/recipe_parts.h"

#define PREFIX "candidate-"

struct zkr_election_private {
    zhandle_t *zh;
    char *path;
    zkr_election_completion completion;
    void *cbdata;
    struct place *place;
};

static void notify(void *owner, int rc)
{
    const struct zkr_election_private *priv = owner;
    if (priv->completion != NULL)
        priv->completion(rc, priv->cbdata);
}

ZOOAPI int zkr_election_init(zkr_election_t *election, zhandle_t *zh, const char *path, struct ACL_vector *acl,
                             const char *data, int data_len, zkr_election_completion completion, void *cbdata)
{
    if (election == NULL || zh == NULL || path == NULL || path[0] != '/' || (data == NULL && data_len > 0))
        return ZBADARGUMENTS;
    struct zkr_election_private *priv = recipe_alloc(sizeof(*priv));
    *priv = (struct zkr_election_private){ zh, recipe_copy(path), completion, cbdata, NULL };
    const struct place_rules rules = { .zh = zh, .path = path, .acl = acl, .prefix = PREFIX, .data = data,
                                       .data_size = data_len, .owner = priv, .notify = notify };
    priv->place = place_new(&rules);
    election->priv = priv;
    return ZOK;
}

ZOOAPI int zkr_election_start(zkr_election_t *election)
{
    return place_join(election->priv->place);
}

ZOOAPI int zkr_election_stop(zkr_election_t *election)
{
    return place_leave(election->priv->place);
}

ZOOAPI int zkr_election_is_leader(zkr_election_t *election)
{
    return place_is_first(election->priv->place);
}

/* ZNONODE: nobody stands there. */
static int get_first(const struct zkr_election_private *priv, char **ret_path)
{
    struct String_vector names = { 0, NULL };
    struct recipe_children children;
    int rc = zoo_get_children(priv->zh, priv->path, 0, &names);
    if (rc != ZOK)
        return rc;
    recipe_children_init(&children, &names, PREFIX);
    if (children.count > 0)
        *ret_path = recipe_join(priv->path, children.items[0].name);
    else
        rc = ZNONODE;
    recipe_children_release(&children);
    return rc;
}

ZOOAPI int zkr_election_get_leader(zkr_election_t *election, char *buffer, int *buffer_len)
{
    const struct zkr_election_private *priv = election->priv;
    int rc = ZNONODE;
    for (;;) {
        char *path;
        int size = *buffer_len;
        rc = get_first(priv, &path);
        if (rc != ZOK)
            return rc;
        rc = zoo_get(priv->zh, path, 0, buffer, &size, NULL);
        free(path);
        if (rc == ZNONODE)
            continue;    /* it went meanwhile, and the next one leads */
        if (rc == ZOK)
            *buffer_len = size > 0 ? size : 0;
        return rc;
    }
}

ZOOAPI void zkr_election_destroy(zkr_election_t *election)
{
    struct zkr_election_private *priv = election->priv;
    if (priv == NULL)
        return;
    place_free(priv->place);
    free(priv->path);
    free(priv);
    election->priv = NULL;
}
