#!/usr/bin/env python3
# timeout: 300
"""basic.py - what every ensemble does: writes, reads, watches, sessions that move, servers that come back, words.

    basic.py --kinds zkc,java,java --tap

Each kind among the servers leads once, and the whole list is gone through with it as the leader; afterwards all servers
must hold the same tree. --observer makes the last server (a fourth or later) an observer.
"""

import argparse
import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

import ensemble     # noqa: E402
import rawclient    # noqa: E402
import tap          # noqa: E402
import trees        # noqa: E402
from protocol import EPHEMERAL, OPEN_ACL, PERSISTENT    # noqa: E402

NODE_CREATED, NODE_DELETED, DATA_CHANGED, CHILDREN_CHANGED = 1, 2, 3, 4
NO_NODE, SESSION_MOVED = -101, -118
# Keys of mntr that a leader has and the others have not; the rest of mntr is the standalone server's.
LEADER_KEYS = ("learners", "synced_followers", "synced_non_voting_followers", "synced_observers", "pending_syncs",
               "leader_uptime", "last_proposal_size", "min_proposal_size", "max_proposal_size")


def expect(condition, text, *values):
    if not condition:
        raise AssertionError(text % values)


def synced(session):
    session.call("sync", b"/")
    return session


class Basic:
    """The list, on an ensemble that serves and a node of its own for each round."""

    def __init__(self, servers, report, home):
        self.servers, self.report = servers, report
        self.first = servers.leader()       # who leads again before each fact
        self.home = home.encode()
        with self.session(servers.leader()) as session:
            session.call("create", self.home, b"", OPEN_ACL, PERSISTENT)

    def session(self, sid, **options):
        return Closing(self.servers.session(sid, **options))

    def step(self, fact):
        return ensemble.step(self.report, self.servers, "%s leads: %s" % (self.servers.kind(self.first), fact))

    def writes_reach_all(self):
        for writer in self.servers.sids():
            path = self.home + b"/by%d" % writer
            with self.session(writer) as session:
                created = session.call("create2", path, b"0", OPEN_ACL, PERSISTENT)
                stat = session.call("setData", path, b"1", 0).stat
                expect(stat.czxid == created.stat.czxid and stat.version == 1, "wrong stat %s", stat)
            for reader in self.servers.sids():
                with self.session(reader) as session:
                    got = synced(session).call("getData", path, False)
                    expect(got.data == b"1" and got.stat == stat, "server %d reads %s", reader, got)

    def watches_fire_across(self):
        sids = self.servers.sids()
        for watcher in sids:
            changer = sids[sids.index(watcher) - 1]
            path = self.home + b"/watched%d" % watcher
            with self.session(watcher) as watching, self.session(changer) as changing:
                expect(watching.ask("exists", path, True)[0].err == NO_NODE, "%s is there", path)
                watching.call("getChildren", self.home, True)
                changing.call("create", path, b"", OPEN_ACL, PERSISTENT)
                self.wait_events(watching, {(NODE_CREATED, path), (CHILDREN_CHANGED, self.home)})
                watching.call("getData", path, True)
                changing.call("setData", path, b"x", -1)
                self.wait_events(watching, {(DATA_CHANGED, path)})
                watching.call("exists", path, True)
                changing.call("delete", path, -1)
                self.wait_events(watching, {(NODE_DELETED, path)})

    @staticmethod
    def wait_events(session, expected, timeout=10.0):
        deadline = time.monotonic() + timeout
        while {(event.type, event.path) for event in session.events} != expected:
            expect(time.monotonic() < deadline, "events %s, expected %s", session.events, expected)
            session.ping()
            time.sleep(0.01)
        expect(len(session.events) == len(expected), "an event came twice: %s", session.events)
        session.events.clear()

    def sync_sees(self):
        """A write answered at one server is there after a sync at another."""
        sids = self.servers.sids()
        path = self.home + b"/synced"
        with self.session(self.servers.leader()) as writer:
            writer.call("create", path, b"0", OPEN_ACL, PERSISTENT)
            for reader_sid in sids:
                with self.session(reader_sid) as reader:
                    for count in range(20):
                        value = b"%d of %d" % (count, reader_sid)
                        writer.call("setData", path, value, -1)
                        got = synced(reader).call("getData", path, False)
                        expect(got.data == value, "server %d reads %s after sync, written was %s", reader_sid,
                               got.data, value)

    def session_moves(self):
        """A session goes on at each server in turn, its ephemeral stays; at the server it left it can do nothing."""
        sids = self.servers.sids()
        path = self.home + b"/moving"
        first = old = self.servers.session(sids[0])
        first.call("create", path, b"", OPEN_ACL, EPHEMERAL)
        for sid in sids[1:] + sids[:1]:
            new = self.servers.again(sid, old)
            expect(not new.expired and new.id == first.id, "the session is lost at server %d", sid)
            stat = synced(new).call("exists", path, False).stat
            expect(stat.ephemeralOwner == first.id, "the ephemeral has owner 0x%x", stat.ephemeralOwner)
            try:
                header, _ = old.ask("setData", path, b"from where it was", -1)
                expect(header.err == SESSION_MOVED, "the old connection wrote: %d", header.err)
            except rawclient.Closed:
                pass
            stat = new.call("setData", path, b"%d" % sid, -1).stat
            old.disconnect()
            old = new
        expect(stat.version == len(sids), "%d writes made version %d", len(sids), stat.version)
        # Not at the server it is connected to: that one closes the connection before it looks at the password.
        wrong = rawclient.Session(self.servers.address_of(sids[1]), 30000, first.id, b"\1" * 16)
        expect(wrong.expired, "a wrong password takes the session over")
        wrong.disconnect()
        old.close()
        self.gone_everywhere(path)

    def gone_everywhere(self, path, timeout=15.0):
        for sid in self.servers.sids():
            with self.session(sid) as session:
                deadline = time.monotonic() + timeout
                while synced(session).ask("exists", path, False)[0].err != NO_NODE:
                    expect(time.monotonic() < deadline, "%s is still there at server %d", path, sid)
                    time.sleep(0.05)

    def ephemerals_go(self):
        for sid in self.servers.sids():
            path = self.home + b"/ephemeral%d" % sid
            session = self.servers.session(sid)
            session.call("create", path, b"", OPEN_ACL, EPHEMERAL)
            session.close()
            for other in self.servers.sids():
                with self.session(other) as looking:
                    expect(synced(looking).ask("exists", path, False)[0].err == NO_NODE,
                           "%s is at server %d after the close of its session", path, other)

    def sessions_expire(self):
        """Without a connection a session ends after its time, neither sooner nor much later, on all servers."""
        timeout_ms = int(self.servers.tick_time * 1000) * 2
        sessions = []
        for sid in self.servers.sids():
            session = self.servers.session(sid, timeout_ms=timeout_ms)
            path = self.home + b"/expiring%d" % sid
            session.call("create", path, b"", OPEN_ACL, EPHEMERAL)
            session.disconnect()
            sessions.append((session, path))
        begin = time.monotonic()
        with self.session(self.servers.leader()) as looking:
            for session, path in sessions:
                while synced(looking).ask("exists", path, False)[0].err != NO_NODE:
                    expect(time.monotonic() < begin + 4 * timeout_ms / 1000 + 5, "%s does not expire", path)
                    time.sleep(0.02)
                # A server tells the leader of its sessions once in half a tick.
                expect(time.monotonic() > begin + timeout_ms / 1000 - self.servers.tick_time, "%s expired early", path)
        for session, path in sessions:
            self.gone_everywhere(path)
            for sid in self.servers.sids():
                again = rawclient.Session(self.servers.address_of(sid), 30000, session.id, session.password)
                expect(again.expired, "an expired session is taken at server %d", sid)
                again.disconnect()

    def count(self, name):
        return int(self.servers.mntr(self.servers.leader()).get(name, "-1"))

    def write_some(self, count, name):
        with self.session(self.servers.leader()) as session:
            for number in range(count):
                session.call("create", self.home + b"/%s%d" % (name, number), b"x" * 50, OPEN_ACL, PERSISTENT)

    def follower_rejoins(self):
        """A follower that was killed comes back; it gets what it missed, by DIFF."""
        sid = self.servers.followers()[0]
        self.servers.wait_caught_up()
        diffs, closed = self.count("diff_count"), self.count("cnt_socket_closing_time")
        self.servers.kill(sid)
        self.write_some(20, b"missed")
        self.servers.start_one(sid)
        self.servers.wait_serving()
        self.servers.wait_caught_up()
        expect(self.count("diff_count") == diffs + 1, "diff_count is %d after %d", self.count("diff_count"), diffs)
        expect(self.count("cnt_socket_closing_time") == closed + 1, "cnt_socket_closing_time is %d after %d",
               self.count("cnt_socket_closing_time"), closed)
        self.same_trees()

    def wiped_follower_rejoins(self):
        """A follower that lost its disk comes back; it gets all, by SNAP."""
        sid = self.servers.followers()[-1]
        snaps = self.count("snap_count")
        self.servers.kill(sid)
        self.servers.wipe(sid)
        self.write_some(20, b"wiped")
        self.servers.start_one(sid)
        self.servers.wait_serving()
        self.servers.wait_caught_up()
        expect(self.count("snap_count") == snaps + 1, "snap_count is %d after %d", self.count("snap_count"), snaps)
        self.same_trees()

    def leader_falls(self):
        """The leader is killed; another leads with a later epoch, a session of a follower goes on where it was."""
        leader = self.servers.leader()
        follower = self.servers.followers()[0]
        session = self.servers.session(follower)
        session.call("create", self.home + b"/survivor", b"", OPEN_ACL, EPHEMERAL)
        epoch = self.servers.zxid(leader) >> 32
        self.servers.kill(leader)
        begin = time.monotonic()
        new = self.servers.wait_serving()
        self.report.note("%s leads %.2f s after the kill of %s" % (self.servers.name(new), time.monotonic() - begin,
                                                                  self.servers.name(leader)))
        expect(new != leader, "the dead lead")
        expect(self.servers.zxid(new) >> 32 == epoch + 1, "epoch %d after %d", self.servers.zxid(new) >> 32, epoch)
        again = self.servers.again(new, session)
        expect(not again.expired, "the session is lost")
        stat = again.call("setData", self.home + b"/survivor", b"still", 0).stat
        expect(stat.mzxid >> 32 == epoch + 1, "a write of the new epoch has zxid 0x%x", stat.mzxid)
        expect(stat.ephemeralOwner == session.id, "the ephemeral has owner 0x%x", stat.ephemeralOwner)
        again.close()
        session.disconnect()
        self.servers.start_one(leader)
        self.servers.wait_serving()
        expect(self.servers.leader() == new, "a server that comes back takes the lead")
        self.servers.wait_caught_up()
        self.same_trees()

    def quorum_is_needed(self):
        """Without a quorum nothing is served; with it the session and all data are there again."""
        leader = self.servers.leader()
        voters = [sid for sid in self.servers.sids() if sid not in self.servers.observers]
        down = [sid for sid in voters if sid != leader][:len(voters) // 2 + len(voters) % 2]
        session = self.servers.session(leader)
        for sid in down:
            self.servers.kill(sid)
        self.servers.wait(lambda: self.servers.mode(leader) is None, "a leader without followers gives up")
        answer = self.servers.word(leader, "srvr")
        expect("not currently serving requests" in answer, "srvr says %r", answer)
        expect(self.servers.word(leader, "ruok") == "imok", "ruok is not answered")
        refused = rawclient.Connection(self.servers.address_of(leader), 5.0)
        refused.send_frame(rawclient.connect_frame())
        expect(refused.read_frame() is None, "a session is made without a quorum")
        refused.close()
        for sid in down:
            self.servers.start_one(sid)
        self.servers.wait_serving()
        again = self.servers.again(leader, session)
        expect(not again.expired, "the session is lost")
        again.close()
        session.disconnect()

    def words(self):
        leader = self.servers.leader()
        sids = self.servers.sids()
        observers = len(self.servers.observers)
        for sid in sids:
            mode = "leader" if sid == leader else "observer" if sid in self.servers.observers else "follower"
            doing = {"leader": "leading", "follower": "following", "observer": "observing"}[mode]
            for word in ("srvr", "stat"):
                answer = self.servers.word(sid, word)
                expect("\nMode: %s\n" % mode in answer, "%s of server %d: %s", word, sid, answer)
                expect(("Proposal sizes last/min/max: " in answer) == (sid == leader), "%s of server %d: %s", word,
                       sid, answer)
            mntr = self.servers.mntr(sid)
            expect(mntr["server_state"] == mode, "server %d: server_state is %s", sid, mntr["server_state"])
            expect(mntr["peer_state"] == doing + " - broadcast", "server %d: peer_state is %s", sid,
                   mntr["peer_state"])
            expect(mntr["quorum_size"] == str(len(sids) - observers), "server %d: quorum_size is %s", sid,
                   mntr["quorum_size"])
            for key in LEADER_KEYS:
                if key == "synced_observers" and mode == "follower":
                    continue    # 3.9 tells it as an observer master, 3.8 does not
                expect((key in mntr) == (sid == leader), "server %d, %s: mntr %s %s", sid, mode,
                       "has" if key in mntr else "has no", key)
            expect(("observer_master_id" in mntr) == (mode == "observer"), "server %d: observer_master_id", sid)
            expect(self.servers.word(sid, "isro") == "rw", "server %d: isro", sid)
            conf = dict(line.split("=", 1) for line in self.servers.word(sid, "conf").splitlines() if "=" in line)
            quorum, election, _ = self.servers.ports[sid]
            expected = {"serverId": str(sid), "quorumPort": str(quorum), "electionPort": str(election),
                        "peerType": "1" if mode == "observer" else "0", "electionAlg": "3",
                        "initLimit": str(self.servers.init_limit), "syncLimit": str(self.servers.sync_limit)}
            expected.update(("server.%d" % other, self.servers.server_line(other)) for other in sids)
            expect(expected.items() <= conf.items(), "server %d: conf has %s, expected %s", sid, conf, expected)
        mntr = self.servers.mntr(leader)
        expected = {"learners": len(sids) - 1, "synced_followers": len(sids) - 1 - observers,
                    "synced_observers": observers, "pending_syncs": 0}
        got = {key: int(mntr[key]) for key in expected}
        expect(got == expected, "mntr of the leader: %s, expected %s", got, expected)
        with self.session(self.servers.followers()[0]) as session:
            session.call("create", self.home + b"/dumped", b"", OPEN_ACL, EPHEMERAL)
            self.servers.wait_caught_up()
            for sid in sids:
                dump = self.servers.word(sid, "dump")
                expect("0x%x" % session.id in dump and self.home.decode() + "/dumped" in dump, "dump of server %d: %s",
                       sid, dump)

    def same_trees(self):
        lines, _ = trees.compare(self.servers)
        expect(not lines, "%s", "\n".join(lines))

    def same_digests(self):
        self.servers.wait_caught_up()
        self.same_trees()
        lines, _ = trees.compare_digests(self.servers)
        expect(not lines, "%s", "\n".join(lines))

    def run(self):
        for fact, act in (
                ("the words tell each server's role", self.words),
                ("a write through any server is read at every server", self.writes_reach_all),
                ("a watch fires for a change made at another server", self.watches_fire_across),
                ("sync makes a write of another server visible", self.sync_sees),
                ("a session moves from server to server", self.session_moves),
                ("ephemerals are gone everywhere when their session is closed", self.ephemerals_go),
                ("ephemerals are gone everywhere when their session expires", self.sessions_expire),
                ("a killed follower comes back by DIFF", self.follower_rejoins),
                ("a wiped follower comes back by SNAP", self.wiped_follower_rejoins),
                ("without a quorum nothing is served", self.quorum_is_needed),
                ("all servers hold the same tree and digests", self.same_digests),
                ("the leader is killed and another leads", self.leader_falls)):
            with self.step(fact):
                self.servers.make_leader(self.first)
                act()


class Closing:
    """A session that is closed at the end of its block."""

    def __init__(self, session):
        self.session = session

    def __enter__(self):
        return self.session

    def __exit__(self, *exc):
        try:
            self.session.close()
        except (OSError, rawclient.Closed, rawclient.Timeout):
            self.session.disconnect()


def main():
    parser = argparse.ArgumentParser(description="What every ensemble does, with each kind as the leader.")
    ensemble.add_options(parser)
    parser.add_argument("--observer", action="store_true", help="the last server is an observer")
    parser.add_argument("--leaders", help="the ids that lead, such as 1,3 (one of each kind)")
    tap.add_option(parser)
    options = parser.parse_args()
    why = ensemble.require(options.kinds)
    if why:
        tap.skip_all(why)
    report = tap.Tap(plain=not options.tap)
    kinds = ensemble.parse_kinds(options.kinds)
    leaders = [int(sid) for sid in options.leaders.split(",")] if options.leaders else \
        [kinds.index(kind) + 1 for kind in dict.fromkeys(kinds)]
    report.note("kinds: " + ",".join(kinds))
    with ensemble.Ensemble(kinds, observers=[len(kinds)] if options.observer else ()) as servers:
        for number, sid in enumerate(leaders):
            try:
                servers.make_leader(sid)
            except ensemble.EnsembleError as error:
                report.ok(False, "%s leads" % servers.name(sid))
                report.note(error)
                break
            Basic(servers, report, "/round%d" % number).run()
    return report.done()


if __name__ == "__main__":
    sys.exit(main())
