"""The life of the Debian package in a bare system: installed, upgraded, removed, purged."""

import hashlib
import re
import subprocess
import time

from bare import INSTALL, ROOT
from booted import boot

UNIT = "lib/systemd/system/deferd.service"
CONFIG = "etc/deferd/deferd.json"
CALLS = "http://127.0.0.1:8580"
READY = "http://127.0.0.1:8581/readyz"


def repack(deb, directory, version, remark):
    """The same package with another version and another default configuration."""
    place = directory / f"deferd_{version}"
    subprocess.run(["dpkg-deb", "--raw-extract", deb, place], check=True, timeout=60)
    control = place / "DEBIAN/control"
    control.write_text(re.sub(r"(?m)^Version: .*", f"Version: {version}", control.read_text()))
    config = place / CONFIG
    config.write_text(f"// {remark}\n" + config.read_text())
    sums = place / "DEBIAN/md5sums"
    assert CONFIG not in sums.read_text()
    subprocess.run(["dpkg-deb", "--root-owner-group", "--build", place, directory], check=True, capture_output=True, timeout=60)
    (made,) = directory.glob(f"deferd_{version}_*.deb")
    return made


def start_line(bare, name="ExecStart"):
    (line,) = re.findall(rf"(?m)^{name}=(.*)$", (bare.root / UNIT).read_text())
    return line.split()


def make_state(bare):
    """The state directory as systemd makes it for a unit with a dynamic user."""
    directory = bare.root / "var/lib/private/deferd"
    if directory.exists():
        return
    directory.mkdir(parents=True)
    bare.run("chown", "nobody:nogroup", "/var/lib/private/deferd")
    (bare.root / "var/lib/deferd").symlink_to("private/deferd")


def serve(bare):
    make_state(bare)
    assert bare.run(*start_line(bare, "ExecStartPre")).stdout == ""
    return bare.serving(start_line(bare))


def accept(served):
    """The URL of a new operation."""
    answer = served.curl("-D-", "--data-binary", "abc", f"{CALLS}/checksums?async=true")
    assert answer.startswith("HTTP/1.1 202"), answer
    return re.search(r"(?mi)^location: (\S+)\s*$", answer)[1]


def result(served, url):
    """Its result, once it has ended."""
    deadline = time.monotonic() + 20
    while not (answer := served.curl("-D-", "-H", "Prefer: wait=10", url)).startswith("HTTP/1.1 200"):
        assert answer.startswith("HTTP/1.1 202") and time.monotonic() < deadline, answer
    return answer.partition("\n\n")[2]


EXPECTED = f"{hashlib.sha256(b'abc').hexdigest()}  -\n"


def test_life(debs, bare, tmp_path):
    (deb, _) = debs
    before = bare.files()
    older = repack(deb, tmp_path, "0.0.1~older", "of the older version")
    newer = repack(deb, tmp_path, "999", "of the newer version")

    # Installed: it serves with the configuration that came with it, and will be started at boot.
    bare.install(older)
    for link in ("multi-user.target.wants/deferd.service", "sockets.target.wants/deferd.socket"):
        assert (bare.root / "etc/systemd/system" / link).is_symlink(), link
    with serve(bare) as served:
        served.wait_ready(READY)
        assert served.curl("--data-binary", "abc", f"{CALLS}/checksums") == EXPECTED
        url = accept(served)
        assert result(served, url) == EXPECTED
        served.stop()

    # Upgraded: a configuration that nobody has changed is the new one, and results are still there.
    bare.install(deb)
    assert "older" not in (bare.root / CONFIG).read_text()
    with serve(bare) as served:
        served.wait_ready(READY)
        assert result(served, url) == EXPECTED
        served.stop()

    # Upgraded again: a configuration that somebody has changed stays.
    with open(bare.root / CONFIG, "a", encoding="utf-8") as file:
        file.write("// mine\n")
    bare.install(newer)
    assert (bare.root / CONFIG).read_text().endswith("// mine\n")
    assert "newer" in (bare.root / f"{CONFIG}.dpkg-dist").read_text()

    # Removed: the program is gone, configuration and state are there for the next installation.
    bare.run("apt-get", "-q", "-y", "remove", "deferd")
    left = bare.files()
    assert {CONFIG, "var/lib/private/deferd/deferd.db"} <= left
    assert not {"usr/sbin/deferd", UNIT, "usr/share/man/man8/deferd.8.gz"} & left

    # Purged: nothing is left but what an operator has put beside the configuration.
    (bare.root / "etc/deferd/users.htpasswd").write_text("")
    bare.run("apt-get", "-q", "-y", "purge", "deferd")
    bare.run("apt-get", "-q", "-y", "autoremove", "--purge")
    assert bare.files() - before == {"etc/deferd", "etc/deferd/users.htpasswd"}
    assert before <= bare.files()


