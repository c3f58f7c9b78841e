"""Limits: how many messages may go out in a length of time."""

from __future__ import annotations

from bisect import insort
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `most` messages in any `per` µs."""

    most: int
    per: int


class Window:
    """The instants at which a limit was made use of, or will be: sliding, so that no edge lets twice as many by."""

    __slots__ = ("_limit", "_taken")

    def __init__(self, limit: Limit) -> None:
        self._limit = limit
        self._taken: list[int] = []

    def free_at(self, now: int) -> int:
        """The earliest instant from `now` on at which one more may go."""
        self._forget(now)
        taken, most = self._taken, self._limit.most
        return now if len(taken) < most else max(now, taken[-most] + self._limit.per)

    def room(self, now: int) -> int:
        """How many more may go at `now`."""
        self._forget(now)
        return max(0, self._limit.most - len(self._taken))

    def take(self, at: int) -> None:
        """One goes at that instant, which may be one to come."""
        insort(self._taken, at)

    def _forget(self, now: int) -> None:
        past = 0
        for at in self._taken:
            if at > now - self._limit.per:
                break
            past += 1
        del self._taken[:past]


class Windows:
    """A window for each recipient."""

    def __init__(self, limit: Limit | None) -> None:
        self._limit = limit
        self._windows: dict[str, Window] = {}

    def free_at(self, recipients: tuple[str, ...], now: int) -> int:
        """The earliest instant at which all of them may be sent one more, which is then kept for them."""
        if self._limit is None or not recipients:
            return now
        windows = [self._windows.setdefault(each, Window(self._limit)) for each in recipients]
        at = max(window.free_at(now) for window in windows)
        for window in windows:
            window.take(at)
        if len(self._windows) > 10_000:
            self._windows = {
                name: each for name, each in self._windows.items() if each.room(now) < self._limit.most
            }
        return at
