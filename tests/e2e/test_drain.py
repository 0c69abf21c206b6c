"""SIGTERM, a second one, and SIGHUP."""

import signal
import time

import pytest

import expect
from exposition import scrape
from harness import echo, eventually, group_members, job, route, shell
from styles import LOCATION, PREFER, STATUS, STYLES, routes


def is_refused(server):
    """Whether no new call is taken: not connected, not answered, or 503."""
    try:
        with server.connect() as connection:
            connection.request("POST", "/echo", b"x")
            data = connection.receive_end() if connection.is_quiet() else b""
            return data == b"" or data.startswith(b"HTTP/1.1 503 ")
    except OSError:
        return True


def test_idle(serve):
    """Nothing to wait for: ends at once, idle connections are closed."""
    server = serve([echo()], drain_timeout="1h")
    connection = server.connect()
    assert connection.request("POST", "/echo", b"x").receive("POST").status == 200
    silent = server.connect()
    server.terminate()
    assert connection.receive_end() == b"" and silent.receive_end() == b""
    server.wait_end()


def test_running_ends_in_time(serve, gate):
    """Running work goes on, its client gets its answer, and no new call is taken."""
    server = serve([job("/job", gate), echo()], drain_timeout="1h")
    call = server.begin("POST", "/job", b"x")
    gate.wait_begun()
    server.terminate()
    eventually(lambda: is_refused(server), "calls to be refused")
    assert call.is_quiet()
    gate.open("d")
    response = call.receive("POST")
    assert response.status == 200 and response.body == b"x" and response.get("Connection") == "close"
    assert call.receive_end() == b""
    server.wait_end()


def test_waiting_synchronous_calls(serve, gate):
    """They get 503; what runs goes on."""
    server = serve([job("/job", gate, concurrency=1)], drain_timeout="1h")
    running = server.begin("POST", "/job", b"1")
    gate.wait_begun()
    waiting = [server.begin("POST", "/job", b"%d" % n) for n in (2, 3)]
    assert server.get("/").status == 404
    server.terminate()
    for call in waiting:
        expect.check_problem(call.receive("POST"), 503)
    assert running.is_quiet()
    gate.open("d")
    assert running.receive("POST").body == b"1"
    server.wait_end()
    assert gate.begun() == []


def test_drain_timeout(serve, gate):
    """What does not end within drain_timeout is stopped."""
    server = serve([job("/job", gate)], drain_timeout="200ms", stop_grace="100ms")
    call = server.begin("POST", "/job", b"x")
    id_ = LOCATION.start(server, path="/job")
    pids = [gate.wait_begun()[1] for _ in range(2)]
    assert id_
    began = time.monotonic()
    server.terminate()
    server.wait_end()
    assert time.monotonic() - began >= 0.2
    for pid in pids:
        assert not group_members(pid)
    data = call.receive_end()
    assert data == b"" or data.startswith((b"HTTP/1.1 500 ", b"HTTP/1.1 503 "))


def test_second_signal(serve, gate):
    """Ends at once."""
    server = serve([job("/job", gate), route("/deaf", shell('trap "" TERM; echo x $$ >"$1/begun"; read x <"$1/gate"', gate))],
                   drain_timeout="1h", stop_grace="1h")
    calls = [server.begin("POST", path, b"x") for path in ("/job", "/deaf")]
    pids = [gate.wait_begun()[1] for _ in calls]
    server.terminate()
    eventually(lambda: "draining" in server.log(), "the drain to begin")
    assert server.process.poll() is None
    server.terminate()
    server.wait_end()
    for pid in pids:
        assert not group_members(pid)


def test_many_signals(serve, gate):
    server = serve([job("/job", gate)], drain_timeout="1h")
    server.begin("POST", "/job", b"x")
    gate.wait_begun()
    eventually(lambda: server.process.poll() is not None or server.terminate(), "its end")
    server.wait_end()


@pytest.mark.parametrize("style", STYLES, ids=repr)
def test_queue_waits_for_the_next_start(serve, gate, tmp_path, style):
    """Accepted and queued: in the store; running to its end within drain_timeout: read as ended afterwards."""
    server = serve(routes(gate, concurrency=1), state=str(tmp_path / "deferd.db"), drain_timeout="1h")
    running = style.start(server)
    gate.wait_begun()
    queued = [style.start(server) for _ in range(3)]
    server.terminate()
    eventually(lambda: "draining" in server.log(), "the drain to begin")
    gate.open("d")
    server.wait_end()
    assert gate.begun() == []
    server.start()
    assert style.is_ended(style.poll(server, running))
    assert STATUS.poll(server, running).json()["status"] == "SUCCESS"
    for id_ in queued:
        assert gate.wait_begun()[0] == id_, "not in the order in which they were accepted"
        gate.open("d")
    assert style.is_ended(style.wait(server, queued[-1]))


