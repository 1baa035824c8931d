"""ensemble.py - several servers in one quorum, each Java's or ours, on loopback with directories below one.

    with Ensemble("java,zkc,java", tick_time=500) as ensemble:     starts all, waits until they serve
        ensemble.kill(ensemble.leader())
        ensemble.wait_serving()

Servers go by their id, 1 and up, in the order of the kinds; ensemble[sid] is the servers.Server. Each has a client
port, a quorum port and an election port below the range from which the kernel takes ports for outgoing connections, so
that nobody takes one while a server is down. A server may be exchanged for one of another kind on the same data. Logs
are on, at INFO, and their ends go into the message of what fails. dispose() kills what runs by process id, and so does
the end of the script. Environment: ZKC_KINDS (the kinds, where a script is given none).
"""

import contextlib
import glob
import os
import re
import shutil
import tempfile
import time

import jute
import ports
import rawclient
import servers

SERVING = ("leader", "follower", "observer", "read-only", "standalone")


class EnsembleError(Exception):
    """The ensemble did not do in time what was waited for; the message ends with the logs."""


def parse_kinds(text):
    """"java,zkc,java" as a list; "zkc" stands for three of them."""
    kinds = text.split(",") if isinstance(text, str) else list(text)
    kinds = [kind.strip() for kind in kinds]
    unknown = [kind for kind in kinds if kind not in servers.KINDS]
    if unknown:
        raise ValueError("no such kind of server: %s" % ", ".join(unknown))
    return kinds if len(kinds) > 1 else kinds * 3


def release_of(text):
    version = re.search(r"version: (\d+)\.(\d+)\.(\d+)", text)
    return tuple(int(part) for part in version.groups()) if version else None


