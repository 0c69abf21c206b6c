"""Packages as users get them: built once for all tests, tried in a bare Debian of their own."""

import subprocess
from pathlib import Path

import pytest

from bare import ROOT, Bare, make_base

LIMIT = 600  # seconds for one build or one bootstrap


def package(kind):
    """What scripts/package has built, or had built before."""
    done = subprocess.run([ROOT / "scripts/package", kind], capture_output=True, text=True, timeout=LIMIT, stdin=subprocess.DEVNULL)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
    return [Path(line) for line in done.stdout.splitlines() if line.startswith(str(ROOT))]


@pytest.fixture(scope="session")
def debs():
    """The package, and that of its debug symbols."""
    return package("deb")


@pytest.fixture(scope="session")
def base():
    return make_base(ROOT / "build-package", LIMIT)


@pytest.fixture
def bare(base, tmp_path):
    system = Bare(base, tmp_path / "root", ROOT / "build-package/archives")
    yield system
    system.close()
