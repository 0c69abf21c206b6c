"""The Prefer header field (RFC 7240): which forms ask for what, and that nothing in it is ever an error."""

import time

import pytest

import expect
from harness import echo, job
from styles import LOCATION, PREFER, STATUS, TOKEN


def applied(response):
    return {part.strip() for part in (response.get("Preference-Applied") or "").split(",") if part.strip()}


@pytest.fixture
def server(serve):
    return serve([echo("/sync", methods=["GET", "POST"]), echo("/status", style="status"),
                  echo("/token", style="token")])


ASKS = [
    ["respond-async"], ["RESPOND-ASYNC"], ["Respond-Async"], [" respond-async "], ["foo, respond-async"],
    ["respond-async, foo"], ["respond-async;x=y"], ["respond-async ; x"], ["respond-async; x=\"a,b\"; y"],
    ["respond-async,"], [",respond-async"], [", ,\t, respond-async"], ["foo=bar, respond-async"],
    ['foo="a, b", respond-async'], ['foo="a \\" b", respond-async'], ['foo="a;b";c="d,e", respond-async'],
    ["return=minimal; x, handling=lenient, respond-async"], ["foo", "respond-async"], ["respond-async", "foo"],
    ["", "respond-async"], ["respond-async", "respond-async"], ["respond-async, respond-async=x"], ['respond-async=""'],
    ["respond-async="], ["respond-sync, respond-async"],
]
ASKS_NOT = [
    ["respond-asynchronously"], ["x-respond-async=true"], ["respond-async=x"], ['respond-async="x"'],
    ["respond-async=true"], ['"respond-async"'], ['foo="respond-async"'], ['foo="bar, respond-async"'],
    ['foo="bar\\", respond-async"'], ["foo; respond-async"], ["foo=respond-async"], ["respond-async=x, respond-async"],
    ["respond-async=x", "respond-async"], ["respond async"], ["respond-asyn"], ["respond_async"],
    ['foo="open, respond-async'],
]
MALFORMED = ["", " ", ",", ";", "=", '"', "\\", ",,,;;;===", "wait", "wait=", "wait=abc", "wait=-1", "wait=1.5",
             "wait=99999999999999999999999999", "wait=0x10", "wait= ", 'wait="', "wait-ms=-5", "wait-ms=abc", "=x", ";x",
             "a b c", "é\xff", "x" * 4000, ",".join(["a=b"] * 1000), "wait=1 2", "wait=1;", "foo=\"\\", "\t", "(x)", "{}",
             "wait=5s", "respond-async x"]


@pytest.mark.parametrize("lines", ASKS)
def test_asks(server, lines):
    response = server.post("/sync", b"x", [("Prefer", line) for line in lines])
    assert PREFER.check_accepted(server, response)


@pytest.mark.parametrize("lines", ASKS_NOT)
def test_asks_not(server, lines):
    response = server.post("/sync", b"x", [("Prefer", line) for line in lines])
    assert response.status == 200 and response.body == b"x"
    assert response.get("Preference-Applied") is None


def test_never_an_error(server):
    connection = server.connect()
    for value in MALFORMED:
        response = connection.request("POST", "/sync", b"x", {"Prefer": value}).receive("POST")
        assert response.status == 200 and response.body == b"x", value
        id_ = STATUS.check_accepted(server, server.post("/status", b"x"))
        poll = connection.request("GET", STATUS.target(id_), None, {"Prefer": value}).receive()
        assert poll.status == 200, value


@pytest.mark.parametrize("path", ["/sync", "/status", "/token"])
def test_over_the_route(server, path):
    """The request says: style prefer on a route of any style."""
    response = server.post(path, b"x", {"Prefer": "respond-async"})
    assert PREFER.check_accepted(server, response)


def test_async_false_wins(server):
    """The parameter stands first."""
    response = server.post("/sync?async=false", b"x", {"Prefer": "respond-async"})
    assert response.status == 200 and response.body == b"x"
    assert response.get("Preference-Applied") is None


def test_with_async_true(server):
    """Answered as location, with what style prefer tells as well."""
    response = server.post("/sync?async=true", b"x", {"Prefer": "respond-async"})
    assert response.status == 202
    id_ = response.get("Location").rpartition("/")[2]
    assert response.get("GW-Async-Location") == f"/async/v1/requests/{id_}"
    assert applied(response) == {"respond-async"}
    assert LOCATION.check_progress(server, response, ("IN_QUEUE", "IN_PROGRESS")) == id_


def test_get(server):
    """GET is synchronous unless respond-async was sent."""
    assert server.get("/sync").status == 200
    id_ = PREFER.check_accepted(server, server.get("/sync", {"Prefer": "respond-async"}))
    final = server.get(f"/async/v1/requests/{id_}/response", {"Prefer": "wait=20"})
    assert final.status == 200 and final.body == b""
    head = server.call("HEAD", "/sync", None, {"Prefer": "respond-async"})
    assert head.status == 202 and head.get("GW-Async-Location")


@pytest.mark.parametrize("prefer", ["respond-async, wait=20", "wait=20, respond-async", "respond-async, wait-ms=20000",
                                    'respond-async, wait="20"', "Wait=20, respond-async"])
def test_bounded_and_in_time(server, prefer):
    response = server.post("/sync", b"x", {"Prefer": prefer})
    assert response.status == 200 and response.body == b"x"
    assert response.get("GW-Async-Location") is None
    assert len(applied(response)) == 1 and applied(response).pop().lower().startswith("wait")


