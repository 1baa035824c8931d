"""quorum_wire.py - what servers of an ensemble say to each other, as bytes: election messages and learner packets.

The election port carries an initial message (a version below zero, the sender's id, its election addresses) and then
frames, each a notification: state, proposed leader, its zxid, the round, its epoch, version 2 and a configuration. The
quorum port carries QuorumPackets one behind the other, without lengths; behind the packet SNAP come a whole tree and a
signature. Everything here is packing and taking apart; quorum_fakes.py has the peers that use it.
"""

import collections
import socket
import struct
import time

import jute
from protocol import OP, OP_NAME
from rawclient import Closed, Timeout

(REQUEST, PROPOSAL, ACK, COMMIT, PING, REVALIDATE, SYNC, INFORM, COMMITANDACTIVATE, NEWLEADER, FOLLOWERINFO, UPTODATE,
 DIFF, TRUNC, SNAP, OBSERVERINFO, LEADERINFO, ACKEPOCH, INFORMANDACTIVATE) = range(1, 20)
PACKET_NAME = {number: name for name, number in list(globals().items()) if name.isupper() and isinstance(number, int)}
LEARNER_PROTOCOL = 0x10000
SIGNATURE = b"BenWasHere"

LOOKING, FOLLOWING, LEADING, OBSERVING = range(4)
INITIAL_V1, INITIAL_V2 = -65536, -65535
NOTIFICATION_VERSION = 2
NOTIFICATION_HEAD = struct.Struct(">iqqqqi")


# --- the election port ---

def initial_message(sid, addresses, version=INITIAL_V1):
    """The first bytes of a connection: addresses are (host, port) pairs, or the text itself as bytes."""
    text = addresses if isinstance(addresses, bytes) else \
        "|".join("%s:%d" % address for address in addresses).encode()
    return struct.pack(">qqi", version, sid, len(text)) + text


class Notification(collections.namedtuple("Notification", "state leader zxid round epoch version config")):
    """One vote as it travels."""

    __slots__ = ()

    def encode(self):
        body = NOTIFICATION_HEAD.pack(*self[:6])
        return body if self.config is None else body + struct.pack(">i", len(self.config)) + self.config

    @classmethod
    def decode(cls, data):
        head = NOTIFICATION_HEAD.unpack_from(data, 0)
        length = struct.unpack_from(">i", data, NOTIFICATION_HEAD.size)[0]
        at = NOTIFICATION_HEAD.size + 4
        if len(data) != at + length:
            raise jute.JuteError("notification of %d bytes with a configuration of %d" % (len(data), length))
        return cls(*head, data[at:])


def vote(leader, zxid, round_number, epoch, state=LOOKING, config=b""):
    return Notification(state, leader, zxid, round_number, epoch, NOTIFICATION_VERSION, config)


def frame(payload):
    return struct.pack(">i", len(payload)) + payload


# --- the quorum port ---

class Packet(collections.namedtuple("Packet", "type zxid data authinfo")):
    """A QuorumPacket; authinfo is None or a list of (scheme, id)."""

    __slots__ = ()

    def encode(self):
        return jute.encode("QuorumPacket", self.type, self.zxid, self.data, self.authinfo)

    @classmethod
    def decode_at(cls, data, at):
        record, end = jute.decode_at("QuorumPacket", data, at)
        authinfo = record.authinfo
        if authinfo is not None:
            authinfo = [(entry.scheme, entry.id) for entry in authinfo]
        return cls(record.type, record.zxid, record.data, authinfo), end

    @property
    def name(self):
        return PACKET_NAME.get(self.type, str(self.type))

    def __str__(self):
        data = "no data" if self.data is None else "%d bytes" % len(self.data)
        return "%s zxid=0x%x %s%s" % (self.name, self.zxid & (1 << 64) - 1, data,
                                      "" if self.authinfo is None else " authinfo=%s" % self.authinfo)


def packet(kind, zxid=0, data=None, authinfo=None):
    return Packet(kind, zxid, data, authinfo)


