#!/usr/bin/env python3
# timeout: 120
"""binaries.py - programs that were built for Debian's libzookeeper, run on ours as they are.

    binaries.py --tap
    binaries.py --show          print every text

Debian's cli_mt and load_gen (zookeeper-bin), its module for Python (python3-zookeeper, see python_host.c), and
st_session.c, a program without threads that is built here with Debian's headers and libzookeeper_st, each runs a
scripted session with Debian's shared libraries and, not rebuilt, with ours (LD_LIBRARY_PATH), against a Java server and
against zkserver. Times, zxids, session ids and log lines are made alike, and children, which have no order, are sorted;
the four texts must be equal but for DIFFERENCES. Each combination has a server of its own, so that sequence numbers are
the same.
"""

import argparse
import difflib
import glob
import os
import re
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
SOURCE = os.environ.get("ZKC_SOURCE", os.path.dirname(os.path.dirname(HERE)))
BUILD = os.path.abspath(os.environ.get("ZKC_BUILD", os.getcwd()))
sys.path.insert(0, os.path.join(SOURCE, "tests", "lib"))

import protocol         # noqa: E402
import servers          # noqa: E402
import talk             # noqa: E402
import tap as tap_lib   # noqa: E402
from abi import debian_library, DEBIAN_HEADERS      # noqa: E402

CC = os.environ.get("CC") or "cc"
TMP = os.environ.get("TMPDIR", "/tmp")
OURS = os.path.join(BUILD, ".libs")
LOAD_GEN = "/usr/lib/zookeeper/bin/load_gen"
DEBIAN, ZKC = "debian", "ours"
KINDS = ("java", "zkc")
PROPERTIES = {"zookeeper.extendedTypesEnabled": "true"}
LIMIT = 15.0

# What our library does otherwise: (program, (what it prints with Debian's, with ours) ..., why that is better).
CLOSE = [("at the end: -116", "at the end: 0")]
NO_SLASH = [("bad path: -101\n    '(none)'\n", ""), ("bad end: refused", "bad path: refused with -8\nbad end: refused")]
DIFFERENCES = [
    ("st_session", CLOSE, "zookeeper_close() lets what was sent be answered; Debian's says ZCLOSING, done or not"),
    ("st_session below a chroot", CLOSE, "the same"),
    ("st_session below a chroot", NO_SLASH,
     "a path without its slash is refused; Debian's puts the chroot in front and asks for what is outside"),
]


# --- making texts alike --------------------------------------------------------------------------------------------


def sorted_children(text):
    """Lines of children, which are indented and have no more than a name, in their order."""
    return re.sub(r"(?m)(?:^\t[\w-]+\n)+", lambda match: "".join(sorted(match.group().splitlines(True))), text)


def alike(text):
    for pattern, replacement in (
            (r"(?m)^\d{4}-\d\d-\d\d .*:ZOO_(?:ERROR|INFO|WARN|DEBUG)@.*\n", ""),
            (r"127\.0\.0\.1:\d+", "ADDRESS"),
            (r"\btime = \d+ msec", "time = N msec"),
            (r"\b(ctime ?=|mtime ?=) ?[A-Z].*", r"\1 DATE"),
            (r"\b([cm]zxid=)[0-9a-f]+", r"\1ZXID"),
            (r"ephemeralOwner = [0-9a-f]{2,}", "ephemeralOwner = SESSION"),
            (r"(?i)(session id[:=]? =? ?)(?:0x)?[0-9a-f]{6,}", r"\1SESSION")):
        text = re.sub(pattern, replacement, text)
    return sorted_children(text)


# --- cli_mt --------------------------------------------------------------------------------------------------------

MARK = "create +q /x"                   # is refused at once, without a word to the server
MARKED = r"Unknown option: q\n"
END_OF_STAT = r"ephemeralOwner = \w+\n|Stat:\nnull\n"
TIME = r"time = \d+ msec\n"

