"""The shared list of scenes: every one in all four styles.  Others of the list are in test_scenes_*.py."""

import time

import pytest

import expect
import harness
from harness import eventually
from principals import bearer, check_challenge, known_by_tokens
from scenes import every_style, final_of, occupy
from styles import LOCATION, PREDICTION, PREFER, STATUS, TOKEN, own_fields, routes, unknown_id


@every_style
def test_accepted(serve, gate, style):
    server = serve(routes(gate))
    id_ = style.start(server)
    begun_id, _, *_ = gate.wait_begun()
    assert begun_id == id_
    other = style.start(server)
    assert other != id_
    assert gate.wait_begun()[0] == other
    gate.open("dd")


@every_style
@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
def test_accepted_by_other_methods(serve, gate, style, method):
    server = serve(routes(gate))
    response = style.ask(server, method=method)
    if style is STATUS and method == "DELETE":
        assert response.status == 204 and response.body == b""
        prefix = server.base + "/v1/operationStatus/"
        assert response.get("Location").startswith(prefix)
        id_ = response.get("Location")[len(prefix):]
    else:
        id_ = style.check_accepted(server, response)
    assert gate.wait_begun()[0] == id_
    gate.open("d")
    assert style.is_ended(style.wait(server, id_))


@every_style
def test_pending_queued(serve, gate, style):
    server = serve(routes(gate, concurrency=1))
    first = occupy(server, gate, style)
    second = style.start(server)
    style.check_pending(server, style.poll(server, second), second, "queued")
    style.check_pending(server, style.poll(server, first), first, "running")
    gate.open("d")
    assert gate.wait_begun()[0] == second
    style.check_pending(server, style.poll(server, second), second, "running")
    gate.open("d")
    assert style.is_ended(style.wait(server, second))


@every_style
def test_pending_running(serve, gate, style):
    server = serve(routes(gate))
    id_ = occupy(server, gate, style)
    for _ in range(3):
        style.check_pending(server, style.poll(server, id_), id_, "running")
    head = style.poll(server, id_, method="HEAD")
    get = style.poll(server, id_)
    assert head.status == get.status and head.body == b""
    assert head.get("Content-Length") == get.get("Content-Length")
    assert own_fields(head) == own_fields(get)
    gate.open("d")


@every_style
def test_done(serve, gate, style):
    server = serve(routes(gate))
    final = final_of(server, gate, style, "d")
    assert final.status == 200 and final.body == b'{"n":1}' and final.media_type() == "application/json"
    id_ = occupy(server, gate, style)
    gate.open("d")
    style.check_ended(server, style.wait(server, id_), id_, final)
    for _ in range(3):
        style.check_ended(server, style.poll(server, id_), id_, final)
    head = style.poll(server, id_, method="HEAD")
    get = style.poll(server, id_)
    assert head.body == b"" and own_fields(head) == own_fields(get)
    assert head.get("Content-Length") == get.get("Content-Length")


@every_style
def test_done_with_header_fields(serve, gate, style):
    """A create: 201 with Location, repeated fields, a Cache-Control of its own."""
    server = serve(routes(gate))
    path = f"/cgi/{style.name}"
    final = final_of(server, gate, style, "c", path)
    assert final.status == 201 and final.get("Location") == "http://items.example/items/7"
    assert final.all("X-Twice") == ["one", "two"] and final.get("Cache-Control") == "max-age=60"
    id_ = style.start(server, path=path)
    assert gate.wait_begun()[0] == id_
    gate.open("c")
    ended = LOCATION.wait(server, id_)
    LOCATION.check_ended(server, ended, id_, final)
    if style is TOKEN:
        poll = server.get(f"{path}/poll?asyncOperationToken={id_}")
        assert poll.json() == {"asyncOperation": {"token": id_, "status": "READY"}, "result": {"item": 7}, "resultStatus": 201}
    else:
        style.check_ended(server, style.poll(server, id_), id_, final)


