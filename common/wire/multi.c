/*
 * multi.c - operations and results behind multi headers.
 *
 * Mirrors MultiOperationRecord, with the checks that Java makes while it reads one (in Op and CreateOptions), and
 * MultiResponse.
 */
#include "common/wire/multi.h"

#include <assert.h>

enum { FIRST_CAPACITY = 8 };

static bool is_read(int32_t type)
{
    return type == OP_GET_DATA || type == OP_GET_CHILDREN;
}

static void refuse(struct jute_reader *reader)
{
    if (reader->error == ZK_OK)
        reader->error = ZK_MARSHALLING_ERROR;
}

static struct multi_op *append(struct multi_ops *ops, int32_t *capacity, struct arena *arena)
{
    if (ops->count == *capacity) {
        int32_t wanted = *capacity == 0 ? FIRST_CAPACITY : *capacity * 2;
        struct multi_op *items = arena_alloc(arena, (size_t)wanted * sizeof(items[0]));
        if (ops->count > 0)
            memcpy(items, ops->items, (size_t)ops->count * sizeof(items[0]));
        ops->items = items;
        *capacity = wanted;
    }
    struct multi_op *op = &ops->items[ops->count++];
    *op = (struct multi_op){0};
    return op;
}

/* create, create2 and createContainer. */
static void read_create(struct jute_reader *reader, int32_t type, struct multi_op *op, bool *ret_null_acl)
{
    struct create_request *create = &op->request.create;
    jute_read_create_request(reader, create);
    if (reader->error != ZK_OK)
        return;
    bool mode_is_valid = create_mode_is_valid(create->flags);
    *ret_null_acl = mode_is_valid && create->acl.count < 0;
    if (!mode_is_valid || create->acl.count < 0 || create_mode_is_ttl(create->flags))
        refuse(reader);
    op->type = create_mode_is_container(create->flags) ? OP_CREATE_CONTAINER : type;
}

static void read_create_ttl(struct jute_reader *reader, struct multi_op *op)
{
    struct create_ttl_request read;
    jute_read_create_ttl_request(reader, &read);
    if (create_mode_is_ttl(read.flags)) {
        op->type = OP_CREATE_TTL;
        op->request.create_ttl = read;
        return;
    }
    op->type = create_mode_is_container(read.flags) ? OP_CREATE_CONTAINER : OP_CREATE;
    op->request.create = (struct create_request){read.path, read.data, read.acl, read.flags};
}

static void read_op(struct jute_reader *reader, int32_t type, struct multi_op *op, bool *ret_null_acl)
{
    op->type = type;
    switch (type) {
    case OP_CREATE:
    case OP_CREATE2:
    case OP_CREATE_CONTAINER:
        read_create(reader, type, op, ret_null_acl);
        break;
    case OP_CREATE_TTL:
        read_create_ttl(reader, op);
        break;
    case OP_DELETE:
        jute_read_delete_request(reader, &op->request.remove);
        break;
    case OP_SET_DATA:
        jute_read_set_data_request(reader, &op->request.set_data);
        break;
    case OP_CHECK:
        jute_read_check_version_request(reader, &op->request.check);
        break;
    case OP_GET_DATA:
        jute_read_get_data_request(reader, &op->request.get_data);
        op->request.get_data.watch = false;    /* Java drops it here */
        break;
    case OP_GET_CHILDREN:
        jute_read_get_children_request(reader, &op->request.get_children);
        op->request.get_children.watch = false;
        break;
    default:
        refuse(reader);
    }
}

static void write_header(struct buffer *out, int32_t type, bool done, int32_t err)
{
    const struct multi_header header = {type, done, err};
    jute_write_multi_header(out, &header);
}

void multi_read_ops(struct jute_reader *reader, struct multi_ops *ret_ops)
{
    struct multi_header header;
    int32_t capacity = 0;
    *ret_ops = (struct multi_ops){0};
    jute_read_multi_header(reader, &header);
    while (reader->error == ZK_OK && !header.done) {
        struct multi_op *op = append(ret_ops, &capacity, reader->arena);
        read_op(reader, header.type, op, &ret_ops->null_acl);
        if (is_read(op->type) != is_read(ret_ops->items[0].type))
            refuse(reader);
        jute_read_multi_header(reader, &header);
    }
}

void multi_write_ops(struct buffer *out, const struct multi_ops *ops)
{
    for (int32_t i = 0; i < ops->count; i++) {
        const struct multi_op *op = &ops->items[i];
        write_header(out, op->type, false, -1);
        switch (op->type) {
        case OP_CREATE:
        case OP_CREATE2:
        case OP_CREATE_CONTAINER:
            jute_write_create_request(out, &op->request.create);
            break;
        case OP_CREATE_TTL:
            jute_write_create_ttl_request(out, &op->request.create_ttl);
            break;
        case OP_DELETE:
            jute_write_delete_request(out, &op->request.remove);
            break;
        case OP_SET_DATA:
            jute_write_set_data_request(out, &op->request.set_data);
            break;
        case OP_CHECK:
            jute_write_check_version_request(out, &op->request.check);
            break;
        case OP_GET_DATA:
            jute_write_get_data_request(out, &op->request.get_data);
            break;
        case OP_GET_CHILDREN:
            jute_write_get_children_request(out, &op->request.get_children);
            break;
        default:
            assert(!"a type that cannot stand in a multi");
        }
    }
    multi_write_end(out);
}

struct ustring multi_op_path(const struct multi_op *op)
{
    switch (op->type) {
    case OP_CREATE:
    case OP_CREATE2:
    case OP_CREATE_CONTAINER:
        return op->request.create.path;
    case OP_CREATE_TTL:
        return op->request.create_ttl.path;
    case OP_DELETE:
        return op->request.remove.path;
    case OP_SET_DATA:
        return op->request.set_data.path;
    case OP_CHECK:
        return op->request.check.path;
    case OP_GET_DATA:
        return op->request.get_data.path;
    case OP_GET_CHILDREN:
        return op->request.get_children.path;
    default:
        return USTRING_NULL;
    }
}

void multi_write_result_header(struct buffer *out, int32_t type, int32_t err)
{
    write_header(out, type, false, err);
}

void multi_write_error_result(struct buffer *out, int32_t err)
{
    const struct error_response response = {err};
    write_header(out, OP_ERROR, false, err);
    jute_write_error_response(out, &response);
}

void multi_write_end(struct buffer *out)
{
    write_header(out, OP_ERROR, true, -1);
}
