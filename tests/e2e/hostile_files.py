#!/usr/bin/env python3
# timeout: 200
"""hostile_files.py - files of a server as nobody should leave them: logs, snapshots, epochs, myid, zoo.cfg.

    hostile_files.py                  each row
    hostile_files.py --row "myid"     rows whose name has this in it
    hostile_files.py --full           with 100,000 logs

A row spoils what a server is to start on. It starts, or ends at once with a code and a sentence that names the file; it
neither hangs nor grows. What a crash or a disk does to logs and snapshots stands in tests/oracle/corrupt.py, beside Java.
"""

import argparse
import concurrent.futures
import gzip
import os
import re
import shutil
import struct
import sys
import tempfile
import time
import zlib

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

import jute             # noqa: E402
import quorum_wire      # noqa: E402
import ports            # noqa: E402
import rawclient        # noqa: E402
import servers          # noqa: E402
import tap              # noqa: E402
import txnlog           # noqa: E402
from protocol import OPEN_ACL      # noqa: E402

STARTS = "starts"
HUGE = 0x7fffffff
PATIENCE = 60.0
ADDRESS_SPACE_KB = 960 << 10    # of a server that is shown what would take gigabytes
TREE = ((b"/a", b"one"), (b"/b", b"two"), (b"/a/c", b"three"))


class Place(servers.ZkcServer):
    """A server to be, alone or one of three, whose files a row spoils before it starts."""

    def __init__(self, voters=0, data_from=None):
        super().__init__(data_from=data_from)
        self.voters = voters
        self.lines, self.change = [], None      # added to zoo.cfg; its bytes, or None when they are not to be written
        self.write("data/myid", b"1\n")
        if voters:
            self.config.update({"initLimit": 10, "syncLimit": 5, "tickTime": 500})
            for sid in range(1, voters + 1):
                self.config["server.%d" % sid] = "127.0.0.1:%d:%d" % (ports.one(), ports.one())

    def path(self, name):
        return os.path.join(self.directory, name)

    def write(self, name, content):
        os.makedirs(os.path.dirname(self.path(name)), exist_ok=True)
        with open(self.path(name), "wb") as file:
            file.write(content)

    def read(self, name):
        with open(self.path(name), "rb") as file:
            return file.read()

    def newest(self, kind):
        """The path, below the directory, of the newest log or snapshot."""
        names = [name for name in os.listdir(self.path("data/version-2")) if re.fullmatch(kind + r"\.[0-9a-f]+", name)]
        return "data/version-2/" + max(names, key=lambda name: int(name.split(".")[1], 16))

    def write_config(self):
        path = super().write_config()
        content = self.read("zoo.cfg") + "".join("%s\n" % line for line in self.lines).encode()
        if self.change is not None:
            content = self.change(content)
        if content is not None:
            self.write("zoo.cfg", content)
        return path

    def outcome(self):
        """STARTS, or (exit status, the last line of the log); and the log."""
        self.launch()
        process, deadline = self.process, time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            if process.poll() is not None:
                return process.returncode, self.log()
            if self.voters and "New election" in self.log():
                return STARTS, self.log()
            if not self.voters:
                try:
                    if "Mode:" in rawclient.four_letter_word(self.address, "srvr", 5.0):
                        return STARTS, self.log()
                except (OSError, rawclient.Timeout):
                    pass
            time.sleep(0.01)
        return "neither starts nor ends", self.log()

    def log(self):
        with open(self.log_path, encoding="utf-8", errors="replace") as file:
            return file.read()

    def tree(self):
        session = self.session()
        try:
            return {path: node[0] for path, node in rawclient.walk(session).items()
                    if not path.startswith(b"/zookeeper") and path != b"/"}
        finally:
            session.disconnect()


# ---- making files ----

def txns(first, count):
    """(zxid, bytes) of creates of /t<zxid>, one after the other."""
    return [(zxid, quorum_wire.txn(zxid, "create", b"/t%d" % zxid, b"", OPEN_ACL, False, 1))
            for zxid in range(first, first + count)]


def record(zxid, body):
    return struct.pack(">qi", zlib.adler32(body), len(body)) + body + txnlog.END


def log_file(*records):
    return struct.pack(">iiq", txnlog.MAGIC, 2, 0) + b"".join(records)


INT = jute.INT.pack
STAT = jute.encode("StatPersisted", 0, 0, 0, 0, 0, 0, 0, 0, 0)
SNAPSHOT_HEAD = struct.pack(">iiq", txnlog.SNAPSHOT_MAGIC, 2, -1)


