#!/usr/bin/env python3
# timeout: 600
"""roles.py - observers, read-only servers, quorums by groups and weights, local sessions: what clients see of each.

    roles.py --kinds zkc,java,java --only observer,read_only --tap

Five servers are needed for the groups and four for the observer; those past the third are of the kinds of the first
ones again.
"""

import argparse
import itertools
import os
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

import ensemble     # noqa: E402
import ports        # noqa: E402
import rawclient    # noqa: E402
import tap          # noqa: E402
import trees        # noqa: E402
from protocol import EPHEMERAL, OPEN_ACL, PERSISTENT    # noqa: E402

NO_NODE, NODE_EXISTS, NOT_READ_ONLY, EPHEMERAL_ON_LOCAL = -101, -110, -119, -120


def expect(condition, text, *values):
    if not condition:
        raise AssertionError(text % values)


def refused(address):
    """Whether the server makes no session for an ordinary client."""
    try:
        session = rawclient.Session(address, timeout=5.0)
    except (OSError, rawclient.Closed):
        return True
    session.disconnect()
    return session.expired


def same_trees(servers):
    servers.wait_caught_up()
    lines, _ = trees.compare(servers)
    expect(not lines, "%s", "\n".join(lines))


def take(kinds, count):
    return list(itertools.islice(itertools.cycle(kinds), count))


def observer(kinds, report):
    # The observer is of the first kind, the voters of all.
    with ensemble.Ensemble(take(kinds, 3) + [kinds[0]], observers=[4]) as servers:
        name = "an observer (%s)" % servers.kind(4)

        def step(fact):
            return ensemble.step(report, servers, "%s %s" % (name, fact))

        with step("serves reads, writes and watches"):
            expect(servers.mode(4) == "observer", "its mode is %s", servers.mode(4))
            here, there = servers.session(4), servers.session(servers.leader())
            here.call("create", b"/observed", b"0", OPEN_ACL, PERSISTENT)
            here.call("getData", b"/observed", True)
            there.call("sync", b"/")
            there.call("setData", b"/observed", b"1", 0)
            here.call("sync", b"/")
            expect(here.call("getData", b"/observed", False).data == b"1", "it does not see the write")
            expect([event.path for event in here.events] == [b"/observed"], "events: %s", here.events)
            there.close()
        with step("keeps its sessions when the leader falls"):
            here.call("create", b"/ephemeral", b"", OPEN_ACL, EPHEMERAL)
            old = servers.leader()
            servers.kill(old)
            servers.wait_serving()
            moved = servers.again(4, here)
            expect(not moved.expired, "the session is lost")
            stat = moved.call("setData", b"/ephemeral", b"", 0).stat
            expect(stat.ephemeralOwner == here.id, "the ephemeral has owner 0x%x", stat.ephemeralOwner)
            servers.start_one(old)
            servers.wait_serving()
            moved.close()
        with step("is not missed: the voters write without it, and it comes back"):
            servers.kill(4)
            session = servers.session(servers.leader())
            for number in range(10):
                session.call("create", b"/without%d" % number, b"", OPEN_ACL, PERSISTENT)
            session.close()
            servers.start_one(4)
            servers.wait_serving()
            same_trees(servers)
        with step("does not make a quorum"):
            down = servers.followers()
            for sid in down:
                servers.kill(sid)
            servers.wait(lambda: servers.mode(4) is None, "it serves no more")
            expect(refused(servers.address_of(4)), "it makes a session")
            for sid in down:
                servers.start_one(sid)
            servers.wait_serving()
        with step("never leads"):
            for sid in (1, 2, 3):
                servers.kill(sid)
            for sid in (1, 2):
                servers.start_one(sid)
            leader = servers.wait_serving([1, 2, 4])
            expect(leader in (1, 2), "server %d leads", leader)
            servers.start_one(3)
            servers.wait_serving()
            same_trees(servers)


