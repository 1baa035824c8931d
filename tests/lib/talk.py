"""talk.py - the clients people have, driven as a person would: a line goes in, the next when the answer came out.

    client = talk.Talk(talk.zk_cli("127.0.0.1:2181"))
    client.hears("SyncConnected")
    client.say("create /a")
    client.hears("Created /a")
    client.end()

What has been matched is behind us: each hears() looks only at what came out since, so a pattern should reach to the end
of its answer where the next answer looks alike. Only programs started here are ended.
"""

import os
import re
import selectors
import subprocess
import time

import servers

CLI_MT = "/usr/lib/zookeeper/bin/cli_mt"    # Debian's client in C
SYSTEM_PYTHON = "/usr/bin/python3"          # which has Debian's kazoo
WAIT = 30.0


def zk_cli(addresses, option="-waitforconnection"):
    """The command of Java's zkCli; the option may be -r instead, which takes a server that is read-only."""
    return [os.environ.get("JAVA", "java"), "-Xmx128m", "-XX:TieredStopAtLevel=1",
            "-Dorg.slf4j.simpleLogger.defaultLogLevel=error", "-cp", servers.java_classpath(),
            "org.apache.zookeeper.ZooKeeperMain", option, "-server", addresses]


class Talk:
    """A program that is talked to over its standard input and output; `env` stands beside what this process has."""

    def __init__(self, command, env=None):
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.STDOUT, env={**os.environ, "LC_ALL": "C.UTF-8", **(env or {})})
        os.set_blocking(self.process.stdout.fileno(), False)
        self.selector = selectors.DefaultSelector()
        self.selector.register(self.process.stdout, selectors.EVENT_READ)
        self.output = ""
        self.at = 0

    def say(self, line):
        self.process.stdin.write(line.encode() + b"\n")
        self.process.stdin.flush()

    def hears(self, pattern, timeout=WAIT):
        """The match of output that comes in time, behind what matched last; None when none comes."""
        deadline = time.monotonic() + timeout
        while True:
            match = re.search(pattern, self.output[self.at:])
            if match:
                self.at += match.end()
                return match
            left = deadline - time.monotonic()
            if left <= 0 or not self.selector.select(left):
                return None
            data = self.process.stdout.read()
            if not data:
                return re.search(pattern, self.output[self.at:])
            self.output += data.decode("utf-8", "replace")

    def asks(self, line, pattern, timeout=WAIT):
        """Says the line, or nothing when it is None, and returns the match of the answer; otherwise AssertionError."""
        before = len(self.output)
        try:
            if line is not None:
                self.say(line)
        except BrokenPipeError:
            pass
        match = self.hears(pattern, timeout)
        if not match:
            raise AssertionError("%r was not answered with %r, but with: %s" % (line, pattern, self.output[before:]))
        return match

    def end(self):
        try:
            self.process.stdin.close()
        except BrokenPipeError:
            pass
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()
        return self.process.returncode


def script(report, name, client, steps):
    """Says each line and waits for its answer; the first that stays out ends the script."""
    try:
        for line, pattern, fact in steps:
            if line is not None:
                client.say(line)
            if not report.ok(client.hears(pattern), "%s: %s" % (name, fact)):
                report.note(client.output[-3000:])
                return
    except BrokenPipeError:
        report.ok(False, "%s ended early" % name)
        report.note(client.output[-3000:])
    finally:
        client.end()
