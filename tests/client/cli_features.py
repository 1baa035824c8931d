#!/usr/bin/env python3
# timeout: 180
"""cli_features.py - what zkcli does beyond Java's shell, on our server.

    cli_features.py --tap

JSON, scripts, data from files, tree, find, du, watch, export and import, and a person at a terminal: prompt,
completion, history, Ctrl-C, events that come while a line is typed, and data that a terminal must not obey.
"""

import argparse
import json
import os
import pty
import re
import selectors
import signal
import stat
import subprocess
import sys
import tempfile
import termios
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

import servers      # noqa: E402
import tap          # noqa: E402

WAIT = 30.0
BINARY = bytes(range(256))


def zkcli_path():
    here = os.path.dirname(os.path.abspath(__file__))
    for path in (os.environ.get("ZKCLI"), os.path.join(os.environ.get("ZKC_BUILD", "."), "zkcli"),
                 os.path.join(here, "..", "..", "zkcli")):
        if path and os.access(path, os.X_OK):
            return os.path.abspath(path)
    return None


class Shell:
    """How zkcli is called in these tests."""

    def __init__(self, address, directory):
        self.address, self.directory = address, directory
        self.environment = dict(os.environ, LC_ALL="C.UTF-8", TERM="xterm", HOME=directory, TZ="UTC")
        self.environment.pop("XDG_STATE_HOME", None)

    def command(self, *words):
        return [zkcli_path(), "-server", self.address] + list(words)

    def run(self, *words, script=b""):
        return subprocess.run(self.command(*words), input=script, capture_output=True, timeout=60, check=False,
                              env=self.environment)

    def out(self, *words, script=b""):
        return self.run("--quiet", *words, script=script).stdout.decode()

    def answers(self, script):
        """The lines of a script under --json, parsed."""
        done = self.run("--json", script=script.encode())
        return [json.loads(line) for line in done.stdout.decode().splitlines()]


class Terminal:
    """A person at a terminal."""

    def __init__(self, shell, *words):
        pid, self.master = pty.fork()
        if pid == 0:
            os.execve(zkcli_path(), shell.command(*words), shell.environment)
        self.pid = pid
        self.output, self.at = "", 0
        self.selector = selectors.DefaultSelector()
        self.selector.register(self.master, selectors.EVENT_READ)

    def types(self, text, while_command_runs=False):
        """What is typed before the line is edited would be taken by the terminal itself, ^C and ^D above all."""
        while not while_command_runs and termios.tcgetattr(self.master)[3] & termios.ICANON:
            time.sleep(0.001)
        os.write(self.master, text.encode())

    def sees(self, pattern, timeout=WAIT):
        deadline = time.monotonic() + timeout
        while True:
            match = re.search(pattern, self.output[self.at:])
            if match:
                self.at += match.end()
                return match
            left = deadline - time.monotonic()
            if left <= 0 or not self.selector.select(left):
                return None
            try:
                data = os.read(self.master, 65536)
            except OSError:
                return None
            if not data:
                return None
            self.output += data.decode("utf-8", "replace")

    def end(self):
        """Closes the terminal and returns the exit code."""
        deadline = time.monotonic() + WAIT
        while time.monotonic() < deadline:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                os.close(self.master)
                return os.waitstatus_to_exitcode(status)
            self.sees(r"(?!)", 0.05)
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        os.close(self.master)
        return None


def json_answers(report, shell):
    answers = shell.answers("\n".join([
        "create /json text", "create -s /json/s- x", "get /json", "set /json new", "stat /json", "ls /json",
        "getAcl /json", "setAcl /json world:anyone:cdrwa", "sync /json", "getAllChildrenNumber /json", "getEphemerals /json",
        "whoami",
        "setquota -n 9 /json", "listquota /json", "delquota /json", "config", "version", "printwatches", "history",
        "addauth digest me:secret", "addWatch /json", "removewatches /json", "help get", "get /none", "nonsense", "get",
        "ls -z", "set /json x -v 7", "redo 2", "close", "ls /", "connect", "deleteall /json", "quit"]))
    report.ok(len(answers) == 33, "every command answers with one line of JSON")
    if len(answers) != 33:
        report.note("\n".join(str(answer) for answer in answers))
        return
    report.ok(answers[0] == {"path": "/json"} and answers[1] == {"path": "/json/s-0000000000"}, "JSON: create")
    report.ok(answers[2]["data"] == "text" and answers[2]["stat"]["dataLength"] == 4, "JSON: get")
    report.ok(answers[5]["children"] == ["s-0000000000"], "JSON: ls")
    report.ok(answers[6]["acl"] == [{"scheme": "world", "id": "anyone", "perms": "cdrwa"}], "JSON: getAcl")
    report.ok(answers[13]["limits"]["count"] == 9 and answers[13]["usage"]["count"] == 2, "JSON: listquota")
    report.ok(answers[23]["error"]["name"] == "NONODE" and answers[23]["error"]["code"] == -101, "JSON: a failure")
    report.ok(all("error" in answer for answer in answers[23:28]), "JSON: misuse is a failure, too")
    report.ok(answers[30]["error"]["name"] == "INVALIDSTATE", "JSON: not connected")


