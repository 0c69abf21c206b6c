"""Tests of the fence between the folders: an include or a call planted in a copy of the sources must be refused, by the check or by the linker."""

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

# Where an include is planted, and of what; a word of the message, None where the include is allowed.
INCLUDES = [
    ("common/text.c", '#include "store/store.h"', "common may not know server/store"),
    ("common/text.h", '#include "common/json/json.h"', "common may not know common/json"),
    ("common/schema/regex/ecma.c", '#include "common/schema/engine/run.h"', "common/schema/regex may not know common/schema/engine"),
    ("server/store/store.c", '#include "work/work.h"', "server/store may not know server/work"),
    ("server/store/writer/writer.c", '#include "store/sqlite/group.h"', "server/store/writer may not know server/store/sqlite"),
    ("server/store/writer/writer.c", '#include "store/sqlite/disk/private.h"', "server/store/writer may not know server/store/sqlite/disk"),
    ("server/store/sqlite/group.c", '#include "store/sqlite/disk/private.h"', "private to server/store/sqlite/disk"),
    ("server/http/message/ROUTER", '#include "operations/op.h"', "may not know server/operations"),
    ("server/http/message/ROUTER", '#include "OPERATIONS/op.h"', "may not know server/operations"),
    ("server/http/message/ROUTER", "#include <operations/op.h>", "may not know server/operations"),
    ("server/http/message/ROUTER", '\t#  include "operations/op.h"', "may not know server/operations"),
    ("server/operations/op.c", '#include "http/message/REQUEST"', "server/operations may not know server/http/message"),
    ("server/operations/op.c", '#include "styles/location.c"', "server/operations may not know server/styles"),
    ("server/styles/location.c", '#include "routes.h"', "server/styles may not know server"),
    ("server/calls/call/submit.c", '#include "operations/private.h"', "private to server/operations"),
    ("server/work/program/program.c", '#include "operations/op.h"', "server/work/program may not know server/operations"),
    ("server/work/process/process.c", '#include "work/program/program.h"', "server/work/process may not know server/work/program"),
    ("server/transfer/transfer.c", '#include "work/upstream/upstream.h"', "server/transfer may not know server/work/upstream"),
    ("server/strange/file.c", '#include "common/text.h"', "belongs to no folder"),
    ("server/work/program/program.c", '#include "work/process/process.h"', None),
    ("server/store/writer/writer.c", '#include "store/backend.h"', None),
    ("server/server.c", '#include "store/store.h"', None),
    ("server/http/message/ROUTER", "#include <stdio.h>", None),
    ("server/http/message/ROUTER", '/* "operations/op.h" is not for us. */', None),
]
INCLUDES = [
    tuple(
        word
        and word.replace("ROUTER", "router.c").replace("REQUEST", "request.h").replace("OPERATIONS", "../../operations")
        for word in row
    )
    for row in INCLUDES
]

# The folder whose fence is built, a function called from a file of it, and whether that may link.
CALLS = [
    ("common/text.c", "common", "store_close", False),
    ("common/text.c", "common", "schema_free", False),
    ("server/store/writer/writer.c", "store_writer", "database_path", False),
    ("server/store/sqlite/disk/header.c", "store_sqlite_disk", "writer_post", False),
    ("server/work/process/process.c", "work_process", "program_new", False),
    ("server/operations/op.c", "operations", "call_begin", False),
    ("server/operations/op.c", "operations", "store_close", True),
]


def fence(layer):
    return layer if layer.startswith("common") else f"server_{layer}"


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


def test_circle_of_folders(tmp_path):
    """A table in which a low folder may include a high one is refused."""
    text = (ROOT / "tests/check_layers").read_text()
    planted = text.replace('"common/json": "common"', '"common/json": "common server/operations"')
    assert planted != text
    check = tmp_path / "check_layers"
    check.write_text(planted)
    done = run("/usr/bin/python3", check, ROOT)
    assert done.returncode == 1
    assert done.stdout.startswith("the table has a circle: "), done.stdout
    assert "common/json -> server/operations" in done.stdout, done.stdout


def test_nothing_to_read(tmp_path):
    assert check_layers(tmp_path).returncode == 1


@pytest.mark.parametrize("file, layer, function, links", CALLS)
def test_call(build, plant, file, layer, function, links):
    plant(file, CALL.format(function=function))
    ninja = run("ninja", "-C", build, f"tests/fence_{fence(layer)}")
    if links:
        assert ninja.returncode == 0, ninja.stdout
    else:
        assert ninja.returncode != 0
        assert f"undefined reference to `{function}'" in ninja.stdout, ninja.stdout


def test_fences_stand_without_a_plant(build):
    layers = {layer for _, layer, _, _ in CALLS}
    ninja = run("ninja", "-C", build, *(f"tests/fence_{fence(layer)}" for layer in layers))
    assert ninja.returncode == 0, ninja.stdout
