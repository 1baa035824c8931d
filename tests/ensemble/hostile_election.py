"""hostile_election.py - what must not be said to election ports; hostile_quorum.py runs it."""

import struct
import time

import ensemble
import ports
import quorum_fakes
import quorum_wire as wire
from hostile import HUGE, Peace, closed, expect, resident


class AgainstElection(Peace):
    """The election ports of both servers, of which one leads."""

    def say(self, data, must_close=True):
        """To each of the two; `data` may depend on whom it goes to."""
        for sid in (1, 2):
            stream = wire.Stream.connect(self.servers.election_address(sid))
            stream.send_raw(data(sid) if callable(data) else data)
            if must_close:
                closed(stream)
            else:
                time.sleep(0.05)
            stream.close()

    def vote(self, data, sid=3):
        """A message from server `sid`, framed unless it is bytes; the connection is kept for a moment."""
        for target in (1, 2):
            stream = wire.Stream.connect(self.servers.election_address(target))
            stream.send_raw(wire.initial_message(sid, [("127.0.0.1", self.port)]))
            stream.send_raw(data if isinstance(data, bytes) else wire.frame(data.encode()))
            time.sleep(0.1)
            stream.close()

    def member_gets_answer(self):
        """A vote of a member that looks for a leader is answered, whatever it claims."""
        peers = {sid: self.servers.election_address(sid) for sid in (1, 2)}
        with quorum_fakes.Voter(3, self.servers.election_address(3), peers) as voter:
            voter.connect_all()
            for round_number, epoch, zxid in ((1, 0, 0), (HUGE, 1 << 40, 1 << 60), (-1, -1, -1), (-1 << 63, 0, 0)):
                voter.broadcast(wire.vote(3, zxid, round_number, epoch))
                heard = {}
                while len(heard) < 2:
                    sid, notification, _ = voter.wait(timeout=10)
                    heard[sid] = notification
                for sid, notification in heard.items():
                    state = wire.LEADING if sid == self.leader else wire.FOLLOWING
                    expect((notification.state, notification.leader) == (state, self.leader), "server %d says %s", sid,
                           notification)
                self.check()

    def no_vote_for_strangers(self):
        """A server that is no member votes for itself; when the leader is gone after that, a member leads."""
        peers = {sid: self.servers.election_address(sid) for sid in (1, 2)}
        with quorum_fakes.Voter(77, ("127.0.0.1", self.port), peers) as voter:
            voter.connect_all()
            stranger = wire.vote(77, 1 << 60, 5, 1 << 40)
            voter.answer_with = lambda sid, notification: stranger
            voter.broadcast(stranger)
            self.check()
            self.servers.kill(self.leader)
            self.servers.start_one(self.leader)
            deadline = time.monotonic() + 20
            while not all(self.servers.mode(sid) for sid in (1, 2)):
                expect(time.monotonic() < deadline, "no election comes to an end")
                voter.broadcast(stranger)
                time.sleep(0.05)
        self.servers.wait_serving([1, 2])
        self.client = self.servers.again(self.servers.leader(), self.client)
        self.leader = self.servers.leader()
        self.client.call("setData", b"/peace", b"", -1)
        self.epoch = wire.epoch_of(self.client.zxid)
        self.memory = {sid: resident(self.servers[sid]) for sid in (1, 2)}

    def storm(self):
        """Two thousand strangers, one after the other, each with an id of its own; none stays."""
        for number in range(1000):
            for sid in (1, 2):
                stream = wire.Stream.connect(self.servers.election_address(sid))
                stream.send_raw(wire.initial_message(1000 + number, [("127.0.0.1", self.port)]) +
                                wire.frame(wire.vote(1000 + number, 1 << 50, 1, 1 << 30).encode()))
                stream.abort()
        self.check()

    def election_beside_silence(self):
        """Connections that say nothing do not keep anybody from the election."""
        streams = [wire.Stream.connect(self.servers.election_address(sid)) for sid in (1, 2) for _ in range(20)]
        old = self.leader
        self.servers.kill(old)
        self.servers.start_one(old)
        begin = time.monotonic()
        self.servers.wait_serving([1, 2], timeout=15)
        self.report.note("%.2f s to the next leader" % (time.monotonic() - begin))
        for stream in streams:
            stream.abort()
        self.leader = self.servers.leader()
        self.client = self.servers.again(self.leader, self.client)
        self.client.call("setData", b"/peace", b"", -1)
        self.epoch = wire.epoch_of(self.client.zxid)

    def run(self):
        self.port = ports.one()
        head = struct.Struct(">qqi")
        good = wire.vote(3, 1 << 60, 5, 1 << 40)
        addresses = [b"nonsense", b"127.0.0.1", b"[::1", b"127.0.0.1:port", b"|||", b"\xff\xfe\xfd:1", b":",
                     b"127.0.0.1:1|", b"%s:1" % (b"a" * 1000)]
        if not self.java:       # whose thread that accepts ends at a port beyond 65535, for good
            addresses += [b"127.0.0.1:99999", b"127.0.0.1:-1"]
        configs = [b"nonsense", b"server.1=", b"\xff\xfe",
                   b"server.9=127.0.0.1:1:2:participant;127.0.0.1:3\nversion=7fffffffffffffff"]
        if not self.java:       # whose thread that reads votes ends where a number is none, for good
            configs += [b"server.x=127.0.0.1:1:2:participant;3", b"version=zz", b"version=ffffffffffffffffff"]
        rows = [
            ("a version that does not exist", lambda: self.say(head.pack(-65530, 3, 11) + b"127.0.0.1:1")),
            ("an initial message without addresses", lambda: self.say(head.pack(wire.INITIAL_V1, 3, 0))),
            ("one of negative length", lambda: self.say(head.pack(wire.INITIAL_V1, 3, -1))),
            ("one of 2049 bytes", lambda: self.say(head.pack(wire.INITIAL_V1, 3, 2049) + b"a" * 2049)),
            ("one of 2 GiB", lambda: self.say(head.pack(wire.INITIAL_V2, 3, HUGE))),
            ("addresses that are none", lambda: [self.say(wire.initial_message(3, text), must_close=False)
                                                 for text in addresses]),
            ("the address 0.0.0.0", lambda: self.say(wire.initial_message(3, b"0.0.0.0:1"), must_close=False)),
            ("an id without a version, as long ago", lambda: self.say(struct.pack(">q", 3), must_close=False)),
            ("its own id", lambda: self.say(lambda sid: wire.initial_message(sid, [("127.0.0.1", 1)]),
                                            must_close=False)),
            ("ids of nobody", lambda: [self.say(wire.initial_message(sid, [("127.0.0.1", self.port)]), must_close=False)
                                       for sid in (-1, -77, 77, 1 << 62, (1 << 63) - 1, -1 << 63)]),
            ("messages that are too short", lambda: [self.vote(struct.pack(">i", length) + b"\0" * length)
                                                     for length in (1, 4, 27, 29, 39, 41, 43)]),
            ("a message of no length", lambda: self.vote(struct.pack(">i", 0))),
            ("a message of negative length", lambda: self.vote(struct.pack(">i", -1))),
            ("a message of more than 512 KiB", lambda: self.vote(struct.pack(">i", 524289) + b"\0" * 524289)),
            ("a message of 2 GiB", lambda: self.vote(struct.pack(">i", HUGE) + b"\0" * 65536)),
            ("messages of 28 and 40 bytes, as long ago", lambda: [self.vote(wire.frame(good.encode()[:length]))
                                                                  for length in (28, 40)]),
            ("a configuration longer than its message", lambda: self.vote(wire.frame(
                good.encode()[:40] + struct.pack(">i", 1000) + b"server.1"))),
            ("a configuration of negative length", lambda: self.vote(wire.frame(
                good.encode()[:40] + struct.pack(">i", -5)))),
            ("a configuration that makes no sense", lambda: [self.vote(good._replace(config=text))
                                                             for text in configs]),
            ("states that do not exist", lambda: [self.vote(good._replace(state=state)) for state in (4, -1, HUGE)]),
            ("versions of messages that do not exist", lambda: [self.vote(good._replace(version=version))
                                                                for version in (3, HUGE, -1)]),
            ("votes for nobody and for servers that are none", lambda: [self.vote(good._replace(leader=leader))
                                                                        for leader in (-1, 77, 1 << 62, -1 << 63)]),
            ("that another leads and follows, which is not so", lambda: [self.vote(good._replace(state=state))
                                                                       for state in (wire.LEADING, wire.FOLLOWING,
                                                                                     wire.OBSERVING)]),
            ("a member that claims anything, and answers it", self.member_gets_answer),
            ("two thousand strangers", self.storm),
            ("a stranger who votes for itself while an election goes on", self.no_vote_for_strangers),
        ]
        if not self.java:       # which reads the initial message in the thread that accepts
            rows.append(("nothing, forty times, while an election goes on", self.election_beside_silence))
        for fact, attack in self.chosen(rows):
            with ensemble.step(self.report, self.servers, "%s at its election port hears %s" % (self.kind, fact)):
                attack()
                self.check()
        with ensemble.step(self.report, self.servers, "%s: its memory stays within bounds" % self.kind):
            self.check_memory()
