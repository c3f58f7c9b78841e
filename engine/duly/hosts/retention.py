"""Retention: the history of what has long been at rest is folded, a little at a time, beside the work."""

from __future__ import annotations

import time

from duly.hosts.clock import Clock
from duly.hosts.folding import fold
from duly.hosts.logs import Log
from duly.hosts.metrics import Metrics
from duly.hosts.store.contract import Store
from duly.instants import HOUR

PIECE = 100
"""Groups that are looked at in one go: some milliseconds, some tens of them where all are folded."""
PAUSE = 0.1
"""Seconds from one piece to the next while there is nothing else to do."""
BUSY_PAUSE = 5.0
"""The same while there always is: what comes in must not keep the store growing for ever."""
REST = HOUR
"""From the beginning of a pass over the store to that of the next, at least, in µs; a tenth of `keep`, if less."""


class Retention:
    """Folds what has been at rest for longer than `keep`, in µs. Used by the engine's thread alone."""

    def __init__(self, keep: int, store: Store, clock: Clock, metrics: Metrics) -> None:
        self._keep, self._store, self._clock, self._metrics = keep, store, clock, metrics
        self._log = Log("duly.retention")
        self._next_pass: int | None = None
        self._began: int | None = None
        self._latest = float("-inf")
        self._folded = 0

    def patience(self) -> float:
        """How many seconds the next piece can wait for; endless between two passes."""
        if not self._under_way():
            return float("inf")
        return max(0.0, self._latest + PAUSE - time.monotonic())

    def go_on(self, *, busy: bool) -> None:
        """Do a piece, if it is time for one. Raises Unavailable."""
        if not self._under_way() or time.monotonic() < self._latest + (BUSY_PAUSE if busy else PAUSE):
            return
        if self._began is None:
            self._began = self._clock.now()
        begun = time.perf_counter()
        found = self._store.compact(self._began - self._keep, PIECE, fold)
        self._latest = time.monotonic()
        self._metrics.stepped(time.perf_counter() - begun, "fold")
        if found is None:
            self._end(self._began)
        else:
            self._folded += found
            self._metrics.folded(found)

    def _under_way(self) -> bool:
        if self._began is not None or self._next_pass is None:
            return True
        return self._clock.now() >= self._next_pass

    def _end(self, began: int) -> None:
        self._began, self._next_pass = None, began + min(REST, self._keep // 10)
        if self._folded:
            self._log.info("folded the history of what is long at rest", groups=self._folded)
        self._folded = 0
