"""A month of a calendar, as data and as text."""

from __future__ import annotations

import datetime as dt
import time
from typing import Any

import click

from duly import durations, instants
from duly.calendars.calendar import Calendar
from duly.calendars.localtime import Zone, dated, day_number, day_text, weekday
from duly.calendars.week import WEEKDAYS

_COLOURS = {"holiday": "red", "closed_date": "red", "make_up": "yellow", "special": "cyan"}


def local_text(zone: Zone, instant: int) -> str:
    """`Mon 2026-02-16 11:00 +08:00 Asia/Shanghai`; seconds only where there are any."""
    local = zone.local(instant)
    clock = instants.render(local)[11:-1].removesuffix(":00")
    day = local // instants.DAY
    where = f"{_offset_text(zone.offset(instant))} {zone.name}"
    return f"{dated(day)} {clock} {where}"


def _offset_text(offset: int) -> str:
    minutes = abs(offset) // instants.MINUTE
    return f"{'-' if offset < 0 else '+'}{minutes // 60:02d}:{minutes % 60:02d}"


def as_json(calendar: Calendar, month: str | None) -> dict[str, Any]:
    """The days of `month` (`2026-02`; None for the current one) with their hours and what they are.

    Raises ValueError for a month that does not exist.
    """
    first, last = _days(month or time.strftime("%Y-%m", time.gmtime()))
    days = [_day(calendar, day) for day in range(first, last)]
    facts = calendar.spec
    return {
        "calendar": calendar.name,
        "timezone": calendar.zone.name,
        "month": day_text(first)[:7],
        "days": days,
        "working_days": sum(bool(day["open"]) for day in days),
        "open_seconds": sum(day["open_seconds"] for day in days),
        "confirmed_through": facts.get("confirmed_through"),
        "estimate": calendar.is_estimate(calendar.zone.reach(last * instants.DAY)),
        "holidays": facts.get("source"),
        "tzdata": facts["zone"].get("version"),
    }


def _days(month: str) -> tuple[int, int]:
    try:
        first = dt.date.fromisoformat(f"{month}-01")
    except ValueError:
        raise ValueError(f"expected a month such as `2026-02`, found `{month[:20]}`") from None
    if not 1900 <= first.year <= 2199:
        raise ValueError("calendars cover the years 1900 to 2199")
    following = first.replace(year=first.year + first.month // 12, month=first.month % 12 + 1)
    return day_number(first.isoformat()), day_number(following.isoformat())


def _day(calendar: Calendar, day: int) -> dict[str, Any]:
    kind, label, _ = calendar.date(day)
    zone, own = calendar.zone, calendar.own(day)
    before, after = (zone.offset(zone.reach((day + step) * instants.DAY)) for step in (0, 1))
    return {
        "date": day_text(day),
        "weekday": WEEKDAYS[weekday(day)],
        "kind": kind,
        "label": label,
        "hours": [[_clock(zone, day, start), _clock(zone, day, end)] for start, end in own],
        "open": [[instants.render(start), instants.render(end)] for start, end in own],
        "open_seconds": instants.seconds(sum(end - start for start, end in own)),
        "clock_change_seconds": instants.seconds(after - before),
    }


def _clock(zone: Zone, day: int, instant: int) -> str:
    """The wall time of an edge: `24:00` at the day's end, `06:00+1` on the next date."""
    wall = max(zone.local(instant) - day * instants.DAY, 0) // instants.MINUTE
    if wall <= 1440:
        return f"{wall // 60:02d}:{wall % 60:02d}"
    return f"{wall // 60 - 24:02d}:{wall % 60:02d}+1"


def as_text(page: dict[str, Any], colour: bool) -> str:
    """The month for a person, a line a day."""
    spans = [" ".join("–".join(pair) for pair in day["hours"]) or "–" for day in page["days"]]
    width = max(map(len, spans))
    lines = [f"{page['calendar']} · {page['month']} · {page['timezone']}", ""]
    for day, hours in zip(page["days"], spans, strict=True):
        change = day["clock_change_seconds"]
        note = [day["label"]] if day["label"] else []
        if change:
            length = durations.render(abs(change) * instants.SECOND)
            note.append(f"clocks go {'forward' if change > 0 else 'back'} {length}")
        text = (
            f"{day['weekday'].capitalize()} {day['date'][8:]}  {hours:<{width}}  {', '.join(note)}".rstrip()
        )
        plain = not colour or (day["kind"] == "regular" and day["open"])
        lines.append(text if plain else click.style(text, **_style(day)))
    lines += ["", f"{page['working_days']} working days, {_hours(page['open_seconds'])} open"]
    if page["holidays"]:
        doubt = "; this month is an estimate" if page["estimate"] else ""
        lines.append(f"holidays confirmed through {page['confirmed_through']} ({page['holidays']}){doubt}")
    return "\n".join(lines)


def _hours(seconds: float) -> str:
    return f"{seconds / 3600:.2f}".rstrip("0").rstrip(".") + "h"


def _style(day: dict[str, Any]) -> dict[str, Any]:
    return {"fg": _COLOURS[day["kind"]]} if day["kind"] in _COLOURS else {"dim": True}
