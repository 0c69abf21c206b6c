"""The shared list of scenes: every one in all four styles."""

import time

import pytest

import expect
import harness
from harness import eventually, group_members, is_alive
from principals import bearer, check_challenge, known_by_tokens
from styles import LOCATION, PREFER, STATUS, STYLES, TOKEN, own_fields, routes, unknown_id

every_style = pytest.mark.parametrize("style", STYLES, ids=repr)


def final_of(server, gate, style, outcome, path=None):
    """The response that the same call has synchronously."""
    call = server.begin("POST", (path or style.path) + "?async=false", b'{"n":1}', {"Content-Type": "application/json"})
    gate.wait_begun()
    gate.open(outcome)
    return call.receive("POST")


def occupy(server, gate, style):
    """An operation that runs until the gate opens."""
    id_ = style.start(server)
    assert gate.wait_begun()[0] == id_
    return id_


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
        assert poll.json()["asyncOperation"] == {"token": id_, "status": "READY", "result": {"item": 7},
                                                 "resultStatus": 201}
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
    expect.check_problem(style.cancel(server, id_), 410, "expired")
    forgotten = eventually(lambda: (poll := style.poll(server, id_)) and style.is_forgotten(poll) and poll,
                           "forgetting")
    assert time.monotonic() - opened >= 1.65, "forgotten before its time"
    style.check_unknown(forgotten)
    for other in (LOCATION, STATUS, PREFER):
        other.check_unknown(other.poll(server, id_))


@every_style
def test_cancelled_queued(serve, gate, style):
    server = serve(routes(gate, concurrency=1))
    first = occupy(server, gate, style)
    second, third = style.start(server), style.start(server)
    assert style.cancel(server, second).status == 204
    style.check_cancelled(server, second)
    gate.open("d")
    assert gate.wait_begun()[0] == third, "what was cancelled has run"
    gate.open("d")
    assert style.is_ended(style.wait(server, third))
    assert gate.begun() == []
    style.check_cancelled(server, second)
    assert style.is_ended(style.poll(server, first))


@every_style
def test_cancelled_running(serve, gate, style):
    """The whole process group is gone, and the route takes the next call."""
    server = serve(routes(gate, concurrency=1))
    id_ = style.start(server)
    begun_id, pid, *_ = gate.wait_begun()
    assert begun_id == id_ and group_members(pid)
    next_id = style.start(server)
    response = style.cancel(server, id_)
    assert response.status in (202, 204)
    if response.status == 202:
        expect.check_not_ended(response)
    style.wait(server, id_)
    style.check_cancelled(server, id_)
    eventually(lambda: not group_members(pid), "the process group to be gone")
    assert gate.wait_begun()[0] == next_id
    gate.open("d")
    assert style.is_ended(style.wait(server, next_id))


@every_style
def test_cancelled_running_that_will_not_stop(serve, gate, style):
    """202 while stopping; SIGKILL after stop_grace; the monitors say pending until then."""
    stubborn = ["/bin/sh", "-c", 'trap "" TERM; echo "$DEFERD_OPERATION_ID $$" >"$1/begun"; dd if="$1/gate" bs=1 count=1;'
                ' dd if="$1/gate" bs=1 count=1', "sh", str(gate)]
    route = {"path": style.path, "style": style.route_style, "program": {"argv": stubborn}}
    server = serve([route], stop_grace="400ms")
    id_ = style.start(server)
    _, pid, *_ = gate.wait_begun()
    asked = time.monotonic()
    response = style.cancel(server, id_)
    assert response.status == 202, response
    expect.check_not_ended(response)
    style.check_pending(server, style.poll(server, id_), id_, "running")
    assert style.cancel(server, id_).status == 202
    style.check_failed_as(server, style.wait(server, id_), id_, 410, "cancelled")
    assert time.monotonic() - asked >= 0.4, "killed before its grace was over"
    eventually(lambda: not group_members(pid), "the process group to be gone")
    assert style.cancel(server, id_).status == 204