@every_style
def test_failed(serve, gate, style):
    """A program that fails: the status that its exit status stands for, and nothing that it has said."""
    server = serve(routes(gate))
    final = final_of(server, gate, style, "f")
    expect.check_problem(final, 400)
    assert b"secret" not in final.body
    id_ = occupy(server, gate, style)
    gate.open("f")
    style.check_ended(server, style.wait(server, id_), id_, final)
    assert b"secret" not in style.poll(server, id_).body
    assert "a secret of the program" in server.log()


@every_style
def test_failed_with_body_of_its_own(serve, gate, style):
    server = serve(routes(gate))
    path = f"/cgi/{style.name}"
    final = final_of(server, gate, style, "n", path)
    assert final.status == 404 and final.json() == {"missing": True}
    id_ = style.start(server, path=path)
    gate.wait_begun()
    gate.open("n")
    LOCATION.check_ended(server, LOCATION.wait(server, id_), id_, final)
    if style is not TOKEN:
        style.check_ended(server, style.poll(server, id_), id_, final)


@every_style
def test_unknown_id(serve, gate, style):
    server = serve(routes(gate))
    for _ in range(2):
        style.check_unknown(style.poll(server, unknown_id()))
    expect.check_problem(style.cancel(server, unknown_id()), 404, "not-found")


@every_style
@pytest.mark.parametrize("id_", ["x", "1", "%20", "00000000-0000-0000-0000-00000000000", "g" * 36, "-" * 36, "a" * 500,
                                 "00000000-0000-4000-8000-0000000000000", "{00000000-0000-4000-8000-000000000000}",
                                 "%ff%fe", "..%2e"])
def test_malformed_id(serve_once, style, id_):
    target = style.target(id_)
    if "{" in id_ and "?" not in target:
        target = target.replace("{", "%7B").replace("}", "%7D")
    style.check_unknown(serve_once.get(target))


@pytest.fixture(scope="module")
def serve_once(tmp_path_factory):
    """One server for all ids that are none."""
    directory = tmp_path_factory.mktemp("once")
    gate = harness.Gate(directory / "gate")
    server = harness.Server(directory / "server", routes(gate))
    yield server
    server.end()
    gate.close()


@every_style
def test_somebody_elses_id(serve, gate, tmp_path, style):
    """To another principal it is one that nobody has heard of; its own and admins read it at every monitor."""
    server = serve(routes(gate), auth=known_by_tokens(tmp_path, "ann", "bob", "su"))
    ann, bob, su = bearer("tok-ann"), bearer("tok-bob"), bearer("tok-su")
    id_ = style.start(server, fields=ann)
    gate.wait_begun()

    def check_hidden():
        for other in {style, LOCATION, STATUS, PREFER}:
            other.check_unknown(other.poll(server, id_, bob))
            other.check_unknown(other.poll(server, id_, {**bob, "Prefer": "wait=20"}))
            expect.check_problem(other.cancel(server, id_, bob), 404, "not-found")
            check_challenge(other.poll(server, id_), ["Bearer"])
        expect.check_problem(server.get(PREFER.target(id_) + "/response", bob), 404, "not-found")

    check_hidden()
    for fields in (ann, su):
        pending = style.poll(server, id_, fields)
        expect.check_not_ended(pending)
        assert pending.status in (200, 202) and not style.is_ended(pending)
    gate.open("d")
    assert style.is_ended(style.poll(server, id_, {**ann, "Prefer": "wait=20"}))
    check_hidden()
    for fields in (ann, su):
        final = LOCATION.poll(server, id_, fields)
        assert final.status == 200 and final.body == b'{"n":1}'
    running = style.start(server, fields=ann)
    gate.wait_begun()
    assert style.cancel(server, running, su).status in (202, 204)
    assert LOCATION.poll(server, running, {**ann, "Prefer": "wait=20"}).status == 410