def node(path, data=b"", acl=1):
    return jute.encode_buffer(path) + jute.encode_buffer(data) + struct.pack(">q", acl) + STAT


def snapshot(nodes, sessions=b"\0\0\0\0", acls=None, seal=True):
    """The bytes of a snapshot; nodes stand between the root and the end."""
    if acls is None:
        acls = struct.pack(">iq", 1, 1) + jute.encode_value("vector<ACL>", OPEN_ACL)
    content = SNAPSHOT_HEAD + sessions + acls + node(b"") + b"".join(nodes)
    content += jute.encode_buffer(b"/")
    return content + (struct.pack(">q", zlib.adler32(content)) + jute.encode_buffer(b"/") if seal else b"")


def bomb(head, count):
    """gzip of `head` and of so many MiB of zeros."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    out = [packer.compress(head)]
    for _ in range(count):
        out.append(packer.compress(bytes(1 << 20)))
    out.append(packer.flush())
    return b"".join(out)


def fifo(place, name):
    path = place.path(name)
    if os.path.exists(path):
        os.remove(path)
    os.mkfifo(path)


def linked(place, name):
    """The file stands elsewhere, under its name a link to it."""
    shutil.move(place.path(name), place.path("elsewhere"))
    os.symlink(place.path("elsewhere"), place.path(name))


def directory(place, name):
    path = place.path(name)
    if os.path.exists(path):
        os.remove(path)
    os.mkdir(path)


# ---- rows: (name, what is spoilt, exit status or STARTS, texts of the log) ----

def alone(name, spoil, status, *texts, **more):
    return name, 0, spoil, status, texts, more


def voter(name, spoil, status, *texts, **more):
    return name, 3, spoil, status, texts, more


def log_rows(full):
    many = 100000 if full else 2000

    def behind(place, name, content):
        """A log behind those that are there, which end with zxid 3 of the tree's making."""
        place.write("data/version-2/" + name, content)

    def many_logs(place):
        for index in range(many):
            behind(place, "log.%x" % (100 + index), log_file(*(record(*txn) for txn in txns(100 + index, 1))))

    def clear(place):
        shutil.rmtree(place.path("data/version-2"))
        os.mkdir(place.path("data/version-2"))
        txnlog.write_empty_snapshot(place.data_dir)

    def only(*logs):
        def spoil(place):
            clear(place)
            for name, content in logs:
                behind(place, name, content)
        return spoil

    def plain(first, count):
        return log_file(*(record(*txn) for txn in txns(first, count)))

    stranger = record(3, jute.encode("TxnHeader", 0, 0, 3, 0, 4711) + b"what")
    swapped = [record(*txn) for txn in (txns(1, 1) + txns(3, 1) + txns(2, 1))]
    return [
        alone("log: a FIFO in its place", lambda p: fifo(p, p.newest("log")), 1, "log."),
        alone("log: a directory in its place", lambda p: directory(p, p.newest("log")), 1, "log."),
        alone("log: a link to it", lambda p: linked(p, p.newest("log")), STARTS, tree=TREE),
        alone("log: two that overlap", only(("log.1", plain(1, 5)), ("log.4", plain(4, 5))), STARTS,
              tree=[(b"/t%d" % zxid, b"") for zxid in range(1, 9)]),
        alone("log: the same transactions twice", only(("log.1", plain(1, 5)), ("log.2", plain(2, 4))), STARTS,
              tree=[(b"/t%d" % zxid, b"") for zxid in range(1, 6)]),
        alone("log: zxids out of order", only(("log.1", log_file(*swapped))), 1, "log.1"),
        alone("log: a zxid left out", only(("log.1", log_file(*(record(*t) for t in txns(1, 2) + txns(4, 1))))), 1,
              "log.1"),
        alone("log: a name that is not its first zxid", only(("log.1", plain(1, 3)), ("log.9", plain(4, 3))), 1, "log.9"),
        alone("log: a missing one between two", only(("log.1", plain(1, 3)), ("log.9", plain(9, 3))), 1, "log.9"),
        alone("log: a type nobody knows, its sum right", only(("log.1", plain(1, 2) + stranger)), 1,
              "log.1"),
        alone("log: a length beyond the file, more behind it",
              only(("log.1", plain(1, 2) + struct.pack(">qi", 1, HUGE) + b"x" * 100 + plain(3, 2)[16:])), 1, "log.1"),
        alone("log: another magic", only(("log.1", b"ZKLX" + plain(1, 2)[4:])), 1, "log.1"),
        alone("log: another version", only(("log.1", plain(1, 2)[:4] + INT(3) + plain(1, 2)[8:])), 1, "log.1"),
        alone("log: another database", only(("log.1", plain(1, 2)[:8] + b"\0" * 7 + b"\1" + plain(1, 2)[16:])), 1, "log.1"),
        alone("log: zeros before the last record", only(("log.1", plain(1, 2) + b"\0" * 5000 + plain(3, 1)[16:])), 1, "log.1"),
        alone("log: %d of them" % many, lambda p: (clear(p), behind(p, "log.1", plain(1, 99)), many_logs(p)), STARTS,
              nodes=99 + many),
        alone("log: names that are none", lambda p: [behind(p, name, b"x") for name in
                                                     ("log.-1", "log.g", "log.", "log.1.2", "log.ffffffffffffffffff")],
              STARTS, tree=TREE),
    ]


