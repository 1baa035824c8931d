#!/usr/bin/env python3
"""failing_disk.py - a write or a sync of the log that fails: nothing more is acknowledged, the server ends and says why.

strace makes the n-th call of a kind fail. A client writes one node after the other; afterwards the server is started again
without strace, and every node whose creation was acknowledged must be there. Prints TAP.
"""

import os
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

import rawclient  # noqa: E402
import servers  # noqa: E402
import tap  # noqa: E402

OPEN_ACL = ((31, (b"world", b"anyone")),)
MOST_WRITES = 60


class FailingServer(servers.ZkcServer):
    """A server under strace, which lets some calls fail."""

    def __init__(self, injection):
        super().__init__()
        self.injection = injection

    def command(self, config_path):
        call = self.injection.split(":")[0]
        return ["strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace=" + call, "-e", "inject=" + self.injection] + \
            super().command(config_path)


def write_until_refused(server):
    """Paths whose creation was acknowledged."""
    acknowledged = []
    try:
        session = server.session(timeout=10.0)
        for number in range(MOST_WRITES):
            path = b"/n%03d" % number
            session.call("create", path, b"x" * 100, OPEN_ACL, 0)
            acknowledged.append(path)
    except (OSError, rawclient.Closed, rawclient.Timeout, rawclient.RequestError):
        pass
    return acknowledged


def run(results, fact, injection, says):
    with FailingServer(injection) as server:
        acknowledged = write_until_refused(server)
        try:
            status = server.process.wait(20)
        except subprocess.TimeoutExpired:
            status = None
        log = server.log_tail(20000)
        results.ok(status == 1, "%s: the server ends with code 1" % fact)
        results.ok(all(word in log for word in says), "%s: its log names file and reason" % fact)
        if status != 1:
            results.note(log[-1500:])
        again = servers.ZkcServer(data_from=server.data_dir)
        with again:
            session = again.session()
            there = set(rawclient.walk(session))
            missing = [path for path in acknowledged if path not in there]
            results.ok(not missing and len(acknowledged) < MOST_WRITES,
                       "%s: all %d acknowledged writes are there after a restart" % (fact, len(acknowledged)))


def main():
    reason = servers.require("zkc")
    if reason is None and shutil.which("strace") is None:
        reason = "there is no strace here"
    results = tap.Tap()
    if reason is not None:
        results.ok(False, reason)
        return results.done()
    log_file = "log."
    run(results, "a sync that fails", "fdatasync:error=EIO:when=12+", [log_file, "Input/output error"])
    run(results, "a sync that fails once", "fdatasync:error=EIO:when=15", [log_file, "Input/output error"])
    run(results, "a full disk", "pwrite64:error=ENOSPC:when=20+", [log_file, "No space left on device"])
    run(results, "a write that fails", "pwrite64:error=EIO:when=25", [log_file, "Input/output error"])
    return results.done()


if __name__ == "__main__":
    sys.exit(main())
