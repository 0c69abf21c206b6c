"""Collections under hostile bodies, many clients at once, and kill -9."""

import json
import threading

import pytest

import expect
from collection_calls import collection, create, path_of, send
from harness import PROGRAMS, eventually


@pytest.mark.parametrize("body, status", [
    (b"[" * 100000, 400), (b'{"a":' * 100000 + b"1" + b"}" * 100000, 400), (b'{"a":' * 30 + b"1" + b"}" * 30, 201),
    (b'{"a":1,"\\u0061":2}', 400), (b'{"a":{"b":1,"b":1}}', 400),
    (b'{"a":"\\ud800"}', None), (b'{"a":"\\udc00\\ud800"}', None), (b'{"\\ud800":1,"\\ud801":2}', 400),
    (b'{"a":"\\ud83d\\ude00"}', 201), (b'{"a":"\\u0000"}', None),
    (b'{"a":' + b"9" * 5000 + b"}", None), (b'{"a":1e999999}', None), (b'{"a":-0.0}', 201), (b'{"a":1E+2}', 201),
    (b'{"a":NaN}', 400), (b'{"a":Infinity}', 400), (b'{"a":01}', 400), (b'{"a":1.}', 400), (b"{'a':1}", 400),
    (b'{"a":1,}', 400), (b'{"a":1}\x00', 400), (b"\xef\xbb\xbf{}", 400), (b'{"a":"\xc0\x80"}', 400), (b'{"a":tRue}', 400),
    (b'{"":1,"__proto__":2,"a\'b\\"c":3}', 201),
], ids=lambda value: value[:24].decode("latin-1") if isinstance(value, bytes) else None)
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH"])
def test_hostile_json(serve, tmp_path, method, body, status):
    """400 and nothing stored, or stored and read back as it was, also by the next server."""
    server = serve([collection("items")], state=str(tmp_path / "state.db"), public_url="http://items.example")
    path = send(server, "POST", "/items", {"n": 1}).get("Location")[len("http://items.example"):]
    before = server.get(path)
    response = server.call(method, "/items" if method == "POST" else path, body)
    wanted = 200 if status == 201 and method != "POST" else status
    assert response.status == wanted if status else response.status in (200, 201, 400), response
    if response.status == 400:
        expect.check_problem(response, 400, "invalid-json")
        assert server.get(path).body == before.body
        assert server.get("/items").json()["metadata"]["total_count"] == 1
        return
    made = response.get("Location")[len("http://items.example"):]
    assert server.get(made).body == response.body
    server.kill()
    server.start()
    assert server.get(made).body == response.body
    assert response.body.strip() in server.get("/items?limit=1000").body


PATTERNS = ["^(a+)+$", "^(a|a)*$", "^(a|b|ab)*c$", "(.*a){25}", "^([a-z]+)*\\d$"]


@pytest.mark.parametrize("pattern", PATTERNS)
def test_hostile_patterns(serve, pattern):
    """A text that a pattern would take for ever for is refused, and others are served meanwhile."""
    server = serve([collection("items", schema={"properties": {"name": {"pattern": pattern}}})])
    calls = [server.begin("POST", "/items", json.dumps({"name": "a" * length + "!"}).encode())
             for length in (30, 1000, 100000) for _ in range(3)]
    assert create(server, "/items", {"other": 1})["other"] == 1
    for call in calls:
        response = call.receive("POST")
        assert response.status in (201, 400), response


def together(count, work):
    """work(n) in as many threads, which begin at once; what they returned."""
    barrier, results, failures = threading.Barrier(count), [None] * count, []

    def run(number):
        try:
            barrier.wait()
            results[number] = work(number)
        except Exception as failure:
            failures.append(failure)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]
    return results


def test_changes_of_one_resource_at_once(serve, tmp_path):
    """Every accepted change counts once; with If-Match only one of many wins; a merge loses nothing."""
    server = serve([collection("items", unique=["name"])], state=str(tmp_path / "state.db"))
    path = path_of(server, create(server, "/items", {"name": "a"}))

    def patch(number):
        return [send(server, "PATCH", path, {f"m{number}_{n}": n}).status for n in range(20)]

    assert all(status == 200 for statuses in together(8, patch) for status in statuses)
    item = server.get(path).json()
    assert item["version"] == 161 and sum(name.startswith("m") for name in item) == 160
    statuses = together(8, lambda number: send(server, "PUT", path, {"by": number}, If_Match='"161"').status)
    assert sorted(statuses) == [200] + [412] * 7
    statuses = together(8, lambda number: send(server, "POST", "/items", {"name": "same"}).status)
    assert sorted(statuses) == [201] + [409] * 7
    statuses = together(8, lambda number: server.call("DELETE", path).status)
    assert sorted(statuses) == [204] + [404] * 7


def test_reads_never_go_back(serve, tmp_path):
    """Readers beside a writer see versions that only grow, and never less than what the writer was told."""
    server = serve([collection("items")], state=str(tmp_path / "state.db"))
    path = path_of(server, create(server, "/items", {}))
    told, done = [1], threading.Event()

    def work(number):
        last = 0
        if number == 0:
            for _ in range(150):
                told[0] = send(server, "PUT", path, {}).json()["version"]
            done.set()
            return
        while not done.is_set():
            least = told[0]
            version = server.get(path).json()["version"]
            assert version >= last and version >= least, (version, last, least)
            last = version

    together(4, work)


@pytest.mark.parametrize("rerun", [False, True])
def test_killed_while_changes_are_pending(serve, gate, tmp_path, rerun):
    """After kill -9 nothing stays PENDING for ever, and what was told to have ended has."""
    change = {"program": {"argv": [str(PROGRAMS / "change"), str(gate)]}}
    route = {"path": "/zones", "style": "resource", "rerun": rerun, "collection": {"name": "zones", "on_change": change}}
    server = serve([route], state=str(tmp_path / "state.db"), public_url="http://zones.example", workers=4)
    paths = []
    for number in range(8):
        response = send(server, "POST", "/zones", {"n": number})
        assert response.status == 202
        paths.append(response.get("Location")[len("http://zones.example"):])
        assert send(server, "PATCH", paths[-1], {"patched": True}).status == 202
    gate.open("ee")
    eventually(lambda: sum(server.get(path).json()["status"] == "PENDING" for path in paths) <= 8)
    for _ in range(3):
        server.kill()
        server.start()
    gate.open("e" * 64)
    eventually(lambda: server.get("/zones?status=PENDING").json()["metadata"]["total_count"] == 0)
    for path in paths:
        zone = server.get(path).json()
        assert zone["patched"] and zone["version"] == 2 and zone["status"] in ("ACTIVE", "ERROR"), zone
