"""Collections: resources created, read, listed, changed and deleted in every style; slow changes; schemas."""

import json
import signal

import pytest

import expect
from harness import PROGRAMS, eventually
from styles import unknown_id

SCHEMA = {"type": "object", "required": ["name"], "properties": {
    "name": {"type": "string"}, "ttl": {"type": "integer", "default": 3600},
    "options": {"type": "object", "default": {}, "properties": {"deep": {"default": 1}}}}}


def collection(name, path=None, gate=None, **settings):
    of_route = {key: settings.pop(key) for key in ("style", "base_path", "queue_timeout", "run_timeout", "rerun",
                                                   "schema", "methods") if key in settings}
    if gate:
        settings["on_change"] = {"program": {"argv": [str(PROGRAMS / "change"), str(gate)]}}
    return {"path": path or f"/{name}", "collection": {"name": name, **settings}, **of_route}


def send(server, method, target, document=None, **fields):
    body = None if document is None else json.dumps(document).encode()
    return server.call(method, target, body, {name.replace("_", "-"): value for name, value in fields.items()})


def create(server, target, document):
    response = send(server, "POST", target, document)
    assert response.status == 201, response
    assert response.get("Location") == response.json()["links"]["self"]
    return response.json()


def path_of(server, resource):
    assert resource["links"]["self"].startswith(server.base)
    return resource["links"]["self"][len(server.base):]


def read(server, resource, wait=None):
    response = server.get(path_of(server, resource), {"Prefer": f"wait={wait}"} if wait else {})
    assert response.status == 200, response
    return response.json()


def begun(gate):
    """The next change that has begun: operation, action, resource."""
    id_, _, text = gate.wait_begun()
    change = json.loads(text)
    assert set(change) == {"action", "resource"}
    return id_, change["action"], change["resource"]


# Synchronous, with nobody to carry a change out.

@pytest.fixture(params=["memory", "file"])
def state(request, tmp_path):
    return "memory" if request.param == "memory" else str(tmp_path / "state.db")


def test_life(serve, state):
    server = serve([collection("items", unique=["name"])], state=state)
    made = create(server, "/items", {"name": "a", "id": "mine", "version": 9, "status": "X", "links": 1})
    assert made["name"] == "a" and made["version"] == 1 and made["status"] == "ACTIVE"
    assert expect.ISO8601.match(made["created_at"]) and made["updated_at"] is None
    path = path_of(server, made)
    response = server.get(path)
    assert response.json() == made and response.get("ETag") == '"1"'
    response = server.call("PUT", path, b'{"other":[1, 2.50, null, 18446744073709551617]}')
    assert response.status == 200 and response.get("ETag") == '"2"'
    assert response.status == 200, response
    assert "name" not in response.json() and response.json()["other"] == [1, 2.5, None, 2**64 + 1]
    assert b"[1,2.50,null,18446744073709551617" in response.body
    response = send(server, "PATCH", path, {"other": None, "x": {"y": 1, "z": None}})
    assert response.json()["x"] == {"y": 1} and "other" not in response.json() and response.json()["version"] == 3
    assert expect.ISO8601.match(response.json()["updated_at"])
    response = server.call("DELETE", path)
    assert response.status == 204 and response.body == b""
    for method in ("GET", "PUT", "PATCH", "DELETE"):
        expect.check_problem(send(server, method, path, {} if method in ("PUT", "PATCH") else None), 404, "not-found")


def test_survives(serve, tmp_path):
    server = serve([collection("items")], state=str(tmp_path / "state.db"))
    made = [create(server, "/items", {"n": n}) for n in range(10)]
    server.call("DELETE", path_of(server, made[3]))
    port = server.address.rpartition(":")[2]
    server.kill()
    server.config["listen"] = f"127.0.0.1:{port}"
    server.start()
    listed = server.get("/items").json()
    assert listed["items"] == made[:3] + made[4:] and listed["metadata"] == {"total_count": 9}


