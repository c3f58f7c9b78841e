"""Conduct: what a calendar says besides its hours: its zone, its working days, what holds beyond its facts."""

from __future__ import annotations

from typing import Any

from duly.calendars import zones
from duly.calendars.faults import Fault, shown, unknown
from duly.calendars.rules import working_day_rule
from duly.diagnostics import Path

_BEYOND = ("error", "estimate")


def zone(spec: dict[str, Any], timezone: str | None, path: Path, faults: list[Fault]) -> dict[str, Any]:
    """`timezone` and its frozen transitions."""
    name = spec.get("timezone", timezone)
    if name is None:
        hint = "write `timezone: Asia/Shanghai`, here or in the manifest"
        faults.append(Fault("missing-timezone", "the calendar has no time zone", path, hint))
    elif not isinstance(name, str):
        faults.append(
            Fault("unknown-time-zone", f"expected a time zone, found {shown(name)}", (*path, "timezone"))
        )
    elif name not in zones.names():
        message = f"unknown time zone `{name}`"
        faults.append(Fault("unknown-time-zone", message, (*path, "timezone"), zones.suggestion(name)))
    else:
        return {"timezone": name, "zone": zones.frozen(name)}
    return {}


def conduct(spec: dict[str, Any], path: Path, faults: list[Fault]) -> dict[str, Any]:
    """How working days count, and what happens beyond the facts."""
    beyond = spec.get("beyond_calendar", "error")
    if beyond not in _BEYOND:
        faults.append(unknown("beyond_calendar", beyond, _BEYOND, (*path, "beyond_calendar")))
    found = {"beyond_calendar": beyond}
    if "working_days" in spec:
        rule = working_day_rule(spec["working_days"], (*path, "working_days"), faults)
        if rule is not None:
            found["working_days"] = rule
    return found