def observer_master(kinds, report):
    # Servers 1 and 4 know of the port, and all live at one address: the observer comes to server 1 or to nobody.
    own = ({"observerMasterPort": ports.one()}, {})
    with ensemble.Ensemble(take(kinds, 3) + [kinds[0]], observers=[4], per_server={1: own, 4: own}) as servers:
        if servers.leader() == 1:
            servers.kill(1)
            servers.wait_serving([2, 3])
            servers.start_one(1)
            servers.wait_serving()
        name = "an observer (%s) of a follower (%s)" % (servers.kind(4), servers.kind(1))

        def step(fact):
            return ensemble.step(report, servers, "%s %s" % (name, fact))

        with step("is not the leader's"):
            leader = servers.mntr(servers.leader())
            expect(leader["synced_observers"] == "0", "the leader has %s observers", leader["synced_observers"])
        with step("serves reads, writes, syncs and watches"):
            here, there = servers.session(4), servers.session(servers.leader())
            here.call("create", b"/observed", b"0", OPEN_ACL, PERSISTENT)
            here.call("getData", b"/observed", True)
            for number in range(100):
                here.call("create", b"/ephemeral%d" % number, b"", OPEN_ACL, EPHEMERAL)
            there.call("setData", b"/observed", b"1", 0)
            here.call("sync", b"/")
            expect(here.call("getData", b"/observed", False).data == b"1", "it does not see the write")
            expect([event.path for event in here.events] == [b"/observed"], "events: %s", here.events)
        with step("comes back to what it missed"):
            servers.kill(4)
            for number in range(50):
                there.call("create", b"/missed%d" % number, b"", OPEN_ACL, PERSISTENT)
            servers.start_one(4)
            servers.wait_serving()
            same_trees(servers)
        with step("keeps its sessions"):
            moved = servers.again(4, here)
            expect(not moved.expired, "the session is lost")
            stat = moved.call("setData", b"/ephemeral5", b"", 0).stat
            expect(stat.ephemeralOwner == here.id, "the ephemeral has owner 0x%x", stat.ephemeralOwner)
            moved.close()
            there.call("sync", b"/")
            expect(there.ask("exists", b"/ephemeral5", False)[0].err == NO_NODE, "an ephemeral stays")
            there.close()
            same_trees(servers)
        with step("is cut off with its follower, and comes back with it"):
            servers.kill(1)
            servers.wait(lambda: servers.mode(4) is None, "it serves no more")
            servers.start_one(1)
            servers.wait_serving()
            same_trees(servers)


class Loopback:
    """A loopback address for each server: observerMasterPort is one for all."""

    @staticmethod
    def host(sid):
        return "127.0.0.%d" % (10 + sid)

    @staticmethod
    def prefix(sid):
        return ()

    def dispose(self):
        pass


def observer_masters(kinds, report):
    """With observerMasterPort at every server an observer follows a follower, and goes to another when it falls."""
    config = {"observerMasterPort": ports.one()}
    with ensemble.Ensemble(take(kinds, 3) + [kinds[0]], observers=[4], config=config, network=Loopback()) as servers:
        name = "an observer (%s) behind a follower" % servers.kind(4)
        master = int(servers.mntr(4)["observer_master_id"])

        def serves(path):
            session, other = servers.session(4), servers.session(servers.leader())
            session.call("create", path, b"", OPEN_ACL, EPHEMERAL)
            other.call("setData", path, b"1", 0)
            session.call("sync", b"/")
            expect(session.call("getData", path, False).data == b"1", "it does not see the write")
            other.close()
            moved = servers.again(servers.leader(), session)
            expect(not moved.expired, "its session is not known to the leader")
            moved.close()
            session.disconnect()

        with ensemble.step(report, servers, "%s serves" % name):
            expect(master in servers.followers(), "it follows server %d", master)
            mntr = servers.mntr(servers.leader())
            counts = mntr["learners"], mntr["synced_observers"]
            expect(counts == ("2", "0"), "the leader has %s learners, %s observers", *counts)
            serves(b"/first")
        with ensemble.step(report, servers, "%s goes to another when that one falls" % name):
            servers.kill(master)
            servers.wait_serving()
            servers.wait(lambda: servers.mntr(4).get("observer_master_id") not in (None, str(master), "-1"),
                         "it follows another")
            serves(b"/second")
            servers.start_one(master)
            servers.wait_serving()
            same_trees(servers)


def read_only(kinds, report):
    for kind in dict.fromkeys(kinds):
        left = kinds.index(kind) + 1
        config = {"localSessionsEnabled": "true", "localSessionsUpgradingEnabled": "true"}
        with ensemble.Ensemble(kinds, config=config, properties={"readonlymode.enabled": "true"}) as servers:
            ReadOnly(servers, left, report).run()
    with ensemble.Ensemble(kinds, properties={"readonlymode.enabled": "true"}) as servers:
        ReadOnly(servers, 1, report).without_local_sessions()


