"""A bare Debian in a directory: what debootstrap makes, and commands and servers that run in it."""

import contextlib
import hashlib
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

# Before the command: /proc of its own, and the archive of packages that all bare systems share.
ENTER = 'mount -t proc proc "$1/proc"; mount --bind "$2" "$1/var/cache/apt/archives"; shift 2; exec "$@"'
# For a server: the addresses of this machine are its own, so that each may use the port of its configuration.
SERVE = 'ip link set lo up; mount -t proc proc "$1/proc"; shift; exec "$@"'
# As apt answers when nobody is there: a configuration that was changed stays.  What it has downloaded stays for the next system.
INSTALL = ("apt-get", "-q", "-y", "-o", "Dpkg::Options::=--force-confold", "-o", "APT::Sandbox::User=root",
           "-o", "APT::Keep-Downloaded-Packages=true", "--no-install-recommends", "install")
# What differs after any installation: caches, logs, and the records of the package managers.
PASSING = ("var/cache", "var/log", "var/lib/dpkg", "var/lib/apt", "etc/ld.so.cache", "proc", "dev", "root", "tmp", "run", "sys")
START_LIMIT = 10  # seconds until a new server answers


def sources():
    """This machine's own sources of Debian, as lines for apt."""
    return subprocess.run([ROOT / "scripts/packaging/sources"], capture_output=True, text=True, check=True, timeout=60).stdout


def release():
    with open("/etc/os-release", encoding="utf-8") as file:
        return dict(line.rstrip().split("=", 1) for line in file if "=" in line)["VERSION_CODENAME"]


def make_base(directory, limit):
    """The archive of a bare system, made once for each list of sources."""
    directory.mkdir(exist_ok=True)
    (directory / "archives/partial").mkdir(parents=True, exist_ok=True)
    lines = sources()
    base = directory / f"base-{hashlib.sha256(lines.encode()).hexdigest()[:12]}.tar"
    if not base.exists():
        new = base.with_suffix(".new.tar")
        done = subprocess.run(["mmdebstrap", "--variant=apt", "--quiet", "--skip=cleanup/apt/lists", release(), new, "-"], input=lines,
                              text=True, capture_output=True, timeout=limit)
        assert done.returncode == 0, done.stderr[-3000:]
        new.rename(base)
    return base


class Bare:
    def __init__(self, base, root, archives):
        self.root, self.archives = root, archives
        root.mkdir()
        subprocess.run(["tar", "--extract", "--numeric-owner", f"--file={base}", f"--directory={root}"], check=True, timeout=120)
        self.run("apt-get", "-q", "update")

    def close(self):
        shutil.rmtree(self.root)

    def run(self, *command, check=True):
        """A command in the system, with the network of this machine."""
        done = subprocess.run(
            ["unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", "-ec", ENTER, "-", self.root, self.archives,
             "chroot", self.root, *command], capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=200,
            env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C.UTF-8"})
        if check:
            assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
        return done

    def bring(self, package):
        """Copies a package into the system; where it is there."""
        shutil.copy(package, self.root / "root")
        return f"/root/{package.name}"

    def install(self, *names):
        """Packages by their names or files."""
        return self.run(*INSTALL, *(self.bring(name) if isinstance(name, Path) else name for name in names))

    def fetch(self, package):
        """What an installation of the package would download, without it."""
        return self.run(*INSTALL, "--download-only", self.bring(package))

    def files(self):
        """Every file, directory and link, except what each installation changes."""
        found = set()
        for directory, names, others in os.walk(self.root):
            below = os.path.relpath(directory, self.root)
            names[:] = [name for name in names if os.path.normpath(os.path.join(below, name)) not in PASSING]
            found |= {os.path.normpath(os.path.join(below, name)) for name in names + others}
        return found - set(PASSING)

    @contextlib.contextmanager
    def serving(self, command, user="nobody:nogroup"):
        """The server, run by an unprivileged user on a loopback interface of its own."""
        process = subprocess.Popen(
            ["unshare", "--mount", "--net", "sh", "-ec", SERVE, "-", self.root, "chroot", f"--userspec={user}", self.root, *command],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        try:
            yield Served(process)
        finally:
            if process.poll() is None:
                process.kill()
            process.wait(timeout=30)
            process.stdout.close()


class Served:
    def __init__(self, process):
        self.process = process

    def curl_command(self, *arguments):
        return ["nsenter", f"--target={self.process.pid}", "--net", "curl", "-sS", "--max-time", "20", *arguments]

    def curl(self, *arguments, check=True):
        done = subprocess.run(self.curl_command(*arguments), capture_output=True, text=True, stdin=subprocess.DEVNULL,
                              timeout=60)
        if check:
            assert done.returncode == 0, done.stderr
        return done.stdout

    def wait_ready(self, url):
        """Until it answers: the promise to whoever has just installed it."""
        deadline = time.monotonic() + START_LIMIT
        while self.curl("-o", "/dev/null", "-w", "%{http_code}", url, check=False) != "200":
            assert self.process.poll() is None, self.process.stdout.read()
            assert time.monotonic() < deadline, "it does not answer"
            time.sleep(0.05)

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        status = self.process.wait(timeout=60)
        assert status == 0, self.process.stdout.read()
