/*
 * prep_ops.c - what each write may do, and what it will have done: Java's checks in Java's order.
 *
 * Mirrors PrepRequestProcessor.pRequest2Txn and pRequest2TxnCreate. A null path or id, on which Java trips over its own
 * exception after it took the zxid, is ZK_MARSHALLING_ERROR here as it is to Java's clients.
 * Departs from Java: what a container or TTL node will be is told by the operation, as the tree tells it when it
 * applies, and not by the flags beside it, so that the digest in the transaction is the one the tree comes to. Checks
 * against the pending node go by the flags (claimed_owner), as Java's do.
 */
#include "server/request/prep_ops.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/base/log.h"
#include "common/base/memory.h"
#include "common/base/strings.h"
#include "common/wire/acl.h"
#include "common/wire/path.h"
#include "server/tree/digest.h"
#include "server/tree/quota.h"

/* ---- what the state will be ---- */

static struct change_record *new_record(struct server_core *core, struct ustring path)
{
    return change_record_new(outstanding_changes_pool(core->outstanding_changes), path);
}

/* getRecordForPath: *ret_record is a reference; ZK_NO_NODE when the node is not there, or will be gone. */
static int get_record(struct server_core *core, struct ustring path, struct change_record **ret_record)
{
    struct change_record *record = outstanding_changes_find(core->outstanding_changes, path);
    if (record != NULL) {
        if (record->exists) {
            *ret_record = record;
            return ZK_OK;
        }
        change_record_unref(record);
        return ZK_NO_NODE;
    }
    struct node_view view;
    if (!data_tree_view(zk_database_tree(core->database), path, &view))
        return ZK_NO_NODE;
    record = new_record(core, path);
    record->exists = true;
    record->stat = view.stat;
    record->claimed_owner = view.stat.ephemeral_owner;
    record->child_count = view.child_count;
    record->acl_list = view.acl;    /* its references move */
    record->data_owner = view.data;
    record->data = view.data == NULL ? (struct slice){NULL, 0} : (struct slice){view.data->bytes, view.data->size};
    record->node_digest = view.digest;
    *ret_record = record;
    return ZK_OK;
}

uint64_t prep_current_tree_digest(struct server_core *core)
{
    uint64_t digest;
    if (!outstanding_changes_tree_digest(core->outstanding_changes, &digest))
        digest = data_tree_digest(zk_database_tree(core->database));
    return digest;
}

/* The record refers to the data where the request brought it; what is made here is copied. */
static void set_data(struct prep_context *context, struct change_record *record, struct jute_buffer data)
{
    struct blob *chunk = context->request->chunk;
    size_t size = data.size > 0 ? (size_t)data.size : 0;
    if (size == 0) {
        change_record_set_data(record, (struct slice){NULL, 0}, NULL);
    } else if (chunk != NULL && data.bytes >= chunk->bytes && data.bytes + size <= chunk->bytes + chunk->size) {
        change_record_set_data(record, (struct slice){data.bytes, size}, chunk);
    } else {
        struct blob *copy = blob_new_copy(data.bytes, size);
        change_record_set_data(record, (struct slice){copy->bytes, size}, copy);
        blob_unref(copy);
    }
}

/* precalculateDigest for a record that is about to be added, `before` being the node's digest so far. */
static void set_digest(struct prep_context *context, struct change_record *record, uint64_t before)
{
    if (!context->core->digest_enabled)
        return;
    struct ustring path = {record->path, (int32_t)record->path_size};
    record->node_digest = record->exists ? digest_calculate(path, record->data, &record->stat) : 0;
    record->tree_digest = prep_current_tree_digest(context->core) - before + record->node_digest;
}

static void add_change(struct prep_context *context, struct change_record *record, uint64_t before)
{
    set_digest(context, record, before);
    context->has_digest = context->core->digest_enabled;
    context->tree_digest = record->tree_digest;
    outstanding_changes_add(context->core->outstanding_changes, record);
}

