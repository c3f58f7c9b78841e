"""The server: HTTP as a part of a service, in a thread of its own."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import uvicorn

from duly.hosts import mapping
from duly.hosts.config import Faulty
from duly.hosts.http.app import Parts, app
from duly.hosts.http.connections import connection
from duly.hosts.http.settings import Hook, Limits
from duly.hosts.http.tokens import Callers
from duly.hosts.views import Views
from duly.sinks.base import Misconfigured

if TYPE_CHECKING:
    from starlette.types import ASGIApp

    from duly.hosts.service import Service

_BACKLOG = 256


class Server:
    """A part of a service; see hosts.contract.Part. `port` is the one it listens on, once it does."""

    brings = True

    def __init__(self, app: ASGIApp, host: str, port: int, limits: Limits) -> None:
        self.host, self.port = host, port
        self._app, self._limits = app, limits
        self._server: Any = None
        self._thread: threading.Thread | None = None

    def where(self) -> str:
        """See hosts.contract.Part."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"listens on http://{host}:{self.port}"

    def start(self) -> None:
        """See hosts.contract.Part."""
        listening = self._listening()
        self.port = listening.getsockname()[1]
        self._server = _uvicorn(self._app, self._limits)
        self._thread = threading.Thread(target=self._run, args=(listening,), name="duly-http")
        self._thread.start()

    def _listening(self) -> socket.socket:
        family = socket.AF_INET6 if ":" in self.host else socket.AF_INET
        found = socket.socket(family, socket.SOCK_STREAM)
        try:
            found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            found.bind((self.host, self.port))
            found.listen(_BACKLOG)
        except (OSError, OverflowError) as error:
            found.close()
            reason = getattr(error, "strerror", None) or str(error)
            message = (
                f"cannot listen on {self.host}:{self.port}: {reason.lower()}; choose another `http.listen`"
            )
            raise Misconfigured(message) from None
        return found

    def _run(self, listening: socket.socket) -> None:
        with listening:
            asyncio.run(self._server.serve(sockets=[listening]))

    def stop(self, seconds: float) -> None:
        """See hosts.contract.Part."""
        if self._server is None or self._thread is None:
            return
        self._server.config.timeout_graceful_shutdown = max(1, int(seconds))
        self._server.should_exit = True
        self._thread.join()


def _uvicorn(app: ASGIApp, limits: Limits) -> Any:
    return uvicorn.Server(
        uvicorn.Config(
            app, http=connection(limits.header_seconds), loop="asyncio", ws="none", lifespan="off", log_config=None,
            access_log=False, server_header=False, proxy_headers=False, limit_concurrency=limits.connections,
            timeout_keep_alive=15, h11_max_incomplete_event_size=limits.header_bytes,
        )
    )  # fmt: skip


def serve(service: Service) -> Server:
    """HTTP as the configuration of a service asks for it. Raises Faulty for a hook that cannot work."""
    config = service.config
    settings = config.http or {}
    limits = Limits.of(settings.get("limits", {}))
    hooks = {
        name: Hook.of(name, given, _mapping(service, name, given))
        for name, given in _webhooks(config.sources)
    }
    views = Views(service.store, service.acting, config.matcher, lambda: _relative(service))
    parts = Parts(
        service.intake, views, service.health, service.clock.now, Callers.of(settings.get("tokens", ())), hooks,
        limits, frozenset(settings.get("public", ())),
    )  # fmt: skip
    host, _, port = str(settings["listen"]).rpartition(":")
    return Server(app(parts), host.strip("[]"), int(port), limits)


def _relative(service: Service) -> Mapping[str, dict[str, Any]]:
    """Where the rules stand, as seen from the configuration: how the machine is laid out is nobody's business."""
    folder = f"{service.config.folder}/"
    return {
        rule: {**place, "file": str(place["file"]).removeprefix(folder)} if "file" in place else place
        for rule, place in service.places().items()
    }


def _webhooks(sources: Any) -> Iterator[tuple[str, Any]]:
    return ((name, given) for name, given in sources.items() if given["type"] == "http-webhook")


def _mapping(service: Service, name: str, given: Any) -> mapping.Mapping | None:
    if "secret" not in given and not given.get("secrets"):
        message = f"the webhook `{name}` has no `secret`; without one anybody could send events"
        raise Faulty(
            [service.config.fault(("spec", "sources", name), message, "write `secret: {env: NAME}`")]
        )
    if "mapping" not in given:
        return None
    path = service.config.path(given["mapping"])
    place = ("spec", "sources", name, "mapping")
    try:
        content = path.read_bytes()
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise Faulty([service.config.fault(place, f"cannot read `{path}`: {reason}")]) from None
    found, faults = mapping.read(content, str(path))
    if found is None:
        raise Faulty(faults)
    return found
