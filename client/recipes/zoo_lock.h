/*
 * A lock that programs on many machines share.
 *
 * Who wants the lock makes an ephemeral sequential node below `path`; whose number is the lowest has it, and everybody
 * else watches the node before his own, so that a release wakes one. A program that dies loses its place when its
 * session expires. Interface and nodes are those of the lock recipe of Apache ZooKeeper, so C and Java programs that
 * use that one may stand in the same line. Link with -lzkrecipes -lzookeeper_mt.
 *
 *     static void on_change(int rc, void *data) { ... rc 0: the lock is ours; 1: it is no more ... }
 *     zkr_lock_mutex_t lock;
 *     zkr_lock_init_cb(&lock, zh, "/locks/printer", &ZOO_OPEN_ACL_UNSAFE, on_change, NULL);
 *     zkr_lock_lock(&lock);
 *     ...
 *     zkr_lock_unlock(&lock);
 *     zkr_lock_destroy(&lock);
 *
 * The lock is advice: between the expiry of a session and the moment its program hears of it, another one may hold the
 * lock already. Every call may be made from any thread and from every callback, zkr_lock_destroy() included.
 */
#ifndef ZOOKEEPER_LOCK_H_
#define ZOOKEEPER_LOCK_H_

#include <pthread.h>

#include "zookeeper.h"

#ifdef __cplusplus
extern "C" {
#endif

/*
 * rc 0: the lock is ours. rc 1: it is released, or lost, or will not come: unlocked, the session is over, somebody
 * deleted the node (then the lock is asked for again, at the end of the line). One call at a time for each lock.
 */
typedef void (*zkr_lock_completion)(int rc, void *cbdata);

struct zkr_lock_mutex {
    zhandle_t *zh;
    char *path;
    struct ACL_vector *acl;
    char *id;          /* name of our node; NULL: none. What it points to stays until zkr_lock_destroy(). */
    void *cbdata;
    zkr_lock_completion completion;
    pthread_mutex_t pmutex;
    int isOwner;
    char *ownerid;     /* name of the node that had the lock when we looked last; stays as `id` does */
    struct zkr_lock_private *priv;
};
typedef struct zkr_lock_mutex zkr_lock_mutex_t;

/* Fills the struct; nothing is sent. `path`, whose missing parents are made with `acl`, and `acl` must outlive it. */
ZOOAPI int zkr_lock_init(zkr_lock_mutex_t *mutex, zhandle_t *zh, const char *path, struct ACL_vector *acl);
ZOOAPI int zkr_lock_init_cb(zkr_lock_mutex_t *mutex, zhandle_t *zh, const char *path, struct ACL_vector *acl,
                            zkr_lock_completion completion, void *cbdata);

/*
 * Gets in line, and does not wait for the lock: ZOK means that we stand there; zkr_lock_isowner() says whether we are
 * first, and the completion tells of every change. ZCONNECTIONLOSS or ZOPERATIONTIMEOUT: the attempt goes on when the
 * connection is back, until zkr_lock_unlock(). Any other code: it is over (no permission, session gone).
 */
ZOOAPI int zkr_lock_lock(zkr_lock_mutex_t *mutex);
/*
 * Leaves the line, whether we were first or not. ZCONNECTIONLOSS or ZOPERATIONTIMEOUT: the node is deleted when the
 * connection is back, also after zkr_lock_destroy(). ZSYSTEMERROR: we did not stand in line.
 */
ZOOAPI int zkr_lock_unlock(zkr_lock_mutex_t *mutex);

ZOOAPI void zkr_lock_setcallback(zkr_lock_mutex_t *mutex, zkr_lock_completion completion);
ZOOAPI zkr_lock_completion zkr_lock_getcallback(zkr_lock_mutex_t *mutex);

/* Frees what the struct has. It does not unlock: the node of a lock that is held stays until the session ends. No
 * callback comes afterwards; one that is running is waited for, unless it is the caller. */
ZOOAPI int zkr_lock_destroy(zkr_lock_mutex_t *mutex);

ZOOAPI char *zkr_lock_getpath(zkr_lock_mutex_t *mutex);
/* 1: the lock is ours, as far as we have heard. */
ZOOAPI int zkr_lock_isowner(zkr_lock_mutex_t *mutex);
/* Who has the lock: `ownerid`, not `id`, as ever. */
ZOOAPI char *zkr_lock_getid(zkr_lock_mutex_t *mutex);

#ifdef __cplusplus
}
#endif
#endif
