"""Upstreams that are busy or out of order: calls tried again, and the breaker."""

import re
import threading

import pytest

from expect import check_problem
from harness import eventually
from upstream import simple


def busy_once(answer, *fields):
    """Answers the first call in one way, and the others well."""

    def handle(peer, request):
        handle.calls += 1
        if handle.calls > 1:
            peer.answer("200 OK", b"ok")
        else:
            peer.answer(answer, b"busy", *fields)

    handle.calls = 0
    return handle


RETRY = {"times": 2, "for": "10s"}


@pytest.mark.parametrize("answer, fields", [
    ("503 Service Unavailable", ["Retry-After: 0"]),
    ("503 Service Unavailable", []),
    ("429 Too Many Requests", ["Retry-After: 0"]),
    ("503 Service Unavailable", ["Retry-After: Sat, 01 Jan 2000 00:00:00 GMT"]),
])
def test_busy_then_well(upstream, front, answer, fields):
    other = upstream(busy_once(answer, *fields))
    response = front(other, retry=RETRY).get("/up/x")
    assert (response.status, response.body, len(other.requests)) == (200, b"ok", 2)


@pytest.mark.parametrize("method, more, key, calls", [
    ("GET", {}, None, 1),
    ("POST", {"retry": RETRY}, None, 1),
    ("POST", {"retry": RETRY}, "k", 1),
    ("POST", {"retry": RETRY, "pass_idempotency_key": True}, "k", 2),
    ("PUT", {"retry": RETRY}, None, 2),
])
def test_what_is_tried_again(upstream, front, method, more, key, calls):
    other = upstream(busy_once("503 Service Unavailable", "Retry-After: 0"))
    response = front(other, **more).call(method, "/up/x", b"", {"Idempotency-Key": key} if key else {})
    assert (response.status, len(other.requests)) == (503 if calls == 1 else 200, calls)


def test_rerun_says_that_a_post_may_be_tried_again(upstream, front):
    other = upstream(busy_once("503 Service Unavailable", "Retry-After: 0"))
    assert front(other, route={"rerun": True}, retry=RETRY).post("/up/x").status == 200


def test_retry_after_beyond_the_limit_is_not_waited_for(upstream, front):
    other = upstream(busy_once("503 Service Unavailable", "Retry-After: 3600"))
    response = front(other, retry=RETRY).get("/up/x")
    assert (response.status, response.body, response.get("Retry-After")) == (503, b"busy", "3600")


def test_retries_come_to_an_end(upstream, front):
    other = upstream(lambda peer, request: peer.answer("503 Service Unavailable", b"busy", "Retry-After: 0"))
    assert front(other, retry=RETRY).get("/up/x").status == 503
    assert len(other.requests) == 3


def test_cancel_between_attempts(upstream, front):
    other = upstream(lambda peer, request: peer.answer("503 Service Unavailable", b"busy", "Retry-After: 60"))
    server = front(other, retry={"times": 5, "for": "1h"})
    monitor = server.call("PUT", "/up/x?async=true", b"").get("Location").removeprefix(server.base)
    other.wait_arrived()
    assert server.call("DELETE", monitor).status in (202, 204)
    check_problem(eventually(lambda: (response := server.get(monitor)).status != 202 and response, timeout=5), 410)


def test_breaker(upstream, front):
    broken = threading.Event()
    broken.set()

    def handle(peer, request):
        if broken.is_set():
            return True
        peer.answer("200 OK", b"ok")
        return False

    other = upstream(handle)
    server = front(other, breaker={"failures": 3, "pause": "300ms"})
    for _ in range(3):
        check_problem(server.post("/up/x"), 502, "upstream-broken")
    check_problem(server.post("/up/x"), 503, "upstream-unreachable")
    assert len(other.requests) == 3
    broken.clear()
    assert eventually(lambda: server.post("/up/x").status == 200)
    assert server.post("/up/x").status == 200


def test_error_answers_do_not_open_the_breaker(upstream, front):
    other = upstream(lambda peer, request: peer.answer("500 Internal Server Error", b""))
    server = front(other, breaker={"failures": 1, "pause": "1h"})
    assert [server.get("/up/x").status for _ in range(3)] == [500] * 3


def test_log_tells_the_operator(upstream, front):
    other = upstream(simple)
    server = front(other)
    other.close()
    server.get("/up/x")
    assert re.search(rf"upstream call failed .*upstream={other.origin} attempt=1 problem=upstream-unreachable", server.log())
