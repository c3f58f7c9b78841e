"""A service with HTTP for the tests: the real server on a free port, the real store, a clock turned by hand."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import httpx

sys.path.insert(0, str(Path(__file__).parent))

from serving import DESK, configured  # isort: skip
from duly import compiler
from duly.acting import ActingSet
from duly.hosts.config import read
from duly.hosts.http.server import Server
from duly.hosts.service import Service
from duly.testing import VirtualClock

ROOT = Path(__file__).parent.parent
START = "2026-03-11T02:00:00Z"
KEY = "whsec_c2VjcmV0LW9mLXRoZS1ob29r"
SECRETS = {"CRM": "tok-crm", "LOOK": "tok-look", "SLOW": "tok-slow", "HOOK": KEY, "OLD": "old-secret"}
TOKENS = [
    {"name": "crm", "secret": {"env": "CRM"}, "may": ["events", "read"]},
    {"name": "look", "secret": {"env": "LOOK"}, "may": ["read"]},
    {"name": "slow", "secret": {"env": "SLOW"}, "may": ["events"], "events_per_second": 0.5},
]


@cache
def desk() -> tuple[ActingSet, Mapping[str, Any]]:
    """The policy of the small desk, and where its rules stand."""
    sources = [compiler.Source(path.name, path.read_bytes()) for path in DESK.glob("*.yaml")]
    made = compiler.compile(sources)
    assert made.compiled is not None, made.diagnostics
    return ActingSet(made.compiled), made.places


class Web:
    """A service that runs; `client` asks it as `crm`."""

    def __init__(
        self, folder: Path, limits: Mapping[str, Any], sources: Mapping[str, Any], store: str
    ) -> None:
        tokens = {"listen": "127.0.0.1:0", "tokens": TOKENS, "limits": dict(limits)}
        file = configured(folder, http=tokens, sources=dict(sources), store={"url": store})
        config = read(file.read_bytes(), str(file), SECRETS)
        policy, places = desk()
        self.clock = VirtualClock(START)
        self.service = Service(config, policy, lambda: places, self.clock)
        self.server = next(part for part in self.service.parts if isinstance(part, Server))
        self.service.start()
        self.url = f"http://127.0.0.1:{self.server.port}"
        self.client = httpx.Client(base_url=self.url, headers=bearer("tok-crm"), timeout=20)

    def post(self, path: str, value: Any, **headers: str) -> httpx.Response:
        """JSON, sent."""
        kind = headers.pop("kind", "application/json")
        content = value if isinstance(value, bytes) else json.dumps(value, ensure_ascii=False).encode()
        return self.client.post(path, content=content, headers={"content-type": kind, **headers})

    def close(self) -> None:
        """Stop it."""
        self.client.close()
        self.service.stop()


@contextmanager
def serving(
    folder: Path, sources: Mapping[str, Any] | None = None, store: str = "sqlite:duly.db", **limits: Any
) -> Iterator[Web]:
    """A service that runs, as long as somebody is at it."""
    web = Web(folder, limits, sources or {}, store)
    try:
        yield web
    finally:
        web.close()


def bearer(token: str) -> dict[str, str]:
    """The header of somebody with a token."""
    return {"authorization": f"Bearer {token}"}


def opened(name: str, **more: Any) -> dict[str, Any]:
    """A case of the desk."""
    return {
        "id": f"e-{name}",
        "type": "case.opened",
        "case": name,
        "at": START,
        "data": {"category": "outage"},
    } | more
