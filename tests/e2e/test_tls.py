"""TLS: versions, one record a small reply, resumption, client certificates, new certificates without a new start."""

import signal
import socket
import ssl
import subprocess

import pytest

import expect
from harness import echo, environment, eventually, job, read_environment, route, run, shell
from principals import HASHES, basic, htpasswd
from wire import DEADLINE, Connection

BIG = "head -c $((20 << 20)) /dev/zero | tr '\\0' x"


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


@pytest.fixture
def server(serve, files, gate):
    return serve([echo("/echo", methods=["GET", "POST"]), environment(methods=["GET"]), job("/job", gate),
                  route("/big", shell(BIG), methods=["GET"])], listen=listen(files))


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


def test_calls(server, context):
    client = Client(server, context)
    for body in (b"", b"x", b"y" * 100000):
        assert client.request("POST", "/echo", body).receive("POST").body == body
    variables = read_environment(client.request("GET", "/env").receive())
    assert variables["SERVER_PORT"] == server.addresses[1].rpartition(":")[2] and variables["HTTPS"] == "on"
    assert "HTTPS" not in read_environment(server.get("/env", {"HTTPS": "on"}))


def test_links_are_https(server, context, gate):
    client = Client(server, context)
    accepted = client.request("POST", "/job?async=true", b"").receive()
    assert accepted.get("Location").startswith(f"https://{server.addresses[1]}/operations/")
    gate.wait_begun()
    gate.open()


def test_big_result(server, context):
    assert len(Client(server, context).request("GET", "/big").receive().body) == 20 << 20


def test_pipelined(server, context):
    client = Client(server, context)
    one = b"POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\n"
    client.send(b"".join(one + b"%d" % i for i in range(10)))
    assert [client.receive().body for _ in range(10)] == [b"%d" % i for i in range(10)]


def test_small_replies_to_a_slow_reader(server, context):
    """A small reply that the socket takes only in part, or not at all, comes whole and in its turn."""
    client = Client(server, context)
    body = bytes(range(32, 127)) * 150
    accepted = client.request("POST", "/echo?async=true", body).receive()
    target = accepted.get("Location").partition(server.addresses[1])[2]
    eventually(lambda: client.request("GET", target).receive().status == 200)
    client.send(f"GET {target} HTTP/1.1\r\nHost: h\r\n\r\n".encode() * 1000)
    for _ in range(1000):
        assert client.receive().body == body


def test_byte_by_byte(server, context):
    client = Client(server, context)
    for byte in b"POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nab":
        client.send(bytes([byte]))
    assert client.receive().body == b"ab"


def test_refusal(server, context):
    """What the guard refuses is answered over TLS, too, and the connection closed in good order."""
    client = Client(server, context)
    client.sock.suppress_ragged_eofs = False
    client.send(b"GET / HTTP/1.1\r\n\x00")
    expect.check_problem(client.receive(), 400, "bad-request")
    client.sock.unwrap()


def test_close(server, context):
    client = Client(server, context)
    client.sock.suppress_ragged_eofs = False
    client.request("POST", "/echo", b"x", {"Connection": "close"})
    assert client.receive().body == b"x"
    assert client.sock.recv(1) == b""


