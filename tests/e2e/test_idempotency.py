"""Idempotency-Key (contract, 7): the same call twice is one operation, whatever it is asked for."""

import socket

import pytest

import expect
from harness import echo, environment, eventually, job
from styles import LOCATION, PREFER, STATUS, STYLES, TOKEN
from upstream import Upstream

KEY = {"Idempotency-Key": '"8e03978e-40d5-43dd-bc93-6894a57f9324"'}
every_style = pytest.mark.parametrize("style", STYLES, ids=repr)


def one_route(gate, style, **more):
    return [job(style.path, gate, style=style.route_style, **more)]


@every_style
def test_joins_while_running(serve, gate, style):
    server = serve(one_route(gate, style))
    id_ = style.start(server, fields=KEY)
    assert gate.wait_begun()[0] == id_
    for _ in range(3):
        assert style.start(server, fields=KEY) == id_
    gate.open("d")
    assert style.is_ended(style.wait(server, id_))
    assert style.start(server, fields=KEY) == id_, "the 202, also when it has ended"
    assert gate.begun() == []
    assert style.start(server, fields={"Idempotency-Key": '"another"'}) != id_
    gate.wait_begun()
    gate.open("d")


@every_style
def test_joins_in_another_style(serve, gate, style):
    """The 202 of the style that the second asks in, with the first id."""
    server = serve([job("/job", gate, style=style.route_style)])
    id_ = style.start(server, path="/job", fields=KEY)
    gate.wait_begun()
    for other in {LOCATION, PREFER, style}:
        assert other.start(server, path="/job", fields=KEY) == id_
    gate.open("d")
    LOCATION.wait(server, id_)
    for other in {LOCATION, PREFER, style}:
        assert other.start(server, path="/job", fields=KEY) == id_
    assert gate.begun() == []


@every_style
def test_synchronous_joins(serve, gate, style):
    """It waits for the final response and gets it."""
    server = serve(one_route(gate, style))
    id_ = style.start(server, fields=KEY)
    gate.wait_begun()
    calls = [server.begin("POST", style.path + "?async=false", b'{"n":1}', KEY) for _ in range(2)]
    assert server.get("/").status == 404
    assert all(call.is_quiet() for call in calls)
    gate.open("d")
    for call in calls:
        response = call.receive("POST")
        assert response.status == 200 and response.body == b'{"n":1}'
    assert server.post(style.path + "?async=false", b'{"n":1}', KEY).body == b'{"n":1}'
    assert gate.begun() == []
    assert style.start(server, fields=KEY) == id_


def test_synchronous_first(serve, gate):
    """A synchronous call with a key is kept: the next gets the same response, and one that asks asynchronously its 202."""
    server = serve([job("/job", gate)])
    first = server.begin("POST", "/job", b'{"n":1}', KEY)
    gate.wait_begun()
    second = server.begin("POST", "/job", b'{"n":1}', KEY)
    id_ = LOCATION.start(server, path="/job", fields=KEY)
    gate.open("d")
    assert first.receive("POST").body == second.receive("POST").body == b'{"n":1}'
    assert server.post("/job", b'{"n":1}', KEY).body == b'{"n":1}'
    assert LOCATION.wait(server, id_).body == b'{"n":1}'
    assert gate.begun() == []


def test_failure_is_kept(serve, gate):
    server = serve([job("/job", gate)])
    first = server.begin("POST", "/job", b"x", KEY)
    gate.wait_begun()
    gate.open("f")
    expect.check_problem(first.receive("POST"), 400)
    expect.check_problem(server.post("/job", b"x", KEY), 400)
    assert gate.begun() == []


@pytest.mark.parametrize("method, target, body", [
    ("POST", "/env/a?x=1", b"other"), ("POST", "/env/a?x=1", b""), ("POST", "/env/a?x=2", b"body"),
    ("POST", "/env/a", b"body"), ("POST", "/env/a?x=1&y", b"body"), ("PUT", "/env/a?x=1", b"body"),
    ("POST", "/env/b?x=1", b"body"), ("POST", "/env/a?x=1", b"body\0")])
def test_another_request(serve, method, target, body):
    """The same key on the same route: method, path, query without async, and body decide."""
    server = serve([environment("/env/{a}", methods=["POST", "PUT"])])
    first = server.post("/env/a?x=1", b"body", KEY)
    assert first.status == 200
    for query in ("async=false", "async=0"):
        assert server.post(f"/env/a?x=1&{query}", b"body", KEY).body == first.body
    expect.check_problem(server.call(method, target, body, KEY), 422)
    separator = "&" if "?" in target else "?"
    expect.check_problem(server.call(method, f"{target}{separator}async=true", body, KEY), 422)
    assert server.post("/env/a?x=1", b"body", {**KEY, "X-Other": "field"}).body == first.body


