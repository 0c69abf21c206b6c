"""Resources of collections in all five styles: made, read, listed, changed and deleted; what an interruption leaves is looked for in the end."""
import json
import time

from client import KEPT_S, Interrupted

JSON = {"Content-Type": "application/json"}

# Carries every change out but those to a resource that is to be broken; its end it does carry out.
CHANGE = ["/bin/sh", "-c", """case $(cat) in *'"DELETE"'*) ;; *broken*) exit 65 ;; esac; echo '{"serial": 1}'"""]

# Answers the resource that it was given, after a while.
ECHO = ["/usr/bin/python3", "-I", "-S", "-c",
        "import json, sys, time; r = json.load(sys.stdin)['resource']; time.sleep(0.1); json.dump(r, sys.stdout)"]

# How a change is asked for: the collection, the query, header fields.
WAYS = {
    "sync": ("/c/things", "?async=false", {}),
    "location": ("/c/things", "?async=true", {}),
    "prefer": ("/c/things", "", {"Prefer": "respond-async"}),
    "status": ("/c/accounts", "", {}),
    "token": ("/c/tickets", "", {}),
    "resource": ("/c/zones", "", {}),
    "upstream": ("/c/flags", "", {}),
}
PATHS = sorted({path for path, _, _ in WAYS.values()} | {"/c/echoes"})


def make_routes(upstream_port):
    def collection(name, style="sync", **more):
        return {"path": f"/c/{name}", "style": style, "rerun": True, "collection": {"name": name, "index": ["name"], **more}}

    return [
        collection("things"), collection("accounts", "status"), collection("tickets", "token"),
        collection("zones", "resource", on_change={"program": {"argv": CHANGE}}),
        collection("flags", "resource", on_change={"upstream": {"url": f"http://127.0.0.1:{upstream_port}/change"}}),
        collection("echoes", "resource", on_change={"program": {"argv": ECHO}}),
        {"path": "/c/zones/{zone_id}/sets", "style": "resource", "rerun": True, "collection": {"name": "sets", "parent": "zones"}}]


def id_of(answer):
    """The operation of an accepted change."""
    _, headers, data = answer
    link = headers["Link"]
    if link:
        return link.partition(">")[0].rpartition("/")[2]
    location = headers["Location"]
    return location.rpartition("/")[2] if location else json.loads(data)["asyncOperation"]["token"]


def change(client, method, path, way, document=None):
    """Makes a change and waits for its end: the status and body of the final response; None if it was refused."""
    _, query, fields = WAYS[way]
    body = None if document is None else json.dumps(document)
    answer = client.call(method, path + query, body, {**JSON, **fields})
    if client.is_refused(*answer):
        return None
    if answer[0] == 202 or answer[0] == 204 and answer[1]["Location"]:
        answer = client.wait_end(id_of(answer))
    status, _, data = answer
    if status == 500 and b"/problems/interrupted" in data:
        raise Interrupted
    return status, json.loads(data) if data else None


def read(client, path):
    """Status and resource, once nothing is pending."""
    deadline = time.monotonic() + KEPT_S
    while True:
        status, _, data = client.again("GET", path, {"Prefer": "wait=2"})
        resource = json.loads(data)
        if status != 200 or resource["status"] != "PENDING":
            return status, resource
        assert time.monotonic() < deadline, f"{path} is pending for ever"


def check_list(client, collection, name, count):
    status, _, data = client.again("GET", f"{collection}?name={name}")
    assert status == 200, (collection, status, data[:200])
    document = json.loads(data)
    assert document["metadata"]["total_count"] == count, (collection, name, document)


