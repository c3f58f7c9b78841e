"""Connections: those that send no request in time are closed, which the HTTP server itself does not see to."""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.protocols.http.h11_impl import H11Protocol


def connection(header_seconds: float) -> type[H11Protocol]:
    """The protocol of a connection whose requests must have come, but for their bodies, within so many seconds."""

    class Connection(H11Protocol):
        """One connection."""

        _patience: asyncio.TimerHandle | None = None

        def connection_made(self, transport: Any) -> None:
            """See asyncio.Protocol."""
            super().connection_made(transport)
            self._patience = self.loop.call_later(header_seconds, self._give_up)

        def data_received(self, data: bytes) -> None:
            """See asyncio.Protocol."""
            before = self.cycle
            super().data_received(data)
            if self.cycle is not before:
                self._be_patient()
            elif self._patience is None and (before is None or before.response_complete):
                # The first bytes of a further request: it has to be whole in time as well.
                self._patience = self.loop.call_later(header_seconds, self._give_up)

        def connection_lost(self, exc: Exception | None) -> None:
            """See asyncio.Protocol."""
            self._be_patient()
            super().connection_lost(exc)

        def _be_patient(self) -> None:
            if self._patience is not None:
                self._patience.cancel()
                self._patience = None

        def _give_up(self) -> None:
            self._patience = None
            if not self.transport.is_closing():
                self.transport.close()

    return Connection
