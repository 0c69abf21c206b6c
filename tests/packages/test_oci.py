"""The image: unpacked by another program, and run as a container runtime would: PID 1, unprivileged, on a read-only root."""

import contextlib
import json
import re
import shutil
import subprocess
import tarfile
import time
from pathlib import Path

import pytest

from bare import Served
from conftest import package

LARGEST = 60 * 1000 * 1000
CALLS = "http://127.0.0.1:8580"
READY = "http://127.0.0.1:8581/readyz"

# A process namespace with a read-only root; the state and a memory file system for /tmp are all that can be written.
RUN = """
ip link set lo up
mount --bind "$1" "$1"
mount -t proc proc "$1/proc"
mount --bind "$2" "$1/var/lib/deferd"
mount -t tmpfs -o mode=1777 tmpfs "$1/tmp"
mount --bind "$3" "$1/etc/deferd"
mount -o remount,ro,bind "$1"
mount -t tmpfs -o mode=755 tmpfs "$1/dev"
mknod -m 666 "$1/dev/null" c 1 3
root=$1 user=$4
shift 4
exec chroot --userspec="$user:$user" "$root" "$@"
"""

# A program that leaves a child behind, which is then a child of PID 1, and says its process id.
ORPHAN = "(sleep 0.2 & echo $!)"


@pytest.fixture(scope="module")
def image():
    (archive,) = package("oci")
    return archive


@pytest.fixture(scope="module")
def unpacked(image, tmp_path_factory):
    """The root directory and the settings, as umoci reads them from the archive."""
    place = tmp_path_factory.mktemp("oci")
    with tarfile.open(image) as archive:
        archive.extractall(place / "layout")
    (manifest,) = json.loads((place / "layout/index.json").read_text())["manifests"]
    version = manifest["annotations"]["org.opencontainers.image.ref.name"]
    subprocess.run(["umoci", "unpack", "--image", f"{place}/layout:{version}", place / "bundle"], check=True, capture_output=True, timeout=120)

    def blob(entry):
        return json.loads((place / "layout/blobs/sha256" / entry["digest"].partition(":")[2]).read_text())

    yield place / "bundle/rootfs", blob(blob(manifest)["config"])["config"]
    shutil.rmtree(place)


class Container(Served):
    def first(self):
        """The server as this machine sees it: unshare's only child."""
        (child,) = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        return int(child)

    def stop(self):
        subprocess.run(["kill", "-TERM", str(self.first())], check=True)
        status = self.process.wait(timeout=60)
        assert status == 0, self.process.stdout.read()


@contextlib.contextmanager
def container(unpacked, state, config):
    root, settings = unpacked
    user = settings["User"].partition(":")[0]
    shutil.chown(state, int(user), int(user))
    process = subprocess.Popen(
        ["unshare", "--mount", "--net", "--pid", "--ipc", "--uts", "--fork", "--kill-child", "sh", "-ec", RUN, "-", root, state, config, user,
         *settings["Entrypoint"], *settings["Cmd"]], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    served = Container(process)
    try:
        yield served
    finally:
        if process.poll() is None:
            process.kill()
        process.wait(timeout=30)
        process.stdout.close()


def status_of(pid, name):
    return re.search(rf"(?m)^{name}:\s*(.*)$", Path(f"/proc/{pid}/status").read_text())[1].split()


def test_size_and_settings(image, unpacked):
    root, settings = unpacked
    assert image.stat().st_size <= LARGEST
    assert sum(path.lstat().st_size for path in root.rglob("*")) <= LARGEST
    assert settings["Volumes"] == {"/var/lib/deferd": {}} and settings["User"] == "10001:10001"
    state = (root / "var/lib/deferd").stat()
    assert (state.st_uid, state.st_mode & 0o777) == (10001, 0o700)
    assert not list(root.glob("etc/apt*")), "the image would name where it came from"
    writable = [path for path in root.rglob("*") if not path.is_symlink() and path.stat().st_mode & 0o022]
    assert {str(path.relative_to(root)) for path in writable} == {"tmp", "var/tmp"}


def test_serves_as_the_first_process(unpacked, tmp_path):
    root, settings = unpacked
    state, config = tmp_path / "state", tmp_path / "config"
    state.mkdir()
    shutil.copytree(root / "etc/deferd", config)
    text = (config / "deferd.json").read_text()
    route = {"path": "/orphan", "program": {"argv": ["/bin/sh", "-c", ORPHAN]}}
    (config / "deferd.json").write_text(text.replace('"routes": [', '"routes": [' + json.dumps(route) + ","))

    with container(unpacked, state, config) as served:
        served.wait_ready(READY)
        first = served.first()
        assert status_of(first, "NSpid")[-1] == "1"
        assert set(status_of(first, "Uid")) == {"10001"} and status_of(first, "CapEff") == ["0" * 16]
        # The image's own check of its health, with the image's own program.
        check = subprocess.run(["nsenter", f"--target={first}", "--net", "--mount",
                                    "chroot", "--userspec=10001:10001", root, *settings["Healthcheck"]["Test"][1:]],
                               capture_output=True, text=True, timeout=60)
        assert check.returncode == 0, check.stderr
        answer = served.curl("-D-", "--data-binary", "abc", f"{CALLS}/checksums?async=true")
        url = re.search(r"(?mi)^location: (\S+)\s*$", answer)[1]
        assert served.curl("-H", "Prefer: wait=10", url).endswith("  -\n")
        # Nobody else reaps here: neither the program nor what it has left behind may stay.
        assert served.curl("--data-binary", "", f"{CALLS}/orphan").strip().isdigit()
        children = Path(f"/proc/{first}/task/{first}/children")
        deadline = time.monotonic() + 20
        while children.read_text():
            assert time.monotonic() < deadline, [status_of(pid, "State") for pid in children.read_text().split()]
            time.sleep(0.05)
        served.stop()

    # Another container with the same volume has the results.
    with container(unpacked, state, config) as served:
        served.wait_ready(READY)
        assert served.curl(url).endswith("  -\n")
        served.stop()
