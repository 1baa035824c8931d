/*
 * eager_acl_check.c - spares the leader what the tree at hand forbids already.
 *
 * Mirrors ZooKeeperServer.authWriteRequest, effectiveACLPath and effectiveACLPerms.
 */
#include "server/request/eager_acl_check.h"

#include <string.h>

#include "common/wire/acl.h"
#include "common/wire/op_code.h"
#include "common/wire/path.h"
#include "server/request/prep_ops.h"

/* What the write needs: which permission, at which path. Path null: nothing is checked. */
struct needed {
    struct ustring path;
    int32_t permission;
    bool has_acl;
    struct zk_acl_vector acl;    /* the one it brings */
};

static struct ustring parent_of(struct ustring path)
{
    struct ustring parent, name;
    bool is_good = path.size > 0 && memchr(path.bytes, 0, (size_t)path.size) == NULL && !prep_is_special_path(path) &&
                   path_split(path, &parent, &name);
    return is_good ? parent : USTRING_NULL;
}

static struct needed needed_by_create(struct jute_reader *reader)
{
    struct create_request record;
    jute_read_create_request(reader, &record);
    return (struct needed){parent_of(record.path), PERM_CREATE, true, record.acl};
}

static struct needed needed_by_delete(struct jute_reader *reader)
{
    struct delete_request record;
    jute_read_delete_request(reader, &record);
    return (struct needed){.path = parent_of(record.path), .permission = PERM_DELETE};
}

static struct needed needed_by_set_data(struct jute_reader *reader)
{
    struct set_data_request record;
    jute_read_set_data_request(reader, &record);
    return (struct needed){.path = record.path, .permission = PERM_WRITE};
}

static struct needed needed_by_set_acl(struct jute_reader *reader)
{
    struct set_acl_request record;
    jute_read_set_acl_request(reader, &record);
    return (struct needed){record.path, PERM_ADMIN, true, record.acl};
}

static struct needed needed_by(struct server_core *core, struct request *request)
{
    struct jute_reader reader;
    struct needed needed = {.path = USTRING_NULL};
    request_reader(request, core->jute_limit, &reader);
    if (request->type == OP_CREATE || request->type == OP_CREATE2)
        needed = needed_by_create(&reader);
    else if (request->type == OP_DELETE)
        needed = needed_by_delete(&reader);
    else if (request->type == OP_SET_DATA)
        needed = needed_by_set_data(&reader);
    else if (request->type == OP_SET_ACL)
        needed = needed_by_set_acl(&reader);
    return jute_error(&reader) == ZK_OK ? needed : (struct needed){.path = USTRING_NULL};
}

static int check_node(struct server_core *core, struct request *request, const struct needed *needed)
{
    struct node_view view;
    if (!data_tree_view(zk_database_tree(core->database), needed->path, &view))
        return ZK_OK;
    int err = acl_check_list(core->providers, core->skip_acl, view.acl, needed->permission, request->auth_info);
    node_view_release(&view);
    return err;
}

static int check(struct server_core *core, struct request *request)
{
    struct needed needed = needed_by(core, request);
    if (needed.path.size < 0)
        return ZK_OK;
    struct zk_acl_vector fixed;
    if (needed.has_acl && acl_fixup(core->providers, request->auth_info, &needed.acl, &request->arena, &fixed) ==
                              ZK_INVALID_ACL)
        return ZK_INVALID_ACL;
    return check_node(core, request, &needed);
}

bool eager_acl_check_passes(struct server_core *core, struct request *request)
{
    if (!core->options->enable_eager_acl_check || request->cnxn == NULL)
        return true;
    int err = check(core, request);
    if (err == ZK_OK)
        return true;
    server_core_request_finished(core, request);
    struct reply_header header = {request->cxid, 0, err};
    server_cnxn_send_reply(request->cnxn, &header, NULL, 0);
    return false;
}
