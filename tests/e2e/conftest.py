"""What pytest is to know of in this folder."""

from fixtures import (front, gate, gates, pytest_configure, pytest_report_header,  # noqa: F401
                      serve, small_disk, state, upstream)
