"""Limits on connections, and clients that are slow on purpose: nobody else is to notice."""

import json
import re
import time
from pathlib import Path

import pytest

import expect
import wire
from harness import echo, environment, eventually, find_binary, read_environment, route, run, shell, stat_of
from wire import Connection

BIG = "head -c $((20 << 20)) /dev/zero | tr '\\0' x"


def test_connections_per_address(serve):
    """One more than there may be is closed at once; when one ends there is room again."""
    server = serve([echo("/echo", methods=["GET"])], max_connections_per_address=3)
    held = [server.connect() for _ in range(3)]
    for connection in held:
        assert connection.request("GET", "/echo").receive().status == 200
    with Connection(server.address) as one_more:
        assert one_more.receive_end() == b""
    for connection in held:
        assert connection.request("GET", "/echo").receive().status == 200
    held[0].close()

    def is_let_in():
        with Connection(server.address) as again:
            try:
                return again.request("GET", "/echo").receive().status == 200
            except (AssertionError, ConnectionError):
                return False

    eventually(is_let_in)


def test_unix_sockets_have_no_address(serve, tmp_path):
    server = serve([echo("/echo", methods=["GET"])], listen=f"unix:{tmp_path}/s", max_connections_per_address=1)
    for connection in [server.connect() for _ in range(10)]:
        assert connection.request("GET", "/echo").receive().status == 200


def test_descriptors_run_out(serve, tmp_path, monkeypatch):
    """At the limit new connections wait to be accepted, without any load; what is there goes on."""
    limited = tmp_path / "limited"
    limited.write_text(f'#!/bin/sh\nulimit -n 340\nexec "{find_binary()}" "$@"\n')
    limited.chmod(0o755)
    monkeypatch.setenv("DEFERD", str(limited))
    server = serve([echo("/echo", methods=["GET"])], workers=1)
    held = [server.connect() for _ in range(250)]
    for connection in held:
        connection.request("GET", "/nothing")
    eventually(lambda: "connection limit reached: accepting when a connection ends" in server.log())
    eventually(lambda: sum(not connection.is_quiet() for connection in held) >= 150)
    served = [connection for connection in held if not connection.is_quiet()]
    waiting = [connection for connection in held if connection.is_quiet()]
    assert waiting and len(served) < 250
    assert served[-1].receive().status == 404
    assert served[-1].request("GET", "/echo").receive().status == 200

    def marks():
        """What grows as long as the loop turns: ticks of the processor that it has used, and how often it went to rest."""
        fields = stat_of(server.pid)
        status = Path(f"/proc/{server.pid}/task/{server.pid}/status").read_text()
        return fields[11], fields[12], re.search(r"voluntary_ctxt_switches:\s+(\d+)", status)[1]

    samples = [None] * 20

    def rests():
        samples[:] = [*samples[1:], marks()]
        return len(set(samples)) == 1

    eventually(rests, "the loop to rest")
    for connection in served:
        connection.close()
    for connection in waiting:
        assert connection.receive().status == 404


def test_no_descriptor_for_a_connection(serve, tmp_path, monkeypatch):
    """Where descriptors run out before connections do, accepting pauses and goes on by itself."""
    routes = [echo("/echo", methods=["GET"])]
    own = serve(routes, workers=1).descriptors_at_start
    limited = tmp_path / "limited"
    # Half of them are for connections, and that is more than there are.
    limited.write_text(f'#!/bin/sh\nulimit -n {2 * own - 6}\nexec "{find_binary()}" "$@"\n')
    limited.chmod(0o755)
    monkeypatch.setenv("DEFERD", str(limited))
    server = serve(routes, workers=1)
    held = [server.connect().request("GET", "/nothing") for _ in range(2 * own)]
    eventually(lambda: "accepting paused error=EMFILE" in server.log())
    before = server.log().count("accepting paused")
    served = eventually(lambda: [connection for connection in held if not connection.is_quiet()], "answers")
    for connection in served:
        assert connection.receive().status == 404
        connection.close()
    for connection in held:
        if connection not in served:
            assert connection.receive().status == 404
            connection.close()
    assert server.log().count("accepting paused") < before + 100


