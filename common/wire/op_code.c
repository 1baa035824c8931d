/*
 * op_code.c - what an operation code is called and what may be done with it, one row each.
 *
 * Mirrors ZooDefs.OpCode with Request.isValid, isQuorum and op2String, and CreateMode.
 */
#include "common/wire/op_code.h"

#include <stddef.h>

/* OP(code, name, may a client send it, does it make a transaction) */
#define OP_ROWS(OP)                                                  \
    OP(OP_NOTIFICATION, "notification", false, false)                \
    OP(OP_CREATE, "create", true, true)                              \
    OP(OP_DELETE, "delete", true, true)                              \
    OP(OP_EXISTS, "exists", true, false)                             \
    OP(OP_GET_DATA, "getData", true, false)                          \
    OP(OP_SET_DATA, "setData", true, true)                           \
    OP(OP_GET_ACL, "getACL", true, false)                            \
    OP(OP_SET_ACL, "setACL", true, true)                             \
    OP(OP_GET_CHILDREN, "getChildren", true, false)                  \
    OP(OP_SYNC, "sync", true, false)                                 \
    OP(OP_PING, "ping", true, false)                                 \
    OP(OP_GET_CHILDREN2, "getChildren2", true, false)                \
    OP(OP_CHECK, "check", false, true)                               \
    OP(OP_MULTI, "multi", true, true)                                \
    OP(OP_CREATE2, "create2", true, true)                            \
    OP(OP_RECONFIG, "reconfig", true, true)                          \
    OP(OP_CHECK_WATCHES, "checkWatches", true, false)                \
    OP(OP_REMOVE_WATCHES, "removeWatches", true, false)              \
    OP(OP_CREATE_CONTAINER, "createContainer", true, true)           \
    OP(OP_DELETE_CONTAINER, "deleteContainer", true, true)           \
    OP(OP_CREATE_TTL, "createTTL", true, true)                       \
    OP(OP_MULTI_READ, "multiRead", true, false)                      \
    OP(OP_AUTH, "auth", false, false)                                \
    OP(OP_SET_WATCHES, "setWatches", true, false)                    \
    OP(OP_SASL, "sasl", false, false)                                \
    OP(OP_GET_EPHEMERALS, "getEphemerals", true, false)              \
    OP(OP_GET_ALL_CHILDREN_NUMBER, "getAllChildrenNumber", true, false) \
    OP(OP_SET_WATCHES2, "setWatches2", true, false)                  \
    OP(OP_ADD_WATCH, "addWatch", true, false)                        \
    OP(OP_WHO_AM_I, "whoAmI", true, false)                           \
    OP(OP_CREATE_SESSION, "createSession", true, true)               \
    OP(OP_CLOSE_SESSION, "closeSession", true, true)                 \
    OP(OP_ERROR, "error", false, true)

const char *op_code_name(int32_t code)
{
#define OP_NAME(op, name, valid, write) \
    case op: \
        return name;
    switch (code) {
        OP_ROWS(OP_NAME)
    default:
        return NULL;
    }
}

bool op_code_is_valid(int32_t code)
{
#define OP_VALID(op, name, valid, write) \
    case op: \
        return valid;
    switch (code) {
        OP_ROWS(OP_VALID)
    default:
        return false;
    }
}

bool op_code_is_write(int32_t code)
{
#define OP_WRITE(op, name, valid, write) \
    case op: \
        return write;
    switch (code) {
        OP_ROWS(OP_WRITE)
    default:
        return false;
    }
}

bool create_mode_is_valid(int32_t flags)
{
    return flags >= CREATE_PERSISTENT && flags <= CREATE_PERSISTENT_SEQUENTIAL_WITH_TTL;
}

bool create_mode_is_ephemeral(int32_t flags)
{
    return flags == CREATE_EPHEMERAL || flags == CREATE_EPHEMERAL_SEQUENTIAL;
}

bool create_mode_is_sequential(int32_t flags)
{
    return flags == CREATE_PERSISTENT_SEQUENTIAL || flags == CREATE_EPHEMERAL_SEQUENTIAL ||
           flags == CREATE_PERSISTENT_SEQUENTIAL_WITH_TTL;
}

bool create_mode_is_container(int32_t flags)
{
    return flags == CREATE_CONTAINER;
}

bool create_mode_is_ttl(int32_t flags)
{
    return flags == CREATE_PERSISTENT_WITH_TTL || flags == CREATE_PERSISTENT_SEQUENTIAL_WITH_TTL;
}
