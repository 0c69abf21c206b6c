"""Connections to upstreams: kept, and closed by the other side."""

import contextlib
import ssl
import threading

import pytest

from expect import check_problem
from harness import eventually
from upstream import answer_once, make_certificate, simple


def test_connections_are_kept(upstream, front):
    other = upstream(simple)
    server = front(other, workers=1)
    for method in ("GET", "POST", "PUT") * 5:
        assert server.call(method, "/up/x", b"y").status == 200
    assert other.connections == 1


def test_kept_connection_that_has_closed(upstream, front):
    """The end has come before the next call: a new connection is made, whatever the method."""
    other = upstream(lambda peer, request: peer.answer("200 OK", b"", "Connection: close") or True)
    server = front(other, workers=1)
    assert [server.post("/up/x").status for _ in range(3)] == [200] * 3
    assert other.connections == 3


@pytest.mark.parametrize("tls", [False, True])
def test_kept_connections_that_close_while_nobody_calls(upstream, front, tmp_path, tls):
    """Then they close on our side, too, and do not wait for the next call."""
    certificate, context = make_certificate(tmp_path) if tls else (None, None)
    rest = threading.Event()
    both = threading.Barrier(2)

    def handle(peer, request):
        both.wait()
        peer.answer("200 OK", b"")
        rest.wait()
        if tls:
            peer.sock.setblocking(False)
            with contextlib.suppress(ssl.SSLWantReadError):
                peer.sock.unwrap()  # says that this is the end; the answer to that is not waited for
        return True

    other = upstream(handle, context)
    server = front(other, workers=2, **({"ca": str(certificate)} if tls else {}))
    calls = [server.begin("GET", "/up/x") for _ in range(2)]
    assert [call.receive("GET").status for call in calls] == [200] * 2
    assert server.count_sockets_to(other.port) == 2
    rest.set()
    eventually(lambda: server.count_sockets_to(other.port) == 0)


@pytest.mark.parametrize("method, status, calls", [("GET", 200, 3), ("PUT", 200, 3), ("POST", 502, 2)])
def test_kept_connection_that_closes_on_the_next_call(upstream, front, method, status, calls):
    """Only what may be repeated is sent again: a lost POST may have done its work."""
    other = upstream(answer_once)
    server = front(other, workers=1)
    assert server.call(method, "/up/x", b"y").status == 200
    response = server.call(method, "/up/x", b"y")
    assert response.status == status and len(other.requests) == calls
    if status == 502:
        check_problem(response, 502, "upstream-broken")