def test_if_match(serve):
    server = serve([collection("items")])
    path = path_of(server, create(server, "/items", {}))
    for tag in ('"2"', 'W/"1"', '"x"', "1", '"0"'):
        for method in ("PUT", "PATCH", "DELETE"):
            response = send(server, method, path, None if method == "DELETE" else {}, If_Match=tag)
            expect.check_problem(response, 412, "precondition-failed")
    assert send(server, "PUT", path, {}, If_Match='"7", "1"').status == 200
    assert send(server, "PATCH", path, {}, If_Match="*").status == 200
    assert send(server, "DELETE", path, If_Match='"3"').status == 204


def test_reads_see_changes(serve, state):
    """What was read before is never read again once a change was answered."""
    server = serve([collection("zones"), collection("sets", "/zones/{zone_id}/sets", parent="zones")], state=state)
    zone = create(server, "/zones", {"n": 0})
    path = path_of(server, zone)
    child = create(server, path + "/sets", {})
    for n in range(1, 4):
        for method in ("PUT", "PATCH"):
            assert read(server, zone) == read(server, zone)
            assert send(server, method, path, {"n": n, "by": method}).status == 200
            assert (read(server, zone)["n"], read(server, zone)["by"]) == (n, method)
    assert read(server, child) == read(server, child) == child
    other = server.get(path, {"Host": "other.example"}).json()
    assert other["links"]["self"] == "http://other.example" + path
    assert read(server, zone)["links"] == zone["links"]
    assert server.call("DELETE", path).status == 204
    for gone in (zone, child):
        expect.check_problem(server.get(path_of(server, gone)), 404, "not-found")


def test_if_none_match(serve):
    server = serve([collection("items")])
    path = path_of(server, create(server, "/items", {}))
    for again in range(2):
        for tags in ('"1"', 'W/"1"', '"3", "1"', "*"):
            response = server.get(path, {"If-None-Match": tags})
            assert response.status == 304 and response.body == b"" and response.get("ETag") == '"1"'
        for tags in ('"2"', "1", '"11"', ""):
            assert server.get(path, {"If-None-Match": tags}).json()["version"] == 1
    assert send(server, "PUT", path, {}).status == 200
    assert server.get(path, {"If-None-Match": '"1"'}).json()["version"] == 2


def test_unique(serve):
    server = serve([collection("items", unique=["name"])])
    create(server, "/items", {"name": "a"})
    other = path_of(server, create(server, "/items", {"name": "b"}))
    create(server, "/items", {})
    create(server, "/items", {})
    for method, target in (("POST", "/items"), ("PUT", other), ("PATCH", other)):
        expect.check_problem(send(server, method, target, {"name": "a"}), 409, "conflict")
    assert send(server, "PUT", other, {"name": "b", "x": 1}).status == 200
    assert server.call("DELETE", other).status == 204
    create(server, "/items", {"name": "b"})


def test_parent(serve):
    server = serve([collection("zones"), collection("sets", "/zones/{zone_id}/sets", parent="zones", unique=["name"]),
                    collection("parts", "/zones/{zone_id}/sets/{set_id}/parts", parent="sets")])
    zones = [create(server, "/zones", {}) for _ in range(2)]
    paths = [path_of(server, zone) + "/sets" for zone in zones]
    child = create(server, paths[0], {"name": "a", "zone_id": "mine"})
    assert child["zone_id"] == zones[0]["id"]
    create(server, paths[1], {"name": "a"})
    expect.check_problem(send(server, "POST", paths[0], {"name": "a"}), 409, "conflict")
    assert server.get(paths[0]).json()["sets"] == [child]
    expect.check_problem(server.get(f"{paths[1]}/{child['id']}"), 404, "not-found")
    part = create(server, path_of(server, child) + "/parts", {})
    missing = f"/zones/{unknown_id()}/sets"
    for response in (server.get(missing), send(server, "POST", missing, {}), server.get(f"{missing}/{child['id']}")):
        expect.check_problem(response, 404, "not-found")
    assert server.call("DELETE", path_of(server, zones[0])).status == 204
    for gone in (child, part):
        expect.check_problem(server.get(path_of(server, gone)), 404, "not-found")
    assert server.get(paths[1]).json()["metadata"]["total_count"] == 1


