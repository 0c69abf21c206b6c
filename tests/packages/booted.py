"""A bare Debian that systemd has started, in a container of its own."""

import contextlib
import subprocess
import time
from pathlib import Path

import pytest

from bare import Served

BOOT_LIMIT = 60  # seconds until systemd has started everything


class Booted(Served):
    """Commands in it, and calls to it; its loopback interface is its own."""

    def __init__(self, process, log):
        super().__init__(process)
        self.log = log

    def leader(self):
        """systemd as this machine sees it; None before it is there."""
        pids = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        return pids[0] if pids else None

    def enter(self, *namespaces):
        return ["nsenter", f"--target={self.leader()}", *namespaces]

    def run(self, *command, check=True):
        done = subprocess.run([*self.enter("--all"), "env", "-i", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "DEBIAN_FRONTEND=noninteractive",
                               *command], capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=200)
        if check:
            assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
        return done

    def names(self):
        """Of everything that runs in it."""
        return self.run("sh", "-c", "cat /proc/[0-9]*/comm 2>/dev/null || true").stdout.splitlines()

    def curl_command(self, *arguments):
        return [*self.enter("--net"), "curl", "-sS", "--max-time", "20", *arguments]

    def wait_booted(self):
        """Until everything has been started.  Where this machine lets no systemd start, the test is skipped."""
        deadline = time.monotonic() + BOOT_LIMIT
        while self.process.poll() is None and time.monotonic() < deadline:
            if self.leader() and self.run("systemctl", "is-system-running", check=False).stdout.strip() in ("running", "degraded"):
                return
            time.sleep(0.1)
        pytest.skip(f"systemd does not start here: {self.log.read_text(errors='replace')[-500:]}")


@contextlib.contextmanager
def boot(bare, directory):
    """Starts systemd in the system, with the archive of packages and without a network."""
    log = directory / "boot.log"
    with open(log, "wb") as file:
        process = subprocess.Popen(
            ["systemd-nspawn", "--quiet", f"--directory={bare.root}", "--register=no", "--keep-unit", "--private-network", "--console=pipe",
             f"--bind={bare.archives}:/var/cache/apt/archives", "--boot"], stdin=subprocess.DEVNULL, stdout=file, stderr=file)
    try:
        booted = Booted(process, log)
        booted.wait_booted()
        yield booted
    finally:
        process.terminate()  # as a power button would
        try:
            process.wait(timeout=60)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
