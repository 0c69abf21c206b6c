"""Clients that others wrote call the server of the end-to-end tests, whose harness and fixtures serve here, too."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "e2e"))

from fixtures import gate, gates, pytest_configure, serve  # noqa: E402, F401
from packages import node, pytest_report_header  # noqa: E402, F401
