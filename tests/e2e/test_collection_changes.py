"""Changes of resources that somebody carries out: PENDING until it has, in turn, and what a failure leaves."""

import os

import pytest

import expect
from collection_calls import ZONES, accept, begun, collection, create, names_of, path_of, read, send, zones
from harness import eventually


def test_resource_style(serve, gate):
    server = serve(zones(gate))
    zone, monitor = accept(server, "POST", "/v2/zones", {"name": "a", "gone": 1}, "CREATE")
    id_, action, given = begun(gate)
    assert monitor.endswith(id_) and action == "CREATE" and given == zone
    assert read(server, zone) == zone
    assert names_of(server, "status=PENDING") == ["a"]
    gate.open("d")
    zone = read(server, zone, wait=20)
    assert zone["status"] == "ACTIVE" and zone["serial"] == 7 and zone["version"] == 1 and "gone" not in zone
    final = server.get(monitor)
    assert final.status == 201 and final.json() == zone and final.get("Location") == zone["links"]["self"]
    assert names_of(server, "status=PENDING") == []
    path = path_of(server, zone)
    accept(server, "DELETE", path, action="DELETE")
    assert begun(gate)[1] == "DELETE"
    _, again = accept(server, "DELETE", path, action="DELETE")
    expect.check_problem(send(server, "PATCH", path, {}), 409, "conflict")
    gate.open("e")
    eventually(lambda: server.get(path).status == 404)
    assert server.get(again).status == 204
    assert gate.begun() == []


def test_turns(serve, gate):
    """Changes to one resource run one at a time, in order, and see what those before them were answered."""
    server = serve(zones(gate))
    zone, _ = accept(server, "POST", "/v2/zones", {"name": "a", "n": 0}, "CREATE")
    path = path_of(server, zone)
    for n in (1, 2, 3):
        assert accept(server, "PATCH", path, {"n": n}, "UPDATE")[0]["version"] == n + 1
    other, _ = accept(server, "POST", "/v2/zones", {"name": "b"}, "CREATE")
    assert {begun(gate)[2]["name"] for _ in range(2)} == {"a", "b"}
    assert gate.begun() == []
    gate.open("dd")
    for n in (1, 2, 3):
        _, action, given = begun(gate)
        assert action == "UPDATE" and given["n"] == n and given["serial"] == 7
        assert read(server, zone)["status"] == "PENDING"
        gate.open("e" if n < 3 else "d")
    zone = read(server, zone, wait=20)
    assert zone["status"] == "ACTIVE" and zone["n"] == 3 and zone["version"] == 4 and zone["serial"] == 7


@pytest.mark.parametrize("way", ["fails", "cancelled"])
def test_failure(serve, gate, way):
    server = serve(zones(gate))
    zone, _ = accept(server, "POST", "/v2/zones", {"name": "a"}, "CREATE")
    begun(gate)
    gate.open("d")
    read(server, zone, wait=20)
    path = path_of(server, zone)
    for method, action in (("PATCH", "UPDATE"), ("DELETE", "DELETE")):
        _, monitor = accept(server, method, path, {"n": 1} if method == "PATCH" else None, action)
        begun(gate)
        if way == "fails":
            gate.open("f")
        else:
            assert server.call("DELETE", monitor).status == 202
        zone = read(server, zone, wait=20)
        assert zone["status"] == "ERROR" and zone["action"] == action and zone["n"] == 1 and zone["version"] == 2
        assert zone["status_message"] and "secret" not in zone["status_message"]
        assert server.get(monitor).status == (400 if way == "fails" else 410)
    accept(server, "PATCH", path, {"n": 2}, "UPDATE")
    begun(gate)
    gate.open("t")
    zone = read(server, zone, wait=20)
    assert zone["status"] == "ACTIVE" and zone["status_message"] is None


def test_answer_takes_what_is_unique(serve, gate):
    server = serve(zones(gate))
    accept(server, "POST", "/v2/zones", {"name": "taken"}, "CREATE")
    begun(gate)
    gate.open("e")
    zone, monitor = accept(server, "POST", "/v2/zones", {"name": "b"}, "CREATE")
    begun(gate)
    gate.open("u")
    zone = read(server, zone, wait=20)
    assert zone["status"] == "ERROR" and zone["name"] == "b"
    expect.check_problem(server.get(monitor), 409, "conflict")


