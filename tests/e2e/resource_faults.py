#!/usr/bin/env python3
# timeout: 280
"""resource_faults.py - a server that runs short of descriptors, memory, disk or time, or is asked for a great deal at once.

    resource_faults.py                  a sample, small in size, as make check has it
    resource_faults.py --full           ten thousand connections, a million watches, a million ephemerals
    resource_faults.py --only NAME      one of the groups below, as "descriptors"

Each group has a server of its own and a client that is served meanwhile. What is measured stands behind # in the output.
"""

import argparse
import concurrent.futures
import errno
import glob
import os
import re
import resource
import selectors
import socket
import struct
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

import jute                 # noqa: E402
import protocol             # noqa: E402
import quorum_wire          # noqa: E402
import rawclient            # noqa: E402
import servers              # noqa: E402
import tap                  # noqa: E402
import txnlog               # noqa: E402
from pinger import Pinger   # noqa: E402
from protocol import OP, OPEN_ACL      # noqa: E402

PATIENCE = 60.0             # seconds for what must come about, however busy the machine
SESSION_ID = 0x100000000000000
GONE = (rawclient.Closed, rawclient.Timeout, OSError)
INT = jute.INT.pack
BUFFER = jute.encode_buffer

SAMPLE = {"flood": 1500, "watchers": 500, "watched": (40, 250), "ephemerals": 30000, "sessions": 3000, "bound_ms": 2500}
FULL = {"flood": 10000, "watchers": 9000, "watched": (500, 2000), "ephemerals": 1000000, "sessions": 100000,
        "bound_ms": 2500}


def wait_for(happens, patience=PATIENCE):
    deadline = time.monotonic() + patience
    while not happens():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def metric(server, name):
    for line in server.word("mntr").splitlines():
        key, _, value = line.partition("\t")
        if key == "zk_" + name:
            return float(value)
    raise KeyError(name)


def of_process(server, name, file="status"):
    """A number of kB out of /proc/<pid>/status."""
    with open("/proc/%d/%s" % (server.process.pid, file), encoding="ascii") as status:
        return int(re.search(r"^%s:\s+(\d+)" % name, status.read(), re.M).group(1))


def resident_mib(server):
    return of_process(server, "VmRSS") / 1024


def cpu_seconds(server):
    with open("/proc/%d/stat" % server.process.pid, encoding="ascii") as file:
        fields = file.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def descriptors_of(server):
    return len(os.listdir("/proc/%d/fd" % server.process.pid))


def log_of(server):
    with open(server.log_path, encoding="utf-8", errors="replace") as file:
        return file.read()


def raise_own_limit():
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def permitted(count):
    """As many connections as this process, and a server with its limit, can have."""
    return min(count, resource.getrlimit(resource.RLIMIT_NOFILE)[0] - 120)


class Many:
    """Connections without a thread each: all of them send something, then all of them are waited for."""

    def __init__(self, address, count):
        self.address, self.sockets = address, []
        for _ in range(count):
            self.sockets.append(self.connect())

    def connect(self):
        end = socket.socket()
        end.setblocking(False)
        try:
            end.connect(self.address)
        except BlockingIOError:
            pass
        return end

    def send(self, data):
        """To each; data is bytes, or a function of the number of the connection."""
        for number, end in enumerate(self.sockets):
            left = data(number) if callable(data) else data
            deadline = time.monotonic() + PATIENCE
            while left:
                try:
                    left = left[end.send(left):]
                except (BlockingIOError, OSError) as error:
                    if error.errno not in (errno.EAGAIN, errno.ENOTCONN) or time.monotonic() > deadline:
                        raise
                    time.sleep(0.001)

    def receive(self, size, patience=PATIENCE):
        """Waits until each has got so many bytes; how many have."""
        got, done, left = [0] * len(self.sockets), 0, len(self.sockets)
        deadline = time.monotonic() + patience
        with selectors.DefaultSelector() as selector:
            for number, end in enumerate(self.sockets):
                selector.register(end, selectors.EVENT_READ, number)
            while left > 0 and time.monotonic() < deadline:
                for key, _ in selector.select(1.0):
                    try:
                        data = key.fileobj.recv(min(size - got[key.data], 1 << 20))
                    except BlockingIOError:
                        continue
                    except OSError:
                        data = b""
                    got[key.data] += len(data)
                    if not data or got[key.data] >= size:
                        selector.unregister(key.fileobj)
                        left -= 1
                        done += got[key.data] >= size
        return done

    def make_sessions(self, timeout_ms=40000):
        frame = rawclient.connect_frame(timeout_ms=timeout_ms)
        self.send(INT(len(frame)) + frame)
        return self.receive(41)     # a connect response with its length

    def close(self):
        for end in self.sockets:
            end.close()
        self.sockets = []


