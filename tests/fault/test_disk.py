"""Disks that are full, files that may not grow, and databases that are damaged."""

import os
import random
import resource
import shutil
import subprocess
from pathlib import Path

import pytest

import harness
import wire
from harness import eventually

JOB = str(harness.PROGRAMS / "job")


def routes(gate):
    return [{"path": "/cat", "program": {"argv": ["/bin/cat"]}},
            {"path": "/held", "program": {"argv": [JOB, str(gate)]}}]


def accept(server, target="/cat", body=b"x"):
    response = server.post(target + "?async=true", body)
    return response.get("Location")[len(server.base):] if response.status == 202 else None


def is_storage_problem(response):
    return response.status == 503 and response.json()["type"] == "/problems/storage"


def test_full_disk_refuses_and_recovers(serve, small_disk, gate):
    server = serve(routes(gate), state=str(small_disk.path / "deferd.db"), capacity=100000)
    server.expect_error("cannot be stored|cannot store body|result")
    ended = accept(server)
    eventually(lambda: server.get(ended).status == 200)
    held = accept(server, "/held")
    gate.wait_begun()
    small_disk.fill()
    refused = eventually(lambda: next((r for r in [server.post("/cat?async=true", b"y" * 30000)] if r.status != 202), None),
                         "a refusal")
    assert is_storage_problem(refused), refused
    # What was promised is still there, polls go on, and synchronous work needs no disk.
    assert server.get(ended).body == b"x"
    assert server.post("/cat", b"sync").body == b"sync"
    # An end that cannot be written is not shown.
    gate.open()
    assert server.get(held, [("Prefer", "wait=1")]).status == 202
    small_disk.give_back()
    assert eventually(lambda: server.get(held).status != 202 and server.get(held), timeout=30).status == 200
    again = eventually(lambda: accept(server), "accepting to resume", timeout=30)
    eventually(lambda: server.get(again).status == 200)
    server.kill()
    server.start()
    assert server.get(ended).body == b"x"
    assert server.get(held).status == 200


def test_files_that_may_not_grow(serve, tmp_path, gate):
    server = serve(routes(gate), state=str(tmp_path / "deferd.db"), capacity=100000)
    server.expect_error("cannot be stored|cannot store body|result")
    first = accept(server)
    eventually(lambda: server.get(first).status == 200)
    resource.prlimit(server.pid, resource.RLIMIT_FSIZE, (16384, resource.RLIM_INFINITY))
    refused = eventually(lambda: next((r for r in [server.post("/cat?async=true", b"y" * 30000)] if r.status != 202), None),
                         "a refusal")
    assert is_storage_problem(refused), refused
    assert server.get(first).body == b"x"
    resource.prlimit(server.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    again = eventually(lambda: accept(server), "accepting to resume", timeout=30)
    eventually(lambda: server.get(again).status == 200)


def start_by_hand(server):
    """Starts it on whatever its database is now: what it said and how it ended, or None if it serves."""
    process = subprocess.Popen([harness.find_binary(), "-c", str(server.file)], stdin=subprocess.DEVNULL,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    line = process.stdout.readline()
    if line.startswith("deferd: ready"):
        return process, line.split()[-1]
    _, said = process.communicate(timeout=20)
    assert process.returncode == 1, (process.returncode, said)
    assert "deferd: " in said and not harness.REPORTS.search(said), said
    return None, said


@pytest.fixture
def kept(serve, tmp_path):
    """A server that has ended and left thirty results behind; what they were."""
    (tmp_path / "state").mkdir()
    server = serve([{"path": "/cat", "program": {"argv": ["/bin/cat"]}}], state=str(tmp_path / "state" / "deferd.db"))
    places = {accept(server, body=f"result {i} ".encode() * 200): f"result {i} ".encode() * 200 for i in range(30)}
    for place in places:
        eventually(lambda place=place: server.get(place).status == 200)
    server.end()
    return server, places


def damage(data, dice):
    if dice.random() < 0.3:
        return data[:dice.randrange(len(data))]
    at = dice.randrange(len(data))
    return data[:at] + bytes([data[at] ^ dice.randrange(1, 256)]) + data[at + 1:]


def test_damaged_database_drops_nothing_silently(kept, tmp_path):

    server, places = kept
    database = Path(server.config["state"])
    whole = database.read_bytes()
    dice = random.Random(int(os.environ.get("FAULT_SEED", "1")))
    told = 0
    for _ in range(int(os.environ.get("FAULT_DAMAGES", "40"))):
        for beside in database.parent.glob("deferd.db-*"):
            beside.unlink()
        database.write_bytes(damage(whole, dice))
        process, said = start_by_hand(server)
        if not process:
            told += 1
            continue
        try:
            for place, body in places.items():
                response = wire.call(said, "GET", place)
                assert (response.status, response.body) == (200, body), f"{place} {response.status}"
        finally:
            process.terminate()
            process.communicate(timeout=20)
    assert told > 0


def test_foreign_files_are_refused(kept):
    server, _ = kept
    database = Path(server.config["state"])
    for beside in database.parent.glob("deferd.db-*"):
        beside.unlink()
    whole = database.read_bytes()
    database.write_bytes(b"This is somebody's diary.\n" * 1000)
    process, said = start_by_hand(server)
    assert not process and "deferd.db" in said
    assert database.read_bytes().startswith(b"This is somebody's diary.")
    # The number of the schema's version is at offset 60 (SQLite's file format, 1.3).
    database.write_bytes(whole[:60] + (9999).to_bytes(4, "big") + whole[64:])
    process, said = start_by_hand(server)
    assert not process and ("newer" in said or "version" in said), said


def test_second_server_is_refused(serve, tmp_path):
    server = serve([{"path": "/cat", "program": {"argv": ["/bin/cat"]}}], state=str(tmp_path / "deferd.db"))
    other = tmp_path / "other"
    other.mkdir()
    shutil.copy(server.file, other / "deferd.json")
    done = harness.run("-c", other / "deferd.json")
    assert done.returncode == 1 and "deferd: " in done.stderr, done
    place = accept(server)
    eventually(lambda: server.get(place).status == 200)
