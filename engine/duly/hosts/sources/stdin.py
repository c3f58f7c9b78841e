"""Standard input as a source: JSON Lines until they end."""

from __future__ import annotations

import os
import select
import sys
import threading
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from duly.hosts.intake import BATCH
from duly.hosts.logs import Log
from duly.hosts.sources.handing import Line, Lines, hand_in, offers

if TYPE_CHECKING:
    from duly.hosts.service import Service

CHUNK = 256 * 1024
PIPE = 1024 * 1024
"""Bytes that a pipe is asked to hold: whoever writes goes on while a batch is made durable."""


class Stdin:
    """Reads standard input to its end, in a thread of its own."""

    brings = True

    def __init__(self, name: str, service: Service) -> None:
        self._name, self._service = name, service
        self._log = Log("duly.sources")
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._read, name=f"duly-source-{name}")
        self._wake = self._woken = -1

    def start(self) -> None:
        """See Part."""
        self._wake, self._woken = os.pipe()
        _widen(sys.stdin.fileno())
        self._thread.start()

    def stop(self, seconds: float) -> None:
        """See Part."""
        self._stopping.set()
        if self._thread.ident is not None:
            os.write(self._woken, b"\0")
            self._thread.join()
            os.close(self._wake)
            os.close(self._woken)

    def where(self) -> str:
        """See Part."""
        return f"source {self._name}: reads standard input"

    def _read(self) -> None:
        channel = sys.stdin.fileno()
        lines, found = Lines(), list[Line]()
        while not self._stopping.is_set():
            # Whole batches are handed in while there is more to read; at a pause, what there is.
            ready, _, _ = select.select([channel, self._wake], [], [], 0 if found else None)
            if self._wake in ready:
                return
            chunk = os.read(channel, CHUNK) if ready else None
            if chunk is not None:
                found += lines.more(chunk) if chunk else lines.last()
            while len(found) >= BATCH or (found and not chunk):
                given = offers(line.text for line in found[:BATCH])
                hand_in(self._service.intake, given, self._name, self._stopping, self._log)
                del found[:BATCH]
            if chunk == b"":
                self._log.info("source has come to its end", source=self._name)
                self._service.source_ended()
                return


def _widen(channel: int) -> None:
    """Let a pipe hold what makes a whole batch, where the system has a way to say so."""
    try:
        import fcntl

        fcntl.fcntl(channel, fcntl.F_SETPIPE_SZ, PIPE)
    except (ImportError, AttributeError, OSError):
        return  # no pipe, or one that stays as it is: more, smaller batches


def source(name: str, settings: Mapping[str, Any], service: Service) -> Stdin:
    """Standard input."""
    return Stdin(name, service)
