#!/usr/bin/env python3
"""capture_client.py - makes the seeds of fuzz_client_reply and fuzz_recordio again, from Java's own bytes.

    capture_client.py [DIRECTORY]       tests/fuzz/seeds when none is named

A Java server is asked what fuzz_client_reply asks, in the same order and with the same xids, below / and below a
chroot, and where the parent is missing, so that errors come; all it says is kept, answers and watch events. The seeds
of fuzz_recordio are the records of tests/golden/records.def.
"""

import os
import re
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "lib"))

import jute             # noqa: E402
import protocol         # noqa: E402
import rawclient        # noqa: E402
import servers          # noqa: E402
from protocol import OPEN_ACL, PERSISTENT, EPHEMERAL    # noqa: E402

HANDSHAKE, FRAMED, CHROOT, CLOSE = 1, 2, 4, 8    # as in fuzz_client_reply.c
REPLY_HEADER = 16


def requests(root):
    """(name, body) in the order of ask_all() in fuzz_client_reply.c."""
    def make(name, *values):
        return name, jute.encode(protocol.REQUEST[name], *values)

    def path(text):
        return (root + text).encode()

    yield make("create", path("/b"), b"data", OPEN_ACL, PERSISTENT)
    yield make("create2", path("/b/c"), b"data", OPEN_ACL, EPHEMERAL)
    yield make("exists", path("/b"), True)
    yield make("exists", path("/b/later"), True)
    yield make("getData", path("/b/c"), True)
    yield make("getChildren", path("/b"), True)
    yield make("getChildren2", path("/b"), True)
    yield make("setData", path("/b/c"), b"more", -1)
    yield make("getACL", path("/b"))
    yield make("setACL", path("/b"), OPEN_ACL, -1)
    yield make("sync", path("/b"))
    yield "multi", protocol.encode_multi([
        make("create", path("/b/m"), b"1", OPEN_ACL, PERSISTENT),
        make("create2", path("/b/n"), b"2", OPEN_ACL, EPHEMERAL),
        make("setData", path("/b/m"), b"3", -1), ("check", jute.encode("CheckVersionRequest", path("/b/m"), 1)),
        make("delete", path("/b/m"), -1)])
    yield "multi", protocol.encode_multi([
        make("create", path("/b/o"), b"1", OPEN_ACL, PERSISTENT), make("delete", path("/none"), -1)])
    yield "multiRead", protocol.encode_multi([
        make("getData", path("/b"), False), make("getChildren", path("/b"), False),
        make("getData", path("/none"), False)])
    yield make("getAllChildrenNumber", path("/b"))
    yield make("getEphemerals", (root or "/").encode())
    yield "whoAmI", b""
    yield make("addWatch", path("/b"), 0)
    yield make("addWatch", path("/b"), 1)
    yield make("create", path("/b/later"), None, OPEN_ACL, PERSISTENT)
    yield make("getData", path("/b/later"), True)
    yield make("delete", path("/b/later"), -1)
    yield make("getData", b"/zookeeper/config", True)
    yield make("reconfig", None, b"9", None, -1)
    yield make("getData", path("/none"), False)


def capture(address, root):
    """All frames: the answer to the connect request, the one to the credentials, and the rest as it came."""
    connection = rawclient.Connection(address)
    connection.send_frame(rawclient.connect_frame())
    frames = [connection.read_frame()]
    connection.send_frame(jute.encode("RequestHeader", -4, protocol.OP["auth"]) +
                          jute.encode("AuthPacket", 0, b"digest", b"u:p"))
    frames.append(connection.read_frame())
    for xid, (name, body) in enumerate(requests(root), 1):
        connection.send_frame(jute.encode("RequestHeader", xid, protocol.OP[name]) + body)
        while True:
            frame = connection.read_frame()
            frames.append(frame)
            if jute.decode_at("ReplyHeader", frame, 0)[0].xid == xid:
                break
    connection.send_frame(jute.encode("RequestHeader", -2, protocol.OP["ping"]))
    frames.append(connection.read_frame())
    connection.close()
    return frames


def stream(frames):
    return b"".join(rawclient.LENGTH.pack(len(frame)) + frame for frame in frames)


def bodies(frames):
    """What the answers have behind their headers, each behind its length, as FRAMED wants it."""
    text = b""
    for frame in frames[2:]:
        if jute.decode_at("ReplyHeader", frame, 0)[0].xid > 0:
            body = frame[REPLY_HEADER:]
            text += bytes([len(body) >> 8, len(body) & 0xff]) + body
    return text


def write(directory, target, seeds):
    path = os.path.join(directory, target)
    os.makedirs(path, exist_ok=True)
    for name in os.listdir(path):
        os.remove(os.path.join(path, name))
    for name, data in seeds.items():
        with open(os.path.join(path, name), "wb") as file:
            file.write(data)
    print("%d seeds of %s" % (len(seeds), target))


def client_seeds():
    properties = {"zookeeper.extendedTypesEnabled": "true"}
    with servers.JavaServer({}, properties) as server:
        session = server.session()
        session.call("create", b"/a", b"", OPEN_ACL, PERSISTENT)
        session.close()
        plain, chroot, errors = [capture(server.address, root) for root in ("", "/a", "/missing")]
    return {
        "session": b"\0\0\0" + stream(plain[1:]),
        "session_in_pieces": b"\0\x06\0" + stream(plain[1:]),
        "handshake": bytes([HANDSHAKE, 0, 0]) + stream(plain),
        "chroot": bytes([CHROOT, 0, 0]) + stream(chroot[1:]),
        "errors": b"\0\0\0" + stream(errors[1:]),
        "bodies": bytes([FRAMED, 0, 0]) + bodies(plain),
        "bodies_chroot": bytes([FRAMED | CHROOT, 0, 0]) + bodies(chroot),
        "close_early": bytes([CLOSE, 0, 2]) + stream(plain[1:]),
        "close_late": bytes([CLOSE | HANDSHAKE, 10, 20]) + stream(plain),
    }


def recordio_seeds():
    with open(os.path.join(HERE, "..", "unit", "client", "records.def"), encoding="utf-8") as file:
        number = {name: i for i, name in enumerate(re.findall(r"^RECORD\((\w+),", file.read(), re.M))}
    with open(os.path.join(HERE, "..", "golden", "records.def"), encoding="utf-8") as file:
        rows = re.findall(r'^GOLDEN\((\w+), (\w+), "([0-9a-f]*)"\)', file.read(), re.M)
    return {name: bytes([number[name]]) + bytes.fromhex(data)
            for name, filling, data in rows if filling == "full"}


def main():
    directory = sys.argv[1] if len(sys.argv) > 1 else os.path.join(HERE, "seeds")
    write(directory, "fuzz_client_reply", client_seeds())
    write(directory, "fuzz_recordio", recordio_seeds())


if __name__ == "__main__":
    main()
