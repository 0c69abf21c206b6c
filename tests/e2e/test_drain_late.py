"""Requests that were on their way when the server was told to end, and arrive while it does."""

import pytest

import expect
from collection_calls import begun, collection
from harness import eventually, job, route, shell
from styles import LOCATION, STYLES, routes


def begin_half(server, method, target):
    """A request of which the last byte is still to be sent."""
    connection = server.connect()
    connection.send(f"{method} {target} HTTP/1.1\r\nHost: {server.address}\r\nContent-Length: 2\r\n\r\nx".encode())
    return connection


def drain(server):
    server.terminate()
    eventually(lambda: "draining" in server.log(), "the drain to begin")


@pytest.mark.parametrize("style", STYLES, ids=repr)
def test_cancel_of_what_waits(serve, gate, state, style):
    server = serve(routes(gate, concurrency=1), state=state, drain_timeout="1h")
    style.start(server)
    gate.wait_begun()
    queued = style.start(server)
    late = begin_half(server, "DELETE", style.cancel_target(queued))
    assert server.get("/").status == 404
    drain(server)
    late.send(b"x")
    response = late.receive("DELETE")
    gate.open("d")
    server.wait_end()
    assert response.status in (202, 204, 503), response
    assert gate.begun() == []
    if state != "memory":
        server.start()
        if response.status == 204:
            style.check_cancelled(server, queued)
        else:
            assert gate.wait_begun()[0] == queued
            gate.open("d")


def test_cancel_of_what_was_stopped(serve, gate, state):
    """One has been stopped by the drain, another takes its time: the first is cancelled for good."""
    deaf = shell('trap "" TERM; echo x $$ >"$1/begun"; read x <"$1/gate"', gate)
    server = serve([job("/job", gate, rerun=True), route("/deaf", deaf)], state=state, drain_timeout="50ms", stop_grace="1h")
    stopped = LOCATION.start(server, path="/job")
    gate.wait_begun()
    LOCATION.start(server, path="/deaf")
    gate.wait_begun()
    late = begin_half(server, "DELETE", f"/operations/{stopped}")
    assert server.get("/").status == 404
    drain(server)
    eventually(lambda: len(server.children()) == 1, "the one to be stopped")
    late.send(b"x")
    response = late.receive("DELETE")
    server.terminate()
    server.wait_end()
    assert response.status in (202, 204), response
    if state != "memory" and response.status == 204:
        server.start()
        LOCATION.check_cancelled(server, stopped)


@pytest.mark.parametrize("style", STYLES, ids=repr)
def test_monitor_that_would_wait(serve, gate, style):
    """What is left to the next start does not change any more: the answer comes at once."""
    server = serve(routes(gate, concurrency=1), drain_timeout="1h")
    style.start(server)
    gate.wait_begun()
    queued = style.start(server)
    late = server.connect()
    late.send(f"GET {style.target(queued)} HTTP/1.1\r\nHost: {server.address}\r\nPrefer: wait=60\r\n"
              "Content-Length: 2\r\n\r\nx".encode())
    assert server.get("/").status == 404
    drain(server)
    late.send(b"x")
    response = late.receive()
    assert response.status in (200, 202) and not style.is_ended(response), response
    gate.open("d")
    server.wait_end()


@pytest.mark.parametrize("is_late", [False, True])
def test_resource_that_would_wait(serve, gate, is_late):
    """The same of a resource whose change is left to the next start."""
    server = serve([collection("zones", gate=gate, style="resource", concurrency=1)], drain_timeout="1h")
    running = server.post("/zones", b'{"name":"a"}')
    begun(gate)
    queued = server.post("/zones", b'{"name":"b"}')
    assert (running.status, queued.status) == (202, 202)
    path = queued.get("Location").removeprefix(server.base)
    late = server.connect()
    late.send(f"GET {path} HTTP/1.1\r\nHost: {server.address}\r\nPrefer: wait=60\r\nContent-Length: 2\r\n\r\nx".encode())
    if not is_late:
        late.send(b"x")
    assert server.get("/").status == 404
    drain(server)
    if is_late:
        late.send(b"x")
    response = late.receive()
    assert response.status == 200 and response.json()["status"] == "PENDING", response
    gate.open("d")
    server.wait_end()


@pytest.mark.parametrize("asynchronous", [False, True])
def test_call_that_joins_what_waits(serve, gate, asynchronous):
    """A synchronous one is told that the server goes down, an asynchronous one the first id."""
    server = serve([job("/job", gate, concurrency=1)], drain_timeout="1h")
    LOCATION.start(server, path="/job")
    gate.wait_begun()
    key = {"Idempotency-Key": "k", "Content-Type": "application/json"}
    queued = LOCATION.start(server, path="/job", body=b"xx", fields=key)
    late = server.connect()
    target = "/job?async=true" if asynchronous else "/job"
    late.send(f"POST {target} HTTP/1.1\r\nHost: {server.address}\r\nContent-Type: application/json\r\n"
              "Idempotency-Key: k\r\nContent-Length: 2\r\n\r\nx".encode())
    assert server.get("/").status == 404
    drain(server)
    late.send(b"x")
    response = late.receive("POST")
    if asynchronous:
        assert LOCATION.check_accepted(server, response) == queued
    else:
        expect.check_problem(response, 503, "draining")
    gate.open("d")
    server.wait_end()


@pytest.mark.parametrize("style", STYLES, ids=repr)
def test_body_that_comes_late(serve, gate, state, style):
    """Nothing new is taken, whole as it is: 503, and nothing of it is found at the next start."""
    server = serve(routes(gate), state=state, drain_timeout="1h")
    style.start(server)
    gate.wait_begun()
    query = f"?{style.async_query}" if style.async_query else ""
    fields = "".join(f"{name}: {value}\r\n" for name, value in style.fields.items())
    late = server.connect()
    late.send(f"POST {style.path}{query} HTTP/1.1\r\nHost: {server.address}\r\nContent-Type: application/json\r\n{fields}"
              "Content-Length: 7\r\n\r\n{\"n\"".encode())
    assert server.get("/").status == 404
    drain(server)
    late.send(b":1}")
    expect.check_problem(late.receive("POST"), 503, "draining")
    gate.open("d")
    server.wait_end()
    server.start()
    assert gate.begun() == []
