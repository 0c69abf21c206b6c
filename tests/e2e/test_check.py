"""The command line, and what is said of a configuration that is wrong."""

import json
import os
import re
import socket
import subprocess

import pytest

from harness import DEADLINE, echo, find_binary, run


def write(tmp_path, document):
    file = tmp_path / "deferd.json"
    file.write_text(document if isinstance(document, str) else json.dumps(document))
    return file


def check(tmp_path, document):
    """What --check says: its lines."""
    done = run("--check", "-c", write(tmp_path, document))
    lines = (done.stdout + done.stderr).splitlines()
    assert (done.returncode == 0) == (not lines) and done.returncode in (0, 1), done
    return lines


def with_route(**members):
    return {"state": "memory", "routes": [{"path": "/a", "program": {"argv": ["/bin/cat"]}, **members}]}


TEN = """{
  // ten mistakes, and comments are none
  "listen": "127.0.0.1:99999",
  "state": "memory",
  "worker": 4,
  "capacity": -1,
  "keep": "30x",
  "max_body": "8MB!",
  "routes": [
    { "path": "no-slash", "program": { "argv": ["/bin/cat"] } },
    { "path": "/b/{id}", "program": { "argv": ["/bin/echo", "{other}"] } },
    { "path": "/c", "program": { "argv": ["/nowhere/program"] } },
    { "path": "/d", "style": "stauts", "program": { "argv": ["/bin/cat"] }, "queue_timeout": 5 }
  ]
}
"""
TEN_AT = ["/listen", "/worker", "/capacity", "/keep", "/max_body", "/routes/0/path", "/routes/1/program/argv/1",
          "/routes/2/program/argv/0", "/routes/3/style", "/routes/3/queue_timeout"]


def test_ten_mistakes(tmp_path):
    """Every one, one a line, each at its JSON Pointer."""
    done = run("--check", "-c", write(tmp_path, TEN))
    assert done.returncode == 1 and done.stderr == ""
    lines = done.stdout.splitlines()
    assert len(lines) == 10, done.stdout
    said = {line.partition(": ")[0]: line.partition(": ")[2] for line in lines}
    assert set(said) == set(TEN_AT)
    assert all(said.values())
    assert "workers" in said["/worker"], "the nearest known name"
    assert "status" in said["/routes/3/style"]
    assert said["/keep"].startswith('"30x"')


def test_ten_mistakes_at_start(tmp_path):
    done = run("-c", write(tmp_path, TEN))
    assert done.returncode != 0
    assert len(done.stderr.splitlines()) == 10 and "ready" not in done.stdout


UNEXPECTED = "unexpected character"


@pytest.mark.parametrize("document, line, column, mistake", [
    ("{\n  \"routes\": [\n}\n", 3, 1, UNEXPECTED), ("", 1, 1, "unexpected end"), ("{\"routes\": []} x", 1, 16, UNEXPECTED),
    ("{\n\n \"a\" 1}", 3, 6, UNEXPECTED), ('{"routes": [], }', 1, 16, "trailing comma"),
    ('{"a": "\x01"}', 1, 8, "control character in a string"), ('{"a": tru}', 1, 7, UNEXPECTED),
    ("[" * 5000, 1, 65, "nested too deeply"), ('{"a": 1', 1, 8, "unexpected end"), ("\ufeff{}", 1, 1, "byte order mark (JSON text begins without one)"),
    ('{"a": 01}', 1, 7, "malformed number"), ("{'a': 1}", 1, 2, UNEXPECTED)])
def test_not_json(tmp_path, document, line, column, mistake):
    """File, line and column, and what is wrong there."""
    assert check(tmp_path, document) == [f"{tmp_path / 'deferd.json'}:{line}:{column}: {mistake}"]


@pytest.mark.parametrize("document, kind", [("[]", "an array"), ("1", "1"), ("null", "null"), ('"x"', '"x"'), ("true", "true")])
def test_not_an_object(tmp_path, document, kind):
    assert check(tmp_path, document) == [f"{tmp_path / 'deferd.json'}: {kind} is not an object"]


def test_comments(tmp_path):
    assert check(tmp_path, '// one\n/* two\n */ {"state": "memory", // three\n "routes": [] /**/ }\n') == []


