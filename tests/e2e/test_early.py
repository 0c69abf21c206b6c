"""What can be refused by the head of a request is refused before its body has come."""

import pytest

import expect
from exposition import Exposition, scrape
from harness import echo, eventually, route, shell
from principals import HASHES, basic, bearer, check_challenge, htpasswd, tokens
from styles import unknown_id
from tls_client import Client, authority, files, listen, trusting  # noqa: F401: fixtures

BIG = 4 << 20  # more than the buffers of a socket take


@pytest.fixture
def users(tmp_path):
    (tmp_path / "users").write_text(htpasswd(ann=HASHES["bcrypt"], bob=HASHES["bcrypt"], slow=HASHES["slow"]))
    (tmp_path / "tokens").write_text(tokens(robot="tok-robot"))
    return {"basic": str(tmp_path / "users"), "bearer": str(tmp_path / "tokens")}


ROUTES = [echo(), echo("/ours", users=["bob"]), echo("/small", max_body="10B"), echo("/typed", request_types=["text/plain"]),
          {"path": "/things", "collection": {"name": "things"}},
          route("/status", shell("cat"), style="status", max_body="10B")]


@pytest.fixture
def server(serve, users):
    return serve(ROUTES, auth=users, max_body="8MiB", admin={"listen": "127.0.0.1:0"})


REFUSED = [
    ("POST", "/echo", {}, 401, "unauthorized"),
    ("POST", "/nothing", {}, 401, "unauthorized"),
    ("POST", "/echo", {"Authorization": "Basic !"}, 401, "unauthorized"),
    ("POST", "/echo", bearer("wrong"), 401, "unauthorized"),
    ("POST", "/echo", basic("ann", "wrong"), 401, "unauthorized"),
    ("POST", "/echo", basic("nobody"), 401, "unauthorized"),
    ("POST", "/ours", basic("ann"), 403, "forbidden"),
    ("POST", "/ours", bearer("tok-robot"), 403, "forbidden"),
    ("POST", "/nothing", bearer("tok-robot"), 404, "not-found"),
    ("PUT", "/echo", bearer("tok-robot"), 405, "method-not-allowed"),
    ("PUT", "/things", bearer("tok-robot"), 405, "method-not-allowed"),
    ("POST", f"/operations/{unknown_id()}", bearer("tok-robot"), 405, "method-not-allowed"),
    ("POST", "/echo?async=maybe", bearer("tok-robot"), 400, "invalid-parameter"),
    ("POST", "/small", bearer("tok-robot"), 413, "content-too-large"),
    ("POST", "/status", bearer("tok-robot"), 413, "content-too-large"),
    ("POST", "/typed", bearer("tok-robot"), 415, "unsupported-media-type"),
    ("POST", "/typed", {**bearer("tok-robot"), "Content-Type": "text/html"}, 415, "unsupported-media-type"),
]


def refused(connection, status, problem):
    """The answer, which is the last of the connection."""
    answer = connection.receive("POST")
    expect.check_problem(answer, status, problem)
    assert answer.get("Connection") == "close"
    assert (answer.status == 405) == bool(answer.all("Allow"))
    connection.finish_sending()
    assert connection.receive_end() == b""
    return answer


@pytest.mark.parametrize("expects", [{}, {"Expect": "100-continue"}], ids=["", "expect"])
@pytest.mark.parametrize("method, target, fields, status, problem", REFUSED)
def test_refused(server, method, target, fields, status, problem, expects):
    """Though nothing of the body has come, and in place of 100 (Continue) where that is expected."""
    connection = server.connect().request(method, target, None, {**fields, **expects, "Content-Length": "11"})
    refused(connection, status, problem)


@pytest.mark.parametrize("rest", ["", "a", "a" * 10])
def test_part_of_a_body(server, rest):
    connection = server.connect().request("POST", "/nothing", rest.encode(), {**bearer("tok-robot"), "Content-Length": "11"})
    refused(connection, 404, "not-found")


@pytest.mark.parametrize("rest", [b"", b"3\r\nab", b"3\r\nabc\r\n"])
def test_chunks(server, rest):
    fields = {**basic("ann"), "Transfer-Encoding": "chunked"}
    refused(server.connect().request("POST", "/nothing", rest, fields), 404, "not-found")


