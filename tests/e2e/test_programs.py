"""Program work: programs that do what they should not, and what they are given."""

import json
import os
import pwd
import resource
import shutil
import subprocess
from urllib.parse import quote

import pytest

import expect
from harness import (children_of, echo, eventually, find_binary, group_members, is_alive, job, read_environment, route, shell)
from styles import LOCATION, PREFER, STATUS

MANY = b"x" * (4 << 20)


def test_does_not_read_its_input(serve):
    """That is no error."""
    server = serve([route("/true", {"argv": ["/bin/true"]}), route("/hello", {"argv": ["/bin/echo", "hello"]})])
    for body in (b"", b"x", MANY):
        assert server.post("/true", body).status == 200
        assert server.post("/hello", body).body == b"hello\n"


def test_closes_its_input(serve):
    server = serve([route("/close", shell("head -c 3; exec <&-; echo end"))])
    assert server.post("/close", MANY).body == b"xxxend\n"


def test_closes_its_output_early(serve, gate):
    """Its end is the end of the program, not of its output."""
    script = 'echo out; exec >&- 2>&-; echo "$DEFERD_OPERATION_ID $$" >"$1/begun"; dd if="$1/gate" bs=1 count=1 2>/dev/null; exit 66'
    server = serve([route("/close", shell(script, gate))])
    call = server.begin("POST", "/close", b"x")
    gate.wait_begun()
    assert call.is_quiet()
    gate.open("d")
    expect.check_problem(call.receive("POST"), 404)


def test_grandchild_holds_the_pipe(serve, gate):
    """A process left behind that holds the output neither holds the answer nor stays."""
    script = '( sh -c \'echo g $$ >"$1/begun"; exec dd if="$1/gate" bs=1 count=1\' sh "$1" ) & read line <"$1/sync"; echo out'
    os.mkfifo(f"{gate}/sync")
    server = serve([route("/leave", shell(script, gate))])
    call = server.begin("POST", "/leave", b"x")
    _, grandchild = gate.wait_begun()
    with open(f"{gate}/sync", "w") as sync:
        sync.write("go\n")
    response = call.receive("POST")
    assert response.status == 200 and response.body == b"out\n"
    eventually(lambda: not is_alive(grandchild), "the grandchild to be gone")


def test_grandchild_that_left_the_group(serve, gate):
    """A daemon that has made itself a session of its own is found, too."""
    script = 'setsid sh -c \'echo d $$ >"$1/begun"; exec dd if="$1/gate" bs=1 count=1\' sh "$1" >/dev/null 2>&1 </dev/null & read line <"$1/sync"; echo out'
    os.mkfifo(f"{gate}/sync")
    server = serve([route("/leave", shell(script, gate))])
    call = server.begin("POST", "/leave", b"x")
    _, daemon = gate.wait_begun()
    with open(f"{gate}/sync", "w") as sync:
        sync.write("go\n")
    assert call.receive("POST").body == b"out\n"
    eventually(lambda: not is_alive(daemon), "the daemon to be gone")


@pytest.mark.parametrize("how", ["cancel", "timeout"])
def test_whole_tree_is_stopped(serve, gate, how):
    """Children, those that ignore SIGTERM, and those in another session."""
    script = ('sh -c \'trap "" TERM; echo a $$ >"$1/begun"; dd if="$1/gate" bs=1 count=1; dd if="$1/gate" bs=1 count=1\' sh "$1" & '
              'setsid sh -c \'trap "" TERM; echo b $$ >"$1/begun"; dd if="$1/gate" bs=1 count=1; dd if="$1/gate" bs=1 count=1\' sh "$1" & '
              'echo c $$ >"$1/begun"; wait')
    server = serve([route("/tree", shell(script, gate), run_timeout="1h" if how == "cancel" else "700ms")],
                   stop_grace="100ms")
    id_ = LOCATION.start(server, path="/tree")
    pids = [gate.wait_begun()[1] for _ in range(3)]
    if how == "cancel":
        LOCATION.cancel(server, id_)
    problem = ("cancelled", 410) if how == "cancel" else ("run-timeout", 504)
    LOCATION.check_failed_as(server, LOCATION.wait(server, id_), id_, problem[1], problem[0])
    for pid in pids:
        eventually(lambda: not is_alive(pid) and not group_members(pid), "the tree to be gone")