def test_envelope_and_delete_status(serve):
    server = serve([collection("users", "/admin/v1/users", base_path="/bc/rest", delete_status=200,
                               envelope=["data", "attributes"], schema={"properties": {"name": {"minLength": 2}}})])
    response = send(server, "POST", "/bc/rest/admin/v1/users", {"data": {"attributes": {"name": "ab"}}})
    assert response.status == 201
    made = response.json()["data"]["attributes"]
    assert set(response.json()) == {"data"} and made["name"] == "ab"
    path = path_of(server, made)
    assert path.startswith("/bc/rest/admin/v1/users/")
    assert server.get(path).json() == response.json()
    assert server.get("/bc/rest/admin/v1/users?name=ab").json()["users"] == [response.json()]
    for wrong, pointer in (({"data": {"attributes": {"name": "a"}}}, "/data/attributes/name"),
                           ({"data": {}}, "/data/attributes"), ({}, "/data"), ([], "")):
        document = expect.check_problem(send(server, "POST", "/bc/rest/admin/v1/users", wrong), 400, "invalid-body")
        assert [error["pointer"] for error in document["errors"]] == [pointer]
    assert server.call("DELETE", path).status == 200


# Bad input.

@pytest.mark.parametrize("body", [b"", b"{", b"{}x", b'{"a":1,"a":2}', b'{"a":"\xff"}', b"[" * 100 + b"]" * 100, b"nul"])
def test_not_json(serve, body):
    server = serve([collection("items")])
    document = expect.check_problem(server.post("/items", body), 400, "invalid-json")
    assert "ine 1, column " in document["detail"]
    path = path_of(server, create(server, "/items", {}))
    expect.check_problem(server.call("PATCH", path, body), 400, "invalid-json")
    assert server.get("/items").json()["metadata"]["total_count"] == 1


def test_bad_ids_and_types(serve):
    server = serve([collection("zones"), collection("sets", "/zones/{zone_id}/sets", parent="zones")])
    for target in ("/zones/nothing", "/zones/nothing/sets", f"/zones/{unknown_id()}/sets/1"):
        document = expect.check_problem(server.get(target), 400, "invalid-parameter")
        assert "UUID" in document["detail"]
    path = path_of(server, create(server, "/zones", {}))
    response = send(server, "PATCH", path, [], Content_Type="application/json-patch+json")
    expect.check_problem(response, 415, "unsupported-media-type")
    response = server.call("PUT", "/zones", b"{}")
    assert response.status == 405 and "POST" in response.get("Allow")


def test_schema(serve):
    server = serve([collection("items", schema=SCHEMA)])
    made = create(server, "/items", {"name": "a", "options": {}})
    assert made["ttl"] == 3600 and made["options"] == {"deep": 1}
    document = expect.check_problem(send(server, "POST", "/items", {"ttl": "x", "options": 3}), 400, "invalid-body")
    assert {(error["pointer"], error["keyword"]) for error in document["errors"]} == {
        ("", "required"), ("/ttl", "type"), ("/options", "type")}
    path = path_of(server, made)
    expect.check_problem(send(server, "PATCH", path, {"name": None}), 400, "invalid-body")
    assert "ttl" not in send(server, "PATCH", path, {"ttl": None}).json()
    assert send(server, "PUT", path, {"name": "b"}).json()["ttl"] == 3600
    large = {"name": "x" * 100000}
    assert create(server, "/items", large)["name"] == large["name"]
    expect.check_problem(send(server, "POST", "/items", {"name": 1, "x": "x" * 100000}), 400, "invalid-body")


def test_schema_of_a_program(serve):
    server = serve([{"path": "/echo", "methods": ["POST"], "program": {"argv": ["/bin/cat"]}, "schema": SCHEMA}])
    assert server.post("/echo", b' {"name":"a"}').body == b' {"name":"a"}'
    document = expect.check_problem(server.post("/echo", b"{}"), 400, "invalid-body")
    assert document["errors"][0]["keyword"] == "required"
    expect.check_problem(server.post("/echo", b"{"), 400, "invalid-json")