def frame(xid, name, body):
    payload = INT(xid) + INT(OP[name]) + body
    return INT(len(payload)) + payload


# ---- what runs short ----

def descriptors(results, sizes):
    """64 descriptors: clients take what they can get."""
    server = servers.ZkcServer({"maxClientCnxns": 0}, {"zookeeper.snapCount": 40, "zookeeper.preAllocSize": 64,
                                                      "zookeeper.nio.sessionlessCnxnTimeout": 120000})
    server.prefix = ("bash", "-c", 'ulimit -n 64; exec "$0" "$@"')
    with server:
        witness = server.session(timeout_ms=40000)
        witness.call("create", b"/w", b"", OPEN_ACL, 0)
        before, crowd = descriptors_of(server), Many(server.address, 80)
        full = wait_for(lambda: "no connection is accepted" in log_of(server))
        results.ok(full and descriptors_of(server) < 64, "descriptors: clients never get the last of them")
        used = cpu_seconds(server)
        for number in range(300):
            witness.call("setData", b"/w", b"%d" % number, -1)
        logs = len(glob.glob(os.path.join(server.data_dir, "version-2", "log.*")))
        results.ok(logs >= 3, "descriptors: logs begin all the same, and who is in is served")
        snapshots = len(glob.glob(os.path.join(server.data_dir, "version-2", "snapshot.*")))
        results.ok(snapshots >= 2 and "Cannot write a snapshot" not in log_of(server), "descriptors: so do snapshots")
        used_by_writes = cpu_seconds(server) - used
        start, used = time.monotonic(), cpu_seconds(server)
        time.sleep(0.6)
        share = (cpu_seconds(server) - used) / (time.monotonic() - start)
        results.ok(share < 0.2, "descriptors: who waits for one costs no time")
        results.ok(log_of(server).count("no connection is accepted") < 20, "descriptors: the log tells, and is not filled")
        last = crowd.sockets.pop()
        crowd.close()
        last.setblocking(True)
        last.settimeout(PATIENCE)
        last.sendall(b"ruok")
        results.ok(last.recv(4) == b"imok", "descriptors: when some come free, whoever waited is served")
        results.ok(wait_for(lambda: descriptors_of(server) <= before), "descriptors: none is lost")
        results.ok(server.stop() == 0, "descriptors: and it comes down")
        results.note("descriptors: %d logs, %.2f s of CPU for 300 writes, %.1f %% while 80 wait" %
                     (logs, used_by_writes, share * 100))


def memory(results, sizes):
    """The address space ends while clients fill the tree."""
    with servers.ZkcServer() as server:
        session = server.session(timeout=20.0)
        limit = of_process(server, "VmSize") * 1024 + (96 << 20)
        resource.prlimit(server.process.pid, resource.RLIMIT_AS, (limit, limit))
        acknowledged, process = [], server.process
        try:
            for number in range(600):
                session.call("create", b"/m%03d" % number, bytes([number % 256]) * 700000, OPEN_ACL, 0)
                acknowledged.append(number)
        except GONE:
            pass
        wait_for(lambda: process.poll() is not None)
        results.ok(process.poll() not in (None, 0) and 0 < len(acknowledged) < 600,
                   "memory: without any left the server ends")
        results.ok("out of memory" in log_of(server), "memory: and says so")
        again = servers.ZkcServer(data_from=server.data_dir)
        with again:
            session = again.session()
            kept = sum(session.call("getData", b"/m%03d" % number, False).data == bytes([number % 256]) * 700000
                       for number in acknowledged)
            results.ok(kept == len(acknowledged), "memory: what was acknowledged is there when it starts again")
        results.note("memory: ended with %s after %d nodes of 700,000 bytes" % (process.poll(), len(acknowledged)))


