"""Retry: when a delivery that failed is tried again, and when it is given up."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256

from duly.instants import DAY, HOUR, MINUTE, SECOND

SCHEDULE = (
    5 * SECOND, 5 * MINUTE, 30 * MINUTE, 2 * HOUR, 5 * HOUR, 10 * HOUR, 14 * HOUR, 20 * HOUR, 24 * HOUR,
)  # fmt: skip
"""How long to wait after each attempt, the first of which is made at once, as Standard Webhooks has it."""

LONGEST_ASKED = DAY
"""No other side is believed that wants more patience than this."""


@dataclass(frozen=True, slots=True)
class Retry:
    """How often a delivery is tried: once, and once more after each of `waits`, in µs.

    `jitter` is by how much of itself, in thousandths, a wait may become longer, so that what failed together
    does not come back together.
    """

    waits: tuple[int, ...] = SCHEDULE
    jitter: int = 100

    @property
    def attempts(self) -> int:
        """How many attempts there are in all."""
        return len(self.waits) + 1

    def after(self, id: str, attempt: int, now: int, asked_seconds: float | None = None) -> int | None:
        """When to try again after that attempt (from 1) of a message has failed; None to give it up.

        The same for the same id on every machine. Not before what the other side asks for (`Retry-After`).
        """
        if attempt > len(self.waits):
            return None
        wait = self.waits[attempt - 1]
        wait += wait * self.jitter // 1000 * _share(id, attempt) // 1000
        return now + max(wait, asked(asked_seconds))


def asked(seconds: float | None) -> int:
    """How long the other side wants to be left alone, in µs, as far as that is believed."""
    if seconds is None or not seconds > 0:
        return 0
    return LONGEST_ASKED if seconds * SECOND >= LONGEST_ASKED else int(seconds * SECOND)


def _share(id: str, attempt: int) -> int:
    """A number from 0 to 999 that nobody can foresee and everybody can recompute."""
    digest = sha256(f"{id}/{attempt}".encode("utf-8", "surrogatepass")).digest()
    return int.from_bytes(digest[:8]) % 1000
