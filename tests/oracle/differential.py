#!/usr/bin/env python3
# timeout: 900
"""differential.py - sends the same random requests to two servers and holds every byte that comes back side by side.

    differential.py --seed 7 --ops 10000 --a java --b zkc
    differential.py --seeds 1-20 --tap
    differential.py --seed 7 --replay 4711       requests one by one up to that number, the last ones printed

Requests go out as raw bytes, in lock step: a block on one session, then a ping on every other, so that each watch
event has a fixed place. Replies and events must be equal but for times, session ids and passwords; that includes zxids,
the order of children, and which requests end a connection. At the end the trees, the four-letter words that count
things, and the ACLs are compared once more from above.

Where one side is Java 3.8.0 and the other behaves as 3.9.5, exactly the differences listed in differences.md are
excused, each by a rule that says what either side must answer; the report counts them by their id.
"""

import argparse
import bisect
import collections
import copy
import os
import random
import re
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

import jute         # noqa: E402
import protocol     # noqa: E402
import rawclient    # noqa: E402
import servers      # noqa: E402
import tap          # noqa: E402
import operations   # noqa: E402
import tree_model   # noqa: E402
from protocol import OP     # noqa: E402

SESSION_MS = 300000
BLOCK = 24
A, B = 0, 1
HEADER = jute.struct.Struct(">iqi")
STAT = jute.struct.Struct(">qqqqiiiqiiq")
NEW_RELEASE = (3, 9, 5)


class Mismatch(Exception):
    """The two servers differ where they must not."""


class Variant:
    """How both servers are configured; chosen by the seed."""

    def __init__(self, rng):
        self.config = {"tickTime": 3000, "minSessionTimeout": 200000, "maxSessionTimeout": 600000, "maxClientCnxns": 0}
        self.properties = {"zookeeper.forceSync": "no", "znode.container.checkIntervalMs": "100000000"}
        self.extended = rng.random() < 0.75
        self.skip_acl = rng.random() < 0.1
        self.enforce_quota = rng.random() < 0.12
        self.super_digest = rng.random() < 0.6
        self.digest_algorithm = rng.choices(("sha1", "sha256", "sha512", "sha3_256"), (70, 15, 10, 5))[0]
        self.enforce_auth = rng.choices((None, "ip", "digest", "digest,ip"), (88, 4, 4, 4))[0]
        self.max_buffer = 2500 if rng.random() < 0.15 else None
        self.old_pair = False       # set when both servers are 3.8.0
        if self.extended:
            self.properties["zookeeper.extendedTypesEnabled"] = "true"
        if self.skip_acl:
            self.properties["zookeeper.skipACL"] = "yes"
        if self.enforce_quota:
            self.properties["zookeeper.enforceQuota"] = "true"
        if self.digest_algorithm != "sha1":
            self.properties["zookeeper.DigestAuthenticationProvider.digestAlg"] = {
                "sha256": "SHA-256", "sha512": "SHA-512", "sha3_256": "SHA3-256"}[self.digest_algorithm]
        if self.super_digest:
            self.properties["zookeeper.DigestAuthenticationProvider.superDigest"] = \
                operations.digest_id(operations.SUPER_PASSWORD, self.digest_algorithm).decode()
        if self.enforce_auth:
            self.properties["zookeeper.enforce.auth.enabled"] = "true"
            self.properties["zookeeper.enforce.auth.schemes"] = self.enforce_auth
        if self.max_buffer is not None:
            self.properties["jute.maxbuffer"] = str(self.max_buffer)
        if rng.random() < 0.3:
            self.properties["zookeeper.digest.enabled"] = "false"
        if rng.random() < 0.3:
            self.properties["zookeeper.closeSessionTxn.enabled"] = "false"
        cache = rng.random()
        if cache < 0.3:
            size = "0" if cache < 0.1 else "1" if cache < 0.2 else "400"
            self.properties["zookeeper.maxResponseCacheSize"] = size
            self.properties["zookeeper.maxGetChildrenResponseCacheSize"] = size
        if rng.random() < 0.2:
            self.properties["zookeeper.snapCount"] = "1500"
        if rng.random() < 0.5:
            self.config["reconfigEnabled"] = "true"

    def __str__(self):
        return " ".join("%s=%s" % item for item in sorted(self.properties.items())) + \
            "".join(" %s=%s" % item for item in sorted(self.config.items()) if item[0] == "reconfigEnabled")


class Side:
    """One of the two servers, and the numbers it gave to our sessions."""

    def __init__(self, server):
        self.server = server
        self.sessions = {}      # session id -> our number
        self.old = False        # behaves as 3.8.0


class Link:
    """One session of ours, on both servers."""

    def __init__(self, number):
        self.number = number
        self.connections = [None, None]
        self.ids = [0, 0]
        self.passwords = [b"\0" * 16, b"\0" * 16]
        self.alive = False      # the session exists
        self.xid = 0

    def connected(self):
        return self.connections[A] is not None


