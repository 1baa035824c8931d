/*
 * submit.c - requests of one operation.
 *
 * The order of checks is the old binding's: the path, then the state of the session.
 */
#include "client/submit.h"

#include <string.h>

#include "client/chroot.h"
#include "client/request_writer.h"
#include "common/base/memory.h"
#include "common/base/strings.h"
#include "common/wire/op_code.h"

#define MODE_SEQUENTIAL 2
#define MODE_CONTAINER 4
#define MODE_TTL 5
#define MODE_SEQUENTIAL_TTL 6
#define LARGEST_TTL INT64_C(0xffffffffff)    /* ms */

static bool is_sequential(int mode)
{
    return mode >= 0 && (mode == MODE_SEQUENTIAL_TTL || (mode < MODE_CONTAINER && (mode & MODE_SEQUENTIAL) != 0));
}

static bool has_ttl(int mode)
{
    return mode == MODE_TTL || mode == MODE_SEQUENTIAL_TTL;
}

/* ZOK: the call goes on, and ends with leave(). */
static int enter(zhandle_t *zh, const char *path, bool path_is_sequential)
{
    if (zh == NULL || chroot_check_path(path, path_is_sequential, NULL) != ZK_OK)
        return ZBADARGUMENTS;
    return zhandle_enter(zh);
}

static struct pending_request *new_request(enum completion_type type, const struct receiver *receiver)
{
    struct pending_request *request = pending_request_new(type, receiver->completion, receiver->data);
    request->sync = receiver->sync;
    return request;
}

struct watch_wish watch_wish_default(zhandle_t *zh, int watch)
{
    struct watch_wish wish = { 0 };
    if (zh == NULL || !watch)
        return wish;
    mutex_lock(&zh->lock);
    wish = (struct watch_wish){ .watcher = zh->watcher, .context = zh->context };
    mutex_unlock(&zh->lock);
    return wish;
}

static void wish_watch(zhandle_t *zh, struct pending_request *request, const char *path, enum watch_kind kind,
                       struct watch_wish wish)
{
    if (wish.watcher == NULL)
        return;
    request->watch.change = WATCH_CHANGE_ADD;
    request->watch.kind = kind;
    request->watch.watcher = wish.watcher;
    request->watch.context = wish.context;
    request->watch.path = chroot_prepend(zh->chroot, path);
}

static int end(zhandle_t *zh, struct request_writer *writer, struct pending_request *request)
{
    int rc = request_end(writer, request);
    zhandle_leave(zh);
    return rc;
}

static int create_type(int mode, bool with_stat)
{
    if (mode == MODE_CONTAINER)
        return ZOO_CREATE_CONTAINER_OP;
    if (has_ttl(mode))
        return ZOO_CREATE_TTL_OP;
    return with_stat ? ZOO_CREATE2_OP : ZOO_CREATE_OP;
}

int submit_create(zhandle_t *zh, const char *path, const char *value, int value_size, const struct ACL_vector *acl,
                  int mode, int64_t ttl, bool with_stat, const struct receiver *receiver)
{
    struct request_writer writer;
    if (has_ttl(mode) ? ttl <= 0 || ttl > LARGEST_TTL : ttl >= 0)
        return ZBADARGUMENTS;
    int rc = enter(zh, path, is_sequential(mode));
    if (rc != ZOK)
        return rc;
    struct pending_request *request = new_request(with_stat ? COMPLETION_STRING_STAT : COMPLETION_STRING, receiver);
    request_begin(zh, &writer, create_type(mode, with_stat));
    request_write_path(&writer, path);
    request_write_data(&writer, value, value_size);
    request_write_acl(&writer, acl);
    request_write_int32(&writer, mode);
    if (has_ttl(mode))
        request_write_int64(&writer, ttl);
    return end(zh, &writer, request);
}

int submit_delete(zhandle_t *zh, const char *path, int version, const struct receiver *receiver)
{
    struct request_writer writer;
    int rc = enter(zh, path, false);
    if (rc != ZOK)
        return rc;
    struct pending_request *request = new_request(COMPLETION_VOID, receiver);
    request_begin(zh, &writer, ZOO_DELETE_OP);
    request_write_path(&writer, path);
    request_write_int32(&writer, version);
    return end(zh, &writer, request);
}

