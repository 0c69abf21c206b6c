"""Upstream work: what is sent on, what comes back, and other servers at their worst."""

import gzip
import hashlib
import socket
import threading

import pytest

from expect import check_problem
from fixtures import KEPT_BY_TRANSFERS
from harness import eventually
from upstream import answer_once, make_certificate, sends, simple

# What is sent on.


@pytest.mark.parametrize("path, base, asked, wanted", [
    ("/{rest...}", "", "/a/b?x=1&y=%20", "/a/b?x=1&y=%20"),
    ("/api/{rest...}", "/base", "/api/x/y", "/base/x/y"),
    ("/api/{rest...}", "/base", "/api/x%2Fy/z;a=b", "/base/x%2Fy/z;a=b"),
    ("/api/{rest...}", "", "/api/x/y", "/api/x/y"),
    ("/tok/hold", "/base/hold", "/tok/hold", "/base/hold"),
    ("/tok/hold", "/other", "/tok/hold?a", "/other?a"),
    ("/a/{name}/c", "/v1", "/a/b/c", "/v1/b/c"),
    ("/{rest...}", "/v1", "/a?", "/v1/a?"),
    ("/{rest...}", "", "/a?async=false", "/a"),
    ("/{rest...}", "", "/a?a=1&&b=2&", "/a?a=1&&b=2&"),
    ("/{rest...}", "", "/a?a=1&&async=false&b=2&", "/a?a=1&&b=2&"),
    ("/{rest...}", "", "/a?&a=1&async=0", "/a?&a=1"),
    ("/{rest...}", "", "/[a]|^?[b]={c|d}&a=x^2&b=`&async=0&c=\\&d=100%&e=%zz&f=%41",
     "/%5Ba%5D%7C%5E?[b]={c|d}&a=x%5E2&b=%60&c=%5C&d=100%25&e=%25zz&f=%41"),
])
def test_path(upstream, front, path, base, asked, wanted):
    other = upstream(simple)
    assert front(other, path, base).get(asked).status == 200
    assert other.requests[-1].target == wanted


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
@pytest.mark.parametrize("body", [None, b"", b"x", bytes(range(256)) * 2000], ids=["none", "empty", "one", "large"])
def test_method_and_body(upstream, front, method, body):
    other = upstream(simple)
    server = front(other)
    assert server.call(method, "/up/x", body).body == b"hello"
    request = other.requests[0]
    assert (request.method, request.body) == (method, body or b"")
    assert request.get("Transfer-Encoding") is None and request.get("Expect") is None
    assert request.get("Content-Type") is None and request.get("Accept") is None


def test_large_body_from_the_spool(upstream, front, tmp_path):
    """Sent twice: the kept connection is lost while the second call's body is on its way."""
    body = bytes(range(251)) * 40000
    other = upstream(answer_once)
    server = front(other, workers=1, route={"max_body": "16MiB"}, state=str(tmp_path / "deferd.db"))
    for _ in range(2):
        assert server.call("PUT", "/up/x", body).status == 200
    assert [request.body == body for request in other.requests] == [True] * 3


def test_fields_that_are_sent(upstream, front):
    other = upstream(simple)
    trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    server = front(other, headers={"X-Own": "ours", "X-Empty": ""})
    server.get("/up/x", [("X-End", "to end"), ("X-End", "again"), ("X-Void", ""), ("Connection", "X-Hop, keep-alive"), ("X-Hop", "1"),
                      ("TE", "trailers"), ("Keep-Alive", "5"), ("Upgrade", "h2c"), ("Prefer", "wait=5"), ("Cookie", "a=b"),
                      ("Authorization", "Basic eDp5"), ("Idempotency-Key", "k"), ("traceparent", trace), ("X-Own", "theirs"),
                      ("Forwarded", "for=192.0.2.1"), ("Accept-Encoding", "br"), ("User-Agent", "me")])
    request = other.requests[0]
    names = {name.lower() for name, _ in request.fields}
    assert not names & {"connection", "x-hop", "te", "keep-alive", "upgrade", "prefer", "cookie", "authorization",
                        "idempotency-key", "content-length", "accept", "expect"}
    assert request.get("Host") == f"127.0.0.1:{other.port}"
    assert request.all("X-End") == ["to end", "again"] and request.get("X-Void") == ""
    assert request.get("traceparent") == trace
    assert (request.get("X-Own"), request.get("X-Empty")) == ("ours", "")
    assert (request.get("Accept-Encoding"), request.get("User-Agent")) == ("br", "me")
    assert request.all("Forwarded") == [f'for=127.0.0.1;host="{server.address}";proto=http']