def scripts(report, shell):
    done = shell.run(script=b"# a comment\n\ncreate /script x\nget /none\nget /script\n")
    report.ok(done.returncode == 0, "a script goes on after a failure and ends with the code of the last command")
    report.ok(done.stdout.endswith(b"x\n"), "and its commands were run")
    done = shell.run("--strict", script=b"get /none\nset /script y\n")
    report.ok(done.returncode == 1 and shell.out("get", "/script") == "x\n", "--strict ends at the first failure")
    done = shell.run(script=b"get /none\nquit\nset /script y\n")
    report.ok(done.returncode == 1 and shell.out("get", "/script") == "x\n", "quit ends with the code before it")
    report.ok(shell.run("nonsense").returncode == 127, "an unknown command ends with 127")
    long_line = b"set /script " + b"a" * 900000 + b"\n"
    shell.run(script=long_line)
    report.ok(shell.out("get", "/script") == "a" * 900000 + "\n", "a line of 900,000 bytes goes through")
    report.ok(shell.run(script=b"set /script '" + b"b" * 3000000 + b"'\n").returncode == 1,
              "one too long for the server fails and harms nothing")
    done = shell.run("--json", "get", "/none")
    report.ok(done.stderr == b"" and json.loads(done.stdout)["error"]["path"] == "/none",
              "--json keeps failures together")
    report.ok(shell.run("-server", "127.0.0.1:1", "-timeout", "300", "-waitforconnection", "ls", "/").returncode == 1,
              "-waitforconnection gives up after the time-out")
    report.ok(shell.run("-server").returncode == 2, "an option without its argument ends with 2")
    script = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "client", "cli", "zkCli.sh")
    environment = dict(shell.environment, CLIENT_JVMFLAGS="-Xmx1g -Dzookeeper.request.timeout=5000",
                       PATH=os.path.dirname(zkcli_path()) + ":" + os.environ["PATH"])
    done = subprocess.run([script, "-server", shell.address, "--quiet", "ls", "/script"], capture_output=True, timeout=60,
                          check=False, env=environment)
    report.ok(done.returncode == 0 and done.stdout == b"[]\n" and done.stderr == b"", "zkCli.sh is the same shell")
    shell.run("deleteall", "/script")


def files(report, shell):
    path = os.path.join(shell.directory, "data")
    with open(path, "wb") as file:
        file.write(BINARY)
    shell.run("create", "/file", "--file", path)
    answer = json.loads(shell.run("--json", "get", "/file").stdout)
    report.ok("data64" in answer and answer["stat"]["dataLength"] == 256, "data that is no text is base64 in JSON")
    report.ok(shell.run("--quiet", "get", "/file", "--file", "-").stdout == BINARY, "data comes out byte by byte")
    shell.run("set", "/file", "--file", "-", script=b"from\0here")
    shell.run("get", "/file", "--file", path)
    with open(path, "rb") as file:
        report.ok(file.read() == b"from\0here", "and goes in from standard input")
    report.ok(shell.run("set", "/file", "--file", path + ".none").returncode == 1, "a file that is not there is told")
    shell.run("delete", "/file")


def subtrees(report, shell):
    shell.run(script=b"create /tree root\ncreate /tree/b bb\ncreate /tree/b/c ccc\ncreate /tree/a\n"
                     b"create '/tree/b/d e' x\n")
    report.ok(shell.out("tree", "/tree") == "/tree\n├── a\n└── b\n    ├── c\n    └── d e\n\n5 nodes\n", "tree draws")
    report.ok(shell.out("tree", "-d", "1", "/tree") == "/tree\n├── a\n└── b\n\n3 nodes\n", "tree -d ends there")
    report.ok(shell.out("du", "/tree") ==
              "0\t1\t/tree/a\n3\t1\t/tree/b/c\n1\t1\t/tree/b/d e\n6\t3\t/tree/b\n10\t5\t/tree\n", "du sums up")
    report.ok(shell.out("du", "-s", "/tree") == "10\t5\t/tree\n", "du -s shows the sum alone")
    report.ok(shell.out("find", "/tree", "--name", "[a-c]") == "/tree/a\n/tree/b\n/tree/b/c\n", "find by name")
    report.ok(shell.out("find", "/tree", "--min", "3", "--leaf") == "/tree/b/c\n", "find by size, without children")
    report.ok(shell.out("find", "/tree", "--data", "oo") == "/tree\n", "find by data")
    report.ok(shell.run("tree", "/none").returncode == 1, "a subtree that is not there fails")
    many = "".join("create /tree/many-%04d x\n" % number for number in range(3000))
    made = shell.run(script=many.encode())
    if made.returncode:
        report.note("a script of 3,000 lines ends with %d after %d: %s" % (
            made.returncode, made.stdout.count(b"Created"), made.stderr.decode("utf-8", "replace")[-1000:]))
    report.ok(shell.out("getAllChildrenNumber", "/tree") == "3004\n", "3,000 nodes from a script")
    report.ok(len(shell.out("ls", "-R", "/tree").splitlines()) == 3005, "ls -R lists them all")
    done = shell.run("deleteall", "--progress", "/tree")
    report.ok(done.returncode == 0 and b"3005 nodes deleted" in done.stderr, "deleteall --progress tells how many")


