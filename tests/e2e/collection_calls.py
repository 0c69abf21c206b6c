"""What tests of collections share: routes of collections, and calls that change and read what is in them."""

import json
import sqlite3

from harness import PROGRAMS

SCHEMA = {"type": "object", "required": ["name"], "properties": {
    "name": {"type": "string"}, "ttl": {"type": "integer", "default": 3600},
    "options": {"type": "object", "default": {}, "properties": {"deep": {"default": 1}}}}}
ZONES = ("zones", "/v2/zones")


def collection(name, path=None, gate=None, **settings):
    of_route = {key: settings.pop(key) for key in ("style", "base_path", "queue_timeout", "run_timeout", "rerun",
                                                   "schema", "methods", "concurrency") if key in settings}
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


def names_of(server, query):
    return [zone["name"] for zone in server.get("/v2/zones?" + query).json()["zones"]]


def count_rows(path):
    """What the database has: resources, and what is still to be removed."""
    database = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    try:
        return tuple(database.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
                     for table in ("resource", "resource_removal"))
    finally:
        database.close()
