"""pinger.py - a client in a process of its own that pings and writes down how long it waits for each answer.

    with pinger.Pinger(server.address) as witness:
        ...                                 # what should not hold it up
    witness.longest_ms, witness.count, witness.failure
"""

import json
import os
import sys
import time

import rawclient
from protocol import OPEN_ACL

TIMEOUT_MS = 40000


def _ping_until(address, stop, ready, options):
    """The child's: pings until `stop` is closed; tells `ready` once it has a session."""
    took, failure = [], None
    try:
        session = rawclient.Session(address, timeout_ms=TIMEOUT_MS, timeout=120.0)
        if options.get("reads"):
            session.ask("create", options["reads"], b"", OPEN_ACL, 0)
        session.ping()
        os.write(ready, b"\n")
        os.set_blocking(stop, False)
        while True:
            try:
                os.read(stop, 1)
                break
            except BlockingIOError:
                pass
            start = time.monotonic()
            if options.get("reads"):
                session.call("getData", options["reads"], False)
            else:
                session.ping()
            took.append((time.monotonic() - start) * 1000)
            time.sleep(options.get("pause", 0.002))
    except Exception as error:      # pylint: disable=broad-except
        failure = "%s: %s" % (type(error).__name__, error)
    took.sort()
    return {"count": len(took), "failure": failure, "longest_ms": took[-1] if took else None,
            "median_ms": took[len(took) // 2] if took else None}


class Pinger:
    """`reads` is a path to read from in place of pinging, made when it is not there."""

    def __init__(self, address, **options):
        self.count, self.longest_ms, self.median_ms, self.failure = 0, None, None, "not ended"
        stop, self.stop = os.pipe()
        self.answer, answer = os.pipe()
        sys.stdout.flush()
        self.pid = os.fork()
        if self.pid == 0:
            try:
                os.close(self.stop)
                text = json.dumps(_ping_until(address, stop, answer, options)).encode()
                os.write(answer, text)
            finally:
                os._exit(0)
        os.close(stop)
        os.close(answer)
        self.first = os.read(self.answer, 1)

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        os.close(self.stop)
        with os.fdopen(self.answer, "rb") as file:
            text = (self.first + file.read()).strip()
        os.waitpid(self.pid, 0)
        self.__dict__.update(json.loads(text) if text else {"failure": "it ended without a word"})

    def within(self, bound_ms):
        return self.failure is None and self.count > 0 and self.longest_ms <= bound_ms

    def __str__(self):
        if self.failure is not None:
            return self.failure
        return "%d answers, median %.2f ms, longest %.1f ms" % (self.count, self.median_ms or 0, self.longest_ms or 0)
