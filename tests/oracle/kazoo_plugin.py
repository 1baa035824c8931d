"""kazoo_plugin.py - lets kazoo's own test harness run the servers of our choice; loaded into pytest by kazoo_suite.py.

kazoo's ManagedZooKeeper starts a Java server from a class path and then sleeps; here run() writes the same config and
starts the server that ZKC_KAZOO_SERVERS names (java or zkc, one for each of the cluster), and returns when it serves.
ZKC_KAZOO_ONLY names the tests to run, as they stand in the report; all are run when it is empty.

A test that hangs fails after TEST_SECONDS, and its fellows run. test_lock may hang by itself: it waits, without a limit,
for the moment between two holders of a lock, and does not see it when the next holder is faster than its own thread.
"""

import gc
import importlib.util
import os
import shutil
import signal
import sys
import time
import types
import unittest.mock

sys.modules.setdefault("mock", unittest.mock)      # what kazoo's tests import under its old name
if importlib.util.find_spec("objgraph") is None:   # one function of it is used
    objgraph = types.ModuleType("objgraph")
    objgraph.count = lambda name: sum(type(thing).__name__ == name for thing in gc.get_objects())
    sys.modules["objgraph"] = objgraph
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

import pytest       # noqa: E402
import servers      # noqa: E402
from kazoo.testing import common, harness   # noqa: E402

TEST_SECONDS = 90


def launch(self):
    """Starts the server and waits for nothing."""
    data = os.path.join(self.working_path, "data")
    os.makedirs(data, exist_ok=True)
    with open(os.path.join(data, "myid"), "w", encoding="ascii") as file:
        file.write("%d\n" % self.server_info.server_id)
    config = {"dataDir": data, "admin.serverPort": self.server_info.admin_port, "maxClientCnxns": 0}
    config.update(entry.split("=", 1) for entry in self.configuration_entries)
    if self.peers:
        config.update({"initLimit": 4, "syncLimit": 2, "peerType": self.server_info.peer_type})
        # With kazoo's own lines each server knows no client address but its own, so it takes the leader's list for
        # another one and begins its election anew; Java's may then follow with its election port closed.
        config["clientPort"] = config["clientPortAddress"] = None
        for peer in (self.server_info, *self.peers):
            config["server.%s" % peer.server_id] = "127.0.0.1:%s:%s:%s;127.0.0.1:%s" % (
                peer.leader_port, peer.election_port, peer.peer_type, peer.client_port)
    properties = {"readonlymode.enabled": "true"}
    properties.update(entry[2:].split("=", 1) for entry in self.java_system_properties)
    if self.jaas_config:
        config["authProvider.1"] = "org.apache.zookeeper.server.auth.SASLAuthenticationProvider"
        path = os.path.join(self.working_path, "jaas.conf")
        with open(path, "w", encoding="ascii") as file:
            file.write(self.jaas_config)
        properties["java.security.auth.login.config"] = path
    kind = os.environ["ZKC_KAZOO_SERVERS"].split(",")[self.server_info.server_id - 1]
    server = servers.make(kind, config, properties, directory=self.working_path)
    server.launch(self.server_info.client_port)
    self.server = server
    self.process = server.process
    self._running = True


def wait(self):
    """Waits until the server serves; read-only does not count where there is a quorum."""
    self.server.wait_ready()
    members = list(harness.CLUSTER)
    quorum = 2 * sum(member.running for member in members) > len(members)
    deadline = time.monotonic() + servers.START_TIMEOUT
    while quorum and "Mode: read-only" in self.server.word("srvr"):
        if time.monotonic() > deadline:
            raise servers.StartError("server %d stays read-only%s" % (self.server_info.server_id, "".join(
                "\n--- server %d:\n%s" % (member.server_info.server_id, member.server.log_tail())
                for member in members)))
        time.sleep(0.02)


def run(self):
    """Starts the server in the place of ManagedZooKeeper.run()."""
    if not self.running:
        launch(self)
        wait(self)


def stop(self):
    if self.running:
        self.server.stop()
        self._running = False


def start(self):
    """Starts all servers of a cluster; they serve when it returns, so nobody needs to sleep."""
    waiting = [server for server in reversed(list(self)) if not server.running]
    for server in waiting:
        launch(server)
    for server in waiting:
        wait(server)


def destroy(self):
    self.stop()
    shutil.rmtree(self.working_path, True)


def pytest_collection_modifyitems(items):
    only = os.environ["ZKC_KAZOO_ONLY"].split()
    if only:
        items[:] = [item for item in items if "%s.%s::%s" % (
            os.path.basename(item.fspath)[:-len(".py")], item.cls and item.cls.__name__, item.name) in only]


def time_out(_number, _frame):
    raise TimeoutError("the test took longer than %d s" % TEST_SECONDS)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_call():
    signal.signal(signal.SIGALRM, time_out)
    signal.setitimer(signal.ITIMER_REAL, TEST_SECONDS)
    yield
    signal.setitimer(signal.ITIMER_REAL, 0)


common.ManagedZooKeeper.run = run
common.ManagedZooKeeper.stop = stop
common.ManagedZooKeeper.destroy = destroy
common.ZookeeperCluster.start = start
