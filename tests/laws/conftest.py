"""Laws: they run the same lines millions of times, so coverage does not watch them, nor the processes they start."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True)
def _unwatched(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Take a law out of what coverage measures, where it does."""
    monkeypatch.delenv("COVERAGE_PROCESS_START", raising=False)
    coverage = sys.modules.get("coverage")
    watching = coverage.Coverage.current() if coverage else None
    if watching is None:
        yield
        return
    watching.stop()
    try:
        yield
    finally:
        watching.start()