class Differential:
    def __init__(self, options, seed, report):
        self.options = options
        self.seed = seed
        self.report = report
        self.rng = random.Random(seed)
        self.variant = Variant(self.rng)
        self.sides = []
        self.links = []
        self.count = 0
        self.skipped = []       # zxids that only the 3.8.0 side took
        self.excused = collections.Counter()
        self.history = collections.deque(maxlen=options.history)
        self.kinds = collections.Counter()
        self.errors = collections.Counter()
        self.events = 0

    # -- running --

    def run(self):
        """Runs the seed; raises Mismatch."""
        options = self.options
        started = []
        try:
            for kind in (options.a, options.b):
                server = servers.make(kind, self.variant.config, self.variant.properties)
                started.append(server)
                server.launch()
            for kind, server in zip((options.a, options.b), started):
                try:
                    server.wait_ready()
                except servers.StartError:
                    server.kill()
                    server.port = None
                    server.start()
                side = Side(server)
                side.old = kind.startswith("java") and server.release is not None and server.release < NEW_RELEASE
                self.sides.append(side)
            self.mixed = self.sides[A].old != self.sides[B].old
            if self.mixed and not self.sides[A].old:
                raise SystemExit("the 3.8.0 server must be side a")
            self.variant.old_pair = self.sides[A].old and self.sides[B].old
            self.tree = tree_model.Tree(self.variant.skip_acl, watches=self.mixed)
            self.generator = operations.Generator(self.rng, self.tree, self.variant, self.mixed)
            self.drive()
        finally:
            for link in self.links:
                for connection in link.connections:
                    if connection is not None:
                        connection.close()
            for server in started:
                server.dispose()

    def drive(self):
        for number in range(self.options.sessions):
            link = Link(number)
            self.links.append(link)
            self.open(link)
        while self.count < self.options.ops:
            link = self.links[self.rng.randrange(len(self.links))]
            dice = self.rng.random()
            if not link.connected():
                self.open(link)
            elif dice < 0.012:
                self.close_session(link)
            elif dice < 0.022:
                self.move(link)
            elif dice < 0.028:
                self.leave(link)
            elif dice < 0.036:
                self.strange_handshake()
            else:
                self.block(link)
            if self.options.replay is not None and self.count >= self.options.replay:
                self.print_history()
                return
        self.audit()

    # -- handshakes --

    def note(self, text):
        self.history.append("%6d %s" % (self.count, text))

    def open(self, link, resume=None):
        """Connects a link: with a new session, or with the one it has."""
        if resume is None:
            resume = link.alive
        if not resume:
            link.ids, link.passwords = [0, 0], [b"\0" * 16, b"\0" * 16]
            link.alive = False
        timeout_ms = self.rng.choice((SESSION_MS, SESSION_MS, 10, 900000, 250000))
        read_only = self.rng.choice((False, False, True, None))
        version = self.rng.choice((0, 0, 0, 7))
        self.note("session %d %s" % (link.number, "resumes" if resume else "connects anew"))
        answers, connections = [], []
        for side in (A, B):
            connection = rawclient.Connection(self.sides[side].server.address)
            connection.send_frame(rawclient.connect_frame(link.ids[side], link.passwords[side], timeout_ms, 0,
                                                          read_only, version))
            connections.append(connection)
        for side in (A, B):
            frame = connections[side].read_frame()
            answers.append(frame)
        if (answers[A] is None) != (answers[B] is None):
            raise Mismatch("handshake: %s" % self.both(*[frame and frame.hex() for frame in answers]))
        if answers[A] is None:
            raise Mismatch("handshake: both servers closed the connection")
        name = "ConnectResponseOld" if read_only is None else "ConnectResponse"
        try:
            decoded = [jute.decode(name, frame) for frame in answers]
        except jute.JuteError as error:
            raise Mismatch("handshake: %s: %s" % (error, self.both(answers[A].hex(), answers[B].hex()))) from error
        for side, answer in enumerate(decoded):
            link.ids[side], link.passwords[side] = answer["sessionId"], answer["passwd"]
            self.sides[side].sessions[answer["sessionId"]] = link.number + 1
            answer["sessionId"] = answer["sessionId"] != 0
            answer["passwd"] = len(answer["passwd"] or b""), answer["passwd"] == b"\0" * 16
        if decoded[A] != decoded[B] or not decoded[A]["sessionId"]:
            raise Mismatch("handshake: %s" % self.both(*decoded))
        if not resume:
            self.tree.zxid += 1
        link.connections = connections
        link.alive = True
        self.tree.drop_connection(link.number)
        if self.variant.enforce_auth == "digest":
            if self.rng.random() < 0.1:     # refused, and the connection with it
                self.block(link, [operations.Operation(OP["ping"], b"", ends_block=True, closes=True)])
                return
            self.block(link, [operations.Operation(OP["auth"], jute.encode("AuthPacket", 0, b"digest", b"alice:wonder"),
                                                   (b"digest", b"alice:wonder"), ends_block=True, closes=True)])

    def close_session(self, link):
        self.block(link, [operations.Operation(OP["closeSession"], b"", ends_block=True, closes=True)])
        if link.connected():
            raise Mismatch("closeSession left the connection open")

    def move(self, link):
        """The session comes in over a second connection; the server closes the first."""
        old = link.connections
        link.connections = [None, None]
        self.open(link, resume=True)
        self.expect_end(old, "the connection that the session left")

    def leave(self, link):
        """We end our sending; the server closes, and the session waits for us."""
        self.note("session %d leaves" % link.number)
        for connection in link.connections:
            connection.end_of_input()
        self.expect_end(link.connections, "a connection that sends no more")
        link.connections = [None, None]
        self.tree.drop_connection(link.number)

    def expect_end(self, connections, what):
        ends = []
        for connection in connections:
            ends.append(connection.read_to_end())
            connection.close()
        if ends[A] != ends[B]:
            raise Mismatch("%s: %s" % (what, self.both(*ends)))

    def strange_handshake(self):
        """A first frame that gets no session."""
        rng = self.rng
        link = rng.choice(self.links)
        kind = rng.choice(("unknown session", "wrong password", "null password", "future zxid", "short", "length -1",
                           "length 0", "long length", "garbage", "request first", "long password"))
        frames = []
        for side in (A, B):
            session = link.ids[side]
            frame = rawclient.connect_frame
            payload = {"unknown session": lambda: frame(0x7f00000000001234, b"p" * 16),
                       "wrong password": lambda: frame(session or 99, b"x" * 16),
                       "null password": lambda: frame(session or 99, None),
                       "future zxid": lambda: frame(last_zxid=1 << 60),
                       "short": lambda: frame()[:20],
                       "garbage": lambda: b"\0" * 7,
                       "request first": lambda: jute.encode("RequestHeader", 1, 4),
                       "long password": lambda: frame(0x7f00000000001234, b"p" * 100),
                       }.get(kind)
            raw = {"length -1": jute.INT.pack(-1), "length 0": jute.INT.pack(0),
                   "long length": jute.INT.pack(0x7fffffff)}.get(kind)
            frames.append(raw if raw is not None else self.frame(payload()))
        self.note("handshake with %s" % kind)
        answers = []
        for side in (A, B):
            connection = rawclient.Connection(self.sides[side].server.address)
            connection.send_raw(frames[side])
            answers.append(connection)
        data = [connection.read_to_end() for connection in answers]
        for connection in answers:
            connection.close()
        if data[A] != data[B]:
            raise Mismatch("handshake with %s: %s" % (kind, self.both(*[answer.hex() for answer in data])))
        if kind in ("wrong password", "null password") and link.connected():
            # Java closes the connection that has the session before it looks at the password.
            self.expect_end(link.connections, "the connection of a session that someone else named")
            link.connections = [None, None]
            self.tree.drop_connection(link.number)

    @staticmethod
    def frame(payload):
        return jute.INT.pack(len(payload)) + payload

    # -- a block of requests --

    def block(self, link, block=None):
        if block is None:
            block = self.generator.block(link.number, BLOCK)
        if self.options.replay is None or block[-1].closes:
            self.send_block(link, block)
        else:
            for index in range(len(block)):
                self.send_block(link, block[index:index + 1])
                if not link.connected():
                    break

    def send_block(self, link, block):
        for operation in block:
            link.xid = link.xid % 0x7ffffff0 + 1
            operation.xid = link.xid if self.rng_xid(operation) else -3 - link.xid
        first = self.count + 1
        for side in (A, B):
            to_side = self.to_b if side == B and self.skipped else None
            link.connections[side].send_raw(b"".join([operation.bytes(to_side) for operation in block]))
        frames = [self.collect(link, side, block) for side in (A, B)]
        others = [other for other in self.links if other is not link and other.connected()]
        wrote = any(operation.kind in EVENT_MAKERS for operation in block)
        streams = {}
        if wrote:
            ping = operations.Operation(OP["ping"], b"")
            for other in others:
                for connection in other.connections:
                    connection.send_raw(ping.bytes())
            for other in others:
                streams[other] = [self.collect(other, side, [ping]) for side in (A, B)]
        self.compare(link, block, frames)
        ended = [connection.eof for connection in link.connections]
        block_zxids = self.block_zxids
        if self.options.history > 0:
            self.history.append((first, link.number, block, frames))
        extras = self.expected_extras(link) if self.mixed else {}
        self.compare_events(link, frames, extras, block_zxids)
        for other, (frames_a, frames_b) in streams.items():
            self.compare_events(other, (frames_a, frames_b), extras, block_zxids)
            replies = [[self.mask(side, other_frames, "ping") for other_frames in stream if not is_event(other_frames)]
                       for side, stream in ((A, frames_a), (B, frames_b))]
            if replies[A] != replies[B]:
                raise Mismatch("ping of session %d: %s" % (other.number, self.both(*replies)))
        if ended[A] != ended[B]:
            self.excuse_end(link, block, ended)
        if True in ended:
            self.after_end(link, block)

    @staticmethod
    def rng_xid(operation):
        """Most xids are positive; some kinds are sent under negative ones, as clients do."""
        return operation.kind not in (OP["auth"], OP["setWatches"], OP["setWatches2"])

    def collect(self, link, side, block):
        """The frames up to the answer to the last request of the block, or to the end of the stream."""
        connection = link.connections[side]
        frames, due = [], len(block)
        while due:
            try:
                frame = connection.read_frame()
            except rawclient.Timeout as error:
                raise Mismatch("server %s does not answer session %d: %s; it %s" % (
                    "ab"[side], link.number, ", ".join(str(operation) for operation in block[-due:]),
                    "runs" if self.sides[side].server.running() else "has ended")) from error
            if frame is None:
                return frames
            frames.append(frame)
            if not is_event(frame):
                due -= 1
        if block[-1].closes:
            self.settle(connection, block[-1], frames)
        return frames

    def settle(self, connection, operation, frames):
        """After a request that may end the connection: waits for the end where it is due, and looks for it else."""
        err = HEADER.unpack_from(frames[-1])[2]
        if operation.kind == OP["closeSession"] or err in (-6, -115, -124) or operation.raw is not None:
            rest = connection.read_to_end()
            if rest:
                frames.append(rest)

    # -- comparing --

    def compare(self, link, block, frames):
        replies = [[frame for frame in frames[side] if not is_event(frame)] for side in (A, B)]
        self.block_zxids = {-1}
        for index, operation in enumerate(block):
            self.count += 1
            self.kinds[operation.name] += 1
            pair = [replies[side][index] if index < len(replies[side]) else None for side in (A, B)]
            if pair[A] is None and pair[B] is None:
                continue        # the connection has ended; excuse_end() and after_end() see to that
            if pair[A] is None or pair[B] is None:
                raise Mismatch(self.describe(link, operation, pair))
            if len(pair[A]) < 16 or len(pair[B]) < 16:
                raise Mismatch(self.describe(link, operation, pair))
            self.compare_reply(link, operation, pair)

    def compare_reply(self, link, operation, pair):
        headers = [HEADER.unpack_from(frame) for frame in pair]
        if operation.kind == OP["createSession"] and len(pair[A]) == len(pair[B]) and len(pair[A]) >= 36 and \
                headers[A][0] == 0:
            # Answered with a connect response, as at the handshake: protocol version, timeout, id, password.
            masked = [frame[:8] + frame[16:20] + frame[36:] for frame in pair]
            if masked[A] != masked[B]:
                raise Mismatch(self.describe(link, operation, pair))
            self.tree.zxid += 1
            return
        if self.mixed:
            self.learn_skipped(operation, headers)
        equal = pair[A] == pair[B] and not self.skipped or \
            self.mask(A, pair[A], operation.name) == self.mask(B, pair[B], operation.name)
        if not equal and not (self.mixed and self.excuse_reply(link, operation, pair, headers)):
            raise Mismatch(self.describe(link, operation, pair))
        self.errors[headers[A][2]] += 1
        self.tree.zxid = max(self.tree.zxid, headers[A][1])
        self.block_zxids.add(headers[B][1])
        self.learn(link, operation, pair, headers)

    def learn_skipped(self, operation, headers):
        """ZOOKEEPER-4575: 3.8.0 takes a zxid before it reads the record, 3.9.5 after."""
        if headers[A][2] == headers[B][2] == -5 and operation.kind in operations.READ_BEFORE_ZXID and \
                self.to_b(headers[A][1]) == headers[B][1] + 1:
            self.skipped.append(headers[A][1])
            self.excused["ZOOKEEPER-4575"] += 1

    def to_b(self, zxid):
        """The zxid of side b that stands for one of side a."""
        return zxid - bisect.bisect_right(self.skipped, zxid)

    def mask(self, side, frame, name):
        """A reply without times, and with session ids and zxids that mean the same on both sides."""
        masked = bytearray(frame)
        if side == A and self.skipped and len(frame) >= 16:
            xid, zxid, err = HEADER.unpack_from(frame)
            HEADER.pack_into(masked, 0, xid, self.to_b(zxid), err)
        for at in stat_offsets(name, frame):
            stat = list(STAT.unpack_from(frame, at))
            stat[2] = stat[3] = 0
            owner = self.sides[side].sessions.get(stat[7])
            if owner is not None:
                stat[7] = owner
            if side == A and self.skipped:
                for index in (0, 1, 10):
                    stat[index] = self.to_b(stat[index])
            STAT.pack_into(masked, at, *stat)
        return masked

    def compare_events(self, link, frames, extras, zxids):
        """Events and replies of one connection must come in the same order on both sides."""
        sequence = [[event_of(frame) if is_event(frame) else "reply" for frame in frames[side]] for side in (A, B)]
        self.events += sum(item != "reply" for item in sequence[A])
        for side in (A, B):
            new = not self.sides[side].old
            for item in sequence[side]:
                if item != "reply" and item[3] not in (zxids if new and self.mixed else (-1,)) and \
                        (self.mixed or not new):
                    raise Mismatch("event of session %d at server %s carries zxid %d: %s" % (
                        link.number, "ab"[side], item[3], event_text(item)))
        if self.mixed:
            sequence = [[item if item == "reply" else item[:3] for item in items] for items in sequence]
        only_a, only_b = extras.get(link.number, (collections.Counter(), collections.Counter()))
        if sequence[A] == sequence[B] and not only_a and not only_b:
            return
        a, b = sequence
        i = j = 0
        while i < len(a) or j < len(b):
            if i < len(a) and j < len(b) and a[i] == b[j]:
                i, j = i + 1, j + 1
            elif i < len(a) and only_a[a[i]] > 0:
                only_a[a[i]] -= 1
                self.excused["watch events"] += 1
                i += 1
            elif j < len(b) and only_b[b[j]] > 0:
                only_b[b[j]] -= 1
                self.excused["watch events"] += 1
                j += 1
            else:
                break
        if i < len(a) or j < len(b) or +only_a or +only_b:
            raise Mismatch("events of session %d: %s\n  expected at a only: %s\n  expected at b only: %s" % (
                link.number, self.both(*[[event_text(item) for item in items] for items in sequence]),
                [event_text(item) for item in +only_a], [event_text(item) for item in +only_b]))

    def expected_extras(self, link):
        """By session: the events of this block that only 3.8.0 sends, and those that only 3.9.5 sends."""
        counters = []
        for watches in (self.tree.old, self.tree.new):
            counter = collections.defaultdict(collections.Counter)
            for watcher, event, path in watches.take():
                counter[watcher][(event, 3, path)] += 1
            counters.append(counter)
        extras = {}
        for number in set(counters[0]) | set(counters[1]):
            old, new = counters[0][number], counters[1][number]
            if old != new:
                extras[number] = (old - new, new - old)
        return extras

    def excuse_reply(self, link, operation, pair, headers):
        """Whether replies that differ do so as differences.md says. Side a is 3.8.0."""
        kind, args = operation.kind, operation.args
        err_a, err_b = headers[A][2], headers[B][2]
        zxids_fit = self.to_b(headers[A][1]) == headers[B][1] and headers[A][0] == headers[B][0]
        if kind == OP["exists"] and err_a == 0 and err_b == -102 and zxids_fit:
            node = self.tree.node(args[0])
            if node is not None and not self.tree.may_read(link.number, node.acl):
                self.excused["ZOOKEEPER-2590"] += 1
                return True
        if kind == OP["check"] and err_a < 0 and err_b == -6 and headers[A][1] > self.tree.zxid and \
                headers[B][1] == -1:
            self.skipped.append(headers[A][1])
            self.excused["ZOOKEEPER-2623"] += 1
            return True
        if kind == OP["deleteContainer"] and err_a == -8 and err_b < 0:
            if err_b == -5 and self.to_b(headers[A][1]) == headers[B][1] + 1:
                self.skipped.append(headers[A][1])
                zxids_fit = True
            if zxids_fit:
                self.excused["ZOOKEEPER-4575 deleteContainer"] += 1
                return True
        if kind in (OP["checkWatches"], OP["removeWatches"]) and zxids_fit and self.expected_watch_errors(
                link, operation) == (err_a, err_b):
            self.excused["ZOOKEEPER-4471"] += 1
            return True
        if kind == OP["multi"]:
            if err_b == -5 and err_a in (0, -5) and not zxids_fit and \
                    self.to_b(headers[A][1]) == headers[B][1] + 1 and \
                    any(name in CREATE_NAMES and values[2] is None for name, values in operation.args):
                self.skipped.append(headers[A][1])
                self.excused["ZOOKEEPER-4026 null ACL"] += 1
                return True
            return zxids_fit and self.excuse_multi(operation, pair, err_a, err_b)
        return False

    def expected_watch_errors(self, link, operation):
        """What 3.8.0 and 3.9.5 answer to checkWatches or removeWatches; changes nothing."""
        path, kind = operation.args
        if operation.kind == OP["checkWatches"]:
            return tuple(watches.check(link.number, path, kind) for watches in (self.tree.old, self.tree.new))
        errors = []
        for watches in (self.tree.old, self.tree.new):
            twin = copy.copy(watches)
            twin.data, twin.child = copy.deepcopy(watches.data), copy.deepcopy(watches.child)
            errors.append(twin.remove(link.number, path, kind))
        return tuple(errors)

    def excuse_multi(self, operation, pair, err_a, err_b):
        """ZOOKEEPER-4026: 3.9.5 knows create2 in a multi, and refuses flags it does not know when it reads them."""
        creates = [entry for entry in operation.args if entry[0] in ("create", "create2", "createContainer")]
        if err_b == -5 and err_a == 0 and len(pair[B]) == 16:
            results = protocol.decode_multi(pair[A], 16)
            if any(not 0 <= values[3] <= 4 for _, values in creates) and all(kind == -1 for kind, _, _ in results):
                self.excused["ZOOKEEPER-4026 flags"] += 1
                return True
        if err_a == err_b == 0:
            results = [protocol.decode_multi(frame, 16) for frame in pair]
            if len(results[A]) != len(results[B]) or len(results[A]) != len(operation.args):
                return False
            for (kind_a, err, value_a), (kind_b, err_of_b, value_b), (name, _) in zip(*results, operation.args):
                if name == "create2" and kind_a == OP["create"] and kind_b == OP["create2"] and err == err_of_b and \
                        value_a["path"] == value_b["path"]:
                    continue
                if (kind_a, err, self.plain(A, value_a)) != (kind_b, err_of_b, self.plain(B, value_b)):
                    return False
            self.excused["ZOOKEEPER-4026"] += 1
            return True
        return False

    def plain(self, side, value):
        """A result of a multi without times, session ids and skipped zxids."""
        if value is None or "stat" not in value:
            return value
        stat = dict(value["stat"])
        stat["ctime"] = stat["mtime"] = 0
        stat["ephemeralOwner"] = self.sides[side].sessions.get(stat["ephemeralOwner"], stat["ephemeralOwner"])
        if side == A:
            for key in ("czxid", "mzxid", "pzxid"):
                stat[key] = self.to_b(stat[key])
        return dict(value, stat=stat)

    def excuse_end(self, link, block, ended):
        """One server closed the connection, the other did not."""
        last = block[-1]
        if self.mixed and last.kind == OP["check"] and ended[B]:
            return      # ZOOKEEPER-2623, counted with its reply
        raise Mismatch("only server %s closes the connection of session %d after %s" % (
            "ab"[ended.index(True)], link.number, last))

    def after_end(self, link, block):
        """The server closed the connection: the session comes back, unless it was closed."""
        if block[-1].kind == OP["closeSession"]:
            self.note("session %d closed" % link.number)
            link.alive = False
            # its ephemerals are gone already in learn()
        elif not block[-1].closes:
            raise Mismatch("both servers close the connection of session %d after %s" % (link.number, block[-1]))
        old, link.connections = link.connections, [None, None]
        self.tree.drop_connection(link.number)
        if link.alive:
            self.open(link, resume=True)
        for connection in old:
            connection.close()

    # -- learning --

    def learn(self, link, operation, pair, headers):
        """Takes what a request changed over into the model of the tree."""
        kind, args, tree, number = operation.kind, operation.args, self.tree, link.number
        zxid, err = headers[A][1], headers[A][2]
        if operation.malformed:
            return
        if kind == OP["multi"]:
            if err == 0 and headers[B][2] == 0:
                self.learn_multi(link, operation, pair, zxid)
        elif kind == OP["exists"]:
            if self.mixed and args[1] and args[0] is not None:
                if err in (0, -101):
                    tree.old.data.add(number, args[0])
                if headers[B][2] in (0, -101):
                    tree.new.data.add(number, args[0])
        elif kind in (OP["checkWatches"],):
            pass
        elif kind == OP["removeWatches"]:
            if self.mixed:
                for watches in (tree.old, tree.new):
                    watches.remove(number, *args)
        elif kind in (OP["setWatches"], OP["setWatches2"]):
            if self.mixed:
                tree.set_watches(number, args[0], args[1])
        elif err != 0:
            return
        elif kind in CREATE_KINDS:
            length = jute.INT.unpack_from(pair[A], 16)[0]
            path = pair[A][20:20 + length]
            tree.create(path, tree.expand(args[2], number), tree_model.owner_of(kind, args[3], number), zxid)
        elif kind in (OP["delete"], OP["deleteContainer"]):
            tree.delete(args[0], zxid)
        elif kind == OP["setData"]:
            tree.set_data(args[0], zxid)
        elif kind == OP["setACL"]:
            tree.set_acl(args[0], tree.expand(args[1], number))
        elif kind == OP["closeSession"]:
            tree.close_session(number, zxid)
        elif kind == OP["addWatch"]:
            if self.mixed:
                for watches in (tree.old, tree.new):
                    watches.add(number, *args)
        elif kind in (OP["getData"], OP["getChildren"], OP["getChildren2"]):
            if self.mixed and args[1]:
                tree.watch(number, args[0], child=kind != OP["getData"])
        elif kind == OP["auth"]:
            if args[0] == b"digest":
                name = args[1].decode("utf-8", "replace").encode()
                if name == operations.SUPER_PASSWORD and self.variant.super_digest:
                    tree.auths[number].append((b"super", b""))
                tree.auths[number].append((b"digest", operations.digest_id(name, self.variant.digest_algorithm)))

    def learn_multi(self, link, operation, pair, zxid):
        tree, number = self.tree, link.number
        results = protocol.decode_multi(pair[A], 16)
        if any(kind == -1 for kind, _, _ in results):
            return
        for (name, values), (kind, _, result) in zip(operation.args, results):
            if name in CREATE_NAMES:
                flags = values[3]
                owner = {4: tree_model.CONTAINER_KIND, 5: tree_model.TTL_KIND, 6: tree_model.TTL_KIND}.get(
                    flags, tree_model.owner_of(OP["create"], flags, number))
                if name == "createContainer" and not self.sides[A].old:
                    owner = tree_model.CONTAINER_KIND
                tree.create(result["path"], tree.expand(values[2], number), owner, zxid)
            elif name == "delete":
                tree.delete(values[0], zxid)
            elif name == "setData":
                tree.set_data(values[0], zxid)

    # -- the end of a seed --

    def audit(self):
        """Compares the whole trees and the counters of the servers."""
        self.note("audit")
        link = next((link for link in self.links if link.connected()), None)
        if link is None:
            link = self.links[0]
            self.open(link)
        if self.variant.super_digest or self.variant.enforce_auth == "digest":
            data = operations.SUPER_PASSWORD if self.variant.super_digest else b"alice:wonder"
            self.block(link, [operations.Operation(OP["auth"], jute.encode("AuthPacket", 0, b"digest", data),
                                                   (b"digest", data), ends_block=True, closes=True)])
        seen, todo = set(), [b"/"]
        while todo:
            batch, todo = todo[:100], todo[100:]
            block = []
            for path in batch:
                seen.add(path)
                block += [operations.Operation(OP["getData"], jute.encode("GetDataRequest", path, False),
                                               (path, False)),
                          operations.Operation(OP["getACL"], jute.encode("GetACLRequest", path), (path,)),
                          operations.Operation(OP["getChildren2"], jute.encode("GetChildren2Request", path, False),
                                               (path, False))]
            self.send_block(link, block)
            for operation in block[2::3]:
                path = operation.args[0]
                node = self.tree.nodes.get(path)
                todo += [child for child in sorted(node.children if node else ()) if child not in seen]
        words = {"mntr": COUNTS_MNTR if not self.mixed else COUNTS_MNTR_MIXED, "srvr": r"(?m)^(Node count|Mode).*$"}
        if not self.mixed:
            words["wchs"] = r"(?m)^.*$"
        for word, pattern in words.items():
            answers = [[match.group(0) for match in re.finditer(pattern, side.server.word(word))]
                       for side in self.sides]
            if answers[A] != answers[B]:
                raise Mismatch("%s: %s" % (word, self.both(*answers)))

    # -- telling --

    @staticmethod
    def both(a, b):
        return "\n    a: %s\n    b: %s" % (a, b)

    def describe(self, link, operation, pair):
        return "reply %d to session %d: %s%s" % (self.count, link.number, operation,
                                                 self.both(*[reply_text(operation.name, frame) for frame in pair]))

    def print_history(self):
        for entry in self.history:
            if isinstance(entry, str):
                self.report.note(entry)
                continue
            first, number, block, frames = entry
            replies = [[frame for frame in frames[side] if not is_event(frame)] for side in (A, B)]
            for index, operation in enumerate(block):
                self.report.note("%6d session %d: %s" % (first + index, number, operation))
                if index < len(replies[A]):
                    self.report.note("           " + reply_text(operation.name, replies[A][index]))
            for side in (A, B):
                for frame in frames[side]:
                    if is_event(frame):
                        self.report.note("           event at %s: %s" % ("ab"[side], event_text(event_of(frame))))


