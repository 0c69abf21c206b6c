"""Style google beyond the shared scenes: names, cancel, wait, and bodies that are no objects."""

import json

import pytest

import expect
from harness import eventually, route
from principals import bearer, known_by_tokens
from styles import GOOGLE, LOCATION, routes, unknown_id


def test_encoded_name(serve, gate):
    """A client without rules encodes the slash of the name."""
    server = serve(routes(gate))
    id_ = GOOGLE.start(server)
    gate.wait_begun()
    for name in (id_, f"operations%2F{id_}", f"operations%2f{id_}"):
        GOOGLE.check_pending(server, server.get(f"/v1/operations/{name}"), id_, "running")
    GOOGLE.check_unknown(server.get(f"/v1/operations/others%2F{id_}"))
    assert server.post(f"/v1/operations/operations%2F{id_}:cancel", b"{}").json() == {}
    eventually(lambda: GOOGLE.is_ended(GOOGLE.poll(server, id_)), "its end")
    GOOGLE.check_failed_as(server, GOOGLE.poll(server, id_), id_, 410, "cancelled")


def test_cancel(serve, gate):
    """Also of what has ended: it changes nothing."""
    server = serve(routes(gate, concurrency=1))
    running = GOOGLE.start(server)
    gate.wait_begun()
    queued = GOOGLE.start(server)
    assert server.post(f"/v1/operations/{queued}:cancel").json() == {}
    GOOGLE.check_failed_as(server, GOOGLE.poll(server, queued), queued, 410, "cancelled")
    gate.open("d")
    assert GOOGLE.is_ended(GOOGLE.wait(server, running))
    before = GOOGLE.poll(server, running).json()["response"]
    assert server.post(f"/v1/operations/{running}:cancel").status == 200
    assert GOOGLE.poll(server, running).json()["response"] == before
    GOOGLE.check_unknown(server.post(f"/v1/operations/{unknown_id()}:cancel"))


@pytest.mark.parametrize("body", [b"", b"{}", b'{"timeout":"20s"}', b'{"timeout":"7.5s"}', b'{"timeout":"99999999999s"}'])
def test_wait(serve, gate, body):
    server = serve(routes(gate))
    id_ = GOOGLE.start(server)
    gate.wait_begun()
    call = server.begin("POST", f"/v1/operations/{id_}:wait", body)
    assert not GOOGLE.is_ended(GOOGLE.poll(server, id_))
    gate.open("d")
    assert GOOGLE.is_ended(call.receive("POST"))


def test_wait_in_vain(serve, gate):
    server = serve(routes(gate))
    id_ = GOOGLE.start(server)
    gate.wait_begun()
    for body in (b'{"timeout":"0s"}', b'{"timeout":"0.05s"}'):
        GOOGLE.check_pending(server, server.post(f"/v1/operations/{id_}:wait", body), id_, "running")
    gate.open("d")


@pytest.mark.parametrize("body", [b"{", b'{"timeout":10}', b'{"timeout":"10"}', b'{"timeout":"-1s"}', b'{"timeout":"nans"}',
                                  b'{"timeout":"s"}', b'{"timeout":"' + b"1" * 2000 + b's"}'])
def test_malformed_wait(serve, gate, body):
    server = serve(routes(gate))
    id_ = GOOGLE.start(server)
    gate.wait_begun()
    document = expect.check_problem(server.post(f"/v1/operations/{id_}:wait", body), 400, "invalid-parameter")
    assert document["error"]["status"] == "INVALID_ARGUMENT"
    gate.open("d")


@pytest.mark.parametrize("body, type_, value", [
    (b'{"a":1}', "application/json", {"a": 1}), (b"[1]", "application/json", {"body": [1]}),
    (b"x", "text/plain", {"body": "x"}), (b"\xff", "image/png", {"body": "/w==", "encoding": "base64"}),
    (b"", "text/plain", {"body": ""})])
def test_response(serve, body, type_, value):
    server = serve([route("/g", {"argv": ["/bin/cat"], "response_type": type_}, style="google")])
    id_ = GOOGLE.start(server, path="/g", body=body)
    assert GOOGLE.wait(server, id_).json()["response"] == {"@type": GOOGLE.struct, "value": value}


def test_any_style_is_read(serve, gate):
    server = serve(routes(gate))
    id_ = LOCATION.start(server)
    gate.wait_begun()
    GOOGLE.check_pending(server, GOOGLE.poll(server, id_), id_, "running")
    gate.open("d")


def test_list(serve, gate):
    server = serve(routes(gate))
    ids = []
    for _ in range(5):
        ids.append(GOOGLE.start(server))
        gate.wait_begun()
    gate.open("dd")
    eventually(lambda: len(server.get("/v1/operations?filter=done%3Dtrue").json()["operations"]) == 2)
    page = server.get("/v1/operations?pageSize=2").json()
    assert [one["name"] for one in page["operations"]] == [f"operations/{id_}" for id_ in (ids[4], ids[3])]
    rest = server.get(f"/v1/operations?pageToken={page['nextPageToken']}").json()
    assert [one["name"] for one in rest["operations"]] == [f"operations/{id_}" for id_ in ids[2::-1]] and rest["nextPageToken"] == ""
    expect.check_problem(server.get(f"/v1/operations?pageToken={unknown_id()}"), 400, "invalid-parameter")
    gate.open("ddd")


def test_list_of_ones_own(serve, gate, tmp_path):
    server = serve(routes(gate), auth=known_by_tokens(tmp_path, "ann", "bob", "su"))
    id_ = GOOGLE.start(server, fields=bearer("tok-ann"))
    gate.wait_begun()
    for name, count in (("ann", 1), ("bob", 0), ("su", 1)):
        assert len(server.get("/v1/operations", bearer(f"tok-{name}")).json()["operations"]) == count
    expect.check_problem(server.get(f"/v1/operations?pageToken={id_}", bearer("tok-bob")), 400, "invalid-parameter")
    gate.open("d")
