"""Calls of programs and upstreams in every style, and clients that are slow, leave, or talk nonsense."""
import json
import socket
import struct
import time
import uuid
from pathlib import Path

import harness
import seeds
import wire
from client import Interrupted, is_draining

ROOT = Path(__file__).resolve().parents[2]
MALFORMED = [data for name, data in seeds.read(ROOT / "tests/fuzz/corpus/guard.seeds") if name.startswith("bad-")]

# How an asynchronous call of a style is asked for: path below that of the work, header fields, and where its
# monitor is.
STYLES = {
    "location": ("/echo?async=true", {}, "/operations/{}"),
    "prefer": ("/echo", {"Prefer": "respond-async"}, "/async/v1/requests/{}"),
    "status": ("/status/echo", {}, "/v1/operationStatus/{}"),
    "token": ("/token/echo", {}, "{}/token/echo/poll?asyncOperationToken={}"),
}


def make_routes(upstream_port):
    """Routes below /p to programs and below /u to the upstream, and work that fails or is slow."""
    origin = f"http://127.0.0.1:{upstream_port}"

    def upstream(path, name, **more):
        return {"path": path, "methods": ["POST"], "upstream": {"url": f"{origin}/base/{name}"}, "rerun": True, **more}

    return [
        harness.echo("/p/echo", rerun=True), harness.echo("/p/status/echo", style="status", rerun=True),
        harness.echo("/p/token/echo", style="token", rerun=True),
        upstream("/u/echo", "echo"), upstream("/u/status/echo", "echo", style="status"),
        upstream("/u/token/echo", "echo", style="token"), upstream("/u/made", "made"),
        harness.route("/p/slow", harness.shell("sleep 0.2; exec cat"), rerun=True, concurrency=4),
        upstream("/u/slow", "slow", concurrency=4),
        harness.route("/p/narrow", harness.shell("sleep 0.1; exec cat"), rerun=True, concurrency=1, queue_timeout="200ms"),
        harness.route("/p/fails", harness.shell("exit 65"), rerun=True),
        upstream("/u/fails", "fails"), upstream("/u/gone", "gone"), upstream("/u/half", "half")]


def accept(client, target, body, fields=None):
    """The id of an accepted call, or None if the server is at capacity."""
    status, headers, data = client.call("POST", target, body, fields)
    if client.is_refused(status, headers, data):
        return None
    assert status in (202, 204), (status, data)
    location = headers["Location"]
    return location.rpartition("/")[2] if location else json.loads(data)["asyncOperation"]["token"]


def some_work(client):
    return client.random.choice(("/p", "/p", "/u"))


def synchronous(client):
    body = client.make_body()
    status, headers, data = client.call("POST", some_work(client) + "/echo", body)
    if client.is_refused(status, headers, data):
        return
    if status in (500, 502):
        raise Interrupted # it ran for too long while the server went down
    assert (status, data) == (200, body), (status, data[:200])


def asynchronous(client, size=None):
    style, (target, fields, monitor) = client.random.choice(list(STYLES.items()))
    work, body = some_work(client), client.make_body(size)
    id_ = accept(client, work + target, body, fields)
    if not id_:
        return
    client.counts[style] += 1
    status, _, data = client.wait_end(id_)
    assert (status, data) == (200, body), (style, id_[:8], status, data[:200])
    status, _, data = client.again("GET", monitor.format(id_) if style != "token" else monitor.format(work, id_))
    assert status == 200 and (style == "location" or json.loads(data)), (style, status, data[:200])


def large(client):
    asynchronous(client, client.random.randrange(1 << 16, 1 << 21))


def failing(client):
    path, expected = client.random.choice((("/p/fails", (400,)), ("/u/fails", (500, 503)), ("/u/gone", (502, 503)), ("/u/half", (502, 503))))
    id_ = accept(client, f"{path}?async=true", b"")
    if id_:
        status, _, data = client.wait_end(id_)
        assert status in expected, (path, status, data[:200])


def making(client):
    """An answer with a Location, which the server maps back."""
    id_ = accept(client, "/u/made?async=true", b"x")
    if id_:
        status, headers, data = client.wait_end(id_)
        assert (status, data) == (201, b"x") and headers["Location"], (status, data[:200])


