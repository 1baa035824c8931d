/*
 * read_ops.c - everything that is answered from the tree, one function an operation, in a table.
 *
 * Mirrors the reading cases of FinalRequestProcessor. Runs on final's thread. A null path, on which Java trips over its
 * own exception, is ZK_MARSHALLING_ERROR as it is to Java's clients; for addWatch, checkWatches and removeWatches,
 * which take it, it is a path like any other.
 */
#include "server/request/read_ops.h"

#include <string.h>

#include "common/base/memory.h"
#include "common/base/strings.h"
#include "common/wire/multi.h"
#include "common/wire/op_code.h"
#include "server/request/response_cache.h"

/* Answers with less data are made in less time than they are looked for. */
enum { LEAST_CACHED_DATA = 1024 };

/* ---- permission ---- */

struct permission_check {
    struct access_check base;    /* first */
    struct server_core *core;
    const struct auth_info *auth_info;
    int32_t permission;
};

static int check_permission(const struct access_check *self, const struct acl_list *acl)
{
    const struct permission_check *check = (const struct permission_check *)(const void *)self;
    return acl_check_list(check->core->providers, check->core->skip_acl, acl, check->permission, check->auth_info);
}

static struct permission_check permission(struct server_core *core, const struct request *request, int32_t permission)
{
    return (struct permission_check){{check_permission}, core, request->auth_info, permission};
}

static struct data_tree *tree_of(struct server_core *core)
{
    return zk_database_tree(core->database);
}

static struct watcher *watcher_if(bool watch, const struct request *request)
{
    return watch ? &request->cnxn->watcher : NULL;
}

#define READ_RECORD(record_type, record) \
    struct record_type record; \
    do { \
        struct jute_reader reader_; \
        request_reader(request, core->jute_limit, &reader_); \
        jute_read_##record_type(&reader_, &record); \
        if (jute_error(&reader_) != ZK_OK) \
            return ZK_MARSHALLING_ERROR; \
    } while (0)

/* ---- nodes ---- */

static int run_exists(struct server_core *core, struct request *request, struct reply *reply)
{
    READ_RECORD(exists_request, record);
    if (record.path.size < 0)
        return ZK_MARSHALLING_ERROR;
    if (memchr(record.path.bytes, 0, (size_t)record.path.size) != NULL)
        return ZK_BAD_ARGUMENTS;
    struct permission_check check = permission(core, request, PERM_READ);
    struct zk_stat stat;
    int err = data_tree_stat_node(tree_of(core), record.path, &check.base, watcher_if(record.watch, request), &stat);
    if (err == ZK_OK)
        jute_write_zk_stat(reply_out(reply), &stat);
    return err;
}

static int get_data(struct server_core *core, struct request *request, const struct get_data_request *record,
                    struct zk_stat *ret_stat, struct blob **ret_data)
{
    if (record->path.size < 0)
        return ZK_MARSHALLING_ERROR;
    struct permission_check check = permission(core, request, PERM_READ);
    return data_tree_get_data(tree_of(core), record->path, &check.base, watcher_if(record->watch, request), ret_stat,
                              ret_data);
}

static int run_get_data(struct server_core *core, struct request *request, struct reply *reply)
{
    READ_RECORD(get_data_request, record);
    struct zk_stat stat;
    struct blob *data;
    int err = get_data(core, request, &record, &stat, &data);
    if (err != ZK_OK)
        return err;
    bool is_kept = data != NULL && data->size >= LEAST_CACHED_DATA;
    reply_put_data(reply, data);
    if (is_kept)
        response_cache_write_stat(core->data_responses, record.path, &stat, reply_out(reply));
    else
        jute_write_zk_stat(reply_out(reply), &stat);
    return ZK_OK;
}

