#!/usr/bin/env python3
# timeout: 300
"""reconfig.py - changes the members of an ensemble while clients write, and is refused where it must be.

    reconfig.py --kinds zkc,java,java --tap

From three servers to five and back, by joining and leaving and by whole lists; an observer becomes a participant, the
leader is taken out. After each change every server shows the same configuration in /zookeeper/config, in `conf` and in
its dynamic file, writes go on, and in the end nothing acknowledged is lost. The servers that join are of the first and
the last kind.
"""

import argparse
import base64
import hashlib
import os
import re
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

import ensemble     # noqa: E402
import history      # noqa: E402
import ports        # noqa: E402
import rawclient    # noqa: E402
import tap          # noqa: E402
import trees        # noqa: E402

CONFIG = b"/zookeeper/config"
SUPER = "super:test"
DIGEST = "super:" + base64.b64encode(hashlib.sha1(SUPER.encode()).digest()).decode()
BAD_ARGUMENTS, NEW_CONFIG_NO_QUORUM, RECONFIG_IN_PROGRESS = -8, -13, -14
NO_AUTH, BAD_VERSION, RECONFIG_DISABLED = -102, -103, -123


def expect(condition, text, *values):
    if not condition:
        raise AssertionError(text % values)


def parse_config(data):
    """A configuration as ({server id: value}, version)."""
    members, version = {}, None
    for line in data.decode().split("\n"):
        key, _, value = line.partition("=")
        if key.startswith("server."):
            members[int(key[7:])] = value
        elif key == "version":
            version = int(value, 16)
    return members, version


