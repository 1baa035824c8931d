/* Operation codes as rows. Mirrors ZooDefs.OpCode and Request.op2String, isQuorum and isValid. */
#ifndef ZKC_COMMON_WIRE_OP_CODE_H
#define ZKC_COMMON_WIRE_OP_CODE_H

#include <stdbool.h>
#include <stdint.h>

enum op_code {
    OP_NOTIFICATION = 0,
    OP_CREATE = 1,
    OP_DELETE = 2,
    OP_EXISTS = 3,
    OP_GET_DATA = 4,
    OP_SET_DATA = 5,
    OP_GET_ACL = 6,
    OP_SET_ACL = 7,
    OP_GET_CHILDREN = 8,
    OP_SYNC = 9,
    OP_PING = 11,
    OP_GET_CHILDREN2 = 12,
    OP_CHECK = 13,
    OP_MULTI = 14,
    OP_CREATE2 = 15,
    OP_RECONFIG = 16,
    OP_CHECK_WATCHES = 17,
    OP_REMOVE_WATCHES = 18,
    OP_CREATE_CONTAINER = 19,
    OP_DELETE_CONTAINER = 20,
    OP_CREATE_TTL = 21,
    OP_MULTI_READ = 22,
    OP_AUTH = 100,
    OP_SET_WATCHES = 101,
    OP_SASL = 102,
    OP_GET_EPHEMERALS = 103,
    OP_GET_ALL_CHILDREN_NUMBER = 104,
    OP_SET_WATCHES2 = 105,
    OP_ADD_WATCH = 106,
    OP_WHO_AM_I = 107,
    OP_CREATE_SESSION = -10,
    OP_CLOSE_SESSION = -11,
    OP_ERROR = -1
};

/* "getData"; "unknown <code>" is the caller's to print: NULL for a code not in the table. Request.op2String. */
const char *op_code_name(int32_t code);
/* What a client may send (Request.isValid), and what makes a transaction when it succeeds (Request.isQuorum, without
 * createSession and closeSession of a local session). */
bool op_code_is_valid(int32_t code);
bool op_code_is_write(int32_t code);
/* The reserved xids of packets that answer no request. */
enum { XID_NOTIFICATION = -1, XID_PING = -2, XID_AUTH = -4, XID_SET_WATCHES = -8 };

/* WatcherEvent: Watcher.Event.EventType and KeeperState. */
enum {
    EVENT_NONE = -1,
    EVENT_NODE_CREATED = 1,
    EVENT_NODE_DELETED = 2,
    EVENT_NODE_DATA_CHANGED = 3,
    EVENT_NODE_CHILDREN_CHANGED = 4,
    EVENT_DATA_WATCH_REMOVED = 5,
    EVENT_CHILD_WATCH_REMOVED = 6,
    EVENT_PERSISTENT_WATCH_REMOVED = 7
};
enum { STATE_SYNC_CONNECTED = 3 };

/* CreateMode flags of create, create2, createContainer, createTTL. */
enum create_mode {
    CREATE_PERSISTENT = 0,
    CREATE_EPHEMERAL = 1,
    CREATE_PERSISTENT_SEQUENTIAL = 2,
    CREATE_EPHEMERAL_SEQUENTIAL = 3,
    CREATE_CONTAINER = 4,
    CREATE_PERSISTENT_WITH_TTL = 5,
    CREATE_PERSISTENT_SEQUENTIAL_WITH_TTL = 6
};
/* CreateMode.fromFlag: false for a flag that is none of them. */
bool create_mode_is_valid(int32_t flags);
bool create_mode_is_ephemeral(int32_t flags);
bool create_mode_is_sequential(int32_t flags);
bool create_mode_is_container(int32_t flags);
bool create_mode_is_ttl(int32_t flags);

#endif
