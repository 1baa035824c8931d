#!/usr/bin/env python3
# timeout: 200
"""limits.py - what a server lets in and keeps: tokens for sessions, large requests, a limit of requests in process,
caches of answers.

    limits.py                 zkc and Java, plain lines
    limits.py --server zkc

Both servers get the same settings and the same bytes; what is counted in mntr belongs to what is seen.
"""

import argparse
import collections
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
from protocol import OPEN_ACL      # noqa: E402

THROTTLED = -127
SECONDS = 30.0


def metric(server, name):
    for line in server.word("mntr").splitlines():
        key, _, value = line.partition("\t")
        if key == "zk_" + name:
            return int(float(value))
    return None


def opens(server, **options):
    """A session, or None when the server closes the connection instead."""
    try:
        return server.session(**options)
    except rawclient.Closed:
        return None


def tokens(kind, results):
    properties = {"zookeeper.connection_throttle_tokens": 3, "zookeeper.connection_throttle_fill_time": 10000000}
    with servers.make(kind, {}, properties) as server:
        sessions = [opens(server) for _ in range(3)]
        results.ok(all(sessions), kind + ": as many sessions as there are tokens come in")
        results.ok(opens(server) is None, kind + ": the next is turned away")
        sessions[0].disconnect()
        again = opens(server, session_id=sessions[0].id, password=sessions[0].password)
        results.ok(again is None, kind + ": so is one that comes back")
        results.ok(metric(server, "connection_rejected") == 2, kind + ": both are counted")
        results.ok(metric(server, "max_connection_token_deficit") == 3, kind + ": and the tokens that are out")
        results.ok(sessions[1].ask("exists", b"/", False)[0].err == 0, kind + ": who is in is served")
    properties = {"zookeeper.connection_throttle_tokens": 2, "zookeeper.connection_throttle_fill_time": 1000,
                  "zookeeper.connection_throttle_weight_enabled": "true"}
    with servers.make(kind, {}, properties) as server:
        first, second = opens(server), opens(server)
        results.ok(first and second and opens(server) is None, kind + ": weighed, as many global ones come in")
        deadline = time.monotonic() + SECONDS
        while opens(server) is None and time.monotonic() < deadline:
            time.sleep(0.1)
        results.ok(time.monotonic() < deadline, kind + ": and more when the bucket has filled")


def large(kind, results):
    properties = {"zookeeper.largeRequestThreshold": 1000, "zookeeper.largeRequestMaxBytes": 5000}
    with servers.make(kind, {}, properties) as server:
        session = server.session()
        session.call("create", b"/a", b"", OPEN_ACL, 0)
        for size in (10, 900, 1100, 4000, 4000, 4900):
            session.call("setData", b"/a", b"x" * size, -1)
        results.ok(session.call("exists", b"/a", False).stat.version == 6, kind + ": large requests pass one by one")
        results.ok(metric(server, "large_requests_rejected") == 0, kind + ": none is refused")
        try:
            session.call("setData", b"/a", b"x" * 5001, -1)
            refused = False
        except rawclient.Closed:
            refused = True
        results.ok(refused, kind + ": one beyond the sum is refused, and its connection closed")
        results.ok(metric(server, "large_requests_rejected") == 1, kind + ": and counted")
        other = server.session()
        results.ok(other.call("exists", b"/a", False).stat.dataLength == 4900, kind + ": nothing of it was written")


def requests_of(first_xid, count):
    """Bytes of so many setData in a row."""
    frames = []
    for xid in range(first_xid, first_xid + count):
        frame = jute.encode("RequestHeader", xid, protocol.OP["setData"]) + \
            jute.encode(protocol.REQUEST["setData"], b"/a", b"%d" % xid, -1)
        frames.append(rawclient.LENGTH.pack(len(frame)) + frame)
    return b"".join(frames)


def throttled(kind, results):
    count = 600
    properties = {"zookeeper.request_throttle_max_requests": 1, "zookeeper.request_throttle_stall_time": 5,
                  "zookeeper.throttled_op_wait_time": 1}
    with servers.make(kind, {}, properties) as server:
        session = server.session()
        while session.ask("create", b"/a", b"", OPEN_ACL, 0)[0].err == THROTTLED:
            pass
        before = metric(server, "throttled_ops")
        errors, in_order = [], True
        for burst in range(10):     # on a busy machine every request of one may have waited too long
            first = 1000 + burst * count
            session.connection.send_raw(requests_of(first, count))
            headers = [session.receive("setData")[0] for _ in range(count)]
            in_order = in_order and [header.xid for header in headers] == list(range(first, first + count))
            errors += [header.err for header in headers]
            if set(errors) == {0, THROTTLED}:
                break
        results.ok(in_order, kind + ": every request is answered, in order")
        results.ok(set(errors) == {0, THROTTLED}, kind + ": run, or throttled: " + str(sorted(set(errors))))
        results.ok(metric(server, "throttled_ops") - before == errors.count(THROTTLED),
                   kind + ": the throttled are counted")
        header = session.ask("exists", b"/a", False)
        while header[0].err == THROTTLED:
            header = session.ask("exists", b"/a", False)
        results.ok(header[1].stat.version == errors.count(0), kind + ": what was throttled was not run")
        results.ok(metric(server, "request_throttle_wait_count") > 0, kind + ": stalls are counted")


