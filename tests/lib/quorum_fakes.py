"""quorum_fakes.py - peers of an ensemble made of Python: one who votes, a follower, a leader, and a proxy between two.

    with FakeFollower(servers.quorum_address(leader), sid=3) as follower:
        follower.join(last_zxid=0)          registers, syncs, acks; the leader counts it from now on
        proposal = follower.stream.expect(quorum_wire.PROPOSAL)

    with FakeLeader(3, servers, [1, 2]) as leader:
        link = leader.wait_learner()        1 or 2 has elected us and registers
        link.handshake(); link.sync_empty()

They do what a test tells them, right or wrong; nothing happens by itself except that the voter reads and, with
answer_with, answers. Waits have a deadline and raise rawclient.Timeout.
"""

import queue
import socket
import struct
import threading
import time

import jute
import quorum_wire as wire
from rawclient import Closed, Timeout


def listen(address):
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(address)
    listener.listen(64)
    return listener


def end(*connections):
    """Closes sockets so that threads blocked on them wake up."""
    for one in connections:
        try:
            one.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        one.close()


def receive_exactly(connection, count):
    """That many bytes, or None when the stream ends before."""
    data = b""
    while len(data) < count:
        try:
            more = connection.recv(count - len(data))
        except OSError:
            return None
        if not more:
            return None
        data += more
    return data


class Voter:
    """Takes part in elections as server `sid`: keeps connections to the others as the protocol wants it.

    The server with the larger id makes the connection; one that is asked by a smaller id hangs up and calls back.
    """

    def __init__(self, sid, address, peers, version=wire.INITIAL_V1):
        """`peers` maps ids to election addresses."""
        self.sid, self.address, self.peers, self.version = sid, address, dict(peers), version
        self.inbox = queue.Queue()      # (sid, Notification, its bytes)
        self.initials = queue.Queue()   # (sid, the bytes of its initial message)
        self.connections = {}           # sid -> socket
        self.answer_with = None         # a function of (sid, Notification) to the Notification that answers, or None
        self.lock = threading.Lock()
        self.ended = False
        self.listener = listen(address)
        self._thread(self._accept)

    @staticmethod
    def _thread(target, *arguments):
        threading.Thread(target=target, args=arguments, daemon=True).start()

    def _accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            self._thread(self._greet, connection)

    def _greet(self, connection):
        head = receive_exactly(connection, 20)
        if head is None:
            return connection.close()
        _, sid, length = struct.unpack(">qqi", head)
        text = receive_exactly(connection, length) or b""
        self.initials.put((sid, head + text))
        if sid < self.sid:
            connection.close()
            if sid in self.peers:
                self.connect(sid)
        else:
            self._keep(sid, connection)
        return None

    def _keep(self, sid, connection):
        with self.lock:
            old = self.connections.get(sid)
            self.connections[sid] = connection
        if old is not None:
            old.close()
        self._thread(self._read, sid, connection)

    def _read(self, sid, connection):
        while True:
            head = receive_exactly(connection, 4)
            payload = head and receive_exactly(connection, struct.unpack(">i", head)[0])
            if payload is None:
                break
            try:
                notification = wire.Notification.decode(payload)
            except (jute.JuteError, struct.error):
                notification = None
            self.inbox.put((sid, notification, payload))
            answer = self.answer_with and notification and self.answer_with(sid, notification)
            if answer:
                self.send(sid, answer)
        with self.lock:
            if self.connections.get(sid) is connection:
                del self.connections[sid]
        connection.close()

    def connect(self, sid):
        """Calls another server; one with a larger id hangs up and calls back."""
        try:
            connection = socket.create_connection(self.peers[sid], timeout=5.0)
        except OSError:
            return False
        connection.settimeout(None)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.sendall(wire.initial_message(self.sid, [self.address], self.version))
        if sid < self.sid:
            self._keep(sid, connection)
        return True

    def connect_all(self, sids=None, timeout=10.0):
        """Returns once there is a connection to each of these servers."""
        deadline = time.monotonic() + timeout
        for sid in self.peers if sids is None else sids:
            while sid not in self.connections:
                self.connect(sid)
                pause = time.monotonic() + 0.2
                while sid not in self.connections and time.monotonic() < pause:
                    time.sleep(0.005)
                if time.monotonic() > deadline:
                    raise Timeout("no election connection to server %d" % sid)

    def send(self, sid, notification):
        """Sends a notification, or bytes, when there is a connection; returns whether there was."""
        payload = notification if isinstance(notification, bytes) else notification.encode()
        with self.lock:
            connection = self.connections.get(sid)
        if connection is None:
            return False
        try:
            connection.sendall(wire.frame(payload))
        except OSError:
            return False
        return True

    def broadcast(self, notification):
        for sid in self.peers:
            self.send(sid, notification)

    def wait(self, condition=lambda sid, notification: True, timeout=15.0):
        """The next (sid, Notification, bytes) for which the condition holds; others are dropped."""
        deadline = time.monotonic() + timeout
        while True:
            try:
                sid, notification, payload = self.inbox.get(timeout=max(0.001, deadline - time.monotonic()))
            except queue.Empty:
                raise Timeout("no such notification came") from None
            if notification is not None and condition(sid, notification):
                return sid, notification, payload

    def close(self):
        end(self.listener, *self.connections.values())

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.close()


