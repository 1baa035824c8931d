#!/usr/bin/env python3
"""compare.py - zkc beside Debian's Java server, measured by zkbench in turns: medians, and the ratios of them.

    compare.py                              every part but the ensemble, three rounds
    compare.py --only reads,writes --rounds 5 --duration 5
    compare.py --only ensemble              three servers of each kind on this machine, one kind after the other
    compare.py --json

Both servers run at the same time and take turns under load, so that a noisy machine is noisy for both; who begins a
round changes. The Java server has 4 GiB of heap and a warm-up first. Figures are only worth their ratios: "times
better" is how many times more (operations) or less (latency, CPU, memory) zkc shows. CPU of the servers is that of
/proc/PID/stat over the window that is measured. A wrong answer ends the comparison with 1.

Parts: reads, writes, creates, connects, fan-out, echo, disk, start, memory, snapshot, ensemble.
"""

import argparse
import json
import os
import re
import resource
import statistics
import subprocess
import sys
import tempfile
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
SOURCE = os.environ.get("ZKC_SOURCE", os.path.dirname(os.path.dirname(HERE)))
BUILD = os.environ.get("ZKC_BUILD", os.getcwd())
sys.path.insert(0, os.path.join(SOURCE, "tests", "lib"))

import ensemble as ensemble_lib   # noqa: E402
import ports                      # noqa: E402
import rawclient                  # noqa: E402
import servers                    # noqa: E402

PROGRAM = os.path.join(BUILD, "zkbench")
TICKS = os.sysconf("SC_CLK_TCK")
MILLION = "/million"

# Part, what it is called, options of zkbench.
LOADS = [
    ("reads", "getData, 16 x 32", ["--workload", "read", "--sessions", 16, "--depth", 32]),
    ("reads", "getData, 100 x 1", ["--workload", "read", "--sessions", 100, "--depth", 1]),
    ("reads", "getData, 1 x 1", ["--workload", "read", "--sessions", 1, "--depth", 1]),
    ("writes", "setData, 16 x 32", ["--workload", "write", "--sessions", 16, "--depth", 32]),
    ("writes", "setData, 16 x 1", ["--workload", "write", "--sessions", 16, "--depth", 1]),
    ("writes", "setData, 1 x 1", ["--workload", "write", "--sessions", 1, "--depth", 1]),
    ("creates", "create, 16 x 32", ["--workload", "create", "--sessions", 16, "--depth", 32]),
    ("connects", "connect and close, 16 at a time", ["--workload", "connect", "--sessions", 16]),
    ("fan-out", "a watch of 1,000 sessions", ["--workload", "fan-out", "--sessions", 1001]),
]
ENSEMBLE_LOADS = [
    ("three servers: getData, 16 x 32", ["--workload", "read", "--sessions", 16, "--depth", 32]),
    ("three servers: setData, 16 x 32", ["--workload", "write", "--sessions", 16, "--depth", 32]),
    ("three servers: setData, 16 x 1", ["--workload", "write", "--sessions", 16, "--depth", 1]),
]
NEVER, OFTEN = 1000000000, 20000    # transactions between two snapshots
PARTS = ["reads", "writes", "creates", "connects", "fan-out", "echo", "disk", "start", "memory", "snapshot", "ensemble"]


class WarmJava(servers.JavaServer):
    """As one would run it: room, and the options of the release."""

    defaults = {}

    def command(self, config_path):
        return (["java", "-Xmx4g", "-Dorg.slf4j.simpleLogger.defaultLogLevel=error",
                 "-Dzookeeper.jmx.log4j.disable=true"] +
                ["-D%s=%s" % item for item in self.properties.items()] +
                ["-cp", servers.java_classpath(), "org.apache.zookeeper.server.quorum.QuorumPeerMain", config_path])


servers.KINDS["java"] = WarmJava


class Wrong(Exception):
    """zkbench found an answer wrong, or had no result."""


class Figures:
    """What was measured: row -> kind -> values; a row is more or less, whichever is better, or neither."""

    def __init__(self):
        self.rows = {}

    def add(self, row, kind, value, unit, more_is_better=False):
        self.rows.setdefault(row, {"unit": unit, "more": more_is_better, "values": {}})
        self.rows[row]["values"].setdefault(kind, []).append(value)

    def median(self, row, kind):
        values = self.rows[row]["values"].get(kind)
        return statistics.median(values) if values else None

    def ratio(self, row):
        ours, theirs = self.median(row, "zkc"), self.median(row, "java")
        if not ours or not theirs or self.rows[row]["more"] is None:
            return None
        return ours / theirs if self.rows[row]["more"] else theirs / ours

    def as_json(self):
        return {row: {"unit": data["unit"], "times_better": self.ratio(row),
                      **{kind: {"median": self.median(row, kind), "values": values}
                         for kind, values in data["values"].items()}}
                for row, data in self.rows.items()}

    def print(self):
        print("%-54s %14s %14s  %-6s %s" % ("", "zkc", "java", "", "times better"))
        for row, data in self.rows.items():
            cells = [self.median(row, kind) for kind in ("zkc", "java")]
            ratio = self.ratio(row)
            texts = ["-" if cell is None else "{:,.1f}".format(cell) for cell in cells]
            print("%-54s %14s %14s  %-6s %s" % (row, *texts, data["unit"], "" if ratio is None else "%.2f" % ratio))


