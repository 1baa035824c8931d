/*
 * A place in a line of ephemeral sequential nodes: the lowest is first, and each watches the one before it. What the
 * lock and the election recipe are made of.
 */
#ifndef ZKC_CLIENT_RECIPES_PLACE_IN_LINE_H
#define ZKC_CLIENT_RECIPES_PLACE_IN_LINE_H

#include <stdbool.h>

#include "client/zookeeper.h"

struct place;
struct place_rules {
    zhandle_t *zh;
    const char *path;                 /* copied; made when it is missing */
    const struct ACL_vector *acl;     /* borrowed */
    const char *prefix;               /* of all nodes in the line: "x-" */
    const char *data;                 /* of our node; copied */
    int data_size;
    void *owner;                      /* for the two below */
    /* What stands now: `id` is our node, NULL for none, `first` the first one's. Both stay until the place is freed.
     * Called with the place locked: no call of it in there. May be NULL. */
    void (*publish)(void *owner, char *id, char *first, bool is_first);
    /* 0: we are first. 1: we have no place any more, or will not get one. Called unlocked, one at a time; every call
     * may be made in there, place_free() too. */
    void (*notify)(void *owner, int rc);
};
struct place *place_new(const struct place_rules *rules);
/*
 * No notification comes afterwards; one that is running in another thread is waited for. A place that is still held is
 * not given up: its node stays until the session ends. One that was left while there was no connection is freed later,
 * when its node could be deleted.
 */
void place_free(struct place *place);

/*
 * Gets in line. ZOK: we stand there, and notify() will tell. ZCONNECTIONLOSS, ZOPERATIONTIMEOUT: that goes on by itself
 * when the connection is back. Any other code: it is over.
 */
int place_join(struct place *place);
/* Gets out of it. ZSYSTEMERROR: we were not in. ZCONNECTIONLOSS, ZOPERATIONTIMEOUT: that goes on by itself. */
int place_leave(struct place *place);
bool place_is_first(struct place *place);

#endif
