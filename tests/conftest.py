"""What tests of several rooms share: a PostgreSQL server, started once, and stores that are empty."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from postgres_server import Server

_STORES = count(1)


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