def cpu_seconds(pids):
    total = 0
    for pid in pids:
        with open("/proc/%d/stat" % pid, encoding="ascii") as file:
            fields = file.read().rpartition(")")[2].split()
        total += int(fields[11]) + int(fields[12])
    return total / TICKS


def rss_mb(pid):
    with open("/proc/%d/status" % pid, encoding="ascii") as file:
        return int(re.search(r"VmRSS:\s+(\d+)", file.read()).group(1)) / 1024


def bench(address, arguments, pids=(), on_phase=None):
    """Runs zkbench; its result as JSON, with the CPU an operation took of the servers and of itself, in us."""
    process = subprocess.Popen([PROGRAM, "-server", address, "--json", "--phases"] + [str(word) for word in arguments],
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    marks, complaint = {}, ""
    # The result may be long and come before the last phase: somebody has to take it.
    result = []
    reader = threading.Thread(target=lambda: result.append(process.stdout.read()))
    reader.start()
    for line in process.stderr:
        phase = line.strip()
        if phase in ("measuring", "measured"):
            marks[phase] = (cpu_seconds(pids), cpu_seconds([process.pid]))
        if phase.startswith("zkbench:"):
            complaint = complaint or phase
        if on_phase:
            on_phase(phase)
    code = process.wait()
    reader.join()
    if code != 0:
        raise Wrong("zkbench %s ended with %d: %s %s" % (" ".join(str(word) for word in arguments), code, complaint,
                                                         result[0]))
    found = json.loads(result[0])
    if "measuring" in marks and "measured" in marks and found["count"] > 0:
        found["server_cpu_us"], found["own_cpu_us"] = (
            (after - before) * 1e6 / found["count"] for before, after in zip(marks["measuring"], marks["measured"]))
    return found


def take(figures, name, kind, found):
    unit = "/s"
    figures.add(name, kind, found["throughput"], unit, True)
    for key, label in (("p50", "p50"), ("p99", "p99"), ("p99_9", "p99.9")):
        figures.add(name + ": " + label, kind, found["latency_us"][key], "us")
    if "last_delivery_us" in found:
        figures.add(name + ": until the last, p50", kind, found["last_delivery_us"]["p50"], "us")
        figures.add(name + ": until the last, p99", kind, found["last_delivery_us"]["p99"], "us")
    if "server_cpu_us" in found:
        figures.add(name + ": CPU an operation", kind, found["server_cpu_us"], "us")
        figures.add(name + ": of zkbench itself", kind, found["own_cpu_us"], "us", None)


def address_of(server):
    return "127.0.0.1:%d" % server.port


def make(kind, **properties):
    return servers.make(kind, {"maxClientCnxns": 0, "maxSessionTimeout": 120000}, properties)


def note(options, text):
    if not options.quiet:
        print("# " + text, file=sys.stderr, flush=True)


def first_reply_ms(server, path):
    """Launches the server; milliseconds until a session has read `path`."""
    begin = time.monotonic()
    patience = 0.1      # Java accepts connections before it serves, and forgets them
    server.launch()
    while True:
        patience += 0.02
        try:
            session = rawclient.Session(server.address, timeout=patience)
            session.call("getData", path.encode(), False)
            taken = (time.monotonic() - begin) * 1000
            session.close()
            return taken
        except (OSError, rawclient.Closed, rawclient.Timeout):
            if not server.running() or time.monotonic() - begin > 120:
                raise
            time.sleep(0.001)


def run_loads(options, figures, parts):
    loads = [load for load in LOADS if load[0] in parts]
    if not loads and "echo" not in parts:
        return
    running = {kind: make(kind).start() for kind in options.kinds}
    echo_port = ports.one()
    echo = subprocess.Popen([PROGRAM, "--echo-server", str(echo_port), "--quiet"]) if "echo" in parts else None
    window = ["--duration", options.duration, "--warmup", options.warmup]
    try:
        for kind, server in running.items():
            note(options, "warming %s" % kind)
            for workload in ("read", "write", "mixed"):
                bench(address_of(server), ["--workload", workload, "--depth", 32, "--warmup", 0, "--duration",
                                           round(options.java_warmup / 3, 3) if kind == "java" else 0.5])
        for turn in range(options.rounds):
            for _, name, arguments in loads:
                for kind in options.kinds[::-1 if turn % 2 else 1]:
                    server = running[kind]
                    found = bench(address_of(server), arguments + window, [server.process.pid])
                    note(options, "%d: %s, %s: %.0f/s" % (turn + 1, name, kind, found["throughput"]))
                    take(figures, name, kind, found)
            if echo:
                run_echo(options, figures, running, "127.0.0.1:%d" % echo_port, window)
    except Wrong:
        for kind, server in running.items():
            if not server.running():
                note(options, "%s has ended with %s\n%s" % (kind, server.process.returncode, server.log_tail()))
        raise
    finally:
        if echo:
            echo.terminate()
            echo.wait()
        for server in running.values():
            server.dispose()


def run_echo(options, figures, running, address, window):
    """Of what the machine could read, how much does each server let it read."""
    for name, arguments in (("16 x 32", ["--sessions", 16, "--depth", 32]), ("100 x 1", ["--sessions", 100])):
        bound = bench(address, arguments + window)["throughput"]
        note(options, "echo server, %s: %.0f/s" % (name, bound))
        for kind in options.kinds:
            rate = bench(address_of(running[kind]), arguments + window)["throughput"]
            figures.add("getData, %s: part of the echo server's" % name, kind, 100 * rate / bound, "%", True)


def run_disk(options, figures):
    with tempfile.TemporaryDirectory(prefix="zkc-disk-") as directory:
        for _ in range(options.rounds):
            out = subprocess.run([PROGRAM, "--disk", directory, "--json", "--duration", str(options.duration)],
                                 stdout=subprocess.PIPE, check=True, text=True).stdout
            figures.add("the disk: syncs", "zkc", json.loads(out)["syncs_a_second"], "/s", True)


def run_start(options, figures):
    for turn in range(options.rounds):
        for kind in options.kinds[::-1 if turn % 2 else 1]:
            server = make(kind)
            try:
                figures.add("start to first reply, empty", kind, first_reply_ms(server, "/"), "ms")
                time.sleep(0.5)
                figures.add("memory, idle", kind, rss_mb(server.process.pid), "MB")
            finally:
                server.dispose()


def after_collection(kind, pid):
    """Memory once Java has thrown away what it could; of others as it is."""
    if kind == "java":
        subprocess.run(["jcmd", str(pid), "GC.run"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
        time.sleep(1)
    return rss_mb(pid)


def run_memory(options, figures):
    for kind in options.kinds:
        server = make(kind)
        try:
            server.start()
            note(options, "%s: %d nodes" % (kind, options.nodes))
            begin = time.monotonic()
            bench(address_of(server), ["--workload", "idle", "--nodes", options.nodes, "--path", MILLION, "--keep",
                                       "--duration", 0.1, "--warmup", 0])
            name = "%d nodes" % options.nodes
            figures.add("to create %s, 16 x 32" % name, kind, time.monotonic() - begin, "s")
            figures.add("memory with %s" % name, kind, rss_mb(server.process.pid), "MB")
            figures.add("memory with %s, collected" % name, kind, after_collection(kind, server.process.pid), "MB")
            for _ in range(options.rounds):
                server.stop()
                figures.add("start to first reply, %s" % name, kind, first_reply_ms(server, MILLION), "ms")
            figures.add("memory with %s, started anew" % name, kind, rss_mb(server.process.pid), "MB")
        finally:
            server.dispose()
        run_idle_sessions(options, figures, kind)


def run_idle_sessions(options, figures, kind):
    server = make(kind).start()
    name = "memory of %d idle sessions" % options.sessions

    def on_phase(phase):
        if phase == "measuring":
            time.sleep(0.5)
            figures.add(name, kind, rss_mb(server.process.pid) - before, "MB")
            figures.add(name + ", collected", kind, after_collection(kind, server.process.pid) - before, "MB")
    try:
        time.sleep(0.5)
        before = after_collection(kind, server.process.pid)
        note(options, "%s: %d sessions" % (kind, options.sessions))
        bench(address_of(server), ["--workload", "idle", "--sessions", options.sessions, "--duration", 4, "--warmup",
                                   0], on_phase=on_phase)
    finally:
        server.dispose()


def snapshots(server):
    return int(float(re.search(r"^zk_cnt_snapshottime\t(\S+)", server.word("mntr"), re.M).group(1)))


def run_snapshot(options, figures):
    """Writes to a server with many nodes that takes no snapshots, and to the same while it takes one after the other."""
    for kind in options.kinds:
        server = make(kind, **{"zookeeper.snapCount": NEVER})
        try:
            server.start()
            note(options, "%s: %d nodes, with and without snapshots" % (kind, options.nodes))
            bench(address_of(server), ["--workload", "idle", "--nodes", options.nodes, "--path", MILLION, "--keep",
                                       "--duration", 0.1, "--warmup", 0])
            for count, name in ((NEVER, "no snapshots"), (OFTEN, "one snapshot after the other")):
                server.stop()
                server.properties["zookeeper.snapCount"] = count
                server.start()
                load = ["--workload", "write", "--sessions", 16, "--depth", 1]
                bench(address_of(server), load + ["--warmup", 0, "--duration", options.java_warmup / 3])
                for _ in range(options.rounds):
                    before = snapshots(server)
                    found = bench(address_of(server), load + ["--warmup", options.warmup, "--duration", 10])
                    if (snapshots(server) > before) != (count == OFTEN):
                        raise Wrong("%s took %d snapshots with snapCount %d" % (kind, snapshots(server) - before, count))
                    take(figures, "setData, 16 x 1, %d nodes, %s" % (options.nodes, name), kind, found)
        finally:
            server.dispose()


def run_ensemble(options, figures):
    for kind in options.kinds:
        with ensemble_lib.Ensemble([kind] * 3, tick_time=2000) as servers_of:
            address = ",".join("127.0.0.1:%d" % servers_of.address_of(sid)[1] for sid in servers_of.sids())
            note(options, "warming three of %s" % kind)
            for workload in ("read", "write"):
                bench(address, ["--workload", workload, "--depth", 32, "--warmup", 0, "--duration",
                                options.java_warmup if kind == "java" else 1])
            for _ in range(options.rounds):
                for name, arguments in ENSEMBLE_LOADS:
                    pids = [servers_of[sid].process.pid for sid in servers_of.sids()]
                    found = bench(address, arguments + ["--duration", options.duration, "--warmup", options.warmup],
                                  pids)
                    note(options, "%s, %s: %.0f/s" % (name, kind, found["throughput"]))
                    take(figures, name, kind, found)
            catch_up(options, figures, kind, servers_of, address)


def catch_up(options, figures, kind, servers_of, address):
    """A follower that has nothing takes all from the leader."""
    note(options, "%s: %d nodes in three servers" % (kind, options.nodes))
    bench(address, ["--workload", "idle", "--nodes", options.nodes, "--path", MILLION, "--keep", "--duration", 0.1,
                    "--warmup", 0])
    for _ in range(options.rounds):
        follower = servers_of.followers()[0]
        servers_of.kill(follower)
        servers_of.wipe(follower)
        begin = time.monotonic()
        servers_of.start_one(follower)
        while servers_of.mode(follower) != "follower":
            if time.monotonic() - begin > 120:
                raise Wrong("%s does not catch up" % servers_of.name(follower))
            time.sleep(0.005)
        figures.add("a learner takes %d nodes" % options.nodes, kind, (time.monotonic() - begin) * 1000, "ms")


def parse():
    parser = argparse.ArgumentParser(description="Measures zkc beside a Java server.")
    parser.add_argument("--only", default=",".join(PARTS[:-1]), help="parts, with commas between: " + ", ".join(PARTS))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--duration", type=float, default=3.0, help="seconds of a measurement")
    parser.add_argument("--warmup", type=float, default=1.0, help="seconds before each")
    parser.add_argument("--java-warmup", type=float, default=30.0, help="seconds before all, for Java")
    parser.add_argument("--nodes", type=int, default=1000000)
    parser.add_argument("--sessions", type=int, default=10000, help="idle ones")
    parser.add_argument("--kinds", default="zkc,java")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--quiet", action="store_true")
    options = parser.parse_args()
    options.kinds = options.kinds.split(",")
    parts = options.only.split(",")
    for part in parts:
        if part not in PARTS:
            parser.error("there is no part %s; there are %s" % (part, ", ".join(PARTS)))
    return options, parts


def main():
    options, parts = parse()
    why = servers.require(*options.kinds)
    if why or not os.access(PROGRAM, os.X_OK):
        print("compare.py: %s" % (why or "zkbench is not built"), file=sys.stderr)
        return 2
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    figures = Figures()
    status = 0
    try:
        run_loads(options, figures, parts)
        for part, measure in (("disk", run_disk), ("start", run_start), ("memory", run_memory),
                              ("snapshot", run_snapshot), ("ensemble", run_ensemble)):
            if part in parts:
                measure(options, figures)
    except Wrong as error:
        print("compare.py: %s" % error, file=sys.stderr)
        status = 1
    if options.json:
        print(json.dumps(figures.as_json()))
    else:
        figures.print()
    return status


if __name__ == "__main__":
    sys.exit(main())
