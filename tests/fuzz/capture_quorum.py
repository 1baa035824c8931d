#!/usr/bin/env python3
"""capture_quorum.py - makes the seeds of the fuzz targets for quorum and election ports again, from Java's own bytes.

    capture_quorum.py [DIRECTORY]       tests/fuzz/seeds when none is named

Four Java servers, 3 leading, 4 an observer; a fifth member is ours: it listens to the elections and joins the leader as
a follower that knows nothing, a little, or too much, so that SNAP, DIFF and TRUNC come. Between servers 1 and 4 and
their leader a recorder keeps both directions, while clients do a bit of everything. A second ensemble is reconfigured
before the eyes of a follower and an observer of ours.

fuzz_quorum_packet gets one packet of each type and direction, of each request and each transaction; fuzz_learner_sync
and fuzz_learner_handler get whole streams, fuzz_election_message messages, fuzz_quorum_config texts. In front of each
stand the bytes by which the target says how it is to be read (see there). Two messages that no server of today sends,
the notifications of 28 and of 40 bytes, are the captured one cut short.
"""

import hashlib
import base64
import os
import socket
import sys
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "lib"))

import ensemble         # noqa: E402
import jute             # noqa: E402
import protocol         # noqa: E402
import ports            # noqa: E402
import quorum_fakes     # noqa: E402
import quorum_wire as wire      # noqa: E402
from protocol import OPEN_ACL, PERSISTENT, EPHEMERAL, CONTAINER, TTL   # noqa: E402

LEADER, FOLLOWER, OBSERVER, FAKE = 3, 1, 4, 5
SUPER = b"super:secret"
DIGEST = "super:" + base64.b64encode(hashlib.sha1(SUPER).digest()).decode()
LONGEST_STREAM = 6000
LITTLE = wire.make_zxid(1, 3)
TO_LEADER, TO_LEARNER = "to_leader", "to_learner"


class Recorder:
    """Forwards connections to `target` and keeps the bytes of both directions, one pair a connection."""

    def __init__(self, target):
        self.target = target
        self.streams = []
        self.listener = quorum_fakes.listen(("127.0.0.1", ports.one()))
        self.address = self.listener.getsockname()
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                learner, _ = self.listener.accept()
                leader = socket.create_connection(self.target, timeout=5.0)
            except ConnectionRefusedError:
                learner.close()
                continue
            except OSError:
                return
            leader.settimeout(None)
            kept = {TO_LEADER: bytearray(), TO_LEARNER: bytearray()}
            self.streams.append(kept)
            for source, sink, way in ((learner, leader, TO_LEADER), (leader, learner, TO_LEARNER)):
                threading.Thread(target=self._pump, args=(source, sink, kept[way]), daemon=True).start()

    @staticmethod
    def _pump(source, sink, kept):
        try:
            while True:
                data = source.recv(1 << 16)
                if not data:
                    break
                kept += data
                sink.sendall(data)
        except OSError:
            pass
        quorum_fakes.end(source, sink)


def split(data):
    """The packets of a stream with the bytes of each: (Packet, bytes); a tree belongs to its SNAP."""
    signature = jute.encode_value("ustring", wire.SIGNATURE)
    data, at = bytes(data), 0
    while at < len(data):
        try:
            packet, end = wire.Packet.decode_at(data, at)
        except jute.JuteError:
            return
        if packet.type == wire.SNAP:
            place = data.find(signature, end)
            if place < 0:
                return
            end = place + len(signature)
        yield packet, data[at:end]
        at = end


def name_of(packet, way):
    """The type, and what it carries where that has a type of its own."""
    if packet.type == wire.REQUEST:
        return "REQUEST_" + protocol.OP_NAME[wire.parse_request(packet.data).type]
    if packet.type in (wire.PROPOSAL, wire.INFORM):
        return packet.name + "_" + wire.parse_txn(packet.data).name
    if packet.type in (wire.PING, wire.REVALIDATE, wire.SYNC, wire.ACK):
        return packet.name + "_" + way
    return packet.name


