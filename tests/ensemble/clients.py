#!/usr/bin/env python3
# timeout: 300
"""clients.py - kazoo, Debian's cli_mt and Java's zkCli lose the server they are connected to, and go on at another.

    clients.py --kinds "zkc,zkc,zkc zkc,java,java" --tap

Each client has the addresses of all three servers. Its server is killed twice. The first time a watch it had set must
fire for a change after it has found another server, the second time for one made while it had none (it is stopped
meanwhile). Both times its session is the one from before, its ephemeral is there, and it writes. kazoo forgets its
watches when it loses its server; its DataWatch sets them anew, which is what is watched there.
"""

import argparse
import os
import re
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

import ensemble     # noqa: E402
import servers      # noqa: E402
import talk         # noqa: E402
import tap          # noqa: E402
from protocol import OPEN_ACL, PERSISTENT   # noqa: E402

KAZOO = r"""
import sys
from kazoo.client import KazooClient
from kazoo.protocol.states import KazooState
def say(*words):
    print(*words, flush=True)
client = KazooClient(sys.argv[1], timeout=30, command_retry={"max_tries": -1, "max_delay": 0.2})
client.add_listener(lambda state: say("state", state))
client.start(timeout=30)
say("started")
for line in sys.stdin:
    if line == "quit\n":
        break
    verb, path = line.split()
    if verb == "ephemeral":
        say("made", client.create(path, ephemeral=True))
    elif verb == "watch":
        client.DataWatch(path, lambda data, stat: say("watched", data.decode()))
    elif verb == "set":
        say("wrote", path, client.retry(client.set, path, b"x").version)
client.stop()
client.close()
"""

# For each client its command, what it says when it is connected, and what is said to it and comes back;
# %s is a path, %v a value.
CLIENTS = {
    "kazoo": {
        "command": lambda addresses: [talk.SYSTEM_PYTHON, "-W", "ignore", "-c", KAZOO, addresses],
        "connected": "started",
        "ephemeral": ("ephemeral %s", "made %s"),
        "watch": ("watch %s", "watched"),
        "changed": "watched %v",
        "set": ("set %s", r"wrote %s \d"),
    },
    "cli_mt": {
        "command": lambda addresses: [talk.CLI_MT, "-h", addresses],
        "connected": "SESSION_EVENT state = CONNECTED_STATE",
        "ephemeral": ("create +e %s", r"Creating \[%s\] node(?s:.*?)rc = 0"),
        "watch": ("wexists %s\nget %s", "%s: rc = 0"),      # the first says nothing
        "changed": "CHANGED_EVENT state = CONNECTED_STATE for path %s",
        "set": ("set %s x", r"%s: rc = 0"),
    },
    "zkCli": {
        "command": talk.zk_cli,
        "connected": "SyncConnected",
        "ephemeral": ("create -e %s", "Created %s"),
        "watch": ("stat -w %s", "numChildren = "),
        "changed": "type:NodeDataChanged path:%s",
        "set": ("set -s %s x", "numChildren = "),
    },
}


def missing(name):
    """Why the client cannot run here, or None."""
    if name == "zkCli":
        return servers.require("java")
    command = {"kazoo": [talk.SYSTEM_PYTHON, "-c", "import kazoo"], "cli_mt": ["test", "-x", talk.CLI_MT]}[name]
    return None if subprocess.run(command, capture_output=True, check=False).returncode == 0 else "not installed"


def expect(condition, text, *values):
    if not condition:
        raise AssertionError(text % values)