def test_ignores_sigterm(serve, gate):
    server = serve([route("/deaf", shell('trap "" TERM; echo x $$ >"$1/begun"; while :; do dd if="$1/gate" bs=1 count=1; done', gate),
                          run_timeout="100ms")], stop_grace="100ms")
    call = server.begin("POST", "/deaf", b"x")
    _, pid = gate.wait_begun()
    expect.check_problem(call.receive("POST"), 504, "run-timeout")
    eventually(lambda: not group_members(pid), "the program to be gone")


def test_stopped_program(serve, gate):
    """SIGSTOP does not keep a program from being stopped."""
    server = serve([route("/stop", shell('echo x $$ >"$1/begun"; kill -STOP $$; echo on', gate), run_timeout="300ms")],
                   stop_grace="100ms")
    call = server.begin("POST", "/stop", b"x")
    _, pid = gate.wait_begun()
    expect.check_problem(call.receive("POST"), 504, "run-timeout")
    eventually(lambda: not group_members(pid), "the program to be gone")


def test_removed_after_start(serve, tmp_path):
    """A program that is no longer there: a problem without a path, and a line in the log."""
    program = tmp_path / "secret-name"
    shutil.copy("/bin/cat", program)
    server = serve([route("/gone", {"argv": [str(program)]})])
    assert server.post("/gone", b"x").body == b"x"
    program.unlink()
    server.expect_error("secret-name")
    for _ in range(3):
        response = server.post("/gone", b"x")
        expect.check_problem(response, 500)
        assert b"secret-name" not in response.body and b"No such file" not in response.body
    assert "secret-name" in server.log()
    id_ = LOCATION.start(server, path="/gone")
    expect.check_problem(LOCATION.wait(server, id_), 500)
    shutil.copy("/bin/cat", program)
    assert server.post("/gone", b"x").body == b"x"


def test_replaced_by_nonsense(serve, tmp_path):
    program = tmp_path / "program"
    shutil.copy("/bin/cat", program)
    server = serve([route("/nonsense", {"argv": [str(program)]})])
    program.unlink()
    program.write_bytes(b"\x7fELF nonsense")
    program.chmod(0o755)
    server.expect_error("program")
    expect.check_problem(server.post("/nonsense", b"x"), 500)


@pytest.mark.parametrize("script", ["cat /dev/zero", "head -c 65537 /dev/zero", "head -c 1000000 /dev/zero; exit 1"])
def test_result_too_large(serve, script):
    """The program is stopped; 500."""
    server = serve([route("/huge", shell(f"echo x $$ >&2; {script}"), max_result="64KiB"), echo()])
    expect.check_problem(server.post("/huge", b"x"), 500, "result-too-large")
    id_ = LOCATION.start(server, path="/huge")
    LOCATION.check_failed_as(server, LOCATION.wait(server, id_), id_, 500, "result-too-large")
    PREFER.check_failed_as(server, PREFER.poll(server, id_), id_, 500, "result-too-large")
    eventually(lambda: not children_of(server.pid), "the program to be gone")
    assert server.post("/echo", b"x").body == b"x"


def test_result_just_not_too_large(serve):
    server = serve([route("/large", shell("head -c 65536 /dev/zero"), max_result="64KiB")])
    assert len(server.post("/large").body) == 65536


def test_progress(serve, gate):
    """PERCENT [text], line by line; what is no such line is passed over."""
    script = ('step() { printf "$2" >&"$DEFERD_PROGRESS_FD"; echo x $$ >"$1/begun"; dd if="$1/gate" bs=1 count=1 2>/dev/null; };'
              'step "$1" "10\\n"; step "$1" "42 half way\\n"; step "$1" "nonsense\\n-5\\n101\\n\\n"; step "$1" "57"; step "$1" " on\\n";'
              'step "$1" "99 done \\303\\251 \\"quoted\\"\\n100\\n"')
    server = serve([route("/progress", {"argv": ["/bin/bash", "-c", script, "bash", str(gate)]}, style="status")])
    id_ = STATUS.check_accepted(server, server.post("/progress", b"x"))

    def shows(percent, text=None):
        gate.wait_begun()

        def condition():
            document = STATUS.check_document(server, STATUS.poll(server, id_), id_, "RUNNING")
            return document["progress"] == percent and (text is None or text in document["msg"])
        eventually(condition, f"{percent} {text}")
        gate.open("x")

    assert STATUS.poll(server, id_).json()["progress"] in (0, 10)
    shows(10)
    shows(42, "half way")
    shows(42)
    shows(42)
    shows(57, "on")
    shows(100)
    final = STATUS.wait(server, id_).json()
    assert final["status"] == "SUCCESS" and final["progress"] == 100


