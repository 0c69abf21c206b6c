"""Other servers stand in front of the server of the end-to-end tests: their harness and fixtures serve here, too."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "e2e"))

from fixtures import gate, gates, pytest_configure, pytest_report_header, serve  # noqa: E402, F401
