"""--init writes what can be served at once; --explain says what a call is told, and each of its lines for curl is so."""

import json
import re
import shlex
import stat
import subprocess

import pytest

from harness import echo, eventually, job, run
from wire import call

UUID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}")
LINE = re.compile(r"^  (curl -i .*)\n    (.*)$", re.MULTILINE)


def explain(directory, server, path, **more):
    """Sections by their headings: each a list of command lines and what is said of them."""
    config = json.loads(server.file.read_text())
    config.update({"listen": server.address, **more})
    file = directory / "explained.json"
    file.write_text(json.dumps(config))
    done = run("--explain", path, "-c", file)
    assert done.returncode == 0, done.stderr
    head, *sections = done.stdout.split("\n\n")
    return head, {section.partition(":\n")[0]: LINE.findall(section) for section in "\n\n".join(sections).split("\n\n")}


def curl(line, directory, id_="ID"):
    """Runs a line as it stands, with a file and an id: the status and everything that came."""
    (directory / "FILE").write_text('{"n":1}')
    done = subprocess.run(["sh", "-c", line.replace("ID", id_)], cwd=directory, capture_output=True, text=True, timeout=60,
                          stdin=subprocess.DEVNULL)
    assert done.returncode == 0, done.stderr
    return int(done.stdout.split(" ", 2)[1]), done.stdout


PLAIN = {"sync": "A plain call, synchronous", "location": "Asked for, style location", "prefer": "Asked for, style prefer"}


@pytest.mark.parametrize("style", ["sync", "status", "token", "azure", "google", "prediction"])
def test_each_line_is_so(serve, gate, tmp_path, style):
    server = serve([job("/held/{size}", gate, style=style), echo()])
    head, sections = explain(tmp_path, server, "/held/{size}")
    assert head == "POST /held/{size}"
    plain = PLAIN["sync"] if style == "sync" else f"A plain call, style {style}"
    assert set(sections) == {plain, PLAIN["location"], PLAIN["prefer"]} | ({"Asked to be synchronous"} if style != "sync" else set())
    for heading, lines in sections.items():
        (line, said), *monitors = lines
        if "synchronous" in heading:
            gate.open()
            assert curl(line, tmp_path)[0] == 200 and not monitors
            gate.wait_begun()
            continue
        status, answer = curl(line, tmp_path)
        assert said.startswith(f"{status}: ") and 200 <= status < 300, heading
        assert monitors, heading
        (id_,) = set(UUID.findall(answer))
        gate.wait_begun()
        for line, said in monitors:
            if not said.startswith(("Cancel", "Wait", "Remove")):
                assert curl(line, tmp_path, id_)[0] in (200, 202), line
        # Each way to cancel works: the first one does it, for the others it is too late.
        cancels = [curl(line, tmp_path, id_)[0] for line, said in monitors if said.startswith("Cancel")]
        assert cancels[0] in (200, 202, 204) and set(cancels) <= {200, 202, 204, 410, 409, 404}, cancels
        eventually(lambda id_=id_: server.get(f"/operations/{id_}").status == 410, "the cancellation")


def test_a_resource(serve, tmp_path):
    server = serve([{"path": "/items", "base_path": "/v2", "style": "resource", "collection": {"name": "items"}}])
    for path in ("/items", "/v2/items"):
        head, sections = explain(tmp_path, server, path)
        assert head == "POST /v2/items"
        for heading, ((line, said), *_) in sections.items():
            status, _ = curl(line, tmp_path)
            assert status == 201 if "synchronous" in heading else said.startswith(f"{status}: "), heading


def test_what_a_call_needs(serve, tmp_path):
    """Keys, parameters, types and log-ins are in the lines."""
    (tmp_path / "tokens").write_text("ann:" + "0" * 64 + "\n")
    server = serve([echo("/x", query=["key"], idempotency="required", request_types=["text/plain"])])
    _, sections = explain(tmp_path, server, "/x", auth={"bearer": str(tmp_path / "tokens")}, public_url="https://api.example.com")
    words = shlex.split(sections[PLAIN["location"]][0][0])
    assert words[:4] == ["curl", "-i", "-X", "POST"] and words[-1] == "https://api.example.com/x?key=KEY&async=true"
    fields = {words[at + 1] for at, word in enumerate(words) if word == "-H"}
    assert fields == {"Authorization: Bearer TOKEN", "Idempotency-Key: KEY", "Content-Type: text/plain"}


