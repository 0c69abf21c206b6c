"""What the server tells a service manager, and sockets that one hands over.  The manager is the test."""

import json
import os
import select
import signal
import socket
import ssl
import subprocess
import threading
import time

import pytest

import harness
import wire
from harness import DEADLINE, PROGRAMS, echo, environment, eventually, job, read_environment, route, shell
from styles import LOCATION


class Manager:
    """Receives datagrams on $NOTIFY_SOCKET."""

    def __init__(self, name):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.sock.bind(name)
        self.variables = {"NOTIFY_SOCKET": name.replace("\0", "@")}
        self.messages = []

    def receive(self, timeout=DEADLINE):
        """The next message: its assignments."""
        assert select.select([self.sock], [], [], timeout)[0], f"no message after {self.messages}"
        lines = self.sock.recv(65536).decode().split("\n")
        message = dict(line.split("=", 1) for line in lines)
        assert len(message) == len(lines), f"a name twice: {lines}"
        self.messages.append(message)
        return message

    def wait_for(self, name):
        """The next message that has name."""
        deadline = time.monotonic() + DEADLINE
        while True:
            message = self.receive(max(0, deadline - time.monotonic()))
            if name in message:
                return message


@pytest.fixture(params=["path", "abstract"])
def manager(request, tmp_path):
    name = str(tmp_path / "notify") if request.param == "path" else f"\0deferd-test-{os.getpid()}-{tmp_path.name}"
    one = Manager(name)
    yield one
    one.sock.close()


def test_ready_and_stopping(serve, manager):
    server = serve([echo()], variables=manager.variables)
    message = manager.receive()
    assert message["READY"] == "1" and message["STATUS"]
    server.terminate()
    message = manager.receive()
    assert message["STOPPING"] == "1" and message["STATUS"] == "Draining"
    server.wait_end()
    assert len(manager.messages) == 2 and not select.select([manager.sock], [], [], 0)[0]


def test_reload(serve, manager):
    """RELOADING with the time it began, then READY: of a good file, and of one with a mistake."""
    server = serve([echo()], variables=manager.variables)
    server.expect_error("not reloaded")
    manager.wait_for("READY")
    for content, says in ((server.file.read_text(), "Serving"), ("{", "not reloaded")):
        server.file.write_text(content)
        before = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
        server.process.send_signal(signal.SIGHUP)
        message = manager.receive()
        assert message["RELOADING"] == "1"
        assert before <= int(message["MONOTONIC_USEC"]) <= time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
        message = manager.receive()
        assert message["READY"] == "1" and says in message["STATUS"], message
        assert server.post("/echo", b"x").body == b"x"


def test_watchdog(serve, manager, gate):
    """Signs of life at half the interval, from the loop, with what is being done."""
    server = serve([job("/job", gate)], variables={**manager.variables, "WATCHDOG_USEC": "40000"})
    id_ = LOCATION.start(server, path="/job")
    gate.wait_begun()
    for _ in range(3):
        assert manager.wait_for("WATCHDOG")["WATCHDOG"] == "1"
    eventually(lambda: "0 queued, 1 running" in manager.wait_for("WATCHDOG")["STATUS"], "its status")
    os.kill(server.pid, signal.SIGSTOP)
    while select.select([manager.sock], [], [], 0)[0]:
        manager.receive()
    assert not select.select([manager.sock], [], [], 0.2)[0], "a server that hangs gives no sign"
    os.kill(server.pid, signal.SIGCONT)
    manager.wait_for("WATCHDOG")
    gate.open()
    assert LOCATION.wait(server, id_).status == 200
    server.terminate()
    manager.wait_for("STOPPING")
    server.wait_end()


@pytest.mark.parametrize("variables", [
    {"WATCHDOG_USEC": "2000", "WATCHDOG_PID": "1"}, {"WATCHDOG_USEC": "0"}, {"WATCHDOG_USEC": "x"},
    {"WATCHDOG_USEC": "-1"}, {"WATCHDOG_USEC": ""}, {"WATCHDOG_USEC": "99999999999999999999"}])