/* The node will be gone. */
static void add_removal(struct prep_context *context, struct ustring path, uint64_t before)
{
    struct change_record *record = new_record(context->core, path);
    record->zxid = context->header.zxid;
    add_change(context, record, before);
}

/* The parent as it will be after a child went. */
static void add_parent_of_removed(struct prep_context *context, const struct change_record *parent, int32_t child_diff)
{
    struct change_record *changed = change_record_duplicate(parent, context->header.zxid);
    changed->child_count += child_diff;
    changed->stat.pzxid = context->header.zxid;
    add_change(context, changed, parent->node_digest);
}

/* ---- checks ---- */

static int check_session(struct prep_context *context)
{
    struct session_tracker *tracker = context->core->session_tracker;
    return tracker->ops->check_session(tracker, context->request->session_id, context->request->owner);
}

static int check_acl(struct prep_context *context, const struct change_record *record, int32_t permission)
{
    struct server_core *core = context->core;
    if (record->acl_list != NULL)
        return acl_check_list(core->providers, core->skip_acl, record->acl_list, permission,
                              context->request->auth_info);
    return acl_check(core->providers, core->skip_acl, record->acl, permission, context->request->auth_info);
}

static int check_path(struct prep_context *context, struct ustring path)
{
    struct error reason LEFT_AS_IT_IS;
    error_init(&reason);
    int err = path_validate(path, false, &reason);
    if (err != ZK_OK)
        log_debug("Invalid path with session 0x%" PRIx64 ", reason: %s", (uint64_t)context->request->session_id,
                  reason.text);
    return err;
}

static bool contains_zero(struct ustring path)
{
    return memchr(path.bytes, 0, (size_t)path.size) != NULL;
}

/* The part before the last '/'; validatePathForCreate. */
static int parent_of(struct ustring path, struct ustring *ret_parent)
{
    struct ustring name;
    if (path.size < 0)
        return ZK_MARSHALLING_ERROR;
    if (!path_split(path, ret_parent, &name) || contains_zero(path))
        return ZK_BAD_ARGUMENTS;
    return ZK_OK;
}

bool prep_is_special_path(struct ustring path)
{
    return ustring_is(path, "/") || ustring_is(path, QUOTA_PROC) || ustring_is(path, QUOTA_ROOT) ||
           ustring_is(path, QUOTA_CONFIG_NODE);
}

/* The same for a node that is to go, which no special node may; getParentPathAndValidate. */
static int parent_of_removed(struct ustring path, struct ustring *ret_parent)
{
    int err = parent_of(path, ret_parent);
    if (err != ZK_OK)
        return err;
    return prep_is_special_path(path) ? ZK_BAD_ARGUMENTS : ZK_OK;
}

/* checkAndIncVersion; wraps as Java's int does. */
static int next_version(int32_t current, int32_t expected, int32_t *ret_version)
{
    if (expected != -1 && expected != current)
        return ZK_BAD_VERSION;
    *ret_version = (int32_t)((uint32_t)current + 1);
    return ZK_OK;
}

/* ---- create ---- */

struct new_node {
    int32_t type, flags;
    struct ustring path;
    struct jute_buffer data;
    struct zk_acl_vector acl;
    int64_t ttl_ms;    /* -1 for all but createTTL */
};

/* validateCreateRequest */
static int check_create_mode(struct prep_context *context, const struct new_node *node)
{
    if (!create_mode_is_valid(node->flags))
        return ZK_BAD_ARGUMENTS;
    if (create_mode_is_ttl(node->flags) && !context->core->ephemeral_rules.extended_types_enabled)
        return ZK_UNIMPLEMENTED;
    if (!ephemeral_ttl_is_valid(node->flags, node->ttl_ms))
        return ZK_BAD_ARGUMENTS;
    if (!create_mode_is_ephemeral(node->flags))
        return check_session(context);
    if (context->request->error != ZK_OK)    /* a local session that could not be upgraded */
        return context->request->error;
    struct session_tracker *tracker = context->core->session_tracker;
    return tracker->ops->check_global_session(tracker, context->request->session_id, context->request->owner);
}