@pytest.mark.parametrize("who", [basic("ann"), bearer("tok-robot")], ids=["password", "token"])
@pytest.mark.parametrize("first, next_", [(b"b\r\n", b""), (b"", b"b\r\n"), (b"4\r\nabcd\r\n", b"7\r\n"), (b"fff", b"\r\n")])
def test_chunks_beyond_the_route_s_limit(server, first, next_, who):
    """Are refused when they are announced, though other routes would take them."""
    connection = server.connect().request("POST", "/small", first, {**who, "Transfer-Encoding": "chunked"})
    connection.send(next_)
    refused(connection, 413, "content-too-large")


def test_chunks_within_the_route_s_limit(server):
    """The limit is that of one request: the next one on the connection has its own."""
    connection = server.connect()
    for path, body in ("/small", b"x" * 10), ("/echo", b"y" * 100), ("/small", b"z" * 10):
        fields = {**basic("ann"), "Transfer-Encoding": "chunked"}
        connection.request("POST", path, b"%x\r\n" % len(body), fields).send(body + b"\r\n0\r\n\r\n")
        answer = connection.receive("POST")
        assert (answer.status, answer.body) == (200, body)


@pytest.mark.parametrize("fields", [basic("ann"), bearer("tok-robot")], ids=["password", "token"])
def test_passed(server, fields):
    """Whoever may call is told to go on, and is served; the connection stays."""
    connection = server.connect()
    for _ in range(2):
        connection.request("POST", "/echo", None, {**fields, "Expect": "100-continue", "Content-Length": "3"})
        assert connection.receive().status == 100
        connection.send(b"abc")
        answer = connection.receive("POST")
        assert (answer.status, answer.body) == (200, b"abc")


def test_body_before_the_check_ends(server):
    """What comes while a password is checked is not lost, the next request neither."""
    connection = server.connect().request("POST", "/echo", None, {**basic("slow"), "Content-Length": str(BIG)})
    connection.send(b"x" * BIG)
    connection.request("POST", "/echo", b"next", basic("ann"))
    assert len(connection.receive("POST").body) == BIG
    assert connection.receive("POST").body == b"next"


@pytest.mark.parametrize("fields, status", [({}, 401), (basic("ann", "wrong"), 401), (basic("ann"), 404)],
                         ids=["nobody", "wrong", "nothing"])
def test_who_sends_all_the_same(server, fields, status):
    """A client that sends its whole body before it reads gets to read the answer."""
    connection = server.connect().request("POST", "/nothing", None, {**fields, "Content-Length": str(BIG)})
    connection.send(b"x" * BIG)
    assert connection.receive("POST").status == status


@pytest.mark.parametrize("fields", [0, 60], ids=["few fields", "many fields"])
@pytest.mark.parametrize("behind", [False, True], ids=["alone", "behind another"])
@pytest.mark.parametrize("cut", [4, 20, 60, -30, -2])
def test_head_in_pieces(server, cut, behind, fields):
    """Is refused once the head is whole, before any of the body is."""
    head = b"POST /echo HTTP/1.1\r\nHost: h\r\n" + b"X: y\r\n" * fields + b"Content-Length: 3\r\n\r\n"
    connection = server.connect()
    connection.send(b"GET /nowhere HTTP/1.1\r\nHost: h\r\n\r\n" * behind + head[:cut])
    eventually(lambda: server.ask_admin("/healthz").status == 200)
    if behind:
        check_challenge(connection.receive())
    connection.send(head[cut:])
    check_challenge(connection.receive("POST"))
    connection.finish_sending()
    assert connection.receive_end() == b""


def test_pipelined_head(server):
    """Is judged when its turn has come."""
    connection = server.connect()
    connection.request("POST", "/echo", b"one", bearer("tok-robot"))
    connection.request("POST", "/echo", b"tw", {"Content-Length": "3"})
    assert connection.receive("POST").body == b"one"
    check_challenge(connection.receive("POST"))


def test_client_leaves_while_checked(server):
    for end in ("close", "reset"):
        for _ in range(3):
            connection = server.connect().request("POST", "/echo", b"x", {**basic("slow", "wrong"), "Content-Length": "9"})
            getattr(connection, end)()
    held = "deferd_http_requests_held"
    eventually(lambda: sum(Exposition(server.ask_admin("/metrics").body.decode()).find(held).values()) == 0)
    assert server.post("/echo", b"x", bearer("tok-robot")).body == b"x"