/* A read that may leave a watch: path and flag. */
static int submit_read(zhandle_t *zh, const char *path, int type, struct watch_wish wish, enum watch_kind kind,
                       enum completion_type completion, const struct receiver *receiver)
{
    struct request_writer writer;
    int rc = enter(zh, path, false);
    if (rc != ZOK)
        return rc;
    struct pending_request *request = new_request(completion, receiver);
    wish_watch(zh, request, path, kind, wish);
    request->watch.is_exists = type == ZOO_EXISTS_OP;
    request_begin(zh, &writer, type);
    request_write_path(&writer, path);
    request_write_boolean(&writer, wish.watcher != NULL);
    return end(zh, &writer, request);
}

int submit_exists(zhandle_t *zh, const char *path, struct watch_wish wish, const struct receiver *receiver)
{
    return submit_read(zh, path, ZOO_EXISTS_OP, wish, WATCH_DATA, COMPLETION_STAT, receiver);
}

int submit_get(zhandle_t *zh, const char *path, struct watch_wish wish, const struct receiver *receiver)
{
    return submit_read(zh, path, ZOO_GETDATA_OP, wish, WATCH_DATA, COMPLETION_DATA, receiver);
}

int submit_get_children(zhandle_t *zh, const char *path, struct watch_wish wish, bool with_stat,
                        const struct receiver *receiver)
{
    return submit_read(zh, path, with_stat ? ZOO_GETCHILDREN2_OP : ZOO_GETCHILDREN_OP, wish, WATCH_CHILD,
                       with_stat ? COMPLETION_STRINGS_STAT : COMPLETION_STRINGS, receiver);
}

/* The node of the configuration is the same for all, whatever their chroot. */
int submit_get_config(zhandle_t *zh, struct watch_wish wish, const struct receiver *receiver)
{
    struct request_writer writer;
    int rc = zhandle_enter(zh);
    if (rc != ZOK)
        return rc;
    struct pending_request *request = new_request(COMPLETION_DATA, receiver);
    if (wish.watcher != NULL) {
        request->watch = (struct watch_request){ .change = WATCH_CHANGE_ADD, .kind = WATCH_DATA,
            .watcher = wish.watcher, .context = wish.context, .path = string_copy(ZOO_CONFIG_NODE) };
    }
    request_begin(zh, &writer, ZOO_GETDATA_OP);
    request_write_string(&writer, ZOO_CONFIG_NODE);
    request_write_boolean(&writer, wish.watcher != NULL);
    return end(zh, &writer, request);
}

int submit_set(zhandle_t *zh, const char *path, const char *value, int value_size, int version,
               const struct receiver *receiver)
{
    struct request_writer writer;
    int rc = enter(zh, path, false);
    if (rc != ZOK)
        return rc;
    struct pending_request *request = new_request(COMPLETION_STAT, receiver);
    request_begin(zh, &writer, ZOO_SETDATA_OP);
    request_write_path(&writer, path);
    request_write_data(&writer, value, value_size);
    request_write_int32(&writer, version);
    return end(zh, &writer, request);
}

/* A request that has a path and no more. */
static int submit_path(zhandle_t *zh, const char *path, int type, enum completion_type completion,
                       const struct receiver *receiver)
{
    struct request_writer writer;
    int rc = enter(zh, path, false);
    if (rc != ZOK)
        return rc;
    struct pending_request *request = new_request(completion, receiver);
    request_begin(zh, &writer, type);
    request_write_path(&writer, path);
    return end(zh, &writer, request);
}

int submit_sync(zhandle_t *zh, const char *path, const struct receiver *receiver)
{
    return submit_path(zh, path, ZOO_SYNC_OP, COMPLETION_STRING, receiver);
}

int submit_get_acl(zhandle_t *zh, const char *path, const struct receiver *receiver)
{
    return submit_path(zh, path, ZOO_GETACL_OP, COMPLETION_ACL, receiver);
}

int submit_get_ephemerals(zhandle_t *zh, const char *prefix_path, const struct receiver *receiver)
{
    return submit_path(zh, prefix_path, OP_GET_EPHEMERALS, COMPLETION_PATHS, receiver);
}

int submit_get_all_children_number(zhandle_t *zh, const char *path, const struct receiver *receiver)
{
    return submit_path(zh, path, OP_GET_ALL_CHILDREN_NUMBER, COMPLETION_INT, receiver);
}

int submit_set_acl(zhandle_t *zh, const char *path, int version, const struct ACL_vector *acl,
                   const struct receiver *receiver)
{
    struct request_writer writer;
    int rc = enter(zh, path, false);
    if (rc != ZOK)
        return rc;
    struct pending_request *request = new_request(COMPLETION_VOID, receiver);
    request_begin(zh, &writer, ZOO_SETACL_OP);
    request_write_path(&writer, path);
    request_write_acl(&writer, acl);
    request_write_int32(&writer, version);
    return end(zh, &writer, request);
}