CREATE_NAMES = ("create", "create2", "createContainer", "createTTL")
CREATE_KINDS = frozenset(OP[name] for name in CREATE_NAMES)
EVENT_MAKERS = operations.WRITES | {OP["closeSession"], OP["check"], OP["reconfig"]}
COUNTS_MNTR = (r"(?m)^zk_(znode_count|ephemerals_count|approximate_data_size|watch_count|server_state|global_sessions)"
               r"\t.*$")
COUNTS_MNTR_MIXED = COUNTS_MNTR.replace("watch_count|", "")
MULTI_STATS = {OP["create2"], OP["createContainer"], OP["createTTL"], OP["setData"], OP["getData"]}


def is_event(frame):
    return frame[:4] == b"\xff\xff\xff\xff"


def event_of(frame):
    """(type, state, path, zxid) of an event frame."""
    event = jute.decode("WatcherEvent", frame, 16)
    return event["type"], event["state"], event["path"], HEADER.unpack_from(frame)[1]


def event_text(item):
    return item if item == "reply" else "%s %r%s" % (protocol.EVENT_NAME.get(item[0], item[0]), item[2],
                                                     " zxid %d" % item[3] if len(item) > 3 else "")


def reply_text(name, frame):
    if frame is None:
        return "no reply, the connection ended"
    try:
        header, record = protocol.decode_reply(name, frame)
    except jute.JuteError as error:
        return "%s (%s)" % (frame.hex(), error)
    text = "xid %d zxid %d %s" % (header["xid"], header["zxid"],
                                  protocol.ERROR_NAME.get(header["err"], header["err"]))
    return text if record is None else text + " " + repr(record)[:1500]


