"""A line to NATS JetStream: the connection that the sink and the source share their way to."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, TypeVar

import nats
import nats.errors
import nats.js.errors
from nats.aio.client import Client
from nats.js import JetStreamContext

from duly.sinks.base import Misconfigured, revealed, said
from duly.sinks.loop import Loop
from duly.sinks.settings import SECRET, TEXT_OR_SECRET, TIMEOUT, Schema

T = TypeVar("T")

FAULTS: tuple[type[Exception], ...] = (nats.errors.Error, OSError, TimeoutError, ssl.SSLError)
"""What may go wrong on the way, and may go right the next time."""

SETTINGS: dict[str, Schema] = {
    "url": {
        **TEXT_OR_SECRET,
        "description": "The server: `nats://…`, or `tls://…`; several are parted by commas.",
        "examples": ["nats://127.0.0.1:4222", {"env": "NATS_URL"}],
    },
    "user": {**TEXT_OR_SECRET, "description": "The user to log in as.", "examples": ["duly"]},
    "password": {**SECRET, "description": "The password to log in with."},
    "token": {**SECRET, "description": "The token to log in with."},
    "credentials": {
        "description": "The file of credentials (`.creds`) to log in with.",
        "type": "string",
        "minLength": 1,
        "x-file": True,
        "examples": ["/run/secrets/duly.creds"],
    },
    "ca_file": {
        "description": "A file of the authorities that may vouch for the server, in place of the machine's.",
        "type": "string",
        "minLength": 1,
        "x-file": True,
        "examples": ["/etc/duly/our-ca.pem"],
    },
    "timeout_seconds": TIMEOUT,
}
"""The settings that say how the server is reached."""


class NatsLine:
    """Connects when it is first needed, and anew after a fault."""

    def __init__(self, settings: Mapping[str, Any], name: str) -> None:
        self.seconds = float(settings.get("timeout_seconds", 15))
        self._servers = [each.strip() for each in revealed(settings["url"]).split(",")]
        if not all(each.partition("://")[0] in ("nats", "tls") for each in self._servers):
            raise Misconfigured("`url`: expected an address such as `nats://127.0.0.1:4222`")
        self._options = _options(settings)
        self._loop = Loop(name)
        self._client: Client | None = None
        self._heard = ""
        self._stream: JetStreamContext | None = None

    def do(
        self,
        work: Callable[[JetStreamContext], Coroutine[Any, Any, T]],
        seconds: float = 0,
        *,
        flush: bool = False,
    ) -> T:
        """What a coroutine gives that works with JetStream; with `flush`, once what it sent has arrived.

        It may wait for so many seconds besides those that the way takes. Raises one of FAULTS; the next one then
        connects anew.
        """
        try:
            return self._loop.run(self._working(work, flush=flush), seconds + self.seconds)
        except nats.errors.NoServersError:
            self._hang_up()
            raise ConnectionError(f"no server can be reached: {self._heard}") from None
        except FAULTS:
            self._hang_up()
            raise

    def close(self) -> None:
        """Let go of the connection and of its thread."""
        self._hang_up()
        self._loop.close()

    async def _working(self, work: Callable[[JetStreamContext], Coroutine[Any, Any, T]], *, flush: bool) -> T:
        self._heard = ""
        if self._client is None or not self._client.is_connected or self._stream is None:
            # Connected anew by us alone: the library would go on trying for minutes, and nobody would know.
            self._client = await nats.connect(
                self._servers, allow_reconnect=False, connect_timeout=int(min(self.seconds, 10)) or 1,
                max_reconnect_attempts=1, reconnect_time_wait=0, error_cb=self._hear, name="duly", **self._options,
            )  # fmt: skip
            self._stream = self._client.jetstream(timeout=self.seconds)
        found = await work(self._stream)
        if flush:
            await self._client.flush(int(self.seconds) or 1)
        return found

    async def _hear(self, error: Exception) -> None:
        """Keep what the library says of a fault that it goes on to raise as another."""
        self._heard = said(error)

    def _hang_up(self) -> None:
        client, self._client, self._stream = self._client, None, None
        if client is not None:
            with contextlib.suppress(*FAULTS):
                self._loop.run(client.close(), 5)


def _options(settings: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {
        name: revealed(settings[name]) for name in ("user", "password", "token") if name in settings
    }
    if "credentials" in settings:
        found["user_credentials"] = settings["credentials"]
    if "ca_file" in settings:
        try:
            found["tls"] = ssl.create_default_context(cafile=settings["ca_file"])
        except OSError as error:
            raise Misconfigured(f"`ca_file` cannot be read as certificates: {said(error)}") from None
    return found


def why(error: BaseException) -> str:
    """What went wrong, in words."""
    if isinstance(error, nats.js.errors.NoStreamResponseError):
        return "no stream takes this subject; add it to the subjects of one"
    if isinstance(error, (TimeoutError, asyncio.TimeoutError)):
        return "no answer in time"
    return said(error) or type(error).__name__
