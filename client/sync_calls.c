/*
 * sync_calls.c - the synchronous functions of zookeeper.h: submit, sleep, take the answer apart in the caller's thread.
 *
 * What stands behind the caller's pointers is changed only when the call succeeds, as in the old binding.
 */
#include <string.h>

#include "client/chroot.h"
#include "client/completion.h"
#include "client/submit.h"

/* One call on its way: `reply` is filled by finish(). */
struct call {
    zhandle_t *zh;
    bool is_inside;             /* the handle stays until end() */
    struct sync_call sync;
    struct receiver receiver;
    struct decoded_reply reply;
};

static const struct receiver *begin(struct call *call, zhandle_t *zh)
{
    memset(call, 0, sizeof(*call));
    call->zh = zh;
    call->is_inside = zhandle_enter(zh) == ZOK;    /* if not, submitting says why */
    sync_call_init(&call->sync);
    call->receiver.sync = &call->sync;
    call->reply.data.size = -1;
    return &call->receiver;
}

/* rc: what submitting gave. Waits for the answer, if there will be one. */
static int finish(struct call *call, int rc)
{
    if (rc != ZOK)
        return rc;
    adaptor_begin_wait(call->zh);
    sync_call_wait(&call->sync);
    adaptor_end_wait(call->zh);
    return completion_decode(call->sync.request, call->zh->chroot, &call->reply);
}

static int end(struct call *call, int rc)
{
    decoded_reply_release(&call->reply);
    sync_call_release(&call->sync);
    if (call->is_inside)
        zhandle_leave(call->zh);
    return rc;
}

/* As much of the path as there is room for, terminated. */
static void give_path(const struct call *call, char *path_buffer, int path_buffer_len)
{
    if (path_buffer == NULL || path_buffer_len <= 0 || call->reply.string == NULL)
        return;
    const char *path = chroot_strip(call->zh->chroot, call->reply.string);
    size_t size = strlen(path);
    if (size >= (size_t)path_buffer_len)
        size = (size_t)path_buffer_len - 1;
    memcpy(path_buffer, path, size);
    path_buffer[size] = '\0';
}

static void give_stat(const struct call *call, struct Stat *stat)
{
    if (stat != NULL)
        *stat = call->reply.stat;
}

/* As much data as there is room for; *buffer_len then is its size, -1 for a node whose data is null. */
static void give_data(const struct call *call, char *buffer, int *buffer_len)
{
    int size = call->reply.data.size;
    if (size > *buffer_len)
        size = *buffer_len;
    if (size > 0 && buffer != NULL)
        memcpy(buffer, call->reply.data.bytes, (size_t)size);
    *buffer_len = size;
}

static void give_strings(struct call *call, struct String_vector *strings)
{
    if (strings == NULL)
        return;
    *strings = call->reply.strings;
    call->reply.strings = (struct String_vector){ 0 };
}

/* ---- create, delete ---- */

static int create(zhandle_t *zh, const char *path, const char *value, int valuelen, const struct ACL_vector *acl,
                  int mode, int64_t ttl, bool with_stat, char *path_buffer, int path_buffer_len, struct Stat *stat)
{
    struct call call;
    const struct receiver *receiver = begin(&call, zh);
    int rc = finish(&call, submit_create(zh, path, value, valuelen, acl, mode, ttl, with_stat, receiver));
    if (rc == ZOK) {
        give_path(&call, path_buffer, path_buffer_len);
        give_stat(&call, stat);
    }
    return end(&call, rc);
}

int zoo_create_ttl(zhandle_t *zh, const char *path, const char *value, int valuelen, const struct ACL_vector *acl,
                   int mode, int64_t ttl, char *path_buffer, int path_buffer_len)
{
    return create(zh, path, value, valuelen, acl, mode, ttl, false, path_buffer, path_buffer_len, NULL);
}

int zoo_create(zhandle_t *zh, const char *path, const char *value, int valuelen, const struct ACL_vector *acl, int mode,
               char *path_buffer, int path_buffer_len)
{
    return create(zh, path, value, valuelen, acl, mode, -1, false, path_buffer, path_buffer_len, NULL);
}

int zoo_create2_ttl(zhandle_t *zh, const char *path, const char *value, int valuelen, const struct ACL_vector *acl,
                    int mode, int64_t ttl, char *path_buffer, int path_buffer_len, struct Stat *stat)
{
    return create(zh, path, value, valuelen, acl, mode, ttl, true, path_buffer, path_buffer_len, stat);
}

int zoo_create2(zhandle_t *zh, const char *path, const char *value, int valuelen, const struct ACL_vector *acl,
                int mode, char *path_buffer, int path_buffer_len, struct Stat *stat)
{
    return create(zh, path, value, valuelen, acl, mode, -1, true, path_buffer, path_buffer_len, stat);
}

int zoo_delete(zhandle_t *zh, const char *path, int version)
{
    struct call call;
    const struct receiver *receiver = begin(&call, zh);
    return end(&call, finish(&call, submit_delete(zh, path, version, receiver)));
}

