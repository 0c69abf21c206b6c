"""Polls that are answered where their bytes come in: the same as by the ordinary way, for every caller, field and style."""

import hashlib

import pytest

from harness import echo, job
from principals import HASHES, basic, bearer, htpasswd
from styles import unknown_id
from tls_client import Authority, Client, listen, trusting

# The lane takes no head of this length, and nothing looks at the field.
BYPASS = ("X-Bypass", "x" * 2048)
BODY = b'{"n":1}'
VARYING = {"date", "x-request-id"}


def request_of(target, fields=(), method="GET", version="1.1"):
    lines = [f"{method} {target} HTTP/{version}", "Host: h", *(f"{name}: {value}" for name, value in fields)]
    return "\r\n".join([*lines, "", ""]).encode()


def shown(response):
    """Everything that must be the same on both ways."""
    return response.status, sorted((name.lower(), value) for name, value in response.fields if name.lower() not in VARYING), response.body


def routes(gate):
    return [echo(methods=["POST"]), echo("/text", style="token"), echo("/state", style="status"), job("/job", gate)]


def accept(server, target, fields=()):
    response = server.post(target, BODY, {"Prefer": "respond-async", "Content-Type": "application/json", **dict(fields)})
    assert response.status == 202
    return response.get("GW-Async-Location").rpartition("/")[2]


def start(server, gate, fields=()):
    """The ids of an operation that has ended on each route, and of one that runs."""
    ids = [accept(server, target, fields) for target in ("/echo", "/text", "/state", "/job")]
    for id_ in ids[:3]:
        server.get(f"/operations/{id_}", {"Prefer": "wait=20", **dict(fields)})
    gate.wait_begun()
    return ids


def targets(ids):
    paths = [path.format(id_) for id_ in [*ids, unknown_id(), "nonsense"]
             for path in ("/operations/{}", "/v1/operationStatus/{}", "/async/v1/requests/{}", "/async/v1/requests/{}/response",
                          "/text/poll?asyncOperationToken={}")]
    return [*paths, f"/operations/{ids[0].upper()}", f"/operations/%{ord(ids[0][0]):02x}{ids[0][1:]}",
            f"/operations/{ids[0]}?a=b", f"/operations/{ids[0]}/", "/text/poll", "/"]


FIELDS = [(), [("Prefer", "wait=0")], [("Prefer", "nothing")], [("X-Request-Id", "mine")], [("Connection", "keep-alive")],
          [("Connection", "close")], [("Expect", "100-continue")], [("Accept", "*/*"), ("User-Agent", "x"), ("Prefer", "wait=1;a=b")]]


def ask(server, data, method="GET"):
    connection = server.connect()
    connection.send(data)
    response = connection.receive(method)
    if response.status == 100:
        response = connection.receive(method)
    connection.close()
    return response


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_same_as_the_ordinary_way(serve, gate, method):
    """Every monitor answers the same, with every field, by the lane and past it; the operation that runs is not waited for."""
    server = serve(routes(gate))
    ids = start(server, gate)
    for fields in FIELDS:
        for target in targets(ids):
            if any("wait=1" in value for _, value in fields) and ids[3] in target:
                continue
            by_lane, past_it = (shown(ask(server, request_of(target, way, method), method)) for way in (fields, [*fields, BYPASS]))
            assert by_lane == past_it, (target, fields)
    gate.open("d")


def test_replies_are_counted_and_logged(serve, gate):
    server = serve(routes(gate), admin={"listen": "127.0.0.1:0"}, log_level="debug")
    id_ = start(server, gate)[0]
    connection = server.connect()

    def count():
        line = [line for line in server.ask_admin("/metrics").body.decode().splitlines() if 'replies_total{status="200"}' in line]
        return int(line[0].split()[-1])

    before = count()
    for number in range(20):
        connection.request("GET", f"/operations/{id_}", fields={"X-Request-Id": f"mine-{number}"})
        assert connection.receive().get("X-Request-Id") == f"mine-{number}"
    assert count() == before + 20
    lines = [line for line in server.log().splitlines() if "request_id=mine-" in line]
    assert len(lines) == 20 and all(f"path=/operations/{id_[:8]}" in line and id_ not in line for line in lines), lines
    gate.open("d")


def test_pipelined(serve, gate):
    """Answers come in order, whether polls come alone, together, or behind one that waits."""
    server = serve(routes(gate))
    ids = start(server, gate)
    connection = server.connect()
    done, running = (request_of(f"/operations/{id_}") for id_ in (ids[0], ids[3]))
    waiting = request_of(f"/operations/{ids[3]}", [("Prefer", "wait=20")])
    connection.send(done + running + done)
    assert [connection.receive().status for _ in range(3)] == [200, 202, 200]
    connection.send(waiting)
    for _ in range(3):
        connection.send(done)
    assert server.get(f"/operations/{ids[0]}").status == 200
    assert connection.is_quiet()
    gate.open("d")
    first = connection.receive()
    assert first.status == 200 and first.get("Preference-Applied") == "wait=20"
    assert [connection.receive().body for _ in range(3)] == [BODY] * 3
    connection.send(done[:-1])
    assert connection.is_quiet()
    connection.send(done[-1:] + done)
    assert [connection.receive().body for _ in range(2)] == [BODY] * 2


