/*
 * op_init.c - filling in the steps of a multi and the reads of a multi read.
 *
 * Nothing is copied, checked or kept; what cannot be is found when the steps are sent.
 */
#include <string.h>

#include "client/public.h"
#include "common/base/memory.h"

static void init_create(zoo_op_t *op, int type, const char *path, const char *value, int valuelen,
                        const struct ACL_vector *acl, int mode, char *path_buffer, int path_buffer_len)
{
    memset(op, 0, sizeof(*op));
    if (mode == ZOO_CONTAINER)
        type = ZOO_CREATE_CONTAINER_OP;
    else if (mode == ZOO_PERSISTENT_WITH_TTL || mode == ZOO_PERSISTENT_SEQUENTIAL_WITH_TTL)
        type = ZOO_CREATE_TTL_OP;
    op->type = type;
    op->create_op.path = path;
    op->create_op.data = value;
    op->create_op.datalen = valuelen;
    op->create_op.acl = acl;
    op->create_op.flags = mode;
    op->create_op.buf = path_buffer;
    op->create_op.buflen = path_buffer_len;
}

void zoo_create_op_init(zoo_op_t *op, const char *path, const char *value, int valuelen, const struct ACL_vector *acl,
                        int mode, char *path_buffer, int path_buffer_len)
{
    init_create(op, ZOO_CREATE_OP, path, value, valuelen, acl, mode, path_buffer, path_buffer_len);
}

void zoo_create2_op_init(zoo_op_t *op, const char *path, const char *value, int valuelen, const struct ACL_vector *acl,
                         int mode, char *path_buffer, int path_buffer_len)
{
    init_create(op, ZOO_CREATE2_OP, path, value, valuelen, acl, mode, path_buffer, path_buffer_len);
}

void zoo_delete_op_init(zoo_op_t *op, const char *path, int version)
{
    memset(op, 0, sizeof(*op));
    op->type = ZOO_DELETE_OP;
    op->delete_op.path = path;
    op->delete_op.version = version;
}

void zoo_set_op_init(zoo_op_t *op, const char *path, const char *buffer, int buflen, int version, struct Stat *stat)
{
    memset(op, 0, sizeof(*op));
    op->type = ZOO_SETDATA_OP;
    op->set_op.path = path;
    op->set_op.data = buffer;
    op->set_op.datalen = buflen;
    op->set_op.version = version;
    op->set_op.stat = stat;
}

void zoo_check_op_init(zoo_op_t *op, const char *path, int version)
{
    memset(op, 0, sizeof(*op));
    op->type = ZOO_CHECK_OP;
    op->check_op.path = path;
    op->check_op.version = version;
}

void zoo_get_op_init(zoo_read_op_t *op, const char *path)
{
    *op = (zoo_read_op_t){ .type = ZOO_GETDATA_OP, .path = path };
}

void zoo_get_children_op_init(zoo_read_op_t *op, const char *path)
{
    *op = (zoo_read_op_t){ .type = ZOO_GETCHILDREN_OP, .path = path };
}

void zoo_free_read_results(int count, zoo_read_result_t *results)
{
    for (int i = 0; i < count; i++) {
        memory_free(results[i].value);
        deallocate_String_vector(&results[i].strings);
        memset(&results[i], 0, sizeof(results[i]));
    }
}
