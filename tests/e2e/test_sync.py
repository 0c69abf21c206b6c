"""Synchronous calls: what comes back, what counts, and what happens when the client leaves."""

import hashlib
import os

import pytest

import expect
import harness
from harness import echo, environment, eventually, job, read_environment, route, shell
from styles import unknown_id

SYSEXITS = [(0, 200), (64, 400), (65, 400), (66, 404), (69, 503), (75, 503), (77, 403),
            (1, 500), (2, 500), (63, 500), (67, 500), (68, 500), (70, 500), (71, 500), (72, 500), (73, 500), (74, 500),
            (76, 500), (78, 500), (126, 500), (127, 500), (255, 500)]


def test_echo(serve):
    server = serve([echo()])
    response = server.post("/echo", b"\0binary\xff")
    assert response.status == 200 and response.body == b"\0binary\xff"
    assert response.get("Content-Type") == "application/octet-stream"
    assert response.get("Preference-Applied") is None and response.get("Location") is None
    assert server.post("/echo").body == b""


def test_response_type(serve):
    server = serve([route("/text", {"argv": ["/bin/cat"], "response_type": "text/plain; charset=utf-8"})])
    assert server.post("/text", b"x").get("Content-Type") == "text/plain; charset=utf-8"


def test_exit_status(serve):
    """sysexits.h codes become statuses; nothing that the program has said gets out."""
    server = serve([route("/exit", shell("echo said-aloud; echo said-aside >&2; exit $1", "{code}"), query=["code"])])
    for code, status in SYSEXITS:
        response = server.post(f"/exit?code={code}")
        assert response.status == status, (code, response)
        if status >= 400:
            expect.check_problem(response, status)
            assert b"said" not in response.body and b"/bin/sh" not in response.body


@pytest.mark.parametrize("signal", ["TERM", "KILL", "ABRT", "INT"])
def test_ended_by_signal(serve, signal):
    server = serve([route("/signal", shell("echo said-aloud; ulimit -c 0; kill -$1 $$", signal))])
    response = server.post("/signal")
    expect.check_problem(response, 500)
    assert b"said" not in response.body


CGI = [
    (r"Content-Type: text/plain\n\nhello", 200, {"Content-Type": "text/plain"}, b"hello"),
    (r"Content-Type: text/plain\r\n\r\nhello", 200, {"Content-Type": "text/plain"}, b"hello"),
    (r"Status: 201 Made\nContent-Type: text/x\nLocation: http://h/x\n\n", 201, {"Location": "http://h/x"}, b""),
    (r"Status: 404 Nothing\nContent-Type: text/x\nX-Own: yes\n\nbody", 404, {"X-Own": "yes"}, b"body"),
    (r"Status: 503\nRetry-After: 77\nContent-Type: text/x\n\n", 503, {"Retry-After": "77"}, b""),
    (r"Location: http://h/elsewhere\n\n", 302, {"Location": "http://h/elsewhere"}, b""),
    (r"Status: 202\nContent-Type: text/x\n\nlater", 200, {"Content-Type": "text/x"}, b"later"),
    (r"Status: 204\nX-Own: yes\n\n", 204, {"X-Own": "yes"}, b""),
    (r"content-type: text/x\nETag: \"1\"\n\n", 200, {"Content-Type": "text/x", "ETag": '"1"'}, b""),
]


@pytest.mark.parametrize("output, status, fields, body", CGI)
def test_cgi(serve, output, status, fields, body):
    server = serve([route("/cgi", {"argv": ["/usr/bin/printf", output.replace("%", "%%")], "protocol": "cgi"})])
    response = server.post("/cgi", b"ignored")
    assert response.status == status and response.body == body, response
    for name, value in fields.items():
        assert response.get(name) == value, response


@pytest.mark.parametrize("output", [
    "", "no header", r"Status: 99\n\n", r"Status: abc\n\n", r"Status: 1000\n\n", r"Status: 101\n\n", r"\n", r"\n\nbody",
    r": x\n\n", r"a b: x\n\n", r"Content-Type text/x\n\n", r"Content-Type: text/x\nSplit: a\rb\n\n",
    r"Content-Type: text/x\n", r"Content-Type: text/x\nNul: \0001\n\n", r"Status: 200\nStatus: 201\n\n"])
def test_cgi_malformed(serve, output):
    """Not a CGI response: a problem of the server's side, never its bytes."""
    server = serve([route("/cgi", {"argv": ["/usr/bin/printf", output], "protocol": "cgi"})])
    response = server.post("/cgi")
    expect.check_problem(response, 502)


