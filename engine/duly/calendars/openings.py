"""Openings: the timeline of open intervals, with the open time before each.

Sorted arrays of instants, compiled a UTC year at a time when first needed, so that what asks them is a
bisection, whatever the span. Index 0 is a sentinel: an empty interval before all time.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right

from duly.calendars.limits import FIRST, FIRST_YEAR, LAST, LAST_YEAR, NEVER, BeyondCalendar
from duly.calendars.localtime import year_of, year_start
from duly.instants import DAY

TYPE_CHECKING = False
if TYPE_CHECKING:
    from duly.calendars.combination import Combination
    from duly.calendars.hours import Hours
    from duly.calendars.intervals import Interval

KNOWN = 4_096
"""Instants whose open time a calendar keeps in mind."""


class Openings:
    """The open intervals of some hours. Not safe to share between threads without a lock: it grows when asked."""

    __slots__ = (
        "_ends",
        "_high",
        "_hours",
        "_known",
        "_known_from",
        "_low",
        "_starts",
        "_sums",
        "name",
        "zone",
    )

    def __init__(self, name: str, hours: Hours | Combination) -> None:
        self.name = name
        self.zone = hours.zone
        self._hours = hours
        self._starts, self._ends = [-NEVER], [-NEVER]
        self._sums = [0, 0]
        """`_sums[i]` is the open time before interval i, `_sums[i + 1]` that before its end."""
        self._low = self._high = 0
        self._known: dict[int, int] = {}
        """The open time before instants asked for of late: a decision asks for the same few many times."""
        self._known_from = -NEVER
        """Before it nothing may be due, and no open time is kept in mind."""

    def open_before(self, instant: int) -> int:
        """F: open time before `instant`, counted from a fixed but arbitrary origin (semantics 1.2).

        Only differences mean anything, and only between calls on the same object.
        """
        known = self._known.get(instant)
        if known is None:
            known = self._open_before(instant)
        return known

    def _open_before(self, instant: int) -> int:
        if not self._low <= instant < self._high:
            self._cover(instant)
        place = bisect_right(self._starts, instant)
        left = self._ends[place - 1] - instant
        found = self._sums[place] - left if left > 0 else self._sums[place]
        if instant >= self._known_from:
            if len(self._known) >= KNOWN:
                self._known.clear()
            self._known[instant] = found
        return found

    def is_open(self, instant: int) -> bool:
        """Whether `instant` lies in an open interval: opening times do, closing times do not."""
        self._cover(instant)
        return instant < self._ends[bisect_right(self._starts, instant) - 1]

    def intervals(self, start: int, end: int) -> list[Interval]:
        """The open intervals of `[start, end)`, clipped to it, sorted and disjoint."""
        if end <= start:
            return []
        self._cover(start)
        self._cover(end)
        first, last = bisect_right(self._ends, start), bisect_left(self._starts, end)
        return [
            (max(opening, start), min(closing, end))
            for opening, closing in zip(self._starts[first:last], self._ends[first:last], strict=True)
        ]

    def year(self, year: int) -> list[Interval]:
        """The open intervals of one UTC year, clipped to it."""
        return self._hours.year(year)

    def _cover(self, instant: int) -> None:
        """Compile the years up to the one of `instant`."""
        if self._low <= instant < self._high:
            return
        if not FIRST <= instant < LAST:
            raise BeyondCalendar(f"calendars cover the years {FIRST_YEAR} to {LAST_YEAR}")
        if self._low == self._high:
            self._low = self._high = year_start(year_of(instant // DAY)) * DAY
        while instant >= self._high:
            self._compile_after()
        while instant < self._low:
            self._compile_before()

    def _compile_after(self) -> None:
        """Add the year that follows those compiled."""
        if self._high >= LAST:
            raise BeyondCalendar(f"`{self.name}` does not have that much open time before {LAST_YEAR + 1}")
        year = year_of(self._high // DAY)
        for start, end in self._hours.year(year):
            if start == self._ends[-1]:
                self._ends[-1] = end
                self._sums[-1] += end - start
            else:
                self._starts.append(start)
                self._ends.append(end)
                self._sums.append(self._sums[-1] + end - start)
        self._high = year_start(year + 1) * DAY

    def _compile_before(self) -> None:
        """Add the year that precedes those compiled; the sums already given out stay as they are."""
        if self._low <= FIRST:
            raise BeyondCalendar(f"`{self.name}` does not have that much open time after {FIRST_YEAR}")
        year = year_of(self._low // DAY - 1)
        pieces = self._hours.year(year)
        origin = self._sums[0] - sum(end - start for start, end in pieces)
        starts, ends, sums = [-NEVER], [-NEVER], [origin, origin]
        for start, end in pieces:
            starts.append(start)
            ends.append(end)
            sums.append(sums[-1] + end - start)
        kept = 1
        if len(self._starts) > 1 and self._starts[1] == ends[-1]:
            ends[-1], sums[-1], kept = self._ends[1], self._sums[2], 2
        self._starts = starts + self._starts[kept:]
        self._ends = ends + self._ends[kept:]
        self._sums = sums + self._sums[kept + 1 :]
        self._low = year_start(year) * DAY
