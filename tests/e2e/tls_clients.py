#!/usr/bin/env python3
# timeout: 300
"""tls_clients.py - clients that others wrote, and our own library, over the TLS of our server, each with a certificate.

    tls_clients.py --tap
    tls_clients.py --show       print what the clients said

Java's shell over Netty; kazoo with use_ssl; our C library and shell (Debian's C library is built without TLS). Each must do
something that needs its certificate, and must be refused without one.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
SOURCE = os.environ.get("ZKC_SOURCE", os.path.dirname(os.path.dirname(HERE)))
sys.path.insert(0, os.path.join(SOURCE, "tests", "lib"))

import ports            # noqa: E402
import servers          # noqa: E402
import tap as tap_lib   # noqa: E402
from certificates import Certificates    # noqa: E402

BUILD = os.environ.get("ZKC_BUILD", os.getcwd())
TOOL = os.path.join(BUILD, "tests", "client", "tls_session")
SHELL = os.path.join(BUILD, "zkcli")
NETTY = "/usr/share/java/netty-all.jar"
PARTS = ("buffer", "codec", "common", "handler", "resolver", "transport", "transport-native-epoll",
         "transport-native-unix-common")
PATIENCE_S = 60
KAZOO = """
import logging, sys
logging.disable(logging.CRITICAL)
from kazoo.client import KazooClient
from kazoo.security import ACL, Permissions, Id
host, ca, certificate, key, path = sys.argv[1:]
shown = {"certfile": certificate, "keyfile": key} if certificate else {}
client = KazooClient(hosts=host, use_ssl=True, ca=ca, verify_certs=True, **shown)
client.start(timeout=10)
client.create(path, b"of kazoo", acl=[ACL(31, Id("auth", ""))])
data, stat = client.get(path)
acls, stat = client.get_acls(path)
print(data.decode(), acls[0].id.scheme, acls[0].id.id)
client.stop()
"""


class Checks:
    def __init__(self, tap, show, certificates, port):
        self.tap, self.show, self.certificates = tap, show, certificates
        self.address = "127.0.0.1:%d" % port

    def run(self, command, text=None, environment=None):
        try:
            done = subprocess.run(command, input=text, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                                  check=False, timeout=PATIENCE_S, env=environment)
            said = done.stdout
        except subprocess.TimeoutExpired as error:
            said = "hangs: %r" % error.output
        if self.show:
            self.tap.note(said)
        return said

    def says(self, said, wanted, fact):
        if not self.tap.ok(wanted in said, fact):
            self.tap.note(said[-3000:])

    def java_shell(self, name, protocols, text):
        """What Java's shell prints; `name` None: it shows no certificate."""
        properties = {"zookeeper.client.secure": "true",
                      "zookeeper.clientCnxnSocket": "org.apache.zookeeper.ClientCnxnSocketNetty",
                      "zookeeper.ssl.trustStore.location": self.certificates.path("ca.pem"),
                      "zookeeper.ssl.enabledProtocols": protocols, "zookeeper.ssl.hostnameVerification": "false",
                      "org.slf4j.simpleLogger.defaultLogLevel": "error"}
        if name:
            properties["zookeeper.ssl.keyStore.location"] = self.certificates.path(name + ".pem")
        classpath = servers.java_classpath() + ":" + NETTY + "".join(
            ":/usr/share/java/netty-%s.jar" % part for part in PARTS)
        return self.run([os.environ.get("JAVA", "java"), "-Xmx128m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"] +
                        ["-D%s=%s" % item for item in properties.items()] +
                        ["-cp", classpath, "org.apache.zookeeper.ZooKeeperMain", "-timeout", "8000", "-server",
                         self.address], text)

    def java(self):
        for number, protocols in enumerate(("TLSv1.2", "TLSv1.3")):
            path = "/java%d" % number
            said = self.java_shell("client", protocols, "create %s of-java auth::cdrwa\nget %s\ngetAcl %s\nwhoami\nquit\n" %
                                   (path, path, path))
            self.says(said, "of-java", "Java's shell has a session over " + protocols)
            self.says(said, "'x509,'CN=client", "and a node of its own, by its certificate")
        said = self.java_shell(None, "TLSv1.2", "create /nobody x\nquit\n")
        self.tap.ok("Created /nobody" not in said, "without a certificate it has none")

    def kazoo(self):
        python = next((candidate for candidate in ("/usr/bin/python3", sys.executable)
                       if subprocess.run([candidate, "-c", "import kazoo"], check=False,
                                         stderr=subprocess.DEVNULL).returncode == 0), None)
        if not self.tap.ok(python is not None, "kazoo is installed"):
            return
        path = self.certificates.path
        said = self.run([python, "-c", KAZOO, self.address, path("ca.pem"), path("client.crt"), path("client.key"),
                         "/kazoo"])
        self.says(said, "of kazoo x509 CN=client", "kazoo has a session, and a node of its own")
        said = self.run([python, "-c", KAZOO, self.address, path("ca.pem"), "", "", "/nobody"])
        self.tap.ok("of kazoo" not in said, "without a certificate it has none")

    def ours(self):
        for name, wanted in (("client", "session"), (None, "no session"), ("foreigner", "no session")):
            said = self.run([TOOL, self.address, self.certificates.of_client(name), "verify",
                             "20" if wanted == "session" else "2"])
            self.tap.ok(wanted in said.split("\n"), "our C library with %s: %s" %
                        ("the certificate of %s" % name if name else "no certificate", wanted))
        configuration = self.certificates.write("client.cfg", "".join(
            "%s=%s\n" % item for item in {"zookeeper.client.secure": "true",
                                          "zookeeper.ssl.trustStore.location": self.certificates.path("ca.pem"),
                                          "zookeeper.ssl.keyStore.location": self.certificates.path("client.pem")}.items()))
        said = self.run([SHELL, "-client-configuration", configuration, "-server", self.address, "whoami"])
        self.says(said, "x509: CN=client", "our shell is told whom it is taken for")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--show", action="store_true", help="print what the clients said")
    tap_lib.add_option(parser)
    options = parser.parse_args()
    missing = servers.require("zkc", "java")
    if missing:
        tap_lib.skip_all(missing)
    for there, package in ((shutil.which("openssl"), "openssl"), (os.path.exists(NETTY), "libnetty-java")):
        if not there:
            tap_lib.skip_all("Debian's %s is not installed" % package)
    tap = tap_lib.Tap(plain=not options.tap)
    with tempfile.TemporaryDirectory() as directory:
        certificates = Certificates(directory)
        certificates.make("server", "DNS:localhost,IP:127.0.0.1")
        certificates.make("client")
        certificates.make("foreigner", authority="stranger")
        port = ports.one()
        config = {"secureClientPort": port, "ssl.keyStore.location": certificates.path("server.pem"),
                  "ssl.trustStore.location": certificates.path("ca.pem"), "jute.maxbuffer": 2 << 20}
        with servers.ZkcServer(config):
            checks = Checks(tap, options.show, certificates, port)
            checks.java()
            checks.kazoo()
            checks.ours()
    return tap.done()


if __name__ == "__main__":
    sys.exit(main())