def test_progress_of_hostile_kind(serve):
    """No limit is reached by what a program says of its progress."""
    script = ('i=0; while [ $i -lt 2000 ]; do printf "%0500d\\n" $i; i=$((i+1)); done >&"$DEFERD_PROGRESS_FD";'
              'head -c 1000000 /dev/zero >&"$DEFERD_PROGRESS_FD"; eval "exec $DEFERD_PROGRESS_FD>&-"; echo end')
    server = serve([route("/hostile", {"argv": ["/bin/bash", "-c", script]}, style="status")])
    id_ = STATUS.check_accepted(server, server.post("/hostile", b"x"))
    assert LOCATION.wait(server, id_).body == b"end\n"
    assert STATUS.poll(server, id_).json()["status"] == "SUCCESS"


def test_standard_error_is_logged(serve):
    server = serve([route("/noisy", shell('echo "said aside" >&2; printf "no end of line" >&2; printf "\\033[31mred\\n" >&2; echo out'))])
    assert server.post("/noisy").body == b"out\n"
    eventually(lambda: all(said in server.log() for said in ("said aside", "no end of line", "red")), "its lines in the log")
    assert "\033" not in server.log()


def test_floods_standard_error(serve):
    """A flood neither blocks the program nor fills the log without bound."""
    server = serve([route("/flood", shell("head -c 20000000 /dev/zero | tr '\\0' 'y' >&2; yes | head -n 200000 >&2; echo out"))])
    assert server.post("/flood").body == b"out\n"
    assert os.path.getsize(server.log_file) < 30_000_000


def test_substitution(serve):
    """{name} takes a parameter of the path or of the query, decoded; every other brace is literal."""
    argv = ["/usr/bin/printf", "%s|", "{a}", "x{b_2}y{a}", "{}", "{ a }", "{1}", "{a", "a}", "{a-b}", "{{a}}", "{q}", "$HOME", "*"]
    server = serve([route("/sub/{a}/{b_2...}", {"argv": argv}, query=["q"])])
    response = server.post("/sub/one%20two/three/four%2Ffive?q=%22x%22+y&q=2&other=1")
    assert response.status == 200, response
    assert response.body.decode().split("|")[:-1] == [
        "one two", "xthree/four/fiveyone two", "{}", "{ a }", "{1}", "{a", "a}", "{a-b}", "{one two}", '"x" y', "$HOME", "*"]


def test_substitution_is_no_shell(serve):
    server = serve([route("/sub/{a}", {"argv": ["/bin/echo", "{a}"]})])
    for text in ("$(id)", "`id`", ";id", "|id", "a b  c", "'", '"', "\\", "-n", "\n", "é"):
        response = server.post("/sub/" + quote(text, safe=""))
        assert response.body == ("" if text == "-n" else text + "\n").encode()


def test_query_parameter_missing(serve):
    server = serve([route("/q", {"argv": ["/bin/echo", "{q}"]}, query=["q"])])
    expect.check_problem(server.post("/q"), 400)
    expect.check_problem(server.post("/q?p=1"), 400)
    expect.check_problem(server.post("/q?q=a%00b"), 400)
    assert server.post("/q?q=").body == b"\n"
    assert server.post("/q?q").body == b"\n"