def test_synchronous_with_on_change(serve, gate):
    server = serve(zones(gate))
    call = server.begin("POST", "/v2/zones?async=false", b'{"name":"a"}')
    begun(gate)
    assert names_of(server, "status=PENDING") == ["a"]
    gate.open("d")
    response = call.receive("POST")
    assert response.status == 201 and response.json()["status"] == "ACTIVE" and response.json()["serial"] == 7
    call = server.begin("PATCH", path_of(server, response.json()) + "?async=false", b'{"n":1}')
    begun(gate)
    gate.open("f")
    expect.check_problem(call.receive("PATCH"), 400)


def test_parent_deleted_under_a_change(serve, gate):
    server = serve([collection("zones"), collection("sets", "/zones/{zone_id}/sets", gate, parent="zones",
                                                    style="resource")])
    zone = create(server, "/zones", {})
    child, first = accept(server, "POST", path_of(server, zone) + "/sets", {}, "CREATE")
    _, second = accept(server, "PATCH", path_of(server, child), {"n": 1}, "UPDATE")
    begun(gate)
    assert server.call("DELETE", path_of(server, zone)).status == 204
    gate.open("d")
    for monitor in (first, second):
        expect.check_problem(server.get(monitor, {"Prefer": "wait=20"}), 404, "not-found")


@pytest.mark.parametrize("rerun", [False, True])
def test_crash(serve, gate, tmp_path, rerun):
    """kill -9 while one change runs and others wait for their turn."""
    server = serve(zones(gate, rerun=rerun), state=str(tmp_path / "state.db"),
                   listen="127.0.0.1:0", public_url="http://zones.example")
    response = send(server, "POST", "/v2/zones", {"name": "a"})
    zone = response.json()
    path = zone["links"]["self"].partition("example")[2]
    assert send(server, "PATCH", path, {"n": 1}).status == 202
    begun(gate)
    server.kill()
    server.start()
    _, action, given = begun(gate)
    if rerun:
        assert action == "CREATE" and "n" not in given
        gate.open("d")
        _, action, given = begun(gate)
        assert given["serial"] == 7
    assert action == "UPDATE" and given["n"] == 1
    gate.open("d")
    zone = server.get(path, {"Prefer": "wait=20"}).json()
    assert zone["status"] == "ACTIVE" and zone["n"] == 1 and zone["version"] == 2


def test_crash_leaves_error(serve, gate, tmp_path):
    server = serve(zones(gate), state=str(tmp_path / "state.db"), public_url="http://zones.example")
    call = server.begin("POST", "/v2/zones?async=false", b'{"name":"a"}')
    begun(gate)
    server.kill()
    server.start()
    zone = eventually(lambda: server.get("/v2/zones?status=ERROR").json()["zones"])[0]
    assert zone["name"] == "a" and "interrupted" in zone["status_message"]
    assert call


def test_queue_timeout(serve, gate):
    server = serve(zones(gate, queue_timeout="200ms"))
    zone, _ = accept(server, "POST", "/v2/zones", {"name": "a"}, "CREATE")
    begun(gate)
    _, monitor = accept(server, "PATCH", path_of(server, zone), {"n": 1}, "UPDATE")
    expect.check_problem(server.get(monitor, {"Prefer": "wait=20"}), 503, "queue-timeout")
    assert read(server, zone)["status"] == "PENDING"
    gate.open("e")
    eventually(lambda: read(server, zone)["status"] == "ACTIVE")


def test_idempotency(serve, gate):
    server = serve(zones(gate))
    key = {"Idempotency-Key": "k"}
    first = server.post("/v2/zones", b'{"name":"a"}', key)
    again = server.post("/v2/zones", b'{"name":"a"}', key)
    assert (first.status, first.body, first.get("Link")) == (again.status, again.body, again.get("Link"))
    expect.check_problem(server.post("/v2/zones", b'{"name":"b"}', key), 422)
    begun(gate)
    gate.open("d")
    read(server, first.json(), wait=20)
    assert server.post("/v2/zones", b'{"name":"a"}', key).get("Link") == first.get("Link")
    assert gate.begun() == []