class ReadOnly:
    """The server `left` loses the others."""

    def __init__(self, servers, left, report):
        self.servers, self.left, self.report = servers, left, report
        self.others = [sid for sid in servers.sids() if sid != left]
        self.session = servers.session(left)
        self.session.call("create", b"/before", b"0", OPEN_ACL, PERSISTENT)
        self.session.call("create", b"/ephemeral", b"", OPEN_ACL, EPHEMERAL)   # which makes the session a global one

    def step(self, fact):
        return ensemble.step(self.report, self.servers, "a server alone (%s) %s" % (self.servers.kind(self.left), fact))

    def lose_others(self):
        expect(not self.session.read_only, "a server of a quorum says that it is read-only")
        for sid in self.others:
            self.servers.kill(sid)
        self.servers.wait(lambda: self.servers.mode(self.left) == "read-only", "it is read-only", 60)
        expect(self.servers.word(self.left, "isro") == "ro", "isro says %s", self.servers.word(self.left, "isro"))
        state = self.servers.mntr(self.left)["server_state"]
        expect(state == "read-only", "mntr says %s", state)

    def refuses_writers(self):
        expect(refused(self.servers.address_of(self.left)), "it takes one")
        expect(refused_again(self.servers, self.left, self.session), "it takes one that was there before")

    def reads(self):
        client = self.client = rawclient.Session(self.servers.address_of(self.left), 30000, read_only=True)
        expect(client.read_only and not client.expired, "the answer to the connect request does not say so")
        expect(client.call("getData", b"/before", False).data == b"0", "it reads something else")
        owner = client.call("exists", b"/ephemeral", False).stat.ephemeralOwner
        expect(owner == self.session.id, "the ephemeral has owner 0x%x", owner)
        expect(client.zxid == self.session.zxid, "its zxid is 0x%x, before it was 0x%x", client.zxid,
               self.session.zxid)
        client.ping()

    def refuses_writes(self):
        client = self.client
        for request, values in (("create", (b"/new", b"", OPEN_ACL, PERSISTENT)), ("setData", (b"/before", b"1", -1)),
                                ("delete", (b"/before", -1)), ("setACL", (b"/before", OPEN_ACL, -1)),
                                ("create2", (b"/new", b"", OPEN_ACL, EPHEMERAL)), ("sync", (b"/",))):
            header, _ = client.ask(request, *values)
            expect(header.err == NOT_READ_ONLY, "%s is answered with %d", request, header.err)
        expect(client.call("getData", b"/before", False).data == b"0", "it reads something else")

    def refuses_session(self):
        """A global session would be touched, and nobody here can tell the others."""
        expect(refused_again(self.servers, self.left, self.session, read_only=True), "it takes it")

    def serves_again(self):
        for sid in self.others:
            self.servers.start_one(sid)
        self.servers.wait_serving()
        expect(self.servers.word(self.left, "isro") == "rw", "isro says %s", self.servers.word(self.left, "isro"))
        full = self.servers.again(self.left, self.session)
        expect(not full.expired and not full.read_only, "the session is lost")
        full.call("setData", b"/before", b"1", 0)
        owner = full.call("exists", b"/ephemeral", False).stat.ephemeralOwner
        expect(owner == full.id, "the ephemeral has owner 0x%x", owner)
        full.close()
        same_trees(self.servers)

    def run(self):
        for fact, act in (("becomes read-only", self.lose_others),
                          ("takes no session that wants to write", self.refuses_writers),
                          ("reads for a session that may be read-only", self.reads),
                          ("refuses every write", self.refuses_writes),
                          ("does not take over a session of the whole ensemble", self.refuses_session),
                          ("serves all when the others are back, with the session from before", self.serves_again)):
            before = self.report.failed
            with self.step(fact):
                act()
            if self.report.failed > before:
                break

    def without_local_sessions(self):
        """Java makes no new session here: it would have to be committed."""
        with self.step("without local sessions makes none and takes none, and serves all again with the others"):
            self.lose_others()
            connection = rawclient.Connection(self.servers.address_of(self.left), 10.0)
            connection.send_frame(rawclient.connect_frame(read_only=True))
            frame = connection.read_frame()
            expect(frame is None or len(frame) == 16 and frame[12:] == b"\xff\xff\xff\x89", "%s came", frame)
            connection.close()
            self.refuses_session()
            self.serves_again()


