"""Faults are injected into the server of the end-to-end tests: their harness and fixtures serve here, too."""

import os
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "e2e"))

from fixtures import gate, gates, pytest_configure, pytest_report_header, serve, small_disk  # noqa: E402, F401


@pytest.fixture
def seconds():
    """How long a test that goes on for ever does so: short among the other tests, longer by scripts/fault."""
    return float(os.environ.get("FAULT_SECONDS", "12"))
