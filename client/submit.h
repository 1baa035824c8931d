/*
 * One call of the user, as asynchronous and synchronous functions share it: checks, the request's fields, and whom to
 * tell. Each submit_...() returns ZOK when the request is on its way, and then tells; or why it is not, and does not.
 */
#ifndef ZKC_CLIENT_SUBMIT_H
#define ZKC_CLIENT_SUBMIT_H

#include "client/adaptor.h"
#include "client/zhandle.h"

/* Whom to tell: a completion, or a caller that waits. */
struct receiver {
    union completion completion;
    const void *data;
    struct sync_call *sync;    /* NULL: the completion */
};
/* A watcher to be set; `watcher` NULL: none. */
struct watch_wish {
    watcher_fn watcher;
    void *context;
};

/* The watcher of the handle, as it is now, for those who just say that they want one. */
struct watch_wish watch_wish_default(zhandle_t *zh, int watch);

int submit_create(zhandle_t *zh, const char *path, const char *value, int value_size, const struct ACL_vector *acl,
                  int mode, int64_t ttl, bool with_stat, const struct receiver *receiver);
int submit_delete(zhandle_t *zh, const char *path, int version, const struct receiver *receiver);
int submit_exists(zhandle_t *zh, const char *path, struct watch_wish wish, const struct receiver *receiver);
int submit_get(zhandle_t *zh, const char *path, struct watch_wish wish, const struct receiver *receiver);
int submit_get_config(zhandle_t *zh, struct watch_wish wish, const struct receiver *receiver);
int submit_set(zhandle_t *zh, const char *path, const char *value, int value_size, int version,
               const struct receiver *receiver);
int submit_get_children(zhandle_t *zh, const char *path, struct watch_wish wish, bool with_stat,
                        const struct receiver *receiver);
int submit_sync(zhandle_t *zh, const char *path, const struct receiver *receiver);
int submit_get_acl(zhandle_t *zh, const char *path, const struct receiver *receiver);
int submit_set_acl(zhandle_t *zh, const char *path, int version, const struct ACL_vector *acl,
                   const struct receiver *receiver);
int submit_reconfig(zhandle_t *zh, const char *joining, const char *leaving, const char *members, int64_t version,
                    const struct receiver *receiver);
int submit_multi(zhandle_t *zh, int count, const zoo_op_t *ops, zoo_op_result_t *results,
                 const struct receiver *receiver);
int submit_multi_read(zhandle_t *zh, int count, const zoo_read_op_t *ops, const struct receiver *receiver);
int submit_add_watch(zhandle_t *zh, const char *path, ZooAddWatchMode mode, struct watch_wish wish,
                     const struct receiver *receiver);
/* `is_all`: whoever watches; else the one of `wish` (NULL: anybody). Local: done when it returns, nobody is told. */
int submit_remove_watches(zhandle_t *zh, const char *path, ZooWatcherType type, struct watch_wish wish, bool is_local,
                          bool is_all, const struct receiver *receiver);
int submit_get_ephemerals(zhandle_t *zh, const char *prefix_path, const struct receiver *receiver);
int submit_get_all_children_number(zhandle_t *zh, const char *path, const struct receiver *receiver);
int submit_whoami(zhandle_t *zh, const struct receiver *receiver);

#endif