def test_no_descriptors_and_signals_are_inherited(serve):
    """Nothing but its own pipes; signals as at the beginning of a process."""
    script = "echo $(ls /proc/self/fd); grep -E '^Sig(Blk|Ign)' /proc/self/status"
    server = serve([route("/fds", shell(script))])
    held = [server.connect() for _ in range(20)]
    listed, *signals = server.post("/fds").body.decode().splitlines()
    descriptors = set(map(int, listed.split()))
    assert {0, 1, 2} <= descriptors and len(descriptors) <= 5, listed
    masks = {name: int(mask, 16) for name, mask in (line.split(":") for line in signals)}
    # 32 and 33 are the C library's own, which posix_spawn leaves ignored.
    assert masks["SigBlk"] == 0 and masks["SigIgn"] & ~0x180000000 == 0, signals
    assert len(held) == 20


def test_working_directory(serve, tmp_path):
    server = serve([route("/pwd", {"argv": ["/bin/pwd"]}),
                    route("/there", {"argv": ["/bin/pwd"], "working_directory": str(tmp_path)})])
    assert server.post("/pwd").body == b"/\n"
    assert server.post("/there").body == f"{tmp_path}\n".encode()


def test_own_group(serve, gate):
    server = serve([job("/job", gate)])
    call = server.begin("POST", "/job", b"x")
    _, pid = gate.wait_begun()
    assert os.getpgid(pid) == pid != os.getpgid(server.pid)
    gate.open("d")
    assert call.receive("POST").status == 200
    eventually(lambda: not children_of(server.pid), "no zombie to be left")


def test_operation_id(serve):
    server = serve([route("/env", {"argv": ["/usr/bin/env", "-0"]})])
    id_ = LOCATION.start(server, path="/env")
    assert read_environment(LOCATION.wait(server, id_))["DEFERD_OPERATION_ID"] == id_


def test_prefer_document_of_text(serve):
    """A final response that is no JSON stands only at /response."""
    server = serve([route("/text", {"argv": ["/bin/echo", "{"], "response_type": "text/plain"}),
                    route("/broken", {"argv": ["/bin/echo", "{"], "response_type": "application/json"})])
    for path in ("/text", "/broken"):
        id_ = PREFER.start(server, path=path)
        attributes = PREFER.check_complete(PREFER.wait(server, id_), id_)
        assert "responseBodyJson" not in attributes and attributes["responseStatus"] == 200
        assert server.get(PREFER.target(id_) + "/response").body == b"{\n"


@pytest.mark.parametrize("body, type_, result, encoding", [
    (b'{"a": [1, 2.50]}', "application/json", {"a": [1, 2.5]}, None),
    (b'"x"', "application/vnd.x+json; charset=utf-8", "x", None),
    ("é\n".encode(), "text/plain", "é\n", None), (b'{"a":1}', "text/plain", '{"a":1}', None),
    (b"", "text/plain", "", None), (b"\0\1\xff", "application/octet-stream", "AAH/", "base64"),
    (b"\xff\xfe", "text/plain", "//4=", "base64"), (b"{", "application/json", "{", None),
    (b"\x1b[31mred\x1b[0m", "text/plain", "\x1b[31mred\x1b[0m", None)])
def test_token_result(serve, body, type_, result, encoding):
    """JSON as JSON, other text as a string, bytes as base64."""
    server = serve([route("/token", {"argv": ["/bin/cat"], "response_type": type_}, style="token")])
    id_ = server.post("/token", body).json()["asyncOperation"]["token"]
    document = server.get(f"/token/poll?asyncOperationToken={id_}", {"Prefer": "wait=20"}).json()
    assert document.pop("asyncOperation") == {"token": id_, "status": "READY"} and type(document["result"]) is type(result)
    assert document == {"result": result, "resultStatus": 200, **({"resultEncoding": encoding} if encoding else {})}


def test_token_parameter(serve):
    server = serve([route("/token", {"argv": ["/bin/cat"]}, style="token"), route("/other", {"argv": ["/bin/cat"]}, style="token")])
    expect.check_problem(server.get("/token/poll"), 400)
    expect.check_problem(server.get("/token/poll?token=x"), 400)
    assert server.get("/token/poll?asyncOperationToken=").json()["asyncOperation"]["status"] == "NOT_FOUND"
    id_ = server.post("/token", b"x").json()["asyncOperation"]["token"]
    other = server.get(f"/other/poll?asyncOperationToken={id_}").json()["asyncOperation"]
    assert other == {"token": id_, "status": "NOT_FOUND"}
    expect.check_problem(server.call("DELETE", f"/other/poll?asyncOperationToken={id_}"), 404)


