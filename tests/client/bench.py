#!/usr/bin/env python3
"""bench.py - our libzookeeper_mt beside Debian's: one program, one server, the libraries in turns.

    bench.py --rounds 5 --sync 20000 --async 100000 --tap

Prints medians and ratios of time a synchronous call takes and of CPU an asynchronous one costs. As a test it asks for
less than what we want to be, since the machine may have other work: see GOALS.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
SOURCE = os.environ.get("ZKC_SOURCE", os.path.dirname(os.path.dirname(HERE)))
BUILD = os.environ.get("ZKC_BUILD", os.getcwd())
sys.path.insert(0, os.path.join(SOURCE, "tests", "lib"))

import servers as server_lib   # noqa: E402
import tap as tap_lib          # noqa: E402

# What is measured, which of its figures (0: time, 1: CPU), how many times less than Debian's it should be, as a test.
GOALS = [("sync_get", 0, 1.0, 0.8), ("async_get", 1, 2.0, 2.0), ("async_set", 1, 2.0, 2.0)]


def build(directory):
    program = os.path.join(directory, "bench")
    subprocess.run([os.environ.get("CC") or "cc", "-O2", "-pthread", "-o", program, os.path.join(HERE, "bench.c"),
                    "-lzookeeper_mt"], check=True)
    return program


def measure(program, address, counts, library_path):
    environment = dict(os.environ)
    if library_path:
        environment["LD_LIBRARY_PATH"] = library_path
    result = subprocess.run([program, address] + [str(count) for count in counts], env=environment, check=True,
                            stdout=subprocess.PIPE, universal_newlines=True, timeout=280)
    found = {}
    for line in result.stdout.splitlines():
        name, *numbers = line.split()
        found[name] = [float(number) for number in numbers]
    if found["failed"][0] != 0:
        raise AssertionError("%d calls failed" % found["failed"][0])
    return found


def main():
    parser = argparse.ArgumentParser(description="Measures our client library beside Debian's.")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--sync", type=int, default=3000)
    parser.add_argument("--async", type=int, default=20000, dest="pipelined")
    tap_lib.add_option(parser)
    options = parser.parse_args()
    report = tap_lib.Tap(plain=not options.tap)
    with tempfile.TemporaryDirectory(prefix="zkc-bench-") as directory:
        program = build(directory)
        figures = {"ours": [], "Debian's": []}
        with server_lib.make("zkc") as server:
            for _ in range(options.rounds):
                for whose, path in (("ours", os.path.join(BUILD, ".libs")), ("Debian's", None)):
                    figures[whose].append(measure(program, "127.0.0.1:%d" % server.port,
                                                  (options.sync, options.pipelined), path))
        for name, which, goal, least in GOALS:
            ours, theirs = (statistics.median(run[name][which] for run in figures[whose])
                            for whose in ("ours", "Debian's"))
            report.ok(theirs / ours >= least, "%s: %s of a call, %.1f times less than Debian's is wanted" % (
                name, ("time", "CPU")[which], goal))
            report.note("ours %.2f us, Debian's %.2f us: %.2f times less" % (ours, theirs, theirs / ours))
    return report.done()


if __name__ == "__main__":
    sys.exit(main())
