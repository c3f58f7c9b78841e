"""Rules: how working days count, as an owner writes it."""

from __future__ import annotations

from typing import Any

from duly.calendars.faults import Fault, expected, unknown
from duly.calendars.week import time_of_day
from duly.calendars.working_days import PRESETS
from duly.diagnostics import Path

_COUNT_FROM = ("next_working_day", "next_open_first")
_LAND = ("close", "midnight", "same_time")


def working_day_rule(value: object, path: Path, faults: list[Fault]) -> dict[str, Any] | None:
    """A preset's name, or `{count_from, land}`, as the resolved rule of working_days.py.

    `count_from` is `next_working_day` where it is not written; `land` must be.
    """
    if isinstance(value, str):
        if value in PRESETS:
            return {"name": value, **PRESETS[value]}
        faults.append(unknown("working-day rule", value, PRESETS, path))
        return None
    if not isinstance(value, dict):
        faults.append(expected("a working-day rule such as `cn_civil_code`", value, path))
        return None
    for key in value:
        if key not in ("count_from", "land"):
            faults.append(unknown("key", key, ("count_from", "land"), (*path, key)))
    before = len(faults)
    if "land" not in value:
        hint = "write `land: close`, `midnight`, `same_time` or `{at: ..}`"
        faults.append(Fault("missing-key", "`land` is missing", path, hint))
    start, end = value.get("count_from", "next_working_day"), value.get("land", "close")
    count_from = _choice(start, _COUNT_FROM, "cutoff", (*path, "count_from"), faults)
    land = _choice(end, _LAND, "at", (*path, "land"), faults)
    return {"count_from": count_from, "land": land} if len(faults) == before else None


def _choice(value: object, words: tuple[str, ...], key: str, path: Path, faults: list[Fault]) -> Any:
    """One of `words`, or `{key: time of day}` with the time in seconds."""
    if isinstance(value, str):
        if value not in words:
            faults.append(unknown(str(path[-1]), value, (*words, key), path))
        return value
    if isinstance(value, dict) and list(value) == [key]:
        return {key: time_of_day(value[key], (*path, key), faults)}
    faults.append(expected(", ".join(f"`{word}`" for word in words) + f' or {{{key}: "17:00"}}', value, path))
    return None