static int get_children(struct server_core *core, struct request *request, struct ustring path, bool watch,
                        struct zk_stat *ret_stat, struct blob **ret_children)
{
    if (path.size < 0)
        return ZK_MARSHALLING_ERROR;
    struct permission_check check = permission(core, request, PERM_READ);
    return data_tree_get_children(tree_of(core), path, &check.base, watcher_if(watch, request), ret_stat,
                                  ret_children);
}

static int run_get_children(struct server_core *core, struct request *request, struct reply *reply)
{
    READ_RECORD(get_children_request, record);    /* the record of getChildren2 is the same */
    struct zk_stat stat;
    struct blob *children;
    int err = get_children(core, request, record.path, record.watch, &stat, &children);
    if (err != ZK_OK)
        return err;
    reply->has_body = true;
    reply_put_raw(reply, children);
    if (request->type == OP_GET_CHILDREN2)
        response_cache_write_stat(core->children_responses, record.path, &stat, reply_out(reply));
    return ZK_OK;
}

static int run_get_acl(struct server_core *core, struct request *request, struct reply *reply)
{
    READ_RECORD(get_acl_request, record);
    if (record.path.size < 0)
        return ZK_MARSHALLING_ERROR;
    struct permission_check check = permission(core, request, PERM_READ | PERM_ADMIN);
    struct zk_stat stat;
    struct acl_list *list;
    int err = data_tree_get_acl(tree_of(core), record.path, &check.base, &stat, &list);
    if (err != ZK_OK)
        return err;
    struct zk_acl_vector acl = list->acl;
    check.permission = PERM_ADMIN;
    if (check_permission(&check.base, list) != ZK_OK)
        acl_mask_digests(&list->acl, &request->arena, &acl);
    struct get_acl_response response = {acl, stat};
    jute_write_get_acl_response(reply_out(reply), &response);
    acl_list_unref(list);
    return ZK_OK;
}

static int run_get_all_children_number(struct server_core *core, struct request *request, struct reply *reply)
{
    READ_RECORD(get_all_children_number_request, record);
    if (record.path.size < 0)
        return ZK_MARSHALLING_ERROR;
    struct permission_check check = permission(core, request, PERM_READ);
    struct zk_stat stat;
    struct acl_list *list;
    int err = data_tree_get_acl(tree_of(core), record.path, &check.base, &stat, &list);
    if (err != ZK_OK)
        return err;
    acl_list_unref(list);
    jute_write_int32(reply_out(reply), data_tree_all_children_number(tree_of(core), record.path));
    return ZK_OK;
}

/* Java's String.trim().isEmpty() */
static bool is_blank(struct ustring text)
{
    for (int32_t i = 0; i < text.size; i++)
        if ((unsigned char)text.bytes[i] > ' ')
            return false;
    return true;
}

/* True if all of them are asked for: nothing, blanks, or "/" among blanks. */
static bool asks_for_all(struct ustring prefix)
{
    struct ustring rest = prefix;
    while (rest.size > 0 && (unsigned char)rest.bytes[0] <= ' ')
        rest = (struct ustring){rest.bytes + 1, rest.size - 1};
    if (rest.size > 0 && rest.bytes[0] == '/')
        rest = (struct ustring){rest.bytes + 1, rest.size - 1};
    return is_blank(rest);
}

static int run_get_ephemerals(struct server_core *core, struct request *request, struct reply *reply)
{
    READ_RECORD(get_ephemerals_request, record);
    struct path_list paths;
    data_tree_get_ephemerals(tree_of(core), request->session_id, &paths);
    bool is_all = asks_for_all(record.prefix_path);
    struct ustring_vector names = {arena_alloc(&request->arena, (paths.count + 1) * sizeof(struct ustring)), 0};
    for (size_t i = 0; i < paths.count; i++) {
        struct ustring path = ustring_of(paths.paths[i]);
        bool has_prefix = path.size >= record.prefix_path.size && record.prefix_path.size > 0 &&
                          memcmp(path.bytes, record.prefix_path.bytes, (size_t)record.prefix_path.size) == 0;
        if (is_all || has_prefix)
            names.items[names.count++] = path;
    }
    jute_write_ustring_vector(reply_out(reply), names);
    path_list_release(&paths);
    return ZK_OK;
}

