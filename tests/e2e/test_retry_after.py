"""Retry-After stands on every 429 and 503, and is true."""

import socket

import pytest

import expect
from harness import echo, job, route
from styles import LOCATION


def after(response):
    return int(response.get("Retry-After"))


def test_no_room_for_results(serve):
    """When the next result expires."""
    server = serve([echo()], max_retained="64KiB", keep="40s")
    LOCATION.wait(server, LOCATION.start(server, path="/echo", body=b"x" * 50_000))
    refused = server.post("/echo", b"x" * 50_000)
    expect.check_problem(refused, 503, "storage")
    assert 30 < after(refused) <= 41  # timers never fire early


def test_draining(serve, gate):
    """How long the drain may last."""
    server = serve([job("/job", gate, concurrency=1)], drain_timeout="50s")
    server.begin("POST", "/job")
    gate.wait_begun()
    waits, late = server.begin("POST", "/job"), server.connect()
    late.send(f"POST /job HTTP/1.1\r\nHost: {server.address}\r\nContent-Length: 1\r\n\r\n".encode())
    assert server.get("/").status == 404
    server.terminate()
    response = waits.receive("POST")
    expect.check_problem(response, 503, "draining")
    assert 40 < after(response) <= 50
    late.send(b"x")
    response = late.receive("POST")
    expect.check_problem(response, 503, "draining")
    assert 40 < after(response) <= 50
    gate.open("d")
    server.wait_end()


def test_breaker(serve):
    """When the upstream is tried again."""
    with socket.create_server(("127.0.0.1", 0)) as port:
        address = "http://127.0.0.1:%d" % port.getsockname()[1]
    server = serve([{"path": "/up", "upstream": {"url": address, "retry": {"times": 0}, "breaker": {"failures": 1, "pause": "20s"}}}])
    server.kept_descriptors = 128
    assert server.post("/up").status == 502
    response = server.post("/up")
    assert response.status == 503 and 15 < after(response) <= 20
    kept = LOCATION.wait(server, LOCATION.start(server, path="/up"))
    assert kept.status == 503 and 15 < after(kept) <= 20


def test_queue_timeout(serve, gate):
    server = serve([job("/job", gate, concurrency=1, queue_timeout="50ms")])
    server.begin("POST", "/job")
    gate.wait_begun()
    for response in (server.post("/job"), LOCATION.wait(server, LOCATION.start(server, path="/job"))):
        expect.check_problem(response, 503, "queue-timeout")
        assert after(response) >= 1
    gate.open("d")


@pytest.mark.parametrize("code", [69, 75])
def test_a_program_that_is_busy(serve, code):
    """sysexits.h: EX_UNAVAILABLE, EX_TEMPFAIL."""
    response = serve([route("/busy", {"argv": ["/bin/sh", "-c", f"exit {code}"]})]).post("/busy")
    assert response.status == 503 and after(response) >= 1
