"""Bodies and results that are too large to be held in memory, wherever the state is."""

import os
import re
from pathlib import Path

import pytest

from expect import check_problem
from harness import echo, eventually, route, shell
from upstream import simple

MEGABYTE = 1 << 20
SIZE = 100 * MEGABYTE
PRINTS = f"head -c {SIZE} /dev/zero"


def send_zeros(peer, request):
    peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % SIZE)
    for _ in range(SIZE // MEGABYTE):
        peer.send(bytes(MEGABYTE))


@pytest.fixture
def place(tmp_path):
    """Where the server makes its temporary files."""
    path = tmp_path / "place"
    path.mkdir()
    return path


def files_below(path):
    return sorted(file.relative_to(path) for file in path.rglob("*"))


def own_memory(server):
    """Bytes of its own that it holds: what is in files does not count."""
    return int(re.search(r"RssAnon:\s+(\d+)", Path(f"/proc/{server.pid}/status").read_text())[1]) << 10


def defer(server, target, body=b"x"):
    response = server.post(target + "?async=true", body)
    assert response.status == 202, response
    return response.get("Location").removeprefix(server.base)


def wait_ended(server, monitor):
    return eventually(lambda: (response := server.call("HEAD", monitor)).status != 202 and response, timeout=60)


@pytest.mark.parametrize("path", ["/up", "/program"])
def test_large_results_are_not_held_in_memory(serve, upstream, state, place, path):
    """Three more of them take less memory than half of one, and are read whole."""
    routes = [{"path": "/up", "upstream": {"url": upstream(send_zeros).origin + "/"}, "methods": ["POST"], "max_result": "128MiB"},
              route("/program", shell(PRINTS), max_result="128MiB")]
    server = serve(routes, state=state, workers=1, variables={"TMPDIR": str(place)})
    server.kept_descriptors = 40
    wait_ended(server, defer(server, path))
    before = own_memory(server)
    for _ in range(3):
        monitor = defer(server, path)
        assert wait_ended(server, monitor).get("Content-Length") == str(SIZE)
    assert own_memory(server) - before < SIZE // 2
    answer = server.get(monitor)
    assert answer.status == 200 and len(answer.body) == SIZE and answer.body.count(0) == SIZE
    assert own_memory(server) - before < SIZE // 2


def test_files_go_with_their_operations(serve, place):
    """With state in memory too large bodies and results are files, as long as somebody may want them."""
    body = os.urandom(MEGABYTE)
    server = serve([echo(keep="1s")], variables={"TMPDIR": str(place)}, keep_tombstone="1h")
    assert [file.name.startswith("deferd-") for file in files_below(place)] == [True]
    monitor = defer(server, "/echo", body)
    wait_ended(server, monitor)
    (directory, file), *more = [file.parts for file in files_below(place) if len(file.parts) > 1]
    assert not more and (place / directory / file).stat().st_size == len(body)
    assert (place / directory).stat().st_mode & 0o777 == 0o700
    assert server.get(monitor).body == body
    eventually(lambda: server.get(monitor).status == 410)
    assert len(files_below(place)) == 1
    assert server.post("/echo", body).body == body
    eventually(lambda: len(files_below(place)) == 1)
    server.end()
    assert not files_below(place)


def test_what_a_killed_server_left_is_removed(serve, place):
    server = serve([echo()], variables={"TMPDIR": str(place)})
    other = serve([echo()], variables={"TMPDIR": str(place)})
    body = os.urandom(MEGABYTE)
    kept = defer(other, "/echo", body)
    wait_ended(other, kept)
    wait_ended(server, defer(server, "/echo", body))
    assert len(files_below(place)) == 4
    server.kill()
    assert len(files_below(place)) == 4
    server.start()
    assert len(files_below(place)) == 3
    assert other.get(kept).body == body


def test_no_place_for_files(serve, tmp_path):
    """Then they are in memory, and the log says so."""
    body = os.urandom(MEGABYTE)
    server = serve([echo()], variables={"TMPDIR": str(tmp_path / "nowhere")})
    monitor = defer(server, "/echo", body)
    wait_ended(server, monitor)
    assert server.get(monitor).body == body
    assert re.search(r"warning: large bodies and results are held in memory .*nowhere", server.log())


@pytest.mark.parametrize("path", ["/up"])
def test_full_disk(serve, upstream, small_disk, state, path):
    """A body or a result of an upstream that it does not take is refused the same way, wherever the state is; then the disk is as it was."""
    def send_much(peer, request):
        if request.target.endswith("/small"):
            return simple(peer, request)
        return send_zeros(peer, request)

    routes = [{"path": "/up/{rest...}", "upstream": {"url": upstream(send_much).origin}, "max_result": "128MiB"},
              route("/program/{size}", shell('if [ $1 = small ]; then echo hello; else ' + PRINTS + '; fi', "{size}"),
                    max_result="128MiB")]
    server = serve(routes, state=state if state == "memory" else str(small_disk.path / "state.db"), workers=1,
                   variables={"TMPDIR": str(small_disk.path)})
    server.kept_descriptors = 40
    server.expect_error("cannot store")
    monitor = defer(server, path + "/large")
    wait_ended(server, monitor)
    check_problem(server.get(monitor), 503, "storage")
    check_problem(server.post(path + "/large", b"x"), 503, "storage")
    check_problem(server.post(path + "/small?async=true", bytes(5 * MEGABYTE)), 503, "storage")
    monitor = eventually(lambda: (response := server.post(path + "/small?async=true", b"x")).status == 202 and
                         response.get("Location").removeprefix(server.base), timeout=30)
    wait_ended(server, monitor)
    assert server.get(monitor).body.strip() == b"hello"
    assert not [file for file in small_disk.path.rglob("*-*-*-*-*") if file.is_file()]


def write_large(gate, protocol="filter"):
    """A program that begins, waits for its gate, and writes a megabyte."""
    head = r"printf 'Content-Type: text/plain\n\n'; " if protocol == "cgi" else ""
    script = 'echo "$DEFERD_OPERATION_ID $$" >"$1/begun"; dd if="$1/gate" bs=1 count=1 2>/dev/null >&2; ' + head + "head -c 1000000 /dev/zero | tr '\\0' x"
    return shell(script, gate, protocol=protocol)


def begin_on_full_disk(serve, small_disk, gate, state, protocol="filter", **more):
    """A server, and the monitor of an operation whose program waits for room."""
    server = serve([route("/large", write_large(gate, protocol), **more), echo()], stop_grace="100ms", workers=4,
                   state=state if state == "memory" else str(small_disk.path / "state.db"), variables={"TMPDIR": str(small_disk.path)})
    server.expect_error("cannot be stored|cannot store")
    monitor = defer(server, "/large", b"x")
    gate.wait_begun()
    small_disk.fill()
    gate.open()
    eventually(lambda: "a program waits for room on the disk" in server.log(), "the program to wait")
    return server, monitor


@pytest.mark.parametrize("protocol", ["filter", "cgi"])
def test_program_waits_for_room(serve, small_disk, gate, state, protocol):
    """Its result is not lost; nothing else is started meanwhile."""
    server, monitor = begin_on_full_disk(serve, small_disk, gate, state, protocol)
    queued = server.begin("POST", "/echo", b"small")
    assert server.get(monitor, [("Prefer", "wait=1")]).status == 202
    assert queued.is_quiet()
    small_disk.give_back()
    assert queued.receive("POST").body == b"small"
    wait_ended(server, monitor)
    assert server.get(monitor).body == b"x" * 1000000


def test_program_that_waits_for_room_is_cancelled(serve, small_disk, gate, state):
    server, monitor = begin_on_full_disk(serve, small_disk, gate, state)
    assert server.call("DELETE", monitor).status in (202, 204)
    eventually(lambda: not server.children(), "the program to end")
    small_disk.give_back()
    eventually(lambda: server.call("DELETE", monitor).status == 204, "the cancel", timeout=30)


def test_program_that_waits_for_room_is_out_of_time(serve, small_disk, gate, state):
    server, monitor = begin_on_full_disk(serve, small_disk, gate, state, run_timeout="1s")
    eventually(lambda: not server.children(), "the program to end")
    small_disk.give_back()
    wait_ended(server, monitor)
    check_problem(server.get(monitor), 504, "run-timeout")