@pytest.mark.parametrize("field", ["Connection: close", "Transfer-Encoding: chunked", "Keep-Alive: x", "Upgrade: h2c",
                                   "Content-Length: 3", "Content-Length: 99999", "Trailer: x", "Date: never"])
def test_cgi_does_not_frame(serve, field):
    """Fields that are the connection's are not a program's to say; the connection goes on."""
    server = serve([route("/cgi", {"argv": ["/usr/bin/printf", f"Content-Type: text/x\\n{field}\\n\\nhello"],
                                   "protocol": "cgi"})])
    connection = server.connect()
    for _ in range(2):
        response = connection.request("POST", "/cgi", b"").receive("POST")
        if response.status == 200:
            assert response.body == b"hello" and response.get("Transfer-Encoding") is None
        else:
            expect.check_problem(response, 502)


def test_cgi_failing(serve):
    """A response is worth nothing if the program then fails."""
    server = serve([route("/cgi", shell("printf 'Content-Type: text/x\\n\\nhello'; exit 1", protocol="cgi"))])
    assert server.post("/cgi").status in (200, 500)


def test_cgi_variables(serve):
    routes = [environment("/env/{a}/{rest...}", methods=["GET", "PUT"])]
    routes[0]["program"]["env"] = {"OWN": "of the route"}
    server = serve(routes)
    response = server.call("PUT", "/env/x/y%20z/w?q=1&r=%41", b"12345",
                           {"Content-Type": "text/x", "X-Some-Thing": "v", "Authorization": "Basic eDp5", "Proxy": "p"})
    variables = read_environment(response)
    host, _, port = server.address.rpartition(":")
    expected = {"GATEWAY_INTERFACE": "CGI/1.1", "REQUEST_METHOD": "PUT", "QUERY_STRING": "q=1&r=%41",
                "CONTENT_LENGTH": "5", "CONTENT_TYPE": "text/x", "SERVER_NAME": host, "SERVER_PORT": port,
                "SERVER_PROTOCOL": "HTTP/1.1", "REMOTE_ADDR": "127.0.0.1", "HTTP_X_SOME_THING": "v", "OWN": "of the route",
                "PATH": "/usr/local/bin:/usr/bin:/bin"}
    for name, value in expected.items():
        assert variables.get(name) == value, (name, variables)
    assert variables["SERVER_SOFTWARE"].startswith("deferd")
    assert variables["SCRIPT_NAME"] + variables["PATH_INFO"] == "/env/x/y z/w"
    assert "HTTP_PROXY" not in variables and "HTTP_AUTHORIZATION" not in variables
    assert int(variables["DEFERD_PROGRESS_FD"]) > 2


def test_clean_environment(serve, monkeypatch):
    monkeypatch.setenv("SECRET_OF_THE_SERVER", "x")
    monkeypatch.setenv("LD_LIBRARY_PATH", "/nowhere")
    server = serve([environment()])
    variables = read_environment(server.post("/env"))
    assert "SECRET_OF_THE_SERVER" not in variables and "LD_LIBRARY_PATH" not in variables
    assert "LANG" in variables and "HOME" not in variables
    assert "CONTENT_TYPE" not in variables


def test_head(serve):
    server = serve([route("/get", {"argv": ["/bin/echo", "hello"], "response_type": "text/plain"}, methods=["GET"])])
    get = server.get("/get")
    assert get.body == b"hello\n"
    connection = server.connect()
    for _ in range(2):
        head = connection.request("HEAD", "/get").receive("HEAD")
        assert head.status == 200 and head.get("Content-Length") == "6"
        assert head.get("Content-Type") == "text/plain"
    assert connection.request("HEAD", "/nothing").receive("HEAD").status == 404
    assert connection.request("GET", "/get").receive().body == b"hello\n"


@pytest.mark.parametrize("size", [1, 4095, 4096, 65535, 65536, 65537, 1 << 20, 8 << 20])
def test_large_bodies(serve, size):
    server = serve([echo()])
    body = os.urandom(size)
    response = server.post("/echo", body)
    assert response.status == 200
    assert hashlib.sha256(response.body).digest() == hashlib.sha256(body).digest()


def test_chunked_body(serve):
    server = serve([echo(), environment()])
    connection = server.connect()
    pieces = [b"5\r\nhello\r\n", b"1;ext=\"x\"\r\n \r\n", b"A\r\n0123456789\r\n", b"000000\r\n", b"X-Trailer: y\r\n\r\n"]
    connection.request("POST", "/echo", fields={"Transfer-Encoding": "chunked"})
    for piece in pieces:
        connection.send(piece)
    assert connection.receive("POST").body == b"hello 0123456789"
    connection.request("POST", "/env", fields={"Transfer-Encoding": "chunked"}).send(b"3\r\nabc\r\n0\r\n\r\n")
    assert read_environment(connection.receive("POST"))["CONTENT_LENGTH"] == "3"