class FakeFollower:
    """A learner at a leader's quorum port."""

    def __init__(self, address, sid, observer=False, timeout=15.0):
        self.sid = sid
        self.kind = wire.OBSERVERINFO if observer else wire.FOLLOWERINFO
        self.stream = wire.Stream.connect(address, timeout)
        self.epoch = None
        self.snapshot = None

    def register(self, last_zxid=0, accepted_epoch=0, current_epoch=None, config_version=0):
        """FOLLOWERINFO, LEADERINFO, ACKEPOCH; returns the leader's epoch."""
        self.stream.send(wire.learner_info(self.kind, self.sid, accepted_epoch, config_version))
        self.epoch = wire.epoch_of(self.stream.expect(wire.LEADERINFO).zxid)
        if current_epoch is None:
            current_epoch = -1 if self.epoch == accepted_epoch else accepted_epoch
        self.stream.send(wire.ack_epoch(current_epoch, last_zxid))
        return self.epoch

    def receive_sync(self, timeout=None):
        """Everything up to and with NEWLEADER, as packets; a snapshot goes to self.snapshot."""
        packets = []
        while True:
            one = self.stream.expect(wire.DIFF, wire.TRUNC, wire.SNAP, wire.PROPOSAL, wire.COMMIT, wire.NEWLEADER,
                                     wire.INFORM, timeout=timeout)
            packets.append(one)
            if one.type == wire.SNAP:
                self.snapshot = self.stream.read_snapshot(timeout)
            if one.type == wire.NEWLEADER:
                return packets

    def ack_new_leader(self):
        """Acknowledges NEWLEADER, waits for UPTODATE, acknowledges that; returns what came in between."""
        self.stream.send(wire.packet(wire.ACK, wire.make_zxid(self.epoch, 0)))
        between = []
        while True:
            one = self.stream.expect(wire.UPTODATE, wire.PROPOSAL, wire.COMMIT, wire.INFORM)
            if one.type == wire.UPTODATE:
                break
            between.append(one)
        self.stream.send(wire.packet(wire.ACK, wire.make_zxid(self.epoch, 0)))
        return between

    def join(self, last_zxid=0, accepted_epoch=0):
        """The whole way up to the broadcast; returns the packets of the sync."""
        self.register(last_zxid, accepted_epoch)
        packets = self.receive_sync()
        return packets + self.ack_new_leader()

    def follow(self, until, timeout=15.0, ack=True):
        """Answers pings and acknowledges proposals until `until` (a function of a packet) holds; returns that one."""
        deadline = time.monotonic() + timeout
        while True:
            one = self.stream.read_packet(max(0.001, deadline - time.monotonic()))
            if one is None:
                raise Closed("the leader closed the connection")
            if one.type == wire.PING:
                self.stream.send(wire.packet(wire.PING, one.zxid, b""))
            elif one.type == wire.PROPOSAL and ack:
                self.stream.send(wire.packet(wire.ACK, one.zxid))
            if until(one):
                return one

    def close(self):
        self.stream.close()

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.close()


class LearnerLink:
    """A learner's connection, as the fake leader sees it."""

    def __init__(self, connection, epoch, timeout):
        self.stream = wire.Stream(connection, timeout)
        self.epoch = epoch
        self.info = self.ack = None     # its FOLLOWERINFO and ACKEPOCH
        self.sid = None

    def handshake(self):
        """Takes FOLLOWERINFO or OBSERVERINFO, proposes the epoch, takes ACKEPOCH."""
        self.info = self.stream.expect(wire.FOLLOWERINFO, wire.OBSERVERINFO)
        self.sid = jute.decode("LearnerInfo", self.info.data).serverid
        self.stream.send(wire.leader_info(self.epoch))
        self.ack = self.stream.expect(wire.ACKEPOCH)
        return self

    @property
    def last_zxid(self):
        """What the learner said it has logged."""
        return self.ack.zxid

    def finish_sync(self, *packets, config=None):
        """Sends these (DIFF and what goes with it), NEWLEADER, takes its ACK, sends UPTODATE, takes that ACK."""
        new_leader = wire.make_zxid(self.epoch, 0)
        self.stream.send(*packets, wire.packet(wire.NEWLEADER, new_leader, config))
        first = self.stream.expect(wire.ACK)
        self.stream.send(wire.packet(wire.UPTODATE, -1))
        return first, self.stream.expect(wire.ACK)

    def sync_empty(self, config=None):
        return self.finish_sync(wire.packet(wire.DIFF, self.last_zxid), config=config)

    def propose(self, zxid, data, commit=True):
        """A proposal, its acknowledgement, its commit."""
        self.stream.send(wire.packet(wire.PROPOSAL, zxid, data))
        ack = self.stream.expect(wire.ACK, skip=(wire.PING, wire.REQUEST))
        if commit:
            self.stream.send(wire.packet(wire.COMMIT, zxid))
        return ack

    def close(self):
        self.stream.close()