@every_style
def test_cancelled_after_end(serve, gate, style):
    server = serve(routes(gate))
    final = final_of(server, gate, style, "d")
    id_ = occupy(server, gate, style)
    gate.open("d")
    style.wait(server, id_)
    expect.check_problem(style.cancel(server, id_), 409)
    style.check_ended(server, style.poll(server, id_), id_, final)
    failed = occupy(server, gate, style)
    gate.open("f")
    style.wait(server, failed)
    expect.check_problem(style.cancel(server, failed), 409)


@every_style
def test_cancelled_twice(serve, gate, style):
    server = serve(routes(gate, concurrency=1))
    occupy(server, gate, style)
    id_ = style.start(server)
    assert style.cancel(server, id_).status == 204
    again = style.cancel(server, id_)
    assert again.status == 204 and again.body == b""
    expect.check_not_cached(again)
    style.check_cancelled(server, id_)
    gate.open("d")


@every_style
def test_cancelled_at_operations(serve, gate, style):
    """Every operation can be cancelled at /operations/ID, whatever its style."""
    server = serve(routes(gate, concurrency=1))
    first = occupy(server, gate, style)
    second = style.start(server)
    for id_ in (second, first):
        assert LOCATION.cancel(server, id_).status in (202, 204)
        LOCATION.wait(server, id_)
        style.check_cancelled(server, id_)
        LOCATION.check_cancelled(server, id_)


@every_style
def test_queue_timeout(serve, gate, style):
    server = serve(routes(gate, concurrency=1, queue_timeout="200ms"))
    first = occupy(server, gate, style)
    asked = time.monotonic()
    second = style.start(server)
    style.check_pending(server, style.poll(server, second), second, "queued")
    response = style.wait(server, second)
    assert time.monotonic() - asked >= 0.2
    style.check_failed_as(server, response, second, 503, "queue-timeout")
    LOCATION.check_failed_as(server, LOCATION.poll(server, second), second, 503, "queue-timeout")
    expect.check_problem(style.cancel(server, second), 409)
    gate.open("d")
    assert style.is_ended(style.wait(server, first))
    assert gate.begun() == [], "what had timed out has run"


@every_style
def test_run_timeout(serve, gate, style):
    server = serve(routes(gate, run_timeout="300ms"))
    asked = time.monotonic()
    id_ = style.start(server)
    _, pid, *_ = gate.wait_begun()
    response = style.wait(server, id_)
    assert time.monotonic() - asked >= 0.3
    style.check_failed_as(server, response, id_, 504, "run-timeout")
    eventually(lambda: not group_members(pid), "the process group to be gone")
    expect.check_problem(style.cancel(server, id_), 409)


@every_style
def test_timed_out_is_kept_by_its_own_time(serve, gate, style):
    server = serve(routes(gate, concurrency=1, queue_timeout="100ms", keep="100ms", keep_timed_out="1h"))
    first = occupy(server, gate, style)
    second = style.start(server)
    style.wait(server, second)
    gate.open("d")
    eventually(lambda: style.is_expired(style.poll(server, first)), "expiry")
    style.check_failed_as(server, style.poll(server, second), second, 503, "queue-timeout")


@every_style
def test_overload_by_capacity(serve, gate, style):
    server = serve(routes(gate, concurrency=1), capacity=2)
    occupy(server, gate, style)
    second = style.start(server)
    style.check_overload(style.ask(server), 503)
    expect.check_overload(server.post("/job/location?async=false"), (503,))
    assert style.cancel(server, second).status == 204
    third = style.start(server)
    gate.open("d")
    assert gate.wait_begun()[0] == third
    gate.open("d")
    assert style.is_ended(style.wait(server, third))
    assert gate.begun() == []


@every_style
def test_overload_by_queue(serve, gate, style):
    """429 at the route's queue; style prefer says 503 for every overload.  Other routes are not touched."""
    server = serve(routes(gate, concurrency=1, queue=1))
    occupy(server, gate, style)
    second = style.start(server)
    style.check_overload(style.ask(server), 503 if style is PREFER else 429)
    expect.check_overload(server.post(style.path + "?async=false"), (429,))
    other = STATUS if style is not STATUS else LOCATION
    assert occupy(server, gate, other)
    gate.open("dd")
    assert gate.wait_begun()[0] == second
    gate.open("d")
    assert style.is_ended(style.wait(server, second))