def refused_again(servers, sid, session, **options):
    """Whether the server closes the connection when it is asked for the session."""
    try:
        moved = rawclient.Session(servers.address_of(sid), 30000, session.id, session.password, session.zxid,
                                  timeout=5.0, **options)
    except (OSError, rawclient.Closed):
        return True
    moved.disconnect()
    return False


def groups(kinds, report):
    """Three groups of two, two and one: a quorum is most of two groups."""
    with ensemble.Ensemble(take(kinds, 5), groups=[[1, 2], [3, 4], [5]],
                           weights={sid: 1 for sid in range(1, 6)}) as servers:
        count = itertools.count()

        def serve_without(*down):
            for sid in servers.sids():
                if sid in down:
                    servers.kill(sid)
                elif not servers[sid].running():
                    servers.start_one(sid)
            servers.wait_serving()
            session = servers.session(servers.leader())
            session.call("create", b"/written%d" % next(count), b"", OPEN_ACL, PERSISTENT)
            session.close()

        with ensemble.step(report, servers, "groups: all five serve"):
            serve_without()
        with ensemble.step(report, servers, "groups: two groups serve without the third"):
            serve_without(1, 2)
            serve_without(5)
        with ensemble.step(report, servers, "groups: three of five are no quorum where two groups lack one"):
            serve_without()
            for sid in (2, 3):
                servers.kill(sid)
            servers.wait(lambda: not any(servers.modes().values()), "nobody serves")
            time.sleep(servers.tick_time * servers.sync_limit)
            expect(not any(servers.modes().values()), "someone serves: %s", servers.modes())
            serve_without(3)
        with ensemble.step(report, servers, "groups: all hold the same tree"):
            serve_without()
            same_trees(servers)


def weights(kinds, report):
    """One server weighs more than the two others; of these one weighs nothing."""
    with ensemble.Ensemble(kinds, groups=[[1, 2, 3]], weights={1: 3, 2: 2, 3: 0}) as servers:
        with ensemble.step(report, servers, "weights: the heavy one leads or follows, the weightless never leads"):
            expect(servers.leader() in (1, 2), "server %s leads", servers.leader())
        with ensemble.step(report, servers, "weights: the heavy one is a quorum by itself"):
            for sid in (2, 3):
                servers.kill(sid)
            servers.wait_serving([1])
            session = servers.session(1)
            session.call("create", b"/alone", b"", OPEN_ACL, PERSISTENT)
            session.close()
        with ensemble.step(report, servers, "weights: two of three are no quorum without it"):
            servers.kill(1)
            servers.launch([2, 3])
            servers.wait(lambda: all(servers[sid].running() and servers.srvr(sid) for sid in (2, 3)), "they answer")
            time.sleep(servers.tick_time * servers.sync_limit)
            expect(not any(servers.modes().values()), "someone serves: %s", servers.modes())
            servers.start_one(1)
            servers.wait_serving()
            same_trees(servers)
            expect(servers.leader() in (1, 2), "server %s leads", servers.leader())


def oracle(kinds, report):
    """Two servers, and a file each that says whether one may go on alone."""
    with tempfile.TemporaryDirectory(prefix="zk-oracle-") as directory:
        path = {sid: os.path.join(directory, str(sid)) for sid in (1, 2)}

        def say(answer, *sids):
            for sid in sids or (1, 2):
                with open(path[sid] + ".new", "w", encoding="ascii") as file:
                    file.write(answer)
                os.rename(path[sid] + ".new", path[sid])

        say("0")
        own = {sid: ({"oraclePath": path[sid]}, {}) for sid in (1, 2)}
        with ensemble.Ensemble(take(kinds, 2), per_server=own) as servers:
            def write(sid, name):
                session = servers.session(sid)
                session.call("create", name, b"", OPEN_ACL, PERSISTENT)
                session.close()

            with ensemble.step(report, servers, "oracle: both serve, whatever it says"):
                write(servers.leader(), b"/both")
            left = servers.leader()
            gone = next(sid for sid in (1, 2) if sid != left)
            with ensemble.step(report, servers, "oracle: it says no, and one alone does not serve"):
                servers.kill(gone)
                servers.wait(lambda: servers.mode(left) is None, "it serves no more")
                time.sleep(servers.tick_time * servers.sync_limit)
                expect(servers.mode(left) is None, "it serves as %s", servers.mode(left))
            with ensemble.step(report, servers, "oracle: it says yes, and one alone serves and writes"):
                say("1", left)
                servers.wait(lambda: servers.mode(left) == "leader", "it leads alone")
                write(left, b"/alone")
            with ensemble.step(report, servers, "oracle: the other comes back and has what was written"):
                say("0")
                servers.start_one(gone)
                servers.wait_serving()
                same_trees(servers)
                write(gone, b"/again")
            with ensemble.step(report, servers, "oracle: a leader that may goes on when its follower falls"):
                leader = servers.leader()
                say("1", leader)
                servers.kill(next(sid for sid in (1, 2) if sid != leader))
                time.sleep(servers.tick_time * servers.sync_limit)
                servers.wait(lambda: servers.mode(leader) == "leader", "it leads alone")
                write(leader, b"/goes_on")


