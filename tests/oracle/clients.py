#!/usr/bin/env python3
# timeout: 120
"""clients.py - the clients people have: kazoo, Debian's cli_mt and Java's zkCli create, read, watch and delete.

    clients.py --server zkc --tap
    clients.py --address 127.0.0.1:2181         against a server that runs already

Each client is driven as a person would: a line goes in, and the next is written when the answer to it came out.
"""

import argparse
import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

import servers      # noqa: E402
import talk         # noqa: E402
import tap          # noqa: E402

KAZOO = r"""
import sys, threading
from kazoo.client import KazooClient
from kazoo.exceptions import NoNodeError, NodeExistsError, BadVersionError
client = KazooClient(sys.argv[1])
client.start(timeout=20)
path = "/clients-kazoo"
seen = threading.Event()
events = []
def watcher(event):
    events.append((event.type, event.path))
    seen.set()
print("created", client.create(path, b"one"))
try:
    client.create(path)
except NodeExistsError:
    print("exists already")
print("read", client.get(path, watch=watcher)[0].decode())
stat = client.set(path, b"two")
print("version", stat.version)
print("watched", seen.wait(20), events)
print("sequence", client.create(path + "/s-", b"", sequence=True, ephemeral=True))
print("children", client.get_children(path))
try:
    client.set(path, b"x", version=7)
except BadVersionError:
    print("bad version")
transaction = client.transaction()
transaction.create(path + "/t", b"t")
transaction.check(path, 1)
print("transaction", [type(result).__name__ for result in transaction.commit()])
client.delete(path, recursive=True)
print("gone", client.exists(path))
client.stop()
client.close()
"""
KAZOO_EXPECTED = """created /clients-kazoo
exists already
read one
version 1
watched True [('CHANGED', '/clients-kazoo')]
sequence /clients-kazoo/s-0000000000
children ['s-0000000000']
bad version
transaction ['str', 'bool']
gone None
"""


def cli_mt(report, address):
    if not os.access(talk.CLI_MT, os.X_OK):
        report.skip("cli_mt", "not installed")
        return
    talk.script(report, "cli_mt", talk.Talk([talk.CLI_MT, "-h", address]), [
        (None, r"SESSION_EVENT state = CONNECTED_STATE", "connects"),
        ("create /clients-mt", r"Creating \[/clients-mt\] node(?s:.*?)rc = 0", "creates"),
        ("set /clients-mt first", r"/clients-mt: rc = 0", "writes"),
        ("get /clients-mt", r"/clients-mt: rc = 0\s+value_len = 5\s+first", "reads"),
        ("wexists /clients-mt", r"", "watches"),
        ("set /clients-mt second", r"CHANGED_EVENT state = CONNECTED_STATE for path /clients-mt", "hears of a change"),
        ("ls /", r"\tclients-mt", "lists"),
        ("create +e /clients-mt-e", r"/clients-mt-e", "creates an ephemeral"),
        ("get /clients-none", r"/clients-none: rc = -101", "hears that a node is not there"),
        ("delete /clients-mt", r"/clients-mt: rc = 0", "deletes"),
        ("exists /clients-mt", r"Error -101 for /clients-mt", "finds it gone"),
        ("quit", r"Quitting", "quits"),
    ])


def zk_cli(report, address):
    if not servers.java_available():
        report.skip("zkCli", "there is no Java ZooKeeper here")
        return
    talk.script(report, "zkCli", talk.Talk(talk.zk_cli(address)), [
        (None, r"SyncConnected", "connects"),
        ("create /clients-java first", r"Created /clients-java", "creates"),
        ("get -s -w /clients-java", r"first\s(?s:.*?)dataVersion = 0", "reads and watches"),
        ("set /clients-java second", r"type:NodeDataChanged path:/clients-java", "hears of a change"),
        ("create -s -e /clients-java/n", r"Created /clients-java/n0000000000", "creates an ephemeral sequence"),
        ("ls /clients-java", r"\[n0000000000\]", "lists"),
        ("addWatch /clients-java", r"", "adds a recursive watch"),
        ("create -c /clients-java/c", r"Created /clients-java/c", "creates a container"),
        ("setAcl /clients-java/c world:anyone:cdra", r"", "sets an ACL"),
        ("getAcl /clients-java/c", r"'world,'anyone\s+: cdra", "reads the ACL"),
        ("set /clients-java x -v 7", r"version No is not valid|BadVersion|version", "hears of a bad version"),
        ("getAllChildrenNumber /clients-java", r"2", "counts"),
        ("whoami", r"127\.0\.0\.1", "asks who it is"),
        ("sync /", r"Sync is OK", "syncs"),
        ("deleteall /clients-java", r"NodeDeleted path:/clients-java\b", "deletes a tree and hears of it"),
        ("get /clients-java", r"Node does not exist: /clients-java", "finds it gone"),
        ("quit", r"", "quits"),
    ])


def kazoo(report, address):
    try:
        done = subprocess.run([talk.SYSTEM_PYTHON, "-W", "ignore", "-c", KAZOO, address], capture_output=True,
                              text=True, timeout=60, check=False)
    except subprocess.TimeoutExpired as error:
        report.ok(False, "kazoo answers in time")
        report.note(error.stdout)
        return
    if "No module named 'kazoo'" in done.stderr:
        report.skip("kazoo", "not installed")
        return
    expected, got = KAZOO_EXPECTED.splitlines(), done.stdout.splitlines()
    for index, line in enumerate(expected):
        if not report.ok(got[index:index + 1] == [line], "kazoo: %s" % line):
            report.note("got %r\n%s" % (got[index:index + 1], done.stderr[-2000:]))


def main():
    parser = argparse.ArgumentParser(description="Drives the clients that people have against a server.")
    parser.add_argument("--server", choices=sorted(servers.KINDS), default="zkc")
    parser.add_argument("--address", help="host:port of a server that runs; none is started then")
    tap.add_option(parser)
    options = parser.parse_args()
    report = tap.Tap(plain=not options.tap)
    if options.address is None:
        why = servers.require(options.server)
        if why:
            tap.skip_all(why)
        with servers.make(options.server) as server:
            run(report, "127.0.0.1:%d" % server.port)
    else:
        run(report, options.address)
    return report.done()


def run(report, address):
    kazoo(report, address)
    cli_mt(report, address)
    zk_cli(report, address)


if __name__ == "__main__":
    sys.exit(main())
