#!/usr/bin/env python3
# timeout: 180
"""tls.py - zookeeper_init_ssl() against Java's secureClientPort, and against servers that one should not talk to.

    tls.py --tap
    tls.py --show       print what the client logged

Java requires a certificate of its clients. (1) With the right ones there is a session that does what others do. (2) A
server that no trusted authority knows, one of another name if that is looked at, one whose certificate is over, one
that speaks TLS 1.1 only, one that speaks no TLS: none gets a word of the session. (3) A server that does not go on with
the handshake is given up. Certificates are made by the openssl command, which is also the server where Java cannot be.
"""

import argparse
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
SOURCE = os.environ.get("ZKC_SOURCE", os.path.dirname(os.path.dirname(HERE)))
sys.path.insert(0, os.path.join(SOURCE, "tests", "lib"))

import ports            # noqa: E402
import servers          # noqa: E402
import tap as tap_lib   # noqa: E402
from certificates import Certificates    # noqa: E402

BENCH = os.path.join(os.environ.get("ZKC_BUILD", os.getcwd()), "zkbench")
TOOL = os.path.join(os.environ.get("ZKC_BUILD", os.getcwd()), "tests", "client", "tls_session")
NETTY = "/usr/share/java/netty-all.jar"
PARTS = ("buffer", "codec", "common", "handler", "resolver", "transport", "transport-native-epoll",
         "transport-native-unix-common")
PATIENCE_S, LONG_PATIENCE_S = 1, 20    # for a session that should not, and that should come
TIMEOUT_S = 6.0                        # of the tool's sessions


def java_server(certificates, name):
    """A Java server with both ports, and its secure one."""
    port = ports.one()
    properties = {"zookeeper.serverCnxnFactory": "org.apache.zookeeper.server.NettyServerCnxnFactory",
                  "zookeeper.ssl.keyStore.location": certificates.path(name + ".pem"),
                  "zookeeper.ssl.trustStore.location": certificates.path("ca.pem"), "zookeeper.ssl.clientAuth": "need",
                  "jute.maxbuffer": 2 << 20}
    server = servers.JavaServer({"secureClientPort": port}, properties)
    server.classpath = servers.java_classpath() + ":" + NETTY + "".join(
        ":/usr/share/java/netty-%s.jar" % part for part in PARTS)
    server.start()
    return server, port


