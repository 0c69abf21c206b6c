"""The HTTP front: what is refused, and how."""

import pytest

import expect
from harness import echo, job, route, shell
from styles import unknown_id

BIG = "head -c $((20 << 20)) /dev/zero | tr '\\0' x"


@pytest.fixture
def server(serve, gate):
    return serve([echo("/echo", methods=["GET", "POST"]), echo("/items/{id}", methods=["PUT", "DELETE"]),
                  echo("/small", max_body="10B"),
                  echo("/typed", request_types=["application/json", "text/plain", "image/*"]),
                  echo("/status", style="status", max_body="10B"),
                  route("/args/{a}", {"argv": ["/usr/bin/printf", "%s", "{a}"]}, methods=["GET"]),
                  job("/job", gate), route("/big", shell(BIG), methods=["GET", "POST"])],
                 max_body="100KiB")


@pytest.mark.parametrize("target", ["/", "/nothing", "/echo/", "/echo/x", "/Echo", "/items", "/items/", "/items/1/2",
                                    "/operations/", f"/operations/{unknown_id()}/x",
                                    f"/v1/operationStatus/{unknown_id()}/", "/async/v1/requests",
                                    f"/async/v1/requests/{unknown_id()}/responses", "/echo%2F", "/%65cho/%2f"])
def test_not_found(server, target):
    expect.check_problem(server.get(target), 404, "not-found")
    expect.check_problem(server.post(target, b"x"), 404, "not-found")


def test_escaped_path(server):
    """An escape of a letter is that letter."""
    assert server.post("/%65ch%6F", b"x").body == b"x"


@pytest.mark.parametrize("method, target, allowed", [
    ("DELETE", "/echo", {"GET", "HEAD", "POST"}), ("PUT", "/echo", {"GET", "HEAD", "POST"}),
    ("POST", "/items/1", {"PUT", "DELETE"}), ("GET", "/items/1", {"PUT", "DELETE"}),
    ("HEAD", "/small", {"POST"}), ("PATCH", "/small", {"POST"}),
    ("POST", f"/operations/{unknown_id()}", {"GET", "HEAD", "DELETE"}),
    ("PUT", f"/v1/operationStatus/{unknown_id()}", {"GET", "HEAD", "DELETE"}),
    ("POST", f"/async/v1/requests/{unknown_id()}", {"GET", "HEAD", "DELETE"})])
def test_method_not_allowed(server, method, target, allowed):
    response = server.call(method, target, b"x" if method not in ("GET", "HEAD", "DELETE") else None)
    assert response.status == 405
    if method != "HEAD":
        expect.check_problem(response, 405)
    assert {name.strip() for name in response.get("Allow").split(",")} - {"OPTIONS"} == allowed


def test_body_too_large_for_the_route(server):
    assert server.post("/small", b"x" * 10).status == 200
    expect.check_problem(server.post("/small", b"x" * 11), 413)
    assert expect.check_problem(server.post("/status", b"x" * 11), 413)["msg"]
    expect.check_problem(server.post("/small?async=true", b"x" * 11), 413)


def test_body_too_large_for_the_server(server):
    """Refused from its length alone, and the connection closed."""
    connection = server.connect()
    connection.request("POST", "/echo", fields={"Content-Length": str(100 * 1024 + 1)})
    expect.check_problem(connection.receive("POST"), 413)
    assert connection.receive_end() == b""
    assert server.post("/echo", b"x" * 100 * 1024).status == 200


def test_chunked_body_too_large(server):
    connection = server.connect()
    connection.request("POST", "/echo", fields={"Transfer-Encoding": "chunked"})
    connection.send(b"8000\r\n" + b"x" * 0x8000 + b"\r\n")
    connection.send(b"11001\r\n")
    expect.check_problem(connection.receive("POST"), 413)
    assert connection.receive_end() == b""


@pytest.mark.parametrize("type_, taken", [
    ("application/json", True), ("Application/JSON", True), ("application/json; charset=utf-8", True),
    ("text/plain;x=y", True), ("image/png", True), ("image/svg+xml", True), ("text/html", False),
    ("application/jsonx", False), ("application", False), ("text", False), ("imagex/png", False), ("", False),
    ("application/json,text/html", False), (None, False)])
def test_media_type(server, type_, taken):
    response = server.post("/typed", b"{}", {} if type_ is None else {"Content-Type": type_})
    if taken:
        assert response.status == 200
    else:
        expect.check_problem(response, 415)


def check_refused(server, data, *statuses):
    """The bytes are answered by one problem and the end of the connection; the server goes on."""
    connection = server.connect()
    connection.send(data)
    response = connection.receive("POST")
    assert response.status in statuses, response
    expect.check_problem(response, response.status)
    assert response.get("Connection") == "close"
    assert connection.receive_end() == b""
    assert server.post("/echo", b"x").body == b"x"