def test_held_monitors(serve, gate):
    """A held monitor and a bounded call are answered, not cut, when the server goes down."""
    server = serve([job("/job", gate, concurrency=1)], drain_timeout="1h", admin={"listen": "127.0.0.1:0"})
    running = LOCATION.start(server, path="/job")
    gate.wait_begun()
    bounded = server.begin("POST", "/job", b"x", {"Prefer": "respond-async, wait=60"})
    held = server.begin("GET", f"/operations/{running}", None, {"Prefer": "wait=60"})
    eventually(lambda: scrape(server).get("deferd_http_requests_held") == 2, "both to be held")
    server.terminate()
    assert bounded.receive("POST").status == 202
    gate.open("d")
    assert held.receive().status == 200
    server.wait_end()


def test_interrupt(serve):
    """SIGINT is as good."""
    server = serve([echo()])
    server.process.send_signal(signal.SIGINT)
    server.wait_end()


def test_reload(serve, gate):
    """Routes are taken over; connections and operations stay."""
    server = serve([job("/old", gate), echo("/echo")])
    connection = server.connect()
    assert connection.request("POST", "/echo", b"x").receive("POST").status == 200
    held = server.begin("POST", "/old", b"x")
    gate.wait_begun()
    id_ = LOCATION.start(server, path="/old")
    gate.wait_begun()
    server.config["routes"] = [echo("/new"), echo("/echo", max_body="1B")]
    server.write_config()
    server.reload()
    assert server.post("/new", b"x").body == b"x"
    assert connection.request("POST", "/old", b"x").receive("POST").status == 404
    assert connection.request("POST", "/echo", b"xx").receive("POST").status == 413
    LOCATION.check_pending(server, LOCATION.poll(server, id_), id_, "running")
    gate.open("dd")
    assert held.receive("POST").body == b"x"
    assert LOCATION.wait(server, id_).status == 200


@pytest.mark.parametrize("style", STYLES, ids=repr)
def test_monitors_held_over_a_reload_without_their_route(serve, gate, style):
    """Who waits is answered by the end, and who cancels is heard."""
    server = serve(routes(gate, concurrency=1))
    running = style.start(server)
    gate.wait_begun()
    queued = style.start(server)
    held = server.begin("GET", f"/operations/{running}", None, {"Prefer": "wait=20"})
    also_held = server.begin("GET", f"/operations/{queued}", None, {"Prefer": "wait=20"})
    server.config["routes"] = [job("/other", gate)]
    server.write_config()
    server.reload()
    assert held.is_quiet() and also_held.is_quiet()
    assert server.call("DELETE", f"/operations/{queued}").status == 204
    expect.check_problem(also_held.receive(), 410, "cancelled")
    gate.open("d")
    assert held.receive().status == 200
    assert server.post(style.path, b"x").status == 404


def test_token_over_a_reload(serve, gate):
    """A token is of its route still, and can be cancelled there."""
    server = serve([job("/job", gate, style="token")])
    id_ = server.post("/job", b"x").json()["asyncOperation"]["token"]
    gate.wait_begun()
    server.config["routes"].append(echo("/new"))
    server.write_config()
    server.reload()
    poll = server.get(f"/job/poll?asyncOperationToken={id_}").json()
    assert poll["asyncOperation"] == {"token": id_, "status": "IN_PROGRESS"}
    assert server.call("DELETE", f"/job/poll?asyncOperationToken={id_}").status in (202, 204)
    LOCATION.check_failed_as(server, LOCATION.wait(server, id_), id_, 410, "cancelled")


def test_limits_over_a_reload(serve, gate):
    """What ran before it still takes its place: concurrency 1 is 1."""
    server = serve([job("/job", gate, concurrency=1, style="token")])
    id_ = server.post("/job", b"x").json()["asyncOperation"]["token"]
    gate.wait_begun()
    server.config["routes"].append(echo("/new"))
    server.write_config()
    server.reload()
    LOCATION.check_pending(server, LOCATION.poll(server, id_), id_, "running")
    second = server.post("/job", b"x").json()["asyncOperation"]["token"]
    assert STATUS.poll(server, second).json()["status"] == "RUNNING"
    assert PREFER.poll(server, second).json()["data"]["attributes"]["status"] == "Accepted"
    gate.open("d")
    assert gate.wait_begun()[0] == second
    gate.open("d")


def test_reload_of_a_mistake(serve):
    """All or nothing: the old configuration goes on."""
    server = serve([echo("/echo")])
    server.expect_error("not reloaded")
    for broken in ("{", '{"routes": [{"path": "/echo"}]}', '{"state": "memory", "routes": [], "nonsense": 1}'):
        server.file.write_text(broken)
        server.reload("not reloaded")
        assert server.post("/echo", b"x").body == b"x"
