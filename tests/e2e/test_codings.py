"""Content codings of upstreams: an asynchronous call gets bytes that everybody can read, whatever the upstream sends."""

import gzip
import json
import zlib

import pytest

import expect
from styles import LOCATION, PREFER, TOKEN
from upstream import Upstream

PLAIN = json.dumps({"list": list(range(1000))}).encode()
FIELDS = {"Accept-Encoding": "gzip, br"}


@pytest.fixture
def coded(serve):
    """A factory of servers whose upstream answers with a body of that coding, whatever it is asked for."""
    made = []

    def make(coding, body, **more):
        fields = ["Content-Type: application/json", 'ETag: "7"', "X-Kept: yes"] + [f"Content-Encoding: {coding}"] * bool(coding)
        made.append(Upstream(lambda peer, request: peer.answer("200 OK", body, *fields)))
        server = serve([{"path": "/up", "style": "token", "upstream": {"url": made[-1].origin}, **more}])
        server.kept_descriptors = 128
        return server

    yield make
    for upstream in made:
        upstream.close()


def raw_deflate(data):
    """Without the header that the standard demands, as some servers send it."""
    compressor = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return compressor.compress(data) + compressor.flush()


def members(data):
    return gzip.compress(data[:100]) + gzip.compress(data[100:])


def padded(data):
    return gzip.compress(data) + b"\0" * 512


@pytest.mark.parametrize("coding, code", [("gzip", gzip.compress), ("x-gzip", gzip.compress), ("GZIP", gzip.compress), ("gzip", members),
                                          ("gzip", padded), ("deflate", zlib.compress), ("deflate", raw_deflate)])
def test_undone(coded, coding, code):
    server = coded(coding, code(PLAIN))
    id_ = TOKEN.start(server, path="/up", fields=FIELDS)
    final = LOCATION.wait(server, id_)
    assert final.status == 200 and final.body == PLAIN and final.get("Content-Encoding") is None
    assert final.get("ETag") == 'W/"7"' and final.get("X-Kept") == "yes"
    assert server.get(f"/up/poll?asyncOperationToken={id_}").json()["result"] == json.loads(PLAIN)
    shown = PREFER.poll(server, id_).json()["data"]["attributes"]
    assert shown["responseBodyJson"] == json.loads(PLAIN) and "Content-Encoding" not in shown["responseHeaders"]


def test_synchronous_is_verbatim(coded):
    body = gzip.compress(PLAIN)
    response = coded("gzip", body).post("/up?async=false", b"", FIELDS)
    assert response.body == body and response.get("Content-Encoding") == "gzip" and response.get("ETag") == '"7"'


def test_key_joins_in_another_style(coded):
    """What was begun synchronously with a key may be polled later."""
    server = coded("gzip", gzip.compress(PLAIN))
    fields = {**FIELDS, "Idempotency-Key": "k"}
    assert server.post("/up?async=false", b"", fields).body == PLAIN
    id_ = TOKEN.check_accepted(server, server.post("/up", b"", fields))
    assert server.get(f"/up/poll?asyncOperationToken={id_}").json()["result"] == json.loads(PLAIN)


@pytest.mark.parametrize("coding", ["aws-chunked", "gzip, rot13", "br", "identity"])
def test_unknown_is_verbatim(coded, coding):
    server = coded(coding, PLAIN)
    final = LOCATION.wait(server, TOKEN.start(server, path="/up"))
    assert final.status == 200 and final.body == PLAIN
    assert final.get("Content-Encoding") == coding


@pytest.mark.parametrize("body", [b"no gzip", gzip.compress(PLAIN)[:-20], gzip.compress(PLAIN)[:5]], ids=["other", "cut", "head"])
def test_broken(coded, body):
    server = coded("gzip", body)
    expect.check_problem(LOCATION.wait(server, TOKEN.start(server, path="/up")), 502, "upstream-broken")


def test_bomb(coded):
    """A thousand times as much as came: stopped at the limit of results."""
    server = coded("gzip", gzip.compress(b"\0" * 20_000_000), max_result="1MiB")
    expect.check_problem(LOCATION.wait(server, TOKEN.start(server, path="/up")), 500, "result-too-large")
