#!/usr/bin/env python3
# timeout: 300
"""leader_changes.py - takes the leader away, again and again, while clients write.

    leader_changes.py --kinds zkc,zkc,java --changes 200 --seed 7 --tap

Each time the leader gets SIGKILL, SIGTERM, or SIGSTOP for longer than syncLimit; another must lead, with a later epoch,
and writes must go on. The old leader comes back at once, or when much has been written without it. Every ten changes
and at the end the writers rest and all servers must hold the same tree; at the end nothing acknowledged may be lost
(history.py says what is checked).
"""

import argparse
import os
import random
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

import ensemble     # noqa: E402
import history      # noqa: E402
import tap          # noqa: E402
import trees        # noqa: E402

METHODS = {"kill": "SIGKILL", "stop": "SIGTERM", "pause": "SIGSTOP"}


def change(servers, writers, rng, method):
    """Takes the leader away and brings it back; returns what is to be told."""
    writers.wait_progress(rng.choice((1, 5, 20, 60)))
    leader = servers.leader()
    epoch = (servers.zxid(leader) or 0) >> 32
    others = [sid for sid in servers.sids() if sid != leader]
    begin = time.monotonic()
    getattr(servers, method)(leader)
    new = servers.wait(lambda: next((sid for sid in others if servers.mode(sid) == "leader"), None),
                       "another server leads after %s of %s" % (METHODS[method], servers.name(leader)))
    elapsed = time.monotonic() - begin
    if servers.zxid(new) >> 32 <= epoch:
        raise AssertionError("epoch 0x%x after 0x%x" % (servers.zxid(new) >> 32, epoch))
    at_once = rng.random() < 0.5
    if not at_once and not writers.wait_progress(rng.choice((10, 50, 150))):
        raise AssertionError("nothing is written any more%s" % servers.tails())
    if method == "pause":
        servers.resume(leader)
    else:
        servers.start_one(leader)
    if not writers.wait_progress(5):
        raise AssertionError("nothing is written any more%s" % servers.tails())
    servers.wait_serving()
    return "%s leads after %.2f s, the old comes back %s, writes paused for %.2f s" % (
        servers.name(new), elapsed, "at once" if at_once else "later", writers.longest_pause(begin))


def rest_and_compare(servers, writers):
    writers.hold.set()
    try:
        time.sleep(0.2)
        servers.wait_caught_up()
        lines, tree = trees.compare(servers)
        if not lines:
            lines, _ = trees.compare_digests(servers)
        if lines:
            raise AssertionError("\n".join(lines))
        return tree
    finally:
        writers.hold.clear()


def main():
    parser = argparse.ArgumentParser(description="Takes the leader away while clients write.")
    ensemble.add_options(parser)
    parser.add_argument("--changes", type=int, default=10)
    parser.add_argument("--writers", type=int, default=4)
    parser.add_argument("--methods", default=",".join(METHODS), help="kill, stop, pause")
    tap.add_option(parser)
    options = parser.parse_args()
    why = ensemble.require(options.kinds)
    if why:
        tap.skip_all(why)
    report = tap.Tap(plain=not options.tap)
    rng = random.Random(options.seed)
    methods = options.methods.split(",")
    report.note("kinds: %s, again: --seed %d" % (options.kinds, options.seed))
    properties = {"zookeeper.snapCount": "500", "zookeeper.preAllocSize": "64"}
    with ensemble.Ensemble(options.kinds, tick_time=200, init_limit=50, properties=properties) as servers:
        writers = history.History(servers.addresses, options.writers, options.seed, reply_timeout=2.0).start()
        for number in range(1, options.changes + 1):
            method = rng.choice(methods)
            with ensemble.step(report, servers, "change %d of %d, %s: another leads and writes go on" % (
                    number, options.changes, METHODS[method])):
                report.note(change(servers, writers, rng, method))
            if report.failed:
                break
            if number % 10 == 0 and number < options.changes:
                with ensemble.step(report, servers, "after %d changes all servers hold the same tree" % number):
                    rest_and_compare(servers, writers)
        tree = {}
        with ensemble.step(report, servers, "in the end all servers hold the same tree and digests"):
            servers.launch()
            servers.wait_serving()
            writers.finish()
            tree = rest_and_compare(servers, writers)
            violations = writers.wait_no_ephemerals(servers)
            if violations:
                raise AssertionError("\n".join(violations[:10]))
        violations = writers.verify(tree) if tree else writers.violations
        report.ok(not violations, "nothing acknowledged is lost, and the order held")
        if violations:
            report.note("\n".join(violations[:20]))
        report.note(writers.summary())
    return report.done()


if __name__ == "__main__":
    sys.exit(main())
