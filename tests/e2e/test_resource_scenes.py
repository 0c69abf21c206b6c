"""The shared list of scenes in style `resource`, whose changes a program carries out, or an upstream."""

import json
import queue

import pytest

import expect
from harness import DEADLINE, PROGRAMS, eventually
from principals import bearer, check_challenge, known_by_tokens
from styles import unknown_id
from upstream import Upstream

SECRET = b'{"why":"a secret of the upstream"}'
ANSWERS = {"d": ("200 OK", b'{"serial":7,"id":"x","status":"MINE","gone":null}'), "e": ("204 No Content", b""),
           "t": ("200 OK", b"no JSON"), "u": ("200 OK", b'{"name":"taken"}'), "f": ("400 Bad Request", SECRET)}


class ByProgram:
    """Changes that a program carries out, held at the gate."""

    kept_descriptors = 0

    def __init__(self, gate):
        self.gate = gate
        self.on_change = {"program": {"argv": [str(PROGRAMS / "change"), str(gate)]}}

    def begun(self):
        return json.loads(self.gate.wait_begun()[2])

    def begun_more(self):
        return self.gate.begun()

    def open(self, outcome):
        self.gate.open(outcome)

    def close(self):
        pass


class ByUpstream:
    """Changes that an upstream carries out; it answers when it is told to."""

    kept_descriptors = 16 * 8

    def __init__(self, gate):
        self.changes, self.outcomes = queue.Queue(), queue.Queue()
        self.upstream = Upstream(self.handle)
        self.on_change = {"upstream": {"url": self.upstream.origin + "/hook"}}

    def handle(self, peer, request):
        assert request.method == "POST" and request.get("Content-Type") == "application/json"
        self.changes.put(json.loads(request.body))
        outcome = self.outcomes.get(timeout=3 * DEADLINE)
        if outcome is None:
            return True
        status, body = ANSWERS[outcome]
        peer.answer(status, body, "Content-Type: application/json")
        return False

    def begun(self):
        return self.changes.get(timeout=DEADLINE)

    def begun_more(self):
        return not self.changes.empty()

    def open(self, outcome):
        self.outcomes.put(outcome)

    def close(self):
        self.outcomes.put(None)
        self.outcomes.put(None)
        self.upstream.close()
        assert self.upstream.failures == []


@pytest.fixture(params=[ByProgram, ByUpstream], ids=["program", "upstream"])
def carrier(request, gate):
    made = request.param(gate)
    yield made
    made.close()


@pytest.fixture
def zones(serve, carrier):
    """A factory of servers with one collection, whose changes the carrier carries out."""

    def make(settings=(), of_collection=(), **more):
        route = {"path": "/v2/zones", "style": "resource",
                 "collection": {"name": "zones", "unique": ["name"], "on_change": carrier.on_change, **dict(of_collection)}}
        server = serve([{**route, **dict(settings)}], public_url="http://zones.example", **more)
        server.kept_descriptors = carrier.kept_descriptors
        return server

    return make


def local(url):
    assert url.startswith("http://zones.example/"), url
    return url[len("http://zones.example"):]


def accepted(response, action):
    """Checks a 202 word for word: the resource, where it is, and its monitor."""
    assert response.status == 202, response
    expect.check_not_ended(response)
    resource = response.json()
    assert (resource["status"], resource["action"]) == ("PENDING", action)
    assert response.get("Location") == resource["links"]["self"]
    monitor = response.get("Link")
    assert monitor.endswith('>; rel="monitor"')
    return resource, local(resource["links"]["self"]), local(monitor[1:].partition(">")[0])


def ask(server, method, path, document, action):
    body = None if document is None else json.dumps(document).encode()
    return accepted(server.call(method, path, body), action)


def create(server, name="a"):
    return ask(server, "POST", "/v2/zones", {"name": name}, "CREATE")


def wait(server, path):
    response = server.get(path, {"Prefer": "wait=20"})
    expect.check_not_cached(response)
    return response


def made(server, carrier, name="a"):
    """A resource that is ACTIVE: where it is."""
    _, path, monitor = create(server, name)
    carrier.begun()
    carrier.open("d")
    assert wait(server, monitor).status == 201
    return path


def check_error(server, path, action):
    zone = wait(server, path).json()
    assert (zone["status"], zone["action"]) == ("ERROR", action)
    assert zone["status_message"] and "secret" not in zone["status_message"]


