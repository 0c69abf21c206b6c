"""What monitors say beside the state: how far the work is, why it failed, and its header fields."""

import json

import pytest

import expect
from harness import eventually, route
from styles import LOCATION, PREDICTION, PREFER, STATUS, STYLES, TOKEN, check_async_result


def answers(status, type_, body, path="/job", **more):
    """A route whose program answers so."""
    script = f'cat >/dev/null; printf "Status: {status}\\r\\nContent-Type: {type_}\\r\\n\\r\\n"; printf "%s" "$1"'
    return route(path, {"argv": ["/bin/sh", "-c", script, "sh", body], "protocol": "cgi"}, **more)


@pytest.mark.parametrize("said, shown", [
    ("7", "7%"), ("40 half way", "40% half way"), ("0 begun", "0% begun"), ("41 na\\303\\257ve \\001 x", "41% na?ve ? x"),
    ("42 " + "y" * 150, "42% " + "y" * 100)])
def test_progress(serve, gate, said, shown):
    script = 'printf "$2\\n" >&"$DEFERD_PROGRESS_FD"; echo x $$ >"$1/begun"; dd if="$1/gate" bs=1 count=1 2>/dev/null'
    server = serve([route("/job", {"argv": ["/bin/bash", "-c", script, "bash", str(gate), said]})])
    id_ = LOCATION.start(server, path="/job")
    gate.wait_begun()
    for style in (LOCATION, STATUS, PREFER):
        eventually(lambda: style.poll(server, id_).get("X-Progress") == shown, style.poll(server, id_))
    gate.open("x")
    ended = LOCATION.wait(server, id_)
    assert ended.get("X-Progress") is None
    check_async_result(ended, 200)


def test_no_progress(serve, gate):
    script = 'echo x $$ >"$1/begun"; dd if="$1/gate" bs=1 count=1 2>/dev/null'
    server = serve([route("/job", {"argv": ["/bin/bash", "-c", script, "bash", str(gate)]})])
    id_ = LOCATION.start(server, path="/job")
    gate.wait_begun()
    assert LOCATION.poll(server, id_).get("X-Progress") is None
    gate.open("x")
    LOCATION.wait(server, id_)


@pytest.mark.parametrize("body, message", [
    ({"error": "no such user"}, "no such user"), ({"message": "m", "error": "e"}, "m"), ({"msg": "short"}, "short"),
    ({"detail": "d", "message": "m"}, "d"), ({"error": {"code": 7, "message": "inner"}}, "inner"), ({"error": ""}, None),
    ({"error": 5}, None), ([1], None)])
def test_reason_of_the_work(serve, body, message):
    server = serve([answers(422, "application/json", json.dumps(body), style="status")])
    id_ = STATUS.start(server, path="/job")
    document = STATUS.wait(server, id_).json()
    assert document["status"] == "FAILED"
    assert document["msg"] == (message or "The operation ended with status 422 (Unprocessable Content).")


def test_a_success_has_no_reason(serve):
    server = serve([answers(200, "application/json", '{"error":"none"}', style="status")])
    assert STATUS.wait(server, STATUS.start(server, path="/job")).json()["msg"] == "The operation succeeded."


def fields_program(count):
    """Answers with so many header fields, of which each name stands twice."""
    script = (f'cat >/dev/null; printf "Content-Type: text/plain\\r\\n"; for i in $(seq {count - 1}); do printf "X-$((i / 2)): $i\\r\\n"; done;'
              'printf "\\r\\n"')
    return route("/job", {"argv": ["/bin/sh", "-c", script], "protocol": "cgi"})


def test_many_fields(serve):
    server = serve([fields_program(1000)])
    shown = PREFER.wait(server, PREFER.start(server, path="/job")).json()["data"]["attributes"]
    assert shown["responseStatus"] == 200 and len(shown["responseHeaders"]) == 501
    assert shown["responseHeaders"]["X-7"] == "14, 15" and shown["responseHeaders"]["X-0"] == "1"


def test_too_many_fields(serve):
    server = serve([fields_program(1001)])
    expect.check_problem(server.post("/job"), 502, "bad-program-response")


def test_every_style_has_a_result_code(serve):
    """A failed operation can be told from a failed poll."""
    server = serve([answers(503, "text/plain", "x")])
    id_ = LOCATION.start(server, path="/job")
    assert LOCATION.wait(server, id_).status == 503
    for style in STYLES:
        if style not in (TOKEN, PREDICTION):
            check_async_result(style.poll(server, id_), 503)
