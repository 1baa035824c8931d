#!/usr/bin/env python3
# timeout: 300
"""disk_swap.py - one server writes a data directory, another opens a copy of it, writes too, and hands it back.

    disk_swap.py --from java --to zkc --tap

The first server makes every kind of node, ACLs, quotas, multis, sessions that stay open and several logs and snapshots;
once for each way to compress a snapshot, ended by SIGTERM or by SIGKILL. What the second must find equal: the zxid,
every node with its data, Stat and ACL, the ephemerals of every session, and the sessions themselves, which come back by
their id and password. Then the second writes and the first must find what it left.
"""

import argparse
import glob
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

import jute         # noqa: E402
import protocol     # noqa: E402
import rawclient    # noqa: E402
import servers      # noqa: E402
import tap          # noqa: E402
import operations   # noqa: E402
from protocol import CONTAINER, EPHEMERAL, EPHEMERAL_SEQUENTIAL, OPEN_ACL, PERSISTENT, SEQUENTIAL, TTL, \
    TTL_SEQUENTIAL     # noqa: E402

CONFIG = {"tickTime": 3000, "maxSessionTimeout": 600000}
SESSION_MS = 600000
# How snapshots are compressed, how the server ends, and whether there are quotas.
VARIANTS = (("", "SIGTERM", True), ("gz", "SIGKILL", False), ("snappy", "SIGTERM", True), ("", "SIGKILL", False))
ALICE = ((31, (b"digest", operations.digest_id(b"alice:wonder"))),)


def properties(compression):
    return {"zookeeper.extendedTypesEnabled": "true", "znode.container.checkIntervalMs": "100000000",
            "zookeeper.snapCount": "60", "zookeeper.snapshot.compression.method": compression,
            "zookeeper.DigestAuthenticationProvider.superDigest":
                operations.digest_id(operations.SUPER_PASSWORD).decode()}


class Client(rawclient.Session):
    """A session with short names for what this test does."""

    def make(self, path, data=b"", flags=PERSISTENT, acl=OPEN_ACL, ttl=None):
        if ttl is not None:
            return self.call("createTTL", path, data, acl, flags, ttl).path
        return self.call("createContainer" if flags == CONTAINER else "create2", path, data, acl, flags).path

    def set(self, path, data):
        return self.call("setData", path, data, -1).stat

    def multi(self, *parts):
        return self.call("multi", protocol.encode_multi(
            [(name, jute.encode(protocol.REQUEST[name], *values)) for name, values in parts]))

    def come_back(self, server):
        """The same session on another server; raises when that does not know it."""
        again = Client(server.address, SESSION_MS, self.id, self.password, self.zxid)
        if again.expired or again.id != self.id:
            raise rawclient.Closed("session 0x%x is not known" % self.id)
        return again


def connect(server):
    return Client(server.address, SESSION_MS)


def quota(client, path, limits):
    here = b"/zookeeper/quota"
    for part in path[1:].split(b"/"):
        here += b"/" + part
        if client.ask("exists", here, False)[0].err:
            client.make(here)
    client.make(here + b"/zookeeper_limits", limits)
    client.make(here + b"/zookeeper_stats", b"count=0,bytes=0")