int submit_reconfig(zhandle_t *zh, const char *joining, const char *leaving, const char *members, int64_t version,
                    const struct receiver *receiver)
{
    struct request_writer writer;
    int rc = zhandle_enter(zh);
    if (rc != ZOK)
        return rc;
    struct pending_request *request = new_request(COMPLETION_DATA, receiver);
    request_begin(zh, &writer, ZOO_RECONFIG_OP);
    request_write_string(&writer, joining);
    request_write_string(&writer, leaving);
    request_write_string(&writer, members);
    request_write_int64(&writer, version);
    return end(zh, &writer, request);
}

int submit_whoami(zhandle_t *zh, const struct receiver *receiver)
{
    struct request_writer writer;
    int rc = zhandle_enter(zh);
    if (rc != ZOK)
        return rc;
    struct pending_request *request = new_request(COMPLETION_CLIENT_INFOS, receiver);
    request_begin(zh, &writer, OP_WHO_AM_I);
    return end(zh, &writer, request);
}

/* ---- watches ---- */

int submit_add_watch(zhandle_t *zh, const char *path, ZooAddWatchMode mode, struct watch_wish wish,
                     const struct receiver *receiver)
{
    struct request_writer writer;
    if (wish.watcher == NULL || (mode != ZOO_WATCH_PERSISTENT && mode != ZOO_WATCH_PERSISTENT_RECURSIVE))
        return ZBADARGUMENTS;
    int rc = enter(zh, path, false);
    if (rc != ZOK)
        return rc;
    struct pending_request *request = new_request(COMPLETION_VOID, receiver);
    wish_watch(zh, request, path, mode == ZOO_WATCH_PERSISTENT ? WATCH_PERSISTENT : WATCH_PERSISTENT_RECURSIVE, wish);
    request_begin(zh, &writer, OP_ADD_WATCH);
    request_write_path(&writer, path);
    request_write_int32(&writer, mode);
    return end(zh, &writer, request);
}

int submit_remove_watches(zhandle_t *zh, const char *path, ZooWatcherType type, struct watch_wish wish, bool is_local,
                          bool is_all, const struct receiver *receiver)
{
    struct request_writer writer;
    if (type < ZWATCHTYPE_CHILD || type > ZWATCHTYPE_PERSISTENT_RECURSIVE)
        return ZBADARGUMENTS;
    int rc = enter(zh, path, false);
    if (rc != ZOK)
        return rc;
    enum watcher_type kind = (enum watcher_type)type;
    watcher_fn watcher = is_all ? NULL : wish.watcher;
    char *server_path = chroot_prepend(zh->chroot, path);
    mutex_lock(&zh->lock);
    bool is_there = watch_registry_contains(zh->watches, kind, server_path, watcher, wish.context);
    bool is_last =
        is_there && (is_all || watch_registry_is_last(zh->watches, kind, server_path, watcher, wish.context));
    if (is_there && is_local)
        watch_registry_remove(zh->watches, kind, server_path, watcher, wish.context, NULL);
    mutex_unlock(&zh->lock);
    if (!is_there || is_local) {
        memory_free(server_path);
        zhandle_leave(zh);
        return is_there ? ZOK : ZNOWATCHER;
    }
    struct pending_request *request = new_request(COMPLETION_VOID, receiver);
    request->watch = (struct watch_request){ .change = WATCH_CHANGE_REMOVE, .type = kind, .watcher = watcher,
                                             .context = wish.context, .path = server_path };
    /* The server's watch is the session's: it goes only with the last watcher of the path. */
    request_begin(zh, &writer, is_last ? ZOO_REMOVE_WATCHES : ZOO_CHECK_WATCHES);
    request_write_path(&writer, path);
    request_write_int32(&writer, type);
    return end(zh, &writer, request);
}

/* ---- multi ---- */

static void write_multi_header(struct request_writer *writer, int32_t type, bool is_done)
{
    request_write_int32(writer, type);
    request_write_boolean(writer, is_done);
    request_write_int32(writer, -1);
}

static const char *path_of(const zoo_op_t *op)
{
    switch (op->type) {
    case ZOO_DELETE_OP:
        return op->delete_op.path;
    case ZOO_SETDATA_OP:
        return op->set_op.path;
    case ZOO_CHECK_OP:
        return op->check_op.path;
    default:
        return op->create_op.path;
    }
}