class Survivor:
    """One client over one ensemble; nobody else is connected for longer than a moment."""

    def __init__(self, name, members, report):
        self.name, self.servers, self.report = name, members, report
        self.words = CLIENTS[name]
        self.path = b"/clients-%s" % name.encode()
        self.client = self.session = None

    def step(self, fact):
        return ensemble.step(self.report, self.servers, "%s, %s: %s" % (
            ",".join(self.servers.kind(sid) for sid in self.servers.sids()), self.name, fact))

    def ask(self, verb, path):
        line, pattern = self.words[verb]
        path = path.decode()
        self.client.asks(line.replace("%s", path), pattern.replace("%s", path))

    def hears_change(self, value):
        pattern = self.words["changed"].replace("%s", self.path.decode()).replace("%v", value.decode())
        expect(self.client.hears(pattern), "%r does not come, but: %s", pattern, self.client.output[-1500:])

    def where(self):
        """(server, session) of the client, or None while it has none."""
        found = []
        for sid in self.servers.running():
            cons = self.servers.word(sid, "cons")
            found += [(sid, int(session, 16)) for session in re.findall(r"sid=0x([0-9a-f]+)", cons)]
        return found[0] if len(found) == 1 else None

    def write(self, data):
        """The node is written by somebody else."""
        session = self.servers.session(self.servers.leader())
        session.call("setData", self.path, data, -1)
        session.close()

    def owner(self):
        """The session of its ephemeral, as another client sees it."""
        session = self.servers.session(self.servers.leader())
        session.call("sync", b"/")
        owner = session.call("exists", self.path + b"-e", False).stat.ephemeralOwner
        session.close()
        return owner

    def connect(self):
        session = self.servers.session(1)
        session.call("create", self.path, b"", OPEN_ACL, PERSISTENT)
        session.close()
        self.client = talk.Talk(self.words["command"](self.servers.connect_string()))
        self.client.asks(None, self.words["connected"])
        self.ask("ephemeral", self.path + b"-e")
        self.session = self.servers.wait(self.where, "one server has its session")[1]
        expect(self.owner() == self.session, "its ephemeral has owner 0x%x, the session is 0x%x", self.owner(),
               self.session)

    def lose_server(self, meanwhile=None):
        """Kills its server; `meanwhile` happens before the client goes on. Afterwards all three serve."""
        killed = self.where()[0]
        self.report.note("kills %s, %s" % (self.servers.name(killed), self.servers.mode(killed)))
        if meanwhile:
            self.client.process.send_signal(signal.SIGSTOP)
        begin = time.monotonic()
        self.servers.kill(killed)
        if meanwhile:
            self.servers.wait_serving()
            meanwhile()
            self.client.process.send_signal(signal.SIGCONT)
        there = self.servers.wait(self.where, "another server has its session", 60)
        self.report.note("%.2f s until it is at %s" % (time.monotonic() - begin, self.servers.name(there[0])))
        expect(there[1] == self.session, "its session was 0x%x and is 0x%x", self.session, there[1])
        self.servers.wait_serving()
        return killed

    def goes_on(self, killed):
        self.ask("set", self.path + b"-e")
        expect(self.owner() == self.session, "its ephemeral has owner 0x%x, the session is 0x%x", self.owner(),
               self.session)
        self.servers.start_one(killed)
        self.servers.wait_serving()

    def changed_afterwards(self):
        self.ask("watch", self.path)
        killed = self.lose_server()
        self.write(b"afterwards")
        self.hears_change(b"afterwards")
        self.goes_on(killed)

    def changed_meanwhile(self):
        self.ask("watch", self.path)
        killed = self.lose_server(lambda: self.write(b"meanwhile"))
        self.hears_change(b"meanwhile")
        self.goes_on(killed)

    def leave(self):
        self.client.say("quit")
        self.client.end()
        self.client = None
        self.servers.wait(lambda: self.gone(), "its ephemeral is gone")

    def gone(self):
        session = self.servers.session(self.servers.leader())
        header, _ = session.ask("exists", self.path + b"-e", False)
        session.close()
        return header.err == -101

    def run(self):
        before = self.report.failed
        try:
            for fact, act in (("connects", self.connect),
                              ("keeps its session and hears of a change when its server is killed",
                               self.changed_afterwards),
                              ("hears of a change that was made while it had no server", self.changed_meanwhile),
                              ("leaves, and its ephemeral with it", self.leave)):
                with self.step(fact):
                    act()
                if self.report.failed > before:
                    break
        finally:
            if self.client:
                self.client.process.send_signal(signal.SIGCONT)
                self.client.end()
                self.servers.start()


def main():
    parser = argparse.ArgumentParser(description="Kills the servers of the clients that people have.")
    ensemble.add_options(parser, kinds="zkc,zkc,zkc zkc,zkc,java")
    tap.add_option(parser)
    options = parser.parse_args()
    for kinds in options.kinds.split():
        why = ensemble.require(kinds)
        if why:
            tap.skip_all(why)
    report = tap.Tap(plain=not options.tap)
    for kinds in options.kinds.split():
        with ensemble.Ensemble(kinds) as members:
            for name in CLIENTS:
                why = missing(name)
                if why:
                    report.skip("%s: %s" % (kinds, name), why)
                else:
                    Survivor(name, members, report).run()
    return report.done()


if __name__ == "__main__":
    sys.exit(main())
