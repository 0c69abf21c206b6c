"""Collections: resources created, read, changed and deleted in every style; schemas; what is refused."""

import json

import pytest

import expect
from collection_calls import SCHEMA, begun, collection, create, path_of, read, send, zones
from styles import unknown_id


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


def test_status_style(serve, gate):
    server = serve([collection("accounts", "/v1/accounts", gate, style="status")])
    response = send(server, "POST", "/v1/accounts", {"n": 1})
    assert response.status == 202
    monitor = response.get("Location")[len(server.base):]
    assert response.json()["resourceUrl"] == response.get("Location")
    assert [item["status"] for item in server.get("/v1/accounts").json()["accounts"]] == ["PENDING"]
    begun(gate)
    gate.open("e")
    ended = server.get(monitor, {"Prefer": "wait=20"}).json()
    url = ended["resourceUrl"]
    assert ended["status"] == "SUCCESS" and ended["resource"] == url
    assert server.get(url[len(server.base):]).json()["status"] == "ACTIVE"
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
    polled = server.get(f"/tokens/poll?asyncOperationToken={token}", {"Prefer": "wait=20"}).json()
    assert polled["asyncOperation"]["status"] == "READY" and polled["resultStatus"] == 201 and polled["result"]["n"] == 1


def test_errors_speak_the_style(serve):
    server = serve([collection("zones", style="resource"), collection("accounts", style="status")])
    document = expect.check_problem(server.get(f"/zones/{unknown_id()}"), 404)
    assert document["code"] == 404 and document["message"] == document["detail"] and document["request_id"]
    assert expect.check_problem(server.get(f"/accounts/{unknown_id()}"), 404)["msg"]


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


@pytest.mark.parametrize("style", ["sync", "resource"])
@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
def test_if_none_match_any(serve, style, method):
    """No resource that exists may be changed under If-None-Match: *."""
    server = serve([collection("items", style=style)])
    response = send(server, "POST", "/items?async=false", {"n": 1})
    path = path_of(server, response.json())
    document = None if method == "DELETE" else {"n": 2}
    expect.check_problem(send(server, method, path + "?async=false", document, If_None_Match="*"), 412)
    assert server.get(path).json()["n"] == 1
    missing = path[:-1] + ("0" if path[-1] != "0" else "1")
    expect.check_problem(send(server, method, missing + "?async=false", document, If_None_Match="*"), 404)