def test_safe_methods_and_unix_sockets(serve, tmp_path):
    server = serve([echo("/x", methods=["GET"], style="status")])
    _, sections = explain(tmp_path, server, "/x", listen="unix:/run/x")
    assert set(sections) == set(PLAIN.values())
    assert sections[PLAIN["sync"]][0][0] == "curl -i --unix-socket '/run/x' 'http://localhost/x'"


def test_no_such_route(serve, tmp_path):
    server = serve([echo("/x"), echo("/y")])
    done = run("--explain", "/z", "-c", server.file)
    assert done.returncode == 1 and done.stdout == ""
    assert done.stderr == "deferd: there is no route /z; these are there:\n/x\n/y\n"


FILES = {"deferd.json", "users.htpasswd", "note.schema.json"}


def test_init(tmp_path, serve):
    """What is written has no mistake and no warning, and each kind of work answers, for the user who was told."""
    place = tmp_path / "first"
    done = run("--init", place)
    assert done.returncode == 0, done.stderr
    assert {path.name for path in place.iterdir()} == FILES
    assert stat.S_IMODE((place / "users.htpasswd").stat().st_mode) == 0o600
    checked = run("--check", "-c", place / "deferd.json")
    assert (checked.returncode, checked.stdout) == (0, "")
    password = re.search(r"user admin, password (\S+)", done.stdout)[1]
    assert password not in (place / "users.htpasswd").read_text()

    # The same configuration on ports that are free.
    text = re.sub(r"127\.0\.0\.1:858\d", "127.0.0.1:0", (place / "deferd.json").read_text())
    config = json.loads(re.sub(r"(?m)^\s*//.*$|\s\s+//.*$", "", text))
    for name in ("basic",):
        config["auth"][name] = str(place / config["auth"][name])
    config["routes"][2]["collection"]["schema"] = str(place / "note.schema.json")
    config["state"] = str(place / "deferd.db")
    server = serve(config.pop("routes"), **config)
    server.kept_descriptors = 16 * 8  # what a thread that has called keeps
    assert server.post("/checksums").status == 401

    def ask(*arguments):
        done = subprocess.run(["curl", "-s", "-w", "\n%{http_code}", "-u", f"admin:{password}", *arguments], capture_output=True, text=True,
                              timeout=60, stdin=subprocess.DEVNULL)
        body, _, status = done.stdout.rpartition("\n")
        return int(status), body

    base = f"http://{server.address}"
    assert ask("-d", "hello", f"{base}/checksums") == (200, "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824  -\n")
    assert ask("-d", "hello", f"{base}/checksums?async=true")[0] == 202
    assert ask(f"{base}/reports/x")[0] == 502
    json_type = ("-H", "Content-Type: application/json")
    assert ask(*json_type, "-d", '{"title":"x"}', f"{base}/notes")[0] == 201
    assert ask(*json_type, "-d", '{"text":"x"}', f"{base}/notes")[0] == 400
    assert call(server.address, "GET", "/notes").status == 401


@pytest.mark.parametrize("name", sorted(FILES))
def test_init_overwrites_nothing(tmp_path, name):
    (tmp_path / name).write_text("mine")
    done = run("--init", tmp_path)
    assert done.returncode == 1 and done.stdout == "" and f"{tmp_path}/{name}: File exists" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == [name] and (tmp_path / name).read_text() == "mine"


def test_init_where_nothing_can_be(tmp_path):
    (tmp_path / "file").write_text("")
    for place in (tmp_path / "file", tmp_path / "none/below"):
        done = run("--init", place)
        assert done.returncode == 1 and done.stdout == "" and str(place) in done.stderr
