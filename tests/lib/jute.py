"""jute.py - the records that travel between a ZooKeeper client and its server, written down once and read both ways.

A record is a tuple of (type, field) pairs; encode() and decode() walk them. Strings are bytes throughout, because tests
send what is no UTF-8; None is the length -1. Text given as str is taken as UTF-8. A vector of None has length -1, and
RawVector sends a count that does not fit what follows it.
"""

import struct

INT = struct.Struct(">i")
LONG = struct.Struct(">q")
BOOL = struct.Struct(">b")


class JuteError(Exception):
    """The bytes end before the record does, or a length makes no sense."""


class RawVector(tuple):
    """A vector whose count on the wire is `count`, whatever it holds."""

    def __new__(cls, items, count):
        self = super().__new__(cls, items)
        self.count = count
        return self


RECORDS = {
    "Id": (("ustring", "scheme"), ("ustring", "id")),
    "ACL": (("int", "perms"), ("Id", "id")),
    "Stat": (("long", "czxid"), ("long", "mzxid"), ("long", "ctime"), ("long", "mtime"), ("int", "version"),
             ("int", "cversion"), ("int", "aversion"), ("long", "ephemeralOwner"), ("int", "dataLength"),
             ("int", "numChildren"), ("long", "pzxid")),
    "ClientInfo": (("ustring", "authScheme"), ("ustring", "user")),
    "ConnectRequest": (("int", "protocolVersion"), ("long", "lastZxidSeen"), ("int", "timeOut"), ("long", "sessionId"),
                       ("buffer", "passwd"), ("boolean", "readOnly")),
    "ConnectRequestOld": (("int", "protocolVersion"), ("long", "lastZxidSeen"), ("int", "timeOut"),
                          ("long", "sessionId"), ("buffer", "passwd")),
    "ConnectResponse": (("int", "protocolVersion"), ("int", "timeOut"), ("long", "sessionId"), ("buffer", "passwd"),
                        ("boolean", "readOnly")),
    "ConnectResponseOld": (("int", "protocolVersion"), ("int", "timeOut"), ("long", "sessionId"), ("buffer", "passwd")),
    "SetWatches": (("long", "relativeZxid"), ("vector<ustring>", "dataWatches"), ("vector<ustring>", "existWatches"),
                   ("vector<ustring>", "childWatches")),
    "SetWatches2": (("long", "relativeZxid"), ("vector<ustring>", "dataWatches"), ("vector<ustring>", "existWatches"),
                    ("vector<ustring>", "childWatches"), ("vector<ustring>", "persistentWatches"),
                    ("vector<ustring>", "persistentRecursiveWatches")),
    "RequestHeader": (("int", "xid"), ("int", "type")),
    "MultiHeader": (("int", "type"), ("boolean", "done"), ("int", "err")),
    "AuthPacket": (("int", "type"), ("ustring", "scheme"), ("buffer", "auth")),
    "ReplyHeader": (("int", "xid"), ("long", "zxid"), ("int", "err")),
    "GetDataRequest": (("ustring", "path"), ("boolean", "watch")),
    "SetDataRequest": (("ustring", "path"), ("buffer", "data"), ("int", "version")),
    "ReconfigRequest": (("ustring", "joiningServers"), ("ustring", "leavingServers"), ("ustring", "newMembers"),
                        ("long", "curConfigId")),
    "SetDataResponse": (("Stat", "stat"),),
    "GetSASLRequest": (("buffer", "token"),),
    "SetSASLRequest": (("buffer", "token"),),
    "SetSASLResponse": (("buffer", "token"),),
    "CreateRequest": (("ustring", "path"), ("buffer", "data"), ("vector<ACL>", "acl"), ("int", "flags")),
    "CreateTTLRequest": (("ustring", "path"), ("buffer", "data"), ("vector<ACL>", "acl"), ("int", "flags"),
                         ("long", "ttl")),
    "DeleteRequest": (("ustring", "path"), ("int", "version")),
    "DeleteContainerRequest": (("buffer", "path"),),
    "GetChildrenRequest": (("ustring", "path"), ("boolean", "watch")),
    "GetAllChildrenNumberRequest": (("ustring", "path"),),
    "GetChildren2Request": (("ustring", "path"), ("boolean", "watch")),
    "CheckVersionRequest": (("ustring", "path"), ("int", "version")),
    "GetMaxChildrenRequest": (("ustring", "path"),),
    "GetMaxChildrenResponse": (("int", "max"),),
    "SetMaxChildrenRequest": (("ustring", "path"), ("int", "max")),
    "SyncRequest": (("ustring", "path"),),
    "SyncResponse": (("ustring", "path"),),
    "GetACLRequest": (("ustring", "path"),),
    "SetACLRequest": (("ustring", "path"), ("vector<ACL>", "acl"), ("int", "version")),
    "SetACLResponse": (("Stat", "stat"),),
    "AddWatchRequest": (("ustring", "path"), ("int", "mode")),
    "WatcherEvent": (("int", "type"), ("int", "state"), ("ustring", "path")),
    "ErrorResponse": (("int", "err"),),
    "CreateResponse": (("ustring", "path"),),
    "Create2Response": (("ustring", "path"), ("Stat", "stat")),
    "ExistsRequest": (("ustring", "path"), ("boolean", "watch")),
    "ExistsResponse": (("Stat", "stat"),),
    "GetDataResponse": (("buffer", "data"), ("Stat", "stat")),
    "GetChildrenResponse": (("vector<ustring>", "children"),),
    "GetAllChildrenNumberResponse": (("int", "totalNumber"),),
    "GetChildren2Response": (("vector<ustring>", "children"), ("Stat", "stat")),
    "GetACLResponse": (("vector<ACL>", "acl"), ("Stat", "stat")),
    "CheckWatchesRequest": (("ustring", "path"), ("int", "type")),
    "RemoveWatchesRequest": (("ustring", "path"), ("int", "type")),
    "GetEphemeralsRequest": (("ustring", "prefixPath"),),
    "GetEphemeralsResponse": (("vector<ustring>", "ephemerals"),),
    "WhoAmIResponse": (("vector<ClientInfo>", "clientInfo"),),
    "CreateSessionTxn": (("int", "timeOut"),),
    # Between servers, and on disk.
    "LearnerInfo": (("long", "serverid"), ("int", "protocolVersion"), ("long", "configVersion")),
    "QuorumPacket": (("int", "type"), ("long", "zxid"), ("buffer", "data"), ("vector<Id>", "authinfo")),
    "FileHeader": (("int", "magic"), ("int", "version"), ("long", "dbid")),
    "TxnDigest": (("int", "version"), ("long", "treeDigest")),
    "TxnHeader": (("long", "clientId"), ("int", "cxid"), ("long", "zxid"), ("long", "time"), ("int", "type")),
    "CreateTxn": (("ustring", "path"), ("buffer", "data"), ("vector<ACL>", "acl"), ("boolean", "ephemeral"),
                  ("int", "parentCVersion")),
    "CreateTTLTxn": (("ustring", "path"), ("buffer", "data"), ("vector<ACL>", "acl"), ("int", "parentCVersion"),
                     ("long", "ttl")),
    "CreateContainerTxn": (("ustring", "path"), ("buffer", "data"), ("vector<ACL>", "acl"), ("int", "parentCVersion")),
    "DeleteTxn": (("ustring", "path"),),
    "SetDataTxn": (("ustring", "path"), ("buffer", "data"), ("int", "version")),
    "CheckVersionTxn": (("ustring", "path"), ("int", "version")),
    "SetACLTxn": (("ustring", "path"), ("vector<ACL>", "acl"), ("int", "version")),
    "CloseSessionTxn": (("vector<ustring>", "paths2Delete"),),
    "ErrorTxn": (("int", "err"),),
    "Txn": (("int", "type"), ("buffer", "data")),
    "MultiTxn": (("vector<Txn>", "txns"),),
    "StatPersisted": (("long", "czxid"), ("long", "mzxid"), ("long", "ctime"), ("long", "mtime"), ("int", "version"),
                      ("int", "cversion"), ("int", "aversion"), ("long", "ephemeralOwner"), ("long", "pzxid")),
}


