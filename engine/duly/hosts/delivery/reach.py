"""Reach: whether a sink can be reached, as far as its answers tell, and how it is found out."""

from __future__ import annotations

from collections.abc import Iterable

from duly.hosts.store.records import Parcel
from duly.instants import MINUTE, SECOND

FIRST_PAUSE = 5 * SECOND
LONGEST_PAUSE = MINUTE
"""How long a sink that does not answer is left alone between two messages, in µs: doubled up to this."""


class Reach:
    """What is known of a sink's answering.

    `down`: everything it was last given has failed; then it is given one message at a time. `doubtful`: some of
    what failed may have failed because it was down, and would go through by now.
    """

    def __init__(self) -> None:
        self.down = False
        self.doubtful = False
        self.next_try = 0
        self._failures = 0
        self._tried: set[tuple[int, int, str]] = set()
        self._suspects: set[tuple[int, int, str]] = set()

    def doubt(self) -> None:
        """Something has failed before anybody looked."""
        self.down = self.doubtful = True

    def failed(self, now: int) -> None:
        """Everything that it was given has failed."""
        self.down = self.doubtful = True
        self._wait(now)
        self._tried.clear()

    def answered(self) -> None:
        """Something was taken, or refused. What has just failed all the same is at fault itself."""
        self.down, self._failures, self.next_try = False, 0, 0
        self._suspects |= self._tried
        self._tried.clear()

    def failed_early(self, parcels: Iterable[Parcel], now: int) -> None:
        """What waits for its next attempt was tried before, and failed again."""
        (self._tried if self.down else self._suspects).update(map(_key, parcels))
        self._wait(now)

    def _wait(self, now: int) -> None:
        self.next_try = now + min(LONGEST_PAUSE, FIRST_PAUSE << min(self._failures, 10))
        self._failures += 1

    def trust(self) -> None:
        """What waits has no reason to be tried early."""
        self.doubtful = False

    def suspects(self, parcel: Parcel) -> bool:
        """Whether a parcel failed while others were taken: that it fails says nothing of the sink."""
        return _key(parcel) in self._suspects


def _key(parcel: Parcel) -> tuple[int, int, str]:
    return parcel.shard, parcel.seq, parcel.part
