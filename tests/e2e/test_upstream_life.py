"""Upstream operations through crashes, restarts, going down, and clients that leave."""

import threading

import pytest

from expect import check_problem
from fixtures import KEPT_BY_TRANSFERS
from harness import eventually


class Held:
    """Answers a call once it is let go; knows when the other side has left."""

    def __init__(self):
        self.release = threading.Event()
        self.left = threading.Semaphore(0)

    def __call__(self, peer, request):
        if not self.release.is_set():
            peer.sock.settimeout(0.02)
            while not self.release.is_set():
                try:
                    if not peer.sock.recv(1):
                        self.left.release()
                        return True
                except TimeoutError:
                    pass
            peer.sock.settimeout(None)
        peer.answer("200 OK", b"done")
        return False


@pytest.fixture
def held():
    one = Held()
    yield one
    one.release.set()


def ended(server, monitor):
    return eventually(lambda: (response := server.get(monitor)).status != 202 and response)


@pytest.mark.parametrize("rerun", [False, True])
def test_kill_during_a_transfer(upstream, front, tmp_path, held, rerun):
    """Run again where the route allows it, else interrupted."""
    other = upstream(held)
    server = front(other, route={"rerun": rerun}, state=str(tmp_path / "deferd.db"))
    monitor = server.post("/up/x?async=true", b"body").get("Location").removeprefix(server.base)
    other.wait_arrived()
    server.kill()
    assert held.left.acquire(timeout=5)
    held.release.set()
    server.start()
    if rerun:
        assert ended(server, monitor).body == b"done"
        assert [request.body for request in other.requests] == [b"body"] * 2
    else:
        check_problem(ended(server, monitor), 500, "interrupted")
        assert len(other.requests) == 1


def test_going_down_lets_it_end(upstream, front, tmp_path, held):
    other = upstream(held)
    server = front(other, state=str(tmp_path / "deferd.db"))
    server.config["drain_timeout"] = "1m"
    server.terminate()
    server.wait_end()
    server.start()
    monitor = server.post("/up/x?async=true", b"").get("Location").removeprefix(server.base)
    waiting = server.begin("POST", "/up/y", b"")
    for _ in range(2):
        other.wait_arrived()
    server.terminate()
    held.release.set()
    assert waiting.receive("POST").body == b"done"
    server.wait_end()
    server.start()
    assert server.get(monitor).body == b"done" and len(other.requests) == 2


@pytest.mark.parametrize("rerun, second", [(False, False), (True, False), (True, True)])
def test_going_down_stops_it_in_the_end(upstream, front, tmp_path, held, rerun, second):
    """As a crash would: after drain_timeout, or a second SIGTERM."""
    other = upstream(held)
    server = front(other, route={"rerun": rerun}, state=str(tmp_path / "deferd.db"))
    server.terminate()
    server.wait_end()
    server.config["drain_timeout"] = "1h" if second else "200ms"
    server.start()
    monitor = server.post("/up/x?async=true", b"").get("Location").removeprefix(server.base)
    waiting = server.begin("POST", "/up/y", b"")
    for _ in range(2):
        other.wait_arrived()
    server.terminate()
    if second:
        eventually(lambda: server.log().count("draining") == 2, "the drain to begin")
        server.terminate()
    data = waiting.receive_end()
    assert data == b"" or data.startswith(b"HTTP/1.1 503 ")
    server.wait_end()
    assert all(held.left.acquire(timeout=5) for _ in range(2))
    held.release.set()
    server.start()
    response = ended(server, monitor)
    if rerun:
        assert response.body == b"done"
    else:
        check_problem(response, 500, "interrupted")


def test_going_down_while_a_call_rests_between_attempts(upstream, front, tmp_path):
    other = upstream(lambda peer, request: peer.answer("503 Service Unavailable", b"", "Retry-After: 600"))
    server = front(other, route={"rerun": True}, state=str(tmp_path / "deferd.db"), retry={"times": 5, "for": "1h"})
    server.terminate()
    server.wait_end()
    server.config["drain_timeout"] = "100ms"
    server.start()
    monitor = server.post("/up/x?async=true", b"").get("Location").removeprefix(server.base)
    other.wait_arrived()
    server.terminate()
    server.wait_end()
    server.start()
    other.wait_arrived()
    assert server.get(monitor).status == 202
    assert server.call("DELETE", monitor).status in (202, 204)
    check_problem(ended(server, monitor), 410, "cancelled")