def frames_without_memory(results, sizes):
    """Frames announced but not sent cost nothing, however many there are."""
    with servers.ZkcServer({"maxClientCnxns": 0}, {"zookeeper.nio.sessionlessCnxnTimeout": 120000}) as server:
        before, crowd = resident_mib(server), Many(server.address, 400)
        crowd.send(INT(0xfffff) + b"x" * 20)
        settled = wait_for(lambda: metric(server, "num_alive_connections") >= 400)
        grown = resident_mib(server) - before
        results.ok(settled and grown < 32, "memory: what is announced costs nothing before it comes")
        results.note("memory: 400 connections that announce 1 MiB each take %.1f MiB" % grown)
        crowd.close()


class ShortOfDisk(servers.ZkcServer):
    """A server whose disk is full while `full_path` is there, and slow by the ms that `slow_path` says."""

    def __init__(self, config=None, properties=None, **options):
        super().__init__(config, properties, **options)
        self.full_path, self.slow_path = (os.path.join(self.directory, name) for name in ("full", "slow"))
        self.fill(self.data_dir)

    def fill(self, directory):
        """Which directory stands on that disk."""
        self.prefix = ("env", "LD_PRELOAD=" + servers.fault_library("file_faults.so"), "ZKC_FAULT_DIR=" + directory,
                       "ZKC_FAULT_FULL=" + self.full_path, "ZKC_FAULT_SLOW=" + self.slow_path)

    def set(self, path, text):
        with open(path + ".new", "w", encoding="ascii") as file:
            file.write(text)
        os.rename(path + ".new", path)


def disk_full(results, sizes):
    with ShortOfDisk(properties={"zookeeper.preAllocSize": 64}) as server:
        session, process, acknowledged = server.session(timeout=20.0), server.process, 0
        try:
            for number in range(2000):
                if number == 50:
                    server.set(server.full_path, "")
                session.call("create", b"/d%04d" % number, b"x" * 1000, OPEN_ACL, 0)
                acknowledged = number + 1
        except GONE:
            pass
        wait_for(lambda: process.poll() is not None)
        log = log_of(server)
        results.ok(process.poll() == 1 and 50 <= acknowledged < 2000, "a full disk: no write is acknowledged, the server ends")
        results.ok("No space left on device" in log and server.data_dir in log, "a full disk: it names file and reason")
        server.kill()       # so that it counts as gone
        try:
            server.start()
            came_up = True
            server.stop()
        except servers.StartError as error:
            came_up = "No space left on device" in str(error)
        results.ok(came_up, "a full disk: a start meanwhile serves what is there, or says why not")
        os.remove(server.full_path)
        server.start()
        session = server.session()
        there = set(session.call("getChildren", b"/", False).children)
        results.ok(all(b"d%04d" % number in there for number in range(acknowledged)),
                   "a full disk: with room again it starts by itself, and has what was acknowledged")
        results.ok(session.ask("create", b"/after", b"", OPEN_ACL, 0)[0].err == 0, "a full disk: and takes writes")
        results.note("a full disk: %d writes acknowledged" % acknowledged)
    server = ShortOfDisk(properties={"zookeeper.snapCount": 20})
    log_dir = os.path.join(server.directory, "logs")
    server.config["dataLogDir"] = log_dir
    with server:
        session = server.session()
        session.call("create", b"/s", b"", OPEN_ACL, 0)
        server.set(server.full_path, "")
        for number in range(100):
            session.call("setData", b"/s", b"%d" % number, -1)
        results.ok(wait_for(lambda: "Cannot write a snapshot" in log_of(server)) and
                   session.ask("setData", b"/s", b"more", -1)[0].err == 0,
                   "no room for snapshots: it tells, and the log goes on")
        os.remove(server.full_path)

        def snapshots():
            return len(glob.glob(os.path.join(server.data_dir, "version-2", "snapshot.*")))

        before = snapshots()
        results.ok(wait_for(lambda: session.ask("setData", b"/s", b"more", -1)[0].err == 0 and snapshots() > before),
                   "no room for snapshots: the next is written when there is")
        results.ok(wait_for(lambda: not glob.glob(os.path.join(server.data_dir, "version-2", "*.tmp"))),
                   "no room for snapshots: nothing is left of those that failed")


