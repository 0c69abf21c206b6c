"""The program under test: starts it, talks to it, ends it, and looks at what it has left behind."""

import contextlib
import json
import os
import re
import select
import signal
import subprocess
import time
from pathlib import Path

import expect
import wire
from wire import DEADLINE

ROOT = Path(__file__).resolve().parents[2]
PROGRAMS = Path(__file__).resolve().parent / "programs"
READY = re.compile(r"deferd: ready on (\S+)\n")
ADMIN = re.compile(r"deferd: admin on (\S+)\n")
REPORTS = re.compile(r"AddressSanitizer|LeakSanitizer|ThreadSanitizer|MemorySanitizer|runtime error:|"
                     r"[Aa]ssertion|\*\*\* .* \*\*\*|Valgrind|\[warn\]|\[err\]")

# What others say in the log: programs on standard error, and the request id that a client has given.
OWN_WORDS = re.compile(r"program wrote .*|request_id=\S+")


def eventually(condition, what="it to come true", timeout=DEADLINE):
    """Waits until condition() is true and returns what it returned: the only place that pauses.  what may be a function."""
    deadline = time.monotonic() + timeout
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"waited in vain for {what() if callable(what) else what}")
        time.sleep(0.005)


def find_binary():
    if "DEFERD" in os.environ:
        return os.environ["DEFERD"]
    found = [path for path in (ROOT / "build/server/deferd", ROOT / "build-test/server/deferd") if path.exists()]
    assert found, "build the program first, or name it in DEFERD"
    return str(max(found, key=lambda path: path.stat().st_mtime))


def stat_of(pid):
    """Fields of /proc/PID/stat behind the name: state, parent, process group, ...; None if it is gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None


def processes():
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]


def children_of(pid):
    """Processes whose parent is pid, zombies too."""
    return [child for child in processes() if (stat := stat_of(child)) and int(stat[1]) == pid]


def group_members(group):
    """Living processes of a process group."""
    return [pid for pid in processes() if (stat := stat_of(pid)) and int(stat[2]) == group and stat[0] != "Z"]


def is_alive(pid):
    stat = stat_of(pid)
    return stat is not None and stat[0] != "Z"


def run(*arguments, timeout=DEADLINE):
    """Runs the program to its end, for what does not serve."""
    return subprocess.run([find_binary(), *map(str, arguments)], stdin=subprocess.DEVNULL, capture_output=True,
                          text=True, timeout=timeout)


class Gate:
    """Holds programs: each tells that it has begun, and goes on as it is told.  See programs/job."""

    def __init__(self, directory):
        self.directory = directory
        directory.mkdir(parents=True)
        self.descriptors = {}
        for name in ("begun", "gate"):
            os.mkfifo(directory / name)
            # Open in both directions, so that neither side ever waits for the other to open it.
            self.descriptors[name] = os.open(directory / name, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
        self.lines = []
        self.rest = b""

    def __str__(self):
        return str(self.directory)

    def _take_lines(self, timeout):
        if select.select([self.descriptors["begun"]], [], [], timeout)[0]:
            self.rest += os.read(self.descriptors["begun"], 65536)
            *lines, self.rest = self.rest.split(b"\n")
            self.lines += [line.decode().split(" ") for line in lines]

    def wait_begun(self):
        """Waits for the next program to begin: its operation's id, its process id, and what else it tells."""
        deadline = time.monotonic() + DEADLINE
        while not self.lines:
            assert time.monotonic() < deadline, "no program has begun"
            self._take_lines(max(0, deadline - time.monotonic()))
        id_, pid, *rest = self.lines.pop(0)
        return (id_, int(pid), *rest)

    def begun(self):
        """What has begun and was not waited for."""
        self._take_lines(0)
        return list(self.lines)

    def open(self, outcomes="d"):
        """Lets as many programs go on as there are letters."""
        os.write(self.descriptors["gate"], outcomes.encode())

    def close(self):
        for descriptor in self.descriptors.values():
            os.close(descriptor)