def test_capacity(serve, gate):
    server = serve(zones(gate) + [collection("items")], capacity=1)
    zone, _ = accept(server, "POST", "/v2/zones", {"name": "a"}, "CREATE")
    begun(gate)
    for target in ("/v2/zones", "/items"):
        expect.check_overload(send(server, "POST", target, {}), [503], "capacity")
    gate.open("e")
    read(server, zone, wait=20)
    create(server, "/items", {})


def test_reload(serve, gate):
    """A change that runs keeps its collection; what is new is served."""
    server = serve(zones(gate))
    zone, monitor = accept(server, "POST", "/v2/zones", {"name": "a"}, "CREATE")
    begun(gate)
    server.config["routes"] = [collection("items", index=["name"])] + zones(gate)
    server.write_config()
    server.reload()
    create(server, "/items", {"name": "x"})
    assert len(server.get("/items?name=x").json()["items"]) == 1
    gate.open("d")
    assert server.get(monitor, {"Prefer": "wait=20"}).status == 201
    assert read(server, zone)["serial"] == 7


def test_client_of_a_queued_change_leaves(serve, gate):
    """It is dropped: nobody carries it out."""
    server = serve([collection(*ZONES, gate, queue_timeout="1h")], workers=1)
    first = server.begin("POST", "/v2/zones", b'{"name":"a"}')
    begun(gate)
    for document in (b'{"name":"b"}', b'{"name":"c"}'):
        second = server.begin("POST", "/v2/zones", document)
        eventually(lambda: len(names_of(server, "status=PENDING")) == 2)
        second.close()
        eventually(lambda: names_of(server, "status=PENDING") == ["a"])
    zone = server.get("/v2/zones?status=ERROR").json()["zones"][0]
    assert zone["action"] == "CREATE" and zone["status_message"]
    gate.open("e")
    assert first.receive("POST").status == 201
    assert gate.begun() == []


def test_joined_while_pending_after_a_restart(serve, gate, tmp_path):
    server = serve(zones(gate, rerun=True), state=str(tmp_path / "state.db"), public_url="http://zones.example", workers=1)
    key = {"Idempotency-Key": "k"}
    server.post("/v2/zones", b'{"name":"first"}')
    begun(gate)
    asked = server.post("/v2/zones", b'{"name":"a"}', key)
    assert asked.json()["status"] == "PENDING"
    server.kill()
    server.start()
    begun(gate)
    again = server.post("/v2/zones", b'{"name":"a"}', key)
    assert again.status == 202 and again.json() == asked.json()
    assert again.get("Location") == asked.get("Location") and again.get("Link") == asked.get("Link")
    gate.open("e")
    begun(gate)
    gate.open("e")
    path = asked.json()["links"]["self"].partition("example")[2]
    assert server.get(path, {"Prefer": "wait=20"}).json()["status"] == "ACTIVE"


@pytest.mark.parametrize("later, end", [({"v": 2}, {"v": 2}), ({"v": None}, {})])
def test_answer_that_sends_back_what_it_was_given(serve, tmp_path, later, end):
    """The first on_change answers its own resource after a second change was accepted: that one stays."""
    script = 'in=$(cat); dd if="$0/gate" bs=1 count=1 2>/dev/null >&2; printf %s "$in" | sed "s/^[^r]*\\"resource\\"://; s/}$//"'
    os.mkfifo(tmp_path / "gate")
    with open(tmp_path / "gate", "r+b", buffering=0) as gate:
        settings = {"on_change": {"program": {"argv": ["/bin/sh", "-c", script, str(tmp_path)]}}}
        server = serve([{"path": "/zones", "style": "resource", "collection": {"name": "zones", **settings}}])
        zone, _ = accept(server, "POST", "/zones", {"v": 1}, "CREATE")
        accept(server, "PATCH", path_of(server, zone), later, "UPDATE")
        gate.write(b"x")
        gate.write(b"x")
        zone = read(server, zone, wait=20)
    assert zone["status"] == "ACTIVE" and {name: zone[name] for name in zone if name == "v"} == end
