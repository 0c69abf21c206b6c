"""Authentication: who is let in, what others are told, and what each may see."""

import time

import pytest

import expect
from harness import echo, environment, eventually, job, read_environment, run
from principals import HASHES, basic, bearer, check_challenge, htpasswd, tokens
from styles import unknown_id

UMLAUT = "$2b$04$abcdefghijklmnopqrstuuyx2n0Zzopyr9QuYTMCfOJJOj526QVoC"  # of "pässwörd"
WEAK = {
    "apr1": "$apr1$abcdefgh$h9FWgUz3n9YxylKLlR5SQ/",
    "md5": "$1$abcdefgh$cHJi5PXp/ki/ktXzqlk6I1",
    "sha1": "{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=",
    "plain": "secret",
    "des": "rqXexS6ZhobKA",
    "costly": "$2b$31$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW",
    "short": "$2b$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIr",
    "empty": "",
}


@pytest.fixture
def files(tmp_path):
    """The settings of auth for an htpasswd file and one of tokens."""
    users = {name: HASHES["bcrypt"] for name in ("ann", "bob", "su")} | HASHES | {"umlaut": UMLAUT}
    (tmp_path / "users").write_text("# who may\n\n" + htpasswd(**users))
    (tmp_path / "tokens").write_text(tokens(robot="tok-robot", ann="tok-ann"))
    return {"basic": str(tmp_path / "users"), "bearer": str(tmp_path / "tokens"), "admins": ["su"]}


@pytest.fixture
def server(serve, gate, files):
    return serve([echo(), environment(methods=["GET"]), job("/job", gate), echo("/ours", users=["bob", "robot"])],
                 auth=files)


@pytest.mark.parametrize("method, target", [("GET", "/env"), ("POST", "/echo"), ("GET", "/nothing"), ("DELETE", "/echo"),
                                            ("GET", "/operations"), ("GET", f"/operations/{unknown_id()}"),
                                            ("POST", "/echo?async=maybe"), ("OPTIONS", "/echo")])
def test_nobody(server, method, target):
    """Without credentials nothing is told, not even what is there."""
    check_challenge(server.call(method, target))


@pytest.mark.parametrize("name", ["ann", *HASHES])
def test_password(server, name):
    for _ in range(2):
        variables = read_environment(server.get("/env", basic(name)))
        assert variables["REMOTE_USER"] == name


def test_utf8_password(server):
    assert server.get("/env", basic("umlaut", "pässwörd")).status == 200


def test_token(server):
    assert read_environment(server.get("/env", bearer("tok-robot")))["REMOTE_USER"] == "robot"
    assert read_environment(server.get("/env", bearer("tok-ann")))["REMOTE_USER"] == "ann"
    assert server.get("/env", {"Authorization": "bEARER  tok-ann"}).status == 200


def test_credentials_are_not_passed_on(server):
    for fields in (basic("ann"), bearer("tok-ann")):
        variables = read_environment(server.get("/env", fields))
        assert "HTTP_AUTHORIZATION" not in variables
        assert not any("secret" in value or "tok-ann" in value for value in variables.values())


@pytest.mark.parametrize("fields", [
    basic("ann", "Secret"), basic("nobody"), basic("ann", ""), bearer("tok-nobody"),
])
def test_wrong(server, fields):
    check_challenge(server.get("/env", fields))


@pytest.mark.parametrize("value", [
    "", "Basic", "Basic ", "Basic !!!!", "Basic YW5u", "Basic YW5uOnNlY3JldA", "Basic YW5uOnNlY3JldA===", "Basic YW4AOnNlY3JldA==",
    "Bearer", "Bearer ", "Bearer a b", "Bearer =", "Digest username=ann", "tok-ann", "Basic YW5uOnNlY3JldA==, Bearer tok-ann",
    "Basic " + "A" * 6000,
])
def test_malformed(server, value):
    """However often: what is no attempt at a log-in slows nothing."""
    for _ in range(8):
        check_challenge(server.get("/env", {"Authorization": value}))
    assert server.get("/env", basic("ann")).status == 200


def test_two_fields(server):
    check_challenge(server.get("/env", [*basic("ann").items(), *bearer("tok-ann").items()]))