def test_no_watchdog(serve, tmp_path, variables):
    """None is wanted of this process, or not in a way that can be read."""
    manager = Manager(str(tmp_path / "notify"))
    server = serve([echo()], variables={**manager.variables, **variables})
    for _ in range(20):
        assert server.post("/echo", b"x").status == 200
    server.terminate()
    server.wait_end()
    while select.select([manager.sock], [], [], 0)[0]:
        assert "WATCHDOG" not in manager.receive()
    assert [set(message) - {"STATUS"} for message in manager.messages] == [{"READY"}, {"STOPPING"}]
    manager.sock.close()


@pytest.mark.parametrize("name", ["/nowhere/notify", "@nobody-is-there", "relative", "", "@", "/", "x" * 300, "/" + "x" * 300,
                                  "vsock:2:1234"])
def test_nobody_listens(serve, name):
    """A manager that is not there is no reason not to serve."""
    server = serve([echo()], variables={"NOTIFY_SOCKET": name, "WATCHDOG_USEC": "2000"})
    assert server.post("/echo", b"x").status == 200


# Sockets that are handed over.

def make_socket(address=("127.0.0.1", 0), family=socket.AF_INET):
    sock = socket.socket(family)
    sock.bind(address)
    sock.listen(1000)
    return sock


def activate(serve, sock, routes, **settings):
    """A server that gets a socket from its manager; what it is configured to listen on must not be used."""
    settings.setdefault("listen", "unix:/nowhere/socket")
    return serve(routes, wrapper=[PROGRAMS / "activate", sock.fileno()], pass_fds=(sock.fileno(),), **settings)


@pytest.fixture
def handed_over():
    with make_socket() as sock:
        yield sock


def test_activation(serve, handed_over):
    """The socket is served, made non-blocking, and is left as it was when the server ends."""
    server = activate(serve, handed_over, [echo()])
    assert server.address == "127.0.0.1:%d" % handed_over.getsockname()[1]
    assert server.post("/echo", b"x").body == b"x"
    assert not os.get_blocking(handed_over.fileno()), "shared with the server: a blocking accept would hang it"


def test_activation_unix(serve, tmp_path):
    path = tmp_path / "socket"
    with make_socket(str(path), socket.AF_UNIX) as sock:
        server = activate(serve, sock, [echo()])
        assert server.address == f"unix:{path}"
        assert server.post("/echo", b"x").body == b"x"
        server.terminate()
        server.wait_end()
        assert path.is_socket(), "it is the manager's"


def test_programs_know_nothing(serve, handed_over, tmp_path):
    """Neither the manager's variables nor its sockets reach a program."""
    manager = Manager(str(tmp_path / "notify"))
    server = activate(serve, handed_over, [environment(), route("/fds", shell("ls -l /proc/self/fd"))],
                      variables={**manager.variables, "WATCHDOG_USEC": "1000000", "LISTEN_FDNAMES": "a"})
    names = set(read_environment(server.post("/env", b"")))
    assert not {name for name in names if name.startswith(("NOTIFY_", "WATCHDOG_", "LISTEN_"))}, names
    inode = os.fstat(handed_over.fileno()).st_ino
    listing = server.post("/fds", b"").body.decode()
    assert "->" in listing and f"socket:[{inode}]" not in listing
    manager.sock.close()


def test_restart_refuses_no_connection(serve, handed_over):
    """What calls while nobody serves waits for the next server."""
    server = activate(serve, handed_over, [echo()])
    address = server.address
    for turn in range(3):
        server.terminate()
        server.wait_end()
        waiting = [server.connect(address).request("POST", "/echo", b"%d" % n) for n in range(20)]
        server.start()
        assert server.address == address
        for n, connection in enumerate(waiting):
            response = connection.receive("POST")
            assert (response.status, response.body) == (200, b"%d" % n), turn
        server.close_connections()


