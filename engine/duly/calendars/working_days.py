"""Working days: how `2wd` is counted, forward and backward, and where it lands.

A working day is a local date with open time of its own (semantics 1.4). A rule is resolved JSON:
`{"count_from": "next_working_day" | "next_open_first" | {"cutoff": SECONDS}, "land": "close" | "midnight" |
"same_time" | {"at": SECONDS}}`, seconds counted from local midnight.

Counting back mirrors counting forward: the date of the reference never counts, and the landing is the
opening (`close`), 00:00 (`midnight`), or the same wall time moved *back* into the date's open time
(`same_time`), so N whole working days lie between the answer and the reference's date. A `cutoff` says when
something counts as received, so it has no part in counting back.
"""

from __future__ import annotations

from duly.instants import DAY, SECOND

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from duly.calendars.calendar import Calendar
    from duly.calendars.intervals import Interval

PRESETS: dict[str, dict[str, Any]] = {
    "cn_civil_code": {"count_from": "next_working_day", "land": "close"},
    "eu_1182_71": {"count_from": "next_working_day", "land": "midnight"},
    "helpdesk": {"count_from": "next_working_day", "land": "same_time"},
}


def due(calendar: Calendar, start: int, days: int, rule: dict[str, Any]) -> int:
    """Where the `days`-th working day after `start` lands, in microseconds; 0 days are due at once."""
    if days <= 0:
        return start
    day, wall = _received(calendar, start, rule["count_from"])
    land = rule["land"]
    if land != "close":
        for _ in range(days):
            day = following(calendar, day)
        return _landed(calendar, day, wall, land)
    closing = calendar.closings.get((day, days))
    if closing is None:
        last = day
        for _ in range(days):
            last = following(calendar, last)
        closing = calendar.closings[day, days] = _landed(calendar, last, wall, land)
    return closing


def due_back(calendar: Calendar, reference: int, days: int, rule: dict[str, Any]) -> int:
    """The instant that lies `days` whole working days before the date of `reference`."""
    if days <= 0:
        return reference
    if rule["count_from"] == "next_open_first" and not calendar.is_open(reference):
        reference = calendar.due_back(reference, 0)
    local = calendar.zone.local(reference)
    day = local // DAY
    for _ in range(days):
        day = preceding(calendar, day)
    return _landed_back(calendar, day, local % DAY, rule["land"])


def due_after_pauses(
    calendar: Calendar, start: int, days: int, rule: dict[str, Any], pauses: list[Interval]
) -> int:
    """`due` where the clock stood still during `pauses` (sorted, disjoint).

    A counted day is used up once its last open time has passed. At a resume the days not used up are counted
    anew from there. Where all are used up and only the landing is outstanding (`midnight`), the due stays,
    or is the resume where that is later.
    """
    answer = due(calendar, start, days, rule)
    for begin, resume in pauses:
        if resume <= start:
            continue
        pause = max(begin, start)
        if answer <= pause:
            return answer
        day, _ = _received(calendar, start, rule["count_from"])
        used = 0
        while used < days and calendar.own(day := following(calendar, day))[-1][1] <= pause:
            used += 1
        days -= used
        start = resume
        answer = due(calendar, start, days, rule) if days else max(answer, resume)
    return answer


def following(calendar: Calendar, day: int) -> int:
    """The next working day after `day`, in days since 1970-01-01."""
    known = calendar.followers.get(day)
    if known is None:
        known = calendar.followers[day] = _following(calendar, day)
    return known


def _following(calendar: Calendar, day: int) -> int:
    _, last = calendar.known_days
    while day < last:
        day += 1
        if calendar.own(day):
            return day
    raise calendar.beyond("a working day")


def preceding(calendar: Calendar, day: int) -> int:
    """The last working day before `day`, in days since 1970-01-01."""
    first, _ = calendar.known_days
    while day > first:
        day -= 1
        if calendar.own(day):
            return day
    raise calendar.beyond("a working day", back=True)


def _received(calendar: Calendar, start: int, count_from: Any) -> tuple[int, int]:
    """The date that does not count, and the wall time at which the matter counts as received on it."""
    if count_from == "next_open_first":
        start = calendar.next_open(start)
    local = calendar.zone.local(start)
    day, wall = local // DAY, local % DAY
    first, last = calendar.known_days
    if not first <= day <= last:
        raise calendar.beyond("a working day", back=day < first)
    if isinstance(count_from, dict) and (not calendar.own(day) or wall > count_from["cutoff"] * SECOND):
        day = following(calendar, day)
        wall = calendar.zone.local(calendar.own(day)[0][0]) % DAY
    return day, wall


def _landed(calendar: Calendar, day: int, wall: int, land: Any) -> int:
    own = calendar.own(day)
    if land == "close":
        return own[-1][1]
    if land == "midnight":
        return calendar.zone.reach((day + 1) * DAY)
    if land == "same_time":
        instant = calendar.zone.reach(day * DAY + wall)
        return next((max(start, instant) for start, end in own if instant < end), own[-1][1])
    return calendar.zone.reach(day * DAY + land["at"] * SECOND)


def _landed_back(calendar: Calendar, day: int, wall: int, land: Any) -> int:
    own = calendar.own(day)
    if land == "close":
        return own[0][0]
    if land == "midnight":
        return calendar.zone.reach(day * DAY)
    if land == "same_time":
        instant = calendar.zone.reach(day * DAY + wall)
        return next((min(end, instant) for start, end in reversed(own) if start <= instant), own[0][0])
    return calendar.zone.reach(day * DAY + land["at"] * SECOND)
