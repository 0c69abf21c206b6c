"""Certificates of clients, and new ones of the server without a new start."""

import ssl

import pytest

import expect
from harness import echo, environment, job, read_environment, run
from principals import HASHES, basic, htpasswd
from tls_client import Authority, Client, ann, authority, context, files, listen, openssl, trusting  # noqa: F401: fixtures


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
    assert client.request("GET", target, None, {"Prefer": "wait=60"}).receive().body == b"x"
    nobody = Client(server, trusting(authority))
    for _ in range(10):
        expect.check_problem(nobody.request("GET", "/env", None, basic("ann")).receive(), 401, "unauthorized")
    expect.check_problem(server.get("/env"), 401, "unauthorized")


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
    server.reload()
    assert old.request("POST", "/echo", b"x").receive().body == b"x"
    gate.open()
    assert held.receive().status == 200
    new = Client(server, context, old.sock.session)
    assert new.request("POST", "/echo", b"x").receive().body == b"x"
    assert subject(new) == "second" and not new.sock.session_reused
    server.expect_error("configuration not reloaded")
    paths[1].write_bytes((authority.directory / "first.key").read_bytes())
    server.reload("configuration not reloaded")
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