static bool is_create(int type)
{
    return type == ZOO_CREATE_OP || type == ZOO_CREATE2_OP || type == ZOO_CREATE_CONTAINER_OP
           || type == ZOO_CREATE_TTL_OP;
}

static int check_op(zhandle_t *zh, const zoo_op_t *op)
{
    if (!is_create(op->type) && op->type != ZOO_DELETE_OP && op->type != ZOO_SETDATA_OP && op->type != ZOO_CHECK_OP) {
        zh_error(zh, "Unimplemented sub-op type=%d in multi-op", op->type);
        return ZUNIMPLEMENTED;
    }
    bool path_is_sequential = is_create(op->type) && is_sequential(op->create_op.flags);
    return chroot_check_path(path_of(op), path_is_sequential, NULL) == ZK_OK ? ZOK : ZBADARGUMENTS;
}

static void write_op(struct request_writer *writer, const zoo_op_t *op)
{
    write_multi_header(writer, op->type, false);
    request_write_path(writer, path_of(op));
    if (is_create(op->type)) {
        request_write_data(writer, op->create_op.data, op->create_op.datalen);
        request_write_acl(writer, op->create_op.acl);
        request_write_int32(writer, op->create_op.flags);
        if (op->type == ZOO_CREATE_TTL_OP)
            request_write_int64(writer, op->create_op.ttl);
    } else if (op->type == ZOO_SETDATA_OP) {
        request_write_data(writer, op->set_op.data, op->set_op.datalen);
        request_write_int32(writer, op->set_op.version);
    } else {
        request_write_int32(writer, op->type == ZOO_DELETE_OP ? op->delete_op.version : op->check_op.version);
    }
}

static void prepare_results(struct pending_request *request, int count, const zoo_op_t *ops, zoo_op_result_t *results)
{
    request->multi_count = count;
    request->multi_results = results;
    request->multi = MEMORY_NEW_ARRAY((size_t)count + 1, struct multi_result);
    for (int i = 0; i < count; i++) {
        struct multi_result *place = &request->multi[i];
        place->type = ops[i].type;
        if (is_create(ops[i].type)) {
            place->value = ops[i].create_op.buf;
            place->value_size = ops[i].create_op.buflen;
            if (results != NULL)
                results[i].valuelen = ops[i].create_op.buflen;
        } else if (ops[i].type == ZOO_SETDATA_OP) {
            place->stat = ops[i].set_op.stat;
        }
    }
}

int submit_multi(zhandle_t *zh, int count, const zoo_op_t *ops, zoo_op_result_t *results,
                 const struct receiver *receiver)
{
    struct request_writer writer;
    if (zh == NULL || count < 0 || (count > 0 && ops == NULL))
        return ZBADARGUMENTS;
    for (int i = 0; i < count; i++) {
        int rc = check_op(zh, &ops[i]);
        if (rc != ZOK)
            return rc;
    }
    int rc = zhandle_enter(zh);
    if (rc != ZOK)
        return rc;
    struct pending_request *request = new_request(COMPLETION_MULTI, receiver);
    prepare_results(request, count, ops, results);
    request_begin(zh, &writer, ZOO_MULTI_OP);
    for (int i = 0; i < count; i++)
        write_op(&writer, &ops[i]);
    write_multi_header(&writer, -1, true);
    return end(zh, &writer, request);
}

int submit_multi_read(zhandle_t *zh, int count, const zoo_read_op_t *ops, const struct receiver *receiver)
{
    struct request_writer writer;
    if (zh == NULL || count < 0 || (count > 0 && ops == NULL))
        return ZBADARGUMENTS;
    for (int i = 0; i < count; i++) {
        if (ops[i].type != ZOO_GETDATA_OP && ops[i].type != ZOO_GETCHILDREN_OP)
            return ZUNIMPLEMENTED;
        if (chroot_check_path(ops[i].path, false, NULL) != ZK_OK)
            return ZBADARGUMENTS;
    }
    int rc = zhandle_enter(zh);
    if (rc != ZOK)
        return rc;
    struct pending_request *request = new_request(COMPLETION_MULTI_READ, receiver);
    request->multi_count = count;
    request->multi = MEMORY_NEW_ARRAY((size_t)count + 1, struct multi_result);
    for (int i = 0; i < count; i++)
        request->multi[i].type = ops[i].type;
    request_begin(zh, &writer, OP_MULTI_READ);
    for (int i = 0; i < count; i++) {
        write_multi_header(&writer, ops[i].type, false);
        request_write_path(&writer, ops[i].path);
        request_write_boolean(&writer, false);
    }
    write_multi_header(&writer, -1, true);
    return end(zh, &writer, request);
}