def stat_offsets(name, frame):
    """Where in a reply frame the Stats stand."""
    if len(frame) <= 16:
        return ()
    if name in STAT_NAMES:
        return (len(frame) - 68,) if len(frame) >= 84 else ()
    if name not in ("multi", "multiRead"):
        return ()
    offsets, at = [], 16
    try:
        while True:
            kind, done = jute.INT.unpack_from(frame, at)[0], frame[at + 4]
            at += 9
            if done:
                return offsets
            if kind == -1:
                at += 4
            elif kind in (OP["create"], OP["getData"]) or kind in CREATE_KINDS:
                at += 4 + max(0, jute.INT.unpack_from(frame, at)[0])
            elif kind == OP["getChildren"]:
                for _ in range(max(0, jute.INT.unpack_from(frame, at)[0])):
                    at += 4 + jute.INT.unpack_from(frame, at + 4)[0]
                at += 4
            if kind in MULTI_STATS:
                offsets.append(at)
                at += 68
    except (jute.struct.error, IndexError):
        return [offset for offset in offsets if offset + 68 <= len(frame)]


STAT_NAMES = frozenset(protocol.OP_NAME[kind] for kind in operations.STAT_AT_END)


def parse_seeds(text):
    seeds = []
    for part in text.split(","):
        first, _, last = part.partition("-")
        seeds += range(int(first), int(last or first) + 1)
    return seeds


