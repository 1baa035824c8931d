"""rawclient.py - a ZooKeeper client made of bytes: it sends any frame, right or wrong, and hands out what comes back.

A Connection knows frames and nothing else; a Session adds the handshake, xids and one request at a time. Every wait has
a deadline, and running past it raises Timeout; the end of the stream is an ordinary answer (None).
"""

import socket
import struct
import time

import jute
import protocol

LENGTH = struct.Struct(">i")
NUDGE_AFTER = 5.0       # seconds


class Timeout(Exception):
    """The server did not answer in time."""


class Closed(Exception):
    """The server closed the connection where an answer was due."""


class RequestError(Exception):
    """A request was answered with an error; `code` holds it."""

    def __init__(self, name, code):
        super().__init__("%s: %s" % (name, protocol.ERROR_NAME.get(code, code)))
        self.code = code


class Connection:
    """One TCP connection and its frames."""

    def __init__(self, address, timeout=30.0):
        self.timeout = timeout
        self.socket = socket.create_connection(address, timeout=timeout)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.buffer = bytearray()
        self.at = 0
        self.eof = False

    def close(self):
        self.socket.close()
        self.eof = True

    def abort(self):
        """Closes with a reset, as a client does that died."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close()

    def end_of_input(self):
        """Tells the server that nothing more comes; its answers can still be read."""
        try:
            self.socket.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def send_raw(self, data):
        """Sends bytes as they are; a connection the server already left is no error, the answer will show it."""
        try:
            self.socket.settimeout(self.timeout)
            self.socket.sendall(data)
        except (BrokenPipeError, ConnectionResetError):
            pass

    def send_frame(self, payload):
        self.send_raw(LENGTH.pack(len(payload)) + payload)

    def _receive(self, deadline):
        """Reads once more into the buffer; False at the end of the stream."""
        if self.eof:
            return False
        left = deadline - time.monotonic()
        if left <= 0:
            raise Timeout("no answer within %.1f s" % self.timeout)
        self.socket.settimeout(left)
        try:
            data = self.socket.recv(262144)
        except socket.timeout as error:
            raise Timeout("no answer within %.1f s" % self.timeout) from error
        except ConnectionResetError:
            data = b""
        if not data:
            self.eof = True
            return False
        if self.at:
            del self.buffer[:self.at]
            self.at = 0
        self.buffer += data
        return True

    def _buffered_frame(self):
        have = len(self.buffer) - self.at
        if have < 4:
            return None
        length = LENGTH.unpack_from(self.buffer, self.at)[0]
        if length < 0 or length > 1 << 28:
            raise jute.JuteError("frame of %d bytes" % length)
        if have < 4 + length:
            return None
        start = self.at + 4
        self.at = start + length
        return bytes(self.buffer[start:self.at])

    def read_frame(self, timeout=None):
        """The next frame, or None when the server has closed the connection."""
        deadline = time.monotonic() + (self.timeout if timeout is None else timeout)
        while True:
            frame = self._buffered_frame()
            if frame is not None:
                return frame
            if not self._receive(deadline):
                return None

    def read_to_end(self, timeout=None):
        """All bytes up to the end of the stream."""
        deadline = time.monotonic() + (self.timeout if timeout is None else timeout)
        while self._receive(deadline):
            pass
        data = bytes(self.buffer[self.at:])
        self.at = len(self.buffer)
        return data

    def pending_frames(self):
        """Frames that are here already, without waiting."""
        self.socket.setblocking(False)
        try:
            while True:
                data = self.socket.recv(262144)
                if not data:
                    self.eof = True
                    break
                self.buffer += data
        except (BlockingIOError, ConnectionResetError):
            pass
        frames = []
        while True:
            frame = self._buffered_frame()
            if frame is None:
                return frames
            frames.append(frame)


def connect_frame(session_id=0, password=b"\0" * 16, timeout_ms=30000, last_zxid=0, read_only=False, version=0):
    """The bytes of a connect request; read_only None leaves that byte out, as clients before 3.4 did."""
    if read_only is None:
        return jute.encode("ConnectRequestOld", version, last_zxid, timeout_ms, session_id, password)
    return jute.encode("ConnectRequest", version, last_zxid, timeout_ms, session_id, password, read_only)


def four_letter_word(address, word, timeout=10.0):
    """The answer to a four-letter word, as text."""
    connection = Connection(address, timeout)
    try:
        connection.send_raw(word.encode())
        return connection.read_to_end().decode("utf-8", "replace")
    finally:
        connection.close()


class Session:
    """A connected session that asks one thing at a time; watch events gather in `events`."""

    def __init__(self, address, timeout_ms=30000, session_id=0, password=b"\0" * 16, last_zxid=0, timeout=30.0,
                 read_only=False, connection=None, nudges=False):
        self.address = address
        self.connection = connection or Connection(address, timeout)
        self.events = []
        self.xid = 0
        self.connection.send_frame(connect_frame(session_id, password, timeout_ms, last_zxid, read_only))
        frame = self.connection.read_frame()
        if frame is None:
            raise Closed("connection closed at the handshake")
        answer = jute.decode("ConnectResponse", frame)
        self.id, self.password, self.timeout_ms = answer.sessionId, answer.passwd, answer.timeOut
        self.expired = answer.timeOut <= 0
        self.read_only = answer.readOnly        # whether the server is
        self.zxid = last_zxid
        self.nudges = nudges        # a Java server may keep an answer until something more comes from the client
        self.nudged = 0             # pings sent for that, not answered yet

    def send(self, name, *values):
        """Sends a request and returns its xid."""
        self.xid += 1
        body = values[0] if name in ("multi", "multiRead") else jute.encode(protocol.REQUEST[name], *values) \
            if name in protocol.REQUEST else b""
        self.connection.send_frame(jute.encode("RequestHeader", self.xid, protocol.OP[name]) + body)
        return self.xid

    def receive(self, name, timeout=None):
        """The next reply as (header, record)."""
        while True:
            frame = self.read_or_nudge(timeout)
            if frame is None:
                raise Closed("connection closed before the answer to %s" % name)
            header = jute.decode_at("ReplyHeader", frame, 0)[0]
            if header.xid == -2 and self.nudged and name != "ping":
                self.nudged -= 1
                continue
            if header.xid == -1:
                self.events.append(jute.decode("WatcherEvent", frame, 16))
                continue
            header, record = protocol.decode_reply(name, frame)
            if header.zxid > self.zxid:
                self.zxid = header.zxid
            return header, record

    def read_or_nudge(self, timeout):
        """The next frame; a server that is nudged gets a ping after some seconds of silence."""
        timeout = self.connection.timeout if timeout is None else timeout
        if self.nudges and timeout > NUDGE_AFTER:
            try:
                return self.connection.read_frame(NUDGE_AFTER)
            except Timeout:
                self.connection.send_frame(jute.encode("RequestHeader", -2, protocol.OP["ping"]))
                self.nudged += 1
                timeout -= NUDGE_AFTER
        return self.connection.read_frame(timeout)

    def ask(self, name, *values):
        """Sends a request, waits for its reply: (header, record)."""
        self.send(name, *values)
        return self.receive(name)

    def call(self, name, *values):
        """As ask(), but an error raises RequestError; returns the record."""
        header, record = self.ask(name, *values)
        if header.err:
            raise RequestError(name, header.err)
        return record

    def ping(self):
        self.connection.send_frame(jute.encode("RequestHeader", -2, protocol.OP["ping"]))
        return self.receive("ping")

    def auth(self, scheme, data):
        self.connection.send_frame(jute.encode("RequestHeader", -4, protocol.OP["auth"]) +
                                   jute.encode("AuthPacket", 0, scheme, data))
        return self.receive("auth")[0].err

    def close(self):
        """Ends the session."""
        try:
            self.ask("closeSession")
        except Closed:
            pass
        self.connection.close()

    def disconnect(self):
        """Leaves the connection; the session stays until it expires."""
        self.connection.close()


def walk(session, path=b"/"):
    """Every node at and below `path`: {path: (data, stat, acl, children)}; what may not be read holds its error."""
    tree, todo = {}, [path]
    while todo:
        here = todo.pop()
        header, got = session.ask("getData", here, False)
        if header.err:
            tree[here] = header.err
            continue
        acl = session.ask("getACL", here)[1]
        children = session.ask("getChildren2", here, False)[1]
        tree[here] = (got.data, tuple(got.stat.items()), None if acl is None else
                      tuple((a["perms"], a["id"]["scheme"], a["id"]["id"]) for a in acl.acl),
                      tuple(children.children) if children else None)
        prefix = here if here == b"/" else here + b"/"
        todo += [prefix + child for child in (children.children if children else ())]
    return tree