def test_users_of_a_route(server):
    expect.check_problem(server.post("/ours", b"x", basic("ann")), 403, "forbidden")
    assert server.post("/ours", b"x", basic("bob")).body == b"x"
    assert server.post("/ours", b"x", bearer("tok-robot")).body == b"x"


def test_operations_of_others(server, gate):
    """To anybody else an operation is not there; its principal and admins may read and cancel it."""
    accepted = server.post("/job?async=true", b"x", basic("bob"))
    assert accepted.status == 202
    id_, *_ = gate.wait_begun()
    for target in (f"/operations/{id_}", f"/async/v1/requests/{id_}", f"/v1/operationStatus/{id_}"):
        for method in ("GET", "DELETE"):
            others = server.call(method, target, None, basic("ann"))
            unknown = server.call(method, target.replace(id_, unknown_id()), None, basic("ann"))
            assert others.status == unknown.status == 404 and len(others.body) == len(unknown.body)
        check_challenge(server.get(target))
        running = 202 if target.startswith("/operations/") else 200
        assert server.get(target, basic("bob")).status == running
        assert server.get(target, basic("su")).status == running
    gate.open()
    eventually(lambda: server.get(f"/operations/{id_}", basic("su")).status == 200)


def test_idempotency_key_is_its_principals(server, gate):
    gate.open("dd")
    ids = set()
    for name in ("ann", "bob", "ann"):
        accepted = server.post("/job?async=true", b"x", {**basic(name), "Idempotency-Key": "one"})
        ids.add(accepted.get("Location").rpartition("/")[2])
    assert len(ids) == 2
    gate.wait_begun()
    gate.wait_begun()


def test_pipelined(server):
    """Answers come in the order of the requests, whatever each costs to check."""
    connection = server.connect()
    names = ["slow", "ann", "nobody", "bob"]
    for name in names:
        connection.request("GET", "/env", None, basic(name))
    answers = [connection.receive() for _ in names]
    assert [answer.status for answer in answers] == [200, 200, 401, 200]
    assert [read_environment(answer)["REMOTE_USER"] for answer in answers if answer.status == 200] == ["slow", "ann", "bob"]


@pytest.mark.alone
def test_unknown_costs_the_same(serve, tmp_path):
    """How long a refusal takes does not tell who is a user."""
    (tmp_path / "users").write_text(htpasswd(slow=HASHES["slow"]))
    server = serve([echo()], auth={"basic": str(tmp_path / "users")})

    def took(name):
        began = time.monotonic()
        check_challenge(server.post("/echo", b"x", basic(name, "wrong")), ["Basic"])
        return time.monotonic() - began

    known, unknown = took("slow"), took("nobody")
    assert known > 0.02 and unknown > 0.02 and max(known, unknown) < 4 * min(known, unknown), (known, unknown)


@pytest.mark.alone
def test_checks_do_not_hold_the_loop(server):
    """While passwords are checked others are served."""
    waiting = [server.begin("GET", "/env", None, basic("slow", f"wrong{i}")) for i in range(5)]
    for _ in range(20):
        assert server.get("/env", bearer("tok-ann")).status == 200
    assert any(connection.is_quiet() for connection in waiting)
    for connection in waiting:
        check_challenge(connection.receive())


@pytest.mark.alone
def test_many_at_once(server):
    """A client that opens many connections at once has its password checked once."""
    began = time.monotonic()
    waiting = [server.begin("GET", "/nothing", None, basic("slow")) for _ in range(100)]
    assert {connection.receive().status for connection in waiting} == {404}
    several = time.monotonic() - began
    check_challenge(server.get("/nothing", basic("slow", "wrong")))
    assert several < 10 * (time.monotonic() - began - several), several


def test_failures_are_slowed(server):
    """After a few failures the address has to wait, and at last is told to come later; what is right goes on."""
    assert server.get("/env", basic("bob")).status == 200
    for i in range(7):
        check_challenge(server.get("/env", basic("ann", f"wrong{i}")))
    began = time.monotonic()
    check_challenge(server.get("/env", basic("ann", "wrong")))
    assert time.monotonic() - began > 0.1
    assert server.get("/env", basic("bob")).status == 200
    assert server.get("/env", bearer("tok-ann")).status == 200
    waiting = [server.begin("GET", "/env", None, bearer(f"wrong{i}")) for i in range(30)]
    told = eventually(lambda: [one for one in waiting if not one.is_quiet()], "an answer at once")
    expect.check_overload(told[0].receive(), [429], "login-failures")


