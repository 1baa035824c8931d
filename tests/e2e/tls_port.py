#!/usr/bin/env python3
# timeout: 600
"""tls_port.py - the ports of a server that speak TLS: who is let in, as whom, in what time, and what a reload changes.

    tls_port.py --tap
    tls_port.py --only NAME     one of the groups below, as "reload"

Clients are Python's ssl and the openssl command; those of others are in tls_clients.py. Certificates are made when
they are needed.
"""

import argparse
import os
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
SOURCE = os.environ.get("ZKC_SOURCE", os.path.dirname(os.path.dirname(HERE)))
sys.path.insert(0, os.path.join(SOURCE, "tests", "lib"))

import ensemble         # noqa: E402
import ports            # noqa: E402
import rawclient        # noqa: E402
import servers          # noqa: E402
import tap as tap_lib   # noqa: E402
from certificates import Certificates, TlsConnection, tls_session    # noqa: E402
from protocol import OPEN_ACL, PERSISTENT, ALL                      # noqa: E402

IS_SLOW = os.environ.get("ZKC_SANITIZERS", "no") != "no"
PATIENCE_S = 60.0
SWAPS = 100
AUTH_ACL = ((ALL, (b"auth", b"")),)
X509_CLASS = "org.apache.zookeeper.server.auth.X509AuthenticationProvider"
FAILURES = (OSError, rawclient.Closed)    # ssl.SSLError is an OSError


class Port:
    """A server with both ports, on the certificates of a directory; `options` are of zoo.cfg, None takes one out."""

    def __init__(self, certificates, **options):
        self.certificates = certificates
        self.secure_port = ports.one()
        config = {"secureClientPort": self.secure_port, "ssl.keyStore.location": certificates.path("server.pem"),
                  "ssl.trustStore.location": certificates.path("trust.pem"), "autopurge.purgeInterval": 0}
        config.update({key.replace("__", "."): value for key, value in options.items()})
        self.server = servers.ZkcServer(config)

    def __enter__(self):
        self.server.start()
        return self

    def __exit__(self, *exc):
        self.server.dispose()

    @property
    def secure(self):
        return ("127.0.0.1", self.secure_port)

    @property
    def plain(self):
        return self.server.address

    def session(self, name="client", version=None, ciphers=None, address=None, **options):
        return tls_session(address or self.secure, self.certificates.context(name, version, ciphers), **options)

    def lets_in(self, *arguments, **options):
        """Whether there is a session."""
        try:
            self.session(*arguments, **options).close()
            return True
        except FAILURES:
            return False

    def metric(self, name):
        for line in self.server.word("mntr").splitlines():
            if line.split("\t")[0] == "zk_" + name:
                return int(float(line.split("\t")[1]))
        raise KeyError(name)

    def shown(self):
        """The certificate that the next connection is shown, in DER."""
        connection = TlsConnection(self.secure, self.certificates.context())
        try:
            return connection.socket.getpeercert(binary_form=True)
        finally:
            connection.close()

    def reload(self):
        self.server.process.send_signal(signal.SIGHUP)

    def wait_for(self, happens, patience=PATIENCE_S):
        deadline = time.monotonic() + patience
        while not happens():
            if time.monotonic() > deadline:
                return False
            time.sleep(0.005)
        return True

    def settles(self, connections):
        """Whether the server comes to have so many, beside the one that asks."""
        return self.wait_for(lambda: self.metric("num_alive_connections") == connections + 1)

    def wait_for_log(self, text):
        return self.wait_for(lambda: text in self.server.log_tail(1 << 20))


def der(certificates, name):
    return ssl.PEM_cert_to_DER_cert(certificates.read(name + ".crt"))


def ends(connection, timeout=PATIENCE_S):
    """Whether the server closes the connection without a word."""
    try:
        return connection.read_to_end(timeout) == b""
    except (ssl.SSLError, OSError):
        return True
    except rawclient.Timeout:
        return False