def test_small_reply_is_one_record(server, authority):
    """Header and body come together."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = trusting(authority, version=ssl.TLSVersion.TLSv1_2).wrap_bio(incoming, outgoing, server_hostname="127.0.0.1")
    host, port = server.addresses[1].split(":")
    with socket.create_connection((host, int(port)), DEADLINE) as sock:
        while True:
            try:
                client.do_handshake()
                break
            except ssl.SSLWantReadError:
                sock.sendall(outgoing.read())
                incoming.write(sock.recv(65536))
        client.write(b"POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\nx")
        sock.sendall(outgoing.read())
        records = b""
        while len(records) < 5 or len(records) < 5 + int.from_bytes(records[3:5], "big"):
            records += sock.recv(65536)
        assert len(records) == 5 + int.from_bytes(records[3:5], "big")
        incoming.write(records)
        assert client.read(65536).endswith(b"\r\n\r\nx")


@pytest.mark.parametrize("offer", [["-tls1"], ["-tls1_1"], ["-tls1_2", "-cipher", "AES128-SHA:AES128-GCM-SHA256"],
                                   ["-alpn", "h2"]])
def test_refused_handshakes(server, authority, offer):
    done = subprocess.run(["openssl", "s_client", "-connect", server.addresses[1], "-CAfile", str(authority.certificate),
                           "-cipher", "ALL:@SECLEVEL=0", *offer], input=b"", capture_output=True, timeout=60)
    assert done.returncode != 0, done


def test_alpn(server, authority):
    context = trusting(authority)
    context.set_alpn_protocols(["h2", "http/1.1"])
    assert Client(server, context).sock.selected_alpn_protocol() == "http/1.1"


def test_no_renegotiation(server, authority):
    """The client asks for it; the server goes on or closes, and does not do it."""
    done = subprocess.run(["openssl", "s_client", "-connect", server.addresses[1], "-tls1_2", "-CAfile",
                           str(authority.certificate)], input=b"R\n", capture_output=True, timeout=60)
    assert b"no renegotiation" in done.stderr, done.stderr


def test_plain_http_to_tls(server):
    with Connection(server.addresses[1]) as connection:
        connection.send(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n")
        assert not connection.receive_end().startswith(b"HTTP")
    assert server.get("/echo").status == 200


def client_hello(authority):
    """The first bytes of a good client."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = trusting(authority).wrap_bio(incoming, outgoing, server_hostname="127.0.0.1")
    with pytest.raises(ssl.SSLWantReadError):
        client.do_handshake()
    return outgoing.read()


def attacks(hello):
    """What is no handshake, or half of one, by name."""
    record = b"\x16\x03\x01"
    yield "zeros", bytes(1000)
    yield "ones", b"\xff" * 1000
    yield "of SSL 2", b"\x80\x2e\x01\x00\x02\x00\x15\x00\x00\x00\x10" + bytes(40)
    yield "too long a record", record + b"\xff\xff" + bytes(70000)
    yield "empty records", (record + b"\x00\x00") * 10000
    yield "empty alerts", b"\x15\x03\x01\x00\x00" * 10000
    yield "warnings", b"\x15\x03\x01\x00\x02\x01\x00" * 10000
    yield "data at once", b"\x17\x03\x03\x00\x10" + bytes(16)
    yield "a change of cipher at once", b"\x14\x03\x03\x00\x01\x01" * 100
    yield "a heartbeat", b"\x18\x03\x02\x00\x03\x01\x40\x00"
    yield "hello twice", hello * 2
    yield "hello, then garbage", hello + bytes(range(256)) * 20
    yield "hello, then data", hello + b"\x17\x03\x03\x00\x40" + bytes(64)
    yield "hello, then an alert", hello + b"\x15\x03\x03\x00\x02\x02\x28"
    for at in range(0, len(hello), 97):
        yield f"hello cut at {at}", hello[:at]
        yield f"hello changed at {at}", hello[:at] + bytes([hello[at] ^ 0xff]) + hello[at + 1:]


def test_attacks(server, authority, context):
    """None disturbs those that are there or those that come, and none is told anything but in TLS."""
    there = Client(server, context)
    for name, data in attacks(client_hello(authority)):
        with Connection(server.addresses[1]) as connection:
            try:
                connection.send(data)
                connection.finish_sending()
            except OSError:  # closed by now
                pass
            answer = connection.receive_end()
        assert not answer or answer[0] in (0x14, 0x15, 0x16), (name, answer[:100])
        assert b"HTTP/1.1" not in answer, name
    assert there.request("POST", "/echo", b"x").receive().body == b"x"
    assert Client(server, context).request("POST", "/echo", b"x").receive().body == b"x"


def test_half_handshakes(serve, files, authority):
    """As many as there may be of an address: they end at their deadline, and others are let in."""
    server = serve([echo()], listen=listen(files), header_timeout="500ms", max_connections_per_address=50)
    hello = client_hello(authority)
    halves = [server.connect(server.addresses[1]) for _ in range(40)]
    for connection in halves:
        connection.send(hello)
    assert Client(server, trusting(authority)).request("POST", "/echo", b"x").receive().body == b"x"
    for connection in halves:
        connection.receive_end()
    assert Client(server, trusting(authority)).request("POST", "/echo", b"x").receive().body == b"x"