@every_style
def test_queue_of_none(serve, gate, style):
    """With queue 0 a call is taken if it can run at once."""
    server = serve(routes(gate, concurrency=1, queue=0))
    id_ = occupy(server, gate, style)
    style.check_overload(style.ask(server), 503 if style is PREFER else 429)
    gate.open("d")
    assert style.is_ended(style.wait(server, id_))
    eventually(lambda: style.ask(server).status == 202, "the place to be free again")
    gate.wait_begun()
    gate.open("d")


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
    assert ended == {"token": id_, "status": "READY", "result": {"n": 1}, "resultStatus": 200}
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
    targets = ["/bc/rest" + style.target(id_), f"/bc/rest/operations/{id_}", f"/operations/{id_}"]
    if style is not TOKEN:
        targets.append(style.target(id_))
    for target in targets:
        assert server.get(target).status in (200, 202)
    style.check_pending(server, server.get("/bc/rest" + style.target(id_)), id_, "running")
    gate.open("d")
    assert style.is_ended(server.get("/bc/rest" + style.target(id_), {"Prefer": "wait=20"}))


def database(tmp_path):
    return str(tmp_path / "deferd.db")


@every_style
@pytest.mark.parametrize("how", ["end", "kill"])
def test_restart(serve, gate, tmp_path, style, how):
    """Nothing that a client was told is taken back: ended is read as before, running is interrupted, queued runs."""
    server = serve(routes(gate, concurrency=1), state=database(tmp_path), drain_timeout="100ms", stop_grace="100ms")
    final = final_of(server, gate, style, "d")
    ended = occupy(server, gate, style)
    gate.open("d")
    before = style.wait(server, ended)
    style.check_ended(server, before, ended, final)
    running = style.start(server)
    _, pid, *_ = gate.wait_begun()
    queued, cancelled = style.start(server), style.start(server)
    assert style.cancel(server, cancelled).status == 204
    if how == "kill":
        server.kill()
    else:
        server.terminate()
        server.wait_end()
    base = server.base
    server.start()
    assert not is_alive(pid) and not group_members(pid), "left running by the last server"
    assert gate.wait_begun()[0] == queued
    after = style.poll(server, ended)
    assert (after.status, after.body.replace(server.base.encode(), base.encode())) == (before.status, before.body)
    style.check_ended(server, after, ended, final)
    style.check_failed_as(server, style.poll(server, running), running, 500, "interrupted")
    style.check_cancelled(server, cancelled)
    style.check_pending(server, style.poll(server, queued), queued, "running")
    gate.open("d")
    style.check_ended(server, style.wait(server, queued), queued, final)
    assert gate.begun() == []


@every_style
@pytest.mark.parametrize("how", ["end", "kill"])
def test_restart_with_rerun(serve, gate, tmp_path, style, how):
    server = serve(routes(gate, rerun=True), state=database(tmp_path), drain_timeout="100ms", stop_grace="100ms")
    final = final_of(server, gate, style, "d")
    id_ = occupy(server, gate, style)
    if how == "kill":
        server.kill()
    else:
        server.terminate()
        server.wait_end()
    server.start()
    assert gate.wait_begun()[0] == id_
    gate.open("d")
    style.check_ended(server, style.wait(server, id_), id_, final)


@every_style
def test_restart_keeps_tombstones(serve, gate, tmp_path, style):
    server = serve(routes(gate, keep="50ms"), state=database(tmp_path), keep_tombstone="1h")
    id_ = occupy(server, gate, style)
    gate.open("d")
    eventually(lambda: style.is_expired(style.poll(server, id_)), "expiry")
    server.kill()
    server.start()
    style.check_expired(style.poll(server, id_), id_, 200)
