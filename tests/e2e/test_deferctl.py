"""deferctl, the client, against the running server and against hostile ones."""

import http.server
import json
import os
import pty
import re
import signal
import subprocess
import threading
from pathlib import Path

import pytest

import harness
from harness import DEADLINE, echo, job, route, shell

STYLES = [None, "status", "token", "azure", "google", "prediction"]


def find_client():
    return str(Path(harness.find_binary()).parent / "deferctl/deferctl")


def environment(**variables):
    left = {name: value for name, value in os.environ.items() if not name.startswith("DEFERD")}
    return {**left, "HOME": "/nonexistent", **variables}


def ctl(*arguments, stdin=subprocess.DEVNULL, timeout=DEADLINE, **variables):
    done = subprocess.run([find_client(), *map(str, arguments)], stdin=stdin, capture_output=True, timeout=timeout,
                          env=environment(**variables))
    assert not harness.REPORTS.search(done.stderr.decode(errors="replace")), done.stderr
    return done


class Hostile:
    """A server that answers each path with bytes of the test; it keeps the requests."""

    def __init__(self, answers):
        self.requests = []
        hostile = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def answer(self):
                hostile.requests.append((self.command, self.path, dict(self.headers)))
                self.rfile.read(int(self.headers.get("Content-Length", 0)))
                self.close_connection = True
                found = answers[self.path]
                try:
                    self.wfile.write(found(len(hostile.requests)) if callable(found) else found)
                except ConnectionError:
                    pass

            do_GET = do_POST = do_DELETE = answer

            def log_message(self, *arguments):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.base = f"http://127.0.0.1:{self.server.server_port}"
        self.thread = threading.Thread(target=self.server.serve_forever)
        self.thread.start()

    def __enter__(self):
        return self

    def __exit__(self, *failure):
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


