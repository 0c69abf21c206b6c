"""Fixtures of all folders of tests: a server with the configuration that a test wants, gates that hold its programs, upstreams, a disk."""

import ctypes
import os
import signal
import subprocess

import pytest

import harness
from upstream import Upstream

PR_SET_CHILD_SUBREAPER = 36


def pytest_configure(config):
    """What a server leaves behind becomes a child of the tests, and so is seen."""
    config.addinivalue_line("markers", "alone: measures how long something takes; runs while no other test does")
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def pytest_report_header(config):
    binary = harness.find_binary()
    version = subprocess.run([binary, "--version"], capture_output=True, text=True, check=True).stdout.strip()
    return f"program: {os.path.relpath(binary)} ({version})"


def take_leftovers(before):
    """Living processes that were not there before and have become ours; they are killed."""
    left = {}
    for pid in harness.children_of(os.getpid()):
        if pid in before:
            continue
        if harness.is_alive(pid):
            with open(f"/proc/{pid}/cmdline", "rb") as file:
                left[pid] = file.read()
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
    return left


@pytest.fixture
def gates(tmp_path):
    """A factory for tests that want several gates; they stay until the servers have ended."""
    made = []

    def make(name):
        made.append(harness.Gate(tmp_path / name))
        return made[-1]

    yield make
    for one in made:
        one.close()


@pytest.fixture
def gate(gates):
    return gates("gate")


@pytest.fixture
def serve(tmp_path, gates):
    """A factory: serve(routes, setting=value, ...) is a running server, ended and checked after the test."""
    before = harness.children_of(os.getpid())
    servers = []

    def start(routes, **settings):
        servers.append(harness.Server(tmp_path / f"server{len(servers)}", routes, **settings))
        return servers[-1]

    yield start
    failures = []
    for server in servers:
        try:
            server.end()
        except Exception as failure:  # the others are to be ended, too
            failures.append(failure)
    left = take_leftovers(before)
    if failures:
        raise failures[0]
    assert not left, f"processes left behind: {left}"


# What transfers keep once they have been made: threads, and connections that libcurl holds.
KEPT_BY_TRANSFERS = 40


@pytest.fixture
def upstream():
    """A factory of upstreams; what went wrong in one fails the test."""
    made = []

    def make(handle, context=None, kind=Upstream):
        made.append(kind(handle, context))
        return made[-1]

    yield make
    for one in made:
        one.close()
    failures = [failure for one in made for failure in one.failures]
    if failures:
        raise failures[0]


@pytest.fixture
def front(serve):
    """A factory: front(upstream, path, url=..., route=..., settings...) is a server with one route to it."""

    def make(other, path="/up/{rest...}", base="", route=(), workers=2, state="memory", variables=None, **settings):
        url = other if isinstance(other, str) else other.origin
        routes = [{"path": path, "upstream": {"url": url + base, **settings}, **dict(route)}]
        server = serve(routes, workers=workers, state=state, variables=variables)
        server.kept_descriptors = KEPT_BY_TRANSFERS
        return server

    return make


class SmallDisk:
    """A disk that can be filled: path is where files go."""

    def __init__(self, path):
        self.path = path
        self.filler = path / "filler"

    def fill(self):
        """Takes all the room there is; give_back() returns it."""
        with open(self.filler, "wb", buffering=0) as filler:
            size = 65536
            while size:
                try:
                    filler.write(b"\0" * size)
                except OSError:
                    size //= 2

    def give_back(self):
        self.filler.unlink()


@pytest.fixture
def small_disk(tmp_path):
    """A file system of four megabytes of its own."""
    path = tmp_path / "disk"
    path.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", path], capture_output=True).returncode:
        pytest.skip("only root may mount a file system")
    yield SmallDisk(path)
    subprocess.run(["umount", "-l", path], check=True)


@pytest.fixture(params=["memory", "file"])
def state(request, tmp_path):
    """Where the server keeps what it is told: a test that wants it runs with both."""
    return "memory" if request.param == "memory" else str(tmp_path / "state.db")
