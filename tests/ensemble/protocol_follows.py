"""protocol_follows.py - what a follower says to its leader, packet by packet; quorum_protocol.py runs it."""

import struct

import ensemble
import jute
import quorum_fakes
import quorum_wire as wire
import rawclient
import txnlog
from protocol import OP, OPEN_ACL, PERSISTENT
from protocol_due import NODE_EXISTS, expect, same


class Follows:
    """A follower of `kind` alone, and us as its leader, server 3."""

    def __init__(self, kind, report):
        self.kind, self.report = kind, report
        self.servers = ensemble.Ensemble([kind] * 3, first=[], tick_time=500)
        self.fake = None

    def step(self, fact, known_bug=None):
        return ensemble.step(self.report, self.servers, "%s follows: %s" % (self.kind, fact),
                             known_bug if self.kind.startswith("java") else None)

    def config(self):
        return "\n".join(["server.%d=%s" % (sid, self.servers.server_line(sid)) for sid in self.servers.sids()] +
                         ["version=0"]).encode()

    def run(self):
        failed = self.report.failed
        with self.servers:
            for fact, act, *known_bug in (
                    ("it introduces itself, and votes for itself", self.introduction),
                    ("it votes for us, follows, and registers", self.registration),
                    ("it serves after UPTODATE, and answers pings", self.pings),
                    ("it acknowledges a proposal when it is logged, and applies it when it is committed",
                     self.proposals),
                    ("it forwards a new session, and serves it", self.session),
                    ("it forwards writes and sync, and answers when they come back", self.requests),
                    ("it asks for the validity of a session it does not know", self.revalidation),
                    ("it looks for another leader when we hang up, and says that it accepted our epoch", self.again),
                    ("it has logged all of a DIFF when it acknowledges NEWLEADER, and acknowledges nothing else",
                     self.diff_is_logged, "4685"),
                    ("it takes a tree by SNAP", self.snap),
                    ("it truncates its log", self.trunc)):
                with self.step(fact, *known_bug):
                    act()
                if self.report.failed > failed:
                    break       # the next builds upon it
            if self.fake:
                self.fake.close()

    def introduction(self):
        with quorum_fakes.Voter(3, self.servers.election_address(3), {1: self.servers.election_address(1)}) as voter:
            self.servers.launch([1])
            sid, initial = voter.initials.get(timeout=30)
            due = wire.initial_message(1, [self.servers.election_address(1)])
            expect((sid, initial) == (1, due), "it introduces itself by %r, due is %r", initial, due)
            _, _, payload = voter.wait()
            due = wire.vote(1, 0, 1, 0, wire.LOOKING, self.config()).encode()
            expect(payload == due, "it votes\n%r, due is\n%r", payload, due)

    def registration(self):
        self.fake = quorum_fakes.FakeLeader(3, self.servers, [1], epoch=4)
        self.link = self.fake.wait_learner()
        self.link.handshake()
        _, notification, _ = self.fake.voter.wait(lambda sid, vote: vote.leader == 3)
        due = wire.vote(3, self.fake.vote_zxid, notification.round, self.fake.vote_epoch, wire.LOOKING, self.config())
        expect(notification == due, "it votes %s, due is %s", notification, due)
        same(self.link.info, wire.learner_info(wire.FOLLOWERINFO, 1, 0))
        same(self.link.ack, wire.ack_epoch(0, 0))
        first, second = self.link.sync_empty(config=self.config())
        zero = wire.make_zxid(4, 0)
        same([first, second], wire.packet(wire.ACK, zero), wire.packet(wire.ACK, zero))
        self.zxid = zero

    def next_zxid(self):
        self.zxid += 1
        return self.zxid

    def pings(self):
        self.servers.wait(lambda: self.servers.mode(1) == "follower", "it serves")
        expect(txnlog.read_epochs(self.servers[1].data_dir) == (4, 4), "its epochs are %s",
               txnlog.read_epochs(self.servers[1].data_dir))
        self.link.stream.send(wire.packet(wire.PING, self.zxid))
        same(self.link.stream.read_packet(), wire.packet(wire.PING, self.zxid, b""))
        # Whoever looks for a leader now is told.
        self.fake.voter.send(1, wire.vote(3, 0, 1, 0))
        _, notification, _ = self.fake.voter.wait(lambda sid, vote: vote.state == wire.FOLLOWING)
        expect(notification.leader == 3 and notification.epoch == 4, "it says %s", notification)

    def on_disk(self):
        return txnlog.read_all(self.servers[1].data_dir)

    def propose(self, data, zxid):
        """A proposal, acknowledged; whether it is in the log by then."""
        self.link.stream.send(wire.packet(wire.PROPOSAL, zxid, data))
        same(self.link.stream.expect(wire.ACK), wire.packet(wire.ACK, zxid))
        expect(zxid in self.on_disk(), "0x%x is acknowledged and not in the log", zxid)
        expect(self.on_disk()[zxid].data == data, "the log holds other bytes for 0x%x", zxid)

    def commit(self, zxid):
        self.link.stream.send(wire.packet(wire.COMMIT, zxid))

    def create(self, path, data=b"", session_id=0, cxid=0):
        zxid = self.next_zxid()
        self.created = getattr(self, "created", 0) + 1
        return zxid, wire.txn(zxid, "create", path, data, OPEN_ACL, False, self.created, session_id=session_id,
                              cxid=cxid)

    def proposals(self):
        zxid, data = self.create(b"/one")
        self.propose(data, zxid)
        second, more = self.create(b"/two")
        self.propose(more, second)
        expect(self.servers.zxid(1) < zxid, "it has applied what is not committed")
        self.commit(zxid)
        self.servers.wait(lambda: self.servers.zxid(1) == zxid, "it applies the first")
        self.commit(second)
        self.servers.wait(lambda: self.servers.zxid(1) == second, "it applies the second")

    def request(self):
        """The next REQUEST, taken apart, and its authinfo."""
        one = self.link.stream.expect(wire.REQUEST)
        expect(one.zxid == -1, "its zxid is 0x%x", one.zxid)
        return wire.parse_request(one.data), one.authinfo

    def session(self):
        self.client = rawclient.Connection(self.servers.address_of(1))
        self.client.send_frame(rawclient.connect_frame(timeout_ms=20000))
        request, authinfo = self.request()
        expect((request.cxid, request.type, request.body) == (0, OP["createSession"], jute.encode(
            "CreateSessionTxn", 20000)), "it forwards %s", request)
        expect(authinfo is None, "its authinfo is %s", authinfo)
        expect(request.session_id >> 56 == 1, "server 1 makes session 0x%x", request.session_id)
        self.session_id = request.session_id
        zxid = self.next_zxid()
        data = wire.txn(zxid, "createSession", 20000, session_id=self.session_id)
        self.propose(data, zxid)
        self.commit(zxid)
        answer = jute.decode("ConnectResponse", self.client.read_frame())
        expect((answer.sessionId, answer.timeOut, answer.readOnly) == (self.session_id, 20000, False),
               "the client is answered %s", answer)
        self.password = answer.passwd
        self.link.stream.send(wire.packet(wire.PING, self.zxid))
        same(self.link.stream.read_packet(), wire.packet(wire.PING, self.zxid, struct.pack(
            ">qi", self.session_id, 20000)))

    def send(self, xid, kind, body):
        self.client.send_frame(jute.encode("RequestHeader", xid, OP[kind]) + body)

    def answered(self, xid, zxid, error=0):
        header = jute.decode_at("ReplyHeader", self.client.read_frame(), 0)[0]
        expect((header.xid, header.zxid, header.err) == (xid, zxid, error), "the client is answered %s", header)

    def requests(self):
        body = jute.encode("CreateRequest", b"/asked", b"x", OPEN_ACL, PERSISTENT)
        self.send(5, "create", body)
        request, authinfo = self.request()
        expect(request == (self.session_id, 5, OP["create"], body), "it forwards %s", request)
        expect(authinfo == [(b"ip", b"127.0.0.1")], "its authinfo is %s", authinfo)
        zxid, data = self.create(b"/asked", b"x", self.session_id, 5)
        self.propose(data, zxid)
        self.commit(zxid)
        self.answered(5, zxid)

        self.send(6, "create", body)
        self.request()
        zxid = self.next_zxid()
        self.propose(wire.txn(zxid, "error", NODE_EXISTS, session_id=self.session_id, cxid=6), zxid)
        self.commit(zxid)
        self.answered(6, zxid, NODE_EXISTS)

        self.send(7, "sync", jute.encode("SyncRequest", b"/asked"))
        request, _ = self.request()
        expect(request == (self.session_id, 7, OP["sync"], jute.encode("SyncRequest", b"/asked")), "it forwards %s",
               request)
        self.link.stream.send(wire.packet(wire.SYNC, 0))
        self.answered(7, zxid)

    def revalidation(self):
        moved = rawclient.Connection(self.servers.address_of(1))
        moved.send_frame(rawclient.connect_frame(0x200000000000001, b"\0" * 16, 20000))
        # A password that is wrong is refused at once, and nobody is asked.
        expect(jute.decode("ConnectResponse", moved.read_frame()).timeOut == 0, "it takes a wrong password")
        moved.close()
        moved = rawclient.Connection(self.servers.address_of(1))
        moved.send_frame(rawclient.connect_frame(self.session_id, self.password, 20000))
        ask = self.link.stream.expect(wire.REVALIDATE)
        same(ask, wire.packet(wire.REVALIDATE, -1, struct.pack(">qi", self.session_id, 20000)))
        self.link.stream.send(wire.packet(wire.REVALIDATE, -1, struct.pack(">qb", self.session_id, True)))
        answer = jute.decode("ConnectResponse", moved.read_frame())
        expect((answer.sessionId, answer.timeOut) == (self.session_id, 20000), "the client is answered %s", answer)
        moved.close()

    def again(self):
        """The same epoch a second time: it says so, and that it stands where it stood."""
        last = self.zxid
        self.link.close()
        self.link = self.fake.wait_learner()
        self.link.handshake()
        same(self.link.info, wire.learner_info(wire.FOLLOWERINFO, 1, 4))
        same(self.link.ack, wire.ack_epoch(-1, last))
        self.link.close()
        self.fake.epoch = 5
        self.link = self.fake.wait_learner()
        self.link.handshake()
        same(self.link.ack, wire.ack_epoch(4, last))

    def diff_is_logged(self):
        """Two proposals with their commits, one without; the ACK of NEWLEADER says that the former are on disk."""
        self.epoch_begin = wire.make_zxid(5, 0)
        last, self.zxid = self.zxid, self.epoch_begin
        packets = []
        for name in (b"/d1", b"/d2"):
            zxid, data = self.create(name)
            packets += [wire.packet(wire.PROPOSAL, zxid, data), wire.packet(wire.COMMIT, zxid)]
        committed = zxid
        stream = self.link.stream
        stream.send(wire.packet(wire.DIFF, committed), *packets,
                    wire.packet(wire.NEWLEADER, self.epoch_begin, self.config()))
        same(stream.expect(wire.ACK), wire.packet(wire.ACK, self.epoch_begin))
        logged = self.on_disk()
        stream.send(wire.packet(wire.UPTODATE, -1))
        acks = [stream.expect(wire.ACK)]
        while acks[-1].zxid != self.epoch_begin:
            acks.append(stream.expect(wire.ACK))
        self.servers.wait(lambda: self.servers.mode(1) == "follower" and self.servers.zxid(1) == committed,
                          "it serves and has applied all")
        expect({committed - 1, committed} <= set(logged), "in the log were %s", sorted(map(hex, logged)))
        expect(len(acks) == 1, "it acknowledges what it must not: %s", ", ".join(map(str, acks)))
        expect(last in logged, "0x%x is gone from the log", last)

    def snap(self):
        self.zxid = max(self.zxid, wire.make_zxid(5, 2))
        self.link.close()
        self.fake.epoch = 6
        self.link = self.fake.wait_learner()
        self.link.handshake()
        stream = self.link.stream
        zxid = self.next_zxid()
        stream.send(wire.packet(wire.SNAP, zxid))
        stream.send_raw(wire.empty_tree())
        begin = wire.make_zxid(6, 0)
        stream.send(wire.packet(wire.NEWLEADER, begin, self.config()))
        same(stream.expect(wire.ACK), wire.packet(wire.ACK, begin))
        expect(txnlog.newest_snapshot(self.servers[1].data_dir) == zxid, "its newest snapshot is 0x%x, due is 0x%x",
               txnlog.newest_snapshot(self.servers[1].data_dir), zxid)
        stream.send(wire.packet(wire.UPTODATE, -1))
        same(stream.expect(wire.ACK), wire.packet(wire.ACK, begin))
        self.servers.wait(lambda: self.servers.mode(1) == "follower", "it serves")
        expect("Node count: 4\n" in self.servers.word(1, "srvr") or "Node count: 5\n" in self.servers.word(1, "srvr"),
               "%s", self.servers.word(1, "srvr"))
        expect(self.servers.zxid(1) == zxid, "it stands at 0x%x, due is 0x%x", self.servers.zxid(1), zxid)
        self.zxid = begin

    def trunc(self):
        for name in (b"/t1", b"/t2", b"/t3"):
            zxid, data = self.create(name)
            self.propose(data, zxid)
        self.commit(zxid - 2)
        self.servers.wait(lambda: self.servers.zxid(1) == zxid - 2, "it applies the first")
        self.link.close()
        self.fake.epoch = 7
        self.link = self.fake.wait_learner()
        self.link.handshake()
        same(self.link.ack, wire.ack_epoch(6, zxid))
        self.link.finish_sync(wire.packet(wire.TRUNC, zxid - 2), config=self.config())
        self.servers.wait(lambda: self.servers.mode(1) == "follower", "it serves")
        expect(self.servers.zxid(1) == zxid - 2, "it stands at 0x%x", self.servers.zxid(1))
        left = set(self.on_disk()) & {zxid - 1, zxid}
        expect(not left, "%s are still in the log", sorted(map(hex, left)))


def introduction_v2(kind, report):
    """With multiAddress.enabled the second version of the initial message is spoken, and both are understood."""
    servers = ensemble.Ensemble([kind] * 3, first=[], properties={"zookeeper.multiAddress.enabled": "true"})
    fact = "%s, with multiAddress.enabled, introduces itself by version 2" % kind
    with servers, ensemble.step(report, servers, fact):
        with quorum_fakes.Voter(3, servers.election_address(3), {1: servers.election_address(1)}) as voter:
            servers.launch([1])
            sid, initial = voter.initials.get(timeout=30)
            due = wire.initial_message(1, [servers.election_address(1)], wire.INITIAL_V2)
            expect((sid, initial) == (1, due), "it introduces itself by %r, due is %r", initial, due)
            voter.wait()