def test_client_of_a_synchronous_call_that_leaves(upstream, front, held):
    """Running, the call goes on to its end; what is queued is dropped."""
    other = upstream(held)
    server = front(other, route={"concurrency": 1})
    running = server.begin("POST", "/up/running", b"")
    other.wait_arrived()
    queued = server.begin("POST", "/up/queued", b"")
    assert server.get("/").status == 404
    running.close()
    queued.close()
    assert server.get("/").status == 404
    assert not held.left.acquire(timeout=0.2)
    held.release.set()
    assert server.post("/up/last", b"").body == b"done"
    assert [request.target for request in other.requests] == ["/up/running", "/up/last"]


def test_cancel_of_many(upstream, front, held):
    other = upstream(held)
    server = front(other, workers=100)
    server.kept_descriptors += 80
    monitors = [server.post("/up/x?async=true", b"").get("Location").removeprefix(server.base) for _ in range(80)]
    for _ in monitors:
        other.wait_arrived()
    for monitor in monitors[:40]:
        assert server.call("DELETE", monitor).status in (202, 204)
    for _ in range(40):
        assert held.left.acquire(timeout=5)
    held.release.set()
    for i, monitor in enumerate(monitors):
        assert ended(server, monitor).status == (410 if i < 40 else 200)


def test_key_joins_a_call_that_is_under_way(upstream, front, tmp_path, held):
    """Also after a restart: one call reaches the other side."""
    other = upstream(held)
    server = front(other, state=str(tmp_path / "deferd.db"))
    first = server.begin("POST", "/up/x", b"b", {"Idempotency-Key": "k"})
    other.wait_arrived()
    first.close()
    second = server.begin("POST", "/up/x", b"b", {"Idempotency-Key": "k"})
    held.release.set()
    assert second.receive("POST").body == b"done"
    server.kill()
    server.start()
    assert server.post("/up/x", b"b", {"Idempotency-Key": "k"}).body == b"done"
    assert len(other.requests) == 1


# How many run at the same time.


def hold_slow(release):
    """An upstream whose answers below /up/slow wait for release."""

    def handle(peer, request):
        if "/slow" in request.target:
            release.wait()
        peer.answer("200 OK", b"done")

    return handle


def test_calls_use_no_workers(upstream, front):
    """One catch-all route: quick calls pass any number of slow ones."""
    release = threading.Event()
    other = upstream(hold_slow(release))
    server = front(other, workers=1)
    slow = [server.post("/up/slow?async=true").get("Location").removeprefix(server.base) for _ in range(16)]
    for _ in slow:
        other.wait_arrived()
    assert server.post("/up/quick").body == b"done"
    assert [server.get(monitor).status for monitor in slow] == [202] * 16
    release.set()
    for monitor in slow:
        assert server.get(monitor, {"Prefer": "wait=20"}).body == b"done"


@pytest.mark.parametrize("settings", [{"route": {"concurrency": 2}}, {"server": {"upstream_concurrency": 2}}],
                         ids=["of the route", "of the server"])
def test_concurrency_bounds_calls(upstream, serve, settings):
    release = threading.Event()
    other = upstream(hold_slow(release))
    server = serve([{"path": "/up/{rest...}", "methods": ["POST"], "upstream": {"url": other.origin}, **settings.get("route", {})}],
                   **settings.get("server", {}))
    server.kept_descriptors = KEPT_BY_TRANSFERS
    slow = [server.post("/up/slow?async=true").get("Location").removeprefix(server.base) for _ in range(3)]
    other.wait_arrived()
    other.wait_arrived()
    assert [server.get(monitor).json()["progress"] for monitor in slow] == ["IN_PROGRESS", "IN_PROGRESS", "IN_QUEUE"]
    assert len(other.requests) == 2
    release.set()
    for monitor in slow:
        assert server.get(monitor, {"Prefer": "wait=20"}).body == b"done"
