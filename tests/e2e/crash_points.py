#!/usr/bin/env python3
# timeout: 280
"""crash_points.py - a server that is killed, or whose disk fails, at each call by which it changes a file.

    crash_points.py                       a sample of the points, as make check has it
    crash_points.py --all                 each call, killed before it and after it
    crash_points.py --all --faults EIO,ENOSPC,short
    crash_points.py --at 117 --faults after

The workload: a start on a directory with old snapshots to purge; creates, sets, multis, deletes, a session with
ephemerals that is closed; snapshots and new logs all the while. It is run once to count the calls. Then for each point:
a copy of the directory, a server with file_faults.so in front of the C library, the workload until the server is gone;
a second server without it must start, and have every write that was acknowledged, and of a multi all or nothing.
After a call that failed the server either ended, and its log names file and reason, or went on without having lost
anything; what it did then acknowledge counts as well.
"""

import argparse
import concurrent.futures
import os
import random
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

import jute         # noqa: E402
import protocol     # noqa: E402
import rawclient    # noqa: E402
import servers      # noqa: E402
import tap          # noqa: E402
from protocol import OPEN_ACL      # noqa: E402

KILLS, FAILURES = ("before", "after"), ("EIO", "ENOSPC", "short")
SAYS = {"EIO": "Input/output error", "ENOSPC": "No space left on device", "short": "No space left on device"}
PROPERTIES = {"zookeeper.snapCount": "6", "zookeeper.preAllocSize": "8"}
PURGE = {"autopurge.purgeInterval": "1", "autopurge.snapRetainCount": "3"}
GONE = (rawclient.Closed, rawclient.Timeout, OSError, servers.StartError)


class FaultyServer(servers.ZkcServer):
    """A server whose calls are counted, with a fault at one of them."""

    def __init__(self, data, fault="none", at=0):
        super().__init__(PURGE, PROPERTIES, data_from=data)
        self.count_path = os.path.join(self.directory, "count")
        self.prefix = ("env", "LD_PRELOAD=" + servers.fault_library("file_faults.so"),
                       "ZKC_FAULT_DIR=" + self.data_dir, "ZKC_FAULT=" + fault,
                       "ZKC_FAULT_AT=%d" % at, "ZKC_FAULT_COUNT=" + self.count_path)

    def calls(self):
        with open(self.count_path, encoding="ascii") as file:
            return int(file.read())


class Workload:
    """Writes one after the other; knows what was acknowledged and what was under way when the server went."""

    def __init__(self, rounds):
        self.rounds = rounds
        self.sure = {}              # path -> data, None: not there; as acknowledged
        self.under_way = {}         # the same of the write without an answer
        self.zxid = 0
        self.finished = False

    def write(self, session, name, changes, *values):
        self.under_way = changes
        header = session.ask(name, *values)[0]
        if header.err:
            raise AssertionError("%s is answered with %d" % (name, header.err))
        self.zxid = header.zxid
        self.sure.update(changes)
        self.under_way = {}

    def set_data(self, path, data):
        return "setData", jute.encode("SetDataRequest", path, data, -1)

    def run(self, server):
        session = server.session(timeout=20.0)
        self.write(session, "create", {b"/w": b"0"}, b"/w", b"0", OPEN_ACL, 0)
        for number in range(self.rounds):
            path, value = b"/w/n%d" % number, b"%d" % number
            self.write(session, "create", {path: value}, path, value, OPEN_ACL, 0)
            self.write(session, "setData", {b"/w": value}, b"/w", value, -1)
            body = protocol.encode_multi([self.set_data(b"/w", value + b"m"), self.set_data(path, value + b"m")])
            self.write(session, "multi", {b"/w": value + b"m", path: value + b"m"}, body)
            if number % 3 == 2:
                gone = b"/w/n%d" % (number - 1)
                self.write(session, "delete", {gone: None}, gone, -1)
            if number % 4 == 3:
                self.ephemerals(server, number)
        self.finished = True

    def ephemerals(self, server, number):
        other = server.session(timeout=20.0)
        paths = [b"/w/e%d-%d" % (number, index) for index in range(2)]
        for path in paths:
            self.write(other, "create", {path: b"e"}, path, b"e", OPEN_ACL, 1)
        self.write(other, "closeSession", {path: None for path in paths})
        other.connection.close()

    def check(self, server):
        """What is wrong with the tree of this server; None when nothing is."""
        session = server.session(timeout=20.0)
        done = set()
        for path in sorted(set(self.sure) | set(self.under_way)):
            header, got = session.ask("getData", path, False)
            data = got.data if header.err == 0 else None
            before, after = self.sure.get(path), self.under_way.get(path, self.sure.get(path))
            if data not in (before, after):
                return "%s holds %s; acknowledged was %s, under way %s" % (path, data, before, after)
            if path in self.under_way and before != after:
                done.add(data == after)
        if len(done) > 1:
            return "of the write under way, %s, one half is there" % self.under_way
        if session.zxid < self.zxid:
            return "zxid 0x%x, acknowledged was 0x%x" % (session.zxid, self.zxid)
        return None


