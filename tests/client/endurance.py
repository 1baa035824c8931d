#!/usr/bin/env python3
# timeout: 120
"""endurance.py - a session loses its connection over and over: watches and completions are neither lost nor doubled.

    endurance.py --tap
    endurance.py --long         100,000 watches and 1,000 connections that break, in place of 5,000 and 50

The client (endurance.c) reaches an ensemble of three through proxies here, one before each server, which cut its
connections anywhere in the stream. (1) Watches are set, the connection is cut, the session is held off while nodes
change, its server is killed, it is moved to another: each watch fires once, whether its node changed before, while or
after the session was away. (2) Under a load of asynchronous requests connections break, servers are killed and started:
each completion is called once, in the order of calls, and no node is seen older than before.
"""

import argparse
import os
import random
import select
import socket
import subprocess
import sys
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
SOURCE = os.environ.get("ZKC_SOURCE", os.path.dirname(os.path.dirname(HERE)))
sys.path.insert(0, os.path.join(SOURCE, "tests", "lib"))

import ensemble         # noqa: E402
import tap as tap_lib   # noqa: E402

TOOL = os.path.join(os.environ.get("ZKC_BUILD", os.getcwd()), "tests", "client", "endurance")
TIMEOUT_MS = 15000
WINDOW = 200
LIMIT = 90.0
CHUNK = 65536


class Proxy:
    """Forwards connections to one server; cut() breaks those that are there, hold() lets no more through."""

    def __init__(self, target):
        self.target = target
        self.lock = threading.Lock()
        self.pairs = {}             # (client's socket, server's) -> bytes that came from the server
        self.held = False
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.address = self.listener.getsockname()
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            client, _ = self.listener.accept()
            try:
                if self.held:
                    raise OSError("held")
                server = socket.create_connection(self.target, timeout=5.0)
            except OSError:
                client.close()
                continue
            with self.lock:
                self.pairs[client, server] = 0
            threading.Thread(target=self._pump, args=(client, server), daemon=True).start()

    def _pump(self, client, server):
        for one in (client, server):
            one.settimeout(None)
            one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            while True:
                for source in select.select([client, server], [], [])[0]:
                    data = source.recv(CHUNK)
                    if not data:
                        return
                    (server if source is client else client).sendall(data)
                    if source is server:
                        with self.lock:
                            if (client, server) in self.pairs:
                                self.pairs[client, server] += len(data)
        except (OSError, ValueError):
            pass
        finally:
            self._end(client, server)

    def _end(self, client, server):
        with self.lock:
            self.pairs.pop((client, server), None)
        for one in (client, server):
            try:
                one.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            one.close()

    def received(self):
        """Bytes that the connections there are have had from the server."""
        with self.lock:
            return sum(self.pairs.values())

    def cut(self):
        """Ends the connections, amid what they carry; their threads close them."""
        with self.lock:
            pairs = list(self.pairs)
            self.pairs.clear()
        for pair in pairs:
            for one in pair:
                try:
                    one.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass


class Client:
    """The tool, which is told commands and answers each with a line."""

    def __init__(self, proxies, addresses):
        hosts, others = [",".join("%s:%d" % address for address in some)
                         for some in ([proxy.address for proxy in proxies.values()], addresses)]
        self.process = subprocess.Popen([TOOL, hosts, others, str(TIMEOUT_MS)], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True, bufsize=1)
        self.timer = threading.Timer(LIMIT, self.process.kill)    # whatever hangs ends then
        self.timer.start()
        self.connections = 0

    def tell(self, command):
        """Returns the answer; AssertionError when it is none of success."""
        try:
            self.process.stdin.write(command + "\n")
            self.process.stdin.flush()
        except OSError:
            pass
        line = self.process.stdout.readline().strip()
        if not line.startswith("ok"):
            raise AssertionError("%s: %s" % (command, line or "the client ended"))
        return line

    def connected(self, more=1):
        """Waits for so many connections more; returns the address of the server."""
        words = self.tell("connected %d" % (self.connections + more)).split()
        self.connections = int(words[1])
        return words[2]

    def end(self):
        self.timer.cancel()
        self.process.stdin.close()
        said = self.process.stdout.read()
        self.process.stdout.close()
        try:
            return self.process.wait(20), said
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait(), said