@every_style
def test_expired_then_forgotten(serve, gate, style):
    server = serve(routes(gate, keep="150ms"), keep_tombstone="1500ms")
    id_ = occupy(server, gate, style)
    opened = time.monotonic()
    gate.open("d")
    assert style.is_ended(style.wait(server, id_))
    expired = eventually(lambda: (poll := style.poll(server, id_)) and style.is_expired(poll) and poll, "expiry")
    assert time.monotonic() - opened >= 0.15, "expired before its time"
    style.check_expired(expired, id_, 200)
    for other in {style, LOCATION, STATUS, PREFER}:
        other.check_expired(other.poll(server, id_), id_, 200)
    expect.check_problem(style.cancel(server, id_), *style.expired)
    forgotten = eventually(lambda: (poll := style.poll(server, id_)) and style.is_forgotten(poll) and poll,
                           "forgetting")
    assert time.monotonic() - opened >= 1.65, "forgotten before its time"
    style.check_unknown(forgotten)
    for other in (LOCATION, STATUS, PREFER):
        other.check_unknown(other.poll(server, id_))


@every_style
def test_read_at_every_monitor(serve, gate, style):
    """Each monitor shows the same operation; a token's only those of its own route."""
    server = serve(routes(gate, concurrency=1))
    final = final_of(server, gate, style, "d")
    first = occupy(server, gate, style)
    second = style.start(server)
    readers = [LOCATION, STATUS, PREFER] + [TOKEN] * (style is TOKEN)
    for reader in readers:
        reader.check_pending(server, reader.poll(server, first), first, "running")
        reader.check_pending(server, reader.poll(server, second), second, "queued")
    gate.open("d")
    gate.wait_begun()
    gate.open("d")
    for reader in readers:
        for id_ in (first, second):
            reader.check_ended(server, reader.wait(server, id_), id_, final)
    if style is not TOKEN:
        TOKEN.check_unknown(TOKEN.poll(server, first))


@pytest.mark.parametrize("style", [LOCATION, PREFER, TOKEN], ids=repr)
def test_read_as_token(serve, gate, style):
    """A route of style token, asked otherwise: its token monitor reads these operations, too."""
    server = serve(routes(gate))
    id_ = style.start(server, path=TOKEN.path)
    gate.wait_begun()
    TOKEN.check_pending(server, TOKEN.poll(server, id_), id_, "running")
    gate.open("d")
    ended = TOKEN.check_operation(TOKEN.wait(server, id_), id_, "READY")
    assert ended == {"result": {"n": 1}, "resultStatus": 200}
    expect.check_problem(server.call("DELETE", TOKEN.target(id_)), 409)


@every_style
def test_public_url_and_host(serve, gate, style):
    """BASE is public_url where it is configured, else scheme and Host of the request."""
    server = serve(routes(gate))
    server.base = "http://deferd.example:81"
    id_ = style.start(server, fields={"Host": "deferd.example:81"})
    gate.wait_begun()
    style.check_pending(server, style.poll(server, id_, {"Host": "deferd.example:81"}), id_, "running")
    public = serve(routes(gate), public_url="https://api.example.com")
    public.base = "https://api.example.com"
    public_id = style.start(public)
    gate.wait_begun()
    style.check_pending(public, style.poll(public, public_id), public_id, "running")
    gate.open("dd")
    style.wait(server, id_)
    style.wait(public, public_id)


@every_style
def test_base_path(serve, gate, style):
    """Under a base path the route answers there, and so do the monitors; the paths told stay as they are."""
    server = serve(routes(gate, base_path="/bc/rest"))
    assert server.post(style.path).status == 404
    id_ = style.start(server, path="/bc/rest" + style.path)
    gate.wait_begun()
    below = style.target(id_) if style is PREDICTION else "/bc/rest" + style.target(id_)
    targets = [below, f"/bc/rest/operations/{id_}", f"/operations/{id_}"]
    if style is not TOKEN:
        targets.append(style.target(id_))
    for target in targets:
        assert server.get(target).status in (200, 202)
    style.check_pending(server, server.get(below), id_, "running")
    gate.open("d")
    assert style.is_ended(server.get(below, {"Prefer": "wait=20"}))
