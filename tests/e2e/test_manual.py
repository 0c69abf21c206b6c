"""What the manuals show is tried: the loops that wait for a result, and a line of the bearer file."""

import re
import shutil
import subprocess
import sys

import pytest

from harness import ROOT, echo

BLOCK = re.compile(r"^\.Bd -literal\n(.*?)^\.Ed$", re.MULTILINE | re.DOTALL)


def find_block(page, word):
    """The literal block of a manual that has a word, as a reader sees it."""
    (block,) = [block for block in BLOCK.findall((ROOT / "server" / page).read_text()) if word in block]
    return block.replace("\\e", "\\")


def run(*command, cwd):
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def url(serve):
    return f"http://{serve([echo('/echo')]).address}/echo"


def test_wait_in_the_shell(url, tmp_path):
    (tmp_path / "body").write_text("hello")
    run("/bin/sh", "-c", f"{find_block('deferd-http.7', 'wait_for()')}\nwait_for {url} body", cwd=tmp_path)
    assert (tmp_path / "result").read_text() == "hello"


def test_wait_in_python(url, tmp_path):
    loop = find_block("deferd-http.7", "urllib.request")
    assert run(sys.executable, "-c", f"{loop}\nprint(wait_for({url!r}, b'hello'))", cwd=tmp_path) == "b'hello'\n"


@pytest.mark.skipif(not shutil.which("node"), reason="there is no node")
def test_wait_in_javascript(url, tmp_path):
    loop = find_block("deferd-http.7", "async function")
    assert run("node", "-e", f"{loop}\nwaitFor('{url}', 'hello').then(console.log)", cwd=tmp_path) == "hello\n"


def test_line_of_bearer(serve, tmp_path):
    lines = find_block("deferd.json.5", "sha256sum")
    token = run("/bin/sh", "-c", f"{lines}\nprintf %s $token", cwd=tmp_path)
    server = serve([echo("/echo")], auth={"bearer": str(tmp_path / "tokens")})
    for sent, status in ((token, 200), (token[::-1], 401)):
        assert server.call("POST", "/echo", b"x", {"Authorization": f"Bearer {sent}"}).status == status
