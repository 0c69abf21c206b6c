"""Upstreams that speak HTTP/2: that it is used, and their misbehaviours."""

import re
from pathlib import Path

import h2.errors
import pytest

from expect import check_problem
from harness import eventually
from upstream import make_certificate
from upstream_http2 import Http2Upstream


@pytest.fixture
def pair(upstream, front, tmp_path):
    """A factory: pair(handle, settings...) is an upstream and the server in front of it."""

    def make(handle, **settings):
        certificate, context = make_certificate(tmp_path)
        other = upstream(handle, context, Http2Upstream)
        return other, front(other, ca=str(certificate), **settings)

    return make


def greet(peer, stream):
    stream.answer(200, b"hello", ("content-type", "text/plain"), ("set-cookie", "a=1"), ("set-cookie", "b=2"))


def test_it_is_used(pair):
    other, server = pair(greet)
    response = server.call("PUT", "/up/a%20b?x=1", b"body", {"X-A": "1", "Connection": "X-Secret", "X-Secret": "s"})
    assert (response.status, response.body, response.get("Content-Type")) == (200, b"hello", "text/plain")
    assert response.all("Set-Cookie") == ["a=1", "b=2"]
    request = other.requests[0]
    assert (request.method, request.target, request.body) == ("PUT", "/up/a%20b?x=1", b"body")
    assert request.authority == f"127.0.0.1:{other.port}" and request.get("x-a") == "1" and request.get("x-secret") is None


def test_connection_is_kept(pair):
    other, server = pair(greet)
    assert [server.post("/up/x", b"y").status for _ in range(10)] == [200] * 10
    assert other.connections <= 2 and max(len(peer.streams) for peer in other.peers) >= 5


def test_calls_have_connections_of_their_own(pair):
    """So that cancelling one is felt on the other side, and an error on one strikes no other."""
    held = []

    def handle(peer, stream):
        held.append(stream)
        if len(held) == 6:
            for one in reversed(held):
                one.answer(200, one.request.body)

    other, server = pair(handle, workers=16)
    calls = [server.begin("POST", "/up/x", b"%d" % i) for i in range(6)]
    assert [call.receive("POST").body for call in calls] == [b"%d" % i for i in range(6)]
    assert other.connections == 6


def test_large_answer_is_never_whole_in_memory(pair, tmp_path):
    size, piece = 100 << 20, bytes(range(256)) * 4096

    def handle(peer, stream):
        stream.send_head(200)
        for _ in range(size // len(piece)):
            if not stream.send_data(piece, end=False):
                return
        stream.peer.h2.end_stream(stream.number)
        stream.peer.flush()

    def peak_kib():
        return int(re.search(r"VmHWM:\s+(\d+)", Path(f"/proc/{server.pid}/status").read_text())[1])

    # What a sanitizer keeps of freed memory is none of the program's.
    _, server = pair(handle, route={"max_result": "200MiB"}, state=str(tmp_path / "deferd.db"),
                     variables={"ASAN_OPTIONS": "detect_leaks=1:exitcode=99:quarantine_size_mb=1"})
    before = peak_kib()
    assert server.get("/up/x").body == piece * (size // len(piece))
    assert peak_kib() - before < size // 1024 // 2


def test_interim_answers_and_trailers_are_passed_over(pair):

    def handle(peer, stream):
        peer.h2.send_headers(stream.number, [(":status", "103"), ("link", "</a>")])
        stream.send_head(200, ("x-a", "1"))
        stream.send_data(b"ok", end=False)
        peer.h2.send_headers(stream.number, [("x-t", "1")], end_stream=True)
        peer.flush()

    _, server = pair(handle)
    response = server.get("/up/x")
    assert (response.status, response.body, response.get("X-A")) == (200, b"ok", "1")
    assert response.get("Link") is None and response.get("X-T") is None


@pytest.mark.parametrize("begun", [False, True])
def test_stream_that_is_reset(pair, begun):
    """That call has failed; the connection is still good."""

    def handle(peer, stream):
        if stream.request.target != "/up/bad":
            stream.answer(200, b"ok")
            return
        if begun:
            stream.send_head(200, ("content-length", "100"))
            stream.send_data(b"abc", end=False)
        stream.reset()

    _, server = pair(handle)
    check_problem(server.post("/up/bad"), 502, "upstream-broken")
    assert server.post("/up/good").body == b"ok"


def refuse_first(peer, stream):
    if len(peer.streams) == 1 and peer.number == 1:
        stream.reset(h2.errors.ErrorCodes.REFUSED_STREAM)
    else:
        stream.answer(200, b"ok")


def go_away_first(peer, stream):
    if peer.number == 1:
        peer.h2.close_connection(last_stream_id=0)
        peer.flush()
        return True
    stream.answer(200, b"ok")
    return False


@pytest.mark.parametrize("handle", [refuse_first, go_away_first])
def test_what_was_not_processed_is_sent_again(pair, handle):
    _, server = pair(handle, retry={"times": 2, "for": "10s"})
    assert server.get("/up/x").body == b"ok"


def test_goaway_lets_the_last_answer_through(pair):

    def handle(peer, stream):
        peer.h2.close_connection(last_stream_id=stream.number)
        peer.flush()
        # What h2 itself would no longer send is an ordinary answer to the other side.
        peer.sock.sendall(bytes.fromhex("000001 01 04") + stream.number.to_bytes(4, "big") + b"\x88")
        peer.sock.sendall(bytes.fromhex("000002 00 01") + stream.number.to_bytes(4, "big") + b"ok")

    other, server = pair(handle)
    assert [server.post("/up/x").body for _ in range(3)] == [b"ok"] * 3
    assert other.connections == 3


@pytest.mark.parametrize("data", [
    bytes.fromhex("00000401 04 00000001 ffffffff"),  # a header block that is none
    bytes.fromhex("000005 00 00 00000009") + b"stray",  # data of a stream that nobody opened
    bytes.fromhex("ffffff 00 00 00000001"),  # a frame that is too long
    b"HTTP/1.1 200 OK\r\n\r\n",
    b"",
])
def test_broken_connection(pair, data):

    def handle(peer, stream):
        peer.sock.sendall(data)
        return True

    _, server = pair(handle)
    check_problem(server.post("/up/x"), 502, "upstream-broken")


def test_header_bomb(pair):
    """Small on the wire, large once it is unpacked."""

    def handle(peer, stream):
        stream.send_head(200, *[("x-bomb", "x" * 1000)] * 500)

    _, server = pair(handle)
    check_problem(server.post("/up/x"), 502, "upstream-broken")


def test_stall(pair):

    def handle(peer, stream):
        stream.send_head(200, ("content-length", "10"))

    other, server = pair(handle, stall_timeout="300ms")
    check_problem(server.post("/up/x"), 504, "upstream-timeout")
    eventually(lambda: other.peers[0].is_over, "the connection to be closed")


def test_cancel_ends_the_call_on_the_other_side(pair):
    def handle(peer, stream):
        if stream.request.target == "/up/quick":
            stream.answer(200, b"ok")

    other, server = pair(handle)
    monitor = server.post("/up/slow?async=true").get("Location").removeprefix(server.base)
    other.wait_arrived()
    assert server.call("DELETE", monitor).status in (202, 204)
    eventually(lambda: other.peers[0].is_over, "the connection to be closed")
    check_problem(eventually(lambda: (response := server.get(monitor)).status != 202 and response), 410, "cancelled")
    assert server.post("/up/quick").body == b"ok"