def test_old_clients_and_close(serve, gate):
    server = serve(routes(gate))
    id_ = start(server, gate)[0]
    for data, closes in ((request_of(f"/operations/{id_}", version="1.0"), True),
                         (request_of(f"/operations/{id_}", [("Connection", "keep-alive")], version="1.0"), False),
                         (request_of(f"/operations/{id_}", [("Connection", "close")]), True),
                         (request_of(f"/operations/{id_}", [("Connection", "x, close")]), True)):
        connection = server.connect()
        connection.send(data)
        response = connection.receive()
        assert response.body == BODY
        assert response.get("Connection") == ("close" if closes else "keep-alive")
        if closes:
            assert connection.receive_end() == b""
    gate.open("d")


def test_idle_ones_are_closed(serve, gate):
    """Polls put the end of an idle connection off, and it comes."""
    server = serve(routes(gate), idle_timeout="1s")
    id_ = start(server, gate)[0]
    connection = server.connect()
    for _ in range(5):
        connection.send(request_of(f"/operations/{id_}"))
        assert connection.receive().status == 200
    assert connection.receive_end() == b""
    gate.open("d")


@pytest.fixture
def auth(tmp_path):
    (tmp_path / "users").write_text(htpasswd(ann=HASHES["bcrypt"], su=HASHES["bcrypt"]))
    (tmp_path / "tokens").write_text("".join(f"{name}:{hashlib.sha256(token.encode()).hexdigest()}\n"
                                             for name, token in (("bob", "tok-bob"), ("ann", "tok-ann"))))
    return {"basic": str(tmp_path / "users"), "bearer": str(tmp_path / "tokens"), "admins": ["su"]}


def test_only_who_may(serve, gate, auth, tmp_path):
    """Each request on a connection is authenticated by itself; a reload ends what is remembered of a log-in."""
    server = serve(routes(gate), auth=auth)
    id_ = start(server, gate, bearer("tok-bob"))[0]
    connection = server.connect()

    def status(fields):
        connection.request("GET", f"/operations/{id_}", fields=fields)
        return connection.receive().status

    for _ in range(3):
        assert status(bearer("tok-bob")) == 200
        assert status(bearer("tok-ann")) == 404
        assert status(basic("ann")) == 404
        assert status(basic("su")) == 200
        assert status({}) == 401
    assert status(bearer("tok-bo")) == 401
    assert status({"Authorization": "bearer tok-bob"}) == 200
    assert status([("Authorization", "Bearer tok-bob"), ("Authorization", "Bearer tok-bob")]) == 401
    assert status(basic("su", "Secret")) == 401
    (tmp_path / "tokens").write_text("ann:" + hashlib.sha256(b"tok-ann").hexdigest() + "\n")
    server.reload()
    assert status(bearer("tok-bob")) == 401
    assert status(basic("su")) == 200
    gate.open("d")


def test_over_tls(serve, gate, tmp_path):
    authority = Authority(tmp_path)
    files = authority.issue("server", "/CN=server")
    server = serve(routes(gate), listen=listen(files))
    id_ = start(server, gate)[0]
    client = Client(server, trusting(authority))
    poll = request_of(f"/operations/{id_}")
    for _ in range(5):
        client.send(poll)
        assert client.receive().body == BODY
    client.send(request_of(f"/operations/{id_}", method="HEAD"))
    head = client.receive("HEAD")
    assert head.get("Content-Length") == str(len(BODY))
    client.send(poll + poll)
    assert [client.receive().body for _ in range(2)] == [BODY] * 2
    for byte in poll:
        client.send(bytes([byte]))
    assert client.receive().body == BODY
    client.send(request_of(f"/operations/{id_}", [("Connection", "close")]))
    assert client.receive().body == BODY
    assert client.receive_end() == b""
    gate.open("d")


def test_a_poll_while_it_drains(serve, gate):
    server = serve(routes(gate))
    ids = start(server, gate)
    connection = server.connect()
    connection.send(request_of(f"/operations/{ids[3]}", [("Prefer", "wait=20")]))
    poll = server.connect()
    poll.send(request_of(f"/operations/{ids[0]}"))
    assert poll.receive().status == 200
    server.terminate()
    assert poll.receive_end() == b""
    gate.open("d")
    response = connection.receive()
    assert response.status == 200 and response.get("Connection") == "close"
    server.wait_end()