@pytest.mark.parametrize("members, pointer", [
    ({"concurency": 1}, "/routes/0/concurency"), ({"concurrency": 0}, "/routes/0/concurrency"),
    ({"concurrency": "2"}, "/routes/0/concurrency"), ({"concurrency": 1.5}, "/routes/0/concurrency"),
    ({"queue": -1}, "/routes/0/queue"), ({"rerun": "yes"}, "/routes/0/rerun"), ({"methods": ["FETCH"]}, "/routes/0/methods/0"),
    ({"methods": "POST"}, "/routes/0/methods"), ({"style": 1}, "/routes/0/style"), ({"keep": "5"}, "/routes/0/keep"),
    ({"keep": "-5s"}, "/routes/0/keep"), ({"max_result": "1.5.1MiB"}, "/routes/0/max_result"),
    ({"max_body": "99999999999999999999GiB"}, "/routes/0/max_body"), ({"path": "/a/{x"}, "/routes/0/path"),
    ({"path": "/a/{x}/{x}"}, "/routes/0/path"), ({"path": "/a/{rest...}/b"}, "/routes/0/path"), ({"path": 1}, "/routes/0/path"),
    ({"program": {}}, "/routes/0/program/argv"), ({"program": {"argv": []}}, "/routes/0/program/argv"),
    ({"program": {"argv": ["cat"]}}, "/routes/0/program/argv/0"), ({"program": {"argv": [1]}}, "/routes/0/program/argv/0"),
    ({"program": {"argv": ["/tmp"]}}, "/routes/0/program/argv/0"),
    ({"program": {"argv": ["/etc/passwd"]}}, "/routes/0/program/argv/0"),
    ({"program": {"argv": ["/bin/echo", "{a}"]}}, "/routes/0/program/argv/1"),
    ({"program": {"argv": ["/bin/cat"], "protocol": "fcgi"}}, "/routes/0/program/protocol"),
    ({"idempotency": "always"}, "/routes/0/idempotency"), ({"request_types": ["json"]}, "/routes/0/request_types/0"),
])
def test_mistake_in_a_route(tmp_path, members, pointer):
    lines = check(tmp_path, with_route(**members))
    assert len(lines) == 1 and lines[0].startswith(pointer + ": "), lines


def test_route_without_work(tmp_path):
    lines = check(tmp_path, {"state": "memory", "routes": [{"path": "/a"}]})
    assert len(lines) == 1 and lines[0].startswith("/routes/0"), lines


def test_two_routes_alike(tmp_path):
    routes = [echo("/a/{x}"), echo("/a/{y}")]
    lines = check(tmp_path, {"state": "memory", "routes": routes})
    assert len(lines) == 1 and lines[0].startswith("/routes/1"), lines
    routes[1]["methods"] = ["PUT"]
    assert check(tmp_path, {"state": "memory", "routes": routes}) == []


@pytest.mark.parametrize("path", ["/operations/{id}", "/v1/operationStatus/{x}", "/async/v1/requests/{id}/response"])
def test_route_at_a_monitor(tmp_path, path):
    lines = check(tmp_path, {"state": "memory", "routes": [echo(path, methods=["GET"])]})
    assert len(lines) == 1 and lines[0].startswith("/routes/0/path"), lines


@pytest.mark.parametrize("listen", ["0.0.0.0:8580", "[::]:8580", "192.0.2.1:80", ["127.0.0.1:0", "0.0.0.0:0"]])
def test_open_to_the_world(tmp_path, listen):
    """Without authentication only loopback and unix addresses."""
    lines = check(tmp_path, {"listen": listen, "state": "memory", "routes": []})
    assert len(lines) == 1 and lines[0].startswith("/listen"), lines


@pytest.mark.parametrize("listen", ["127.0.0.1", "localhost", ":80", "127.0.0.1:x", "127.0.0.1:65536", "unix:", "", 80,
                                    "[::1", "http://127.0.0.1:80", "1.2.3:80", [], ["127.0.0.1:0", 1]])
def test_no_address(tmp_path, listen):
    lines = check(tmp_path, {"listen": listen, "state": "memory", "routes": []})
    assert len(lines) == 1 and lines[0].startswith("/listen"), lines


