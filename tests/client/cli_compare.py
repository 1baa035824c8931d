#!/usr/bin/env python3
# timeout: 180
"""cli_compare.py - one script of every command, through Java's shell and through zkcli, on a Java server and on ours.

    cli_compare.py --tap
    cli_compare.py --show               print what differs with both texts

The script goes in by a pipe, one process a run. Between two commands stand two more that leave a mark in standard
output and in standard error, so that each command's own output is compared. Events come from another thread: they are
taken out and compared as a list. Zxids, times and session ids are made alike.

Debian's shell is 3.8.0 and ours follows 3.9.5; where they differ the step names the difference, which stands with its
reason in DIFFERENCES, and says what both must print.
"""

import argparse
import os
import re
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

import servers      # noqa: E402
import talk         # noqa: E402
import tap          # noqa: E402

DIFFERENCES = {
    "3.9: data as base64 and hex": "get -b -x and set -b came with 3.9; the 3.8.0 at hand does not know them",
    "3.9: watches by kind": "removewatches -p -r came with 3.9",
    "no class names": "complaints about options have the sentence of commons-cli without the name of its exception",
    "release": "each shell says its own release",
    "more commands": "the usage after an unknown command lists the commands that only zkcli has",
    "set -b in the usage": "3.9 writes the usage of get and set anew, with a line for each option",
    "a shell without a session": "history, redo and printwatches need no session, and do not say that there is none",
    "no event for a removed watch": "the C interface has none; whether a watch was removed, the command says",
}
# Not in the script, since Java's shell ends there or its answer depends on chance:
#   set -v soon /a, delete -v soon /a, redo soon, addWatch a, set -b * /a    Java ends in a stack trace; ours complains
#   addWatch after addWatch -m PERSISTENT     Java keeps the mode of the last one, ours takes the default as documented
#   addauth that is refused                   Java does not wait for the answer; ours does and says so
#   redo of a command that fails              Java's exit code is 0, ours that of the command
#   -server without an address                Java goes on with localhost, ours ends with 2
#   the end of one command                    Java leaves its session to expire, ours closes it, and ephemerals with it

MARK = "=-=-=-mark-=-=-="
NO_MARK = re.compile(r"^Node does not exist: /no-mark\n", re.M)


class Step:
    """A line of the script. `java` and `zkc`, where given, are what each must print on standard output and standard
    error in place of being equal; a callable gets the text."""

    def __init__(self, line, difference=None, java=None, zkc=None):
        self.line, self.difference, self.java, self.zkc = line, difference, java, zkc


def unrecognized(line, option):
    """A complaint of commons-cli, with and without the class."""
    text = "Unrecognized option: %s\n" % option
    return Step(line, "no class names", "org.apache.commons.cli.UnrecognizedOptionException: " + text, text)


def class_named(line, name, text):
    return Step(line, "no class names", "org.apache.commons.cli.%s: %s\n" % (name, text), text + "\n")


HEX = """\
         +-------------------------------------------------+
         |  0  1  2  3  4  5  6  7  8  9  a  b  c  d  e  f |
+--------+-------------------------------------------------+----------------+
|00000000| 74 77 6f 20 77 6f 72 64 73                      |two words       |
+--------+-------------------------------------------------+----------------+
"""
GET_USAGE = """\
get [-s] [-w] [-b] [-x] path
 -b   Output data in base64 format
 -s   Print znode stats additionally
 -w   Watch for changes on the znode
 -x   Output data in hexdump format
"""
SET_USAGE = """\
set path data [-s] [-v version] [-b]
 -b         Supply data in base64 format
 -s         Print znode stats additionally
 -v <arg>   Set with an expected version
"""