def unreadable(results, sizes):
    """A disk that gives a file back no more, and later does again."""
    with servers.ZkcServer({}, {"zookeeper.snapCount": 30}) as server:
        session = server.session()
        for number in range(100):
            session.call("create", b"/u%03d" % number, b"x", OPEN_ACL, 0)
        server.kill()
        directory = os.path.join(server.data_dir, "version-2")

        def newest(kind):
            return max((name for name in os.listdir(directory) if name.startswith(kind + ".")),
                       key=lambda name: int(name.split(".")[1], 16))

        def is_whole():
            return len(server.session().call("getChildren", b"/", False).children) == 101

        for kind in ("log", "snapshot"):
            name, lines = newest(kind), len(log_of(server))
            before = [file for file in os.listdir(directory) if not file.endswith(".tmp")]    # of a kill
            server.prefix = ("env", "LD_PRELOAD=" + servers.fault_library("file_faults.so"),
                             "ZKC_FAULT_DIR=" + server.data_dir,
                             "ZKC_FAULT_READ=" + name)
            try:
                server.start()
                serves, said = is_whole(), log_of(server)[lines:]
                server.kill()
            except servers.StartError as error:
                serves, said = "status 1\n" in str(error), str(error)
            results.ok(serves and name in said and "Input/output error" in said,
                       "a %s that cannot be read: no start, or nothing is missing; file and reason are named" % kind)
            results.ok(set(before) <= set(os.listdir(directory)), "a %s that cannot be read: it stays where it is" % kind)
            server.prefix = ()
            server.start()
            results.ok(is_whole(), "a %s that can be read again: all is there" % kind)
            server.kill()


def slow_sync(results, sizes):
    delay_ms = 1500
    with ShortOfDisk() as server:
        writer, other = server.session(), server.session()
        writer.call("create", b"/slow", b"0", OPEN_ACL, 0)
        server.set(server.slow_path, "%d" % delay_ms)
        writer.send("setData", b"/slow", b"1", -1)
        start, answered, longest = time.monotonic(), 0, 0.0
        while not writer.connection.pending_frames() and time.monotonic() - start < PATIENCE:
            before = time.monotonic()
            other.ping()
            longest = max(longest, time.monotonic() - before)
            answered += 1
            time.sleep(0.01)
        took = time.monotonic() - start
        results.ok(took > delay_ms / 1000 * 0.9, "a slow sync: the write waits for it")
        results.ok(answered >= 10 and longest < delay_ms / 2000, "a slow sync: pings are answered meanwhile")
        writer.send("setData", b"/slow", b"2", -1)
        before = time.monotonic()
        data = other.call("getData", b"/slow", False).data
        results.ok(data in (b"1", b"2") and time.monotonic() - before < 3 * delay_ms / 1000 + 2,
                   "a slow sync: a read waits for the one under way at most")
        writer.receive("setData")
        os.remove(server.slow_path)
        results.ok(metric(server, "max_fsynctime") >= delay_ms, "a slow sync: it shows in mntr")
        results.ok(re.search(r"fsync of \S+ took \d{4,} ms", log_of(server)) is not None, "a slow sync: and in the log")
        results.note("a slow sync: %d pings beside a sync of %.2f s, longest %.1f ms" % (answered, took, longest * 1000))


# ---- time ----