class Reconfig:
    def __init__(self, servers, kinds, report):
        self.servers, self.kinds, self.report = servers, kinds, report
        self.first = servers.sids()
        self.observer = self.removed = None
        self.members = {sid: servers.server_line(sid) for sid in servers.sids()}
        self.writers = None

    def step(self, fact):
        return ensemble.step(self.report, self.servers, fact)

    def session(self, sid=None, auth=True):
        session = self.servers.session(sid or self.servers.leader())
        if auth:
            expect(session.auth(b"digest", SUPER.encode()) == 0, "the superuser is not known")
        return session

    def line(self, sid, role="participant"):
        return "server.%d=%s" % (sid, self.servers.server_line(sid, observer=role == "observer"))

    def ask(self, joining=None, leaving=None, members=None, version=-1, sid=None, auth=True):
        """Sends one reconfiguration; returns (header, record)."""
        session = self.session(sid, auth)
        try:
            return session.ask("reconfig", joining, leaving, members, version)
        finally:
            session.close()

    def refused(self, error, **arguments):
        header, _ = self.ask(**arguments)
        expect(header.err == error, "answered with %d, expected %d", header.err, error)

    def change(self, expected, **arguments):
        """Reconfigures under load; afterwards all members show `expected`, {sid: line}, and writes go on."""
        begin = time.monotonic()
        self.members = expected
        try:
            header, record = self.ask(**arguments)
        except rawclient.Closed:        # by a server that gave up its role for this
            version = self.servers.wait(self.version_shown, "the new configuration is in force")
        else:
            expect(header.err == 0, "answered with %d", header.err)
            members, version = parse_config(record.data)
            expect(members == expected, "the answer has %s, expected %s", members, expected)
            expect(version == header.zxid, "the version is 0x%x, the zxid 0x%x", version, header.zxid)
        self.settle(version)
        expect(self.writers.wait_progress(20), "nothing is written any more")
        self.report.note("%.2f s, %.2f s without an acknowledged write" % (time.monotonic() - begin,
                                                                          self.writers.longest_pause(begin)))

    def version_shown(self):
        """The version of the configuration that a member shows, once it is the one of self.members."""
        try:
            session = self.session(auth=False)
            members, version = parse_config(session.call("getData", CONFIG, False).data)
            session.close()
        except (OSError, KeyError, rawclient.Closed, rawclient.Timeout):
            return None
        return version if members == self.members else None

    def settle(self, version):
        """Waits until every member serves with this configuration, and shows it wherever it is to be seen."""
        def shown():
            if self.servers.leader() not in self.members:
                return False
            modes = self.servers.modes(self.members)
            return all(modes[sid] == "observer" if ":observer;" in line else modes[sid] in ("leader", "follower")
                       for sid, line in self.members.items())
        self.servers.wait(shown, "members %s serve in their roles" % sorted(self.members))
        voters = [sid for sid, line in self.members.items() if ":observer;" not in line]
        for sid in self.members:
            name = self.servers.name(sid)
            session = self.session(sid, auth=False)
            session.call("sync", b"/")
            got = session.call("getData", CONFIG, False)
            session.close()
            expect(parse_config(got.data) == (self.members, version), "%s has %s, expected %s version 0x%x", name,
                   got.data, self.members, version)
            conf = self.servers.word(sid, "conf")
            shown = {int(key): value for key, value in re.findall(r"^server\.(\d+)=(\S+)$", conf, re.MULTILINE)}
            expect(shown == self.members, "conf of %s shows %s", name, shown)
            expect("version=%x" % version in conf, "conf of %s shows %s", name, conf)
            self.servers.wait(lambda: self.dynamic_file(sid)[:2] == (version, self.members),
                              "the dynamic file of %s, %s, holds version 0x%x and %s" % (
                                  name, self.dynamic_file(sid), version, self.members), 10)
            size = self.servers.mntr(sid)["quorum_size"]
            expect(size == str(len(voters)), "mntr of %s has quorum_size %s", name, size)
        files = {self.dynamic_file(sid)[2] for sid in self.members}
        expect(len(files) == 1, "the dynamic files differ: %s", files)

    def dynamic_file(self, sid):
        """(version by its name, members, text) of the dynamic file that the server's zoo.cfg names."""
        directory = self.servers[sid].directory
        with open(os.path.join(directory, "zoo.cfg"), encoding="utf-8") as file:
            match = re.search(r"^dynamicConfigFile=(.*)$", file.read(), re.MULTILINE)
        if not match:
            return None, None, None
        path = match.group(1).replace("\\", "")
        if not os.path.exists(path):
            return None, None, None
        with open(path, encoding="utf-8") as file:
            text = file.read()
        # Java writes properties: comments ahead, and what might be a separator behind a backslash.
        lines = sorted(line.replace("\\", "") for line in text.splitlines() if line and not line.startswith("#"))
        text = "\n".join(lines)
        return int(path.rsplit(".", 1)[1], 16), parse_config(text.encode())[0], text

    def start_joiner(self, kind, observer=False):
        """A server that knows the members and itself; it follows without a vote, or observes, until it is let in."""
        sid = self.servers.add(kind, observer, view=self.members)
        self.servers.start_one(sid)
        self.servers.wait(lambda: self.servers.mode(sid) in ("follower", "observer"), "%s follows, not yet a member" %
                          self.servers.name(sid))
        return sid

    # --- what happens ---

    def errors(self):
        leader = self.servers.leader()
        other = self.servers.followers()[0]
        taken = ports.take(6)
        strangers = ["server.%d=127.0.0.1:%d:%d:participant;127.0.0.1:%d" % (7 + at, *taken[3 * at:3 * at + 3])
                     for at in range(2)]
        with self.step("a reconfiguration is refused to who may not write /zookeeper/config"):
            for sid in (leader, other):
                self.refused(NO_AUTH, leaving=str(other), sid=sid, auth=False)
        with self.step("a reconfiguration from another version is refused"):
            for version in (1, 0x7fffffffffffffff):
                self.refused(BAD_VERSION, leaving=str(other), version=version)
        with self.step("a configuration without a quorum that is there is refused"):
            self.refused(NEW_CONFIG_NO_QUORUM, members=",".join([self.line(leader)] + strangers))
            self.refused(NEW_CONFIG_NO_QUORUM, joining=",".join(strangers), leaving=str(other))
        with self.step("a reconfiguration that makes no sense is refused"):
            # One port of two servers, which only loopback may; TCP does not go to this address.
            twice = "server.8=224.0.0.1:1:2;127.0.0.1:3,server.9=224.0.0.1:4:1;127.0.0.1:5"
            for arguments in ({"joining": "server.9=127.0.0.1:1"}, {"joining": "nonsense"},
                              {"joining": twice}, {"members": "server.9=nonsense"},
                              {"leaving": ",".join(str(sid) for sid in self.members)},
                              {"members": self.line(leader)}):
                self.refused(BAD_ARGUMENTS, **arguments)
        with self.step("what was refused changed nothing"):
            session = self.session(leader)
            members, version = parse_config(session.call("getData", CONFIG, False).data)
            session.close()
            expect(members == self.members and version >> 32 == 1, "%s version 0x%x", members, version)

    def join(self):
        self.observer = self.start_joiner(self.kinds[-1], observer=True)
        joiner = self.start_joiner(self.kinds[0])
        self.change({**self.members, self.observer: self.servers.server_line(self.observer),
                     joiner: self.servers.server_line(joiner)},
                    joining="%s,%s" % (self.line(self.observer, "observer"), self.line(joiner)))

    def promote(self):
        self.servers.observers.discard(self.observer)
        self.change({**self.members, self.observer: self.servers.server_line(self.observer)},
                    joining=self.line(self.observer), version=self.version_shown())

    def remove_leader(self):
        self.removed = self.servers.leader()
        self.change({sid: line for sid, line in self.members.items() if sid != self.removed},
                    leaving=str(self.removed))

    def five_by_list(self):
        servers, sid = self.servers, self.removed
        servers.stop(sid)
        servers.configure(sid, self.members)    # its own names it no more, and it would not start
        servers.start_one(sid)
        servers.wait(lambda: servers.mode(sid) in ("follower", "observer"), "%s follows without a vote" %
                     servers.name(sid))
        self.change({sid: servers.server_line(sid) for sid in servers.sids()},
                    members=",".join(self.line(sid) for sid in servers.sids()))

    def three_by_list(self):
        follower = next(sid for sid in self.servers.followers() if sid in self.first)
        self.change({sid: self.servers.server_line(sid) for sid in self.first},
                    members="\n".join(self.line(sid) for sid in self.first), sid=follower)
        for sid in self.servers.sids():
            if sid not in self.first:
                self.servers.stop(sid)

    def demote(self):
        demoted = self.servers.followers()[0]
        self.change({**self.members, demoted: self.servers.server_line(demoted, observer=True)},
                    joining=self.line(demoted, "observer"))
        self.change({**self.members, demoted: self.servers.server_line(demoted)}, joining=self.line(demoted))

    def start_anew(self):
        version = self.version_shown()
        for sid in self.first:
            self.servers.stop(sid)
        for sid in self.first:
            self.servers.start_one(sid)
        self.servers.wait_serving(self.first)
        self.settle(version)

    def verify(self):
        self.writers.finish()
        self.servers.wait_caught_up()
        lines, tree = trees.compare(self.servers, sids=self.first, ignore=(CONFIG,))
        expect(not lines, "%s", "\n".join(lines))
        violations = self.writers.verify(tree)
        expect(not violations, "%s", "\n".join(violations[:20]))

    def run(self):
        self.writers = history.History(self.servers.addresses, 4, 1, reply_timeout=3.0).start()
        self.errors()
        for fact, act in (
                ("a participant and an observer join", self.join),
                ("the observer becomes a participant, from a version that is named", self.promote),
                ("the leader is taken out, and another leads", self.remove_leader),
                ("the server taken out is made one of five by a list", self.five_by_list),
                ("from five to three by a list, by way of a follower", self.three_by_list),
                ("a participant becomes an observer, and a participant again", self.demote),
                ("after a start of all, the last configuration is in force", self.start_anew),
                ("all hold the same tree, nothing acknowledged is lost", self.verify)):
            with self.step(fact):
                act()
            if self.report.failed:
                break       # the next builds upon it
        self.report.note(self.writers.summary())