def head(line="GET /echo HTTP/1.1", *fields, host="h"):
    lines = [line] + ([f"Host: {host}"] if host is not None else []) + list(fields)
    return "\r\n".join(lines + ["", ""]).encode("latin-1")


MALFORMED = {
    "no host": head(host=None),
    "empty host with port": head(host=":80"),
    "two hosts": head("GET /echo HTTP/1.1", "Host: other"),
    "bad host": head(host="a b"),
    "host with path": head(host="a/b"),
    "host with user": head(host="u@h"),
    "host with bad port": head(host="h:x"),
    "host with escape": head(host="h%zz"),
    "dot segments": head("GET /a/../echo HTTP/1.1"),
    "dot segment": head("GET /./echo HTTP/1.1"),
    "last dot segments": head("GET /echo/.. HTTP/1.1"),
    "escaped dot segments": head("GET /a/%2e%2E/echo HTTP/1.1"),
    "half escaped dot segments": head("GET /a/.%2e/echo HTTP/1.1"),
    "escaped nul": head("GET /echo%00 HTTP/1.1"),
    "escaped nul in a parameter": head("GET /args/a%00b HTTP/1.1"),
    "broken escape": head("GET /echo%zz HTTP/1.1"),
    "short escape": head("GET /echo%4 HTTP/1.1"),
    "no path": head("GET echo HTTP/1.1"),
    "empty target": head("GET  HTTP/1.1"),
    "two blanks": head("GET  /echo HTTP/1.1"),
    "tab": head("GET\t/echo HTTP/1.1"),
    "blank in target": head("GET /ec ho HTTP/1.1"),
    "blank at the end": head("GET /echo HTTP/1.1 "),
    "blank before": head(" GET /echo HTTP/1.1"),
    "fragment": head("GET /echo#x HTTP/1.1"),
    "8 bits in target": head("GET /\xe9 HTTP/1.1"),
    "control in target": head("GET /\x01 HTTP/1.1"),
    "two slashes": head("GET //echo HTTP/1.1"),
    "no version": b"GET /echo\r\nHost: h\r\n\r\n",
    "bad version": head("GET /echo HTTP/1.x"),
    "other protocol": head("GET /echo ICY/1.1"),
    "lower case protocol": head("GET /echo http/1.1"),
    "line feed alone": b"GET /echo HTTP/1.1\nHost: h\n\n",
    "carriage return alone": b"GET /echo HTTP/1.1\rHost: h\r\r",
    "blank before colon": head("GET /echo HTTP/1.1", "X : y"),
    "no colon": head("GET /echo HTTP/1.1", "X"),
    "no name": head("GET /echo HTTP/1.1", ": y"),
    "bad name": head("GET /echo HTTP/1.1", "X(y): z"),
    "folded line": head("GET /echo HTTP/1.1", "X: y", " z"),
    "leading blank line of the header": head("GET /echo HTTP/1.1", host=None).replace(b"\r\n\r\n", b"\r\n X: y\r\n\r\n"),
    "nul in value": head("GET /echo HTTP/1.1", "X: a\0b"),
    "control in value": head("GET /echo HTTP/1.1", "X: a\x01b"),
    "return in value": head("GET /echo HTTP/1.1", "X: a\rb"),
    "two lengths": head("POST /echo HTTP/1.1", "Content-Length: 1", "Content-Length: 2"),
    "two equal lengths": head("POST /echo HTTP/1.1", "Content-Length: 1", "Content-Length: 1"),
    "list of lengths": head("POST /echo HTTP/1.1", "Content-Length: 1, 1"),
    "length with plus": head("POST /echo HTTP/1.1", "Content-Length: +1"),
    "negative length": head("POST /echo HTTP/1.1", "Content-Length: -1"),
    "hexadecimal length": head("POST /echo HTTP/1.1", "Content-Length: 0x1"),
    "no length": head("POST /echo HTTP/1.1", "Content-Length:"),
    "length and chunks": head("POST /echo HTTP/1.1", "Content-Length: 1", "Transfer-Encoding: chunked"),
    "chunks and length": head("POST /echo HTTP/1.1", "Transfer-Encoding: chunked", "Content-Length: 1"),
    "chunked twice": head("POST /echo HTTP/1.1", "Transfer-Encoding: chunked", "Transfer-Encoding: chunked"),
    "chunks in HTTP/1.0": head("POST /echo HTTP/1.0", "Transfer-Encoding: chunked"),
    "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(range(64)),
    "nothing but nul": b"\0" * 100,
    "HTTP/2 preface": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
}
CHUNKS = {
    "no size": b"\r\n", "bad size": b"x\r\n", "negative size": b"-1\r\n", "size with blank": b" 5\r\nhello\r\n",
    "size with plus": b"+5\r\nhello\r\n", "size with prefix": b"0x5\r\nhello\r\n", "line feed alone": b"5\nhello\r\n",
    "no end": b"5\r\nhelloX\r\n", "too many digits": b"0" * 40 + b"5\r\n", "huge": b"fffffffffffffffff\r\n",
    "bad trailer": b"0\r\nX\r\n\r\n", "folded trailer": b"0\r\nX: y\r\n z\r\n\r\n",
}


