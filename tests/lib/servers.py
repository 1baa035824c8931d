"""servers.py - starts and stops one ZooKeeper server, Java's or ours, on loopback with a directory of its own.

Both kinds have the same face: a config (zoo.cfg keys), properties (-Dzookeeper.x=y), a data directory, start(), which
returns once the server answers `srvr`, stop() (SIGTERM), kill() (SIGKILL), pause() and resume() (SIGSTOP, SIGCONT),
word(). Only processes started here are ended, by their id. Environment: ZKSERVER (our binary), ZKC_BUILD (where it is
looked for otherwise), ZKC_JAVA_CLASSPATH (another Java server), ZKC_JAVA_B_CLASSPATH (a second one, kind java-b),
ZKC_JAVA_LOG (level of Java's log), ZKC_KEEP (leave directories behind).
"""

import atexit
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import ports
import rawclient

JAVA_CLASSPATH = "/usr/share/java/zookeeper.jar:/usr/share/java/slf4j-simple.jar"
START_TIMEOUT = 60.0
STOP_TIMEOUT = 30.0

_running = set()


class StartError(Exception):
    """The server ended, or did not answer, while it was started; the message ends with its log."""


def zkserver_path():
    """Where our binary is, or None."""
    here = os.path.dirname(os.path.abspath(__file__))
    for path in (os.environ.get("ZKSERVER"), os.path.join(os.environ.get("ZKC_BUILD", "."), "zkserver"),
                 os.path.join(here, "..", "..", "zkserver")):
        if path and os.access(path, os.X_OK):
            return os.path.abspath(path)
    return None


def fault_library(name):
    """A library to put in front of the C library, file_faults.so or clock_faults.so: its head says what it takes."""
    build = os.environ.get("ZKC_BUILD") or os.path.dirname(zkserver_path())
    return os.path.join(build, "tests", "e2e", name)


def java_available():
    jars = [path for path in java_classpath().split(":") if path.startswith("/usr/share/java/zookeeper")]
    return shutil.which(os.environ.get("JAVA", "java")) is not None and all(os.path.exists(path) for path in jars)


def java_classpath():
    return os.environ.get("ZKC_JAVA_CLASSPATH") or JAVA_CLASSPATH


def _stands_still(pid):
    """Whether no thread of the process runs any more."""
    states = set()
    try:
        for thread in os.listdir("/proc/%d/task" % pid):
            with open("/proc/%d/task/%s/stat" % (pid, thread), encoding="ascii", errors="replace") as file:
                states.add(file.read().rpartition(")")[2].split()[0])
    except OSError:
        return not os.path.exists("/proc/%d" % pid)     # a thread of it ended, or all of it
    return states <= {"T", "t"}