/* The name of a sequential node: ten digits of the parent's cversion, more where it is negative. */
static struct ustring with_sequence(struct prep_context *context, struct ustring path, int32_t cversion)
{
    char digits[16];
    int count = snprintf(digits, sizeof digits, "%010d", cversion);
    char *name = arena_alloc(&context->request->arena, (size_t)path.size + (size_t)count);
    memcpy(name, path.bytes, (size_t)path.size);
    memcpy(name + path.size, digits, (size_t)count);
    return (struct ustring){name, path.size + count};
}

static int64_t owner_of(struct prep_context *context, const struct new_node *node)
{
    if (node->type == OP_CREATE_CONTAINER)
        return EPHEMERAL_CONTAINER_OWNER;
    if (node->type == OP_CREATE_TTL)
        return ephemeral_ttl_to_owner(node->ttl_ms);
    return create_mode_is_ephemeral(node->flags) ? context->request->session_id : 0;
}

/* Everything that must be true; *ret_path is the name it will have. */
static int check_create(struct prep_context *context, const struct new_node *node, const struct change_record *parent,
                        struct ustring *ret_path)
{
    struct server_core *core = context->core;
    int err = check_acl(context, parent, PERM_CREATE);
    if (err != ZK_OK)
        return err;
    struct ustring path = node->path;
    if (create_mode_is_sequential(node->flags))
        path = with_sequence(context, path, parent->stat.cversion);
    err = check_path(context, path);
    if (err != ZK_OK)
        return err;
    struct change_record *existing;
    if (get_record(core, path, &existing) == ZK_OK) {
        change_record_unref(existing);
        return ZK_NODE_EXISTS;
    }
    bool is_valid;
    if (ephemeral_type_get(&core->ephemeral_rules, parent->claimed_owner, &is_valid) == EPHEMERAL_NORMAL)
        return ZK_NO_CHILDREN_FOR_EPHEMERALS;
    if (!is_valid)
        return ZK_MARSHALLING_ERROR;
    *ret_path = path;
    return server_core_check_quota(core, path, 0, node->data.size, true);
}

/* What Java's record of the pending node says, which goes by the flags alone. */
static int64_t claimed_owner_of(struct prep_context *context, const struct new_node *node)
{
    if (create_mode_is_container(node->flags))
        return EPHEMERAL_CONTAINER_OWNER;
    if (create_mode_is_ttl(node->flags))
        return ephemeral_ttl_to_owner(node->ttl_ms);
    return create_mode_is_ephemeral(node->flags) ? context->request->session_id : 0;
}

static void make_create_txn(const struct new_node *node, struct ustring path, const struct zk_acl_vector *acl,
                            int32_t cversion, struct txn_body *body)
{
    if (node->type == OP_CREATE_CONTAINER)
        body->record.create_container = (struct create_container_txn){path, node->data, *acl, cversion};
    else if (node->type == OP_CREATE_TTL)
        body->record.create_ttl = (struct create_ttl_txn){path, node->data, *acl, cversion, node->ttl_ms};
    else
        body->record.create =
            (struct create_txn){path, node->data, *acl, create_mode_is_ephemeral(node->flags), cversion};
}

