"""What holds for every test, and what those of several rooms share: a PostgreSQL server, and stores that are empty."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from postgres_server import Server

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


@pytest.fixture(scope="session")
def postgres() -> Iterator[Server]:
    """A PostgreSQL server."""
    server = Server()
    yield server
    server.remove()


@pytest.fixture(params=["sqlite", "postgresql"])
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a store that is not there yet, in each kind of database."""
    return url_of(request.param, tmp_path, lambda: request.getfixturevalue("postgres"))


def url_of(kind: str, folder: Path, server: Callable[[], Server]) -> str:
    """The URL of a store of a kind that is not there yet."""
    if kind == "sqlite":
        return f"sqlite:{folder / 'duly.db'}"
    return f"{server().url}&schema=s{uuid4().hex}"
