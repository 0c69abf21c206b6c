"""Own operations: the status document in every style, the list, and results that are removed early."""

import pytest

import expect
from expect import ISO8601
from harness import echo, eventually, job
from principals import bearer, known_by_tokens
from styles import GOOGLE, LOCATION, PREDICTION, STYLES, TOKEN, routes, unknown_id

MEMBERS = {"id", "route", "style", "state", "status", "progress", "message", "queue_position", "attempt", "accepted_at", "started_at",
           "ended_at", "expires_at", "error", "links"}
every_style = pytest.mark.parametrize("style", STYLES, ids=repr)


def status_of(server, id_, state, fields=()):
    response = server.get(f"/operations/{id_}/status", fields)
    assert response.status == 200 and response.get("Cache-Control") == "no-store", response
    document = response.json()
    assert set(document) == MEMBERS and document["id"] == id_ and document["state"] == state, document
    assert ISO8601.match(document["accepted_at"])
    assert set(document["links"]) == {"self", "result", "events", "output", "cancel"}
    assert document["links"]["self"] == f"{server.base}/operations/{id_}/status"
    ended = state not in ("queued", "running")
    assert (document["ended_at"] is not None) == ended == (document["status"] is not None)
    assert (document["links"]["cancel"] is None) == ended
    return document


@every_style
def test_status(serve, gate, style):
    server = serve(routes(gate, concurrency=1, keep="1h"))
    running = style.start(server)
    gate.wait_begun()
    queued = [style.start(server) for _ in range(3)]
    document = status_of(server, running, "running")
    assert document["route"] == style.path and document["style"] == style.name and document["attempt"] == 1
    assert document["queue_position"] is None and document["started_at"] and document["expires_at"] is None
    for place, id_ in enumerate(queued, 1):
        document = status_of(server, id_, "queued")
        assert document["queue_position"] == place and document["started_at"] is None and document["attempt"] == 0
    gate.open("d")
    gate.wait_begun()
    gate.open("f")
    gate.wait_begun()
    eventually(lambda: server.get(f"/operations/{queued[0]}/status").json()["ended_at"])
    document = status_of(server, running, "succeeded")
    assert document["status"] == 200 and document["error"] is None and document["progress"] == 100
    assert document["expires_at"] > document["ended_at"] and document["links"]["result"] == f"{server.base}/operations/{running}"
    failed = status_of(server, queued[0], "failed")
    assert failed["error"]["status"] == failed["status"] >= 400
    assert LOCATION.cancel(server, queued[2]).status == 204
    assert status_of(server, queued[2], "cancelled")["error"]["type"] == "/problems/cancelled"
    gate.open("d")


def test_status_until_it_is_forgotten(serve):
    server = serve([echo()], keep="50ms", keep_tombstone="1500ms")
    id_ = LOCATION.start(server, path="/echo")
    eventually(lambda: server.get(f"/operations/{id_}/status").json()["state"] == "expired", "expiry")
    assert status_of(server, id_, "expired")["links"]["result"] is None
    eventually(lambda: server.get(f"/operations/{id_}/status").status == 404, "forgetting")
    expect.check_problem(server.get(f"/operations/{unknown_id()}/status"), 404, "not-found")


@pytest.fixture
def people(serve, gate, tmp_path):
    server = serve([echo(), job("/job", gate)], auth=known_by_tokens(tmp_path, "ann", "bob", "su"))
    return server, {name: bearer(f"tok-{name}") for name in ("ann", "bob", "su")}


def listed(server, query="", fields=()):
    response = server.get("/operations" + query, fields)
    assert response.status == 200, response
    return response.json()