def life(client):
    """Of a resource, from its creation to its end, each step asked for in a style."""
    way = client.random.choice(list(WAYS))
    collection, name = WAYS[way][0], f"n{client.random.getrandbits(64):x}"
    made = change(client, "POST", collection, way, {"name": name, "n": 0, "text": "x" * client.random.randrange(3000)})
    if not made:
        return
    status, resource = made
    assert status == 201 and resource["name"] == name, (way, made)
    client.counts[f"{way} resource"] += 1
    path = f"{collection}/{resource['id']}"
    client.made[path] = name
    status, resource = read(client, path)
    assert (status, resource["status"], resource["version"]) == (200, "ACTIVE", 1), (way, status, resource)
    check_list(client, collection, name, 1)
    for number in range(client.random.randrange(3)):
        changed = change(client, "PATCH", path, way, {"n": number + 1})
        assert not changed or changed[0] == 200 and changed[1]["n"] == number + 1, (way, changed)
    if collection == "/c/zones" and client.random.random() < 0.5:
        child = change(client, "POST", path + "/sets", way, {"name": name})
        assert not child or child[0] == 201, child
    delete(client, path, way)


def hasty(client):
    """Changes a resource while an earlier change is pending: what was accepted later stays, whatever an earlier on_change answers."""
    name = f"h{client.random.getrandbits(64):x}"
    answer = client.call("POST", "/c/echoes", json.dumps({"name": name, "v": 1, "a": 1}), JSON)
    if client.is_refused(*answer):
        return
    path, right = f"/c/echoes/{json.loads(answer[2])['id']}", {"name": name, "v": 1, "a": 1}
    client.made[path] = name
    for patch in client.random.sample(({"v": 2}, {"v": 3, "a": None}, {"b": {"c": 1}}, {"b": {"d": 2}}), 3):
        answer = client.call("PATCH", path, json.dumps(patch), JSON)
        if client.is_refused(*answer):
            return
        assert answer[0] == 202, answer
        right = {**right, **patch, **({"b": {**right.get("b", {}), **patch["b"]}} if "b" in patch else {})}
    right = {member: value for member, value in right.items() if value is not None}
    status, found = read(client, path)
    found = {member: found.get(member) for member in {*right, "a", "b", "v"} if member in found}
    assert (status, found) == (200, right), f"{path}: accepted {right}, found {status} {found}"
    delete(client, path, "resource")


def delete(client, path, way):
    name = client.made.pop(path)
    gone = change(client, "DELETE", path, way)
    if not gone:
        client.made[path] = name
        return
    assert gone[0] in (200, 204), (way, gone)
    client.gone.add(path)
    assert read(client, path)[0] == 404
    check_list(client, path.rpartition("/")[0], name, 0)


def broken(client):
    """A change that cannot be carried out leaves a resource in error, which can be deleted all the same."""
    answer = client.call("POST", "/c/zones", '{"name": "broken"}', JSON)
    if client.is_refused(*answer):
        return
    path = f"/c/zones/{json.loads(answer[2])['id']}"
    assert answer[0] == 202 and client.wait_end(id_of(answer))[0] == 400, answer
    status, zone = read(client, path)
    assert status == 200 and zone["status"] == "ERROR" and zone["status_message"], zone
    gone = change(client, "DELETE", path, "resource")
    assert not gone or gone[0] in (200, 204), gone


def check_end(client, clients):
    """What was promised is there, what was deleted is not, nothing is pending; then all of it is deleted."""
    for other in clients:
        for path, name in other.made.items():
            status, resource = read(client, path)
            assert status == 200 and resource["name"] == name, (path, status)
        for path in list(other.gone)[-100:]:
            assert read(client, path)[0] == 404, f"{path} is back"
    return sum(empty(client, collection) for collection in PATHS)


def empty(client, collection):
    """Deletes all resources of a collection and answers how many there were."""
    count = 0
    while resources := json.loads(client.again("GET", f"{collection}?limit=1000")[2])[collection.rpartition("/")[2]]:
        for resource in resources:
            path = f"{collection}/{resource['id']}"
            assert read(client, path)[1]["status"] in ("ACTIVE", "ERROR"), resource
            status, _, data = client.call("DELETE", f"{path}?async=false")
            assert status in (200, 204), (path, status, data)
            count += 1
    return count


KINDS = {life: 12, broken: 1, hasty: 3}