def disabled(report, kinds):
    """Without reconfigEnabled there is none of it."""
    with ensemble.Ensemble(kinds, properties={"zookeeper.DigestAuthenticationProvider.superDigest": DIGEST}) as servers:
        with ensemble.step(report, servers, "without reconfigEnabled every reconfiguration is refused"):
            for sid in servers.sids():
                session = servers.session(sid)
                expect(session.auth(b"digest", SUPER.encode()) == 0, "the superuser is not known")
                header, _ = session.ask("reconfig", None, "1", None, -1)
                expect(header.err == RECONFIG_DISABLED, "%s answers with %d", servers.name(sid), header.err)
                session.close()
                expect("version=0" in servers.word(sid, "conf"), "%s shows another version than 0", servers.name(sid))


def main():
    parser = argparse.ArgumentParser(description="Changes the members of an ensemble under load.")
    ensemble.add_options(parser)
    tap.add_option(parser)
    options = parser.parse_args()
    why = ensemble.require(options.kinds)
    if why:
        tap.skip_all(why)
    report = tap.Tap(plain=not options.tap)
    kinds = ensemble.parse_kinds(options.kinds)
    report.note("kinds: " + ",".join(kinds))
    with ensemble.Ensemble(kinds, reconfig=True, tick_time=500, properties={
            "zookeeper.DigestAuthenticationProvider.superDigest": DIGEST}) as servers:
        Reconfig(servers, kinds, report).run()
    disabled(report, kinds)
    return report.done()


if __name__ == "__main__":
    sys.exit(main())