class Server:
    """One server process, its config and its directory; subclasses say how it is started."""

    kind = None
    host = "127.0.0.1"
    prefix = ()             # of the command, such as nsenter and its options
    keep_config = False     # start with the zoo.cfg that is there; a server with reconfig rewrites its own

    def __init__(self, config=None, properties=None, directory=None, data_from=None):
        """`directory` is kept afterwards when given; `data_from` is a data directory to start on a copy of."""
        self.own_directory = directory is None
        self.directory = directory or tempfile.mkdtemp(prefix="zk-%s-" % self.kind)
        self.data_dir = os.path.join(self.directory, "data")
        self.log_path = os.path.join(self.directory, "log")
        self.config = dict(config or {})
        self.properties = dict(properties or {})
        self.process = None
        self.port = None
        self.release = None
        if data_from is not None:
            shutil.copytree(data_from, self.data_dir)
        os.makedirs(self.data_dir, exist_ok=True)

    @property
    def address(self):
        return (self.host, self.port)

    def __enter__(self):
        if self.process is None:
            self.start()
        return self

    def __exit__(self, *exc):
        self.dispose()

    def write_config(self):
        path = os.path.join(self.directory, "zoo.cfg")
        if self.keep_config and os.path.exists(path):
            return path
        config = {"tickTime": 2000, "dataDir": self.data_dir, "clientPort": self.port,
                  "clientPortAddress": self.host, "admin.enableServer": "false", "4lw.commands.whitelist": "*"}
        config.update(self.config)
        with open(path, "w", encoding="ascii") as file:
            for key, value in config.items():
                if value is not None:
                    file.write("%s=%s\n" % (key, value))
        return path

    def command(self, config_path):
        raise NotImplementedError

    def launch(self, port=None):
        """Starts the process without waiting for it."""
        self.port = port or self.port or ports.one()
        command = list(self.prefix) + self.command(self.write_config())
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT,
                                            cwd=self.directory, start_new_session=True)
        _running.add(self)
        return self

    def wait_ready(self, timeout=START_TIMEOUT):
        """Waits until the server answers `srvr`; raises StartError when it ends or stays silent."""
        deadline = time.monotonic() + timeout
        while True:
            if self.process.poll() is not None:
                status = self.process.returncode
                self._gone()
                raise StartError("%s server ended with status %s\n%s" % (self.kind, status, self.log_tail()))
            try:
                answer = rawclient.four_letter_word(self.address, "srvr", timeout=5.0)
                if "Mode:" in answer:
                    version = re.search(r"version: (\d+)\.(\d+)\.(\d+)", answer)
                    self.release = tuple(int(part) for part in version.groups()) if version else None
                    return self
            except (OSError, rawclient.Timeout):
                pass
            if time.monotonic() > deadline:
                raise StartError("%s server does not answer\n%s" % (self.kind, self.log_tail()))
            time.sleep(0.02)

    def start(self):
        """Starts the server and waits until it answers; a port that someone took meanwhile is tried anew."""
        for attempt in range(3):
            self.launch()
            try:
                return self.wait_ready()
            except StartError as error:
                self.kill()
                if "already in use" not in str(error) or attempt == 2:
                    raise
                self.port = None

    def log_tail(self, size=4000):
        try:
            with open(self.log_path, "rb") as file:
                file.seek(0, os.SEEK_END)
                file.seek(max(0, file.tell() - size))
                return file.read().decode("utf-8", "replace")
        except OSError:
            return ""

    def running(self):
        return self.process is not None and self.process.poll() is None

    def _gone(self):
        self.process = None
        _running.discard(self)

    def pause(self):
        """Stops the server with SIGSTOP: it keeps its connections and answers nothing.

        Returns when all its threads stand: one of them takes the signal, the others go on until it does.
        """
        self.process.send_signal(signal.SIGSTOP)
        deadline = time.monotonic() + 5.0
        while time.monotonic() < deadline and not _stands_still(self.process.pid):
            time.sleep(0.001)

    def resume(self):
        self.process.send_signal(signal.SIGCONT)

    def stop(self):
        """Ends the server with SIGTERM and returns its exit status; kills it when that takes too long."""
        if self.process is None:
            return None
        self.process.terminate()
        try:
            status = self.process.wait(STOP_TIMEOUT)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            status = -signal.SIGKILL
        self._gone()
        return status

    def kill(self):
        """Ends the server with SIGKILL."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self._gone()

    def dispose(self):
        """Kills the server when it still runs and removes its directory when it was made here."""
        self.kill()
        if self.own_directory and not os.environ.get("ZKC_KEEP"):
            shutil.rmtree(self.directory, ignore_errors=True)

    def word(self, word, timeout=10.0):
        return rawclient.four_letter_word(self.address, word, timeout)

    def session(self, **options):
        return rawclient.Session(self.address, **options)


class JavaServer(Server):
    kind = "java"
    classpath = None        # of this server alone
    # Two cores are better used without a hop from the selector to a worker and back.
    defaults = {"zookeeper.nio.numWorkerThreads": 0, "zookeeper.nio.numSelectorThreads": 1}

    def command(self, config_path):
        return ([os.environ.get("JAVA", "java"), "-Xmx256m", "-Xss512k", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1",
                 "-Xshare:auto", "-Dfile.encoding=UTF-8", "-Djava.awt.headless=true",
                 "-Dzookeeper.jmx.log4j.disable=true",
                 "-Dorg.slf4j.simpleLogger.showDateTime=true",
                 "-Dorg.slf4j.simpleLogger.dateTimeFormat=yyyy-MM-dd HH:mm:ss,SSS",     # as our lines begin
                 "-Dorg.slf4j.simpleLogger.defaultLogLevel=" + os.environ.get("ZKC_JAVA_LOG", "off")] +
                ["-D%s=%s" % item for item in {**self.defaults, **self.properties}.items()] +
                ["-cp", self.classpath or java_classpath(), "org.apache.zookeeper.server.quorum.QuorumPeerMain",
                 config_path])

    @classmethod
    def known_release(cls):
        """The release of the class path, without starting a server."""
        output = subprocess.run([os.environ.get("JAVA", "java"), "-cp", cls.classpath or java_classpath(),
                                 "org.apache.zookeeper.version.VersionInfoMain"], capture_output=True, text=True,
                                timeout=60, check=False).stdout
        version = re.search(r"version (\d+)\.(\d+)\.(\d+)", output)
        return tuple(int(part) for part in version.groups()) if version else None


class SecondJavaServer(JavaServer):
    """Another Java release beside the first, for development: ZKC_JAVA_B_CLASSPATH names it."""

    kind = "java-b"
    classpath = os.environ.get("ZKC_JAVA_B_CLASSPATH")


class ZkcServer(Server):
    kind = "zkc"

    def command(self, config_path):
        binary = zkserver_path()
        if binary is None:
            raise StartError("zkserver is not built; name it with ZKSERVER")
        return [binary] + ["-D%s=%s" % item for item in self.properties.items()] + ["start-foreground", config_path]

    @classmethod
    def known_release(cls):
        return (3, 9, 5)    # whose behaviour it has


KINDS = {"java": JavaServer, "zkc": ZkcServer}
if SecondJavaServer.classpath:
    KINDS["java-b"] = SecondJavaServer


def make(kind, *args, **options):
    return KINDS[kind](*args, **options)


def require(*kinds):
    """Why a test over servers of these kinds cannot run here, or None."""
    if "java" in kinds and not java_available():
        return "there is no Java ZooKeeper here"
    if "zkc" in kinds and zkserver_path() is None:
        return "zkserver is not built"
    return None


@atexit.register
def _end_all():
    for server in list(_running):
        server.dispose()


def _end_on_signal(number, frame):
    sys.exit(128 + number)


signal.signal(signal.SIGTERM, _end_on_signal)