def test_client_leaves(server):
    """Before its password has been checked."""
    for _ in range(5):
        server.begin("GET", "/env", None, basic("slow", "wrong")).reset()
    assert server.get("/env", bearer("tok-ann")).status == 200


def test_end_with_logins_under_way(server):
    """Both those that are being checked and those that wait for their turn."""
    for i in range(12):
        server.begin("GET", "/env", None, bearer(f"wrong{i}"))
    for i in range(3):
        server.begin("GET", "/env", None, basic("slow", f"wrong{i}"))
    server.terminate()
    server.terminate()
    server.wait_end()


def write(path, text):
    new = path.with_name("new")
    new.write_text(text)
    new.rename(path)


def test_reload(server, tmp_path):
    """Users and tokens change with SIGHUP; a password that was right is not remembered for another."""
    assert server.get("/env", basic("ann")).status == 200
    write(tmp_path / "users", htpasswd(ann=UMLAUT, carol=HASHES["bcrypt"]))
    write(tmp_path / "tokens", tokens(robot="tok-new"))
    server.reload()
    check_challenge(server.get("/env", basic("ann")))
    assert server.get("/env", basic("ann", "pässwörd")).status == 200
    assert server.get("/env", basic("carol")).status == 200
    assert server.get("/env", bearer("tok-new")).status == 200
    check_challenge(server.get("/env", bearer("tok-robot")))


def test_reload_is_all_or_nothing(server, tmp_path):
    server.expect_error("configuration not reloaded")
    write(tmp_path / "tokens", tokens(robot="tok-new"))
    write(tmp_path / "users", htpasswd(carol=HASHES["bcrypt"], dave=WEAK["apr1"]))
    server.reload("configuration not reloaded")
    assert server.get("/env", basic("ann")).status == 200
    assert server.get("/env", bearer("tok-robot")).status == 200
    check_challenge(server.get("/env", bearer("tok-new")))
    check_challenge(server.get("/env", basic("carol")))


def test_reload_does_not_open(server):
    """That callers must log in does not end with a reload."""
    auth, routes = server.config.pop("auth"), server.config["routes"]
    server.config["routes"] = [route for route in routes if "users" not in route]
    server.write_config()
    server.reload()
    check_challenge(server.get("/env"))
    assert server.get("/env", basic("ann")).status == 200
    server.config.update(auth=auth, routes=routes)


@pytest.mark.parametrize("kind", WEAK)
def test_weak_passwords_are_refused(tmp_path, kind):
    """At the start, with the line, and without the password."""
    (tmp_path / "users").write_text(htpasswd(good=HASHES["bcrypt"]) + f"bad:{WEAK[kind]}\n")
    (tmp_path / "deferd.json").write_text('{"state": "memory", "auth": {"basic": "users"}, "routes": []}')
    done = run("--check", "-c", tmp_path / "deferd.json")
    assert done.returncode == 1
    assert done.stdout.startswith(f"/auth/basic: {tmp_path}/users:2: the password ") and done.stdout.count("\n") == 1
    assert not WEAK[kind] or WEAK[kind] not in done.stdout.replace(str(tmp_path), "")


@pytest.mark.parametrize("text, lines", [
    ("robot\n", [1]), ("robot:\n", [1]), ("robot:" + "0" * 63 + "\n", [1]), ("robot:" + "g" * 64 + "\n", [1]),
    (":" + "0" * 64 + "\n", [1]), ("a:" + "0" * 64 + "\nb:" + "0" * 64 + "\n", [2]), ("\n#\nx\ny", [3, 4]),
])
def test_bad_tokens_are_refused(tmp_path, text, lines):
    (tmp_path / "tokens").write_text(text)
    (tmp_path / "deferd.json").write_text('{"state": "memory", "auth": {"bearer": "tokens"}, "routes": []}')
    done = run("--check", "-c", tmp_path / "deferd.json")
    said = done.stdout.splitlines()
    assert done.returncode == 1 and len(said) == len(lines)
    for line, number in zip(said, lines):
        assert line.startswith(f"/auth/bearer: {tmp_path}/tokens:{number}: ")
