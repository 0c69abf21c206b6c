"""Browsers: a page of another origin starts nothing unless cors allows it, and a foreign name for the server is refused."""

import json

import pytest

import expect
from harness import echo, eventually, job
from principals import bearer, known_by_tokens
from styles import LOCATION, STYLES, routes

PAGE = "https://app.example.com"
FOREIGN = [{"Origin": "https://evil.example"}, {"Origin": "null"}, {"Origin": "https://app.example.com.evil.example"}, {"Origin": "http://127.0.0.1:1"},
           {"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example", "Sec-Fetch-Site": "same-origin"},
           {"Origin": "file://"}, {"Origin": "127.0.0.1"}]


@pytest.mark.parametrize("fields", FOREIGN, ids=lambda fields: ",".join(fields.values()))
@pytest.mark.parametrize("style", STYLES, ids=repr)
def test_foreign_pages_start_nothing(serve, gate, style, fields):
    server = serve(routes(gate))
    for method in ("POST", "PUT", "PATCH", "DELETE"):
        expect.check_problem(style.ask(server, method=method, fields=fields), 403, "foreign-origin")
    expect.check_problem(server.call("OPTIONS", style.path, None, fields), 403, "foreign-origin")
    assert gate.begun() == []
    id_ = style.start(server)
    gate.wait_begun()
    expect.check_problem(server.call("DELETE", f"/operations/{id_}", None, fields), 403, "foreign-origin")
    read = LOCATION.poll(server, id_, fields)
    assert read.status == 202 and read.get("Access-Control-Allow-Origin") is None
    gate.open("d")


def test_a_large_body_is_not_read(serve):
    """The head is enough."""
    server = serve([echo()])
    call = server.connect()
    call.send(f"POST /echo HTTP/1.1\r\nHost: {server.address}\r\nOrigin: https://evil.example\r\nContent-Length: 1000000\r\n\r\n".encode())
    expect.check_problem(call.receive("POST"), 403, "foreign-origin")


@pytest.mark.parametrize("fields", [{}, {"Sec-Fetch-Site": "same-origin"}, {"Sec-Fetch-Site": "none"}])
def test_own_pages(serve, fields):
    server = serve([echo()], public_url="https://api.example.com/base")
    for origin in (None, server.base, "https://api.example.com", "https://API.example.com:443"):
        assert server.post("/echo", b"x", {**fields, **({"Origin": origin} if origin else {})}).status == 200