SPOOFED = [("X-Forwarded-For", "192.0.2.1"), ("X-Forwarded-Proto", "https"), ("X-Forwarded-Host", "out.example"),
           ("Forwarded", "for=192.0.2.1"), ("X_Forwarded_For", "192.0.2.2")]


@pytest.mark.parametrize("trusted", [None, ["10.0.0.0/8", "unix"], ["127.0.0.0/8"]])
def test_who_called(upstream, serve, trusted):
    """A client's own words count only where it is a trusted proxy."""
    other = upstream(simple)
    server = serve([{"path": "/up/{rest...}", "upstream": {"url": other.origin}}], **({"trusted_proxies": trusted} if trusted else {}))
    server.kept_descriptors = KEPT_BY_TRANSFERS
    assert server.get("/up/x", SPOOFED).status == 200
    request = other.requests[0]
    ours = f'for=127.0.0.1;host="{server.address}";proto=http'
    told = [request.all(name) for name in ("X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host", "Forwarded", "X_Forwarded_For")]
    if trusted == ["127.0.0.0/8"]:
        assert told == [["192.0.2.1, 127.0.0.1"], ["https"], ["out.example"], ["for=192.0.2.1", ours], []]
    else:
        assert told == [["127.0.0.1"], ["http"], [server.address], [ours], []]


def test_principal(upstream, front, serve, tmp_path):
    """The caller's name reaches the upstream in a field that no client can send."""
    other = upstream(simple)
    spoofed = [("X-Remote-User", "admin"), ("x_remote_user", "admin")]
    front(other, principal_header="X-Remote-User", headers={"X-Remote-User": "set"}).get("/up/x", spoofed)
    tokens = tmp_path / "tokens"
    tokens.write_text(f"alice:{hashlib.sha256(b'secret').hexdigest()}\n")
    tokens.chmod(0o600)
    server = serve([{"path": "/up/{rest...}", "upstream": {"url": other.origin, "principal_header": "X-Remote-User"}}],
                   auth={"bearer": str(tokens)})
    server.kept_descriptors = KEPT_BY_TRANSFERS
    server.get("/up/x", [("Authorization", "Bearer secret"), ("Connection", "X-Remote-User"), *spoofed])
    assert [request.all("X-Remote-User") for request in other.requests] == [[], ["alice"]]
    assert [request.all("X_Remote_User") for request in other.requests] == [[], []]


def test_credentials_and_key_where_the_route_says_so(upstream, front):
    other = upstream(simple)
    server = front(other, forward_credentials=True, pass_idempotency_key=True)
    server.post("/up/x", b"", {"Authorization": "Basic eDp5", "Cookie": "a=b", "Idempotency-Key": "k"})
    request = other.requests[0]
    assert (request.get("Authorization"), request.get("Cookie"), request.get("Idempotency-Key")) == ("Basic eDp5", "a=b", "k")


# What comes back.


def test_answer_as_it_is(upstream, front):
    packed = gzip.compress(b"x" * 1000)
    other = upstream(lambda peer, request: peer.answer(
        "404 Nothing", packed, "Content-Encoding: gzip", "X-A: 1", "X-A: 2", "Connection: X-Hop", "X-Hop: 1", "Keep-Alive: 5",
        "Date: Sat, 01 Jan 2000 00:00:00 GMT", "Cache-Control: private", "Set-Cookie: a=b"))
    response = front(other).get("/up/x")
    assert (response.status, response.body, response.get("Content-Encoding")) == (404, packed, "gzip")
    assert response.all("X-A") == ["1", "2"] and response.get("Set-Cookie") == "a=b"
    assert response.get("X-Hop") is None and response.get("Keep-Alive") is None
    assert response.get("Cache-Control") == "private" and not response.get("Date").endswith("2000 00:00:00 GMT")


@pytest.mark.parametrize("location, wanted", [
    ("{origin}/base/things/7?a=b#c", "{base}/api/things/7?a=b#c"),
    ("/base/things/7", "{base}/api/things/7"),
    ("7", "{base}/api/7"),
    ("../api2/7", "../api2/7"),
    ("/basement/7", "/basement/7"),
    ("/base/../other", "/base/../other"),
    ("http://example.com/base/7", "http://example.com/base/7"),
    ("https://127.0.0.1/base/7", "https://127.0.0.1/base/7"),
])
def test_location(upstream, front, location, wanted):
    other = upstream(lambda peer, request: peer.answer("201 Created", b"", f"Location: {location.format(origin=other.origin)}"))
    server = front(other, "/api/{rest...}", "/base")
    assert server.post("/api/things").get("Location") == wanted.format(base=server.base)