STEPS = [
    # create
    "create /cmp data",
    "create /cmp/a 'two words'",
    'create /cmp/empty ""',
    "create /cmp/null",
    "create -s /cmp/s- x",
    "create -s /cmp/s- x",
    "create -e /cmp/e x",
    "create -s -e /cmp/es- x",
    "create -se /cmp/es- x",
    "create -c /cmp/c",
    "create -t 600000 /cmp/t x",
    "create -s -t 600000 /cmp/ts- x",
    "create -t=600000 /cmp/t2 x",
    "create /cmp/a",
    "create /cmp/none/x",
    "create /cmp/e/x",
    "create cmp",
    "create /cmp/",
    "create /cmp//x",
    "create /cmp/./x",
    "create /cmp/../x",
    "create -s /cmp/seq/",
    "create",
    "create -e",
    "create -c -e /cmp/x",
    "create -c -s /cmp/x",
    "create -t soon /cmp/x",
    "create -t 0 /cmp/x",
    "create -t -5 /cmp/x",
    "create -t 99999999999999 /cmp/x",
    "create -e -t 5 /cmp/x",
    "create -c -t 5 /cmp/x",
    "create /cmp/acl d world:anyone:r",
    "create /cmp/acl2 d world:anyone:cdrwa,ip:127.0.0.1:r",
    "create /cmp/badperm d world:anyone:rxz",
    "create /cmp/badacl d nonsense",
    "create /cmp/badacl d a:b",
    "create /cmp/badscheme d nobody:x:r",
    unrecognized("create -z /cmp/x", "-z"),
    class_named("create -t", "MissingArgumentException", "Missing argument for option: t"),
    # get
    "get /cmp",
    "get /cmp/a",
    "get -s /cmp/a",
    "get -s /cmp/e",
    "get -s /cmp/c",
    "get -s /cmp/t",
    "get /cmp/empty",
    "get /cmp/null",
    "get /cmp/none",
    "get cmp",
    "get /cmp/a/",
    Step("get", "set -b in the usage", "get [-s] [-w] path\n", GET_USAGE),
    # Here no event is about to come, which Java prints from another thread, or then does not.
    "printwatches",
    "printwatches off",
    "printwatches",
    "printwatches on",
    "get /cmp/a watch",
    "get -s /cmp/a watch",
    Step("get -b /cmp/a", "3.9: data as base64 and hex", lambda text: "Unrecognized option" in text, "dHdvIHdvcmRz\n"),
    Step("get -x /cmp/a", "3.9: data as base64 and hex", lambda text: "Unrecognized option" in text, HEX),
    # ls
    "ls /",
    "ls /cmp",
    "ls -s /cmp/a",
    "ls -R /cmp",
    "ls -R /cmp/a",
    "ls -R /zookeeper",
    "ls -R /cmp/none",
    "ls -R /cmp/",
    "ls /cmp/none",
    "ls",
    "ls cmp",
    "ls -w /cmp/acl2",
    "ls /cmp/acl2 watch",
    "ls -?",
    "ls -? /cmp/a",
    unrecognized("ls -l /cmp", "-l"),
    # stat
    "stat /cmp/a",
    "stat -w /cmp/a",
    "stat /cmp/a watch",
    "stat /cmp/none",
    "stat -w /cmp/later",
    "stat",
    "stat /cmp/a/",
    # set
    "set /cmp/a three",
    "set -s /cmp/a four",
    "set /cmp/a five -s",
    "set -v 3 /cmp/a six",
    "set -v 77 /cmp/a seven",
    "set -v -1 /cmp/a eight",
    "set /cmp/none x",
    "set cmp x",
    'set /cmp/a ""',
    "set /cmp/a \"with 'single' quotes\"",
    "get /cmp/a",
    "set /cmp/a '{\"k\": \"v\"}'",
    "get /cmp/a",
    "set /cmp/a b\"c d",
    "get /cmp/a",
    "  set   /cmp/a\t'tab'  ",
    "get /cmp/a",
    Step("set /cmp/a", "set -b in the usage", "set [-s] [-v version] path data\n", SET_USAGE),
    Step("set -b /cmp/b64 aGVsbG8=", "3.9: data as base64 and hex", lambda text: "Unrecognized option" in text,
         "Node does not exist: /cmp/b64\n"),
    unrecognized("set /cmp/a -5", "-5"),
    "create /cmp/later x",
    # ACLs
    "getAcl /cmp/a",
    "getAcl -s /cmp/a",
    "getAcl /cmp/acl2",
    "getAcl /cmp/none",
    "getAcl",
    "getAcl cmp",
    "setAcl /cmp/a world:anyone:cdrwa",
    "setAcl -s /cmp/a world:anyone:rwcda,ip:10.0.0.0/8:r",
    "getAcl /cmp/a",
    "setAcl -v 77 /cmp/a world:anyone:r",
    "setAcl -v 2 /cmp/a world:anyone:cdrwa",
    "setAcl /cmp/none world:anyone:r",
    "setAcl /cmp/a",
    "setAcl /cmp/a nonsense",
    "create /cmp/lost x",
    "setAcl /cmp/lost world:anyone:q",
    "get /cmp/lost",
    "ls /cmp/lost",
    "stat /cmp/lost",
    "set /cmp/lost x",
    "setAcl /cmp/lost world:anyone:r",
    "delete /cmp/lost",
    "create /cmp/r x",
    "create /cmp/r/1 x",
    "create /cmp/r/1/2 x",
    "setAcl -R /cmp/r world:anyone:cdra",
    "getAcl /cmp/r/1/2",
    "setAcl -R /cmp/r nonsense",
    "setAcl -R /cmp/none world:anyone:r",
    "addauth digest me:secret",
    "setAcl /cmp/r auth::cdrwa",
    "getAcl /cmp/r",
    "addauth",
    "whoami",
    # counts, sessions, sync
    "getAllChildrenNumber /cmp",
    "getAllChildrenNumber /cmp/none",
    "getAllChildrenNumber cmp",
    "getAllChildrenNumber",
    "getEphemerals /cmp/e",
    "getEphemerals /none",
    "getEphemerals cmp",
    "sync /cmp",
    "sync cmp",
    "sync",
    # quotas
    "create /cmp/q 12345",
    "listquota /cmp/q",
    "listquota",
    "listquota q",
    "setquota -n 5 /cmp/q",
    "listquota /cmp/q",
    "setquota -b 3 /cmp/q",
    "setquota -N 7 /cmp/q",
    "setquota -B 70 /cmp/q",
    "listquota /cmp/q",
    "create /cmp/q/child x",
    "setquota -n 3 /cmp/q/child",
    "setquota -n 3 /cmp",
    "setquota -n 0 /cmp/q",
    "setquota -b -1 /cmp/q",
    "setquota -n many /cmp/q",
    "setquota -n 5 /cmp/none",
    "setquota -n 5 /zookeeper/quota/cmp",
    "setquota -n 5 cmp",
    "setquota -n 5",
    class_named("setquota /cmp/q", "MissingOptionException",
                "Missing required option: [-n num soft quota, -b bytes soft quota, -N num hard quota, "
                "-B bytes hard quota]"),
    class_named("setquota -n 5 -b 6 /cmp/q", "AlreadySelectedException",
                "The option 'b' was specified but an option from this group has already been selected: 'n'"),
    "delquota -n /cmp/q",
    "delquota -N /cmp/q",
    "listquota /cmp/q",
    "delquota /cmp/q",
    "delquota /cmp/q",
    "delquota -b /cmp/q",
    "delquota",
    "listquota /cmp/q",
    "ls -R /zookeeper/quota",
    # watches
    "addWatch -m PERSISTENT /cmp/q",
    "set /cmp/q watched",
    "removewatches /cmp/q",
    "removewatches /cmp/q",
    "addWatch -m persistent_recursive /cmp/q",
    "create /cmp/q/w x",
    "removewatches -a /cmp/q",
    "addWatch",
    "addWatch -m NONSENSE /cmp/q",
    "removewatches",
    "removewatches cmp",
    "removewatches -c /cmp/none",
    Step("removewatches -p /cmp/none", "3.9: watches by kind", lambda text: "Unrecognized option" in text,
         "KeeperErrorCode = No such watcher for /cmp/none\n"),
    # the ensemble
    "config",
    "config -s",
    "config -c",
    "reconfig",
    "reconfig -add server.2=a:1:2;3 -members server.1=b:1:2;3",
    "reconfig -file f -members server.1=b:1:2;3",
    "reconfig -v nonsense -remove 1",
    "reconfig -remove 7",
    # delete
    "delete /cmp/q",
    "delete -v 77 /cmp/empty",
    "delete -v 0 /cmp/empty",
    "delete /cmp/null 3",
    "delete /cmp/none",
    "delete",
    "delete cmp",
    "deleteall /cmp/none",
    "deleteall",
    "deleteall cmp",
    "deleteall -b many /cmp/q",
    "deleteall -b 1 /cmp/q",
    "deleteall /cmp/r -b 0",
    # the shell
    Step("version", "release", lambda text: text.startswith("ZooKeeper CLI version: "),
         lambda text: text.startswith("ZooKeeper CLI version: 3.9.5-zkc-")),
    Step("nonsense a b", "more commands", lambda text: True, lambda text: True),
    Step(" ", "more commands", lambda text: True, lambda text: True),
    "history",
    "redo 4",
    "redo 99999",
    "redo -1",
    "redo",
    "ls /cmp",
    "deleteall /cmp",
    "ls /",
]
STEPS = [step if isinstance(step, Step) else Step(step) for step in STEPS]
# Behind the last mark: no mark can be made without a session.
ENDING = ["close", "ls /", "version", "printwatches", "connect", "ls /", "get /cmp/none", "quit"]