class FakeLeader:
    """Gets itself elected as server `sid` by the servers `voters` of an ensemble and takes their connections."""

    def __init__(self, sid, servers, voters, epoch=1, zxid=0, round_number=1, timeout=15.0, listen_at_once=True):
        self.sid, self.servers, self.timeout = sid, servers, timeout
        self.epoch = epoch              # the epoch it will propose
        self.vote_epoch, self.vote_zxid, self.round = epoch - 1, zxid, round_number
        self.config = b""
        self.elected = False
        self.listener = listen(servers.quorum_address(sid)) if listen_at_once else None
        self.voter = Voter(sid, servers.election_address(sid),
                           {other: servers.election_address(other) for other in voters})
        self.voter.answer_with = self._answer
        self.voter.connect_all()
        self.voter.broadcast(self.vote())

    def vote(self):
        return wire.vote(self.sid, self.vote_zxid, self.round, self.vote_epoch,
                         wire.LEADING if self.elected else wire.LOOKING, self.config)

    def _answer(self, sid, notification):
        """Votes for itself in whatever round the other is in, as one who knows no less."""
        if notification.state != wire.LOOKING:
            return None
        if notification.leader == self.sid and notification.round == self.round:
            return self.vote() if self.elected else None
        self.round = max(self.round, notification.round)
        self.vote_epoch, self.vote_zxid = max((self.vote_epoch, self.vote_zxid),
                                              (notification.epoch, notification.zxid))
        self.config = notification.config
        return self.vote()

    def listen(self):
        if self.listener is None:
            self.listener = listen(self.servers.quorum_address(self.sid))

    def wait_learner(self, timeout=None):
        """The connection of the next learner, for which we stand for election again."""
        self.elected = False
        self.voter.broadcast(self.vote())
        self.listener.settimeout(self.timeout if timeout is None else timeout)
        try:
            connection, _ = self.listener.accept()
        except socket.timeout:
            raise Timeout("no learner came") from None
        self.elected = True
        return LearnerLink(connection, self.epoch, self.timeout)

    def close(self):
        self.voter.close()
        if self.listener:
            self.listener.close()

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.close()


class Proxy:
    """Stands between a learner and its leader, keeps every packet, and lets `filter` decide about each.

    filter(direction, packet), direction "to leader" or "to learner", returns the packet or another, None to drop it, or
    raises Cut to end both connections before it is passed on. The tree behind a SNAP passes unseen.
    """

    class Cut(Exception):
        pass

    def __init__(self, address, target):
        self.target = target
        self.record = []        # (time, connection number, direction, Packet)
        self.filter = None
        self.connections = []
        self.count = 0
        self.lock = threading.Lock()
        self.listener = listen(address)
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                learner, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._connect, args=(learner,), daemon=True).start()

    def _connect(self, learner):
        """Calls the leader for a learner: as long as nobody listens there, the learner waits."""
        deadline = time.monotonic() + 5.0
        leader = None
        while leader is None:
            try:
                leader = socket.create_connection(self.target, timeout=5.0)
            except OSError:
                if time.monotonic() > deadline:
                    return learner.close()
                time.sleep(0.02)
        leader.settimeout(None)
        with self.lock:
            self.count += 1
            number = self.count
            self.connections.append((learner, leader))
        for source, sink, direction in ((learner, leader, "to leader"), (leader, learner, "to learner")):
            sink.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=self._pump, args=(source, sink, direction, number), daemon=True).start()
        return None

    def _pump(self, source, sink, direction, number):
        buffer, snapshot = b"", False
        signature = jute.encode_value("ustring", wire.SIGNATURE)
        try:
            while True:
                data = source.recv(1 << 18)
                if not data:
                    break
                buffer += data
                while True:
                    if snapshot:
                        at = buffer.find(signature)
                        upto = at + len(signature) if at >= 0 else max(0, len(buffer) - len(signature))
                        sink.sendall(buffer[:upto])
                        buffer = buffer[upto:]
                        if at < 0:
                            break
                        snapshot = False
                    try:
                        one, length = wire.Packet.decode_at(buffer, 0)
                    except jute.JuteError:
                        break
                    with self.lock:
                        self.record.append((time.monotonic(), number, direction, one))
                    passed = self.filter(direction, one) if self.filter else one
                    if passed is one:
                        sink.sendall(buffer[:length])
                    elif passed is not None:
                        sink.sendall(passed.encode())
                    buffer = buffer[length:]
                    snapshot = one.type == wire.SNAP
        except (OSError, Proxy.Cut):
            pass
        end(source, sink)

    def packets(self, direction=None, number=None):
        """What has passed so far."""
        with self.lock:
            return [one for _, connection, way, one in self.record
                    if (direction is None or way == direction) and (number is None or connection == number)]

    def cut(self):
        """Ends the connections there are; new ones may come."""
        with self.lock:
            pairs, self.connections = self.connections, []
        for pair in pairs:
            end(*pair)

    def close(self):
        end(self.listener)
        self.cut()

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.close()
