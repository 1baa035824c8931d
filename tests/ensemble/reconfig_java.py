#!/usr/bin/env python3
# timeout: 300
"""reconfig_java.py - the story of reconfig.py, told by Java's zkCli: three servers, five, and three again.

    reconfig_java.py --kinds "zkc,zkc,zkc zkc,java,java" --tap

Three zkCli have the addresses of the first three servers. One, which is the superuser, changes the members; one
watches the configuration; one keeps creating nodes. After each change the first reads back what it asked for, the
second hears of it, a watch of the second fires for a write of the first, and the third goes on; what reconfig.py looks
at on every server is looked at too. In the end nothing that zkCli said it created is lost.
"""

import argparse
import re
import sys
import threading
import time

import reconfig     # and what it puts on the path
from reconfig import expect

import ensemble
import ports
import servers
import talk
import tap

CONFIG = r"((?:server\.\d+=\S+\n)+version=[0-9a-f]+)\s"
CHANGED = "type:NodeDataChanged path:%s"
LOST = r"ConnectionLoss|Sync has failed\. rc=-4"     # the two ways in which zkCli says it


class Writer(threading.Thread):
    """A zkCli that creates one node after another, with the face of history.History."""

    PATH = "/java-writer"

    def __init__(self, addresses):
        super().__init__(name="zkCli", daemon=True)
        self.client = talk.Talk(talk.zk_cli(addresses))
        self.stop = threading.Event()
        self.created = {}       # number -> when it was acknowledged
        self.maybe = set()      # numbers whose request was answered with a loss of the connection
        self.violations = []

    def start(self):
        self.client.asks(None, "SyncConnected")
        self.client.asks("create " + self.PATH, "Created " + self.PATH)
        super().start()
        return self

    def run(self):
        number = 0
        try:
            while not self.stop.wait(0.02):
                number += 1
                path = "%s/n%d" % (self.PATH, number)
                answer = self.client.asks("create %s %d" % (path, number), "Created %s\n|ConnectionLoss" % path, 60)
                if "Loss" in answer.group():
                    self.maybe.add(number)
                else:
                    self.created[number] = time.monotonic()
        except AssertionError as error:
            self.violations.append("the zkCli that writes: %s" % error)

    def wait_progress(self, count=20, timeout=60.0):
        goal, deadline = len(self.created) + count, time.monotonic() + timeout
        while len(self.created) < goal:
            if time.monotonic() > deadline or not self.is_alive():
                return False
            time.sleep(0.01)
        return True

    def longest_pause(self, since):
        points = [since] + [end for end in list(self.created.values()) if end >= since] + [time.monotonic()]
        return max(later - earlier for earlier, later in zip(points, points[1:]))

    def finish(self):
        self.stop.set()
        self.join(90)
        self.client.end()

    def verify(self, tree):
        """What differs from the tree that all servers hold."""
        there = {}
        for path, node in tree.items():
            if path.startswith(self.PATH.encode() + b"/"):
                there[int(path.rsplit(b"/n", 1)[1])] = (int(node[0]), dict(node[1])["czxid"])
        self.violations += ["create %d was acknowledged and is lost" % number for number in self.created
                            if number not in there]
        self.violations += ["node %d holds %d" % (number, node[0]) for number, node in there.items()
                            if node[0] != number]
        self.violations += ["node %d was not sent" % number for number in there
                            if number not in self.created and number not in self.maybe]
        zxids = [there[number][1] for number in sorted(there)]
        if zxids != sorted(zxids):
            self.violations.append("the nodes were created in another order than they were sent")
        return self.violations

    def summary(self):
        return "zkCli: %d writes acknowledged, %d maybe" % (len(self.created), len(self.maybe))


