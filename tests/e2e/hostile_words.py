#!/usr/bin/env python3
# timeout: 120
"""hostile_words.py - four letter words as nobody should send them; then the server must be as before.

    hostile_words.py            TAP or plain lines

A word is all a stranger may say: each of them with bytes behind it, in pieces, cut short, many at a time, by one who does
not read the answer. A client that was there before is answered after each row.
"""

import argparse
import os
import selectors
import socket
import struct
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

import rawclient    # noqa: E402
import servers      # noqa: E402
import tap          # noqa: E402
from protocol import OPEN_ACL      # noqa: E402

WORDS = ("conf", "cons", "crst", "dirs", "dump", "envi", "gtmk", "hash", "isro", "mntr", "ruok", "srst", "srvr", "stat",
         "wchc", "wchp", "wchs")
FIXED = {"ruok": b"imok", "isro": b"rw", "gtmk": b"306", "crst": b"Connection stats reset.\n",
         "srst": b"Server stats reset.\n"}
TELNET_CLOSE = b"\xff\xf4\xff\xfd"
SIZES = {False: 2000, True: 10000}


def says(server, *pieces, timeout=20.0):
    """All that comes back for these bytes, sent one after the other."""
    connection = rawclient.Connection(server.address, timeout)
    try:
        for piece in pieces:
            connection.send_raw(piece)
            if len(pieces) > 1:
                time.sleep(0.005)
        return connection.read_to_end()
    finally:
        connection.close()


def refusal(word):
    return b"%s is not executed because it is not in the whitelist.\n" % word


def one_answer(word, answer):
    """Whether that is what the word says, once and nothing else."""
    return answer == FIXED[word] if word in FIXED else len(answer) > 0 and b"not executed" not in answer or word == "hash"


def tell_all(server, check):
    for word in WORDS:
        name = word.encode()
        check("%s is answered" % word, one_answer(word, says(server, name)))
        check("%s with bytes behind it is answered once" % word,
              one_answer(word, says(server, name + b"\r\n" + name + b"x" * 5000)))
        check("%s in pieces is answered" % word, one_answer(word, says(server, name[:1], name[1:3], name[3:])))
    check("stmk with its mask is answered", says(server, b"stmk" + struct.pack(">q", 306)) == b"306")
    check("stmk without its mask ends the connection", says(server, b"stmk") == b"")
    check("stmk with half a mask ends the connection", says(server, b"stmk" + b"\0" * 4) == b"")


def strangers(server, check):
    for name, data in (("a word that is none", b"abcd"), ("a word in capitals", b"RUOK"), ("HTTP", b"GET / HTTP/1.1\r\n\r\n"),
                       ("what telnet says when it closes", TELNET_CLOSE), ("three letters of a word and an end of line", b"ruo\n"),
                       ("a TLS hello", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"x" * 32)):
        check("%s ends the connection without a word" % name, says(server, data) == b"")


def unread(server, check):
    """Who asks for much and takes nothing."""
    ends = []
    for _ in range(100):
        end = socket.socket()
        end.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        end.connect(server.address)
        end.sendall(b"mntr")
        ends.append(end)
    check("who does not read its answer holds nobody up", says(server, b"ruok") == b"imok")
    for end in ends[:50]:
        end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    for end in ends:
        end.close()
    check("who leaves before the answer does no harm", says(server, b"ruok") == b"imok")
    end = socket.create_connection(server.address)
    end.sendall(b"ruo")
    check("who stops within a word holds nobody up", says(server, b"ruok") == b"imok")
    end.settimeout(20.0)
    try:
        is_ended = end.recv(10) == b""
    except ConnectionResetError:
        is_ended = True
    except socket.timeout:
        is_ended = False
    check("who stops within a word is closed in time", is_ended)


def parallel(server, check, count):
    """So many at a time, 500 of them under way at any moment; how many were answered right."""
    right, started, open_ = 0, 0, 0
    deadline = time.monotonic() + 100
    with selectors.DefaultSelector() as selector:
        while (started < count or open_) and time.monotonic() < deadline:
            while started < count and open_ < 500:
                end = socket.socket()
                end.setblocking(False)
                try:
                    end.connect(server.address)
                except BlockingIOError:
                    pass
                selector.register(end, selectors.EVENT_WRITE, bytearray())
                started, open_ = started + 1, open_ + 1
            for key, events in selector.select(1.0):
                end = key.fileobj
                if events & selectors.EVENT_WRITE:
                    end.send(b"ruok")
                    selector.modify(end, selectors.EVENT_READ, key.data)
                    continue
                try:
                    data = end.recv(100)
                except ConnectionResetError:
                    data = b""
                key.data.extend(data)
                if not data:
                    right += bytes(key.data) == b"imok"
                    selector.unregister(end)
                    end.close()
                    open_ -= 1
    check("of many at a time each is answered", right == count, "%d of %d" % (right, count))


def not_permitted(results):
    with servers.ZkcServer({"4lw.commands.whitelist": None}) as server:
        others = [word for word in WORDS if word != "srvr"]
        wrong = [word for word in others if says(server, word.encode()) != refusal(word.encode())]
        results.ok(not wrong, "what is not permitted is refused in Java's words %s" % " ".join(wrong))
        results.ok(says(server, b"stmk" + b"\0" * 8) == refusal(b"stmk"), "so is stmk, whatever follows")
        results.ok(says(server, TELNET_CLOSE) == refusal(b"telnet close"), "so is what telnet says when it closes")
        results.ok(says(server, b"srvr").startswith(b"Zookeeper version: "), "srvr is always permitted")
    with servers.ZkcServer({"4lw.commands.whitelist": "ruok, isro"}) as server:
        permitted = [word for word in WORDS if says(server, word.encode()) != refusal(word.encode())]
        results.ok(permitted == ["isro", "ruok", "srvr"], "a list permits what stands in it")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--full", action="store_true", help="10,000 words at a time")
    tap.add_option(parser)
    arguments = parser.parse_args()
    missing = servers.require("zkc")
    if missing:
        tap.skip_all(missing)
    results = tap.Tap(plain=not arguments.tap)
    config = {"maxClientCnxns": 0, "clientPortListenBacklog": 1024}
    with servers.ZkcServer(config, {"zookeeper.nio.sessionlessCnxnTimeout": 2000}) as server:
        witness = server.session(timeout_ms=40000)
        witness.call("create", b"/witness", b"", OPEN_ACL, 0)
        count = 0

        def check(fact, passed, seen=""):
            nonlocal count
            count += 1
            header, got = witness.ask("setData", b"/witness", b"x", -1)
            healthy = header.err == 0 and got.stat.version == count
            results.ok(passed and healthy, "%s%s" % (fact, "" if healthy else ", and the witness is not answered"))
            if not passed and seen:
                results.note(seen)

        tell_all(server, check)
        strangers(server, check)
        unread(server, check)
        parallel(server, check, SIZES[arguments.full])
        open_files = os.path.join("/proc", str(server.process.pid), "fd")
        deadline = time.monotonic() + 30
        while len(os.listdir(open_files)) > 40 and time.monotonic() < deadline:
            time.sleep(0.05)
        results.ok(len(os.listdir(open_files)) <= 40, "no connection is left over")
        results.ok(server.stop() == 0, "and it comes down")
    not_permitted(results)
    return results.done()


if __name__ == "__main__":
    sys.exit(main())
