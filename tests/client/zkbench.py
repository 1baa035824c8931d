#!/usr/bin/env python3
"""zkbench.py - the load generator against our server, and against one that lies.

    zkbench.py --tap
    zkbench.py --kind java      the same with a Java server

(1) Each workload runs and finds every answer right; what it prints as JSON is JSON, and its figures agree with each
other. (2) Of a server that lies (a proxy that changes an answer) it says what was wrong, and ends with 1. (3) Wrong
options, and servers that are not there, end with 2 and 3, and with a sentence. (4) Nothing is left behind.
"""

import argparse
import json
import os
import select
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
SOURCE = os.environ.get("ZKC_SOURCE", os.path.dirname(os.path.dirname(HERE)))
sys.path.insert(0, os.path.join(SOURCE, "tests", "lib"))

import ensemble as ensemble_lib   # noqa: E402
import ports                      # noqa: E402
import servers                    # noqa: E402
import tap as tap_lib             # noqa: E402

PROGRAM = os.path.join(os.environ.get("ZKC_BUILD", os.getcwd()), "zkbench")
SHORT = ["--duration", "0.3", "--warmup", "0.1", "--nodes", "50"]
COUNTED = ["--requests", "600", "--warmup", "0", "--nodes", "5"]
GET_DATA_REPLY, SET_DATA_REPLY = 16 + 4 + 100 + 68, 16 + 68
SET_DATA = 5


def run(*arguments, timeout=60):
    """Exit code, standard output, standard error."""
    result = subprocess.run([PROGRAM] + [str(word) for word in arguments], capture_output=True, text=True,
                            timeout=timeout, check=False)
    return result.returncode, result.stdout, result.stderr


def run_json(address, *arguments):
    code, out, err = run("-server", address, *(list(arguments) + ["--json"]))
    return code, json.loads(out) if out else {"err": err}


class Liar:
    """A proxy that hands every frame through `lie_in` (requests) or `lie_out` (answers): one frame in, a list out."""

    def __init__(self, port, lie_out=None, lie_in=None):
        self.port, self.lie_out, self.lie_in = port, lie_out, lie_in
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.address = "127.0.0.1:%d" % self.listener.getsockname()[1]
        self.over = False
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.over = True
        self.listener.close()

    def _accept(self):
        while not self.over:
            try:
                client = self.listener.accept()[0]
            except OSError:
                return
            server = socket.create_connection(("127.0.0.1", self.port))
            for one in (client, server):
                one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            state = {"replies": 0}
            threading.Thread(target=self._pass, args=(client, server, self.lie_in, state), daemon=True).start()
            threading.Thread(target=self._pass, args=(server, client, self.lie_out, state), daemon=True).start()

    def _pass(self, source, sink, lie, state):
        waiting, is_first = b"", True
        try:
            while True:
                chunk = source.recv(65536)
                if not chunk:
                    break
                waiting += chunk
                while len(waiting) >= 4 and len(waiting) >= 4 + struct.unpack(">i", waiting[:4])[0]:
                    size = struct.unpack(">i", waiting[:4])[0]
                    frame, waiting = waiting[4:4 + size], waiting[4 + size:]
                    frames = [frame] if is_first or lie is None else lie(frame, state)
                    is_first = False
                    for one in frames:
                        sink.sendall(struct.pack(">i", len(one)) + one)
        except (OSError, EOFError):
            pass
        for one in (source, sink):
            try:
                one.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass


def once(size, at, change):
    """A lie about the answer number `at` of those that have this size."""
    def lie(frame, state):
        if len(frame) != size:
            return [frame]
        state["replies"] += 1
        return change(frame) if state["replies"] == at else [frame]
    return lie


def flip(offset):
    return lambda frame: [frame[:offset] + bytes([frame[offset] ^ 1]) + frame[offset + 1:]]


def put(offset, value):
    return lambda frame: [frame[:offset] + value + frame[offset + len(value):]]