class JavaReconfig(reconfig.Reconfig):
    def __init__(self, members, kinds, report):
        super().__init__(members, kinds, report)
        self.addresses = members.connect_string()
        self.admin = talk.Talk(talk.zk_cli(self.addresses))
        self.watcher = talk.Talk(talk.zk_cli(self.addresses))
        self.writers = Writer(self.addresses)
        self.count = 0

    def step(self, fact):
        return ensemble.step(self.report, self.servers, "%s: %s" % (",".join(self.kinds), fact))

    def connect(self):
        for client in (self.admin, self.watcher):
            client.asks(None, "SyncConnected")
        self.admin.asks("addauth digest " + reconfig.SUPER + "\nwhoami", "super")
        self.writers.start()
        self.watch_config((self.members, self.version_shown()))

    def again(self, client, line, pattern):
        """As client.asks(), and once more for each time the connection was lost; returns the match."""
        while True:
            answer = client.asks(line, pattern + "|" + LOST)
            if not re.fullmatch(LOST, answer.group()):
                return answer

    def config(self, client, *options):
        """The configuration as the client reads it, behind what was committed when it asked."""
        self.again(client, "sync /", "Sync is OK")
        return reconfig.parse_config(self.again(client, " ".join(("config",) + options), CONFIG).group(1).encode())

    def watch_config(self, expected):
        got = self.config(self.watcher, "-w")
        expect(got == expected, "the watching zkCli reads %s, expected %s", got, expected)

    def ask(self, joining=None, leaving=None, members=None, version=-1):
        """Sends one reconfiguration; returns what it committed, (members, version), or None when the answer is lost."""
        self.again(self.admin, "sync /", "Sync is OK")      # its server may be gone; then it has another now
        words = ["reconfig"]
        for option, value in (("-add", joining), ("-remove", leaving), ("-members", members)):
            if value:
                words += [option, value.replace("\n", ",")]
        if version >= 0:
            words += ["-v", "%x" % version]
        answer = self.admin.asks(" ".join(words), r"Committed new configuration:\s+" + CONFIG + "|ConnectionLoss", 60)
        return reconfig.parse_config(answer.group(1).encode()) if answer.group(1) else None

    def change(self, expected, sid=None, **arguments):
        begin = time.monotonic()
        self.members = expected
        committed = self.ask(**arguments)
        if committed is None:   # by a server that gave up its role for this
            self.report.note("the answer is lost")
        else:
            expect(committed[0] == expected, "zkCli says %s, expected %s", committed[0], expected)
        version = self.servers.wait(self.version_shown, "the new configuration is in force")
        expect(committed is None or committed[1] == version, "version 0x%x is in force, committed was %s", version,
               committed)
        self.settle(version)
        got = self.config(self.admin)
        expect(got == (expected, version), "config says %s, expected %s", got, (expected, version))
        self.watcher.asks(None, CHANGED % reconfig.CONFIG.decode())
        self.watch_config((expected, version))
        self.watch_node()
        expect(self.writers.wait_progress(20), "nothing is written any more: %s", self.writers.violations)
        self.report.note("%.2f s, %.2f s without an acknowledged write" % (time.monotonic() - begin,
                                                                          self.writers.longest_pause(begin)))

    def watch_node(self):
        self.count += 1
        path = "/java-%d" % self.count
        self.again(self.admin, "create " + path, "Created %s|already exists" % path)
        self.again(self.watcher, "sync /", "Sync is OK")
        self.again(self.watcher, "stat -w " + path, "numChildren = 0")
        self.again(self.admin, "set -s %s x" % path, "numChildren = ")
        self.watcher.asks(None, CHANGED % path)

    # --- what happens ---

    def errors(self):
        leader = self.servers.leader()
        other = self.servers.followers()[0]
        taken = ports.take(6)
        strangers = ["server.%d=127.0.0.1:%d:%d:participant;127.0.0.1:%d" % (7 + at, *taken[3 * at:3 * at + 3])
                     for at in range(2)]
        everybody = ",".join(str(sid) for sid in self.members)
        for client, line, pattern, fact in (
                (self.watcher, "-remove %d" % other, "Insufficient permission", "who may not write it"),
                (self.admin, "-remove %d -v 1" % other, "version No is not valid", "another version"),
                (self.admin, "-members " + ",".join([self.line(leader)] + strangers), "No quorum of new config",
                 "no quorum that is there"),
                (self.admin, "-add nonsense", "Arguments are not valid", "no server"),
                (self.admin, "-remove " + everybody, "Arguments are not valid", "nobody left")):
            with self.step("zkCli is told what is wrong: " + fact):
                client.asks("reconfig " + line, pattern)
        with self.step("what was refused changed nothing"):
            members, version = self.config(self.admin)
            expect(members == self.members and version == 1 << 32, "%s version 0x%x", members, version)

    def run(self):
        before = self.report.failed
        with self.step("three zkCli connect"):
            self.connect()
        if self.report.failed == before:
            self.errors()
        for fact, act in (
                ("a participant and an observer join", self.join),
                ("the observer becomes a participant, from a version that is named", self.promote),
                ("the leader is taken out, and another leads", self.remove_leader),
                ("the server taken out is made one of five by a list", self.five_by_list),
                ("from five to three by a list", self.three_by_list),
                ("all hold the same tree, nothing acknowledged is lost", self.verify)):
            if self.report.failed > before:
                break       # the next builds upon it
            with self.step(fact):
                act()
        self.report.note(self.writers.summary())
        if self.writers.is_alive():
            self.writers.finish()
        for client in (self.admin, self.watcher):
            client.end()


def main():
    parser = argparse.ArgumentParser(description="Changes the members of an ensemble by zkCli, under load of zkCli.")
    ensemble.add_options(parser, kinds="zkc,zkc,zkc zkc,zkc,java")
    tap.add_option(parser)
    options = parser.parse_args()
    for kinds in options.kinds.split():
        why = ensemble.require(kinds) or servers.require("java")
        if why:
            tap.skip_all(why)
    report = tap.Tap(plain=not options.tap)
    for kinds in map(ensemble.parse_kinds, options.kinds.split()):
        with ensemble.Ensemble(kinds, reconfig=True, tick_time=500, properties={
                "zookeeper.DigestAuthenticationProvider.superDigest": reconfig.DIGEST}) as members:
            JavaReconfig(members, kinds, report).run()
    return report.done()


if __name__ == "__main__":
    sys.exit(main())
