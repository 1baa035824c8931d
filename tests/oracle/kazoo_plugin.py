"""kazoo_plugin.py - lets kazoo's own test harness run the server of our choice; loaded into pytest by kazoo_suite.py.

kazoo's ManagedZooKeeper starts a Java server from a class path and then sleeps; here run() writes the same config and
starts the server that ZKC_KAZOO_SERVER names (java or zkc), and returns when it answers.
"""

import gc
import importlib.util
import os
import shutil
import sys
import types
import unittest.mock

sys.modules.setdefault("mock", unittest.mock)      # what kazoo's tests import under its old name
if importlib.util.find_spec("objgraph") is None:   # one function of it is used
    objgraph = types.ModuleType("objgraph")
    objgraph.count = lambda name: sum(type(thing).__name__ == name for thing in gc.get_objects())
    sys.modules["objgraph"] = objgraph
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

import servers      # noqa: E402
from kazoo.testing import common    # noqa: E402


def run(self):
    """Starts the server in the place of ManagedZooKeeper.run()."""
    if self.running:
        return
    data = os.path.join(self.working_path, "data")
    os.makedirs(data, exist_ok=True)
    config = {"dataDir": data, "admin.serverPort": self.server_info.admin_port, "maxClientCnxns": 0}
    config.update(entry.split("=", 1) for entry in self.configuration_entries)
    properties = {"readonlymode.enabled": "true"}
    properties.update(entry[2:].split("=", 1) for entry in self.java_system_properties)
    if self.jaas_config:
        config["authProvider.1"] = "org.apache.zookeeper.server.auth.SASLAuthenticationProvider"
        path = os.path.join(self.working_path, "jaas.conf")
        with open(path, "w", encoding="ascii") as file:
            file.write(self.jaas_config)
        properties["java.security.auth.login.config"] = path
    server = servers.make(os.environ["ZKC_KAZOO_SERVER"], config, properties, directory=self.working_path)
    server.launch(self.server_info.client_port)
    server.wait_ready()
    self.server = server
    self.process = server.process
    self._running = True


def stop(self):
    if self.running:
        self.server.stop()
        self._running = False


def start(self):
    """Starts all servers of a cluster; each answers when its run() returns, so nobody needs to sleep."""
    for server in reversed(list(self)):
        server.run()


def destroy(self):
    self.stop()
    shutil.rmtree(self.working_path, True)


common.ManagedZooKeeper.run = run
common.ManagedZooKeeper.stop = stop
common.ManagedZooKeeper.destroy = destroy
common.ZookeeperCluster.start = start