def idempotent(client):
    key, body = {"Idempotency-Key": str(uuid.UUID(int=client.random.getrandbits(128)))}, client.make_body()
    target = some_work(client) + "/echo?async=true"
    first, second = (accept(client, target, body, key) for _ in range(2))
    if first and second:
        assert first == second, "a key, and two operations"
        status, _, data = client.wait_end(first)
        assert (status, data) == (200, body), status


def late_key(client):
    """A call that ran out of its time in the queue frees its key: asked again, it runs at last."""
    key, body = {"Idempotency-Key": str(uuid.UUID(int=client.random.getrandbits(128)))}, client.make_body(20)
    for _ in range(40):
        id_ = accept(client, "/p/narrow?async=true", body, key)
        if not id_:
            return
        status, _, data = client.wait_end(id_)
        if status == 200:
            assert data == body
            return
        assert status == 503 and b"/problems/queue-timeout" in data, (status, data[:200])
        client.counts["queue time-outs"] += 1
        time.sleep(client.random.uniform(0.05, 0.4))
    raise AssertionError("a key whose call ended by queue-timeout has not run when asked again, 40 times")


def cancelled(client):
    id_ = accept(client, some_work(client) + "/slow?async=true", b"x")
    if not id_:
        return
    status = client.again("DELETE", f"/operations/{id_}")[0]
    assert status in (202, 204, 409), status
    assert client.wait_end(id_)[0] in ((200,) if status == 409 else (200, 410))


def bounded(client):
    """A synchronous call with a limit set by its client."""
    fields = {"Prefer": f"respond-async, wait-ms={client.random.choice((1, 100, 500))}"}
    status, headers, data = client.call("POST", some_work(client) + "/slow", b"x", fields)
    if status == 202:
        assert client.wait_end(headers["Location"].rpartition("/")[2])[0] == 200
    elif status in (500, 502):
        raise Interrupted
    else:
        assert status == 200 or client.is_refused(status, headers, data), (status, data)


def slow(client):
    """A client that sends one byte at a time."""
    body = client.make_body(30)
    head = f"POST /p/echo HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: {len(body)}\r\n\r\n".encode()
    data = b""
    with open_socket(client) as sock:
        for byte in head + body:
            sock.sendall(bytes((byte,)))
            time.sleep(0.002)
        while piece := sock.recv(65536):
            data += piece
    if not data or is_draining(503, data):
        raise Interrupted
    assert data.startswith((b"HTTP/1.1 200 ", b"HTTP/1.1 503 ", b"HTTP/1.1 429 ", b"HTTP/1.1 500 ")), data[:200]
    assert not data.startswith(b"HTTP/1.1 200 ") or data.endswith(b"\r\n\r\n" + body)


def open_socket(client):
    """A connection of its own, with TLS where the client has it."""
    if not client.with_tls:
        return wire.open_socket(client.soak.server.addresses[0])
    sock = wire.open_socket(client.soak.server.addresses[1])
    try:
        return client.soak.tls.wrap_socket(sock, server_hostname="127.0.0.1")
    except BaseException:
        sock.close()
        raise


def leaving(client):
    """A client that does not wait for its answer, or does not even finish its call."""
    request = f"POST {some_work(client)}/slow HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\nx".encode()
    with open_socket(client) as sock:
        sock.sendall(request[:client.random.randrange(1, len(request) + 1)])
        how = client.random.randrange(3)
        if how == 0:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        elif how == 1 and not client.with_tls:
            sock.shutdown(socket.SHUT_WR)


def malformed(client):
    """Nonsense on a plain address; on one with TLS plain text, half a handshake, or nothing at all."""
    data = b""
    address = client.soak.server.addresses[1 if client.with_tls else 0]
    says = client.random.choice([*MALFORMED, b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", b""])
    with wire.open_socket(address) as sock:
        sock.settimeout(0.2)
        try:
            sock.sendall(says)
            while piece := sock.recv(65536):
                data += piece
        except (TimeoutError, ConnectionError):
            pass
    assert client.with_tls or data == b"" or data.startswith(b"HTTP/1.1 "), data[:200]


KINDS = {synchronous: 30, asynchronous: 30, large: 2, failing: 4, making: 2, idempotent: 6, cancelled: 5, bounded: 4, slow: 3,
         leaving: 8, malformed: 8, late_key: 2}