def test_addresses_that_are_taken(serve, tmp_path):
    """Is told, and ends the start; a socket file that was left behind is no hindrance, one that is no socket is left alone."""
    path = tmp_path / "socket"
    server = serve([echo()], listen=["127.0.0.1:0", f"unix:{path}"])
    (tmp_path / "file").write_text("x")

    def say(address):
        file = tmp_path / "other.json"
        file.write_text(json.dumps({"state": "memory", "listen": address, "routes": []}))
        done = run("-c", file)
        assert done.returncode == 1 and f"deferd: cannot listen on {address}: " in done.stderr, done
        return done.stderr

    assert "Address already in use" in say(server.address)
    assert "Address already in use" in say(f"unix:{path}")
    assert "Address already in use" in say(f"unix:{tmp_path}/file") and (tmp_path / "file").read_text() == "x"
    assert "No such file or directory" in say(f"unix:{tmp_path}/nowhere/socket")
    assert server.post("/echo", b"x").body == b"x"
    server.kill()
    assert path.is_socket()
    server.start()
    assert wire.call(f"unix:{path}", "POST", "/echo", b"y").body == b"y"


def test_half_sent_requests(serve):
    """Many of them disturb nobody, and are told in time."""
    server = serve([echo("/echo", methods=["GET"])], header_timeout="3s")
    halves = [server.connect() for _ in range(500)]
    for connection in halves:
        connection.send(b"GET /echo HTTP/1.1\r\nHost: h\r\nX-A: ")
    assert server.get("/nothing").status == 404
    for connection in halves[:3] + halves[-3:]:
        expect.check_problem(connection.receive(), 408, "request-timeout")


def is_held(server, connection):
    """Whether the server still has its side of the connection open, whatever is on its way."""
    return server.count_sockets_to(connection.sock.getsockname()[1]) > 0


@pytest.mark.alone
def test_slow_reader(serve):
    """Who takes nothing of a large result is cut off; who takes it slowly but steadily gets all of it."""
    server = serve([route("/big", shell(BIG), methods=["GET"])], header_timeout="400ms")
    stuck = server.connect().request("GET", "/big")
    eventually(lambda: not stuck.is_quiet())
    eventually(lambda: not is_held(server, stuck), "the stuck one to be cut off")
    assert 0 < len(stuck.receive_end()) < 20 << 20
    steady = server.connect().request("GET", "/big")
    # Longer than any one interval, and far less in each than what the kernel holds; the server is known to
    # have turned between two pieces.
    began = time.monotonic()
    while (elapsed := time.monotonic() - began) < 2:
        due = int(elapsed * 500_000) - len(steady.buffer)
        if due > 0:
            piece = steady.sock.recv(due)
            assert piece
            steady.buffer += piece
        server.get("/nothing")
    assert is_held(server, steady), f"cut off before {len(steady.buffer)} bytes were taken"
    assert len(steady.receive().body) == 20 << 20


@pytest.mark.parametrize("settings, largest, most", [({}, 32 << 10, 200), ({"max_header": "120KiB", "max_header_fields": 1000}, 120 << 10, 1000),
                                                     ({"max_header": "1KiB", "max_header_fields": 10}, 1024, 10)])
def test_header(serve, settings, largest, most):
    """A field may fill the header; one byte or one field more is 431.  The program gets all of it."""
    server = serve([environment(methods=["GET", "POST"])], **settings)

    def ask(method, *lines):
        with server.connect() as connection:
            connection.send("".join(f"{line}\r\n" for line in (f"{method} /env HTTP/1.1", *lines, "")).encode())
            return connection.receive(method)

    for method, *lines in ("GET", "Host: h"), ("POST", "Host: h", "Content-Length: 0"):
        room = largest - len("".join(lines)) - len("A: ")
        assert len(read_environment(ask(method, *lines, "A: " + "x" * room))["HTTP_A"]) == room
        expect.check_problem(ask(method, *lines, "A: " + "x" * (room + 1)), 431, "header-too-large")
        many = [f"X-{n}: y" for n in range(most - len(lines))]
        assert len([name for name in read_environment(ask(method, *lines, *many)) if name.startswith("HTTP_X_")]) == len(many)
        expect.check_problem(ask(method, *lines, *many, "One: more"), 431, "header-too-large")