def test_scope_is_the_route(serve):
    server = serve([environment("/a"), environment("/b")])
    a, b = server.post("/a", b"x", KEY), server.post("/b", b"y", KEY)
    assert a.status == b.status == 200 and a.body != b.body
    assert server.post("/a", b"x", KEY).body == a.body


@pytest.mark.parametrize("first, second, same", [
    ('"key"', "key", True), ("key", '"key"', True), ("key", "Key", False), ('"a b"', '"a b"', True),
    ('"a\\"b"', '"a\\"b"', True), ("x" * 255, '"' + "x" * 255 + '"', True), (" key ", "key", True)])
def test_forms(serve, first, second, same):
    """Quoted as in the draft or bare; case counts."""
    server = serve([environment()])
    one = server.post("/env", b"", {"Idempotency-Key": first})
    two = server.post("/env", b"", {"Idempotency-Key": second})
    assert one.status == two.status == 200
    assert (one.body == two.body) == same


@pytest.mark.parametrize("key", ["x" * 256, '"' + "x" * 256 + '"', '"open', 'a"b', '"a"b', '"a\x7fb"', "x" * 5000])
def test_malformed(serve, key):
    server = serve([environment()])
    expect.check_problem(server.post("/env", b"", {"Idempotency-Key": key}), 400)


def test_not_on_safe_methods(serve):
    server = serve([environment(methods=["GET", "POST"], idempotency="required")])
    one, two = server.get("/env", KEY), server.get("/env", KEY)
    assert one.status == two.status == 200 and one.body != two.body
    assert server.get("/env").status == 200


def test_required(serve):
    server = serve([echo("/echo", idempotency="required"), echo("/status", style="status", idempotency="required")])
    expect.check_problem(server.post("/echo", b"x"), 400)
    expect.check_problem(server.post("/echo?async=true", b"x"), 400)
    assert expect.check_problem(server.post("/status", b"x"), 400)["msg"]
    assert server.post("/echo", b"x", KEY).body == b"x"


@every_style
def test_expired(serve, gate, style):
    """Until the tombstone is gone: 410 with the status it had ended with; afterwards the key is new."""
    server = serve(one_route(gate, style, keep="50ms"), keep_tombstone="700ms")
    id_ = style.start(server, fields=KEY)
    gate.wait_begun()
    gate.open("f")
    eventually(lambda: style.is_expired(style.poll(server, id_)), "expiry")
    document = expect.check_problem(style.ask(server, fields=KEY), 410, "expired")
    assert document["operation_status"] == 400
    expect.check_problem(server.post(style.path + "?async=false", b'{"n":1}', KEY), 410, "expired")
    answer = eventually(lambda: (answer := style.ask(server, fields=KEY)).status != 410 and answer, "forgetting")
    assert style.check_accepted(server, answer) != id_
    gate.wait_begun()
    gate.open("d")


@every_style
def test_joins_when_full(serve, gate, style):
    """Joining needs no room; and another request under the key is told so before the overload is."""
    server = serve(one_route(gate, style), capacity=1)
    id_ = style.start(server, fields=KEY)
    gate.wait_begun()
    assert style.ask(server).status == 503
    assert style.start(server, fields=KEY) == id_
    expect.check_problem(style.ask(server, body=b"other", fields=KEY), 422)
    gate.open("d")
    assert style.is_ended(style.wait(server, id_))


@every_style
def test_refused_call_leaves_no_key(serve, gate, style):
    server = serve(one_route(gate, style), capacity=1)
    first = style.start(server)
    gate.wait_begun()
    assert style.ask(server, fields=KEY).status == 503
    gate.open("d")
    style.wait(server, first)
    id_ = style.start(server, body=b'"another body"', fields=KEY)
    assert gate.wait_begun()[0] == id_
    gate.open("d")


@every_style
def test_cancelled(serve, gate, style):
    server = serve(one_route(gate, style))
    id_ = style.start(server, fields=KEY)
    gate.wait_begun()
    style.cancel(server, id_)
    LOCATION.wait(server, id_)
    assert style.start(server, fields=KEY) == id_
    expect.check_problem(server.post(style.path + "?async=false", b'{"n":1}', KEY), 410, "cancelled")
    assert gate.begun() == []


def test_one_of_two_clients_leaves(serve, gate):
    """A queued synchronous call that another has joined is not dropped with its first client."""
    server = serve([job("/job", gate, concurrency=1)])
    blocker = server.begin("POST", "/job", b"first")
    gate.wait_begun()
    first = server.begin("POST", "/job", b"x", KEY)
    # It is in when one that asks otherwise is told so.
    eventually(lambda: server.post("/job", b"y", KEY).status == 422)
    second = server.begin("POST", "/job", b"x", KEY)
    assert server.get("/").status == 404
    first.reset()
    assert server.get("/").status == 404
    gate.open("d")
    gate.wait_begun()
    gate.open("d")
    assert second.receive("POST").body == b"x"
    assert blocker.receive("POST").body == b"first"


