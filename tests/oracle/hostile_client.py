#!/usr/bin/env python3
# timeout: 280
"""hostile_client.py - what a client may send that no client should, one row each; then the server must be as before.

    hostile_client.py                  zkc and Java, plain lines
    hostile_client.py --server zkc
    hostile_client.py --row "length"   rows whose name has this in it

A row says what becomes of its connection: a session, an error code, the end; Java's answer where that is another one.
After each row a client that was there before is answered; at the end nothing was lost and memory is bounded.
"""

import argparse
import os
import struct
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

import jute         # noqa: E402
import protocol     # noqa: E402
import rawclient    # noqa: E402
import servers      # noqa: E402
import tap          # noqa: E402
from protocol import OP, OPEN_ACL      # noqa: E402

MAX_BUFFER = 0xfffff            # jute.maxbuffer as it is when nothing is set
MEMORY_BOUND = 256 << 20        # bytes a server may grow by over all rows
END, IGNORED = "end", "ignored"
INT, LONG = jute.INT.pack, jute.LONG.pack
BUFFER = jute.encode_buffer
SANITIZED = any(name in os.environ.get("ZKC_BUILD", "") for name in ("asan", "tsan"))


# -- before there is a session: bytes, and what becomes of them --

def before_session(data):
    def run(server):
        connection = rawclient.Connection(server.address, timeout=20.0)
        try:
            connection.send_raw(data)
            frame = connection.read_frame()
            if frame is None:
                return END
            timeout_ms = struct.unpack_from(">i", frame, 4)[0]
            return "session of %d" % timeout_ms if timeout_ms > 0 else "expired"
        finally:
            connection.close()
    return run


def connect(**fields):
    frame = rawclient.connect_frame(**fields)
    return INT(len(frame)) + frame


def trickle(server):
    """A connect request of which a byte comes now and then, and never the last."""
    connection = rawclient.Connection(server.address, timeout=20.0)
    try:
        for byte in connect()[:12]:
            connection.send_raw(bytes([byte]))
            time.sleep(0.01)
        return END if connection.read_frame() is None else "answered"
    finally:
        connection.close()


SESSION = "session of 30000"
BEFORE = [
    ("length -1", before_session(INT(-1)), END),
    ("length 0", before_session(INT(0)), END),
    ("length 3", before_session(INT(3) + b"abc"), END),
    ("a length one beyond jute.maxbuffer", before_session(INT(MAX_BUFFER + 1) + b"x" * 64), END),
    ("the largest length", before_session(INT(0x7fffffff)), END),
    ("the least length", before_session(INT(-1 << 31)), END),
    ("a word that is none", before_session(b"abcd\n"), END),
    ("half a connect request", before_session(INT(20) + connect()[4:24]), END),
    ("a connect request that comes byte by byte and stops", trickle, END),
    ("the largest protocol version", before_session(connect(version=0x7fffffff)), SESSION),
    ("protocol version -1", before_session(connect(version=-1)), SESSION),
    ("a zxid nobody has seen yet", before_session(connect(last_zxid=0x7fffffffffffffff)), END),
    ("the least zxid", before_session(connect(last_zxid=-1 << 63)), SESSION),
    ("timeout 0", before_session(connect(timeout_ms=0)), "session of 4000"),
    ("timeout -1", before_session(connect(timeout_ms=-1)), "session of 4000"),
    ("the largest timeout", before_session(connect(timeout_ms=0x7fffffff)), "session of 40000"),
    ("a null password for a new session", before_session(connect(password=None)), SESSION),
    ("an empty password for a new session", before_session(connect(password=b"")), SESSION),
    ("a password of 1,000,000 bytes for a new session", before_session(connect(password=b"p" * 1000000)), SESSION),
    ("a password longer than its frame", before_session(INT(28) + connect()[4:28] + INT(0x7fffffff)), END),
    ("a session that is not there, with a null password", before_session(connect(session_id=77, password=None)),
     "expired"),
    ("a session that is not there, with a password of 1,000,000 bytes",
     before_session(connect(session_id=77, password=b"p" * 1000000)), "expired"),
    ("session -1", before_session(connect(session_id=-1)), "expired"),
    ("no readOnly byte", before_session(connect(read_only=None)), SESSION),
    ("a connect request with bytes behind it", before_session(INT(60) + connect()[4:] + b"x" * 15), SESSION),
]


