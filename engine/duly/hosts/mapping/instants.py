"""Instants as other systems write them: since 1970, by a pattern, or local time without an offset."""

from __future__ import annotations

import datetime as dt
import re
from decimal import Decimal
from functools import cache
from typing import Any

from duly import instants
from duly.calendars import zones
from duly.calendars.localtime import Zone

UNITS = {"seconds": 1_000_000, "milliseconds": 1_000, "microseconds": 1}
_PARTS = {
    "Y": r"(?P<Y>[0-9]{4})", "m": r"(?P<m>[0-9]{1,2})", "d": r"(?P<d>[0-9]{1,2})", "H": r"(?P<H>[0-9]{1,2})",
    "M": r"(?P<M>[0-9]{1,2})", "S": r"(?P<S>[0-9]{1,2})", "f": r"(?P<f>[0-9]{1,9})",
    "z": r"(?P<z>Z|[+-][0-9]{2}:?[0-9]{2})", "%": "%",
}  # fmt: skip
_LATEST = 253_402_300_800 * 1_000_000


def pattern(form: str) -> re.Pattern[str]:
    """What a form such as `%d.%m.%Y %H:%M` matches. Raises ValueError, with a sentence, for one that is none."""
    text, rest = "", form
    seen: set[str] = set()
    while rest:
        if rest[0] != "%":
            text, rest = text + re.escape(rest[0]), rest[1:]
            continue
        sign = rest[1:2]
        if sign not in _PARTS:
            known = ", ".join(f"`%{each}`" for each in _PARTS if each != "%")
            raise ValueError(f"`%{sign}` is no part of an instant here; there are {known}")
        if sign in seen:
            raise ValueError(f"`%{sign}` is there twice")
        seen.update(sign if sign != "%" else "")
        text, rest = text + _PARTS[sign], rest[2:]
    if not {"Y", "m", "d"} <= seen:
        raise ValueError("an instant needs `%Y`, `%m` and `%d` at least")
    return re.compile(text)


@cache
def _zone(name: str) -> Zone:
    found = zones.frozen(name)
    return Zone(name, found["at"], found["offsets"])


def read(value: Any, form: str | None, timezone: str | None) -> int:
    """The instant that a value says, in µs since 1970 UTC. Raises ValueError with a sentence."""
    if form in UNITS:
        return _counted(value, UNITS[form or ""])
    if not isinstance(value, str):
        raise ValueError("expected an instant as a text; for numbers say `form: seconds` or `milliseconds`")
    if form is not None:
        found = pattern(form).fullmatch(value.strip())
        if found is None:
            raise ValueError(f"expected an instant of the form `{form}`, found `{value[:80]}`")
        return _placed(*_taken(found, value), timezone, value)
    if timezone is None:
        return instants.parse(value)
    try:
        moment = dt.datetime.fromisoformat(value)
    except ValueError:
        raise ValueError(f"expected an instant such as `2026-03-02T09:00:00`, found `{value[:80]}`") from None
    if moment.tzinfo is not None:
        return instants.parse(value)
    return _placed(moment, None, timezone, value)


def _counted(value: Any, unit: int) -> int:
    if isinstance(value, str) and re.fullmatch(r"-?[0-9]{1,20}(\.[0-9]{1,9})?", value):
        value = Decimal(value)
    if isinstance(value, bool) or not isinstance(value, (int, float, Decimal)):
        raise ValueError(f"expected a number of {_name(unit)} since 1970, found `{str(value)[:80]}`")
    if not -_LATEST < value < _LATEST or not -_LATEST < value * unit < _LATEST:
        raise ValueError(f"`{str(value)[:40]}` {_name(unit)} since 1970 is no instant of the years 1 to 9999")
    return round(Decimal(str(value)) * unit)


def _name(unit: int) -> str:
    return next(name for name, each in UNITS.items() if each == unit)


def _taken(found: re.Match[str], value: str) -> tuple[dt.datetime, int | None]:
    """The local time that a text says, and its offset in µs, as far as it has one."""
    parts = found.groupdict()
    year, month, day, hour, minute, second = (int(parts.get(sign) or 0) for sign in "YmdHMS")
    fraction = int((parts.get("f") or "0").ljust(6, "0")[:6])
    try:
        moment = dt.datetime(year, month, day, hour, minute, second, fraction)  # noqa: DTZ001
    except ValueError:
        raise ValueError(f"there is no such date or time: `{value[:80]}`") from None
    text = parts.get("z")
    if text is None:
        return moment, None
    if text == "Z":
        return moment, 0
    sign = -1 if text[0] == "-" else 1
    return moment, sign * (int(text[1:3]) * 60 + int(text[-2:])) * instants.MINUTE


def _placed(moment: dt.datetime, offset: int | None, timezone: str | None, value: str) -> int:
    gap = moment - dt.datetime(1970, 1, 1)  # noqa: DTZ001
    local = (gap.days * 86_400 + gap.seconds) * instants.SECOND + gap.microseconds
    if offset is not None:
        return local - offset
    if timezone is None:
        raise ValueError(f"instant without an offset: `{value[:80]}`; say its `timezone`")
    return _zone(timezone).reach(local)
