"""hostile_leader.py - what learners must not say to a leader; hostile_quorum.py runs it."""

import struct
import time

import ensemble
import jute
import quorum_fakes
import quorum_wire as wire
import rawclient
from hostile import HUGE, Peace, closed, expect, raw_packet
from protocol import OPEN_ACL, PERSISTENT


class AgainstLeader(Peace):
    def connect(self):
        return wire.Stream.connect(self.servers.quorum_address(self.leader))

    def follower_in_step(self, sid=3):
        follower = quorum_fakes.FakeFollower(self.servers.quorum_address(self.leader), sid)
        follower.register(0, self.epoch)
        follower.receive_sync()
        follower.ack_new_leader()
        return follower

    # Each row: (what is said, a function that says it). It returns the stream that must be closed, or None.

    def first_bytes(self, data):
        def attack():
            stream = self.connect()
            stream.send_raw(data)
            return stream
        return attack

    def registers(self, *packets):
        """Says these and leaves; whether they are taken or not is the server's affair."""
        def attack():
            stream = self.connect()
            stream.send(*packets)
            try:
                stream.read_packet(0.3)
            except rawclient.Timeout:
                pass
            stream.abort()
        return attack

    def instead_of_ack_epoch(self, packet):
        def attack():
            stream = self.connect()
            stream.send(wire.learner_info(wire.FOLLOWERINFO, 3, self.epoch))
            stream.expect(wire.LEADERINFO)
            if isinstance(packet, bytes):
                stream.send_raw(packet)
            else:
                stream.send(packet)
            return stream
        return attack

    def future_epoch_ack(self):
        """A zxid of an epoch to come, established leader: it is told to truncate, or sent away."""
        stream = self.connect()
        stream.send(wire.learner_info(wire.FOLLOWERINFO, 3, self.epoch))
        stream.expect(wire.LEADERINFO)
        stream.send(wire.ack_epoch(-1, wire.make_zxid(self.epoch + 7, 9)))
        try:
            stream.read_packet(1.0)
        except rawclient.Timeout:
            pass
        stream.abort()

    def instead_of_new_leader_ack(self, packet):
        def attack():
            follower = quorum_fakes.FakeFollower(self.servers.quorum_address(self.leader), 3)
            follower.register(0, self.epoch)
            follower.receive_sync()
            follower.stream.send(packet)
            return follower.stream
        return attack

    def in_step(self, *packets, must_close=True):
        def attack():
            follower = self.follower_in_step()
            for packet in packets:
                if isinstance(packet, bytes):
                    follower.stream.send_raw(packet)
                else:
                    follower.stream.send(packet)
            if must_close:
                return follower.stream
            time.sleep(0.2)
            self.check()
            follower.stream.abort()
            return None
        return attack

    def acks(self):
        """What was not proposed, what was committed long ago, what comes twice."""
        for zxid in (0, -1, self.client.zxid + 1000, wire.make_zxid(self.epoch + 1, 1), wire.make_zxid(1, 1)):
            follower = self.follower_in_step()
            follower.stream.send(wire.packet(wire.ACK, zxid))    # Java goes on, we hang up: nobody else may be hurt
            self.check()
            follower.stream.abort()
        follower = self.follower_in_step()
        for _ in range(3):
            self.client.call("setData", b"/peace", b"y", -1)
        proposals = [follower.stream.expect(wire.PROPOSAL, skip=(wire.PING, wire.COMMIT)) for _ in range(3)]
        for proposal in reversed(proposals):
            follower.stream.send(wire.packet(wire.ACK, proposal.zxid), wire.packet(wire.ACK, proposal.zxid))
        self.check()
        follower.stream.abort()

    def forged(self):
        """Requests in the name of a session that is another server's: refused as moved, or not at all done."""
        follower = self.follower_in_step()
        before = self.client.call("exists", b"/peace", False).stat.version
        body = jute.encode("SetDataRequest", b"/peace", b"forged", -1)
        follower.stream.send(wire.packet(wire.REQUEST, -1, wire.request_data(self.client.id, 1, "setData", body),
                                         [(b"ip", b"127.0.0.1")]))
        proposal = follower.follow(lambda one: one.type == wire.PROPOSAL)
        expect(wire.parse_txn(proposal.data).name == "error", "%s came of it", wire.parse_txn(proposal.data))
        follower.stream.abort()
        expect(self.client.call("exists", b"/peace", False).stat.version == before, "the forged write took place")

    def does_not_read(self):
        """A learner that is in step and reads nothing more, while much is written."""
        follower = self.follower_in_step()
        for _ in range(60):
            self.client.call("setData", b"/peace", b"z" * 200000, -1)
        deadline = time.monotonic() + self.servers.tick_time * self.servers.sync_limit * 3
        self.client.call("setData", b"/peace", b"", -1)
        self.check()
        while time.monotonic() < deadline:
            self.check()
            if int(self.servers.mntr(self.leader)["learners"]) == 1:
                break
            time.sleep(0.1)
        expect(self.servers.mntr(self.leader)["learners"] == "1", "it is still counted among the learners")
        follower.stream.close()

    def does_not_read_snapshot(self):
        """A learner that asks for the tree and does not read it, the tree being larger than what the kernel buffers."""
        for number in range(30):
            self.client.call("create", b"/big%d" % number, b"b" * 500000, OPEN_ACL, PERSISTENT)
        stream = self.connect()
        stream.send(wire.learner_info(wire.FOLLOWERINFO, 3, self.epoch))
        stream.expect(wire.LEADERINFO)
        stream.send(wire.ack_epoch(-1, 0))
        for _ in range(10):
            self.check()
            time.sleep(0.05)
        stream.abort()
        for number in range(30):
            self.client.call("delete", b"/big%d" % number, -1)

    def silence(self):
        """Many who connect and say nothing."""
        streams = [self.connect() for _ in range(60)]
        self.check()
        deadline = time.monotonic() + self.servers.tick_time * self.servers.init_limit + 5
        for stream in streams:
            closed(stream, max(0.1, deadline - time.monotonic()))

    def run(self):
        info = wire.learner_info
        future = wire.make_zxid(1 << 30, 5)
        rows = [
            ("bytes that are no packet", self.first_bytes(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n" * 20)),
            ("a first packet that registers nobody", self.first_bytes(wire.packet(wire.PING).encode())),
            ("a first packet that is 2 GiB long", self.first_bytes(
                raw_packet(wire.FOLLOWERINFO, 0, HUGE, b"x" * 4096))),
            ("a first packet of negative length", self.first_bytes(raw_packet(wire.FOLLOWERINFO, 0, -2))),
            ("a first packet with 2^31-1 ids", self.first_bytes(raw_packet(wire.FOLLOWERINFO, 0, 0, b"",
                                                                           struct.pack(">i", HUGE)))),
            ("the id of nobody", self.registers(info(wire.FOLLOWERINFO, 99, self.epoch))),
            ("the id of the other follower", self.registers(info(wire.FOLLOWERINFO, self.follower, self.epoch))),
            ("the id of the leader", self.registers(info(wire.FOLLOWERINFO, self.leader, self.epoch))),
            ("a negative id", self.registers(info(wire.FOLLOWERINFO, -5, self.epoch))),
            ("a protocol version to come", self.registers(info(wire.FOLLOWERINFO, 3, self.epoch, version=0x20000))),
            ("an accepted epoch far ahead", self.registers(info(wire.FOLLOWERINFO, 3, 1 << 30))),
            ("no data, as in releases long gone", self.registers(wire.packet(wire.FOLLOWERINFO, 0))),
            ("data of four bytes", self.registers(wire.packet(wire.FOLLOWERINFO, 0, b"\0\0\0\3"))),
            ("an epoch acknowledged by another packet", self.instead_of_ack_epoch(wire.packet(wire.PING))),
            ("an epoch acknowledged without data", self.instead_of_ack_epoch(wire.packet(wire.ACKEPOCH, 0))),
            ("an epoch acknowledged in two bytes", self.instead_of_ack_epoch(wire.packet(wire.ACKEPOCH, 0, b"ab"))),
            ("an epoch acknowledged in 2 GiB", self.instead_of_ack_epoch(raw_packet(wire.ACKEPOCH, 0, HUGE))),
            ("an acknowledged zxid of the future", self.future_epoch_ack),
            ("another packet than the first ACK", self.instead_of_new_leader_ack(wire.packet(wire.PING, 0, b""))),
            ("a first ACK of another zxid", self.first_ack_of(future)),
            ("acknowledgements of what was not proposed, late and in disorder", self.acks),
            ("a request in the name of another server's session", self.forged),
            ("a request of two bytes", self.in_step(wire.packet(wire.REQUEST, -1, b"ab"))),
            ("a request without data", self.in_step(wire.packet(wire.REQUEST, -1))),
            ("requests of types that do not exist", self.in_step(*[wire.packet(wire.REQUEST, -1, wire.request_data(
                self.client.id, 1, kind, b"")) for kind in (999, -2, 1 << 30)], must_close=False)),
            ("a write whose record is cut", self.in_step(wire.packet(wire.REQUEST, -1, wire.request_data(
                0x300000000000077, 1, "create", b"\0\0\0\x09/cu")), must_close=False)),
            ("a session to validate in two bytes", self.in_step(wire.packet(wire.REVALIDATE, -1, b"ab"))),
            ("a session to validate without data", self.in_step(wire.packet(wire.REVALIDATE, -1))),
            ("a ping of five bytes", self.in_step(wire.packet(wire.PING, 0, b"abcde"))),
            ("a ping that touches a session nobody has", self.in_step(wire.packet(
                wire.PING, 0, struct.pack(">qi", 0x7777, HUGE)), must_close=False)),
            ("packets that only leaders send", self.in_step(*[wire.packet(kind, future, b"xyz") for kind in (
                wire.COMMIT, wire.INFORM, wire.UPTODATE, wire.DIFF, wire.SYNC, wire.COMMITANDACTIVATE, 77)],
                must_close=False)),
            ("a packet of 2 GiB", self.in_step(raw_packet(wire.PING, 0, HUGE))),
            ("nothing, sixty times", self.silence),
            ("a tree that is asked for and not read", self.does_not_read_snapshot),
            ("proposals that are not read", self.does_not_read),
        ]
        for fact, attack in self.chosen(rows):
            with ensemble.step(self.report, self.servers, "%s leads and hears %s" % (self.kind, fact)):
                stream = attack()
                if stream is not None:
                    closed(stream)
                    stream.close()
                self.check()
        with ensemble.step(self.report, self.servers, "%s leads: its memory stays within bounds" % self.kind):
            self.check_memory()

    def first_ack_of(self, zxid):
        """The leader may close the link or not: it must not count the ACK, nor give up."""
        def attack():
            stream = self.instead_of_new_leader_ack(wire.packet(wire.ACK, zxid))()
            time.sleep(0.2)
            self.check()
            stream.abort()
        return attack