# Lines and what ends the answer to each; None where the answer is there at once, or there is none.
CLI_STEPS = [
    ("myid", None),
    ("create /cli", r"name = /cli\n"),
    ("create /cli", r"rc = -110\n"),
    ("create +e /cli/e", r"name = .*\n"),
    ("create +s /cli/s-", r"name = .*\n"),
    ("create +es /cli/es-", r"name = .*\n"),
    ("create +c /cli/c", r"name = .*\n"),
    ("create +t=600000 /cli/t", r"name = .*\n"),
    ("create2 /cli/two", END_OF_STAT),
    ("create2 +e /cli/e2", END_OF_STAT),
    ("create2 +t=600000 /cli/t2", END_OF_STAT),
    ("create2 /cli/none/x", r"rc = -101\nnull\n"),
    ("create /cli/e/x", r"rc = -108\n"),
    ("create cli", None),
    ("create /cli//x", None),
    ("create +t /cli/x", None),
    ("set /cli/c hello", END_OF_STAT),
    ("get /cli/c", END_OF_STAT),
    ("aget /cli/c", END_OF_STAT),
    ("get /cli/none", END_OF_STAT),
    ("ls /cli", TIME + r"(?s:.*)" + TIME),
    ("als /cli", TIME + r"(?s:.*)" + TIME),
    ("ls /cli/none", r"rc = -101\n" + TIME),
    ("ls2 /cli", END_OF_STAT),
    ("exists /cli", None),
    ("exists /cli/none", r"Error -101 for .*\n"),
    ("wexists /cli", None),
    ("set /cli two", r"CHANGED_EVENT(?s:.*?)" + END_OF_STAT),
    ("wexists /cli/later", r"Error -101 for .*\n"),
    ("create /cli/later", r"CREATED_EVENT(?s:.*?)name = .*\n"),
    ("sync /cli", r"name = .*\n"),
    ("sync /cli/none", r"name = .*\n"),
    ("config", END_OF_STAT),
    ("addauth digest u:p", None),
    ("delete /cli", r"rc = -111\n"),
    ("delete /cli/later", r"rc = 0\n"),
    ("adelete /cli/none", r"rc = -101\n"),
    ("reconfig -remove 9", r"rc = -\d+\n(?s:.*?)Stat:\nnull\n"),
    ("help", r"asynchronously\n$"),
    ("verbose", r"DEBUG\n"),
    ("get /cli/c", END_OF_STAT),
    ("verbose", r"WARN\n"),
    ("bogus", None),
]
SHORT_STEPS = [
    ("create /cli", r"name = /cli\n"),
    ("create +s /cli/s-", r"name = .*\n"),
    ("set /cli one", END_OF_STAT),
    ("get /cli", END_OF_STAT),
    ("ls /", TIME + r"(?s:.*)" + TIME),
    ("ls2 /cli", END_OF_STAT),
    ("wexists /cli", None),
    ("set /cli two", r"CHANGED_EVENT(?s:.*?)" + END_OF_STAT),
    ("sync /", r"name = .*\n"),
    ("delete /cli/s-0000000000", r"rc = 0\n"),
    ("delete /cli", r"CHILD_EVENT state = CONNECTED_STATE for path /\n(?s:.*?)rc = 0\n"),
]


def cli(options, env, steps):
    """Says each line once the answer to the one before is complete; returns all that was said, answer by answer."""
    client = talk.Talk([talk.CLI_MT] + options, env)
    said = []
    try:
        client.asks(None, r"CONNECTED_STATE\nGot a new session id: \S+\n", LIMIT)
        for line, pattern in steps:
            begin = client.at
            if pattern is None:
                client.say(line)
            else:
                client.asks(line, pattern, LIMIT)
            client.asks(MARK, MARKED, LIMIT)
            said.append("> %s\n%s" % (line, client.output[begin:client.at]))
        client.asks("quit", r"Quitting\.\.\.\n", LIMIT)
    finally:
        status = client.end()
    said.append(client.output[client.at:] + "exit status %d\n" % status)
    return "".join(said)


def cli_session(address, env):
    return cli(["-h", address], env, CLI_STEPS)


def cli_chroot(address, env):
    return cli(["-h", address + "/below"], env, SHORT_STEPS)


def finish(command, env):
    """All that a program says that ends by itself."""
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, check=False, timeout=LIMIT, env={**os.environ, "LC_ALL": "C.UTF-8", **env})
    return done.stdout + "exit status %d\n" % done.returncode


def cli_refused(address, env):
    """Credentials that no server takes end the session, and with it the program; with Debian's it may hang then."""
    client = talk.Talk([talk.CLI_MT, "-h", address], env)
    client.asks(None, r"Got a new session id: \S+\n", LIMIT)
    client.say("addauth nobody knows")
    client.hears(r"Shutting down\.\.\.\n", LIMIT)
    client.end()
    return client.output