def transfer(report, shell):
    setup = ["create /from top", "create /from/n", "create /from/q '' world:anyone:cdrwa,ip:127.0.0.1:cdrwa"]
    setup += ["create -s /from/q/s- %d" % number for number in range(3)] + ["delete /from/q/s-0000000001"]
    shell.run(script="\n".join(setup).encode() + b"\n")
    shell.run("set", "/from/n", "--file", "-", script=BINARY)
    exported = shell.run("--quiet", "export", "/from").stdout
    lines = [json.loads(line) for line in exported.splitlines()]
    report.ok(lines[0]["root"] == "/from" and [line["path"] for line in lines[1:]] ==
              ["/", "/n", "/q", "/q/s-0000000000", "/q/s-0000000002"], "an export has a head and a line for each node")
    done = shell.run("--quiet", "import", "--sequences", "/to", script=exported)
    report.ok(done.returncode == 0 and b"5 created" in done.stdout, "it is imported elsewhere")
    again = [json.loads(line) for line in shell.run("--quiet", "export", "/to").stdout.splitlines()]
    kept = ["path", "kind", "data", "data64", "acl", "sequence"]
    report.ok([[line.get(key) for key in kept] for line in lines[1:]] ==
              [[line.get(key) for key in kept] for line in again[1:]], "data, ACLs and counters came along")
    report.ok(b"Created /to/q/s-0000000003" in shell.run("create", "-s", "/to/q/s-").stderr, "numbers go on")
    done = shell.run("--quiet", "import", "/to", script=exported)
    report.ok(done.returncode == 1 and b"line 2: Node already exists: /to" in done.stderr,
              "what is there is not overwritten")
    done = shell.run("--quiet", "import", "--skip", "/to", script=exported)
    report.ok(done.returncode == 0 and b"5 skipped" in done.stdout, "unless it is to be skipped")
    shell.run("set", "/to/n", "changed")
    done = shell.run("--quiet", "import", "--overwrite", "/to", script=exported)
    report.ok(done.returncode == 0 and shell.run("--quiet", "get", "/to/n", "--file", "-").stdout == BINARY,
              "or overwritten")
    done = shell.run("--quiet", "import", "/third", script=exported)
    report.ok(b"1 nodes would give sequential children a number again" in done.stdout,
              "counters that stay behind are told")
    done = shell.run("--quiet", "import", script=b'{"zkc-export":1,"root":"/x"}\n{"path":"/","kind":"persistent"}\n')
    report.ok(done.returncode == 1 and b"line 2: " in done.stderr, "a bad line is told by its number")
    path = os.path.join(shell.directory, "export")
    shell.run(script=("export --file %s /from\n" % path).encode())
    report.ok(shell.run("--quiet", "import", "--dry-run", "--file", path).stdout.startswith(b"5 created"),
              "a file is read, and a dry run changes nothing")
    container = b'{"zkc-export":1,"root":"/c"}\n{"path":"/","kind":"container",' \
                b'"acl":[{"scheme":"world","id":"anyone","perms":"cdrwa"}]}\n'
    report.ok(shell.run("--quiet", "import", script=container).returncode == 0, "a line that says container makes one")
    shell.run(script=b"deleteall /from\ndeleteall /to\ndeleteall /third\ndelete /c\n")