def test_list_of_ones_own(people):
    server, users = people
    ids = {name: [LOCATION.start(server, path="/echo", fields=users[name]) for _ in range(3)] for name in ("ann", "bob")}
    for id_ in ids["ann"]:
        assert LOCATION.poll(server, id_, {**users["ann"], "Prefer": "wait=20"}).status == 200
    for name in ("ann", "bob"):
        document = listed(server, "", users[name])
        assert [op["id"] for op in document["operations"]] == ids[name][::-1]
        assert all(set(op) == MEMBERS for op in document["operations"])
        assert document["links"] == {"self": f"{server.base}/operations", "next": None}
    everybody = listed(server, "", users["su"])["operations"]
    assert {op["id"] for op in everybody} == {*ids["ann"], *ids["bob"]} and everybody[0]["principal"] == "bob"
    page = listed(server, "?limit=2&state=succeeded", users["ann"])
    assert len(page["operations"]) == 2
    rest = listed(server, page["links"]["next"].removeprefix(f"{server.base}/operations"), users["ann"])
    assert [op["id"] for op in rest["operations"]] == ids["ann"][:1] and rest["links"]["next"] is None
    assert listed(server, "?route=/job", users["ann"])["operations"] == []
    assert server.get("/operations").status == 401


def test_list_by_ids(people):
    server, users = people
    ann, bob = (LOCATION.start(server, path="/echo", fields=users[name]) for name in ("ann", "bob"))
    found = listed(server, f"?id={ann},{unknown_id()},x,{bob}", users["ann"])["operations"]
    assert [op["id"] for op in found] == [ann]
    assert len(listed(server, "?id=" + ",".join([ann, bob] * 50), users["su"])["operations"]) == 100
    expect.check_problem(server.get("/operations?id=" + ",".join([ann] * 101), users["ann"]), 400, "invalid-parameter")


def test_default_page(serve):
    server = serve([echo()])
    ids = [LOCATION.start(server, path="/echo") for _ in range(25)]
    assert [op["id"] for op in listed(server)["operations"]] == ids[:4:-1]


@every_style
def test_removal(serve, gate, tmp_path, style):
    """Gone for good: also after kill -9."""
    server = serve(routes(gate), state=str(tmp_path / "deferd.db"))
    id_ = style.start(server)
    gate.wait_begun()
    expect.check_problem(server.call("DELETE", f"/operations/{id_}/result"), 409, "not-ended")
    gate.open("d")
    assert style.is_ended(style.wait(server, id_))
    removed = server.call("DELETE", f"/operations/{id_}/result")
    assert removed.status == 204 and removed.body == b""
    server.kill()
    server.start()
    for _ in range(2):
        expect.check_problem(LOCATION.poll(server, id_), 410, "expired")
        expect.check_problem(server.call("DELETE", f"/operations/{id_}/result"), 410, "expired")
        status_of(server, id_, "expired")
    if style not in (TOKEN, PREDICTION):
        style.check_expired(style.poll(server, id_), id_, 200)


def test_removal_makes_room(serve):
    server = serve([echo()], max_retained="64KiB")
    id_ = LOCATION.start(server, path="/echo", body=b"x" * 50_000)
    LOCATION.wait(server, id_)
    assert server.post("/echo", b"x" * 50_000).status == 503
    assert server.call("DELETE", f"/operations/{id_}/result").status == 204
    assert server.post("/echo", b"x" * 50_000).status == 200


def test_removal_by_others(people):
    server, users = people
    id_ = LOCATION.start(server, path="/echo", fields=users["ann"])
    assert LOCATION.poll(server, id_, {**users["ann"], "Prefer": "wait=20"}).status == 200
    expect.check_problem(server.call("DELETE", f"/operations/{id_}/result", None, users["bob"]), 404, "not-found")
    assert server.call("DELETE", f"/operations/{id_}/result", None, users["su"]).status == 204


def test_google_removes(serve, gate):
    server = serve(routes(gate))
    id_ = GOOGLE.start(server)
    gate.wait_begun()
    assert server.call("DELETE", f"/v1/operations/{id_}").status == 409
    gate.open("d")
    assert GOOGLE.is_ended(GOOGLE.wait(server, id_))
    assert server.call("DELETE", f"/v1/operations/{id_}").json() == {}
    GOOGLE.check_expired(GOOGLE.poll(server, id_), id_, 200)
