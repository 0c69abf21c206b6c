"""The HTTP front: what is refused and how, and what a connection goes through."""

import hashlib

import pytest

import expect
from harness import echo, eventually, job, route, shell
from styles import unknown_id
from wire import Connection

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


def test_pipelining(server, gate):
    """Answers come in the order of the requests, held ones too, and everything after them waits."""
    connection = server.connect()
    connection.request("POST", "/job", b"one")
    connection.request("GET", "/args/two")
    connection.request("POST", "/job", b"three")
    connection.request("GET", "/nothing")
    connection.request("GET", "/args/four", fields={"Connection": "close"})
    connection.request("GET", "/args/never")
    gate.wait_begun()
    assert server.get("/args/other").body == b"other"
    assert connection.is_quiet()
    gate.open("d")
    assert connection.receive("POST").body == b"one"
    assert connection.receive().body == b"two"
    gate.wait_begun()
    gate.open("d")
    assert connection.receive("POST").body == b"three"
    assert connection.receive().status == 404
    last = connection.receive()
    assert last.body == b"four" and last.get("Connection") == "close"
    assert connection.receive_end() == b""


def test_pipelining_many(server):
    connection = server.connect()
    connection.send(b"".join(head(f"GET /operations/{n} HTTP/1.1") for n in range(500)))
    for _ in range(500):
        assert connection.receive().status == 404
    assert connection.is_quiet()


def test_keep_alive(server):
    connection = server.connect()
    for n in range(20):
        response = connection.request("POST", "/echo", b"%d" % n).receive("POST")
        assert response.body == b"%d" % n and response.get("Connection") in (None, "keep-alive")
    assert connection.request("GET", "/nothing").receive().status == 404
    assert connection.request("POST", "/small", b"x" * 11).receive("POST").status == 413
    assert connection.request("POST", "/echo", b"x").receive("POST").status == 200


@pytest.mark.parametrize("value", ["close", "Close", "keep-alive, close", "x,close"])
def test_close(server, value):
    connection = server.connect()
    response = connection.request("POST", "/echo", b"x", {"Connection": value}).receive("POST")
    assert response.body == b"x" and response.get("Connection") == "close"
    assert connection.receive_end() == b""


def test_http_1_0(server, gate):
    connection = server.connect()
    response = connection.request("GET", "/args/x", version="1.0").receive()
    assert response.body == b"x" and response.get("Connection") in (None, "close")
    assert response.get("Transfer-Encoding") is None
    assert connection.receive_end() == b""
    connection = server.connect()
    for _ in range(2):
        response = connection.request("GET", "/args/x", None, {"Connection": "keep-alive"}, "1.0").receive()
        assert response.body == b"x" and response.get("Connection").lower() == "keep-alive"
    connection = server.connect()
    connection.send(b"GET /args/x HTTP/1.0\r\n\r\n")
    assert connection.receive().body == b"x", "HTTP/1.0 needs no Host"
    connection = server.connect()
    connection.request("POST", "/job", b"x", version="1.0")
    gate.wait_begun()
    gate.open("d")
    assert connection.receive("POST").body == b"x"
    assert connection.receive_end() == b""


def test_empty_line_before_request(server):
    """A client that ends a body with one CRLF too many (RFC 9112, 2.2)."""
    connection = server.connect()
    connection.send(b"\r\n" + head("GET /args/x HTTP/1.1"))
    assert connection.receive().body == b"x"


def test_request_in_pieces(server):
    connection = server.connect()
    data = head("POST /echo HTTP/1.1", "Content-Length: 5") + b"hello"
    for n in range(len(data)):
        connection.send(data[n:n + 1])
    assert connection.receive("POST").body == b"hello"


def test_unread_body_of_refused_request(server):
    """A body that nobody wants does not become the next request."""
    connection = server.connect()
    connection.request("POST", "/nothing", head("GET /args/smuggled HTTP/1.1"))
    assert connection.receive("POST").status == 404
    assert connection.request("GET", "/args/x").receive().body == b"x"


@pytest.mark.parametrize("kind", ["sync", "result"])
def test_slow_reader(server, kind):
    """Who does not read a large answer holds nobody up, and gets every byte in the end."""
    if kind == "sync":
        slow = server.begin("GET", "/big")
    else:
        id_ = server.post("/big?async=true").get("Location").rpartition("/")[2]
        assert server.get(f"/v1/operationStatus/{id_}", {"Prefer": "wait=20"}).json()["status"] == "SUCCESS"
        server.kept_descriptors = 1
        slow = server.begin("GET", f"/operations/{id_}")
    eventually(lambda: not slow.is_quiet(), "the beginning of the answer")
    for n in range(50):
        assert server.get(f"/args/{n}").body == b"%d" % n
    response = slow.receive()
    assert response.status == 200 and len(response.body) == 20 << 20
    assert hashlib.sha256(response.body).digest() == hashlib.sha256(b"x" * (20 << 20)).digest()
    assert slow.request("GET", "/args/next").receive().body == b"next"


