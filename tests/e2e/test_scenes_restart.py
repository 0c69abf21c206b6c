"""Scenes of all styles: the server ends or is killed, and starts again."""

import pytest

from harness import eventually, group_members, is_alive
from scenes import every_style, final_of, occupy
from styles import routes


def database(tmp_path):
    return str(tmp_path / "deferd.db")


@every_style
@pytest.mark.parametrize("how", ["end", "kill"])
def test_restart(serve, gate, tmp_path, style, how):
    """Nothing that a client was told is taken back: ended is read as before, running is interrupted, queued runs."""
    server = serve(routes(gate, concurrency=1), state=database(tmp_path), drain_timeout="100ms", stop_grace="100ms")
    final = final_of(server, gate, style, "d")
    ended = occupy(server, gate, style)
    gate.open("d")
    before = style.wait(server, ended)
    style.check_ended(server, before, ended, final)
    running = style.start(server)
    _, pid, *_ = gate.wait_begun()
    queued, cancelled = style.start(server), style.start(server)
    assert style.cancel(server, cancelled).status == 204
    if how == "kill":
        server.kill()
    else:
        server.terminate()
        server.wait_end()
    base = server.base
    server.start()
    assert not is_alive(pid) and not group_members(pid), "left running by the last server"
    assert gate.wait_begun()[0] == queued
    after = style.poll(server, ended)
    assert (after.status, style.timeless(after.body.replace(server.base.encode(), base.encode()))) == (before.status, style.timeless(before.body))
    style.check_ended(server, after, ended, final)
    style.check_failed_as(server, style.poll(server, running), running, 500, "interrupted")
    style.check_cancelled(server, cancelled)
    style.check_pending(server, style.poll(server, queued), queued, "running")
    gate.open("d")
    style.check_ended(server, style.wait(server, queued), queued, final)
    assert gate.begun() == []


@every_style
@pytest.mark.parametrize("how", ["end", "kill"])
def test_restart_with_rerun(serve, gate, tmp_path, style, how):
    server = serve(routes(gate, rerun=True), state=database(tmp_path), drain_timeout="100ms", stop_grace="100ms")
    final = final_of(server, gate, style, "d")
    id_ = occupy(server, gate, style)
    if how == "kill":
        server.kill()
    else:
        server.terminate()
        server.wait_end()
    server.start()
    assert gate.wait_begun()[0] == id_
    gate.open("d")
    style.check_ended(server, style.wait(server, id_), id_, final)


@every_style
def test_restart_keeps_tombstones(serve, gate, tmp_path, style):
    server = serve(routes(gate, keep="50ms"), state=database(tmp_path), keep_tombstone="1h")
    id_ = occupy(server, gate, style)
    gate.open("d")
    eventually(lambda: style.is_expired(style.poll(server, id_)), "expiry")
    server.kill()
    server.start()
    style.check_expired(style.poll(server, id_), id_, 200)