class Seeds:
    """Files below one directory; what was there goes."""

    def __init__(self, directory):
        self.directory = directory
        self.count = 0

    def clear(self, target):
        path = os.path.join(self.directory, target)
        os.makedirs(path, exist_ok=True)
        for name in os.listdir(path):
            os.remove(os.path.join(path, name))

    def write(self, target, name, data):
        with open(os.path.join(self.directory, target, name), "wb") as file:
            file.write(data)
        self.count += 1


class Capture:
    """The ensemble with what listens to it; one that may be reconfigured has no recorder between its own servers, as
    they would take over where their leader says that it is."""

    def __init__(self, reconfig):
        properties = {"zookeeper.DigestAuthenticationProvider.superDigest": DIGEST,
                      "zookeeper.extendedTypesEnabled": "true", "zookeeper.snapshotSizeFactor": "-1"}
        several = {"zookeeper.multiAddress.enabled": "true", "zookeeper.multiAddress.reachabilityCheckEnabled": "false"}
        self.servers = ensemble.Ensemble("java,java,java,java,java", observers={OBSERVER}, reconfig=reconfig,
                                         tick_time=500, properties=properties, first=[1, 2, 3, 4],
                                         per_server={2: ({}, several)})
        self.recorders = {learner: Recorder(self.servers.quorum_address(LEADER))
                          for learner in (FOLLOWER, OBSERVER, FAKE)}
        for learner in () if reconfig else (FOLLOWER, OBSERVER):
            self.servers.route(learner, LEADER, self.recorders[learner].address[1])
        self.voter = None
        self.initials, self.notifications = {}, {}

    def __enter__(self):
        others = {sid: self.servers.election_address(sid) for sid in (1, 2, 3, 4)}
        self.voter = quorum_fakes.Voter(FAKE, self.servers.election_address(FAKE), others)
        self.servers.__enter__()
        if self.servers.leader() != LEADER:
            raise SystemExit("server %s leads, not %d: try again" % (self.servers.leader(), LEADER))
        return self

    def __exit__(self, *exc):
        self.servers.dispose()
        self.voter.close()

    def listen(self):
        """What election ports have said up to now, and say to one who looks for a leader."""
        self.voter.connect_all([1, 2, 3])
        self.voter.broadcast(wire.vote(FAKE, 0, 1, 0))
        want = {wire.FOLLOWING, wire.LEADING}
        deadline = time.monotonic() + 10.0
        while want - set(self.notifications) and time.monotonic() < deadline:
            _, one, payload = self.voter.wait()
            self.notifications[one.state] = payload
        while not self.voter.initials.empty():
            sid, data = self.voter.initials.get()
            self.initials[sid] = data

    def work(self):
        """A bit of everything at follower and observer, with a session that moves between them."""
        for sid in (FOLLOWER, OBSERVER):
            session = self.servers.session(sid)
            session.auth(b"digest", b"u:p")
            base = b"/s%d" % sid
            session.call("create", base, b"1", OPEN_ACL, PERSISTENT)
            session.call("create2", base + b"/e", b"2", OPEN_ACL, EPHEMERAL)
            session.call("createContainer", base + b"/c", b"3", OPEN_ACL, CONTAINER)
            session.call("createTTL", base + b"/t", b"4", OPEN_ACL, TTL, 100000)
            session.call("setData", base, b"5", -1)
            session.call("setACL", base, OPEN_ACL, -1)
            session.call("delete", base + b"/c", -1)
            session.ask("delete", base + b"/none", -1)
            session.call("multi", protocol.encode_multi([
                ("create", jute.encode("CreateRequest", base + b"/m", b"6", OPEN_ACL, PERSISTENT)),
                ("check", jute.encode("CheckVersionRequest", base, 1)),
                ("delete", jute.encode("DeleteRequest", base + b"/m", -1))]))
            session.ask("multi", protocol.encode_multi([
                ("delete", jute.encode("DeleteRequest", base + b"/m", -1))]))
            session.call("sync", base)
            session.ask("reconfig", None, b"%d" % FAKE, None, -1)
            session.disconnect()
            again = self.servers.again(OBSERVER if sid == FOLLOWER else FOLLOWER, session)
            again.close()
        time.sleep(1.0)     # pings, with and without sessions in them

    def join(self, last_zxid, accepted_epoch):
        """The fifth member catches up from there; its recorder has the streams."""
        with quorum_fakes.FakeFollower(self.recorders[FAKE].address, FAKE) as fake:
            fake.join(last_zxid, accepted_epoch)
            time.sleep(0.6)

    def reconfigure(self):
        """The fifth member is taken out, while it follows, and while somebody observes."""
        with quorum_fakes.FakeFollower(self.recorders[FAKE].address, FAKE) as follower, \
                quorum_fakes.FakeFollower(self.recorders[OBSERVER].address, FAKE + 1, observer=True) as observer:
            follower.join()
            observer.join()
            session = self.servers.session(FOLLOWER)
            session.auth(b"digest", SUPER)
            session.send("reconfig", None, b"%d" % FAKE, None, -1)
            follower.follow(lambda one: one.type == wire.COMMITANDACTIVATE)
            observer.follow(lambda one: one.type == wire.INFORMANDACTIVATE, ack=False)
            session.receive("reconfig")
            session.close()

    def streams(self):
        for learner, recorder in self.recorders.items():
            for kept in recorder.streams:
                yield learner, kept


