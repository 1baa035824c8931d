"""history.py - writers that remember what they were told, and the checks of what must be there afterwards.

A FailoverSession is a raw session that goes on at the next server when its connection ends. A Writer is a thread with
such a session, writing below a node of its own: it sets two counters, two nodes to one value in a multi, creates
sequential nodes, deletes some of them, makes and removes an ephemeral, and reads its own and others' nodes. An
operation ends as acknowledged, as refused, or as maybe: sent, and never answered. While it writes and in verify() these
hold, or are noted as violations:

  (1) nothing acknowledged is lost: each key holds the last acknowledged value, with the zxid it was acknowledged with,
      or a later one that was sent and never answered;
  (2) nothing is there that was not sent, nothing is there twice, and what was deleted with an answer is gone;
  (3) versions of a key grow by one for each write that took place;
  (4) a session never goes back: the zxids of its replies do not fall, over all servers it was connected to, and a node
      it reads again is not older;
  (5) no zxid acknowledges two writes, and a write that began after another was answered has the larger zxid;
  (6) the two nodes of the multis hold the same value;
  (7) when the sessions have ended, no ephemeral is left, on any server (wait_no_ephemerals()).
"""

import random
import threading
import time

import jute
import protocol
import rawclient
import trees
from protocol import OPEN_ACL

OUTCOMES = ("acknowledged", "refused", "maybe")
SESSION_MOVED, EXPIRED, CONNECTION_LOSS, NODE_EXISTS, NO_NODE = -118, -112, -4, -110, -101


class Lost(Exception):
    """The connection ended; what became of the request is not known."""


class Stopped(Exception):
    """The session was told to end while it looked for a server."""


class FailoverSession:
    """A session over several addresses. `violations` is a list to which broken promises are added."""

    def __init__(self, addresses, violations, name, timeout_ms=20000, reply_timeout=6.0, rng=None, stop=None):
        """`addresses` is a function; `stop`, a threading.Event, ends the search for a server."""
        self.addresses, self.violations, self.name = addresses, violations, name
        self.timeout_ms, self.reply_timeout = timeout_ms, reply_timeout
        self.rng = rng or random.Random(name)
        self.stop = stop or threading.Event()
        self.session = None
        self.id, self.password, self.zxid = 0, b"\0" * 16, 0
        self.expirations = self.reconnects = 0
        self.address = None

    def connect(self, address=None):
        """Connects to `address`, or goes round until a server takes the session; a session that expired is replaced."""
        while True:
            if self.stop.is_set() and self.id == 0:
                raise Stopped()
            choice = [address] if address else list(self.addresses())
            self.rng.shuffle(choice)
            for where in choice:
                try:
                    session = rawclient.Session(where, self.timeout_ms, self.id, self.password, self.zxid,
                                                timeout=self.reply_timeout)
                except (OSError, rawclient.Closed, rawclient.Timeout, jute.JuteError):
                    continue
                if session.expired:
                    session.disconnect()
                    self.expirations += 1
                    self.id, self.password = 0, b"\0" * 16
                    continue
                if self.id and session.id != self.id:
                    self.violations.append("%s asked for session 0x%x and got 0x%x" % (self.name, self.id, session.id))
                self.session, self.address = session, where
                self.id, self.password = session.id, session.password
                self.reconnects += 1
                return self
            if self.stop.wait(0.05 + 0.1 * self.rng.random()):
                raise Stopped()

    def disconnect(self):
        if self.session is not None:
            self.session.disconnect()
            self.session = None

    def close(self):
        """Ends the session at the server, if it is connected."""
        try:
            if self.session is not None:
                self.session.close()
        except (OSError, rawclient.Closed, rawclient.Timeout):
            pass
        self.disconnect()

    def ask(self, name, *values):
        """As rawclient's; raises Lost when no answer came, and connects again before the next request."""
        if self.session is None:
            self.connect()
        try:
            header, record = self.session.ask(name, *values)
        except (OSError, rawclient.Closed, rawclient.Timeout) as error:
            self.disconnect()
            raise Lost(str(error)) from error
        if header.zxid > 0:
            if header.zxid < self.zxid:
                self.violations.append("%s at %s:%d: zxid went back from 0x%x to 0x%x in the answer to %s" % (
                    self.name, *self.address, self.zxid, header.zxid, name))
            self.zxid = max(self.zxid, header.zxid)
        if header.err in (EXPIRED, SESSION_MOVED, CONNECTION_LOSS):
            self.disconnect()
            if header.err == EXPIRED:
                self.expirations += 1
                self.id, self.password = 0, b"\0" * 16
        return header, record


class Key:
    """What is known of a node that one writer sets."""

    def __init__(self):
        self.value, self.zxid, self.version = 0, 0, 0   # as last acknowledged
        self.maybe = []                                 # values sent since, without an answer