def test_handshake_has_a_deadline(serve, files):
    server = serve([echo()], listen=listen(files), header_timeout="300ms")
    silent, half = Connection(server.addresses[1]), Connection(server.addresses[1])
    server.connections += [silent, half]
    half.send(b"\x16\x03\x01\x02\x00\x01")
    assert silent.receive_end() == b""
    half.receive_end()


def test_resumption(server, context):
    first = Client(server, context)
    assert first.request("POST", "/echo", b"x").receive().body == b"x"
    assert not first.sock.session_reused and first.sock.session
    second = Client(server, context, first.sock.session)
    assert second.request("POST", "/echo", b"x").receive().body == b"x"
    assert second.sock.session_reused


def test_client_leaves(server, context):
    for data in (b"", b"GET ", b"POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\nx"):
        client = Client(server, context)
        client.send(data)
        client.sock.close()
    assert server.get("/echo").status == 200


# Client certificates.

@pytest.fixture
def asking(serve, files, authority, tmp_path):
    """A server that knows passwords and certificates."""
    (tmp_path / "users").write_text(htpasswd(bob=HASHES["bcrypt"]))
    return serve([environment(methods=["GET"])], listen=listen(files, client_ca=str(authority.certificate)),
                 auth={"basic": str(tmp_path / "users")})


def test_client_certificate(asking, authority, ann, context):
    context.load_cert_chain(*map(str, ann))
    client = Client(asking, context)
    for _ in range(2):
        assert read_environment(client.request("GET", "/env").receive())["REMOTE_USER"] == "ann"
    resumed = Client(asking, context, client.sock.session)
    assert read_environment(resumed.request("GET", "/env").receive())["REMOTE_USER"] == "ann"
    assert resumed.sock.session_reused


def test_without_client_certificate(asking, context):
    """Another way to log in is as good."""
    client = Client(asking, context)
    expect.check_problem(client.request("GET", "/env").receive(), 401, "unauthorized")
    assert read_environment(client.request("GET", "/env", None, basic("bob")).receive())["REMOTE_USER"] == "bob"


@pytest.mark.parametrize("subject", ["/O=nameless", "/CN=ann/CN=bob", "/CN=a:b"])
def test_client_certificate_without_a_name(asking, authority, subject):
    certificate = authority.issue("odd", subject)
    client = Client(asking, trusting(authority, certificate))
    expect.check_problem(client.request("GET", "/env").receive(), 401, "unauthorized")


def test_strange_client_certificate(asking, authority, context, tmp_path):
    """Of an authority that is not known, though its name is."""
    certificate = Authority(tmp_path).issue("ann", "/CN=ann")
    context.load_cert_chain(*map(str, certificate))
    with pytest.raises((ssl.SSLError, ConnectionError, AssertionError)):
        Client(asking, context).request("GET", "/env").receive()


def test_server_certificate_is_no_clients(asking, authority):
    certificate = authority.issue("other", "/CN=ann", "extendedKeyUsage=serverAuth")
    with pytest.raises((ssl.SSLError, ConnectionError, AssertionError)):
        Client(asking, trusting(authority, certificate)).request("GET", "/env").receive()


def test_only_client_certificates(serve, files, authority, ann):
    """Where they are asked for and nobody has a password, they are needed; and at the other address nothing is."""
    server = serve([environment(methods=["GET"])], listen=listen(files, client_ca=str(authority.certificate)))
    client = Client(server, trusting(authority, ann))
    assert read_environment(client.request("GET", "/env").receive())["REMOTE_USER"] == "ann"
    nobody = Client(server, trusting(authority))
    expect.check_problem(nobody.request("GET", "/env").receive(), 401, "unauthorized")
    assert "REMOTE_USER" not in read_environment(server.get("/env"))


