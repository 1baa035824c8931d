#!/usr/bin/env python3
"""zkserver_verbs.py - zkserver as people use it: verbs, files, environment, signals, exit codes. Prints TAP."""

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

import ports      # noqa: E402
import rawclient  # noqa: E402
import servers  # noqa: E402
import tap  # noqa: E402

TIMEOUT = 90.0
ZKSERVER = servers.zkserver_path()
SOURCE = os.environ.get("ZKC_SOURCE") or os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
OPEN_ACL = ((31, (b"world", b"anyone")),)
DEFAULT_CONFIG = "/etc/zookeeper/conf/zoo.cfg"


class Place:
    """A directory with conf/zoo.cfg, data and logs in it, and the environment of a command."""

    def __init__(self, **config):
        self.directory = tempfile.mkdtemp(prefix="verbs-")
        self.data = os.path.join(self.directory, "data")
        self.conf = os.path.join(self.directory, "conf")
        self.logs = os.path.join(self.directory, "logs")
        self.config = os.path.join(self.conf, "zoo.cfg")
        self.pid_file = os.path.join(self.data, "zookeeper_server.pid")
        self.port = ports.one()
        self.environment = {}
        self.program = ZKSERVER
        self.processes = []
        os.mkdir(self.conf)
        self.write_config(**config)

    def write_config(self, **config):
        settings = {"tickTime": 2000, "dataDir": self.data, "clientPort": self.port, "clientPortAddress": "127.0.0.1",
                    "preAllocSize": 64}
        settings.update(config)
        with open(self.config, "w", encoding="utf-8") as file:
            for key, value in settings.items():
                if value is not None:
                    file.write("%s=%s\n" % (key, value))

    def full_environment(self):
        environment = {key: value for key, value in os.environ.items()
                       if not key.startswith("ZOO") and "JVMFLAGS" not in key}
        environment.update(self.environment)
        return environment

    def run(self, *arguments):
        """The finished command, with `text`: both of its outputs."""
        done = subprocess.run([self.program, *arguments], cwd=self.directory, env=self.full_environment(), text=True,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=TIMEOUT,
                              check=False)
        done.text = done.stdout + done.stderr
        return done

    def verb(self, *arguments):
        return self.run(*arguments, self.config)

    def foreground(self, *arguments):
        """A server that runs here, its output in logs/foreground; waited for until it answers."""
        os.makedirs(self.logs, exist_ok=True)
        with open(os.path.join(self.logs, "foreground"), "ab") as output:
            process = subprocess.Popen([self.program, *arguments], cwd=self.directory, env=self.full_environment(),
                                       stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT)
        self.processes.append(process)
        wait_until(lambda: process.poll() is not None or self.answers(), "the server to answer")
        return process

    def output(self):
        return read(os.path.join(self.logs, "foreground"))

    @property
    def address(self):
        return ("127.0.0.1", self.port)

    def word(self, word):
        return rawclient.four_letter_word(self.address, word)

    def answers(self):
        try:
            return "Mode: standalone" in self.word("srvr")
        except (OSError, rawclient.Timeout):
            return False

    def pid(self, path=None):
        try:
            return int(read(path or self.pid_file))
        except ValueError:
            return None

    def session(self):
        return rawclient.Session(self.address)

    def dispose(self):
        for process in self.processes:
            if process.poll() is None:
                process.kill()
                process.wait()
        for folder, _, files in os.walk(self.directory):
            for name in files:
                if name.endswith(".pid") and is_zkserver(self.pid(os.path.join(folder, name))):
                    os.kill(self.pid(os.path.join(folder, name)), signal.SIGKILL)
        shutil.rmtree(self.directory, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.dispose()


def read(path):
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()
    except OSError:
        return ""


def is_zkserver(pid):
    return pid is not None and os.path.basename(ZKSERVER)[:15] == read("/proc/%d/comm" % pid).strip()


def is_alive(pid):
    return pid is not None and bool(read("/proc/%d/comm" % pid)) and "\nState:\tZ" not in read("/proc/%d/status" % pid)


def wait_until(condition, what, seconds=TIMEOUT):
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError("waited in vain for " + what)
        time.sleep(0.02)


class Facts:
    def __init__(self):
        self.tap = tap.Tap()

    def __call__(self, fact, passed, shown=None):
        if not self.tap.ok(bool(passed), fact) and shown is not None:
            self.tap.note(shown.text + "exit code %d" % shown.returncode if hasattr(shown, "text") else shown)

    def exits(self, fact, done, code, *parts):
        """The command ended with this code, and its output has these parts."""
        self(fact, done.returncode == code and all(part in done.text for part in parts), done)


def create(place, path, data=b"x"):
    session = place.session()
    session.call("create", path, data, OPEN_ACL, 0)
    session.close()


def exists(place, path):
    session = place.session()
    try:
        session.call("exists", path, False)
        return True
    except rawclient.RequestError:
        return False
    finally:
        session.close()


# --- what only prints ------------------------------------------------------------------------------------------------


def check_printing(fact):
    with Place() as place:
        for word in ("version", "--version"):
            done = place.run(word)
            fact("%s names the program and its version" % word,
                 done.returncode == 0 and re.search(r"^zkc, version: \d+\.\d+", done.stdout), done)
        fact.exits("--help tells the verbs", place.run("--help"), 0, "start-foreground", "print-cmd")
        fact.exits("an option nobody knows is refused", place.run("--nonsense"), 2, "--nonsense")
        fact.exits("--config wants a directory", place.run("--config"), 2, "--config needs a directory")
        fact.exits("a second file is refused", place.run("start", "a", "b"), 2, "b: one argument too many")
        fact.exits("a file that is not there is named", place.run("start-foreground", "/nonexistent/zoo.cfg"), 2,
                   "/nonexistent/zoo.cfg")
        fact.exits("a verb with a slip is told of", place.run("staus"), 2, "did you mean status?")
        done = place.verb("-Dzookeeper.snapCount=77", "print-cmd")
        fact.exits("print-cmd shows the command that start runs", done, 0, '"%s"' % ZKSERVER, '"start-foreground"',
                   '"-Dzookeeper.snapCount=77"', '"%s"' % place.config, '.out" 2>&1')
        fact("print-cmd starts nothing", not os.path.exists(place.data))


# --- start, status, restart, stop ------------------------------------------------------------------------------------


def check_life(fact):
    with Place() as place:
        fact.exits("status of a server that does not run", place.verb("status"), 1, "Error contacting service")
        fact.exits("stop without a server", place.verb("stop"), 0, "no zookeeper to stop (could not find file %s)" %
                   place.pid_file)
        done = place.verb("start")
        fact.exits("start", done, 0, "Starting zookeeper ... STARTED", "Using config: " + place.config)
        fact("it serves when start returns", place.answers())
        pid = place.pid()
        fact("its number stands in dataDir/zookeeper_server.pid", is_zkserver(pid), str(pid))
        out = [name for name in os.listdir(place.logs) if re.match(r"zookeeper-.*-server-.*\.out$", name)]
        fact("its log stands in logs/zookeeper-USER-server-HOST.out",
             len(out) == 1 and "Serving clients" in read(os.path.join(place.logs, out[0])), str(out))
        fact.exits("a second start is refused", place.verb("start"), 1, "already running as process %d." % pid)
        done = place.verb("status")
        fact.exits("status", done, 0,
                   "Client port found: %d. Client address: 127.0.0.1. Client SSL: false." % place.port)
        fact("status has a line with the mode", "Mode: standalone" in done.stdout.splitlines(), done)
        create(place, "/before-restart")
        fact.exits("restart", place.verb("restart"), 0, "STOPPED", "STARTED")
        fact("restart makes another process", is_zkserver(place.pid()) and place.pid() != pid)
        fact("what was written is there after a restart", exists(place, "/before-restart"))
        pid = place.pid()
        fact.exits("stop", place.verb("stop"), 0, "Stopping zookeeper ... STOPPED")
        fact("the process is gone when stop returns", not is_alive(pid))
        fact("so is the pid file", not os.path.exists(place.pid_file))


def check_environment(fact):
    with Place() as place:
        pid_file = os.path.join(place.directory, "run", "zk.pid")
        place.environment = {"ZOOCFGDIR": place.conf, "ZOO_LOG_DIR": os.path.join(place.directory, "elsewhere"),
                             "ZOOPIDFILE": pid_file}
        fact.exits("ZOOCFGDIR says where zoo.cfg is", place.run("start"), 0, "STARTED")
        fact("ZOOPIDFILE names the pid file", is_zkserver(place.pid(pid_file)) and not os.path.exists(place.pid_file))
        fact("ZOO_LOG_DIR takes the log", any(name.endswith(".out") for name in
                                              os.listdir(os.path.join(place.directory, "elsewhere"))))
        fact.exits("status finds it", place.run("status"), 0, "Mode: standalone")
        fact.exits("stop finds it", place.run("stop"), 0, "STOPPED")
        os.rename(place.config, os.path.join(place.conf, "other.cfg"))
        place.environment["ZOOCFG"] = "other.cfg"
        fact.exits("ZOOCFG names the file in it", place.run("start"), 0, "STARTED", "other.cfg")
        fact.exits("and stop finds that", place.run("stop"), 0, "STOPPED")
        place.environment = {"ZOOCFGDIR": "/nonexistent"}
        fact.exits("--config wins over ZOOCFGDIR", place.run("--config", place.conf, "start", "other.cfg"), 0,
                   "STARTED")
        fact.exits("stop --config", place.run("stop", "other.cfg", "--config", place.conf), 0, "STOPPED")


def check_overrides(fact):
    with Place(clientPort=1) as place:
        port = "-Dzookeeper.clientPort=%d" % place.port
        fact.exits("-D before the verb wins over the file", place.verb(port, "start"), 0, "STARTED")
        fact("it listens where -D says", place.answers())
        fact.exits("-D behind the verb and file", place.run("status", place.config, port), 0, "Mode: standalone")
        done = place.run("restart", place.config, port, "-Dzookeeper.4lw.commands.whitelist=*")
        fact.exits("restart hands -D on", done, 0, "STARTED")
        fact("all of them", "clientPort=%d" % place.port in place.word("conf"))
        fact.exits("stop", place.verb("stop"), 0, "STOPPED")


def check_pid_files(fact):
    with Place() as place:
        os.mkdir(place.data)
        dead = subprocess.Popen(["true"])
        dead.wait()
        with open(place.pid_file, "w", encoding="ascii") as file:
            file.write("%d" % dead.pid)
        fact.exits("the pid of a dead process stops no start", place.verb("start"), 0, "STARTED")
        os.kill(place.pid(), signal.SIGKILL)
        wait_until(lambda: not is_alive(place.pid()), "the killed server to be gone")
        fact.exits("nor does that of a server killed with -9", place.verb("start"), 0, "STARTED")
        fact.exits("stop", place.verb("stop"), 0, "STOPPED")
        stranger = subprocess.Popen(["sleep", "600"])
        place.processes.append(stranger)
        with open(place.pid_file, "w", encoding="ascii") as file:
            file.write("%d\n" % stranger.pid)
        fact.exits("stop leaves a stranger with that number alone", place.verb("stop"), 0, "no zookeeper to stop")
        fact("it lives on", stranger.poll() is None)
        with open(place.pid_file, "w", encoding="ascii") as file:
            file.write("%d\n" % stranger.pid)
        fact.exits("start does not take it for a server", place.verb("start"), 0, "STARTED")
        fact.exits("stop ends the server", place.verb("stop"), 0, "STOPPED")
        fact("and not the stranger", stranger.poll() is None)
        with open(place.pid_file, "w", encoding="ascii") as file:
            file.write("no number")
        fact.exits("a pid file with nonsense in it stops no start", place.verb("start"), 0, "STARTED")
        fact.exits("and is replaced", place.verb("stop"), 0, "STOPPED")


def check_wrapper(fact):
    with Place() as place:
        shutil.copy(os.path.join(SOURCE, "server", "zkServer.sh"), place.directory)
        os.symlink(ZKSERVER, os.path.join(place.directory, "zkserver"))
        place.program = os.path.join(place.directory, "zkServer.sh")
        fact.exits("zkServer.sh without a verb tells its usage", place.run(), 1, "Usage:", "start-foreground")
        fact.exits("zkServer.sh --config DIR start", place.run("--config", place.conf, "start"), 0, "STARTED")
        fact.exits("zkServer.sh status", place.run("--config", place.conf, "status"), 0, "Mode: standalone")
        fact.exits("zkServer.sh stop", place.run("--config", place.conf, "stop"), 0, "STOPPED")
        with open(os.path.join(place.conf, "zookeeper-env.sh"), "w", encoding="ascii") as file:
            file.write("ZOOPIDFILE=%s/from-env.pid\nSERVER_JVMFLAGS=\"-Xmx1g -Dzookeeper.snapCount=4321 $UNSET\"\n" %
                       place.directory)
        place.environment = {"JVMFLAGS": "-Dzookeeper.4lw.commands.whitelist=* -verbose:gc", "ZOOCFGDIR": place.conf}
        fact.exits("zkServer.sh with what was set for Java", place.run("start"), 0, "STARTED")
        fact("zookeeper-env.sh counts", is_zkserver(place.pid(os.path.join(place.directory, "from-env.pid"))))
        fact("so do properties among the flags for Java", "4lw" not in place.word("conf") and
             "clientPort=%d" % place.port in place.word("conf"))
        fact.exits("zkServer.sh restart", place.run("restart"), 0, "STOPPED", "STARTED")
        fact.exits("zkServer.sh stop again", place.run("stop"), 0, "STOPPED")


# --- the foreground --------------------------------------------------------------------------------------------------


def check_old_form(fact):
    with Place() as place:
        process = place.foreground(str(place.port), place.data, "3000", "5", "-Dzookeeper.4lw.commands.whitelist=*")
        conf = place.word("conf") if process.poll() is None else place.output()
        fact("PORT DATADIR TICKTIME MAXCNXNS", "clientPort=%d\n" % place.port in conf and "tickTime=3000\n" in conf and
             "maxClientCnxns=5\n" in conf and place.data in conf, conf)
        fact.exits("a TICKTIME that is no number", place.run("2181", place.data, "soon"), 2, "soon")
        fact.exits("a PORT beyond the last", place.run("65536", place.data), 2, "65536", "65535")


def check_no_config(fact):
    with Place() as place:
        port = "-Dzookeeper.clientPort=%d" % place.port
        command = [ZKSERVER, port]
        if os.path.exists(DEFAULT_CONFIG):    # out of sight for this one process
            empty = os.path.join(place.directory, "empty")
            os.mkdir(empty)
            hide = "mount --bind %s %s && exec \"$@\"" % (empty, os.path.dirname(DEFAULT_CONFIG))
            command = ["unshare", "-m", "sh", "-c", hide, "sh"] + command
            if os.geteuid() != 0 or subprocess.run(command[:4] + [hide, "sh", "true"], check=False,
                                                   stderr=subprocess.DEVNULL).returncode != 0:
                fact.tap.skip("without a configuration it serves with defaults", "%s is there" % DEFAULT_CONFIG)
                return
        place.program = command[0]
        process = place.foreground(*command[1:])
        fact("without a configuration it serves with defaults", process.poll() is None and place.answers(),
             place.output())
        fact("its data is in ./zkc-data", os.path.isdir(os.path.join(place.directory, "zkc-data", "version-2")))
        fact("it says so", "no configuration file: defaults" in place.output(), place.output())


def check_values(fact):
    with Place(tickTime="abc") as place:
        wanted = ("%s:1" % place.config, "tickTime", "abc", "from 1 to 2147483647")
        fact.exits("a wrong value names file, line, key, value and range", place.verb("start-foreground"), 2, *wanted)
        fact.exits("start says so itself", place.verb("start"), 2, *wanted)
        fact("and leaves no pid file", not os.path.exists(place.pid_file))
        place.write_config(clientPort=70000)
        fact.exits("a port beyond the last", place.verb("start-foreground"), 2, "clientPort", "70000", "65535")
        place.write_config(dataDir=None)
        fact.exits("no dataDir", place.verb("start-foreground"), 2, "dataDir")
        place.write_config()
        fact.exits("a wrong -D", place.verb("start-foreground", "-Dzookeeper.snapCount=many"), 2, "snapCount", "many")
        place.write_config(tikTime=2000)
        place.foreground(place.config)
        fact("an unknown key is told of with the nearest one", re.search("WARN .*tikTime.*tickTime", place.output()),
             place.output())


def check_taken(fact):
    with Place() as place, Place() as other:
        process = place.foreground(place.config)
        other.write_config(dataDir=place.data)
        fact.exits("a second server on the same data is refused", other.verb("start-foreground"), 3, place.data,
                   "another")
        other.write_config(clientPort=place.port)
        done = other.verb("start-foreground")
        fact.exits("a port that is taken is named", done, 1, "%d" % place.port, "in use")
        done = other.verb("start")
        fact.exits("start tells that it failed, and where why stands", done, 1, "FAILED TO START", ".out")
        fact("and leaves no pid file", not os.path.exists(other.pid_file))
        with open(os.path.join(other.directory, "file"), "w", encoding="ascii"):
            pass
        other.write_config(dataDir=os.path.join(other.directory, "file", "data"))
        fact.exits("a data directory that cannot be made", other.verb("start-foreground"), 3, "file/data")
        fact("the first one serves on", process.poll() is None and place.answers())


def check_levels(fact):
    for setting, shown, hidden in (
            ({"ZOO_LOG_LEVEL": "ERROR"}, None, " - INFO "),
            ({"ZOO_LOG_LEVEL": "ERROR,ZooKeeperServer=INFO"}, ":ZooKeeperServer@", ":ServerCnxnFactory@"),
            ("-Dzookeeper.log.level=DEBUG", " - DEBUG", None),
            ("-Dzookeeper.log.level=WARN", None, " - INFO "),
            ("-Dzookeeper.log.level=nonsense", "nonsense is no log level", None)):
        with Place() as place:
            arguments = [place.config]
            if isinstance(setting, dict):
                place.environment = setting
            else:
                arguments.append(setting)
            place.foreground(*arguments)
            create(place, "/a")
            text = place.output()
            fact("%s" % (setting,), place.answers() and (shown is None or shown in text) and
                 (hidden is None or hidden not in text), text)


# --- signals ---------------------------------------------------------------------------------------------------------


def check_end(fact):
    for number in (signal.SIGTERM, signal.SIGINT):
        with Place() as place:
            process = place.foreground(place.config)
            create(place, "/kept")
            session = place.session()
            process.send_signal(number)
            status = process.wait(TIMEOUT)
            fact("%s ends it with 0" % number.name, status == 0 and "Exiting with code 0" in place.output(),
                 "%s\n%s" % (status, place.output()))
            fact("clients are let go", session.connection.read_frame() is None)
            place.foreground(place.config)
            fact("and its data is whole", exists(place, "/kept"))


def served_at_a_time(place, count):
    """How many of so many connections are let in."""
    connections = [rawclient.Connection(place.address, timeout=10.0) for _ in range(count)]
    served = 0
    for connection in connections:
        connection.send_frame(rawclient.connect_frame())
    for connection in connections:
        try:
            served += connection.read_frame() is not None
        except OSError:
            pass    # cut off while it was written to
    for connection in connections:
        connection.close()
    return served


def check_reload(fact):
    with Place(maxClientCnxns=5) as place:
        log = os.path.join(place.directory, "zk.log")
        process = place.foreground(place.config, "-Dzookeeper.log.file=zk.log",
                                   "-Dzookeeper.log.dir=" + place.directory)
        wait_until(lambda: "Serving clients" in read(log), "a line in the log")
        fact("the log goes to zookeeper.log.dir/zookeeper.log.file", True, place.output())
        os.rename(log, log + ".1")
        place.write_config(maxClientCnxns=2, tickTime=3000)
        process.send_signal(signal.SIGHUP)
        wait_until(lambda: "Configuration reloaded" in read(log), "the new log")
        fact("SIGHUP opens the log anew", "Configuration reloaded" not in read(log + ".1"))
        fact("it names what changed", re.search("maxClientCnxns: 5 -> 2", read(log)), read(log))
        fact("and what waits for a restart", re.search("after a restart only: .*tickTime", read(log)), read(log))
        fact("maxClientCnxns is the new one", served_at_a_time(place, 4) <= 2)
        place.write_config(maxClientCnxns="some")
        process.send_signal(signal.SIGHUP)
        wait_until(lambda: "the old one stays" in read(log), "the refusal")
        fact("a wrong value keeps the old configuration", "maxClientCnxns" in read(log).split("the old one stays")[1],
             read(log))
        fact("it serves on", process.poll() is None and place.answers())
    with Place() as place:
        place.verb("start")
        out = os.path.join(place.logs, os.listdir(place.logs)[0])
        os.rename(out, out + ".1")
        os.kill(place.pid(), signal.SIGHUP)
        wait_until(lambda: "Configuration reloaded" in read(out), "the new log")
        fact("the log of one in the background opens anew too", "Serving clients" in read(out + ".1"))
        fact.exits("and stop ends it", place.verb("stop"), 0, "STOPPED")


def main():
    why = servers.require("zkc")
    if why:
        tap.skip_all(why)
    fact = Facts()
    for check in (check_printing, check_life, check_environment, check_overrides, check_pid_files, check_wrapper,
                  check_old_form, check_no_config, check_values, check_taken, check_levels, check_end, check_reload):
        try:
            check(fact)
        except (AssertionError, OSError, subprocess.SubprocessError, rawclient.Timeout, rawclient.Closed) as error:
            fact("%s runs to its end" % check.__name__, False, repr(error))
    return fact.tap.done()


if __name__ == "__main__":
    sys.exit(main())
