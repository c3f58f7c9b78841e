"""Zones: the transitions of an IANA zone, frozen from the `tzdata` package.

Only that package is read, never the system's copy, which can be a year behind (semantics 1.7). The format is
TZif (RFC 8536): explicit transitions, and a footer with the rule that holds after the last of them.
"""

from __future__ import annotations

import re
import struct
from datetime import date
from functools import cache
from typing import Any

import tzdata  # type: ignore[import-untyped]

from duly.calendars.limits import FIRST_DAY, LAST_DAY, LAST_YEAR
from duly.calendars.localtime import day_number, year_of
from duly.diagnostics import nearest

_DAY = 86_400
_NAME = r"(?:<[^>]+>|[A-Za-z]+)"
_OFFSET = r"([+-]?\d{1,3}(?::\d\d){0,2})"
_WHEN = r"M(\d+)\.(\d)\.(\d)(?:/" + _OFFSET + ")?"
_FOOTER = re.compile(f"{_NAME}{_OFFSET}(?:{_NAME}{_OFFSET}?,{_WHEN},{_WHEN})?")


@cache
def names() -> frozenset[str]:
    """Every zone that the `tzdata` package knows."""
    return frozenset(_content("zones").decode("utf-8").split())


def _content(name: str) -> bytes:
    """A file of the package; importing importlib.resources for it takes as long as reading a whole policy."""
    content: bytes = tzdata.__spec__.loader.get_data(f"{tzdata.__path__[0]}/{name}")
    return content


_CITIES = {
    "Beijing": "Asia/Shanghai", "Peking": "Asia/Shanghai", "Shenzhen": "Asia/Shanghai", "Guangzhou": "Asia/Shanghai",
    "Hangzhou": "Asia/Shanghai", "China": "Asia/Shanghai", "中国": "Asia/Shanghai", "北京": "Asia/Shanghai",
    "Frankfurt": "Europe/Berlin", "Munich": "Europe/Berlin", "Osaka": "Asia/Tokyo", "Mumbai": "Asia/Kolkata",
    "Delhi": "Asia/Kolkata", "San Francisco": "America/Los_Angeles", "Seattle": "America/Los_Angeles",
    "Boston": "America/New_York", "Washington": "America/New_York",
}  # fmt: skip
"""Places that people look for in vain, and the zone that they lie in."""


def suggestion(name: str) -> str:
    """The help line for a zone that is not known."""
    city = name.rpartition("/")[2].replace("_", " ")
    if city in _CITIES:
        return f"did you mean `{_CITIES[city]}`?"
    if not re.search("[+-][0-9]", name) and (near := nearest(name, names())) is not None:
        return f"did you mean `{near}`?"
    return "a zone is called by its continent and city, such as `Asia/Shanghai`; `UTC` is one as well"


def version() -> str:
    """The release of the time-zone database, such as `2026f`."""
    return str(tzdata.IANA_VERSION)


@cache
def frozen(name: str) -> dict[str, Any]:
    """The transitions of one zone: `{"version", "at": [UTC seconds], "offsets": [seconds]}`.

    `offsets[i]` holds before `at[i]`, the last one after all of them. Transitions run through the years that
    calendars cover. Raises KeyError for an unknown zone.
    """
    if name not in names():
        raise KeyError(name)
    content = _content(f"zoneinfo/{name}")
    changes, first_offset, footer = _parse(content)
    last_year = year_of(changes[-1][0] // _DAY) if changes else year_of(FIRST_DAY)
    last = changes[-1][0] if changes else FIRST_DAY * _DAY
    changes += [change for change in _by_rule(footer, last_year - 1) if change[0] > last]
    at: list[int] = []
    offsets = [first_offset]
    for instant, offset in changes:
        if instant < FIRST_DAY * _DAY:
            offsets = [offset]
        elif instant < (LAST_DAY + 1) * _DAY and offset != offsets[-1]:
            at.append(instant)
            offsets.append(offset)
    return {"version": version(), "at": at, "offsets": offsets}


def _parse(content: bytes) -> tuple[list[tuple[int, int]], int, str]:
    """The explicit transitions (instant, offset from then on), the offset before them, and the footer."""
    position = 44 + _length(content, 0, 4)
    _, _, _, times, types, _ = struct.unpack_from(">6I", content, position + 20)
    start = position + 44
    instants = struct.unpack_from(f">{times}q", content, start)
    kinds = content[start + 8 * times : start + 9 * times]
    offsets = [struct.unpack_from(">i", content, start + 9 * times + 6 * kind)[0] for kind in range(types)]
    end = position + 44 + _length(content, position, 8)
    footer = content[end:].strip(b"\n").decode("ascii")
    changes = [(instant, offsets[kind]) for instant, kind in zip(instants, kinds, strict=True)]
    return changes, offsets[0], footer


def _length(content: bytes, header: int, width: int) -> int:
    """The length of the data that follow the TZif header at `header`; `width` is that of an instant."""
    ut, standard, leaps, times, types, letters = struct.unpack_from(">6I", content, header + 20)
    return int(times * (width + 1) + types * 6 + letters + leaps * (width + 4) + standard + ut)


def _by_rule(footer: str, first_year: int) -> list[tuple[int, int]]:
    """The transitions that a POSIX TZ rule makes from `first_year` on."""
    found = _FOOTER.fullmatch(footer)
    if found is None:
        raise ValueError(f"the zone's rule `{footer}` is not understood")
    if found[3] is None:
        return []
    standard = -_seconds(found[1])
    summer = -_seconds(found[2]) if found[2] else standard + 3600
    changes = []
    for year in range(first_year, LAST_YEAR + 1):
        changes.append((_moment(year, found, 3) - standard, summer))
        changes.append((_moment(year, found, 7) - summer, standard))
    return sorted(changes)


def _moment(year: int, found: re.Match[str], group: int) -> int:
    """`M3.5.0/2` (month, week with 5 for the last, weekday with 0 for Sunday) as local seconds."""
    month, week, day = (int(found[group + part]) for part in range(3))
    first = day_number(date(year, month, 1).isoformat())
    length = day_number(date(year + month // 12, month % 12 + 1, 1).isoformat()) - first
    on = (day - (first + 4)) % 7 + (week - 1) * 7
    if on >= length:
        on -= 7
    return (first + on) * _DAY + (_seconds(found[group + 3]) if found[group + 3] else 7200)


def _seconds(text: str) -> int:
    sign = -1 if text.startswith("-") else 1
    parts = [int(part) for part in text.lstrip("+-").split(":")] + [0, 0]
    return sign * (parts[0] * 3600 + parts[1] * 60 + parts[2])