@pytest.mark.parametrize("leave", ["close", "finish_sending", "reset"])
def test_client_leaves_while_queued(serve, gate, leave):
    """The call is dropped: its program never begins, and its place in the queue is free."""
    server = serve([job("/job", gate, concurrency=1, queue=1)])
    first = server.begin("POST", "/job", b"one")
    gate.wait_begun()
    second = server.begin("POST", "/job", b"two")
    eventually(lambda: server.post("/job?async=true", b"never").status == 429, "the queue to be full")
    getattr(second, leave)()
    third = eventually(lambda: (answer := server.post("/job?async=true", b"three")).status == 202 and answer,
                       "the place in the queue to be free")
    gate.open("d")
    assert first.receive("POST").body == b"one"
    begun, *_ = gate.wait_begun()
    assert third.get("Location").endswith(begun)
    gate.open("d")
    assert server.get(f"/operations/{begun}", {"Prefer": "wait=20"}).body == b"three"
    assert gate.begun() == []


@pytest.mark.parametrize("leave", ["close", "finish_sending", "reset"])
def test_client_leaves_while_running(serve, gates, leave):
    """The work goes on to its end."""
    gate, after = gates("gate"), gates("after")
    server = serve([route("/job", shell('"$1" "$2" >/dev/null; echo "$DEFERD_OPERATION_ID 0 end" >"$3/begun"',
                                        harness.PROGRAMS / "job", gate, after))])
    connection = server.begin("POST", "/job", b"one")
    id_, *_ = gate.wait_begun()
    getattr(connection, leave)()
    eventually(lambda: server.get("/").status == 404)
    assert after.begun() == []
    gate.open("d")
    assert after.wait_begun() == (id_, 0, "end")


def test_no_monitor(serve, gate):
    """A synchronous call has no monitor, neither while it runs nor afterwards."""
    server = serve([job("/job", gate)])
    call = server.begin("POST", "/job", b"x")
    id_, *_ = gate.wait_begun()
    for target in (f"/operations/{id_}", f"/v1/operationStatus/{id_}", f"/async/v1/requests/{id_}"):
        expect.check_problem(server.get(target), 404, "not-found")
        expect.check_problem(server.call("DELETE", target), 404, "not-found")
    gate.open("d")
    assert call.receive("POST").body == b"x"
    expect.check_problem(server.get(f"/operations/{id_}"), 404, "not-found")
    assert server.get(f"/operations/{unknown_id()}").status == 404


def test_limits(serve, gate):
    """Synchronous calls count against queue and capacity."""
    server = serve([job("/narrow", gate, concurrency=1, queue=1), job("/wide", gate)], capacity=3)
    calls = [server.begin("POST", "/narrow", b"1")]
    gate.wait_begun()
    calls.append(server.begin("POST", "/narrow", b"2"))
    eventually(lambda: server.post("/narrow", b"").status == 429, "the queue to be full")
    expect.check_overload(server.post("/narrow", b"3"), (429,))
    calls.append(server.begin("POST", "/wide", b"4"))
    gate.wait_begun()
    expect.check_overload(server.post("/wide", b"5"), (503,))
    gate.open("ddd")
    assert sorted(call.receive("POST").body for call in calls) == [b"1", b"2", b"4"]


def test_queue_timeout(serve, gate):
    server = serve([job("/job", gate, concurrency=1, queue_timeout="150ms")])
    first = server.begin("POST", "/job", b"1")
    gate.wait_begun()
    second = server.begin("POST", "/job", b"2")
    expect.check_problem(second.receive("POST"), 503, "queue-timeout")
    gate.open("d")
    assert first.receive("POST").body == b"1"
    assert gate.begun() == []


def test_run_timeout(serve, gate):
    server = serve([job("/job", gate, run_timeout="150ms")])
    call = server.begin("POST", "/job", b"1")
    _, pid, *_ = gate.wait_begun()
    expect.check_problem(call.receive("POST"), 504, "run-timeout")
    eventually(lambda: not harness.group_members(pid), "the program to be gone")