def test_good(tmp_path):
    settings = {"workers": 4, "capacity": 10, "queue_timeout": "30s", "run_timeout": "1h", "keep": "5m",
                "keep_timed_out": "1h", "keep_tombstone": "24h", "wait_max": "60s", "stop_grace": "5s",
                "drain_timeout": "30s", "header_timeout": "30s", "idle_timeout": "75s", "max_body": "8MiB",
                "max_result": "64MiB", "public_url": "https://api.example.com"}
    assert check(tmp_path, {"listen": ["127.0.0.1:0", "[::1]:0", f"unix:{tmp_path}/s"], "state": "memory", **settings,
                            "routes": [echo("/a/{x}/{rest...}", concurrency=1, queue=0, rerun=True)]}) == []


WARNINGS = [
    ({"state": "/nowhere/deferd.db"}, {}, '/state: the directory "/nowhere" does not exist'),
    ({"workers": 2}, {"concurrency": 3}, '/routes/0/concurrency: 3 is more than the 2 "workers" of the server'),
    ({"workers": 1}, {"queue": 31, "queue_timeout": "30s"},
     '/routes/0/queue: 31 calls of a second, 1 at a time, do not fit into "queue_timeout": the last ones would be dropped'),
]
TWICE = ('warning: /routes/0/rerun: a POST that a crash interrupted reaches the upstream twice: only "idempotency": "required" '
         'with "pass_idempotency_key": true lets the upstream know it again\n')


@pytest.mark.parametrize("settings, route, line", WARNINGS)
def test_warning(tmp_path, settings, route, line):
    """Legal and unwise: told, and no mistake."""
    configuration = {"listen": "127.0.0.1:0", "state": "memory", **settings, "routes": [echo("/a", **route)]}
    (tmp_path / "deferd.json").write_text(json.dumps(configuration))
    done = run("--check", "-c", tmp_path / "deferd.json")
    assert (done.returncode, done.stdout) == (0, f"warning: {line}\n")


@pytest.mark.parametrize("route, upstream, told", [
    ({}, {}, TWICE), ({"idempotency": "required"}, {}, TWICE), ({}, {"pass_idempotency_key": True}, TWICE),
    ({"idempotency": "required"}, {"pass_idempotency_key": True}, ""), ({"methods": ["GET", "PUT"]}, {}, "")])
def test_warning_of_rerun(tmp_path, route, upstream, told):
    configuration = {"listen": "127.0.0.1:0", "state": "memory", "routes": [
        {"path": "/a", "rerun": True, "upstream": {"url": "http://127.0.0.1:1", **upstream}, **route}]}
    (tmp_path / "deferd.json").write_text(json.dumps(configuration))
    done = run("--check", "-c", tmp_path / "deferd.json")
    assert (done.returncode, done.stdout) == (0, told)


def test_warning_of_a_program_that_everybody_may_change(tmp_path):
    program = tmp_path / "program"
    program.write_text("#!/bin/sh\n")
    work = {"program": {"argv": ["./program"]}}
    routes = [{"path": "/a", **work}, {"path": "/b", "collection": {"name": "b", "on_change": work}}]
    (tmp_path / "deferd.json").write_text(json.dumps({"listen": "127.0.0.1:0", "state": "memory", "routes": routes}))
    for mode, places in ((0o755, []), (0o777, ["/routes/0/program/argv/0", "/routes/1/collection/on_change/program/argv/0"])):
        program.chmod(mode)
        done = run("--check", "-c", tmp_path / "deferd.json")
        assert done.returncode == 0
        assert done.stdout.splitlines() == [
            f'warning: {place}: everybody on this machine may change "{program}" or put another file in its place' for place in places]


def test_warning_of_names_that_no_file_has(tmp_path):
    (tmp_path / "tokens").write_text("ann:" + "0" * 64 + "\n")
    configuration = {"listen": "127.0.0.1:0", "state": "memory", "auth": {"bearer": "tokens", "admins": ["ann", "su"]},
                     "routes": [echo("/a", users=["bob", "ann"])]}
    (tmp_path / "deferd.json").write_text(json.dumps(configuration))
    done = run("--check", "-c", tmp_path / "deferd.json")
    assert done.returncode == 0
    assert done.stdout.splitlines() == [
        'warning: /auth/admins/1: "su" is neither in "basic" nor in "bearer"',
        'warning: /routes/0/users/0: "bob" is neither in "basic" nor in "bearer"',
    ]