/* ---- exists, get, set ---- */

static int exists(zhandle_t *zh, const char *path, struct watch_wish wish, struct Stat *stat)
{
    struct call call;
    const struct receiver *receiver = begin(&call, zh);
    int rc = finish(&call, submit_exists(zh, path, wish, receiver));
    if (rc == ZOK)
        give_stat(&call, stat);
    return end(&call, rc);
}

int zoo_wexists(zhandle_t *zh, const char *path, watcher_fn watcher, void *watcherCtx, struct Stat *stat)
{
    return exists(zh, path, (struct watch_wish){ watcher, watcherCtx }, stat);
}

int zoo_exists(zhandle_t *zh, const char *path, int watch, struct Stat *stat)
{
    return exists(zh, path, watch_wish_default(zh, watch), stat);
}

/* The rest of a call whose answer is data. */
static int end_with_data(struct call *call, int rc, char *buffer, int *buffer_len, struct Stat *stat)
{
    if (rc == ZOK) {
        give_data(call, buffer, buffer_len);
        give_stat(call, stat);
    }
    return end(call, rc);
}

static int get(zhandle_t *zh, const char *path, struct watch_wish wish, char *buffer, int *buffer_len,
               struct Stat *stat)
{
    struct call call;
    if (buffer_len == NULL)
        return ZBADARGUMENTS;
    const struct receiver *receiver = begin(&call, zh);
    int rc = finish(&call, submit_get(zh, path, wish, receiver));
    return end_with_data(&call, rc, buffer, buffer_len, stat);
}

int zoo_wget(zhandle_t *zh, const char *path, watcher_fn watcher, void *watcherCtx, char *buffer, int *buffer_len,
             struct Stat *stat)
{
    return get(zh, path, (struct watch_wish){ watcher, watcherCtx }, buffer, buffer_len, stat);
}

int zoo_get(zhandle_t *zh, const char *path, int watch, char *buffer, int *buffer_len, struct Stat *stat)
{
    return get(zh, path, watch_wish_default(zh, watch), buffer, buffer_len, stat);
}

static int get_config(zhandle_t *zh, struct watch_wish wish, char *buffer, int *buffer_len, struct Stat *stat)
{
    struct call call;
    if (buffer_len == NULL)
        return ZBADARGUMENTS;
    const struct receiver *receiver = begin(&call, zh);
    int rc = finish(&call, submit_get_config(zh, wish, receiver));
    return end_with_data(&call, rc, buffer, buffer_len, stat);
}

int zoo_wgetconfig(zhandle_t *zh, watcher_fn watcher, void *watcherCtx, char *buffer, int *buffer_len,
                   struct Stat *stat)
{
    return get_config(zh, (struct watch_wish){ watcher, watcherCtx }, buffer, buffer_len, stat);
}

int zoo_getconfig(zhandle_t *zh, int watch, char *buffer, int *buffer_len, struct Stat *stat)
{
    return get_config(zh, watch_wish_default(zh, watch), buffer, buffer_len, stat);
}

int zoo_reconfig(zhandle_t *zh, const char *joining, const char *leaving, const char *members, int64_t version,
                 char *buffer, int *buffer_len, struct Stat *stat)
{
    struct call call;
    if (buffer_len == NULL)
        return ZBADARGUMENTS;
    const struct receiver *receiver = begin(&call, zh);
    int rc = finish(&call, submit_reconfig(zh, joining, leaving, members, version, receiver));
    return end_with_data(&call, rc, buffer, buffer_len, stat);
}

int zoo_set2(zhandle_t *zh, const char *path, const char *buffer, int buflen, int version, struct Stat *stat)
{
    struct call call;
    const struct receiver *receiver = begin(&call, zh);
    int rc = finish(&call, submit_set(zh, path, buffer, buflen, version, receiver));
    if (rc == ZOK)
        give_stat(&call, stat);
    return end(&call, rc);
}

int zoo_set(zhandle_t *zh, const char *path, const char *buffer, int buflen, int version)
{
    return zoo_set2(zh, path, buffer, buflen, version, NULL);
}

/* ---- children ---- */

static int get_children(zhandle_t *zh, const char *path, struct watch_wish wish, bool with_stat,
                        struct String_vector *strings, struct Stat *stat)
{
    struct call call;
    const struct receiver *receiver = begin(&call, zh);
    int rc = finish(&call, submit_get_children(zh, path, wish, with_stat, receiver));
    if (rc == ZOK) {
        give_strings(&call, strings);
        give_stat(&call, stat);
    }
    return end(&call, rc);
}

int zoo_wget_children(zhandle_t *zh, const char *path, watcher_fn watcher, void *watcherCtx,
                      struct String_vector *strings)
{
    return get_children(zh, path, (struct watch_wish){ watcher, watcherCtx }, false, strings, NULL);
}

