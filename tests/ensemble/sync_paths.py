#!/usr/bin/env python3
# timeout: 900
"""sync_paths.py - brings a learner back to its leader on every way there is: DIFF, TRUNC, SNAP, and what they mix to.

    sync_paths.py --kinds zkc,java,java --tap

For each pair of kinds, one leading, one learning, and each way: the learner is brought into the state that asks for it
and started, and the packets that pass between the two (a proxy stands there) show the way that was taken. Then all
servers hold the same tree and digests, their logs hold the same transactions, and the learner's log misses none and has
none that was taken back.
"""

import argparse
import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

import ensemble         # noqa: E402
import ports            # noqa: E402
import quorum_fakes     # noqa: E402
import quorum_wire as wire      # noqa: E402
import tap              # noqa: E402
import trees            # noqa: E402
import txnlog           # noqa: E402
from protocol import OPEN_ACL, PERSISTENT   # noqa: E402

COMMIT_LOG_COUNT = 500      # transactions the leader remembers in memory; no server takes fewer
OPENING = (wire.DIFF, wire.TRUNC, wire.SNAP)


def expect(condition, text, *values):
    if not condition:
        raise AssertionError(text % values)


class Paths:
    """Three servers, a proxy before each quorum port for each learner, and the ways."""

    def __init__(self, kinds, report):
        self.report = report
        # Without snapshots in between, and with as much of the log on the wire as there is.
        properties = {"zookeeper.snapCount": "100000", "zookeeper.commitLogCount": str(COMMIT_LOG_COUNT),
                      "zookeeper.snapshotSizeFactor": "100000", "zookeeper.preAllocSize": "64"}
        self.servers = ensemble.Ensemble(kinds, tick_time=1000, init_limit=20, properties=properties)
        self.proxies = {}
        for learner in self.servers.sids():
            for leader in self.servers.sids():
                if learner != leader:
                    port = ports.one()
                    self.servers.route(learner, leader, port)
                    self.proxies[learner, leader] = quorum_fakes.Proxy(("127.0.0.1", port),
                                                                       self.servers.quorum_address(leader))
        self.number = 0
        self.taken_back = set()

    def dispose(self):
        self.servers.dispose()
        for proxy in self.proxies.values():
            proxy.close()

    def write(self, count, sid=None):
        """Writes through a session that is closed again; so count + 2 transactions."""
        session = self.servers.session(sid or self.servers.leader())
        for _ in range(count):
            self.number += 1
            session.send("create", b"/n%d" % self.number, b"x" * 100, OPEN_ACL, PERSISTENT)
        for _ in range(count):
            header, _ = session.receive("create")
            expect(header.err == 0, "create is answered with %d", header.err)
        session.close()

    def rejoin(self, leader, learner):
        """Starts the learner; returns the packets its leader sent up to UPTODATE."""
        proxy = self.proxies[learner, leader]
        number = proxy.count
        mark = self.servers.log_size(leader)
        self.servers.start_one(learner)

        def arrived():
            packets = proxy.packets("to learner", number + 1)
            return packets if any(one.type == wire.UPTODATE for one in packets) else None

        packets = self.servers.wait(arrived, "%s is up to date" % self.servers.name(learner))
        expect(self.servers.wait_serving() == leader, "%s does not lead any more", self.servers.name(leader))
        self.leader_log = self.servers.log_text(leader, mark)
        self.servers.wait_caught_up()
        packets = packets[:next(at for at, one in enumerate(packets) if one.type == wire.UPTODATE)]
        return [one for one in packets if one.type != wire.PING]

    @staticmethod
    def way(packets):
        """What the packets of a sync amount to: "DIFF", "TRUNC+3", "SNAP"; +n: n proposals, each with its commit."""
        openings = [one for one in packets if one.type in OPENING]
        expect(len(openings) == 1 and packets.index(openings[0]) == 1 and packets[0].type == wire.LEADERINFO,
               "the sync is %s", ", ".join(map(str, packets)))
        expect(packets[-1].type == wire.NEWLEADER, "NEWLEADER is not the last: %s", ", ".join(map(str, packets)))
        between = packets[2:-1]
        expect([one.type for one in between] == [wire.PROPOSAL, wire.COMMIT] * (len(between) // 2),
               "between are %s", ", ".join(map(str, between)))
        for proposal, commit in zip(between[::2], between[1::2]):
            expect(wire.parse_txn(proposal.data).header.zxid == proposal.zxid == commit.zxid, "%s and %s", proposal,
                   commit)
        return openings[0], [one.zxid for one in between[::2]]

    def counts(self, leader):
        mntr = self.servers.mntr(leader)
        return int(mntr["diff_count"]), int(mntr["snap_count"])

    def same_everywhere(self, learner, snapshot=False):
        """`snapshot`: what the log misses may be in a snapshot that the learner has made."""
        lines, _ = trees.compare(self.servers, ignore=(trees.CONFIG,))     # which names the proxies
        lines += trees.compare_digests(self.servers)[0]
        zxid = self.servers.wait_caught_up()     # what the sessions of the comparison left behind
        for sid in self.servers.sids():
            self.wait_logged(sid, zxid)
        logs = {self.servers.name(sid): txnlog.read_all(self.servers[sid].data_dir) for sid in self.servers.sids()}
        lines += txnlog.differences(logs)
        own = logs[self.servers.name(learner)]
        everyone = set().union(*logs.values())
        begin = txnlog.newest_snapshot(self.servers[learner].data_dir) if snapshot else min(own)
        lines += ["the learner's log misses 0x%x" % zxid for zxid in sorted(everyone - set(own)) if zxid > begin]
        lines += ["0x%x was taken back and is in a log" % zxid for zxid in sorted(self.taken_back & everyone)]
        expect(not lines, "%s", "\n".join(lines[:10]))

    # --- the ways ---

    def diff_empty(self, leader, learner):
        self.servers.wait_caught_up()
        self.servers.stop(learner)
        before = self.counts(leader)
        zxid = self.servers.zxid(leader)
        opening, proposals = self.way(self.rejoin(leader, learner))
        expect((opening.type, opening.zxid) == (wire.DIFF, zxid) and not proposals, "%s and %d proposals came",
               opening, len(proposals))
        expect(self.counts(leader) == (before[0] + 1, before[1]), "diff_count and snap_count: %s after %s",
               self.counts(leader), before)
        self.same_everywhere(learner)

    def wait_logged(self, sid, zxid):
        """A learner applies what a quorum has, and its own log may have it later."""
        def is_there():
            directory = self.servers[sid].data_dir
            return txnlog.newest_snapshot(directory) >= zxid or zxid in txnlog.read_all(directory)

        self.servers.wait(is_there, "0x%x is on the disk of %s" % (zxid, self.servers.name(sid)))

    def kill_settled(self, leader, learner):
        """Kills it when it has all, in its log too; returns the last zxid."""
        self.servers.wait_caught_up()
        zxid = self.servers.zxid(leader)
        self.wait_logged(learner, zxid)
        self.servers.kill(learner)
        return zxid

    def diff_of(self, leader, learner, count, line):
        first = self.kill_settled(leader, learner)
        before = self.counts(leader)
        self.write(count)
        opening, proposals = self.way(self.rejoin(leader, learner))
        expected = list(range(first + 1, first + 1 + count + 2))
        expect(opening.type == wire.DIFF and opening.zxid == expected[-1] and proposals == expected,
               "%s came and %d proposals, expected 0x%x to 0x%x", opening, len(proposals), expected[0], expected[-1])
        expect(self.counts(leader) == (before[0] + 1, before[1]), "diff_count and snap_count: %s after %s",
               self.counts(leader), before)
        if self.servers.kind(leader).startswith("java"):
            expect(line in self.leader_log, "the leader's log does not say %r", line)
        self.same_everywhere(learner)

    def diff_memory(self, leader, learner):
        self.diff_of(leader, learner, 10, "Using committedLog for peer")

    def diff_disk(self, leader, learner):
        self.diff_of(leader, learner, COMMIT_LOG_COUNT + 100, "Use txnlog and committedLog for peer")

    def duplicates(self, leader, learner):
        """The leader believes that the learner knows less than it does, and sends what is there already."""
        self.write(5)
        known = self.kill_settled(leader, learner)
        self.write(5)
        proxy = self.proxies[learner, leader]
        proxy.filter = lambda direction, one: one._replace(zxid=known - 4) if one.type == wire.ACKEPOCH else one
        try:
            opening, proposals = self.way(self.rejoin(leader, learner))
        finally:
            proxy.filter = None
        expect(opening.type == wire.DIFF and proposals == list(range(known - 3, known + 8)), "%s came and %s after 0x%x",
               opening, [hex(zxid) for zxid in proposals], known)
        self.same_everywhere(learner)

    def snap(self, leader, learner):
        self.servers.kill(learner)
        self.servers.wipe(learner)
        self.write(5)
        before = self.counts(leader)
        opening, proposals = self.way(self.rejoin(leader, learner))
        expect(opening.type == wire.SNAP and not proposals, "%s and %d proposals came", opening, len(proposals))
        expect(self.counts(leader) == (before[0], before[1] + 1), "diff_count and snap_count: %s after %s",
               self.counts(leader), before)
        self.same_everywhere(learner, snapshot=True)

    def leave_tail(self, leader, learner):
        """The learner leads, logs proposals that nobody else gets, and dies; then `leader` leads the other."""
        third = next(sid for sid in self.servers.sids() if sid not in (leader, learner))
        for _ in range(3):
            self.servers.make_leader(learner)
            self.servers.wait_caught_up()
            self.servers.kill(third)
            self.write(3)       # which makes `leader` the one that knows more than the third
            session = self.servers.session(learner, timeout_ms=60000)
            session.call("sync", b"/")
            zxid = self.servers.zxid(learner)
            self.servers.wait(lambda: self.servers.zxid(leader) == zxid, "the new leader knows the last write")
            self.wait_logged(leader, zxid)
            self.servers.kill(leader)
            for number in range(3):
                session.send("create", b"/tail%d" % number, b"never answered", OPEN_ACL, PERSISTENT)
            deadline = time.monotonic() + 0.5
            tail = set()
            while len(tail) < 3 and time.monotonic() < deadline:
                tail = {zxid_ for zxid_ in txnlog.read_all(self.servers[learner].data_dir) if zxid_ > zxid}
            self.servers.kill(learner)
            session.disconnect()
            self.servers.start_one(leader)
            self.servers.start_one(third)
            expect(self.servers.wait_serving() == leader, "%s does not lead", self.servers.name(leader))
            if len(tail) == 3:
                self.taken_back |= tail
                return zxid
            self.report.note("the leader without followers gave up before it logged the tail; once more")
            self.servers.start_one(learner)
            self.servers.wait_serving()
        raise AssertionError("the leader without followers logs nothing")

    def trunc(self, leader, learner):
        zxid = self.leave_tail(leader, learner)
        before = self.counts(leader)
        opening, proposals = self.way(self.rejoin(leader, learner))
        expect((opening.type, opening.zxid) == (wire.TRUNC, zxid) and not proposals,
               "%s and %d proposals came, expected TRUNC to 0x%x", opening, len(proposals), zxid)
        expect(self.counts(leader) == (before[0] + 1, before[1]), "diff_count and snap_count: %s after %s",
               self.counts(leader), before)
        self.same_everywhere(learner)

    def tail_of_old_epoch(self, leader, learner):
        """A tail that ends in an earlier epoch than what follows it is not truncated: the learner gets all."""
        self.leave_tail(leader, learner)
        self.write(5)
        opening, proposals = self.way(self.rejoin(leader, learner))
        expect(opening.type == wire.SNAP and not proposals, "%s and %d proposals came", opening, len(proposals))
        # The learner's log keeps the tail, in a file that its snapshot is newer than.
        logs = txnlog.read_all(self.servers[learner].data_dir)
        self.taken_back -= set(logs)
        self.same_everywhere(learner, snapshot=True)

    def trunc_diff(self, leader, learner):
        """One epoch, a hole in the leader's history, and the learner's log ends in it; made by hand."""
        for sid in self.servers.sids():
            self.servers.kill(sid)
            self.servers.wipe(sid)
        self.taken_back = set()
        epoch, now = 3, int(time.time() * 1000)

        def history(counters, data):
            return [(wire.make_zxid(epoch, counter), wire.txn(
                wire.make_zxid(epoch, counter), "create", b"/made%d" % counter, data, OPEN_ACL, False, number + 1,
                time_ms=now)) for number, counter in enumerate(counters)]

        common = history(range(1, 11), b"common")
        for sid in self.servers.sids():
            data_dir = self.servers[sid].data_dir
            if sid == learner:
                txnlog.write_file(data_dir, common + history([11, 12], b"taken back"))
            else:
                counters = list(range(15, 21 if sid == leader else 18))     # the leader knows the most
                rest = [(zxid, wire.txn(zxid, "create", b"/made%d" % (zxid & 0xffff), b"rest", OPEN_ACL, False,
                                        11 + number, time_ms=now))
                        for number, zxid in enumerate(wire.make_zxid(epoch, counter) for counter in counters)]
                txnlog.write_file(data_dir, common + rest)
            txnlog.write_empty_snapshot(data_dir)
            txnlog.write_epoch(data_dir, epoch)
        careful = [sid for sid in self.servers.sids() if sid != learner and self.servers.kind(sid) == "zkc"]
        if careful:
            self.hole_is_refused(careful[0])
            return
        for sid in self.servers.sids():
            if sid != learner:
                self.servers.start_one(sid)
        expect(self.servers.wait_serving() == leader, "%s does not lead", self.servers.name(leader))
        self.taken_back = {wire.make_zxid(epoch, counter) for counter in (11, 12)}
        opening, proposals = self.way(self.rejoin(leader, learner))
        expect((opening.type, opening.zxid) == (wire.TRUNC, wire.make_zxid(epoch, 10)), "%s came", opening)
        expect(proposals == [wire.make_zxid(epoch, counter) for counter in range(15, 21)], "%s came",
               [hex(zxid) for zxid in proposals])
        self.same_everywhere(learner, snapshot=True)

    def hole_is_refused(self, sid):
        """zkc does not serve, let alone lead, with a hole in its log: it cannot send a TRUNC and what follows."""
        try:
            self.servers.start_one(sid)
            self.servers.wait_serving([sid])
        except ensemble.EnsembleError as error:
            expect("transactions are missing" in str(error), "%s", error)
        else:
            expect(False, "%s starts with a hole in its log", self.servers.name(sid))
        for other in self.servers.sids():
            self.servers.kill(other)
            self.servers.wipe(other)

    def run(self, leader, learner, ways):
        for fact, act in ways:
            with ensemble.step(self.report, self.servers, "%s leads %s: %s" % (
                    self.servers.kind(leader), self.servers.kind(learner), fact)):
                if act.__name__ != "trunc_diff":
                    self.servers.launch()
                    self.servers.wait_serving()
                    self.servers.make_leader(leader)
                act(self, leader, learner)


WAYS = {
    "diff_empty": ("nothing was missed: an empty DIFF", Paths.diff_empty),
    "diff_memory": ("little was missed: DIFF from memory", Paths.diff_memory),
    "diff_disk": ("more was missed than memory holds: DIFF from the log", Paths.diff_disk),
    "duplicates": ("what is there already is sent again: DIFF", Paths.duplicates),
    "snap": ("the disk was lost: SNAP", Paths.snap),
    "trunc": ("a tail that nobody else has: TRUNC", Paths.trunc),
    "tail_of_old_epoch": ("such a tail, and newer writes: SNAP", Paths.tail_of_old_epoch),
    "trunc_diff": ("a tail where the leader has a hole: TRUNC and what follows", Paths.trunc_diff),
}


def pairs_of(kinds):
    """(leader, learner) ids, one pair for each pair of kinds that these servers allow."""
    pairs = {}
    for leader, kind in enumerate(kinds, 1):
        for learner, other in enumerate(kinds, 1):
            if leader != learner:
                pairs.setdefault((kind, other), (leader, learner))
    return list(pairs.values())


def main():
    parser = argparse.ArgumentParser(description="Brings a learner back on every way there is.")
    ensemble.add_options(parser)
    parser.add_argument("--ways", default=",".join(WAYS), help=", ".join(WAYS))
    tap.add_option(parser)
    options = parser.parse_args()
    why = ensemble.require(options.kinds)
    if why:
        tap.skip_all(why)
    report = tap.Tap(plain=not options.tap)
    kinds = ensemble.parse_kinds(options.kinds)
    report.note("kinds: " + ",".join(kinds))
    paths = Paths(kinds, report)
    try:
        for leader, learner in pairs_of(kinds):
            paths.run(leader, learner, [WAYS[way] for way in options.ways.split(",")])
    finally:
        paths.dispose()
    return report.done()


if __name__ == "__main__":
    sys.exit(main())
