"""The admin listener, and the list of operations."""

import hashlib
import re
import time
from urllib.parse import quote

import pytest

import wire
from expect import ISO8601, UUID4, check_problem
from harness import echo, eventually, job
from styles import LOCATION, PREFER, STATUS

ADMIN = {"listen": "127.0.0.1:0"}


def readiness(server):
    """Status and checks by name."""
    response = server.ask_admin("/readyz")
    checks = dict(line.split(": ") for line in response.body.decode().splitlines())
    assert set(checks) == {"store", "queue", "drain"}
    assert (response.status == 200) == (set(checks.values()) == {"ok"}) and response.status in (200, 503)
    assert response.get("Cache-Control") == "no-store"
    return response.status, [name for name, state in checks.items() if state != "ok"]


def list_page(server, query=""):
    response = server.ask_admin("/operations" + query)
    assert response.status == 200 and response.media_type() == "application/json", response
    document = response.json()
    assert set(document) == {"operations", "links"} and set(document["links"]) == {"self", "next"}
    return document["operations"], document["links"]["next"]


def list_all(server, query=""):
    """Every page of a list, each as the one before links to it."""
    operations, url = list_page(server, query)
    while url:
        base = f"http://{server.admin}/operations"
        assert url.startswith(base), url
        more, url = list_page(server, url[len(base):])
        operations += more
    return operations


def test_healthy_and_ready(serve):
    server = serve([echo()], admin=ADMIN)
    assert server.ask_admin("/healthz").body == b"ok\n"
    assert readiness(server) == (200, [])
    assert server.ask_admin("/healthz", "HEAD").status == 200


def test_listeners_are_apart(serve):
    """Routes are not on the admin listener, nor what is on it on the others."""
    server = serve([echo()], admin=ADMIN)
    for target in ("/echo", "/", "/operations/" + "0" * 36, "/healthz/"):
        check_problem(server.ask_admin(target), 404)
    for target in ("/healthz", "/readyz", "/metrics"):
        assert server.get(target).status == 404
        assert server.ask_admin(target, "DELETE").status == 405
    assert server.ask_admin("/operations", "DELETE").status == 405


def test_unix_socket(serve, tmp_path):
    server = serve([echo()], admin={"listen": f"unix:{tmp_path}/admin.sock"})
    assert server.admin == f"unix:{tmp_path}/admin.sock"
    assert readiness(server) == (200, [])
    assert list_all(server) == []


def test_not_ready_while_full(serve, gate):
    server = serve([job("/job", gate)], admin=ADMIN, capacity=1)
    id_ = LOCATION.start(server, path="/job")
    gate.wait_begun()
    assert readiness(server) == (503, ["queue"])
    assert server.post("/job").status == 503
    gate.open()
    assert LOCATION.wait(server, id_).status == 200
    assert readiness(server) == (200, [])


def test_not_ready_while_draining(serve, gate):
    """It lives, and is asked still, while it takes no calls."""
    server = serve([job("/job", gate)], admin=ADMIN, drain_timeout="1h")
    call = server.begin("POST", "/job", b"x")
    gate.wait_begun()
    server.terminate()
    assert eventually(lambda: readiness(server)[1]) == ["drain"]
    assert server.ask_admin("/healthz").status == 200
    gate.open()
    assert call.receive("POST").status == 200
    server.wait_end()


def test_not_ready_while_nothing_can_be_stored(serve, small_disk):
    server = serve([echo()], admin=ADMIN, state=str(small_disk.path / "deferd.db"))
    server.expect_error("cannot be stored|cannot store body|result")
    assert readiness(server) == (200, [])
    small_disk.fill()
    eventually(lambda: server.post("/echo?async=true", b"y" * 30000).status == 503 and readiness(server)[0] == 503,
               "the store to be unwell")
    assert readiness(server) == (503, ["store"])
    small_disk.give_back()
    eventually(lambda: readiness(server) == (200, []), "the store to be well again", timeout=30)


@pytest.fixture
def listed(serve, gate):
    """Six operations, oldest first, in every state that is easily had."""
    server = serve([job("/held", gate, concurrency=1), echo(), echo("/status", style="status")], admin=ADMIN)
    ids = []
    for style, path in ((LOCATION, "/echo"), (PREFER, "/echo"), (STATUS, "/status")):
        ids.append(style.start(server, path=path))
        eventually(lambda: LOCATION.poll(server, ids[-1]).status == 200, "its end")
    ids += [LOCATION.start(server, path="/held") for _ in range(3)]
    gate.wait_begun()
    assert LOCATION.cancel(server, ids[-1]).status == 204
    yield server, ids
    gate.open("dd")
    gate.wait_begun()
    eventually(lambda: LOCATION.poll(server, ids[4]).status == 200, "the last to end")


def test_list(listed):
    server, ids = listed
    operations, url = list_page(server)
    assert [op["id"] for op in operations] == ids[::-1] and url is None
    assert [op["state"] for op in operations] == ["cancelled", "queued", "running"] + ["succeeded"] * 3
    assert [op["style"] for op in operations] == ["location"] * 3 + ["status", "prefer", "location"]
    for op in operations:
        assert re.fullmatch(UUID4, op["id"]) and op["principal"] is None
        ended = op["state"] in ("succeeded", "cancelled")
        assert ISO8601.match(op["accepted_at"]) and (op["status"] is not None) == ended == bool(op["ended_at"])
        assert bool(op["started_at"]) == (op["state"] in ("succeeded", "running"))
    assert operations[0]["status"] == 410 and operations[-1]["status"] == 200