# -- in a session --

def code(session, xid):
    """Of the answer to `xid`: its error; or END."""
    while True:
        frame = session.connection.read_frame()
        if frame is None:
            return END
        header = jute.decode_at("ReplyHeader", frame, 0)[0]
        if header.xid == xid:
            return header.err


def in_session(kind, body, xid=5):
    def run(server):
        session = server.session(timeout=30.0)
        try:
            session.connection.send_frame(INT(xid) + INT(kind if isinstance(kind, int) else OP[kind]) + body)
            got = code(session, xid)
            if got == END:
                return END
            session.connection.send_frame(INT(6) + INT(OP["exists"]) + BUFFER(b"/") + b"\0")
            return got if code(session, 6) == 0 else "%d, end" % got
        finally:
            session.connection.close()
    return run


def of_length(length):
    """A setData whose frame is as long as that."""
    data = length - 8 - 4 - 5 - 4 - 4
    return BUFFER(b"/here") + BUFFER(b"x" * data) + INT(-1)


def multi(operations):
    return protocol.encode_multi(operations)


def create(path, data=b"", acl=None, flags=0):
    return BUFFER(path) + BUFFER(data) + (jute.encode_value("vector<ACL>", OPEN_ACL) if acl is None else acl) + INT(flags)


def set_watches(paths):
    return LONG(0) + jute.encode_value("vector<ustring>", paths) + INT(0) + INT(0)


def second_connect(server):
    session = server.session(timeout=30.0)
    try:
        session.connection.send_raw(connect())
        frame = session.connection.read_frame()
        if frame is None:
            return END
        return jute.decode_at("ReplyHeader", frame, 0)[0].err
    finally:
        session.connection.close()


def credentials(different):
    """3,000 of them on one connection, so many of them different; what the last one is answered."""
    def run(server):
        session = server.session(timeout=120.0)
        try:
            for number in range(3000):
                data = jute.encode("AuthPacket", 0, b"digest", b"user%d:x" % (number % different))
                session.connection.send_frame(INT(-4) + INT(OP["auth"]) + data)
                err = code(session, -4)
                if err:
                    return err
            return 0
        finally:
            session.connection.close()
    return run


def unread_answers(server):
    """Reads in a pipeline, whose answers nobody takes: 20,000 times 100,000 bytes would be 2 GB."""
    session = server.session(timeout=30.0)
    try:
        session.call("setData", b"/here", b"x" * 100000, -1)
        frame = INT(5) + INT(OP["getData"]) + BUFFER(b"/here") + b"\0"
        pipeline = (INT(len(frame)) + frame) * 500
        session.connection.socket.settimeout(0.5)
        try:
            for _ in range(40):
                session.connection.socket.sendall(pipeline)
        except (TimeoutError, OSError):
            pass
        return IGNORED
    finally:
        session.connection.close()


def cut_frame(server):
    """A frame that never comes whole, its sender gone."""
    session = server.session()
    session.connection.send_raw(INT(1000000) + b"x" * 1000)
    session.connection.abort()
    return IGNORED


