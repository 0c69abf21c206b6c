"""Connections: what one goes through from its first request to its end, in time and out of time."""

import hashlib

import pytest

import expect
from harness import echo, eventually, job
from styles import unknown_id
from test_front import head, server  # noqa: F401: fixtures
from wire import Connection


def test_pipelining(server, gate):
    """Answers come in the order of the requests, held ones too, and everything after them waits."""
    connection = server.connect()
    connection.request("POST", "/job", b"one")
    connection.request("GET", "/args/two")
    connection.request("POST", "/job", b"three")
    connection.request("GET", "/nothing")
    connection.request("GET", "/args/four", fields={"Connection": "close"})
    connection.request("GET", "/args/never")
    gate.wait_begun()
    assert server.get("/args/other").body == b"other"
    assert connection.is_quiet()
    gate.open("d")
    assert connection.receive("POST").body == b"one"
    assert connection.receive().body == b"two"
    gate.wait_begun()
    gate.open("d")
    assert connection.receive("POST").body == b"three"
    assert connection.receive().status == 404
    last = connection.receive()
    assert last.body == b"four" and last.get("Connection") == "close"
    assert connection.receive_end() == b""


def test_pipelining_many(server):
    connection = server.connect()
    connection.send(b"".join(head(f"GET /operations/{n} HTTP/1.1") for n in range(500)))
    for _ in range(500):
        assert connection.receive().status == 404
    assert connection.is_quiet()


def test_keep_alive(server):
    connection = server.connect()
    for n in range(20):
        response = connection.request("POST", "/echo", b"%d" % n).receive("POST")
        assert response.body == b"%d" % n and response.get("Connection") in (None, "keep-alive")
    assert connection.request("GET", "/nothing").receive().status == 404
    assert connection.request("POST", "/small", b"x" * 11).receive("POST").status == 413
    assert connection.request("POST", "/echo", b"x").receive("POST").status == 200


@pytest.mark.parametrize("value", ["close", "Close", "keep-alive, close", "x,close"])
def test_close(server, value):
    connection = server.connect()
    response = connection.request("POST", "/echo", b"x", {"Connection": value}).receive("POST")
    assert response.body == b"x" and response.get("Connection") == "close"
    assert connection.receive_end() == b""


def test_http_1_0(server, gate):
    connection = server.connect()
    response = connection.request("GET", "/args/x", version="1.0").receive()
    assert response.body == b"x" and response.get("Connection") in (None, "close")
    assert response.get("Transfer-Encoding") is None
    assert connection.receive_end() == b""
    connection = server.connect()
    for _ in range(2):
        response = connection.request("GET", "/args/x", None, {"Connection": "keep-alive"}, "1.0").receive()
        assert response.body == b"x" and response.get("Connection").lower() == "keep-alive"
    connection = server.connect()
    connection.send(b"GET /args/x HTTP/1.0\r\n\r\n")
    assert connection.receive().body == b"x", "HTTP/1.0 needs no Host"
    connection = server.connect()
    connection.request("POST", "/job", b"x", version="1.0")
    gate.wait_begun()
    gate.open("d")
    assert connection.receive("POST").body == b"x"
    assert connection.receive_end() == b""


def test_empty_line_before_request(server):
    """A client that ends a body with one CRLF too many (RFC 9112, 2.2)."""
    connection = server.connect()
    connection.send(b"\r\n" + head("GET /args/x HTTP/1.1"))
    assert connection.receive().body == b"x"


def test_request_in_pieces(server):
    connection = server.connect()
    data = head("POST /echo HTTP/1.1", "Content-Length: 5") + b"hello"
    for n in range(len(data)):
        connection.send(data[n:n + 1])
    assert connection.receive("POST").body == b"hello"


def test_unread_body_of_refused_request(server):
    """A body that nobody wants does not become the next request."""
    connection = server.connect()
    connection.request("POST", "/nothing", head("GET /args/smuggled HTTP/1.1"))
    assert connection.receive("POST").status == 404
    assert connection.request("GET", "/args/x").receive().body == b"x"


@pytest.mark.parametrize("kind", ["sync", "result"])
def test_slow_reader(server, kind):
    """Who does not read a large answer holds nobody up, and gets every byte in the end."""
    if kind == "sync":
        slow = server.begin("GET", "/big")
    else:
        id_ = server.post("/big?async=true").get("Location").rpartition("/")[2]
        assert server.get(f"/v1/operationStatus/{id_}", {"Prefer": "wait=20"}).json()["status"] == "SUCCESS"
        server.kept_descriptors = 1
        slow = server.begin("GET", f"/operations/{id_}")
    eventually(lambda: not slow.is_quiet(), "the beginning of the answer")
    for n in range(50):
        assert server.get(f"/args/{n}").body == b"%d" % n
    response = slow.receive()
    assert response.status == 200 and len(response.body) == 20 << 20
    assert hashlib.sha256(response.body).digest() == hashlib.sha256(b"x" * (20 << 20)).digest()
    assert slow.request("GET", "/args/next").receive().body == b"next"


