"""A route is its path: its settings may change, and it may be away for a while; operations, keys, tokens and limits stay."""

import pytest

import expect
from harness import PROGRAMS, eventually, job
from styles import LOCATION, TOKEN

KEY = {"Idempotency-Key": "k"}
CHANGES = {"more methods": (["POST"], ["PUT", "POST"]), "other order": (["POST", "PUT"], ["PUT", "POST"]), "fewer": (["POST", "PUT"], ["POST"])}


def change(server, how, **settings):
    """Changes the only route by a restart, a kill or a reload."""
    server.config["routes"][0].update(settings)
    if how == "reload":
        server.write_config()
        server.reload()
    elif how == "kill":
        server.kill()
        server.start()
    else:
        server.terminate()
        server.wait_end()
        server.start()


@pytest.mark.parametrize("change_of", CHANGES)
@pytest.mark.parametrize("how", ["restart", "kill", "reload"])
def test_methods_change(serve, gate, tmp_path, how, change_of):
    before, after = CHANGES[change_of]
    server = serve([job("/job", gate, style="token", methods=before, concurrency=1, rerun=True)], state=str(tmp_path / "deferd.db"),
                   drain_timeout="1ms")
    ended = TOKEN.start(server, path="/job", fields=KEY)
    gate.wait_begun()
    gate.open("d")
    eventually(lambda: server.get(f"/operations/{ended}").status == 200)
    running = TOKEN.start(server, path="/job")
    gate.wait_begun()
    queued = TOKEN.start(server, path="/job", fields={"Idempotency-Key": "q"})
    change(server, how, methods=after)
    assert server.get(f"/job/poll?asyncOperationToken={ended}").json()["asyncOperation"]["status"] == "READY"
    assert TOKEN.start(server, path="/job", fields=KEY) == ended
    assert TOKEN.start(server, path="/job", fields={"Idempotency-Key": "q"}) == queued
    if how != "reload":
        assert gate.wait_begun()[0] == running
    more = TOKEN.start(server, path="/job")
    assert server.get(f"/operations/{more}").json() == {"progress": "IN_QUEUE"}, "one at a time"
    assert gate.begun() == []
    for id_ in (queued, more):
        gate.open("d")
        assert gate.wait_begun()[0] == id_
    gate.open("d")
    assert LOCATION.is_ended(LOCATION.wait(server, more))


@pytest.mark.parametrize("how", ["restart", "reload"])
def test_a_route_comes_back(serve, gate, tmp_path, how):
    server = serve([job("/other", gate), job("/job", gate, style="token")], state=str(tmp_path / "deferd.db"))
    ended = TOKEN.start(server, path="/job", fields=KEY)
    gate.wait_begun()
    gate.open("d")
    eventually(lambda: server.get(f"/operations/{ended}").status == 200)
    gone = server.config["routes"].pop()
    server.terminate()
    server.wait_end()
    server.start()
    expect.check_problem(server.post("/job", b"", KEY), 404)
    assert server.get(f"/operations/{ended}").status == 200
    server.config["routes"].append(gone)
    server.write_config()
    if how == "reload":
        server.reload()
    else:
        server.terminate()
        server.wait_end()
        server.start()
    assert server.get(f"/job/poll?asyncOperationToken={ended}").json()["asyncOperation"]["status"] == "READY"
    assert TOKEN.start(server, path="/job", fields=KEY) == ended
    assert gate.begun() == []


def test_two_routes_of_one_path(serve, gate):
    """Their operations are apart."""
    server = serve([job("/job", gate, methods=["POST"], concurrency=1), {"path": "/job", "methods": ["PUT"], "program": {
        "argv": [str(PROGRAMS / "job"), str(gate)]}, "concurrency": 1}])
    first = LOCATION.start(server, path="/job")
    gate.wait_begun()
    second = LOCATION.check_accepted(server, server.call("PUT", "/job?async=true", b"x", KEY))
    assert gate.wait_begun()[0] == second
    other = LOCATION.check_accepted(server, server.post("/job?async=true", b"x", KEY))
    assert other not in (first, second)
    gate.open("dd")
    gate.wait_begun()
    gate.open("d")
