#!/usr/bin/env python3
# timeout: 600
"""crash.py - kills a server under write load, again and again, and looks for every write it had acknowledged.

    crash.py --server zkc --times 50 --seed 1 --tap

Several sessions keep a window of writes under way: each writer counts up in a node of its own, creates and deletes
numbered nodes, and sets two nodes to one value in a multi. After a random number of acknowledgements the server gets
SIGKILL. It must start again, and then for every writer

  (1) the counter stands at the last acknowledged value, or at a later one that was sent;
  (2) every acknowledged create is there and every acknowledged delete is gone, or undone by a later write under way;
  (3) the two nodes of the multis hold the same value, no older than the last acknowledged one;
  (4) the zxid has not gone back;
  (5) the sessions that were open are known.
"""

import argparse
import os
import random
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

import jute         # noqa: E402
import protocol     # noqa: E402
import rawclient    # noqa: E402
import servers      # noqa: E402
import tap          # noqa: E402
from protocol import OP, OPEN_ACL      # noqa: E402

WINDOW = 16
SLOTS = 40      # numbered nodes per writer


class Writer:
    """One session, its nodes, and what it was told about them."""

    def __init__(self, number, server):
        self.number = number
        self.home = b"/w%d" % number
        self.session = rawclient.Session(server.address, 120000)
        self.sent = 0               # the last value that was sent anywhere
        self.acked = {"counter": 0, "pair": 0}
        self.slots = {}             # slot -> (created or deleted, value of the request) as last acknowledged
        self.under_way = []         # (what, slot, value)
        for path in (self.home, self.home + b"/counter", self.home + b"/a", self.home + b"/b", self.home + b"/slots"):
            self.session.call("create", path, b"0", OPEN_ACL, 0)

    def send_one(self, rng):
        """Puts one more write on the wire."""
        self.sent += 1
        value = b"%d" % self.sent
        dice = rng.random()
        if dice < 0.4:
            request = "setData", jute.encode("SetDataRequest", self.home + b"/counter",
                                             value + b" " * rng.choice((0, 10, 1000)), -1)
            entry = ("counter", None, self.sent)
        elif dice < 0.6:
            body = protocol.encode_multi([("setData", jute.encode("SetDataRequest", self.home + b"/" + name, value, -1))
                                          for name in (b"a", b"b")])
            request, entry = ("multi", body), ("pair", None, self.sent)
        else:
            slot = rng.randrange(SLOTS)
            path = self.home + b"/slots/%d" % slot
            if dice < 0.8:
                request = "create", jute.encode("CreateRequest", path, value, OPEN_ACL, 0)
                entry = ("create", slot, self.sent)
            else:
                request, entry = ("delete", jute.encode("DeleteRequest", path, -1)), ("delete", slot, self.sent)
        self.session.xid += 1
        self.session.connection.send_frame(jute.encode("RequestHeader", self.session.xid, OP[request[0]]) + request[1])
        self.under_way.append(entry)

    def take(self, frame):
        """Notes the answer to the oldest write under way."""
        what, slot, value = self.under_way.pop(0)
        xid, zxid, err = frame_header(frame)
        self.session.zxid = max(self.session.zxid, zxid)
        if what in self.acked:
            if err != 0:
                raise AssertionError("%s answered with %d" % (what, err))
            self.acked[what] = value
        elif err == 0:
            self.slots[slot] = (what == "create", value)
        elif (what, err) not in (("create", -110), ("delete", -101)):
            raise AssertionError("%s answered with %d" % (what, err))

    def check(self, server):
        """Comes back and compares; returns the failures."""
        failures = []
        again = rawclient.Session(server.address, 120000, self.session.id, self.session.password, self.session.zxid)
        if again.expired:
            failures.append("session 0x%x is not known" % self.session.id)
            again = rawclient.Session(server.address, 120000)
        values = {}
        for name in (b"counter", b"a", b"b"):
            header, record = again.ask("getData", self.home + b"/" + name, False)
            values[name] = -1 if header.err else int(record.data)
        sent = {what: [value for kind, _, value in self.under_way if kind == what] for what in ("counter", "pair")}
        if values[b"counter"] != self.acked["counter"] and values[b"counter"] not in sent["counter"]:
            failures.append("counter is %d, acknowledged %d" % (values[b"counter"], self.acked["counter"]))
        if values[b"a"] != values[b"b"]:
            failures.append("a multi was torn: %d and %d" % (values[b"a"], values[b"b"]))
        if values[b"a"] != self.acked["pair"] and values[b"a"] not in sent["pair"]:
            failures.append("pair is %d, acknowledged %d" % (values[b"a"], self.acked["pair"]))
        header, record = again.ask("getChildren", self.home + b"/slots", False)
        there = set() if header.err else {int(name) for name in record.children}
        touched = {slot for kind, slot, _ in self.under_way}
        for slot, (created, value) in self.slots.items():
            if slot not in touched and (slot in there) != created:
                failures.append("slot %d: the acknowledged %s of %d is lost" % (
                    slot, "create" if created else "delete", value))
        self.acked = {"counter": values[b"counter"], "pair": values[b"a"]}
        self.slots = {slot: (slot in there, 0) for slot in range(SLOTS)}
        self.under_way = []
        self.session = again
        return failures


