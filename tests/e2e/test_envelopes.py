"""Results inside JSON documents of monitors, in memory and in files: right, once read, and without holding up anybody."""

import base64
import json
import os
import time

import pytest

import expect
from harness import route
from styles import LOCATION, PREFER, TOKEN

LARGE = 300_000


def filler(sort):
    """A large result of that sort, and how it is to be shown by token."""
    if sort == "object":
        return json.dumps({"list": [{"n": n, "é": "x\n\u20ac"} for n in range(LARGE // 40)]}, ensure_ascii=False).encode()
    if sort == "array":
        return b"[" + b"{}," * (LARGE // 3) + b"{}]"
    if sort == "text":
        return ("é€😀\x1b\"\\\n" * (LARGE // 14)).encode()
    if sort == "broken":
        return b'{"a":' * (LARGE // 5)
    return os.urandom(LARGE + 1)


def store(server, tmp_path, data, path):
    (tmp_path / "data").write_bytes(data)
    id_ = LOCATION.start(server, path=path)
    final = LOCATION.wait(server, id_)
    assert final.status == 200 and final.body == data
    return id_


@pytest.fixture
def server(serve, tmp_path):
    cat = {"argv": ["/bin/cat", str(tmp_path / "data")]}
    return serve([route("/json", {**cat, "response_type": "application/json"}, style="token"),
                  route("/text", {**cat, "response_type": "text/plain"}, style="token")])


@pytest.mark.parametrize("path", ["/json", "/text"])
@pytest.mark.parametrize("sort", ["object", "array", "text", "broken", "bytes"])
def test_large(server, tmp_path, sort, path):
    data = filler(sort)
    id_ = store(server, tmp_path, data, path)
    is_json = path == "/json" and sort in ("object", "array")
    for _ in range(2):
        poll = server.get(f"{path}/poll?asyncOperationToken={id_}")
        assert poll.get("AsyncResult") == "200" and poll.status == 200
        document = poll.json()
        assert document.pop("asyncOperation") == {"token": id_, "status": "READY"} and document.pop("resultStatus") == 200
        if sort == "bytes":
            assert document == {"result": base64.b64encode(data).decode(), "resultEncoding": "base64"}
        elif is_json:
            assert document == {"result": json.loads(data)} and data in poll.body
        else:
            assert document == {"result": data.decode()}
        shown = PREFER.poll(server, id_).json()["data"]["attributes"]
        assert shown["responseStatus"] == 200
        assert shown.get("responseBodyJson") == (json.loads(data) if is_json else None)
    head = server.call("HEAD", f"/async/v1/requests/{id_}")
    assert head.status == 200 and int(head.get("Content-Length")) == len(PREFER.poll(server, id_).body)


def test_polls_wait_together(server, tmp_path):
    """Many polls of one result make one string of it, and a client that leaves takes nobody along."""
    data = filler("bytes")
    id_ = store(server, tmp_path, data, "/text")
    target = f"/text/poll?asyncOperationToken={id_}"
    calls = [server.begin("GET", target) for _ in range(20)]
    for call in calls[:5]:
        call.reset()
    wanted = base64.b64encode(data).decode()
    for call in calls[5:]:
        assert call.receive("GET").json()["result"] == wanted


def test_nobody_waits(serve, tmp_path):
    """8 MB of tiny objects: what is polled beside it is answered at once."""
    data = b"[" + b"{}," * 2_700_000 + b"{}]"
    cat = {"argv": ["/bin/cat", str(tmp_path / "data")], "response_type": "application/json"}
    server = serve([route("/json", cat, style="token")])
    id_ = store(server, tmp_path, data, "/json")
    polls = [server.begin("GET", f"/json/poll?asyncOperationToken={id_}"), server.begin("GET", f"/async/v1/requests/{id_}")]
    longest = 0
    for _ in range(50):
        began = time.monotonic()
        expect.check_problem(server.get("/operations/3f0c9a52-7d1e-4b86-9e5a-c1d20b7f6e48"), 404)
        longest = max(longest, time.monotonic() - began)
    for call in polls:
        assert data in call.receive("GET").body
    assert longest < 0.5