# Lists.

def names(response):
    assert response.status == 200, response
    return [item["name"] for item in response.json()["items"]]


@pytest.fixture
def listed(serve):
    server = serve([collection("items", index=["name", "n"])])
    for name, n in (("b", 2), ("a", 10), ("a?", None), ("c*", 1.5), ("d[x]", "2"), ("é", True)):
        create(server, "/items", {"name": name, "n": n, "list": [1, "x"]})
    return server


def test_pages(serve):
    server = serve([collection("items", index=["k"])])
    made = [create(server, "/items", {"name": str(n), "k": n % 3, "l": n % 3}) for n in range(45)]
    orders = {"": made, "sort_dir=desc&": made[::-1]}
    for key in "kl":
        ordered = sorted(made, key=lambda item: item["k"])
        orders[f"sort_key={key}&"] = ordered
        orders[f"sort_key={key}&sort_dir=desc&"] = ordered[::-1]
    for query, wanted in orders.items():
        seen, target = [], f"/items?{query}limit=7"
        while target:
            page = server.get(target).json()
            assert page["metadata"]["total_count"] == 45
            assert page["links"]["self"] == server.base + target
            assert len(page["items"]) == 7 or "next" not in page["links"]
            seen += page["items"]
            target = page["links"].get("next", server.base)[len(server.base):]
        assert [item["name"] for item in seen] == [item["name"] for item in wanted], query
    assert len(server.get("/items").json()["items"]) == 20
    assert len(server.get("/items?limit=99999999999999999999").json()["items"]) == 45


@pytest.mark.parametrize("query, wanted", [
    ("name=a", ["a"]), ("name=a*", ["a", "a?"]), ("name=a%3F", ["a?"]), ("name=*%5Bx%5D", ["d[x]"]), ("name=%C3%A9", ["é"]),
    ("name=", []), ("name=A", []), ("n=2", ["b", "d[x]"]), ("n=1.5", ["c*"]), ("n=true", ["é"]), ("n=1", []),
    ("n=null", ["a?"]), ("n=1*", ["a", "c*"]), ("list=%5B1,%22x%22%5D", ["b", "a", "a?", "c*", "d[x]", "é"]),
    ("status=ACTIVE&name=b", ["b"]), ("status=PENDING", []), ("version=1&name=b", ["b"]), ("updated_at=null&name=b", ["b"]),
    ("created_at=20*&name=b", ["b"]), ("unknown=1", []), ("a%22b=1", []), ("name=a&name=b", []),
    ("name=%27%3B--", []), ("sort_key=name&n=2", ["b", "d[x]"])])
def test_filters(listed, query, wanted):
    response = listed.get("/items?" + query)
    assert names(response) == wanted
    assert response.json()["metadata"]["total_count"] == len(wanted)


def test_filter_id(listed):
    item = listed.get("/items").json()["items"][3]
    assert names(listed.get(f"/items?id={item['id']}")) == [item["name"]]


@pytest.mark.parametrize("query", ["limit=0", "limit=-1", "limit=x", "limit=", "marker=1", f"marker={unknown_id()}",
                                   "sort_key=unknown", "sort_dir=up", "sort_key=%22"])
def test_bad_list_parameters(listed, query):
    expect.check_problem(listed.get("/items?" + query), 400, "invalid-parameter")


# Slow changes, in style resource.

ZONES = ("zones", "/v2/zones")


def zones(gate, **settings):
    return [collection(*ZONES, gate, style="resource", unique=["name"], **settings)]


def accept(server, method, target, document=None, action=None):
    response = send(server, method, target, document)
    assert response.status == 202, response
    resource = response.json()
    assert resource["status"] == "PENDING" and resource["action"] == action
    assert response.get("Location") == resource["links"]["self"]
    monitor = response.get("Link")
    assert monitor.startswith(f"<{server.base}/operations/") and monitor.endswith('>; rel="monitor"')
    return resource, monitor[1 + len(server.base):].partition(">")[0]


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


def names_of(server, query):
    return [zone["name"] for zone in server.get("/v2/zones?" + query).json()["zones"]]


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
            assert server.call("DELETE", monitor).status in (202, 204)
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


