#!/usr/bin/env python3
# timeout: 300
"""failover_time.py - kills the leader and measures how long nothing can be written, for several ensembles in turns.

    failover_time.py --kinds "java zkc zkc,zkc,java" --ticks 2000,200 --rounds 5 --kills 4 --tap

One session, connected to a follower, writes all the time; when its server hangs up it asks every server left, every few
milliseconds. What is measured goes from the kill to the first write answered after it. In each round every ensemble is
started, loses its leader --kills times and is put away, so that what else the machine does falls upon all of them.
"""

import argparse
import os
import statistics
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

import ensemble     # noqa: E402
import jute         # noqa: E402
import rawclient    # noqa: E402
import tap          # noqa: E402
from protocol import OPEN_ACL, PERSISTENT   # noqa: E402

LONGEST = 30.0      # seconds until we do not wait any longer


def write_again(servers, session, survivors, deadline):
    """Writes as soon as one of the survivors lets the session; returns the session as it is connected then."""
    while time.monotonic() < deadline:
        try:
            if session.ask("setData", b"/failover", b"x", -1)[0].err == 0:
                return session
        except (OSError, rawclient.Closed, rawclient.Timeout, jute.JuteError):
            pass
        session.disconnect()
        for sid in survivors:
            try:
                session = rawclient.Session(servers.address_of(sid), 60000, session.id, session.password,
                                            session.zxid, timeout=5.0)
                break
            except (OSError, rawclient.Closed, rawclient.Timeout):
                continue
        else:
            time.sleep(0.003)
        if session.expired:
            raise AssertionError("the session is lost")
    raise AssertionError("nothing was written for %.0f s%s" % (LONGEST, servers.tails()))


def measure(kinds, tick, kills, how):
    """The seconds without service of each of so many leaders' ends."""
    times = []
    with ensemble.Ensemble(kinds, tick_time=tick, init_limit=max(10, 10000 // tick), sync_limit=5) as servers:
        session = servers.session(servers.followers()[0], timeout_ms=60000)
        session.call("create", b"/failover", b"", OPEN_ACL, PERSISTENT)
        for _ in range(kills):
            leader = servers.leader()
            survivors = [sid for sid in servers.sids() if sid != leader]
            session.disconnect()
            session = servers.again(survivors[0], session)
            for _ in range(20):
                session.call("setData", b"/failover", b"before", -1)
            begin = time.monotonic()
            servers[leader].process.send_signal(how)
            session = write_again(servers, session, survivors, begin + LONGEST)
            times.append(time.monotonic() - begin)
            servers.kill(leader)
            servers.start_one(leader)
            servers.wait_serving()
        session.close()
    return times


def main():
    parser = argparse.ArgumentParser(description="Measures the time without service when the leader is killed.")
    ensemble.add_options(parser, kinds="java zkc")
    parser.add_argument("--ticks", default="2000,200", help="tickTime, ms")
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--kills", type=int, default=3)
    parser.add_argument("--how", choices=("kill", "term", "stop"), default="kill")
    tap.add_option(parser)
    options = parser.parse_args()
    candidates = options.kinds.split()
    for kinds in candidates:
        why = ensemble.require(kinds)
        if why:
            tap.skip_all(why)
    report = tap.Tap(plain=not options.tap)
    how = {"kill": 9, "term": 15, "stop": 19}[options.how]
    for tick in (int(text) for text in options.ticks.split(",")):
        times = {kinds: [] for kinds in candidates}
        for _ in range(options.rounds):
            for kinds in candidates:
                with ensemble.step(report, None, "tickTime %d, %s: service comes back after each kill" % (tick, kinds)):
                    times[kinds] += measure(kinds, tick, options.kills, how)
        for kinds, values in times.items():
            if values:
                report.note("tickTime %4d, %-14s %d kills: least %.3f s, median %.3f s, most %.3f s" % (
                    tick, kinds, len(values), min(values), statistics.median(values), max(values)))
        if times.get("java") and times.get("zkc"):
            ours, theirs = statistics.median(times["zkc"]), statistics.median(times["java"])
            report.ok(ours <= 1.5 * theirs + 0.1, "tickTime %d: ours, %.3f s, is not behind Java's, %.3f s" % (
                tick, ours, theirs))
    return report.done()


if __name__ == "__main__":
    sys.exit(main())
