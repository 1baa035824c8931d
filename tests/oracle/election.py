#!/usr/bin/env python3
# timeout: 300
"""election.py - elections among Java servers and ours, over the wire: who leads is agreed on in every mixture.

Ours is the program elect (tests/oracle/elect.c), which only elects. Java servers must name the same leader in `srvr` or
in their log. Loopback only.
"""

import argparse
import os
import queue
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import ports    # noqa: E402
import servers  # noqa: E402
import tap as tap_module  # noqa: E402

DEADLINE = 60.0
LEADS = "LEADING - LEADER ELECTION TOOK"
FOLLOWS = "FOLLOWING - LEADER ELECTION TOOK"


class Elector:
    """One process of elect."""

    def __init__(self, directory, sid, config, zxid=0, options=()):
        path = os.path.join(directory, "elect-%d.cfg" % sid)
        with open(path, "w", encoding="ascii") as file:
            file.write(config)
        program = os.path.join(os.environ.get("ZKC_BUILD", "."), "tests", "oracle", "elect")
        self.log = open(os.path.join(directory, "elect-%d.log" % sid), "ab")
        self.process = subprocess.Popen([program, str(sid), path, str(zxid), *options], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=self.log, text=True)
        self.lines = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        for line in self.process.stdout:
            self.lines.put(line.split())

    def look(self):
        self.process.stdin.write("look\n")
        self.process.stdin.flush()

    def leader(self):
        """(id, state) of the search that was begun; None when it takes too long."""
        try:
            words = self.lines.get(timeout=DEADLINE)
            return int(words[0]), words[3]
        except queue.Empty:
            return None

    def close(self):
        self.process.stdin.close()
        try:
            status = self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            status = self.process.wait()
        self.log.close()
        return status


class JavaPeer(servers.JavaServer):
    """One Java server of an ensemble."""

    def __init__(self, sid, lines, options=None):
        super().__init__(config={"initLimit": 10, "syncLimit": 5, "tickTime": 2000, **lines, **(options or {})})
        with open(os.path.join(self.data_dir, "myid"), "w", encoding="ascii") as file:
            file.write("%d\n" % sid)
        self.sid = sid

    def times_logged(self, text):
        with open(self.log_path, "rb") as file:
            return file.read().count(text.encode())

    def has_logged(self, text, more_than=0):
        deadline = time.monotonic() + DEADLINE
        while time.monotonic() < deadline:
            if self.times_logged(text) > more_than:
                return True
            time.sleep(0.05)
        return False

    def mode_becomes(self, *modes):
        deadline = time.monotonic() + DEADLINE
        while time.monotonic() < deadline:
            try:
                answer = self.word("srvr")
                if any("Mode: " + mode in answer for mode in modes):
                    return True
            except OSError:
                pass
            time.sleep(0.05)
        return False


def any_has_logged(javas, text):
    deadline = time.monotonic() + DEADLINE
    while time.monotonic() < deadline:
        if any(java.times_logged(text) for java in javas):
            return True
        time.sleep(0.05)
    return False


def ensemble(count, host="127.0.0.1"):
    return {"server.%d" % sid: "%s:%d:%d:participant" % (host, ports.one(), ports.one())
            for sid in range(1, count + 1)}


def text_of(lines):
    return "".join("%s=%s\n" % item for item in lines.items()) + "version=0"


def java_leads(tap, host, options, what):
    """Ours has the smallest id: Java servers 2 and 3 elect with it, then without it, and it comes back late."""
    lines = ensemble(3, host)
    javas = [JavaPeer(sid, lines, options) for sid in (2, 3)]
    ours_options = ["%s=%s" % item for item in options.items()]
    elector = None
    try:
        elector = Elector(javas[0].directory, 1, text_of(lines), options=ours_options)
        elector.look()
        javas[0].launch()
        tap.ok(elector.leader() == (2, "FOLLOWING"), what + "ours and one Java server elect the Java server")
        tap.ok(javas[0].has_logged(LEADS), what + "the Java server leads")
        elector.close()
        javas[1].launch()
        tap.ok(javas[0].mode_becomes("leader", "follower") and javas[1].mode_becomes("leader", "follower"),
               what + "two Java servers go on without ours")
        leader = next(java.sid for java in javas if "Mode: leader" in java.word("srvr"))
        elector = Elector(javas[0].directory, 1, text_of(lines), options=ours_options)
        elector.look()
        tap.ok(elector.leader() == (leader, "FOLLOWING"), what + "ours comes late and follows the leader that is")
        other = 5 - leader
        led_before = javas[other - 2].times_logged(LEADS)
        javas[leader - 2].kill()
        elector.look()
        tap.ok(elector.leader() == (other, "FOLLOWING"), what + "the leader is killed: ours elects the other Java server")
        tap.ok(javas[other - 2].has_logged(LEADS, led_before), what + "which leads")
        tap.ok(elector.close() == 0, what + "ours ends when told to")
        elector = None
    finally:
        if elector is not None:
            elector.close()
        for java in javas:
            java.dispose()


def ours_leads(tap):
    """Ours has the largest id, or the longest log: Java servers follow it."""
    for sid, zxid, others, why in ((3, 0, (1, 2), "largest id"), (1, 0x900, (2, 3), "longest log")):
        lines = ensemble(3)
        javas = [JavaPeer(other, lines) for other in others]
        elector = None
        try:
            elector = Elector(javas[0].directory, sid, text_of(lines), zxid)
            elector.look()
            for java in javas:
                java.launch()
            tap.ok(elector.leader() == (sid, "LEADING"), "ours leads two Java servers by its " + why)
            # The one that comes second may find the first looking again: ours never takes a follower in.
            tap.ok(any_has_logged(javas, FOLLOWS), "a Java server follows ours by its " + why)
        finally:
            if elector is not None:
                elector.close()
            for java in javas:
                java.dispose()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    tap_module.add_option(parser)
    arguments = parser.parse_args()
    why = servers.require("java")
    if why:
        tap_module.skip_all(why)
    os.environ["ZKC_JAVA_LOG"] = "info"
    tap = tap_module.Tap(plain=not arguments.tap)
    java_leads(tap, "127.0.0.1", {}, "")
    java_leads(tap, "localhost", {"multiAddress.enabled": "true"}, "with multiAddress: ")
    ours_leads(tap)
    return tap.done()


if __name__ == "__main__":
    sys.exit(main())
