"""txnlog.py - reads and writes transaction logs (log.<zxid> in version-2), to see what a server has kept.

A log is a header ("ZKLG", version 2, a database id) and entries: an Adler-32, a length, the transaction, the byte 'B';
behind the last entry there may be zeros.
"""

import collections
import os
import re
import struct
import zlib

import jute
import quorum_wire

MAGIC = 0x5a4b4c47          # ZKLG
SNAPSHOT_MAGIC = 0x5a4b534e     # ZKSN
END = b"B"

Entry = collections.namedtuple("Entry", "zxid header record digest data")     # data: all bytes of the transaction


def log_files(data_dir):
    """Paths of the logs of a server, in the order of their zxids."""
    directory = os.path.join(data_dir, "version-2")
    names = [name for name in os.listdir(directory) if re.fullmatch("log\\.[0-9a-f]+", name)] \
        if os.path.isdir(directory) else []
    return [os.path.join(directory, name) for name in sorted(names, key=lambda name: int(name[4:], 16))]


def read_file(path):
    """The entries of one log, up to its zeros, its end or an entry that is cut."""
    with open(path, "rb") as file:
        data = file.read()
    entries, at = [], 16
    if len(data) < at:
        return entries
    magic, version, _ = struct.unpack_from(">iiq", data, 0)
    if (magic, version) != (MAGIC, 2):
        raise jute.JuteError("%s is no transaction log" % path)
    while at + 12 <= len(data):
        crc, length = struct.unpack_from(">qi", data, at)
        if length <= 0 or at + 12 + length + 1 > len(data):
            break
        txn = data[at + 12:at + 12 + length]
        if zlib.adler32(txn) != crc or data[at + 12 + length:at + 13 + length] != END:
            break
        parsed = quorum_wire.parse_txn(txn)
        entries.append(Entry(parsed.header.zxid, parsed.header, parsed.record, parsed.digest, txn))
        at += 13 + length
    return entries


def read_all(data_dir):
    """{zxid: Entry} of all logs of a server."""
    return {entry.zxid: entry for path in log_files(data_dir) for entry in read_file(path)}


def newest_snapshot(data_dir):
    """The zxid that the name of the newest snapshot says, -1 without one."""
    names = os.listdir(os.path.join(data_dir, "version-2"))
    return max([int(match.group(1), 16) for match in map(re.compile(r"snapshot\.([0-9a-f]+)$").match, names) if match],
               default=-1)


def write_file(data_dir, txns, dbid=0):
    """Writes one log of these transactions, (zxid, bytes) pairs, named after the first."""
    directory = os.path.join(data_dir, "version-2")
    os.makedirs(directory, exist_ok=True)
    with open(os.path.join(directory, "log.%x" % txns[0][0]), "wb") as file:
        file.write(struct.pack(">iiq", MAGIC, 2, dbid))
        for _, txn in txns:
            file.write(struct.pack(">qi", zlib.adler32(txn), len(txn)) + txn + END)


def write_empty_snapshot(data_dir):
    """Writes snapshot.0, without which a log alone is taken for a lost snapshot."""
    tree = quorum_wire.empty_tree()
    content = struct.pack(">iiq", SNAPSHOT_MAGIC, 2, -1) + tree[:len(tree) - 4 - len(quorum_wire.SIGNATURE)]
    with open(os.path.join(data_dir, "version-2", "snapshot.0"), "wb") as file:
        file.write(content + struct.pack(">q", zlib.adler32(content)) + jute.encode_value("ustring", b"/"))


def write_epoch(data_dir, current, accepted=None):
    """Writes currentEpoch and acceptedEpoch."""
    directory = os.path.join(data_dir, "version-2")
    os.makedirs(directory, exist_ok=True)
    for name, value in (("currentEpoch", current), ("acceptedEpoch", current if accepted is None else accepted)):
        with open(os.path.join(directory, name), "w", encoding="ascii") as file:
            file.write(str(value))


def read_epochs(data_dir):
    """(currentEpoch, acceptedEpoch), None where the file is missing."""
    values = []
    for name in ("currentEpoch", "acceptedEpoch"):
        try:
            with open(os.path.join(data_dir, "version-2", name), encoding="ascii") as file:
                values.append(int(file.read()))
        except FileNotFoundError:
            values.append(None)
    return tuple(values)


def differences(logs, limit=10):
    """Where the logs, {name: {zxid: Entry}}, hold different transactions under one zxid; lines."""
    lines, known = [], {}
    for name, entries in logs.items():
        for zxid, entry in entries.items():
            if zxid not in known:
                known[zxid] = (name, entry)
                continue
            other_name, other = known[zxid]
            if (entry.header, entry.record) != (other.header, other.record) or (
                    entry.digest and other.digest and entry.digest != other.digest):
                lines.append("zxid 0x%x\n  %s: %s %s %s\n  %s: %s %s %s" % (
                    zxid, other_name, other.header, other.record, other.digest, name, entry.header, entry.record,
                    entry.digest))
    return lines[:limit]