# One process each, for the exit code alone.
EXIT_CODES = [
    (["ls", "/"], 0),
    (["get", "/none"], 1),
    (["nonsense"], 127),
    (["create"], 1),
    (["setquota", "-n", "0", "/"], 0),
    (["delete", "-v", "soon", "/none"], 1),
]

CLOSED = "state:Closed type:None path:null"
EVENT = re.compile(r"^WatchedEvent (state:\S+ type:\S+ path:.*?)(?: zxid: -?\d+)?$")


def script():
    lines = ["create /mark " + MARK]
    for step in STEPS:
        lines += [step.line, "get /mark", "get /no-mark"]
    return "\n".join(lines + ["delete /mark"] + ENDING) + "\n"


def make_alike(text):
    text = re.sub(r"(?m)^((?:c|m|p)Zxid = 0x)[1-9a-f][0-9a-f]*$", r"\1#", text)
    text = re.sub(r"(?m)^((?:c|m)time = )(?!Thu Jan 01).*$", r"\1#", text)
    text = re.sub(r"(?m)^(ephemeralOwner = )0x[1-9a-f][0-9a-f]{9,14}$", r"\1#", text)
    return text


def take_events_out(output):
    """(text without events and empty lines, the events)"""
    events, rest = [], []
    for line in output.split("\n"):
        event = EVENT.match(line)
        if event:
            events.append(event.group(1))
        elif line and line not in ("WATCHER::", "JLine support is disabled", "JLine support is enabled"):
            rest.append(line)
    return "".join(line + "\n" for line in rest), events


