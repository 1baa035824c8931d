"""protocol_due.py - how quorum_protocol.py compares what came with what was due."""

import time

import quorum_wire as wire
from protocol import OP

NODE_EXISTS, EXPIRED = -110, -112
DIGEST_VERSION = 2


def expect(condition, text, *values):
    if not condition:
        raise AssertionError(text % values)


def same(got, *due):
    """Compares a packet, or a list of them, with what was due."""
    got = got if isinstance(got, list) else [got]
    expect(got == list(due), "came: %s\ndue:  %s", "; ".join("%s %r" % (one, one.data) for one in got),
           "; ".join("%s %r" % (one, one.data) for one in due))


def acls(acl):
    """An ACL as a record holds it."""
    return [{"perms": perms, "id": {"scheme": scheme, "id": name}} for perms, (scheme, name) in acl]


def same_txn(data, zxid, kind, record, session_id, cxid):
    """Compares the transaction in a proposal with what it must be; its time must be now."""
    txn = wire.parse_txn(data)
    due = {"clientId": session_id, "cxid": cxid, "zxid": zxid, "type": OP[kind]}
    got = {key: txn.header[key] for key in due}
    expect(got == due, "the header is %s, due is %s", got, due)
    expect(abs(txn.header.time / 1000 - time.time()) < 60, "the time is %d", txn.header.time)
    expect(txn.record == record, "the record is %s, due is %s", txn.record, record)
    return txn
