#!/usr/bin/env python3
# timeout: 300
"""corrupt.py - spoils a data directory in one place and holds what zkc makes of it against what Java does.

    corrupt.py --server zkc --tap
    corrupt.py --server java               what Java does, as a table

A Java server writes a directory with several snapshots and logs and is killed. Each case changes a copy: one byte of a
snapshot or a log, a file cut short, emptied or taken away. The server either opens it, and then at which zxid with
which tree, or refuses, and then with which exit status. Both servers get the same bytes. What 3.9.5 does otherwise than
the 3.8.0 of Debian, and zkc otherwise than both, stands below the cases, with its reason.
"""

import argparse
import concurrent.futures
import glob
import hashlib
import os
import shutil
import struct
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

import rawclient    # noqa: E402
import servers      # noqa: E402
import tap          # noqa: E402
from protocol import OPEN_ACL      # noqa: E402

PROPERTIES = {"zookeeper.snapCount": "60", "zookeeper.preAllocSize": "64", "zookeeper.forceSync": "no"}
WRITES = 330
LOG_HEADER = 16


def build(kind, directory):
    """A data directory in `directory`/data, written by a server that was killed."""
    server = servers.make(kind, {}, PROPERTIES, directory=directory)
    with server:
        session = server.session(timeout_ms=40000)
        for index in range(WRITES):
            if index % 3 == 0:
                session.call("create", b"/n%d" % index, b"%d" % index * 10, OPEN_ACL, index % 2)
            else:
                session.call("setData", b"/n%d" % (index - index % 3), b"v%d" % index, -1)
        server.kill()
    return server.data_dir


def files(data, prefix):
    """The snapshots or logs, oldest first."""
    return sorted(glob.glob(os.path.join(data, "version-2", prefix + ".*")),
                  key=lambda path: int(path.rsplit(".", 1)[1], 16))


def records(path):
    """(offset, length of the entry) of every record of a log."""
    found, at = [], LOG_HEADER
    with open(path, "rb") as file:
        content = file.read()
    while at + 12 <= len(content):
        length = struct.unpack_from(">i", content, at + 8)[0]
        if length <= 0 or at + 13 + length > len(content):
            break
        found.append((at, length))
        at += 13 + length
    return found


def edit(path, at, change):
    """Replaces the byte at `at` (from the end when negative) by change(byte)."""
    with open(path, "r+b") as file:
        file.seek(at, os.SEEK_SET if at >= 0 else os.SEEK_END)
        byte = file.read(1)[0]
        file.seek(-1, os.SEEK_CUR)
        file.write(bytes([change(byte) & 0xff]))


def flip(path, at):
    edit(path, at, lambda byte: byte ^ 0x40)


def overwrite(path, at, data):
    with open(path, "r+b") as file:
        file.seek(at)
        file.write(data)


def truncate(path, size):
    os.truncate(path, size)


def newest_log_with(data, count):
    """The newest log that has at least `count` records."""
    return [path for path in files(data, "log") if len(records(path)) >= count][-1]


def entry(path, index):
    """Offset of the entry (behind checksum and length) and its length."""
    at, length = records(path)[index]
    return at + 12, length