/* ---- multiRead ---- */

static void multi_get_children(struct server_core *core, struct request *request, const struct multi_op *op,
                               struct buffer *out, int *ret_err)
{
    struct zk_stat stat;
    struct blob *children;
    *ret_err = get_children(core, request, op->request.get_children.path, op->request.get_children.watch, &stat,
                            &children);
    if (*ret_err != ZK_OK)
        return;
    multi_write_result_header(out, OP_GET_CHILDREN, 0);
    buffer_append(out, children->bytes, children->size);
    blob_unref(children);
}

static void multi_get_data(struct server_core *core, struct request *request, const struct multi_op *op,
                           struct buffer *out, int *ret_err)
{
    struct zk_stat stat;
    struct blob *data;
    *ret_err = get_data(core, request, &op->request.get_data, &stat, &data);
    if (*ret_err != ZK_OK)
        return;
    multi_write_result_header(out, OP_GET_DATA, 0);
    struct jute_buffer bytes = {data == NULL ? NULL : data->bytes, data == NULL ? -1 : (int32_t)data->size};
    jute_write_buffer(out, bytes);
    jute_write_zk_stat(out, &stat);
    blob_unref(data);
}

static int run_multi_read(struct server_core *core, struct request *request, struct reply *reply)
{
    struct jute_reader reader;
    struct multi_ops ops;
    request_reader(request, core->jute_limit, &reader);
    multi_read_ops(&reader, &ops);
    if (jute_error(&reader) != ZK_OK)
        return ZK_MARSHALLING_ERROR;
    struct buffer *out = reply_out(reply);
    int err = ZK_OK;
    for (int32_t i = 0; i < ops.count && err != ZK_MARSHALLING_ERROR; i++) {
        if (ops.items[i].type == OP_GET_CHILDREN)
            multi_get_children(core, request, &ops.items[i], out, &err);
        else if (ops.items[i].type == OP_GET_DATA)
            multi_get_data(core, request, &ops.items[i], out, &err);
        else
            err = ZK_MARSHALLING_ERROR;
        if (err != ZK_OK && err != ZK_MARSHALLING_ERROR)
            multi_write_error_result(out, err);
    }
    multi_write_end(out);    /* also behind what came before a failure, as Java sends it */
    return err == ZK_MARSHALLING_ERROR ? err : ZK_OK;
}

/* ---- watches ---- */

static bool cut_at_null(struct ustring_vector *paths)
{
    if (paths->count < 0) {
        paths->count = 0;
        return true;
    }
    for (int32_t i = 0; i < paths->count; i++) {
        if (paths->items[i].size < 0) {
            paths->count = i;
            return true;
        }
    }
    return false;
}

/* Java goes through the lists in order until one, or a path where it looks at the node, is null. */
static int set_watches(struct server_core *core, struct request *request, struct set_watches2 *watches)
{
    struct ustring_vector *lists[] = {&watches->data_watches, &watches->exist_watches, &watches->child_watches,
                                      &watches->persistent_watches, &watches->persistent_recursive_watches};
    bool is_cut = false;
    for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
        if (is_cut)
            lists[i]->count = 0;
        else if (i < 3)
            is_cut = cut_at_null(lists[i]);
        else if (lists[i]->count < 0)
            is_cut = cut_at_null(lists[i]);
    }
    data_tree_set_watches(tree_of(core), watches, &request->cnxn->watcher);
    return is_cut ? ZK_MARSHALLING_ERROR : ZK_OK;
}

static int run_set_watches(struct server_core *core, struct request *request, struct reply *reply)
{
    (void)reply;
    READ_RECORD(set_watches, record);
    struct set_watches2 watches = {record.relative_zxid,   record.data_watches, record.exist_watches,
                                   record.child_watches, {NULL, 0},           {NULL, 0}};
    return set_watches(core, request, &watches);
}