def encode_buffer(value):
    if value is None:
        return b"\xff\xff\xff\xff"
    if isinstance(value, str):
        value = value.encode("utf-8", "surrogatepass")
    return INT.pack(len(value)) + value


def encode_value(kind, value):
    if kind == "int":
        return INT.pack(value)
    if kind == "long":
        return LONG.pack(value)
    if kind == "boolean":
        return BOOL.pack(value)
    if kind in ("ustring", "buffer"):
        return encode_buffer(value)
    if kind.startswith("vector<"):
        if value is None:
            return b"\xff\xff\xff\xff"
        element = kind[7:-1]
        count = value.count if isinstance(value, RawVector) else len(value)
        return INT.pack(count) + b"".join([encode_value(element, item) for item in value])
    return encode(kind, *value)


def encode(name, *values):
    """The bytes of the record `name` with the given field values, in order."""
    fields = RECORDS[name]
    if len(fields) != len(values):
        raise TypeError("%s has %d fields, %d given" % (name, len(fields), len(values)))
    return b"".join([encode_value(kind, value) for (kind, _), value in zip(fields, values)])


def decode_value(kind, data, at):
    """The value of type `kind` at offset `at`, and the offset behind it."""
    try:
        if kind == "int":
            return INT.unpack_from(data, at)[0], at + 4
        if kind == "long":
            return LONG.unpack_from(data, at)[0], at + 8
        if kind == "boolean":
            return bool(data[at]), at + 1
        if kind in ("ustring", "buffer"):
            length = INT.unpack_from(data, at)[0]
            at += 4
            if length == -1:
                return None, at
            if length < 0 or at + length > len(data):
                raise JuteError("length %d at offset %d of %d bytes" % (length, at - 4, len(data)))
            return bytes(data[at:at + length]), at + length
        if kind.startswith("vector<"):
            count = INT.unpack_from(data, at)[0]
            at += 4
            if count == -1:
                return None, at
            if count < 0 or count > len(data):
                raise JuteError("count %d at offset %d of %d bytes" % (count, at - 4, len(data)))
            element, items = kind[7:-1], []
            for _ in range(count):
                item, at = decode_value(element, data, at)
                items.append(item)
            return items, at
    except (struct.error, IndexError) as error:
        raise JuteError("record ends at offset %d of %d bytes" % (at, len(data))) from error
    return decode_at(kind, data, at)


class Record(dict):
    """A decoded record: a dict whose keys are attributes as well."""

    __getattr__ = dict.__getitem__


def decode_at(name, data, at):
    record = Record()
    for kind, field in RECORDS[name]:
        record[field], at = decode_value(kind, data, at)
    return record, at


def decode(name, data, at=0):
    """The record `name` in `data`, which must end where the record does."""
    record, end = decode_at(name, data, at)
    if end != len(data):
        raise JuteError("%d bytes behind %s" % (len(data) - end, name))
    return record