def case_flip_snapshot_middle(data):
    path = files(data, "snapshot")[-1]
    flip(path, os.path.getsize(path) // 2)


def case_flip_snapshot_checksum(data):
    path = files(data, "snapshot")[-1]
    with open(path, "rb") as file:
        content = file.read()
    end = content.rfind(b"\0\0\0\1/")       # the seal behind the last checksum
    flip(path, end - 1)


def case_flip_snapshot_magic(data):
    flip(files(data, "snapshot")[-1], 1)


def case_truncate_snapshot(data):
    path = files(data, "snapshot")[-1]
    truncate(path, os.path.getsize(path) // 2)


def case_truncate_snapshot_seal(data):
    path = files(data, "snapshot")[-1]
    truncate(path, os.path.getsize(path) - 3)


def case_empty_snapshot(data):
    truncate(files(data, "snapshot")[-1], 0)


def case_flip_two_snapshots(data):
    for path in files(data, "snapshot")[-2:]:
        flip(path, os.path.getsize(path) // 2)


def case_flip_all_snapshots(data):
    for path in files(data, "snapshot"):
        flip(path, os.path.getsize(path) // 2)


def case_no_snapshots(data):
    for path in files(data, "snapshot"):
        os.remove(path)


def case_newest_snapshot_gone(data):
    os.remove(files(data, "snapshot")[-1])


def case_snapshot_wrong_name(data):
    path = files(data, "snapshot")[-1]
    os.rename(path, os.path.join(os.path.dirname(path), "snapshot.ffff"))


def case_flip_old_log(data):
    path = files(data, "log")[0]
    at, length = entry(path, len(records(path)) // 2)
    flip(path, at + length // 2)


def case_flip_log_middle(data):
    path = newest_log_with(data, 6)
    at, length = entry(path, len(records(path)) // 2)
    flip(path, at + length // 2)


def case_flip_log_last(data):
    path = newest_log_with(data, 3)
    at, length = entry(path, -1)
    flip(path, at + length - 2)


def case_flip_log_checksum(data):
    path = newest_log_with(data, 3)
    flip(path, records(path)[-1][0] + 7)


def case_log_length_huge(data):
    path = newest_log_with(data, 3)
    overwrite(path, records(path)[-1][0] + 8, struct.pack(">i", 0x7ffffff0))


def case_log_length_negative(data):
    path = newest_log_with(data, 3)
    overwrite(path, records(path)[-1][0] + 8, struct.pack(">i", -5))


def case_log_length_zero(data):
    path = newest_log_with(data, 3)
    overwrite(path, records(path)[-1][0] + 8, struct.pack(">i", 0))


def case_log_end_of_record(data):
    path = newest_log_with(data, 3)
    at, length = entry(path, -1)
    overwrite(path, at + length, b"X")


def case_log_end_of_record_middle(data):
    path = newest_log_with(data, 6)
    at, length = entry(path, len(records(path)) // 2)
    overwrite(path, at + length, b"X")


def case_log_cut_in_entry(data):
    path = newest_log_with(data, 3)
    at, length = entry(path, -1)
    truncate(path, at + length // 2)


def case_log_cut_before_end_of_record(data):
    path = newest_log_with(data, 3)
    at, length = entry(path, -1)
    truncate(path, at + length)


def case_log_cut_in_checksum(data):
    path = newest_log_with(data, 3)
    truncate(path, records(path)[-1][0] + 3)


def case_log_cut_between(data):
    path = newest_log_with(data, 3)
    truncate(path, records(path)[-1][0])


def case_log_zeros_in_tail(data):
    path = newest_log_with(data, 3)
    at, length = records(path)[-1]
    overwrite(path, at, b"\0" * (13 + length))


def case_log_half_zeros(data):
    path = newest_log_with(data, 3)
    at, length = entry(path, -1)
    overwrite(path, at + length // 2, b"\0" * (length - length // 2 + 1))


def case_log_header_only(data):
    truncate(newest_log_with(data, 3), LOG_HEADER)


def case_log_empty(data):
    truncate(newest_log_with(data, 3), 0)


def case_log_short_header(data):
    truncate(newest_log_with(data, 3), 7)


def case_log_all_zeros(data):
    path = newest_log_with(data, 3)
    overwrite(path, 0, b"\0" * os.path.getsize(path))


def case_log_magic(data):
    flip(newest_log_with(data, 3), 2)


def case_extra_empty_log(data):
    newest = files(data, "log")[-1]
    with open(os.path.join(os.path.dirname(newest), "log.ffff"), "wb"):
        pass


def case_newest_log_gone(data):
    os.remove(newest_log_with(data, 3))


def case_middle_log_gone_after_snapshots(data):
    """The two newest snapshots and a log between are gone: history has a hole."""
    for path in files(data, "snapshot")[-2:]:
        os.remove(path)
    os.remove(files(data, "log")[-2])


def case_stray_files(data):
    directory = os.path.join(data, "version-2")
    for name in ("log.xyz", "snapshot.", "snapshot.zz", "log", "notes.txt"):
        with open(os.path.join(directory, name), "wb") as file:
            file.write(b"what is this")


CASES = [
    ("untouched", lambda data: None),
    ("newest snapshot, byte in the middle", case_flip_snapshot_middle),
    ("newest snapshot, byte of its checksum", case_flip_snapshot_checksum),
    ("newest snapshot, magic", case_flip_snapshot_magic),
    ("newest snapshot, cut in half", case_truncate_snapshot),
    ("newest snapshot, last bytes cut", case_truncate_snapshot_seal),
    ("newest snapshot, empty", case_empty_snapshot),
    ("newest snapshot, gone", case_newest_snapshot_gone),
    ("newest snapshot, renamed to a later zxid", case_snapshot_wrong_name),
    ("two newest snapshots, byte in the middle", case_flip_two_snapshots),
    ("all snapshots, byte in the middle", case_flip_all_snapshots),
    ("no snapshots", case_no_snapshots),
    ("oldest log, byte in the middle", case_flip_old_log),
    ("newest log, byte in the middle", case_flip_log_middle),
    ("newest log, byte in its last entry", case_flip_log_last),
    ("newest log, last checksum", case_flip_log_checksum),
    ("newest log, last length huge", case_log_length_huge),
    ("newest log, last length negative", case_log_length_negative),
    ("newest log, last length zero", case_log_length_zero),
    ("newest log, last end mark", case_log_end_of_record),
    ("newest log, end mark in the middle", case_log_end_of_record_middle),
    ("newest log, cut in its last entry", case_log_cut_in_entry),
    ("newest log, cut before the last end mark", case_log_cut_before_end_of_record),
    ("newest log, cut in the last checksum", case_log_cut_in_checksum),
    ("newest log, cut between entries", case_log_cut_between),
    ("newest log, last entry all zeros", case_log_zeros_in_tail),
    ("newest log, second half of the last entry zeros", case_log_half_zeros),
    ("newest log, header only", case_log_header_only),
    ("newest log, empty", case_log_empty),
    ("newest log, header cut", case_log_short_header),
    ("newest log, all zeros", case_log_all_zeros),
    ("newest log, magic", case_log_magic),
    ("newest log, gone", case_newest_log_gone),
    ("an empty log behind the newest", case_extra_empty_log),
    ("a log missing behind the newest whole snapshot", case_middle_log_gone_after_snapshots),
    ("files that are neither", case_stray_files),
]

# What 3.9.5 does where 3.8.0 does something else: the id, and the outcome or the case that has it.
CHANGED = {
    "newest log, empty": ("ZOOKEEPER-2332", "newest log, gone"),
    "an empty log behind the newest": ("ZOOKEEPER-2332", "untouched"),
    "a log missing behind the newest whole snapshot": ("ZOOKEEPER-4925", ("refuses", "status 1")),
}


# Where zkc departs from Java on purpose: the outcome or the case that has it, and why.
DEPARTURES = {
    "all snapshots, byte in the middle": ("untouched", "the logs go back to the first transaction, nothing is missing"),
    "newest log, last length zero": (("refuses", "status 1"), "bytes were changed that a crash does not change"),
    "newest log, last end mark": (("refuses", "status 1"), "a whole record without its end mark is no torn one"),
    "newest log, end mark in the middle": (("refuses", "status 1"), "Java drops what was acknowledged behind it"),
    "newest log, header cut": ("newest log, gone", "a crash leaves it, and it holds no transaction"),
    "newest log, all zeros": ("newest log, gone", "a crash leaves it, and it holds no transaction"),
}


def outcome(kind, pristine, change):
    """What a server makes of a changed copy: (opens or refuses, detail)."""
    server = servers.make(kind, {}, dict(PROPERTIES, **{"zookeeper.snapCount": "100000"}), data_from=pristine)
    try:
        change(server.data_dir)
        try:
            server.start()
        except servers.StartError as error:
            status = str(error).split("status ")
            return "refuses", "status " + status[1].split()[0] if len(status) > 1 else "stays silent"
        zxid = server.word("srvr").split("Zxid: ")[1].split()[0]
        session = server.session()
        digest = hashlib.sha1()
        tree = rawclient.walk(session)
        for path in sorted(tree):
            node = tree[path]
            digest.update(repr((path, node if isinstance(node, int) else (node[:3], sorted(node[3])))).encode())
        session.disconnect()
        return "opens", "zxid %s, %d nodes, tree %s" % (zxid, len(tree), digest.hexdigest()[:12])
    finally:
        server.dispose()


def main():
    parser = argparse.ArgumentParser(description="Spoils data directories and compares what servers make of them.")
    parser.add_argument("--server", choices=sorted(servers.KINDS), default="zkc")
    parser.add_argument("--like", choices=sorted(servers.KINDS), default="java", help="whose outcome counts")
    parser.add_argument("--case", help="only cases whose name contains this")
    tap.add_option(parser)
    options = parser.parse_args()
    why = servers.require(options.server, options.like)
    if why:
        tap.skip_all(why)
    report = tap.Tap(plain=not options.tap)
    old = servers.KINDS[options.like].known_release() < (3, 9, 3) <= servers.KINDS[options.server].known_release()
    directory = tempfile.mkdtemp(prefix="zk-corrupt-")
    outcomes = {}
    try:
        pristine = build(options.like, directory)
        for name, change in CASES:
            if options.case and options.case not in name:
                continue
            if options.server == options.like:
                report.note("%-50s %s, %s" % ((name,) + outcome(options.like, pristine, change)))
                continue
            with concurrent.futures.ThreadPoolExecutor(2) as pool:
                expected, got = pool.map(lambda kind, how=change: outcome(kind, pristine, how),
                                         (options.like, options.server))
            outcomes[name] = got
            label, why, theirs = name, None, expected
            if old and name in CHANGED:
                why, expected = CHANGED[name]
            elif options.server == "zkc" and name in DEPARTURES:
                expected, why = DEPARTURES[name]
            if why:
                label = "%s (%s; %s %s)" % (name, why, options.like, theirs[0])
                if isinstance(expected, str):
                    expected = outcomes.get(expected) or outcome(options.server, pristine, dict(CASES)[expected])
            if report.ok(got == expected, "%s: %s" % (label, expected[0])):
                report.note("%s" % got[1])
            else:
                report.note("%s %s, %s\n%s %s, %s" % ((options.like,) + expected + (options.server,) + got))
    finally:
        shutil.rmtree(directory, ignore_errors=True)
    return report.done()


if __name__ == "__main__":
    sys.exit(main())
