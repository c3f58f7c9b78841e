"""Clocks: what counts as now. Of the whole project, this file alone asks the machine for the time."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Protocol

from duly.instants import SECOND

NOTEWORTHY = 2 * SECOND
"""From here on a difference between the wall clock and the steady one counts as a jump, in µs."""


class Clock(Protocol):
    """What counts as now, in µs since 1970 UTC. Safe to use from several threads."""

    live: bool
    """Whether time passes by itself: then events of the future are refused, and gaps in working are outages."""

    def now(self) -> int:
        """The instant that counts as now; never less than it was."""

    def heard(self, at: int) -> None:
        """An event of that instant was accepted."""

    def patience(self, at: int) -> float:
        """How many seconds to wait until it is `at`, unless something else happens."""

    def listen(self, changed: Callable[[], None]) -> None:
        """Be called when the clock was moved otherwise than by time passing."""


class WallClock:
    """The machine's clock, which may be set while we look at it.

    Set back, it stands still until it has caught up: what was due is not due again, and what is still to come
    keeps its hour. Set forward, time has passed. `jumped` hears of both, in seconds, as measured against the
    steady clock.
    """

    live = True

    def __init__(
        self, wall: Callable[[], int] = time.time_ns, steady: Callable[[], int] = time.monotonic_ns
    ) -> None:
        self._wall, self._steady = wall, steady
        self._latest = wall() // 1000
        self._apart = wall() // 1000 - steady() // 1000
        self.jumped: Callable[[float], None] = lambda _: None

    def now(self) -> int:
        """See Clock."""
        wall = self._wall() // 1000
        apart = wall - self._steady() // 1000
        if abs(apart - self._apart) >= NOTEWORTHY:
            jump, self._apart = apart - self._apart, apart
            self.jumped(jump / SECOND)
        else:
            # What the machine's clock is slewed by is no jump, however long it goes on.
            self._apart = apart
        self._latest = max(self._latest, wall)
        return self._latest

    def behind(self) -> float:
        """By how many seconds the machine's clock is behind what it said before."""
        return max(0, self._latest - self._wall() // 1000) / SECOND

    def heard(self, at: int) -> None:
        """See Clock."""

    def patience(self, at: int) -> float:
        """See Clock."""
        return max(0, at - self.now()) / SECOND

    def listen(self, changed: Callable[[], None]) -> None:
        """See Clock."""


class EventClock:
    """A clock that moves with the events: it is as late as the latest of them."""

    live = False

    def __init__(self, start: int | None = None) -> None:
        self._now = -(1 << 62) if start is None else start

    def now(self) -> int:
        """See Clock."""
        return self._now

    def heard(self, at: int) -> None:
        """See Clock."""
        self._now = max(self._now, at)

    def patience(self, at: int) -> float:
        """Nothing is worth waiting for but the next event."""
        return float("inf")

    def listen(self, changed: Callable[[], None]) -> None:
        """See Clock."""
