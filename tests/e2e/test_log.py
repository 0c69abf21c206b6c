"""The log: what is in it at which level, what is never in it, and the ids by which a call is followed."""

import json
import os
import re

import pytest

from expect import UUID4, check_problem
from exposition import scrape
from harness import echo, environment, eventually, job, read_environment, route, shell
from styles import LOCATION, unknown_id

LINE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z (error|warning|info|debug): (.*)\Z")
PAIR = re.compile(r' ([a-z_]+)=("(?:[^"\\]|\\.)*"|[^ "]*)')
TRACE = re.compile(r"00-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}\Z")
SECRET = "correct-horse-battery-staple"


def read_lines(text):
    """Level, message and pairs of every line; each must be one that can be read back."""
    lines = []
    for line in text.splitlines():
        match = LINE.match(line)
        assert match, f"no line of the log: {line!r}"
        message, found, rest = match[2].partition(" ") if "=" not in match[2] else re.split(r"( )(?=[a-z_]+=)", match[2], maxsplit=1)
        message += found + rest if "=" not in rest else ""
        pairs = PAIR.findall(" " + rest) if "=" in rest else []
        assert "=" not in rest or "".join(f" {name}={value}" for name, value in pairs) == " " + rest, line
        lines.append((match[1], message, {name: json.loads(value) if value.startswith('"') else value for name, value in pairs}))
    return lines


def requests_in(server):
    return [(level, pairs) for level, message, pairs in read_lines(server.log()) if message == "request"]


def wait_for_request(server, id_):
    """The one line of the request with that X-Request-Id."""
    found = eventually(lambda: [found for found in requests_in(server) if found[1]["request_id"] == id_], "the line")
    assert len(found) == 1
    return found[0]


def ask(server, method, target, id_, body=None, fields=()):
    return server.call(method, target, body, {"X-Request-Id": id_, **dict(fields)})


def use(server):
    """A call, a poll that goes well, one that does not, an end."""
    id_ = LOCATION.check_accepted(server, ask(server, "POST", "/echo?async=true", "call", b"x"))
    eventually(lambda: server.get(f"/operations/{id_}").status == 200, "its end")
    ask(server, "GET", f"/operations/{id_}", "poll")
    ask(server, "GET", "/nowhere", "refused")
    return id_


@pytest.mark.parametrize("level, shown", [
    ("error", set()), ("warning", set()), ("info", {"call", "refused"}), ("debug", {"call", "refused", "poll"})])
def test_levels(serve, level, shown):
    server = serve([echo()], log_level=level)
    use(server)
    server.terminate()
    server.wait_end()
    lines = read_lines(server.log())
    order = ["error", "warning", "info", "debug"]
    assert all(order.index(found) <= order.index(level) for found, _, _ in lines)
    assert {pairs["request_id"] for found, message, pairs in lines if message == "request"} & \
        {"call", "refused", "poll"} == shown
    assert any(message == "operation ended" for _, message, _ in lines) == (level in ("info", "debug"))


def test_level_over_a_reload(serve):
    server = serve([echo()], log_level="warning")
    use(server)
    assert not requests_in(server)
    server.config["log_level"] = "debug"
    server.write_config()
    server.reload()
    ask(server, "GET", "/echo", "after")
    wait_for_request(server, "after")