def check_final(server, monitor, status, name=None):
    final = wait(server, monitor)
    document = expect.check_problem(final, status, name)
    assert document["code"] == status and document["message"] and document["request_id"]
    assert b"secret" not in final.body


def test_life(zones, carrier):
    server = zones()
    zone, path, monitor = create(server)
    assert carrier.begun() == {"action": "CREATE", "resource": zone}
    shown = server.get(path)
    assert shown.status == 200 and shown.json() == zone and int(shown.get("Retry-After")) >= 1
    assert server.get(monitor).status == 202
    assert server.get("/v2/zones?status=PENDING").json()["zones"] == [zone]
    carrier.open("d")
    zone = wait(server, path).json()
    assert (zone["status"], zone["action"], zone["version"], zone["serial"]) == ("ACTIVE", "NONE", 1, 7)
    final = wait(server, monitor)
    assert final.status == 201 and final.json() == zone and local(final.get("Location")) == path
    for method, document, version in (("PATCH", {"n": 1}, 2), ("PUT", {"name": "b"}, 3)):
        zone, _, monitor = ask(server, method, path, document, "UPDATE")
        assert carrier.begun() == {"action": "UPDATE", "resource": zone}
        carrier.open("e")
        final = wait(server, monitor)
        assert final.status == 200 and final.json()["version"] == version and final.json()["status"] == "ACTIVE"
    _, _, monitor = ask(server, "DELETE", path, None, "DELETE")
    assert carrier.begun()["action"] == "DELETE"
    carrier.open("e")
    assert wait(server, monitor).status == 204
    expect.check_problem(server.get(path), 404, "not-found")


def test_queued(zones, carrier):
    server = zones({"concurrency": 1})
    _, first, _ = create(server)
    carrier.begun()
    zone, path, monitor = create(server, "b")
    assert server.get(path).json() == zone and server.get(monitor).json() == {"progress": "IN_QUEUE"}
    carrier.open("e")
    assert wait(server, first).json()["status"] == "ACTIVE"
    assert carrier.begun()["resource"] == zone
    carrier.open("e")
    assert wait(server, path).json()["status"] == "ACTIVE"


@pytest.mark.parametrize("outcome", ["f", "u"])
def test_failed(zones, carrier, outcome):
    server = zones()
    made(server, carrier, "taken")
    path = made(server, carrier, "b")
    for method, document, action in (("PATCH", {"n": 1}, "UPDATE"), ("DELETE", None, "DELETE")):
        if (outcome, method) == ("u", "DELETE"):
            continue
        _, _, monitor = ask(server, method, path, document, action)
        carrier.begun()
        carrier.open(outcome)
        check_error(server, path, action)
        final = wait(server, monitor)
        assert final.status == (400 if outcome == "f" else 409)
        if final.media_type() == expect.PROBLEM_TYPE:
            assert b"secret" not in final.body and {"code", "message", "request_id"} <= set(final.json())
    assert server.get(path).json()["n"] == 1
    _, _, monitor = ask(server, "PATCH", path, {"n": 2}, "UPDATE")
    carrier.begun()
    carrier.open("t")
    zone = wait(server, path).json()
    assert zone["status"] == "ACTIVE" and zone["status_message"] is None and zone["n"] == 2


def test_unknown(zones):
    server = zones()
    for method, body in (("GET", None), ("PUT", b"{}"), ("PATCH", b"{}"), ("DELETE", None)):
        document = expect.check_problem(server.call(method, f"/v2/zones/{unknown_id()}", body), 404, "not-found")
        assert document["code"] == 404 and document["message"] and document["request_id"]
    document = expect.check_problem(server.post("/v2/zones", b"{"), 400, "invalid-json")
    assert document["code"] == 400 and document["message"] and document["request_id"]