class Ensemble:
    """See above. `config` and `properties` are for all; `per_server` maps an id to (config, properties) of its own."""

    def __init__(self, kinds, observers=(), config=None, properties=None, per_server=None, tick_time=500,
                 init_limit=20, sync_limit=5, groups=None, weights=None, reconfig=False, directory=None, network=None,
                 first=None):
        """`first` are the ids that `with` starts, all when it is None; `network` is a namespaces.Network."""
        kinds = parse_kinds(kinds)
        self.own_directory = directory is None
        self.directory = directory or tempfile.mkdtemp(prefix="zk-ensemble-")
        self.observers = set(observers)
        self.config = {"tickTime": tick_time, "initLimit": init_limit, "syncLimit": sync_limit, "maxClientCnxns": 0,
                       "maxSessionTimeout": 120000, **(config or {})}
        self.properties = dict(properties or {})
        self.per_server = dict(per_server or {})
        self.tick_time = tick_time / 1000.0
        self.init_limit, self.sync_limit = init_limit, sync_limit
        self.groups, self.weights, self.reconfig = groups, weights, reconfig
        self.network = network
        self.first = first
        self.members = {}
        self.ports = {}         # sid -> (quorum, election, client)
        self.paused = set()
        for index, kind in enumerate(kinds):
            self._place(index + 1)
        for index, kind in enumerate(kinds):
            self._make(index + 1, kind)

    # --- the configuration ---

    def _place(self, sid):
        self.ports[sid] = tuple(ports.take(3))

    def host(self, sid):
        return self.network.host(sid) if self.network else "127.0.0.1"

    def address_of(self, sid):
        """Where clients find the server, started or not."""
        return (self.host(sid), self.ports[sid][2])

    def quorum_address(self, sid):
        return (self.host(sid), self.ports[sid][0])

    def election_address(self, sid):
        return (self.host(sid), self.ports[sid][1])

    def server_line(self, sid, observer=None):
        """The value of server.<sid> as a dynamic configuration writes it."""
        role = "observer" if (sid in self.observers if observer is None else observer) else "participant"
        quorum, election, client = self.ports[sid]
        host = self.host(sid)
        return "%s:%d:%d:%s;%s:%d" % (host, quorum, election, role, host, client)

    def route(self, learner, leader, port):
        """From its next start on, `learner` finds the quorum port of `leader` at `port`, where a proxy listens."""
        line = self.server_line(leader).split(":", 2)
        config, properties = self.per_server.get(learner, ({}, {}))
        self.per_server[learner] = ({**config, "server.%d" % leader: "%s:%d:%s" % (line[0], port, line[2])}, properties)
        self[learner].config.update(self.per_server[learner][0])

    def view_config(self, sids):
        """The lines of zoo.cfg that say who the servers are."""
        config = {}
        for sid in sids:
            config["server.%d" % sid] = self.server_line(sid)
        for number, group in enumerate(self.groups or (), 1):
            config["group.%d" % number] = ":".join(str(sid) for sid in group)
        for sid, weight in (self.weights or {}).items():
            config["weight.%d" % sid] = weight
        return config

    def _config_of(self, sid, kind, view):
        own_config, own_properties = self.per_server.get(sid, ({}, {}))
        config = {**self.config, **self.view_config(view), **own_config}
        config["clientPort"] = config["clientPortAddress"] = None       # they stand in the server line
        if sid in self.observers:
            config["peerType"] = "observer"
        if self.reconfig:
            config["reconfigEnabled"] = "true"
        properties = {**self.properties, **own_properties}
        if kind.startswith("java"):
            level = os.environ.get("ZKC_JAVA_LOG", "info")
            properties = {"org.slf4j.simpleLogger.defaultLogLevel": level,
                          # which tells of each word it is asked
                          "org.slf4j.simpleLogger.log.org.apache.zookeeper.server.NIOServerCnxn": "error",
                          # and of each session
                          "org.slf4j.simpleLogger.log.org.apache.zookeeper.server.ZooKeeperServer": "warn",
                          "org.slf4j.simpleLogger.log.org.apache.zookeeper.server.quorum.LeaderSessionTracker": "warn",
                          "org.slf4j.simpleLogger.log.org.apache.zookeeper.server.quorum.LearnerSessionTracker": "warn",
                          **properties}
        return config, properties

    def _make(self, sid, kind, view=None):
        config, properties = self._config_of(sid, kind, view or sorted(self.ports))
        server = servers.make(kind, config, properties, directory=os.path.join(self.directory, "server%d" % sid))
        server.sid = sid
        server.port = self.ports[sid][2]
        server.host = self.host(sid)
        server.keep_config = self.reconfig
        if self.network:
            server.prefix = self.network.prefix(sid)
        self.members[sid] = server
        self.write_myid(sid)
        return server

    def write_myid(self, sid):
        with open(os.path.join(self[sid].data_dir, "myid"), "w", encoding="ascii") as file:
            file.write("%d\n" % sid)

    def add(self, kind, observer=False, view=None):
        """Makes one more server, which is not started; it knows `view` (ids) and itself, or all. Returns its sid."""
        sid = max(self.ports) + 1
        self._place(sid)
        if observer:
            self.observers.add(sid)
        self._make(sid, kind, sorted(set(view) | {sid}) if view else None)
        return sid

    def configure(self, sid, view):
        """Writes the configuration of a server that is down anew: it knows `view` (ids) and itself."""
        self._make(sid, self.kind(sid), sorted(set(view) | {sid}))
        for name in os.listdir(self[sid].directory):
            if name.startswith("zoo.cfg"):
                os.remove(os.path.join(self[sid].directory, name))

    # --- one server ---

    def __getitem__(self, sid):
        return self.members[sid]

    def kind(self, sid):
        return self.members[sid].kind

    def sids(self):
        return sorted(self.members)

    def running(self):
        """The ids of servers that run and are not paused."""
        return [sid for sid in self.sids() if self[sid].running() and sid not in self.paused]

    def name(self, sid):
        """For reports: "server 2 (zkc)"."""
        return "server %d (%s)" % (sid, self.kind(sid))

    def start_one(self, sid):
        """Launches the server; wait_serving() waits for it."""
        if self[sid].kind.startswith("java"):
            self._remove_empty_logs(sid)
        self[sid].launch(self.ports[sid][2])

    def _remove_empty_logs(self, sid):
        """A 3.8 that is killed as it makes a log leaves it empty, and does not start behind it (ZOOKEEPER-2332)."""
        for path in glob.glob(os.path.join(self[sid].data_dir, "version-2", "log.*")):
            if os.path.getsize(path) == 0:
                os.remove(path)

    def stop(self, sid):
        """SIGTERM; returns the exit status."""
        self.resume(sid)
        return self[sid].stop()

    def kill(self, sid):
        self.paused.discard(sid)
        self[sid].kill()

    def pause(self, sid):
        self.paused.add(sid)
        self[sid].pause()

    def resume(self, sid):
        if sid in self.paused:
            self.paused.discard(sid)
            self[sid].resume()

    def swap(self, sid, kind):
        """Exchanges a server that is down for one of another kind, on its data and its configuration."""
        if self[sid].running():
            raise ValueError("server %d runs" % sid)
        if self.kind(sid) != kind:
            self._make(sid, kind)

    def wipe(self, sid):
        """Removes the data of a server that is down, all but myid."""
        shutil.rmtree(self[sid].data_dir)
        os.makedirs(self[sid].data_dir)
        self.write_myid(sid)

    def word(self, sid, word, timeout=5.0):
        return rawclient.four_letter_word(self.address_of(sid), word, timeout)

    def srvr(self, sid, timeout=1.0):
        """The answer to srvr, or None."""
        try:
            return self.word(sid, "srvr", timeout)
        except (OSError, rawclient.Timeout):
            return None

    def mode(self, sid, timeout=1.0):
        """leader, follower, observer, read-only; None when the server does not serve."""
        match = re.search(r"^Mode: (\S+)", self.srvr(sid, timeout) or "", re.MULTILINE)
        return match.group(1) if match else None

    def zxid(self, sid):
        """The last zxid the server has processed."""
        match = re.search(r"^Zxid: 0x([0-9a-f]+)", self.srvr(sid, 5.0) or "", re.MULTILINE)
        return int(match.group(1), 16) if match else None

    def mntr(self, sid):
        """What mntr prints, as a dict of strings; keys without their zk_."""
        answer = {}
        for line in self.word(sid, "mntr").splitlines():
            key, tab, value = line.partition("\t")
            if tab:
                answer[key[3:] if key.startswith("zk_") else key] = value
        return answer

    def session(self, sid, timeout_ms=30000, **options):
        options.setdefault("nudges", self[sid].kind.startswith("java"))
        return rawclient.Session(self.address_of(sid), timeout_ms, **options)

    def again(self, sid, session, timeout=10.0):
        """The session, continued at another server; its `expired` tells when nobody knows it any more."""
        deadline = time.monotonic() + timeout
        while True:
            try:
                return rawclient.Session(self.address_of(sid), session.timeout_ms, session.id, session.password,
                                         session.zxid)
            except rawclient.Closed:    # a server that knows less than the session has seen hangs up
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.02)

    def log_size(self, sid):
        try:
            return os.path.getsize(self[sid].log_path)
        except OSError:
            return 0

    def log_text(self, sid, since=0):
        """The log of the server from byte `since` on."""
        try:
            with open(self[sid].log_path, "rb") as file:
                file.seek(since)
                return file.read().decode("utf-8", "replace")
        except OSError:
            return ""

    # --- all of them ---

    def launch(self, sids=None):
        """Starts these servers, or all, and waits for nothing."""
        for sid in self.sids() if sids is None else sids:
            if not self[sid].running():
                self.start_one(sid)
        return self

    def start(self, sids=None):
        """Starts these servers, or all, and waits until they serve."""
        self.launch(sids).wait_serving()
        return self

    def modes(self, sids=None):
        return {sid: self.mode(sid) for sid in (self.running() if sids is None else sids)}

    def leader(self):
        """The id of the server that leads, or None; of two that believe it, the one with the later epoch."""
        leaders = [sid for sid, mode in self.modes().items() if mode == "leader"]
        return max(leaders, key=lambda sid: self.zxid(sid) or 0) if leaders else None

    def followers(self):
        return [sid for sid, mode in self.modes().items() if mode == "follower"]

    def wait_serving(self, sids=None, timeout=60.0):
        """Waits until these servers (all that run) serve and one of the ensemble leads; returns the leader's id."""
        wanted = self.running() if sids is None else list(sids)

        def serving():
            for sid in wanted:
                if not self[sid].running():
                    raise EnsembleError("%s ended with status %s%s" % (
                        self.name(sid), self[sid].process and self[sid].process.returncode, self.tails([sid])))
            modes = self.modes(sorted(set(wanted) | set(self.running())))
            leaders = [sid for sid, mode in modes.items() if mode == "leader"]
            if len(leaders) == 1 and all(modes[sid] in SERVING[:3] for sid in wanted):
                return leaders[0]
            return None

        return self.wait(serving, "servers %s serve" % wanted, timeout)

    def wait(self, condition, what, timeout=30.0):
        """Waits until the condition holds and returns its value; raises EnsembleError with the logs. `what` may be a
        function, asked when it is over."""
        deadline = time.monotonic() + timeout
        while True:
            value = condition()
            if value:
                return value
            if time.monotonic() > deadline:
                raise EnsembleError("%.0f s passed and it did not come true: %s%s" % (
                    timeout, what() if callable(what) else what, self.tails()))
            time.sleep(0.02)

    def make_leader(self, sid):
        """Lets the server lead, by being the one that knows the last write; all serve afterwards."""
        if self.leader() == sid:
            return
        voters = [other for other in self.sids() if other not in self.observers and other != sid]
        majority = (len(voters) + 1) // 2
        with_it, without = voters[:majority], voters[majority:]
        for other in without:
            self.kill(other)
        self.wait_serving([sid] + with_it)
        self.session(sid).close()
        self.wait(lambda: self.zxid(sid) == self.zxid(self.leader()), "%s has the last write" % self.name(sid))
        for other in with_it:
            self.kill(other)
        for other in without:
            self.start_one(other)
        self.wait_serving([sid] + without)
        for other in with_it:
            self.start_one(other)
        if self.wait_serving() != sid:
            raise EnsembleError("%s should lead%s" % (self.name(sid), self.tails()))

    def wait_caught_up(self, timeout=30.0):
        """Waits until all servers that run have processed one write more, made here; returns its zxid. A Java 3.8.0 may
        keep a commit back until another comes (ZOOKEEPER-4537), and gets one after three seconds."""
        def write():
            self.session(self.leader()).close()
            return time.monotonic() + 3

        next_write = write()

        def equal():
            nonlocal next_write
            zxids = {sid: self.zxid(sid) for sid in self.running()}
            if None not in zxids.values() and len(set(zxids.values())) == 1:
                return next(iter(zxids.values()))
            late = [sid for sid, zxid in zxids.items() if zxid != max(zxids.values(), key=lambda one: one or 0)]
            if time.monotonic() > next_write and any(self.kind(sid).startswith("java") for sid in late):
                next_write = write()
            return None

        def stands():
            return "all servers stand at one zxid, not at " + ", ".join(
                "%x" % (self.zxid(sid) or 0) for sid in self.running())
        return self.wait(equal, stands, timeout)

    def addresses(self):
        """Where clients find the ensemble."""
        return [self.address_of(sid) for sid in self.sids()]

    def connect_string(self):
        return ",".join("%s:%d" % address for address in self.addresses())

    def tails(self, sids=None, size=2500):
        """The ends of the logs, for the message of a failure."""
        return "".join("\n--- %s, %s:\n%s" % (self.name(sid), "paused" if sid in self.paused else
                                              "runs" if self[sid].running() else "down", self[sid].log_tail(size))
                       for sid in (self.sids() if sids is None else sids))

    def __enter__(self):
        try:
            return self.start(self.first) if self.first != [] else self
        except BaseException:
            self.dispose()
            raise

    def __exit__(self, *exc):
        self.dispose()

    def dispose(self):
        """Kills what runs and removes the directory when it was made here."""
        for sid in self.sids():
            self[sid].kill()
        if self.network:
            self.network.dispose()
        if self.own_directory and not os.environ.get("ZKC_KEEP"):
            shutil.rmtree(self.directory, ignore_errors=True)


