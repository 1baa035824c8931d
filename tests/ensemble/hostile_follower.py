"""hostile_follower.py - what a leader must not say to its follower; hostile_quorum.py runs it."""

import struct
import time

import ensemble
import jute
import quorum_fakes
import quorum_wire as wire
import rawclient
import txnlog
from hostile import HUGE, MEMORY_BOUND, closed, expect, raw_packet, resident
from protocol import OPEN_ACL

EXIT_STATUSES = (12, 13)        # with which Java's server ends itself


def then_ends(link):
    """Ends our side: what was said before may be ignored, and must then have no effect."""
    time.sleep(0.3)
    try:
        link.stream.socket.shutdown(1)
    except OSError:
        pass    # it hung up before us
    return b""


class AgainstFollower:
    """A follower of `kind`, and us as its leader who misbehaves in every epoch anew."""

    def __init__(self, kind, report, chosen):
        self.kind, self.report, self.chosen = kind, report, chosen
        self.servers = ensemble.Ensemble([kind] * 3, first=[], tick_time=500, init_limit=6, sync_limit=4)

    def learner(self, handshake=True):
        """Its connection in a new epoch."""
        self.fake.epoch += 1
        deadline = time.monotonic() + 30
        while True:
            try:
                link = self.fake.wait_learner(0.5)
                return link.handshake() if handshake else link
            except rawclient.Timeout:
                expect(self.servers[1].running(), "it ended itself")
                if time.monotonic() > deadline:
                    raise

    def begin(self, link):
        return wire.make_zxid(link.epoch, 0)

    def served(self):
        """It lets itself be led, in a new epoch, by one who keeps the rules; its link, for what comes then."""
        link = self.learner()
        link.sync_empty()
        self.servers.wait(lambda: self.servers.mode(1) == "follower", "it serves")
        return link

    def create(self, zxid, path):
        self.count += 1
        return wire.txn(zxid, "create", path, b"", OPEN_ACL, False, self.count)

    # --- rows: each returns the stream that must be closed, or None ---

    def instead_of_leader_info(self, *packets):
        def attack():
            link = self.learner(handshake=False)
            link.stream.expect(wire.FOLLOWERINFO)
            for packet in packets:
                link.stream.send_raw(packet if isinstance(packet, bytes) else packet.encode())
            return link.stream
        return attack

    def in_sync(self, *packets):
        """In the place of DIFF and what follows; functions get the link."""
        def attack():
            link = self.learner()
            for packet in packets:
                packet = packet(link) if callable(packet) else packet
                link.stream.send_raw(packet if isinstance(packet, bytes) else packet.encode())
            return link.stream
        return attack

    def serving(self, *packets, must_close=True):
        """To a follower that serves."""
        def attack():
            link = self.served()
            for packet in packets:
                packet = packet(link) if callable(packet) else packet
                link.stream.send_raw(packet if isinstance(packet, bytes) else packet.encode())
            if must_close:
                return link.stream
            time.sleep(0.2)
            link.stream.send(wire.packet(wire.PING, 0))
            expect(link.stream.expect(wire.PING, wire.ACK, skip=()) is not None, "it answers no ping")
            link.stream.abort()
            return None
        return attack

    def silent(self):
        """A leader that says nothing more, after UPTODATE: left after syncLimit."""
        link = self.served()
        begin = time.monotonic()
        closed(link.stream, 20)
        elapsed, limit = time.monotonic() - begin, self.servers.tick_time * self.servers.sync_limit
        expect(0.5 * limit < elapsed < 2 * limit + 2, "it leaves after %.1f s, syncLimit is %.1f s", elapsed, limit)

    def run(self):
        self.count = 0
        with self.servers:
            self.servers.launch([1])
            self.fake = quorum_fakes.FakeLeader(3, self.servers, [1], timeout=20.0)
            try:
                self.attack_all()
            finally:
                self.fake.close()

    def attack_all(self):
        def new_leader(config=None):
            return lambda link: wire.packet(wire.NEWLEADER, self.begin(link), config)

        def diff(link):
            return wire.packet(wire.DIFF, link.last_zxid)

        def proposal(counter):
            return lambda link: wire.packet(wire.PROPOSAL, self.begin(link) + counter,
                                            self.create(self.begin(link) + counter, b"/h%d" % self.count))

        def commit(counter):
            return lambda link: wire.packet(wire.COMMIT, self.begin(link) + counter)

        snap = wire.packet(wire.SNAP, 1)
        tree = wire.empty_tree()
        uptodate = wire.packet(wire.UPTODATE, -1)
        rows = [    # what, the attack, whether the server may end itself
            ("no leader's answer to its registration", self.instead_of_leader_info(wire.packet(wire.PING)), False),
            ("an epoch lower than it knows", self.instead_of_leader_info(wire.leader_info(0)), False),
            ("an epoch in two bytes", self.instead_of_leader_info(wire.packet(wire.LEADERINFO, 1 << 40, b"ab")), False),
            ("an epoch without data", self.instead_of_leader_info(wire.packet(wire.LEADERINFO, 1 << 40)), False),
            ("bytes that are no packet", self.instead_of_leader_info(b"HTTP/1.1 400 Bad Request\r\n\r\n" * 10), False),
            ("a packet of 2 GiB", self.instead_of_leader_info(raw_packet(wire.LEADERINFO, 0, HUGE)), False),
            ("a packet with 2^31-1 ids", self.instead_of_leader_info(
                raw_packet(wire.LEADERINFO, 0, 0, b"", struct.pack(">i", HUGE))), False),
            ("no way to synchronize", self.in_sync(wire.packet(wire.PING)), True),
            ("a tree that is cut", self.in_cut_tree(snap, tree), False),
            ("a tree with another signature", self.in_sync(snap, tree[:-len(wire.SIGNATURE)] + b"BenWasNot!"), False),
            ("a tree with a path of 2 GiB", self.in_sync(snap, struct.pack(">ii", 0, 0) + struct.pack(">i", HUGE)),
             False),
            ("a tree with 2^31-1 sessions", self.in_sync(snap, struct.pack(">i", HUGE) + b"\0" * 1200, b"\xff" * 4096),
             False),
            ("a tree with a negative number of ACLs", self.in_sync(snap, struct.pack(">ii", 0, -7) + b"\xff" * 64),
             False),
            ("a tree whose nodes have no parents", self.in_sync(snap, self.orphans()), False),
            ("to truncate to what it does not have", self.in_sync(wire.packet(wire.TRUNC, wire.make_zxid(1 << 30, 1))),
             True),
            ("a proposal that is no transaction", self.in_sync(diff, wire.packet(wire.PROPOSAL, 5, b"xyz")), False),
            ("a proposal without data", self.in_sync(diff, wire.packet(wire.PROPOSAL, 5)), False),
            ("a commit without a proposal", self.in_sync(diff, commit(1), new_leader(), uptodate, then_ends), False),
            ("a commit of another proposal", self.in_sync(diff, proposal(1), commit(9), new_leader(), uptodate,
                                                          then_ends), True),
            ("a configuration that makes no sense", self.in_sync(diff, new_leader(b"nonsense\nserver.x=1"), uptodate,
                                                                 then_ends), False),
            ("a transaction that is cut, when it serves", self.serving(wire.packet(wire.PROPOSAL, 5, b"\0" * 20)),
             False),
            ("a proposal that leaves a gap, when it serves", self.serving(proposal(1), proposal(5), then_ends,
                                                                          must_close=True), True),
            ("a commit of what it does not know, when it serves", self.serving(commit(7), must_close=False), True),
            ("a commit out of order, when it serves", self.serving(proposal(1), proposal(2), commit(2)), True),
            ("a validity in two bytes, when it serves", self.serving(wire.packet(wire.REVALIDATE, -1, b"ab")), False),
            ("a validity without data, when it serves", self.serving(wire.packet(wire.REVALIDATE, -1)), False),
            ("packets only observers and learners should see", self.serving(
                *[wire.packet(kind, 1 << 50, b"xyz") for kind in (wire.INFORM, wire.ACK, wire.REQUEST,
                                                                  wire.FOLLOWERINFO, 77)], must_close=False), False),
            ("another UPTODATE, when it serves", self.serving(uptodate, must_close=False), False),
            ("sync that nobody asked for", self.serving(wire.packet(wire.SYNC, 0), must_close=False), False),
            ("a packet of 2 GiB, when it serves", self.serving(raw_packet(wire.PING, 0, HUGE)), False),
            ("nothing more", self.silent, False),
        ]
        with ensemble.step(self.report, self.servers, "%s follows one who keeps the rules" % self.kind):
            self.served().stream.abort()
        memory = resident(self.servers[1])
        for fact, attack, may_end in self.chosen(rows):
            with ensemble.step(self.report, self.servers, "%s follows and hears %s" % (self.kind, fact)):
                try:
                    stream = attack()
                    if stream is not None:
                        closed(stream, 20)
                        stream.close()
                    self.still_there()
                except (AssertionError, rawclient.Closed, rawclient.Timeout, ensemble.EnsembleError):
                    status = self.servers[1].process.poll()
                    if status not in EXIT_STATUSES or not may_end:
                        raise
                    self.report.note("it ended itself with status %d" % status)
                    self.start_again()
                    self.still_there()
                    memory = resident(self.servers[1])
            if not self.servers[1].running():
                self.start_again()
                memory = resident(self.servers[1])
        with ensemble.step(self.report, self.servers, "%s follows: its memory stays within bounds" % self.kind):
            grown = resident(self.servers[1]) - memory
            expect(grown < MEMORY_BOUND, "it holds %d MiB more", grown >> 20)

    def start_again(self):
        self.servers.kill(1)
        self.servers.start_one(1)

    def still_there(self):
        """It is led again, logs and applies a write."""
        link = self.served()
        zxid = self.begin(link) + 1
        link.propose(zxid, self.create(zxid, b"/after%d" % self.count))
        self.servers.wait(lambda: self.servers.zxid(1) == zxid, "it applies a write", 10)
        expect(zxid in txnlog.read_all(self.servers[1].data_dir), "the write is not in the log")
        link.stream.abort()

    def in_cut_tree(self, snap, tree):
        def attack():
            link = self.learner()
            link.stream.send_raw(snap.encode() + tree[:len(tree) // 2])
            link.stream.socket.shutdown(1)
            return link.stream
        return attack

    @staticmethod
    def orphans():
        """A tree with a node below one that does not come."""
        tree = wire.empty_tree()
        end = len(tree) - len(jute.encode_value("ustring", b"/")) - len(jute.encode_value("ustring", wire.SIGNATURE))
        node = jute.encode_value("ustring", b"/no/parent") + jute.encode_value("buffer", b"") + struct.pack(">q", 1) + \
            jute.encode("StatPersisted", *[0] * 9)
        return tree[:end] + node + tree[end:]