def twice(frame, state):
    """A request to write is passed on twice, as by a client that sends again what was done."""
    xid, kind = struct.unpack(">ii", frame[:8])
    if kind != SET_DATA:
        return [frame]
    state["writes"] = state.get("writes", 0) + 1
    if state["writes"] != 20:
        return [frame]
    state["doubled"] = xid
    return [frame, frame]


def drop_second(frame, state):
    xid = struct.unpack(">i", frame[:4])[0]
    if xid == state.get("doubled"):
        state["doubled_seen"] = state.get("doubled_seen", 0) + 1
        if state["doubled_seen"] == 1:
            return []
    return [frame]


def events_lost(frame, state):
    """Every event but for the first ones is kept back."""
    if struct.unpack(">i", frame[:4])[0] != -1:
        return [frame]
    state["events"] = state.get("events", 0) + 1
    return [frame] if state["events"] < 3 else []


def events_doubled(frame, _state):
    return [frame, frame] if struct.unpack(">i", frame[:4])[0] == -1 else [frame]


def end(_frame):
    raise EOFError


LIES = [
    ("a byte of data", "data", "read", once(GET_DATA_REPLY, 20, flip(60)), None),
    ("the node of a value", "data", "read", once(GET_DATA_REPLY, 20, flip(23)), None),
    ("an error", "error", "read", once(GET_DATA_REPLY, 20, put(12, struct.pack(">i", -101))), None),
    ("an answer that is cut", "shape", "read", once(GET_DATA_REPLY, 20, lambda frame: [frame[:-1]]), None),
    ("another xid", "xid", "read", once(GET_DATA_REPLY, 20, put(0, struct.pack(">i", 7))), None),
    ("a zxid that goes back", "zxid", "read", once(GET_DATA_REPLY, 20, put(4, struct.pack(">q", 1))), None),
    ("a version that goes back", "version", "write", once(SET_DATA_REPLY, 40, put(48, struct.pack(">i", 0))), None),
    ("a write that is made twice", "count", "write", drop_second, twice),
    ("an event that comes twice", "event", "fan-out", events_doubled, None),
]


def check_workloads(report, address):
    """By number and not by time: a disk that stands still for a while, as under other tests, lets no write pass."""
    limits = {"fan-out": COUNTED + ["--requests", 20], "connect": COUNTED + ["--requests", 60], "idle": SHORT}
    for workload in ("read", "write", "create", "delete", "exists", "children", "sync", "multi", "mixed",
                     "create-delete", "all", "fan-out", "connect", "idle"):
        code, result = run_json(address, "--workload", workload, "--sessions", 6, "--depth", 4,
                                *limits.get(workload, COUNTED))
        if not report.ok(code == 0 and result.get("wrong") == 0 and result["lost"] == 0 and
                         (result["count"] > 0 or workload == "idle"), "%s is answered, and rightly" % workload):
            report.note(result)


def check_figures(report, address):
    code, result = run_json(address, "--workload", "read:3,write:1", "--sessions", 4, "--depth", 8, *SHORT)
    times = result["latency_us"]
    report.ok(code == 0 and times["p50"] <= times["p90"] <= times["p99"] <= times["p99_9"] <= times["p99_99"] <=
              times["max"] and times["count"] == result["count"], "percentiles rise to the greatest")
    operations = result["operations_us"]
    share = operations["read"]["count"] / result["count"]
    report.ok(set(operations) == {"read", "write"} and 0.6 < share < 0.9 and
              operations["read"]["count"] + operations["write"]["count"] == result["count"],
              "operations come by their weights")
    report.ok(abs(result["throughput"] - result["count"] / result["seconds"]) < 1, "throughput is count by seconds")
    code, result = run_json(address, "--requests", 500, "--threads", 2, *SHORT)
    report.ok(code == 0 and result["count"] == 500, "a number of requests is kept, with several threads")
    code, result = run_json(address, "--rate", 500, "--duration", 1, "--warmup", 0.1)
    report.ok(code == 0 and abs(result["count"] - 500) <= 1 and result["late"] == 0, "a rate is kept")
    code, result = run_json(address, "--workload", "mixed", "--size", "0-2000", "--depth", 8, *COUNTED)
    report.ok(code == 0 and result["count"] > 0, "sizes from 0 to 2000 are written and read")
    code, out, _ = run("-server", address, *SHORT)
    report.ok(code == 0 and "every answer was right" in out and "p99.9" in out, "people are told the same")


