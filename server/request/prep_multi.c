/*
 * prep_multi.c - all operations of a multi or none of them.
 *
 * Mirrors the multi case of PrepRequestProcessor.pRequest with getPendingChanges and rollbackPendingChanges.
 */
#include "server/request/prep_multi.h"

#include "common/base/memory.h"
#include "common/wire/path.h"

struct pending {
    struct change_record **items;
    size_t count;
};

static void keep_pending(struct prep_context *context, struct ustring path, struct pending *pending)
{
    struct change_record *record = outstanding_changes_find(context->core->outstanding_changes, path);
    if (record != NULL)
        pending->items[pending->count++] = record;
}

/* getPendingChanges: what is outstanding for each path and its parent before the multi begins. */
static struct pending pending_changes(struct prep_context *context, const struct multi_ops *ops)
{
    struct pending pending = {arena_alloc(&context->request->arena,
                                          ((size_t)ops->count * 2 + 1) * sizeof(struct change_record *)),
                              0};
    for (int32_t i = 0; i < ops->count; i++) {
        struct ustring path = multi_op_path(&ops->items[i]), parent, name;
        if (path.size < 0)
            continue;
        keep_pending(context, path, &pending);
        if (path_split(path, &parent, &name))
            keep_pending(context, parent, &pending);
    }
    return pending;
}

static void release_pending(struct pending *pending)
{
    for (size_t i = 0; i < pending->count; i++)
        change_record_unref(pending->items[i]);
}

static int prep_one(struct prep_context *context, const struct multi_op *op, struct txn_body *ret_body)
{
    switch (op->type) {
    case OP_CREATE:
    case OP_CREATE2:
    case OP_CREATE_CONTAINER:
        return prep_create(context, op->type, &op->request.create, ret_body);
    case OP_CREATE_TTL:
        return prep_create_ttl(context, &op->request.create_ttl, ret_body);
    case OP_DELETE:
        return prep_delete(context, &op->request.remove, ret_body);
    case OP_SET_DATA:
        return prep_set_data(context, &op->request.set_data, ret_body);
    case OP_CHECK:
        return prep_check(context, &op->request.check, ret_body);
    default:
        return ZK_MARSHALLING_ERROR;    /* a reading operation */
    }
}

/* A null path makes Java's whole request fail before its first operation. */
static bool has_null_path(const struct multi_ops *ops)
{
    for (int32_t i = 0; i < ops->count; i++)
        if (multi_op_path(&ops->items[i]).size < 0)
            return true;
    return false;
}

static void make_error(struct txn_part *part, int32_t code)
{
    part->type = OP_ERROR;
    part->body = (struct txn_body){.is_present = true};
    part->body.record.error.err = code;
}

/* Java writes each part into the log as it was before the failure, and turns it into an error when it applies; the
 * parts here are what the log gets, so only those from the failure on are errors. */
void prep_multi(struct prep_context *context, const struct multi_ops *ops, struct txn_body *ret_body,
                int32_t *ret_error)
{
    if (has_null_path(ops)) {
        *ret_error = ZK_MARSHALLING_ERROR;
        return;
    }
    struct txn_part *parts = arena_alloc(&context->request->arena, ((size_t)ops->count + 1) * sizeof *parts);
    struct pending pending = pending_changes(context, ops);
    int32_t error = ZK_OK;
    for (int32_t i = 0; i < ops->count; i++) {
        if (error != ZK_OK) {
            make_error(&parts[i], ZK_RUNTIME_INCONSISTENCY);
            continue;
        }
        parts[i] = (struct txn_part){.type = ops->items[i].type, .body = {.is_present = true}};
        error = prep_one(context, &ops->items[i], &parts[i].body);
        if (error != ZK_OK) {
            make_error(&parts[i], error);
            outstanding_changes_roll_back(context->core->outstanding_changes, context->header.zxid, pending.items,
                                          pending.count);
        }
    }
    release_pending(&pending);
    ret_body->record.multi.items = parts;
    ret_body->record.multi.count = ops->count;
    *ret_error = error;
}
