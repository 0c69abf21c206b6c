"""A database of 0.1.0, with operations in every state, is taken over: nothing that was promised is lost.

data/deferd-0.1.0.db.gz was written by 0.1.0 as of 22 November 2026 (commit 969ae49, version 4 of the schema), which was killed while it
had calls in every state.  Its clock stood at the year 2090, so that nothing in it expires before then.
"""

import gzip
import hashlib
import json
import sqlite3

import pytest

from expect import check_problem
from harness import ROOT, echo, run, shell

DATA = ROOT / "tests/e2e/data/deferd-0.1.0.db.gz"
OLD_VERSION = 4
ENDED = {  # by the style of each call
    "location": "380be1c7-40e4-44c4-80ac-a95599f2014a",
    "prefer": "53e67879-dd73-4dcc-820f-e17fd5d3339e",
    "status": "f484f6e8-056e-4732-bf74-090c629ce73e",
    "token": "5a1fe051-6852-451f-bca6-98699c86ff5a",
}
FAILED = "62e34704-c589-4a3c-92ba-1105fec6e93a"
TIMED_OUT = "763ae586-691c-4e44-9f1c-b7c74c653f44"
EXPIRED = "302b322d-cf98-4033-aede-be776e584a19"
CANCELLED = "65062766-8870-4ff4-9e4d-36b23ec87b32"
RUNNING_AGAIN = "c447760d-d75f-4a62-b654-1148545619da"  # of a route with rerun
RUNNING_ONCE = "9999c7c1-53e6-4af6-b7cf-85150238a9ea"
QUEUED = "bf72c239-e7dc-48f1-9bc5-70a0e617b106"
CHANGE = "d6cf51a9-1cb0-4da4-8156-abb9e0ff4138"  # of ZONE, running
ZONE = "dea8280f-6b59-46d9-9297-e1d255f3cb77"
BODY = b'{"n":1}'


def version_of(database):
    with sqlite3.connect(database) as connection:
        return connection.execute("PRAGMA user_version").fetchone()[0]


@pytest.fixture
def start(serve, tmp_path):
    """Starts a server on the database, which is the old one at first."""
    database = tmp_path / "deferd.db"
    database.write_bytes(gzip.decompress(DATA.read_bytes()))
    (tmp_path / "tokens").write_text(f"ann:{hashlib.sha256(b'secret').hexdigest()}\n")

    def begin():
        return serve([
            echo("/echo"), echo("/status", style="status"), echo("/token", style="token"), echo("/fails"), echo("/slow"), echo("/brief"),
            echo("/cancelled"), echo("/again", rerun=True, concurrency=1), echo("/once", concurrency=1),
            {"path": "/notes", "collection": {"name": "notes", "unique": ["title"]}},
            {"path": "/zones", "style": "resource",
             "collection": {"name": "zones", "unique": ["name"], "on_change": {"program": shell("cat")}}},
        ], state=str(database), auth={"bearer": str(tmp_path / "tokens")}, keep="365d", keep_tombstone="365d", queue_timeout="1h")

    begin.database = database
    return begin


def ask(server, method, target, body=None, **fields):
    return server.call(method, target, body, {"Authorization": "Bearer secret", "Content-Type": "application/json",
                                              **{name.replace("_", "-"): value for name, value in fields.items()}})


def poll(server, id_):
    return ask(server, "GET", f"/operations/{id_}", Prefer="wait=20")


def check_operations(server):
    for id_ in (*ENDED.values(), QUEUED, RUNNING_AGAIN):
        response = poll(server, id_)
        assert (response.status, response.body) == (200, BODY), id_
    assert poll(server, FAILED).status == 400
    for id_, status, problem in ((TIMED_OUT, 504, "run-timeout"), (EXPIRED, 410, "expired"), (CANCELLED, 410, "cancelled"),
                                 (RUNNING_ONCE, 500, "interrupted")):
        check_problem(poll(server, id_), status, problem)


def check_monitors(server):
    """Each style's own monitor knows the operation as well."""
    status = json.loads(ask(server, "GET", f"/v1/operationStatus/{ENDED['status']}").body)
    assert status["status"] == "SUCCESS"
    token = json.loads(ask(server, "GET", f"/token/poll?asyncOperationToken={ENDED['token']}").body)
    assert token["asyncOperation"]["status"] == "READY" and token["result"] == BODY.decode()
    request = json.loads(ask(server, "GET", f"/async/v1/requests/{ENDED['prefer']}").body)
    assert request["data"]["attributes"]["status"] == "Complete"


def check_resources(server):
    notes = json.loads(ask(server, "GET", "/notes").body)
    assert "1.50" in ask(server, "GET", "/notes").body.decode(), "a number is as its client wrote it"
    (items,) = [value for value in notes.values() if isinstance(value, list)]
    assert {item["title"] for item in items} == {"one", "two"}
    assert ask(server, "POST", "/notes", b'{"title": "\\u006fne"}').status == 409, "unique members are known"
    assert poll(server, CHANGE).status in (200, 201, 500)
    zone = json.loads(ask(server, "GET", f"/zones/{ZONE}").body)
    assert zone["name"] == "a." and zone["status"] in ("ACTIVE", "ERROR")


def test_upgrade(start):
    assert version_of(start.database) == OLD_VERSION
    server = start()
    check_operations(server)
    check_monitors(server)
    check_resources(server)

    # A key of then still joins its call, and new calls are taken.
    joined = ask(server, "POST", "/echo?async=true", BODY, Idempotency_Key='"one"')
    assert joined.status == 202 and joined.get("Location").endswith(ENDED["location"])
    assert ask(server, "POST", "/echo?async=true", BODY).status == 202
    server.end()

    # The conversion is done, and what it made is there at the next start.
    assert version_of(start.database) > OLD_VERSION
    server = start()
    check_operations(server)
    check_resources(server)


def test_a_newer_database_is_refused(tmp_path):
    database = tmp_path / "deferd.db"
    database.write_bytes(gzip.decompress(DATA.read_bytes()))
    with sqlite3.connect(database) as connection:
        connection.execute("PRAGMA user_version = 1000000")
    (tmp_path / "deferd.json").write_text(json.dumps({"listen": "127.0.0.1:0", "state": str(database), "routes": []}))
    done = run("-c", tmp_path / "deferd.json")
    assert done.returncode == 1 and str(database) in done.stderr and "ready" not in done.stdout
    assert version_of(database) == 1000000, "it is left as it is"