def test_one_line_a_request(serve):
    """With what was asked, how it was answered and how long that took; those of one connection, too."""
    server = serve([echo()], log_level="debug")
    before = len(requests_in(server))
    connection = server.connect()
    for n in range(20):
        connection.request("POST", f"/echo?n={n}", b"abc", {"X-Request-Id": f"n{n}"})
    for n in range(20):
        connection.receive("POST")
    with server.connect() as refused:
        refused.send(b"GET nowhere\r\n\r\n")
        assert refused.receive_end().startswith(b"HTTP/1.1 400 ")
    lines = eventually(lambda: [found for found in requests_in(server) if found[1]["request_id"].startswith("n")][19:] and
                       requests_in(server)[before:], "the lines")
    assert [pairs["request_id"] for _, pairs in lines] == [f"n{n}" for n in range(20)]
    for level, pairs in lines:
        assert level == "info" and float(pairs.pop("ms")) >= 0
        del pairs["request_id"]
        assert pairs == {"method": "POST", "path": "/echo", "status": "200", "bytes": "3", "client": "127.0.0.1",
                         "user": "-"}
    refusals = [pairs for _, message, pairs in read_lines(server.log()) if message == "request refused"]
    for refusal in refusals:
        assert re.fullmatch("[0-9a-f]{16}", refusal.pop("request_id"))
    assert refusals == [{"method": "GET", "path": "-", "status": "400", "client": "127.0.0.1"}]


REFUSED = [
    (b"\x16\x03\x01", 400, "-", "-", None),
    (b"GET /a<", 400, "GET", "/a", None),
    (b"PUT /a/b?c HTTP/1.1\r\nX-Request-Id: mine\r\nHost : x\r\n", 400, "PUT", "/a/b", "mine"),
    (b"GET /a HTTP/1.1\r\nHost: x\r\nA: " + b"x" * 40000, 431, "GET", "/a", None),
    (b"POST /echo HTTP/1.1\r\nHost: x\r\nX-Request-Id: mine\r\nContent-Length: 99999999999\r\n", 413, "POST", "/echo", "mine"),
    (b"POST /echo HTTP/1.1\r\nHost: x\r\nX-Request-Id: mine\r\nTransfer-Encoding: chunked\r\n\r\n3\r\n", 413, "POST", "/echo", "mine"),
    (b"POST /echo HTTP/1.1\r\nHost: x\r\nX-Request-Id: mine\r\nTransfer-Encoding: chunked\r\n\r\n1\r\naX", 400, "POST", "/echo", "mine"),
]


@pytest.mark.parametrize("pieces", [False, True], ids=["whole", "in pieces"])
@pytest.mark.parametrize("wire, status, method, path, id_", REFUSED)
def test_refused(serve, wire, status, method, path, id_, pieces):
    """A refusal before the request is whole says who asked for what, as far as that has come."""
    server = serve([echo(max_body="2B")])
    with server.connect() as connection:
        if pieces:
            connection.send(wire[:30])
            eventually(lambda: server.get("/").status == 404, "the first piece")
            connection.send(wire[30:])
        else:
            connection.send(wire)
        answer = connection.receive(method)
    assert answer.status == status
    given = answer.get("X-Request-Id")
    assert given == id_ or not id_ and re.fullmatch("[0-9a-f]{16}", given)
    line, = eventually(lambda: [pairs for _, message, pairs in read_lines(server.log()) if
                                message in ("request refused", "request") and pairs["request_id"] == given], "the line")
    told = {"method": method, "path": path, "status": str(status), "client": "127.0.0.1", "request_id": given}
    assert told.items() <= line.items()


@pytest.mark.parametrize("leave", ["close", "finish_sending", "reset"])
def test_client_that_leaves(serve, gate, leave):
    """Its synchronous call is logged and counted as 499, with where it came from; running or still queued."""
    server = serve([job("/job", gate, concurrency=1)], log_level="debug", admin={"listen": "127.0.0.1:0"})
    runs = server.begin("POST", "/job?x=1", b"x", {"X-Request-Id": "runs"})
    gate.wait_begun()
    waits = server.begin("POST", "/job", b"x", {"X-Request-Id": "waits"})
    eventually(lambda: scrape(server).get("deferd_operations", state="queued") == 1, "the second call")
    for connection, id_ in (waits, "waits"), (runs, "runs"):
        getattr(connection, leave)()
        level, pairs = wait_for_request(server, id_)
        assert level == "info" and float(pairs.pop("ms")) >= 0
        assert pairs == {"method": "POST", "path": "/job", "status": "499", "bytes": "0", "client": "127.0.0.1",
                         "user": "-", "request_id": id_}
    assert scrape(server).get("deferd_http_replies_total", status="499") == 2
    assert not scrape(server).find("deferd_http_replies_total", status="503")
    gate.open("d")


