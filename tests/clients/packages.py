"""The clients from npm: installed once, below the build, in the versions that package.json names."""

import json
import os
import shutil
import subprocess
from importlib import metadata
from pathlib import Path

import pytest

import harness

HERE = Path(__file__).resolve().parent
PYTHON = ("azure-core", "azure-mgmt-core", "apache-libcloud", "requests", "tenacity", "python-openstackclient")


def home():
    return Path(harness.find_binary()).parents[1] / "clients"


def wanted():
    return json.loads((HERE / "package.json").read_text())["dependencies"]


def install():
    """Returns why they cannot be had, or None."""
    directory = home()
    directory.mkdir(exist_ok=True)
    package = (HERE / "package.json").read_text()
    mark = directory / "installed"
    if not mark.exists() or mark.read_text() != package:
        (directory / "package.json").write_text(package)
        done = subprocess.run(["npm", "install", "--no-audit", "--no-fund", "--no-package-lock", "--loglevel=error"],
                              cwd=directory, capture_output=True, text=True, timeout=600)
        if done.returncode:
            return f"npm cannot install the clients: {done.stderr.strip()[-300:]}"
        mark.write_text(package)
    for script in HERE.glob("*.mjs"):
        shutil.copy(script, directory)
    return None


def pytest_report_header():
    from_npm = [f"{name} {version}" for name, version in wanted().items()]
    from_apt = []
    for name in PYTHON:
        try:
            from_apt.append(f"{name} {metadata.version(name)}")
        except metadata.PackageNotFoundError:
            from_apt.append(f"{name} (missing)")
    return "clients: " + ", ".join(from_npm + from_apt)


@pytest.fixture(scope="session")
def node():
    """Runs a script of this folder, or a program from npm, and returns what it prints."""
    reason = install()
    if reason and os.environ.get("CI"):
        pytest.fail(reason)
    if reason:
        pytest.skip(reason)

    def run(script, *arguments):
        command = ["node", script] if script.endswith(".mjs") else ["node_modules/.bin/" + script]
        done = subprocess.run([*command, *arguments], cwd=home(), capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stderr[-2000:] + done.stdout[-2000:]
        return json.loads(done.stdout) if script.endswith(".mjs") else done.stdout

    return run
