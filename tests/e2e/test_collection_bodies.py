"""Bodies that are judged after the 202."""

import gzip
import json

import pytest

import expect
from collection_calls import SCHEMA, collection, create, path_of, send
from styles import unknown_id


@pytest.mark.parametrize("kind", ["collection", "program"])
def test_body_judged_after_the_202(serve, kind):
    """Prefer: wait=0: 202 whatever the body is, and the verdict is the final response."""
    server = serve([collection("items", schema=SCHEMA),
                    {"path": "/echo", "methods": ["POST"], "program": {"argv": ["/bin/cat"]}, "schema": SCHEMA}])
    target = "/items" if kind == "collection" else "/echo"
    for body, name in ((b"{}", "invalid-body"), (b"{", "invalid-json"), (b'{"name":1,"x":"%s"}' % (b"x" * 99999), "invalid-body")):
        response = server.post(target, body, {"Prefer": "respond-async, wait=0"})
        assert response.status == 202, response
        monitor = response.get("Location")[len(server.base):]
        document = expect.check_problem(server.get(monitor, {"Prefer": "wait=20"}), 400, name)
        assert name == "invalid-json" or document["errors"]
    response = server.post(target, b'{"name":"a"}', {"Prefer": "respond-async, wait=0"})
    final = server.get(response.get("Location")[len(server.base):], {"Prefer": "wait=20"})
    assert final.json()["name"] == "a"
    assert server.get("/items").json()["metadata"]["total_count"] == (1 if kind == "collection" else 0)


def test_end_while_bodies_are_judged(serve):
    """The server ends in good order with calls of every kind on their way."""
    server = serve([collection("items", schema=SCHEMA)])
    path = path_of(server, create(server, "/items", {"name": "a"}))
    large = json.dumps({"name": "a", "list": list(range(300000))}).encode()
    for _ in range(8):
        for method, target, body in (("POST", "/items", large), ("PATCH", path, large), ("PUT", path, b'{"name":"b"}'),
                                     ("GET", path, None), ("GET", "/items", None)):
            server.begin(method, target, body)
    server.terminate()
    server.wait_end()


LARGE = list(range(300000))


def later(serve, **settings):
    return serve([collection("items", schema=SCHEMA, unique=["name"]),
                  {"path": "/echo", "methods": ["POST"], "program": {"argv": ["/bin/cat"]}, "schema": SCHEMA}],
                 validation_wait="0s", max_body="16MiB", **settings)


def ask_later(server, method, target, document, **fields):
    """A call with a body that takes long to be judged; the path of its monitor."""
    response = send(server, method, target + "?async=true", {**document, "list": LARGE}, **fields)
    assert response.status == 202, response
    return response.get("Location")[len(server.base):]


def test_large_bodies_do_not_hold_the_202_back(serve, state):
    server = later(serve, state=state)
    path = path_of(server, create(server, "/items", {"name": "a"}))
    nowhere = f"/items/{unknown_id()}"
    asked = [("POST", "/items", {"name": "b"}, {}, 201), ("POST", "/items", {"name": 1}, {}, 400),
             ("POST", "/items", {"name": "a"}, {}, 409), ("PATCH", path, {"n": 1}, {}, 200),
             ("PATCH", path, {"n": 1}, {"If_Match": '"9"'}, 412), ("PATCH", nowhere, {}, {}, 404),
             ("PUT", nowhere, {"name": "x"}, {}, 404), ("POST", "/echo", {"name": "a"}, {}, 200),
             ("POST", "/echo", {}, {}, 400)]
    for method, target, document, fields, status in asked:
        monitor = ask_later(server, method, target, document, **fields)
        final = server.get(monitor, {"Prefer": "wait=20"})
        assert final.status == status, (method, target, document, final.status, final.body[:200])
        if status == 400:
            assert final.json()["errors"]
    assert server.get(path).json()["n"] == 1 and server.get(path).json()["version"] == 2
    assert server.get("/items?limit=1").json()["metadata"]["total_count"] == 2


def test_judged_after_a_crash(serve, tmp_path):
    """What was promised by a 202 is judged by the next server."""
    server = later(serve, state=str(tmp_path / "state.db"), public_url="http://items.example")
    base = "http://items.example"
    response = send(server, "POST", "/items", {"name": "a"})
    path = response.get("Location")[len(base):]
    bad = send(server, "POST", "/items?async=true", {"list": LARGE})
    monitors = [bad] + [send(server, "PATCH", path + "?async=true", {"n": n, "list": LARGE}) for n in range(3)]
    assert [answer.status for answer in monitors] == [202] * 4
    server.kill()
    server.start()
    finals = [server.get(answer.get("Location")[len(base):], {"Prefer": "wait=60"}) for answer in monitors]
    assert [final.status for final in finals] == [400, 200, 200, 200]
    item = server.get(path).json()
    assert item["status"] == "ACTIVE" and item["version"] == 4 and item["n"] in (0, 1, 2)


def test_cancelled_while_judged(serve):
    server = later(serve)
    monitor = ask_later(server, "POST", "/items", {"name": "a"})
    assert server.call("DELETE", monitor).status == 204
    expect.check_problem(server.get(monitor, {"Prefer": "wait=20"}), 410, "cancelled")
    monitor = ask_later(server, "POST", "/items", {"name": "b"})
    assert server.get(monitor, {"Prefer": "wait=20"}).status == 201


def test_waits_for_a_late_verdict(serve):
    """A synchronous call waits for the verdict; Prefer: wait covers it, and the same request joins."""
    server = later(serve)
    body = json.dumps({"name": 1, "list": LARGE}).encode()
    expect.check_problem(server.post("/items", body), 400, "invalid-body")
    fields = {"Prefer": "respond-async, wait=20", "Idempotency-Key": "k"}
    for _ in range(2):
        document = expect.check_problem(server.post("/items", body, fields), 400, "invalid-body")
        assert document["errors"][0]["pointer"] == "/name"


@pytest.mark.parametrize("length", [True, False], ids=["length", "chunked"])
@pytest.mark.parametrize("target", ["/things", "/checked"])
def test_coded_body(serve, target, length):
    """A body with a coding is no JSON: 415 says which coding is taken."""
    server = serve([collection("things"), {"path": "/checked", "methods": ["POST"], "program": {"argv": ["/bin/cat"]}, "schema": True}])
    body = gzip.compress(b"{}")
    connection = server.connect()
    head = f"POST {target} HTTP/1.1\r\nHost: {server.address}\r\nContent-Type: application/json\r\nContent-Encoding: gzip\r\n"
    framed = f"Content-Length: {len(body)}\r\n\r\n".encode() + body if length else \
        f"Transfer-Encoding: chunked\r\n\r\n{len(body):x}\r\n".encode() + body + b"\r\n0\r\n\r\n"
    connection.send(head.encode() + framed)
    response = connection.receive("POST")
    expect.check_problem(response, 415, "unsupported-media-type")
    assert response.get("Accept-Encoding") == "identity"
    assert server.post(target, b"{}", {"Content-Type": "application/json", "Content-Encoding": "identity"}).status < 300
    assert "byte order mark" in server.post(target, b"\xef\xbb\xbf{}", {"Content-Type": "application/json"}).json()["detail"]
