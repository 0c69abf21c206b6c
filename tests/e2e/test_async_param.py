"""The query parameter async: what it takes, what it refuses, and that the work never sees it."""

import pytest

import expect
from harness import echo, environment, read_environment
from styles import LOCATION


@pytest.fixture
def server(serve):
    return serve([echo("/any", methods=["GET", "POST", "PUT", "PATCH", "DELETE"]),
                  echo("/status", style="status"), echo("/token", style="token"),
                  environment("/env", methods=["GET", "POST"]),
                  echo("/small", max_body="10B"), echo("/typed", request_types=["application/json"])])


@pytest.mark.parametrize("value", ["true", "TRUE", "True", "tRuE", "1", "%74rue"])
def test_true(server, value):
    assert LOCATION.check_accepted(server, server.post(f"/any?async={value}", b"x"))


@pytest.mark.parametrize("value", ["false", "FALSE", "False", "0", "%30"])
@pytest.mark.parametrize("path", ["/any", "/status", "/token"])
def test_false(server, path, value):
    response = server.post(f"{path}?async={value}", b"x")
    assert response.status == 200 and response.body == b"x"


@pytest.mark.parametrize("query", [
    "async", "async=", "async=yes", "async=no", "async=2", "async=01", "async=tru", "async=truee", "async=%20true",
    "async=true%20", "async=-1", "async=null", "async=true,false", "async=%ff", "async=true&async=false",
    "async=1&async=0", "async=true&x=1&async=0", "async=true&async=maybe", "async=maybe&async=true", "async=true&async",
    "async=false&async=true"])
@pytest.mark.parametrize("path", ["/any", "/status"])
def test_malformed(server, path, query):
    expect.check_problem(server.post(f"{path}?{query}", b"x"), 400)


@pytest.mark.parametrize("query", ["async=true&async=1", "async=TRUE&x=y&async=true", "&async=true&", "async=1&&async=1"])
def test_twice_the_same(server, query):
    assert LOCATION.check_accepted(server, server.post(f"/any?{query}", b"x"))


@pytest.mark.parametrize("query", ["Async=true", "asynchronous=true", "xasync=true", "async2=true", "a=async=true",
                                   "a=async", "=async"])
def test_other_names(server, query):
    assert server.post(f"/any?{query}", b"x").status == 200


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
def test_methods(server, method):
    assert LOCATION.check_accepted(server, server.call(method, "/any?async=true", b"x"))


@pytest.mark.parametrize("query, left", [
    ("async=false", ""), ("a=1&async=false&b=2", "a=1&b=2"), ("async=0&a=%20+", "a=%20+"), ("a&async=0", "a"),
    ("b=2&a=1&async=0&async=false&a=1", "b=2&a=1&a=1"), ("asyncx=1&async=0", "asyncx=1"),
    ("x=1&%61sync=0&y=2", "x=1&y=2"), ("as%79nc=fal%73e&y", "y")])
def test_work_never_sees_it(server, query, left):
    assert read_environment(server.post(f"/env?{query}"))["QUERY_STRING"] == left
    uri = read_environment(server.post(f"/env?{query}"))["REQUEST_URI"]
    assert uri == "/env" + (f"?{left}" if left else "")
    assert read_environment(server.get(f"/env?{query}"))["QUERY_STRING"] == left


def test_work_never_sees_it_asynchronously(server):
    id_ = LOCATION.check_accepted(server, server.post("/env?x=1&async=true&y=2"))
    assert read_environment(LOCATION.wait(server, id_))["QUERY_STRING"] == "x=1&y=2"


def test_get(server):
    """A slow report may be a GET."""
    id_ = LOCATION.check_accepted(server, server.get("/env?async=true&x=1"))
    assert read_environment(LOCATION.wait(server, id_))["QUERY_STRING"] == "x=1"
    assert read_environment(server.get("/env?async=false&x=1"))["QUERY_STRING"] == "x=1"


@pytest.mark.parametrize("query", ["async=maybe", "async", "async=true&async=false"])
def test_malformed_get(server, query):
    expect.check_problem(server.get(f"/env?{query}"), 400)


@pytest.mark.parametrize("query", ["async=true", "async=false", "async=maybe", "async", "async=true&async=false"])
def test_ignored_on_head(server, query):
    assert server.call("HEAD", f"/env?{query}").status == 200


def test_order_of_checks(server):
    """Path and method before async; async before body and media type."""
    expect.check_problem(server.post("/nothing?async=maybe", b"x"), 404)
    expect.check_problem(server.call("DELETE", "/env?async=maybe"), 405)
    expect.check_problem(server.post("/small?async=maybe", b"x" * 11), 400)
    expect.check_problem(server.post("/small?async=true", b"x" * 11), 413)
    expect.check_problem(server.post("/typed?async=maybe", b"x", {"Content-Type": "text/x"}), 400)
    expect.check_problem(server.post("/typed?async=true", b"x", {"Content-Type": "text/x"}), 415)


def test_problem_of_status_route(server):
    assert expect.check_problem(server.post("/status?async=maybe", b"x"), 400)["msg"]