# --- load_gen ------------------------------------------------------------------------------------------------------

OWN_LINE = re.compile(r":ZOO_\w+@((?:main|do[A-Z]\w+|recursiveDelete|\w+_completion)@\d+: .*)")


def own_lines(text):
    return [match.group(1) for match in OWN_LINE.finditer(text)]


def load_gen(address, env):
    """Two rounds of it, as it goes on for ever, and its other use, deleting a tree."""
    client = talk.Talk([LOAD_GEN, address, "/load", "200"], env)
    try:
        for _ in range(3):
            client.asks(None, r"Creating children for path /load\n", LIMIT)
        rounds = client.output[:client.at]
    finally:
        client.process.terminate()
        client.end()
    deleting = finish([LOAD_GEN, address, "/tree", "clean"], env)
    return "\n".join(own_lines(rounds) + ["-- clean"] + sorted(own_lines(deleting)) + deleting.splitlines()[-1:]) + "\n"


# --- python3-zookeeper ---------------------------------------------------------------------------------------------

PYTHON = r"""
import os, sys, threading
import zookeeper as zk
print("library", [line.split()[-1] for line in open("/proc/self/maps") if "libzookeeper_mt" in line][0])
zk.set_debug_level(zk.LOG_LEVEL_ERROR)
OPEN = [{"perms": zk.PERM_ALL, "scheme": "world", "id": "anyone"}]
MINE = [{"perms": zk.PERM_ALL, "scheme": "auth", "id": ""}]
ready, heard = threading.Event(), threading.Semaphore(0)
events = []

def shown(value):
    if isinstance(value, dict) and "czxid" in value:
        return {key: value[key] for key in ("version", "cversion", "aversion", "dataLength", "numChildren")}
    if isinstance(value, (list, tuple)):
        return type(value)(shown(one) for one in value)
    return value

def session_watcher(handle, type, state, path):
    if state == zk.CONNECTED_STATE:
        ready.set()

def watcher(handle, type, state, path):
    events.append((type, state, path))
    heard.release()

def step(name, *args):
    try:
        answer = getattr(zk, name)(handle, *args)
        if name in ("get_children",):
            answer = sorted(answer)
        print(name, args[:1], shown(answer))
    except Exception as error:
        print(name, args[:1], type(error).__name__, error)

def ask(name, *args):
    done, got = threading.Event(), []
    def completion(handle, *values):
        got.extend(values)
        done.set()
    try:
        print(name, args[:1], getattr(zk, name)(handle, *(args + (completion,))), end=" ")
        print(done.wait(20), [sorted(one) if isinstance(one, list) and all(isinstance(i, str) for i in one)
                              else shown(one) for one in got])
    except Exception as error:
        print(type(error).__name__, error)

handle = zk.init(sys.argv[1], session_watcher, 10000)
print("connected", ready.wait(20), zk.state(handle) == zk.CONNECTED_STATE, zk.recv_timeout(handle),
      zk.is_unrecoverable(handle))    # client_id() takes the password for UTF-8, which it is by chance only
step("create", "/py", "data", OPEN, 0)
step("create", "/py", "data", OPEN, 0)
step("create", "/py/e", "", OPEN, zk.EPHEMERAL)
step("create", "/py/s-", "1", OPEN, zk.SEQUENCE)
step("create", "/py/es-", "1", OPEN, zk.EPHEMERAL | zk.SEQUENCE)
step("create", "/py/none/x", "1", OPEN, 0)
step("create", "/py/e/x", "1", OPEN, 0)
step("create", "py", "1", OPEN, 0)
step("create", "/py/x", "1", [], 0)
step("get", "/py")
step("get", "/py/none")
step("exists", "/py")
step("exists", "/py/none")
step("get_children", "/py")
step("set", "/py", "more", 0)
step("set", "/py", "more", 0)
step("set2", "/py", "", -1)
step("get", "/py", watcher)
step("get_children", "/py", watcher)
step("exists", "/py/later", watcher)
step("set", "/py", "fire", -1)
step("create", "/py/later", "", OPEN, 0)
for _ in range(3):
    heard.acquire(timeout=20)
print("events", events)
step("get_acl", "/py")
step("set_acl", "/py/later", -1, MINE)
ask("add_auth", "digest", "u:p")
step("set_acl", "/py/later", -1, MINE)
step("get_acl", "/py/later")
ask("acreate", "/py/a", "1", OPEN, 0)
ask("acreate", "/py/a", "1", OPEN, 0)
ask("acreate", "/py/ae-", "1", OPEN, zk.EPHEMERAL | zk.SEQUENCE)
ask("aget", "/py/a", watcher)
ask("aget", "/py/none", None)
ask("aexists", "/py/a", None)
ask("aexists", "/py/none", None)
ask("aset", "/py/a", "2", 0)
ask("aset", "/py/a", "2", 0)
heard.acquire(timeout=20)
print("event", events[3:])
ask("aget_children", "/py", None)
ask("aget_acl", "/py/a")
ask("aset_acl", "/py/a", -1, OPEN)
ask("async", "/py")
ask("adelete", "/py", -1)
ask("adelete", "/py/a", -1)
step("delete", "/py/none")
step("delete", "/py/later", 7)
for name in sorted(zk.get_children(handle, "/py")):
    step("delete", "/py/" + name)
step("delete", "/py")
print("texts", [zk.zerror(code) for code in (0, -4, -101, -110)])
print("close", zk.close(handle))
try:
    zk.get(handle, "/")
except Exception as error:
    print("closed", type(error).__name__, error)
sys.stdout.flush()
os._exit(0)
"""


