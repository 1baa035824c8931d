"""certificates.py - authorities, certificates and stores for tests of TLS, made by the openssl command when needed."""

import os
import ssl
import subprocess

import rawclient

CURVE = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
CA_CONFIG = """[ca]
default_ca = of_test
[of_test]
database = %(directory)s/%(name)s.index
default_md = sha256
default_crl_days = %(days)d
"""


class Certificates:
    """Files in a directory: authorities ("ca", "stranger"), and pairs of certificate and key that they signed."""

    def __init__(self, directory):
        self.directory = directory
        for name in ("ca", "stranger"):
            self._openssl("req", "-x509", *CURVE, "-subj", "/CN=" + name, "-days", "2", "-keyout",
                          self.path(name + ".key"), "-out", self.path(name + ".pem"))

    def path(self, name):
        return os.path.join(self.directory, name)

    def read(self, *names):
        """What stands in these files, together."""
        text = ""
        for name in names:
            with open(self.path(name), encoding="ascii") as file:
                text += file.read()
        return text

    def write(self, name, text):
        """In the place of what was there, whole at once."""
        with open(self.path(name + ".new"), "w", encoding="ascii") as file:
            file.write(text)
        os.rename(self.path(name + ".new"), self.path(name))
        return self.path(name)

    @staticmethod
    def _openssl(*arguments):
        subprocess.run(["openssl"] + list(arguments), check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def make(self, name, subject_alternative=None, authority="ca", days="2", subject=None, responder=None):
        """name.key, name.crt, and both in name.pem, as Java's stores of type PEM want it; authority None: its own.

        `responder` is the URL at which OCSP is to be asked."""
        subject = subject or "/CN=" + name
        if authority is None:
            self._openssl("req", "-x509", *CURVE, "-subj", subject, "-days", days, "-keyout", self.path(name + ".key"),
                          "-out", self.path(name + ".crt"))
        else:
            self._openssl("req", *CURVE, "-subj", subject, "-keyout", self.path(name + ".key"), "-out",
                          self.path(name + ".csr"))
            self.write(name + ".ext", "subjectAltName=%s\n" % (subject_alternative or "DNS:" + name) +
                       ("authorityInfoAccess=OCSP;URI:%s\n" % responder if responder else ""))
            self._openssl("x509", "-req", "-in", self.path(name + ".csr"), "-CA", self.path(authority + ".pem"),
                          "-CAkey", self.path(authority + ".key"), "-CAcreateserial", "-days", days, "-extfile",
                          self.path(name + ".ext"), "-out", self.path(name + ".crt"))
        self.write(name + ".pem", self.read(name + ".key", name + ".crt"))

    def make_pkcs12(self, name, password):
        """name.p12 with the pair and who signed it."""
        self._openssl("pkcs12", "-export", "-in", self.path(name + ".crt"), "-inkey", self.path(name + ".key"),
                      "-certfile", self.path("ca.pem"), "-passout", "pass:" + password, "-out",
                      self.path(name + ".p12"))
        return self.path(name + ".p12")

    def _signing(self, authority, days=2):
        """What openssl ca needs to be told, with no certificate in its index yet."""
        config = self.write(authority + ".cnf", CA_CONFIG % {"directory": self.directory, "name": authority,
                                                             "days": days})
        self.write(authority + ".index", "")
        return ["-config", config, "-cert", self.path(authority + ".pem"), "-keyfile", self.path(authority + ".key")]

    def index(self, good, revoked, authority="ca"):
        """The index that a responder answers from; it does not know others."""
        signed = self._signing(authority)
        for name in good:
            self._openssl("ca", *signed, "-valid", self.path(name + ".crt"))
        for name in revoked:
            self._openssl("ca", *signed, "-revoke", self.path(name + ".crt"))
        return self.path(authority + ".index")

    def revocations(self, *revoked, authority="ca", days=2):
        """The list of what an authority took back, in PEM."""
        signed = self._signing(authority, days)
        for name in revoked:
            self._openssl("ca", *signed, "-revoke", self.path(name + ".crt"))
        self._openssl("ca", *signed, "-gencrl", "-out", self.path(authority + ".crl"))
        return self.read(authority + ".crl")

    def of_client(self, name="client", authority="ca"):
        """The argument of zookeeper_init_ssl(); without a name only whom to trust."""
        return ",".join([self.path(authority + ".pem")] + ([self.path(name + ".crt"), self.path(name + ".key")] if name
                                                            else []))

    def context(self, name="client", version=None, ciphers=None):
        """What Python's ssl connects with, trusting "ca"; without a name no certificate is shown."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.load_verify_locations(self.path("ca.pem"))
        if name:
            context.load_cert_chain(self.path(name + ".crt"), self.path(name + ".key"))
        if version:
            context.minimum_version = context.maximum_version = version
        if ciphers:
            context.set_ciphers(ciphers)
        return context


class TlsConnection(rawclient.Connection):
    """A connection over TLS, its handshake done; ssl.SSLError and OSError when there is none."""

    def __init__(self, address, context, timeout=30.0, session=None):
        super().__init__(address, timeout)
        try:
            self.socket = context.wrap_socket(self.socket, session=session)
        except (OSError, ValueError):
            self.socket.close()
            raise

    def _receive(self, deadline):
        try:
            return super()._receive(deadline)
        except ssl.SSLEOFError:
            self.eof = True
            return False

    def send_raw(self, data):
        try:
            super().send_raw(data)
        except ssl.SSLError:
            pass    # as with a connection without TLS: what comes back will show it


def tls_session(address, context, timeout=30.0, **options):
    return rawclient.Session(address, connection=TlsConnection(address, context, timeout), **options)