static void add_created(struct prep_context *context, const struct new_node *node, struct ustring path,
                        const struct zk_acl_vector *acl, const struct change_record *parent, int32_t cversion)
{
    const struct txn_header *header = &context->header;
    struct change_record *changed = change_record_duplicate(parent, header->zxid);
    changed->child_count++;
    changed->stat.cversion = cversion;
    changed->stat.pzxid = header->zxid;
    add_change(context, changed, parent->node_digest);

    struct change_record *created = new_record(context->core, path);
    created->zxid = header->zxid;
    created->exists = true;
    created->stat = (struct stat_persisted){
        .czxid = header->zxid,
        .mzxid = header->zxid,
        .pzxid = header->zxid,
        .ctime = header->time,
        .mtime = header->time,
        .ephemeral_owner = owner_of(context, node),
    };
    created->claimed_owner = claimed_owner_of(context, node);
    if (parent->acl_list != NULL && acl_vector_equal(acl, &parent->acl_list->acl))    /* as mostly */
        created->acl_list = acl_list_ref(parent->acl_list);
    else
        created->acl = acl_vector_copy(acl);
    set_data(context, created, node->data);
    add_change(context, created, 0);
}

static int create_node(struct prep_context *context, const struct new_node *node, struct txn_body *ret_body)
{
    struct ustring parent_path, path;
    struct change_record *parent = NULL;
    struct zk_acl_vector acl;
    int err = check_create_mode(context, node);
    if (err == ZK_OK)
        err = parent_of(node->path, &parent_path);
    if (err == ZK_OK)
        err = acl_fixup(context->core->providers, context->request->auth_info, &node->acl, &context->request->arena,
                        &acl);
    if (err == ZK_OK)
        err = get_record(context->core, parent_path, &parent);
    if (err != ZK_OK)
        return err;
    err = check_create(context, node, parent, &path);
    if (err == ZK_OK) {
        int32_t cversion = (int32_t)((uint32_t)parent->stat.cversion + 1);
        make_create_txn(node, path, &acl, cversion, ret_body);
        add_created(context, node, path, &acl, parent, cversion);
    }
    change_record_unref(parent);
    return err;
}

int prep_create(struct prep_context *context, int32_t type, const struct create_request *record,
                struct txn_body *ret_body)
{
    struct new_node node = {type, record->flags, record->path, record->data, record->acl, -1};
    return create_node(context, &node, ret_body);
}

int prep_create_ttl(struct prep_context *context, const struct create_ttl_request *record, struct txn_body *ret_body)
{
    struct new_node node = {OP_CREATE_TTL, record->flags, record->path, record->data, record->acl, record->ttl};
    return create_node(context, &node, ret_body);
}

/* ---- delete ---- */

/* What remains to be checked and done once both records are at hand. */
static void remove_node(struct prep_context *context, struct ustring path, const struct change_record *parent,
                        const struct change_record *node, struct txn_body *ret_body)
{
    ret_body->record.remove.path = path;
    add_parent_of_removed(context, parent, -1);
    add_removal(context, path, node->node_digest);
}

int prep_delete(struct prep_context *context, const struct delete_request *record, struct txn_body *ret_body)
{
    struct ustring parent_path;
    struct change_record *parent = NULL, *node = NULL;
    int32_t version;
    int err = check_session(context);
    if (err == ZK_OK)
        err = parent_of_removed(record->path, &parent_path);
    if (err == ZK_OK)
        err = get_record(context->core, parent_path, &parent);
    if (err == ZK_OK)
        err = check_acl(context, parent, PERM_DELETE);
    if (err == ZK_OK)
        err = get_record(context->core, record->path, &node);
    if (err == ZK_OK)
        err = next_version(node->stat.version, record->version, &version);
    if (err == ZK_OK && node->child_count > 0)
        err = ZK_NOT_EMPTY;
    if (err == ZK_OK)
        remove_node(context, record->path, parent, node, ret_body);
    change_record_unref(parent);
    change_record_unref(node);
    return err;
}