def watching(report, shell):
    with subprocess.Popen(shell.command("--quiet", "watch", "--count", "3", "--json", "/watched"),
                          stdout=subprocess.PIPE, env=shell.environment) as watcher:
        while shell.word("wchs").find("watching 1 paths") < 0:
            time.sleep(0.01)
        shell.run(script=b"create /watched x\nset /watched y\ncreate /watched/below z\ndeleteall /watched\n")
        output = watcher.communicate(timeout=WAIT)[0]
    events = [json.loads(line) for line in output.splitlines()]
    report.ok([(event["type"], event["path"]) for event in events] == [
        ("NodeCreated", "/watched"), ("NodeDataChanged", "/watched"), ("NodeCreated", "/watched/below")],
              "watch prints what happens, as often as it was asked to")
    report.ok(watcher.returncode == 0, "and ends with 0")
    with subprocess.Popen(shell.command("--quiet", "watch", "/watched"), stdout=subprocess.PIPE,
                          env=shell.environment) as watcher:
        while shell.word("wchs").find("watching 1 paths") < 0:
            time.sleep(0.01)
        watcher.send_signal(signal.SIGINT)
        report.ok(watcher.wait(WAIT) == 0, "Ctrl-C ends it as well")


def terminal(report, shell):
    shell.run(script=b"create /term x\ncreate /term/apple\ncreate /term/apricot\n")
    shell.run("set", "/term", "--file", "-", script=b"\x1b[31mred\x07\nline")
    person = Terminal(shell)
    report.ok(person.sees(r"Welcome to ZooKeeper!"), "a terminal is greeted")
    report.ok(person.sees(r"\[zk: %s\(CONNECTED\) 0\] " % re.escape(shell.address)), "the prompt tells where and how")
    person.types("getAl\t/te\t")
    person.types("\r")
    report.ok(person.sees(r"\n2\r\n"), "commands and paths are completed")
    person.types("ls /term/ap\t")
    report.ok(person.sees(r"/term/apple +/term/apricot"), "several paths are shown")
    person.types("\x03")
    report.ok(person.sees(r"\^C\r\n(?s:.*)CONNECTED\) 1\] "), "Ctrl-C throws the line away")
    person.types("get -w /term\r")
    report.ok(person.sees(r"\\x1b\[31mred\\x07\r\nline\r\n"), "a terminal does not obey data")
    person.types("set /te")
    person.sees(r"set /te")
    shell.run("set", "/term", "changed")
    report.ok(person.sees(r"WATCHER::(?s:.*)NodeDataChanged path:/term(?s:.*)set /te"),
              "an event is printed above the line that is typed")
    person.types("\x03addauth digest me:secret\rhistory\r")
    report.ok(person.sees(r"0 - getAllChildrenNumber /term\r\n1 - get -w /term\r\n2 - addauth digest me:secret\r\n"
                          r"3 - history\r\n"), "history counts what was run")
    person.types("redo 0\r")
    report.ok(person.sees(r"\n2\r\n"), "redo runs it again")
    person.types("get /none\rquit\r")
    report.ok(person.end() == 1, "quit ends with the code before it")
    path = os.path.join(shell.directory, ".zkcli_history")
    report.ok(stat.S_IMODE(os.stat(path).st_mode) == 0o600, "lines are kept in a file of mode 0600")
    with open(path, encoding="utf-8") as file:
        kept = file.read().splitlines()
    report.ok(kept[:2] == ["getAllChildrenNumber /term", "get -w /term"] and not any("secret" in line for line in kept),
              "without credentials")
    person = Terminal(shell, "--quiet")
    person.sees(r"CONNECTED\) 0\] ")
    person.types("\x1b[A\x1b[A")
    report.ok(person.sees(r"get /none"), "and come back in the next shell")
    person.types("\x03\x04")
    report.ok(person.end() == 0, "Ctrl-D ends it")
    person = Terminal(shell, "--quiet")
    person.types("watch /term\r")
    person.sees(r"watch /term\r\n")
    while shell.word("wchs").find("watching 1 paths") < 0:
        time.sleep(0.01)
    person.types("\x03", while_command_runs=True)
    report.ok(person.sees(r"CONNECTED\) 1\] "), "Ctrl-C stops a command and keeps the shell")
    person.types("\x04")
    report.ok(person.end() == 0, "which goes on")
    person = Terminal(shell, "--quiet")
    person.sees(r"CONNECTED\) 0\] ")
    os.kill(person.pid, signal.SIGTERM)
    report.ok(person.end() == 143, "SIGTERM ends a shell that waits for a line")
    report.ok(shell.run("--quiet", "get", "/term").stdout == b"changed\n", "a pipe gets data as it is")
    shell.run("deleteall", "/term")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    tap.add_option(parser)
    arguments = parser.parse_args()
    why = servers.require("zkc") or (None if zkcli_path() else "zkcli is not built")
    if why:
        tap.skip_all(why)
    report = tap.Tap(plain=not arguments.tap)
    with servers.make("zkc") as server, tempfile.TemporaryDirectory(prefix="zkcli-") as directory:
        shell = Shell("127.0.0.1:%d" % server.port, directory)
        shell.word = server.word
        for part in (json_answers, scripts, files, subtrees, transfer, watching, terminal):
            part(report, shell)
    return report.done()


if __name__ == "__main__":
    sys.exit(main())
