#!/usr/bin/env python3
# timeout: 300
"""chaos.py - servers die, hang, restart and lose sight of each other, by a seed, while clients write.

    chaos.py --kinds zkc,zkc,java --seed 3 --length 1200 --tap

What happens is chosen by the seed, how it falls in time is not. Partitions and full disks need root and iproute2
(namespaces.py); without them, or with --partitions no, only processes suffer. The wall clocks of zkc servers jump by
hours where faketime is installed. Every twenty seconds and at the end all is healed and the
writers rest: all servers must serve within a minute and hold the same tree. At the end nothing acknowledged may be
lost, no session have gone back, no ephemeral be left (history.py says what is checked).

Without --kinds all servers are zkc: the rules hold of those. Java 3.8.0 by itself breaks them under these faults, an
acknowledged write lost by three Java servers among it; make ensemble runs the mixtures all the same.
"""

import argparse
import os
import platform
import random
import shutil
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

import ensemble     # noqa: E402
import history      # noqa: E402
import namespaces   # noqa: E402
import tap          # noqa: E402
import trees        # noqa: E402

REST_EVERY = 20.0


class Clocks:
    """The wall clock of each zkc server, as libfaketime has it; Java's virtual machine does without."""

    LIBRARY = "/usr/lib/%s-linux-gnu/faketime/libfaketimeMT.so.1" % platform.machine()

    def __init__(self, servers):
        self.files = {}
        if not os.path.exists(self.LIBRARY) or os.environ.get("ZKC_SANITIZERS", "no") != "no":
            return
        for sid in servers.sids():
            if servers.kind(sid) == "zkc":
                self.files[sid] = os.path.join(servers[sid].directory, "clock")
                self.shift(sid, 0)
                servers[sid].prefix = list(servers[sid].prefix) + [
                    "env", "LD_PRELOAD=" + self.LIBRARY, "FAKETIME_TIMESTAMP_FILE=" + self.files[sid],
                    "FAKETIME_NO_CACHE=1", "FAKETIME_DONT_FAKE_MONOTONIC=1", "DONT_FAKE_MONOTONIC=1",
                    "FAKETIME_FORCE_MONOTONIC_FIX=0"]   # else all waits by the monotonic clock end at once

    def shift(self, sid, seconds):
        with open(self.files[sid] + ".new", "w", encoding="ascii") as file:
            file.write("%+d\n" % seconds)
        os.rename(self.files[sid] + ".new", self.files[sid])


class Disks:
    """A disk of its own for each server's data, which may be full; in the namespace of the script."""

    def __init__(self, servers, length):
        """Room for what `length` seconds of writing leave behind, since nothing is purged."""
        self.servers = servers
        size = "size=%dm" % max(256, 1.5 * length)
        for sid in servers.sids():
            data = servers[sid].data_dir
            kept = {name: open(os.path.join(data, name), "rb").read() for name in os.listdir(data)}
            subprocess.run(["mount", "-t", "tmpfs", "-o", size, "tmpfs", data], check=True)
            for name, content in kept.items():
                with open(os.path.join(data, name), "wb") as file:
                    file.write(content)

    def path(self, sid):
        return os.path.join(self.servers[sid].data_dir, "filler")

    def fill(self, sid):
        with open(self.path(sid), "wb", buffering=0) as file:
            for size in (1 << 20, 4096):
                try:
                    while True:
                        file.write(b"x" * size)
                except OSError:
                    pass

    def free(self, sid):
        if os.path.exists(self.path(sid)):
            os.unlink(self.path(sid))

    def dispose(self):
        """Takes the disks away; where directories are kept, what is on them is kept too."""
        for sid in self.servers.sids():
            data = self.servers[sid].data_dir
            kept = data + ".kept"
            if os.environ.get("ZKC_KEEP"):
                shutil.copytree(data, kept)
            subprocess.run(["umount", "-l", data], check=False)
            if os.path.exists(kept):
                shutil.rmtree(data, ignore_errors=True)
                os.rename(kept, data)


