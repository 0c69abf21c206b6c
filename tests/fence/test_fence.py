"""The fence between the layers, tested itself: what is planted in a copy of the sources must be seen, by the check of includes or by the linker."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CALL = """
extern void upwards(void) __asm__("{function}");
void planted(void);
void
planted(void)
{{
	upwards();
}}
"""

# Where an include is planted, and what it is of; the word that the check says, None where it may.
INCLUDES = [
    ("common/text.c", '#include "store/store.h"', "common may not know store"),
    ("common/text.h", '#include "http/request.h"', "common may not know http"),
    ("server/store/store.c", '#include "work/work.h"', "store may not know work"),
    ("server/http/router.c", '#include "operations/op.h"', "http may not know operations"),
    ("server/http/router.c", '#include "../operations/op.h"', "http may not know operations"),
    ("server/http/router.c", "#include <operations/op.h>", "http may not know operations"),
    ("server/http/router.c", '\t#  include "operations/op.h"', "http may not know operations"),
    ("server/operations/op.c", '#include "http/request.h"', "operations may not know http"),
    ("server/operations/op.c", '#include "styles/style.h"', "operations may not know styles"),
    ("server/styles/style.c", '#include "routes.h"', "styles may not know server"),
    ("server/styles/style.c", '#include "operations/private.h"', "private to operations"),
    ("server/work/program.c", '#include "operations/op.h"', "work may not know operations"),
    ("server/strange/file.c", '#include "common/text.h"', "belongs to no layer"),
    ("server/work/program.c", '#include "store/store.h"', None),
    ("server/styles/style.c", '#include "http/request.h"', None),
    ("server/server.c", '#include "styles/style.h"', None),
    ("server/http/router.c", "#include <stdio.h>", None),
    ("server/http/router.c", '/* "operations/op.h" is not for us. */', None),
]

# The layer whose fence is built, a function called from it, and whether that may link.
CALLS = [
    ("common/text.c", "common", "store_close", False),
    ("server/http/router.c", "http", "operations_free", False),
    ("server/operations/op.c", "operations", "styles_free", False),
    ("server/operations/op.c", "operations", "store_close", True),
]


def run(*command):
    return subprocess.run([str(word) for word in command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    """A copy of the sources."""
    copy = tmp_path_factory.mktemp("fence") / "deferd"
    shutil.copytree(ROOT, copy, ignore=shutil.ignore_patterns(".git", "build*", "__pycache__"))
    return copy


@pytest.fixture(scope="module")
def build(copy, tmp_path_factory):
    """The copy, ready to be built without optimisation."""
    build = tmp_path_factory.mktemp("build")
    setup = run("meson", "setup", build, copy, "--buildtype=plain")
    assert setup.returncode == 0, setup.stdout
    return build


@pytest.fixture
def plant(copy):
    """A function that adds text to a file of the copy until the test is over."""
    before = []

    def plant(name, text):
        file = copy / name
        file.parent.mkdir(exist_ok=True)
        before.append((file, file.read_bytes() if file.exists() else None))
        with open(file, "a", encoding="utf-8") as end:
            end.write(f"\n{text}\n")

    yield plant
    for file, content in before:
        if content is None:
            shutil.rmtree(file.parent)
        else:
            file.write_bytes(content)
            os.utime(file)


def check_layers(root):
    return run(ROOT / "tests/check_layers", root)


def test_the_project_keeps_its_layers():
    check = check_layers(ROOT)
    assert (check.returncode, check.stdout) == (0, "")


@pytest.mark.parametrize("file, line, wrong", INCLUDES)
def test_include(copy, plant, file, line, wrong):
    plant(file, line)
    check = check_layers(copy)
    if wrong is None:
        assert (check.returncode, check.stdout) == (0, "")
    else:
        assert check.returncode == 1
        assert len(check.stdout.splitlines()) == 1, check.stdout
        assert check.stdout.startswith(f"{file}:") and wrong in check.stdout


def test_nothing_to_read(tmp_path):
    assert check_layers(tmp_path).returncode == 1


@pytest.mark.parametrize("file, layer, function, links", CALLS)
def test_call(build, plant, file, layer, function, links):
    plant(file, CALL.format(function=function))
    ninja = run("ninja", "-C", build, f"tests/fence_{layer}")
    if links:
        assert ninja.returncode == 0, ninja.stdout
    else:
        assert ninja.returncode != 0
        assert f"undefined reference to `{function}'" in ninja.stdout, ninja.stdout


def test_fences_stand_without_a_plant(build):
    layers = {layer for _, layer, _, _ in CALLS}
    ninja = run("ninja", "-C", build, *(f"tests/fence_{layer}" for layer in layers))
    assert ninja.returncode == 0, ninja.stdout