def make_zxid(epoch, counter):
    return epoch << 32 | counter


def epoch_of(zxid):
    return zxid >> 32


def learner_info(kind, sid, accepted_epoch, config_version=0, version=LEARNER_PROTOCOL):
    """FOLLOWERINFO or OBSERVERINFO."""
    return packet(kind, make_zxid(accepted_epoch, 0), jute.encode("LearnerInfo", sid, version, config_version))


def leader_info(epoch):
    return packet(LEADERINFO, make_zxid(epoch, 0), struct.pack(">i", LEARNER_PROTOCOL))


def ack_epoch(current_epoch, last_zxid):
    """current_epoch -1 says that the epoch was accepted before and this does not count."""
    return packet(ACKEPOCH, last_zxid, struct.pack(">i", current_epoch))


def request_data(session_id, cxid, kind, body):
    """What a REQUEST carries; kind is a name or a number."""
    return struct.pack(">qii", session_id, cxid, OP.get(kind, kind)) + body


Request = collections.namedtuple("Request", "session_id cxid type body")


def parse_request(data):
    return Request(*struct.unpack_from(">qii", data, 0), data[16:])


TXN_RECORDS = {"create": "CreateTxn", "create2": "CreateTxn", "createTTL": "CreateTTLTxn", "delete": "DeleteTxn",
               "deleteContainer": "DeleteTxn", "createContainer": "CreateContainerTxn", "setData": "SetDataTxn",
               "reconfig": "SetDataTxn", "setACL": "SetACLTxn", "check": "CheckVersionTxn", "multi": "MultiTxn",
               "createSession": "CreateSessionTxn", "closeSession": "CloseSessionTxn", "error": "ErrorTxn"}


def txn(zxid, kind, *values, session_id=0, cxid=0, time_ms=None, digest=None):
    """The bytes of a transaction as PROPOSAL and INFORM carry it; without values the record is left out."""
    body = jute.encode("TxnHeader", session_id, cxid, zxid, int(time.time() * 1000) if time_ms is None else time_ms,
                       OP[kind])
    if values:
        body += jute.encode(TXN_RECORDS[kind], *values)
    if digest is not None:
        body += jute.encode("TxnDigest", *digest)
    return body


Txn = collections.namedtuple("Txn", "header name record digest")


def parse_txn(data):
    """A transaction as (header, name, record or None, (version, digest) or None)."""
    header, at = jute.decode_at("TxnHeader", data, 0)
    name = OP_NAME.get(header.type, str(header.type))
    record = digest = None
    if at < len(data) and name in TXN_RECORDS:
        record, at = jute.decode_at(TXN_RECORDS[name], data, at)
    if at < len(data):
        values, at = jute.decode_at("TxnDigest", data, at)
        digest = (values.version, values.treeDigest)
    if at != len(data):
        raise jute.JuteError("%d bytes behind a transaction" % (len(data) - at))
    return Txn(header, name, record, digest)


Snapshot = collections.namedtuple("Snapshot", "sessions acls nodes signature")


def empty_tree():
    """The bytes behind SNAP for a tree that holds nothing but what every tree holds, with the signature."""
    stat = (0, 0, 0, 0, 0, 0, 0, 0, 0)
    out = struct.pack(">ii", 0, 1) + struct.pack(">q", 1) + jute.encode_value(
        "vector<ACL>", ((31, (b"world", b"anyone")),))
    for path in (b"", b"/zookeeper", b"/zookeeper/quota", b"/zookeeper/config"):
        out += jute.encode_value("ustring", path) + jute.encode_value("buffer", b"")
        out += struct.pack(">q", 1) + jute.encode("StatPersisted", *stat)
    return out + jute.encode_value("ustring", b"/") + jute.encode_value("ustring", SIGNATURE)


# --- a stream of packets ---

