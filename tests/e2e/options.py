#!/usr/bin/env python3
# timeout: 200
"""options.py - every option of a server, set to a value other than its default: it takes effect, or it is refused or
warned of with its reason.

    options.py                  plain lines
    options.py --only NAME      one of the groups below, as "storage"

The rows come from the program (print_options --table). An option that is served needs a fact here that tells of its
own key, and where only its value is seen to arrive, in what the server says when it reads its file anew, PARSED says
why. So a row without a case fails.
"""

import argparse
import base64
import glob
import hashlib
import os
import re
import shutil
import signal
import ssl
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
SOURCE = os.environ.get("ZKC_SOURCE", os.path.dirname(os.path.dirname(HERE)))
sys.path.insert(0, os.path.join(SOURCE, "tests", "lib"))

import ensemble         # noqa: E402
import ports            # noqa: E402
import rawclient        # noqa: E402
import servers          # noqa: E402
import tap as tap_lib   # noqa: E402
import txnlog           # noqa: E402
from certificates import Certificates, TlsConnection, tls_session    # noqa: E402
from protocol import CONTAINER, EPHEMERAL, OPEN_ACL, PERSISTENT, READ_ACL, TTL     # noqa: E402

PATIENCE_S = 30.0
IS_SLOW = os.environ.get("ZKC_SANITIZERS", "no") != "no"
SUPER = "super:" + base64.b64encode(hashlib.sha256(b"super:secret").digest()).decode()
FAILURES = (OSError, rawclient.Closed, rawclient.Timeout)

# Whose effect shows in no answer, file, log line or thread of a server that a test could hold still for it.
PARSED = {
    "snapshotSizeFactor": "needs a log far larger than its snapshot",
    "connectionDecreaseRatio": "a matter of odds",
    "netty.server.earlyDropSecureConnectionHandshakes": "a server listens when its data is loaded",
    "requestThrottleStallTime": "a matter of milliseconds",
    "request_throttler.shutdownTimeout": "requests that wait are through sooner",
    "emulate353TTLNodes": "nodes of release 3.5.3 are needed",
    "maxConcurrentSnapSyncs": "as many learners are needed",
    "maxConcurrentDiffSyncs": "as many learners are needed",
    "leaderConnectDelayDuringRetryMs": "a matter of milliseconds",
    "leader.ackLoggingFrequency": "its lines are for debugging",
    "observerMaster.sizeLimit": "needs megabytes of writes",
    "follower.nodelay": "an option of a socket that is seen in no table of the system",
    "leader.nodelay": "an option of a socket that is seen in no table of the system",
    "maxTimeToWaitForEpoch": "needs an election that fails half-way",
    "connectToLearnerMasterLimit": "needs a leader that does not answer",
    "cnxTimeout": "needs a host that does not answer",
    "observer.reconnectDelayMs": "a matter of milliseconds",
    "observer.election.DelayMs": "a matter of milliseconds",
    "oraclePath": "needs two servers and a judge, which roles.py has",
    "quorum.cnxn.threads.size": "needs more servers than threads",
    "multiAddress.reachabilityCheckTimeoutMs": "needs an address that does not answer",
    "multiAddress.reachabilityCheckEnabled": "needs an address that does not answer",
}


class Row:
    """One line of the table."""

    def __init__(self, line):
        self.key, self.property, self.kind, self.default, least, most, self.when, self.state, self.reason = \
            line.split("\t")
        self.least, self.most = float(least), float(most)

    @property
    def is_number(self):
        return self.kind not in ("true | false", "yes | no", "text", "secret")

    def other(self):
        """A value that is permitted and not the default, as a file has it."""
        if self.kind == "true | false":
            return "false" if self.default == "true" else "true"
        if self.kind == "yes | no":
            return "no" if self.default == "yes" else "yes"
        if self.kind in ("text", "secret"):
            return "something"
        if self.kind == "ratio":
            return "0.25"
        default = int(self.default)
        return str(default + 1 if default + 1 <= self.most and default + 1 >= self.least else default - 1)


def table():
    program = os.path.join(os.environ.get("ZKC_BUILD", "."), "server", "config", "print_options")
    output = subprocess.run([program, "--table"], stdout=subprocess.PIPE, check=True, text=True).stdout
    return {row.key: row for row in map(Row, output.splitlines())}


def wait_for(condition, patience=PATIENCE_S):
    deadline = time.monotonic() + patience
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


def refused(action, *arguments, **options):
    try:
        action(*arguments, **options)
        return False
    except FAILURES:
        return True


def threads_of(server):
    """The names of its threads, as far as the system keeps them."""
    names = []
    for path in glob.glob("/proc/%d/task/*/comm" % server.process.pid):
        with open(path, encoding="utf-8") as file:
            names.append(file.read().strip())
    return names


class Lone(servers.ZkcServer):
    """A server of ours, with what the facts ask it."""

    def __init__(self, config=None, properties=None, **options):
        super().__init__({"4lw.commands.whitelist": "*", **(config or {})}, properties, **options)

    def log(self):
        return self.log_tail(1 << 24)

    def metric(self, name):
        for line in self.word("mntr").splitlines():
            key, _, value = line.partition("\t")
            if key == "zk_" + name:
                return float(value)
        return None

    def conf(self):
        return dict(line.split("=", 1) for line in self.word("conf").splitlines() if "=" in line)

    def files(self, pattern):
        return sorted(glob.glob(os.path.join(self.data_dir, "version-2", pattern)))

    def lets_in(self, address=None, **options):
        try:
            rawclient.Session(address or self.address, **options).disconnect()
            return True
        except FAILURES:
            return False


def run_to_end(config, prepare=None):
    """Exit status and output of a server that is to refuse its configuration."""
    server = Lone(config)
    try:
        if prepare:
            prepare(server)
        server.port = ports.one()
        path = server.write_config()
        done = subprocess.run([servers.zkserver_path(), "start-foreground", path], stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=PATIENCE_S, check=False,
                              cwd=server.directory)
        return done.returncode, done.stdout.decode("utf-8", "replace")
    except subprocess.TimeoutExpired as error:
        return 0, (error.stdout or b"").decode("utf-8", "replace")
    finally:
        server.dispose()