int zoo_get_children(zhandle_t *zh, const char *path, int watch, struct String_vector *strings)
{
    return get_children(zh, path, watch_wish_default(zh, watch), false, strings, NULL);
}

int zoo_wget_children2(zhandle_t *zh, const char *path, watcher_fn watcher, void *watcherCtx,
                       struct String_vector *strings, struct Stat *stat)
{
    return get_children(zh, path, (struct watch_wish){ watcher, watcherCtx }, true, strings, stat);
}

int zoo_get_children2(zhandle_t *zh, const char *path, int watch, struct String_vector *strings, struct Stat *stat)
{
    return get_children(zh, path, watch_wish_default(zh, watch), true, strings, stat);
}

int zoo_get_ephemerals(zhandle_t *zh, const char *prefix_path, struct String_vector *strings)
{
    struct call call;
    const struct receiver *receiver = begin(&call, zh);
    int rc = finish(&call, submit_get_ephemerals(zh, prefix_path, receiver));
    if (rc == ZOK)
        give_strings(&call, strings);
    return end(&call, rc);
}

int zoo_get_all_children_number(zhandle_t *zh, const char *path, int *number)
{
    struct call call;
    const struct receiver *receiver = begin(&call, zh);
    int rc = finish(&call, submit_get_all_children_number(zh, path, receiver));
    if (rc == ZOK && number != NULL)
        *number = call.reply.number;
    return end(&call, rc);
}

/* ---- ACLs ---- */

int zoo_get_acl(zhandle_t *zh, const char *path, struct ACL_vector *acl, struct Stat *stat)
{
    struct call call;
    const struct receiver *receiver = begin(&call, zh);
    int rc = finish(&call, submit_get_acl(zh, path, receiver));
    if (rc == ZOK) {
        give_stat(&call, stat);
        if (acl != NULL) {
            *acl = call.reply.acl;
            call.reply.acl = (struct ACL_vector){ 0 };
        }
    }
    return end(&call, rc);
}

int zoo_set_acl(zhandle_t *zh, const char *path, int version, const struct ACL_vector *acl)
{
    struct call call;
    const struct receiver *receiver = begin(&call, zh);
    return end(&call, finish(&call, submit_set_acl(zh, path, version, acl, receiver)));
}

int zoo_whoami(zhandle_t *zh, struct ClientInfo_vector *infos)
{
    struct call call;
    const struct receiver *receiver = begin(&call, zh);
    int rc = finish(&call, submit_whoami(zh, receiver));
    if (rc == ZOK && infos != NULL) {
        *infos = call.reply.infos;
        call.reply.infos = (struct ClientInfo_vector){ 0 };
    }
    return end(&call, rc);
}

/* ---- sync, multi ---- */

int zoo_sync(zhandle_t *zh, const char *path)
{
    struct call call;
    const struct receiver *receiver = begin(&call, zh);
    return end(&call, finish(&call, submit_sync(zh, path, receiver)));
}

int zoo_multi(zhandle_t *zh, int count, const zoo_op_t *ops, zoo_op_result_t *results)
{
    struct call call;
    const struct receiver *receiver = begin(&call, zh);
    return end(&call, finish(&call, submit_multi(zh, count, ops, results, receiver)));
}

int zoo_multi_read(zhandle_t *zh, int count, const zoo_read_op_t *ops, zoo_read_result_t *results)
{
    struct call call;
    const struct receiver *receiver = begin(&call, zh);
    int rc = finish(&call, submit_multi_read(zh, count, ops, receiver));
    if (rc == ZOK && results != NULL && call.reply.reads != NULL) {
        memcpy(results, call.reply.reads, (size_t)count * sizeof(*results));
        call.reply.read_count = 0;    /* what is in them is the caller's now */
    }
    return end(&call, rc);
}

/* ---- watches ---- */

int zoo_add_watch(zhandle_t *zh, const char *path, ZooAddWatchMode mode, watcher_fn watcher, void *watcherCtx)
{
    struct call call;
    const struct receiver *receiver = begin(&call, zh);
    struct watch_wish wish = { watcher, watcherCtx };
    return end(&call, finish(&call, submit_add_watch(zh, path, mode, wish, receiver)));
}

static int remove_watches(zhandle_t *zh, const char *path, ZooWatcherType type, struct watch_wish wish, int local,
                          bool is_all)
{
    struct call call;
    const struct receiver *receiver = begin(&call, zh);
    int rc = submit_remove_watches(zh, path, type, wish, local != 0, is_all, receiver);
    return end(&call, local != 0 ? rc : finish(&call, rc));
}

int zoo_remove_watches(zhandle_t *zh, const char *path, ZooWatcherType wtype, watcher_fn watcher, void *watcherCtx,
                       int local)
{
    return remove_watches(zh, path, wtype, (struct watch_wish){ watcher, watcherCtx }, local, false);
}

int zoo_remove_all_watches(zhandle_t *zh, const char *path, ZooWatcherType wtype, int local)
{
    return remove_watches(zh, path, wtype, (struct watch_wish){ 0 }, local, true);
}
