"""Style prediction beyond the shared scenes: input, output, waiting, cancel, and what a client of that API expects."""

import json

import pytest

import expect
from harness import eventually, route
from styles import LOCATION, PREDICTION, routes, unknown_id


def test_input_and_output(serve, gate):
    server = serve(routes(gate))
    body = json.dumps({"input": {"prompt": "x", "n": [1, 2.5]}, "version": "v"}).encode()
    response = PREDICTION.ask(server, body=body)
    id_ = PREDICTION.check_accepted(server, response)
    assert response.json()["input"] == {"prompt": "x", "n": [1, 2.5]} and response.json()["output"] is None
    gate.wait_begun()
    assert PREDICTION.poll(server, id_).json()["input"] == {"prompt": "x", "n": [1, 2.5]}
    gate.open("d")
    assert PREDICTION.wait(server, id_).json()["output"] == json.loads(body)


@pytest.mark.parametrize("prefer", ["wait", "wait=20", "wait, respond-async=x"])
def test_waits(serve, prefer):
    program = {"argv": ["/bin/cat"], "response_type": "application/json"}
    server = serve([route("/p", program, style="prediction")])
    response = server.post("/p", b'{"n":1}', {"Prefer": prefer})
    assert response.status == 201
    document = PREDICTION.check_prediction(server, response, PREDICTION.check_accepted(server, response), "succeeded", 201)
    assert document["output"] == {"n": 1}


def test_waits_in_vain(serve, gate):
    server = serve(routes(gate), wait_max="50ms")
    response = PREDICTION.ask(server, fields={"Prefer": "wait"})
    id_ = PREDICTION.check_accepted(server, response)
    assert response.json()["status"] == "processing"
    gate.open("d")
    eventually(lambda: PREDICTION.wait(server, id_).json()["status"] == "succeeded", "its end")


@pytest.mark.parametrize("body, type_", [(b"text", "text/plain"), (b"\x89PNG", "image/png"), (b"{", "application/json")])
def test_bytes_are_at_a_url(serve, body, type_):
    server = serve([route("/p", {"argv": ["/bin/cat"], "response_type": type_}, style="prediction")])
    id_ = PREDICTION.start(server, path="/p", body=body)
    output = PREDICTION.wait(server, id_).json()["output"]
    assert output == f"{server.base}/operations/{id_}"
    assert server.get(output[len(server.base):]).body == body


def test_large_output(serve, tmp_path):
    """Also when it is ready in time: 201."""
    data = json.dumps(["x" * 100] * 5000).encode()
    (tmp_path / "data").write_bytes(data)
    program = {"argv": ["/bin/cat", str(tmp_path / "data")], "response_type": "application/json"}
    server = serve([route("/p", program, style="prediction")])
    response = server.post("/p", b"{}", {"Prefer": "wait=20"})
    assert response.status == 201 and response.json()["output"] == json.loads(data)


def test_cancel(serve, gate):
    server = serve(routes(gate, concurrency=1))
    running = PREDICTION.start(server)
    gate.wait_begun()
    queued = PREDICTION.start(server)
    response = server.post(PREDICTION.target(queued) + "/cancel")
    PREDICTION.check_prediction(server, response, queued, "canceled")
    assert server.post(PREDICTION.target(running) + "/cancel").status == 200
    eventually(lambda: PREDICTION.poll(server, running).json()["status"] == "canceled", "its end")
    ended = server.post(PREDICTION.target(running) + "/cancel")
    PREDICTION.check_prediction(server, ended, running, "canceled")
    expect.check_problem(server.post(f"{PREDICTION.path}/{unknown_id()}/cancel"), 404, "not-found")
    expect.check_problem(server.call("DELETE", PREDICTION.target(running)), 405)


def test_only_of_its_route(serve, gate):
    server = serve(routes(gate))
    other = LOCATION.start(server)
    gate.wait_begun()
    expect.check_problem(server.get(f"{PREDICTION.path}/{other}"), 404, "not-found")
    gate.open("d")


def test_path_parameters(serve):
    server = serve([route("/models/{name}/predictions", {"argv": ["/bin/cat"]}, style="prediction")])
    response = server.post("/models/a%20b/predictions", b"{}")
    id_ = PREDICTION.check_accepted(server, response)
    url = f"{server.base}/models/a%20b/predictions/{id_}"
    assert response.json()["urls"] == {"get": url, "cancel": url + "/cancel"}
    PREDICTION.check_prediction(server, PREDICTION.wait(server, id_), id_, "succeeded")


def test_list(serve, gate):
    """Of this route alone, newest first, in pages."""
    server = serve(routes(gate))
    other = LOCATION.start(server)
    gate.wait_begun()
    ids = []
    for _ in range(2):
        ids.append(PREDICTION.start(server))
        gate.wait_begun()
    document = server.get(PREDICTION.path).json()
    assert [one["id"] for one in document["results"]] == ids[::-1] and other not in ids
    assert document["next"] is None and document["previous"] is None
    assert document["results"][0]["urls"]["get"] == server.base + PREDICTION.target(ids[1])
    older = server.get(f"{PREDICTION.path}?cursor={ids[1]}").json()["results"]
    assert [one["id"] for one in older] == ids[:1]
    gate.open("ddd")