def test_restart_under_load(serve, handed_over):
    """Nobody is refused a connection or given a wrong answer; one that the old server closed unanswered is made again."""
    server = activate(serve, handed_over, [echo()])
    address, stop, answered, failures = server.address, threading.Event(), [], []

    def load():
        try:
            while not stop.is_set():
                with wire.Connection(address) as connection:
                    try:
                        response = connection.request("POST", "/echo", b"x").receive("POST")
                        assert response.status == 200, response
                        answered.append(1)
                    except (ConnectionResetError, BrokenPipeError):
                        pass
                    except AssertionError as failure:
                        if "closed in the middle of bytearray(b'')" not in str(failure):
                            raise
        except Exception as failure:
            failures.append(failure)

    threads = [threading.Thread(target=load) for _ in range(2)]
    for thread in threads:
        thread.start()
    for _ in range(3):
        before = len(answered)
        eventually(lambda before=before: len(answered) > before + 20 or failures, "answers")
        server.terminate()
        server.wait_end()
        server.start()
    stop.set()
    for thread in threads:
        thread.join(DEADLINE)
        assert not thread.is_alive()
    assert not failures, failures[0]


def test_sockets_for_another_process(serve, handed_over):
    """LISTEN_PID is not ours: the descriptors are not, either."""
    server = activate(serve, handed_over, [echo()], variables={"LISTEN_PID": "1"}, listen="127.0.0.1:0")
    assert server.address != "127.0.0.1:%d" % handed_over.getsockname()[1]
    assert server.post("/echo", b"x").status == 200


def start_badly(tmp_path, descriptor, **settings):
    """Starts a server with that descriptor; what it says before it ends."""
    file = tmp_path / "deferd.json"
    file.write_text(json.dumps({"state": "memory", "listen": "127.0.0.1:0", "routes": [], **settings}))
    done = subprocess.run([PROGRAMS / "activate", str(descriptor), harness.find_binary(), "-c", file], capture_output=True,
                          text=True, pass_fds=(descriptor,), stdin=subprocess.DEVNULL, timeout=DEADLINE)
    assert done.returncode == 1 and "ready" not in done.stdout, done
    return done.stderr


def test_no_authentication_and_everybody(tmp_path):
    """Without authentication only loopback and unix addresses are served, whoever made the socket."""
    with make_socket(("0.0.0.0", 0)) as sock:
        assert "auth" in start_badly(tmp_path, sock.fileno())
    with make_socket(("::", 0), socket.AF_INET6) as sock:
        assert "auth" in start_badly(tmp_path, sock.fileno())


@pytest.fixture
def tls(tmp_path):
    """A certificate and its key."""
    made = {"certificate": str(tmp_path / "certificate.pem"), "key": str(tmp_path / "key.pem")}
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=a",
                    "-keyout", made["key"], "-out", made["certificate"]], check=True, capture_output=True, timeout=60)
    return made


def test_tls_of_a_socket(serve, handed_over, tls, tmp_path):
    """A socket speaks TLS if its address is configured to; one that is not configured is not served in plain beside it."""
    address = "127.0.0.1:%d" % handed_over.getsockname()[1]
    # The harness speaks plain HTTP, to the second address.
    with socket.socket(socket.AF_UNIX) as plain:
        plain.bind(str(tmp_path / "plain"))
        plain.listen(10)
        pair = [plain, handed_over]
        script = 'exec 8<&"$1" 9<&"$2" 3<&8 4<&9 8<&- 9<&-; export LISTEN_FDS=2 LISTEN_PID=$$; shift 2; exec "$@"'
        server = serve([echo()], listen=[f"unix:{tmp_path}/plain", {"address": address, "tls": tls}],
                       wrapper=["/bin/bash", "-c", script, "bash", *(sock.fileno() for sock in pair)],
                       pass_fds=[sock.fileno() for sock in pair])
        assert server.addresses == [f"unix:{tmp_path}/plain", address]
        assert server.post("/echo", b"x").body == b"x"
        context = ssl.create_default_context(cafile=tls["certificate"])
        context.check_hostname = False
        with context.wrap_socket(wire.open_socket(address)) as sock:
            sock.sendall(b"POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\nx")
            assert sock.recv(15) == b"HTTP/1.1 200 OK"
        server.terminate()
        server.wait_end()
    with make_socket() as other:
        assert "TLS" in start_badly(tmp_path, other.fileno(), listen=[{"address": address, "tls": tls}])


def test_no_socket_that_listens(tmp_path):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        assert "descriptor 3" in start_badly(tmp_path, sock.fileno())
    with socket.socket() as sock:
        assert "descriptor 3" in start_badly(tmp_path, sock.fileno())
    with open(tmp_path / "file", "w") as file:
        assert "descriptor 3" in start_badly(tmp_path, file.fileno())