def snapshot_rows():
    def newest(content, name="snapshot.1000"):
        return lambda p: p.write("data/version-2/" + name, content)

    def lone(content, name="snapshot.1000"):
        def spoil(place):
            shutil.rmtree(place.path("data/version-2"))
            place.write("data/version-2/" + name, content)
        return spoil

    def acls(count, body=b""):
        return struct.pack(">i", count) + body

    gone = (1, "snapshot")
    return [
        alone("snapshot: as made here", lone(snapshot([node(b"/a", b"one")])), STARTS, tree=[(b"/a", b"one")]),
        alone("snapshot: a FIFO in its place", lambda p: fifo(p, "data/version-2/snapshot.1000"), STARTS, tree=TREE),
        alone("snapshot: a directory in its place", lambda p: directory(p, "data/version-2/snapshot.1000"), STARTS,
              tree=TREE),
        alone("snapshot: a link to it", lambda p: linked(p, p.newest("snapshot")), STARTS, tree=TREE),
        alone("snapshot: 2^31-1 sessions", lone(snapshot([], INT(HUGE))), *gone),
        alone("snapshot: -1 sessions", lone(snapshot([], INT(-1))), *gone),
        alone("snapshot: more sessions than bytes", lone(snapshot([], INT(1000), seal=False)[:200]), *gone),
        alone("snapshot: 2^31-1 lists of permissions", lone(snapshot([], acls=acls(HUGE))), *gone),
        alone("snapshot: a list of 2^31-1 permissions", lone(snapshot([], acls=acls(1, struct.pack(">qi", 1, HUGE)))),
              *gone),
        alone("snapshot: data of 2^31-1 bytes", lone(snapshot([jute.encode_buffer(b"/a") + INT(HUGE)])), *gone),
        alone("snapshot: a path of 2^31-1 bytes", lone(snapshot([INT(HUGE) + b"/a"])), *gone),
        alone("snapshot: a node before its parent", lone(snapshot([node(b"/a/b"), node(b"/a")])), *gone),
        alone("snapshot: a node twice", lone(snapshot([node(b"/a"), node(b"/a")])), *gone),
        alone("snapshot: a path without a slash", lone(snapshot([node(b"a")])), *gone),
        alone("snapshot: a path that leads back", lone(snapshot([node(b"/a"), node(b"/a/../a")])), *gone),
        alone("snapshot: permissions that are not there", lone(snapshot([node(b"/a", b"one", acl=77)])), STARTS,
              nodes_are_closed=b"/a"),
        alone("snapshot: another sum", lone(snapshot([node(b"/a")])[:-6] + b"\1\0\0\0\1/"), *gone),
        alone("snapshot: bytes behind its end", lone(snapshot([node(b"/a")]) + b"more of it, and more"), *gone),
        alone("snapshot: another version", lone(snapshot([])[:4] + INT(3) + snapshot([])[8:]), *gone),
        alone("snapshot: one that was not finished", newest(b"ZKSN", "snapshot.1000.tmp"), STARTS, tree=TREE,
              gone="data/version-2/snapshot.1000.tmp"),
        alone("snapshot: of a gzip bomb of sessions", lone(bomb(SNAPSHOT_HEAD + INT(HUGE), 400), "snapshot.1000.gz"),
              *gone, bounded=True),
        alone("snapshot: of a gzip bomb of data", lone(bomb(snapshot([], seal=False)[:-5] + jute.encode_buffer(b"/a") +
                                                            INT(HUGE), 400), "snapshot.1000.gz"), *gone, bounded=True),
        alone("snapshot: gzip of gzip", lone(gzip.compress(gzip.compress(snapshot([]))), "snapshot.1000.gz"), *gone),
        alone("snapshot: snappy of a block of 4 GiB",
              lone(b"\x82SNAPPY\0\0\0\0\1\0\0\0\1\0\0\0\5\xff\xff\xff\xff\x0f", "snapshot.1000.snappy"), *gone,
              bounded=True),
        alone("snapshot: newer than the logs", newest(snapshot([node(b"/a", b"new")])), STARTS, tree=[(b"/a", b"new")]),
        alone("snapshot: a spoilt one newer than the logs", newest(b"ZKSN" + b"x" * 100), 1, "snapshot.1000"),
    ]


