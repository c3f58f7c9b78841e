"""Combinations: calendars made of others, by intersection (`all_of`) or union (`any_of`)."""

from __future__ import annotations

from itertools import pairwise

from duly.calendars.hours import CLOSED, OPEN, REGULAR
from duly.calendars.intervals import clipped, intersection, merged
from duly.calendars.localtime import Zone, year_start
from duly.instants import DAY

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from duly.calendars.calendar import Calendar
    from duly.calendars.hours import Segment, Spans
    from duly.calendars.intervals import Interval


class Combination:
    """The hours of a calendar that is the intersection or the union of its parts."""

    __slots__ = ("_all", "_own", "parts", "zone")

    def __init__(self, spec: dict[str, Any], parts: Sequence[Calendar]) -> None:
        """`spec` is a resolved combination; `parts` are its calendars in the order they are named."""
        frozen = spec["zone"]
        self.zone = Zone(spec["timezone"], frozen["at"], frozen["offsets"])
        self.parts = tuple(parts)
        self._all = "all_of" in spec
        self._own: dict[int, list[Interval]] = {}

    def date(self, day: int) -> tuple[str, str, Spans]:
        """A combination's dates have no reason of their own; the hours are counted from local midnight."""
        midnight = self.zone.reach(day * DAY)
        return REGULAR, "", tuple((start - midnight, end - midnight) for start, end in self.own(day))

    def own(self, day: int) -> list[Interval]:
        """The open intervals between the date's two midnights: a merged shift belongs to no date."""
        known = self._own.get(day)
        if known is None:
            low, high = self.zone.reach(day * DAY), self.zone.reach((day + 1) * DAY)
            known = self._own[day] = self._combined([part.intervals(low, high) for part in self.parts])
        return known

    def year(self, year: int) -> list[Interval]:
        """The open intervals of one UTC year, clipped to it."""
        low, high = year_start(year) * DAY, year_start(year + 1) * DAY
        return clipped(self._combined([part.year(year) for part in self.parts]), low, high)

    def _combined(self, lists: list[list[Interval]]) -> list[Interval]:
        if not self._all:
            return merged(piece for pieces in lists for piece in pieces)
        shared = lists[0]
        for pieces in lists[1:]:
            shared = intersection(shared, pieces)
        return shared

    def account(self, start: int, end: int) -> list[Segment]:
        """Every microsecond of `[start, end)`; closed time carries the first closed part and its reason."""
        accounts = [part.segments(start, end) for part in self.parts]
        edges = sorted({edge for account in accounts for segment in account for edge in segment[:2]})
        segments: list[Segment] = []
        places = [0] * len(accounts)
        for low, high in pairwise(edges):
            now: list[Segment] = []
            for index, account in enumerate(accounts):
                while account[places[index]][1] <= low:
                    places[index] += 1
                now.append(account[places[index]])
            kind, label = self._verdict(now)
            segments.append((low, high, kind, label))
        return segments

    def _verdict(self, now: list[Segment]) -> tuple[str, str]:
        wanted = CLOSED if self._all else OPEN
        for part, (_, _, kind, label) in zip(self.parts, now, strict=True):
            if (kind == OPEN) == (wanted == OPEN):
                return kind, f"{part.name}: {label}" if label else part.name
        return (OPEN, "") if self._all else (now[0][2], now[0][3])