class Checks:
    def __init__(self, tap, show, certificates):
        self.tap, self.show, self.certificates = tap, show, certificates

    def client(self, fact, wanted, port, certificates=None, verify=False, host="127.0.0.1", patience=None):
        """Reports the fact: the client says so."""
        patience = patience or (LONG_PATIENCE_S if wanted == "session" else PATIENCE_S)
        command = [TOOL, "%s:%d" % (host, port), certificates or self.certificates.of_client(),
                   "verify" if verify else "any", str(patience)]
        try:
            done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False,
                                  timeout=60)
            said, logged = done.stdout.strip(), done.stderr
        except subprocess.TimeoutExpired as error:
            said, logged = "hangs", (error.stderr or b"").decode()
        if not self.tap.ok(said == wanted, fact):
            self.tap.note("%s, not %s\n%s" % (said, wanted, logged[-2000:]))
        elif self.show:
            self.tap.note(logged[-600:])
        return logged

    def java(self):
        certificates, client = self.certificates, self.client
        server, port = java_server(certificates, "server")
        with server:
            client("there is a session with Java over TLS", "session", port)
            client("and one where the name of the server is looked at", "session", port, verify=True, host="localhost")
            client("an address is as good as a name", "session", port, verify=True)
            client("no session without a certificate, as Java requires one", "no session", port,
                   certificates.of_client(None))
            client("nor with that of a stranger", "no session", port, certificates.of_client("foreigner"))
            client("nor with a server that no trusted authority knows", "no session", port,
                   certificates.of_client(authority="stranger"))
            client("nor over the port that is not for TLS", "no session", server.port)
            client("files that are not there give no handle", "no handle", port, "/nowhere/ca.pem")
            self.bench(port)
        server, port = java_server(certificates, "elsewhere")
        with server:
            client("a server of another name is talked to, as with the old binding", "session", port)
            client("but not when names are looked at", "no session", port, verify=True)

    def bench(self, port):
        """zkbench, which speaks for itself and not through the library."""
        for fact, name, wanted in (("zkbench reads and writes over TLS", "client", 0),
                                   ("but not with the certificate of a stranger", "foreigner", 3)):
            properties = {"client.secure": "true", "ssl.trustStore.location": self.certificates.path("ca.pem"),
                          "ssl.keyStore.location": self.certificates.path(name + ".pem")}
            done = subprocess.run([BENCH, "-server", "localhost:%d" % port, "--workload", "mixed", "--depth", "32",
                                   "--size", "0-20000", "--requests", "2000", "--warmup", "0", "--json"] +
                                  ["-Dzookeeper.%s=%s" % item for item in properties.items()], capture_output=True,
                                  text=True, check=False, timeout=60)
            if not self.tap.ok(done.returncode == wanted, fact):
                self.tap.note(done.stdout + done.stderr)

    def s_server(self, fact, wanted, name, *options):
        """openssl as the server; it keeps what clients write, which must be nothing."""
        port = ports.one()
        path = self.certificates.path(name)
        process = subprocess.Popen(["openssl", "s_server", "-accept", "127.0.0.1:%d" % port, "-cert", path + ".crt",
                                    "-key", path + ".key", "-quiet"] + list(options), stdin=subprocess.PIPE,
                                   stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        try:
            self.wait_for(port)
            self.client(fact, wanted, port)
        finally:
            process.terminate()
            heard = process.communicate()[0]
        return heard

    @staticmethod
    def wait_for(port):
        deadline = time.monotonic() + 10.0
        while True:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    return
            if time.monotonic() > deadline:
                raise RuntimeError("openssl s_server does not listen")
            time.sleep(0.02)

    def openssl(self):
        heard = self.s_server("a server that takes what it hears hears the connect request", "no session", "server")
        self.tap.ok(len(heard) >= 45, "and nobody but it does:")
        for fact, name, options in (
                ("one that speaks TLS 1.1 at most", "server", ["-tls1_1", "-cipher", "ALL:@SECLEVEL=0"]),
                ("one whose certificate is over", "expired", []),
                ("one that signed its certificate itself", "stranger", [])):
            if name == "stranger":
                shutil.copy(self.certificates.path("stranger.pem"), self.certificates.path("stranger.crt"))
            heard = self.s_server(fact, "no session", name, *options)
            if not self.tap.ok(heard == b"", "hears nothing"):
                self.tap.note(heard[:200])

    def silent(self):
        with socket.create_server(("127.0.0.1", 0)) as listener:
            port = listener.getsockname()[1]
            logged = self.client("a server that does not go on with the handshake is no server", "no session", port,
                                 patience=int(TIMEOUT_S))
            self.tap.ok("timed out" in logged, "and is given up in time")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--show", action="store_true", help="print what the client logged")
    tap_lib.add_option(parser)
    options = parser.parse_args()
    missing = servers.require("java")
    if missing:
        tap_lib.skip_all(missing)
    for there, package in ((shutil.which("openssl"), "openssl"), (os.path.exists(NETTY), "libnetty-java")):
        if not there:
            tap_lib.skip_all("Debian's %s is not installed" % package)
    tap = tap_lib.Tap(plain=not options.tap)
    with tempfile.TemporaryDirectory() as directory:
        certificates = Certificates(directory)
        certificates.make("server", "DNS:localhost,IP:127.0.0.1")
        certificates.make("elsewhere", "DNS:elsewhere.example")
        certificates.make("client", "DNS:client")
        certificates.make("foreigner", "DNS:client", "stranger")
        certificates.make("expired", "DNS:localhost,IP:127.0.0.1", days="-1")
        checks = Checks(tap, options.show, certificates)
        checks.java()
        checks.openssl()
        checks.silent()
    return tap.done()


if __name__ == "__main__":
    sys.exit(main())