def abandoned(server, other, count):
    """
    A client sends so many writes and is gone after the first answer. The versions of its node before and, once the
    server has given up or done all of them, after; and how many requests were dropped as stale.
    """
    session = server.session()
    dropped, before = metric(server, "stale_requests_dropped"), other.call("exists", b"/a", False).stat.version
    session.connection.send_raw(requests_of(1000, count))
    session.receive("setData")
    session.connection.abort()
    deadline = time.monotonic() + SECONDS
    while metric(server, "stale_requests_dropped") == dropped and time.monotonic() < deadline and \
            other.call("exists", b"/a", False).stat.version < before + count:
        time.sleep(0.01)
    return before, other.call("exists", b"/a", False).stat.version, metric(server, "stale_requests_dropped") - dropped


def stale(kind, results):
    count = 900
    properties = {"zookeeper.request_throttle_max_requests": 1, "zookeeper.request_throttle_stall_time": 5}
    with servers.make(kind, {}, properties) as server:
        other = server.session()
        other.call("create", b"/a", b"", OPEN_ACL, 0)
        for _ in range(5):      # a server may be through before it hears that the client is gone
            before, after, dropped = abandoned(server, other, count)
            if dropped:
                break
        results.ok(dropped == 1, "%s: of a client that is gone one request is dropped as stale, the rest behind it" % kind)
        results.ok(before < after < before + count, kind + ": what was not begun is not run")
        results.ok(other.call("setData", b"/a", b"other", -1).stat.version == after + 1, kind + ": others go on")
        status = server.stop()
        results.ok(status == (0 if kind == "zkc" else 143), kind + ": and it comes down: %s" % status)


class Cache:
    """
    What a cache of so many answers does: by path, good for one stat, one less than its size. The least used goes first,
    before 3.9.4 the oldest (ZOOKEEPER-4919).
    """

    def __init__(self, size, by_use):
        self.most, self.by_use, self.kept = max(size - 1, 0), by_use, collections.OrderedDict()
        self.hits = self.misses = 0

    def read(self, path, stat):
        if self.kept.get(path) == stat:
            self.hits += 1
            if self.by_use:
                self.kept.move_to_end(path)
            return
        self.misses += 1
        self.kept.pop(path, None)
        self.kept[path] = stat
        if len(self.kept) > self.most:
            self.kept.popitem(last=False)


def cached(kind, results):
    """Random reads of nodes of 2000 bytes between changes: the answers are those of the nodes as they are."""
    for size in (0, 1, 4, 400):
        rng = random.Random(size)
        properties = {"zookeeper.maxResponseCacheSize": size, "zookeeper.maxGetChildrenResponseCacheSize": size}
        with servers.make(kind, {}, properties) as server:
            session, stranger = server.session(), server.session()
            session.auth("digest", b"me:secret")
            paths = [b"/%d" % i for i in range(6)]
            data, children, versions = {}, collections.defaultdict(set), collections.Counter()
            for path in paths:
                data[path] = b"first" * 400
                session.call("create", path, data[path], ((31, (b"auth", b"")),), 0)
            by_use = server.release >= (3, 9, 4)
            caches = {"getData": Cache(size, by_use), "getChildren2": Cache(size, by_use)}
            right, denied = True, True
            for step in range(400):
                path, what = rng.choice(paths), rng.random()
                if what < 0.05:
                    data[path] = b"%04d " % step * 400
                    session.call("setData", path, data[path], -1)
                    versions[path] += 1
                elif what < 0.1:
                    session.call("create", path + b"/%d" % step, b"", OPEN_ACL, 0)
                    children[path].add(b"%d" % step)
                elif what < 0.6:
                    answer = session.call("getData", path, False)
                    right = right and answer.data == data[path] and answer.stat.version == versions[path]
                    caches["getData"].read(path, tuple(answer.stat.items()))
                else:
                    answer = session.call("getChildren2", path, False)
                    right = right and set(answer.children) == children[path] and \
                        answer.stat.numChildren == len(children[path])
                    caches["getChildren2"].read(path, tuple(answer.stat.items()))
                for name in caches if step % 10 == 0 else ():
                    denied = denied and stranger.ask(name, path, False)[0].err == -102
            results.ok(right, "%s: with a cache of %d answers each is that of the node as it is" % (kind, size))
            results.ok(denied, "%s: and who may not read gets none" % kind)
            for name, infix in (("getData", ""), ("getChildren2", "get_children_")):
                counts = tuple(metric(server, "response_packet_%scache_%s" % (infix, end))
                               for end in ("hits", "misses"))
                results.ok(counts == (caches[name].hits, caches[name].misses),
                           "%s: %s has so many hits and misses: %s" % (kind, name, counts))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--server", choices=sorted(servers.KINDS), action="append")
    tap.add_option(parser)
    arguments = parser.parse_args()
    kinds = arguments.server or ["zkc", "java"]
    missing = servers.require(*kinds)
    if missing:
        tap.skip_all(missing)
    results = tap.Tap(plain=not arguments.tap)
    for kind in kinds:
        for part in (tokens, large, throttled, stale, cached):
            part(kind, results)
    return results.done()


if __name__ == "__main__":
    sys.exit(main())