@pytest.mark.parametrize("name", MALFORMED)
def test_malformed(server, name):
    statuses = (400, 501, 505) if name in ("HTTP/2 preface", "bad version", "other protocol", "chunks in HTTP/1.0",
                                           "chunked twice", "TLS") else (400,)
    check_refused(server, MALFORMED[name], *statuses)


@pytest.mark.parametrize("name", CHUNKS)
def test_malformed_chunks(server, name):
    statuses = (400, 413) if name in ("huge", "too many digits") else (400,)
    check_refused(server, head("POST /echo HTTP/1.1", "Transfer-Encoding: chunked") + CHUNKS[name], *statuses)


@pytest.mark.parametrize("name", ["dot segments", "two lengths", "no host", "nul in value"])
def test_malformed_byte_by_byte(server, name):
    connection = server.connect()
    try:
        for n in range(len(MALFORMED[name])):
            connection.send(MALFORMED[name][n:n + 1])
    except ConnectionError:
        pass  # refused before its end
    expect.check_problem(connection.receive("POST"), 400)


def test_malformed_after_good(server):
    """What came before on the same connection is answered first."""
    connection = server.connect()
    connection.send(head("GET /echo HTTP/1.1") + MALFORMED["two hosts"] + head("GET /echo HTTP/1.1"))
    assert connection.receive().status == 200
    expect.check_problem(connection.receive(), 400)
    assert connection.receive_end() == b""


def test_malformed_after_held(server, gate):
    connection = server.connect()
    connection.request("POST", "/job", b"x").send(MALFORMED["two hosts"])
    gate.wait_begun()
    gate.open("d")
    assert connection.receive("POST").body == b"x"
    expect.check_problem(connection.receive(), 400)
    assert connection.receive_end() == b""


LIMITS = {
    "target": (head("GET /" + "x" * 100000 + " HTTP/1.1"), 414),
    "target without end": (b"GET /" + b"x" * 300000, 414),
    "header line": (head("GET /echo HTTP/1.1", "X: " + "y" * 100000), 431),
    "header line without end": (b"GET /echo HTTP/1.1\r\nHost: h\r\nX: " + b"y" * 300000, 431),
    "header lines": (head("GET /echo HTTP/1.1", *[f"X-{n}: y" for n in range(5000)]), 431),
    "header section": (head("GET /echo HTTP/1.1", *["X: " + "y" * 4000] * 50), 431),
    "method": (head("BREW /echo HTTP/1.1"), 501),
    "lower case method": (head("get /echo HTTP/1.1"), 501),
    "CONNECT": (head("CONNECT h:80 HTTP/1.1"), (400, 501)),
    "TRACE": (head("TRACE /echo HTTP/1.1"), 501),
    "gzip": (head("POST /echo HTTP/1.1", "Transfer-Encoding: gzip"), 501),
    "gzip, chunked": (head("POST /echo HTTP/1.1", "Transfer-Encoding: gzip, chunked"), 501),
    "chunked, gzip": (head("POST /echo HTTP/1.1", "Transfer-Encoding: chunked, gzip"), (400, 501)),
    "2.0": (head("GET /echo HTTP/2.0"), 505),
    "1.2": (head("GET /echo HTTP/1.2"), 505),
    "0.9": (head("GET /echo HTTP/0.9"), 505),
    "length without end": (head("POST /echo HTTP/1.1", "Content-Length: 99999999999999999999999999"), (400, 413)),
    "length of 64 bits": (head("POST /echo HTTP/1.1", "Content-Length: 18446744073709551615"), 413),
}


@pytest.mark.parametrize("name", LIMITS)
def test_limits(server, name):
    data, status = LIMITS[name]
    check_refused(server, data, *(status if isinstance(status, tuple) else (status,)))


def test_just_below_limits(server):
    assert server.get("/args/" + "x" * 2000).body == b"x" * 2000
    assert server.get("/echo?" + "x" * 4000).status == 200
    assert server.get("/echo", {"X": "y" * 4000}).status == 200
    assert server.get("/echo", [(f"X-{n}", "y") for n in range(50)]).status == 200


@pytest.mark.parametrize("raw, value", [
    ("a", b"a"), ("a%20b", b"a b"), ("%2e%2e%2e", b"..."), ("a+b", b"a+b"), ("%C3%A9", "é".encode()), ("%25", b"%"),
    ("%7Bx%7D", b"{x}"), ("a;b=c", b"a;b=c"), ("~!$&'()*,:@", b"~!$&'()*,:@"), ("%ff%fe", b"\xff\xfe")])
def test_path_parameter(server, raw, value):
    assert server.get(f"/args/{raw}").body == value