def answer(status, body=b"", **fields):
    lines = [f"HTTP/1.1 {status} x", f"Content-Length: {len(body)}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in fields.items()]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


@pytest.mark.parametrize("style", STYLES)
def test_call_in_every_style(serve, style):
    more = {"style": style} if style else {}
    server = serve([echo(**more)])
    done = ctl("call", "-d", '{"input": 1}', f"{server.base}/echo")
    assert (done.returncode, done.stdout, done.stderr) == (0, b'{"input": 1}', b"")


def test_call_of_style_location(serve):
    server = serve([echo()])
    done = ctl("call", "-d", "[1]", "/echo?async=true", DEFERD_URL=f"{server.base}/")
    assert (done.returncode, done.stdout) == (0, b"[1]")


def test_failure_is_22(serve):
    server = serve([route("/fail", shell("cat >/dev/null; exit 65"))])
    done = ctl("call", "-d", "x", f"{server.base}/fail")
    assert done.returncode == 22 and b'"status":' in done.stdout


def test_result_into_a_file(serve, tmp_path):
    server = serve([echo()])
    body = os.urandom(300_000)
    (tmp_path / "in").write_bytes(body)
    done = ctl("call", "-d", f"@{tmp_path}/in", "-o", tmp_path / "out", "--json", f"{server.base}/echo")
    assert done.returncode == 0 and (tmp_path / "out").read_bytes() == body
    said = json.loads(done.stdout)
    assert said["bytes"] == len(body) and said["status"] == 200 and said["failed"] is False


def begin(server, gate):
    done = ctl("call", "--no-wait", f"{server.base}/job")
    assert done.returncode == 0, done.stderr
    gate.wait_begun()
    return done.stdout.decode().strip()


def test_wait_status_cancel(serve, gate):
    server = serve([job("/job", gate)])
    url = begin(server, gate)
    done = ctl("status", url.rpartition("/")[2], DEFERD_URL=server.base)
    assert done.returncode == 0 and done.stdout.startswith((b"state", b"id")), done
    gate.open()
    assert ctl("wait", url).returncode == 0
    url = begin(server, gate)
    assert ctl("cancel", url).returncode == 0
    assert ctl("wait", url).returncode == 22
    assert ctl("wait", url[:-4] + "0000").returncode == 22


class Polled:
    """Answers of an operation that runs until it is cancelled."""

    def __init__(self):
        self.event = threading.Event()
        self.is_cancelled = False

    def __call__(self, count):
        if self.event.is_set() and self.is_cancelled:
            return answer(409, b"cancelled", AsyncResult="409")
        self.event.set()
        return answer(202, Retry_After="60")


def test_interrupted_without_a_terminal():
    """It leaves the operation running and says how to go on."""
    monitor = Polled()
    with Hostile({"/call": answer(202, Location="/m'$(date)"), "/m'$(date)": monitor}) as server:
        client = subprocess.Popen([find_client(), "call", f"{server.base}/call"], stdin=subprocess.DEVNULL,
                                  stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment())
        assert monitor.event.wait(DEADLINE)
        client.send_signal(signal.SIGINT)
        _, said = client.communicate(timeout=DEADLINE)
        assert client.returncode == 130 and f"deferctl wait '{server.base}/m%27$(date)'".encode() in said, said
        assert [method for method, _, _ in server.requests] == ["POST", "GET"]


def read_until(terminal, words):
    said = b""
    while words not in said:
        piece = read_terminal(terminal)
        assert piece, said
        said += piece


@pytest.mark.parametrize("second", ["y", "interrupt"])
def test_interrupted_on_a_terminal(second):
    """It asks; yes cancels, another interrupt leaves the operation running."""
    monitor = Polled()
    with Hostile({"/call": answer(202, Location="/m"), "/m": monitor}) as server:
        ours, theirs = pty.openpty()
        client = subprocess.Popen([find_client(), "call", f"{server.base}/call"], stdin=theirs, stdout=theirs, stderr=theirs,
                                  env=environment())
        os.close(theirs)
        assert monitor.event.wait(DEADLINE)
        client.send_signal(signal.SIGINT)
        read_until(ours, b"[y/N] ")
        monitor.is_cancelled = second == "y"
        if second == "y":
            os.write(ours, b"y\n")
            read_until(ours, b"cancelled")
        else:
            client.send_signal(signal.SIGINT)
            read_until(ours, b"deferctl wait '")
        assert client.wait(DEADLINE) == (22 if second == "y" else 130)
        os.close(ours)
        methods = [method for method, _, _ in server.requests]
        assert methods == (["POST", "GET", "DELETE", "GET"] if second == "y" else ["POST", "GET"])


def test_credentials_stay_at_their_origin():
    found = {}
    with Hostile(found) as called, Hostile({"/monitor": answer(200, b"done")}) as other:
        found["/call"] = answer(202, Location=f"{other.base}/monitor")
        done = ctl("call", "-u", "ann:secret", "-H", "X-Api-Key: k", f"{called.base}/call")
        assert (done.returncode, done.stdout) == (0, b"done")
        (_, _, sent), = called.requests
        assert sent["Authorization"].startswith("Basic ") and sent["X-Api-Key"] == "k"
        (_, _, sent), = other.requests
        assert "Authorization" not in sent and "X-Api-Key" not in sent


@pytest.mark.parametrize("options, variables", [
    (["--token-file", "TOKEN"], {}), ([], {"DEFERD_TOKEN": "t0ken"})])
def test_tokens(tmp_path, options, variables):
    (tmp_path / "TOKEN").write_text("t0ken\n")
    with Hostile({"/call": answer(200, b"ok")}) as server:
        options = [str(tmp_path / part) if part == "TOKEN" else part for part in options]
        assert ctl("call", *options, f"{server.base}/call", **variables).returncode == 0
        assert server.requests[0][2]["Authorization"] == "Bearer t0ken"


def test_netrc(tmp_path):
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login ann password secret\n")
    with Hostile({"/call": answer(200, b"ok")}) as server:
        assert ctl("call", f"{server.base}/call", HOME=str(tmp_path)).returncode == 0
        assert server.requests[0][2]["Authorization"].startswith("Basic ")


def test_retry_with_one_key():
    with Hostile({"/call": lambda count: answer(503, Retry_After="0") if count == 1 else answer(200, b"ok")}) as server:
        done = ctl("call", f"{server.base}/call")
        assert (done.returncode, done.stdout) == (0, b"ok")
        first, second = [sent["Idempotency-Key"] for _, _, sent in server.requests]
        assert first == second and len(first) == 38


def test_empty_body_and_directory(tmp_path):
    with Hostile({"/call": answer(200, b"ok")}) as server:
        assert ctl("call", f"{server.base}/call").returncode == 0
        (_, _, sent), = server.requests
        assert sent["Content-Length"] == "0" and sent["Prefer"] == "respond-async"
        assert ctl("call", "-d", f"@{tmp_path}", f"{server.base}/call").returncode == 26
        assert ctl("call", "-d", f"@{tmp_path}/none", f"{server.base}/call").returncode == 26


def test_body_from_a_pipe(serve):
    server = serve([echo()])
    given, ours = os.pipe()
    os.write(ours, b"piped")
    os.close(ours)
    assert ctl("call", "-d", "@-", f"{server.base}/echo", stdin=given).stdout == b"piped"
    os.close(given)


def test_fields_of_a_call_are_not_polled_with():
    given = ["Idempotency-Key: mine", "If-Match: *", "Content-Type: text/plain", "X-Api-Key: k"]
    with Hostile({"/call": answer(202, Location="/m"), "/m": answer(200, b"done")}) as server:
        options = [part for field in given for part in ("-H", field)]
        assert ctl("call", "-d", "x", *options, f"{server.base}/call").returncode == 0
        (_, _, sent), (_, _, polled) = server.requests
        assert [f"{name}: {sent[name]}" for name in ("Idempotency-Key", "If-Match", "Content-Type", "X-Api-Key")] == given
        assert polled["X-Api-Key"] == "k" and not {"Idempotency-Key", "If-Match", "Content-Type"} & set(polled)


def test_endless_redirects_and_huge_headers():
    with Hostile({"/loop": answer(302, Location="/loop"), "/call": answer(202, Location="/loop"),
                  "/huge": b"HTTP/1.1 200 x\r\n" + b"X-A: " + b"a" * 60000 + b"\r\n" + b"X-B: bbbbbbbbbb\r\n" * 100000}) as server:
        done = ctl("call", f"{server.base}/call")
        assert done.returncode == 47 and len(server.requests) <= 20
        assert ctl("call", f"{server.base}/huge").returncode not in (0, 22)


def test_huge_ticket_is_refused():
    with Hostile({"/call": answer(202, b"x" * 5_000_000, Location="/m")}) as server:
        assert ctl("call", f"{server.base}/call").returncode == 23


def test_escape_sequences_on_a_terminal():
    """A bar is drawn on a terminal; what the server says cannot move its cursor."""
    polls = {"/call": answer(202, Location="/m", Retry_After="0"),
             "/m": lambda count: answer(202, Retry_After="0", X_Progress=f"{count * 20}% \u009b2J\u202eevil")
             if count < 4 else answer(200, "\x1b[2Jdone\u009b2J".encode())}
    with Hostile(polls) as server:
        ours, theirs = pty.openpty()
        client = subprocess.Popen([find_client(), "call", f"{server.base}/call"], stdin=theirs, stdout=theirs, stderr=theirs,
                                  env=environment(NO_COLOR="1"))
        os.close(theirs)
        said = b""
        while piece := read_terminal(ours):
            said += piece
        os.close(ours)
        assert client.wait(DEADLINE) == 0
    assert b"###" in said and b"evil" in said and b"?[2Jdone" in said, said
    rest = said.replace(b"\x1b[K", b"")
    assert b"\x1b" not in rest and "\u009b".encode() not in rest and "\u202e".encode() not in rest, rest


def read_terminal(terminal):
    try:
        return os.read(terminal, 4096)
    except OSError:
        return b""


@pytest.mark.parametrize("arguments", [
    [], ["dance"], ["call"], ["call", "/path"], ["call", "ftp://x/"], ["call", "--dance", "http://x/"], ["wait", "a", "b"],
    ["call", "-u", "ann", "http://x/"], ["call", "-H", "none", "http://x/"], ["call", "--json", "http://x/"],
    ["output", "http://x/"], ["call", "-X", "GET /", "http://x/"], ["call", "--key", "a\nb", "http://x/"],
    ["call", "--key", "", "http://x/"]])
def test_usage(arguments):
    done = ctl(*arguments)
    assert done.returncode == 64 and done.stdout == b"" and done.stderr.startswith(b"deferctl: ")


def test_help_and_version():
    assert ctl("--help").stdout.startswith(b"usage: deferctl call")
    assert ctl("--version").stdout.startswith(b"deferctl ")


def test_nobody_listens():
    assert ctl("call", "--retry", "0", "http://127.0.0.1:1/").returncode == 7


def test_list(serve, gate):
    """By the admin listener, which lists all operations."""
    server = serve([job("/job", gate)], admin={"listen": "127.0.0.1:0"})
    url = begin(server, gate)
    done = ctl("list", "--limit", "5", f"http://{server.admin}")
    assert done.returncode == 0 and url.rpartition("/")[2].encode() in done.stdout, done
    assert len(json.loads(ctl("list", "--json", f"http://{server.admin}").stdout)["operations"]) == 1
    gate.open()


def test_completion_and_manual_know_every_option():
    folder = harness.ROOT / "server/deferctl"
    options = set(re.findall(r"--([a-z-]+)", ctl("--help").stdout.decode()))
    assert len(options) > 15
    for name in ("deferctl.bash", "_deferctl"):
        assert set(re.findall(r"--([a-z-]+)", (folder / name).read_text())) == options, name
    assert set(re.findall(r"-([a-z-]{4,})", (folder / "deferctl.1").read_text())) >= options - {"key"}
    done = subprocess.run(["bash", "-c", f". {folder}/deferctl.bash; COMP_WORDS=(deferctl c); COMP_CWORD=1; _deferctl; "
                           "echo ${COMPREPLY[@]}"], capture_output=True, text=True, check=True, timeout=DEADLINE)
    assert done.stdout == "call cancel\n"