class Writer(threading.Thread):
    """One thread, one session, one node `prefix`/w<number> with its keys below. start(), then finish()."""

    def __init__(self, history, number, pause):
        super().__init__(name="writer %d" % number, daemon=True)
        self.history, self.number, self.pause = history, number, pause
        self.home = history.prefix + b"/w%d" % number
        self.rng = random.Random("%s %d" % (history.seed, number))
        self.session = FailoverSession(history.addresses, history.violations, self.name, history.timeout_ms,
                                       history.reply_timeout, self.rng, history.stop)
        self.keys = {name: Key() for name in (b"c0", b"c1", b"pair")}
        self.created = {}       # value -> [path, zxid] acknowledged
        self.maybe_created = set()
        self.deleted = set()    # paths, acknowledged
        self.maybe_deleted = set()
        self.seen = {}          # path -> mzxid of the last read
        self.sent = 0
        self.counts = dict.fromkeys(OUTCOMES, 0)
        self.failure = None

    def violation(self, text, *values):
        self.history.violations.append("%s: " % self.name + text % values)

    # --- one operation each ---

    def write(self, name, *values):
        """Sends a write; returns (outcome, header, record) and notes it."""
        begin = time.monotonic()
        try:
            header, record = self.session.ask(name, *values)
        except Lost:
            self.counts["maybe"] += 1
            return "maybe", None, None
        if header.err in (EXPIRED, SESSION_MOVED, CONNECTION_LOSS):
            self.counts["refused"] += 1
            return "refused", header, record
        if header.err == 0:
            self.history.acknowledged(self, begin, time.monotonic(), header.zxid, name)
        self.counts["acknowledged" if header.err == 0 else "refused"] += 1
        return "acknowledged" if header.err == 0 else "refused", header, record

    def set_key(self, name):
        key = self.keys[name]
        self.sent += 1
        value = self.sent
        data = b"%d" % value + b" " * self.rng.choice((0, 0, 20, 400))
        if name == b"pair":
            body = protocol.encode_multi([
                ("setData", jute.encode("SetDataRequest", self.home + b"/" + part, data, -1)) for part in (b"a", b"b")])
            outcome, header, record = self.write("multi", body)
            stat = record[0][2].stat if outcome == "acknowledged" else None
        else:
            outcome, header, record = self.write("setData", self.home + b"/" + name, data, -1)
            stat = record.stat if outcome == "acknowledged" else None
        if outcome == "maybe":
            key.maybe.append(value)
        elif outcome == "refused":
            if header.err not in (EXPIRED, SESSION_MOVED, CONNECTION_LOSS):
                self.violation("setData of %s answered with %d", name, header.err)
        else:
            grown = stat.version - key.version
            if not 1 <= grown <= 1 + len(key.maybe):
                self.violation("%s went from version %d to %d with %d writes unanswered", name, key.version,
                               stat.version, len(key.maybe))
            if stat.mzxid != header.zxid:
                self.violation("%s: mzxid 0x%x in an answer of zxid 0x%x", name, stat.mzxid, header.zxid)
            key.value, key.zxid, key.version, key.maybe = value, header.zxid, stat.version, []

    def create(self):
        self.sent += 1
        value = self.sent
        outcome, header, record = self.write("create2", self.home + b"/seq/n", b"%d" % value, OPEN_ACL,
                                             protocol.SEQUENTIAL)
        if outcome == "maybe":
            self.maybe_created.add(value)
        elif outcome == "acknowledged":
            self.created[value] = [record.path, header.zxid]
            if record.stat.czxid != header.zxid:
                self.violation("%s: czxid 0x%x in an answer of zxid 0x%x", record.path, record.stat.czxid, header.zxid)
        elif header.err not in (EXPIRED, SESSION_MOVED, CONNECTION_LOSS):
            self.violation("create answered with %d", header.err)

    def delete(self):
        there = [path for path, _ in self.created.values()
                 if path not in self.deleted and path not in self.maybe_deleted]
        if len(there) < 20:
            return self.create()
        path = self.rng.choice(there)
        outcome, header, _ = self.write("delete", path, -1)
        if outcome == "maybe":
            self.maybe_deleted.add(path)
        elif outcome == "acknowledged":
            self.deleted.add(path)
        elif header.err not in (EXPIRED, SESSION_MOVED, CONNECTION_LOSS):
            self.violation("delete of %s answered with %d", path, header.err)

    def ephemeral(self):
        """Makes its ephemeral; removes it when it is there."""
        outcome, header, _ = self.write("create", self.home + b"/ephemeral", b"", OPEN_ACL, protocol.EPHEMERAL)
        if outcome == "refused" and header.err == NODE_EXISTS:
            outcome, header, _ = self.write("delete", self.home + b"/ephemeral", -1)
        if outcome == "refused" and header.err not in (EXPIRED, SESSION_MOVED, CONNECTION_LOSS, NO_NODE):
            self.violation("the ephemeral: answered with %d", header.err)

    def read(self):
        """Reads a key of its own, or one of another writer."""
        own = self.rng.random() < 0.6
        home = self.home if own else self.rng.choice(self.history.writers).home
        name = self.rng.choice((b"c0", b"c1", b"a"))
        path = home + b"/" + name
        try:
            header, record = self.session.ask("getData", path, False)
        except Lost:
            return
        if header.err:
            if own and header.err not in (EXPIRED, SESSION_MOVED, CONNECTION_LOSS):
                self.violation("getData of %s answered with %d", path, header.err)
            return
        if record.stat.mzxid < self.seen.get(path, 0):
            self.violation("%s went back from zxid 0x%x to 0x%x", path, self.seen[path], record.stat.mzxid)
        self.seen[path] = max(record.stat.mzxid, self.seen.get(path, 0))
        if own:
            key = self.keys[b"pair" if name == b"a" else name]
            value = int(record.data)
            if value != key.value and value not in key.maybe:
                self.violation("%s reads %d, acknowledged was %d, unanswered %s", path, value, key.value, key.maybe)

    def set_up(self):
        for path in (self.home, self.home + b"/seq", *(self.home + b"/" + name for name in (b"c0", b"c1", b"a", b"b"))):
            while True:
                try:
                    header, _ = self.session.ask("create", path, b"0", OPEN_ACL, 0)
                except Lost:
                    continue
                if header.err in (0, -110):
                    break

    def run(self):
        try:
            self.set_up()
            self.history.ready.release()
            while not self.history.stop.is_set():
                if self.history.hold.is_set():
                    time.sleep(0.01)
                    continue
                dice = self.rng.random()
                if dice < 0.35:
                    self.set_key(self.rng.choice((b"c0", b"c1")))
                elif dice < 0.45:
                    self.set_key(b"pair")
                elif dice < 0.65:
                    self.create()
                elif dice < 0.75:
                    self.delete()
                elif dice < 0.8:
                    self.ephemeral()
                else:
                    self.read()
                if self.pause:
                    time.sleep(self.pause * 2 * self.rng.random())
        except Stopped:
            pass
        except Exception as error:      # noqa: BLE001 - reported by finish()
            self.failure = error
            self.violation("ended: %r", error)
        finally:
            self.history.ready.release()

    # --- afterwards ---

    def check_value(self, name, node, key):
        if node is None or isinstance(node, int):
            return self.violation("%s is lost", name)
        value, stat = int(node[0]), dict(node[1])
        if value != key.value and value not in key.maybe:
            self.violation("%s is %d, acknowledged was %d, unanswered %s", name, value, key.value, key.maybe)
        if value == key.value and key.zxid and stat["mzxid"] != key.zxid:
            self.violation("%s was acknowledged with zxid 0x%x and has mzxid 0x%x", name, key.zxid, stat["mzxid"])
        if not 0 <= stat["version"] - key.version <= len(key.maybe):
            self.violation("%s has version %d, acknowledged was %d, %d writes unanswered", name, stat["version"],
                           key.version, len(key.maybe))
        return None

    def check(self, tree):
        """Compares what was acknowledged with `tree`, as trees.dump() gives it."""
        for name in (b"c0", b"c1"):
            self.check_value(name, tree.get(self.home + b"/" + name), self.keys[name])
        for name in (b"a", b"b"):
            self.check_value(name, tree.get(self.home + b"/" + name), self.keys[b"pair"])
        pair = [tree.get(self.home + b"/" + name) for name in (b"a", b"b")]
        if None not in pair and pair[0][0] != pair[1][0]:
            self.violation("a multi was torn: %s and %s", pair[0][0][:20], pair[1][0][:20])
        by_value = {}
        for path, node in tree.items():
            if path.startswith(self.home + b"/seq/"):
                value = int(node[0])
                if value in by_value:
                    self.violation("create %d took place twice: %s and %s", value, by_value[value], path)
                by_value[value] = path
                if value not in self.created and value not in self.maybe_created:
                    self.violation("%s holds %d, which was not sent", path, value)
        for value, (path, zxid) in self.created.items():
            node = tree.get(path)
            if path in self.deleted:
                if node is not None:
                    self.violation("%s was deleted and is there", path)
            elif node is None:
                if path not in self.maybe_deleted:
                    self.violation("%s, acknowledged with zxid 0x%x, is lost", path, zxid)
            elif int(node[0]) != value or dict(node[1])["czxid"] != zxid:
                self.violation("%s, acknowledged with zxid 0x%x, holds %s of czxid 0x%x", path, zxid, node[0],
                               dict(node[1])["czxid"])