class Nemesis:
    """One thing at a time is done to the servers and, mostly, undone."""

    def __init__(self, servers, network, clocks, disks, rng, log):
        self.servers, self.network, self.rng, self.log = servers, network, rng, log
        self.clocks, self.disks = clocks, disks
        self.acts = [(6, self.kill_one), (4, self.kill_leader), (3, self.stop_one), (4, self.pause_one),
                     (3, self.pause_leader), (2, self.flap)]
        if not any(servers.kind(sid).startswith("java") for sid in servers.sids()):
            # A follower of Java 3.8 acknowledges NEWLEADER before what it was sent is on its disk (ZOOKEEPER-4646,
            # 4785): when a quorum is killed at once, writes that were acknowledged may be gone.
            self.acts += [(1, self.kill_most), (1, self.kill_all)]
        if clocks.files:
            self.acts += [(3, self.clock_jumps)]
        if disks:
            self.acts += [(3, self.disk_full)]
        if network:
            self.acts += [(4, self.isolate_leader), (4, self.isolate_one), (2, self.split), (3, self.one_way),
                          (2, self.chain), (1, self.hide_from_clients)]
        self.counts = {}

    def wait(self, least, most):
        time.sleep(self.rng.uniform(least, most))

    def leader(self):
        return self.servers.leader() or self.rng.choice(self.servers.sids())

    def one(self):
        return self.rng.choice(self.servers.sids())

    def act(self):
        act = self.rng.choices([act for _, act in self.acts], [weight for weight, _ in self.acts])[0]
        self.counts[act.__name__] = self.counts.get(act.__name__, 0) + 1
        self.log(act.__name__ + ": " + str(act()))

    def restart(self, sids):
        for sid in sids:
            if not self.servers[sid].running():
                self.servers.start_one(sid)

    def heal(self):
        if self.network:
            self.network.heal()
        for sid in list(self.servers.paused):
            self.servers.resume(sid)
        for sid in self.servers.sids() if self.disks else ():
            self.disks.free(sid)
        self.restart(self.servers.sids())

    def down_for_a_while(self, how, sids):
        for sid in sids:
            how(sid)
        self.wait(0.0, 2.5)
        self.restart(sids)
        self.wait(0.0, 2.0)
        return sids

    def kill_one(self):
        return self.down_for_a_while(self.servers.kill, [self.one()])

    def kill_leader(self):
        return self.down_for_a_while(self.servers.kill, [self.leader()])

    def stop_one(self):
        return self.down_for_a_while(self.servers.stop, [self.one()])

    def kill_most(self):
        count = len(self.servers.sids())
        return self.down_for_a_while(self.servers.kill, self.rng.sample(self.servers.sids(), count // 2 + 1))

    def kill_all(self):
        return self.down_for_a_while(self.servers.kill, self.servers.sids())

    def pause(self, sid):
        self.servers.pause(sid)
        self.wait(0.1, 4.0)
        self.servers.resume(sid)
        self.wait(0.0, 1.0)
        return sid

    def pause_one(self):
        return self.pause(self.one())

    def pause_leader(self):
        return self.pause(self.leader())

    def flap(self):
        """One server is killed as soon as it is up, three times."""
        sid = self.one()
        for _ in range(3):
            self.servers.kill(sid)
            self.servers.start_one(sid)
            self.wait(0.2, 1.5)
        return sid

    def clock_jumps(self):
        """The wall clock of one server goes forward or back, and back again later, or not."""
        sid = self.rng.choice(sorted(self.clocks.files))
        seconds = self.rng.choice((-86400, -3600, -5, 5, 3600, 86400 * 365))
        self.clocks.shift(sid, seconds)
        self.wait(0.5, 3.0)
        if self.rng.random() < 0.7:
            self.clocks.shift(sid, 0)
        return "%d by %d s" % (sid, seconds)

    def disk_full(self):
        """No room on one server's disk; it ends, or leaves the quorum, and comes back when there is room again."""
        sid = self.leader() if self.rng.random() < 0.5 else self.one()
        self.disks.fill(sid)
        self.wait(0.5, 3.0)
        self.disks.free(sid)
        ended = not self.servers[sid].running()
        self.restart([sid])
        self.wait(0.0, 2.0)
        return "%d%s" % (sid, ", which ended" if ended else "")

    # --- the network ---

    def for_a_while(self, what):
        self.wait(0.5, 5.0)
        self.network.heal()
        self.wait(0.0, 1.0)
        return what

    def isolate(self, sid, clients):
        self.network.split([sid], [other for other in self.servers.sids() if other != sid] + ([0] if clients else []))
        return self.for_a_while("%d%s" % (sid, ", from clients too" if clients else ""))

    def isolate_leader(self):
        return self.isolate(self.leader(), self.rng.random() < 0.5)

    def isolate_one(self):
        return self.isolate(self.one(), self.rng.random() < 0.5)

    def split(self):
        sids = self.servers.sids()
        self.rng.shuffle(sids)
        at = self.rng.randrange(1, len(sids))
        self.network.split(sids[:at], sids[at:])
        return self.for_a_while("%s from %s" % (sids[:at], sids[at:]))

    def one_way(self):
        """One server hears the others and is not heard, or the other way round."""
        sid, deaf = self.one(), self.rng.random() < 0.5
        for other in self.servers.sids():
            if other != sid:
                self.network.cut(*((other, sid) if deaf else (sid, other)))
        return self.for_a_while("%d is %s" % (sid, "deaf" if deaf else "dumb"))

    def chain(self):
        """Two servers do not reach each other, both reach the third."""
        pair = self.rng.sample(self.servers.sids(), 2)
        self.network.cut_both(*pair)
        return self.for_a_while(pair)

    def hide_from_clients(self):
        sid = self.leader()
        self.network.cut_both(0, sid)
        return self.for_a_while(sid)


def rest(servers, writers, nemesis):
    """Heals all and compares the trees; returns the tree."""
    nemesis.heal()
    servers.wait_serving(servers.sids(), timeout=60)
    if not writers.stop.is_set() and not writers.wait_progress(20):
        raise AssertionError("nothing is written any more%s" % servers.tails())
    writers.hold.set()
    try:
        time.sleep(0.2)
        servers.wait_caught_up()
        lines, tree = trees.compare(servers)
        lines = lines or trees.compare_digests(servers)[0]
        if lines:
            raise AssertionError("\n".join(lines))
        return tree
    finally:
        writers.hold.clear()


def main():
    parser = argparse.ArgumentParser(description="Servers suffer while clients write.")
    ensemble.add_options(parser, kinds="zkc,zkc,zkc")
    parser.add_argument("--length", type=float, default=40.0, help="seconds")
    parser.add_argument("--writers", type=int, default=4)
    parser.add_argument("--partitions", choices=("auto", "yes", "no"), default="auto")
    parser.add_argument("--verbose", action="store_true", help="tell each act")
    tap.add_option(parser)
    options = parser.parse_args()
    why = ensemble.require(options.kinds)
    if why:
        tap.skip_all(why)
    report = tap.Tap(plain=not options.tap)
    lacking = "not asked for" if options.partitions == "no" else namespaces.available()
    if lacking and options.partitions == "yes":
        report.bail_out(lacking)
    if not lacking:
        namespaces.enter()
    kinds = ensemble.parse_kinds(options.kinds)
    report.note("kinds: %s, again: --seed %d, partitions: %s" % (",".join(kinds), options.seed, lacking or "yes"))
    network = None if lacking else namespaces.Network(len(kinds))
    acts = []

    def log(text):
        acts.append("%.1f s  %s" % (time.monotonic() - begin, text))
        if options.verbose:
            report.note(acts[-1])

    properties = {"zookeeper.snapCount": "700", "zookeeper.preAllocSize": "64"}
    begin = time.monotonic()
    with ensemble.Ensemble(kinds, tick_time=200, init_limit=50, sync_limit=10, properties=properties,
                           network=network, first=[]) as servers:
        clocks = Clocks(servers)
        disks = Disks(servers, options.length) if network else None
        servers.start()
        writers = history.History(servers.addresses, options.writers, options.seed, reply_timeout=2.0).start()
        nemesis = Nemesis(servers, network, clocks, disks, random.Random(options.seed), log)
        rested, begin = time.monotonic(), time.monotonic()
        while time.monotonic() < begin + options.length and not report.failed:
            nemesis.act()
            if time.monotonic() > rested + REST_EVERY:
                with ensemble.step(report, servers, "after %d acts all serve and hold the same tree" % len(acts)):
                    rest(servers, writers, nemesis)
                rested = time.monotonic()
        tree = {}
        with ensemble.step(report, servers, "in the end all serve and hold the same tree, without ephemerals"):
            nemesis.heal()
            servers.wait_serving(servers.sids())
            writers.finish()
            tree = rest(servers, writers, nemesis)
            left = writers.wait_no_ephemerals(servers)
            if left:
                raise AssertionError("\n".join(left[:10]))
        violations = writers.verify(tree) if tree else writers.violations
        report.ok(not violations, "nothing acknowledged is lost, and the order held")
        if violations:
            report.note("\n".join(violations[:20]))
        if report.failed:
            report.note("the last acts:\n" + "\n".join(acts[-12:]))
            report.note(servers.tails())
        for sid in servers.running():
            counted, text = trees.mismatches(servers, sid)
            if counted:
                report.note(text)
        if disks:
            for sid in servers.sids():
                servers.kill(sid)
            disks.dispose()
        report.note("%s; %s" % (writers.summary(), ", ".join("%s %d" % item for item in nemesis.counts.items())))
    return report.done()


if __name__ == "__main__":
    sys.exit(main())