def test_one_line_an_end(serve):
    server = serve([route("/fails", shell("exit 65"))])
    id_ = LOCATION.start(server, path="/fails")
    assert LOCATION.wait(server, id_).status == 400
    (end,) = [pairs for _, message, pairs in read_lines(server.log()) if message == "operation ended"]
    assert int(end.pop("wait_ms")) >= 0 and int(end.pop("run_ms")) >= 0
    assert end == {"id": id_[:8], "route": "/fails", "style": "location", "state": "failed", "status": "400"}


def test_nothing_that_is_secret(serve):
    """No body, key, token, credential, query or whole id, at the most talkative level; what programs say is there."""
    server = serve([echo(), route("/token", shell("cat; echo said >&2"), style="token")], log_level="debug")
    hidden = {"Idempotency-Key": f"key-{SECRET}", "Authorization": f"Bearer {SECRET}", "Cookie": f"c={SECRET}",
              "X-Other": SECRET}
    id_ = server.call("POST", f"/token?secret={SECRET}", SECRET.encode(), hidden).json()["asyncOperation"]["token"]
    eventually(lambda: server.get(f"/token/poll?asyncOperationToken={id_}").json()["asyncOperation"]["status"] == "READY", "its end")
    ids = [id_, LOCATION.start(server, path="/echo", body=SECRET.encode())]
    for id_ in ids:
        assert LOCATION.wait(server, id_).status == 200
        for target in (f"/operations/{id_}", f"/v1/operationStatus/{id_}", f"/async/v1/requests/{id_}/response",
                       f"/bc/rest/async/v1/requests/{id_}", f"/operations/{id_.upper()}"):
            server.get(target)
    check_problem(server.call("POST", f"/echo?async={SECRET}", SECRET.encode(), hidden), 400)
    log = eventually(lambda: "said" in server.log() and server.log(), "the program's line")
    assert SECRET not in log
    assert not re.search(UUID4, log, re.IGNORECASE)
    assert all(id_[:8] in log for id_ in ids), "the beginning of an id is enough to follow it"


def test_control_characters(serve):
    """A line stays a line, and nothing commands a terminal."""
    server = serve([route("/says", shell(r"""printf 'one\033[31mred\rtwo three level=error\n' >&2"""))], log_level="debug")
    assert server.post("/says", b"").status == 200
    eventually(lambda: "three" in server.log(), "the program's line")
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f]", server.log_file.read_bytes().decode())
    read_lines(server.log())


@pytest.mark.parametrize("id_", ["a", "abc.DEF-12_3~", "x" * 64])
def test_request_id_taken(serve, id_):
    server = serve([echo()], log_level="debug")
    for target, status in (("/echo", 200), ("/nowhere", 404)):
        response = ask(server, "POST", target, id_, b"x")
        assert response.status == status and response.get("X-Request-Id") == id_
    assert len([found for found in requests_in(server) if found[1]["request_id"] == id_]) == 2


@pytest.mark.parametrize("id_", ["", "x" * 65, "with blank", 'quo"te', "a=b", "a,b", "caf\xe9"])
def test_request_id_replaced(serve, id_):
    """What could be mistaken in a log is not taken, but the call is."""
    server = serve([echo()], log_level="debug")
    response = ask(server, "POST", "/nowhere", id_, b"x")
    assert response.status == 404
    given = response.get("X-Request-Id")
    assert given != id_ and re.fullmatch(r"[0-9a-f]{16}", given)
    assert wait_for_request(server, given)[1]["status"] == "404"