def test_somebody_elses_id(zones, carrier, tmp_path):
    """Another principal has not heard of the monitor; the resource is for all who may call the route, and for them alone."""
    server = zones({"users": ["ann", "bob", "su"]}, auth=known_by_tokens(tmp_path, "ann", "bob", "eve", "su"))
    ann, bob, eve, su = (bearer(f"tok-{name}") for name in ("ann", "bob", "eve", "su"))
    zone, path, monitor = accepted(server.post("/v2/zones", b'{"name":"a"}', ann), "CREATE")
    carrier.begun()

    def check_hidden():
        for other in (bob, eve):
            for fields in (other, {**other, "Prefer": "wait=20"}):
                expect.check_problem(server.get(monitor, fields), 404, "not-found")
            expect.check_problem(server.call("DELETE", monitor, None, other), 404, "not-found")
        for method, target in (("GET", path), ("GET", "/v2/zones"), ("PATCH", path), ("DELETE", path)):
            body = b"{}" if method == "PATCH" else None
            assert expect.check_problem(server.call(method, target, body, eve), 403, "forbidden")["code"] == 403
            check_challenge(server.call(method, target, body), ["Bearer"])

    check_hidden()
    for fields in (ann, su):
        assert server.get(monitor, fields).status == 202
    for fields in (ann, bob, su):
        assert server.get(path, fields).json() == zone
        assert server.get("/v2/zones?status=PENDING", fields).json()["zones"] == [zone]
    carrier.open("e")
    assert server.get(monitor, {**ann, "Prefer": "wait=20"}).status == 201
    check_hidden()
    assert server.get(path, bob).json()["status"] == "ACTIVE"


def test_expired(zones, carrier):
    """What is kept of a change goes; the resource stays."""
    server = zones({"keep": "1ms"})
    _, path, monitor = create(server)
    carrier.begun()
    carrier.open("e")
    eventually(lambda: server.get(monitor).status == 410)
    expect.check_problem(server.get(monitor), 410, "expired")
    assert server.get(path).json()["status"] == "ACTIVE"


def test_cancelled(zones, carrier):
    server = zones({"concurrency": 1})
    path = made(server, carrier)
    _, _, running = ask(server, "PATCH", path, {"n": 1}, "UPDATE")
    carrier.begun()
    _, other, waiting = create(server, "b")
    assert server.call("DELETE", waiting).status == 204
    check_error(server, other, "CREATE")
    assert server.call("DELETE", running).status == 202
    check_final(server, running, 410, "cancelled")
    check_error(server, path, "UPDATE")
    assert not carrier.begun_more()


def test_timeouts(zones, carrier):
    server = zones({"concurrency": 1, "queue_timeout": "200ms", "run_timeout": "1s"})
    _, path, running = create(server)
    carrier.begun()
    _, other, waiting = create(server, "b")
    check_final(server, waiting, 503, "queue-timeout")
    check_error(server, other, "CREATE")
    check_final(server, running, 504, "run-timeout")
    check_error(server, path, "CREATE")


def test_overload(zones, carrier):
    server = zones(capacity=1)
    path = made(server, carrier)
    _, _, monitor = ask(server, "PATCH", path, {}, "UPDATE")
    carrier.begun()
    for method, target in (("POST", "/v2/zones"), ("PATCH", path), ("DELETE", path)):
        response = server.call(method, target, None if method == "DELETE" else b"{}")
        expect.check_overload(response, (503,), "capacity")
        assert response.json()["code"] == 503
    carrier.open("e")
    assert wait(server, monitor).status == 200


@pytest.mark.parametrize("rerun", [False, True])
def test_restart(zones, carrier, tmp_path, rerun):
    server = zones({"concurrency": 1, "rerun": rerun}, state=str(tmp_path / "state.db"))
    _, path, running = create(server)
    carrier.begun()
    _, other, waiting = create(server, "b")
    server.kill()
    server.start()
    if rerun:
        assert carrier.begun()["resource"]["name"] == "a"
        carrier.open("e")
        carrier.open("e")  # an upstream has the first call still
        assert wait(server, running).status == 201
    else:
        check_final(server, running, 500, "interrupted")
        check_error(server, path, "CREATE")
    assert carrier.begun()["resource"]["name"] == "b"
    carrier.open("e")
    carrier.open("e")
    assert wait(server, waiting).status == 201
    assert server.get(other).json()["status"] == "ACTIVE"


def test_upstream_down(serve, gate):
    carrier = ByUpstream(gate)
    carrier.close()
    server = serve([{"path": "/v2/zones", "style": "resource", "collection": {"name": "zones", "on_change": carrier.on_change}}],
                   public_url="http://zones.example")
    server.kept_descriptors = carrier.kept_descriptors
    _, path, monitor = create(server)
    check_final(server, monitor, 502)
    check_error(server, path, "CREATE")