def fill(server, quotas, create2):
    """
    Writes all there is to write; returns the sessions that stay: [audit, one with ephemerals, one without]. `create2`
    is what a multi creates with where a Stat is wanted.
    """
    audit, owner, idle, passing = [connect(server) for _ in range(4)]
    audit.auth(b"digest", operations.SUPER_PASSWORD)
    owner.auth(b"digest", b"alice:wonder")
    owner.make(b"/plain", b"data")
    owner.make(b"/null", None)
    owner.make(b"/empty", b"")
    owner.make(b"/large", bytes(range(256)) * 400)
    owner.make("/\u00fcmlaut \u65e5\u672c".encode(), b"text")
    for flags, name in ((SEQUENTIAL, b"s-"), (EPHEMERAL, b"e"), (EPHEMERAL_SEQUENTIAL, b"es-")):
        for index in range(3):
            owner.make(b"/plain/" + name + (b"%d" % index if flags == EPHEMERAL else b""), b"%d" % index, flags)
    owner.make(b"/container", b"c", CONTAINER)
    owner.make(b"/container/child", b"cc")
    owner.make(b"/container empty", b"c", CONTAINER)
    owner.make(b"/ttl", b"t", TTL, ttl=86400000)
    owner.make(b"/ttl/seq-", b"t", TTL_SEQUENTIAL, ttl=0xffffffffff)
    owner.make(b"/mine", b"secret", acl=ALICE)
    owner.make(b"/mine/two", b"", acl=((31, (b"auth", b"")), (1, (b"world", b"anyone"))))
    owner.make(b"/by ip", b"", acl=((31, (b"ip", b"127.0.0.0/8")), (1, (b"world", b"anyone"))))
    owner.make(b"/shared acl", b"", acl=ALICE)
    owner.make(b"/other acl", b"")
    owner.call("setACL", b"/other acl", ALICE, -1)
    owner.make(b"/wide")
    for index in range(120):
        owner.make(b"/wide/n%d" % index, b"x" * (index % 40))
    path = b""
    for index in range(30):
        path += b"/deep%d" % index
        owner.make(path, b"%d" % index)
    owner.make(b"/limited")
    if quotas:
        quota(audit, b"/limited", b"count=10,bytes=1000=;byteHardLimit=5000;countHardLimit=50")
        quota(audit, b"/wide", b"count=1000,bytes=-1")
    for index in range(5):
        owner.make(b"/limited/%d" % index, b"y" * index)
    for index in range(40):
        owner.set(b"/plain", b"version %d" % index)
    owner.set(b"/null", None)
    owner.multi(("create", (b"/multi", b"m", OPEN_ACL, PERSISTENT)),
                (create2, (b"/multi/e", b"", OPEN_ACL, EPHEMERAL)),
                ("setData", (b"/multi", b"mm", 0)), ("check", (b"/multi", 1)),
                ("delete", (b"/wide/n5", -1)), ("createTTL", (b"/multi/t", b"", OPEN_ACL, TTL, 5000000)),
                ("createContainer", (b"/multi/c", b"", OPEN_ACL, CONTAINER)))
    owner.ask("multi", protocol.encode_multi([("delete", jute.encode("DeleteRequest", b"/none", -1)),
                                              ("create", jute.encode("CreateRequest", b"/never", b"", OPEN_ACL, 0))]))
    for index in range(10, 20):
        owner.call("delete", b"/wide/n%d" % index, 0)
    passing.make(b"/gone", b"", EPHEMERAL)
    passing.make(b"/plain/gone", b"", EPHEMERAL)
    passing.close()
    idle.make(b"/idle", b"", EPHEMERAL)
    return [audit, owner, idle]


def change(sessions, step, create2):
    """More writes, by sessions that came back; `step` counts how often they did."""
    audit, owner, idle = sessions
    audit.auth(b"digest", operations.SUPER_PASSWORD)
    owner.auth(b"digest", b"alice:wonder")
    made = owner.make(b"/plain/s-", b"again", SEQUENTIAL)
    owner.make(b"/plain/e9%d" % step, b"", EPHEMERAL)
    owner.call("delete", b"/plain/e%d" % step, -1)
    owner.set(b"/mine", b"still secret")
    owner.make(b"/mine/three%d" % step, b"", acl=ALICE)
    owner.make(b"/limited/again" + made[-2:], b"zz")
    owner.make(b"/ttl/more" + made[-2:], b"t", TTL, ttl=86400000)
    for index in range(70):     # enough for a snapshot
        owner.set(b"/wide/n%d" % (20 + index % 50), b"v%d" % index)
    owner.multi(("setData", (b"/multi", b"again", -1)), (create2, (b"/multi/s-", b"", OPEN_ACL, SEQUENTIAL)))
    idle.close()
    idle = Client(idle.address, SESSION_MS)
    idle.make(b"/idle", b"new owner", EPHEMERAL)
    return [audit, owner, idle]


def state(server, audit):
    """All that must be equal after a swap."""
    srvr, mntr, dump = server.word("srvr"), server.word("mntr"), server.word("dump")
    facts = {"zxid": [line for line in srvr.splitlines() if line.startswith("Zxid")]}
    for name in ("znode_count", "ephemerals_count", "global_sessions"):
        facts[name] = [line for line in mntr.splitlines() if line.startswith("zk_%s\t" % name)]
    owners, owner = {}, None
    for line in dump[dump.find("Sessions with Ephemerals"):].splitlines()[1:]:
        if line.startswith("0x"):
            owner = line
        elif line.startswith("\t/") and owner:
            owners.setdefault(owner, []).append(line)
    facts["ephemerals by session"] = {key: sorted(paths) for key, paths in owners.items()}
    tree = rawclient.walk(audit)
    facts["nodes"] = {path: entry if isinstance(entry, int) else (entry[0], entry[1], entry[2], sorted(entry[3] or ()))
                      for path, entry in tree.items()}
    return facts


def mismatches(server):
    return [line for line in server.word("mntr").splitlines() if line.startswith("zk_digest_mismatches_count")]