# Names by which tests call servers that ask for no log-in.
HOSTS = ["a", "behind", "bench", "deferd.example", "fr", "front", "h", "here", "here.example", "other", "other.example", "poison", "x"]


class Server:
    """A running server.  Ended by end(), which looks at everything that must be left in order.

    variables are added to its environment; wrapper is a command that runs it in its place, with the descriptors pass_fds."""

    def __init__(self, directory, routes, variables=None, wrapper=(), pass_fds=(), **settings):
        directory.mkdir(parents=True, exist_ok=True)
        self.variables = dict(variables or {})
        self.wrapper = [str(part) for part in wrapper]
        self.pass_fds = pass_fds
        self.directory = directory
        self.config = {"listen": "127.0.0.1:0", "state": "memory", "drain_timeout": "10s", "hosts": HOSTS, "routes": routes}
        self.config.update(settings)
        self.file = directory / "deferd.json"
        self.log_file = directory / "log"
        self.expected_errors = []
        self.kept_descriptors = 0
        self.process = None
        self.connections = []
        self.start()

    # Its life.

    def write_config(self):
        self.file.write_text(json.dumps(self.config, indent=1))

    def start(self):
        """Starts it and waits until it serves; again after an end or a kill."""
        self.write_config()
        listen = self.config["listen"]
        environment = dict(os.environ)
        environment.pop("PYTEST_CURRENT_TEST", None)
        environment["ASAN_OPTIONS"] = environment.get("ASAN_OPTIONS", "") + ":detect_leaks=1:exitcode=99"
        environment["UBSAN_OPTIONS"] = environment.get("UBSAN_OPTIONS", "") + ":print_stacktrace=1"
        environment["TSAN_OPTIONS"] = environment.get("TSAN_OPTIONS", "") + ":exitcode=99"
        environment.update(self.variables)
        with open(self.log_file, "ab") as log:
            self.process = subprocess.Popen([*self.wrapper, find_binary(), "-c", str(self.file)],
                                            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log,
                                            env=environment, pass_fds=self.pass_fds)
        self.pid = self.process.pid
        self.addresses, admin = self._read_ready(len(listen) if isinstance(listen, list) else 1,
                                                 int("admin" in self.config))
        self.admin = admin[0] if admin else None
        self.address = self.addresses[0]
        self.base = "http://" + ("localhost" if self.address.startswith("unix:") else self.address)
        # A first call, so that what is opened once is open.
        wire.call(self.address, "GET", "/")
        self.descriptors_at_start = self.count_descriptors()

    def _read_ready(self, count, admin_count):
        """The addresses that it says it serves on, and that of its admin listener."""
        deadline = time.monotonic() + DEADLINE
        text = ""
        while len(READY.findall(text)) < count or len(ADMIN.findall(text)) < admin_count:
            left = max(0, deadline - time.monotonic())
            piece = b""
            if select.select([self.process.stdout], [], [], left)[0]:
                piece = os.read(self.process.stdout.fileno(), 4096)
            assert piece, f"not ready: {text!r} {self.log()}"
            text += piece.decode()
        assert ADMIN.sub("", READY.sub("", text)) == "", f"more than ready lines: {text!r}"
        return READY.findall(text), ADMIN.findall(text)

    def log(self):
        return self.log_file.read_text(errors="replace")

    def reload(self, said="configuration reloaded"):
        """Has it read its configuration again, as it is on disk, and waits until the log tells what came of that."""
        before = self.log().count(said)
        self.process.send_signal(signal.SIGHUP)
        eventually(lambda: self.log().count(said) > before, "a word on the reload")

    def expect_error(self, pattern):
        """A line of the log at level error is no failure of the test if it matches."""
        self.expected_errors.append(pattern)

    def count_descriptors(self):
        return len(os.listdir(f"/proc/{self.pid}/fd"))

    def children(self):
        return children_of(self.pid)

    def terminate(self):
        self.process.send_signal(signal.SIGTERM)

    def wait_end(self, timeout=DEADLINE):
        """Waits for its end and checks that it was a good one."""
        status = self.process.wait(timeout)
        self.process.stdout.close()
        self.process = None
        self.check_log()
        assert status == 0, f"ended with {status}: {self.log()[-3000:]}"

    def kill(self):
        """kill -9, as a crash would."""
        self.process.kill()
        self.process.wait(DEADLINE)
        self.process.stdout.close()
        self.process = None
        self.close_connections()

    def check_log(self):
        log = self.log()
        assert not REPORTS.search(log), log[-20000:]
        told = OWN_WORDS.sub("", log)
        assert not re.search(expect.UUID4, told), "a whole id is in the log"
        assert not wire.find_secrets(told), "a secret is in the log"
        errors = [line for line in log.splitlines() if re.search(r" error: ", line)]
        for pattern in self.expected_errors:
            errors = [line for line in errors if not re.search(pattern, line)]
        assert not errors, errors

    def close_connections(self):
        for connection in self.connections:
            connection.close()
        self.connections.clear()

    def end(self):
        """Looks at descriptors and children, ends it by SIGTERM, and looks at its log."""
        if not self.process:
            return
        self.close_connections()
        allowed = self.descriptors_at_start + self.kept_descriptors
        try:
            if self.process.poll() is None:
                eventually(lambda: self.count_descriptors() <= allowed,
                           lambda: f"descriptors to come back to {allowed}: {self.list_descriptors()}")
                eventually(lambda: not self.children(), "programs to end")
                self.terminate()
            self.wait_end()
        finally:
            if self.process:
                self.kill()

    def list_descriptors(self):
        """What they lead to, but for those that are closed meanwhile."""
        directory = f"/proc/{self.pid}/fd"
        targets = []
        for name in os.listdir(directory):
            with contextlib.suppress(FileNotFoundError):
                targets.append(os.readlink(f"{directory}/{name}"))
        return targets

    def count_sockets_to(self, port):
        """Of those that it holds, whatever the other side has done."""
        held = self.list_descriptors()
        rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
        return sum(row[2].endswith(f":{port:04X}") and f"socket:[{row[9]}]" in held for row in rows)

    # Talking to it.

    def call(self, method, target, body=None, fields=()):
        """One call by http.client; what every answer must be like is checked."""
        response = wire.call(self.address, method, target, body, fields)
        expect.check_answer(response, method)
        return response

    def get(self, target, fields=()):
        return self.call("GET", target, None, fields)

    def ask_admin(self, target, method="GET"):
        """One call of the admin listener."""
        response = wire.call(self.admin, method, target)
        expect.check_answer(response, method)
        return response

    def post(self, target, body=b"", fields=()):
        return self.call("POST", target, body, fields)

    def connect(self, address=None):
        connection = wire.Connection(address or self.address, expect.check_answer)
        self.connections.append(connection)
        return connection

    def begin(self, method, target, body=None, fields=()):
        """Sends a call on a connection of its own; the answer is read by receive()."""
        return self.connect().request(method, target, body, fields)


# Routes that many tests use.

def shell(script, *arguments, **more):
    """A program that is a line of shell; arguments are $1, $2 and so on."""
    return {"argv": ["/bin/sh", "-c", script, "sh", *map(str, arguments)], **more}


def route(path, program, **more):
    return {"path": path, "program": program, **more}


def job(path, gate, **more):
    """A route whose program is held at the gate; see programs/job."""
    return route(path, {"argv": [str(PROGRAMS / "job"), str(gate)]}, **more)


def echo(path="/echo", **more):
    return route(path, {"argv": ["/bin/cat"]}, **more)


def environment(path="/env", **more):
    return route(path, {"argv": ["/usr/bin/env", "-0"]}, **more)


def read_environment(response):
    """The variables that the program of an environment route has had."""
    assert response.status == 200, response
    pairs = [entry.partition("=") for entry in response.body.decode().split("\0")[:-1]]
    return {name: value for name, _, value in pairs}
