/* async_calls.c - the asynchronous functions of zookeeper.h. */
#include "client/submit.h"

#include "client/auth_entry.h"
#include "client/client_socket.h"

#define TO(member, function) \
    (&(struct receiver){ .completion = { .member = (function) }, .data = data })

int zoo_acreate_ttl(zhandle_t *zh, const char *path, const char *value, int valuelen, const struct ACL_vector *acl,
                    int mode, int64_t ttl, string_completion_t completion, const void *data)
{
    return submit_create(zh, path, value, valuelen, acl, mode, ttl, false, TO(string_result, completion));
}

int zoo_acreate(zhandle_t *zh, const char *path, const char *value, int valuelen, const struct ACL_vector *acl,
                int mode, string_completion_t completion, const void *data)
{
    return zoo_acreate_ttl(zh, path, value, valuelen, acl, mode, -1, completion, data);
}

int zoo_acreate2_ttl(zhandle_t *zh, const char *path, const char *value, int valuelen, const struct ACL_vector *acl,
                     int mode, int64_t ttl, string_stat_completion_t completion, const void *data)
{
    return submit_create(zh, path, value, valuelen, acl, mode, ttl, true, TO(string_stat_result, completion));
}

int zoo_acreate2(zhandle_t *zh, const char *path, const char *value, int valuelen, const struct ACL_vector *acl,
                 int mode, string_stat_completion_t completion, const void *data)
{
    return zoo_acreate2_ttl(zh, path, value, valuelen, acl, mode, -1, completion, data);
}

int zoo_adelete(zhandle_t *zh, const char *path, int version, void_completion_t completion, const void *data)
{
    return submit_delete(zh, path, version, TO(void_result, completion));
}

int zoo_awexists(zhandle_t *zh, const char *path, watcher_fn watcher, void *watcherCtx, stat_completion_t completion,
                 const void *data)
{
    return submit_exists(zh, path, (struct watch_wish){ watcher, watcherCtx }, TO(stat_result, completion));
}

int zoo_aexists(zhandle_t *zh, const char *path, int watch, stat_completion_t completion, const void *data)
{
    return submit_exists(zh, path, watch_wish_default(zh, watch), TO(stat_result, completion));
}

int zoo_awget(zhandle_t *zh, const char *path, watcher_fn watcher, void *watcherCtx, data_completion_t completion,
              const void *data)
{
    return submit_get(zh, path, (struct watch_wish){ watcher, watcherCtx }, TO(data_result, completion));
}

int zoo_aget(zhandle_t *zh, const char *path, int watch, data_completion_t completion, const void *data)
{
    return submit_get(zh, path, watch_wish_default(zh, watch), TO(data_result, completion));
}

int zoo_awgetconfig(zhandle_t *zh, watcher_fn watcher, void *watcherCtx, data_completion_t completion, const void *data)
{
    return submit_get_config(zh, (struct watch_wish){ watcher, watcherCtx }, TO(data_result, completion));
}

int zoo_agetconfig(zhandle_t *zh, int watch, data_completion_t completion, const void *data)
{
    return submit_get_config(zh, watch_wish_default(zh, watch), TO(data_result, completion));
}

int zoo_areconfig(zhandle_t *zh, const char *joining, const char *leaving, const char *members, int64_t version,
                  data_completion_t dc, const void *data)
{
    return submit_reconfig(zh, joining, leaving, members, version, TO(data_result, dc));
}

int zoo_aset(zhandle_t *zh, const char *path, const char *buffer, int buflen, int version, stat_completion_t completion,
             const void *data)
{
    return submit_set(zh, path, buffer, buflen, version, TO(stat_result, completion));
}

int zoo_awget_children(zhandle_t *zh, const char *path, watcher_fn watcher, void *watcherCtx,
                       strings_completion_t completion, const void *data)
{
    return submit_get_children(zh, path, (struct watch_wish){ watcher, watcherCtx }, false,
                               TO(strings_result, completion));
}

int zoo_aget_children(zhandle_t *zh, const char *path, int watch, strings_completion_t completion, const void *data)
{
    return submit_get_children(zh, path, watch_wish_default(zh, watch), false, TO(strings_result, completion));
}

int zoo_awget_children2(zhandle_t *zh, const char *path, watcher_fn watcher, void *watcherCtx,
                        strings_stat_completion_t completion, const void *data)
{
    return submit_get_children(zh, path, (struct watch_wish){ watcher, watcherCtx }, true,
                               TO(strings_stat_result, completion));
}

