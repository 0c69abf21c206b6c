"""Fixtures: a server with the configuration that a test wants, and gates that hold its programs."""

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
