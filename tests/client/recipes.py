#!/usr/bin/env python3
"""recipes.py - libzkrecipes against a server: the examples as a reader would run them, and trials under load."""
# timeout: 600

import atexit
import contextlib
import os
import signal
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

import servers  # noqa: E402
import tap  # noqa: E402

BUILD = os.environ.get("ZKC_BUILD", os.getcwd())
EXAMPLES = os.path.join(BUILD, "client", "examples")
TRIALS = os.path.join(BUILD, "tests", "client", "recipe_trials")
OPEN_ACL = ((31, (b"world", b"anyone")),)
EPHEMERAL, EPHEMERAL_SEQUENTIAL = 1, 3
PATIENCE = 60.0


def hosts_of(server):
    return "%s:%d" % server.address


class Command:
    """An example that runs: its output by lines."""

    def __init__(self, server, name, *arguments):
        self.process = subprocess.Popen([os.path.join(EXAMPLES, name), hosts_of(server), *arguments], text=True,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        atexit.register(self.process.kill)
        self.lines = []
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self):
        for line in self.process.stdout:
            self.lines.append(line.rstrip("\n"))

    def says(self, line):
        """True once it has said so."""
        deadline = time.monotonic() + PATIENCE
        while line not in self.lines and time.monotonic() < deadline:
            if self.process.poll() is not None:
                self.reader.join()
                return line in self.lines
            time.sleep(0.02)
        return line in self.lines

    def end(self, text=""):
        """Ends its input; returns its exit status and what it said."""
        try:
            self.process.stdin.write(text)
            self.process.stdin.close()
        except BrokenPipeError:
            pass
        status = self.process.wait(PATIENCE)
        self.reader.join()
        self.errors = self.process.stderr.read()
        self.process.stderr.close()
        return status, self.lines


def finished(server, name, *arguments):
    return Command(server, name, *arguments).end()


def wait_for_nodes(session, path, count):
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if len(session.call("getChildren", path, False).children) == count:
            return True
        time.sleep(0.05)
    return False


def try_queue(out, server):
    queue = (server, "queue", "/some/jobs")
    out.ok(finished(*queue, "peek") == (3, []), "a queue that is not there is empty")
    out.ok(finished(*queue, "offer", "one")[0] == 0 and finished(*queue, "offer", "two")[0] == 0,
           "elements are offered, and the queue is made")
    out.ok(finished(*queue, "peek") == (0, ["one"]), "the first one can be looked at")
    out.ok(finished(*queue, "remove") == (0, ["one"]) and finished(*queue, "take") == (0, ["two"]),
           "they come out in their order")
    out.ok(finished(*queue, "remove") == (3, []), "then the queue is empty")
    taker = Command(*queue, "take")
    time.sleep(0.5)
    finished(*queue, "offer", "late")
    out.ok(taker.end() == (0, ["late"]), "who takes waits for an element")
    early = Command(server, "queue", "/a/new/queue", "take")
    time.sleep(0.5)
    finished(server, "queue", "/a/new/queue", "offer", "first")
    out.ok(early.end() == (0, ["first"]), "even for that of a queue that was not there")


def try_lock(out, server):
    with contextlib.closing(server.session()) as session:
        lock = (server, "lock", "/locks/printer")
        out.ok(finished(*lock, "sh", "-c", "exit 7") == (7, []), "a command runs under the lock; its status is ours")
        first = Command(*lock, "sh", "-c", "echo first; read line; echo $line")
        out.ok(first.says("first"), "the first one has the lock")
        second = Command(*lock, "echo", "second")
        out.ok(wait_for_nodes(session, b"/locks/printer", 2) and second.lines == [], "the second one waits")
        out.ok(first.end("done\n") == (0, ["first", "done"]) and second.end() == (0, ["second"]), "until it is left")
        node = session.call("create", b"/locks/printer/x-0000000000000000-", b"", OPEN_ACL, EPHEMERAL_SEQUENTIAL).path
        session.call("create", b"/locks/printer/stray", b"", OPEN_ACL, EPHEMERAL)
        third = Command(*lock, "echo", "third")
        out.ok(wait_for_nodes(session, b"/locks/printer", 3) and third.lines == [], "a node of another program counts")
        session.call("delete", node, -1)
        out.ok(third.end() == (0, ["third"]), "and one that is no lock does not")
        session.call("delete", b"/locks/printer/stray", -1)

        killed = Command(*lock, "sh", "-c", "echo $$; exec sleep 1000")
        deadline = time.monotonic() + PATIENCE
        while not killed.lines and time.monotonic() < deadline:
            time.sleep(0.02)
        heir = Command(*lock, "echo", "heir")
        wait_for_nodes(session, b"/locks/printer", 2)
        killed.process.kill()
        out.ok(heir.end() == (0, ["heir"]), "a holder that is killed loses the lock with its session")
        os.kill(int(killed.lines[0]), signal.SIGKILL)
        killed.end()


def try_election(out, server):
    candidates = [Command(server, "election", "/election/mayor", "alice")]
    out.ok(candidates[0].says("alice leads") and candidates[0].says("leader is alice"), "the first candidate leads")
    candidates.append(Command(server, "election", "/election/mayor", "bob"))
    out.ok(candidates[1].says("leader is alice") and "bob leads" not in candidates[1].lines, "the second one does not")
    status, lines = candidates[0].end()
    out.ok(status == 0 and lines[-1] == "alice is out" and candidates[1].says("bob leads"), "until the first one goes")
    out.ok(candidates[1].end("\n")[1][-2:] == ["leader is bob", "bob is out"], "who leads can be asked for")


def try_trials(out, server):
    for name, fact in (("takers", "each element of a queue goes to one of six takers"),
                       ("callbacks", "a lock may be left and destroyed in its callback"),
                       ("lost", "a lock whose node is deleted is taken again"),
                       ("refused", "a lock where nothing may be created says so")):
        done = subprocess.run([TRIALS, hosts_of(server), name], text=True, capture_output=True, timeout=200)
        out.ok(done.returncode == 0, fact) or out.note(done.stdout + done.stderr)
    trial = subprocess.Popen([TRIALS, hosts_of(server), "lockers", "15"], text=True, stdout=subprocess.PIPE,
                             stderr=subprocess.DEVNULL)
    for _ in range(3):
        time.sleep(3.0)
        server.kill()
        server.start()
    said = trial.communicate(timeout=300)[0]
    out.ok(trial.returncode == 0, "16 lockers, one at a time, through three kills of the server") or out.note(said)


def main():
    out = tap.Tap(plain="ZKC_BUILD" not in os.environ)
    with servers.ZkcServer({"tickTime": 1000, "maxClientCnxns": 0}) as server:
        try_queue(out, server)
        try_lock(out, server)
        try_election(out, server)
        try_trials(out, server)
    return out.done()


if __name__ == "__main__":
    sys.exit(main())