def test_certificates_are_enough(serve, files, authority, ann):
    """With `auth` but neither passwords nor tokens: everybody needs a certificate, everywhere; admins are named as ever."""
    server = serve([echo(), environment(methods=["GET"], users=["ann"])], auth={"admins": ["ann"]},
                   listen=listen(files, client_ca=str(authority.certificate)))
    client, other = Client(server, trusting(authority, ann)), Client(server, trusting(authority, authority.issue("bob", "/CN=bob")))
    assert read_environment(client.request("GET", "/env").receive())["REMOTE_USER"] == "ann"
    expect.check_problem(other.request("GET", "/env").receive(), 403, "forbidden")
    accepted = other.request("POST", "/echo?async=true", b"x").receive()
    target = accepted.get("Location").partition(server.addresses[1])[2]
    assert client.request("GET", target).receive().status in (200, 202)
    nobody = Client(server, trusting(authority))
    for _ in range(10):
        expect.check_problem(nobody.request("GET", "/env", None, basic("ann")).receive(), 401, "unauthorized")
    expect.check_problem(server.get("/env"), 401, "unauthorized")


# New certificates.

def reload(server, said="configuration reloaded"):
    before = server.log().count(said)
    server.process.send_signal(signal.SIGHUP)
    eventually(lambda: server.log().count(said) > before)


def test_reload(serve, authority, tmp_path, gate):
    """Connections that are there stay; new ones get the new certificate; a session of before is begun anew."""
    paths = tmp_path / "certificate.pem", tmp_path / "key.pem"

    def put(files):
        for source, path in zip(files, paths):
            path.write_bytes(source.read_bytes())

    put(authority.issue("first", "/CN=first"))
    server = serve([echo(), job("/job", gate)], listen=listen(paths))
    context = trusting(authority)

    def subject(client):
        return dict(pair[0] for pair in client.sock.getpeercert()["subject"])["commonName"]

    old, held = Client(server, context), Client(server, context)
    assert old.request("POST", "/echo", b"x").receive().body == b"x" and subject(old) == "first"
    held.request("POST", "/job", b"")
    gate.wait_begun()
    put(authority.issue("second", "/CN=second"))
    reload(server)
    assert old.request("POST", "/echo", b"x").receive().body == b"x"
    gate.open()
    assert held.receive().status == 200
    new = Client(server, context, old.sock.session)
    assert new.request("POST", "/echo", b"x").receive().body == b"x"
    assert subject(new) == "second" and not new.sock.session_reused
    server.expect_error("configuration not reloaded")
    paths[1].write_bytes((authority.directory / "first.key").read_bytes())
    reload(server, "configuration not reloaded")
    assert subject(Client(server, context)) == "second"


@pytest.mark.parametrize("certificate, key, client_ca, said", [
    ("server.pem", "ann.key", None, "is not the key of the certificate"),
    ("server.key", "server.key", None, "is no certificate that can be used"),
    ("server.pem", "server.pem", None, "is no key that can be used"),
    ("empty", "server.key", None, "is no certificate that can be used"),
    ("server.pem", "locked.key", None, "is no key that can be used"),
    ("server.pem", "server.key", "empty", "holds no certificates that can be used"),
    ("server.pem", "server.key", "server.key", "holds no certificates that can be used"),
    ("server.pem", "server.key", "authority.pem", None),
])
def test_check(tmp_path, authority, files, ann, certificate, key, client_ca, said):
    directory = authority.directory
    (directory / "empty").write_text("")
    openssl("pkey", "-in", directory / "server.key", "-aes128", "-passout", "pass:x", "-out", directory / "locked.key")
    tls = {"certificate": certificate, "key": key, **({"client_ca": client_ca} if client_ca else {})}
    text = '{"listen": {"address": "127.0.0.1:0", "tls": %s}, "state": "memory", "routes": []}' % str(tls).replace("'", '"')
    (directory / "deferd.json").write_text(text)
    done = run("--check", "-c", directory / "deferd.json")
    if said:
        assert done.returncode == 1 and done.stdout.count("\n") == 1
        assert done.stdout.startswith("/listen/tls: ") and said in done.stdout
    else:
        assert done.returncode == 0 and not done.stdout