def prepare(directory):
    """A data directory with more snapshots than are kept, of a server that was killed."""
    server = servers.ZkcServer({}, PROPERTIES, directory=directory)
    with server:
        session = server.session()
        for number in range(60):
            session.call("create", b"/old%d" % number, b"x" * 50, OPEN_ACL, 0)
        server.kill()
    return server.data_dir


def one_point(data, rounds, fault, at):
    """(whether the server went down, what is wrong or None)"""
    workload, server = Workload(rounds), FaultyServer(data, fault, at)
    try:
        server.launch()
        process = server.process
        try:
            server.wait_ready()
            workload.run(server)
        except GONE:
            pass
        if not workload.finished:
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                return False, "the server neither answers nor ends; under way %s" % workload.under_way
        status = process.poll()
        if fault in FAILURES and status is not None:
            log = server.log_tail(20000)
            if status <= 0 or SAYS[fault] not in log or server.data_dir not in log:
                return True, "it ended with status %d; its log: %s" % (status, log[-700:])
        server.kill()
        with servers.ZkcServer(PURGE, PROPERTIES, data_from=server.data_dir) as again:
            return status is not None, workload.check(again)
    finally:
        server.dispose()


def points(arguments, calls):
    """(fault, at) of this run."""
    faults = arguments.faults.split(",") if arguments.faults else \
        (KILLS if arguments.all else KILLS + FAILURES)
    if arguments.at:
        return [(fault, at) for fault in faults for at in arguments.at]
    chosen = [(fault, at) for fault in faults for at in range(1, calls + 1)]
    if not arguments.all:
        rng = random.Random(arguments.seed)
        kills = [point for point in chosen if point[0] in KILLS]
        failures = [point for point in chosen if point[0] in FAILURES]
        chosen = rng.sample(kills, min(len(kills), 48)) + rng.sample(failures, min(len(failures), 32))
    return chosen


def run(arguments, results, directory):
    data = prepare(directory)
    rounds = 70 if arguments.all else 9
    workload = Workload(rounds)
    with FaultyServer(data) as server:
        workload.run(server)
        server.stop()
        calls = server.calls()
    results.ok(workload.finished and calls > 100, "the workload makes %d calls that change files" % calls)
    chosen = points(arguments, calls)
    came, wrong = {}, {}
    with concurrent.futures.ThreadPoolExecutor(arguments.jobs) as pool:
        futures = {pool.submit(one_point, data, rounds, fault, at): (fault, at) for fault, at in chosen}
        for number, future in enumerate(concurrent.futures.as_completed(futures), 1):
            fault, at = futures[future]
            did_come, problem = future.result()
            came[fault] = came.get(fault, 0) + did_come
            if problem:
                wrong.setdefault(fault, []).append(at)
                results.note("%s at call %d: %s" % (fault, at, problem))
            if number % 500 == 0:
                results.note("%d of %d points" % (number, len(chosen)))
    for fault in sorted(came):
        total = sum(1 for point in chosen if point[0] == fault)
        results.ok(fault not in wrong, "%s: %d points, %d times the server went down; nothing is lost, every start "
                   "works" % (fault, total, came[fault]))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--all", action="store_true", help="each call")
    parser.add_argument("--at", type=int, action="append", help="this call")
    parser.add_argument("--faults", help="some of: before,after,EIO,ENOSPC,short")
    parser.add_argument("--seed", type=int, default=1, help="of the sample")
    parser.add_argument("--jobs", type=int, default=2)
    tap.add_option(parser)
    arguments = parser.parse_args()
    missing = servers.require("zkc")
    if missing is None and not os.path.exists(servers.fault_library("file_faults.so")):
        missing = "file_faults.so is not built"
    if missing:
        tap.skip_all(missing)
    results = tap.Tap(plain=not arguments.tap)
    directory = tempfile.mkdtemp(prefix="crash-points-")
    try:
        run(arguments, results, directory)
    finally:
        shutil.rmtree(directory, ignore_errors=True)
    return results.done()


if __name__ == "__main__":
    sys.exit(main())