class Checks:
    def __init__(self, tap, certificates):
        self.tap, self.certificates = tap, certificates

    def port(self, **options):
        return Port(self.certificates, **options)

    def ok(self, passed, fact):
        return self.tap.ok(passed, fact)

    # ---- who is let in ----

    @staticmethod
    def s_client(port, *options):
        """What openssl s_client gets for "ruok"."""
        command = ["openssl", "s_client", "-connect", "%s:%d" % port, "-quiet", "-no_ign_eof", *options]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL) as process:
            process.stdin.write(b"ruok")
            process.stdin.flush()
            answer = process.stdout.read()
            process.stdin.close()
        return answer

    def versions(self):
        shown = ["-cert", self.certificates.path("client.crt"), "-key", self.certificates.path("client.key")]
        with self.port() as port:
            for version in ("-tls1_2", "-tls1_3"):
                self.ok(self.s_client(port.secure, version, *shown) == b"imok", "openssl is answered over " + version)
            for version in ("-tls1_1", "-tls1"):
                answer = self.s_client(port.secure, version, "-cipher", "ALL:@SECLEVEL=0", *shown)
                self.ok(answer == b"", "but not over " + version)
            for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
                self.ok(port.lets_in(version=version), "there are sessions over %s" % version.name)
        with self.port(ssl__enabledProtocols="TLSv1.2",
                       ssl__ciphersuites="TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384") as port:
            self.ok(port.lets_in(version=ssl.TLSVersion.TLSv1_2), "of two versions one may be left")
            self.ok(not port.lets_in(version=ssl.TLSVersion.TLSv1_3), "and the other is not spoken then")
            self.ok(not port.lets_in(ciphers="ECDHE-ECDSA-AES128-GCM-SHA256"), "nor a suite that is not named")

    def certificates_of_clients(self):
        self.certificates.write("trust.pem", self.certificates.read("ca.pem") +
                                self.certificates.revocations("revoked"))
        rows = (("client", "a good certificate", True, True), (None, "no certificate", False, True),
                ("expired", "one whose time is over", False, False), ("revoked", "one that was taken back", False, False),
                ("foreigner", "one of a stranger", False, False), ("own", "one that signed itself", False, False))
        for auth, column in (("need", 2), ("want", 3)):
            with self.port(ssl__clientAuth=auth) as port:
                before, refused = port.metric("unsuccessful_handshake"), 0
                for row in rows:
                    self.ok(port.lets_in(row[0]) == row[column], "%s: %s is %s" %
                            (auth, row[1], "let in" if row[column] else "refused"))
                    refused += not row[column]
                self.ok(port.wait_for(lambda: port.metric("unsuccessful_handshake") == before + refused),
                        "%s: the others are counted" % auth)
                self.ok(port.metric("auth_failed_count") == refused, "%s: twice" % auth)
                self.ok(port.lets_in(), "%s: and nobody else minds" % auth)
        with self.port(ssl__clientAuth="none", ssl__trustStore__location=None) as port:
            self.ok(port.lets_in(None) and port.lets_in("foreigner"), "none: nobody is asked")
        with self.port(ssl__crl="true") as port:
            self.ok(port.lets_in() and not port.lets_in("revoked"), "with lists required the same ones are let in")
        self.certificates.write("trust.pem", self.certificates.read("ca.pem"))

    def hosts(self):
        for provider in ({}, {"authProvider__x509": X509_CLASS}):
            with self.port(ssl__clientHostnameVerification="true", **provider) as port:
                self.ok(port.lets_in("local") and not port.lets_in("client"),
                        "a client may have to come from where its certificate says%s" %
                        (", whatever provider is named" if provider else ""))
            with self.port(ssl__clientHostnameVerification="true", ssl__hostnameVerification="false", **provider) as port:
                self.ok(port.lets_in("client"), "but not with hostnameVerification=false")
        if shutil.which("nm"):
            symbols = subprocess.run(["nm", "-D", "--undefined-only", servers.zkserver_path()], capture_output=True,
                                     text=True, check=False).stdout
            self.ok(IS_SLOW or not ("getnameinfo" in symbols or "gethostbyaddr" in symbols),    # sanitizers have them
                    "no name of a client is ever looked up")

    def other_language(self):
        with self.port() as port:
            plain = rawclient.Connection(port.secure)
            plain.send_frame(rawclient.connect_frame())
            answer = plain.read_to_end()
            self.ok(answer[:1] in (b"", b"\x15"), "who speaks no TLS on the port for it gets an alert at most")
            word = rawclient.Connection(port.secure)
            word.send_raw(b"ruok")
            word.end_of_input()
            self.ok(b"imok" not in word.read_to_end(), "nor is a word answered")
            self.ok(not port.lets_in(address=port.plain), "nor TLS on the plain port")
            self.ok(port.metric("connection_drop_count") >= 0 and port.lets_in(), "and the others go on")
            local = port.metric("non_mtls_local_conn_count")
            port.session().close()
            self.ok(port.metric("non_mtls_local_conn_count") == local + 1,    # mntr itself
                    "connections without TLS are counted, the others are not")

    def oversize(self):
        certificates = self.certificates
        certificates.write("long.crt", certificates.read("client.crt") + certificates.read("ca.pem") * 400)
        shutil.copy(certificates.path("client.key"), certificates.path("long.key"))
        rows = (("a first message of 16 KiB", b"\x16\x03\x01\x40\x00\x01\x00\x3f\xfc\x03\x03" + b"x" * 16378),
                ("a hello that says it is of 16 MiB", b"\x16\x03\x01\x40\x00\x01\xff\xff\xff\x03\x03" + b"x" * 16378),
                ("a record longer than there can be", b"\x16\x03\x01\xff\xff" + b"x" * 70000),
                ("an empty record again and again", b"\x16\x03\x01\x00\x00" * 10000),
                ("a hello of SSL 2", b"\x80\x2e\x01\x00\x02" + b"x" * 43))
        with self.port() as port:
            for fact, data in rows:
                connection = rawclient.Connection(port.secure)
                connection.send_raw(data)
                connection.end_of_input()
                self.ok(connection.read_to_end()[:1] in (b"", b"\x15"), fact + " gets an alert at most")
                connection.close()
            self.ok(not port.lets_in("long"), "a chain of 400 certificates is refused")
            self.ok(port.lets_in() and port.wait_for(lambda: port.metric("outstanding_tls_handshake") == 0),
                    "and nothing of them is left")

    # ---- as whom ----

    def identities(self):
        name = b"CN=boss,OU=a+O=zkc"
        with self.port(X509AuthenticationProvider__superUser="CN=admin", ssl__clientAuth="want") as port:
            client = port.session()
            client.call("create", b"/mine", b"secret", AUTH_ACL, PERSISTENT)
            acl = client.call("getACL", b"/mine").acl
            self.ok([(entry.id.scheme, entry.id.id) for entry in acl] == [(b"x509", b"CN=client")],
                    "a node is its creator's, by the name in the certificate")
            self.ok(client.call("getData", b"/mine", False).data == b"secret", "who may read it")
            for other, fact in (("local", "another certificate may not"), (None, "nor who showed none")):
                session = port.session(other)
                self.ok(session.ask("getData", b"/mine", False)[0].err == -102, fact)
                session.close()
            admin = port.session("admin")
            self.ok(admin.call("getData", b"/mine", False).data == b"secret", "the super user may")
            admin.close()
            plain = port.server.session()
            self.ok(plain.auth(b"x509", b"CN=client") == -115, "a claim alone proves nothing")
            plain.disconnect()
            self.ok(client.auth(b"x509", b"CN=admin") == 0, "who asks for its ids has them already")
            self.ok(client.ask("create", b"/bad", b"", ((ALL, (b"x509", b"nobody")),), PERSISTENT)[0].err == -114,
                    "an ACL needs a name that could be one")
            infos = client.call("whoAmI").clientInfo
            self.ok(sorted((info.authScheme, info.user) for info in infos) ==
                    [(b"ip", b"127.0.0.1"), (b"x509", b"CN=client")], "whoAmI tells both ids")
            client.close()
            boss = port.session("boss")
            boss.call("create", b"/boss", b"", AUTH_ACL, PERSISTENT)
            self.ok(boss.call("getACL", b"/boss").acl[0].id.id == name, "a long name is written as Java writes it")
            boss.close()

    # ---- both kinds on one port ----

    def unification(self):
        with self.port(client__portUnification="true", ssl__handshakeDetectionTimeoutMillis=1000,
                       outstandingHandshake__limit=3) as port:
            self.ok(port.lets_in(address=port.plain), "the plain port speaks TLS too")
            session = port.server.session()
            self.ok(session.ping() is not None and port.server.word("ruok") == "imok", "and still goes without")
            session.close()
            self.ok(not port.lets_in(None, address=port.plain), "who speaks it must show a certificate")
            self.ok(port.lets_in(), "the secure port is as it was")
            start = time.monotonic()
            silent = rawclient.Connection(port.plain)
            self.ok(ends(silent) and 0.9 < time.monotonic() - start < 8, "who says nothing is shown out in time")
            local = port.metric("non_mtls_local_conn_count")
            port.session(address=port.plain).close()
            self.ok(port.metric("non_mtls_local_conn_count") == local + 1, "TLS on it is not counted as none")
            self.ok(port.wait_for(lambda: port.metric("outstanding_tls_handshake") == 0), "no handshake is left over")

    # ---- in what time ----

    def client_hello(self):
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        tls = self.certificates.context().wrap_bio(incoming, outgoing)
        try:
            tls.do_handshake()
        except ssl.SSLWantReadError:
            pass
        return outgoing.read()

    def trickle(self):
        hello = self.client_hello()
        with self.port() as port:
            session, slow = port.session(), rawclient.Connection(port.secure)
            took = []
            for at in range(len(hello) - 1):
                slow.send_raw(hello[at:at + 1])
                start = time.monotonic()
                session.ping()
                took.append((time.monotonic() - start) * 1000)
            took.sort()
            limit = 50 if IS_SLOW else 5
            self.tap.note("a ping beside %d bytes one by one: median %.2f ms, 95 %% %.2f ms, longest %.2f ms" %
                          (len(took), took[len(took) // 2], took[len(took) * 95 // 100], took[-1]))
            self.ok(took[len(took) // 2] < limit, "a handshake byte by byte holds nobody up")
            self.ok(port.metric("outstanding_tls_handshake") == 1, "it is in progress all the while")
            slow.close()
            self.ok(port.wait_for(lambda: port.metric("outstanding_tls_handshake") == 0), "until its connection ends")
            before = port.metric("unsuccessful_handshake")
            start, dripping = time.monotonic(), rawclient.Connection(port.secure)
            for at in range(len(hello) - 1):    # never silent for long
                dripping.send_raw(hello[at:at + 1])
                try:
                    if dripping.read_frame(0.2) is None:
                        break
                except rawclient.Timeout:
                    pass
            self.ok(9.5 < time.monotonic() - start < 20 and dripping.eof, "one that does not end is ended after 10 s")
            self.ok(session.ping() is not None and port.metric("unsuccessful_handshake") == before + 1, "and counted")
            session.close()

    def limits(self):
        with self.port(outstandingHandshake__limit=2, maxClientCnxns=4) as port:
            waiting = [rawclient.Connection(port.secure) for _ in range(2)]
            self.ok(port.wait_for(lambda: port.metric("outstanding_tls_handshake") == 2), "two handshakes may be open")
            third = rawclient.Connection(port.secure)
            self.ok(ends(third) and port.metric("tls_handshake_exceeded") == 1, "a third is refused, and counted")
            waiting.pop().close()
            self.ok(port.wait_for(lambda: port.metric("outstanding_tls_handshake") == 1) and port.lets_in(),
                    "one that ends makes room for another")
            port.settles(1)
            sessions = [port.session() for _ in range(3)]
            self.ok(not port.lets_in(), "an address may have so many connections over TLS")
            self.ok(port.server.word("ruok") == "imok", "beside those that it has without")
            sessions.pop().close()
            self.ok(port.settles(3), "one that ends makes room here too")
            lines = [line for line in self.s_word(port, "cons").splitlines() if "sid=" in line]
            self.ok(len(lines) == 2, "cons on the secure port lists those of that port")
            waiting.pop().close()

    @staticmethod
    def s_word(port, word):
        """What a word says over TLS."""
        connection = TlsConnection(port.secure, port.certificates.context())
        connection.send_raw(word.encode())
        answer = connection.read_to_end().decode()
        connection.close()
        return answer

    def much(self):
        with self.port(globalOutstandingLimit=1) as port:
            session = port.session()
            session.call("create", b"/much", b"", OPEN_ACL, PERSISTENT)
            data = bytes(range(256)) * 3000
            self.ok(session.call("setData", b"/much", data, -1) is not None and
                    session.call("getData", b"/much", False).data == data, "large data goes both ways")
            for count in (1, 2000):    # more than a record, while the connection is not read for the first of them
                for _ in range(count):
                    session.send("setData", b"/much", b"x" * 100, -1)
                self.ok(all(session.receive("setData")[0].err == 0 for _ in range(count)),
                        "%d requests at once are answered" % count)
            session.close()

    # ---- what a reload changes ----

    def swap(self, name):
        self.certificates.write("server.pem", self.certificates.read(name + ".pem"))

    def reload(self):
        certificates = self.certificates
        try:
            with self.port() as port:
                self.swaps_under_load(port)
                self.bad_files(port)
                self.revocation(port)
            with self.port(client__certReload="true") as port:
                certificates.write("server.pem", certificates.read("other.pem"))
                self.ok(port.wait_for(lambda: port.shown() == der(certificates, "other")),
                        "client.certReload sees a file that was replaced")
                certificates.write("server.pem", "nothing")
                self.ok(port.wait_for_log("the old ones stay in use") and port.shown() == der(certificates, "other"),
                        "and keeps the old one where the new is bad")
                self.swap("server_first")
                self.ok(port.wait_for(lambda: port.shown() == der(certificates, "server_first")),
                        "until there is a good one")
        finally:
            self.swap("server_first")
            certificates.write("trust.pem", certificates.read("ca.pem"))

    def swaps_under_load(self, port):
        stop, failures, counts = threading.Event(), [], []

        def work(index):
            count = 0
            try:
                session = port.session()
                path = b"/load%d" % index
                session.call("create", path, b"", OPEN_ACL, PERSISTENT)
                while not stop.is_set():
                    session.call("setData", path, b"%d" % count, -1)
                    count += 1
                session.close()
            except Exception as error:    # pylint: disable=broad-except
                failures.append(error)
            counts.append(count)

        threads = [threading.Thread(target=work, args=(index,)) for index in range(3)]
        for thread in threads:
            thread.start()
        seen, start = 0, time.monotonic()
        for swap in range(SWAPS):
            name = ("other", "server_first")[swap % 2]
            self.swap(name)
            port.reload()
            seen += port.wait_for(lambda: port.shown() == der(self.certificates, name))
        stop.set()
        for thread in threads:
            thread.join()
        self.tap.note("%d swaps in %.1f s beside %d writes" % (SWAPS, time.monotonic() - start, sum(counts)))
        self.ok(seen == SWAPS, "%d times another certificate was shown" % SWAPS)
        if not self.ok(not failures and all(count > 0 for count in counts), "and no session was lost"):
            self.tap.note(failures)

    def bad_files(self, port):
        certificates, shown = self.certificates, port.shown()
        for text, fact in (("nothing\n", "a file without a certificate"),
                           (certificates.read("other.key", "server_first.crt"), "a key of another certificate"),
                           (certificates.read("server_first.crt"), "a certificate without its key")):
            certificates.write("server.pem", text)
            before = port.server.log_tail(1 << 20).count("the old ones stay in use")
            port.reload()
            self.ok(port.wait_for(lambda: port.server.log_tail(1 << 20).count("the old ones stay in use") > before) and
                    port.shown() == shown, "%s leaves the old one in use, and is told" % fact)
        self.swap("server_first")

    def revocation(self, port):
        certificates = self.certificates
        here = port.session("revoked")
        context = certificates.context("revoked", ssl.TLSVersion.TLSv1_2)
        first = TlsConnection(port.secure, context)
        kept = first.socket.session
        first.close()
        again = TlsConnection(port.secure, context, session=kept)
        self.ok(not again.socket.session_reused, "no session of TLS is resumed")
        again.close()
        certificates.write("trust.pem", certificates.read("ca.pem") + certificates.revocations("revoked"))
        port.reload()
        self.ok(port.wait_for(lambda: not port.lets_in("revoked")), "a certificate that was taken back is refused at once")
        try:
            TlsConnection(port.secure, context, session=kept).close()
            self.ok(False, "nor does what is left of an earlier visit help")
        except FAILURES:
            self.ok(True, "nor does what is left of an earlier visit help")
        self.ok(here.ping() is not None and port.lets_in(), "who is in stays, and others come")
        here.close()

    # ---- who is asked ----

    def responders(self):
        certificates, listening = self.certificates, ports.one()
        url = "http://127.0.0.1:%d/" % listening
        for name in ("vouched", "withdrawn", "forgotten"):
            certificates.make(name, responder=url)
        index = certificates.index(["vouched"], ["withdrawn"])
        command = ["openssl", "ocsp", "-index", index, "-port", str(listening), "-rsigner",
                   certificates.path("ca.pem"), "-rkey", certificates.path("ca.key"), "-CA", certificates.path("ca.pem")]
        with self.port(ssl__ocsp="true") as port:
            with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                  stderr=subprocess.DEVNULL) as responder:
                try:
                    self.ok(port.wait_for(lambda: port.lets_in("vouched")), "whom a responder vouches for is let in")
                    for name, fact in (("withdrawn", "one that was taken back"), ("forgotten", "one it does not know"),
                                       ("client", "one that names no responder")):
                        self.ok(not port.lets_in(name), "%s is refused" % fact)
                    session = port.session("vouched")
                    self.ok([(info.authScheme, info.user) for info in session.call("whoAmI").clientInfo
                             if info.authScheme == b"x509"] == [(b"x509", b"CN=vouched")], "ids come after the answer")
                finally:
                    responder.terminate()
            self.ok(not port.lets_in("vouched"), "without its responder nobody is let in")
            self.ok(session.ping() is not None, "but who is in stays")
            with socket.create_server(("127.0.0.1", listening)) as silent:
                start, waits = time.monotonic(), []
                waiting = threading.Thread(target=lambda: waits.append(port.lets_in("vouched")))
                waiting.start()
                asked, _ = silent.accept()
                took = []
                while len(took) < 200:
                    before = time.monotonic()
                    session.ping()
                    took.append((time.monotonic() - before) * 1000)
                took.sort()
                self.tap.note("a ping beside a silent responder: median %.2f ms, longest %.2f ms" % (took[100], took[-1]))
                self.ok(took[100] < (50 if IS_SLOW else 5), "a silent responder holds up nobody else")
                waiting.join()
                asked.close()
                self.ok(waits == [False] and 4 < time.monotonic() - start < 12, "and is no reason to let somebody in")
            self.ok(port.metric("outstanding_tls_handshake") == 0, "nothing is left of these handshakes")
            session.close()
        certificates.write("trust.pem", certificates.read("ca.pem") + certificates.revocations())
        with self.port(ssl__ocsp="true", ssl__crl="true") as port:
            self.ok(port.lets_in("client") and not port.lets_in("vouched"),
                    "where lists are required as well, one without a responder is judged by these")
        certificates.write("trust.pem", certificates.read("ca.pem"))

    # ---- at the start ----

    def refused_at_start(self):
        certificates = self.certificates
        with open(certificates.path("store.jks"), "wb") as file:
            file.write(b"\xfe\xed\xfe\xed\x00\x00\x00\x02" + b"\x00" * 40)
        certificates.write("mixed.pem", certificates.read("other.key", "server_first.crt"))
        jks = certificates.path("store.jks")
        rows = (({"ssl__keyStore__location": jks}, ("JKS", "keytool -importkeystore", jks)),
                ({"ssl__trustStore__location": jks}, ("JKS", "keytool -importkeystore", jks)),
                ({"ssl__keyStore__type": "BCFKS"}, ("keytool -importkeystore",)),
                ({"ssl__keyStore__type": "pem?"}, ("ssl.keyStore.type",)),
                ({"ssl__keyStore__location": None}, ("ssl.keyStore.location is not set",)),
                ({"ssl__trustStore__location": None}, ("ssl.trustStore.location is not set",)),
                ({"ssl__keyStore__location": "/nowhere.pem"}, ("/nowhere.pem",)),
                ({"ssl__keyStore__location": certificates.path("mixed.pem")}, ("mixed.pem",)),
                ({"ssl__keyStore__passwordPath": "/nowhere.txt"}, ("/nowhere.txt",)),
                ({"ssl__enabledProtocols": "TLSv1.1,TLSv1.2"}, ("TLSv1.1",)),
                ({"ssl__ciphersuites": "TLS_MAYBE"}, ("TLS_MAYBE",)),
                ({"ssl__clientAuth": "perhaps"}, ("ssl.clientAuth=perhaps",)),
                ({"ssl__crl": "true"}, ("revocation lists",)),
                ({"ssl__authProvider": "x510"}, ("ssl.authProvider=x510",)))
        for options, says in rows:
            port = self.port(**options)
            try:
                port.server.start()
                said = "it started"
            except servers.StartError as error:
                said = str(error)
            finally:
                port.server.dispose()
            if not self.ok(all(text in said for text in says + ("ended with status 2",)), "no start with %s: it says why" %
                           ", ".join("%s=%s" % (key.replace("__", "."), value and os.path.basename(value))
                                     for key, value in options.items())):
                self.tap.note(said[-1500:])

    def stores(self):
        certificates = self.certificates
        certificates.write("password.txt", "open sesame\nnot this line\n")
        store = certificates.make_pkcs12("server", "open sesame")
        with self.port(ssl__keyStore__location=store, ssl__keyStore__type="PKCS12", ssl__keyStore__password="wrong",
                       ssl__keyStore__passwordPath=certificates.path("password.txt")) as port:
            self.ok(port.lets_in(), "a PKCS12 store is as good, its password in a file")
        port = self.port(clientPort=None, clientPortAddress=None)
        port.server.launch()
        try:
            self.ok(port.wait_for(port.lets_in), "the secure port may be the only one")
            session = port.session()
            words = TlsConnection(port.secure, certificates.context())
            words.send_raw(b"conf")
            answer = words.read_to_end().decode()
            self.ok("clientPort=-1\n" in answer and "secureClientPort=%d\n" % port.secure_port in answer,
                    "conf tells both")
            status = subprocess.run([servers.zkserver_path(), "status", os.path.join(port.server.directory, "zoo.cfg")],
                                    capture_output=True, text=True, check=False)
            self.ok(status.returncode == 0 and "Client SSL: true." in status.stdout and
                    "Mode: standalone" in status.stdout, "status is answered there")
            self.ok(port.server.stop() == 0, "and it comes down in order, with a session on it")
            session.disconnect()
        finally:
            port.server.dispose()

    def ensembles(self):
        path = self.certificates.path
        secure = {sid: ports.one() for sid in (1, 2, 3)}
        three = ensemble.Ensemble("zkc,zkc,zkc", config={"ssl.keyStore.location": path("server.pem"),
                                                         "ssl.trustStore.location": path("trust.pem")},
                                  per_server={sid: ({"secureClientPort": port}, {}) for sid, port in secure.items()})

        def session(sid, **options):
            return tls_session(("127.0.0.1", secure[sid]), self.certificates.context(), **options)

        with three:
            first = session(three.followers()[0])
            first.call("create", b"/of-three", b"1", AUTH_ACL, PERSISTENT)
            read = []
            for sid in three.sids():
                other = session(sid)
                other.call("sync", b"/")
                read.append(other.call("getData", b"/of-three", False).data)
                other.close()
            self.ok(read == [b"1"] * 3, "what one writes by its certificate, it reads at all servers")
            three.kill(three.leader())
            three.wait_serving()
            again = session(three.followers()[0], session_id=first.id, password=first.password)
            self.ok(not again.expired and again.call("setData", b"/of-three", b"2", -1) is not None,
                    "a session outlives its leader, and comes back over TLS")
            again.close()
            first.disconnect()

    def moving(self):
        with self.port(ssl__clientAuth="want") as port:
            first = port.server.session()
            again = port.session(session_id=first.id, password=first.password)
            self.ok(not again.expired and first.connection.read_frame() is None, "a session moves from one port to the other")
            back = port.server.session(session_id=first.id, password=first.password)
            self.ok(not back.expired and again.connection.read_frame() is None, "and back")
            back.close()
        with self.port(nio__numWorkerThreads=2, ssl__clientAuth="want") as port:
            sessions = [port.session() for _ in range(8)]
            self.ok(all(session.ping() is not None for session in sessions), "workers shake hands as well")
            for session in sessions:
                session.close()


GROUPS = ("versions", "certificates_of_clients", "hosts", "other_language", "oversize", "identities", "unification", "limits",
          "much", "moving", "ensembles", "stores", "refused_at_start", "reload", "responders", "trickle")


def make_certificates(directory):
    certificates = Certificates(directory)
    certificates.make("server", "DNS:localhost,IP:127.0.0.1")
    certificates.make("other", "DNS:localhost,IP:127.0.0.1")
    certificates.make("client")
    certificates.make("local", "IP:127.0.0.1")
    certificates.make("admin")
    certificates.make("boss", subject="/O=zkc+OU=a/CN=boss")
    certificates.make("revoked")
    certificates.make("foreigner", authority="stranger")
    certificates.make("own", authority=None)
    certificates.make("expired", days="-1")
    for suffix in (".crt", ".key", ".pem"):
        shutil.copy(certificates.path("server" + suffix), certificates.path("server_first" + suffix))
    certificates.write("trust.pem", certificates.read("ca.pem"))
    return certificates


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--only", choices=GROUPS, help="one group")
    tap_lib.add_option(parser)
    options = parser.parse_args()
    missing = servers.require("zkc")
    if missing:
        tap_lib.skip_all(missing)
    if not shutil.which("openssl"):
        tap_lib.skip_all("Debian's openssl is not installed")
    tap = tap_lib.Tap(plain=not options.tap)
    with tempfile.TemporaryDirectory() as directory:
        checks = Checks(tap, make_certificates(directory))
        for group in GROUPS:
            if options.only in (None, group):
                getattr(checks, group)()
    return tap.done()


if __name__ == "__main__":
    sys.exit(main())