def write_packets(seeds, streams):
    """One of each name, the one with the most data."""
    seeds.clear("fuzz_quorum_packet")
    seen = {}
    for _, kept in streams:
        for way, data in kept.items():
            for packet, raw in split(data):
                name = name_of(packet, way)
                if name not in seen or len(seen[name]) < len(raw) <= LONGEST_STREAM:
                    seen[name] = raw
    for name, raw in seen.items():
        seeds.write("fuzz_quorum_packet", name, b"\0" + raw)
    types = [wire.PACKET_NAME[number] for number in range(wire.REQUEST, wire.INFORMANDACTIVATE + 1)]
    missing = [name for name in types if not any(other.split("_")[0] == name for other in seen)]
    if missing:
        raise SystemExit("no packet of type %s was seen" % ", ".join(missing))


def shortened(data):
    """A stream up to where it gets long."""
    text, opening = b"", None
    for packet, raw in split(data):
        if len(text) + len(raw) > LONGEST_STREAM:
            break
        text += raw
        if packet.type in (wire.DIFF, wire.TRUNC, wire.SNAP):
            opening = packet.name.lower()
    return text, opening


def base_of(kept):
    """Which of the bases of fed_server.h this learner had, by its last zxid: nothing, a little, much."""
    last = next(packet.zxid for packet, _ in split(kept[TO_LEADER]) if packet.type == wire.ACKEPOCH)
    return 0 if last == 0 else 1 if last == LITTLE else 2


def write_streams(seeds, streams):
    seeds.clear("fuzz_learner_sync")
    seeds.clear("fuzz_learner_handler")
    count = {}
    for learner, kept in streams:
        to_learner, opening = shortened(kept[TO_LEARNER])
        if opening is None:
            continue
        name = "%s_%s" % ("observer" if learner == OBSERVER else "follower", opening)
        count[name] = count.get(name, 0) + 1
        name += "" if count[name] == 1 else "_%d" % count[name]
        seeds.write("fuzz_learner_sync", name, bytes([(learner == OBSERVER) | base_of(kept) << 3, 0]) + to_learner)
        seeds.write("fuzz_learner_handler", name, b"\0\0" + shortened(kept[TO_LEADER])[0])


def write_by_hand(seeds):
    """What no Java leader says, and was once taken wrongly."""
    zxid = wire.make_zxid(1, 55)
    begin = [wire.leader_info(2), wire.packet(wire.TRUNC, wire.make_zxid(1, 50))]
    create = wire.txn(zxid, "create", b"/h", b"", OPEN_ACL, False, 1, time_ms=1)
    behind_a_hole = wire.packet(wire.PROPOSAL, zxid, create)
    new_leader = wire.packet(wire.NEWLEADER, wire.make_zxid(2, 0), BY_HAND["groups"][1])
    up_to_date = wire.packet(wire.UPTODATE, -1)
    for name, packets in (("hole", begin + [behind_a_hole, new_leader, up_to_date]),
                          ("hole_without_new_leader", begin + [behind_a_hole, up_to_date]),
                          ("two_new_leaders", begin + [new_leader, new_leader, up_to_date])):
        seeds.write("fuzz_learner_sync", "follower_" + name, b"\x10\0" + b"".join(one.encode() for one in packets))


