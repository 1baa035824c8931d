"""namespaces.py - a network of its own for every server of an ensemble, to be cut and healed; needs root and iproute2.

The script itself moves into a fresh network namespace (enter()), which holds a bridge and sees nothing of the machine's
network; each server gets another one with an address on that bridge. A way from one server to another is cut by giving
the other a hardware address that nobody has: what is sent is lost without a word, as on a broken line, and only in that
direction. All namespaces end with the processes in them.
"""

import os
import shutil
import subprocess
import sys

BASE = "10.99.0."
HUB = BASE + "254"
NOWHERE = "02:00:00:00:00:01"
INSIDE = "ZKC_TEST_NAMESPACE"
OWN_WORLD = ["unshare", "--net", "--mount"]     # of a chroot that is no mount point, no mounts can be made one's own


def available():
    """Why there can be no namespaces here, or None."""
    for tool in ("ip", "unshare", "nsenter"):
        if shutil.which(tool) is None:
            return "there is no %s" % tool
    if os.geteuid() != 0:
        return "only root makes network namespaces"
    tried = subprocess.run(OWN_WORLD + ["ip", "link", "add", "type", "bridge"], capture_output=True, text=True,
                           check=False)
    return "no bridge can be made: " + tried.stderr.strip() if tried.returncode else None


def enter():
    """Starts the script again in a network namespace of its own, and one of mounts, unless it is in one."""
    if not os.environ.get(INSIDE):
        os.environ[INSIDE] = "1"
        os.execvp(OWN_WORLD[0], OWN_WORLD + ["--", sys.executable] + sys.argv)


def run(*command):
    subprocess.run(command, check=True, capture_output=True)


class Network:
    """The namespaces of the servers 1 to `count`, and what is cut between them."""

    def __init__(self, count):
        self.holders = {}       # sid -> the process that keeps its namespace
        self.cuts = set()       # (from, to), ids; 0 is the side of the clients
        run("ip", "link", "set", "lo", "up")
        run("ip", "link", "add", "hub", "type", "bridge")
        run("ip", "addr", "add", HUB + "/24", "dev", "hub")
        run("ip", "link", "set", "hub", "up")
        for sid in range(1, count + 1):
            self._add(sid)

    def _add(self, sid):
        holder = subprocess.Popen(["unshare", "--net", "cat"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        holder.stdin.write(b"\n")       # it answers once it is where it belongs
        holder.stdin.flush()
        holder.stdout.readline()
        self.holders[sid] = holder
        run("ip", "link", "add", "to%d" % sid, "type", "veth", "peer", "name", "eth0", "netns", str(holder.pid))
        run("ip", "link", "set", "to%d" % sid, "master", "hub", "up")
        self._inside(sid, "addr", "add", self.host(sid) + "/24", "dev", "eth0")
        self._inside(sid, "link", "set", "eth0", "up")
        self._inside(sid, "link", "set", "lo", "up")

    def _inside(self, sid, *command):
        """ip in the namespace of a server, or of the clients."""
        run(*(self.prefix(sid) if sid else ()), "ip", *command)

    @staticmethod
    def host(sid):
        return BASE + str(sid) if sid else HUB

    def prefix(self, sid):
        return ["nsenter", "--target", str(self.holders[sid].pid), "--net", "--"]

    def cut(self, source, target):
        """What `source` sends to `target` is lost; 0 stands for the clients."""
        if (source, target) not in self.cuts:
            self.cuts.add((source, target))
            self._inside(source, "neigh", "replace", self.host(target), "lladdr", NOWHERE, "nud", "permanent", "dev",
                         "eth0" if source else "hub")

    def cut_both(self, one, other):
        self.cut(one, other)
        self.cut(other, one)

    def split(self, *sides):
        """Servers of different sides do not reach each other."""
        for at, side in enumerate(sides):
            for other_side in sides[at + 1:]:
                for one in side:
                    for other in other_side:
                        self.cut_both(one, other)

    def heal(self):
        for source, target in sorted(self.cuts):
            self._inside(source, "neigh", "del", self.host(target), "dev", "eth0" if source else "hub")
        self.cuts.clear()

    def dispose(self):
        for holder in self.holders.values():
            holder.kill()
            holder.wait()
        self.holders.clear()
