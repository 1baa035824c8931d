#!/usr/bin/env python3
"""seeds.py - seeds of the simulator, as make check runs them.

    seeds.py --tap
    seeds.py --safety 1-100000 --liveness 1-10000 --hours 1000      the long form, make simulate-long

(1) Seeds of safety and of liveness, on all processors, none fails. In the build that has no sanitizer 2,000 of the one
and 500 of the other, in five minutes; elsewhere fewer. (2) The same seed gives the same trace twice, byte for byte, and
the same as in other builds: each build leaves the hashes of some traces beside its program, and holds them against those
that other builds of the same commit left (quickstart check has one of gcc and two of clang).
"""
# timeout: 900

import argparse
import glob
import hashlib
import json
import os
import re
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
SOURCE = os.environ.get("ZKC_SOURCE", os.path.dirname(os.path.dirname(HERE)))
BUILD = os.environ.get("ZKC_BUILD", os.getcwd())
sys.path.insert(0, os.path.join(SOURCE, "tests", "lib"))

import tap      # noqa: E402

SIMULATE = os.path.join(BUILD, "tests", "simulator", "simulate")
SUM = re.compile(r"(\d+) seeds, (\d+) failed; ([\d.]+) s, ([\d.]+) seeds/s; ([\d.]+) simulated hours")
TRACED = (1, 2, 3, 17, 100, 1382)
CHECK_SECONDS = 300


def run_seeds(report, kind, seeds, jobs, options=()):
    """One range of seeds; the sum it printed as (seeds, failed, seconds, seeds a second, simulated hours)."""
    command = [SIMULATE, "--seeds", seeds, "--jobs", str(jobs), *options]
    result = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    found = SUM.search(result.stdout)
    report.note(result.stdout.strip())
    report.ok(result.returncode == 0 and found is not None, "%s: seeds %s, none fails" % (kind, seeds))
    return tuple(float(group) for group in found.groups()) if found else None


def trace_of(seed):
    result = subprocess.run([SIMULATE, "--seed", str(seed), "--trace"], stdout=subprocess.PIPE, check=False)
    return hashlib.sha256(result.stdout).hexdigest()


def traces(report, fingerprint):
    """(2)"""
    own = {str(seed): trace_of(seed) for seed in TRACED}
    report.ok(own == {str(seed): trace_of(seed) for seed in TRACED}, "the same seed gives the same trace twice")
    path = os.path.join(os.path.dirname(SIMULATE), "traces.json")
    with open(path, "w", encoding="ascii") as file:
        json.dump({"sources": fingerprint, "traces": own}, file)
    others = 0
    for other in sorted(glob.glob(os.path.join(os.path.dirname(BUILD), "*", "tests", "simulator", "traces.json"))):
        if os.path.samefile(other, path):
            continue
        with open(other, encoding="ascii") as file:
            theirs = json.load(file)
        if theirs["sources"] != fingerprint:
            continue    # of an older state of the tree
        others += 1
        report.ok(theirs["traces"] == own, "and the same as in build %s" % other.split(os.sep)[-4])
    if others == 0:
        report.note("no other build has left traces of this state yet")


def fingerprint_of_sources():
    """Of all that the simulator is made of."""
    digest = hashlib.sha256()
    for room in ("common", "server", "client", "tests/simulator"):
        for folder, directories, names in os.walk(os.path.join(SOURCE, room)):
            directories.sort()
            for name in sorted(names):
                if name.endswith((".c", ".h", ".def")):
                    with open(os.path.join(folder, name), "rb") as file:
                        digest.update(file.read())
    return digest.hexdigest()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--safety", help="a range of seeds, 1-2000")
    parser.add_argument("--liveness", help="a range of seeds, 1-500")
    parser.add_argument("--hours", type=float, default=0, help="simulated hours there must be at least")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    tap.add_option(parser)
    options = parser.parse_args()
    is_plain_build = os.environ.get("ZKC_SANITIZERS", "no") == "no"
    is_check = options.safety is None and options.liveness is None
    report = tap.Tap(plain=not options.tap)
    ranges = [("safety", options.safety or ("1-2000" if is_plain_build else "1-40"), ()),
              ("liveness", options.liveness or ("1-500" if is_plain_build else "1-20"), ("--liveness",))]
    sums = [run_seeds(report, kind, seeds, options.jobs, more) for kind, seeds, more in ranges]
    if all(sums):
        seconds, hours = sum(one[2] for one in sums), sum(one[4] for one in sums)
        if is_check and is_plain_build:
            report.ok(seconds <= CHECK_SECONDS, "all of them in %d s (%.0f)" % (CHECK_SECONDS, seconds))
        if options.hours > 0:
            report.ok(hours >= options.hours, "%.0f simulated hours (%.0f)" % (options.hours, hours))
    traces(report, fingerprint_of_sources())
    return report.done()


if __name__ == "__main__":
    sys.exit(main())