def clock(results, sizes):
    """The wall clock goes an hour ahead, two back; nothing but dates may follow."""
    server = servers.ZkcServer({"tickTime": 300, "minSessionTimeout": 600, "maxSessionTimeout": 60000})
    path = os.path.join(server.directory, "clock")
    hour_ms = 3600 * 1000

    def ahead(ms):
        with open(path, "r+b" if os.path.exists(path) else "w+b") as file:
            file.write(struct.pack("=q", ms))

    ahead(0)
    server.prefix = ("env", "LD_PRELOAD=" + servers.fault_library("clock_faults.so"), "ZKC_CLOCK_FILE=" + path)
    with server:
        writer, silent = server.session(), server.session(timeout_ms=30000)
        silent.call("create", b"/silent", b"", OPEN_ACL, 1)
        zxids, is_right = [], True
        for number, ms in enumerate((0, hour_ms, -2 * hour_ms, 30 * 24 * hour_ms)):
            ahead(ms)
            time.sleep(0.7)     # two ticks of the session tracker
            header, got = writer.ask("create2", b"/c%d" % number, b"", OPEN_ACL, 0)
            zxids.append(header.zxid)
            is_right = is_right and abs(got.stat.ctime - (time.time() * 1000 + ms)) < 30000
        results.ok(is_right, "a clock that jumps: dates of nodes follow it")
        results.ok(zxids == sorted(set(zxids)), "a clock that jumps: zxids do not")
        results.ok(metric(server, "stale_sessions_expired") == 0 and silent.ping() is not None and
                   writer.call("exists", b"/silent", False).stat is not None,
                   "a clock that jumps: no session is ended by it")
        brief = server.session(timeout_ms=1500)
        brief.call("create", b"/brief", b"", OPEN_ACL, 1)
        ahead(-30 * 24 * hour_ms)
        results.ok(wait_for(lambda: writer.ask("exists", b"/brief", False)[0].err == -101),
                   "a clock that jumps: nor kept by it")
        server.stop()
        ahead(-24 * hour_ms)
        server.start()
        again = server.session(session_id=silent.id, password=silent.password)
        fresh = server.session()
        results.ok(not again.expired and fresh.id not in (silent.id, writer.id),
                   "a clock that went back: a start knows its sessions, and gives out none of their ids")


def standstill(results, sizes):
    """The process stands still for longer than any session may be silent."""
    count, timeout_ms = 20, 3000
    with servers.ZkcServer({"tickTime": 500, "maxClientCnxns": 0}) as server:
        sessions = [server.session(timeout_ms=timeout_ms) for _ in range(3 * count)]
        for number, session in enumerate(sessions):
            session.call("create", b"/p%03d" % number, b"", OPEN_ACL, 1)
        patient, returning, gone = sessions[:count], sessions[count:2 * count], sessions[2 * count:]
        for session in sessions:
            session.ping()
        server.pause()
        time.sleep(1.5 * timeout_ms / 1000)
        for session in patient:
            session.connection.send_frame(jute.encode("RequestHeader", -2, OP["ping"]))
        for session in returning + gone:
            session.disconnect()
        server.resume()
        back = [server.session(session_id=session.id, password=session.password, timeout_ms=timeout_ms)
                for session in returning]
        results.ok(not any(session.expired for session in back),
                   "a process that stood still: who comes back has its session")
        held = [session.receive("ping")[0].err for session in patient]
        results.ok(held == [0] * count, "a process that stood still: who stayed is answered")
        results.ok(metric(server, "stale_sessions_expired") == 0 and "stood still for" in log_of(server),
                   "a process that stood still: nobody has expired, and the log tells")
        watcher = server.session()

        def silent_are_gone():
            for session in patient + back:
                session.ping()
            return not set(watcher.call("getChildren", b"/", False).children) & \
                {b"p%03d" % number for number in range(2 * count, 3 * count)}

        results.ok(wait_for(silent_are_gone), "a process that stood still: who does not come back expires in time")
        results.ok(metric(server, "stale_sessions_expired") == len(gone), "a process that stood still: and nobody else")


# ---- a great deal at once ----