# The other styles.

def test_status_style(serve, gate):
    server = serve([collection("accounts", "/v1/accounts", gate, style="status")])
    response = send(server, "POST", "/v1/accounts", {"n": 1})
    assert response.status == 202
    monitor = response.get("Location")[len(server.base):]
    url = response.json()["resourceUrl"]
    assert server.get(url[len(server.base):]).json()["status"] == "PENDING"
    begun(gate)
    gate.open("e")
    ended = server.get(monitor, {"Prefer": "wait=20"}).json()
    assert ended["status"] == "SUCCESS" and ended["resource"] == ended["resourceUrl"] == url
    response = server.call("DELETE", url[len(server.base):])
    assert response.status == 204 and response.body == b""
    assert begun(gate)[1] == "DELETE"
    gate.open("f")
    ended = server.get(response.get("Location")[len(server.base):], {"Prefer": "wait=20"}).json()
    assert ended["status"] == "FAILED" and ended["msg"]
    assert server.get(url[len(server.base):]).json()["status"] == "ERROR"


def test_location_prefer_and_token_styles(serve):
    server = serve([collection("items"), collection("tokens", style="token")])
    response = send(server, "POST", "/items?async=true", {"n": 1})
    assert response.status == 202
    final = server.get(response.get("Location")[len(server.base):], {"Prefer": "wait=20"})
    assert final.status == 201 and final.json()["n"] == 1
    path = final.get("Location")[len(server.base):]
    assert server.get(path).json() == final.json()
    response = send(server, "PATCH", path, {"n": 2}, Prefer="respond-async")
    assert response.status == 202 and response.body == b""
    monitor = response.get("GW-Async-Location")
    ended = server.get(monitor, {"Prefer": "wait=20"}).json()["data"]["attributes"]
    assert ended["responseStatus"] == 200 and ended["responseBodyJson"]["n"] == 2
    assert server.get(monitor + "/response").json() == ended["responseBodyJson"]
    response = send(server, "DELETE", path + "?async=true")
    final = server.get(response.get("Location")[len(server.base):], {"Prefer": "wait=20"})
    assert final.status == 204
    token = send(server, "POST", "/tokens", {"n": 1}).json()["asyncOperation"]["token"]
    polled = server.get(f"/tokens/poll?asyncOperationToken={token}", {"Prefer": "wait=20"}).json()["asyncOperation"]
    assert polled["status"] == "READY" and polled["resultStatus"] == 201 and polled["result"]["n"] == 1


def test_errors_speak_the_style(serve):
    server = serve([collection("zones", style="resource"), collection("accounts", style="status")])
    document = expect.check_problem(server.get(f"/zones/{unknown_id()}"), 404)
    assert document["code"] == 404 and document["message"] == document["detail"] and document["request_id"]
    assert expect.check_problem(server.get(f"/accounts/{unknown_id()}"), 404)["msg"]


def test_reload(serve, gate):
    """A change that runs keeps its collection; what is new is served."""
    server = serve(zones(gate))
    zone, monitor = accept(server, "POST", "/v2/zones", {"name": "a"}, "CREATE")
    begun(gate)
    server.config["routes"] = [collection("items", index=["name"])] + zones(gate)
    server.write_config()
    server.process.send_signal(signal.SIGHUP)
    eventually(lambda: server.get("/items").status == 200)
    create(server, "/items", {"name": "x"})
    assert len(server.get("/items?name=x").json()["items"]) == 1
    gate.open("d")
    assert server.get(monitor, {"Prefer": "wait=20"}).status == 201
    assert read(server, zone)["serial"] == 7


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


# The order of what is refused.

