"""Upstreams that answer too early, too late, too much, or what is no answer."""

import gzip
import socket

import pytest

from expect import check_problem
from upstream import Upstream, sends

LARGE = b"x" * (4 << 20)


def test_interim_answers_without_end(upstream, front):
    """They are not read for ever."""

    def handle(peer, request):
        while True:
            peer.send(b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n")

    check_problem(front(upstream(handle), timeout="10s").post("/up/x"), 502, "upstream-broken")


def test_header_that_trickles(upstream, front):

    def handle(peer, request):
        peer.send(b"HTTP/1.1 200 OK\r\nX-")
        while True:
            peer.send(b"a")
            peer.sock.settimeout(0.05)
            try:
                if not peer.sock.recv(1):
                    return True
            except TimeoutError:
                pass

    check_problem(front(upstream(handle), timeout="500ms").post("/up/x"), 504, "upstream-timeout")


def test_header_that_stops(upstream, front):

    def handle(peer, request):
        peer.send(b"HTTP/1.1 200 OK\r\nX-A: 1\r\n")
        peer.wait_closed()
        return True

    check_problem(front(upstream(handle), stall_timeout="300ms").post("/up/x"), 504, "upstream-timeout")


@pytest.mark.parametrize("status", ["200 OK", "413 Content Too Large"])
def test_answer_before_the_body_was_sent(upstream, front, tmp_path, status):
    """The header of the request is enough for it to answer; the rest of the body is read, or not."""

    class Hasty(Upstream):
        def _serve(self, sock, number):
            head = b""
            while b"\r\n\r\n" not in head:
                head += sock.recv(1)
            sock.sendall(f"HTTP/1.1 {status}\r\nContent-Length: 5\r\nConnection: close\r\n\r\nearly".encode())
            sock.shutdown(socket.SHUT_WR)
            while sock.recv(65536):
                pass
            sock.close()

    server = front(upstream(None, kind=Hasty), route={"max_body": "16MiB"}, state=str(tmp_path / "deferd.db"))
    response = server.post("/up/x", LARGE)
    assert (response.status, response.body) == (int(status[:3]), b"early")


def test_body_that_nobody_reads(upstream, front, tmp_path):

    class Deaf(Upstream):
        def _serve(self, sock, number):
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)

    server = front(upstream(None, kind=Deaf), route={"max_body": "64MiB"}, state=str(tmp_path / "deferd.db"), timeout="500ms")
    check_problem(server.post("/up/x", LARGE * 4), 504, "upstream-timeout")


@pytest.mark.parametrize("status", ["204 No Content", "304 Not Modified"])
def test_body_where_there_is_none(upstream, front, status):
    """It is no part of that answer, and none of the next one on the connection."""
    other = upstream(sends(f"HTTP/1.1 {status}\r\nContent-Length: 3\r\nX-A: 1\r\n\r\nbad".encode(), close=False))
    server = front(other)
    for _ in range(3):
        response = server.get("/up/x")
        assert (response.status, response.body, response.get("X-A")) == (int(status[:3]), b"", "1")


def test_head_with_a_body(upstream, front):
    other = upstream(sends(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nbad", close=False))
    server = front(other)
    for _ in range(3):
        response = server.call("HEAD", "/up/x")
        assert (response.status, response.body) == (200, b"")


def test_more_than_its_length(upstream, front):
    """What follows the answer is not taken for the next one."""
    other = upstream(sends(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil", close=False))
    server = front(other)
    assert [server.get("/up/x").body for _ in range(5)] == [b"ok"] * 5


@pytest.mark.parametrize("head", [
    b"Transfer-Encoding: chunked\r\nContent-Length: 3",
    b"Content-Length: 3\r\nTransfer-Encoding: chunked",
])
def test_two_framings(upstream, front, head):
    """Chunks count (RFC 9112, 6.3), and no length is told on."""
    other = upstream(sends(b"HTTP/1.1 200 OK\r\n" + head + b"\r\n\r\n5\r\nhello\r\n0\r\n\r\n"))
    response = front(other).get("/up/x")
    assert (response.status, response.body) == (200, b"hello")


def test_equal_lengths(upstream, front):
    other = upstream(sends(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nok"))
    response = front(other).get("/up/x")
    assert (response.body, response.all("Content-Length")) == (b"ok", ["2"])


def test_secret_of_the_connection(upstream, front):
    """What Connection names stays between the two that speak, in both directions."""
    other = upstream(lambda peer, request: peer.answer("200 OK", b"", "Connection: X-Secret, close", "X-Secret: theirs", "X-Open: 1"))
    response = front(other).get("/up/x", {"Connection": "X-Secret", "X-Secret": "ours", "X-Open": "2"})
    assert response.get("X-Secret") is None and response.get("X-Open") == "1"
    assert other.requests[0].get("X-Secret") is None and other.requests[0].get("X-Open") == "2"


def test_repeated_fields(upstream, front):
    cookies = ["a=1; Path=/; HttpOnly", "b=2, 3", "a=4"]
    other = upstream(lambda peer, request: peer.answer("200 OK", b"", *(f"Set-Cookie: {value}" for value in cookies)))
    assert front(other).get("/up/x").all("Set-Cookie") == cookies


@pytest.mark.parametrize("coding", ["gzip", "br", "deflate", "zstd"])
def test_compressed_bytes_are_not_touched(upstream, front, coding):
    """Whether they are what they are called or not."""
    packed = gzip.compress(b"y" * 10000)
    other = upstream(lambda peer, request: peer.answer("200 OK", packed, f"Content-Encoding: {coding}", "Vary: Accept-Encoding"))
    response = front(other).get("/up/x", {"Accept-Encoding": coding})
    assert (response.body, response.get("Content-Encoding"), response.get("Vary")) == (packed, coding, "Accept-Encoding")


def test_one_that_hangs_does_not_hold_up_the_others(upstream, front):
    """Many transfers share a thread: what waits must not keep a quick one from its end."""

    def handle(peer, request):
        if request.target == "/up/quick":
            peer.answer("200 OK", b"ok")
            return False
        peer.wait_closed()
        return True

    other = upstream(handle)
    server = front(other, workers=64, route={"run_timeout": "1m"})
    server.kept_descriptors += 40
    for _ in range(40):
        server.begin("POST", "/up/wait", b"")
    for _ in range(40):
        other.wait_arrived()
    assert [server.post("/up/quick").body for _ in range(10)] == [b"ok"] * 10