def has_keep_alive(port):
    """Whether connections at this port have TCP's timer of keep-alive; None when there are none."""
    found = []
    for path in ("/proc/net/tcp", "/proc/net/tcp6"):
        with open(path, encoding="ascii") as file:
            for line in file.read().splitlines()[1:]:
                fields = line.split()
                if fields[3] == "01" and int(fields[1].split(":")[1], 16) == port:
                    found.append(fields[5].startswith("02"))
    return all(found) if found else None


class Options:
    def __init__(self, tap, rows, directory):
        self.tap, self.rows, self.directory = tap, rows, directory
        self.seen = set()

    def ok(self, passed, fact):
        return self.tap.ok(bool(passed), fact)

    def effect(self, keys, passed, fact):
        """A fact that tells of these keys, one or several with blanks between them."""
        for key in keys.split():
            if key not in self.rows:
                self.ok(False, "%s is no option" % key)
            self.seen.add(key)
        return self.ok(passed, "%s: %s" % (keys, fact))

    # ---- all rows ----

    def values(self):
        """Every value arrives: the server says what changed when it reads its file anew, and what needs a restart."""
        special = {"snapshot.compression.method": "gz", "clientPortAddress": "127.0.0.2", "dataDir": self.directory,
                   "minSessionTimeout": "4001", "maxSessionTimeout": "40001", "autopurge.snapRetainCount": "4",
                   "commitLogCount": "501", "jute.maxbuffer.extrasize": "1025", "maxCnxns": "100",
                   "maxWriteQueuePollTime": "7"}
        skipped = {"sessionRequireClientSASLAuth": "refused", "dynamicConfigFile": "the ensemble has one",
                   "secureClientPortAddress": "the port it needs is in another batch",
                   "quorum.auth.serverRequireSasl": "needs the two others",
                   "quorum.auth.learnerRequireSasl": "needs the two others",
                   "admin.enableServer": "false here, as in all servers of tests", "peerType": "the ensemble has it"}
        with Lone() as server:
            base = dict(server.config)
            rows = [row for row in self.rows.values() if row.key not in skipped]
            for first in range(8):
                self.arrive(server, base, rows[first::8], special)
        for row in self.rows.values():
            if row.key in PARSED:
                self.seen.add(row.key)
                self.ok(row.state == "served", "%s: only its value is seen, %s" % (row.key, PARSED[row.key]))

    def arrive(self, server, base, batch, special):
        values = {row.key: special.get(row.key, row.other()) for row in batch}
        server.config = {**base, **values}
        server.write_config()
        size = len(server.log())
        server.process.send_signal(signal.SIGHUP)
        wait_for(lambda: "Configuration reloaded" in server.log()[size:] or "not reloaded" in server.log()[size:])
        said = server.log()[size:]
        for row in batch:
            value = "***" if row.kind == "secret" else values[row.key]
            words = "Changed: " if row.when == "reload" else "Changed after a restart only: "
            line = re.search("%s%s: (.*) -> %s$" % (words, re.escape(row.key), re.escape(value)), said, re.M)
            self.ok(line and line.group(1) != value, "%s=%s arrives, %s" % (
                row.key, values[row.key], "at once" if row.when == "reload" else "after a restart"))
        if "not reloaded" in said:
            self.tap.note(said)

    def without_effect(self):
        """What is to come, and what has no place here, is kept and warned of with the reason."""
        words = {"not yet": "is known, but has no effect in this release",
                 "no place": "is for a Java server and has no effect here"}
        rows = [row for row in self.rows.values()
                if row.state != "served" and row.key != "sessionRequireClientSASLAuth"]    # which is refused
        with Lone({row.key: row.other() for row in rows}) as server:
            log = server.log()
            for row in rows:
                line = "zoo.cfg:%d: %s %s: %s" % (self.line_of(server, row.key), row.key, words[row.state], row.reason)
                self.ok(row.reason and line in log, "%s is warned of: %s" % (row.key, row.reason))
            self.ok(server.lets_in(), "with all of them set the server serves")
        self.ok({row.state for row in rows} == set(words), "there are options of both kinds")

    @staticmethod
    def line_of(server, key):
        with open(os.path.join(server.directory, "zoo.cfg"), encoding="ascii") as file:
            for number, line in enumerate(file, 1):
                if line.startswith(key + "="):
                    return number
        return 0

    def insecure(self):
        """What would leave a server open that was meant to be closed is refused."""
        listed = {"server.1": "127.0.0.1:1:2", "initLimit": 5, "syncLimit": 5}
        for config, key, reason in (
                ({"sessionRequireClientSASLAuth": "true"}, "sessionRequireClientSASLAuth=true", "SASL is to come"),
                ({**listed, "quorum.auth.enableSasl": "true"}, "quorum.auth.enableSasl=true", "SASL is to come"),
                ({**listed, "sslQuorum": "true"}, "sslQuorum=true", "TLS between servers is to come"),
                ({**listed, "portUnification": "true"}, "portUnification=true", "TLS between servers is to come"),
                ({"enforce.auth.enabled": "true", "enforce.auth.schemes": "sasl"}, "enforce.auth.schemes",
                 "scheme sasl is not available"),
                ({"ssl.authProvider": "other", "client.portUnification": "true"}, "ssl.authProvider=other",
                 "no provider of that scheme")):
            status, output = run_to_end(config)
            self.ok(status not in (0, None) and key in output and reason in output,
                    "%s is refused: %s" % (key, reason))
        self.seen.add("ssl.authProvider")

    def malformed(self):
        """Every value that is none is refused with file, line, key, value and what is permitted."""
        jobs, kinds = [], set()
        for row in self.rows.values():
            if row.kind in ("text", "secret"):
                continue
            values = ["x1"]
            if row.is_number and row.kind != "ratio":
                values += ["%d" % (row.least - 1), "%d" % (row.most + 1)]
            if row.kind not in kinds:
                values += ["", "1.5x", "0x", "yes please"]
            kinds.add(row.kind)
            jobs += [(row, value) for value in values]
        if IS_SLOW:
            jobs = jobs[::4]
        for row, value in jobs:
            path = os.path.join(self.directory, "wrong.cfg")
            with open(path, "w", encoding="ascii") as file:
                file.write("dataDir=%s\n\n%s=%s\n" % (self.directory, row.key, value))
            done = subprocess.run([servers.zkserver_path(), "start-foreground", path], stdin=subprocess.DEVNULL,
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=PATIENCE_S, check=False)
            output = done.stdout.decode("utf-8", "replace")
            if not (done.returncode and "wrong.cfg:3: %s=%s: must be " % (row.key, value) in output):
                self.ok(False, "%s=%s is refused with its place: %s" % (row.key, value, output[-300:]))
        self.ok(len(jobs) > 80, "%d malformed values of %d options are refused with file, line, key and value"
                % (len(jobs), len({row.key for row, _ in jobs})))
        blocked = os.path.join(self.directory, "file")
        with open(blocked, "w", encoding="ascii") as file:
            file.write("no directory\n")
        for config, words in (({"dataDir": blocked}, [blocked]),
                              ({"dataLogDir": os.path.join(blocked, "log")}, [blocked]),
                              ({"snapshot.compression.method": "zip"}, ["snapshot.compression.method=zip"]),
                              ({"DigestAuthenticationProvider.digestAlg": "ROT13"}, ["ROT13"]),
                              ({"clientPortAddress": "no-such-host.invalid"}, ["no-such-host.invalid"]),
                              ({"maxSessionTimeout": "1"}, ["minSessionTimeout", "maxSessionTimeout"])):
            status, output = run_to_end(config)
            self.ok(status and all(word in output for word in words),
                    "%s=%s is refused: %s" % (*next(iter(config.items())), (output.partition("ERROR")[2].splitlines() or [""])[0]))

    # ---- a server alone ----

    def storage(self):
        log_dir = os.path.join(self.directory, "logs")
        config = {"dataLogDir": log_dir, "preAllocSize": 64, "snapCount": 20, "txnLogSizeLimitInKb": 8,
                  "fsync.warningthresholdms": 0, "autopurge.snapRetainCount": 4, "autopurge.purgeInterval": 1,
                  "snapshot.compression.method": "gz", "digest.enabled": "false", "closeSessionTxn.enabled": "false",
                  "maxBatchSize": 3, "tickTime": 2500}
        lone, slow = Lone(config), os.path.join(self.directory, "slow")
        lone.prefix = ("env", "LD_PRELOAD=" + servers.fault_library("file_faults.so"), "ZKC_FAULT_DIR=" + log_dir,
                       "ZKC_FAULT_SLOW=" + slow)
        with lone as server:
            conf = server.conf()
            self.effect("dataDir", conf["dataDir"] == os.path.join(server.data_dir, "version-2"), "conf shows it")
            self.effect("clientPort", conf["clientPort"] == str(server.port), "conf shows it")
            self.effect("tickTime", conf["tickTime"] == "2500" and conf["minSessionTimeout"] == "5000", "conf shows it")
            session = server.session()
            for i in range(140):     # more than the 128 after which a digest is kept
                session.send("create", b"/n%03d" % i, b"x" * 500, OPEN_ACL, PERSISTENT)
            for _ in range(140):
                session.receive("create")
            session.call("create", b"/e", b"", OPEN_ACL, EPHEMERAL)
            session.close()
            logs = sorted(glob.glob(os.path.join(log_dir, "version-2", "log.*")))
            self.effect("dataLogDir", len(logs) > 0 and conf["dataLogDir"] == os.path.join(log_dir, "version-2") and
                        not server.files("log.*"), "the logs are there")
            self.effect("preAllocSize", os.path.getsize(logs[-1]) // 1024 == 64, "a log file is as long at first")
            self.effect("txnLogSizeLimitInKb", len(logs) > 5, "log files end at that size, there are %d" % len(logs))
            self.effect("snapCount snapshot.compression.method", wait_for(lambda: server.files("snapshot.*.gz")),
                        "there is a snapshot after so many writes, packed")
            with open(slow, "w", encoding="ascii") as file:
                file.write("3")     # ms: one that takes no whole millisecond is none
            session = server.session()
            session.call("setData", b"/n000", b"x", -1)
            session.disconnect()
            os.remove(slow)
            self.effect("fsync.warningthresholdms", "fsync of" in server.log(), "a sync that takes time is told of")
            digests = server.word("hash").splitlines()
            self.effect("digest.enabled", digests and all(line.endswith(": 0") for line in digests),
                        "all digests are 0: %s" % digests)
            self.effect("maxBatchSize", server.metric("max_sync_processor_batch_size") == 3,
                        "no more are synced at once")
            closing = [txn for txn in txnlog.read_all(log_dir).values() if txn.header.type == -11]
            self.effect("closeSessionTxn.enabled", closing and len(closing[0].data) < 60 and
                        b"/e" not in closing[0].data, "what closes a session does not list its nodes")
            self.effect("autopurge.snapRetainCount autopurge.purgeInterval",
                        "autopurge.snapRetainCount set to 4, autopurge.purgeInterval set to 1" in server.log(),
                        "the task says so")
            server.stop()
            for i in range(8):
                shutil.copy(server.files("snapshot.*")[-1],
                            os.path.join(server.data_dir, "version-2", "snapshot.%x.gz" % i))
            server.start()
            self.effect("autopurge.snapRetainCount", wait_for(lambda: len(server.files("snapshot.*")) in (4, 5)),
                        "so many snapshots stay, or one more that this start has made since")

        with Lone({"snapSizeLimitInKb": 16, "forceSync": "no"}, {"zookeeper.forceSync": "no"}) as server:
            session = server.session()
            for i in range(30):
                session.call("create", b"/n%d" % i, b"x" * 2000, OPEN_ACL, PERSISTENT)
            self.effect("snapSizeLimitInKb", wait_for(lambda: len(server.files("snapshot.*")) > 0),
                        "there is a snapshot after so much log")
            self.effect("forceSync", not server.metric("cnt_fsynctime"), "nothing is synced")
            session.disconnect()

        sizes = {}
        for value in ("true", "false"):
            with Lone({"snapCount": 10, "serializeLastProcessedZxid.enabled": value}) as server:
                server.session().close()
                server.stop()
                server.start()      # which takes a snapshot of what was logged
                sizes[value] = os.path.getsize(server.files("snapshot.*")[-1]) if server.files("snapshot.*") else None
        self.effect("serializeLastProcessedZxid.enabled", sizes["true"] and sizes["false"] and
                    sizes["true"] > sizes["false"], "a snapshot is shorter without it: %s" % sizes)

        with Lone({"flushDelay": 2000, "maxWriteQueuePollTime": 300}) as server:
            start = time.monotonic()
            server.session().disconnect()
            took = time.monotonic() - start
            self.effect("flushDelay", took > 0.25, "a write waits: %.2f s" % took)
            self.effect("maxWriteQueuePollTime", 0.25 < took < 0.65 or IS_SLOW,
                        "not for the third of flushDelay: %.2f s" % took)

        missing = os.path.join(self.directory, "missing")
        status, output = run_to_end({"dataDir": missing, "datadir.autocreate": "false"})
        self.effect("datadir.autocreate", status and missing in output and not os.path.exists(missing),
                    "a directory that is not there is not made")
        with Lone({"db.autocreate": "false"}) as server:
            self.effect("db.autocreate", "last zxid 0xffffffffffffffff" in server.log(),
                        "an empty directory makes no server that others could follow")

        with Lone() as server:
            session = server.session()
            session.call("create", b"/a", b"", OPEN_ACL, PERSISTENT)
            session.close()
            server.stop()
            for path in server.files("snapshot.*"):
                os.remove(path)
            try:
                server.start()
                distrusted = False
            except servers.StartError:
                distrusted = True
            server.config["snapshot.trust.empty"] = "true"
            server.start()
            session = server.session()
            self.effect("snapshot.trust.empty", distrusted and session.ask("exists", b"/a", False)[0].err == 0,
                        "logs without a snapshot are read")

    def connections(self):
        config = {"maxCnxns": 9, "maxClientCnxns": 6, "clientPortAddress": "127.0.0.1", "clientPortListenBacklog": 13,
                  "minSessionTimeout": 4100, "maxSessionTimeout": 9000, "clientTcpKeepAlive": "true",
                  "nio.numSelectorThreads": 2, "nio.numWorkerThreads": 3, "nio.sessionlessCnxnTimeout": 300,
                  "4lw.commands.whitelist": "conf,srvr,mntr,cons"}
        with Lone(config) as server:
            conf, session = server.conf(), server.session(timeout_ms=100)
            self.effect("minSessionTimeout", session.timeout_ms == 4100 and conf["minSessionTimeout"] == "4100",
                        "a shorter one is not given")
            self.effect("maxSessionTimeout", server.session(timeout_ms=60000).timeout_ms == 9000 and
                        conf["maxSessionTimeout"] == "9000", "a longer one is not given")
            self.effect("clientPortListenBacklog", conf["clientPortListenBacklog"] == "13", "conf shows it")
            self.effect("clientPortAddress", refused(rawclient.Connection, ("127.0.0.2", server.port)),
                        "nobody listens at another one")
            self.effect("clientTcpKeepAlive", has_keep_alive(server.port), "the system's table shows the timer")
            threads = threads_of(server)
            self.effect("nio.numSelectorThreads", sum(name.startswith("Selector") for name in threads) == 2,
                        "so many threads: %s" % [name for name in threads if "elector" in name])
            self.effect("nio.numWorkerThreads", sum(name.startswith("NIOWorker") for name in threads) == 3,
                        "so many threads: %s" % [name for name in threads if "Worker" in name])
            silent, start = rawclient.Connection(server.address), time.monotonic()
            silent.read_to_end(PATIENCE_S)
            self.effect("nio.sessionlessCnxnTimeout", time.monotonic() - start < 8 or IS_SLOW,
                        "a silent connection is closed after %.1f s" % (time.monotonic() - start))
            self.effect("4lw.commands.whitelist", "is not executed" in server.word("ruok"), "others are not answered")
            kept = [server.session() for _ in range(5)]
            self.effect("maxClientCnxns", len(kept) == 5 and conf["maxClientCnxns"] == "6" and
                        not server.lets_in(), "no more from one address")
        with Lone({"maxCnxns": 3}) as server:
            kept = [server.session() for _ in range(3)]
            self.effect("maxCnxns", len(kept) == 3 and not server.lets_in(), "no more of all together")
        with Lone({"connectionMaxTokens": 3, "connectionTokenFillTime": 400, "connectionTokenFillCount": 2}) as server:
            first = [server.lets_in() for _ in range(4)]
            self.effect("connectionMaxTokens", first == [True, True, True, False] or IS_SLOW,
                        "the bucket holds so many sessions: %s" % first)
            wait_for(server.lets_in, 5)
            again = [server.lets_in() for _ in range(2)]
            self.effect("connectionTokenFillTime connectionTokenFillCount", again == [True, False] or IS_SLOW,
                        "two more with the next filling: %s" % again)
        with Lone({"connectionMaxTokens": 1, "connectionTokenFillTime": 100, "connectionFreezeTime": 1,
                   "connectionDropIncrease": 1, "connectionDropDecrease": 0}) as server:
            wait_for(lambda: not server.lets_in() and not server.lets_in())
            later = [time.sleep(0.15) or server.lets_in() for _ in range(3)]    # the bucket fills between
            self.effect("connectionFreezeTime connectionDropIncrease connectionDropDecrease",
                        later == [False] * 3, "once it was empty all are refused from then on: %s" % later)
        with Lone({"connectionMaxTokens": 2, "connectionTokenFillTime": 10000000,
                   "connection_throttle_weight_enabled": "true", "connection_throttle_global_session_weight": 6,
                   "connection_throttle_renew_session_weight": 7}) as server:
            session = server.session()
            session.disconnect()
            self.effect("connection_throttle_renew_session_weight",
                        not server.lets_in(session_id=session.id, password=session.password),
                        "one that comes back would take more than is left")
            self.effect("connection_throttle_weight_enabled connection_throttle_global_session_weight",
                        server.lets_in() and not server.lets_in() and
                        server.metric("max_connection_token_deficit") == 12, "two sessions took six each")
        with Lone({"connectionMaxTokens": 100, "connection_throttle_weight_enabled": "true",
                   "connection_throttle_local_session_weight": 20}) as server:
            self.effect("connection_throttle_local_session_weight", "they weigh 20" in server.log(),
                        "others weigh as much at least, and the log says so")

    def requests(self):
        config = {"maxResponseCacheSize": 3, "maxGetChildrenResponseCacheSize": 2, "enforceQuota": "true",
                  "jute.maxbuffer": 6000, "largeRequestThreshold": 1500, "largeRequestMaxBytes": 3000,
                  "skipACL": "yes"}
        with Lone(config) as server:
            session = server.session()
            for name in (b"/a", b"/b", b"/c"):
                session.call("create", name, b"x" * 1200, OPEN_ACL, PERSISTENT)
            for name in (b"/a", b"/a", b"/b", b"/c", b"/a"):    # holds two
                session.call("getData", name, False)
            hits = server.metric("response_packet_cache_hits"), server.metric("response_packet_cache_misses")
            self.effect("maxResponseCacheSize", hits == (1, 4), "so many are hits and misses: %s" % (hits,))
            for name in (b"/a", b"/a", b"/b", b"/a"):           # holds one
                session.call("getChildren2", name, False)
            hits = (server.metric("response_packet_get_children_cache_hits"),
                    server.metric("response_packet_get_children_cache_misses"))
            self.effect("maxGetChildrenResponseCacheSize", hits == (1, 3), "so many are hits and misses: %s" % (hits,))
            session.call("create", b"/closed", b"secret", READ_ACL, PERSISTENT)
            self.effect("skipACL", session.ask("setData", b"/closed", b"", -1)[0].err == 0 and
                        "ACL checks will be skipped" in server.log(), "a node that is closed is written")
            session.call("create", b"/zookeeper/quota/a", b"", OPEN_ACL, PERSISTENT)
            session.call("create", b"/zookeeper/quota/a/zookeeper_limits", b"count=1,bytes=-1=;byteHardLimit=-1;"
                         b"countHardLimit=1", OPEN_ACL, PERSISTENT)
            session.call("create", b"/zookeeper/quota/a/zookeeper_stats", b"count=1,bytes=0", OPEN_ACL, PERSISTENT)
            self.effect("enforceQuota", session.ask("create", b"/a/x", b"", OPEN_ACL, PERSISTENT)[0].err == -125,
                        "a write beyond a quota fails")
            session.call("setData", b"/b", b"x" * 2000, -1)
            self.effect("largeRequestThreshold largeRequestMaxBytes",
                        refused(session.call, "setData", b"/b", b"x" * 3100, -1) and
                        server.metric("large_requests_rejected") == 1, "a large one beyond the sum is refused")
            session = server.session()
            self.effect("jute.maxbuffer", refused(session.call, "setData", b"/b", b"x" * 6100, -1) and
                        server.metric("large_requests_rejected") == 1, "a longer request closes the connection")
        with Lone({"requestThrottleLimit": 1, "requestThrottleStallTime": 5, "throttledOpWaitTime": 1}) as server:
            session = server.session()
            errors = set()
            for _ in range(20):
                for _ in range(300):
                    session.send("setData", b"/", b"", -1)
                errors |= {session.receive("setData")[0].err for _ in range(300)}
                if -127 in errors:
                    break
            self.effect("throttledOpWaitTime", -127 in errors, "requests that waited too long are not run")
            self.effect("requestThrottleLimit", server.metric("request_throttle_wait_count") > 0,
                        "requests wait in front of the first processor")

        for value in (1, 1000):
            with Lone({"globalOutstandingLimit": value}) as server:
                session = server.session()
                for _ in range(1000):
                    session.send("setData", b"/", b"", -1)
                for _ in range(1000):
                    session.receive("setData")
                most = server.metric("max_sync_processor_queue_size")
                if value == 1:
                    self.effect("globalOutstandingLimit", most < 20,
                                "a busy connection is not read: %d at a time" % most)
        for key, value, drops in (("requestThrottleDropStale", "true", True),
                                  ("requestThrottleDropStale", "false", False),
                                  ("requestStaleConnectionCheck", "false", False)):
            with Lone({"requestThrottleLimit": 1, "requestThrottleStallTime": 5, key: value}) as server:
                dropped = self.abandon(server, drops)
                self.effect(key, (dropped > 0) == drops, "%s, of a client that is gone %s are dropped: %d" % (
                    value, "requests" if drops else "none", dropped))
        with Lone({"requestThrottleLimit": 1, "requestThrottleStallTime": 5, "minSessionTimeout": 40,
                   "requestStaleLatencyCheck": "true"}) as server:
            session = server.session(timeout_ms=40)
            stale = ("stale_requests", "stale_requests_dropped", "stale_replies")
            for _ in range(20):
                self.send_many(session, 1000)
                if wait_for(lambda: sum(map(server.metric, stale)) > 0, 0.2):
                    break
            self.effect("requestStaleLatencyCheck", sum(map(server.metric, stale)) > 0,
                        "requests that waited longer than their session lives are stale")
        big = {"snapCount": 100}
        with Lone(big) as server:
            session = server.session()
            session.call("create", b"/big", b"x" * 8000, OPEN_ACL, PERSISTENT)
            session.close()
            server.stop()
            server.start()      # which takes a snapshot of what was logged
            server.stop()
            for extra, is_damaged in ((9000, False), (1025, True)):
                server.config.update({"jute.maxbuffer": 1024, "jute.maxbuffer.extrasize": extra})
                size = len(server.log())
                server.start()
                said = "at most %d may be" % (1024 + extra) in server.log()[size:]
                self.effect("jute.maxbuffer.extrasize", said == is_damaged, "%d, a snapshot with more is %sread"
                            % (extra, "not " if is_damaged else ""))
                server.stop()

    @staticmethod
    def send_many(session, count):
        for _ in range(count):
            session.send("setData", b"/a", b"", -1)

    def abandon(self, server, drops):
        """A client that goes away behind its requests; how many were dropped."""
        other = server.session()
        other.call("create", b"/a", b"", OPEN_ACL, PERSISTENT)
        for _ in range(5 if drops else 1):      # a server may be through before it hears that the client is gone
            session = server.session()
            self.send_many(session, 900)
            session.receive("setData")
            session.connection.abort()
            wait_for(lambda: server.metric("num_alive_connections") <= 2 and
                     server.metric("outstanding_requests") == 0, 5)
            if server.metric("stale_requests_dropped") > 0:
                break
        return server.metric("stale_requests_dropped")

    def nodes(self):
        config = {"extendedTypesEnabled": "true", "znode.container.checkIntervalMs": 100,
                  "znode.container.maxPerMinute": 60, "znode.container.maxNeverUsedIntervalMs": 1,
                  "DigestAuthenticationProvider.superDigest": SUPER,
                  "DigestAuthenticationProvider.digestAlg": "SHA-256"}
        with Lone(config) as server:
            session = server.session()
            header = session.ask("createTTL", b"/ttl", b"", OPEN_ACL, TTL, 100000)[0]
            self.effect("extendedTypesEnabled", header.err == 0, "a node with a time to live is made")
            for i in range(3):
                session.call("createContainer", b"/c%d" % i, b"", OPEN_ACL, CONTAINER)

            def left():
                return sum(name.startswith(b"c") for name in session.call("getChildren", b"/", False).children)
            started = time.monotonic()
            gone = wait_for(lambda: left() < 3, 20)
            self.effect("znode.container.checkIntervalMs znode.container.maxNeverUsedIntervalMs",
                        gone and time.monotonic() - started < 20, "containers that were never used go")
            self.effect("znode.container.maxPerMinute", left() == 2 or IS_SLOW, "one in a second")
            self.effect("DigestAuthenticationProvider.digestAlg", "ACL digest algorithm is: SHA-256" in server.log(),
                        "the log says so")
            session.call("create", b"/mine", b"secret", ((31, (b"digest", b"nobody:x")),), PERSISTENT)
            before = session.ask("getData", b"/mine", False)[0].err
            session.auth("digest", b"super:secret")
            self.effect("DigestAuthenticationProvider.superDigest DigestAuthenticationProvider.digestAlg",
                        before == -102 and session.ask("getData", b"/mine", False)[0].err == 0,
                        "super is let through, by that digest")
        with Lone({"DigestAuthenticationProvider.enabled": "false"}) as server:
            session = server.session()
            self.effect("DigestAuthenticationProvider.enabled", refused(session.auth, "digest", b"a:b") or
                        "No authentication provider for scheme: digest" in server.log(), "the scheme is not there")
        with Lone({"enforce.auth.enabled": "true", "enforce.auth.schemes": "digest"}) as server:
            session = server.session()
            try:
                err = session.ask("exists", b"/", False)[0].err
            except rawclient.Closed:
                err = "closed"
            other = server.session()
            other.auth("digest", b"a:b")
            self.effect("enforce.auth.enabled enforce.auth.schemes", err != 0 and
                        other.ask("exists", b"/", False)[0].err == 0, "who has no such id is refused: %s" % err)

    # ---- TLS ----

    def tls(self):
        certificates = Certificates(self.directory)
        certificates.make("server")
        certificates.make("client")
        server_store = certificates.make_pkcs12("server", "secret")
        trust = certificates.path("trust.p12")
        subprocess.run(["openssl", "pkcs12", "-export", "-nokeys", "-in", certificates.path("ca.pem"), "-passout",
                        "pass:hidden", "-out", trust], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        certificates.write("secret.txt", "secret\n")
        certificates.write("hidden.txt", "hidden\n")
        pem = {"ssl.keyStore.location": certificates.path("server.pem"), "ssl.trustStore.location":
               certificates.path("ca.pem")}
        packed = {"ssl.keyStore.location": server_store, "ssl.trustStore.location": trust}

        def lets_in(port, name="client", **options):
            try:
                tls_session(("127.0.0.1", port), certificates.context(name, **options), timeout=10).close()
                return True
            except FAILURES:
                return False

        def with_port(**config):
            named = {key.replace("__", "."): value for key, value in config.items()}
            return {"secureClientPort": ports.one(), **named}

        config = {**pem, **with_port(), "secureClientPortAddress": "127.0.0.1", "client.portUnification": "true",
                  "client.certReload": "true", "ssl.enabledProtocols": "TLSv1.2",
                  "ssl.ciphersuites": "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384", "ssl.clientAuth": "want",
                  "X509AuthenticationProvider.superUser": "CN=client", "outstandingHandshake.limit": 1,
                  "ssl.handshakeDetectionTimeoutMillis": 300, "ssl.keyStore.type": "PEM", "ssl.trustStore.type": "PEM"}
        with Lone(config) as server:
            port = int(config["secureClientPort"])
            self.effect("secureClientPort ssl.keyStore.location ssl.trustStore.location ssl.keyStore.type "
                        "ssl.trustStore.type", lets_in(port) and
                        server.conf()["secureClientPort"] == str(port), "a client with a certificate has a session")
            self.effect("client.portUnification", lets_in(server.port) and server.lets_in(), "one port takes both")
            self.effect("ssl.clientAuth", lets_in(port, None), "so does one without a certificate")
            connection = TlsConnection(("127.0.0.1", port), certificates.context())
            self.effect("ssl.enabledProtocols", connection.socket.version() == "TLSv1.2" and
                        not lets_in(port, version=ssl.TLSVersion.TLSv1_3), "no other version is spoken")
            self.effect("ssl.ciphersuites", connection.socket.cipher()[0] == "ECDHE-ECDSA-AES256-GCM-SHA384" and
                        not lets_in(port, version=ssl.TLSVersion.TLSv1_2, ciphers="ECDHE-ECDSA-AES128-GCM-SHA256"),
                        "no other suite is taken")
            connection.close()
            self.effect("X509AuthenticationProvider.superUser",
                        "Authenticated Id 'CN=client' as super user" in server.log(), "the log says so")
            self.effect("secureClientPortAddress", refused(rawclient.Connection, ("127.0.0.2", port)),
                        "nobody listens at another one")
            silent = [rawclient.Connection(("127.0.0.1", port)) for _ in range(2)]
            self.effect("outstandingHandshake.limit", silent[1].read_to_end(5) == b"", "a second one is closed")
            for connection in silent:
                connection.close()
            silent, start = rawclient.Connection(server.address), time.monotonic()
            silent.read_to_end(PATIENCE_S)
            self.effect("ssl.handshakeDetectionTimeoutMillis", time.monotonic() - start < 4 or IS_SLOW,
                        "who says nothing is sent away after %.1f s" % (time.monotonic() - start))
            self.effect("client.certReload", any(name.startswith("File") for name in threads_of(server)),
                        "a thread looks for changes")
        config = {**packed, **with_port(), "ssl.keyStore.passwordPath": certificates.path("secret.txt"),
                  "ssl.trustStore.passwordPath": certificates.path("hidden.txt"), "ssl.protocol": "TLSv1.2",
                  "ssl.clientHostnameVerification": "true", "ssl.keyStore.type": "PKCS12"}
        with Lone(config) as server:
            port = int(config["secureClientPort"])
            self.effect("ssl.keyStore.passwordPath ssl.trustStore.passwordPath", server.running(), "the stores open")
            self.effect("ssl.clientHostnameVerification", not lets_in(port),
                        "a certificate that does not name its address is refused")
            server.stop()
            server.config["ssl.hostnameVerification"] = "false"
            server.start()
            self.effect("ssl.hostnameVerification", lets_in(port), "false switches that off")
            self.effect("ssl.protocol", not lets_in(port, version=ssl.TLSVersion.TLSv1_3), "that version is spoken")
        config = {**packed, **with_port(), "ssl.keyStore.password": "secret", "ssl.trustStore.password": "hidden",
                  "ssl.ocsp": "true"}
        with Lone(config) as server:
            self.effect("ssl.ocsp ssl.keyStore.password ssl.trustStore.password",
                        not lets_in(int(config["secureClientPort"])) and server.running(),
                        "the stores open, and a certificate that names no responder is refused")
        status, output = run_to_end({**pem, **with_port(), "ssl.crl": "true"})
        self.effect("ssl.crl", status and "revocation lists are to be looked at" in output,
                    "without lists it is refused")
        status, output = run_to_end({**packed, **with_port(), "ssl.keyStore.password": "wrong",
                                     "ssl.trustStore.password": "hidden"})
        self.effect("ssl.keyStore.password", status and server_store in output, "a wrong one is refused")
        for key in ("ssl.clientAuth", "ssl.enabledProtocols", "ssl.ciphersuites", "ssl.keyStore.type", "ssl.protocol"):
            status, output = run_to_end({**pem, **with_port(), key: "NONSENSE"})
            self.ok(status and "NONSENSE" in output, "%s=NONSENSE is refused" % key)

    # ---- ensembles ----

    def quorum(self):
        config = {"observerMasterPort": ports.one(), "initLimit": 19, "syncLimit": 6,
                  "forceSnapshotSync": "true", "learner.asyncSending": "true", "localSessionsEnabled": "true",
                  "localSessionsUpgradingEnabled": "true", "leaderServes": "yes", "quorumListenOnAllIPs": "true",
                  "multiAddress.enabled": "true", "tcpKeepAlive": "true", "electionPortBindRetry": 7,
                  "quorumCnxnTimeoutMs": 4321, "reconfigEnabled": "true",
                  "forward_learner_requests_to_commit_processor_disabled": "true",
                  "follower.skipLearnerRequestToNextProcessor": "true", "commitProcessor.numWorkerThreads": 2,
                  "commitProcessor.maxReadBatchSize": 33, "commitProcessor.maxCommitBatchSize": 7,
                  "syncEnabled": "false", "messageTracker.Enabled": "true", "messageTracker.BufferSize": 3,
                  "enableEagerACLCheck": "true", "commitLogCount": 520}
        with ensemble.Ensemble("zkc,zkc,zkc", observers=(3,), config=config) as servers_of:
            leader, follower = servers_of.leader(), servers_of.followers()[0]
            logs = {sid: servers_of.log_text(sid) for sid in servers_of.sids()}
            conf = servers_of.word(leader, "conf")
            self.effect("initLimit syncLimit", "initLimit=19\nsyncLimit=6\n" in conf, "conf shows them")
            self.effect("peerType", servers_of.mode(3) == "observer" and "peerType=1" in servers_of.word(3, "conf"),
                        "the server observes")
            self.effect("syncEnabled", "syncEnabled =false" in logs[3] and
                        not txnlog.log_files(servers_of[3].data_dir), "an observer writes no log")
            self.effect("quorumListenOnAllIPs", any("0.0.0.0" in line or "[::]" in line or "*" in line
                                                    for line in logs[1].splitlines()
                                                    if "my election bind port" in line), "the log shows the address")
            self.effect("electionPortBindRetry", "bind maximum retries is 7" in logs[1], "the log says so")
            self.effect("quorumCnxnTimeoutMs", "Using 4321ms as the quorum cnxn socket timeout" in logs[1],
                        "the log says so")
            self.effect("forward_learner_requests_to_commit_processor_disabled",
                        "forward_learner_requests_to_commit_processor_disabled = true" in logs[leader],
                        "the leader's log says so")
            self.effect("follower.skipLearnerRequestToNextProcessor",
                        "skipLearnerRequestToNextProcessor as true" in logs[follower], "the follower's log says so")
            self.effect("commitProcessor.numWorkerThreads commitProcessor.maxReadBatchSize "
                        "commitProcessor.maxCommitBatchSize",
                        "with 2 worker threads, readBatchSize 33 commitBatchSize 7" in logs[leader], "the log says so")
            elections = [servers_of.election_address(sid)[1] for sid in (1, 2)]
            self.effect("tcpKeepAlive", any(has_keep_alive(port) for port in elections),
                        "the system's table shows the timer")
            self.effect("learner.asyncSending", any("LearnerSender" in name
                                                    for name in threads_of(servers_of[follower])), "a thread sends")
            self.effect("observerMasterPort", self.listens(config["observerMasterPort"]), "somebody listens there")
            self.effect("forceSnapshotSync", "Sending snapshot" in logs[leader],
                        "learners get a snapshot")
            zxid = servers_of.zxid(leader)
            session = servers_of.session(follower)
            time.sleep(0.2)
            self.effect("localSessionsEnabled", servers_of.zxid(leader) == zxid, "a session needs no transaction")
            session.call("create", b"/e", b"", OPEN_ACL, EPHEMERAL)
            self.effect("localSessionsUpgradingEnabled", wait_for(lambda: servers_of.zxid(leader) > zxid),
                        "it becomes a global one with its first ephemeral")
            for _ in range(650):
                session.send("setData", b"/e", b"", -1)
            for _ in range(650):
                session.receive("setData")
            header = session.ask("reconfig", None, None, None, -1)[0]
            self.effect("reconfigEnabled", header.err not in (0, -123), "reconfiguration is asked for: %d" % header.err)
            session.call("create", b"/closed", b"", READ_ACL, PERSISTENT)
            self.effect("enableEagerACLCheck", session.ask("setData", b"/closed", b"", -1)[0].err == -102,
                        "who may not write hears it from his own server")
            servers_of.kill(follower)
            self.effect("messageTracker.Enabled messageTracker.BufferSize",
                        wait_for(lambda: "Last 3 timestamps for messages" in servers_of.log_text(leader)),
                        "the last three messages are in the log of the leader")
            servers_of.start_one(follower)
            servers_of.wait_serving()
            ranges = re.findall("maxCommittedLog=0x([0-9a-f]+) minCommittedLog=0x([0-9a-f]+)",
                                servers_of.log_text(leader))
            kept = [int(newest, 16) - int(oldest, 16) + 1 for newest, oldest in ranges]
            self.effect("commitLogCount", kept[-1] == 520, "so many are kept for learners: %s" % kept)
        self.few()

    @staticmethod
    def write_myid(server):
        with open(os.path.join(server.data_dir, "myid"), "w", encoding="ascii") as file:
            file.write("1\n")

    @staticmethod
    def listens(port):
        return not refused(lambda: rawclient.Connection(("127.0.0.1", port), 5).close())

    def few(self):
        """A server whose quorum does not come, one that is an ensemble by itself, a leader that takes no clients."""
        taken = ports.take(4)
        list_of = "\n".join("server.%d=127.0.0.1:%d:%d:participant" % (sid, taken[sid - 1], taken[sid])
                            for sid in (1, 2)) + "\nserver.3=127.0.0.1:1:2:participant\n"
        server = Lone({"initLimit": 5, "syncLimit": 5, "fastleader.minNotificationInterval": 50,
                       "fastleader.maxNotificationInterval": 130, "readonlymode.enabled": "true", "electionAlg": 3})
        server.config["dynamicConfigFile"] = os.path.join(server.directory, "servers.dynamic")
        with open(server.config["dynamicConfigFile"], "w", encoding="ascii") as file:
            file.write(list_of)
        self.write_myid(server)
        with server:
            self.effect("dynamicConfigFile", "server.3=127.0.0.1:1:2" in server.word("conf"), "conf shows its servers")
            self.effect("readonlymode.enabled", "read-only" in server.word("srvr"), "reads are served without a quorum")
            self.effect("fastleader.minNotificationInterval fastleader.maxNotificationInterval",
                        wait_for(lambda: "Notification time out: 130 ms" in server.log()) and
                        "Notification time out: 100 ms" in server.log(), "the log shows it grow from one to the other")
        port = ports.take(2)
        lone = {"initLimit": 5, "syncLimit": 5, "standaloneEnabled": "false", "electionAlg": 0,
                "server.1": "127.0.0.1:%d:%d:participant" % tuple(port)}
        server = Lone(lone)
        self.write_myid(server)
        with server:
            self.effect("standaloneEnabled", "Mode: leader" in server.word("srvr"), "one server leads itself")
            self.effect("electionAlg", "electionAlg=0 is deprecated" in server.log() and
                        "electionAlg=0" in server.word("conf"), "the old election is held, and warned of")
        several = dict(lone)
        several["server.1"] = "|".join(["127.0.0.1:%d:%d" % tuple(port), "127.0.0.2:%d:%d" % tuple(port)])
        status, output = run_to_end({**several, "electionAlg": 3}, prepare=self.write_myid)
        server = Lone({**several, "electionAlg": 3, "multiAddress.enabled": "true"})
        self.write_myid(server)
        with server:
            self.effect("multiAddress.enabled", status and "Multiple address feature is disabled" in output and
                        "Mode: leader" in server.word("srvr"), "a server may have two addresses, and not without it")
        server = Lone({**lone, "electionAlg": 3, "leaderServes": "no"})
        self.write_myid(server)
        server.launch()
        try:
            wait_for(lambda: "LEADING" in server.log() and "Serving clients" in server.log())
            self.effect("leaderServes", "LEADING" in server.log() and refused(server.session, timeout=3),
                        "a leader takes no clients")
        finally:
            server.dispose()


GROUPS = ("values", "without_effect", "insecure", "malformed", "storage", "connections", "requests", "nodes", "tls",
          "quorum")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--only", choices=GROUPS)
    tap_lib.add_option(parser)
    arguments = parser.parse_args()
    reason = servers.require("zkc")
    if reason:
        tap_lib.skip_all(reason)
    tap = tap_lib.Tap(plain=not arguments.tap)
    rows = table()
    directory = tempfile.mkdtemp(prefix="zk-options-")
    try:
        options = Options(tap, rows, directory)
        for group in GROUPS if arguments.only is None else [arguments.only]:
            start = time.monotonic()
            getattr(options, group)()
            tap.note("%s took %.1f s" % (group, time.monotonic() - start))
        if arguments.only is None:
            for row in rows.values():
                if row.state == "served" and row.key not in options.seen:
                    tap.ok(False, "%s has a case here" % row.key)
            tap.ok(not set(PARSED) - set(rows), "no case is of an option that there is not")
    finally:
        shutil.rmtree(directory, ignore_errors=True)
    return tap.done()


if __name__ == "__main__":
    sys.exit(main())
