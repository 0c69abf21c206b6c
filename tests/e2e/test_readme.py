"""The transcripts of the README and of the samples, run word for word against the samples: they must answer as is written there."""

import json
import os
import re
import shutil
import subprocess
import sys

import pytest

import harness
from harness import ROOT

SAMPLES = ROOT / "scripts/samples"
ADDRESS = "127.0.0.1:8580"  # of the samples
UPSTREAM = "127.0.0.1:9000"
MARK = "\x04"
BLOCK = re.compile(r"^```console\n(\$ .*?)^```$", re.MULTILINE | re.DOTALL)
STEP = re.compile(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", re.MULTILINE)

# What differs from one run to the next, and what stands for it here.
VARIABLE = [
    (re.compile(r"^HTTP/1\.1 100 Continue\s+"), ""),  # what is uploaded is larger with sanitizers
    (re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"), "ID"),
    (re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+Z"), "TIME"),
    (re.compile(r"^(Date|Retry-After|Content-Length|X-Request-Id): .*$", re.MULTILINE), r"\1: ..."),
    (re.compile(r'"(progress|serial|bytes|request_id|(?:gzip|xz) -\w+)": ?("IN_QUEUE"|"IN_PROGRESS"|"?\w+"?)'), r'"\1":...'),
    (re.compile(r'"msg":"(?:[gx]\w+ -\w+|The operation is (?:queued|running)\.)"'), '"msg":...'),
    (re.compile(r"\b[QP]\d{4}\b|\b125-\d{10}\b"), "NUMBER"),
]


def transcript(file):
    """Commands and what they are to answer, in their order."""
    text = file.read_text()
    return [step.groups() for block in BLOCK.findall(text) for step in STEP.finditer(block)]


def normalise(text):
    for pattern, stands in VARIABLE:
        text = pattern.sub(stands, text)
    return text.strip()


@pytest.fixture
def upstream():
    """The address of the service that samples call."""
    service = subprocess.Popen([sys.executable, str(SAMPLES / "held_ticket.py"), "--port", "0"], stdout=subprocess.PIPE, text=True)
    yield "127.0.0.1:" + re.search(r":(\d+)$", service.stdout.readline())[1]
    service.terminate()
    service.stdout.close()
    assert service.wait(10) == 0


@pytest.fixture
def samples(serve, upstream, tmp_path):
    """The samples, served with a state and on a port of the test's own."""
    directory = tmp_path / "server0"  # where serve puts its first configuration
    shutil.copytree(SAMPLES, directory)
    text = (directory / "deferd.json").read_text().replace(UPSTREAM, upstream)
    config = json.loads(re.sub(r"(^|\s)//.*$", "", text, flags=re.MULTILINE))
    config.update(listen="127.0.0.1:0", state="deferd.db")
    server = serve(config.pop("routes"), **config)
    server.kept_descriptors = 128  # kept connections to the upstream
    return server


@pytest.fixture
def shell(samples, tmp_path):
    """A shell in a directory that looks like a clone; curl finds the samples' server at the samples' address."""
    home = tmp_path / "home"
    (home / "build/server").mkdir(parents=True)
    (home / "build/server/deferd").symlink_to(harness.find_binary())
    (home / ".curlrc").write_text(f'connect-to = "{ADDRESS}:{samples.address}"\nmax-time = 60\n')
    environment = {**os.environ, "HOME": str(home), "CURL_HOME": str(home)}
    shell = subprocess.Popen(["/bin/sh"], cwd=home, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                             stderr=subprocess.DEVNULL, text=True, bufsize=1)

    def run(command):
        shell.stdin.write(f"{command}\nprintf '{MARK}\\n'\n")
        answer = ""
        while MARK not in answer:
            line = shell.stdout.readline()
            assert line, f"the shell has ended: {answer}"
            answer += line
        return answer.partition(MARK)[0]

    yield run
    shell.stdin.close()
    shell.stdout.close()
    assert shell.wait(10) == 0


@pytest.mark.skipif(not shutil.which("curl"), reason="there is no curl")
def test_readme(shell):
    steps = transcript(ROOT / "README.md")
    assert len(steps) > 20
    for command, answer in steps:
        assert normalise(shell(command)) == normalise(answer), command
