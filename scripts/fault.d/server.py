"""The server under attack: starts it, signals it, waits for its end, and looks for processes that it has left running."""
import atexit
import functools
import json
import os
import re
import select
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

READY = re.compile(r"deferd: ready on (\S+)\n")
REPORT = re.compile(r".*(?:AddressSanitizer|LeakSanitizer|runtime error:|[Aa]ssertion|\[warn\]|\[err\]).*")
START_S = 60
END_S = 40  # beyond drain_timeout, which is one second


class Broken(Exception):
    """The server did not start, or has ended by itself: the round cannot go on."""


def wait_for(condition, seconds, pause=0.01):
    """Answers what condition() answered, once that is true; its last answer when the time is over."""
    deadline = time.monotonic() + seconds
    while not (value := condition()) and time.monotonic() < deadline:
        time.sleep(pause)
    return value


@functools.cache
def build_slow_sync():
    """The library that makes a disk slow, built once a run."""
    library = Path(tempfile.mkdtemp(prefix="fault-sync-")) / "slow_sync.so"
    atexit.register(shutil.rmtree, library.parent, ignore_errors=True)
    subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", library, Path(__file__).parent / "slow_sync.c"], check=True)
    return library


def find_marked(mark):
    """Living processes with the mark in their command line or environment, by their ids."""
    found = {}
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            line = Path(f"/proc/{name}/cmdline").read_bytes()
            variables = Path(f"/proc/{name}/environ").read_bytes()
            state, parent = Path(f"/proc/{name}/stat").read_text().rpartition(")")[2].split()[:2]
        except (OSError, ValueError):
            continue
        if state != "Z" and mark.encode() in line + variables:
            text = line.replace(b"\0", b" ").decode(errors="replace").strip()
            found[int(name)] = f"process {name} (parent {parent}): {text[-120:]}"
    return found


def kill_marked(mark):
    for pid in find_marked(mark):
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass


class Server:
    def __init__(self, ledger, directory, routes, **settings):
        directory.mkdir(parents=True, exist_ok=True)
        self.ledger = ledger
        self.directory = directory
        self.config = {"listen": "127.0.0.1:0", "state": str(directory / "deferd.db"), "drain_timeout": "1s", "stop_grace": "300ms",
                       "capacity": 100000, "routes": routes, **settings}
        self.file = directory / "deferd.json"
        self.log_file = directory / "log"
        self.process = None
        self.address = None
        self.log_from = 0  # where the log of this life begins
        self.sync_ms = 0  # how long each fsync takes longer

    def write_config(self):
        self.file.write_text(json.dumps(self.config, indent=1))

    def start(self, **settings):
        self.config.update(settings)
        self.write_config()
        environment = {**os.environ, "ASAN_OPTIONS": "detect_leaks=1:exitcode=99", "UBSAN_OPTIONS": "print_stacktrace=1"}
        if self.sync_ms:
            environment.update(LD_PRELOAD=str(build_slow_sync()), FAULT_SYNC_MS=str(self.sync_ms))
            environment["ASAN_OPTIONS"] += ":verify_asan_link_order=0"
        self.log_from = self.log_file.stat().st_size if self.log_file.exists() else 0
        with open(self.log_file, "ab") as log:
            self.process = subprocess.Popen([os.environ["DEFERD"], "-c", str(self.file)], stdin=subprocess.DEVNULL,
                                            stdout=subprocess.PIPE, stderr=log, env=environment)
        text, deadline = "", time.monotonic() + START_S
        while not READY.search(text):
            left = max(0, deadline - time.monotonic())
            piece = b""
            if select.select([self.process.stdout], [], [], left)[0]:
                piece = os.read(self.process.stdout.fileno(), 4096)
            if not piece:
                self.ledger.fail("bad ends", f"it was started and does not serve: {self.last_words()}")
                self.abandon()
                raise Broken
            text += piece.decode()
        self.address = READY.search(text)[1]
        return self

    def log(self):
        return self.log_file.read_bytes()[self.log_from:].decode(errors="replace")

    def last_words(self):
        """The first report of a sanitizer or assertion, else the end of the log."""
        log = self.log()
        report = REPORT.search(log)
        frames = re.findall(r"#\d+ \S+ in (\S+)", log[report.start():])[:6] if report else []
        return f"{report[0].strip()} in {' < '.join(frames)}" if report else " | ".join(log.splitlines()[-3:])

    def is_alive(self):
        return self.process is not None and self.process.poll() is None

    def reload(self, routes):
        """False if the server does not say that it has reloaded."""
        self.config["routes"] = routes
        self.write_config()
        before = self.log().count("configuration reloaded")
        self.process.send_signal(signal.SIGHUP)
        self.ledger.count("reloads")
        if wait_for(lambda: self.log().count("configuration reloaded") > before or not self.is_alive(), 20) and self.is_alive():
            return True
        self.ledger.fail("bad ends", f"SIGHUP, and no word of a reload: {self.last_words()}")
        return False

    def kill(self):
        self.process.kill()
        self.process.wait(20)
        self.ledger.count("kills")
        self.close()

    def begin_drain(self):
        self.process.send_signal(signal.SIGTERM)
        self.ledger.count("drains")

    def finish_drain(self):
        """Waits for its end, which must be a good one."""
        try:
            status = self.process.wait(END_S)
            if status != 0:
                self.ledger.fail("bad ends", f"SIGTERM, then exit status {status} instead of 0: {self.last_words()}")
            elif REPORT.search(self.log()):
                self.ledger.fail("bad ends", f"SIGTERM, exit status 0, but the log says: {self.last_words()}")
        except subprocess.TimeoutExpired:
            self.ledger.fail("bad ends", f"SIGTERM with drain_timeout 1s, still there {END_S} s later: {self.last_words()}")
        self.abandon()

    def drain(self):
        self.begin_drain()
        self.finish_drain()

    def end(self):
        """Ends it at the end of a round, with nothing running; this is no drain that is counted."""
        self.process.send_signal(signal.SIGTERM)
        self.finish_drain()

    def abandon(self):
        if self.is_alive():
            self.process.kill()
            self.process.wait(20)
        self.close()

    def close(self):
        if self.process:
            self.process.stdout.close()
        self.process = None