@pytest.mark.parametrize("how", ["end", "kill"])
def test_restart(serve, gate, tmp_path, how):
    """Never a second run, also across a restart."""
    server = serve([job("/job", gate, concurrency=1), job("/once", gate)], state=str(tmp_path / "deferd.db"))
    id_ = LOCATION.start(server, path="/job", fields=KEY)
    gate.wait_begun()
    gate.open("d")
    LOCATION.wait(server, id_)
    sync = server.begin("POST", "/once", b"x", KEY)
    gate.wait_begun()
    gate.open("d")
    assert sync.receive("POST").body == b"x"
    if how == "kill":
        server.kill()
    else:
        server.end()
    server.start()
    assert LOCATION.start(server, path="/job", fields=KEY) == id_
    assert server.post("/job", b'{"n":1}', KEY).body == b'{"n":1}'
    assert server.post("/once", b"x", KEY).body == b"x"
    expect.check_problem(server.post("/once", b"y", KEY), 422)
    assert gate.begun() == []


def test_many_at_once(serve, gate):
    """A crowd with one key: one operation, one run, one id."""
    server = serve([job("/job", gate)])
    calls = [server.begin("POST", "/job?async=true", b"x", KEY) for _ in range(50)]
    waiting = [server.begin("POST", "/job", b"x", KEY) for _ in range(50)]
    id_, *_ = gate.wait_begun()
    for call in calls:
        assert LOCATION.check_accepted(server, call.receive("POST")) == id_
    gate.open("d")
    for call in waiting:
        assert call.receive("POST").body == b"x"
    assert gate.begun() == []


def test_status_and_token(serve, gate):
    """Styles of routes, joined by each other's monitors."""
    server = serve([job("/job/status", gate, style="status"), job("/job/token", gate, style="token")])
    for style in (STATUS, TOKEN):
        id_ = style.start(server, fields=KEY)
        gate.wait_begun()
        assert PREFER.start(server, path=style.path, fields=KEY) == id_
        gate.open("d")
        assert style.is_ended(style.wait(server, id_))


def test_a_queue_timeout_frees_the_key(serve, gate, tmp_path):
    """Nothing has begun: the same call may be made again, also after a restart and once its result is gone."""
    server = serve([job("/job", gate, concurrency=1, queue_timeout="100ms", keep_timed_out="1h")], state=str(tmp_path / "deferd.db"))
    LOCATION.start(server, path="/job")
    gate.wait_begun()
    late = LOCATION.start(server, path="/job", fields=KEY)
    expect.check_problem(LOCATION.wait(server, late), 503, "queue-timeout")
    again = LOCATION.start(server, path="/job", fields=KEY)
    assert again != late
    expect.check_problem(LOCATION.wait(server, again), 503, "queue-timeout")
    gate.open("d")
    server.terminate()
    server.wait_end()
    server.start()
    third = LOCATION.start(server, path="/job", fields=KEY)
    assert third not in (late, again) and gate.wait_begun()[0] == third
    expect.check_problem(LOCATION.poll(server, late), 503, "queue-timeout")
    assert LOCATION.start(server, path="/job", fields=KEY) == third
    gate.open("d")


def test_an_upstream_that_was_not_reached_frees_the_key(serve, tmp_path):
    """No connection, then the breaker; once the request was sent the key stays."""
    with socket.create_server(("127.0.0.1", 0)) as port:
        address = "http://127.0.0.1:%d" % port.getsockname()[1]
    server = serve([{"path": "/up", "upstream": {"url": address, "retry": {"times": 0}, "breaker": {"failures": 2}}}], state=str(tmp_path / "deferd.db"))
    server.kept_descriptors = 128
    ids = []
    for _ in range(4):
        ids.append(LOCATION.start(server, path="/up", fields=KEY))
        assert LOCATION.wait(server, ids[-1]).status in (502, 503)
    assert len(set(ids)) == 4


@pytest.mark.parametrize("answer", [None, b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n"], ids=["lost", "503"])
def test_an_upstream_that_was_reached_keeps_the_key(serve, answer):
    def handle(peer, request):
        if answer is None:
            peer.reset()
            return True
        peer.send(answer)
        return False

    upstream = Upstream(handle)
    server = serve([{"path": "/up", "upstream": {"url": upstream.origin, "retry": {"times": 0}}}])
    server.kept_descriptors = 128
    id_ = LOCATION.start(server, path="/up", fields=KEY)
    assert LOCATION.wait(server, id_).status in (502, 503)
    assert LOCATION.start(server, path="/up", fields=KEY) == id_
    upstream.close()


def test_a_cancelled_call_keeps_the_key(serve, gate):
    """So that a late duplicate does not run."""
    server = serve([job("/job", gate, concurrency=1)])
    LOCATION.start(server, path="/job")
    gate.wait_begun()
    queued = LOCATION.start(server, path="/job", fields=KEY)
    assert LOCATION.cancel(server, queued).status == 204
    assert LOCATION.start(server, path="/job", fields=KEY) == queued
    gate.open("d")