class Hardship:
    def __init__(self, report, servers, watches, cuts):
        self.report, self.servers, self.watches, self.cuts = report, servers, watches, cuts
        self.proxies = {sid: Proxy(servers.address_of(sid)) for sid in servers.sids()}
        self.client = Client(self.proxies, servers.addresses())
        self.random = random.Random(1)

    def cut_all(self):
        for proxy in self.proxies.values():
            proxy.cut()

    def hold(self, sids, held=True):
        for sid in sids:
            self.proxies[sid].held = held

    def server_at(self, address):
        return next(sid for sid, proxy in self.proxies.items() if "%s:%d" % proxy.address == address)

    def wait_for_cut(self):
        """Until the client has a connection again that has carried something, more or less of it."""
        wanted = self.random.choice((1, 41, 50, 100, 1000, 5000))
        deadline = time.monotonic() + 20.0
        while sum(proxy.received() for proxy in self.proxies.values()) < wanted:
            if time.monotonic() > deadline:
                raise AssertionError("the client does not come back")
            time.sleep(0.001)

    def watch(self):
        quarter = self.watches // 4
        report, client, servers = self.report, self.client, self.servers
        with ensemble.step(report, servers, "%d watches are set" % self.watches):
            client.connected()
            client.tell("watch %d" % self.watches)
        with ensemble.step(report, servers, "after the connection was cut each of a quarter fires once"):
            self.cut_all()
            client.connected()
            client.tell("fire 0 %d" % quarter)
            report.note(client.tell("fired 0 %d" % quarter))
        with ensemble.step(report, servers, "so do those whose nodes changed while the session was away"):
            self.hold(self.proxies)
            self.cut_all()
            client.tell("fire %d %d" % (quarter, 2 * quarter))
            self.hold(self.proxies, False)
            here = client.connected()
            report.note(client.tell("fired %d %d" % (quarter, 2 * quarter)))
        with ensemble.step(report, servers, "and those of a session whose server was killed"):
            killed = self.server_at(here)
            servers.kill(killed)
            self.proxies[killed].cut()
            client.connected()
            client.tell("fire %d %d" % (2 * quarter, 3 * quarter))
            report.note(client.tell("fired %d %d" % (2 * quarter, 3 * quarter)))
            servers.start_one(killed)
            servers.wait_serving()
        with ensemble.step(report, servers, "and those of a session that moved to another server"):
            here = self.server_at(client.connected(0))
            self.hold([here])
            self.proxies[here].cut()
            assert self.server_at(client.connected()) != here
            self.hold([here], False)
            client.tell("fire %d %d" % (3 * quarter, self.watches))
            report.note(client.tell("fired %d %d" % (3 * quarter, self.watches)))

    def load(self):
        with ensemble.step(self.report, self.servers,
                           "a load with %d broken connections and killed servers keeps order" % self.cuts):
            self.client.tell("load %d" % WINDOW)
            killed = None
            for i in range(self.cuts):
                self.wait_for_cut()
                if i % (self.cuts // 3 + 1) == self.cuts // 6:
                    killed = self.random.choice(self.servers.sids())
                    self.servers.kill(killed)
                self.cut_all()
                if killed is not None:
                    self.servers.start_one(killed)
                    killed = None
            self.servers.wait_serving()
            self.client.connected()
            time.sleep(0.2)     # a little load in peace
            self.report.note(self.client.tell("stop"))

    def end(self):
        with ensemble.step(self.report, self.servers, "both sessions are closed"):
            status, said = self.client.end()
            assert status == 0 and said.startswith("ok closed"), "status %d, %s" % (status, said)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--long", action="store_true", help="as the issue asks for")
    parser.add_argument("--kinds", default="zkc", help="of the servers")
    tap_lib.add_option(parser)
    options = parser.parse_args()
    report = tap_lib.Tap(plain=not options.tap)
    missing = ensemble.require(options.kinds)
    if missing:
        tap_lib.skip_all(missing)
    global LIMIT
    if options.long:
        LIMIT = 1800.0     # a client that is cut off at once each time waits up to a second
    watches, cuts = (100000, 1000) if options.long else (5000, 50)
    with ensemble.Ensemble(options.kinds, tick_time=500) as servers:
        hardship = Hardship(report, servers, watches, cuts)
        try:
            hardship.watch()
            hardship.load()
        finally:
            hardship.end()
    return report.done()


if __name__ == "__main__":
    sys.exit(main())