@pytest.mark.parametrize("place", ["server", "route"])
@pytest.mark.parametrize("style", STYLES, ids=repr)
def test_allowed_pages(serve, gate, style, place):
    cors = {"origins": [PAGE, "http://localhost:3000"], "credentials": True, "max_age": "2m"}
    server = serve(routes(gate, **({"cors": cors} if place == "route" else {})), **({"cors": cors} if place == "server" else {}))
    page = {"Origin": PAGE, "Sec-Fetch-Site": "cross-site"}
    preflight = server.call("OPTIONS", style.path, None, {
        **page, "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "content-type, prefer"})
    assert preflight.status == 204
    assert preflight.get("Access-Control-Allow-Methods") == "POST"
    assert preflight.get("Access-Control-Allow-Headers") == "content-type, prefer"
    assert preflight.get("Access-Control-Max-Age") == "120"
    response = style.ask(server, fields=page)
    id_ = style.check_accepted(server, response)
    for answer in (preflight, response):
        assert answer.get("Access-Control-Allow-Origin") == PAGE and answer.get("Vary") == "Origin"
        assert answer.get("Access-Control-Allow-Credentials") == "true"
    assert {"Location", "GW-Async-Location", "Retry-After", "Link", "Preference-Applied", "ETag", "X-Request-Id"} <= set(
        response.get("Access-Control-Expose-Headers").split(", "))
    gate.wait_begun()
    gate.open("d")
    expect.check_problem(style.ask(server, fields={"Origin": "https://evil.example"}), 403, "foreign-origin")
    if place == "server":
        assert LOCATION.wait(server, id_).status == 200
        assert LOCATION.poll(server, id_, page).get("Access-Control-Allow-Origin") == PAGE


def test_every_page(serve):
    server = serve([echo(cors={"origins": ["*"]}), echo("/closed")])
    response = server.post("/echo", b"x", {"Origin": "https://any.example"})
    assert response.status == 200 and response.get("Access-Control-Allow-Origin") == "*" and response.get("Vary") is None
    assert response.get("Access-Control-Allow-Credentials") is None
    expect.check_problem(server.post("/closed", b"x", {"Origin": "https://any.example"}), 403, "foreign-origin")


def test_preflight_comes_before_log_in(serve, tmp_path):
    server = serve([echo()], cors={"origins": [PAGE]}, auth=known_by_tokens(tmp_path, "ann"))
    page = {"Origin": PAGE}
    assert server.call("OPTIONS", "/echo", None, {**page, "Access-Control-Request-Method": "POST"}).status == 204
    refused = server.post("/echo", b"x", page)
    assert refused.status == 401 and refused.get("Access-Control-Allow-Origin") == PAGE
    assert server.post("/echo", b"x", {**page, **bearer("tok-ann")}).status == 200
    expect.check_problem(server.call("OPTIONS", "/echo", None, {"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"}),
                         403, "foreign-origin")


def with_host(server, host, method="GET", target="/operations/3f0c9a52-7d1e-4b86-9e5a-c1d20b7f6e48"):
    call = server.connect()
    call.send(f"{method} {target} HTTP/1.1\r\nHost: {host}\r\nContent-Length: 0\r\n\r\n".encode())
    return call.receive(method)


@pytest.mark.parametrize("method, target", [("GET", "/operations/3f0c9a52-7d1e-4b86-9e5a-c1d20b7f6e48"), ("POST", "/echo"), ("GET", "/nothing")])
def test_hosts(serve, method, target):
    server = serve([echo()], public_url="https://api.example.com", hosts=["inner.example", "[2001:db8::1]"])
    port = server.address.rpartition(":")[2]
    for host in (server.address, "localhost", f"LOCALHOST:{port}", "app.localhost", "127.1.2.3", "[::1]:80", "api.example.com", "api.example.com:8443",
                 "inner.example:1", "localhost.", "[2001:db8::1]:8"):
        assert with_host(server, host, method, target).status != 421, host
    for host in ("evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "10.0.0.1", "xlocalhost", "example.com", "[::2]", "api.example.com.x"):
        expect.check_problem(with_host(server, host, method, target), 421, "misdirected")


def test_any_host_with_log_in(serve, tmp_path):
    server = serve([echo()], auth=known_by_tokens(tmp_path, "ann"))
    assert with_host(server, "evil.example").status == 401


def test_the_admin_listener(serve):
    server = serve([echo()], admin={"listen": "127.0.0.1:0"}, hosts=["inner.example"])
    assert server.ask_admin("/healthz").status == 200
    for host, status in (("evil.example", 421), ("inner.example", 200), ("localhost", 200)):
        call = server.connect(server.admin)
        call.send(f"GET /healthz HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
        assert call.receive("GET").status == status, host


def test_unix_sockets_have_no_name(serve, tmp_path):
    server = serve([echo()], listen=f"unix:{tmp_path}/socket")
    assert with_host(server, "evil.example", "POST", "/echo").status == 200


def test_reload(serve, gate):
    server = serve([job("/job", gate)])
    page = {"Origin": PAGE}
    expect.check_problem(server.post("/job?async=true", b"x", page), 403, "foreign-origin")
    server.config["cors"] = {"origins": [PAGE]}
    server.write_config()
    server.reload()
    assert server.post("/job?async=true", b"x", page).status == 202
    gate.wait_begun()
    gate.open("d")
    server.config["routes"][0]["cors"] = {"origins": ["https://other.example"]}
    server.write_config()
    server.reload()
    eventually(lambda: server.post("/job?async=true", b"x", page).status == 403)


@pytest.mark.parametrize("settings, mistake", [
    ({"cors": {}}, "/cors"), ({"cors": {"origins": ["app.example.com"]}}, "/cors/origins/0"), ({"cors": {"origins": ["https://a.example/x"]}}, "/cors/origins/0"),
    ({"hosts": ["a.example:80"]}, "/hosts/0"), ({"hosts": ["https://a"]}, "/hosts/0"), ({"hosts": [""]}, "/hosts/0"),
    ({"cors": {"origins": ["*"], "max_age": "x"}}, "/cors/max_age")])
def test_mistakes(tmp_path, settings, mistake):
    import harness
    (tmp_path / "deferd.json").write_text(json.dumps({"state": "memory", "routes": [echo()], **settings}))
    done = harness.run("--check", "-c", str(tmp_path / "deferd.json"))
    assert done.returncode == 1 and mistake in done.stderr + done.stdout
