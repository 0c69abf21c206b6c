"""Other servers stand in front of the server of the end-to-end tests: their harness and fixtures serve here, too."""

import importlib.util
import sys
from pathlib import Path

E2E = Path(__file__).resolve().parents[1] / "e2e"
sys.path.insert(0, str(E2E))

spec = importlib.util.spec_from_file_location("e2e_conftest", E2E / "conftest.py")
e2e_conftest = importlib.util.module_from_spec(spec)
spec.loader.exec_module(e2e_conftest)

gate, gates, serve = e2e_conftest.gate, e2e_conftest.gates, e2e_conftest.serve
pytest_configure = e2e_conftest.pytest_configure
pytest_report_header = e2e_conftest.pytest_report_header