def frame_header(frame):
    header = jute.decode_at("ReplyHeader", frame, 0)[0]
    return header.xid, header.zxid, header.err


def load(writers, rng, acknowledgements):
    """Writes until so many answers came; returns how many did."""
    answers = 0
    while answers < acknowledgements:
        writer = rng.choice(writers)
        while len(writer.under_way) < WINDOW:
            writer.send_one(rng)
        for frame in writer.session.connection.pending_frames() or [writer.session.connection.read_frame()]:
            if frame is None:
                raise rawclient.Closed("the server closed a connection under load")
            writer.take(frame)
            answers += 1
    return answers


def main():
    parser = argparse.ArgumentParser(description="Kills a server under load and looks for what it acknowledged.")
    parser.add_argument("--server", choices=sorted(servers.KINDS), default="zkc")
    parser.add_argument("--times", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--writers", type=int, default=4)
    tap.add_option(parser)
    options = parser.parse_args()
    why = servers.require(options.server)
    if why:
        tap.skip_all(why)
    report = tap.Tap(plain=not options.tap)
    rng = random.Random(options.seed)
    properties = {"zookeeper.snapCount": "150", "zookeeper.preAllocSize": "64"}
    config = {"tickTime": 3000, "maxSessionTimeout": 200000, "maxClientCnxns": 0, "autopurge.purgeInterval": 0}
    begin, acknowledged = time.monotonic(), 0
    with servers.make(options.server, config, properties) as server:
        writers = [Writer(number, server) for number in range(options.writers)]
        for round_number in range(1, options.times + 1):
            acknowledged += load(writers, rng, rng.choice((1, 10, 50, 150, 400)) + rng.randrange(50))
            server.kill()
            for writer in writers:      # what the server had sent before it died counts as acknowledged
                for frame in writer.session.connection.pending_frames():
                    writer.take(frame)
                    acknowledged += 1
                writer.session.disconnect()
            label = "%s, kill %d of %d" % (options.server, round_number, options.times)
            try:
                server.start()
                failures = []
                zxid = int(server.word("srvr").split("Zxid: 0x")[1].split()[0], 16)
                seen = max(writer.session.zxid for writer in writers)
                if zxid < seen:
                    failures.append("zxid is 0x%x after 0x%x" % (zxid, seen))
                for writer in writers:
                    failures += ["writer %d: %s" % (writer.number, text) for text in writer.check(server)]
            except (servers.StartError, rawclient.Closed, rawclient.Timeout) as error:
                report.ok(False, "%s: it starts and answers" % label)
                report.note("%s\nagain: crash.py --server %s --seed %d --times %d" % (
                    error, options.server, options.seed, round_number))
                break
            if not report.ok(not failures, "%s: nothing acknowledged is lost" % label):
                report.note("\n".join(failures))
                report.note("again: crash.py --server %s --seed %d --times %d" % (
                    options.server, options.seed, round_number))
        report.note("%d acknowledged writes, %.1f s" % (acknowledged, time.monotonic() - begin))
    return report.done()


if __name__ == "__main__":
    sys.exit(main())