def test_concurrency(serve, gate):
    """As many at once as the route says, not one more, in order."""
    server = serve([job("/job", gate, concurrency=3)])
    calls = [server.begin("POST", "/job", b"%d" % n) for n in range(3)]
    for _ in calls:
        gate.wait_begun()
    more = [server.post("/job?async=true", b"x").get("Location") for _ in range(3)]
    assert gate.begun() == []
    for location in more:
        gate.open("d")
        assert location.endswith(gate.wait_begun()[0])
    gate.open("ddd")
    assert sorted(call.receive("POST").body for call in calls) == [b"0", b"1", b"2"]


def test_workers(serve, gate):
    """`workers` bounds all routes together, and they take turns."""
    server = serve([job("/a", gate), job("/b", gate)], workers=1)
    first = server.begin("POST", "/a?x", b"")
    gate.wait_begun()
    queued = [server.post(path + "?async=true", b"").get("Location") for path in ("/a", "/a", "/a", "/b")]
    begun = []
    for _ in range(4):
        assert gate.begun() == []
        gate.open("d")
        begun.append(gate.wait_begun()[0])
    gate.open("d")
    assert first.receive("POST").status == 200
    order = [next(n for n, location in enumerate(queued) if location.endswith(id_)) for id_ in begun]
    assert sorted(order) == [0, 1, 2, 3]
    assert order.index(3) < 3, "one route has kept the other out"
    assert [n for n in order if n < 3] == [0, 1, 2]


@pytest.mark.parametrize("version, host, protocol, port", [("1.1", "h:81", "HTTP/1.1", "81"), ("1.1", "h", "HTTP/1.1", None), ("1.0", "h", "HTTP/1.0", None)])
def test_version_and_port_of_the_call(serve, version, host, protocol, port):
    """A program sees the client's version, and the socket's port where Host has none."""
    server = serve([harness.environment()])
    response = server.connect().request("POST", "/env", b"", {"Host": host}, version=version).receive("POST")
    variables = harness.read_environment(response)
    assert (variables["SERVER_PROTOCOL"], variables["SERVER_PORT"]) == (protocol, port or server.address.rpartition(":")[2])


@pytest.mark.parametrize("host", ["other.example", "other.example:81", "[::1]:8080"])
@pytest.mark.parametrize("scheme", ["http", "https", "HTTP"])
def test_absolute_target(serve, scheme, host):
    """The target's host counts, whatever the Host field says (RFC 9112, 3.2.2)."""
    server = serve([environment(methods=["GET", "POST"])])
    connection = server.connect()
    for method, body in ("GET", None), ("POST", b"x"), ("POST", b"x" * 5000):
        connection.request(method, f"{scheme}://{host}/env?a=b", body, {"Host": "here.example"})
        variables = read_environment(connection.receive(method))
        assert variables["HTTP_HOST"] == host
        assert (variables["REQUEST_URI"], variables["QUERY_STRING"]) == ("/env?a=b", "a=b")
    connection.request("POST", f"{scheme}://{host}/env?async=true", b"x", {"Host": "here.example"})
    assert connection.receive("POST").get("Location").startswith(f"http://{host}/operations/")


def test_absolute_target_without_path(serve):
    server = serve([environment("/", methods=["GET"])])
    connection = server.connect()
    for target, query in ("http://other", ""), ("http://other?a", "a"):
        connection.send(f"GET {target} HTTP/1.1\r\nHost: here\r\n\r\n".encode())
        variables = read_environment(connection.receive())
        assert (variables["HTTP_HOST"], variables["PATH_INFO"], variables["QUERY_STRING"]) == ("other", "/", query)


def test_targets_of_browsers(serve):
    """What the WHATWG's URL Standard leaves as it is in URLs is taken, and escaped for programs."""
    server = serve([environment("/env/{x}", methods=["GET", "POST"])])
    path, query = "[a]|^", r"a=x^2&b=`&c=\\&d=100%&e=%zz&f=%41"
    escaped = "%5Ba%5D%7C%5E", r"a=x%5E2&b=%60&c=%5C%5C&d=100%25&e=%25zz&f=%41"
    connection = server.connect()
    for method, body in ("GET", None), ("POST", b"x"), ("POST", b"x" * 5000):
        connection.request(method, f"/env/{path}?{query}", body)
        variables = read_environment(connection.receive(method))
        assert (variables["REQUEST_URI"], variables["QUERY_STRING"]) == (f"/env/{escaped[0]}?{escaped[1]}", escaped[1])
        assert variables["SCRIPT_NAME"] + variables["PATH_INFO"] == f"/env/{path}"


def test_options_asterisk(serve):
    """Asks for what the server implements, whatever its routes are (RFC 9110, 9.3.7)."""
    answer = serve([echo()]).call("OPTIONS", "*")
    assert (answer.status, answer.body) == (204, b"")
    assert answer.get("Allow") == "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"
