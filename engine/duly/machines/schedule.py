"""Schedules at run time: the instants at which something comes round, by cron or by counted working days."""

from __future__ import annotations

import datetime as _dt

from duly.instants import DAY, MINUTE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from duly.calendars.calendar import Calendar
    from duly.calendars.calendars import Calendars
    from duly.calendars.localtime import Zone

_EPOCH = _dt.datetime(1970, 1, 1)  # noqa: DTZ001 - local wall time, which has no zone until it is placed
_REACH = 45
"""Days that a roll may move an occurrence at most: no calendar is closed for longer without being an error."""


class Schedule:
    """Occurrences as instants. Wall times are local; one inside a gap of the clock is at the gap's end, one
    that the clock shows twice is once (semantics §6).
    """

    __slots__ = ("_at", "_calendar", "_cron", "_known", "_nth", "_of", "_roll", "_zone")

    def __init__(self, spec: Mapping[str, Any], calendars: Calendars, zone: Zone) -> None:
        name = spec.get("calendar")
        self._calendar: Calendar | None = None if name is None else calendars[name]
        self._zone = zone if self._calendar is None or name == "always" else self._calendar.zone
        self._cron: str | None = spec.get("cron")
        self._roll: str = spec.get("roll", "none")
        self._nth: int = spec.get("nth_working_day", 0)
        self._of: str = spec.get("of", "month")
        self._at: int = spec.get("at", 0)
        self._known: dict[int, list[int]] = {}

    def after(self, instant: int) -> int | None:
        """The first occurrence strictly after `instant`; None where there is none within ten years."""
        month = _month(self._zone.day(instant))
        for number in range(month - 2, month + 122):
            for found in self._occurrences(number):
                if found > instant:
                    return found
        return None

    def between(self, start: int, end: int) -> list[int]:
        """The occurrences of `[start, end)`, in order."""
        first, last = _month(self._zone.day(start)) - 2, _month(self._zone.day(end)) + 2
        found = {
            at for number in range(first, last + 1) for at in self._occurrences(number) if start <= at < end
        }
        return sorted(found)

    def _occurrences(self, month: int) -> list[int]:
        """The occurrences that the fields put into a month (counted from the year 0), where rolling puts them."""
        known = self._known.get(month)
        if known is None:
            walls = self._by_cron(month) if self._cron is not None else self._by_count(month)
            known = self._known[month] = sorted({self._zone.reach(wall) for wall in walls})
        return known

    def _by_cron(self, month: int) -> list[int]:
        from croniter import croniter

        start, end = _first_day(month), _first_day(month + 1)
        here = _EPOCH + _dt.timedelta(days=start, seconds=-1)
        # Vixie's cron: with `*/n` in a day field both day fields must hold.
        ticks = croniter(str(self._cron), here, implement_cron_bug=True)
        walls: list[int] = []
        while True:
            tick: _dt.datetime = ticks.get_next(_dt.datetime)
            gap = tick - _EPOCH
            if gap.days >= end:
                return walls
            day = self._rolled(gap.days)
            walls.append(day * DAY + gap.seconds // 60 * MINUTE)

    def _rolled(self, day: int) -> int:
        if self._roll == "none" or self._calendar is None:
            return day
        step = 1 if self._roll == "following" else -1
        for moved in range(day, day + step * _REACH, step):
            if self._calendar.own(moved):
                return moved
        return day

    def _by_count(self, month: int) -> list[int]:
        """The n-th working day of the month or quarter, from its end where n is negative."""
        months = 3 if self._of == "quarter" else 1
        if month % months or self._calendar is None:
            return []
        days = [
            day for day in range(_first_day(month), _first_day(month + months)) if self._calendar.own(day)
        ]
        place = self._nth - 1 if self._nth > 0 else len(days) + self._nth
        return [days[place] * DAY + self._at] if 0 <= place < len(days) else []


def _month(day: int) -> int:
    date = _dt.date.fromordinal(day + 719_163)
    return date.year * 12 + date.month - 1


def _first_day(month: int) -> int:
    return _dt.date(month // 12, month % 12 + 1, 1).toordinal() - 719_163
