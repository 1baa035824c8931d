"""protocol.py - numbers and names of the client protocol: operations, errors, events, modes, permissions."""

import jute

OP = {
    "notification": 0, "create": 1, "delete": 2, "exists": 3, "getData": 4, "setData": 5, "getACL": 6, "setACL": 7,
    "getChildren": 8, "sync": 9, "ping": 11, "getChildren2": 12, "check": 13, "multi": 14, "create2": 15,
    "reconfig": 16, "checkWatches": 17, "removeWatches": 18, "createContainer": 19, "deleteContainer": 20,
    "createTTL": 21, "multiRead": 22, "auth": 100, "setWatches": 101, "sasl": 102, "getEphemerals": 103,
    "getAllChildrenNumber": 104, "setWatches2": 105, "addWatch": 106, "whoAmI": 107, "createSession": -10,
    "closeSession": -11, "error": -1,
}
OP_NAME = {number: name for name, number in OP.items()}

# The record that answers an operation when its error is 0; None: the reply is a header only.
RESPONSE = {
    "create": "CreateResponse", "delete": None, "exists": "ExistsResponse", "getData": "GetDataResponse",
    "setData": "SetDataResponse", "getACL": "GetACLResponse", "setACL": "SetACLResponse",
    "getChildren": "GetChildrenResponse", "sync": "SyncResponse", "ping": None, "getChildren2": "GetChildren2Response",
    "check": "SetDataResponse", "create2": "Create2Response", "reconfig": "GetDataResponse", "checkWatches": None,
    "removeWatches": None, "createContainer": "Create2Response", "deleteContainer": None,
    "createTTL": "Create2Response", "auth": None, "setWatches": None, "sasl": "SetSASLResponse",
    "getEphemerals": "GetEphemeralsResponse", "getAllChildrenNumber": "GetAllChildrenNumberResponse",
    "setWatches2": None, "addWatch": "ErrorResponse", "whoAmI": "WhoAmIResponse", "closeSession": None,
}

REQUEST = {
    "create": "CreateRequest", "delete": "DeleteRequest", "exists": "ExistsRequest", "getData": "GetDataRequest",
    "setData": "SetDataRequest", "getACL": "GetACLRequest", "setACL": "SetACLRequest",
    "getChildren": "GetChildrenRequest", "sync": "SyncRequest", "getChildren2": "GetChildren2Request",
    "check": "CheckVersionRequest", "create2": "CreateRequest", "reconfig": "ReconfigRequest",
    "checkWatches": "CheckWatchesRequest", "removeWatches": "RemoveWatchesRequest",
    "createContainer": "CreateRequest", "deleteContainer": "DeleteContainerRequest", "createTTL": "CreateTTLRequest",
    "auth": "AuthPacket", "setWatches": "SetWatches", "sasl": "GetSASLRequest",
    "getEphemerals": "GetEphemeralsRequest", "getAllChildrenNumber": "GetAllChildrenNumberRequest",
    "setWatches2": "SetWatches2", "addWatch": "AddWatchRequest", "createSession": "CreateSessionTxn",
}

ERROR_NAME = {
    0: "OK", -1: "SYSTEMERROR", -2: "RUNTIMEINCONSISTENCY", -3: "DATAINCONSISTENCY", -4: "CONNECTIONLOSS",
    -5: "MARSHALLINGERROR", -6: "UNIMPLEMENTED", -7: "OPERATIONTIMEOUT", -8: "BADARGUMENTS", -12: "UNKNOWNSESSION",
    -13: "NEWCONFIGNOQUORUM", -14: "RECONFIGINPROGRESS", -100: "APIERROR", -101: "NONODE", -102: "NOAUTH",
    -103: "BADVERSION", -108: "NOCHILDRENFOREPHEMERALS", -110: "NODEEXISTS", -111: "NOTEMPTY", -112: "SESSIONEXPIRED",
    -113: "INVALIDCALLBACK", -114: "INVALIDACL", -115: "AUTHFAILED", -118: "SESSIONMOVED", -119: "NOTREADONLY",
    -120: "EPHEMERALONLOCALSESSION", -121: "NOWATCHER", -122: "REQUESTTIMEOUT", -123: "RECONFIGDISABLED",
    -124: "SESSIONCLOSEDREQUIRESASLAUTH", -125: "QUOTAEXCEEDED", -127: "THROTTLEDOP",
}

EVENT_NAME = {-1: "None", 1: "NodeCreated", 2: "NodeDeleted", 3: "NodeDataChanged", 4: "NodeChildrenChanged",
              5: "DataWatchRemoved", 6: "ChildWatchRemoved", 7: "PersistentWatchRemoved"}

READ, WRITE, CREATE, DELETE, ADMIN, ALL = 1, 2, 4, 8, 16, 31
OPEN_ACL = ((ALL, (b"world", b"anyone")),)
READ_ACL = ((READ, (b"world", b"anyone")),)

PERSISTENT, EPHEMERAL, SEQUENTIAL, EPHEMERAL_SEQUENTIAL, CONTAINER, TTL, TTL_SEQUENTIAL = range(7)


def encode_multi(operations):
    """The body of multi or multiRead: operations are (name or number, encoded record) pairs."""
    parts = []
    for kind, body in operations:
        parts.append(jute.encode("MultiHeader", OP.get(kind, kind), False, -1))
        parts.append(body)
    parts.append(jute.encode("MultiHeader", -1, True, -1))
    return b"".join(parts)


def decode_multi(data, at=0):
    """The results of a multi or multiRead as (type, record) pairs; an error result holds its ErrorResponse."""
    results = []
    while True:
        header, at = jute.decode_at("MultiHeader", data, at)
        if header.done:
            break
        name = OP_NAME.get(header.type)
        record = {"error": "ErrorResponse", "delete": None, "check": None, "create": "CreateResponse",
                  "create2": "Create2Response", "createContainer": "Create2Response", "createTTL": "Create2Response",
                  "setData": "SetDataResponse", "getData": "GetDataResponse",
                  "getChildren": "GetChildrenResponse"}.get(name, "?")
        if record == "?":
            raise jute.JuteError("result of type %d in a multi" % header.type)
        value = None
        if record is not None:
            value, at = jute.decode_at(record, data, at)
        results.append((header.type, header.err, value))
    if at != len(data):
        raise jute.JuteError("%d bytes behind the results of a multi" % (len(data) - at))
    return results


def decode_reply(name, frame):
    """A reply frame as (ReplyHeader, record or list of results or None); raises JuteError when it does not fit."""
    header, at = jute.decode_at("ReplyHeader", frame, 0)
    if header.err != 0 or len(frame) == at:
        if at != len(frame):
            raise jute.JuteError("%d bytes behind an error" % (len(frame) - at))
        return header, None
    if name in ("multi", "multiRead"):
        return header, decode_multi(frame, at)
    record = RESPONSE.get(name)
    if record is None:
        raise jute.JuteError("%d bytes behind the header" % (len(frame) - at))
    return header, jute.decode(record, frame, at)