def python(address, env):
    text = finish([os.path.join(TMP, "python_host"), "-c", PYTHON, address], env)
    library = re.match(r"library (\S+)\n", text)
    ours = library is not None and library.group(1).startswith(OURS)
    return ("" if ours == bool(env) else "the wrong library\n") + text[library.end() if library else 0:]


# --- st_session ----------------------------------------------------------------------------------------------------


def st_session(address, env):
    return finish([os.path.join(TMP, "st_session"), address, "/st"], env)


def st_chroot(address, env):
    return finish([os.path.join(TMP, "st_session"), address + "/below", "/st"], env)


# --- all of them ---------------------------------------------------------------------------------------------------

# Each with something that must stand in its text, so that a program which does nothing is not equal to itself.
PROGRAMS = [
    ("cli_mt", cli_session, r"name = /cli/es-0000000002\n(?s:.*)value_len = 5\nhello(?s:.*)exit status 0\n$"),
    ("cli_mt below a chroot", cli_chroot, r"Watcher CHANGED_EVENT state = CONNECTED_STATE for path /cli\n"),
    ("cli_mt, refused", cli_refused, r"state = AUTH_FAILED_STATE\nAuthentication failure"),
    ("load_gen", load_gen, r"delete cycle(?s:.*)delete cycle(?s:.*)subtree starting at /tree \(4 nodes\)"),
    ("python3-zookeeper", python, r"events \[\(\d(?s:.*)close 0\n(?s:.*)exit status 0\n$"),
    ("st_session", st_session, r"f-0000000004(?s:.*)close: 0\nexit status 0\n$"),
    ("st_session below a chroot", st_chroot, r"f-0000000004(?s:.*)close: 0\nexit status 0\n$"),
]


def compile(source, libraries):
    """A program of this directory; what it says of the types of others stands in Debian's headers."""
    program = os.path.join(TMP, os.path.splitext(source)[0])
    subprocess.run([CC, "-std=gnu11", "-Wall", "-Wextra", "-Werror", "-rdynamic", "-I" + DEBIAN_HEADERS, "-o", program,
                    os.path.join(SOURCE, "tests", "client", source)] + libraries, check=True)


def libpython():
    """The shared library of Debian's Python, or None."""
    name = subprocess.run([talk.SYSTEM_PYTHON, "-c", "import sysconfig as s; print(s.get_config_var('INSTSONAME'))"],
                          stdout=subprocess.PIPE, text=True, check=True).stdout.strip()
    found = glob.glob("/usr/lib/*/" + name) + glob.glob("/usr/lib/" + name)
    return found[0] if found else None


def loads(program, env):
    """The libzookeeper that the program gets."""
    traced = subprocess.run([program], stdout=subprocess.PIPE, text=True, check=False,
                            env={**os.environ, **env, "LD_TRACE_LOADED_OBJECTS": "1"}).stdout
    return re.search(r"libzookeeper_\w+\.so\.2 => (\S+)", traced).group(1)