def main():
    parser = argparse.ArgumentParser(description="Compares two ZooKeeper servers byte for byte.")
    parser.add_argument("--seed", "--seeds", dest="seeds", default="1-20", help="a seed, or several as 1-20,33")
    parser.add_argument("--ops", type=int, default=10000, help="requests per seed")
    parser.add_argument("--sessions", type=int, default=4)
    parser.add_argument("--a", choices=sorted(servers.KINDS), default="java")
    parser.add_argument("--b", choices=sorted(servers.KINDS), default="zkc")
    parser.add_argument("--replay", type=int, help="send one by one, stop after this request, print the last ones")
    parser.add_argument("--history", type=int, default=12, help="blocks printed at a mismatch")
    parser.add_argument("--keep-going", action="store_true", help="go on with the next seed after a mismatch")
    tap.add_option(parser)
    parser.add_argument("--statistics", action="store_true", help="print how often each operation and error came")
    options = parser.parse_args()
    why = servers.require(options.a, options.b)
    if why:
        tap.skip_all(why)
    report = tap.Tap(plain=not options.tap)
    for seed in parse_seeds(options.seeds):
        run = Differential(options, seed, report)
        begin = time.monotonic()
        try:
            run.run()
        except (Mismatch, servers.StartError, rawclient.Timeout, jute.JuteError) as error:
            report.ok(False, "seed %d: %s and %s agree on %d requests" % (seed, options.a, options.b, options.ops))
            report.note("variant: %s" % run.variant)
            run.print_history()
            report.note("%s at request %d: %s" % (type(error).__name__, run.count, error))
            report.note("again: differential.py --seed %d --ops %d --sessions %d --a %s --b %s --replay %d" % (
                seed, options.ops, options.sessions, options.a, options.b, run.count))
            if not options.keep_going:
                break
            continue
        report.ok(True, "seed %d: %s and %s agree on %d requests" % (seed, options.a, options.b, run.count))
        report.note("%d events, %d nodes at the end, %.1f s, excused: %s" % (
            run.events, len(run.tree.nodes), time.monotonic() - begin, dict(run.excused) or "nothing"))
        if options.statistics:
            report.note("operations: %s" % dict(run.kinds.most_common()))
            report.note("errors: %s" % {protocol.ERROR_NAME.get(err, err): count
                                        for err, count in run.errors.most_common()})
    return report.done()


if __name__ == "__main__":
    sys.exit(main())