def test_warning_of_clear_text(tmp_path):
    (tmp_path / "tokens").write_text("ann:" + "0" * 64 + "\n")
    configuration = {"listen": ["127.0.0.1:0", "0.0.0.0:0"], "state": "memory", "auth": {"bearer": "tokens"}, "routes": []}
    (tmp_path / "deferd.json").write_text(json.dumps(configuration))
    done = run("--check", "-c", tmp_path / "deferd.json")
    assert done.returncode == 0
    assert done.stdout.startswith('warning: /listen/1: "0.0.0.0:0" has no "tls": ') and done.stdout.count("\n") == 1


def test_no_file(tmp_path):
    for arguments in (["--check", "-c", tmp_path / "none"], ["-c", tmp_path / "none"], ["-c", tmp_path]):
        done = run(*arguments)
        assert done.returncode != 0 and done.stdout + done.stderr != ""
        assert len((done.stdout + done.stderr).splitlines()) == 1


def test_version():
    done = run("--version")
    assert done.returncode == 0 and done.stderr == ""
    assert re.fullmatch(r"deferd \d+\.\d+\.\d+\n", done.stdout)


def test_help():
    done = run("--help")
    assert done.returncode == 0 and done.stderr == ""
    for word in ("deferd", "-c", "--check", "--version", "--help"):
        assert word in done.stdout


@pytest.mark.parametrize("arguments", [[], ["--nonsense"], ["-c"], ["-x"], ["file"], ["-c", "a", "b"], ["--check"]])
def test_usage(arguments):
    done = run(*arguments)
    assert done.returncode not in (0, -6, -11) and "usage" in done.stderr and done.stdout == ""


def test_address_in_use(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = run("-c", write(tmp_path, {"listen": f"127.0.0.1:{port}", "state": "memory", "routes": []}))
    assert done.returncode not in (0, -6, -11)
    assert str(port) in done.stderr and "ready" not in done.stdout


def test_memory_is_told(serve):
    server = serve([echo()])
    assert "memory" in server.log()


def test_database_that_is_none(tmp_path):
    """State that cannot be read or made: a message and an end, no crash."""
    (tmp_path / "text").write_text("this is no database, and long enough to tell " * 100)
    for state in (tmp_path / "text", tmp_path, tmp_path / "none" / "deferd.db"):
        done = run("-c", write(tmp_path, {"listen": "127.0.0.1:0", "state": str(state), "routes": []}))
        assert done.returncode not in (0, -6, -11) and done.stderr and "ready" not in done.stdout, state


def test_database_in_use(serve, tmp_path):
    """Two servers on one database: the second says so and ends."""
    server = serve([echo()], state=str(tmp_path / "deferd.db"))
    done = run("-c", server.file)
    assert done.returncode not in (0, -6, -11) and done.stderr and "ready" not in done.stdout
    assert server.post("/echo", b"x").body == b"x"


def test_ready_line_is_flushed_to_a_pipe(tmp_path):
    """And nothing else is on standard output."""
    file = write(tmp_path, {"listen": "127.0.0.1:0", "state": "memory", "routes": []})
    process = subprocess.Popen([find_binary(), "-c", str(file)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    line = process.stdout.readline()
    assert re.fullmatch(rb"deferd: ready on 127\.0\.0\.1:[1-9]\d*\n", line)
    process.terminate()
    assert process.communicate(timeout=DEADLINE)[0] == b"" and process.returncode == 0


def test_descriptor_limit_is_raised(serve):
    import resource
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (256, hard))
    try:
        server = serve([echo()])
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    limits = resource.prlimit(server.pid, resource.RLIMIT_NOFILE)
    assert limits == (hard, hard)
    assert os.path.exists(f"/proc/{server.pid}")


def test_openapi(tmp_path):
    """The document of what is served, on standard output, and nothing else; of a wrong configuration there is none."""
    done = run("--openapi", "-c", write(tmp_path, with_route(path="/a/{id}", methods=["PUT"])))
    assert done.returncode == 0 and done.stderr == ""
    document = json.loads(done.stdout)
    assert document["openapi"].startswith("3.1.")
    assert list(document["paths"]["/a/{id}"]) == ["put"]
    assert "/operations/{id}" in document["paths"]
    done = run("--openapi", "-c", write(tmp_path, with_route(style="stauts")))
    assert done.returncode == 1 and done.stdout == "" and "/routes/0/style" in done.stderr