class History:
    """Several writers over one ensemble: start(), trouble, finish(), verify(tree)."""

    def __init__(self, addresses, writers=4, seed=1, prefix=b"/history", pause=0.004, timeout_ms=20000,
                 reply_timeout=6.0):
        self.addresses = addresses if callable(addresses) else lambda: addresses
        self.seed, self.prefix = seed, prefix
        self.timeout_ms, self.reply_timeout = timeout_ms, reply_timeout
        self.violations = []
        self.stop = threading.Event()
        self.hold = threading.Event()
        self.ready = threading.Semaphore(0)
        self.lock = threading.Lock()
        self.writes = []        # (begin, end, zxid, writer, operation), acknowledged
        self.writers = [Writer(self, number, pause) for number in range(writers)]

    def start(self):
        """Starts the writers and waits until their nodes are there."""
        session = FailoverSession(self.addresses, self.violations, "set-up").connect()
        session.ask("create", self.prefix, b"", OPEN_ACL, 0)
        session.close()
        for writer in self.writers:
            writer.start()
        for _ in self.writers:
            self.ready.acquire()
        return self

    def acknowledged(self, writer, begin, end, zxid, name):
        with self.lock:
            self.writes.append((begin, end, zxid, writer.name, name))

    def count(self):
        """How many writes have been acknowledged."""
        return len(self.writes)

    def longest_pause(self, since=0.0):
        """The longest time, in seconds, between two acknowledgements from `since` (time.monotonic()) until now."""
        with self.lock:
            ends = sorted(end for _, end, _, _, _ in self.writes if end >= since)
        points = [since or (ends[0] if ends else 0.0)] + ends + [time.monotonic()]
        return max(later - earlier for earlier, later in zip(points, points[1:]))

    def wait_progress(self, count=20, timeout=60.0):
        """Waits until so many more writes have been acknowledged; False when they are not."""
        goal, deadline = self.count() + count, time.monotonic() + timeout
        while self.count() < goal:
            if time.monotonic() > deadline:
                return False
            time.sleep(0.01)
        return True

    def finish(self, timeout=60.0):
        """Ends the writers."""
        self.stop.set()
        deadline = time.monotonic() + timeout
        for writer in self.writers:
            writer.join(max(0.1, deadline - time.monotonic()))
            if writer.is_alive():
                self.violations.append("%s does not end" % writer.name)
        for writer in self.writers:
            writer.session.close()

    def verify_order(self):
        """No zxid twice, and the order of zxids is one that clients could have seen."""
        by_zxid = {}
        for write in self.writes:
            if write[2] in by_zxid:
                self.violations.append("zxid 0x%x acknowledges %s of %s and %s of %s" % (
                    write[2], write[4], write[3], by_zxid[write[2]][4], by_zxid[write[2]][3]))
            by_zxid[write[2]] = write
        ended = sorted(self.writes, key=lambda write: write[1])
        at, largest = 0, None
        for write in sorted(self.writes):
            while ended[at][1] < write[0]:
                if largest is None or ended[at][2] > largest[2]:
                    largest = ended[at]
                at += 1
            if largest is not None and largest[2] > write[2]:
                self.violations.append("%s of %s has zxid 0x%x and began after %s of %s was answered with 0x%x" % (
                    write[4], write[3], write[2], largest[4], largest[3], largest[2]))

    def verify(self, tree):
        """Checks everything against the tree all servers hold; returns the violations."""
        self.verify_order()
        for writer in self.writers:
            writer.check(tree)
        return self.violations

    def wait_no_ephemerals(self, servers):
        """Waits until sessions that could not be closed have expired; returns the ephemerals that stay even so."""
        deadline = time.monotonic() + self.timeout_ms / 1000 + 15
        while True:
            left = []
            for sid in servers.running():
                tree = trees.dump(servers.address_of(sid), root=self.prefix)
                left += ["%s: %s cannot be read, error %d" % (servers.name(sid), path.decode(), node)
                         for path, node in tree.items() if isinstance(node, int)]     # it went just then
                left += ["%s has the ephemeral %s of session 0x%x" % (
                    servers.name(sid), path.decode(), dict(node[1])["ephemeralOwner"])
                    for path, node in tree.items() if not isinstance(node, int) and dict(node[1])["ephemeralOwner"]]
            if not left or time.monotonic() > deadline:
                return left
            time.sleep(0.5)

    def summary(self):
        counts = {outcome: sum(writer.counts[outcome] for writer in self.writers) for outcome in OUTCOMES}
        return "%s; %d reconnections, %d expired sessions" % (
            ", ".join("%d writes %s" % (counts[outcome], outcome) for outcome in OUTCOMES),
            sum(writer.session.reconnects for writer in self.writers) - len(self.writers),
            sum(writer.session.expirations for writer in self.writers))
