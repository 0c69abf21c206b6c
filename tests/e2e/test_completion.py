"""Completion of the command line in bash, with the program's own options."""

import re
import subprocess

import pytest

from harness import ROOT, find_binary, run

SCRIPT = ROOT / "scripts/packaging/completion.bash"


def complete(directory, *words):
    """What bash offers for the last of the words."""
    line = " ".join(f"'{word}'" for word in (find_binary(), *words))
    command = f". '{SCRIPT}'; COMP_WORDS=({line}); COMP_CWORD={len(words)}; _deferd; printf '%s\\n' \"${{COMPREPLY[@]}}\""
    done = subprocess.run(["bash", "-c", command], cwd=directory, capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL)
    assert done.returncode == 0 and done.stderr == "", done.stderr
    return {word for word in done.stdout.splitlines() if word}


def test_options(tmp_path):
    named = set(re.findall(r"(?m)^ .*?(--[a-z]+)", run("--help").stdout))
    assert {"--config", "--check", "--explain", "--init"} <= named
    assert complete(tmp_path, "--") == named | {"--help=settings"}
    assert complete(tmp_path, "-c", "x.json", "--ch") == {"--check"}


@pytest.mark.parametrize("before, offered", [("-c", {"here", "a.json"}), ("--config", {"here", "a.json"}), ("--init", {"here"}),
                                             ("--explain", set())])
def test_arguments(tmp_path, before, offered):
    (tmp_path / "here").mkdir()
    (tmp_path / "a.json").touch()
    assert complete(tmp_path, before, "") == offered