def flood(results, sizes):
    count = permitted(sizes["flood"])
    config = {"maxClientCnxns": 0, "clientPortListenBacklog": 1024}
    with servers.ZkcServer(config, {"zookeeper.nio.sessionlessCnxnTimeout": 300000}) as server:
        first = server.session(timeout_ms=40000)
        first.call("create", b"/w", b"", OPEN_ACL, 0)       # so that there is a log
        before, base = resident_mib(server), descriptors_of(server)
        with Pinger(server.address) as witness:
            start, crowd = time.monotonic(), Many(server.address, count)
            crowd.send(b"\0\0\0")       # not even a length
            settled = wait_for(lambda: descriptors_of(server) >= base + count)
            took = time.monotonic() - start
            held = resident_mib(server)
            crowd.close()
            emptied = wait_for(lambda: descriptors_of(server) <= base + 1)
        results.ok(settled and emptied, "a flood of connections: all come in, and go")
        results.ok(witness.within(sizes["bound_ms"]), "a flood of connections: who is in is answered")
        with Pinger(server.address) as witness:
            crowd = Many(server.address, count)
            made = crowd.make_sessions()
            with_sessions = resident_mib(server)
            crowd.close()
            emptied = wait_for(lambda: descriptors_of(server) <= base + 1)
        results.ok(made == count and emptied, "a storm of clients: each gets its session")
        results.ok(witness.within(sizes["bound_ms"]), "a storm of clients: who is in is answered")
        crowd = Many(server.address, count)
        crowd.send(b"\0\0\0")
        wait_for(lambda: descriptors_of(server) >= base + count)
        again = resident_mib(server)
        crowd.close()
        left = again - before
        results.ok(left < 24 + count * 0.012, "a flood of connections: its memory is used again")
        results.note("a flood of %d connections in %.2f s: %.1f MiB before, %.1f with them, %.1f with sessions, %.1f with "
                     "a third flood; a ping: %s" % (count, took, before, held, with_sessions, again, witness))


def slow_reader(results, sizes):
    """Events that nobody reads, of a path so long that few of them are much."""
    path = b"/" + b"e" * 900000
    with servers.ZkcServer() as server:
        reader, writer = server.session(), server.session()
        writer.call("create", path, b"", OPEN_ACL, 0)
        reader.call("addWatch", b"/", 1)
        before, sent = resident_mib(server), 0

        def closed():
            return "does not read its events" in log_of(server)

        while sent < 150 and not closed():
            writer.call("setData", path, b"", -1)
            sent += 1
        results.ok(closed() and sent < 150, "a client that reads no events: is cut off")
        grown = resident_mib(server) - before
        results.ok(grown < 160, "a client that reads no events: what waits for it is bounded")
        results.ok(writer.ping() is not None and wait_for(lambda: metric(server, "num_alive_connections") == 2),
                   "a client that reads no events: others go on")
        results.note("a client that reads no events: cut off after %.1f MB, %.1f MiB more" % (sent * 0.9, grown))


