"""Scenes of all styles: time limits, and more calls than there is room for."""

import time

import expect
from harness import eventually, group_members
from scenes import every_style, occupy
from styles import LOCATION, PREFER, STATUS, routes


@every_style
def test_queue_timeout(serve, gate, style):
    server = serve(routes(gate, concurrency=1, queue_timeout="200ms"))
    first = occupy(server, gate, style)
    asked = time.monotonic()
    second = style.start(server)
    style.check_pending(server, style.poll(server, second), second, "queued")
    response = style.wait(server, second)
    assert time.monotonic() - asked >= 0.2
    style.check_failed_as(server, response, second, 503, "queue-timeout")
    LOCATION.check_failed_as(server, LOCATION.poll(server, second), second, 503, "queue-timeout")
    expect.check_problem(style.cancel(server, second), 409)
    gate.open("d")
    assert style.is_ended(style.wait(server, first))
    assert gate.begun() == [], "what had timed out has run"


@every_style
def test_run_timeout(serve, gate, style):
    server = serve(routes(gate, run_timeout="300ms"))
    asked = time.monotonic()
    id_ = style.start(server)
    _, pid, *_ = gate.wait_begun()
    response = style.wait(server, id_)
    assert time.monotonic() - asked >= 0.3
    style.check_failed_as(server, response, id_, 504, "run-timeout")
    eventually(lambda: not group_members(pid), "the process group to be gone")
    expect.check_problem(style.cancel(server, id_), 409)


@every_style
def test_timed_out_is_kept_by_its_own_time(serve, gate, style):
    server = serve(routes(gate, concurrency=1, queue_timeout="100ms", keep="100ms", keep_timed_out="1h"))
    first = occupy(server, gate, style)
    second = style.start(server)
    style.wait(server, second)
    gate.open("d")
    eventually(lambda: style.is_expired(style.poll(server, first)), "expiry")
    style.check_failed_as(server, style.poll(server, second), second, 503, "queue-timeout")


@every_style
def test_overload_by_capacity(serve, gate, style):
    server = serve(routes(gate, concurrency=1), capacity=2)
    occupy(server, gate, style)
    second = style.start(server)
    style.check_overload(style.ask(server), 503)
    expect.check_overload(server.post("/job/location?async=false"), (503,))
    assert style.cancel(server, second).status == 204
    third = style.start(server)
    gate.open("d")
    assert gate.wait_begun()[0] == third
    gate.open("d")
    assert style.is_ended(style.wait(server, third))
    assert gate.begun() == []


@every_style
def test_overload_by_queue(serve, gate, style):
    """429 at the route's queue; style prefer says 503 for every overload.  Other routes are not touched."""
    server = serve(routes(gate, concurrency=1, queue=1))
    occupy(server, gate, style)
    second = style.start(server)
    style.check_overload(style.ask(server), 503 if style is PREFER else 429)
    expect.check_overload(server.post(style.path + "?async=false"), (429,))
    other = STATUS if style is not STATUS else LOCATION
    assert occupy(server, gate, other)
    gate.open("dd")
    assert gate.wait_begun()[0] == second
    gate.open("d")
    assert style.is_ended(style.wait(server, second))


@every_style
def test_queue_of_none(serve, gate, style):
    """With queue 0 a call is taken if it can run at once."""
    server = serve(routes(gate, concurrency=1, queue=0))
    id_ = occupy(server, gate, style)
    style.check_overload(style.ask(server), 503 if style is PREFER else 429)
    gate.open("d")
    assert style.is_ended(style.wait(server, id_))
    eventually(lambda: style.ask(server).status == style.accepted, "the place to be free again")
    gate.wait_begun()
    gate.open("d")