def test_preference_applied_in_time(server):
    assert applied(server.post("/sync", b"x", {"Prefer": "respond-async, wait=20"})) == {"wait=20"}
    assert applied(server.post("/sync", b"x", {"Prefer": "respond-async, wait-ms=20000"})) == {"wait-ms=20000"}
    assert applied(server.post("/sync", b"x", {"Prefer": "wait=20"})) == {"wait=20"}
    assert applied(server.post("/status", b"x", {"Prefer": "foo, wait=20"})) == {"wait=20"}


@pytest.mark.parametrize("lines", [["respond-async, wait-ms=150"], ["wait-ms=150", "respond-async"]])
def test_bounded_and_late(serve, gate, lines):
    server = serve([job("/job", gate)])
    began = time.monotonic()
    response = server.post("/job", b"x", [("Prefer", line) for line in lines])
    assert time.monotonic() - began >= 0.15
    assert applied(response) == {"respond-async", "wait-ms=150"}
    id_ = response.get("GW-Async-Location").rpartition("/")[2]
    assert response.status == 202 and response.body == b""
    assert response.get("Location") == f"{server.base}/operations/{id_}"
    assert gate.wait_begun()[0] == id_
    gate.open("d")
    assert PREFER.is_ended(PREFER.wait(server, id_))


def test_ends_while_held(serve, gate):
    server = serve([job("/job", gate)])
    call = server.begin("POST", "/job", b"x", {"Prefer": "respond-async, wait=30"})
    id_, *_ = gate.wait_begun()
    assert call.is_quiet()
    gate.open("d")
    response = call.receive("POST")
    assert response.status == 200 and response.body == b"x" and applied(response) == {"wait=30"}
    assert server.get(f"/operations/{id_}").body == b"x", "an asynchronous call can be read afterwards, too"


@pytest.mark.parametrize("prefer", ["respond-async, wait=0", "wait=0, respond-async", "respond-async, wait-ms=0"])
def test_wait_of_zero(serve, gate, prefer):
    """At once."""
    server = serve([job("/job", gate)])
    response = server.post("/job", b"x", {"Prefer": prefer})
    assert response.status == 202 and response.body == b"" and "respond-async" in applied(response)
    gate.wait_begun()
    gate.open("d")


@pytest.mark.parametrize("style", [STATUS, TOKEN, PREFER], ids=repr)
def test_lone_wait(serve, gate, style):
    """202 after T, in the route's style, or prefer where that is sync."""
    server = serve([job("/job", gate, style=style.route_style)])
    began = time.monotonic()
    response = server.post("/job", b"x", {"Prefer": "wait-ms=150"})
    assert time.monotonic() - began >= 0.15
    assert response.status == 202
    assert applied(response) == {"wait-ms=150"}
    # What was applied was looked at; the rest is the 202 of that style.
    response.fields = [field for field in response.fields if field[0] != "Preference-Applied"]
    if style is PREFER:
        response.fields.append(("Preference-Applied", "respond-async"))
    id_ = style.check_accepted(server, response)
    assert gate.wait_begun()[0] == id_
    gate.open("d")
    assert LOCATION.wait(server, id_).body == b"x"


@pytest.mark.parametrize("path, status", [("/sync", 200), ("/status", 202), ("/token", 202)])
@pytest.mark.parametrize("prefer", ["wait=0", "wait-ms=0"])
def test_lone_wait_of_zero(server, path, status, prefer):
    """Ignored."""
    response = server.post(path, b"x", {"Prefer": prefer})
    assert response.status == status
    assert response.get("Preference-Applied") is None


def test_lone_wait_on_get(serve, gate):
    """GET is synchronous unless respond-async was sent: a wait alone does not make it a 202."""
    server = serve([job("/job", gate, methods=["GET", "POST"])])
    call = server.begin("GET", "/job", None, {"Prefer": "wait-ms=20"})
    gate.wait_begun()
    assert server.post("/job", b"x", {"Prefer": "respond-async, wait-ms=200"}).status == 202
    gate.wait_begun()
    assert call.is_quiet()
    gate.open("dd")
    assert call.receive().status == 200


@pytest.mark.parametrize("prefer", ["respond-async, wait=3600", "respond-async, wait=99999999999999999999",
                                    "respond-async, wait-ms=3600000"])
def test_wait_max(serve, gate, prefer):
    server = serve([job("/job", gate)], wait_max="150ms")
    began = time.monotonic()
    response = server.post("/job", b"x", {"Prefer": prefer})
    assert response.status == 202 and "respond-async" in applied(response)
    assert 0.15 <= time.monotonic() - began < 10
    gate.wait_begun()
    gate.open("d")


def test_first_wait_wins(serve, gate):
    server = serve([job("/job", gate)])
    began = time.monotonic()
    response = server.post("/job", b"x", {"Prefer": "respond-async, wait=1, wait=3600"})
    assert response.status == 202 and applied(response) == {"respond-async", "wait=1"}
    assert 1 <= time.monotonic() - began < 10
    gate.wait_begun()
    gate.open("d")


def test_failure_in_time(serve, gate):
    """The final response, also if it is a failure."""
    server = serve([job("/job", gate)])
    call = server.begin("POST", "/job", b"x", {"Prefer": "respond-async, wait=20"})
    gate.wait_begun()
    gate.open("f")
    response = call.receive("POST")
    expect.check_problem(response, 400)
    assert applied(response) == {"wait=20"}


def test_client_leaves_while_held(serve, gate):
    """An asynchronous call goes on, queued or running."""
    server = serve([job("/job", gate, concurrency=1)])
    calls = [server.begin("POST", "/job", b"x", {"Prefer": "respond-async, wait=30"}) for _ in range(2)]
    gate.wait_begun()
    for call in calls:
        call.reset()
    gate.open("d")
    second, *_ = gate.wait_begun()
    gate.open("d")
    assert LOCATION.wait(server, second).body == b"x"