int prep_delete_container(struct prep_context *context, struct ustring path, struct txn_body *ret_body)
{
    struct ustring parent_path;
    struct change_record *parent = NULL, *node = NULL;
    bool is_valid = true;
    int err = parent_of_removed(path, &parent_path);
    if (err == ZK_OK)
        err = get_record(context->core, path, &node);
    if (err == ZK_OK && node->child_count > 0)
        err = ZK_NOT_EMPTY;
    if (err == ZK_OK && ephemeral_type_get(&context->core->ephemeral_rules, node->claimed_owner, &is_valid) ==
                            EPHEMERAL_NORMAL)
        err = ZK_BAD_VERSION;
    if (err == ZK_OK && !is_valid)
        err = ZK_MARSHALLING_ERROR;
    if (err == ZK_OK)
        err = get_record(context->core, parent_path, &parent);
    if (err == ZK_OK)
        remove_node(context, path, parent, node, ret_body);
    change_record_unref(parent);
    change_record_unref(node);
    return err;
}

/* ---- setData, setACL, check ---- */

/* A node of the session's that there is and that may be touched so; *ret_node may be set on failure too. */
static int get_permitted(struct prep_context *context, struct ustring path, int32_t permission,
                         struct change_record **ret_node)
{
    int err = check_session(context);
    if (err == ZK_OK)
        err = check_path(context, path);
    if (err == ZK_OK)
        err = get_record(context->core, path, ret_node);
    return err != ZK_OK ? err : check_acl(context, *ret_node, permission);
}

int prep_set_data(struct prep_context *context, const struct set_data_request *record, struct txn_body *ret_body)
{
    struct change_record *node = NULL;
    int32_t version = 0;
    int err = get_permitted(context, record->path, PERM_WRITE, &node);
    if (err == ZK_OK)
        err = server_core_check_quota(context->core, record->path, node->data.size, record->data.size, false);
    if (err == ZK_OK)
        err = next_version(node->stat.version, record->version, &version);
    if (err == ZK_OK) {
        ret_body->record.set_data = (struct set_data_txn){record->path, record->data, version};
        uint64_t before = node->node_digest;
        struct change_record *changed = change_record_own(node, context->header.zxid);
        node = NULL;
        changed->stat.version = version;
        changed->stat.mtime = context->header.time;
        changed->stat.mzxid = context->header.zxid;
        set_data(context, changed, record->data);
        add_change(context, changed, before);
    }
    change_record_unref(node);
    return err;
}

int prep_set_acl(struct prep_context *context, const struct set_acl_request *record, struct txn_body *ret_body)
{
    struct change_record *node = NULL;
    struct zk_acl_vector acl;
    int32_t version = 0;
    int err = check_session(context);
    if (err == ZK_OK)
        err = check_path(context, record->path);
    if (err == ZK_OK)
        err = acl_fixup(context->core->providers, context->request->auth_info, &record->acl, &context->request->arena,
                        &acl);
    if (err == ZK_OK)
        err = get_record(context->core, record->path, &node);
    if (err == ZK_OK)
        err = check_acl(context, node, PERM_ADMIN);
    if (err == ZK_OK)
        err = next_version(node->stat.aversion, record->version, &version);
    if (err == ZK_OK) {
        ret_body->record.set_acl = (struct set_acl_txn){record->path, acl, version};
        struct change_record *changed = change_record_duplicate(node, context->header.zxid);
        changed->stat.aversion = version;
        if (changed->acl_list != NULL)    /* departs from Java, where the new list counts only once the tree has it */
            acl_list_unref(changed->acl_list);
        memory_free(changed->acl);
        changed->acl_list = NULL;
        changed->acl = acl_vector_copy(&acl);
        add_change(context, changed, node->node_digest);
    }
    change_record_unref(node);
    return err;
}

int prep_check(struct prep_context *context, const struct check_version_request *record, struct txn_body *ret_body)
{
    struct change_record *node = NULL;
    int32_t version = 0;
    int err = get_permitted(context, record->path, PERM_READ, &node);
    if (err == ZK_OK)
        err = next_version(node->stat.version, record->version, &version);
    if (err == ZK_OK)
        ret_body->record.check = (struct check_version_txn){record->path, version};
    change_record_unref(node);
    return err;
}

/* ---- reconfig and sessions ---- */