def test_many_runs(serve):
    """A thousand runs leave as many descriptors, threads and children as a hundred, once the last one has been cleared away."""
    server = serve([echo()], keep="1ms", keep_tombstone="1ms")
    before = server.count_descriptors()
    threads = []
    connection = server.connect()
    for rounds in (100, 900):
        for n in range(rounds):
            target = "/echo" if n % 2 else "/echo?async=true"
            assert connection.request("POST", target, b"%d" % n).receive("POST").status in (200, 202)
        eventually(lambda: not children_of(server.pid), "programs to end")
        eventually(lambda: server.count_descriptors() <= before + 1, "descriptors to be closed")  # our connection is one
        threads.append(len(os.listdir(f"/proc/{server.pid}/task")))
    assert threads[1] <= threads[0] + 16, threads


def test_json_in_and_out(serve):
    server = serve([route("/json", {"argv": ["/bin/cat"], "response_type": "application/json"}, style="status")])
    body = json.dumps({"a": ["é", 1e300, None]}).encode()
    id_ = STATUS.check_accepted(server, server.post("/json", body, {"Content-Type": "application/json"}))
    assert LOCATION.wait(server, id_).body == body


def test_program_limits(serve):
    """What a program and its children may use, and how much they leave to others."""
    script = "ulimit -t; ulimit -v; ulimit -f; ulimit -n; nice; echo end"
    limits = {"cpu_time": "1500ms", "address_space": "512MiB", "file_size": "1MiB", "open_files": 64}
    own = os.nice(0)
    server = serve([route("/all", shell(script, limits=limits, nice=5)), route("/none", shell(script)),
                    route("/nice", shell("nice", nice=19)), route("/args", {"argv": ["/bin/echo", "--", "-n", "{x}"], "nice": 1},
                                                                  query=["x"])])
    assert server.post("/all", b"").body.decode().split() == ["2", "524288", "2048", "64", str(own + 5), "end"]
    assert server.post("/none", b"").body.decode().split()[-2:] == [str(own), "end"]
    assert server.post("/nice", b"").body == b"19\n"
    assert server.post("/args?x=a%20b", b"").body == b"-- -n a b\n", "arguments stay what they are"


def test_descriptors_of_a_program(serve, tmp_path):
    """None of the server's, and the soft limit that the server itself began with."""
    limited = tmp_path / "limited"
    limited.write_text('#!/bin/sh\nulimit -Sn 300\nexec "$@"\n')
    limited.chmod(0o755)
    script = "ulimit -Sn; ulimit -Hn; ls /proc/$$/fd; :"
    server = serve([route("/look", shell(script)), route("/limited", shell(script, limits={"open_files": 20}))],
                   wrapper=[limited], state=str(tmp_path / "deferd.db"))
    soft, hard = resource.prlimit(server.pid, resource.RLIMIT_NOFILE)
    assert soft == hard > 300
    for body in (b"", b"x", b"x" * 1000000):
        assert server.post("/look", body).body.decode().split() == ["300", str(hard), "0", "1", "2", "3"]
    assert server.post("/limited", b"").body.decode().split()[:2] == ["20", "20"]


def test_no_descriptors(serve):
    """Where none is left, calls fail one by one, whatever their style, and succeed again once there are some."""
    server = serve([echo(methods=["GET", "POST"])])
    server.expect_error("Too many open files")
    server.expect_error("error=EMFILE")
    connection = server.connect()

    def call(method, fields):
        connection.request(method, "/echo", b"x" if method == "POST" else b"", fields)
        return connection.receive()

    def calls(sync, ended):
        for _ in range(3):
            assert call("POST", {}).status == sync
            assert call("GET", {}).status == sync
            assert call("POST", {"Prefer": "respond-async, wait=20"}).status == ended

    limits = resource.prlimit(server.pid, resource.RLIMIT_NOFILE)
    calls(200, 200)
    resource.prlimit(server.pid, resource.RLIMIT_NOFILE, (3, limits[1]))
    calls(500, 500)
    resource.prlimit(server.pid, resource.RLIMIT_NOFILE, limits)
    calls(200, 200)
    assert "error=EMFILE" in server.log()