@contextlib.contextmanager
def step(report, ensemble, fact, known_bug=None):
    """Reports the fact: it holds when the block ends, and does not when the block raises; then with the logs.

    Where the server is known for a bug, its number, the fact is skipped when an assertion fails.
    """
    begin = time.monotonic()
    try:
        yield
    except AssertionError as error:
        if known_bug:
            report.skip(fact, "ZOOKEEPER-%s: %s" % (known_bug, str(error).splitlines()[0][:200]))
        else:
            report.ok(False, fact)
            report.note("%s%s" % (error, ensemble.tails() if ensemble else ""))
    except EnsembleError as error:
        report.ok(False, fact)
        report.note(error)
    except (OSError, jute.JuteError, rawclient.Closed, rawclient.Timeout, rawclient.RequestError,
            servers.StartError) as error:
        report.ok(False, fact)
        report.note("%s: %s%s" % (type(error).__name__, error, ensemble.tails() if ensemble else ""))
    else:
        report.ok(True, fact)
    if report.plain:
        report.note("        %.1f s" % (time.monotonic() - begin))


def add_options(parser, kinds="zkc,zkc,java"):
    """The options that every script over an ensemble takes."""
    kinds = os.environ.get("ZKC_KINDS") or kinds
    parser.add_argument("--kinds", default=kinds, help="of each server: java or zkc (%s)" % kinds)
    parser.add_argument("--seed", type=int, default=1)


def require(kinds):
    """Why a test over these servers cannot run here, or None."""
    return servers.require(*set(parse_kinds(kinds)))