def check_progress(report, address):
    for quiet in ([], ["--quiet"]):
        ours, theirs = os.openpty()
        process = subprocess.Popen([PROGRAM, "-server", address, "--duration", "1", "--warmup", "0"] + quiet,
                                   stdout=subprocess.PIPE, stderr=theirs)
        os.close(theirs)
        out, shown = process.communicate(timeout=60)[0], b""
        try:
            while True:
                shown += os.read(ours, 65536)
        except OSError:     # nobody holds the other end any more
            os.close(ours)
        has_line = b"measuring" in shown and b"a second" in shown and b"\r" in shown
        report.ok(has_line != bool(quiet) and b"\r" not in out, "a terminal %s how far it is" % (
            "is not told" if quiet else "is told"))


def check_open_loop(report, server):
    """A server that stands still for a while: with a rate all requests of that while see it, else those in flight."""
    shares = []
    for rate in ([], ["--rate", 400]):
        process = subprocess.Popen([PROGRAM, "-server", "127.0.0.1:%d" % server.port, "--sessions", "2", "--duration",
                                    "2", "--warmup", "0", "--json", "--phases"] + [str(word) for word in rate],
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        while process.stderr.readline().strip() != "measuring":
            pass
        time.sleep(0.5)
        server.pause()
        time.sleep(0.6)
        server.resume()
        result = json.loads(process.communicate(timeout=60)[0])
        shares.append(result["latency_us"])
    report.ok(shares[0]["p90"] < 300e3 <= shares[0]["max"], "without a rate a pause is seen by few")
    report.ok(shares[1]["p90"] > 300e3, "with a rate a pause is seen by all that were due in it")


def check_lies(report, server):
    for what, key, workload, lie_out, lie_in in LIES:
        with Liar(server.port, lie_out, lie_in) as liar:
            code, result = run_json(liar.address, "--workload", workload, "--sessions", 3, *COUNTED,
                                    *(["--requests", 20] if workload == "fan-out" else []))
        is_seen = code == 1 and result["wrong_by"][key] > 0 and result["first"]
        report.ok(is_seen, "a lie is seen: " + what)
        if not is_seen:
            report.note("%s %s" % (code, result))
    with Liar(server.port, once(GET_DATA_REPLY, 20, end)) as liar:
        code, result = run_json(liar.address, "--sessions", 3, *COUNTED)
    report.ok(code == 1 and result["wrong"] == 0 and result["connections_lost"] > 0 and result["lost"] > 0 and
              result["count"] == 600, "a connection that ends is counted, and replaced")
    with Liar(server.port, events_lost) as liar:
        code, result = run_json(liar.address, "--workload", "fan-out", "--sessions", 3, "-timeout", 4000, *COUNTED)
    report.ok(code == 1 and result["wrong_by"]["event"] > 0, "a lie is seen: events that do not come")


def check_refusals(report, address):
    free = ports.one()
    for arguments, want, sentence in (
            (["--depth", "no"], 2, "--depth takes a number"), (["--wokload", "read"], 2, "is it --workload?"),
            (["--workload", "reed"], 2, "there is no workload"), (["-server", "a:b"], 2, "server \"a:b\""),
            (["-server", "127.0.0.1:%d" % free], 3, "session 1 of 16: cannot connect"),
            (["-server", "127.0.0.1:%d" % free, "--workload", "connect", "--requests", 9, "-timeout", 1000], 3,
             "no session for 1000 ms: session 0: cannot connect"),
            (["-server", address, "-Dzookeeper.client.secure=true", "-Dzookeeper.ssl.trustStore.location=/nowhere"], 3,
             "/nowhere"),
            (["-server", address, "-Dzookeeper.client.secure=true", "-timeout", 2000], 3, " of 16: "),
            (["-server", address + "/nowhere"], 3, "making nodes"),
            (["--disk", "/nowhere"], 3, "/nowhere")):
        code, out, err = run(*arguments)
        report.ok(code == want and sentence in err and out == "", "refused with %d: %s" % (want, " ".join(
            "HOST" + str(word)[15:] if str(word).startswith("127.") else str(word) for word in arguments)))
        if code != want or sentence not in err:
            report.note("%d %s" % (code, err))
    code, out, _ = run("--help")
    report.ok(code == 0 and "--workload" in out and "fan-out" in out, "there is help")


def children(server, path):
    session = server.session()
    names = [name.decode() for name in session.call("getChildren", path.encode(), False).children]
    session.close()
    return sorted(names)


def check_leftovers(report, server):
    address = "127.0.0.1:%d" % server.port
    report.ok(children(server, "/") == ["zookeeper"], "nothing is left behind")
    code, _, _ = run("-server", address, "--path", "/kept/here", "--keep", *SHORT)
    again, result = run_json(address, "--path", "/kept/here", "--workload", "mixed", *SHORT)
    report.ok(code == 0 and again == 0 and result["wrong"] == 0 and children(server, "/kept") == [],
              "nodes that were kept are used again")
    process = subprocess.Popen([PROGRAM, "-server", address, "--duration", "60", "--phases", "--json"],
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    while process.stderr.readline().strip() != "measuring":
        pass
    process.send_signal(signal.SIGINT)
    result = json.loads(process.communicate(timeout=30)[0])
    report.ok(process.returncode == 0 and result["seconds"] < 30 and children(server, "/") == ["kept", "zookeeper"],
              "an interrupt ends it early, with a result and without leftovers")


def check_ensemble(report, kind):
    """Sessions of servers that may be behind each other, which is not wrong."""
    with ensemble_lib.Ensemble([kind] * 3) as ensemble:
        address = ",".join("127.0.0.1:%d" % ensemble.address_of(sid)[1] for sid in ensemble.sids())
        for workload, limit in (("read", 600), ("all", 600), ("fan-out", 20)):
            code, result = run_json(address, "--workload", workload, "--sessions", 9, "--depth", 4,
                                    *COUNTED, "--requests", limit)
            if not report.ok(code == 0 and result["count"] > 0, "three servers, one load: %s" % workload):
                report.note(result)


def check_tools(report):
    port = ports.one()
    echo = subprocess.Popen([PROGRAM, "--echo-server", str(port)], stdout=subprocess.PIPE, text=True)
    try:
        ready = select.select([echo.stdout], [], [], 20)[0] and "listening" in echo.stdout.readline()
        code, result = run_json("127.0.0.1:%d" % port, "--depth", 8, *SHORT)
        report.ok(ready and code == 0 and result["wrong"] == 0 and result["count"] > 0, "the echo server is read from")
        code, _, err = run("--echo-server", port)
        report.ok(code == 3 and "cannot bind" in err, "a port that is taken is refused")
    finally:
        echo.terminate()
        report.ok(echo.wait(10) == 0, "the echo server ends when told")
    with tempfile.TemporaryDirectory() as directory:
        code, out, _ = run("--disk", directory, "--duration", "0.2", "--json")
        result = json.loads(out)
        report.ok(code == 0 and result["syncs_a_second"] > 0 and result["latency_us"]["count"] > 0 and
                  os.listdir(directory) == [], "a disk is measured, and nothing left on it")


def main():
    parser = argparse.ArgumentParser(description="Tests the load generator.")
    parser.add_argument("--kind", default="zkc")
    tap_lib.add_option(parser)
    options = parser.parse_args()
    why = servers.require(options.kind)
    if why:
        tap_lib.skip_all(why)
    report = tap_lib.Tap(plain=not options.tap)
    with servers.make(options.kind, {"maxClientCnxns": 0}) as server:
        address = "127.0.0.1:%d" % server.port
        check_workloads(report, address)
        check_figures(report, address)
        check_progress(report, address)
        check_refusals(report, address)
        check_leftovers(report, server)
        check_lies(report, server)
        check_open_loop(report, server)
    check_ensemble(report, options.kind)
    check_tools(report)
    return report.done()


if __name__ == "__main__":
    sys.exit(main())
