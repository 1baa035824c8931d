#!/usr/bin/env python3
# timeout: 900
"""kazoo_suite.py - runs the test suite that ships inside Debian's kazoo against a server, test by test.

    kazoo_suite.py --server zkc --tap
    kazoo_suite.py --server java --record      writes kazoo_expected.txt anew

What Java 3.8.0 makes of each test stands in kazoo_expected.txt; the server must do the same. Left out is what stops
two of three servers and what needs SASL or Kerberos on the server. kazoo_ensemble.py is the same for three servers.
"""

import argparse
import collections
import os
import shutil
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "lib"))

import ensemble     # noqa: E402
import ports        # noqa: E402
import servers      # noqa: E402
import tap          # noqa: E402

EXPECTED = {1: "kazoo_expected.txt", 3: "kazoo_expected_ensemble.txt"}      # by the count of servers
SYSTEM_PYTHON = "/usr/bin/python3"
LEFT_OUT = {"test_sasl.py": "needs SASL on the server", "test_build.py": "looks at the build machine of kazoo"}
NEEDS_THREE = "TestReadOnlyMode"    # stops two of three servers


def find_python():
    """A Python that has kazoo and pytest, and where its tests are."""
    for python in (SYSTEM_PYTHON, sys.executable):
        found = subprocess.run([python, "-c", "import pytest, kazoo.tests; print(kazoo.tests.__path__[0])"],
                               capture_output=True, text=True, check=False)
        if found.returncode == 0:
            return python, found.stdout.strip()
    return None, None


def run_suite(python, tests, kinds, selection, limit, only=()):
    """Results of all tests, or of those named, as {name: outcome}, and pytest's output."""
    directory = tempfile.mkdtemp(prefix="zk-kazoo-")
    report = os.path.join(directory, "report.xml")
    release = servers.KINDS[kinds[0]].known_release()
    environment = dict(os.environ, ZKC_KAZOO_SERVERS=",".join(kinds), ZOOKEEPER_CLUSTER_SIZE=str(len(kinds)),
                       ZKC_KAZOO_ONLY=" ".join(only),
                       ZOOKEEPER_CLASSPATH=servers.java_classpath(), ZOOKEEPER_PATH="/usr/share/java",
                       ZOOKEEPER_VERSION=".".join(str(part) for part in release),
                       ZOOKEEPER_PORT_OFFSET=str(ports.row(10 * len(kinds))), PYTHONPATH=HERE, TMPDIR=directory,
                       PYTHONDONTWRITEBYTECODE="1", PYTHONWARNINGS="ignore")
    environment.pop("CI", None)
    command = [python, "-m", "pytest", "-p", "kazoo_plugin", "-p", "no:cacheprovider", "-q", "--tb=short",
               "--junitxml=" + report, "-o", "junit_family=xunit2", "--rootdir", directory]
    for name in LEFT_OUT:
        command += ["--ignore", os.path.join(tests, name)]
    selections = (["not " + NEEDS_THREE] if len(kinds) < 3 else []) + (["(%s)" % selection] if selection else [])
    command += ["-k", " and ".join(selections)] if selections else []
    try:
        process = subprocess.Popen(command + [tests], env=environment, stdout=subprocess.PIPE,
                                   stderr=subprocess.STDOUT, text=True, cwd=directory)
        try:
            output = process.communicate(timeout=limit)[0]
        except subprocess.TimeoutExpired:
            process.terminate()
            output = process.communicate()[0] + "\nended after %d s" % limit
        results = {}
        if os.path.exists(report):
            for case in xml.etree.ElementTree.parse(report).getroot().iter("testcase"):
                name = "%s::%s" % (case.get("classname").replace("kazoo.tests.", ""), case.get("name"))
                outcomes = {child.tag for child in case} & {"failure", "error", "skipped"}
                results[name] = ("failed" if outcomes & {"failure", "error"} else "skipped" if outcomes else "passed")
        return results, output
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def read_expected(path):
    with open(path, encoding="ascii") as file:
        return dict(reversed(line.split(None, 1)) for line in file.read().splitlines()
                    if line and not line.startswith("#"))


def record(path, kinds, results):
    with open(path, "w", encoding="ascii") as file:
        file.write("# What %s makes of the tests in Debian's python3-kazoo; written by kazoo_%s.py --record.\n" % (
            ("Java 3.8.0", "suite") if len(kinds) == 1 else
            ("an ensemble of %d servers of Java 3.8.0" % len(kinds), "ensemble")))
        for name in sorted(results):
            file.write("%-8s%s\n" % (results[name], name))


def main(count=1):
    """The whole script, for so many servers."""
    parser = argparse.ArgumentParser(description="Runs kazoo's tests against a server, or an ensemble.")
    parser.add_argument("--server", default=os.environ.get("ZKC_KINDS", "zkc") if count > 1 else "zkc",
                        help="java or zkc; of an ensemble also each one: zkc,zkc,java")
    parser.add_argument("--record", action="store_true", help="write the file of what is expected")
    parser.add_argument("--only", help="pytest -k expression")
    parser.add_argument("--limit", type=int, default=840, help="seconds")
    parser.add_argument("--verbose", action="store_true", help="print pytest's output")
    tap.add_option(parser)
    options = parser.parse_args()
    kinds = ensemble.parse_kinds(options.server) if count > 1 else [options.server]
    python, tests = find_python()
    why = servers.require(*set(kinds)) or (None if python else "kazoo or pytest is not installed")
    if why:
        tap.skip_all(why)
    report = tap.Tap(plain=not options.tap)
    begin = time.monotonic()
    results, output = run_suite(python, tests, kinds, options.only, options.limit)
    path = os.path.join(HERE, EXPECTED[count])
    if options.record:
        record(path, kinds, results)
        report.note("recorded %s" % dict(collections.Counter(results.values())))
        if options.verbose:
            report.note(output)
        return 0
    expected = read_expected(path)
    # Some of these tests wait for a fixed time and fail on a busy machine, with any server: one more try, alone.
    again = [name for name in sorted(results) if name in expected and results[name] != expected[name]][:20]
    if again:
        second, more = run_suite(python, tests, kinds, None, options.limit, again)
        results.update(second)
        output += more
        report.note("tried again: %s" % ", ".join("%s %s" % (name, results[name]) for name in again))
    failed = []
    for name in sorted(expected):
        if options.only and name not in results:
            continue
        if not report.ok(results.get(name) == expected[name], "%s %s" % (name, expected[name])):
            report.note("it %s" % results.get(name, "did not run"))
            failed.append(name)
    for name in sorted(set(results) - set(expected)):
        report.note("unknown test %s %s" % (name, results[name]))
    report.note("%s: %s, Java: %s, %.0f s" % (",".join(kinds), dict(collections.Counter(results.values())),
                                              dict(collections.Counter(expected.values())), time.monotonic() - begin))
    if failed or options.verbose:
        report.note(output[-20000:])
    return report.done()


if __name__ == "__main__":
    sys.exit(main())