def local_sessions(kinds, report):
    for upgrading in (True, False):
        config = {"localSessionsEnabled": "true", "localSessionsUpgradingEnabled": str(upgrading).lower()}
        with ensemble.Ensemble(kinds, config=config) as servers:
            for sid in servers.sids():
                role = "leader" if sid == servers.leader() else "follower"
                local_session(servers, sid, upgrading, report, "local sessions%s, %s (%s): " % (
                    "" if upgrading else " for good", role, servers.kind(sid)))
            with ensemble.step(report, servers, "local sessions: all hold the same tree"):
                same_trees(servers)


def local_session(servers, sid, upgrading, report, label):
    other = next(one for one in servers.sids() if one != sid)
    path = b"/upgraded%d" % sid
    with ensemble.step(report, servers, label + "a session is this server's alone"):
        session = servers.session(sid)
        before = servers.zxid(servers.leader())
        third = servers.session(sid)
        third.close()
        expect(servers.zxid(servers.leader()) == before, "a local session makes a transaction")
        mntr = servers.mntr(sid)
        expect(int(mntr["local_sessions"]) >= 1, "local_sessions is %s", mntr["local_sessions"])
        moved = servers.again(other, session)
        expect(moved.expired, "another server knows it")
        moved.disconnect()
        session.call("create", b"/by%d" % sid, b"", OPEN_ACL, PERSISTENT)
    if not upgrading:
        with ensemble.step(report, servers, label + "it makes no ephemeral"):
            header, _ = session.ask("create", path, b"", OPEN_ACL, EPHEMERAL)
            expect(header.err == EPHEMERAL_ON_LOCAL, "answered with %d", header.err)
            session.close()
        return
    with ensemble.step(report, servers, label + "an ephemeral makes it everybody's"):
        stat = session.call("create2", path, b"", OPEN_ACL, EPHEMERAL).stat
        expect(stat.ephemeralOwner == session.id, "the ephemeral has owner 0x%x", stat.ephemeralOwner)
        moved = servers.again(other, session)
        expect(not moved.expired, "another server does not know it")
        moved.call("setData", path, b"", 0)
        moved.close()
        for one in servers.sids():
            looking = servers.session(one)
            looking.call("sync", b"/")
            expect(looking.ask("exists", path, False)[0].err == NO_NODE, "the ephemeral stays")
            looking.close()
        session.disconnect()


PARTS = {part.__name__: part for part in (observer, observer_master, observer_masters, read_only, groups, weights, oracle,
                                          local_sessions)}


def main():
    parser = argparse.ArgumentParser(description="What clients see of the roles a server may have.")
    ensemble.add_options(parser)
    parser.add_argument("--only", default=",".join(PARTS), help=", ".join(PARTS))
    tap.add_option(parser)
    options = parser.parse_args()
    why = ensemble.require(options.kinds)
    if why:
        tap.skip_all(why)
    report = tap.Tap(plain=not options.tap)
    kinds = ensemble.parse_kinds(options.kinds)
    report.note("kinds: " + ",".join(kinds))
    for part in options.only.split(","):
        try:
            PARTS[part](kinds, report)
        except (ensemble.EnsembleError, OSError, rawclient.Closed, rawclient.Timeout, rawclient.RequestError) as error:
            report.ok(False, "%s: the ensemble starts" % part)
            report.note(error)
    return report.done()


if __name__ == "__main__":
    sys.exit(main())
