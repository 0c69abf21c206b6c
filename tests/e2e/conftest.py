"""Fixtures: a server with the configuration that a test wants, and gates that hold its programs."""

import ctypes
import os
import signal
import subprocess

import pytest

import harness

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
