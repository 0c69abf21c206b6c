"""Whose a process is: nothing of a cancelled program or of a dead server stays, and nothing of a living server is touched."""

import os
import shutil
import sqlite3

import pytest

from harness import eventually, is_alive, job, route, shell

# Both say their pids: the program itself, and what it has started in a session of its own with no environment.
ESCAPES = ('setsid env -i /bin/sh -c \'echo $$ >"$1/pid"; exec /bin/sleep 1000\' sh "$1" </dev/null >/dev/null 2>&1 3>&1 & '
           'read left <"$1/pid"; echo "$DEFERD_OPERATION_ID $$ $left" >"$1/begun"; exec sleep 1000')


def escaping(path, gate, **more):
    os.mkfifo(f"{gate}/pid")
    return route(path, shell(ESCAPES, gate), **more)


def test_nothing_outlives_a_cancel(serve, gates):
    """What has left the session and has no environment goes with its program, though another program runs."""
    one, other = gates("one"), gates("other")
    server = serve([escaping("/escapes", one), job("/other", other)], stop_grace="100ms")
    call = server.begin("POST", "/other", b"")
    _, neighbour = other.wait_begun()
    server.post("/escapes?async=true")
    id_, pid, left = one.wait_begun()
    monitor = f"/operations/{id_}"
    assert server.call("DELETE", monitor).status in (202, 204)
    eventually(lambda: server.call("DELETE", monitor).status == 204, "the cancel")
    eventually(lambda: not is_alive(pid) and not is_alive(int(left)), "all of the program to be gone", timeout=5)
    assert is_alive(neighbour)
    other.open()
    assert call.receive("POST").status == 200


@pytest.mark.parametrize("target", ["/escapes", "/escapes?async=true"], ids=["sync", "async"])
def test_nothing_outlives_a_killed_server(serve, gate, tmp_path, target):
    """Nor a synchronous call without a key, which the store does not know."""
    server = serve([escaping("/escapes", gate)], state=str(tmp_path / "deferd.db"))
    server.begin("POST", target, b"")
    _, pid, left = gate.wait_begun()
    server.kill()
    assert is_alive(int(left))
    server.start()
    assert not is_alive(pid) and not is_alive(int(left))


@pytest.mark.parametrize("with_lock", [False, True], ids=["database", "with its lock file"])
def test_copy_of_the_state_kills_nothing(serve, gate, tmp_path, with_lock):
    """A server of a copied database, started beside the living one, leaves that one's programs alone."""
    state = tmp_path / "deferd.db"
    server = serve([job("/job", gate)], state=str(state))
    sync = server.begin("POST", "/job", b"")
    _, of_sync, *_ = gate.wait_begun()
    server.post("/job?async=true", b"")
    id_, of_async, *_ = gate.wait_begun()
    with sqlite3.connect(state) as source, sqlite3.connect(tmp_path / "copy.db") as copy:
        source.backup(copy)
    if with_lock:
        shutil.copy(f"{state}.lock", tmp_path / "copy.db.lock")
    serve([job("/job", gate)], state=str(tmp_path / "copy.db"))
    assert is_alive(of_sync) and is_alive(of_async)
    gate.open("dd")
    assert sync.receive("POST").status == 200
    eventually(lambda: server.get(f"/operations/{id_}").status == 200, "the call to end")
