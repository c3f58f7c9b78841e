"""What holds for every test, and what those of several rooms share: a PostgreSQL server, and stores that are empty."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from postgres_server import Server

LAWS = Path(__file__).parent / "laws"
_STORES = count(1)


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


@pytest.fixture(scope="session")
def postgres() -> Iterator[Server]:
    """A PostgreSQL server."""
    server = Server()
    yield server
    server.remove()


@pytest.fixture
def postgres_url(postgres: Server) -> str:
    """The URL of a store that is not there yet, in PostgreSQL."""
    return f"{postgres.url}&schema=s{next(_STORES)}"


@pytest.fixture(params=["sqlite", "postgresql"])
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a store that is not there yet, in each kind of database."""
    if request.param == "sqlite":
        return f"sqlite:{tmp_path / 'duly.db'}"
    return str(request.getfixturevalue("postgres_url"))