def test_late_verdict(serve, users):
    """The deadline of the request does not wait for a check, of which there are more than can be made in that time."""
    server = serve(ROUTES, auth=users, header_timeout="300ms")
    waiting = [server.connect().request("POST", "/echo", None, {**basic("slow", f"wrong{i}"), "Content-Length": "9"})
               for i in range(10)]
    expect.check_problem(waiting[-1].receive("POST"), 408, "request-timeout")


def test_end_while_checked(server):
    for i in range(5):
        server.connect().request("POST", "/echo", None, {**basic("slow", f"wrong{i}"), "Content-Length": "9"})
    server.terminate()
    server.terminate()
    server.wait_end()


def test_tls(serve, users, authority, files):
    server = serve(ROUTES, auth=users, listen=listen(files), max_body="8MiB")
    context = trusting(authority)
    for fields, status in (({}, 401), (basic("ann", "wrong"), 401), (basic("ann"), 404)):
        client = Client(server, context)
        client.request("POST", "/nothing", None, {**fields, "Content-Length": str(BIG)})
        client.send(b"x" * BIG)
        assert client.receive("POST").status == status
    client = Client(server, context).request("POST", "/echo", None, {**basic("ann"), "Content-Length": str(BIG)})
    client.send(b"x" * BIG)
    assert len(client.receive("POST").body) == BIG


def test_tls_in_pieces(serve, users, authority, files):
    server = serve(ROUTES, auth=users, listen=listen(files), max_body="8MiB")
    client = Client(server, trusting(authority))
    client.send(b"POST /echo HTTP/1.1\r\nHost: h\r\n")
    eventually(lambda: Client(server, trusting(authority)).request("GET", "/").receive().status == 401)
    client.send(b"Content-Length: 9\r\n\r\nx")
    assert client.receive("POST").status == 401
    client = Client(server, trusting(authority))
    for body in b"one", b"two":
        client.request("POST", "/echo", body, bearer("tok-robot"))
    client.request("POST", "/echo", b"x", {"Content-Length": "9"})
    assert [client.receive("POST").body for _ in range(2)] == [b"one", b"two"]
    assert client.receive("POST").status == 401


def test_without_authentication(serve):
    server = serve(ROUTES[:1])
    refused(server.connect().request("POST", "/nothing", None, {"Content-Length": "1"}), 404, "not-found")
    refused(server.connect().request("DELETE", "/echo", None, {"Content-Length": "1"}), 405, "method-not-allowed")


def retained(server):
    return scrape(server).get("deferd_retained_bytes")


def test_bodies_of_nobody(server):
    """Of many clients without credentials whose heads come in two pieces nothing is kept."""
    connections = [server.connect() for _ in range(24)]
    for connection in connections:
        connection.send(b"POST /echo HTTP/1.1\r\nHost: h\r\n")
    eventually(lambda: server.ask_admin("/healthz").status == 200)
    for connection in connections:
        connection.send(f"Content-Length: {8 << 20}\r\n\r\n".encode())
        check_challenge(connection.receive("POST"))
        connection.send(b"x" * (1 << 20))
        assert retained(server) == 0


@pytest.mark.parametrize("framing", ["length", "chunks"])
def test_bodies_that_come_in_are_counted(serve, framing):
    """Against max_retained, beside what is kept: one that is too much is refused, and what was counted is given back."""
    server = serve([echo()], max_body="8MiB", max_retained="2MiB", admin={"listen": "127.0.0.1:0"})
    size, rest = 3 << 19, b"x" * 10

    def begin():
        if framing == "length":
            return server.connect().request("POST", "/echo", None, {"Content-Length": str(size + len(rest))})
        return server.connect().request("POST", "/echo", b"%x\r\n" % (size + len(rest)), {"Transfer-Encoding": "chunked"})

    first = begin()
    first.send(b"x" * size)
    eventually(lambda: retained(server) >= size, "the first body")
    second = begin()
    second.send(b"x" * size)
    answer = second.receive("POST")
    expect.check_overload(answer, (503,), "storage")
    second.close()
    eventually(lambda: retained(server) < size + (1 << 16), "what the second has taken")
    left = begin()
    left.send(b"x" * 1000)
    left.reset()
    first.send(rest + (b"\r\n0\r\n\r\n" if framing == "chunks" else b""))
    assert len(first.receive("POST").body) == size + len(rest)
    eventually(lambda: retained(server) == 0, "all to be given back")
    assert server.post("/echo", b"y" * size).status == 200
