"""TLS for tests: an authority that issues certificates, an address that has one, and clients that trust it."""

import ssl
import subprocess

import pytest

import expect
from wire import DEADLINE, Connection


def openssl(*arguments):
    subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True, timeout=60)


def make_key(path):
    openssl("genpkey", "-quiet", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", path)


class Authority:
    """A certificate authority that makes certificates for servers and clients."""

    def __init__(self, directory, name="authority"):
        self.directory = directory
        self.certificate = directory / f"{name}.pem"
        self.key = directory / f"{name}.key"
        make_key(self.key)
        openssl("req", "-x509", "-new", "-key", self.key, "-subj", f"/CN={name}", "-days", "2", "-out", self.certificate)

    def issue(self, name, subject, extensions="subjectAltName=IP:127.0.0.1"):
        """The files of a new certificate and its key."""
        certificate, key = self.directory / f"{name}.pem", self.directory / f"{name}.key"
        request, more = self.directory / f"{name}.csr", self.directory / f"{name}.ext"
        make_key(key)
        more.write_text(extensions + "\n")
        openssl("req", "-new", "-utf8", "-key", key, "-subj", subject, "-out", request)
        openssl("x509", "-req", "-in", request, "-CA", self.certificate, "-CAkey", self.key, "-CAcreateserial",
                "-days", "2", "-extfile", more, "-out", certificate)
        return certificate, key


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def files(authority):
    return authority.issue("server", "/CN=server")


@pytest.fixture(scope="module")
def ann(authority):
    return authority.issue("ann", "/O=there/CN=ann")


def listen(files, **more):
    """A plain address, which the harness calls, and one with TLS."""
    certificate, key = files
    return ["127.0.0.1:0", {"address": "127.0.0.1:0", "tls": {"certificate": str(certificate), "key": str(key), **more}}]


class Client(Connection):
    """A connection with TLS."""

    def __init__(self, server, context, session=None):
        super().__init__(server.addresses[1], expect.check_answer)
        try:
            self.sock = context.wrap_socket(self.sock, server_hostname="127.0.0.1", session=session)
        except Exception:
            self.sock.close()
            raise
        self.sock.settimeout(DEADLINE)
        server.connections.append(self)

    def _fill(self, deadline):
        """Bytes may wait in the TLS layer, where select does not see them."""
        if self.sock.pending():
            self.buffer += self.sock.recv(65536)
            return True
        return super()._fill(deadline)


def trusting(authority, certificate=None, version=None):
    context = ssl.create_default_context(cafile=str(authority.certificate))
    if certificate:
        context.load_cert_chain(*map(str, certificate))
    if version:
        context.minimum_version = context.maximum_version = version
    return context


@pytest.fixture(params=[ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3], ids=["1.2", "1.3"])
def context(authority, request):
    return trusting(authority, version=request.param)
