"""TLS: versions, one record a small reply, resumption, what is refused."""

import socket
import ssl
import subprocess

import pytest

import expect
from harness import echo, environment, eventually, job, read_environment, route, shell
from tls_client import Client, authority, context, files, listen, trusting  # noqa: F401: fixtures
from wire import DEADLINE, Connection

BIG = "head -c $((20 << 20)) /dev/zero | tr '\\0' x"


@pytest.fixture
def server(serve, files, gate):
    return serve([echo("/echo", methods=["GET", "POST"]), environment(methods=["GET"]), job("/job", gate),
                  route("/big", shell(BIG), methods=["GET"])], listen=listen(files))


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
