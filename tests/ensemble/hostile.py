"""hostile.py - what the rows of hostile_quorum.py share: an ensemble at peace, and what must hold of it afterwards."""

import os
import struct

import ensemble
import quorum_wire as wire
import rawclient
from protocol import OPEN_ACL, PERSISTENT

MEMORY_BOUND = 192 << 20        # bytes a server may grow by
HUGE = 0x7fffffff


def expect(condition, text, *values):
    if not condition:
        raise AssertionError(text % values)


def resident(server):
    """Bytes of memory the server's process holds."""
    with open("/proc/%d/statm" % server.process.pid, encoding="ascii") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def raw_packet(kind, zxid, length, data=b"", authinfo=b"\xff\xff\xff\xff"):
    """A packet whose data claims to be `length` bytes long."""
    return struct.pack(">iqi", kind, zxid, length) + data + authinfo


class Peace:
    """A client that writes through the follower, and what must not change meanwhile."""

    def __init__(self, kind, report, chosen):
        self.kind, self.report, self.chosen = kind, report, chosen
        self.java = kind.startswith("java")
        self.servers = ensemble.Ensemble([kind] * 3, first=[1, 2], tick_time=500, init_limit=10, sync_limit=6)

    def begin(self):
        self.leader = self.servers.leader()
        self.follower = 3 - self.leader
        self.client = self.servers.session(self.follower, timeout_ms=60000)
        self.client.call("create", b"/peace", b"", OPEN_ACL, PERSISTENT)
        self.epoch = wire.epoch_of(self.client.zxid)
        self.memory = {sid: resident(self.servers[sid]) for sid in (1, 2)}

    def check(self):
        """Nothing has happened: the write goes on, the same one leads in the same epoch."""
        header, _ = self.client.ask("setData", b"/peace", b"x", -1)
        expect(header.err == 0, "a write is answered with %d", header.err)
        expect(wire.epoch_of(header.zxid) == self.epoch, "the leader was changed: zxid 0x%x", header.zxid)
        expect(self.servers.mode(self.leader) == "leader", "server %d leads no more", self.leader)

    def check_memory(self):
        for sid, before in self.memory.items():
            grown = resident(self.servers[sid]) - before
            expect(grown < MEMORY_BOUND, "%s holds %d MiB more", self.servers.name(sid), grown >> 20)


def closed(stream, timeout=8.0):
    """Waits until the server hangs up; fails when it does not."""
    try:
        stream.wait_closed(timeout)
    except rawclient.Timeout:
        raise AssertionError("the connection stays open") from None