class Run:
    """The script through one shell, its output taken apart."""

    def __init__(self, command, address):
        done = subprocess.run(command + ["-server", address], input=script().encode(), stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, timeout=120, check=False, env=dict(os.environ, LC_ALL="C.UTF-8"))
        self.status = done.returncode
        output, self.events = take_events_out(make_alike(done.stdout.decode()).replace(address, "ADDRESS"))
        complaints = make_alike(done.stderr.decode()).replace(address, "ADDRESS")
        complaints = re.sub(r"(?m)^\[.*Exiting JVM with code.*\n", "", complaints)
        self.outputs = output.split(MARK + "\n")
        self.complaints = ["".join(line + "\n" for line in part.split("\n") if line) for part in
                           NO_MARK.split(complaints)]

    def of(self, step):
        return self.outputs[step] + self.complaints[step]


def fits(expected, text):
    return expected(text) if callable(expected) else expected == text


def compare(report, name, java, zkc, show):
    wanted = len(STEPS) + 1
    for run, who in ((java, "Java"), (zkc, "zkcli")):
        if not report.ok(len(run.outputs) == wanted and len(run.complaints) == wanted,
                         "%s: %s went through the whole script" % (name, who)):
            report.note("%d and %d parts of %d" % (len(run.outputs), len(run.complaints), wanted))
            report.note((run.outputs[-1] + run.complaints[-1])[-3000:])
            return
    java.outputs[0] = re.sub(r"\A(Connecting.*\n|Welcome.*\n)*", "", java.outputs[0])
    greeting = re.match(r"\A(Connecting.*\n|Welcome.*\n)*", zkc.outputs[0]).group(0)
    zkc.outputs[0] = zkc.outputs[0][len(greeting):]
    report.ok("Connecting to ADDRESS\n" in greeting and "Welcome to ZooKeeper!\n" in greeting,
              "%s: the greeting" % name)
    named = set()
    for number, step in enumerate(STEPS):
        theirs, ours = java.of(number), zkc.of(number)
        if step.difference is None:
            passed = theirs == ours
        else:
            named.add(step.difference)
            passed = fits(step.java, theirs) and fits(step.zkc, ours)
        fact = "%s: %s%s" % (name, step.line, " (%s)" % step.difference if step.difference else "")
        if not report.ok(passed, fact) or (show and theirs != ours):
            report.note("--- Java\n%s--- zkcli\n%s" % (theirs, ours))
    report.ok(named <= set(DIFFERENCES), "%s: every difference has a reason" % name)
    theirs = java.of(len(STEPS)).replace("printwatches is on\nNot connected\n", "printwatches is on\n")
    ours = zkc.of(len(STEPS))
    if not report.ok(theirs == ours, "%s: close, connect, quit (a shell without a session)" % name):
        report.note("--- Java\n%s--- zkcli\n%s" % (theirs, ours))
    kept = [event for event in java.events if "WatchRemoved" not in event]    # "no event for a removed watch"
    if kept[-1:] != [CLOSED] and zkc.events[-1:] == [CLOSED]:
        kept.append(CLOSED)     # Java's shell may be gone before its other thread has printed the last one
    if not report.ok(kept == zkc.events, "%s: the same events" % name):
        report.note("--- Java\n%s\n--- zkcli\n%s" % ("\n".join(kept), "\n".join(zkc.events)))
    if not report.ok(java.status == zkc.status == 1, "%s: the exit code is that of the last command" % name):
        report.note("Java %d, zkcli %d" % (java.status, zkc.status))