class Stream:
    """One side of a connection to a quorum port. Every packet that comes or goes is kept in `record`.

    Waits have a deadline; read_packet() returns None at the end of the stream.
    """

    def __init__(self, connection, timeout=15.0):
        self.socket = connection
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.timeout = timeout
        self.buffer = b""
        self.eof = False
        self.record = []        # ("in" or "out", Packet)

    @classmethod
    def connect(cls, address, timeout=15.0):
        return cls(socket.create_connection(address, timeout=timeout), timeout)

    def close(self):
        self.socket.close()

    def abort(self):
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close()

    def send_raw(self, data):
        """Sends bytes; that the other side is gone shows in the next read."""
        try:
            self.socket.settimeout(self.timeout)
            self.socket.sendall(data)
        except (BrokenPipeError, ConnectionResetError):
            pass

    def send(self, *packets):
        for one in packets:
            self.record.append(("out", one))
        self.send_raw(b"".join(one.encode() for one in packets))

    def _more(self, deadline):
        """Receives once; False at the end."""
        if self.eof:
            return False
        left = deadline - time.monotonic()
        if left <= 0:
            raise Timeout("nothing came within the time")
        self.socket.settimeout(left)
        try:
            data = self.socket.recv(1 << 18)
        except socket.timeout as error:
            raise Timeout("nothing came within the time") from error
        except ConnectionResetError:
            data = b""
        if not data:
            self.eof = True
            return False
        self.buffer += data
        return True

    def _deadline(self, timeout):
        return time.monotonic() + (self.timeout if timeout is None else timeout)

    def read_packet(self, timeout=None):
        deadline = self._deadline(timeout)
        while True:
            try:
                one, end = Packet.decode_at(self.buffer, 0)
            except jute.JuteError:
                if not self._more(deadline):
                    return None
                continue
            self.buffer = self.buffer[end:]
            self.record.append(("in", one))
            return one

    def expect(self, *kinds, timeout=None, skip=(PING,)):
        """The next packet that is none of `skip`, which must be one of `kinds`."""
        deadline = self._deadline(timeout)
        while True:
            one = self.read_packet(max(0.001, deadline - time.monotonic()))
            if one is None:
                raise Closed("the connection ended where %s was due" % "/".join(PACKET_NAME[kind] for kind in kinds))
            if one.type in kinds:
                return one
            if one.type not in skip:
                raise AssertionError("%s came where %s was due" % (one, "/".join(PACKET_NAME[kind] for kind in kinds)))

    def read_value(self, kind, timeout=None):
        """One jute value from between the packets."""
        deadline = self._deadline(timeout)
        while True:
            try:
                value, end = jute.decode_value(kind, self.buffer, 0)
            except jute.JuteError:
                if not self._more(deadline):
                    raise Closed("the connection ended in the middle of a snapshot") from None
                continue
            self.buffer = self.buffer[end:]
            return value

    def read_snapshot(self, timeout=None):
        """What follows SNAP: sessions {id: timeout}, ACLs, nodes {path: (data, acl number, stat)}, the signature."""
        deadline = self._deadline(timeout)

        def read(kind):
            return self.read_value(kind, max(0.001, deadline - time.monotonic()))

        sessions = {}
        for _ in range(read("int")):
            session_id = read("long")
            sessions[session_id] = read("int")
        acls = {}
        for _ in range(read("int")):
            number = read("long")
            acls[number] = [(acl.perms, acl.id.scheme, acl.id.id) for acl in read("vector<ACL>")]
        nodes = {}
        while True:
            path = read("ustring")
            if path == b"/":
                break
            data, acl = read("buffer"), read("long")
            nodes[path] = (data, acl, read("StatPersisted"))
        return Snapshot(sessions, acls, nodes, read("ustring"))

    def wait_closed(self, timeout=None):
        """Reads to the end of the stream; returns how many bytes still came, or raises Timeout."""
        deadline = self._deadline(timeout)
        begin = len(self.buffer)
        total = 0
        while self._more(deadline):
            total += len(self.buffer) - begin
            self.buffer = b""
            begin = 0
        return total