/* The config node as it will be; version -1 and all, as Java writes it. */
static int change_config(struct prep_context *context, const struct buffer *text, struct txn_body *ret_body)
{
    static const char path[] = QUOTA_CONFIG_NODE;
    struct request *request = context->request;
    struct change_record *node = NULL;
    int err = get_record(context->core, ustring_of(path), &node);
    if (err == ZK_OK)
        err = check_acl(context, node, PERM_WRITE);
    if (err == ZK_OK) {
        struct jute_buffer data = {arena_copy(&request->arena, text->bytes, text->size), (int32_t)text->size};
        ret_body->record.set_data = (struct set_data_txn){ustring_of(path), data, -1};
        struct change_record *changed = change_record_duplicate(node, context->header.zxid);
        changed->stat.version = -1;
        changed->stat.mtime = context->header.time;
        changed->stat.mzxid = context->header.zxid;
        set_data(context, changed, data);
        add_change(context, changed, node->node_digest);
    }
    change_record_unref(node);
    return err;
}

int prep_reconfig(struct prep_context *context, const struct reconfig_request *record, struct txn_body *ret_body)
{
    struct server_core *core = context->core;
    struct server_role *role = core->role;
    if (!core->options->reconfig_enabled)
        return ZK_RECONFIG_DISABLED;
    if (core->skip_acl)
        log_warn("skipACL is set, reconfig operation will skip ACL checks!");
    int err = check_session(context);
    if (err != ZK_OK)
        return err;
    if (role->ops->prepare_reconfig == NULL)
        return ZK_UNIMPLEMENTED;    /* a server that stands alone has no ensemble to change */
    struct buffer text = {0};
    err = role->ops->prepare_reconfig(role, record, context->header.zxid, &text);
    if (err == ZK_OK)
        err = change_config(context, &text, ret_body);
    buffer_release(&text);
    return err;
}

int prep_create_session(struct prep_context *context, const struct create_session_txn *record,
                        struct txn_body *ret_body)
{
    struct session_tracker *tracker = context->core->session_tracker;
    ret_body->record.create_session = *record;
    tracker->ops->track_session(tracker, context->request->session_id, record->time_out);
    return tracker->ops->set_owner(tracker, context->request->session_id, context->request->owner);
}

/* One ephemeral node of a session that ends. */
static void remove_ephemeral(struct prep_context *context, struct ustring path)
{
    struct ustring parent_path;
    struct change_record *parent = NULL, *node = NULL;
    if (context->core->digest_enabled && parent_of_removed(path, &parent_path) == ZK_OK &&
        get_record(context->core, parent_path, &parent) == ZK_OK)
        add_parent_of_removed(context, parent, 0);
    uint64_t before = get_record(context->core, path, &node) == ZK_OK ? node->node_digest : 0;
    add_removal(context, path, before);
    change_record_unref(parent);
    change_record_unref(node);
}

int prep_close_session(struct prep_context *context, struct txn_body *ret_body)
{
    struct server_core *core = context->core;
    struct path_list paths;
    outstanding_changes_ephemerals(core->outstanding_changes, zk_database_tree(core->database),
                                   context->request->session_id, &paths);
    struct arena *arena = &context->request->arena;
    struct ustring_vector names = {arena_alloc(arena, (paths.count + 1) * sizeof(struct ustring)),
                                   (int32_t)paths.count};
    for (size_t i = 0; i < paths.count; i++) {
        size_t size = strlen(paths.paths[i]);
        names.items[i] = (struct ustring){arena_copy(arena, paths.paths[i], size), (int32_t)size};
        remove_ephemeral(context, names.items[i]);
    }
    path_list_release(&paths);
    context->has_digest = false;    /* the digest is taken when all of them are counted */
    ret_body->is_present = core->close_session_txn_enabled;
    ret_body->record.close_session.paths2_delete = names;
    core->session_tracker->ops->set_session_closing(core->session_tracker, context->request->session_id);
    return ZK_OK;
}