HUGE = INT(0x7fffffff)
WITHIN = [
    ("type %d" % kind, in_session(kind, b""), "-6, end") for kind in (-2, 10, 23, 99, 999, 0x7fffffff, -(1 << 31))
] + [
    ("an error for a request", in_session(-1, INT(0)), "-6, end"),
    ("a request for a session", in_session("createSession", INT(5000)), END),
    ("the end of a session, and more behind it", in_session("closeSession", b"more" * 10), "0, end"),
    ("a second connect request", second_connect, -6),
    ("a vector of 2^31-1 ACLs", in_session("create", create(b"/v", acl=HUGE)), -5),
    ("a vector of -2 ACLs", in_session("create", create(b"/v", acl=INT(-2))), -114),
    ("a vector of 2^31-1 watches", in_session("setWatches", LONG(0) + HUGE + INT(0) + INT(0)), -5),
    ("a vector of a million watches in 50 bytes", in_session("setWatches", LONG(0) + INT(1000000) + b"\0" * 42), -5),
    ("data of 2^31-1 bytes", in_session("setData", BUFFER(b"/here") + HUGE + INT(-1)), -5),
    ("data of -2 bytes", in_session("setData", BUFFER(b"/here") + INT(-2) + INT(-1)), -5),
    ("a path of 2^31-1 bytes", in_session("getData", HUGE + b"/"), -5),
    ("a null path", in_session("getData", INT(-1) + b"\0"), -5),
    ("an empty record", in_session("getData", b""), -5),
    ("bytes behind the record", in_session("exists", BUFFER(b"/here") + b"\0" + b"more" * 100), 0),
    ("a path that is not UTF-8", in_session("create", create(b"/\xff\xfe")), -8),
    ("an overlong zero in a path", in_session("create", create(b"/z\xc0\x80")), -8),
    ("a lone surrogate in a path", in_session("create", create(b"/s\xed\xa0\x80")), -8),
    ("a zero in a path", in_session("create", create(b"/a\0b")), -8),
    ("a path with ..", in_session("create", create(b"/../etc")), -101),
    ("a path with //", in_session("create", create(b"//")), -8),
    ("a path without /", in_session("create", create(b"here")), -8),
    ("a path of 1,000,000 bytes", in_session("create", create(b"/" + b"p" * 1000000)), 0),
    ("a path of 100,000 levels", in_session("create", create(b"/a" * 100000)), -101),
    ("no ACL", in_session("create", create(b"/v", acl=INT(0))), -114),
    ("a null ACL", in_session("create", create(b"/v", acl=INT(-1))), -114),
    ("an ACL of a scheme nobody knows",
     in_session("create", create(b"/v", acl=jute.encode_value("vector<ACL>", ((31, (b"nonesuch", b"x")),)))), -114),
    ("an ACL of 20,000 entries",
     in_session("create", create(b"/manyacls", acl=jute.encode_value("vector<ACL>", tuple(
         (31, (b"digest", b"u%d:%s" % (number, b"x" * 20))) for number in range(20000))))), 0),
    ("create flags of no mode", in_session("create", create(b"/v", flags=99)), -8),
    ("an empty multi", in_session("multi", multi(())), 0),
    ("a multi of 20,000 checks", in_session("multi", multi([("check", BUFFER(b"/here") + INT(-1))] * 20000)), 0),
    ("a multi without its end", in_session("multi", INT(OP["check"]) + b"\0" + INT(-1) + BUFFER(b"/here") + INT(-1)), -5),
    ("a multi in a multi", in_session("multi", INT(OP["multi"]) + b"\0" + INT(-1) + multi(())), -5),
    ("a multi of reads", in_session("multi", INT(OP["getData"]) + b"\0" + INT(-1) + BUFFER(b"/here") + b"\0" +
                                    INT(-1) + b"\1" + INT(-1)), -5),
    ("setWatches of 40,000 paths", in_session("setWatches", set_watches([b"/none/%06d" % n for n in range(40000)])), 0),
    ("credentials of 1,000,000 bytes", in_session("auth", jute.encode("AuthPacket", 0, b"digest", b"u:" + b"x" * 1000000),
                                                  xid=-4), 0),
    ("credentials of a scheme nobody knows", in_session("auth", jute.encode("AuthPacket", 0, b"none", b"x"), xid=-4),
     "-115, end"),
    ("3,000 times the same few credentials", credentials(10), 0),
    ("3,000 different credentials, more than an id list may hold", credentials(3000), -115, 0),
    ("xid -1", in_session("exists", BUFFER(b"/here") + b"\0", xid=-1), 0),
    ("xid -2", in_session("exists", BUFFER(b"/here") + b"\0", xid=-2), 0),
    ("xid -8", in_session("exists", BUFFER(b"/here") + b"\0", xid=-8), 0),
    ("the largest xid", in_session("exists", BUFFER(b"/here") + b"\0", xid=0x7fffffff), 0),
    ("a request as long as may be", in_session("setData", of_length(MAX_BUFFER)), 0),
    ("a request one byte longer", in_session("setData", of_length(MAX_BUFFER + 1)), END),
    ("a request of 16 MiB", in_session("setData", of_length(16 << 20)), END),
    ("a frame of 7 bytes", in_session("exists", b"", xid=5), -5),
    ("length -1 in a session", lambda server: raw_in_session(server, INT(-1)), END),
    ("the largest length in a session", lambda server: raw_in_session(server, HUGE), END),
    ("a word in a session", lambda server: raw_in_session(server, b"ruok"), END),
    ("a frame without a header", lambda server: raw_in_session(server, INT(3) + b"abc"), END),
    ("answers that nobody takes", unread_answers, IGNORED),
    ("half a frame, its sender gone", cut_frame, IGNORED),
]