def test_request_ids_differ(serve):
    """Each answer tells its id, so that an operator finds the line."""
    server = serve([echo(), route("/fails", shell("exit 1"))], log_level="debug")
    id_ = LOCATION.start(server, path="/echo")
    asked = [server.get("/nowhere"), server.post("/fails"), server.post("/echo", b"x"), server.post("/echo?async=true", b"x"),
             server.get(f"/operations/{id_}"), server.get(f"/operations/{unknown_id()}"), server.call("HEAD", f"/operations/{id_}"),
             server.get(f"/v1/operationStatus/{id_}"), server.call("DELETE", f"/operations/{id_}")]
    assert [response.status for response in asked][:4] == [404, 500, 200, 202]
    ids = {response.get("X-Request-Id") for response in asked}
    assert None not in ids and len(ids) == len(asked)
    for id_ in ids:
        wait_for_request(server, id_)


PARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


def trace_of(server, fields):
    variables = read_environment(server.call("POST", "/env", b"", fields))
    return variables.get("TRACEPARENT"), variables.get("TRACESTATE")


def test_trace_taken(serve):
    server = serve([environment()])
    assert trace_of(server, {"traceparent": PARENT}) == (PARENT, None)
    assert trace_of(server, {"Traceparent": PARENT, "tracestate": "a=1,b=2"}) == (PARENT, "a=1,b=2")


@pytest.mark.parametrize("fields", [
    {}, {"traceparent": ""}, {"traceparent": PARENT[:-1]}, {"traceparent": PARENT + "-x"},
    {"traceparent": "ff" + PARENT[2:]}, {"traceparent": PARENT.upper()}, {"traceparent": PARENT.replace("-", "_")},
    {"traceparent": f"00-{'0' * 32}-00f067aa0ba902b7-01"}, {"traceparent": f"00-4bf92f3577b34da6a3ce929d0e0e4736-{'0' * 16}-01"},
    {"tracestate": "a=1"}, {"traceparent": "x", "tracestate": "a=1"}])
def test_trace_made(serve, fields):
    """What is no trace is no trace, and its state goes with it."""
    server = serve([environment()])
    first, second = (trace_of(server, fields) for _ in range(2))
    for parent, state in (first, second):
        match = TRACE.match(parent)
        assert match and match[1] != "0" * 32 and match[2] != "0" * 16 and state is None
        assert parent != PARENT
    assert first != second


def test_trace_of_an_asynchronous_call(serve, tmp_path):
    """It is kept with the call, in the store, too."""
    server = serve([environment()], state=str(tmp_path / "deferd.db"))
    id_ = LOCATION.check_accepted(server, server.call("POST", "/env?async=true", b"", {"traceparent": PARENT}))
    assert read_environment(LOCATION.wait(server, id_))["TRACEPARENT"] == PARENT


def test_journal(serve, tmp_path):
    """Priorities where standard error is the journal; not where it was redirected since."""
    file = tmp_path / "server0"
    file.mkdir()
    (file / "log").touch()
    status = os.stat(file / "log")
    server = serve([echo()], variables={"JOURNAL_STREAM": f"{status.st_dev}:{status.st_ino}"})
    assert server.post("/echo", b"x").status == 200
    eventually(lambda: "<6>request method=POST" in server.log(), "the line")
    assert all(re.match(r"<[3467]>[a-z]", line) for line in server.log().splitlines()), server.log()
    other = serve([echo()], variables={"JOURNAL_STREAM": f"{status.st_dev}:{status.st_ino}"})
    assert other.post("/echo", b"x").status == 200
    eventually(lambda: "request" in other.log(), "the line")
    assert read_lines(other.log())


@pytest.mark.parametrize("value", ["", ":", "1", "1:", ":1", "x:y", "1:2:3", "-1:-1"])
def test_no_journal(serve, value):
    server = serve([echo()], variables={"JOURNAL_STREAM": value})
    assert server.post("/echo", b"x").status == 200
    eventually(lambda: "request" in server.log(), "the line")
    assert read_lines(server.log())