def test_slow_reader_leaves(server):
    for leave in ("close", "reset", "finish_sending"):
        slow = server.begin("GET", "/big")
        eventually(lambda: not slow.is_quiet(), "the beginning of the answer")
        getattr(slow, leave)()
        assert server.get("/args/x").body == b"x"


def test_idle_timeout(serve, gate):
    """A connection without a request is closed; one that is held is not idle."""
    server = serve([echo(), job("/job", gate)], idle_timeout="150ms", header_timeout="150ms")
    silent, used, held = server.connect(), server.connect(), server.connect()
    held.request("POST", "/job", b"x")
    gate.wait_begun()
    assert used.request("POST", "/echo", b"x").receive("POST").status == 200
    assert used.receive_end() == b""
    end = silent.receive_end()
    assert end == b"" or end.startswith(b"HTTP/1.1 408 ")
    assert server.post("/job", b"", {"Prefer": "respond-async, wait-ms=300"}).status == 202
    gate.wait_begun()
    assert held.is_quiet()
    gate.open("dd")
    assert held.receive("POST").body == b"x"


@pytest.mark.parametrize("data", [b"G", b"GET /echo HTTP/1.1\r\n", b"GET /echo HTTP/1.1\r\nHost: h\r\nX: ",
                                  b"POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhe"])
def test_header_timeout(serve, data):
    """A request that does not come to its end is given up, with 408 or without a word."""
    server = serve([echo()], header_timeout="150ms", idle_timeout="1h")
    connection = server.connect()
    connection.send(data)
    end = connection.receive_end()
    assert end == b"" or end.startswith(b"HTTP/1.1 408 "), end


def test_trickle_is_cut(serve):
    """Bytes that keep coming do not lengthen the time for a header."""
    server = serve([echo()], header_timeout="200ms", idle_timeout="1h")
    connection = server.connect()
    connection.send(b"GET /echo HTTP/1.1\r\nHost: h\r\n")

    def is_cut():
        try:
            connection.send(b"X: y\r\n")
        except OSError:
            return True
        return not connection.is_quiet()

    eventually(is_cut, "the connection to be cut", 5)


def test_expect_continue(server):
    connection = server.connect()
    connection.request("POST", "/echo", fields={"Content-Length": "5", "Expect": "100-continue"})
    interim = connection.receive("POST")
    assert interim.status == 100 and interim.fields == []
    connection.send(b"hello")
    assert connection.receive("POST").body == b"hello"
    connection.request("POST", "/echo", b"hello", {"Expect": "100-Continue"})
    response = connection.receive("POST")
    while response.status == 100:
        response = connection.receive("POST")
    assert response.body == b"hello"


def test_expect_continue_refused(server):
    """The body is not asked for when it would be too large."""
    connection = server.connect()
    connection.request("POST", "/echo", fields={"Content-Length": "999999999", "Expect": "100-continue"})
    expect.check_problem(connection.receive("POST"), 413)
    assert connection.receive_end() == b""
    connection = server.connect()
    connection.request("POST", "/echo", fields={"Content-Length": "5", "Expect": "200-ok"})
    expect.check_problem(connection.receive("POST"), 417)


def test_half_close_after_request(server):
    """A client that says that it sends no more and waits for a quick answer gets it, or is taken to have left."""
    connection = server.connect()
    connection.request("GET", f"/operations/{unknown_id()}").finish_sending()
    end = connection.receive_end()
    assert end == b"" or end.startswith(b"HTTP/1.1 404 ")


def test_many_connections(server):
    connections = [server.connect() for _ in range(300)]
    for connection in connections:
        connection.request("GET", f"/operations/{unknown_id()}")
    for connection in connections:
        assert connection.receive().status == 404


def test_listens(serve, tmp_path):
    path = f"unix:{tmp_path}/socket"
    server = serve([echo()], listen=["127.0.0.1:0", path, "[::1]:0"])
    assert len(server.addresses) == 3 and server.addresses[1] == path
    for address in server.addresses:
        with Connection(address, expect.check_answer) as connection:
            assert connection.request("POST", "/echo", b"x").receive("POST").body == b"x"


def test_unix_socket(serve, tmp_path):
    server = serve([echo()], listen=f"unix:{tmp_path}/socket")
    response = server.post("/echo?async=true", b"x")
    assert response.status == 202 and response.get("Location").startswith("http://localhost/operations/")
    server.end()
    server.start()  # where the socket of an ended server may stand
    server.kill()
    server.start()  # where the socket of a dead one does stand
    assert server.post("/echo", b"x").body == b"x"