def write_election(seeds, initials, notifications):
    seeds.clear("fuzz_election_message")
    for data in initials.values():
        version = int.from_bytes(data[:8], "big", signed=True)
        name = {wire.INITIAL_V1: "initial_v1", wire.INITIAL_V2: "initial_v2"}[version]
        seeds.write("fuzz_election_message", name, b"\0" + data)
    names = {wire.LOOKING: "looking", wire.FOLLOWING: "following", wire.LEADING: "leading", wire.OBSERVING: "observing"}
    for state, payload in notifications.items():
        seeds.write("fuzz_election_message", "notification_" + names[state], b"\1" + payload)
    payload = notifications[wire.LEADING]
    seeds.write("fuzz_election_message", "notification_28", b"\1" + payload[:28])
    seeds.write("fuzz_election_message", "notification_40", b"\1" + payload[:36] + b"\0\0\0\1")


def write_configs(seeds, streams, notifications):
    seeds.clear("fuzz_quorum_config")
    for _, kept in streams:
        for packet, _ in split(kept[TO_LEARNER]):
            if packet.type == wire.NEWLEADER:
                seeds.write("fuzz_quorum_config", "new_leader", b"\0" + packet.data)
                seeds.write("fuzz_quorum_config", "server_line", b"\x10" + packet.data.split(b"\n")[0].split(b"=")[1])
            elif packet.type == wire.PROPOSAL and wire.parse_txn(packet.data).name == "reconfig":
                seeds.write("fuzz_quorum_config", "reconfig", b"\0" + wire.parse_txn(packet.data).record.data)
    seeds.write("fuzz_quorum_config", "notification",
                b"\0" + wire.Notification.decode(notifications[wire.LEADING]).config)
    for name, (how, text) in BY_HAND.items():
        seeds.write("fuzz_quorum_config", name, bytes([how]) + text)


# None of these servers has groups, weights, an oracle or several addresses; and zoo.cfg is ours anyway.
BY_HAND = {
    "groups": (8, b"server.1=a:1:2\nserver.2=b:1:2\nserver.3=c:1:2\ngroup.1=1:2\ngroup.2=3\nweight.1=2\n"
                  b"version=100000000"),
    "several_addresses": (9, b"server.1=127.0.0.1:1:2|[::1]:3:4:participant;[::1]:5\nserver.2=b:1:2:observer\n"
                             b"server.3=c:1:2"),
    "oracle": (12, b"server.1=a:1:2\nserver.2=b:1:2\nversion=1"),
    "zoo_cfg": (32, b"# comment\ntickTime=2000\ndataDir=/data\\ with\\ blank\nclientPort = 2181\nserver.1=a:1:2\n"
                    b"peerType=observer\nsecret=a\\tb\n"),
}


def main():
    seeds = Seeds(sys.argv[1] if len(sys.argv) > 1 else os.path.join(HERE, "seeds"))
    with Capture(reconfig=False) as capture:
        capture.listen()
        capture.work()
        capture.join(LITTLE, 1)                         # DIFF
        capture.join(wire.make_zxid(1, 0xffff), 1)      # TRUNC
        capture.join(0, 0)                              # SNAP
        streams, initials, notifications = list(capture.streams()), capture.initials, capture.notifications
    with Capture(reconfig=True) as capture:
        capture.reconfigure()
        streams += list(capture.streams())
    write_packets(seeds, streams)
    write_streams(seeds, streams)
    write_by_hand(seeds)
    write_election(seeds, initials, notifications)
    write_configs(seeds, streams, notifications)
    print("%d seeds" % seeds.count)
    return 0


if __name__ == "__main__":
    sys.exit(main())