def java_mismatches(giver, compression):
    """What a Java server counts that starts on the directory this one left."""
    with servers.make("java", CONFIG, properties(compression), data_from=giver.data_dir) as judge:
        return mismatches(judge)


def compare(report, before, after, what):
    for name in before:
        equal = report.ok(before[name] == after[name], "%s: %s" % (what, name))
        if not equal and isinstance(before[name], dict):
            for key in sorted(set(before[name]) | set(after[name])):
                if before[name].get(key) != after[name].get(key):
                    report.note("%r\n    before %r\n    after  %r" % (key, before[name].get(key), after[name].get(key)))
        elif not equal:
            report.note("before %r\nafter  %r" % (before[name], after[name]))


def end(server, sessions, how):
    for session in sessions:
        session.disconnect()
    return server.stop() if how == "SIGTERM" else server.kill()


def hand_over(report, server, kind, compression, what):
    """Starts a `kind` server on a copy of what `server` left, and returns it."""
    successor = servers.make(kind, CONFIG, properties(compression), data_from=server.data_dir)
    try:
        successor.start()
    except servers.StartError as error:
        report.ok(False, "%s: it starts" % what)
        report.note(error)
        raise
    report.ok(True, "%s: it starts" % what)
    return successor


def swap(report, first, second, compression, how, quotas):
    started = []
    label = "%s snapshots, %s, " % (compression or "plain", how)
    # A create2 in a multi is logged as such by 3.9.5, and 3.8.0 cannot apply that (ZOOKEEPER-4026).
    old = any(servers.KINDS[kind].known_release() < (3, 9) for kind in (first, second))
    create2 = "create" if old else "create2"
    try:
        server = servers.make(first, CONFIG, properties(compression))
        started.append(server)
        server.start()
        sessions = fill(server, quotas, create2)
        before = state(server, sessions[0])
        end(server, sessions, how)
        suffix = {"": "snapshot.*", "gz": "snapshot.*.gz", "snappy": "snapshot.*.snappy"}[compression]
        report.ok(len(glob.glob(os.path.join(server.data_dir, "version-2", suffix))) > 1 and
                  len(glob.glob(os.path.join(server.data_dir, "version-2", "log.*"))) > 1,
                  label + "%s writes several logs and snapshots" % first)
        for step, (giver, taker) in enumerate(((first, second), (second, first), (first, first))):
            what = label + "%s to %s%s" % (giver, taker, " again" if step == 2 else "")
            server = hand_over(report, started[-1], taker, compression, what)
            started.append(server)
            sessions = [session.come_back(server) for session in sessions]
            report.ok(True, what + ": sessions come back")
            sessions[0].auth(b"digest", operations.SUPER_PASSWORD)
            compare(report, before, state(server, sessions[0]), what)
            if not quotas:      # Java counts a quota behind the digest's back, and finds that out when it loads
                counts = mismatches(server)
                is_right = all(line.split()[-1] in ("0", "0.0") for line in counts)
                if not is_right and giver == "java":    # which may write a wrong digest into a snapshot, and finds it out
                    is_right = counts == java_mismatches(started[-2], compression)
                report.ok(is_right, what + ": no digest mismatch")
            sessions = change(sessions, step, create2)
            before = state(server, sessions[0])
            end(server, sessions, how)
    finally:
        for server in started:
            server.dispose()


def main():
    parser = argparse.ArgumentParser(description="Hands data directories from one server to another and back.")
    parser.add_argument("--from", dest="first", choices=sorted(servers.KINDS),
                        help="java and zkc in turn, if not given")
    parser.add_argument("--to", dest="second", choices=sorted(servers.KINDS))
    parser.add_argument("--compression", choices=("", "gz", "snappy"), help="only this one")
    tap.add_option(parser)
    options = parser.parse_args()
    pairs = [(options.first or "java", options.second or "zkc")]
    if options.first is None and options.second is None:
        pairs.append(("zkc", "java"))
    why = servers.require(*pairs[0])
    if why:
        tap.skip_all(why)
    report = tap.Tap(plain=not options.tap)
    for first, second in pairs:
        for compression, how, quotas in VARIANTS:
            if options.compression not in (None, compression):
                continue
            try:
                swap(report, first, second, compression, how, quotas)
            except (servers.StartError, rawclient.Closed, rawclient.Timeout, rawclient.RequestError,
                    jute.JuteError) as error:
                report.ok(False, "%s to %s, %s snapshots, %s: %s" % (first, second, compression or "plain", how,
                                                                   type(error).__name__))
                report.note(error)
    return report.done()


if __name__ == "__main__":
    sys.exit(main())
