#!/usr/bin/env python3
# timeout: 300
"""migration.py - exchanges the servers of an ensemble for those of another kind and back, one by one, under load.

    migration.py --path java,zkc,java --sessions 50 --tap

Each stage stops one server after the other, the leader last, and starts the next kind on the same data and
configuration. Kazoo sessions, each with an ephemeral node and a watch, go through it all: none may be lost, each keeps
its id and its ephemeral, each sees every change of the watched node. Writers with a memory (history.py) write without a
pause; nothing acknowledged may be lost. For each step the longest time without an acknowledged write is printed.
"""

import argparse
import logging
import os
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

SYSTEM_PYTHON = "/usr/bin/python3"
try:
    import kazoo.client
    import kazoo.exceptions
    import kazoo.protocol.states
    import kazoo.retry
except ImportError:
    if sys.executable != SYSTEM_PYTHON and os.path.exists(SYSTEM_PYTHON):
        os.execv(SYSTEM_PYTHON, [SYSTEM_PYTHON, *sys.argv])
    kazoo = None

import ensemble     # noqa: E402
import history      # noqa: E402
import servers as servers_module    # noqa: E402
import tap          # noqa: E402
import trees        # noqa: E402

SHARED = "/shared"
logging.getLogger("kazoo").setLevel(logging.CRITICAL)


class Client:
    """One kazoo session, its ephemeral node and what its watch has shown."""

    def __init__(self, hosts, number):
        retry = {"max_tries": -1, "delay": 0.05, "max_delay": 1.0}
        self.client = kazoo.client.KazooClient(hosts, timeout=30.0, connection_retry=retry, command_retry=retry)
        self.path = "/ephemeral/%d" % number
        self.lost = 0
        self.seen = []
        self.changed = threading.Condition()
        self.client.add_listener(self._listen)
        self.client.start(timeout=30)
        self.id = self.client.client_id[0]
        self.client.create(self.path, b"0", ephemeral=True)
        self.client.DataWatch(SHARED, self._see)

    def _listen(self, state):
        if state == kazoo.protocol.states.KazooState.LOST:
            self.lost += 1

    def _see(self, data, stat):
        with self.changed:
            self.seen.append(data)
            self.changed.notify_all()

    def wait_seen(self, value, timeout=20.0):
        with self.changed:
            return self.changed.wait_for(lambda: value in self.seen, timeout)

    def check(self, value):
        """Writes once; returns what is wrong with the session."""
        wrong = []
        stat = self.client.retry(self.client.set, self.path, value)
        if stat.ephemeralOwner != self.id:
            wrong.append("%s belongs to 0x%x, the session is 0x%x" % (self.path, stat.ephemeralOwner, self.id))
        if self.lost:
            wrong.append("session 0x%x was lost" % self.id)
        if self.client.client_id[0] != self.id:
            wrong.append("session 0x%x became 0x%x" % (self.id, self.client.client_id[0]))
        if not self.wait_seen(value):
            wrong.append("session 0x%x did not see %s" % (self.id, value))
        return wrong

    def stop(self):
        self.client.stop()
        self.client.close()


def roll(servers, kind, writers, clients, control, report, stage):
    """Exchanges every server, the leader last."""
    leader = servers.leader()
    order = [sid for sid in servers.sids() if sid != leader] + [leader]
    for sid in order:
        value = b"stage %d, server %d" % (stage, sid)
        with ensemble.step(report, servers, "stage %d: %s becomes %s, sessions and writes go on" % (
                stage, servers.name(sid), kind)):
            begin = time.monotonic()
            servers.stop(sid)
            servers.swap(sid, kind)
            servers.start_one(sid)
            if not writers.wait_progress(10):
                raise AssertionError("nothing is written any more")
            servers.wait_serving()
            if not writers.wait_progress(30):
                raise AssertionError("nothing is written any more")
            elapsed, pause = time.monotonic() - begin, writers.longest_pause(begin)
            control.retry(control.set, SHARED, value)
            wrong = [text for client in clients for text in client.check(value)]
            report.note("%.2f s for the step, %.2f s without an acknowledged write, %s leads" % (
                elapsed, pause, servers.name(servers.leader())))
            if wrong:
                raise AssertionError("\n".join(wrong[:10]))


def main():
    parser = argparse.ArgumentParser(description="Exchanges the servers of an ensemble under load.")
    parser.add_argument("--path", "--kinds", dest="path", default="java,zkc,java",
                        help="the kinds that follow each other")
    parser.add_argument("--servers", type=int, default=3)
    parser.add_argument("--sessions", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    tap.add_option(parser)
    options = parser.parse_args()
    path = ensemble.parse_kinds(options.path)
    why = servers_module.require(*path)
    if not why and kazoo is None:
        why = "there is no kazoo here"
    if why:
        tap.skip_all(why)
    report = tap.Tap(plain=not options.tap)
    report.note("%d servers, %s" % (options.servers, " -> ".join(path)))
    properties = {"zookeeper.snapCount": "1000"}
    with ensemble.Ensemble([path[0]] * options.servers, tick_time=500, properties=properties) as servers:
        control = kazoo.client.KazooClient(servers.connect_string(), timeout=30.0)
        control.start(timeout=30)
        control.create(SHARED, b"")
        control.create("/ephemeral", b"")
        clients = [Client(servers.connect_string(), number) for number in range(options.sessions)]
        writers = history.History(servers.addresses, 4, options.seed).start()
        for stage, kind in enumerate(path[1:], 1):
            roll(servers, kind, writers, clients, control, report, stage)
            if report.failed:
                break
        with ensemble.step(report, servers, "all servers hold the same tree, with every session's ephemeral"):
            writers.finish()
            servers.wait_caught_up()
            lines, tree = trees.compare(servers)
            lines += trees.compare_digests(servers)[0]
            for client in clients:
                node = tree.get(client.path.encode())
                if node is None or dict(node[1])["ephemeralOwner"] != client.id:
                    lines.append("%s: %s" % (client.path, trees.describe(node)))
            if lines:
                raise AssertionError("\n".join(lines[:10]))
            violations = writers.verify(tree)
            report.ok(not violations, "nothing acknowledged is lost, and the order held")
            if violations:
                report.note("\n".join(violations[:20]))
        report.note(writers.summary())
        for client in clients:
            client.stop()
        control.stop()
        control.close()
    return report.done()


if __name__ == "__main__":
    sys.exit(main())