def watches(results, sizes):
    count, bound_ms = permitted(sizes["watchers"]), sizes["bound_ms"]
    config = {"maxClientCnxns": 0, "clientPortListenBacklog": 1024}
    with servers.ZkcServer(config) as server:
        writer = server.session(timeout=120.0)
        writer.call("create", b"/hot", b"", OPEN_ACL, 0)
        crowd = Many(server.address, count)
        made = crowd.make_sessions()
        crowd.send(frame(1, "getData", BUFFER(b"/hot") + b"\1"))
        answer = 4 + 16 + 4 + 68
        watching = crowd.receive(answer)
        results.ok(made == watching == count and metric(server, "watch_count") == count,
                   "a node that all watch: so many watches are there")
        with Pinger(server.address) as witness:
            start = time.monotonic()
            writer.call("setData", b"/hot", b"", -1)
            written = time.monotonic() - start
            told = crowd.receive(4 + 16 + 4 + 4 + 4 + len(b"/hot"))
            took = time.monotonic() - start
        results.ok(told == count and metric(server, "watch_count") == 0, "a node that all watch: one event tells each")
        results.ok(witness.within(bound_ms), "a node that all watch: others are answered meanwhile")
        results.note("a node that %d watch: written after %.1f ms, all told after %.1f ms; a ping: %s" %
                     (count, written * 1000, took * 1000, witness))
        crowd.close()
    count, paths = sizes["watched"]
    with servers.ZkcServer(config) as server:
        writer = server.session(timeout=120.0)
        writer.call("create", b"/m", b"", OPEN_ACL, 0)
        before = resident_mib(server)
        crowd = Many(server.address, count)
        made = crowd.make_sessions()
        names = [b"/m/%05d" % number for number in range(paths)]
        body = jute.LONG.pack(0) + INT(0) + jute.encode_value("vector<ustring>", names) + INT(0)
        set_watches = INT(-8) + INT(OP["setWatches"]) + body
        crowd.send(INT(len(set_watches)) + set_watches)
        set_ = crowd.receive(4 + 16)
        total = count * paths
        held = resident_mib(server) - before
        results.ok(made == set_ == count and metric(server, "watch_count") == total,
                   "many watches: as many as were asked for are there")
        creates = protocol.encode_multi([("create", jute.encode("CreateRequest", name, b"", OPEN_ACL, 0))
                                         for name in names])
        with Pinger(server.address) as witness:
            start = time.monotonic()
            writer.call("multi", creates)
            written = time.monotonic() - start
            told = crowd.receive(paths * (4 + 16 + 4 + 4 + 4 + len(names[0])))
            took = time.monotonic() - start
        results.ok(told == count and metric(server, "watch_count") == 0, "many watches: a transaction that fires all tells all")
        results.ok(witness.within(bound_ms), "many watches: others are answered meanwhile")
        results.note("%d watches: %.0f bytes each; fired by one multi: written after %.0f ms, told after %.0f ms, "
                     "%.1f MiB at most; a ping: %s" % (total, held * (1 << 20) / total, written * 1000, took * 1000,
                                                       of_process(server, "VmHWM") / 1024, witness))
        crowd.close()


def ephemerals(results, sizes):
    """The transaction that closes such a session is longer than any packet may be (ZOOKEEPER-4306)."""
    count = sizes["ephemerals"]
    name = b"/e/%07d" + b"x" * (70 if count < 100000 else 10)
    with servers.ZkcServer({}, {"zookeeper.snapCount": 10000000}) as server:
        owner = server.session(timeout=300.0, timeout_ms=40000)
        owner.call("create", b"/e", b"", OPEN_ACL, 0)
        before, acl = resident_mib(server), jute.encode_value("vector<ACL>", OPEN_ACL)
        sent, step = 0, 1000
        start = time.monotonic()
        for first in range(0, count, step):
            paths = (BUFFER(name % number) for number in range(first, min(first + step, count)))
            head = INT(OP["create"]) + b"\0" + INT(-1)
            body = b"".join([head + path + INT(0) + acl + INT(1) for path in paths]) + INT(-1) + b"\1" + INT(-1)
            owner.send("multi", body)
            sent += 1
            if sent % 8 == 0:
                for _ in range(8):
                    owner.receive("multi")
        for _ in range(sent % 8):
            owner.receive("multi")
        made = time.monotonic() - start
        held = resident_mib(server) - before
        results.ok(metric(server, "ephemerals_count") == count, "a session of many ephemerals: they are there")
        with Pinger(server.address) as witness:
            time.sleep(0.1)
            start = time.monotonic()
            ended = owner.ask("closeSession")[0].err == 0
            took = time.monotonic() - start
        results.ok(ended and metric(server, "ephemerals_count") == 0, "a session of many ephemerals: they go with it")
        results.ok(witness.within(sizes["bound_ms"]), "a session of many ephemerals: others are answered meanwhile")
        size = os.path.getsize(txnlog.log_files(server.data_dir)[-1])
        results.note("a session of %d ephemerals: made in %.1f s, %.0f bytes each; closed in %.0f ms, %.0f MiB at most; "
                     "a ping: %s" % (count, made, held * (1 << 20) / count, took * 1000,
                                     of_process(server, "VmHWM") / 1024, witness))
        server.kill()
        start = time.monotonic()
        server.start()
        started = time.monotonic() - start
        longest = count * (len(name % 0) + 4)
        results.ok(longest > 2 * 0xfffff and metric(server, "ephemerals_count") == 0 and
                   server.session().call("getChildren", b"/e", False).children == [],
                   "a session of many ephemerals: its end is read again at a start")
        results.note("a session of %d ephemerals: started again in %.2f s, from a log of %.0f MiB" %
                     (count, started, size / (1 << 20)))