def test_link(upstream, front):
    """Each reference is mapped as that of Location is."""
    value = '<{origin}/base/a?b>; rel="next"; title="<{origin}/base/x>", <http://example.com/>; rel=help, <7>; rel=item'
    other = upstream(lambda peer, request: peer.answer("200 OK", b"", f"Link: {value.format(origin=other.origin)}", "Link: </base/z>"))
    server = front(other, "/api/{rest...}", "/base")
    assert server.get("/api/things").all("Link") == [
        f'<{server.base}/api/a?b>; rel="next"; title="<{other.origin}/base/x>", <http://example.com/>; rel=help, '
        f'<{server.base}/api/7>; rel=item, <{server.base}/api/z>']


def test_loop(serve, tmp_path):
    """A server that is its own upstream calls itself once."""
    port = socket.create_server(("127.0.0.1", 0))
    address = f"127.0.0.1:{port.getsockname()[1]}"
    port.close()
    server = serve([{"path": "/{rest...}", "upstream": {"url": f"http://{address}"}}], listen=address)
    server.kept_descriptors = KEPT_BY_TRANSFERS
    check_problem(server.get("/x"), 508, "loop")
    assert server.get("/x", {"Via": "1.1 deferd-0123456789abcdef, 1.0 other"}).status == 508


def test_asynchronous_calls_ask_for_identity(upstream, front):
    other = upstream(simple)
    server = front(other)
    server.post("/up/x", b"", {"Accept-Encoding": "gzip, br"})
    for fields in ({"Accept-Encoding": "gzip, br"}, {}):
        monitor = server.post("/up/x?async=true", b"", fields).get("Location").removeprefix(server.base)
        assert server.get(monitor, {"Prefer": "wait=20"}).body == b"hello"
    assert [request.all("Accept-Encoding") for request in other.requests] == [["gzip, br"], ["identity"], ["identity"]]


def test_redirect_is_not_followed(upstream, front):
    target = upstream(simple)
    other = upstream(lambda peer, request: peer.answer("302 Found", b"", f"Location: {target.origin}/x"))
    response = front(other).get("/up/x")
    assert (response.status, response.get("Location")) == (302, f"{target.origin}/x")
    assert not target.requests


def test_head_and_no_content(upstream, front):

    def handle(peer, request):
        if request.method == "HEAD":
            peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 12345\r\nX-A: 1\r\n\r\n")
        elif request.target == "/up/204":
            peer.send(b"HTTP/1.1 204 No Content\r\nX-A: 1\r\n\r\n")
        else:
            peer.send(b"HTTP/1.1 304 Not Modified\r\nContent-Length: 12345\r\nETag: \"1\"\r\n\r\n")

    other = upstream(handle)
    server = front(other, workers=1)
    connection = server.connect()
    for _ in range(2):
        for method, target, status in (("HEAD", "/up/x", 200), ("GET", "/up/204", 204), ("GET", "/up/304", 304)):
            response = connection.request(method, target).receive(method)
            assert (response.status, response.body) == (status, b"")
            assert response.all("Content-Length") == (["12345"] if method == "HEAD" else [])
    assert other.connections == 1