BOM = b"\xef\xbb\xbf"


def number_rows():
    """myid, currentEpoch and acceptedEpoch: a number in a file."""
    def myid(content):
        return lambda p: p.write("data/myid", content)

    def epoch(content, name="currentEpoch"):
        def spoil(place):
            txnlog.write_epoch(place.data_dir, 0)
            place.write("data/version-2/" + name, content)
        return spoil

    refused = (2, "myid")
    rows = [
        voter("myid: as it is", myid(b"1\n"), STARTS),
        voter("myid: no end of line", myid(b"1"), STARTS),
        voter("myid: an end of line as of Windows", myid(b"1\r\n"), STARTS),
        voter("myid: spaces around it", myid(b"  1 \n"), STARTS),
        voter("myid: a byte order mark before it", myid(BOM + b"1\n"), *refused),
        voter("myid: empty", myid(b""), *refused),
        voter("myid: a blank line before it", myid(b"\n1\n"), *refused),
        voter("myid: not a number", myid(b"one\n"), *refused),
        voter("myid: a number and more", myid(b"1 2\n"), *refused),
        voter("myid: a null behind it", myid(b"1\0\n"), STARTS),
        voter("myid: beyond 64 bits", myid(b"9" * 30 + b"\n"), *refused),
        voter("myid: a megabyte of digits", myid(b"1" * 1000000), *refused),
        voter("myid: not there", lambda p: os.remove(p.path("data/myid")), *refused),
        voter("myid: a directory", lambda p: directory(p, "data/myid"), *refused),
        voter("myid: a FIFO", lambda p: fifo(p, "data/myid"), *refused),
        voter("myid: not in the list", myid(b"9\n"), 1, "My id 9 not in the peer list"),
        voter("myid: negative", myid(b"-5\n"), 1, "-5"),
        alone("myid: not a number where nobody asks for it", myid(b"put a number here\n"), STARTS, "is not a number"),
    ]
    for name in ("currentEpoch", "acceptedEpoch"):
        def of(content, name=name):
            return epoch(content, name)
        damaged = (1, name)
        rows += [
            voter("%s: a line as of Windows" % name, of(b"0\r\n"), STARTS),
            voter("%s: empty" % name, of(b""), *damaged),
            voter("%s: not a number" % name, of(b"none"), *damaged),
            voter("%s: negative" % name, of(b"-1"), *damaged),
            voter("%s: beyond 64 bits" % name, of(b"9" * 30), *damaged),
            voter("%s: a null behind it" % name, of(b"0\0"), *damaged),
            voter("%s: a byte order mark before it" % name, of(BOM + b"0"), *damaged),
            voter("%s: a megabyte of digits" % name, of(b"1" * 1000000), *damaged),
            voter("%s: a directory" % name, lambda p, name=name: (txnlog.write_epoch(p.data_dir, 0),
                                                                directory(p, "data/version-2/" + name)), *damaged),
            voter("%s: not there" % name, lambda p, name=name: (txnlog.write_epoch(p.data_dir, 0),
                                                              os.remove(p.path("data/version-2/" + name))), STARTS),
        ]
    rows += [
        voter("currentEpoch: ahead of the accepted one", lambda p: txnlog.write_epoch(p.data_dir, 7, 5), 1,
              "The accepted epoch, 5 is less than the current epoch, 7"),
        voter("currentEpoch: the largest there is", lambda p: txnlog.write_epoch(p.data_dir, (1 << 63) - 1), 1, "currentEpoch"),
        voter("currentEpoch: what a crash leaves beside it",
              lambda p: (txnlog.write_epoch(p.data_dir, 3), p.write("data/version-2/currentEpoch.tmp", b"\0\0")), STARTS),
    ]
    return rows


