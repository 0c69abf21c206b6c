"""The store copied and put back, as deferd(8) tells operators to."""

import os
import shutil
import sqlite3

from harness import echo, eventually, job, run
from styles import LOCATION

LARGE = bytes(range(256)) * 8000


def copy_store(state, to):
    """What begins with the name of the store, directories too."""
    to.mkdir()
    for entry in state.parent.glob(state.name + "*"):
        (shutil.copytree if entry.is_dir() else shutil.copy2)(entry, to / entry.name)


def clear(directory):
    shutil.rmtree(directory)
    directory.mkdir(mode=0o700)


def finish(server, body):
    id_ = LOCATION.start(server, path="/echo", body=body)
    assert LOCATION.wait(server, id_).body == body
    return id_


def test_backup_and_restore(serve, tmp_path, gate):
    """What was in it is there again, results of any size and what waited; what came after it is not."""
    state = tmp_path / "state" / "deferd.db"
    state.parent.mkdir()
    server = serve([echo(), job("/job", gate, rerun=True)], state=str(state), drain_timeout="50ms", stop_grace="50ms", workers=1)
    small, large = finish(server, b"small"), finish(server, LARGE)
    running = LOCATION.start(server, path="/job")
    waiting = LOCATION.start(server, path="/echo", body=b"waiting")
    gate.wait_begun()
    server.terminate()
    server.wait_end()
    copy_store(state, tmp_path / "backup")
    server.start()
    gate.wait_begun()
    gate.open()
    assert LOCATION.wait(server, running).status == 200
    later = finish(server, b"later")
    server.terminate()
    server.wait_end()

    clear(state.parent)
    copy_store(tmp_path / "backup" / state.name, tmp_path / "restored")
    for entry in (tmp_path / "restored").iterdir():
        entry.rename(state.parent / entry.name)
    server.start()
    assert LOCATION.poll(server, small).body == b"small" and LOCATION.poll(server, large).body == LARGE
    assert LOCATION.poll(server, later).status == 404
    gate.wait_begun()
    gate.open()
    assert LOCATION.wait(server, running).status == 200
    assert LOCATION.wait(server, waiting).body == b"waiting"


def test_half_of_a_store(serve, tmp_path):
    """Large results without their database are refused rather than thrown away."""
    state = tmp_path / "deferd.db"
    server = serve([echo()], state=str(state))
    finish(server, LARGE)
    server.terminate()
    server.wait_end()
    for entry in tmp_path.glob("deferd.db*"):
        if not entry.is_dir():
            entry.unlink()
    found = run("-c", server.file)
    assert found.returncode == 1 and "put the database back" in found.stderr, found.stderr
    assert os.listdir(f"{state}.spool")


def test_store_of_a_newer_version(serve, tmp_path):
    """It is refused and left alone."""
    state = tmp_path / "deferd.db"
    server = serve([echo()], state=str(state))
    id_ = finish(server, b"kept")
    server.terminate()
    server.wait_end()
    database = sqlite3.connect(state)
    (version,) = database.execute("PRAGMA user_version").fetchone()
    database.execute("PRAGMA user_version = 1000")
    database.close()
    found = run("-c", server.file)
    assert found.returncode == 1 and "was written by a newer version" in found.stderr, found.stderr
    database = sqlite3.connect(state)
    database.execute(f"PRAGMA user_version = {version}")
    database.close()
    server.start()
    assert eventually(lambda: LOCATION.poll(server, id_)).body == b"kept"