def expiry(results, sizes):
    """Sessions out of the log, all of which expire in one tick."""
    count = sizes["sessions"]
    server = servers.ZkcServer({"tickTime": 500})
    os.makedirs(os.path.join(server.data_dir, "version-2"), exist_ok=True)
    txnlog.write_empty_snapshot(server.data_dir)
    txns, zxid = [(1, quorum_wire.txn(1, "create", b"/x", b"", OPEN_ACL, False, 1))], 1
    for number in range(count):
        session_id = SESSION_ID + number
        zxid += 1
        txns.append((zxid, quorum_wire.txn(zxid, "createSession", 3000, session_id=session_id)))
        if number % 10 == 0:
            zxid += 1
            txns.append((zxid, quorum_wire.txn(zxid, "create", b"/x/%d" % number, b"", OPEN_ACL, True, 1 + number // 10,
                                               session_id=session_id)))
    txnlog.write_file(server.data_dir, txns)
    with server:
        known = metric(server, "global_sessions")
        with Pinger(server.address) as witness:
            ended = wait_for(lambda: metric(server, "stale_sessions_expired") >= count, 4 * PATIENCE)
            start = time.monotonic()
            ended = ended and wait_for(lambda: metric(server, "ephemerals_count") == 0 and
                                       metric(server, "global_sessions") <= 1)
            took = time.monotonic() - start
        results.ok(known >= count and ended, "many sessions that expire at once: all of them, with their nodes")
        results.ok(witness.within(sizes["bound_ms"]), "many sessions that expire at once: others are answered meanwhile")
        results.ok(metric(server, "stale_sessions_expired") == count, "many sessions that expire at once: and nobody else")
        results.note("%d sessions that expire at once: the last is gone %.2f s after it is found, %.0f MiB at most; "
                     "a ping: %s" % (count, took, of_process(server, "VmHWM") / 1024, witness))


ALONE = (flood, watches, ephemerals, expiry)        # what keeps a processor busy
BESIDE = (standstill, clock, slow_sync, descriptors, disk_full, unreadable, memory, frames_without_memory,
          slow_reader)
GROUPS = {group.__name__: group for group in BESIDE + ALONE}


class Kept:
    """What a group says, to be told when it is through."""

    def __init__(self):
        self.said = []

    def ok(self, passed, fact):
        self.said.append((bool(passed), fact))

    def note(self, text):
        self.said.append((None, text))


def run(group, sizes):
    kept, start = Kept(), time.monotonic()
    try:
        group(kept, sizes)
    except Exception as error:      # pylint: disable=broad-except
        kept.ok(False, "%s: %s: %s" % (group.__name__, type(error).__name__, error))
    kept.note("%s took %.1f s" % (group.__name__, time.monotonic() - start))
    return kept.said


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--full", action="store_true", help="the sizes that RELIABILITY asks for")
    parser.add_argument("--only", choices=sorted(GROUPS), action="append")
    tap.add_option(parser)
    arguments = parser.parse_args()
    missing = servers.require("zkc")
    for name in ("file_faults.so", "clock_faults.so"):
        if missing is None and not os.path.exists(servers.fault_library(name)):
            missing = name + " is not built"
    if missing:
        tap.skip_all(missing)
    raise_own_limit()
    results, sizes = tap.Tap(plain=not arguments.tap), FULL if arguments.full else SAMPLE
    chosen = [GROUPS[name] for name in arguments.only] if arguments.only else list(GROUPS.values())

    def tell(said):
        for passed, text in said:
            if passed is None:
                results.note(text)
            else:
                results.ok(passed, text)

    beside = [group for group in chosen if group in BESIDE]
    with concurrent.futures.ThreadPoolExecutor(2) as pool:      # they mostly wait
        for said in pool.map(lambda group: run(group, sizes), beside):
            tell(said)
    for group in chosen:
        if group in ALONE:
            tell(run(group, sizes))
    return results.done()


if __name__ == "__main__":
    sys.exit(main())