static int run_set_watches2(struct server_core *core, struct request *request, struct reply *reply)
{
    (void)reply;
    READ_RECORD(set_watches2, record);
    return set_watches(core, request, &record);
}

static int run_add_watch(struct server_core *core, struct request *request, struct reply *reply)
{
    READ_RECORD(add_watch_request, record);
    if (record.mode != 0 && record.mode != 1)
        return ZK_MARSHALLING_ERROR;
    data_tree_add_watch(tree_of(core), record.path, &request->cnxn->watcher,
                        record.mode == 0 ? WATCHER_PERSISTENT : WATCHER_PERSISTENT_RECURSIVE);
    jute_write_int32(reply_out(reply), 0);
    return ZK_OK;
}

static bool is_watcher_type(int32_t type)
{
    return type >= 1 && type <= 5;
}

static int run_check_watches(struct server_core *core, struct request *request, struct reply *reply)
{
    (void)reply;
    READ_RECORD(check_watches_request, record);
    if (!is_watcher_type(record.type))
        return ZK_MARSHALLING_ERROR;
    return data_tree_contains_watch(tree_of(core), record.path, record.type, &request->cnxn->watcher)
               ? ZK_OK
               : ZK_NO_WATCHER;
}

static int run_remove_watches(struct server_core *core, struct request *request, struct reply *reply)
{
    (void)reply;
    READ_RECORD(remove_watches_request, record);
    if (!is_watcher_type(record.type))
        return ZK_MARSHALLING_ERROR;
    return data_tree_remove_watch(tree_of(core), record.path, record.type, &request->cnxn->watcher) ? ZK_OK
                                                                                                     : ZK_NO_WATCHER;
}

/* ---- the rest ---- */

static int run_ping(struct server_core *core, struct request *request, struct reply *reply)
{
    (void)core;
    (void)request;
    (void)reply;
    return ZK_OK;
}

static int run_sync(struct server_core *core, struct request *request, struct reply *reply)
{
    READ_RECORD(sync_request, record);
    jute_write_ustring(reply_out(reply), record.path);
    return ZK_OK;
}

static int run_who_am_i(struct server_core *core, struct request *request, struct reply *reply)
{
    struct client_info_vector infos;
    auth_client_infos(core->providers, request->auth_info, &request->arena, &infos);
    struct who_am_i_response response = {infos};
    jute_write_who_am_i_response(reply_out(reply), &response);
    return ZK_OK;
}

static const struct read_op_row rows[] = {
    {OP_PING, "PING", run_ping},
    {OP_EXISTS, "EXIS", run_exists},
    {OP_GET_DATA, "GETD", run_get_data},
    {OP_GET_CHILDREN, "GETC", run_get_children},
    {OP_GET_CHILDREN2, "GETC", run_get_children},
    {OP_GET_ACL, "GETA", run_get_acl},
    {OP_GET_ALL_CHILDREN_NUMBER, "GETACN", run_get_all_children_number},
    {OP_GET_EPHEMERALS, "GETE", run_get_ephemerals},
    {OP_MULTI_READ, "MLTR", run_multi_read},
    {OP_SYNC, "SYNC", run_sync},
    {OP_SET_WATCHES, "SETW", run_set_watches},
    {OP_SET_WATCHES2, "STW2", run_set_watches2},
    {OP_ADD_WATCH, "ADDW", run_add_watch},
    {OP_CHECK_WATCHES, "CHKW", run_check_watches},
    {OP_REMOVE_WATCHES, "REMW", run_remove_watches},
    {OP_WHO_AM_I, "HOMI", run_who_am_i},
};

const struct read_op_row *read_op_find(int32_t type)
{
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        if (rows[i].type == type)
            return &rows[i];
    return NULL;
}