def test_life_with_systemd(debs, bare, tmp_path):
    """The unit serves at once with its own user; an upgrade refuses no call; what is removed has been stopped."""
    (deb, _) = debs
    bare.install("systemd", "systemd-sysv", "dbus")
    bare.fetch(deb)
    newer = bare.bring(repack(deb, tmp_path, "999", "of the newer version"))
    with boot(bare, tmp_path) as booted:
        booted.run(*INSTALL, f"/root/{deb.name}")
        booted.wait_ready(READY)
        assert booted.curl("--data-binary", "abc", f"{CALLS}/checksums") == EXPECTED
        url = accept(booted)
        assert result(booted, url) == EXPECTED
        assert "deferd" in booted.names()
        first = booted.run("systemctl", "show", "--value", "--property=MainPID", "deferd.service").stdout
        owner = (bare.root / "var/lib/private/deferd/deferd.db").stat().st_uid
        assert owner >= 61184, "a dynamic user"

        # Calls one after the other while the package is upgraded: they wait, and none is refused.
        script = f"while [ ! -e {tmp_path}/stop ]; do curl -sS -f --max-time 60 --data-binary abc {CALLS}/checksums || exit 1; done"
        with subprocess.Popen([*booted.enter("--net"), "sh", "-c", script], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as calls:
            booted.run(*INSTALL, newer)
            (tmp_path / "stop").touch()
            answers = calls.communicate(timeout=120)[0]
        assert calls.returncode == 0 and set(answers.splitlines(True)) == {EXPECTED}, answers[-500:]
        booted.wait_ready(READY)
        assert booted.run("systemctl", "show", "--value", "--property=MainPID", "deferd.service").stdout != first
        assert result(booted, url) == EXPECTED

        booted.run("apt-get", "-q", "-y", "remove", "deferd")
        assert booted.curl(f"{CALLS}/checksums", check=False) == ""
        assert "deferd" not in booted.names()
        assert (bare.root / "var/lib/private/deferd/deferd.db").exists()
        booted.run("apt-get", "-q", "-y", "purge", "deferd")
        assert not list(bare.root.glob("var/lib/**/deferd*.db")) and not (bare.root / "var/lib/deferd").is_symlink()


def test_version(debs):
    """It is that of meson.build."""
    version = re.search(r"(?m)^  version: '([^']+)',$", (ROOT / "meson.build").read_text())[1]
    for deb in debs:
        done = subprocess.run(["dpkg-deb", "--field", deb, "Version"], capture_output=True, text=True, check=True, timeout=60)
        assert done.stdout == f"{version}\n"


def test_debug_symbols(debs, tmp_path):
    """The debug symbols are those of these programs."""
    deb, symbols = debs
    identities = subprocess.run(["dpkg-deb", "--field", symbols, "Build-Ids"], capture_output=True, text=True, check=True).stdout.split()
    files = subprocess.run(["dpkg-deb", "--contents", symbols], capture_output=True, text=True, check=True).stdout
    assert len(identities) == 2 and all(f".build-id/{one[:2]}/{one[2:]}.debug" in files for one in identities)
    subprocess.run(["dpkg-deb", "--extract", deb, tmp_path], check=True, timeout=60)
    for program in ("usr/sbin/deferd", "usr/bin/deferctl"):
        notes = subprocess.run(["readelf", "--notes", tmp_path / program], capture_output=True, text=True, check=True).stdout
        assert any(f"Build ID: {one}" in notes for one in identities)
