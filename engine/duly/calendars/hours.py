"""Hours: which stretches of each local date a calendar is open, and why."""

from __future__ import annotations

from bisect import bisect_right

from duly.calendars.intervals import clipped, merged
from duly.calendars.localtime import Zone, day_number, day_text, weekday, year_start
from duly.instants import DAY, SECOND

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from duly.calendars.intervals import Interval

    Spans = tuple[Interval, ...]
    """Open stretches of one date, in microseconds since its local midnight; they may end past 24:00."""
    Segment = tuple[int, int, str, str]
    """From, to, kind (`open`, `closed`, `holiday`, `closed_date`) and label."""

REGULAR, SPECIAL, CLOSED_DATE, HOLIDAY, MAKE_UP = "regular", "special", "closed_date", "holiday", "make_up"
OPEN, CLOSED = "open", "closed"


class Hours:
    """The hours of one calendar that is written out, not made of others."""

    __slots__ = ("_closed", "_dates", "_eras", "_holidays", "_make_up", "_own", "_weeks", "zone")

    def __init__(self, spec: dict[str, Any]) -> None:
        """`spec` is a resolved calendar, see resolution.py."""
        frozen = spec["zone"]
        self.zone = Zone(spec["timezone"], frozen["at"], frozen["offsets"])
        self._eras = [day_number(era["from"]) for era in spec["eras"] if era["from"]]
        self._weeks = [[_spans(day) for day in era["week"]] for era in spec["eras"]]
        self._dates = {day_number(date): _spans(spans) for date, spans in spec.get("dates", {}).items()}
        self._closed = [(day_number(first), day_number(last)) for first, last in spec.get("closed", ())]
        self._holidays = {day_number(date): name for date, name in spec.get("holidays", {}).items()}
        self._make_up = {day_number(date): fact for date, fact in spec.get("make_up", {}).items()}
        self._own: dict[int, list[Interval]] = {}

    def date(self, day: int) -> tuple[str, str, Spans]:
        """What the date is (`regular`, `special`, `closed_date`, `holiday`, `make_up`), its label, its hours.

        Written dates win over closed dates, these over make-up working days and holidays.
        """
        if day in self._dates:
            return SPECIAL, "hours of " + day_text(day), self._dates[day]
        if self._closed:
            nearest = bisect_right(self._closed, (day, 1 << 40)) - 1
            if nearest >= 0 and day <= self._closed[nearest][1]:
                return CLOSED_DATE, "closed on " + day_text(day), ()
        week = self._weeks[bisect_right(self._eras, day) if self._eras else 0]
        if day in self._make_up:
            stands_for, label = self._make_up[day]
            return MAKE_UP, label, _make_up_spans(week, stands_for)
        if day in self._holidays:
            return HOLIDAY, self._holidays[day], ()
        return REGULAR, "", week[weekday(day)]

    def own(self, day: int) -> list[Interval]:
        """The instants between which the date's own hours are open; a night shift ends on the next date."""
        known = self._own.get(day)
        if known is None:
            known = self._own[day] = merged(self._placed(day))
        return known

    def _placed(self, day: int) -> list[Interval]:
        midnight, reach = day * DAY, self.zone.reach
        return [(reach(midnight + start), reach(midnight + end)) for start, end in self.date(day)[2]]

    def year(self, year: int) -> list[Interval]:
        """The open intervals of one UTC year, clipped to it."""
        first, last = year_start(year), year_start(year + 1)
        pieces: list[Interval] = []
        for start in range(first - 4, last + 3, 28):
            pieces += self._stretch(start, min(start + 28, last + 3))
        return clipped(merged(pieces), first * DAY, last * DAY)

    def _stretch(self, first: int, last: int) -> list[Interval]:
        """The placed hours of the dates `[first, last)`; where the offset is one, by plain arithmetic."""
        steady = self.zone.steady((first - 3) * DAY, (last + 3) * DAY)
        if steady is None:
            return [piece for day in range(first, last) for piece in self._placed(day)]
        pieces: list[Interval] = []
        for day in range(first, last):
            midnight = day * DAY - steady
            pieces += [(midnight + start, midnight + end) for start, end in self.date(day)[2]]
        return pieces

    def account(self, start: int, end: int) -> list[Segment]:
        """Every microsecond of `[start, end)` with its reason, in order."""
        segments: list[Segment] = []
        low = start
        for day in range(self.zone.day(start) - 3, self.zone.day(end) + 3):
            label = self.date(day)[1]
            for opening, closing in self.own(day):
                if closing <= low or opening >= end:
                    continue
                if low < opening:
                    segments += self._shut(low, opening)
                    low = opening
                segments.append((low, min(closing, end), OPEN, label))
                low = min(closing, end)
        if low < end:
            segments += self._shut(low, end)
        return segments

    def _shut(self, start: int, end: int) -> list[Segment]:
        """A closed stretch, split where the reason changes, which is at local midnights."""
        segments: list[Segment] = []
        while start < end:
            day = self.zone.reached(start) // DAY
            until = min(self.zone.reach((day + 1) * DAY), end)
            kind, label, _ = self.date(day)
            segments.append((start, until, kind if kind in (HOLIDAY, CLOSED_DATE) else CLOSED, label))
            start = until
        return segments


def _spans(spans: list[list[int]]) -> Spans:
    return tuple((start * SECOND, end * SECOND) for start, end in spans)


def _make_up_spans(week: list[Spans], stands_for: int | None) -> Spans:
    """The hours of the weekday that the day stands in for, else of the week's first day with hours."""
    if stands_for is not None and week[stands_for]:
        return week[stands_for]
    return next((spans for spans in week if spans), ())
