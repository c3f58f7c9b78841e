"""Local time: a zone's frozen transitions, and the instants at which its clock reaches a reading."""

from __future__ import annotations

import datetime as _dt
from bisect import bisect_right

from duly.calendars.limits import NEVER
from duly.instants import DAY, SECOND

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

_EPOCH_ORDINAL = 719_163
_WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def day_number(date: str) -> int:
    """`2026-02-14` as days since 1970-01-01; ValueError where it is no date."""
    return _dt.date.fromisoformat(date).toordinal() - _EPOCH_ORDINAL


def day_text(day: int) -> str:
    """Days since 1970-01-01 as `2026-02-14`."""
    return _dt.date.fromordinal(day + _EPOCH_ORDINAL).isoformat()


def dated(day: int) -> str:
    """The date of a day number with its weekday, such as `Mon 2026-03-02`."""
    return f"{_WEEKDAYS[weekday(day)]} {day_text(day)}"


def weekday(day: int) -> int:
    """0 for Monday to 6 for Sunday."""
    return (day + 3) % 7


def year_start(year: int) -> int:
    """1 January of `year`, in days since 1970-01-01."""
    return _dt.date(year, 1, 1).toordinal() - _EPOCH_ORDINAL


def year_of(day: int) -> int:
    """The year that the date `day` (days since 1970-01-01) lies in."""
    return _dt.date.fromordinal(day + _EPOCH_ORDINAL).year


class Zone:
    """One zone's clock. Local readings are microseconds since 1970-01-01T00:00 on that clock."""

    __slots__ = ("_at", "_highest", "_offsets", "name")

    def __init__(self, name: str, at: Sequence[int], offsets: Sequence[int]) -> None:
        """`at`: transitions in UTC seconds, ascending; `offsets[i]` (seconds) holds before `at[i]`."""
        self.name = name
        self._at = [second * SECOND for second in at]
        self._offsets = [offset * SECOND for offset in offsets]
        self._highest: list[int] = []
        highest = -NEVER
        for instant, offset in zip(self._at, self._offsets, strict=False):
            highest = max(highest, instant + offset)
            self._highest.append(highest)

    def offset(self, instant: int) -> int:
        """What the clock is ahead of UTC at `instant`, in microseconds."""
        return self._offsets[bisect_right(self._at, instant)]

    def local(self, instant: int) -> int:
        """The clock's reading at `instant`."""
        return instant + self._offsets[bisect_right(self._at, instant)]

    def day(self, instant: int) -> int:
        """The local date at `instant`, in days since 1970-01-01."""
        return self.local(instant) // DAY

    def reached(self, instant: int) -> int:
        """The highest reading that the clock has shown up to `instant`: it stands still in a repeated hour."""
        stretch = bisect_right(self._at, instant)
        local = instant + self._offsets[stretch]
        return max(local, self._highest[stretch - 1] - 1) if stretch else local

    def reach(self, local: int) -> int:
        """The instant at which the clock first shows `local` or later.

        A reading inside a gap is reached at the transition, one that occurs twice on its first pass
        (semantics 1.1); so this never runs backwards as `local` grows.
        """
        stretch = bisect_right(self._highest, local)
        instant = local - self._offsets[stretch]
        if stretch and instant < self._at[stretch - 1]:
            return self._at[stretch - 1]
        return instant

    def steady(self, first: int, last: int) -> int | None:
        """The one offset between two instants, in microseconds; None where it changes."""
        stretch = bisect_right(self._at, first)
        if stretch != bisect_right(self._at, last):
            return None
        if stretch and self._highest[stretch - 1] > first + self._offsets[stretch]:
            return None
        return self._offsets[stretch]


UTC = Zone("UTC", (), (0,))