@pytest.mark.parametrize("query, places", [
    ("state=queued", [4]), ("state=succeeded", [2, 1, 0]), ("state=failed", []), ("style=prefer", [1]),
    ("style=sync", []), ("route=" + quote("/echo"), [1, 0]), ("route=nowhere", []), ("principal=somebody", []),
    ("principal=", [5, 4, 3, 2, 1, 0]), ("min_age=0", [5, 4, 3, 2, 1, 0]), ("min_age=3600", []),
    ("state=cancelled&style=location", [5]), ("state=cancelled&style=token", []), ("unknown=1&state=running", [3])])
def test_filters(listed, query, places):
    server, ids = listed
    assert [op["id"] for op in list_all(server, "?" + query)] == [ids[place] for place in places]


@pytest.mark.parametrize("limit", [1, 2, 3, 5, 6, 7, 1000, 4000000000])
def test_pages(listed, limit):
    """Each operation once, whatever the size of a page; a full last page is the last."""
    server, ids = listed
    operations, url = list_page(server, f"?limit={limit}")
    assert len(operations) == min(limit, len(ids)) and bool(url) == (limit < len(ids))
    assert [op["id"] for op in list_all(server, f"?limit={limit}")] == ids[::-1]


def test_pages_keep_the_filter(listed):
    server, ids = listed
    operations, url = list_page(server, "?state=succeeded&limit=2&style=location")
    assert [op["id"] for op in operations] == [ids[0]] and url is None
    operations, url = list_page(server, "?limit=2&state=succeeded")
    assert [op["id"] for op in operations] == [ids[2], ids[1]]
    assert "state=succeeded" in url and "limit=2" in url
    assert [op["id"] for op in list_page(server, url[url.index("?"):])[0]] == [ids[0]]


@pytest.mark.parametrize("query", [
    "state=done", "state=", "limit=0", "limit=-1", "limit=x", "limit=", "limit=99999999999999999999", "min_age=x",
    "min_age=-1", "min_age=1.5", "marker=x", "marker=", "marker=00000000-0000-4000-8000-000000000000"])
def test_mistakes(listed, query):
    server, _ = listed
    problem = check_problem(server.ask_admin(f"/operations?{query}"), 400, "invalid-parameter")
    assert query.partition("=")[0] in problem["detail"]


@pytest.mark.alone
def test_many(serve, gate):
    """A page of many operations is as quick as one of few."""
    server = serve([job("/job", gate)], admin=ADMIN, capacity=10000, workers=1)
    connection = server.connect()
    count = 3000
    for first in range(0, count, 100):
        for _ in range(100):
            connection.request("POST", "/job?async=true", b"")
        for _ in range(100):
            assert connection.receive("POST").status == 202
    began = time.monotonic()
    assert len(list_page(server, "?limit=10&min_age=0")[0]) == 10
    assert time.monotonic() - began < 1
    assert len({op["id"] for op in list_all(server, "?limit=1000")}) == count
    server.kill()
    for _, pid, *_ in [gate.wait_begun()]:
        gate.open("d")
        eventually(lambda: not re.search(r"\bjob\b", command_of(pid)), "the program to end")


def command_of(pid):
    try:
        with open(f"/proc/{pid}/cmdline") as file:
            return file.read()
    except (FileNotFoundError, ProcessLookupError):
        return ""


@pytest.fixture
def users(tmp_path):
    """Settings of auth: su is an admin, ann is none."""
    lines = [f"{name}:{hashlib.sha256(name.encode()).hexdigest()}" for name in ("su", "ann")]
    (tmp_path / "tokens").write_text("\n".join(lines) + "\n")
    return {"bearer": str(tmp_path / "tokens"), "admins": ["su"]}


def test_list_for_admins(serve, users):
    """On the routes' addresses admins see everybody's operations, others their own; on the admin listener of this machine all are seen."""
    server = serve([echo()], auth=users, admin=ADMIN)
    ids = {}
    for name in ("ann", "su"):
        response = server.call("POST", "/echo?async=true", b"x", {"Authorization": f"Bearer {name}"})
        ids[name] = LOCATION.check_accepted(server, response)
    check_problem(server.get("/operations"), 401)
    own = server.get("/operations", {"Authorization": "Bearer ann"}).json()["operations"]
    assert [op["id"] for op in own] == [ids["ann"]] and "principal" not in own[0]
    found = server.get("/operations", {"Authorization": "Bearer su"}).json()["operations"]
    assert {op["principal"]: op["id"] for op in found} == ids
    assert [op["id"] for op in list_all(server, "?principal=ann")] == [ids["ann"]]
    assert readiness(server) == (200, [])


def test_admin_from_elsewhere(serve, users):
    """An admin listener that others reach wants a log-in for everything."""
    server = serve([echo()], auth=users, admin={"listen": "0.0.0.0:0"})
    server.admin = server.admin.replace("0.0.0.0", "127.0.0.1")
    for target in ("/healthz", "/readyz", "/metrics", "/operations"):
        check_problem(server.ask_admin(target), 401)
        for name in ("ann", "su"):
            status = wire.call(server.admin, "GET", target, None, {"Authorization": f"Bearer {name}"}).status
            assert status == 200, (target, name)
