"""Prefer: wait on a monitor: the answer is held until the operation ends or the time is over."""

import time

import pytest

from harness import eventually
from styles import LOCATION, PREFER, STATUS, STYLES, TOKEN, routes, unknown_id

every_style = pytest.mark.parametrize("style", STYLES, ids=repr)


def begin_wait(server, style, id_, value="wait=30"):
    return server.begin("GET", style.target(id_), None, {"Prefer": value})


@every_style
def test_held_until_the_end(serve, gate, style):
    server = serve(routes(gate))
    id_ = style.start(server)
    gate.wait_begun()
    held = [begin_wait(server, style, id_) for _ in range(5)]
    readers = [LOCATION, STATUS, PREFER] + [TOKEN] * (style is TOKEN)
    others = [(reader, begin_wait(server, reader, id_)) for reader in readers]
    response = server.begin("GET", f"/async/v1/requests/{id_}/response", None, {"Prefer": "wait-ms=30000"})
    style.check_pending(server, style.poll(server, id_), id_, "running")
    assert all(call.is_quiet() for call in held)
    gate.open("d")
    for call in held:
        assert style.is_ended(call.receive())
    for reader, call in others:
        assert reader.is_ended(call.receive())
    assert response.receive().body == b'{"n":1}'


@every_style
def test_held_over_the_start(serve, gate, style):
    """That it begins to run is no end."""
    server = serve(routes(gate, concurrency=1))
    first = style.start(server)
    gate.wait_begun()
    second = style.start(server)
    held = begin_wait(server, style, second)
    gate.open("d")
    assert gate.wait_begun()[0] == second
    style.wait(server, first)
    style.check_pending(server, style.poll(server, second), second, "running")
    assert held.is_quiet()
    gate.open("d")
    assert style.is_ended(held.receive())


@every_style
@pytest.mark.parametrize("value, seconds", [("wait-ms=150", 0.15), ("foo, wait-ms=150;x", 0.15), ("wait=1", 1)])
def test_time_is_over(serve, gate, style, value, seconds):
    server = serve(routes(gate))
    id_ = style.start(server)
    gate.wait_begun()
    began = time.monotonic()
    response = style.poll(server, id_, {"Prefer": value})
    assert seconds <= time.monotonic() - began < seconds + 10
    style.check_pending(server, response, id_, "running")
    gate.open("d")


@every_style
def test_wait_max(serve, gate, style):
    server = serve(routes(gate), wait_max="100ms")
    id_ = style.start(server)
    gate.wait_begun()
    began = time.monotonic()
    style.check_pending(server, style.poll(server, id_, {"Prefer": "wait=3600"}), id_, "running")
    assert 0.1 <= time.monotonic() - began < 10
    gate.open("d")


@every_style
@pytest.mark.parametrize("value", ["wait=0", "wait-ms=0", "wait", "wait=x", "wait=-1", "respond-async"])
def test_no_wait(serve, gate, style, value):
    """At once."""
    server = serve(routes(gate))
    id_ = style.start(server)
    gate.wait_begun()
    style.check_pending(server, style.poll(server, id_, {"Prefer": value}), id_, "running")
    gate.open("d")


@every_style
def test_nothing_to_wait_for(serve, gate, style):
    """Unknown and ended operations are answered at once."""
    server = serve(routes(gate))
    style.check_unknown(style.wait(server, unknown_id()))
    id_ = style.start(server)
    gate.wait_begun()
    gate.open("d")
    assert style.is_ended(style.wait(server, id_))
    connection = server.connect()
    for _ in range(3):
        connection.request("GET", style.target(id_), None, {"Prefer": "wait=3600"})
        assert style.is_ended(connection.receive())


@every_style
def test_cancel_ends_it(serve, gate, style):
    server = serve(routes(gate, concurrency=1))
    first = style.start(server)
    gate.wait_begun()
    second = style.start(server)
    held = [begin_wait(server, style, first), begin_wait(server, style, second)]
    assert server.get("/").status == 404
    assert style.cancel(server, second).status == 204
    style.check_failed_as(server, held[1].receive(), second, 410, "cancelled")
    assert held[0].is_quiet()
    style.cancel(server, first)
    style.check_failed_as(server, held[0].receive(), first, 410, "cancelled")


@every_style
def test_waiting_client_leaves(serve, gate, style):
    """The operation does not mind."""
    server = serve(routes(gate))
    id_ = style.start(server)
    gate.wait_begun()
    for leave in ("close", "reset", "finish_sending"):
        held = begin_wait(server, style, id_)
        assert server.get("/").status == 404
        getattr(held, leave)()
    last = begin_wait(server, style, id_)
    style.check_pending(server, style.poll(server, id_), id_, "running")
    gate.open("d")
    assert style.is_ended(last.receive())


@every_style
def test_pipelined_waits(serve, gate, style):
    server = serve(routes(gate))
    id_ = style.start(server)
    gate.wait_begun()
    connection = server.connect()
    for _ in range(10):
        connection.request("GET", style.target(id_), None, {"Prefer": "wait=30"})
    connection.request("GET", "/nothing")
    gate.open("d")
    for _ in range(10):
        assert style.is_ended(connection.receive())
    assert connection.receive().status == 404


def test_many_waits(serve, gate):
    """A crowd at one monitor is answered as one."""
    server = serve(routes(gate))
    id_ = LOCATION.start(server)
    gate.wait_begun()
    held = [begin_wait(server, LOCATION, id_) for _ in range(300)]
    for call in held[::3]:
        call.close()
    gate.open("d")
    for n, call in enumerate(held):
        if n % 3:
            assert call.receive().body == b'{"n":1}'


def test_head_is_held(serve, gate):
    """HEAD is GET without the body."""
    server = serve(routes(gate))
    id_ = LOCATION.start(server)
    gate.wait_begun()
    held = server.begin("HEAD", LOCATION.target(id_), None, {"Prefer": "wait=30"})
    assert server.get("/").status == 404
    gate.open("d")
    response = held.receive("HEAD")
    assert response.status in (200, 202)
    eventually(lambda: LOCATION.is_ended(LOCATION.poll(server, id_)))