def test_asynchronous_head(upstream, front):
    """The upstream's length belongs to no body that a monitor sends."""
    other = upstream(lambda peer, request: peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 12345\r\nX-A: 1\r\n\r\n"))
    server = front(other)
    monitor = server.call("HEAD", "/up/x", fields={"Prefer": "respond-async"}).get("Location").removeprefix(server.base)
    response = server.get(monitor, {"Prefer": "wait=20"})
    assert (response.status, response.body, response.all("Content-Length"), response.get("X-A")) == (200, b"", ["0"], "1")


def test_interim_answers_are_passed_over(upstream, front):
    early = b"HTTP/1.1 103 Early Hints\r\nLink: </a>; rel=preload\r\n\r\n"
    other = upstream(sends(b"HTTP/1.1 100 Continue\r\n\r\n" + early + early + b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"))
    response = front(other).get("/up/x")
    assert (response.status, response.body, response.get("Link")) == (200, b"ok", None)


def test_chunks_with_extensions_and_trailers(upstream, front):
    other = upstream(sends(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-T\r\n\r\n"
                           b"3;a=b\r\nabc\r\n4 ;c=\"d\"\r\ndefg\r\n0\r\nX-T: 1\r\n\r\n", close=False))
    response = front(other).get("/up/x")
    assert (response.status, response.body) == (200, b"abcdefg")
    assert response.get("X-T") is None and response.get("Trailer") is None and response.get("Transfer-Encoding") is None


def test_body_until_the_end_of_the_connection(upstream, front):
    other = upstream(sends(b"HTTP/1.1 200 OK\r\nConnection: keep-alive\r\n\r\nbody"))
    assert front(other).get("/up/x").body == b"body"


def test_large_answer(upstream, front):
    size = 100 << 20
    piece = bytes(range(256)) * 4096

    def handle(peer, request):
        peer.send(f"HTTP/1.1 200 OK\r\nContent-Length: {size}\r\n\r\n".encode())
        for _ in range(size // len(piece)):
            peer.send(piece)

    server = front(upstream(handle), route={"max_result": "200MiB"})
    response = server.get("/up/x")
    assert len(response.body) == size and response.body == piece * (size // len(piece))


@pytest.mark.parametrize("head", [b"Content-Length: 1001", b"Transfer-Encoding: chunked", b"X: y"])
def test_too_large_answer(upstream, front, head):
    data = b"3e9\r\n" + b"x" * 1001 + b"\r\n0\r\n\r\n" if b"chunked" in head else b"x" * 1001
    other = upstream(sends(b"HTTP/1.1 200 OK\r\n" + head + b"\r\n\r\n" + data))
    check_problem(front(other, route={"max_result": 1000}).get("/up/x"), 500, "result-too-large")


def test_fields_that_are_no_utf8(upstream, front):
    """They come as they are; where JSON tells them, the rest of it can be read."""
    other = upstream(sends(b"HTTP/1.1 200 OK\r\nX-Name: caf\xe9\r\nX-Two: a\r\nx-two: \xff\xfe\"b\r\nContent-Length: 0\r\n\r\n",
                           close=False))
    server = front(other)
    final = server.post("/up/x")
    assert final.get("X-Name") == "caf\xe9"
    monitor = server.post("/up/x", fields={"Prefer": "respond-async, wait=0"}).get("GW-Async-Location")
    document = server.get(monitor, {"Prefer": "wait=20"}).json()
    fields = document["data"]["attributes"]["responseHeaders"]
    assert fields["X-Name"] == "caf\ufffd" and fields["X-Two"] == 'a, \ufffd\ufffd"b' and len(fields) == 2


@pytest.mark.parametrize("style", ["status", "token"])
def test_options_is_safe(upstream, front, style):
    """A browser asks before it calls: that is answered at once, whatever the style, and needs no key."""
    other = upstream(lambda peer, request: peer.answer("204 No Content", b"", "Access-Control-Allow-Origin: *"))
    server = front(other, "/up/{name}", route={"style": style, "idempotency": "required"})
    for target in ("/up/x", "/up/x?async=true", "/up/x?async=what"):
        response = server.call("OPTIONS", target, fields={"Idempotency-Key": "bad, key"})
        assert response.status == 204 and response.get("Access-Control-Allow-Origin") == "*", response
    assert [(request.method, request.target) for request in other.requests] == [("OPTIONS", "/up/x")] * 3
    response = server.call("OPTIONS", "/up/x", fields={"Prefer": "respond-async"})
    assert response.status == 202 and response.get("GW-Async-Location"), response


# Failures.


@pytest.mark.parametrize("data", [
    b"",
    b"junk\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabc",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nabc\r\n",
    b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nabc",
    b"HTTP/1.1 200 OK\r\nContent-Length: -2\r\n\r\nabc",
    b"HTTP/1.1 200 OK\r\nno colon\r\nContent-Length: 2\r\n\r\nok",
    b"HTTP/1.1 200 OK\r\nX: a\x01b\r\nContent-Length: 2\r\n\r\nok",
    b"HTTP/1.1 2000 OK\r\nContent-Length: 2\r\n\r\nok",
    b"HTTP/1.1 999 OK\r\nContent-Length: 2\r\n\r\nok",
    b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n",
    b"HTTP/1.1 200 OK\r\n" + b"X-Long: " + b"x" * 70000 + b"\r\n\r\n",
    b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 20000 + b"\r\n",
    b"HTTP/1.1 103 Early\r\nX: y\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nX-Long: " + b"x" * 300000 + b"\r\n\r\n",
], ids=range(16))
def test_broken_answer(upstream, front, data):
    server = front(upstream(sends(data)))
    document = check_problem(server.post("/up/x"), 502, "upstream-broken")
    assert "127.0.0.1" not in document["detail"] and "curl" not in str(document).lower()


def test_reset_half_way(upstream, front):

    def handle(peer, request):
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\nabc")
        peer.reset()
        return True

    check_problem(front(upstream(handle)).post("/up/x"), 502, "upstream-broken")


def test_nobody_there(upstream, front):
    other = upstream(simple)
    server = front(other)
    other.close()
    check_problem(server.post("/up/x"), 502, "upstream-unreachable")


def test_unknown_host(front):
    check_problem(front("http://no-such-host.invalid").get("/up/x"), 502, "upstream-unreachable")


def test_certificates(upstream, front, tmp_path):
    certificate, context = make_certificate(tmp_path)
    other = upstream(simple, context)
    check_problem(front(other).get("/up/x"), 502, "upstream-untrusted")
    assert not other.requests
    assert front(other, ca=str(certificate)).get("/up/x").body == b"hello"


def test_certificate_of_another(upstream, front, tmp_path):
    certificate, context = make_certificate(tmp_path, "192.0.2.1")
    other = upstream(simple, context)
    check_problem(front(other, ca=str(certificate)).get("/up/x"), 502, "upstream-untrusted")
    assert not other.requests


def test_trickle_and_stall(upstream, front):
    """A byte now and then keeps an answer from stalling, but not from taking too long."""
    done = threading.Event()

    def handle(peer, request):
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
        while request.target == "/up/trickle" and not done.wait(0.05):
            peer.send(b"x")
        peer.wait_closed()
        return True

    other = upstream(handle)
    stalls = front(other, stall_timeout="300ms")
    check_problem(stalls.post("/up/stall"), 504, "upstream-timeout")
    trickles = front(other, stall_timeout="5s", timeout="500ms")
    check_problem(trickles.post("/up/trickle"), 504, "upstream-timeout")
    done.set()


def test_run_timeout(upstream, front):
    other = upstream(lambda peer, request: peer.wait_closed() or True)
    check_problem(front(other, route={"run_timeout": "300ms"}).get("/up/x"), 504, "run-timeout")


# Asynchronous, cancelled, left alone.


def test_asynchronous(upstream, front):
    release = threading.Event()

    def handle(peer, request):
        release.wait()
        peer.answer("201 Created", b"made", f"Location: {other.origin}/things/1")

    other = upstream(handle)
    server = front(other)
    accepted = server.post("/up/things?async=true", b"x")
    assert accepted.status == 202
    other.wait_arrived()
    monitor = accepted.get("Location").removeprefix(server.base)
    assert server.get(monitor).status == 202
    release.set()
    ended = eventually(lambda: (response := server.get(monitor)).status != 202 and response)
    assert (ended.status, ended.body, ended.get("Location")) == (201, b"made", f"{server.base}/things/1")
    assert other.requests[0].target == "/up/things"


@pytest.mark.parametrize("begun", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc"])
def test_cancel_ends_the_transfer_at_once(upstream, front, begun):
    gone = threading.Event()

    def handle(peer, request):
        peer.send(begun)
        peer.wait_closed()
        gone.set()
        return True

    other = upstream(handle)
    server = front(other)
    monitor = server.post("/up/x?async=true").get("Location").removeprefix(server.base)
    other.wait_arrived()
    assert server.call("DELETE", monitor).status in (202, 204)
    assert gone.wait(5)
    check_problem(eventually(lambda: (response := server.get(monitor)).status != 202 and response), 410, "cancelled")


def test_client_that_leaves_does_not_stop_it(upstream, front):
    release = threading.Event()
    sent = threading.Event()

    def handle(peer, request):
        release.wait()
        peer.answer("200 OK", b"ok")
        sent.set()

    other = upstream(handle)
    server = front(other)
    connection = server.begin("POST", "/up/x?async=true", b"y")
    monitor = connection.receive("POST").get("Location").removeprefix(server.base)
    other.wait_arrived()
    connection.reset()
    release.set()
    assert sent.wait(5)
    assert eventually(lambda: (response := server.get(monitor)).status != 202 and response).body == b"ok"