def exit_codes(report, zkcli, java, address):
    for words, expected in EXIT_CODES:
        for who, command in (("Java", java), ("zkcli", zkcli)):
            done = subprocess.run(command + ["-server", address] + words, stdin=subprocess.DEVNULL, capture_output=True,
                                  text=True, timeout=60, check=False)
            if not report.ok(done.returncode == expected, "%s ends %s with %d" % (who, " ".join(words), expected)):
                report.note("it was %d\n%s%s" % (done.returncode, done.stdout, done.stderr))


def zkcli_path():
    here = os.path.dirname(os.path.abspath(__file__))
    for path in (os.environ.get("ZKCLI"), os.path.join(os.environ.get("ZKC_BUILD", "."), "zkcli"),
                 os.path.join(here, "..", "..", "zkcli")):
        if path and os.access(path, os.X_OK):
            return os.path.abspath(path)
    return None


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--show", action="store_true", help="print both texts of every difference, named ones too")
    parser.add_argument("--server", action="append", choices=["java", "zkc"], help="only on this server")
    tap.add_option(parser)
    arguments = parser.parse_args()
    why = servers.require("java", "zkc") or (None if zkcli_path() else "zkcli is not built")
    if why:
        tap.skip_all(why)
    report = tap.Tap(plain=not arguments.tap)
    java, zkcli = talk.zk_cli("")[:-2], [zkcli_path(), "-waitforconnection"]
    properties = {"zookeeper.extendedTypesEnabled": "true"}
    for kind in arguments.server or ["zkc", "java"]:
        with servers.make(kind, properties=properties) as server:
            address = "127.0.0.1:%d" % server.port
            compare(report, "on " + kind, Run(java, address), Run(zkcli, address), arguments.show)
            if kind == "zkc":
                exit_codes(report, zkcli, java, address)
    return report.done()


if __name__ == "__main__":
    sys.exit(main())