def test_slow_reader_leaves(server):
    for leave in ("close", "reset", "finish_sending"):
        slow = server.begin("GET", "/big")
        eventually(lambda: not slow.is_quiet(), "the beginning of the answer")
        getattr(slow, leave)()
        assert server.get("/args/x").body == b"x"


def test_idle_timeout(serve, gate):
    """A connection without a request is closed; one that is held is not idle."""
    server = serve([echo(), job("/job", gate)], idle_timeout="150ms", header_timeout="150ms")
    silent, used, held = server.connect(), server.connect(), server.connect()
    held.request("POST", "/job", b"x")
    gate.wait_begun()
    assert used.request("POST", "/echo", b"x").receive("POST").status == 200
    assert used.receive_end() == b""
    end = silent.receive_end()
    assert end == b"" or end.startswith(b"HTTP/1.1 408 ")
    assert server.post("/job", b"", {"Prefer": "respond-async, wait-ms=300"}).status == 202
    gate.wait_begun()
    assert held.is_quiet()
    gate.open("dd")
    assert held.receive("POST").body == b"x"


@pytest.mark.parametrize("data", [b"G", b"GET /echo HTTP/1.1\r\n", b"GET /echo HTTP/1.1\r\nHost: h\r\nX: ",
                                  b"POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhe"])
def test_header_timeout(serve, data):
    """A request that does not come to its end is given up, with 408 or without a word."""
    server = serve([echo()], header_timeout="150ms", idle_timeout="1h")
    connection = server.connect()
    connection.send(data)
    end = connection.receive_end()
    assert end == b"" or end.startswith(b"HTTP/1.1 408 "), end


def test_trickle_is_cut(serve):
    """Bytes that keep coming do not lengthen the time for a header."""
    server = serve([echo()], header_timeout="200ms", idle_timeout="1h")
    connection = server.connect()
    connection.send(b"GET /echo HTTP/1.1\r\nHost: h\r\n")

    def is_cut():
        try:
            connection.send(b"X: y\r\n")
        except OSError:
            return True
        return not connection.is_quiet()

    eventually(is_cut, "the connection to be cut", 5)


def test_expect_continue(server):
    connection = server.connect()
    connection.request("POST", "/echo", fields={"Content-Length": "5", "Expect": "100-continue"})
    interim = connection.receive("POST")
    assert interim.status == 100 and interim.fields == []
    connection.send(b"hello")
    assert connection.receive("POST").body == b"hello"
    connection.request("POST", "/echo", b"hello", {"Expect": "100-Continue"})
    response = connection.receive("POST")
    while response.status == 100:
        response = connection.receive("POST")
    assert response.body == b"hello"


def test_expect_continue_refused(server):
    """The body is not asked for when it would be too large."""
    connection = server.connect()
    connection.request("POST", "/echo", fields={"Content-Length": "999999999", "Expect": "100-continue"})
    expect.check_problem(connection.receive("POST"), 413)
    assert connection.receive_end() == b""
    connection = server.connect()
    connection.request("POST", "/echo", fields={"Content-Length": "5", "Expect": "200-ok"})
    expect.check_problem(connection.receive("POST"), 417)


def test_half_close_after_request(server):
    """A client that says that it sends no more and waits for a quick answer gets it, or is taken to have left."""
    connection = server.connect()
    connection.request("GET", f"/operations/{unknown_id()}").finish_sending()
    end = connection.receive_end()
    assert end == b"" or end.startswith(b"HTTP/1.1 404 ")


def test_many_connections(server):
    connections = [server.connect() for _ in range(300)]
    for connection in connections:
        connection.request("GET", f"/operations/{unknown_id()}")
    for connection in connections:
        assert connection.receive().status == 404


def test_listens(serve, tmp_path):
    path = f"unix:{tmp_path}/socket"
    server = serve([echo()], listen=["127.0.0.1:0", path, "[::1]:0"])
    assert len(server.addresses) == 3 and server.addresses[1] == path
    for address in server.addresses:
        with Connection(address, expect.check_answer) as connection:
            assert connection.request("POST", "/echo", b"x").receive("POST").body == b"x"


def test_unix_socket(serve, tmp_path):
    server = serve([echo()], listen=f"unix:{tmp_path}/socket")
    response = server.post("/echo?async=true", b"x")
    assert response.status == 202 and response.get("Location").startswith("http://localhost/operations/")
    server.end()
    server.start()  # where the socket of an ended server may stand
    server.kill()
    server.start()  # where the socket of a dead one does stand
    assert server.post("/echo", b"x").body == b"x"
