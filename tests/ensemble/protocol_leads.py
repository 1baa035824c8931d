"""protocol_leads.py - what a leader says to its learners, packet by packet; quorum_protocol.py runs it."""

import struct
import time

import ensemble
import jute
import quorum_fakes
import quorum_wire as wire
import rawclient
from protocol import OPEN_ACL, PERSISTENT
from protocol_due import DIGEST_VERSION, EXPIRED, NODE_EXISTS, acls, expect, same, same_txn


class Leads:
    """A leader of `kind` with one follower of its kind, and us as the third server."""

    def __init__(self, kind, report):
        self.kind, self.report = kind, report
        self.servers = ensemble.Ensemble([kind] * 3, first=[1, 2], tick_time=500)

    def step(self, fact):
        return ensemble.step(self.report, self.servers, "%s leads: %s" % (self.kind, fact))

    def config(self):
        """The text of the configuration, which NEWLEADER carries."""
        return "\n".join(["server.%d=%s" % (sid, self.servers.server_line(sid)) for sid in self.servers.sids()] +
                         ["version=0"]).encode()

    def run(self):
        with self.servers as servers:
            self.leader = servers.leader()
            self.client = servers.session(servers.followers()[0])
            self.client.call("create", b"/first", b"1", OPEN_ACL, PERSISTENT)
            self.last = self.settle()
            self.epoch = wire.epoch_of(self.last)
            self.new_leader = wire.packet(wire.NEWLEADER, wire.make_zxid(self.epoch, 0), self.config())
            for fact, act in (
                    ("a learner that knows all gets an empty DIFF", self.empty_diff),
                    ("a write is proposed, and committed when it is acknowledged", self.proposal),
                    ("our acknowledgement makes a quorum", self.our_ack_counts),
                    ("a session and a write that we ask for are proposed", self.requests),
                    ("sync is answered", self.sync),
                    ("sessions are validated", self.revalidate),
                    ("sessions that a ping names live, others expire", self.pings),
                    ("a learner that missed something gets it by DIFF, as it was proposed", self.diff),
                    ("a learner that knows more is told to truncate", self.trunc),
                    ("one that cannot says that it has nothing, and gets the tree", self.cannot_truncate),
                    ("a learner that knows nothing gets the tree", self.snap),
                    ("an observer is informed of what was committed", self.observer),
                    ("a learner with a later configuration is sent away", self.config_ahead)):
                with self.step(fact):
                    act()

    def join(self, **options):
        return quorum_fakes.FakeFollower(self.servers.quorum_address(self.leader), 3, **options)

    def settle(self):
        """Waits until the leader has applied all there is; returns the zxid."""
        self.client.call("sync", b"/")
        self.servers.wait(lambda: self.servers.zxid(self.leader) == self.client.zxid, "the leader has applied all")
        return self.client.zxid

    def joined(self, observer=False):
        """A follower in step with the leader."""
        last = self.settle()
        follower = self.join(observer=observer)
        follower.register(last, self.epoch)
        same(follower.receive_sync(), wire.packet(wire.DIFF, last), self.new_leader)
        expect(not follower.ack_new_leader(), "something is sent between NEWLEADER and UPTODATE")
        self.last = last
        return follower

    def empty_diff(self):
        with self.join() as follower:
            stream = follower.stream
            stream.send(wire.learner_info(wire.FOLLOWERINFO, 3, 0))
            same(stream.read_packet(), wire.leader_info(self.epoch))
            stream.send(wire.ack_epoch(0, self.last))
            same(stream.read_packet(), wire.packet(wire.DIFF, self.last))
            same(stream.read_packet(), self.new_leader)
            stream.send(wire.packet(wire.ACK, wire.make_zxid(self.epoch, 0)))
            same(stream.expect(wire.UPTODATE), wire.packet(wire.UPTODATE, -1))
            stream.send(wire.packet(wire.ACK, wire.make_zxid(self.epoch, 0)))
            same(stream.read_packet(), wire.packet(wire.PING, self.last))

    def proposal(self):
        with self.joined() as follower:
            self.client.call("setData", b"/first", b"2", -1)
            zxid = self.client.zxid
            expect(zxid == self.last + 1, "0x%x follows 0x%x", zxid, self.last)
            self.proposed = follower.stream.expect(wire.PROPOSAL)
            same(self.proposed, wire.packet(wire.PROPOSAL, zxid, self.proposed.data))
            txn = same_txn(self.proposed.data, zxid, "setData", {"path": b"/first", "data": b"2", "version": 1},
                           self.client.id, self.client.xid)
            expect(txn.digest and txn.digest[0] == DIGEST_VERSION, "its digest is %s", txn.digest)
            follower.stream.send(wire.packet(wire.ACK, zxid))
            same(follower.stream.expect(wire.COMMIT), wire.packet(wire.COMMIT, zxid))
            self.last = zxid

    def our_ack_counts(self):
        """With the other follower paused, nothing is committed before we say so."""
        client = self.servers.session(self.leader)
        with self.joined() as follower:
            other = 3 - self.leader
            self.servers.pause(other)
            try:
                client.send("create", b"/by us", b"", OPEN_ACL, PERSISTENT)
                proposal = follower.stream.expect(wire.PROPOSAL)
                try:
                    early = follower.stream.expect(wire.COMMIT, timeout=0.4)
                except rawclient.Timeout:
                    early = None
                expect(early is None, "%s came before the quorum had it", early)
                follower.stream.send(wire.packet(wire.ACK, proposal.zxid))
                same(follower.stream.expect(wire.COMMIT), wire.packet(wire.COMMIT, proposal.zxid))
                header, _ = client.receive("create")
                expect(header.zxid == proposal.zxid and header.err == 0, "the client is answered %s", header)
            finally:
                self.servers.resume(other)
        self.servers.wait_serving()
        client.close()

    def request(self, follower, session_id, cxid, kind, body, authinfo=None):
        """Sends a REQUEST; returns the proposal it becomes, acknowledged and committed."""
        follower.stream.send(wire.packet(wire.REQUEST, -1, wire.request_data(session_id, cxid, kind, body), authinfo))
        proposal = follower.follow(lambda one: one.type == wire.PROPOSAL)
        same(follower.follow(lambda one: one.type == wire.COMMIT), wire.packet(wire.COMMIT, proposal.zxid))
        return proposal

    def requests(self):
        auth = [(b"ip", b"127.0.0.1")]
        session_id = 0x300000000000001
        with self.joined() as follower:
            made = self.request(follower, session_id, 0, "createSession", jute.encode("CreateSessionTxn", 30000))
            same_txn(made.data, self.last + 1, "createSession", {"timeOut": 30000}, session_id, 0)
            body = jute.encode("CreateRequest", b"/asked", b"x", OPEN_ACL, PERSISTENT)
            made = self.request(follower, session_id, 7, "create", body, auth)
            txn = same_txn(made.data, self.last + 2, "create", {
                "path": b"/asked", "data": b"x", "acl": acls(OPEN_ACL), "ephemeral": False,
                "parentCVersion": wire.parse_txn(made.data).record.parentCVersion}, session_id, 7)
            expect(txn.digest and txn.digest[0] == DIGEST_VERSION, "its digest is %s", txn.digest)
            made = self.request(follower, session_id, 8, "create", body, auth)
            txn = same_txn(made.data, self.last + 3, "error", {"err": NODE_EXISTS}, session_id, 8)
            unknown = 0x300000000000002
            made = self.request(follower, unknown, 1, "setData", jute.encode("SetDataRequest", b"/asked", b"y", -1),
                                auth)
            same_txn(made.data, self.last + 4, "error", {"err": EXPIRED}, unknown, 1)
            made = self.request(follower, session_id, 9, "closeSession", b"", auth)
            txn = wire.parse_txn(made.data)
            expect((txn.name, txn.header.clientId) == ("closeSession", session_id), "%s came", txn)
            expect(txn.record in (None, {"paths2Delete": []}), "closeSession says %s", txn.record)
        session = self.servers.session(self.leader)
        expect(session.call("getData", b"/asked", False).data == b"x", "the node is not there")
        session.close()

    def sync(self):
        with self.joined() as follower:
            follower.stream.send(wire.packet(wire.REQUEST, -1, wire.request_data(
                self.client.id, 3, "sync", jute.encode("SyncRequest", b"/")), [(b"ip", b"127.0.0.1")]))
            same(follower.follow(lambda one: one.type != wire.PING), wire.packet(wire.SYNC, 0))

    def revalidate(self):
        with self.joined() as follower:
            for session_id, valid in ((self.client.id, True), (0x7777, False)):
                follower.stream.send(wire.packet(wire.REVALIDATE, -1, struct.pack(">qi", session_id, 30000)))
                same(follower.follow(lambda one: one.type != wire.PING),
                     wire.packet(wire.REVALIDATE, -1, struct.pack(">qb", session_id, valid)))
        # The leader now takes the session for ours; its own server takes it back.
        self.client.disconnect()
        self.client = self.servers.again(self.servers.followers()[0], self.client)
        expect(not self.client.expired, "the session is lost")

    def pings(self):
        timeout_ms = 1500
        kept, left = 0x300000000000011, 0x300000000000012
        with self.joined() as follower:
            for session_id in (kept, left):
                self.request(follower, session_id, 0, "createSession", jute.encode("CreateSessionTxn", timeout_ms))
            closed, deadline = [], time.monotonic() + 4 * timeout_ms / 1000
            begin = time.monotonic()
            while time.monotonic() < deadline:
                try:
                    one = follower.stream.read_packet(0.2)
                except rawclient.Timeout:
                    continue
                expect(one is not None, "the leader hung up")
                if one.type == wire.PING:
                    same(one, wire.packet(wire.PING, one.zxid))
                    follower.stream.send(wire.packet(wire.PING, one.zxid, struct.pack(">qi", kept, timeout_ms)))
                elif one.type == wire.PROPOSAL:
                    follower.stream.send(wire.packet(wire.ACK, one.zxid))
                    txn = wire.parse_txn(one.data)
                    if txn.name == "closeSession":
                        closed.append((txn.header.clientId, time.monotonic() - begin))
            expect([session_id for session_id, _ in closed] == [left], "these were closed: %s", closed)
            expect(closed[0][1] > timeout_ms / 1000 - 0.1, "a session expired after %.1f s", closed[0][1])
            self.request(follower, kept, 9, "closeSession", b"")

    def diff(self):
        """Three transactions, as they were proposed to us, come again for one who missed them."""
        with self.joined() as follower:
            begin = self.last
            for value in (b"3", b"4", b"5"):
                self.client.call("setData", b"/first", value, -1)
            live = [follower.follow(lambda one: one.type == wire.PROPOSAL) for _ in range(3)]
            follower.follow(lambda one: one.type == wire.COMMIT and one.zxid == live[-1].zxid)
        self.last = self.settle()
        expect(self.last == live[-1].zxid, "the last is 0x%x, proposed was 0x%x", self.last, live[-1].zxid)
        with self.join() as follower:
            follower.register(begin, self.epoch)
            pairs = [one for proposal in live for one in (proposal, wire.packet(wire.COMMIT, proposal.zxid))]
            same(follower.receive_sync(), wire.packet(wire.DIFF, self.last), *pairs, self.new_leader)
            follower.ack_new_leader()

    def trunc(self):
        with self.join() as follower:
            follower.register(self.last + 5, self.epoch)
            same(follower.receive_sync(), wire.packet(wire.TRUNC, self.last), self.new_leader)

    def cannot_truncate(self):
        with self.join() as follower:
            follower.register(-1, self.epoch)    # an epoch it has accepted: what it says is no vote
            same(follower.receive_sync(), wire.packet(wire.SNAP, self.last), self.new_leader)

    def snap(self):
        with self.join() as follower:
            follower.register(0, 0)
            same(follower.receive_sync(), wire.packet(wire.SNAP, self.last), self.new_leader)
            snapshot = follower.snapshot
            expect(snapshot.signature == wire.SIGNATURE, "the signature is %s", snapshot.signature)
            expect(self.client.id in snapshot.sessions, "the session is not among %s", snapshot.sessions)
            expect(snapshot.sessions[self.client.id] == self.client.timeout_ms, "its time-out is %d",
                   snapshot.sessions[self.client.id])
            data, acl, stat = snapshot.nodes[b"/first"]
            expect(data == b"5" and snapshot.acls[acl] == [(31, b"world", b"anyone")], "the node holds %s", data)
            expect(stat.mzxid == self.last, "its mzxid is 0x%x", stat.mzxid)
            expect({b"", b"/zookeeper", b"/zookeeper/quota", b"/zookeeper/config"} <= set(snapshot.nodes),
                   "the nodes are %s", sorted(snapshot.nodes))
            seen = set()
            for path in snapshot.nodes:     # a node follows its parent
                expect(not path or path.rpartition(b"/")[0] in seen, "%s comes before its parent", path)
                seen.add(path)
            follower.ack_new_leader()

    def observer(self):
        with self.joined(observer=True) as follower:
            self.client.call("setData", b"/first", b"6", -1)
            informed = follower.follow(lambda one: one.type != wire.PING)
            same(informed, wire.packet(wire.INFORM, self.client.zxid, informed.data))
            same_txn(informed.data, self.client.zxid, "setData",
                     {"path": b"/first", "data": b"6", "version": wire.parse_txn(informed.data).record.version},
                     self.client.id, self.client.xid)
            # What an observer forwards comes back as INFORM too.
            session_id = 0x300000000000021
            follower.stream.send(wire.packet(wire.REQUEST, -1, wire.request_data(
                session_id, 0, "createSession", jute.encode("CreateSessionTxn", 30000))))
            informed = follower.follow(lambda one: one.type != wire.PING)
            expect(informed.type == wire.INFORM, "%s came", informed)
            same_txn(informed.data, informed.zxid, "createSession", {"timeOut": 30000}, session_id, 0)

    def config_ahead(self):
        with self.join() as follower:
            follower.stream.send(wire.learner_info(wire.FOLLOWERINFO, 3, self.epoch, config_version=1 << 40))
            expect(follower.stream.read_packet() is None, "it is taken")