def config_rows():
    def changed(change):
        def spoil(place):
            place.change = change
        return spoil

    def with_lines(*lines):
        def spoil(place):
            place.lines += [line.replace("DIR", place.directory) for line in lines]
        return spoil

    def with_values(**values):
        return lambda p: p.config.update({key.replace("_dot_", "."): value for key, value in values.items()})

    def dynamic(content, **more):
        """The list stands in a file of its own."""
        def spoil(place):
            listed = ["%s=%s:participant" % item for item in place.config.items() if item[0].startswith("server.")]
            for key in [key for key in place.config if key.startswith("server.")]:
                del place.config[key]
            place.config["dynamicConfigFile"] = place.path("list")
            if content is not None:
                place.write("list", content("\n".join(listed) + "\n").encode())
            for name, text in more.items():
                place.write(name, text.replace("DIR", place.directory).encode())
        return spoil

    def not_there(place):
        place.change = lambda content: os.remove(place.path("zoo.cfg"))

    def as_directory(place):
        place.change = lambda content: directory(place, "zoo.cfg")

    def as_fifo(place):
        place.change = lambda content: fifo(place, "zoo.cfg")

    def loose(place):
        def change(content):
            place.write("zoo.cfg", content)
            os.chmod(place.path("zoo.cfg"), 0o666)
        place.change = change

    return [
        alone("zoo.cfg: lines as of Windows", changed(lambda text: text.replace(b"\n", b"\r\n")), STARTS),
        alone("zoo.cfg: no end of its last line", changed(lambda text: text.rstrip(b"\n")), STARTS),
        alone("zoo.cfg: a byte order mark before it", changed(lambda text: BOM + text), STARTS, "is no known key"),
        alone("zoo.cfg: empty", changed(lambda text: b""), 2, "dataDir is not set"),
        alone("zoo.cfg: a null in it", changed(lambda text: text + b"a=b\0c\n"), 2, "zoo.cfg:", "null"),
        alone("zoo.cfg: no UTF-8", changed(lambda text: text + b"# \xff\xfe\xc0\x80\n"), STARTS),
        alone("zoo.cfg: random bytes", changed(lambda text: bytes(range(1, 256)) * 40), 2, "zoo.cfg"),
        alone("zoo.cfg: 20 MiB of comments", changed(lambda text: text + b"# more\n" * (3 << 20)), 2, "zoo.cfg"),
        alone("zoo.cfg: a line of 100,000 characters", changed(lambda text: text + b"#" + b"x" * 100000), STARTS),
        alone("zoo.cfg: not there", not_there, 2, "zoo.cfg"),
        alone("zoo.cfg: a directory", as_directory, 2, "zoo.cfg"),
        alone("zoo.cfg: a FIFO", as_fifo, 2, "zoo.cfg"),
        alone("zoo.cfg: a key twice", with_lines("snapCount=7", "snapCount=8"), STARTS, "snapCount is set in line"),
        alone("zoo.cfg: a key nobody knows", with_lines("tickTme=7"), STARTS, "is tickTime meant?"),
        alone("zoo.cfg: port 65536", with_values(clientPort=65536), 2, "clientPort=65536"),
        alone("zoo.cfg: port -1", with_values(clientPort=-1), 2, "clientPort"),
        alone("zoo.cfg: a port that is no number", with_values(clientPort="http"), 2, "clientPort=http"),
        alone("zoo.cfg: a number beyond 64 bits", with_values(tickTime="9" * 30), 2, "tickTime"),
        alone("zoo.cfg: no data directory", with_values(dataDir=None), 2, "dataDir is not set"),
        alone("zoo.cfg: a data directory that is a file", lambda p: p.config.update({"dataDir": p.path("data/myid")}), 3,
              "data/myid"),
        alone("zoo.cfg: writable by all", loose, STARTS, "zoo.cfg", "others"),
        voter("zoo.cfg: two servers of one id", with_lines("server.1=127.0.0.1:1:2"), STARTS, "server.1 is set in line"),
        voter("zoo.cfg: a server id that is no number", with_lines("server.x=127.0.0.1:1:2"), 2, "server.x"),
        voter("zoo.cfg: server id 255", with_lines("server.255=127.0.0.1:1:2"), STARTS),
        voter("zoo.cfg: a server id beyond 64 bits", with_lines("server.%s=127.0.0.1:1:2" % ("9" * 30)), 2, "999"),
        voter("zoo.cfg: a negative server id", with_lines("server.-1=127.0.0.1:1:2"), 2, "-1"),
        voter("zoo.cfg: a server with port 65536", with_lines("server.4=127.0.0.1:65536:2"), 2, "65536"),
        voter("zoo.cfg: a server with port 0", with_lines("server.4=127.0.0.1:0:2"), STARTS),
        voter("zoo.cfg: a server without ports", with_lines("server.4=127.0.0.1"), 2, "127.0.0.1"),
        voter("dynamicConfigFile: as it should be", dynamic(lambda text: text), STARTS),
        voter("dynamicConfigFile: not there", dynamic(None), 2, "list"),
        voter("dynamicConfigFile: empty", dynamic(lambda text: ""), 2, "list"),
        voter("dynamicConfigFile: itself named in it", dynamic(lambda text: text + "dynamicConfigFile=list\n"), 2,
              "dynamicConfigFile"),
        voter("dynamicConfigFile: a version in it", dynamic(lambda text: text + "version=100000000\n"), 2, "version"),
        voter("dynamicConfigFile: a directory", lambda p: (dynamic(None)(p), os.mkdir(p.path("list"))), 2, "list"),
        voter("dynamicConfigFile: a proposed list that is none beside it",
              dynamic(lambda text: text, **{"zoo.cfg.dynamic.next": "server.1=nonsense\n"}), 2, "zoo.cfg.dynamic.next"),
        voter("dynamicConfigFile: a null in it", dynamic(lambda text: text + "\0\n"), 2, "list"),
        voter("dynamicConfigFile: 20 MiB of it", dynamic(lambda text: text + "# more\n" * (3 << 20)), 2, "list"),
    ]