def as_nobody(serve, tmp_path, *routes, **settings):
    if os.geteuid() != 0:
        pytest.skip("only root may switch")
    (tmp_path / "state").mkdir(exist_ok=True)
    nobody = pwd.getpwnam("nobody")
    server = serve([{**one, "program": {**one["program"], "user": "nobody"}} for one in routes],
                   state=str(tmp_path / "state/deferd.db"), **settings)
    return server, nobody


def test_program_of_another_user(serve, tmp_path):
    """Its user and groups, no capabilities; its own descriptors it may open anew, and see nothing of the store."""
    state = tmp_path / "state"
    state.mkdir(mode=0o755)
    for directory in (*tmp_path.parents[:2], tmp_path):
        directory.chmod(0o755)
    script = ("id -u; id -g; id -G; sed -n 's/CapEff:.//p; s/CapInh:.//p' /proc/self/status; cat /dev/stdin; echo >/dev/stderr;"
              " cat \"$1\"/deferd.db* >/dev/null 2>&1 || echo closed; ls \"$1\"/deferd.db*/ >/dev/null 2>&1 || echo closed;"
              " ls /proc/$PPID/fd 2>/dev/null || echo closed")
    server, nobody = as_nobody(serve, tmp_path, route("/look", shell(script, state)), route("/nice", shell("nice; ulimit -n", nice=3, limits={"open_files": 50})))
    groups = os.getgrouplist("nobody", nobody.pw_gid)
    expected = [nobody.pw_uid, nobody.pw_gid, *groups, "0" * 16, "0" * 16, "input", "closed", "closed", "closed"]
    for size in (0, 2000000):
        found = server.post("/look", b"x" * size + b"input\n").body.decode().replace("x" * size, "").split()
        assert found == [str(word) for word in expected]
    assert server.post("/nice", b"").body.decode().split() == [str(min(os.nice(0) + 3, 19)), "50"]


def test_program_of_another_user_is_stopped(serve, tmp_path, gate):
    """By a time limit, and what it has left behind goes with it."""
    script = "setsid sleep 1000 & echo $!; exec sleep 1000"
    server, _ = as_nobody(serve, tmp_path, route("/hangs", shell(script), run_timeout="300ms"),
                          route("/leaves", shell("setsid sleep 1000 >/dev/null 2>&1 3>&1 & echo $!")))
    assert server.post("/hangs", b"").status == 504
    left = int(server.post("/leaves", b"").body)
    eventually(lambda: not is_alive(left), "what was left to be killed")
    eventually(lambda: not server.children(), "everything to be gone")


def test_users_that_cannot_be(tmp_path):
    """Told when the configuration is read: nobody of that name; nobody whom the server may become."""
    def check(user, *wrapper):
        file = tmp_path / "deferd.json"
        file.write_text(json.dumps({"listen": "127.0.0.1:0", "state": "memory",
                                    "routes": [route("/a", {"argv": ["/bin/true"], "user": user})]}))
        found = subprocess.run([*wrapper, find_binary(), "--check", "-c", str(file)], capture_output=True, text=True, timeout=60)
        return found.returncode, found.stdout

    assert check("nobody-at-all") == (1, '/routes/0/program/user: "nobody-at-all" is not a user of this machine\n')
    own = pwd.getpwuid(os.geteuid()).pw_name
    assert check(own) == (0, "")
    refused = (1, '/routes/0/program/user: "nobody" cannot be switched to: the server is not root or lacks the capabilities\n')
    if os.geteuid() != 0:
        assert check("nobody") == refused
        return
    assert check("nobody") == (0, "")
    for capability in ("setuid", "setgid", "kill", "sys_ptrace"):
        assert check("nobody", "setpriv", f"--bounding-set=-{capability}") == refused, capability


def test_program_beyond_its_limits(serve, tmp_path):
    """It fails as one that a signal ends, or by its own decision."""
    server = serve([route("/spins", shell("while :; do :; done", limits={"cpu_time": "1s"})),
                    route("/writes", shell('head -c 100000 /dev/zero >"$1" || exit 64', tmp_path / "out", limits={"file_size": "1KiB"}))])
    assert server.post("/spins", b"").status == 500
    assert server.post("/writes", b"").status in (400, 500)
