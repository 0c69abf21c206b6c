"""Scenes of all styles: operations that are cancelled."""

import time

import expect
from harness import eventually, group_members
from scenes import every_style, final_of, occupy
from styles import LOCATION, routes


@every_style
def test_cancelled_queued(serve, gate, style):
    server = serve(routes(gate, concurrency=1))
    first = occupy(server, gate, style)
    second, third = style.start(server), style.start(server)
    assert style.cancel(server, second).status == 204
    style.check_cancelled(server, second)
    gate.open("d")
    assert gate.wait_begun()[0] == third, "what was cancelled has run"
    gate.open("d")
    assert style.is_ended(style.wait(server, third))
    assert gate.begun() == []
    style.check_cancelled(server, second)
    assert style.is_ended(style.poll(server, first))


@every_style
def test_cancelled_running(serve, gate, style):
    """The whole process group is gone, and the route takes the next call."""
    server = serve(routes(gate, concurrency=1))
    id_ = style.start(server)
    begun_id, pid, *_ = gate.wait_begun()
    assert begun_id == id_ and group_members(pid)
    next_id = style.start(server)
    response = style.cancel(server, id_)
    assert response.status in (202, 204)
    if response.status == 202:
        expect.check_not_ended(response)
    style.wait(server, id_)
    style.check_cancelled(server, id_)
    eventually(lambda: not group_members(pid), "the process group to be gone")
    assert gate.wait_begun()[0] == next_id
    gate.open("d")
    assert style.is_ended(style.wait(server, next_id))


@every_style
def test_cancelled_running_that_will_not_stop(serve, gate, style):
    """202 while stopping; SIGKILL after stop_grace; the monitors say pending until then."""
    stubborn = ["/bin/sh", "-c", 'trap "" TERM; echo "$DEFERD_OPERATION_ID $$" >"$1/begun"; dd if="$1/gate" bs=1 count=1;'
                ' dd if="$1/gate" bs=1 count=1', "sh", str(gate)]
    route = {"path": style.path, "style": style.route_style, "program": {"argv": stubborn}}
    server = serve([route], stop_grace="400ms")
    id_ = style.start(server)
    _, pid, *_ = gate.wait_begun()
    asked = time.monotonic()
    response = style.cancel(server, id_)
    assert response.status == 202, response
    expect.check_not_ended(response)
    style.check_pending(server, style.poll(server, id_), id_, "running")
    assert style.cancel(server, id_).status == 202
    style.check_failed_as(server, style.wait(server, id_), id_, 410, "cancelled")
    assert time.monotonic() - asked >= 0.4, "killed before its grace was over"
    eventually(lambda: not group_members(pid), "the process group to be gone")
    assert style.cancel(server, id_).status == 204


@every_style
def test_cancelled_after_end(serve, gate, style):
    server = serve(routes(gate))
    final = final_of(server, gate, style, "d")
    id_ = occupy(server, gate, style)
    gate.open("d")
    style.wait(server, id_)
    expect.check_problem(style.cancel(server, id_), 409)
    style.check_ended(server, style.poll(server, id_), id_, final)
    failed = occupy(server, gate, style)
    gate.open("f")
    style.wait(server, failed)
    expect.check_problem(style.cancel(server, failed), 409)


@every_style
def test_cancelled_twice(serve, gate, style):
    server = serve(routes(gate, concurrency=1))
    occupy(server, gate, style)
    id_ = style.start(server)
    assert style.cancel(server, id_).status == 204
    again = style.cancel(server, id_)
    assert again.status == 204 and again.body == b""
    expect.check_not_cached(again)
    style.check_cancelled(server, id_)
    gate.open("d")


@every_style
def test_cancelled_at_operations(serve, gate, style):
    """Every operation can be cancelled at /operations/ID, whatever its style."""
    server = serve(routes(gate, concurrency=1))
    first = occupy(server, gate, style)
    second = style.start(server)
    for id_ in (second, first):
        assert LOCATION.cancel(server, id_).status in (202, 204)
        LOCATION.wait(server, id_)
        style.check_cancelled(server, id_)
        LOCATION.check_cancelled(server, id_)