def raw_in_session(server, data):
    session = server.session(timeout=20.0)
    try:
        session.connection.send_raw(data)
        return END if session.connection.read_frame() is None else "answered"
    finally:
        session.connection.close()


def resident(server):
    """Bytes of memory the server's process holds."""
    with open("/proc/%d/statm" % server.process.pid, encoding="ascii") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def run(kind, pattern, results):
    with servers.make(kind, {}, {"zookeeper.nio.sessionlessCnxnTimeout": 1500}) as server:
        witness = server.session(timeout_ms=40000)
        witness.call("create", b"/here", b"data", OPEN_ACL, 0)
        witness.call("create", b"/witness", b"", OPEN_ACL, 0)
        before, version = resident(server), 0
        for row in BEFORE + WITHIN:
            name, action, expected = row[:3]
            if pattern not in name:
                continue
            try:
                got = action(server)
            except (rawclient.Closed, rawclient.Timeout, OSError) as error:
                got = "%s: %s" % (type(error).__name__, error)
            answer = witness.ask("setData", b"/witness", b"x", -1)
            version += 1
            healthy = answer[0].err == 0 and answer[1].stat.version == version
            expected = row[3] if kind != "zkc" and len(row) > 3 else expected
            if kind != "zkc" and expected == "%s, end" % got:
                got = expected      # Java may answer one request more before it hangs up
            text = "" if got == expected else ": %s, not %s" % (got, expected)
            results.ok(got == expected and healthy,
                       "%s: %s%s%s" % (kind, name, text, "" if healthy else ", and the witness is not answered"))
        if kind == "zkc" and not SANITIZED:
            grown = resident(server) - before
            results.ok(grown < MEMORY_BOUND, "zkc: memory is bounded: %d MiB more" % (grown >> 20))
        status = server.stop()
        results.ok(status in (0, 143), kind + ": and it comes down")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--server", choices=sorted(servers.KINDS), action="append")
    parser.add_argument("--row", default="", metavar="TEXT", help="only the rows with this in their name")
    tap.add_option(parser)
    arguments = parser.parse_args()
    kinds = arguments.server or (["zkc"] if SANITIZED else ["zkc", "java"])
    missing = servers.require(*kinds)
    if missing:
        tap.skip_all(missing)
    results = tap.Tap(plain=not arguments.tap)
    for kind in kinds:
        run(kind, arguments.row, results)
    return results.done()


if __name__ == "__main__":
    sys.exit(main())
