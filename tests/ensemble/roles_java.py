#!/usr/bin/env python3
# timeout: 300
"""roles_java.py - what Java's zkCli sees of an observer, of local sessions and of a server that is read-only.

    roles_java.py --kinds "zkc,zkc,zkc zkc,java,java" --tap

Three voters and an observer, which is of the first kind as the server is that stays alone and becomes read-only.
"""

import argparse
import re
import sys

import reconfig     # for what it puts on the path
from reconfig import expect

import ensemble
import servers
import talk
import tap

CHANGED = "type:NodeDataChanged path:%s"
OBSERVER, ALONE = 4, 1


class Roles:
    def __init__(self, members, report):
        self.servers, self.report = members, report
        self.clients = []
        self.local = self.others = self.reader = None

    def step(self, fact):
        kinds = ",".join(self.servers.kind(sid) for sid in self.servers.sids())
        return ensemble.step(self.report, self.servers, "%s: %s" % (kinds, fact))

    def zk_cli(self, sid):
        client = talk.Talk(talk.zk_cli("%s:%d" % self.servers.address_of(sid)))
        self.clients.append(client)
        client.asks(None, "SyncConnected")
        return client

    def observer(self):
        expect(self.servers.mode(OBSERVER) == "observer", "its mode is %s", self.servers.mode(OBSERVER))
        here, there = self.zk_cli(OBSERVER), self.zk_cli(self.servers.leader())
        here.asks("create /observed first", "Created /observed")
        here.asks("get -w /observed", "first")
        there.asks("sync /", "Sync is OK")
        there.asks("set -s /observed second -v 0", "dataVersion = 1")
        here.asks(None, CHANGED % "/observed")
        here.asks("get /observed", "second")
        here.asks("config", r"server\.%d=\S+:observer;" % OBSERVER)

    def local_session(self):
        sid = self.servers.followers()[0]
        other = next(one for one in self.servers.sids() if one != sid)
        before = self.servers.zxid(self.servers.leader())
        client, looking = self.zk_cli(sid), self.zk_cli(other)
        client.asks("get /observed", "second")
        zxid = self.servers.zxid(self.servers.leader())
        expect(zxid == before, "two sessions make the zxid 0x%x of 0x%x", zxid, before)
        count = self.servers.mntr(sid)["local_sessions"]
        expect(int(count) >= 1, "local_sessions is %s", count)
        self.local = (sid, client, looking)

    def upgrade(self):
        sid, client, looking = self.local
        client.asks("create -e /ephemeral", "Created /ephemeral")
        looking.asks("sync /", "Sync is OK")
        owner = looking.asks("stat -w /ephemeral", r"ephemeralOwner = (0x[0-9a-f]+)(?s:.*?)numChildren = 0").group(1)
        sessions = re.findall(r"sid=(0x[0-9a-f]+)", self.servers.word(sid, "cons"))
        expect(owner in sessions, "its owner is %s, sessions there are %s", owner, sessions)
        client.say("quit")
        looking.asks(None, "type:NodeDeleted path:/ephemeral")

    def read_only(self):
        self.end()
        self.others = [sid for sid in self.servers.sids() if sid not in (ALONE, OBSERVER)]
        for sid in self.others:
            self.servers.kill(sid)
        self.servers.wait(lambda: self.servers.mode(ALONE) == "read-only", "it is read-only", 60)
        client = self.reader = talk.Talk(talk.zk_cli(self.servers.connect_string(), "-r"))
        self.clients.append(client)
        client.asks(None, "ConnectedReadOnly")
        client.asks("get /observed", "second")
        client.asks("create /read-only", "Not a read-only call")
        client.asks("set /observed third", "Not a read-only call")
        client.asks("ls /", "observed")

    def read_write(self):
        for sid in self.others:
            self.servers.start_one(sid)
        self.servers.wait_serving()
        self.reader.asks(None, "SyncConnected", 90)
        self.reader.asks("create /read-write", "Created /read-write")
        self.reader.asks("set -s /observed third -v 1", "dataVersion = 2")

    def end(self):
        for client in self.clients:
            client.end()
        self.clients = []

    def run(self):
        before = self.report.failed
        for fact, act in (("at an observer zkCli writes, reads and hears of changes", self.observer),
                          ("zkCli's session is its server's alone", self.local_session),
                          ("an ephemeral makes it everybody's, and goes with it", self.upgrade),
                          ("zkCli -r reads from a server alone, and is refused writes", self.read_only),
                          ("it writes when the others are back", self.read_write)):
            with self.step(fact):
                act()
            if self.report.failed > before:
                break
        self.end()


def main():
    parser = argparse.ArgumentParser(description="What zkCli sees of the roles a server may have.")
    ensemble.add_options(parser, kinds="zkc,zkc,zkc zkc,zkc,java")
    tap.add_option(parser)
    options = parser.parse_args()
    for kinds in options.kinds.split():
        why = ensemble.require(kinds) or servers.require("java")
        if why:
            tap.skip_all(why)
    report = tap.Tap(plain=not options.tap)
    for kinds in map(ensemble.parse_kinds, options.kinds.split()):
        config = {"localSessionsEnabled": "true", "localSessionsUpgradingEnabled": "true"}
        with ensemble.Ensemble(kinds + kinds[:1], observers=[OBSERVER], config=config,
                               properties={"readonlymode.enabled": "true"}) as members:
            Roles(members, report).run()
    return report.done()


if __name__ == "__main__":
    sys.exit(main())
