/* cli_failure.c - the sentences of failed operations, which scripts look for. */
#include "client/cli/cli_failure.h"

#include <stddef.h>

#include "common/base/error.h"
#include "common/base/memory.h"
#include "common/base/strings.h"

static const struct {
    int code;
    const char *name;        /* in "KeeperErrorCode = <name>" */
    const char *sentence;    /* before the path, or whole when `is_whole`; NULL: the code is told */
    int is_whole;
} failures[] = {
    { ZK_OK, "ok", NULL, 0 },
    { ZK_SYSTEM_ERROR, "SystemError", NULL, 0 },
    { ZK_RUNTIME_INCONSISTENCY, "RuntimeInconsistency", NULL, 0 },
    { ZK_DATA_INCONSISTENCY, "DataInconsistency", NULL, 0 },
    { ZK_CONNECTION_LOSS, "ConnectionLoss", NULL, 0 },
    { ZK_MARSHALLING_ERROR, "MarshallingError", NULL, 0 },
    { ZK_NEW_CONFIG_NO_QUORUM, "NewConfigNoQuorum",
      "No quorum of new config is connected and up-to-date with the leader of last commmitted config - try invoking "
      "reconfiguration after new servers are connected and synced", 1 },
    { ZK_RECONFIG_IN_PROGRESS, "ReconfigInProgress",
      "Another reconfiguration is in progress -- concurrent reconfigs not supported (yet)", 1 },
    { ZK_UNIMPLEMENTED, "Unimplemented", NULL, 0 },
    { ZK_OPERATION_TIMEOUT, "OperationTimeout", NULL, 0 },
    { ZK_BAD_ARGUMENTS, "BadArguments", "Arguments are not valid : ", 0 },
    { ZK_API_ERROR, "APIError", NULL, 0 },
    { ZK_NO_NODE, "NoNode", "Node does not exist: ", 0 },
    { ZK_NO_AUTH, "NoAuth", "Insufficient permission : ", 0 },
    { ZK_BAD_VERSION, "BadVersion", "version No is not valid : ", 0 },
    { ZK_NO_CHILDREN_FOR_EPHEMERALS, "NoChildrenForEphemerals", "Ephemerals cannot have children: ", 0 },
    { ZK_NODE_EXISTS, "NodeExists", "Node already exists: ", 0 },
    { ZK_INVALID_ACL, "InvalidACL", "Acl is not valid : ", 0 },
    { ZK_AUTH_FAILED, "AuthFailed", NULL, 0 },
    { ZK_NOT_EMPTY, "Directory not empty", "Node not empty: ", 0 },
    { ZK_SESSION_EXPIRED, "Session expired", NULL, 0 },
    { ZK_INVALID_CALLBACK, "Invalid callback", NULL, 0 },
    { ZK_SESSION_MOVED, "Session moved", NULL, 0 },
    { ZK_NOT_READ_ONLY, "Not a read-only call", "Not a read-only call: ", 0 },
    { ZK_EPHEMERAL_ON_LOCAL_SESSION, "Ephemeral node on local session", NULL, 0 },
    { ZK_NO_WATCHER, "No such watcher", NULL, 0 },
    { ZK_RECONFIG_DISABLED, "Reconfig is disabled", NULL, 0 },
    { ZK_SESSION_CLOSED_REQUIRE_SASL_AUTH, "Session closed because client failed to authenticate", NULL, 0 },
    { ZK_QUOTA_EXCEEDED, "Quota has exceeded", "Quota has exceeded : ", 0 },
    { ZK_THROTTLED_OP, "Op throttled due to high load", NULL, 0 },
};

char *failure_code_message(int code, const char *path)
{
    const char *before = "Unknown error ", *name = error_name(code);
    for (size_t i = 0; i < ARRAY_SIZE(failures); i++)
        if (failures[i].code == code) {
            before = "";
            name = failures[i].name;
        }
    if (path == NULL || path[0] == '\0')
        return string_format("KeeperErrorCode = %s%s", before, name);
    return string_format("KeeperErrorCode = %s%s for %s", before, name, path);
}

char *failure_sentence(int code, const char *path)
{
    for (size_t i = 0; i < ARRAY_SIZE(failures); i++) {
        if (failures[i].code != code || failures[i].sentence == NULL)
            continue;
        if (failures[i].is_whole)
            return string_copy(failures[i].sentence);
        return string_format("%s%s", failures[i].sentence, path == NULL ? "null" : path);
    }
    return failure_code_message(code, path);
}