def judge(place, status, log, expected, texts, more):
    """What is wrong; None when nothing is."""
    if status != expected:
        return "%s, not %s" % (status, expected)
    missing = [text for text in texts if text not in log]
    if missing:
        return "its log does not say %s" % missing
    if expected != STARTS:
        return None if "ERROR" in log or "zkserver:" in log else "no line says why"
    if "tree" in more:
        tree = place.tree()
        if tree != dict(more["tree"]):
            return "its tree is %s" % tree
    if "nodes" in more:
        count = int(re.search(r"Node count: (\d+)", place.word("srvr")).group(1)) - 5
        if abs(count - more["nodes"]) > 1:
            return "it has %d nodes" % count
    if "nodes_are_closed" in more:
        err = place.session().ask("getData", more["nodes_are_closed"], False)[0].err
        if err != -102:
            return "the node is answered with %d" % err
    if "gone" in more and os.path.exists(place.path(more["gone"])):
        return "%s is still there" % more["gone"]
    return None


class Bounded(Place):
    """Out of memory when it takes much more than it should."""

    def command(self, config_path):
        return ["bash", "-c", 'ulimit -v %d; exec "$0" "$@"' % ADDRESS_SPACE_KB] + super().command(config_path)


def try_row(data, row):
    name, voters, spoil, expected, texts, more = row
    place = (Bounded if more.get("bounded") else Place)(voters, None if voters else data)
    try:
        spoil(place)
        status, log = place.outcome()
        return name, judge(place, status, log, expected, texts, more), log
    except Exception as error:      # pylint: disable=broad-except
        return name, "%s: %s" % (type(error).__name__, error), place.log() if os.path.exists(place.log_path) else ""
    finally:
        place.dispose()


def prepare(directory):
    """A data directory with a snapshot and logs behind it, of a server that was killed."""
    server = servers.ZkcServer(directory=directory)
    with server:
        session = server.session()
        for path, data in TREE:
            session.call("create", path, data, OPEN_ACL, 0)
        server.kill()
    return server.data_dir


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--full", action="store_true")
    parser.add_argument("--row", default="", metavar="TEXT", help="only the rows with this in their name")
    tap.add_option(parser)
    arguments = parser.parse_args()
    missing = servers.require("zkc")
    if missing:
        tap.skip_all(missing)
    results = tap.Tap(plain=not arguments.tap)
    rows = [row for row in log_rows(arguments.full) + snapshot_rows() + number_rows() + config_rows()
            if arguments.row in row[0]]
    top = tempfile.mkdtemp(prefix="zk-files-")
    try:
        data = prepare(top)
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            for name, wrong, log in pool.map(lambda row: try_row(data, row), rows):
                results.ok(wrong is None, name)
                if wrong is not None:
                    results.note("%s\n%s" % (wrong, log[-1200:]))
    finally:
        shutil.rmtree(top, ignore_errors=True)
    return results.done()


if __name__ == "__main__":
    sys.exit(main())