def check_loading(tap):
    for program in (talk.CLI_MT, LOAD_GEN, os.path.join(TMP, "st_session")):
        theirs, ours = loads(program, {}), loads(program, {"LD_LIBRARY_PATH": OURS})
        tap.ok(ours.startswith(OURS) and not theirs.startswith(OURS),
               "%s takes our library, not rebuilt" % os.path.basename(program))


def prepare(server):
    session = server.session()
    for path in (b"/below", b"/tree", b"/tree/a", b"/tree/a/b", b"/tree/c"):
        session.call("create", path, b"", protocol.OPEN_ACL, protocol.PERSISTENT)
    session.close()


def run_all(kind, library, tap):
    """{program: text}"""
    env = {"LD_LIBRARY_PATH": OURS} if library == ZKC else {}
    texts = {}
    with servers.make(kind, {}, PROPERTIES) as server:
        prepare(server)
        address = "%s:%d" % server.address
        for name, program, _ in PROGRAMS:
            begin = time.monotonic()
            try:
                texts[name] = alike(program(address, env))
            except (AssertionError, subprocess.TimeoutExpired) as error:
                texts[name] = "%s: %s\n%s" % (type(error).__name__, error, getattr(error, "output", None) or "")
            if tap.plain:
                tap.note("        %s, %s, %s: %.1f s" % (name, kind, library, time.monotonic() - begin))
    return texts


def expected(name, text, library):
    """Debian's text as it should be with this library."""
    for program, changes, _ in DIFFERENCES:
        if program == name and library == ZKC:
            for theirs, ours in changes:
                text = text.replace(theirs, ours)
    return text


def compare(tap, texts):
    for name, _, content in PROGRAMS:
        first = texts["java", DEBIAN][name]
        if not tap.ok(re.search(content, first), "%s: the session does what it should" % name):
            tap.note(first[-3000:])
        for kind, library in texts:
            if (kind, library) == ("java", DEBIAN):
                continue
            fact = "%s: the same with %s libraries on %s" % (
                name, "our" if library == ZKC else "Debian's", "zkserver" if kind == "zkc" else "a Java server")
            wanted, got = expected(name, first, library), texts[kind, library][name]
            if not tap.ok(got == wanted, fact):
                tap.note("\n".join(difflib.unified_diff(wanted.splitlines(), got.splitlines(), "Debian's, Java server",
                                                        "here", "", "", 2, "")))
    for program, changes, why in DIFFERENCES:
        there = all(theirs in texts["java", DEBIAN][program] and ours in texts["java", ZKC][program]
                    for theirs, ours in changes)
        tap.ok(there, "named difference of %s: %s" % (program, why))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--show", action="store_true", help="print every text")
    tap_lib.add_option(parser)
    options = parser.parse_args()
    tap = tap_lib.Tap(plain=not options.tap)
    missing = servers.require(*KINDS)
    if missing:
        tap_lib.skip_all(missing)
    module = subprocess.run([talk.SYSTEM_PYTHON, "-c", "import importlib.util as u; assert u.find_spec('zookeeper')"],
                            stderr=subprocess.DEVNULL, check=False).returncode == 0
    wanted = [(os.access(talk.CLI_MT, os.X_OK) and os.access(LOAD_GEN, os.X_OK), "zookeeper-bin"),
              (module, "python3-zookeeper"), (libpython(), "libpython3.11"),
              (debian_library("st"), "libzookeeper-st2"),
              (os.path.exists(os.path.join(DEBIAN_HEADERS, "zookeeper.h")), "libzookeeper-mt-dev")]
    for there, package in wanted:
        if not there:
            tap_lib.skip_all("Debian's %s is not installed" % package)
    compile("st_session.c", [debian_library("st")])
    compile("python_host.c", [libpython()])
    check_loading(tap)
    texts = {(kind, library): run_all(kind, library, tap) for kind in KINDS for library in (DEBIAN, ZKC)}
    if options.show:
        for key, found in texts.items():
            for name, text in found.items():
                print("=== %s, %s\n%s" % (name, ", ".join(key), text))
    compare(tap, texts)
    return tap.done()


if __name__ == "__main__":
    sys.exit(main())
