"""Health: whether the engine moves, its timers are on time and its store can be reached; and who is told."""

from __future__ import annotations

import contextlib
import os
import socket
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from duly.hosts.metrics import Metrics
from duly.instants import SECOND

STUCK_SECONDS = 60.0
"""An engine that has not come round for so long does not move."""
LATE_SECONDS = 60.0
"""Timers that are overdue by more are not on time."""


class Health:
    """See hosts.contract.Health. The engine says what it does; others ask."""

    def __init__(self, metrics: Metrics, steady: Callable[[], float] = time.monotonic) -> None:
        self._metrics = metrics
        self._steady = steady
        self._moved = steady()
        self._overdue = 0
        self._down = ""
        self._state = "starting"
        metrics.behind(lambda: self._overdue / SECOND)

    def moved(self, overdue: int) -> None:
        """The engine has come round; the earliest timer is overdue by so many µs."""
        self._moved, self._overdue, self._down = self._steady(), max(0, overdue), ""

    def down(self, reason: str) -> None:
        """The engine has come round, and the store cannot be reached or written."""
        self._moved, self._down = self._steady(), reason

    def becomes(self, state: str) -> None:
        """What the service is: `starting`, `running`, `stopping`, `stopped`, `failed`."""
        self._state = state

    def alive(self) -> tuple[bool, Mapping[str, Any]]:
        """See hosts.contract.Health. A store that is away does not count: starting again would not bring it back."""
        still = self._steady() - self._moved
        late = self._overdue / SECOND
        fine = self._state != "failed" and still < STUCK_SECONDS and (late < LATE_SECONDS or bool(self._down))
        return fine, {
            "state": self._state, "still_seconds": round(still, 1), "timers_overdue_seconds": round(late, 1)
        }  # fmt: skip

    def ready(self) -> tuple[bool, Mapping[str, Any]]:
        """See hosts.contract.Health."""
        facts: dict[str, Any] = {"state": self._state}
        if self._down:
            facts["store"] = self._down
        return self._state == "running" and not self._down, facts

    def metrics(self) -> bytes:
        """See hosts.contract.Health."""
        return self._metrics.page()


class Watchdog:
    """Tells systemd, and a file, that the service is alive; says nothing more as soon as it is not.

    systemd names its socket in NOTIFY_SOCKET, and in WATCHDOG_USEC how long it waits for a sign of life.
    """

    def __init__(
        self, health: Health, settings: Mapping[str, Any], folder: Path, environment: Mapping[str, str]
    ) -> None:
        self._health = health
        self._file = folder / settings["file"] if "file" in settings else None
        self._socket = environment.get("NOTIFY_SOCKET", "")
        self.every = min(10.0, int(environment.get("WATCHDOG_USEC") or 20_000_000) / 3_000_000)
        """How many seconds may lie between two signs of life."""

    def beat(self) -> bool:
        """A sign of life, if there is life; whether there was."""
        fine, _ = self._health.alive()
        if fine:
            if self._file is not None:
                # Where it cannot be touched, whoever looks at it finds it old.
                with contextlib.suppress(OSError):
                    self._file.touch()
            self.tell("WATCHDOG=1")
        return fine

    def tell(self, message: str) -> None:
        """Tell systemd, if it is there: `READY=1`, `STOPPING=1`, …"""
        if not self._socket:
            return
        address = "\0" + self._socket[1:] if self._socket.startswith("@") else self._socket
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as channel:
                channel.sendto(message.encode(), address)
        except OSError:
            return


def leave(code: int) -> None:
    """End the process at once, whatever its threads are at."""
    os._exit(code)