def test_refusals_come_in_order(serve, gate):
    """What is wrong with a change is told before a key that was used otherwise, and before a server that is full."""
    server = serve(zones(gate) + [collection("items", unique=["name"]),
                                  collection("sets", "/items/{item_id}/sets", parent="items"),
                                  {"path": "/wait", "methods": ["POST"], "program": {"argv": ["/bin/sleep", "1000"]}}],
                   capacity=1)
    path = path_of(server, create(server, "/items", {"name": "a"}))
    key = {"Idempotency-Key": "k"}
    assert server.post("/items", b'{"name":"k"}', key).status == 201
    wrong = [("POST", f"/items/{unknown_id()}/sets", {}, {}, 404), ("POST", "/items", {"name": "a"}, {}, 409),
             ("PUT", path, {}, {"If-Match": '"7"'}, 412), ("DELETE", path, None, {"If-Match": '"7"'}, 412)]
    wrong += [(method, f"/items/{unknown_id()}", None if method == "DELETE" else {}, {}, 404)
              for method in ("PUT", "PATCH", "DELETE")]
    for full in (False, True):
        if full:
            waiting = server.post("/wait?async=true", b"")
            assert waiting.status == 202
            expect.check_overload(server.post("/items", b'{"name":"new"}'), [503], "capacity")
        for method, target, document, fields, status in wrong:
            body = None if document is None else json.dumps(document).encode()
            for query in ("", "?async=true"):
                for more in ({}, key):
                    response = server.call(method, target + query, body, {**fields, **more})
                    if not full and not more:
                        expect.check_problem(response, status)
                    else:
                        assert response.status == status, (response, method, target, query, more)
        expect.check_problem(server.post("/items", b'{"name":"other"}', key), 422)
        assert server.post("/items", b'{"name":"k"}', key).status == 201
    monitor = f"/operations/{waiting.get('Location').rpartition('/')[2]}"
    assert server.call("DELETE", monitor).status == 202
    assert server.get(monitor, {"Prefer": "wait=20"}).status == 410


def test_large_patch_that_is_not_json(serve):
    server = serve([collection("items")])
    body = b'{"a":"' + b"x" * 50000
    expect.check_problem(server.call("PATCH", f"/items/{unknown_id()}", body), 400, "invalid-json")
    expect.check_problem(server.call("PATCH", f"/items/{unknown_id()}", body + b'"}'), 404, "not-found")
    path = path_of(server, create(server, "/items", {}))
    expect.check_problem(server.call("PATCH", path, body), 400, "invalid-json")
    assert len(server.call("PATCH", path, body + b'"}').json()["a"]) == 50000


# Bodies that are judged after the 202.

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
    assert server.call("DELETE", monitor).status in (202, 204)
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


# Reads that are asked for asynchronously; clients that leave; joins after a restart.

def test_read_asynchronously(serve, state):
    server = serve([collection("zones"), collection("sets", "/zones/{zone_id}/sets", parent="zones")], state=state)
    zone = create(server, "/zones", {"n": 1})
    path = path_of(server, zone)
    prefer = {"Prefer": "respond-async"}
    for target in (path, "/zones", "/zones?limit=1&n=1", path + "/sets"):
        wanted = server.get(target)
        response = server.get(target, prefer)
        assert response.status == 202 and response.body == b"" and response.get("Preference-Applied") == "respond-async"
        monitor = response.get("GW-Async-Location")
        ended = server.get(monitor, {"Prefer": "wait=20"}).json()["data"]["attributes"]
        assert ended["responseStatus"] == 200 and ended["responseBodyJson"] == wanted.json()
        final = server.get(monitor + "/response")
        assert (final.status, final.body, final.get("ETag")) == (200, wanted.body, wanted.get("ETag"))
        final = server.get(target, {"Prefer": "respond-async, wait=20"})
        assert (final.status, final.body) == (200, wanted.body)
    response = server.call("HEAD", path, None, prefer)
    assert response.status == 202
    final = server.get(response.get("Location")[len(server.base):], {"Prefer": "wait=20"})
    assert final.status == 200 and final.body == b""
    for target, status in ((f"/zones/{unknown_id()}", 404), (f"/zones/{unknown_id()}/sets", 404), ("/zones/1", 400),
                           ("/zones?limit=x", 400), ("/zones?sort_key=m", 400), (f"/zones?marker={unknown_id()}", 400)):
        expect.check_problem(server.get(target, prefer), status)
        expect.check_problem(server.get(target), status)


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