int zoo_aget_children2(zhandle_t *zh, const char *path, int watch, strings_stat_completion_t completion,
                       const void *data)
{
    return submit_get_children(zh, path, watch_wish_default(zh, watch), true, TO(strings_stat_result, completion));
}

int zoo_async(zhandle_t *zh, const char *path, string_completion_t completion, const void *data)
{
    return submit_sync(zh, path, TO(string_result, completion));
}

int zoo_aget_acl(zhandle_t *zh, const char *path, acl_completion_t completion, const void *data)
{
    return submit_get_acl(zh, path, TO(acl_result, completion));
}

int zoo_aset_acl(zhandle_t *zh, const char *path, int version, struct ACL_vector *acl, void_completion_t completion,
                 const void *data)
{
    return submit_set_acl(zh, path, version, acl, TO(void_result, completion));
}

int zoo_amulti(zhandle_t *zh, int count, const zoo_op_t *ops, zoo_op_result_t *results, void_completion_t completion,
               const void *data)
{
    return submit_multi(zh, count, ops, results, TO(void_result, completion));
}

int zoo_amulti_read(zhandle_t *zh, int count, const zoo_read_op_t *ops, read_results_completion_t completion,
                    const void *data)
{
    return submit_multi_read(zh, count, ops, TO(read_results, completion));
}

int zoo_aadd_watch(zhandle_t *zh, const char *path, ZooAddWatchMode mode, watcher_fn watcher, void *watcherCtx,
                   void_completion_t completion, const void *data)
{
    return submit_add_watch(zh, path, mode, (struct watch_wish){ watcher, watcherCtx }, TO(void_result, completion));
}

/* The old binding declares the completion as a pointer to one and takes it for the function itself; so do its users. */
static void_completion_t as_function(void_completion_t *completion)
{
    return (void_completion_t)(uintptr_t)completion;
}

int zoo_aremove_watches(zhandle_t *zh, const char *path, ZooWatcherType wtype, watcher_fn watcher, void *watcherCtx,
                        int local, void_completion_t *completion, const void *data)
{
    return submit_remove_watches(zh, path, wtype, (struct watch_wish){ watcher, watcherCtx }, local != 0, false,
                                 TO(void_result, as_function(completion)));
}

int zoo_aremove_all_watches(zhandle_t *zh, const char *path, ZooWatcherType wtype, int local,
                            void_completion_t *completion, const void *data)
{
    return submit_remove_watches(zh, path, wtype, (struct watch_wish){ 0 }, local != 0, true,
                                 TO(void_result, as_function(completion)));
}

int zoo_aget_ephemerals(zhandle_t *zh, const char *prefix_path, strings_completion_t completion, const void *data)
{
    return submit_get_ephemerals(zh, prefix_path, TO(strings_result, completion));
}

int zoo_aget_all_children_number(zhandle_t *zh, const char *path, int_completion_t completion, const void *data)
{
    return submit_get_all_children_number(zh, path, TO(int_result, completion));
}

int zoo_awhoami(zhandle_t *zh, client_infos_completion_t completion, const void *data)
{
    return submit_whoami(zh, TO(client_infos_result, completion));
}

/* Not ordered with requests: it goes out at once, or with the next connection. */
int zoo_add_auth(zhandle_t *zh, const char *scheme, const char *cert, int certLen, void_completion_t completion,
                 const void *data)
{
    if (scheme == NULL)
        return ZBADARGUMENTS;
    int rc = zhandle_enter(zh);
    if (rc != ZOK)
        return rc;
    bool is_between = zoo_state(zh) == 0;    /* two connections (ZOOKEEPER-800) */
    if (!is_between) {
        struct auth_entry *entry = auth_entry_new(scheme, cert, certLen, completion, data);
        mutex_lock(&zh->lock);
        list_add_last(&zh->auths, &entry->link);
        if (zh->socket->phase == SOCKET_OPEN)
            auth_entry_write(entry, &zh->out);
        mutex_unlock(&zh->lock);
        adaptor_wake(zh);
    }
    zhandle_leave(zh);
    return is_between ? ZINVALIDSTATE : ZOK;
}

/* In no header, but programs may have found them: what zoo_add_auth() gave is locked with all else here. */
int zoo_lock_auth(zhandle_t *zh)
{
    return zh != NULL ? ZOK : ZBADARGUMENTS;
}

int zoo_unlock_auth(zhandle_t *zh)
{
    return zoo_lock_auth(zh);
}
