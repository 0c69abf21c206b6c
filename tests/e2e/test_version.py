"""One version: meson.build's is what the program, its documents, its metrics, its package and its image say."""

import json
import re
import subprocess
from pathlib import Path

from exposition import scrape
from harness import ROOT, echo, run

VERSION = re.search(r"(?m)^  version: '([^']+)',$", (ROOT / "meson.build").read_text())[1]


def test_the_program_says_it(serve):
    assert run("--version").stdout == f"deferd {VERSION}\n"
    server = serve([echo()], admin={"listen": "127.0.0.1:0"})
    assert scrape(server).get("deferd_build_info", version=VERSION) == 1
    assert json.loads(run("--openapi", "-c", server.file).stdout)["info"]["version"] == VERSION


def test_it_is_a_version():
    """Semantic, and the changelog is ahead of it: what comes next, or its own changes with their date."""
    assert re.fullmatch(r"\d+\.\d+\.\d+", VERSION)
    headings = re.findall(r"(?m)^## \[([^\]]+)\](.*)$", (ROOT / "CHANGELOG.md").read_text())
    assert headings[0][0] in ("Unreleased", VERSION)
    dated = [(name, rest) for name, rest in headings if name != "Unreleased"]
    for name, rest in dated:
        assert re.fullmatch(r" - \d{4}-\d\d-\d\d", rest), name
    assert not dated or dated[0][0] == VERSION


def test_the_packages_take_it_from_there():
    """No second place names the version: packages and manuals are made with that of meson.build."""
    made = subprocess.run(["grep", "-rlF", "--exclude-dir=data", f"{VERSION}", "scripts/packaging", "scripts/package", "scripts/meson.build"],
                          cwd=ROOT, capture_output=True, text=True, timeout=60).stdout
    assert made == ""
    assert "(version)" in Path(ROOT / "scripts/package").read_text()
