"""What holds for every test."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

LAWS = Path(__file__).parent / "laws"


@pytest.fixture(autouse=True, scope="session")
def _interruptible() -> Iterator[None]:
    """A CI may start its steps deaf to Ctrl-C, which they and their processes would inherit."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture(autouse=True)
def _unwatched(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Laws run the same lines millions of times: coverage watches neither them nor the processes they start."""
    coverage = sys.modules.get("coverage")
    watching = coverage.Coverage.current() if coverage and LAWS in request.path.parents else None
    if watching is None:
        yield
        return
    monkeypatch.delenv("COVERAGE_PROCESS_START", raising=False)
    watching.stop()
    try:
        yield
    finally:
        watching.start()
