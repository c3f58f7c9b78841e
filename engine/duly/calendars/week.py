"""Weeks: weekday keys, opening hours and dates as an owner writes them."""

from __future__ import annotations

import datetime as _dt
import re
from itertools import pairwise

from duly.calendars.faults import Fault, expected, shown, unknown
from duly.diagnostics import Path

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_TIME = re.compile(r"(\d\d):(\d\d)(?::(\d\d))?", re.ASCII)
_DAY = 86_400

Spans = list[list[int]]
"""Open stretches of one date: seconds since local midnight; a shift past midnight ends after 86,400."""


def time_of_day(value: object, path: Path, faults: list[Fault]) -> int | None:
    """`17:30` in seconds since midnight; `24:00` is the end of the day."""
    found = _TIME.fullmatch(value) if isinstance(value, str) else None
    if found is not None:
        hours, minutes, seconds = int(found[1]), int(found[2]), int(found[3] or 0)
        total = hours * 3600 + minutes * 60 + seconds
        if minutes < 60 and seconds < 60 and total <= _DAY:
            return total
    hint = None
    if isinstance(value, str) and re.fullmatch(r"\d:\d\d", value, re.ASCII):
        hint = f"did you mean `0{value}`?"
    message = f"expected a time of day from `00:00` to `24:00`, found {shown(value)}"
    faults.append(Fault("bad-time", message, path, hint))
    return None


def spans(value: object, path: Path, faults: list[Fault]) -> Spans:
    """A list of `[from, to]`, sorted, overlaps merged; `to` before `from` means the next date."""
    if not isinstance(value, list):
        faults.append(expected('a list of intervals such as [["09:00", "17:00"]]', value, path))
        return []
    found = [_span(pair, (*path, index), faults) for index, pair in enumerate(value)]
    written = sorted(pair for pair in found if pair)
    for one, other in pairwise(written):
        if other[0] < one[1]:
            message = f"`{_text(one)}` and `{_text(other)}` overlap; the time they share counts once"
            faults.append(Fault("overlapping-hours", message, path, "write one interval", "warning"))
    merged: Spans = []
    for start, end in written:
        if merged and start <= merged[-1][1]:
            merged[-1][1] = max(merged[-1][1], end)
        else:
            merged.append([start, end])
    return merged


def _span(value: object, path: Path, faults: list[Fault]) -> list[int] | None:
    if not isinstance(value, list) or len(value) != 2:
        faults.append(expected('an interval such as ["09:00", "17:00"]', value, path))
        return None
    start = time_of_day(value[0], (*path, 0), faults)
    end = time_of_day(value[1], (*path, 1), faults)
    if start is None or end is None:
        return None
    if start in (end, _DAY):
        hint = (
            'for the whole day write `["00:00", "24:00"]`' if start == end else 'the last start is `"23:59"`'
        )
        message = f"the interval `{value[0]}` to `{value[1]}` is empty"
        faults.append(Fault("empty-interval", message, path, hint))
        return None
    return [start, end if end > start else end + _DAY]


def _text(span: list[int]) -> str:
    """`[79200, 108000]` as `22:00–06:00`."""
    clock = [second - _DAY if second > _DAY else second for second in span]
    return "–".join(f"{second // 3600:02d}:{second // 60 % 60:02d}" for second in clock)


def week(value: object, path: Path, faults: list[Fault]) -> list[Spans]:
    """`{mon-fri: […], sat: […]}` as seven lists, Monday first; a weekday named twice is a fault."""
    days: list[Spans] = [[] for _ in WEEKDAYS]
    if not isinstance(value, dict):
        faults.append(expected("weekdays with their hours, such as mon-fri", value, path))
        return days
    said: dict[int, str] = {}
    for key, hours in value.items():
        found = spans(hours, (*path, key), faults)
        for day in _weekdays(key, (*path, key), faults):
            if day in said:
                message = f"`{WEEKDAYS[day]}` is named twice: by `{said[day]}` and by `{key}`"
                faults.append(Fault("weekday-twice", message, (*path, key), "name each weekday once"))
            said.setdefault(day, str(key))
            days[day] = [list(span) for span in found]
    return days


def _weekdays(key: object, path: Path, faults: list[Fault]) -> list[int]:
    """`mon`, `mon-fri`, `sat-mon`, `mon,wed,fri`, `daily`."""
    days: list[int] = []
    for part in str(key).split(","):
        first, dash, last = (word.strip() for word in part.partition("-"))
        if part.strip() == "daily":
            days += range(7)
            continue
        wrong = [word for word in ((first, last) if dash else (first,)) if word not in WEEKDAYS]
        if wrong:
            faults.append(unknown("weekday", wrong[0], (*WEEKDAYS, "daily"), path))
            continue
        start = WEEKDAYS.index(first)
        length = (WEEKDAYS.index(last) - start) % 7 if dash else 0
        days += [(start + step) % 7 for step in range(length + 1)]
    return days


def date(value: object, path: Path, faults: list[Fault]) -> str | None:
    """A date such as `2026-02-14` that exists, or None and a fault."""
    if isinstance(value, str) and re.fullmatch(r"\d{4}-\d\d-\d\d", value, re.ASCII):
        try:
            _dt.date.fromisoformat(value)
        except ValueError:
            faults.append(Fault("impossible-date", f"there is no date `{value}`", path))
            return None
        if "1900" <= value[:4] <= "2199":
            return value
        faults.append(Fault("date-out-of-range", f"`{value}` lies outside the years 1900 to 2199", path))
        return None
    faults.append(expected("a date such as `2026-02-14`", value, path))
    return None


def date_range(value: object, path: Path, faults: list[Fault]) -> list[str] | None:
    """`2026-08-01` or `2026-08-01/2026-08-07` as the first and the last date."""
    first, slash, last = str(value).partition("/") if isinstance(value, str) else (value, "", "")
    start = date(first, path, faults)
    end = date(last, path, faults) if slash else start
    if start is None or end is None:
        return None
    if end < start:
        message = f"the range `{value}` ends before it begins"
        faults.append(Fault("reversed-range", message, path, f"write `{end}/{start}`"))
        return None
    return [start, end]
